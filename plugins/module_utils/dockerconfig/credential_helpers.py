# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credential helpers that an auth file names: programs on its owner's host that hold what the file does not. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import OptionError
from .registry_keys import matches, same_path, without_user

__all__ = ["Helpers"]


@dataclass(frozen=True)
class Helpers:
    """Which credential helper holds what the file does not."""

    store: str
    by_host: Mapping[str, str]

    @classmethod
    def of(cls, top: Mapping[str, Any], source: str) -> Helpers:
        store, helpers = top.get("credsStore") or "", top.get("credHelpers") or {}
        if not isinstance(store, str) or not isinstance(helpers, Mapping):
            raise OptionError(f"{source} is not an auth file: 'credsStore' or 'credHelpers' has the wrong type")
        if not all(isinstance(value, str) for value in helpers.values()):
            raise OptionError(f"{source} is not an auth file: 'credHelpers' holds something else than names of helpers")
        return cls(store, {same_path(without_user(key)): value for key, value in helpers.items()})

    def name_for(self, key: str) -> str:
        return self.by_host.get(same_path(key).partition("/")[0]) or self.store

    def refuse_empty(self, key: str, value: object, source: str) -> None:
        """Refuse an entry that only marks that its credential is in a helper."""
        if value in (None, {}) and (helper := self.name_for(key)):
            raise _kept_elsewhere(source, without_user(key), helper)

    def refuse_chosen(self, pattern: str, source: str) -> None:
        """Refuse a chosen registry that the file has only in a helper."""
        for host, helper in self.by_host.items():
            if matches(host, pattern):
                raise _kept_elsewhere(source, host, helper)

    def refuse_unreachable(self, keys: Collection[str], source: str) -> None:
        """Refuse a file whose credentials are all, or for some host, only in a helper."""
        hosts = {same_path(key).partition("/")[0] for key in keys}
        elsewhere = [host for host in self.by_host if host not in hosts]
        if elsewhere:
            raise _kept_elsewhere(source, ", ".join(sorted(elsewhere)), self.by_host[elsewhere[0]])
        if self.store and not keys:
            raise _kept_elsewhere(source, "every registry", self.store)


def _kept_elsewhere(source: str, registry: str, helper: str) -> OptionError:
    return OptionError(
        f"{source} holds no credential for {registry}: it is kept by the credential helper {'docker-credential-' + helper!r}, "
        "which no node can ask; log in with 'podman login --authfile FILE REGISTRY', or give 'registries' instead"
    )
