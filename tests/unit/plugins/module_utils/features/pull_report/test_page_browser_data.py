# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the page restores the findings from the page's data without loss."""

from __future__ import annotations

import json
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
    embed_json,
    group_by_cause,
)
from hypothesis import given
from hypothesis import strategies as st
from support import audits, what_ifs

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
