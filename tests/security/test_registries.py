# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A project user's image names and secret keys choose neither the hosts that the controller connects to nor the registry that a key is
shown for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from support.audited import Scene
from support.certificates import server_context, write_certificate
from support.hostile_registry import HostileRegistry, Script, answer, served
from support.lab import path_of
from support.modules import run_module
from support.objects import b64
from support.project_user import ProjectUser, auth_file
from support.registry_settings import registry_settings

VAULT = "corp-vault.example.com"
PASSWORD = "Canary-77-of-mallory"
TOKEN = b'{"token": "Canary-token"}'


@pytest.fixture
def mallory(lab, namespace):
    return ProjectUser.create(lab, "mallory", namespace)


@pytest.fixture
def certificate(tmp_path) -> str:
    return write_certificate(tmp_path / "registry.pem")


@pytest.fixture
def target(tmp_path) -> Iterator[HostileRegistry]:
    """A server that only the host of the task can reach. It would speak TLS with any client."""
    context = server_context(write_certificate(tmp_path / "target.pem", address="127.0.0.9"))
    with served(answer("HTTP/1.1 200 OK", body=TOKEN), context, address="127.0.0.9") as found:
        yield found


@pytest.fixture
def plain_target() -> Iterator[HostileRegistry]:
    """The same server without TLS. Any connection is visible, even one that ends before it sends anything."""
    with served(answer("HTTP/1.1 200 OK", body=TOKEN), None, address="127.0.0.9") as found:
        yield found


def registry(certificate: str, *headers: str, status: str = "401 Unauthorized"):
    """Serve mallory's registry, which gives this answer to everything."""
    return served(answer(f"HTTP/1.1 {status}", *headers, "Content-Length: 0"), server_context(certificate))


def pod(mallory: ProjectUser, image: str, secret: str = "") -> None:
    pull_secrets = {"imagePullSecrets": [{"name": secret}]} if secret else {}
    spec = {"containers": [{"name": "app", "image": image}], **pull_secrets}
    mallory.create_object("pods", {"metadata": {"name": "app"}, "spec": spec})


def explain(run, mallory: ProjectUser, **options: Any) -> dict[str, Any]:
    how = {"ask_registries": True, **options}
    result = run("pull_access_info", namespaces=[mallory.namespace], pod="app", **how)
    assert PASSWORD not in json.dumps(result)
    assert "Canary-token" not in json.dumps(result)
    (found,) = result["namespaces"][0]["access"]
    return found


@pytest.fixture
def explained(run, mallory, certificate):
    """Return the explanation of a pod of hers with an image from her registry, which an option names, and the registry's requests."""

    def call(script: Script, *, login: bool = True) -> tuple[dict[str, Any], list[bytes]]:
        with served(script, server_context(certificate)) as hostile:
            if login:
                mallory.secret("pull", auth_file({hostile.host: ("mallory", PASSWORD)}))
            pod(mallory, f"{hostile.host}/team/app:v1", "pull" if login else "")
            return explain(run, mallory, realm_hosts=[hostile.host], registry_ca_cert=certificate), hostile.requests

    return call


class TestRealms:
    """The administrator names mallory's registry, because the lab is on loopback. She still chooses its realm."""

    @pytest.mark.parametrize(
        ("realm", "why"),
        [
            ("http://{plain}/token?a=b", "without TLS"),
            ("https://{plain}/token", "to image_pull_realm_hosts of the inventory"),
            ("https://mallory:pw@{plain}/token", "to image_pull_realm_hosts of the inventory"),
            ("https://{registry}@{plain}/token", "to image_pull_realm_hosts of the inventory"),
            ("https://169.254.169.254/latest/meta-data", "to image_pull_realm_hosts of the inventory"),
        ],
    )
    @pytest.mark.parametrize("login", [True, False], ids=["with a login", "without a login"])
    def test_the_realm_of_a_hostile_registry_is_not_fetched(self, explained, plain_target, realm, why, login):
        def challenge(server: HostileRegistry) -> Iterable[bytes]:
            where = realm.format(plain=plain_target.host, registry=server.host)
            yield f'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="{where}",service="s"\r\nContent-Length: 0\r\n\r\n'.encode()

        found, requests = explained(challenge, login=login)
        assert (found["verdict"], why in found["reason"]) == ("unknown", True)
        assert len(requests) == 1
        assert b"Authorization" not in requests[0]
        assert plain_target.connections() == 0

    def test_a_redirect_of_a_blob_or_manifest_is_not_followed(self, run, mallory, certificate, target):
        location = f"Location: https://{target.host}/v2/team/app/manifests/v1"
        with registry(certificate, location, status="307 Temporary Redirect") as hostile:
            pod(mallory, f"{hostile.host}/team/app:v1")
            found = explain(run, mallory, realm_hosts=[hostile.host, target.host], registry_validate_certs=False)
        assert (found["verdict"], "It is not followed" in found["reason"]) == ("unknown", True)
        assert target.connections() == 0

    def test_the_token_goes_back_to_the_registry_only(self, explained):
        found, requests = explained(_own_realm)
        assert found["verdict"] == "pulls"
        assert [request.split(b" HTTP")[0] for request in requests] == [
            b"HEAD /v2/team/app/manifests/v1",
            b"GET /token?service=s&scope=repository%3Ateam%2Fapp%3Apull",
            b"HEAD /v2/team/app/manifests/v1",
            b"GET /v2/team/app/manifests/v1",  # for which architectures it is
        ]


def _own_realm(server: HostileRegistry) -> Iterable[bytes]:
    asked = server.requests[-1]
    if asked.startswith(b"GET /token"):
        yield b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(TOKEN) + TOKEN
    elif b"Bearer Canary-token" in asked:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    else:
        challenge = f'Bearer realm="https://{server.host}/token",service="s"'
        yield f"HTTP/1.1 401 No\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n".encode()


class TestRegistries:
    """She also chooses the registry itself, which can name the API server, the kubelet or the metadata service of the controller."""

    @pytest.mark.parametrize(
        "image", ["{target}/x:v1", "{target}/x@sha256:" + "0" * 64, "169.254.169.254/latest/meta-data:v1", "{api}/x:v1"]
    )
    def test_a_registry_on_an_internal_address_is_not_asked(self, lab, run, mallory, plain_target, image):
        api = lab.data["server"].partition("://")[2]
        pod(mallory, image.format(target=plain_target.host, api=api))
        found = explain(run, mallory, registry_validate_certs=False)
        assert (found["verdict"], "to image_pull_realm_hosts of the inventory" in found["reason"]) == ("unknown", True)
        assert plain_target.connections() == 0

    def test_the_key_of_a_secret_leads_to_no_request_on_loopback(self, run, mallory, plain_target):
        """With `verify`, each login is checked at the host of its key."""
        host, port = plain_target.host.split(":")
        keys = [
            plain_target.host,
            f"https://{host}:{port}/v2/",
            f"u:p@{host}:{port}",
            f"{host}:{port}#@{VAULT}",
            f"127.9:{port}",
            f"localhost:{port}",
        ]
        for number, key in enumerate(keys):
            mallory.secret(f"s-{number}", auth_file({key: ("mallory", PASSWORD)}))
        result = run("pull_secret_info", namespaces=[mallory.namespace], verify=True, registry_validate_certs=False)
        assert PASSWORD not in json.dumps(result)
        rows = [row for secret in result["namespaces"][0]["secrets"] for row in secret["registries"]]
        assert {proof["outcome"] for row in rows for proof in row["proofs"]} == {"not_sent"}
        assert len(rows) == len(keys)
        assert plain_target.connections() == 0

    def test_a_realm_on_loopback_gets_no_login_when_the_administrator_writes(
        self, run, mallory, namespace, certificate, plain_target
    ):
        realm = f'WWW-Authenticate: Bearer realm="https://{plain_target.host}/token"'
        with registry(certificate, realm) as hostile:
            login = [{"registry": hostile.host, "username": "robot", "password": PASSWORD}]
            result = run(
                "pull_secret",
                namespaces=[namespace],
                name="pull",
                registries=login,
                verify=True,
                registry_ca_cert=certificate,
            )
            asked = run_module(
                "registry_auth_info",
                registry=hostile.host,
                username="robot",
                password=PASSWORD,
                registry_ca_cert=certificate,
            )
        assert (result["failed"], "to image_pull_realm_hosts of the inventory" in result["msg"]) == (True, True)
        assert asked["login"]["outcome"] == "not_sent", asked
        assert mallory.request("GET", path_of(namespace, "secrets", "pull"), expect=(404,))["reason"] == "NotFound"
        assert plain_target.connections() == 0


class TestUnlinkedSecrets:
    """She plants a secret for the registry of an image. No task links it as if its login was known to work."""

    @pytest.fixture
    def private(self, lab, mallory) -> dict[str, Any]:
        """The lab's registry, for which a pod of hers has an image and a secret of hers has a key."""
        found = lab.registry("private")
        mallory.secret("a-planted", auth_file({found["host"]: ("mallory", PASSWORD)}))
        pod(mallory, f"{found['host']}/team/app:v1")
        return found

    @staticmethod
    def trusted(lab, private) -> dict[str, Any]:
        return {"registry_ca_cert": lab.data["ca_cert"], "realm_hosts": [private["host"]]}

    def test_a_refused_login_is_not_linked(self, lab, run, mallory, private):
        found = explain(run, mallory, **self.trusted(lab, private))
        assert "does not list it, and no link is offered, because" in found["reason"]
        assert "refuses the login" in found["reason"]
        assert "a-planted" not in json.dumps(found["fix"])

    @pytest.mark.parametrize("asks", [False, True])
    def test_it_is_not_preferred_to_the_right_one(self, lab, run, mallory, private, asks):
        account = private["accounts"][1]
        mallory.secret("right", auth_file({private["host"]: (account["username"], account["password"])}))
        found = explain(run, mallory, **{"ask_registries": asks, **(self.trusted(lab, private) if asks else {})})
        guess = "no link is offered, because it is not known which login works"
        assert (guess in found["reason"]) is not asks
        links = [task["openshift_ops.image_pull.sa_link"]["secrets"] for task in found["fix"][-1:]]
        assert links == [["right"]] if asks else "a-planted" not in json.dumps(found["fix"])


class TestSignatures:
    """The administrator requires signatures of her images, so her registry is also asked for the content of an index."""

    @pytest.mark.parametrize(
        "digest",
        [f"../../../../api/v1/{VAULT}", f"https://{VAULT}/", f"sha256:{'0' * 64}/../../../token", "sha256:\x1b[2J"],
    )
    def test_a_digest_of_an_index_chooses_neither_a_host_nor_a_path(self, lab, run, mallory, certificate, digest):
        manifests = [
            {"digest": digest, "platform": {"os": "linux", "architecture": name}}
            for name in ("amd64", VAULT, "\x1b[2J")
        ]
        index = json.dumps({"schemaVersion": 2, "manifests": manifests * 50}).encode()

        def script(server: HostileRegistry) -> Iterable[bytes]:
            yield b"HTTP/1.1 200 OK\r\nContent-Type: x\r\nContent-Length: %d\r\n\r\n" % len(index)
            yield b"" if server.requests[-1].startswith(b"HEAD") else index

        with served(script, server_context(certificate)) as hostile:
            pod(mallory, f"{hostile.host}/team/app:v1")
            with registry_settings(lab, policies=[(hostile.host, "")]):
                found = explain(run, mallory, realm_hosts=[hostile.host], registry_ca_cert=certificate)
        assert found["verdict"] == "unknown"
        assert VAULT not in json.dumps(found)
        assert [request.split(b" HTTP")[0] for request in hostile.requests] == [
            b"HEAD /v2/team/app/manifests/v1",
            b"HEAD /v2/team/app/manifests/v1",
            b"GET /v2/team/app/manifests/v1",
        ]


class TestAudit:
    """An audit asks for the images of all users. She has a policy of her own, so that her images count as well."""

    def audit(self, lab, run, *names: str, **options: Any) -> dict[str, Any]:
        asked = {"ask_registries": True, "registry_ca_cert": lab.data["ca_cert"], **options}
        result = run("pull_access_audit", namespaces=[*names], rules=["image-unsigned"], **asked)
        assert not result["failed"], result["msg"]
        (cluster,) = result["audit"]["clusters"]
        return cluster

    def victim(self, lab, namespace: str) -> str:
        """A project with an image without a signature. Return its repository."""
        path, (_first, login, *_more) = f"audited/{namespace}", lab.registry("private")["accounts"]
        repository = f"{lab.registry('private')['host']}/{path}"
        lab.sign(f"{path}:v1")
        content = auth_file({lab.registry("private")["host"]: (login["username"], login["password"])})
        data = {".dockerconfigjson": b64(content)}
        body = {"metadata": {"name": "pull"}, "type": "kubernetes.io/dockerconfigjson", "data": data}
        lab.create(namespace, "secrets", body)
        spec = {"containers": [{"name": "app", "image": f"{repository}:v1"}], "imagePullSecrets": [{"name": "pull"}]}
        lab.create(namespace, "pods", {"metadata": {"name": "app"}, "spec": spec})
        return repository

    def test_thousands_of_images_leave_the_questions_of_other_projects(self, lab, run, namespaces, plain_target):
        """She also names an address that only the controller reaches."""
        first, second = sorted(namespaces(2))
        mallory, repository = ProjectUser.create(lab, "mallory", first), self.victim(lab, second)
        for pods in range(3):
            containers = [
                {"name": f"c{number}", "image": f"{plain_target.host}/x/{pods}-{number}:v1"} for number in range(700)
            ]
            mallory.create_object("pods", {"metadata": {"name": f"many-{pods}"}, "spec": {"containers": containers}})
        with registry_settings(lab, policies=[(repository, ""), (plain_target.host, first)]):
            found = self.audit(lab, run, first, second, realm_hosts=lab.registry_hosts)
        assert [(each["namespace"], each["name"]) for each in found["findings"]] == [(second, "app")]
        left_out, unknown = (each for each in found["unreadable"] if each.startswith("whether "))
        assert left_out.startswith(f"whether 101 images of namespace {first} have the signature")
        assert unknown.startswith(f"whether 1,999 images of namespace {first} have the signature")
        assert "to image_pull_realm_hosts of the inventory" in unknown
        assert plain_target.connections() == 0

    def test_a_login_goes_to_its_own_registry_only(self, lab, run, mallory, certificate):
        """Her image is at her registry, and her policy is for it. Its challenge asks for the login at another host."""
        realm = f'WWW-Authenticate: Bearer realm="https://{VAULT}/token"'
        with registry(certificate, realm) as hostile:
            mallory.secret("pull", auth_file({hostile.host: ("mallory", PASSWORD)}))
            pod(mallory, f"{hostile.host}/team/app:v1", "pull")
            with registry_settings(lab, policies=[(hostile.host, mallory.namespace)]):
                found = self.audit(
                    lab, run, mallory.namespace, realm_hosts=[hostile.host], registry_ca_cert=certificate
                )
        assert PASSWORD not in json.dumps(found)
        assert found["findings"] == []
        (unknown,) = (each for each in found["unreadable"] if each.startswith("whether "))
        assert "another host. Nothing was sent" in unknown
        assert len(hostile.requests) == 1
        assert b"Authorization" not in hostile.requests[0]


class TestKeys:
    """A key that names two registries is displayed for the registry that the node uses, and its login is rewritten for that registry."""

    @pytest.mark.parametrize("key", ["{host}#@" + VAULT, "{host}?@" + VAULT, VAULT + "@{host}", "{host}/#@" + VAULT])
    def test_the_shown_host_of_a_key_is_the_host_that_the_node_uses(self, lab, run, mallory, certificate, key):
        with registry(certificate, 'WWW-Authenticate: Basic realm="r"') as hostile:
            mallory.secret("pull", auth_file({key.format(host=hostile.host): ("mallory", PASSWORD)}))
            pod(mallory, f"{hostile.host}/team/app:v1", "pull")
            found = explain(run, mallory, realm_hosts=[hostile.host], registry_ca_cert=certificate)
            tried = lab.pull(mallory.namespace, "app")
        assert tried["images"][0]["tried"], "the node uses the key"
        assert (found["verdict"], hostile.host in found["reason"]) == ("will_not_pull", True)
        assert VAULT not in json.dumps(found)
        audit = run("pull_access_audit", namespaces=[mallory.namespace])
        assert VAULT not in json.dumps(audit)
        assert hostile.host in json.dumps(audit)


class TestWhatIf:
    """A what-if question and a guard also ask about the images of all users, and a guard refuses nothing that is unknown."""

    def test_a_removal_in_another_project_asks_nothing_about_her_pods(self, lab, run, namespaces, certificate):
        """Her registry accepts connections and never answers. The administrator names it, because the lab is on loopback."""
        first, second = sorted(namespaces(2))
        mallory, it = ProjectUser.create(lab, "mallory", first), Scene(lab, [second])
        it.secret(name="old")
        it.secret(name="used")
        it.pod(own=["used"], name="pulls")

        def silent(server: HostileRegistry) -> Iterable[bytes]:
            server.pause(20)
            return ()

        with served(silent, server_context(certificate)) as hostile:
            for at in range(60):
                spec = {"containers": [{"name": "app", "image": f"{hostile.host}/x{at}:v1"}]}
                mallory.create_object("pods", {"metadata": {"name": f"p{at}"}, "spec": spec})
            hosts = [*lab.registry_hosts, hostile.host]
            supposed = run(
                "pull_access_what_if",
                changes=[{"remove_secrets": {"name": "old", "namespaces": [second]}}],
                ask_registries=True,
                registry_ca_cert=lab.data["ca_cert"],
                realm_hosts=hosts,
                fail_on="unknown",
            )
            guard = {"guard": "what_if", "registry_ca_cert": lab.data["ca_cert"], "realm_hosts": hosts}
            removed = run("pull_secret", name="old", namespaces=[second], state="absent", **guard)
            assert hostile.connections() == 0
        assert (supposed["failed"], supposed["what_if"]["containers"]) == (False, [])
        assert (removed["changed"], removed["guard"]) == (True, {"would_break": [], "unknown": 0})

    def test_hundreds_of_dead_registries_leave_the_answers_of_other_projects(self, lab, run, namespaces):
        """She has a pod for each registry and uses the name of a common secret, so that her questions come together with those of the others.

        The administrator names her registries, because the lab is on loopback. Nothing listens there.
        """
        first, second = sorted(namespaces(2))
        mallory, it = ProjectUser.create(lab, "mallory", first), Scene(lab, [second])
        hosts = [f"127.0.1.{number}:5000" for number in range(1, 251)]
        for name in ("old", "next"):
            mallory.secret(name, auth_file({"127.0.1.*:5000": ("mallory", name)}))
        for at, host in enumerate(hosts):
            containers = [{"name": "app", "image": f"{host}/x:v1"}]
            spec = {"containers": containers, "imagePullSecrets": [{"name": "old"}, {"name": "next"}]}
            mallory.create_object("pods", {"metadata": {"name": f"p{at}"}, "spec": spec})
        it.secret(name="old")
        it.secret({it.host: it.entry("wrong")}, name="next")
        it.secret(name="other")
        for name, own in (("breaks", ["old", "next"]), ("pulls", ["other"])):
            it.pod(own=own, name=name)
        result = run(
            "pull_access_what_if",
            namespaces=[first, second],
            changes=[{"remove_secrets": {"name": "old"}}],
            ask_registries=True,
            registry_ca_cert=lab.data["ca_cert"],
            realm_hosts=[*lab.registry_hosts, *hosts],
        )
        assert not result["failed"], result["msg"]
        rows = result["what_if"]["containers"]
        assert [row["name"] for row in rows if (row["namespace"], row["answer"]) == (second, "would_break")] == [
            "breaks"
        ]
        assert {(row["namespace"], row["answer"]) for row in rows} == {(first, "unknown"), (second, "would_break")}
        assert result["counts"]["not_affected"] == 1
        assert any("other registries that objects of the cluster name did not answer" in str(row) for row in rows)
