# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task is offered only if the changes do not undo it, and it takes nothing away."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import pulls_of_pod
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import WILL_NOT_PULL, PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.overlay import ChangedLookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.patches import ObjectPatch
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.tasks import choose_tasks
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.supposed_changes import mirror_set
from support.supposed_worlds import REMOVED_GRANTS, World, rows_with_answers
from support.surveyed import account, auth, place, pod, secret, survey

DELETED = {"remove_secrets": {"name": "s0"}}
INTEGRATED = "image-registry.openshift-image-registry.svc:5000/b/app:v1"
WRITE_AND_LINK = "Write a login into a pull secret and link a pull secret to a service account"
KEEPS = "a pod keeps the list of pull secrets with which it was created"
LEAVE_SECRET = "leave the pull secret out of the changes, or first give the pod a login for the registry in another one"


def report(
    kind: str,
    *changes: Any,
    secrets: Any,
    lists: Any,
    image: str = "q.io/team/app:v1",
    asks: bool = True,
    given: Any = (),
    **more: Any,
) -> Any:
    """The report of the row of this kind."""
    other = {"nodes": {}, "mirrors": [], "policies": [], "sources": {}, "grants": (), **more}
    world = World(secrets, lists, (image, image), **other)
    (row,) = [each for each in rows_with_answers(world.survey(), *changes, asks=asks) if each.ref.kind.kind == kind]
    assert row.answer == "would_break"
    return row.report((), given)


def brief(tasks: Any) -> list[tuple[str, ...]]:
    """Module, names and mode of each task."""
    found = []
    for task in tasks:
        ((module, options),) = [(name, options) for name, options in task.items() if name != "name"]
        names = (
            options.get("name") or ",".join(options["secrets"]),
            *(each["registry"] for each in options.get("registries", ())),
        )
        found.append((module.rpartition(".")[2], *names, options.get("mode", "")))
    return found


def brief_grants(tasks: Any) -> list[tuple[str, ...]]:
    """Project and account of each granting task."""
    options = [task[name] for task in tasks for name in task if name.endswith("image_puller_grant")]
    return [(*each["namespaces"], each["service_accounts"][0]["name"]) for each in options]


NEW = [("pull_secret", "pull-q-io", "q.io", "merge"), ("sa_link", "pull-q-io", "")]


class TestDeletedSecret:
    STORED = {"s0": {"q.io": "right", "r.io": "right"}}

    def test_a_linked_secret_is_replaced_by_a_new_one(self) -> None:
        found = report("Deployment", DELETED, secrets=self.STORED, lists=(("s0",), (), ()))
        assert brief(found["fix"]) == NEW
        assert found["advice"] == WRITE_AND_LINK
        assert found["fix_effects"][0].startswith("This writes the login for q.io into secret pull-q-io of namespace a")

    @pytest.mark.parametrize("linked", [("s0",), ()], ids=str)
    def test_the_list_of_a_template_is_changed_by_its_author(self, linked: tuple[str, ...]) -> None:
        found = report("Deployment", DELETED, secrets=self.STORED, lists=(linked, (), ("s0",)))
        assert (found["fix"], found["advice"]) == ([], LEAVE_SECRET)

    @pytest.mark.parametrize(("linked", "tasks"), [(("s0",), NEW), ((), [])])
    def test_a_pod_gets_a_link_if_its_list_is_that_of_its_account(self, linked: Any, tasks: Any) -> None:
        found = report("Pod", DELETED, secrets=self.STORED, lists=(linked, ("s0",), ()))
        assert brief(found["fix"]) == tasks
        assert found["advice"] == (
            f"{WRITE_AND_LINK}, and then create the pod again: {KEEPS}" if tasks else LEAVE_SECRET
        )

    def test_a_pod_without_a_present_link_only_has_to_be_created_again(self) -> None:
        stored = {**self.STORED, "s1": {"q.io": "right"}}
        found = report("Pod", DELETED, secrets=stored, lists=(("s0", "s1"), ("s0",), ()))
        assert (found["fix"], found["advice"]) == ([], f"after the changes, create the pod again: {KEEPS}")

    def test_another_missing_secret_of_the_list_is_created(self) -> None:
        found = report("Deployment", DELETED, secrets=self.STORED, lists=((), (), ("s0", "s1")))
        assert brief(found["fix"]) == [("pull_secret", "s1", "q.io", "merge")]

    def test_another_secret_of_the_list_gets_the_login(self) -> None:
        stored = {**self.STORED, "s1": {"m.io": "right"}}
        found = report("Deployment", DELETED, secrets=stored, lists=((), (), ("s0", "s1")))
        assert brief(found["fix"]) == [("pull_secret", "s1", "q.io", "merge")]

    def test_all_deleted_secrets_are_left_out(self) -> None:
        changes = (DELETED, {"remove_secrets": {"name": "s1"}})
        stored = {**self.STORED, "s1": {"q.io": "right"}}
        found = report("Deployment", *changes, secrets=stored, lists=(("s0", "s1"), (), ()))
        assert brief(found["fix"]) == NEW
        found = report("Deployment", *changes, secrets=stored, lists=((), (), ("s0", "s1")))
        assert (found["fix"], found["advice"]) == ([], LEAVE_SECRET)

    @pytest.mark.parametrize("listed", [("pull-q-io",), ("s0",)], ids=str)
    def test_a_deleted_secret_is_not_the_new_one(self, listed: tuple[str, ...]) -> None:
        changes = (DELETED, {"remove_secrets": {"name": "pull-q-io"}})
        stored = {**self.STORED, "pull-q-io": {"q.io": "right"}}
        found = report("Deployment", *changes, secrets=stored, lists=(listed, (), ()))
        assert (found["fix"], found["advice"]) == ([], LEAVE_SECRET)

    def test_a_secret_that_the_changes_would_delete_is_not_the_new_one(self) -> None:
        changes = (DELETED, {"remove_secrets": {"name": "pull-q-io"}})
        found = report("Deployment", *changes, secrets=self.STORED, lists=(("s0",), (), ()))
        assert (found["fix"], found["advice"]) == ([], LEAVE_SECRET)

    def test_the_advice_is_about_the_first_task_that_is_undone(self) -> None:
        changes = (DELETED, {"remove_links": {"secrets": ["pull-q-io"]}})
        stored = {**self.STORED, "pull-q-io": {"m.io": "right"}}
        found = report("Deployment", *changes, secrets=stored, lists=(("s0", "pull-q-io"), (), ()))
        assert (found["fix"], found["advice"]) == ([], LEAVE_SECRET)

    def test_the_nodes_own_secret_is_not_created_again(self) -> None:
        mirrors = [mirror_set("tag", "one", "q.io/team", "m.io/team", never_source=True)]
        deleted = {"remove_secrets": {"name": "pull-secret", "namespaces": ["openshift-config"]}}
        lists = (("s0",), (), ())
        found = report("Deployment", deleted, secrets={}, lists=lists, nodes={"m.io": "right"}, mirrors=mirrors)
        assert found["fix"] == []


def test_a_removed_link_is_not_offered_again() -> None:
    change = {"remove_links": {"secrets": ["pull-q-io"]}}
    found = report("Deployment", change, secrets={"pull-q-io": {"q.io": "right"}}, lists=(("pull-q-io",), (), ()))
    assert found["fix"] == []
    assert found["advice"].startswith("leave the link out of the changes, or first link another pull secret")


def test_another_secret_without_a_link_is_linked_instead_of_a_new_one() -> None:
    stored = {"s0": {"q.io": "right"}, "s1": {"q.io": "right"}}
    found = report("Deployment", {"remove_links": {"secrets": ["s0"]}}, secrets=stored, lists=(("s0",), (), ()))
    assert brief(found["fix"]) == [("sa_link", "s1", "")]


def test_a_new_secret_with_the_name_of_another_one_keeps_its_entries() -> None:
    change = {"remove_links": {"secrets": ["s0"]}}
    stored = {"s0": {"q.io": "right"}, "pull-q-io": {"r.io": "right"}}
    assert brief(report("Deployment", change, secrets=stored, lists=(("s0",), (), ()))["fix"]) == NEW


def test_a_removed_grant_is_not_offered_again() -> None:
    lists, change = ((), (), ()), REMOVED_GRANTS["one"]
    found = report("Deployment", change, secrets={}, lists=lists, image=INTEGRATED, grants=("one",), asks=False)
    assert (found["fix"], found["advice"]) == ([], "leave the grant out of the changes")


def test_a_grant_for_the_account_lasts_if_only_its_project_loses_the_right() -> None:
    found = report(
        "Pod",
        REMOVED_GRANTS["all"],
        secrets={"s0": {INTEGRATED.partition("/")[0]: "right"}},
        lists=((), ("s0",), ()),
        image=INTEGRATED,
        grants=("all",),
    )
    assert brief_grants(found["fix"]) == [("b", "default")]


def test_a_new_link_that_the_changes_take_away_is_not_offered() -> None:
    """The generated name of the new secret is among the links that are removed, although nothing links it today."""
    changes = [{"remove_secrets": {"name": "s0"}}, {"remove_links": {"secrets": ["pull-q-io"]}}]
    found = report("Deployment", *changes, secrets={"s0": {"q.io": "right"}}, lists=(("s0",), (), ()))
    assert found["fix"] == []


def test_a_login_that_the_registry_refuses_is_replaced() -> None:
    change = {"remove_credential": {"registry": "q.io", "username": "robot"}}
    found = report("Deployment", change, secrets={"s0": {"q.io": "robot"}}, lists=(("s0",), (), ()))
    assert brief(found["fix"]) == [("pull_secret", "s0", "q.io", "merge")]


@pytest.mark.parametrize("given", [(), ("registry_ca_cert",)])
def test_the_offered_tasks_verify_with_the_options_of_the_run(given: tuple[str, ...]) -> None:
    change = {"remove_credential": {"registry": "q.io", "username": "robot"}}
    found = report("Deployment", change, secrets={"s0": {"q.io": "robot"}}, lists=(("s0",), (), ()), given=given)
    options = found["fix"][0]["openshift_ops.image_pull.pull_secret"]
    assert [name for name in options if name.startswith("registry_")] == [*given]


class TestWrittenObjects:
    """The objects that an inventory leaves."""

    HERE = place(
        secrets=[secret("s0", {"q.io": auth(), "r.io": auth()}), secret("s1", {"x.io": {"auth": "?"}})],
        accounts=[account("s0", "s1")],
        pods=[pod("s0", "s1")],
    )

    def chosen(self, objects: Any, tasks: Any, **error: Any) -> tuple[list[tuple[str, ...]], str]:
        evidence = survey(self.HERE).evidence
        (subject,) = pulls_of_pod(pod("s0", "s1", **error), "a")
        failing = PullVerdict(subject, WILL_NOT_PULL, "", (), tasks)
        found = choose_tasks(failing, evidence, ChangedLookup(evidence, [ObjectPatch(objects)]), asks=False)
        return brief(found.tasks), found.undone

    def test_a_secret_of_another_namespace_is_in_no_list(self) -> None:
        tasks = fixes.add_registry("openshift-config", "pull-secret", "m.io")
        assert self.chosen({NODE_SECRET: None}, tasks) == ([], "pull_secret")

    def test_the_error_of_a_node_is_about_another_state(self) -> None:
        tasks = fixes.create_listed_secret("a", "s1", "q.io")
        deleted = {ObjectRef(SECRET, "a", name): None for name in ("s0", "s1")}
        said = 'Failed to pull image "q.io/team/app:v1": manifest unknown'
        assert self.chosen(deleted, tasks) == self.chosen(deleted, tasks, says=said) == (NEW, "")

    @pytest.mark.parametrize("written", [secret("s0", {"r.io": auth()}), None])
    def test_no_entry_is_added_to_a_secret_that_is_written(self, written: Any) -> None:
        tasks = fixes.add_registry("a", "s0", "q.io")
        # The other secret of the list stops every pull, so it is the one to repair.
        assert self.chosen({ObjectRef(SECRET, "a", "s0"): written}, tasks) == (
            [("pull_secret", "s1", "x.io", "remove")],
            "",
        )

    def test_a_secret_with_the_same_content_is_kept(self) -> None:
        before = secret("s0", {"q.io": auth(), "r.io": auth()})
        labelled = {**before, "metadata": {**before["metadata"], "labels": {"owner": "team"}}}
        tasks = fixes.add_registry("a", "s0", "q.io")
        assert self.chosen({ObjectRef(SECRET, "a", "s0"): labelled}, tasks) == (
            [("pull_secret", "s0", "q.io", "merge")],
            "",
        )

    @pytest.mark.parametrize(
        ("left", "chosen"),
        [
            # The other secret of the list stops every pull.
            (account("s1"), ([("pull_secret", "s1", "x.io", "remove")], "")),
            (None, ([("pull_secret", "s1", "x.io", "remove")], "")),
            (account("s0"), ([], "pod")),
        ],
    )
    def test_only_a_link_that_is_removed_is_undone(self, left: Any, chosen: Any) -> None:
        tasks = fixes.link("a", "default", "s0")
        assert self.chosen({ObjectRef(SERVICE_ACCOUNT, "a", "default"): left}, tasks) == chosen

    def test_a_link_that_is_left_is_kept_next_to_a_task_that_is_needed(self) -> None:
        """So the answer also says that the pod has to be created again."""
        listed = {ObjectRef(SERVICE_ACCOUNT, "a", "default"): account("pull-q-io")}
        assert self.chosen(listed, fixes.create_secret("a", "default", "q.io")) == (NEW, "")

    def test_a_link_that_the_changes_make_is_not_offered(self) -> None:
        """The task runs before the changes, and their secret does not exist then."""
        new = secret("new", {"q.io": auth()})
        changed = {ObjectRef(SECRET, "a", "new"): new, ObjectRef(SERVICE_ACCOUNT, "a", "default"): account("new")}
        assert self.chosen(changed, fixes.link("a", "default", "new")) == ([], "pod")
        both = fixes.create_secret("a", "default", "q.io")
        assert self.chosen(changed, both) == (NEW, "")

    def test_a_new_link_next_to_a_removed_one_is_kept(self) -> None:
        tasks = fixes.create_secret("a", "default", "q.io")
        assert self.chosen({ObjectRef(SERVICE_ACCOUNT, "a", "default"): account()}, tasks) == (NEW, "")
