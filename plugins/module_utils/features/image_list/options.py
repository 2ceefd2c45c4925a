# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the options of `pull_access_images`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...core.errors import OptionError
from ...images.image_questions import RegistryAccess, access_of
from ...images.references import Reference, RegistryPath, move_image

#: The options that name files.
OUTPUTS = ("dest", "csv", "kustomize")

#: The paths of a move: from and to.
Move = tuple[RegistryPath, RegistryPath]


@dataclass(frozen=True)
class ImageListQuestion:
    """`of` are the paths of the wanted images, empty for all images. `registries` is how registries are asked, None if they are not."""

    of: Sequence[RegistryPath] = ()
    moves: Sequence[Move] = ()
    registries: RegistryAccess | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)

    def wants(self, repositories: Sequence[str]) -> bool:
        """Whether one of the repositories is wanted."""
        return not self.of or any(path.covers(each) for path in self.of for each in repositories)

    def copy_of(self, reference: Reference) -> Reference | None:
        """Return the image after the moves, or None if no move has it."""
        return move_image(reference, self.moves)


def from_options(options: Mapping[str, Any]) -> ImageListQuestion:
    """Return the question that the options ask.

    :raises OptionError: for an invalid path, and for an option that has no effect without another one.
    """
    of = [RegistryPath.parse("option 'of'", each) for each in dict.fromkeys(options["of"] or ())]
    moves, registries = [*_moves(options["to"], of)], access_of(options)
    outputs = {name: options[name] for name in OUTPUTS if options[name] is not None}
    for option, is_given in (
        ("'ask_registries: true'", registries is not None),
        ("'kustomize'", "kustomize" in outputs),
    ):
        if is_given and not moves:
            raise OptionError(
                f"option {option} needs 'to', the place of the copies, such as 'to: quay.io/acme/bitnami'"
            )
    hosts = {target.host for _source, target in moves}
    if registries is not None and len(hosts) == 1:
        registries = replace(registries, named=hosts.pop())
    return ImageListQuestion(tuple(of or [source for source, _target in moves]), tuple(moves), registries, outputs)


def _moves(given: Any, of: Sequence[RegistryPath]) -> Iterator[Move]:
    if given is None:
        return
    if isinstance(given, str) and len(of) == 1:
        yield of[0], RegistryPath.parse("option 'to'", given)
    elif isinstance(given, Mapping) and given and all(isinstance(part, str) for each in given.items() for part in each):
        for source, target in given.items():
            yield RegistryPath.parse("option 'to'", source), RegistryPath.parse("option 'to'", target)
    else:
        raise OptionError(
            "option 'to': give one path, such as quay.io/acme/bitnami, if 'of' has one path, or a mapping of paths, such as "
            "{docker.io/bitnami: quay.io/acme/bitnami}"
        )
