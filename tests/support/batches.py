# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task with a single declaration, as input for the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import Batch, Declaration


def of_one(desired: Any, namespaces: Sequence[str]) -> Batch[Any]:
    """The same single declaration for each of the namespaces."""
    return Batch(desired.kind, dict.fromkeys(namespaces, (Declaration(desired),)))
