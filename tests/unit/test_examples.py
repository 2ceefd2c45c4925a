# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection accepts each documented example: all options exist, required ones are set, and none exclude each other."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml
from support.examples import problems_of, tasks_in
from support.rights_on_pages import JOBS_OF, notes_of

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
READMES = sorted((ROOT / "roles").glob("*/README.md"))


@pytest.mark.parametrize("module", MODULES)
class TestModules:
    def test_the_examples_of_a_module_have_valid_options(self, module: str) -> None:
        page = importlib.import_module(f"ansible_collections.openshift_ops.image_pull.plugins.modules.{module}")
        found = list(tasks_in(yaml.safe_load(page.EXAMPLES)))
        assert module in [name for name, _options in found]
        assert [(name, problems) for name, options in found if (problems := problems_of(name, options))] == []

    def test_the_page_of_a_module_documents_its_rights(self, module: str) -> None:
        page = importlib.import_module(f"ansible_collections.openshift_ops.image_pull.plugins.modules.{module}")
        notes = " ".join(yaml.safe_load(page.DOCUMENTATION).get("notes") or [])
        assert re.search(r"Rights needed|Optional rights|No right on the cluster|no right is needed", notes)


@pytest.mark.parametrize("module", JOBS_OF)
def test_the_rights_on_a_page_match_those_of_its_jobs(module: str) -> None:
    page = importlib.import_module(f"ansible_collections.openshift_ops.image_pull.plugins.modules.{module}")
    notes = yaml.safe_load(page.DOCUMENTATION)["notes"]
    assert notes[-len(notes_of(module)) :] == notes_of(module)


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_the_examples_of_a_role_have_valid_options(path: Path) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    found = [each for block in blocks for each in tasks_in(yaml.safe_load(block))]
    assert f"role {path.parent.name}" in [name for name, _options in found]
    assert [(name, problems) for name, options in found if (problems := problems_of(name, options))] == []


@pytest.mark.parametrize(
    ("what", "options", "problem"),
    [
        ("pull_secret", {"namespaces": ["a"], "nmae": "x"}, "nmae"),
        ("pull_secret", {"namespaces": ["a"], "namespace_selector": {}, "name": "x"}, "mutually exclusive"),
        ("sa_wait", {"accounts": [{"name": "a"}]}, "namespace"),
        ("sa_wait", {"namespaces": ["a"], "timeout": "soon"}, "convert"),
        ("image_puller_grant", {"namespaces": ["a"], "state": "gone"}, "gone"),
        ("role private_registry", {"private_registry_secret": []}, "private_registry_secret"),
    ],
)
def test_invalid_options_are_found(what: str, options: dict[str, object], problem: str) -> None:
    assert problem in " ".join(problems_of(what, options))
