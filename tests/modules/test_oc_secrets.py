# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module calls that the guide oc.rst gives for secrets have the same effect as the recorded oc commands."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.objects import b64

PAGE = Path(__file__).parents[2] / "docs" / "docsite" / "rst" / "oc.rst"
HOST, DOCKERCONFIGJSON = "privateregistry.example.com", "kubernetes.io/dockerconfigjson"
AUTH = b64(b"developer@example.com:pw")
GOOD = {"auths": {HOST: {"auth": AUTH}}}
STORE = {"auths": {HOST: {}}, "credsStore": "desktop"}


#: The tests of the rows of the table about secrets, and the commands of the rows.
ROWS = {
    "test_from_dockers_file": "``generic p --from-file=.dockerconfigjson=config.json --type=dockerconfigjson``",
    "test_from_podmans_file": "``generic p --from-file=auth.json --type=podmanconfigjson``",
    "test_from_a_file_without_credentials": "``generic p --from-file=.dockerconfigjson=store.json --type=dockerconfigjson``",
    "test_from_values": "``docker-registry p --docker-server=… --docker-username=… --docker-password=… --docker-email=…``",
    "test_there_is_no_default_server": "the same without ``--docker-server``",
}


def test_each_row_has_a_test():
    table = PAGE.read_text(encoding="utf-8").partition("\nSecrets\n---")[2]
    assert re.findall(r"^   \* - (?!``oc )(.+)$", table, re.MULTILINE) == [*ROWS.values()]
    assert {*ROWS} <= {*globals()}


@pytest.fixture
def make(lab, run, namespace, tmp_path):
    """Call pull_secret, with a file if one is given, and return the result and the secret."""

    def call(name: str = "", content: Any = None, **options: Any) -> tuple[dict[str, Any], dict[str, Any] | None]:
        if name:
            text = content if isinstance(content, bytes) else json.dumps(content).encode()
            (tmp_path / name).write_bytes(text)
            options["auth_file"] = str(tmp_path / name)
        result = run("pull_secret", name="p", namespaces=[namespace], **options)
        return result, lab.get(namespace, "secrets", "p")

    return call


def held(secret: dict[str, Any] | None) -> tuple[str, str, Any]:
    assert secret is not None
    ((key, value),) = secret["data"].items()
    return secret["type"], key, json.loads(base64.b64decode(value))


def test_from_dockers_file(make):
    _result, secret = make("config.json", GOOD)
    assert held(secret) == (DOCKERCONFIGJSON, ".dockerconfigjson", GOOD)
    assert make("config.json", GOOD)[0]["changed"] is False


def test_the_bytes_of_a_file(make, lab, namespace):
    unpadded = b64(b"a:bc").rstrip("=")
    text = b"""{"credHelpers": {"b.io": "x"}, "HttpHeaders": {"a": "b"}, "auths": {
      "b.io": {"auth": "%s", "n": 1.50}, "a.io": {"username": "u", "password": "p"}}}""" % unpadded.encode()
    _result, secret = make("config.json", text)
    assert base64.b64decode(secret["data"][".dockerconfigjson"]) == (
        b'{"auths": {"a.io": {"username": "u", "password": "p", "auth": "dTpw"}, "b.io": {"auth": "YTpiYw==", "n": 1.50}}}'
    )
    assert make("config.json", text)[0]["changed"] is False


def test_a_file_that_is_not_utf8(make, lab, namespace):
    text = b'{"auths": {"a.io": {"auth": "dTpw", "email": "ren\xe9@example.com"}}}'
    _result, secret = make("config.json", text)
    assert base64.b64decode(secret["data"][".dockerconfigjson"]) == text
    result, _secret = make("config.json", b'{"auths": {"a.io": {"username": "ren\xe9", "password": "Secret-1"}}}')
    assert "'a.io' has a user or password that is not valid Unicode: save the file as UTF-8" in result["msg"]


def test_from_podmans_file(make, lab, namespace):
    result, secret = make("auth.json", GOOD)
    assert held(secret) == (DOCKERCONFIGJSON, ".dockerconfigjson", GOOD)
    assert not result.get("warnings")
    lab.api("DELETE", f"/api/v1/namespaces/{namespace}/secrets/p")
    result, secret = make("auth.json", GOOD, type="kubernetes.io/podmanconfigjson")
    assert secret is None
    assert "kubernetes.io/dockerconfigjson" in result["msg"]


def test_from_a_file_without_credentials(make, lab):
    with lab.no_requests():
        result, secret = make("store.json", STORE)
    assert secret is None
    assert HOST in result["msg"]
    assert "docker-credential-desktop" in result["msg"]
    real = {**STORE, "auths": {**STORE["auths"], "quay.io": GOOD["auths"][HOST]}}
    _result, secret = make("store.json", real, include=["quay.io"])
    assert held(secret)[2] == {"auths": {"quay.io": {"auth": AUTH}}}


def test_from_values(make):
    entry = {"username": "developer@example.com", "password": "pw", "email": "unused"}
    _result, secret = make(registries=[{"registry": HOST, **entry}])
    assert held(secret) == (DOCKERCONFIGJSON, ".dockerconfigjson", {"auths": {HOST: {**entry, "auth": AUTH}}})


def test_there_is_no_default_server(make, lab):
    with lab.no_requests():
        result, secret = make(registries=[{"username": "developer@example.com", "password": "pw"}])
    assert secret is None
    assert "'registries[0].registry' is missing" in result["msg"]


def test_docker_registry_from_a_file(make):
    _result, secret = make("auth.json", GOOD)
    assert held(secret) == (DOCKERCONFIGJSON, ".dockerconfigjson", GOOD)


def test_the_data_key_goes_with_the_type(make):
    _result, secret = make("any.name", GOOD, type=DOCKERCONFIGJSON)
    assert held(secret)[1] == ".dockerconfigjson"
