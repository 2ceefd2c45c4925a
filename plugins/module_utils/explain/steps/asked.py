# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the registries: make every attempt that a node would make, in the same order and with the same login. Pure.

The host of the task may trust other authorities than the nodes do. The registry is asked once more, with those that the cluster gives its
nodes. Only files of the nodes can have others, so a registry that nodes use today is not judged in this way: only one that loses an
authority, a mirror that nodes have not used, and one that remains if the nodes reach only some registries.

The kubelet passes one credential after the other to the runtime: first those of the pod's secrets, then the nodes' own. With each, CRI-O
tries the mirrors and then the source. It sends the credential to the host of the source, and looks for others in the nodes' file, to which
its credential provider adds logins of the namespace for the first of these attempts. For a name without a registry, it does so with the name
in each of its search registries.

The first place with a manifest serves the image (containers/image docker/docker_image_src.go). If that is an index without the node's
architecture, no other place is tried, and the pull with this login fails. An image without an index is pulled by every node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from ...core.objects import Json, as_dict, as_str, as_strs
from ...core.text import join_and, summarize
from ...dockerconfig.registry_keys import without_user
from ...images.image_questions import ImageQuestion, TrustQuestion
from ...images.nodes import PROXY, additional_ref, authorities_for, bundle_refs, key_of_host
from ...images.references import Reference, reference_of
from ...images.registry_sources import IMAGE_CONFIG, Mirrors, is_cluster_host, network_ref
from ...platform.protected import NODE_SECRET
from ..credentials import Credentials, KubeletLogin, credentials_of
from ..lookup import Lookup, architectures_for, registry_sources, require_all, try_lookup
from ..subjects import ContainerPull
from ..verdict import MAY_NOT_RUN, UNKNOWN, WILL_NOT_PULL, WILL_NOT_RUN, Step, StepResult, failure, info, unknown
from .mirrors import MirrorKey, key_for, mirrors_of
from .providers import CrioProvider, crio_provider_for

#: Outcomes of an attempt at a registry whose certificate the nodes do not trust, and of one for which that is not known.
UNTRUSTED, TRUST_UNKNOWN = "untrusted", "trust_unknown"


@dataclass(frozen=True)
class TrustDoubt:
    """`outcome` is one of the constants, `said` is a sentence."""

    outcome: str
    said: str


def doubt_trust(question: ImageQuestion, evidence: Lookup, *, is_source: bool = False) -> TrustDoubt | None:
    """Return why the nodes may not trust the registry of a question, or None if nothing speaks against it.

    :raises ReadRequired: when objects have to be read or the mirror has to be asked first.
    """
    host = question.repository.partition("/")[0]
    network = as_dict(evidence.look(network_ref(host)))
    is_source = is_source and network.get("is_source") is not True
    is_new = not is_source and True in (network.get("limited"), network.get("unproven"))
    is_doubtful = is_new or bool(network.get("loss"))
    if not is_doubtful or question.is_insecure or is_cluster_host(host):
        return None
    known = _read_authorities(evidence)
    answer, silent = try_lookup(evidence, TrustQuestion(host, "\n".join(known.of(host))).ref)
    outcome = "" if answer is None else as_str(answer.get("outcome"))
    if outcome == "trusted":
        return None
    if outcome != UNTRUSTED:
        why = silent or as_str(as_dict(answer).get("message"))
        return TrustDoubt(
            TRUST_UNKNOWN, f"whether the nodes trust the certificate of registry {host} is not known: {why}"
        )
    if unread := known.unread or as_str(network.get("unread")):
        return TrustDoubt(
            TRUST_UNKNOWN, f"which authorities the nodes trust for registry {host} is not known: {unread}"
        )
    return TrustDoubt(UNTRUSTED, _describe_untrusted(host))


def describe_loss_of_trust(host: str, before: Lookup, after: Lookup) -> tuple[str, str]:
    """Return why the nodes may no longer trust a registry after changes, as a clause, and why that is not certain. Two empty texts if they trust
    all that they trust before.

    :raises ReadRequired: when objects have to be read first.
    """
    if registry_sources(before).is_insecure(host) and not registry_sources(after).is_insecure(host):
        return f"the nodes will verify the certificate of registry {host}", ""
    had, has = _read_authorities(before), _read_authorities(after)
    if had == has or not (had.unread or {*had.of(host)} - {*has.of(host)}):
        return "", ""
    return f"the nodes lose a certificate authority for registry {host}", had.unread or has.unread


@dataclass(frozen=True)
class _Authorities:
    """The ConfigMaps with authorities for all registries, and for single ones. `unread`: the reason why some of them are not known."""

    bundles: Sequence[Json | None]
    additional: Json | None
    unread: str

    def of(self, host: str) -> Sequence[str]:
        return authorities_for(host, self.bundles, self.additional)


def _read_authorities(evidence: Lookup) -> _Authorities:
    """:raises ReadRequired: when objects have to be read first."""
    require_all(evidence, [PROXY, IMAGE_CONFIG])
    proxy, no_proxy = try_lookup(evidence, PROXY)
    config, no_config = try_lookup(evidence, IMAGE_CONFIG)
    additional = additional_ref(config)
    bundles = bundle_refs(proxy)
    refs = [*bundles, additional] if additional else bundles
    require_all(evidence, refs)
    read = {ref: try_lookup(evidence, ref) for ref in refs}
    reasons = [no_proxy, no_config, *(why for _found, why in read.values())]
    own = read[additional][0] if additional else None
    return _Authorities([read[ref][0] for ref in bundles], own, next(filter(None, reasons), ""))


def _describe_untrusted(host: str) -> str:
    where = "the ConfigMap in additionalTrustedCA of images.config.openshift.io/cluster"
    return (
        f"the nodes do not trust the certificate of registry {host}. Add its authority under key {key_of_host(host)} to {where}. For a hosted "
        "cluster, use spec.configuration.image of the HostedCluster"
    )


#: The name of the step for a mirror without a copy of the image for the nodes.
COPY = "copy"
#: The name of the step for a source without the image, or one that hides it.
MISSING = "image"
#: The outcome of an attempt at a registry whose token service the nodes do not reach.
OUT_OF_REACH = "out_of_reach"
#: The outcome of an attempt at a registry without the image, or one that hides it. No task adds a login for it.
NOT_FOUND = "not_found"
#: The outcomes for an image that a login does not get although the registry accepts it.
NOT_GIVEN = (NOT_FOUND, "no_right", "denied")
#: Outcomes that a node would get as well. Others, such as a registry that is unreachable from here, do not count.
_ANSWERS = ("pulls", "bad_login", "expired", "no_login", "no_right", "not_found", UNTRUSTED, OUT_OF_REACH)
#: Maximum number of attempts of one pull that are asked. The author of a pod chooses how many secrets it lists.
_MOST = 32


@dataclass(frozen=True)
class RegistryAttempt:
    """One attempt with its result. `outcome` and `said` are as in the check of the registry client, or those of a `TrustDoubt`.

    `architectures` are those of the image in the form of the answer, or None if they were not read.
    """

    question: ImageQuestion
    is_source: bool
    outcome: str
    said: str
    architectures: Json | None = None

    @property
    def pulls(self) -> bool:
        return self.outcome == "pulls"

    @property
    def is_known(self) -> bool:
        return self.outcome in _ANSWERS

    @property
    def which(self) -> str:
        """The login of the attempt, as the beginning of a sentence."""
        question = self.question
        if not question.secret:
            return "without a login"
        if (question.namespace, question.secret) == (NODE_SECRET.namespace, NODE_SECRET.name):
            return f"with the key {without_user(question.key)} of the nodes' pull secret"
        return f"with the key {without_user(question.key)} of secret {question.secret}"


@dataclass(frozen=True)
class PullRoute:
    """The facts about a pull of one image: the logins of the pod, the mirrors, and CRI-O's credential provider.

    `named` is the name with which the kubelet looks for logins, if it is another one. `candidates` are the routes of the names that CRI-O
    tries for a name without a registry, in order.

    `asks`: whether to ask the registries. `reads_index`: also for the architectures of an index. `reads_copies`: at a mirror, also for the
    architecture of an image without an index.
    """

    subject: ContainerPull
    reference: Reference
    credentials: Credentials
    mirrors: Mirrors | None
    evidence: Lookup
    asks: bool = False
    reads_index: bool = False
    reads_copies: bool = False
    named: Reference | None = None
    candidates: Sequence[PullRoute] = ()

    @property
    def namespace(self) -> str:
        return self.subject.namespace

    @property
    def tried(self) -> Sequence[PullRoute]:
        """The route of each name that the runtime tries."""
        return self.candidates or (self,)

    @cached_property
    def provider(self) -> CrioProvider | None:
        """CRI-O's credential provider, if it is for the image. :raises ReadRequired: when more objects have to be read first."""
        return crio_provider_for(self.subject, self.reference, self.mirrors, self.evidence)

    def key_for(self, mirror: str) -> MirrorKey:
        """Return the nodes' key for a mirror."""
        return key_for(mirror, self.evidence, self.provider)


def join_routes(reference: Reference, found: Sequence[PullRoute]) -> PullRoute:
    """Return the route of a name that stands for the names of other routes, which are tried one after the other."""
    first = found[0]
    if first.reference == reference and len(found) == 1:
        return first
    return replace(
        first, reference=reference, mirrors=mirrors_of(reference, first.evidence), named=None, candidates=tuple(found)
    )


def read_attempts(route: PullRoute) -> Sequence[RegistryAttempt]:
    """Return the attempts, in order.

    :raises ReadRequired: when the nodes' pull secret has to be read, or a registry has to be asked first.
    """
    attempts = list_questions(route)
    asked, left = attempts[:_MOST], attempts[_MOST:]
    require_all(route.evidence, [question.ref for question, _is_source in asked])
    said = f"only the first {_MOST} attempts of a pull are made from here"
    return [
        *(_read_attempt(question, route.evidence, is_source=is_source) for question, is_source in asked),
        *(RegistryAttempt(question, is_source, "not_sent", said) for question, is_source in left),
    ]


def list_questions(route: PullRoute) -> Sequence[tuple[ImageQuestion, bool]]:
    """Return the question for each attempt of a node, in order, and whether it goes to the source.

    :raises ReadRequired: when the nodes' pull secret has to be read first.
    """
    return list(dict.fromkeys(chain.from_iterable(_turns(route))))


def serving_attempts(route: PullRoute) -> Sequence[RegistryAttempt]:
    """Return the first attempt with each login to which a registry serves the image, each once. Empty if one of them is unknown.

    :raises ReadRequired: as `read_attempts`.
    """
    read = {each.question: each for each in read_attempts(route)}
    found: dict[ImageQuestion, RegistryAttempt] = {}
    for questions in _turns(route):
        for attempt in (read.get(question) for question, _is_source in questions):
            if attempt is None or not attempt.is_known:
                return ()
            if attempt.pulls:
                found[attempt.question] = attempt
                break
    return list(found.values())


def explain_unasked(route: PullRoute) -> Iterator[StepResult]:
    """Yield the doubts about the network and the certificates that only the registries resolve, if they are not asked."""
    registries = registry_sources(route.evidence)
    for place, _is_source in chain.from_iterable(map(_places, route.tried)):
        network = as_dict(route.evidence.look(network_ref(place.host)))
        if network.get("limited") is True and not is_cluster_host(place.host):
            text = (
                f"the nodes reach only some registries, and only {place.host} knows the host that gives out its tokens"
            )
            yield unknown("network", f"{text}: it was not asked")
        if (loss := as_str(network.get("loss"))) and not registries.is_insecure(place.repository):
            yield unknown("certificate", f"{loss}, and whether its certificate needs it is not known: it was not asked")


def has_places(route: PullRoute) -> bool:
    """Return whether a node contacts any registry for the image, so that `list_questions` is not empty."""
    return any(map(_places, route.tried))


def _places(route: PullRoute) -> Sequence[tuple[Reference, bool]]:
    """The places of the image in the order of a node, and whether each is the source."""
    mirrors = route.mirrors
    found = [reference_of(mirror) for mirror in mirrors.mirrors] if mirrors is not None else []
    is_source_used = mirrors is None or not mirrors.never_source
    return [*((mirror, False) for mirror in found if mirror is not None), *([(route.reference, True)] * is_source_used)]


def _turns(route: PullRoute) -> Iterator[Sequence[tuple[ImageQuestion, bool]]]:
    """The questions with each login that the kubelet passes on, and each name, in order, and whether each question goes to the source."""
    named = route.named or route.reference
    for number, login in enumerate(_logins(route.namespace, named, route.credentials, route.evidence)):
        # CRI-O uses the file of its provider for one pull (prepareTempAuthFile), so the next login finds only the nodes' own file.
        provider = route.provider if number == 0 else None
        for each in route.tried:
            yield list(_ask_with(login, each, provider))


def _ask_with(
    login: tuple[str, ...] | None, route: PullRoute, provider: CrioProvider | None
) -> Iterator[tuple[ImageQuestion, bool]]:
    evidence = route.evidence
    registries = registry_sources(evidence)
    for place, is_source in _places(route):
        is_own_host = place.host == route.reference.host
        own = login if login is not None and is_own_host else _node_login(place, evidence, provider)
        question = ImageQuestion.about(place, *own, is_insecure=registries.is_insecure(place.repository))
        # Somebody has chosen what to copy to a mirror. The source has what the pod names, unless it has a copy as well.
        reads_copy = route.reads_copies and (route.subject.is_copied or not is_source)
        yield replace(question, reads_index=route.reads_index, reads_configuration=reads_copy), is_source


def _logins(
    namespace: str, reference: Reference, credentials: Credentials, evidence: Lookup
) -> Sequence[tuple[str, ...] | None]:
    """Namespace, secret and key of each login that the kubelet passes on.

    An empty result means a login without a password, which is sent to no registry. None means no login, so that the runtime looks for one.
    """
    nodes = credentials_of(NODE_SECRET.namespace, [NODE_SECRET.name], reference.repository, evidence)
    whose = ((namespace, credentials), (NODE_SECRET.namespace, nodes))
    every = [_login_passed(place, login) for place, found in whose for login in found.logins]
    return every or [None]


def _login_passed(place: str, login: KubeletLogin) -> tuple[str, ...] | None:
    if login.is_nameless:
        return None
    return () if login.is_empty else (place, login.secret, login.key)


def _node_login(place: Reference, evidence: Lookup, provider: CrioProvider | None) -> tuple[str, ...]:
    """The logins that the runtime finds in the nodes' file. An empty result means a request without a login."""
    found = key_for(str(place), evidence, provider)
    return (found.secret.namespace, found.secret.name, found.key) if found.key else ()


def _read_attempt(question: ImageQuestion, evidence: Lookup, *, is_source: bool) -> RegistryAttempt:
    answer, unread = try_lookup(evidence, question.ref)
    if answer is None:
        return RegistryAttempt(question, is_source, "unanswered", unread)
    found = answer.get("architectures")
    outcome, said = as_str(answer.get("outcome")), as_str(answer.get("message"))
    realm = as_str(answer.get("realm_host"))
    if realm and as_dict(evidence.look(network_ref(realm))).get("reached") is False:
        host = question.repository.partition("/")[0]
        text = f"the nodes do not reach {realm}, which gives out the tokens for registry {host}"
        return RegistryAttempt(question, is_source, OUT_OF_REACH, text)
    doubt = doubt_trust(question, evidence, is_source=is_source) if outcome == "pulls" else None
    if doubt is not None:
        return RegistryAttempt(question, is_source, doubt.outcome, doubt.said)
    return RegistryAttempt(question, is_source, outcome, said, None if found is None else as_dict(found))


#: The name of the step at the source. A mirror is judged by its copy.
PLATFORM = "platform"
#: Maximum number of nodes in one message.
_SHOWN = 3
#: The name for an entry of an index that is for each architecture (clients/registry/transport.py).
_ANY = "*"
_DEPENDS = "it depends on the architecture of the node: "
_COPY_ALL = ". Copy the image with all its architectures, as skopeo sync --all and oc-mirror do"
#: The verdicts if it is not known which registry serves the image.
_DOUBTS = {WILL_NOT_PULL: UNKNOWN, WILL_NOT_RUN: MAY_NOT_RUN}


def explain_platform(route: PullRoute) -> Iterator[StepResult]:
    """Yield a result if a node does not get an image for its architecture, or if that is not known. At least one registry serves the image.

    :raises ReadRequired: when the nodes have to be read first.
    """
    serving = serving_attempts(route)
    attempts = serving or [each for each in read_attempts(route) if each.pulls]
    if all(each.architectures is None for each in attempts):
        return
    nodes, unread = architectures_for(route.subject, route.evidence)
    results = [_judge(route, each, nodes, unread) for each in attempts]
    # The kubelet goes on to the next login after a failed pull.
    result = next((each for each in results if each is None or each.verdict != WILL_NOT_PULL), results[0])
    if result is None:
        return
    if not serving and result.verdict in _DOUBTS and result.step is not None:
        result = replace(result, step=replace(result.step, ok=None), verdict=_DOUBTS[result.verdict])
    yield result


def _judge(
    route: PullRoute, attempt: RegistryAttempt, nodes: Mapping[str, Sequence[str]], unread: str
) -> StepResult | None:
    """The result if this attempt serves the image, or None if nothing speaks against it."""
    attempt = replace(attempt, is_source=attempt.is_source and not route.subject.is_copied)
    answer = attempt.architectures
    if answer is None:
        return None
    is_index = answer.get("is_index") is True
    if route.subject.volume and not is_index:
        return None  # no program of a volume runs
    names = as_strs(answer.get("names"))
    if why := _why_unknown(answer, names, unread):
        return _doubt(why, attempt, is_index=is_index)
    lacking = {name: each for name, each in nodes.items() if name not in names and _ANY not in names}
    if not lacking:
        return None
    judge = _judge_index if is_index else _judge_image
    return judge(attempt, names, lacking, is_everywhere=len(lacking) == len(nodes))


def _why_unknown(answer: Json, names: Sequence[str], unread: str) -> str:
    if why := as_str(answer.get("unread")):
        return why
    which = join_and(sorted(names)) or "no architecture"
    return f"the image is for {which}, and the architectures of the nodes are not known: {unread}" if unread else ""


def _doubt(why: str, attempt: RegistryAttempt, *, is_index: bool) -> StepResult:
    """The result for unknown architectures. Somebody has chosen what to copy to a mirror. The source has what the pod names."""
    if attempt.is_source:
        return info(PLATFORM, why, ok=None)
    return unknown(COPY, why) if is_index else StepResult(Step(COPY, why, None), MAY_NOT_RUN, why)


def _judge_index(
    attempt: RegistryAttempt, _names: Sequence[str], lacking: Mapping[str, Sequence[str]], *, is_everywhere: bool
) -> StepResult:
    image, host = attempt.question.image, attempt.question.repository.partition("/")[0]
    said = f"registry {host} has no image for {join_and(sorted(lacking))} in {image}"
    if {*lacking} & {*as_strs(as_dict(attempt.architectures).get("lost"))}:
        said += ", although its index names one"
    step, more = (PLATFORM, "") if attempt.is_source else (COPY, _COPY_ALL)
    if is_everywhere:
        return failure(step, f"{said}{more}")
    return unknown(step, f"{_DEPENDS}{said}, which {_describe_nodes(lacking)} would need{more}")


def _judge_image(
    attempt: RegistryAttempt, names: Sequence[str], lacking: Mapping[str, Sequence[str]], *, is_everywhere: bool
) -> StepResult:
    step, more = (PLATFORM, "") if attempt.is_source else (COPY, _COPY_ALL)
    said = (
        f"the nodes pull {attempt.question.image}, but it is only for {join_and(sorted(names))}, and its programs do not run on "
        f"{_describe_nodes(lacking)} with {join_and(sorted(lacking))}"
    )
    if is_everywhere:
        return StepResult(Step(step, f"{said}{more}", ok=False), WILL_NOT_RUN, f"{said}{more}")
    text = f"{_DEPENDS}{said}{more}"
    return StepResult(Step(step, text, ok=None), MAY_NOT_RUN, text)


def _describe_nodes(lacking: Mapping[str, Sequence[str]]) -> str:
    """The nodes of these architectures, such as `node a and node b`."""
    names = [name for architecture in sorted(lacking) for name in sorted(lacking[architecture])]
    return f"{'node' if len(names) == 1 else 'nodes'} {summarize(names, _SHOWN)}" if names else "such a node"
