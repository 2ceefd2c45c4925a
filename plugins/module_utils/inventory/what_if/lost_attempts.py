# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attempts of a node that changes take away: a place of the image, or a login for it. Pure.

If no registry is asked, an explanation assumes that a login works and that each place has the image. A pull that works today can depend on
any one of its attempts, so it is not known to work if one of them is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ...core.objects import SECRET, Json, ObjectRef, as_dict
from ...explain.credentials import credentials_of, refused_logins
from ...explain.lookup import Lookup, try_lookup
from ...explain.node_settings import registries_of
from ...explain.steps.asked import PullRoute, join_routes, list_questions
from ...explain.steps.mirrors import mirrors_of
from ...explain.steps.pull_secrets import explain_secret_list
from ...explain.steps.sources import resolve_short_name
from ...explain.steps.streams import resolve_image
from ...explain.subjects import ContainerPull
from ...explain.verdict import PullVerdict
from ...images.image_questions import ImageQuestion
from ...images.references import Reference, reference_of
from ...platform.protected import NODE_SECRET
from ...secrets.content import StoredSecret

__all__ = ["describe_loss"]

_LOGIN = "the changes take a login away, and it is not known whether another one can pull the image: {}"
_PLACE = "the changes take away {} as a source of the image, and it is not known whether another one serves it: {}"


class _Attempt(NamedTuple):
    """A place of the image, as a name without tag and digest, and the user and password. The login is empty for a request without one.

    `is_refused`: a registry is known to refuse the login.
    """

    place: str
    login: tuple[str, ...]
    is_refused: bool = False


def describe_loss(
    before: PullVerdict,
    after: PullVerdict,
    states: tuple[Lookup, Lookup],
    touches: Callable[[ObjectRef], bool],
    *,
    asks: bool,
) -> str:
    """Return the doubt about a pull that works before and after the changes, but loses an attempt. Empty if it loses none.

    `states` are the evidence before and after. `touches`: whether the changes affect an object. The same login in another secret is not lost,
    and neither is a request without a login to a place that gets another one. The answers of registries leave no doubt.

    :raises ReadRequired: when objects must be read first.
    """
    subject = before.subject
    reference = _source_of(subject, states[0])
    if reference is None or subject.pull_policy == "Never" or asks:
        return ""
    names, _seen = explain_secret_list(subject, states[0])
    if _is_hidden_login_touched(subject.namespace, names, states[0], touches):
        return _LOGIN.format(after.reason)
    had, later = _attempts_of(subject, reference, names, states[0]), _source_of(subject, states[1])
    has = () if later is None else _attempts_of(subject, later, explain_secret_list(subject, states[1])[0], states[1])
    left, places = {*has}, {attempt.place for attempt in has}
    served = {attempt.place for attempt in has if attempt not in had}
    lost = [each for each in had if not (each.is_refused or each in left or (each.place in served and not each.login))]
    if not lost:
        return ""
    gone = next((each.place for each in lost if each.place not in places), "")
    return _PLACE.format(gone.partition("/")[0], after.reason) if gone else _LOGIN.format(after.reason)


def _source_of(subject: ContainerPull, state: Lookup) -> Reference | None:
    return reference_of(resolve_image(subject, state, has_failed=bool(subject.reason)).image)


def _is_hidden_login_touched(
    namespace: str, names: Sequence[str], state: Lookup, touches: Callable[[ObjectRef], bool]
) -> bool:
    """Whether the changes affect a secret that a node reads for the image and the caller may not read."""
    refs = (NODE_SECRET, *(ObjectRef(SECRET, namespace, name) for name in names))
    return any(touches(ref) and try_lookup(state, ref)[1] for ref in refs)


def _attempts_of(
    subject: ContainerPull, reference: Reference, names: Sequence[str], state: Lookup
) -> Sequence[_Attempt]:
    """The attempts that a node makes, in order. `names` are the secrets of the pod."""
    credentials = credentials_of(subject.namespace, names, reference.repository, state)
    rules = registries_of(state)
    found = [
        PullRoute(subject, each, credentials, mirrors_of(each, state), state, named=reference)
        for each in resolve_short_name(subject, reference, state).references
        if not rules.why_not(each)
    ]
    asked = list_questions(join_routes(reference, found)) if found else ()
    return [_attempt_of(question, state) for question, _is_source in asked]


def _attempt_of(question: ImageQuestion, state: Lookup) -> _Attempt:
    secret = question.secret_ref
    if secret is None:
        return _Attempt(question.repository, ())
    # A key that only CRI-O reads has no login here: its secret and its text stand for it.
    login = state.derive(secret, _entries_of).get(question.key, (str(secret), question.key))
    host = question.repository.partition("/")[0]
    return _Attempt(question.repository, login, (question.key, host) in state.derive(secret, refused_logins))


def _entries_of(secret: Json | None) -> Mapping[str, tuple[str, str]]:
    return StoredSecret.of(as_dict(secret)).for_kubelet.logins
