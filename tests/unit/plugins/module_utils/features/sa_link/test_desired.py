# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promise 1: what is not ours is never taken away; promise 2: nothing is written when all is as wished."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link import options as sa_link
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.pods import POD
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.writers import last_writers
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


class TestPlatformsOwn:
    def test_is_kept_when_it_is_to_be_unlinked_and_that_is_told(self) -> None:
        result = plan(
            {"default": account(imagePullSecrets=[PLATFORM, "quay"])}, secrets=[PLATFORM, "quay"], state="absent"
        )
        assert result.changes[0].after == {"imagePullSecrets": [PLATFORM]}
        expected = (
            f"secret {PLATFORM} is the platform's own entry of service account project-a/default and stays linked"
        )
        assert result.notes == (expected,)

    def test_is_kept_when_the_list_is_ours_alone(self) -> None:
        observed = {"default": account(imagePullSecrets=["team", PLATFORM, "quay", "quay"])}
        (change,) = plan(observed, exclusive=True).changes
        assert change.after == {"imagePullSecrets": [PLATFORM, "quay"]}
        lists = {"added": [], "removed": ["team"], "deduplicated": ["quay"]}
        assert change.details == {"lists": {"imagePullSecrets": lists}}


class TestRequire:
    WORKS = {
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": "eyJhdXRocyI6eyJxdWF5LmlvIjp7ImF1dGgiOiJZVHBpIn19fQ=="},
    }
    EMPTY = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "e30="}}
    PODMAN = {"type": "kubernetes.io/podmanconfigjson", "data": {"auth.json": "e30="}}
    LEGACY = {"type": "kubernetes.io/dockercfg", "data": {".dockercfg": "eyJxdWF5LmlvIjp7ImF1dGgiOiJZVHBpIn19"}}
    WRAPPED = {"type": "kubernetes.io/dockercfg", "data": {".dockercfg": WORKS["data"][".dockerconfigjson"]}}

    def plan(self, secret: Any, **given_: Any) -> Any:
        wish = sa_link.from_options(
            options(require="usable", **given_) if "require" not in given_ else options(**given_)
        )
        (ref,) = wish.related("project-a", {})
        assert ref == ObjectRef(SECRET, "project-a", "quay")
        return wish.plan("project-a", {"default": account()}, {ref: secret})

    @pytest.mark.parametrize("secret", [WORKS, LEGACY])
    def test_a_secret_that_works_is_linked(self, secret: Any) -> None:
        assert len(self.plan(secret).changes) == 1

    @pytest.mark.parametrize(
        ("secret", "why"),
        [
            (None, "does not exist: create it first"),
            (PODMAN, "has type kubernetes.io/podmanconfigjson, which no node reads"),
            ({"data": {".dockerconfigjson": "e30="}}, "has type Opaque, which no node reads"),
            (EMPTY, "holds no entry with user and password"),
            (WRAPPED, "holds no entry with user and password"),
            (
                {**EMPTY, "data": {".dockerconfigjson": "%"}},
                "stops every pull of a pod that uses it, because it is not base64",
            ),
            ({**EMPTY, "data": None}, "holds no entry with user and password"),
        ],
    )
    def test_one_that_does_not_is_refused_by_name_with_why_and_the_way_out(self, secret: Any, why: str) -> None:
        with pytest.raises(Refusal, match=f"^secret project-a/quay {why}.*'require: none'$"):
            self.plan(secret)

    @pytest.mark.parametrize("given_", [{"require": "existing"}, {"link_for": ["mount"]}])
    def test_for_mounting_or_on_request_any_that_exists_will_do(self, given_: Any) -> None:
        assert len(self.plan(self.PODMAN, **given_).changes) == 1
        with pytest.raises(Refusal, match="does not exist"):
            self.plan(None, **given_)

    def test_who_may_not_read_it_is_told_that_it_was_not_verified(self) -> None:
        result = sa_link.from_options(options(require="usable")).plan("project-a", {"default": account()}, {})
        assert result.notes == ("secret quay may not be read by the caller, so it was not verified",)
        assert len(result.changes) == 1

    @pytest.mark.parametrize("given_", [{"require": "none"}, {"state": "absent", "require": "usable"}])
    def test_nothing_is_looked_up_for_nothing(self, given_: Any) -> None:
        assert list(sa_link.from_options(options(**given_)).related("project-a", {})) == []


class TestCreate:
    def test_makes_a_named_account_with_its_lists_and_our_label(self) -> None:
        result = plan({}, service_accounts=["builder", "b*"], create=True, link_for=["pull", "mount"])
        (change,) = result.changes
        assert (change.action, str(change.ref)) == ("create", "service account project-a/builder")
        assert (change.body["imagePullSecrets"], change.body["secrets"]) == ([{"name": "quay"}], [{"name": "quay"}])
        assert result.waiting_for == ()


def pod(name: str, *listed: str, waits: str = "", owner: str = "ReplicaSet", **status: Any) -> dict[str, Any]:
    owners = [{"kind": "Node", "name": "n"}, {"kind": owner, "name": "app", "controller": True}] if owner else []
    state = {"containerStatuses": [{"state": {"running": {}}}, {"state": {"waiting": {"reason": waits}}}]}
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "9", "ownerReferences": owners},
        "spec": {"serviceAccountName": "default", "imagePullSecrets": [{"name": entry} for entry in listed]},
        "status": {"phase": "Pending", **(state if waits else {}), **status},
    }


class TestPods:
    def plan(self, *pods: Any, listed: Any = (PLATFORM,), restart: str = "stuck") -> Any:
        wish = sa_link.from_options(options(restart_pods=restart))
        (ref,) = wish.related("project-a", {})
        assert ref == ObjectRef(POD, "project-a", "")
        return wish.plan("project-a", {"default": account(imagePullSecrets=list(listed))}, {ref: {"items": list(pods)}})

    def test_those_that_lack_the_secret_are_reported_with_their_owners(self) -> None:
        pods = [pod("b", PLATFORM), pod("a", owner=""), pod("has-it", "quay"), pod("own", "team", waits="ErrImagePull")]
        common = {"service_account": "default", "missing_secrets": ["quay"]}
        assert self.plan(*pods, restart="report").extra["pods"] == [
            {"name": "a", **common, "owner": None, "waiting_reason": None, "has_own_list": False},
            {"name": "b", **common, "owner": "ReplicaSet app", "waiting_reason": None, "has_own_list": False},
            {
                "name": "own",
                **common,
                "owner": "ReplicaSet app",
                "waiting_reason": "ErrImagePull",
                "has_own_list": True,
            },
        ]

    @pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
    def test_one_that_cannot_pull_is_deleted_after_the_link_and_only_as_it_was_seen(self, reason: str) -> None:
        link, restart = self.plan(pod("a", PLATFORM, waits=reason)).changes
        assert (link.action, restart.action) == ("update", "delete")
        assert str(restart.ref) == "pod project-a/a"
        assert restart.body["preconditions"] == {"uid": "uid-a", "resourceVersion": "9"}
        assert restart.details == {"service_account": "default", "owner": "ReplicaSet app", "waiting_reason": reason}

    def test_an_init_container_counts(self) -> None:
        waits = {"initContainerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]}
        assert [change.action for change in self.plan(pod("a", **waits)).changes] == ["update", "delete"]

    @pytest.mark.parametrize(
        "kept",
        [
            pod("runs", PLATFORM),
            pod("has-it", PLATFORM, "quay", waits="ErrImagePull"),
            pod("own-list", PLATFORM, "team", waits="ErrImagePull"),
            pod("own-list-of-known-names", "listed", waits="ErrImagePull"),
            pod("nobody-makes-it-anew", waits="ErrImagePull", owner=""),
            pod("crashes", waits="CrashLoopBackOff"),
            pod("over", waits="ErrImagePull", phase="Failed"),
        ],
        ids=lambda found: found["metadata"]["name"],
    )
    def test_others_are_never_deleted(self, kept: Any) -> None:
        result = self.plan(kept, listed=[PLATFORM, "listed"])
        assert [change.action for change in result.changes] == ["update"]

    @pytest.mark.parametrize(
        "meta", [{"deletionTimestamp": "now"}, {"annotations": {"kubernetes.io/config.mirror": "x"}}]
    )
    def test_those_that_go_or_that_a_node_made_are_not_even_reported(self, meta: Any) -> None:
        found = pod("a", waits="ErrImagePull")
        found["metadata"].update(meta)
        assert self.plan(found).extra["pods"] == []

    def test_a_pod_of_another_account_is_nobodys_business(self) -> None:
        found = pod("a", waits="ErrImagePull")
        found["spec"]["serviceAccountName"] = "other"
        assert self.plan(found).extra["pods"] == []

    def test_those_of_an_account_that_is_linked_already_are_found_too(self) -> None:
        (change,) = self.plan(pod("a", PLATFORM, waits="ErrImagePull"), listed=[PLATFORM, "quay"]).changes
        assert change.action == "delete"

    def test_who_may_not_list_pods_is_told(self) -> None:
        result = sa_link.from_options(options(restart_pods="stuck")).plan("project-a", {"default": account()}, {})
        assert result.notes == ("pods may not be listed by the caller, so none was looked for that lacks the secrets",)

    def test_without_the_option_none_is_looked_for(self) -> None:
        assert plan({"default": account()}).extra == {}


class TestLost:
    """asks 2: who takes our entry out again is named."""

    FIELDS = [
        {"manager": "openshift_ops.image_pull", "time": "2026-01-03", "fieldsV1": {"f:imagePullSecrets": {}}},
        {"manager": "old", "time": "2026-01-01", "fieldsV1": {"f:imagePullSecrets": {}}},
        {"manager": "pipeline", "time": "2026-01-02", "fieldsV1": {"f:imagePullSecrets": {}, "f:secrets": {}}},
        {"manager": "labeller", "time": "2026-01-04", "fieldsV1": {"f:metadata": {}}},
    ]

    def test_names_what_is_gone_by_list(self) -> None:
        wish = sa_link.from_options(options(secrets=["a", "b"], link_for=["pull", "mount"]))
        observed = account(imagePullSecrets=["b"], secrets=["a", "b"])
        assert wish.lost(observed) == {"imagePullSecrets": ["a"]}

    def test_the_last_writer_of_that_list_comes_first_and_never_we(self) -> None:
        observed = {"metadata": {"managedFields": self.FIELDS}}
        assert last_writers(observed, "imagePullSecrets", "openshift_ops.image_pull") == ["pipeline", "old"]
        assert last_writers({"metadata": {}}, "secrets", "openshift_ops.image_pull") == []


class TestNotes:
    def test_a_duplicate_of_others_is_told_and_stays(self) -> None:
        result = plan({"default": account(imagePullSecrets=["quay", "team", "team", "", ""])})
        assert result.changes == ()
        assert result.notes == (
            "service account project-a/default lists secret team more than once in imagePullSecrets: not ours, left alone",
        )


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

    @pytest.mark.parametrize(
        ("given_", "option"),
        [
            ({"exclusive": True, "state": "absent"}, "exclusive"),
            ({"create": True, "state": "absent"}, "create"),
            ({"restart_pods": "report", "state": "absent"}, "restart_pods"),
            ({"restart_pods": "stuck", "link_for": ["mount"]}, "restart_pods"),
            ({"verify_after": -1}, "verify_after"),
        ],
    )
    def test_refuses_what_contradicts_itself(self, given_: dict[str, Any], option: str) -> None:
        with pytest.raises(OptionError, match=f"^option '{option}' "):
            sa_link.from_options(options(**given_))

    def test_keeps_each_name_once_in_order(self) -> None:
        assert sa_link.from_options(options(secrets=["b", "a", "b"])).secrets == ("b", "a")
