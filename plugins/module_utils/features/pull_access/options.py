# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of `pull_access_info` ask about. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_path_segment
from ...core.objects import Kind
from ...pulls.subjects import WORKLOADS

__all__ = ["PullAccess", "from_options"]


@dataclass(frozen=True)
class PullAccess:
    """A pod, the pods of a workload (`pods_of`), or an account with an image, in each of the namespaces; without any of them, all pods and workloads."""

    pod: str = ""
    pods_of: tuple[Kind, str] | None = None
    account: str = ""
    image: str = ""


def from_options(options: Mapping[str, Any]) -> PullAccess:
    """:raises OptionError: for names that cannot exist, and a kind of workload that makes no pods."""
    for option in ("pod", "service_account"):
        if options[option] is not None:
            check_path_segment(option, options[option])
    if options["image"] is not None:
        if not options["image"].strip():
            raise OptionError("option 'image' is empty: give the image as a pod would name it")
        return PullAccess(account=options["service_account"] or "default", image=options["image"])
    if options["service_account"] is not None:
        raise OptionError(
            "option 'service_account' is for 'image': a pod and a workload have their own. Give 'image', or leave it out"
        )
    return PullAccess(options["pod"] or "", _workload(options["workload"]))


def _workload(given: str | None) -> tuple[Kind, str] | None:
    if given is None:
        return None
    kind, slash, name = given.partition("/")
    found = WORKLOADS.get(kind.lower())
    if not slash or found is None:
        known = ", ".join(sorted(each.kind for each in WORKLOADS.values()))
        raise OptionError(f"option 'workload' is {given!r}: give KIND/NAME, with one of the kinds {known}")
    check_path_segment("workload", name)
    return found, name
