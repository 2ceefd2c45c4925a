# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to a registry or its token service, within a time and a size. The only file that imports `requests`."""

from __future__ import annotations

import ssl
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.errors import ImagePullError, OptionError
from .endpoints import endpoint
from .failures import root_cause, sentence
from .limits import Limits, limit

try:
    import requests

    IMPORT_ERROR = None
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

__all__ = ["IMPORT_ERROR", "Answer", "RegistryError", "RegistryOptions", "check_timeout", "send"]

#: Bytes of an answer up to the end of its headers. Registries send a few hundred; servers and proxies allow up to 32 KiB.
_LONGEST_ANSWER = 64 * 1024
_LONGEST_TIMEOUT = 3600

_NO_PROXY_URL = (
    "environment variable https_proxy holds no URL of a proxy that can be used, such as http://proxy.example.com:3128; "
    "correct it, or name the registry in no_proxy"
)


class RegistryError(ImagePullError):
    """A registry that could not be asked, or gave no answer of a registry."""


@dataclass(frozen=True)
class RegistryOptions:
    """`realm_host`: who takes the logins, when that is known: the registry is not asked then.

    `ca_cert` is the path of a file, `timeout` in seconds, for the whole answer.
    """

    registry: str
    realm_host: str | None = None
    ca_cert: str | None = None
    validate_certs: bool = True
    timeout: float = 10.0


@dataclass(frozen=True)
class Answer:
    """What is read of an answer. `body` only where it was asked for."""

    status: int
    challenges: Sequence[str]
    location: str
    digest: str = ""
    body: bytes = field(default=b"", repr=False)


def check_timeout(options: RegistryOptions) -> None:
    """:raises OptionError: when no answer can come in that time."""
    if not 0 < options.timeout <= _LONGEST_TIMEOUT:
        raise OptionError(f"option 'timeout' is in seconds, from 1 to {_LONGEST_TIMEOUT}")


def send(
    attempt: str,
    url: str,
    options: RegistryOptions,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    with_body: bool = False,
) -> Answer:
    """The answer to one request, within the time and the size that an answer may have. No redirect is followed.

    `attempt` begins the message of an error: what is asked of whom.

    :raises OptionError: when an option cannot work; nothing has been sent.
    :raises RegistryError: when there is no answer.
    """
    with requests.Session() as session:
        verify: bool | str = options.validate_certs and (options.ca_cert or True)
        settings = session.merge_environment_settings(url, {}, True, verify, None)
    proxy = requests.utils.select_proxy(url, settings["proxies"])
    if proxy and not _has_host(proxy):
        raise RegistryError(f"{attempt} failed: {_NO_PROXY_URL}")
    context = limit(_context(options, settings["verify"]), Limits(options.timeout, _LONGEST_ANSWER))
    adapter = _adapter(context)
    try:
        # Not by the session: it would send a login out of a .netrc file, and read what is not needed.
        raw = adapter.send(_request(method, url, headers), timeout=options.timeout, **settings)
        return Answer(
            raw.status,
            raw.headers.getlist("WWW-Authenticate"),
            raw.headers.get("Location", ""),
            raw.headers.get("Docker-Content-Digest", ""),
            raw.read(decode_content=False) if with_body else b"",
        )
    # An error of `requests` is an OSError; some of urllib3's it hands on as they are.
    except (OSError, requests.exceptions.BaseHTTPError, UnicodeError) as error:
        raise RegistryError(f"{attempt} failed: {_failure(error)}") from None
    finally:
        adapter.close()


def _request(method: str, url: str, headers: Mapping[str, str] | None) -> Any:
    given = {"User-Agent": "openshift_ops.image_pull", **(headers or {})}
    return requests.Request(method, url, headers=given).prepare()


def _adapter(context: ssl.SSLContext) -> Any:
    """What sends a request for `requests`, with our TLS context, and hands out the answer as it is."""

    class Adapter(requests.adapters.HTTPAdapter):  # type: ignore[misc]
        def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
            super().init_poolmanager(*arguments, ssl_context=context, **keywords)

        def proxy_manager_for(self, *arguments: Any, **keywords: Any) -> Any:
            return super().proxy_manager_for(*arguments, ssl_context=context, **keywords)

        def build_response(self, _request: Any, answer: Any) -> Any:
            return answer

    return Adapter()


def _context(options: RegistryOptions, verify: bool | str) -> ssl.SSLContext:
    """The TLS context. `verify`: against the system's authorities, those of a file or directory, or not at all.

    :raises OptionError: when the authorities cannot be read.
    """
    if not isinstance(verify, str):
        context = ssl.create_default_context()
        # Off before `requests` turns the verification off, which is refused otherwise.
        context.check_hostname = verify
        return context
    source = "option 'ca_cert'" if options.ca_cert else "environment variable REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
    try:
        directory = Path(verify).is_dir()
        return ssl.create_default_context(cafile=None if directory else verify, capath=verify if directory else None)
    except ssl.SSLError:
        raise OptionError(f"{source}: {verify!r} holds no certificate in PEM form") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no path"
        raise OptionError(f"{source}: {verify!r} cannot be read on the host that runs the task: {reason}") from None


def _has_host(proxy: str) -> bool:
    """Whether a request can go by that URL: `requests` has no error of its own for one without a host."""
    authority = proxy.rpartition("://")[2].partition("/")[0]
    try:
        endpoint(authority.rpartition("@")[2])
    except ValueError:
        return False
    return True


def _failure(error: Exception) -> str:
    """Why there was no answer, and what to do. A proxy's URL is never shown: it may hold a login."""
    if isinstance(error, requests.exceptions.ProxyError):
        return (
            "the proxy did not connect to it; check the environment variables https_proxy and no_proxy, and the proxy"
        )
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError)):
        return _NO_PROXY_URL
    return sentence(root_cause(error))
