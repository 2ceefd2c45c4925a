# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page shows names and texts of a cluster as text in every place, and runs nothing in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    compare_documents,
    merge_documents,
)
from support import audits, what_ifs
from support.pages import VIEWS, Watched, written

#: The visible part of each text.
NAMES = {
    "<script>window.hacked=1</script>": "<script>window.hacked=1</script>",
    "</script><img src=x onerror=window.hacked=1>": "</script><img src=x onerror=window.hacked=1>",
    "\"'><svg onload=window.hacked=1>": "\"'><svg onload=window.hacked=1>",
    "__proto__": "__proto__",
    "constructor": "constructor",
    "a\u202eb\u200fc\u2066d": "a⟨U+202E⟩b⟨U+200F⟩c⟨U+2066⟩d",
    "\u05d0\u05d1\u05d2-1": "\u05d0\u05d1\u05d2-1",
    "{{ 7*7 }} ${7*7} <!--slot:data--> $& \\u003c": "{{ 7*7 }} ${7*7} <!--slot:data--> $& \\u003c",
    "javascript:window.hacked=1": "javascript:window.hacked=1",
}
#: Those of each way out of a text: out of a script, out of an attribute, and by the order of characters.
OFTEN = ("</script><img src=x onerror=window.hacked=1>", "\"'><svg onload=window.hacked=1>", "a\u202eb\u200fc\u2066d")
KEPT = {"id", "severity", "made", "format"}


def document(text: str) -> dict[str, Any]:
    """A document in which every text of a cluster or an audit is `text`."""

    def hostile(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: part if name in KEPT else hostile(part) for name, part in value.items()}
        if isinstance(value, list):
            return [hostile(part) for part in value]
        return text if isinstance(value, str) else value

    cluster = audits.cluster(
        findings=[audits.finding(), audits.finding(name="b")],
        unreadable=["x"],
        target_version="x",
        matrix={"registries": ["x"], "accounts": [{"namespace": "x", "name": "x", "registries": [0]}]},
        pullers=[{"project": "x", "subject": "x", "namespace": "x", "binding": "x"}],
        logins=[audits.login("x/x")],
    )
    (login,) = hostile(cluster["logins"])
    # A second place for the login, because the page does not show a login with a single place.
    logins = [login, {**login, "secret": f"{text}-2"}]
    source = {
        **audits.document({**hostile(cluster), "logins": logins}),
        "rules": {text: {**hostile(audits.RULES["secret-type-dead"]), "severity": "error"}},
    }
    before = {
        **source,
        "clusters": [{**hostile(cluster), "findings": [{**hostile(audits.finding(name="c")), "id": "c" * 16}]}],
    }
    return compare_documents(
        merge_documents({"a": source}, missing=[{"name": text, "error": text}]), merge_documents({"b": before})
    )


@pytest.mark.parametrize(
    "text",
    [pytest.param(text, marks=[] if text in OFTEN else [pytest.mark.slow]) for text in NAMES],
    ids=range(len(NAMES)),
)
def test_a_hostile_name_is_shown_as_text_in_every_view(
    watch: Callable[..., Watched], tmp_path: Path, text: str
) -> None:
    watched = watch(written(tmp_path / "a.html", document(text), text, [what_ifs.hostile(text)]))
    for view in VIEWS:
        page = watched.open(f"view={view}")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        page.wait_for_timeout(50)
        shown = page.evaluate("view => document.getElementById(`view-${view}`).textContent", view)
        assert " ".join(NAMES[text].split()) in " ".join(shown.split()), view
        assert page.evaluate("[window.hacked, ({}).hacked, document.images.length]") == [None, None, 0]
        assert (
            page.evaluate(
                "[...document.querySelectorAll('a')].filter(one => !one.getAttribute('href').startsWith('#')).length"
            )
            == 0
        )
    assert watched.text("h1") == NAMES[text]


@pytest.mark.parametrize("has_program", [True, False])
def test_thousands_of_hostile_namespaces_are_one_cause(
    watch: Callable[..., Watched], tmp_path: Path, has_program: bool
) -> None:
    """The page shows the same groups with and without its program."""
    found = [audits.finding(namespace=f"<img src=x>{number:04}", name="<b>") for number in range(3000)]
    found.append(audits.finding(name="other"))
    path = written(tmp_path / "a.html", merge_documents({"a": audits.document(audits.cluster(findings=found))}))
    watched = watch(path, java_script_enabled=has_program)
    page = watched.open() if has_program else watched.page
    if not has_program:
        page.goto(path.as_uri())
    page.locator(".rule summary").first.click()
    causes = page.locator(".rule .examples > li")
    assert causes.count() == 2
    objects = causes.first.locator(".others > li").all_inner_texts()
    assert [" ".join(text.split()) for text in (*objects[:2], *objects[-2:])] == [
        "Also:", "Secret <img src=x>0001/<b>", "Secret <img src=x>0010/<b>", "and 2,989 more",
    ]  # fmt: skip
    assert causes.last.locator(".others").count() == 0


def test_a_fix_that_looks_like_a_template_is_not_offered(watch: Callable[..., Watched], tmp_path: Path) -> None:
    text = "{{ lookup('pipe', 'id') }}"
    finding = audits.finding(fix=[{"name": text, "openshift_ops.image_pull.pull_secret": {"name": text}}])
    watched = watch(
        written(tmp_path / "a.html", merge_documents({"a": audits.document(audits.cluster(findings=[finding]))}))
    )
    page = watched.open("view=findings")
    page.locator("#findings .fix summary").first.click()
    # The page writes the fix at the event of the open element, which follows the click.
    page.locator("#findings .fix").first.get_by_text("no task is offered, because the task is unusual").wait_for()
    assert page.locator("#findings .fix pre").count() == 0


def test_the_search_text_is_not_a_pattern(watch: Callable[..., Watched], tmp_path: Path) -> None:
    found = [audits.finding(name="a.c"), audits.finding(name="abc")]
    watched = watch(
        written(tmp_path / "a.html", merge_documents({"a": audits.document(audits.cluster(findings=found))}))
    )
    watched.open("view=findings&q=a.c")
    assert watched.text("#found") == "1 of 2 findings"
    watched.open("view=findings&q=(%5B*")
    assert watched.text("#found") == "0 of 2 findings"
