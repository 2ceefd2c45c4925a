# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer the terms of the lookup `declared`, apart from it, because only a role with declarations needs these imports.

From ansible-core 2.19 on, the evaluation of a template visits every variable of the host, and every member of a dictionary that the
template contains. So a thousand entries, each with its own variable for the password, take a million visits, and ten thousand entries
take two minutes. Templates that are evaluated together share one pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError, AnsibleLookupError, AnsibleUndefinedVariable
from ansible.plugins.loader import lookup_loader

from ..module_utils.core.files import advise_reader, describe_read_error, find_input
from .declarations import KINDS, Declarations
from .inventory_logins import NODES, NodesDeclaration, replaced_logins
from .known_variables import EXPRESSION, undefined_name
from .role_entries import DeclarationError, Role, RoleEntry, TemplateError, as_data

try:
    from ansible.template import is_trusted_as_template, trust_as_template
except ImportError:  # before ansible-core 2.19 there is nothing to share
    is_trusted_as_template = trust_as_template = None


#: A lookup by name, with its first argument. Only the path of a file is shown: other arguments can contain a token.
_LOOKUP = re.compile(r"\b(?:lookup|query|q)\(\s*['\"]([\w.]+)['\"](?:\s*,\s*['\"]([^'\"]+)['\"])?")
_LITERAL = "if '{{', '{%' or '{#' is a part of a password, write it as !unsafe '...'"

#: The text of a number or a date, as Python writes it.
_NUMBER_OR_DATE = re.compile(r"[-+]?(?:\d[\d.e+-]*|inf|nan)\Z|\d{4}-\d\d-\d\d[ T][\d:.+-]+\Z")
_TYPES: Mapping[str, Callable[[str], Any]] = {
    "int": int, "float": float, "date": date.fromisoformat, "datetime": datetime.fromisoformat,
}  # fmt: skip

#: Maximum number of templates to evaluate together: enough to share a pass, few enough to repeat if one of them fails.
_AT_ONCE = 500


class Templates:
    """The templates of one host, by its `templar`."""

    def __init__(self, templar: Any) -> None:
        self._templar = templar
        self._known: dict[str, Any] = {}

    def prepare(self, values: Iterable[Any]) -> None:
        """Evaluate templates for `resolve` together. It evaluates failed ones again, so that the error names the right one."""
        if trust_as_template is None:
            return
        texts = [text for text in dict.fromkeys(_texts(values)) if text not in self._known]
        for start in range(0, len(texts), _AT_ONCE):
            self._known.update(self._evaluate_together(texts[start : start + _AT_ONCE]))

    def resolve(self, value: Any) -> Any:
        """Return the value with its templates evaluated; None for an omitted one. Most strings contain no template."""
        if isinstance(value, Mapping):
            members = {key: self._resolve_part(f".{key}", item) for key, item in value.items()}
            return {key: item for key, item in members.items() if item is not None}
        if isinstance(value, (list, tuple)):
            return [self._resolve_part(f"[{position}]", item) for position, item in enumerate(value)]
        if value is None or isinstance(value, (bool, int, float)) or (_is_text(value) and "{" not in value):
            return value
        if _is_text(value) and value in self._known and is_trusted_as_template(value):
            return self._known[value]
        try:
            result = self._with_type(value, self._templar.template(value))
        except AnsibleError as error:
            host = self._templar.available_variables.get("inventory_hostname", "HOST")
            raise TemplateError(_explain_error(error, value if _is_text(value) else "", host)) from None
        return None if self._is_omitted(result) else result

    def _resolve_part(self, place: str, value: Any) -> Any:
        try:
            return self.resolve(value)
        except TemplateError as error:
            error.place = place + error.place
            raise

    def _with_type(self, template: Any, result: Any) -> Any:
        """Return the result as the number or the date that it is.

        Before ansible-core 2.19, a template that is more than one variable gives the text of a number, which could be a password that YAML has
        changed: `{{ logins.robot }}` gives '83' for 0123.
        """
        if trust_as_template is not None or not (_is_text(template) and isinstance(result, str)):
            return result
        expression = EXPRESSION.match(template)
        if not (expression and _is_self_contained(template) and _NUMBER_OR_DATE.match(result)):
            return result
        name = self._templar.template(f"{{{{ ({expression[1]}) | type_debug }}}}")
        convert = _TYPES.get(name)
        return convert(result) if convert else result

    def _evaluate_together(self, texts: list[str]) -> Mapping[str, Any]:
        """Return the values of these templates; empty if one of them fails. The value of an omitted one is None."""
        members = ", ".join(f"{position}: ({text[2:-2]})" for position, text in enumerate(texts))
        try:
            found = self._templar.template(trust_as_template(f"{{{{ {{{members}}} }}}}"))
            values = {text: found.get(position) for position, text in enumerate(texts)}
        except Exception:
            return {}
        return {text: None if self._is_omitted(value) else value for text, value in values.items()}

    def _is_omitted(self, value: Any) -> bool:
        """Whether a value is omitted: by its type or, before ansible-core 2.19, by this run's placeholder. Similar texts do not count."""
        if trust_as_template is not None:
            return type(value).__name__ == "_OmitType"
        return bool(value == self._templar.available_variables.get("omit"))


def _explain_error(error: AnsibleError, template: str, host: str) -> str:
    """Return why a template has no value on a host. A command in it contains `{template}`.

    It may be a password with braces. So the text does not contain Ansible's message, which repeats the template, and contains a name from
    it only if the template is one expression.
    """
    if isinstance(error, AnsibleUndefinedVariable):
        if name := undefined_name(template, error):
            return f"variable {name} is undefined: define it in the inventory, or correct its name; {_LITERAL}"
        return f"a variable in its template, or a member of one, is undefined; {_LITERAL}"
    lookup = _LOOKUP.search(template) if EXPRESSION.match(template) else None
    if lookup and lookup_loader.has_plugin(lookup[1]):
        is_file = lookup[1].rpartition(".")[2] in ("file", "unvault")
        if problem := _explain_file(lookup[2] or "") if is_file else "":
            return f"lookup {lookup[1]!r} failed: {problem}"
        return (
            f"lookup {lookup[1]!r} in its template failed ({_first_cause(error)}). To see why, run: ansible -i INVENTORY {host} -m ansible.builtin.debug "
            "-a 'msg={{ {template} }}'"
        )
    return f"a value is not a template that Ansible can evaluate ({_first_cause(error)}); {_LITERAL}"


def _first_cause(error: BaseException) -> str:
    """Return the class of the exception that caused this one. Its text may contain a password."""
    while cause := error.__cause__:
        error = cause
    return type(error).__name__


def _explain_file(path: str) -> str:
    """Return why the file of a lookup cannot be read. Empty if it can, and for a relative path, which Ansible searches in several directories."""
    if Path(path).is_absolute():
        try:
            read_file(path)
        except (OSError, ValueError) as error:
            return f"{path!r} cannot be read on the controller: {describe_read_error(path, error)}{advise_reader(path, error)}"
    return ""


def _texts(value: Any) -> Iterator[str]:
    """Yield the templates in a value that can be evaluated together with others."""
    if isinstance(value, Mapping):
        value = value.values()
    if _is_text(value):
        if "{" in value and EXPRESSION.match(value) and _is_self_contained(value) and is_trusted_as_template(value):
            yield value
    elif isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        for item in value:
            yield from _texts(item)


def _is_self_contained(text: str) -> bool:
    """Whether the brackets of a text are balanced, so that it cannot affect its neighbors. Brackets in a string count as well."""
    depth = 0
    for bracket in re.findall(r"[()\[\]]", text):
        depth += 1 if bracket in "([" else -1
        if depth < 0:
            return False
    return depth == 0


def _is_text(value: Any) -> bool:
    """Whether a value is plain text, and not encrypted with ansible-vault."""
    return isinstance(value, str) and not hasattr(value, "_ciphertext")


#: The kinds of entries that a play reads first, so that all entries are checked with them.
_FIRST = ("secrets", "registries", "accounts")


def entries_of(terms: list[str], variables: Mapping[str, Any], templar: Any, answer: Any) -> list[Any]:
    """Return the entries of all terms. `answer` is the result that some of them depend on.

    :raises AnsibleLookupError: if declarations are invalid.
    """
    templates = Templates(templar)
    try:
        found = [one for term in terms for one in _entries_of_term(term, variables, templates, answer)]
    except DeclarationError as error:
        raise AnsibleLookupError(str(error)) from None
    return [as_data(one) for one in found]


def _entries_of_term(term: str, variables: Mapping[str, Any], templates: Templates, answer: Any) -> list[Any]:
    if term == "inventory":
        return [_inventory(variables, templates, answer)]
    name, _dot, kind = term.partition(".")
    role = Role(name)
    if kind == "replaced":
        return [*replaced_logins(_present(role, variables, templates), variables, answer, file_reader(variables))]
    if kind in _FIRST:
        # Imported here because it imports the modules of all roles, and a play without declarations ends with their titles.
        from . import declaration_check  # noqa: PLC0415

        declaration_check.refuse_invalid([role], variables, templates)
    declared = Declarations(role, variables, templates, file_reader(variables))
    if not kind:
        return declared.titles
    declared.refuse_conflicts()
    return KINDS[name][kind](declared, answer)


#: The lists of an inventory as what_if takes them, with the entries of roles. As the playbook site passes them to the modules.
_INVENTORY = {
    "secrets": ("private_registry.secrets", "delegated_auth.secrets"),
    "links": ("private_registry.links", "delegated_auth.links"),
    "grants": ("cross_project_pull.grants",),
    "kept_secrets": ("delegated_auth.kept_secrets",),
    "kept_links": ("delegated_auth.kept_links",),
}


def _inventory(variables: Mapping[str, Any], templates: Templates, answer: Any) -> dict[str, Any]:
    """The declarations of all roles and the settings of site, as the change `declared` of what_if."""
    lists = {
        name: [one for term in terms for one in _entries_of_term(term, variables, templates, answer)]
        for name, terms in _INVENTORY.items()
    }
    names = ("owner", "adopt", "prune", "max_prune", "prune_everything")
    given = {name: templates.resolve(variables.get(f"image_pull_{name}")) for name in names}
    return {**lists, **{name: value for name, value in given.items() if value is not None}}


def _present(role: Role, variables: Mapping[str, Any], templates: Templates) -> list[RoleEntry]:
    if role.name == NODES:
        return NodesDeclaration(variables, templates).present
    return Declarations(role, variables, templates).present


def file_reader(variables: Mapping[str, Any]) -> Callable[[str], str]:
    """Return the function that reads a file of an entry, in the same way as a module of a role on the controller."""
    return lambda path: read_file(find_input(path, str(variables.get("playbook_dir", ""))))


def read_file(path: str) -> str:
    """Read a file of the controller as text, with its bytes that are not UTF-8."""
    return Path(path).expanduser().read_bytes().decode("utf-8", "surrogateescape")
