# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that have to be copied to a registry that the nodes reach, in the forms that tools for this read. Pure.

skopeo sync reads a list by registry (`skopeo sync --src yaml`, containers/skopeo cmd/skopeo/sync.go: `registrySyncConfig`). Its lists
contain tags and digests, and an empty list means all tags. oc-mirror reads an ImageSetConfiguration of version v2alpha1, and refuses a file
with an unknown member (openshift/oc-mirror internal/pkg/config/load.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ...core.what_if_format import NOT_KNOWN, STILL_BROKEN, WOULD_BREAK
from ...explain.verdict import PULLS, UNKNOWN
from ...images.references import Reference, reference_of
from .rows import WhatIfRow

__all__ = ["list_images"]

#: oc-mirror counts the colons of a name with a digest (internal/pkg/image/image.go: `IsImageByTagAndDigest`): with the port of a registry,
#: it looks for a tag, and finds none to copy to.
_PORT_AND_DIGEST = re.compile(r"[^/]*:[0-9]+/.*@.*")
#: A user chooses the image of a pod, and a list of images is the input of another program: only complete, plain names get into it.
_PLAIN = re.compile(
    r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+((:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})|(@sha256:[0-9a-f]{64}))"
)


def list_images(rows: Sequence[WhatIfRow], *, asks: bool = False) -> dict[str, Any]:
    """Return `images`, sorted, and the same as `skopeo` and `oc_mirror`.

    Users name images in their pods, and someone copies the listed ones with a login of his own. So an image that no container gets today is
    only in `not_pulled_today`. With `asks` (registries were asked), so is an image for which this is unknown. `not_in_oc_mirror` are the
    images that oc-mirror cannot copy. `refused` is the number of names with unusual text, which are not listed.
    """
    lost = {
        reference
        for row in rows
        if row.answer in (WOULD_BREAK, STILL_BROKEN, NOT_KNOWN) and row.is_out_of_reach
        if (reference := reference_of(row.image)) is not None
    }
    enough = (PULLS,) if asks else (PULLS, UNKNOWN)
    pulled = {reference_of(row.image) for row in rows if row.deciding.before.effect in enough}
    usual = sorted((each for each in lost if _PLAIN.fullmatch(str(each))), key=str)
    plain = [each for each in usual if each in pulled]
    names = list(dict.fromkeys(map(str, plain)))
    failing = dict.fromkeys(name for name in names if _PORT_AND_DIGEST.fullmatch(name))
    return {
        "images": names,
        "not_pulled_today": list(dict.fromkeys(str(each) for each in usual if each not in pulled)),
        "refused": len({str(each) for each in lost} - {*map(str, usual)}),
        "skopeo": _skopeo(plain),
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
