# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixes are valid tasks. tests/modules runs them."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.names import is_name
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes

LOGIN = {"registry": "q.io:5000", "username": "{{ registry_username }}", "password": "{{ registry_password }}"}


HERE: dict[str, Any] = {"namespaces": ["ns"]}
PULL: dict[str, Any] = {**HERE, "name": "pull"}
LINK: dict[str, Any] = {**HERE, "service_accounts": ["builder"], "secrets": ["pull"]}
SUBJECT = {"users": ["u"]}
FROM_MIRROR = {**HERE, "name": "mirror-m-io-5000", "registries": [{**LOGIN, "registry": "m.io:5000"}], "verify": "warn"}
WRITE = {**PULL, "registries": [LOGIN], "verify": "warn"}
NEW = {**WRITE, "name": "pull-q-io-5000"}
GRANT = {**HERE, "service_accounts": [{"namespace": "a", "name": "builder"}]}
EMPTIED = {**PULL, "registries": [{"registry": "a.io"}, {"registry": "b.io"}], "mode": "remove"}
NAMES = {
    "link": "Link a pull secret to a service account",
    "grant": "Let others pull from a project",
    "fewer logins": "Remove registries from a pull secret",
    **dict.fromkeys(("listed secret", "another login", "new content"), "Write a login into a pull secret"),
}
#: The tasks of each fix, as module and options.
FIXES: dict[str, tuple[Sequence[dict[str, Any]], list[tuple[str, dict[str, Any]]]]] = {
    "link": (fixes.link("ns", "builder", "pull"), [("sa_link", {**LINK, "restart_pods": "stuck"})]),
    "link only": (fixes.link_only("ns", "builder", "pull"), [("sa_link", {**LINK, "require": "none"})]),
    "unlink": (fixes.unlink("ns", "builder", "pull", "mount"),
               [("sa_link", {**LINK, "link_for": ["mount"], "state": "absent"})]),
    "new secret": (fixes.create_secret("ns", "builder", "q.io:5000"),
                   [("pull_secret", NEW), ("sa_link", {**LINK, "secrets": [NEW["name"]], "restart_pods": "stuck"})]),
    "secret for imports": (fixes.import_secret("ns", "q.io:5000"), [("pull_secret", NEW)]),
    "secret for a mirror": (fixes.create_unlinked_secret("ns", "m.io:5000"), [("pull_secret", FROM_MIRROR)]),
    "new secret of a registry that delegates its login": (
        fixes.make_offer(fixes.create_secret("ns", "builder", "q.io:5000"), ["registry_ca_cert", "realm_hosts"]).tasks,
     [("pull_secret", {**NEW, "registry_ca_cert": "{{ image_pull_registry_ca_cert }}", "realm_hosts": "{{ image_pull_realm_hosts }}"}),
      ("sa_link", {**LINK, "secrets": [NEW["name"]], "restart_pods": "stuck"})]),
    "listed secret": (fixes.create_listed_secret("ns", "pull", "q.io:5000"),
                      [("pull_secret", WRITE)]),
    "another login": (fixes.add_registry("ns", "pull", "q.io:5000"),
                      [("pull_secret", {**WRITE, "mode": "merge"})]),
    "new content": (fixes.rewrite_secret("ns", "pull", "q.io:5000"),
                    [("pull_secret", {**WRITE, "mode": "replace", "recreate": True})]),
    "another type": (fixes.convert_secret("ns", "pull", "q.io:5000"),
                     [("pull_secret", {**WRITE, "mode": "merge", "recreate": True})]),
    "no secret": (fixes.remove_secret("ns", "pull"), [("pull_secret", {**PULL, "state": "absent"})]),
    "fewer logins": (fixes.remove_registry("ns", "pull", "a.io", "b.io"), [("pull_secret", EMPTIED)]),
    "grant": (fixes.grant("ns", "a", "builder"), [("image_puller_grant", GRANT)]),
    "grant to a user": (fixes.grant_to("ns", SUBJECT), [("image_puller_grant", {**HERE, **SUBJECT})]),
    "no grant": (fixes.revoke("ns", SUBJECT),
                 [("image_puller_grant", {**HERE, **SUBJECT, "state": "absent", "revoke_from": "every_binding"})]),
    "wait": (fixes.wait_for_account("ns", "builder"), [("sa_wait", {**HERE, "service_accounts": ["builder"]})]),
}  # fmt: skip


@pytest.mark.parametrize("fix", FIXES)
def test_a_fix_is_tasks_whose_options_the_modules_accept(fix: str) -> None:
    tasks, expected = FIXES[fix]
    found = [(module.rpartition(".")[2], task[module]) for task in tasks for module in set(task) - {"name"}]
    assert found == expected
    for name, options in found:
        module = importlib.import_module(f"ansible_collections.openshift_ops.image_pull.plugins.modules.{name}").MODULE
        validation = ArgumentSpecValidator(module.arguments, **module.all_rules).validate({**options, "host": "h"})
        assert validation.error_messages == []
    assert tasks[0]["name"] == NAMES.get(fix, tasks[0]["name"])


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
