# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a pull that breaks can be kept working, in one sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.text import join_and
from ...explain.fixes import Offer, options_of
from .tasks import GRANT, LINK, NEW_POD, SECRET_TASK

__all__ = ["advise"]

#: The work that no task of this collection does, by the step that fails.
_BY_STEP: Mapping[str, str] = {
    "network": "copy the image to a registry that the nodes reach, and declare that registry as a mirror",
    "mirrors": "copy the image to a mirror that serves it in this way, or allow pulls from the source",
    "image": "keep the mirror or the login with which the nodes get the image, or copy the image to its registry",
    "copy": "copy the image to its mirror, with all its architectures",
    "certificate": "add the certificate authority of the mirror to those of the nodes",
    "platform": "use an image for the architecture of the nodes, or run the pod on other nodes",
    "registries": "allow the registry in the image config of the cluster, or take the image from an allowed one",
    "signature": "sign the image, and keep the signature at the registry that serves it, or narrow the scope of the policy",
    "login": "keep a login that the registry accepts in a pull secret of the pod",
    "keys": "keep a login for the registry in a pull secret of the pod",
    "secret": "correct the pull secret",
    "pull_secrets": "create the service account",
    "project": "keep the right of the service account to pull from the project",
    "stream": "keep the image in the image stream",
    "cached": "let the nodes pull the image, or load it on the new nodes",
}
#: The work if the changes would undo the task that helps, by its module.
_BY_UNDONE_TASK: Mapping[str, str] = {
    SECRET_TASK: "leave the pull secret out of the changes, or first give the pod a login for the registry in another one",
    LINK: "leave the link out of the changes, or first link another pull secret with a login for the registry",
    GRANT: "leave the grant out of the changes",
}
_OTHERWISE = "correct the reason before the change, or leave the change out"


def advise(step: str, offer: Offer, undone: str = "", *, pod: str = "") -> str:
    """Return the sentence for a pull that fails at `step`, without a full stop. It contains no text of a cluster, except in a refusal.

    `undone`: see `TaskChoice`. `pod` names the present pods with this pull, and is empty for the pods that will be created.
    """
    again = f"create {pod} again: a pod keeps the list of pull secrets with which it was created"
    if offer.tasks:
        titles = list(dict.fromkeys(str(task["name"]) for task in offer.tasks))
        work = join_and([titles[0], *(title[0].lower() + title[1:] for title in titles[1:])])
        return f"{work}, and then {again}" if pod and any(options_of(task)[0] == LINK for task in offer.tasks) else work
    if undone == NEW_POD:
        return f"after the changes, {again}"
    return offer.refusal or _BY_UNDONE_TASK.get(undone) or _BY_STEP.get(step, _OTHERWISE)
