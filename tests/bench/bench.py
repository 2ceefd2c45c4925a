# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares our modules with other tools: secret, link and grant in every namespace of one lab, first and second run.

Prints a table and writes DIR/results.json, DIR/bench.svg and DIR/benchmark.md. docs/benchmark.md describes the measurements. --growth
measures each work of this collection in two sizes instead, and writes DIR/growth.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import report
import ways
from audits import asked, audits, fill, measure
from conftest import start_lab
from contenders import PREFIX, Contenders, Job, Process
from machine import describe
from neighbours import distance, neighbours
from support.fleet import default_accounts, make_namespaces
from support.lab import Audit, Lab, path_of
from tools import prepare

SMALL = 20
#: The loops take a second or more for each namespace, so they are measured at this size and extrapolated.
LOOPED = 3
#: A first run at this size is long enough to be measured only once.
LARGE = 1000
SIZES = (SMALL, LARGE)
REPEATS = 3
#: Number of namespaces of the what-if question that asks registries.
ASKED = 300
#: Number of namespaces of the runs next to another client, and of those over a distance.
BUSY = 1000
#: Number of inventory hosts in the run on many clusters.
CLUSTERS = 100


@dataclass(frozen=True)
class Row:
    """One way at one size. Seconds: `command` from start to end, `work` without the imports, for the ways that report it."""

    job: str
    way: str
    namespaces: int
    run: str
    command: float
    work: float | None
    peak_mib: float
    requests: float
    measured_at: int
    failed: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--growth", type=int, nargs=2, metavar=("SMALL", "LARGE"))
    parser.add_argument("--oc", type=program, metavar="PROGRAM", help="measure this oc in a shell loop too")
    parser.add_argument("--output", type=Path, default=ROOT / ".cache" / "bench", metavar="DIR")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    if options.growth:
        found = growth(options.growth)
        print(*report.growth(found), sep="\n")
        (options.output / "growth.json").write_text(json.dumps(found, indent=1) + "\n")
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        lab = start_lab(Path(directory) / "lab")
        try:
            contenders = Contenders(lab, Path(directory), options.oc)
            results = Bench(lab, contenders).run()
        finally:
            lab.run("down", "--dir", str(lab.dir))
    results["audits"] = measured(audits, LARGE)
    results["asked"] = measured(asked, ASKED)
    results |= measured(neighbours_and_distance, BUSY)
    (options.output / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    report.write(results, options.output)


def growth(sizes: Sequence[int]) -> dict[str, Any]:
    """The works in each of these sizes."""
    return {
        "machine": describe(prepare.environment("bench") / "bin" / "python"),
        "sizes": sizes,
        "works": [measured(works, size) for size in sizes],
    }


def works(lab: Lab, contenders: Contenders, namespaces: Sequence[str]) -> dict[str, dict[str, float]]:
    """Seconds, MiB and requests of each work of this collection."""
    found = {}
    for job in (Job(way, namespaces) for way in ways.JOBS):
        for run in ("first", "second"):
            found[f"site, {job.way}, {run} run"] = measure(lab, lambda job=job: contenders.ours(job))
        reset(lab, job)
    return found | audits(lab, contenders, namespaces)["work"]


def measured(work: Callable[[Lab, Contenders, Sequence[str]], dict[str, Any]], size: int) -> dict[str, Any]:
    """Measure on a separate lab: its pods and secrets would slow down everything else."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        lab = start_lab(Path(directory) / "lab")
        try:
            say(f"{work.__name__} of {size:,} namespaces")
            names = make_namespaces(lab, [f"{PREFIX}{number:05}" for number in range(size)], timeout=1200)
            return work(lab, Contenders(lab, Path(directory)), names)
        finally:
            lab.run("down", "--dir", str(lab.dir))


def neighbours_and_distance(lab: Lab, contenders: Contenders, namespaces: Sequence[str]) -> dict[str, Any]:
    """Measure both on one lab, because it takes a minute to fill."""
    fill(lab, namespaces)
    return {
        "neighbours": neighbours(lab, contenders, namespaces),
        "distance": distance(lab, contenders, namespaces),
    }


def program(name: str) -> Path:
    """The path of a program, given by its path or its name."""
    found = shutil.which(name)
    if not found:
        raise argparse.ArgumentTypeError(f"{name} is no program")
    return Path(found).absolute()


class Bench:
    def __init__(self, lab: Lab, contenders: Contenders) -> None:
        self.lab, self.contenders = lab, contenders
        self.rows: list[Row] = []
        self.looped: list[Row] = []
        self.templating: dict[int, float] = {}

    def run(self) -> dict[str, Any]:
        machine = describe(self.contenders.interpreters["bench"])
        self.empty = statistics.median(self.contenders.empty().seconds for _time in range(REPEATS))
        made: list[str] = []
        for size in SIZES:
            say(f"making {size - len(made):,} namespaces")
            made += make_namespaces(self.lab, [f"{PREFIX}{n:05}" for n in range(len(made), size)], timeout=1200)
            self._size(made)
            if len(made) == SMALL:
                clusters = self._clusters(made)
        self._extrapolate()
        return {
            "date": f"{datetime.now():%Y-%m-%d %H:%M}",
            "machine": machine,
            "empty_playbook": self.empty,
            "start": self._start(),
            "templating": self.templating,
            "clusters": {"number": CLUSTERS, "namespaces": SMALL, **clusters},
            "rows": [asdict(row) for row in self.rows],
        }

    def _size(self, namespaces: Sequence[str]) -> None:
        for way in ways.JOBS:
            self._job(Job(way, [*namespaces]))

    def _job(self, job: Job) -> None:
        contenders: dict[str, Callable[[Job], Process]] = {
            ways.FLOOR: self.contenders.floor,
            ways.ALONE: self.contenders.modules,
            ways.OURS: self.contenders.ours,
        }
        if len(job.namespaces) == SMALL:
            few = Job(job.way, job.namespaces[:LOOPED])
            self.looped += self._both_runs(ways.KUBECTL, self.contenders.kubectl, few)
            self.looped += self._both_runs(ways.CORE, self.contenders.kubernetes_core, few)
            if self.contenders.oc_program:
                self.looped += self._both_runs(ways.OC, self.contenders.oc, few)
        found: list[Row] = []
        is_large = len(job.namespaces) >= LARGE
        for _repeat in range(1 if is_large else REPEATS):
            for way, run in contenders.items():
                found += self._both_runs(way, run, job, seconds=REPEATS if is_large else 1)
        self.rows += [median([row for row in found if (row.way, row.run) == key]) for key in keys(found)]
        if job.way == ways.TEAMS:
            self.templating[len(job.namespaces)] = self.contenders.templating(job).seconds
        reset(self.lab, job)

    def _both_runs(self, way: str, run: Callable[[Job], Process], job: Job, *, seconds: int = 1) -> list[Row]:
        reset(self.lab, job)
        return [self._one_run(way, which, run, job) for which in ("first", *["second"] * seconds)]

    def _one_run(self, way: str, which: str, run: Callable[[Job], Process], job: Job) -> Row:
        count, audit = len(job.namespaces), self.lab.audit()
        say(f"{way}, {count:,} namespaces, {job.way}, {which} run")
        process = run(job)
        requests = requests_of(audit) / count
        may_fail = way in ways.SHELL_LOOPS
        failed = process.status != 0 or (may_fail and "\nfailed 0\n" not in process.output)
        if failed and not may_fail:
            sys.exit(f"{way} failed: {process.output[-2000:]}")
        work = json.loads(process.output)["seconds"] if way in ways.WITHOUT_ANSIBLE else None
        return Row(job.way, way, count, which, process.seconds, work, process.peak_mib, requests, count, failed)

    def _clusters(self, namespaces: Sequence[str]) -> dict[str, float]:
        """The seconds of a second run on many clusters, and of three tasks that do the same."""
        say(f"{CLUSTERS} clusters of {len(namespaces)} namespaces")
        self.contenders.many_clusters(1, namespaces)
        ways_of = {"seconds": self.contenders.many_clusters, "bare": self.contenders.bare_tasks}
        found: dict[str, list[float]] = {name: [] for name in ways_of}
        for name in (*ways_of, *ways_of):
            process = ways_of[name](CLUSTERS, namespaces)
            if process.status:
                sys.exit(f"many clusters failed: {process.output[-2000:]}")
            found[name].append(process.seconds)
        reset(self.lab, Job(ways.SAME, namespaces))
        return {name: min(each) for name, each in found.items()}

    def _start(self) -> dict[str, float]:
        """The seconds of our own imports of a module in a process of its own, with and without byte code."""
        found = {}
        for name, compiled in (("compiled", True), ("copied", False)):
            ours, theirs = (
                min(self.contenders.start(module, compiled=compiled).seconds for _time in range(2 * REPEATS))
                for module in ("sa_link", "")
            )
            found[name] = ours - theirs
        return found

    def _extrapolate(self) -> None:
        """Extrapolate the loops: they take a fixed time per namespace, plus the start of a playbook."""
        for size in SIZES:
            for row in self.looped:
                fixed = self.empty if row.way == ways.CORE else 0.0
                seconds = fixed + (row.command - fixed) / LOOPED * size
                self.rows.append(replace(row, namespaces=size, command=seconds))


def requests_of(audit: Audit) -> int:
    """The number of the contender's requests: all requests of the lab's administrator, except those of this program."""
    return sum(
        event["user"].get("username") == "lab-admin" and event.get("userAgent") != "tests" for event in audit.requests()
    )


def reset(lab: Lab, job: Job) -> None:
    """Remove the objects of a contender."""
    accounts = default_accounts(lab)

    def take(namespace: str) -> None:
        name = job.name(namespace)
        lab.api("DELETE", path_of(namespace, "secrets", name), expect=(200, 404))
        lab.api("DELETE", path_of(namespace, "rolebindings", name), expect=(200, 404))
        pull = accounts[namespace]["imagePullSecrets"]
        if {"name": name} in pull:
            body = {"imagePullSecrets": [entry for entry in pull if entry != {"name": name}]}
            lab.api("PATCH", path_of(namespace, "serviceaccounts", "default"), body)

    with ThreadPoolExecutor(max_workers=12) as pool:
        list(pool.map(take, job.namespaces))


def keys(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row.way, row.run) for row in rows))


def median(rows: Sequence[Row]) -> Row:
    """The row with the median command time, and the largest memory of all rows."""
    chosen = sorted(rows, key=lambda row: row.command)[len(rows) // 2]
    return replace(chosen, peak_mib=max(row.peak_mib for row in rows))


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
