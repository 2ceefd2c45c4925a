# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seal of a plan that a job in AWX passes to a later job of the same workflow. Pure.

A bulk launch can give a job any plan. So the first job seals its plan with a key that only the jobs of a rotation have. The seal is for one
run of a workflow, because no user can choose the number of that run, and the approval is between its jobs. The sealed plan is text: other
values can arrive changed, such as a name that looks like a number.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PlanSeal"]


@dataclass(frozen=True)
class PlanSeal:
    """The seal of one host of the inventory, in one run of a workflow."""

    key: bytes
    workflow: str
    host: str

    def seal(self, plan: Mapping[str, Any]) -> str:
        """Return the plan as text with its seal. Without a key, no job accepts it."""
        content = json.dumps({"workflow": self.workflow, "host": self.host, "plan": plan}, sort_keys=True)
        return f"{self._sign(content) if self.key else ''} {content}"

    def unseal(self, text: Any) -> dict[str, Any]:
        """Return the plan.

        :raises ValueError: if this job did not get the text from a job with the same key in the same run of a workflow.
        """
        seal, _space, content = text.partition(" ") if isinstance(text, str) and text.isascii() else ("", "", "")
        if not self.key:
            raise ValueError("this job has no key: add the credential 'Image pull: seal of plans' to its template")
        if not hmac.compare_digest(seal.encode(), self._sign(content).encode()):
            raise ValueError("its seal is not that of a job of the rotation, so someone else may have written it")
        found: dict[str, Any] = json.loads(content)
        if not self.workflow or (found["workflow"], found["host"]) != (self.workflow, self.host):
            raise ValueError("it is for another run of the workflow or for another host. Launch the workflow again")
        return dict(found["plan"])

    def _sign(self, content: str) -> str:
        return hmac.new(self.key, content.encode(), hashlib.sha256).hexdigest()
