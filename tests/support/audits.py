# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated audit documents: small ones, hostile ones, and one over a fleet."""

from __future__ import annotations

import hashlib
import random
from typing import Any

Json = dict[str, Any]

MADE = "2026-11-25T17:10:00Z"
RULES: Json = {
    "secret-type-dead": {"severity": "error", "title": "A pull secret has a type that no node reads",
                         "meaning": "The kubelet reads two types of secrets. One of another type is skipped without a word, and pulls fail.",
                         "fix": "Write the login again as kubernetes.io/dockerconfigjson. The type of a secret cannot be changed, so it is replaced."},
    "secret-unparsable": {
        "severity": "error",
        "title": "A pull secret cannot be read, and stops every pull of its pods",
        "meaning": "One entry that cannot be decoded makes the kubelet give up the whole list of pull secrets.",
        "fix": "Correct the entry, or write the secret again.",
    },
    "link-dangling": {"severity": "warning", "title": "A service account names a pull secret that does not exist",
                      "meaning": "Pods start without that login; the kubelet says so in an event only.",
                      "fix": "Create the secret, or take its name off the account."},
    "key-never-matches": {"severity": "warning", "title": "A key of a pull secret matches no image",
                          "meaning": "It holds a port, a tag or a scheme that no image name has, so its login is never tried.",
                          "fix": "Write the key as the images name the registry."},
    "grant-everybody": {"severity": "warning", "title": "Everybody may pull from a project",
                        "meaning": "The group system:authenticated holds every account of the cluster.",
                        "fix": "Name the projects that pull, and take the group out."},
    "secret-unused": {"severity": "info", "title": "A pull secret serves nothing",
                      "meaning": "No account and no pod names it. Its login can still leak.", "fix": "Delete it, or link it."},
    "pod-older-than-link": {"severity": "info", "title": "A pod is older than the link of its account",
                            "meaning": "A pod gets its list of pull secrets when it is made.", "fix": "Create the pod again."},
}  # fmt: skip
_MESSAGES = {
    "secret-type-dead": "secret {namespace}/{name} has type Opaque, which no node reads",
    "secret-unparsable": "secret {namespace}/{name} holds an auth that is not base64, under {location}",
    "link-dangling": "service account {namespace}/{name} names pull secret {location}, which does not exist",
    "key-never-matches": "key {location} of secret {namespace}/{name} can match no image: it holds a tag",
    "grant-everybody": "role binding {name} lets Group system:authenticated pull from project {namespace}",
    "secret-unused": "secret {namespace}/{name} is named by no service account and no pod",
    "pod-older-than-link": "pod {namespace}/{name} was made before its account was linked to {location}",
}
_KINDS = {"link-dangling": "ServiceAccount", "grant-everybody": "RoleBinding", "pod-older-than-link": "Pod"}


def finding(rule: str = "secret-type-dead", **more: Any) -> Json:
    made: Json = {
        "rule": rule,
        "severity": RULES[rule]["severity"] if rule in RULES else "error",
        "namespace": "project-a",
        "kind": _KINDS.get(rule, "Secret"),
        "name": "pull",
        "location": "",
        **more,
    }
    parts = "\0".join(str(made[name]) for name in ("rule", "namespace", "kind", "name", "location"))
    words = {name: made[name] for name in ("namespace", "name", "location")}
    return {
        "id": hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:16],
        "message": _MESSAGES.get(rule, "{namespace}/{name} is wrong").format(**words),
        "fix": fix(made["namespace"], made["name"]) if rule.startswith("secret-") else [],
        **made,
    }


def fix(namespace: str, name: str) -> list[Json]:
    login = {"registry": "quay.io/team", "username": "{{ registry_username }}", "password": "{{ registry_password }}"}
    options = {"namespaces": [namespace], "name": name, "registries": [login], "mode": "replace", "recreate": True}
    return [
        {
            "name": "Write a login into a pull secret",
            "openshift_ops.image_pull.pull_secret": options,
        }
    ]


def cluster(name: str = "production", **more: Any) -> Json:
    return {
        "name": name,
        "server": f"https://api.{name}.example.com:6443",
        "version": "OpenShift 4.20.1",
        "target_version": None,
        "counts": {"namespaces": 2, "pods": 5, "workloads": 3, "service_accounts": 6, "secrets": 4},
        "verdicts": {"pulls": 1, "untested": 3, "will_not_pull": 1, "unknown": 0},
        "findings": [],
        "unreadable": [],
        "matrix": {"registries": [], "accounts": []},
        "pullers": [],
        "logins": [],
        **more,
    }


def document(*clusters: Json, **more: Any) -> Json:
    return {
        "format": "openshift_ops.image_pull/audit/1",
        "made": MADE,
        "rules": RULES,
        "clusters": list(clusters or (cluster(),)),
        **more,
    }


def login(place: str, *, registry: str = "quay.io", user: str = "a", password: str = "b") -> Json:
    """A login in the secret `namespace/secret`. Its labels look like labels of an audit."""
    namespace, secret = place.split("/")
    labels = {"login": f"{registry} {user}", "password": password}
    made = {name: hashlib.sha256(f"{name} {label}".encode()).hexdigest()[:32] for name, label in labels.items()}
    return {"registry": registry, **made, "namespace": namespace, "secret": secret}


REGISTRIES = (
    "quay.io/team",
    "registry.example.com",
    "docker.io",
    "ghcr.io",
    "registry.redhat.io",
    "cloud.openshift.com",
)


def lived_in(name: str, *, namespaces: int = 12, seed: int = 1, findings: float = 2.0, registries: int = 9) -> Json:
    """A realistic cluster, always the same for the same arguments. `findings` and cells are means for each namespace."""
    chance = random.Random(f"{name} {seed}")
    projects = [
        f"{chance.choice(('shop', 'billing', 'search', 'mail', 'team'))}-{number}" for number in range(namespaces)
    ]
    keys = [*REGISTRIES, *(f"registry-{number}.apps.{name}.example.com:5000" for number in range(registries))][
        :registries
    ]
    rules, weights = list(RULES), [2, 1, 5, 3, 1, 9, 6]
    found = [
        finding(
            chance.choices(rules, weights)[0],
            namespace=chance.choice(projects),
            name=f"{chance.choice(('pull', 'registry', 'default', 'builder', 'web', 'api'))}-{number}",
            location=chance.choice(("quay.io/team:v1", "web", "registry-login")),
        )
        for number in range(int(namespaces * findings))
    ]
    accounts = [
        {
            "namespace": project,
            "name": account,
            "registries": sorted(chance.sample(range(len(keys)), chance.randint(0, 3))),
        }
        for project in projects
        for account in ("default", "builder")
    ]
    pullers = [_puller(projects, chance) for _number in range(namespaces)]
    logins = [
        login(f"{chance.choice(projects)}/pull-{number}", password=chance.choice("bbbbbbc"))
        for number in range(namespaces // 2)
    ]
    return cluster(
        name,
        target_version="4.21",
        counts={
            "namespaces": namespaces,
            "pods": namespaces * 5,
            "workloads": namespaces * 3,
            "service_accounts": namespaces * 3,
            "secrets": namespaces * 3,
        },
        verdicts={
            "pulls": namespaces,
            "untested": namespaces * 4,
            "will_not_pull": namespaces // 3,
            "unknown": namespaces // 2,
        },
        findings=list({one["id"]: one for one in found}.values()),
        unreadable=["secrets could not be listed: forbidden"] if chance.random() < 0.4 else [],
        matrix={"registries": keys, "accounts": accounts},
        pullers=pullers,
        logins=logins,
    )


def _puller(projects: list[str], chance: random.Random) -> Json:
    project, namespace = chance.choice(projects[: max(2, len(projects) // 3)]), chance.choice(projects)
    kind = chance.random()
    if kind < 0.03:
        return {"project": "", "subject": "Group system:authenticated", "namespace": "", "binding": "everybody"}
    subject = f"Group system:serviceaccounts:{namespace}" if kind < 0.4 else f"ServiceAccount {namespace}/default"
    return {"project": project, "subject": subject, "namespace": namespace, "binding": "system:image-puller"}


def fleet(clusters: int = 100, namespaces: int = 1000, findings: float = 1.0) -> Json:
    """One document over many clusters."""
    names = [f"cluster-{number:03}" for number in range(clusters)]
    return document(*(lived_in(name, namespaces=namespaces, findings=findings, registries=30) for name in names))
