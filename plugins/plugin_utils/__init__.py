# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load this collection's files with Python's byte code cache. Ansible's own loader compiles each file again in each run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader

from ansible.utils.collection_loader import AnsibleCollectionConfig

_PLUGINS = __name__.rpartition(".")[0] + "."


class _CachedFiles:
    """Find modules below the folder `plugins`. Folders without `__init__.py` are left to Ansible's finder."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        if not name.startswith(_PLUGINS):
            return None
        found = (_finder(directory).find_spec(name) for directory in path or ())
        return next((spec for spec in found if spec and spec.loader), None)


@cache
def _finder(directory: str) -> FileFinder:
    return FileFinder(directory, (SourceFileLoader, SOURCE_SUFFIXES))


_ANSIBLES = AnsibleCollectionConfig.collection_finder
if _ANSIBLES:
    sys.meta_path.insert(sys.meta_path.index(_ANSIBLES), _CachedFiles)
