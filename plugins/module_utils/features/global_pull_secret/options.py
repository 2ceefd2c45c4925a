# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `global_pull_secret_info`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_name
from ...core.objects import ObjectRef
from ...dockerconfig.auth_file import FILE_ARGUMENTS, auth_file_from_options
from ...dockerconfig.registry_keys import check_key
from ...platform.hosted import HOSTED_CLUSTER

__all__ = ["GlobalPullSecret", "from_options", "hosted_cluster"]


@dataclass(frozen=True)
class GlobalPullSecret:
    """The validated options. `merge`: registries to add. `hosted_cluster`: the hosted cluster to look at from its management cluster.

    `wait`: whether to wait for the nodes; `allow_paused`: except for those of paused pools. `rendered_before`: the configuration of
    each pool before a write, by name.
    """

    merge: Sequence[str] = ()
    hosted_cluster: ObjectRef | None = None
    wait: bool = False
    allow_paused: bool = False
    rendered_before: Mapping[str, str] = field(default_factory=dict)


def from_options(options: Mapping[str, Any], read_file: Callable[[str], str]) -> GlobalPullSecret:
    """Return the validated options. :raises OptionError: when an option is invalid."""
    names = [*_check_names(options.get("merge") or ()), *_registries_in_file(options, read_file)]
    before = {str(pool): str(name) for pool, name in (options.get("rendered_before") or {}).items()}
    return GlobalPullSecret(
        names,
        hosted_cluster(options.get("hosted_cluster")),
        bool(options.get("wait")),
        bool(options.get("allow_paused")),
        before,
    )


def _check_names(names: Sequence[str]) -> Sequence[str]:
    for name in names:
        check_key("option 'merge'", name)
    return names


def _registries_in_file(options: Mapping[str, Any], read_file: Callable[[str], str]) -> Sequence[str]:
    """Return the registries of the auth file to merge."""
    given = {name: options.get(name) for name in FILE_ARGUMENTS}
    if given["auth_file"] is None and given["auth_config"] is None:
        if given["include"] is not None:
            raise OptionError(
                "option 'include' selects entries of 'auth_file' or 'auth_config': give one, or leave it out"
            )
        return ()
    return tuple(auth_file_from_options(given, read_file).registries)


def hosted_cluster(given: str | None) -> ObjectRef | None:
    """Return the hosted cluster of the option `hosted_cluster`; None without one.

    :raises OptionError: when the text is not NAMESPACE/NAME.
    """
    if not given:
        return None
    namespace, _slash, name = given.partition("/")
    if not (namespace and name):
        raise OptionError(f"option 'hosted_cluster': {given!r} is not NAMESPACE/NAME")
    check_name("hosted_cluster", namespace)
    check_name("hosted_cluster", name)
    return ObjectRef(HOSTED_CLUSTER, namespace, name)
