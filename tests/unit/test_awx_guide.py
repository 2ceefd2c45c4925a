# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each snippet in the guide for AWX is in its file, and each name in the guide exists."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.awx_rules import EXTENSION, PROJECT, configuration
from support.guides import Guide

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/docsite/rst/awx.rst").read_text()
SNIPPETS = [(block.title, block.text) for block in Guide("awx").blocks if block.language == "yaml"]


def lines(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def stands_in(snippet: str, text: str) -> bool:
    """Return whether the text contains the lines as one block, with any indentation."""
    wanted = lines(snippet).splitlines()
    there = text.splitlines()
    parts = ("\n".join(there[start : start + len(wanted)]) for start in range(len(there) - len(wanted) + 1))
    return any(lines(part) == "\n".join(wanted) for part in parts)


def test_the_guide_has_snippets() -> None:
    assert len(SNIPPETS) == GUIDE.count("code-block:: yaml") == 3
    assert all(path.startswith("extensions/") for path, _snippet in SNIPPETS)


@pytest.mark.parametrize(("path", "snippet"), SNIPPETS)
def test_each_snippet_is_in_its_file(path: str, snippet: str) -> None:
    assert stands_in(snippet, (ROOT / path).read_text())


def test_a_snippet_that_differs_is_noticed() -> None:
    path, snippet = SNIPPETS[0]
    assert not stands_in(snippet.replace("1.0.0", "9.0.0"), (ROOT / path).read_text())


def test_names_and_files_in_the_guide_exist() -> None:
    """Check the names of AWX objects such as templates and credentials, and the paths of files."""
    found = configuration()
    names = {one["name"] for kind, objects in found.items() if kind.startswith("controller_") for one in objects}
    shown = {" ".join(name.split()) for name in re.findall(r"``(Image pull: [^`]+)``", GUIDE)}
    assert shown and shown <= names
    for path in re.findall(r"``(extensions/[^`]+)``", GUIDE):
        assert (ROOT / path).exists(), path


def test_the_readme_names_all_files_of_the_extension() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", (EXTENSION / "README.md").read_text(), re.MULTILINE)
    there = {path.name for path in EXTENSION.iterdir()} - {"README.md", "tasks"}
    assert {row.partition("/")[0] for row in rows} == there and all((EXTENSION / row).exists() for row in rows)


#: The variables that dispatch of infra.aap_configuration 3 takes (roles/dispatch/defaults/main.yml).
DISPATCHED = {
    "settings", "instances", "instance_groups", "organizations", "labels", "user_accounts", "teams", "credential_types", "credentials",
    "credential_input_sources", "notifications", "projects", "inventories", "inventory_sources", "execution_environments", "applications",
    "hosts", "bulk_hosts", "groups", "templates", "workflows", "schedules", "roles", "launch_jobs", "workflow_launch_jobs",
}  # fmt: skip
#: Its connection variables, which each of its roles for the controller has.
CONNECTION = {"aap_hostname", "aap_token", "aap_username", "aap_password", "aap_validate_certs"}
GALAXY = "Ansible Galaxy/Automation Hub API Token"


def test_the_other_collection_takes_the_same_variables() -> None:
    assert {f"``{name}``" for name in CONNECTION} == set(re.findall(r"``aap_\w+``", GUIDE))
    kinds = {name.removeprefix("controller_") for name in configuration() if not name.startswith("awx_")}
    assert kinds and kinds <= DISPATCHED
    files = [*EXTENSION.glob("configuration/*.yml")]
    assert files and not any(re.search(r"\baap_\w+:", path.read_text()) for path in files), (
        "the user sets the connection"
    )


def test_the_galaxy_credentials_of_the_organization_decide_where_the_collection_comes_from() -> None:
    """A source in the requirements would override them, and our configuration changes neither the organization nor its credentials."""
    assert "with the Galaxy credentials of the organization" in " ".join(GUIDE.split())
    wanted = yaml.safe_load((PROJECT / "collections" / "requirements.yml").read_text())["collections"]
    assert [sorted(one) for one in wanted] == [["name", "version"]]
    found = configuration()
    assert "controller_organizations" not in found
    assert GALAXY not in {one["credential_type"] for one in found["controller_credentials"]}


def test_each_secret_is_pasted_into_a_credential_with_the_prefix_of_the_guide() -> None:
    assert "the credentials whose names begin with ``Image pull``" in GUIDE
    assert all(one["name"].startswith("Image pull") for one in configuration()["controller_credentials"])


def test_the_inventories_look_like_playbooks_and_no_template_uses_them() -> None:
    files = [*(PROJECT / "inventory").glob("*.yml")]
    assert files and all(re.search(r"^\s*hosts:", path.read_text(), re.MULTILINE) for path in files)
    playbooks = {one["playbook"] for one in configuration()["controller_templates"]}
    assert not [name for name in playbooks if name.startswith("inventory")]


def test_a_launch_needs_answers_to_required_questions_without_a_default() -> None:
    """AWX lists them under `variables_needed_to_start`. The template that the guide launches first, and those of schedules, need none."""
    assert "``variables_needed_to_start``" in GUIDE
    found = configuration()
    needed = {
        one["name"]: {
            question["variable"] for question in one.get("survey_spec", {}).get("spec", ()) if is_needed(question)
        }
        for one in found["controller_templates"]
    }
    assert needed["Image pull: take down"] == {"teardown_confirmation"}
    assert needed["Image pull: rotate a login"] == needed["Image pull: rotate a login on many clusters"] != set()
    started = {"Image pull: check and diff", *(one["unified_job_template"] for one in found["controller_schedules"])}
    assert [name for name in started if needed[name]] == []


def is_needed(question: dict[str, Any]) -> bool:
    return question["required"] and question.get("default") in (None, "")


def test_the_schedules_are_those_of_the_guide() -> None:
    assert "``check and diff`` every night, an audit every Monday, and a set-up every hour" in " ".join(GUIDE.split())
    every = {
        one["unified_job_template"]: (one["rrule"], one["enabled"]) for one in configuration()["controller_schedules"]
    }
    shown = {
        name.removeprefix("Image pull: "): (re.findall("FREQ=[A-Z]+|BYDAY=[A-Z]+", rule), on)
        for name, (rule, on) in every.items()
    }
    assert shown == {
        "check and diff": (["FREQ=DAILY"], True),
        "audit": (["FREQ=WEEKLY", "BYDAY=MO"], True),
        "set up": (["FREQ=HOURLY"], False),
    }


def test_the_numbers_of_slices_and_forks_are_those_of_the_guide() -> None:
    assert "over four jobs with ten forks each" in " ".join(GUIDE.split())
    named = {one["name"]: one for one in configuration()["controller_templates"]}
    sliced = [one for name, one in named.items() if name.startswith("Image pull: set up many clusters")]
    assert [(one["job_slice_count"], one["forks"]) for one in sliced] == [(4, 10)] * 2
