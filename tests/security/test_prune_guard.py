# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a project user neither weaken the guards of a prune for other projects nor stop it there."""

from __future__ import annotations

from typing import Any

import pytest
from support.lab import pull_names
from support.objects import role_binding
from support.project_user import ProjectUser, auth_file

QUAY = {"registry": "quay.io", "username": "reader", "password": "Secret-1"}
LINKS = 24


@pytest.fixture
def owner(namespace):
    """A separate owner for each test, so that leftovers of other tests do not count."""
    return f"team-{namespace}"


@pytest.fixture
def mallory(lab, namespace):
    return ProjectUser.create(lab, "mallory", namespace)


def labels(owner: str) -> dict[str, str]:
    return {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": owner}


def lists(namespaces: list[str], **link: Any) -> dict[str, Any]:
    return {
        "secrets": [{"name": "quay", "namespaces": namespaces, "registries": [QUAY]}],
        "links": [{"secrets": ["quay"], "namespaces": namespaces, **link}],
        "grants": [{"projects": ["consumer"], "namespaces": namespaces}],
    }


def site(run, owner: str, declared: dict[str, Any]) -> None:
    for module, option in (("pull_secret", "secrets"), ("sa_link", "links"), ("image_puller_grant", "grants")):
        result = run(module, owner=owner, **{option: declared[option]})
        assert not result["failed"], result["msg"]


def plant(mallory: ProjectUser, owner: str, count: int) -> list[str]:
    """Create secrets that look like the owner's."""
    names = [f"planted-{number}" for number in range(count)]
    for name in names:
        mallory.secret(name, auth_file({}), metadata={"labels": labels(owner)})
    return names


def link(mallory: ProjectUser, count: int, *secrets: str) -> None:
    """Link the secrets to new service accounts of her own."""
    listed = [{"name": name} for name in secrets]
    for number in range(count):
        account = {"metadata": {"name": f"robot-{number}"}, "imagePullSecrets": listed}
        mallory.create_object("serviceaccounts", account)


def there(lab, namespace: str) -> bool:
    return lab.get(namespace, "secrets", "quay") is not None


class TestGuard:
    def test_links_in_an_own_project_do_not_raise_the_prune_limit(self, lab, run, mallory, namespaces, owner):
        """Links to a declared secret were counted as the owner's objects, so that a percentage allowed more removals."""
        victims = namespaces(3)
        every = {"service_accounts": ["*"]}
        site(run, owner, lists([mallory.namespace, *victims], **every))
        link(mallory, LINKS, "quay")
        left = lists([mallory.namespace], **every)
        result = run("pull_access_prune", owner=owner, max_prune="34%", **left)
        assert result["failed"]
        assert "max_prune" in result["msg"]
        assert all(there(lab, victim) for victim in victims)

    def test_planted_undeclared_secrets_do_not_raise_the_prune_limit(self, lab, run, mallory, namespaces, owner):
        kept, *victims = namespaces(4)
        site(run, owner, lists([kept, *victims]))
        link(mallory, LINKS, *plant(mallory, owner, 3))
        result = run("pull_access_prune", owner=owner, max_prune="40%", **lists([kept]))
        assert result["failed"]
        assert all(there(lab, victim) for victim in victims)

    @pytest.mark.parametrize("is_declared", [False, True], ids=["elsewhere", "in-a-declared-project"])
    def test_planted_secrets_stop_only_the_own_project(self, lab, run, *, mallory, namespaces, owner, is_declared):
        *kept, leaving = namespaces(4)
        declared = [*kept, *([mallory.namespace] if is_declared else [])]
        site(run, owner, lists([*declared, leaving]))
        plant(mallory, owner, 8)
        result = run("pull_access_prune", owner=owner, max_prune="34%", **lists(declared))
        assert [failure["namespace"] for failure in result["failures"]] == [mallory.namespace]
        assert "max_prune" in result["msg"]
        assert not there(lab, leaving)
        assert lab.get(mallory.namespace, "secrets", "planted-0"), "what is held back is not removed"
        assert {row["namespace"] for row in result["prune"]["refused"]} == {mallory.namespace}

    @pytest.mark.parametrize("count", [3, 4, 8], ids=["fewer", "as-many", "more"])
    def test_planted_secrets_never_hold_back_a_project_that_an_entry_names(
        self, lab, run, *, mallory, namespaces, owner, count
    ):
        """The project with the most removals was held back, and the planted secrets of another one were removed."""
        *kept, leaving = namespaces(7)
        site(run, owner, lists([*kept, leaving]))
        gone = [{"name": f"old-{number}", "namespaces": [leaving], "registries": [QUAY]} for number in range(3)]
        assert not run("pull_secret", owner=owner, secrets=gone)["failed"]
        plant(mallory, owner, count)
        named = lists(kept)
        named["secrets"].append({"name": "none", "namespaces": [leaving], "state": "absent"})
        result = run("pull_access_prune", owner=owner, max_prune="40%", **named)
        assert [failure["namespace"] for failure in result["failures"]] == [mallory.namespace]
        assert not there(lab, leaving)
        assert lab.get(leaving, "secrets", "old-0") is None
        assert lab.get(mallory.namespace, "secrets", "planted-0")

    def test_an_entry_with_state_absent_removes_planted_secrets(self, lab, run, mallory, namespaces, owner):
        """Undeclared secrets are removed if the inventory names the project."""
        *kept, leaving = namespaces(4)
        site(run, owner, lists([*kept, leaving]))
        link(mallory, 2, *plant(mallory, owner, 2))
        named = lists([*kept])
        named["secrets"].append({"name": "none", "namespaces": [mallory.namespace], "state": "absent"})
        result = run("pull_access_prune", owner=owner, max_prune="50%", **named)
        assert not result["failed"], result["msg"]
        assert lab.get(mallory.namespace, "secrets", "planted-0") is None
        assert not there(lab, leaving)


class TestLabels:
    def test_the_label_of_an_owner_never_leads_to_another_project(self, lab, run, mallory, namespaces, owner):
        (victim,) = namespaces(1)
        by_hand = {"metadata": {"name": "quay"}, "type": "Opaque"}
        lab.create(victim, "secrets", by_hand)
        plant(mallory, owner, 1)
        link(mallory, 1, "planted-0", "quay")
        result = run(
            "pull_access_prune", owner=owner, secrets=[], links=[], grants=[], prune_everything=True, max_prune="100%"
        )
        assert not result["failed"], result["msg"]
        assert {one["name"] for one in result["namespaces"]} == {mallory.namespace}
        assert there(lab, victim)
        links = pull_names(lab.account(mallory.namespace, "robot-0"))
        assert ("quay" in links, "planted-0" in links) == (True, False)

    @pytest.mark.parametrize("kind", ["secrets", "grants"])
    def test_the_label_of_another_owner_stops_only_the_own_project(self, lab, run, *, mallory, namespaces, owner, kind):
        (victim,) = namespaces(1)
        if kind == "secrets":
            mallory.secret("quay", auth_file({}), metadata={"labels": labels("other")})
        else:
            body = role_binding(f"image-puller-grant-{owner}", role="view", labels=labels("other"))
            mallory.create_object("rolebindings", body)
        module = {"secrets": "pull_secret", "grants": "image_puller_grant"}[kind]
        result = run(module, owner=owner, **{kind: lists([mallory.namespace, victim])[kind]})
        assert [failure["namespace"] for failure in result["failures"]] == [mallory.namespace]
        assert result["summary"]["changed"] == 1
