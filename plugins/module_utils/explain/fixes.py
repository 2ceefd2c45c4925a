# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixes for failed pulls, as tasks of this collection: which are offered, who gains access through them, and their text. Pure.

The login of a registry is never known here, so a task contains the variables `registry_username` and `registry_password` instead. Titles
are fixed sentences, and names of objects are only in the options. `offers` decides whether a task is offered.

Only this module decides that, for explanations, audits and reports. Project users choose names and keys in their objects, and people run
the tasks with more rights. So a task is offered only if every text in it is plain and accepted by the modules and the API server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import OptionError
from ..core.names import LONGEST_NAME, is_name, is_namespace, is_object_name, is_pattern, quote_name
from ..core.objects import SECRET, ObjectRef, as_dict, as_list, as_str, as_strs
from ..core.text import is_plain, join_and, make_printable
from ..core.writers import Sentence, TemplateText, as_yaml
from ..dockerconfig.registry_keys import check_key, refuse_unused, without_user
from ..platform.protected import is_global

#: A task as in a playbook.
Fix = dict[str, Any]

PREFIX = "openshift_ops.image_pull."
#: Placeholder for an unknown registry.
REGISTRY = TemplateText("{{ registry }}")
#: The login of a registry: fields of an entry of a pull secret. The email is optional.
VARIABLES: Mapping[str, TemplateText] = {
    "username": TemplateText("{{ registry_username }}"),
    "password": TemplateText("{{ registry_password }}"),
    "email": TemplateText("{{ registry_email }}"),
}
#: The variables of the inventory for the way to a registry, by option of a module. A task never contains a path, or a host that a registry
#: names.
_ACCESS: Mapping[str, TemplateText] = {
    "registry_ca_cert": TemplateText("{{ image_pull_registry_ca_cert }}"),
    "realm_hosts": TemplateText("{{ image_pull_realm_hosts }}"),
}
_PODS = {"restart_pods": "stuck"}

_LINK = Sentence("Link a pull secret to a service account")
_UNLINK = Sentence("Unlink a pull secret from a service account")
_WRITE = Sentence("Write a login into a pull secret")
_REMOVE_ENTRIES = Sentence("Remove registries from a pull secret")
_REMOVE = Sentence("Remove a pull secret")
_GRANT = Sentence("Let others pull from a project")
_REVOKE = Sentence("Revoke pulling from a project")
_IMPORT = Sentence("Import an image stream again")
_WAIT = Sentence("Wait for the pull secret of a service account")
#: All titles. They contain nothing from a cluster.
TITLES = frozenset({_LINK, _UNLINK, _WRITE, _REMOVE_ENTRIES, _REMOVE, _GRANT, _REVOKE, _IMPORT, _WAIT})


def link(namespace: str, account: str, secret: str) -> list[Fix]:
    """Link a secret, and recreate the pods that wait for their image."""
    options = {"namespaces": [namespace], "service_accounts": [account], "secrets": [secret], **_PODS}
    return [_task(_LINK, "sa_link", options)]


def create_secret(namespace: str, account: str, registry: str) -> list[Fix]:
    return [_new_secret(namespace, "pull", registry), *link(namespace, account, secret_name_for("pull", registry))]


def import_secret(namespace: str, registry: str, purpose: str = "pull") -> list[Fix]:
    """Create a secret for imports of image streams, which need no link."""
    return [_new_secret(namespace, purpose, registry)]


def create_unlinked_secret(namespace: str, registry: str) -> list[Fix]:
    """Create a secret that the nodes find without a link, through CRI-O's credential provider."""
    return [_new_secret(namespace, "mirror", registry)]


def import_again(namespace: str, stream: str) -> list[Fix]:
    """Retry the failed imports of a stream."""
    return [_task(_IMPORT, "image_stream_import", {"namespaces": [namespace], "streams": [stream]})]


def add_registry(namespace: str, secret: str, registry: str, *, with_email: bool = False) -> list[Fix]:
    """Add a registry to a secret, or correct its login there. Other entries are kept."""
    fix = _secret(namespace, secret, registry, mode="merge")
    if with_email:
        (login,) = fix[f"{PREFIX}pull_secret"]["registries"]
        login["email"] = VARIABLES["email"]
    return [fix]


def create_listed_secret(namespace: str, secret: str, registry: str) -> list[Fix]:
    """Create a secret that is already linked."""
    return [_secret(namespace, secret, registry)]


def rewrite_secret(namespace: str, secret: str, registry: str) -> list[Fix]:
    """Replace the whole content of a secret, and give it a type that nodes read."""
    return [_secret(namespace, secret, registry, mode="replace", recreate=True)]


def repair_content(
    namespace: str, secret: str, bad: Sequence[str], registry: str, needed: Sequence[str] = (), *, has_logins: bool
) -> list[Fix]:
    """Make the content of a secret readable: write those of the entries `bad` that are `needed` again, and remove the others.

    Without a bad entry, something else in the content is wrong. Then the login of the registry replaces it, unless other logins were lost.
    """
    if not bad:
        return [] if has_logins else rewrite_secret(namespace, secret, registry)
    others = [key for key in bad if key not in needed]
    removed = remove_registry(namespace, secret, *others) if others else []
    return [*removed, *(task for key in needed for task in add_registry(namespace, secret, key))]


def grant(project: str, namespace: str, account: str) -> list[Fix]:
    options = {"namespaces": [project], "service_accounts": [{"namespace": namespace, "name": account}]}
    return [_task(_GRANT, "image_puller_grant", options)]


def grant_to(project: str, subjects: dict[str, Any]) -> list[Fix]:
    """Grant pulls from a project. `subjects`: options of image_puller_grant."""
    return [_task(_GRANT, "image_puller_grant", {"namespaces": [project], **subjects})]


def revoke(project: str, subjects: dict[str, Any]) -> list[Fix]:
    """Remove the right from every binding of the project."""
    options = {"namespaces": [project], **subjects, "state": "absent", "revoke_from": "every_binding"}
    return [_task(_REVOKE, "image_puller_grant", options)]


def link_only(namespace: str, account: str, secret: str) -> list[Fix]:
    """Link a secret once, even an unusable one, without recreating pods."""
    options = {"namespaces": [namespace], "service_accounts": [account], "secrets": [secret], "require": "none"}
    return [_task(_LINK, "sa_link", options)]


def unlink(namespace: str, account: str, secret: str, purpose: str = "pull") -> list[Fix]:
    """Remove a link. `purpose`: `pull` or `mount`, the list of the account."""
    options = {
        "namespaces": [namespace],
        "service_accounts": [account],
        "secrets": [secret],
        "link_for": [purpose],
        "state": "absent",
    }
    return [_task(_UNLINK, "sa_link", options)]


def remove_secret(namespace: str, secret: str) -> list[Fix]:
    options = {"namespaces": [namespace], "name": secret, "state": "absent"}
    return [_task(_REMOVE, "pull_secret", options)]


def remove_registry(namespace: str, secret: str, *registries: str) -> list[Fix]:
    """Remove entries of a secret. Other entries are kept."""
    entries = [{"registry": registry} for registry in registries]
    options = {"namespaces": [namespace], "name": secret, "registries": entries, "mode": "remove"}
    return [_task(_REMOVE_ENTRIES, "pull_secret", options)]


def convert_secret(namespace: str, secret: str, registry: str) -> list[Fix]:
    """Recreate a secret with a type that nodes read. Other entries are kept."""
    return [_secret(namespace, secret, registry, mode="merge", recreate=True)]


def wait_for_account(namespace: str, account: str) -> list[Fix]:
    options = {"namespaces": [namespace], "service_accounts": [account]}
    return [_task(_WAIT, "sa_wait", options)]


def secret_name_for(purpose: str, registry: str) -> str:
    """Return a name for a secret with the login of a registry."""
    words = re.sub("[^a-z0-9]", "-", registry.lower()).strip("-")
    return f"{purpose}-{words}"[:LONGEST_NAME].rstrip("-")


def _new_secret(namespace: str, purpose: str, registry: str) -> Fix:
    """A secret of this name may exist, with other logins for the registry, which are kept."""
    return _secret(namespace, secret_name_for(purpose, registry), registry, mode="merge")


def makes_secret(options: Mapping[str, Any]) -> bool:
    """Whether a task with these options of pull_secret creates a secret, as far as its name shows."""
    registries = [as_str(as_dict(each).get("registry")) for each in as_list(options.get("registries"))]
    made = (secret_name_for(purpose, each) for purpose in ("pull", "mirror", "import") for each in registries)
    return "mode" not in options or as_str(options.get("name")) in {*made}


def _secret(namespace: str, name: str, registry: str, **options: Any) -> Fix:
    login = {"registry": registry, **{field: VARIABLES[field] for field in ("username", "password")}}
    # Not `true`: perhaps only the nodes reach the registry.
    given = {"namespaces": [namespace], "name": name, "registries": [login], **options, "verify": "warn"}
    return _task(_WRITE, "pull_secret", given)


def _task(title: Sentence, module: str, options: dict[str, Any]) -> Fix:
    return {"name": title, f"{PREFIX}{module}": options}


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


def access_options_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the options of a task for the way to registries. The offered tasks that verify a login need them as well."""
    return tuple(option for option in _ACCESS if options.get(option))


def make_offer(tasks: Sequence[Fix], access_options: Sequence[str] = ()) -> Offer:
    """Return all of the tasks, or none of them if one contains unusual text. `access_options`: see `access_options_of`."""
    tasks = [{name: _verify_with(access_options, value) for name, value in task.items()} for task in tasks]
    unusual = next((found for task in tasks for found in _find_unusual(task)), "")
    if unusual:
        return Offer(
            refusal=f"no task is offered, because {unusual} is unusual: check the object, and change it by hand"
        )
    return Offer(tasks, tuple(dict.fromkeys(sentence for task in tasks for sentence in _effects(task))))


def _verify_with(given: Sequence[str], value: Any) -> Any:
    return {**value, **{option: _ACCESS[option] for option in given}} if "verify" in as_dict(value) else value


def offer_of(answer: Mapping[str, Any]) -> Offer:
    """Return the offer in a result or in a document. Anyone may have written it, so it is checked again and its effects are ignored."""
    tasks = [{name: _restore_member(name, value) for name, value in task.items()} for task in answer["fix"]]
    return make_offer(tasks) if tasks else Offer(refusal=answer.get("fix_refusal", ""))


# --- types that a result and a document do not have


def _restore_member(name: str, value: Any) -> Any:
    """Titles are our own sentences, and login fields and the way to a registry are always variables."""
    if name == "name":
        return Sentence(value) if value in TITLES else value
    options = as_dict(value)
    entries = [_with_variables(as_dict(entry)) for entry in as_list(options.get("registries"))]
    variables = {"registries": entries, **_ACCESS}
    return {**options, **{option: variables[option] for option in variables if option in options}}


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
        "verify": str, "registry_ca_cert": str, "realm_hosts": str,
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
    return _accepts(check_key, value) and is_plain(value) and not is_pattern(value)


def _accepts(check: Callable[[str, str], None], key: str) -> bool:
    try:
        check("", key)
    except OptionError:
        return False
    return True


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
    "registry_ca_cert": ("the file of certificate authorities", lambda value: isinstance(value, TemplateText)),
    "realm_hosts": ("the host for logins", lambda value: isinstance(value, TemplateText)),
}


def _find_unusual(task: Fix) -> Iterator[str]:
    """Each unusual text in a task, as a part of a sentence."""
    module, options = options_of(task)
    is_ours = task.keys() == {"name", PREFIX + module} and isinstance(task["name"], Sentence)
    if not is_ours or module not in _FORMS or not _has_form(task[PREFIX + module], _FORMS[module]):
        yield "the task"
    yield from _find_unusual_options(options)
    if options.get("mode") != "remove":
        yield from _find_unused_keys(as_dict(entry).get("registry") for entry in as_list(options.get("registries")))


def _find_unused_keys(keys: Iterable[Any]) -> Iterator[str]:
    """Each key that no client uses for any image: the module refuses to write it."""
    for key in keys:
        if isinstance(key, str) and not (isinstance(key, TemplateText) or _accepts(refuse_unused, key)):
            yield f"the registry key {_quote_value('registry', key)}"


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
        secret = f"secret {options.get('name')} of namespace {places}"
        replaces = options.get("mode") == "replace"
        effect = f"replaces the whole content of {secret} by {login}" if replaces else f"writes {login} into {secret}"
        yield f"This {effect}: {_describe_users(options)}."


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
