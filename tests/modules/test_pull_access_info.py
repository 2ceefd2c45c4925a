# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts of pull_access_info agree with the pulls of a node, and its fixes work."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from support import fixes
from support.lab import Lab, path_of
from support.objects import b64, pull_secret
from support.openshift import allow_in
from support.owner_chains import create_chain
from support.surveyed import token

DENIED = "reading manifest v1 in {repository}: requested access to the resource is denied"
REFUSED = "unable to retrieve auth token: invalid username/password: unauthorized"
PARSER = "illegal base64 data at input byte 0"


def entry(lab: Lab, password: str | None = None) -> dict[str, str]:
    account = lab.login(1)
    return {"auth": b64(f"{account['username']}:{password or account['password']}")}


def secret(
    lab: Lab, namespace: str, auths: Any, kind: str = "kubernetes.io/dockerconfigjson", name: str = "pull"
) -> None:
    lab.create(namespace, "secrets", pull_secret(name, {"auths": auths}, kind))


def says(lab: Lab, namespace: str, pod: str, text: str) -> None:
    """Write the status that a kubelet writes when CRI-O has failed."""
    image = lab.get(namespace, "pods", pod)["spec"]["containers"][0]["image"]
    frame = f"unable to pull image or OCI artifact: pull image err: initializing source docker://{image}: "
    text = text.format(repository=image.rpartition(":")[0])
    whole = (
        text
        if text == PARSER
        else f'Back-off pulling image "{image}": ErrImagePull: {frame}{text}; artifact err: {text}'
    )
    waiting = {"reason": text if text == PARSER else "ImagePullBackOff", "message": whole}
    status = {
        "name": "app", "image": image, "imageID": "", "ready": False, "restartCount": 0, "state": {"waiting": waiting}
    }  # fmt: skip
    path = f"{path_of(namespace, 'pods', pod)}/status"
    lab.api("PATCH", path, {"status": {"phase": "Pending", "containerStatuses": [status]}})


def access(run: Any, namespace: str, **options: Any) -> dict[str, Any]:
    result = run("pull_access_info", namespaces=[namespace], **options)
    assert not result["failed"], result["msg"]
    (found,) = result["namespaces"][0]["access"]
    return found


def carry_out(run: Any, lab: Lab, tasks: list[dict[str, Any]]) -> None:
    fixes.carry_out(run, lab.login(1), tasks, **lab.reached)


def again(lab: Lab, namespace: str, image: str, own: list[str] = ()) -> None:
    """Recreate the pod, as its controller does after a deletion."""
    lab.api("DELETE", path_of(namespace, "pods", "app") + "?gracePeriodSeconds=0")
    lab.until(lambda: lab.get(namespace, "pods", "app") is None, "the pod is gone")
    pod(lab, namespace, image, own)


def pod(lab: Lab, namespace: str, image: str, own: list[str] = ()) -> None:
    spec = {"containers": [{"name": "app", "image": image}], "imagePullSecrets": [{"name": name} for name in own]}
    lab.create(namespace, "pods", {"metadata": {"name": "app"}, "spec": spec})


#: A login of someone else in a secret of another type.
OTHER = {"other.example.com": {"auth": "dTpw"}}


class Broken:
    """Each method creates an unusable pull secret `pull`."""

    @staticmethod
    def missing(lab: Lab, namespace: str) -> None:
        """Create no secret."""

    @staticmethod
    def opaque(lab: Lab, namespace: str) -> None:
        secret(lab, namespace, {lab.registry("private")["host"]: entry(lab), **OTHER}, "Opaque")

    @staticmethod
    def podman(lab: Lab, namespace: str) -> None:
        secret(lab, namespace, {lab.registry("private")["host"]: entry(lab), **OTHER}, "kubernetes.io/podmanconfigjson")

    @staticmethod
    def no_port(lab: Lab, namespace: str) -> None:
        secret(lab, namespace, {lab.registry("private")["host"].partition(":")[0]: entry(lab)})

    @staticmethod
    def with_tag(lab: Lab, namespace: str) -> None:
        secret(lab, namespace, {lab.registry("private")["image"]: entry(lab)})

    @staticmethod
    def empty(lab: Lab, namespace: str) -> None:
        secret(lab, namespace, {lab.registry("private")["host"]: {}})

    @staticmethod
    def unparsable(lab: Lab, namespace: str) -> None:
        secret(lab, namespace, {lab.registry("private")["host"]: entry(lab), "other.example.com": {"auth": "?"}})

    @staticmethod
    def wrong_password(lab: Lab, namespace: str) -> None:
        secret(lab, namespace, {lab.registry("private")["host"]: entry(lab, "wrong")})


#: The problem, the resulting message of the node, and the first step that fails.
BROKEN = {
    "missing": (DENIED, "secret {ns}/pull does not exist"),
    "opaque": (DENIED, "secret {ns}/pull has type Opaque, which no node reads"),
    "podman": (DENIED, "has type kubernetes.io/podmanconfigjson, which no node reads"),
    "no_port": (DENIED, "no pull secret of pod {ns}/app is for {host}/"),
    "with_tag": (DENIED, "; the nearest is {host}/"),
    "empty": (DENIED, "secret pull has the key {host}, but its entry has no user or no password"),
    "unparsable": (PARSER, "secret {ns}/pull stops every pull of a pod that lists it"),
    "wrong_password": (REFUSED, "the registry refuses the login: secret pull has the key {host}"),
}


class TestBroken:
    @pytest.mark.parametrize("own", [[], ["pull"]], ids=["linked", "in the pod's own list"])
    @pytest.mark.parametrize("what", BROKEN)
    def test_the_failure_is_named_and_its_fix_works(self, lab, run, namespace, what, own):
        registry = lab.registry("private")
        told, reason = BROKEN[what]
        getattr(Broken, what)(lab, namespace)
        if not own:
            lab.set_account(namespace, imagePullSecrets=["pull"])
        pod(lab, namespace, registry["image"], own)
        before = access(run, namespace, pod="app")
        assert before["verdict"] == {"unparsable": "will_not_pull", "wrong_password": "pulls"}.get(what, "unknown")
        says(lab, namespace, "app", told)
        found = access(run, namespace, pod="app")
        assert found["verdict"] == "will_not_pull"
        assert reason.format(ns=namespace, host=registry["host"]) in found["reason"]
        assert not lab.pull(namespace, "app")["pulled"]
        carry_out(run, lab, found["fix"])
        assert ("other.example.com" in lab.entries(namespace, "pull")) is (what in ("opaque", "podman"))
        again(lab, namespace, registry["image"], own)
        after = access(run, namespace, pod="app")
        assert after["verdict"] == "pulls"
        assert lab.pull(namespace, "app")["pulled"]


def attempted(lab: Lab, namespace: str, ago: int) -> None:
    """Create the event of a kubelet that began to pull this number of seconds ago."""
    pod_now = lab.get(namespace, "pods", "app")
    moment = (datetime.now(timezone.utc) - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    image = pod_now["spec"]["containers"][0]["image"]
    about = {
        "kind": "Pod",
        "namespace": namespace,
        "name": "app",
        "uid": pod_now["metadata"]["uid"],
        "fieldPath": "spec.containers{app}",
    }
    event = {
        "metadata": {"name": f"app.{ago + 1000}"},
        "involvedObject": about,
        "reason": "Pulling",
        "message": f'Pulling image "{image}"',
        "type": "Normal",
        "lastTimestamp": moment,
    }
    lab.create(namespace, "events", event)


class TestTimes:
    def test_a_renewed_login_is_distinguished_from_a_refused_one(self, lab, run, namespace):
        registry = lab.registry("private")
        Broken.wrong_password(lab, namespace)
        pod(lab, namespace, registry["image"], ["pull"])
        says(lab, namespace, "app", REFUSED)
        attempted(lab, namespace, 600)
        before = access(run, namespace, pod="app")
        assert before["verdict"] == "pulls"
        assert "which was changed after the node's last attempt" in before["reason"]
        attempted(lab, namespace, -120)
        refused = access(run, namespace, pod="app")
        assert refused["verdict"] == "will_not_pull"
        assert not lab.pull(namespace, "app")["pulled"]
        carry_out(run, lab, refused["fix"])
        assert lab.pull(namespace, "app")["pulled"]

    def test_a_missing_right_is_distinguished_from_an_uncertain_cause(self, lab, run, namespace):
        registry = lab.registry("private")
        secret(lab, namespace, {registry["host"]: entry(lab)})
        pod(lab, namespace, registry["image"], ["pull"])
        says(lab, namespace, "app", DENIED)
        assert access(run, namespace, pod="app")["verdict"] == "unknown"
        attempted(lab, namespace, -120)
        found = access(run, namespace, pod="app")
        assert (found["verdict"], found["cause"]) == ("will_not_pull", "denied")
        assert found["reason"].startswith(
            "the login has no right to this image, or there is no such image: secret pull has the key"
        )


class TestLinkedLater:
    def test_a_pod_older_than_its_link_is_reported_as_such(self, lab, run, namespace):
        image = lab.registry("private")["image"]
        pod(lab, namespace, image)
        secret(lab, namespace, {lab.registry("private")["host"]: entry(lab)})
        run("sa_link", namespaces=[namespace], secrets=["pull"])
        says(lab, namespace, "app", DENIED)
        found = access(run, namespace, pod="app")
        assert found["verdict"] == "will_not_pull"
        assert f"was created before pull was linked to service account {namespace}/default" in found["reason"]
        assert not lab.pull(namespace, "app")["pulled"]
        again(lab, namespace, image)
        assert access(run, namespace, pod="app")["verdict"] == "pulls"
        assert lab.pull(namespace, "app")["pulled"]


class TestUnlinked:
    """The secret exists with the right login, and no list names it."""

    @pytest.mark.parametrize("asks", [False, True])
    def test_the_secret_is_named_and_its_link_works(self, lab, run, namespace, asks):
        registry = lab.registry("private")
        trusted = {"registry_ca_cert": lab.data["ca_cert"], "realm_hosts": [registry["host"]]}
        how = {"pod": "app", **({"ask_registries": True, **trusted} if asks else {})}
        secret(lab, namespace, {registry["host"]: entry(lab)}, name="mine")
        pod(lab, namespace, registry["image"])
        says(lab, namespace, "app", DENIED)
        found = access(run, namespace, **how)
        tested = (
            f", with which registry {registry['host']} gives {registry['image']}" if asks else " (login not tested)"
        )
        named = f"secret {namespace}/mine has the key {registry['host']}{tested}"
        assert f"{named}, but service account {namespace}/default does not list it" in found["reason"]
        (task,) = found["fix"]
        assert task["openshift_ops.image_pull.sa_link"]["secrets"] == ["mine"]
        carry_out(run, lab, found["fix"])
        again(lab, namespace, registry["image"])
        assert lab.pull(namespace, "app")["pulled"]


def stream(lab: Lab, project: str, *tags: dict[str, Any]) -> None:
    """Create the image stream `app`, as OpenShift's registry does when an image is pushed."""
    body = {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStream",
        "metadata": {"name": "app"},
        "status": {"tags": [*tags]},
    }
    lab.api("POST", f"/apis/image.openshift.io/v1/namespaces/{project}/imagestreams", body, expect=(201,))


class TestProject:
    def test_a_missing_grant_is_named_and_its_fix_works(self, lab, run, namespaces):
        owner, user = namespaces(2)
        lab.run("push", "--dir", str(lab.dir), f"{owner}/app:v1")
        host = lab.registry("integrated")["host"]
        pod(lab, user, f"{host}/{owner}/app:v1")
        found = access(run, user, pod="app")
        assert found["verdict"] == "will_not_pull"
        assert found["reason"] == f"service account {user}/default may not pull from project {owner}"
        assert not lab.pull(user, "app")["pulled"]
        carry_out(run, lab, found["fix"])
        assert access(run, user, pod="app")["verdict"] == "pulls"
        assert lab.pull(user, "app")["pulled"]

    def test_the_right_decides_if_the_registry_does_not_answer_this_host(self, lab, run, namespaces):
        """This host does not trust the certificate, and a host outside a cluster does not know the name."""
        owner, user = namespaces(2)
        lab.run("push", "--dir", str(lab.dir), f"{owner}/app:v1")
        pod(lab, user, f"{lab.registry('integrated')['host']}/{owner}/app:v1")
        found = access(run, user, pod="app", ask_registries=True)
        assert found["reason"] == f"service account {user}/default may not pull from project {owner}"
        carry_out(run, lab, found["fix"])
        found = access(run, user, pod="app", ask_registries=True)
        assert found["verdict"] == "pulls", found
        assert f"which the platform generates for service account {user}/default, has a login" in found["reason"]
        assert [step["ok"] for step in found["steps"] if step["step"] == "registry"] == [None]
        assert lab.pull(user, "app")["pulled"]

    @pytest.mark.parametrize("why", ["manifest unknown", ""])
    def test_a_missing_image_is_distinguished_from_a_missing_right(self, lab, run, namespace, why):
        condition = {"type": "ImportSuccess", "status": "False", "message": why}
        stream(lab, namespace, {"tag": "v1", "items": None, "conditions": [condition] if why else None})
        pod(lab, namespace, f"{lab.registry('integrated')['host']}/{namespace}/app:v1")
        found = access(run, namespace, pod="app")
        told = f"tag v1 of image stream {namespace}/app was never imported: {why}" if why else "has no tag v1"
        assert found["verdict"] == "will_not_pull"
        assert told in found["reason"]
        assert not lab.pull(namespace, "app")["pulled"]


class TestImageStreams:
    def test_an_image_trigger_is_traced_to_the_project_that_lacks_the_secret(self, lab, run, namespaces):
        owner, user = namespaces(2)
        registry = lab.registry("private")
        message = f'you may not have access to the container image "{registry["image"]}"'
        condition = {"type": "ImportSuccess", "status": "False", "reason": "Unauthorized", "message": message}
        stream(lab, owner, {"tag": "v1", "items": None, "conditions": [condition]})
        path = 'spec.template.spec.containers[?(@.name=="app")].image'
        source = {"kind": "ImageStreamTag", "name": "app:v1", "namespace": owner}
        notes = {"image.openshift.io/triggers": json.dumps([{"from": source, "fieldPath": path}])}
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "app", "image": " "}]}}
        spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
        body = {"metadata": {"name": "web", "annotations": notes}, "spec": spec}
        lab.api("POST", f"/apis/apps/v1/namespaces/{user}/deployments", body, expect=(201,))
        found = access(run, user, workload="Deployment/web")
        assert found["verdict"] == "will_not_pull"
        assert (
            f"The import uses all pull secrets of project {owner}, linked or not: none of them is for"
            in found["reason"]
        )
        carry_out(run, lab, found["fix"])
        after = access(run, user, workload="Deployment/web")
        assert "and its login does not give the image. Then import it again" in after["reason"]


class TestPodsOfAWorkload:
    """The pod template has a matching login, but the node was refused."""

    @pytest.mark.parametrize(
        ("asked", "kind"),
        [
            ("deploy/web", "Deployment"),
            ("statefulsets/web", "StatefulSet"),
            ("ds/web", "DaemonSet"),
            ("rs/web", "ReplicaSet"),
            ("job.batch/web", "Job"),
            ("cj/web", "CronJob"),
            ("dc/web", "DeploymentConfig"),
            ("po/app", "ReplicaSet"),
        ],
    )
    def test_the_pods_of_a_workload_decide_its_verdict(self, lab, run, namespace, asked, kind):
        image = lab.registry("private")["image"]
        secret(lab, namespace, {lab.registry("private")["host"]: entry(lab, "wrong")})
        lab.set_account(namespace, imagePullSecrets=["pull"])
        create_chain(lab, namespace, kind, image)
        assert access(run, namespace, workload=asked)["verdict"] == "pulls"
        says(lab, namespace, "app", REFUSED)
        assert not lab.pull(namespace, "app")["pulled"]
        found = access(run, namespace, workload=asked)
        assert found["verdict"] == "will_not_pull", found["reason"]
        assert "the registry refuses the login: secret pull has the key" in found["reason"]
        assert asked == "po/app" or f"pod {namespace}/app does not get its image: " in found["reason"]
        everything = run("pull_access_info", namespaces=[namespace])
        assert everything["verdicts"] == {"pulls": 0, "will_not_pull": 2, "unknown": 0}
        carry_out(run, lab, found["fix"])
        assert lab.pull(namespace, "app")["pulled"]


class TestQuestions:
    def test_a_workload_without_pods_is_explained_by_its_template(self, lab, run, namespace):
        image = lab.registry("private")["image"]
        template = {
            "metadata": {"labels": {"a": "b"}},
            "spec": {
                "containers": [{"name": "app", "image": image}],
                "initContainers": [{"name": "first", "image": "UPPER"}],
            },
        }
        body = {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}
        lab.api("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", body, expect=(201,))
        result = run("pull_access_info", namespaces=[namespace], workload="deployment/web")
        first, app = result["namespaces"][0]["access"]
        assert (first["container"], first["verdict"]) == ("first", "will_not_pull")
        assert (app["kind"], app["name"], app["verdict"]) == ("Deployment", "web", "unknown")
        assert result["verdicts"] == {"pulls": 0, "will_not_pull": 1, "unknown": 1}
        carry_out(run, lab, app["fix"])
        everything = run("pull_access_info", namespaces=[namespace])["namespaces"][0]["access"]
        assert [found["verdict"] for found in everything if found["container"] == "app"] == ["pulls"]

    def test_an_image_is_explained_for_a_service_account(self, lab, run, namespace):
        image = lab.registry("private")["image"]
        secret(lab, namespace, {lab.registry("private")["host"]: entry(lab)})
        assert access(run, namespace, image=image)["verdict"] == "unknown"
        run("sa_link", namespaces=[namespace], secrets=["pull"])
        found = access(run, namespace, image=image)
        assert (found["verdict"], found["service_account"]) == ("pulls", "default")
        missing = access(run, namespace, image=image, service_account="missing")
        assert missing["reason"].startswith(
            f"service account {namespace}/missing does not exist, so no pod can be created"
        )

    def test_the_offered_task_verifies_the_login_of_a_delegated_registry(self, lab, run, namespace):
        registry = lab.registry("delegated")
        how = {"image": registry["image"], "ask_registries": True, **lab.reached}
        fixes.carry_out(run, lab.login(1, "delegated"), access(run, namespace, **how)["fix"], **lab.reached)
        found = access(run, namespace, **how)
        assert (found["verdict"], found["tested"]) == ("pulls", True)


class TestRightsOfAProject:
    """The user may do everything in one project and cannot read cluster-wide objects."""

    @pytest.fixture
    def user(self, lab: Lab, namespace: str) -> str:
        everything = {"apiGroups": ["", "image.openshift.io"], "resources": ["*"], "verbs": ["*"]}
        return allow_in(lab, namespace, f"user-of-{namespace}", everything)

    def test_unreadable_objects_are_reported_once_and_decide_only_alone(self, lab, run, namespace, user):
        registry = lab.registry("private")
        Broken.wrong_password(lab, namespace)
        pod(lab, namespace, registry["image"], ["pull"])
        before = access(run, namespace, pod="app", impersonate_user=user)
        unseen = "which registries are allowed, which mirrors the image has and whether a signature is required is not known: "
        assert before["verdict"] == "unknown"
        assert before["reason"].startswith(unseen)
        assert len([step for step in before["steps"] if step["step"] == "configuration"]) == 1
        says(lab, namespace, "app", REFUSED)
        found = access(run, namespace, pod="app", impersonate_user=user)
        assert (found["verdict"], found["cause"]) == ("will_not_pull", "bad_credentials")
        attempted(lab, namespace, 600)
        assert access(run, namespace, pod="app", impersonate_user=user)["verdict"] == "unknown"


class TestAskedRegistries:
    def test_an_expired_token_is_distinguished_from_a_wrong_password(self, lab, run, namespace):
        host = lab.registry("private")["host"]
        asked = {"image": f"{host}/team/app:v1", "ask_registries": True, "registry_ca_cert": lab.data["ca_cert"]}
        for number, (password, begin) in enumerate(
            {
                token(
                    exp=60
                ): f"{host} refuses the login, which has expired at 1970-01-01T00:01:00Z, as its token says: get",
                "wrong": "the registry refuses the login: ",
            }.items()
        ):
            name = f"pull-{number}"
            secret(lab, namespace, {host: entry(lab, password)}, name=name)
            lab.set_account(namespace, imagePullSecrets=[name])
            found = access(run, namespace, **asked)
            assert found["verdict"] == "will_not_pull"
            assert found["reason"].startswith(begin)
            assert found["fix"], "the login is written again"

    @pytest.mark.parametrize("what", ["wrong_password", "missing"])
    def test_an_untrusted_registry_does_not_override_the_error_of_the_node(self, lab, run, namespace, what):
        registry = lab.registry("private")
        getattr(Broken, what)(lab, namespace)
        pod(lab, namespace, registry["image"], ["pull"])
        assert not lab.pull(namespace, "app", "--status")["pulled"]
        # Without the registry's certificate authority, the module cannot query it.
        found = access(run, namespace, pod="app", ask_registries=True, realm_hosts=[registry["host"]])
        assert [step["ok"] for step in found["steps"] if step["step"] == "registry"] == [None]
        assert found["verdict"] == "will_not_pull"
        carry_out(run, lab, found["fix"])
        assert lab.pull(namespace, "app")["pulled"]
