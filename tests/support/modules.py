# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module as Ansible does, but in this process: options and result are JSON, and nothing is replaced."""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from ansible.module_utils import basic
from ansible.module_utils.common import warnings

from support.history import operation
from support.returns import assert_documented

PACKAGE = "ansible_collections.openshift_ops.image_pull.plugins.modules"

#: A member that Ansible removes from each result: since 2.22, the credentials to mask.
HANDED_ON = "_ansible_new_secrets"


def run_module(module_name: str, /, *, check: bool = False, **options: Any) -> dict[str, Any]:
    """The module's result, including `failed`. The module's page must describe it. `_output` is the printed text without `HANDED_ON`."""
    module = importlib.import_module(f"{PACKAGE}.{module_name}")
    internal = {
        "_ansible_check_mode": check,
        "_ansible_diff": True,
        "_ansible_module_name": module_name,
        "_ansible_tmpdir": _directory(),
    }
    warnings._global_warnings.clear()  # they belong to the process
    output = io.StringIO()
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": {**options, **internal}}).encode()
    basic._ANSIBLE_PROFILE = "legacy"  # needed since ansible-core 2.19
    with operation(module_name, json.dumps(options), is_check=check) as started:
        with _outside_the_controller(), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
            module.main()
        printed = output.getvalue()
        result = json.loads(printed)
        assert isinstance(result, dict), printed
        started.changed, started.failed = result.get("changed"), bool(result.get("failed"))
    if result.pop(HANDED_ON, None):
        printed = json.dumps(result)
    assert_documented(module_name, result)
    return {"failed": False, **result, "_output": printed}


@contextlib.contextmanager
def _outside_the_controller() -> Iterator[None]:
    """Behave like a module's process: after an import of Ansible's own code, core 2.19 and newer would display the warnings."""
    internal = sys.modules.get("ansible.module_utils._internal")
    is_controller = getattr(internal, "is_controller", False)
    if not is_controller:
        yield
        return
    internal.is_controller = False  # type: ignore[union-attr]
    try:
        yield
    finally:
        internal.is_controller = True  # type: ignore[union-attr]


@functools.cache
def _directory() -> str:
    """One directory for this process, because the client library remembers the files that it made."""
    directory = tempfile.mkdtemp(prefix="module-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory
