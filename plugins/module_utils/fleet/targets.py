# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which namespaces a task is for."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.errors import OptionError
from ..domain.names import check_namespace

__all__ = ["named"]


def named(namespaces: Sequence[str]) -> list[str]:
    """The namespaces of the O(namespaces) option, each once, in the given order.

    :raises OptionError: for an empty list or a name that cannot exist.
    """
    if not namespaces:
        raise OptionError("option 'namespaces' is empty: give at least one")
    for namespace in namespaces:
        check_namespace("namespaces", namespace)
    return list(dict.fromkeys(namespaces))
