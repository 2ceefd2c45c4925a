# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `rotate` without the old password, on an API server and a registry in memory: plan, canary, writes and retirement.

Any login of the user counts as the old one then, so a secret is written only if the registry accepts its own login.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.between_tasks import play_with_changes
from support.certificates import server_context
from support.fake_api import FakeApi
from support.hostile_registry import HostileRegistry, served
from support.objects import b64
from support.playbooks import Play
from support.scripted_pool import Request, status_object

USER = "robot"
OLD, NEW = f"{USER}:Canary-old-password", f"{USER}-2:Canary-new-password"
#: More different logins than the rotation asks about for one secret.
GUESSES = [f"{USER}:Canary-guess-{number}" for number in range(4)]
GUESS = f"{USER}:Canary-guess"
#: A login for which the registry gives no answer, because it limits requests.
LIMITED = f"{USER}:Canary-limited"
#: The status of a pod that has pulled its image.
PULLED = {
    "phase": "Running",
    "containerStatuses": [{"name": "c", "imageID": "i", "state": {"running": {}}, "ready": True}],
}
#: The first task of the last play that runs.
FINISH = "Keep the times that this cluster needs before the retirement"
RETIRE = """
- name: Disable the old login
  ansible.builtin.copy:
    content: ""
    dest: "{retired}"
    mode: "0600"
"""


@dataclass
class Registry:
    """A registry that accepts two logins and limits the requests with `limited`. `asked` are the received logins."""

    certificate: str
    host: str = ""
    limited: str = LIMITED
    asked: list[str] = field(default_factory=list)

    def script(self, server: HostileRegistry) -> Iterable[bytes]:
        head = server.requests[-1].decode()
        login = base64.b64decode(head.partition("Authorization: Basic ")[2].split("\r\n")[0]).decode()
        self.asked += [login] if login else []
        status = {OLD: "200 OK", NEW: "200 OK"}.get(login, "401 Unauthorized")
        status = "429 Too Many Requests" if login == self.limited else status
        lines = [f"HTTP/1.1 {status}", 'WWW-Authenticate: Basic realm="r"', "Content-Length: 0", "Connection: close"]
        yield "\r\n".join([*lines, "", ""]).encode()


@pytest.fixture
def registry(certificate: str, no_outside_settings: None) -> Iterator[Registry]:
    found = Registry(certificate)
    with served(found.script, server_context(certificate)) as server:
        found.host = server.host
        yield found


@dataclass
class Fleet:
    """A cluster with two namespaces: `team` has the old login, and a project user writes into `hers`. The inventory declares both."""

    api: FakeApi
    server: str
    registry: Registry
    directory: Path

    def secret(self, namespace: str, *logins: str) -> None:
        keys = [f"{self.registry.host}/{number}" if number else self.registry.host for number in range(len(logins))]
        auths = {key: {"auth": b64(login)} for key, login in zip(keys, logins, strict=True)}
        data = {".dockerconfigjson": b64({"auths": auths})}
        self.api.put("secrets", namespace, "pull", type="kubernetes.io/dockerconfigjson", data=data)

    def logins(self, namespace: str) -> list[str]:
        found = self.api.get("secrets", namespace, "pull")
        assert found is not None
        auths = json.loads(base64.b64decode(found["data"][".dockerconfigjson"]))["auths"]
        return [base64.b64decode(entry["auth"]).decode() for entry in auths.values()]

    @property
    def is_retired(self) -> bool:
        return (self.directory / "retired").exists()

    def rotate(self, *options: str, before: Callable[[str], None] = lambda task: None, **variables: Any) -> Play:
        (self.directory / "retire.yml").write_text(RETIRE.format(retired=self.directory / "retired"))
        username, _colon, password = NEW.partition(":")
        given = {
            "image_pull_host": self.server,
            "image_pull_api_key": "token",
            "image_pull_ca_cert": self.registry.certificate,
            "credential_rotation_registries": [self.registry.host],
            "credential_rotation_old": {"username": USER},
            "credential_rotation_new": {"username": username, "password": password},
            "credential_rotation_secrets": [{"name": "pull", "namespaces": ["team", "hers"]}],
            "credential_rotation_canary_namespaces": ["hers"],
            "credential_rotation_retire_tasks": str(self.directory / "retire.yml"),
            "image_pull_registry_ca_cert": self.registry.certificate,
            "credential_rotation_nodes": False,
            "credential_rotation_reimport": False,
            "credential_rotation_soak_seconds": 0,
            **variables,
        }
        done = play_with_changes("rotate", {"east": given}, self.directory, before, *options)
        assert "anary" not in done.output.replace("canary", "").replace("Canary: ", "")
        return done


@pytest.fixture
def fleet(registry: Registry, tmp_path: Path) -> Iterator[Fleet]:
    api = FakeApi()
    for name in ("team", "hers"):
        api.put("namespaces", "", name)
    with api.served() as server:
        found = Fleet(api, server, registry, tmp_path)
        found.secret("team", OLD)
        yield found


def denied(pattern: str) -> Callable[[Fleet], None]:
    return lambda fleet: fleet.api.fail(pattern, status_object(403, "Forbidden", "no right"), times=10**9)


def said(done: Play) -> str:
    return done.text


class TestUnanswered:
    @pytest.fixture
    def hers(self, fleet: Fleet) -> list[str]:
        fleet.secret("hers", LIMITED)
        return [LIMITED]

    @pytest.mark.parametrize(
        "hers",
        [
            pytest.param(GUESSES, id="four guesses", marks=pytest.mark.slow),
            pytest.param([LIMITED], id="a limited registry"),
        ],
    )
    def test_secret_is_not_written_and_stops_the_retirement(self, fleet: Fleet, hers: list[str]) -> None:
        fleet.secret("hers", *hers)
        done = fleet.rotate()
        assert (fleet.logins("hers"), fleet.logins("team")) == (hers, [NEW])
        assert (done.status != 0, fleet.is_retired) == (True, False), done.output
        assert "do not disable the old login yet: it is still in" in said(done)
        assert "hers/pull (127.0.0.1" in said(done)
        assert "it is not known whether a registry accepts its own login, so it was not changed" in said(done)
        assert "1 confirmed secret left with the old login" in said(done)

    @pytest.mark.slow
    def test_operator_can_leave_the_login_in_the_next_run(self, fleet: Fleet, hers: list[str]) -> None:
        """All other secrets have the new login by then."""
        assert fleet.rotate(credential_rotation_retire_tasks="").status != 0
        done = fleet.rotate(credential_rotation_allow=["remaining"])
        assert (fleet.logins("hers"), fleet.logins("team")) == (hers, [NEW])
        assert (done.status, fleet.is_retired) == (0, True), done.output
        assert "1 confirmed secret left with the old login" in said(done)

    @pytest.mark.slow
    def test_a_refused_login_does_not_fail_the_next_run(self, fleet: Fleet) -> None:
        fleet.secret("hers", GUESS)
        for changes in (1, 0):
            done = fleet.rotate(credential_rotation_retire_tasks="", credential_rotation_canary_namespaces=["team"])
            assert (done.status, done.recap["changed"]) == (0, changes), done.output
        assert (fleet.logins("hers"), fleet.logins("team")) == ([GUESS], [NEW])

    @pytest.mark.slow
    def test_a_forged_plan_proves_nothing_and_a_plan_without_the_secret_continues(
        self, fleet: Fleet, hers: list[str]
    ) -> None:
        plan = fleet.directory / "plan.yml"
        planned = fleet.rotate("--check", credential_rotation_plan_dest=str(plan)).succeeded()
        assert planned.output.count("TASK [Result]") == 1
        content = yaml.safe_load(plan.read_text())
        rows = {row["namespace"]: row for row in content["secrets"]}
        assert {*rows} == {"team", "hers"} and not any("is_accepted" in row for row in rows.values())
        plan.write_text(yaml.safe_dump({**content, "secrets": [{**row, "is_accepted": True} for row in rows.values()]}))
        forged = fleet.rotate(credential_rotation_plan=str(plan))
        assert (fleet.logins("hers"), forged.status != 0, fleet.is_retired) == (hers, True, False), forged.output
        fleet.secret("team", OLD)
        plan.write_text(yaml.safe_dump({**content, "secrets": [{**rows["team"], "is_accepted": False}]}))
        done = fleet.rotate(credential_rotation_plan=str(plan), credential_rotation_canary_namespaces=["team"])
        assert (fleet.logins("hers"), fleet.logins("team")) == (hers, [NEW])
        assert (done.status, fleet.is_retired) == (0, True), done.output

    @pytest.mark.slow
    def test_an_emergency_replaces_the_login(self, fleet: Fleet, hers: list[str]) -> None:
        """The operator has confirmed the secret and says that dead logins count."""
        asked = len(fleet.registry.asked)
        done = fleet.rotate(credential_rotation_emergency=True, credential_rotation_retire_tasks="")
        assert (fleet.logins("hers"), fleet.logins("team")) == ([NEW] * len(hers), [NEW])
        assert done.status == 0, done.output
        assert {*fleet.registry.asked[asked:]} == {NEW}


class TestAfterThePlan:
    def before_a_write(self, fleet: Fleet, place: str, change: Callable[[], None]) -> None:
        """Let her write just before the first write into a namespace arrives."""
        pending = [change]

        def before(request: Request) -> None:
            if request.method == "PATCH" and f"/namespaces/{place}/secrets/" in request.path and pending:
                pending.pop()()

        fleet.api.before = before

    @pytest.mark.parametrize(
        ("place", "logins"),
        [
            pytest.param("team", [GUESS], id="between two tasks, refused", marks=pytest.mark.slow),
            pytest.param("team", GUESSES, id="between two tasks, no answer", marks=pytest.mark.slow),
            pytest.param("hers", [LIMITED], id="in the task that writes", marks=pytest.mark.newest_core),
        ],
    )
    def test_login_that_replaces_an_accepted_one_is_not_written(
        self, fleet: Fleet, place: str, logins: list[str]
    ) -> None:
        """The canary is in another namespace, and the plan has accepted the login of her secret."""
        fleet.secret("hers", OLD)
        self.before_a_write(fleet, place, lambda: fleet.secret("hers", *logins))
        done = fleet.rotate(credential_rotation_canary_namespaces=["team"])
        assert (fleet.logins("hers"), fleet.logins("team")) == (logins, [NEW])
        assert (done.status != 0, fleet.is_retired) == (True, False), done.output
        assert "hers/pull: it has a login that this rotation replaces" in said(done)

    @pytest.mark.slow
    def test_node_does_not_test_a_login_that_the_canary_did_not_write(self, fleet: Fleet) -> None:
        """The pull would prove the old login, and all namespaces would then get the new one."""
        image = f"{fleet.registry.host}/team/app:v1"
        spec = {"containers": [{"name": "c", "image": image}], "imagePullSecrets": [{"name": "pull"}], "nodeName": "n"}
        fleet.api.put("pods", "team", "app", spec=spec, status=PULLED)
        fleet.api.put("nodes", "", "n", status={"conditions": [{"type": "Ready", "status": "True"}]})

        def before(task: str) -> None:
            fleet.registry.limited = OLD if task == "Rotate in the canary namespaces" else LIMITED

        fast = {"credential_rotation_probe_timeout": 2}
        done = fleet.rotate(before=before, credential_rotation_canary_namespaces=["team"], **fast)
        assert [one for one in fleet.api.writes if "/pods" in one] == []
        assert "no node tests it before all namespaces get it" in said(done)
        assert (done.status, fleet.logins("team"), fleet.is_retired) == (0, [NEW], True), done.output

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("task", "change", "is_written"),
        [
            ("Rotate in the canary namespaces", denied("PATCH .*/hers/secrets"), False),
            ("Rotate in all namespaces", denied("GET .*/secrets"), False),
            ("Rotate in all namespaces", denied("PATCH .*/team/secrets"), False),
            # The new login is in both secrets, and a controller writes the old one back.
            (FINISH, lambda fleet: fleet.secret("team", OLD), True),
            (FINISH, denied("GET .*/pods"), True),
        ],
        ids=["canary is refused", "secrets cannot be read", "write is refused", "login is back", "pods cannot be read"],
    )
    def test_the_login_is_not_retired_after_a_surprise(
        self, fleet: Fleet, task: str, change: Callable[[Fleet], None], is_written: bool
    ) -> None:
        fleet.secret("hers", OLD)
        written: list[list[str]] = []

        def before(name: str) -> None:
            if name == task and not written:
                written.append(fleet.logins("team"))
                change(fleet)

        done = fleet.rotate(before=before)
        assert written == [[NEW] if is_written else [OLD]]
        assert (done.status != 0, fleet.is_retired) == (True, False), done.output
        assert is_written or fleet.logins("team") == [OLD]

    @pytest.mark.newest_core
    def test_registry_is_asked_once_for_each_login_and_task(self, fleet: Fleet) -> None:
        fleet.secret("hers", OLD)
        done = fleet.rotate()
        assert (done.status, fleet.is_retired) == (0, True), done.output
        assert (fleet.logins("hers"), fleet.logins("team")) == ([NEW], [NEW])
        assert fleet.registry.asked.count(OLD) == 4, "two plans, the canary and the writes"
