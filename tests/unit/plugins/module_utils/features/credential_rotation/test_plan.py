# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret gets the new login in place. An immutable secret gets a second secret with the new login."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    INSTANCE,
    MANAGED_BY,
    Change,
    Entry,
    Plan,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import (
    Batch,
    Declaration,
    object_after,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.editing import (
    LoginReplacement,
    UserPassword,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.confirmation import (
    ConfirmedEntry,
    ConfirmedSecrets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.options import (
    Rotation,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.plan import (
    EXCLUDED,
    ROTATED_FROM,
    CredentialRotation,
    account_list_ref,
)
from hypothesis import given
from support.anything import ANYTHING, CHANGES, Changed
from support.objects import b64

OLD, NEW = UserPassword("robot", "Canary-old-password"), UserPassword("robot2", "Canary-new-password")
EXCHANGE = LoginReplacement(("quay.io",), OLD, NEW)


def confirmed(*names: str, exchange: LoginReplacement = EXCHANGE, uid: str = "", **more: Any) -> Rotation:
    """Return a rotation of these secrets of namespace a."""
    return Rotation(
        exchange, confirmed=ConfirmedSecrets.of((ConfirmedEntry(name, (), uid), ["a"]) for name in names), **more
    )


#: The secrets of this file, except the second secret of an immutable one, which no entry declares.
ROTATION = confirmed("quay", "one", "two", "three", "four")
PULL = "kubernetes.io/dockerconfigjson"


def auth(login: UserPassword) -> str:
    return b64(f"{login.username}:{login.password}")


def entry(login: UserPassword = OLD, **more: Any) -> dict[str, Any]:
    return {"auth": auth(login), **more}


def secret(name: str = "quay", auths: Any = None, **parts: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "a", "resourceVersion": "7", "uid": "u", **parts.pop("metadata", {})}
    data = {".dockerconfigjson": b64({"auths": {"quay.io": entry()} if auths is None else auths})}
    return {"metadata": meta, "type": PULL, "data": data, **parts}


def account(name: str, *secrets: str, **parts: Any) -> dict[str, Any]:
    entries = [{"name": each} for each in secrets]
    return {"metadata": {"name": name, "resourceVersion": "3"}, "imagePullSecrets": entries, **parts}


def planned(
    *secrets: dict[str, Any], accounts: Sequence[Any] | None = None, name: str = "quay", rotation: Rotation = ROTATION
) -> Plan:
    objects = {each["metadata"]["name"]: each for each in secrets}
    found = {} if accounts is None else {account_list_ref("a"): {"items": list(accounts)}}
    plan = CredentialRotation(rotation, name).plan("a", objects, found)
    shown = json.dumps([[change.details, change.before, change.after] for change in plan.changes] + list(plan.notes))
    assert "anary" not in shown
    assert "robot" not in shown
    assert auth(OLD)[8:] not in shown
    assert auth(NEW)[8:] not in shown
    return plan


def refused(*secrets: dict[str, Any], **more: Any) -> str:
    with pytest.raises(Refusal) as error:
        planned(*secrets, **more)
    assert "anary" not in str(error.value)
    return str(error.value)


def writes(plan: Plan) -> list[tuple[str, str, str]]:
    return [(change.action, change.ref.kind.kind, change.ref.name) for change in plan.changes]


def content(change: Change, key: str = ".dockerconfigjson") -> Any:
    return json.loads(base64.b64decode(change.body["data"][key]))


class TestInPlace:
    def test_an_update_writes_only_the_login_and_is_bound_to_the_version_read(self) -> None:
        obj = secret(auths={"quay.io": entry(email="a@example.com"), "b.io": entry()}, extra={"kept": 1})
        obj["data"]["other"] = "eA=="
        plan = planned(obj)
        (change,) = plan.changes
        assert change.action == "update"
        assert change.ref == ObjectRef(SECRET, "a", "quay")
        assert change.body["metadata"] == {"resourceVersion": "7"}
        assert {*change.body} == {"metadata", "data"}
        assert {*change.body["data"]} == {".dockerconfigjson"}
        assert content(change) == {"auths": {"quay.io": entry(NEW, email="a@example.com"), "b.io": entry()}}
        assert change.report() == {
            "action": "update",
            "kind": "Secret",
            "name": "quay",
            "registries": {"added": [], "changed": {"quay.io": ["password", "username"]}, "removed": []},
        }
        assert change.before == {"type": PULL, "registries": {"quay.io": "credential", "b.io": "credential"} | {}}
        assert change.after == {
            "type": PULL,
            "registries": {"b.io": "credential", "quay.io": "credential with changed password, username"},
        }
        assert plan.notes == ()

    def test_a_second_plan_changes_nothing(self) -> None:
        obj = secret()
        (change,) = planned(obj).changes
        assert planned(dict(object_after(change, obj) or {})) == Plan()

    @pytest.mark.parametrize(
        "obj",
        [
            secret(auths={"quay.io": entry(NEW)}),
            secret(auths={"b.io": entry()}),
            secret(metadata={"labels": {"reconcile.external-secrets.io/managed": "true"}}),
            secret("other"),
        ],
    )
    def test_a_secret_without_work_gives_an_empty_plan(self, obj: dict[str, Any]) -> None:
        assert planned(obj) == Plan()
        assert planned() == Plan(), "it is gone by now"

    def test_every_changed_entry_is_reported_even_if_no_node_uses_it(self) -> None:
        auths = {"robot:x@quay.io": entry(), "quay.io/b": entry(), "https://quay.io/a?token=canary": entry()}
        (change,) = planned(secret(auths=auths)).changes
        parts = ["password", "username"]
        found = change.details["registries"]["changed"]
        assert list(found.items()) == [("***@quay.io", parts), ("https://quay.io/a?***", parts), ("quay.io/b", parts)]
        assert [*change.before["registries"]] == [*change.after["registries"]] == [*found]

    def test_a_duplicate_key_is_changed_only_where_it_has_the_old_login(self) -> None:
        raw = '{"auths": {"quay.io": {"auth": "%s"}, "quay.io": {"auth": "%s"}}}'
        obj = secret()
        obj["data"] = {".dockerconfigjson": b64(raw % (auth(OLD), "dTpw"))}
        (change,) = planned(obj).changes
        assert change.details["registries"]["changed"] == {"quay.io": ["password", "username"]}
        assert base64.b64decode(change.body["data"][".dockerconfigjson"]).decode() == raw % (auth(NEW), "dTpw")

    def test_an_entry_reports_only_its_changed_parts(self) -> None:
        exchange = LoginReplacement(("quay.io",), UserPassword("robot2", ""), NEW)
        (change,) = planned(
            secret(auths={"quay.io": entry(UserPassword("robot2", "x"))}), rotation=confirmed("quay", exchange=exchange)
        ).changes
        assert change.details["registries"]["changed"] == {"quay.io": ["password"]}

    def test_all_auth_files_of_a_secret_are_one_write(self) -> None:
        obj = secret()
        obj["data"]["config.json"] = b64({"auths": {"quay.io/a": entry(), "c.io": entry(UserPassword("x", "y"))}})
        (change,) = planned(obj).changes
        assert {*change.body["data"]} == {".dockerconfigjson", "config.json"}
        assert {*change.details["registries"]["changed"]} == {"quay.io", "quay.io/a"}
        assert {*change.before["registries"]} == {"quay.io", "quay.io/a", "c.io"}

    def test_a_token_next_to_the_login_is_reported(self) -> None:
        (note,) = planned(secret(auths={"quay.io": entry(identitytoken="Canary-token"), "quay.io/b": entry()})).notes
        assert note.startswith(
            "secret a/quay has an identity token in addition to the login to replace, for quay.io. CRI-O sends it"
        )

    def test_a_secret_that_becomes_too_large_is_refused(self) -> None:
        obj = secret(auths={"quay.io": entry(x="x" * 400_000)})
        obj["data"]["other"] = "A" * (4 * 174_000)
        longer = confirmed("quay", exchange=LoginReplacement(("quay.io",), OLD, UserPassword("robot2", "p" * 200_000)))
        with pytest.raises(ImagePullError, match="a secret holds at most 1048576"):
            planned(obj, rotation=longer)
        assert planned(obj).changes

    def test_a_secret_that_was_read_without_a_version_is_refused(self) -> None:
        assert "was read without a resourceVersion" in refused(secret(metadata={"resourceVersion": None}))

    @given(CHANGES)
    def test_a_plan_for_arbitrary_content_shows_no_password(self, change: Changed) -> None:
        obj = change({**secret(), "immutable": None})
        if not isinstance(obj, dict):
            return
        try:
            plan = CredentialRotation(ROTATION, "quay").plan("a", {"quay": obj}, {account_list_ref("a"): {"items": []}})
        except ImagePullError:
            return
        for each in plan.changes:
            assert "anary" not in json.dumps([each.details, each.before, each.after])


class TestNodes:
    def plan(self, obj: dict[str, Any], *, nodes: bool) -> Plan:
        found = {account_list_ref("openshift-config"): {"items": []}}
        desired = CredentialRotation(Rotation(ROTATION.exchange, nodes=nodes), "pull-secret")
        return desired.plan("openshift-config", {"pull-secret": obj}, found)

    def test_the_secret_of_the_nodes_is_changed_only_on_request(self) -> None:
        assert self.plan(secret("pull-secret"), nodes=False) == Plan()
        assert writes(self.plan(secret("pull-secret"), nodes=True)) == [("update", "Secret", "pull-secret")]

    def test_a_secret_that_a_hosted_cluster_does_not_merge_is_not_changed(self) -> None:
        """The nodes of the hosted cluster would keep the old login."""
        name, namespace = "additional-pull-secret", "kube-system"
        content = json.dumps({"auths": {"quay.io": {"auth": auth(OLD)}, "a.io": "text"}})
        data = {".dockerconfigjson": b64(content)}
        desired = CredentialRotation(Rotation(ROTATION.exchange, nodes=True), name)
        batch = Batch(SECRET, {namespace: [Declaration(desired, Entry("secrets", 0, name))]})
        plan = batch.plan(
            namespace, {name: {**secret(name), "data": data}}, {account_list_ref(namespace): {"items": []}}
        )
        assert plan.changes == ()
        (failure,) = plan.failures
        assert "because the entry for 'a.io' is a string, not an object. This problem existed before" in failure.error

    def test_an_immutable_secret_of_the_nodes_is_refused(self) -> None:
        with pytest.raises(
            Refusal, match="is immutable, and no second secret can replace it, since nodes read no other name"
        ):
            self.plan(secret("pull-secret", immutable=True), nodes=True)


class TestBesideAnImmutableOne:
    def test_a_second_secret_is_linked_and_the_first_is_excluded_from_imports(self) -> None:
        notes = {"kubectl.kubernetes.io/last-applied-configuration": "Canary", "kept": "yes"}
        first = secret(
            immutable=True, metadata={"labels": {"team": "x"}, "annotations": notes, "ownerReferences": [{"uid": "o"}]}
        )
        first["data"]["other"] = "eA=="
        accounts = [account("default", "x", "quay", "y", secrets=[{"name": "quay"}]), account("builder", "y")]
        plan = planned(first, accounts=accounts)
        assert writes(plan) == [
            ("create", "Secret", "quay-rotated"),
            ("update", "ServiceAccount", "default"),
            ("update", "Secret", "quay"),
        ]
        second, link, excluded = plan.changes
        assert second.body["metadata"] == {
            "name": "quay-rotated",
            "namespace": "a",
            "labels": {**MANAGED_BY, "team": "x"},
            "annotations": {"kept": "yes", ROTATED_FROM: "quay"},
        }
        assert second.body["type"] == PULL
        assert "immutable" not in second.body
        assert second.body["data"]["other"] == "eA=="
        assert content(second) == {"auths": {"quay.io": entry(NEW)}}
        assert second.details["rotated_from"] == "quay"
        assert second.details["registries"]["changed"] == {"quay.io": ["password", "username"]}
        assert link.body == {
            "metadata": {"resourceVersion": "3"},
            "imagePullSecrets": [{"name": name} for name in ("x", "quay", "quay-rotated", "y")],
            "secrets": [{"name": "quay"}, {"name": "quay-rotated"}],
        }
        assert link.details["lists"]["imagePullSecrets"] == {"added": ["quay-rotated"], "removed": []}
        assert link.before["secrets"] == ["quay"]
        assert link.after["secrets"] == ["quay", "quay-rotated"]
        assert excluded.body == {"metadata": {"annotations": {EXCLUDED: "true"}, "resourceVersion": "7"}}
        assert excluded.details == {"annotations": [EXCLUDED]}
        (note,) = plan.notes
        assert note.startswith("secret a/quay is immutable, so it is not changed: quay-rotated replaces it")

    def test_the_second_secret_carries_no_owner_label(self) -> None:
        labels = {**MANAGED_BY, INSTANCE: "team-a", "kept": "x"}
        second = planned(secret(immutable=True, metadata={"labels": labels}), accounts=[]).changes[0]
        assert second.body["metadata"]["labels"] == {**MANAGED_BY, "kept": "x"}

    def test_a_partly_completed_plan_has_only_the_remaining_steps(self) -> None:
        """Completed steps are never planned again. A lost answer or a conflict leads to a new plan."""
        first, accounts = secret(immutable=True), [account("default", "quay")]
        create, link, exclude = planned(first, accounts=accounts).changes
        second = dict(object_after(create, None) or {})
        second["metadata"] = {**second["metadata"], "resourceVersion": "1"}
        linked = [object_after(link, accounts[0])]
        excluded = dict(object_after(exclude, first) or {})
        names = {"create": create, "link": link, "exclude": exclude}
        done: dict[tuple[bool, bool, bool], list[str]] = {
            (True, False, False): ["link", "exclude"],
            (False, True, False): ["create", "exclude"],
            (True, True, False): ["exclude"],
            (True, True, True): [],
        }
        for (is_created, is_linked, is_excluded), left in done.items():
            secrets = [excluded if is_excluded else first, *([second] if is_created else [])]
            plan = planned(*secrets, accounts=linked if is_linked else accounts)
            assert writes(plan) == writes(Plan(tuple(names[name] for name in left)))

    def test_the_second_secret_is_rotated_by_a_plan_of_its_own(self) -> None:
        marks = {"annotations": {ROTATED_FROM: "quay"}}
        first, second = secret(immutable=True), secret("quay-rotated", metadata=marks)
        both = confirmed("quay", "quay-rotated")
        assert ("create", "Secret", "quay-rotated") not in writes(planned(first, second, accounts=[], rotation=both))
        assert writes(planned(first, second, accounts=[], name="quay-rotated", rotation=both)) == [
            ("update", "Secret", "quay-rotated")
        ]

    def test_an_unconfirmed_second_secret_with_the_old_login_replaces_nothing(self) -> None:
        """Anyone with write access to secrets in the namespace can plant such a secret, including its annotation."""
        marks = {"annotations": {ROTATED_FROM: "quay"}}
        said = refused(secret(immutable=True), secret("quay-rotated", metadata=marks), accounts=[])
        assert "secret a/quay-rotated, the name of its replacement, already exists with other content" in said

    @pytest.mark.parametrize(
        "second",
        [
            secret("quay-rotated", auths={"quay.io": entry(NEW)}),
            secret("quay-rotated", auths={"quay.io": entry(NEW)}, metadata={"annotations": {ROTATED_FROM: "other"}}),
            secret("quay-rotated", auths={"quay.io": entry(NEW)}, metadata={"annotations": [ROTATED_FROM]}),
            secret("quay-rotated", auths={"b.io": entry(NEW)}, metadata={"annotations": {ROTATED_FROM: "quay"}}),
            secret(
                "quay-rotated",
                auths={"quay.io": entry(UserPassword("x", "y"))},
                metadata={"annotations": {ROTATED_FROM: "quay"}},
            ),
        ],
    )
    def test_an_unsuitable_secret_with_the_second_name_is_refused(self, second: dict[str, Any]) -> None:
        said = refused(secret(immutable=True), second, accounts=[])
        assert "secret a/quay-rotated, the name of its replacement, already exists with other content" in said

    def test_service_accounts_that_were_not_read_are_an_error(self) -> None:
        """Pods would later lack a login because of the missing link."""
        assert "the service accounts of namespace a were not read" in refused(secret(immutable=True))

    @pytest.mark.parametrize("lists", [{"imagePullSecrets": "quay"}, {"secrets": {"name": "quay"}}], ids=str)
    def test_an_account_whose_list_is_not_a_list_is_refused(self, lists: dict[str, Any]) -> None:
        said = refused(secret(immutable=True), accounts=[{**account("odd"), **lists}])
        assert "service account a/odd cannot be read" in said

    def test_entries_of_accounts_that_name_nothing_stay(self) -> None:
        entries = [None, "quay", {"name": 1}, {"name": "quay", "x": 1}, {"name": "quay"}]
        (link,) = [
            each
            for each in planned(secret(immutable=True), accounts=[account("odd", imagePullSecrets=entries)]).changes
            if each.ref.kind == SERVICE_ACCOUNT
        ]
        assert link.body["imagePullSecrets"] == [*entries[:4], {"name": "quay-rotated"}, entries[4]]
        assert "secrets" not in link.body

    @pytest.mark.parametrize("lists", [{}, {"imagePullSecrets": None}, {"imagePullSecrets": []}], ids=str)
    def test_accounts_without_links_are_not_changed(self, lists: dict[str, Any]) -> None:
        odd = [{"metadata": {"name": "odd"}, **lists}, account("done", "quay-rotated", "quay"), None, "x"]
        plan = planned(secret(immutable=True), accounts=odd)
        assert [write for write in writes(plan) if write[1] != "Secret"] == []

    @pytest.mark.parametrize(
        ("annotations", "is_written"), [({EXCLUDED: "true"}, False), ({EXCLUDED: "false"}, True), ([], True)]
    )
    def test_the_first_secret_is_excluded_from_imports_once(self, annotations: Any, is_written: bool) -> None:
        plan = planned(secret(immutable=True, metadata={"annotations": annotations}), accounts=[])
        assert (("update", "Secret", "quay") in writes(plan)) is is_written

    @given(ANYTHING)
    def test_arbitrary_account_content_raises_no_unexpected_error(self, value: Any) -> None:
        for obj in (
            {"metadata": {"name": "x", "resourceVersion": "1"}, "imagePullSecrets": value},
            {"metadata": value},
            value,
        ):
            try:
                planned(secret(immutable=True), accounts=[obj, account("default", "quay")])
            except ImagePullError:
                continue


class TestConfirmed:
    def test_an_unconfirmed_secret_is_not_written(self) -> None:
        assert planned(secret(), rotation=Rotation(EXCHANGE)) == Plan()
        assert (
            planned(secret(immutable=True), accounts=[account("default", "quay")], rotation=Rotation(EXCHANGE))
            == Plan()
        )

    def test_a_recreated_secret_is_a_note_and_is_not_written(self) -> None:
        plan = planned(secret(), rotation=confirmed("quay", uid="another"))
        (note,) = plan.notes
        assert (writes(plan), note.startswith("secret a/quay was recreated after it was confirmed")) == ([], True)
        assert planned(secret(auths={"b.io": entry()}), rotation=confirmed("quay", uid="another")) == Plan()

    def test_the_confirmed_object_is_written(self) -> None:
        assert writes(planned(secret(), rotation=confirmed("quay", uid="u"))) == [("update", "Secret", "quay")]


class TestWhatIsRead:
    def test_the_plan_reads_the_name_and_the_second_name(self) -> None:
        assert CredentialRotation(ROTATION, "quay").names("a") == ("quay", "quay-rotated")
        assert CredentialRotation.listed_by == {}
        assert CredentialRotation.kind == SECRET

    @pytest.mark.parametrize(("obj", "is_read"), [(secret(immutable=True), True), (secret(), False), (None, False)])
    def test_accounts_are_read_only_for_an_immutable_secret(self, obj: Any, is_read: bool) -> None:
        objects = {} if obj is None else {"quay": obj}
        wanted = [account_list_ref("a")] if is_read else []
        assert list(CredentialRotation(ROTATION, "quay").related("a", objects)) == wanted


def test_several_secrets_of_a_namespace_fail_alone_and_share_account_writes() -> None:
    """Two immutable secrets on one account need a single write of that account."""
    names = ["one", "two", "three", "four"]
    objects = {
        "one": secret("one", immutable=True),
        "two": secret("two", immutable=True),
        "three": secret("three", immutable=True),
        "three-rotated": secret("three-rotated", auths={}),
        "four": secret("four"),
    }
    declared = [
        Declaration(CredentialRotation(ROTATION, name), Entry("secrets", number, title=name))
        for number, name in enumerate(names)
    ]
    found = {account_list_ref("a"): {"items": [account("default", "one", "three", "two")]}}
    plan = Batch(SECRET, {"a": declared}).plan("a", objects, found)
    assert [(failure.entry.title, "already exists" in failure.error) for failure in plan.failures] == [("three", True)]
    (link,) = [change for change in plan.changes if change.ref.kind == SERVICE_ACCOUNT]
    assert [each["name"] for each in link.body["imagePullSecrets"]] == [
        "one",
        "one-rotated",
        "three",
        "two",
        "two-rotated",
    ]
    assert [entry.title for entry in link.entries] == ["one", "two"]
    assert ("update", "Secret", "four") in writes(plan)
