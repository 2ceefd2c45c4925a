# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check all declarations of the roles before their first task writes anything.

Each task of a role runs a module that checks its own entries. Without this check, an error in a link would be found after the secret was
written. Both use the same code. Files are on the host of the task. So only the module checks credential files, and certificate authorities
are checked here only if that host is this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils.clients.registry.transport import RegistryOptions, check_options, info_from_option
from ..module_utils.core.errors import OptionError
from ..module_utils.core.files import find_input
from ..module_utils.core.namespaces import targets_of
from ..module_utils.core.text import summarize
from ..module_utils.declarations.declare import ListForm, list_entries, problems_of_entries
from ..module_utils.features.pull_secret.plan import PullSecret
from ..module_utils.features.pull_secret.run import check_verification
from ..module_utils.features.registry_auth import check_request
from ..module_utils.module.task import Module
from ..modules import image_puller_grant, pull_access_prune, pull_secret, registry_auth_info, sa_link, sa_wait
from .declarations import KINDS, RAN, Declarations
from .known_variables import VARIABLES, find_unquoted
from .role_entries import DeclarationError, Evaluator, Made, Role, TemplateError, as_data

#: The tasks of each role: the kind of their entries, and their module.
_TASKS: Mapping[str, Mapping[str, Module]] = {
    "private_registry": {"secrets": pull_secret.MODULE, "links": sa_link.MODULE},
    "delegated_auth": {
        "registries": registry_auth_info.MODULE,
        "secrets": pull_secret.MODULE,
        "links": sa_link.MODULE,
    },
    "cross_project_pull": {"accounts": sa_wait.MODULE, "grants": image_puller_grant.MODULE},
}
#: The modules of the steps.
MODULES = {
    "registry_auth_info": registry_auth_info.MODULE,
    "pull_secret": pull_secret.MODULE,
    "sa_link": sa_link.MODULE,
    "sa_wait": sa_wait.MODULE,
    "image_puller_grant": image_puller_grant.MODULE,
    "pull_access_prune": pull_access_prune.MODULE,
}
#: The members of a role's entries that become another option of its modules.
_SECRET_NAMES = "registry_secret_name' or 'realm_secret_name"
_MEMBERS: Mapping[str, Mapping[str, str]] = {
    "private_registry": {"secrets": "name"},
    "delegated_auth": {"registries": "registry", "name": _SECRET_NAMES, "secrets": _SECRET_NAMES},
}
#: Maximum number of problems in a message.
_SHOWN = 20


_OPTION = re.compile(r"\boption '(\w+)'")


class _OfAFileError(Exception):
    """An entry takes its content from a file."""


def refuse_invalid(roles: Sequence[Role], variables: Mapping[str, Any], templates: Evaluator) -> None:
    """Check the entries of these roles, and of all roles of the play that have not run yet.

    Roles outside the play are skipped, because this run may lack variables of theirs, such as passwords.

    :raises DeclarationError: with all problems, by variable and position. It contains no value.
    """
    found: list[str] = []
    playbook = str(variables.get("playbook_dir", "")) if _is_local(variables, templates) else None
    play = {str(name).rpartition(".")[2] for name in variables.get("ansible_play_role_names", VARIABLES)}
    given = {role.name: role for role in roles}
    for name in dict.fromkeys([*given, *(name for name in VARIABLES if name in play and RAN[name] not in variables)]):
        try:
            role = given.get(name) or role_in_play(roles[0], name, variables, templates)
            found += _problems(Declarations(role, variables, templates), playbook)
        except DeclarationError as error:
            found.append(str(error))
    if problems := [*dict.fromkeys(found)]:
        raise DeclarationError(f"nothing was read or changed: {summarize(problems, _SHOWN, '; ')}")


def role_in_play(role: Role, name: str, variables: Mapping[str, Any], templates: Evaluator) -> Role:
    """Return the run of a role with its own state, and the rest like `role`. If it removes its entries, their logins may no longer exist."""
    try:
        state = templates.resolve(variables.get(f"{name}_state"))
    except TemplateError as error:
        raise DeclarationError(error.at(f"variable {name}_state")) from None
    return replace(role, name=name, absent=str(state) == "absent")


def _is_local(variables: Mapping[str, Any], templates: Evaluator) -> bool:
    """Whether the modules run on this host. Ansible gives the connection of each task as a variable."""
    try:
        connection = templates.resolve(variables.get("ansible_connection"))
    except TemplateError:
        return False
    return str(connection).rpartition(".")[2] == "local"


def _problems(declared: Declarations, playbook: str | None) -> Iterator[str]:
    """Yield the problems of a role. `playbook` is the directory of the playbook; None if another host reads the files."""
    answer: Any = None
    members = _MEMBERS.get(declared.role.name, {})
    if declared.role.name == "delegated_auth":
        answer = {"registries": [*map(_assume_answer, KINDS["delegated_auth"]["registries"](declared, None))]}
    for kind, module in _TASKS[declared.role.name].items():
        made = KINDS[declared.role.name][kind](declared, answer)
        changed = [[*_find_changed_logins(module, one)] for one in made]
        yield from chain(*changed)
        sound = [one for one, problems in zip(made, changed, strict=True) if not problems]
        for problem in _problems_of(module, as_data(sound), playbook) if sound else ():
            yield _OPTION.sub(lambda found: f"option '{members.get(found[1], found[1])}'", problem)


def _assume_answer(question: Made) -> Made:
    """Return the answer of a registry that an entry expects: the registry delegates its login if the entry names another host."""
    realm = question.get("realm_host")
    options = RegistryOptions(str(question.get("registry")), realm_host=realm)
    try:
        check_options(options)
        known = info_from_option(options)
    except OptionError as error:  # the check of the question reports it
        return {"error": str(error)}
    return {"registry": question.get("registry"), "delegated": bool(known and known.delegated), "realm_host": realm}


def _find_changed_logins(module: Module, one: Made) -> Iterator[str]:
    """Yield changed credentials. Before ansible-core 2.19, a date would turn all entries into one text, including passwords."""
    spec = module.arguments[module.form.option]["options"] if module.form else {}
    yield from (f"{one.get('title')}: {problem}" for problem in find_unquoted(spec, one))


def _problems_of(module: Module, made: Sequence[Made], playbook: str | None) -> Iterator[str]:
    """Yield the errors that the module would report for these entries."""
    form = module.form
    if form is None:
        return
    options = {form.option: [*made]}
    validation = ArgumentSpecValidator(module.arguments, **module.all_rules).validate(options)
    if validation.errors.errors:
        yield from problems_of_entries(form, module.arguments, options[form.option]) or [validation.errors.msg]
        return
    for entry, given in list_entries(form, validation.validated_parameters):
        try:
            _check_entry(module, given, playbook)
        except OptionError as error:
            yield f"{entry}: {error}"
        except _OfAFileError:
            continue


def _check_entry(module: Module, entry: Mapping[str, Any], playbook: str | None) -> None:
    """Check an entry in the same way as its module.

    :raises OptionError: if the module would refuse it.
    """
    given, path = entry, entry.get("registry_ca_cert")
    if path and playbook is not None:
        given = {**entry, "registry_ca_cert": find_input(path, playbook)}
    # `become` is not visible here: the module may run as a user who is allowed to read the file.
    reads_files = playbook is not None and not _is_forbidden(given.get("registry_ca_cert"))
    if module is registry_auth_info.MODULE:
        check_request(given, reads_files=reads_files)
    if not isinstance(module.form, ListForm):
        return
    targets_of(given)
    desired = module.form.declare(given, _refuse_file)
    if isinstance(desired, PullSecret):
        check_verification(desired, reads_files=reads_files)


def _is_forbidden(path: str | None) -> bool:
    """Whether this user is not allowed to read the file."""
    try:
        with Path(path or "").open("rb"):
            return False
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False


def _refuse_file(_path: str) -> str:
    raise _OfAFileError
