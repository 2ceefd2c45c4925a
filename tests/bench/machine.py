# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describes the machine and the software of a benchmark."""

from __future__ import annotations

import json
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def describe(bench_python: Path) -> dict[str, str]:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": model.group(1) if model else platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "Python": platform.python_version(),
        "ansible-core": version("ansible-core"),
        "kubernetes client": version("kubernetes"),
        "API server": _go_module("tests/lab", "k8s.io/kubernetes"),
        "kubernetes.core": _kubernetes_core(bench_python),
        "kubectl": _go_module("tests/bench/kubectl", "k8s.io/kubectl"),
    }


def _kubernetes_core(python: Path) -> str:
    (manifest,) = python.parents[1].glob("lib/*/site-packages/ansible_collections/kubernetes/core/MANIFEST.json")
    return str(json.loads(manifest.read_text())["collection_info"]["version"])


def _go_module(directory: str, name: str) -> str:
    """The module version that a Go program is built from. Neither program knows its own version."""
    found = re.search(rf"\b{re.escape(name)} (v\S+)", (ROOT / directory / "go.mod").read_text())
    return found.group(1) if found else "unknown"
