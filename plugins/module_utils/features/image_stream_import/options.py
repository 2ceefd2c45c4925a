# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `image_stream_import`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_path_segment
from ...dockerconfig.registry_keys import check_key, same_path
from ...images.references import Reference

__all__ = ["ImportOptions", "from_options"]


@dataclass(frozen=True)
class ImportOptions:
    """Which tags to import. `registries`, in canonical form: only tags imported from one of them; empty for any. `only_failed`: only tags
    whose last import failed for a cause that a login can fix. `streams`: only image streams with these names; empty for all."""

    registries: frozenset[str] = frozenset()
    only_failed: bool = True
    streams: tuple[str, ...] = ()

    def wants(self, source: Reference | None) -> bool:
        """Whether a tag with this source matches. A tag without a source matches only if any registry does."""
        return not self.registries or (source is not None and same_path(source.host) in self.registries)


def from_options(options: Mapping[str, Any]) -> ImportOptions:
    """Return the validated options. :raises OptionError: for an empty list, an invalid registry, or an invalid image stream name."""
    registries = _require_items(options, "registries")
    for registry in registries:
        _check_host(registry)
    streams = tuple(dict.fromkeys(_require_items(options, "streams")))
    for name in streams:
        check_path_segment("streams", name)
    return ImportOptions(frozenset(map(same_path, registries)), bool(options.get("only_failed")), streams)


def _require_items(options: Mapping[str, Any], name: str) -> Iterable[str]:
    found: Sequence[str] | None = options.get(name)
    if found is not None and not found:
        raise OptionError(f"option {name!r} is empty: give at least one, or leave it out for all")
    return found or ()


def _check_host(registry: str) -> None:
    check_key("option 'registries'", registry)
    if "/" in same_path(registry):
        raise OptionError(
            f"option 'registries': {registry!r} has a path: give the host alone, with its port if it has one"
        )
