# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of `automation_account` ask for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_name, check_namespace
from ...rbac.rights import JOBS
from .parts import Parts

__all__ = ["ARGUMENTS", "AccountWanted", "from_options"]

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "default": "image-pull"},
    "namespace": {"type": "str", "required": True},
    "jobs": {"type": "list", "elements": "str", "choices": [*JOBS]},
    "everywhere": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent", "rendered"], "default": "present"},
    "token_seconds": {"type": "int"},
    "kubeconfig_dest": {"type": "path"},
}

#: The API server gives no token for a shorter time (kubernetes pkg/apis/authentication/validation).
_SHORTEST = 600


@dataclass(frozen=True)
class AccountWanted:
    """`token_seconds`: how long the token is to live, None for none. `kubeconfig_dest`: the file that it is written to."""

    parts: Parts
    state: str
    token_seconds: int | None = None
    kubeconfig_dest: str | None = None


def from_options(options: Mapping[str, Any]) -> AccountWanted:
    """:raises OptionError: when they cannot be meant, all reasons at once."""
    check_namespace("namespace", options["namespace"])
    check_name("name", options["name"])
    problems = list(_problems(options))
    if problems:
        raise OptionError("; ".join(problems))
    parts = Parts(options["namespace"], options["name"], tuple(dict.fromkeys(options["jobs"] or ())), options["everywhere"])
    return AccountWanted(parts, options["state"], options["token_seconds"], options["kubeconfig_dest"])


def _problems(options: Mapping[str, Any]) -> list[str]:
    state, named, selected = options["state"], options["namespaces"], options["namespace_selector"]
    found = []
    if state != "absent" and not options["jobs"]:
        found.append("give 'jobs': without any, the account needs no rights")
    if options["everywhere"] and (named or selected):
        found.append("give either 'everywhere' or the namespaces, not both")
    if state == "rendered" and selected:
        found.append("state rendered asks no cluster, so it needs 'namespaces' in place of 'namespace_selector'")
    if state == "absent" and (named or selected):
        found.append("state absent takes all of the account's rights back: leave the namespaces out")
    if options["token_seconds"] is not None and options["token_seconds"] < _SHORTEST:
        found.append(f"option 'token_seconds' is {options['token_seconds']}: no token lives for less than {_SHORTEST} seconds")
    if options["token_seconds"] is not None and state != "present":
        found.append("option 'token_seconds' is for state present only")
    if options["kubeconfig_dest"] and options["token_seconds"] is None:
        found.append("option 'kubeconfig_dest' needs 'token_seconds': how long the token in it is to live")
    return found
