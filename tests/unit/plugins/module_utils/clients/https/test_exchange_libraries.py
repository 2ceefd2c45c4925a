# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A missing library is reported by name, not as a traceback. No other HTTP library is imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https import exchange

CLIENTS = "ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients"
IMPORTS = f"from {CLIENTS} import ocm\nfrom {CLIENTS}.registry import proof, transport\n"


def run(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_all_libraries_are_installed() -> None:
    assert exchange.IMPORT_ERROR is None


@pytest.mark.parametrize("missing", ["urllib3", "certifi"])
def test_a_missing_library_is_named(missing: str) -> None:
    found = f"from {CLIENTS}.https import exchange\nprint(exchange.IMPORT_ERROR)"
    said = run(f"import sys; sys.modules[{missing!r}] = None\n{IMPORTS}{found}")
    assert said.startswith("Traceback")
    assert "ModuleNotFoundError: " in said
    assert missing in said.splitlines()[-2]


def test_the_clients_import_neither_requests_nor_the_kubernetes_client() -> None:
    names = run(f"{IMPORTS}import sys; print(*sys.modules)").split()
    assert "urllib3" in names
    assert {"requests", "kubernetes"}.isdisjoint(names)
