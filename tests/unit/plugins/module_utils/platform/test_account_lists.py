# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of others are never removed from a list."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SERVICE_ACCOUNT, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform import account_lists
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.account_lists import Origin
from hypothesis import given
from hypothesis import strategies as st
from support.objects import raised

PLATFORM = "default-dockercfg-x7k2p"

FOREIGN = st.sampled_from([PLATFORM, "team", "mirror", ""])

OURS = st.sampled_from(["redhat-connect-sso", "private-registry", "quay"])

LISTS = st.lists(st.builds(lambda name: {"name": name}, FOREIGN | OURS) | st.just({}), max_size=8)

WANTED = st.lists(OURS, min_size=1, max_size=3)

#: Values that no API server sends.
ODD: list[Any] = [None, "text", ["quay"], {}, {"name": None}, {"name": ""}, {"name": ["quay"]}, {"Name": "quay"}, 5]


def foreign(entries: Any, ours: Any) -> list[Any]:
    return [entry for entry in entries if entry.get("name", "") not in ours]


class TestLink:
    @given(LISTS, WANTED)
    def test_foreign_entries_keep_their_order(self, entries: Any, wanted: Any) -> None:
        assert foreign(account_lists.add_links(entries, wanted), wanted) == foreign(entries, wanted)

    @given(LISTS, WANTED)
    def test_each_linked_secret_is_listed_once_at_its_first_place_or_at_the_end(
        self, entries: Any, wanted: Any
    ) -> None:
        linked = account_lists.entry_names(account_lists.add_links(entries, wanted))
        assert all(linked.count(name) == 1 for name in wanted)
        before = [name for name in dict.fromkeys(account_lists.entry_names(entries)) if name in wanted]
        assert [name for name in linked if name in wanted] == [
            *before,
            *dict.fromkeys(n for n in wanted if n not in before),
        ]

    @given(LISTS, WANTED)
    def test_linking_twice_equals_linking_once(self, entries: Any, wanted: Any) -> None:
        linked = account_lists.add_links(entries, wanted)
        assert account_lists.add_links(linked, wanted) == linked

    @given(LISTS, WANTED)
    def test_the_input_is_left_alone(self, entries: Any, wanted: Any) -> None:
        before = [dict(entry) for entry in entries]
        account_lists.add_links(entries, wanted)
        account_lists.remove_links(entries, wanted)
        assert entries == before


class TestUnlink:
    @given(LISTS, WANTED)
    def test_unlink_removes_exactly_the_given_entries(self, entries: Any, wanted: Any) -> None:
        assert account_lists.remove_links(entries, wanted) == foreign(entries, wanted)

    @given(LISTS, WANTED)
    def test_unlink_undoes_link(self, entries: Any, wanted: Any) -> None:
        assert account_lists.remove_links(account_lists.add_links(entries, wanted), wanted) == foreign(entries, wanted)

    @pytest.mark.parametrize("unwanted", [[], ["nobody"]], ids=str)
    def test_unlink_keeps_all_other_entries(self, unwanted: Any) -> None:
        entries = [*ODD, {"name": "quay"}]
        assert account_lists.remove_links(entries, unwanted) == entries


class TestOddEntries:
    """An entry that names no secret is never treated as ours, and keeps its position."""

    def test_link_and_unlink_keep_odd_entries_in_their_places(self) -> None:
        entries = [ODD[0], {"name": "quay", "namespace": "x"}, *ODD[1:], {"name": "quay"}, {"name": "team"}]
        linked = account_lists.add_links(entries, ["quay", "mirror"])
        assert linked == [ODD[0], {"name": "quay", "namespace": "x"}, *ODD[1:], {"name": "team"}, {"name": "mirror"}]
        assert account_lists.remove_links(linked, ["quay", "mirror"]) == [*ODD, {"name": "team"}]

    def test_an_odd_entry_names_no_secret(self) -> None:
        assert account_lists.entry_names([*ODD, {"name": "quay"}]) == [""] * len(ODD) + ["quay"]
        assert account_lists.names_in({"secrets": [*ODD, {"name": "quay"}]}, "secrets") == ["quay"]
        assert account_lists.duplicate_names([*ODD, *ODD]) == []

    @pytest.mark.parametrize("odd", [None, "text", {"name": "quay"}, 5], ids=str)
    def test_a_value_that_is_not_a_list_names_no_secret(self, odd: Any) -> None:
        assert account_lists.names_in({"secrets": odd}, "secrets") == []


class TestEntriesOf:
    REF = ObjectRef(SERVICE_ACCOUNT, "project-a", "default")

    def test_the_list_of_the_account_is_returned_unchanged(self) -> None:
        assert account_lists.entries_of(self.REF, {"secrets": ODD}, "secrets") is ODD
        assert account_lists.entries_of(self.REF, {"secrets": None}, "secrets") == []
        assert account_lists.entries_of(self.REF, {}, "secrets") == []

    @pytest.mark.parametrize("odd", ["text", {"name": "quay"}, 5, True], ids=str)
    def test_a_value_that_is_not_a_list_is_refused(self, odd: Any) -> None:
        assert raised(Refusal, lambda: account_lists.entries_of(self.REF, {"secrets": odd}, "secrets")) == (
            "service account project-a/default cannot be read: its 'secrets' are not a list. Nothing was changed in this "
            "namespace"
        )


def entries(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


class TestChangesOf:
    @pytest.mark.parametrize(
        ("before", "after", "changes"),
        [
            ("a", "a", {"added": [], "removed": []}),
            ("a b", "b c d", {"added": ["c", "d"], "removed": ["a"]}),
            ("a a b", "b", {"added": [], "removed": ["a"]}),
            ("a a b", "a b", {"added": [], "removed": [], "deduplicated": ["a"]}),
            ("b a b a", "b a c", {"added": ["c"], "removed": [], "deduplicated": ["b", "a"]}),
            ("", "a", {"added": ["a"], "removed": []}),
        ],
    )
    def test_changed_entries_are_named(self, before: str, after: str, changes: Any) -> None:
        assert account_lists.changes_of(entries(*before.split()), entries(*after.split())) == changes


class TestRepeated:
    def test_duplicates_are_named_once_in_order(self) -> None:
        assert account_lists.duplicate_names(entries("b", "a", "c", "a", "b", "b")) == ["b", "a"]


class TestView:
    def test_the_view_shows_only_lists_that_change(self) -> None:
        lists = {"imagePullSecrets": entries("a"), "secrets": entries("b")}
        assert account_lists.view_lists(lists, {"secrets": ()}) == {"secrets": ["b"]}


# --- The entries of an account that the platform generated are recognized

GENERATED, PRESUMED, UNCERTAIN, OTHER = Origin.GENERATED, Origin.PRESUMED, Origin.UNCERTAIN, Origin.OTHER

X, Z = "default-dockercfg-x7k2p", "default-dockercfg-zzzzz"

TOKEN = "default-token-x7k2p"

PULL, MOUNT = "imagePullSecrets", "secrets"

LONG = "pipeline-runner-of-the-payments-department-production"

#: The prefixes that library-go's own code makes of long names, for pull secrets and for tokens.
CUT = {
    "a" * 47: ("a" * 47 + "-dockercfg-", "a" * 47 + "-token-"),
    "a" * 48: ("a" * 38 + "-9e51a975-dockercfg-", "a" * 48 + "-token-"),
    "a" * 51: ("a" * 38 + "-3f3248b2-dockercfg-", "a" * 51 + "-token-"),
    "a" * 52: ("a" * 38 + "-4f28a429-dockercfg-", "a" * 42 + "-4f28a429-token-"),
    LONG: (
        "pipeline-runner-of-the-payments-depart-402877bf-dockercfg-",
        "pipeline-runner-of-the-payments-department-402877bf-token-",
    ),
    "b.c-" * 60: ("b.c-" * 9 + "b.-6839a975-dockercfg-", "b.c-" * 10 + "b.-6839a975-token-"),
}


def account(pull: Any = (), mount: Any = (), *, named: str | None = None, name: str = "default") -> dict[str, Any]:
    meta = {"name": name, "uid": "u", "annotations": None if named is None else {account_lists.REFERENCE: named}}
    return {"metadata": meta, PULL: [{"name": entry} for entry in pull], MOUNT: [{"name": entry} for entry in mount]}


class TestOriginOf:
    @pytest.mark.parametrize("key", [PULL, MOUNT])
    @pytest.mark.parametrize("name", [X, "by-annotation", "default-token-quay"])
    def test_a_secret_named_by_the_annotation_is_generated(self, key: str, name: str) -> None:
        """The name does not matter: the platform restores this secret."""
        assert account_lists.origin_of(account([name], [name, TOKEN], named=name), key, name) is GENERATED

    @pytest.mark.parametrize("key", [PULL, MOUNT])
    @pytest.mark.parametrize(
        ("found", "origin"),
        [
            # From 4.16 on, the annotation decides which one counts, as long as it is on a list.
            (account([X, Z], [X, Z], named=X), OTHER),
            (account([X, Z], [Z], named=X), OTHER),
            (account([Z], [X, Z], named=X), OTHER),
            (account([Z], [Z], named=X), UNCERTAIN),
            (account(["team", Z], [Z], named="team"), OTHER),
            # Before 4.16, the name alone decides, in both lists.
            (account([Z], [Z]), PRESUMED),
            (account(["team", Z, Z], ["team", Z]), PRESUMED),
            (account([Z], [Z], named=""), PRESUMED),
            (account([Z], []), UNCERTAIN),
            (account([], [Z]), UNCERTAIN),
            (account([X, Z], [X, Z]), UNCERTAIN),
            (account([X, Z], [Z]), UNCERTAIN),
            (account([Z], [X, Z]), UNCERTAIN),
            (account([Z, "default-dockercfg-quay", "builder-dockercfg-x7k2p"], [Z, TOKEN]), PRESUMED),
        ],
    )
    def test_a_generated_pull_secret_name_is_judged_by_lists_and_annotation(
        self, found: Any, origin: Origin, key: str
    ) -> None:
        assert account_lists.origin_of(found, key, Z) is origin

    @pytest.mark.parametrize(
        ("key", "found", "origin"),
        [
            (MOUNT, account([], [TOKEN]), PRESUMED),
            (MOUNT, account([], [X, TOKEN, "default-token-quay"], named=X), PRESUMED),
            (MOUNT, account(["default-token-zzzzz"], [TOKEN]), PRESUMED),
            (MOUNT, account([], [TOKEN, "default-token-zzzzz"]), UNCERTAIN),
            (PULL, account([TOKEN], [TOKEN]), OTHER),
        ],
    )
    def test_a_generated_token_name_is_judged_by_list_and_account(self, key: str, found: Any, origin: Origin) -> None:
        """Tokens are never added to the list of pull secrets."""
        assert account_lists.origin_of(found, key, TOKEN) is origin

    @pytest.mark.parametrize("key", [PULL, MOUNT])
    @pytest.mark.parametrize(
        "name",
        [
            "default-token-quay",
            "default-dockercfg-quay",
            "default-dockercfg-",
            "default-dockercfg-x7k2",
            "default-dockercfg-x7k2pp",
            "default-dockercfg-x7k2p\n",
            "default-dockercfg-x7k2a",
            "default-dockercfg-x7k21",
            "default-dockercfg-X7K2P",
            "x-default-dockercfg-x7k2p",
            "builder-dockercfg-x7k2p",
            "default-x7k2p",
            "team",
            "",
        ],
    )
    def test_any_other_name_is_not_generated(self, name: str, key: str) -> None:
        """The five characters at the end are never vowels, 0, 1 or 3. 'quay' has four, of which two are vowels."""
        assert account_lists.origin_of(account([name], [name]), key, name) is OTHER

    @pytest.mark.parametrize(("name", "prefixes"), CUT.items())
    def test_long_names_are_cut_and_marked_with_a_hash(self, name: str, prefixes: tuple[str, str]) -> None:
        pull, token = (f"{prefix}x7k2p" for prefix in prefixes)
        assert account_lists.origin_of(account([pull], [pull], name=name), PULL, pull) is PRESUMED
        assert account_lists.origin_of(account([], [token], name=name), MOUNT, token) is PRESUMED

    @pytest.mark.parametrize("name", ["a" * 51, "a" * 52, "a" * 58, "a" * 70])
    def test_kubernetes_cuts_long_names_without_a_hash(self, name: str) -> None:
        token = f"{name}-token-"[:58] + "x7k2p"
        assert account_lists.origin_of(account([], [token], name=name), MOUNT, token) is PRESUMED

    @pytest.mark.parametrize("name", ["a" * 48, LONG])
    def test_a_name_that_is_not_cut_is_not_generated(self, name: str) -> None:
        entry = f"{name}-dockercfg-x7k2p"
        assert account_lists.origin_of(account([entry], [entry], name=name), PULL, entry) is OTHER

    def test_a_name_with_the_hash_of_another_account_is_not_generated(self) -> None:
        entry = f"{CUT['a' * 48][0]}x7k2p"
        assert account_lists.origin_of(account([entry], [entry], name="a" * 49), PULL, entry) is OTHER

    @pytest.mark.parametrize("odd", [None, "text", {}, [None], ["text"], [{"name": None}], [{"name": ["x"]}], [{}]])
    def test_malformed_lists_name_no_secret(self, odd: Any) -> None:
        found = {**account([Z], [Z]), MOUNT: odd}
        assert account_lists.origin_of(found, PULL, Z) is UNCERTAIN
        assert account_lists.origin_of({"metadata": None, PULL: odd}, PULL, Z) is OTHER

    @pytest.mark.parametrize(
        "annotations", [None, "text", [X], {account_lists.REFERENCE: None}, {account_lists.REFERENCE: [X]}]
    )
    def test_a_malformed_annotation_names_no_secret(self, annotations: Any) -> None:
        found = account([X], [X])
        found["metadata"]["annotations"] = annotations
        assert account_lists.origin_of(found, PULL, X) is PRESUMED


def secret(kind: str, owner: Any = None, **annotations: str) -> dict[str, Any]:
    names = {
        "account": "openshift.io/internal-registry-auth-token.service-account",
        "binding": "openshift.io/internal-registry-auth-token.binding",
        "token": "openshift.io/token-secret.name",
        "of": "kubernetes.io/service-account.name",
    }
    meta = {
        "annotations": {names[key]: value for key, value in annotations.items()},
        "ownerReferences": [] if owner is None else [{"kind": "ReplicaSet", "name": "default"}, owner],
    }
    return {"metadata": meta, "type": kind}


DOCKERCFG = "kubernetes.io/dockercfg"

JSON = "kubernetes.io/dockerconfigjson"

OF_ACCOUNT = {"kind": "ServiceAccount", "name": "default", "uid": "u"}

OF_TOKEN = {"kind": "Secret", "name": TOKEN, "uid": "t"}


class TestIsGenerated:
    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            (secret(DOCKERCFG, account="default", binding="bound", owner=OF_ACCOUNT), True),
            (secret(DOCKERCFG, account="default"), True),
            (secret(DOCKERCFG, account="builder"), False),
            (secret(DOCKERCFG, of="default", token=TOKEN, owner=OF_TOKEN), True),
            (secret(DOCKERCFG, of="default", token=TOKEN, account="default", binding="legacy"), True),
            (secret(DOCKERCFG, token=TOKEN), True),
            (secret(DOCKERCFG, of="builder", token=TOKEN), False),
            (secret(DOCKERCFG, of="default"), False),
            (secret(DOCKERCFG, owner=OF_ACCOUNT), True),
            (secret(DOCKERCFG, owner={**OF_ACCOUNT, "name": "builder"}), False),
            (secret(DOCKERCFG, owner=OF_TOKEN), True),
            (secret(DOCKERCFG, owner={**OF_TOKEN, "name": "team"}), False),
            (secret(DOCKERCFG, owner={**OF_TOKEN, "kind": "ConfigMap"}), False),
            (secret(DOCKERCFG), False),
            (secret(JSON, account="default", of="default", token=TOKEN, owner=OF_ACCOUNT), False),
            (secret("Opaque", account="default"), False),
            (secret("kubernetes.io/service-account-token", of="default"), True),
            (secret("kubernetes.io/service-account-token", of="builder", account="default"), False),
            (secret("kubernetes.io/service-account-token"), False),
            ({}, False),
            ({"type": DOCKERCFG, "metadata": None}, False),
            (
                {"type": DOCKERCFG, "metadata": {"annotations": ["x"], "ownerReferences": {"kind": "ServiceAccount"}}},
                False,
            ),
            ({"type": DOCKERCFG, "metadata": {"ownerReferences": [None, "x", {"kind": "Secret", "name": 5}]}}, False),
            ({"type": [DOCKERCFG]}, False),
        ],
    )
    def test_a_generated_secret_is_recognized_by_type_annotations_and_owner(self, found: Any, expected: bool) -> None:
        assert account_lists.is_generated(account(), found) is expected


class TestGeneratedNames:
    @pytest.mark.parametrize(
        ("found", "names"),
        [
            (account(), []),
            (account(named=X), []),
            (account(mount=[X], named=X), []),
            (account(["quay", "other-dockercfg-aaaaa"]), []),
            (account(["quay", X]), [X]),
            (account([X, X]), [X]),
            (account(["default-dockercfg-other", X], named=X), [X, "default-dockercfg-other"]),
            (account(["cut-name-dockercfg-0a"], named="cut-name-dockercfg-0a"), ["cut-name-dockercfg-0a"]),
            (account([f"{CUT[LONG][0]}x7k2p", f"{LONG}-dockercfg-x7k2p"], name=LONG), [f"{CUT[LONG][0]}x7k2p"]),
            ({"metadata": {"name": "default"}}, []),
            ({"metadata": {"name": "default"}, PULL: [None, {"name": None}, {"name": X}, "x"]}, [X]),
        ],
    )
    def test_only_listed_names_count_and_the_annotated_one_comes_first(self, found: Any, names: list[str]) -> None:
        assert account_lists.generated_names(found) == names


@pytest.mark.parametrize(
    ("annotations", "answer"),
    [
        ({"openshift.io/token-secret.name": "x"}, True),
        ({"openshift.io/internal-registry-auth-token.service-account": "gone"}, True),
        ({"openshift.io/other": "x"}, False),
        (None, False),
        ("odd", False),
    ],
)
def test_an_annotation_marks_a_secret_as_generated(annotations: Any, answer: bool) -> None:
    assert account_lists.is_marked_generated({"metadata": {"annotations": annotations}}) is answer
