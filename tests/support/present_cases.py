# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated cases of an image that a node has: policy, allow-list, the kubelet's record, and the credentials of a pod.

A case is JSON, and small: `crowd` is a number of further secrets of an entry. The same case becomes a question to the kubelet's code
and the arguments of our decision.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    NO_RECORD,
    POLICIES,
    CacheDecision,
    PodCredentials,
    PullRecord,
    RecordedAccount,
    RecordedSecret,
    RecordEntry,
    VerificationPolicy,
    decide_cached_image,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import NodeVersions, Version

Case = dict[str, Any]

DIGEST = "@sha256:" + "0123456789abcdef" * 4
NAMES = (
    "nginx",
    "docker.io/nginx",
    "docker.io/library/nginx",
    "index.docker.io/library/nginx",
    "team/app",
    "quay.io/team/app",
    "quay.io/team/app2",
    "quay.io:443/team/app",
    "localhost/app",
    "localhost:5000/team/app",
    "Quay.example.com/team/app",
)
SUFFIXES = ("", ":v1", ":latest", DIGEST, f":v1{DIGEST}")
#: Texts that the pull manager cannot parse. A kubelet refuses them before it asks.
INVALID = ("quay.io/Team/app", "https://quay.io/app", "quay.io//app:v1")
ENTRIES = (
    *NAMES,
    "quay.io/team/*",
    "quay.io/*",
    "quay.io/te/*",
    "docker.io/library/*",
    "localhost:5000/*",
    "team/*",
    "https://quay.io/*",
    "quay.io/Team/*",
    "quay.io//*",
)
REFUSED_ENTRIES = (
    "*", "/*", "", "quay.io*", "quay.io/*/app", "quay.io/a*/*", " quay.io/*", "quay.io/app ", "quay.io/team/app:v1", f"nginx{DIGEST}",
    "quay.io/A",
)  # fmt: skip
_BROKEN = ("", "{", "[]", '{"kind": "ImagePulledRecord", "apiVersion": "v1"}', '{"kind": "KubeletConfiguration"}')


def generate_cases(seed: int, number: int) -> Iterator[Case]:
    source = random.Random(seed)
    for _number in range(number):
        yield _case(source)


def _case(source: random.Random) -> Case:
    name = source.choice(NAMES)
    image = source.choice(INVALID) if source.random() < 0.04 else name + source.choice(SUFFIXES)
    policy = source.choice(("", *POLICIES, *POLICIES[1:]))
    case: Case = {"policy": policy, "image": image, "allow_list": []}
    if policy == "NeverVerifyAllowlistedImages":
        case["allow_list"] = source.sample(ENTRIES, source.randrange(4))
        if source.random() < 0.1:
            case["allow_list"].append(source.choice(REFUSED_ENTRIES))
    case["secrets"] = [_secret(source) for _number in range(source.choice((0, 1, 1, 2)))]
    case["account"] = _account(source) if source.random() < 0.5 else None
    case["intent"] = source.random() < 0.1
    kind = source.random()
    if kind < 0.05:
        case["broken"] = source.choice(_BROKEN)
    elif kind < 0.8:
        keys = (
            {name, *source.sample(NAMES, source.randrange(3))} if source.random() < 0.85 else {*source.sample(NAMES, 2)}
        )
        case["entries"] = {key: _entry(source, case["account"]) for key in sorted(keys)}
    return case


def _entry(source: random.Random, account: list[str] | None) -> dict[str, Any]:
    """Return an entry, with the pod's account more often than by chance."""
    kind = source.random()
    if kind < 0.12:
        return {"open": True}
    if kind < 0.2:
        return {}
    return {
        "secrets": [_secret(source) for _number in range(source.choice((0, 1, 2, 3)))],
        "accounts": [
            account if account and source.random() < 0.2 else _account(source)
            for _number in range(source.choice((0, 0, 1, 2)))
        ],
        "crowd": source.choice((0, 0, 0, 97, 98, 99, 100, 150)),
    }


def _secret(source: random.Random) -> list[str]:
    return [source.choice("uv"), source.choice("ab"), source.choice("pq"), source.choice(("", "h1", "h2", "h3", "h4"))]


def _account(source: random.Random) -> list[str]:
    return [source.choice("stu"), source.choice("ab"), source.choice(("default", "builder"))]


def question_of(case: Case) -> dict[str, Any]:
    """Return the question of `lab oracle`, with the record as the kubelet's file has it."""
    present = {name: case[name] for name in ("policy", "allow_list", "intent")}
    present["secrets"] = [_secret_object(each) for each in case["secrets"]]
    present["account"] = case["account"] and dict(zip(("uid", "namespace", "name"), case["account"], strict=True))
    if "broken" in case:
        present["record"] = case["broken"]
    elif "entries" in case:
        present["record"] = json.dumps(
            {
                "kind": "ImagePulledRecord",
                "apiVersion": "kubelet.config.k8s.io/v1beta1",
                "lastUpdatedTime": "2026-11-01T00:00:00Z",
                "imageRef": "sha256:image",
                "credentialMapping": {key: _entry_object(entry) for key, entry in case["entries"].items()},
            }
        )
    return {"image": case["image"], "present": present}


def _entry_object(entry: dict[str, Any]) -> dict[str, Any]:
    if entry.get("open"):
        return {"nodePodsAccessible": True}
    return {
        "kubernetesSecrets": [_secret_object(each) for each in _secrets_of(entry)],
        "kubernetesServiceAccounts": [
            dict(zip(("uid", "namespace", "name"), each, strict=True)) for each in entry.get("accounts", ())
        ],
    }


def _secret_object(secret: list[str]) -> dict[str, str]:
    return dict(zip(("uid", "namespace", "name", "credentialHash"), secret, strict=True))


def _secrets_of(entry: dict[str, Any]) -> list[list[str]]:
    """The secrets of an entry, each object once, and the crowd, which equals no secret of a pod."""
    own = {tuple(each[:3]): each for each in entry.get("secrets", ())}
    crowd = [[f"w{number}", "crowd", "pull", f"x{number}"] for number in range(entry.get("crowd", 0))]
    return [*crowd, *own.values()]


def decision_of(case: Case, kubelet: Version) -> CacheDecision:
    """Return our decision, on a node whose runtime finds its records."""
    pod = PodCredentials(
        [RecordedSecret(*each) for each in case["secrets"]],
        RecordedAccount(*case["account"]) if case["account"] else None,
    )
    node = NodeVersions("n", kubelet, "containerd", (2, 1, 4))
    return decide_cached_image(case["image"], node, policy_of(case), pod, _record_of(case))


def policy_of(case: Case) -> VerificationPolicy:
    return VerificationPolicy(case["policy"], case["allow_list"])


def _record_of(case: Case) -> PullRecord:
    if "broken" in case:
        return PullRecord(is_readable=False)
    if "entries" not in case:
        return PullRecord(exists=False, has_intent=True) if case["intent"] else NO_RECORD
    entries = {
        key: RecordEntry(
            [RecordedSecret(*each) for each in _secrets_of(entry)],
            [RecordedAccount(*each) for each in entry.get("accounts", ())],
            node_accessible=bool(entry.get("open")),
        )
        for key, entry in case["entries"].items()
    }
    return PullRecord(entries, has_intent=case["intent"])
