# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the command line and of a job in AWX: changes to suppose, answers to a survey, and a sealed plan of an earlier job. Pure.

A bulk launch gives free variables to each of its jobs, without a check against the survey: get_job_kwargs in AWX's
awx/main/models/workflow.py. AWX then writes its own awx_* and tower_* variables over those of the launch: build_extra_vars_file in
awx/main/tasks/jobs.py.

A bulk launch can give a job any plan. So the first job seals its plan with a key that only the jobs of a rotation have. The seal is for one
run of a workflow, because no user can choose the number of that run, and the approval is between its jobs. The sealed plan is text: other
values can arrive changed, such as a name that looks like a number.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from ansible.utils.vars import load_extra_vars

from ..module_utils.core.text import join_and, summarize
from ..module_utils.images.nodes import parse_version
from ..module_utils.images.references import reference_of


def extra_variables(loader: Any) -> Mapping[str, Any]:
    """Return the extra variables of the run, unevaluated. `loader` is the data loader of a task or lookup.

    Ansible keeps them from its start, so a file that has changed since is not read again.
    """
    return load_extra_vars(loader)  # type: ignore[no-any-return]


try:
    from ansible.template import is_trusted_as_template
except ImportError:  # before ansible-core 2.19

    def is_trusted_as_template(value: Any) -> bool:
        return not hasattr(value, "__UNSAFE__")


#: The kind of an answer, or its choices.
Answer = Union[str, Sequence[str]]

_OF_AWX = ("awx_", "tower_")
_MARKERS = ("{{", "{%", "{#", "#jinja2:")
#: Maximum number of variables that a message names, and of characters of a name.
_SHOWN, _LENGTH = 20, 80


def launch_problems(given: Mapping[str, Any], asked: Mapping[str, Answer]) -> list[str]:
    """Return why a job with these extra variables must not run. `asked` contains the allowed variables, except AWX's own."""
    own = {name: value for name, value in given.items() if str(name).startswith(_OF_AWX)}
    others = [repr(str(name)[:_LENGTH]) for name in given if name not in own and name not in asked]
    problems = (
        [
            f"the survey does not ask for {summarize(others, _SHOWN)}. Give answers to the survey only. A question or a variable that you "
            "added yourself belongs in the first task of the playbook as well"
        ]
        if others
        else []
    )
    for name, value in given.items():
        if any(map(_is_template, _texts(value))):
            problems.append(
                f"Ansible would evaluate the text of {str(name)[:_LENGTH]!r}: set the controller's "
                "ALLOW_JINJA_IN_EXTRA_VARS to 'template' or 'never'"
            )
        elif name in asked and value is not None and value != "" and (wanted := _why_wrong(value, asked[name])):
            problems.append(f"the answer to {name!r} is not {wanted}")
    return problems


def _why_wrong(value: Any, wanted: Answer) -> str:
    """Return the expected kind of answer; empty if the value is one."""
    # From ansible-core 2.19 on, 0123 arrives as the number 83, and no as false.
    if not isinstance(wanted, str):
        answer = ("yes" if value else "no") if isinstance(value, bool) else value
        return "" if isinstance(answer, str) and answer in wanted else f"one of {join_and(list(map(repr, wanted)))}"
    if wanted == "text":
        lost = "text, or Ansible reads it as a number, or as true or false, and its text is lost. Set it in the inventory instead"
        return "" if isinstance(value, str) else lost
    if wanted == "number":
        return "" if isinstance(value, int) and not isinstance(value, bool) else "a number"
    if wanted == "list":
        return "" if isinstance(value, list) and all(isinstance(item, str) for item in value) else "a list of texts"
    return ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in (*value.keys(), *value.values()):
            yield from _texts(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts(part)


def _is_template(text: str) -> bool:
    return any(marker in text for marker in _MARKERS) and is_trusted_as_template(text)


_SECRET = re.compile(r"(?:[a-z0-9-]+/)?[a-z0-9.-]+\Z")
_LOGIN = re.compile(r"[^\s{}#]+@[\w.:-]+\Z")
_MOVE = re.compile(r"[\w.:/-]+=[\w.:/-]+\Z")
#: The form of a registry for each short variable, and its description with an example.
_PLACES = {
    "unreachable": (
        re.compile(r"[\w.*:/-]+\Z"),
        "registries or paths without a scheme, such as quay.io,docker.io/bitnami",
    ),
    "only_reachable": (re.compile(r"[\w.*:-]+\Z"), "hosts without a scheme and a path, such as quay.io,docker.io"),
}
_TRUE, _FALSE = ("true", "yes", "on", "1", "y", "t"), ("false", "no", "off", "0", "n", "f")
_SWITCHES = ("ask_registries", "declared", "new_nodes", "registry_validate_certs")
_REGISTRIES = {"unreachable": "unreachable_registries", "only_reachable": "only_registries"}


def supposed_changes(given: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the changes that the short variables of the playbook what_if mean, and the problems of their values.

    The change `declared` is not among them: the playbook adds it.
    """
    more = given.get("changes", [])
    changes = [*_removals_of(given), *_registries_of(given)]
    if version := given.get("target_version"):
        changes.append({"target_version": version})
    if str(given.get("new_nodes")).lower() in _TRUE:
        changes.append({"new_nodes": True})
    return [*changes, *(more if isinstance(more, list) else ())], [*_change_problems(given)]


def _removals_of(given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if secret := given.get("remove_secret", ""):
        namespace, slash, name = secret.rpartition("/")
        yield {"remove_secrets": {"name": name, **({"namespaces": [namespace]} if slash else {})}}
    if login := str(given.get("remove_credential", "")):
        user, _at, host = login.rpartition("@")
        yield {"remove_credential": {"registry": host, "username": user}}


def _registries_of(given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for short, option in _REGISTRIES.items():
        if hosts := _hosts_in(given, short):
            yield {option: hosts}
    if places := given.get("moved"):
        pairs = (each.partition("=") for each in _hosts_in(given, "moved"))
        yield {"moved": places if isinstance(places, Mapping) else {old: new for old, _equals, new in pairs}}


def _hosts_in(given: Mapping[str, Any], name: str) -> list[str]:
    return str(given.get(name, "")).replace(",", " ").split()


#: The short variables of the playbook explain for its subject, with their form and an example.
_EXPLAINED = {
    "pod": (re.compile(r"[a-z0-9-]+/[a-z0-9.-]+"), "NAMESPACE/NAME, such as project-a/app-7d9c5bdb4d-x2x9k"),
    "workload": (re.compile(r"[a-z0-9-]+/[\w.]+/[a-z0-9.-]+"), "NAMESPACE/KIND/NAME, such as project-a/deploy/app"),
    "account": (re.compile(r"[a-z0-9-]+/[a-z0-9.-]+"), "NAMESPACE/NAME, such as project-a/default"),
}
_USAGE = "give -e pod=NAMESPACE/NAME, -e workload=NAMESPACE/KIND/NAME, or -e account=NAMESPACE/NAME with -e image=IMAGE"


def explain_problems(given: Mapping[str, Any], usage: str = "") -> list[str]:
    """Return why the short variables of the playbook explain do not name one thing to explain. `usage` is for callers without a command line."""
    named = [name for name in _EXPLAINED if name in given]
    if len(named) != 1:
        return [
            f"{join_and(named)} are given, but a run explains one: {usage or _USAGE}"
            if named
            else f"nothing is given to explain: {usage or _USAGE}"
        ]
    (name,) = named
    pattern, form = _EXPLAINED[name]
    found = [*_form_problem(name, given[name], pattern, form), *_switch_problems(given)]
    if name == "account" and "image" not in given:
        found.append("account is given without an image: add -e image=IMAGE, such as quay.io/team/app:v1")
    if name != "account" and "image" in given:
        found.append(
            f"image is given with {name}, which has its own images: leave it out, or give account instead of {name}"
        )
    if name == "account" and "image" in given and reference_of(str(given["image"])) is None:
        found.append(
            f"image is {given['image']!r}: give REGISTRY/PATH:TAG, without https:// and in lower case, such as quay.io/team/app:v1"
        )
    return found


def _form_problem(name: str, value: object, pattern: re.Pattern[str], form: str) -> Iterator[str]:
    if pattern.fullmatch(str(value)):
        return
    lower = str(value).lower()
    is_case = pattern.fullmatch(lower)
    yield f"{name} is {value!r}: " + (
        f"names have no upper-case letters, so write {lower!r}" if is_case else f"give {form}"
    )


def _host_problems(name: str, hosts: Sequence[str]) -> Iterator[str]:
    pattern, form = _PLACES[name]
    for host in hosts:
        if not pattern.match(host) or "//" in host:
            yield f"{name} has {host!r}: give {form}"


def _move_problems(given: Mapping[str, Any]) -> Iterator[str]:
    for place in () if isinstance(given.get("moved"), Mapping) else _hosts_in(given, "moved"):
        if not _MOVE.match(place):
            yield f"moved has {place!r}: give OLD=NEW, such as docker.io/bitnami=quay.io/acme/bitnami"


def _switch_problems(given: Mapping[str, Any]) -> Iterator[str]:
    for name in _SWITCHES:
        if name in given and str(given[name]).lower() not in (*_TRUE, *_FALSE):
            yield f"{name} is {given[name]!r}: give true or false, such as -e {name}=true"


def _change_problems(given: Mapping[str, Any]) -> Iterator[str]:
    if secret := given.get("remove_secret", ""):
        yield from _form_problem("remove_secret", secret, _SECRET, "the name of a secret, or NAMESPACE/NAME")
    if (login := given.get("remove_credential", "")) and not _LOGIN.match(str(login)):
        yield "remove_credential is not USER@HOST, such as old+robot@quay.io"
    for short in _REGISTRIES:
        yield from _host_problems(short, _hosts_in(given, short))
    yield from _move_problems(given)
    if not isinstance(version := given.get("target_version", "1.0"), str):
        yield f"target_version is the number {version}, and YAML drops the last zero of 4.20: write three numbers, such as {version:.2f}.0"
    elif parse_version(version) is None:
        yield f"target_version is {version!r}: give a version such as 4.22.0, or 1.35.0 for plain Kubernetes"
    yield from _switch_problems(given)
    if not isinstance(given.get("changes", []), list):
        yield """changes is not a list: begin each change with '- ', or in JSON, write [{...}], such as [{"remove_secrets": {"name": "old-pull"}}]"""


@dataclass(frozen=True)
class PlanSeal:
    """The seal of one host of the inventory, in one run of a workflow."""

    key: bytes
    workflow: str
    host: str

    def seal(self, plan: Mapping[str, Any]) -> str:
        """Return the plan as text with its seal. Without a key, no job accepts it."""
        content = json.dumps({"workflow": self.workflow, "host": self.host, "plan": plan}, sort_keys=True)
        return f"{self._sign(content) if self.key else ''} {content}"

    def unseal(self, text: Any) -> dict[str, Any]:
        """Return the plan.

        :raises ValueError: if this job did not get the text from a job with the same key in the same run of a workflow.
        """
        seal, _space, content = text.partition(" ") if isinstance(text, str) and text.isascii() else ("", "", "")
        if not self.key:
            raise ValueError("this job has no key: add the credential 'Image pull: seal of plans' to its template")
        if not hmac.compare_digest(seal.encode(), self._sign(content).encode()):
            raise ValueError("its seal is not that of a job of the rotation, so someone else may have written it")
        found: dict[str, Any] = json.loads(content)
        if not self.workflow or (found["workflow"], found["host"]) != (self.workflow, self.host):
            raise ValueError("it is for another run of the workflow or for another host. Launch the workflow again")
        return dict(found["plan"])

    def _sign(self, content: str) -> str:
        return hmac.new(self.key, content.encode(), hashlib.sha256).hexdigest()
