# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan for one secret has the exact changes, shows no credential, and refuses before the first write."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    INSTANCE,
    MANAGED_BY,
    Plan,
    copy_ref,
    replace,
    store_copy,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import Batch
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret import plan as pull_secret
from hypothesis import given
from hypothesis import strategies as st
from support.anything import ANYTHING
from support.objects import b64, raised

from unit.canaries import CANARIES, shown

DOCKERCONFIGJSON, DOCKERCFG = pull_secret.DATA_KEYS
PODMANCONFIGJSON = "kubernetes.io/podmanconfigjson"
KEYS = {DOCKERCONFIGJSON: ".dockerconfigjson", DOCKERCFG: ".dockercfg", PODMANCONFIGJSON: "auth.json"}


def registry(password: str = "canary", key: str = "quay.io") -> dict[str, str]:
    return {"registry": key, "username": "robot", "password": password}


def declared(**given: Any) -> pull_secret.PullSecret:
    options = {"name": "quay", "state": "present", "type": DOCKERCONFIGJSON, "registries": [registry()]}
    return pull_secret.from_options({**options, **given}, lambda path: pytest.fail(f"reads {path}"))


def secret(content: Any = None, kind: str = DOCKERCONFIGJSON, **more: Any) -> dict[str, Any]:
    text = content if isinstance(content, str) else json.dumps(content)
    meta = {"name": "quay", "uid": "u", "resourceVersion": "7"}
    return {"metadata": meta, "type": kind, "data": {KEYS.get(kind, "key"): b64(text)}, **more}


FILE = {"auths": {"quay.io": {"auth": b64("robot:canary")}}}


def entry(password: str = "canary") -> dict[str, str]:
    return {"auth": b64(f"robot:{password}")}


def raw_secret(content: bytes) -> dict[str, Any]:
    return {**secret({}), "data": {".dockerconfigjson": b64(content)}}


def annotated(name: str) -> dict[str, Any]:
    found = secret({}, DOCKERCFG)
    return {**found, "metadata": {**found["metadata"], "annotations": {name: "default"}}}


SAME = secret({"auths": {"quay.io": entry()}})
OURS = {**SAME, "metadata": {**SAME["metadata"], "labels": {**MANAGED_BY, "a": "b"}}}
BROKEN_DATA = {**secret(), "data": {".dockerconfigjson": "%"}}
NO_DATA = {"metadata": {"name": "quay", "uid": "u", "resourceVersion": "7"}, "type": DOCKERCONFIGJSON}
LATIN_1 = raw_secret(b'{"auths": {"other.io": {"auth": "YTpi", "email": "ren\xe9"}, "quay.io": {"auth": "eDp5"}}}')
DOUBLED = secret('{"auths": {"quay.io": {"auth": "eDp5"}}, "Auths": {"other.io": {"auth": "YTpi"}}}')
FOREIGN = secret("x", "Opaque")
PLATFORM = annotated("openshift.io/internal-registry-auth-token.service-account")
PLATFORM_LEGACY = annotated("openshift.io/token-secret.name")

NO_PULL_SECRET = (
    "secret project-a/quay has type Opaque and is not a pull secret. It was not changed: choose another name"
)
OF_THE_PLATFORM = (
    "secret project-a/quay belongs to the platform, which would restore it. It was not changed: choose another name"
)
RECREATE = "set 'recreate: true' to delete and recreate it (it is restored if that fails), or choose another name"
OTHER_TYPE = f"secret project-a/quay exists with type {DOCKERCFG}, and the type of a secret cannot be changed to {DOCKERCONFIGJSON}: {RECREATE}"
IMMUTABLE = f"secret project-a/quay is immutable: {RECREATE}"


def cannot_be_edited(why: str) -> str:
    return (
        f"secret project-a/quay was not changed: its content {why}, so registries can neither be added nor removed: "
        "use 'mode: replace' with all registries that the secret must have, or delete it with 'state: absent'"
    )


#: Content that is not empty, and that no reader can interpret.
UNREADABLE = [
    (BROKEN_DATA, "is not base64"),
    (secret("no JSON"), "is not valid JSON at line 1, column 1"),
    (secret('{"auths": {}} x'), "is not valid JSON at line 1, column 15"),
    (secret('{"auths": NaN}'), "is not valid JSON at line 1, column 11"),
    (secret("\ufeff{}"), "is not valid JSON: it begins with a byte order mark"),
    (secret("[" * 20_000), "is not valid JSON: it is nested more than 10000 levels deep"),
    (secret(" "), "is not valid JSON at line 1, column 2"),
    (secret("[]"), "is a list, not an object"),
    (secret({"auths": []}), "is not an auth file: 'auths' is a list, not an object"),
    (DOUBLED, "is not an auth file: it has 'auths' twice"),
    (secret('{"auths": {}, "\\u0041UTHS": null}'), "is not an auth file: it has 'auths' twice"),
    (secret({"quay.io": entry()}), "is a .dockercfg, without 'auths', which no node reads from a secret of this type"),
    (
        secret({"auths": {"quay.io": entry()}}, DOCKERCFG),
        "is a config.json, with 'auths', which no node reads from a secret of this type",
    ),
]


def planned(state: str, observed: dict[str, Any] | None) -> str:
    """Return the planned actions for the declared state, or the refusal."""
    given = {"state": state, **({} if state == "present" else {"registries": None})}
    try:
        plan = declared(**given).plan("project-a", {} if observed is None else {"quay": observed})
    except Refusal as error:
        return str(error)
    return " ".join(change.action for change in plan.changes)


def only_change(observed: dict[str, Any], namespace: str = "project-a", **given: Any) -> Any:
    (change,) = declared(**given).plan(namespace, {given.get("name", "quay"): observed}).changes
    return change


def refusal(observed: dict[str, Any], **given: Any) -> str:
    return raised(Refusal, lambda: declared(**given).plan("project-a", {"quay": observed}))


def content_of(change: Any, key: str = ".dockerconfigjson") -> bytes:
    return base64.b64decode(change.body["data"][key])


def registries(added: Any = (), changed: Any = None, removed: Any = ()) -> dict[str, Any]:
    return {"added": list(added), "changed": changed or {}, "removed": list(removed)}


class TestPlan:
    @pytest.mark.parametrize(
        ("state", "observed", "result"),
        [
            ("present", None, "create"),
            ("present", SAME, ""),
            ("present", {**SAME, "immutable": True}, ""),
            ("present", secret({"auths": {"quay.io": {"username": "robot", "password": "canary"}}}), ""),
            ("present", secret({"auths": {"quay.io": entry("other")}}), "update"),
            ("present", secret({"auths": {"quay.io": entry("other")}}, immutable=True), IMMUTABLE),
            ("present", secret({"auths": {"quay.io": entry(), "more.io": entry()}}), "update"),
            ("present", NO_DATA, "update"),
            ("present", secret("null"), "update"),
            ("present", LATIN_1, "update"),
            ("present", secret({"quay.io": entry()}, DOCKERCFG), OTHER_TYPE),
            ("present", FOREIGN, NO_PULL_SECRET),
            ("present", PLATFORM, OF_THE_PLATFORM),
            ("present", PLATFORM_LEGACY, OF_THE_PLATFORM),
            ("absent", None, ""),
            ("absent", SAME, "delete"),
            ("absent", {**SAME, "immutable": True}, "delete"),
            ("absent", secret({"quay.io": entry()}, DOCKERCFG), "delete"),
            ("absent", secret({}, PODMANCONFIGJSON), "delete"),
            ("absent", NO_DATA, "delete"),
            ("absent", FOREIGN, NO_PULL_SECRET),
            ("absent", PLATFORM, OF_THE_PLATFORM),
            ("absent", PLATFORM_LEGACY, OF_THE_PLATFORM),
        ],
    )
    def test_a_plan_follows_the_truth_table(self, state: str, observed: Any, result: str) -> None:
        assert planned(state, observed) == result

    @pytest.mark.parametrize("kind", pull_secret.DATA_KEYS)
    def test_a_secret_that_was_just_created_needs_no_change(self, kind: str) -> None:
        """This includes strings that Python can represent and UTF-8 cannot."""
        desired = declared(type=kind, registries=[{**registry("\udc80ä✓"), "email": "\ud800@x"}])
        (change,) = desired.plan("project-a", {}).changes
        assert change.body["type"] == kind
        assert list(change.body["data"]) == [KEYS[kind]]
        assert desired.plan("project-a", {"quay": change.body}).changes == ()

    def test_a_new_secret_is_labelled_as_ours(self) -> None:
        (change,) = declared().plan("project-a", {}).changes
        assert change.body["metadata"] == {"name": "quay", "namespace": "project-a", "labels": MANAGED_BY}

    def test_an_update_sends_the_data_and_the_version_that_was_read(self) -> None:
        (change,) = declared().plan("project-a", {"quay": secret({})}).changes
        assert set(change.body) == {"data", "metadata"}
        assert change.body["metadata"] == {"resourceVersion": "7"}

    def test_a_delete_is_for_the_secret_that_was_read(self) -> None:
        (change,) = declared(state="absent").plan("project-a", {"quay": SAME}).changes
        assert change.body["preconditions"] == {"uid": "u", "resourceVersion": "7"}

    def test_a_change_reports_the_registries_and_their_changed_parts(self) -> None:
        observed = secret({"auths": {"quay.io": entry("old"), "old.io": entry()}})
        (change,) = (
            declared(registries=[registry(), registry(key="new.io")]).plan("project-a", {"quay": observed}).changes
        )
        assert change.details == {
            "registries": {"added": ["new.io"], "changed": {"quay.io": ["password"]}, "removed": ["old.io"]}
        }
        before = {"old.io": "credential", "quay.io": "credential"}
        after = {"new.io": "credential", "quay.io": "credential with changed password"}
        assert change.before == {"type": DOCKERCONFIGJSON, "registries": before}
        assert change.after == {"type": DOCKERCONFIGJSON, "registries": after}

    @pytest.mark.parametrize("canary", CANARIES)
    @pytest.mark.parametrize(
        "how",
        [
            {"state": "present"},
            {"state": "absent"},
            {"mode": "merge", "recreate": True},
            {"mode": "remove"},
            {"type": DOCKERCFG, "recreate": True},
        ],
        ids=str,
    )
    @pytest.mark.parametrize(
        "observe",
        [
            lambda canary: None,
            lambda canary: secret({"auths": {"quay.io": entry(canary)}}),
            lambda canary: secret({"auths": {"quay.io": {"username": canary, "password": canary}}}),
            lambda canary: secret({"auths": {f"https://robot:{canary}@quay.io": entry(canary)}}),
            lambda canary: secret({"auths": {"quay.io": canary, "a.io": {"auth": canary}}}),
            secret,
        ],
    )
    def test_no_report_holds_a_credential(self, observe: Any, how: dict[str, Any], canary: str) -> None:
        observed = observe(canary)
        desired = declared(**how, registries=[registry(canary + "-new"), registry(canary, "other.io")])
        objects = {} if observed is None else {"quay": observed}
        try:
            plan = desired.plan("project-a", objects)
        except Refusal as error:
            assert shown(str(error), canary) == []
            return
        assert shown(repr((plan.notes, desired.warnings)), canary) == []
        for change in plan.changes:
            reported = repr((change.report(), change.details, change.before, change.after))
            assert shown(reported, canary) == shown(reported, canary + "-new") == []

    @pytest.mark.parametrize("observed", [PLATFORM, FOREIGN, secret({"quay.io": entry()}, DOCKERCFG)])
    def test_no_refusal_shows_a_credential(self, observed: Any) -> None:
        assert shown(planned("present", observed), "canary") == []


class TestUnreadable:
    """Unreadable content is never treated as empty."""

    @pytest.mark.parametrize(("observed", "why"), UNREADABLE)
    @pytest.mark.parametrize("mode", ["merge", "remove"])
    def test_unreadable_content_is_not_edited(self, observed: dict[str, Any], why: str, mode: str) -> None:
        assert refusal(observed, mode=mode) == cannot_be_edited(why)
        assert refusal(observed, mode=mode, recreate=True) == cannot_be_edited(why)

    def test_unreadable_content_is_not_edited_even_if_it_seems_to_match(self) -> None:
        """Readers disagree about the content of a duplicate `auths`."""
        for text in ('{"auths": {"quay.io": %s}, "auths": {}}', '{"auths": {}, "auths": {"quay.io": %s}}'):
            observed = secret(text % json.dumps(entry()))
            for mode in ("merge", "remove"):
                assert refusal(observed, mode=mode) == cannot_be_edited("is not an auth file: it has 'auths' twice")
        assert refusal(DOUBLED, mode="remove", registries=[{"registry": "none.io"}]) == cannot_be_edited(
            "is not an auth file: it has 'auths' twice"
        )

    @pytest.mark.parametrize(("observed", "why"), UNREADABLE)
    def test_unreadable_content_is_replaced_and_the_loss_is_reported(self, observed: dict[str, Any], why: str) -> None:
        plan = declared(type=observed["type"]).plan("project-a", {"quay": observed})
        (change,) = plan.changes
        assert change.action == "update"
        assert change.details == {"registries": registries(added=["quay.io"]), "previous_content": why}
        assert change.before == {"type": observed["type"], "registries": f"not known: the content {why}"}
        assert change.after == {"type": observed["type"], "registries": {"quay.io": "credential"}}
        assert plan.notes == (
            f"the old content of secret project-a/quay {why}, so it is not known which registries it contained",
        )
        again = {**observed, "data": change.body["data"]}
        assert declared(type=observed["type"]).plan("project-a", {"quay": again}) == Plan()

    @pytest.mark.parametrize(("observed", "why"), UNREADABLE)
    def test_unreadable_content_is_deleted_and_the_loss_is_reported(self, observed: dict[str, Any], why: str) -> None:
        plan = declared(state="absent", registries=None).plan("project-a", {"quay": observed})
        (change,) = plan.changes
        assert change.action == "delete"
        assert change.details == {"registries": registries(), "previous_content": why}
        assert change.before == {"type": observed["type"], "registries": f"not known: the content {why}"}
        assert plan.notes == (
            f"the old content of secret project-a/quay {why}, so it is not known which registries it contained",
        )

    def test_unreadable_content_of_a_foreign_type_is_not_a_pull_secret(self) -> None:
        assert refusal({**DOUBLED, "type": "Opaque"}, recreate=True, mode="merge") == NO_PULL_SECRET

    def test_unreadable_content_is_kept_with_update_existing_false(self) -> None:
        assert declared(update_existing=False).plan("project-a", {"quay": DOUBLED}) == Plan()

    def test_content_that_stops_every_pull_is_replaced_although_its_registries_match(self) -> None:
        observed = secret({"auths": {"quay.io": entry()}, "HttpHeaders": ["canary"]})
        change = only_change(observed)
        why = "stops every pull: 'HttpHeaders' is a list, not an object"
        assert change.details == {"registries": registries(), "previous_content": why}
        assert json.loads(content_of(change)) == {
            "auths": {"quay.io": json.loads(content_of(change))["auths"]["quay.io"]}
        }
        assert change.before == change.after == {"type": DOCKERCONFIGJSON, "registries": {"quay.io": "credential"}}

    @pytest.mark.parametrize("mode", ["merge", "remove"])
    def test_foreign_content_that_stops_every_pull_is_reported(self, mode: str) -> None:
        observed = secret({"auths": {"a.io": {"auth": "%"}, "b.io": entry(), "c.io": {}}, "HttpHeaders": []})
        told = (
            "secret project-a/quay stops every pull of a pod that uses it, because the entry for 'a.io' has an 'auth' that is not standard "
            "base64; 'HttpHeaders' is a list, not an object. Remove such entries with 'mode: remove', or replace the whole content with "
            "'mode: replace'"
        )
        given = {"mode": mode, "registries": [registry(key="b.io")]}
        assert declared(**given).plan("project-a", {"quay": observed}).notes == (told,)
        assert (
            declared(mode="merge", registries=[registry(key="b.io")]).plan("project-a", {"quay": observed}).changes
            == ()
        )

    def test_the_number_of_named_invalid_parts_is_limited(self) -> None:
        observed = secret({"auths": {f"{number}.io": 1 for number in range(9)}})
        (note,) = declared(mode="merge").plan("project-a", {"quay": observed}).notes
        assert note.count("is a number") == 5


class TestBytes:
    """A byte that is not UTF-8 hides nothing and is kept."""

    def test_merge_keeps_a_byte_that_is_not_utf_8(self) -> None:
        change = only_change(LATIN_1, mode="merge")
        assert change.details == {"registries": registries(changed={"quay.io": ["password", "username"]})}
        assert content_of(change) == (
            b'{"auths": {"other.io": {"auth": "YTpi", "email": "ren\xe9"}, "quay.io": {"auth": "cm9ib3Q6Y2FuYXJ5", "username": "robot", '
            b'"password": "canary"}}}'
        )

    def test_remove_keeps_a_byte_that_is_not_utf_8(self) -> None:
        change = only_change(LATIN_1, mode="remove")
        assert change.details == {"registries": registries(removed=["quay.io"])}
        assert content_of(change) == b'{"auths": {"other.io": {"auth": "YTpi", "email": "ren\xe9"}}}'

    def test_remove_deletes_the_entry_with_a_byte_that_is_not_utf_8(self) -> None:
        change = only_change(LATIN_1, mode="remove", registries=[{"registry": "other.io"}])
        assert content_of(change) == b'{"auths": {"quay.io": {"auth": "eDp5"}}}'

    def test_replace_reports_the_entry_with_a_byte_that_is_not_utf_8(self) -> None:
        change = only_change(LATIN_1)
        assert change.details == {
            "registries": registries(changed={"quay.io": ["password", "username"]}, removed=["other.io"])
        }
        assert change.before["registries"] == {"other.io": "credential", "quay.io": "credential"}

    def test_state_absent_reports_the_entry_with_a_byte_that_is_not_utf_8(self) -> None:
        change = only_change(LATIN_1, state="absent", registries=None)
        assert change.details == {"registries": registries(removed=["other.io", "quay.io"])}

    def test_a_key_with_a_byte_that_is_not_utf_8_is_shown_as_readers_see_it(self) -> None:
        observed = raw_secret(b'{"auths": {"r\xe9.io": {"auth": "YTpi"}}}')
        assert only_change(observed).details["registries"]["removed"] == ["r\ufffd.io"]
        removed = only_change(observed, mode="remove", registries=[{"registry": "r\ufffd.io"}])
        assert content_of(removed) == b'{"auths": {}}'

    def test_the_guard_of_the_nodes_secret_works_with_a_byte_that_is_not_utf_8(self) -> None:
        found = raw_secret(
            b'{"auths": {"cloud.openshift.com": {"auth": "YTpi", "email": "ren\xe9"}, "quay.io": {"auth": "YTpi"}}}'
        )
        desired = declared(name="pull-secret")
        with pytest.raises(Refusal, match=r"needs its entries for cloud\.openshift\.com\. It was not changed"):
            desired.plan("openshift-config", {"pull-secret": found})
        assert desired.plan("project-a", {"pull-secret": found}).changes != ()


class TestNodesSecret:
    FILE = {"auths": {"https://quay.io": entry("old"), "mine.io": entry()}}

    def plan(self, observed: dict[str, Any] | None, **given: Any) -> Plan:
        objects = {} if observed is None else {"pull-secret": observed}
        return declared(name="pull-secret", **given).plan("openshift-config", objects)

    def test_another_spelling_of_a_platforms_entry_may_replace_it(self) -> None:
        (change,) = self.plan(secret(self.FILE), mode="merge").changes
        assert change.details == {"registries": registries(added=["quay.io"], removed=["https://quay.io"])}

    def test_an_entry_that_is_not_the_platforms_may_be_removed(self) -> None:
        (change,) = self.plan(secret(self.FILE), mode="remove", registries=[{"registry": "mine.io"}]).changes
        assert change.details == {"registries": registries(removed=["mine.io"])}

    @pytest.mark.parametrize(
        ("given", "why"),
        [
            ({"mode": "remove"}, "needs its entries for https://quay.io. It was not changed"),
            ({"registries": [registry(key="mine.io")]}, "needs its entries for https://quay.io. It was not changed"),
            ({"type": DOCKERCFG, "recreate": True}, "must not be deleted, not even for a moment"),
            ({"state": "absent", "registries": None}, "must not be deleted, not even for a moment"),
        ],
    )
    def test_the_entries_that_the_nodes_need_stay(self, given: dict[str, Any], why: str) -> None:
        with pytest.raises(
            Refusal, match=f"^secret openshift-config/pull-secret is the pull secret of every node.* {why}"
        ):
            self.plan(secret(self.FILE), **given)

    def test_a_missing_secret_is_not_created_with_some_entries(self) -> None:
        with pytest.raises(
            Refusal, match="a new one would lack the entries that the platform needs. It was not created"
        ):
            self.plan(None, mode="merge")
        assert [change.action for change in self.plan(None).changes] == ["create"]
        assert self.plan(None, mode="remove").changes == ()
        other = declared(name="pull", mode="merge", drop_platform_registries=[])
        with pytest.raises(Refusal, match="^secret clusters/pull is the pull secret of every node. It does not exist"):
            other.plan("clusters", {})

    @pytest.mark.parametrize("given", [{"mode": "remove"}, {"registries": [registry(key="mine.io")]}])
    def test_an_entry_of_the_platform_is_removed_only_if_it_is_named(self, given: dict[str, Any]) -> None:
        (change,) = self.plan(secret(self.FILE), drop_platform_registries=["quay.io"], **given).changes
        assert "https://quay.io" in change.details["registries"]["removed"]
        with pytest.raises(Refusal, match="needs its entries"):
            self.plan(secret(self.FILE), drop_platform_registries=["registry.redhat.io"], **given)

    @pytest.mark.parametrize(
        ("observed", "given", "why"),
        [
            (secret(FILE), {"mode": "remove"}, "needs its entries for https://quay.io"),
            (secret(FILE), {"state": "absent", "registries": None}, "must not be deleted"),
            (BROKEN_DATA, {}, "it is not known which entries 'mode: replace' would remove"),
        ],
    )
    def test_another_secret_is_guarded_if_platform_registries_are_named(
        self, observed: Any, given: dict[str, Any], why: str
    ) -> None:
        """The secret is protected like the pull secret of a hosted cluster, whatever its name is."""
        with pytest.raises(Refusal, match=why):
            declared(drop_platform_registries=[], **given).plan("clusters", {"quay": observed})
        assert declared(**given).plan("clusters", {"quay": observed}).changes

    def test_an_immutable_secret_of_the_nodes_is_not_recreated(self) -> None:
        with pytest.raises(Refusal, match="must not be deleted"):
            self.plan(secret(self.FILE, immutable=True), mode="merge", recreate=True)

    @pytest.mark.parametrize(("observed", "why"), [pair for pair in UNREADABLE if pair[0]["type"] == DOCKERCONFIGJSON])
    def test_unreadable_content_of_the_nodes_secret_is_not_replaced(self, observed: dict[str, Any], why: str) -> None:
        assert (
            f"and its content {why}, so it is not known which entries 'mode: replace' would remove. It was not changed"
            in raised(Refusal, lambda: self.plan(observed))
        )

    def test_a_missing_secret_of_the_nodes_is_created_with_its_type_alone(self) -> None:
        assert [change.action for change in self.plan(None).changes] == ["create"]
        with pytest.raises(Refusal, match=f"must have type {DOCKERCONFIGJSON}"):
            self.plan(None, type=DOCKERCFG)


class TestMerge:
    def test_an_entry_that_is_already_there_is_not_changed(self) -> None:
        observed = secret(
            {"auths": {"quay.io": {"username": "robot", "password": "canary", "email": "e"}, "a.io": entry()}}
        )
        assert declared(mode="merge").plan("project-a", {"quay": observed}) == Plan()

    def test_merge_adds_an_entry_to_empty_content(self) -> None:
        for observed in (NO_DATA, secret("null"), secret("{}"), secret({"auths": None})):
            change = only_change(observed, mode="merge")
            assert change.details == {"registries": registries(added=["quay.io"])}

    def test_a_missing_secret_is_created(self) -> None:
        (change,) = declared(mode="merge").plan("project-a", {}).changes
        assert (change.action, change.details) == ("create", {"registries": registries(added=["quay.io"])})
        assert change.before == {}
        assert change.after == {"type": DOCKERCONFIGJSON, "registries": {"quay.io": "credential"}}

    def test_a_foreign_entry_that_no_node_can_use_is_reported_with_a_change(self) -> None:
        observed = secret({"auths": {"a.io": {}, "b.io": {"identitytoken": "canary"}, "quay.io": {}}})
        tell = "secret project-a/quay has an entry for {} that no node can use: give it a login, or remove it with 'mode: remove'"
        assert declared(mode="merge").plan("project-a", {"quay": observed}).notes == (
            tell.format("a.io"),
            tell.format("b.io"),
        )
        settled = secret({"auths": {"a.io": {}, "quay.io": entry()}})
        assert declared(mode="merge").plan("project-a", {"quay": settled}) == Plan()

    @pytest.mark.parametrize(
        ("key", "shown"),
        [("robot:canary@a.io", "***@a.io"), ("https://a.io/team?token=canary", "https://a.io/team?***")],
    )
    def test_a_credential_in_a_stored_key_is_not_shown(self, key: str, shown: str) -> None:
        observed = {"quay": secret({"auths": {key: entry()}})}
        (added,) = declared(mode="merge").plan("project-a", observed).changes
        assert added.after["registries"] == {shown: "credential", "quay.io": "credential"}
        (deleted,) = declared(state="absent").plan("project-a", observed).changes
        assert deleted.details == {"registries": registries(removed=[shown])}
        assert deleted.before["registries"] == {shown: "credential"}
        (removed,) = declared(mode="replace").plan("project-a", observed).changes
        assert removed.details == {"registries": registries(added=["quay.io"], removed=[shown])}


class TestRemove:
    def remove(self, observed: dict[str, Any], *names: str, **given: Any) -> Plan:
        listed = [{"registry": name} for name in names or ("quay.io",)]
        return declared(mode="remove", registries=listed, **given).plan("project-a", {"quay": observed})

    def test_each_spelling_and_each_duplicate_is_removed(self) -> None:
        text = '{"auths": {"https://quay.io/": {}, "quay.io": {}, "a.io":{} , "quay.io": {"auth": "%%"}}}'
        (change,) = self.remove(secret(text)).changes
        assert content_of(change) == b'{"auths": {"a.io":{}}}'
        assert change.details == {"registries": registries(removed=["https://quay.io/", "quay.io"])}

    def test_an_entry_that_is_not_there_is_not_a_change(self) -> None:
        for observed in (SAME, NO_DATA, secret("{}"), secret("null")):
            assert self.remove(observed, "other.io") == Plan()
        assert declared(mode="remove").plan("project-a", {}) == Plan()

    def test_the_type_is_kept(self) -> None:
        (change,) = self.remove(secret({"quay.io": entry(), "a.io": entry()}, DOCKERCFG)).changes
        assert json.loads(content_of(change, ".dockercfg")) == {"a.io": entry()}
        assert change.before["type"] == change.after["type"] == DOCKERCFG

    def test_an_emptied_secret_is_reported(self) -> None:
        plan = self.remove(SAME)
        assert content_of(plan.changes[0]) == b'{"auths": {}}'
        assert plan.notes == ("secret project-a/quay no longer contains a registry: delete it with 'state: absent'",)
        assert self.remove(secret({"auths": {}})) == Plan()


class TestDeleteEmpty:
    def plan(self, observed: dict[str, Any] | None, namespace: str = "project-a", **given: Any) -> Plan:
        objects = {} if observed is None else {"quay": observed}
        return declared(mode="remove", delete_empty=True, **given).plan(namespace, objects)

    def empty(self, **more: Any) -> dict[str, Any]:
        return {**secret({"auths": {}}), "metadata": OURS["metadata"], **more}

    def test_our_secret_is_deleted_when_no_registry_is_left(self) -> None:
        plan = self.plan(OURS)
        (change,) = plan.changes
        assert (change.action, change.body["preconditions"]) == ("delete", {"uid": "u", "resourceVersion": "7"})
        assert change.details == {"registries": registries(removed=["quay.io"])}
        assert change.before == {"type": DOCKERCONFIGJSON, "registries": {"quay.io": "credential"}}
        assert (change.after, plan.notes, plan.extra) == ({}, (), {"exists": False})

    def test_a_missing_secret_is_reported_as_not_existing(self) -> None:
        assert self.plan(None) == Plan(extra={"exists": False})

    def test_a_missing_secret_is_reported_only_on_request(self) -> None:
        assert declared(mode="remove").plan("project-a", {}) == Plan()
        assert (
            declared(state="absent", registries=None, only_managed=True).plan("project-a", {"quay": OURS}).extra == {}
        )

    @pytest.mark.parametrize("text", ["{}", "null", '{"auths": null}', '{"auths": {}}'])
    def test_our_secret_that_a_killed_run_left_empty_is_deleted(self, text: str) -> None:
        (change,) = self.plan({**secret(text), "metadata": OURS["metadata"]}).changes
        assert (change.action, change.details) == ("delete", {"registries": registries()})

    def test_an_immutable_secret_is_deleted_too(self) -> None:
        (change,) = self.plan({**OURS, "immutable": True}).changes
        assert change.action == "delete"

    def test_foreign_secrets_stay_empty(self) -> None:
        plan = self.plan(SAME)
        assert [change.action for change in plan.changes] == ["update"]
        assert plan.notes == ("secret project-a/quay no longer contains a registry: delete it with 'state: absent'",)
        assert self.plan(secret({"auths": {}})) == Plan()

    def test_our_secret_stays_while_it_holds_anything(self) -> None:
        more = {**secret({"auths": {"quay.io": entry(), "a.io": {}}}), "metadata": OURS["metadata"]}
        assert [change.action for change in self.plan(more).changes] == ["update"]
        noted = {**OURS, "data": {**OURS["data"], "note": "eA=="}}
        assert [change.action for change in self.plan(noted).changes] == ["update"]
        assert self.plan(self.empty(data={**self.empty()["data"], "note": "eA=="})) == Plan()

    def test_an_empty_secret_is_deleted_only_on_request(self) -> None:
        (change,) = declared(mode="remove").plan("project-a", {"quay": OURS}).changes
        assert change.action == "update"
        assert declared(mode="remove").plan("project-a", {"quay": self.empty()}) == Plan()

    def test_unreadable_content_is_refused(self) -> None:
        assert raised(Refusal, lambda: self.plan({**DOUBLED, "metadata": OURS["metadata"]})) == cannot_be_edited(
            "is not an auth file: it has 'auths' twice"
        )


class TestAdditional:
    """The platform merges the additional pull secret of a hosted cluster, whatever its type, and keeps the logins if it is empty."""

    NAME, NAMESPACE = "additional-pull-secret", "kube-system"

    def planned(self, observed: Any, **given: Any) -> Plan:
        objects = {} if observed is None else {self.NAME: observed}
        return Batch.of_one(declared(name=self.NAME, **given), [self.NAMESPACE]).plan(self.NAMESPACE, objects)

    def refused(self, observed: Any, **given: Any) -> str:
        return raised(Refusal, lambda: self.planned(observed, **given))

    @staticmethod
    def opaque(content: Any) -> dict[str, Any]:
        return {**secret(content), "type": "Opaque"}

    def test_an_additional_secret_of_another_type_is_edited_in_place(self) -> None:
        (change,) = self.planned(self.opaque({"auths": {"a.io": entry()}}), mode="merge").changes
        assert (change.action, [*change.body]) == ("update", ["metadata", "data"])
        assert self.planned(self.opaque(FILE), mode="merge").changes == ()
        assert [each.action for each in self.planned(self.opaque(FILE), state="absent", registries=None).changes] == [
            "delete"
        ]

    def test_another_secret_of_that_type_stays_foreign(self) -> None:
        with pytest.raises(Refusal, match="has type Opaque, from which no node reads one"):
            declared(mode="merge").plan(self.NAMESPACE, {"quay": self.opaque(FILE)})

    def test_an_empty_additional_secret_is_deleted_whoever_made_it(self) -> None:
        remove = {"mode": "remove", "registries": [{"registry": "quay.io"}]}
        for content in (FILE, {"auths": {}}):
            (change,) = self.planned(secret(content), **remove, delete_empty=True).changes
            assert change.action == "delete"
        kept = {**secret(FILE), "data": {**secret(FILE)["data"], "other": "eA=="}}
        for observed, delete_empty in ((secret(FILE), False), (kept, True)):
            said = self.refused(observed, **remove, delete_empty=delete_empty)
            assert "because it has no entry. Delete it: module pull_secret, 'state: absent'" in said

    def test_content_that_the_platform_does_not_merge_is_refused_and_replaced(self) -> None:
        for observed, why in (
            (secret({"auths": {"a.io": "x"}}), "the entry for 'a.io' is a string, not an object"),
            (secret({"AUTHS": {}}), "its entries are under 'AUTHS', not under 'auths'"),
            (secret({**FILE, "HttpHeaders": {"a": 1}}), "'HttpHeaders' has a value that is a number, not a string"),
            (self.opaque('{"auths": {"a.io": {"n": 1e999}}}'), "it has a number that is too large"),
        ):
            said = self.refused(observed, mode="merge", registries=[registry(key="b.io")])
            assert f"because {why}. This problem existed before this task. " in said
            (change,) = self.planned(observed, mode="replace").changes
            assert change.action == "update"
        broken = secret({"auths": {"quay.io": "x"}})
        assert [change.action for change in self.planned(broken, mode="merge").changes] == ["update"]

    def test_a_new_secret_of_a_type_without_the_data_key_is_refused(self) -> None:
        assert "it has no data key .dockerconfigjson" in self.refused(None, type=DOCKERCFG)
        assert len(self.planned(None, mode="merge").changes) == 1

    def test_a_plan_without_changes_reports_content_that_is_not_merged(self) -> None:
        broken = secret({**FILE, "HttpHeaders": {"a": 1}})
        plan = self.planned(broken, mode="merge")
        assert plan.changes == ()
        (note,) = plan.notes
        assert note.startswith(
            "the platform does not merge secret kube-system/additional-pull-secret, and the nodes keep"
        )


class TestOnlyManaged:
    KEPT = (
        "secret project-a/quay does not carry the label of this collection, so it was kept ('only_managed: true'). To remove it as well, "
        "run first: kubectl label secret quay -n project-a --overwrite app.kubernetes.io/managed-by=openshift_ops.image_pull"
    )

    def plan(self, observed: dict[str, Any] | None) -> Plan:
        objects = {} if observed is None else {"quay": observed}
        return declared(state="absent", registries=None, only_managed=True).plan("project-a", objects)

    def test_our_secret_is_deleted(self) -> None:
        assert [change.action for change in self.plan(OURS).changes] == ["delete"]
        assert self.plan(None) == Plan()

    @pytest.mark.parametrize(
        "observed",
        [
            SAME,
            FOREIGN,
            PLATFORM,
            BROKEN_DATA,
            {**SAME, "metadata": {**SAME["metadata"], "labels": {"app.kubernetes.io/managed-by": "helm"}}},
        ],
    )
    def test_any_other_secret_is_kept_and_reported(self, observed: dict[str, Any]) -> None:
        assert self.plan(observed) == Plan(notes=(self.KEPT,), extra={"kept": True})

    def test_our_secret_must_still_be_a_pull_secret(self) -> None:
        assert raised(Refusal, lambda: self.plan({**FOREIGN, "metadata": OURS["metadata"]})) == NO_PULL_SECRET


class TestRecreate:
    META = {"labels": {"team": "a", "mine": "old"}, "annotations": {"note": "b"}, "ownerReferences": [{"kind": "X"}]}

    def observed(self, kind: str = DOCKERCFG, **more: Any) -> dict[str, Any]:
        content = {"quay.io": entry()} if kind == DOCKERCFG else {"auths": {"quay.io": entry()}}
        found = secret(content, kind, **more)
        return {**found, "metadata": {**found["metadata"], **self.META}}

    @pytest.mark.parametrize("mode", ["replace", "merge"])
    def test_equal_content_of_another_type_is_converted(self, mode: str) -> None:
        change = only_change(self.observed(), mode=mode, recreate=True)
        assert change.action == "replace"
        assert change.details == {
            "registries": registries(), "type": {"before": DOCKERCFG, "after": DOCKERCONFIGJSON},
        }  # fmt: skip
        assert (change.body["type"], list(change.body["data"])) == (DOCKERCONFIGJSON, [".dockerconfigjson"])
        assert json.loads(content_of(change))["auths"]["quay.io"]["auth"] == entry()["auth"]
        assert change.before == {"type": DOCKERCFG, "registries": {"quay.io": "credential"}}
        assert change.after == {"type": DOCKERCONFIGJSON, "registries": {"quay.io": "credential"}}

    def test_the_new_type_is_converted_back_to_the_legacy_type(self) -> None:
        change = only_change(self.observed(DOCKERCONFIGJSON), mode="merge", type=DOCKERCFG, recreate=True)
        assert content_of(change, ".dockercfg") == json.dumps({"quay.io": entry()}).encode()

    def test_foreign_labels_annotations_and_owners_are_kept(self) -> None:
        change = only_change(self.observed(), recreate=True, labels={"mine": "new"}, annotations={"c": "d"})
        meta = change.body["metadata"]
        assert meta["labels"] == {**MANAGED_BY, "team": "a", "mine": "new"}
        assert meta["annotations"] == {"note": "b", "c": "d"}
        assert meta["ownerReferences"] == [{"kind": "X"}]
        assert (change.details["labels"], change.details["annotations"]) == (["mine"], ["c"])

    def test_immutability_and_other_data_are_kept(self) -> None:
        observed = self.observed(DOCKERCONFIGJSON, immutable=True)
        observed["data"]["note"] = "eA=="
        change = only_change(observed, registries=[registry("new")], recreate=True)
        assert (change.action, change.body["immutable"], change.body["data"]["note"]) == ("replace", True, "eA==")
        assert "immutable" not in only_change(self.observed(), recreate=True).body
        assert only_change(observed, immutable=False, recreate=True).body["immutable"] is False

    def test_an_immutable_secret_with_the_same_content_keeps_its_bytes(self) -> None:
        observed = self.observed(DOCKERCONFIGJSON, immutable=True)
        change = only_change(observed, immutable=False, recreate=True)
        assert change.body["data"] == observed["data"]
        assert change.details == {"registries": registries(), "immutable": False}
        assert (change.before["immutable"], change.after["immutable"]) == (True, False)

    def test_a_merge_keeps_the_type_of_a_secret_that_nodes_read(self) -> None:
        change = only_change(self.observed(), mode="merge", registries=[registry("new")])
        assert (change.action, change.details.get("type")) == ("update", None)
        assert json.loads(content_of(change, ".dockercfg"))["quay.io"]["auth"] == b64("robot:new")

    def test_a_refusal_without_recreate_reports_the_fix(self) -> None:
        assert refusal(self.observed()) == OTHER_TYPE
        assert refusal(self.observed(DOCKERCONFIGJSON, immutable=True), registries=[registry("new")]) == IMMUTABLE
        assert refusal(self.observed(DOCKERCONFIGJSON, immutable=True), immutable=False) == IMMUTABLE

    def test_the_content_is_checked_before_the_conversion(self) -> None:
        wrong = {**secret(FILE, "Opaque"), "data": {"config.json": b64(json.dumps(FILE))}}
        assert "convert it with 'recreate: true'" in refusal(wrong)
        assert refusal(wrong, mode="remove", recreate=True) == refusal(wrong)
        for mode in ("merge", "replace"):
            assert only_change(wrong, mode=mode, recreate=True).details["type"]["before"] == "Opaque"

    def test_a_secret_with_too_much_other_data_is_refused(self) -> None:
        observed = self.observed(DOCKERCONFIGJSON)
        observed["data"]["note"] = base64.b64encode(b"x" * 1_048_570).decode()
        with pytest.raises(
            OptionError, match=r"^the data of secret project-a/quay has \d+ bytes, but a secret holds at most 1048576"
        ):
            declared(registries=[registry("new")]).plan("project-a", {"quay": observed})

    REF = ObjectRef(SECRET, "project-a", "quay")

    def with_copy(self, observed: dict[str, Any] | None = None, kind: str = "", **given: Any) -> Plan:
        """Plan after a run was killed while it replaced the secret."""
        old = self.observed(immutable=True)
        old["data"]["note"] = "eA=="
        copy = store_copy(replace(self.REF, old, {}, {}, before={}, after={})).body
        copy = {**copy, "metadata": {**copy["metadata"], "resourceVersion": "7"}, "type": kind or copy["type"]}
        found = {"quay": observed} if observed else {}
        return declared(recreate=True, **given).plan("project-a", found, {copy_ref(self.REF): copy})

    @pytest.mark.parametrize(("mode", "kind"), [("merge", ""), ("merge", DOCKERCFG), ("replace", ""), ("remove", "")])
    def test_it_is_created_as_the_killed_run_would_have_done(self, mode: str, kind: str) -> None:
        new = {"registries": [{"registry": "new.io"} if mode == "remove" else registry(key="new.io")], "mode": mode}
        made, deleted = self.with_copy(**new, **({"type": kind} if kind else {})).changes
        key = f".{(kind or (DOCKERCFG if mode == 'remove' else DOCKERCONFIGJSON)).partition('/')[2]}"
        content = json.loads(content_of(made, key))
        assert [*content.get("auths", content)] == [
            *["quay.io"] * (mode != "replace"),
            *["new.io"] * (mode != "remove"),
        ]
        assert (made.action, made.body["data"]["note"], made.body["immutable"]) == ("create", "eA==", True)
        assert made.body["metadata"]["labels"] == {**MANAGED_BY, **self.META["labels"]}
        assert "resourceVersion" not in made.body["metadata"]
        assert (deleted.action, deleted.ref, deleted.body["preconditions"]) == (
            "delete", copy_ref(self.REF), {"resourceVersion": "7"},
        )  # fmt: skip

    def test_a_secret_that_exists_needs_no_copy(self) -> None:
        (deleted,) = self.with_copy(SAME).changes
        assert (deleted.action, deleted.ref) == ("delete", copy_ref(self.REF))

    def test_neither_does_one_that_must_not_exist(self) -> None:
        (deleted,) = self.with_copy(state="absent", registries=None).changes
        assert (deleted.action, deleted.ref) == ("delete", copy_ref(self.REF))

    def test_another_secret_of_that_name_is_not_touched(self) -> None:
        (made,) = self.with_copy(kind=DOCKERCFG).changes
        assert (made.action, [*made.body["data"]]) == ("create", [".dockerconfigjson"])


class TestPodman:
    """A stored secret of Podman's type has no fixed data key. The collection reads, edits and converts it, but does not create one."""

    FILE = b64(json.dumps({"auths": {"quay.io": entry("old"), "b.io": entry()}}))

    def secret(self, **data: str) -> dict[str, Any]:
        return {**secret({}, PODMANCONFIGJSON), "data": {name.replace("_", "."): value for name, value in data.items()}}

    @pytest.mark.parametrize("others", [{}, {"a": "eA=="}], ids=str)
    def test_remove_edits_the_only_auth_file(self, others: dict[str, str]) -> None:
        change = only_change(self.secret(my_json=self.FILE, **others), mode="remove")
        assert (change.action, list(change.body["data"])) == ("update", ["my.json"])
        assert change.details == {"registries": registries(removed=["quay.io"])}

    def test_remove_does_not_parse_the_file_as_the_kubelet(self) -> None:
        file = {"auths": {"quay.io": entry(), "b.io": entry()}, "HttpHeaders": []}
        plan = declared(mode="remove").plan("project-a", {"quay": secret(file, PODMANCONFIGJSON)})
        assert ([change.action for change in plan.changes], plan.notes) == (["update"], ())

    @pytest.mark.parametrize("mode", ["replace", "merge"])
    def test_the_type_is_converted_only_on_request(self, mode: str) -> None:
        observed = self.secret(my_json=self.FILE)
        assert refusal(observed, mode=mode) == OTHER_TYPE.replace(DOCKERCFG, PODMANCONFIGJSON)
        change = only_change(observed, mode=mode, recreate=True)
        assert (change.action, change.body["type"]) == ("replace", DOCKERCONFIGJSON)

    def test_no_data_key_is_guessed_among_several(self) -> None:
        several = self.secret(a=self.FILE, b=self.FILE)
        for mode in ("merge", "remove"):
            assert refusal(several, mode=mode, recreate=True) == cannot_be_edited(
                "is not in one data key: the secret has a, b"
            )

    def test_a_conversion_keeps_the_other_data(self) -> None:
        change = only_change(self.secret(a="eA==", my_json=self.FILE), mode="merge", recreate=True)
        assert (change.action, sorted(change.body["data"])) == ("replace", [".dockerconfigjson", "a"])


class TestMetadata:
    def test_the_missing_metadata_alone_is_written(self) -> None:
        observed = {**SAME, "metadata": {**SAME["metadata"], "labels": {"a": "1", "b": "old"}}}
        change = only_change(observed, labels={"b": "new", "a": "1"}, annotations={"d": "2", "c": "1"}, immutable=True)
        assert change.body == {
            "metadata": {"labels": {"b": "new"}, "annotations": {"d": "2", "c": "1"}, "resourceVersion": "7"},
            "immutable": True,
        }
        assert change.details == {
            "registries": registries(), "labels": ["b"], "annotations": ["c", "d"], "immutable": True,
        }  # fmt: skip
        parts = {"labels": {"b": "not as requested"}, "annotations": {"c": "not as requested", "d": "not as requested"}}
        assert change.before == {
            "type": DOCKERCONFIGJSON,
            "registries": {"quay.io": "credential"},
            **parts,
            "immutable": False,
        }
        after = {"labels": {"b": "as requested"}, "annotations": {"c": "as requested", "d": "as requested"}}
        assert change.after == {
            "type": DOCKERCONFIGJSON,
            "registries": {"quay.io": "credential"},
            **after,
            "immutable": True,
        }

    def test_an_immutable_secret_gets_missing_metadata_too(self) -> None:
        change = only_change({**SAME, "immutable": True}, labels={"a": "b"})
        assert (change.action, "data" in change.body) == ("update", False)

    def test_metadata_is_written_together_with_content(self) -> None:
        change = only_change(secret({}), labels={"a": "b"})
        assert set(change.body) == {"metadata", "data"}

    def test_a_new_secret_has_the_given_metadata(self) -> None:
        (change,) = declared(labels={"a": "b"}, annotations={"c": "d"}, immutable=True).plan("project-a", {}).changes
        assert change.body["metadata"]["labels"] == {**MANAGED_BY, "a": "b"}
        assert change.body["metadata"]["annotations"] == {"c": "d"}
        assert change.body["immutable"] is True


ODD = st.fixed_dictionaries(
    {"metadata": ANYTHING | st.fixed_dictionaries(dict.fromkeys(("resourceVersion", "labels", "annotations", "ownerReferences"), ANYTHING))},
    optional={
        "type": st.sampled_from([*KEYS]) | ANYTHING,
        "data": ANYTHING | st.dictionaries(st.sampled_from([*KEYS.values(), "x"]), ANYTHING | st.sampled_from(["e30=", b64('{"auths": {}}')])),
        "immutable": ANYTHING,
    },
)  # fmt: skip
HOW = st.sampled_from(
    [
        {},
        {"mode": "merge", "recreate": True, "labels": {"a": "b"}},
        {"mode": "remove", "delete_empty": True},
        {"state": "absent", "only_managed": True},
        {"type": DOCKERCFG, "recreate": True},
    ]
)


class TestShape:
    @given(ODD, HOW)
    def test_arbitrary_content_is_planned_or_refused(self, observed: Any, how: dict[str, Any]) -> None:
        try:
            plan = declared(**how).plan("project-a", {"quay": observed})
        except Refusal as error:
            assert "project-a/quay" in str(error)
        else:
            json.dumps([change.body for change in plan.changes])

    def test_a_plan_reads_one_secret_and_nothing_else(self) -> None:
        found = declared()
        assert (found.kind, found.names("project-a"), found.related("project-a", {})) == (SECRET, ("quay",), ())
        assert found.listed_by == {SECRET: ("type=kubernetes.io/dockerconfigjson",)}

    def test_a_missing_secret_alone_is_created_with_update_existing_false(self) -> None:
        found = declared(update_existing=False)
        assert found.plan("project-a", {"quay": secret({})}) == Plan()
        assert [change.action for change in found.plan("project-a", {}).changes] == ["create"]
        assert found.plan("project-a", {"other": SAME}).changes != ()


class TestWarnings:
    def test_keys_that_readers_interpret_differently_give_a_warning(self) -> None:
        (warning,) = declared(registries=[registry(key="quay.io/")]).warnings
        assert warning.startswith("registry 'quay.io/': the kubelet uses it")

    @pytest.mark.parametrize("given", [{}, {"type": DOCKERCFG}])
    def test_an_ordinary_secret_gives_no_warning(self, given: Any) -> None:
        assert declared(**given).warnings == []


def with_labels(observed: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    return {**observed, "metadata": {**observed["metadata"], "labels": labels}}


def owned(owner: str, observed: dict[str, Any] | None = None) -> dict[str, Any]:
    return with_labels(SAME if observed is None else observed, {**MANAGED_BY, INSTANCE: owner})


class TestOwner:
    DIFFERENT = secret({"auths": {"quay.io": entry("old")}})

    def plan(self, observed: Any, **given: Any) -> Any:
        objects = {} if observed is None else {"quay": observed}
        return declared(**{"owner": "a", **given}).plan("project-a", objects)

    def test_a_new_secret_carries_the_owner(self) -> None:
        (change,) = self.plan(None, labels={"team": "x"}).changes
        assert change.body["metadata"]["labels"] == {**MANAGED_BY, INSTANCE: "a", "team": "x"}

    def test_a_recreated_secret_carries_the_owner(self) -> None:
        (change,) = self.plan(secret({"quay.io": entry()}, DOCKERCFG), recreate=True).changes
        assert (change.action, change.body["metadata"]["labels"]) == ("replace", {**MANAGED_BY, INSTANCE: "a"})

    @pytest.mark.parametrize(
        "given", [{}, {"mode": "merge"}, {"update_existing": False}, {"state": "absent"}, {"mode": "remove"}]
    )
    @pytest.mark.parametrize("observed", [SAME, DIFFERENT])
    def test_a_secret_of_another_owner_is_refused(self, observed: Any, given: Any) -> None:
        with pytest.raises(Refusal, match="belongs to owner b and not to a"):
            self.plan(owned("b", observed), **given)

    @pytest.mark.parametrize("given", [{"state": "absent"}, {"mode": "remove"}], ids=str)
    def test_adopt_does_not_allow_a_removal_from_another_owner(self, given: Any) -> None:
        with pytest.raises(Refusal, match="Leave it to that owner$"):
            self.plan(owned("b"), adopt=True, **given)

    def test_the_option_only_managed_keeps_the_secret_of_another_owner(self) -> None:
        plan = self.plan(owned("b"), state="absent", only_managed=True)
        assert plan.changes == ()
        assert plan.notes == ("secret project-a/quay belongs to owner b, so it was kept ('only_managed: true')",)
        for observed in (owned("a"), OURS):
            assert [change.action for change in self.plan(observed, state="absent", only_managed=True).changes] == [
                "delete"
            ]

    @pytest.mark.parametrize("labels", [{}, MANAGED_BY, {INSTANCE: "b"}, {**MANAGED_BY, INSTANCE: "a"}])
    def test_any_other_secret_is_changed_and_not_labelled(self, labels: Any) -> None:
        assert self.plan(with_labels(SAME, labels)).changes == ()
        (change,) = self.plan(with_labels(self.DIFFERENT, labels)).changes
        assert change.body["metadata"] == {"resourceVersion": "7"}

    @pytest.mark.parametrize("labels", [{}, MANAGED_BY, {INSTANCE: "b"}, {**MANAGED_BY, INSTANCE: "b"}])
    def test_an_adopted_secret_gets_both_labels_once(self, labels: Any) -> None:
        (change,) = self.plan(with_labels(SAME, labels), adopt=True).changes
        after = {**labels, **change.body["metadata"]["labels"]}
        assert after == {**MANAGED_BY, INSTANCE: "a"}
        assert "data" not in change.body
        assert change.details["labels"] == sorted(change.body["metadata"]["labels"])
        assert self.plan(with_labels(SAME, after), adopt=True).changes == ()

    @pytest.mark.parametrize(
        "given", [{"update_existing": False}, {"mode": "remove", "registries": [{"registry": "x.io"}]}]
    )
    def test_a_secret_that_is_not_changed_is_not_adopted(self, given: Any) -> None:
        assert self.plan(SAME, adopt=True, **given).changes == ()

    def test_the_nodes_pull_secret_is_not_adopted(self) -> None:
        desired = declared(owner="a", adopt=True, name="pull-secret", mode="merge")
        assert desired.plan("openshift-config", {"pull-secret": SAME}).changes == ()

    def test_a_task_without_an_owner_ignores_the_owner(self) -> None:
        (change,) = declared(state="absent").plan("project-a", {"quay": owned("b")}).changes
        assert change.action == "delete"
        assert declared().plan("project-a", {"quay": owned("b")}).changes == ()
