# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The static page is complete and safe before its program runs, and its data loses nothing. For the rest, tests/report uses Chromium."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.text import escape_invisible
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.fixes import offer_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    all_findings,
    compare_documents,
    merge_documents,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.page import (
    as_data,
    as_page,
    count_answers,
    embed_json,
    group_by_cause,
    name_answers,
    questions_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.report_page import page_renderer
from hypothesis import given
from hypothesis import strategies as st
from support import audits, what_ifs
from support.what_ifs import ACCESS, ANSWERS, change, container, document

VOID = {"meta", "rect", "input", "br"}


class Page(HTMLParser):
    """Collect the text and the attributes of each element, and check that all elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.content: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.content.setdefault(self.open[-1] if self.open else "", []).append(data)
        if not {"script", "style"} & {*self.open}:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def page(document: dict[str, Any], title: str = "Pull access") -> tuple[Page, str]:
    text = as_page(document, title, page_renderer())
    return Page(text), text


def report(*clusters: Any) -> dict[str, Any]:
    return merge_documents({"a": audits.document(*clusters)})


FLEET = report(audits.lived_in("production"), audits.lived_in("staging"))


def test_the_policy_lets_nothing_else_run() -> None:
    made, text = page(FLEET)
    (policy,) = (
        attributes["content"] or ""
        for tag, attributes in made.found
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert (len(style), len(scripts)) == (1, 1)

    def digest(content: str) -> str:
        return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest(style[0])}'; script-src 'sha256-{digest(scripts[0])}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_page_needs_nothing_from_elsewhere() -> None:
    made, text = page(FLEET)
    assert {tag for tag, _attributes in made.found} & {"link", "img", "iframe", "object", "embed", "base"} == set()
    names = {name for _tag, attributes in made.found for name in attributes}
    assert names & {"src", "srcset", "style", "action", "background"} == set()
    assert not [name for name in names if name.startswith("on")]
    assert all((attributes.get("href") or "#").startswith("#") for _tag, attributes in made.found)
    assert "url(" not in text and "@import" not in text


def test_inserted_text_is_not_a_template() -> None:
    made, _text = page(report(audits.cluster("{{ data }}{% for %}{#")), "{{ program }}")
    assert "{{ data }}{% for %}{#" in made.text
    assert made.content["h1"] == made.content["title"] == ["{{ program }}"]


def test_the_summary_shows_counts_and_rules() -> None:
    text = page(FLEET)[0].text
    errors = [
        finding for cluster in FLEET["clusters"] for finding in cluster["findings"] if finding["severity"] == "error"
    ]
    assert f"{len(errors)} errors, " in text
    assert "Audited 2026-11-25 17:10 UTC 2 clusters forecast for 4.21" in text
    verdicts = [cluster["verdicts"] for cluster in FLEET["clusters"]]
    containers = sum(sum(each.values()) for each in verdicts)
    failing = sum(each["will_not_pull"] for each in verdicts)
    assert f"{failing} of {containers} containers cannot pull their image." in text
    for rule in {finding["rule"] for cluster in FLEET["clusters"] for finding in cluster["findings"]}:
        assert audits.RULES[rule]["title"] in text
        assert audits.RULES[rule]["meaning"] in text
        assert audits.RULES[rule]["fix"] in text


def test_a_report_without_findings_has_its_own_text() -> None:
    text = page(report(audits.cluster(verdicts={"pulls": 0, "untested": 3, "will_not_pull": 0, "unknown": 0})))[0].text
    assert "No finding. No container is known to fail: 3 with a login (not tested)." in text
    assert "Nothing was found." in text
    one = page(report(audits.cluster(verdicts={"pulls": 0, "untested": 0, "will_not_pull": 1, "unknown": 0})))[0].text
    assert "No finding. 1 of 1 container cannot pull their image." in one
    assert "Everything that the audit needed could be read." in text
    text = page(report(audits.cluster(verdicts={"pulls": 0, "untested": 0, "will_not_pull": 0, "unknown": 0})))[0].text
    assert "container is known" not in text


def test_the_first_findings_are_shown_with_their_fix() -> None:
    found = [audits.finding(name=f"pull-{number}") for number in range(7)]
    text = page(report(audits.cluster(findings=found)))[0].text
    assert text.count("has type Opaque") == 5
    assert text.count("openshift_ops.image_pull.pull_secret:") == 5
    assert "and 2 more" in text


def test_findings_of_one_cause_are_shown_once_with_their_objects() -> None:
    """The largest group comes first. A cause can be in several clusters."""
    found = [
        audits.finding(name="other"),
        *(audits.finding(namespace=f"project-{number:04}") for number in range(3000)),
    ]
    text = page(report(audits.cluster("a", findings=found), audits.cluster("b", findings=found[:2])))[0].text
    assert text.count("has type Opaque") == 2
    first = text.index("secret project-0000/pull has type Opaque")
    assert first < text.index("secret project-a/other has type Opaque")
    assert "Also: a Secret project-0001/pull a Secret project-0002/pull" in text
    assert "a Secret project-0010/pull and 2,990 more" in text
    assert "Also: b Secret project-a/other" in text


def test_names_in_a_group_are_not_markup() -> None:
    hostile = [audits.finding(namespace=f"<b>{number}</b>\u202e", name="<script>") for number in range(3)]
    made, text = page(report(audits.cluster(findings=hostile)))
    assert "Secret <b>2</b>⟨U+202E⟩/<script>" in made.text
    assert "<b>2" not in text


def test_clusters_are_shown_with_the_worst_first() -> None:
    clusters = [
        audits.cluster(name, findings=[audits.finding(rule)])
        for name, rule in (("a", "secret-unused"), ("b", "secret-type-dead"))
    ]
    text = page(report(*clusters))[1]
    assert text.index('data-cluster="1"') < text.index('data-cluster="0"')


def test_new_and_gone_findings_are_counted() -> None:
    before = report(audits.cluster("a", findings=[audits.finding(name="old")]))
    now = report(audits.cluster("a", findings=[audits.finding(name="new")]), audits.cluster("b"))
    made, _text = page(compare_documents(now, before))
    assert "1 new, 1 gone" in made.text
    assert "not compared" in made.text
    assert ("body", {"class": "compared"}) in made.found
    assert ("body", {"class": "single"}) in page(before)[0].found


def test_old_audits_are_reported() -> None:
    documents = {
        "a": audits.document(audits.cluster("a")),
        "b": audits.document(audits.cluster("b"), made="2026-11-01T00:00:00Z"),
    }
    assert "Audited between 2026-11-01 00:00 UTC and 2026-11-25 17:10 UTC" in page(merge_documents(documents))[0].text


def test_clusters_without_an_audit_are_reported_at_the_head() -> None:
    missing = [{"name": "edge", "error": "login <refused>"}]
    assert (
        "1 cluster is missing: its audit failed. edge : login <refused>"
        in page(merge_documents({"a": audits.document()}, missing=missing))[0].text
    )
    assert (
        "2 clusters are missing: their audits failed."
        in page(merge_documents({"a": audits.document()}, missing=missing * 2))[0].text
    )
    text = page(merge_documents({"a": audits.document()}, missing=missing * 7))[0].text
    assert (text.count("login <refused>"), "and 2 more" in text) == (7, True)
    assert "missing:" not in page(report(audits.cluster()))[0].text


def test_unreadable_objects_are_shown() -> None:
    assert "secrets: forbidden" in page(report(audits.cluster(unreadable=["secrets: forbidden"])))[0].text


HOSTILE = "<script>alert(1)</script>\"'></style><!--&\u202e\u0000]]>"


def test_hostile_text_is_shown_as_text() -> None:
    """With hostile texts everywhere, the page has the same elements as with harmless ones."""

    def hostile(value: Any, text: str) -> Any:
        if isinstance(value, dict):
            return {name: part if name in KEPT else hostile(part, text) for name, part in value.items()}
        if isinstance(value, list):
            return [hostile(part, text) for part in value]
        return text if isinstance(value, str) else value

    def elements(text: str) -> list[tuple[str, list[str]]]:
        source = audits.document(
            hostile(audits.cluster(findings=[audits.finding()], unreadable=["a"], version="1"), text)
        )
        source["rules"] = {text: {**hostile(audits.RULES["secret-type-dead"], text), "severity": "error"}}
        made, written = page(merge_documents({"a": source}), text)
        assert "<script>alert" not in written
        assert "\u202e" not in written
        return [(tag, sorted(attributes)) for tag, attributes in made.found]

    assert elements(HOSTILE) == elements("harmless")


KEPT = {"id", "severity", "made"}


def test_the_data_is_json() -> None:
    text = page(FLEET)[1]
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert len(json.loads(data)["clusters"]) == 2


SEVERITIES = ("error", "warning", "info")


def read(data: dict[str, Any], table: str = "findings") -> list[dict[str, Any]]:
    """Restore the rows of a table in the same way as page.js."""
    names, texts, columns = data["names"], data["texts"], data[table]
    rows = []
    for at in range(len(columns["rule"])):
        own = {name: names[columns[name][at]] for name in ("namespace", "kind", "name", "location")}
        references = (own["namespace"], own["name"], own["location"])
        filled = {
            name: "".join(references[part] if isinstance(part, int) else part for part in texts[columns[name][at]])
            for name in ("message", "effect", "fix")
        }
        cluster = columns["cluster"][at]
        rows.append(
            {
                **own,
                **filled,
                "cluster": data["clusters"][cluster]["name"] if cluster >= 0 else "",
                "rule": data["rules"][columns["rule"][at]]["id"],
                "severity": SEVERITIES[columns["severity"][at]],
                "new": columns["new"][at],
            }
        )
    return rows


def meant(cluster: str, finding: dict[str, Any]) -> dict[str, Any]:
    texts = {
        name: escape_invisible(finding[name]) for name in ("namespace", "kind", "name", "location", "message", "rule")
    }
    new = int(finding.get("new", False))
    return {
        **texts,
        "effect": escape_invisible(offer_of(finding).notes),
        "fix": offer_of(finding).text,
        "cluster": escape_invisible(cluster),
        "severity": finding["severity"],
        "new": new,
    }


def check(document: dict[str, Any]) -> dict[str, Any]:
    data = json.loads(embed_json(as_data(document)))
    assert read(data) == [meant(cluster, finding) for cluster, finding in all_findings(document)]
    return data


def test_the_findings_of_a_fleet_survive_the_encoding() -> None:
    check(merge_documents({"a": audits.fleet(3, 30, 3.0)}))


names = st.text(st.sampled_from("ab/-01\u202e\ue000<&\u2028\x00é\U0001f600"), max_size=8)


@given(st.lists(st.tuples(names, names, names, st.text(max_size=30)), max_size=4))
def test_any_names_and_texts_survive_the_encoding(rows: list[tuple[str, str, str, str]]) -> None:
    """Names may be part of each other, or consist of digits."""
    found = []
    for at, (namespace, name, about, text) in enumerate(rows):
        message = f"{namespace}/{name} {about}{text}{name}".encode("utf-8", "ignore").decode()
        found.append(audits.finding(namespace=namespace, name=name, location=about, message=message, id=f"{at:016x}"))
    check(merge_documents({"a": audits.document(audits.cluster(findings=found))}))


class TestCauses:
    """Findings have one cause if they have one rule and differ only in the names of objects."""

    DIFFERS = "Secret {0}/{1} has a different password for a login for quay.io than 5 other entries"

    def groups(self, *found: Any) -> list[list[str]]:
        """Return the namespaces of each group."""
        groups = group_by_cause([("c", finding) for finding in found])
        return [[finding["namespace"] for _cluster, finding in group] for group in groups]

    def differs(self, namespace: str, name: str = "quay", location: str = "quay.io", **more: Any) -> Any:
        message = self.DIFFERS.format(namespace, name)
        own = {"namespace": namespace, "name": name, "location": location, "message": message}
        return audits.finding(**{"rule": "copies", **own, **more})

    def test_findings_about_one_registry_are_grouped_for_all_secrets(self) -> None:
        found = [self.differs("team-a"), self.differs("b"), self.differs("c", name="x"), self.differs("quay")]
        assert self.groups(*found) == [["team-a", "b", "c", "quay"]]

    def test_without_a_part_the_name_of_the_object_counts(self) -> None:
        found = [
            self.differs("a", location=""),
            self.differs("b", location="", name="x"),
            self.differs("c", location=""),
        ]
        assert self.groups(*found) == [["a", "c"], ["b"]]
        assert self.groups(self.differs("a", location="x", name="y"), self.differs("b", location="", name="x")) == [
            ["a"],
            ["b"],
        ]

    @pytest.mark.parametrize(
        "other",
        [{"location": "ghcr.io"}, {"rule": "other"}, {"severity": "info"}, {"kind": "Pod"}, {"message": "x"}],
        ids=str,
    )
    def test_other_facts_are_another_cause(self, other: Any) -> None:
        assert self.groups(self.differs("a"), self.differs("b", **other), self.differs("c")) == [["a", "c"], ["b"]]

    def test_groups_are_those_of_the_page(self) -> None:
        """The program of the page groups the rows of one rule and severity by their kind, message and part or name."""
        document = merge_documents({"a": audits.fleet(3, 40, 4.0)})
        found = list(all_findings(document))
        table = json.loads(embed_json(as_data(document)))["findings"]
        rows: dict[Any, list[Any]] = {}
        for at, each in enumerate(found):
            about = ("part", table["location"][at]) if each[1]["location"] else ("name", table["name"][at])
            key = (table["rule"][at], table["severity"][at], table["kind"][at], table["message"][at], about)
            rows.setdefault(key, []).append(each)
        assert group_by_cause(found) == sorted(rows.values(), key=len, reverse=True)
        assert len(rows) < len(found) / 2


def test_a_gone_finding_keeps_its_rule_that_is_no_longer_applied() -> None:
    old = audits.document(audits.cluster(findings=[audits.finding()]))
    now = merge_documents({"a": audits.document(audits.cluster(), rules={})})
    data = json.loads(embed_json(as_data(compare_documents(now, old))))
    assert [row["message"] for row in read(data, "gone")] == [audits.finding()["message"]]
    assert data["rules"][0]["title"] == audits.RULES["secret-type-dead"]["title"]


def test_names_are_in_natural_order() -> None:
    found = [audits.finding(namespace=name) for name in ("p10", "P2", "a")]
    data = check(merge_documents({"a": audits.document(audits.cluster(findings=found))}))
    assert [name for name in data["names"] if name in ("p10", "P2", "a")] == ["a", "P2", "p10"]


def test_the_matrix_survives_the_encoding() -> None:
    clusters = [
        audits.cluster(
            name,
            matrix={
                "registries": keys,
                "accounts": [
                    {"namespace": "n", "name": "default", "registries": [1, 0, 1]},
                    {"namespace": "b", "name": "x", "registries": []},
                ],
            },
        )
        for name, keys in (("a", ["quay.io", "docker.io"]), ("b", ["ghcr.io", "quay.io"]))
    ]
    data = as_data(merge_documents({"a": audits.document(*clusters)}))
    matrix, found = data["matrix"], data["names"]
    rows = {}
    for at in range(len(matrix["cluster"])):
        cells = matrix["cells"][matrix["start"][at] : matrix["start"][at + 1]]
        key = (matrix["cluster"][at], found[matrix["namespace"][at]], found[matrix["account"][at]])
        rows[key] = {found[matrix["registries"][cell]] for cell in cells}
    assert rows == {
        (0, "b", "x"): set(),
        (0, "n", "default"): {"quay.io", "docker.io"},
        (1, "b", "x"): set(),
        (1, "n", "default"): {"ghcr.io", "quay.io"},
    }
    assert list(rows) == sorted(rows)


def test_pullers_and_logins_survive_the_encoding() -> None:
    cluster = audits.lived_in("production")
    data = as_data(merge_documents({"a": audits.document(cluster)}))
    found = [
        {name: data["names"][value[at]] for name, value in data["pullers"].items() if name != "cluster"}
        for at in range(len(cluster["pullers"]))
    ]
    assert found == cluster["pullers"]
    assert {data["names"][at] for at in data["logins"]["login"]} == {"login 1"}


def test_embedded_text_never_ends_the_element() -> None:
    text = embed_json({"a": "</script><!--<script>&\u2028\u2029"})
    assert not {"<", ">", "&", "\u2028", "\u2029"} & {*text}
    assert json.loads(text) == {"a": "</script><!--<script>&\u2028\u2029"}


def test_each_text_is_stored_once() -> None:
    many = [audits.finding(namespace=f"project-{number:05}", name="pull-secret") for number in range(2000)]
    data = as_data(merge_documents({"a": audits.document(audits.cluster(findings=many))}))
    assert len(data["texts"]) == 3
    assert len(embed_json(data)) < 110 * len(many)
    many = [audits.finding(location=f"r{at:05}.io", message=f"the entry for r{at:05}.io is wrong") for at in range(20)]
    data = as_data(merge_documents({"a": audits.document(audits.cluster(findings=many))}))
    assert len(data["texts"]) == 3
    # The name begins with the name of its namespace.
    many = [audits.finding(namespace="pull", name=f"pull-{number:05}") for number in range(20)]
    data = as_data(merge_documents({"a": audits.document(audits.cluster(findings=many))}))
    assert len(data["texts"]) == 3


def test_the_rows_of_an_access_review_survive_the_encoding() -> None:
    users = [f"Deployment web-{number}" for number in range(25)]
    gained = {**what_ifs.ACCESS, "workloads": users, "changes": [1], "name": "a\u202eb"}
    lost = {**what_ifs.ACCESS, "how": "grant", "project": "images", "through": ["one", "two"], "entries": ["links[0]"]}
    access = {**what_ifs.document()["access"], "gained": [gained], "lost": [lost]}
    answer = {
        **what_ifs.document(access=access, changes=[what_ifs.change("one"), what_ifs.change("two")]),
        "name": "production",
    }
    data = as_data(merge_documents({"a": audits.document(audits.cluster())}), [answer])
    table, names = data["access"], data["names"]
    assert (table["question"], table["effect"]) == ([0, 0], [0, 1])
    columns = ("namespace", "holder", "target", "through", "users", "entries", "change")
    assert [[names[table[column][row]] for column in columns] for row in (0, 1)] == [
        [
            "a",
            "ServiceAccount a⟨U+202E⟩b",
            "quay.io as robot",
            "pull",
            f"{', '.join(users[:20])} and 5 more",
            "",
            "two",
        ],
        ["images", "ServiceAccount a/default", "image streams of project images", "one, two", "", "links[0]", "one"],
    ]


def test_the_rows_of_an_answer_survive_the_encoding() -> None:
    """The names of the workload are positions in its sentences."""
    rows = [
        what_ifs.container(each, name=f"{each}-workload", advice=f"see {each}-workload") for each in what_ifs.ANSWERS
    ]
    answer = {
        **what_ifs.document(*rows, changes=[what_ifs.change("one"), what_ifs.change("two")]),
        "name": "production",
    }
    data = as_data(merge_documents({"a": audits.document(audits.cluster())}), [answer])
    table, names, texts = data["what_if"], data["names"], data["texts"]
    verdicts = ("pulls", "unknown", "will_not_pull")
    for at, row in enumerate(rows):
        own = [names[table[name][at]] for name in ("namespace", "name", "location")]
        before, after, moment, cause, advice = (
            "".join(own[part] if isinstance(part, int) else part for part in texts[table[name][at]])
            for name in ("before_reason", "after_reason", "moment", "cause", "advice")
        )
        is_broken = row["answer"] == "would_break"
        assert own == ["shop", row["name"], "container app"]
        assert (verdicts[table["before"][at]], before) == (row["before"]["verdict"], row["before"]["reason"])
        assert (verdicts[table["after"][at]], after) == (row["after"]["verdict"], row["after"]["reason"])
        assert moment.endswith(row["when_reason"]) and bool(moment) == is_broken
        assert (cause, advice) == ("one" if is_broken else "", row["advice"])


def test_counts_are_added() -> None:
    both = [document(*map(container, ANSWERS)), document(container(), others=4)]
    assert count_answers(both) == {
        "would_break": 2,
        "unknown": 1,
        "still_broken": 1,
        "would_work": 1,
        "still_pulls": 1,
        "not_affected": 4,
    }


def test_an_answer_has_the_name_of_its_cluster_or_its_server() -> None:
    other = document(server="https://other:6443")
    assert [each["name"] for each in name_answers([document(), other], [audits.cluster("production")])] == [
        "production",
        "https://other:6443",
    ]
    assert [each["name"] for each in name_answers([document(server="")], [])] == ["without a cluster"]


def test_the_first_breaks_are_examples() -> None:
    rows = [container(name=f"web-{number}", changes=[1]) for number in range(4)]
    changes = [change("one"), change("two")]
    (found,) = questions_of([document(container("unknown"), *rows, changes=changes)], 3)
    assert found["headline"] == "4 of 5 containers would no longer get their image."
    assert [example["name"] for example in found["examples"]] == [
        f"Deployment web-{number}, container app" for number in range(3)
    ]
    assert {example["cause"] for example in found["examples"]} == {"two"}
    assert found["broken"] == 4
    assert found["counts"][0] == ("would break", 4)
    assert found["facts"] == ["which pods will be created again"]


def test_the_first_breaks_are_those_of_each_namespace() -> None:
    rows = [container(name=f"web-{number}") for number in range(4)]
    (found,) = questions_of([document(*rows, container(namespace="b"))], 2)
    assert [example["row"]["namespace"] for example in found["examples"]] == ["shop", "b"]


def test_the_access_review_has_its_numbers_and_the_first_rows_of_each_namespace() -> None:
    gained = [{**ACCESS, "name": f"robot-{number}"} for number in range(4)]
    lost = [{**ACCESS, "namespace": "b", "how": "grant", "project": "images"}]
    unplanned = [{"namespace": "d", "entry": "", "reason": "gone"}]
    access = {"gained": gained, "lost": lost, "unknown": ["it is not known"], "unplanned": unplanned}
    (found,) = questions_of([document(access=access)], 2)
    assert found["access"] == {
        "gained": 4,
        "lost": 1,
        "examples": [
            {"effect": "gained", "place": "a", "holder": "ServiceAccount robot-0", "target": "quay.io as robot"},
            {
                "effect": "lost",
                "place": "images",
                "holder": "ServiceAccount b/default",
                "target": "image streams of project images",
            },
        ],
        "more": 3,
        "unplanned": ["d: all entries: gone"],
        "unknown": ["it is not known"],
    }
