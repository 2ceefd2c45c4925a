# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of an AWX configuration, as sentences: values that AWX refuses, and values that it silently understands differently.

The rules are taken from the documentation and behaviour of AWX's API (credential types, surveys, workflows, schedules).
"""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from support.playbooks import Dumper, Unsafe

EXTENSION = Path(__file__).parents[2] / "extensions" / "awx"
PROJECT = EXTENSION / "project"

#: The credential types of the controller itself that our configuration uses.
BUILT_IN_TYPES = {"OpenShift or Kubernetes API Bearer Token": {"host", "bearer_token", "verify_ssl", "ssl_ca_cert"}}

_FIELD_KEYS = {
    "id",
    "label",
    "type",
    "format",
    "choices",
    "help_text",
    "multiline",
    "secret",
    "ask_at_runtime",
    "default",
}
_FORBIDDEN_VARIABLES = {
    "VIRTUAL_ENV", "PATH", "PYTHONPATH", "JOB_ID", "INVENTORY_ID", "INVENTORY_SOURCE_ID", "INVENTORY_UPDATE_ID",
    "AD_HOC_COMMAND_ID", "REST_API_URL", "REST_API_TOKEN", "MAX_EVENT_RES", "CALLBACK_QUEUE", "CALLBACK_CONNECTION", "CACHE",
    "JOB_CALLBACK_DEBUG", "INVENTORY_HOSTVARS", "AWX_HOST", "PROJECT_REVISION", "SUPERVISOR_CONFIG_PATH",
}  # fmt: skip
_QUESTION_TYPES = {"text", "textarea", "password", "integer", "float", "multiplechoice", "multiselect"}
_TEXTS = {"text", "textarea", "password"}
#: Variables that take the name of a secret of a cluster.
_NAMES_OF_SECRETS = {"remove_secret"}
#: Allowed prompts in addition to the survey. Any other prompt hands the template's credentials to everyone who is allowed to execute it.
_PROMPTS = {"ask_credential_on_launch", "ask_job_slice_count_on_launch"}
#: A setting of settings.yml, in another file.
_SETTING = re.compile(r"\{\{ (?P<name>awx_\w+)(?P<omit> \| default\(omit, true\))? \}\}")
_OMITTED = object()


class _Loader(yaml.SafeLoader):
    """Reads Ansible's `!unsafe` as the text that it marks."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def configuration() -> dict[str, Any]:
    """All variables of the folder, with the settings filled in."""
    return copy.deepcopy(_configuration())


@functools.cache
def _configuration() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted((EXTENSION / "configuration").glob("*.yml")):
        found |= yaml.load(path.read_text(), _Loader)
    settings = {name: value for name, value in found.items() if name.startswith("awx_")}
    return {name: _filled(value, settings) for name, value in found.items()}


def _filled(value: Any, settings: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        filled = {name: _filled(part, settings) for name, part in value.items()}
        return {name: part for name, part in filled.items() if part is not _OMITTED}
    if isinstance(value, list):
        return [_filled(part, settings) for part in value]
    match = _SETTING.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return value
    return _OMITTED if match["omit"] and not settings[match["name"]] else settings[match["name"]]


def problems(found: Mapping[str, Any], project: Path = PROJECT) -> list[str]:
    """Parts of the configuration that AWX would refuse or understand differently."""
    rules: Sequence[Callable[..., Iterable[str]]] = (
        _of_names,
        _of_types,
        _of_credentials,
        _of_templates,
        _of_prompts,
        _of_forks,
        _of_inventories,
    )
    sentences = [sentence for rule in rules for sentence in rule(found)]
    sentences += _of_playbooks(found, project)
    for workflow in found["controller_workflows"]:
        sentences += _of_workflow(workflow, found)
    for schedule in found["controller_schedules"]:
        sentences += _of_schedule(schedule, found)
    return sentences


def named(found: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {one["name"]: one for one in found[kind]}


def _of_names(found: Mapping[str, Any]) -> Iterator[str]:
    for kind, objects in found.items():
        if kind.startswith("controller_"):
            names = [one["name"] for one in objects]
            yield from (f"{kind}: {name!r} is there twice" for name in set(names) if names.count(name) > 1)


# --- credential types


def _of_types(found: Mapping[str, Any]) -> Iterator[str]:
    for one in found["controller_credential_types"]:
        yield from (f"credential type {one['name']!r}: {sentence}" for sentence in of_type(one))


def of_type(one: Mapping[str, Any]) -> Iterator[str]:
    if one["kind"] not in ("cloud", "net"):
        yield f"kind {one['kind']!r} is not for custom types"
    inputs = one["inputs"]
    yield from (f"inputs have no {key!r}" for key in set(inputs) - {"fields", "required"})
    ids = [field.get("id", "") for field in inputs["fields"]]
    yield from (f"field {name!r} is there twice" for name in set(ids) if ids.count(name) > 1)
    yield from (f"required {name!r} is no field" for name in set(inputs.get("required", ())) - set(ids))
    for field in inputs["fields"]:
        yield from _of_field(field)
    yield from _of_injectors(one["injectors"], ids)


def _of_field(field: Mapping[str, Any]) -> Iterator[str]:
    name = str(field.get("id"))
    yield from (f"a field has no {key!r}" for key in set(field) - _FIELD_KEYS)
    if not re.fullmatch(r"[a-zA-Z_]+[a-zA-Z0-9_]*", name) or name == "tower":
        yield f"{name!r} is no id of a field"
    if not field.get("label"):
        yield f"field {name!r} has no label"
    if field.get("type", "string") not in ("string", "boolean"):
        yield f"field {name!r} has no type {field['type']!r}"
    if field.get("type") == "boolean" and field.get("secret"):
        yield f"field {name!r} is boolean and cannot be secret"


def _of_injectors(injectors: Mapping[str, Any], ids: Sequence[str]) -> Iterator[str]:
    yield from (f"injectors have no {key!r}" for key in set(injectors) - {"env", "extra_vars", "file"})
    files = injectors.get("file", {})
    yield from (
        f"file {key!r} is not named template or template.NAME"
        for key in files
        if not re.fullmatch(r"template(\.[a-zA-Z_][a-zA-Z0-9_]*)?", key)
    )
    if "template" in files and len(files) > 1:
        yield "a file without a name must be the only file"
    for name, template in injectors.get("env", {}).items():
        if not template.isascii():
            yield f"environment variable {name!r} is not made of ASCII"
        if name in _FORBIDDEN_VARIABLES or name.startswith("ANSIBLE_") or not re.fullmatch(r"[A-Za-z_]\w*", name):
            yield f"environment variable {name!r} is not allowed"
    names = {key.partition(".")[2]: "/file" for key in files}
    tower = {"filename": names if "" not in names else "/file"}
    sample: dict[str, Any] = {**dict.fromkeys(ids, "x"), "tower": tower}
    for place in ("file", "env", "extra_vars"):
        for key, template in injectors.get(place, {}).items():
            try:
                ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(template).render(sample)
            except (TemplateError, TypeError) as error:
                yield f"the template of {key!r} fails: {error}"


def _of_credentials(found: Mapping[str, Any]) -> Iterator[str]:
    types = {
        name: {field["id"] for field in one["inputs"]["fields"]}
        for name, one in named(found, "controller_credential_types").items()
    }
    types |= BUILT_IN_TYPES
    for one in found["controller_credentials"]:
        name = f"credential {one['name']!r}"
        if one["credential_type"] not in types:
            yield f"{name}: there is no credential type {one['credential_type']!r}"
            continue
        yield from (
            f"{name}: its type has no field {key!r}" for key in set(one["inputs"]) - types[one["credential_type"]]
        )
        if one.get("state") != "exists":
            yield f"{name}: applied again, it would lose the secret that was pasted: state must be 'exists'"


# --- job templates and surveys


def _of_templates(found: Mapping[str, Any]) -> Iterator[str]:
    known = {
        "project": named(found, "controller_projects"),
        "inventory": named(found, "controller_inventories"),
        "execution_environment": named(found, "controller_execution_environments"),
    }
    credentials = named(found, "controller_credentials")
    for one in found["controller_templates"]:
        name = f"job template {one['name']!r}"
        yield from (
            f"{name}: there is no {kind} {one[kind]!r}" for kind, names in known.items() if one[kind] not in names
        )
        if one["job_type"] not in ("run", "check"):
            yield f"{name}: job_type {one['job_type']!r} is none"
        yield from (
            f"{name}: there is no credential {wanted!r}" for wanted in one["credentials"] if wanted not in credentials
        )
        kinds = [credentials[wanted]["credential_type"] for wanted in one["credentials"] if wanted in credentials]
        yield from (f"{name}: two credentials of the type {kind!r}" for kind in set(kinds) if kinds.count(kind) > 1)
        yield from (f"{name}: {sentence}" for sentence in of_survey(one))


def _of_prompts(found: Mapping[str, Any]) -> Iterator[str]:
    for one in (*found["controller_templates"], *found["controller_workflows"]):
        asked = {key for key in one if re.fullmatch("ask_.*_on_launch", key)} - _PROMPTS
        yield from (f"{one['name']!r}: {key} lets whoever may execute it have its credentials" for key in sorted(asked))


def _of_forks(found: Mapping[str, Any]) -> Iterator[str]:
    """A job counts as its forks plus one. A job that is larger than its instance group allows never starts."""
    groups, inventories = named(found, "controller_instance_groups"), named(found, "controller_inventories")
    for one in found["controller_templates"]:
        asks = one.get("ask_inventory_on_launch")
        names = {
            name
            for inventory in inventories.values()
            if asks or inventory["name"] == one["inventory"]
            for name in inventory.get("instance_groups", ())
            if name in groups
        }
        for name in sorted(names):
            if 0 < groups[name].get("max_forks", 0) < one.get("forks", 5) + 1:
                yield f"job template {one['name']!r}: it has more forks than the instance group {name!r} allows, and waits for ever"


def of_survey(template: Mapping[str, Any]) -> Iterator[str]:
    survey = template.get("survey_spec")
    if not survey:
        if template.get("survey_enabled"):
            yield "its survey is enabled and has no question"
        return
    if not template.get("survey_enabled"):
        yield "its survey is not enabled"
    yield from (f"its survey has no {key!r}" for key in ("name", "description", "spec") if key not in survey)
    questions = survey.get("spec") or []
    if not questions:
        yield "its survey has no question"
    variables = [question.get("variable") for question in questions]
    yield from (f"two questions for {name!r}" for name in set(variables) if variables.count(name) > 1)
    for question in questions:
        yield from (f"question {question.get('variable')!r} {sentence}" for sentence in _of_question(question))


def _of_question(question: Mapping[str, Any]) -> Iterator[str]:
    missing = {"question_name", "type", "variable", "required"} - set(question)
    yield from (f"has no {key!r}" for key in sorted(missing))
    if missing:
        return
    if not isinstance(question["required"], bool):
        yield "does not say by true or false whether it is required"
    limits = (question.get(key) for key in ("min", "max"))
    if not all(limit is None or isinstance(limit, int) for limit in limits):
        yield "has a limit that is no whole number"
        return
    if not isinstance(question["question_name"], str) or not isinstance(question["variable"], str):
        yield "has a name or a variable that is no text"
        return
    if question["type"] not in _QUESTION_TYPES:
        yield f"has no type {question['type']!r}"
    yield from _of_default(question)
    is_secret = (
        re.search("(password|token|secret)$", question["variable"]) and question["variable"] not in _NAMES_OF_SECRETS
    )
    if is_secret and question["type"] != "password":
        yield "asks for a secret and is not of the type password"


def _of_default(question: Mapping[str, Any]) -> Iterator[str]:
    kind, default, choices = question["type"], question.get("default"), question.get("choices")
    if kind.startswith("multi"):
        if not choices or not all(isinstance(choice, str) for choice in choices):
            yield "has no choices, or some that are no text"
        elif default not in (None, "", *choices):
            yield f"has the default {default!r}, which is no choice"
    elif default not in (None, ""):
        wanted = {"integer": int, "float": (int, float)}.get(kind, str)
        if not isinstance(default, wanted) or isinstance(default, bool):
            yield f"has the default {default!r}, which is not of its type"
            return
        size = len(default) if isinstance(default, str) else default
        if not question.get("min", size) <= size <= question.get("max", size):
            yield f"has the default {default!r}, which is too small or too large"
    if kind == "password" and default:
        yield "has a password as its default"


def survey_defaults(template: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that AWX uses for unanswered questions: the valid defaults, including blank ones."""
    questions = template.get("survey_spec", {}).get("spec", [])
    return {
        question["variable"]: question["default"]
        for question in questions
        if question.get("default") is not None and _is_valid(question, question["default"])
    }


def _is_valid(question: Mapping[str, Any], answer: Any) -> bool:
    if question["type"] == "multiselect":
        return isinstance(answer, list) and set(answer) <= set(question["choices"])
    if question["type"] == "multiplechoice":
        return answer in question["choices"]
    return question["type"] not in _TEXTS or len(answer) >= question.get("min", 0)


def accepted(template: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that a launch gives a job. AWX refuses invalid answers, and ignores variables that its survey does not ask for.

    :raises ValueError: for an invalid answer.
    """
    if template.get("ask_variables_on_launch"):
        return dict(given)
    questions = {question["variable"]: question for question in template.get("survey_spec", {}).get("spec", ())}
    answers = {name: value for name, value in given.items() if name in questions}
    for name, value in answers.items():
        if not _is_accepted(questions[name], value):
            raise ValueError(f"AWX refuses the answer {value!r} to {name!r}")
    return answers


def _is_accepted(question: Mapping[str, Any], answer: Any) -> bool:
    if question["type"] in ("integer", "float"):
        is_number = isinstance(answer, (int, float)) and not isinstance(answer, bool)
        return is_number and question.get("min", answer) <= answer <= question.get("max", answer)
    if question["type"] not in _TEXTS:
        return _is_valid(question, answer)
    return isinstance(answer, str) and _is_valid(question, answer) and len(answer) <= question.get("max", len(answer))


def extra_variables(template: Mapping[str, Any], given: Mapping[str, Any], **more: Any) -> str:
    """The variables file of a job, as AWX writes it for the variables given at launch. `more` are variables of the controller.

    Each text is marked as unsafe (awx/main/utils/safe_yaml.py), unless ALLOW_JINJA_IN_EXTRA_VARS of the controller is `always`.
    """
    return bulk_variables(template, accepted(template, given), **more)


def bulk_variables(template: Mapping[str, Any], given: Mapping[str, Any], **more: Any) -> str:
    """As `extra_variables`, of a job in a bulk launch, which gets all variables given (awx/main/models/workflow.py, get_job_kwargs)."""
    own = {**template.get("extra_vars", {}), **survey_defaults(template)}
    return str(yaml.dump(_marked({**own, **given, **more}), Dumper=Dumper))


def asked_by(playbook: Path) -> dict[str, Any]:
    """The variables that the first task of the playbook allows, with the kind or the choices of each."""
    first = yaml.safe_load(playbook.read_text())[0]["tasks"][0]
    condition = first["ansible.builtin.assert"]["that"]
    call = Environment().parse("{{ " + condition + " }}").find(nodes.Call)
    assert call and call.node.name == "query", condition
    plugin, asked = (argument.as_const() for argument in call.args)
    assert plugin == "openshift_ops.image_pull.launch" and condition.endswith(") == []")
    return dict(asked)


def workflow_variables(found: Mapping[str, Any], playbook: str, artifacts: Callable[[Path], set[str]]) -> set[str]:
    """The variables that jobs of the playbook get from workflows: answers to their surveys, and `artifacts` of earlier nodes."""
    templates, got = named(found, "controller_templates"), set()
    for workflow in found["controller_workflows"]:
        nodes_of = {node["identifier"]: node for node in workflow["workflow_nodes"]}
        playbooks = {
            name: templates.get(node["unified_job_template"]["name"], {}).get("playbook", "")
            for name, node in nodes_of.items()
        }
        before: dict[str, set[str]] = {name: set() for name in nodes_of}
        for _round in nodes_of:
            for name, node in nodes_of.items():
                for other in _following(node):
                    before[other] |= {name, *before[name]}
        for name in (name for name, one in playbooks.items() if one == playbook):
            got |= {question["variable"] for question in workflow["survey_spec"]["spec"]}
            got |= {one for other in before[name] if playbooks[other] for one in artifacts(PROJECT / playbooks[other])}
    return got


def _marked(value: Any) -> Any:
    """Texts of people, including names of variables, are never templates."""
    if isinstance(value, Mapping):
        return {Unsafe(name): _marked(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_marked(part) for part in value]
    return Unsafe(value) if isinstance(value, str) else value


def unanswered(template: Mapping[str, Any], answers: Mapping[str, Any]) -> Iterator[str]:
    """Missing answers that make AWX refuse a schedule: each required question needs an answer, even if it has a default."""
    for question in template.get("survey_spec", {}).get("spec", ()):
        if question["required"] and question["variable"] not in answers:
            yield f"there is no answer to the required question {question['variable']!r}"


# --- inventories and playbooks


def _of_inventories(found: Mapping[str, Any]) -> Iterator[str]:
    groups = named(found, "controller_instance_groups")
    for one in found["controller_inventories"]:
        wanted = set(one.get("instance_groups", ())) - set(groups)
        yield from (f"inventory {one['name']!r}: there is no instance group {name!r}" for name in wanted)
    for one in found["controller_inventory_sources"]:
        for kind, key in (("controller_inventories", "inventory"), ("controller_projects", "source_project")):
            if one[key] not in named(found, kind):
                yield f"inventory source {one['name']!r}: there is no {key} {one[key]!r}"


def _of_playbooks(found: Mapping[str, Any], project: Path) -> Iterator[str]:
    for one in found["controller_templates"]:
        if not (project / one["playbook"]).is_file():
            yield f"job template {one['name']!r}: the project has no playbook {one['playbook']!r}"
    for one in found["controller_inventory_sources"]:
        if not (project / one["source_path"]).is_file():
            yield f"inventory source {one['name']!r}: the project has no file {one['source_path']!r}"
    yield from _of_one_cluster(found, project)


def _of_one_cluster(found: Mapping[str, Any], project: Path) -> Iterator[str]:
    """The built-in credential leads every host of the inventory to the same cluster."""
    hosts = {
        one["inventory"]: _hosts_in(project / one["source_path"])
        for one in found["controller_inventory_sources"]
        if (project / one["source_path"]).is_file()
    }
    credentials = named(found, "controller_credentials")
    for one in found["controller_templates"]:
        kinds = {credentials[name]["credential_type"] for name in one["credentials"] if name in credentials}
        if kinds & set(BUILT_IN_TYPES) and (hosts.get(one["inventory"], 1) > 1 or one.get("ask_inventory_on_launch")):
            yield f"job template {one['name']!r}: its credential is for one cluster and its inventory may have several"


@functools.cache
def _hosts_in(inventory: Path) -> int:
    return len(yaml.safe_load(inventory.read_text())["all"]["hosts"])


# --- workflows


def _of_workflow(workflow: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    name = f"workflow {workflow['name']!r}"
    templates = named(found, "controller_templates")
    nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
    if len(nodes) < len(workflow["workflow_nodes"]):
        yield f"{name}: two nodes have one identifier"
    for identifier, node in nodes.items():
        sentences = (*_of_ways(node, nodes), *_of_node(node, templates))
        yield from (f"{name}: node {identifier!r} {sentence}" for sentence in sentences)
    if _has_circle(nodes):
        yield f"{name}: its nodes are in a circle"
    yield from (f"{name}: {sentence}" for sentence in of_survey(workflow))
    for question in workflow.get("survey_spec", {}).get("spec", ()):
        asked = [variable for node in nodes.values() for variable in _taken(node, templates)]
        if question["variable"] not in asked:
            yield f"{name}: no node takes its variable {question['variable']!r}"


def _of_ways(node: Mapping[str, Any], nodes: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"leads to {other!r}, which is none" for other in _following(node) if other not in nodes)
    related = node.get("related", {})
    on_one_outcome = _names(related.get("success_nodes")) + _names(related.get("failure_nodes"))
    always = _names(related.get("always_nodes"))
    yield from (f"leads to {other!r} always and on one outcome" for other in always if other in on_one_outcome)


def _of_node(node: Mapping[str, Any], templates: Mapping[str, Any]) -> Iterator[str]:
    job = node["unified_job_template"]
    if job["type"] == "workflow_approval":
        if not job.get("timeout"):
            yield "is an approval that waits for ever"
        return
    if job["name"] not in templates:
        yield f"runs {job['name']!r}, which is no job template"
        return
    ignored = set(node.get("extra_data", {})) - _taken(node, templates)
    yield from (f"gives {variable!r}, which {job['name']!r} does not ask for and would not get" for variable in ignored)
    for prompt in ("inventory", "limit", "job_type", "credentials", "job_slice_count"):
        if node.get(prompt) and not templates[job["name"]].get(f"ask_{prompt.removesuffix('s')}_on_launch"):
            yield f"gives {prompt!r}, which {job['name']!r} does not ask for"


def _taken(node: Mapping[str, Any], templates: Mapping[str, Any]) -> set[str]:
    template = templates.get(node["unified_job_template"]["name"], {})
    return {question["variable"] for question in template.get("survey_spec", {}).get("spec", ())}


def _names(related: Iterable[Mapping[str, str]] | None) -> list[str]:
    return [one["identifier"] for one in related or ()]


def _following(node: Mapping[str, Any]) -> list[str]:
    return [name for related in node.get("related", {}).values() for name in _names(related)]


def _has_circle(nodes: Mapping[str, Any]) -> bool:
    left = {name: {other for other in _following(node) if other in nodes} for name, node in nodes.items()}
    while ends := [name for name, following in left.items() if not following]:
        left = {name: following - set(ends) for name, following in left.items() if name not in ends}
    return bool(left)


def slices_of(hosts: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """The hosts of each slice of a job. AWX sorts hosts by name, and makes at most one slice for each host."""
    names, slices = sorted(hosts), min(count, len(hosts))
    return [{name: hosts[name] for name in names[first::slices]} for first in range(slices)]


def run_workflow(workflow: Mapping[str, Any], outcome: Callable[[str], bool]) -> tuple[list[str], bool]:
    """The nodes that run, in order, and whether the workflow is successful: each failed node must be followed by another node."""
    nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
    started = {other for node in nodes.values() for other in _following(node)}
    todo, ran, successful = [name for name in nodes if name not in started], [], True
    while todo:
        name = todo.pop(0)
        if name in ran:
            continue
        ran.append(name)
        good, related = outcome(name), nodes[name].get("related", {})
        following = _names(related.get("success_nodes" if good else "failure_nodes")) + _names(
            related.get("always_nodes")
        )
        successful = successful and (good or bool(following))
        todo += following
    return ran, successful


# --- schedules


def _of_schedule(schedule: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    name = f"schedule {schedule['name']!r}"
    templates = named(found, "controller_templates") | named(found, "controller_workflows")
    template = templates.get(schedule["unified_job_template"])
    if template is None:
        yield f"{name}: there is no template {schedule['unified_job_template']!r}"
        return
    given = schedule.get("extra_data", {})
    asked = {question["variable"] for question in template.get("survey_spec", {}).get("spec", ())}
    yield from (f"{name}: the template does not ask for {variable!r}" for variable in set(given) - asked)
    yield from (f"{name}: {sentence}" for sentence in (*unanswered(template, given), *of_rrule(schedule["rrule"])))


def of_rrule(text: str) -> Iterator[str]:
    starts = re.findall(r"DTSTART\S*", text)
    if len(starts) != 1:
        yield "needs one DTSTART"
    elif not re.fullmatch(r"DTSTART(:\d{8}T\d{6}Z|;TZID=[\w/+-]+:\d{8}T\d{6})", starts[0]):
        yield "its DTSTART has no time zone"
    rules = re.findall(r"(?:RRULE|EXRULE):(\S*)", text)
    if not rules:
        yield "has no RRULE"
    yield from (f"{word} is not allowed" for word in ("EXDATE", "RDATE") if word in text)
    for rule in rules:
        yield from _of_rule(dict(part.partition("=")[::2] for part in rule.split(";")))


def _of_rule(parts: Mapping[str, str]) -> Iterator[str]:
    if parts.get("FREQ") not in ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"):
        yield f"FREQ {parts.get('FREQ')} is not supported"
    if not parts.get("INTERVAL", "").isdecimal():
        yield "INTERVAL is required"
    if re.search(r"\d", parts.get("BYDAY", "")):
        yield "BYDAY with a number is not supported"
    if {"COUNT", "UNTIL"} <= set(parts):
        yield "COUNT and UNTIL do not go together"
    if int(parts.get("COUNT", 0)) > 999:
        yield "COUNT over 999 is not supported"
