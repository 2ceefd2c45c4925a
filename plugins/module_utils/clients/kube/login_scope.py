# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options, and the restriction of a login to its own server. Pure, except that paths are resolved.

Environment variables give a server and a login for it, as in AWX. A person who may set variables of such a job must not see that login.
So it is sent only to that server: another server, or a proxy that could read it, needs a login of the task itself. The same applies to a
kubeconfig that the task does not name. Logins are compared by value, regardless of how they came into the task's options.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...core.errors import OptionError
from ..https.exchange import urllib3

__all__ = ["ConnectionOptions", "Route", "check_scope", "prefer_own_login"]

#: The options of each login, and the secret options among them.
_LOGINS = (
    (("api_key",), ("api_key",)),
    (("username", "password"), ("password",)),
    (("client_cert", "client_key"), ("client_cert", "client_key")),
)
_PATHS = ("client_cert", "client_key", "ca_cert")
_PROXY_LOGINS = ("proxy_basic_auth", "basic_auth")
_DEFAULT_PORTS = {"http": 80, "https": 443}

_OWN_LOGIN = "Give the task a login of its own, such as 'api_key'"


@dataclass(frozen=True, repr=False)
class ConnectionOptions:
    """The connection options, with their names. `kubeconfig` is a path (several joined by `:`) or the content as a mapping.

    `persist_config` has no effect. It is an option of kubernetes.core, with which one entry of `module_defaults` is shared.
    """

    kubeconfig: str | Mapping[str, Any] | None = None
    context: str | None = None
    host: str | None = None
    api_key: str | None = None
    username: str | None = None
    password: str | None = None
    validate_certs: bool | None = None
    ca_cert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    proxy: str | None = None
    no_proxy: str | None = None
    proxy_headers: Mapping[str, Any] | None = None
    persist_config: bool | None = None
    impersonate_user: str | None = None
    impersonate_groups: tuple[str, ...] = ()

    @property
    def has_login(self) -> bool:
        return bool(self.api_key or self.username or self.client_cert)

    @property
    def names_kubeconfig(self) -> bool:
        """Whether a kubeconfig or context is given, including an empty kubeconfig."""
        return self.kubeconfig not in (None, "") or bool(self.context)


@dataclass(frozen=True)
class Route:
    """The route of the requests. `host` is their target, `server` the server that a kubeconfig names for its login.

    `proxy` is empty for no proxy. `environment_proxy` is the proxy that the environment names.
    """

    host: str
    server: str
    verify: bool
    proxy: str = ""
    environment_proxy: str = ""


def prefer_own_login(options: ConnectionOptions, environment: ConnectionOptions) -> ConnectionOptions:
    """Return the options without the logins of the environment, if the task gives one of its own."""
    given = [(names, secrets) for names, secrets in _LOGINS if any(getattr(options, name) for name in names)]
    theirs = [names for names, secrets in given if _is_of_environment(options, environment, secrets)]
    if not theirs or len(theirs) == len(given):
        return options
    dropped: dict[str, Any] = {name: None for names in theirs for name in names}
    return replace(options, **dropped)


def check_scope(options: ConnectionOptions, environment: ConnectionOptions, route: Route) -> None:
    """Refuse a route on which a login that the task does not give would reach a server or proxy that the task names.

    `options` are the result of `prefer_own_login`. `environment` are the options from environment variables only.

    :raises OptionError: with the fix.
    """
    variables = ", ".join(_login_variables(options, environment))
    if variables and (environment.host or environment.names_kubeconfig):
        _check_server_of_variables(options, environment, route, variables)
        _check_proxy(options, environment, route, f"the login of the environment ({variables})")
    elif not options.has_login and not _has_own_kubeconfig(options, environment):
        _check_server_of_kubeconfig(options, environment, route)
        _check_proxy(options, environment, route, "the login of a kubeconfig, or of a pod, that the task does not name")
    _check_proxy_login(options, environment, route)


def _login_variables(options: ConnectionOptions, environment: ConnectionOptions) -> list[str]:
    """Return the variables of the environment whose login the requests have."""
    return [
        f"K8S_AUTH_{name.upper()}"
        for _names, secrets in _LOGINS
        for name in secrets
        if _is_of_environment(options, environment, (name,))
    ]


def _is_of_environment(options: ConnectionOptions, environment: ConnectionOptions, names: tuple[str, ...]) -> bool:
    both = [(_value(name, getattr(options, name)), _value(name, getattr(environment, name))) for name in names]
    return any(given and given == theirs for given, theirs in both)


def _value(name: str, given: str | None) -> str:
    if not given:
        return ""
    return os.path.realpath(given) if name in _PATHS else given.strip()


def _has_another_kubeconfig(options: ConnectionOptions, environment: ConnectionOptions) -> bool:
    """Whether the task itself names a kubeconfig, and not just that of the environment."""
    if options.kubeconfig in (None, ""):
        return False
    return bool(_files(options.kubeconfig) != _files(environment.kubeconfig))


def _has_own_kubeconfig(options: ConnectionOptions, environment: ConnectionOptions) -> bool:
    """Whether the task names a kubeconfig, and no file of the environment is in it: the login could be the one in that file."""
    if isinstance(options.kubeconfig, str) and isinstance(environment.kubeconfig, str):
        return bool(_files(options.kubeconfig)) and _files(options.kubeconfig).isdisjoint(
            _files(environment.kubeconfig)
        )
    return _has_another_kubeconfig(options, environment)


def _files(kubeconfig: str | Mapping[str, Any] | None) -> Any:
    if not isinstance(kubeconfig, str):
        return kubeconfig
    # Unlike that of Path, it takes a home directory that does not exist.
    expanded = (os.path.expanduser(path) for path in kubeconfig.split(os.pathsep) if path)  # noqa: PTH111
    return {os.path.realpath(path) for path in expanded}


def _check_server_of_variables(
    options: ConnectionOptions, environment: ConnectionOptions, route: Route, variables: str
) -> None:
    if environment.host:
        if _address(route.host) != _address(environment.host):
            raise OptionError(
                f"the login of the environment ({variables}) belongs to the server in K8S_AUTH_HOST, and the task names another one, "
                f"{route.host}. Nothing was sent. {_OWN_LOGIN}, or remove 'host'"
            )
    elif options.host or _has_another_kubeconfig(options, environment):
        raise OptionError(
            f"the login of the environment ({variables}) belongs to the servers of the kubeconfig in the environment, and the task "
            f"names another one, {route.host}. Nothing was sent. {_OWN_LOGIN}, or remove 'host' and 'kubeconfig'"
        )


def _check_server_of_kubeconfig(options: ConnectionOptions, environment: ConnectionOptions, route: Route) -> None:
    allowed = {_address(route.server), *([_address(environment.host)] if environment.host else ())}
    if options.host and _address(route.host) not in allowed:
        raise OptionError(
            f"the login of the kubeconfig belongs to its own server, and 'host' names another one, {route.host}. Nothing was sent. "
            f"{_OWN_LOGIN}, name the file in 'kubeconfig', or remove 'host'"
        )


def _check_proxy(options: ConnectionOptions, environment: ConnectionOptions, route: Route, login: str) -> None:
    """A proxy cannot read TLS, unless it can impersonate the server."""
    if not options.proxy or options.proxy == environment.proxy:
        return
    own_authority = options.ca_cert and _value("ca_cert", options.ca_cert) != _value("ca_cert", environment.ca_cert)
    if route.verify and not own_authority and route.host.lower().startswith("https:"):
        return
    raise OptionError(
        f"{login} would pass the proxy in 'proxy' without a certificate authority of the "
        "environment or kubeconfig to verify the server, so the proxy could read it. Nothing was sent. Give the authority in the same "
        "place as the login, for example in the AWX credential or in K8S_AUTH_SSL_CA_CERT, and verify the certificate, or set the proxy in "
        f"K8S_AUTH_PROXY. Alternatively: {_OWN_LOGIN}"
    )


def _check_proxy_login(options: ConnectionOptions, environment: ConnectionOptions, route: Route) -> None:
    given, theirs = options.proxy_headers or {}, environment.proxy_headers or {}
    is_theirs = any(given.get(name) and given[name] == theirs.get(name) for name in _PROXY_LOGINS)
    if is_theirs and route.environment_proxy and route.proxy not in ("", route.environment_proxy):
        raise OptionError(
            "the login in K8S_AUTH_PROXY_HEADERS_* belongs to the proxy of the environment, and another proxy would get it. Nothing was "
            "sent. Give 'proxy_headers' for the proxy in 'proxy', or remove 'proxy'"
        )


def _address(url: str) -> tuple[str, str, int | None, str]:
    """Return the parts of a URL that identify the server, or the text of an invalid URL.

    The parser is the same as for the requests, because parsers differ, for example in https://one\\@another.
    """
    try:
        parts = urllib3.util.parse_url(url.strip())
    except urllib3.exceptions.HTTPError:
        return "", url, None, ""
    scheme, host = (parts.scheme or "").lower(), (parts.host or "").lower()
    return scheme, host, parts.port or _DEFAULT_PORTS.get(scheme), (parts.path or "").rstrip("/")
