# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The classes of the connections that a pool manager opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["customize_connections"]


def customize_connections(manager: Any, parts: Mapping[str, Any], *bases: type[Any]) -> None:
    """Extend the class of all connections that a urllib3 pool manager will open, including connections through a proxy.

    `parts` are additional members of the connection class. `bases` precede it in the order of base classes.
    """
    kinds = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _pool_class(kind, parts, bases) for scheme, kind in kinds.items()}


def _pool_class(kind: type[Any], parts: Mapping[str, Any], bases: tuple[type[Any], ...]) -> type[Any]:
    connection = type(kind.ConnectionCls.__name__, (*bases, kind.ConnectionCls), dict(parts))
    return type(kind.__name__, (kind,), {"ConnectionCls": connection})
