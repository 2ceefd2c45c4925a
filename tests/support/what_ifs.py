# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What-if documents: small ones, and hostile ones."""

from __future__ import annotations

from collections import Counter
from typing import Any

__all__ = ["ACCESS", "ANSWERS", "MADE", "change", "container", "document", "hostile"]

Json = dict[str, Any]

MADE = "2026-11-25T17:10:00Z"
ANSWERS = ("would_break", "unknown", "still_broken", "would_work", "still_pulls")
_COUNTED = (*ANSWERS, "not_affected")
_VERDICTS = {
    "would_break": ("pulls", "will_not_pull"),
    "unknown": ("pulls", "unknown"),
    "still_broken": ("will_not_pull", "will_not_pull"),
    "would_work": ("will_not_pull", "pulls"),
    "still_pulls": ("pulls", "pulls"),
}
_REASONS = {
    "pulls": "secret pull has the key quay.io, and the registry accepts the login",
    "will_not_pull": "no pull secret of the pod is for quay.io/team/app, and the registry refuses a pull without a login",
    "unknown": "whether the registry serves the image without a login is not known",
}
_BROKEN: Json = {
    "changes": [0],
    "when": "at_rollout",
    "when_reason": "the next pod that is created does not get the image",
    "advice": "Link a pull secret to a service account",
    "fix": [
        {
            "name": "Link a pull secret to a service account",
            "openshift_ops.image_pull.sa_link": {
                "namespaces": ["shop"], "service_accounts": ["default"], "secrets": ["other"], "restart_pods": "stuck",
            },
        }
    ],
    "fix_effects": [
        "This lets every pod of service account default of namespace shop pull with the logins of secret other."
    ],
}  # fmt: skip
_NO_FIX: Json = {
    "changes": [], "entries": [], "when": "", "possibly": "", "when_reason": "", "advice": "", "fix": [], "fix_effects": [], "fix_refusal": "",
}  # fmt: skip
#: Members with a text of our own, or with a form that the schema defines.
_OURS = {
    "format", "made", "kind", "how", "answer", "verdict", "when", "possibly", "step", "fix", "images_to_mirror", "cannot_know", "summary",
    "container", "volume",
}  # fmt: skip

#: A row of an access review.
ACCESS = {
    "how": "login", "namespace": "a", "kind": "ServiceAccount", "name": "default", "registry": "quay.io", "repository": "", "username": "robot",
    "project": "", "through": ["pull"], "workloads": [], "changes": [0], "entries": [],
}  # fmt: skip


def change(title: str = "secret pull is deleted", kind: str = "remove_secrets", **more: Any) -> Json:
    return {
        "kind": kind,
        "title": title,
        "no_effect": "",
        "cannot_know": ["which pods will be created again"],
        **more,
    }


def container(answer: str = "would_break", **more: Any) -> Json:
    """One row. It has what its answer needs."""
    before, after = _VERDICTS[answer]
    return {
        "namespace": "shop",
        "kind": "Deployment",
        "name": "web",
        "container": "app",
        "volume": "",
        "service_account": "default",
        "image": "quay.io/team/app:1",
        "registry": "quay.io",
        "pods": 1,
        "answer": answer,
        "not_asked": False,
        "before": {"verdict": before, "reason": _REASONS[before]},
        "after": {
            "verdict": after, "reason": _REASONS[after], "step": "login" if answer in ("would_break", "still_broken") else ""
        },
        **_NO_FIX,
        **(_BROKEN if answer == "would_break" else {}),
        **more,
    }  # fmt: skip


def document(*containers: Json, others: int = 0, **more: Any) -> Json:
    """A document with these containers, and `others` that no change affects."""
    counted = Counter(each["answer"] for each in containers)
    counted["not_affected"] += others
    return {
        "format": "openshift_ops.image_pull/what_if/1",
        "made": MADE,
        "server": "https://api.production.example.com:6443",
        "against": "",
        "changes": [change()],
        "counts": {answer: counted[answer] for answer in _COUNTED},
        "not_asked": sum(each["not_asked"] for each in containers),
        "builds": 0,
        "containers": [*containers],
        "summary": {"namespaces": [], "registries": [], "images": [], "changes": []},
        "access": {"gained": [], "lost": [], "unknown": [], "unplanned": []},
        "restart_pulls": [],
        "images_to_mirror": {
            "images": [],
            "not_pulled_today": [],
            "refused": 0,
            "skopeo": {},
            "oc_mirror": {
                "apiVersion": "mirror.openshift.io/v2alpha1",
                "kind": "ImageSetConfiguration",
                "mirror": {"additionalImages": []},
            },
            "not_in_oc_mirror": [],
        },
        "forecasts": [],
        "unreadable": [],
        "unread_workloads": [],
        "unread_images": [],
        **more,
    }


def hostile(text: str) -> Json:
    """A document in which every text of a cluster is `text`, with one container for each answer."""

    def rewrite(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: part if name in _OURS else rewrite(part) for name, part in value.items()}
        if isinstance(value, list):
            return [rewrite(part) for part in value]
        return text if isinstance(value, str) and value else value

    rows = [container(answer) for answer in ANSWERS]
    gained = {**ACCESS, "repository": "x", "workloads": ["x"], "entries": ["x"], "changes": [0, 1]}
    lost = {**gained, "how": "grant", "project": "x"}
    access = {
        "gained": [gained],
        "lost": [lost],
        "unknown": ["x"],
        "unplanned": [{"namespace": "x", "entry": "x", "reason": "x"}],
    }
    more: Json = {"forecasts": ["x"], "unreadable": ["x"], "access": access, "against": "x"}
    found: Json = rewrite(document(*rows, changes=[change(), change()], **more))
    return found
