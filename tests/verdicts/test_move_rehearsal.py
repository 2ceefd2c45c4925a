# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry is left: the list of images names exactly the wrong copies, and what-if exactly the pods that would fail.

After the copies are corrected and the names changed, the old registry is closed, and everything pulls with the code of a node. The workloads
have all kinds and owners: with 165 of them (`IMAGE_PULL_WORKLOADS`), each form meets each problem of a copy. What-if evaluates no builds.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import template_of
from support.lab import Lab
from support.modules import run_module
from support.owner_chains import CHAINS, workload_spec
from support.registry_settings import auth_file, pull_secret, registry_settings
from support.supposed_changes import made

COUNT = int(os.environ.get("IMAGE_PULL_WORKLOADS", "40"))
#: The namespaces of the workloads. The account of the last one has a login for the old registry only.
NAMESPACES = ("move-a", "move-b", "move-locked")
#: The folders of images at the old registry, with their folders at the new one. Policies want signatures of the second one there.
FOLDERS = {"old": "copies", "old/signed": "secured"}
NODE = {"architecture": "amd64", "kubeletVersion": "v1.34.2", "containerRuntimeVersion": "cri-o://1.34.1"}
_CORE, _OPERATORS = "api/v1", "apis/operators.coreos.com/v1alpha1"
DEPLOYMENT = CHAINS["Deployment"][0]
#: The path of the API and the kind of each form of a workload.
FORMS = {
    **{kind: chain[0] for kind, chain in CHAINS.items()},
    "Pod": (_CORE, "Pod"),
    "ReplicationController": (_CORE, "ReplicationController"),
    "init container": DEPLOYMENT,
    "image volume": CHAINS["StatefulSet"][0],
    "ImageStream": ("apis/image.openshift.io/v1", "ImageStream"),
    "BuildConfig": ("apis/build.openshift.io/v1", "BuildConfig"),
    "operator": (_OPERATORS, "ClusterServiceVersion"),
    "catalog": (_OPERATORS, "CatalogSource"),
}
#: The fields of the forms that have no container in a template, or more than one.
FIELDS = {
    "CronJob": ("spec.jobTemplate.spec.template.spec.containers[app].image",),
    "Pod": ("spec.containers[app].image",),
    "init container": ("spec.template.spec.containers[app].image", "spec.template.spec.initContainers[init].image"),
    "image volume": ("spec.template.spec.containers[app].image", "spec.template.spec.volumes[files].image.reference"),
    "ImageStream": ("spec.tags[v1].from.name", "spec.template.spec.containers[app].image"),
    "BuildConfig": ("spec.strategy.dockerStrategy.from.name",),
    "operator": ("spec.relatedImages[operand].image",),
    "catalog": ("spec.image",),
}
#: The forms whose images no pod names, so that what-if has no row for their move.
NO_PODS = ("BuildConfig", "operator")

BOTH = ("--architecture=amd64", "--architecture=arm64")


@dataclass(frozen=True)
class Problem:
    """A problem of a copy. `answer` and a part of the `reason` are those about the copy, and the reason is also that of what-if.

    `source` are the flags of `lab sign` for the image at the old registry after the copy, and `copy` those of the first copy. `runs`: a pod
    still runs, with another image. `pulls`: a node still pulls the image. `lists`: what-if lists the image to copy.
    """

    answer: str
    reason: str
    source: Sequence[str] = ()
    copy: Sequence[str] = ()
    runs: bool = False
    pulls: bool = False
    lists: bool = False


#: The problems, with those that no copy has at the end. `moved`: the tag of the source has moved since the copy. `rewritten`: an image by digest,
#: whose copy has another one. `lost`: the index is there, and not the image for the nodes. `machine`: the copy is one image for other nodes.
PROBLEMS = {
    "moved": Problem("other_digest", "different images for amd64", ("--label=newer",), runs=True, pulls=True),
    "architecture": Problem("architecture_missing", "no image for amd64", BOTH, BOTH[1:], lists=True),
    "other": Problem("other_digest", "different images for amd64", (), ("--label=rebuilt",), runs=True, pulls=True),
    "signature": Problem("unsigned", "has no signature"),
    "login": Problem("no_login", " login"),
    "missing": Problem("missing", "has no ", lists=True),
    "rewritten": Problem("missing", "has no ", (), ("--label=rewritten",), lists=True),
    "lost": Problem("architecture_missing", "although its index names one", BOTH, BOTH, lists=True),
    "machine": Problem("architecture_missing", " for a", (), ("--only=arm64",), pulls=True, lists=True),
    "signed": Problem("same", "", runs=True, pulls=True),
    "right": Problem("same", "", runs=True, pulls=True),
}
#: Problems that a form cannot have, so its copy is missing: the lab imports no index, a deployment has the digest of its image stream tag, and
#: the account of an operator's pods is not known.
IMPOSSIBLE = {
    "ImageStream": ("architecture", "lost", "moved", "other", "machine"),
    "operator": ("signature", "login", "signed"),
}

#: The metadata of each owner of the text, and the title of the owner.
OWNERS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "argocd": (
        {"annotations": {"argocd.argoproj.io/tracking-id": "shop:group/{kind}:{namespace}/{name}"}},
        "Argo CD application shop",
    ),
    "helm": (
        {
            "labels": {"helm.sh/chart": "redis-20.1.0"},
            "annotations": {"meta.helm.sh/release-name": "cache", "meta.helm.sh/release-namespace": "{namespace}"},
        },
        "Helm release {namespace}/cache, chart redis-20.1.0",
    ),
    "flux": (
        {"labels": {f"kustomize.toolkit.fluxcd.io/{part}": "apps" for part in ("name", "namespace")}},
        "Flux Kustomization apps/apps",
    ),
    "olm": (
        {"labels": {"olm.owner": "redis.v1", "olm.owner.kind": "ClusterServiceVersion"}},
        "operator of OLM redis.v1",
    ),
    "person": ({}, "written by tests"),
}


def path_of(api: str, kind: str, namespace: str) -> str:
    return f"/{api}/namespaces/{namespace}/{kind.lower()}s"


class Workload:
    """One generated workload. `old` and `new` are the hosts of registries."""

    def __init__(self, number: int, old: str, new: str) -> None:
        self.form = [*FORMS][number % len(FORMS)]
        problem = [*PROBLEMS][number % len(PROBLEMS)]
        self.problem = "missing" if problem in IMPOSSIBLE.get(self.form, ()) else problem
        self.is_signed = self.problem in ("signature", "signed")
        self.api, self.kind = FORMS[self.form]
        self.name = f"app-{number}"
        self.namespace = NAMESPACES[-1] if self.problem == "login" else NAMESPACES[number % 2]
        folder = "old/signed" if self.is_signed else "old"
        below = f"{'operators/' if self.form == 'operator' else ''}{self.problem}"
        self.source, self.copy = f"{folder}/{below}", f"{FOLDERS[folder]}/{below}"
        self.old, self.new = f"{old}/{self.source}:v1", f"{new}/{self.copy}:v1"
        meta, self.owner = OWNERS[[*OWNERS][number // 3 % len(OWNERS)]]
        self.meta = json.loads(self._fill(json.dumps(meta)))
        self.owner = self._fill(self.owner)
        if self.form == "operator":
            self.meta, self.owner = {}, f"operator of OLM {self.name}"

    @property
    def expected(self) -> Problem:
        return PROBLEMS[self.problem]

    def _fill(self, text: str) -> str:
        for part in ("kind", "namespace", "name"):
            text = text.replace(f"{{{part}}}", getattr(self, part))
        return text

    def pin(self, source: str, digest: str) -> None:
        """Name the image by its digest, if it is in this repository."""
        if self.source == source:
            self.old, self.new = (f"{name.rpartition(':')[0]}@{digest}" for name in (self.old, self.new))

    @property
    def path(self) -> str:
        return path_of(*FORMS[self.form], self.namespace)

    @property
    def rows(self) -> Mapping[str, tuple[str, str]]:
        """The kind of the object and the owner of the text, by field. A deployment has the image of an image stream."""
        fields = FIELDS.get(self.form, ("spec.template.spec.containers[app].image",))
        own, other = (self.kind, self.owner), ("Deployment", OWNERS["person"][1])
        return {each: other if self.form == "ImageStream" and "template" in each else own for each in fields}

    def body(self, image: str) -> dict[str, Any]:
        meta = {**self.meta, "name": self.name}
        return {
            "apiVersion": self.api.partition("/")[2],
            "kind": self.kind,
            "metadata": meta,
            "spec": self._spec(image),
        }

    def _spec(self, image: str) -> dict[str, Any]:
        origin = {"kind": "DockerImage", "name": image}
        if self.form == "ImageStream":
            return {"tags": [{"name": "v1", "from": origin}]}
        if self.form == "BuildConfig":
            return {"strategy": {"dockerStrategy": {"from": origin, "pullSecret": {"name": "pull"}}}}
        if self.form == "operator":
            return {"relatedImages": [{"name": "operand", "image": image}]}
        if self.form == "catalog":
            return {"image": image, "secrets": ["pull"]}
        return workload_spec(self.api, self.kind, self.pod_spec(image))

    def pod_spec(self, image: str) -> dict[str, Any]:
        """The spec of a pod with the image."""
        spec: dict[str, Any] = {"containers": [{"name": "app", "image": image, "imagePullPolicy": "Always"}]}
        if self.form == "init container":
            spec["initContainers"] = [{**spec["containers"][0], "name": "init"}]
        if self.form == "image volume":
            spec["volumes"] = [{"name": "files", "image": {"reference": image}}]
        return spec


class Move:
    """The move from a path of the private registry to one of the delegated registry."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.old, self.new = (lab.registry(name)["host"] for name in ("private", "delegated"))
        self.moves = {f"{self.old}/{old}": f"{self.new}/{new}" for old, new in FOLDERS.items()}
        self.workloads = [Workload(number, self.old, self.new) for number in range(COUNT)]
        #: A workload for each image.
        self.images = {each.source: each for each in self.workloads}

    def make(self) -> None:
        """Create the workloads, their images, and the first copies."""
        self.lab.api("POST", "/api/v1/nodes", {"metadata": {"name": "worker-1"}, "status": {"nodeInfo": NODE}})
        for namespace in NAMESPACES:
            self.lab.namespace(namespace)
            registries = ("private",) if namespace == NAMESPACES[-1] else ("private", "delegated")
            self.lab.create(namespace, "secrets", self.secret(*registries))
            self.lab.set_account(namespace, imagePullSecrets=["pull"])
        for each in self.images.values():
            parts = self.lab.sign(f"{each.source}:v1", *each.expected.source)
            if each.problem == "rewritten":
                for one in self.workloads:
                    one.pin(each.source, parts["image"])
            if each.problem != "missing":
                self.copy(each, *each.expected.copy, is_signed=each.problem == "signed")
                if each.problem == "lost":
                    self.lose(each.copy, parts["amd64"])
        for each in self.workloads:
            self.create(each, each.old)

    def create(self, each: Workload, image: str) -> None:
        self.lab.api("POST", each.path, each.body(image), expect=(201,))
        if each.form == "ImageStream":
            self.deploy(each, image)

    def deploy(self, each: Workload, image: str) -> None:
        """Import the image of an image stream, and create the deployment that gets it, as the controller of image triggers does."""
        wanted = {"from": {"kind": "DockerImage", "name": image}, "to": {"name": "v1"}}
        body = {"metadata": {"name": each.name}, "spec": {"import": True, "images": [wanted]}}
        version, kind = "image.openshift.io/v1", "ImageStreamImport"
        path = path_of(each.api, kind, each.namespace)
        self.lab.api("POST", path, {"apiVersion": version, "kind": kind, **body}, expect=(201,))
        (tag,) = self.lab.api("GET", f"{each.path}/{each.name}")["status"]["tags"]
        trigger = {
            "from": {"kind": "ImageStreamTag", "name": f"{each.name}:v1"},
            "fieldPath": "spec.template.spec.containers[0].image",
        }
        meta = {"name": each.name, "annotations": {"image.openshift.io/triggers": json.dumps([trigger])}}
        spec = workload_spec(*DEPLOYMENT, each.pod_spec(tag["items"][0]["dockerImageReference"]))
        self.lab.api("POST", path_of(*DEPLOYMENT, each.namespace), {"metadata": meta, "spec": spec}, expect=(201,))

    def login(self, registry: str) -> tuple[str, str]:
        account = self.lab.registry(registry)["accounts"][1]
        return account["username"], account["password"]

    def secret(self, *registries: str) -> dict[str, Any]:
        """The pull secret with the logins for these registries."""
        return pull_secret(
            "pull", auth_file({self.lab.registry(name)["host"]: self.login(name) for name in registries})
        )

    def copy(self, each: Workload, *flags: str, is_signed: bool) -> None:
        self.lab.sign(f"{each.copy}:v1", *flags, *(["--part=image"] * is_signed), registry="delegated")

    def lose(self, repository: str, digest: str) -> None:
        """Remove a manifest, as clean-ups of registries do that spare only tags."""
        place = f"registry/delegated/docker/registry/v2/repositories/{repository}/_manifests/revisions"
        (self.lab.dir / place / digest.replace(":", "/") / "link").unlink()

    def correct(self) -> None:
        for each in self.images.values():
            self.copy(each, *each.expected.source, is_signed=each.is_signed)
        secret = self.secret("private", "delegated")
        self.lab.api("PUT", f"/api/v1/namespaces/{NAMESPACES[-1]}/secrets/pull", secret)

    # --- answers

    @cached_property
    def how(self) -> dict[str, Any]:
        """The options of each question."""
        return {
            "kubeconfig": self.lab.kubeconfig,
            "namespaces": [*NAMESPACES],
            "ask_registries": True,
            "realm_hosts": self.lab.registry_hosts,
            "registry_ca_cert": self.lab.data["ca_cert"],
        }

    def list_images(self, **more: Any) -> list[dict[str, Any]]:
        result = run_module("pull_access_images", **{**self.how, **more})
        assert not result["failed"], result["msg"]
        assert not result["images_in_use"]["unreadable"]
        rows: list[dict[str, Any]] = result["images_in_use"]["images"]
        return rows

    def ask_what_if(self) -> dict[str, Any]:
        """The answer for new pods on new nodes after the move, with the old path closed."""
        changes = [{"moved": self.moves}, {"unreachable_registries": [f"{self.old}/old"]}, {"new_nodes": True}]
        result = run_module("pull_access_what_if", changes=changes, **self.how)
        assert not result["failed"], result["msg"]
        document: dict[str, Any] = result["what_if"]
        return document

    def failing_pods(self, prefix: str, specs: Mapping[str, Any]) -> set[str]:
        """The names of the workloads whose next pods a node does not pull."""
        places = [(each.namespace, f"{prefix}-{each.name}") for each in self.workloads]
        for each, (namespace, name) in zip(self.workloads, places, strict=True):
            self.lab.create(namespace, "pods", {"metadata": {"name": name}, "spec": specs[each.name]})
        done = self.lab.pull_all(places)
        for namespace, name in places:
            self.lab.api("DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}?gracePeriodSeconds=0")
        return {each.name for each, one in zip(self.workloads, done, strict=True) if not one["pulled"]}

    # --- the move

    def rename(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replace each object by one with the name that the list proposes."""
        names = {(row["name"], row["image"]): row["copy"]["image"] for row in rows}
        how = "gracePeriodSeconds=0&propagationPolicy=Background"
        for each in self.workloads:
            self.lab.api("DELETE", f"{each.path}/{each.name}?{how}")
            if each.form == "ImageStream":
                self.lab.api("DELETE", f"{path_of(*DEPLOYMENT, each.namespace)}/{each.name}?{how}")
            self.create(each, names[each.name, each.old])

    def next_spec(self, each: Workload) -> dict[str, Any]:
        """The spec of the next pod, by the object of the cluster."""
        path = path_of(*DEPLOYMENT, each.namespace) if each.form == "ImageStream" else each.path
        obj = self.lab.api("GET", f"{path}/{each.name}")
        if each.form in ("Pod", "catalog", *NO_PODS):
            assert each.old not in json.dumps(obj) and each.new in json.dumps(obj)
            return each.pod_spec(each.new)
        spec: dict[str, Any] = template_of(obj)["spec"]
        return spec


def reasons_in(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The reasons by answer and name."""
    found: dict[str, dict[str, str]] = {}
    for row in document["containers"]:
        found.setdefault(row["answer"], {})[row["name"]] = row["after"]["reason"]
    return found


def to_copy(document: Mapping[str, Any]) -> set[str]:
    """The repositories that have to be copied again, without their host."""
    images = [each["source"] for each in document["images_to_mirror"]["regsync"]["sync"]]
    return {image.partition("/")[2].partition("@")[0].partition(":")[0] for image in images}


@pytest.fixture(scope="module")
def move(lab_factory: Any) -> Move:
    found = Move(lab_factory())
    found.make()
    return found


@pytest.mark.slow
def test_wrong_copies_are_named_and_all_workloads_pull_after_the_move(move: Move) -> None:
    every = {each.name: each for each in move.workloads}
    operators = {name for name, each in every.items() if each.form == "operator"}
    have_pods = {name for name, each in every.items() if each.form not in NO_PODS}
    signed = {name for name, each in every.items() if each.is_signed}
    assert {each.problem for each in move.workloads} == {*PROBLEMS}
    policies = [(f"{move.new}/secured", "", move.lab.data["signing_key"])]
    folders = {f"{move.old}/old/operators": "private", f"{move.new}/copies/operators": "delegated"}
    nodes = {path: move.login(name) for path, name in folders.items()}
    with registry_settings(move.lab, policies=policies, node=nodes):
        rows = move.list_images(to=move.moves)
        wanted = {(each.name, field): found for each in move.workloads for field, found in each.rows.items()}
        assert {(row["name"], row["field"]): (row["kind"], row["owner"]["title"]) for row in rows} == wanted
        found = {(row["name"], row["field"]): row["copy"]["answer"] for row in rows}
        assert found == {(name, field): every[name].expected.answer for name, field in wanted}
        reasons = {
            row["copy"]["reason"] for row in rows if every[row["name"]].expected.reason not in row["copy"]["reason"]
        }
        assert reasons == set()
        document = move.ask_what_if()
        before = reasons_in(document)
        fails = {name for name in have_pods if not every[name].expected.runs}
        assert {*before["would_break"]} == fails | operators
        reasons = {
            before["would_break"][name]
            for name in fails
            if every[name].expected.reason not in before["would_break"][name]
        }
        assert reasons == set()
        assert to_copy(document) == {every[name].source for name in have_pods if every[name].expected.lists}
        failing = move.failing_pods("early", {name: each.pod_spec(each.new) for name, each in every.items()})
        assert failing == {name for name, each in every.items() if not each.expected.pulls}

        move.correct()
        rows = move.list_images(to=move.moves)
        assert Counter(row["copy"]["answer"] for row in rows) == {"same": len(wanted)}
        document = move.ask_what_if()
        assert to_copy(document) == set()
        # Nobody but a catalog changes the names of an operator. Which key made a signature cannot be seen from here.
        assert {answer: {*names} for answer, names in reasons_in(document).items()} == {
            "would_break": operators,
            "unknown": signed & have_pods,
            "still_pulls": have_pods - signed,
        }

        with made(move.lab, [{"unreachable_registries": [move.old]}]):
            assert move.failing_pods("old", {name: each.pod_spec(each.old) for name, each in every.items()}) == {*every}
            move.rename(rows)
            assert move.list_images(of=[move.old], ask_registries=False) == []
            assert move.failing_pods("late", {name: move.next_spec(each) for name, each in every.items()}) == set()
