# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of a what-if question: what plugins/plugin_utils/pull_report/what_if.schema.json describes. Pure.

It has the images to copy in the forms of three tools. skopeo sync reads a list by registry (`skopeo sync --src yaml`, containers/skopeo
cmd/skopeo/sync.go: `registrySyncConfig`), in which an empty list means all tags. oc-mirror reads an ImageSetConfiguration of version
v2alpha1, and refuses a file with an unknown member (openshift/oc-mirror internal/pkg/config/load.go). regsync copies each image to a name of
its own, with the tags and referrers in which cosign stores signatures (regclient/regclient cmd/regsync/root/config.go).

It names changes that affect nothing, because a name is mistyped, for example. Without them, an answer without breaks would be misleading.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.documents import (
    ANSWERS,
    DECLARED,
    NOT_AFFECTED,
    NOT_KNOWN,
    OF_REGISTRIES,
    STILL_BROKEN,
    WHAT_IF_FORMAT,
    WOULD_BREAK,
)
from ...core.errors import format_suggestion
from ...core.objects import ROLE_BINDING, SECRET, SERVICE_ACCOUNT, ObjectRef
from ...core.text import join_and, make_printable
from ...core.times import format_utc
from ...dockerconfig.registry_keys import host_of
from ...explain.lookup import Lookup
from ...explain.snapshot import ClusterSnapshot
from ...explain.verdict import PULLS, UNKNOWN
from ...images.nodes import CONFIG_MAP, parse_version
from ...images.references import Reference, reference_of
from ...images.registry_sources import IMAGE_CONFIG
from ...platform.protected import NODE_SECRET
from .access import NO_ACCESS, AccessReview
from .declared import InventoryLists
from .options import WhatIfChange
from .overlay import ChangedLookup
from .rows import WhatIfRow


@dataclass(frozen=True)
class WhatIfAnswers:
    """The answers for one cluster. `unread` are sentences about data that could not be read. `made` is in seconds since 1970.

    `forecasts` are sentences about an upgrade that no row includes: rows are about the next pull, not about an image that a node has.
    `unread_workloads` has the reason for each namespace that may have containers without a row, because its pods or workloads could not be
    read. `unread_images` are sentences about images of the platform that could not be read. `against` is the inventory that is
    applied before the changes. `without_effect` has the reasons for changes that affect nothing, by position. `asks`: registries were asked.
    `entries` are the titles of the entries of an inventory that break a pull, by the key of the row. `builds` is the number of build configs
    that name a changed secret. `restart_pulls` are those of `count_pulls`, for a change of kubelets.
    """

    changes: Sequence[WhatIfChange]
    rows: Sequence[WhatIfRow]
    unread: Sequence[str]
    made: float
    forecasts: Sequence[str] = ()
    access: AccessReview = NO_ACCESS
    unread_workloads: Mapping[str, str] = field(default_factory=dict)
    unread_images: Sequence[str] = ()
    against: InventoryLists | None = None
    without_effect: Mapping[int, str] = field(default_factory=dict)
    asks: bool = False
    entries: Mapping[Hashable, Sequence[str]] = field(default_factory=dict)
    builds: int = 0
    restart_pulls: Sequence[Mapping[str, Any]] = ()

    @property
    def affected(self) -> list[WhatIfRow]:
        """The rows of the containers that a change affects, the worst and earliest first."""
        return sorted((row for row in self.rows if row.answer != NOT_AFFECTED), key=_order)


def document_of(found: WhatIfAnswers, server: str, access_options: Sequence[str] = ()) -> dict[str, Any]:
    """Return the document. `server` is the address of the API server. `access_options`: see `make_offer`.

    Containers that no change affects are only counted.
    """
    return {
        "format": WHAT_IF_FORMAT,
        "made": format_utc(found.made),
        "server": server,
        "against": "" if found.against is None else str(found.against),
        "changes": [
            {
                "kind": each.kind,
                "title": make_printable(each.title),
                "no_effect": make_printable(found.without_effect.get(at, "")),
                "cannot_know": each.list_unknown(asks=found.asks),
            }
            for at, each in enumerate(found.changes)
        ],
        "counts": _count(found.rows),
        "not_asked": sum(row.deciding.not_asked for row in found.rows),
        "builds": found.builds,
        "containers": [row.report(found.entries.get(row.key, ()), access_options) for row in found.affected],
        "summary": {
            "namespaces": _group(found.rows, lambda row: [row.namespace]),
            "registries": _group(found.rows, lambda row: [row.registry]),
            "images": _group(found.rows, lambda row: [row.image]),
            "changes": _group(found.rows, lambda row: [found.changes[at].title for at in row.deciding.causes]),
        },
        "access": found.access.report(),
        "restart_pulls": [*found.restart_pulls],
        "images_to_mirror": list_images(found.rows, asks=found.asks),
        "forecasts": list(map(make_printable, found.forecasts)),
        "unreadable": list(map(make_printable, found.unread)),
        "unread_workloads": sorted(found.unread_workloads),
        "unread_images": list(map(make_printable, found.unread_images)),
    }


def _count(rows: Iterable[WhatIfRow]) -> dict[str, int]:
    counted = Counter(row.answer for row in rows)
    return {answer: counted[answer] for answer in ANSWERS}


def _group(rows: Iterable[WhatIfRow], names: Callable[[WhatIfRow], Sequence[str]]) -> list[dict[str, Any]]:
    """The numbers of answers by name, the worst first, without names for which no change affects anything."""
    found: dict[str, list[WhatIfRow]] = {}
    for row in rows:
        for name in names(row):
            found.setdefault(name, []).append(row)
    counted = [
        {"name": make_printable(name), **_count(each)}
        for name, each in found.items()
        if any(row.answer != NOT_AFFECTED for row in each)
    ]
    return sorted(counted, key=lambda each: (*(-each[answer] for answer in ANSWERS), each["name"]))


def _order(row: WhatIfRow) -> tuple[Any, ...]:
    moment = -1 if row.moment is None else row.moment.order
    return ANSWERS.index(row.answer), moment, row.namespace, row.ref.kind.kind, row.ref.name, row.location


# --- images to copy

#: oc-mirror counts the colons of a name with a digest (internal/pkg/image/image.go: `IsImageByTagAndDigest`): with the port of a registry,
#: it looks for a tag, and finds none to copy to.
_PORT_AND_DIGEST = re.compile(r"[^/]*:[0-9]+/.*@.*")
#: A user chooses the image of a pod, and a list of images is the input of another program: only complete, plain names get into it.
_PLAIN = re.compile(
    r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+((:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})|(@sha256:[0-9a-f]{64}))"
)


def list_images(rows: Sequence[WhatIfRow], *, asks: bool = False) -> dict[str, Any]:
    """Return `images`, sorted, and the same as `skopeo` and `oc_mirror`, and those that get another name as `regsync`.

    Users name images in their pods, and someone copies the listed ones with a login of his own. So an image that no container gets today is
    only in `not_pulled_today`. With `asks` (registries were asked), so is an image for which this is unknown. `not_in_oc_mirror` are the
    images that oc-mirror cannot copy. `refused` is the number of names with unusual text, which are not listed.
    """
    lost = {
        reference
        for row in rows
        if row.answer in (WOULD_BREAK, STILL_BROKEN, NOT_KNOWN) and (row.is_out_of_reach or row.is_copy_needed)
        if (reference := reference_of(row.image)) is not None
    }
    enough = (PULLS,) if asks else (PULLS, UNKNOWN)
    pulled = {reference_of(row.image) for row in rows if row.deciding.before.effect in enough}
    usual = sorted((each for each in lost if _PLAIN.fullmatch(str(each))), key=str)
    plain = [each for each in usual if each in pulled]
    names = list(dict.fromkeys(map(str, plain)))
    targets = {
        reference_of(row.image): reference_of(row.deciding.after.subject.image) for row in rows if row.is_copy_needed
    }
    failing = dict.fromkeys(name for name in names if _PORT_AND_DIGEST.fullmatch(name))
    return {
        "images": names,
        "not_pulled_today": list(dict.fromkeys(str(each) for each in usual if each not in pulled)),
        "refused": len({str(each) for each in lost} - {*map(str, usual)}),
        "skopeo": _skopeo(plain),
        "regsync": {
            "version": 1,
            "defaults": {"digestTags": True, "referrers": True},
            "sync": [
                {"source": str(each), "target": str(to), "type": "image"} for each in plain if (to := targets.get(each))
            ],
        },
        "oc_mirror": {
            "apiVersion": "mirror.openshift.io/v2alpha1",
            "kind": "ImageSetConfiguration",
            "mirror": {"additionalImages": [{"name": name} for name in names if name not in failing]},
        },
        "not_in_oc_mirror": list(failing),
    }


def _skopeo(images: Iterable[Reference]) -> dict[str, Any]:
    """The input of skopeo sync: tags and digests by repository, by registry."""
    found: dict[str, dict[str, dict[str, list[str]]]] = {}
    for image in images:
        listed = found.setdefault(image.host, {"images": {}})["images"].setdefault(image.path, [])
        version = image.digest or image.tag or "latest"
        if version not in listed:
            listed.append(version)
    return found


# --- changes without an effect

_OF_OBJECTS = ("remove_secrets", "remove_links", "remove_grants", "remove_credential", "delete_objects")


def find_changes_without_effect(
    changes: Sequence[WhatIfChange],
    states: Sequence[Lookup],
    survey: ClusterSnapshot,
    rows: Iterable[WhatIfRow],
    *,
    asks: bool = False,
) -> dict[int, str]:
    """Return the reason for each change that names registries or objects, declares nothing or is no upgrade, and affects nothing that was read.

    `states` are the evidence before the changes, after all of them, and after each of them alone. A change of an object that could not be
    read may have an effect, and so may any change if no namespace could be read.
    """
    namespaces = survey.places
    if not namespaces:
        return {}
    touched = {at for row in rows for at in row.deciding.touched}
    found = {}
    for at, change in enumerate(changes):
        if change.kind in OF_REGISTRIES:
            has_effect = at in touched
        elif change.kind in _OF_OBJECTS:
            refs = _lists_of(change, namespaces)
            is_elsewhere = bool(change.targets([*namespaces]).difference(namespaces))
            alone = states[2 + at]
            is_changed = isinstance(alone, ChangedLookup) and any(map(alone.changes, refs))
            has_effect = (is_elsewhere and at in touched) or is_changed
        elif change.version is not None:
            has_effect = at in touched or not _why_no_upgrade(change, survey)
        else:
            has_effect = change.inventory is None or not change.inventory.is_empty
        if not has_effect:
            found[at] = _REASONS.get(change.kind, _check_names)(change, survey)
            found[at] += _TOKENS if change.kind == "unreachable_registries" and not asks else ""
    return found


def _check_names(change: WhatIfChange, _survey: ClusterSnapshot) -> str:
    return f"check its names: {change.title}"


def _why_no_upgrade(change: WhatIfChange, survey: ClusterSnapshot) -> str:
    """Return why the version is no upgrade. Empty if it is one, or if the version of the cluster is not known."""
    version, present = change.version, parse_version(survey.version.rpartition(" ")[2])
    if version is None or present is None:
        return ""
    if (version[0] == 1) != (present[0] == 1):
        return f"{change.value} is not a version of this cluster ({survey.version}): give one such as {present[0]}.{present[1] + 1}"
    return f"{change.value} is not a later minor version than {survey.version}" if version <= present else ""


def _find_secret(change: WhatIfChange, survey: ClusterSnapshot) -> str:
    name, places = change.value["name"], change.value["namespaces"]
    names = {
        each for at in change.targets([*survey.places]) if at in survey.places for each in survey.places[at].secrets
    }
    where = f"namespace {join_and(places)}" if places else "the evaluated namespaces"
    return (
        f"secret {name} does not exist in {where}{format_suggestion(name, names) or ': correct its name or namespace'}"
    )


def _find_login(change: WhatIfChange, survey: ClusterSnapshot) -> str:
    registry, user = change.value["registry"], change.value["username"]
    stored = (secret.stored for place in survey.places.values() for secret in place.secrets.values())
    logins = {(host_of(key), login[0]) for each in stored for key, login in each.for_kubelet.logins.items()}
    users = {name for host, name in logins if host == registry and len(name) <= _LONGEST_USER}
    similar = format_suggestion(user, users) or ": correct the user or the registry"
    return f"no secret in the evaluated namespaces has a login of {user} for {registry}{similar}"


def _find_declarations(_change: WhatIfChange, _survey: ClusterSnapshot) -> str:
    return (
        "the inventory declares nothing for this cluster: set private_registry_secrets, delegated_auth_registries or "
        "cross_project_pull_grants, or correct the inventory in option -i"
    )


_TOKENS = ". A registry that gets its tokens from there is known only if the registries are asked"
#: Maximum number of characters of a user name that is suggested.
_LONGEST_USER = 100
_REASONS: Mapping[str, Callable[[WhatIfChange, ClusterSnapshot], str]] = {
    "remove_secrets": _find_secret,
    "remove_credential": _find_login,
    "target_version": _why_no_upgrade,
    DECLARED: _find_declarations,
}


def _lists_of(change: WhatIfChange, namespaces: Collection[str]) -> Iterator[ObjectRef]:
    """The lists with the objects of a change, and single objects that no list has."""
    for ref in change.objects:
        yield ref if ref == IMAGE_CONFIG or ref.kind == CONFIG_MAP else ObjectRef(ref.kind, ref.namespace, "")
    if not change.objects:
        yield NODE_SECRET
        for kind in (SECRET, SERVICE_ACCOUNT, ROLE_BINDING):
            yield from (ObjectRef(kind, namespace, "") for namespace in namespaces)
