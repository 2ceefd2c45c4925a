# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one request to a registry or its token service, within limits. Reads how a registry authenticates, and manifests as a node does.

Grammar: `github.com/distribution/reference`, `reference.go` (an image name begins with `host[:port]`, in ASCII), and RFC 3986.
docker/docs content/manuals/docker-hub/usage/pulls.md: `ratelimit-limit: 100;w=21600`, `ratelimit-remaining: 76;w=21600`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ...core.errors import ImagePullError, OptionError
from ...core.objects import as_dict, as_list, as_str
from ..https import transport
from ..https.connections import Endpoint, authority
from ..https.connections import endpoint as any_endpoint
from ..https.exchange import HttpResponse, Words
from ..https.transport import CertificateError, HttpsError, HttpsOptions, InsideAddressError

#: The host of Docker Hub's registry, and its names in images and auth files.
_DOCKER_HUB = Endpoint("registry-1.docker.io", 443)
_DOCKER_HUB_NAMES = frozenset({Endpoint("docker.io", 443), Endpoint("index.docker.io", 443)})
#: The token service of Docker Hub. Like its other names, it is fixed and not taken from a response.
_DOCKER_HUB_TOKENS = Endpoint("auth.docker.io", 443)

#: A digest, which may follow an '@' in an image. Any other '@' ends a login.
_DIGEST = re.compile(r"@sha(256|384|512):[0-9a-fA-F]+\Z")


@lru_cache(maxsize=64)  # A key of a secret can be a megabyte long.
def registry_endpoint(text: str, scheme: str = "https") -> Endpoint:
    """Return the endpoint for `host[:port]` in a URL with that scheme, `http` or `https`. All names of Docker Hub have the same one.

    :raises ValueError: if it is invalid. The message gives the reason.
    """
    found = any_endpoint(text, scheme)
    return _DOCKER_HUB if found in _DOCKER_HUB_NAMES else found


def is_token_service_of(registry: Endpoint, service: Endpoint) -> bool:
    """Whether logins of the registry may be sent to the service without an option: its own endpoint, and Docker Hub's service."""
    return service == registry or (registry, service) == (_DOCKER_HUB, _DOCKER_HUB_TOKENS)


def option_host(option: str, text: str) -> str:
    """Return the `host[:port]` in an option whose value is a host, a URL, an image or a repository.

    :raises OptionError: if there is none, or the scheme is not `https`.
    """
    scheme, found, rest = text.strip().partition("://")
    if found and scheme.lower() != "https":
        raise OptionError(
            f"option {option!r}: only https is supported, because others can read a login that is sent without TLS. "
            "Give host[:port] without a scheme"
        )
    reference = _DIGEST.sub("", rest if found else scheme)
    shown = reference.rpartition("@")[2]
    if shown != reference:
        raise OptionError(f"option {option!r}: give host[:port] without a user or password, such as {shown!r}")
    host = reference.partition("/")[0]
    try:
        registry_endpoint(host)
    except ValueError as error:
        raise OptionError(f"option {option!r}: {shown!r} does not begin with host[:port]: {error}") from None
    return host


def url_host(url: str) -> tuple[str, Endpoint]:
    """Return the unchanged `host[:port]` of an `http` or `https` URL, and its endpoint.

    :raises ValueError: if it is not such a URL.
    """
    scheme, host = authority(url)
    return host, registry_endpoint(host, scheme)


def redirect_target(location: str) -> str:
    """Return the target of a redirect as the end of a clause. Empty if it is the same host or unknown."""
    try:
        return f" to {url_host(location)[1]}"
    except ValueError:
        return ""


_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_SCHEME = re.compile(rf"[\s,]*({_TOKEN})(?=[\s,]|\Z)")
#: A value is a quoted string with backslash escapes, or anything up to a comma: OpenShift sends its realm unquoted.
#: Each character matches in only one way, so the time to read a header is proportional to its length.
_PARAMETER = re.compile(rf'[\s,]*({_TOKEN})\s*=\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^",]*))', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Challenge:
    """One scheme with its parameters. The names of both are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AuthInfo:
    """How a registry authenticates.

    `scheme` is `bearer`, `basic` or `none`, or empty if the registry was not asked. `realm_host` is the receiver of logins, as
    `host` or `host:port`. `delegated`: the login is sent to another host or port than the registry's.
    """

    scheme: str
    realm: str = ""
    realm_host: str = ""
    service: str = ""
    delegated: bool = False


def parse_challenges(header: str) -> list[Challenge]:
    """Return the challenges of one header in order. Invalid parts are left out."""
    challenges = []
    position = 0
    while scheme := _SCHEME.match(header, position):
        position = scheme.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(header, position):
            name, quoted, plain = parameter.groups()
            value = plain.strip() if quoted is None else _ESCAPED.sub(r"\1", quoted)
            parameters.setdefault(name.lower(), value)
            position = parameter.end()
        challenges.append(Challenge(scheme.group(1).lower(), parameters))
    return challenges


def auth_info(host: str, headers: Iterable[str]) -> AuthInfo | None:
    """Return the first scheme in a 401 response of `host` that a node's client supports. None if there is none."""
    for challenge in (challenge for header in headers for challenge in parse_challenges(header)):
        realm = challenge.parameters.get("realm", "")
        if challenge.scheme == "basic":
            return AuthInfo("basic", realm, host)
        if challenge.scheme == "bearer" and (info := _bearer(host, realm, challenge.parameters.get("service", ""))):
            return info
    return None


def _bearer(host: str, realm: str, service: str) -> AuthInfo | None:
    """None if the realm is not a URL to which a login could be sent. A path is one on the registry."""
    if not realm.isprintable() or " " in realm:
        return None
    if realm.startswith("/") and not realm.startswith("//"):
        return AuthInfo("bearer", realm, host, service)
    try:
        realm_host, where = url_host(realm)
    except ValueError:
        return None
    return AuthInfo("bearer", realm, realm_host, service, where != registry_endpoint(host))


#: Maximum size of a response, in bytes. Headers of registries have a few hundred bytes, and servers and proxies allow up to 32 KiB.
_LONGEST_ANSWER = 64 * 1024
_WORDS = Words("registry", "registry_")


class RegistryError(ImagePullError):
    """The registry could not be reached, or its response is not one of a registry."""


class NotAsked(RegistryError):
    """The host was not contacted, because only the host of the task reaches its address and no option names it."""


class UntrustedCertificate(RegistryError):
    """The certificate of the registry could not be verified."""


@dataclass(frozen=True)
class RegistryOptions:
    """Options of requests to a registry. `realm_host`: the known receiver of the logins. The registry is then not asked.

    `ca_cert` is the path of a file. `authorities`: as in `HttpsOptions`. `timeout` is in seconds, for the whole response.
    """

    registry: str
    realm_host: str | None = None
    ca_cert: str | None = None
    validate_certs: bool = True
    timeout: float = 10.0
    authorities: str | None = None


def advise_realm_host(host: Endpoint | str) -> str:
    """Return the sentence about a host that is not asked. Texts of a survey have no options of their own, so it names the variable as well."""
    return f"If that host is right, add {host} to image_pull_realm_hosts of the inventory (without the prefix in a task or an entry)"


def check_timeout(options: RegistryOptions) -> None:
    """Check the timeout.

    :raises OptionError: if no response can arrive in that time.
    """
    transport.check_timeout(_https(options))


def send_registry_request(
    attempt: str,
    url: str,
    options: RegistryOptions,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    with_body: bool = False,
    inside: bool = True,
    is_insecure: bool = False,
) -> HttpResponse:
    """Send one request with `https.transport.send` and return the response. Without `inside`, the cluster's text names the host.

    `is_insecure`: as in `HttpsOptions`.

    :raises OptionError: if an option is invalid. Nothing has been sent.
    :raises NotAsked: if such a host is at an address that only the host of the task reaches.
    :raises UntrustedCertificate: if its certificate could not be verified.
    :raises RegistryError: if there is no response.
    """
    try:
        return transport.send_https_request(
            attempt,
            url,
            _https(options, inside=inside, is_insecure=is_insecure),
            method=method,
            headers=headers,
            longest=_LONGEST_ANSWER,
            with_body=with_body,
        )
    except InsideAddressError as error:
        raise NotAsked(
            f"{error}, where only hosts that an option names are contacted. {advise_realm_host(authority(url)[1])}"
        ) from None
    except CertificateError as error:
        raise UntrustedCertificate(str(error)) from None
    except HttpsError as error:
        raise RegistryError(str(error)) from None


def check_authorities(options: RegistryOptions) -> None:
    """Check the file with the certificate authorities.

    :raises OptionError: if it cannot be used.
    """
    transport.check_authorities(_https(options))


def _https(options: RegistryOptions, *, inside: bool = True, is_insecure: bool = False) -> HttpsOptions:
    trust = (options.ca_cert, options.validate_certs)
    return HttpsOptions(*trust, options.timeout, _WORDS, inside, is_insecure, options.authorities)


def registry_host(options: RegistryOptions) -> str:
    """Return the `host[:port]` of the registry, with the spelling of the option.

    :raises OptionError: if there is none.
    """
    return option_host("registry", options.registry)


def check_options(options: RegistryOptions) -> None:
    """Check the options.

    :raises OptionError: if an option is invalid.
    """
    registry_host(options)
    check_timeout(options)
    if options.realm_host is not None:
        option_host("realm_host", options.realm_host)


def ask_registry(options: RegistryOptions) -> AuthInfo:
    """Return how the registry authenticates, from its response to `GET /v2/`.

    :raises OptionError: if an option is invalid. Nothing has been sent.
    :raises RegistryError: if it cannot be reached, its certificate is not trusted, or it is not a registry.
    """
    check_options(options)
    if (known := info_from_option(options)) is not None:
        return known
    host = registry_host(options)
    url = f"https://{registry_endpoint(host)}/v2/"
    attempt = f"asking registry {host} how it authenticates (GET {url})"
    return _parse_answer(attempt, host, send_registry_request(attempt, url, options))


def info_from_option(options: RegistryOptions) -> AuthInfo | None:
    """Return the result for option `realm_host`, which needs no request to the registry. None without that option.

    :raises OptionError: if a host is invalid.
    """
    if options.realm_host is None:
        return None
    realm_host = option_host("realm_host", options.realm_host)
    return AuthInfo(
        "", realm_host=realm_host, delegated=registry_endpoint(realm_host) != registry_endpoint(registry_host(options))
    )


def _parse_answer(attempt: str, host: str, answer: HttpResponse) -> AuthInfo:
    """The authentication that the response describes.

    :raises RegistryError: if the response is not one of a registry.
    """
    if answer.status == 200:
        return AuthInfo("none")
    info = auth_info(host, answer.all_of("WWW-Authenticate")) if answer.status == 401 else None
    if info is None:
        raise RegistryError(f"{attempt} was answered {answer.status}{_explain_answer(answer)}")
    return info


def _explain_answer(answer: HttpResponse) -> str:
    """The meaning of a response without a login challenge, and the fix."""
    if answer.status == 401:
        return " without a login challenge that a node can use. Check the name: it may not be a registry, or be behind a proxy"
    if 300 <= answer.status < 400:
        return f", a redirect{redirect_target(answer.header('Location'))}. It is not followed: give the registry's own host"
    if answer.status == 429 or answer.status >= 500:
        return ". The registry is overloaded or out of order: try again later"
    return ". It is not a registry of API version 2, or it is behind a proxy: check the name and the port"


OCI_INDEX, OCI_MANIFEST = "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"


_DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


_DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


#: The media types of manifests that nodes accept: indexes, images, and all of them.
INDEX_TYPES = (OCI_INDEX, _DOCKER_LIST)


IMAGE_TYPES = (OCI_MANIFEST, _DOCKER_MANIFEST)


MANIFEST_TYPES = (
    OCI_INDEX,
    OCI_MANIFEST,
    _DOCKER_LIST,
    _DOCKER_MANIFEST,
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
)


#: A digest of a registry becomes a part of a path only in this form.
DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


#: The architecture of an entry that has no platform: nodes of each architecture choose it if no other entry is for them.
ANY_ARCHITECTURE = "*"


_ARCHITECTURE = re.compile(r"[a-z0-9]{1,20}", re.ASCII)


#: The variants that a node chooses (containers/image internal/pkg/platform/platform_matcher.go). Without one here, only an empty one.
_VARIANTS: Mapping[str, tuple[str, ...]] = {"arm": ("", "v5", "v6", "v7", "v8"), "arm64": ("", "v8")}


@dataclass(frozen=True)
class IndexEntry:
    """A manifest of an index. `digest` is empty if the registry gave an invalid one."""

    architecture: str
    digest: str


def linux_entries(index: Mapping[str, Any], media_type: str) -> Iterator[IndexEntry]:
    """Yield the manifests of an index that a node can choose, without attestations, whose platform is unknown.

    An entry of an OCI index without a platform has `ANY_ARCHITECTURE` (containers/image internal/manifest/oci_index.go).
    """
    for each in map(as_dict, as_list(index.get("manifests"))):
        digest = as_str(each.get("digest"))
        checked = digest if DIGEST.fullmatch(digest) else ""
        if "platform" not in each and media_type == OCI_INDEX:
            yield IndexEntry(ANY_ARCHITECTURE, checked)
        elif architecture := _architecture_of(as_dict(each.get("platform"))):
            yield IndexEntry(architecture, checked)


def chosen_entries(entries: list[IndexEntry], architecture: str) -> list[IndexEntry]:
    """Return the manifests that a node of an architecture can choose. There are several if they differ by the variant."""
    own = [each for each in entries if each.architecture == architecture]
    return own or [each for each in entries if each.architecture == ANY_ARCHITECTURE][:1]


def parse_architecture(configuration: Mapping[str, Any]) -> str:
    """Return the architecture in the configuration of an image, or an empty text if it has none that a node can have."""
    found = as_str(configuration.get("architecture"))
    return found if _ARCHITECTURE.fullmatch(found) else ""


def parse_json(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object in a body. Empty for anything else."""
    try:
        return as_dict(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _architecture_of(platform: Mapping[str, Any]) -> str:
    """The architecture of the nodes that can choose this platform. Empty if there are none."""
    found, variant = parse_architecture(platform), as_str(platform.get("variant"))
    is_chosen = platform.get("os") == "linux" and found != "unknown" and variant in _VARIANTS.get(found, ("",))
    return found if is_chosen else ""


_VALUE = re.compile(r"[ \t]*([0-9]{1,9})[ \t]*(?:;[ \t]*w=([0-9]{1,9})[ \t]*)?\Z")


@dataclass(frozen=True)
class RateLimit:
    """The number of pulls in a window, and how many of them remain. `window` is in seconds. An unknown number is None."""

    limit: int | None
    remaining: int | None
    window: int | None


def rate_limit_of(answer: HttpResponse) -> RateLimit | None:
    """Return the rate limit, or None if the response has none. A header of another form, or one that appears twice, is ignored."""
    limit, window = _number(answer, "RateLimit-Limit")
    remaining, other_window = _number(answer, "RateLimit-Remaining")
    if limit is None and remaining is None:
        return None
    return RateLimit(limit, remaining, other_window if window is None else window)


def _number(answer: HttpResponse, name: str) -> tuple[int | None, int | None]:
    """The number and its window."""
    values = answer.all_of(name)
    found = _VALUE.match(values[0]) if len(values) == 1 else None
    if found is None:
        return None, None
    return int(found[1]), None if found[2] is None else int(found[2])
