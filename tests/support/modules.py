# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module as Ansible does, in this process: options in as JSON, result out as JSON, nothing replaced."""

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

from support.returns import assert_documented

PACKAGE = "ansible_collections.openshift_ops.image_pull.plugins.modules"

#: What Ansible takes out of each result: from 2.22 on, the credentials that it is to mask.
HANDED_ON = "_ansible_new_secrets"


def run_module(module_name: str, /, *, check: bool = False, **options: Any) -> dict[str, Any]:
    """The module's result, `failed` included, which the module's page must describe. `_output` is all that it printed, but for `HANDED_ON`."""
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
    basic._ANSIBLE_PROFILE = "legacy"  # needed from ansible-core 2.19 on
    with _outside_the_controller(), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        module.main()
    printed = output.getvalue()
    result = json.loads(printed)
    assert isinstance(result, dict), printed
    if result.pop(HANDED_ON, None):
        printed = json.dumps(result)
    assert_documented(module_name, result)
    return {"failed": False, **result, "_output": printed}


@contextlib.contextmanager
def _outside_the_controller() -> Iterator[None]:
    """As in a process of a module: once a test has imported Ansible's own code, core 2.19 and newer would display the warnings."""
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
    """One for the process: the client library remembers the files that it made."""
    directory = tempfile.mkdtemp(prefix="module-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory
