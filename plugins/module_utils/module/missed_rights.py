# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report the rights that a task lacked once at its end, because results without them are incomplete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..clients.kube.client import Cluster, list_api_groups
from ..core.errors import ImagePullError, MissingPermission, describe_missing

__all__ = ["describe_unreported", "job_sentence", "missing_permissions"]

#: API groups that every API server has. Other groups may not exist, and a server also refuses access to groups that it does not know.
_EVERYWHERE = ("", "rbac.authorization.k8s.io", "authorization.k8s.io", "apps", "batch")


def missing_permissions(cluster: Cluster) -> set[MissingPermission]:
    """Return the missing rights, without those to kinds that the cluster does not have."""
    needs = cluster.needs
    if all(need.group in _EVERYWHERE for need in needs):
        return needs
    try:
        groups = list_api_groups(cluster)
    except ImagePullError:
        return needs
    return {need for need in needs if need.group in _EVERYWHERE or need.group in groups}


def describe_unreported(needs: Iterable[MissingPermission], told: Sequence[str]) -> list[str]:
    """Return the sentences about the rights that none of the texts in `told` names; empty if there are none."""
    return describe_missing(need for need in needs if not any(str(need) in text for text in told))


def job_sentence(needs: Iterable[MissingPermission], module: str) -> str:
    """Return a sentence with the jobs of `automation_account` that have these rights, preferably those of the module; empty if none has."""
    jobs = dict.fromkeys(job for need in sorted(needs) for job in _jobs_with(need, module))
    if not jobs:
        return ""
    return f"an account of the role automation_account has that with automation_account_jobs: [{', '.join(jobs)}]"


def _jobs_with(need: MissingPermission, module: str) -> Iterator[str]:
    """Yield the first job of the module that has the right, else the first job that has it. Nothing if the module is in no job."""
    from ..rbac.rights import JOBS  # noqa: PLC0415 - a long table, and few tasks lack a right

    if not any(module in _modules(job.what) for job in JOBS.values()):
        return
    resource = f"{need.resource}.{need.group}" if need.group else need.resource
    having = [
        name
        for name, job in JOBS.items()
        if any(right.resource == resource and need.verb in right.verbs for right in job.rights)
    ]
    own = [name for name in having if module in _modules(JOBS[name].what)]
    yield from (own or having)[:1]


def _modules(text: str) -> list[str]:
    return text.replace(",", " ").split()
