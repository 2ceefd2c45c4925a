# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one request over TLS, with limits on time and size. It follows no redirect and sends only the given login.

For the clients of services outside the cluster. The only file that imports `requests`.
"""

from __future__ import annotations

import socket
import ssl
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...core.errors import ImagePullError, OptionError
from ...core.file_errors import describe_read_error
from ...core.times import check_seconds
from .addresses import InsideAddress, inside_kind, inside_kind_of_host
from .connection_classes import customize_connections
from .endpoints import endpoint
from .failures import Words, root_cause, sentence
from .hostname_check import enforce_hostname
from .limits import Limits, OversizedResponse, TruncatedResponse, limit_context, limit_socket

try:
    import requests

    IMPORT_ERROR = None
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

__all__ = [
    "IMPORT_ERROR",
    "HttpsError",
    "HttpsOptions",
    "HttpsResponse",
    "InsideAddressError",
    "check_timeout",
    "send_https_request",
]

_NO_PROXY_URL = (
    "environment variable https_proxy is not a usable URL of a proxy, such as http://proxy.example.com:3128. "
    "Correct it, or name the {server} in no_proxy"
)


class HttpsError(ImagePullError):
    """A server that did not answer."""


class InsideAddressError(HttpsError):
    """A server that was not contacted because of its address. `kind` is the kind of address, such as `loopback`."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class HttpsOptions:
    """Options of one request. `ca_cert` is the path of a file. `timeout` is in seconds, for the whole response. `words` are for messages.

    `inside`: the server may be at any address. Otherwise, it is not contacted at an address that only the host of the task reaches.
    `is_insecure`: a cluster declares that the server's certificate is not verified. Through a proxy with TLS, it is verified nevertheless:
    one setting applies to both, and a cluster must not decide which server gets the login of the proxy.
    """

    ca_cert: str | None = None
    validate_certs: bool = True
    timeout: float = 10.0
    words: Words = field(default_factory=Words)
    inside: bool = True
    is_insecure: bool = False


@dataclass(frozen=True)
class HttpsResponse:
    """The status, the headers in their order, and the unchanged body if it was requested."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes = field(default=b"", repr=False)

    def all_of(self, name: str) -> list[str]:
        """Return the values of all headers with that name, ignoring case."""
        return [value for found, value in self.headers if found.lower() == name.lower()]

    def header(self, name: str) -> str:
        """Return the value of a header. Several values are joined by a comma. Empty if there is none."""
        return ", ".join(self.all_of(name))


def check_timeout(options: HttpsOptions) -> None:
    """Check the timeout.

    :raises OptionError: if no response can arrive in that time.
    """
    check_seconds(f"{options.words.prefix}timeout", options.timeout)


def send_https_request(
    attempt: str,
    url: str,
    options: HttpsOptions,
    *,
    longest: int,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    data: str | None = None,
    with_body: bool = False,
) -> HttpsResponse:
    """Send one request and return the response, with limits on time and size. No redirect is followed.

    `attempt` begins error messages: it names the request and the server. `longest` is the maximum size of the response in bytes,
    including headers. `data` is the ASCII body of the request.

    :raises OptionError: if an option is invalid. Nothing has been sent.
    :raises InsideAddressError: if the server was not contacted because of its address.
    :raises HttpsError: if there is no response.
    """
    host = urlsplit(url).hostname or ""
    # A proxy resolves the name itself, so only the URL can be checked here.
    if not options.inside and (kind := inside_kind_of_host(host)):
        raise _inside_error(attempt, kind)
    with requests.Session() as session:
        verify: bool | str = options.validate_certs and (options.ca_cert or True)
        settings = session.merge_environment_settings(url, {}, True, verify, None)
    proxy = requests.utils.select_proxy(url, settings["proxies"])
    if proxy and not _has_host(proxy):
        raise HttpsError(f"{attempt} failed: {options.words.of(_NO_PROXY_URL)}")
    # urllib3 would not verify the proxy's certificate, and old versions cannot.
    if url.lower().startswith("http://") and _has_tls(proxy):
        raise HttpsError(f"{attempt} failed: a server without TLS is not contacted through a proxy with TLS")
    settings["proxies"] = {"all": _add_scheme(proxy)} if proxy else {}
    if options.is_insecure and not _has_tls(proxy):
        settings["verify"] = False
    limits = Limits(options.timeout, longest)
    context = limit_context(enforce_hostname(_context(options, settings["verify"]), host), limits)
    adapter = _adapter(
        context, limits, _proxy_arguments(proxy, options, settings["verify"], limits), inside=options.inside
    )
    try:
        # Not by the session: it would send a login from a .netrc file, and read the unneeded body.
        raw = adapter.send(_request(method, url, headers, data), timeout=options.timeout, **settings)
        body = raw.read(decode_content=False) if with_body else b""
        return HttpsResponse(raw.status, list(raw.headers.items()), body)
    # Errors of `requests` are OSErrors, but it passes on some errors of urllib3 unchanged.
    except (OSError, requests.exceptions.BaseHTTPError, UnicodeError) as error:
        if kind := _refused_kind(error):
            raise _inside_error(attempt, kind) from None
        raise HttpsError(f"{attempt} failed: {_failure(error, options.words)}") from None
    finally:
        adapter.close()


def _request(method: str, url: str, headers: Mapping[str, str] | None, data: str | None) -> Any:
    given = {"User-Agent": "openshift_ops.image_pull", **(headers or {})}
    return requests.Request(method, url, headers=given, data=data).prepare()


def _refused_kind(error: Exception) -> str:
    """The kind of the refused address. Empty for another failure.

    The caller drops the cause, because its traceback would keep the connection open.
    """
    cause = root_cause(error)
    return str(cause) if isinstance(cause, InsideAddress) else ""


def _inside_error(attempt: str, kind: str) -> InsideAddressError:
    return InsideAddressError(f"{attempt} was not attempted: the server is at a {kind} address", kind)


def _adapter(context: ssl.SSLContext, limits: Limits, of_proxy: Mapping[str, Any], *, inside: bool) -> Any:
    """An adapter that sends a request for `requests` with our TLS context and limits, and returns the unchanged response."""

    class Adapter(requests.adapters.HTTPAdapter):  # type: ignore[misc]
        def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
            super().init_poolmanager(*arguments, ssl_context=context, **keywords)
            _apply_limits(limits, self.poolmanager, () if inside else (_outside_connection(limits),))

        def proxy_manager_for(self, *arguments: Any, **keywords: Any) -> Any:
            manager = super().proxy_manager_for(*arguments, ssl_context=context, **of_proxy, **keywords)
            return _apply_limits(limits, manager)

        def build_response(self, _request: Any, answer: Any) -> Any:
            return answer

    return Adapter()


def _apply_limits(limits: Limits, manager: Any, bases: Sequence[type[Any]] = ()) -> Any:
    """A pool manager of urllib3 whose connections apply the limits even without our TLS context."""

    class Keeping:
        def _new_conn(self) -> Any:
            return limit_socket(super()._new_conn(), limits.of_proxy())  # type: ignore[misc]

    customize_connections(manager, {}, Keeping, *bases)
    return manager


def _outside_connection(limits: Limits) -> type[Any]:
    """A base class for connections that refuses inside addresses. It resolves the name once, and connects to the checked address."""

    class Outside:
        def _new_conn(self) -> Any:
            *first, last = _outside_addresses(self._dns_host, self.port)  # type: ignore[has-type, attr-defined]
            for address in first:
                with suppress(OSError, requests.exceptions.BaseHTTPError):
                    return self._connected(address)
            return self._connected(last)

        def _connected(self, address: str) -> Any:
            """The connection keeps the name of the host, because the certificate is compared with it."""
            name = self._dns_host  # type: ignore[has-type]
            self._dns_host, self.timeout = address, limits.seconds_left()
            try:
                return super()._new_conn()  # type: ignore[misc]
            finally:
                self._dns_host = name

    return Outside


def _outside_addresses(name: str, port: int) -> list[str]:
    """The addresses of a host that are not inside addresses, in the resolver's order.

    :raises InsideAddress: if there are only inside addresses.
    """
    found = socket.getaddrinfo(name.strip("[]"), port, type=socket.SOCK_STREAM)
    kinds = {str(address[0]): inside_kind(str(address[0])) for *_family, address in found}
    outside = [address for address, kind in kinds.items() if not kind]
    if not outside:
        raise InsideAddress(next(iter(kinds.values()), "reserved"))
    return outside


def _has_tls(proxy: str | None) -> bool:
    return bool(proxy) and str(proxy).lower().startswith("https://")


def _proxy_arguments(proxy: str | None, options: HttpsOptions, verify: bool | str, limits: Limits) -> dict[str, Any]:
    """The settings of urllib3 for a proxy with TLS: it trusts the same authorities as `requests`."""
    if not proxy or not _has_tls(proxy):
        return {}
    context = enforce_hostname(_context(options, verify), urlsplit(proxy).hostname)
    if verify is True:
        with suppress(OSError):  # `requests` reports it
            context.load_verify_locations(requests.certs.where())
    elif not verify:
        context.verify_mode = ssl.CERT_NONE
    return {"proxy_ssl_context": limit_context(context, limits.of_proxy())}


def _context(options: HttpsOptions, verify: bool | str) -> ssl.SSLContext:
    """The TLS context. `verify`: True for the system's authorities, the path of a file or directory, or False for no verification.

    :raises OptionError: if the authorities cannot be read.
    """
    if not isinstance(verify, str):
        context = ssl.create_default_context()
        # Must be off before `requests` disables the verification.
        context.check_hostname = verify
        return context
    source = (
        options.words.of("option '{prefix}ca_cert'")
        if options.ca_cert
        else "environment variable REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
    )
    try:
        directory = Path(verify).is_dir()
        return ssl.create_default_context(cafile=None if directory else verify, capath=verify if directory else None)
    except ssl.SSLError:
        raise OptionError(f"{source}: {verify!r} contains no certificate in PEM format") from None
    except (OSError, ValueError) as error:
        reason = describe_read_error(verify, error)
        raise OptionError(f"{source}: {verify!r} cannot be read on the host that runs the task: {reason}") from None


def check_authorities(options: HttpsOptions) -> None:
    """Check the file with the certificate authorities.

    :raises OptionError: if it cannot be used.
    """
    if options.validate_certs and options.ca_cert:
        _context(options, options.ca_cert)


def _has_host(proxy: str) -> bool:
    """Whether the URL of the proxy has a valid host. `requests` does not report a missing host."""
    authority = proxy.rpartition("://")[2].partition("/")[0]
    try:
        endpoint(authority.rpartition("@")[2])
    except ValueError:
        return False
    return True


def _add_scheme(proxy: str) -> str:
    """`requests` before 2.27 misreads `host:port`, from Python 3.9 on (psf/requests issue 5855)."""
    return proxy if "://" in proxy else f"http://{proxy}"


def _failure(error: Exception, words: Words) -> str:
    """The reason for a missing response, and the fix. A proxy's URL is never shown, because it may contain a login."""
    cause = root_cause(error)
    # urllib3 1.26 reports any interrupted response through a proxy as an error of the proxy.
    if isinstance(error, requests.exceptions.ProxyError) and not isinstance(
        cause, (TimeoutError, OversizedResponse, TruncatedResponse)
    ):
        return (
            "the proxy did not connect to it. Check the environment variables https_proxy and no_proxy, and the proxy"
        )
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError)):
        return words.of(_NO_PROXY_URL)
    return sentence(cause, words)
