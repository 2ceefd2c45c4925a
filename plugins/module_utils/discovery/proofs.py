# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a login at a registry, and whether a refused login has expired according to its own content."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ..clients.registry.endpoints import option_host
from ..clients.registry.image_details import prove_platforms, prove_signatures
from ..clients.registry.proof import RegistryImage, RegistryLogin, RegistryProof, prove_login, prove_pull, prove_trust
from ..clients.registry.transport import RegistryOptions, check_authorities
from ..explain.verification import LoginQuestion
from ..images.image_questions import RegistryAccess
from ..secrets.expiry import why_expired
from .parallel import ask_all

__all__ = [
    "LoginCheck",
    "Patience",
    "PlatformCheck",
    "SignatureCheck",
    "TrustCheck",
    "check_access",
    "collect_proofs",
    "explain_refusal",
]

#: Outcomes for a login that was valid earlier. Some registries deny the request instead of rejecting the login.
_REFUSED = ("bad_login", "no_right")
#: Maximum number of attempts without an answer. The registry is then no longer asked.
_MOST_SILENT = 16
#: Maximum number of registries without an answer. After that, only registries that an option names are asked. 16 at a time take 2 minutes.
_MOST_SILENT_HOSTS = 200


@dataclass(frozen=True, repr=False)
class LoginCheck:
    """One question to a registry. Equal questions are asked once. Without a path in `wanted`, it is whether the login is accepted.

    `is_named`: an option names the registry, and not only text of the cluster. `is_insecure`: the cluster's image config lists it as a
    registry whose certificate is not verified.
    """

    wanted: RegistryImage
    login: RegistryLogin
    access: RegistryAccess
    is_named: bool = False
    is_insecure: bool = False

    @classmethod
    def of(cls, question: LoginQuestion, access: RegistryAccess, *, is_named: bool = False) -> LoginCheck:
        """Return the check for a question. An option always names the registry of an image."""
        image, login = question.image, RegistryLogin(question.username, question.password)
        wanted = (
            RegistryImage(question.host)
            if image is None
            else RegistryImage(image.host, image.path, image.digest or image.tag)
        )
        return cls(wanted, login, access, is_named or image is not None)

    @property
    def _options(self) -> RegistryOptions:
        return _registry_options(self.access, self.wanted.host)

    def check(self) -> None:
        """Check the options.

        :raises OptionError: if a certificate authority cannot be read.
        """
        check_authorities(self._options)

    def proof(self) -> RegistryProof:
        """Ask the registry.

        :raises OptionError: if a certificate authority cannot be read.
        """
        how, host, options = self.access, self.wanted.host, self._options
        if self.wanted.path:
            return prove_pull(
                options,
                self.wanted,
                self.login,
                how.realm_hosts,
                is_named=self.is_named,
                is_insecure=self.is_insecure,
            )
        return prove_login(options, host, self.login, how.realm_hosts, is_named=self.is_named)


@dataclass(frozen=True, repr=False, kw_only=True)
class PlatformCheck(LoginCheck):
    """A question about the architectures of an image. The members are those of `ImageQuestion`."""

    reads_index: bool
    reads_configuration: bool

    def proof(self) -> RegistryProof:
        """Ask the registry.

        :raises OptionError: if a certificate authority cannot be read.
        """
        return prove_platforms(
            self._options,
            self.wanted,
            self.login,
            self.access.realm_hosts,
            reads_index=self.reads_index,
            reads_configuration=self.reads_configuration,
            is_named=self.is_named,
            is_insecure=self.is_insecure,
        )


@dataclass(frozen=True, repr=False, kw_only=True)
class SignatureCheck(LoginCheck):
    """A question about the signatures of an image, for these architectures or for all that it has."""

    architectures: tuple[str, ...]

    def proof(self) -> RegistryProof:
        """Ask the registry.

        :raises OptionError: if a certificate authority cannot be read.
        """
        return prove_signatures(
            self._options,
            self.wanted,
            self.login,
            self.access.realm_hosts,
            self.architectures,
            is_named=self.is_named,
            is_insecure=self.is_insecure,
        )


@dataclass(frozen=True, repr=False, kw_only=True)
class TrustCheck(LoginCheck):
    """A question about the certificate of a registry, without a login. `authorities` are in PEM format."""

    authorities: str

    def proof(self) -> RegistryProof:
        """Ask the registry."""
        host, options = self.wanted.host, self._options
        return prove_trust(options, host, self.authorities, self.access.realm_hosts, is_named=self.is_named)


def _registry_options(how: RegistryAccess, host: str) -> RegistryOptions:
    names = (how.prefix, how.realm_option, how.has_timeout)
    return RegistryOptions(host, None, how.ca_cert, how.validate_certs, how.timeout, *names)


def check_access(access: RegistryAccess) -> None:
    """Check how registries will be asked, before anything is read.

    :raises OptionError: if a certificate authority cannot be read, or an option names an invalid host.
    """
    check_authorities(_registry_options(access, ""))
    for host in access.realm_hosts:
        option_host(access.realm_option, host)


def collect_proofs(attempts: Iterable[LoginCheck]) -> dict[LoginCheck, RegistryProof]:
    """Return the answer to each distinct attempt, many at the same time. A registry that repeatedly does not answer is no longer asked.

    :raises OptionError: if a certificate authority cannot be read.
    """
    return ask_all(attempts, Patience().proof)


class Patience:
    """Counts the consecutive attempts without an answer for each host, and the hosts without an answer.

    Otherwise, a thousand logins would each wait for the whole timeout, and a user whose pods name ten thousand hosts would delay everyone.
    `seconds`: the maximum sum of the durations of all attempts. A registry that answers slowly is no silent one.
    """

    def __init__(self, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        #: The consecutive failed attempts of each host.
        self._silent: dict[str, list[str]] = {}
        self._seconds, self._clock = seconds, clock
        self._spent = 0.0

    def proof(self, attempt: LoginCheck) -> RegistryProof:
        return self.refusal(attempt) or self._ask(attempt)

    def refusal(self, attempt: LoginCheck) -> RegistryProof | None:
        """Return the answer to an attempt that is not made, or None if it can be made."""
        with self._lock:
            why = self._why_not(attempt)
        return RegistryProof("unanswered", f"not asked, because {why}") if why else None

    def _ask(self, attempt: LoginCheck) -> RegistryProof:
        host, begin = attempt.wanted.host, self._clock()
        proof = attempt.proof()
        with self._lock:
            self._spent += self._clock() - begin
            if proof.outcome == "unanswered":
                self._silent.setdefault(host, []).append(proof.said)
            else:
                self._silent.pop(host, None)
        return proof

    def _why_not(self, attempt: LoginCheck) -> str:
        host = attempt.wanted.host
        silent = self._silent.get(host, [])
        if self._spent >= self._seconds:
            return f"the registries took more than {self._seconds:g} seconds"
        if len(silent) >= _MOST_SILENT:
            return f"{host} did not answer {_MOST_SILENT} times: {silent[-1]}"
        if attempt.is_named or silent or len(self._silent) < _MOST_SILENT_HOSTS:
            return ""
        return f"{_MOST_SILENT_HOSTS} other registries that objects of the cluster name did not answer"


def explain_refusal(proof: RegistryProof, host: str, login: RegistryLogin, written: float = 0.0) -> RegistryProof:
    """Return the proof. If the registry refuses a login that has expired, the proof says so and explains how to renew it.

    `written`: the time at which the login was written, in seconds since 1970. 0 if unknown.
    """
    if proof.outcome not in _REFUSED:
        return proof
    why = why_expired(host, login.username, login.password, time.time(), written)
    return (
        replace(proof, outcome="expired", said=f"{proof.realm_host or host} refuses the login, which {why}")
        if why
        else proof
    )
