# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker of Ansible starts with the modules already loaded. Each test runs a new Python, because this one has many modules loaded."""

from __future__ import annotations

import subprocess
import sys

_START = """
import sys
from ansible.plugins.loader import filter_loader, init_plugin_loader, lookup_loader
init_plugin_loader([])
"""
_ACTION = "import ansible_collections.openshift_ops.image_pull.plugins.action.pull_secret\n"
_TASK = """
before = set(sys.modules)
filter_loader.get("default")
lookup_loader.get("openshift_ops.image_pull.declared", class_only=True)
import ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declared_entries
import ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declaration_check
print(*sorted(set(sys.modules) - before))
"""
_BROKEN = """
working = filter_loader.get
def broken(*_arguments):
    raise KeyError("a plugin of another collection")
filter_loader.get = broken
"""
_MENDED = "filter_loader.get = working\n"


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_action_plugin_preloads_all_modules_of_a_task() -> None:
    assert python(_START + _ACTION + _TASK) == ""


def test_a_failed_preload_is_left_to_the_task() -> None:
    """Without a preload, the task loads modules."""
    assert "declared" in python(_START + _BROKEN + _ACTION + _MENDED + _TASK)
