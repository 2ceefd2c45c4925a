# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's entries are never removed, and nothing is written if the lists already match."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    INSTANCE,
    MANAGED_BY,
    Plan,
    Prerequisite,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link import plan as sa_link
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.pods import TRIMMED_POD
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
    flags = {"exclusive": False, "only_managed": False, "create": False}
    return {
        **defaults,
        **flags,
        "require": "none",
        "restart_pods": "never",
        "wait_timeout": 30,
        **given_,
    }


def account(name: str = "default", **lists: list[str]) -> dict[str, Any]:
    meta = {"name": name, "namespace": "project-a", "resourceVersion": "7"}
    return {"metadata": meta, **{key: [{"name": entry} for entry in entries] for key, entries in lists.items()}}


def plan(observed: dict[str, Any], **given_: Any) -> Any:
    return sa_link.from_options(options(**given_)).plan("project-a", observed)


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
        desired = sa_link.from_options(options(**{"require": "usable", **given_}))
        (ref,) = desired.related("project-a", {})
        assert ref == ObjectRef(SECRET, "project-a", "quay")
        return desired.plan("project-a", {"default": account()}, {ref: secret})

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
    def test_a_secret_that_does_not_work_is_refused_with_the_reason_and_the_fix(self, secret: Any, why: str) -> None:
        with pytest.raises(Refusal, match=f"^secret project-a/quay {why}.*'require: none'$"):
            self.plan(secret)

    @pytest.mark.parametrize("given_", [{"require": "existing"}, {"link_for": ["mount"]}], ids=str)
    def test_any_existing_secret_is_enough_for_mounting_or_on_request(self, given_: Any) -> None:
        assert len(self.plan(self.PODMAN, **given_).changes) == 1
        with pytest.raises(Refusal, match="does not exist"):
            self.plan(None, **given_)

    def test_an_unreadable_secret_is_reported_as_not_checked(self) -> None:
        result = sa_link.from_options(options(require="usable")).plan("project-a", {"default": account()}, {})
        assert result.notes == ("secret project-a/quay was not checked: the caller may not read it",)
        assert len(result.changes) == 1

    @pytest.mark.parametrize("given_", [{"require": "none"}, {"state": "absent", "require": "usable"}], ids=str)
    def test_no_secret_is_looked_up_without_need(self, given_: Any) -> None:
        desired = sa_link.from_options(options(**given_))
        assert list(desired.related("project-a", {})) == []
        assert desired.plan("project-a", {"default": account()}, {}).notes == ()


class TestCreate:
    def test_a_named_account_is_created_with_its_lists_and_our_label(self) -> None:
        result = plan({}, service_accounts=["builder", "b*"], create=True, link_for=["pull", "mount"])
        (change,) = result.changes
        assert (change.action, str(change.ref)) == ("create", "service account project-a/builder")
        assert (change.body["imagePullSecrets"], change.body["secrets"]) == ([{"name": "quay"}], [{"name": "quay"}])
        added = {"added": ["quay"], "removed": []}
        assert change.details == {"lists": {"imagePullSecrets": added, "secrets": added}}
        assert change.after == {"imagePullSecrets": ["quay"], "secrets": ["quay"]}
        assert result.waiting_for == ()

    def test_no_account_is_created_without_create_or_by_a_glob(self) -> None:
        assert plan({}, service_accounts=["builder"]).changes == ()
        assert plan({}, service_accounts=["b*"], create=True).changes == ()


class TestNotes:
    def test_a_foreign_duplicate_is_reported_and_stays(self) -> None:
        result = plan({"default": account(imagePullSecrets=["quay", "team", "team", "", ""])})
        assert result.changes == ()
        assert result.notes == (
            "service account project-a/default lists secret team more than once in imagePullSecrets: the duplicate is not ours "
            "and was kept",
        )

    @pytest.mark.parametrize(
        ("given_", "listed"),
        [
            ({}, ["quay", "quay"]),
            ({"exclusive": True}, ["team", "team", PLATFORM, PLATFORM]),
            ({"state": "absent"}, ["quay", "quay"]),
        ],
    )
    def test_duplicates_that_are_ours_removed_or_the_platforms_are_not_reported(
        self, given_: Any, listed: list[str]
    ) -> None:
        assert plan({"default": account(imagePullSecrets=listed, secrets=[PLATFORM])}, **given_).notes == ()


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
    def test_the_lists_of_the_purpose_alone_are_written(self, link_for: list[str], lists: set[str]) -> None:
        (change,) = plan({"default": account()}, link_for=link_for).changes
        assert set(change.body) == lists | {"metadata"}

    def test_a_list_that_is_right_already_is_not_written(self) -> None:
        observed = {"default": account(imagePullSecrets=["quay"], secrets=["other"])}
        (change,) = plan(observed, link_for=["pull", "mount"]).changes
        assert set(change.body) == {"secrets", "metadata"}

    @pytest.mark.parametrize(
        ("state", "listed"), [("present", ["quay", PLATFORM]), ("absent", [PLATFORM, "team", "team"]), ("absent", [])]
    )
    def test_a_list_that_is_already_right_changes_nothing(self, state: str, listed: list[str]) -> None:
        result = plan({"default": account(imagePullSecrets=listed)}, state=state)
        assert (result.changes, result.waiting_for) == ((), ())

    @given(LISTS, WANTED, st.sampled_from(["present", "absent"]))
    def test_an_executed_plan_leaves_nothing_to_plan(self, entries: Any, wanted: Any, state: str) -> None:
        observed = {**account(), "imagePullSecrets": entries}
        desired = sa_link.from_options(options(secrets=wanted, state=state))
        for change in desired.plan("project-a", {"default": observed}).changes:
            observed = {**observed, **change.body}
        assert desired.plan("project-a", {"default": observed}).changes == ()
        assert foreign(observed["imagePullSecrets"], wanted) == foreign(entries, wanted)

    def test_state_absent_removes_our_duplicates_and_only_ours(self) -> None:
        (change,) = plan({"default": account(imagePullSecrets=["quay", PLATFORM, "quay"])}, state="absent").changes
        assert change.after == {"imagePullSecrets": [PLATFORM]}
        assert change.details == {"lists": {"imagePullSecrets": {"added": [], "removed": ["quay"]}}}

    def test_a_missing_account_is_waited_for(self) -> None:
        assert plan({}, service_accounts=["builder"]).waiting_for == (Prerequisite("service account builder", 30),)

    @pytest.mark.parametrize("given_", [{"state": "absent"}, {"service_accounts": ["build*"]}], ids=str)
    def test_no_account_is_waited_for_to_unlink_or_by_a_glob(self, given_: dict[str, Any]) -> None:
        assert plan({}, **given_).waiting_for == ()

    @pytest.mark.parametrize(
        ("accounts", "more", "missed"),
        [
            (["build-*"], {}, ["build-*"]),
            (["*"], {}, []),
            (["default", "x*", "y*", "d*"], {}, ["x*", "y*"]),
            (["build-*"], {"state": "absent"}, []),
        ],
    )
    def test_a_glob_without_a_match_is_reported(
        self, accounts: list[str], more: dict[str, Any], missed: list[str]
    ) -> None:
        notes = plan({"default": account()}, service_accounts=accounts, **more).notes
        advice = "correct 'service_accounts', or create one ('oc get serviceaccounts' lists them)"
        assert notes == tuple(f"no service account matches {glob!r}, so nothing is linked: {advice}" for glob in missed)

    def test_a_glob_selects_matching_accounts(self) -> None:
        observed = {name: account(name) for name in ("builder", "build-2", "default")}
        result = plan(observed, service_accounts=["build*", "default"])
        assert [change.ref.name for change in result.changes] == ["build-2", "builder", "default"]

    @pytest.mark.parametrize(("accounts", "read"), [(["a", "b"], ("a", "b")), (["a", "b*"], ())], ids=str)
    def test_all_accounts_are_read_only_for_a_glob(self, accounts: list[str], read: tuple[str, ...]) -> None:
        assert sa_link.from_options(options(service_accounts=accounts)).names("a") == read


REFERENCE = "openshift.io/internal-registry-pull-secret-ref"
Z = "default-dockercfg-zzzzz"
TOKEN = "default-token-x7k2p"
PULL, MOUNT = "imagePullSecrets", "secrets"
USERS = {"type": "kubernetes.io/dockerconfigjson", "metadata": {}}
GENERATED = {
    "type": "kubernetes.io/dockercfg",
    "metadata": {
        "annotations": {"openshift.io/token-secret.name": TOKEN, "kubernetes.io/service-account.name": "default"}
    },
}
OURS_LABELLED = {**USERS, "metadata": {"labels": MANAGED_BY}}


def named(name: str, **lists: list[str]) -> dict[str, Any]:
    """Return an account of OpenShift 4.16 or later."""
    found = account(**lists)
    found["metadata"]["annotations"] = {REFERENCE: name}
    return found


def ref(name: str) -> ObjectRef:
    return ObjectRef(SECRET, "project-a", name)


class TestUnlinking:
    """The platform's entry survives, and all other entries can be removed."""

    def look(self, observed: Any, **given_: Any) -> tuple[Any, list[ObjectRef]]:
        desired = sa_link.from_options(options(**given_))
        return desired, list(desired.related("project-a", {"default": observed}))

    def after(self, observed: Any, found: Any = None, **given_: Any) -> Any:
        desired, _refs = self.look(observed, **given_)
        result = desired.plan("project-a", {"default": observed}, found or {})
        lists = {key: [entry["name"] for entry in observed.get(key, [])] for key in desired.lists}
        for change in result.changes:
            lists.update(change.after)
        return lists, result.notes

    def test_the_entry_that_the_annotation_names_stays_and_is_reported(self) -> None:
        observed = named(PLATFORM, imagePullSecrets=[PLATFORM, "quay"], secrets=[PLATFORM])
        given_ = {"secrets": [PLATFORM, "quay"], "state": "absent", "link_for": ["pull", "mount"]}
        assert self.look(observed, **given_)[1] == []
        lists, notes = self.after(observed, **given_)
        assert lists == {PULL: [PLATFORM], MOUNT: [PLATFORM]}
        assert notes == (
            f"secret {PLATFORM} stays linked to service account project-a/default: the platform generated it for this "
            "account and would link it again",
        )

    @pytest.mark.parametrize("name", ["default-token-quay", Z, "default-dockercfg-quay"])
    @pytest.mark.parametrize("given_", [{"state": "absent"}, {"secrets": ["team"], "exclusive": True}], ids=str)
    def test_a_name_that_only_looks_generated_is_unlinked_without_a_lookup(self, given_: Any, name: str) -> None:
        """The entry is a user's, or it is stale and would remain forever after the secret was deleted."""
        observed = named(PLATFORM, imagePullSecrets=[PLATFORM, name, "team"], secrets=[PLATFORM])
        given_ = {"secrets": [name], **given_}
        assert self.look(observed, **given_)[1] == []
        assert self.after(observed, **given_) == ({PULL: [PLATFORM, "team"]}, ())

    def test_the_entry_of_an_account_with_a_long_name_stays(self) -> None:
        """Before 4.16, only the name identifies the entry. It is truncated and ends with a hash."""
        name = "pipeline-runner-of-the-payments-department-production"
        entry = "pipeline-runner-of-the-payments-depart-402877bf-dockercfg-x7k2p"
        observed = account(name, imagePullSecrets=[entry, "team"], secrets=[entry])
        desired = sa_link.from_options(options(exclusive=True, service_accounts=[name]))
        (change,) = desired.plan("project-a", {name: observed}).changes
        assert change.after == {PULL: [entry, "quay"]}

    def test_a_secret_that_is_not_to_be_removed_is_not_looked_up(self) -> None:
        observed = account(imagePullSecrets=[Z, "quay"])
        assert self.look(observed, secrets=["quay"])[1] == []
        assert self.look(observed, secrets=["quay"], state="absent")[1] == []
        assert self.look(observed, secrets=["quay", Z], exclusive=True)[1] == []
        assert self.look(observed, secrets=[Z], state="absent", link_for=["mount"])[1] == []

    def test_accounts_that_are_not_selected_cost_no_lookup(self) -> None:
        desired = sa_link.from_options(options(secrets=["team"], exclusive=True, service_accounts=["b*"]))
        objects = {name: account(name, imagePullSecrets=[f"{name}-dockercfg-x7k2p"]) for name in ("builder", "default")}
        assert desired.related("project-a", objects) == [ref("builder-dockercfg-x7k2p")]

    def test_secrets_that_are_required_are_looked_up_first_and_each_once(self) -> None:
        observed = account(imagePullSecrets=[PLATFORM, Z], secrets=[PLATFORM, Z])
        given_ = {"exclusive": True, "require": "usable", "link_for": ["pull", "mount"]}
        assert self.look(observed, **given_)[1] == [ref("quay"), ref(PLATFORM), ref(Z)]

    def test_each_list_is_decided_on_its_own(self) -> None:
        """The platform generates no tokens for the pull list."""
        observed = named(PLATFORM, imagePullSecrets=[PLATFORM, TOKEN], secrets=[PLATFORM, TOKEN])
        given_ = {"secrets": [TOKEN], "state": "absent", "link_for": ["pull", "mount"]}
        assert self.look(observed, **given_)[1] == [ref(TOKEN)]
        token = {
            "type": "kubernetes.io/service-account-token",
            "metadata": {"annotations": {"kubernetes.io/service-account.name": "default"}},
        }
        lists, notes = self.after(observed, {ref(TOKEN): token}, **given_)
        assert lists == {PULL: [PLATFORM], MOUNT: [PLATFORM, TOKEN]}
        assert len(notes) == 1

    def test_several_accounts_are_decided_each_on_its_own(self) -> None:
        desired = sa_link.from_options(options(secrets=[Z], state="absent", service_accounts=["*"]))
        objects = {"default": account(imagePullSecrets=[Z]), "other": account("other", imagePullSecrets=[Z])}
        assert desired.related("project-a", objects) == [ref(Z)]
        result = desired.plan("project-a", objects, {ref(Z): GENERATED})
        assert [change.ref.name for change in result.changes] == ["other"]
        assert len(result.notes) == 1


class TestOnlyManaged:
    """A teardown only unlinks secrets that have our label or do not exist."""

    def plan(self, found: Any, *listed: str, **given_: Any) -> Any:
        desired = sa_link.from_options(options(state="absent", only_managed=True, **given_))
        observed = {"default": named(PLATFORM, imagePullSecrets=[PLATFORM, *listed], secrets=[PLATFORM])}
        asked = list(desired.related("project-a", observed))
        return asked, desired.plan("project-a", observed, found)

    def test_a_secret_that_is_not_linked_is_not_looked_up(self) -> None:
        """The second run sends no request."""
        asked, result = self.plan({}, "team")
        assert (asked, result) == ([], Plan())

    def test_the_platforms_entry_stays_whatever_its_label(self) -> None:
        asked, result = self.plan({ref(PLATFORM): OURS_LABELLED}, secrets=[PLATFORM])
        assert (asked, result.changes) == ([], ())
        assert "would link it again" in result.notes[0]

    def test_each_secret_is_decided_on_its_own(self) -> None:
        found = {ref("quay"): OURS_LABELLED, ref("team"): USERS}
        asked, result = self.plan(found, "quay", "team", secrets=["team", "quay", "gone"])
        assert asked == [ref("quay"), ref("team")]
        assert result.changes[0].after == {PULL: [PLATFORM, "team"]}


class TestPods:
    FOUND = {
        "metadata": {
            "name": "web",
            "uid": "u",
            "resourceVersion": "9",
            "ownerReferences": [{"kind": "ReplicaSet", "name": "app", "controller": True}],
        },
        "spec": {"imagePullSecrets": [{"name": PLATFORM}]},
        "status": {"containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]},
    }
    ALL = ObjectRef(TRIMMED_POD, "project-a", "")

    def plan(self, observed: Any, found: Any = None, **given_: Any) -> Any:
        desired = sa_link.from_options(options(**{"restart_pods": "stuck", **given_}))
        assert list(desired.related("project-a", {"default": observed})) == [self.ALL]
        seen = {self.ALL: {"items": [self.FOUND]}} if found is None else found
        return desired.plan("project-a", {"default": observed}, seen)

    def test_a_restart_follows_the_link(self) -> None:
        result = self.plan(account(imagePullSecrets=[PLATFORM]))
        assert [(change.action, str(change.ref)) for change in result.changes] == [
            ("update", "service account project-a/default"),
            ("delete", "pod project-a/web"),
        ]
        assert [found["name"] for found in result.extra["pods"]] == ["web"]

    def test_a_report_restarts_nothing(self) -> None:
        result = self.plan(account(imagePullSecrets=[PLATFORM, "quay"]), restart_pods="report")
        assert result.changes == ()
        assert [found["missing_secrets"] for found in result.extra["pods"]] == [["quay"]]

    def test_pods_of_an_account_that_is_linked_already_are_restarted_too(self) -> None:
        (change,) = self.plan(account(imagePullSecrets=[PLATFORM, "quay"])).changes
        assert change.action == "delete"

    @pytest.mark.parametrize(
        ("observed", "own"),
        [
            (account(imagePullSecrets=[PLATFORM, "listed"]), False),
            (account(imagePullSecrets=["listed", Z]), True),
            (named(Z, imagePullSecrets=[PLATFORM, Z]), True),
            (named(PLATFORM, imagePullSecrets=[PLATFORM, Z]), False),
            (account(imagePullSecrets=[PLATFORM, Z]), True),
            (account(), True),
            ({**account(), "imagePullSecrets": [None, {"name": PLATFORM}]}, False),
        ],
    )
    def test_a_pod_that_lacks_nothing_of_the_platforms_has_the_accounts_list(self, observed: Any, own: bool) -> None:
        """In doubt, names that look generated count as generated. The list is then the pod's own, and the pod stays."""
        result = self.plan(observed)
        assert [found["has_own_list"] for found in result.extra["pods"]] == [own]
        assert [change.action for change in result.changes] == ["update"] + ["delete"] * (not own)

    def test_a_pod_that_has_one_of_two_secrets_has_the_accounts_list(self) -> None:
        found = {**self.FOUND, "spec": {"imagePullSecrets": [{"name": PLATFORM}, {"name": "quay"}]}}
        given_ = {"secrets": ["quay", "sso"]}
        result = self.plan(account(imagePullSecrets=[PLATFORM]), {self.ALL: {"items": [found]}}, **given_)
        assert [(pod["missing_secrets"], pod["has_own_list"]) for pod in result.extra["pods"]] == [(["sso"], False)]

    def test_pods_are_read_together_with_the_required_secrets(self) -> None:
        desired = sa_link.from_options(options(restart_pods="report", require="usable"))
        assert desired.related("project-a", {}) == [ref("quay"), self.ALL]

    def test_pods_of_other_accounts_do_not_count(self) -> None:
        desired = sa_link.from_options(options(restart_pods="report", service_accounts=["builder"]))
        objects = {"default": account(), "builder": account("builder")}
        assert desired.plan("project-a", objects, {self.ALL: {"items": [self.FOUND]}}).extra == {"pods": []}

    def test_a_missing_right_to_list_pods_is_reported(self) -> None:
        result = self.plan(account(), {})
        assert result.notes == ("the pods of namespace project-a were not checked: the caller may not list them",)
        assert result.extra == {"pods": []}

    @pytest.mark.parametrize("odd", [{}, {"items": None}, {"items": "text"}, {"items": [None, "text", {}]}, []])
    def test_a_pod_list_that_cannot_be_read_counts_as_empty(self, odd: Any) -> None:
        assert self.plan(account(), {self.ALL: odd}).extra == {"pods": []}

    @pytest.mark.parametrize("given_", [{}, {"state": "absent"}], ids=str)
    def test_no_pod_is_looked_for_without_the_option(self, given_: Any) -> None:
        result = plan({"default": account()}, **given_)
        assert (result.extra, result.notes) == ({}, ())


class TestOddEntries:
    """Objects that no API server sends lose nothing and cause only readable errors."""

    ODD: tuple[Any, ...] = (None, "text", ["quay"], {}, {"name": None}, {"name": ["quay"]})

    @pytest.mark.parametrize(
        ("given_", "kept"),
        [({}, ["quay", "team"]), ({"exclusive": True}, ["quay"]), ({"state": "absent"}, ["team"])],
    )
    def test_odd_entries_keep_their_places(self, given_: Any, kept: list[str]) -> None:
        entries = [*self.ODD[:3], {"name": "quay"}, *self.ODD[3:], {"name": "team"}, {"name": "quay"}, None]
        observed = {**account(), PULL: entries}
        (change,) = plan({"default": observed}, **given_).changes
        first = [{"name": "quay"}] if "quay" in kept else []
        last = [{"name": "team"}] if "team" in kept else []
        assert change.body[PULL] == [*self.ODD[:3], *first, *self.ODD[3:], *last, None]

    @pytest.mark.parametrize("given_", [{}, {"exclusive": True}, {"state": "absent"}, {"restart_pods": "report"}])
    def test_a_value_that_is_not_a_list_is_an_error(self, given_: Any) -> None:
        desired, objects = sa_link.from_options(options(**given_)), {"default": {**account(), PULL: {"name": "quay"}}}
        desired.related("project-a", objects)
        with pytest.raises(
            Refusal, match="^service account project-a/default cannot be read: its 'imagePullSecrets' are"
        ):
            desired.plan("project-a", objects)

    def test_the_other_list_is_not_checked(self) -> None:
        assert len(plan({"default": {**account(), MOUNT: "text"}}).changes) == 1

    @pytest.mark.parametrize("meta", [None, "text", {"resourceVersion": "7", "annotations": "text", "name": None}])
    def test_metadata_that_cannot_be_read_never_fails(self, meta: Any) -> None:
        observed = {"default": {**account(imagePullSecrets=["quay", Z]), "metadata": meta}}
        for given_ in ({}, {"state": "absent", "secrets": ["other"]}):
            assert plan(observed, **given_).changes == ()


class TestWhateverIsSent:
    """JSON of any shape leads to a plan or a readable refusal. Every entry that is not removed by name keeps its place."""

    JSON = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from([Z, TOKEN, "quay", REFERENCE]),
        lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(["name", "type", "metadata"]), part),
        max_leaves=8,
    )
    ENTRIES = st.lists(JSON | st.builds(lambda name: {"name": name}, JSON), max_size=6)
    META = st.fixed_dictionaries(
        {"resourceVersion": st.just("7")},
        optional={"name": JSON, "annotations": JSON | st.builds(lambda x: {REFERENCE: x}, JSON)},
    )
    OPTIONS = st.sampled_from(
        [
            {},
            {"exclusive": True},
            {"state": "absent"},
            {"state": "absent", "only_managed": True},
            {"restart_pods": "stuck"},
            {"secrets": [Z, TOKEN], "state": "absent", "link_for": ["pull", "mount"]},
        ]
    )

    @given(ENTRIES | JSON, ENTRIES | JSON, META | JSON, JSON, OPTIONS)
    def test_arbitrary_accounts_never_fail_and_lose_no_entry(
        self, pull: Any, mount: Any, meta: Any, secret: Any, given_: Any
    ) -> None:
        observed = {"metadata": meta, PULL: pull, MOUNT: mount}
        desired = sa_link.from_options(options(**given_))
        refs = list(desired.related("project-a", {"default": observed}))
        try:
            result = desired.plan("project-a", {"default": observed}, dict.fromkeys(refs, secret))
        except Refusal:
            return
        for change in (change for change in result.changes if change.action == "update"):
            for key in set(change.body) - {"metadata"}:
                before, after = observed.get(key) or [], change.body[key]
                removed = change.details["lists"][key]["removed"]
                nameless = [
                    entry for entry in before if not (isinstance(entry, dict) and isinstance(entry.get("name"), str))
                ]
                assert [entry for entry in after if entry in nameless] == nameless
                assert "" not in removed
                gone = [*removed, *change.details["lists"][key].get("deduplicated", ())]
                kept = [entry for entry in before if not (isinstance(entry, dict) and entry.get("name") in gone)]
                assert [entry for entry in after if entry in kept] == kept


def owned(owner: str, found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "metadata": {**found["metadata"], "labels": {**MANAGED_BY, INSTANCE: owner}}}


class TestOwner:
    """An account belongs to an owner only if `create` declares it."""

    def plan(self, found: Any, **given_: Any) -> Any:
        objects = {} if found is None else {found["metadata"]["name"]: found}
        return plan(objects, **{"service_accounts": ["build"], "create": True, "owner": "a", **given_})

    def test_a_new_account_carries_the_owner(self) -> None:
        (change,) = self.plan(None).changes
        assert change.body["metadata"]["labels"] == {**MANAGED_BY, INSTANCE: "a"}

    def test_an_account_of_another_owner_is_refused_where_it_is_declared(self) -> None:
        found = owned("b", account("build"))
        with pytest.raises(Refusal, match="service account project-a/build belongs to owner b and not to a"):
            self.plan(found)
        for given_ in ({"create": False}, {"service_accounts": ["*"]}, {"owner": None}):
            (change,) = self.plan(found, **given_).changes
            assert "labels" not in change.body["metadata"]

    @pytest.mark.parametrize("found", [account("build"), owned("b", account("build"))])
    def test_an_adopted_account_gets_both_labels_once(self, found: Any) -> None:
        (change,) = self.plan(found, adopt=True).changes
        labels = {**(found["metadata"].get("labels") or {}), **change.body["metadata"]["labels"]}
        assert labels == {**MANAGED_BY, INSTANCE: "a"}
        assert change.body["imagePullSecrets"] == [{"name": "quay"}]
        assert change.details["labels"] == sorted(change.body["metadata"]["labels"])
        assert self.plan(owned("a", account("build", imagePullSecrets=["quay"])), adopt=True).changes == ()

    def test_the_platforms_accounts_are_not_adopted(self) -> None:
        (change,) = self.plan(account(), service_accounts=["default"], adopt=True).changes
        assert "labels" not in change.body["metadata"]
