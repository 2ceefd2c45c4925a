# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sa_link refuses unusable secrets, keeps the platform's entry in an exclusive list, and can create accounts."""

from __future__ import annotations

from typing import Any

import pytest
from support.lab import pull_names
from support.objects import b64, pull_secret
from support.truth import three_ways

AUTHS = {"quay.io": {"auth": b64(b"robot:Secret-1")}}
RBAC = "rbac.authorization.k8s.io"


def secret(
    name: str, content: Any = None, kind: str = "kubernetes.io/dockerconfigjson", key: str = ""
) -> dict[str, Any]:
    return pull_secret(name, {"auths": AUTHS} if content is None else content, kind, key)


def link(run: Any, namespaces: list[str], *secrets: str, **options: Any) -> dict[str, Any]:
    return run("sa_link", namespaces=namespaces, secrets=list(secrets), **options)


class TestRequire:
    """A linked secret must be usable for pulls. Otherwise, the task explains the problem."""

    def test_one_bad_namespace_does_not_stop_the_other(self, lab, run, namespaces):
        good, bad = namespaces(2)
        lab.create(good, "secrets", secret("s"))
        result = link(run, [good, bad], "s")
        assert (result["failed"], result["summary"]["changed"], result["summary"]["failed"]) == (True, 1, 1)
        assert "s" in pull_names(lab.account(good))
        assert "s" not in pull_names(lab.account(bad))

    def test_a_caller_who_may_not_read_secrets_links_with_a_warning(self, lab, run, namespace):
        rule = {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get", "patch"]}
        lab.create(namespace, "roles", {"metadata": {"name": "linker"}, "rules": [rule]})
        user = {"kind": "User", "name": "limited", "apiGroup": RBAC}
        role = {"apiGroup": RBAC, "kind": "Role", "name": "linker"}
        lab.create(namespace, "rolebindings", {"metadata": {"name": "linker"}, "roleRef": role, "subjects": [user]})
        result = link(run, [namespace], "s", impersonate_user="limited")
        assert result["changed"]
        assert f"secret {namespace}/s was not checked: the caller may not read it" in str(result["warnings"])


class TestCreate:
    def test_an_account_is_created_only_on_request(self, lab, run, namespace):
        missing = {"service_accounts": ["app"], "require": "none", "wait_timeout": 0}
        assert "service account app did not appear" in link(run, [namespace], "mine", **missing)["msg"]
        audit = lab.audit()
        checked = link(run, [namespace], "mine", create=True, check=True, **missing)
        assert audit.writes() == []
        real = link(run, [namespace], "mine", create=True, **missing)
        assert (checked["namespaces"], checked["diff"]) == (real["namespaces"], real["diff"])
        account = lab.account(namespace, "app")
        assert account["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}
        assert "mine" in pull_names(account)
        assert not link(run, [namespace], "mine", create=True, **missing)["changed"]

    def test_an_account_that_the_cluster_creates_meanwhile_is_linked(self, lab, run, namespaces):
        """The namespace is new, and nothing is lost whether the cluster or the module creates its account first."""
        names = namespaces(20, wait=False)
        result = link(run, names, "mine", create=True, require="none")
        assert result["summary"]["failed"] == 0
        for name in names:
            lab.until(lambda name=name: lab.provisioned(name), f"{name} is provisioned")
            assert pull_names(lab.account(name)).count("mine") == 1


class TestTruthTable:
    """Check mode predicts the real run and a second run changes nothing, for each state and each existing list."""

    FOUND = {
        "missing": [],
        "same": ["mine"],
        "different": ["mine", "theirs", "mine"],
        "foreign content": ["theirs", "theirs"],
        "wrong type": ["theirs"],
    }
    CHANGES = {
        "present": {"missing", "different", "foreign content"},
        "absent": {"same", "different"},
    }

    @pytest.mark.parametrize("found", FOUND)
    @pytest.mark.parametrize(
        "options",
        [
            {"state": "present"},
            {"state": "absent"},
            {"state": "present", "exclusive": True},
            {"state": "present", "link_for": ["pull", "mount"]},
            {"state": "absent", "link_for": ["pull", "mount"]},
        ],
        ids=str,
    )
    def test_check_mode_agrees_with_the_real_run(self, lab, run, namespaces, found, options):
        names, state = namespaces(3), options["state"]
        kind = "Opaque" if found == "wrong type" else "kubernetes.io/dockerconfigjson"
        for name in names:
            lab.create(name, "secrets", secret("mine", kind=kind, key=".dockerconfigjson"))
            lists = ("imagePullSecrets", "secrets") if "link_for" in options else ("imagePullSecrets",)
            lab.set_account(name, **dict.fromkeys(lists, self.FOUND[found]))
        result = three_ways(lab, lambda name, check: link(run, [name], "mine", check=check, **options), names)
        refused = found == "wrong type" and state == "present"
        assert result["failed"] is refused
        assert result["changed"] is (found in self.CHANGES[state])


class TestFleet:
    """Fifty namespaces need one list of each kind with the default requirement."""

    def test_fifty_namespaces_need_one_list_of_each_kind(self, lab, run, namespaces):
        names = namespaces(50)
        for name in names:
            lab.create(name, "secrets", secret("mine"))
        audit = lab.audit()
        assert link(run, names, "mine")["summary"]["changed"] == 50
        assert sorted(audit.verbs()) == ["list"] * 2 + ["patch"] * 50
        audit = lab.audit()
        assert link(run, names, "mine")["summary"]["unchanged"] == 50
        assert sorted(audit.verbs()) == ["list"] * 2
