# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan an account and its rights: in its own namespace together with the cluster-wide objects, and in other namespaces. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import PurePath
from typing import Any, ClassVar

from ...core.changes import (
    NO_SELECTORS,
    NOTHING_RELATED,
    Change,
    Desired,
    ListedBy,
    Plan,
    Related,
    create,
    delete,
    replace,
    update,
)
from ...core.errors import RIGHTS_PAGE, OptionError, Refusal
from ...core.files import FilesWanted
from ...core.names import check_name, check_namespace
from ...core.objects import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    Objects,
    as_dict,
    as_list,
    as_str,
    metadata,
)
from ...core.text import summarize
from ...rbac.rights import CLUSTER, EVERY, HOSTED_PULL_SECRETS, JOBS, options_of, rights_of, rules_of
from ...rbac.subjects import LABELS, RBAC, has_account_labels

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
        yield f"option 'token_seconds' is {seconds}: the minimum is {_SHORTEST} seconds. Write 'token_seconds: 3600' for an hour"
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


_NUMBER = re.compile(r"[2-9]|[1-9][0-9]{1,5}")
#: All places in which a job can need a right.
_PLACES = tuple(dict.fromkeys((EVERY, CLUSTER, *(right.where for job in JOBS.values() for right in job.rights))))


@dataclass(frozen=True)
class AccountRole:
    """A cluster role and where it is bound: in each namespace of the jobs, in the cluster, or in one namespace."""

    name: str
    where: str
    rules: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class AccountRoles:
    """All objects of the account `namespace`/`name`. `everywhere`: rights in namespaces are granted in all namespaces.

    `hosted_pull_secrets`: the names of the pull secrets of hosted clusters.
    """

    namespace: str
    name: str
    jobs: Sequence[str]
    everywhere: bool = False
    hosted_pull_secrets: Sequence[str] = ()

    @property
    def account(self) -> ObjectRef:
        return ObjectRef(SERVICE_ACCOUNT, self.namespace, self.name)

    @property
    def subject(self) -> dict[str, str]:
        return {"kind": "ServiceAccount", "namespace": self.namespace, "name": self.name}

    def wanted(self) -> Sequence[AccountRole]:
        """Return one cluster role for each place in which the jobs need rights."""
        places: dict[str, list[Any]] = {}
        for right in rights_of(self.jobs, {HOSTED_PULL_SECRETS: self.hosted_pull_secrets}):
            where = CLUSTER if self.everywhere and right.where == EVERY else right.where
            places.setdefault(where, []).append(right)
        return [AccountRole(self.role_name(where), where, rules_of(rights)) for where, rights in sorted(places.items())]

    def role_names(self) -> Sequence[str]:
        """Return the names of all cluster roles that an account can have, so that unneeded ones are found as well."""
        return [self.role_name(where) for where in _PLACES]

    def is_binding(self, name: str) -> bool:
        """Whether the name is one that a binding of this account can have."""
        return any(is_name_of(first, name) for first in self.role_names())

    def role_name(self, where: str) -> str:
        """Return a name that is unique to this account: the name of an account cannot contain a colon."""
        suffix = {EVERY: "", CLUSTER: ":cluster"}.get(where, f":{where}")
        return f"image-pull:{self.namespace}:{self.name}{suffix}"

    def parts_in(self, namespace: str, *, is_target: bool) -> Sequence[AccountRole]:
        """Return the cluster roles that are bound in a namespace. `is_target`: the jobs work in it."""
        return [part for part in self.wanted() if part.where == namespace or (is_target and part.where == EVERY)]

    def fixed_namespaces(self) -> Sequence[str]:
        """Return the namespaces that always have a binding, whatever the namespaces of the jobs are."""
        return [part.where for part in self.wanted() if part.where not in (EVERY, CLUSTER)]

    def role(self, part: AccountRole) -> dict[str, Any]:
        return {**_head(ObjectRef(CLUSTER_ROLE, "", part.name)), "rules": [dict(rule) for rule in part.rules]}

    def binding(self, part: AccountRole, namespace: str = "") -> dict[str, Any]:
        """Return a role binding in the namespace, or a cluster role binding without one."""
        ref = ObjectRef(ROLE_BINDING if namespace else CLUSTER_ROLE_BINDING, namespace, part.name)
        role = {"apiGroup": RBAC, "kind": CLUSTER_ROLE.kind, "name": part.name}
        return {**_head(ref), "roleRef": role, "subjects": [self.subject]}

    def manifests(self, namespaces: Iterable[str]) -> list[dict[str, Any]]:
        """Return all objects in creation order. The namespaces must exist."""
        targets = list(dict.fromkeys(namespaces))
        places = list(dict.fromkeys([*targets, *self.fixed_namespaces()]))
        bindings = (
            self.binding(part, namespace)
            for namespace in places
            for part in self.parts_in(namespace, is_target=namespace in targets)
        )
        return [
            _head(self.account),
            *(self.role(part) for part in self.wanted()),
            *(self.binding(part) for part in self.wanted() if part.where == CLUSTER),
            *bindings,
        ]


def names_from(first: str) -> Iterator[str]:
    """Return the possible names of a binding in a namespace, in the order in which they are tried."""
    yield first
    yield from (f"{first}:{number}" for number in count(2))


def is_name_of(first: str, name: str) -> bool:
    """Whether `names_from` yields the name."""
    number = name.removeprefix(f"{first}:")
    return name == first or (number != name and _NUMBER.fullmatch(number) is not None)


def _head(ref: ObjectRef) -> dict[str, Any]:
    where = {"namespace": ref.namespace} if ref.namespace else {}
    metadata = {"name": ref.name, **where, "labels": dict(LABELS)}
    return {"apiVersion": ref.kind.api_version, "kind": ref.kind.kind, "metadata": metadata}


#: Names of finalizers that the API server accepts (apimachinery: qualified names). Others are not shown.
_FINALIZER = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_./]{0,316}")
_SHOWN = 3

#: Fields that this module manages, by kind.
_CONTENT: Mapping[Kind, Sequence[str]] = {
    SERVICE_ACCOUNT: (),
    CLUSTER_ROLE: ("rules",),
    ROLE_BINDING: ("roleRef", "subjects"),
    CLUSTER_ROLE_BINDING: ("roleRef", "subjects"),
}


@dataclass(frozen=True)
class AccountPlan(Desired):
    """The account, its cluster roles, and their bindings in the cluster and in its own namespace. Without `present`, none of them.

    `targets` are the namespaces of the jobs.
    """

    parts: AccountRoles
    targets: frozenset[str] = frozenset()
    present: bool = True

    kind: ClassVar[Kind] = SERVICE_ACCOUNT
    listed_by: ClassVar[ListedBy] = NO_SELECTORS

    def names(self, _namespace: str) -> tuple[str, ...]:
        return (self.parts.name,)

    def related(self, _namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        roles = [ObjectRef(CLUSTER_ROLE, "", name) for name in self.parts.role_names()]
        bindings = [ObjectRef(ROLE_BINDING, self.parts.namespace, name) for name in self.parts.role_names()]
        return [*roles, self._cluster_binding, *bindings]

    def plan(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Plan:
        """Return the changes. :raises Refusal: when another owner has an object of one of the names, or it is not readable."""
        wanted = self._wanted() if self.present else {}
        there: dict[ObjectRef, Json | None] = {self.parts.account: objects.get(self.parts.name)}
        for ref in self.related(namespace, objects):
            there[ref] = _require_read(ref, found)
        order = there if self.present else reversed(there)
        changes = [change for ref in order for change in _changes(ref, wanted.get(ref), there[ref])]
        return Plan(tuple(changes))

    @property
    def _cluster_binding(self) -> ObjectRef:
        return ObjectRef(CLUSTER_ROLE_BINDING, "", self.parts.role_name(CLUSTER))

    def _wanted(self) -> dict[ObjectRef, dict[str, Any]]:
        wanted: dict[ObjectRef, dict[str, Any]] = {self.parts.account: {}}
        for part in self.parts.wanted():
            wanted[ObjectRef(CLUSTER_ROLE, "", part.name)] = self.parts.role(part)
            if part.where == CLUSTER:
                wanted[self._cluster_binding] = self.parts.binding(part)
        return {**wanted, **_bindings(self.parts, self.parts.namespace, self.targets)}


@dataclass(frozen=True)
class NamespaceBindings(Desired):
    """The role bindings outside the account's own namespace. Namespaces that are not `targets` keep only the bindings of fixed places."""

    parts: AccountRoles
    targets: frozenset[str]
    present: bool = True

    kind: ClassVar[Kind] = ROLE_BINDING
    listed_by: ClassVar[ListedBy] = NO_SELECTORS

    def names(self, _namespace: str) -> tuple[str, ...]:
        """Return no names, which lists all bindings: users of the namespace can have a binding with the first name."""
        return ()

    def related(self, _namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return ()

    def plan(self, namespace: str, objects: Objects, _found: Related = NOTHING_RELATED) -> Plan:
        wanted = _bindings(self.parts, namespace, self.targets) if self.present else {}
        planner = _Names(namespace, objects)
        for name in self.parts.role_names():
            planner.plan(name, wanted.get(ObjectRef(ROLE_BINDING, namespace, name)))
        return Plan(tuple(planner.changes), notes=tuple(planner.notes))


class _Names:
    """Plans the binding of a role under the first free name, because users of the namespace can write bindings as well.

    The role and the subjects grant the rights, not the name. So bindings of others, or ones that cannot be deleted, are kept.
    """

    def __init__(self, namespace: str, objects: Objects) -> None:
        self._namespace, self._objects = namespace, objects
        self.changes: list[Change] = []
        self.notes: list[str] = []

    def plan(self, first: str, wanted: Json | None) -> None:
        """Plan the `wanted` binding, or the removal of all with None."""
        chosen = "" if wanted is None else next(name for name in names_from(first) if self._fits(name, wanted))
        taken = list(takewhile(lambda name: name != chosen, names_from(first))) if chosen else []
        for name in sorted(name for name in self._objects if is_name_of(first, name)):
            ref, there = self._ref(name), self._objects[name]
            if name in taken and wanted is not None:
                self.notes.append(_describe_conflict(ref, there, chosen))
            if name != chosen and has_account_labels(there):
                self.changes += _changes(ref, None, there)
                self.notes += _warn_of_finalizer(ref, there)
        if chosen:
            self.changes += _changes(self._ref(chosen), wanted, self._objects.get(chosen))

    def _ref(self, name: str) -> ObjectRef:
        return ObjectRef(ROLE_BINDING, self._namespace, name)

    def _fits(self, name: str, wanted: Json) -> bool:
        """Whether the name is free or belongs to our own binding that can become the wanted one."""
        there = self._objects.get(name)
        if there is None:
            return True
        meta = metadata(there)
        is_replaceable = there.get("roleRef") == wanted["roleRef"] or not meta.get("finalizers")
        return has_account_labels(there) and is_replaceable and not meta.get("deletionTimestamp")


def _describe_conflict(ref: ObjectRef, there: Json, chosen: str) -> str:
    if not has_account_labels(there):
        return f"{ref} was not created by this module, so it was kept, and role binding {chosen} grants the rights"
    return f"{ref} cannot be replaced, because it has a finalizer or is being deleted: role binding {chosen} grants the rights"


def _warn_of_finalizer(ref: ObjectRef, there: Json) -> Iterator[str]:
    """Return a note on a binding that is deleted but still exists, because it grants its rights until it is gone."""
    held = [name for name in map(as_str, as_list(metadata(there).get("finalizers"))) if _FINALIZER.fullmatch(name)]
    if metadata(there).get("finalizers"):
        what = f"the finalizer {summarize(held, _SHOWN)}" if held else "a finalizer"
        yield (
            f"{ref} is deleted, but {what} keeps it, and it grants its rights until it is gone: if nothing removes the finalizer, type: "
            f"kubectl patch rolebinding {shlex.quote(ref.name)} -n {ref.namespace} --type=merge -p "
            '\'{"metadata":{"finalizers":null}}\''
        )


def _bindings(parts: AccountRoles, namespace: str, targets: frozenset[str]) -> dict[ObjectRef, dict[str, Any]]:
    bound = parts.parts_in(namespace, is_target=namespace in targets)
    return {ObjectRef(ROLE_BINDING, namespace, part.name): parts.binding(part, namespace) for part in bound}


def _require_read(ref: ObjectRef, found: Related) -> Json | None:
    if ref not in found:
        raise Refusal(
            f"the caller may not read {ref}, so its content is unknown: allow the caller to 'get' it, see {RIGHTS_PAGE}"
        )
    return found[ref]


def _changes(ref: ObjectRef, wanted: Json | None, there: Json | None) -> Iterator[Change]:
    if there is None:
        if wanted is not None:
            yield create(ref, {**wanted, "metadata": {"labels": dict(LABELS)}}, _details({}, wanted), _view(wanted))
        return
    if ref.kind == SERVICE_ACCOUNT and not has_account_labels(there):
        return  # An account of another owner gets the rights, and is kept when they are revoked.
    _require_own(ref, there)
    if wanted is None:
        if not metadata(there).get("deletionTimestamp"):
            yield delete(ref, there, _details(there, {}), _view(there))
        return
    content = {name: wanted[name] for name in _CONTENT[ref.kind]}
    patch = {name: value for name, value in content.items() if there.get(name) != value}
    views = {"before": _view(there), "after": _view(wanted)}
    if "roleRef" in patch:
        yield replace(ref, there, content, _details(there, wanted), **views)
    elif patch:
        yield update(ref, there, patch, _details(there, wanted), **views)


def _require_own(ref: ObjectRef, there: Json) -> None:
    if not has_account_labels(there):
        raise Refusal(
            f"{ref} was not created by this module, so it was not changed: delete it first, or give the account another 'name'"
        )


def _details(before: Json, after: Json) -> dict[str, Any]:
    """Return the rights that a role gains and loses, or the accounts of a binding."""
    had, has = _lines(before), _lines(after)
    granted = [line for line in has if line not in had]
    revoked = [line for line in had if line not in has]
    return {name: lines for name, lines in (("granted", granted), ("revoked", revoked)) if lines}


def _view(obj: Json) -> dict[str, Any]:
    return {"grants": _lines(obj)}


def _lines(obj: Json) -> list[str]:
    """Yield a line for each right that an object grants, such as `get on secrets`, or for each account."""
    rules = [line for rule in map(as_dict, as_list(obj.get("rules"))) for line in _format_rule(rule)]
    subjects = [
        "/".join(filter(None, (as_str(subject.get("namespace")), as_str(subject.get("name")))))
        for subject in map(as_dict, as_list(obj.get("subjects")))
    ]
    return rules + subjects


def _format_rule(rule: Json) -> Iterator[str]:
    names = ", ".join(map(as_str, as_list(rule.get("resourceNames"))))
    for group in map(as_str, as_list(rule.get("apiGroups"))):
        for resource in map(as_str, as_list(rule.get("resources"))):
            verbs = ", ".join(map(as_str, as_list(rule.get("verbs"))))
            yield f"{verbs} on {resource}{f'.{group}' if group else ''}{f' {names}' if names else ''}"
