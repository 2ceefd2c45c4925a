# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One finding of an audit, the differences between an inventory and a cluster, and the options that choose the findings. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from ...core.documents import SEVERITIES
from ...core.errors import OptionError, find_similar
from ...core.namespaces import NamespaceSelector, selector_of
from ...core.objects import (
    NAMESPACE,
    POD,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    as_dict,
    as_list,
    as_str,
    as_strs,
)
from ...core.text import make_printable, redact_text
from ...core.times import format_utc
from ...explain.fixes import Fix, access_options_of, make_offer
from ...images.image_questions import RegistryAccess, access_of
from ...images.nodes import parse_version
from ...secrets.content import SHORTEST, CredentialSearch
from .rules import RULES

#: The last second of the year 9999. A token can contain any number.
_LATEST = 253_402_300_799


@dataclass(frozen=True)
class Finding:
    """`location` is a part of the object, such as a container or a registry key. An empty `severity` means that of the rule.

    `expires` is the time at which a login expires, in seconds since 1970.
    """

    rule: str
    ref: ObjectRef
    location: str
    message: str
    fix: Sequence[Fix] = ()
    severity: str = ""
    expires: float | None = None

    @property
    def effective_severity(self) -> str:
        """The severity of the finding, or that of its rule."""
        return self.severity or RULES[self.rule].severity

    @property
    def id(self) -> str:
        """16 hexadecimal digits, the same in every run for the same finding of a cluster."""
        parts = (self.rule, self.ref.namespace, self.ref.kind.kind, self.ref.name, self.location)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def report(self, access_options: Sequence[str] = ()) -> dict[str, Any]:
        """Return the finding as the document shows it. `access_options`: see `make_offer`."""
        return {
            "id": self.id,
            "rule": self.rule,
            "severity": self.effective_severity,
            "namespace": self.ref.namespace,
            "kind": self.ref.kind.kind,
            "name": self.ref.name,
            "location": make_printable(self.location),
            "message": make_printable(self.message),
            **make_offer(self.fix, access_options).report(),
            **({} if self.expires is None else {"expires": format_utc(min(max(self.expires, 0), _LATEST))}),
        }


def sort_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings, the worst first, then by namespace, rule and object."""
    order = {severity: at for at, severity in enumerate(SEVERITIES)}
    return sorted(
        findings,
        key=lambda each: (order[each.effective_severity], each.ref.namespace, each.rule, each.ref.name, each.location),
    )


DIFFERS, NOT_APPLICABLE = "declared-differs", "declared-cannot-be-applied"
#: The rules that need the option `drift`.
DRIFT = (DIFFERS, NOT_APPLICABLE)

_KINDS = {kind.kind: kind for kind in (SECRET, SERVICE_ACCOUNT, ROLE_BINDING, POD)}
#: The object of findings about the inventory as a whole.
INVENTORY = ObjectRef(Kind("", "Inventory", "inventories", "inventory", namespaced=False), "", "")

_SAID = {
    "create": "it is declared, but does not exist",
    "update": "it differs from its declaration",
    "replace": "it differs from its declaration, and must be recreated",
    "delete": "it is declared as absent, but exists",
}


def find_drift(results: Sequence[Any]) -> Iterator[Finding]:
    """Yield the findings in `results` of pull_secret, sa_link and image_puller_grant. Values that are not such results are ignored."""
    for result in map(as_dict, results):
        named = list(_find_failures(result))
        yield from named
        yield from _find_differences(result)
        if result.get("msg") and not named and not as_list(result.get("namespaces")):
            yield Finding(NOT_APPLICABLE, INVENTORY, "", _format_refusal(as_str(result.get("msg"))))


def _find_differences(result: Json) -> Iterator[Finding]:
    for namespace in map(as_dict, as_list(result.get("namespaces"))):
        for change in map(as_dict, as_list(namespace.get("changes"))):
            kind, action = as_str(change.get("kind")), as_str(change.get("action"))
            ref = ObjectRef(
                _KINDS.get(kind) or Kind("", kind, "", kind), as_str(namespace.get("name")), as_str(change.get("name"))
            )
            # Pods are only restarted: the difference is reported for the account.
            if ref.kind != POD:
                yield Finding(DIFFERS, ref, action, f"{ref}: {_SAID.get(action, _SAID['update'])}")


def _find_failures(result: Json) -> Iterator[Finding]:
    """The failures of single namespaces and entries."""
    for failure in map(as_dict, as_list(result.get("failures"))):
        title, error = as_str(failure.get("title")), as_str(failure.get("error"))
        ref = ObjectRef(NAMESPACE, "", as_str(failure.get("namespace")))
        yield Finding(NOT_APPLICABLE, ref, title, _format_refusal(f"{title}: {error}" if title else error))


def _format_refusal(why: str) -> str:
    return f"the declaration cannot be applied: {redact_text(why)}"


#: Minimum number of characters of a fingerprint key: with a short key, labels could be computed for guessed passwords.
_SHORTEST_KEY = 16


@dataclass(frozen=True)
class IgnoreRule:
    """Findings that are left out: those of a rule whose namespace and object name match the globs."""

    rule: str
    namespace: str = "*"
    name: str = "*"

    def matches(self, finding: Finding) -> bool:
        """Whether the finding is left out."""
        return (
            finding.rule == self.rule
            and fnmatchcase(finding.ref.namespace, self.namespace)
            and fnmatchcase(finding.ref.name, self.name)
        )


@dataclass(frozen=True)
class PullAudit:
    """The options. `rules` are the ids of the rules to apply. `expires_within` is a number of days.

    `drift` are the results of modules that planned the declarations of an inventory. `open_selectors` are the selectors of an inventory
    that users can join by the name of a project, with the titles of their entries. `key` is the key for the labels of logins, None for a
    random key of this run. `registries` is how registries are asked, None if they are not asked. `access_options` are those of `make_offer`.
    """

    cluster_name: str = ""
    rules: Sequence[str] = tuple(RULES)
    ignore: Sequence[IgnoreRule] = ()
    expires_within: int = 14
    target_version: str | None = None
    search: CredentialSearch | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    dest: str | None = None
    drift: Sequence[Any] = field(default=(), repr=False)
    open_selectors: Sequence[tuple[str, NamespaceSelector]] = ()
    registries: RegistryAccess | None = None
    access_options: Sequence[str] = ()

    @cached_property
    def _declared(self) -> frozenset[tuple[str, str]]:
        """Namespace and name of each secret that the inventory declares. The namespace `*` means that any one counts."""
        entries = (as_dict(each) for result in self.drift for each in as_list(as_dict(result).get("declared")))
        return frozenset(
            (place, as_str(each.get("name"))) for each in entries for place in as_strs(each.get("namespaces"))
        )

    def declares(self, ref: ObjectRef) -> bool:
        """Whether the inventory declares the secret, as far as `drift` shows. Nothing in the cluster counts."""
        return not self._declared.isdisjoint([(ref.namespace, ref.name), ("*", ref.name)])

    @property
    def target(self) -> tuple[int, int] | None:
        """Major and minor of `target_version`, or None without one."""
        return None if self.target_version is None else parse_version(self.target_version)


def from_options(options: Mapping[str, Any]) -> PullAudit:
    """Return the audit that the options ask for.

    :raises OptionError: for an unknown rule, an invalid version, a negative number of days, a short key, an invalid search, or a timeout that
        is too short.
    """
    rules = list(RULES) if options["rules"] is None else options["rules"]
    if not rules:
        raise OptionError("option 'rules' is empty: name at least one rule, or leave the option out for all of them")
    for rule in rules:
        _check_rule("rules", rule)
    target = options["target_version"]
    if target is not None and parse_version(target) is None:
        raise OptionError(
            f"option 'target_version' is {target!r}: give a version in quotes, such as '4.22', or '1.35' for plain Kubernetes"
        )
    if options["expires_within"] < 0:
        raise OptionError("option 'expires_within' must not be negative: give a number of days")
    key = options["fingerprint_key"]
    if key is not None and len(key) < _SHORTEST_KEY:
        raise OptionError(
            f"option 'fingerprint_key' has fewer than {_SHORTEST_KEY} characters: give a longer one, for example "
            "lookup('password', '/dev/null length=32')"
        )
    search = options["search_credential"]
    registries = access_of(options)
    return PullAudit(
        options["cluster_name"],
        tuple(dict.fromkeys(rules)),
        tuple(_parse_ignored(item) for item in options["ignore"] or ()),
        options["expires_within"],
        target,
        None if search is None else _search(search),
        None if key is None else key.encode("utf-8", "surrogatepass"),
        options["dest"],
        tuple(options["drift"] or ()),
        tuple(_open_selectors(options["declared_selectors"] or ())),
        registries,
        access_options_of(options),
    )


def _open_selectors(items: Sequence[Any]) -> Iterator[tuple[str, NamespaceSelector]]:
    """Yield the open selectors. Invalid selectors are skipped: the modules reject them, which is another finding."""
    for item in map(as_dict, items):
        selector = as_dict(item.get("namespace_selector"))
        lists = [selector.get(name) for name in ("include", "exclude", "requesters", "phases")]
        if not all(
            one is None or (isinstance(one, (list, tuple)) and all(isinstance(each, str) for each in one))
            for one in lists
        ):
            continue
        with suppress(OptionError):
            found = selector_of({**selector, "labels": as_str(selector.get("labels"))})
            if not found.is_closed:
                yield as_str(item.get("title")), found


def _parse_ignored(item: Any) -> IgnoreRule:
    if isinstance(item, str):
        _check_rule("ignore", item)
        return IgnoreRule(item)
    known = {"rule", "namespace", "name"}
    if not isinstance(item, Mapping) or "rule" not in item or set(item) - known:
        raise OptionError(
            "option 'ignore': each item must be the id of a rule, or have 'rule' and, as globs, 'namespace' and 'name'"
        )
    _check_rule("ignore", item["rule"])
    if not all(isinstance(item.get(part, "*"), str) for part in ("namespace", "name")):
        raise OptionError("option 'ignore': 'namespace' and 'name' must be globs, such as 'team-*'")
    return IgnoreRule(item["rule"], item.get("namespace", "*"), item.get("name", "*"))


def _check_rule(option: str, rule: Any) -> None:
    if isinstance(rule, str) and rule in RULES:
        return
    similar = find_similar(str(rule), RULES)
    hint = (
        f"Did you mean {similar!r}?"
        if similar
        else "The rules are listed in https://github.com/openshift-ops/image_pull/blob/main/docs/docsite/rst/audit.rst"
    )
    raise OptionError(f"option {option!r}: there is no rule {str(rule)!r}. {hint}")


def _search(options: Mapping[str, Any]) -> CredentialSearch:
    """:raises OptionError: without a password or token, with both, or with a short one."""
    given = [options[name] for name in ("password", "token") if options[name]]
    if len(given) != 1:
        problem = "'password' and 'token' are both set" if given else "neither 'password' nor 'token' is set"
        raise OptionError(f"option 'search_credential': {problem}: give one of them, such as 'password: VALUE'")
    if len(given[0]) < SHORTEST:
        raise OptionError(
            f"option 'search_credential': a credential of fewer than {SHORTEST} characters would match unrelated "
            "texts, so it is not searched for"
        )
    return CredentialSearch(given[0], options["registry"] or "", options["username"] or "")
