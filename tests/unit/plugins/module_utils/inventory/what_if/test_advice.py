# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The advice names the offered task, or the work that no task does."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.fixes import Offer, make_offer
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.tasks import advise


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("network", "copy the image to a registry that the nodes reach"),
        ("signature", "sign the image"),
        ("registries", "allow the registry"),
        ("image", "keep the mirror or the login with which the nodes get the image, or copy the image to its registry"),
        ("copy", "copy the image to its mirror, with all its architectures"),
        ("platform", "use an image for the architecture of the nodes"),
        ("certificate", "add the certificate authority of the mirror"),
        ("login", "keep a login that the registry accepts"),
        ("cached", "let the nodes pull the image, or load it on the new nodes"),
        ("node", "correct the reason before the change, or leave the change out"),
        ("", "correct the reason before the change, or leave the change out"),
    ],
)
def test_the_work_depends_on_the_failed_step(step: str, says: str) -> None:
    assert advise(step, Offer()).startswith(says)


def test_an_offered_task_is_named() -> None:
    assert advise("login", make_offer(fixes.link("ns", "default", "pull"))) == "Link a pull secret to a service account"
    several = make_offer(fixes.create_secret("ns", "default", "quay.io"))
    titles = list(dict.fromkeys(task["name"] for task in several.tasks))
    assert len(titles) > 1
    assert advise("login", several).startswith(f"{titles[0]} and {titles[1][0].lower()}")


def test_a_refused_offer_gives_its_reason() -> None:
    assert advise("login", make_offer(fixes.link("ns", "default", "{{ x }}"))).startswith("no task is offered, because")


@pytest.mark.parametrize(("pod", "whose"), [("the pod", "the pod"), ("its pods", "its pods")])
def test_a_pod_is_created_again_after_a_task_that_changes_the_list_of_new_pods(pod: str, whose: str) -> None:
    linked = make_offer(fixes.link("ns", "default", "pull"))
    assert advise("login", linked, pod=pod).endswith(
        f"and then create {whose} again: a pod keeps the list of pull secrets with which it was created"
    )
    written = make_offer(fixes.add_registry("ns", "pull", "quay.io"))
    assert advise("login", written, pod=pod) == "Write a login into a pull secret"
    assert advise("login", Offer(), "pod", pod=pod).startswith(f"after the changes, create {whose} again")


@pytest.mark.parametrize(
    ("undone", "says"),
    [
        ("pull_secret", "leave the pull secret out of the changes"),
        ("sa_link", "leave the link out of the changes"),
        ("image_puller_grant", "leave the grant out of the changes"),
        ("", "keep a login that the registry accepts"),
    ],
)
def test_a_task_that_the_changes_undo_is_no_advice(undone: str, says: str) -> None:
    assert advise("login", Offer(), undone).startswith(says)
    offered = make_offer(fixes.link("ns", "default", "pull"))
    assert advise("login", offered, undone) == "Link a pull secret to a service account"
