# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of histories finds each wrong client. All other tests run under the same check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from support.history import operation
from support.lab import Lab, path_of
from support.objects import auth_file, b64, pull_secret

QUAY, THEIRS = "quay.example.com", "theirs.example.com"
LOGINS = auth_file({QUAY: ("robot", "secret"), THEIRS: ("other", "secret")})


class Client:
    """A client that calls itself a module of this collection."""

    def __init__(self, lab: Lab, namespace: str) -> None:
        self.lab, self.namespace = lab, namespace
        self.secret = lab.create(namespace, "secrets", pull_secret("theirs", LOGINS))
        lab.set_account(namespace, imagePullSecrets=["theirs"])
        self.account = lab.account(namespace)

    def send(self, method: str, resource: str, name: str, body: dict[str, Any]) -> None:
        self.lab.api(method, path_of(self.namespace, resource, name), body, agent="openshift_ops.image_pull/0 (wrong)")

    def link(self, *names: str, version: str) -> None:
        locked = {"metadata": {"resourceVersion": version} if version else {}}
        links = [{"name": name} for name in names]
        self.send("PATCH", "serviceaccounts", "default", {**locked, "imagePullSecrets": links})

    @property
    def links(self) -> list[str]:
        return [entry["name"] for entry in self.account["imagePullSecrets"]]

    @property
    def version(self) -> str:
        return str(self.account["metadata"]["resourceVersion"])

    def store(self, **parts: Any) -> None:
        version = {"resourceVersion": self.secret["metadata"]["resourceVersion"]}
        self.send("PATCH", "secrets", "theirs", {"metadata": version, **parts})


def replaces_the_list(client: Client) -> None:
    client.link("quay", version=client.version)


def writes_without_a_version(client: Client) -> None:
    client.link(*client.links, "quay", version="")


def deletes_before_it_creates(client: Client) -> None:
    version = {"resourceVersion": client.secret["metadata"]["resourceVersion"]}
    client.send("DELETE", "secrets", "theirs", {"preconditions": version})
    client.send("POST", "secrets", "", pull_secret("theirs", LOGINS))


def drops_a_login(client: Client) -> None:
    client.store(data={".dockerconfigjson": b64(auth_file({QUAY: ("robot", "new")}))})


def replaces_another_login(client: Client) -> None:
    changed = auth_file({QUAY: ("robot", "secret"), THEIRS: ("other", "new")})
    client.store(data={".dockerconfigjson": b64(changed)})


def writes_a_login_that_the_registry_refuses(client: Client) -> None:
    private = client.lab.registry("private")
    good = {private["host"]: (private["accounts"][0]["username"], private["accounts"][0]["password"])}
    client.store(data={".dockerconfigjson": b64(auth_file(good))})
    client.secret = client.lab.get(client.namespace, "secrets", "theirs") or {}
    client.store(data={".dockerconfigjson": b64(auth_file({private["host"]: ("robot", "unknown")}))})


def sends_a_login_to_another_host(client: Client) -> None:
    headers = {**urllib3.make_headers(basic_auth="robot:secret"), "User-Agent": "openshift_ops.image_pull"}
    pool = urllib3.PoolManager(ca_certs=client.lab.data["ca_cert"])
    host = client.lab.registry("private")["host"]
    assert pool.request("GET", f"https://{host}/v2/", headers=headers).status == 401


LOST = "of the version that was read is lost"
WRONG: dict[Callable[[Client], None], tuple[str, ...]] = {
    replaces_the_list: (f"imagePullSecrets: theirs {LOST}", f"default can no longer pull from {THEIRS}", "-dockercfg-"),
    writes_without_a_version: ("the write does not name the version that was read",),
    deletes_before_it_creates: (f"default can no longer pull from {QUAY}",),
    drops_a_login: (f"auths: {THEIRS} {LOST}", f"default can no longer pull from {THEIRS}"),
    replaces_another_login: (f"the login for {THEIRS} changed, which the user did not name",),
    writes_a_login_that_the_registry_refuses: ("default can no longer pull from 127.0.0.2:",),
    sends_a_login_to_another_host: ("a login went to 127.0.0.2:", "which the user did not name: GET /v2/"),
}


@pytest.mark.parametrize("act", WRONG, ids=lambda act: act.__name__)
def test_a_wrong_client_is_found(lab, namespace, history, act):
    client = Client(lab, namespace)
    with operation("wrong", f"link quay, and log in to {QUAY}"):
        act(client)
    found = "\n".join(history(lab))
    assert [words for words in WRONG[act] if words not in found] == [], found


@pytest.mark.parametrize("words", ["only checks", "reports no change", "repeats a finished run"])
def test_an_unwanted_write_is_found(lab, namespace, history, words):
    client = Client(lab, namespace)
    wanted = f"wrong {words}, but sent wrong: patch serviceaccounts/{namespace}/default"

    def is_found() -> bool:
        for name in ("quay", "again"):
            client.account = lab.account(namespace)
            with operation("wrong", "the same quay", is_check=words == "only checks") as run:
                client.link(*client.links, name, version=client.version)
            run.changed, run.failed = words != "reports no change", False
        return wanted in "\n".join(history(lab))

    # A run repeats nothing if the platform, which may still fill the namespace, writes between the two.
    lab.until(is_found, wanted)


def test_a_careful_client_is_not_found(lab, namespace, history):
    client = Client(lab, namespace)
    with operation("careful", f"link quay, and log in to {QUAY}"):
        client.link(*client.links, "quay", version=client.version)
        changed = auth_file({QUAY: ("robot", "new"), THEIRS: ("other", "secret")})
        client.store(data={".dockerconfigjson": b64(changed)})
    assert history(lab) == []
