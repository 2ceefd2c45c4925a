# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else reads the pull secrets of a namespace. Only a kubelet has the token of an account, so the others still need the secret. Pure.

Builds, catalogs, Flux and Sigstore name secrets in their objects. Builds also use `secrets` of the account `builder`, and Flux the pull
secrets of an account that it names (source-controller, OCIRepositoryReconciler.keychain). Imports of image streams use all pull secrets of
their namespace (openshift-apiserver pkg/image/apiserver/importer). Kyverno asks the registry before a pod exists: rules with verifyImages, and
ImageValidatingPolicy. Pods are left out, because their lists are copies of those of their accounts and templates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..core.objects import SERVICE_ACCOUNT, Json, Kind, ObjectRef, as_dict, as_list, as_str, as_strs, metadata
from ..images.image_streams import IMAGE_STREAM
from ..images.references import reference_of
from ..platform.account_lists import names_in
from .lookup import Lookup, items_of, require_all, try_lookup
from .snapshot import BUILD_CONFIG, secret_names
from .subjects import WORKLOADS, ContainerPull, template_of

#: Marks of an object that names no secret: it reads images of all registries, of this host, or with the secrets of this account.
_ALL, _AT, _BY = "*", "* of ", "* by "


def _in_account(account: Json) -> Iterable[str]:
    return names_in(account, "imagePullSecrets")


def _in_template(workload: Json) -> Iterable[str]:
    return names_in(as_dict(template_of(workload).get("spec")), "imagePullSecrets")


def _mounted(workload: Json) -> Iterator[str]:
    spec = as_dict(as_dict(template_of(workload)).get("spec"))
    return secret_names({name: part for name, part in spec.items() if name != "imagePullSecrets"})


def _of_builder(account: Json) -> Iterable[str]:
    return names_in(account, "secrets") if metadata(account).get("name") == "builder" else ()


def _of_flux(obj: Json) -> Iterator[str]:
    yield from _in_spec(obj)
    yield f"{_BY}{as_str(as_dict(obj.get('spec')).get('serviceAccountName'))}"


def _in_spec(obj: Json) -> Iterable[str]:
    return secret_names(obj.get("spec"))


def _in_list(obj: Json) -> Iterable[str]:
    return as_strs(as_dict(obj.get("spec")).get("secrets"))


def _imported(stream: Json) -> Iterator[str]:
    for tag in map(as_dict, as_list(as_dict(stream.get("spec")).get("tags"))):
        origin = as_dict(tag.get("from"))
        reference = reference_of(as_str(origin.get("name"))) if origin.get("kind") == "DockerImage" else None
        if reference is not None:
            yield f"{_AT}{reference.host}"


def _verified(policy: Json) -> Iterator[str]:
    """An entry with logins of its own does not read those of the pod."""
    spec = as_dict(policy.get("spec"))
    rules = map(as_dict, as_list(spec.get("rules")))
    entries = [as_dict(each) for rule in rules for each in as_list(rule.get("verifyImages"))]
    is_own = "rules" in spec or bool(spec.get("credentials"))
    if not (is_own and all(each.get("imageRegistryCredentials") for each in entries)):
        yield _ALL


@dataclass(frozen=True)
class _SecretReader:
    """One kind, in the versions that a cluster may serve, newest first. `marks` returns the secrets that an object names, or one of the marks.
    `clause` continues a sentence that begins with the object."""

    kinds: tuple[Kind, ...]
    marks: Callable[[Json], Iterable[str]]
    clause: str = "names it"

    @classmethod
    def of(
        cls, group: str, versions: str, kind: str, title: str, marks: Callable[[Json], Iterable[str]]
    ) -> _SecretReader:
        is_policy = marks == _verified
        resource = f"{kind.lower().removesuffix('y')}ies" if kind.endswith("y") else f"{kind.lower()}s"
        clause = (
            "verifies images with the logins of the pod, or without any: give it its own" if is_policy else "names it"
        )
        is_of_cluster = kind.startswith("Cluster") or kind == "ImageValidatingPolicy"
        kinds = (Kind(f"{group}/{each}", kind, resource, title, not is_of_cluster) for each in versions.split())
        return cls(tuple(kinds), marks, clause)

    def read(self, listed: Json | None) -> Sequence[tuple[Json, frozenset[str]]]:
        return [(metadata(each), frozenset(self.marks(each))) for each in items_of(listed)]


_FLUX = "toolkit.fluxcd.io"
#: The kubelet reads the secret for these as well, so they matter only if they have no plan of their own.
_OF_KUBELETS: Sequence[_SecretReader] = (
    _SecretReader((SERVICE_ACCOUNT,), _in_account, "lists it: ask about it as well"),
    *(_SecretReader((kind,), _in_template, "lists it: ask about it as well") for kind in WORKLOADS.values()),
)
_READERS: Sequence[_SecretReader] = (
    _SecretReader((IMAGE_STREAM,), _imported, "imports images of the registry with the pull secrets of its namespace"),
    _SecretReader((BUILD_CONFIG,), _in_spec),
    _SecretReader((SERVICE_ACCOUNT,), _of_builder, "gives it to builds"),
    *(_SecretReader((kind,), _mounted, "mounts it") for kind in WORKLOADS.values()),
    _SecretReader.of("operators.coreos.com", "v1alpha1", "CatalogSource", "catalog source", _in_list),
    _SecretReader.of(f"source.{_FLUX}", "v1 v1beta2", "OCIRepository", "Flux OCI repository", _of_flux),
    _SecretReader.of(f"source.{_FLUX}", "v1 v1beta2", "HelmRepository", "Flux Helm repository", _in_spec),
    _SecretReader.of(f"image.{_FLUX}", "v1 v1beta2", "ImageRepository", "Flux image repository", _of_flux),
    _SecretReader.of("kyverno.io", "v1", "Policy", "Kyverno policy", _verified),
    _SecretReader.of("kyverno.io", "v1", "ClusterPolicy", "Kyverno cluster policy", _verified),
    _SecretReader.of("policies.kyverno.io", "v1 v1beta1", "ImageValidatingPolicy", "Kyverno image policy", _verified),
    _SecretReader.of(
        "policies.kyverno.io", "v1 v1beta1", "NamespacedImageValidatingPolicy", "Kyverno image policy", _verified
    ),
    _SecretReader.of(
        "policy.sigstore.dev", "v1beta1 v1alpha1", "ClusterImagePolicy", "Sigstore image policy", _in_spec
    ),
)


def find_readers(
    subject: ContainerPull, secrets: Collection[str], host: str, evidence: Lookup, *, is_of_all: bool
) -> tuple[dict[ObjectRef, str], Sequence[str]]:
    """Return the other readers of these secrets, which are for the registry, each with a clause, and why some readers are not known.

    `is_of_all`: all accounts and workloads of the namespace have a plan of their own.

    :raises ReadRequired: when the lists have to be read first. All of them are requested then.
    """
    readers, namespace = _READERS if is_of_all else (*_OF_KUBELETS, *_READERS), subject.namespace
    lists = [
        (each, [ObjectRef(kind, namespace if kind.namespaced else "", "") for kind in each.kinds]) for each in readers
    ]
    require_all(evidence, [ref for _reader, refs in lists for ref in refs])
    wanted = {*secrets, _ALL, f"{_AT}{host}", f"{_BY}{subject.account}"}
    found: dict[ObjectRef, str] = {}
    unread: dict[str, None] = {}
    for reader, refs in lists:
        answers = [(ref, *try_lookup(evidence, ref)) for ref in refs]
        served = next((ref for ref, listed, _why in answers if listed), refs[0])
        if why := next((why for ref, _listed, why in answers if ref == served), ""):
            unread[f"the {served.kind.resource} could not be read: {why}"] = None
            continue
        own = (subject.ref, subject.account_ref) if reader in _OF_KUBELETS else ()
        for meta, marks in evidence.derive(served, reader.read):
            ref = ObjectRef(served.kind, served.namespace, as_str(meta.get("name")))
            if wanted & marks and ref not in own:
                found[ref] = reader.clause
    return found, [*unread]
