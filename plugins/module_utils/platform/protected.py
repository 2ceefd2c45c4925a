# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that must not be changed, or not in a certain way, and the managers of secrets. Pure.

Recognized by an owner that is a controller, by labels and annotations of operators that copy secrets, and by names of field managers.

openshift/api machineconfiguration/v1, MachineOSConfigSpec: `baseImagePullSecret` and `renderedImagePushSecret`. Both are in the namespace of the
operator. A changed login starts no build (machine-config-operator pkg/controller/common RequiresRebuild).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..core.errors import OptionError, Refusal
from ..core.objects import (
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    as_dict,
    as_list,
    as_str,
    controller_reference,
    metadata,
    pick,
)
from ..core.text import join_and
from ..dockerconfig.registry_keys import same_path
from ..secrets.content import DOCKERCONFIGJSON, MAX_BYTES, TYPES, StoredSecret
from .account_lists import is_marked_generated
from .hosted import ADDITIONAL_SECRET

#: The pull secret of every node.
NODE_SECRET = ObjectRef(SECRET, "openshift-config", "pull-secret")
#: In this namespace, the machine config operator builds node images for MachineOSConfigs: with a copy of the nodes' pull secret, which it keeps
#: equal, and with secrets of the administrator (spec.baseImagePullSecret, spec.renderedImagePushSecret). Source: its pkg/operator/sync.go.
BUILD_NAMESPACE = "openshift-machine-config-operator"
NODE_SECRET_COPY = ObjectRef(SECRET, BUILD_NAMESPACE, "global-pull-secret-copy")
#: The platform's own registries in the pull secret of the nodes.
_PLATFORM_REGISTRIES = frozenset(
    {
        "cloud.openshift.com",
        "quay.io",
        "registry.connect.redhat.com",
        "registry.redhat.io",
        # Azure Red Hat OpenShift's own images.
        "arosvc.azurecr.io",
    }
)

#: The entry for this host is the token of a service that the cluster reports to. No image is pulled from it.
NO_REGISTRIES = frozenset({"cloud.openshift.com"})

#: A controller of the platform creates these in every project and recreates them after a deletion, but never repairs them
#: (openshift-controller-manager pkg/authorization/defaultrolebindings). So a binding without subjects is switched off.
RESERVED_BINDINGS = ("system:image-pullers", "system:image-builders", "system:deployers")

#: The platform creates these in every namespace.
_ACCOUNTS = ("default", "builder", "deployer")

#: The API server restores objects with this annotation. `oc` keeps an emptied binding on which it is switched off.
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"


def autoupdate(obj: Json) -> str:
    """Return the value of the object's `AUTOUPDATE` annotation: `true`, `false`, or empty."""
    return str(as_dict(metadata(obj).get("annotations")).get(AUTOUPDATE) or "")


def is_platform_object(ref: ObjectRef, observed: Json) -> bool:
    """Whether the platform or a controller manages the object. It is never adopted and never pruned, whatever its labels say."""
    meta = metadata(observed)
    annotated = is_marked_generated(observed) or AUTOUPDATE in as_dict(meta.get("annotations"))
    reserved = {SERVICE_ACCOUNT: _ACCOUNTS, ROLE_BINDING: RESERVED_BINDINGS}.get(ref.kind, ())
    return (
        annotated or bool(controller_of(observed)) or ref.name in reserved or is_global(ref) or ref == NODE_SECRET_COPY
    )


def controller_of(observed: Json) -> str:
    """Return kind and name of the controller that manages the object. Empty when there is none."""
    owner = controller_reference(observed)
    return f"{owner.get('kind')} {owner.get('name')}" if owner else ""


def refuse_platform_name(name: str) -> None:
    """Refuse a name that the platform uses for generated secrets.

    :raises OptionError: for such a name.
    """
    account, _infix, suffix = name.partition("-dockercfg-")
    if account and suffix:
        raise OptionError(
            f"option 'name': {name!r} belongs to the platform, which names the secrets that it generates for a service "
            "account NAME-dockercfg-SUFFIX. Choose another name"
        )


def refuse_foreign(ref: ObjectRef, observed: Json, *, convertible: bool) -> None:
    """Refuse a secret of the platform, of another controller, or of a type that is not for pulls.

    `convertible`: whether an auth file under a wrong type is accepted.

    :raises Refusal: for such a secret.
    """
    held = StoredSecret.of(observed)
    if is_marked_generated(observed) or ref == NODE_SECRET_COPY:
        raise Refusal(f"{ref} belongs to the platform, which would restore it. It was not changed: choose another name")
    if who := controller_of(observed):
        raise Refusal(
            f"{ref} is managed by {who}, which would restore it. It was not changed: change it there, or choose another name"
        )
    # The platform merges the additional secret of a hosted cluster whatever its type is.
    if held.type in TYPES or ref == ADDITIONAL_SECRET or (convertible and held.is_auth_file):
        return
    if held.is_auth_file:
        raise Refusal(
            f"{ref} holds an auth file, but has type {held.type}, from which no node reads one. It was not changed: "
            "convert it with 'recreate: true', or choose another name"
        )
    raise Refusal(f"{ref} has type {held.type} and is not a pull secret. It was not changed: choose another name")


def is_for_node_builds(ref: ObjectRef) -> bool:
    """Whether a MachineOSConfig may build node images with the secret."""
    return ref.kind == SECRET and ref.namespace == BUILD_NAMESPACE


def is_global(ref: ObjectRef) -> bool:
    """Whether it is the pull secret of the cluster's nodes."""
    return ref == NODE_SECRET


def refuse_dropping(
    ref: ObjectRef, secret_type: str, removed: Iterable[str], action: str, allowed: Iterable[str] | None = None
) -> None:
    """Refuse a change of the nodes' pull secret that breaks upgrades, telemetry or every pull.

    `action` is the planned action, as in `Change`, or `recreate` to create the secret with only some entries. `allowed`: entries of the
    platform that may be removed, by name. If it is given, even if empty, any other secret is treated like the nodes' secret as well.

    :raises Refusal: for such a change.
    """
    if allowed is None and not is_global(ref):
        return
    if action in ("delete", "replace"):
        raise Refusal(
            f"{ref} is the pull secret of every node and must not be deleted, not even for a moment. It was not changed: "
            "use 'mode: merge' or 'mode: remove'"
        )
    if action == "recreate":
        raise Refusal(
            f"{ref} is the pull secret of every node. It does not exist, and a new one would lack the entries that the platform needs. It was "
            "not created: restore it first, or use 'mode: replace' with all of its entries"
        )
    if secret_type != DOCKERCONFIGJSON:
        raise Refusal(
            f"{ref} is the pull secret of every node and must have type {DOCKERCONFIGJSON}. It was not changed: "
            "leave out the option 'type'"
        )
    free = {same_path(key) for key in allowed or ()}
    dropped = sorted(
        key
        for key in removed
        if same_path(key) not in free and same_path(key).partition("/")[0] in _PLATFORM_REGISTRIES
    )
    if dropped:
        raise Refusal(
            f"{ref} is the pull secret of every node, and the platform needs its entries for {', '.join(dropped)}. It was not changed: "
            "add registries with 'mode: merge', include these entries, or list the entries to drop in 'drop_platform_registries'"
        )


def refuse_unknown_loss(ref: ObjectRef, why: str, *, guarded: bool = False) -> None:
    """Refuse to replace an unreadable pull secret of the nodes, because it is not known which entries would be removed.

    `why` is the reason, as in `StoredSecret.unreadable`, and empty when the secret can be read. `guarded`: treat another secret like
    the nodes' secret as well.

    :raises Refusal: for such a secret.
    """
    if (guarded or is_global(ref)) and why:
        raise Refusal(
            f"{ref} is the pull secret of every node, and its content {why}, so it is not known which entries 'mode: replace' would remove. "
            f"It was not changed: repair the content first, for example with 'oc set data secret/{ref.name} -n {ref.namespace} "
            "--from-file=.dockerconfigjson=FILE'"
        )


def check_size(what: str, *values: str) -> None:
    """Refuse data that is too large.

    :raises OptionError: when the base64 values together are larger than the API server accepts.
    """
    size = sum(len(value) // 4 * 3 - value.count("=") for value in values)
    if size > MAX_BYTES:
        raise OptionError(
            f"the data of {what} has {size} bytes, but a secret holds at most {MAX_BYTES}: use fewer registries"
        )


#: Words in the names of field managers that rewrite secrets regularly: external-secrets, ecr-credential-helper, kubed, ...
_REFRESHERS = re.compile(
    r"(?:^|[^a-z])(?:external-?secrets?|ecr|registry-creds|kubed|reflector|vault|sealed-?secrets?|emberstack)(?:[^a-z]|$)",
    re.IGNORECASE,
)
#: Names of field managers that restore the content of a repository.
_RESTORERS = re.compile(r"(?:^|[^a-z])(?:argo-?cd|kustomize-controller|helm-controller)(?:[^a-z]|$)", re.IGNORECASE)

#: Labels and annotations that operators write on their copies, with the operator's name. Sources: the documentation of each.
_MARKS = {
    "reconcile.external-secrets.io/created-by": "External Secrets",
    "reconcile.external-secrets.io/managed": "External Secrets",
    "reconcile.external-secrets.io/data-hash": "External Secrets",
    "reflector.v1.k8s.emberstack.com/reflects": "Reflector",
    "reflector.v1.k8s.emberstack.com/auto-reflects": "Reflector",
    "replicator.v1.mittwald.de/replicated-from-version": "Replicator",
    "replicator.v1.mittwald.de/replicate-from": "Replicator",
    "kubed.appscode.com/origin": "Config Syncer",
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}


def is_refreshed(secret: Json) -> bool:
    """Whether the platform or a controller writes the secret, and so keeps its content fresh."""
    refreshed = any(map(_REFRESHERS.search, _managers(secret)))
    return is_marked_generated(secret) or _is_node_copy(secret) or bool(controller_of(secret)) or refreshed


#: The parts that this collection declares, of which the managers that wrote them are known.
_DECLARED: Mapping[Kind, str] = {SECRET: "data", SERVICE_ACCOUNT: "imagePullSecrets", ROLE_BINDING: "subjects"}
#: Writers that keep the entries of others: we, and the platform when it adds its own entries.
_HARMLESS = re.compile(r"openshift|kube-controller-manager")


def describe_keeper(kind: Kind, observed: Json) -> str:
    """Return who may undo a declaration of the object, as a clause. Empty if no tool is known.

    The API server merges `imagePullSecrets` and `subjects` as a whole, so each list belongs to its last writer.
    """
    if who := external_manager_of(observed):
        return f"{who} manages it"
    part = _DECLARED.get(kind, "")
    writers = [
        as_str(each.get("manager"))
        for each in map(as_dict, as_list(metadata(observed).get("managedFields")))
        if f"f:{part}" in as_dict(each.get("fieldsV1"))
    ]
    who = next((name for name in writers if name and not _HARMLESS.match(name)), "")
    return f"{who} last wrote its {part}" if who else ""


def external_manager_of(secret: Json) -> str:
    """Return who would overwrite changes of the secret. Empty when no such manager is known."""
    if is_marked_generated(secret):
        return "the platform"
    if _is_node_copy(secret):
        return f"the machine config operator, which copies it from {NODE_SECRET.namespace}/{NODE_SECRET.name},"
    if owner := controller_of(secret):
        return owner
    meta = metadata(secret)
    marked = {**as_dict(meta.get("labels")), **as_dict(meta.get("annotations"))}
    if found := next((who for mark, who in _MARKS.items() if mark in marked), ""):
        return found
    return next((name for name in _managers(secret) if _REFRESHERS.search(name) or _RESTORERS.search(name)), "")


def _is_node_copy(secret: Json) -> bool:
    meta = metadata(secret)
    return (meta.get("namespace"), meta.get("name")) == (NODE_SECRET_COPY.namespace, NODE_SECRET_COPY.name)


def _managers(secret: Json) -> list[str]:
    """The field managers that wrote a part of the secret."""
    return [as_str(as_dict(each).get("manager")) for each in as_list(metadata(secret).get("managedFields"))]


_FIELDS = ("baseImagePullSecret", "renderedImagePushSecret")


def _trim_config(config: Json) -> Json:
    return {"metadata": pick(metadata(config), "name"), "spec": pick(as_dict(config.get("spec")), *_FIELDS)}


MACHINE_OS_CONFIG = Kind(
    "machineconfiguration.openshift.io/v1",
    "MachineOSConfig",
    "machineosconfigs",
    "machine OS config",
    trim=_trim_config,
    namespaced=False,
)


@dataclass(frozen=True)
class BuildSecrets:
    """The uses of secrets by their names, as clauses. None if they are not known, with the reason in `unread` if there is one."""

    uses: Mapping[str, Sequence[str]] | None = None
    unread: str = ""

    @classmethod
    def of(cls, configs: Iterable[Json]) -> BuildSecrets:
        """Return the secrets that these MachineOSConfigs name."""
        found: dict[str, list[str]] = defaultdict(list)
        for config in configs:
            spec, who = (
                as_dict(config.get("spec")),
                ObjectRef(MACHINE_OS_CONFIG, "", as_str(metadata(config).get("name"))),
            )
            for field in _FIELDS:
                if name := as_str(as_dict(spec.get(field)).get("name")):
                    found[name].append(f"{field} of {who}")
        return cls(dict(found))

    def describe(self, ref: ObjectRef) -> str:
        """Return how builds of node images use the secret, as a sentence. Empty if they do not use it."""
        if not is_for_node_builds(ref):
            return ""
        if self.uses is not None:
            uses = self.uses.get(ref.name, ())
            return (
                f"{ref} is {join_and(uses)}, and a wrong login shows at the next build of a node image" if uses else ""
            )
        why = f". The MachineOSConfigs could not be read: {self.unread}" if self.unread else ""
        return f"A MachineOSConfig may build node images with {ref}, and a wrong login shows at the next build{why}"
