# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows a node's way to an image, from the name in the pod to the credential, and says what breaks first. Pure.

The order is that of Kubernetes 1.36 pkg/kubelet/images/image_manager.go and CRI-O's server/image_pull.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.evidence import Evidence, NotYet, Unread
from ..core.objects import SECRET, Json, ObjectRef
from ..core.shapes import mapping, sequence, text
from ..nodes.image_streams import IMAGE_STREAM, why_not_there
from ..nodes.pull_messages import Attempt, understand
from ..nodes.references import Reference, reference_of
from ..nodes.registry_sources import IMAGE_CONFIG, MIRROR_KINDS, mirrors_for, registry_sources_of
from ..platform.account_lists import names_in
from ..platform.protected import NODE_SECRET
from ..rbac.access_reviews import SUBJECT_ACCESS_REVIEW
from . import remedies
from .credentials import Credentials, Login, SecretSeen, credentials_of, nearest_key
from .remedies import Remedy
from .subjects import Subject

__all__ = ["PULLS", "UNKNOWN", "WILL_NOT_PULL", "Access", "Step", "explain"]

PULLS, WILL_NOT_PULL, UNKNOWN = "pulls", "will_not_pull", "unknown"

#: The integrated registry, where the image config does not say more.
_INTEGRATED = (
    "image-registry.openshift-image-registry.svc:5000",
    "image-registry.openshift-image-registry.svc.cluster.local:5000",
)

#: Classes of errors that a login could mend, and of these the ones that an attempt before the last change would have had.
_OF_LOGINS = (
    "bad_credentials",
    "no_credentials",
    "denied",
    "unauthorized",
    "not_found",
    "secret_unparsable",
    "secret_missing",
)
_OF_ANOTHER_TIME = ("no_credentials", "secret_unparsable", "secret_missing")
#: Classes that say nothing of the next attempt.
_PROVES_NOTHING = ("unknown", "node_limit")

_AGAIN = "the next attempt, at most five minutes from now, pulls; delete the pod to have it at once"


@dataclass(frozen=True)
class Step:
    """What was seen at one station of the way. `ok` is None where it is not known."""

    name: str
    seen: str
    ok: bool | None = True


@dataclass(frozen=True)
class Access:
    """The answer for one container. `reason` is what breaks first or, where nothing does, what pulls; `cause` is the class of the
    node's error, empty when the node says nothing."""

    subject: Subject
    verdict: str
    reason: str
    steps: Sequence[Step]
    remedy: Sequence[Remedy] = ()
    cause: str = ""

    def report(self, *, brief: bool = False) -> dict[str, Any]:
        """`brief`: without the way, where nothing breaks on it."""
        ref = self.subject.ref
        way = {
            "steps": [{"step": step.name, "seen": step.seen, "ok": step.ok} for step in self.steps],
            "text": self.text(),
        }
        return {
            "kind": ref.kind.kind,
            "name": ref.name,
            "container": self.subject.container,
            "service_account": self.subject.account,
            "image": self.subject.image,
            "verdict": self.verdict,
            "reason": self.reason,
            "cause": self.cause,
            **({} if brief and self.verdict == PULLS else way),
            "remedy": list(self.remedy),
        }

    def text(self) -> list[str]:
        """The answer in lines, for people."""
        return [
            f"{self.verdict}: {self.reason}",
            *(f"  {_MARKS[step.ok]} {step.name}: {step.seen}" for step in self.steps),
        ]


def explain(subject: Subject, evidence: Evidence) -> Access:
    """:raises NotYet: when more has to be read first."""
    reference = reference_of(subject.image)
    if reference is None:
        reason = f"{subject.image!r} is no valid name of an image"
        return Access(subject, WILL_NOT_PULL, reason, [Step("image", reason, ok=False)])
    return _Chain(subject, reference, evidence).answer()


@dataclass
class _Chain:
    subject: Subject
    reference: Reference
    evidence: Evidence
    steps: list[Step] = field(default_factory=list)
    breaks: list[tuple[str, Sequence[Remedy]]] = field(default_factory=list)
    doubts: list[tuple[str, Sequence[Remedy]]] = field(default_factory=list)
    reason: str = ""
    cause: str = ""

    def answer(self) -> Access:
        self._say("image", f"{self.subject.image} is {self.reference}")
        names = self._names()
        secrets = [ObjectRef(SECRET, self.subject.namespace, name) for name in names]
        self._want(*secrets, IMAGE_CONFIG, NODE_SECRET, *(ObjectRef(kind, "", "") for kind in MIRROR_KINDS))
        credentials = self._credentials(names)
        self._sources()
        self._project(credentials)
        self._login(credentials)
        if self.reference.is_short:
            self._doubt("image", _SHORT.format(self.subject.image))
        return self._verdict()

    def _verdict(self) -> Access:
        for verdict, found in ((WILL_NOT_PULL, self.breaks), (UNKNOWN, self.doubts)):
            if found and not self.subject.is_pulled:
                reason, remedy = found[0]
                return Access(self.subject, verdict, reason, self.steps, remedy, self.cause)
        reason = "the container has its image" if self.subject.is_pulled else self.reason
        return Access(self.subject, PULLS, reason, self.steps, (), self.cause)

    def _say(self, name: str, seen: str, *, ok: bool | None = True) -> None:
        self.steps.append(Step(name, seen, ok))

    def _break(self, name: str, seen: str, remedy: Sequence[Remedy] = ()) -> None:
        self._say(name, seen, ok=False)
        self.breaks.append((seen, remedy))

    def _doubt(self, name: str, seen: str, remedy: Sequence[Remedy] = ()) -> None:
        self._say(name, seen, ok=None)
        self.doubts.append((seen, remedy))

    # --- what has to be read

    def _want(self, *wanted: ObjectRef) -> None:
        """Asks for all of these at once. :raises NotYet: when some of it is not known."""
        waits = False
        for ref in wanted:
            try:
                self.evidence.look(ref)
            except NotYet:
                waits = True
            except Unread:
                pass
        if waits:
            raise NotYet

    def _look(self, ref: ObjectRef, station: str, what: str) -> Json | None:
        """What is there; None, with a doubt, where it cannot be read."""
        try:
            return self.evidence.look(ref)
        except Unread as error:
            self._doubt(station, f"{what} is not known: {error}")
            return None

    # --- the stations

    def _names(self) -> Sequence[str]:
        """The secrets that the pod has, or will have."""
        subject = self.subject
        if subject.is_pod or subject.own:
            names = subject.own
            self._say("pull_secrets", f"{subject.ref} lists {_named(names)}")
            return names
        try:
            account = self.evidence.look(subject.account_ref)
        except Unread as error:
            self._doubt("pull_secrets", f"the list of {subject.account_ref} is not known: {error}")
            return ()
        if account is None:
            self._break("pull_secrets", f"{subject.account_ref} does not exist, so no pod can be created")
            return ()
        names = list(dict.fromkeys(names_in(account, "imagePullSecrets")))
        self._say(
            "pull_secrets", f"{subject.account_ref} lists {_named(names)}; a pod gets this list when it is created"
        )
        return names

    def _credentials(self, names: Sequence[str]) -> Credentials:
        namespace, host = self.subject.namespace, self.reference.host
        found = credentials_of(namespace, names, self.reference.repository, self.evidence)
        for secret in found.secrets:
            ref = ObjectRef(SECRET, namespace, secret.name)
            if secret.state == "unparsable":
                reason = f"{ref} stops every pull of a pod that lists it, because {secret.detail}"
                self._break("secret", reason, remedies.rewrite_secret(namespace, secret.name, host))
            elif secret.state == "unread":
                self._doubt("secret", f"what {ref} holds is not known: {secret.detail}")
            else:
                self._say("secret", f"{ref} {_STATES[secret.state].format(secret.detail)}", ok=secret.state == "usable")
        return found

    def _sources(self) -> None:
        """Mirrors, blocked and allowed registries."""
        config = self._look(IMAGE_CONFIG, "registries", "which registries are allowed")
        if why := registry_sources_of(config).why_not(self.reference.repository):
            self._break("registries", f"the nodes may not pull {self.reference}: {why}")
        sets = {}
        for kind in MIRROR_KINDS:
            listed = self._look(ObjectRef(kind, "", ""), "mirrors", f"whether an {kind.title} names the image")
            sets[kind] = [mapping(item) for item in sequence(mapping(listed).get("items"))]
        found = mirrors_for(self.reference, sets)
        if found is None:
            return
        by = f"source {found.source} in {' and '.join(dict.fromkeys(found.objects))}"
        if found.mirrors:
            self._say(
                "mirrors",
                f"it is looked for at {', '.join(found.mirrors)} first, with the nodes' own credential ({by})",
            )
        if not found.never_source:
            return
        if found.mirrors:
            self._doubt(
                "mirrors", f"it comes from {', '.join(found.mirrors)} only, with the nodes' own credential ({by})"
            )
            return
        way = "digest" if self.reference.is_by_digest else "tag"
        self._break(
            "mirrors",
            f"registry {found.source} is blocked: no mirror is for a pull by {way}, and the source is never contacted ({by})",
        )

    def _project(self, credentials: Credentials) -> None:
        """For the integrated registry: whether the account may pull from the project."""
        project, _slash, stream = self.reference.path.partition("/")
        if self.reference.host not in self._integrated_hosts(credentials) or not stream:
            return
        subject = self.subject
        ref = ObjectRef(SUBJECT_ACCESS_REVIEW, project, f"{subject.namespace}/{subject.account}")
        image = ObjectRef(IMAGE_STREAM, project, stream)
        self._want(ref, image)
        answer = self._look(ref, "project", f"whether {subject.account_ref} may pull from {project}")
        if answer is not None and answer.get("allowed") is True:
            self._say("project", f"{subject.account_ref} may pull from project {project}")
        elif answer is not None:
            reason = f"{subject.account_ref} may not pull from project {project}"
            self._break("project", reason, remedies.grant(project, subject.namespace, subject.account))
        self._stream(image)

    def _stream(self, ref: ObjectRef) -> None:
        """Whether the integrated registry has the image."""
        try:
            stream = self.evidence.look(ref)
        except Unread as error:
            self._doubt("stream", f"whether {ref} has the image is not known: {error}")
            return
        if stream == {}:
            self._say("stream", f"whether {ref} has the image is not known: the cluster has no image streams", ok=None)
        elif why := why_not_there(ref, stream, self.reference):
            self._break("stream", why)
        else:
            self._say("stream", f"{ref} has the image")

    def _integrated_hosts(self, credentials: Credentials) -> Sequence[str]:
        """Its names, as the image config has them, and the keys of the pull secrets that it generates."""
        generated = [key for secret in credentials.in_state("usable") if secret.is_generated for key in secret.keys]
        try:
            status = mapping(mapping(self.evidence.look(IMAGE_CONFIG)).get("status"))
        except Unread:
            status = {}
        external = map(text, sequence(status.get("externalRegistryHostnames")))
        return [*_INTEGRATED, *filter(None, [text(status.get("internalRegistryHostname")), *external]), *generated]

    def _login(self, credentials: Credentials) -> None:
        """The credential that is used, held against what the node says."""
        logins = credentials.usable_logins
        if not credentials.in_state("unparsable"):
            self._say(
                "keys",
                _tried(credentials.logins) or f"no key in them is for {self.reference.repository}",
                ok=bool(logins),
            )
        told = understand(self.subject.reason, self.subject.message).cause if self.subject.reason else None
        if told is None:
            self._without_word(logins, credentials)
            return
        self.cause = told.rule.id
        said = f"the node says: {told.text}"
        self._say("node", said, ok=False)
        if told.rule.id in _PROVES_NOTHING:
            self.doubts.append((said, ()))
        elif told.rule.id not in _OF_LOGINS:
            self.breaks.append((f"{_lower(told.rule.meaning)} ({told.text}). {told.rule.remedy}", ()))
        elif logins:
            self._with_login(told, logins)
        elif unread := credentials.in_state("unread"):
            ref = ObjectRef(SECRET, self.subject.namespace, unread[0].name)
            self.breaks.append((f"{said}; what {ref} holds is not known: {unread[0].detail}", ()))
        else:
            reason, remedy = self._what_lacks(credentials)
            hidden = "there is no such image, or the registry hides it: " if told.rule.id == "not_found" else ""
            self.breaks.append((f"{hidden}{reason}; {said}", remedy))

    def _without_word(self, logins: Sequence[Login], credentials: Credentials) -> None:
        if logins:
            self.reason = f"{_tried(logins[:1])}; whether the registry accepts it was not asked"
            return
        node = self._nodes_login()
        if node:
            self.reason = (
                f"the nodes' own pull secret has the key {node}; whether the registry accepts it was not asked"
            )
            return
        reason, remedy = self._what_lacks(credentials)
        self._doubt(
            "keys",
            f"{reason}: it pulls only if the registry gives the image to everybody, or the nodes have a credential",
            remedy,
        )

    def _with_login(self, told: Attempt, logins: Sequence[Login]) -> None:
        """The node was refused, and there is a login."""
        tried = _tried(logins)
        if told.rule.id in _OF_ANOTHER_TIME:
            self.reason = f"{tried}, so the node's error is older than it: {_AGAIN}"
        elif told.rule.id == "bad_credentials":
            remedy = remedies.add_registry(self.subject.namespace, logins[0].secret, logins[0].key)
            self.breaks.append((f"the registry refuses the login: {tried}", remedy))
        else:
            self.doubts.append((f"{tried}, and the node says: {told.text}. {_DOUBTFUL}", ()))

    def _what_lacks(self, credentials: Credentials) -> tuple[str, Sequence[Remedy]]:
        """Why there is no login, in the order of what is mended with least."""
        subject, host = self.subject, self.reference.host
        for state, mend in (("wrong_type", remedies.rewrite_secret), ("missing", remedies.new_secret_named)):
            for secret in credentials.in_state(state):
                ref = ObjectRef(SECRET, subject.namespace, secret.name)
                return f"{ref} {_STATES[state].format(secret.detail)}", mend(subject.namespace, secret.name, host)
        own, linked = self._own_list(credentials), self._linked()
        if linked and not own:
            return (
                f"{subject.ref} was created before {linked} was linked to {subject.account_ref}, and never gets it",
                remedies.link(subject.namespace, subject.account, linked),
            )
        writable = [secret.name for secret in own if secret.state == "usable" and not secret.is_generated]
        remedy = remedies.add_registry(subject.namespace, writable[0], host) if writable else []
        if linked:
            return f"{subject.ref} has a list of its own, which hides {linked} of {subject.account_ref}", remedy
        near = nearest_key(credentials.secrets, self.reference.repository)
        hint = f"; the nearest is {near}" if near else ""
        return (
            f"no pull secret of {subject.ref} is for {self.reference.repository}{hint}",
            remedy or ([] if own else remedies.new_secret(subject.namespace, subject.account, host)),
        )

    def _listed_by_account(self) -> Sequence[str]:
        """Nothing where that is not known."""
        try:
            account = self.evidence.look(self.subject.account_ref)
        except Unread:
            return ()
        return names_in(mapping(account), "imagePullSecrets")

    def _linked(self) -> str:
        """A secret for the image that the account lists and the pod does not have."""
        names = [name for name in self._listed_by_account() if name not in self.subject.own]
        if not (self.subject.is_pod or self.subject.own):
            return ""
        found = credentials_of(self.subject.namespace, names, self.reference.repository, self.evidence)
        return next((login.secret for login in found.usable_logins), "")

    def _own_list(self, credentials: Credentials) -> list[SecretSeen]:
        """The secrets that only the pod's list names; none where it is a copy of the account's, now or from before."""
        listed = self._listed_by_account()
        return [
            secret for secret in credentials.secrets if secret.name in self.subject.own and secret.name not in listed
        ]

    def _nodes_login(self) -> str:
        found = credentials_of(NODE_SECRET.namespace, [NODE_SECRET.name], self.reference.repository, self.evidence)
        return next((login.key for login in found.usable_logins), "")


_MARKS = {True: "ok", False: "NO", None: "? "}
_STATES = {
    "usable": "is read",
    "missing": "does not exist, and the node goes on without it",
    "wrong_type": "has type {}, which no node reads",
}
_SHORT = (
    "{} names no registry: containerd takes Docker Hub, CRI-O its search registries, and from OpenShift 4.21 on it refuses a name that "
    "several of them could have; write the image with its registry's host"
)
_DOUBTFUL = (
    "Either the login has no right to this image, or the image does not exist, or the secret was changed since: then the next attempt, "
    "at most five minutes from now, pulls"
)


def _tried(logins: Sequence[Login]) -> str:
    """The keys in the order in which they are tried."""
    return ", then ".join(
        f"secret {login.secret} has the key {login.key}{' without a login' if login.is_empty else ''}"
        for login in logins
    )


def _named(names: Sequence[str]) -> str:
    return ", ".join(names) or "no pull secret"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
