# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promise 1: what is not ours is never taken away; promise 2: nothing is written when all is as wished."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.domain import sa_link
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.domain.errors import OptionError
from hypothesis import given
from hypothesis import strategies as st

PLATFORM = "default-dockercfg-x7k2p"
FOREIGN = st.sampled_from([PLATFORM, "team", "mirror", ""])
OURS = st.sampled_from(["redhat-connect-sso", "private-registry", "quay"])
LISTS = st.lists(st.builds(lambda name: {"name": name}, FOREIGN | OURS) | st.just({}), max_size=8)
WANTED = st.lists(OURS, min_size=1, max_size=3)


def foreign(entries: Any, ours: Any) -> list[Any]:
    return [entry for entry in entries if entry.get("name", "") not in ours]


def options(**given_: Any) -> dict[str, Any]:
    defaults = {"secrets": ["quay"], "service_accounts": ["default"], "link_for": ["pull"], "state": "present"}
    further = {"exclusive": False, "create": False, "require": "none", "restart_pods": "never", "verify_after": 0.0}
    return {**defaults, **further, **given_}


def account(name: str = "default", **lists: list[str]) -> dict[str, Any]:
    meta = {"name": name, "namespace": "project-a", "resourceVersion": "7"}
    return {"metadata": meta, **{key: [{"name": entry} for entry in entries] for key, entries in lists.items()}}


def plan(observed: dict[str, Any], **given_: Any) -> Any:
    return sa_link.from_options(options(**given_)).plan("project-a", observed)


class TestLink:
    @given(LISTS, WANTED)
    def test_foreign_entries_and_their_order_stay(self, entries: Any, wanted: Any) -> None:
        assert foreign(sa_link.link(entries, wanted), wanted) == foreign(entries, wanted)

    @given(LISTS, WANTED)
    def test_each_of_ours_is_there_once_where_it_first_stood_or_at_the_end(self, entries: Any, wanted: Any) -> None:
        linked = sa_link.names(sa_link.link(entries, wanted))
        assert all(linked.count(name) == 1 for name in wanted)
        before = [name for name in dict.fromkeys(sa_link.names(entries)) if name in wanted]
        assert [name for name in linked if name in wanted] == [
            *before,
            *dict.fromkeys(n for n in wanted if n not in before),
        ]

    @given(LISTS, WANTED)
    def test_linking_twice_is_linking_once(self, entries: Any, wanted: Any) -> None:
        linked = sa_link.link(entries, wanted)
        assert sa_link.link(linked, wanted) == linked

    @given(LISTS, WANTED)
    def test_the_input_is_left_alone(self, entries: Any, wanted: Any) -> None:
        before = [dict(entry) for entry in entries]
        sa_link.link(entries, wanted)
        sa_link.unlink(entries, wanted)
        assert entries == before


class TestUnlink:
    @given(LISTS, WANTED)
    def test_takes_all_of_ours_and_nothing_else(self, entries: Any, wanted: Any) -> None:
        assert sa_link.unlink(entries, wanted) == foreign(entries, wanted)

    @given(LISTS, WANTED)
    def test_undoes_link(self, entries: Any, wanted: Any) -> None:
        assert sa_link.unlink(sa_link.link(entries, wanted), wanted) == foreign(entries, wanted)


class TestPlan:
    def test_a_patch_carries_the_whole_list_and_the_version_that_was_read(self) -> None:
        (change,) = plan({"default": account(imagePullSecrets=[PLATFORM, "team", "team"])}).changes
        names = [PLATFORM, "team", "team", "quay"]
        assert change.action == "update"
        assert change.body == {
            "imagePullSecrets": [{"name": name} for name in names],
            "metadata": {"resourceVersion": "7"},
        }
        assert change.before == {"imagePullSecrets": names[:-1]}
        assert change.after == {"imagePullSecrets": names}
        assert change.report() == {
            "action": "update",
            "kind": "ServiceAccount",
            "name": "default",
            "lists": {"imagePullSecrets": {"added": ["quay"], "removed": []}},
        }

    @pytest.mark.parametrize(
        ("link_for", "lists"),
        [
            (["pull"], {"imagePullSecrets"}),
            (["mount"], {"secrets"}),
            (["mount", "pull"], {"imagePullSecrets", "secrets"}),
        ],
    )
    def test_only_the_lists_of_the_purpose_are_written(self, link_for: list[str], lists: set[str]) -> None:
        (change,) = plan({"default": account()}, link_for=link_for).changes
        assert set(change.body) == lists | {"metadata"}

    def test_a_list_that_is_right_already_is_not_written(self) -> None:
        observed = {"default": account(imagePullSecrets=["quay"], secrets=["other"])}
        (change,) = plan(observed, link_for=["pull", "mount"]).changes
        assert set(change.body) == {"secrets", "metadata"}

    @pytest.mark.parametrize(
        ("state", "listed"), [("present", ["quay", PLATFORM]), ("absent", [PLATFORM, "team", "team"]), ("absent", [])]
    )
    def test_nothing_changes_when_it_is_so_already(self, state: str, listed: list[str]) -> None:
        result = plan({"default": account(imagePullSecrets=listed)}, state=state)
        assert (result.changes, result.waiting_for) == ((), ())

    @given(LISTS, WANTED, st.sampled_from(["present", "absent"]))
    def test_a_plan_carried_out_leaves_nothing_to_plan(self, entries: Any, wanted: Any, state: str) -> None:
        observed = {**account(), "imagePullSecrets": entries}
        wish = sa_link.from_options(options(secrets=wanted, state=state))
        for change in wish.plan("project-a", {"default": observed}).changes:
            observed = {**observed, **change.body}
        assert wish.plan("project-a", {"default": observed}).changes == ()
        assert foreign(observed["imagePullSecrets"], wanted) == foreign(entries, wanted)

    def test_absent_takes_our_duplicates_and_only_ours(self) -> None:
        (change,) = plan({"default": account(imagePullSecrets=["quay", PLATFORM, "quay"])}, state="absent").changes
        assert change.after == {"imagePullSecrets": [PLATFORM]}
        assert change.details == {"lists": {"imagePullSecrets": {"added": [], "removed": ["quay"]}}}

    def test_a_missing_account_is_waited_for(self) -> None:
        assert plan({}, service_accounts=["builder"]).waiting_for == ("service account builder",)

    @pytest.mark.parametrize("given_", [{"state": "absent"}, {"service_accounts": ["build*"]}])
    def test_nothing_is_waited_for_to_unlink_or_by_a_glob(self, given_: dict[str, Any]) -> None:
        assert plan({}, **given_).waiting_for == ()

    def test_a_glob_takes_what_matches(self) -> None:
        observed = {name: account(name) for name in ("builder", "build-2", "default")}
        result = plan(observed, service_accounts=["build*", "default"])
        assert [change.ref.name for change in result.changes] == ["build-2", "builder", "default"]

    @pytest.mark.parametrize(("accounts", "read"), [(["a", "b"], ("a", "b")), (["a", "b*"], ())])
    def test_only_a_glob_needs_to_see_all_accounts(self, accounts: list[str], read: tuple[str, ...]) -> None:
        assert sa_link.from_options(options(service_accounts=accounts)).selection.names == read


class TestFromOptions:
    @pytest.mark.parametrize("option", ["secrets", "service_accounts", "link_for"])
    def test_refuses_an_empty_list(self, option: str) -> None:
        with pytest.raises(OptionError, match=f"^option '{option}' is empty: give at least one$"):
            sa_link.from_options(options(**{option: []}))

    @pytest.mark.parametrize("option", ["secrets", "service_accounts"])
    def test_refuses_a_name_that_cannot_exist(self, option: str) -> None:
        with pytest.raises(OptionError, match=f"^option '{option}': 'Quay' cannot be an object's name"):
            sa_link.from_options(options(**{option: ["Quay"]}))

    def test_keeps_each_name_once_in_order(self) -> None:
        assert sa_link.from_options(options(secrets=["b", "a", "b"])).secrets == ("b", "a")
