# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module refuses invalid options in one line and before any request. The tests of each room cover all its refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.fake_api import FakeApi
from support.in_memory import InMemory, in_memory

LOGIN = {"registry": "quay.io", "username": "u", "password": "Canary-77"}
SECRET: dict[str, Any] = {"name": "pull", "registries": [LOGIN]}
FILE = {"auths": {"quay.io": {}}, "credsStore": "desktop"}
HERE = {"namespaces": ["a"]}
LINK = {**HERE, "secrets": ["x"]}
GRANT = {**HERE, "projects": ["consumer"]}
ACCOUNT = {"namespace": "home", "name": "robot"}
ROTATION: dict[str, Any] = {
    **HERE,
    "registries": ["quay.io"],
    "old": {"username": "u", "password": "Canary-76"},
    "new": {"username": "a:b", "password": ""},
}
MODULES: dict[str, list[tuple[dict[str, Any], list[str]]]] = {
    "automation_account": [
        (ACCOUNT, ["give 'jobs'"]),
        ({**ACCOUNT, "jobs": ["secrets"], "everywhere": True, **HERE}, ["either 'everywhere' or the namespaces"]),
        ({**ACCOUNT, "jobs": ["root"]}, ["option 'jobs' has an unknown value: it takes "]),
    ],
    "credential_rotation": [
        ({**ROTATION, "verify_repositories": ["app"]}, ["':' in its user name", "no password", "'app' is not a rep"])
    ],
    "image_puller_grant": [
        ({**GRANT, "binding_name": "system:image-pullers"}, ["reserved for the platform"]),
        ({**GRANT, "owner": "a b"}, ["option 'owner'"]),
        ({**GRANT, "projects": ["Not_One"]}, ["'projects'"]),
    ],
    "pull_access_audit": [({**HERE, "dest": "/none/a.json"}, ["its directory does not exist"])],
    "pull_access_images": [
        ({**HERE, "of": ["bitnami"]}, ["Did you mean 'docker.io/bitnami'?"]),
        ({**HERE, "to": "quay.io/acme"}, ["option 'to': give one path"]),
        ({**HERE, "ask_registries": True}, ["option 'ask_registries: true' needs 'to'"]),
        ({**HERE, "dest": "/none/a.json", "csv": "/none/a.csv"}, ["option 'dest'", "option 'csv'"]),
    ],
    "pull_access_info": [
        ({**HERE, "image": "q.io/a", "ask_registries": True, "registry_timeout": 0}, ["seconds, from 1 to 3600"])
    ],
    "pull_access_what_if": [
        ({"changes": []}, ["option 'changes' is empty"]),
        ({"changes": [{"new_nodes": False}, {"target_version": "soon"}]}, ["changes[0]", "changes[1]"]),
        ({"changes": [{"delete_objects": {"kind": "Pod", "names": ["a"]}}]}, ["kind 'Pod' cannot be changed"]),
        ({"changes": [{"moved": {"q.io/a:v1": "r.io"}}]}, ["moved: 'q.io/a:v1' is not host[:port] or"]),
        ({"changes": [{"unreachable_registries": ["q.io/a@b"]}]}, ["a text with @ is not host[:port] or"]),
        ({"changes": [{"declared": {}}]}, ["declared is empty"]),
        ({"changes": [{"declared": {"secrets": [], "prune": True}}]}, ["declared.prune needs declared.owner"]),
        ({"changes": [{"declared": {"secrets": [{**SECRET, "passwort": "Canary-77"}]}}]}, ["passwort is unknown"]),
        ({"changes": [{"new_nodes": True}], "dest": "/", "junit": "/none/a"}, ["option 'dest'", "option 'junit'"]),
    ],
    "pull_probe": [
        ({**HERE, "images": ["team/app:v1"]}, ["names no registry"]),
        ({**HERE, "images": ["q.io/a"], "timeout": -1}, ["option 'timeout' must not be negative"]),
    ],
    "pull_secret": [
        ({**HERE, "name": "pull", "auth_config": FILE}, ["quay.io", "docker-credential-desktop"]),
        ({**HERE, "name": "pull", "auth_config": '{"auths": {"a.io": {"x": NaN}}}'}, ["line 1, column"]),
        ({**HERE, "name": "pull", "auth_config": '{"auths": {"q.io": {}, "q.io": {}}}'}, ["'q.io' twice"]),
        ({**HERE, **SECRET, "registries": [{**LOGIN, "registry": "hub.docker.com"}]}, ["Write 'docker.io' instead"]),
        ({**HERE, **SECRET, "registries": [{**LOGIN, "registry": "a.io:notaport"}]}, ["or 'a.io' instead"]),
        ({**HERE, **SECRET, "adopt": True}, ["option 'owner'"]),
        ({**HERE, **SECRET, "concurrency": 0}, ["'concurrency'"]),
        ({**SECRET, "namespaces": ["no/good"]}, ["'namespaces'", "lower-case"]),
        (
            {"secrets": [{**HERE, **SECRET}, {**SECRET, "namespaces": ["Not-A-Name"]}, {**HERE, "name": "c"}]},
            ["nothing was read or changed: secrets[1] (pull): ", "secrets[2] (c): "],
        ),
        (
            {"secrets": [{**HERE, **SECRET, "state": "gone"}, {**SECRET, "pasword": "Canary-77"}]},
            ["secrets[0] (pull): option 'state' has an unknown value: it takes present, absent", "secrets[1] (pull): "],
        ),
    ],
    "sa_link": [
        ({"secrets": ["x"]}, ["are all missing or empty: give one of them"]),
        ({**LINK, "namespace_selector": {"include": ["*"]}}, ["give only one of options '"]),
        ({"secrets": ["x"], "namespace_selector": {"exclude": ["a"]}}, ["'namespace_selector'"]),
        ({**LINK, "max_failures": "few"}, ["'max_failures'"]),
        ({**LINK, "owner": ""}, ["option 'owner'"]),
        ({**LINK, "link_for": []}, ["option 'link_for'"]),
        (
            {"links": [LINK, {**LINK, "service_accounts": ["d*"], "state": "absent"}]},
            ["links[0] (x) and links[1] (x) contradict each other in namespace a: ", "Nothing was changed"],
        ),
    ],
    "sa_wait": [({**HERE, "service_accounts": ["No_Name"]}, ["'service_accounts'"])],
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[InMemory]:
    with in_memory(FakeApi()) as found:
        yield found


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("module", MODULES)
def test_invalid_options_are_refused_before_any_request(cluster: InMemory, module: str, check: bool) -> None:
    for options, words in MODULES[module]:
        result = cluster.run(module, check=check, **options)
        assert result["failed"]
        assert [word for word in words if word not in result["msg"]] == [], result["msg"]
        assert result["msg"].isprintable()
        assert "Canary" not in str(result)
    assert cluster.api.asked == []
