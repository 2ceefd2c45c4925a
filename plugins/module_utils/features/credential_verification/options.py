# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `credential_verification`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_name, is_namespace, is_pattern
from ...core.namespaces import NamespaceSelector
from ...images.image_verification import (
    NEVER_VERIFY_ALLOWLISTED,
    POLICIES,
    VerificationPolicy,
    policy_problems,
    unmatchable_entries,
)

__all__ = ["ARGUMENTS", "VerificationRequest", "from_options"]

ARGUMENTS: dict[str, Any] = {
    "pool": {"type": "str", "default": "worker"},
    "name": {"type": "str", "default": "image-pull-verification"},
    "policy": {"type": "str", "choices": [*POLICIES]},
    "allow_list": {"type": "list", "elements": "str"},
    "allow_images_of": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

#: Patterns of namespaces whose names users cannot choose for their projects (openshift-apiserver, project request).
_RESERVED = ("openshift-", "kube-")


@dataclass(frozen=True)
class VerificationRequest:
    """The policy for the nodes of the machine config pool `pool`, in the KubeletConfig `name`. `verification` None: the fields are removed.

    `trusted`: the namespaces whose images are added to the allow-list, None for none.
    """

    pool: str
    name: str
    verification: VerificationPolicy | None
    trusted: NamespaceSelector | None = None


def from_options(options: Mapping[str, Any]) -> VerificationRequest:
    """Return the request. :raises OptionError: with all problems of the options at once."""
    check_name("name", options["name"])
    check_name("pool", options["pool"])
    problems = list(_problems(options))
    if problems:
        raise OptionError("; ".join(problems))
    allow_list, trusted = _texts(options, "allow_list"), _texts(options, "allow_images_of")
    is_absent = options["state"] == "absent"
    return VerificationRequest(
        options["pool"],
        options["name"],
        None if is_absent else VerificationPolicy(options["policy"], allow_list),
        NamespaceSelector(include=trusted, system=True) if trusted else None,
    )


def _texts(options: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(options[name] or ()))


def _problems(options: Mapping[str, Any]) -> Iterator[str]:
    policy, lists = options["policy"], [name for name in ("allow_list", "allow_images_of") if options[name]]
    if options["state"] == "absent":
        given = [*(["policy"] if policy else []), *lists]
        yield from (f"option '{name}' is for state present" for name in given)
        return
    if not policy:
        yield f"option 'policy' is missing: give one of {', '.join(POLICIES)}"
    elif lists and policy != NEVER_VERIFY_ALLOWLISTED:
        yield from (f"option '{name}' needs policy {NEVER_VERIFY_ALLOWLISTED}" for name in lists)
    elif policy == NEVER_VERIFY_ALLOWLISTED and not lists:
        yield f"policy {policy} needs options 'allow_list' or 'allow_images_of': with an empty list, it is AlwaysVerify"
    listed = VerificationPolicy(NEVER_VERIFY_ALLOWLISTED, _texts(options, "allow_list"))
    yield from (f"option 'allow_list': {problem}" for problem in policy_problems(listed, None))
    for entry in unmatchable_entries(listed, _NEWEST):
        yield f"option 'allow_list': no image can match {entry!r}: write a repository, or the beginning of one and /*"
    for name in _texts(options, "allow_images_of"):
        yield from _problems_of_namespace(name)


def _problems_of_namespace(name: str) -> Iterator[str]:
    """A list of images that users choose would free every image of a node: only names that they cannot choose may be patterns."""
    if is_pattern(name):
        if not name.startswith(_RESERVED):
            yield (
                f"option 'allow_images_of' has {name!r}, which can match projects that users name: give exact names, or patterns that "
                f"begin with {' or '.join(_RESERVED)}"
            )
    elif not is_namespace(name):
        yield f"option 'allow_images_of' has {name!r}, which is not the name of a namespace"


#: The version that the entries of the option are written for.
_NEWEST = (1, 36)
