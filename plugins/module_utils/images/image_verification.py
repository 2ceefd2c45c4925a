# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of kubelets that objects show, and their decision about an image that the node has. Pure.

Source: kubelet pkg/kubelet/images/pullmanager (image_pull_manager.go, image_pull_policies.go) of v1.35.4 and v1.36.3, and
pkg/kubelet/apis/config/validation. tests/oracle compares this file with that code.

- `decide_cached_image(image, node, policy, pod, record)` answers one start of one container (or one image volume) with pull policy
  IfNotPresent or Never, if the image is present. `image` is the text in the pod. The result is a `CacheDecision`: `answer` is `USES`,
  `ASKS` or `UNKNOWN`, and `rule` is the constant of the rule that decided. `ASKS` is an ordinary pull with the credentials of the pod,
  or `ErrImageNeverPull` with pull policy Never. With Always, the kubelet pulls and never decides.
- `policy` is a `VerificationPolicy`: `VerificationPolicy()` is a configuration without the fields, which has the kubelet's default. A
  caller that cannot read the policy gives that, and reports the assumption.
- `record` is a `PullRecord`, the kubelet's files about the image. No API shows them: None is unknown, and `NO_RECORD` is an image that
  the kubelet did not pull (preloaded). `pod` is a `PodCredentials`, None is unknown.
- `policy_problems(policy, kubelet)` are the reasons why a kubelet of that version does not start with the policy.
- `unmatchable_entries(policy, kubelet)` are entries of the allow-list that no image can match, `entry_matches(entry, image, kubelet)`
  compares one entry with an image in use, and `needs_untagged_image(entry, kubelet)` is the fault of 1.35 with exact entries.
- `finds_records(node)` and `runtime_effect(policy, node)` are the consequences of a runtime that returns `repo@digest`.
- `record_key(image, kubelet)` is the text by which a record lists the credentials for an image.

machine-config-operator pkg/controller/kubelet-config: each KubeletConfig makes a whole file of the template and itself, in the MachineConfig
99-POOL-generated-kubelet[-N]. The last name counts, and the MachineConfigs of a custom pool override worker's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..core.namespaces import is_selected
from ..core.objects import NODE, Json, Kind, ObjectRef, as_dict, as_list, as_str, as_strs, metadata, pick
from ..core.text import redact_line
from ..platform.machine_config import MACHINE_CONFIG_POOL
from .nodes import NodeVersions, Version
from .references import reference_of

#: First version of the kubelet whose gate KubeletEnsureSecretPulledImages is on by default.
VERIFIES_SINCE: Version = (1, 35)
#: First version that records the literal text of the image, and compares an allow-list with the text without tag and digest.
_LITERAL_SINCE: Version = (1, 36)
#: With this number of secrets in an entry, a secret that was changed in place is not recognized by its uid and name any more
#: (`writeRecordWhileMatchingLimit`).
SECRET_LIMIT = 100

#: The values of `imagePullCredentialsVerificationPolicy`.
NEVER_VERIFY = "NeverVerify"
NEVER_VERIFY_PRELOADED = "NeverVerifyPreloadedImages"
NEVER_VERIFY_ALLOWLISTED = "NeverVerifyAllowlistedImages"
ALWAYS_VERIFY = "AlwaysVerify"
#: All policies. The kubelet's default is `NEVER_VERIFY_PRELOADED`.
POLICIES = (NEVER_VERIFY, NEVER_VERIFY_PRELOADED, NEVER_VERIFY_ALLOWLISTED, ALWAYS_VERIFY)

#: The answers: the pod uses the image of the node, or the kubelet pulls it with the credentials of the pod.
USES, ASKS, UNKNOWN = "uses", "asks", "unknown"

#: Rules that use the image. `PRELOADED`: no record or pull intent exists, so the kubelet did not pull it.
GATE_OFF = "gate_off"
NEVER_VERIFIED = "never_verified"
PRELOADED = "preloaded"
ALLOW_LISTED = "allow_listed"
NODE_ACCESSIBLE = "node_accessible"
SAME_CREDENTIAL = "same_credential"
SAME_SECRET = "same_secret"
SAME_ACCOUNT = "same_account"
#: Rules that pull. `NO_ENTRY`: the record has no entry for this text of the image, although the kubelet pulled the image under another.
#: `TOO_MANY_SECRETS`: the secret of the pod was changed in place, but the entry has `SECRET_LIMIT` secrets.
UNREADABLE_RECORD = "unreadable_record"
RECORD_MISSING = "record_missing"
INVALID_NAME = "invalid_name"
NO_ENTRY = "no_entry"
EMPTY_ENTRY = "empty_entry"
TOO_MANY_SECRETS = "too_many_secrets"
NO_MATCH = "no_match"
#: The runtime returns `repo@digest` from a pull and another identity later, so no record is ever found. It uses the image with
#: NeverVerifyPreloadedImages (all images count as preloaded), and otherwise pulls at every start.
RECORD_NEVER_FOUND = "record_never_found"
#: Reasons for `UNKNOWN`. `ALPHA_GATE`: the gate was switched on before 1.35. `INVALID_POLICY`: the kubelet does not start with it.
UNKNOWN_VERSION = "unknown_version"
UNKNOWN_RECORD = "unknown_record"
UNKNOWN_CREDENTIALS = "unknown_credentials"
ALPHA_GATE = "alpha_gate"
INVALID_POLICY = "invalid_policy"


@dataclass(frozen=True)
class VerificationPolicy:
    """The fields of a kubelet configuration: `imagePullCredentialsVerificationPolicy` and `preloadedImagesVerificationAllowlist`.

    An empty `name` is not set. `gate` is KubeletEnsureSecretPulledImages of `featureGates`, None if it is not set.
    """

    name: str = ""
    allow_list: Sequence[str] = ()
    gate: bool | None = None

    @property
    def effective(self) -> str:
        """The policy with the kubelet's default filled in."""
        return self.name or NEVER_VERIFY_PRELOADED


@dataclass(frozen=True)
class RecordedSecret:
    """One credential of a pull secret. `credential_hash` covers user, password and email. An empty hash equals no other."""

    uid: str
    namespace: str
    name: str
    credential_hash: str

    def is_same_object(self, other: RecordedSecret) -> bool:
        return (self.uid, self.namespace, self.name) == (other.uid, other.namespace, other.name)

    def is_same_credential(self, other: RecordedSecret) -> bool:
        return bool(self.credential_hash) and self.credential_hash == other.credential_hash


@dataclass(frozen=True)
class RecordedAccount:
    """A service account that gave its token to a credential provider."""

    uid: str
    namespace: str
    name: str


@dataclass(frozen=True)
class RecordEntry:
    """The credentials that pulled an image under one text. `node_accessible`: all pods of the node may use it, for ever."""

    secrets: Sequence[RecordedSecret] = ()
    accounts: Sequence[RecordedAccount] = ()
    node_accessible: bool = False


@dataclass(frozen=True)
class PullRecord:
    """The files of the kubelet about one image ID: `exists` is its pulled record, `has_intent` a pull intent for the text of the pod.

    `entries` are by `record_key`. A caller without the files gives None for the whole record.
    """

    entries: Mapping[str, RecordEntry] = field(default_factory=dict)
    exists: bool = True
    has_intent: bool = False
    is_readable: bool = True


#: An image that the kubelet did not pull: baked in, pulled by the runtime's own tools, or before the gate was on.
NO_RECORD = PullRecord(exists=False)


@dataclass(frozen=True)
class PodCredentials:
    """The credentials that the kubelet's keyring has for the image from the pod's secrets, and the account that providers get."""

    secrets: Sequence[RecordedSecret] = ()
    account: RecordedAccount | None = None


@dataclass(frozen=True)
class CacheDecision:
    """`answer` is `USES`, `ASKS` or `UNKNOWN`, `rule` the constant of the rule that decided, or the reason why it is unknown."""

    answer: str
    rule: str


def verifies(kubelet: Version | None, gate: bool | None = None) -> bool | None:
    """Whether a kubelet verifies access to images that are present. None if its version is unknown."""
    if gate is not None:
        return gate
    return None if kubelet is None else kubelet >= VERIFIES_SINCE


def finds_records(node: NodeVersions) -> bool | None:
    """Whether the runtime identifies an image after a pull as it does later, so that the kubelet finds its record. None if unknown.

    CRI-O does since 1.35.2 and 1.36.0 (cri-o pull requests 9826 and 9728). containerd returns the digest of the configuration in both
    cases (internal/cri/server/images).
    """
    if node.runtime == "containerd":
        return True
    version = node.runtime_version
    if node.runtime != "cri-o" or version is None or version == (1, 35):
        return None
    return version >= (1, 35, 2)


def runtime_effect(policy: VerificationPolicy, node: NodeVersions) -> str:
    """Return the effect of a runtime whose records are never found: `verifies_nothing`, `always_asks`, or empty if there is none."""
    if not verifies(node.kubelet, policy.gate) or finds_records(node) is not False or policy.effective == NEVER_VERIFY:
        return ""
    return "verifies_nothing" if policy.effective == NEVER_VERIFY_PRELOADED else "always_asks"


def decide_cached_image(
    image: str,
    node: NodeVersions,
    policy: VerificationPolicy,
    pod: PodCredentials | None = None,
    record: PullRecord | None = None,
) -> CacheDecision:
    """Decide whether the pod uses the image of the node. Without a record, its files are taken as readable."""
    if verifies(node.kubelet, policy.gate) is False:
        return CacheDecision(USES, GATE_OFF)
    if policy.effective not in POLICIES:
        return CacheDecision(UNKNOWN, INVALID_POLICY)
    if finds_records(node) is not False:
        return _decide_by_files(image, node.kubelet, policy, pod, record)
    intent = PullRecord(exists=False, has_intent=record is not None and record.has_intent)
    decision = _decide_by_files(image, node.kubelet, policy, pod, intent)
    is_missed = decision.rule in (PRELOADED, RECORD_MISSING)
    return CacheDecision(decision.answer, RECORD_NEVER_FOUND) if is_missed else decision


def _decide_by_files(
    image: str,
    kubelet: Version | None,
    policy: VerificationPolicy,
    pod: PodCredentials | None,
    record: PullRecord | None,
) -> CacheDecision:
    if record is not None and not record.is_readable:
        return CacheDecision(ASKS, UNREADABLE_RECORD)
    if policy.effective == NEVER_VERIFY:
        return CacheDecision(USES, NEVER_VERIFIED)
    if kubelet is None:
        return CacheDecision(UNKNOWN, UNKNOWN_VERSION)
    if kubelet < VERIFIES_SINCE:
        return CacheDecision(UNKNOWN, ALPHA_GATE)
    return _decide_by_policy(image, kubelet, policy, record) or _decide_by_record(image, kubelet, pod, record)


def _decide_by_policy(
    image: str, kubelet: Version, policy: VerificationPolicy, record: PullRecord | None
) -> CacheDecision | None:
    if policy.effective == NEVER_VERIFY_PRELOADED and record is not None and not (record.exists or record.has_intent):
        return CacheDecision(USES, PRELOADED)
    is_listed = any(entry_matches(entry, image, kubelet) for entry in policy.allow_list)
    if policy.effective == NEVER_VERIFY_ALLOWLISTED and is_listed:
        return CacheDecision(USES, ALLOW_LISTED)
    return None


def _decide_by_record(
    image: str, kubelet: Version, pod: PodCredentials | None, record: PullRecord | None
) -> CacheDecision:
    if record is None:
        return CacheDecision(UNKNOWN, UNKNOWN_RECORD)
    if not record.exists:
        return CacheDecision(ASKS, RECORD_MISSING)
    key = record_key(image, kubelet)
    if key is None:
        return CacheDecision(ASKS, INVALID_NAME)
    entry = record.entries.get(key)
    if entry is None:
        return CacheDecision(ASKS, NO_ENTRY)
    if entry.node_accessible:
        return CacheDecision(USES, NODE_ACCESSIBLE)
    if not entry.secrets and not entry.accounts:
        return CacheDecision(ASKS, EMPTY_ENTRY)
    return CacheDecision(UNKNOWN, UNKNOWN_CREDENTIALS) if pod is None else _compare_credentials(pod, entry)


def _compare_credentials(pod: PodCredentials, entry: RecordEntry) -> CacheDecision:
    """Compare in the order of the kubelet: for each secret of the pod, each secret of the entry by hash and then by object."""
    has_room = len(entry.secrets) < SECRET_LIMIT
    is_beyond = False
    for ours in pod.secrets:
        for recorded in entry.secrets:
            if ours.is_same_credential(recorded):
                return CacheDecision(USES, SAME_CREDENTIAL)
            if ours.is_same_object(recorded):
                if has_room:
                    return CacheDecision(USES, SAME_SECRET)
                is_beyond = True
    if pod.account is not None and pod.account in entry.accounts:
        return CacheDecision(USES, SAME_ACCOUNT)
    return CacheDecision(ASKS, TOO_MANY_SECRETS if is_beyond else NO_MATCH)


def record_key(image: str, kubelet: Version) -> str | None:
    """Return the text by which a record lists the credentials of an image, or None for an invalid name.

    From 1.36 on, it is the text of the pod without tag and digest: `nginx` and `docker.io/library/nginx` have two entries. Version 1.35
    normalizes the name.
    """
    reference = reference_of(image)
    if reference is None:
        return None
    if kubelet < _LITERAL_SINCE:
        return reference.repository
    return image.removesuffix(f"@{reference.digest}").removesuffix(f":{reference.tag}")


def entry_matches(entry: str, image: str, kubelet: Version) -> bool:
    """Whether an entry of the allow-list exempts the image. Texts are compared as they are, so `docker.io/library/nginx` is not `nginx`.

    Version 1.35 compares the text with its tag and digest (kubernetes pull request 137629).
    """
    text = image if kubelet < _LITERAL_SINCE else record_key(image, kubelet) or image
    return text.startswith(entry[:-1]) if entry.endswith("/*") else text == entry


def needs_untagged_image(entry: str, kubelet: Version) -> bool:
    """Whether the entry exempts only images that are written without tag and digest, because of the fault of version 1.35."""
    return kubelet < _LITERAL_SINCE and not entry.endswith("/*")


def unmatchable_entries(policy: VerificationPolicy, kubelet: Version) -> Sequence[str]:
    """Return the entries of the allow-list that the kubelet accepts, and that no image can match, such as `https://quay.io/*`."""
    valid = [entry for entry in policy.allow_list if not _entry_problem(entry, kubelet)]
    return [entry for entry in valid if entry.endswith("/*") and reference_of(f"{entry[:-1]}a") is None]


def policy_problems(policy: VerificationPolicy, kubelet: Version | None) -> Sequence[str]:
    """Return the reasons why a kubelet of that version does not start with the policy. An unknown version counts as the newest."""
    version = _LITERAL_SINCE if kubelet is None else kubelet
    if not verifies(version, policy.gate):
        return list(_find_fields_without_gate(policy, version))
    return list(_find_invalid_fields(policy, version))


def _find_fields_without_gate(policy: VerificationPolicy, kubelet: Version) -> Iterator[str]:
    name = "the feature gate KubeletEnsureSecretPulledImages"
    gate = f"{name} is off" if policy.gate is False else f"{name} is off in kubelet {kubelet[0]}.{kubelet[1]}"
    if policy.name:
        yield f"imagePullCredentialsVerificationPolicy must not be set: {gate}"
    if policy.allow_list:
        yield f"preloadedImagesVerificationAllowlist must not be set: {gate}"


def _find_invalid_fields(policy: VerificationPolicy, kubelet: Version) -> Iterator[str]:
    if policy.effective not in POLICIES:
        yield f"imagePullCredentialsVerificationPolicy {policy.name} is unknown. The policies are {', '.join(POLICIES)}"
    if policy.allow_list and policy.effective != NEVER_VERIFY_ALLOWLISTED:
        yield f"preloadedImagesVerificationAllowlist is set, which only {NEVER_VERIFY_ALLOWLISTED} allows"
        return
    for entry in policy.allow_list:
        problem = _entry_problem(entry, kubelet)
        if problem:
            yield f"entry {entry!r} of preloadedImagesVerificationAllowlist is invalid: {problem}"


def _entry_problem(entry: str, kubelet: Version) -> str:
    """Return the reason why the kubelet refuses an entry. Empty if it does not."""
    if entry != entry.strip():
        return "it begins or ends with a space"
    is_prefix = entry.endswith("/*")
    text = entry[:-1] if is_prefix else entry
    if not text:
        return "it is empty"
    if "*" in text:
        return "* is allowed only at the end, after a /"
    if is_prefix:
        return "the registry is missing" if text == "/" else ""
    if record_key(text, kubelet) != text:
        written = (
            "a repository" if kubelet >= _LITERAL_SINCE else "a full repository name, such as docker.io/library/nginx,"
        )
        return f"it must be {written} without tag and digest, or end with /*"
    return ""


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
