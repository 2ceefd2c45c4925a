# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All known variables of the roles, playbooks and jobs of this collection, their values as YAML read them, and their names in messages of modules.

The original text is lost then: `0123` is 83, `1e3` is 1000.0, `on` is true. The plugins do not guess the credential.

Ansible does not report unused variables, so a misspelled `image_pull_kubeconfig` would lead to the default cluster.

A test derives the table from the argument specs of the roles, from the playbooks and from the jobs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from jinja2 import Environment, TemplateSyntaxError, nodes

from ..module_utils.core.errors import Limit, OptionError, find_similar, problems_of_names
from ..module_utils.core.redaction import CONTAINERS
from ..module_utils.declarations.declare import explain_errors
from ..module_utils.module.options import REGISTRY_OPTIONS

#: Parts of a login that are not secret.
_USER_OPTIONS = frozenset({"username", "client_id"})

_KINDS = ((bool, "true or false"), ((int, float), "a number"), (date, "a date"))


def why_unquoted(where: str, value: object) -> str:
    """Return why the value at `where` cannot be used as a credential; empty for a text or a missing value."""
    kind = next((name for type_, name in _KINDS if isinstance(value, type_)), "")
    if not kind:
        return ""
    return f"{where} is {kind} and not a text: YAML has changed it, so put it in quotes where it is defined"


def find_unquoted(
    arguments: Mapping[str, Any],
    options: Mapping[str, Any],
    where: str = "",
    variables: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Yield a sentence for each credential or user name in a module's options that YAML has changed. It never contains the value.

    `variables` are those of `variables_of_options`.
    """
    known = variables or {}
    for name, value in options.items():
        spec = arguments.get(name)
        if not isinstance(spec, Mapping):
            continue
        if "options" in spec:
            for position, item in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(item, Mapping):
                    index = f"[{position}]" if isinstance(value, list) else ""
                    yield from find_unquoted(spec["options"], item, f"{where}{known.get(name, name)}{index}.")
        elif spec.get("no_log") or name in _USER_OPTIONS or name in CONTAINERS:
            yield from _find_unquoted_values(f"variable {known[name]}" if name in known else f"{where}{name}", value)


def _find_unquoted_values(where: str, value: object) -> Iterator[str]:
    """Check a value. In a structure, such as an auth file, check only dates: JSON has no dates, and numbers are checked later."""
    if isinstance(value, (Mapping, list)):
        parts = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, part in parts:
            if isinstance(part, (Mapping, list, date)):
                yield from _find_unquoted_values(
                    f"{where}.{name}" if isinstance(value, Mapping) else f"{where}[{name}]", part
                )
    elif why := why_unquoted(where, value):
        yield why


#: A template that consists of one variable. Any other text may be a password.
_VARIABLE = re.compile(r"\{\{-?\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\s*-?\}\}\Z")
#: A template that is one expression. Braces in it could be a dictionary, a string or another template.
EXPRESSION = re.compile(r"\{\{(?![-+])([^{}]+)(?<![-+])\}\}\Z")
_MISSING = object()
#: The keys that every registered result of a task has. Such a variable is not from the inventory, and may hold a new token.
_RESULT = ("changed", "failed")
#: Maximum number of variables that refer to each other.
_DEEPEST = 20


def variable_of(value: Any) -> str:
    """Return the name of the variable if a value consists of one, such as a vaulted variable; empty otherwise."""
    if not isinstance(value, str) or hasattr(value, "_ciphertext"):
        return ""
    found = _VARIABLE.match(value.strip())
    return found[1] if found else ""


def follow_variable(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return the value as it is written in the last variable that it refers to. `variables` are not evaluated."""
    for _step in range(_DEEPEST):
        found: Any = variables
        for name in variable_of(value).split("."):
            is_known = isinstance(found, Mapping) and not all(key in found for key in _RESULT)
            found = found.get(name, _MISSING) if is_known else _MISSING
        if found is _MISSING:
            break
        value = found
    return value


def is_used(name: str, variables: Mapping[str, Any]) -> bool:
    """Whether the template of another variable contains a variable. Variables that begin with an underscore are ours, and do not count."""
    return any(_has_name(name, variables[other]) for other in variables if other != name and not other.startswith("_"))


def _has_name(name: str, value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return any(_has_name(name, item) for item in (value.values() if isinstance(value, dict) else value))
    with suppress(TemplateSyntaxError):
        is_template = isinstance(value, str) and name in value and "{" in value
        return is_template and name in {
            found.name for found in Environment(autoescape=True).parse(value).find_all(nodes.Name)
        }
    return False


#: The variable of each role that declares entries.
VARIABLES = {
    "private_registry": "private_registry_secrets",
    "delegated_auth": "delegated_auth_registries",
    "cross_project_pull": "cross_project_pull_grants",
}

#: The known variables: each prefix, with the rests of the names.
_NAMES = {
    "automation_account_": "everywhere hosted_pull_secrets jobs kubeconfig manifests name namespace namespace_selector namespaces state token_seconds",
    "credential_rotation_": (
        "allow canary_namespaces canary_soak_seconds emergency guard namespace_selector new new_command "
        "next_rotation_seconds nodes nodes_allow_paused nodes_timeout old plan plan_dest plan_only probe probe_node_selectors "
        "probe_timeout pulls_timeout realm_hosts registries registry_ca_cert registry_timeout registry_validate_certs reimport "
        "retire_tasks rollback secrets soak_seconds verify verify_repositories verify_revoked waves"
    ),
    "cross_project_pull_": "grants state wait wait_timeout",
    "delegated_auth_": "registries state",
    "global_pull_secret_": (
        "allow_paused auth_config auth_file backup backup_vault_id drop_platform_registries guard hosted_cluster include realm_hosts "
        "registries registry_ca_cert registry_timeout registry_validate_certs remove restore verify verify_repositories wait wait_timeout"
    ),
    "image_pull_": (
        "adopt api_key audit batch_seconds batch_size ca_cert client_cert client_key context exclude_namespaces export_credentials "
        "export_dest export_force export_namespace_selector export_namespaces export_vault_id exported guard host ignored_variables "
        "impersonate_groups impersonate_user kubeconfig max_prune no_proxy ocm_api_url ocm_ca_cert ocm_token_url only_namespaces owner "
        "password plan planned_revision proxy prune prune_everything realm_hosts red_hat_account registry_ca_cert registry_timeout "
        "registry_validate_certs rotation_plans serial username validate_certs what_if"
    ),
    "private_registry_": "secrets state",
    "pull_access_audit_": (
        "allow_unread ask_registries compare_with directory drift expires_within fail_on fail_on_new search_credential ignore name "
        "namespace_selector namespaces openmetrics realm_hosts registry_ca_cert registry_timeout registry_validate_certs rules target_version "
        "title"
    ),
    "pull_access_what_if_": (
        "against ask_registries changes directory fail_on namespace_selector namespaces realm_hosts registry_ca_cert "
        "registry_timeout registry_validate_certs result show"
    ),
}

KNOWN = frozenset(prefix + rest for prefix, names in _NAMES.items() for rest in names.split())

_PREFIXES = tuple(_NAMES)
#: The prefixes of each playbook's own variables.
PLAYBOOKS = {
    "audit": ("pull_access_audit_",),
    "automation_account": ("automation_account_",),
    "explain": (),
    "export": ("image_pull_export_",),
    "global_pull_secret": ("global_pull_secret_",),
    "images": (),
    "rotate": ("credential_rotation_",),
    "site": ("private_registry_", "delegated_auth_", "cross_project_pull_"),
    "teardown": ("private_registry_", "delegated_auth_", "cross_project_pull_"),
    "what_if": ("pull_access_what_if_",),
}
#: The variables of the playbooks that are called by hand. They count on the command line only, so a variable `image` or `changes` of
#: an inventory, which is for another role, does not change the question.
_SHORT = {
    "audit": _NAMES["pull_access_audit_"],
    "explain": (
        "account ask_registries credential_provider_config image pod realm_hosts registry_ca_cert registry_timeout registry_validate_certs "
        "secretless workload"
    ),
    "images": (
        "ask_registries directory namespaces of realm_hosts registry_ca_cert registry_timeout registry_validate_certs to"
    ),
    "what_if": (
        "against ask_registries changes declared directory fail_on moved namespace_selector namespaces new_nodes only_reachable realm_hosts "
        "registry_ca_cert registry_timeout registry_validate_certs remove_credential remove_secret show target_version unreachable"
    ),
}
SHORT_NAMES = {playbook: frozenset(names.split()) for playbook, names in _SHORT.items()}
#: The variable that limits a playbook, for people who pass the limit of another playbook. Without it, the run would include everything.
_LIMITS = {
    "rotate": "credential_rotation_namespace_selector",
    "site": "image_pull_only_namespaces",
    "teardown": "image_pull_only_namespaces",
}
_LIMIT_NAMES = ("namespaces", "namespace_selector")
#: The options of tasks and entries, and the short names of several words. A single word often belongs to others.
_ELSEWHERE = {"only_managed": "a task", "update_existing": "a task or an entry", "namespaces": "another playbook"} | {
    name: f"the playbook {playbook}" for playbook, names in SHORT_NAMES.items() for name in sorted(names) if "_" in name
}
#: The short names of variables.
_SHORT_FORMS = {
    prefix + name: name
    for playbook, prefix in (
        ("explain", "image_pull_"),
        ("images", "image_pull_"),
        ("what_if", "pull_access_what_if_"),
        ("audit", "pull_access_audit_"),
    )
    for name in SHORT_NAMES[playbook]
}
#: The answers of the surveys in AWX that the playbooks of its project convert.
_ANSWERS = (
    "account_everywhere account_hosted_pull_secrets account_jobs account_namespaces audit_namespaces audit_target_version "
    "export_namespaces new_namespaces nodes_action nodes_allow_paused nodes_remove remove_undeclared rotate_how rotate_new_password "
    "rotate_new_username rotate_nodes rotate_old_password rotate_old_username rotate_registries teardown_confirmation verify_unanswered "
    "what_if_namespaces"
)
SURVEYS = frozenset(_ANSWERS.split())
#: Extra variables of Ansible and AWX, and private ones.
_NEVER = ("ansible_", "awx_", "tower_", "_")
#: Minimum ratio of difflib at which two names are similar. That of `roles` and `rules` is 0.8.
_SIMILAR = 0.81
#: Joined with the variable without the underscore and suffix. The author chooses the suffix.
_FAMILIES = tuple(f"{name}_" for name in VARIABLES.values())
#: Names of Kubernetes fields, which other roles use as variables.
_OF_OTHERS = frozenset({"image_pull_policy", "image_pull_secret", "image_pull_secrets"})
_IGNORED = "image_pull_ignored_variables"
_LIMIT = "image_pull_max_prune"
_LATE = ("image_pull_prune", "image_pull_prune_everything", _LIMIT)
#: A version that YAML can change, and a list that must not be a text with commas.
_VERSION, _REGISTRIES = "pull_access_audit_target_version", "credential_rotation_registries"
#: Parts of a login, as variables and as members of variables. Nested entries are checked when they are read.
_LOGIN_VARIABLES = ("image_pull_username", "image_pull_password", "image_pull_api_key")
_LOGIN_MEMBERS = ("username", "password", "token")
#: The members of dictionaries in which Ansible's own check of a role does not suggest the right name.
_ROTATED: Mapping[str, dict[str, Any]] = {
    "credential_rotation_old": {"username": {}, "password": {}},
    "credential_rotation_new": {"username": {}, "password": {}, "expires": {}},
}

_REFUSAL = "nothing was read or changed: "
_COLLECTION = Path(__file__).parents[2].resolve()


def is_collection_task(task: Any) -> bool:
    """Whether a task is in a role or a playbook of this collection. Elsewhere, authors choose all names."""
    path = _path_of(task)
    return any(path.is_relative_to(_COLLECTION / folder) for folder in ("roles", "playbooks"))


def playbook_of(task: Any) -> str:
    """Return the name of the playbook of this collection that has the task itself. Empty for a task of a role, or of another playbook."""
    path = _path_of(task)
    return path.stem if path.parent == _COLLECTION / "playbooks" else ""


def _path_of(task: Any) -> Path:
    return Path(str(task.get_path() or "").rpartition(":")[0] or "/").resolve()


def problems_of(variables: Mapping[str, Any], templar: Any) -> list[str]:
    """Return a sentence for each unknown variable with a prefix of this collection, each login that YAML has changed, and each invalid setting."""
    unknown = [name for name in variables if name.startswith(_PREFIXES) and not _is_known(name)]
    found = [*map(_sentence, _not_ignored(unknown, variables, templar)), *_find_unquoted(variables)]
    return found + _invalid_settings({name: templar.template(variables[name]) for name in _LATE if name in variables})


def undefined_name(template: str, error: Exception) -> str:
    """Return the undefined variable that a template needs; empty if the template may be a password."""
    names = re.findall(r"'([A-Za-z_]\w*)' is undefined", str(error)) if EXPRESSION.match(template) else []
    return str(names[0]) if names else ""


def refusal_of(problems: Collection[str]) -> str:
    """Return the message with these problems, each once; empty without one. A message stays as it is."""
    return f"{_REFUSAL}{'; '.join(dict.fromkeys(problems)).removeprefix(_REFUSAL)}" if problems else ""


def find_invalid_settings(
    arguments: Mapping[str, Any], values: Mapping[str, Any], variables: Mapping[str, str]
) -> Iterator[str]:
    """Yield a sentence for each value that Ansible would refuse for its type or its choices. `variables` are those of the options, by option."""
    for option, value in values.items():
        spec = {name: part for name, part in arguments[option].items() if name in ("type", "elements", "choices")}
        for problem in explain_errors(ArgumentSpecValidator({option: spec}).validate({option: value}).errors):
            yield problem.replace(f"option {option!r}", f"variable {variables[option]}")


def _invalid_settings(values: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each value that the prune, the last step of a run, would read as another one or refuse."""
    found = []
    for name, value in values.items():
        try:
            if name == _LIMIT:
                Limit.parse(name, str(value))
            else:
                boolean(value)
        except OptionError as error:
            found.append(f"variable {name}{str(error).removeprefix(f'option {name!r}')}")
        except TypeError:
            found.append(f"variable {name} is {value!r}: set it to true or false")
    return found


def problems_of_command_line(
    playbook: str, extra: Mapping[str, Any], variables: Mapping[str, Any], templar: Any
) -> list[str]:
    """Return a sentence for each extra variable that the playbook would ignore, although it resembles a variable of a playbook.

    A name resembles ours if it is ours without the prefix. A similar name is enough if both have several words, or ours is a short name: a
    single word, such as `stage` for `state`, often belongs to others. So does a variable that the inventory uses.
    """
    short = SHORT_NAMES.get(playbook, frozenset())
    foreign = [name for name in extra if not name.startswith((*_PREFIXES, *_NEVER)) and name not in short | SURVEYS]
    advice = {name: found for name in foreign if (found := _advice(name, playbook)) and not is_used(name, variables)}
    unknown = (
        f"extra variable {name} is unknown to the playbook {playbook}: {advice[name]} or, if it is for something else, list its name in "
        f"{_IGNORED}"
        for name in _not_ignored(advice, variables, templar)
    )
    twice = (
        f"extra variables {long.removeprefix(*PLAYBOOKS[playbook])} and {long} are the same option: leave one of them out"
        for long in sorted(settings_of(playbook, extra).keys() & extra.keys())
    )
    return [*unknown, *twice]


def settings_of(playbook: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given variables of the playbook's role, with the prefix of the role.

    The changes are left out, because the playbook joins all variables that are changes.
    """
    names = ((prefix + name, name) for prefix in PLAYBOOKS[playbook] for name in SHORT_NAMES.get(playbook, ()))
    return {long: given[name] for long, name in names if name in given and long in KNOWN and name != "changes"}


def _advice(name: str, playbook: str) -> str:
    """Return the beginning of the advice about a name; empty if it resembles no variable."""
    if meant := _meant(name, playbook):
        return f"did you mean {meant!r}? Correct it"
    found = next(iter(get_close_matches(name, _ELSEWHERE, 1, _SIMILAR)), "")
    return f"{found!r} is an option of {_ELSEWHERE[found]}. Leave it out" if found else ""


def _meant(name: str, playbook: str) -> str:
    """Return the variable of a playbook that was probably meant by a name; empty if none resembles it."""
    rests = {
        one.removeprefix(prefix): one
        for prefix in ("image_pull_", *PLAYBOOKS[playbook])
        for one in sorted(KNOWN)
        if one.startswith(prefix)
    }
    if name in rests:
        return rests[name]
    comparable = {one: long for one, long in rests.items() if "_" in name and "_" in one}
    comparable |= dict.fromkeys(_LIMIT_NAMES, _LIMITS[playbook]) if playbook in _LIMITS else {}
    comparable |= {one: rests[one] for one in _LIMIT_NAMES if one in rests}
    comparable |= {one: one for one in SHORT_NAMES.get(playbook, ())}
    return next((comparable[one] for one in get_close_matches(name, comparable, 1, _SIMILAR)), "")


def _not_ignored(names: Collection[str], variables: Mapping[str, Any], templar: Any) -> list[str]:
    if not names:
        return []
    given = templar.template(variables.get(_IGNORED)) or ()
    ignored = given.split(",") if isinstance(given, str) else given
    return sorted(name for name in names if name not in ignored)


def declaring_variables(role: str, variables: Mapping[str, Any]) -> list[str]:
    """Return the variables in which a role may have entries."""
    first = VARIABLES[role]
    names = (name for name in variables if name == first or name.startswith(f"{first}_"))
    return [name for name in names if not _is_empty(variables[name])]


def _is_empty(value: Any) -> bool:
    """Whether a variable has no entry. The value of a template is not known."""
    return value is None or (isinstance(value, (list, tuple)) and not value)


def _is_known(name: str) -> bool:
    return name in KNOWN or name.startswith(_FAMILIES) or name in _OF_OTHERS


def _sentence(name: str) -> str:
    prefix = next(prefix for prefix in _PREFIXES if name.startswith(prefix))
    known = sorted(one for one in KNOWN if one.startswith(prefix))
    # Compare only the rests, because the prefix is the same. A guard reaches registries like everything else.
    rest = name.removeprefix(prefix).replace("guard_", "registry_")
    meant = find_similar(rest, [one.removeprefix(prefix) for one in known])
    families = [f"{family}*" for family in _FAMILIES if family.startswith(prefix)]
    end = (
        f": did you mean {prefix + meant!r}?"
        if meant
        else f"; known variables with the prefix {prefix} are {', '.join(sorted([*known, *families]))}."
    )
    return f"variable {name} is unknown{end} Correct it or, if it is for something else, list its name in {_IGNORED}"


def _find_unquoted(variables: Mapping[str, Any]) -> Iterator[str]:
    version, registries = (follow_variable(variables.get(name), variables) for name in (_VERSION, _REGISTRIES))
    if isinstance(version, (int, float)):
        yield f'variable {_VERSION} is the number {version}: YAML drops the last zero of 4.20, so write it in quotes, such as "4.20"'
    if isinstance(registries, str) and "{" not in registries:
        items = ", ".join(filter(None, map(str.strip, registries.split(","))))
        yield f"variable {_REGISTRIES} is a text: write a list, such as [{items or 'quay.io'}]"
    for name in _LOGIN_VARIABLES:
        if why := why_unquoted(f"variable {name}", follow_variable(variables.get(name), variables)):
            yield why
    for name in sorted(KNOWN & variables.keys()):
        value = follow_variable(variables[name], variables)
        for position, item in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(item, Mapping):
                index = f"[{position}]" if isinstance(value, list) else ""
                yield from problems_of_names(_ROTATED[name], item, f"variable {name}.") if name in _ROTATED else ()
                written = ((part, follow_variable(item.get(part), variables)) for part in _LOGIN_MEMBERS)
                yield from filter(None, (why_unquoted(f"{name}{index}.{part}", one) for part, one in written))


#: A quoted text in a template, and a variable outside of one, with its member. `__given` has the variables of the command line.
_QUOTED_TEXT = re.compile(r"""'[^']*'|"[^"]*\"""")
_IN_TEMPLATE = re.compile(r"(?<![\w.])(?:__given\.(\w+)|([a-z]\w*(?:\.\w+\b(?!\())?))")
#: An option in a message: `'a'`, with a value `'a: true'`, an item of a list `'a[0]'`, a member `'a.b'`.
_OPTION = re.compile(r"'(\w+)((?:\[\d+\]|\.\w+)*(?:: [^']+)?)'")
#: One or more options, such as `options 'a' and 'b'`.
_OPTIONS = re.compile(rf"(?:\boption(s?) )?{_OPTION.pattern}(?:(?:, | and | or ){_OPTION.pattern})*")
#: Options that a role gives to all entries of a task: they are never members of an entry.
_OF_TASKS = {"owner", "adopt"}
#: The beginning of the next problem in a message with several problems. Problems within an entry begin with the entry.
_PROBLEM = re.compile(r"; (?=options? ')")
#: The position in a list, with the rest of a path. Only one letter of the name is matched: matching the whole name would take minutes in a long text.
_ENTRY = re.compile(r"\w\[\d+\](?:\.\w+|\[\d+\])*'?")


def variables_of_options(role: str, given: Mapping[str, Any], extra: Collection[str] = ()) -> dict[str, str]:
    """Return the variables of a task's options. `given` are the options as the role or playbook has them, with their templates.

    It is the variable in the template, or else the variable of the role with the name of the option. Options without one are left out.
    If its short name is one of the `extra` variables, it is that name.
    """
    own = {option: f"{role}_{option}" for option in given if f"{role}_{option}" in KNOWN}
    own |= {option: name for option, template in given.items() if (name := _variable_in(template, option))}
    return {option: short if (short := _SHORT_FORMS.get(name, "")) in extra else name for option, name in own.items()}


def _variable_in(template: Any, option: str) -> str:
    """Return the known variable in a template, or of several ones that with the name of the option; empty if that is not clear."""
    text = _QUOTED_TEXT.sub("", template) if isinstance(template, str) and "{{" in template else ""
    found = _IN_TEMPLATE.findall(text)
    names = {short or name for short, name in found if short or name.partition(".")[0] in KNOWN}
    meant = names if len(names) == 1 else {name for name in names if name.endswith(f"_{option}")}
    return meant.pop() if len(meant) == 1 else ""


def translate_result(
    variables: Mapping[str, str], arguments: Mapping[str, Any], result: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the result with the variables instead of options, in the message, the warnings and each text. `arguments` are those of the module.

    After an item of a list, or an option with members, the name of a member is not that of an option. After an item, a word in quotes can also
    be a value, such as a registry `host`.
    """

    in_entry = {name: variables[name] for name in variables.keys() - ({*_members(arguments)} - _OF_TASKS)}

    def translate(text: Any) -> Any:
        # An explanation can have a hundred thousand lines.
        if not isinstance(text, str) or "'" not in text:
            return text
        return "; ".join(_translate_problem(variables, in_entry, arguments, each) for each in _PROBLEM.split(text))

    found: dict[str, Any] = _translate_messages(result, translate)
    return found


def _translate_messages(value: Any, translate: Callable[[Any], Any]) -> Any:
    """Return the value with translated messages. Those of an explanation are in the rows of namespaces and containers."""
    if not isinstance(value, Mapping):
        return value
    found = dict(value)
    for name, part in value.items():
        if name in ("msg", "warnings", "text"):
            found[name] = [*map(translate, part)] if isinstance(part, list) else translate(part)
        elif name in ("namespaces", "access") and isinstance(part, list):
            found[name] = [_translate_messages(one, translate) for one in part]
    return found


def _translate_problem(
    variables: Mapping[str, str], in_entry: Mapping[str, str], arguments: Mapping[str, Any], text: str
) -> str:
    entry, option = _ENTRY.search(text), re.search(r"\boption '(\w+)", text)
    end = entry.end() if entry else len(text)
    members = _members({"": arguments.get(option[1], {})}) if option else ()
    known = {name: variables[name] for name in variables.keys() - {*members}}
    start = _OPTIONS.sub(lambda found: _name_variables(known, found), text[:end])
    usual = {name: variables[name] for name in variables.keys() & REGISTRY_OPTIONS.keys() - in_entry.keys()}
    rest = _OPTIONS.sub(lambda found: _name_variables(in_entry, found, usual, has_values=True), text[end:])
    return start + rest


def _name_variables(
    known: Mapping[str, str], found: re.Match[str], usual: Mapping[str, str] | None = None, *, has_values: bool = False
) -> str:
    """Return the options with the known ones as variables. After the word `option`, none is replaced unless all of them are known.

    `usual` are the variables for the members that an entry leaves out.
    """
    has_word = found[1] is not None
    if has_word and not all(name in known for name, _rest in _OPTION.findall(found[0])):
        return found[0]

    def name_variable(one: re.Match[str]) -> str:
        if usual and one[1] in usual and not has_word:
            return f"{one[0]} in the entry, or {usual[one[1]]} for all entries"
        is_value = has_values and not (has_word or one[2] or "_" in one[1])
        return one[0] if is_value or one[1] not in known else known[one[1]] + one[2]

    return re.sub(r"^option", "variable", _OPTION.sub(name_variable, found[0]))


def _members(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of all members of these options."""
    for spec in arguments.values():
        options = spec.get("options") or {}
        yield from options
        yield from _members(options)
