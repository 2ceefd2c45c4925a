# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns the text of an object that names an image: a tool, an operator, or the client that wrote it last. Pure.

Only labels, annotations, owner references and field managers show it, which every writer of the object chooses: they are a hint where to
change the text, and nothing is decided by them.

Argo CD docs/user-guide/resource_tracking.md (the tracking id names the object, so a copy of it on another object does not count), Helm 3
pkg/action/validate.go, Flux kustomize-controller and helm-controller (labels of their objects), operator-lifecycle-manager
pkg/controller/ownerutil. A chart can also be rendered and applied without Helm: its objects then have only the label of the chart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...core.objects import POD, Json, Kind, as_dict, as_list, as_str, controller_reference, metadata
from ...core.text import make_printable
from ...explain.snapshot import BUILD_CONFIG
from ...explain.subjects import CONTAINERS, WORKLOADS, template_of
from ...images.image_streams import IMAGE_STREAM
from ...images.platform_images import OPERATOR, NamedImage, images_of_platform

#: The kinds of owners, with their names in a sentence. `pods`: the text is not in the template, but in the pods, as a webhook makes it.
OWNER_KINDS: Mapping[str, str] = {
    "argocd": "Argo CD application",
    "flux": "Flux",
    "helm": "Helm release",
    "olm": "operator of OLM",
    "controller": "controlled by",
    "pods": "added or changed when pods are created",
    "manager": "written by",
    "unknown": "owner not known",
}

_CSV = OPERATOR.kind
_TRACKING = re.compile(r"(?P<app>[^:]{1,253}):[^/:]*/(?P<kind>[^:]+):(?P<namespace>[^/:]*)/(?P<name>.+)\Z")
_FLUX = {"Kustomization": "kustomize.toolkit.fluxcd.io", "HelmRelease": "helm.toolkit.fluxcd.io"}
_BUILD_STRATEGIES = ("dockerStrategy", "sourceStrategy", "customStrategy")


@dataclass(frozen=True)
class TextOwner:
    """`kind` is one of `OWNER_KINDS`. `manager` is the client that wrote the text last, empty if that is not known."""

    kind: str
    name: str = ""
    chart: str = ""
    manager: str = ""

    def __str__(self) -> str:
        chart = f", chart {self.chart}" if self.chart else ""
        return make_printable(f"{OWNER_KINDS[self.kind]} {self.name}".rstrip() + chart)


@dataclass(frozen=True)
class TextNote:
    """The parts of a whole object that the list needs. `managers` are the last writers by field. `images` are those that the trimmed object does not have."""

    owner: TextOwner
    managers: Mapping[str, str] = field(default_factory=dict)
    images: Sequence[NamedImage] = ()


def take_note(kind: Kind, obj: Json) -> TextNote:
    """Return the note about an object. Another object writes a controlled one, so its field managers say nothing."""
    owner = _owner_of(kind, obj)
    images = [*(_images_of_build(obj) if kind == BUILD_CONFIG else images_of_platform(kind, obj))]
    if controller_reference(obj):
        return TextNote(owner, images=images)
    fields = [each.field for each in images or named_images_of(kind, obj)]
    return TextNote(owner, {name: who for name in fields if (who := _manager_of(obj, name))}, images)


def named_images_of(kind: Kind, obj: Json) -> Iterator[NamedImage]:
    """Yield the images in a pod, in the template of a workload, or in the tags of an image stream."""
    if kind == IMAGE_STREAM:
        for tag in map(as_dict, as_list(as_dict(obj.get("spec")).get("tags"))):
            origin, name = as_dict(tag.get("from")), as_str(tag.get("name"))
            if origin.get("kind") == "DockerImage" and name:
                yield NamedImage(f"tag {name}", f"spec.tags[{name}].from.name", as_str(origin.get("name")))
        return
    is_cron_job = kind == WORKLOADS["cronjob"]
    root = "spec" if kind == POD else f"spec.{'jobTemplate.spec.' if is_cron_job else ''}template.spec"
    spec = as_dict((obj if kind == POD else template_of(obj)).get("spec"))
    for part in CONTAINERS:
        for each in map(as_dict, as_list(spec.get(part))):
            name = as_str(each.get("name"))
            yield NamedImage(name, f"{root}.{part}[{name}].image", as_str(each.get("image")))
    for each in map(as_dict, as_list(spec.get("volumes"))):
        name, image = as_str(each.get("name")), as_str(as_dict(each.get("image")).get("reference"))
        if image:
            yield NamedImage(f"volume {name}", f"{root}.volumes[{name}].image.reference", image)


def _images_of_build(build: Json) -> Iterator[NamedImage]:
    spec = as_dict(build.get("spec"))
    strategy = as_dict(spec.get("strategy"))
    places = [(f"spec.strategy.{name}", as_dict(strategy.get(name))) for name in _BUILD_STRATEGIES]
    sources = as_list(as_dict(spec.get("source")).get("images"))
    places += [(f"spec.source.images[{at}]", as_dict(each)) for at, each in enumerate(sources)]
    for place, part in places:
        origin, secret = as_dict(part.get("from")), as_str(as_dict(part.get("pullSecret")).get("name"))
        if origin.get("kind") == "DockerImage":
            yield NamedImage(place, f"{place}.from.name", as_str(origin.get("name")), (secret,) if secret else ())


def _owner_of(kind: Kind, obj: Json) -> TextOwner:
    meta = metadata(obj)
    labels, notes = as_dict(meta.get("labels")), as_dict(meta.get("annotations"))
    owners = [as_dict(each) for each in as_list(meta.get("ownerReferences"))]
    itself = {"kind": kind.kind, "name": meta.get("name")}
    csv = next((as_str(each.get("name")) for each in (*owners, itself) if each.get("kind") == _CSV), "")
    if labels.get("olm.owner.kind") == _CSV:
        csv = csv or as_str(labels.get("olm.owner"))
    if csv:
        return TextOwner("olm", csv)
    chart = as_str(labels.get("helm.sh/chart")) or as_str(labels.get("chart"))
    controller = controller_reference(obj)
    if controller:
        return _controlled(controller)
    if app := _argo_application(kind, meta) or as_str(labels.get("argocd.argoproj.io/instance")):
        return TextOwner("argocd", app, chart)
    for what, prefix in _FLUX.items():
        if name := as_str(labels.get(f"{prefix}/name")):
            return TextOwner("flux", f"{what} {as_str(labels.get(f'{prefix}/namespace'))}/{name}", chart)
    if release := as_str(notes.get("meta.helm.sh/release-name")):
        return TextOwner("helm", f"{as_str(notes.get('meta.helm.sh/release-namespace'))}/{release}", chart)
    return _controlled(owners[0]) if owners else TextOwner("unknown", "", chart)


def _controlled(owner: Json) -> TextOwner:
    return TextOwner("controller", f"{as_str(owner.get('kind'))} {as_str(owner.get('name'))}")


def _argo_application(kind: Kind, meta: Json) -> str:
    """The application in the tracking id, if the id is that of this object."""
    found = _TRACKING.match(as_str(as_dict(meta.get("annotations")).get("argocd.argoproj.io/tracking-id")))
    own = (kind.kind, as_str(meta.get("namespace")), as_str(meta.get("name")))
    return found["app"] if found and (found["kind"], found["namespace"], found["name"]) == own else ""


#: The parts of a field path: a member, or the name of an item in brackets.
_PART = re.compile(r"(?P<item>\[[^\]]*\])|(?P<member>[^.\[\]]+)")


def _manager_of(obj: Json, path: str) -> str:
    """The client that wrote the field last. Empty if none is recorded."""
    found: list[tuple[str, str]] = []
    keys = [_key_of(part["item"], part["member"]) for part in _PART.finditer(path)]
    for each in map(as_dict, as_list(metadata(obj).get("managedFields"))):
        fields = as_dict(each.get("fieldsV1"))
        if fields and each.get("subresource") != "status" and _owns(fields, keys):
            found.append((as_str(each.get("time")), as_str(each.get("manager"))))
    return max(found)[1] if found else ""


def _key_of(item: str | None, member: str | None) -> str:
    return f"k:{json.dumps({'name': item[1:-1]}, separators=(',', ':'))}" if item else f"f:{member}"


def _owns(fields: Json, keys: Sequence[str]) -> bool:
    """Whether the recorded fields have the path. A list that is replaced as a whole has no items there."""
    for key in keys:
        if key not in fields:
            return not fields
        fields = as_dict(fields[key])
    return True
