# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text names each container that breaks, with the reason and the moment."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.text import lines_of
from support.supposed import document_about
from support.surveyed import account, deployment, place, pod, secret, survey

SNAPSHOT = survey(place(secrets=[secret("s")], accounts=[account("s")], pods=[pod("s")], workloads=[deployment()]))


def test_a_break_is_described() -> None:
    text = "\n".join(lines_of(document_about(SNAPSHOT, {"unreachable_registries": ["q.io"]})))
    assert "2 of 2 containers would no longer get their image" in text
    assert "a: Pod app, container c: q.io/team/app:v1" in text
    assert "the nodes do not reach q.io, and no other registry serves q.io/team/app:v1" in text
    assert "No object shows:" in text


def test_causes_are_named_if_there_are_several_changes() -> None:
    changes = [{"unreachable_registries": ["q.io"]}, {"new_nodes": True}]
    text = "\n".join(lines_of(document_about(SNAPSHOT, *changes)))
    assert "because the nodes do not reach q.io" in text


def test_nothing_breaks() -> None:
    text = "\n".join(lines_of(document_about(SNAPSHOT, {"remove_secrets": {"name": "other"}})))
    assert "Of 2 containers, none would surely lose its image." in text
    assert "2 containers still pull." in text


def test_a_long_list_is_cut() -> None:
    pods = [pod("s", name=f"p{at}") for at in range(60)]
    snapshot = survey(place(secrets=[secret("s")], pods=pods))
    text = lines_of(document_about(snapshot, {"unreachable_registries": ["q.io"]}))
    assert "  and 10 more" in text
