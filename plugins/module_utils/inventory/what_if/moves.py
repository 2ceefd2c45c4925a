# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that get the name of another place: the pulls of pods with the new names, and image streams with new sources. Pure.

A move is a change of the names that people write. So the pod that has a moved image is the next one: it is created again with the new name and
the same list of secrets, on a node that does not have the image under this name. If a controller creates it, its template decides. The
images of a release and those that an operator names do not move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...core.objects import Json, ObjectRef, as_dict, as_list
from ...explain.lookup import Lookup, try_lookup
from ...explain.snapshot import ClusterSnapshot
from ...explain.steps.streams import resolve_image
from ...explain.subjects import ContainerPull, pulls_of_pod, pulls_of_workload
from ...images.image_streams import IMAGE_STREAM
from ...images.references import RegistryPath, move_image, reference_of
from .patches import Answer

#: The kinds whose images only a release or an operator names.
_FIXED = ("ClusterVersion", "ClusterServiceVersion")


@dataclass(frozen=True)
class Moves:
    """The new name of each place. A place is a registry, or a path at it. `position` is that of the change."""

    places: Mapping[str, str]
    position: int = 0

    def rename(self, image: str) -> str:
        """Return the name of the image after the move, by the longest place in which it is. A name without a registry is one of Docker Hub."""
        reference = reference_of(image)
        moves = ((RegistryPath(old), RegistryPath(new)) for old, new in self.places.items())
        moved = None if reference is None else move_image(reference, moves)
        if moved is None:
            return image
        return f"{moved.repository}{moved.tag and f':{moved.tag}'}{moved.digest and f'@{moved.digest}'}"

    def move(self, subject: ContainerPull, evidence: Lookup) -> ContainerPull:
        """Return the pull of the next pod with the new name. The same subject if its image does not move, or if an image stream sets it.

        :raises ReadRequired: when the stream has to be read first.
        """
        image = self.rename(subject.image)
        is_fixed = image == subject.image or subject.ref.kind.kind in _FIXED
        if is_fixed or resolve_image(subject, evidence).image != subject.image:
            return subject
        return replace(subject, image=image, is_pulled=False, reason="", message="", shares_error=False, is_copied=True)


@dataclass(frozen=True)
class StreamMovePatch:
    """Image streams import from the new places, with the digests that they have. `evidence` has the streams before the change."""

    moves: Moves
    evidence: Lookup

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`. :raises ReadRequired: when the stream has to be read first."""
        if ref.kind != IMAGE_STREAM or not ref.name:
            return False
        stream = try_lookup(self.evidence, ref)[0]
        return bool(stream) and self.apply(ref, stream) != StreamMovePatch(Moves({}), self.evidence).apply(ref, stream)

    def apply(self, _ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`."""
        if not isinstance(answer, Mapping):
            return answer
        spec, status = as_dict(answer.get("spec")), as_dict(answer.get("status"))
        sources = [self._with_source(as_dict(tag)) for tag in as_list(spec.get("tags"))]
        tags = [
            {
                **as_dict(tag),
                "items": [self._renamed(as_dict(each), _REFERENCE) for each in as_list(as_dict(tag).get("items"))],
            }
            for tag in as_list(status.get("tags"))
        ]
        return {**answer, "spec": {**spec, "tags": sources}, "status": {**status, "tags": tags}}

    def _with_source(self, tag: Json) -> Json:
        origin = as_dict(tag.get("from"))
        return {**tag, "from": self._renamed(origin, "name")} if origin.get("kind") == "DockerImage" else tag

    def _renamed(self, part: Json, member: str) -> dict[str, Any]:
        name = part.get(member)
        return {**part, member: self.moves.rename(name)} if isinstance(name, str) else {**part}


_REFERENCE = "dockerImageReference"


def hosts_named(survey: ClusterSnapshot) -> Iterator[str]:
    """Yield the registries that pods and workloads name."""
    for name, place in survey.places.items():
        pulls = [pull for pod in place.pods for pull in pulls_of_pod(pod, name)]
        pulls += [pull for kind, obj in place.owners.creators for pull in pulls_of_workload(kind, obj, name)]
        for image in dict.fromkeys(pull.image for pull in pulls):
            reference = reference_of(image)
            if reference is not None:
                yield reference.host
