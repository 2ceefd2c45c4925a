# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pull secrets of a hosted cluster: the users' additions, the merged secret, and which nodes get it. Pure.

openshift/hypershift: hosted cluster config operator, controller globalps; support/util HashSimple; docs/content/how-to/common/global-pull-secret.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core.errors import Refusal
from ..core.names import is_name
from ..core.objects import SECRET, Json, Kind, ObjectRef, as_dict, as_int, as_str, metadata
from ..core.text import pluralize, summarize, truncate
from ..dockerconfig.auth_file import AuthFile
from ..dockerconfig.credential_entry import kubelet_reading, stored_entry
from ..dockerconfig.json_text import InvalidContent, Object, fold_name, has_huge_number, kind_name, value_of
from ..dockerconfig.registry_keys import same_path
from ..secrets.content import DATA_KEYS, DOCKERCONFIGJSON, StoredSecret
from .account_lists import fnv_hash

_NAMESPACE = "kube-system"
#: The users' additions to the pull secret of a hosted cluster's nodes, and the secret that the platform merges from them.
ADDITIONAL_SECRET = ObjectRef(SECRET, _NAMESPACE, "additional-pull-secret")
MERGED_SECRET = ObjectRef(SECRET, _NAMESPACE, "global-pull-secret")

#: The platform reads this data key, whatever the type of the secret is.
_KEY = DATA_KEYS[DOCKERCONFIGJSON]
_SHOWN = 5

#: The effect on the nodes. Only the log of the platform's operator gives the reason.
_KEPT = "the nodes keep their present pull secret, including logins that were removed since"
_EDIT = "Remove these entries ('mode: remove', in the role global_pull_secret_remove), or merge a login for them in the same task"
_REPLACE = "Write its content again: module pull_secret, 'mode: replace', with all registries that it needs"
_DELETE = f"Delete it: module pull_secret, 'state: absent', or 'oc delete secret {ADDITIONAL_SECRET.name} -n {ADDITIONAL_SECRET.namespace}'"

#: The platform's own content, in the form in which it reaches the nodes.
ORIGINAL_SECRET = ObjectRef(SECRET, _NAMESPACE, "original-pull-secret")

_SYNCHRONIZERS = Kind("apps/v1", "DaemonSet", "daemonsets", "daemon set")
#: The daemon set that writes the merged secret to each node that gets it.
SYNCHRONIZER = ObjectRef(_SYNCHRONIZERS, _NAMESPACE, "global-pull-secret-syncer")
_API = "hypershift.openshift.io/v1beta1"
HOSTED_CLUSTER = Kind(_API, "HostedCluster", "hostedclusters", "hosted cluster")
NODE_POOL = Kind(_API, "NodePool", "nodepools", "node pool")

#: Labels of a node: its node pool, and whether the secret is synchronized to it.
_POOL_LABEL = "hypershift.openshift.io/nodePool"
_SYNCED_LABEL = "hypershift.openshift.io/nodepool-globalps-enabled"
#: Label of the synchronizer's pods: the hash of the content, so that a new content recreates them.
_HASH_LABEL = "hypershift.openshift.io/globalps-config-hash"
_HASH = re.compile(r"[0-9a-f]{8}\Z")
#: The platform merges the users' additions only on these cloud platforms (cmd.go), and only their nodes get the secret while they run.
_SYNCED_PLATFORMS = ("AWS", "Azure")


#: An annotation of a hosted cluster: the platform keeps changes that are made to its copy in the hosted cluster (hostedcluster_types.go).
_KEEPS_EDITS = "hypershift.openshift.io/ensureexists-pullsecret-reconcile"


def why_never_merged(platform: str) -> str:
    """Return why the platform never merges the users' additions on this cloud platform. Empty if it does, or if `platform` is empty."""
    if not platform or platform in _SYNCED_PLATFORMS:
        return ""
    return (
        f"this hosted cluster runs on platform {truncate(platform, 40)!a}, and only on {' and '.join(_SYNCED_PLATFORMS)} are logins from "
        f"{ADDITIONAL_SECRET} merged into the nodes' pull secret. Change the pull secret of the hosted cluster from its management cluster "
        "('hosted_cluster'), or use pull secrets in the namespaces instead (role private_registry)"
    )


def keeps_edits(hosted_cluster: Json | None) -> bool:
    """Whether the platform keeps changes of `openshift-config/pull-secret` that are made in the hosted cluster. It usually reverts them."""
    return _KEEPS_EDITS in as_dict(metadata(as_dict(hosted_cluster)).get("annotations"))


def overridden_registries(original: AuthFile, registries: Iterable[str]) -> list[str]:
    """Return the registries that the platform's own secret has an entry for. The platform uses its own entry and ignores the users'."""
    held = {same_path(key) for key in original.entries}
    return sorted(name for name in registries if same_path(name) in held)


@dataclass(frozen=True)
class MergeProblem:
    """Why the platform does not merge the users' additions, as a clause, and how to fix it."""

    why: str
    fix: str


def additional_secret(secret: Json) -> StoredSecret | None:
    """Return the users' additions as the platform reads them, whatever the secret's type is. None for a secret without data."""
    data = as_dict(secret.get("data"))
    return StoredSecret.of({"data": data}, _KEY) if data else None


def find_merge_problem(held: StoredSecret) -> MergeProblem | None:
    """Return why the platform does not merge the content, or None if it does."""
    if held.key != _KEY:
        return MergeProblem(f"it has no data key {_KEY}, the only one that the platform reads", _DELETE)
    try:
        return _content_problem(held.text)
    except InvalidContent as error:
        return MergeProblem(f"its content {error}", _REPLACE)


def unmerged_sentence(secret: Json | None) -> str:
    """Return a sentence about an additional secret that the platform does not merge. Empty if it merges it, or if there is none."""
    found = _merge_problem_in(secret)
    return (
        f"the platform does not merge {ADDITIONAL_SECRET}, and {_KEPT}, because {found.why}. {found.fix}"
        if found
        else ""
    )


def objection(ref: ObjectRef, before: Json | None, after: Json | None, *, changed: bool) -> str:
    """Return why a task must not leave the additional secret in this state (see `Batch`). `changed`: whether the task would write it."""
    if ref != ADDITIONAL_SECRET:
        return ""
    return refused_merge_sentence(before, after) if changed else unmerged_sentence(after)


def refused_merge_sentence(before: Json | None, after: Json | None) -> str:
    """Return the same for a change that is not made."""
    found = _merge_problem_in(after)
    if found is None:
        return ""
    already = "This problem existed before this task. " if _merge_problem_in(before) and found.fix != _DELETE else ""
    return f"{ADDITIONAL_SECRET} was not changed: the platform would not merge it, and {_KEPT}, because {found.why}. {already}{found.fix}"


def _merge_problem_in(secret: Json | None) -> MergeProblem | None:
    held = None if secret is None else additional_secret(secret)
    return None if held is None else find_merge_problem(held)


def _content_problem(content: str) -> MergeProblem | None:
    """The part of the content that stops the platform: openshift/hypershift validateAdditionalPullSecret and mergePullSecrets."""
    reading = kubelet_reading(content, legacy=False)
    if reading.problems:
        of_entries = all(problem.startswith("the entry ") for problem in reading.problems)
        return MergeProblem(summarize(reading.problems, _SHOWN, "; "), _EDIT if of_entries else _REPLACE)
    if not reading.logins:
        return MergeProblem("it has no entry", _DELETE)
    value = value_of(content)
    if _merged_member(content) is None:
        names = [member.name for member in Object.parse(value).members if fold_name(member.name) == "auths"]
        return MergeProblem(f"its entries are under {names[-1]!a}, not under 'auths'", _REPLACE)
    return MergeProblem("it has a number that is too large", _REPLACE) if has_huge_number(value) else None


def _merged_member(content: str) -> str | None:
    """The entries that the platform merges: those of the last `auths` in this spelling. None stops it, because it expects an object there.

    :raises InvalidContent: when it is not an object of JSON.
    """
    found = [member.value for member in Object.parse(value_of(content)).members if member.name == "auths"]
    return found[-1] if found and kind_name(found[-1]) == "an object" else None


def why_original_not_merged(original: Json) -> str:
    """Return why the platform cannot merge anything into its own pull secret, as a sentence. Empty if it can."""
    try:
        if _merged_member(StoredSecret.of(original, _KEY).text) is not None:
            return ""
    except InvalidContent:
        pass
    return (
        f"the platform does not merge {ADDITIONAL_SECRET}, and {_KEPT}, because the pull secret of the hosted cluster itself has no entries under "
        "'auths'. Correct it on the management cluster"
    )


def merged_form(held: StoredSecret) -> AuthFile:
    """Return the entries as the platform writes them: it sorts the fields of an entry by name and keeps the last of duplicate fields.

    :raises InvalidContent: when it is not an auth file.
    """
    members = Object.parse(_merged_member(held.text) or "{}").members
    entries = (stored_entry(member.name, _sort_fields(member.value)) for member in members)
    return AuthFile({entry.key: entry for entry in entries})


def _sort_fields(entry: str) -> str:
    if kind_name(entry) != "an object":
        return entry
    held = Object.parse(entry)
    fields = {member.name: replace(member, before="") for member in held.members}
    return held.having(fields[name] for name in sorted(fields, key=lambda name: name.encode("utf-8", "replace"))).text


def why_not_merged(original: AuthFile, additional: AuthFile | None, merged: AuthFile | None) -> str:
    """Return the difference of the merged secret to its sources, as a clause. Empty when it is up to date."""
    if additional is None or not additional.entries:
        return "" if merged is None else f"{MERGED_SECRET} is still there"
    if merged is None:
        return f"{MERGED_SECRET} is not there yet"
    wanted = {**additional.entries, **original.entries}
    late = {key for key, entry in wanted.items() if key not in merged.entries or merged.entries[key].used != entry.used}
    late |= {*merged.entries} - {*wanted}
    return f"{MERGED_SECRET} is not up to date for {', '.join(sorted(late))}" if late else ""


def content_hash(content: bytes) -> str:
    """Return the hash with which the platform identifies a content: FNV-1a of the bytes as Go prints them."""
    return f"{fnv_hash('[' + ' '.join(map(str, content)) + ']'):08x}"


def why_unseen(synchronizer: Json | None) -> str:
    """Return why the synchronizer does not show which nodes have the secret, as a clause. Empty when it does."""
    if synchronizer is None:
        return f"{SYNCHRONIZER} does not exist"
    if not _HASH.match(_label(synchronizer)):
        return f"{SYNCHRONIZER} does not show which content it has"
    return ""


def why_not_synchronized(synchronizer: Json, content: bytes) -> str:
    """Return which nodes lack the merged secret, as a clause. Empty when the synchronizer runs with it on all nodes that get it."""
    if _label(synchronizer) != content_hash(content):
        return f"{SYNCHRONIZER} has not noticed the change yet"
    status = as_dict(synchronizer.get("status"))
    wanted, updated, available = (
        as_int(status.get(name)) or 0
        for name in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    )
    if (as_int(status.get("observedGeneration")) or 0) < (as_int(metadata(synchronizer).get("generation")) or 0):
        return f"{SYNCHRONIZER} is about to bring it to the nodes"
    if min(updated, available) < wanted:
        return f"{SYNCHRONIZER} has brought it to {min(updated, available):,} of {pluralize(wanted, 'node')}"
    return ""


def _label(synchronizer: Json) -> str:
    template = as_dict(as_dict(synchronizer.get("spec")).get("template"))
    return as_str(as_dict(metadata(template).get("labels")).get(_HASH_LABEL))


def node_pools_of_nodes(nodes: Iterable[Json]) -> list[dict[str, Any]]:
    """Return the node pools of a hosted cluster according to its nodes. `receives`: whether all nodes of the pool get the secret."""
    pools: dict[str, list[bool]] = {}
    for node in nodes:
        labels = as_dict(metadata(node).get("labels"))
        pools.setdefault(as_str(labels.get(_POOL_LABEL)), []).append(labels.get(_SYNCED_LABEL) == "true")
    return [{"name": name, "nodes": len(synced), "receives": all(synced)} for name, synced in sorted(pools.items())]


def node_pools_of_cluster(pools: Iterable[Json], cluster: str) -> list[dict[str, Any]]:
    """Return the node pools of a hosted cluster according to its management cluster."""
    return sorted(
        (_row(pool) for pool in pools if _spec(pool).get("clusterName") == cluster), key=lambda row: row["name"]
    )


def pull_secret_of(ref: ObjectRef, hosted_cluster: Json | None) -> ObjectRef:
    """Return the pull secret that a hosted cluster names.

    :raises Refusal: when the cluster does not exist, names no pull secret, or names something that is not a valid name.
    """
    if hosted_cluster is None:
        raise Refusal(f"{ref} does not exist: correct the option 'hosted_cluster'")
    name = as_str(as_dict(_spec(hosted_cluster).get("pullSecret")).get("name"))
    if not name:
        raise Refusal(f"{ref} names no pull secret in spec.pullSecret, so there is none to change")
    if not is_name(name):
        raise Refusal(
            f"{ref} names {truncate(name, 120)!a} in spec.pullSecret, which cannot be the name of a secret: correct it"
        )
    return ObjectRef(SECRET, ref.namespace, name)


def _row(pool: Json) -> dict[str, Any]:
    strategy = as_str(as_dict(_spec(pool).get("management")).get("upgradeType"))
    platform = as_str(as_dict(_spec(pool).get("platform")).get("type"))
    return {
        "name": as_str(metadata(pool).get("name")),
        "nodes": as_int(_spec(pool).get("replicas")),
        "receives": strategy == "Replace" and platform in _SYNCED_PLATFORMS,
    }


def _spec(obj: Json) -> Json:
    return as_dict(obj.get("spec"))


def excluded_pools(pools: Sequence[Json]) -> list[str]:
    """Return the names of the node pools that do not get the secret."""
    return [as_str(pool.get("name")) or "(no node pool)" for pool in pools if not pool.get("receives")]
