# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's node pulls, and fails to pull, as a real node was recorded to (node.yaml), for each setting that affects a pull."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.certificates import server_context, write_certificate
from support.hostile_registry import HostileRegistry, served
from support.lab import Lab, path_of
from support.registry_settings import CONFIG, auth_file, pull_secret, registry_settings

RECORDED = yaml.safe_load((Path(__file__).parent / "node.yaml").read_text())
#: A host without a listener.
CLOSED = "127.0.0.9:9"
WRONG = ("somebody", "wrong")
LIMIT = {
    "code": "TOOMANYREQUESTS",
    "message": "You have reached your pull rate limit. You may increase the limit by authenticating and upgrading",
}
#: The answer of a registry to a request for a manifest.
REFUSALS = {
    "403 denied": ("403 Forbidden", b'{"errors": [{"code": "DENIED"}]}'),
    "404 name unknown": ("404 Not Found", b'{"errors": [{"code": "NAME_UNKNOWN"}]}'),
    "too many requests": ("429 Too Many Requests", json.dumps({"errors": [LIMIT]}).encode()),
    "503 HTML": ("503 Service Unavailable", b"<html>later</html>"),
}


def login(lab: Lab, name: str = "private") -> tuple[str, str]:
    account = lab.registry(name)["accounts"][0]
    return account["username"], account["password"]


def make_pod(
    lab: Lab, namespace: str, image: str, *contents: Mapping[str, Any], name: str = "app", policy: str = "Always"
) -> str:
    """Create a pod with its own pull secrets. Each content is an auth file or a whole secret."""
    names = []
    for number, content in enumerate(contents):
        secret = pull_secret(f"{name}-{number}", content) if "auths" in content else {**content}
        secret.setdefault("metadata", {"name": f"{name}-{number}"})
        names.append(secret["metadata"]["name"])
        if secret.get("type"):
            lab.create(namespace, "secrets", secret)
    spec = {
        "containers": [{"name": "app", "image": image, "imagePullPolicy": policy}],
        "imagePullSecrets": [{"name": one} for one in names] or [{"name": "none"}],
    }
    lab.create(namespace, "pods", {"metadata": {"name": name}, "spec": spec})
    return name


def pulled(lab: Lab, namespace: str, pod: str, *flags: str) -> dict[str, Any]:
    """Return the lab's result for a pod with one image."""
    (image,) = lab.pull(namespace, pod, *flags)["images"]
    return image


def raw(content: str, kind: str = "kubernetes.io/dockerconfigjson", key: str = ".dockerconfigjson") -> dict[str, Any]:
    """Return a secret of any type and content."""
    return {"type": kind, "data": {key: base64.b64encode(content.encode()).decode()}}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def recorded_secrets(lab: Lab) -> dict[str, list[Mapping[str, Any]]]:
    """Return the pull secrets of each recorded pod, without the recordings that contain invalid UTF-8."""
    host, other = lab.registry("private")["host"], lab.registry("delegated")["host"]
    realm = lab.registry("delegated")["realm_host"]
    good, bare = login(lab), host.partition(":")[0]
    user, password = good
    auth = encoded(f"{user}:{password}")

    def key(name: str, who: tuple[str, str] = good) -> Mapping[str, Any]:
        return auth_file({name: who})

    def entry(**fields: str) -> Mapping[str, Any]:
        return {"auths": {host: fields}}

    content = json.dumps(key(host))
    return {
        "none": [],
        "good": [key(host)],
        "goodpath": [key(f"{host}/team")],
        "prefixnoseg": [key(f"{host}/te")],
        "slash": [key(f"{host}/team/")],
        "tag": [key(f"{host}/team/app:v1")],
        "wrongpw": [key(host, WRONG)],
        "wrong-then-good": [auth_file({f"{host}/team/app": WRONG, host: good})],
        "two-secrets-same-key": [key(host, WRONG), key(host)],
        "opaque": [raw(content, "Opaque")],
        "podman": [raw(content, "kubernetes.io/podmanconfigjson", ".podmanconfigjson")],
        "dockercfg": [raw(json.dumps(key(host)["auths"]), "kubernetes.io/dockercfg", ".dockercfg")],
        "badb64": [entry(auth="%%%")],
        "nocolon": [entry(auth=encoded("nocolon"))],
        "unpadded": [entry(auth=auth.rstrip("="))],
        "userpass": [entry(username=user, password=password)],
        "empty-entry": [entry()],
        "empty-user": [entry(auth=encoded(f":{password}"))],
        "https-key": [key(f"https://{host}")],
        "https-path": [key(f"https://{host}/v2/")],
        "missing-secret": [{"metadata": {"name": "absent"}}],
        "missing-and-good": [{"metadata": {"name": "absent"}}, key(host)],
        "noport": [key(bare)],
        "delegated-good": [key(other, login(lab, "delegated"))],
        "delegated-realm-only": [key(realm, login(lab, "delegated"))],
        "no-such-tag": [key(host)],
        "no-such-repo": [key(host)],
        "wildcard": [key(host.replace("127.0", "127.*", 1))],
        "integrated-nogrant": [],
    }


def recorded_image(lab: Lab, namespace: str, name: str) -> str:
    host = lab.registry("private")["host"]
    return {
        "no-such-tag": f"{host}/team/app:nope",
        "no-such-repo": f"{host}/team/other:v1",
        "delegated-good": lab.registry("delegated")["image"],
        "delegated-realm-only": lab.registry("delegated")["image"],
        "integrated-nogrant": f"{lab.registry('integrated')['host']}/{namespace}/app:v1",
    }.get(name, f"{host}/team/app:v1")


def expected(lab: Lab, row: Mapping[str, Any], namespace: str = "", fake: str = "") -> str:
    """Return the recorded message of the node, with the names of this lab."""
    hosts = {name: lab.registry(name)["host"] for name in ("private", "delegated", "integrated")}
    text = row["message"].replace("/etc/xdg/", "/etc/")
    for name, value in (hosts | {"closed": CLOSED, "namespace": namespace, "fake": fake}).items():
        text = text.replace(f"{{{name}}}", value)
    return text


def flags_for(row: Mapping[str, Any]) -> list[str]:
    return ["--back-off"] if row.get("reason") == "ImagePullBackOff" else []


class TestRecordedPulls:
    """For 30 pods with pull secrets of every form, the message of the lab's node equals the recorded one word for word."""

    @pytest.mark.parametrize("name", [name for name in RECORDED["pulls"] if name != "latin1"])
    def test_the_node_gives_the_recorded_message(self, lab, namespace, name):
        row = RECORDED["pulls"][name]
        make_pod(lab, namespace, recorded_image(lab, namespace, name), *recorded_secrets(lab)[name])
        image = pulled(lab, namespace, "app", *flags_for(row))
        assert image["pulled"] == row["pulled"]
        if row["pulled"]:
            assert image["waiting"] is None
        else:
            assert image["waiting"] == {"reason": row["reason"], "message": expected(lab, row, namespace)}


def cause(lab: Lab, namespace: str, name: str, *flags: str) -> dict[str, Any]:
    return pulled(lab, namespace, "app", *flags, *flags_for(RECORDED["causes"][name]))


def told(message: str) -> str:
    """Return the part of a message that lists where the node looked for the image, up to the address that did not answer."""
    return message.partition("initializing source")[2].partition("dial tcp")[0]


class TestRecordedCauses:
    """Mirrors, blocked registries, the policy and short names, configured by cluster objects, cause the recorded messages."""

    def mirrored(self, lab: Lab, name: str, namespace: str, secrets: list[Mapping[str, Any]], node: Any) -> None:
        row = RECORDED["causes"][name]
        make_pod(lab, namespace, f"{CLOSED}/team/app:v1", *secrets)
        mirrors = [{"source": CLOSED, "mirrors": [lab.registry("private")["host"]]}]
        with registry_settings(lab, tag=mirrors, node=node):
            image = cause(lab, namespace, name)
        assert image["pulled"] == row["pulled"]
        if not row["pulled"]:
            assert told(image["waiting"]["message"]) == told(expected(lab, row)) != ""

    def test_the_mirror_accepts_the_node_credential(self, lab, namespace):
        node = {lab.registry("private")["host"]: login(lab)}
        self.mirrored(lab, "mirror, node credential", namespace, [], node)

    def test_the_mirror_does_not_get_the_credential_of_the_pod(self, lab, namespace):
        secrets = [auth_file({CLOSED: login(lab), lab.registry("private")["host"]: login(lab)})]
        self.mirrored(lab, "mirror, secret of the pod", namespace, secrets, None)

    def test_a_wrong_pod_secret_does_not_stop_a_pull_from_the_mirror(self, lab, namespace):
        node = {lab.registry("private")["host"]: login(lab)}
        self.mirrored(lab, "mirror, wrong secret of the pod", namespace, [auth_file({CLOSED: WRONG})], node)

    def test_a_pull_from_the_mirror_without_a_credential_fails(self, lab, namespace):
        self.mirrored(lab, "mirror, no credential", namespace, [], None)

    def judged(self, lab: Lab, namespace: str, name: str, *flags: str) -> None:
        image = cause(lab, namespace, name, *flags)
        row = RECORDED["causes"][name]
        assert image["waiting"] == {"reason": row["reason"], "message": expected(lab, row)}

    def test_a_source_that_must_not_be_contacted_is_blocked_for_tags(self, lab, namespace):
        make_pod(lab, namespace, f"{CLOSED}/team/app:v1")
        mirrors = [{"source": CLOSED, "mirrors": ["mirror.example.com"], "mirrorSourcePolicy": "NeverContactSource"}]
        with registry_settings(lab, digest=mirrors):
            self.judged(lab, namespace, "blocked")

    def test_a_short_name_of_two_registries_gives_the_recorded_message(self, lab, namespace):
        make_pod(lab, namespace, "team/app:v1")
        with registry_settings(lab, sources={"containerRuntimeSearchRegistries": ["a.example.com", CLOSED]}):
            self.judged(lab, namespace, "short name", "--short-names", "enforcing")

    def test_a_refused_connection_gives_the_recorded_message(self, lab, namespace):
        make_pod(lab, namespace, f"{CLOSED}/team/app:v1")
        self.judged(lab, namespace, "connection refused")

    def test_an_absent_image_with_policy_never_gives_the_recorded_message(self, lab, namespace):
        make_pod(lab, namespace, f"{lab.registry('private')['host']}/team/neverseen:v1", policy="Never")
        self.judged(lab, namespace, "never pull")

    def test_an_invalid_image_name_gives_the_recorded_message(self, lab, namespace):
        make_pod(lab, namespace, "UPPER/Case:v1")
        self.judged(lab, namespace, "invalid name")

    def test_two_credentials_are_refused(self, lab, namespace):
        host = lab.registry("private")["host"]
        make_pod(
            lab, namespace, f"{host}/team/app:v1", auth_file({host: WRONG}), auth_file({f"{host}/team": ("a", "b")})
        )
        self.judged(lab, namespace, "two credentials refused")

    @pytest.mark.parametrize("name", [*REFUSALS, "unknown authority"])
    def test_a_registry_refusal_gives_the_recorded_message(self, lab, namespace, tmp_path, name):
        status, content = REFUSALS.get(name, ("200 OK", b"{}"))

        def script(server: HostileRegistry) -> list[bytes]:
            pinged = server.requests[-1].startswith(b"GET /v2/ ")
            line, body = ("200 OK", b"{}") if pinged else (status, content)
            kind = "text/html" if body.startswith(b"<") else "application/json"
            # Without Retry-After, the client would retry for a minute.
            fields = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nRetry-After: 0\r\nConnection: close"
            head = f"HTTP/1.1 {line}\r\n{fields}\r\n\r\n"
            return [head.encode() + body]

        stranger = server_context(write_certificate(tmp_path / "server.pem"))
        context = stranger if name == "unknown authority" else lab.server_side()
        with served(script, context) as server:
            make_pod(lab, namespace, f"{server.host}/team/app:v1")
            image = cause(lab, namespace, name)
        row = RECORDED["causes"][name]
        assert image["waiting"] == {"reason": row["reason"], "message": expected(lab, row, fake=server.host)}

    @pytest.mark.parametrize("which", ["blockedRegistries", "allowedRegistries"])
    def test_the_policy_rejects_an_image_that_a_mirror_has(self, lab, namespace, which):
        make_pod(lab, namespace, f"{CLOSED}/team/app:v1")
        private = lab.registry("private")["host"]
        mirrors = [{"source": CLOSED, "mirrors": [private]}]
        listed = CLOSED if which == "blockedRegistries" else private
        with registry_settings(lab, tag=mirrors, node={private: login(lab)}, sources={which: [listed]}):
            self.judged(lab, namespace, "rejected by policy")


@pytest.fixture
def private(lab, namespace) -> str:
    """Create a pod `app` that pulls from the private registry with its own secret, and return the registry's host."""
    host = lab.registry("private")["host"]
    make_pod(lab, namespace, f"{host}/team/app:v1", auth_file({host: login(lab)}))
    return host


class TestSettings:
    """Each kind of setting makes a pod pull, or keeps it from pulling."""

    def test_a_blocked_registry_is_not_pulled_from(self, lab, namespace, private):
        with registry_settings(lab, sources={"blockedRegistries": [f"{private}/team"]}):
            image = pulled(lab, namespace, "app")
        assert f"registry {private}/team is blocked in /etc/containers/registries.conf" in image["waiting"]["message"]
        with registry_settings(lab, sources={"blockedRegistries": [f"{private}/tea"]}):
            assert pulled(lab, namespace, "app")["pulled"]

    def test_a_registry_outside_the_allowed_list_is_rejected(self, lab, namespace, private):
        with registry_settings(lab, sources={"allowedRegistries": ["registry.example.com"]}):
            image = pulled(lab, namespace, "app")
        assert image["waiting"]["reason"] == "SignatureValidationFailed"
        assert image["waiting"]["message"].count("is rejected by policy") == 1
        with registry_settings(lab, sources={"allowedRegistries": [private]}):
            assert pulled(lab, namespace, "app")["pulled"]

    @pytest.mark.parametrize("everywhere", [True, False])
    def test_an_unsigned_image_is_rejected_where_a_signature_is_required(self, lab, namespaces, everywhere):
        host = lab.registry("private")["host"]
        here, there = namespaces(2)
        for one in (here, there):
            make_pod(lab, one, f"{host}/team/app:v1", auth_file({host: login(lab)}))
        with registry_settings(lab, policies=[(f"{host}/team", "" if everywhere else here)]):
            message = pulled(lab, here, "app")["waiting"]["message"]
            assert "A signature was required, but no signature exists" in message
            assert pulled(lab, there, "app")["pulled"] == (not everywhere)

    @pytest.mark.parametrize("kind", ["digest", "old", "tag"])
    def test_a_mirror_set_serves_only_its_kind_of_image_reference(self, lab, namespace, kind):
        host = lab.registry("private")["host"]
        make_pod(lab, namespace, f"{host}/team/app:v1", auth_file({host: login(lab)}), name="real")
        digest = pulled(lab, namespace, "real")["image_id"].partition("@")[2]
        make_pod(lab, namespace, f"{CLOSED}/team/app:v1", name="by-tag")
        make_pod(lab, namespace, f"{CLOSED}/team/app:v1@{digest}", name="by-digest")
        sets = {kind: [{"source": f"{CLOSED}/team", "mirrors": [f"{host}/team"]}]}
        with registry_settings(lab, node={host: login(lab)}, **sets):
            found = {name: pulled(lab, namespace, name)["pulled"] for name in ("by-tag", "by-digest")}
        assert found == {"by-tag": kind == "tag", "by-digest": kind != "tag"}

    def test_a_mirror_on_the_same_host_gets_the_credential_of_the_pod(self, lab, namespace):
        host = lab.registry("private")["host"]
        make_pod(lab, namespace, f"{host}/moved/app:v1", auth_file({host: login(lab)}))
        assert not pulled(lab, namespace, "app")["pulled"]
        with registry_settings(lab, tag=[{"source": f"{host}/moved", "mirrors": [f"{host}/team"]}]):
            assert pulled(lab, namespace, "app")["pulled"]

    def test_contradicting_mirror_sets_are_not_rendered(self, lab, namespace, private):
        sets = [
            {"source": private, "mirrors": [CLOSED], "mirrorSourcePolicy": "NeverContactSource"},
            {"source": private, "mirrors": [CLOSED]},
        ]
        with registry_settings(lab, digest=sets[:1]):
            assert not pulled(lab, namespace, "app", "--node", "forgetful")["pulled"]
            with registry_settings(lab, tag=sets[1:]):
                fresh, old = lab.pull(namespace, "app"), lab.pull(namespace, "app", "--node", "forgetful")
        assert "conflicting mirrorSourcePolicy" in fresh["node_problems"][0]
        assert fresh["node_problems"] == old["node_problems"]
        # A node that already has files keeps the last ones. A new node starts with those of the platform.
        assert (fresh["pulled"], old["pulled"]) == (True, False)

    @pytest.mark.parametrize("spec", [{"imageDigestMirrors": "none"}, {"imageDigestMirrors": [7]}, []])
    def test_an_unreadable_mirror_set_is_reported_and_the_node_pulls_as_before(self, lab, namespace, private, spec):
        path = f"{CONFIG}/imagedigestmirrorsets"
        body = {"apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSet", "spec": spec}
        lab.api("POST", path, body | {"metadata": {"name": "odd"}})
        try:
            report = lab.pull(namespace, "app")
        finally:
            lab.api("DELETE", f"{path}/odd")
        assert report["pulled"]
        assert report["node_problems"][0].startswith("ImageDigestMirrorSet odd: ")

    @pytest.mark.parametrize(
        "spec", [None, {}, {"imageDigestMirrors": None}, {"imageDigestMirrors": [{"source": CLOSED}]}]
    )
    def test_an_empty_mirror_set_changes_nothing(self, lab, namespace, private, spec):
        path = f"{CONFIG}/imagedigestmirrorsets"
        body = {"apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSet", "spec": spec}
        lab.api("POST", path, body | {"metadata": {"name": "odd"}})
        try:
            report = lab.pull(namespace, "app")
        finally:
            lab.api("DELETE", f"{path}/odd")
        assert (report["pulled"], report["node_problems"]) == (True, [])

    def test_the_node_credential_is_tried_after_the_pod_secret(self, lab, namespace):
        host = lab.registry("private")["host"]
        make_pod(lab, namespace, f"{host}/team/app:v1", auth_file({host: WRONG}))
        assert not pulled(lab, namespace, "app")["pulled"]
        with registry_settings(lab, node={host: login(lab)}):
            image = pulled(lab, namespace, "app")
        assert image["pulled"]
        assert [(one["secret"], one["key"]) for one in image["tried"]] == [
            ("app-0", host),
            ("openshift-config/pull-secret", host),
        ]

    def test_a_short_name_is_resolved_through_the_search_registries(self, lab, namespace):
        host = lab.registry("private")["host"]
        make_pod(lab, namespace, "team/app:v1", policy="IfNotPresent")
        node = {host: login(lab)}
        with registry_settings(lab, node=node, sources={"containerRuntimeSearchRegistries": [CLOSED, host]}):
            assert pulled(lab, namespace, "app")["pulled"]
            refused = pulled(lab, namespace, "app", "--short-names", "enforcing")
        assert refused["waiting"]["reason"] == "ImageInspectError"
        assert refused["waiting"]["message"].endswith("image name team/app:v1 returns ambiguous list")
        with registry_settings(lab, node=node, sources={"containerRuntimeSearchRegistries": [host]}):
            assert pulled(lab, namespace, "app", "--short-names", "enforcing")["pulled"]


def remade(lab: Lab, namespace: str, name: str, content: Mapping[str, Any]) -> None:
    """Delete the secret and create another object with the same name."""
    lab.api("DELETE", path_of(namespace, "secrets", name))
    lab.create(namespace, "secrets", pull_secret(name, content))


class TestPresentImages:
    """Images that are already on a node, without and with the kubelet's check of the pod's credentials."""

    @pytest.fixture
    def pods(self, lab, namespaces, request) -> tuple[str, str, list[str]]:
        """A project with a pod that has pulled and one with a pod that has a wrong secret, on their own node."""
        host = lab.registry("private")["host"]
        first, second = namespaces(2)
        make_pod(lab, first, f"{host}/team/app:v1", auth_file({host: login(lab)}), policy="IfNotPresent")
        make_pod(lab, second, f"{host}/team/app:v1", auth_file({host: WRONG}), policy="IfNotPresent")
        return first, second, ["--node", first]

    def test_each_pod_can_use_a_present_image_without_the_check(self, lab, pods):
        first, second, node = pods
        assert not pulled(lab, second, "app", *node)["pulled"]
        assert pulled(lab, first, "app", *node)["pulled"]
        image = pulled(lab, second, "app", *node)
        assert (image["pulled"], image["present"], image["tried"]) == (True, True, [])
        assert image["events"][-1]["message"].endswith("already present on machine")

    def test_the_check_refuses_a_present_image_to_pods_that_cannot_pull_it(self, lab, pods):
        first, second, node = pods
        assert pulled(lab, first, "app", *node, "--recheck")["pulled"]
        again = pulled(lab, first, "app", *node, "--recheck")
        assert again["present"]
        assert again["events"][-1]["message"].endswith("and can be accessed by the pod")
        refused = pulled(lab, second, "app", *node, "--recheck")
        assert (refused["pulled"], refused["present"]) == (False, False)
        assert pulled(lab, second, "app", *node)["present"]

    def test_a_changed_secret_keeps_its_access_and_a_recreated_secret_must_pull(self, lab, pods):
        first, _second, node = pods
        host = lab.registry("private")["host"]
        assert pulled(lab, first, "app", *node, "--recheck")["pulled"]
        wrong = pull_secret("app-0", auth_file({host: WRONG}))
        lab.api("PATCH", path_of(first, "secrets", "app-0"), {"data": wrong["data"]})
        assert pulled(lab, first, "app", *node, "--recheck")["present"]
        remade(lab, first, "app-0", auth_file({host: ("another", "wrong")}))
        assert not pulled(lab, first, "app", *node, "--recheck")["pulled"]

    def test_the_same_credential_gives_access_from_another_namespace(self, lab, pods):
        first, second, node = pods
        host = lab.registry("private")["host"]
        assert pulled(lab, first, "app", *node, "--recheck")["pulled"]
        remade(lab, second, "app-0", auth_file({f"{host}/team": login(lab)}))
        assert pulled(lab, second, "app", *node, "--recheck")["present"]

    def test_an_image_pulled_with_the_node_credential_is_open_to_other_pods(self, lab, pods):
        first, second, node = pods
        host = lab.registry("private")["host"]
        lab.api("DELETE", path_of(first, "secrets", "app-0"))
        with registry_settings(lab, node={host: login(lab)}):
            assert pulled(lab, first, "app", *node, "--recheck")["tried"][0]["secret"] == "openshift-config/pull-secret"
        assert pulled(lab, second, "app", *node, "--recheck")["present"]

    def test_an_image_present_before_the_check_is_open_to_other_pods(self, lab, pods):
        first, second, node = pods
        assert pulled(lab, first, "app", *node)["pulled"]
        assert pulled(lab, second, "app", *node, "--recheck")["present"]

    def test_policy_always_asks_the_registry(self, lab, pods, namespace):
        first, _second, node = pods
        host = lab.registry("private")["host"]
        assert pulled(lab, first, "app", *node)["pulled"]
        make_pod(lab, namespace, f"{host}/team/app:v1", auth_file({host: WRONG}), policy="Always")
        assert not pulled(lab, namespace, "app", *node)["pulled"]

    def test_policy_never_uses_only_present_images(self, lab, pods, namespace):
        first, _second, node = pods
        make_pod(lab, namespace, f"{lab.registry('private')['host']}/team/app:v1", policy="Never")
        assert pulled(lab, namespace, "app", *node)["waiting"]["reason"] == "ErrImageNeverPull"
        assert pulled(lab, first, "app", *node)["pulled"]
        assert pulled(lab, namespace, "app", *node)["present"]


class TestStatusAndMany:
    def test_the_pod_status_matches_the_result_of_the_pull(self, lab, namespace):
        host = lab.registry("private")["host"]
        make_pod(lab, namespace, f"{host}/team/app:v1", auth_file({host: login(lab)}), name="good")
        make_pod(lab, namespace, f"{host}/team/app:v1", auth_file({host: WRONG}), name="bad")
        seen = {}
        for name in ("good", "bad"):
            image = pulled(lab, namespace, name, "--status")
            found = lab.get(namespace, "pods", name)
            assert found is not None
            (status,) = found["status"]["containerStatuses"]
            assert status["state"].get("waiting") == image["waiting"]
            seen[name] = (found["status"]["phase"], bool(status["imageID"]))
        assert seen == {"good": ("Running", True), "bad": ("Pending", False)}

    def test_many_pods_get_the_same_result_as_each_pod_alone(self, lab, namespaces):
        host = lab.registry("private")["host"]
        pods = []
        for namespace in namespaces(2):
            for number in range(6):
                who = login(lab) if number % 2 else WRONG
                make_pod(lab, namespace, f"{host}/team/app:v1", auth_file({host: who}), name=f"app-{number}")
                pods.append((namespace, f"app-{number}"))
        reports = lab.pull_all(pods)
        assert [(one["namespace"], one["pod"]) for one in reports] == pods
        assert [one["pulled"] for one in reports] == [lab.pull(*pod)["pulled"] for pod in pods] == [False, True] * 6
        spaces = sorted({namespace for namespace, _pod in pods})
        listed = lab.run("pull", "--dir", str(lab.dir), "--all", *spaces, check=False)
        assert listed.returncode == 1
        assert [json.loads(line)["pulled"] for line in listed.stdout.splitlines()] == [False, True] * 6

    def test_an_absent_pod_has_an_error_and_the_other_pods_get_an_answer(self, lab, namespace, private):
        lines = "".join(json.dumps({"namespace": namespace, "pod": pod}) + "\n" for pod in ("absent", "app"))
        done = lab.run("pull", "--dir", str(lab.dir), "--stdin", check=False, stdin=lines)
        first, second = (json.loads(line) for line in done.stdout.splitlines())
        assert done.returncode == 2
        assert 'pods "absent" not found' in first["error"]
        assert second["pulled"]


def test_a_push_creates_the_image_stream(lab, namespace):
    path = f"/apis/image.openshift.io/v1/namespaces/{namespace}/imagestreams/app"
    for tag in ("v1", "v2", "v2"):
        lab.run("push", "--dir", str(lab.dir), f"{namespace}/app:{tag}")
    status = lab.api("GET", path)["status"]
    host = lab.registry("integrated")["host"]
    assert status["dockerImageRepository"] == f"{host}/{namespace}/app"
    assert [(tag["tag"], len(tag["items"])) for tag in status["tags"]] == [("v1", 1), ("v2", 1)]
    make_pod(lab, namespace, status["tags"][0]["items"][0]["dockerImageReference"])
    lab.api("PATCH", path_of(namespace, "pods", "app"), {"metadata": {"labels": {"seen": "true"}}})
    assert "@sha256:" in lab.get(namespace, "pods", "app")["spec"]["containers"][0]["image"]
