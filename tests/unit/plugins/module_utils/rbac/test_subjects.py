# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subjects have one normal form, whether a binding or a task names them."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    NAMESPACE,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import (
    Subject,
    binding_view,
    subject_entries,
    subject_of,
    subjects_from_options,
    subjects_of,
)
from hypothesis import given as generated
from hypothesis import strategies as st
from support.objects import raised

RBAC = "rbac.authorization.k8s.io"
DEFAULT = {"kind": "ServiceAccount", "name": "default", "namespace": "project-a"}
AS_USER = {"kind": "User", "name": "system:serviceaccount:project-a:default", "apiGroup": RBAC}
OF_BINDING = {"kind": "ServiceAccount", "name": "default"}
SPELLINGS = [DEFAULT, {**DEFAULT, "apiGroup": ""}, AS_USER, OF_BINDING, {**OF_BINDING, "namespace": ""}]
JANE = {"kind": "User", "name": "jane", "apiGroup": RBAC}
ACCOUNT = Subject("ServiceAccount", "default", "project-a")
#: Values that no API server sends.
NO_SUBJECTS = [
    None,
    "text",
    ["list"],
    {},
    {"kind": "User"},
    {"kind": "User", "name": None},
    {"kind": "User", "name": ""},
    {"kind": None, "name": "jane"},
    {"kind": ["User"], "name": "jane"},
    {"kind": "User", "name": {"a": "b"}},
    {**DEFAULT, "namespace": ["project-a"]},
]


class TestSubjectOf:
    @pytest.mark.parametrize("entry", SPELLINGS)
    def test_spellings_of_one_account_are_equal(self, entry: dict[str, str]) -> None:
        assert subject_of(entry, "project-a") == ACCOUNT

    @pytest.mark.parametrize(
        ("entry", "subject"),
        [
            (OF_BINDING, Subject("ServiceAccount", "default", "project-b")),
            (DEFAULT, ACCOUNT),
            (JANE, Subject("User", "jane")),
            ({"kind": "Group", "name": "jane"}, Subject("Group", "jane")),
            ({**JANE, "namespace": "project-a"}, Subject("User", "jane")),
            ({**AS_USER, "kind": "Group"}, Subject("Group", AS_USER["name"])),
            ({"kind": "User", "name": "system:serviceaccount:a:B"}, Subject("ServiceAccount", "B", "a")),
        ],
    )
    def test_other_subjects_stay_unchanged(self, entry: Any, subject: Subject) -> None:
        assert subject_of(entry, "project-b") == subject

    @pytest.mark.parametrize(
        "name",
        [
            "system:serviceaccount:",
            "system:serviceaccount:project-a",
            "system:serviceaccount:project-a:",
            "system:serviceaccount::default",
            "system:serviceaccount:project-a:default:x",
            "xsystem:serviceaccount:project-a:default",
            "just-as-long-a-prefix:project-a:default",
            "abcdefghijklmnopqrstuvproject-a:default",
        ],
    )
    def test_a_user_name_that_is_not_an_account_remains_a_user(self, name: str) -> None:
        assert subject_of({"kind": "User", "name": name}, "project-a") == Subject("User", name)

    @pytest.mark.parametrize("entry", NO_SUBJECTS, ids=repr)
    def test_an_invalid_entry_is_not_a_subject(self, entry: Any) -> None:
        assert subject_of(entry, "project-a") is None

    @generated(st.text(min_size=1), st.text(min_size=1))
    def test_a_written_subject_is_read_back_unchanged(self, kind: str, name: str) -> None:
        for subject in (Subject("ServiceAccount", name, "ns"), subject_of({"kind": kind, "name": name}, "ns")):
            assert subject is not None
            assert subject_of(subject.to_api(), "other" if subject.namespace else "ns") == subject


class TestSubject:
    @pytest.mark.parametrize(
        ("subject", "entry", "title"),
        [
            (ACCOUNT, DEFAULT, "ServiceAccount project-a/default"),
            (Subject("User", "jane"), JANE, "User jane"),
            (Subject("Group", "ops"), {**JANE, "kind": "Group", "name": "ops"}, "Group ops"),
        ],
    )
    def test_a_subject_has_an_api_form_and_a_title(self, subject: Subject, entry: Any, title: str) -> None:
        assert subject.to_api() == entry
        assert str(subject) == title

    @pytest.mark.parametrize(
        ("subject", "ref"),
        [
            (ACCOUNT, ObjectRef(SERVICE_ACCOUNT, "project-a", "default")),
            (Subject("Group", "system:serviceaccounts:project-c"), ObjectRef(NAMESPACE, "", "project-c")),
            (Subject("Group", "system:serviceaccounts"), None),
            (Subject("Group", "project-c"), None),
            (Subject("User", "system:serviceaccounts:project-c"), None),
            (Subject("User", "jane"), None),
            (Subject("User", "jane", "project-a"), None),
            # No object with such a name can exist, and the name becomes part of a path.
            (Subject("ServiceAccount", "Default", "project-a"), None),
            (Subject("ServiceAccount", "default", "../project-a"), None),
            (Subject("ServiceAccount", "", "project-a"), None),
            (Subject("Group", "system:serviceaccounts:a.b"), None),
            (Subject("Group", "system:serviceaccounts:"), None),
        ],
    )
    def test_a_subject_names_the_object_that_must_exist(self, subject: Subject, ref: ObjectRef | None) -> None:
        assert subject.ref == ref


class TestSubjectsOf:
    def test_subjects_keep_their_order_and_duplicates(self) -> None:
        found = {"metadata": {"namespace": "project-b"}, "subjects": [JANE, OF_BINDING, JANE]}
        jane = Subject("User", "jane")
        assert subjects_of(found) == [jane, Subject("ServiceAccount", "default", "project-b"), jane]

    @pytest.mark.parametrize("subjects", [None, []], ids=str)
    def test_a_binding_without_subjects_has_none(self, subjects: Any) -> None:
        assert subjects_of({"metadata": {"namespace": "project-b"}, "subjects": subjects}) == []
        assert subjects_of({}) == []

    def test_invalid_subjects_are_left_out(self) -> None:
        assert subjects_of({"metadata": None, "subjects": [*NO_SUBJECTS, JANE]}) == [Subject("User", "jane")]

    @pytest.mark.parametrize("odd", ["text", {"kind": "User"}, 5, True], ids=str)
    def test_subjects_that_are_not_a_list_are_refused(self, odd: Any) -> None:
        found = {"metadata": {"namespace": "project-b", "name": "puller"}, "subjects": odd}
        for read in (subjects_of, subject_entries):
            assert raised(Refusal, partial(read, found)) == (
                "role binding project-b/puller cannot be read: its 'subjects' are not a list. Nothing was changed in this "
                "namespace"
            )

    def test_the_subjects_of_a_binding_are_returned_unchanged(self) -> None:
        assert subject_entries({"subjects": NO_SUBJECTS}) is NO_SUBJECTS
        assert subject_entries({}) == []


def options(**more: Any) -> dict[str, Any]:
    return {"state": "present", **more}


ACCOUNTS = [{"namespace": "project-a", "name": "default"}]
EVERYBODY = {
    "groups": ["system:authenticated", "system:unauthenticated", "system:serviceaccounts"],
    "users": ["system:anonymous"],
}


class TestGiven:
    def test_each_option_names_its_subjects(self) -> None:
        found = subjects_from_options(
            options(
                service_accounts=ACCOUNTS,
                projects=["project-c"],
                groups=["ops"],
                users=["jane"],
                authenticated=True,
                anonymous=True,
            )
        )
        assert found == (
            ACCOUNT,
            Subject("Group", "system:serviceaccounts:project-c"),
            Subject("Group", "ops"),
            Subject("User", "jane"),
            Subject("Group", "system:authenticated"),
            Subject("Group", "system:unauthenticated"),
        )

    def test_anonymous_alone_names_only_the_unauthenticated_group(self) -> None:
        """A request with credentials is in no group of anonymous users."""
        assert subjects_from_options(options(anonymous=True, authenticated=False)) == (
            Subject("Group", "system:unauthenticated"),
        )

    def test_missing_options_name_no_subject(self) -> None:
        nothing = dict.fromkeys(("service_accounts", "projects", "groups", "users", "authenticated", "anonymous"))
        assert subjects_from_options(options()) == subjects_from_options(options(**nothing)) == ()

    def test_equal_subjects_are_listed_once(self) -> None:
        assert subjects_from_options(options(service_accounts=[*ACCOUNTS, *ACCOUNTS], users=[AS_USER["name"]])) == (
            ACCOUNT,
        )

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"groups": ["system:authenticated"]},
             "option 'groups': system:authenticated is every user who is logged in, all service accounts included. "
             "If that is intended, use 'authenticated: true' instead"),
            ({"groups": ["ops", "system:unauthenticated"]},
             "option 'groups': system:unauthenticated is every client that sends no credentials. "
             "If that is intended, use 'anonymous: true' instead"),
            ({"users": ["system:anonymous"]},
             "option 'users': system:anonymous is every client that sends no credentials. "
             "If that is intended, use 'anonymous: true' instead"),
            ({"groups": ["system:serviceaccounts"]},
             "option 'groups': system:serviceaccounts is every service account of the cluster. "
             "Name 'projects' instead, or use 'authenticated: true'"),
        ],
    )  # fmt: skip
    def test_a_grant_to_everyone_by_name_is_refused(self, more: Any, message: str) -> None:
        assert raised(OptionError, lambda: subjects_from_options(options(**more))) == message

    def test_a_grant_to_everyone_can_be_revoked(self) -> None:
        names = [name for option in EVERYBODY.values() for name in option]
        assert [subject.name for subject in subjects_from_options(options(**EVERYBODY, state="absent"))] == names

    NAME = "cannot be an object's name"
    PROJECT = "cannot be a namespace"

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"service_accounts": [{"namespace": "A", "name": "a"}]}, f"^option 'service_accounts': 'A' {PROJECT}"),
            ({"service_accounts": [{"namespace": "a", "name": "A"}]}, f"^option 'service_accounts': 'A' {NAME}"),
            ({"projects": ["a.b"]}, f"^option 'projects': 'a.b' {PROJECT}"),
            ({"groups": [" "]}, "^option 'groups' contains an empty name$"),
            ({"users": [""]}, "^option 'users' contains an empty name$"),
            ({"groups": ["a\0"]}, "^option 'groups': .* contains control characters or an unpaired surrogate$"),
            ({"users": ["a\ud800"]}, "^option 'users': .* contains control characters or an unpaired surrogate$"),
        ],
    )
    @pytest.mark.parametrize("state", ["present", "absent"])
    def test_an_invalid_name_is_refused(self, state: str, more: Any, message: str) -> None:
        with pytest.raises(OptionError, match=message):
            subjects_from_options(options(**more, state=state))

    @pytest.mark.parametrize(
        ("option", "name"),
        [
            ("users", "system:serviceaccount:a:Default"),
            ("users", "system:serviceaccount:A:default"),
            ("users", "system:serviceaccount:a:b:c"),
            ("users", "system:serviceaccount:a:"),
            ("users", "system:serviceaccount:pa"),
            ("users", "system:serviceaccount::b"),
            ("groups", "system:serviceaccounts:A"),
            ("groups", "system:serviceaccounts:"),
        ],
    )
    def test_an_account_that_can_never_exist_is_not_granted_but_can_be_revoked(self, option: str, name: str) -> None:
        """The API server rejects the first with a bare 422. The others have no effect. Messages show all of it."""
        instead = {"users": "'service_accounts'", "groups": "'projects'"}[option]
        with pytest.raises(
            OptionError, match=f"^option '{option}': '{name}' cannot be .*: give .*NAMESPACE.* {instead}$"
        ):
            subjects_from_options(options(**{option: ["jane", name]}))
        assert len(subjects_from_options(options(**{option: ["jane", name]}, state="absent"))) == 2

    def test_other_system_names_are_granted(self) -> None:
        found = subjects_from_options(
            options(users=["system:admin"], groups=["system:masters", "system:serviceaccountsx"])
        )
        assert [subject.name for subject in found] == ["system:masters", "system:serviceaccountsx", "system:admin"]


def test_a_diff_shows_role_and_subjects_of_a_binding() -> None:
    subjects = (Subject("User", "jane"), Subject("ServiceAccount", "default", "b"))
    assert binding_view("puller", subjects) == {"role": "puller", "subjects": ["User jane", "ServiceAccount b/default"]}


@pytest.mark.parametrize(
    ("subject", "groups"),
    [
        (
            Subject("ServiceAccount", "robot", "team"),
            {"system:serviceaccounts", "system:serviceaccounts:team", "system:authenticated"},
        ),
        (
            Subject("Group", "system:serviceaccounts:team"),
            {"system:serviceaccounts", "system:serviceaccounts:team", "system:authenticated"},
        ),
        (Subject("Group", "devs"), {"devs", "system:authenticated"}),
        (Subject("Group", "system:unauthenticated"), {"system:unauthenticated"}),
        (Subject("User", "jane"), {"system:authenticated"}),
    ],
)
def test_a_subject_has_the_rights_of_its_groups(subject: Subject, groups: set[str]) -> None:
    assert subject.identities == {subject, *(Subject("Group", name) for name in groups)}
