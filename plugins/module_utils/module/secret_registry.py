# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's registry of secrets: from ansible-core 2.22 on, it masks all output of a run, including that of other tasks."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.redaction import SHORTEST

try:
    from ansible.module_utils.secrets import register_secrets
except ImportError:  # before ansible-core 2.22
    register_secrets = None

__all__ = ["mask_output"]


def mask_output(secrets: Iterable[str]) -> None:
    """Mask the secrets in all output until ansible-playbook ends. Without a registry, only the result of the task is masked.

    Short ones are left out, because they can be parts of words. Ansible itself registers values of options with `no_log` of any length.
    """
    if register_secrets is not None:
        register_secrets(secret for secret in secrets if len(secret) >= SHORTEST)
