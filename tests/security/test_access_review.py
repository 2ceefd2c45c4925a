# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a project user neither write into an access review nor hide the access of other projects from it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.outputs import as_markdown
from support.hostile_text import TEXTS
from support.objects import group_subject, role_binding, user_subject
from support.project_user import ProjectUser, auth_file

PASSWORD, THEIRS = "Canary-Word-7", "Theirs-Word-8"
QUAY = {"registry": "quay.io", "username": "reader", "password": PASSWORD}
MARKUP = "x`|<img src=x onerror=alert(1)>\\| @admin [l](http://e) \x1b[2J\u202e\n## Approved"
MANY = 120


@pytest.fixture
def owner(namespace):
    return f"team-{namespace}"


@pytest.fixture
def mallory(lab, namespace):
    """A project administrator who may also pull, so that she may give that right to others."""
    lab.create(namespace, "rolebindings", role_binding("hers", user_subject("mallory")))
    return ProjectUser.create(lab, "mallory", namespace)


def labels(owner: str) -> dict[str, Any]:
    return {"labels": {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": owner}}


def plant(mallory: ProjectUser, owner: str, text: str) -> None:
    """Create objects that look like the owner's, with the text wherever the API server takes it."""
    entries = {f"quay.io/{number}": (text, THEIRS) for number in range(MANY)}
    mallory.secret("planted", auth_file({text: (text, THEIRS), **entries}), metadata=labels(owner))
    account = {"metadata": {"name": "planted"}, "imagePullSecrets": [{"name": "planted"}]}
    mallory.create_object("serviceaccounts", account)
    groups = [group_subject(f"{text}{number}") for number in range(MANY)]
    mallory.create_object("rolebindings", role_binding("planted", *groups, **labels(owner)))


def review(run: Any, owner: str, *places: str) -> tuple[dict[str, Any], list[str], str]:
    """Return the review with its lines and its Markdown."""
    declared = {
        "secrets": [{"name": "quay", "namespaces": [*places], "registries": [QUAY]}],
        "links": [{"secrets": ["quay"], "namespaces": [*places]}],
        "grants": [{"projects": ["consumer"], "namespaces": [*places]}],
    }
    pruned = {"owner": owner, "prune": True, "max_prune": "100%"}
    result = run("pull_access_what_if", changes=[{"declared": {**declared, **pruned}}])
    assert not result["failed"], result["msg"]
    assert not {PASSWORD, THEIRS} & {word for word in (PASSWORD, THEIRS) if word in json.dumps(result)}
    access = result["what_if"]["access"]
    return access, result["text"], as_markdown(result["what_if"])


@pytest.mark.parametrize("text", [MARKUP, *TEXTS[:3]], ids=lambda _text: "text")
def test_text_of_a_user_is_only_shown_as_text(run, mallory, namespaces, owner, text):
    (victim,) = namespaces(1)
    plant(mallory, owner, text)
    access, lines, markdown = review(run, owner, mallory.namespace, victim)
    assert len([row for row in access["lost"] if row["namespace"] == mallory.namespace]) >= MANY
    for line in (*lines, *markdown.split("\n")):
        assert line.isprintable()
        assert not line.startswith(("## Approved", "<"))
    section = markdown.partition("### Access review\n")[2].partition("\n### ")[0]
    cells = [cell for line in section.split("\n") if line.startswith("| `") for cell in line[2:-2].split(" | ")]
    assert cells
    assert len(cells) % 6 == 0
    assert all(re.fullmatch(r"`[^`]+`|-|[0-9]+ more", cell) for cell in cells)


def test_many_rows_of_a_user_do_not_hide_those_of_others(run, mallory, namespaces, owner):
    victims = namespaces(2)
    plant(mallory, owner, "x")
    access, lines, markdown = review(run, owner, *victims)
    gained = {(row["namespace"], row["registry"]) for row in access["gained"] if row["how"] == "login"}
    assert gained == {(victim, "quay.io") for victim in victims}
    for victim in victims:
        assert any(victim in line and ": ServiceAccount default: quay.io" in line for line in lines)
        assert any(victim in line and "quay.io" in line for line in markdown.splitlines())
    assert len(lines) < MANY


def test_an_entry_that_fails_in_a_project_of_a_user_does_not_fail_in_others(run, mallory, namespaces, owner):
    (victim,) = namespaces(1)
    mallory.secret("quay", "x", key="opaque")
    access, _lines, _markdown = review(run, owner, mallory.namespace, victim)
    assert {row["namespace"] for row in access["gained"] if row["how"] == "login"} == {victim}
    assert {each["namespace"] for each in access["unplanned"]} == {mallory.namespace}
