# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A project user who plants the old login in every form in her own project never gets the new login from a rotation.

Nothing in her project stops the rotation of the others.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import Following, Lab, path_of
from support.modules import run_module
from support.objects import b64
from support.playbooks import Play, forms, play, variables_file
from support.project_user import ProjectUser, auth_file

_numbers = itertools.count()
#: The operator's knowledge of the old login, and the resulting options of the module.
WAYS: dict[str, dict[str, Any]] = {
    "the old password is known": {},
    "only the user is known": {"without": True},
    "in an emergency": {"without": True, "replace_dead_logins": True},
}
Login = dict[str, str]


def auth(login: Login) -> str:
    return b64(f"{login['username']}:{login['password']}")


def text_of(login: Login, *keys: str) -> str:
    return auth_file(dict.fromkeys(keys, (login["username"], login["password"])))


class Fleet:
    """The projects of a victim and of a project user, and two logins for the registry. The victim has the old one."""

    def __init__(self, lab: Lab, victim: str, mallory: ProjectUser) -> None:
        self.lab, self.victim, self.mallory, self.number = lab, victim, mallory, next(_numbers)
        names = [f"stolen-{self.number}-{part}" for part in ("old", "new")]
        for name in names:
            lab.registry_set("private", "--add", name)
        self.host, self.image = lab.registry("private")["host"], lab.registry("private")["image"]
        accounts = {one["username"]: one["password"] for one in lab.registry("private")["accounts"]}
        self.old, self.new = ({"username": name, "password": accounts[name]} for name in names)
        self.secret(victim, "pull")

    def secret(self, namespace: str, name: str, login: Login | None = None, **fields: Any) -> dict[str, Any]:
        data = {".dockerconfigjson": b64(text_of(login or self.old, self.host))}
        body = {"metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson", "data": data, **fields}
        return self.lab.create(namespace, "secrets", body)

    @property
    def declared(self) -> list[dict[str, Any]]:
        return [{"namespaces": [self.victim], "name": "pull"}]

    def rotate(self, *, without: bool = False, **options: Any) -> dict[str, Any]:
        old = {"username": self.old["username"]} if without else self.old
        given = {"registries": [self.host], "old": old, "new": self.new, "registry_ca_cert": self.lab.data["ca_cert"]}
        return run_module("credential_rotation", kubeconfig=self.lab.kubeconfig, **{**given, **options})

    def login_of(self, namespace: str, name: str = "pull") -> str:
        return str(self.lab.entries(namespace, name)[self.host]["auth"])

    def stolen(self) -> list[str]:
        """Everything in her project that holds the new login in any form."""
        found = self.mallory.request("GET", path_of(self.mallory.namespace, "secrets"))["items"]
        texts = [self.mallory.read_secret(each["metadata"]["name"]) for each in found]
        secret = {*forms(self.new["password"], self.new["username"])}
        return [text for text in [*texts, json.dumps(found)] if any(form in text for form in secret)]

    def is_rotated(self) -> bool:
        return self.login_of(self.victim) == auth(self.new)

    def following(self) -> AbstractContextManager[Following]:
        """A node that pulls for the pods of both projects. Other projects of the lab have pods whose registries never answer."""
        return self.lab.following("--node", "node-1", "--status", self.victim, self.mallory.namespace)


@pytest.fixture
def fleet(lab: Lab, namespaces: Callable[..., list[str]]) -> Iterator[Fleet]:
    victim, own = namespaces(2)
    yield Fleet(lab, victim, ProjectUser.create(lab, f"mallory-{own}", own))
    for name in (victim, own):
        lab.api("DELETE", path_of(name, "secrets"))


def plant(fleet: Fleet, login: Login) -> list[str]:
    """Create the old login in every form that a rotation finds."""
    mallory, host = fleet.mallory, fleet.host
    glob = f"*.{host.partition('.')[2]}"
    mallory.secret("plain", text_of(login, host))
    mallory.secret("aaa", text_of(login, f"https://{host}/v2/", f"{host}/team"))
    generated = {"annotations": {"openshift.io/token-secret.name": "t"}}
    mallory.secret("glob", text_of(login, glob), metadata=generated)
    mallory.secret("legacy", json.dumps({host: {"auth": auth(login)}}), key=".dockercfg")
    mallory.secret("opaque", text_of(login, host), key="config.json")
    mallory.secret("other", text_of(login, host), key="anything", type="helm.sh/release.v1")
    mallory.secret("pull", text_of(login, host))  # as in the victim's project
    mallory.secret("immutable", text_of(login, host), immutable=True)
    marks = {"annotations": {"image-pull.openshift-ops/rotated-from": "pull"}}
    mallory.secret("pull-rotated", text_of(login, host), metadata=marks)
    marks = {
        "labels": {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": "team-a"},
        "annotations": {"image-pull.openshift-ops/declared": "true"},
    }
    mallory.secret("labelled", text_of(login, host), metadata=marks)
    return ["aaa", "glob", "immutable", "labelled", "legacy", "opaque", "other", "plain", "pull", "pull-rotated"]


class TestPlanted:
    @pytest.mark.parametrize("guess", [False, True], ids=["with the old password", "with a guess"])
    @pytest.mark.parametrize("way", WAYS)
    def test_project_user_never_reads_the_new_login(self, fleet: Fleet, way: str, guess: bool) -> None:
        planted = plant(fleet, {**fleet.old, "password": "a-guess-of-hers"} if guess else fleet.old)
        found = fleet.rotate(secrets=fleet.declared, **WAYS[way])
        assert not found["failed"], found.get("msg")
        assert fleet.stolen() == []
        assert fleet.is_rotated()
        rows = {row["name"] for row in found["rotation"]["not_declared"] if row["namespace"] == fleet.mallory.namespace}
        is_found = not guess or WAYS[way].get("without")
        assert rows == ({*planted} if is_found else set())

    @pytest.mark.parametrize("way", WAYS)
    def test_a_rotation_without_confirmed_secrets_writes_nothing(self, fleet: Fleet, way: str) -> None:
        plant(fleet, fleet.old)
        found = fleet.rotate(**WAYS[way])
        assert (found["failed"], found["changed"], fleet.stolen()) == (False, False, [])
        assert f'- {{namespace: "{fleet.victim}", name: "pull"}}' in [
            row["fix"] for row in found["rotation"]["not_declared"]
        ]

    def test_a_rollback_gives_the_project_user_no_login(self, fleet: Fleet) -> None:
        assert fleet.rotate(secrets=fleet.declared)["changed"]
        plant(fleet, {**fleet.new, "password": "a-guess-of-hers"})
        fleet.old, fleet.new = fleet.new, fleet.old
        assert fleet.rotate(secrets=fleet.declared, without=True)["changed"]
        assert fleet.is_rotated()
        assert fleet.stolen() == []

    def test_a_selector_gives_the_new_login_to_its_namespaces_only(self, fleet: Fleet) -> None:
        plant(fleet, fleet.old)
        entry = {"name": "pull", "namespace_selector": {"include": [fleet.victim]}}
        assert fleet.rotate(secrets=[entry])["changed"]
        assert (fleet.is_rotated(), fleet.stolen()) == (True, [])

    def test_a_guess_in_a_declared_secret_is_not_filled(self, fleet: Fleet) -> None:
        """The entry names a secret of hers with another login of the same user. Only logins that the registry accepts are replaced."""
        own = fleet.mallory.namespace
        fleet.mallory.secret("pull", text_of({**fleet.old, "password": "a-guess-of-hers"}, fleet.host))
        declared = [{"namespaces": [fleet.victim, own], "name": "pull"}]
        found = fleet.rotate(secrets=declared, without=True)
        assert (found["failed"], fleet.is_rotated(), fleet.stolen()) == (False, True, [])
        (row,) = found["rotation"]["not_accepted"]
        assert (row["namespace"], row["secret"]) == (own, "pull")
        assert "refuses the login" in row["reason"]


class TestAfterThePlan:
    def confirmed(self, fleet: Fleet, **options: Any) -> list[dict[str, Any]]:
        planned = fleet.rotate(check=True, **options)
        return [row for row in planned["rotation"]["secrets"] if row["declared"]]

    @pytest.mark.parametrize("way", WAYS)
    def test_a_secret_that_is_planted_after_the_plan_is_not_written(self, fleet: Fleet, way: str) -> None:
        rows = self.confirmed(fleet, secrets=fleet.declared, **WAYS[way])
        plant(fleet, fleet.old)
        assert fleet.rotate(secrets=rows, verify=False, **WAYS[way])["changed"]
        assert (fleet.is_rotated(), fleet.stolen()) == (True, [])

    @pytest.mark.parametrize("way", WAYS)
    def test_unconfirmed_rows_are_refused_by_a_later_task(self, fleet: Fleet, way: str) -> None:
        plant(fleet, fleet.old)
        planned = fleet.rotate(check=True, secrets=fleet.declared, **WAYS[way])
        found = fleet.rotate(secrets=planned["rotation"]["secrets"], verify=False, **WAYS[way])
        assert fleet.stolen() == []
        assert found["failed"] and "so this row is not confirmed" in found["msg"]
        assert not fleet.is_rotated()

    @pytest.mark.parametrize("way", WAYS)
    def test_a_secret_that_is_created_again_after_the_plan_is_not_written(self, fleet: Fleet, way: str) -> None:
        own = fleet.mallory.namespace
        fleet.mallory.secret("pull", text_of(fleet.old, fleet.host))
        declared = [{"namespaces": [fleet.victim, own], "name": "pull"}]
        rows = self.confirmed(fleet, secrets=declared, **WAYS[way])
        assert len(rows) == 2
        fleet.mallory.request("DELETE", path_of(own, "secrets", "pull"))
        fleet.mallory.secret("pull", text_of(fleet.old, fleet.host))
        found = fleet.rotate(secrets=rows, verify=False, **WAYS[way])
        assert (found["failed"], fleet.is_rotated(), fleet.stolen()) == (False, True, [])
        (row,) = (row for row in found["rotation"]["not_declared"] if row["namespace"] == own)
        assert "recreated" in row["reason"]


def pod(namespace: str, image: str, *, name: str = "app", secret: str = "pull") -> dict[str, Any]:
    container = {"name": "app", "image": image}
    spec = {"containers": [container], "imagePullSecrets": [{"name": secret}]}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


class TestStops:
    """The rotation of the others continues, whatever is in her project."""

    @pytest.mark.parametrize("way", WAYS)
    def test_hostile_objects_in_another_project_do_not_stop_a_rotation(self, fleet: Fleet, way: str) -> None:
        mallory, host, user = fleet.mallory, fleet.host, fleet.old["username"]
        mallory.secret("undecodable", json.dumps({"auths": {host: {"auth": 1}}}))
        mallory.secret("a-list", '{"auths": []}')
        mallory.secret("doubled", f'{{"auths": {{}}, "auths": {{"{host}": {{"auth": "{auth(fleet.old)}"}}}}}}')
        marks = {"annotations": {"argocd.argoproj.io/tracking-id": "x", "note": fleet.old["password"]}}
        mallory.secret("argo", text_of(fleet.old, host), metadata=marks)
        mallory.secret("pull", text_of({"username": user, "password": "a-guess-of-hers"}, host))
        mallory.create_object("pods", pod(mallory.namespace, f"{host}/secret/of-others:v1"))
        mallory.create_object("pods", pod(mallory.namespace, fleet.image, name="b", secret="none"))
        fleet.lab.create(fleet.victim, "pods", pod(fleet.victim, fleet.image))
        with fleet.following() as node:
            fleet.lab.until(lambda: len(node.of(mallory.namespace, "b")) > 0, "her pod cannot pull")
            found = fleet.rotate(secrets=fleet.declared, **WAYS[way])
        assert not found["failed"], found.get("msg")
        rotation = found["rotation"]
        assert (fleet.is_rotated(), fleet.stolen()) == (True, [])
        assert (rotation["remaining_count"], rotation["unreadable_secrets"], rotation["failing"]) == (0, [], [])
        assert [row["repository"] for row in rotation["repositories"]] == [f"{fleet.host}/team/app"]
        assert [row["namespace"] for row in rotation["probes"]] == [fleet.victim]
        assert mallory.namespace in {row["namespace"] for row in rotation["not_declared"]}

    @pytest.mark.parametrize("way", WAYS)
    def test_an_image_of_a_declared_project_that_neither_login_pulls_is_a_note(self, fleet: Fleet, way: str) -> None:
        mallory = fleet.mallory
        mallory.secret("pull", text_of(fleet.old, fleet.host))
        for number in range(3):  # they are used before the existing image
            image = f"{fleet.image.rpartition(':')[0]}:0{number}"
            mallory.create_object("pods", pod(mallory.namespace, image, name=f"typo-{number}"))
        mallory.create_object("pods", pod(mallory.namespace, f"{fleet.host}/secret/of-others:v1"))
        fleet.lab.create(fleet.victim, "pods", pod(fleet.victim, fleet.image))
        declared = [{"namespaces": [fleet.victim, mallory.namespace], "name": "pull"}]
        found = fleet.rotate(secrets=declared, **WAYS[way])
        assert not found["failed"], found.get("msg")
        assert fleet.is_rotated()
        assert "/secret/of-others:v1 is in use, but" in str(found["warnings"])
        # The probe pulls the image with which the new login was verified.
        assert {row["image"] for row in found["rotation"]["probes"]} == {fleet.image}


STREAMS = "/apis/image.openshift.io/v1/namespaces/{}/imagestreams"


def stream(name: str, image: str) -> dict[str, Any]:
    """Return an image stream whose import was refused and always will be."""
    said = {"reason": "Unauthorized", "message": "you may not have access", "generation": 1}
    condition = {"type": "ImportSuccess", "status": "False", **said}
    return {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStream",
        "metadata": {"name": name},
        "spec": {"tags": [{"name": "v1", "from": {"kind": "DockerImage", "name": image}}]},
        "status": {"tags": [{"tag": "v1", "conditions": [condition]}]},
    }


class TestPlaybook:
    """The whole playbook `rotate` with the declarations of the inventory: canary, pulls, imports and the final check."""

    def rotate(self, fleet: Fleet, directory: Path, **variables: Any) -> Play:
        given = {
            "image_pull_kubeconfig": fleet.lab.kubeconfig,
            "credential_rotation_registries": [fleet.host],
            "credential_rotation_old": fleet.old,
            "credential_rotation_new": fleet.new,
            "credential_rotation_registry_ca_cert": fleet.lab.data["ca_cert"],
            "credential_rotation_probe_timeout": 60,
            **variables,
        }
        (directory / "hosts.yml").write_text(variables_file({"all": {"hosts": {"east": given}}}))
        return play("rotate", directory / "hosts.yml", "-v", cwd=directory)

    def declaration(self, fleet: Fleet, *namespaces: str, **login: str) -> list[dict[str, Any]]:
        registry = {"registry": fleet.host, **fleet.old, **login}
        return [{"name": "pull", "namespaces": list(namespaces), "registries": [registry]}]

    def test_a_rotation_succeeds_despite_the_objects_of_a_project_user(self, fleet: Fleet, tmp_path: Path) -> None:
        mallory, lab, own = fleet.mallory, fleet.lab, fleet.mallory.namespace
        plant(fleet, fleet.old)
        marks = {"annotations": {"argocd.argoproj.io/tracking-id": "x", "note": fleet.old["password"]}}
        mallory.secret("argo", text_of(fleet.old, fleet.host), metadata=marks)
        mallory.create_object("pods", pod(own, f"{fleet.host}/secret/of-others:v1"))
        lab.api("POST", STREAMS.format(own), stream("hers", f"{fleet.host}/secret/of-others:v1"))
        lab.api("POST", STREAMS.format(fleet.victim), stream("typo", f"{fleet.host}/team/typo:v1"))
        lab.create(fleet.victim, "pods", pod(fleet.victim, fleet.image))
        # Another entry declares her secret by the same name, for another user of the registry.
        declared = {
            "private_registry_secrets": self.declaration(fleet, fleet.victim),
            "private_registry_secrets_mallory": self.declaration(fleet, own, username="other-robot"),
        }
        audit = lab.audit()
        with lab.ready_node(), fleet.following():
            done = self.rotate(fleet, tmp_path, **declared)
        assert done.status == 0, done.output
        assert (fleet.is_rotated(), fleet.stolen()) == (True, [])
        ours = [write for write in audit.writes() if write[2] == own and write[1] != "pods/status"]
        assert ours == [], "nothing was written in her project, no canary pod either"
        assert f'- {{namespace: \\"{own}\\", name: \\"aaa\\"}}' in done.output
        assert "nothing outside the cluster names it for this rotation" in done.output

    def test_a_name_in_a_plan_is_never_a_template(self, fleet: Fleet, tmp_path: Path) -> None:
        command = "{{ lookup('pipe', 'touch evaluated') }}"
        rows = [{"namespace": fleet.victim, "name": command, "uid": command}]
        plan = {
            "server": command,
            "registries": [command],
            "old_username": command,
            "new_username": command,
            "secrets": rows,
        }
        (tmp_path / "plan.yml").write_text(yaml.safe_dump(plan))
        self.rotate(fleet, tmp_path, credential_rotation_plan="plan.yml").failed()
        assert not (tmp_path / "evaluated").exists()
        assert not fleet.is_rotated()
