# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that are created for an automation account, as opposed to objects that the account creates. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.changes import MANAGED_BY
from ..core.objects import Json, ObjectRef, as_dict, as_list, as_str, metadata
from .subjects import Subject, subject_of

__all__ = ["LABELS", "has_account_labels", "is_bound_to"]

#: Labels of all objects that are created for an account.
LABELS: Mapping[str, str] = {**MANAGED_BY, "app.kubernetes.io/component": "automation-account"}


def has_account_labels(obj: Json) -> bool:
    """Whether the object has both labels."""
    labels = as_dict(metadata(obj).get("labels"))
    return all(labels.get(name) == value for name, value in LABELS.items())


def is_bound_to(binding: Json, account: ObjectRef) -> bool:
    """Whether a binding names the account itself, not a group that the account is in."""
    wanted = Subject("ServiceAccount", account.name, account.namespace)
    namespace = as_str(metadata(binding).get("namespace"))
    return any(subject_of(entry, namespace) == wanted for entry in as_list(binding.get("subjects")))
