# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plays of the roles on a simulated cluster, with registries that name any host for their logins.

For each combination of two entries and their plays: a second round of the same plays changes nothing, and no secret has a login for a host that
the inventory does not name.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from ansible.template import Templar
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declared_access import (
    AccessStep,
    DeclaredAccess,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.role_entries import DeclarationError
from support.certificates import loopback_certificate, server_context
from support.hostile_registry import answer, served
from support.simulated_api import Conditions
from support.simulated_laws import auths_of
from support.simulation import Simulation

PLACES = ("ns0", "ns1")
FOREIGN = "logins.example.com"
LOGIN = {"username": "robot", "password": "Canary-of-a-role"}
OTHER_LOGIN = {"username": "robot", "password": "Canary-of-another-role"}
BOTH = ("private_registry", "delegated_auth")
#: The plays of one round: the two roles in one play, or each in its own.
ROUNDS = ((BOTH,), (BOTH[:1], BOTH[1:]))
#: How an entry selects its namespaces.
SELECTED = ({"namespaces": ["ns0"]}, {"namespace_selector": {"labels": "name=ns0"}})
#: The name of a secret in the one role, of which the other one writes the last by default.
NAMES = ("pull", "private-registry")


@contextmanager
def registry(realm: str) -> Iterator[str]:
    """Yield the host of a registry that wants its logins sent to the realm. Without one, to itself."""
    scheme = f'Bearer realm="https://{realm}/token",service="r"' if realm else 'Basic realm="r"'
    lines = ("HTTP/1.1 401 Unauthorized", f"WWW-Authenticate: {scheme}", "Content-Length: 0", "Connection: close")
    with served(answer(*lines), server_context(loopback_certificate())) as server:
        yield server.host


def play(simulation: Simulation, client: str, roles: Sequence[str], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a play with these roles. A refused declaration fails it."""
    found: dict[str, Any] = {}

    def run(step: AccessStep, options: dict[str, Any]) -> dict[str, Any]:
        return simulation.run_module(client, step.module, **options)

    def work() -> None:
        access = DeclaredAccess(roles, variables, Templar(None, variables=dict(variables)), run)
        access.apply()
        found.update(access.result("my-cluster"))

    try:
        simulation.schedule.run(work)
    except DeclarationError as error:
        return {"changed": False, "failed": True, "msg": str(error)}
    return found


def named_hosts(variables: Mapping[str, Any]) -> set[str]:
    entries = variables["delegated_auth_registries"]
    hosts = {str(entry[name]) for entry in entries for name in ("registry", "realm_host") if name in entry}
    return hosts | {
        str(each["registry"]) for entry in variables["private_registry_secrets"] for each in entry["registries"]
    }


def complaints(simulation: Simulation, variables: Mapping[str, Any], plays: Sequence[Sequence[str]]) -> Iterator[str]:
    """Play two rounds, and yield the broken laws."""
    before = set(simulation.api.objects)
    rounds = [
        [play(simulation, f"{'+'.join(roles)}.{number}", roles, variables) for roles in plays] for number in (1, 2)
    ]
    for roles, second in zip(plays, rounds[1], strict=True):
        if second["changed"]:
            yield f"the second round of {' and '.join(roles)} changes something: {second['line']}"
    for key in simulation.api.objects.keys() - before:
        if foreign := auths_of(simulation.api.objects[key]).keys() - named_hosts(variables):
            yield f"{key} has a login for {', '.join(foreign)}, which the inventory does not name"
    yield from simulation.problems


@pytest.mark.parametrize("realm", ["", FOREIGN], ids=["itself", "foreign"])
def test_plays_of_roles_agree_and_store_logins_only_for_named_hosts(realm: str, no_outside_settings: None) -> None:
    found: list[str] = []
    with registry(realm) as host:
        for name, here, there, is_named, plays in itertools.product(NAMES, SELECTED, SELECTED, (True, False), ROUNDS):
            private = {"name": name, "registries": [{"registry": "quay.io", **LOGIN}], **here}
            realm_host = {"realm_host": FOREIGN} if is_named else {}
            variables = {
                "private_registry_secrets": [private],
                "delegated_auth_registries": [{"registry": host, **OTHER_LOGIN, **there, **realm_host}],
                "image_pull_registry_ca_cert": loopback_certificate(),
            }
            simulation = Simulation(f"{name} {here} {there} {is_named} {plays}", PLACES)
            simulation.api.conditions = Conditions(latency=0.001)
            try:
                found += complaints(simulation, variables, plays)
            finally:
                simulation.schedule.end()
    assert not found
