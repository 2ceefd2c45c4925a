# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a project user become events whose text Ansible never evaluates, and the events of other objects continue."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.extensions.eda.plugins.event_source import pull_access_objects
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.text import is_plain
from support.lab import Lab
from support.objects import role_binding
from support.playbooks import play
from support.project_user import ProjectUser

KINDS = ("Namespace", "ServiceAccount", "Secret", "RoleBinding")
#: Maximum time, in seconds, until the source reports the existing objects.
PATIENCE = 60
#: Each template writes its own file when Ansible evaluates it. Names contain neither '/' nor '%', so a shell variable holds the path.
TEMPLATES = (
    "{{ lookup('pipe', 'touch $D1') }}",
    "#jinja2:block_start_string:'[-',block_end_string:'-]'\n[- set x = lookup('pipe', 'touch $D2') -]",
    "#jinja2:variable_start_string:'[-',variable_end_string:'-]'\n[- lookup('pipe', 'touch $D3') -]",
    "#jinja2:variable_start_string:'<<',variable_end_string:'>>'\n<< lookup('pipe', 'touch $D4') >>",
    '#jinja2:line_statement_prefix:"!"\n! set x = lookup("pipe", "touch $D5")',
)
#: Text that is not a template for Ansible and not a valid name.
ODD = ("!unsafe x", "&anchor x", "*anchor", "- x", "a: b", "é", " ", "~", "x" * 300)


@pytest.fixture
def mallory(lab: Lab, namespace: str) -> ProjectUser:
    return ProjectUser.create(lab, "mallory", namespace)


def events_of(lab: Lab, until: Callable[[list[dict[str, Any]]], bool], **options: Any) -> list[dict[str, Any]]:
    """Return the source's events until `until` accepts them."""

    async def told() -> list[dict[str, Any]]:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        kinds = [{"kind": kind} for kind in KINDS]
        given = {"kubeconfig": str(lab.kubeconfig), "kinds": kinds, "batch_seconds": 0.3, **options}
        source = asyncio.create_task(pull_access_objects.main(queue, given))
        events: list[dict[str, Any]] = []
        try:
            while not until(events):
                events.append(await asyncio.wait_for(queue.get(), PATIENCE))
        finally:
            source.cancel()
        return events

    return asyncio.run(told())


def objects_of(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for event in events for one in event.get("objects", ())]


def test_no_text_of_a_project_user_is_evaluated(lab: Lab, mallory: ProjectUser, tmp_path: Path) -> None:
    names = [template.replace("$D", "$RAN-") for template in TEMPLATES]
    for name in (*names, *ODD):
        mallory.create_object("rolebindings", role_binding(name, role="view"))
    annotations = {f"example.com/{number}": text for number, text in enumerate(names)}
    account = {"metadata": {"name": "robot", "annotations": annotations, "labels": {"a": "b"}}}
    mallory.create_object("serviceaccounts", account)
    mallory.secret("robot", "{}", metadata={"annotations": annotations})

    def is_complete(events: list[dict[str, Any]]) -> bool:
        mine = [one for one in objects_of(events) if one["kind"] == "RoleBinding"]
        return len(mine) >= len(names) + len(ODD)

    events = events_of(lab, is_complete, namespaces=[mallory.namespace])
    assert all(is_plain(one["name"]) for one in objects_of(events))
    encoded = {one["name"].removeprefix("hex/") for one in objects_of(events) if one["name"].startswith("hex/")}
    assert {bytes.fromhex(name).decode("utf-8", "replace") for name in encoded} >= {*names, *ODD[:-1]}
    assert not ({*"{}#%\n"} & {*json.dumps(events, ensure_ascii=False).translate({ord("{"): None, ord("}"): None})})

    ran = tmp_path / "ran"
    seen = run({"event": {"objects": objects_of(events), "all": events}}, tmp_path / "events", ran)
    assert seen.status == 0 and [*tmp_path.glob("ran-*")] == [], seen.output
    # Without the event source, the same playbook evaluates the same text, so the attack works.
    raw = [{"kind": "RoleBinding", "name": name} for name in names]
    run({"event": {"objects": raw, "all": []}}, tmp_path / "raw", ran)
    assert [*tmp_path.glob("ran-*")], "the control evaluates"


def run(eda: dict[str, Any], directory: Path, ran: Path) -> Any:
    """Run a playbook as a rulebook does, with the event in its variables. It reads each object in the usual ways."""
    directory.mkdir()
    (directory / "vars.json").write_text(json.dumps({"ansible_eda": eda}))
    tasks = [
        {
            "name": "Show each object",
            "ansible.builtin.debug": {"msg": "{{ item.name }} {{ item.labels | default({}) }}"},
            "loop": "{{ ansible_eda.event.objects }}",
            "ignore_errors": True,
        },
        {"name": "Show all", "ansible.builtin.debug": {"var": "ansible_eda.event"}, "ignore_errors": True},
        {"name": "Set a fact", "ansible.builtin.set_fact": {"kept": "{{ ansible_eda.event['all'] }}"}},
        {"name": "Show the fact", "ansible.builtin.debug": {"msg": "{{ kept | to_json }}"}},
    ]
    book = directory / "play.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    return play(book, "localhost,", "-c", "local", "-e", f"@{directory / 'vars.json'}", RAN=str(ran))


def test_objects_of_a_project_user_do_not_crowd_out_those_of_others(
    lab: Lab, mallory: ProjectUser, namespaces: Callable[[int], list[str]]
) -> None:
    (victim,) = namespaces(1)
    large = {"metadata": {"annotations": {"a": "x" * 200_000}}}
    bodies = [
        merged(role_binding(f"r{number}", role="view"), large if number < 20 else {"metadata": {}})
        for number in range(220)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda body: mallory.create_object("rolebindings", body), bodies))

    def is_told(events: list[dict[str, Any]]) -> bool:
        return {victim, mallory.namespace} <= {name for event in events for name in event.get("namespaces", ())}

    events = events_of(lab, is_told, namespaces=[mallory.namespace, victim])
    mine = [one for one in objects_of(events) if one["namespace"] == mallory.namespace]
    assert len(mine) <= 200 and sum(event.get("omitted", 0) for event in events) >= 20
    assert any(one["namespace"] == victim and one["kind"] == "Namespace" for one in objects_of(events))
    assert len(json.dumps(events)) < 200_000


def merged(body: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], **more["metadata"]}}
