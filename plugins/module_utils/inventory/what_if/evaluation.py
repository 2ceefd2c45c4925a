# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates one pull before and after the changes, and finds the changes that break it. Pure.

Both evaluations are about the next pull: that a container has its image today says nothing about it. Where the changes change nothing
that the explanation before them has read, the pull is not affected, and is not evaluated again. This is decided without registries, so they
are asked about affected pulls only.

Most changes have nothing to do with most pulls. So the causes are found by evaluating the pull with a half of the changes, then with a half of
that half, and so on (QuickXplain, Junker 2004), and not with each of them.

If no registry is asked, an explanation assumes that a login works and that each place has the image. A pull that works today can depend on any
one of its attempts, which are a place of the image and a login for it. So it is not known to work if the changes take one of them away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, TypeVar

from ...core.documents import NOT_AFFECTED, NOT_KNOWN, STILL_BROKEN, STILL_PULLS, WOULD_BREAK, WOULD_WORK
from ...core.objects import SECRET, Json, ObjectRef, as_dict, as_str
from ...explain.chain import explain
from ...explain.credentials import credentials_of, refused_logins
from ...explain.listed_evidence import explanation_key
from ...explain.lookup import Lookup, registry_sources, require_all, try_lookup
from ...explain.node_settings import NodeSettings, registries_of
from ...explain.steps.asked import PullRoute, join_routes, list_questions
from ...explain.steps.mirrors import mirrors_of
from ...explain.steps.pull_secrets import explain_secret_list
from ...explain.steps.sources import resolve_short_name
from ...explain.steps.streams import resolve_image
from ...explain.subjects import ContainerPull
from ...explain.verdict import PULLS, UNKNOWN, WILL_NOT_PULL, PullVerdict, Step
from ...images.image_questions import ImageQuestion
from ...images.image_verification import KUBELET_CONFIGS, USES
from ...images.image_verification import UNKNOWN as UNDECIDED
from ...images.nodes import NodeVersions
from ...images.references import Reference, reference_of
from ...images.registry_sources import NODE_NETWORK, is_cluster_host, network_ref
from ...platform.protected import NODE_SECRET
from ...secrets.content import StoredSecret
from .moves import Moves
from .overlay import ChangedLookup, DifferencePatch, RecordingLookup
from .patches import EvidencePatch, NetworkPatch
from .tasks import choose_tasks
from .timing import coming_settings, decide_restart

# --- the causes of a broken pull

_Key = TypeVar("_Key", bound=Hashable)
_Pull = TypeVar("_Pull")


def choose_refusals(
    find_broken: Callable[[Collection[_Key]], Sequence[_Pull]],
    causes_of: Callable[[_Pull, Collection[_Key]], Sequence[Sequence[_Key]]],
) -> dict[_Key, list[_Pull]]:
    """Return the removals that must not be made, each with the pulls that it breaks, so that no other removal breaks one.

    `find_broken` returns the pulls that break without the given removals, and `causes_of` the causes of one of them, as `find_causes` does.

    A removal that breaks a pull alone is left out first, because fewer removals may then break a pull together.
    """
    refused: dict[_Key, list[_Pull]] = {}
    while True:
        broken = find_broken(refused)
        causes = [causes_of(pull, refused) for pull in broken]
        if not any(causes):
            return refused
        has_single = any(len(each) == 1 for found in causes for each in found)
        for pull, found in zip(broken, causes, strict=True):
            for key in (key for each in found if len(each) == 1 or not has_single for key in each):
                refused.setdefault(key, []).append(pull)


def find_causes(removals: Sequence[_Key], breaks: Callable[[Sequence[_Key]], bool]) -> list[Sequence[_Key]]:
    """Return the causes of a broken pull: sets of removals that break it together, and of which none can be left out. They have no removal
    in common. Empty if it breaks without any of the removals.

    `breaks`: whether it breaks if exactly these removals are made. With all of them, it does. The number of calls is about twice the
    logarithm of the number of removals, for each one that is returned.
    """
    if not removals or breaks(()):
        return []
    found: list[Sequence[_Key]] = []
    rest = removals
    while not found or (rest and breaks(rest)):
        found.append(_find_cause(breaks, (), rest, is_new=False))
        named = frozenset(found[-1])
        rest = [key for key in rest if key not in named]
    return found


def _find_cause(
    breaks: Callable[[Sequence[_Key]], bool], made: Sequence[_Key], rest: Sequence[_Key], *, is_new: bool
) -> list[_Key]:
    """The part of `rest` in a cause. `made` are made in any case. `is_new`: whether it is not known that these alone do not break it."""
    if is_new and breaks(made):
        return []
    if len(rest) == 1:
        return [*rest]
    first, second = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    of_second = _find_cause(breaks, (*made, *first), second, is_new=True)
    of_first = _find_cause(breaks, (*made, *of_second), first, is_new=bool(of_second))
    return [*of_first, *of_second]


# --- lost attempts

_LOGIN = "the changes take a login away, and it is not known whether another one can pull the image: {}"
_MOVED = "the image gets the name {}, and it is not known whether it is there: {}"
_PLACE = "the changes take away {} as a source of the image, and it is not known whether another one serves it: {}"


class _Attempt(NamedTuple):
    """A place of the image, as a name without tag and digest, and the user and password. The login is empty for a request without one.

    `is_refused`: a registry is known to refuse the login.
    """

    place: str
    login: tuple[str, ...]
    is_refused: bool = False


def describe_loss(
    before: PullVerdict,
    after: PullVerdict,
    states: tuple[Lookup, Lookup],
    touches: Callable[[ObjectRef], bool],
    *,
    asks: bool,
) -> str:
    """Return the doubt about a pull that works before and after the changes, but loses an attempt. Empty if it loses none.

    `states` are the evidence before and after. `touches`: whether the changes affect an object. The same login in another secret is not lost,
    and neither is a request without a login to a place that gets another one. The answers of registries leave no doubt.

    :raises ReadRequired: when objects must be read first.
    """
    subject = before.subject
    reference = _source_of(subject, states[0])
    if reference is None or subject.pull_policy == "Never" or asks:
        return ""
    if after.subject.image != subject.image:
        return _MOVED.format(after.subject.image, after.reason)
    names, _seen = explain_secret_list(subject, states[0])
    if _is_hidden_login_touched(subject.namespace, names, states[0], touches):
        return _LOGIN.format(after.reason)
    had, later = _attempts_of(subject, reference, names, states[0]), _source_of(subject, states[1])
    has = () if later is None else _attempts_of(subject, later, explain_secret_list(subject, states[1])[0], states[1])
    left, places = {*has}, {attempt.place for attempt in has}
    served = {attempt.place for attempt in has if attempt not in had}
    lost = [each for each in had if not (each.is_refused or each in left or (each.place in served and not each.login))]
    if not lost:
        return ""
    gone = next((each.place for each in lost if each.place not in places), "")
    return _PLACE.format(gone.partition("/")[0], after.reason) if gone else _LOGIN.format(after.reason)


def _source_of(subject: ContainerPull, state: Lookup) -> Reference | None:
    return reference_of(resolve_image(subject, state, has_failed=bool(subject.reason)).image)


def _is_hidden_login_touched(
    namespace: str, names: Sequence[str], state: Lookup, touches: Callable[[ObjectRef], bool]
) -> bool:
    """Whether the changes affect a secret that a node reads for the image and the caller may not read."""
    refs = (NODE_SECRET, *(ObjectRef(SECRET, namespace, name) for name in names))
    return any(touches(ref) and try_lookup(state, ref)[1] for ref in refs)


def _attempts_of(
    subject: ContainerPull, reference: Reference, names: Sequence[str], state: Lookup
) -> Sequence[_Attempt]:
    """The attempts that a node makes, in order. `names` are the secrets of the pod."""
    credentials = credentials_of(subject.namespace, names, reference.repository, state)
    rules = registries_of(state)
    found = [
        PullRoute(subject, each, credentials, mirrors_of(each, state), state, named=reference)
        for each in resolve_short_name(subject, reference, state).references
        if not rules.why_not(each)
    ]
    asked = list_questions(join_routes(reference, found)) if found else ()
    return [_attempt_of(question, state) for question, _is_source in asked]


def _attempt_of(question: ImageQuestion, state: Lookup) -> _Attempt:
    secret = question.secret_ref
    if secret is None:
        return _Attempt(question.repository, ())
    # A key that only CRI-O reads has no login here: its secret and its text stand for it.
    login = state.derive(secret, _entries_of).get(question.key, (str(secret), question.key))
    host = question.repository.partition("/")[0]
    return _Attempt(question.repository, login, (question.key, host) in state.derive(secret, refused_logins))


def _entries_of(secret: Json | None) -> Mapping[str, tuple[str, str]]:
    return StoredSecret.of(as_dict(secret)).for_kubelet.logins


# --- one pull

_REFUSED = "imagePullPolicy is Never, and the kubelet of node {} will give the image only to a pod that pulls it"
_BY_RECORD = "the node has the image, and whether its kubelet gives it to this pod at the next start is in its own record, which no object shows"
_NEVER_ON_NEW_NODES = "imagePullPolicy is Never: nothing is pulled, and a new node does not have the image"
#: A message of a node about an earlier attempt counts against a change that would correct its cause.
_OLD_ERROR = "nothing visible fails in this state, but the node reports an error today: {}"


@dataclass(frozen=True)
class Comparison:
    """One pull before and after the changes. `touched` and `causes` are positions of changes.

    `touched`: those that may change something that the explanation reads before or after the changes. Without any, the pull is not affected, and
    `before` is the verdict without registries. `causes`: those that make it fail. `read`: what the explanation before the changes reads, if one
    touches it. `undone`: see `TaskChoice`.
    """

    subject: ContainerPull
    before: PullVerdict
    after: PullVerdict
    touched: tuple[int, ...] = ()
    causes: tuple[int, ...] = ()
    read: frozenset[ObjectRef] = field(default=frozenset(), repr=False)
    undone: str = ""

    @property
    def answer(self) -> str:
        return answer_of(self.before.effect, self.after.effect) if self.touched else NOT_AFFECTED

    @property
    def is_moved(self) -> bool:
        """Whether the image has another name after the changes."""
        return self.before.subject.image != self.after.subject.image

    @property
    def not_asked(self) -> bool:
        """Whether it is not known, and an answer of registries that were not asked may decide it."""
        return self.answer == NOT_KNOWN and self.after.is_unasked


def answer_of(before: str, after: str) -> str:
    """Return the answer for two effects of an affected pull. A pull that surely fails after the changes breaks, unless it surely fails before them."""
    if after == WILL_NOT_PULL:
        return STILL_BROKEN if before == WILL_NOT_PULL else WOULD_BREAK
    if UNKNOWN in (before, after):
        return NOT_KNOWN
    return STILL_PULLS if before == PULLS else WOULD_WORK


class PresentPulls:
    """The explanations without any change, each made once. `asks`: whether registries are asked."""

    def __init__(self, base: Lookup, *, asks: bool) -> None:
        self.base, self.asks = base, asks
        self._evidence = RecordingLookup(base)
        self._known: dict[tuple[ContainerPull, bool], tuple[PullVerdict, frozenset[ObjectRef]]] = {}

    def explain(self, subject: ContainerPull, *, asks: bool) -> tuple[PullVerdict, frozenset[ObjectRef]]:
        """Return the verdict, and the references that the explanation reads.

        :raises ReadRequired: when more objects must be read first.
        """
        key = subject, asks
        if key not in self._known:
            self._evidence.take_read()
            verdict = explain(subject, self._evidence, asks=asks)
            self._known[key] = verdict, self._evidence.take_read()
        return self._known[key]


class PullEvaluator:
    """Compares pulls. `patches` are the effects of each change, in order.

    `earlier` are the effects on the cluster before the changes: the changes then replace them. Without any, it is the present cluster.
    `new_nodes` is the position of the change after which no node has an image, None without it. `moves` are the new names of images, which none
    of `earlier` are about.
    """

    def __init__(
        self,
        present: PresentPulls,
        patches: Sequence[Sequence[EvidencePatch]],
        earlier: Sequence[EvidencePatch] = (),
        *,
        new_nodes: int | None = None,
        moves: Moves | None = None,
    ) -> None:
        evidence, self._asks = present.base, present.asks
        self._present = present
        self._later = ChangedLookup(evidence, [patch for each in patches for patch in each])
        if earlier:
            self._earlier: ChangedLookup | None = ChangedLookup(evidence, earlier)
            #: The evidence after all changes.
            self.after = ChangedLookup(self._earlier, [DifferencePatch(self._earlier, self._later)])
            self._each = [self.after]
        else:
            self._earlier, self.after = None, self._later
            self._each = [self._later] if len(patches) == 1 else [ChangedLookup(evidence, each) for each in patches]
        self._evidence, self._patches, self._new_nodes, self._moves = evidence, patches, new_nodes, moves
        #: Whether registries are asked, in the order of the explanations. New nodes affect every pull.
        self._phases = (present.asks,) if new_nodes is not None else tuple(dict.fromkeys((False, present.asks)))
        self._limits_network = any(isinstance(patch, NetworkPatch) for each in patches for patch in each)
        self._parts: dict[tuple[int, ...], ChangedLookup] = {}
        # Which changes cause a break is searched only among several.
        self._later_read = RecordingLookup(self.after) if len(self._each) > 1 else None
        base = self._earlier or evidence
        self._base = RecordingLookup(base)
        self._known: dict[Hashable, Comparison] = {}
        #: The evidence before the changes, after all of them, and after each of them alone.
        self.states: Sequence[Lookup] = (base, self.after, *self._each)

    @property
    def lookups(self) -> Sequence[Lookup]:
        """All evidence that may want objects, each after the evidence on which it is based."""
        return list(dict.fromkeys((self._evidence, self.states[0], self._later, *self._each, *self._parts.values())))

    def compare(self, subject: ContainerPull, *, is_reported: bool = False) -> Comparison:
        """Return the comparison for one subject.

        `is_reported`: its reasons name this subject, and not one with the same answer, and its tasks last after the changes.

        :raises ReadRequired: when more objects must be read first.
        """
        found = self._compare_next(subject)
        if is_reported and _names_another(found, subject.ref):
            found = self._compare(_next_pull_of(subject))
        found = replace(found, subject=subject)
        found = self._restart(found) if self._new_nodes is None else self._move(found, self._new_nodes)
        # A pod without a controller can lack tasks, and only has to be created again.
        may_last = is_reported and found.answer == WOULD_BREAK and (found.after.fix or subject.is_bare)
        return self._keep_lasting(found) if may_last else found

    def _compare_next(self, subject: ContainerPull) -> Comparison:
        """The comparison of the next pull, which equal subjects share."""
        asked = _next_pull_of(subject)
        if subject.reason:
            return self._compare(asked)
        key = explanation_key(asked, self._base, asks=self._asks)
        if key not in self._known:
            self._known[key] = self._compare(asked)
        return self._known[key]

    def _keep_lasting(self, found: Comparison) -> Comparison:
        """The comparison of a pull that breaks, without the tasks that the changes would undo. Equal subjects share an unchanged explanation."""
        chosen = choose_tasks(found.after, self.states[0], self.after, asks=self._asks)
        is_same = [*chosen.tasks] == [*found.after.fix]
        after = found.after if is_same else replace(found.after, fix=chosen.tasks)
        return replace(found, after=after, undone=chosen.undone)

    def _restart(self, found: Comparison) -> Comparison:
        """The comparison of a container whose kubelet gives it the image that the node has today, and may not do so after the changes."""
        subject, after = found.subject, found.after
        if found.is_moved or not subject.is_pulled or subject.pull_policy == "Always" or found.answer == WOULD_BREAK:
            return found
        decision, touched = self._decide_restart(subject)
        if decision == USES:
            return found
        if subject.pull_policy != "Never" and self._asks and not found.touched:
            after = explain(_next_pull_of(subject), self.after, asks=True)
        if subject.pull_policy != "Never" and after.effect == PULLS:
            return found
        before = explain(subject, self.states[0])
        after = _after_restart(subject, after, decision)
        causes = touched if answer_of(before.effect, after.effect) == WOULD_BREAK else ()
        return replace(found, before=before, after=after, touched=touched, causes=causes)

    @cached_property
    def _nodes(self) -> Sequence[Mapping[str, tuple[NodeVersions, NodeSettings]]]:
        """The nodes before and after the changes. :raises ReadRequired: when objects must be read first."""
        return [coming_settings(state) for state in (self.states[0], self.after)]

    @property
    def changed_nodes(self) -> Mapping[str, tuple[NodeVersions, NodeSettings]]:
        """The nodes whose settings change, as they are after the changes. :raises ReadRequired: when objects must be read first."""
        before, after = self._nodes
        return {name: each for name, each in after.items() if before.get(name) != each}

    def _decide_restart(self, subject: ContainerPull) -> tuple[str, tuple[int, ...]]:
        """The decision of the kubelet after the changes about the image of a running pod, with the changes that affect it. `USES` if it is not
        worse than today."""
        refs = [KUBELET_CONFIGS, *(ObjectRef(SECRET, subject.namespace, name) for name in subject.own)]
        touched = tuple(at for at, each in enumerate(self._each) if any(map(each.changes, refs)))
        if not touched:
            return USES, ()
        are_settings_changed = self.after.changes(KUBELET_CONFIGS)
        states = self.states[0], self.after
        return decide_restart(subject, self._nodes, states, are_settings_changed=are_settings_changed), touched

    def _move(self, found: Comparison, at: int) -> Comparison:
        """The comparison if the pod starts on a new node. A container that needs the image of its present node then breaks.

        Images that are part of a new node are among the facts that no object shows.
        """
        subject, before, after = found.subject, found.before, found.after
        if subject.pull_policy == "Never" and after.effect != WILL_NOT_PULL:
            step = Step("cached", _NEVER_ON_NEW_NODES, ok=False)
            after = replace(after, verdict=WILL_NOT_PULL, reason=step.seen, step=step.name, steps=[*after.steps, step])
        if subject.is_pulled and after.effect == WILL_NOT_PULL and found.answer != WOULD_BREAK:
            before = explain(subject, self.states[0])
        moved = replace(found, before=before, after=after, touched=tuple(sorted({*found.touched, at})))
        is_new = moved.answer == WOULD_BREAK != found.answer
        return replace(moved, causes=(at,)) if is_new else moved

    def _compare(self, asked: ContainerPull) -> Comparison:
        later = asked if self._moves is None else self._moves.move(asked, self._evidence)
        for asks in self._phases:
            present, read_today = self._present.explain(asked, asks=asks)
            before, read = present, read_today
            if self._earlier is not None and any(map(self._earlier.touches, read_today)):
                self._base.take_read()
                before = self._explain_changed(asked, self._base, present, asks=asks)
                read = self._base.take_read()
                before = self._doubt(present, before, self._evidence, self._earlier)
            is_affected = later is not asked or self._may_affect(asked.namespace, read)
            if not (is_affected or (not asks and self._loses_token_service(read))):
                return Comparison(asked, before, before)
        touched = self._touching(read, is_moved=later is not asked)
        # Without earlier changes, these are the references that the changes touch.
        is_changed = self._earlier is None or any(map(self._later.touches, read_today))
        after = present
        if self._later_read is not None:
            self._later_read.take_read()
            after = self._explain_changed(later, self._later_read, present, asks=self._asks)
            # A change can concern only an object that another one brings in, such as the host of a new mirror.
            touched = self._touching(read | self._later_read.take_read(), is_moved=later is not asked)
        elif is_changed:
            after = self._explain_changed(later, self.after, present, asks=self._asks)
        if is_changed:
            after = self._doubt(present, after, self._evidence, self._later)
        if self._earlier is not None:
            after = self._doubt(before, after, self._earlier, self.after)
        causes = self._causes(asked, touched) if answer_of(before.effect, after.effect) == WOULD_BREAK else ()
        return Comparison(asked, before, after, touched, causes, read)

    def _doubt(self, before: PullVerdict, after: PullVerdict, state: Lookup, changed: ChangedLookup) -> PullVerdict:
        """The verdict after changes of `state`. It is unknown if the pull works before and loses an attempt."""
        if before.verdict != PULLS or after.verdict != PULLS:
            return after
        doubt = describe_loss(before, after, (state, changed), changed.touches, asks=self._asks)
        return replace(after, verdict=UNKNOWN, reason=doubt) if doubt else after

    def _explain_changed(
        self, asked: ContainerPull, evidence: Lookup, present: PullVerdict, *, asks: bool
    ) -> PullVerdict:
        """The verdict in another state than the present one, for which the error of the node does not count."""
        found = explain(asked, evidence, asks=asks)
        if not asked.reason or present.verdict != WILL_NOT_PULL or found.verdict != WILL_NOT_PULL:
            return found
        without_error = replace(asked, reason="", message="", shares_error=False)
        now = explain(without_error, evidence, asks=asks)
        if now.verdict != PULLS:
            return found
        return now if asks else replace(now, verdict=UNKNOWN, reason=_OLD_ERROR.format(present.reason))

    def _may_affect(self, namespace: str, read: Collection[ObjectRef]) -> bool:
        """Whether the changes change something that an explanation reads, or may do so behind an object that could not be read: a list of an
        account can name each secret of the namespace, and a mirror set each registry."""
        if any(map(self.after.changes, read)):
            return True
        hidden = [ref for ref in read if ref.kind != SECRET and try_lookup(self.states[0], ref)[1]]
        secrets = {ObjectRef(SECRET, ref.namespace or namespace, "") for ref in hidden}
        return bool(hidden) and (self._limits_network or any(map(self.after.changes, secrets)))

    def _loses_token_service(self, read: Collection[ObjectRef]) -> bool:
        """Whether the changes cut a registry off from the host that gives out its tokens. Only the registry knows it, and is asked once."""
        if not (self._asks and self._limits_network):
            return False
        registries = (ref.name for ref in read if ref.kind == NODE_NETWORK and "/" not in ref.name)
        hosts = sorted(host for host in registries if not is_cluster_host(host))
        sources = registry_sources(self._evidence)
        questions = [ImageQuestion(host, "", is_insecure=sources.is_insecure(host)).ref for host in hosts]
        require_all(self._evidence, questions)
        realms = (as_str(as_dict(try_lookup(self._evidence, each)[0]).get("realm_host")) for each in questions)
        return any(realm and self.after.changes(network_ref(realm)) for realm in realms)

    def _touching(self, read: Collection[ObjectRef], *, is_moved: bool) -> tuple[int, ...]:
        """The changes that touch something that an explanation reads, or move the image. All of them if they only may affect it."""
        touching = tuple(
            at for at, each in enumerate(self._each) if (is_moved and self._is_move(at)) or any(map(each.touches, read))
        )
        return touching or tuple(range(len(self._each)))

    def _causes(self, asked: ContainerPull, touched: tuple[int, ...]) -> tuple[int, ...]:
        """The changes without which the pull would not fail, if they are enough. Otherwise also those of the smallest sets that make it fail.

        A change can repair what another one breaks, so both are needed: the changes that fail alone are not always those that cause it.
        """
        if len(touched) == 1:
            return touched
        known = {(): False, touched: True}

        def breaks(made: Iterable[int]) -> bool:
            key = tuple(sorted(made))
            if key not in known:
                moves = self._moves if any(map(self._is_move, key)) else None
                later = asked if moves is None else moves.move(asked, self._evidence)
                known[key] = explain(later, self._after_part(key), asks=self._asks).effect == WILL_NOT_PULL
            return known[key]

        needed = {at for at in touched if not breaks(each for each in touched if each != at)}
        if not breaks(needed):
            needed.update(at for cause in find_causes(touched, breaks) for at in cause)
        return tuple(sorted(needed))

    def _is_move(self, at: int) -> bool:
        return self._moves is not None and at == self._moves.position

    def _after_part(self, made: tuple[int, ...]) -> ChangedLookup:
        """The evidence after only these changes."""
        if len(made) == 1:
            return self._each[made[0]]
        if made not in self._parts:
            self._parts[made] = ChangedLookup(self._evidence, [patch for at in made for patch in self._patches[at]])
        return self._parts[made]


def _after_restart(subject: ContainerPull, pull: PullVerdict, decision: str) -> PullVerdict:
    """The verdict for the next start of a container on its node, whose kubelet may ask the registry. `pull`: that for the pull."""
    is_never = subject.pull_policy == "Never"
    if decision == UNDECIDED:
        asks = "" if is_never else f". If it asks the registry: {pull.reason}"
        return replace(pull, verdict=UNKNOWN, reason=_BY_RECORD + asks, fix=(), runs=True)
    if not is_never:
        return pull
    step = Step("cached", _REFUSED.format(subject.node), ok=False)
    return replace(pull, verdict=WILL_NOT_PULL, reason=step.seen, step=step.name, steps=[*pull.steps, step])


def _next_pull_of(subject: ContainerPull) -> ContainerPull:
    """With `imagePullPolicy: Never`, there is no other pull than the one that gave the node its image."""
    return replace(subject, is_pulled=False) if subject.is_pulled and subject.pull_policy != "Never" else subject


def _names_another(found: Comparison, ref: ObjectRef) -> bool:
    """Whether a reason names the subject that was explained, and that is not `ref`. Most reasons name no subject."""
    explained = found.subject.ref
    return explained != ref and any(str(explained) in each.reason for each in (found.before, found.after))
