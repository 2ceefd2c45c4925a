# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a login at a registry as a node does: whether it is accepted, whether it can pull, and if not, why. Verifies its certificate.

A token proves nothing: a token service grants less than requested, even nothing, and still answers 200 (distribution,
docs/content/spec/auth/token.md). So the manifest is requested by HEAD, which Docker Hub does not count. If no tag is
known, the list of the tags is requested, which needs the same permission.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from ...core.names import DIGEST
from ...core.text import make_printable
from ..https.connections import Endpoint
from ..https.exchange import HttpResponse
from .transport import (
    MANIFEST_TYPES,
    AuthInfo,
    NotAsked,
    RateLimit,
    RegistryError,
    RegistryOptions,
    UntrustedCertificate,
    advise_realm_host,
    auth_info,
    check_timeout,
    is_token_service_of,
    option_host,
    rate_limit_of,
    redirect_target,
    registry_endpoint,
    send_registry_request,
)

#: `not_sent`: the request would have gone to an unnamed host or address, or without TLS. `not_found` may also mean a missing permission:
#: many registries hide images that they deny. `expired` is never returned here: it depends on the login itself (discovery/proofs.py).
Outcome = Literal[
    "logs_in",
    "pulls",
    "bad_login",
    "expired",
    "no_login",
    "no_right",
    "not_found",
    "rate_limited",
    "not_sent",
    "unanswered",
    "trusted",
    "untrusted",
]


@dataclass(frozen=True, repr=False)
class RegistryLogin:
    """User and password. If one of them is empty, it does not count as a login, as for CRI-O."""

    username: str
    password: str

    @property
    def header(self) -> str:
        encoded = base64.b64encode(f"{self.username}:{self.password}".encode("utf-8", "surrogateescape"))
        return f"Basic {encoded.decode()}"

    def __bool__(self) -> bool:
        return bool(self.username and self.password)


@dataclass(frozen=True)
class RegistryImage:
    """An image in a registry. `path` is the repository without the host, `reference` a tag or a digest.

    Without a reference it is the repository. Without a path it is the registry itself.
    """

    host: str
    path: str = ""
    reference: str = ""

    def __str__(self) -> str:
        name = "/".join(part for part in (self.host, self.path) if part)
        sign = "@" if ":" in self.reference else ":"
        return f"{name}{sign}{self.reference}" if self.reference else name

    @property
    def what(self) -> str:
        """Return the requested resource for messages."""
        if self.reference:
            return f"the manifest of {self}"
        return f"the tags of {self}" if self.path else "access"

    def url(self, scheme: str = "https") -> str:
        root = self.root(scheme)
        if self.reference:
            return f"{root}{self.path}/manifests/{self.reference}"
        return f"{root}{self.path}/tags/list?n=1" if self.path else root

    def root(self, scheme: str = "https") -> str:
        """Return the beginning of the URLs of the registry's API."""
        return f"{scheme}://{registry_endpoint(self.host, scheme)}/v2/"


@dataclass(frozen=True)
class PlatformSignature:
    """Whether the manifest of one platform has a signature. `architecture` is empty for an image without an index.

    `outcome` is `signed`, `unsigned`, `refused` (a pull fails because the registry refuses the request for the signature), `no_platform`,
    or `unknown`. `said` is a sentence without any text of a server.
    """

    architecture: str
    outcome: Literal["signed", "unsigned", "refused", "no_platform", "unknown"]
    said: str


@dataclass(frozen=True)
class ImageArchitectures:
    """The architectures of an image. `is_index`: the node chooses one of several manifests.

    `names` may contain `ANY_ARCHITECTURE`. `unread` is the reason if they are not known, as a sentence without any text of a server. `digest`
    is that of the index, or of the only manifest, and `digests` are those of the manifests of an index, each with its architecture. `lost`
    are the architectures of manifests that an index names and the registry does not have. They are in neither `names` nor `digests`.
    """

    is_index: bool
    names: tuple[str, ...] = ()
    unread: str = ""
    digest: str = field(default="", compare=False)
    digests: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class RegistryProof:
    """The result. `said` is a sentence without any text of a server, `realm_host` the host that receives the login or gives out tokens.

    `rate_limit` is that of pulls with the login, if the registry reports it.
    `platforms` are the signatures, and `architectures` those of the image, if they were requested.
    """

    outcome: Outcome
    said: str
    realm_host: str = ""
    digest: str = ""
    rate_limit: RateLimit | None = None
    platforms: tuple[PlatformSignature, ...] = ()
    architectures: ImageArchitectures | None = None

    @property
    def works(self) -> bool:
        """Whether the registry granted the request."""
        return self.outcome in ("logs_in", "pulls")

    @property
    def accepts_login(self) -> bool:
        """Whether the login was sent and accepted. A registry that requires no login accepts none."""
        return self.works and bool(self.realm_host)


def prove_pull(
    options: RegistryOptions,
    wanted: RegistryImage,
    login: RegistryLogin | None,
    realm_hosts: Collection[str] = (),
    *,
    is_named: bool = False,
    is_insecure: bool = False,
) -> RegistryProof:
    """Check whether the image can be pulled with the login, or without one if it is None.

    `realm_hosts` are the `host[:port]` that may be asked for a token in addition to the registry itself, with or without a login.
    `is_named`: an option names the registry. A registry that only text of the cluster names, and not `realm_hosts`, is not contacted at an
    address that only the host of the task reaches. `is_insecure`: the certificate of the registry itself is not verified, and if it does
    not use TLS, it is asked without a login.

    :raises OptionError: if an option is invalid. Nothing has been sent.
    """
    return ask_registry(
        options,
        wanted,
        login,
        realm_hosts,
        lambda session: session.answer().proof,
        is_named=is_named,
        is_insecure=is_insecure,
    )


def ask_registry(
    options: RegistryOptions,
    wanted: RegistryImage,
    login: RegistryLogin | None,
    realm_hosts: Collection[str],
    ask: Callable[[ProofSession], RegistryProof],
    *,
    is_named: bool,
    is_insecure: bool,
) -> RegistryProof:
    """Return the result of `ask`, or the reason why the registry gave no answer. The other arguments are those of `prove_pull`.

    :raises OptionError: if an option is invalid. Nothing has been sent.
    """
    check_timeout(options)
    named = frozenset(registry_endpoint(option_host("realm_hosts", host)) for host in realm_hosts)
    try:
        registry_endpoint(wanted.host)
    except ValueError as error:
        return RegistryProof(
            "unanswered", make_printable(f"{wanted.host!r} is not a valid host of a registry: {error}")
        )
    try:
        end = time.monotonic() + _MOST_TIMES * options.timeout
        return ask(ProofSession(options, wanted, login or RegistryLogin("", ""), named, is_named, is_insecure, end))
    except NotAsked as error:
        return RegistryProof("not_sent", str(error))
    except RegistryError as error:
        return RegistryProof("unanswered", str(error))


def prove_login(
    options: RegistryOptions,
    host: str,
    login: RegistryLogin,
    realm_hosts: Collection[str] = (),
    *,
    is_named: bool = False,
) -> RegistryProof:
    """Check whether the registry accepts the login, whatever it may pull. The outcome is then `logs_in`, otherwise as for `prove`.

    :raises OptionError: as `prove`.
    """
    proof = prove_pull(options, RegistryImage(host), login, realm_hosts, is_named=is_named)
    # For a token without a scope, the response for the registry itself proves no more.
    if proof.outcome in ("pulls", "no_right", "not_found") and proof.realm_host:
        return RegistryProof("logs_in", f"{proof.realm_host} accepts the login", proof.realm_host)
    if proof.outcome == "pulls":
        return RegistryProof("logs_in", f"registry {host} requires no login, so it was not sent")
    return proof


@dataclass(frozen=True, repr=False)
class ManifestAnswer:
    """The proof, the media type of the manifest, and how to send further requests: by which scheme, with which headers."""

    proof: RegistryProof
    media_type: str = ""
    scheme: str = "https"
    headers: Mapping[str, str] = field(default_factory=dict)


#: Maximum time of one question, as a multiple of the time of one answer. The registry chooses the number of requests, by its index.
_MOST_TIMES = 6


@dataclass(frozen=True, repr=False)
class ProofSession:
    """Requests about one image, with one login, to its registry and the token service of the registry, until `end`, by the monotonic clock."""

    options: RegistryOptions
    wanted: RegistryImage
    login: RegistryLogin
    named: Collection[Endpoint]
    is_named: bool
    is_insecure: bool
    end: float

    def answer(self) -> ManifestAnswer:
        """Request the manifest.

        :raises RegistryError: if the registry gives no answer.
        """
        try:
            first = self._ask({})
        except NotAsked:
            raise
        except RegistryError as error:
            if not self.is_insecure:
                raise
            return self._without_tls(error)
        if first.status != 401:
            return self._answer_of(first, "", {})
        info = auth_info(self.wanted.host, first.all_of("WWW-Authenticate"))
        if info is None:
            raise RegistryError(
                f"{self._attempt()} was answered 401 without a login challenge that a node can use. Check the name of the registry"
            )
        if info.scheme == "basic":
            return self._by_basic()
        return self._by_token(info)

    def request(
        self, url: str, answered: ManifestAnswer, *, method: str, accept: Collection[str], what: str
    ) -> HttpResponse:
        """Send another request like the one for the manifest. `what` is the requested resource for messages.

        :raises RegistryError: if the registry gives no answer.
        """
        headers = {"Accept": ", ".join(accept), **answered.headers}
        attempt = f"asking registry {self.wanted.host} for {what}"
        return self._send(attempt, self.wanted.host, url, method=method, headers=headers, with_body=method == "GET")

    def greet(self, authorities: str) -> HttpResponse:
        """Request the registry itself, without a login, and verify its certificate with these authorities, in PEM format.

        :raises UntrustedCertificate: if it could not be verified.
        :raises RegistryError: if the registry gives no answer.
        """
        options = replace(self.options, authorities=authorities, ca_cert=None, validate_certs=True)
        host, session = self.wanted.host, replace(self, options=options, is_insecure=False)
        return session._send(f"asking registry {host} for its certificate", host, RegistryImage(host).url())

    def _without_tls(self, failure: RegistryError) -> ManifestAnswer:
        """The result without a login, because a login is never sent without TLS.

        :raises RegistryError: the failure with TLS, if the registry does not answer without TLS either.
        """
        try:
            answer = self._ask({}, scheme="http")
        except NotAsked:
            raise
        except RegistryError:
            raise failure from None
        if self.login and answer.status != 200:
            said = f"registry {self.wanted.host} answers only without TLS, where others can read a login. The login was not sent"
            return ManifestAnswer(RegistryProof("not_sent", said))
        return self._answer_of(answer, "", {}, scheme="http")

    def _by_basic(self) -> ManifestAnswer:
        host = self.wanted.host
        if not self.login:
            return ManifestAnswer(RegistryProof("no_login", f"registry {host} asks for a login, and there is none"))
        headers = {"Authorization": self.login.header}
        answer = self._ask(headers)
        if answer.status == 401:
            return ManifestAnswer(RegistryProof("bad_login", f"registry {host} refuses the login", host))
        return self._answer_of(answer, host, headers)

    def _by_token(self, info: AuthInfo) -> ManifestAnswer:
        token = self._token(info)
        if isinstance(token, RegistryProof):
            return ManifestAnswer(replace(token, realm_host=info.realm_host))
        headers = {"Authorization": f"Bearer {token}"}
        return self._answer_of(self._ask(headers), info.realm_host, headers)

    def _answer_of(
        self, answer: HttpResponse, realm_host: str, headers: Mapping[str, str], scheme: str = "https"
    ) -> ManifestAnswer:
        media_type = answer.header("Content-Type").partition(";")[0].strip().lower()
        return ManifestAnswer(self._judge_manifest(answer, realm_host), media_type, scheme, headers)

    def _token(self, info: AuthInfo) -> str | RegistryProof:
        """The token, or the reason why there is none."""
        if why := self._why_not_sent(info):
            return RegistryProof("not_sent", f"registry {self.wanted.host} wants logins sent to {info.realm_host}{why}")
        attempt = f"asking {info.realm_host} for a token for {self.wanted}"
        headers = {"Authorization": self.login.header} if self.login else {}
        answer = self._send(attempt, info.realm_host, self._token_url(info), headers=headers, with_body=True)
        if answer.status == 200:
            return _parse_token(attempt, answer.body)
        if answer.status == 429:
            return _rate_limit_proof(info.realm_host)
        if answer.status in (400, 401, 403):
            if self.login:
                return RegistryProof("bad_login", f"{info.realm_host} refuses the login", info.realm_host)
            return RegistryProof("no_login", f"registry {self.wanted.host} asks for a login, and there is none")
        raise RegistryError(
            f"{attempt} was answered {answer.status}{_describe_redirect(answer) or '. Try again later, or check the registry'}"
        )

    def _why_not_sent(self, info: AuthInfo) -> str:
        """The reason as the rest of a sentence, or empty. The rule also applies without a login, because a request reveals the caller."""
        if urlsplit(info.realm).scheme == "http":
            return " without TLS, where others can read them. Nothing was sent"
        registry, service = registry_endpoint(self.wanted.host), registry_endpoint(info.realm_host)
        if is_token_service_of(registry, service) or service in self.named:
            return ""
        return f", another host. Nothing was sent. {advise_realm_host(service)}"

    def _may_be_inside(self, host: str) -> bool:
        """Whether the host may be at an address that only the host of the task reaches, because an option names it."""
        asked = registry_endpoint(host)
        return asked in self.named or (self.is_named and asked == registry_endpoint(self.wanted.host))

    def _send(self, attempt: str, host: str, url: str, **how: Any) -> HttpResponse:
        """The response of a host. Only the certificate of an insecure registry is not verified."""
        if time.monotonic() > self.end:
            seconds = _MOST_TIMES * self.options.timeout
            raise RegistryError(
                f"{attempt} was not attempted: the answers before it took more than {seconds:g} seconds"
            )
        is_insecure = self.is_insecure and registry_endpoint(host) == registry_endpoint(self.wanted.host)
        return send_registry_request(
            attempt, url, self.options, inside=self._may_be_inside(host), is_insecure=is_insecure, **how
        )

    def _token_url(self, info: AuthInfo) -> str:
        realm = (
            f"https://{registry_endpoint(self.wanted.host)}{info.realm}" if info.realm.startswith("/") else info.realm
        )
        parts = urlsplit(realm)
        # A user name in the realm would be sent instead of the login.
        host = parts.netloc.rpartition("@")[2]
        asked = {
            **({"service": info.service} if info.service else {}),
            **({"scope": f"repository:{self.wanted.path}:pull"} if self.wanted.path else {}),
        }
        return urlunsplit(
            parts._replace(netloc=host, query="&".join(filter(None, (parts.query, urlencode(asked)))), fragment="")
        )

    def _ask(self, headers: Mapping[str, str], scheme: str = "https") -> HttpResponse:
        """Request a manifest by HEAD, or by GET if the registry does not support HEAD."""
        host, url = self.wanted.host, self.wanted.url(scheme)
        given = {**({"Accept": ", ".join(MANIFEST_TYPES)} if self.wanted.reference else {}), **headers}
        if self.wanted.reference:
            answer = self._send(self._attempt(), host, url, method="HEAD", headers=given)
            if answer.status != 405:
                return answer
        return self._send(self._attempt(), host, url, headers=given)

    def _judge_manifest(self, answer: HttpResponse, realm_host: str) -> RegistryProof:
        """The result for the final response about the manifest."""
        image, host = self.wanted, self.wanted.host
        if answer.status == 200:
            return RegistryProof(
                "pulls",
                f"registry {host} gives {image}",
                realm_host,
                _digest_in(answer),
                rate_limit_of(answer),
            )
        if answer.status in (401, 403):
            if self.login:
                return RegistryProof("no_right", f"the login works, but has no right to pull {image}", realm_host)
            said = f"registry {host} does not give {image} to anonymous users, and there is no login"
            return RegistryProof("no_login", said, realm_host)
        if answer.status == 404:
            return RegistryProof("not_found", f"registry {host} has no {image}, or hides it", realm_host)
        if answer.status == 429:
            return replace(_rate_limit_proof(host), rate_limit=rate_limit_of(answer))
        advice = _describe_redirect(answer) or ". Check the name of the registry, or try again later"
        raise RegistryError(f"{self._attempt()} was answered {answer.status}{advice}")

    def _attempt(self) -> str:
        return f"asking registry {self.wanted.host} for {self.wanted.what}"


def _digest_in(answer: HttpResponse) -> str:
    """The digest of the manifest. Empty if the registry does not report one: any other text could be the login that was sent."""
    digest = answer.header("Docker-Content-Digest")
    return digest if re.fullmatch(DIGEST, digest, re.ASCII) else ""


def _describe_redirect(answer: HttpResponse) -> str:
    """The explanation of a redirect as the end of a sentence. Empty for any other response."""
    if not 300 <= answer.status < 400:
        return ""
    return (
        f", a redirect{redirect_target(answer.header('Location'))}. It is not followed, because a login would go to a host that no option names. "
        "Give the registry's own host"
    )


def _rate_limit_proof(host: str) -> RegistryProof:
    return RegistryProof(
        "rate_limited", f"{host} allows no more requests for now: try again later, or with another login"
    )


def _parse_token(attempt: str, body: bytes) -> str:
    """The token in the response.

    :raises RegistryError: if there is none.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    members = found if isinstance(found, dict) else {}
    token = members.get("token") or members.get("access_token")
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise RegistryError(f"{attempt} was answered 200 without a token. Check any proxy before the token service")
    return token


def prove_trust(
    options: RegistryOptions, host: str, authorities: str, realm_hosts: Collection[str] = (), *, is_named: bool = False
) -> RegistryProof:
    """Return `trusted` or `untrusted`, or the reason why the registry gave no answer.

    `authorities` are certificates in PEM format. Those of Mozilla are trusted as well, and no other ones of this host. The other arguments
    are those of `prove_pull`.

    :raises OptionError: if an option is invalid. Nothing has been sent.
    """

    def ask(session: ProofSession) -> RegistryProof:
        try:
            session.greet(authorities)
        except UntrustedCertificate as error:
            return RegistryProof("untrusted", str(error))
        return RegistryProof("trusted", f"registry {host} has a certificate of these authorities")

    return ask_registry(options, RegistryImage(host), None, realm_hosts, ask, is_named=is_named, is_insecure=False)
