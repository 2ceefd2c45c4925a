# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a pod may use an image that its node already has: the kubelet's decision of KEP-2535. Pure.

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
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .nodes import NodeVersions, Version
from .references import reference_of

__all__ = [
    "ALLOW_LISTED",
    "ALPHA_GATE",
    "ALWAYS_VERIFY",
    "ASKS",
    "EMPTY_ENTRY",
    "GATE_OFF",
    "INVALID_NAME",
    "INVALID_POLICY",
    "NEVER_VERIFIED",
    "NEVER_VERIFY",
    "NEVER_VERIFY_ALLOWLISTED",
    "NEVER_VERIFY_PRELOADED",
    "NODE_ACCESSIBLE",
    "NO_ENTRY",
    "NO_MATCH",
    "NO_RECORD",
    "POLICIES",
    "PRELOADED",
    "RECORD_MISSING",
    "RECORD_NEVER_FOUND",
    "SAME_ACCOUNT",
    "SAME_CREDENTIAL",
    "SAME_SECRET",
    "SECRET_LIMIT",
    "TOO_MANY_SECRETS",
    "UNKNOWN",
    "UNKNOWN_CREDENTIALS",
    "UNKNOWN_RECORD",
    "UNKNOWN_VERSION",
    "UNREADABLE_RECORD",
    "USES",
    "VERIFIES_SINCE",
    "CacheDecision",
    "PodCredentials",
    "PullRecord",
    "RecordEntry",
    "RecordedAccount",
    "RecordedSecret",
    "VerificationPolicy",
    "decide_cached_image",
    "entry_matches",
    "finds_records",
    "needs_untagged_image",
    "policy_problems",
    "record_key",
    "runtime_effect",
    "unmatchable_entries",
    "verifies",
]

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
