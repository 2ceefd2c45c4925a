# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tasks keep a pull working although the changes are made, and the advice in one sentence. Pure.

An explanation does not know the changes, so it can offer to create a secret that they delete. A task runs before the changes, and is left out if
they undo it, or leave the same without it. No task removes anything from an object of the present cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...core.objects import SECRET, SERVICE_ACCOUNT, ObjectRef, as_dict, as_list, as_str, as_strs
from ...core.text import join_and
from ...explain.chain import explain
from ...explain.fixes import PREFIX, Fix, Offer, options_of
from ...explain.lookup import Lookup, try_lookup
from ...explain.subjects import ContainerPull
from ...explain.verdict import PullVerdict
from ...platform.account_lists import names_in
from ...rbac.subjects import pull_review
from .overlay import ChangedLookup
from .patches import LinkPatch, SecretPatch

#: The modules whose tasks changes can undo.
SECRET_TASK, LINK, GRANT = "pull_secret", "sa_link", "image_puller_grant"
#: Only a pod with the list that new pods get is missing.
NEW_POD = "pod"


@dataclass(frozen=True)
class TaskChoice:
    """The tasks that last. `undone`: the module of a task that the changes would undo if it was the only way, or NEW_POD, otherwise empty."""

    tasks: Sequence[Fix] = ()
    undone: str = ""


def choose_tasks(found: PullVerdict, before: Lookup, after: ChangedLookup, *, asks: bool) -> TaskChoice:
    """Return the tasks for a pull that fails after the changes. `found` is its explanation there.

    If the changes take a secret away, the tasks are those for a pod without it.

    :raises ReadRequired: when more objects must be read first.
    """
    # The advice says which pods must be created again, so it makes no difference here whether a controller does that.
    subject = replace(found.subject, is_bare=False)
    tasks = explain(subject, after, asks=asks).fix if found.subject.is_bare and not found.fix else found.fix
    undone, lost = "", frozenset[str]()
    while broken := [task for task in tasks if _is_undone(task, before, after)]:
        module, options = options_of(broken[0])
        undone = undone or module
        names = {SECRET_TASK: [as_str(options.get("name"))], LINK: as_strs(options.get("secrets"))}.get(module, [])
        if lost.issuperset(names) or as_strs(options.get("namespaces")) != [subject.namespace]:
            return TaskChoice(undone=undone)
        lost |= {*names}
        tasks = _tasks_without(lost, subject, after, asks=asks)
    if all(_is_left(task, after) for task in tasks):
        return TaskChoice(undone=NEW_POD if tasks else undone)
    return TaskChoice([_without_loss(task) for task in tasks])


def _is_undone(task: Fix, before: Lookup, after: ChangedLookup) -> bool:
    """Whether the changes take away what the task sets up."""
    module, options = options_of(task)
    places = as_strs(options.get("namespaces"))
    if module == SECRET_TASK:
        name = as_str(options.get("name"))
        return any(_is_secret_changed(ObjectRef(SECRET, place, name), before, after) for place in places)
    if module == LINK:
        return any(_is_link_undone(ref, secret, before, after) for ref, secret in _links_of(options))
    accounts = [as_dict(each) for each in as_list(options.get("service_accounts"))] if module == GRANT else []
    names = [(as_str(each.get("namespace")), as_str(each.get("name"))) for each in accounts]
    return any(after.undoes_grant(pull_review(project, *each)) for project in places for each in names)


def _is_left(task: Fix, after: Lookup) -> bool:
    """Whether the task only makes links that exist after the changes."""
    module, options = options_of(task)
    return module == LINK and all(secret in _listed(ref, after) for ref, secret in _links_of(options))


def _links_of(options: Mapping[str, Any]) -> list[tuple[ObjectRef, str]]:
    return [
        (ObjectRef(SERVICE_ACCOUNT, place, name), secret)
        for place in as_strs(options.get("namespaces"))
        for name in as_strs(options.get("service_accounts"))
        for secret in as_strs(options.get("secrets"))
    ]


def _is_link_undone(account: ObjectRef, secret: str, before: Lookup, after: ChangedLookup) -> bool:
    """Whether the changes take the link away, if it exists or is made before them."""
    is_lost = secret in _listed(account, before) and secret not in _listed(account, after)
    return is_lost or after.undoes_link(account, secret)


def _is_secret_changed(ref: ObjectRef, before: Lookup, after: ChangedLookup) -> bool:
    """Whether the changes delete or write the secret. A login that its registry will refuse is still in it."""
    if not after.touches(ref):
        return False
    was, now = (as_dict(try_lookup(state, ref)[0]) for state in (before, after))
    return not now or any(was.get(part) != now.get(part) for part in ("type", "data"))


def _listed(account: ObjectRef, state: Lookup) -> Sequence[str]:
    return names_in(as_dict(try_lookup(state, account)[0]), "imagePullSecrets")


def _tasks_without(names: frozenset[str], subject: ContainerPull, after: ChangedLookup, *, asks: bool) -> Sequence[Fix]:
    """The tasks without these secrets and their links. None for a list that only its author can change."""
    own = tuple(name for name in subject.own if name not in names)
    if subject.own and not own and not (subject.is_pod and {*subject.own} <= {*_listed(subject.account_ref, after)}):
        return []
    there = frozenset({subject.namespace})
    without = ChangedLookup(
        after, [LinkPatch(names, None, there), *(SecretPatch(name, there) for name in sorted(names))]
    )
    return explain(replace(subject, own=own, reason="", message="", shares_error=False), without, asks=asks).fix


def _without_loss(task: Fix) -> Fix:
    """The task with the entries that its secret may have today. One that replaces a content says so."""
    module, options = options_of(task)
    return (
        {**task, PREFIX + module: {**options, "mode": options.get("mode", "merge")}} if module == SECRET_TASK else task
    )


# --- advice

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
    "project": "keep the project, or create it, and let the service account pull from it",
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
