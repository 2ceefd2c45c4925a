# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A question to a registry, as a fact that an explanation needs. Pure.

The questions are whether a login of a secret can pull an image, for which architectures it is, whether it has signatures that nodes read,
and whether the nodes trust the certificate of the registry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..core.errors import OptionError
from ..core.objects import SECRET, Kind, ObjectRef
from ..core.text import summarize
from ..core.times import check_seconds
from ..dockerconfig.auth_file import AuthFile
from ..dockerconfig.credential_entry import kubelet_reading
from ..dockerconfig.registry_keys import host_of, kubelet_keys, without_user
from ..platform.protected import NO_REGISTRIES
from .references import Reference, reference_of

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


#: The options of the modules that verify logins.
VERIFY_ARGUMENTS: dict[str, Any] = {
    "verify": {"type": "bool", "default": False},
    "verify_repositories": {"type": "list", "elements": "str"},
}

#: Options of the modules that write logins. `verify` is true, false or `warn`.
WRITE_ARGUMENTS: dict[str, Any] = {**VERIFY_ARGUMENTS, "verify": {"type": "raw", "default": False}}

#: Maximum number of keys in a message.
_SHOWN = 20
_WORDS: Mapping[str, bool | str] = {
    **dict.fromkeys(("true", "yes", "on", "1", "y", "t", "1.0"), True),
    **dict.fromkeys(("false", "no", "off", "0", "n", "f", "0.0", ""), False),
    "warn": "warn",
}


@dataclass(frozen=True, repr=False)
class LoginQuestion:
    """One login with its key, and the image that it must pull. None: only the login to the registry is checked."""

    key: str
    username: str
    password: str
    image: Reference | None = None

    @property
    def host(self) -> str:
        return host_of(self.key) if self.image is None else self.image.host


@dataclass(frozen=True)
class Verification:
    """`images` are the images that a login must pull, with their names in the option. `access` is how to reach the registries.

    `must_answer`: a login that no registry confirms or rejects counts as one that does not work.
    """

    images: Sequence[tuple[str, Reference]] = ()
    access: RegistryAccess = field(default_factory=RegistryAccess)
    must_answer: bool = True

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Verification | None:
        """Return the verification, or None when there is nothing to verify.

        :raises OptionError: for an invalid `verify`, an invalid repository, or a timeout that is too short for any response.
        """
        verify = _parse_verify(options.get("verify"))
        images = tuple((text, _parse_image(text)) for text in options.get("verify_repositories") or ())
        access = RegistryAccess.of(options)
        return cls(images, access, must_answer=verify != "warn") if verify or images else None

    def questions(self, auth_file: AuthFile) -> list[LoginQuestion]:
        """Return each login at its registry, and each repository with the login that a node would try first.

        :raises OptionError: for a repository without an entry and, if all logins `must_answer`, for a login that cannot be asked about.
        """
        logins = _logins_of(auth_file)
        found = self.of_logins(logins)
        answered = {question.image for question in found}
        problems = [
            f"option 'verify_repositories': no registry of this secret is for {text}. The secret has {', '.join(sorted(logins))}: name a repository "
            "of these, or give a login for it in 'registries'"
            for text, image in self.images
            if image not in answered
        ]
        unasked = self.unasked(auth_file) if self.must_answer else ()
        if unasked:
            names = summarize([*map(without_user, unasked)], _SHOWN)
            problems.append(
                f"option 'verify': no registry can be asked about the login for {names}, because a key with a star names none. Name an image "
                "that it is for in 'verify_repositories', or set 'verify: warn'"
            )
        if problems:
            raise OptionError("; ".join(problems))
        return found

    def unasked(self, auth_file: AuthFile) -> list[str]:
        """Return the keys whose login is not verified: those with a star name no registry, and need a repository that is for them."""
        logins = _logins_of(auth_file)
        asked = {question.key for question in self._of_images(logins)}
        return [key for key, login in logins.items() if all(login) and "*" in key and key not in asked]

    def of_logins(self, logins: Mapping[str, tuple[str, str]]) -> list[LoginQuestion]:
        """Return the same for logins by their key. Repositories without a login are left out."""
        asked = (LoginQuestion(key, *login) for key, login in logins.items() if all(login) and "*" not in key)
        return [*(one for one in asked if one.host not in NO_REGISTRIES), *self._of_images(logins)]

    def _of_images(self, logins: Mapping[str, tuple[str, str]]) -> Iterator[LoginQuestion]:
        for _text, image in self.images:
            key = next(iter(kubelet_keys(logins, image.repository)), None)
            if key is not None:
                yield LoginQuestion(key, *logins[key], image)


def _logins_of(auth_file: AuthFile) -> Mapping[str, tuple[str, str]]:
    return kubelet_reading(auth_file.text(legacy=False), legacy=False).logins


def _parse_verify(value: object) -> bool | str:
    """The value of the option. Messages do not repeat it, because it may be a misplaced credential."""
    word = str(value if value is not None else False).strip().lower()
    if word not in _WORDS:
        raise OptionError("option 'verify' takes true, false or warn")
    return _WORDS[word]


def _parse_image(text: str) -> Reference:
    image = reference_of(text)
    if image is None or image.is_short:
        raise OptionError(
            f"option 'verify_repositories': {text!r} is not a repository with its registry, such as quay.io/team/app"
        )
    return image
