# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `credential_provider`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_names
from ...core.namespaces import is_platform_namespace
from ...core.text import summarize
from ...images.credential_providers import MOST_ENTRIES, entry_problem
from ...images.references import reference_of

__all__ = ["ARGUMENTS", "ProviderRequest", "from_options"]

ARGUMENTS: dict[str, Any] = {
    "match_images": {"type": "list", "elements": "str"},
    "service_accounts": {"type": "list", "elements": "str", "default": ["default"]},
    "create_role": {"type": "bool", "default": False},
    "images": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

_SHOWN = 5


@dataclass(frozen=True)
class ProviderRequest:
    """The entries of `matchImages`, and the accounts that list secrets in each target namespace. Without `present`, they are removed.

    `create_role`: create the cluster role if it does not exist. `images` are explained for each account.
    """

    match_images: tuple[str, ...]
    service_accounts: tuple[str, ...]
    create_role: bool = False
    images: tuple[str, ...] = ()
    present: bool = True

    def require_targets(self, *, has_targets: bool) -> None:
        """Check the options against the namespaces. :raises OptionError: when there is nothing to do, or an option needs namespaces."""
        if has_targets:
            return
        if not self.match_images:
            raise OptionError("give 'match_images', the namespaces whose accounts list secrets, or both")
        needless = [name for name, given in (("create_role", self.create_role), ("images", bool(self.images))) if given]
        if needless:
            raise OptionError(
                "; ".join(
                    f"option '{name}' needs option 'namespaces' or 'namespace_selector', whose accounts list secrets"
                    for name in needless
                )
            )

    def refuse_platform(self, namespaces: Sequence[str]) -> None:
        """Refuse to give away the secrets of the platform. :raises OptionError: when there is one of its namespaces."""
        found = [name for name in namespaces if self.present and is_platform_namespace(name)]
        if found:
            raise OptionError(
                f"option 'namespaces' or 'namespace_selector' has namespaces of the platform: {summarize(found, _SHOWN)}. Every pod of an "
                "account could list their secrets, with the logins of the cluster: leave them out"
            )


def from_options(options: Mapping[str, Any]) -> ProviderRequest:
    """Return the request. :raises OptionError: with all problems of the options at once."""
    problems = list(_problems(options))
    if problems:
        raise OptionError("; ".join(problems))
    return ProviderRequest(
        _texts(options, "match_images"),
        tuple(dict.fromkeys(options["service_accounts"])),
        options["create_role"],
        _texts(options, "images"),
        options["state"] == "present",
    )


def _texts(options: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(options[name] or ()))


def _problems(options: Mapping[str, Any]) -> Iterator[str]:
    entries = _texts(options, "match_images")
    yield from (f"option 'match_images': {problem}" for problem in map(entry_problem, entries) if problem)
    if len(entries) > MOST_ENTRIES:
        yield f"option 'match_images' has {len(entries)} entries, and the API server accepts {MOST_ENTRIES}: write shorter ones"
    try:
        check_names("service_accounts", options["service_accounts"])
    except OptionError as error:
        yield str(error)
    for image in _texts(options, "images"):
        if reference_of(image) is None:
            yield f"option 'images': {image!r} is not a valid image name: write it as a pod would"
    if options["state"] == "absent":
        yield from (f"option '{name}' is for state present" for name in ("create_role", "images") if options[name])
