# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates a pool of connections with a login from connection options.

Options and variables have the same meaning as in kubernetes.core (plugins/module_utils/k8s/client.py), so that one setting serves
both. Combinations that would send a login to the wrong server, or would be ignored, are refused.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...core.errors import OptionError
from ..https.connections import (
    encode_header,
    environment_proxy,
    find_proxy,
    has_tls,
    open_pool,
    proxy_host,
    proxy_login_headers,
)
from ..https.exchange import HTTPHeaderDict, certifi, urllib3
from .errors import ConnectError
from .kubeconfig import Pem, Section, client_context, load_kubeconfig
from .login import (
    ConnectionOptions,
    Credential,
    CredentialSource,
    Route,
    basic_header,
    bearer_header,
    check_scope,
    from_token_file,
    login_of_user,
    prefer_own_login,
    static_login,
)

#: The directory with the login of a pod's service account.
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

#: The variables that disable the verification, in the order in which the option `validate_certs` reads them.
_VERIFICATION = ("K8S_AUTH_VALIDATE_CERTS", "K8S_AUTH_VERIFY_SSL")
#: Ansible's words for false.
_OFF = ("0", "f", "false", "n", "no", "off")

_UNENCRYPTED = (
    "{origin} begins with http://, so {what} would cross the network unencrypted. Nothing was sent. Give the https:// address "
    "of the API server, which 'oc whoami --show-server' prints. Without TLS, only an address of this host is used, such as that of 'kubectl proxy', "
    "and only without a login"
)

_GIVEN_PROXY = "'proxy', or proxy-url of the kubeconfig,"

_UNVERIFIED = (
    "the certificate of {host} is not verified, because the environment variable {name} disables the verification: an attacker on the network could read the "
    "login. AWX sets it to False for a credential without a certificate authority, regardless of its 'Verify SSL': paste the authority "
    "into the credential, even a public one. Elsewhere, set K8S_AUTH_SSL_CA_CERT and remove {name}. If this is intended, set "
    "'validate_certs: false' and remove {name}"
)


@dataclass(frozen=True, repr=False)
class _Target:
    """The server, the route to it, and the login. `server` is the server of the login's source, before an option replaced it."""

    host: str
    origin: str
    fetch: Any
    server: str = ""
    verify: bool = True
    authority: Pem | None = None
    certificate: Pem | None = None
    key: Pem | None = None
    server_name: str = ""
    proxy: str = ""
    no_proxy: str | None = None
    proxy_headers: Mapping[str, Any] | None = None
    user: str = ""
    groups: tuple[str, ...] = ()


class _Headers(dict[str, str]):
    """The headers of a request, and the number of their login."""

    login = 0


class Connection:
    """A connection to one API server. `pool` is a urllib3 pool manager, `host` the API server's URL, `warnings` are for the user."""

    def __init__(self, target: _Target, pool: Any, directory: str) -> None:
        self.host = target.host.rstrip("/")
        self.warnings = _warnings(target)
        self.pool = pool
        self._target = target
        self._directory = directory
        self._is_encrypted = not _is_plain(target.host)
        self._login = CredentialSource(target.fetch)
        self._lock = threading.Lock()
        self._shown = 0
        #: The lists of namespaces for several tasks, by label selector. None if the connection serves one task.
        self.namespaces: dict[str, Any] | None = None

    @property
    def secrets(self) -> frozenset[str]:
        """Return the strings of the login that must not be shown, in all forms. Empty until a login is needed."""
        return self._login.secrets

    @property
    def cluster_section(self) -> dict[str, Any]:
        """Return the `cluster` of a kubeconfig that reaches the server in the same way, without any login.

        :raises ConnectError: if the file with the certificate authorities cannot be read.
        """
        target, proxy = self._target, self._proxy
        trusted = target.authority.content() if target.verify and target.authority else b""
        given = {
            "server": self.host,
            "certificate-authority-data": base64.b64encode(trusted).decode(),
            "insecure-skip-tls-verify": not target.verify,
            "tls-server-name": target.server_name,
            "proxy-url": urllib3.util.parse_url(proxy)._replace(auth=None).url if proxy else "",
        }
        return {name: value for name, value in given.items() if value}

    @property
    def has_proxy_login(self) -> bool:
        """Whether the proxy of the options or the kubeconfig gets a login, which `cluster_section` leaves out."""
        proxy = self._proxy
        return bool(proxy) and "proxy-authorization" in proxy_login_headers(proxy, self._target.proxy_headers)

    @property
    def _proxy(self) -> str:
        """The proxy of the options or the kubeconfig, with its login. Empty for that of the environment."""
        target = self._target
        return find_proxy(target.host, target.proxy, target.no_proxy) if target.proxy else ""

    def headers(self) -> Any:
        """Return new headers with the login and the impersonation, for one request.

        :raises ConnectError: if there is no login, or it would be sent without TLS.
        """
        number, credential = self._login.current()
        if not self._is_encrypted and (credential.authorization or credential.certificate or self._target.certificate):
            raise ConnectError(_UNENCRYPTED.format(origin=self._target.origin, what="the login"))
        if credential.certificate is not None:
            self._show(number, credential)
        target = self._target
        headers: Any = HTTPHeaderDict() if target.groups else _Headers()
        headers.login = number
        if credential.authorization:
            headers["Authorization"] = credential.authorization
        if target.user:
            headers["Impersonate-User"] = encode_header(target.user)
        for group in target.groups:
            headers.add("Impersonate-Group", encode_header(group))
        return headers

    def renew(self, stale: Any) -> bool:
        """Renew the login after the API server has refused these headers. Whether there is a different login now.

        One thread at a time renews it. Later threads with the same headers get the same result.

        :raises ConnectError: if the login cannot be renewed.
        """
        return self._login.renew(stale.login)

    def _show(self, number: int, credential: Credential) -> None:
        """Make future connections present the certificate of the login plugin."""
        with self._lock:
            if number != self._shown:
                self._shown = number
                shown = replace(self._target, certificate=credential.certificate, key=credential.key)
                self.pool.connection_pool_kw["ssl_context"] = _server_context(shown, self._directory)
                self.pool.clear()


@contextmanager
def connect(
    options: ConnectionOptions,
    *,
    connections: int,
    temporary_directory: str,
    environment: ConnectionOptions | None = None,
    service_account: Path = _SERVICE_ACCOUNT,
) -> Iterator[Connection]:
    """Yield a connection. The first request opens it, and it is closed at the end of the block.

    `connections` is the maximum number of connections kept open. Python loads a client's key only from a file: a key that is not in a
    file is in `temporary_directory` for that moment. `environment` are the options from environment variables, which `options` also
    contain: their login is sent only to their server. `service_account` is the directory with the login of a pod.

    :raises OptionError: if the options are contradictory. `ConnectError` if they do not name an API server, or the login or a
        certificate is unusable.
    """
    given = environment or ConnectionOptions()
    options = prefer_own_login(options, given)
    _check_options(options)
    target = _target(options, service_account)
    _check_host(target)
    check_scope(options, given, _route(target, given))
    with _pool(target, connections, temporary_directory) as pool:
        yield Connection(target, pool, temporary_directory)


class SharedConnections:
    """The connections of several tasks with one environment, open until the stack closes. Tasks with the same options share one.

    `directory` replaces the temporary directories of the tasks, which do not exist as long.
    """

    def __init__(self, stack: ExitStack, directory: str) -> None:
        self._stack, self._directory = stack, directory
        self._opened: list[tuple[ConnectionOptions, int, Connection]] = []

    @contextmanager
    def connect(
        self, options: ConnectionOptions, *, connections: int, environment: ConnectionOptions, **_of_the_task: str
    ) -> Iterator[Connection]:
        """Yield the connection. See `connect`."""
        found = next((one for known, count, one in self._opened if (known, count) == (options, connections)), None)
        if found is None:
            opened = connect(
                options, connections=connections, temporary_directory=self._directory, environment=environment
            )
            found = self._stack.enter_context(opened)
            found.namespaces = {}
            self._opened.append((options, connections, found))
        yield found


def _check_options(options: ConnectionOptions) -> None:
    """Refuse options that would be ignored, or would send a login to the wrong server."""
    for name, other in (("username", "password"), ("password", "username"), ("client_key", "client_cert")):
        if getattr(options, name) and not getattr(options, other):
            raise OptionError(f"option '{name}' also needs '{other}': add the line '{other}: VALUE'")
    if options.host and not (options.has_login or options.names_kubeconfig):
        raise OptionError(
            "option 'host' needs a login for that host: give 'api_key', which 'oc whoami --show-token' prints, 'client_cert' with "
            "'client_key', 'username' with 'password', or the 'kubeconfig' whose login is for that host"
        )


def _target(options: ConnectionOptions, service_account: Path) -> _Target:
    """The target, in the order of kubernetes.core: only the options, the pod's service account, a kubeconfig. Options override both."""
    if options.host and options.has_login:
        base = _Target("", "", static_login(""))
    elif options.names_kubeconfig or not _is_pod(service_account):
        base = _target_from_kubeconfig(options)
    else:
        base = _target_from_service_account(service_account)
    return _apply_impersonation(options, _apply_options(options, replace(base, server=base.host)))


def _route(target: _Target, environment: ConnectionOptions) -> Route:
    of_environment = environment.proxy or environment_proxy(target.host)
    return Route(target.host, target.server, target.verify, target.proxy, of_environment)


def _target_from_kubeconfig(options: ConnectionOptions) -> _Target:
    found = load_kubeconfig(options.kubeconfig, options.context)
    cluster, user = found.cluster, found.user
    has_login = options.has_login
    return _Target(
        host=cluster.text("server"),
        origin=f"'server' of {cluster.title}",
        fetch=static_login("") if has_login else login_of_user(found),
        verify=not cluster.flag("insecure-skip-tls-verify"),
        authority=cluster.pem("certificate-authority"),
        certificate=None if has_login else user.pem("client-certificate"),
        key=None if has_login else user.pem("client-key"),
        server_name=cluster.text("tls-server-name"),
        proxy=cluster.text("proxy-url"),
        **({} if options.impersonate_user else _impersonation(user)),
    )


def _impersonation(user: Section) -> dict[str, Any]:
    """The impersonation in a kubeconfig's user."""
    for name in ("as-uid", "as-user-extra"):
        if user.values.get(name):
            raise user.error(f"'{name}' is not supported: remove it, or give 'impersonate_user', which replaces it")
    return {"user": user.text("as"), "groups": user.texts("as-groups")}


def _is_pod(service_account: Path) -> bool:
    return bool(
        os.environ.get("KUBERNETES_SERVICE_HOST")
        and os.environ.get("KUBERNETES_SERVICE_PORT")
        and (service_account / "token").is_file()
        and (service_account / "ca.crt").is_file()
    )


def _target_from_service_account(directory: Path) -> _Target:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    return _Target(
        host=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        origin="variable KUBERNETES_SERVICE_HOST",
        fetch=from_token_file(str(directory / "token"), "the service account's token"),
        authority=Pem("the service account's certificate authority", path=str(directory / "ca.crt")),
    )


def _apply_options(options: ConnectionOptions, base: _Target) -> _Target:
    given: dict[str, Any] = {
        "host": options.host,
        "origin": "option 'host'" if options.host else None,
        "verify": options.validate_certs,
        "authority": Pem("'ca_cert'", path=options.ca_cert) if options.ca_cert else None,
        "certificate": Pem("'client_cert'", path=options.client_cert) if options.client_cert else None,
        "key": Pem("'client_key'", path=options.client_key) if options.client_key else None,
        "proxy": options.proxy,
        "no_proxy": options.no_proxy,
        "proxy_headers": options.proxy_headers,
    }
    if options.api_key:
        given["fetch"] = static_login(bearer_header(options.api_key, "option 'api_key'"))
    elif options.username and options.password:
        given["fetch"] = static_login(basic_header(options.username, options.password))
    return replace(base, **{name: value for name, value in given.items() if value is not None})


def _apply_impersonation(options: ConnectionOptions, base: _Target) -> _Target:
    user, groups = options.impersonate_user or base.user, options.impersonate_groups or base.groups
    if groups and not user:
        raise OptionError(
            "'impersonate_groups', or 'as-groups' in a kubeconfig, needs a user to act as: also give 'impersonate_user'"
        )
    for value in (user, *groups):
        if not all(letter.isprintable() for letter in value):
            raise OptionError("'impersonate_user' or 'impersonate_groups' contains a line end or a control character")
    return replace(base, user=user, groups=groups)


def _check_host(target: _Target) -> None:
    """Refuse an invalid address early. The address is not quoted, because it may contain a login."""
    wrong = ""
    if not target.host:
        wrong = "is missing: give 'host'"
    elif "://" not in target.host:
        wrong = "is not a URL. Put https:// before it, such as https://api.example.com:6443"
    else:
        wrong = _url_problem(target.host)
    if wrong:
        raise ConnectError(f"{target.origin} {wrong}")


def _url_problem(url: str) -> str:
    try:
        parts = urllib3.util.parse_url(url)
    except urllib3.exceptions.HTTPError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.host or not url.isprintable() or " " in url:
        return "is not a valid URL. Correct it"
    if parts.auth:
        return "contains a login. Give it in 'username' and 'password'"
    return "contains a '?' or '#'. Remove it and the rest" if parts.query or parts.fragment else ""


def _is_plain(url: str) -> bool:
    """Whether the address does not use TLS."""
    return url.lower().startswith("http:")


def _is_loopback(url: str) -> bool:
    """Whether the address is on this host, for example that of `kubectl proxy`."""
    host = (urllib3.util.parse_url(url).host or "").strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _warnings(target: _Target) -> tuple[str, ...]:
    """A warning if only an environment variable disables the verification of the certificate: perhaps unintentionally."""
    if target.verify or not target.host.lower().startswith("https:"):
        return ()
    # The first variable that is set counts, as for the option.
    name = next((name for name in _VERIFICATION if name in os.environ), "")
    if os.environ.get(name, "").strip().lower() not in _OFF:
        return ()
    return (_UNVERIFIED.format(host=target.host.rstrip("/"), name=name),)


def _pool(target: _Target, connections: int, directory: str) -> Any:
    """Return the connections to the API server. A proxy with TLS is trusted like the API server."""
    try:
        proxy = find_proxy(target.host, target.proxy, target.no_proxy)
        if _is_plain(target.host) and (proxy or not _is_loopback(target.host)):
            raise ConnectError(_UNENCRYPTED.format(origin=target.origin, what="all credentials"))
        pool = open_pool(
            _server_context(target, directory),
            connections=connections,
            proxy=proxy,
            proxy_context=_proxy_context(target, proxy_host(proxy), directory) if has_tls(proxy) else None,
            proxy_headers=proxy_login_headers(proxy, target.proxy_headers),
        )
    except (TypeError, ValueError):
        # The error may quote the proxy's password.
        raise ConnectError(
            f"{_GIVEN_PROXY if target.proxy else 'the environment variable HTTPS_PROXY'} cannot be used, "
            "because it must begin with http:// or https:// (SOCKS is not supported): set 'proxy: http://HOST:PORT'"
        ) from None
    if target.server_name:
        pool.connection_pool_kw["server_hostname"] = target.server_name
    return pool


def _server_context(target: _Target, directory: str) -> Any:
    host = target.server_name or str(urllib3.util.parse_url(target.host).host).strip("[]")
    return client_context(
        host,
        verify=target.verify,
        authority=target.authority,
        certificate=target.certificate,
        key=target.key,
        directory=directory,
    )


def _proxy_context(target: _Target, host: str, directory: str) -> Any:
    context = client_context(
        host, verify=target.verify, authority=target.authority, certificate=None, key=None, directory=directory
    )
    if target.verify and target.authority is None:
        context.load_verify_locations(certifi.where())
    return context
