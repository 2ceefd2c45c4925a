# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""credential_rotation replaces the old login wherever it finds it, leaves everything else alone, and the node pulls afterwards."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.lab import Lab, path_of, pull_names
from support.objects import b64, pull_secret
from support.openshift import allow, allow_in

Run = Callable[..., dict[str, Any]]


pytestmark = pytest.mark.whole_cluster


@pytest.fixture(scope="module")
def lab(lab_factory: Callable[..., Lab]) -> Lab:
    """A separate lab, because a rotation reads the whole cluster."""
    return lab_factory()


@pytest.fixture
def host(lab: Lab) -> str:
    return lab.registry("private")["host"]


def auth(login: dict[str, str]) -> str:
    return b64(f"{login['username']}:{login['password']}")


def secret(
    lab: Lab, namespace: str, name: str, content: Any, kind: str = "kubernetes.io/dockerconfigjson", **parts: Any
) -> dict[str, Any]:
    key = "" if kind.startswith("kubernetes.io/docker") else "config.json"
    return lab.create(namespace, "secrets", pull_secret(name, content, kind, key, **parts))


def confirmed(lab: Lab) -> list[dict[str, Any]]:
    """Return namespace and name of every existing secret."""
    every = (
        (each["metadata"]["namespace"], each["metadata"]["name"]) for each in lab.api("GET", "/api/v1/secrets")["items"]
    )
    return [{"namespace": namespace, "name": name} for namespace, name in every]


@pytest.fixture
def rotate(lab: Lab, run: Run, host: str) -> Run:
    def call(**options: Any) -> dict[str, Any]:
        given = {
            "registries": [host],
            "old": lab.login(0),
            "new": lab.login(1),
            "secrets": confirmed(lab),
            "registry_ca_cert": lab.data["ca_cert"],
        }
        result = run("credential_rotation", **{**given, **options})
        text = json.dumps(result)
        for number in (0, 1):
            assert lab.login(number)["password"] not in text
            assert auth(lab.login(number)) not in text
        return result

    return call


class TestInPlace:
    def test_a_pod_pulls_with_the_new_login_of_the_same_secret(
        self, lab: Lab, rotate: Run, host: str, namespace: str
    ) -> None:
        other = {"auth": "dTpw"}
        entry = {"auth": auth(lab.login(0)), "email": "team@example.com"}
        before = secret(lab, namespace, "quay", {"auths": {host: entry, "other.example.com": other}, "x": 1})
        lab.set_account(namespace, imagePullSecrets=["quay"])
        lab.pod(namespace, "app", lab.registry("private")["image"])
        audit = lab.audit()
        result = rotate(namespaces=[namespace])
        assert (result["failed"], result["changed"]) == (False, True)
        (found,) = result["namespaces"]
        assert found["changes"][0]["registries"] == {
            "added": [],
            "changed": {host: ["password", "username"]},
            "removed": [],
        }
        assert audit.writes() == [("patch", "secrets", namespace, "quay")]
        after = lab.get(namespace, "secrets", "quay")
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        content = json.loads(base64.b64decode(after["data"][".dockerconfigjson"]))
        new = {"auth": auth(lab.login(1)), "email": "team@example.com"}
        assert content == {"auths": {host: new, "other.example.com": other}, "x": 1}
        (tried,) = lab.pull(namespace, "app")["images"]
        assert tried["pulled"]
        rotation = result["rotation"]
        assert rotation["copies"] == {"old": 1, "new": 0, "to_change": 1, "kept": 0, "failed": 0}
        assert rotation["old_login"] == "works"
        assert rotation["remaining"] == []
        assert rotation["unreadable_secrets"] == []
        assert rotation["unreadable_pods"] == []
        assert rotation["repositories"] == [
            {
                "repository": f"{host}/team/app",
                "image": lab.registry("private")["image"],
                "outcome": "pulls",
                "message": f"registry {host} gives {lab.registry('private')['image']}",
            }
        ]
        probe = {"namespace": namespace, "image": lab.registry("private")["image"], "secret": "quay"}
        assert rotation["probes"] == [probe]
        again = rotate(namespaces=[namespace])
        assert again["changed"] is False
        assert again["rotation"]["copies"] == {"old": 0, "new": 1, "to_change": 0, "kept": 0, "failed": 0}

    def test_an_image_that_only_a_volume_uses_is_verified(
        self, lab: Lab, rotate: Run, host: str, namespace: str
    ) -> None:
        """The node pulls the image with the pod's secrets, so the next pod would be refused."""
        secret(lab, namespace, "quay", {"auths": {host: {"auth": auth(lab.login(0))}}})
        container = {
            "name": "app",
            "image": "registry.example.com/app:v1",
            "volumeMounts": [{"name": "model", "mountPath": "/model"}],
        }
        volume = {"name": "model", "image": {"reference": lab.registry("private")["image"], "pullPolicy": "Always"}}
        spec = {"containers": [container], "volumes": [volume], "imagePullSecrets": [{"name": "quay"}]}
        lab.create(namespace, "pods", {"metadata": {"name": "app"}, "spec": spec})
        new = lab.login(1)["username"]
        lab.registry_set("private", "--deny", "team/app", "--from", new)
        try:
            refused = rotate(namespaces=[namespace])
        finally:
            lab.registry_set("private", "--allow", "team/app", "--from", new)
        assert refused["failed"]
        assert (
            f"the login in option 'new' cannot pull {lab.registry('private')['image']}, but the login in option 'old' can"
            in refused["msg"]
        )
        assert lab.entries(namespace, "quay")[host] == {"auth": auth(lab.login(0))}
        done = rotate(namespaces=[namespace])
        assert [row["repository"] for row in done["rotation"]["repositories"]] == [f"{host}/team/app"]
        (model, _app) = lab.pull(namespace, "app")["images"]
        assert (model["volume"], model["pulled"], model["tried"][0]["secret"]) == ("model", True, "quay")

    def test_the_old_login_is_found_everywhere_by_content(
        self, lab: Lab, rotate: Run, host: str, namespaces: Any
    ) -> None:
        first, second = namespaces(2)
        old = auth(lab.login(0))
        secret(lab, first, "a", {"auths": {f"https://{host}/v2/": lab.login(0)}})
        secret(lab, first, "b", {host: {"auth": old}}, "kubernetes.io/dockercfg")
        secret(lab, second, "c", {"auths": {f"{host}/team": {"auth": old.rstrip("=")}}}, "Opaque")
        secret(
            lab, second, "d", {"auths": {host: {"auth": auth(lab.login(1))}, "elsewhere.example.com": {"auth": old}}}
        )
        secret(lab, second, "e", f"password={lab.login(0)['password']}", "Opaque")
        result = rotate(namespaces=[first, second])
        assert not result["failed"], result["msg"]
        changed = {(row["name"], change["name"]) for row in result["namespaces"] for change in row["changes"]}
        assert changed == {(first, "a"), (first, "b"), (second, "c")}
        rows = {(row["secret"], row["location"]) for row in result["rotation"]["remaining"]}
        assert rows == {("d", "elsewhere.example.com"), ("e", "data key config.json")}
        assert lab.entries(first, "a") == {f"https://{host}/v2/": lab.login(1)}
        assert lab.entries(first, "b") == {host: {"auth": auth(lab.login(1))}}
        assert lab.entries(second, "c") == {f"{host}/team": {"auth": auth(lab.login(1))}}

    def test_the_whole_cluster_is_rotated_without_namespaces_and_the_nodes_last(
        self, lab: Lab, rotate: Run, host: str, namespace: str
    ) -> None:
        content = {"auths": {host: {"auth": auth(lab.login(0))}}}
        for place, name in ((namespace, "quay"), ("kube-public", "quay"), ("openshift-config", "pull-secret")):
            secret(lab, place, name, content)
        result = rotate()
        assert not result["failed"], result["msg"]
        assert [row["name"] for row in result["namespaces"] if row["changed"]] == ["kube-public", namespace]
        rotation = result["rotation"]
        assert rotation["nodes"] == [{"namespace": "openshift-config", "secret": "pull-secret", "registries": [host]}]
        assert rotation["remaining"] == []
        last = rotate(nodes_pull_secret=True)
        assert [row["name"] for row in last["namespaces"] if row["changed"]] == ["openshift-config"]
        assert lab.entries("openshift-config", "pull-secret")[host]["auth"] == auth(lab.login(1))
        for place, name in (("kube-public", "quay"), ("openshift-config", "pull-secret")):
            lab.api("DELETE", path_of(place, "secrets", name))

    def test_a_login_with_only_a_known_user_is_rotated(self, lab: Lab, rotate: Run, host: str, namespace: str) -> None:
        """Logins that the registry accepts are replaced at once. A dead one is replaced only on request."""
        user = {"username": lab.login(0)["username"]}
        stale = {**user, "password": "expired"}
        secret(lab, namespace, "ecr", {"auths": {host: {"auth": auth(lab.login(0))}}})
        secret(lab, namespace, "dead", {"auths": {host: {"auth": auth(stale)}}})
        result = rotate(namespaces=[namespace], old=user)
        assert (result["failed"], result["changed"]) == (False, True)
        assert lab.entries(namespace, "ecr")[host]["auth"] == auth(lab.login(1))
        assert lab.entries(namespace, "dead")[host]["auth"] == auth(stale)
        (row,) = result["rotation"]["not_accepted"]
        assert (row["namespace"], row["secret"]) == (namespace, "dead")
        assert row["reason"] == f"its own login is not accepted: {host} refuses the login"
        assert not rotate(namespaces=[namespace], old=user)["changed"]
        assert rotate(namespaces=[namespace], old=user, replace_dead_logins=True)["changed"]
        assert lab.entries(namespace, "dead")[host]["auth"] == auth(lab.login(1))


class TestProof:
    def test_a_refused_new_login_is_not_written(self, lab: Lab, rotate: Run, host: str, namespace: str) -> None:
        secret(lab, namespace, "quay", {"auths": {host: {"auth": auth(lab.login(0))}}})
        with lab.no_writes():
            for check in (False, True):
                result = rotate(namespaces=[namespace], new={"username": "u", "password": "wrong"}, check=check)
                assert result["failed"]
                assert f"registry {host}: {host} refuses the login" in result["msg"]
        unproven = rotate(namespaces=[namespace], new={"username": "u", "password": "wrong"}, verify=False)
        assert (unproven["failed"], unproven["changed"], unproven["rotation"]["repositories"]) == (False, True, [])


@pytest.fixture
def registry(lab: Lab) -> Iterator[Callable[..., None]]:
    """Change the behavior of the private registry until the test ends."""
    undo: list[tuple[str, ...]] = []

    def change(*flags: str, back: tuple[str, ...]) -> None:
        undo.append(back)
        lab.registry_set("private", *flags)

    yield change
    for back in undo:
        lab.registry_set("private", *back)


class TestWhatARegistryMaySay:
    @pytest.fixture(autouse=True)
    def in_use(self, lab: Lab, host: str, namespace: str) -> None:
        """Store the old login in a secret that a pod uses."""
        secret(lab, namespace, "quay", {"auths": {host: {"auth": auth(lab.login(0))}}})
        lab.pod(namespace, "app", lab.registry("private")["image"])

    def refuses(self, lab: Lab, rotate: Run, namespace: str, *parts: str, **options: Any) -> None:
        with lab.no_writes():
            result = rotate(namespaces=[namespace], **options)
            assert result["failed"]
            for part in ("nothing was written because the login in option 'new' could not be verified", *parts):
                assert part in result["msg"]

    @pytest.mark.parametrize("rules", [("--deny", "--allow"), ("--hide", "--show")], ids=str)
    def test_a_right_that_only_the_old_login_has_stops_the_rotation(
        self, lab: Lab, rotate: Run, registry: Any, namespace: str, rules: tuple[str, str]
    ) -> None:
        user, (rule, back) = lab.login(1)["username"], rules
        registry(rule, "team/app", "--from", user, back=(back, "team/app", "--from", user))
        image = lab.registry("private")["image"]
        self.refuses(
            lab, rotate, namespace, f"the login in option 'new' cannot pull {image}, but the login in option 'old' can"
        )

    def test_a_redirect_to_another_host_is_not_followed(
        self, lab: Lab, rotate: Run, registry: Any, namespace: str
    ) -> None:
        registry("--redirect", f"https://{lab.registry('delegated')['host']}", back=("--redirect", ""))
        before = lab.registry_counts("delegated")
        self.refuses(lab, rotate, namespace)
        assert lab.registry_counts("delegated") == before

    def test_a_token_service_on_another_host_is_used_only_if_named(self, lab: Lab, rotate: Run, namespace: str) -> None:
        delegated = lab.registry("delegated")
        first, second = ({"username": one["username"], "password": one["password"]} for one in delegated["accounts"])
        secret(lab, namespace, "sso", {"auths": {delegated["host"]: {"auth": auth(first)}}})
        lab.pod(namespace, "sso", delegated["image"])
        change = {"registries": [delegated["host"]], "old": first, "new": second}
        before = lab.registry_counts("delegated")
        self.refuses(lab, rotate, namespace, delegated["realm_host"], **change)
        assert lab.registry_counts("delegated")[second["username"]] == before[second["username"]]
        result = rotate(namespaces=[namespace], realm_hosts=[delegated["realm_host"]], **change)
        assert (result["failed"], result["changed"]) == (False, True)


class TestLeft:
    def test_an_immutable_secret_gets_a_second_secret(self, lab: Lab, rotate: Run, host: str, namespace: str) -> None:
        image = lab.registry("private")["image"]
        secret(lab, namespace, "fixed", {"auths": {host: {"auth": auth(lab.login(0))}}}, immutable=True)
        lab.set_account(namespace, imagePullSecrets=["fixed", "other"])
        planned = rotate(namespaces=[namespace], check=True)
        result = rotate(namespaces=[namespace])
        assert not result["failed"], result["msg"]
        assert planned["namespaces"] == result["namespaces"]
        (found,) = result["namespaces"]
        assert [(change["action"], change["kind"], change["name"]) for change in found["changes"]] == [
            ("create", "Secret", "fixed-rotated"),
            ("update", "ServiceAccount", "default"),
            ("update", "Secret", "fixed"),
        ]
        names = [name for name in pull_names(lab.account(namespace)) if "-dockercfg-" not in name]
        assert names == ["fixed", "fixed-rotated", "other"]
        lab.pod(namespace, "app", image)
        tried = lab.pull(namespace, "app")["images"][0]["tried"]
        assert {each["secret"] for each in tried} & {"fixed", "fixed-rotated"}
        (row,) = result["rotation"]["remaining"]
        assert (row["secret"], row["location"]) == ("fixed", host)
        again = rotate(namespaces=[namespace])
        assert (again["failed"], again["changed"]) == (False, False)
        assert again["rotation"]["remaining"] == [row]
        lab.api("DELETE", path_of(namespace, "secrets", "fixed"))
        assert rotate(namespaces=[namespace])["rotation"]["remaining"] == []

    def test_pods_that_may_not_be_listed_are_reported(
        self, lab: Lab, run: Run, rotate: Run, host: str, namespace: str
    ) -> None:
        secret(lab, namespace, "quay", {"auths": {host: {"auth": auth(lab.login(0))}}})
        user = allow_in(lab, namespace, "rotator", {"secrets": ["list", "patch"]})
        result = rotate(namespaces=[namespace], impersonate_user=user)
        assert (result["failed"], result["changed"]) == (False, True)
        assert (
            f"the caller may not list pods in namespace {namespace}, so they were not checked"
            in result["rotation"]["unreadable_pods"]
        )

    def test_an_account_that_sees_only_its_projects_does_not_find_every_secret(
        self, lab: Lab, rotate: Run, host: str, namespaces: Callable[[int], list[str]]
    ) -> None:
        """OpenShift lists such an account only its own projects. The lab has no such view, so the test creates the project."""
        mine, other = namespaces(2)
        for name in (mine, other):
            secret(lab, name, "quay", {"auths": {host: {"auth": auth(lab.login(0))}}})
        rights = ({"projects.project.openshift.io": ["list"]}, {"secrets": ["list", "patch"]})
        user = allow(lab, f"administrator-of-{mine}", *rights)
        project = {"apiVersion": "project.openshift.io/v1", "kind": "Project", "metadata": {"name": mine}}
        lab.api("POST", "/apis/project.openshift.io/v1/projects", project)
        result = rotate(impersonate_user=user)
        (sentence,) = result["rotation"]["unreadable_secrets"]
        assert sentence.startswith("only the secrets in the caller's own projects were searched: listing namespaces")
        assert "own projects were read, and nothing is known about other namespaces" in str(result["warnings"])
        assert [lab.entries(name, "quay")[host]["auth"] for name in (mine, other)] == [
            auth(lab.login(number)) for number in (1, 0)
        ]
