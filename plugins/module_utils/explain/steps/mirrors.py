# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mirrors of an image and their credentials, which containers/image takes from the nodes' own file.

CRI-O's credential provider adds logins to that file. A mirror gets the pod's credential only if it has the same host as the source. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ...core.objects import Json, ObjectRef, as_dict, as_str
from ...core.text import join_and
from ...dockerconfig.credential_entry import provider_logins
from ...dockerconfig.registry_keys import containers_keys, without_user
from ...images.credential_providers import CRIO_PROVIDER
from ...images.references import Reference, reference_of
from ...images.registry_sources import MIRROR_KINDS, MirrorItem, Mirrors, limit_mirrors, network_ref
from ...platform.cluster import INFRASTRUCTURE, has_external_control_plane
from ...platform.protected import NODE_SECRET
from ...secrets.content import StoredSecret
from .. import fixes
from ..credentials import credentials_of, refused_logins
from ..fixes import Fix
from ..lookup import Lookup, require_all, try_lookup
from ..node_settings import read_mirror_sets, registries_of, why_release_unknown
from ..verdict import StepResult, failure, info, unknown
from .providers import CrioProvider


@dataclass(frozen=True)
class MirrorKey:
    """The nodes' credential for one mirror. `key` is empty where there is none. `unread` is the reason if that is unknown.

    `secret` has the key. It is the nodes' own, or one of the namespace that `provider` adds. `is_refused`: the mirror is known to refuse
    its login. `unsent` is the key of an entry with a login that only the kubelet reads. `empty` is the key of `secret` without a login, which ends
    the search of CRI-O.
    """

    mirror: str
    key: str = ""
    unread: str = ""
    secret: ObjectRef = NODE_SECRET
    provider: CrioProvider | None = None
    is_refused: bool = False
    unsent: str = ""
    empty: str = ""

    @property
    def is_usable(self) -> bool:
        return bool(self.key) and not self.is_refused

    def __str__(self) -> str:
        if self.is_refused:
            return f"the mirror refuses the login: {self.secret} has the key {without_user(self.key)} for {self.mirror}"
        if self.unsent:
            holder = "the nodes' pull secret" if self.secret == NODE_SECRET else self.secret
            return f"the entry {without_user(self.unsent)} of {holder} has no valid 'auth', the only field that CRI-O reads for {self.mirror}"
        if self.secret != NODE_SECRET:
            entry = f"the key {without_user(self.key)}" if self.key else "an entry without a login"
            return f"{self.secret} has {entry} for {self.mirror}, which the nodes use through {CRIO_PROVIDER[0]}"
        if self.key or self.provider is None:
            return self._about_nodes
        if self.provider.problem:
            return f"{self._about_nodes} ({CRIO_PROVIDER[0]}: {self.provider.problem})"
        return f"{self._about_nodes}, and neither has a secret of namespace {self.provider.namespace}"

    @property
    def _about_nodes(self) -> str:
        if self.unread:
            return f"whether the nodes' pull secret has a key for {self.mirror} is not known: {self.unread}"
        if self.key:
            return f"the nodes' pull secret has the key {without_user(self.key)} for {self.mirror}"
        if self.empty:
            return f"the entry {without_user(self.empty)} of the nodes' pull secret has no login for {self.mirror}"
        return f"the nodes' pull secret has no key for {self.mirror}"


def fix_for(key: MirrorKey, evidence: Lookup) -> tuple[str, Sequence[Fix]]:
    """Return the task that writes a login for the mirror where the nodes find it: into the secret with its key, into the namespace if CRI-O's
    provider reads that, otherwise into the nodes' pull secret. Where the platform may revert that, return a sentence instead of a task.

    :raises ReadRequired: when the kind of the cluster has to be read first.
    """
    found, provider = reference_of(key.mirror), key.provider
    registry = key.key or key.empty or (found.host if found else "")
    if not registry:
        return "", []
    if key.unsent:  # the task leaves an entry with the same login as it is
        return ". Give it 'auth', the base64 of USER:PASSWORD", []
    if key.secret == NODE_SECRET and not key.key and provider is not None and not provider.problem:
        return "", fixes.create_unlinked_secret(provider.namespace, registry)
    hint = _why_reverted(evidence) if key.secret == NODE_SECRET else ""
    return hint, [] if hint else fixes.add_registry(key.secret.namespace, key.secret.name, registry)


def _why_reverted(evidence: Lookup) -> str:
    """Why the platform may revert a change of the nodes' pull secret, after another sentence. Empty if it keeps the change."""
    infrastructure, unread = try_lookup(evidence, INFRASTRUCTURE)
    if unread:
        return f". {INFRASTRUCTURE} could not be read, so it is not known whether {NODE_SECRET} is the copy of a hosted cluster"
    if has_external_control_plane(infrastructure):
        return f". {NODE_SECRET} is a copy: change the pull secret of the hosted cluster on its management cluster"
    return ""


def mirrors_of(reference: Reference, evidence: Lookup) -> Mirrors | None:
    """Return the mirrors of an image that the nodes reach, from the sets that can be read."""
    return limit_mirrors(reference, registries_of(evidence).mirrors_for(reference), partial(find_lost, evidence))


def items_of_sets(evidence: Lookup) -> Sequence[MirrorItem]:
    """Return the items of the mirror sets that can be read.

    :raises ReadRequired: when a list of them has to be read first.
    """
    return [item for each in read_mirror_sets(evidence) for item in each.items]


def find_lost(evidence: Lookup, place: str) -> str:
    """Return the registry of a place, or the path at it, that the nodes do not reach. Empty if nothing is known about their network."""
    host = place.partition("/")[0]
    if as_dict(evidence.look(network_ref(host))).get("reached") is False:
        return host
    reference = reference_of(place)
    return "" if reference is None else as_str(as_dict(evidence.look(network_ref(reference.repository))).get("closed"))


def explain_mirrors(
    reference: Reference, found: Mirrors, evidence: Lookup, *, is_outdated: bool = False
) -> Iterator[StepResult]:
    """Yield the results. Another step reports that the nodes' files are outdated: then nothing shows that the nodes have no other mirror."""
    is_known = not is_outdated and _are_all_sets_read(evidence)
    doubt = why_release_unknown(evidence) if found.blocked else ""
    is_known = is_known and not doubt
    if found.unreachable:
        yield _explain_unreachable(reference, found, is_known=is_known)
    if not found.objects:
        return
    for each in _blocked_mirrors(found):
        yield unknown("registries", f"{each}. {doubt}") if doubt else info("registries", each, ok=False)
    by = f"source {found.source} in {' and '.join(dict.fromkeys(found.objects))}"
    if found.invalid:
        text = (
            f"nodes look for it at {found.invalid}, which is not the name of an image with a registry and a repository, so each pull fails "
            f"before a registry is asked ({by}): give the mirror a repository"
        )
        yield failure("mirrors", text) if is_known else info("mirrors", text, ok=None)
    elif found.mirrors:
        order = "only" if found.never_source else "first"
        text = f"nodes look for it {order} at {', '.join(found.mirrors)}, with their own credential ({by})"
        yield info("mirrors", text)
        for mirror in found.mirrors:
            key = key_for(mirror, evidence)
            yield info("mirrors", str(key), ok=False if key.is_refused else True if key.key else None)
    elif found.never_source and not found.unreachable:
        way = f"for a pull by {'digest' if reference.is_by_digest else 'tag'}"
        which, why = ("left", f": {join_and(_blocked_mirrors(found))}") if found.blocked else (way, "")
        never = "and the source is never contacted"
        text = f"registry {found.source} is blocked: no mirror is {which}, {never} ({by}){why}"
        yield failure("mirrors", text) if is_known else info("mirrors", text, ok=None)


def _blocked_mirrors(found: Mirrors) -> Sequence[str]:
    return [f"the nodes do not ask {mirror}, because {why}" for mirror, why in found.blocked.items()]


def _explain_unreachable(reference: Reference, found: Mirrors, *, is_known: bool) -> StepResult:
    """The pull fails if no place is left. Otherwise the nodes go on to the next one."""
    text = f"the nodes do not reach {join_and(list(found.unreachable))}"
    if found.mirrors or not found.never_source or not is_known:
        return info("network", text, ok=None)
    return failure("network", f"{text}, and no other registry serves {reference}")


def _are_all_sets_read(evidence: Lookup) -> bool:
    """Whether all mirror sets can be read. Another one may have a mirror. Another step reports it."""
    return not any(try_lookup(evidence, ObjectRef(kind, "", ""))[1] for kind in MIRROR_KINDS)


def key_for(mirror: str, evidence: Lookup, provider: CrioProvider | None = None) -> MirrorKey:
    """Return the nodes' key for a mirror, with the logins that `provider` adds to their file.

    :raises ReadRequired: when the secret has to be read first.
    """
    reference = reference_of(mirror)
    if reference is None:
        return MirrorKey(mirror, provider=provider)
    (secret,) = credentials_of(NODE_SECRET.namespace, [NODE_SECRET.name], reference.repository, evidence).secrets
    if secret.state in ("unread", "unparsable"):
        return MirrorKey(mirror, unread=secret.detail, provider=provider)
    added = provider.logins if provider is not None else {}
    found = next(iter(containers_keys([*secret.keys, *added], reference.repository)), "")
    if provider is not None and (login := added.get(found)):
        ref = provider.ref_of(login)
        require_all(evidence, [ref])
        is_refused = (login.key, reference.host) in refused_logins(try_lookup(evidence, ref)[0])
        if not login.is_empty:
            return MirrorKey(mirror, login.key, "", ref, provider, is_refused)
        (held,) = credentials_of(ref.namespace, [ref.name], reference.repository, evidence).secrets
        is_unsent = login.key in held.keys and login.key not in held.empty_keys
        unsent, empty = (login.key, "") if is_unsent else ("", login.key)
        return MirrorKey(mirror, secret=ref, provider=provider, is_refused=is_refused, unsent=unsent, empty=empty)
    # An entry without a login that CRI-O reads ends its search.
    if not found or found in secret.empty_keys:
        return MirrorKey(mirror, provider=provider, empty=found)
    if not all(evidence.derive(NODE_SECRET, _sent_logins).get(found, ("",))):
        return MirrorKey(mirror, provider=provider, unsent=found)
    return MirrorKey(mirror, found, provider=provider, is_refused=(found, reference.host) in secret.refused)


def _sent_logins(secret: Json | None) -> Mapping[str, tuple[str, str]]:
    """The logins of the nodes' file that CRI-O sends, by key: it reads only `auth`, with its padding (containers/image decodeDockerAuth)."""
    return provider_logins(StoredSecret.of(as_dict(secret)).text)
