# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count the options of each module, as ansible-doc shows them: all, and the module's own, which no doc fragment of its page has.

usage: prepare.py newest python tests/tools/options.py
"""

from __future__ import annotations

import ast
import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from prepare import ROOT

COLLECTION = "openshift_ops.image_pull"


class Count(NamedTuple):
    """The number of options. Options of an option are not counted."""

    all: int
    own: int


def count_options() -> dict[str, Count]:
    """Return the counts of each module, by name."""
    modules = {path.stem: page_of(path) for path in sorted((ROOT / "plugins/modules").glob("[!_]*.py"))}
    command = ["ansible-doc", "-t", "module", "-j", *(f"{COLLECTION}.{name}" for name in modules)]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {
        name: Count(len(shown[f"{COLLECTION}.{name}"]["doc"]["options"]), len({*page["options"]} - shared_by(page)))
        for name, page in modules.items()
    }


def page_of(path: Path) -> dict[str, Any]:
    """Return the manual page of a module, or the options of a doc fragment."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION":
            page: dict[str, Any] = yaml.safe_load(ast.literal_eval(node.value))
            return page
    raise ValueError(f"{path} has no DOCUMENTATION")


def shared_by(page: dict[str, Any]) -> set[str]:
    """Return the options of the doc fragments that a page extends."""
    names = (fragment.split(".")[2] for fragment in page["extends_documentation_fragment"])
    return {name for each in names for name in page_of(ROOT / f"plugins/doc_fragments/{each}.py")["options"]}


def main() -> None:
    counts = count_options()
    rows = {**counts, "together": Count(*map(sum, zip(*counts.values(), strict=True)))}
    print(f"{'module':28}{'all':>5}{'own':>5}")
    for name, count in rows.items():
        print(f"{name:28}{count.all:5}{count.own:5}")


if __name__ == "__main__":
    main()
