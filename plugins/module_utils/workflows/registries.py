# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks registries how they authenticate, many at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Union

from ..clients.registry.challenge import AuthInfo
from ..clients.registry.client import RegistryOptions, ask, registry_host
from ..core.entries import Entry
from ..core.entry_lists import EntryList, entries_of
from ..core.errors import ImagePullError
from ..reconcile.workers import Workers

__all__ = ["ask_registries"]

#: So many registries are asked at the same time.
_AT_ONCE = 16

_Answer = Union[AuthInfo, ImagePullError]


def ask_registries(form: EntryList, params: Mapping[str, Any]) -> dict[str, Any]:
    """The result for the one registry of the options, or for all of the list.

    :raises ImagePullError: when the one registry cannot be asked, or gives no answer of a registry.
    """
    if params.get(form.option) is not None:
        return _ask_all([(entry, _options(options)) for entry, options in entries_of(form, params)])
    options = _options(params)
    return {"changed": False, **_told(options, ask(options))}


def _options(params: Mapping[str, Any]) -> RegistryOptions:
    return RegistryOptions(**{field.name: params[field.name] for field in fields(RegistryOptions)})


def _ask_all(registries: Sequence[tuple[Entry, RegistryOptions]]) -> dict[str, Any]:
    """The result for many: failed when one of them has failed, with the answers of the others."""
    different = list(dict.fromkeys(options for _entry, options in registries))
    with Workers(_AT_ONCE) as workers:
        answers = dict(zip(different, workers.map(_answer, different), strict=True))
    failed = [
        (entry, str(answer)) for entry, options in registries if isinstance(answer := answers[options], ImagePullError)
    ]
    result = {
        "changed": False,
        "registries": [_told(options, answers[options]) for _entry, options in registries],
        "failures": [{"entry": entry.position, "title": str(entry), "error": error} for entry, error in failed],
    }
    if not failed:
        return result
    reasons = "; ".join(dict.fromkeys(f"{entry}: {error}" for entry, error in failed))
    return {**result, "failed": True, "msg": f"{len(failed)} of {len(registries)} registries did not answer: {reasons}"}


def _answer(options: RegistryOptions) -> _Answer:
    try:
        return ask(options)
    except ImagePullError as error:
        return error


def _told(options: RegistryOptions, answer: _Answer) -> dict[str, Any]:
    if isinstance(answer, ImagePullError):
        return {"registry": options.registry}
    return {"registry": registry_host(options), **asdict(answer)}
