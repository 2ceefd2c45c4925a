# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module runs in the expected process, and in Ansible's process it receives and returns the same data as in its own.

The action, its task, connection and templar are Ansible's own. Only the module is created for each test.
"""

from __future__ import annotations

import datetime
import logging
import multiprocessing
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ansible import constants
from ansible.release import __version__
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import HIDDEN
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.ansible_module import Interrupted
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Module, Task
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils import in_process
from support.objects import b64

from unit.ansible_process import DIRECTORY, Action, action
from unit.own_process import ARGUMENTS, NAME
from unit.registered import HAS_REGISTRY, forget_registered, masked_by_ansible

#: Maximum duration of a test in seconds, so that a hanging test fails.
LIMIT = 60


def with_remote_tmp(made: Action, directory: Path) -> Path:
    """Create and return the folder in which Ansible makes a directory for a module in its own process."""
    made._connection._shell.set_options(var_options={"ansible_remote_tmp": str(directory / "remote_tmp")})
    made._connection.set_options()
    (directory / "remote_tmp").mkdir()
    return directory / "remote_tmp"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_registered(monkeypatch)


@pytest.fixture(autouse=True)
def local_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for files of a run. A run must not leave any."""
    directory = tmp_path / "local_tmp"
    directory.mkdir()
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(directory))
    return directory


class TestWithoutTheLibrary:
    """Ansible's own Python lacks the library, so Ansible looks for another Python unless one is named."""

    @staticmethod
    def message(found: dict[str, Any], **variables: Any) -> str:
        made = action()
        made.module = replace(made.module, import_error="Traceback:\nImportError: none here\n")
        made._connection._shell.tmpdir = constants.DEFAULT_LOCAL_TMP
        made.found = found
        return str(made.start(**variables)["msg"])

    OURS = f"a Python package cannot be imported by {sys.executable} on the host that runs the task (ImportError: none here): "
    THEIRS = "a Python package cannot be imported by /usr/bin/python3 on the host that runs the task (why): "

    @pytest.mark.parametrize(
        "found",
        [{"failed": True, "msg": f"{THEIRS}install it"}, {"failed": True, "msg": "?", "module_stdout": "", "rc": 127}],
    )
    def test_a_missing_library_in_both_pythons_names_ansibles_python(self, found: dict[str, Any]) -> None:
        assert self.message(found, ansible_python_interpreter="auto").startswith(self.OURS)

    def test_the_message_of_another_python_is_returned(self) -> None:
        assert (
            self.message({"failed": True, "msg": "no such secret"}, ansible_python_interpreter="auto")
            == "no such secret"
        )

    def test_the_message_of_a_named_python_is_returned_unchanged(self) -> None:
        found = {"failed": True, "msg": f"{self.THEIRS}install it"}
        assert self.message(found, ansible_python_interpreter="/usr/bin/python3") == f"{self.THEIRS}install it"


class TestWhere:
    @pytest.mark.parametrize(
        "python",
        [sys.executable, "auto", "auto_silent", "auto_legacy", "auto_legacy_silent", "", f" {sys.executable} "],
    )
    def test_the_module_runs_in_ansibles_process_with_its_python(self, python: str) -> None:
        made = action(lambda task: {"changed": True})
        assert made.start(ansible_python_interpreter=python)["changed"] is True
        assert made.calls == []

    def test_the_module_runs_in_ansibles_process_by_default(self) -> None:
        made = action(lambda task: {"changed": True})
        assert made._execute_module(task_vars={})["changed"] is True
        assert made._execute_module()["changed"] is True
        assert made.calls == []

    def test_the_interpreter_may_be_a_template(self) -> None:
        made = action(lambda task: {"changed": True})
        template: Any = "{{ 'au' ~ 'to' }}"
        try:
            from ansible.template import trust_as_template  # noqa: PLC0415
        except ImportError:
            pass
        else:
            template = trust_as_template(template)
        made.start(ansible_python_interpreter=template)
        assert made.calls == []

    def test_the_module_runs_elsewhere_with_another_python(self, tmp_path: Path) -> None:
        """Another Python includes another name or path for the same file: the location of the link determines the environment."""
        (tmp_path / Path(sys.executable).name).symlink_to(sys.executable)
        beside = Path(sys.executable).with_name("no-such-python")
        for python in ("/usr/bin/env", str(tmp_path / Path(sys.executable).name), str(beside), "python3"):
            made = action()
            assert made.start(ansible_python_interpreter=python) == {"elsewhere": True}
            (call,) = made.calls
            assert call["keywords"]["task_vars"]["ansible_python_interpreter"] == python

    @pytest.mark.parametrize("fields", [{"become": True}, {"async_val": 60}], ids=["become", "async"])
    @pytest.mark.parametrize("python", ["auto", "auto_legacy_silent", "", sys.executable])
    def test_become_and_async_run_elsewhere_with_the_same_python(self, fields: Any, python: str) -> None:
        """`auto` must have one meaning. Otherwise the Python that Ansible finds would depend on its version and on the system."""
        made = action(**fields)
        given = {"inventory_hostname": "east", "ansible_python_interpreter": python, "other": 1}
        assert made._execute_module("positional", task_vars=given, wrap_async=True) == {"elsewhere": True}
        named = {**given, "ansible_python_interpreter": sys.executable}
        assert made.calls == [{"arguments": ("positional",), "keywords": {"task_vars": named, "wrap_async": True}}]
        assert given["ansible_python_interpreter"] == python

    def test_keep_remote_files_runs_the_module_elsewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(constants, "DEFAULT_KEEP_REMOTE_FILES", True)
        made = action()
        assert made.start(ansible_python_interpreter="auto") == {"elsewhere": True}
        assert made.calls[0]["keywords"]["task_vars"]["ansible_python_interpreter"] == sys.executable

    @pytest.mark.parametrize("python", ["auto", sys.executable])
    def test_a_missing_library_runs_the_module_elsewhere(self, python: str) -> None:
        made = action()
        made.module = Module(ARGUMENTS, lambda task: {}, "Traceback: why")
        assert made.start(ansible_python_interpreter=python) == {"elsewhere": True}
        assert made.calls[0]["keywords"]["task_vars"]["ansible_python_interpreter"] == python

    def test_another_connection_runs_the_module_elsewhere(self) -> None:
        made = action(transport="ssh")
        given = {"ansible_python_interpreter": "auto"}
        assert made._execute_module("positional", task_vars=given) == {"elsewhere": True}
        assert made.calls == [{"arguments": ("positional",), "keywords": {"task_vars": given}}]
        assert made._connection._shell.tmpdir is None

    @pytest.mark.parametrize("python", ["auto", sys.executable])
    def test_a_delegated_task_uses_the_python_of_the_other_host(self, python: str) -> None:
        made = action(lambda task: {"changed": True}, delegate_to="localhost")
        delegated = {"localhost": {"ansible_python_interpreter": python}}
        assert (
            made.start(ansible_python_interpreter="/usr/bin/env", ansible_delegated_vars=delegated)["changed"] is True
        )
        made = action(lambda task: {"changed": True}, delegate_to="west")
        delegated = {"west": {"ansible_python_interpreter": "/usr/bin/env"}}
        assert made.start(ansible_python_interpreter=python, ansible_delegated_vars=delegated) == {"elsewhere": True}

    def test_a_delegated_task_in_another_process_names_the_python_of_its_host(self) -> None:
        made = action(delegate_to="west", become=True)
        delegated = {"west": {"ansible_python_interpreter": "auto", "other": 1}, "north": {"other": 2}}
        made.start(ansible_python_interpreter="/usr/bin/env", ansible_delegated_vars=delegated)
        assert made.calls[0]["keywords"]["task_vars"] == {
            "inventory_hostname": "east",
            "ansible_python_interpreter": "/usr/bin/env",
            "ansible_delegated_vars": {
                "west": {"ansible_python_interpreter": sys.executable, "other": 1},
                "north": {"other": 2},
            },
        }

    def test_a_delegated_task_to_a_host_without_variables_names_the_python(self) -> None:
        made = action(delegate_to="west", become=True)
        made.start(ansible_python_interpreter="/usr/bin/env")
        named = {"west": {"ansible_python_interpreter": sys.executable}}
        assert made.calls[0]["keywords"]["task_vars"]["ansible_delegated_vars"] == named


class TestTask:
    def test_a_module_gets_its_validated_options_and_modes(self, local_tmp: Path) -> None:
        seen: list[tuple[Task, list[Path]]] = []
        made = action(
            lambda task: seen.append((task, list(local_tmp.iterdir()))) or {},
            args={"name": 7, "password": "canary", "count": "3"},
            check_mode=True,
            diff=True,
        )
        made.start()
        ((task, files),) = seen
        assert (task.name, task.check_mode, task.diff) == (NAME, True, True)
        assert task.params == {
            "name": "7", "password": "canary", "count": 3, "kubeconfig": None, "old": None, "older": None,
        }  # fmt: skip
        assert {"canary", b64("canary")} <= task.secrets
        assert [Path(task.temporary_directory)] == files

    def test_options_are_copied_as_json_would_copy_them(self) -> None:
        """A module in its own process could not change the task's options, and would receive a date as text."""
        day, moment = datetime.date(2031, 1, 2), datetime.datetime(2031, 1, 2, 3, 4)
        given = {"kubeconfig": {"list": [1], "day": day, "moment": moment, "other": Path("/x")}}

        def work(task: Task) -> dict[str, Any]:
            task.params["kubeconfig"]["list"].append(2)
            return {"seen": task.params["kubeconfig"]}

        expected = {"list": [1, 2], "day": "2031-01-02", "moment": "2031-01-02T03:04:00", "other": "/x"}
        assert action(work, args=given).start()["seen"] == expected
        assert given["kubeconfig"]["list"] == [1]

    def test_unknown_options_are_refused(self) -> None:
        result = action(lambda task: {"changed": True}, args={"nmae": "n"}).start()
        assert result["msg"].startswith("option 'nmae' is unknown: did you mean 'name'? it takes ")
        assert (result["failed"], result["changed"]) == (True, False)

    def test_a_module_has_the_environment_of_its_task(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CANARY", "before")

        def work(task: Task) -> dict[str, Any]:
            print("canary")
            return {"seen": [os.environ["CANARY"], str(Path.cwd()), logging.root.manager.disable]}

        made = action(work, environment=[{"CANARY": 5}])
        assert made.start()["seen"] == ["5", str(DIRECTORY), logging.CRITICAL]
        assert os.environ["CANARY"] == "before"

    def test_temporary_files_are_removed(self, local_tmp: Path) -> None:
        def work(task: Task) -> dict[str, Any]:
            (Path(task.temporary_directory) / "key").write_text("canary")
            return {}

        action(work).start()
        assert list(local_tmp.iterdir()) == []


#: Before 2.19, Ansible marks the results of a module.
CORE = tuple(map(int, __version__.split(".")[:2]))
AS_PARSED = {"_ansible_parsed": True} if CORE < (2, 19) else {"ansible_parsed": True} if CORE >= (2, 22) else {}


class TestResult:
    def test_a_result_always_contains_changed(self) -> None:
        result = action(lambda task: {"msg": "x"}).start()
        result.pop("invocation", None)
        assert result == {"changed": False, "msg": "x", **AS_PARSED}

    @pytest.mark.parametrize(
        ("setting", "is_shown"), [("never", False), ("warning", False), ("error", True), ("always", True)]
    )
    def test_a_traceback_is_shown_if_ansible_requests_it(
        self, monkeypatch: pytest.MonkeyPatch, setting: str, is_shown: bool
    ) -> None:
        """Newer versions have a setting for this. In older ones, the result always has a traceback, which -vvv shows."""
        monkeypatch.setenv("ANSIBLE_DISPLAY_TRACEBACK", setting)
        has_setting = "DISPLAY_TRACEBACK" in constants.config.get_configuration_definitions()
        result = action(lambda task: {}["x"]).start()
        assert ("exception" in result) is (is_shown or not has_setting)

    @pytest.mark.parametrize("wanted", [True, False])
    def test_options_are_in_the_result_if_ansible_requests_them(
        self, monkeypatch: pytest.MonkeyPatch, wanted: bool
    ) -> None:
        monkeypatch.setenv("ANSIBLE_INJECT_INVOCATION", str(wanted))
        has_setting = "INJECT_INVOCATION" in constants.config.get_configuration_definitions()
        result = action(args={"name": "n", "password": "x", "count": "3"}).start()
        if wanted or not has_setting:
            shown_args = {"name": "n", "password": HIDDEN, "kubeconfig": None, "count": 3, "old": None, "older": None}
            assert result["invocation"] == {"module_args": shown_args}
        else:
            assert "invocation" not in result


class TestSetting:
    def test_a_setting_of_another_ansible_version_has_its_default(self) -> None:
        assert in_process._setting("NO_SUCH_SETTING", {}, default="it") == "it"

    def test_a_setting_of_this_ansible_version_is_read(self) -> None:
        assert in_process._setting("INTERPRETER_PYTHON", {"ansible_python_interpreter": "x"}, default="it") == "x"


class TestWarnings:
    def test_warnings_of_the_module_and_the_validation_are_returned(self) -> None:
        made = action(
            lambda task: task.warn(["canary one", "two"]) or {}, args={"name": "n", "title": "t", "password": "canary"}
        )
        both = "Both option name and its alias title are set."
        assert made.start()["warnings"] == [both, "******** one", "two"]

    def test_warnings_are_returned_with_a_failure(self) -> None:
        result = action(args={"name": "n", "title": "t", "count": "x"}).start()
        assert result["failed"] is True
        assert result["warnings"] == ["Both option name and its alias title are set."]

    def test_deprecations_have_their_version_or_date(self) -> None:
        found = action(args={"old": "o", "older": "o"}).start()["deprecations"]
        text = "is deprecated. See the module docs for more information"
        assert sorted(found, key=lambda one: one["msg"]) == [
            {"msg": f"Param 'old' {text}", "version": "9.9.9", "collection_name": "openshift_ops.image_pull"},
            {"msg": f"Param 'older' {text}", "date": "2031-01-01", "collection_name": "openshift_ops.image_pull"},
        ]


class TestRegistered:
    """From ansible-core 2.22 on, Ansible masks the credentials of a task in all later output."""

    def test_credentials_of_options_and_of_content_are_registered(self) -> None:
        def work(task: Task) -> dict[str, Any]:
            task.hide('{"auths": {"quay.io": {"username": "robot", "password": "canary-2"}}}')
            task.hide_in_result('{"auths": {"quay.io": {"username": "robot", "password": "failed"}}}')
            return {"said": "failed"}

        said = "robot: canary-1, canary-2, canary-3, failed"
        login = {"password": "canary-1", "kubeconfig": {"users": [{"user": {"token": "canary-3"}}]}}
        assert action(work, args={"name": "n", **login}).start()["said"] == HIDDEN
        shown = "robot: $REDACTED$, $REDACTED$, $REDACTED$, failed"
        assert masked_by_ansible(said) == (shown if HAS_REGISTRY else said)

    def test_a_progress_line_is_masked(self, capsys: pytest.CaptureFixture[str]) -> None:
        action(args={"password": "canary"}).start()
        action()._say_for({"inventory_hostname": "canary"})("1/2")
        assert capsys.readouterr().out == ("[$REDACTED$] 1/2\n" if HAS_REGISTRY else "[canary] 1/2\n")


class TestProgress:
    def test_a_progress_line_names_the_host(self, capsys: pytest.CaptureFixture[str]) -> None:
        action()._say_for({"inventory_hostname": "east"})("1/2")
        action()._say_for({})("2/2")
        assert capsys.readouterr().out == "[east] 1/2\n[] 2/2\n"

    def test_progress_is_displayed_at_once(self) -> None:
        def work(task: Task) -> dict[str, Any]:
            assert task.say
            task.say("1/2")
            return {"seen": list(lines)}

        lines: list[str] = []
        made = action(work)
        made._say_for = lambda variables: lambda line: lines.append(f"{variables['inventory_hostname']}: {line}")
        assert made.start()["seen"] == ["east: 1/2"]

    def test_an_abandoned_thread_shows_no_progress(self, capsys: pytest.CaptureFixture[str]) -> None:
        def work(task: Task) -> dict[str, Any]:
            kept.append(task.say)
            raise Interrupted(signal.SIGALRM)

        kept: list[Any] = []
        with pytest.raises(Interrupted):
            action(work)._run_here({})
        kept[0]("1/2")
        assert capsys.readouterr().out == ""

    def test_progress_of_another_process_is_shown_while_it_runs(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The progress file is in the directory that Ansible created for the task, next to the module."""
        made = action(become=True)
        made._connection._shell.tmpdir = str(tmp_path)
        said = ""

        def meanwhile() -> None:
            nonlocal said
            (tmp_path / "progress").write_text("1/2\n2/2\n")
            deadline = time.monotonic() + LIMIT
            while "2/2" not in said and time.monotonic() < deadline:
                threading.Event().wait(0.05)
                said += capsys.readouterr().out

        made.meanwhile = meanwhile
        assert made.start() == {"elsewhere": True}
        assert "[east] 1/2\n[east] 2/2\n" in said

    def test_a_directory_is_created_for_the_progress_file(self, tmp_path: Path) -> None:
        made = action(become=True)
        with_remote_tmp(made, tmp_path)
        made.start()
        assert Path(made._connection._shell.tmpdir).is_dir()
        assert Path(made._connection._shell.tmpdir).is_relative_to(tmp_path)


@pytest.fixture
def received() -> Iterator[list[int]]:
    """Return the signals that reach the previous handlers, which belong to Ansible's worker."""
    seen: list[int] = []
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, lambda number, _frame: seen.append(number)) for number in numbers}
    yield seen
    for number, handler in before.items():
        signal.signal(number, handler)


class TestEnd:
    @pytest.mark.parametrize("become", [False, True], ids=["here", "elsewhere"])
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_a_signal_cleans_up_and_reaches_the_previous_handler(
        self, received: list[int], local_tmp: Path, tmp_path: Path, number: int, become: bool
    ) -> None:
        def work(task: Task | None = None) -> dict[str, Any]:
            files.extend([*local_tmp.iterdir(), *remote_tmp.iterdir()])
            signal.raise_signal(number)
            raise AssertionError("it goes on")

        files: list[Path] = []
        made = action(work, become=become)
        remote_tmp = with_remote_tmp(made, tmp_path)
        made.meanwhile = work
        cwd = Path.cwd()
        with pytest.raises(Interrupted):
            made.start()
        assert received == [number]
        assert len(files) == 1
        assert list(remote_tmp.iterdir()) == []
        assert list(local_tmp.iterdir()) == []
        assert Path.cwd() == cwd

    @pytest.mark.parametrize("when", ["before", "meanwhile"])
    @pytest.mark.parametrize("become", [False, True], ids=["here", "elsewhere"])
    def test_the_worker_of_a_killed_parent_ends(self, local_tmp: Path, tmp_path: Path, become: bool, when: str) -> None:
        """The test starts a parent process, which starts a worker like Ansible does and is then killed."""
        reader, writer = os.pipe()
        parent = os.fork()
        if not parent:
            try:
                context: Any = multiprocessing.get_context("fork")
                context.Process(target=self.be_a_worker, args=(writer, tmp_path, become, when)).start()
            finally:
                os.close(writer)
                signal.pause()
        os.close(writer)
        told = b""
        try:
            while select.select([reader], [], [], LIMIT)[0] and (part := os.read(reader, 100)):
                told += part
                if told == b"begun":
                    os.kill(parent, signal.SIGKILL)
        finally:
            os.kill(parent, signal.SIGKILL)
            os.waitpid(parent, 0)
            os.close(reader)
        assert told == b"begun, SIGTERM, files: 0"

    def be_a_worker(self, writer: int, tmp_path: Path, become: bool, when: str) -> None:
        def begin() -> None:
            os.write(writer, b"begun")
            for _turn in range(LIMIT * 10):
                threading.Event().wait(0.1)
                if when == "before" and os.getppid() != parent:
                    return

        def end(_number: int, _frame: Any) -> None:
            files = list((tmp_path / "local_tmp").iterdir())
            os.write(writer, f", SIGTERM, files: {len(files)}".encode())
            os._exit(0)

        def work(_task: Task | None = None) -> dict[str, Any]:
            if when == "meanwhile":
                begin()
            threading.Event().wait(LIMIT)
            return {}

        parent = os.getppid()
        signal.signal(signal.SIGTERM, end)
        made = action(work, become=become)
        made._connection._shell.tmpdir = str(tmp_path)
        made.meanwhile = work
        if when == "before":
            begin()
        made.start()
        os._exit(0)


class TestHidden:
    """A result with hidden values is passed to the next task and never displayed."""

    CONTENT: ClassVar[dict[str, Any]] = {"auths": {"quay.io": {"auth": "canary"}}}

    @pytest.fixture
    def handing_on(self) -> Callable[..., Any]:
        def make(result: dict[str, Any], **fields: Any) -> Action:
            made = action(lambda task: result, args={"password": "quay.io"}, **fields)
            made.module = replace(made.module, hidden=("auth_config",))
            return made

        return make

    @staticmethod
    def run(made: Action) -> dict[str, Any]:
        result: dict[str, Any] = made.run(task_vars={"inventory_hostname": "east"})
        return result

    def test_a_hidden_value_is_returned_and_the_result_is_censored(self, handing_on: Any) -> None:
        made = handing_on({"auth_config": self.CONTENT, "msg": "quay.io"})
        result = self.run(made)
        assert (result["auth_config"], result["msg"]) == (self.CONTENT, HIDDEN)
        assert result["_ansible_no_log"] is True
        assert made._task.no_log is True, "before ansible-core 2.21 only this counts"

    @pytest.mark.parametrize("result", [{}, {"registries": []}, {"failed": True, "msg": "why"}], ids=str)
    def test_a_result_without_a_hidden_value_is_shown(self, handing_on: Any, result: dict[str, Any]) -> None:
        made = handing_on(result)
        assert "_ansible_no_log" not in self.run(made)
        assert made._task.no_log is not True

    def test_a_module_without_hidden_values_is_shown(self) -> None:
        made = action(lambda task: {"auth_config": "x"})
        assert "_ansible_no_log" not in self.run(made)

    def test_a_module_with_hidden_values_refuses_async(self, handing_on: Any) -> None:
        """Ansible would keep the result in a file, and another module would return it."""
        made = handing_on({"auth_config": self.CONTENT}, async_val=10)
        result = self.run(made)
        assert result["failed"]
        assert "cannot run with 'async'" in result["msg"]
        assert made.calls == []


class TestVariables:
    """Mistakes that Ansible ignores are refused before the module runs."""

    @pytest.fixture
    def ours(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
        """Run the action of a task from a file."""

        def call(path: str, args: Mapping[str, Any], **variables: Any) -> dict[str, Any]:
            made = action(lambda task: {"changed": True, "msg": "option 'name' is read"}, args=dict(args))
            monkeypatch.setattr(made._task, "get_path", lambda: path, raising=False)
            given = {"inventory_hostname": "east", "ansible_python_interpreter": sys.executable, **variables}
            return dict(made.run(None, given))

        return call

    OURS = f"{Path(__file__).parents[4]}/playbooks/site.yml:1"

    def test_a_misspelled_variable_is_refused_only_in_our_tasks(self, ours: Callable[..., dict[str, Any]]) -> None:
        refused = ours(self.OURS, {"name": "n"}, image_pull_kubeconfg="/x")
        assert refused["failed"]
        assert "variable image_pull_kubeconfg is unknown: did you mean 'image_pull_kubeconfig'?" in refused["msg"]
        assert ours("/elsewhere/site.yml:1", {"name": "n"}, image_pull_kubeconfg="/x")["changed"]

    @pytest.mark.parametrize("password", [83, True, 1.5, datetime.date(2030, 1, 2)])
    def test_a_credential_changed_by_yaml_is_refused_everywhere(
        self, ours: Callable[..., dict[str, Any]], password: Any
    ) -> None:
        refused = ours("/elsewhere/site.yml:1", {"name": "n", "password": password})
        assert refused["failed"]
        assert "password is " in refused["msg"] and "put it in quotes" in refused["msg"]
        assert str(password) not in refused["msg"].replace("true or false", "")


class TestFiles:
    """Files that a role reads begin in the directory of the command, like those that it writes."""

    SPEC: ClassVar[dict[str, Any]] = {
        "ca": {"type": "path"},
        "sources": {"type": "list", "elements": "path"},
        "auth_file": {"type": "str"},
        "kubeconfig": {"type": "raw"},
        "name": {"type": "str"},
        "labels": {"type": "dict"},
        "entries": {"type": "list", "elements": "dict", "options": {"ca": {"type": "path"}, "name": {"type": "str"}}},
    }

    @pytest.mark.parametrize(
        ("given", "found"),
        [
            ({"ca": "a", "name": "n", "labels": {"ca": "l"}}, {"ca": "<a>", "name": "n", "labels": {"ca": "l"}}),
            ({"sources": ["a", "b"], "auth_file": "c"}, {"sources": ["<a>", "<b>"], "auth_file": "<c>"}),
            ({"entries": [{"ca": "a", "name": "n"}, 3]}, {"entries": [{"ca": "<a>", "name": "n"}, 3]}),
            ({"kubeconfig": "a:b"}, {"kubeconfig": "<a>:<b>"}),
            ({"kubeconfig": {"users": ["a"]}}, {"kubeconfig": {"users": ["a"]}}),
            ({"kubeconfig": "kind: Config"}, {"kubeconfig": "kind: Config"}),
            ({"ca": None, "sources": "a", "other": "a"}, {"ca": None, "sources": "a", "other": "a"}),
        ],
    )
    def test_each_path_is_found_and_nothing_else_changes(self, given: dict[str, Any], found: dict[str, Any]) -> None:
        assert in_process.find_files(self.SPEC, given, lambda path: f"<{path}>") == found

    @pytest.mark.parametrize(
        ("path", "transport", "seen"),
        [
            (TestVariables.OURS, "local", "{directory}/config"),
            (TestVariables.OURS, "ssh", "config"),
            ("/elsewhere/site.yml:1", "local", "config"),
        ],
    )
    def test_the_files_of_other_tasks_and_hosts_stay_as_they_are(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, transport: str, seen: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        made = action(args={"kubeconfig": "config"}, transport=transport)
        monkeypatch.setattr(made._task, "get_path", lambda: path, raising=False)
        monkeypatch.setattr(made, "_execute_module", lambda *_arguments, **_more: {})
        made.run(None, {"inventory_hostname": "east"})
        assert made._task.args["kubeconfig"] == seen.format(directory=tmp_path)
