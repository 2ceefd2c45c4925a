# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixes are valid tasks. tests/modules runs them."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.names import is_name
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes

LOGIN = {"registry": "q.io:5000", "username": "{{ registry_username }}", "password": "{{ registry_password }}"}


def test_link_builds_a_task_that_links_the_secret() -> None:
    (task,) = fixes.link("ns", "builder", "pull")
    assert task == {
        "name": "Link a pull secret to a service account",
        "openshift_ops.image_pull.sa_link": {
            "namespaces": ["ns"],
            "service_accounts": ["builder"],
            "secrets": ["pull"],
            "restart_pods": "stuck",
        },
    }


def test_a_new_secret_is_linked() -> None:
    secret, link = fixes.create_secret("ns", "builder", "Q.io:5000")
    assert secret["openshift_ops.image_pull.pull_secret"] == {
        "namespaces": ["ns"],
        "name": "pull-q-io-5000",
        "registries": [{**LOGIN, "registry": "Q.io:5000"}],
    }
    assert link == fixes.link("ns", "builder", "pull-q-io-5000")[0]


def test_a_secret_for_imports_needs_no_link() -> None:
    assert fixes.import_secret("b", "q.io") == fixes.create_secret("b", "builder", "q.io")[:1]


def test_a_secret_for_a_mirror_needs_no_link() -> None:
    (task,) = fixes.create_unlinked_secret("ns", "m.io:5000")
    assert task["openshift_ops.image_pull.pull_secret"] == {
        "namespaces": ["ns"],
        "name": "mirror-m-io-5000",
        "registries": [{**LOGIN, "registry": "m.io:5000"}],
    }


def test_a_listed_secret_is_written_without_a_link() -> None:
    base = {"namespaces": ["ns"], "name": "pull", "registries": [LOGIN]}
    for made, more in (
        (fixes.create_listed_secret, {}),
        (fixes.add_registry, {"mode": "merge"}),
        (fixes.rewrite_secret, {"mode": "replace", "recreate": True}),
    ):
        (task,) = made("ns", "pull", "q.io:5000")
        assert task == {
            "name": "Write a login into a pull secret",
            "openshift_ops.image_pull.pull_secret": {**base, **more},
        }


def test_grant_builds_a_task_that_grants_the_right() -> None:
    assert fixes.grant("b", "a", "builder") == [
        {
            "name": "Let others pull from a project",
            "openshift_ops.image_pull.image_puller_grant": {
                "namespaces": ["b"],
                "service_accounts": [{"namespace": "a", "name": "builder"}],
            },
        }
    ]


def test_tasks_that_remove_objects_have_their_options() -> None:
    (unlink,) = fixes.unlink("ns", "builder", "pull", "mount")
    assert unlink["openshift_ops.image_pull.sa_link"] == {
        "namespaces": ["ns"],
        "service_accounts": ["builder"],
        "secrets": ["pull"],
        "link_for": ["mount"],
        "state": "absent",
    }
    (remove,) = fixes.remove_secret("ns", "pull")
    assert remove["openshift_ops.image_pull.pull_secret"] == {"namespaces": ["ns"], "name": "pull", "state": "absent"}
    (entries,) = fixes.remove_registry("ns", "pull", "a.io", "b.io")
    assert entries["name"] == "Remove registries from a pull secret"
    assert entries["openshift_ops.image_pull.pull_secret"] == {
        "namespaces": ["ns"],
        "name": "pull",
        "registries": [{"registry": "a.io"}, {"registry": "b.io"}],
        "mode": "remove",
    }
    (revoke,) = fixes.revoke("ns", {"users": ["u"]})
    assert revoke["openshift_ops.image_pull.image_puller_grant"] == {
        "namespaces": ["ns"],
        "users": ["u"],
        "state": "absent",
        "revoke_from": "every_binding",
    }


def test_tasks_that_correct_objects_have_their_options() -> None:
    (link,) = fixes.link_only("ns", "builder", "pull")
    assert link["openshift_ops.image_pull.sa_link"] == {
        "namespaces": ["ns"],
        "service_accounts": ["builder"],
        "secrets": ["pull"],
        "require": "none",
    }
    (convert,) = fixes.convert_secret("ns", "pull", "q.io:5000")
    assert convert["openshift_ops.image_pull.pull_secret"] == {
        "namespaces": ["ns"],
        "name": "pull",
        "registries": [LOGIN],
        "mode": "merge",
        "recreate": True,
    }
    (grant,) = fixes.grant_to("ns", {"users": ["u"]})
    assert grant["openshift_ops.image_pull.image_puller_grant"] == {"namespaces": ["ns"], "users": ["u"]}
    (wait,) = fixes.wait_for_account("ns", "builder")
    assert wait["openshift_ops.image_pull.sa_wait"] == {"namespaces": ["ns"], "service_accounts": ["builder"]}


@pytest.mark.parametrize(
    ("registry", "name"),
    [
        ("Q.io:5000", "pull-q-io-5000"),
        ("\u00e9.io", "pull-io"),
        ("\u0663.io\u00e9", "pull-io"),
        ("127.0.0.1", "pull-127-0-0-1"),
        ("a" * 300 + ".io", "pull-" + "a" * 248),
        ("a" * 247 + ".io", "pull-" + "a" * 247),
    ],
)
def test_the_name_of_a_new_secret_is_a_valid_object_name(registry: str, name: str) -> None:
    assert fixes.secret_name_for("pull", registry) == name
    assert is_name(name)
