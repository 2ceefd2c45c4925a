# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation finds each copy of the old login in a secret, replaces it, and reports the copies that remain and their owner."""

from __future__ import annotations

import base64
import copy as copies
import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.editing import (
    LoginKeys,
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
    Copy,
    second_name,
    trim_managers,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import BuildSecrets
from hypothesis import given
from support.anything import ANYTHING

OLD, NEW = UserPassword("robot", "Canary-old-password"), UserPassword("robot2", "Canary-new-password")
#: The names of the secrets in this file, with their namespaces.
CONFIRMED = ConfirmedSecrets.of((ConfirmedEntry(name, ()), ["a"]) for name in ("s", "pull-secret"))
KNOWN = Rotation(LoginReplacement(("quay.io",), OLD, NEW), confirmed=CONFIRMED)
#: The password is unknown, as with short-lived tokens.
UNKNOWN = Rotation(LoginReplacement(("quay.io",), UserPassword("robot", ""), NEW), confirmed=CONFIRMED)
#: The pull secret of the nodes, and the one that adds to it in a hosted cluster.
OF_NODES = [
    ObjectRef(SECRET, "openshift-config", "pull-secret"),
    ObjectRef(SECRET, "kube-system", "additional-pull-secret"),
]
PULL, LEGACY = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"


def auth(login: UserPassword) -> str:
    return base64.b64encode(f"{login.username}:{login.password}".encode()).decode()


def entry(login: UserPassword = OLD, **more: Any) -> dict[str, Any]:
    return {"auth": auth(login), **more}


def encoded(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.b64encode(raw).decode()


def secret(content: Any = None, kind: Any = PULL, key: str = ".dockerconfigjson", **parts: Any) -> dict[str, Any]:
    """Return a pull secret with the old login or the given content."""
    given = {"auths": {"quay.io": entry()}} if content is None else content
    return {"metadata": {"name": "s", "namespace": "a"}, "type": kind, "data": {key: encoded(given)}, **parts}


def copy(obj: dict[str, Any], rotation: Rotation = KNOWN, *, namespace: str = "a", name: str = "s") -> Copy:
    return Copy(ObjectRef(SECRET, namespace, name), obj, rotation)


def is_wanted(obj: dict[str, Any], rotation: Rotation) -> bool:
    return Copy.of(obj, rotation).is_wanted


def after(found: Copy, key: str = ".dockerconfigjson") -> Any:
    return json.loads(base64.b64decode(found.data_after[key]))


def rows(found: Copy) -> list[tuple[str, str]]:
    every = list(found.remaining())
    assert "anary" not in json.dumps(every)
    assert "robot" not in json.dumps(every)
    assert {(row["namespace"], row["secret"]) for row in every} <= {(found.ref.namespace, found.ref.name)}
    return [(row["location"], row["reason"]) for row in every]


class TestFound:
    def test_pull_secret_entries_for_the_registry_are_exchanged(self) -> None:
        found = copy(
            secret({"auths": {"quay.io": entry(email="a@example.com"), "b.io": entry(), "quay.io/x": entry(NEW)}})
        )
        assert found.found == LoginKeys(("quay.io",), ("quay.io/x",))
        assert after(found)["auths"] == {
            "quay.io": entry(NEW, email="a@example.com"),
            "b.io": entry(),
            "quay.io/x": entry(NEW),
        }

    def test_the_legacy_dockercfg_form_is_exchanged(self) -> None:
        found = copy(secret({"quay.io": entry()}, LEGACY, ".dockercfg"))
        assert found.found.old == ("quay.io",)
        assert after(found, ".dockercfg") == {"quay.io": entry(NEW)}

    def test_a_form_that_does_not_fit_the_type_is_found_as_text(self) -> None:
        """No node reads it, so it does not count as a pull secret. The password in it is found as text."""
        found = copy(secret({"quay.io": entry()}))
        assert (found.found, found.new_texts) == (LoginKeys(), [])
        assert [about for about, _why in rows(found)] == ["data key .dockerconfigjson"]

    @pytest.mark.parametrize("key", ["config.json", "auth.json", "whatever"])
    @pytest.mark.parametrize("kind", ["Opaque", None, 1, "kubernetes.io/podmanconfigjson"])
    def test_an_auth_file_in_a_secret_of_another_type_is_exchanged(self, kind: Any, key: str) -> None:
        found = copy(secret(kind=kind, key=key))
        assert found.found.old == ("quay.io",)
        assert list(found.data_after) == [key]

    def test_a_podman_secret_is_read_under_any_key_and_with_any_whitespace(self) -> None:
        content = b'\n\n {"auths": {"quay.io": {"auth": "%s"}}}' % auth(OLD).encode()
        found = copy(secret(content, "kubernetes.io/podmanconfigjson", "x"))
        assert found.found.old == ("quay.io",)

    def test_every_auth_file_of_a_secret_is_exchanged(self) -> None:
        """A node reads one of the files. A pod that mounts the secret reads another one."""
        obj = secret()
        obj["data"]["config.json"] = encoded({"auths": {"quay.io/team": entry(), "quay.io": entry(NEW)}})
        obj["data"][".dockercfg"] = encoded({"quay.io": entry()})
        obj["data"]["plain"] = encoded(b"nothing")
        for kind in (PULL, "Opaque"):
            found = copy({**obj, "type": kind})
            assert found.found == LoginKeys(("quay.io", "quay.io/team"), ("quay.io",))
            assert {*found.data_after} == {".dockerconfigjson", "config.json", ".dockercfg"}
            assert after(found, "config.json")["auths"] == {"quay.io/team": entry(NEW), "quay.io": entry(NEW)}
            assert after(found, ".dockercfg") == {"quay.io": entry(NEW)}
            assert rows(found) == []

    def test_a_file_without_the_old_login_is_not_written(self) -> None:
        obj = secret()
        obj["data"]["config.json"] = encoded({"auths": {"quay.io": entry(NEW)}})
        obj["data"]["auth.json"] = encoded(b"{")
        assert list(copy(obj).data_after) == [".dockerconfigjson"]

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"\xff", b"[]", b"null", b'{"auths": []}', b'{"auths": {}, "auths": {}}']
    )
    def test_content_that_is_not_an_auth_file_is_left_alone(self, content: bytes) -> None:
        found = copy(secret(content))
        assert (found.found, found.is_to_change, found.data_after) == (LoginKeys(), False, {})

    def test_the_other_bytes_stay(self) -> None:
        """This includes bytes that are not UTF-8, and a duplicate key."""
        raw = b'{ "x": "\xff", "auths":{"quay.io" : {"auth":"%s"},"quay.io":{"email":"\xfe","auth":"%s"}} }\n'
        found = copy(secret(raw % (auth(OLD).encode(), auth(OLD).encode())))
        expected = raw % (auth(NEW).encode(), auth(NEW).encode())
        assert base64.b64decode(found.data_after[".dockerconfigjson"]) == expected


class TestUnreadable:
    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"{", "is not valid JSON at line 1, column 2"),
            (b'{"auths": {}, "auths": {}}', "is not an auth file: it has 'auths' twice"),
            (
                {"auths": {"quay.io": {"auth": 1}, "b.io": {"auth": 1}}},
                "has entries that no node can decode, for quay.io",
            ),
        ],
    )
    def test_unreadable_content_is_wanted_if_the_password_is_unknown(self, content: Any, why: str) -> None:
        assert copy(secret(content), UNKNOWN).unreadable == why
        assert is_wanted(secret(content), UNKNOWN)
        assert copy(secret(content), KNOWN).unreadable == "", "the password is looked for in the text"
        assert not is_wanted(secret(content), KNOWN)

    def test_undecodable_entries_in_a_secret_of_another_type_are_unreadable(self) -> None:
        opaque = secret({"auths": {"quay.io": {"auth": 1}}}, "Opaque", "config.json")
        assert copy(opaque, UNKNOWN).unreadable == "has entries that no node can decode, for quay.io"
        assert copy(secret(b"{", "Opaque", "config.json"), UNKNOWN).unreadable == "", "that may be anything"

    @pytest.mark.parametrize("data", [[], 1, {".dockerconfigjson": 1}, {".dockerconfigjson": "%"}], ids=str)
    def test_non_empty_invalid_data_is_unreadable(self, data: Any) -> None:
        obj = {**secret(), "data": data}
        assert bool(copy(obj, UNKNOWN).unreadable) is (data != [])
        assert copy(obj).found == LoginKeys()

    def test_a_generated_secret_of_the_platform_is_never_unreadable(self) -> None:
        generated = secret(b"{", metadata={"name": "s", "annotations": {"openshift.io/token-secret.name": "t"}})
        assert copy(generated, UNKNOWN).unreadable == ""


class TestWhose:
    MARKS = {"labels": {"reconcile.external-secrets.io/managed": "true"}}

    def test_a_secret_without_a_known_writer_is_changed(self) -> None:
        found = copy(secret())
        assert (found.external_manager, found.is_to_change, rows(found)) == ("", True, [])

    def test_a_secret_that_a_controller_writes_is_left_with_a_reason(self) -> None:
        found = copy(secret(metadata=self.MARKS))
        assert (found.external_manager, found.is_to_change) == ("External Secrets", False)
        assert rows(found) == [("quay.io", "External Secrets writes this secret: change the login at its source")]

    def test_each_old_login_in_a_controllers_secret_has_a_row(self) -> None:
        found = copy(
            secret({"auths": {"quay.io": entry(), "quay.io/a": entry(), "quay.io/b": entry(NEW)}}, metadata=self.MARKS)
        )
        assert [about for about, _why in rows(found)] == ["quay.io", "quay.io/a"]

    @pytest.mark.parametrize("ref", OF_NODES)
    def test_the_secrets_of_the_nodes_are_changed_only_on_request(self, ref: ObjectRef) -> None:
        waits = Copy(ref, secret(), KNOWN)
        assert (waits.is_of_nodes, waits.is_waiting, waits.is_to_change, rows(waits)) == (True, True, False, [])
        asked = Copy(ref, secret(), Rotation(KNOWN.exchange, nodes=True))
        assert (asked.is_waiting, asked.is_to_change, rows(asked)) == (False, True, [])

    def test_a_secret_of_the_same_name_elsewhere_is_not_of_the_nodes(self) -> None:
        found = copy(secret(), name="pull-secret")
        assert (found.is_of_nodes, found.is_waiting, found.is_to_change) == (False, False, True)

    def test_the_pull_secret_that_the_platform_generates_is_not_changed(self) -> None:
        found = copy(secret(), Rotation(KNOWN.exchange, nodes=True), namespace="kube-system", name="global-pull-secret")
        assert (found.is_of_nodes, found.is_to_change) == (False, False)
        ((about, why),) = rows(found)
        assert about == "quay.io"
        assert why.startswith(
            "the platform, which builds it from openshift-config/pull-secret and secret kube-system/additional"
        )

    def test_an_immutable_secret_is_changed_through_a_second_one(self) -> None:
        found = copy(secret(immutable=True))
        assert (found.is_immutable, found.is_to_change) == (True, True)
        ((about, why),) = rows(found)
        assert (about, why.startswith("the secret is immutable, so s-rotated replaces it")) == ("quay.io", True)

    def test_an_immutable_secret_of_a_controller_is_not_changed(self) -> None:
        found = copy(secret(immutable=True, metadata=self.MARKS))
        assert found.is_to_change is False
        assert "External Secrets writes" in rows(found)[0][1]

    def test_an_immutable_secret_of_the_nodes_has_no_row(self) -> None:
        found = Copy(OF_NODES[0], secret(immutable=True), Rotation(KNOWN.exchange, nodes=True))
        assert rows(found) == []


class TestConfirmed:
    UID = "8d1c1f6e-6f3b-4d0a-9f3e-0a5a0e2c9b11"

    def found(self, obj: dict[str, Any], *uids: str, rotation: Rotation = KNOWN, **where: str) -> Copy:
        """Look at the secret with its name confirmed for the given UIDs, or with no confirmed name if there are no UIDs."""
        named = ConfirmedSecrets({("a", "s"): frozenset(uids)}) if uids else ConfirmedSecrets()
        return copy(obj, replace(rotation, confirmed=named), **where)

    def secret(self, uid: str = UID, content: Any = None, **meta: Any) -> dict[str, Any]:
        return secret(content, metadata={"name": "s", "namespace": "a", "uid": uid, **meta})

    def test_a_secret_that_is_not_confirmed_is_not_changed(self) -> None:
        found = self.found(self.secret())
        assert (found.is_confirmed, found.is_to_change, found.could_be_confirmed) == (False, False, True)
        assert found.why_not_declared == "nothing outside the cluster names it for this rotation"
        builds = copy(found.obj, found.rotation, namespace="openshift-machine-config-operator", name="base")
        assert builds.why_not_declared == (
            "nothing outside the cluster names it for this rotation. A MachineOSConfig may build node images with secret "
            "openshift-machine-config-operator/base, and a wrong login shows at the next build"
        )
        known = replace(builds, builds=BuildSecrets({"base": ["baseImagePullSecret of machine OS config worker"]}))
        assert "base is baseImagePullSecret of machine OS config worker" in known.why_not_declared
        assert replace(builds, builds=BuildSecrets({})).why_not_declared == found.why_not_declared

    @pytest.mark.parametrize("where", [{"namespace": "b"}, {"name": "s2"}], ids=str)
    def test_another_secret_is_not_confirmed(self, where: dict[str, str]) -> None:
        assert not self.found(self.secret(), "", **where).is_confirmed

    @pytest.mark.parametrize(
        ("uids", "is_confirmed"),
        [(("",), True), ((UID,), True), (("x",), False), (("x", UID), True), (("x", ""), True)],
    )
    def test_a_uid_confirms_one_object(self, uids: tuple[str, ...], is_confirmed: bool) -> None:
        found = self.found(self.secret(), *uids)
        assert (found.is_confirmed, found.is_to_change) == (is_confirmed, is_confirmed)
        assert found.why_not_declared == (
            "" if is_confirmed else "it was recreated after it was confirmed, so its UID is different"
        )

    @pytest.mark.parametrize("uid", [None, "", 1])
    def test_an_object_without_a_uid_is_not_confirmed(self, uid: Any) -> None:
        assert not self.found(self.secret(uid=uid), self.UID).is_confirmed
        assert self.found(self.secret(uid=uid), "").is_confirmed

    def test_a_secret_that_a_controller_writes_cannot_be_confirmed(self) -> None:
        found = self.found(self.secret(**TestWhose.MARKS))
        assert found.could_be_confirmed is False
        assert found.why_not_declared == "External Secrets writes this secret: change the login at its source"

    def test_the_old_password_outside_the_registries_cannot_be_confirmed(self) -> None:
        found = self.found(self.secret(content={"auths": {"b.io": entry(), "c.io": entry()}}))
        assert found.why_not_declared == "the password of the login to replace is in b.io and c.io"
        assert found.could_be_confirmed is False

    def test_unreadable_content_cannot_be_confirmed(self) -> None:
        obj = self.secret(content=b"{")
        found = self.found(obj, rotation=UNKNOWN)
        why = "its content is not valid JSON at line 1, column 2, so the login to replace may be in it"
        assert (found.why_not_declared, found.could_be_confirmed) == (why, False)
        ((about, reason),) = rows(self.found(obj, "", rotation=UNKNOWN))
        assert about == "its content"
        assert reason.startswith("it is not valid JSON at line 1, column 2, so the login to replace")

    def test_a_secret_without_the_old_login_has_no_reason(self) -> None:
        assert self.found(self.secret(content={"auths": {"quay.io": entry(NEW)}})).why_not_declared == ""

    @pytest.mark.parametrize("ref", [*OF_NODES, ObjectRef(SECRET, "kube-system", "global-pull-secret")])
    def test_cluster_pull_secrets_need_no_confirmation_and_are_not_changed(self, ref: ObjectRef) -> None:
        found = Copy(ref, secret(), Rotation(KNOWN.exchange))
        assert (found.is_confirmed, found.is_to_change, found.could_be_confirmed) == (True, False, False)
        assert found.why_not_declared == ""


class TestLogins:
    def test_each_login_is_listed_once_with_the_host_of_its_registry(self) -> None:
        others = [UserPassword("robot", password) for password in ("one", "two")]
        auths = {"quay.io": entry(others[0]), "quay.io/a": entry(others[0]), "*.io": entry(others[1]), "b.io": entry()}
        obj = secret({"auths": {**auths, "quay.io/b": entry(NEW), "quay.io/c": entry(UserPassword("x", "y"))}})
        obj["data"]["config.json"] = encoded({"auths": {"quay.io/d": entry(others[1])}})
        assert copy(obj, UNKNOWN).logins == [("quay.io", others[0]), ("quay.io", others[1])]

    def test_a_secret_without_the_user_has_no_logins(self) -> None:
        assert copy(secret({"auths": {"quay.io": entry(NEW)}}), UNKNOWN).logins == []

    @pytest.mark.parametrize(
        ("key", "host"),
        [("quay.io", "quay.io"), ("r.io:5000/team/x", "r.io:5000"), ("https://r.io:5000/team/v2/", "r.io:5000")],
    )
    def test_the_host_is_the_one_of_the_rotation(self, key: str, host: str) -> None:
        wanted = Rotation(LoginReplacement(("quay.io", "r.io:5000/team"), UserPassword("robot", ""), NEW))
        assert copy(secret({"auths": {key: entry()}}), wanted).logins == [(host, OLD)]


class TestElsewhere:
    def test_the_old_password_outside_the_exchanged_entries_is_reported(self) -> None:
        obj = secret({"auths": {"quay.io": entry(), "b.io": entry()}})
        obj["data"]["note"] = encoded(b"password=" + OLD.password.encode())
        obj["metadata"]["annotations"] = {"a": json.dumps({"auth": auth(OLD)}), "b": "x"}
        found = copy(obj)
        reason = "it contains the password of the login to replace, but not as a login for the registries of this rotation: change or remove it by hand"
        assert rows(found) == [("b.io", reason), ("data key note", reason), ("annotation a", reason)]

    def test_a_key_with_a_user_is_not_shown(self) -> None:
        """Nodes use the key for the registry behind the `@`. The user and password in it are hidden."""
        found = copy(secret({"auths": {"robot:x@b.io": entry(), "robot:x@quay.io": entry()}}))
        assert found.found.old == ("***@quay.io",)
        assert after(found)["auths"] == {"robot:x@b.io": entry(), "robot:x@quay.io": entry(NEW)}
        assert [about for about, _why in rows(found)] == ["***@b.io"]

    def test_entries_of_a_controllers_secret_are_reported_once(self) -> None:
        obj = secret({"auths": {"quay.io": entry(), "b.io": entry()}}, metadata=TestWhose.MARKS)
        assert [about for about, _why in rows(copy(obj))] == ["quay.io", "b.io"]

    def test_an_unknown_password_is_not_searched_for(self) -> None:
        obj = secret()
        obj["data"]["note"] = encoded(OLD.password.encode())
        assert copy(obj, UNKNOWN).elsewhere() == []

    def test_an_undecodable_entry_is_reported_by_its_data_key(self) -> None:
        found = copy(secret({"auths": {"quay.io": entry(email=1), "quay.io/a": entry()}}))
        assert found.found == LoginKeys(("quay.io/a",), undecodable=("quay.io",))
        assert [about for about, _why in rows(found)] == ["data key .dockerconfigjson"]


class TestWanted:
    @pytest.mark.parametrize("login", [OLD, NEW])
    def test_a_secret_with_the_old_or_the_new_login_is_wanted(self, login: UserPassword) -> None:
        assert is_wanted(secret({"auths": {"quay.io": entry(login)}}), KNOWN)

    def test_a_secret_with_neither_login_is_wanted_only_if_it_is_named(self) -> None:
        other = secret({"auths": {"quay.io": entry(UserPassword("a", "b"))}})
        assert not is_wanted(other, replace(KNOWN, confirmed=ConfirmedSecrets()))
        assert (is_wanted(other, KNOWN), copy(other).is_involved) == (True, False)
        assert not is_wanted(secret({"auths": {"b.io": entry()}}), UNKNOWN)

    def test_another_password_of_the_user_is_wanted_and_not_involved(self) -> None:
        obj = secret({"auths": {"quay.io": entry(UserPassword(OLD.username, "mistyped"))}})
        assert is_wanted(obj, KNOWN)
        assert not copy(obj).is_involved
        assert copy(secret()).is_involved

    def test_a_secret_with_the_old_password_anywhere_is_wanted(self) -> None:
        assert is_wanted(secret(OLD.password.encode(), "Opaque", "x"), KNOWN)
        assert not is_wanted(secret(NEW.password.encode(), "Opaque", "x"), KNOWN), "the new one may stand anywhere"

    def test_the_mark_of_a_generated_secret_hides_no_copy(self) -> None:
        """Every user who can write a secret can mark it, and must not hide the old login from a rotation."""
        marks = {"name": "s", "namespace": "a", "annotations": {"openshift.io/token-secret.name": "t"}}
        obj = secret(metadata=marks)
        unconfirmed = replace(KNOWN, confirmed=ConfirmedSecrets())
        assert is_wanted(obj, unconfirmed)
        assert is_wanted(secret(OLD.password.encode(), "Opaque", "x", metadata=marks), unconfirmed)
        assert not is_wanted(secret(b'{"auths": {}}', metadata=marks), unconfirmed)
        assert is_wanted(obj, KNOWN)
        (row,) = copy(obj).remaining()
        assert row["reason"] == "the platform writes this secret: change the login at its source"

    def test_a_secret_with_the_second_name_is_wanted(self) -> None:
        """A name that is already taken must be known before the first write."""
        obj = {"metadata": {"name": "s-rotated", "namespace": "a"}, "type": "Opaque"}
        assert is_wanted(obj, KNOWN)

    @given(ANYTHING)
    def test_arbitrary_content_neither_fails_nor_is_modified(self, value: Any) -> None:
        for obj in (
            {"metadata": {"name": "s", "namespace": "a"}, "data": value, "type": PULL},
            {
                "metadata": {"name": "s", "namespace": "a"},
                "data": {".dockerconfigjson": value, "x": value},
                "type": PULL,
            },
            {"metadata": value, "data": secret()["data"], "type": value, "immutable": value},
            {
                "metadata": {
                    "name": "s",
                    "namespace": "a",
                    "labels": value,
                    "annotations": value,
                    "managedFields": value,
                }
            },
            {**secret(), "metadata": {"annotations": {"x": value}, "ownerReferences": value, "managedFields": [value]}},
        ):
            if not isinstance(obj["metadata"], dict):
                continue
            before = copies.deepcopy(obj)
            for rotation in (KNOWN, UNKNOWN):
                is_wanted(obj, rotation)
                rows(copy(trim_managers(obj), rotation))
                found = copy(trim_managers(obj), Rotation(rotation.exchange))
                assert "anary" not in found.why_not_declared
                assert not found.is_to_change
            assert json.dumps(obj) == json.dumps(before)


class TestKept:
    def test_field_managers_keep_only_their_names(self) -> None:
        managers = [{"manager": "kubectl", "fieldsV1": {"f:data": {}}}, None, {"time": "x"}]
        obj = secret(metadata={"name": "s", "resourceVersion": "5", "managedFields": managers})
        meta = {
            "name": "s",
            "resourceVersion": "5",
            "managedFields": [{"manager": "kubectl"}, {"manager": None}, {"manager": None}],
        }
        assert trim_managers(obj) == {**obj, "metadata": meta}

    def test_the_controller_of_a_kept_secret_is_still_known(self) -> None:
        obj = secret(metadata={"managedFields": [{"manager": "external-secrets", "time": "x"}]})
        assert copy(trim_managers(obj)).external_manager == "external-secrets"


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("quay", "quay-rotated"),
        ("x" * 253, "x" * 244 + "-rotated"),
        ("x" * 242 + ".-" + "y" * 9, "x" * 242 + "-rotated"),
    ],
)
def test_the_second_name_fits_the_length_limit(name: str, second: str) -> None:
    assert second_name(name) == second
    assert len(second) <= 253
