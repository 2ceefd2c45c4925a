# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module run in its own process passes options and result through AnsibleModule, and never shows a credential."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from ansible.module_utils import basic
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import HIDDEN
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Workers
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module import ansible_module
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.ansible_module import (
    Interrupted,
    allow_interruption,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Module, Task
from support.objects import b64

from unit.listed_things import FORM, LISTED
from unit.own_process import ARGUMENTS, NAME, Ended, in_own_process
from unit.registered import HAS_REGISTRY

LIMIT = 60

Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return in_own_process(tmp_path, capfd, monkeypatch)


def texts(messages: Any) -> list[str]:
    """The texts of warnings, which ansible-core 2.19 and later wrap in more data."""
    return [message if isinstance(message, str) else message["event"]["msg"] for message in messages]


class TestTask:
    def test_a_module_gets_its_validated_options_and_modes(self, run: Run, tmp_path: Path) -> None:
        seen: list[Task] = []
        internal = {"_ansible_check_mode": True, "_ansible_diff": True}
        run(lambda task: seen.append(task) or {}, internal=internal, name="n", password="canary", count="3")
        (task,) = seen
        assert (task.name, task.check_mode, task.diff) == (NAME, True, True)
        assert task.temporary_directory == str(tmp_path)
        assert task.params == {
            "name": "n",
            "password": "canary",
            "count": 3,
            "kubeconfig": None,
            "old": None,
            "older": None,
        }
        assert {"canary", b64("canary")} <= task.secrets

    @pytest.mark.parametrize("background", [False, True])
    def test_credentials_are_registered_with_ansible_for_masking(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, *, background: bool
    ) -> None:
        """This needs ansible-core 2.22 or later. Other users could read the secrets of a task with `async`."""
        if background:
            monkeypatch.setenv("ANSIBLE_ASYNC_DIR", "/none")

        def work(task: Task) -> dict[str, Any]:
            task.mask_everywhere({"canary-2"})
            return {}

        kubeconfig = {"users": [{"user": {"token": "canary-3"}}]}
        ended = run(work, name="n", password="canary-1", kubeconfig=kubeconfig)
        found = {secret for secret in ended.registered if secret.startswith("canary")}
        assert found == ({"canary-1", "canary-2", "canary-3"} if HAS_REGISTRY and not background else set())
        assert "canary" not in ended.output

    def test_progress_is_written_to_a_file_next_to_the_module(self, run: Run, tmp_path: Path) -> None:
        def work(task: Task) -> dict[str, Any]:
            assert task.say
            task.say("1/2")
            task.say("2/2 ä")
            return {}

        run(work, name="n")
        assert (tmp_path / ansible_module.PROGRESS_FILE).read_text(encoding="utf-8") == "1/2\n2/2 ä\n"
        assert ansible_module.PROGRESS_FILE == "progress"

    def test_progress_that_cannot_be_written_is_not_shown(self, run: Run, tmp_path: Path) -> None:
        """The progress directory belongs to another user (`become`)."""
        (tmp_path / ansible_module.PROGRESS_FILE).mkdir()
        ended = run(lambda task: task.say("1/2") or {"changed": True}, name="n")
        assert ended.result["changed"] is True


class TestResult:
    def test_a_success_returns_the_result_and_the_invocation(self, run: Run) -> None:
        ended = run(lambda task: {"changed": True, "list": [1, None, {"a": 0.5}]}, name="n")
        options = {"name": "n", "password": None, "kubeconfig": None, "count": 1, "old": None, "older": None}
        expected = {"changed": True, "list": [1, None, {"a": 0.5}], "invocation": {"module_args": options}}
        assert ended.result == expected
        assert ended.status == 0

    def test_a_failure_ends_with_status_1_and_its_message(self, run: Run) -> None:
        ended = run(lambda task: {"failed": True, "msg": "no", "changed": True}, name="n")
        assert (ended.status, ended.result["failed"], ended.result["msg"]) == (1, True, "no")
        assert ended.result["changed"] is True

    def test_a_missing_library_is_reported_with_the_fix(self, run: Run) -> None:
        module = Module(ARGUMENTS, lambda task: {"changed": True}, "Traceback:\n  ...\nImportError: why\n")
        ended = run(module.run, module=module, tracebacks=True, name="n")
        assert ended.result["msg"] == (
            f"a Python package cannot be imported by {sys.executable} on the host that runs the task (ImportError: why): "
            f"install the packages with {sys.executable} -m pip install 'PyYAML>=6.0' 'urllib3>=1.26.5' 'certifi>=2021.10.8', or name a "
            "Python that has them in the variable ansible_python_interpreter"
        )
        assert ended.status == 1


class TestWarnings:
    def test_warnings_of_the_module_and_the_validation_are_returned(self, run: Run) -> None:
        ended = run(lambda task: task.warn(["canary one", "two"]) or {}, name="n", title="t", password="canary")
        expected = ["Both option name and its alias title are set.", "******** one", "two"]
        assert texts(ended.result["warnings"]) == expected

    def test_deprecations_have_their_version(self, run: Run) -> None:
        (found,) = run(lambda task: {}, name="n", old="o").result["deprecations"]
        assert "9.9.9" in json.dumps(found)
        assert "Param 'old' is deprecated" in json.dumps(found)


class TestNoCredential:
    """A server's message may repeat the sent data."""

    def test_a_thousand_passwords_are_masked_in_little_time(self, run: Run) -> None:
        names = [f"canary-{number:04}-{number * 7919}" for number in range(1000)]
        things = [{"name": f"team-{number}", "password": name} for number, name in enumerate(names)]
        module = Module(
            LISTED, lambda task: {"said": [f"it was sent {name}, {b64(name)}" for name in names]}, None, form=FORM
        )
        started = time.process_time()
        ended = run(module.run, module=module, things=things)
        assert time.process_time() - started < 20
        assert "canary" not in ended.output
        assert set(ended.result["said"]) == {"it was sent ********, ********"}

    def test_the_system_log_shows_no_credential(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        logged: list[str] = []
        monkeypatch.setattr(
            basic.AnsibleModule, "log", lambda _self, msg, **keywords: logged.append(f"{msg}{keywords}")
        )
        seen: list[Any] = []
        kubeconfig = {"token": "canary-1"}
        run(
            lambda task: seen.append(task.params["kubeconfig"]) or {},
            name="n",
            kubeconfig=kubeconfig,
            password="canary-2",
        )
        assert seen == [kubeconfig]
        assert len(logged) == 1
        assert "Invoked with" in logged[0]
        assert "name=n" in logged[0]
        assert "canary" not in logged[0]
        assert f"kubeconfig={HIDDEN}" in logged[0]


SCRIPT = """
import json, os, signal, sys, threading
from ansible.module_utils import basic
from {module} import run_module
from {task} import Module

def work(task):
    try:
        open({started!r}, "w").close()
        threading.Event().wait({limit})
    finally:
        open({ended!r}, "w").close()
    return {{}}

basic._ANSIBLE_ARGS = json.dumps({{"ANSIBLE_MODULE_ARGS": {{"_ansible_remote_tmp": {tmp!r}}}}}).encode()
basic._ANSIBLE_PROFILE = "legacy"
run_module(Module({{}}, work, None))
"""


class Abandoned:
    """A module in a real process that works until it is ended."""

    def __init__(self, directory: Path) -> None:
        self.started, self.ended, self.tmp = directory / "started", directory / "ended", directory / "tmp"
        script = SCRIPT.format(
            module=ansible_module.__name__,
            task=Task.__module__,
            started=str(self.started),
            ended=str(self.ended),
            tmp=str(self.tmp),
            limit=LIMIT,
        )
        command = [sys.executable, "-c", script]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        waited = threading.Event()
        for _turn in range(LIMIT * 20):
            if self.started.exists() or self.process.poll() is not None:
                break
            waited.wait(0.05)
        assert self.started.exists(), self.process.stderr


@pytest.fixture
def abandoned(tmp_path: Path) -> Any:
    made = Abandoned(tmp_path)
    yield made
    made.process.kill()
    made.process.wait(LIMIT)
    for pipe in (made.process.stdout, made.process.stderr):
        pipe.close()


@contextmanager
def read_by_another() -> Iterator[IO[bytes]]:
    """The other end of this process's output, as if the module had its own."""
    ours, theirs = os.pipe()
    before = os.dup(1)
    os.dup2(theirs, 1)
    os.close(theirs)
    try:
        with os.fdopen(ours, "rb") as file:
            yield file
    finally:
        os.dup2(before, 1)
        os.close(before)


class TestEnd:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_a_signal_ends_the_module_without_a_result(self, run: Run, number: int) -> None:
        """A shell reports the same status for a process that a signal ended."""
        ended = run(lambda task: signal.raise_signal(number) or {"changed": True}, name="n")
        assert (ended.status, ended.output) == (128 + number, "")

    def test_the_module_ends_when_its_output_has_no_reader(self, run: Run) -> None:
        with read_by_another() as reader:
            ended = run(lambda task: reader.close() or {"waited": threading.Event().wait(LIMIT)}, name="n")
        assert ended.status == 128 + signal.SIGTERM

    def test_the_module_continues_while_its_output_has_a_reader(self, run: Run) -> None:
        def work(_task: Task) -> dict[str, Any]:
            os.write(1, b"unread")
            return {"waited": threading.Event().wait(1.5)}

        with read_by_another():
            assert run(work, name="n").status == 0

    def test_a_signal_leaves_no_file(self, abandoned: Abandoned) -> None:
        number = signal.SIGTERM
        assert [path.name for path in abandoned.tmp.iterdir()]
        os.kill(abandoned.process.pid, number)
        output, errors = abandoned.process.communicate(timeout=LIMIT)
        assert abandoned.process.returncode == 128 + number
        assert (output, errors) == ("", "")
        assert abandoned.ended.exists()
        assert list(abandoned.tmp.iterdir()) == []

    def test_a_process_without_a_reader_for_its_output_ends(self, abandoned: Abandoned) -> None:
        """This happens after the `timeout` of a task, when the worker is killed, and when an SSH connection breaks."""
        abandoned.process.stdout.close()
        assert abandoned.process.wait(LIMIT) == 128 + signal.SIGTERM
        assert abandoned.ended.exists()
        assert list(abandoned.tmp.iterdir()) == []


def test_a_hidden_result_is_returned_without_masking(run: Run) -> None:
    """A password of the task may be a word of the result. The result is data, and the action plugin hides it."""
    handed_on = {"auths": {"quay.io": {"auth": "quay.io"}}}
    result = {"auth_config": handed_on, "note": "a quay.io"}
    module = Module(ARGUMENTS, lambda task: result, None, hidden=("auth_config",))
    ended = run(module.run, module=module, name="n", password="quay.io")
    assert (ended.result["auth_config"], ended.result["note"]) == (handed_on, "a ********")


# --- A run ends on a signal or when its reader has gone, and then restores the previous signal handlers

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def never() -> bool:
    return False


@pytest.fixture
def received() -> Iterator[list[int]]:
    """The signals that reach the previous handlers."""
    seen: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: seen.append(number)) for number in SIGNALS}
    yield seen
    for number, handler in before.items():
        signal.signal(number, handler)


class TestSignal:
    @pytest.mark.parametrize("number", SIGNALS)
    def test_a_signal_ends_the_block(self, received: list[int], number: signal.Signals) -> None:
        with pytest.raises(Interrupted, match=f"^{number.name}$") as error, allow_interruption(never):
            signal.raise_signal(number)
        assert error.value.number == number
        assert received == []

    @pytest.mark.parametrize("number", SIGNALS)
    def test_a_signal_ends_a_wait_for_threads(self, received: list[int], number: signal.Signals) -> None:
        """A run waits for the threads of a task.

        Any other kind of wait may miss the signal: there is a gap between the last check for signals and the system call,
        and a thread that wakes when the wait releases the interpreter sends its signal in this gap.
        """
        release = threading.Event()

        def send(_item: int) -> None:
            os.kill(os.getpid(), number)
            release.wait(LIMIT)

        began = time.monotonic()
        with pytest.raises(Interrupted), allow_interruption(never), Workers(1) as workers:
            workers.map(send, range(2))
        release.set()
        assert time.monotonic() - began < LIMIT / 2

    def test_an_interruption_is_not_an_exception_that_handlers_catch(self) -> None:
        assert not issubclass(Interrupted, Exception)

    @pytest.mark.parametrize("number", SIGNALS)
    def test_the_previous_handler_is_restored_after_the_block(
        self, received: list[int], number: signal.Signals
    ) -> None:
        with allow_interruption(never):
            pass
        signal.raise_signal(number)
        with pytest.raises(KeyError), allow_interruption(never):
            raise KeyError
        signal.raise_signal(number)
        assert received == [number, number]

    @pytest.mark.parametrize("number", SIGNALS)
    def test_an_ignored_signal_stays_ignored(self, received: list[int], number: signal.Signals) -> None:
        signal.signal(number, signal.SIG_IGN)
        with allow_interruption(never):
            assert signal.getsignal(number) == signal.SIG_IGN
            signal.raise_signal(number)
        assert signal.getsignal(number) == signal.SIG_IGN


class TestAbandoned:
    def test_an_abandoned_run_ends(self, received: list[int]) -> None:
        asked = []

        def is_abandoned() -> bool:
            asked.append(threading.current_thread())
            return len(asked) == 2

        started = time.monotonic()
        with pytest.raises(Interrupted, match="SIGTERM"), allow_interruption(is_abandoned):
            threading.Event().wait(LIMIT)
        assert 1.5 < time.monotonic() - started < LIMIT
        assert len(asked) == 2
        assert threading.main_thread() not in asked

    def test_the_watch_ends_with_the_block(self, received: list[int]) -> None:
        before = threading.enumerate()
        with allow_interruption(never):
            (watch,) = [thread for thread in threading.enumerate() if thread not in before]
            assert watch.daemon
        watch.join(LIMIT)
        assert not watch.is_alive()

    def test_the_watch_ends_with_the_run_that_it_ended(self, received: list[int]) -> None:
        before = threading.enumerate()
        with pytest.raises(Interrupted), allow_interruption(lambda: True):
            threading.Event().wait(LIMIT)
        assert [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()] == []


class TestOtherThread:
    def test_signals_are_not_handled_in_another_thread(self, received: list[int]) -> None:
        """Python sets handlers in the main thread only."""
        done: list[Any] = []

        def work() -> None:
            before, handlers = threading.active_count(), [signal.getsignal(number) for number in SIGNALS]
            with allow_interruption(lambda: True):
                done.append(threading.active_count() - before)
                done.append([signal.getsignal(number) for number in SIGNALS] == handlers)
            done.append("ended")

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(LIMIT)
        assert done == [0, True, "ended"]
