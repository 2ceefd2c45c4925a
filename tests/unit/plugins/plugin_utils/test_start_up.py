# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second run of Ansible compiles no file below plugins/module_utils again, and its workers load no plugin of the playbooks again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils import in_process

#: The folder above `ansible_collections`.
COLLECTIONS = Path(in_process.__file__).parents[5]
#: Load an action plugin as Ansible does, and print the files that were compiled from their text.
PROGRAM = f"""
import gc, importlib, json, sys
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
_AnsibleCollectionFinder(paths=[{str(COLLECTIONS)!r}])._install()
compiled = []
sys.addaudithook(lambda event, given: compiled.append(str(given[1])) if event == "compile" else None)
action = importlib.import_module("ansible_collections.openshift_ops.image_pull.plugins.action.sa_link")
assert action.ActionModule.module.arguments["links"]
plugins = [name.rpartition(".plugins.")[2] for name in sys.modules]
print(json.dumps([[file for file in compiled if "plugins/module_utils/" in file], plugins, gc.get_freeze_count()]))
"""


def compiled_files(cache: Path) -> list[str]:
    files: list[str] = load(cache)[0]
    return files


def load(cache: Path) -> list[Any]:
    unset = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**unset, "PYTHONPYCACHEPREFIX": str(cache)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    found: list[Any] = json.loads(done.stdout)
    return found


def test_a_second_run_compiles_nothing_again(tmp_path: Path) -> None:
    assert len(compiled_files(tmp_path)) > 30
    assert compiled_files(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    cache = tmp_path / "file"
    cache.touch()
    assert compiled_files(cache) != []


def test_workers_inherit_the_plugins_of_the_playbooks(tmp_path: Path) -> None:
    _files, plugins, frozen = load(tmp_path)
    assert {"filter.result_line", "lookup.declared"} <= {*plugins}
    assert frozen > 10_000
