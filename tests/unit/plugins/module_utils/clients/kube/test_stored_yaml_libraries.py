# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A missing library is reported by name, not as a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube import kubeconfig

KUBE = "ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube"


def test_all_libraries_are_installed() -> None:
    assert kubeconfig.IMPORT_ERROR is None


@pytest.mark.parametrize("missing", ["urllib3", "yaml"])
def test_a_missing_library_is_named(missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        f"from {KUBE} import client, connection, kubeconfig\n"
        "print(kubeconfig.IMPORT_ERROR)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Traceback")
    assert "ModuleNotFoundError: " in done.stdout
    assert missing in done.stdout.splitlines()[-2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: 1\na: 2\n",
        "users: [{name: u, user: {token: 0123, expires: 2026-01-01T00:00:00Z}}]",
        "a: !!binary aGk=\nb: ~\nc: 1_000\nd: 'on'\ne: on",
        "a: &b {c: 1}\nd: *b",
        "a: b: c",
        "a: *b",
        "? [a]\n: 1",
        "a: !!python/name:os.system",
        "\x07",
        "\ud800",
        "[" * 20_000,
        "a: 1\n--- b",
    ],
)
def test_yaml_is_read_as_by_the_loader_without_libyaml(text: str) -> None:
    def read(load: Callable[[str], Any]) -> Any:
        try:
            return load(text)
        except (yaml.YAMLError, ValueError, RecursionError):
            return "an error"

    assert read(kubeconfig.load_yaml) == read(yaml.safe_load)
    documents = read(lambda text: [*kubeconfig.load_yaml_documents(text)])
    assert documents == read(lambda text: [*yaml.safe_load_all(text)])
