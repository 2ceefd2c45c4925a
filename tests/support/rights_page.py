# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generated part of docs/docsite/rst/rights.rst. Run as a program, this file writes that part into the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.rights import CLUSTER, EVERY, JOBS, Right

PAGE = Path(__file__).parents[2] / "docs" / "docsite" / "rst" / "rights.rst"
BEGIN = ".. The tables are made by tests/support/rights_page.py.\n"
END = ".. End of the tables.\n"
WITHOUT = {
    "fails": "Fails without",
    "told": "Warns without",
}
#: Jobs with almost the same rights: the second has those of the first to settings, the others almost all of the second.
LIKE_NEXT, WIDER, LIKE_WIDER = "explain", "audit", ("images", "what_if")


#: The kinds of workloads, which a note of the page lists once.
_WORKLOADS = ", ".join(f"``{right.resource}``" for right in JOBS["explain"].rights if "the workload" in right.why)


def tables() -> str:
    return "\n".join(line for job in JOBS for line in _section(job))


def written(page: str) -> str:
    """The page with its tables replaced by tables generated from the data."""
    before, _begin, rest = page.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def _section(job: str) -> Iterator[str]:
    yield from (job, "~" * len(job), "")
    yield from (f"{JOBS[job].what[0].upper()}{JOBS[job].what[1:]}.", "")
    for without, title in WITHOUT.items():
        lines = _lines(job, without)
        if job == LIKE_NEXT and (shared := [line for line in lines if line in _lines(WIDER, without)]):
            own = [line for line in lines if line not in shared]
            yield from (
                f"{title}:",
                "",
                *own,
                "",
                f"Like {WIDER}_, warns without these rights to settings:",
                "",
            )
            yield from (*shared, "")
        elif lines:
            yield from (f"{title}:", "", *_without_repetition(job, without, lines), "")


def _without_repetition(job: str, without: str, lines: list[str]) -> Iterator[str]:
    if job == WIDER and (shared := [line for line in lines if line in _lines(LIKE_NEXT, without)]):
        yield f"* the rights to settings, as listed for {LIKE_NEXT}_"
        lines = [line for line in lines if line not in shared]
    if job in LIKE_WIDER and (others := _lines(WIDER, without)):
        missing = [line.partition(": ")[0].removeprefix("* ") for line in others if line not in lines]
        yield f"* the rights of {WIDER}_ without {' and '.join(missing)}"
        lines = [line for line in lines if line not in others]
    yield from lines


def _lines(job: str, without: str) -> list[str]:
    purposes: dict[tuple[str, str], dict[str, list[str]]] = {}
    for right in JOBS[job].rights:
        if right.without == without:
            verbs = purposes.setdefault((_where(right), right.why), {})
            verbs.setdefault(", ".join(right.verbs), []).append(_objects(right))
    found = []
    for (where, why), verbs in purposes.items():
        rights = "; ".join(f"{verb} {', '.join(objects)}" for verb, objects in verbs.items()).replace(
            _WORKLOADS, "workloads ¹"
        )
        found.append(f"* {rights}{where}: {why}")
    return found


def _objects(right: Right) -> str:
    names = (
        f" ``{', '.join(right.names)}``" if right.names else f" named in ``{right.named_by}``" if right.named_by else ""
    )
    return f"``{right.resource}``{names}"


def _where(right: Right) -> str:
    return {EVERY: "", CLUSTER: " (cluster)"}.get(right.where, f" (``{right.where}``)")


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
