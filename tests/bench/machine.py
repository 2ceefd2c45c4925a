# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a benchmark ran on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from support.lab import Lab


def describe(lab: Lab, bench_python: Path) -> dict[str, str]:
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
        "API server": lab.api("GET", "/version")["gitVersion"],
        "kubernetes.core": _kubernetes_core(bench_python),
        "kubectl": _kubectl(),
    }


def _kubernetes_core(python: Path) -> str:
    code = "import ansible_collections.kubernetes.core as c, json, pathlib; print(json.loads((pathlib.Path(list(c.__path__)[0]) / 'MANIFEST.json').read_text())['collection_info']['version'])"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return found.stdout.strip()


def _kubectl() -> str:
    module = (Path(__file__).parent / "kubectl" / "go.mod").read_text()
    found = re.search(r"k8s.io/kubectl (\S+)", module)
    return found.group(1) if found else "unknown"
