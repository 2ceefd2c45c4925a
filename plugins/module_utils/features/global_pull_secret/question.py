# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `global_pull_secret_info`, and check whether the pull secret is rolled out to the nodes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...core.changes import NO_SELECTORS, NOTHING_RELATED, Evaluation, ListedBy, Related
from ...core.errors import OptionError, Refusal
from ...core.names import check_name
from ...core.objects import SECRET, Json, Kind, ObjectRef, Objects
from ...core.text import pluralize
from ...dockerconfig.auth_file import FILE_ARGUMENTS, AuthFile, auth_file_from_options
from ...dockerconfig.registry_keys import check_key
from ...platform.hosted import (
    ADDITIONAL_SECRET,
    HOSTED_CLUSTER,
    MERGED_SECRET,
    ORIGINAL_SECRET,
    SYNCHRONIZER,
    additional_secret,
    merged_form,
    unmerged_sentence,
    why_not_merged,
    why_not_synchronized,
    why_original_not_merged,
    why_unseen,
)
from ...platform.machine_config import MACHINE_CONFIG, MACHINE_CONFIG_POOL, Pool, auth_file_of, is_same_pull_secret
from ...platform.protected import NODE_SECRET
from ...secrets.content import StoredSecret


@dataclass(frozen=True)
class GlobalPullSecret:
    """The validated options. `merge`: registries to add. `hosted_cluster`: the hosted cluster to look at from its management cluster.

    `wait`: whether to wait for the nodes; `allow_paused`: except for those of paused pools. `rendered_before`: the configuration of
    each pool before a write, by name.
    """

    merge: Sequence[str] = ()
    hosted_cluster: ObjectRef | None = None
    wait: bool = False
    allow_paused: bool = False
    rendered_before: Mapping[str, str] = field(default_factory=dict)


def from_options(options: Mapping[str, Any], read_file: Callable[[str], str]) -> GlobalPullSecret:
    """Return the validated options. :raises OptionError: when an option is invalid."""
    names = [*_check_names(options.get("merge") or ()), *_registries_in_file(options, read_file)]
    before = {str(pool): str(name) for pool, name in (options.get("rendered_before") or {}).items()}
    return GlobalPullSecret(
        names,
        hosted_cluster(options.get("hosted_cluster")),
        bool(options.get("wait")),
        bool(options.get("allow_paused")),
        before,
    )


def _check_names(names: Sequence[str]) -> Sequence[str]:
    for name in names:
        check_key("option 'merge'", name)
    return names


def _registries_in_file(options: Mapping[str, Any], read_file: Callable[[str], str]) -> Sequence[str]:
    """Return the registries of the auth file to merge."""
    given = {name: options.get(name) for name in FILE_ARGUMENTS}
    if given["auth_file"] is None and given["auth_config"] is None:
        if given["include"] is not None:
            raise OptionError(
                "option 'include' selects entries of 'auth_file' or 'auth_config': give one, or leave it out"
            )
        return ()
    return tuple(auth_file_from_options(given, read_file).registries)


def hosted_cluster(given: str | None) -> ObjectRef | None:
    """Return the hosted cluster of the option `hosted_cluster`; None without one.

    :raises OptionError: when the text is not NAMESPACE/NAME.
    """
    if not given:
        return None
    namespace, _slash, name = given.partition("/")
    if not (namespace and name):
        raise OptionError(f"option 'hosted_cluster': {given!r} is not NAMESPACE/NAME, such as clusters/prod")
    check_name("hosted_cluster", namespace)
    check_name("hosted_cluster", name)
    return ObjectRef(HOSTED_CLUSTER, namespace, name)


def require_auth_file(ref: ObjectRef, secret: Json) -> AuthFile:
    """Return the auth file of the secret. :raises Refusal: when the content of the secret cannot be read."""
    held = StoredSecret.of(secret)
    if held.unreadable:
        raise Refusal(f"{ref} cannot be compared with the pull secret of the nodes: its content {held.unreadable}")
    return held.auth_file


@dataclass(frozen=True, repr=False)
class PoolRollout:
    """Whether all machines of all pools have the pull secret. Pools are in no namespace.

    `allow_paused`: a paused pool is not a failure. `before`: the configuration of each pool before a write, by name, for callers who
    may not read configurations. `known`: cached pull secrets of configurations, because these are large and never change.
    """

    allow_paused: bool = False
    before: Mapping[str, str] = field(default_factory=dict)
    known: dict[str, AuthFile | None] = field(default_factory=dict)

    kind: ClassVar[Kind] = MACHINE_CONFIG_POOL
    listed_by: ClassVar[ListedBy] = NO_SELECTORS

    def names(self, _namespace: str) -> tuple[str, ...]:
        return ()

    def related(self, _namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        names = {name for obj in objects.values() for name in _configurations(Pool.of(obj)) if name not in self.known}
        return [NODE_SECRET, *(ObjectRef(MACHINE_CONFIG, "", name) for name in sorted(names))]

    def evaluate(self, _namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Evaluation:
        """Return the evaluation. :raises Refusal: when the pull secret or the state of a pool cannot be determined."""
        wanted = self._wanted(found)
        configs = {ref.name: auth_file_of(obj) for ref, obj in found.items() if ref.kind == MACHINE_CONFIG and obj}
        self.known.update(configs)
        pools = [Pool.of(obj) for obj in objects.values()]
        if not pools:
            raise Refusal(
                "the cluster shows no machine config pool, so it is not known whether its nodes have the pull secret"
            )
        missing = {pool.name: self._missing(pool, wanted) for pool in pools}
        awaited = (pool for pool in pools if missing[pool.name] and not pool.paused)
        return Evaluation(
            waiting_for=tuple(f"machine config pool {pool.name} {missing[pool.name]}" for pool in awaited),
            extra={"pools": [{**pool.report(), "waits_for": missing[pool.name]} for pool in pools]},
        )

    def _wanted(self, found: Related) -> AuthFile:
        if NODE_SECRET not in found:
            raise Refusal(f"the caller may not read {NODE_SECRET}: allow it to 'get' it")
        secret = found[NODE_SECRET]
        if secret is None:
            raise Refusal(f"{NODE_SECRET} does not exist, so the nodes cannot receive it: restore it")
        return require_auth_file(NODE_SECRET, secret)

    def _missing(self, pool: Pool, wanted: AuthFile) -> str:
        """Return the pending step of the pool, as the rest of a sentence. Empty when its machines have the secret."""
        names = _configurations(pool)
        if names and all(self._holds(name, pool, wanted) for name in names):
            return ""
        if pool.paused:
            return "is paused, so its machines keep the old pull secret until it is resumed (spec.paused)"
        if pool.degraded:
            return f"is degraded ({pool.complaint or 'it does not say why'}), {_progress(pool)}: repair its node first"
        if pool.is_done or not pool.target:
            return "has not rendered the pull secret yet"
        return f"is being updated, {_progress(pool)}"

    def _holds(self, name: str, pool: Pool, wanted: AuthFile) -> bool:
        """Whether a configuration has the wanted pull secret. An unreadable one has it if it was rendered after the write."""
        held = self.known.get(name)
        if held is not None:
            return is_same_pull_secret(held, wanted)
        if pool.name not in self.before:
            raise Refusal(
                f"machine config {name} cannot be read, or has no pull secret in it, so it is not known whether the machines of pool "
                f"{pool.name} have it: allow the caller to 'get' machineconfigs, or give 'rendered_before'"
            )
        return name != self.before[pool.name]


@dataclass(frozen=True, repr=False)
class HostedMerge:
    """Whether the users' additions to a hosted cluster's pull secret are in the secret for its nodes, and have reached the nodes.

    `extra` has `unseen`: why it is not known which nodes have it, empty if known. Or it has `unmerged`: why the platform never merges it.
    """

    kind: ClassVar[Kind] = SECRET
    listed_by: ClassVar[ListedBy] = NO_SELECTORS

    def names(self, _namespace: str) -> tuple[str, ...]:
        return (ADDITIONAL_SECRET.name, MERGED_SECRET.name, ORIGINAL_SECRET.name)

    def related(self, _namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return (NODE_SECRET, SYNCHRONIZER)

    def evaluate(self, _namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Evaluation:
        """Return the evaluation. :raises Refusal: when one of the secrets cannot be read."""
        original = found.get(NODE_SECRET)
        if original is None:
            raise Refusal(f"{NODE_SECRET} does not exist, or the caller may not read it: allow it to 'get' it")
        users = objects.get(ADDITIONAL_SECRET.name)
        given = None if users is None else additional_secret(users)
        if stopped := unmerged_sentence(users) or (why_original_not_merged(original) if given is not None else ""):
            return Evaluation(extra={"unmerged": stopped})
        made = objects.get(MERGED_SECRET.name)
        merged = None if made is None else require_auth_file(MERGED_SECRET, made)
        additional = None if given is None else merged_form(given)
        missing = why_not_merged(require_auth_file(NODE_SECRET, original), additional, merged)
        if missing:
            return Evaluation(waiting_for=(missing,))
        of_nodes = objects.get(MERGED_SECRET.name) or objects.get(ORIGINAL_SECRET.name) or original
        return _check_nodes(of_nodes, found)


def _check_nodes(secret: Json, found: Related) -> Evaluation:
    if SYNCHRONIZER not in found:
        return Evaluation(extra={"unseen": f"the caller may not 'get' {SYNCHRONIZER}"})
    synchronizer = found[SYNCHRONIZER]
    unseen = why_unseen(synchronizer)
    if synchronizer is None or unseen:
        return Evaluation(extra={"unseen": unseen})
    missing = why_not_synchronized(synchronizer, StoredSecret.of(secret).text.encode("utf-8", "surrogateescape"))
    return Evaluation(waiting_for=(missing,) if missing else (), extra={"unseen": ""})


def _configurations(pool: Pool) -> list[str]:
    """Return the configurations of the machines of a pool: one, or the old and the new one during an update."""
    return [pool.target] if pool.is_done else list(dict.fromkeys(filter(None, (pool.current, pool.target))))


def _progress(pool: Pool) -> str:
    return f"with the new configuration on {pool.updated:,} of {pluralize(pool.machines, 'machine')}"
