# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of images in use, as plugins/plugin_utils/pull_report/images.schema.json describes it, and its other forms. Pure.

The text has the images with the most workloads first, and for each of them the owners of the text. In CSV, a cell that a spreadsheet would
take as a formula begins with an apostrophe, because users of the cluster choose names and owners. A kustomization has the new names for each
owner: kustomize compares the name as it is in the text, and keeps the tag or digest (kubernetes-sigs/kustomize api/filters/imagetag).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...core.objects import Json, as_dict, as_list, as_str, as_strs, metadata
from ...core.redaction import rewrite_texts
from ...core.text import make_printable, pluralize, summarize
from ...core.times import format_utc
from ...core.writers import as_comments, as_yaml
from ...explain.snapshot import (
    ACCOUNTS,
    BUILDS,
    NODES_READ,
    OPERATORS,
    PODS,
    SECRETS,
    STREAMS,
    WORKLOADS_READ,
    ClusterSnapshot,
)
from ...images.references import Reference, reference_of
from .copies import COPY_ANSWERS
from .rows import ImageListQuestion, ImageUse

#: The value of `format` in a document. The number increases when a reader of the previous format would misread the new one.
IMAGES_FORMAT = "openshift_ops.image_pull/images/1"

_Row = Mapping[str, Any]

#: The kinds without which the list is not complete.
_NEEDED = (PODS, WORKLOADS_READ, STREAMS, BUILDS, OPERATORS, SECRETS, ACCOUNTS)


def document_of(
    uses: Iterable[ImageUse], asked: ImageListQuestion, survey: ClusterSnapshot, server: str
) -> dict[str, Any]:
    """Return the document. `server` is the address of the API server."""
    cached = _nodes_by_image(survey.nodes)
    every = [*uses]
    rows = sorted((_row_of(use, cached) for use in every if not use.doubt), key=_order)
    document = {
        "format": IMAGES_FORMAT,
        "made": format_utc(survey.now),
        "server": server,
        "of": [path.text for path in asked.of],
        "to": {source.text: target.text for source, target in asked.moves},
        "counts": {
            "images": len({row["image"] for row in rows}),
            "workloads": len({_order(row)[1:4] for row in rows}),
            "namespaces": len({row["namespace"] for row in rows}),
            "containers": sum(row["pods"] for row in rows),
            "copies": dict(Counter(row["copy"]["answer"] for row in rows if row["copy"]["answer"])),
        },
        "images": rows,
        "unreadable": [*_unread(survey), *_undecided(every)],
    }
    found: dict[str, Any] = rewrite_texts(document, make_printable)
    return found


def _nodes_by_image(nodes: Iterable[Json]) -> Mapping[str, set[str]]:
    """The nodes that list an image, by its complete name. A kubelet lists only the 50 largest images."""
    found: dict[str, set[str]] = defaultdict(set)
    for node in nodes:
        for each in map(as_dict, as_list(as_dict(node.get("status")).get("images"))):
            for image in as_strs(each.get("names")):
                found[str(reference_of(image))].add(as_str(metadata(node).get("name")))
    return found


def _row_of(use: ImageUse, cached: Mapping[str, set[str]]) -> dict[str, Any]:
    reference = use.reference or Reference("", "", "", is_short=False)
    names = (str(reference), *(f"{reference.repository}@{digest}" for digest in use.digests))
    return {
        "image": use.subject.image,
        "registry": reference.host,
        "path": reference.path,
        "tag": reference.tag,
        "digest": reference.digest,
        "running_digests": [*use.digests],
        "namespace": use.ref.namespace,
        "kind": use.ref.kind.kind,
        "name": use.ref.name,
        "field": use.path,
        "text_in": use.origin,
        "owner": {**asdict(use.owner), "title": str(use.owner)},
        "pods": use.pods,
        "service_account": use.subject.account,
        "pull_policy": use.subject.pull_policy,
        "nodes_with_image": len(use.nodes.union(*(cached.get(name, ()) for name in names))),
        "stream": use.stream,
        "source": use.source,
        "login": asdict(use.login),
        "copy": {"image": str(use.move[1]) if use.move else "", **asdict(use.copy)},
    }


def _unread(survey: ClusterSnapshot) -> Iterator[str]:
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, place in survey.places.items():
        for kind in (each for each in _NEEDED if each in place.unread):
            reasons.setdefault((kind, place.unread[kind]), []).append(name)
    for kind, why in [*reasons, *((NODES_READ, why) for what, why in survey.unread.items() if what == NODES_READ)]:
        where = f" of {summarize(reasons[kind, why], _PLACES)}" if (kind, why) in reasons else ""
        yield f"the {kind}{where} could not be read: {why}"


def _undecided(uses: Iterable[ImageUse]) -> Iterator[str]:
    reasons = {use.subject.image: use.doubt for use in uses if use.doubt}
    if reasons:
        first, many = min(reasons), pluralize(len(reasons), "image is", "images are")
        yield f"whether {many} in one of these paths is not known, such as {first}: {reasons[first]}"


def _order(row: _Row) -> tuple[Any, ...]:
    return row["image"], row["namespace"], row["kind"], row["name"], row["field"]


def render_outputs(names: Iterable[str], document: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of each of these outputs."""
    texts = {
        "dest": lambda: f"{json.dumps(document, indent=1)}\n",
        "csv": lambda: as_csv(document),
        "kustomize": lambda: as_kustomize(document),
    }
    return {name: texts[name]() for name in names}


#: The places before which a spreadsheet takes the rest of a cell as a formula, also in wide forms. In many countries, a semicolon ends a cell.
_FORMULA = re.compile('(?:^|(?<=[;|]))(?=[" ]*[-=+@\uff1d\uff0b\uff0d\uff20])')


def as_csv(document: Mapping[str, Any]) -> str:
    """Return the rows as CSV, with the members of members as `owner.name`, for example."""
    flat = [dict(_flatten(row)) for row in document["images"]]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*(flat[0] if flat else ())], lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def _flatten(row: _Row, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
            continue
        cell = " ".join(value) if isinstance(value, list) else str(value)
        yield f"{prefix}{name}", _FORMULA.sub("'", cell)


#: The owners whose text a kustomization can change.
_OF_TEXTS = ("argocd", "flux", "helm", "manager", "unknown")


def as_kustomize(document: Mapping[str, Any]) -> str:
    """Return a kustomization for each owner, as a proposal, with the new names of the images in templates."""
    owners: dict[str, dict[str, str]] = {}
    for row in document["images"]:
        is_template = row["text_in"] == "template" and ".containers[" in row["field"].replace("initC", ".c")
        # The text of an image stream's image can be any, and kustomize would take it as an expression for all images of the owner.
        is_moved = row["copy"]["image"] and not row["stream"]
        if is_moved and row["owner"]["kind"] in _OF_TEXTS and is_template:
            moved = reference_of(row["copy"]["image"])
            owners.setdefault(row["owner"]["title"], {})[_name_in(row["image"])] = moved.repository if moved else ""
    blocks = []
    for title, names in sorted(owners.items()):
        images = [{"name": name, "newName": moved} for name, moved in sorted(names.items())]
        blocks.append(as_comments([title]) + as_yaml({"images": images}, for_ansible=False))
    return "---\n".join(blocks)


def _name_in(image: str) -> str:
    """The name of an image as written, without tag and digest."""
    parent, slash, name = image.partition("@")[0].rpartition("/")
    return f"{parent}{slash}{name.partition(':')[0]}"


# --- text

#: Maximum number of images, of owners of an image, and of places of an owner. The document has all of them.
_IMAGES, _OWNERS, _PLACES = 40, 10, 3


def lines_of(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the text for people: the images with the most workloads first."""
    counts, of = document["counts"], document["of"]
    where = f" of {summarize(of, _PLACES)}" if of else ""
    yield (
        f"{pluralize(counts['images'], 'image')}{where} in use: {pluralize(counts['workloads'], 'object')} in "
        f"{pluralize(counts['namespaces'], 'namespace')}, {pluralize(counts['containers'], 'container')} in pods"
    )
    if of and not counts["images"]:
        yield "A path in 'of' may be mistyped: without it, the list has all images in use"
    if copies := counts["copies"]:
        yield "Copies: " + ", ".join(
            f"{copies[each]} {title}" for each, title in COPY_ANSWERS.items() if each in copies
        )
    images: dict[str, list[_Row]] = {}
    for row in document["images"]:
        images.setdefault(row["image"], []).append(row)
    groups = sorted(images.items(), key=lambda each: (-len(each[1]), each[0]))
    for image, rows in groups[:_IMAGES]:
        digests = dict.fromkeys(digest for row in rows for digest in row["running_digests"])
        yield f"{image}{f' (runs {summarize([*digests], _PLACES)})' if digests else ''}"
        yield from _limit([*_copy_lines(rows)], _OWNERS, "answer about its copies", "answers about its copies")
        yield from _limit([*_owner_lines(rows)], _OWNERS, "owner")
    if more := groups[_IMAGES:]:
        yield f"and {pluralize(len(more), 'more image')}, in the field images of the document"
    yield from (f"not read: {each}" for each in document["unreadable"])


def _limit(lines: Sequence[str], most: int, noun: str, nouns: str = "") -> Iterator[str]:
    yield from lines[:most]
    if len(lines) > most:
        yield f"  and {pluralize(len(lines) - most, f'more {noun}', nouns and f'more {nouns}')}"


def _copy_lines(rows: Sequence[_Row]) -> Iterator[str]:
    """The different answers about the copies of one image, the worst first."""
    found = dict.fromkeys((row["copy"]["answer"], row["copy"]["image"], row["copy"]["reason"]) for row in rows)
    for answer, title in COPY_ANSWERS.items():
        yield from (f"  copy {image}: {title}: {reason}" for given, image, reason in found if given == answer)


def _owner_lines(rows: Sequence[_Row]) -> Iterator[str]:
    owners: dict[str, list[str]] = {}
    for row in rows:
        place = f"{row['namespace']} {row['kind']} {row['name']}, {row['field']}{_facts_of(row)}"
        owners.setdefault(row["owner"]["title"], []).append(place)
    for title, places in owners.items():
        yield f"  {title}: {summarize(places, _PLACES, '; ')}"


def _facts_of(row: _Row) -> str:
    nodes, login, source = row["nodes_with_image"], row["login"], row["source"]
    facts = {
        f"imports {source}": source,
        pluralize(row["pods"], "pod"): row["pods"],
        f"on {pluralize(nodes, 'node')}": nodes,
        f"login {login['key']} of secret {login['secret']}": login["secret"],
        f"login not known: {login['unknown']}": login["unknown"],
    }
    text = ", ".join(fact for fact, is_known in facts.items() if is_known)
    return f" ({text})" if text else ""
