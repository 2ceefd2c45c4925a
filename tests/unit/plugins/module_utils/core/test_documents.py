# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents: their constants equal those of the published schemas, and their sentences have the right forms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.documents import (
    ANSWER_TITLES,
    ANSWERS,
    AUDIT_FORMAT,
    LISTED_ANSWERS,
    MOMENT_TITLES,
    MOMENTS,
    SEVERITIES,
    WHAT_IF_FORMAT,
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
    pick_evenly,
    place_of,
    target_of,
)
from support import what_ifs
from support.what_ifs import ACCESS, change, container, document

# --- The constants of an audit document equal the values in its published schema

SCHEMA = json.loads(
    (Path(__file__).parents[5] / "plugins/plugin_utils/pull_report/audit.schema.json").read_text(encoding="utf-8")
)


def test_the_format_equals_that_of_the_schema() -> None:
    assert SCHEMA["properties"]["format"]["const"] == AUDIT_FORMAT


def test_the_severities_equal_those_of_the_schema() -> None:
    assert tuple(SCHEMA["$defs"]["severity"]["enum"]) == SEVERITIES


# --- Sentences about rows have the right numbers, forms and names


@pytest.mark.parametrize(
    ("answer", "one", "two"),
    [
        ("would_break", "1 container would no longer get its image", "2 containers would no longer get their image"),
        ("unknown", "1 container is not known", "2 containers are not known"),
        ("still_pulls", "1 container still pulls", "2 containers still pull"),
        ("still_broken", "1 container does not get its image today, and not after the changes",
         "2 containers do not get their image today, and not after the changes"),
        ("would_work", "1 container does not get its image today, and would after the changes",
         "2 containers do not get their image today, and would after the changes"),
    ],
)  # fmt: skip
def test_an_outcome_agrees_with_its_number(answer: str, one: str, two: str) -> None:
    assert (outcome_of(answer, 1), outcome_of(answer, 2)) == (one, two)


@pytest.mark.parametrize(
    ("answers", "others", "says"),
    [
        (["would_break"], 0, "1 of 1 container would no longer get its image."),
        (["would_break"] * 2, 2000, "2 of 2,002 containers would no longer get their image."),
        (["unknown"], 3, "No container is known to lose its image, but 1 of 4 is not known."),
        (["would_work"], 3, "None of 4 containers would lose its image."),
        ([], 0, "There is no container to judge."),
    ],
)
def test_the_headline_is_the_answer(answers: list[str], others: int, says: str) -> None:
    assert headline(document(*map(container, answers), others=others)) == says


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (["would_break"], "1 of 1 container would no longer get its image, and {unread}."),
        (["unknown"], "No container is known to lose its image, but 1 of 1 is not known and {unread}."),
        (["still_pulls"], "No container is known to lose its image, but {unread}."),
        ([], "No container is known to lose its image, but {unread}."),
    ],
)
def test_the_headline_mentions_workloads_that_could_not_be_read(answers: list[str], says: str) -> None:
    unread = "the pods or workloads of 2 namespaces could not be read"
    assert headline(document(*map(container, answers), unread_workloads=["a", "b"])) == says.format(unread=unread)


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        (["remove_secrets"], "No container is known to lose its image, but change 1 affects nothing that was read."),
        (["moved", "target_version", "remove_links"],
         "No container is known to lose its image, but changes 2 and 3 affect nothing that was read."),
        (["only_registries"], "None of 1 container would lose its image."),
    ],
)  # fmt: skip
def test_the_headline_names_changes_that_may_be_mistyped(kinds: list[str], says: str) -> None:
    """No image of a registry is a good answer, but an object that does not exist may be mistyped."""
    changes = [change(kind=kind, no_effect="nothing has this name") for kind in kinds]
    assert headline(document(container("still_pulls"), changes=changes)) == says


def test_moments_are_counted_with_the_earliest_first() -> None:
    rows = [container(), container(when="at_once"), container(), container("unknown")]
    assert count_moments(rows) == "1 at once, 2 when the next pod is created"
    assert count_moments([container("unknown")]) == ""


def test_a_row_is_named_by_its_object_and_part() -> None:
    assert name_of(container()) == "Deployment web, container app"
    assert name_of(container(container="", volume="model")) == "Deployment web, volume model"


def test_a_moment_includes_an_earlier_possible_one() -> None:
    row = container(when="on_another_node", possibly="at_restart", when_reason="why")
    assert moment_of(row) == "when a pod starts on another node, possibly at the next start of the container: why"
    assert moment_of(container("unknown")) == ""


def test_causes_are_named_only_among_several_changes() -> None:
    both = [change("one"), change("two")]
    assert causes_of(container(changes=[0, 1]), both) == "one and two"
    assert causes_of(container(), both[:1]) == ""


def test_added_objects_are_said_to_be_untried() -> None:
    added = change("added: image tag mirror set m", kind="add_objects")
    (hint,) = hints_of(document(changes=[change(), added]))
    assert hint.startswith("The API server was not asked whether it accepts the added objects")
    assert hints_of(document()) == []


def test_the_entries_of_an_inventory_are_named_instead_of_all_that_it_declares() -> None:
    applied = change("the inventory is applied: 9 entries of secrets", kind="declared")
    row = container(changes=[0, 1], entries=["a", "b", "c", "d"])
    assert causes_of(row, [applied, change("two")]) == "the inventory is applied: a, b, c and 1 more and two"
    assert causes_of(container(entries=["a"]), [applied]) == "the inventory is applied: a"
    assert causes_of(container(entries=["a"]), [change("two")]) == "", (
        "the entries of an access are in a field of their own"
    )


def test_a_namespace_with_many_rows_does_not_push_out_the_others() -> None:
    many = [container(namespace="a", name=f"web-{number}") for number in range(50)]
    rows = [*many, container(namespace="b"), container(namespace="c")]
    assert order_evenly(rows)[:4] == [many[0], rows[50], rows[51], many[1]]
    assert pick_evenly(rows, 4) == [many[0], many[1], rows[50], rows[51]]
    assert pick_evenly(rows, 100) == rows


def test_an_access_is_described_by_its_holder_and_its_target() -> None:
    grant = {
        **ACCESS,
        "how": "grant",
        "namespace": "b",
        "name": "robot",
        "project": "a",
        "registry": "",
        "username": "",
    }
    assert [each(ACCESS) for each in (place_of, holder_of, target_of)] == [
        "a",
        "ServiceAccount default",
        "quay.io as robot",
    ]
    assert [each(grant) for each in (place_of, holder_of, target_of)] == [
        "a",
        "ServiceAccount b/robot",
        "image streams of project a",
    ]
    assert target_of({**ACCESS, "repository": "team"}) == "quay.io/team as robot"


def test_notes_are_sentences() -> None:
    assert notes_of(["it is not known", {"namespace": "a", "entry": "", "reason": "gone"}]) == [
        "it is not known",
        "a: all entries: gone",
    ]


def test_unread_images_of_the_platform_are_in_the_headline() -> None:
    found = document(container("still_pulls"), unread_images=["no catalogs"], unread_workloads=["a"])
    assert headline(found) == (
        "No container is known to lose its image, but the pods or workloads of 1 namespace could not be read and images of the platform "
        "could not be read."
    )


# --- The constants of a what-if document equal the values in its published schema, and each has words

WHAT_IF_SCHEMA = json.loads(
    (Path(__file__).parents[5] / "plugins/plugin_utils/pull_report/what_if.schema.json").read_text(encoding="utf-8")
)


def test_the_constants_equal_those_of_the_schema() -> None:
    assert WHAT_IF_SCHEMA["properties"]["format"]["const"] == WHAT_IF_FORMAT
    assert tuple(WHAT_IF_SCHEMA["$defs"]["answer"]["enum"]) == LISTED_ANSWERS == what_ifs.ANSWERS
    assert tuple(WHAT_IF_SCHEMA["$defs"]["counts"]["required"]) == ANSWERS
    assert tuple(WHAT_IF_SCHEMA["$defs"]["counts"]["required"]) == ANSWERS
    assert tuple(WHAT_IF_SCHEMA["$defs"]["moment"]["enum"]) == MOMENTS


def test_each_constant_has_words() -> None:
    assert tuple(ANSWER_TITLES) == ANSWERS
    assert tuple(MOMENT_TITLES) == MOMENTS
