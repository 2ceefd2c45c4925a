# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a registry for the architectures of an image, and for the signatures that nodes read.

From an index, a node chooses the manifest of its architecture, and the pull fails if there is none. An image without an index is pulled
whatever its architecture is: containers/image only logs the difference (copy/single.go checkImageDestinationForCurrentRuntime), and the
program does not start. Only the configuration of the image has that architecture.

A registry can have an index without its manifests: clean-ups of images without a tag remove them, and so do copies of the index alone. A node
that chooses such a manifest does not get the image.

containers/image verifies the manifest that it chose from an index, and reads its signatures from tag `sha256-HEX.sig` of the registry that
served the image (copy/copy.go, docker/docker_client.go sigstoreAttachmentTag). It reads neither signatures of the index nor referrers.
Whether a key has made the signature is not verified here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ...core.objects import as_dict, as_list, as_str
from .proof import (
    ImageArchitectures,
    ManifestAnswer,
    PlatformSignature,
    ProofSession,
    RegistryImage,
    RegistryLogin,
    RegistryProof,
    ask_registry,
)
from .transport import (
    ANY_ARCHITECTURE,
    DIGEST,
    IMAGE_TYPES,
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_INDEX,
    OCI_MANIFEST,
    IndexEntry,
    RegistryError,
    RegistryOptions,
    chosen_entries,
    linux_entries,
    parse_architecture,
    parse_json,
)

#: The media types of configurations. Registries send them as any type.
_CONFIGURATION = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json", "*/*")


def prove_platforms(
    options: RegistryOptions,
    wanted: RegistryImage,
    login: RegistryLogin | None,
    realm_hosts: Collection[str] = (),
    *,
    reads_index: bool = True,
    reads_configuration: bool = False,
    is_named: bool = False,
    is_insecure: bool = False,
) -> RegistryProof:
    """Return the proof that the image can be pulled, with the architectures that it is for.

    `reads_index`: whether an index is read. `reads_configuration`: whether the configuration of an image without an index is read. The
    other arguments are those of `prove_pull`. A registry that counts each request for a manifest as a pull is not asked for more.

    :raises OptionError: if an option is invalid. Nothing has been sent.
    """

    def ask(session: ProofSession) -> RegistryProof:
        answered = session.answer()
        if answered.proof.outcome != "pulls":
            return answered.proof
        found = _ArchitectureReading(session, answered, reads_index, reads_configuration).architectures()
        return replace(answered.proof, architectures=found and replace(found, digest=answered.proof.digest))

    return ask_registry(options, wanted, login, realm_hosts, ask, is_named=is_named, is_insecure=is_insecure)


@dataclass(frozen=True, repr=False)
class _ArchitectureReading:
    session: ProofSession
    answered: ManifestAnswer
    reads_index: bool
    reads_configuration: bool

    def architectures(self) -> ImageArchitectures | None:
        """The architectures, or None if they are not wanted."""
        kind = self.answered.media_type
        if kind in INDEX_TYPES:
            is_wanted, is_index = self.reads_index, True
        else:
            is_wanted, is_index = self.reads_configuration or (kind not in IMAGE_TYPES and self.reads_index), False
        if not is_wanted:
            return None
        if self.answered.proof.rate_limit is not None:
            said = f"registry {self._host} counts a request for a manifest as a pull, so it was not asked for the architectures of {self._wanted}"
            return ImageArchitectures(is_index, unread=said)
        try:
            return self._read()
        except RegistryError as error:
            return ImageArchitectures(is_index, unread=str(error))

    @property
    def _wanted(self) -> RegistryImage:
        return self.session.wanted

    @property
    def _host(self) -> str:
        return self._wanted.host

    def _read(self) -> ImageArchitectures | None:
        manifest = self._get(
            self._wanted.url(self.answered.scheme), MANIFEST_TYPES, f"the content of {self._wanted.what}"
        )
        if "manifests" in manifest:
            every = [*linux_entries(manifest, self.answered.media_type)]
            lost = _find_lost(self.session, self.answered, every)
            digests = tuple((each.architecture, each.digest) for each in every if each not in lost)
            names = tuple(dict.fromkeys(name for name, _digest in digests))
            return ImageArchitectures(True, names, digests=digests, lost=tuple(each.architecture for each in lost))
        if not self.reads_configuration:
            return None
        digest = as_str(as_dict(manifest.get("config")).get("digest"))
        if not DIGEST.fullmatch(digest):
            return ImageArchitectures(False, unread=f"the manifest of {self._wanted} names no configuration")
        url = f"{self._wanted.root(self.answered.scheme)}{self._wanted.path}/blobs/{digest}"
        found_one = parse_architecture(self._get(url, _CONFIGURATION, f"the configuration of {self._wanted}"))
        if not found_one:
            return ImageArchitectures(False, unread=f"the configuration of {self._wanted} has no architecture")
        return ImageArchitectures(False, (found_one,))

    def _get(self, url: str, accept: Collection[str], what: str) -> Mapping[str, Any]:
        """The JSON object at a URL of the registry.

        :raises RegistryError: if the registry does not give it.
        """
        answer = self.session.request(url, self.answered, method="GET", accept=accept, what=what)
        if answer.status != 200:
            more = ", a redirect, which is not followed" if 300 <= answer.status < 400 else ""
            raise RegistryError(f"asking registry {self._host} for {what} was answered {answer.status}{more}")
        found = parse_json(answer.body)
        if not found:
            raise RegistryError(f"asking registry {self._host} for {what} was answered 200 without a JSON object")
        return found


#: Maximum number of manifests of one image that are requested, and of those whose signatures are. Images have up to 12 platforms.
_MOST_PLATFORMS = 16
#: A cache may get a manifest only at the request of its content.
_METHODS = ("HEAD", "GET")


def _find_lost(session: ProofSession, answered: ManifestAnswer, entries: Sequence[IndexEntry]) -> list[IndexEntry]:
    """The manifests of an index that the registry does not have.

    :raises RegistryError: if the registry gives no answer.
    """

    def is_lost(entry: IndexEntry) -> bool:
        url = replace(session.wanted, reference=entry.digest).url(answered.scheme)
        what = f"the manifest of {session.wanted} for {entry.architecture}"
        answers = (session.request(url, answered, method=each, accept=MANIFEST_TYPES, what=what) for each in _METHODS)
        return all(each.status == 404 for each in answers)

    return [each for each in entries[:_MOST_PLATFORMS] if each.digest and is_lost(each)]


#: Beginnings of the artifact types of referrers that are signatures.
_SIGNATURE_TYPES = (
    "application/vnd.dev.sigstore.bundle",
    "application/vnd.dev.cosign.artifact.sig",
    "application/vnd.cncf.notary.signature",
)


def prove_signatures(
    options: RegistryOptions,
    wanted: RegistryImage,
    login: RegistryLogin | None,
    realm_hosts: Collection[str] = (),
    architectures: Collection[str] = (),
    *,
    is_named: bool = False,
    is_insecure: bool = False,
) -> RegistryProof:
    """Return the proof that the image can be pulled, with the signatures for these architectures, or for all that the image has.

    The other arguments are those of `prove_pull`.

    :raises OptionError: if an option is invalid. Nothing has been sent.
    """

    def ask(session: ProofSession) -> RegistryProof:
        answered = session.answer()
        if answered.proof.outcome != "pulls":
            return answered.proof
        found = _SignatureSearch(session, answered, tuple(architectures)).platforms()
        return replace(answered.proof, platforms=tuple(found))

    return ask_registry(options, wanted, login, realm_hosts, ask, is_named=is_named, is_insecure=is_insecure)


@dataclass(frozen=True, repr=False)
class _SignatureSearch:
    session: ProofSession
    answered: ManifestAnswer
    architectures: Sequence[str]

    def platforms(self) -> Iterator[PlatformSignature]:
        """Yield the signatures.

        :raises RegistryError: if the registry gives no answer.
        """
        wanted, proof = self._wanted, self.answered.proof
        digest = wanted.reference if ":" in wanted.reference else proof.digest
        if self.answered.media_type in IMAGE_TYPES and DIGEST.fullmatch(digest):
            yield self._signature(IndexEntry("", digest), "")
            return
        if as_list(self._manifest.get("manifests")):
            yield from self._signatures_of(list(linux_entries(self._manifest, self.answered.media_type)))
        else:
            # The digest of the first version is not that of its text.
            is_known = self._manifest.get("schemaVersion") == 2
            yield self._signature(IndexEntry("", self._digest_of_body if is_known else ""), "")

    def _signatures_of(self, manifests: list[IndexEntry]) -> Iterator[PlatformSignature]:
        asked = 0
        every = list(dict.fromkeys(each.architecture for each in manifests))[: _MOST_PLATFORMS + 1]
        for architecture in self.architectures or every:
            same = chosen_entries(manifests, architecture)
            asked += len(same)
            said = f"registry {self._wanted.host} has no image for {architecture} in {self._wanted}"
            if not same:
                yield PlatformSignature(architecture, "no_platform", said)
            elif asked > _MOST_PLATFORMS:
                said = f"{self._wanted} has more than {_MOST_PLATFORMS} manifests, so that the signature for {architecture} was not requested"
                yield PlatformSignature(architecture, "unknown", said)
            elif len(_find_lost(self.session, self.answered, same)) == len(same):
                yield PlatformSignature(architecture, "no_platform", f"{said}, although its index names one")
            else:
                yield self._join([self._signature(each, self._digest_of_body) for each in same])

    def _join(self, same: Sequence[PlatformSignature]) -> PlatformSignature:
        """The result for several manifests of an architecture, which differ by the variant: a node chooses one of them."""
        first = same[0]
        if all(each.outcome == first.outcome for each in same):
            return first
        said = f"{self._wanted} has several manifests for {first.architecture}, and only some have a signature"
        return PlatformSignature(first.architecture, "unknown", said)

    @property
    def _wanted(self) -> RegistryImage:
        return self.session.wanted

    def _signature(self, manifest: IndexEntry, index: str) -> PlatformSignature:
        """The signature of a manifest. `index` is the digest of its index, empty without one."""
        architecture, host = manifest.architecture, self._wanted.host
        architecture = "" if architecture == ANY_ARCHITECTURE else architecture
        which = f"{self._wanted} for {architecture}" if architecture else str(self._wanted)
        if not DIGEST.fullmatch(manifest.digest):
            return PlatformSignature(architecture, "unknown", f"registry {host} does not report the digest of {which}")
        status = self._signature_status(manifest.digest)
        if status == 200:
            return PlatformSignature(architecture, "signed", f"registry {host} has a signature of {which}")
        if status == 404:
            said = f"registry {host} has no signature of {which} that nodes read{self._describe_others(manifest.digest, index)}"
            return PlatformSignature(architecture, "unsigned", said)
        if status in (401, 403):
            said = f"registry {host} answers {status} to the request for the signature of {which}, at which nodes stop the pull"
            return PlatformSignature(architecture, "refused", said)
        said = f"registry {host} answers {status} to the request for the signature of {which}"
        return PlatformSignature(architecture, "unknown", said)

    def _signature_status(self, digest: str) -> int:
        wanted = replace(self._wanted, reference=f"{digest.replace(':', '-')}.sig")
        url = wanted.url(self.answered.scheme)
        for method in _METHODS:
            answer = self._request(url, method, (OCI_MANIFEST,), f"the signature of {self._wanted}")
            if answer.status != 405:
                break
        return int(answer.status)

    # --- signatures that nodes do not read

    def _describe_others(self, digest: str, index: str) -> str:
        """A clause about other signatures, or an empty text. They explain a missing signature, so a failure to read them does not matter."""
        try:
            if index and self._signature_status(index) == 200:
                return ". Only the index is signed, and nodes verify the manifest of their platform: use cosign sign --recursive"
            if any(self._has_referrer(each) for each in filter(None, (digest, index))):
                return ". It is signed in another form, as a referrer, which nodes do not read: use cosign sign --new-bundle-format=false"
        except RegistryError:
            pass
        return ""

    def _has_referrer(self, digest: str) -> bool:
        scheme, path = self.answered.scheme, self._wanted.path
        url = f"{self._wanted.root(scheme)}{path}/referrers/{digest}"
        answer = self._request(url, "GET", (OCI_INDEX,), f"the referrers of {self._wanted}")
        if answer.status == 404:
            url = replace(self._wanted, reference=digest.replace(":", "-")).url(scheme)
            answer = self._request(url, "GET", (OCI_INDEX,), f"the referrers of {self._wanted}")
        if answer.status != 200:
            return False
        types = (
            as_str(as_dict(each).get("artifactType")) for each in as_list(parse_json(answer.body).get("manifests"))
        )
        return any(each.startswith(_SIGNATURE_TYPES) for each in types)

    # --- requests

    def _request(self, url: str, method: str, accept: Collection[str], what: str) -> Any:
        return self.session.request(url, self.answered, method=method, accept=accept, what=what)

    @cached_property
    def _body(self) -> bytes:
        """The manifest or index of the image.

        :raises RegistryError: if the registry no longer gives it.
        """
        what = f"the content of {self._wanted.what}"
        answer = self._request(self._wanted.url(self.answered.scheme), "GET", MANIFEST_TYPES, what)
        if answer.status != 200:
            raise RegistryError(f"asking registry {self._wanted.host} for {what} was answered {answer.status}")
        return bytes(answer.body)

    @cached_property
    def _manifest(self) -> Mapping[str, Any]:
        return parse_json(self._body)

    @property
    def _digest_of_body(self) -> str:
        return f"sha256:{hashlib.sha256(self._body).hexdigest()}"
