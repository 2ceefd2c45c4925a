# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents of the report: checks those that are read against their schemas, and writes the report as JSON, JUnit XML and OpenMetrics. Pure.

The formats are the JSON schemas in plugins/plugin_utils/pull_report. A returned document is valid in all its parts, so no other code has to
validate it. The keywords `$ref`, `const`, `enum`, `type`, `pattern`, `items`, `required`, `properties` and `additionalProperties` are read. A problem
never shows a value: the file may contain credentials and may have been given by mistake.

JSON is in the format of plugins/plugin_utils/pull_report/audit.schema.json, with a line for each finding, grant and login. JUnit XML has a suite for
each cluster, and a case for each rule and namespace. OpenMetrics has numbers for each cluster, without names of objects.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from ...core.documents import ACCESS_EFFECTS, AUDIT_FORMAT, WHAT_IF_FORMAT
from ...core.errors import OptionError
from ...core.objects import as_int
from ...core.times import seconds_of
from ...core.writers import add_element, as_xml, make_case, make_suite

#: Maximum number of bytes of a document. A report over 100 clusters with 1,000 namespaces each has about a tenth.
LARGEST_BYTES = 1 << 30

#: The parts of a what-if document that the page does not show. Except for the format, their contents are not checked.
_NOT_SHOWN = ("format", "summary", "restart_pulls", "images_to_mirror")
#: Unpaired surrogates, which no written file may contain.
_UNWRITABLE = re.compile("[\ud800-\udfff]")
_MAY_BE_UNWRITABLE = re.compile(r"\\u[dD][89a-fA-F]")


class _Kind(NamedTuple):
    """A kind of document: its format, the option for its files, the module that writes it, and the check of its references."""

    format: str
    option: str
    module: str
    references: Callable[[Mapping[str, Any]], str]


def from_bytes(path: str, content: bytes) -> dict[str, Any]:
    """Return the audit document in a file.

    :raises OptionError: when it is not a valid document, with the file's path and the problem.
    """
    return _read(path, content, "audit")


def what_if_from_bytes(path: str, content: bytes) -> dict[str, Any]:
    """Return the parts of the what-if document in a file that a page shows.

    :raises OptionError: when it is not a valid document, with the file's path and the problem.
    """
    document = _read(path, content, "what_if")
    return {name: value for name, value in document.items() if name not in _NOT_SHOWN}


def _read(path: str, content: bytes, name: str) -> dict[str, Any]:
    kind = _KINDS[name]
    try:
        document: dict[str, Any] = _parse_json(content)
    except _DocumentProblem as error:
        raise OptionError(f"file {path} {error}. Nothing was written") from None
    problem = _describe_format(document, kind.format) or find_problem(document, *_schema(name)).lstrip(".")
    if problem.startswith(" "):
        problem = f"it{problem}"
    if problem := problem or kind.references(document):
        raise OptionError(
            f"file {path} is not a readable {name.replace('_', '-')} document: {problem}. Write it again with {kind.module}. Nothing was written"
        )
    return document


def _describe_format(document: Any, wanted: str) -> str:
    """The reason why a document with another format than the wanted one is not read."""
    found = document.get("format") if isinstance(document, dict) else None
    if not isinstance(found, str) or found == wanted:
        return ""
    shown = found if re.fullmatch(r"[\w./-]{1,60}", found) else "another one"
    option = next((f". Name it in option {kind.option!r}" for kind in _KINDS.values() if kind.format == found), "")
    return f"its format is {shown}, but this version reads {wanted}{option}"


@cache
def _schema(name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The schema and its definitions. Only Ansible's own process has the file, and only there a report is written."""
    text = (Path(__file__).parents[3] / f"plugin_utils/pull_report/{name}.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    unchecked: dict[str, Any] = {part: {} for part in _NOT_SHOWN[1:] if part in schema["properties"]}
    return {**schema, "properties": {**schema["properties"], **unchecked}}, schema["$defs"]


def replace_unwritable(value: Any) -> Any:
    """Return the value with each character that cannot be written replaced by U+FFFD, in names and texts at any depth."""
    if isinstance(value, str):
        return _UNWRITABLE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {replace_unwritable(name): replace_unwritable(item) for name, item in value.items()}
    return [replace_unwritable(item) for item in value] if isinstance(value, (list, tuple)) else value


class _DocumentProblem(ValueError):
    """A problem of a text, as the rest of a sentence that begins with the file."""


def _parse_json(content: bytes) -> Any:
    if len(content) > LARGEST_BYTES:
        raise _DocumentProblem(f"has {len(content) >> 20} MiB, more than the limit of {LARGEST_BYTES >> 20} MiB")
    try:
        written = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _DocumentProblem(f"is not valid UTF-8 at byte {error.start}") from None
    try:
        document = json.loads(
            written,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_parse_finite,
            parse_int=_parse_whole,
        )
    except json.JSONDecodeError as error:
        raise _DocumentProblem(f"is not valid JSON at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _DocumentProblem("is nested too deeply") from None
    return replace_unwritable(document) if _MAY_BE_UNWRITABLE.search(written) else document


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _DocumentProblem("is not valid: an object in it has the same member twice")
    return found


def _refuse_constant(name: str) -> float:
    raise _DocumentProblem(f"is not valid JSON: it contains {name}")


def _parse_finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _DocumentProblem("contains a number that is too large")
    return number


def _parse_whole(digits: str) -> int:
    if len(digits) > 18:
        raise _DocumentProblem("contains a number that is too large")
    return int(digits)


def _references(document: Mapping[str, Any]) -> str:
    """Return a reference in the document that leads nowhere, as the rest of a sentence, or an empty text if there is none."""
    for at, cluster in enumerate(document["clusters"]):
        problem = _findings_problem(cluster["findings"], document["rules"]) or _matrix_problem(cluster["matrix"])
        if problem:
            return f"clusters[{at}].{problem}"
    return _findings_problem(document.get("findings", ()), document["rules"])


def _findings_problem(findings: Sequence[Mapping[str, Any]], rules: Mapping[str, Any]) -> str:
    for at, finding in enumerate(findings):
        if finding["rule"] not in rules:
            return f"findings[{at}] has a rule that the document does not describe"
    return ""


def _matrix_problem(matrix: Mapping[str, Any]) -> str:
    number = len(matrix["registries"])
    for at, account in enumerate(matrix["accounts"]):
        if account["registries"] and max(account["registries"]) >= number:
            return f"matrix.accounts[{at}] names a registry by a position that the list does not have"
    return ""


def _changes_problem(document: Mapping[str, Any]) -> str:
    number, access = len(document["changes"]), document["access"]
    lists = {"containers": document["containers"], **{f"access.{part}": access[part] for part in ACCESS_EFFECTS}}
    for name, rows in lists.items():
        for at, row in enumerate(rows):
            if row["changes"] and max(row["changes"]) >= number:
                return f"{name}[{at}] names a change by a position that the list does not have"
    return ""


_KINDS = {
    "audit": _Kind(AUDIT_FORMAT, "src", "pull_access_audit", _references),
    "what_if": _Kind(WHAT_IF_FORMAT, "what_if", "pull_access_what_if", _changes_problem),
}


# --- the shape of a document

_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"
#: The words for some patterns.
_FORMATS = {_TIME: "a time in UTC such as 2026-11-25T17:10:00Z", "^[0-9a-f]{16}$": "an id of 16 hexadecimal digits"}
#: A member's name that may be shown. No name of this format is longer.
_SHOWN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}\Z")
_MODULE = re.compile(r"openshift_ops\.image_pull\.[a-z_]+\Z")

Schema = Mapping[str, Any]


def find_problem(value: Any, schema: Schema, definitions: Mapping[str, Schema]) -> str:
    """Return the problem as the rest of a sentence that begins with the place, such as `.counts.pods is not a whole number from 0 on`.

    Empty if there is none. `definitions` are the schema's `$defs`. A list of tasks is one of this collection.
    """
    if name := schema.get("$ref", "").removeprefix("#/$defs/"):
        return _check_tasks(value) if name == "tasks" else find_problem(value, definitions[name], definitions)
    allowed = schema.get("enum", (schema["const"],) if "const" in schema else ())
    if allowed:
        return "" if isinstance(value, str) and value in allowed else f" is not one of {', '.join(allowed)}"
    if pattern := schema.get("pattern"):
        fits = isinstance(value, str) and re.fullmatch(pattern, value)
        return "" if fits else f" is not {_FORMATS.get(pattern, 'a text of the required format')}"
    kind = schema.get("type", "anything")
    is_one, problem = _TYPES[kind if isinstance(kind, str) else "/".join(kind)]
    if not is_one(value):
        return problem
    if kind == "array":
        return _check_items(value, schema["items"], definitions)
    return _check_members(value, schema, definitions) if kind == "object" else ""


def _is_count(value: Any) -> bool:
    number = as_int(value)
    return number is not None and number >= 0


_TYPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "anything": (lambda _value: True, ""),
    "array": (lambda value: isinstance(value, list), " is not a list"),
    "boolean": (lambda value: isinstance(value, bool), " is neither true nor false"),
    "integer": (_is_count, " is not a whole number from 0 on"),
    "object": (lambda value: isinstance(value, dict), " is not an object"),
    "string": (lambda value: isinstance(value, str), " is not a text"),
    "string/null": (lambda value: value is None or isinstance(value, str), " is neither a text nor null"),
}


def _check_items(values: list[Any], schema: Schema, definitions: Mapping[str, Schema]) -> str:
    for at, value in enumerate(values):
        if found := find_problem(value, schema, definitions):
            return f"[{at}]{found}"
    return ""


def _check_members(values: dict[str, Any], schema: Schema, definitions: Mapping[str, Schema]) -> str:
    known, other = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name in schema.get("required", ()):
        if name not in values:
            return f" lacks the member {name!r}"
    for name, value in values.items():
        part, shown = (
            known.get(name, other),
            name if name in known or _SHOWN.match(name) else "one with an unusual name",
        )
        if part is False:
            return f" has a member that this format does not know: {shown}"
        if found := find_problem(value, part, definitions):
            return f".{shown}{found}"
    return ""


def _check_tasks(value: Any) -> str:
    """Check for tasks as in a fix: each has a name and one module of this collection, and is not nested more deeply."""
    is_list = isinstance(value, list) and all(isinstance(item, dict) and _is_task(item) for item in value)
    return "" if is_list else " is not a list of tasks of this collection"


def _is_task(task: dict[str, Any]) -> bool:
    modules = [name for name in task if name != "name"]
    is_ours = len(modules) == 1 and bool(_MODULE.match(modules[0])) and isinstance(task.get("name"), str)
    return is_ours and _is_options(task[modules[0]])


def _is_options(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    items = (item for option in value.values() for item in (option if isinstance(option, list) else [option]))
    return all(_is_scalar(part) for item in items for part in (item.values() if isinstance(item, dict) else [item]))


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, (list, dict))


# --- JSON

_encoded = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
#: Maximum depth at which an object has a line for each member: down to the lists of a cluster.
_DEPTH = 4


def as_json(document: Mapping[str, Any]) -> str:
    """Return the text of the file."""
    return f"{_format_value(document, 0)}\n"


def _format_value(value: Any, depth: int) -> str:
    is_list = isinstance(value, list)
    parts = value if is_list else value.values() if isinstance(value, Mapping) else ()
    if depth == _DEPTH or not any(isinstance(part, (list, dict)) for part in parts):
        return _line(value)
    edge = " " * (depth + 1)
    if is_list:
        lines = [f"{edge}{_format_value(part, depth + 1)}" for part in value]
    else:
        lines = [f"{edge}{_line(name)}: {_format_value(part, depth + 1)}" for name, part in value.items()]
    opening, closing = "[]" if is_list else "{}"
    return "\n".join((opening, ",\n".join(lines), " " * depth + closing))


def _line(value: Any) -> str:
    """Return the value in one line. Unprintable characters are escaped, because the file may be shown on a terminal."""
    text = _encoded(value)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


# --- JUnit XML

#: The name of the suite of findings over several clusters.
_EVERYWHERE = "all clusters"
_UNREAD = "could not be read"

Finding = Mapping[str, Any]


def as_junit(document: Mapping[str, Any], severities: Sequence[str], title: str, *, only_new: bool = False) -> str:
    """Return the text. Findings of these `severities` fail their case, with `only_new` only new findings."""

    def fails(finding: Finding) -> bool:
        return finding["severity"] in severities and (not only_new or bool(finding.get("new")))

    suites = [
        _suite(cluster, cluster["findings"], fails, _cases(cluster, document["rules"], fails))
        for cluster in document["clusters"]
    ]
    if found := document.get("findings"):
        head = {"name": _EVERYWHERE, "made": document["made"]}
        suites.insert(0, _suite(head, found, fails, _cases_of(found, document["rules"], _EVERYWHERE, fails)))
    for cluster in document.get("missing", ()):
        case = make_case("the audit", f"{cluster['name']}.audit")
        add_element(case, "error", type="not audited", message=cluster["error"])
        suites.append(_suite({"name": cluster["name"], "made": document["made"]}, (), fails, [case]))
    return as_xml(title, suites)


def _suite(
    cluster: Mapping[str, Any],
    findings: Sequence[Finding],
    fails: Callable[[Finding], bool],
    cases: Iterable[Element],
) -> Element:
    """Return a suite. The findings that do not fail are its output."""
    output = "\n".join(_describe(finding) for finding in findings if not fails(finding))
    return make_suite(cluster["name"], cluster.get("server", ""), cluster["made"], list(cases), output)


def _cases(cluster: Mapping[str, Any], rules: Mapping[str, Any], fails: Callable[[Finding], bool]) -> Iterator[Element]:
    """Yield the cases of a cluster. A rule without a finding is a passed case, an unreadable object a skipped case."""
    yield from _cases_of(cluster["findings"], rules, cluster["name"], fails)
    hit = {finding["rule"] for finding in cluster["findings"]}
    for name, rule in rules.items():
        if name not in hit:
            yield make_case(rule["title"] or name, f"{cluster['name']}.{name}")
    for number, text in enumerate(cluster["unreadable"], 1):
        case = make_case(f"{_UNREAD}: {number}", f"{cluster['name']}.{_UNREAD}")
        add_element(case, "skipped", message=text)
        yield case


def _cases_of(
    findings: Sequence[Finding], rules: Mapping[str, Any], cluster: str, fails: Callable[[Finding], bool]
) -> Iterator[Element]:
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding["rule"], finding["namespace"]].append(finding)
    for (rule, namespace), group in groups.items():
        case = make_case(f"{namespace or 'the cluster'}: {rules[rule]['title'] or rule}", f"{cluster}.{rule}")
        if failed := [finding for finding in group if fails(finding)]:
            message = failed[0]["message"] + (f" (and {len(failed) - 1} more)" if failed[1:] else "")
            add_element(case, "failure", "\n".join(map(_describe, failed)), type=failed[0]["severity"], message=message)
        yield case


def _describe(finding: Finding) -> str:
    place = "/".join(filter(None, (finding["namespace"], finding["kind"], finding["name"])))
    about = f" ({finding['location']})" if finding["location"] else ""
    new = ", new" if finding.get("new") else ""
    return f"{finding['severity']}{new}: {place}{about}: {finding['message']}"


# --- OpenMetrics

#: Sample lines of a metric: their labels and the value.
Samples = Iterable[tuple[Mapping[str, str], int]]
#: Maximum number of namespaces of a cluster with an expiry, the earliest ones.
_EXPIRIES = 1_000


def as_openmetrics(document: Mapping[str, Any]) -> str:
    """Return the text. It is also valid in the older text format of Prometheus.

    Names of objects and logins are left out: whoever may read metrics would see them. Users decide how many namespaces there are.
    """
    clusters, missing = document["clusters"], document.get("missing", ())
    is_audited = [*((cluster, 1) for cluster in clusters), *((cluster, 0) for cluster in missing)]
    metrics: tuple[tuple[str, str, Samples], ...] = (
        (
            "image_pull_audited",
            "Whether the cluster was audited (1) or could not be (0).",
            (({"cluster": cluster["name"]}, value) for cluster, value in is_audited),
        ),
        (
            "image_pull_audit_timestamp_seconds",
            "The time of the audit.",
            (({"cluster": cluster["name"]}, seconds_of(cluster["made"]) or 0) for cluster in clusters),
        ),
        ("image_pull_findings", "The number of findings of each rule.", _count_findings(document)),
        (
            "image_pull_containers",
            "The number of containers with each verdict.",
            (
                ({"cluster": cluster["name"], "verdict": verdict}, number)
                for cluster in clusters
                for verdict, number in cluster["verdicts"].items()
            ),
        ),
        (
            "image_pull_unreadable",
            "The number of objects that could not be read, so findings can be missing.",
            (({"cluster": cluster["name"]}, len(cluster["unreadable"])) for cluster in clusters),
        ),
        (
            "image_pull_credential_expiry_timestamp_seconds",
            "The earliest expiry of a login in a namespace, of the logins that expire soon.",
            (sample for cluster in clusters for sample in _find_expiries(cluster)),
        ),
    )
    lines = [line for name, about, samples in metrics for line in _metric_lines(name, about, samples)]
    return "\n".join([*lines, "# EOF", ""])


def _find_expiries(cluster: Mapping[str, Any]) -> Samples:
    """Yield the earliest expiry of each namespace. Expired logins would hide it, and have a finding of another rule."""
    every = [
        (at, finding["namespace"])
        for finding in cluster["findings"]
        if (at := seconds_of(finding.get("expires"))) is not None and at >= (seconds_of(cluster["made"]) or 0)
    ]
    earliest = {namespace: at for at, namespace in sorted(every, reverse=True)}
    for namespace, at in sorted(earliest.items(), key=lambda each: each[1])[:_EXPIRIES]:
        yield {"cluster": cluster["name"], "target_namespace": namespace}, at


def _count_findings(document: Mapping[str, Any]) -> Samples:
    """Yield the findings of each cluster. A rule without a finding has the value 0, so that an alert ends."""
    every = [*document["clusters"], {"name": "", "findings": document.get("findings", ())}]
    for cluster in every:
        counted = Counter((finding["rule"], finding["severity"]) for finding in cluster["findings"])
        if cluster["name"]:
            counted.update({(name, rule["severity"]): 0 for name, rule in document["rules"].items()})
        for (rule, severity), number in sorted(counted.items()):
            yield {"cluster": cluster["name"], "rule": rule, "severity": severity}, number


def _metric_lines(name: str, about: str, samples: Samples) -> Iterator[str]:
    yield f"# TYPE {name} gauge"
    if name.endswith("_seconds"):
        yield f"# UNIT {name} seconds"
    yield f"# HELP {name} {about}"
    for labels, value in samples:
        shown = ",".join(f'{label}="{_escape_label(text)}"' for label, text in labels.items())
        yield f"{name}{{{shown}}} {value}"


def _escape_label(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
