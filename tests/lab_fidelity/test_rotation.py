# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab can judge a rotation: its registry counts requests and refuses them on demand, and its node pulls for each new pod."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import urllib3
from support.lab import Following, Lab, path_of
from support.modules import run_module
from support.registry_settings import auth_file, pull_secret, registry_settings

_numbers = itertools.count()
COUNTS = ("logins", "refused", "pulls", "heads", "denied")


@pytest.fixture(params=["private", "delegated"])
def name(request) -> str:
    return request.param


@pytest.fixture
def account(lab: Lab, name: str) -> tuple[str, str]:
    """An account that no other test uses."""
    return new_account(lab, name)


def new_account(lab: Lab, name: str, *flags: str) -> tuple[str, str]:
    user = f"robot+{next(_numbers)}"
    lab.registry_set(name, "--add", user, *flags)
    (found,) = (one for one in lab.registry(name)["accounts"] if one["username"] == user)
    return user, found["password"]


@contextmanager
def told(lab: Lab, name: str, *flags: str, back: tuple[str, ...]) -> Iterator[None]:
    """Change the behavior of a registry for a while, because the lab is shared."""
    lab.registry_set(name, *flags)
    try:
        yield
    finally:
        lab.registry_set(name, *back)


def counted(lab: Lab, name: str, user: str) -> tuple[int, ...]:
    found = lab.registry_counts(name)[user]
    return tuple(found[count] for count in COUNTS)


def make_secret(lab: Lab, namespace: str, who: tuple[str, str], name: str = "private") -> str:
    """Create the pull secret for the pods of a namespace."""
    lab.create(namespace, "secrets", pull_secret("pull", auth_file({lab.registry(name)["host"]: who})))
    return "pull"


def replaced(lab: Lab, namespace: str, who: tuple[str, str], name: str = "private") -> None:
    """Put another login into the same secret."""
    content = pull_secret("pull", auth_file({lab.registry(name)["host"]: who}))
    lab.api("PATCH", path_of(namespace, "secrets", "pull"), {"data": content["data"]})


def make_pod(lab: Lab, namespace: str, pod: str = "app", *, name: str = "private", **spec: Any) -> str:
    container = {"name": "app", "image": lab.registry(name)["image"], "imagePullPolicy": spec.pop("policy", "Always")}
    body = {"containers": [container], "imagePullSecrets": [{"name": "pull"}], **spec}
    lab.create(namespace, "pods", {"metadata": {"name": pod}, "spec": body})
    return pod


def status_of(lab: Lab, namespace: str, pod: str = "app") -> Mapping[str, Any]:
    found = lab.get(namespace, "pods", pod)
    assert found is not None
    return found["status"]


def outcomes(found: Following, namespace: str, pod: str = "app") -> list[bool]:
    return [one["pulled"] for one in found.of(namespace, pod)]


def pulled_once(lab: Lab, found: Following, namespace: str, pod: str = "app") -> Callable[[], bool]:
    return lambda: True in outcomes(found, namespace, pod)


class TestRegistries:
    def test_a_pull_is_counted_for_the_account_that_asked_for_the_token(self, lab, namespace, name, account):
        make_secret(lab, namespace, account, name)
        make_pod(lab, namespace, name=name)
        others = {user: found for user, found in lab.registry_counts(name).items() if user not in ("", account[0])}
        for _time in range(3):
            assert lab.pull(namespace, "app")["pulled"]
        assert counted(lab, name, account[0]) == (3, 0, 3, 0, 0)
        now = lab.registry_counts(name)
        assert now[account[0]]["last"].endswith("Z")
        assert {user: now[user] for user in others} == others

    def test_a_verified_login_is_counted_apart_from_a_pull(self, lab, name, account):
        registry = lab.registry(name)
        asked = {
            "registry": registry["host"],
            "realm_host": registry["realm_host"],
            "registry_ca_cert": lab.data["ca_cert"],
        }
        login = {"username": account[0], "password": account[1], "repositories": ["team/app:v1"]}
        assert run_module("registry_auth_info", **asked, **login)["works"]
        logins, *others = counted(lab, name, account[0])
        assert logins > 0
        assert others == [0, 0, 1, 0]
        assert not run_module("registry_auth_info", **asked, **login | {"password": "wrong"})["works"]
        assert counted(lab, name, account[0])[1] > 0

    def test_a_disabled_account_is_refused_at_once(self, lab, namespace, name, account):
        make_secret(lab, namespace, account, name)
        make_pod(lab, namespace, name=name)
        assert lab.pull(namespace, "app")["pulled"]
        with told(lab, name, "--disable", account[0], back=("--enable", account[0])):
            assert not lab.pull(namespace, "app")["pulled"]
            assert counted(lab, name, account[0])[:3] == (1, 1, 1)
        assert lab.pull(namespace, "app")["pulled"]

    def test_a_nasty_password_logs_in(self, lab, namespace, name):
        account = new_account(lab, name, "--nasty")
        assert len(account[1]) > 200
        make_secret(lab, namespace, account, name)
        make_pod(lab, namespace, name=name)
        assert lab.pull(namespace, "app")["pulled"]

    def test_a_closed_registry_refuses_connections_and_is_the_same_when_it_opens(self, lab, namespace, name, account):
        make_secret(lab, namespace, account, name)
        make_pod(lab, namespace, name=name)
        with told(lab, name, "--close", back=("--open",)):
            (image,) = lab.pull(namespace, "app")["images"]
            assert image["waiting"]["reason"] == "RegistryUnavailable"
            assert "connection refused" in image["waiting"]["message"]
            other = {"private": "delegated", "delegated": "private"}[name]
            assert lab.registry_counts(other)
        assert lab.pull(namespace, "app")["pulled"]

    def test_a_registry_can_hide_deny_limit_and_redirect_pulls(self, lab, namespace, name, account):
        make_secret(lab, namespace, account, name)
        make_pod(lab, namespace, name=name)
        whose = ("team/app", "--from", account[0])
        closed = "https://127.0.0.9:9"
        for flags, back, words in (
            (("--hide", *whose), ("--show", *whose), "name unknown"),
            (("--deny", *whose), ("--allow", *whose), "requested access to the resource is denied"),
            (("--rate-limit", "1"), ("--rate-limit", "0"), "too many requests to registry"),
            (("--redirect", closed), ("--redirect", ""), "127.0.0.9:9: connect: connection refused"),
        ):
            with told(lab, name, *flags, back=back):
                (image,) = lab.pull(namespace, "app")["images"]
                assert not image["pulled"]
                assert words in image["waiting"]["message"]
            assert lab.pull(namespace, "app")["pulled"], flags

    def test_tokens_expire_after_the_given_time(self, lab, name, account):
        registry = lab.registry(name)
        pool = urllib3.PoolManager(ca_certs=lab.data["ca_cert"])
        login = urllib3.make_headers(basic_auth=":".join(account))
        url = f"https://{registry['host']}/v2/team/app/tags/list"
        asked = f"{registry['realm']}?service={registry['service']}&scope=repository:team/app:pull"
        given = pool.request("GET", asked, headers=login).json()
        bearer = {"Authorization": f"Bearer {given['token']}"}
        assert given["expires_in"] > 1
        assert pool.request("GET", url, headers=bearer).status == 200
        with told(lab, name, "--expire", "1", back=("--expire", "0")):
            lab.until(lambda: pool.request("GET", url, headers=bearer).status == 401, "the token is over")
            assert pool.request("GET", asked, headers=login).json()["expires_in"] == 1
        assert pool.request("GET", url, headers=bearer).status == 200

    def test_a_refused_command_is_reported_and_changes_nothing(self, lab, name):
        before = json.loads((lab.dir / "lab.json").read_text())
        for flags, words in (
            (("--add", "new", "--disable", "stranger", name), "no account"),
            (("--add", "a:b", name), "without a colon"),
            (("--close", "integrated"), "private or delegated"),
        ):
            done = lab.run("registry", "--dir", str(lab.dir), *flags, check=False)
            assert done.returncode == 1
            assert words in done.stderr
        assert json.loads((lab.dir / "lab.json").read_text()) == before


class TestFollowing:
    @pytest.fixture
    def account(self, lab: Lab) -> tuple[str, str]:
        return new_account(lab, "private")

    def test_each_pod_causes_one_pull(self, lab, namespaces, account):
        first, second = namespaces(2)
        for namespace in (first, second):
            make_secret(lab, namespace, account)
        make_pod(lab, first, "before")
        with lab.following(first, second) as found:
            for number in range(10):
                make_pod(lab, (first, second)[number % 2], f"app-{number}")
            lab.until(lambda: len(found.attempts()) >= 11, "all are pulled for")
        attempts = found.attempts()
        assert {(one["pulled"], one["attempt"]) for one in attempts} == {(True, 1)}
        assert len({one["uid"] for one in attempts}) == len(attempts) == 11
        assert counted(lab, "private", account[0]) == (11, 0, 11, 0, 0)

    def test_the_node_leaves_other_namespaces_alone(self, lab, namespaces, account):
        first, second = namespaces(2)
        for namespace in (first, second):
            make_secret(lab, namespace, account)
            make_pod(lab, namespace)
        with lab.following(second) as found:
            lab.until(pulled_once(lab, found, second), "it is pulled for")
        assert found.of(first, "app") == []

    def test_a_failed_pull_is_retried_with_the_current_content_of_the_secret(self, lab, namespace, account):
        make_secret(lab, namespace, (account[0], "wrong"))
        with lab.following("--status", namespace) as found:
            make_pod(lab, namespace)
            lab.until(lambda: len(found.of(namespace, "app")) >= 2, "it is tried again")
            (status,) = status_of(lab, namespace)["containerStatuses"]
            assert status["state"]["waiting"]["reason"] == "ErrImagePull"
            replaced(lab, namespace, account)
            lab.until(pulled_once(lab, found, namespace), "it is pulled for")
        assert outcomes(found, namespace)[-1]
        assert True not in outcomes(found, namespace)[:-1]
        assert [one["attempt"] for one in found.of(namespace, "app")] == list(
            range(1, len(found.of(namespace, "app")) + 1)
        )

    def test_the_status_and_the_events_match_those_of_a_kubelet(self, lab, namespace, account):
        make_secret(lab, namespace, account)
        with lab.following("--status", namespace) as found:
            make_pod(lab, namespace, "stays")
            make_pod(lab, namespace, "ends", restartPolicy="Never")
            for pod in ("stays", "ends"):
                lab.until(pulled_once(lab, found, namespace, pod), "it is pulled for")
        stays, ends = (status_of(lab, namespace, pod) for pod in ("stays", "ends"))
        assert (stays["phase"], ends["phase"]) == ("Running", "Succeeded")
        assert "running" in stays["containerStatuses"][0]["state"]
        assert ends["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
        image_id = f"{lab.registry('private')['host']}/team/app@sha256:"
        assert all(one["containerStatuses"][0]["imageID"].startswith(image_id) for one in (stays, ends))
        events = lab.api("GET", path_of(namespace, "events"))["items"]
        ours = [one for one in events if one["source"].get("component") == "kubelet"]
        assert {(one["reason"], one["involvedObject"]["name"]) for one in ours} == {
            (reason, pod) for reason in ("Pulling", "Pulled") for pod in ("stays", "ends")
        }
        uids = {lab.get(namespace, "pods", pod)["metadata"]["uid"] for pod in ("stays", "ends")}
        assert {one["involvedObject"]["uid"] for one in ours} == uids

    def test_repeated_failures_are_one_event_with_a_count(self, lab, namespace, account):
        make_secret(lab, namespace, (account[0], "wrong"))
        with lab.following("--status", namespace) as found:
            make_pod(lab, namespace)
            lab.until(lambda: len(found.of(namespace, "app")) >= 3, "it is tried again")
        events = lab.api("GET", path_of(namespace, "events"))["items"]
        failed = [one for one in events if one["message"].startswith("Failed to pull image")]
        assert [one["count"] >= 3 for one in failed] == [True]
        assert account[1] not in json.dumps(events)

    def test_a_status_of_an_earlier_pod_with_the_same_name_is_refused(self, lab, namespace):
        """The node relies on this when it writes the status of a pod that may have been replaced."""
        make_pod(lab, namespace)
        late = {"metadata": {"uid": "00000000-0000-0000-0000-000000000000"}, "status": {"phase": "Running"}}
        lab.api("PATCH", f"{path_of(namespace, 'pods', 'app')}/status", late, expect=(422,))
        assert status_of(lab, namespace)["phase"] == "Pending"

    def test_a_deleted_pod_is_dropped_and_its_successor_starts_at_attempt_one(self, lab, namespace, account):
        make_secret(lab, namespace, (account[0], "wrong"))
        with lab.following("--status", namespace) as found:
            make_pod(lab, namespace)
            lab.until(lambda: len(found.of(namespace, "app")) >= 1, "it is tried")
            lab.api("DELETE", path_of(namespace, "pods", "app"))
            replaced(lab, namespace, account)
            make_pod(lab, namespace)
            lab.until(pulled_once(lab, found, namespace), "the second is pulled for")
            make_pod(lab, namespace, "last")
            lab.until(pulled_once(lab, found, namespace, "last"), "the last one is pulled for")
        uids = [one["uid"] for one in found.of(namespace, "app")]
        assert len(set(uids)) == 2
        assert found.of(namespace, "app")[-1]["attempt"] == 1

    def test_a_failed_pull_for_a_deleted_pod_reports_the_pod_as_gone(self, lab, namespace, account):
        make_secret(lab, namespace, account)
        # The two requests before the manifest are answered. The client retries the manifest for seconds.
        limited = told(lab, "private", "--rate-limit", "2", back=("--rate-limit", "0"))
        with limited, lab.following("--status", namespace) as found:
            make_pod(lab, namespace)
            lab.until(lambda: counted(lab, "private", account[0])[4] > 0, "it is being tried")
            uid = lab.get(namespace, "pods", "app")["metadata"]["uid"]
            lab.api("DELETE", path_of(namespace, "pods", "app"))
            make_pod(lab, namespace)
            lab.until(lambda: uid in {one["uid"] for one in found.attempts()}, "it has failed")
        (one,) = (one for one in found.attempts() if one["uid"] == uid)
        assert (one["pulled"], one["gone"], one.get("error")) == (False, True, None)

    def test_the_node_finishes_the_deletion_of_its_own_pods_only(self, lab, namespace, account):
        make_secret(lab, namespace, account)
        with lab.following("--status", "--node", namespace, namespace) as found:
            make_pod(lab, namespace, nodeName=namespace)
            make_pod(lab, namespace, "other", nodeName="another")
            lab.until(pulled_once(lab, found, namespace), "it is pulled for")
            for pod in ("app", "other"):
                lab.api("DELETE", path_of(namespace, "pods", pod))
            lab.until(lambda: lab.get(namespace, "pods", "app") is None, "the pod is gone")
            other = lab.get(namespace, "pods", "other")
            assert other is not None
            assert other["metadata"]["deletionTimestamp"]
        lab.api("DELETE", f"{path_of(namespace, 'pods', 'other')}?gracePeriodSeconds=0")
        assert found.of(namespace, "other") == []

    def test_a_node_selector_is_obeyed(self, lab, namespace, account):
        make_secret(lab, namespace, account)
        with lab.following("--node-labels", "pool=canary,zone=a", namespace) as found:
            make_pod(lab, namespace, "other", nodeSelector={"pool": "other"})
            make_pod(lab, namespace, nodeSelector={"pool": "canary"})
            make_pod(lab, namespace, "last")
            for pod in ("app", "last"):
                lab.until(pulled_once(lab, found, namespace, pod), "it is pulled for")
        assert found.of(namespace, "other") == []

    def test_a_present_image_is_used_only_by_a_pod_that_passes_the_check(self, lab, namespaces, account):
        first, second = namespaces(2)
        make_secret(lab, first, account)
        make_secret(lab, second, (account[0], "wrong"))
        with lab.following("--node", first, "--recheck", first, second) as found:
            make_pod(lab, first, policy="IfNotPresent")
            lab.until(pulled_once(lab, found, first), "it is pulled for")
            with told(lab, "private", "--close", back=("--open",)):
                make_pod(lab, first, "again", policy="IfNotPresent")
                make_pod(lab, second, policy="IfNotPresent")
                lab.until(pulled_once(lab, found, first, "again"), "the image is used")
                lab.until(lambda: bool(found.of(second, "app")), "it is tried")
            lab.until(lambda: len(found.of(second, "app")) >= 2, "it is tried again")
        (again,) = found.of(first, "again")
        assert again["images"][0]["present"]
        assert True not in outcomes(found, second)

    def test_the_node_uses_the_credential_that_the_cluster_has_now(self, lab, namespace, account):
        host = lab.registry("private")["host"]
        with lab.following(namespace) as found:
            make_pod(lab, namespace)
            lab.until(lambda: bool(found.of(namespace, "app")), "it is tried")
            with registry_settings(lab, node={host: account}):
                lab.until(pulled_once(lab, found, namespace), "the node has the credential")
        last = found.of(namespace, "app")[-1]
        assert last["images"][0]["tried"][0]["secret"] == "openshift-config/pull-secret"
        assert False in outcomes(found, namespace)

    def test_a_pull_in_the_queue_uses_the_secrets_that_the_node_has_read(self, lab, namespace, account):
        """A real node read them 8 seconds before it pulled (kubelet 1.36.3)."""
        new = new_account(lab, "private")
        make_secret(lab, namespace, account)
        queued = "lab.openshift-ops.example.com/queued"
        path = path_of(namespace, "pods", "queued")
        with lab.following("--node", namespace, "--status", namespace) as found:
            spec = {
                "containers": [{"name": "app", "image": lab.registry("private")["image"], "imagePullPolicy": "Always"}]
            }
            meta = {"name": "queued", "annotations": {queued: ""}}
            lab.create(namespace, "pods", {"metadata": meta, "spec": {**spec, "imagePullSecrets": [{"name": "pull"}]}})
            lab.until(lambda: bool(status_of(lab, namespace, "queued").get("containerStatuses")), "it is taken up")
            (container,) = status_of(lab, namespace, "queued")["containerStatuses"]
            assert container["state"]["waiting"]["reason"] == "ContainerCreating"
            pod = lab.get(namespace, "pods", "queued")
            assert pod is not None and pod["spec"]["nodeName"] == namespace
            replaced(lab, namespace, new)
            make_pod(lab, namespace)
            lab.until(pulled_once(lab, found, namespace), "a later pod overtakes it")
            lab.api("PATCH", path, {"metadata": {"annotations": {queued: None}}})
            lab.until(pulled_once(lab, found, namespace, "queued"), "it leaves the queue")
        assert [counted(lab, "private", user)[2] for user in (account[0], new[0])] == [1, 1]
        (late,) = found.of(namespace, "queued")
        assert late["read"] < found.of(namespace, "app")[0]["began"] < late["began"]

    def test_the_kubelets_own_limit_hides_the_cause_and_passes(self, lab, namespace, account):
        make_secret(lab, namespace, account)
        with lab.following("--pull-qps", "0.5", "--status", namespace) as found:
            for pod in ("one", "two"):
                make_pod(lab, namespace, pod)
            lab.until(
                lambda: all(True in outcomes(found, namespace, pod) for pod in ("one", "two")), "both are pulled for"
            )
        failed = [one["images"][0] for one in found.attempts() if not one["pulled"]]
        assert failed
        assert {(one["waiting"]["reason"], one["waiting"]["message"]) for one in failed} == {
            ("ErrImagePull", "pull QPS exceeded")
        }
        assert {one["reason"] for one in failed} == {"pull QPS exceeded"}

    def test_image_volumes_are_pulled_first_and_fail_at_their_containers(self, lab, namespace, account):
        make_secret(lab, namespace, (account[0], "wrong"))
        image = lab.registry("private")["image"]
        containers = [{"name": name, "image": "registry.example.com/app:v1"} for name in ("app", "beside")]
        containers[0]["volumeMounts"] = [{"name": "model", "mountPath": "/model"}]
        volumes = [{"name": "model", "image": {"reference": image, "pullPolicy": "Always"}}]
        spec = {"containers": containers, "volumes": volumes, "imagePullSecrets": [{"name": "pull"}]}
        lab.create(namespace, "pods", {"metadata": {"name": "app"}, "spec": spec})
        report = lab.pull(namespace, "app", "--status")
        assert [(one.get("volume"), one["image"], one["containers"]) for one in report["images"]] == [
            ("model", image, ["app"]),
            (None, "registry.example.com/app:v1", ["app", "beside"]),
        ]
        statuses = {one["name"]: one["state"]["waiting"] for one in status_of(lab, namespace)["containerStatuses"]}
        assert image in statuses["app"]["message"]
        assert "registry.example.com" in statuses["beside"]["message"]

    def test_the_follower_ends_with_its_input(self, lab, namespace):
        command = [lab.binary, "pull", "--follow", "--dir", str(lab.dir), namespace]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, input="", check=False)
        assert (done.returncode, done.stdout) == (0, "")

    def test_the_follower_ends_cleanly_on_a_signal_and_the_end_of_its_input(self, lab, namespace):
        for _time in range(10):
            with lab.following(namespace) as found:
                assert found.process.stdin is not None
                found.process.stdin.close()
                found.process.terminate()
                found.process.terminate()
                assert found.process.wait(30) == 0

    def test_no_pull_fails_during_a_rotation_in_place(self, lab, namespace, account):
        """A rotation in place causes no failed pull. The control, which disables the old account first, causes failures."""
        new = new_account(lab, "private")
        make_secret(lab, namespace, account)
        with lab.following("--status", namespace) as found:
            for number in range(30):
                make_pod(lab, namespace, f"app-{number}")
                if number == 15:
                    replaced(lab, namespace, new)
            lab.until(lambda: len({one["pod"] for one in found.attempts()}) == 30, "all are pulled for")
            old = lab.registry_counts("private")[account[0]]
            lab.registry_set("private", "--disable", account[0])
            for number in range(30, 40):
                make_pod(lab, namespace, f"app-{number}")
            lab.until(lambda: len({one["pod"] for one in found.attempts()}) == 40, "all are pulled for")
            assert [one["pod"] for one in found.attempts() if not one["pulled"]] == []
            assert lab.registry_counts("private")[account[0]] == old
            lab.registry_set("private", "--disable", new[0])
            make_pod(lab, namespace, "control")
            lab.until(lambda: outcomes(found, namespace, "control")[:1] == [False], "it fails")
