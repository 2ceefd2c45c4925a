# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C and SIGTERM end a make target with one line, and with everything that it started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from support.playbooks import ROOT

SHARED = ROOT / "extensions" / "molecule" / "shared"
TOOLS = ROOT / "tests" / "tools"
PREPARE = TOOLS / "prepare.py"
#: Steps that take minutes, one for each core. Two run at the same time.
STEPS = "sanity,"
#: A program that builds with a command in its own process.
BUILD = f"""
import sys
sys.path.append({str(SHARED)!r})
from lab import call, command_line
command_line(lambda: call(["sh", "-c", "sleep 300 & wait"]))
"""


class Run:
    """A command and everything that it started. Each process has the run's own variable, or a parent that has it."""

    def __init__(self, *command: str, **variables: str) -> None:
        self._mark = f"IMAGE_PULL_TEST_{uuid.uuid4().hex}"
        # Below another make, make names its level in each line.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        environment |= {**variables, self._mark: "1"}
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.seen: set[int] = set()

    def commands(self) -> list[str]:
        """The command lines of all its processes that still run."""
        found = []
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((directory / "stat").read_text().rpartition(")")[2].split()[1])
                is_ours = self._mark.encode() in (directory / "environ").read_bytes()
                command = (directory / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
            except (OSError, ValueError):  # it has ended
                continue
            number = int(directory.name)
            if command and (is_ours or parent in self.seen or number in self.seen):
                self.seen.add(number)
                found.append(command)
        return found

    def until(self, is_so: Callable[[list[str]], bool]) -> None:
        deadline = time.monotonic() + 180
        while not is_so(self.commands()):
            assert time.monotonic() < deadline and self.process.poll() is None, self.commands()
            time.sleep(0.05)

    def end(self, number: int, whole_group: bool) -> list[str]:
        """Send a signal to all processes, like a terminal, or to the first one, like `kill`. Return the printed lines."""
        os.killpg(self.process.pid, number) if whole_group else self.process.send_signal(number)
        printed, _none = self.process.communicate(timeout=60)
        return printed.splitlines()

    def left(self) -> list[str]:
        """The commands that outlive a signal. A killed process takes some milliseconds to end."""
        deadline = time.monotonic() + 5
        while self.commands() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.commands()


SIGTERM, CTRL_C = (signal.SIGTERM, False, "SIGTERM"), (signal.SIGINT, True, "SIGINT")
by_both = pytest.mark.parametrize(("number", "whole_group", "name"), [SIGTERM, CTRL_C], ids=["SIGTERM", "Ctrl-C"])


class TestMake:
    @pytest.mark.parametrize(
        ("number", "whole_group", "name"), [pytest.param(*SIGTERM, marks=pytest.mark.slow, id="SIGTERM"), CTRL_C]
    )
    def test_the_steps_of_a_target_end_on_a_signal(self, number: int, whole_group: bool, name: str) -> None:
        run = Run("make", "--no-print-directory", f"check-{STEPS}")
        run.until(lambda commands: sum("ansible-test" in command for command in commands) > 1)
        printed = run.end(number, whole_group)
        assert run.left() == []
        assert run.process.returncode not in (0, None)
        (line,) = [one for one in printed if not re.match(r"--- |make: |  |\d+ steps, ", one)]
        assert line == f"check.py: {name}: ended, with everything that it started"

    @by_both
    def test_a_build_ends_on_a_signal(self, number: int, whole_group: bool, name: str, tmp_path: Path) -> None:
        program = tmp_path / "build.py"
        program.write_text(BUILD)
        run = Run(sys.executable, str(program))
        run.until(lambda commands: "sleep 300" in commands)
        printed = run.end(number, whole_group)
        assert run.left() == []
        assert printed == [f"build.py: {name}: ended, with everything that it started"]

    @by_both
    def test_an_installation_ends(self, number: int, whole_group: bool, name: str, tmp_path: Path) -> None:
        lab = Path(os.environ["IMAGE_PULL_LAB"]).parent
        (tmp_path / lab.name).symlink_to(lab)
        run = Run(sys.executable, str(PREPARE), "newest", "true", IMAGE_PULL_CACHE=str(tmp_path))
        run.until(lambda commands: any("venv" in command for command in commands))
        printed = run.end(number, whole_group)
        assert run.left() == []
        assert printed[1:] == [f"prepare.py: {name}: ended, with everything that it started"]


class TestStep:
    """A single step prints as it goes. Its own messages about the interruption are left out."""

    @pytest.mark.parametrize(
        ("word", "number", "whole_group", "command"),
        [
            ("units", signal.SIGINT, True, "pytest -r a"),
            pytest.param("molecule", signal.SIGTERM, False, "ansible-playbook", marks=pytest.mark.slow),
            pytest.param("runner", signal.SIGINT, True, "ansible-playbook", marks=pytest.mark.slow),
            ("documentation, rendered", signal.SIGTERM, False, "antsibull-docs"),
        ],
        ids=["units", "molecule", "ansible-runner", "documentation"],
    )
    def test_a_step_ends_without_a_traceback(self, word: str, number: int, whole_group: bool, command: str) -> None:
        run = Run(sys.executable, str(TOOLS / "check.py"), word)
        run.until(lambda commands: any(command in one for one in commands))
        printed = run.end(number, whole_group)
        assert run.left() == []
        assert printed[-1] == f"check.py: {signal.Signals(number).name}: ended, with everything that it started"
        assert not any("Traceback" in line or "Interrupt" in line for line in printed)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("tool", "command"),
        [(("units.py", "--in-one-process"), "pytest -r a"), (("sanity.py", "--test", "pylint"), "ansible-test")],
        ids=["units.py", "sanity.py"],
    )
    def test_a_tool_ends_with_all_that_it_started(self, tool: tuple[str, ...], command: str) -> None:
        run = Run(sys.executable, str(PREPARE), "newest", "python", str(TOOLS / tool[0]), *tool[1:])
        run.until(lambda commands: any(command in one and "prepare.py" not in one for one in commands))
        printed = run.end(signal.SIGTERM, False)
        assert run.left() == []
        assert printed[-1] == f"{tool[0]}: SIGTERM: ended, with everything that it started"
        assert not any("Traceback" in line or "Interrupt" in line for line in printed)
