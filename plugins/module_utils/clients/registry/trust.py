# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a registry for its certificate, and verifies it with the authorities of other hosts, without a login."""

from __future__ import annotations

from collections.abc import Collection

from .proof import ProofSession, RegistryImage, RegistryProof, ask_registry
from .transport import RegistryOptions, UntrustedCertificate

__all__ = ["prove_trust"]


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
