# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error of the node for an image, if the pod has image volumes. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ...images.pull_messages import PullAttempt
from ..lookup import Lookup
from ..subjects import ContainerPull
from ..verdict import StepResult, info, unknown
from .login import last_node_error
from .times import events_of

__all__ = ["explain_mounts", "explain_shared_error", "node_error"]


def node_error(subject: ContainerPull, evidence: Lookup) -> PullAttempt | None:
    """Return the node's last error for the image. Only events show that of a volume that no container mounts.

    :raises ReadRequired: when the events have to be read first.
    """
    return last_node_error(subject, evidence) if subject.is_mounted else events_of(subject, evidence).standing_cause


def explain_mounts(subject: ContainerPull) -> Iterator[StepResult]:
    if not subject.is_mounted:
        text = f"no container mounts volume {subject.volume}. The node pulls its image, but no container waits for it, and only events show an error"
        yield info("volume", text)


def explain_shared_error(subject: ContainerPull, error: PullAttempt | None) -> Iterator[StepResult]:
    if subject.shares_error and error is not None:
        text = f"the node says: {error.text}. This does not name one image of the pod, so it may be about another one"
        yield unknown("node", text)
