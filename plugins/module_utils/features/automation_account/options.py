# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of `automation_account` ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_name, check_namespace
from ...core.variable_files import FilesWanted
from ...rbac.rights import HOSTED_PULL_SECRETS, JOBS, options_of
from .parts import AccountRoles

__all__ = ["ARGUMENTS", "AccountRequest", "from_options"]

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "default": "image-pull"},
    "namespace": {"type": "str", "required": True},
    "jobs": {"type": "list", "elements": "str", "choices": [*JOBS]},
    "everywhere": {"type": "bool", "default": False},
    HOSTED_PULL_SECRETS: {"type": "list", "elements": "str", "no_log": False},
    "state": {"type": "str", "choices": ["present", "absent", "rendered"], "default": "present"},
    "token_seconds": {"type": "int", "no_log": False},
    "kubeconfig_dest": {"type": "path"},
}

#: The API server gives no token for a shorter time (kubernetes pkg/apis/authentication/validation).
_SHORTEST = 600


@dataclass(frozen=True)
class AccountRequest:
    """`token_seconds`: how long the token is to live, None for none. `kubeconfig_dest`: the file that it is written to."""

    parts: AccountRoles
    state: str
    token_seconds: int | None = None
    kubeconfig_dest: str | None = None

    @property
    def files(self) -> FilesWanted | None:
        """The kubeconfig that is to be written."""
        if self.kubeconfig_dest is None:
            return None
        path = PurePath(self.kubeconfig_dest)
        return FilesWanted(str(path.parent), (path.name,), force=True, option="kubeconfig_dest")

    def require_targets(self, *, named: bool, selected: bool) -> None:
        """Whether namespaces are named or selected. :raises OptionError: when that contradicts what is wanted."""
        if self.parts.everywhere and (named or selected):
            raise OptionError("give either 'everywhere' or the namespaces, not both")
        if self.state == "absent" and (named or selected):
            raise OptionError("state absent takes all of the account's rights back: leave the namespaces out")
        if self.state == "rendered" and selected:
            raise OptionError("state rendered asks no cluster: give 'namespaces' in place of 'namespace_selector'")


def from_options(options: Mapping[str, Any]) -> AccountRequest:
    """:raises OptionError: when they cannot be meant, all reasons at once."""
    check_namespace("namespace", options["namespace"])
    check_name("name", options["name"])
    secrets = tuple(dict.fromkeys(options[HOSTED_PULL_SECRETS] or ()))
    for name in secrets:
        check_name(HOSTED_PULL_SECRETS, name)
    problems = list(_problems(options))
    if problems:
        raise OptionError("; ".join(problems))
    jobs = tuple(dict.fromkeys(options["jobs"] or ()))
    parts = AccountRoles(options["namespace"], options["name"], jobs, options["everywhere"], secrets)
    return AccountRequest(parts, options["state"], options["token_seconds"], options["kubeconfig_dest"])


def _problems(options: Mapping[str, Any]) -> Iterator[str]:
    state, seconds = options["state"], options["token_seconds"]
    if state != "absent" and not options["jobs"]:
        yield "give 'jobs': without any, the account needs no rights"
    yield from _of_names(options)
    if seconds is not None and seconds < _SHORTEST:
        yield f"option 'token_seconds' is {seconds}: no token lives for less than {_SHORTEST} seconds"
    if seconds is not None and state != "present":
        yield "option 'token_seconds' is for state present only"
    if options["kubeconfig_dest"] and seconds is None:
        yield "option 'kubeconfig_dest' needs 'token_seconds': how long the token in it is to live"


def _of_names(options: Mapping[str, Any]) -> Iterator[str]:
    """Kubernetes gives a right to named objects, or to all of a namespace: for want of names it is not given to all."""
    needed, given = HOSTED_PULL_SECRETS in options_of(options["jobs"] or ()), bool(options[HOSTED_PULL_SECRETS])
    if options["state"] == "absent":
        return
    if needed and not given:
        yield (
            f"give '{HOSTED_PULL_SECRETS}', the pull secrets to which the job management_pull_secret is to have access: "
            "kubectl get hostedclusters -A -o custom-columns=NAMESPACE:.metadata.namespace,SECRET:.spec.pullSecret.name shows them"
        )
    if given and not needed:
        yield f"option '{HOSTED_PULL_SECRETS}' is for the job management_pull_secret: add that to 'jobs', or leave it out"
