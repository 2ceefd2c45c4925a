# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a registry for which architectures it has an image.

From an index, a node chooses the manifest of its architecture, and the pull fails if there is none. An image without an index is pulled
whatever its architecture is: containers/image only logs the difference (copy/single.go checkImageDestinationForCurrentRuntime), and the
program does not start. Only the configuration of the image has that architecture.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...core.objects import as_dict, as_str
from .image_index import DIGEST, IMAGE_TYPES, INDEX_TYPES, MANIFEST_TYPES, linux_entries, parse_architecture, parse_json
from .proof import (
    ImageArchitectures,
    ManifestAnswer,
    ProofSession,
    RegistryImage,
    RegistryLogin,
    RegistryProof,
    ask_registry,
)
from .transport import RegistryError, RegistryOptions

__all__ = ["prove_platforms"]

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
        reading = _ArchitectureReading(session, answered, reads_index, reads_configuration)
        return replace(answered.proof, architectures=reading.architectures())

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
            found = dict.fromkeys(each.architecture for each in linux_entries(manifest, self.answered.media_type))
            return ImageArchitectures(True, tuple(found))
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
