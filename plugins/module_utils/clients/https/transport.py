# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one request over TLS, with limits on time and size. It follows no redirect and sends only the given login.

For the clients of services outside the cluster.
"""

from __future__ import annotations

import os
import ssl
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...core.errors import ImagePullError, OptionError
from ...core.files import advise_reader, describe_read_error
from ...core.times import check_seconds
from .connections import (
    ClientContext,
    InsideAddress,
    find_proxy,
    has_tls,
    inside_kind_of_host,
    open_pool,
    proxy_host,
    proxy_login_headers,
)
from .exchange import (
    INCOMPLETE_RESPONSES,
    HttpResponse,
    Limits,
    Words,
    certifi,
    root_cause,
    send_request,
    sentence,
    urllib3,
)

#: Maximum number of servers whose connections a thread keeps open.
_MOST_KEPT = 8

_NO_PROXY_URL = (
    "environment variable https_proxy is not a usable URL of a proxy, such as http://proxy.example.com:3128. "
    "Correct it, or name the {server} in no_proxy"
)


class HttpsError(ImagePullError):
    """A server that did not answer."""


class CertificateError(HttpsError):
    """A server whose certificate could not be verified. That of a proxy does not count."""


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
    one setting applies to both, and a cluster must not decide which server gets the login of the proxy. `authorities`: certificates in PEM
    format. The server is then verified with them and those of Mozilla, whatever else this host trusts.
    """

    ca_cert: str | None = None
    validate_certs: bool = True
    timeout: float = 10.0
    words: Words = field(default_factory=Words)
    inside: bool = True
    is_insecure: bool = False
    authorities: str | None = field(default=None, repr=False)


class _LostConnection(Exception):
    """A kept connection that failed before the response, for example because the server closed it. The request can be sent again."""


#: Pools of connections by scheme, `host[:port]` and options of requests, the last used at the end.
_Pools = dict[tuple[str, str, HttpsOptions], Any]
_KEPT: ContextVar[_Pools | None] = ContextVar("kept connections", default=None)


class KeptConnections:
    """Lets the requests of each thread reuse its connections, because a handshake takes longer than a request. Use it as a context manager.

    A connection is kept for one scheme, host, port and set of options, so that a server affects only answers in its own name.
    """

    def __init__(self) -> None:
        self._of_threads: dict[int, _Pools] = {}

    def __enter__(self) -> KeptConnections:
        return self

    def __exit__(self, *_error: object) -> None:
        for pools in [*self._of_threads.values()]:
            while pools:
                pools.popitem()[1].clear()

    @contextmanager
    def in_effect(self) -> Iterator[None]:
        """Apply this to the requests of this thread in the block."""
        before = _KEPT.set(self._of_threads.setdefault(threading.get_ident(), {}))
        try:
            yield
        finally:
            _KEPT.reset(before)


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
) -> HttpResponse:
    """Send one request and return the response, with limits on time and size. No redirect is followed.

    `attempt` begins error messages: it names the request and the server. `longest` is the maximum size of the response in bytes,
    including headers. `data` is the ASCII body of the request.

    :raises OptionError: if an option is invalid. Nothing has been sent.
    :raises InsideAddressError: if the server was not contacted because of its address.
    :raises CertificateError: if its certificate could not be verified.
    :raises HttpsError: if there is no response.
    """
    # A proxy resolves the name itself, so only the URL can be checked here.
    if not options.inside and (kind := inside_kind_of_host(urlsplit(url).hostname or "")):
        raise _inside_error(attempt, kind)
    given = {"User-Agent": "openshift_ops.image_pull", **(headers or {})}
    body = data.encode() if data else None

    def send() -> HttpResponse:
        with _pool_for(attempt, url, options) as (pool, is_used):
            limits = Limits(options.timeout, longest, outside_only=not options.inside)
            try:
                # The response to HEAD has no body, and its connection can be kept only after its end.
                reads = with_body or method == "HEAD"
                return send_request(pool, method, url, given, body, limits=limits, with_body=reads)
            except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
                if is_used and body is None and not isinstance(root_cause(error), INCOMPLETE_RESPONSES):
                    raise _LostConnection from None
                raise _explain_error(attempt, error, options.words) from None

    try:
        return send()
    except _LostConnection:
        return send()


@contextmanager
def _pool_for(attempt: str, url: str, options: HttpsOptions) -> Iterator[tuple[Any, bool]]:
    """The connections for a request, and whether they were used before. They are closed unless they are kept."""
    kept = _KEPT.get()
    place = (*urlsplit(url)[:2], options)
    used = kept.pop(place, None) if kept else None
    pool = used or _open_pool(attempt, url, options)
    try:
        yield pool, used is not None
    except BaseException:
        pool.clear()
        raise
    if kept is None:
        pool.clear()
        return
    kept[place] = pool
    for oldest in [*kept][:-_MOST_KEPT]:
        kept.pop(oldest).clear()


def _inside_error(attempt: str, kind: str) -> InsideAddressError:
    return InsideAddressError(f"{attempt} was not attempted: the server is at a {kind} address", kind)


def _open_pool(attempt: str, url: str, options: HttpsOptions) -> Any:
    """Return the connections for a request. A proxy with TLS is trusted like the server.

    :raises OptionError: if the authorities cannot be read.
    :raises HttpsError: if the environment's proxy cannot be used.
    """
    try:
        proxy = find_proxy(url)
        by_tls, is_plain = has_tls(proxy), url.lower().startswith("http://")
        # urllib3 would not verify the proxy's certificate, and old versions cannot.
        if by_tls and is_plain:
            raise HttpsError(f"{attempt} failed: a server without TLS is not contacted through a proxy with TLS")
        verify = options.validate_certs and (by_tls or not options.is_insecure)
        return open_pool(
            None if is_plain else _context(options, urlsplit(url).hostname or "", verify=verify),
            proxy=proxy,
            proxy_context=_context(replace(options, authorities=None), proxy_host(proxy), verify=verify)
            if by_tls
            else None,
            proxy_headers=proxy_login_headers(proxy),
        )
    except ValueError:
        # The error may quote the proxy's password.
        raise HttpsError(f"{attempt} failed: {options.words.of(_NO_PROXY_URL)}") from None


def _context(options: HttpsOptions, host: str, *, verify: bool) -> ClientContext:
    """The TLS context for a host. It trusts the given authorities, or by default those of the system and of Mozilla.

    :raises OptionError: if the authorities cannot be read.
    """
    source, path = options.words.of("option '{prefix}ca_cert'"), options.ca_cert
    if not path:
        source = "environment variable REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
        path = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    settings = tuple(map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")))
    return _make_context(host, verify, options.authorities, source, path or "", _version_of(path), settings)


def _version_of(path: str | None) -> tuple[int, ...]:
    """What changes if a file is written again. Empty if it cannot be read."""
    with suppress(OSError, ValueError):
        found = Path(path or "").stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
    return ()


@lru_cache(maxsize=16)
def _make_context(
    host: str, verify: bool, authorities: str | None, source: str, path: str, _version: object, _settings: object
) -> ClientContext:
    """Make a context. To load all authorities takes longer than a request, and a question asks the same registry thousands of times."""
    context = ClientContext(host, verify=verify)
    if not verify:
        return context
    if authorities is not None:
        context.load_verify_locations(certifi.where())
        if authorities:
            with suppress(ssl.SSLError, ValueError):
                context.load_verify_locations(cadata=authorities)
        return context
    if not path:
        context.load_default_certs()
        context.load_verify_locations(certifi.where())
        return context
    try:
        is_directory = Path(path).is_dir()
        context.load_verify_locations(cafile=None if is_directory else path, capath=path if is_directory else None)
    except ssl.SSLError:
        raise OptionError(f"{source}: {path!r} contains no certificate in PEM format") from None
    except (OSError, ValueError) as error:
        reason = describe_read_error(path, error) + advise_reader(path, error)
        raise OptionError(f"{source}: {path!r} cannot be read on the host that runs the task: {reason}") from None
    return context


def check_authorities(options: HttpsOptions) -> None:
    """Check the file with the certificate authorities.

    :raises OptionError: if it cannot be used.
    """
    if options.validate_certs and options.ca_cert:
        _context(options, "", verify=True)


def _explain_error(attempt: str, error: Exception, words: Words) -> HttpsError:
    """The error for a missing response. A proxy's URL is never shown, because it may contain a login."""
    cause = root_cause(error)
    # Python 3.10 does not close the response of a proxy, and the traceback would keep it, and so the connection, open.
    traceback.clear_frames(cause.__traceback__)
    if isinstance(cause, InsideAddress):
        return _inside_error(attempt, str(cause))
    reason = sentence(cause, words)
    if isinstance(error, urllib3.exceptions.ProxyError) and not isinstance(cause, INCOMPLETE_RESPONSES):
        reason = (
            "the proxy did not connect to it. Check the environment variables https_proxy and no_proxy, and the proxy"
        )
    elif isinstance(cause, ssl.SSLCertVerificationError):
        return CertificateError(f"{attempt} failed: {reason}")
    return HttpsError(f"{attempt} failed: {reason}")
