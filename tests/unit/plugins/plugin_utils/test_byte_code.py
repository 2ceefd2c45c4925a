# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second run of Ansible compiles no file below plugins/module_utils again, and a folder that cannot be written is no error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils import in_process

#: The folder above `ansible_collections`.
COLLECTIONS = Path(in_process.__file__).parents[5]
#: Load an action plugin as Ansible does, and print the files that were compiled from their text.
PROGRAM = f"""
import importlib, json, sys
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
_AnsibleCollectionFinder(paths=[{str(COLLECTIONS)!r}])._install()
compiled = []
sys.addaudithook(lambda event, given: compiled.append(str(given[1])) if event == "compile" else None)
action = importlib.import_module("ansible_collections.openshift_ops.image_pull.plugins.action.sa_link")
assert action.ActionModule.module.arguments["links"]
print(json.dumps([file for file in compiled if "plugins/module_utils/" in file]))
"""


def compiled_files(cache: Path) -> list[str]:
    unset = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**unset, "PYTHONPYCACHEPREFIX": str(cache)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    files: list[str] = json.loads(done.stdout)
    return files


def test_a_second_run_compiles_nothing_again(tmp_path: Path) -> None:
    assert len(compiled_files(tmp_path)) > 30
    assert compiled_files(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    cache = tmp_path / "file"
    cache.touch()
    assert compiled_files(cache) != []
