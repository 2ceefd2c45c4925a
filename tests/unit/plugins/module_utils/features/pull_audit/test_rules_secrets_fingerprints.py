# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels show which logins are equal, and reveal nothing else."""

from __future__ import annotations

import re

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_secrets import (
    find_copies,
    group_logins,
    label_logins,
)
from support.surveyed import auth, place, secret, survey


def rows(key: bytes = b"k" * 32):
    seen = survey(
        place("a", secrets=[secret("s", {"q.io": auth("p", "u"), "alone.io": auth("x")})]),
        place("b", secrets=[secret("s", {"https://q.io/v1/": auth("p", "u"), "r.io": auth("p", "u")})]),
        place("c", secrets=[secret("s", {"q.io": auth("other", "u"), "r.io": auth("p", "u")})]),
    )
    return label_logins(find_copies(seen), key)


def test_labels_exist_only_for_logins_in_more_than_one_place() -> None:
    assert {row["registry"] for row in rows()} == {"q.io", "https://q.io/v1/", "r.io"}


def test_a_login_in_one_place_can_be_labelled_for_other_clusters() -> None:
    seen = survey(place("a", secrets=[secret("s", {"alone.io": auth("x")})]))
    assert (find_copies(seen), [row["registry"] for row in label_logins(group_logins(seen), b"k")]) == (
        {},
        ["alone.io"],
    )


def test_equal_logins_and_passwords_have_equal_labels() -> None:
    first, second, other_host, third, last = rows()
    assert first["login"] == second["login"] == third["login"] != other_host["login"] == last["login"]
    assert first["password"] == second["password"] == other_host["password"] != third["password"]
    assert first["login"] != first["password"]


def test_a_password_never_has_the_label_of_a_login() -> None:
    auths = {"q.io": {"username": "u", "password": "q.io\0u"}}
    seen = survey(*(place(name, secrets=[secret("s", auths)]) for name in "ab"))
    (row, _other) = label_logins(find_copies(seen), b"k")
    assert row["login"] != row["password"]


def test_another_key_gives_other_labels() -> None:
    def labels(key: bytes) -> set[str]:
        return {row[part] for row in rows(key) for part in ("login", "password")}

    assert labels(b"k" * 32) == labels(b"k" * 32)
    assert labels(b"k" * 32) & labels(b"l" * 32) == set()
    assert all(re.fullmatch("[0-9a-f]{16}", label) for label in labels(b"k"))


def test_a_user_in_a_key_is_not_shown() -> None:
    seen = survey(*(place(name, secrets=[secret("s", {"canary@q.io": auth()})]) for name in "ab"))
    assert "canary" not in str(label_logins(find_copies(seen), b"k"))
