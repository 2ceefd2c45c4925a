# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the options of a page and of the code. A difference fails with the text to write, and its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest


def assert_agreement(documented: Mapping[str, Any], taken: Mapping[str, Any], page: str, code: str) -> None:
    """Fail with the lines of `disagreements` as the only message."""
    if lines := disagreements(documented, taken, page, code):
        pytest.fail("\n".join(lines), pytrace=False)


def disagreements(documented: Mapping[str, Any], taken: Mapping[str, Any], page: str, code: str) -> list[str]:
    """One line for each option that only `page` or only `code` has, or that differs. Members of options count as `a.b`."""
    return [
        *(f"document option {name!r} in {page}" for name in taken if name not in documented),
        *(f"{page} documents option {name!r}, which {code} does not have" for name in documented if name not in taken),
        *(
            line
            for name, option in taken.items()
            if name in documented
            for line in _differences(name, documented[name], option, page, code)
        ),
    ]


def _differences(name: str, documented: Any, taken: Any, page: str, code: str) -> list[str]:
    if not isinstance(documented, Mapping) or not isinstance(taken, Mapping):
        same = documented == taken
        return [] if same else [f"{page} has {documented!r} for {name!r}, but {code} has {taken!r}"]
    members = [
        {f"{name}.{part}": value for part, value in each.get("options", {}).items()} for each in (documented, taken)
    ]
    own = [{part: value for part, value in each.items() if part != "options"} for each in (documented, taken)]
    differing = [
        f"{page} has {part} {own[0].get(part)!r} for option {name!r}, but {code} has {own[1].get(part)!r}"
        for part in {**own[0], **own[1]}
        if own[0].get(part) != own[1].get(part)
    ]
    return [*differing, *disagreements(*members, page, code)]
