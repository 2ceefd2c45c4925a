# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registered secrets are masked if Ansible has a registry of secrets. Without one, nothing happens."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module import task

from unit.registered import HAS_REGISTRY, forget_registered, masked_by_ansible


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_registered(monkeypatch)


def test_ansible_masks_registered_secrets() -> None:
    text = "it was sent canary-1 and canary-2"
    task.mask_output({"canary-1", "canary-2"})
    assert masked_by_ansible(text) == ("it was sent $REDACTED$ and $REDACTED$" if HAS_REGISTRY else text)


def test_a_short_secret_is_not_registered() -> None:
    """A short secret may be part of a word."""
    task.mask_output(["", "a", "pul"])
    assert masked_by_ansible("namespace a pulls") == "namespace a pulls"


def test_registering_without_a_registry_has_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "register_secrets", None)
    task.mask_output(["canary"])
    assert masked_by_ansible("canary") == "canary"
