# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutation tests: change one place of the code at a time and check whether a unit test fails.

First every test file of tests/unit runs once, and the lines of code that each test runs are recorded. Then each mutant is judged
in a forked process by the tests that run its line, until the first failure. The tests in its own test file run first. Everything
works on a copy of the code, and the copy is not changed: the process imports the mutant instead of the module. A mutant that
hangs or crashes counts as killed.

mutmut cannot do this: it mutates a copy that a collection's absolute imports never reach. cosmic-ray writes to the checkout.

The run fails if less than 90 % of the mutants of a room (a package under plugins/module_utils, or plugins/plugin_utils) are
killed. mutants_accepted.yml lists survivors that no test should kill, with the reason.
"""

from __future__ import annotations

import argparse
import ast
import gc
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, settings
from mutant_import import install
from mutations import Mutant, mutants_of, mutated
from prepare import cache, digest

PACKAGE = "ansible_collections.openshift_ops.image_pull"
ACCEPTED = Path(__file__).with_name("mutants_accepted.yml")
THRESHOLD = 90.0
#: Time limit of a mutant's tests: a multiple of their normal time, a minimum in seconds, and the maximum above the normal time.
SLOWER, AT_LEAST, AT_MOST = 10, 10, 300
#: Memory limit, for a mutant that allocates without end.
MEMORY = 6 * 2**30
#: Imported once, before the processes are forked.
PRELOADED = (
    "pytest",
    "hypothesis",
    "urllib3",
    "ansible.plugins.action.normal",
)
#: Only one in this number of changed sentences is judged, unless all are requested: they are many, and all alike.
TEXTS = 4
#: Number of mutants between two controls. A control judges the unchanged source, which must pass all tests.
CONTROL_EVERY = 15
#: Seconds between two progress lines.
SAY_EVERY = 15


@dataclass
class Test:
    """One test: its place, its duration, and the lines of code that it runs (with the file's path before the colon)."""

    file: str
    name: str
    seconds: float
    lines: set[str]


@dataclass
class Record:
    """The results of the run without a mutant."""

    tests: list[Test] = field(default_factory=list)
    #: For each file of the code, the test files that import it.
    importers: dict[str, set[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@dataclass
class Room:
    name: str
    planned: list[Mutant] = field(default_factory=list)
    total: int = 0
    killed: int = 0
    survivors: list[Mutant] = field(default_factory=list)
    accepted: int = 0
    #: Number of killed mutants that hung or crashed.
    hung: int = 0
    #: Tests that failed without a mutant.
    flaky: list[str] = field(default_factory=list)

    @property
    def judged(self) -> int:
        return self.killed + len(self.survivors)

    @property
    def percent(self) -> float:
        return 100.0 * self.killed / self.judged if self.judged else 0.0

    @property
    def unjudged(self) -> int:
        return len(self.planned) - self.judged - self.accepted


class Code:
    """The collection's code and its unit tests below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def files(self, room: str) -> list[str]:
        """The files of a room. `engine/reconciliation` is one file of the room `engine`."""
        base = "plugins/plugin_utils" if room.split("/", maxsplit=1)[0] == "plugin_utils" else "plugins/module_utils"
        below = self.root / base / room.removeprefix("plugin_utils").strip("/")
        found = [below.with_suffix(".py")] if below.with_suffix(".py").is_file() else sorted(below.rglob("*.py"))
        return [path.relative_to(self.root).as_posix() for path in found if path.stat().st_size]

    def rooms(self) -> list[str]:
        rooms = sorted(path.name for path in (self.root / "plugins/module_utils").iterdir() if path.is_dir())
        return [room for room in [*rooms, "plugin_utils"] if self.files(room)]

    def tests(self) -> list[str]:
        found = sorted((self.root / "tests/unit").rglob("test_*.py"))
        return [path.relative_to(self.root).as_posix() for path in found]

    def source(self, file: str) -> str:
        return (self.root / file).read_text(encoding="utf-8")


def is_own(test: str, file: str) -> bool:
    """Whether a test file is one of those of a file of the code."""
    path = Path(file)
    first = (Path("tests/unit") / path.parent / f"test_{path.stem}").as_posix()
    return test.startswith((f"{first}.", f"{first}_"))


def module_of(file: str) -> str:
    return ".".join([PACKAGE, *Path(file).with_suffix("").parts])


# --- in a forked process


class Recorder:
    """A pytest plugin that notes which lines each test runs."""

    def __init__(self, root: Path) -> None:
        self._plugins = f"{root}/plugins/"
        self._root, self._files, self._lines = root, dict[str, str](), set[str]()
        self.tests: list[dict[str, Any]] = []
        self.failures: list[str] = []
        monitoring = sys.monitoring
        monitoring.use_tool_id(monitoring.COVERAGE_ID, "mutants")
        monitoring.register_callback(monitoring.COVERAGE_ID, monitoring.events.LINE, self._line)
        monitoring.set_events(monitoring.COVERAGE_ID, monitoring.events.LINE)

    def _line(self, code: Any, line: int) -> Any:
        name = code.co_filename
        if name not in self._files:
            real = os.path.realpath(name)
            self._files[name] = os.path.relpath(real, self._root) if real.startswith(self._plugins) else ""
        if self._files[name]:
            self._lines.add(f"{self._files[name]}:{line}")
        return sys.monitoring.DISABLE

    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> None:
        self._lines.clear()
        sys.monitoring.restart_events()
        self._started = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        seconds = time.monotonic() - self._started
        self.tests.append({"name": nodeid, "seconds": seconds, "lines": sorted(self._lines)})

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failures.append(report.nodeid)


class Chooser:
    """A pytest plugin that runs only the chosen tests, the quickest first, and notes which one fails.

    A mutant may change the id of a parameter, and so the name of a test. If a chosen test is gone, all tests of its function run.
    """

    def __init__(self, chosen: dict[str, float]) -> None:
        self._chosen = chosen
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        gone = {name.partition("[")[0] for name in self._chosen.keys() - {item.nodeid for item in items}}
        items[:] = sorted(
            (item for item in items if item.nodeid in self._chosen or item.nodeid.partition("[")[0] in gone),
            key=lambda item: self._chosen.get(item.nodeid, len(self._chosen)),
        )

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failed = report.nodeid


def run_pytest(files: Sequence[str], plugin: object, *options: str) -> int:
    quiet = ["-q", "--no-header", "--no-summary", "--tb=no", "-p", "no:cacheprovider", "-W", "ignore"]
    return int(pytest.main([*quiet, *options, *files], plugins=[plugin]))


def record_file(root: Path, test_file: str) -> dict[str, Any]:
    recorder = Recorder(root)
    status = run_pytest([test_file], recorder)
    names = {name.removeprefix(f"{PACKAGE}.") for name in sys.modules if name.startswith(f"{PACKAGE}.plugins.")}
    failures = recorder.failures or ([] if status in (0, 5) else [f"{test_file}: pytest ended with status {status}"])
    return {"file": test_file, "tests": recorder.tests, "modules": sorted(names), "failures": failures}


def judge(
    code: Code, mutant: Mutant, stages: Sequence[dict[str, Test]], file: Path, *, control: bool
) -> dict[str, Any]:
    """The name of the test that kills the mutant or, as a control, fails with the unchanged source."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    name, source = module_of(mutant.file), code.source(mutant.file)
    tree = ast.parse(source) if control else mutated(source, mutant)
    install(name, compile(tree, str(code.root / mutant.file), "exec", dont_inherit=True), str(file))
    try:
        import_module(name)
    except BaseException as error:
        return {"killed_by": f"import: {type(error).__name__}"}
    for stage in stages:
        chooser = Chooser({test.name: place for place, test in enumerate(stage.values())})
        files = list(dict.fromkeys(test.file for test in stage.values()))
        status = run_pytest(files, chooser, "-x")
        if status not in (0, 5):
            return {"killed_by": chooser.failed or f"pytest's status {status}"}
    return {"killed_by": ""}


# --- in this process


@dataclass
class Child:
    task: Any
    answer: Path
    deadline: float


class Pool:
    """Run functions in forked processes, a few at a time. Yield each task with its answer, or None without an answer."""

    def __init__(self, jobs: int, directory: Path) -> None:
        self._jobs, self._directory = jobs, directory
        self._children: dict[int, Child] = {}
        self._count = 0

    def run(
        self, tasks: Iterator[tuple[Any, float, Callable[[], dict[str, Any]]]]
    ) -> Iterator[tuple[Any, dict[str, Any] | None]]:
        more = True
        try:
            while more or self._children:
                while more and len(self._children) < self._jobs:
                    task = next(tasks, None)
                    if task is None:
                        more = False
                        break
                    self._start(*task)
                yield from self._finished()
        finally:
            for pid in self._children:
                _end(pid)

    def _start(self, task: Any, seconds: float, function: Callable[[], dict[str, Any]]) -> None:
        self._count += 1
        answer = self._directory / f"{self._count}.json"
        sys.stdout.flush()
        pid = os.fork()
        if not pid:
            _work(function, answer)
        self._children[pid] = Child(task, answer, time.monotonic() + seconds)

    def _finished(self) -> Iterator[tuple[Any, dict[str, Any] | None]]:
        time.sleep(0.005)
        for pid, child in list(self._children.items()):
            ended, _status = os.waitpid(pid, os.WNOHANG)
            if not ended and time.monotonic() < child.deadline:
                continue
            _end(pid, reap=not ended)
            del self._children[pid]
            try:
                yield child.task, json.loads(child.answer.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                yield child.task, None


def _end(pid: int, *, reap: bool = True) -> None:
    """End a child and everything that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    if reap:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _work(function: Callable[[], dict[str, Any]], answer: Path) -> None:
    """Run the work of a child process."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
        answer.write_text(json.dumps(function()), encoding="utf-8")
    finally:
        os._exit(0)


class Notes:
    """The results of each test file's last run without a mutant. They stay valid until a file that it may use changes."""

    def __init__(self, code: Code, directory: Path | None) -> None:
        self._code, self._directory = code, directory
        if directory:
            directory.mkdir(parents=True, exist_ok=True)
            folders = [code.root / name for name in ("meta", "plugins", "roles", "tests")]
            files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
            shared = [path for path in files if not path.name.startswith("test_") and path.suffix != ".pyc"]
            self._shared = digest(shared, sys.version, *(str(path.relative_to(code.root)) for path in shared))

    def _place(self, test_file: str) -> tuple[Path, str]:
        assert self._directory
        name = test_file.replace("/", ".").removesuffix(".py")
        return self._directory / f"{name}.json", digest([self._code.root / test_file], self._shared)

    def read(self, test_file: str) -> dict[str, Any] | None:
        if not self._directory or not Path(test_file).parts[2:-1]:
            return None  # a test without a file of its own, such as test_house.py, reads more than is watched here
        path, key = self._place(test_file)
        with suppress(OSError, ValueError):
            found = json.loads(path.read_text(encoding="utf-8"))
            return found["answer"] if found["key"] == key else None
        return None

    def write(self, test_file: str, answer: dict[str, Any]) -> None:
        if self._directory and not answer["failures"]:
            path, key = self._place(test_file)
            path.write_text(json.dumps({"key": key, "answer": answer}), encoding="utf-8")


def record(code: Code, pool: Pool, notes: Notes) -> Record:
    """Run every test file once, without a mutant."""
    known = {name: notes.read(name) for name in code.tests()}
    tasks = ((name, 600.0, partial(record_file, code.root, name)) for name, answer in known.items() if not answer)
    for name, answer in pool.run(tasks):
        known[name] = answer
        if answer:
            notes.write(name, answer)
    return recorded(known)


def recorded(answers: Mapping[str, dict[str, Any] | None]) -> Record:
    found = Record()
    for name, answer in answers.items():
        if answer is None:
            found.failures.append(f"{name}: the tests crash or hang")
            continue
        found.failures += answer["failures"]
        for module in answer["modules"]:
            found.importers.setdefault(f"{module.replace('.', '/')}.py", set()).add(name)
        found.tests += [Test(name, one["name"], one["seconds"], set(one["lines"])) for one in answer["tests"]]
    # A test that fails anyway would kill every mutant.
    found.tests = [test for test in found.tests if test.name not in found.failures]
    found.tests.sort(key=lambda test: (test.file, test.seconds))
    return found


def chosen(mutant: Mutant, known: Record) -> list[dict[str, Test]]:
    """The tests that may kill a mutant, in running order: the tests of its own test file, then the others."""
    if mutant.function:
        lines = {f"{mutant.file}:{line}" for line in range(mutant.lines[0], mutant.lines[1] + 1)}
        tests = [test for test in known.tests if is_own(test.file, mutant.file) or lines & test.lines]
    else:
        importers = known.importers.get(mutant.file, set())
        tests = [test for test in known.tests if test.file in importers]
    tests.sort(key=lambda test: test.seconds)
    own = {test.name: test for test in tests if is_own(test.file, mutant.file)}
    others = {test.name: test for test in tests if not is_own(test.file, mutant.file)}
    return [stage for stage in (own, others) if stage]


def plan(code: Code, room: Room, *, seed: int, count: int | None, kind: str) -> None:
    """Choose the room's mutants. The same seed and code give the same mutants."""
    found = [mutant for file in code.files(room.name) for mutant in mutants_of(code.source(file), file)]
    found = [mutant for mutant in found if kind in ("", mutant.kind)]
    dice = random.Random(f"{seed}:{room.name}")
    room.total = len(found)
    if count is None:
        room.planned = found
        return
    found = [mutant for mutant in found if mutant.kind != "text" or not dice.randrange(TEXTS)]
    room.planned = dice.sample(found, min(count, len(found)))


def taking_turns(rooms: Sequence[Room]) -> Iterator[tuple[Room, Mutant]]:
    for place in range(max((len(room.planned) for room in rooms), default=0)):
        yield from ((room, room.planned[place]) for room in rooms if place < len(room.planned))


def judge_all(rooms: Sequence[Room], judged: Iterator[tuple[Trial, Any]], accepted: set[Any]) -> None:
    total, said = sum(len(room.planned) for room in rooms), time.monotonic()
    for trial, answer in judged:
        trial.count(answer, accepted)
        done = sum(len(room.planned) - room.unjudged for room in rooms)
        if time.monotonic() - said > SAY_EVERY or done == total:
            said = time.monotonic()
            say(f"{done} of {total} judged")


@dataclass(frozen=True)
class Trial:
    room: Room
    mutant: Mutant
    control: bool

    def count(self, answer: dict[str, Any] | None, accepted: set[Any]) -> None:
        killed_by = "a hang or a crash" if answer is None else answer["killed_by"]
        if self.control:
            self.room.flaky += [killed_by] if killed_by else []
        elif killed_by:
            self.room.killed += 1
            self.room.hung += answer is None
        elif self.mutant.key in accepted:
            self.room.accepted += 1
        else:
            self.room.survivors.append(self.mutant)


def trials(code: Code, rooms: Sequence[Room], known: Record, directory: Path, until: float) -> Iterator[Any]:
    """The tasks of the pool: every mutant with its time limit, until the time is up, and controls in between."""
    for number, (room, mutant) in enumerate(taking_turns(rooms)):
        if time.monotonic() > until:
            return
        stages = chosen(mutant, known)
        normal = sum(test.seconds for stage in stages for test in stage.values())
        for control in (True, False) if number % CONTROL_EVERY == 0 else (False,):
            file = directory / f"mutant-{number}-{control}"
            work = partial(judge, code, mutant, stages, file, control=control)
            limit = max(AT_LEAST, min(SLOWER * normal, normal + AT_MOST))
            yield Trial(room, mutant, control), limit, work


def say(text: str) -> None:
    print(f"mutants: {text}", file=sys.stderr, flush=True)


def read_accepted(path: Path) -> list[dict[str, str]]:
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else []
    for entry in entries or []:
        if set(entry) != {"file", "function", "kind", "before", "after", "reason"} or not entry["reason"].strip():
            sys.exit(f"mutants: an entry of {path.name} needs file, function, kind, before, after and reason: {entry}")
    return entries or []


def key_of(entry: dict[str, str]) -> tuple[str, ...]:
    return tuple(entry[name] for name in ("file", "function", "kind", "before", "after"))


def stale(code: Code, entries: Sequence[dict[str, str]]) -> list[str]:
    """The accepted survivors that no longer exist in the code."""
    found: dict[str, set[Any]] = {}
    for file in {entry["file"] for entry in entries}:
        exists = (code.root / file).is_file()
        found[file] = {mutant.key for mutant in mutants_of(code.source(file), file)} if exists else set()
    return [" | ".join(key_of(entry)) for entry in entries if key_of(entry) not in found[entry["file"]]]


def report(rooms: Sequence[Room], old: Sequence[str]) -> bool:
    """Print the results. Return whether all rooms pass."""
    good = not old
    for room in rooms:
        if room.survivors:
            print(f"\nSurvivors in {room.name}:")
        for mutant in sorted(room.survivors, key=lambda mutant: (mutant.file, mutant.line)):
            print(f"  {mutant}")
    for line in old:
        print(f"\nAccepted, but no such mutant exists any more; remove it from {ACCEPTED.name}:\n  {line}")
    print(
        f"\n{'room':<16}{'mutants':>8}{'judged':>8}{'killed':>8}{'(hung)':>8}{'survived':>9}{'accepted':>9}{'killed':>9}"
    )
    for room in rooms:
        verdict = "" if room.percent >= THRESHOLD else f"  less than {THRESHOLD:.0f} %"
        if room.unjudged:
            verdict += f"  {room.unjudged} not judged: the time was up"
        good = good and not verdict
        numbers = f"{room.total:>8}{room.judged + room.accepted:>8}{room.killed:>8}{room.hung:>8}"
        numbers += f"{len(room.survivors):>9}{room.accepted:>9}"
        print(f"{room.name:<16}{numbers}{room.percent:>7.1f} %{verdict}")
    return good


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--room", action="append", help="secrets, features/sa_link, engine/reconciliation, ...; can be repeated"
    )
    parser.add_argument("--count", type=int, default=60, help="mutants for each room")
    parser.add_argument("--all", action="store_true", help="all mutants")
    parser.add_argument("--kind", default="", help="only the mutants of this kind, such as table")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1800, help="start no further mutant after this time")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="the collection's folder")
    parser.add_argument(
        "--fresh", action="store_true", help="run all tests again first, including tests with kept results"
    )
    parser.add_argument("--accepted", type=Path, default=ACCEPTED)
    return parser.parse_args()


def preload() -> None:
    """Import the modules that every child needs and no mutant changes."""
    for name in PRELOADED:
        try:
            import_module(name)
        except ImportError:
            print(f"mutants: {name} cannot be imported here", file=sys.stderr)
    quick = {"max_examples": 25, "deadline": None, "derandomize": True, "database": None}
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", **quick, phases=phases, suppress_health_check=list(HealthCheck))
    settings.load_profile("mutants")


def copied(root: Path, directory: Path) -> Code:
    """A copy of the collection for the tests to import, so that the checkout can be edited during the run."""
    collection = directory / Path(*PACKAGE.split("."))
    shutil.copytree(root, collection, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    others = [path for path in sys.path if path not in os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    sys.path[:] = [str(directory), *others]
    os.environ["PYTHONPATH"] = os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(directory)
    os.chdir(collection)
    return Code(collection)


def main() -> int:
    options = arguments()
    until = time.monotonic() + options.seconds
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        return judged_in(Path(directory), options, until)


def judged_in(directory: Path, options: argparse.Namespace, until: float) -> int:
    """Run everything with the files in a directory, including the copy of the code. Return the exit status."""
    code = copied(options.root, directory)
    rooms = [Room(name) for name in options.room or code.rooms()]
    for room in rooms:
        plan(code, room, seed=options.seed, count=None if options.all else options.count, kind=options.kind)
        if not room.planned and not (options.kind and code.files(room.name)):
            sys.exit(f"mutants: room {room.name} does not exist. The rooms are {', '.join(code.rooms())}")
    entries = [entry for entry in read_accepted(options.accepted) if not options.room]
    accepted = {key_of(entry) for entry in read_accepted(options.accepted)}
    # Byte code is kept for the children, but never next to the source.
    sys.pycache_prefix, sys.dont_write_bytecode = str(directory / "pycache"), False
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(directory)
    shutil.copy(Path(__file__).with_name("mutant_import.py"), directory / "sitecustomize.py")
    preload()
    pool = Pool(options.jobs, directory)
    kept = cache() / f"mutants-{digest([], str(options.root.resolve()))}"
    known = record(code, pool, Notes(code, None if options.fresh else kept))
    say(f"{len(known.tests)} tests recorded after {options.seconds - until + time.monotonic():.0f} s")
    gc.freeze()
    judge_all(rooms, pool.run(trials(code, rooms, known, directory, until)), accepted)
    good = report(rooms, stale(code, entries))
    if known.failures:
        print("\nThese tests fail without a mutant, so they judged no mutant:", *known.failures, sep="\n  ")
    flaky = sorted({name for room in rooms for name in room.flaky})
    if flaky:
        print(
            "\nThese tests failed without a mutant, in another order or at another time. Do not trust the numbers:",
            *flaky,
            sep="\n  ",
        )
    return 0 if good and not known.failures and not flaky else 1


if __name__ == "__main__":
    sys.exit(main())
