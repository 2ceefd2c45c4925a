# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer as text for people, Markdown, JUnit XML and JSON. Pure.

The text can be pasted into a change ticket, the Markdown into a comment of a merge request. It shows text of a cluster only as code
(`core/writers.py`), and its length is bounded: a comment of GitHub has at most 65,536 characters, which is the smallest limit of common sites.
JUnit XML has a suite for the cluster, and a case for each container.

Text and Markdown show the same sections. Rows of an access review that differ only in their namespace are one line. The number of lines is
limited, and namespaces take turns, so that one cannot push out the lines of others.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from ...core.documents import (
    ACCESS_EFFECTS,
    ANSWER_TITLES,
    ANSWERS,
    NOT_AFFECTED,
    NOT_ASKED,
    NOT_KNOWN,
    STILL_BROKEN,
    VERDICT_TITLES,
    WOULD_BREAK,
    WOULD_WORK,
    causes_of,
    count_moments,
    headline,
    hints_of,
    holder_of,
    moment_of,
    name_of,
    notes_of,
    order_evenly,
    outcome_of,
    part_of,
    pick_evenly,
    place_of,
    target_of,
    verdict_of,
)
from ...core.text import pluralize, summarize
from ...core.writers import add_element, as_code, as_code_block, as_table, as_xml, make_case, make_suite
from ...explain.fixes import Offer, offer_of

# --- sections

#: Nouns of sections. Sections with another noun are lists of sentences, and so are notes, which are doubts of an access review.
CONTAINER, ACCESS, NOTE, TASK = "container", "access", "note", "task"
NOTES = {"unplanned": "Not applied", "unknown": "Not known"}
#: Maximum number of names in one line.
_NAMES = 3

#: The namespaces of a line, and its texts, which sections with the same noun have in the same order.
Line = tuple[str, Sequence[str]]
_Row = Mapping[str, Any]


class AnswerSection(NamedTuple):
    """`groups` are the rows, tasks or sentences of each line, `texts` makes the texts of one. `noun` is the word for a row."""

    title: str
    noun: str
    groups: Sequence[Sequence[Any]]
    texts: Callable[[Sequence[Any]], Sequence[str]] = notes_of

    @classmethod
    def of(cls, title: str, noun: str, sentences: Iterable[Any]) -> AnswerSection:
        """Return a list of sentences."""
        return cls(title, noun, [[each] for each in sentences])

    def select(self, most: int) -> tuple[list[Line], int]:
        """Return at most `most` lines, with some of each namespace, and the number of rows without a line."""
        shown = pick_evenly(self.groups, most, _places_of)
        more = sum(map(len, self.groups)) - sum(map(len, shown))
        return [(_places_of(group), self.texts(group)) for group in shown], more


def sections_of(document: Mapping[str, Any]) -> dict[str, AnswerSection]:
    """Return the sections, without empty ones: by the answer of containers, the part of the access review, or the list of the document."""
    changes, access = document["changes"], document["access"]
    found = {}
    for answer in (WOULD_BREAK, NOT_KNOWN, STILL_BROKEN, WOULD_WORK):
        rows = [[row] for row in document["containers"] if row["answer"] == answer]
        texts = partial(_container_texts, changes=changes)
        found[answer] = AnswerSection(outcome_of(answer, len(rows)), CONTAINER, rows, texts)
    for part in ACCESS_EFFECTS:
        found[f"access.{part}"] = AnswerSection(part.capitalize(), ACCESS, _join_rows(access[part]), _access_texts)
    for part, title in NOTES.items():
        found[f"access.{part}"] = AnswerSection.of(title, NOTE, access[part])
    found["fix"] = AnswerSection("Tasks that keep pulls working", TASK, _offers_of(document["containers"]), _task_texts)
    found["restart_pulls"] = AnswerSection.of(
        "Pulls when the changed nodes start again", "registry", map(_describe_pulls, document["restart_pulls"])
    )
    facts = dict.fromkeys(fact for each in changes for fact in each["cannot_know"])
    found["facts"] = AnswerSection.of("Not taken into account, because no object shows it", "fact", facts)
    found["forecasts"] = AnswerSection.of("The upgrade also affects", "forecast", document["forecasts"])
    found["unreadable"] = AnswerSection.of("Not read", "sentence", document["unreadable"])
    return {name: section for name, section in found.items() if section.groups}


def _describe_pulls(row: _Row) -> str:
    pulls = pluralize(row["pulls"], "pull")
    return f"{row['registry']}: at most {pulls}, of which one node makes {row['of_one_node']}"


def _container_texts(group: Sequence[_Row], changes: Sequence[_Row]) -> Sequence[str]:
    """The object, its part, the image, the reason, and for a pull that breaks also the moment, the causes and the advice."""
    (row,) = group
    reason = row["before" if row["answer"] in (WOULD_WORK, STILL_BROKEN) else "after"]["reason"]
    details = (moment_of(row), causes_of(row, changes), row["advice"])
    return f"{row['kind']} {row['name']}", part_of(row), row["image"], reason, *details


def _join_rows(rows: Sequence[_Row]) -> Sequence[Sequence[_Row]]:
    """The rows that differ only in their namespace, and in the workloads and entries. Those of the most namespaces are first."""
    found: dict[Sequence[str], list[_Row]] = {}
    for row in rows:
        target = "" if row["project"] else target_of(row)
        found.setdefault((holder_of(row), target, *row["through"]), []).append(row)
    return sorted(found.values(), key=lambda each: (-len(each), place_of(each[0])))


def _access_texts(group: Sequence[_Row]) -> Sequence[str]:
    """Return the holder, the access, the secrets or bindings, the workloads, and the entries."""
    row, is_one = group[0], len(group) == 1
    number = sum(len(each["workloads"]) for each in group)
    users = summarize(row["workloads"], _NAMES) if is_one else pluralize(number, "workload") if number else ""
    entries = dict.fromkeys(entry for each in group for entry in each["entries"])
    target = "image streams of each project" if row["project"] and not is_one else target_of(row)
    return holder_of(row), target, summarize(row["through"], _NAMES), users, summarize([*entries], _NAMES)


def _places_of(group: Sequence[Any]) -> str:
    """Return the namespaces of rows, empty for tasks and sentences. A grant belongs to its project."""
    return summarize(sorted(place_of(each) for each in group if isinstance(each, Mapping)), _NAMES)


def _offers_of(rows: Sequence[_Row]) -> Sequence[Sequence[Offer]]:
    """The first tasks of each namespace first, each once. Anyone can have written the document, so they are checked again."""
    found: dict[str, list[Offer]] = {}
    for offer in map(offer_of, order_evenly(rows)):
        if offer.tasks:
            found.setdefault(offer.text, [offer])
    return [*found.values()]


def _task_texts(group: Sequence[Offer]) -> Sequence[str]:
    """The tasks, and their effects."""
    (offer,) = group
    return offer.text, *offer.effects


# --- outputs

#: The options that name files.
OUTPUTS = ("dest", "junit", "markdown")

Document = Mapping[str, Any]


def render_outputs(names: Iterable[str], document: Document, failing: Sequence[str]) -> dict[str, str]:
    """Return the text of each of these outputs.

    `failing` are the answers that fail the task. Without any, `would_break` fails a case of JUnit.
    """
    texts = {
        "dest": lambda: json.dumps(document, indent=1) + "\n",
        "junit": lambda: as_junit(document, failing or (WOULD_BREAK,)),
        "markdown": lambda: as_markdown(document),
    }
    return {name: texts[name]() for name in names}


# --- text

#: Maximum number of lines of each answer, of gains or losses, of tasks, and of another list. The document has all of them.
_ROWS = {WOULD_BREAK: 20, NOT_KNOWN: 10, STILL_BROKEN: 5, WOULD_WORK: 5}
_ACCESSES, _TASKS, _SENTENCES = 50, 3, 20
#: Maximum number of namespaces that are named for omitted containers.
_NAMESPACES = 10


def lines_of(document: Document) -> list[str]:
    """Return the lines for one document: the answer first, then the containers, the worst first, then the limits of the answer."""
    return [*_summary(document), *_details(sections_of(document))]


def _summary(document: Document) -> Iterator[str]:
    counts, images = document["counts"], document["images_to_mirror"]
    yield headline(document)
    yield f"On {document['server']}, if:" if document["server"] else "Without a cluster, if:"
    yield from (f"  {number}. {each['title']}" for number, each in enumerate(document["changes"], 1))
    yield from hints_of(document)
    if document["against"]:
        yield f"  instead of another inventory: {document['against']}"
    if moments := count_moments(document["containers"]):
        yield f"Pulls fail: {moments}."
    yield from (f"{outcome_of(answer, counts[answer])}." for answer in ANSWERS[1:] if counts[answer])
    if number := len(images["images"]):
        verb = "has" if number == 1 else "have"
        where = "no known copy at the new place" if images["regsync"]["sync"] else "no registry within reach"
        title = f"{pluralize(number, 'image')} {verb} {where}, and must be copied"
        yield from _list_lines("", AnswerSection.of(title, "image", images["images"]))
        them = "it" if number == 1 else "them"
        yield f"The field images_to_mirror of the document has {them} for skopeo, regsync and oc-mirror. The playbook writes it with -e directory=DIR."
    if number := len(images["not_pulled_today"]):
        why = f"because no container is known to pull {'it' if number == 1 else 'them'} today"
        yield f"{pluralize(number, 'image')} out of reach {'is' if number == 1 else 'are'} not listed there, {why}."


def _details(sections: Mapping[str, AnswerSection]) -> Iterator[str]:
    last = ""
    for name, section in sections.items():
        yield from () if {last, section.noun} <= {ACCESS, NOTE} else ("",)
        yield from _TEXT.get(section.noun, _list_lines)(name, section)
        last = section.noun


def _container_lines(name: str, section: AnswerSection) -> Iterator[str]:
    yield f"{section.title}:"
    lines, more = section.select(_ROWS[name])
    for place, (holder, part, image, reason, when, cause, advice) in lines:
        yield f"  {place}: {holder}, {part}, image {image}"
        details = {"breaks": when, "reason": reason, "change": cause, "to do": advice}
        yield from (f"    {title + ':':<8}{text}" for title, text in details.items() if text)
    if more:
        rest = Counter(map(_places_of, section.groups)) - Counter(place for place, _texts in lines)
        places = summarize([f"{place} ({number:,})" for place, number in rest.most_common()], _NAMESPACES)
        yield f"  and {more:,} more, in {'namespace' if len(rest) == 1 else 'namespaces'} {places}"


def _access_lines(name: str, section: AnswerSection) -> Iterator[str]:
    yield f"{section.title} access:"
    lines, more = section.select(_ACCESSES)
    yield from (f"  {place}: {_describe_access(texts)}" for place, texts in lines)
    yield from (f"  and {more:,} more, in the field what_if.{name}",) if more else ()


def _describe_access(texts: Sequence[str]) -> str:
    holder, target, through, users, entries = texts
    return (
        f"{holder}: {target}, by {through}{f', used by {users}' if users else ''}{f' [{entries}]' if entries else ''}"
    )


def _task_lines(_name: str, section: AnswerSection) -> Iterator[str]:
    yield "This keeps pulls working:" if len(section.groups) == 1 else "These tasks keep pulls working:"
    lines, more = section.select(_TASKS)
    for _place, (task, *effects) in lines:
        yield from (*effects, *task.splitlines())
    yield from (f"and {pluralize(more, 'more task')}, in the field fix of each container",) if more else ()


def _list_lines(_name: str, section: AnswerSection) -> Iterator[str]:
    yield f"{section.title}:"
    lines, more = section.select(len(section.groups) if section.noun == NOTE else _SENTENCES)
    yield from (f"  - {sentence}" for _place, (sentence,) in lines)
    yield from (f"  and {more:,} more",) if more else ()


_TEXT = {CONTAINER: _container_lines, ACCESS: _access_lines, TASK: _task_lines}


# --- Markdown

#: Maximum number of rows of each table, of items of a list, and of characters of a task.
_TABLES = {WOULD_BREAK: 25, NOT_KNOWN: 15, "access.gained": 100, "access.lost": 100}
_ITEMS = 10
_TASK_CHARACTERS = 2_000
#: Maximum number of characters of a name, a sentence other than the reason, a cell about an access, and a note about it.
_NAME, _SENTENCE, _CELL, _NOTE = 120, 200, 80, 300


def as_markdown(document: Document) -> str:
    """Return the text: the summary, the containers that break, tasks that keep pulls working, the unknown answers, and the access review."""
    sections, lines, has_review = sections_of(document), [*_head(document)], False
    others = (name for name, section in sections.items() if section.noun not in (CONTAINER, TASK))
    for name in (WOULD_BREAK, "fix", NOT_KNOWN, *others):
        if section := sections.get(name):
            is_review = section.noun in (ACCESS, NOTE)
            lines += _review_head(document["access"]) if is_review and not has_review else ()
            has_review = has_review or is_review
            lines += ("", f"{'####' if is_review else '###'} {section.title}", "")
            lines += _MARKDOWN.get(section.noun, _list_block)(name, section, document)
    return "\n".join(lines) + "\n"


def _head(document: Document) -> Iterator[str]:
    where = f"on {as_code(document['server'])}" if document["server"] else "without a cluster"
    yield from (f"## {headline(document)}", "")
    yield from (f"Evaluated at {document['made']} {where}, with these changes together:", "")
    yield from (*_items(AnswerSection.of("", "change", [each["title"] for each in document["changes"]]), mark="1."), "")
    if hints := hints_of(document):
        yield from (*_items(AnswerSection.of("", "sentence", hints)), "")
    if document["against"]:
        yield from (f"This is instead of another inventory: {as_code(document['against'], _SENTENCE)}", "")
    counts = [(ANSWER_TITLES[answer], f"{document['counts'][answer]:,}") for answer in ANSWERS]
    yield from as_table(("Answer", "Containers:"), counts)
    if images := document["images_to_mirror"]["images"]:
        them = "it" if len(images) == 1 else "them"
        yield from ("", f"{pluralize(len(images), 'image')} to copy: no registry within reach serves {them}.", "")
        yield from _items(AnswerSection.of("", "image", images), _NAME)


def _container_block(name: str, section: AnswerSection, document: Document) -> Iterator[str]:
    columns = ("Container", "Image", "Reason", "When", "Cause", "To do")[: 6 if name == WOULD_BREAK else 3]
    lines, more = section.select(_TABLES[name])
    cells = []
    for place, (holder, part, image, reason, when, cause, advice) in lines:
        names = ", ".join(as_code(each, _NAME) for each in (place, holder, part))
        sentences = (as_code(each, _SENTENCE) for each in (when, cause or document["changes"][0]["title"], advice))
        cells.append([names, as_code(image, _NAME), as_code(reason), *sentences][: len(columns)])
    yield from (f"Pulls fail: {count_moments(document['containers'])}.", "") if name == WOULD_BREAK else ()
    yield from as_table(columns, cells)
    yield from ("", f"and {pluralize(more, 'more container')}, in the JSON document") if more else ()


def _review_head(access: Mapping[str, Any]) -> Sequence[str]:
    gained, lost = (pluralize(len(access[part]), "access", "accesses") for part in ACCESS_EFFECTS)
    return ("", "### Access review", "", f"{gained} gained, {lost} lost.")


def _access_block(name: str, section: AnswerSection, _document: Document) -> Iterator[str]:
    lines, more = section.select(_TABLES[name])
    cells = [[as_code(text, _CELL) for text in (place, *texts)] for place, texts in lines]
    yield from as_table(("Namespace", "Account", "Access", "Through", "Used by", "Declared by"), cells)
    yield from ("", f"and {more:,} more, in the JSON document") if more else ()


def _task_block(_name: str, section: AnswerSection, _document: Document) -> Iterator[str]:
    lines, more = section.select(_TASKS)
    for _place, (task, *effects) in lines:
        if len(task) > _TASK_CHARACTERS:
            more += 1
            continue
        yield from (f"- {as_code(effect, _SENTENCE)}" for effect in effects)
        yield from ("", *as_code_block(task, "yaml"), "")
    yield from (f"and {pluralize(more, 'more task')}, in the JSON document",) if more else ()


def _list_block(_name: str, section: AnswerSection, _document: Document) -> Iterator[str]:
    return _items(section, _NOTE if section.noun == NOTE else _SENTENCE)


def _items(section: AnswerSection, most: int = _SENTENCE, mark: str = "-") -> Iterator[str]:
    """Yield the items of a list, with at most `most` characters of each."""
    lines, more = section.select(_ITEMS)
    yield from (f"{mark} {as_code(text, most)}" for _place, (text,) in lines)
    if more:
        yield f"{mark} and {f'{more:,} more' if section.noun == NOTE else pluralize(more, f'more {section.noun}')}"


_MARKDOWN = {CONTAINER: _container_block, ACCESS: _access_block, TASK: _task_block}


# --- JUnit XML

_TITLE = "Pull access after the supposed changes"
_UNREAD = "could not be read"
_NO_SERVER = "without a cluster"


def as_junit(document: Document, failing: Sequence[str]) -> str:
    """Return the text. An answer in `failing` fails its case, and `unknown` otherwise skips it. Containers that are not affected are one case.

    A part of an inventory that would not be applied always fails a case. With `unknown` in `failing`, everything that fails the task fails a
    case: also forecasts of an upgrade, workloads and images of the platform that could not be read, and access that could not be compared.
    """
    server, changes, access = document["server"] or _NO_SERVER, document["changes"], document["access"]
    cases = [_case(server, row, changes, failing) for row in document["containers"]]
    if others := document["counts"][NOT_AFFECTED]:
        cases.append(make_case(outcome_of(NOT_AFFECTED, others), server))
    unknown_fails = NOT_KNOWN in failing
    cases += _doubts(f"{server}.forecast", "forecast", [(each, unknown_fails) for each in document["forecasts"]])
    for effect in ACCESS_EFFECTS:
        titles = ((place_of(row), _describe_access(_access_texts([row]))) for row in access[effect])
        cases += [make_case(f"{effect}: {title}", f"{server}.{place}.access") for place, title in titles]
    notes = [(part, f"{title.lower()}: {note}") for part, title in NOTES.items() for note in notes_of(access[part])]
    failures = [(note, part == "unplanned" or unknown_fails) for part, note in notes]
    cases += _doubts(f"{server}.access", "access review", failures)
    unread = [(each, unknown_fails and each in document["unread_images"]) for each in document["unreadable"]]
    cases += _doubts(f"{server}.{_UNREAD}", _UNREAD, unread)
    for name in document["unread_workloads"] if unknown_fails else ():
        doubt = f"the pods or workloads {_UNREAD}, so containers can be missing"
        cases.append(_doubt(make_case("pods and workloads", f"{server}.{name}"), doubt, fails=True))
    suite = make_suite(server, document["server"], document["made"], cases, "\n".join(_output(document)))
    return as_xml(_TITLE, [suite])


def _case(server: str, row: Document, changes: Sequence[Document], failing: Sequence[str]) -> Element:
    case, reason = make_case(name_of(row), f"{server}.{row['namespace']}"), row["after"]["reason"]
    if row["answer"] in failing or (row["not_asked"] and NOT_ASKED in failing):
        details = {"breaks": moment_of(row), "change": causes_of(row, changes), "to do": row["advice"]}
        texts = [
            f"image: {row['image']}",
            *(
                f"{name}: {VERDICT_TITLES[verdict_of(row[name])]}: {row[name]['reason']}"
                for name in ("before", "after")
            ),
        ]
        text = "\n".join((*texts, *(f"{name}: {each}" for name, each in details.items() if each)))
        add_element(case, "failure", text, type=ANSWER_TITLES[row["answer"]], message=reason)
    elif row["answer"] == NOT_KNOWN:
        add_element(case, "skipped", message=reason)
    return case


def _doubts(classname: str, title: str, sentences: Iterable[tuple[str, bool]]) -> Iterator[Element]:
    """Yield a case for each sentence, and whether it fails."""
    for number, (sentence, fails) in enumerate(sentences, 1):
        yield _doubt(make_case(f"{title}: {number}", classname), sentence, fails=fails)


def _doubt(case: Element, sentence: str, *, fails: bool) -> Element:
    """The case, which fails or is skipped because of the sentence."""
    if fails:
        add_element(case, "failure", sentence, type=ANSWER_TITLES[NOT_KNOWN], message=sentence)
    else:
        add_element(case, "skipped", message=sentence)
    return case


def _output(document: Document) -> Iterator[str]:
    """The changes, and the answers that are not visible in the cases, because these pass."""
    yield headline(document)
    yield from (f"change {number}: {each['title']}" for number, each in enumerate(document["changes"], 1))
    yield from hints_of(document)
    for row in document["containers"]:
        if row["answer"] in (STILL_BROKEN, WOULD_WORK):
            reason = row["before"]["reason"]
            yield f"{ANSWER_TITLES[row['answer']]}: {row['namespace']}: {name_of(row)}: today {reason}"
