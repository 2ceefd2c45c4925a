# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metadata of a secret: labels, annotations, and whether it is immutable. Pure.

Limits of the API server: apimachinery `pkg/util/validation` and `pkg/api/validation/objectmeta.go`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..core.errors import OptionError
from ..core.objects import Json, as_dict, as_int, metadata

__all__ = ["SecretMetadata"]

#: The API server's limit on the annotations of one object together, including names, in bytes.
_MAX_ANNOTATIONS = 256 * 1024

_WORD = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_VALUE = re.compile(rf"({_WORD})?\Z")
_NAME = re.compile(rf"((?=[^/]{{1,253}}/){_DNS_LABEL}(\.{_DNS_LABEL})*/)?{_WORD}\Z")


@dataclass(frozen=True)
class SecretMetadata:
    """Labels and annotations to compare and write. Others are left as they are. `immutable` is None when it does not matter."""

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    immutable: bool | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> SecretMetadata:
        """Return the metadata that the options describe.

        :raises OptionError: for anything that the API server would refuse.
        """
        labels, annotations = (_texts(name, options.get(name)) for name in ("labels", "annotations"))
        for name, value in labels.items():
            if not _LABEL_VALUE.match(value):
                raise OptionError(
                    f"option 'labels': the value of {name!r} is not valid: a label value has at most 63 letters, digits, '-', '_' "
                    "and '.', and begins and ends with a letter or digit. Use 'annotations' for other text"
                )
        size = sum(len(name.encode()) + len(value.encode()) for name, value in annotations.items())
        if size > _MAX_ANNOTATIONS:
            raise OptionError(
                f"option 'annotations': they have {size} bytes, but the maximum for all annotations of an object is {_MAX_ANNOTATIONS}: "
                "shorten them"
            )
        return cls(labels, annotations, options.get("immutable"))

    def with_labels(self, labels: Mapping[str, str]) -> SecretMetadata:
        """Return the same metadata with additional labels."""
        return replace(self, labels={**self.labels, **labels}) if labels else self

    def body(self) -> dict[str, Any]:
        """Return the fields of a new object."""
        meta = {name: dict(value) for name, value in self._parts() if value}
        return {"metadata": meta, **({} if self.immutable is None else {"immutable": self.immutable})}

    def missing(self, observed: Json) -> dict[str, Any]:
        """Return the values that an object lacks, by field. Empty when it lacks none."""
        held = metadata(observed)
        wrong = {
            part: {name: value for name, value in wanted.items() if as_dict(held.get(part)).get(name) != value}
            for part, wanted in self._parts()
        }
        found: dict[str, Any] = {part: names for part, names in wrong.items() if names}
        if self.immutable is not None and self.immutable is not bool(observed.get("immutable")):
            found["immutable"] = self.immutable
        return found

    def _parts(self) -> list[tuple[str, Mapping[str, str]]]:
        return [("labels", self.labels), ("annotations", self.annotations)]


def _texts(option: str, given: Mapping[str, Any] | None) -> dict[str, str]:
    for name, value in (given or {}).items():
        # The API server ignores the case of annotation prefixes, but not that of labels.
        if not _NAME.match(str(name).lower() if option == "annotations" else str(name)):
            raise OptionError(
                f"option {option!r}: the name {name!r} is not valid: write [prefix/]name, as in example.com/team, with at most 63 "
                "letters, digits, '-', '_' and '.' after the prefix"
            )
        if not isinstance(value, str) and as_int(value) is None:
            raise OptionError(f"option {option!r}: the value of {name!r} is not text: quote it")
        if not _is_unicode(str(value)):
            raise OptionError(f"option {option!r}: the value of {name!r} is not valid Unicode")
    return {str(name): str(value) for name, value in (given or {}).items()}


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
