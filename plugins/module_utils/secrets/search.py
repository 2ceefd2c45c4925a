# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search for a credential in secrets. Pure. The credential itself is never reported."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..core.objects import Json, as_dict, metadata
from ..core.redaction import secret_forms
from ..dockerconfig.registry_keys import host_of, without_user
from .content import StoredSecret

__all__ = ["SHORTEST", "CredentialSearch", "Match"]

#: Minimum length of a searched credential. A shorter one would also be found in unrelated words.
SHORTEST = 8


@dataclass(frozen=True)
class Match:
    """`location` is a registry key, a data key or an annotation. `as_asked`: the registry and the user match those that were given, too."""

    location: str
    as_asked: bool


@dataclass(frozen=True, repr=False)
class CredentialSearch:
    """`secret` is the password or token. With `registry` and `username`, only entries for them count as the exact login."""

    secret: str
    registry: str = ""
    username: str = ""

    @cached_property
    def _forms(self) -> Sequence[bytes]:
        return [form.encode("utf-8", "surrogateescape") for form in secret_forms(self.secret)]

    def matches(self, secret: Json) -> list[Match]:
        """Return each location of the credential in the secret once: first entries of the auth file, then data keys, then annotations."""
        held = StoredSecret.of(secret)
        found = {}
        for key, (username, password) in held.for_kubelet.logins.items():
            if password == self.secret:
                found[without_user(key)] = self._is_login(key, username)
        data = {name: value for name, value in as_dict(secret.get("data")).items() if isinstance(value, str)}
        for name, value in data.items():
            # If no entry of the auth file has it, its data key may still hold the credential in another form.
            if not (found and name == held.key) and self._is_in(_decode_value(value)):
                found[f"data key {name}"] = not (self.registry or self.username)
        for name, value in as_dict(metadata(secret).get("annotations")).items():
            if isinstance(value, str) and any(self._is_in(part) for part in _annotation_parts(value)):
                found[f"annotation {name}"] = not (self.registry or self.username)
        return [Match(location, as_asked) for location, as_asked in found.items()]

    def _is_login(self, key: str, username: str) -> bool:
        return (not self.registry or host_of(self.registry) == host_of(key)) and self.username in ("", username)

    def _is_in(self, content: bytes) -> bool:
        return any(form in content for form in self._forms)


def _decode_value(value: str) -> bytes:
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        return value.encode("utf-8", "surrogatepass")


def _annotation_parts(annotation: str) -> Iterator[bytes]:
    """The text of an annotation, and each base64 value in it: `kubectl apply` writes the whole secret into one."""
    yield annotation.encode("utf-8", "surrogatepass")
    for part in annotation.split('"'):
        if len(part) > SHORTEST:
            try:
                yield base64.b64decode(part, validate=True)
            except (binascii.Error, ValueError):
                continue
