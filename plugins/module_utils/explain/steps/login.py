# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the credential for the image with the node's error, also for image volumes. Pure.

The change has the API server's time, the attempt the node's, so a difference of less than a minute proves nothing. A pod that was created
after the change never had the old content. Both of these times are the API server's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...core.objects import SECRET, ObjectRef, as_dict
from ...core.times import ChangeTime, content_change, seconds_of
from ...dockerconfig.registry_keys import without_user
from ...images.pull_messages import POD_EVENTS, PodEvents, PullAttempt, parse_message, pod_events
from ...images.pull_rules import OWN_LIMIT
from ...images.pull_rules import UNKNOWN as NO_RULE
from ...images.references import reference_of
from ...platform.account_lists import is_generated
from ...platform.protected import NODE_SECRET
from .. import fixes
from ..credentials import Credentials, KubeletLogin, credentials_of
from ..fixes import Fix
from ..lookup import Lookup, items_of, try_lookup
from ..node_settings import find_providers
from ..subjects import ContainerPull
from ..verdict import UNKNOWN, UNTESTED, WILL_NOT_PULL, StepResult, failure, info, unknown
from .asked import (
    COPY,
    MISSING,
    NOT_FOUND,
    NOT_GIVEN,
    OUT_OF_REACH,
    TRUST_UNKNOWN,
    UNTRUSTED,
    PullRoute,
    RegistryAttempt,
    explain_platform,
    explain_unasked,
    has_places,
    read_attempts,
)
from .mirrors import MirrorKey, fix_for
from .providers import (
    explain_crio,
    explain_crio_files,
    explain_providers,
    may_provide,
    name_provider,
    providers_without_config,
)
from .pull_secrets import explain_missing_login
from .streams import has_internal_name

#: The secret was changed before the last attempt, after it, at about the same time, or at an unknown time.
CHANGED_BEFORE, CHANGED_SINCE, CLOSE, NOT_KNOWN = "before", "since", "close", "not known"

#: Maximum clock differences in seconds: between the API server and a node, and between API servers.
_SKEW_OF_NODES = 60
_SKEW_OF_SERVERS = 5


def order_of(subject: ContainerPull, secrets: Iterable[str], evidence: Lookup) -> str:
    """Return the order for the most recently changed of the secrets in the subject's namespace.

    :raises ReadRequired: when they or the pod's events have to be read first. Events are read only if they make a difference.
    """
    return order_of_objects(subject, [ObjectRef(SECRET, subject.namespace, name) for name in secrets], evidence)


def order_of_objects(subject: ContainerPull, secrets: Iterable[ObjectRef], evidence: Lookup) -> str:
    """Return the same for secrets of any namespace."""
    changes = [_content_change(ref, evidence) for ref in secrets]
    known = [change for change in changes if change is not None]
    if not known or len(known) < len(changes):
        return NOT_KNOWN
    at, is_exact = max(change.at for change in known), all(change.is_exact for change in known)
    created = seconds_of(subject.created)
    if is_exact and created is not None and created - at > _SKEW_OF_SERVERS:
        return CHANGED_BEFORE
    attempt = events_of(subject, evidence).last_attempt
    return NOT_KNOWN if attempt is None else _compare_times(at, attempt, is_exact=is_exact)


def events_of(subject: ContainerPull, evidence: Lookup) -> PodEvents:
    """Return the pull events of the subject. Empty if they cannot be read, or are not worth reading."""
    if not (subject.is_pod and subject.is_asked_alone):
        return PodEvents()
    listed, _unread = try_lookup(evidence, ObjectRef(POD_EVENTS, subject.namespace, subject.ref.name))
    image = subject.image if subject.volume else ""
    return pod_events(items_of(listed), subject.container, subject.uid, image)


def _compare_times(changed: int, attempt: int, *, is_exact: bool) -> str:
    if changed - attempt > _SKEW_OF_NODES:
        return CHANGED_SINCE
    if not is_exact:
        return NOT_KNOWN
    return CHANGED_BEFORE if attempt - changed > _SKEW_OF_NODES else CLOSE


def _content_change(ref: ObjectRef, evidence: Lookup) -> ChangeTime | None:
    secret, _unread = try_lookup(evidence, ref)
    return content_change(as_dict(secret))


#: The names of the steps that no login changes, by the outcome of an attempt.
_WITHOUT_LOGIN = {UNTRUSTED: "certificate", OUT_OF_REACH: "network"}

#: Causes that a login could fix, and those of them that an attempt before the secret's last change would have had.
_OF_LOGINS = (
    "bad_credentials",
    "no_credentials",
    "denied",
    "unauthorized",
    "not_found",
    "secret_unparsable",
    "secret_missing",
)
_OF_ANOTHER_TIME = ("no_credentials", "secret_unparsable", "secret_missing")
#: Causes that do not predict the next attempt.
_PROVES_NOTHING = (NO_RULE.id, OWN_LIMIT)

#: Outcomes of an attempt that no registry has answered.
_NO_ANSWER = ("unanswered", "not_sent")
_NO_IMAGE = "there is no such image, or the registry hides it"

_AGAIN = "the next attempt, at most five minutes from now, will pull; delete the pod to have it at once"
_SOON = "the nodes have it some minutes later, and their next attempt will pull"
_PROVIDED = "The pull works only if {} gives a login with the right to the image"
_CHANGED = "the secret was changed since: then the next attempt, at most five minutes from now, pulls"
#: The meaning of a registry's refusal of a login.
_REFUSED = {
    "bad_credentials": "the registry refuses the login",
    "denied": "the login has no right to this image, or there is no such image",
    "unauthorized": "the registry does not accept the login for this image: it has no right to it, or is no longer valid",
    "not_found": "there is no such image, or the login has no right to it and the registry hides it",
}


def last_node_error(subject: ContainerPull, evidence: Lookup) -> PullAttempt | None:
    """Return the node's last error. If that hides the cause of earlier attempts, return the cause from the pod's events."""
    if not subject.reason:
        return None
    told = parse_message(subject.reason, subject.message, "" if subject.shares_error else subject.image).cause
    if told is not None and told.rule.id != OWN_LIMIT:
        return told
    return events_of(subject, evidence).cause or told


def explain_keys(credentials: Credentials, repository: str, *, is_listed: bool) -> Iterator[StepResult]:
    """`is_listed`: the list of secrets is known. Nothing is known about keys in a secret that could not be read."""
    is_known = bool(credentials.logins) or (is_listed and not credentials.in_state("unread"))
    if is_known and not credentials.in_state("unparsable"):
        text = format_logins(credentials.logins) or f"no key in them is for {repository}"
        yield info("keys", text, ok=bool(credentials.usable_logins))


def explain_login(held: PullRoute, told: PullAttempt | None) -> Iterator[StepResult]:
    """Yield the results. If nothing fails, the last one says how the pull works: a `StepResult` with a reason only."""
    if told is not None:
        yield info("node", f"the node says: {told.text}", ok=False)
    # It is always looked up, because an audit needs it: secrets that only the provider uses are not unused.
    if (seen := explain_crio(held.subject, held.provider)) and _needs_provider(held, told):
        yield seen
    if held.asks and _is_undecided(told):
        yield from _judge_by_asking(held, told)
        return
    if told is None or told.rule.id == OWN_LIMIT:
        yield from _judge_without_node(held)
    else:
        if told.rule.id in _OF_LOGINS and not held.credentials.usable_logins:
            refusing = _mirror_of_error(held, told) or str(held.reference)
            yield from _explain_all_providers(held, [refusing])
        yield _judge_by_node(held, told)
    yield from explain_unasked(held)


def is_decided_by_registries(held: PullRoute, told: PullAttempt | None) -> bool:
    """Whether the answers of registries would decide, if they were asked. A place of the image is enough for a question."""
    return _is_undecided(told) and has_places(held)


def _is_undecided(told: PullAttempt | None) -> bool:
    """Whether the node reports no error that decides whatever a registry answers."""
    return told is None or told.rule.id in (*_OF_LOGINS, *_PROVES_NOTHING)


def _is_unclassified(told: PullAttempt | None) -> bool:
    """Whether the node reports an error that no login may change, as far as known."""
    return told is not None and told.rule is NO_RULE


def _needs_provider(held: PullRoute, told: PullAttempt | None) -> bool:
    """Whether a login that only CRI-O's provider gives can decide: at a mirror, or if there is no other login."""
    if told is not None and not held.asks:
        return told.rule.id in _OF_LOGINS and bool(_mirror_of_error(held, told))
    return held.asks or bool(_exclusive_mirrors(held)) or not (held.credentials.usable_logins or _nodes_key(held))


def _judge_by_node(held: PullRoute, told: PullAttempt) -> StepResult:
    said = f"the node says: {told.text}"
    logins, subject = held.credentials.usable_logins, held.subject
    if told.rule.id in _PROVES_NOTHING:
        return _unknown_reason(said)
    if told.rule.id not in _OF_LOGINS:
        return _failure_reason(f"{_lower_first(told.meaning)} ({told.text}).{_role_of(told)} {told.rule.fix}")
    if mirror := _mirror_of_error(held, told):
        return _judge_mirror_error(held, told, mirror)
    if logins:
        return _judge_login(held, told, logins)
    if unread := held.credentials.in_state("unread"):
        ref = ObjectRef(SECRET, subject.namespace, unread[0].name)
        return _failure_reason(f"{said}. The content of {ref} is not known: {unread[0].detail}")
    is_missing = told.rule.id == NOT_FOUND
    reason, fix, outcome = explain_missing_login(held, is_needed=not is_missing)
    hidden = f"{_NO_IMAGE}: " if is_missing else ""
    provider = name_provider(subject, held.reference, held.evidence)
    tried = f", and {provider} gives no login with the right to the image" if provider else ""
    return _failure_reason(_advise(f"{hidden}{reason}{tried}, and {said}", outcome), fix)


def _role_of(told: PullAttempt) -> str:
    """A sentence about a server that is not the registry, if the node's text does not describe it. Empty otherwise."""
    unknown = told.server and not told.is_token_service
    named = "a mirror, or a server that the registry names, such as its storage or token service"
    return f" {told.server} is {named}." if unknown else ""


def format_logins(logins: Sequence[KubeletLogin]) -> str:
    """Return the keys in the order in which they are tried, as a clause."""
    return ", then ".join(
        f"secret {login.secret} has the key {without_user(login.key)}{' without a login' if login.is_empty else ''}"
        for login in logins
    )


def _judge_by_asking(held: PullRoute, told: PullAttempt | None) -> Iterator[StepResult]:
    attempts = read_attempts(held)
    for attempt in attempts:
        ok = attempt.pulls if attempt.is_known else None
        yield info("registry", f"{attempt.which}: {attempt.said}", ok=ok)
    if works := next((attempt for attempt in attempts if attempt.pulls), None):
        yield from explain_platform(held)
        said = f"{works.said}, {works.which}"
        # The node's words come after the reason (`chain`).
        yield _unknown_reason(said) if _is_unclassified(told) else StepResult(None, "", said)
        return
    if silent := _generated_attempt(held, told, attempts):
        which = f"secret {silent.question.secret}, which the platform generates for {held.subject.account_ref}"
        yield _success_reason(f"{which}, has a login, but the registry could not be asked from here: {silent.said}")
        return
    # The kubelet tries the login of a provider after all others.
    places = [attempt.question.image for attempt in attempts if attempt.outcome not in _WITHOUT_LOGIN]
    yield from _explain_all_providers(held, places)
    was_refused = told is not None and told.rule.id in _OF_LOGINS
    if hidden := _hidden_logins(held):
        # The node also tried the logins that cannot be read here.
        yield _judge_by_node(held, told) if told is not None and was_refused else _unknown_reason(hidden)
    elif not all(attempt.is_known for attempt in attempts):
        yield _judge_by_some(held, told, attempts)
    elif told is not None and was_refused and not _sends_login(held) and _any_may_provide(held, places):
        # The node also tried the login of the provider, which no registry can be asked about.
        yield _judge_by_node(held, told)
    elif attempts:  # there is none if the source is blocked and has no mirror: another step reports that
        # CRI-O reports the error of the last name that it tries.
        last = held.tried[-1].reference.repository
        at_source = (each for each in attempts if each.is_source and each.question.repository == last)
        refusal = _judge_refusal(held, next(at_source, attempts[0]))
        yield refusal if was_refused or not places else _leave_to_provider(held, refusal, places)


def _sends_login(held: PullRoute) -> bool:
    return not all(login.is_empty for login in held.credentials.logins)


def _generated_attempt(
    held: PullRoute, told: PullAttempt | None, attempts: Sequence[RegistryAttempt]
) -> RegistryAttempt | None:
    """An attempt at the integrated registry that it has not answered, with the login that the platform generates for the account.

    Its service is known only inside the cluster. The right of the account and the image stream, which other steps judge, decide whether this
    login can pull. They say nothing about another login, and nothing explains the silence of its route.
    """
    if told is not None and told.rule.id != OWN_LIMIT:
        return None
    if not has_internal_name(held.reference, held.credentials, held.evidence):
        return None
    return next((each for each in attempts if each.outcome in _NO_ANSWER and _is_own_login(held, each)), None)


def _is_own_login(held: PullRoute, attempt: RegistryAttempt) -> bool:
    """Whether an attempt at the source has a login that the platform generates for the account of the pod."""
    ref = attempt.question.secret_ref
    if not attempt.is_source or ref is None or ref.namespace != held.namespace:
        return False
    secret, _unread = try_lookup(held.evidence, ref)
    return secret is not None and is_generated({"metadata": {"name": held.subject.account}}, secret)


def _explain_all_providers(held: PullRoute, places: Sequence[str]) -> Iterator[StepResult]:
    """The providers of the nodes for an image at these places. That of CRI-O gives logins for all mirrors."""
    is_own = _has_own_host(held, places)
    if is_own:
        yield from explain_providers(held.subject, held.reference, held.evidence)
    if known := providers_without_config(held.reference, held.mirrors, held.evidence):
        yield from explain_crio_files(known, held.subject, held.reference, shows_hidden=not is_own)


def _leave_to_provider(held: PullRoute, refusal: StepResult, places: Sequence[str]) -> StepResult:
    """The refusal of all known logins. It is only a doubt if a provider of the nodes may have another login, which was not tried."""
    provider = name_provider(held.subject, held.reference, held.evidence)
    provided = _PROVIDED.format(provider or "the credential provider of the nodes")
    if _any_may_provide(held, places):
        return _unknown_reason(f"{refusal.reason}. {provided}", refusal.fix)
    if unread := _unread_providers(held, places):
        doubt = f"whether the nodes have a credential provider for {held.reference.host} is not known: {unread}"
        return unknown("providers", doubt, refusal.fix, reason=f"{refusal.reason}. {provided}, and {doubt}")
    return refusal


def _any_may_provide(held: PullRoute, places: Sequence[str]) -> bool:
    known = providers_without_config(held.reference, held.mirrors, held.evidence)
    if known is not None and (known.found or known.hidden):
        return True
    return _has_own_host(held, places) and may_provide(held.subject, held.reference, held.evidence)


def _unread_providers(held: PullRoute, places: Sequence[str]) -> str:
    """Why the providers of the nodes for an image at these places are not known, as the rest of a sentence. Empty if they are known."""
    known = providers_without_config(held.reference, held.mirrors, held.evidence)
    if known is None and _has_own_host(held, places):
        known = find_providers(held.reference.repository, held.evidence)
    return "" if known is None else known.unread


def _hidden_logins(held: PullRoute) -> str:
    """The objects that cannot be read and may have a login that works, as a sentence. Empty if there is none."""
    subject = held.subject
    if not (subject.is_pod or subject.own) and (why := try_lookup(held.evidence, subject.account_ref)[1]):
        return f"the list of {subject.account_ref} is not known: {why}"
    for place, found in ((subject.namespace, held.credentials), (NODE_SECRET.namespace, _nodes_credentials(held))):
        if unread := found.in_state("unread"):
            ref = ObjectRef(SECRET, place, unread[0].name)
            return f"the content of {ref} is not known: {unread[0].detail}"
    return held.provider.explained_problem if held.provider is not None and held.provider.unread else ""


def _judge_by_some(held: PullRoute, told: PullAttempt | None, attempts: Sequence[RegistryAttempt]) -> StepResult:
    """A registry could not be reached from here. The errors of the node and of other registries still count."""
    if told is not None and told.rule.id in _OF_LOGINS:
        at_source = not _mirror_of_error(held, told)
        there = [each for each in attempts if each.is_source == at_source]
        # Another login may have been changed since the node was refused.
        is_known = there and all(each.is_known for each in there)
        return _judge_refusal(held, there[0]) if is_known else _judge_by_node(held, told)
    silent = next(attempt for attempt in attempts if not attempt.is_known)
    reason = silent.said
    if silent.outcome != TRUST_UNKNOWN:
        reason = f"a registry could not be asked from here: {reason}"
    if answered := next((attempt for attempt in attempts if attempt.is_known), None):
        return _unknown_reason(f"{reason}; {answered.said}, {answered.which}", _judge_refusal(held, answered).fix)
    if _is_unclassified(told):
        return _unknown_reason(reason)
    lacking = next((seen for seen in _judge_without_node(held) if seen.fix), None)
    return _unknown_reason(reason) if lacking is None else _unknown_reason(f"{reason}; {lacking.reason}", lacking.fix)


def _judge_refusal(held: PullRoute, attempt: RegistryAttempt) -> StepResult:
    """The response to the first attempt at the source, or at a mirror if the source is never contacted."""
    if attempt.outcome in _WITHOUT_LOGIN:
        return failure(_WITHOUT_LOGIN[attempt.outcome], attempt.said)
    # Without a login that works, the one that was refused counts.
    logins = held.credentials.usable_logins or held.credentials.refused_logins
    is_missing = attempt.outcome == NOT_FOUND
    is_sent = attempt.is_source or any(
        (login.secret, login.key) == (attempt.question.secret, attempt.question.key) for login in logins
    )
    if attempt.outcome == "no_login" or not logins or not is_sent:
        if not attempt.is_source:
            key = held.key_for(str(attempt.question.image))
            text = f"{attempt.said}: {key}"
            advised = _advise(text, attempt.outcome, at_mirror=True) if key.key else text
            if is_missing:
                return failure(COPY, text, reason=advised)
            hint, fix = fix_for(key, held.evidence)
            return _failure_reason(f"{advised}{hint}", fix)
        reason, fix, outcome = explain_missing_login(held, is_needed=not is_missing)
        if is_missing:
            return failure(MISSING, f"{attempt.said}, and {reason}", fix)
        text = f"{reason}: {attempt.said}"
        advised = _advise(text, outcome)
        return failure(MISSING, text, reason=advised) if outcome == NOT_FOUND else _failure_reason(advised, fix)
    begin = "the registry refuses the login" if attempt.outcome == "bad_login" else attempt.said
    text = f"{begin}: {format_logins(logins)}"
    advised = _advise(text, attempt.outcome, at_mirror=not attempt.is_source)
    if is_missing:
        return failure(MISSING if attempt.is_source else COPY, text, reason=advised)
    fix = fixes.add_registry(held.subject.namespace, logins[0].secret, logins[0].key)
    return _failure_reason(advised, _drop_generated(held, fix))


def _advise(reason: str, outcome: str, *, at_mirror: bool = False) -> str:
    """Add the advice for an image that a login does not get, if the outcome is that. It names no user: a user is part of a login."""
    if outcome not in NOT_GIVEN:
        return reason
    copy = "copy the image to the mirror, " if at_mirror else ""
    return f"{reason}. Check the image name and tag, {copy}or give the user of the login the right to pull it"


def _judge_without_node(held: PullRoute) -> Iterator[StepResult]:
    logins, only = held.credentials.usable_logins, _exclusive_mirrors(held)
    if only and not (logins and _has_own_host(held, only)):
        yield from _judge_mirrors(held, only)
    elif (refused := _refused_login(held)) and not _hidden_logins(held):
        yield from _judge_refused(held, f"the registry refuses the login: {refused}")
    elif logins:
        yield _success_reason(
            f"{format_logins(logins[:1])}, but the registry was not asked whether it accepts the login"
        )
    elif key := _nodes_key(held):
        yield _success_reason(
            f"the nodes' own pull secret has the key {key}, but the registry was not asked whether it accepts the login"
        )
    elif usable := _usable_mirror(held) or _usable_source(held):
        yield _success_reason(f"{usable}, but {_asked_place(held, usable)} was not asked whether it accepts the login")
    else:
        yield from _explain_all_providers(held, [str(held.reference)])
        reason, fix, _outcome = explain_missing_login(held)
        text = f"{reason}: the pull works only if the image is public or the nodes have credentials for it"
        yield unknown("keys", text, fix)


def _judge_refused(held: PullRoute, refused: str) -> Iterator[StepResult]:
    """The registry refuses all logins that the kubelet sends. A mirror on another host gets one of the nodes, or none. An entry without a login
    makes the node pull without one."""
    elsewhere = [held.key_for(mirror) for mirror in _mirrors(held) if not _has_own_host(held, [mirror])]
    if usable := next((each for each in elsewhere if each.is_usable), None):
        yield _success_reason(f"{usable}, but the mirror was not asked whether it accepts the login, and {refused}")
        return
    if any(login.is_empty for login in (*held.credentials.logins, *_nodes_credentials(held).logins)):
        yield _unknown_reason(f"{refused}. Another entry has no login: the pull works only if the image is public")
        return
    source = [str(held.reference)]
    yield from _explain_all_providers(held, source)
    if open_mirror := next((each for each in elsewhere if not each.is_refused), None):
        yield _unknown_reason(f"{refused}. {open_mirror}: the pull works only if the mirror requires no login")
    else:
        yield _leave_to_provider(held, _failure_reason(refused), source)


def _refused_login(held: PullRoute) -> str:
    """The logins that the registry is known to refuse, if the nodes have no other one. They do not pull without a login then."""
    nodes = _nodes_credentials(held)
    refused = [*held.credentials.refused_logins, *nodes.refused_logins]
    return format_logins(refused) if refused and not (held.credentials.usable_logins or nodes.usable_logins) else ""


def _nodes_credentials(held: PullRoute) -> Credentials:
    hosts = [each.reference.host for each in held.tried]
    return credentials_of(NODE_SECRET.namespace, [NODE_SECRET.name], held.reference.repository, held.evidence, hosts)


def _mirrors(held: PullRoute) -> Sequence[str]:
    return [mirror for each in held.tried if each.mirrors is not None for mirror in each.mirrors.mirrors]


def _exclusive_mirrors(held: PullRoute) -> Sequence[str]:
    """The mirrors, if no source is ever contacted."""
    return _mirrors(held) if all(each.mirrors is not None and each.mirrors.never_source for each in held.tried) else ()


def _has_own_host(held: PullRoute, images: Sequence[str]) -> bool:
    """Whether one of the images or mirrors gets the credentials that the kubelet sends."""
    hosts = [each.reference.host for each in held.tried]
    return any(image.partition("/")[0] in hosts for image in images)


def _usable_mirror(held: PullRoute) -> MirrorKey | None:
    """The first mirror for which the nodes have a key."""
    found = (held.key_for(mirror) for mirror in _mirrors(held))
    return next((each for each in found if each.is_usable), None)


def _usable_source(held: PullRoute) -> MirrorKey | None:
    """The login that CRI-O finds for a source, because the kubelet sends none: that of its provider, or of the nodes for a search registry.

    A login without a password counts as one, so CRI-O looks for no other.
    """
    sent = held.credentials.logins
    if sent and not any(login.is_nameless for login in sent):
        return None
    found = (held.key_for(str(each.reference)) for each in held.tried)
    return next((each for each in found if each.is_usable and (held.candidates or each.secret != NODE_SECRET)), None)


def _asked_place(held: PullRoute, found: MirrorKey) -> str:
    return "the registry" if found.mirror in (str(each.reference) for each in held.tried) else "the mirror"


def _judge_mirrors(held: PullRoute, mirrors: Sequence[str]) -> Iterator[StepResult]:
    if usable := _usable_mirror(held):
        yield _success_reason(f"{usable}, but the mirror was not asked whether it accepts the login")
        return
    yield from _explain_all_providers(held, mirrors)
    keys = [held.key_for(mirror) for mirror in mirrors]
    hint, fix = fix_for(keys[0], held.evidence)
    text = f"the image comes only from {', '.join(mirrors)}, and {keys[0]}"
    if all(key.is_refused for key in keys):
        yield _leave_to_provider(held, _failure_reason(f"{text}{hint}", fix), mirrors)
        return
    provided = (
        " or the credential provider of the nodes gives a login for it" if _any_may_provide(held, mirrors) else ""
    )
    yield _unknown_reason(f"{text}: the pull works only if the mirror requires no login{provided}{hint}", fix)


def _mirror_of_error(held: PullRoute, told: PullAttempt) -> str:
    """The mirror that the node's error is about, or empty if it is about the source.

    If the source is never contacted, the error of the last mirror takes its place (containers/image docker_image_src.go).
    """
    return told.image if told.is_mirror else next(iter(reversed(_exclusive_mirrors(held))), "")


def _judge_mirror_error(held: PullRoute, told: PullAttempt, image: str) -> StepResult:
    """A mirror refuses, and the source is unreachable or never contacted."""
    key, mirror = held.key_for(image), reference_of(image)
    own = held.credentials.usable_logins if mirror and mirror.host == held.reference.host else []
    which = format_logins(own) if own else str(key)
    secrets = [ObjectRef(SECRET, held.subject.namespace, login.secret) for login in own] or [key.secret]
    if (own or key.key) and order_of_objects(held.subject, secrets, held.evidence) == CHANGED_SINCE:
        when = _SOON if secrets == [NODE_SECRET] else _AGAIN
        return _success_reason(f"{which}, which was changed after the node's last attempt: {when}")
    is_missing = told.rule.id == NOT_FOUND
    if key.key and key.secret != NODE_SECRET and not own and told.rule.id != "bad_credentials":
        # No object shows since when the account has the right to list secrets.
        reason = f"{which}, and the node says of the mirror: {told.text}. Either the mirror refuses this login, or the provider had it not yet"
        return _unknown_reason(f"{reason}: then {_AGAIN}")
    hidden = "the mirror has no such image, or hides it: " if is_missing else ""
    hint, fix = ("", []) if own or is_missing else fix_for(key, held.evidence)
    text = f"{hidden}{which}, and the node says of the mirror: {told.text}"
    advised = _advise(text, told.rule.id, at_mirror=True) if own or key.key else text
    return _failure_reason(f"{advised}{hint}", fix)


def _nodes_key(held: PullRoute) -> str:
    return next((without_user(login.key) for login in _nodes_credentials(held).usable_logins), "")


def _judge_login(held: PullRoute, told: PullAttempt, logins: Sequence[KubeletLogin]) -> StepResult:
    """The node was refused although there is a login."""
    which, order = format_logins(logins), order_of(held.subject, {login.secret for login in logins}, held.evidence)
    if order == CHANGED_SINCE:
        return _success_reason(f"{which}, which was changed after the node's last attempt: {_AGAIN}")
    if told.rule.id in _OF_ANOTHER_TIME:
        if order == CHANGED_BEFORE:
            return _unknown_reason(f"{which}, even at the node's last attempt, but the node says: {told.text}")
        return _success_reason(f"{which}, so the node's error is older than it: {_AGAIN}")
    means = _REFUSED[told.rule.id]
    fix = fixes.add_registry(held.subject.namespace, logins[0].secret, logins[0].key)
    if told.rule.id == "bad_credentials" and order != CLOSE:
        return _failure_reason(f"{means}: {which}", fix)
    if order == CHANGED_BEFORE:
        offered = [] if told.rule.id == NOT_FOUND else _drop_generated(held, fix)
        return _failure_reason(_advise(f"{means}: {which}, and the node says: {told.text}", told.rule.id), offered)
    return _unknown_reason(f"{which}, and the node says: {told.text}. Either {means}, or {_CHANGED}")


def _drop_generated(held: PullRoute, fix: Sequence[Fix]) -> Sequence[Fix]:
    """The fix, unless it would overwrite the platform's own login."""
    first = (held.credentials.usable_logins or held.credentials.refused_logins)[0].secret
    generated = {secret.name for secret in held.credentials.secrets if secret.is_generated}
    return [] if first in generated else fix


def _success_reason(reason: str) -> StepResult:
    """A login that matches. No registry was asked about it."""
    return StepResult(None, UNTESTED, reason)


def _failure_reason(reason: str, fix: Sequence[Fix] = ()) -> StepResult:
    """A result whose step is already reported."""
    return StepResult(None, WILL_NOT_PULL, reason, fix)


def _unknown_reason(reason: str, fix: Sequence[Fix] = ()) -> StepResult:
    return StepResult(None, UNKNOWN, reason, fix)


def _lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def node_error(subject: ContainerPull, evidence: Lookup) -> PullAttempt | None:
    """Return the node's last error for the image. Only events show that of a volume that no container mounts.

    :raises ReadRequired: when the events have to be read first.
    """
    return last_node_error(subject, evidence) if subject.is_mounted else events_of(subject, evidence).standing_cause


def explain_mounts(subject: ContainerPull) -> Iterator[StepResult]:
    if not subject.is_mounted:
        text = f"no container mounts volume {subject.volume}. The node pulls its image, but no container waits for it, and only events show an error"
        yield info("volume", text)


def explain_shared_error(subject: ContainerPull, error: PullAttempt | None) -> Iterator[StepResult]:
    if subject.shares_error and error is not None:
        text = f"the node says: {error.text}. This does not name one image of the pod, so it may be about another one"
        yield unknown("node", text)
