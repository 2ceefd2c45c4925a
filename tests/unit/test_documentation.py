# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each guide of docs/docsite is in the index, each example has a test, and all names in the examples exist."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.guides import GUIDES, Block, Guide

ROOT = Path(__file__).parents[2]
COLLECTION = "openshift_ops.image_pull"
NAMES = sorted(path.stem for path in GUIDES.glob("*.rst"))
#: The folders with the plugins that guides name.
FOLDERS = ("plugins/modules", "extensions/eda/plugins/event_source")
#: The addresses of this repository on the web.
HERE = (
    r"https://github\.com/openshift-ops/image_pull/(?:blob|raw)/main/",
    r"https://raw\.githubusercontent\.com/openshift-ops/image_pull/main/",
)
#: Guides without runnable examples. Each row of oc.rst has its test in tests/modules.
WORDS_ONLY = {"comparison", "contents", "glossary", "guarantees", "oc", "reliability", "stability"}
#: Guides whose examples are files of the collection or need another environment, with the location of their tests.
ELSEWHERE = {
    "awx": "tests/unit/test_awx_guide.py",
    "events": "tests/eda/test_documentation.py",
    "stores": "tests/awx/test_stores.py",
}


#: Maximum number of words of all guides, with their markup.
WORDS = 30_000
#: The number of lines that a reader sees first, with the comment and the label of the file.
SCREEN = 55


class TestIndex:
    def test_the_index_names_each_guide_once(self) -> None:
        sections = yaml.safe_load((GUIDES.parent / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
        assert sorted(name for one in sections for name in one["toctree"]) == NAMES


def _steps(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the first argument of each call that makes a step of an explanation."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in STEP_CALLS and node.args:
            yield node.args[0]


STEP_CALLS = ("info", "failure", "unknown", "Step")


def test_the_guide_explains_each_step_of_an_explanation() -> None:
    trees = [
        ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "plugins/module_utils/explain").rglob("*.py")
    ]
    constants = {
        target.id: node.value.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    named = [each for tree in trees for each in _steps(tree)]
    steps = {each.value for each in named if isinstance(each, ast.Constant)}
    steps |= {constants[each.id] for each in named if isinstance(each, ast.Name) and each.id in constants}
    text = (GUIDES / "explain.rst").read_text(encoding="utf-8").partition("The steps\n---")[2].partition("\n\n\n")[0]
    lists = re.findall(r"(?m)(?:^- |\. )((?:``\w+``(?:, )?)+):", text)
    told = {name for names in lists for name in re.findall(r"\w+", names)}
    assert {"secret", "image", "copy"} <= steps == told


def test_the_guides_are_short() -> None:
    assert sum(len(path.read_text(encoding="utf-8").split()) for path in GUIDES.glob("*.rst")) <= WORDS


class TestLinks:
    @pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(GUIDES.glob("*.rst"))], ids=lambda page: page.name)
    def test_links_into_this_repository_have_a_target(self, page: Path) -> None:
        found = re.findall(rf"(?:{'|'.join(HERE)})([^)#>`\s]+)", page.read_text(encoding="utf-8"))
        assert [path for path in found if not (ROOT / path).exists()] == []

    def test_the_readme_contains_only_full_addresses(self) -> None:
        """The README is displayed in places where relative links do not work."""
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        assert [one for one in re.findall(r"\]\(([^)]+)\)", text) if not one.startswith(("https://", "#"))] == []


@pytest.mark.parametrize("name", NAMES)
class TestGuide:
    def test_a_guide_begins_with_its_label(self, name: str) -> None:
        text = (GUIDES / f"{name}.rst").read_text(encoding="utf-8")
        labels = re.findall(r"^\.\. _([^:]+):$", text, re.MULTILINE)
        assert labels[0] == f"ansible_collections.{COLLECTION}.docsite.{name}"

    def test_a_guide_has_a_test(self, name: str) -> None:
        test = ROOT / "tests" / "guides" / f"test_{name}.py"
        if name in ELSEWHERE:
            assert f'Guide("{name}")' in (ROOT / ELSEWHERE[name]).read_text(encoding="utf-8")
        elif test.exists():
            assert f'"{name}"' in test.read_text(encoding="utf-8")
        else:
            assert name in WORDS_ONLY
            assert not Guide(name).blocks

    def test_a_guide_begins_with_a_command_or_a_task(self, name: str) -> None:
        lines = (GUIDES / f"{name}.rst").read_text(encoding="utf-8").splitlines()[:SCREEN]
        assert name in WORDS_ONLY or [line for line in lines if re.match(r" *(\$ |- name: [A-Z])", line)]

    def test_the_yaml_of_a_guide_has_valid_options(self, name: str) -> None:
        for block in Guide(name).blocks:
            if block.language != "yaml":
                continue
            for task in tasks_in(block.loaded()):
                assert_options(block, task)


class TestStability:
    """The page of stable parts names each part once, with a state that its own documentation shows."""

    ROWS = re.findall(
        r"^   \* - (\w+)\n     - (stable|preview)\n     - (.+?)\n     - (\w.+?)(?=\n   \*|\n\n)",
        (GUIDES / "stability.rst").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )

    def states(self, kind: str) -> dict[str, str]:
        found = [(name, row[1]) for row in self.ROWS if row[0] == kind for name in re.findall(r"``([^`]+)``", row[2])]
        assert len(dict(found)) == len(found)
        return dict(found)

    @pytest.mark.parametrize(
        ("kind", "pattern"),
        [
            ("modules", "plugins/modules/[!_]*.py"),
            ("roles", "roles/*"),
            ("playbooks", "playbooks/*.yml"),
            ("events", "extensions/eda/[rp]*/**/[!_]*.[py][ym]*"),
            ("extensions", "extensions/[!e]*"),
            ("extensions", "extensions/execution_environment"),
            ("documents", "plugins/plugin_utils/pull_report/*.schema.json"),
        ],
    )
    def test_each_part_has_a_state(self, kind: str, pattern: str) -> None:
        parts = {path.name.removesuffix(".py").removesuffix(".yml") for path in ROOT.glob(pattern)}
        assert parts - {"__pycache__"} <= self.states(kind).keys()
        assert kind in ("extensions", "documents") or parts >= self.states(kind).keys()

    def test_a_module_shows_its_state(self) -> None:
        for name, state in self.states("modules").items():
            text = (ROOT / "plugins" / "modules" / f"{name}.py").read_text(encoding="utf-8")
            assert re.findall(r"image_pull\.attributes\.(\w+)", text) == [state], name

    def test_a_role_shows_its_state(self) -> None:
        for name, state in self.states("roles").items():
            readme = (ROOT / "roles" / name / "README.md").read_text(encoding="utf-8")
            assert re.findall(r"^This role is (?:a )?\[(\w+)\]\(.*stability", readme, re.MULTILINE) == [state], name
            specification = (ROOT / "roles" / name / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
            assert re.findall(r"- (?:A )?(\w+), see R\(.*stability", specification) in ([state], [state.title()]), name

    def test_stable_roles_use_only_stable_modules(self) -> None:
        modules = self.states("modules")
        for name, state in self.states("roles").items():
            tasks = (path.read_text(encoding="utf-8") for path in (ROOT / "roles" / name / "tasks").glob("*.yml"))
            used = {
                part
                for text in tasks
                for part in re.findall(r"^ +openshift_ops\.image_pull\.(\w+):", text, re.MULTILINE)
            }
            assert state != "stable" or {modules[part] for part in used} <= {"stable"}, name

    def test_the_readme_agrees(self) -> None:
        rows = dict(
            re.findall(
                r"^\| (stable|preview) \| (.+) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
            )
        )
        playbooks = self.states("playbooks")
        for state, words in rows.items():
            named = {name for name in re.findall(r"`(\w+)`", words) if name in playbooks}
            assert named and {playbooks[name] for name in named} == {state}


def test_the_comparison_and_the_benchmark_have_the_same_version_of_kubernetes_core() -> None:
    pages = (GUIDES / "comparison.rst", ROOT / "docs" / "benchmark.md")
    found = [set(re.findall(r"kubernetes\.core (\d+\.\d+\.\d+)", page.read_text(encoding="utf-8"))) for page in pages]
    assert found[0] == found[1] != set()


def tasks_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield each mapping that names a module of the collection, at any depth."""
    if isinstance(value, dict):
        if any(str(key).startswith(f"{COLLECTION}.") for key in value):
            yield value
        for part in value.values():
            yield from tasks_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from tasks_in(part)


def assert_options(block: Block, task: dict[str, Any]) -> None:
    for name, options in task.items():
        if name.startswith(f"{COLLECTION}.") and isinstance(options, dict):
            paths = (ROOT / folder / f"{name.rpartition('.')[2]}.py" for folder in FOLDERS)
            plugin = next((path for path in paths if path.exists()), None)
            assert plugin, f"{block.place}: there is no {name}"
            unknown = set(options) - documented(plugin)
            assert not unknown, f"{block.place}: {name} has no option {', '.join(sorted(unknown))}"


def documented(plugin: Path) -> set[str]:
    """Return the options of a plugin, including its fragments."""
    text = plugin.read_text(encoding="utf-8")
    manual = yaml.safe_load(re.search(r'^DOCUMENTATION = r?"""(.*?)"""', text, re.DOTALL | re.MULTILINE)[1])  # type: ignore[index]
    found = set(manual["options"])
    for fragment in manual.get("extends_documentation_fragment", []):
        name, _dot, part = fragment.removeprefix(f"{COLLECTION}.").partition(".")
        parts = importlib.import_module(
            f"ansible_collections.{COLLECTION}.plugins.doc_fragments.{name}"
        ).ModuleDocFragment
        found |= set(yaml.safe_load(getattr(parts, part.upper() or "DOCUMENTATION"))["options"])
    return found
