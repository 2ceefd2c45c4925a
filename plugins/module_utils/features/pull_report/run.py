# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates a report from audit documents: reads its options and the documents, writes the requested files, and reports findings that fail the task.

Each file is replaced atomically, after all of them have been stored.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.documents import ERROR, SEVERITIES, WARNING
from ...core.errors import OptionError
from ...core.files import describe_read_error, stage_file
from ...core.text import make_printable, pluralize, summarize
from . import documents, merge
from .documents import LARGEST_BYTES, as_json, as_junit, as_openmetrics
from .merge import (
    NEVER,
    all_findings,
    compare_documents,
    count_by_severity,
    format_counts,
    select_failing,
    severities_from,
)
from .page import as_page, count_answers, group_by_cause

#: The choices for the lowest severity that fails the task.
FAIL_ON = (*SEVERITIES, NEVER)
#: The options that name files to write.
OUTPUTS = ("html", "json", "junit", "openmetrics")


@dataclass(frozen=True)
class Report:
    """The options. `src`: paths of audit documents. `outputs`: paths to write, by the names in `OUTPUTS`.

    `what_if`: paths of what-if documents, which only the page shows. `missing`: name and error of each cluster whose audit failed.
    `compare_with`: path of an older report. `allow_unread`: objects and clusters that could not be read do not fail the task.
    """

    src: Sequence[str]
    outputs: Mapping[str, str]
    title: str
    missing: Sequence[Mapping[str, str]] = ()
    compare_with: str | None = None
    fail_on: str = NEVER
    fail_on_new: bool = False
    what_if: Sequence[str] = ()
    allow_unread: bool = False


def from_options(options: Mapping[str, Any]) -> Report:
    """Return the report that the options ask for.

    :raises OptionError: for options that cannot work together.
    """
    outputs = {name: options[name] for name in OUTPUTS if options[name]}
    missing = [{name: each[name] for name in ("name", "error")} for each in options["missing"] or ()]
    if missing and not options["src"]:
        why = "; ".join(": ".join(each.values()) for each in missing)
        raise OptionError(f"no cluster was audited, so there is no report: {why}")
    if not options["src"] and not options["what_if"]:
        raise OptionError("option 'src' is empty: name at least one file that pull_access_audit has written")
    if not options["src"]:
        _check_without_audits(options)
    if options["what_if"] and "html" not in outputs:
        raise OptionError("option 'what_if' needs the option 'html', because only the page shows the answers")
    _check_paths({name: options[name] or () for name in ("src", "what_if")}, outputs)
    if options["fail_on_new"]:
        _check_new(options)
    return Report(
        src=tuple(options["src"] or ()),
        what_if=tuple(options["what_if"] or ()),
        outputs=outputs,
        title=options["title"].strip() or "Pull access",
        missing=tuple(missing),
        compare_with=options["compare_with"] or None,
        fail_on=options["fail_on"],
        fail_on_new=options["fail_on_new"],
        allow_unread=options["allow_unread"],
    )


def _check_without_audits(options: Mapping[str, Any]) -> None:
    given = [name for name in (*OUTPUTS[1:], "compare_with") if options[name]]
    given += ["fail_on"] if options["fail_on"] != NEVER else []
    if given:
        raise OptionError(f"option {given[0]!r} needs audits: name their files in 'src'")


def _check_paths(inputs: Mapping[str, Sequence[str]], outputs: Mapping[str, str]) -> None:
    for option, paths in inputs.items():
        for path in paths:
            if paths.count(path) > 1:
                raise OptionError(f"option {option!r} names {path} twice")
    for name, path in outputs.items():
        for option, paths in inputs.items():
            if path in paths:
                raise OptionError(f"option {name!r} would replace {path}, which {option!r} names: choose another path")
        if list(outputs.values()).count(path) > 1:
            raise OptionError(f"option {name!r} names {path}, which another of {', '.join(OUTPUTS)} also names")


def _check_new(options: Mapping[str, Any]) -> None:
    if not options["compare_with"]:
        raise OptionError("option 'fail_on_new' needs the older report: name it in 'compare_with'")
    if options["fail_on"] == NEVER:
        raise OptionError("option 'fail_on_new' needs a severity: give 'fail_on'")


#: The permissions of the files. They contain no credential, and a web server or another user can read them.
_MODE = 0o644
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?Z?"
#: The creation times in the page, in its data, in JSON, and in JUnit XML, but not in OpenMetrics, where an alert needs the last one, and not
#: the time of the older report in a comparison. No text of a
#: cluster looks like one of them, because its quotes and angle brackets are escaped in each of the forms.
_CREATED = re.compile(
    rf'<time datetime="{_TIME}">{_TIME} UTC</time>'
    rf'|(?<!"compared":{{)(?<!"compared": {{\n  )"made": ?"{_TIME}"'
    rf'|(<testsuite [^>]*? )timestamp="{_TIME}"'
)


def read_source(option: str, path: str) -> bytes:
    """Return the content of a file that an option names, at most one byte more than the largest document has.

    :raises OptionError: when it cannot be read or is not a regular file.
    """
    try:
        place = Path(path)
        # Checked before it is opened: a pipe without a writer would block the task forever.
        if not stat.S_ISREG(place.stat().st_mode):
            raise OptionError(f"option {option!r}: {path} is not a regular file: name a file. Nothing was written")
        with place.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = describe_read_error(path, error)
        raise OptionError(
            f"option {option!r}: file {path} cannot be read on the controller: {why}. Correct the path. Nothing was written"
        ) from None


def check_writable(option: str, path: str) -> Path:
    """Return the path at which a file will be written. A link is followed.

    :raises OptionError: when its directory is missing, or the path exists and is not a file.
    """
    try:
        place = Path(os.path.realpath(path))
        is_free = not os.path.lexists(place) or place.is_file()
        has_directory = place.parent.is_dir()
    except (OSError, ValueError) as error:
        raise OptionError(f"option {option!r}: {path!r} cannot be a file: {describe_read_error(path, error)}") from None
    if not has_directory:
        raise OptionError(
            f"option {option!r}: directory {place.parent} does not exist on the controller: create it first"
        )
    if not is_free:
        raise OptionError(f"option {option!r}: {place} is not a file, so it was not replaced: choose another path")
    return place


def select_changed(texts: Mapping[Path, str]) -> dict[Path, str]:
    """Return the texts whose file is missing or differs in mode or in more than its creation times, by path."""
    return {path: text for path, text in texts.items() if not _is_there(path, text)}


def _is_there(path: Path, text: str) -> bool:
    try:
        if stat.S_IMODE(path.stat().st_mode) != _MODE or path.stat().st_size > LARGEST_BYTES:
            return False
        return _drop_times(text) == _drop_times(path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError):
        return False


def _drop_times(text: str) -> str:
    return _CREATED.sub(r"\1", text)


def write_files(texts: Mapping[Path, str]) -> None:
    """Replace the files. All are stored before the first is replaced.

    :raises OptionError: when one cannot be written.
    """
    done: list[Path] = []
    with ExitStack() as stack:
        try:
            ready = [
                (path, stack.enter_context(stage_file(path, text.encode(), _MODE))) for path, text in texts.items()
            ]
            for path, temporary in ready:
                temporary.replace(path)
                done.append(path)
        except OSError as error:
            left = f"Written before that: {', '.join(map(str, done))}" if done else "Nothing was written"
            name = error.filename2 or error.filename
            raise OptionError(f"{name} cannot be written on the controller: {error.strerror}. {left}") from None


# --- the report

#: Maximum number of findings that a failure names.
_NAMED = 3

Document = Mapping[str, Any]


def write_report(wanted: Report, render: Callable[..., str] | None, *, check_mode: bool) -> dict[str, Any]:
    """Write the files and return the task's result. It has `failed` if there are findings that `fail_on` selects, or can be.

    `render` fills the template of the page. Only Ansible's own process has it.

    :raises OptionError: when a file cannot be read, is not a document, or could not be written. Nothing is written then.
    """
    if render is None:
        raise OptionError(
            "the report is written on the controller, so the task must run in Ansible's own process: with connection local "
            "(delegate_to: localhost) and Ansible's own Python, without become and async"
        )
    places = {name: check_writable(name, path) for name, path in wanted.outputs.items()}
    answers = [documents.what_if_from_bytes(path, read_source("what_if", path)) for path in wanted.what_if]
    document = _document(wanted) if wanted.src else merge.without_audits(max(each["made"] for each in answers))
    texts = {places[name]: _FORMS[name](document, answers, wanted, render) for name in places}
    changes = select_changed(texts)
    if not check_mode:
        write_files(changes)
    result = {**_result(document, wanted, [str(path) for path in changes]), **_failure(document, wanted)}
    return {**result, "what_if": count_answers(answers)} if answers else result


def _document(wanted: Report) -> dict[str, Any]:
    sources = {path: documents.from_bytes(path, read_source("src", path)) for path in wanted.src}
    document = merge.merge_documents(sources, wanted.missing)
    if wanted.compare_with is None:
        return document
    before = documents.from_bytes(wanted.compare_with, read_source("compare_with", wanted.compare_with))
    return compare_documents(document, before)


def _junit(document: Document, _answers: object, wanted: Report, _render: object) -> str:
    severities = (ERROR, WARNING) if wanted.fail_on == NEVER else severities_from(wanted.fail_on)
    return as_junit(document, severities, wanted.title, only_new=wanted.fail_on_new)


#: Returns the text of each output.
_FORMS: dict[str, Callable[[Document, Sequence[Document], Report, Callable[..., str]], str]] = {
    "html": lambda document, answers, wanted, render: as_page(
        document, documents.replace_unwritable(wanted.title), render, answers
    ),
    "json": lambda document, _answers, _wanted, _render: as_json(document),
    "junit": _junit,
    "openmetrics": lambda document, _answers, _wanted, _render: as_openmetrics(document),
}


def _result(document: Mapping[str, Any], wanted: Report, changes: list[str]) -> dict[str, Any]:
    found = [finding for _cluster, finding in all_findings(document)]
    result: dict[str, Any] = {
        "changed": bool(changes),
        "clusters": [cluster["name"] for cluster in document["clusters"]],
        "counts": count_by_severity(found),
        "not_known": sum(cluster["verdicts"]["unknown"] for cluster in document["clusters"]),
        "not_tested": sum(cluster["verdicts"]["untested"] for cluster in document["clusters"]),
        "incomplete": [cluster["name"] for cluster in document["clusters"] if cluster["unreadable"]],
        "rules": {
            each: dict(Counter(one["rule"] for one in found if one["severity"] == each)) for each in (ERROR, WARNING)
        },
        "failing": dict(Counter(finding["rule"] for _cluster, finding in _select_failing(document, wanted))),
        "files": changes,
        "paths": dict(wanted.outputs),
    }
    if "missing" in document:
        result["missing"] = [cluster["name"] for cluster in document["missing"]]
    if "compared" in document:
        comparison = document["compared"]
        result["new"] = count_by_severity(finding for finding in found if finding["new"])
        result["gone"] = count_by_severity(entry["finding"] for entry in comparison["gone"])
        result |= {name: comparison[name] for name in ("only_before", "only_now")}
    return result


def _failure(document: Mapping[str, Any], wanted: Report) -> dict[str, Any]:
    reasons = [*_describe_findings(document, wanted), *_describe_gaps(document, wanted)]
    where = next((f". The report is in {path}" for path in wanted.outputs.values()), "")
    return {"failed": True, "msg": make_printable("; ".join(reasons) + where)} if reasons else {}


def _select_failing(document: Document, wanted: Report) -> list[tuple[str, Mapping[str, Any]]]:
    return select_failing(document, wanted.fail_on, only_new=wanted.fail_on_new)


def _describe_findings(document: Document, wanted: Report) -> Iterator[str]:
    found = _select_failing(document, wanted)
    if not found:
        return
    number = count_by_severity(finding for _cluster, finding in found)
    clusters = len({cluster for cluster, _finding in found})
    told = [
        f"{cluster or 'all clusters'}: {finding['message']}{f' (and {len(others):,} more of this cause)' if others else ''}"
        for (cluster, finding), *others in group_by_cause(found)
    ]
    new = "new: " if wanted.fail_on_new else ""
    places = f"{clusters:,} of {pluralize(len(document['clusters']), 'cluster')}"
    yield f"{new}{format_counts(number)} in {places}: {summarize(told, _NAMED, '; ')}"


def _describe_gaps(document: Document, wanted: Report) -> Iterator[str]:
    """Yield a sentence if findings can be missing, because clusters or objects could not be read."""
    unread = [f"{cluster['name']}: {cluster['error']}" for cluster in document.get("missing", ())]
    unread += [f"{cluster['name']}: {text}" for cluster in document["clusters"] for text in cluster["unreadable"]]
    if unread and wanted.fail_on != NEVER and not wanted.allow_unread:
        yield (
            f"findings can be missing, because not everything could be read: {summarize(unread, _NAMED, '; ')}. Give the account the rights "
            "of the job audit, or set 'allow_unread: true'"
        )
