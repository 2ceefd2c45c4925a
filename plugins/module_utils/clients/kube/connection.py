# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From connection options to a pool of connections. The only place that imports `kubernetes`.

Options and variables mean what they mean in kubernetes.core (plugins/module_utils/k8s/client.py), so that one setting
serves both. Only the client's configuration and its pool are used: they are there from 24.2 to 37, its models changed.
"""

from __future__ import annotations

import os
import tempfile
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.redaction import is_path
from .errors import ConnectError
from .whole_requests import send_whole_requests

try:
    import urllib3
    import yaml
    from kubernetes.client import Configuration
    from kubernetes.client.rest import RESTClientObject
    from kubernetes.config import (
        ConfigException,
        kube_config,
        load_incluster_config,
        load_kube_config,
        load_kube_config_from_dict,
    )

    IMPORT_ERROR = None
except ImportError:
    urllib3 = None  # type: ignore[assignment]
    IMPORT_ERROR = traceback.format_exc()

__all__ = ["IMPORT_ERROR", "Connection", "ConnectionOptions", "connect", "urllib3"]


@dataclass(frozen=True, repr=False)
class ConnectionOptions:
    """As the options of the same names. `kubeconfig` is a path (several joined by `:`) or the content as a mapping."""

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


@dataclass(frozen=True, repr=False)
class Connection:
    """An open way to one API server. `pool` is a urllib3 pool manager; `headers` are those of the caller."""

    host: str
    pool: Any
    configuration: Any
    identity: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    lock: Any = field(default_factory=threading.Lock)

    def headers(self) -> Any:
        """The login and the impersonation. A token that runs out is renewed by the client's own hook, one at a time."""
        with self.lock:
            token = self.configuration.auth_settings().get("BearerToken") or {}
        headers = dict(self.identity)
        if token.get("value"):
            headers["Authorization"] = token["value"]
        if not self.groups:
            return headers
        several = urllib3.HTTPHeaderDict(headers)
        for group in self.groups:
            several.add("Impersonate-Group", group)
        return several

    def renew(self, stale: Any) -> bool:
        """Whether there is another login than the one that was refused; `stale` are its headers."""
        return bool(self.headers().get("Authorization") != stale.get("Authorization"))


@contextmanager
def connect(options: ConnectionOptions, *, connections: int, temporary_directory: str) -> Iterator[Connection]:
    """Opens nothing yet: the first request does. In the end all is closed.

    `connections` are kept open at most. The client library writes embedded certificates to files, since Python can load
    them from nowhere else: they go to `temporary_directory`. A client's key is gone from it before the first request, the
    rest in the end.

    :raises ConnectError: when the options or the kubeconfig do not lead to an API server, or with a certificate of no use.
    """
    with _files_in(temporary_directory):
        configuration = _load(options)
        _apply(options, configuration)
        _check(configuration)
        configuration.connection_pool_maxsize = connections
        # Retries are the engine's: only it knows whether a request may be sent twice.
        configuration.retries = False
        pool = RESTClientObject(configuration).pool_manager
        _load_client_certificate(pool, temporary_directory)
        send_whole_requests(pool)
        with pool:
            yield _connection(options, configuration, pool)


@contextmanager
def _files_in(directory: str) -> Iterator[None]:
    """Where the client library makes its files, also later when it renews a login; they are gone in the end.

    Clients before 37 take no directory for them, but all of them ask Python for its default one.
    """
    before, tempfile.tempdir = tempfile.tempdir, directory
    try:
        yield
    finally:
        tempfile.tempdir = before
        # The client remembers them for as long as the process lives.
        getattr(kube_config, "_cleanup_temp_files", lambda: None)()


def _load_client_certificate(pool: Any, directory: str) -> None:
    """Loads it for all connections to come; what a killed run leaves in `directory` then holds no key."""
    settings = pool.connection_pool_kw
    certificate, key = settings.get("cert_file"), settings.get("key_file")
    if not certificate:
        return
    context = settings.get("ssl_context") or urllib3.util.ssl_.create_urllib3_context(cert_reqs=settings["cert_reqs"])
    try:
        # With a password, if an empty one, Python does not ask the terminal for that of an encrypted key.
        context.load_cert_chain(certificate, key, password="")
    except OSError:
        raise ConnectError(
            f"client certificate {certificate} and key {key or certificate} cannot be used: one is no PEM file, or encrypted, "
            "or they do not belong together; correct 'client_cert' and 'client_key', or the kubeconfig"
        ) from None
    settings.update(ssl_context=context, cert_file=None, key_file=None)
    # Certificates stay: the client library has one file for equal contents, and this one may be the authority's too.
    with_key = Path(key or certificate)
    if with_key.parent == Path(directory):
        with_key.unlink()


def _connection(options: ConnectionOptions, configuration: Any, pool: Any) -> Connection:
    identity: dict[str, str] = {}
    if configuration.username and configuration.password:
        login = f"{configuration.username}:{configuration.password}"
        identity["Authorization"] = _headers({"basic_auth": login})["authorization"]
    if options.impersonate_user:
        identity["Impersonate-User"] = options.impersonate_user
    return Connection(configuration.host.rstrip("/"), pool, configuration, identity, options.impersonate_groups)


def _load(options: ConnectionOptions) -> Any:
    """The configuration from kubeconfig or from the pod that we run in, in the order that kubernetes.core tries them."""
    configuration = Configuration()
    has_login = (
        options.api_key or (options.username and options.password) or (options.client_cert and options.client_key)
    )
    if options.host and has_login:
        return configuration
    if options.kubeconfig is None and options.context is None:
        try:
            load_incluster_config(client_configuration=configuration)
            return configuration
        except ConfigException:
            pass
    try:
        _load_kubeconfig(options, configuration)
    except (ConfigException, OSError, yaml.YAMLError, TypeError, KeyError, AttributeError, ValueError) as error:
        raise ConnectError(
            f"{_kubeconfig_name(options)} leads to no API server: {_first_line(error)}; {_WAY_OUT}"
        ) from None
    return configuration


_WAY_OUT = "give 'kubeconfig', or 'host' with 'api_key', or set K8S_AUTH_KUBECONFIG"


def _load_kubeconfig(options: ConnectionOptions, configuration: Any) -> None:
    common = {
        "context": options.context,
        "client_configuration": configuration,
        "persist_config": bool(options.persist_config),
    }
    if isinstance(options.kubeconfig, Mapping):
        load_kube_config_from_dict(config_dict=dict(options.kubeconfig), **common)
    else:
        load_kube_config(config_file=options.kubeconfig, **common)


def _kubeconfig_name(options: ConnectionOptions) -> str:
    """Its path. Content given as text, instead of as a mapping, is not repeated."""
    given = options.kubeconfig
    name = "by default" if not given else given if isinstance(given, str) and is_path(given) else "given as data"
    return f"kubeconfig {name}" + (f", context {options.context}" if options.context else "")


def _first_line(error: BaseException) -> str:
    """What went wrong, without the file's content, which most errors quote."""
    if isinstance(error, yaml.YAMLError):
        mark = getattr(error, "problem_mark", None)
        return "it is not valid YAML" + (f" at line {mark.line + 1}" if mark else "")
    if isinstance(error, (ConfigException, OSError)):
        return (str(error).splitlines() or [""])[0].rstrip(".") or type(error).__name__
    return "it is not a valid kubeconfig"


def _apply(options: ConnectionOptions, configuration: Any) -> None:
    """Options win over the kubeconfig."""
    given = {
        "host": options.host,
        "username": options.username,
        "password": options.password,
        "verify_ssl": options.validate_certs,
        "ssl_ca_cert": options.ca_cert,
        "cert_file": options.client_cert,
        "key_file": options.client_key,
        "proxy": options.proxy,
        "no_proxy": options.no_proxy,
        "proxy_headers": _headers(options.proxy_headers) if options.proxy_headers else None,
    }
    for name, value in given.items():
        if value is not None:
            setattr(configuration, name, value)
    if options.api_key:
        configuration.api_key = {"authorization": f"Bearer {options.api_key.strip()}"}
        configuration.refresh_api_key_hook = None


def _headers(given: Mapping[str, Any]) -> dict[str, str]:
    """As urllib3 makes them, but with logins in UTF-8 (RFC 7617): it knows Latin-1 only."""
    headers: dict[str, str] = urllib3.util.make_headers(
        **{name: value.encode("utf-8").decode("latin-1") for name, value in given.items()}
    )
    return headers


def _check(configuration: Any) -> None:
    """What would otherwise fail late, or send the login unencrypted."""
    if "://" not in configuration.host:
        raise ConnectError(f"host {configuration.host} is no URL; put https:// before it")
    files = {"ca_cert": "ssl_ca_cert", "client_cert": "cert_file", "client_key": "key_file"}
    for option, name in files.items():
        path = getattr(configuration, name)
        if path and not os.access(path, os.R_OK):
            raise ConnectError(f"'{option}' {path} cannot be read on the host that runs the task; correct the path")
