# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import a mutant instead of its module, in this process and in every Python that it starts.

A Python finds this file as its `sitecustomize`, and finds the mutant by an environment variable.
"""

from __future__ import annotations

import marshal
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType
from typing import Any

__all__ = ["install"]

_VARIABLE = "IMAGE_PULL_MUTANT"


class _Finder:
    def __init__(self, name: str, code: CodeType) -> None:
        self._name, self._code = name, code

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec and spec.origin:
            spec.loader = _Loader(name, spec.origin, self._code)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, _name: str) -> CodeType:
        return self._code


def install(name: str, code: CodeType, file: str) -> None:
    """Replace the module `name` by this code from now on. `file` is written for the Pythons that this process starts."""
    with open(file, "wb") as written:  # noqa: PTH123
        marshal.dump((name, code), written)
    os.environ[_VARIABLE] = file
    sys.meta_path.insert(0, _Finder(name, code))  # type: ignore[arg-type]


if __name__ == "sitecustomize" and _VARIABLE in os.environ:
    with open(os.environ[_VARIABLE], "rb") as _file:  # noqa: PTH123
        sys.meta_path.insert(0, _Finder(*marshal.load(_file)))  # type: ignore[arg-type]
