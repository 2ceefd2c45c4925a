# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credential helpers that an auth file names: programs on the host of its owner that hold the actual credentials. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..core.errors import OptionError
from .json_text import InvalidContent, Object, decode_string, fold_name, kind_name
from .registry_keys import is_match, same_path, without_user

__all__ = ["Helpers"]


@dataclass(frozen=True)
class Helpers:
    """The credential helpers of a file: `store` for all registries, `by_host` for single ones."""

    store: str
    by_host: Mapping[str, str]

    @classmethod
    def of(cls, top: Object, source: str) -> Helpers:
        """Return the helpers that a file names.

        :raises OptionError: when the file gives them in a wrong type.
        """
        fields = {fold_name(item.name): item.value for item in top.members if item.value != "null"}
        store = fields.get("credsstore", '""')
        try:
            helpers = Object.parse(fields.get("credhelpers", "null")).members
        except InvalidContent as error:
            raise OptionError(f"{source} is not an auth file: 'credHelpers' {error}") from None
        if kind_name(store) != "a string":
            raise OptionError(f"{source} is not an auth file: 'credsStore' is {kind_name(store)}, not a string")
        for item in helpers:
            if kind_name(item.value) != "a string":
                raise OptionError(
                    f"{source} is not an auth file: 'credHelpers' has a value that is {kind_name(item.value)}, not a string"
                )
        by_host = {same_path(without_user(item.name)): decode_string(item.value) for item in helpers}
        return cls(decode_string(store), by_host)

    def name_for(self, key: str) -> str:
        return self.by_host.get(same_path(key).partition("/")[0]) or self.store

    def refuse_empty(self, key: str, value: str, source: str) -> None:
        """Refuse an entry, given as JSON, that only marks that a helper keeps its credential."""
        empty = kind_name(value) in ("an object", "null") and not Object.parse(value).members
        if empty and (helper := self.name_for(key)):
            raise _helper_error(source, without_user(key), helper)

    def refuse_chosen(self, pattern: str, source: str) -> None:
        """Refuse a chosen registry whose credential only a helper keeps."""
        for host, helper in self.by_host.items():
            if is_match(host, pattern):
                raise _helper_error(source, host, helper)

    def refuse_unreachable(self, keys: Collection[str], source: str) -> None:
        """Refuse a file if helpers keep all of its credentials, or those of some host."""
        hosts = {same_path(key).partition("/")[0] for key in keys}
        elsewhere = [host for host in self.by_host if host not in hosts]
        if elsewhere:
            raise _helper_error(source, ", ".join(sorted(elsewhere)), self.by_host[elsewhere[0]])
        if self.store and not keys:
            raise _helper_error(source, "every registry", self.store)


def _helper_error(source: str, registry: str, helper: str) -> OptionError:
    return OptionError(
        f"{source} holds no credential for {registry}: the credential helper {'docker-credential-' + helper!r} keeps it, "
        "and nodes cannot ask the helper. Log in with 'podman login --authfile FILE REGISTRY', or give 'registries' instead"
    )
