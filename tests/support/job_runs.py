# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs each job of `rbac/rights.py` on the lab, so that it uses every right that it may need."""

from __future__ import annotations

import asyncio
import importlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from support.background import repeat
from support.hypershift import host_a_cluster
from support.lab import Lab, path_of
from support.lab_nodes import LabNode, add_nodes, define_kind
from support.logins import token_kubeconfig
from support.modules import run_module
from support.objects import account_subject, b64, role_binding
from support.openshift import CLUSTER_VERSION
from support.provider import PROVIDERS
from support.proxy import Exchange, Proxy
from support.supposed_changes import mirror_set

__all__ = ["RUNS", "Stage"]

Result = dict[str, Any]
LOGIN = {"registry": "quay.io", "username": "user", "password": "Canary-rights-5"}
#: More objects than the modules read one by one.
MANY = [f"many-{number}" for number in range(40)]
OWNER = "team-rights"
GRANTS = ("image-puller-grant", f"image-puller-grant-{OWNER}")
CLOUD = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1"
#: The API and the resource of each kind.
WORKLOADS: Mapping[str, tuple[str, str]] = {
    "Deployment": ("apps/v1", "deployments"),
    "StatefulSet": ("apps/v1", "statefulsets"),
    "DaemonSet": ("apps/v1", "daemonsets"),
    "ReplicaSet": ("apps/v1", "replicasets"),
    "Job": ("batch/v1", "jobs"),
    "CronJob": ("batch/v1", "cronjobs"),
    "DeploymentConfig": ("apps.openshift.io/v1", "deploymentconfigs"),
    "ReplicationController": ("v1", "replicationcontrollers"),
}
#: Modules that work on all namespaces by default.
OF_THE_CLUSTER = ("credential_rotation", "pull_access_audit", "pull_access_images", "pull_access_what_if")
#: An image with a mirror.
MIRRORED = "mirrored.example.com/team/app@sha256:" + 64 * "0"
MIRRORS = "/apis/config.openshift.io/v1/imagedigestmirrorsets"
IMAGES = "/apis/config.openshift.io/v1/images/cluster"
IMAGE_API = "/apis/image.openshift.io/v1"


@dataclass
class Stage:
    """The namespaces of a job. It runs as `user`, or as the cluster's administrator without a user.

    `everywhere`: the job runs on the whole cluster, without the names of the namespaces.
    """

    lab: Lab
    call: Callable[..., Result]
    names: list[str]
    user: str = ""
    everywhere: bool = False

    def run(self, module: str, /, **options: Any) -> Result:
        targets = {} if "namespaces" in options else self._targets(module)
        given = {**targets, "impersonate_user": self.user or None, **options}
        return self.call(module, **{name: value for name, value in given.items() if value is not None})

    def _targets(self, module: str) -> dict[str, Any]:
        if not self.everywhere:
            return {"namespaces": self.names}
        if module in OF_THE_CLUSTER:
            return {}
        return {"namespace_selector": {"include": [f"{self.names[0].partition('-')[0]}-*"]}}

    def as_admin(self, module: str, /, **options: Any) -> None:
        found = self.call(module, **{"namespaces": self.names, **options})
        assert not found["failed"], found["msg"]

    def remove(self, resource: str, *names: str) -> None:
        for namespace in self.names:
            for name in names:
                path = f"{path_of(namespace, resource, name)}?gracePeriodSeconds=0"
                self.lab.api("DELETE", path, expect=(200, 202, 404))

    def secret(self, name: str, login: Mapping[str, str] | None = None, host: str = "quay.io", **more: Any) -> None:
        user = login or LOGIN
        auth = b64(f"{user['username']}:{user['password']}")
        content = b64(json.dumps({"auths": {host: {"auth": auth}}}))
        body = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": content}, **more}
        for namespace in self.names:
            self.lab.create(namespace, "secrets", {"metadata": {"name": name}, **body})

    @property
    def image(self) -> str:
        return str(self.lab.registry("private")["image"])

    @property
    def host(self) -> str:
        return str(self.lab.registry("private")["host"])

    def login(self, number: int) -> dict[str, str]:
        return self.lab.login(number)

    def pod(self, name: str, image: str = "", node: str = "", **more: Any) -> None:
        for namespace in self.names:
            where = {"nodeName": node} if node else {}
            spec = {"containers": [{"name": "app", "image": image or self.image}], **where}
            self.lab.create(namespace, "pods", {"metadata": {"name": name, **more}, "spec": spec})

    def workloads(self, name: str) -> None:
        """Create a workload of each kind. No controller makes pods for them."""
        for kind, (version, resource) in WORKLOADS.items():
            template: dict[str, Any] = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}
            template["spec"]["containers"] = [{"name": "app", "image": self.image}]
            spec: dict[str, Any] = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
            if version == "batch/v1":
                template["spec"]["restartPolicy"] = "Never"
                spec = {"template": template}
            if kind == "CronJob":
                spec = {"schedule": "@yearly", "jobTemplate": {"spec": spec}}
            if kind == "StatefulSet":
                spec["serviceName"] = "app"
            if kind == "ReplicationController":
                spec["selector"] = {"a": "b"}
            body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
            for namespace in self.names:
                path = f"{'/apis' if '/' in version else '/api'}/{version}/namespaces/{namespace}/{resource}"
                self.lab.api("POST", path, body, expect=(201, 409))

    def waits(self, name: str) -> None:
        """Set the status of a pod whose node cannot pull its image."""
        state = {"waiting": {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{self.image}"'}}
        for namespace in self.names:
            image = self.lab.get(namespace, "pods", name)["spec"]["containers"][0]["image"]  # type: ignore[index]
            status = {"name": "app", "image": image, "imageID": "", "ready": False, "restartCount": 0, "state": state}
            body = {"status": {"phase": "Pending", "containerStatuses": [status]}}
            self.lab.api("PATCH", f"{path_of(namespace, 'pods', name)}/status", body)


def secrets(stage: Stage) -> Iterator[Result]:
    stage.remove("secrets", "pull")
    yield stage.run("pull_secret", name="pull", registries=[LOGIN])
    yield stage.run("pull_secret", name="pull", registries=[{**LOGIN, "username": "other"}])
    yield stage.run("pull_secret", name="pull", state="absent")
    yield stage.run("pull_secret", name="planned", registries=[LOGIN], check=True)
    yield stage.run("pull_secret", secrets=[{"name": name, "registries": [LOGIN]} for name in MANY], check=True)


def links(stage: Stage) -> Iterator[Result]:
    stage.remove("secrets", "pull")
    stage.secret("pull")
    for namespace in stage.names:
        stage.lab.set_account(namespace, imagePullSecrets=[])
    yield stage.run("sa_link", secrets=["pull"])
    yield stage.run("sa_link", secrets=["pull"], service_accounts=["*"])
    yield stage.run("sa_link", secrets=["pull"], state="absent")
    if stage.lab.get(stage.names[0], "secrets", MANY[0]) is None:
        for name in MANY:
            stage.secret(name)
    yield stage.run("sa_link", secrets=MANY, require="existing", check=True)


def create_accounts(stage: Stage) -> Iterator[Result]:
    stage.remove("secrets", "pull")
    stage.remove("serviceaccounts", "robot")
    stage.secret("pull")
    yield stage.run("sa_link", secrets=["pull"], service_accounts=["robot"], create=True)


def restart_pods(stage: Stage) -> Iterator[Result]:
    stage.remove("secrets", "pull")
    stage.remove("pods", "stuck")
    stage.secret("pull")
    for namespace in stage.names:
        stage.lab.set_account(namespace, imagePullSecrets=[])
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "app", "uid": "1", "controller": True}
    stage.pod("stuck", ownerReferences=[owner])
    stage.waits("stuck")
    yield stage.run("sa_link", secrets=["pull"], restart_pods="stuck")


def grants(stage: Stage) -> Iterator[Result]:
    stage.remove("rolebindings", *GRANTS)
    away = f"{stage.names[0]}"
    subjects = {"service_accounts": [{"namespace": away}], "projects": [away]}
    yield stage.run("image_puller_grant", **subjects)
    yield stage.run("image_puller_grant", projects=[away], state="absent")
    yield stage.run("image_puller_grant", service_accounts=[{"namespace": away}], state="absent")


def verify_access(stage: Stage) -> Iterator[Result]:
    stage.remove("rolebindings", *GRANTS)
    yield stage.run("image_puller_grant", projects=[stage.names[0]], verify_access=True)


def wait(stage: Stage) -> Iterator[Result]:
    yield stage.run("sa_wait", timeout=10)
    yield stage.run("sa_wait", service_accounts=["defualt"], timeout=0)
    # An account that never gets a pull secret. Its name is new, because the secret of a former account would still exist.
    name = f"robot-{uuid4().hex[:8]}"
    with _unprovisioned(stage):
        for namespace in stage.names:
            stage.lab.create(namespace, "serviceaccounts", {"metadata": {"name": name}})
        yield stage.run("sa_wait", service_accounts=[name], timeout=0)


@contextmanager
def _unprovisioned(stage: Stage) -> Iterator[None]:
    """New accounts are not provisioned until the end of the block."""
    lab = stage.lab
    lab.run("set", "--dir", str(lab.dir), "--provision-delay", "60s")
    try:
        yield
    finally:
        lab.run("set", "--dir", str(lab.dir), "--provision-delay", "0s")


def namespace_selector(stage: Stage) -> Iterator[Result]:
    selector = {"include": [stage.names[0]]}
    yield stage.run(
        "pull_secret", namespaces=None, namespace_selector=selector, name="s", registries=[LOGIN], check=True
    )


def prune(stage: Stage) -> Iterator[Result]:
    stage.remove("secrets", "kept", "gone")
    stage.remove("rolebindings", *GRANTS)
    for namespace in stage.names:
        stage.lab.set_account(namespace, imagePullSecrets=[])
    stage.as_admin(
        "pull_secret", owner=OWNER, secrets=[{"name": name, "registries": [LOGIN]} for name in ("kept", "gone")]
    )
    stage.as_admin("sa_link", secrets=["gone"])
    stage.as_admin("image_puller_grant", owner=OWNER, projects=[stage.names[0]], users=["alice"])
    kept = [{"namespaces": stage.names, "name": "kept", "registries": [LOGIN]}]
    some = [{"namespaces": stage.names, "projects": [stage.names[0]]}]
    for declared in ({"secrets": kept, "grants": some}, {"secrets": kept, "grants": []}):
        yield stage.run("pull_access_prune", namespaces=None, owner=OWNER, max_prune="100%", links=[], **declared)


def export(stage: Stage) -> Iterator[Result]:
    stage.remove("secrets", "pull")
    stage.secret("pull")
    yield stage.run("pull_access_export", credentials="placeholder")


def _mirror(stage: Stage) -> None:
    source = {"source": "mirrored.example.com/team", "mirrors": ["mirror.example.com/team"]}
    body = {"apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSet", "metadata": {"name": "rights"}}
    stage.lab.api("POST", MIRRORS, {**body, "spec": {"imageDigestMirrors": [source]}}, expect=(201, 409))
    body = {
        "apiVersion": "config.openshift.io/v1",
        "kind": "CRIOCredentialProviderConfig",
        "metadata": {"name": "cluster"},
    }
    # Only then, the repository of the release matters.
    stage.lab.api("PATCH", IMAGES, {"spec": {"registrySources": {"blockedRegistries": ["blocked.example.com"]}}})
    rendered = {"conditions": [{"type": "MachineConfigRendered", "status": "True"}]}
    provider = {**body, "spec": {"matchImages": ["mirrored.example.com"]}, "status": rendered}
    stage.lab.api("DELETE", f"{PROVIDERS}/cluster", expect=(200, 404))
    stage.lab.api("POST", PROVIDERS, provider)


#: Other readers of pull secrets, which the lab does not have.
_READERS = {
    "kyverno.io/v1": {"Policy": "Namespaced", "ClusterPolicy": "Cluster"},
    "policies.kyverno.io/v1": {"ImageValidatingPolicy": "Cluster", "NamespacedImageValidatingPolicy": "Namespaced"},
    "policy.sigstore.dev/v1beta1": {"ClusterImagePolicy": "Cluster"},
    "source.toolkit.fluxcd.io/v1": {"OCIRepository": "Namespaced", "HelmRepository": "Namespaced"},
    "image.toolkit.fluxcd.io/v1": {"ImageRepository": "Namespaced"},
}


def _explained(stage: Stage) -> None:
    """Create the objects to explain, once. Jobs do not change them, so they are created again only if a job has removed some."""
    _mirror(stage)
    for version, kinds in _READERS.items():
        for kind, scope in kinds.items():
            define_kind(stage.lab, version, kind, f"{kind.lower()}s".replace("ys", "ies"), scope)
    if stage.lab.get(stage.names[0], "pods", "cloud") and stage.lab.get(stage.names[0], "secrets", "pull"):
        return
    stage.remove("pods", "app", "shared", "cloud")
    stage.remove("secrets", "pull")
    stage.secret("pull", stage.login(1), stage.host)
    for namespace in stage.names:
        stage.lab.set_account(namespace, imagePullSecrets=["pull"])
    stage.pod("app")
    add_nodes(stage.lab, LabNode("node-1", "worker"), LabNode("node-2"))
    stage.pod("cloud", CLOUD, node="node-1")
    stage.waits("app")
    stage.workloads("web")
    shared = f"{stage.lab.registry('integrated')['host']}/{stage.names[-1]}/app:v1"
    stage.pod("shared", shared)


def explain(stage: Stage) -> Iterator[Result]:
    _explained(stage)
    if stage.everywhere:
        yield stage.run("pull_access_info", secretless=True)
        return
    here = {"namespaces": stage.names[:1]}
    yield stage.run("pull_access_info", **here, pod="app")
    for kind in WORKLOADS:
        yield stage.run("pull_access_info", **here, workload=f"{kind}/web")
    yield stage.run("pull_access_info", **here, pod="shared")
    yield stage.run("pull_access_info", **here, pod="cloud")
    yield stage.run("pull_access_info", **here, service_account="default", image=MIRRORED)
    yield stage.run("pull_access_info", **here)
    image = stage.lab.registry("private")["image"]
    yield stage.run("pull_access_info", **here, service_account="default", image=image, secretless=True)


def _audited(stage: Stage) -> None:
    """Create the objects to audit, once."""
    if stage.lab.get(stage.names[0], "pods", "audited") is None:
        project = stage.names[-1]
        stage.lab.run("push", "--dir", str(stage.lab.dir), f"{project}/app:v1")
        stage.pod("audited", f"{stage.lab.registry('integrated')['host']}/{project}/app:v1")
        stage.pod("elsewhere", CLOUD)
        stage.pod("mirrored", MIRRORED)
        add_nodes(stage.lab, LabNode("node-1", "worker"), LabNode("node-2"))
    _mirror(stage)
    stage.remove("rolebindings", *GRANTS)


def audit(stage: Stage) -> Iterator[Result]:
    _audited(stage)
    yield stage.run("pull_access_audit", target_version="4.22")


def _name_platform_images(stage: Stage) -> None:
    """Give the release and a catalog an image, as on a real cluster. They are outside the namespaces of the job."""
    digest = "@sha256:" + 64 * "0"
    stage.lab.api("PATCH", CLUSTER_VERSION, {"status": {"desired": {"image": f"quay.io/ocp/release{digest}"}}})
    place, group = "openshift-marketplace", "operators.coreos.com/v1alpha1"
    stage.lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": place}}, expect=(201, 409))
    catalog = {"metadata": {"name": "redhat"}, "spec": {"image": f"registry.example.com/index{digest}"}}
    body = {"apiVersion": group, "kind": "CatalogSource", **catalog}
    stage.lab.api("POST", f"/apis/{group}/namespaces/{place}/catalogsources", body, expect=(201, 409))


def images(stage: Stage) -> Iterator[Result]:
    _audited(stage)
    stage.remove("pods", "short")
    stage.pod("short", "team/app:v1")
    yield stage.run("pull_access_images")
    yield stage.run(
        "pull_access_images",
        to=dict.fromkeys(("mirrored.example.com", CLOUD.partition("/")[0], stage.host), stage.host),
        **stage.lab.asking,
    )


def what_if(stage: Stage) -> Iterator[Result]:
    _audited(stage)
    _name_platform_images(stage)
    yield stage.run("pull_access_what_if", changes=[{"remove_secrets": {"name": "pull"}}, {"target_version": "4.22"}])
    yield stage.run("pull_access_what_if", changes=[{"unreachable_registries": ["registry.example.com"]}])
    with _bound(stage, ("ClusterRole", "system:image-puller"), ("ClusterRole", "view"), ("Role", "reader")):
        yield stage.run("pull_access_what_if", changes=[{"remove_grants": {}}])
    stage.remove("pods", "site")
    stage.remove("secrets", "site")
    stage.secret("site", stage.login(0), stage.host)
    for namespace in stage.names:
        stage.lab.set_account(namespace, imagePullSecrets=["site"])
    stage.pod("site", f"{stage.host}/elsewhere/app:v1")
    mirrors = [mirror_set("tag", "site", f"{stage.host}/elsewhere", f"{stage.host}/team")]
    yield stage.run(
        "pull_access_what_if",
        changes=[{"add_objects": {"definition": mirrors}}, {"only_registries": [stage.host]}],
        **stage.lab.asking,
    )


@contextmanager
def _bound(stage: Stage, *roles: tuple[str, str]) -> Iterator[None]:
    """During the block, the account of the first project is bound to these roles of the last one."""
    project, subject = stage.names[-1], account_subject(stage.names[0])
    names = [f"what-if-{at}" for at in range(len(roles))]
    for name, (kind, role) in zip(names, roles, strict=True):
        stage.lab.create(project, "rolebindings", role_binding(name, subject, role=role, kind=kind))
    try:
        yield
    finally:
        stage.remove("rolebindings", *names)


def rotation(stage: Stage) -> Iterator[Result]:
    stage.remove("secrets", "quay", "fixed", "fixed-rotated")
    stage.secret("quay", stage.login(0), stage.host)
    stage.secret("fixed", stage.login(0), stage.host, immutable=True)
    for namespace in stage.names:
        stage.lab.set_account(namespace, imagePullSecrets=["quay", "fixed"])
    # Its pull never ends, so the job reads its events.
    pod = {"containers": [{"name": "app", "image": stage.image}], "nodeName": "node-1"}
    stage.remove("pods", "pulling")
    stage.lab.create(stage.names[0], "pods", {"metadata": {"name": "pulling"}, "spec": pod})
    yield stage.run(
        "credential_rotation",
        registries=[stage.host],
        old=stage.login(0),
        new=stage.login(1),
        secrets=[{"namespaces": list(stage.names), "name": name} for name in ("quay", "fixed")],
        verify=False,
        pulls_timeout=1,
    )
    stage.remove("pods", "pulling")


def probe(stage: Stage) -> Iterator[Result]:
    with _nodes(stage):
        yield stage.run("pull_probe", images=[stage.image], timeout=20)


@contextmanager
def _nodes(stage: Stage) -> Iterator[None]:
    """Simulate a scheduler and kubelets."""
    done = set[str]()

    def work() -> None:
        for pod in _probes(stage):
            if pod["metadata"]["uid"] not in done:
                done.add(pod["metadata"]["uid"])
                _pulled(stage.lab, path_of(pod["metadata"]["namespace"], "pods", pod["metadata"]["name"]))

    try:
        with repeat(work):
            yield
    finally:
        for pod in _probes(stage):
            path = path_of(pod["metadata"]["namespace"], "pods", pod["metadata"]["name"])
            stage.lab.api("DELETE", f"{path}?gracePeriodSeconds=0", expect=(200, 404))


def _probes(stage: Stage) -> list[dict[str, Any]]:
    found = (pod for name in stage.names for pod in stage.lab.api("GET", path_of(name, "pods"))["items"])
    return [pod for pod in found if "pull-probe" in pod["metadata"]["name"]]


def _pulled(lab: Lab, path: str) -> None:
    """Set the status of a pod whose node has pulled the image, but failed to create the container."""
    name = path.rpartition("/")[2]
    target = {"metadata": {"name": name}, "target": {"kind": "Node", "name": "node-any"}}
    lab.api("POST", f"{path}/binding", target, expect=(200, 201, 404, 409))
    state = {"waiting": {"reason": "CreateContainerError", "message": "no"}}
    container = {"name": "probe", "image": "i", "imageID": "", "ready": False, "restartCount": 0, "state": state}
    status = {"phase": "Pending", "containerStatuses": [container]}
    lab.api("PATCH", f"{path}/status", {"status": status}, expect=(200, 404))


def import_again(stage: Stage) -> Iterator[Result]:
    _failed_imports(stage)
    yield stage.run("image_stream_import", registries=[stage.host])
    _failed_imports(stage)
    with _Deaf(stage.lab).running() as proxy, tempfile.TemporaryDirectory() as directory:
        kubeconfig = token_kubeconfig(stage.lab, proxy.url, Path(directory) / "kubeconfig")
        there = Stage(stage.lab, partial(run_module, kubeconfig=kubeconfig), stage.names, stage.user)
        yield there.run("image_stream_import", registries=[stage.host])


def _failed_imports(stage: Stage) -> None:
    """Create an image stream whose import failed because of a missing login. The login exists afterwards."""
    stage.remove("secrets", "pull", "quay", "site", "fixed", "fixed-rotated")
    for namespace in stage.names:
        path = f"{IMAGE_API}/namespaces/{namespace}"
        stage.lab.api("DELETE", f"{path}/imagestreams/app", expect=(200, 404))
        source = {"from": {"kind": "DockerImage", "name": stage.image}}
        head = {"apiVersion": "image.openshift.io/v1", "metadata": {"name": "app"}}
        stage.lab.api(
            "POST",
            f"{path}/imagestreams",
            {**head, "kind": "ImageStream", "spec": {"tags": [{"name": "v1", **source}]}},
        )
        images = [{**source, "to": {"name": "v1"}, "importPolicy": {}}]
        body = {**head, "kind": "ImageStreamImport", "spec": {"import": True, "images": images}}
        stage.lab.api("POST", f"{path}/imagestreamimports", body)
    stage.secret("pull", stage.login(1), stage.host)


class _Deaf(Proxy):
    """Loses the answer to each import."""

    def handle(self, exchange: Exchange) -> None:
        reply = exchange.ask()
        if exchange.path.endswith("/imagestreamimports"):
            exchange.cut(by_reset=True)
        else:
            exchange.answer(reply)


def global_pull_secret(stage: Stage) -> Iterator[Result]:
    yield stage.run("global_pull_secret_info", namespaces=None, wait=True, timeout=20)
    target = {"namespaces": ["openshift-config"], "name": "pull-secret"}
    number = stage.user.rpartition("-")[2]
    login = {**LOGIN, "registry": f"registry-{number}.example.com"}
    yield stage.run("pull_secret", **target, registries=[login], mode="merge")
    yield stage.run("pull_secret", **target, registries=[{"registry": login["registry"]}], mode="remove")


def hosted_pull_secret(stage: Stage) -> Iterator[Result]:
    target = {"namespaces": ["kube-system"], "name": "additional-pull-secret"}
    stage.lab.api("DELETE", path_of("kube-system", "secrets", "additional-pull-secret"), expect=(200, 404))
    stage.lab.until(lambda: stage.lab.get("kube-system", "secrets", "global-pull-secret") is None, "it is taken back")
    login = {**LOGIN, "registry": "registry.example.com"}
    yield stage.run("pull_secret", **target, registries=[login], mode="merge", check=True)
    yield stage.run("pull_secret", **target, registries=[login], mode="merge")
    yield stage.run("pull_secret", **target, registries=[{**login, "username": "other"}], mode="merge")
    yield stage.run("global_pull_secret_info", namespaces=None, merge=["registry.example.com"], wait=True, timeout=20)
    gone = [{"registry": login["registry"]}]
    yield stage.run("pull_secret", **target, registries=gone, mode="remove", delete_empty=True)


def management_pull_secret(stage: Stage) -> Iterator[Result]:
    namespace = stage.names[0]
    host_a_cluster(stage.lab, namespace)
    target = {"namespaces": [namespace], "name": "prod-pull"}
    yield stage.run("global_pull_secret_info", namespaces=None, hosted_cluster=f"{namespace}/prod")
    login = {**LOGIN, "registry": "registry.example.com"}
    yield stage.run("pull_secret", **target, registries=[login], mode="merge")
    yield stage.run("pull_secret", **target, registries=[{"registry": login["registry"]}], mode="remove")


def events(stage: Stage) -> Iterator[Result]:
    """Run the source until it reports that it watches all kinds, or has lost one."""
    source = importlib.import_module(
        "ansible_collections.openshift_ops.image_pull.extensions.eda.plugins.event_source.pull_access_objects"
    )
    options = {"kubeconfig": stage.lab.kubeconfig, "impersonate_user": stage.user}
    told = asyncio.run(_health(source.main, options))
    yield {"failed": told["state"] == "lost", "msg": told.get("message", "")}


async def _health(main: Callable[..., Any], options: Mapping[str, str]) -> Result:
    """The first event about the connection."""
    ear = _Ear()
    source = asyncio.create_task(main(ear, dict(options)))
    await asyncio.wait({source, ear.health}, return_when=asyncio.FIRST_COMPLETED)
    source.cancel()
    await asyncio.wait({source})
    return ear.health.result() if ear.health.done() else source.result()


class _Ear:
    """Replaces a rulebook's queue."""

    def __init__(self) -> None:
        self.health: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    async def put(self, event: Result) -> None:
        if event["type"] == "health" and not self.health.done():
            self.health.set_result(event)


#: The runs of each job.
RUNS: Mapping[str, Callable[[Stage], Iterator[Result]]] = {
    "secrets": secrets,
    "links": links,
    "create_accounts": create_accounts,
    "restart_pods": restart_pods,
    "grants": grants,
    "verify_access": verify_access,
    "wait": wait,
    "namespace_selector": namespace_selector,
    "prune": prune,
    "export": export,
    "explain": explain,
    "nodes_secret": explain,
    "audit": audit,
    "images": images,
    "what_if": what_if,
    "rotation": rotation,
    "probe": probe,
    "import": import_again,
    "global_pull_secret": global_pull_secret,
    "hosted_pull_secret": hosted_pull_secret,
    "management_pull_secret": management_pull_secret,
    "events": events,
}
