# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of kubelets that objects show: KubeletConfigs, machine config pools, rendered configurations, nodes. Pure.

machine-config-operator pkg/controller/kubelet-config: each KubeletConfig makes a whole file of the template and itself, in the MachineConfig
99-POOL-generated-kubelet[-N]. The last name counts, and the MachineConfigs of a custom pool override worker's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.namespaces import is_selected
from ..core.objects import NODE, Json, Kind, ObjectRef, as_dict, as_list, as_str, as_strs, metadata, pick
from ..core.text import redact_line
from ..platform.machine_config import MACHINE_CONFIG_POOL
from .image_verification import VerificationPolicy
from .references import reference_of

__all__ = [
    "ALLOW_LIST_FIELD",
    "CURRENT_CONFIG",
    "DROP_INS",
    "DROP_IN_DIRECTORY",
    "DROP_IN_SUFFIX",
    "INVALID_SETTINGS",
    "KUBEADM_CONFIG_MAP",
    "KUBEADM_SETTINGS",
    "KUBELET_CONFIG",
    "KUBELET_CONFIGS",
    "KUBELET_FILE",
    "KUBELET_FILE_PATH",
    "NODES",
    "POLICY_FIELD",
    "POOLS",
    "PROVIDERS",
    "PROVIDER_PROBLEMS",
    "SETTINGS_KINDS",
    "config_for",
    "lists_image",
    "merge_drop_ins",
    "parse_config",
    "pool_for",
    "refusal_of",
    "trim_node_with_images",
    "trim_settings",
]

KUBELET_CONFIG = Kind(
    "machineconfiguration.openshift.io/v1", "KubeletConfig", "kubeletconfigs", "kubelet config", namespaced=False
)
#: References to the lists of all KubeletConfigs and of all pools.
KUBELET_CONFIGS = ObjectRef(KUBELET_CONFIG, "", "")
POOLS = ObjectRef(MACHINE_CONFIG_POOL, "", "")

#: The settings in a kubelet's configuration file, as an object: that of the rendered MachineConfig of this name, or, with a namespace,
#: that of kubeadm's config map. `discovery/lookup_reader.py` reads it.
KUBELET_FILE = Kind("v1", "KubeletConfiguration", "kubelet configurations", "kubelet configuration", namespaced=False)
KUBEADM_SETTINGS = ObjectRef(KUBELET_FILE, "kube-system", "kubelet-config")
#: The config map in which kubeadm keeps the file for new nodes.
KUBEADM_CONFIG_MAP = ObjectRef(Kind("v1", "ConfigMap", "configmaps", "config map"), "kube-system", "kubelet-config")
#: The kinds that show the settings.
SETTINGS_KINDS = (MACHINE_CONFIG_POOL, KUBELET_CONFIG, KUBELET_FILE)
#: Path of the file on the nodes of OpenShift.
KUBELET_FILE_PATH = "/etc/kubernetes/kubelet.conf"
#: The files that override it. Only kubelets with this directory in `--config-dir` read them: those of workers on newer versions.
DROP_IN_DIRECTORY, DROP_IN_SUFFIX = "/etc/openshift/kubelet.conf.d", ".conf"
#: The key of the settings that is true if a drop-in file has one of them. A kubelet's configuration has no such field.
DROP_INS = "dropIns"
#: The key of the settings with the kubelet's credential providers. It is absent if nothing shows whether it has any, and None if only their
#: content is not known.
PROVIDERS = "credentialProviders"
#: The key of the settings with the reasons why no kubelet starts with these providers. Absent if none is known.
PROVIDER_PROBLEMS = "credentialProviderProblems"

#: The annotation of a node with the name of the rendered MachineConfig that it has.
CURRENT_CONFIG = "machineconfiguration.openshift.io/currentConfig"
_SUFFIX = "machineconfiguration.openshift.io/mc-name-suffix"

#: The feature gate of the kubelet that turns the check on.
_GATE = "KubeletEnsureSecretPulledImages"
POLICY_FIELD, ALLOW_LIST_FIELD, _GATES = (
    "imagePullCredentialsVerificationPolicy",
    "preloadedImagesVerificationAllowlist",
    "featureGates",
)

#: Settings that are invalid, for a file with which no kubelet starts.
INVALID_SETTINGS: Json = {POLICY_FIELD: {}}

#: The pools of the platform. A node in one of the first two is in no custom pool.
_MASTER, _ARBITER, _WORKER = "master", "arbiter", "worker"


def trim_settings(configuration: Json) -> dict[str, Any]:
    """Keep the settings for images of a KubeletConfiguration."""
    gates = pick(as_dict(configuration.get(_GATES)), _GATE)
    return {**pick(configuration, POLICY_FIELD, ALLOW_LIST_FIELD), **({_GATES: gates} if gates else {})}


def merge_drop_ins(configuration: Json, drop_ins: Iterable[Json]) -> dict[str, Any]:
    """Return the settings of a file with those of its drop-in files, as JSON merge patches (cmd/kubelet/app, mergeKubeletConfigurations)."""
    merged, is_overridden = dict(configuration), False
    for patch in drop_ins:
        for name, value in pick(patch, POLICY_FIELD, ALLOW_LIST_FIELD, _GATES).items():
            is_map = name == _GATES and isinstance(value, Mapping)
            merged[name] = {**as_dict(merged.get(name)), **value} if is_map else value
        is_overridden = is_overridden or bool(trim_settings(patch))
    return {**trim_settings(merged), **({DROP_INS: True} if is_overridden else {})}


def parse_config(configuration: Json) -> VerificationPolicy | None:
    """Return the settings of a KubeletConfiguration. None if they have other types than the kubelet's."""
    policy, listed = configuration.get(POLICY_FIELD), configuration.get(ALLOW_LIST_FIELD)
    gate = as_dict(configuration.get(_GATES)).get(_GATE)
    entries = tuple(as_list(listed))
    is_valid = (
        isinstance(policy, (str, type(None)))
        and isinstance(listed, (list, type(None)))
        and all(isinstance(entry, str) for entry in entries)
        and isinstance(gate, (bool, type(None)))
    )
    return VerificationPolicy(as_str(policy), entries, gate) if is_valid else None


def pool_for(labels: Mapping[str, Any], pools: Iterable[Json]) -> Json | None:
    """Return the pool of a node with these labels (machine-config-operator pkg/helpers GetPoolsForNode), None if it has none or several."""
    found = {_name(pool): pool for pool in pools if is_selected(labels, as_dict(_spec(pool).get("nodeSelector")))}
    for name in (_MASTER, _ARBITER):
        if name in found:
            return found[name]
    custom = [pool for name, pool in found.items() if name != _WORKER]
    if custom:
        return custom[0] if len(custom) == 1 else None
    return found.get(_WORKER)


def config_for(pool: Json, pools: Iterable[Json], configs: Sequence[Json]) -> Json | None:
    """Return the KubeletConfig that counts for a pool, or None: a custom pool without its own has worker's."""
    own = _selecting(pool, configs)
    if own or _name(pool) in (_MASTER, _ARBITER, _WORKER):
        return own[-1] if own else None
    worker = next((each for each in pools if _name(each) == _WORKER), None)
    inherited = [] if worker is None else _selecting(worker, configs)
    return inherited[-1] if inherited else None


def refusal_of(config: Json) -> str:
    """Return why the operator does not apply a KubeletConfig, redacted. Empty if it does, or has not reported yet.

    The last condition counts. From OpenShift 4.23 on, it is `Accepted`, with `Success` or `Failure` next to it for as long as others need them.
    """
    conditions = [*map(as_dict, as_list(as_dict(config.get("status")).get("conditions")))]
    last = conditions[-1] if conditions else {}
    if (last.get("type"), last.get("status")) != ("Accepted", "False") and last.get("type") != "Failure":
        return ""
    return redact_line(as_str(last.get("message"))) or "no reason is given"


def _selecting(pool: Json, configs: Iterable[Json]) -> list[Json]:
    """The KubeletConfigs for a pool, in the order of the names of their MachineConfigs, new ones last."""
    labels = as_dict(metadata(pool).get("labels"))
    selecting = [each for each in configs if is_selected(labels, as_dict(_spec(each).get("machineConfigPoolSelector")))]
    return sorted(selecting, key=_rank)


def _rank(config: Json) -> tuple[bool, str, str]:
    suffix = as_dict(metadata(config).get("annotations")).get(_SUFFIX)
    return suffix is None, as_str(suffix), as_str(metadata(config).get("creationTimestamp"))


def _spec(obj: Json) -> Json:
    return as_dict(obj.get("spec"))


def _name(obj: Json) -> str:
    return as_str(metadata(obj).get("name"))


def _trim_node(node: Json) -> Json:
    meta, info = metadata(node), as_dict(as_dict(node.get("status")).get("nodeInfo"))
    notes = pick(as_dict(meta.get("annotations")), CURRENT_CONFIG)
    kept = {"name": meta.get("name"), **pick(meta, "labels"), **({"annotations": notes} if notes else {})}
    return {"metadata": kept, "status": {"nodeInfo": info}}


def trim_node_with_images(node: Json) -> Json:
    """Keep the names of the node's images, in addition to the parts of a listed node."""
    kept, images = _trim_node(node), as_list(as_dict(node.get("status")).get("images"))
    names = [{"names": as_strs(as_dict(each).get("names"))} for each in images]
    return {**kept, "status": {**kept["status"], "images": names}}


#: Reference to the list of all nodes, with their versions, their labels and the name of their rendered configuration. A node that is read
#: alone also has its images, which would be most of the list.
NODES = ObjectRef(replace(NODE, trim=_trim_node), "", "")


def lists_image(node: Json, image: str) -> bool:
    """Whether the node lists the image among its images. The kubelet lists only the 50 largest, so a missing one may be there.

    The search registries decide about a short name, so it is never found.
    """
    reference = reference_of(image)
    if reference is None or reference.is_short:
        return False
    images = as_list(as_dict(node.get("status")).get("images"))
    names = (name for each in map(as_dict, images) for name in as_strs(each.get("names")))
    return any(str(reference_of(name)) == str(reference) for name in names)
