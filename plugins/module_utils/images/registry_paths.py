# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry, or a path of one, as an option names it: which images are in it, and their names after a move to another one. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..core.errors import OptionError
from ..dockerconfig.registry_keys import has_registry_host, repository_of, same_path
from .references import Reference, reference_of

__all__ = ["RegistryPath", "move_image"]

#: Images of Docker Hub without a user or organization are in this path.
_HUB, _LIBRARY = "docker.io", "docker.io/library"


@dataclass(frozen=True)
class RegistryPath:
    """`text` is `host[:port]` or `host[:port]/path`, in the spelling of an image's repository."""

    text: str

    @classmethod
    def parse(cls, where: str, given: str) -> RegistryPath:
        """Return the path. `where` names its source, such as an option.

        :raises OptionError: for a text that is not a registry or a path of one, such as an image with a tag, or a name without a host.
        """
        text = same_path(given.strip())
        below = f"{text}/team/image"
        has_user = "@" in given  # it may be a login, so it is not shown
        if has_registry_host(below) and repository_of(below) == below and not has_user:
            return cls(text)
        hint = f". Did you mean {f'{_HUB}/{given}'!r}?" if repository_of(f"{given}/image") and not has_user else ""
        shown = "a text with @" if has_user else repr(given)
        raise OptionError(
            f"{where}: {shown} is not host[:port] or host[:port]/path without a tag, such as docker.io/bitnami{hint}"
        )

    @property
    def host(self) -> str:
        return self.text.partition("/")[0]

    def covers(self, repository: str) -> bool:
        """Whether the repository of an image is this path or below it. `docker.io/redis` is also the image `docker.io/library/redis`."""
        return repository == self._official or f"{repository}/".startswith(f"{self.text}/")

    @property
    def _official(self) -> str:
        """The repository of the official image of Docker Hub with this name. Empty for any other path."""
        host, _slash, name = self.text.partition("/")
        return f"{_LIBRARY}/{name}" if host == _HUB and name and "/" not in name else ""

    def move(self, reference: Reference, target: RegistryPath) -> Reference | None:
        """Return the image of this path under another one, with the same tag or digest. None if its name would be too long, or only a host."""
        rest = "" if reference.repository == self._official else reference.repository[len(self.text) :]
        moved = reference_of(f"{target.text}{rest}")
        if moved is None or moved.host != target.host:  # a host alone would be an image of Docker Hub
            return None
        return replace(moved, tag=reference.tag, digest=reference.digest)


def move_image(reference: Reference, moves: Iterable[tuple[RegistryPath, RegistryPath]]) -> Reference | None:
    """Return the image after the moves, each from a path to another one: the longest path in which it is decides. None if no move has it, or as
    `RegistryPath.move`."""
    found = [each for each in moves if each[0].covers(reference.repository)]
    if not found:
        return None
    source, target = max(found, key=lambda each: len(each[0].text))
    return source.move(reference, target)
