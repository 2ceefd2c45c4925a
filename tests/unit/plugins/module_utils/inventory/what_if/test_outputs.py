# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text and the comment name each container that breaks, and show texts of a cluster only as such. In JUnit, each container is a case."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.outputs import (
    OUTPUTS,
    as_junit,
    as_markdown,
    lines_of,
    render_outputs,
)
from markdown_it import MarkdownIt
from support.hostile_text import TEXTS
from support.junit import check
from support.supposed import document_about
from support.surveyed import account, deployment, place, pod, secret, survey
from support.what_ifs import ACCESS, ANSWERS, change, container, document, hostile

SCHEMA = jsonschema.Draft202012Validator(
    json.loads(
        (Path(__file__).parents[6] / "plugins/plugin_utils/pull_report/what_if.schema.json").read_text(encoding="utf-8")
    )
)


def test_only_the_given_outputs_are_rendered() -> None:
    found = document(*map(container, ANSWERS))
    texts = render_outputs(OUTPUTS, found, ())
    assert json.loads(texts["dest"]) == found
    assert check(texts["junit"]).get("failures") == "1"
    assert texts["markdown"].startswith("## ")
    assert render_outputs((), found, ()) == {}


def test_the_answers_of_fail_on_fail_the_cases() -> None:
    found = document(*map(container, ANSWERS))
    text = render_outputs(["junit"], found, ("would_break", "unknown"))["junit"]
    assert check(text).get("failures") == "2"


def test_the_schema_is_a_valid_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA.schema)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_hostile_document_fits_the_schema(text: str) -> None:
    found = hostile(text)
    if text:
        assert [error.json_path for error in SCHEMA.iter_errors(found)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        container(changes=[]),
        container(when=""),
        container("unknown", when="at_once"),
        container("still_pulls", fix=container()["fix"]),
        {**container("unknown"), "answer": "maybe"},
        container(more=1),
        container(fix=[{"name": "x", "ansible.builtin.command": {}}]),
        {**container(), "after": {"verdict": "unknown", "reason": "", "step": "login"}},
    ],
)
def test_a_row_that_contradicts_itself_does_not_fit_the_schema(wrong: dict[str, object]) -> None:
    assert [*SCHEMA.iter_errors(document(container()))] == []
    assert [*SCHEMA.iter_errors({**document(container()), "containers": [wrong]})] != []


SNAPSHOT = survey(place(secrets=[secret("s")], accounts=[account("s")], pods=[pod("s")], workloads=[deployment()]))


def text_of(*changes: dict[str, Any]) -> list[str]:
    return lines_of(document_about(SNAPSHOT, *changes))


def test_the_answer_comes_first_then_the_containers_then_the_limits() -> None:
    lines = text_of({"unreachable_registries": ["q.io"]})
    assert lines[:4] == [
        "2 of 2 containers would no longer get their image.",
        "On https://api.example.com:6443, if:",
        "  1. the nodes do not reach q.io",
        "Pulls fail: 1 at once, 1 when the next pod is created.",
    ]
    assert lines[4:14] == [
        "1 image has no registry within reach, and must be copied:",
        "  - q.io/team/app:v1",
        "The field images_to_mirror of the document has it for skopeo, regsync and oc-mirror. The playbook writes it with -e directory=DIR.",
        "",
        "2 containers would no longer get their image:",
        "  a: Pod app, container c, image q.io/team/app:v1",
        "    breaks: at once: the pod does not have its image yet",
        "    reason: the nodes do not reach q.io, and no other registry serves q.io/team/app:v1",
        "    to do:  copy the image to a registry that the nodes reach, and declare that registry as a mirror",
        "  a: Deployment web, container c, image q.io/team/app:v1",
    ]
    assert lines.index("Not taken into account, because no object shows it:") > 14


def test_causes_are_named_if_there_are_several_changes() -> None:
    assert not any(line.startswith("    change:") for line in text_of({"unreachable_registries": ["q.io"]}))
    lines = text_of({"unreachable_registries": ["q.io"]}, {"new_nodes": True})
    assert lines.count("    change: the nodes do not reach q.io") == 2


def test_a_change_without_an_effect_is_named() -> None:
    changes = [change("one"), change("secret old-pul is deleted", no_effect="secret old-pul does not exist")]
    lines = lines_of(document(container("still_pulls"), changes=changes))
    assert lines[4] == "Change 2 affects nothing that was read: secret old-pul does not exist."


def test_nothing_breaks() -> None:
    lines = text_of({"remove_secrets": {"name": "other"}})
    assert lines[0] == "None of 2 containers would lose its image."
    assert "2 containers are not affected." in lines


def test_forecasts_of_an_upgrade_are_in_the_first_line() -> None:
    lines = lines_of(document(container("still_pulls"), forecasts=["a rule: more"]))
    assert lines[0] == "No container is known to lose its image, but the upgrade has 1 forecast."
    assert lines[lines.index("The upgrade also affects:") + 1] == "  - a rule: more"
    lines = lines_of(document(container(), forecasts=["a rule: more", "another"]))
    assert lines[0] == "1 of 1 container would no longer get its image, and the upgrade has 2 forecasts."


def test_the_first_twenty_sentences_are_shown() -> None:
    lines = lines_of(document(container(), unreadable=[f"list {at}" for at in range(23)]))
    at = lines.index("Not read:")
    assert lines[at + 1 : at + 22] == [*(f"  - list {number}" for number in range(20)), "  and 3 more"]


def test_a_long_list_is_cut_and_names_the_namespaces() -> None:
    pods = [pod("s", name=f"p{at}") for at in range(60)]
    snapshot = survey(place(secrets=[secret("s")], pods=pods))
    text = lines_of(document_about(snapshot, {"unreachable_registries": ["q.io"]}))
    assert "  and 40 more, in namespace a (40)" in text


def test_omitted_containers_are_counted_by_namespace() -> None:
    lines = lines_of(document(*(container("would_work", namespace=name) for name in "aabaabb")))
    assert "  and 2 more, in namespaces a (1), b (1)" in lines
    lines = lines_of(document(*(container("would_work", namespace=f"n{number}") for number in range(20))))
    (last,) = [line for line in lines if line.startswith("  and ")]
    assert last.startswith("  and 15 more, in namespaces n5 (1), n6 (1)")
    assert last.endswith(" and 5 more")


def test_the_reason_of_a_repair_is_that_of_today() -> None:
    lines = lines_of(document(container("would_work")))
    assert lines[0] == "None of 1 container would lose its image."
    assert f"    reason: {container('would_work')['before']['reason']}" in lines


def test_tasks_are_shown_once_with_their_effects() -> None:
    lines = lines_of(document(container(), container(name="api")))
    at = lines.index("This keeps pulls working:")
    assert lines[at + 1].startswith("This lets every pod of service account default of namespace shop pull")
    assert lines[at + 2] == "- name: Link a pull secret to a service account"
    assert sum("openshift_ops.image_pull.sa_link:" in line for line in lines) == 1


def test_only_the_first_tasks_are_shown() -> None:
    rows = []
    for number in range(5):
        row = container(name=f"web-{number}")
        (task,) = row["fix"]
        options = {**task["openshift_ops.image_pull.sa_link"], "service_accounts": [f"account-{number}"]}
        rows.append({**row, "fix": [{**task, "openshift_ops.image_pull.sa_link": options}]})
    lines = lines_of(document(*rows))
    assert "These tasks keep pulls working:" in lines
    assert sum("openshift_ops.image_pull.sa_link:" in line for line in lines) == 3
    assert "and 2 more tasks, in the field fix of each container" in lines


def test_long_lists_of_limits_are_cut() -> None:
    lines = lines_of(document(unreadable=[f"sentence {number}" for number in range(25)]))
    assert lines[-1] == "  and 5 more"
    assert lines[0] == "There is no container to judge."


def test_the_access_review_is_a_part_also_without_a_cluster() -> None:
    access = {"gained": [ACCESS], "lost": [], "unknown": [], "unplanned": []}
    lines = lines_of(document(server="", access=access, against="1 entry of secrets"))
    assert "  instead of another inventory: 1 entry of secrets" in lines
    assert "Without a cluster, if:" in lines
    assert lines[lines.index("Gained access:") + 1] == "  a: ServiceAccount default: quay.io as robot, by pull"


RENDERER = MarkdownIt("commonmark").enable("table")
#: The maximum length of a comment on GitHub. Other sites allow more.
LONGEST = 65_536
_MORE = (
    "[x](https://evil.example)", "![x](https://evil.example/a.png)", "<img src=https://evil.example>", "https://evil.example",
    "www.evil.example", "@everyone", "@org/team", "#1", "!1", "team/app#1", "~label", "`` ` ``", "a|b", "a\\|b", "|---|", "<!-- x", "-->",
    "</details>", ":tada:", "$`x`$", "<script>", "\u202e", "*a*", "# a", "0123456789abcdef0123456789abcdef01234567",
)  # fmt: skip


def html(found: dict[str, object]) -> str:
    return str(RENDERER.render(as_markdown(found)))


def without_code(text: str) -> str:
    """The rendered page with each piece of code empty."""
    return re.sub(r"<code>[^<]*</code>", "<code></code>", text)


def test_the_comment_has_the_counts_and_the_containers_that_break() -> None:
    found = document(*map(container, ANSWERS), others=7, unreadable=["nodes could not be listed"])
    lines = as_markdown(found).splitlines()
    assert lines[0] == "## 1 of 12 containers would no longer get its image."
    assert "1. `secret pull is deleted`" in lines
    assert "| would break | 1 |" in lines
    assert {"| still pulls | 1 |", "| not affected | 7 |"} <= {*lines}
    (row,) = [line for line in lines if line.startswith("| `shop`") and "at" in line and "Link" in line]
    assert row.split(" | ") == [
        "| `shop`, `Deployment web`, `container app`",
        "`quay.io/team/app:1`",
        "`no pull secret of the pod is for quay.io/team/app, and the registry refuses a pull without a login`",
        "`when the next pod is created: the next pod that is created does not get the image`",
        "`secret pull is deleted`",
        "`Link a pull secret to a service account` |",
    ]
    at = lines.index("### 1 container is not known")
    assert (lines[at - 1], lines[at + 1]) == ("", "")
    assert "- `which pods will be created again`" in lines
    assert "- `nodes could not be listed`" in lines


def test_the_access_review_follows_the_answer_and_its_tasks() -> None:
    unplanned = [{"namespace": "b", "entry": "prune of owner team", "reason": "too much"}]
    access = {"gained": [], "lost": [ACCESS], "unknown": [], "unplanned": unplanned}
    rows = [container(), container("unknown", not_asked=True)]
    lines = as_markdown(document(*rows, access=access)).splitlines()
    assert lines[0] == (
        "## 1 of 2 containers would no longer get its image, and the registries of 1 container were not asked and 1 part of the inventory would "
        "not be applied."
    )
    assert any(
        "Not applied, so its effect is not part of the answer: b: prune of owner team: too much" in line
        for line in lines[:12]
    )
    heads = [line for line in lines if line.startswith("### ")]
    assert heads[:4] == [
        "### 1 container would no longer get its image",
        "### Tasks that keep pulls working",
        "### 1 container is not known",
        "### Access review",
    ]


def test_a_task_is_shown_once_with_its_effect() -> None:
    text = as_markdown(document(container(), container(name="api")))
    assert text.count("openshift_ops.image_pull.sa_link:") == 1
    assert "- `This lets every pod of service account default of namespace shop pull" in text


def test_a_task_of_another_author_is_not_shown() -> None:
    task = {"name": "x", "ansible.builtin.command": {"cmd": "true"}}
    text = as_markdown(document(container(fix=[task])))
    assert "ansible.builtin.command" not in text


def test_an_answer_without_a_break_has_no_table_of_breaks() -> None:
    text = as_markdown(
        document(
            container("would_work"),
            changes=[change(cannot_know=[], no_effect="check its names: secret pull is deleted")],
        )
    )
    assert "- `Change 1 affects nothing that was read: check its names: secret pull is deleted.`" in text
    assert "###" not in text


@pytest.mark.parametrize("text", [*_MORE, *TEXTS], ids=range(len([*_MORE, *TEXTS])))
def test_a_hostile_text_is_only_code(text: str) -> None:
    """With each piece of code emptied, the page is the one that harmless texts give."""
    shown = html(hostile(text))
    if text.split():
        assert without_code(shown) == without_code(html(hostile("a")))
    assert not re.search(r"<(?:a|img|script|del|em|strong)\b", shown)


def test_a_text_is_shown_in_full() -> None:
    shown = re.findall(r"<code>([^<]*)</code>", html(hostile("[x](https://evil.example)")))
    assert "[x](https://evil.example)" in map(unescape, shown)


def test_long_lists_are_bounded_and_count_the_omitted_rows() -> None:
    long = "x" * 5000 + "`|\x00" * 500
    rows = [container(answer, name=f"{number}{long}") for answer in ANSWERS for number in range(200)]
    images = {**document()["images_to_mirror"], "images": [f"{number}{long}" for number in range(200)]}
    sentences = [f"{number}{long}" for number in range(200)]
    changes = [change(f"{number}{long}", cannot_know=[f"{number}{long}"]) for number in range(200)]
    rows = [
        {
            **row,
            "image": long,
            "namespace": long,
            "advice": long,
            "when_reason": long,
            "after": {**row["after"], "reason": long},
        }
        for row in rows
    ]
    found = document(*rows, changes=changes, images_to_mirror=images, forecasts=sentences, unreadable=sentences)
    text = as_markdown(found)
    assert len(text) <= LONGEST
    assert "and 175 more containers, in the JSON document" in text
    assert "and 185 more containers, in the JSON document" in text
    assert "- and 190 more images" in text
    assert "1. and 190 more changes" in text
    assert "- and 190 more forecasts" in text


def test_the_access_review_is_a_section_also_without_a_cluster() -> None:
    access = {"gained": [ACCESS], "lost": [], "unknown": [], "unplanned": []}
    text = as_markdown(document(server="", access=access))
    assert "without a cluster, with these changes" in text
    assert "| `a` | `ServiceAccount default` | `quay.io as robot` | `pull` | - | - |" in text


def test_a_namespace_does_not_hide_the_breaks_and_tasks_of_others() -> None:
    many = [container(namespace="a", name=f"web-{number}") for number in range(60)]
    others = [container(namespace=name) for name in ("b", "c")]
    lines = as_markdown(document(*many, *others)).splitlines()
    rows = [line for line in lines if line.startswith("| `") and "Deployment" in line]
    assert len(rows) == 25
    assert [line.split(",")[0] for line in rows[-2:]] == ["| `b`", "| `c`"]
    assert "and 37 more containers, in the JSON document" in lines


def test_a_comparison_names_the_other_inventory() -> None:
    assert "This is instead of another inventory: `1 entry of secrets`" in as_markdown(
        document(against="1 entry of secrets")
    )


def made(found: dict[str, Any], *failing: str) -> ElementTree.Element:
    return check(as_junit(found, failing or ("would_break",)))


def results(root: ElementTree.Element) -> list[str]:
    return [case[0].tag if len(case) else "passed" for case in root.findall("*/testcase")]


def test_a_break_fails_and_an_unknown_answer_is_skipped() -> None:
    found = document(*map(container, ANSWERS))
    assert results(made(found)) == ["failure", "skipped", "passed", "passed", "passed"]
    assert results(made(found, "would_break", "unknown")) == ["failure", "failure", "passed", "passed", "passed"]


def test_a_failure_has_the_reason_the_moment_the_cause_and_the_work() -> None:
    found = document(container(changes=[1]), changes=[change("one"), change("two")])
    root = made(found)
    (suite,) = root
    assert suite.get("name") == suite.get("hostname") == "https://api.production.example.com:6443"
    (case,) = suite.findall("testcase")
    assert case.get("name") == "Deployment web, container app"
    assert case.get("classname") == "https://api.production.example.com:6443.shop"
    failure = case[0]
    assert failure.get("type") == "would break"
    assert failure.get("message") == found["containers"][0]["after"]["reason"]
    assert (failure.text or "").splitlines() == [
        "image: quay.io/team/app:1",
        "before: pulls: secret pull has the key quay.io, and the registry accepts the login",
        f"after: cannot pull: {failure.get('message')}",
        "breaks: when the next pod is created: the next pod that is created does not get the image",
        "change: two",
        "to do: Link a pull secret to a service account",
    ]


def test_passed_cases_that_need_attention_are_in_the_output() -> None:
    found = document(*map(container, ANSWERS), unreadable=["nodes could not be listed"])
    root = made(found)
    output = (root[0].findtext("system-out") or "").splitlines()
    assert output[:2] == ["1 of 5 containers would no longer get its image.", "change 1: secret pull is deleted"]
    assert [line.partition(":")[0] for line in output[2:]] == ["still broken", "would work"]
    assert results(root)[-1] == "skipped"
    assert root.findall("*/testcase")[-1][0].get("message") == "nodes could not be listed"


def test_a_change_without_an_effect_is_in_the_output() -> None:
    output = made(document(changes=[change("one", no_effect="check its names: one")]))[0].findtext("system-out") or ""
    assert output.splitlines()[2] == "Change 1 affects nothing that was read: check its names: one."


def test_a_forecast_is_a_case_that_fails_if_unknown_answers_do() -> None:
    found = document(container("still_pulls"), forecasts=["a rule: more"])
    assert results(made(found)) == ["passed", "skipped"]
    root = made(found, "would_break", "unknown")
    assert results(root) == ["passed", "failure"]
    case = root.findall("*/testcase")[-1]
    assert (case.get("name"), case[0].get("message")) == ("forecast: 1", "a rule: more")


@pytest.mark.parametrize("text", ["</testcase><b/>", "\x00\x1b[31m", "\ud800", "]]>", "\u202e"])
def test_a_hostile_text_stays_text(text: str) -> None:
    assert results(made(hostile(text)))[:5] == ["failure", "skipped", "passed", "passed", "passed"]


def test_gains_and_losses_are_cases_that_pass_and_doubts_are_skipped() -> None:
    access = {"gained": [ACCESS], "lost": [], "unknown": ["it is not known"], "unplanned": []}
    cases = made(document(access=access)).findall("*/testcase")
    assert [(case.get("name"), len(case)) for case in cases] == [
        ("gained: ServiceAccount default: quay.io as robot, by pull", 0),
        ("access review: 1", 1),
    ]


def test_containers_that_are_not_affected_are_one_case() -> None:
    cases = made(document(container("still_pulls"), others=70)).findall("*/testcase")
    assert [case.get("name") for case in cases] == ["Deployment web, container app", "70 containers are not affected"]


def test_an_answer_that_registries_may_decide_fails_if_a_break_does() -> None:
    rows = [container("unknown", not_asked=True), container("unknown")]
    root = made(document(*rows), "would_break", "not_asked")
    assert results(root) == ["failure", "skipped"]
    assert "Registries were not asked" in (root.findtext("*/system-out") or "")
    assert results(made(document(*rows), "would_break")) == ["skipped", "skipped"]


def test_everything_without_an_answer_fails_if_unknown_does() -> None:
    unplanned = [{"namespace": "a", "entry": "", "reason": "gone"}]
    access = {"gained": [], "lost": [], "unknown": ["it is not known"], "unplanned": unplanned}
    unread = {"unreadable": ["no nodes", "no catalogs"], "unread_images": ["no catalogs"]}
    found = document(access=access, unread_workloads=["shop"], **unread)
    assert results(made(found)) == ["failure", "skipped", "skipped", "skipped"]
    root = made(found, "would_break", "unknown")
    assert results(root) == ["failure", "failure", "skipped", "failure", "failure"]
    case = root.findall("*/testcase")[-1]
    assert case.get("classname") == "https://api.production.example.com:6443.shop"
    assert case[0].get("message") == "the pods or workloads could not be read, so containers can be missing"


def test_a_comparison_without_a_cluster_has_a_file_as_well() -> None:
    access = {"gained": [ACCESS], "lost": [], "unknown": [], "unplanned": []}
    (case,) = made(document(server="", access=access)).findall("*/testcase")
    assert case.get("classname") == "without a cluster.a.access"
