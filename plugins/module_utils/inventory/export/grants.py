# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert role bindings to grants: which subjects an entry names, and how. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_path_segment
from ...core.objects import CLUSTER_ROLE, ROLE_BINDING, SERVICE_ACCOUNT, Json, ObjectRef, as_dict, as_str, metadata
from ...core.ownership import is_managed
from ...core.protocols import Related
from ...rbac.subjects import (
    ACCOUNT_USERS,
    AUTHENTICATED,
    PROJECT_GROUPS,
    UNAUTHENTICATED,
    Subject,
    has_account_labels,
    has_reader_labels,
    subject_entries,
    subject_of,
    subjects_from_options,
)
from .findings import ExportedGrant, Findings, LeftOut
from .survey import NamespaceObjects

__all__ = ["Grants"]

_PLATFORMS = LeftOut("platform_bindings")
#: Groups with an option of their own.
_FLAGS = {AUTHENTICATED: "authenticated", UNAUTHENTICATED: "anonymous"}


@dataclass(frozen=True)
class Grants:
    """Finds the bindings that are grants: those of the `roles`, and all of this collection except those of automation accounts and of
    `credential_provider`.

    `default_role` and `default_binding` are the defaults of an entry; `reserved` are the platform's own bindings.
    """

    roles: tuple[str, ...]
    default_role: str
    default_binding: str
    reserved: Collection[str]

    def refs_to_read(self, namespace: str, seen: NamespaceObjects) -> Iterator[ObjectRef]:
        """Yield the roles, and the accounts of the subjects. Missing accounts are expressed differently."""
        for binding in seen.bindings.values():
            role = as_dict(binding.get("roleRef"))
            if not self._concerns(binding) or not isinstance(binding.get("subjects"), list):
                continue
            if _is_cluster_role(role):
                yield ObjectRef(CLUSTER_ROLE, "", as_str(role.get("name")))
            for entry in subject_entries(binding):
                subject = subject_of(entry, namespace)
                if subject is not None and subject.ref is not None and subject.ref.kind == SERVICE_ACCOUNT:
                    yield subject.ref

    def find(self, namespace: str, seen: NamespaceObjects, found: Related, findings: Findings) -> None:
        """Add each binding to the findings."""
        for name, binding in sorted(seen.bindings.items()):
            if self._concerns(binding):
                self._add(ObjectRef(ROLE_BINDING, namespace, name), binding, found, findings)

    def _concerns(self, binding: Json) -> bool:
        role = as_str(as_dict(binding.get("roleRef")).get("name"))
        is_other = has_account_labels(binding) or has_reader_labels(binding)
        return role in self.roles or (is_managed(binding) and not is_other)

    def _add(self, ref: ObjectRef, binding: Json, found: Related, findings: Findings) -> None:
        role = as_dict(binding.get("roleRef"))
        why_not = self._why_not(ref, binding, role, found)
        if why_not:
            findings.note(ref, why_not)
            return
        subjects, is_reserved = [], ref.name in self.reserved
        for entry in subject_entries(binding):
            subject = subject_of(entry, ref.namespace)
            if is_reserved and subject == Subject("Group", PROJECT_GROUPS + ref.namespace):
                findings.note(ref, _PLATFORMS)
            elif subject is None or (why_not := _why_not_named(subject)):
                findings.note(
                    ref, f"it has a subject that no entry can name: {why_not or 'not a user, group or service account'}"
                )
            else:
                subjects.append(subject)
        if subjects:
            # Grants of others in a platform binding stay there. A new cluster gets them in our binding.
            binding_name = self.default_binding if is_reserved else ref.name
            findings.grants.append(
                self._grant(as_str(role.get("name")), binding_name, tuple(sorted(set(subjects))), found)
            )
        elif is_reserved and not subject_entries(binding):
            findings.note(ref, _PLATFORMS)

    def _grant(self, role: str, binding_name: str, subjects: tuple[Subject, ...], found: Related) -> ExportedGrant:
        named = {} if role == self.default_role else {"role": role}
        if named or binding_name != self.default_binding:
            named["binding_name"] = binding_name
        return ExportedGrant(role, binding_name, subjects, _options(subjects, found), named)

    def _why_not(self, ref: ObjectRef, binding: Json, role: Json, found: Related) -> LeftOut | str:
        if ref.name in self.reserved and as_str(role.get("name")) != self.default_role:
            return _PLATFORMS
        if metadata(binding).get("deletionTimestamp"):
            return "it is being deleted"
        if not _is_cluster_role(role):
            return f"it binds {as_str(role.get('kind')) or 'a role'} {as_str(role.get('name'))}, but an entry can only name a cluster role"
        if not isinstance(binding.get("subjects"), (list, type(None))):
            return "its subjects are not a list"
        if found.get(ObjectRef(CLUSTER_ROLE, "", as_str(role.get("name"))), {}) is None:
            return f"its cluster role {as_str(role.get('name'))} does not exist, so it grants nothing"
        try:
            check_path_segment("binding_name", ref.name)
        except OptionError as error:
            return str(error)
        return ""


def _is_cluster_role(role: Json) -> bool:
    return role.get("kind") == "ClusterRole" and bool(as_str(role.get("name")))


def _why_not_named(subject: Subject) -> str:
    """Return why no option can name the subject; empty when one can."""
    if subject.kind not in ("ServiceAccount", "Group", "User"):
        return f"{subject} is of an unknown kind"
    try:
        named = subjects_from_options({**_option_of(subject, exists=True), "state": "present"})
    except OptionError as error:
        return str(error)
    return "" if named == (subject,) else f"{subject} cannot be named"


def _options(subjects: Sequence[Subject], found: Related) -> dict[str, Any]:
    """Return the options of an entry that names the subjects."""
    options: dict[str, Any] = {}
    for subject in subjects:
        exists = subject.ref is not None and found.get(subject.ref) is not None
        for name, value in _option_of(subject, exists=exists).items():
            options[name] = [*options.get(name, ()), *value] if isinstance(value, list) else value
    return options


def _option_of(subject: Subject, *, exists: bool) -> Mapping[str, Any]:
    """Return the option for a subject. `exists`: the service account is known to exist, because the role waits for `service_accounts`."""
    if subject.kind == "ServiceAccount":
        if exists:
            return {"service_accounts": [{"namespace": subject.namespace, "name": subject.name}]}
        return {"users": [f"{ACCOUNT_USERS}{subject.namespace}:{subject.name}"]}
    if subject.kind == "User":
        return {"users": [subject.name]}
    if subject.name in _FLAGS:
        return {_FLAGS[subject.name]: True}
    project = subject.name.removeprefix(PROJECT_GROUPS)
    return {"projects": [project]} if project != subject.name else {"groups": [subject.name]}
