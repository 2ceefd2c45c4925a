# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates pods with generated pull secrets, correct and wrong ones, on the lab, and returns the results of the lab's node."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.objects import account_subject, b64, role_binding

from .generated_nodes import CERTAIN_NODES, NODES, NodeCase, show_nodes
from .lab import Lab, path_of

#: Number of namespaces for the pods, and number of requests that create them at the same time.
NAMESPACES = 10
AT_ONCE = 8

#: Minimum number of generated nodes, and number of pods for each of them. The lab's node is a process for each of its memories.
MINIMUM_NODES, PODS_OF_A_NODE = 4, 30

#: The name of the image volume of a pod.
VOLUME = "files"

#: Keys of an entry. Names in braces are hosts of the lab's registries.
KEYS = (
    *("{private}",) * 10, *("{private}/team",) * 6, *("{delegated}",) * 3, "https://{private}", "https://{private}/v1/", "http://{private}",
    "{private}/", "{private}/te", "{private}/team/", "{private}/team/app", "{private}/team/app/", "{private}/team/app:v1", "{bare}",
    "{bare}:*", "127.0.0.*:{port}", "*.0.0.2:{port}", "*", "robot@{private}", "{delegated}/team", "{source}", "{source}/team",
    "{integrated}", "other.example.com", *("docker.io",) * 3,
)  # fmt: skip
#: An image that its registry does not have, and hides without a login.
ABSENT = "{private}/team/app:none"
IMAGES = (
    *("{private}/team/app:v1",) * 12, *("{delegated}/team/app:v1",) * 3, *("{integrated}/project-b/app:v1",) * 2, "{private}/team/app",
    ABSENT, "{private}/other/app:v1",
    "{private}/team/app@{digest}", "{private}/team/app:v1@{digest}", "{private}/team/app@sha256:" + 64 * "0", "{delegated}/team/app:v1",
    "{integrated}/project-b/app:v1", "{integrated}/project-b/app:none", "{integrated}/nowhere/app:v1", "{private}/Team/app:v1",
    *("{wild}/team/app:v1",) * 2, "{wild}/other/app:v1", *("team/app:v1",) * 3, "other/app:v1",
    *("{source}/team/app:v1",) * 3, "{source}/team/app@{digest}", "{never}/team/app:v1", *("{never}/team/app@{digest}",) * 4,
)  # fmt: skip
#: Images that `lab sign` pushes, with its flags, for the folders that policies are for. Nodes of amd64 read only some of the signatures.
BOTH = ("--architecture=amd64", "--architecture=arm64")
SIGNED: Mapping[str, Sequence[str]] = {
    "right": ["--part=image"],
    "none": [],
    "other-key": ["--part=image", "--other-key"],
    "of-source": ["--part=image", "--identity={source}/signed/of-source:v1"],
    "bundle": ["--bundle=image"],
    "platform": [*BOTH, "--part=amd64"],
    "other-platform": [*BOTH, "--part=arm64"],
    "index": [*BOTH, "--part=index"],
}
READABLE = ("right", "other-key", "of-source", "platform")
SIGNED_IMAGES = tuple(
    f"{{{host}}}/{folder}/{name}:v1"
    for host, folder in (("private", "signed"), ("private", "signed"), ("private", "own"), ("source", "signed"))
    for name in ("right", "right", "platform", *SIGNED)
)
LOGINS = (*("right",) * 6, "fields", "unpadded", "wrong", "no user", "no password", "nothing")
KINDS = (
    *("kubernetes.io/dockerconfigjson",) * 8, *("kubernetes.io/dockercfg",) * 2,
    "kubernetes.io/podmanconfigjson", "Opaque", "missing", "not base64", "no object",
)  # fmt: skip
PULL_POLICIES = (*("IfNotPresent",) * 6, *("Always",) * 3, "Never")


@dataclass(frozen=True)
class SecretCase:
    """`kind` is the secret's type or its defect. `entries` are keys with the form of their login."""

    kind: str
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PodCase:
    """`listed`: the object that lists the secrets: the account, the pod itself, or the account after the pod was created.

    `volume` is the image of an image volume, empty if there is none. `is_mounted`: whether the judged container mounts it. `pull_policy`
    is that of the judged container and of the volume. `node`: the node that the pod is bound to.
    """

    secrets: tuple[SecretCase, ...]
    listed: str
    image: str
    is_init: bool
    may_pull_project_b: bool
    volume: str
    is_mounted: bool
    pull_policy: str
    node: NodeCase


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
_EVERY_IMAGE = (*IMAGES, *IMAGES, *SIGNED_IMAGES)
PODS = st.builds(
    PodCase,
    st.lists(_SECRETS, max_size=3).map(tuple),
    st.sampled_from(("account", "account", "pod", "late")),
    st.sampled_from(_EVERY_IMAGE),
    st.booleans(),
    st.booleans(),
    st.sampled_from((*("",) * len(_EVERY_IMAGE), *_EVERY_IMAGE)),
    st.sampled_from((True, True, False)),
    st.sampled_from(PULL_POLICIES),
    NODES,
)


def _certain(image: str, *entries: tuple[str, str], volume: str = "") -> PodCase:
    secrets = (SecretCase(KINDS[0], entries),) if entries else ()
    return PodCase(secrets, "pod", image, False, False, volume, True, "Always", CERTAIN_NODES[0])


#: Rare combinations that decide: a login without a user, or without a password, for an image of a search registry, and images of one pod that
#: have the same name there, images with and without a required signature, and an image that does not exist, without a secret.
CERTAIN = (
    *(_certain("team/app:v1", ("docker.io", form)) for form in ("no user", "no password", "nothing")),
    *(_certain(f"{{private}}/{path}", volume=path) for path in ("team/app:v1", "other/app:v1")),
    _certain("{private}/team/app:v1", ("{private}", "right"), volume="team/app:v1"),
    _certain("team/app:v1", ("docker.io", "right"), volume="{private}/team/app:v1"),
    *(_certain(f"{{private}}/signed/{name}:v1", ("{private}", "right")) for name in ("right", "none")),
    *(_certain(ABSENT) for _namespace in range(4)),
)


def generated(count: int) -> list[PodCase]:
    """A number of different cases, generated by hypothesis, and the certain ones: the same in every run in CI, others elsewhere."""
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
    cases = [*list(found)[:count], *CERTAIN]
    others = (case.node for case in cases if case.node not in CERTAIN_NODES)
    nodes = [*CERTAIN_NODES, *dict.fromkeys(others)][: len(CERTAIN_NODES) + max(MINIMUM_NODES, count // PODS_OF_A_NODE)]
    return [replace(case, node=nodes[number % len(nodes)]) for number, case in enumerate(cases)]


class Pods:
    """The cases on a lab. Account and secrets of case 27 are `a-27` and `s-27-0`, ... Its pod is `p-2`, as one pod in each namespace."""

    def __init__(self, lab: Lab, cases: Sequence[PodCase], names: dict[str, str]) -> None:
        self.lab, self.cases, self.names = lab, cases, names
        self.namespaces = [f"generated-{number}" for number in range(NAMESPACES)]
        self._logins = {name: lab.registry(name)["accounts"][1] for name in ("private", "delegated")}
        self._nodes: dict[NodeCase, str] = {}

    def place(self, number: int) -> tuple[str, str]:
        return self.namespaces[number % NAMESPACES], f"p-{number // NAMESPACES}"

    def make(self) -> None:
        self._nodes = show_nodes(self.lab, [case.node for case in self.cases], self.names)
        for name in self.namespaces:
            self.lab.namespace(name, wait=False)
        self.lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": "project-b"}}, expect=(201, 409))
        self.lab.run("push", "--dir", str(self.lab.dir), "project-b/app:v1")
        for folder in ("signed", "own"):
            for name, flags in SIGNED.items():
                self.lab.sign(f"{folder}/{name}:v1", *(flag.format(**self.names) for flag in flags))
        numbers = range(len(self.cases))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for step in (self._account, self._provisioned, self._secrets_and_grant, self._early, self._link, self._pod):
                list(pool.map(step, numbers))

    def list_images(self, images: Iterable[str]) -> None:
        """Have the status of each node list these images."""
        listed = [{"names": [image], "sizeBytes": 1} for image in images]
        for name in self._nodes.values():
            self.lab.api("PATCH", f"/api/v1/nodes/{name}/status", {"status": {"images": listed}})

    def create_again(self, number: int) -> None:
        """Create the pod of a case again, with the present state of everything else."""
        namespace, name = self.place(number)
        self.lab.api("DELETE", f"{path_of(namespace, 'pods', name)}?gracePeriodSeconds=0")
        self._create_pod(number)

    def login_for(self, tasks: str) -> dict[str, str]:
        """Return a login that the registry in the text of some tasks accepts."""
        if self.names["integrated"] in tasks:
            path = path_of("project-b", "serviceaccounts", "default/token")
            token = self.lab.api("POST", path, {"spec": {"expirationSeconds": 3600}})["status"]["token"]
            return {"username": "unused", "password": token}
        return self._logins["delegated" if self.names["delegated"] in tasks else "private"]

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
            body = role_binding(f"generated-{number}", account_subject(namespace, f"a-{number}"))
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
        judged: dict[str, Any] = {
            "name": "judged",
            "image": case.image.format(**self.names),
            "imagePullPolicy": case.pull_policy,
        }
        account, node = f"a-{number}", self._nodes[case.node]
        spec: dict[str, Any] = {"serviceAccountName": account, "nodeName": node, "containers": [judged]}
        if case.volume:
            volume = {"reference": case.volume.format(**self.names), "pullPolicy": case.pull_policy}
            spec["volumes"] = [{"name": VOLUME, "image": volume}]
        if case.volume and case.is_mounted:
            judged["volumeMounts"] = [{"name": VOLUME, "mountPath": "/files"}]
        if case.is_init:
            spec.update(containers=[harmless], initContainers=[judged])
        if case.listed == "pod":
            spec["imagePullSecrets"] = [{"name": each} for each in self._names(number)]
        self.lab.create(namespace, "pods", {"metadata": {"name": name}, "spec": spec})

    def _names(self, number: int) -> list[str]:
        return [f"s-{number}-{position}" for position in range(len(self.cases[number].secrets))]

    def _secret(self, name: str, case: SecretCase) -> dict[str, Any]:
        auths = {key.format(**self.names): self._entry(key, form, name) for key, form in case.entries}
        kind, key, content = case.kind, ".dockerconfigjson", json.dumps({"auths": auths})
        if kind == "kubernetes.io/dockercfg":
            key, content = ".dockercfg", json.dumps(auths)
        elif kind == "not base64":
            kind, content = KINDS[0], json.dumps({"auths": {**auths, "broken.example.com": {"auth": "?"}}})
        elif kind == "no object":
            kind, content = KINDS[0], json.dumps({"auths": {**auths, "broken.example.com": []}})
        elif kind == "kubernetes.io/podmanconfigjson":
            key = "auth.json"
        return {"metadata": {"name": name}, "type": kind, "data": {key: b64(content)}}

    def _entry(self, key: str, form: str, secret: str) -> dict[str, str]:
        """The login. Its e-mail address makes the kubelet's hash of it unique, so that no pod matches the record of another pod."""
        login = self._logins["delegated" if "{delegated}" in key else "private"]
        user, password = login["username"], login["password"]
        email = f"{secret}@example.com"
        if form == "fields":
            return {"username": user, "password": password, "email": email}
        if form == "nothing":
            return {"email": email}
        user, password = {"wrong": (user, "wrong"), "no user": ("", password), "no password": (user, "")}.get(
            form, (user, password)
        )
        encoded = b64(f"{user}:{password}")
        return {"auth": encoded.rstrip("=") if form == "unpadded" else encoded, "email": email}
