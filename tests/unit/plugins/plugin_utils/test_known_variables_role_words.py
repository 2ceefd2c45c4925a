# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages to users of a role or playbook contain the names of its variables instead of the module options."""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import FILE_ARGUMENTS
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import (
    KNOWN,
    SHORT_NAMES,
    find_unquoted,
    follow_variable,
    translate_result,
    variable_of,
    variables_of_options,
    why_unquoted,
)
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, nodes
from support.playbook_variables import ROOT, ModuleTask, module_tasks

TASKS = [*module_tasks()]

#: The role, or the playbook, of the tasks.
PLACES = {task.role or task.path.stem: task.role for task in TASKS}


def arguments_of(module: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = importlib.import_module(
        f"ansible_collections.openshift_ops.image_pull.plugins.modules.{module}"
    ).MODULE.arguments
    return found


def variables(place: str, module: str) -> dict[str, str]:
    """The variables of the options of a module that a role or playbook runs."""
    tasks = [task for task in TASKS if (task.role or task.path.stem, task.module) == (place, module)]
    assert tasks, (place, module)
    return variables_of_options(PLACES[place], {name: value for task in tasks for name, value in task.given.items()})


@pytest.mark.parametrize(
    ("place", "module", "said", "expected"),
    [
        ("credential_rotation", "credential_rotation", "option 'old' has no password", "variable credential_rotation_old has no password"),
        (
            "credential_rotation",
            "credential_rotation",
            "options 'old' and 'new' are alike",
            "variables credential_rotation_old and credential_rotation_new are alike",
        ),
        ("global_pull_secret", "pull_secret", "name it in 'realm_hosts'", "name it in global_pull_secret_realm_hosts"),
        (
            "global_pull_secret",
            "pull_secret",
            "option 'guard': name it in 'realm_hosts', or set 'guard: false'",
            "variable global_pull_secret_guard: name it in global_pull_secret_realm_hosts, or set global_pull_secret_guard: false",
        ),
        ("global_pull_secret", "pull_secret", "option 'kubeconfig' is wrong", "variable image_pull_kubeconfig is wrong"),
        ("declared_access", "pull_access_prune", "set 'max_prune: 7'", "set image_pull_max_prune: 7"),
        ("export", "pull_access_export", "option 'vault_id' is wrong", "variable image_pull_export_vault_id is wrong"),
        (
            "export",
            "pull_access_export",
            "choose another 'dest', set 'force: true', or 'credentials: placeholder'",
            "choose another image_pull_export_dest, set image_pull_export_force: true, or image_pull_export_credentials: placeholder",
        ),
        ("explain", "pull_access_info", "set 'ask_registries: true'", "set ask_registries: true"),
        ("explain", "pull_access_info", "raise 'registry_timeout'", "raise image_pull_registry_timeout"),
        ("explain", "pull_access_info", "option 'image' is empty", "variable image is empty"),
        ("images", "pull_access_images", "option 'of': 'x' is wrong", "variable of: 'x' is wrong"),
        ("images", "pull_access_images", "option 'ask_registries: true' needs 'to'", "variable ask_registries: true needs to"),
        # The role has another name for the option.
        ("global_pull_secret", "global_pull_secret_info", "raise 'timeout'", "raise global_pull_secret_wait_timeout"),
        ("credential_rotation", "global_pull_secret_info", "raise 'timeout'", "raise credential_rotation_nodes_timeout"),
        ("credential_rotation", "pull_probe", "raise 'timeout'", "raise credential_rotation_probe_timeout"),
        ("credential_rotation", "pull_access_what_if", "set 'ask_registries: true'", "set credential_rotation_verify: true"),
        ("automation_account", "automation_account", "option 'kubeconfig_dest' is", "variable automation_account_kubeconfig is"),
        # Options without a variable, and a member of an option.
        ("credential_rotation", "credential_rotation", "option 'nodes_pull_secret' is", "option 'nodes_pull_secret' is"),
        ("credential_rotation", "credential_rotation", "options 'old' and 'nothing' are", "options 'old' and 'nothing' are"),
        ("credential_rotation", "credential_rotation", "option 'new': give 'expires'", "variable credential_rotation_new: give 'expires'"),
        (
            "pull_access_audit",
            "pull_access_audit",
            "option 'search_credential': give one of 'password' and 'token'",
            "variable pull_access_audit_search_credential: give one of 'password' and 'token'",
        ),
        # A member of an entry.
        ("credential_rotation", "credential_rotation", "x_secrets[0]: option 'namespaces' is", "x_secrets[0]: option 'namespaces' is"),
        ("credential_rotation", "credential_rotation", "secret \"old\" is", "secret \"old\" is"),
        # The role gives the option to all entries.
        (
            "declared_access",
            "pull_secret",
            "private_registry_secrets[0] (x): option 'owner': 'mode: merge'; private_registry_secrets[1]: set 'adopt: true'",
            "private_registry_secrets[0] (x): variable image_pull_owner: 'mode: merge'; private_registry_secrets[1]: set image_pull_adopt: true",
        ),
        (
            "declared_access",
            "pull_access_prune",
            "private_registry_secrets[0]: because option 'guard' found. Set 'guard: false'",
            "private_registry_secrets[0]: because variable image_pull_guard found. Set image_pull_guard: false",
        ),
        ("declared_access", "pull_secret", "private_registry_secrets[0]: begins with 'host'", "private_registry_secrets[0]: begins with 'host'"),
        # Items of a list.
        (
            "pull_access_what_if",
            "pull_access_what_if",
            "option 'changes[0]': a; option 'changes[1]': b",
            "variable pull_access_what_if_changes[0]: a; variable pull_access_what_if_changes[1]: b",
        ),
        ("pull_access_what_if", "pull_access_what_if", "option 'nothing[0]': a", "option 'nothing[0]': a"),
        (
            "pull_access_what_if",
            "pull_access_what_if",
            "option 'changes[0].remove_links[1].name' is a",
            "variable pull_access_what_if_changes[0].remove_links[1].name is a",
        ),
        # A problem after that of an item, and a member of an option.
        (
            "pull_access_what_if",
            "pull_access_what_if",
            "option 'changes[0]': option 'owner' is a; option 'fail_on' is b; option 'against.prune' is c",
            "variable pull_access_what_if_changes[0]: option 'owner' is a; variable pull_access_what_if_fail_on is b; "
            "variable pull_access_what_if_against.prune is c",
        ),
        ("automation_account", "automation_account", "option 'jobs' has an", "variable automation_account_jobs has an"),
        ("automation_account", "automation_account", "option 'job' has an", "option 'job' has an"),
    ],
)  # fmt: skip
def test_options_become_variables(place: str, module: str, said: str, expected: str) -> None:
    def result(text: str) -> dict[str, Any]:
        rows = [{"name": said, "access": [{"text": [text], "namespaces": [said]}]}]
        return {"msg": text, "warnings": [text, {"msg": said}], "text": [text], "n": 1, "namespaces": rows}

    assert translate_result(variables(place, module), arguments_of(module), result(said)) == result(expected)


@pytest.mark.parametrize(
    ("place", "module", "said", "expected"),
    [
        ("explain", "pull_access_info", "raise 'registry_timeout'", "raise registry_timeout"),
        ("explain", "pull_access_info", "option 'registry_ca_cert': x", "variable image_pull_registry_ca_cert: x"),
        (
            "pull_access_what_if",
            "pull_access_what_if",
            "option 'changes[0].remove_secrets.name' is missing",
            "variable changes[0].remove_secrets.name is missing",
        ),
        ("explain", "pull_access_info", "option 'registry_timeout' is 0", "variable registry_timeout is 0"),
    ],
)
def test_a_short_name_of_the_command_line_is_named(place: str, module: str, said: str, expected: str) -> None:
    tasks = [task for task in TASKS if (task.role or task.path.stem, task.module) == (place, module)]
    found = variables_of_options(tasks[0].role, tasks[0].given, {"changes": [], "registry_timeout": 0})
    assert translate_result(found, arguments_of(module), {"msg": said}) == {"msg": expected}


def test_a_member_that_a_variable_sets_for_all_entries_is_named_with_both_places() -> None:
    known, arguments = {"realm_hosts": "image_pull_realm_hosts"}, arguments_of("pull_secret")
    for said, expected in (
        ("x_secrets[0] (x): add it to 'realm_hosts: - a'", "'realm_hosts: - a' in the entry, or image_pull_realm_hosts for all entries"),
        ("x_secrets[0] (x): option 'realm_hosts' is empty", "option 'realm_hosts' is empty"),
        ("add it to 'realm_hosts: - a'", "image_pull_realm_hosts: - a"),
    ):  # fmt: skip
        assert translate_result(known, arguments, {"msg": said})["msg"].endswith(f" {expected}")


def test_a_result_without_messages_is_unchanged() -> None:
    assert translate_result({"old": "x"}, {}, {"changed": False}) == {"changed": False}


def test_a_long_text_is_converted_in_little_time() -> None:
    """The text may come from a server and contain repetitions."""
    started = time.process_time()
    for part in ("a", "option ", "'a", "'a[0]", "'a' and ", "option 'old: ", " in 'registries'"):
        translate_result({"registries": "x", "old": "y"}, {}, {"msg": part * 20_000})
    assert time.process_time() - started < 2


#: The variables of options whose template has several, and None if the option has none of its own.
SEVERAL = {
    ("global_pull_secret_info", "merge"): "global_pull_secret_registries",
    ("pull_access_export", "dest"): "image_pull_export_dest",
    ("pull_access_export", "namespace_selector"): "image_pull_export_namespace_selector",
    ("credential_rotation", "verify_unchanged"): None,
}


def expected_variable(task: ModuleTask, option: str) -> str | None:
    """The variable of an option, as Jinja reads its template: the only one of the tables in it, or else the one with the role's prefix."""
    template = task.given[option]
    is_template = isinstance(template, str) and "{{" in template
    parsed = Environment(autoescape=True).parse(template if is_template else "")
    names = {found.name for found in parsed.find_all(nodes.Name)}
    given = set(re.findall(r"__given\.(\w+)", template)) if is_template else set()
    assert given <= SHORT_NAMES["explain"] | SHORT_NAMES["images"] | SHORT_NAMES["what_if"]
    known = (names & KNOWN) or given
    own = f"{task.role}_{option}"
    if len(known) == 1:
        return known.pop()
    if known and (task.module, option) in SEVERAL:
        return SEVERAL[task.module, option]
    return own if own in KNOWN else None


@pytest.mark.parametrize(
    "task", TASKS, ids=lambda task: f"{task.path.parent.parent.name}-{task.path.stem}-{task.module}"
)
def test_each_option_of_a_role_or_playbook_has_its_variable(task: ModuleTask) -> None:
    found = variables_of_options(task.role, task.given)
    for option in task.given:
        name = found.get(option, "").partition(".")[0] or None
        assert name == expected_variable(task, option), option


#: The rights of each job are a table, not messages of a module.
NO_MESSAGES = {"rights.py"}


def messages() -> Iterator[tuple[str, str]]:
    """Each file and text of the modules that is not documentation. X stands for the parts that are inserted."""
    paths = [path for path in (ROOT / "plugins" / "module_utils").glob("**/*.py") if path.name not in NO_MESSAGES]
    for path in (*paths, ROOT / "plugins" / "plugin_utils" / "variable_files.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        bodies = (node.body for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)))
        parts |= {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
        for node in ast.walk(tree):
            if id(node) not in parts and " " in (text := text_of(node)).strip():
                yield path.name, text


def text_of(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return "".join(text_of(value) or "X" for value in node.values) if isinstance(node, ast.JoinedStr) else ""


MESSAGES = sorted({*messages()})

#: All options with two words. Those with one word are words of sentences as well.
OPTIONS = {name for task in TASKS for name in arguments_of(task.module)}

LONG = {name for name in OPTIONS if "_" in name}

#: Other meanings: the playbook, the environment variables of proxies.
OTHERS = {"what_if", "no_proxy"}


def unquoted_options(text: str) -> Iterator[str]:
    """The options of a message that are not in quotes, or have a value that is not written as in YAML."""
    rest = re.sub(r"'[^']*'", "", text)
    yield from (name for name in re.findall(r"\w+", rest) if name in LONG - OTHERS)
    values = re.findall(r"(?<!label )(?<![\w.?&-])(\w+)[=:](?: ?'|[a-z]+\b)", rest) + re.findall(r"'(\w+)=", text)
    yield from (name for name in values if name in OPTIONS)


def test_an_option_in_a_message_is_in_quotes() -> None:
    """Only then, it becomes the variable of the role."""
    assert {(file, text): found for file, text in MESSAGES if (found := [*unquoted_options(text)])} == {}


#: A number, and the plural of a thing that is counted.
COUNTED = re.compile(
    r"\bX (?:(?:other|more|further|confirmed|named|role) )?(?:secrets|namespaces|containers|pods|entries|clusters|images|links|accounts|"
    r"registries|objects|projects|nodes|logins|findings|machines|bindings|repositories|workloads)\b"
)

#: Sentences about numbers that are never one, by their parts.
SEVERAL_OF_THEM = ("fewer than X secrets", "all X namespaces", "the X entries", "X role bindings of namespace X let", "asks for X images",
                   "is in X secrets of X namespaces", "has recorded X secrets or more", "uses X repositories of the registries",
                   "X other registries that objects of the cluster name")  # fmt: skip


def test_a_number_has_the_form_of_its_noun() -> None:
    """`pluralize` makes both, so that no message is about 1 secrets."""
    found = [text for _file, text in MESSAGES if COUNTED.search(text)]
    assert [text for text in found if not any(part in text for part in SEVERAL_OF_THEM)] == []


def test_messages_have_one_word_for_verdicts_that_are_not_known() -> None:
    assert [
        text for _file, text in MESSAGES if re.search(r"\b(be judged|cannot judge)\b|[Ii]t is unknown whether", text)
    ] == []


def test_each_message_gets_the_variables_of_each_role_and_playbook() -> None:
    """No option that has a variable is left in quotes, except members of other options."""
    found = 0
    for place, module in {(task.role or task.path.stem, task.module) for task in TASKS}:
        known, arguments = variables(place, module), arguments_of(module)
        for file, text in MESSAGES:
            names = [name for name in re.findall(r"'(\w+)(?:: [^']*)?'", text) if name in known]
            if not names or re.search(
                r"option '(?:new|old|search_credential|registries|changes|secrets|against)'", text
            ):
                continue
            left = re.findall(r"'(\w+)(?:: [^']*)?'", translate_result(known, arguments, {"msg": text})["msg"])
            # Without a variable for one of them, the words after `options` stay as they are.
            joint = re.findall(r"options '(\w+)'(?:, '(\w+)')* and '(\w+)", text)
            assert {*left} & {*names} <= {name for group in joint for name in group}, (place, file, text)
            found += len(names)
    assert found > 500


# --- A credential that YAML has not read as text is refused with its path and without its value

MODULES = sorted(path.stem for path in (Path(__file__).parents[4] / "plugins/modules").glob("*.py"))

SPEC = {
    "username": {"type": "str"},
    "password": {"type": "raw", "no_log": True},
    "path": {"type": "path", "no_log": False},
    "count": {"type": "int"},
    **FILE_ARGUMENTS,
    "registries": {
        "type": "list",
        "options": {"username": {"type": "str"}, "password": {"type": "str", "no_log": True}},
    },
}


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("0123", "a number"), ("123", "a number"), ("0x1F", "a number"), ("1_000", "a number"), ("1.5", "a number"), ("12:34:56", "a number"),
        ("yes", "true or false"), ("off", "true or false"), ("true", "true or false"), ("2030-01-02", "a date"), ("2030-01-02 03:04:05", "a date"),
        (".inf", "a number"),
    ],
)  # fmt: skip
def test_each_unquoted_form_is_refused_with_its_kind(written: str, kind: str) -> None:
    for name in ("username", "password"):
        (said,) = find_unquoted(SPEC, {name: yaml.safe_load(written)})
        assert said == f"{name} is {kind} and not a text: YAML has changed it, so put it in quotes where it is defined"
        assert [*find_unquoted(SPEC, {name: yaml.safe_load(f"'{written}'")})] == []


@given(st.text())
def test_any_text_is_accepted(text: str) -> None:
    assert why_unquoted("x", text) == ""


def test_all_places_of_unquoted_logins_are_named() -> None:
    given = {
        "count": 3,
        "path": 3,
        "unknown": 3,
        "password": None,
        "registries": [{"username": "u"}, {"username": 1, "password": 2.5}, 3],
    }
    assert [said.partition(" ")[0] for said in find_unquoted(SPEC, given)] == [
        "registries[1].username",
        "registries[1].password",
    ]


def test_an_unquoted_login_is_named_by_its_variable() -> None:
    given = {"password": 1, "registries": [{"username": 1}], "auth_config": {"day": date(2030, 1, 2)}}
    names = {"password": "my_password", "registries": "my_registries", "auth_config": "my_file"}
    assert [said.partition(" is ")[0] for said in find_unquoted(SPEC, given, variables=names)] == [
        "variable my_password",
        "my_registries[0].username",
        "variable my_file.day",
    ]


def test_only_dates_in_an_auth_file_are_refused() -> None:
    """A number in the file is checked when the file is read. A date would already be text at that point."""
    file = yaml.safe_load("auths: {quay.io: {username: u, password: 2030-01-02, n: 3}, r: [2030-01-02]}")
    assert [said.partition(" is ")[0] for said in find_unquoted(SPEC, {"auth_config": file})] == [
        "auth_config.auths.quay.io.password",
        "auth_config.auths.r[0]",
    ]


def credentials_in(arguments: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str]]:
    for name, spec in arguments.items():
        if "options" in spec:
            yield from credentials_in(spec["options"], f"{where}{name}.")
        elif name in ("username", "password", "token", "offline_token", "client_secret", "api_key"):
            yield where, name


@pytest.mark.parametrize("module", MODULES)
def test_each_module_has_its_logins_checked(module: str) -> None:
    arguments = importlib.import_module(
        f"ansible_collections.openshift_ops.image_pull.plugins.modules.{module}"
    ).MODULE.arguments
    for where, name in credentials_in(arguments):
        given: Any = {name: 83}
        for part in reversed(where.split(".")[:-1]):
            given = {part: given}
        assert [*find_unquoted(arguments, given)], f"{where}{name}"


# --- A value that consists of one variable is followed to the text in the inventory

VARIABLES = {
    "text": "plain",
    "number": 83,
    "logins": {"robot": 83, "other": "{{ text }}", "deep": {"er": "x"}},
    "chain": "{{ logins.other }}",
    "loop": "{{ loop }}",
    "token": "{{ lookup('ansible.builtin.env', 'TOKEN') }}",
    "registered": {"changed": False, "failed": False, "stdout": "fresh"},
}


class Vaulted(str):
    """A text that ansible-vault encrypts, as older versions of ansible-core have it."""

    _ciphertext = b"{{ text }}"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("{{ text }}", "text"),
        (" {{- logins.deep.er -}} ", "logins.deep.er"),
        ("{{ text }}x", ""),
        ("{{ text | trim }}", ""),
        ("{{ logins['robot'] }}", ""),
        ("text", ""),
        ("", ""),
        (83, ""),
        (None, ""),
        (Vaulted("{{ text }}"), ""),
    ],
)
def test_only_a_single_variable_has_a_name(written: Any, name: str) -> None:
    assert variable_of(written) == name


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("{{ text }}", "plain"),
        ("{{ number }}", 83),
        ("{{ logins.robot }}", 83),
        ("{{ logins.deep.er }}", "x"),
        ("{{ chain }}", "plain"),
        ("{{ token }}", VARIABLES["token"]),
        *((same, same) for same in ("{{ loop }}", "{{ logins.none }}", "{{ text.more }}", "{{ registered.stdout }}",
                                    "{{ none }}", "", 1)),
    ],
)  # fmt: skip
def test_a_variable_is_followed_to_its_last_value(written: Any, found: Any) -> None:
    assert follow_variable(written, VARIABLES) == found
