# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup imports what it needs for the declarations of a play, and no more. `lookup/test_declared.py` tests the entries."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import sys
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, lookup_loader
from ansible.template import Templar
init_plugin_loader([])
for variables in {tasks!r}:
    lookup = lookup_loader.get("openshift_ops.image_pull.declared", templar=Templar(loader=DataLoader(), variables=variables))
    lookup.run(["private_registry", "cross_project_pull"], variables=variables)
ours = [name.partition(".plugins.")[2] for name in sys.modules if "image_pull.plugins." in name]
print(*(name for name in ours if name.startswith("modules.") or name in ("plugin_utils.declarations", "plugin_utils.known_variables")))
"""
_NAME = "private_registry_secrets"


@pytest.mark.parametrize(
    ("tasks", "imported"),
    [
        ([{}, {_NAME: []}], "plugin_utils.known_variables"),
        ([{_NAME: [{"name": "x"}]}], "plugin_utils.known_variables plugin_utils.declarations"),
    ],
)
def test_titles_import_no_module(tasks: list[dict[str, object]], imported: str) -> None:
    program = _PROGRAM.format(tasks=tasks)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.split() == imported.split(), done.stderr
