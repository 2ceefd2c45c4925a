# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows a benchmark's results as a table on stdout, as Markdown and as a plot.

usage: report.py results.json           writes bench.svg and benchmark.md to the same folder
       report.py results.json --docs    puts them into docs/ instead
       report.py growth.json --docs     puts the growth into docs/benchmark.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from math import log
from pathlib import Path
from typing import Any

import plot
from ways import ALL, ALONE, CORE, FLOOR, JOBS, KUBECTL, LOOPS, OC, OURS, SAME, TEAMS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: The headings of docs/benchmark.md, and the marks around the figures in the README.
GROWTH, FIGURES = "## Growth\n", "## Figures\n"
MARKS = "<!-- figures of make bench -->\n", "<!-- end of the figures -->\n"

#: The project's promises for 1,000 namespaces: times the plain floor, times faster than another way. All promises are ratios, because
#: seconds depend on the processor.
PROMISED = {
    (ALONE, "first"): "at most 1.3 x",
    (KUBECTL, "first"): "at least 25 x",
    (OC, "first"): "at least 25 x",
    (CORE, "first"): "at least 300 x",
    (CORE, "second"): "at least 500 x",
}
#: The promises of the whole command, by namespaces and run: times an empty play and the plain floor.
PROMISED_COMMAND = {(20, "second"): 1.8, (1000, "first"): 1.6, (1000, "second"): 2.0}
#: The promises for different teams: times Ansible's own part and the work of our modules alone.
PROMISED_TEAMS = {(1000, "first"): 1.3, (1000, "second"): 1.2}
#: The promise for a what-if question and for the audit with its report: times the audit.
AUDITS = 1.5
#: The promise for a list of images beside an empty play: times its lists, and seconds more.
IMAGES, IMAGES_MORE = 1.2, 0.5
#: The promises for many clusters, another client, and a distance: times the bare tasks, the quiet server, the near server.
CLUSTERS, NEIGHBOURS, DISTANCE = 1.3, 2.0, 2.0
#: The promises at the larger size: the power of the growth of the time, and the memory in MiB, for site with its own.
LINEAR, LARGEST, LARGEST_SITE = 1.05, 1024, 400
HEADER = (
    "declared",
    "namespaces",
    "way",
    "run",
    "whole command",
    "work alone",
    "peak memory",
    "requests a namespace",
)


def write(results: dict[str, Any], directory: Path) -> None:
    """Print the table and the ratios. Write both as Markdown, and write the plot."""
    table = [HEADER, *(cells(row) for row in ordered(results["rows"]))]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADER))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    lines = [*ratios(results), *machine(results)]
    print("", *lines, sep="\n")
    (directory / "benchmark.md").write_text(markdown(table, results))
    (directory / "bench.svg").write_text(plot.svg([row for row in results["rows"] if row["job"] == SAME]))


def ordered(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (JOBS.index(row["job"]), row["namespaces"], ALL.index(row["way"]), row["run"]))


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    extrapolated = row["measured_at"] != row["namespaces"]
    mark = f" (extrapolated from {row['measured_at']})" if extrapolated else ""
    return (
        row["job"],
        f"{row['namespaces']:,}",
        row["way"] + (" (fails)" if row["failed"] else ""),
        row["run"],
        seconds(row["command"]) + mark,
        seconds(row["work"]),
        f"{row['peak_mib']:.0f} MiB",
        f"{row['requests']:.2f}",
    )


def seconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f} s" if value >= 100 else f"{value:.2f} s"


def ratios(results: dict[str, Any]) -> Iterator[str]:
    """Each promise next to the measured value."""
    found = {(row["way"], row["namespaces"], row["run"]): row for row in results["rows"] if row["job"] == SAME}
    empty = results["empty_playbook"]
    yield f"ansible-playbook with an empty play: {empty:.2f} s"
    for way, size, run in found:
        if way == OURS:
            command, floor = found[OURS, size, run]["command"], found[FLOOR, size, run]["work"]
            promised = _at_most(PROMISED_COMMAND.get((size, run)))
            yield f"{size:,} namespaces, {run} run: {command / (empty + floor):.2f} x an empty play and the plain floor{promised}"
    for size in sorted({row["namespaces"] for row in results["rows"]}):
        for run in ("first", "second"):
            yield f"{size:,} namespaces, {run} run: " + ", ".join(_beside(found, size, run))
    yield from _of_teams(results, found)
    yield (
        f"our own imports of sa_link in a process of its own: {results['start']['compiled']:.2f} s, without byte code "
        f"{results['start']['copied']:.2f} s"
    )
    clusters = results["clusters"]
    yield (
        f"{clusters['number']} clusters of {clusters['namespaces']} namespaces, second run: {clusters['seconds']:.1f} s, "
        f"{clusters['seconds'] / clusters['bare']:.2f} x three bare tasks{_at_most(CLUSTERS)}"
    )
    yield from _of_audits(results["audits"])
    yield _of_questions(results["asked"])
    yield from _of_neighbours(results["neighbours"])
    near, *others = results["distance"]["milliseconds"].items()
    for delay, far in others:
        times = ", ".join(f"{name} {far[name] / near[1][name]:.2f} x" for name in far)
        yield f"{results['distance']['namespaces']:,} namespaces at a distance of {delay} ms, next to a near server: {times}{_at_most(DISTANCE)}"


def _of_neighbours(found: dict[str, Any]) -> Iterator[str]:
    """The latencies of another client, and how many requests the server rejected."""
    quiet = found["clients"]["quiet"]
    for name, client in found["clients"].items():
        times = (
            "" if client is quiet else f", {client['p99'] / quiet['p99']:.2f} x the quiet server{_at_most(NEIGHBOURS)}"
        )
        yield (
            f"another client, {name}, {found['namespaces']:,} namespaces: {client['p50']:.1f} ms, p99 {client['p99']:.1f} ms{times}, "
            f"{client['errors']} errors in {client['requests']} requests"
        )
    yield f"requests that the server's priority and fairness rejected: {found['rejected']}"


def _of_audits(found: dict[str, Any]) -> Iterator[str]:
    work = found["work"]
    audit, supposed = work["audit"], work["what-if"]
    yield (
        f"audit of {found['namespaces']:,} namespaces with {found['pods']:,} pods: whole command {audit['seconds']:.2f} s, "
        f"with the report {found['with_report'] / audit['seconds']:.2f} x{_at_most(AUDITS)}, "
        f"{audit['peak_mib']:.0f} MiB, {audit['requests']:.0f} requests; plain floor of the same lists {found['floor']:.2f} s"
    )
    yield (
        f"what-if of {found['namespaces']:,} namespaces with {found['pods']:,} pods, all of which lose their secret: whole command "
        f"{supposed['seconds']:.2f} s, {supposed['seconds'] / audit['seconds']:.2f} x the audit{_at_most(AUDITS)}, "
        f"{supposed['peak_mib']:.0f} MiB"
    )
    images = found["images"]
    own = images["seconds"] - images["empty"]
    yield (
        f"list of the images in use in {found['namespaces']:,} namespaces with {found['pods']:,} pods: whole command "
        f"{images['seconds']:.2f} s, beside an empty play {own:.2f} s (promised: at most {IMAGES} x its lists and {IMAGES_MORE} s: "
        f"{IMAGES * images['floor'] + IMAGES_MORE:.2f} s), {images['peak_mib']:.0f} MiB, {images['requests']:.0f} requests"
    )
    yield (
        f"rotation of the login of {found['namespaces']:,} namespaces: whole command {work['rotation']['seconds']:.2f} s, second run "
        f"{found['rotation_again']:.2f} s; export {work['export']['seconds']:.2f} s; prune of all secrets and links "
        f"{work['prune']['seconds']:.2f} s"
    )


def growth(results: dict[str, Any]) -> Iterator[str]:
    """Each work at both sizes: how its time grows, its memory, and its requests for each namespace."""
    (small, large), (few, many) = results["sizes"], results["works"]
    for name, after in many.items():
        before = few[name]
        power = log(after["seconds"] / before["seconds"]) / log(large / small)
        memory = LARGEST_SITE if name.startswith("site, one for all") else LARGEST
        yield (
            f"{name}, {large:,} namespaces: {after['seconds']:.1f} s, with {small:,} {before['seconds']:.1f} s: the time grows with the power "
            f"{power:.2f} of the namespaces (promised: at most {LINEAR}), {after['peak_mib']:.0f} MiB (promised: at most {memory}), "
            f"{after['requests'] / large:.2f} requests a namespace (with {small:,}: {before['requests'] / small:.2f})"
        )
    yield from machine(results)


def _of_questions(found: dict[str, Any]) -> str:
    return (
        f"what-if of {found['namespaces']:,} namespaces with {found['containers']:,} containers, with registries asked about each before and after: "
        f"whole command {found['seconds']:.2f} s, {found['peak_mib']:.0f} MiB, {found['requests']:,} requests"
    )


def _of_teams(results: dict[str, Any], same: dict[tuple[str, int, str], dict[str, Any]]) -> Iterator[str]:
    """A thousand different teams, compared with one object in a thousand namespaces, and Ansible's share of the time."""
    teams = {(row["way"], row["namespaces"], row["run"]): row for row in results["rows"] if row["job"] == TEAMS}
    for size in sorted({row["namespaces"] for row in results["rows"]}):
        ansible = results["templating"].get(str(size)) or results["templating"][size]
        for run in ("first", "second"):
            ours, alone, floor = (teams[way, size, run] for way in (OURS, ALONE, FLOOR))
            one = same[OURS, size, run]
            yield (
                f"{size:,} different teams, {run} run: {ours['command']:.2f} s, {ours['command'] / (ansible + alone['work']):.2f} x Ansible's "
                f"own part and our modules alone{_at_most(PROMISED_TEAMS.get((size, run)))}, {ours['command'] / one['command']:.2f} x one for "
                f"all; our modules alone {alone['work'] / floor['work']:.2f} x the plain floor"
            )
        yield (
            f"{size:,} different teams: ansible-playbook that loads, decrypts and templates their variables once, and does nothing: "
            f"{ansible:.2f} s"
        )


def _at_most(times: float | None) -> str:
    return f" (promised: at most {times} x)" if times else ""


def _promise(way: str, size: int, run: str) -> str:
    promised = PROMISED.get((way, run))
    return f" (promised: {promised})" if promised and size == 1000 else ""


def _beside(found: dict[tuple[str, int, str], dict[str, Any]], size: int, run: str) -> Iterable[str]:
    ours, alone, floor = (found[way, size, run] for way in (OURS, ALONE, FLOOR))
    yield f"our modules alone {alone['work'] / floor['work']:.2f} x the plain floor{_promise(ALONE, size, run)}"
    for way in LOOPS:
        other = found.get((way, size, run))
        if other and not other["failed"]:
            yield f"{other['command'] / ours['command']:.0f} x faster than {way}{_promise(way, size, run)}"


def machine(results: dict[str, Any]) -> Iterator[str]:
    yield "Measured on " + ", ".join(f"{name} {value}" for name, value in results["machine"].items())


def markdown(table: Sequence[Sequence[str]], results: dict[str, Any]) -> str:
    lines = ["| " + " | ".join(line) + " |" for line in table]
    rule = "|" + "|".join("---" for _column in HEADER) + "|"
    items = [f"- {line}" for line in ratios(results)]
    return "\n".join([lines[0], rule, *lines[1:], "", *items, "", *machine(results), ""])


def digest(results: dict[str, Any]) -> str:
    """The sentence for the README: the runs of this collection for 1,000 namespaces, and the first run of the loops."""
    rows = [row for row in results["rows"] if (row["job"], row["namespaces"]) == (SAME, 1000)]
    took = {(row["way"], row["run"]): seconds(row["command"]) for row in rows}
    ours, shell, loop = "this collection", "kubectl in a shell loop", "kubernetes.core in a loop"
    return (
        f"The main job in 1,000 namespaces takes {took[ours, 'first']} in the first run and {took[ours, 'second']} in the second. `kubectl` in a shell\n"
        f"loop takes {took[shell, 'first']} (extrapolated), and kubernetes.core in a loop {took[loop, 'first']} (extrapolated).\n"
    )


def into_docs(results: dict[str, Any]) -> None:
    """Replace the plot and the figures in the documentation, and the digest in the README."""
    page = DOCS / "benchmark.md"
    explained, heading, figures = page.read_text().partition(FIGURES)
    if "works" in results:
        lines = "".join(f"- {line}\n" for line in growth(results))
        page.write_text(f"{explained.partition(GROWTH)[0]}{GROWTH}{lines}\n{heading}{figures}")
        return
    write(results, DOCS)
    page.write_text(explained + heading + page.read_text())
    readme = ROOT / "README.md"
    before, start, rest = readme.read_text().partition(MARKS[0])
    readme.write_text(before + start + digest(results) + MARKS[1] + rest.partition(MARKS[1])[2])


if __name__ == "__main__":
    path, *options = (Path(argument) for argument in sys.argv[1:])
    found = json.loads(path.read_text())
    if options:
        into_docs(found)
    else:
        write(found, path.parent)
