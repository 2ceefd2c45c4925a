# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two entries that declare one secret are refused."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import Contradiction
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import from_registries
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret.plan import (
    PullSecret,
    contradictions,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import DOCKERCONFIGJSON, Target

TARGET = Target(DOCKERCONFIGJSON, ".dockerconfigjson")


def declared(*names: str, mode: str = "absent") -> list[PullSecret]:
    return [PullSecret(name, TARGET, mode) for name in names]


def said(name: str) -> str:
    return f"both declare secret {name}, so declare it once, with all its registries"


def test_different_secrets_do_not_contradict() -> None:
    assert list(contradictions([])) == []
    assert list(contradictions(declared("a", "b", "c"))) == []


def test_each_further_declaration_contradicts_the_first() -> None:
    assert list(contradictions(declared("a", "b", "a", "b", "a"))) == [
        Contradiction(0, 2, said("a")),
        Contradiction(1, 3, said("b")),
        Contradiction(0, 4, said("a")),
    ]


def test_two_declarations_of_one_secret_contradict_even_if_they_agree() -> None:
    for first, second in (("absent", "absent"), ("absent", "merge"), ("merge", "merge"), ("remove", "remove")):
        pair = [*declared("a", mode=first), *declared("a", mode=second)]
        assert list(contradictions(pair)) == [Contradiction(0, 1, said("a"))]


def test_a_merge_and_a_removal_of_other_registries_do_not_contradict() -> None:
    merged = from_registries([{"registry": "new.example.com", "username": "u", "password": "p"}])
    merge = PullSecret("a", TARGET, "merge", merged)
    apart = PullSecret("a", TARGET, "remove", registries=("old.example.com",))
    assert list(contradictions([merge, apart])) == []
    assert list(contradictions([apart, merge])) == []
    same = PullSecret("a", TARGET, "remove", registries=("old.example.com", "https://new.example.com/"))
    assert list(contradictions([merge, same])) == [Contradiction(0, 1, said("a"))]
    assert list(contradictions([same, merge])) == [Contradiction(0, 1, said("a"))]
