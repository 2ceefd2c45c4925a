# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules check the pull secret of the nodes as osdctl does, and offer no task where the platform would revert it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, UnreadableObject
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import Finding
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_access import (
    find_unlinked_cluster,
    find_unusable_node_secret,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import INFRASTRUCTURE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.objects import b64
from support.surveyed import place, survey

SERVICE = {"cloud.openshift.com": {"auth": "dTpw", "email": "you@example.com"}}
BAD = {"auth": "no login"}


def secret(auths: Any, kind: str = "kubernetes.io/dockerconfigjson", key: str = ".dockerconfigjson") -> dict[str, Any]:
    text = auths if isinstance(auths, str) else json.dumps({"auths": auths})
    meta = {"name": NODE_SECRET.name, "namespace": NODE_SECRET.namespace}
    return {"metadata": meta, "type": kind, "data": {key: b64(text)}}


def both(held: Any, infrastructure: Any = None, *, is_openshift: bool = True) -> list[Finding]:
    evidence = Lookup({NODE_SECRET: held, INFRASTRUCTURE: infrastructure})
    seen = dataclasses.replace(survey(place()), evidence=evidence, is_openshift=is_openshift)
    return [*find_unusable_node_secret(seen), *find_unlinked_cluster(seen)]


def test_a_complete_secret_is_not_reported() -> None:
    assert both(secret({**SERVICE, "quay.io": {"auth": "dTpw"}})) == []


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (secret(SERVICE, key="other"), "it has no data key .dockerconfigjson"),
        (secret(SERVICE, "Opaque"), "it has type Opaque, not kubernetes.io/dockerconfigjson"),
        (secret("no json"), "it is not valid JSON"),
        (
            secret({**SERVICE, "q.io": BAD, "r.io": BAD}),
            "the entry for 'q.io' has an 'auth' that is not standard base64 (and 1 more)",
        ),
    ],
)
def test_a_secret_that_nodes_cannot_use_is_an_error(held: Any, why: str) -> None:
    (found,) = both(held)
    assert (found.rule, found.effective_severity, found.ref) == ("node-secret-unusable", "error", NODE_SECRET)
    assert found.message.startswith(f"the nodes cannot use secret openshift-config/pull-secret, because {why}")


def test_entries_are_written_again_only_if_they_are_the_only_problem() -> None:
    (found,) = both(secret({**SERVICE, "q.io": BAD, "r.io": BAD}))
    written = [task["openshift_ops.image_pull.pull_secret"]["registries"][0]["registry"] for task in found.fix]
    assert written == ["q.io", "r.io"]
    (found,) = both(secret({**SERVICE, "q.io": BAD, "user:password@r.io": BAD}))
    assert found.report()["fix"] == []
    assert "password" not in str(found.report())


@pytest.mark.parametrize(
    ("auths", "why"),
    [
        ({"quay.io": {"auth": "dTpw"}}, "secret openshift-config/pull-secret has no entry for cloud.openshift.com"),
        (
            {"cloud.openshift.com": {"auth": "dTpw"}},
            "the entry for cloud.openshift.com in secret openshift-config/pull-secret has no email",
        ),
        ({"cloud.openshift.com": {"auth": "dTpw", "email": " "}}, "the entry for cloud.openshift.com in"),
    ],
)
def test_a_cluster_without_a_link_to_red_hat_is_an_info(auths: Any, why: str) -> None:
    (found,) = both(secret(auths))
    assert (found.rule, found.effective_severity, found.location) == (
        "node-secret-unlinked",
        "info",
        "cloud.openshift.com",
    )
    assert found.message.startswith(why)
    assert found.message.endswith("This is normal for a cluster that is not connected to Red Hat")
    (task,) = found.report()["fix"]
    (entry,) = task["openshift_ops.image_pull.pull_secret"]["registries"]
    assert entry["email"] == "{{ registry_email }}"


@pytest.mark.parametrize("auths", [{}, {"q.io": BAD}])
@pytest.mark.parametrize(
    ("infrastructure", "hint"),
    [
        (
            {"status": {"controlPlaneTopology": "External"}},
            "It is a copy: change the pull secret of the hosted cluster on its",
        ),
        (
            UnreadableObject("no"),
            "Infrastructure cluster could not be read, so it is not known whether this is the copy",
        ),
    ],
)
def test_no_task_is_offered_where_the_platform_may_revert_it(auths: Any, infrastructure: Any, hint: str) -> None:
    (found,) = both(secret(auths), infrastructure)
    assert found.fix == ()
    assert hint in found.message


@pytest.mark.parametrize("held", [None, UnreadableObject("no")])
def test_a_missing_or_unreadable_secret_is_not_reported(held: Any) -> None:
    assert both(held) == []


def test_other_clusters_than_openshift_have_no_such_secret() -> None:
    assert both(secret({}), is_openshift=False) == []
