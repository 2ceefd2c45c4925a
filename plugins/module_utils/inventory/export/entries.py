# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects to read of each namespace, the findings about them, and the conversion of secrets, links and role bindings to entries of the inventory. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Union

from ...core.changes import ALL, NOTHING_RELATED, Desired, ListedBy, Plan, Related
from ...core.errors import ImagePullError, OptionError, Refusal
from ...core.names import check_path_segment
from ...core.objects import (
    CLUSTER_ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    Objects,
    as_dict,
    as_str,
    metadata,
    trim_object,
)
from ...core.ownership import is_managed
from ...dockerconfig.auth_file import AuthFile, from_registries, parse, parse_stored
from ...dockerconfig.credential_entry import CredentialEntry
from ...dockerconfig.json_text import decode_string, kind_name
from ...dockerconfig.registry_keys import can_be_shown, redact_keys
from ...features.image_puller_grant.plan import ImagePullerGrant
from ...features.pull_secret.plan import PullSecret
from ...features.sa_link.plan import SaLink
from ...platform.account_lists import LISTS, Origin, is_generated, is_marked_generated, names_in, origin_of
from ...platform.protected import controller_of, is_global, refuse_platform_name
from ...rbac.subjects import (
    ACCOUNT_USERS,
    AUTHENTICATED,
    PROJECT_GROUPS,
    UNAUTHENTICATED,
    Subject,
    has_account_labels,
    subject_entries,
    subject_of,
    subjects_from_options,
)
from ...secrets.content import (
    DATA_KEYS,
    DOCKERCONFIGJSON,
    TYPES,
    SecretMetadata,
    StoredSecret,
    Target,
    registry_changes,
    why_not_usable,
)


def _drop_tokens(secret: Json) -> Json:
    """Return a secret without data that the platform generated, which is three tokens for each namespace of the cluster."""
    kept = trim_object(SECRET, secret)
    return {**kept, "data": {}} if is_marked_generated(secret) else kept


_SECRET = replace(SECRET, trim=_drop_tokens)


@dataclass(frozen=True, repr=False)
class NamespaceObjects:
    """The objects of one namespace by name."""

    accounts: Objects = field(default_factory=dict)
    secrets: Objects = field(default_factory=dict)
    bindings: Objects = field(default_factory=dict)


@dataclass(frozen=True)
class NamespaceQuestion:
    """Lists all needed objects of a namespace."""

    kind: ClassVar[Kind] = SERVICE_ACCOUNT
    listed_by: ClassVar[ListedBy] = {
        SERVICE_ACCOUNT: ALL,
        SECRET: tuple(f"type={each}" for each in TYPES),
        ROLE_BINDING: ALL,
    }

    def names(self, _namespace: str) -> tuple[str, ...]:
        return ()

    def related(self, namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return [ObjectRef(_SECRET, namespace, ""), ObjectRef(ROLE_BINDING, namespace, "")]

    def objects(self, namespace: str, accounts: Objects, found: Related) -> NamespaceObjects:
        """Return the objects. :raises Refusal: when the caller is not allowed to list the secrets or the role bindings."""
        secrets, bindings = (_require_list(kind, namespace, found) for kind in (SECRET, ROLE_BINDING))
        return NamespaceObjects(accounts, secrets, bindings)


def _require_list(kind: Kind, namespace: str, found: Related) -> Objects:
    answer = found.get(ObjectRef(kind, namespace, ""))
    if answer is None:
        raise Refusal(
            f"the caller may not list {kind.resource} in namespace {namespace}, so the export would be incomplete: allow the caller "
            f"to 'list' {kind.resource}, or leave the namespace out"
        )
    return {metadata(obj)["name"]: obj for obj in answer["items"]}


@dataclass(frozen=True)
class LeftOut:
    """A platform object, counted under one word."""

    why: str


@dataclass(frozen=True)
class NotExported:
    """An object that no entry can express, with the reason, but without its content."""

    ref: ObjectRef
    reason: str


@dataclass(frozen=True)
class ExportedLinks:
    """Links of one secret: `link_for` on each of the `service_accounts`."""

    service_accounts: tuple[str, ...]
    link_for: tuple[str, ...] = ("pull",)


@dataclass(frozen=True, repr=False)
class ExportedSecret:
    """One secret. `logins` are its registries as values, None if only the whole auth file can express them.

    `require` is the option of its links, None for the role's default. `created` is its creation time, as the API server writes it.
    """

    name: str
    type: str
    auth_file: AuthFile
    logins: tuple[Mapping[str, str], ...] | None
    immutable: bool = False
    links: tuple[ExportedLinks, ...] = ()
    require: str | None = None
    created: str = ""


@dataclass(frozen=True)
class ExportedGrant:
    """One role binding. `options` are the subjects as an entry gives them, `named` its role and binding name."""

    role: str
    binding_name: str
    subjects: tuple[Subject, ...]
    options: Mapping[str, Any]
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Findings:
    """All findings of one namespace. `order`: the linked names on each list of an account, in their order."""

    secrets: list[ExportedSecret] = field(default_factory=list)
    grants: list[ExportedGrant] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    unexpressed: list[NotExported] = field(default_factory=list)
    order: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def note(self, ref: ObjectRef, what: Union[LeftOut, str]) -> None:
        """Count a platform object, or record an object that cannot be expressed."""
        if isinstance(what, LeftOut):
            self.left_out[what.why] = self.left_out.get(what.why, 0) + 1
        else:
            self.unexpressed.append(NotExported(ref, what))


@dataclass(frozen=True)
class ExportCheck:
    """Each method returns why applying a part of the findings would change the namespace; empty when it would not."""

    namespace: str
    seen: NamespaceObjects
    found: Related

    def of_secret(self, secret: ExportedSecret) -> str:
        kept = SecretMetadata(immutable=True if secret.immutable else None)
        target = Target(secret.type, DATA_KEYS[secret.type])
        desired = PullSecret(secret.name, target, "replace", secret.auth_file, secret_metadata=kept)
        return self._why(desired, self.seen.secrets)

    def of_links(self, secret: ExportedSecret) -> str:
        related = {ObjectRef(SECRET, self.namespace, secret.name): self.seen.secrets.get(secret.name)}
        require = secret.require or "usable"
        for links in secret.links:
            lists = tuple(key for purpose, key in LISTS.items() if purpose in links.link_for)
            desired = SaLink((secret.name,), links.service_accounts, lists, present=True, require=require)
            if why := self._why(desired, self.seen.accounts, related):
                return why
        return ""

    def of_grant(self, grant: ExportedGrant) -> str:
        desired = ImagePullerGrant(grant.subjects, grant.role, grant.binding_name, present=True)
        return self._why(desired, self.seen.bindings, self.found)

    def _why(self, desired: Desired, objects: Mapping[str, Any], found: Related = NOTHING_RELATED) -> str:
        try:
            plan = desired.plan(self.namespace, objects, found)
        except ImagePullError as error:
            return str(error)
        return f"an entry for it would change it: {_describe_plan(plan)}" if plan.changes or plan.waiting_for else ""


def _describe_plan(plan: Plan) -> str:
    waits = [f"it waits for {awaited.what}" for awaited in plan.waiting_for]
    return "; ".join([*(f"{change.action} {change.ref}" for change in plan.changes), *waits])


_PLATFORMS = LeftOut("platform_bindings")
#: Groups with an option of their own.
_FLAGS = {AUTHENTICATED: "authenticated", UNAUTHENTICATED: "anonymous"}


@dataclass(frozen=True)
class Grants:
    """Finds the bindings that are grants: those of the `roles`, and all of this collection except those of automation accounts.

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
        return role in self.roles or (is_managed(binding) and not has_account_labels(binding))

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


#: The list of a service account for each purpose.
_GENERATED = LeftOut("generated_links")


@dataclass
class _Links:
    """The accounts that link one secret, by purpose."""

    pull: set[str] = field(default_factory=set)
    mount: set[str] = field(default_factory=set)

    def by_purpose(self) -> tuple[ExportedLinks, ...]:
        """Return the accounts, grouped by their purposes."""
        both = self.pull & self.mount
        parts = ((both, ("pull", "mount")), (self.pull - both, ("pull",)), (self.mount - both, ("mount",)))
        return tuple(ExportedLinks(tuple(sorted(accounts)), purpose) for accounts, purpose in parts if accounts)


def doubtful_secrets(namespace: str, seen: NamespaceObjects) -> Iterator[ObjectRef]:
    """Yield the secrets that accounts name, that are not of a pull type, and that must be read to know their kind."""
    for account in seen.accounts.values():
        for key in LISTS.values():
            for name in dict.fromkeys(names_in(account, key)):
                if name not in seen.secrets and not _is_platform_entry(account, key, name):
                    yield ObjectRef(SECRET, namespace, name)


def arrange_links(namespace: str, seen: NamespaceObjects, found: Related, findings: Findings) -> None:
    """Set the links of each secret, and record the links that no entry can express."""
    known = {secret.name: secret for secret in findings.secrets}
    links: dict[str, _Links] = {name: _Links() for name in known}
    for account_name, account in sorted(seen.accounts.items()):
        for purpose, key in LISTS.items():
            listed = _AccountList(namespace, account, key)
            for name in dict.fromkeys(listed.names):
                what = listed.why_not(name, seen, found, known)
                if what is None:
                    getattr(links[name], purpose).add(account_name)
                else:
                    findings.note(ObjectRef(SERVICE_ACCOUNT, namespace, account_name), what)
    findings.secrets = [
        _add_links(namespace, seen, secret, links[secret.name].by_purpose()) for secret in findings.secrets
    ]
    findings.order = dict(_order(seen.accounts, links))


@dataclass(frozen=True)
class _AccountList:
    """One list of an account."""

    namespace: str
    account: Json
    key: str

    @property
    def names(self) -> list[str]:
        return names_in(self.account, self.key)

    def why_not(
        self, name: str, seen: NamespaceObjects, found: Related, known: Mapping[str, ExportedSecret]
    ) -> Union[LeftOut, str, None]:
        """Return why no entry can express a link; None when one can."""
        if name in known:
            twice = self.names.count(name) > 1
            return f"{self.key} lists secret {name} more than once, which the module would clean up" if twice else None
        if _is_platform_entry(self.account, self.key, name):
            return _GENERATED
        ref = ObjectRef(SECRET, self.namespace, name)
        if name not in seen.secrets and ref not in found:
            return f"{self.key} lists secret {name}, which the caller may not read, so its type is unknown"
        secret = seen.secrets.get(name) or found.get(ref)
        if secret is None:
            return f"{self.key} lists secret {name}, which does not exist"
        if is_generated(self.account, secret):
            return _GENERATED
        if name in seen.secrets:
            return f"{self.key} lists secret {name}, which has no entry itself"
        return f"{self.key} lists secret {name} of type {as_str(secret.get('type')) or 'Opaque'}, which is not a pull secret"


def _is_platform_entry(account: Json, key: str, name: str) -> bool:
    return origin_of(account, key, name) in (Origin.GENERATED, Origin.PRESUMED)


def _add_links(
    namespace: str, seen: NamespaceObjects, secret: ExportedSecret, links: tuple[ExportedLinks, ...]
) -> ExportedSecret:
    """Return the secret with its links. An unusable secret is linked only if its entry requires no more than its existence."""
    is_pulled = any("pull" in each.link_for for each in links)
    useless = is_pulled and why_not_usable(ObjectRef(SECRET, namespace, secret.name), seen.secrets[secret.name])
    return replace(secret, links=links, require="existing" if useless else None)


def _order(accounts: Objects, links: Mapping[str, _Links]) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Return the order of the linked secrets on each list."""
    for account_name, account in sorted(accounts.items()):
        for purpose, key in LISTS.items():
            listed = dict.fromkeys(names_in(account, key))
            names = [name for name in listed if name in links and account_name in getattr(links[name], purpose)]
            if len(names) > 1:
                yield (account_name, key), names


GENERATED = LeftOut("generated_pull_secrets")
_GLOBAL = LeftOut("node_pull_secret")

#: Keys of an entry of `registries`. A credential with other keys is written as a whole file.
_VALUES = frozenset({"auth", "username", "password", "email"})


def secret_of(ref: ObjectRef, secret: Json, accounts: Iterable[Json]) -> Union[ExportedSecret, LeftOut, str]:
    """Return the secret as an entry, or why it is left out, or why no entry can express it."""
    if is_marked_generated(secret) or any(is_generated(account, secret) for account in accounts):
        return GENERATED
    if is_global(ref):
        return _GLOBAL
    held = StoredSecret.of(secret)
    return _why_foreign(ref, secret) or _why_no_content(held) or _parse_secret(ref, secret, held)


def further_data(secret: Json) -> str:
    """Return a note on data next to the auth file, which no entry can express; empty without such data."""
    others = StoredSecret.of(secret).others
    return (
        f"its further data ({', '.join(sorted(others))}) is not in the entry. It is kept as it is on this cluster"
        if others
        else ""
    )


def config_of(auth_file: AuthFile) -> dict[str, Any]:
    """Return the auth file as data. :raises ValueError: when Python cannot represent it."""
    found: dict[str, Any] = json.loads(auth_file.text(legacy=False))
    return found


def _why_foreign(ref: ObjectRef, secret: Json) -> str:
    if metadata(secret).get("deletionTimestamp"):
        return "it is being deleted"
    if who := controller_of(secret):
        return f"it is managed by {who}: declare it there"
    try:
        refuse_platform_name(ref.name)
    except OptionError:
        return "its name has the form of generated secrets of the platform, so the modules do not write it"
    return ""


def _why_no_content(held: StoredSecret) -> str:
    if held.unreadable:
        return f"its content {held.unreadable}"
    if held.type not in DATA_KEYS:
        return f"it has type {held.type}, which no node reads: convert it to {DOCKERCONFIGJSON} (module pull_secret with 'recreate: true')"
    if problems := held.for_kubelet.problems:
        return f"it stops every pull of a pod that uses it, because {problems[0]}"
    if not held.auth_file.entries:
        return "it contains no registry"
    return ""


def _parse_secret(ref: ObjectRef, secret: Json, held: StoredSecret) -> ExportedSecret | str:
    entries = held.auth_file.entries
    logins = tuple(login for login in map(_login, entries.values()) if login is not None)
    auth_file, why = _as_values(held, logins) if len(logins) == len(entries) else (None, "")
    as_values = auth_file is not None
    if auth_file is None:
        auth_file, why = _as_file(held)
    if auth_file is None:
        return why
    immutable, created = bool(secret.get("immutable")), as_str(metadata(secret).get("creationTimestamp"))
    return ExportedSecret(ref.name, held.type, auth_file, logins if as_values else None, immutable, created=created)


def _login(entry: CredentialEntry) -> dict[str, str] | None:
    """Return the credential as values; None when it has other keys."""
    email = entry.fields.get("email")
    if not can_be_shown(entry.key):
        return None
    if not {*entry.fields} <= _VALUES or (email is not None and kind_name(email) != "a string"):
        return None
    login = {"registry": entry.key, "username": entry.username, "password": entry.password}
    return {**login, "email": decode_string(email)} if email is not None else login


def _as_values(held: StoredSecret, logins: Sequence[Mapping[str, str]]) -> tuple[AuthFile | None, str]:
    try:
        return _require_same(held, from_registries(logins)) if _is_unicode(logins) else (None, "")
    except OptionError as error:
        return None, str(error)


def _as_file(held: StoredSecret) -> tuple[AuthFile | None, str]:
    """Return the content as data for the variable `auth_config`."""
    entries = held.auth_file.entries
    unusable = redact_keys(key for key, entry in entries.items() if not (entry.username and can_be_shown(key)))
    if unusable:
        return None, (
            f"no node can use its entry for {', '.join(unusable)}: it has no user and password, as with a credential helper, "
            "or its key is not a registry"
        )
    try:
        config = config_of(held.auth_file)
        if not _is_unicode(config):
            return None, "its content has bytes that are not UTF-8, which a file of variables cannot contain"
        return _require_same(held, parse(config, "its content"))
    except OptionError as error:
        return None, str(error)
    except (ValueError, RecursionError):
        return None, "its content is nested too deeply, or has a number that is too long"


def _require_same(held: StoredSecret, wanted: AuthFile) -> tuple[AuthFile | None, str]:
    after = parse_stored(wanted.text(legacy=held.legacy), legacy=held.legacy)
    if any(registry_changes(held.auth_file, after).values()):
        return None, "its content would differ when it is written again"
    return wanted, ""


def _is_unicode(data: Any) -> bool:
    """Whether a file can contain all texts of the data."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
