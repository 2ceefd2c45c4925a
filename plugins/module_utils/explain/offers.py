# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fixes are offered, who gains access through them, and their text for a playbook. Pure.

Only this module decides that, for explanations, audits and reports. Project users choose names and keys in their objects, and people run
the tasks with more rights. So a task is offered only if every text in it is plain and accepted by the modules and the API server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import OptionError
from ..core.names import is_name, is_namespace, is_object_name, is_pattern, quote_name
from ..core.objects import SECRET, ObjectRef, as_dict, as_list, as_str, as_strs
from ..core.text import is_plain, join_and, make_printable
from ..core.yaml_text import Sentence, TemplateText, as_yaml
from ..dockerconfig.registry_keys import check_key, without_user
from ..platform.protected import is_global
from .fixes import PREFIX, REGISTRY, TITLES, VARIABLES, Fix

__all__ = ["Offer", "make_offer", "offer_of", "options_of"]


@dataclass(frozen=True)
class Offer:
    """The offered tasks. `effects`: who gains access when they run, one sentence each. `refusal`: why no task is offered, or empty."""

    tasks: Sequence[Fix] = ()
    effects: Sequence[str] = ()
    refusal: str = ""

    def report(self) -> dict[str, Any]:
        return {"fix": list(self.tasks), "fix_effects": list(self.effects), "fix_refusal": self.refusal}

    @property
    def notes(self) -> str:
        """Return who gains access, or why there is no task."""
        return self.refusal or " ".join(self.effects)

    @property
    def text(self) -> str:
        """Return the tasks as YAML for a playbook, or an empty text."""
        return as_yaml(list(self.tasks)) if self.tasks else ""


def make_offer(tasks: Sequence[Fix]) -> Offer:
    """Return all of the tasks, or none of them if one contains unusual text."""
    unusual = next((found for task in tasks for found in _find_unusual(task)), "")
    if unusual:
        return Offer(
            refusal=f"no task is offered, because {unusual} is unusual: check the object, and change it by hand"
        )
    return Offer(tasks, tuple(dict.fromkeys(sentence for task in tasks for sentence in _effects(task))))


def offer_of(answer: Mapping[str, Any]) -> Offer:
    """Return the offer in a result or in a document. Anyone may have written it, so it is checked again and its effects are ignored."""
    tasks = [{name: _restore_member(name, value) for name, value in task.items()} for task in answer["fix"]]
    return make_offer(tasks) if tasks else Offer(refusal=answer.get("fix_refusal", ""))


# --- types that a result and a document do not have


def _restore_member(name: str, value: Any) -> Any:
    """Titles are our own sentences, and login fields are always variables."""
    if name == "name":
        return Sentence(value) if value in TITLES else value
    options = as_dict(value)
    entries = [_with_variables(as_dict(entry)) for entry in as_list(options.get("registries"))]
    return {**options, **({"registries": entries} if "registries" in options else {})}


def _with_variables(entry: Mapping[str, Any]) -> dict[str, Any]:
    login = {name: variable for name, variable in VARIABLES.items() if name in entry}
    return {**entry, **({"registry": REGISTRY} if entry.get("registry") == REGISTRY else {}), **login}


def options_of(task: Fix) -> tuple[str, Mapping[str, Any]]:
    """Return the module of a task, without the name of the collection, and its options."""
    module = next((name for name in task if name != "name"), "")
    return module.removeprefix(PREFIX), as_dict(task.get(module))


# --- unusual text


_ACCOUNT = {"namespace": str, "name": str}
_ENTRY = {"registry": str, "username": str, "password": str, "email": str}
#: Allowed options of fixes by module, with the form of each. Others, such as `host` or `role`, have effects that are not reported.
_FORMS: Mapping[str, Mapping[str, Any]] = {
    "image_puller_grant": {
        "namespaces": [str], "service_accounts": [_ACCOUNT], "projects": [str], "users": [str], "groups": [str],
        "authenticated": bool, "anonymous": bool, "state": str, "revoke_from": str,
    },
    "image_stream_import": {"namespaces": [str], "streams": [str]},
    "pull_secret": {
        "namespaces": [str], "name": str, "registries": [_ENTRY], "mode": str, "recreate": bool, "state": str,
    },
    "sa_link": {
        "namespaces": [str], "service_accounts": [str], "secrets": [str], "link_for": [str], "require": str,
        "restart_pods": str, "state": str,
    },
    "sa_wait": {"namespaces": [str], "service_accounts": [str]},
}  # fmt: skip


def _has_form(value: Any, form: Any) -> bool:
    if isinstance(form, list):
        return isinstance(value, (list, tuple)) and all(_has_form(item, form[0]) for item in value)
    if isinstance(form, Mapping):
        is_known = isinstance(value, Mapping) and value.keys() <= form.keys()
        return is_known and all(_has_form(item, form[name]) for name, item in value.items())
    return isinstance(value, form)


def _is_registry(value: Any) -> bool:
    """Whether it is a registry as in an entry: not a glob, without user and query."""
    if isinstance(value, TemplateText):
        return True
    try:
        check_key("", value)
    except OptionError:
        return False
    return is_plain(value) and not is_pattern(value)


#: Options with text from a cluster: the term for it, and the check that it must pass.
_CHECKS: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "namespaces": ("the namespace", is_namespace),
    "projects": ("the project", is_namespace),
    "namespace": ("the namespace", is_namespace),
    "name": ("the name", is_name),
    "secrets": ("the secret's name", is_name),
    "service_accounts": ("the service account's name", is_name),
    "streams": ("the image stream's name", is_object_name),
    "users": ("the user's name", is_plain),
    "groups": ("the group's name", is_plain),
    "registry": ("the registry key", _is_registry),
    "username": ("the user's name", lambda value: isinstance(value, TemplateText)),
    "password": ("the password", lambda value: isinstance(value, TemplateText)),
    "email": ("the email", lambda value: isinstance(value, TemplateText)),
}


def _find_unusual(task: Fix) -> Iterator[str]:
    """Each unusual text in a task, as a part of a sentence."""
    module, options = options_of(task)
    is_ours = task.keys() == {"name", PREFIX + module} and isinstance(task["name"], Sentence)
    if not is_ours or module not in _FORMS or not _has_form(task[PREFIX + module], _FORMS[module]):
        yield "the task"
    yield from _find_unusual_options(options)


def _find_unusual_options(options: Mapping[str, Any]) -> Iterator[str]:
    for option, value in options.items():
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(item, Mapping):
                yield from _find_unusual_options(item)
            elif isinstance(item, str):
                word, is_usual = _CHECKS.get(option, (f"option {option}", is_plain))
                if not is_usual(item):
                    yield f"{word} {_quote_value(option, item)}".rstrip()


def _quote_value(option: str, text: str) -> str:
    """Never shows a part of a login."""
    if option in VARIABLES:
        return ""
    known = make_printable(without_user(text) if option == "registry" else text)
    return quote_name(known)


# --- who gains access


def _effects(task: Fix) -> Iterator[str]:
    module, options = options_of(task)
    if options.get("state") == "absent" or options.get("mode") == "remove":
        return
    places = join_and(as_strs(options.get("namespaces")))
    if module == "image_puller_grant":
        yield f"This lets {_describe_subjects(options)} pull the images of project {places}."
    elif module == "sa_link":
        accounts, secrets = (join_and(as_strs(options.get(name))) for name in ("service_accounts", "secrets"))
        yield f"This lets every pod of service account {accounts} of namespace {places} pull with the logins of secret {secrets}."
    elif module == "pull_secret":
        registries = [as_str(as_dict(entry).get("registry")) for entry in as_list(options.get("registries"))]
        known = [registry for registry in registries if not isinstance(registry, TemplateText)]
        login = f"the login for {join_and(known)}" if known else "the login that you give"
        yield f"This writes {login} into secret {options.get('name')} of namespace {places}: {_describe_users(options)}."


def _describe_users(options: Mapping[str, Any]) -> str:
    name = as_str(options.get("name"))
    if any(is_global(ObjectRef(SECRET, place, name)) for place in as_strs(options.get("namespaces"))):
        return "every node pulls with it, for the pods of all namespaces"
    return "everybody who may read secrets or create pods there can use it"


def _describe_subjects(options: Mapping[str, Any]) -> str:
    accounts = map(as_dict, as_list(options.get("service_accounts")))
    parts = [f"service account {one.get('name')} of project {one.get('namespace')}" for one in accounts]
    parts += [f"every service account of project {name}" for name in as_strs(options.get("projects"))]
    parts += [f"group {name}" for name in as_strs(options.get("groups"))]
    parts += [f"user {name}" for name in as_strs(options.get("users"))]
    if options.get("authenticated"):
        parts.append("everybody who is logged in, including all service accounts,")
    if options.get("anonymous"):
        parts.append("clients that send no login")
    return join_and(parts)
