# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the options of `pull_probe`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_name, is_name
from ...images.references import reference_of

__all__ = ["PullProbe", "from_options"]

_PART = r"[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_LABEL_NAME = re.compile(rf"{_PART}\Z")
_LABEL_VALUE = re.compile(rf"(?:{_PART})?\Z")
#: Maximum number of characters of a rejected value in a message.
_SHOWN = 120


@dataclass(frozen=True)
class PullProbe:
    """A pod for each image and each node selector. An empty selector is a pod on any node.

    `image_pull_secrets` is the pod's own list; if it is empty, the pod gets the list of the account. `timeout`: maximum seconds to wait for
    one pod. `keep_failed`: pods whose image was not pulled are not deleted.
    """

    images: tuple[str, ...]
    service_account: str = "default"
    image_pull_secrets: tuple[str, ...] = ()
    node_selectors: tuple[Mapping[str, str], ...] = ({},)
    timeout: int = 120
    keep_failed: bool = False

    @property
    def pods(self) -> list[tuple[str, Mapping[str, str]]]:
        """The image and the node selector of each pod of a namespace."""
        return [(image, selector) for image in self.images for selector in self.node_selectors]


def from_options(options: Mapping[str, Any]) -> PullProbe:
    """Return the probe that the options ask for.

    :raises OptionError: for an invalid image, name or label, and for an image without a registry.
    """
    check_name("service_account", options["service_account"])
    secrets = tuple(dict.fromkeys(options["image_pull_secrets"] or ()))
    for name in secrets:
        check_name("image_pull_secrets", name)
    return PullProbe(
        _images(options["images"]),
        options["service_account"],
        secrets,
        _selectors(options["node_selectors"]),
        options["timeout"],
        options["keep_failed"],
    )


def _images(given: list[str]) -> tuple[str, ...]:
    if not given:
        raise OptionError("option 'images' is empty: give at least one")
    for image in given:
        reference = reference_of(image)
        if reference is None:
            raise OptionError(
                f"option 'images': {_quote_value(image)} is not the name of an image: give REGISTRY/PATH:TAG"
            )
        if reference.is_short:
            raise OptionError(
                f"option 'images': {_quote_value(image)} names no registry, so nodes may use different ones: give REGISTRY/PATH:TAG, such as "
                f"{reference}"
            )
    return tuple(dict.fromkeys(given))


def _selectors(given: list[dict[Any, Any]] | None) -> tuple[Mapping[str, str], ...]:
    if given is None:
        return ({},)
    if not given:
        raise OptionError("option 'node_selectors' is empty: give at least one, or leave it out for a pod on any node")
    for selector in given:
        for key, value in selector.items():
            _check_label(key, value)
    return tuple(selector for at, selector in enumerate(given) if selector not in given[:at])


def _check_label(key: Any, value: Any) -> None:
    """:raises OptionError: unless the API server accepts it as a label."""
    prefix, slash, name = key.rpartition("/") if isinstance(key, str) else ("", "", "")
    if not _LABEL_NAME.match(name) or (slash and not is_name(prefix)):
        raise OptionError(f"option 'node_selectors': {_quote_value(key)} cannot be the key of a label")
    if not isinstance(value, str):
        raise OptionError(
            f"option 'node_selectors': the value of {key} is {value!r}, which is not a string: put it in quotes"
        )
    if not _LABEL_VALUE.match(value):
        raise OptionError(f"option 'node_selectors': {_quote_value(value)} cannot be the value of label {key}")


def _quote_value(value: Any) -> str:
    return repr(value if len(str(value)) <= _SHOWN else f"{str(value)[:_SHOWN]}...")
