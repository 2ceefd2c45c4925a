# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves a new login before it takes the place of an old one: on each repository that is in use, and against the old one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..clients.registry import proof as registry
from ..clients.registry.proof import Proof, Wanted
from ..core.enumeration import first_of
from ..core.errors import Refusal
from ..dockerconfig.exchange import Login
from ..features.credential_rotation.options import Rotation
from ..nodes.references import Reference
from .asking import answers_to
from .proofs import Attempt, Patience, judged

__all__ = ["Proven", "proven"]

#: So many images of one repository are tried: one that is gone from the registry proves nothing.
_TRIED = 3
#: So many sentences are in one message.
_SHOWN = 20


@dataclass(frozen=True)
class Proven:
    """`rows` are the repositories with what the registry said; `old_login` is `works`, `refused` or `unknown`."""

    rows: Sequence[Mapping[str, Any]] = ()
    notes: tuple[str, ...] = ()
    old_login: str = "unknown"


@dataclass(frozen=True)
class _Repository:
    """One repository, and images of it that are in use. `must`: it was asked for by name."""

    name: str
    images: tuple[Reference, ...]
    must: bool = False


@dataclass(frozen=True)
class _Answer:
    """What the registry said to the new login, and whether the old one would have got more; None where it was not asked."""

    image: Reference
    new: Proof
    old: Proof | None = None

    @property
    def row(self) -> dict[str, Any]:
        row = {"repository": self.image.repository, "image": str(self.image)}
        return {**row, "outcome": self.new.outcome, "said": self.new.said}


@dataclass(frozen=True, repr=False)
class _Asking:
    rotation: Rotation
    patience: Patience = field(default_factory=Patience)

    def log_in(self, host: str, login: Login) -> Proof:
        return self._proof(Wanted(host), login)

    def repository(self, asked: _Repository) -> _Answer:
        """The first image that the new login pulls or that stops the rotation; else the first one, which neither login gets."""
        answers = []
        for image in asked.images[:_TRIED]:
            answer = self._image(image)
            if answer.new.works or _stops(answer):
                return answer
            answers.append(answer)
        return answers[0]

    def _image(self, image: Reference) -> _Answer:
        new, old = self._pull(image, self.rotation.exchange.new), self.rotation.exchange.old
        is_open = new.outcome in _OF_THE_IMAGE and bool(old.password)
        return _Answer(image, new, self._pull(image, old) if is_open else None)

    def _pull(self, image: Reference, login: Login) -> Proof:
        return self._proof(Wanted(image.host, image.path, image.digest or image.tag), login)

    def _proof(self, wanted: Wanted, login: Login) -> Proof:
        given = registry.Login(login.username, login.password)
        # Each image is in one of the registries that the option names.
        attempt = Attempt(wanted, given, self.rotation.access, is_named=True)
        return judged(self.patience.proof(attempt), wanted.host, given)


#: What may be the image's fault as well as the login's.
_OF_THE_IMAGE = ("no_right", "not_found")
#: What a registry says of a login that nobody can use any more.
_DEAD = ("bad_login", "expired")


def proven(rotation: Rotation, images: Mapping[str, Sequence[Reference]]) -> Proven:
    """What the registries say. `images` are those in use, by namespace.

    :raises Refusal: when the new login does not work, or that cannot be found out; nothing has been written.
    """
    asking = _Asking(rotation)
    logins = answers_to(rotation.hosts, lambda host: asking.log_in(host, rotation.exchange.new))
    _refuse(f"registry {host}: {proof.said}" for host, proof in logins.items() if not proof.works)
    answers = list(answers_to(_repositories(rotation, images), asking.repository).items())
    _refuse(_worse(answers))
    rows = [answer.row for _asked, answer in answers]
    return Proven(rows, tuple(_notes(answers)), _old_login(rotation, asking))


def _repositories(rotation: Rotation, images: Mapping[str, Sequence[Reference]]) -> list[_Repository]:
    found: dict[str, dict[Reference, None]] = {}
    for image in (*rotation.images, *(image for every in images.values() for image in every)):
        found.setdefault(image.repository, {})[image] = None
    must = {image.repository for image in rotation.images}
    return [_Repository(name, tuple(every), name in must) for name, every in sorted(found.items())]


def _worse(answers: Iterable[tuple[_Repository, _Answer]]) -> Iterator[str]:
    for asked, answer in answers:
        if answer.new.works:
            continue
        if _is_worse(answer):
            yield f"the new login does not pull {answer.image}, and the old one does: {answer.new.said}"
        elif asked.must or _stops(answer):
            yield f"{answer.image}: {answer.new.said}"


def _is_worse(answer: _Answer) -> bool:
    return not answer.new.works and answer.old is not None and answer.old.works


def _stops(answer: _Answer) -> bool:
    """Of one that is not pulled: whether the new login may be at fault, as it was not answered, or is or may be worse than the old one."""
    if answer.new.outcome not in _OF_THE_IMAGE or _is_worse(answer):
        return True
    if answer.old is None:
        return answer.new.outcome == "no_right"
    return answer.old.outcome not in (*_OF_THE_IMAGE, *_DEAD)


def _notes(answers: Iterable[tuple[_Repository, _Answer]]) -> Iterator[str]:
    """What is in use and not pulled: where the old login does not either, it fails today, too."""
    for _asked, answer in answers:
        if not answer.new.works:
            who = "the new login does not pull it" if answer.old is None else "neither login pulls it"
            yield f"{answer.image} is in use, and {who}: {answer.new.said}"


def _old_login(rotation: Rotation, asking: _Asking) -> str:
    """Whether the old login still works: with it, pods pull during the rotation, and it can be taken back."""
    old = rotation.exchange.old
    if not old.password:
        return "unknown"
    proofs = answers_to(rotation.hosts, lambda host: asking.log_in(host, old)).values()
    if all(proof.works for proof in proofs):
        return "works"
    return "refused" if any(proof.outcome in _DEAD for proof in proofs) else "unknown"


def _refuse(sentences: Iterable[str]) -> None:
    """:raises Refusal: where there is one."""
    told = list(dict.fromkeys(sentences))
    if not told:
        return
    raise Refusal(
        f"nothing was written, because the new login was not proven: {first_of(told, _SHOWN, '; ')}. Correct it at the registry, or, where "
        "the registry cannot be asked from here, set 'verify: false' and prove it by pulls in a few namespaces first"
    )
