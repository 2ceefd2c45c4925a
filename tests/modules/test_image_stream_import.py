# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failed image stream imports are repeated after a login was fixed. The lab imports from its own registries as OpenShift does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.lab import Lab
from support.modules import run_module
from support.openshift import CONFIG, allow
from support.playbooks import play

CANARY = "Canary-import-77"
API = "/apis/image.openshift.io/v1"


def path(namespace: str, resource: str = "imagestreams", name: str = "") -> str:
    return f"{API}/namespaces/{namespace}/{resource}" + (f"/{name}" if name else "")


def source(image: str, **more: Any) -> dict[str, Any]:
    return {"from": {"kind": "DockerImage", "name": image}, **more}


@pytest.fixture
def streams(lab: Lab, namespace: str) -> Streams:
    return Streams(lab, namespace)


class Streams:
    """The image streams of the test's namespace, as another client creates and imports them."""

    def __init__(self, lab: Lab, namespace: str) -> None:
        self.lab, self.namespace = lab, namespace
        self.image = lab.registry("private")["image"]
        self.host = lab.registry("private")["host"]

    def make(self, name: str, **tags: dict[str, Any]) -> None:
        """Create a stream. Each of its tags with a source is imported once, as OpenShift does for new tags."""
        spec = {"tags": [{"name": tag, **what} for tag, what in tags.items()]}
        body = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": {"name": name}, "spec": spec}
        self.lab.api("POST", path(self.namespace), body)
        images = [
            {"from": what["from"], "to": {"name": tag}, "importPolicy": what.get("importPolicy", {})}
            for tag, what in tags.items()
            if what.get("from", {}).get("kind") == "DockerImage" and not what.get("reference")
        ]
        self.lab.api("POST", path(self.namespace, "imagestreamimports"), an_import(name, images))

    def stream(self, name: str = "app") -> dict[str, Any]:
        found: dict[str, Any] = self.lab.api("GET", path(self.namespace, name=name))
        return found

    def tag(self, tag: str = "v1", name: str = "app") -> dict[str, Any]:
        return next(each for each in self.stream(name)["status"]["tags"] if each["tag"] == tag)

    def spec(self, tag: str = "v1", name: str = "app") -> dict[str, Any]:
        return next(each for each in self.stream(name)["spec"]["tags"] if each["name"] == tag)

    def login(self, password: str = "") -> dict[str, str]:
        found = {"registry": self.host, **self.lab.login(1)}
        return {**found, "password": password} if password else found


def an_import(name: str, images: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": {"name": name},
        "spec": {"import": True, "images": images},
    }


@pytest.fixture
def again(run: Callable[..., dict[str, Any]], namespace: str) -> Callable[..., dict[str, Any]]:
    def call(**options: Any) -> dict[str, Any]:
        result = run("image_stream_import", **{"namespaces": [namespace], **options})
        assert CANARY not in result["_output"]
        return result

    return call


@pytest.fixture
def fix(run: Callable[..., dict[str, Any]], streams: Streams) -> Callable[..., None]:
    def call(password: str = "", name: str = "pull") -> None:
        result = run("pull_secret", namespaces=[streams.namespace], name=name, registries=[streams.login(password)])
        assert not result["failed"], result

    return call


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {row["tag"]: row["status"] for space in result["namespaces"] for row in space["tags"]}


class TestMended:
    def test_a_failed_tag_is_imported_once(self, lab, streams, again, fix) -> None:
        policy = {"scheduled": True, "insecure": False, "importMode": "PreserveOriginal"}
        streams.make("app", v1=source(streams.image, importPolicy=policy, referencePolicy={"type": "Local"}))
        assert streams.tag()["conditions"][0]["reason"] == "Unauthorized"
        before = streams.spec()
        fix()
        audit = lab.audit()
        result = again(registries=[streams.host])
        assert not result["failed"], result
        assert result["changed"]
        assert audit.writes() == [("create", "imagestreamimports", streams.namespace, "app")]
        (row,) = result["namespaces"][0]["tags"]
        assert row == {
            "stream": "app",
            "tag": "v1",
            "image": streams.image,
            "cause": "unauthorized",
            "status": "imported",
            "digest": streams.tag()["items"][0]["image"],
            "reason": "",
        }
        assert "conditions" not in streams.tag()
        after = streams.spec()
        assert {**after, "generation": 0} == {**before, "generation": 0}
        assert result["imports"] == {"tags": 1, "planned": 0, "imported": 1, "failed": 0, "left": 0}

        with lab.no_writes():
            second = again(registries=[streams.host])
        assert not second["changed"]
        assert second["namespaces"][0]["tags"] == []

    def test_check_mode_sends_nothing_and_predicts_the_real_run(self, lab, streams, again, fix) -> None:
        streams.make("app", v1=source(streams.image), v2=source(f"{streams.host}/team/app:v1"))
        fix()
        with lab.no_writes():
            planned = again(check=True)
        assert "conditions" in streams.tag()
        assert statuses(planned) == {"v1": "planned", "v2": "planned"}
        done = again()
        assert statuses(done) == {"v1": "imported", "v2": "imported"}
        changes = [[space["changes"] for space in result["namespaces"]] for result in (planned, done)]
        assert changes[0] == changes[1]

    def test_a_stale_secret_anywhere_in_the_namespace_is_reported(self, lab, streams, again, fix) -> None:
        """The import uses only the first matching secret. A correct login in another secret does not help."""
        streams.make("app", v1=source(streams.image))
        fix(CANARY, name="a-stale")
        fix(name="b-right")
        result = again()
        assert result["failed"]
        assert (
            f"tag v1 of image stream {streams.namespace}/app was not imported: you may not have access to the container image "
            f'"{streams.image}"; an import reads all pull secrets of namespace {streams.namespace}, linked or not, and uses the first '
            "login for the image" in result["msg"]
        )
        assert not result["changed"]
        assert statuses(result) == {"v1": "failed"}
        lab.api(
            "PATCH",
            f"/api/v1/namespaces/{streams.namespace}/secrets/a-stale",
            {"metadata": {"annotations": {"openshift.io/image.excludeSecret": "true"}}},
        )
        assert statuses(again()) == {"v1": "imported"}

    def test_the_nodes_pull_secret_is_used_if_the_namespace_has_none(self, lab, run, streams, again) -> None:
        streams.make("app", v1=source(streams.image))
        result = run("pull_secret", namespaces=["openshift-config"], name="pull-secret", registries=[streams.login()])
        assert not result["failed"], result
        try:
            assert statuses(again()) == {"v1": "imported"}
        finally:
            lab.api("DELETE", "/api/v1/namespaces/openshift-config/secrets/pull-secret")

    def test_a_playbook_runs_the_module_with_the_connection_of_the_group(self, lab, streams, fix, tmp_path) -> None:
        streams.make("app", v1=source(streams.image))
        fix()
        task = {
            "openshift_ops.image_pull.image_stream_import": {"namespaces": [streams.namespace]},
            "register": "again",
            "failed_when": "again.imports.imported != 1",
        }
        book = {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {"group/openshift_ops.image_pull.k8s": {"kubeconfig": lab.kubeconfig}},
            "tasks": [task],
        }
        file = tmp_path / "again.yml"
        file.write_text(json.dumps([book]))
        done = play(file, "localhost,", "-c", "local")
        assert done.status == 0, done.output
        assert done.recap["changed"] == 1
        assert "conditions" not in streams.tag()


class TestWhatIsLeft:
    def test_tags_that_follow_another_and_references_are_left_alone(self, lab, streams, again, fix) -> None:
        streams.make("app", v1=source(streams.image))
        follows = {"from": {"kind": "ImageStreamTag", "name": "v1"}}
        failed = {"type": "ImportSuccess", "status": "False", "reason": "Unauthorized", "message": "x"}
        found = streams.stream()
        found["spec"]["tags"] += [
            {"name": "latest", **follows},
            {"name": "pinned", **source(streams.image, reference=True)},
        ]
        found["status"]["tags"] += [{"tag": tag, "conditions": [failed]} for tag in ("latest", "pinned", "gone")]
        lab.api("PUT", path(streams.namespace, name="app"), found)
        fix()
        result = again()
        assert not result["failed"]
        assert statuses(result) == {"v1": "imported", "latest": "left", "pinned": "left", "gone": "left"}
        reasons = {row["tag"]: row["reason"] for row in result["namespaces"][0]["tags"]}
        assert reasons["latest"] == "it follows ImageStreamTag v1, which is imported instead"
        assert reasons["pinned"].startswith("it is a reference")
        assert reasons["gone"].startswith("the stream has no source image for it")


class TestRefused:
    def test_a_caller_who_may_not_import_gets_the_missing_right(self, lab, streams, again, fix) -> None:
        streams.make("app", v1=source(streams.image))
        streams.make("web", v1=source(streams.image))
        fix()
        user = allow(lab, f"reader-{time.monotonic_ns()}", {"imagestreams.image.openshift.io": ["get", "list"]})
        audit = lab.audit()
        result = again(impersonate_user=user, concurrency=1)
        assert result["failed"]
        assert f"tag v1 of image stream {streams.namespace}/app: creating import of image stream" in result["msg"]
        assert 'cannot create resource "imagestreamimports" in API group "image.openshift.io"' in result["msg"]
        assert "Give the caller that right" in result["msg"]
        assert len(audit.writes()) == 1, "the second stream is not tried"
        assert [row["status"] for row in result["namespaces"][0]["tags"]] == ["failed", "left"]
        assert "conditions" in streams.tag()

    def test_a_registry_that_the_cluster_does_not_allow_is_reported(self, lab, streams, again, fix) -> None:
        streams.make("app", v1=source(streams.image))
        fix()
        rights = [
            {"imagestreams.image.openshift.io": ["get", "list"]},
            {"imagestreamimports.image.openshift.io": ["create"]},
        ]
        user = allow(lab, f"importer-{time.monotonic_ns()}", *rights)
        config = f"{CONFIG}/images/cluster"
        lab.api("PATCH", config, {"spec": {"allowedRegistriesForImport": [{"domainName": "quay.io"}]}})
        try:
            result = again(impersonate_user=user)
        finally:
            lab.api("PATCH", config, {"spec": {"allowedRegistriesForImport": None}})
        assert result["failed"]
        assert (
            "have this one added to allowedRegistriesForImport of images.config.openshift.io/cluster" in result["msg"]
        )
        assert statuses(again(impersonate_user=user)) == {"v1": "imported"}

    def test_a_registry_that_the_cluster_blocks_is_reported(self, lab, streams, again, fix) -> None:
        fix()
        config = f"{CONFIG}/images/cluster"
        lab.api("PATCH", config, {"spec": {"registrySources": {"blockedRegistries": [streams.host]}}})
        try:
            streams.make("app", v1=source(streams.image))
            assert statuses(again()) == {"v1": "left"}
            result = again(only_failed=False)
        finally:
            lab.api("PATCH", config, {"spec": {"registrySources": None}})
        assert f"registry {streams.host} blocked; check registrySources.blockedRegistries" in result["msg"]
        assert statuses(again(only_failed=False)) == {"v1": "imported"}


@pytest.mark.parametrize(
    "part",
    [
        {"spec": None, "status": None},
        {"spec": {"tags": "v1"}, "status": {"tags": [None, 1, {"tag": None}, {"tag": "v1", "conditions": [None, {}]}]}},
        {"spec": {"tags": [{"name": 1}, {"name": "x", "from": []}]}, "status": {"tags": {"x": 1}}},
        {
            "spec": {"tags": [{"name": "v1", "from": {"kind": "DockerImage", "name": "UPPER case/\x07"}}]},
            "status": {
                "tags": [{"tag": "v1", "conditions": [{"type": "ImportSuccess", "status": "False", "message": 7}]}]
            },
        },
    ],
)
def test_a_malformed_stream_does_not_stop_the_others(lab, streams, again, fix, part) -> None:
    streams.make("app", v1=source(streams.image))
    head = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": {"name": "hostile"}}
    lab.api("POST", path(streams.namespace), {**head, **part})
    fix()
    result = again()
    assert not result["failed"], result["msg"]
    assert [row["status"] for row in result["namespaces"][0]["tags"] if row["stream"] == "app"] == ["imported"]


def test_plain_kubernetes_is_reported_as_unsupported(plain_lab) -> None:
    audit = plain_lab.audit()
    result = run_module("image_stream_import", kubeconfig=plain_lab.kubeconfig, namespaces=["default"])
    assert (result["failed"], result["changed"], result["supported"]) == (False, False, False)
    assert "this cluster has no image streams" in result["reason"]
    assert audit.verbs() == ["get"]
