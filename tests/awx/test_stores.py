# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on stores works with the clients of community.hashi_vault and of AWX, and with copies that External Secrets writes.

No Vault, OpenBao or External Secrets can be installed here: a server answers like their KV engine, version 2, and the test writes the copies.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from awx_plugins.credentials.hashivault import kv_backend
from support.guided import inventory, pull_secret, written
from support.guides import Guide, Reader, environment
from support.lab import Lab, pull_names
from tools import prepare

TOKEN = "canary-of-the-store"
GUIDE = Guide("stores")


class Store(BaseHTTPRequestHandler):
    """Answers `GET /v1/secret/data/PATH` like the KV engine, version 2, of Vault and OpenBao."""

    secrets: dict[str, dict[str, str]] = {}

    def do_GET(self) -> None:
        name = self.path.removeprefix("/v1/secret/data/")
        is_allowed = self.headers.get("X-Vault-Token") == TOKEN
        status = 403 if not is_allowed else 200 if name in self.secrets else 404
        metadata = {"version": 1, "created_time": "2026-01-01T00:00:00Z", "destroyed": False, "deletion_time": ""}
        body = {"data": {"data": self.secrets[name], "metadata": metadata}} if status == 200 else {"errors": []}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def store() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_guide_works_with_a_store_and_with_copies_of_it(
    lab_factory: Callable[..., Lab], store: str, tmp_path: Path
) -> None:
    lab = lab_factory()
    for user in ("robot-1", "robot-2"):
        lab.registry_set("private", "--add", user)
    registry = lab.registry("private")
    team, old, new = registry["accounts"][0], *registry["accounts"][-2:]
    for name in ("project-a", "project-b"):
        lab.namespace(name)
    Store.secrets = {"team/registry": {key: team[key] for key in ("username", "password")}}
    owner = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "name": "quay",
        "uid": "1",
        "controller": True,
    }
    define(lab)

    def copy(account: dict[str, str]) -> None:
        """External Secrets writes its copy of the store."""
        lab.api("DELETE", "/api/v1/namespaces/project-b/secrets/quay", expect=(200, 404))
        pull_secret(lab, "project-b", "quay", registry["host"], account)
        lab.api("PATCH", "/api/v1/namespaces/project-b/secrets/quay", {"metadata": {"ownerReferences": [owner]}})

    folder = tmp_path / "folder"
    folder.mkdir()
    reader = Reader(
        folder,
        {
            "https://vault.example.com:8200": store,
            "registry.example.com": registry["host"],
            "https://api.example.com:6443": lab.data["server"],
        },
        environment(lab, tmp_path / "home", prepare.kubectl()),
    )
    reader.environment["ANSIBLE_COLLECTIONS_PATH"] = os.environ["ANSIBLE_COLLECTIONS_PATH"]
    (tmp_path / "home" / ".vault-token").write_text(TOKEN)
    passwords = {"vaulted_old_password": old["password"], "vaulted_new_password": new["password"]}
    (folder / "rotation_vault.yml").write_text(json.dumps(passwords))
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "bao").write_text("#!/bin/sh\n")
    (programs / "bao").chmod(0o755)
    reader.environment["PATH"] = f"{programs}:{reader.environment['PATH']}"
    reader.inventory = "inventory/hosts.yml"
    (folder / "inventory").mkdir()
    inventory(reader, credential_rotation_probe=False, credential_rotation_soak_seconds=0)

    rotate = "ansible-playbook openshift_ops.image_pull.rotate -i inventory -e @rotation.yml -e @rotation_vault.yml"

    def refused_before() -> None:
        shown = reader.type("before the refresh", rotate, [], 2)
        assert "ExternalSecret quay writes this secret: change the login at its source" in shown
        copy(new)

    reader.follow("stores", before={"name: Link the copy": lambda: copy(old), "kubectl annotate": refused_before})
    assert written(lab, "project-a", "team-registry") == {registry["host"]: (team["username"], team["password"])}
    assert "quay" in pull_names(lab.account("project-b"))
    assert written(lab, "project-b", "quay") == {registry["host"]: ("robot-2", new["password"])}


def test_awx_reads_a_field_of_a_credential_from_the_store(store: str) -> None:
    Store.secrets = {"team/registry": {"username": "robot-1", "password": "canary-of-the-login"}}
    given = {"url": store, "token": TOKEN, "api_version": "v2", "secret_backend": "secret"}
    assert kv_backend(**given, secret_path="team/registry", secret_key="password") == "canary-of-the-login"


def define(lab: Lab) -> None:
    """Define ExternalSecrets, with one object."""
    group = "external-secrets.io"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "externalsecrets", "kind": "ExternalSecret"}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    lab.api(
        "POST",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        {"metadata": {"name": f"externalsecrets.{group}"}, "spec": spec},
    )
    path = f"/apis/{group}/v1/namespaces/project-b/externalsecrets"
    lab.until(lambda: lab.answer("GET", path, None, "")[0] == 200, "ExternalSecrets are served")
    lab.api("POST", path, {"apiVersion": f"{group}/v1", "kind": "ExternalSecret", "metadata": {"name": "quay"}})
