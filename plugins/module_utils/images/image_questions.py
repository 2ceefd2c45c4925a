# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A question to a registry, as a fact that an explanation needs. Pure.

The questions are whether a login of a secret can pull an image, for which architectures it is, whether it has signatures that nodes read,
and whether the nodes trust the certificate of the registry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..core.objects import SECRET, Kind, ObjectRef
from ..core.times import check_seconds
from .references import Reference

__all__ = [
    "ARGUMENTS",
    "IMAGE_QUESTION",
    "SIGNATURE_QUESTION",
    "TRUST_QUESTION",
    "ImageQuestion",
    "RegistryAccess",
    "SignatureQuestion",
    "TrustQuestion",
    "access_of",
]

#: The option of the modules that ask registries about images only on request.
ARGUMENTS: dict[str, Any] = {"ask_registries": {"type": "bool", "default": False}}

#: Not kinds of the API: references of these kinds stand for questions to registries.
IMAGE_QUESTION = Kind("", "Manifest", "manifests", "manifest of an image")
SIGNATURE_QUESTION = Kind("", "Signature", "signatures", "signatures of an image")
TRUST_QUESTION = Kind("", "Certificate", "certificates", "certificate of a registry", namespaced=False)


@dataclass(frozen=True)
class ImageQuestion:
    """`namespace`, `secret` and `key` identify the login. An empty secret means no login. `reference` is a tag or a digest.

    `is_insecure`: the cluster's image config says that the nodes do not verify the certificate of the registry. `reads_index`: the answer
    has the architectures of an index. `reads_configuration`: it has that of an image without an index.
    """

    repository: str
    reference: str
    namespace: str = ""
    secret: str = ""
    key: str = ""
    is_insecure: bool = False
    reads_index: bool = False
    reads_configuration: bool = False

    @classmethod
    def about(
        cls, image: Reference, namespace: str = "", secret: str = "", key: str = "", *, is_insecure: bool = False
    ) -> ImageQuestion:
        return cls(image.repository, image.digest or image.tag or "latest", namespace, secret, key, is_insecure)

    @property
    def image(self) -> str:
        return f"{self.repository}{'@' if ':' in self.reference else ':'}{self.reference}"

    @property
    def ref(self) -> ObjectRef:
        how = [self.is_insecure, self.reads_index, self.reads_configuration]
        asked = [self.repository, self.reference, self.secret, self.key, *how]
        return ObjectRef(IMAGE_QUESTION, self.namespace, json.dumps(asked))

    @property
    def secret_ref(self) -> ObjectRef | None:
        """The secret with the login, or None without one."""
        return ObjectRef(SECRET, self.namespace, self.secret) if self.secret else None

    @classmethod
    def of(cls, ref: ObjectRef) -> ImageQuestion:
        repository, reference, secret, key, *how = json.loads(ref.name)
        return cls(repository, reference, ref.namespace, secret, key, *how)


@dataclass(frozen=True)
class SignatureQuestion:
    """Whether an image has signatures for the architectures of nodes. Without any architecture: for all that the image has."""

    image: ImageQuestion
    architectures: tuple[str, ...] = ()

    @property
    def ref(self) -> ObjectRef:
        image = self.image.ref
        return ObjectRef(SIGNATURE_QUESTION, image.namespace, json.dumps([image.name, *self.architectures]))

    @classmethod
    def of(cls, ref: ObjectRef) -> SignatureQuestion:
        name, *architectures = json.loads(ref.name)
        return cls(ImageQuestion.of(ObjectRef(IMAGE_QUESTION, ref.namespace, name)), tuple(architectures))


@dataclass(frozen=True, repr=False)
class TrustQuestion:
    """Whether `host[:port]` has a certificate of a public authority or of one of these `authorities`, in PEM format."""

    host: str
    authorities: str

    @property
    def ref(self) -> ObjectRef:
        return _trust_ref(self.host, self.authorities)

    @classmethod
    def of(cls, ref: ObjectRef) -> TrustQuestion:
        return cls(*json.loads(ref.name))


@lru_cache(maxsize=64)
def _trust_ref(host: str, authorities: str) -> ObjectRef:
    """The reference, computed once for all images: a bundle of authorities can be long."""
    return ObjectRef(TRUST_QUESTION, "", json.dumps([host, authorities]))


@dataclass(frozen=True)
class RegistryAccess:
    """How to reach registries. `realm_hosts`: additional hosts that may be asked for tokens. `timeout`: seconds for each response.

    `named`: the host of the image in an option, or empty where only objects of the cluster name images.
    """

    ca_cert: str | None = None
    validate_certs: bool = True
    timeout: float = 10.0
    realm_hosts: Sequence[str] = ()
    named: str = ""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> RegistryAccess:
        """Return the access from the options of a module. Missing options get their defaults.

        :raises OptionError: when the timeout is too short for any response.
        """
        given, verified = options.get("registry_timeout"), options.get("registry_validate_certs")
        timeout = cls.timeout if given is None else float(given)
        check_seconds("registry_timeout", timeout)
        hosts = tuple(options.get("realm_hosts") or ())
        return cls(options.get("registry_ca_cert"), verified is not False, timeout, hosts)


def access_of(options: Mapping[str, Any]) -> RegistryAccess | None:
    """Return how registries are asked, or None if they are not asked.

    :raises OptionError: when the timeout is too short for any response.
    """
    access = RegistryAccess.of(options)
    return access if options["ask_registries"] else None
