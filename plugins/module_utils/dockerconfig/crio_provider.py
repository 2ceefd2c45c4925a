# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which logins crio-credential-provider takes from the pull secrets of a namespace for an image. Pure.

A mirror of cri-o/crio-credential-provider v0.1.2 `internal/pkg/auth/auth.go` and of `encoding/json`. It reads less than the kubelet: only
`auth`, only secrets of type kubernetes.io/dockerconfigjson, and one undecodable entry does not affect the other entries.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence

from .json_text import InvalidContent, Object, decode_string, fold_name, kind_name, value_of

__all__ = ["file_key", "is_login_for", "provider_logins"]

#: Go's `base64.StdEncoding`, with full padding.
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")


def provider_logins(text: str) -> Mapping[str, tuple[str, str]]:
    """Return user and password by key. Both are empty for an entry without a login, which hides other keys. Empty for invalid content."""
    try:
        auths = _auths_of(text)
    except InvalidContent:
        return {}
    logins = {key: _decode_auth(auth) for key, auth in auths.items()}
    return {key: login for key, login in logins.items() if login is not None}


def is_login_for(key: str, repository: str, locations: Iterable[str]) -> bool:
    """Whether an entry is taken for an image: its key, without the scheme, is the beginning of the image or of the location of a mirror."""
    begin = file_key(key)
    return any(place.startswith(begin) for place in (repository, *locations))


def file_key(key: str) -> str:
    """Return the key in the file that CRI-O gets: without the scheme."""
    return next((key.removeprefix(scheme) for scheme in _SCHEMES if key.startswith(scheme)), key)


_SCHEMES: Sequence[str] = ("https://", "http://")


def _auths_of(text: str) -> Mapping[str, str]:
    """The `auth` of each entry. :raises InvalidContent: when a part has the wrong type, so that the whole secret is skipped."""
    auths: dict[str, str] = {}
    for part in Object.parse(value_of(text)).members:
        if fold_name(part.name) == "auths":
            if part.value == "null":
                auths.clear()
            auths.update({entry.name: _auth_of(entry.value) for entry in Object.parse(part.value).members})
    return auths


def _auth_of(entry: str) -> str:
    auth = ""
    for field in Object.parse(entry).members:
        if fold_name(field.name) == "auth" and field.value != "null":
            if kind_name(field.value) != "a string":
                raise InvalidContent("has an 'auth' that is not a string")
            auth = decode_string(field.value)
    return auth


def _decode_auth(auth: str) -> tuple[str, str] | None:
    """User and password, or None for text that is not base64: such an entry is skipped."""
    text = auth.replace("\n", "").replace("\r", "")
    if not _BASE64.match(text):
        return None
    user, colon, password = base64.b64decode(text).decode("utf-8", "surrogateescape").partition(":")
    return (user, password.strip("\0")) if colon else ("", "")
