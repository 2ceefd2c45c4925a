# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every shipped or documented rulebook is valid for ansible-rulebook, and uses valid options of the source."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ansible_rulebook.rules_parser import parse_rule_sets
from ansible_rulebook.util import render_string_or_return_value
from ansible_rulebook.validators import Validate
from support.guides import Guide
from support.lab import Lab
from support.modules import run_module
from support.playbooks import ROOT

EDA = ROOT / "extensions/eda"
SOURCE = "pull_access_objects"
RETURNED = yaml.safe_load(runpy.run_path(str(EDA / f"plugins/event_source/{SOURCE}.py"))["RETURN"])
SCHEMA = json.loads((EDA / f"plugins/event_source/schemas/{SOURCE}.json").read_text(encoding="utf-8"))


def blocks(language: str) -> dict[str, str]:
    """The page's blocks that have a title, by title."""
    return {block.title: block.text for block in Guide("events").blocks if block.title and block.language == language}


RULEBOOKS = {
    **{path.name: path.read_text(encoding="utf-8") for path in (EDA / "rulebooks").glob("*.yml")},
    **{name: text for name, text in blocks("yaml").items() if name.startswith("rulebooks/")},
}


def test_the_rulebooks_are_found() -> None:
    shown = ["rulebooks/pull_access.yml", "rulebooks/pull_access_jobs.yml"]
    assert sorted(RULEBOOKS) == ["new_namespaces.yml", *shown]


@pytest.mark.parametrize("name", RULEBOOKS)
def test_a_rulebook_is_valid(name: str) -> None:
    rulesets = yaml.safe_load(RULEBOOKS[name])
    Validate.rulebook(rulesets)
    for parsed in parse_rule_sets(rulesets):
        for source in parsed.sources:
            assert source.source_name == f"openshift_ops.image_pull.{SOURCE}"
            given = {option: _shown(value) for option, value in source.source_args.items()}
            jsonschema.validate(given, SCHEMA)
        assert any(re.search("image_pull_only_namespaces|new_namespaces", str(rule.actions)) for rule in parsed.rules)


def test_the_job_template_comes_with_the_collection() -> None:
    """Its survey asks for the namespaces, because a controller drops variables that no survey asks for."""
    (rule,) = yaml.safe_load(RULEBOOKS["rulebooks/pull_access_jobs.yml"])[0]["rules"]
    job = rule["action"]["run_job_template"]
    templates = yaml.safe_load((ROOT / "extensions/awx/configuration/templates.yml").read_text())[
        "controller_templates"
    ]
    (template,) = [template for template in templates if template["name"] == job["name"]]
    given = job["job_args"]["extra_vars"]
    assert [*given] == [question["variable"] for question in template["survey_spec"]["spec"]] == ["new_namespaces"]


@pytest.mark.parametrize("names", [["team-a"], ["team-a", "team-b"], ["123"], ["0123", "1e5"], ["1-2j"], ["none"]])
def test_the_namespaces_reach_the_job_as_text(names: list[str]) -> None:
    """ansible-rulebook and Ansible convert a text that looks like a number. The prefix prevents this."""
    (rule,) = yaml.safe_load(RULEBOOKS["rulebooks/pull_access_jobs.yml"])[0]["rules"]
    template = rule["action"]["run_job_template"]["job_args"]["extra_vars"]["new_namespaces"]
    answer = render_string_or_return_value(template, {"event": {"namespaces": names}})
    assert isinstance(answer, str) and answer.split() == [f"namespace/{name}" for name in names]
    assert yaml.safe_load(answer) == answer


def test_the_documented_events_match_the_emitted_events(lab: Lab, tmp_path: Path) -> None:
    shown = json.loads(blocks("json")["objects"])
    with alone(tmp_path, lab.kubeconfig, {"batch_seconds": 0.1, "system_namespaces": True}) as events:
        connected, objects = next(events), next(events)
    assert shown.keys() == objects.keys()
    assert shown["objects"][0].keys() == next(one.keys() for one in objects["objects"] if "labels" in one)
    # Only an event of a failure has these.
    assert {*RETURNED} == connected.keys() | objects.keys() | {"message", "kind"}


def _shown(value: Any) -> Any:
    """The default of a template, which applies if the variable is not set."""
    found = re.fullmatch(r"\{\{ \w+ \| default\((.*)\) \}\}", value) if isinstance(value, str) else None
    return yaml.safe_load(found[1]) if found else value


def test_the_schema_refuses_invalid_options() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for wrong in (
        {"kinds": [{"kind": "Pod"}]},
        {"kinds": []},
        {"batch": 1},
        {"batch_size": 0},
        {"kinds": [{"changes": []}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA)


@contextmanager
def alone(path: Path, kubeconfig: str, options: dict[str, Any]) -> Iterator[Iterator[dict[str, Any]]]:
    """The events of the source, run by its path, without the collection on Python's path."""
    home = path / "ansible_collections" / "openshift_ops" / "image_pull"
    home.parent.mkdir(parents=True)
    home.symlink_to(ROOT)
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "K8S_AUTH_HOST")}
    command = [sys.executable, home / f"extensions/eda/plugins/event_source/{SOURCE}.py", json.dumps(options)]
    variables = {**clean, "K8S_AUTH_KUBECONFIG": kubeconfig}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield (json.loads(line) for line in process.stdout)
        finally:
            process.terminate()


def test_the_source_runs_alone_from_where_it_is_installed(lab: Lab, tmp_path: Path) -> None:
    with alone(tmp_path, lab.kubeconfig, {"batch_seconds": 0.1, "system_namespaces": True}) as events:
        first, second = next(events), next(events)
    assert (first["type"], first["cluster"]) == ("health", lab.data["server"])
    assert "kube-system" in second["namespaces"]


def test_a_deleted_pull_secret_is_reported(lab: Lab, namespace: str, tmp_path: Path) -> None:
    """The first rulebook of the page, with other names only: events contain only the metadata of the secret."""
    (shown,) = yaml.safe_load(RULEBOOKS["rulebooks/pull_access.yml"])[0]["sources"]
    options = {**shown[f"openshift_ops.image_pull.{SOURCE}"], "namespaces": [namespace], "kubeconfig": lab.kubeconfig}
    login = {"registry": "registry.example.com", "username": "u", "password": "Kx7-correct-horse"}
    made = run_module("pull_secret", kubeconfig=lab.kubeconfig, name="ours", namespaces=[namespace], registries=[login])
    assert made["changed"]
    lab.create(namespace, "secrets", {"metadata": {"name": "theirs"}})
    with alone(tmp_path, lab.kubeconfig, options) as events:
        assert next(events)["state"] == "connected"
        assert next(events)["namespaces"] == [namespace]
        for name in ("theirs", "ours"):
            lab.api("DELETE", f"/api/v1/namespaces/{namespace}/secrets/{name}")
        event = next(events)
    assert event["namespaces"] == [namespace]
    (found,) = event["objects"]
    assert (found["kind"], found["name"], found["change"]) == ("Secret", "ours", "deleted")
    assert {*found} <= {"kind", "namespace", "name", "change", "labels"}


def test_a_wrong_option_is_reported_and_ends_the_source(tmp_path: Path) -> None:
    command = [
        sys.executable,
        EDA / f"plugins/event_source/{SOURCE}.py",
        '{"batch_sice": 1, "api_key": "tok-en-of-mine"}',
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode != 0
    assert "batch_sice" in done.stderr
    assert "tok-en-of-mine" not in done.stdout + done.stderr
