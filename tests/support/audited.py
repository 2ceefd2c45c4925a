# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios that cause each finding of an audit on the lab: one for each rule, by the rule's id."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from support.lab import Lab, path_of
from support.lab_nodes import LabNode, add_kubelet_config, add_nodes, described_nodes
from support.objects import account_subject, b64, group_subject, pull_secret, role_binding, user_subject
from support.openshift import described
from support.registry_settings import registry_settings

__all__ = ["COUNTS", "LISTED", "PLAIN", "POLICY", "REFUSED", "SCENARIOS", "Scene", "token"]

DENIED = "reading manifest v1 in {repository}: requested access to the resource is denied"
REFUSED = "unable to retrieve auth token: invalid username/password: unauthorized"


@dataclass
class Scene:
    """A scenario in its namespaces.

    `options` are the audit's. `says` is a part of the message. `fixed` does the manual work in addition to the fix. It is None if no
    task fixes the finding.
    """

    lab: Lab
    names: Sequence[str]
    options: dict[str, Any] = field(default_factory=dict)
    says: str = ""
    fixed: Callable[[], None] | None = lambda: None
    context: AbstractContextManager[Any] = field(default_factory=nullcontext)

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def host(self) -> str:
        return self.lab.registry("private")["host"]

    @property
    def image(self) -> str:
        return self.lab.registry("private")["image"]

    @property
    def login(self) -> dict[str, str]:
        return self.lab.registry("private")["accounts"][1]

    def plain_login(self) -> dict[str, str]:
        """Add an account to the registry whose password no template language reads."""
        username = f"plain-{self.name}"
        self.lab.registry_set("private", "--add", username)
        (found,) = [each for each in self.lab.registry("private")["accounts"] if each["username"] == username]
        return {name: found[name] for name in ("username", "password")}

    # --- parts of scenarios

    def entry(self, password: str | None = None, username: str | None = None) -> dict[str, str]:
        text = f"{username or self.login['username']}:{password or self.login['password']}"
        return {"auth": b64(text)}

    def secret(
        self, auths: Any = None, name: str = "pull", kind: str = "kubernetes.io/dockerconfigjson", at: int = 0
    ) -> None:
        content = {"auths": {self.host: self.entry()} if auths is None else auths}
        self.lab.create(self.names[at], "secrets", pull_secret(name, content, kind))

    def link(self, *names: str, at: int = 0) -> None:
        self.lab.set_account(self.names[at], imagePullSecrets=list(names))

    def pod(
        self,
        image: str = "",
        own: Sequence[str] = (),
        name: str = "app",
        at: int = 0,
        policy: str = "IfNotPresent",
        **more: Any,
    ) -> None:
        """`more` are fields of the pod's spec."""
        container = {"name": "app", "image": image or self.image, "imagePullPolicy": policy}
        spec = {"containers": [container], "imagePullSecrets": [{"name": each} for each in own], **more}
        self.lab.create(self.names[at], "pods", {"metadata": {"name": name}, "spec": spec})

    def again(self, image: str = "", own: Sequence[str] = (), **more: Any) -> None:
        """Create the pod again, as a controller does after a deletion."""
        self.lab.api("DELETE", path_of(self.name, "pods", "app") + "?gracePeriodSeconds=0", expect=(200, 404))
        self.lab.until(lambda: self.lab.get(self.name, "pods", "app") is None, "the pod is gone")
        self.pod(image, own, **more)

    def status(self, state: dict[str, Any], name: str = "app", at: int = 0, image_id: str = "") -> None:
        pod = self.lab.get(self.names[at], "pods", name)
        assert pod is not None
        image = pod["spec"]["containers"][0]["image"]
        status = {"name": "app", "image": image, "imageID": image_id, "ready": False, "restartCount": 0, "state": state}
        self.lab.api(
            "PATCH", f"{path_of(self.names[at], 'pods', name)}/status", {"status": {"containerStatuses": [status]}}
        )

    def node_says(self, text: str) -> None:
        self.status({"waiting": {"reason": "ErrImagePull", "message": text.format(repository="team/app")}})

    def runs(self, name: str = "app", at: int = 0) -> None:
        self.status({"running": {"startedAt": "2026-01-01T00:00:00Z"}}, name, at, image_id="sha256:0")

    def binding(self, name: str, *subjects: dict[str, str]) -> None:
        self.lab.create(self.name, "rolebindings", role_binding(name, *subjects))

    def deployment(self, image: str, **spec: Any) -> None:
        template = {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "app", "image": image}], **spec},
        }
        body = {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}
        self.lab.api("POST", f"/apis/apps/v1/namespaces/{self.name}/deployments", body)

    def stream(self, why: str = "", image: str = "") -> None:
        """The image stream `app`. Its tag can be imported, unless the arguments say otherwise."""
        path = f"/apis/image.openshift.io/v1/namespaces/{self.name}/imagestreams"
        self.lab.api("DELETE", f"{path}/app", expect=(200, 404))
        condition = {"type": "ImportSuccess", "status": "False", "message": why}
        tag = {
            "tag": "v1",
            "items": None if why else [{"image": "sha256:0"}],
            "conditions": [condition] if why else None,
        }
        spec = {"tags": [{"name": "v1", "from": {"kind": "DockerImage", "name": image or self.image}}]}
        body = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": {"name": "app"}, "spec": spec}
        self.lab.api("POST", path, {**body, "status": {"tags": [tag]}}, expect=(201,))


SCENARIOS: dict[str, Callable[[Scene], None]] = {}
#: Rules for plain Kubernetes.
PLAIN = ("forecast-short-name",)
#: Number of namespaces of a scenario that needs more than one.
COUNTS: Mapping[str, int] = {
    "credential-in-many-places": 2,
    "credential-copies-differ": 3,
    "workload-cannot-pull": 2,
    "forecast-cached-image": 2,
    "verification-refuses-pod": 2,
}


def scene(rule: str) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    def add(make: Callable[[Scene], None]) -> Callable[[Scene], None]:
        SCENARIOS[rule] = make
        return make

    return add


def token(**claims: Any) -> str:
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims)
    )
    return ".".join((*parts, "c2ln"))


@scene("secret-type-unread")
def _type_unread(it: Scene) -> None:
    it.secret(kind="Opaque")
    it.link("pull")
    it.says = "has type Opaque, which no node reads"


@scene("secret-unparsable")
def _unparsable(it: Scene) -> None:
    it.secret({it.host: it.entry(), "other.example.com": {"auth": "?"}})
    it.link("pull")
    it.says = "'other.example.com' has an 'auth' that is not standard base64"


@scene("secret-key-never-matches")
def _never_matches(it: Scene) -> None:
    it.secret({it.image: it.entry()})
    it.link("pull")
    it.says = "has a key that no node uses"


@scene("secret-key-matches-too-much")
def _too_much(it: Scene) -> None:
    it.secret({"quay.io/team": it.entry(), "quay.io/teammates": it.entry("another")})
    it.link("pull")
    it.says, it.fixed = "character by character", None


@scene("secret-unused")
def _unused(it: Scene) -> None:
    it.secret()
    it.says = "references secret"


@scene("link-dangling")
def _dangling(it: Scene) -> None:
    it.link("gone")
    it.says = "lists gone in imagePullSecrets, but there is no such secret"


@scene("pod-secret-missing")
def _pod_secret_missing(it: Scene) -> None:
    it.pod(own=["gone"])
    it.says = "it may matter for container app"


@scene("link-duplicate")
def _link_duplicate(it: Scene) -> None:
    it.secret()
    it.link("pull", "pull")
    it.says = "lists secret pull more than once"


@scene("secret-duplicate")
def _secret_duplicate(it: Scene) -> None:
    it.secret(name="one")
    it.secret(name="two")
    it.link("one", "two")
    it.says = "/two holds the same logins as secret one"


@scene("pod-hides-account-list")
def _hides(it: Scene) -> None:
    it.secret()
    it.link("pull")
    it.secret({"other.example.com": it.entry()}, name="own")
    it.pod(own=["own"])
    it.says = "lists own, which hides pull"


@scene("pod-older-than-link")
def _older(it: Scene) -> None:
    it.pod()
    it.secret()
    it.link("pull")
    it.says, it.fixed = "was created before secret pull was linked", it.again


@scene("account-not-provisioned")
def _not_provisioned(it: Scene) -> None:
    it.lab.run("set", "--dir", str(it.lab.dir), "--provision-delay", "600s")
    it.lab.create(it.name, "serviceaccounts", {"metadata": {"name": "late"}})
    it.says = "/late cannot pull from the integrated registry"
    it.fixed = lambda: it.lab.run("set", "--dir", str(it.lab.dir), "--provision-delay", "0s") and None


@scene("grant-dead-subject")
def _dead(it: Scene) -> None:
    it.binding("by-hand", account_subject("nowhere"))
    it.says = "lets ServiceAccount nowhere/default pull, but service account nowhere/default does not exist"


@scene("grant-duplicate-bindings")
def _bindings(it: Scene) -> None:
    for name in ("system:image-puller", "system:image-puller-0", "system:image-puller-1"):
        it.binding(name, user_subject("developer"))
    it.says = "let User developer pull: system:image-puller, system:image-puller-0"


@scene("grant-to-everybody")
def _everybody(it: Scene) -> None:
    it.binding("open", group_subject("system:unauthenticated"))
    it.says = "lets clients that send no login pull"


@scene("credential-breaks-public-pull")
def _breaks_public(it: Scene) -> None:
    it.secret({"quay.io": it.entry("stale"), it.host: it.entry()})
    it.pod("quay.io/team/app:v1", ["pull"])
    it.node_says(REFUSED)
    it.says = "quay.io rejects the login of secret pull"


@scene("stream-import-fails")
def _import_fails(it: Scene) -> None:
    it.stream(
        f'you may not have access to the container image "{it.image}" and did not have credentials to the repository'
    )
    it.says = "tag v1 of image stream"


@scene("stream-import-stale-secret")
def _stale(it: Scene) -> None:
    it.secret({it.host: it.entry("stale")})
    it.stream(f'incorrect username or password for image "{it.image}"')
    it.says = "the import uses the login of secret pull"


@scene("credential-expired")
def _expired(it: Scene) -> None:
    it.secret({it.host: it.entry(token(exp=int(time.time()) - 3600))})
    it.link("pull")
    it.says = "expired on"


@scene("credential-expires")
def _expires(it: Scene) -> None:
    it.secret({it.host: it.entry(token(exp=int(time.time()) + 40 * 86400))})
    it.link("pull")
    it.says, it.options = "expires on", {"expires_within": 41}


@scene("credential-short-lived")
def _short_lived(it: Scene) -> None:
    it.secret({"123.dkr.ecr.eu-west-1.amazonaws.com": it.entry("hours", "AWS")})
    it.link("pull")
    it.says = "is an Amazon ECR token, which is valid for 12 hours"


@scene("credential-in-many-places")
def _many(it: Scene) -> None:
    for at in range(2):
        it.secret(at=at)
        it.link("pull", at=at)
    it.says, it.fixed = "is in 2 secrets of 2 namespaces", None


@scene("credential-copies-differ")
def _differ(it: Scene) -> None:
    for at, password in enumerate((None, None, "old")):
        it.secret({it.host: it.entry(password)}, at=at)
        it.link("pull", at=at)
    it.says = "has a different password"


@scene("credential-found")
def _found(it: Scene) -> None:
    it.secret({it.host: it.entry("canary-that-leaked")}, kind="Opaque")
    it.options = {"search_credential": {"password": "canary-that-leaked"}}
    it.says, it.fixed = "the searched credential is in secret", None


@scene("pod-cannot-pull")
def _pod_cannot(it: Scene) -> None:
    it.secret({it.host: it.entry(), "other.example.com": {"auth": "?"}})
    it.link("pull")
    it.pod()
    it.says, it.fixed = "stops every pull of a pod that lists it", it.again


@scene("workload-cannot-pull")
def _workload_cannot(it: Scene) -> None:
    image = f"{it.lab.registry('integrated')['host']}/{it.names[1]}/app:v1"
    body = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": {"name": "app"}}
    status = {"tags": [{"tag": "v1", "items": [{"image": "sha256:0"}]}]}
    path = f"/apis/image.openshift.io/v1/namespaces/{it.names[1]}/imagestreams"
    it.lab.api("POST", path, {**body, "status": status}, expect=(201,))
    it.deployment(image)
    it.says = f"may not pull from project {it.names[1]}"


@scene("pod-pull-unknown")
def _unknown(it: Scene) -> None:
    it.secret()
    it.pod(own=["pull"])
    it.node_says("the moon is in the wrong phase")
    it.says, it.fixed = "the moon is in the wrong phase", None


@scene("pull-not-known")
def _not_known(it: Scene) -> None:
    it.pod()
    it.says, it.fixed = "the pull works only if the image is public", None


@scene("image-unsigned")
def _unsigned(it: Scene) -> None:
    """The container has its image from a time before the policy."""
    path, key = f"audited/{it.name}", it.lab.data["signing_key"]
    it.lab.sign(f"{path}:v1")
    it.secret()
    it.pod(f"{it.host}/{path}:v1", ["pull"])
    it.runs()
    it.context = registry_settings(it.lab, policies=[(f"{it.host}/{path}", "", key)])
    it.options = it.lab.asking
    it.says = f"has no signature of {it.host}/{path}:v1 that nodes read"

    def fixed() -> None:
        it.lab.sign(f"{path}:v1", "--part=image")

    it.fixed = fixed


@contextmanager
def node_secret(it: Scene, auths: Any) -> Iterator[None]:
    """The pull secret of the nodes with this content."""
    place = Scene(it.lab, ["openshift-config"])
    it.lab.api("DELETE", path_of(place.name, "secrets", "pull-secret"), expect=(200, 404))
    place.secret(auths, name="pull-secret")
    try:
        yield
    finally:
        it.lab.api("DELETE", path_of(place.name, "secrets", "pull-secret"))


@scene("node-secret-unusable")
def _unusable_node_secret(it: Scene) -> None:
    it.context = node_secret(it, {"cloud.openshift.com": it.entry(), it.host: {"auth": "no login"}})
    it.says = f"the nodes cannot use secret openshift-config/pull-secret, because the entry for '{it.host}' has"


@scene("node-secret-unlinked")
def _unlinked_cluster(it: Scene) -> None:
    it.context = node_secret(it, {"cloud.openshift.com": it.entry()})
    it.says = "the entry for cloud.openshift.com in secret openshift-config/pull-secret has no email"


@scene("forecast-short-name")
def _short(it: Scene) -> None:
    """On plain Kubernetes, see PLAIN."""
    info = {"containerRuntimeVersion": "cri-o://1.33.4"}
    it.lab.api("POST", "/api/v1/nodes", {"metadata": {"name": it.name}})
    it.lab.api("PATCH", f"/api/v1/nodes/{it.name}/status", {"status": {"nodeInfo": info}})
    it.deployment("team/app:v1")
    it.says, it.options = "names no registry: CRI-O will refuse it", {"target_version": "1.35"}

    def fixed() -> None:
        containers = [{"name": "app", "image": "registry.example.com/team/app:v1"}]
        spec = {"template": {"spec": {"containers": containers}}}
        it.lab.api("PATCH", f"/apis/apps/v1/namespaces/{it.name}/deployments/web", {"spec": spec})

    it.fixed = fixed


@scene("forecast-cached-image")
def _cached(it: Scene) -> None:
    it.context = described(it.lab, version="4.21.1")
    it.secret(at=1)
    it.pod(own=["pull"], at=1)
    it.runs(at=1)
    it.pod()
    it.runs()
    it.says, it.options = "without a login of its own", {"target_version": "4.22"}

    def fixed() -> None:
        it.again()
        it.runs()

    it.fixed = fixed


@contextmanager
def registry_set_to_removed(it: Scene) -> Iterator[None]:
    """The registry of the lab goes on, as the real one until its operator has finished."""
    path = "/apis/imageregistry.operator.openshift.io/v1/configs/cluster"
    it.lab.api("PATCH", path, {"spec": {"managementState": "Removed"}})
    try:
        yield
    finally:
        it.lab.api("PATCH", path, {"spec": {"managementState": "Managed"}})


@scene("forecast-registry-removed")
def _registry_removed(it: Scene) -> None:
    it.context = registry_set_to_removed(it)
    it.deployment(f"{it.lab.registry('integrated')['host']}/project-b/app:v1")
    it.says, it.options = "of the integrated registry, whose images are deleted with it", {"target_version": "4.22"}

    def fixed() -> None:
        spec = {"template": {"spec": {"containers": [{"name": "app", "image": it.image}]}}}
        it.lab.api("PATCH", f"/apis/apps/v1/namespaces/{it.name}/deployments/web", {"spec": spec})

    it.fixed = fixed


@scene("forecast-recreated-secret")
def _recreated(it: Scene) -> None:
    it.context = described(it.lab, version="4.21.1")
    it.pod(own=["pull"])
    it.runs()
    it.secret()
    it.says, it.fixed, it.options = "younger than a container of pod", None, {"target_version": "4.22"}


@scene("forecast-legacy-token")
def _legacy(it: Scene) -> None:
    it.secret({it.host: it.entry(token(iss="kubernetes/serviceaccount", sub="system:serviceaccount:a:b"))})
    it.link("pull")
    it.says, it.options = "is a legacy service account token", {"target_version": "5.0"}


@scene("forecast-release-signature")
def _release(it: Scene) -> None:
    it.context = _with_mirrored_release(it.lab)
    it.says, it.fixed, it.options = "will need a signature", None, {"target_version": "4.22"}


@contextmanager
def _with_mirrored_release(lab: Lab) -> Iterator[None]:
    source = "quay.io/openshift-release-dev/ocp-v4.0-art-dev"
    mirrors = [{"source": source, "mirrors": ["127.0.0.9:5001/release"]}]
    with registry_settings(lab, digest=mirrors), described(lab, version="4.21.1"):
        yield


@scene("forecast-credential-provider")
def _provider(it: Scene) -> None:
    it.context = _with_provider(it.lab)
    it.says, it.fixed, it.options = "gives logins for quay.io", None, {"target_version": "4.23"}


@scene("forecast-image-name")
def _image_name(it: Scene) -> None:
    it.context = described(it.lab, version="4.22.1")
    it.deployment("nginx:1.29")
    it.says = "kubelet 1.35 records as docker.io/library/nginx, and 1.36 as nginx"
    it.options = {"target_version": "4.23"}

    def fixed() -> None:
        spec = {"template": {"spec": {"containers": [{"name": "app", "image": "docker.io/library/nginx:1.29"}]}}}
        it.lab.api("PATCH", f"/apis/apps/v1/namespaces/{it.name}/deployments/web", {"spec": spec})

    it.fixed = fixed


@contextmanager
def _with_provider(lab: Lab) -> Iterator[None]:
    group = "config.openshift.io/v1"
    path = f"/apis/{group}/criocredentialproviderconfigs"
    kind = {"apiVersion": group, "kind": "CRIOCredentialProviderConfig"}
    lab.api("POST", path, {**kind, "metadata": {"name": "cluster"}, "spec": {"matchImages": ["quay.io"]}})
    try:
        with described(lab, version="4.22.1"):
            yield
    finally:
        lab.api("DELETE", f"{path}/cluster")


POLICY, LISTED = "imagePullCredentialsVerificationPolicy", "preloadedImagesVerificationAllowlist"
_POOL, _NODE = "audited", "audited-1"


def _with_settings(it: Scene, settings: dict[str, Any], **versions: str) -> None:
    it.context = described_nodes(it.lab, LabNode(_NODE, _POOL, **versions), configs={_POOL: settings})


@scene("verification-stops-kubelet")
def _stops_kubelet(it: Scene) -> None:
    _with_settings(it, {POLICY: "AlwaysVerify"}, kubelet="v1.34.5", runtime="cri-o://1.34.5")
    it.says = "the kubelet does not start with the settings of kubelet config audited-settings"
    it.fixed = lambda: add_kubelet_config(it.lab, _POOL, {})


@scene("verification-runtime-fault")
def _runtime_fault(it: Scene) -> None:
    _with_settings(it, {POLICY: "AlwaysVerify"}, kubelet="v1.35.1", runtime="cri-o://1.35.1")
    it.says = "each start of a container pulls its image again"
    it.fixed = lambda: add_nodes(it.lab, LabNode(_NODE, _POOL, "v1.35.1", "cri-o://1.35.2"))


@scene("verification-entry-unmatched")
def _unmatched_entry(it: Scene) -> None:
    it.pod()
    repository = it.image.rpartition(":")[0]
    allow = {POLICY: "NeverVerifyAllowlistedImages"}
    _with_settings(it, {**allow, LISTED: [repository, f"https://{it.host}/*"]})
    it.says = f"https://{it.host}/* in the allow-list of kubelet config audited-settings matches no image"
    it.fixed = lambda: add_kubelet_config(it.lab, _POOL, {**allow, LISTED: [repository]})


@scene("verification-exempts-private")
def _exempts_private(it: Scene) -> None:
    it.secret()
    it.pod(own=["pull"], nodeName=_NODE)
    it.runs()
    _with_settings(it, {POLICY: "NeverVerify"})
    it.says = "because of the policy NeverVerify (kubelet config audited-settings)"
    it.fixed = lambda: add_kubelet_config(it.lab, _POOL, {})


@scene("verification-refuses-pod")
def _refuses_pod(it: Scene) -> None:
    it.secret(at=1)
    it.pod(own=["pull"], at=1, nodeName=_NODE)
    it.runs(at=1)
    it.pod(nodeName=_NODE)
    it.runs()
    _with_settings(it, {POLICY: "AlwaysVerify"})
    it.says = "The kubelet asks at the next start, because of the policy AlwaysVerify"

    def fixed() -> None:
        it.again(nodeName=_NODE)
        it.runs()

    it.fixed = fixed


@scene("declared-differs")
def _differs(it: Scene) -> None:
    change = {"kind": "Secret", "name": "pull", "action": "create"}
    it.says, it.fixed = f"secret {it.name}/pull: it is declared, but does not exist", None
    it.options = {"drift": [{"namespaces": [{"name": it.name, "changes": [change]}]}]}


@scene("declared-cannot-be-applied")
def _not_applicable(it: Scene) -> None:
    it.says, it.fixed = "the declaration cannot be applied: the role is missing", None
    it.options = {"drift": [{"failures": [{"namespace": it.name, "error": "the role is missing"}]}]}


@scene("selector-open-to-users")
def _open_selector(it: Scene) -> None:
    """The lab has no project requests, so the namespace gets the annotation that OpenShift gives it."""
    annotations = {"openshift.io/requester": "mallory"}
    it.lab.api("PATCH", f"/api/v1/namespaces/{it.name}", {"metadata": {"annotations": annotations}})
    selector = {"title": "private_registry_secrets[0]", "namespace_selector": {"include": [f"{it.name}*"]}}
    it.options = {"declared_selectors": [selector]}
    it.says = f"private_registry_secrets[0] selects namespaces by their names alone, among them 1 project that users requested: {it.name}"
    it.fixed = None
