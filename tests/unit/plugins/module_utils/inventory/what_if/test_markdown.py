# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comment has the answer, is bounded, and shows texts of a cluster only as code."""

from __future__ import annotations

import re
from html import unescape

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.outputs import as_markdown
from markdown_it import MarkdownIt
from support.hostile_text import TEXTS
from support.what_ifs import ACCESS, ANSWERS, change, container, document, hostile

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
