# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module returns the same result in Ansible's process and in its own, and neither result shows a credential."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible import constants
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import HIDDEN
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Module, Task
from support.objects import b64

from unit.ansible_process import Work, action
from unit.canaries import CANARIES, forms_of, shown
from unit.listed_things import FORM, INVALID, LISTED
from unit.own_process import ARGUMENTS, NAME, in_own_process

Run = Callable[..., dict[str, Any]]


@pytest.fixture(params=["in Ansible's process", "in its own process"])
def run(
    request: pytest.FixtureRequest, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs a module and returns its result with its options. `tracebacks`: whether Ansible adds them to each failure in a process."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setenv("ANSIBLE_DISPLAY_TRACEBACK", "error")
    monkeypatch.setenv("ANSIBLE_INJECT_INVOCATION", "1")
    own_process = in_own_process(tmp_path, capfd, monkeypatch)

    def call(
        work: Work = lambda task: {}, /, *, module: Module | None = None, tracebacks: bool = False, **options: Any
    ) -> Any:
        if request.param == "in its own process":
            return own_process(work, module=module, tracebacks=tracebacks, **options).result
        made = action(work, args=options)
        made.module = module or made.module
        return made.start()

    return call


class TestResult:
    def test_a_success_returns_the_result(self, run: Run) -> None:
        result = {"changed": True, "list": [1, None, {"a": 0.5}]}
        assert run(lambda task: result).items() >= result.items()

    def test_the_rules_between_options_are_enforced(self, run: Run) -> None:
        module = Module(ARGUMENTS, lambda task: {}, None, {"mutually_exclusive": [("name", "count")]})
        result = run(module=module, name="n", count=2)
        assert (result["failed"], result["msg"]) == (True, "give only one of options 'name' and 'count'")

    def test_a_refusal_has_a_message_and_no_traceback(self, run: Run) -> None:
        def work(_task: Task) -> dict[str, Any]:
            raise OptionError("option 'name' is wrong")

        result = run(work)
        assert (result["failed"], result["msg"]) == (True, "option 'name' is wrong")
        assert "exception" not in result

    def test_an_unexpected_error_is_reported_without_its_text(self, run: Run) -> None:
        """The text, which may be part of a secret of the cluster, is not shown."""
        content = "can" + "ary"

        def work(_task: Task) -> dict[str, Any]:
            raise KeyError(content)

        result = run(work, tracebacks=True)
        assert "canary" not in json.dumps(result)
        assert result["failed"] is True
        assert re.fullmatch(
            rf"{NAME} stopped at an unexpected error: KeyError in work, line \d+ of {Path(__file__).name}. Run it again with -vvv, from "
            r"ansible-core 2.19 on with ANSIBLE_DISPLAY_TRACEBACK=error, and report it with the traceback",
            result["msg"],
        )
        assert result["exception"].startswith("Traceback (most recent call last):\n")
        assert result["exception"].endswith("\nKeyError\n")

    def test_a_run_without_warnings_returns_none(self, run: Run) -> None:
        assert not {"warnings", "deprecations"} & set(run())


class TestEntries:
    """All entries that Ansible's validation refuses are named together, by position and name, and never by value."""

    def refused(self, run: Run, *entries: Any, **more: Any) -> dict[str, Any]:
        module = Module(LISTED, lambda task: {"changed": True}, None, lists=[FORM])
        result = run(module=module, things=list(entries), **more)
        assert (result["failed"], result.get("changed", False)) == (True, False)
        return result

    def test_all_invalid_entries_are_named_at_once(self, run: Run) -> None:
        result = self.refused(run, *INVALID)
        message = result["msg"]
        assert message.startswith("nothing was read or changed: things[1] (two): ")
        assert [message.count(f"things[{number}]") for number in range(4)] == [0, 2, 0, 2]
        assert "things[3]: " in message
        assert "canary" not in message.lower()
        assert not any(secret in json.dumps(result) for secret in ("canary-2", "canary-3", "xyz"))
        shown_entries = result["invocation"]["module_args"]["things"]
        passwords = [entry.get("passwrod", entry.get("password")) for entry in shown_entries]
        assert passwords == [None, HIDDEN, HIDDEN, HIDDEN]

    def test_an_unknown_option_next_to_valid_entries_is_refused(self, run: Run) -> None:
        message = self.refused(run, {"name": "one"}, nmae="x")["msg"]
        assert message.startswith("option 'nmae' is unknown: did you mean 'name'? it takes ")

    def test_invalid_entries_are_reported_before_unknown_options(self, run: Run) -> None:
        assert "things[0]: " in self.refused(run, {"count": "x"}, nmae="x")["msg"]

    @pytest.mark.parametrize("forms", [{"form": FORM}, {"lists": [FORM]}], ids=["form", "lists"])
    def test_valid_entries_reach_the_module_and_its_failure_is_reported(self, run: Run, forms: dict[str, Any]) -> None:
        seen: list[Any] = []

        def work(task: Task) -> dict[str, Any]:
            seen.extend(task.params["things"])
            assert {"canary-1", b64("canary-1")} <= task.secrets
            return {"failed": True, "msg": "its own canary-1"}

        module = Module(LISTED, work, None, **forms)
        result = run(module=module, things=[{"name": "one", "password": "canary-1", "count": "3"}])
        assert seen == [{"name": "one", "password": "canary-1", "count": 3, "namespaces": None, "title": None}]
        assert result["msg"] == "its own ********"
        (shown_entry,) = result["invocation"]["module_args"]["things"]
        assert (shown_entry["name"], shown_entry["password"]) == ("one", HIDDEN)


class TestNoCredential:
    """A server's message may repeat the sent data."""

    @pytest.mark.parametrize("canary", CANARIES)
    def test_a_result_shows_no_credential(self, run: Run, canary: str) -> None:
        said = {f"key{n}": [f"it said {form}!"] for n, form in enumerate(forms_of(canary))}
        result = run(lambda task: said, password=canary, kubeconfig={"username": "robot", "password": canary})
        assert shown(json.dumps(result), canary) == []
        assert [result[name] for name in said] == [["it said ********!"]] * len(said)
        options = result["invocation"]["module_args"]
        assert (options["password"], options["kubeconfig"]) == (HIDDEN, HIDDEN)

    @pytest.mark.parametrize("canary", CANARIES)
    def test_refused_options_show_no_credential(self, run: Run, canary: str) -> None:
        result = run(count=f"x{canary}", kubeconfig={"token": canary}, passwrod=canary)
        assert result["failed"] is True
        assert "count" in result["msg"]
        assert shown(json.dumps(result), canary) == []
        assert result["invocation"]["module_args"]["passwrod"] == HIDDEN

    def test_a_credential_from_a_file_is_masked(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "auth.json").write_text(json.dumps({"auths": {"quay.io": {"auth": b64("robot:canary")}}}))
        result = run(lambda task: {"msg": task.read_file(str(tmp_path / "auth.json")) + "canary"})
        assert shown(json.dumps(result), "canary") == []

    def test_a_password_of_one_letter_does_not_garble_the_result(self, run: Run) -> None:
        """Masking the letter would reveal it."""
        result = run(lambda task: {"msg": "a namespace"}, name="namespace", password="a")
        assert result["msg"] == "a namespace"
        options = result["invocation"]["module_args"]
        assert (options["name"], options["password"]) == ("namespace", HIDDEN)
