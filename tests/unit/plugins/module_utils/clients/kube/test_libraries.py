# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Without the Kubernetes client a module says what is missing, instead of ending in a traceback when it is loaded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube import connection, libraries

KUBE = "ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube"


def test_they_are_here() -> None:
    assert libraries.IMPORT_ERROR is None
    assert connection.IMPORT_ERROR is None


@pytest.mark.parametrize("missing", ["kubernetes", "urllib3", "yaml"])
def test_one_that_is_missing_is_named(missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        f"from {KUBE} import client, connection\n"
        "print(connection.IMPORT_ERROR)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Traceback")
    assert "ModuleNotFoundError: " in done.stdout
    assert missing in done.stdout.splitlines()[-2]
