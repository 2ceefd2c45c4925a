# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods with generated pull secrets, right and wrong in every way, made on the lab; and what the lab's node then does with them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .lab import Lab

#: So many namespaces hold the pods, and so many requests make them at the same time.
NAMESPACES = 10
AT_ONCE = 8

#: Keys of an entry; those in braces are hosts of the lab's registries.
KEYS = (
    *("{private}",) * 6, *("{private}/team",) * 4, *("{delegated}",) * 3, "https://{private}", "https://{private}/v1/", "http://{private}",
    "{private}/", "{private}/te", "{private}/team/", "{private}/team/app", "{private}/team/app/", "{private}/team/app:v1", "{bare}",
    "{bare}:*", "127.0.0.*:{port}", "*.0.0.2:{port}", "*", "robot@{private}", "{delegated}/team", "{source}", "{source}/team",
    "{integrated}", "other.example.com", "docker.io",
)  # fmt: skip
IMAGES = (
    *("{private}/team/app:v1",) * 8, *("{delegated}/team/app:v1",) * 3, *("{integrated}/project-b/app:v1",) * 2, "{private}/team/app",
    "{private}/team/app:none", "{private}/other/app:v1",
    "{private}/team/app@{digest}", "{private}/team/app:v1@{digest}", "{private}/team/app@sha256:" + 64 * "0", "{delegated}/team/app:v1",
    "{integrated}/project-b/app:v1", "{integrated}/project-b/app:none", "{integrated}/nowhere/app:v1", "{private}/Team/app:v1",
    "{source}/team/app:v1", "{source}/team/app@{digest}", "{never}/team/app:v1", "{never}/team/app@{digest}",
)  # fmt: skip
LOGINS = (*("right",) * 6, "fields", "unpadded", "wrong", "no user", "no password", "nothing")
KINDS = (
    *("kubernetes.io/dockerconfigjson",) * 8, *("kubernetes.io/dockercfg",) * 2,
    "kubernetes.io/podmanconfigjson", "Opaque", "missing", "not base64", "no object",
)  # fmt: skip


@dataclass(frozen=True)
class SecretCase:
    """`kind` is the secret's type, or what is wrong with it. `entries` are keys with the form of their login."""

    kind: str
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PodCase:
    """`listed`: by the account, by the pod itself, or by the account after the pod was created."""

    secrets: tuple[SecretCase, ...]
    listed: str
    image: str
    is_init: bool
    may_pull_project_b: bool


_SECRETS = st.builds(
    SecretCase,
    st.sampled_from(KINDS),
    st.lists(
        st.tuples(st.sampled_from(KEYS), st.sampled_from(LOGINS)),
        min_size=1,
        max_size=3,
        unique_by=lambda entry: entry[0],
    ).map(tuple),
)
PODS = st.builds(
    PodCase,
    st.lists(_SECRETS, max_size=3).map(tuple),
    st.sampled_from(("account", "account", "pod", "late")),
    st.sampled_from(IMAGES),
    st.booleans(),
    st.booleans(),
)


def generated(count: int) -> list[PodCase]:
    """So many different cases, by hypothesis: the same ones in every run in CI, others elsewhere."""
    found: dict[PodCase, None] = {}

    @settings(
        max_examples=2 * count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(PODS)
    def collect(case: PodCase) -> None:
        found[case] = None

    collect()
    return list(found)[:count]


class Pods:
    """The cases, made on a lab: pod, account and secrets of case 7 are `p-7`, `a-7` and `s-7-0`, ..., in one of the namespaces."""

    def __init__(self, lab: Lab, cases: Sequence[PodCase], names: dict[str, str]) -> None:
        self.lab, self.cases, self.names = lab, cases, names
        self.namespaces = [f"generated-{number}" for number in range(NAMESPACES)]
        self._login = lab.registry("private")["accounts"][1]

    def place(self, number: int) -> tuple[str, str]:
        return self.namespaces[number % NAMESPACES], f"p-{number}"

    def make(self) -> None:
        for name in self.namespaces:
            self.lab.namespace(name, wait=False)
        self.lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": "project-b"}}, expect=(201, 409))
        self.lab.run("push", "--dir", str(self.lab.dir), "project-b/app:v1")
        numbers = range(len(self.cases))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for step in (self._account, self._provisioned, self._secrets_and_grant, self._early, self._link, self._pod):
                list(pool.map(step, numbers))

    def _account(self, number: int) -> None:
        namespace, _pod = self.place(number)
        self.lab.create(namespace, "serviceaccounts", {"metadata": {"name": f"a-{number}"}})

    def _provisioned(self, number: int) -> None:
        namespace, _pod = self.place(number)
        self.lab.until(
            lambda: self.lab.provisioned(namespace, f"a-{number}"), f"account a-{number} is provisioned", timeout=120
        )

    def _secrets_and_grant(self, number: int) -> None:
        namespace, _pod = self.place(number)
        for position, secret in enumerate(self.cases[number].secrets):
            if secret.kind != "missing":
                self.lab.create(namespace, "secrets", self._secret(f"s-{number}-{position}", secret))
        if self.cases[number].may_pull_project_b:
            subject = {"kind": "ServiceAccount", "name": f"a-{number}", "namespace": namespace}
            role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:image-puller"}
            body = {"metadata": {"name": f"generated-{number}"}, "roleRef": role, "subjects": [subject]}
            self.lab.create("project-b", "rolebindings", body)

    def _early(self, number: int) -> None:
        if self.cases[number].listed == "late":
            self._create_pod(number)

    def _link(self, number: int) -> None:
        case, (namespace, _pod) = self.cases[number], self.place(number)
        if case.listed != "pod" and case.secrets:
            self.lab.set_account(namespace, f"a-{number}", imagePullSecrets=self._names(number))

    def _pod(self, number: int) -> None:
        if self.cases[number].listed != "late":
            self._create_pod(number)

    def _create_pod(self, number: int) -> None:
        case, (namespace, name) = self.cases[number], self.place(number)
        harmless = {"name": "other", "image": "{private}/team/app:v1".format(**self.names), "imagePullPolicy": "Never"}
        judged = {"name": "judged", "image": case.image.format(**self.names), "imagePullPolicy": "Always"}
        spec: dict[str, Any] = {"serviceAccountName": f"a-{number}", "containers": [judged]}
        if case.is_init:
            spec.update(containers=[harmless], initContainers=[judged])
        if case.listed == "pod":
            spec["imagePullSecrets"] = [{"name": each} for each in self._names(number)]
        self.lab.create(namespace, "pods", {"metadata": {"name": name}, "spec": spec})

    def _names(self, number: int) -> list[str]:
        return [f"s-{number}-{position}" for position in range(len(self.cases[number].secrets))]

    def _secret(self, name: str, case: SecretCase) -> dict[str, Any]:
        auths = {key.format(**self.names): self._entry(form) for key, form in case.entries}
        kind, key, content = case.kind, ".dockerconfigjson", json.dumps({"auths": auths})
        if kind == "kubernetes.io/dockercfg":
            key, content = ".dockercfg", json.dumps(auths)
        elif kind == "not base64":
            kind, content = KINDS[0], json.dumps({"auths": {**auths, "broken.example.com": {"auth": "?"}}})
        elif kind == "no object":
            kind, content = KINDS[0], json.dumps({"auths": {**auths, "broken.example.com": []}})
        elif kind == "kubernetes.io/podmanconfigjson":
            key = "auth.json"
        return {"metadata": {"name": name}, "type": kind, "data": {key: base64.b64encode(content.encode()).decode()}}

    def _entry(self, form: str) -> dict[str, str]:
        user, password = self._login["username"], self._login["password"]
        if form == "fields":
            return {"username": user, "password": password}
        if form == "nothing":
            return {}
        user, password = {"wrong": (user, "wrong"), "no user": ("", password), "no password": (user, "")}.get(
            form, (user, password)
        )
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
        return {"auth": encoded.rstrip("=") if form == "unpadded" else encoded}
