# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Format the answers of pull_access_info as lines for a terminal, in the colors of Ansible's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible import constants as C
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.text import escape_invisible, make_printable
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.fixes import offer_of

__all__ = ["lines_of"]

#: Ansible's settings for the color of a line, by verdict and by the beginning of the line.
_VERDICTS = {"pulls": "COLOR_OK", "will_not_pull": "COLOR_ERROR", "unknown": "COLOR_CHANGED"}
_MARKS = {"  ok ": "COLOR_OK", "  NO ": "COLOR_ERROR", "  ?  ": "COLOR_CHANGED"}


def lines_of(result: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield each line with its color; None for the default color. Namespaces without an answer yield no line."""
    for namespace in result.get("namespaces") or ():
        for answer in namespace.get("access") or ():
            yield from _answer_lines(namespace.get("name", ""), answer)


def _answer_lines(namespace: str, answer: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    parts = "".join(f", {part} {answer[part]}" for part in ("container", "volume") if answer.get(part))
    yield _plain(f"{answer['kind']} {namespace}/{answer['name']}{parts}, image {answer['image']}"), None
    told, *steps = answer.get("text") or [f"{answer['verdict']}: {answer['reason']}"]
    yield _plain(told), _colour(_VERDICTS.get(answer["verdict"]))
    for step in steps:
        yield _plain(step), _colour(_MARKS.get(step[:5]))
    found = offer_of(answer)
    yield from ((_plain(sentence), None) for sentence in filter(None, (*found.effects, found.refusal)))
    if found.tasks:
        yield "what fixes it:", None
        yield from ((line, None) for line in found.text.splitlines())


def _colour(setting: str | None) -> str | None:
    found: str | None = getattr(C, setting) if setting else None
    return found


def _plain(line: str) -> str:
    """Make a line printable, because its names and texts come from a cluster and its nodes."""
    return make_printable(escape_invisible(line))
