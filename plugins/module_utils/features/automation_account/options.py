# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `automation_account`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ...core.errors import OptionError
from ...core.files import FilesWanted
from ...core.names import check_name, check_namespace
from ...rbac.rights import HOSTED_PULL_SECRETS, JOBS, options_of
from .plan import AccountRoles

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

#: Minimum lifetime of a token in seconds (kubernetes pkg/apis/authentication/validation).
_SHORTEST = 600


@dataclass(frozen=True)
class AccountRequest:
    """The validated options. `token_seconds`: requested lifetime of the token, None for no token. `kubeconfig_dest`: file for the token."""

    parts: AccountRoles
    state: str
    token_seconds: int | None = None
    kubeconfig_dest: str | None = None

    @property
    def files(self) -> FilesWanted | None:
        """The requested kubeconfig file, None for none."""
        if self.kubeconfig_dest is None:
            return None
        path = PurePath(self.kubeconfig_dest)
        return FilesWanted(str(path.parent), (path.name,), force=True, option="kubeconfig_dest")

    def require_targets(self, *, named: bool, selected: bool) -> None:
        """Check `named` and `selected` namespaces against the other options. :raises OptionError: when they contradict each other."""
        if self.parts.everywhere and (named or selected):
            raise OptionError("give either 'everywhere' or the namespaces, not both")
        if self.state == "absent" and (named or selected):
            raise OptionError("state absent takes all of the account's rights back: leave the namespaces out")
        if self.state == "rendered" and selected:
            raise OptionError(
                "state rendered connects to no cluster: give 'namespaces' instead of 'namespace_selector'"
            )


def from_options(options: Mapping[str, Any]) -> AccountRequest:
    """Return the request of the options. :raises OptionError: with all invalid or contradictory options at once."""
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
    yield from _problems_of_names(options)
    if seconds is not None and seconds < _SHORTEST:
        yield f"option 'token_seconds' is {seconds}: the minimum is {_SHORTEST} seconds"
    if seconds is not None and state != "present":
        yield "option 'token_seconds' is for state present only"
    if options["kubeconfig_dest"] and seconds is None:
        yield "option 'kubeconfig_dest' needs 'token_seconds', the lifetime of the token in the file"


def _problems_of_names(options: Mapping[str, Any]) -> Iterator[str]:
    """Require names: Kubernetes can grant a right to named objects or to all of a namespace, and a missing name must not mean all."""
    needed, given = HOSTED_PULL_SECRETS in options_of(options["jobs"] or ()), bool(options[HOSTED_PULL_SECRETS])
    if options["state"] == "absent":
        return
    if needed and not given:
        yield (
            f"give '{HOSTED_PULL_SECRETS}', the pull secrets that the job management_pull_secret needs access to: "
            "kubectl get hostedclusters -A -o custom-columns=NAMESPACE:.metadata.namespace,SECRET:.spec.pullSecret.name shows them"
        )
    if given and not needed:
        yield f"option '{HOSTED_PULL_SECRETS}' is for the job management_pull_secret: add that to 'jobs', or leave it out"
