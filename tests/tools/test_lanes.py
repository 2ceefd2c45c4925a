# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import sys
import time
from contextlib import closing
from pathlib import Path

import processes
import pytest
from lanes import Commands, Output, side_by_side

LONG = 300.0
#: Succeeds only if both commands run at the same time: each makes a file and waits for the other command's file.
MEET = """
import pathlib, sys, time
own, other = map(pathlib.Path, sys.argv[1:])
own.touch()
for _ in range(1000):
    if other.exists():
        print("met", other.name)
        sys.exit()
    time.sleep(0.02)
sys.exit("alone")
"""
#: Starts other processes, also in other sessions and without variables, prints their process ids, makes a file, and hangs.
PARENT = """
import pathlib, subprocess, sys
made = pathlib.Path(sys.argv[1])
made.touch()
commands = [["sleep", "300"], ["setsid", "sleep", "300"], ["env", "-i", "sleep", "300"], ["setsid", "env", "-i", "sleep", "300"]]
children = [subprocess.Popen(command) for command in commands]
print(*(child.pid for child in children), flush=True)
try:
    children[0].wait()
finally:
    made.unlink()
"""


def python(script: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", script, *map(str, arguments)]


def runs(process: int) -> bool:
    """Whether the process runs. An ended process that its parent has not waited for does not run."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends(process: int) -> bool:
    """Whether the process ends soon. A killed process takes a moment to end."""
    patience = 1000
    while runs(process) and patience:
        patience -= 1
        time.sleep(0.02)
    return not runs(process)


class TestCommands:
    @pytest.mark.parametrize("status", [0, 3])
    def test_the_status_is_that_of_the_command(self, status: int) -> None:
        assert Commands().run(python(f"raise SystemExit({status})"), {}, LONG, None) == status

    def test_a_command_has_its_variables_and_no_input(self, tmp_path: Path) -> None:
        with (tmp_path / "printed").open("w+b") as output:
            script = "import os, sys; print(os.environ['GIVEN'], repr(sys.stdin.read()), file=sys.stderr)"
            Commands().run(python(script), {"GIVEN": "value"}, LONG, output)
            output.seek(0)
            assert output.read() == b"value ''\n"

    def test_a_hanging_command_cleans_up_and_ends_with_all_that_it_started(self, tmp_path: Path) -> None:
        with (tmp_path / "printed").open("w+b") as output:
            assert Commands().run(python(PARENT, tmp_path / "made"), {}, 2, output) == 1
            output.seek(0)
            children, *_traceback, said = output.read().splitlines()
        assert said == b"ended after 2 s"
        assert len(children.split()) == 4 and all(ends(int(child)) for child in children.split())
        assert not (tmp_path / "made").exists()

    def test_a_command_that_ignores_the_interruption_is_killed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "PATIENCE", 0.5)
        script = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(300)"
        assert Commands().run(python(script), {}, 1, None) == 1

    def test_no_command_starts_after_the_end(self, tmp_path: Path) -> None:
        commands = Commands()
        commands.end()
        assert commands.run(python(f"open({str(tmp_path / 'made')!r}, 'w')"), {}, LONG, None) == 1
        assert not list(tmp_path.iterdir())


class TestSideBySide:
    @staticmethod
    def work(task: list[str], commands: Commands, output: Output) -> int:
        return commands.run(task, {}, LONG, output)

    def test_two_commands_run_at_the_same_time(self, tmp_path: Path) -> None:
        one, two = tmp_path / "one", tmp_path / "two"
        done = list(side_by_side([python(MEET, one, two), python(MEET, two, one)], self.work, 2))
        assert [found.result for found in done] == [0, 0]
        assert {found.printed for found in done} == {b"met one\n", b"met two\n"}

    def test_the_number_of_lanes_limits_the_running_commands(self, tmp_path: Path) -> None:
        made = tmp_path / "made"
        script = f"import pathlib; path = pathlib.Path({str(made)!r}); path.mkdir(); path.rmdir()"
        done = list(side_by_side([python(script)] * 8, self.work, 1))
        assert [found.result for found in done] == [0] * 8

    def test_each_command_has_its_own_output(self) -> None:
        tasks = [python(f"print({number}); raise SystemExit({number})") for number in range(5)]
        done = {found.result: found.printed for found in side_by_side(tasks, self.work, 2)}
        assert done == {number: f"{number}\n".encode() for number in range(5)}

    def test_a_single_command_prints_while_it_runs(self, capfd: pytest.CaptureFixture[str]) -> None:
        (done,) = side_by_side([python("print('seen')")], self.work, 2)
        assert (done.result, done.printed) == (0, b"")
        assert capfd.readouterr().out == "seen\n"

    def test_ctrl_c_ends_all_commands(self, tmp_path: Path) -> None:
        """The caller is interrupted while it waits, or while it handles a result."""
        said = tmp_path / "said"
        os.mkfifo(said)
        lasting = python(
            f"open({str(said)!r}, 'w').write(str(__import__('os').getpid()))\n" + "import time; time.sleep(300)"
        )
        with pytest.raises(KeyboardInterrupt), closing(side_by_side([python("pass"), lasting], self.work, 2)) as done:
            assert next(done).result == 0
            process = int(said.read_text())
            raise KeyboardInterrupt
        assert ends(process)


def test_the_output_of_a_command_can_be_binary() -> None:
    tasks = [python("import sys; sys.stdout.buffer.write(bytes([255, 0]))"), python("")]
    assert {found.printed for found in side_by_side(tasks, TestSideBySide.work, 2)} == {b"\xff\x00", b""}
