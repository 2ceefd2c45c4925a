# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the options of `pull_access_report`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.documents import SEVERITIES
from ...core.errors import OptionError

__all__ = ["FAIL_ON", "NEVER", "OUTPUTS", "Report", "from_options"]

NEVER = "never"
#: The choices for the lowest severity that fails the task.
FAIL_ON = (*SEVERITIES, NEVER)
#: The options that name files to write.
OUTPUTS = ("html", "json", "junit", "openmetrics")


@dataclass(frozen=True)
class Report:
    """The options. `src`: paths of audit documents. `outputs`: paths to write, by the names in `OUTPUTS`.

    `what_if`: paths of what-if documents, which only the page shows. `missing`: name and error of each cluster whose audit failed.
    `compare_with`: path of an older report. `allow_unread`: objects and clusters that could not be read do not fail the task.
    """

    src: Sequence[str]
    outputs: Mapping[str, str]
    title: str
    missing: Sequence[Mapping[str, str]] = ()
    compare_with: str | None = None
    fail_on: str = NEVER
    fail_on_new: bool = False
    what_if: Sequence[str] = ()
    allow_unread: bool = False


def from_options(options: Mapping[str, Any]) -> Report:
    """Return the report that the options ask for.

    :raises OptionError: for options that cannot work together.
    """
    outputs = {name: options[name] for name in OUTPUTS if options[name]}
    missing = [{name: each[name] for name in ("name", "error")} for each in options["missing"] or ()]
    if missing and not options["src"]:
        why = "; ".join(": ".join(each.values()) for each in missing)
        raise OptionError(f"no cluster was audited, so there is no report: {why}")
    if not options["src"] and not options["what_if"]:
        raise OptionError("option 'src' is empty: name at least one file that pull_access_audit has written")
    if not options["src"]:
        _check_without_audits(options)
    if options["what_if"] and "html" not in outputs:
        raise OptionError("option 'what_if' needs the option 'html', because only the page shows the answers")
    _check_paths({name: options[name] or () for name in ("src", "what_if")}, outputs)
    if options["fail_on_new"]:
        _check_new(options)
    return Report(
        src=tuple(options["src"] or ()),
        what_if=tuple(options["what_if"] or ()),
        outputs=outputs,
        title=options["title"].strip() or "Pull access",
        missing=tuple(missing),
        compare_with=options["compare_with"] or None,
        fail_on=options["fail_on"],
        fail_on_new=options["fail_on_new"],
        allow_unread=options["allow_unread"],
    )


def _check_without_audits(options: Mapping[str, Any]) -> None:
    given = [name for name in (*OUTPUTS[1:], "compare_with") if options[name]]
    given += ["fail_on"] if options["fail_on"] != NEVER else []
    if given:
        raise OptionError(f"option {given[0]!r} needs audits: name their files in 'src'")


def _check_paths(inputs: Mapping[str, Sequence[str]], outputs: Mapping[str, str]) -> None:
    for option, paths in inputs.items():
        for path in paths:
            if paths.count(path) > 1:
                raise OptionError(f"option {option!r} names {path} twice")
    for name, path in outputs.items():
        for option, paths in inputs.items():
            if path in paths:
                raise OptionError(f"option {name!r} would replace {path}, which {option!r} names: choose another path")
        if list(outputs.values()).count(path) > 1:
            raise OptionError(f"option {name!r} names {path}, which another of {', '.join(OUTPUTS)} also names")


def _check_new(options: Mapping[str, Any]) -> None:
    if not options["compare_with"]:
        raise OptionError("option 'fail_on_new' needs the older report: name it in 'compare_with'")
    if options["fail_on"] == NEVER:
        raise OptionError("option 'fail_on_new' needs a severity: give 'fail_on'")
