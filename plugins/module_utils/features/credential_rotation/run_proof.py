# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify logins before the replacement, choose the pulls of the canary, and wait afterwards until no node pulls with the old one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...clients.kube.client import Cluster
from ...clients.registry import proof as registry
from ...clients.registry.proof import RegistryImage, RegistryProof
from ...core.errors import ImagePullError, Refusal
from ...core.objects import ObjectRef
from ...core.text import join_alike, pluralize, summarize
from ...discovery.proofs import LoginCheck, Patience, ask_all, explain_refusal
from ...dockerconfig.editing import UserPassword
from ...engine.fetching import ListRequest, list_in_namespaces
from ...engine.run import Clock
from ...engine.workers import Workers
from ...images.pull_messages import POD_EVENTS
from ...images.references import Reference
from .options import Rotation
from .plan import NAMED, SHOWN, Copy
from .uses import (
    EventCounts,
    PendingPull,
    Use,
    event_counts,
    filter_pending,
    find_pending,
    keys_of,
    secret_for,
    trim_event,
    used_images,
    uses_in,
    uses_with_secrets,
)

#: Maximum number of images of one repository that are tried in each namespace: an image that is gone from the registry proves nothing.
_TRIED = 3
#: Maximum number of repositories of one namespace.
_REPOSITORIES = 200
#: Maximum number of logins of one secret, and of different logins for one registry.
_LOGINS_OF_A_SECRET, _LOGINS = 3, 100
#: Maximum number of sentences in one message.
_SHOWN = 20

#: A login for each host.
Logins = Mapping[str, UserPassword]


@dataclass(frozen=True)
class ImagesInUse:
    """The images in use that the new login must pull, by namespace. Those of `beyond` are in unchanged namespaces that pull with the
    pull secret of the nodes."""

    images: Mapping[str, Sequence[Reference]] = field(default_factory=dict)
    beyond: Mapping[str, Sequence[Reference]] = field(default_factory=dict)


@dataclass(frozen=True)
class ProofResult:
    """`rows` are the repositories with the registry's answers; `old_login` is `works`, `refused` or `unknown`."""

    rows: Sequence[Mapping[str, Any]] = ()
    notes: tuple[str, ...] = ()
    old_login: str = "unknown"

    @property
    def images(self) -> dict[str, str]:
        """Return, for each repository that the new login pulls, the image that proved it."""
        return {row["repository"]: row["image"] for row in self.rows if row["outcome"] == "pulls"}


@dataclass(frozen=True, repr=False)
class SecretLogins:
    """For secrets with own logins: `refused` is why the registries refuse all logins of a secret. `unknown` is why that is not known of a
    secret of whose logins none was accepted. `accepted` are the accepted ones, with their hosts."""

    refused: Mapping[ObjectRef, str] = field(default_factory=dict)
    unknown: Mapping[ObjectRef, str] = field(default_factory=dict)
    accepted: Sequence[tuple[str, UserPassword]] = ()

    @property
    def logins(self) -> Logins:
        """Return an accepted login per host."""
        return dict(self.accepted)

    @property
    def not_accepted(self) -> Mapping[ObjectRef, str]:
        """Return the reason for each secret that is not changed."""
        return {**self.refused, **self.unknown}


@dataclass(frozen=True)
class _Repository:
    """One repository, and its images in use. `must`: an option names it. `decides`: it can stop the rotation."""

    name: str
    images: tuple[Reference, ...]
    must: bool = False
    decides: bool = True


@dataclass(frozen=True)
class _LoginAnswer:
    """The registry's answers to the new login and to the old one. `old` is None if the old login was not tried."""

    image: Reference
    new: RegistryProof
    old: RegistryProof | None = None

    @property
    def row(self) -> dict[str, Any]:
        row = {"repository": self.image.repository, "image": str(self.image)}
        return {**row, "outcome": self.new.outcome, "message": self.new.said}


@dataclass(frozen=True, repr=False)
class _ProofRun:
    """`known` are the logins that stand for the old one if its password is unknown."""

    rotation: Rotation
    known: Logins = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)

    def log_in(self, host: str, login: UserPassword) -> RegistryProof:
        return self._proof(RegistryImage(host), login)

    def repository(self, asked: _Repository) -> _LoginAnswer:
        """Return the answer for the first image that the new login pulls or that stops the rotation, else for the first one."""
        answers = []
        for image in asked.images:
            answer = self._image(image)
            if answer.new.works or _is_blocking(answer):
                return answer
            answers.append(answer)
        return answers[0]

    def _image(self, image: Reference) -> _LoginAnswer:
        new, old = self._pull(image, self.rotation.exchange.new), self._old(image.host)
        is_open = old is not None and not new.works and new.outcome != "rate_limited"
        return _LoginAnswer(image, new, self._pull(image, old) if old is not None and is_open else None)

    def _old(self, host: str) -> UserPassword | None:
        old = self.rotation.exchange.old
        return old if old.password else self.known.get(host)

    def _pull(self, image: Reference, login: UserPassword) -> RegistryProof:
        return self._proof(RegistryImage(image.host, image.path, image.digest or image.tag), login)

    def _proof(self, wanted: RegistryImage, login: UserPassword) -> RegistryProof:
        given = registry.RegistryLogin(login.username, login.password)
        # Each image is in one of the given registries.
        attempt = LoginCheck(wanted, given, self.rotation.access, is_named=True)
        return explain_refusal(self.patience.proof(attempt), wanted.host, given)


#: Outcomes that the image can cause as well as the login.
_OF_THE_IMAGE = ("no_right", "not_found")
#: Outcomes of a login that is no longer valid.
_DEAD = ("bad_login", "expired")
#: Outcomes that do not show whether the image or the login is at fault. Some token services refuse the login for one repository.
_OPEN = ("unanswered", "not_sent", *_DEAD)


def check_secret_logins(rotation: Rotation, copies: Iterable[Copy]) -> SecretLogins:
    """Verify the logins of secrets at the registries, if any login of the user counts as the old one: each once, the most frequent first.

    A user who plants a secret can know the user name. Only users who had the login before know a password that the registry accepts.
    """
    asking = _ProofRun(rotation)
    held = {copy.ref: copy.logins for copy in copies}
    frequent = Counter(login for logins in held.values() for login in logins[:_LOGINS_OF_A_SECRET]).most_common()
    proofs = ask_all(_limit_logins(frequent), lambda login: asking.log_in(*login))
    good = [login for login, proof in proofs.items() if proof.accepts_login]
    left = {ref: logins for ref, logins in held.items() if not {*logins} & {*good}}
    refused = {ref: _why_refused(logins, proofs) for ref, logins in left.items() if _are_refused(logins, proofs)}
    unknown = {ref: _why_unknown(logins, proofs) for ref, logins in left.items() if ref not in refused}
    return SecretLogins(refused, unknown, tuple(good))


def _limit_logins(frequent: Iterable[tuple[tuple[str, UserPassword], int]]) -> Iterator[tuple[str, UserPassword]]:
    asked: Counter[str] = Counter()
    for (host, login), _count in frequent:
        asked[host] += 1
        if asked[host] <= _LOGINS:
            yield host, login


#: A login with the host of its registry.
_Login = tuple[str, UserPassword]
_Proofs = Mapping[_Login, RegistryProof]


def _are_refused(logins: Sequence[_Login], proofs: _Proofs) -> bool:
    return all(login in proofs and _is_refused(proofs[login]) for login in logins)


def _is_refused(proof: RegistryProof) -> bool:
    """Whether the registry refuses the login, or requires none. A registry without an answer may accept it."""
    return proof.outcome in _DEAD or (proof.works and not proof.accepts_login)


def _why_refused(logins: Sequence[_Login], proofs: _Proofs) -> str:
    return f"its own login is not accepted: {proofs[logins[0]].said}"


def _why_unknown(logins: Sequence[_Login], proofs: _Proofs) -> str:
    open_proofs = (proofs[login] for login in logins if login in proofs and not _is_refused(proofs[login]))
    proof = next(open_proofs, None)
    if proof is not None:
        return f"it is not known whether its own login is accepted: {proof.said}"
    if len(logins) > _LOGINS_OF_A_SECRET:
        return f"its login was not verified, because it has more than {_LOGINS_OF_A_SECRET} different ones"
    return f"its login was not verified, because there are more than {_LOGINS} different ones"


def unanswered_note(own: SecretLogins) -> Iterator[str]:
    if own.unknown:
        rows = [f"{ref.namespace}/{ref.name} ({why})" for ref, why in own.unknown.items()]
        yield (
            f"{pluralize(len(rows), 'confirmed secret')} {'keeps its login' if len(rows) == 1 else 'keep their logins'}, because no registry "
            f"has accepted or refused {'it' if len(rows) == 1 else 'them'}: {summarize(rows, NAMED, '; ', listed='rotation.not_accepted')}"
        )


def prove_new_login(rotation: Rotation, asked: ImagesInUse, known: Logins) -> ProofResult:
    """Return the answers of the registries to the new login.

    :raises Refusal: when the new login does not work, or could not be verified. Nothing has been written.
    """
    asking = _ProofRun(rotation, known)
    logins = ask_all(rotation.hosts, lambda host: asking.log_in(host, rotation.exchange.new))
    _refuse((host, f"registry {host}: {proof.said}") for host, proof in logins.items() if not proof.works)
    repositories, too_many = _repositories(rotation, asked)
    answers = list(ask_all(repositories, asking.repository).items())
    _refuse([*_find_worse(answers), *_find_unanswered(answers)])
    notes = [*_notes(answers), *too_many]
    shown = (
        *notes[:_SHOWN],
        *([f"and {pluralize(len(notes) - _SHOWN, 'image')} more of that kind"] if notes[_SHOWN:] else []),
    )
    return ProofResult([answer.row for _asked, answer in answers], shown, _old_login(rotation, asking))


def choose_probes(
    rotation: Rotation,
    rotated: Mapping[str, Sequence[Copy]],
    every_use: Mapping[str, Sequence[Use]],
    changing: Mapping[str, Sequence[Copy]],
    proof: ProofResult | None,
) -> list[dict[str, str]]:
    """Return an image for each of the first namespaces, with the secret that has its login, for a forced pull there.

    With `proof`, only images that the new login was verified with, and that a namespace with a confirmed secret uses: other users can name
    an image that no node can run. Otherwise, only images that a pod with one of the secrets has, because
    other names can be mistyped. Namespaces that already have the new login come first, so that a run
    after a failed canary pulls there again. Then those with the oldest secret, because no user can create an older one.
    """
    held = {**rotated, **changing}
    uses = uses_in(every_use, held)
    if proof is None:
        uses = {name: [use for use in every if _has_image(use)] for name, every in uses_with_secrets(uses, held)}
    used = used_images(uses, keys_of(held))
    trusted = {str(image) for images in (rotation.images, *used.values()) for image in images}
    proven = {name: image for name, image in proof.images.items() if image in trusted} if proof is not None else {}
    found: list[tuple[tuple[bool, str, str], dict[str, str]]] = []
    for namespace, images in used.items():
        names = ((image, str(image) if proof is None else proven.get(image.repository)) for image in images)
        for image, name in names:
            if name and (secret := secret_for(image, held[namespace])) is not None:
                row = {"namespace": namespace, "image": name, "secret": secret[1]}
                found.append(((namespace in changing, secret[0], namespace), row))
                break
    return [row for _order, row in sorted(found, key=lambda each: each[0])][:SHOWN]


def _has_image(use: Use) -> bool:
    return use.state is not None and use.state.has_image


def _repositories(rotation: Rotation, asked: ImagesInUse) -> tuple[list[_Repository], list[str]]:
    """Return the repositories to check, and notes on namespaces with too many of them."""
    found: dict[str, dict[Reference, None]] = {}
    for image in rotation.images:
        found.setdefault(image.repository, {})[image] = None
    must, notes = {*found}, []
    for namespace, images in asked.images.items():
        mine = _group_by_repository(images)
        for name, every in [*mine.items()][:_REPOSITORIES]:
            found.setdefault(name, {}).update(dict.fromkeys(every))
        if len(mine) > _REPOSITORIES:
            notes.append(
                f"namespace {namespace} uses {len(mine):,} repositories of the registries: the login in option 'new' was verified for {_REPOSITORIES} of them"
            )
    decide = [_Repository(name, tuple(every), name in must) for name, every in sorted(found.items())]
    beyond = _group_by_repository(image for images in asked.beyond.values() for image in images)
    others = [(name, every) for name, every in sorted(beyond.items()) if name not in found][:_REPOSITORIES]
    return [*decide, *(_Repository(name, tuple(every), decides=False) for name, every in others)], notes


def _group_by_repository(images: Iterable[Reference]) -> dict[str, list[Reference]]:
    """Return the first images of each repository."""
    found: dict[str, list[Reference]] = {}
    for image in images:
        mine = found.setdefault(image.repository, [])
        if len(mine) < _TRIED:
            mine.append(image)
    return found


def _find_worse(answers: Iterable[tuple[_Repository, _LoginAnswer]]) -> Iterator[tuple[str, str]]:
    for asked, answer in answers:
        if answer.new.works or not asked.decides:
            continue
        if _is_worse(answer):
            yield (
                str(answer.image),
                f"the login in option 'new' cannot pull {answer.image}, but the login in option 'old' can: {answer.new.said}",
            )
        elif asked.must or _is_blocking(answer):
            yield str(answer.image), f"{answer.image}: {answer.new.said}"


def _find_unanswered(answers: Iterable[tuple[_Repository, _LoginAnswer]]) -> Iterator[tuple[str, str]]:
    """Yield unanswered images of registries that give the new login no image at all, because then the image is not at fault."""
    deciding = [answer for asked, answer in answers if asked.decides]
    good = {answer.image.host for answer in deciding if answer.new.works}
    for answer in deciding:
        if answer.image.host not in good and answer.new.outcome in _OPEN and not _is_worse(answer):
            yield str(answer.image), f"{answer.image}: {answer.new.said}"


def _is_worse(answer: _LoginAnswer) -> bool:
    return not answer.new.works and answer.old is not None and answer.old.works


def _is_blocking(answer: _LoginAnswer) -> bool:
    """Whether the new login is or can be the cause of a failed pull, because it is not known whether the old one can pull the image.

    An image that neither login can pull fails already. It does not count, else the author of one pod could stop the whole rotation.
    """
    if answer.new.outcome == "rate_limited" or _is_worse(answer):
        return True
    return (
        answer.old is not None
        and answer.new.outcome in _OF_THE_IMAGE
        and answer.old.outcome not in (*_OF_THE_IMAGE, *_DEAD)
    )


def _notes(answers: Iterable[tuple[_Repository, _LoginAnswer]]) -> Iterator[str]:
    """Yield notes on images in use that the new login cannot pull. If the old login cannot pull one either, it fails today already."""
    for _asked, answer in answers:
        if not answer.new.works:
            yield f"{answer.image} is in use, but {_compare_logins(answer)}: {answer.new.said}"


def _compare_logins(answer: _LoginAnswer) -> str:
    if answer.old is None:
        return "the login in option 'new' cannot pull it"
    return "only the login in option 'old' can pull it" if answer.old.works else "neither login can pull it"


def _old_login(rotation: Rotation, asking: _ProofRun) -> str:
    """Return `works`, `refused` or `unknown`. While the old login works, pods can pull during the rotation, and a rollback is possible."""
    old = rotation.exchange.old
    if not old.password:
        return "works" if {*rotation.hosts} <= {*asking.known} else "unknown"
    proofs = ask_all(rotation.hosts, lambda host: asking.log_in(host, old)).values()
    if all(proof.accepts_login for proof in proofs):
        return "works"
    return "refused" if any(proof.outcome in _DEAD for proof in proofs) else "unknown"


def _refuse(sentences: Iterable[tuple[str, str]]) -> None:
    """Refuse the rotation because of these registries or images. :raises Refusal: when there is at least one sentence."""
    told = join_alike(sentences)
    if not told:
        return
    raise Refusal(
        f"nothing was written because the login in option 'new' could not be verified: {summarize(told, _SHOWN, '; ')}. Correct 'new', or the "
        "account at the registry. If the registry cannot be reached from here, set 'verify: false' and test pulls in a few namespaces first"
    )


#: Seconds between two looks at the pods: the first pause, and the longest regular one.
_FIRST_PAUSE, _LATER_PAUSE = 1.0, 3.0
#: Pause after a slow list: a multiple of its duration, up to a maximum number of seconds.
_TIMES_OF_A_LIST, _LONGEST_PAUSE = 4, 10.0
#: Seconds between two looks at the events. They end the wait for pods whose status never changes.
_BETWEEN_EVENTS = 15.0

#: Returns the current uses of the pods in these namespaces.
Look = Callable[[Sequence[str]], Mapping[str, Sequence[Use]]]


@dataclass
class PullWait:
    """`copies` are the confirmed secrets of the rotation, with those of the nodes also under "". `uses` are those of the last full look."""

    cluster: Cluster
    workers: Workers
    clock: Clock
    look: Look
    copies: Mapping[str, Sequence[Copy]]
    uses: Mapping[str, Sequence[Use]] = field(default_factory=dict)
    #: Why the events could not be read; empty otherwise.
    no_events: str = ""

    def wait(self, places: Sequence[str], timeout: float) -> list[PendingPull]:
        """Wait, and return the pulls under way at the start that may still be under way after `timeout` seconds.

        :raises ImagePullError: when the pods cannot be listed.
        """
        started, pause = self.clock.now(), _FIRST_PAUSE
        self.uses = self.look(places)
        left = first = find_pending(self.uses, self.copies)
        before: EventCounts | None = None
        asked = started
        while left and (remaining := started + timeout - self.clock.now()) > 0:
            self.clock.sleep(min(pause, remaining))
            began = self.clock.now()
            now = find_pending(self.look(sorted({each.namespace for each in left})), self.copies)
            after = before or {}
            if before is None or began - asked >= _BETWEEN_EVENTS:
                after, asked = self._events(left), began
            before = after if before is None else before
            left = filter_pending(left, now, before, after)
            took = self.clock.now() - began
            pause = max(min(pause * 1.5, _LATER_PAUSE), min(_TIMES_OF_A_LIST * took, _LONGEST_PAUSE))
        if first:
            self.uses = self.look(places)
        return left

    def _events(self, pulls: Sequence[PendingPull]) -> EventCounts:
        """Return the event counts; empty without the right to list events, which prolongs the wait."""
        places = sorted({each.namespace for each in pulls})
        # Users can write events in their own namespaces, with the UID of any pod.
        pods = {(each.namespace, each.uid) for each in pulls}
        request = ListRequest(POD_EVENTS, trim_event, ("involvedObject.kind=Pod",))
        try:
            found = list_in_namespaces(self.cluster, self.workers, request, places)
        except ImagePullError as error:
            self.no_events = str(error)
            return {}
        if found.errors:
            self.no_events = f"the caller may not list events in namespace {summarize([*found.errors], 1)}"
        every = ((name, event) for name, events in found.objects.items() for event in events)
        return event_counts(event for name, event in every if (name, event["involvedObject"].get("uid")) in pods)
