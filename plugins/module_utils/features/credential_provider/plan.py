# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan CRI-O's credential provider, and check whether it can work on a cluster. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ...core.changes import (
    ALL,
    NO_SELECTORS,
    NOTHING_RELATED,
    Change,
    Desired,
    ListedBy,
    Plan,
    Related,
    create,
    delete,
    update,
)
from ...core.errors import RIGHTS_PAGE, MissingPermission, Refusal
from ...core.objects import ROLE_BINDING, SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, Objects, as_dict, metadata
from ...core.ownership import is_managed
from ...core.text import pluralize, summarize
from ...explain.chain import explain
from ...explain.lookup import Lookup, ReadRequired, items_of, require_all, try_lookup
from ...explain.subjects import pull_of_account
from ...images.credential_providers import (
    CRIO_AUDIENCE,
    MOST_ENTRIES,
    crio_doubt,
    has_same_images,
    node_problem,
    skipped_entries,
)
from ...images.kubelet_settings import NODES
from ...images.nodes import nodes_of
from ...images.registry_sources import MIRROR_KINDS, mirror_items
from ...rbac.access_reviews import token_review
from ...rbac.subjects import (
    CREATE_READER_ROLE,
    RBAC,
    READER_LABELS,
    READER_ROLE,
    READER_RULES,
    Subject,
    binding_view,
    has_reader_labels,
    is_reader_role,
    subject_entries,
    subject_of,
    subjects_of,
)
from ...secrets.content import DOCKERCONFIGJSON

__all__ = [
    "ProviderConfig",
    "SecretReaders",
    "explain_images",
    "find_obstacles",
]

_SHOWN = 5
_LIST_SECRETS = "list on secrets"
_ROLE = {"apiGroup": RBAC, "kind": READER_ROLE.kind.kind, "name": READER_ROLE.name}


def _trim_secret(secret: Json) -> Json:
    """Only the existence of a secret matters."""
    return {"metadata": {"name": metadata(secret).get("name")}}


#: The secrets that the provider reads, without their content.
_PULL_SECRETS = replace(SECRET, trim=_trim_secret)


@dataclass(frozen=True)
class ProviderConfig(Desired):
    """The entries of the cluster's configuration `config`, and the cluster role to list secrets if accounts need it (`needs_role`)."""

    config: ObjectRef
    match_images: Sequence[str]
    present: bool = True
    needs_role: bool = False
    create_role: bool = False

    listed_by: ClassVar[ListedBy] = NO_SELECTORS

    @property
    def kind(self) -> Kind:
        return self.config.kind

    def names(self, _namespace: str) -> tuple[str, ...]:
        return (self.config.name,)

    def related(self, _namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return (READER_ROLE,) if self.needs_role else ()

    def plan(self, _namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Plan:
        """Return the changes, with the entries that result from them in `extra`. :raises Refusal: when the list cannot be read or gets too
        long, or the cluster role is missing or allows something else.
        """
        config = objects.get(self.config.name)
        role = self._plan_role(found) if self.needs_role and self.present else None
        before = self._entries_of(config)
        after = self._entries_after(before)
        change = None if before == after else self._write(config, before, after)
        changes = tuple(each for each in (role, change) if each is not None)
        notes = tuple(self._notes(config, before, after))
        return Plan(changes, notes=notes, extra={"match_images": after})

    def config_after(self, config: Json | None) -> Json:
        """Return the configuration after the change. A changed one has no status, because no node has it yet."""
        before = self._entries_of(config)
        after = self._entries_after(before)
        return config if config is not None and after == before else {"spec": {"matchImages": after}}

    def _entries_of(self, config: Json | None) -> list[str]:
        entries = as_dict(as_dict(config).get("spec")).get("matchImages")
        if entries is None:
            return []
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            raise Refusal(
                f"{self.config} cannot be read: its 'spec.matchImages' is not a list of texts. Nothing was changed"
            )
        return entries

    def _entries_after(self, before: Sequence[str]) -> list[str]:
        if not self.present:
            return [entry for entry in before if entry not in self.match_images]
        after = [*before, *(entry for entry in self.match_images if entry not in before)]
        if len(after) > max(MOST_ENTRIES, len(before)):
            raise Refusal(
                f"{self.config} would have {len(after)} entries, and the API server accepts {MOST_ENTRIES}: it has "
                f"{pluralize(len(before), 'entry', 'entries')} already. Write shorter entries, or remove some with 'state: absent'"
            )
        return after

    def _write(self, config: Json | None, before: Sequence[str], after: Sequence[str]) -> Change:
        changed = {
            "added": [entry for entry in after if entry not in before],
            "removed": [entry for entry in before if entry not in after],
        }
        details = {name: entries for name, entries in changed.items() if entries}
        views = {"before": {"matchImages": [*before]}, "after": {"matchImages": [*after]}}
        if config is None:
            return create(self.config, {"spec": {"matchImages": [*after]}}, details, views["after"])
        if not after and is_managed(config):
            return delete(self.config, config, details, views["before"])
        # The API server refuses an empty list.
        return update(self.config, config, {"spec": {"matchImages": [*after] or None}}, details, **views)

    def _plan_role(self, found: Related) -> Change | None:
        role = found.get(READER_ROLE)
        if role is None:
            if self.create_role:
                body = {"metadata": {"labels": dict(READER_LABELS)}, "rules": [*READER_RULES]}
                return create(READER_ROLE, body, {"granted": [_LIST_SECRETS]}, {"grants": [_LIST_SECRETS]})
            raise Refusal(
                f"{READER_ROLE} does not exist, by which accounts list the secrets of their namespace: have an administrator of the cluster "
                f"type '{CREATE_READER_ROLE}', or set 'create_role: true' with the rights of one. Nothing was changed"
            )
        if not is_reader_role(role):
            raise Refusal(
                f"{READER_ROLE} does not allow exactly 'list' on secrets, so accounts would get other rights with it: check who changed it, "
                f"delete it, and type '{CREATE_READER_ROLE}'. Nothing was changed"
            )
        return None

    def _notes(self, config: Json | None, before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
        added = [entry for entry in after if entry not in before]
        if before != after:
            yield (
                f"the nodes get the change of {self.config} as a machine config: by default, the machine config operator drains and reboots "
                "them one after the other"
            )
        if added:
            yield (
                f"after a node has pulled an image of {summarize(added, _SHOWN)} with a login of one namespace, every pod of the node can use "
                "the image, except pods with imagePullPolicy Always: list no image that only some namespaces may have"
            )
        if not self.present or before != after:
            return
        if not after:
            yield f"{self.config} has no entries, so the nodes do not run the provider: set option 'match_images'"
            return
        skipped = [entry for entry in self.match_images if entry in skipped_entries(config)]
        if skipped:
            yield f"the nodes do not have {summarize(skipped, _SHOWN)}, because it overlaps with the provider of their cloud"
        if doubt := crio_doubt(config):
            yield f"whether the nodes use {self.config} is not known: {doubt}"


@dataclass(frozen=True)
class SecretReaders(Desired):
    """The accounts that may list the secrets of their own namespace, in one binding for each namespace. Without `present`, they are removed."""

    service_accounts: Sequence[str]
    present: bool = True

    kind: ClassVar[Kind] = ROLE_BINDING
    listed_by: ClassVar[ListedBy] = {SERVICE_ACCOUNT: ALL, SECRET: (f"type={DOCKERCONFIGJSON}",)}

    def names(self, _namespace: str) -> tuple[str, ...]:
        return (READER_ROLE.name,)

    def related(self, namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        """Return the accounts, and the pull secrets of the namespace. Whoever gives a right must have it, so reading them proves it."""
        if not self.present:
            return ()
        return [*(subject.ref for subject in self._subjects(namespace) if subject.ref), _secrets_in(namespace)]

    def plan(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Plan:
        """Return the change. :raises Refusal: for a binding of others, and if the caller may not list the secrets itself."""
        ref, binding = ObjectRef(ROLE_BINDING, namespace, READER_ROLE.name), objects.get(READER_ROLE.name)
        if binding is not None:
            _require_own(ref, binding)
        if self.present and _secrets_in(namespace) not in found:
            raise Refusal(
                f"the caller may not list the secrets of namespace {namespace}, and it can give accounts only a right that it has itself: it "
                f"needs {MissingPermission('list', 'secrets', namespace=namespace)}, see {RIGHTS_PAGE}"
            )
        change = self._grant(ref, binding) if self.present else self._revoke(ref, binding)
        notes = self._notes(ref, binding, found) if self.present else ()
        return Plan(() if change is None else (change,), notes=tuple(notes))

    def _subjects(self, namespace: str) -> list[Subject]:
        return [Subject("ServiceAccount", name, namespace) for name in self.service_accounts]

    def _grant(self, ref: ObjectRef, binding: Json | None) -> Change | None:
        wanted = self._subjects(ref.namespace)
        if binding is None:
            body = {"metadata": {"labels": dict(READER_LABELS)}, "roleRef": _ROLE, "subjects": _to_api(wanted)}
            return create(ref, body, _details(granted=wanted), binding_view(READER_ROLE.name, wanted))
        held = subjects_of(binding)
        missing = [subject for subject in wanted if subject not in held]
        if not missing:
            return None
        entries = [*subject_entries(binding), *_to_api(missing)]
        return _edit(ref, binding, entries, [*held, *missing], _details(granted=missing))

    def _revoke(self, ref: ObjectRef, binding: Json | None) -> Change | None:
        if binding is None:
            return None
        unwanted, held = self._subjects(ref.namespace), subjects_of(binding)
        revoked = [subject for subject in dict.fromkeys(held) if subject in unwanted]
        if not revoked:
            return None
        entries = [entry for entry in subject_entries(binding) if subject_of(entry, ref.namespace) not in unwanted]
        if not entries:
            return delete(ref, binding, _details(revoked=revoked), binding_view(READER_ROLE.name, held))
        left = [subject for subject in held if subject not in unwanted]
        return _edit(ref, binding, entries, left, _details(revoked=revoked))

    def _notes(self, ref: ObjectRef, binding: Json | None, found: Related) -> Iterator[str]:
        for subject in self._subjects(ref.namespace):
            if subject.ref is not None and found.get(subject.ref, {}) is None:
                yield f"{subject.ref} does not exist yet: its pods can use the provider once it does"
        others = {*subjects_of(binding)} - {*self._subjects(ref.namespace)} if binding is not None else ()
        if others:
            yield (
                f"{ref} also lets {pluralize(len(others), 'subject')} list the secrets of the namespace that option 'service_accounts' does not "
                "name: remove the ones that need no such right"
            )
        if not as_dict(found.get(_secrets_in(ref.namespace))).get("items"):
            yield f"namespace {ref.namespace} has no secret of type {DOCKERCONFIGJSON}, so the provider has no login for its pods"


def _secrets_in(namespace: str) -> ObjectRef:
    return ObjectRef(_PULL_SECRETS, namespace, "")


def _require_own(ref: ObjectRef, binding: Json) -> None:
    """Refuse a binding that this module did not create as it is. Users of the namespace can write bindings of any name.

    :raises Refusal: for other labels, another role, and a binding that is being deleted.
    """
    role = as_dict(binding.get("roleRef"))
    if not has_reader_labels(binding) or (role.get("kind"), role.get("name")) != (_ROLE["kind"], _ROLE["name"]):
        raise Refusal(
            f"{ref} was not created by this module, or has another role, so it was not changed: check what it grants, and delete it"
        )
    if metadata(binding).get("deletionTimestamp"):
        raise Refusal(f"{ref} is being deleted, and a finalizer keeps it: remove the finalizer, and run again")


def _edit(ref: ObjectRef, binding: Json, entries: Sequence[Any], subjects: Sequence[Subject], details: Json) -> Change:
    """Return the binding with these entries. All other entries are kept unchanged, including those that are not subjects."""
    views = {
        "before": binding_view(READER_ROLE.name, subjects_of(binding)),
        "after": binding_view(READER_ROLE.name, subjects),
    }
    return update(ref, binding, {"subjects": [*entries]}, details, **views)


def _to_api(subjects: Sequence[Subject]) -> list[dict[str, str]]:
    return [subject.to_api() for subject in subjects]


def _details(**subjects: Sequence[Subject]) -> dict[str, Any]:
    return {"role": READER_ROLE.name, **{name: [str(each) for each in found] for name, found in subjects.items()}}


_MIRRORS = tuple(ObjectRef(kind, "", "") for kind in MIRROR_KINDS)


def find_obstacles(entries: Sequence[str], account: ObjectRef | None, evidence: Lookup) -> list[str]:
    """Return a sentence for each reason why nodes would add no login to pulls of the entries, and for each that is not known.

    `account` is one of the accounts that list secrets, None for none.

    :raises ReadRequired: when objects have to be read first.
    """
    reviews = [token_review(account.namespace, account.name, CRIO_AUDIENCE)] if account else []
    require_all(evidence, [*_MIRRORS, NODES, *reviews])
    found = [*_find_unmirrored(entries, evidence), *_find_nodes(evidence)]
    for review in reviews:
        answer, unread = try_lookup(evidence, review)
        if unread:
            found.append(
                f"whether the nodes may request a token of {account} for {CRIO_AUDIENCE} is not known: {unread}"
            )
        elif answer is not None and answer.get("allowed") is not True:
            found.append(
                f"the nodes may not request a token of {account} for {CRIO_AUDIENCE}, so they cannot run the provider for its pods: the machine "
                "config operator installs the cluster role node-credential-providers for that"
            )
    return found


def explain_images(images: Sequence[str], accounts: Sequence[ObjectRef], evidence: Lookup) -> list[dict[str, Any]]:
    """Return a row for each account and image, with the verdict about a new pod.

    :raises ReadRequired: when objects have to be read first. All of them are then requested.
    """
    rows, waits = [], False
    for account in accounts:
        for image in images:
            try:
                found = explain(pull_of_account(account.namespace, account.name, image), evidence)
            except ReadRequired:
                waits = True
                continue
            rows.append(
                {
                    "namespace": account.namespace,
                    "service_account": account.name,
                    "image": image,
                    "verdict": found.verdict,
                    "reason": found.reason,
                    "text": found.text(),
                }
            )
    if waits:
        raise ReadRequired
    return rows


def _find_unmirrored(entries: Sequence[str], evidence: Lookup) -> Iterator[str]:
    listed = {ref: try_lookup(evidence, ref) for ref in _MIRRORS}
    sources = {
        item.source for ref, (answer, _unread) in listed.items() for item in mirror_items(ref.kind, items_of(answer))
    }
    unmirrored = [entry for entry in entries if not any(has_same_images(entry, source) for source in sources)]
    unread = next((why for _answer, why in listed.values() if why), "")
    if unmirrored and unread:
        yield f"whether a mirror set has a source for {summarize(unmirrored, _SHOWN)} is not known: {unread}"
    elif unmirrored:
        yield (
            f"no mirror set has a source for {summarize(unmirrored, _SHOWN)}, and the provider does nothing for images without mirrors. Entries "
            "are images as pods name them, not mirrors: correct option 'match_images', or create an ImageDigestMirrorSet or ImageTagMirrorSet"
        )


def _find_nodes(evidence: Lookup) -> Iterator[str]:
    """Yield each problem of nodes, with the number of nodes."""
    listed, unread = try_lookup(evidence, NODES)
    if unread:
        yield f"whether the nodes can run the provider is not known: {unread}"
    problems: dict[str, list[str]] = {}
    for node in nodes_of(items_of(listed)).values():
        if problem := node_problem(node):
            problems.setdefault(problem, []).append(node.name)
    for problem, names in problems.items():
        yield f"{pluralize(len(names), 'node')} cannot run the provider: {problem} ({summarize(names, _SHOWN)})"
