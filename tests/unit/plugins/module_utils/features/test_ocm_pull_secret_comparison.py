# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison of two pull secrets shows registries and names of fields, and never a value."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import (
    NOTHING,
    AuthFile,
    parse,
    parse_stored,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.ocm_pull_secret import (
    compare_registries,
    list_registries,
)


def file_of(**passwords: str) -> AuthFile:
    auths = {
        name.replace("_", "."): {"username": "u", "password": password, "email": "e"}
        for name, password in passwords.items()
    }
    return parse({"auths": auths}, "test")


def told(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    assert all(row["is_registry"] is (row["registry"] != "cloud.openshift.com") for row in rows)
    return [(row["registry"], row["status"], ",".join(row["differs"])) for row in rows]


def test_a_single_pull_secret_lists_its_names() -> None:
    assert list_registries(file_of(quay_io="canary", cloud_openshift_com="canary")) == [
        {"registry": "cloud.openshift.com", "is_registry": False},
        {"registry": "quay.io", "is_registry": True},
    ]


def test_each_registry_has_a_status() -> None:
    ours = file_of(cloud_openshift_com="canary-1", quay_io="canary-1", registry_redhat_io="canary-1")
    theirs = file_of(cloud_openshift_com="canary-1", quay_io="canary-2", mine_example_com="canary-3")
    rows = compare_registries(ours, theirs)
    assert told(rows) == [
        ("cloud.openshift.com", "same", ""),
        ("mine.example.com", "only_there", ""),
        ("quay.io", "differs", "password"),
        ("registry.redhat.io", "missing", ""),
    ]
    assert "canary" not in str(rows)


def test_an_empty_secret_misses_all_registries() -> None:
    assert told(compare_registries(file_of(quay_io="a"), NOTHING)) == [("quay.io", "missing", "")]


def test_a_filter_leaves_out_other_registries() -> None:
    theirs = file_of(quay_io="a", mine_example_com="b", other_example_com="c")
    assert told(compare_registries(file_of(quay_io="a"), theirs, ["quay.io", "mine*"])) == [
        ("mine.example.com", "only_there", ""),
        ("quay.io", "same", ""),
    ]


def test_the_spelling_of_an_entry_does_not_count() -> None:
    stored = parse_stored('{"auths": {"https://quay.io/v2/": {"auth": "dTph", "email": "e"}}}', legacy=False)
    assert told(compare_registries(file_of(quay_io="a"), stored)) == [("quay.io", "same", "")]


def test_each_spelling_of_a_registry_counts() -> None:
    text = '{"auths": {"quay.io": {"auth": "dTph", "email": "e"}, "https://quay.io": {"auth": "dTpi"}}}'
    stored = parse_stored(text, legacy=False)
    assert told(compare_registries(file_of(quay_io="a"), stored)) == [("quay.io", "differs", "email,password")]


def test_a_user_in_a_key_is_not_shown() -> None:
    stored = parse_stored('{"auths": {"bob:canary@mine.io": {"auth": "dTph"}}}', legacy=False)
    assert told(compare_registries(file_of(quay_io="a"), stored))[0] == ("mine.io", "only_there", "")
