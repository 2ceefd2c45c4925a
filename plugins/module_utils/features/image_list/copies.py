# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the copy of an image in another registry is the same, and whether the pods that use the image can pull it there. Pure.

Both ends are asked as a node would ask, with the logins of the pod. A node by tag runs the manifest of its architecture, so two indexes with the
same manifests for the architectures of the nodes are the same for it: a copy may leave out other architectures.

If the source does not answer any more, the digest that runs takes its place. Depending on the runtime, this is the digest of the index or of the
manifest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...core.objects import as_dict, as_list, as_str, as_strs
from ...core.text import join_and
from ...explain.lookup import Lookup, architectures_for, try_lookup
from ...explain.steps.asked import PullRoute, RegistryAttempt, read_attempts, serving_attempts
from ...explain.steps.mirrors import mirrors_of
from ...explain.steps.sources import find_signature, required_signature
from ...explain.subjects import ContainerPull
from ...images.references import Reference
from .rows import CopyAnswer, ImageUse, explain_other_login, read_credentials

SAME, MISSING, OTHER, LACKING = "same", "missing", "other_digest", "architecture_missing"
NO_LOGIN, UNSIGNED, NOT_KNOWN = "no_login", "unsigned", "unknown"
#: The answers about a copy, with their titles.
COPY_ANSWERS: Mapping[str, str] = {
    NO_LOGIN: "no login there",
    MISSING: "missing",
    LACKING: "without an architecture of the nodes",
    OTHER: "another image",
    UNSIGNED: "without the required signature",
    NOT_KNOWN: "not known",
    SAME: "the same",
}
#: The outcome of a question about an image that a registry does not have.
_NOWHERE = "not_found"
#: The name of an entry of an index that is for each architecture (clients/registry/transport.py).
_ANY = "*"


@dataclass(frozen=True)
class _End:
    """One end. `failure` is an answer if the image is not served, with the reason in `said`.

    `manifests` are the digests by architecture, and `unread` is the reason if they are not known. `lost`: see `ImageArchitectures`.
    """

    failure: str = ""
    said: str = ""
    digest: str = ""
    manifests: Mapping[str, set[str]] = field(default_factory=dict)
    unread: str = ""
    lost: Sequence[str] = ()

    def of(self, architecture: str) -> set[str]:
        return self.manifests.get(architecture) or self.manifests.get(_ANY, set())


def compare_copy(use: ImageUse, evidence: Lookup) -> ImageUse:
    """Return the use with the answer about its copy, if a move is for its image.

    :raises ReadRequired: when more objects must be read, or a registry must be asked, first.
    """
    if use.move is None:
        return use
    source, copy = use.move
    moved = replace(use.subject, image=str(copy), source=None, resolves_names=False)
    there, here = _read_end(moved, copy, evidence), _read_end(use.subject, source, evidence)
    wanted = [*architectures_for(use.subject, evidence)[0]]
    found = (there.failure, there.said) if there.failure else _compare(use.digests, here, there, wanted)
    if found[0] == SAME:
        found = _check_signature(moved, evidence) or found
    return replace(use, copy=CopyAnswer(*found, here.digest, there.digest))


def _compare(running: Sequence[str], here: _End, there: _End, wanted: Sequence[str]) -> tuple[str, str]:
    """The answer, as far as the two ends show it. The registry of the copy has an image."""
    if lost := [name for name in wanted or there.lost if name in there.lost]:
        return LACKING, f"the copy has no image for {join_and(lost)}, although its index names one"
    if here.digest and here.digest == there.digest:
        return SAME, f"both ends have {here.digest}"
    if why := here.said or here.unread or there.unread:
        return _compare_with_running(running, why, there, wanted)
    digests = f"the source has {here.digest or 'no digest'}, and the copy {there.digest or 'no digest'}"
    needed = [name for name in wanted or here.manifests if here.of(name)]
    if lacking := [name for name in needed if not there.of(name)]:
        return LACKING, f"the copy has no image for {join_and(lacking)}, and the source has"
    if differing := [name for name in needed if here.of(name) != there.of(name)]:
        runs = ": the copy has the image that runs, and the source is newer" if _has_running(there, running) else ""
        return OTHER, f"{digests}, with different images for {join_and(differing)}{runs}"
    return (SAME if needed else NOT_KNOWN), f"{digests}, with the same images for {join_and(needed) or 'no node'}"


def _compare_with_running(running: Sequence[str], why: str, there: _End, wanted: Sequence[str]) -> tuple[str, str]:
    """The answer without the source, or without the images for each architecture of one end."""
    begin, runs = f"not all can be compared ({why})", join_and(running)
    if not there.unread and (lacking := [name for name in wanted if not there.of(name)]):
        return LACKING, f"{begin}, and the copy has no image for {join_and(lacking)}"
    if _has_running(there, running):
        return SAME, f"{begin}, and the copy has {runs}, which runs"
    if there.unread or not running:
        return NOT_KNOWN, f"{begin}, and {f'{runs} runs' if runs else 'no pod shows the digest that runs'}"
    return OTHER, f"{begin}, and {runs} runs, which the copy {there.digest} does not have"


def _has_running(there: _End, running: Sequence[str]) -> bool:
    return bool(running) and {there.digest}.union(*there.manifests.values()).issuperset(running)


def _read_end(subject: ContainerPull, reference: Reference, evidence: Lookup) -> _End:
    credentials, why = read_credentials(subject, reference, evidence)
    if why:
        return _End(NOT_KNOWN, why)
    mirrors = mirrors_of(reference, evidence)
    route = PullRoute(subject, reference, credentials, mirrors, evidence, asks=True, reads_index=True)
    serving = serving_attempts(route)
    return _read_served(serving[0], reference, evidence) if serving else _failed_end(route)


def _failed_end(route: PullRoute) -> _End:
    attempts = read_attempts(route)
    if unknown := next((each for each in attempts if not each.is_known), None):
        return _End(NOT_KNOWN, unknown.said)
    if missing := next((each for each in attempts if each.outcome == _NOWHERE), None):
        return _End(MISSING, missing.said)
    if other := explain_other_login(route.subject, route.reference, route.evidence):
        return _End(NOT_KNOWN, other)
    who = route.subject.account_ref if route.subject.account else route.subject.ref
    tried = f"{attempts[0].which}, {attempts[0].said}" if attempts else "nodes ask only mirrors for it"
    return _End(NO_LOGIN, f"{who} needs a login for {route.reference.repository}: {tried}")


def _read_served(attempt: RegistryAttempt, reference: Reference, evidence: Lookup) -> _End:
    """The digests of an image that the registry serves. Without an index, its configuration has the architecture."""
    found, answer, unread = as_dict(attempt.architectures), None, ""
    if not found:
        answer, unread = try_lookup(evidence, replace(attempt.question, reads_configuration=True).ref)
        found = as_dict(as_dict(answer).get("architectures"))
    digest = reference.digest or as_str(found.get("digest"))
    pairs = (
        [*as_list(found.get("digests"))]
        if found.get("is_index")
        else [(each, digest) for each in as_list(found.get("names"))]
    )
    manifests: dict[str, set[str]] = {}
    for name, each in pairs:
        manifests.setdefault(name, set()).add(each)
    why = unread or as_str(found.get("unread")) or ("" if found else as_str(as_dict(answer).get("message")))
    if not why and not all(each for _name, each in pairs):
        why = f"registry {attempt.question.repository.partition('/')[0]} does not report all digests"
    return _End("", "", digest, manifests, why, as_strs(found.get("lost")))


def _check_signature(moved: ContainerPull, evidence: Lookup) -> tuple[str, str] | None:
    """The answer if a policy requires a signature of the copy, and nodes would not find it."""
    required = required_signature(moved, evidence)
    found = None if required is None else find_signature(required, evidence)
    if required is None or found is None or found.fails is False:
        return None
    return (UNSIGNED if found.fails else NOT_KNOWN), f"{required.requirement}, but {found.said}"
