# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `credential_verification`, and plan the KubeletConfig that sets the policy for the nodes of one machine config pool. Pure.

machine-config-operator pkg/controller/kubelet-config: the KubeletConfig that counts for a pool makes the whole file of its kubelets. A
second one for the same pool would replace all settings of the first one, so the policy is added to the one that counts. Custom pools
without one have worker's (docs/custom-pools.md), so a change for worker is rolled out to their nodes as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...core.changes import (
    MANAGED_BY,
    NO_SELECTORS,
    NOTHING_RELATED,
    Change,
    Desired,
    ListedBy,
    Plan,
    Related,
    create,
    delete,
    update,
)
from ...core.errors import OptionError, Refusal
from ...core.names import check_name, is_namespace, is_pattern
from ...core.namespaces import NamespaceSelector, is_selected
from ...core.objects import Json, Kind, ObjectRef, Objects, as_dict, as_str, as_strs, metadata
from ...core.text import join_and, pluralize, summarize
from ...images.image_verification import (
    NEVER_VERIFY_ALLOWLISTED,
    POLICIES,
    VerificationPolicy,
    needs_untagged_image,
    policy_problems,
    unmatchable_entries,
)
from ...images.kubelet_settings import ALLOW_LIST_FIELD, KUBELET_CONFIG, POLICY_FIELD, config_for, refusal_of
from ...images.nodes import NodeVersions

__all__ = [
    "ARGUMENTS",
    "VerificationPlan",
    "VerificationRequest",
    "from_options",
    "pools_with",
]

ARGUMENTS: dict[str, Any] = {
    "pool": {"type": "str", "default": "worker"},
    "name": {"type": "str", "default": "image-pull-verification"},
    "policy": {"type": "str", "choices": [*POLICIES]},
    "allow_list": {"type": "list", "elements": "str"},
    "allow_images_of": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

#: Patterns of namespaces whose names users cannot choose for their projects (openshift-apiserver, project request).
_RESERVED = ("openshift-", "kube-")


@dataclass(frozen=True)
class VerificationRequest:
    """The policy for the nodes of the machine config pool `pool`, in the KubeletConfig `name`. `verification` None: the fields are removed.

    `trusted`: the namespaces whose images are added to the allow-list, None for none.
    """

    pool: str
    name: str
    verification: VerificationPolicy | None
    trusted: NamespaceSelector | None = None


def from_options(options: Mapping[str, Any]) -> VerificationRequest:
    """Return the request. :raises OptionError: with all problems of the options at once."""
    check_name("name", options["name"])
    check_name("pool", options["pool"])
    problems = list(_problems(options))
    if problems:
        raise OptionError("; ".join(problems))
    allow_list, trusted = _texts(options, "allow_list"), _texts(options, "allow_images_of")
    is_absent = options["state"] == "absent"
    return VerificationRequest(
        options["pool"],
        options["name"],
        None if is_absent else VerificationPolicy(options["policy"], allow_list),
        NamespaceSelector(include=trusted, system=True) if trusted else None,
    )


def _texts(options: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(options[name] or ()))


def _problems(options: Mapping[str, Any]) -> Iterator[str]:
    policy, lists = options["policy"], [name for name in ("allow_list", "allow_images_of") if options[name]]
    if options["state"] == "absent":
        given = [*(["policy"] if policy else []), *lists]
        yield from (f"option '{name}' is for state present" for name in given)
        return
    if not policy:
        yield f"option 'policy' is missing: give one of {', '.join(POLICIES)}"
    elif lists and policy != NEVER_VERIFY_ALLOWLISTED:
        yield from (f"option '{name}' needs policy {NEVER_VERIFY_ALLOWLISTED}" for name in lists)
    elif policy == NEVER_VERIFY_ALLOWLISTED and not lists:
        yield f"policy {policy} needs options 'allow_list' or 'allow_images_of': with an empty list, it is AlwaysVerify"
    listed = VerificationPolicy(NEVER_VERIFY_ALLOWLISTED, _texts(options, "allow_list"))
    yield from (f"option 'allow_list': {problem}" for problem in policy_problems(listed, None))
    for entry in unmatchable_entries(listed, _NEWEST):
        yield f"option 'allow_list': no image can match {entry!r}: write a repository, or the beginning of one and /*"
    for name in _texts(options, "allow_images_of"):
        yield from _problems_of_namespace(name)


def _problems_of_namespace(name: str) -> Iterator[str]:
    """A list of images that users choose would free every image of a node: only names that they cannot choose may be patterns."""
    if is_pattern(name):
        if not name.startswith(_RESERVED):
            yield (
                f"option 'allow_images_of' has {name!r}, which can match projects that users name: give exact names, or patterns that "
                f"begin with {' or '.join(_RESERVED)}"
            )
    elif not is_namespace(name):
        yield f"option 'allow_images_of' has {name!r}, which is not the name of a namespace"


#: The version that the entries of the option are written for.
_NEWEST = (1, 36)


#: The label of a pool by which a KubeletConfig selects it, without the name of the pool.
_POOL_LABEL = "pools.operator.machineconfiguration.openshift.io/"
_SHOWN = 5


@dataclass(frozen=True)
class VerificationPlan(Desired):
    """The policy, None for none, in the KubeletConfig `name` for a pool. `pools` are all pools, `nodes` are the nodes by the name of their pool."""

    name: str
    pool: Json
    policy: VerificationPolicy | None
    pools: Sequence[Json] = ()
    nodes: Mapping[str, Sequence[NodeVersions]] = field(default_factory=dict)

    kind: ClassVar[Kind] = KUBELET_CONFIG
    listed_by: ClassVar[ListedBy] = NO_SELECTORS

    def names(self, _namespace: str) -> tuple[str, ...]:
        return ()

    def related(self, _namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return ()

    def plan(self, _namespace: str, objects: Objects, _found: Related = NOTHING_RELATED) -> Plan:
        """Return the change. :raises Refusal: when a kubelet would not start with it, or another KubeletConfig counts for the pool."""
        own, configs = objects.get(self.name), [*objects.values()]
        reached = pools_with(self.name, self.pools, configs, new_for=self.pool if self.policy else None)
        nodes = {name: self.nodes.get(name, ()) for name in reached}
        if self.policy is None:
            change = None if own is None else self._remove(own)
        else:
            self._refuse_stopped_kubelets(self.policy, nodes)
            self._refuse_other_config(own, objects)
            change = self._create(self.policy) if own is None else self._set(own, self.policy)
        return Plan(() if change is None else (change,), notes=tuple(self._notes(own, change, nodes)))

    @property
    def _ref(self) -> ObjectRef:
        return ObjectRef(KUBELET_CONFIG, "", self.name)

    @property
    def _pool_name(self) -> str:
        return _name_of(self.pool)

    def _refuse_stopped_kubelets(self, policy: VerificationPolicy, nodes: Mapping[str, Sequence[NodeVersions]]) -> None:
        problems: dict[str, list[str]] = {}
        pools: dict[str, None] = {}
        for pool, node in ((pool, node) for pool, members in nodes.items() for node in members):
            for problem in policy_problems(policy, node.kubelet):
                problems.setdefault(problem, []).append(node.name)
                pools[pool] = None
        if problems:
            told = "; ".join(f"{problem} (node {summarize(names, _SHOWN)})" for problem, names in problems.items())
            raise Refusal(
                f"the kubelets of {_list_pools([*pools])} would not start with this policy: {told}. Upgrade the cluster first"
            )

    def _refuse_other_config(self, own: Json | None, objects: Objects) -> None:
        """Refuse a KubeletConfig that would have no effect, or would take away the settings of another one."""
        pool, counting = self._pool_name, config_for(self.pool, self.pools, [*objects.values()])
        labels, label = as_dict(metadata(self.pool).get("labels")), f"{_POOL_LABEL}{self._pool_name}"
        command = "" if label in labels else f"oc label machineconfigpool {pool} {label}="
        if counting is None:
            if own is not None:
                raise Refusal(
                    f"{self._ref} exists and is not for machine config pool {pool}: set option 'name' to another name"
                )
            if command:
                raise Refusal(
                    f"machine config pool {pool} has no label {label}, by which a kubelet config selects it: {command}"
                )
            return
        name, selector = _name_of(counting), as_dict(as_dict(counting.get("spec")).get("machineConfigPoolSelector"))
        has_settings = (
            f"{ObjectRef(KUBELET_CONFIG, '', name)} has the settings of the kubelets of machine config pool {pool}"
        )
        if not is_selected(labels, selector):
            pools = _list_pools(pools_with(name, self.pools, [*objects.values()]))
            missing = f". The pool does not have this label yet: {command}" if command else ""
            raise Refusal(
                f"{has_settings}, which has no kubelet config of its own, and a new one would replace all of them: set option 'pool' to worker "
                f"and option 'name' to {name}, so that the policy is for {pools}, or create a kubelet config with the spec of {name} "
                f"(oc get kubeletconfig {name} -o yaml) and the machineConfigPoolSelector {{matchLabels: {{{label}: ''}}}}, and set option "
                f"'name' to its name{missing}"
            )
        if name != self.name:
            raise Refusal(
                f"{has_settings}, and another kubelet config would replace all of them: set option 'name' to {name}, so that the policy is "
                "added to it"
            )

    def _create(self, policy: VerificationPolicy) -> Change:
        spec = {"machineConfigPoolSelector": _selector_of(self._pool_name), "kubeletConfig": _fields_of(policy)}
        return create(self._ref, {"spec": spec}, _details({}, spec["kubeletConfig"]), {"spec": spec})

    def _set(self, own: Json, policy: VerificationPolicy) -> Change | None:
        before, after = _fields_in(own), _fields_of(policy)
        if before.get(POLICY_FIELD) == after[POLICY_FIELD] and _listed(before) == _listed(after):
            return None
        return _patch(self._ref, own, before, after)

    def _remove(self, own: Json) -> Change | None:
        """Remove the fields, and the object if this module created it and nothing else is in it."""
        before = _fields_in(own)
        config = as_dict(as_dict(own.get("spec")).get("kubeletConfig"))
        is_ours = MANAGED_BY.items() <= as_dict(metadata(own).get("labels")).items()
        if is_ours and not (config.keys() - before.keys()):
            return delete(self._ref, own, _details(before, {}), {"spec": {"kubeletConfig": before}})
        return _patch(self._ref, own, before, {}) if before else None

    def _notes(self, own: Json | None, change: Change | None, nodes: Mapping[str, Sequence[NodeVersions]]) -> list[str]:
        notes = []
        if change is not None and nodes:
            pools = _list_pools([f"{name} ({len(members)})" for name, members in nodes.items()])
            notes.append(
                f"the machine config operator drains and reboots the nodes of {pools} one after the other for this change"
            )
        elif own is not None and (refusal := refusal_of(own)):
            notes.append(f"the machine config operator does not apply {self._ref}: {refusal}")
        kubelets = {node.kubelet for members in nodes.values() for node in members if node.kubelet}
        entries = self.policy.allow_list if self.policy else ()
        faulty = [entry for entry in entries if any(needs_untagged_image(entry, kubelet) for kubelet in kubelets)]
        if faulty:
            notes.append(
                f"a kubelet 1.35 compares {pluralize(len(faulty), 'entry', 'entries')} of the allow-list with the image and its tag, so the entry exempts "
                f"only images without a tag (kubernetes issue 137629): {summarize(faulty, _SHOWN)}. Write the beginning and /* instead"
            )
        return notes


def pools_with(name: str, pools: Sequence[Json], configs: Sequence[Json], *, new_for: Json | None = None) -> list[str]:
    """Return the names of the pools whose kubelets have the settings of the KubeletConfig `name`.

    `new_for` is the pool for which it is created if it does not exist, None if it is not created.
    """
    if new_for is not None and all(_name_of(config) != name for config in configs):
        new = {"metadata": {"name": name}, "spec": {"machineConfigPoolSelector": _selector_of(_name_of(new_for))}}
        configs = [*configs, new]
    return [_name_of(pool) for pool in pools if _name_of(config_for(pool, pools, configs)) == name]


def _list_pools(names: Sequence[str]) -> str:
    return f"machine config pool{'s' if len(names) > 1 else ''} {join_and(names)}"


def _name_of(obj: Json | None) -> str:
    return as_str(metadata(as_dict(obj)).get("name"))


def _selector_of(pool: str) -> dict[str, Any]:
    return {"matchLabels": {f"{_POOL_LABEL}{pool}": ""}}


def _fields_of(policy: VerificationPolicy) -> dict[str, Any]:
    listed = {ALLOW_LIST_FIELD: [*policy.allow_list]} if policy.allow_list else {}
    return {POLICY_FIELD: policy.name, **listed}


def _fields_in(config: Json) -> dict[str, Any]:
    found = as_dict(as_dict(config.get("spec")).get("kubeletConfig"))
    return {name: found[name] for name in (POLICY_FIELD, ALLOW_LIST_FIELD) if name in found}


def _listed(fields: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(as_strs(fields.get(ALLOW_LIST_FIELD)))


def _patch(ref: ObjectRef, own: Json, before: Json, after: Json) -> Change:
    fields = {**dict.fromkeys(before), **after}
    patch = {"spec": {"kubeletConfig": fields}}
    shown = ({"spec": {"kubeletConfig": dict(part)}} for part in (before, after))
    return update(ref, own, patch, _details(before, after), before=next(shown), after=next(shown))


def _details(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The change of the policy, and the entries that are added to and removed from the allow-list."""
    found = {
        "policy": as_str(after.get(POLICY_FIELD)),
        "added": sorted(_listed(after) - _listed(before)),
        "removed": sorted(_listed(before) - _listed(after)),
    }
    return {name: value for name, value in found.items() if value}
