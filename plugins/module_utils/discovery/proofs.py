# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a login is worth at a registry, with what the login itself tells: a refused one may have expired."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..clients.registry.proof import RegistryImage, RegistryLogin, RegistryProof, prove, prove_login
from ..clients.registry.transport import RegistryOptions, check_authorities
from ..explain.verification import LoginQuestion
from ..images.image_questions import RegistryAccess
from ..secrets.expiry import why_expired
from .parallel import answers_to

__all__ = ["LoginCheck", "Patience", "asked", "judged"]

#: What a registry answers to a login that it knew once. Some say "denied" and not "who are you?".
_REFUSED = ("bad_login", "no_right")
#: After so many attempts without an answer, a registry is not asked any more.
_MOST_SILENT = 16
#: Maximum number of registries without an answer. Then only registries that an option names are asked. 16 at a time take two minutes.
_MOST_SILENT_HOSTS = 200


@dataclass(frozen=True, repr=False)
class LoginCheck:
    """One question to a registry: equal ones are asked once. Without a path in `wanted`, whether the login is accepted.

    `is_named`: an option names the registry, and not only the cluster's text. `is_insecure`: the cluster's image config lists it among
    the registries whose certificate is not verified.
    """

    wanted: RegistryImage
    login: RegistryLogin
    access: RegistryAccess
    is_named: bool = False
    is_insecure: bool = False

    @classmethod
    def of(cls, question: LoginQuestion, access: RegistryAccess, *, is_named: bool = False) -> LoginCheck:
        """Of an image, an option always names the registry."""
        image, login = question.image, RegistryLogin(question.username, question.password)
        wanted = (
            RegistryImage(question.host)
            if image is None
            else RegistryImage(image.host, image.path, image.digest or image.tag)
        )
        return cls(wanted, login, access, is_named or image is not None)

    @property
    def _options(self) -> RegistryOptions:
        how = self.access
        host = self.wanted.host
        return RegistryOptions(host, None, how.ca_cert, how.validate_certs, how.timeout, how.prefix, how.realm_option)

    def check(self) -> None:
        """:raises OptionError: when a certificate authority cannot be read."""
        check_authorities(self._options)

    def proof(self) -> RegistryProof:
        """:raises OptionError: when a certificate authority cannot be read."""
        how, host, options = self.access, self.wanted.host, self._options
        if self.wanted.path:
            return prove(
                options,
                self.wanted,
                self.login,
                how.realm_hosts,
                is_named=self.is_named,
                is_insecure=self.is_insecure,
            )
        return prove_login(options, host, self.login, how.realm_hosts, is_named=self.is_named)


def asked(attempts: Iterable[LoginCheck]) -> dict[LoginCheck, RegistryProof]:
    """The answer to each different attempt, many at the same time. A registry that answers nothing again and again is left alone then.

    :raises OptionError: when a certificate authority cannot be read.
    """
    return answers_to(attempts, Patience().proof)


class Patience:
    """Counts the attempts in a row that a host did not answer, and the hosts that answered nothing.

    Otherwise a thousand logins would each wait for the whole time, and a user whose pods name ten thousand hosts would hold up everyone.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: The failed attempts in a row of each host that has one.
        self._silent: dict[str, list[str]] = {}

    def proof(self, attempt: LoginCheck) -> RegistryProof:
        host = attempt.wanted.host
        with self._lock:
            if why := self._why_not(attempt):
                return RegistryProof("unanswered", f"not asked, since {why}")
        proof = attempt.proof()
        with self._lock:
            if proof.outcome == "unanswered":
                self._silent.setdefault(host, []).append(proof.said)
            else:
                self._silent.pop(host, None)
        return proof

    def _why_not(self, attempt: LoginCheck) -> str:
        host = attempt.wanted.host
        silent = self._silent.get(host, [])
        if len(silent) >= _MOST_SILENT:
            return f"{host} did not answer {_MOST_SILENT} times: {silent[-1]}"
        if attempt.is_named or silent or len(self._silent) < _MOST_SILENT_HOSTS:
            return ""
        return f"{_MOST_SILENT_HOSTS} other registries that objects of the cluster name did not answer"


def judged(proof: RegistryProof, host: str, login: RegistryLogin, written: float = 0.0) -> RegistryProof:
    """The proof; where the registry refuses a login that has expired, one that says so, with how to renew it.

    `written`: when the login was written, in seconds since 1970, 0 for not known.
    """
    if proof.outcome not in _REFUSED:
        return proof
    why = why_expired(host, login.username, login.password, time.time(), written)
    return (
        replace(proof, outcome="expired", said=f"{proof.realm_host or host} refuses the login, which {why}")
        if why
        else proof
    )
