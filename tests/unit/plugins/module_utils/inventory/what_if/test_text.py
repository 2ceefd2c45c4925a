# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text names each container that breaks, with the reason and the moment."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.outputs import lines_of
from support.supposed import document_about
from support.surveyed import account, deployment, place, pod, secret, survey
from support.what_ifs import ACCESS, change, container, document

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
        "The field what_if.images_to_mirror of the result has it for skopeo, regsync and oc-mirror.",
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
