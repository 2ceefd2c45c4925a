# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access to Ansible's registry of secrets for tests. From ansible-core 2.22 on, there is one registry for the whole process."""

from __future__ import annotations

from typing import Any

import pytest

try:
    from ansible.module_utils._internal._secrets import _secret_masker
except ImportError:
    _secret_masker = None

__all__ = ["HAS_REGISTRY", "forget_registered", "masked_by_ansible"]

HAS_REGISTRY = _secret_masker is not None


def forget_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ansible mask only the secrets that the test registers, until its end."""
    if _secret_masker is not None:
        monkeypatch.setattr(_secret_masker, "_matcher", type(_secret_masker._matcher)())
        empty: dict[str, Any] = {"_secrets": set(), "_forms": set(), "_json_forms": {}}
        for name, value in empty.items():
            monkeypatch.setattr(_secret_masker, name, value)


def masked_by_ansible(text: str) -> str:
    """Return the text as Ansible displays it."""
    return text if _secret_masker is None else str(_secret_masker.mask_string(text))
