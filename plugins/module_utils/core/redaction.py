# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must never be shown, in any encoding, and how a task's options are shown instead. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

__all__ = ["HIDDEN", "credentials", "credentials_in_text", "forms", "hide", "is_path"]

HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

#: Members that hold a credential wherever they stand: in options, auth files and kubeconfigs.
_SECRET_MEMBERS = frozenset(
    {
        "accesstoken",
        "apikey",
        "auth",
        "basicauth",
        "clientkeydata",
        "clientsecret",
        "identitytoken",
        "idtoken",
        "password",
        "proxybasicauth",
        "refreshtoken",
        "registrytoken",
        "token",
    }
)
_SHOWN_OF_REGISTRY = frozenset({"registry", "username", "email"})
_CONTAINERS = frozenset({"auth_config"})
#: Options that are URLs or parts of one, where some write a login.
_ADDRESSES = ("host", "registry")


def credentials(options: Mapping[str, Any], no_log_values: Iterable[str]) -> set[str]:
    """All strings to be masked in a task's output: the credentials among its options, in every form they may take.

    Ansible would mask each string of `auth_config`, so that a user named `app` blanks every "app" in the result.
    """
    config = _decoded(options.get("auth_config"))
    harmless = set() if isinstance(config, str) else set(_strings(config, secret=False))
    found = set(no_log_values) - harmless
    for value in options.values():
        found.update(_strings(_decoded(value), secret=True))
    found.update(_proxy_password(options.get("proxy")))
    for name in _ADDRESSES:
        found.update(_proxy_password(_authority(options.get(name))))
    return {form for value in found if value for form in forms(value)}


def credentials_in_text(text: str) -> set[str]:
    """The same for the text of an auth file."""
    return {form for value in _strings(_decoded(text), secret=True) for form in forms(value)}


def forms(secret: str) -> set[str]:
    """A credential as it is, as JSON would escape it, and in base64."""
    escaped = json.dumps(secret)[1:-1]
    encoded = base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode("ascii")
    return {secret, escaped, encoded}


def hide(options: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The options as they may be shown. What is not `known` may be a misspelt password."""
    shown = {name: value for name, value in options.items() if not name.startswith("_ansible_")}
    return {name: _hide(name, value) if name in known else HIDDEN for name, value in shown.items()}


def _hide(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if _is_secret(name) or name in _CONTAINERS or (name == "kubeconfig" and not is_path(value)):
        return HIDDEN
    if name == "registries":
        return [_hide_registry(item) for item in value] if isinstance(value, list) else HIDDEN
    if _proxy_password(value if name == "proxy" else _authority(value) if name in _ADDRESSES else None):
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: _hide(str(key), part) for key, part in value.items()}
    return value


def _hide_registry(item: Any) -> Any:
    if not isinstance(item, Mapping):
        return HIDDEN
    return {key: part if key in _SHOWN_OF_REGISTRY or part is None else HIDDEN for key, part in item.items()}


def _strings(value: Any, *, secret: bool, inside: bool = False) -> Iterable[str]:
    """The strings under members that hold a credential (`secret`), or all the others."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _strings(part, secret=secret, inside=inside or _is_secret(str(key)))
        if secret and value.get("username") and value.get("password"):
            yield f"{value['username']}:{value['password']}"
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _strings(part, secret=secret, inside=inside)
    elif isinstance(value, str) and value and inside == secret:
        yield value
        if secret:
            yield from _inside_auth(value)


def _inside_auth(value: str) -> Iterable[str]:
    """User and password in an `auth` field, which may lack its padding or hold a line end; and the password alone."""
    text = "".join(value.split()).rstrip("=")
    try:
        login = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-8")
    except ValueError:
        return
    password = login.partition(":")[2]
    if password:
        yield from (login, password)


def _is_secret(name: str) -> bool:
    return name.lower().replace("_", "").replace("-", "") in _SECRET_MEMBERS


def is_path(kubeconfig: Any) -> bool:
    """Whether a kubeconfig is given as a path, or several, rather than as content."""
    return isinstance(kubeconfig, str) and "\n" not in kubeconfig and not kubeconfig.lstrip().startswith("{")


def _decoded(value: Any) -> Any:
    """JSON given as text, decoded, so that what is in it can be found."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _proxy_password(proxy: Any) -> Iterable[str]:
    """What stands between the first colon and the last `@`, also where the URL is no good one."""
    login = proxy.rpartition("@")[0].rpartition("://")[2] if isinstance(proxy, str) else ""
    password = login.partition(":")[2]
    return [password, unquote(password)] if password else []


def _authority(url: Any) -> str | None:
    """What stands before the path: an image's digest follows an `@` too."""
    return url.rpartition("://")[2].partition("/")[0] if isinstance(url, str) else None
