# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role's README, argument spec and defaults agree, and the role uses exactly the documented variables."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.options import REGISTRY_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils import declarations
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import VARIABLES
from support.agreement import assert_agreement

ROOT = Path(__file__).parents[2] / "roles"
SPECS = "meta/argument_specs.yml of the role"
READER = "plugins/plugin_utils/declarations.py"
ROLES = sorted(path.name for path in ROOT.iterdir())


@functools.cache
def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def options_of(role: str, entry_point: str = "main") -> dict[str, Any]:
    specs = loaded(ROOT / role / "meta" / "argument_specs.yml")["argument_specs"]
    options: dict[str, Any] = specs[entry_point]["options"]
    return options


def required_of(role: str) -> list[str]:
    return [name for name, option in options_of(role).items() if option.get("required")]


def entries_of(role: str) -> dict[str, Any]:
    """Return the options of one entry of the role's list."""
    return options_of(role, "entry")


def table_of(role: str, title: str) -> dict[str, str]:
    """Return the rows of a table in the README: the first column and the second."""
    text = (ROOT / role / "README.md").read_text(encoding="utf-8")
    rows = re.search(rf"^\| {title} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert rows
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) ?\|", rows.group(1), re.MULTILINE))


def shown(option: dict[str, Any]) -> str:
    """Return the default of an option in the form of the README."""
    if option.get("required"):
        return "required"
    default = option.get("default")
    if default is None:
        return ""
    if default in ("", {}):
        return ""
    if isinstance(default, list):
        return f"`[{', '.join(default)}]`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def without_play(default: Any) -> Any:
    """Return the default of a variable in a play without the variable that all roles share."""
    found = re.fullmatch(r"\{\{ image_pull_\w+ \| default\((.*)\) \}\}", str(default))
    return yaml.safe_load(found[1]) if found else default


def examples_of(role: str) -> list[dict[str, Any]]:
    """Return the variables of the role in each YAML example of its README."""
    text = (ROOT / role / "README.md").read_text(encoding="utf-8")
    found = []

    def search(value: Any) -> None:
        if isinstance(value, dict):
            ours = {name: each for name, each in value.items() if str(name) in options_of(role)}
            found.extend([ours] if ours else [])
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            search(each)

    for block in re.findall(r"^```ya?ml\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        search(yaml.safe_load(block))
    return found


def refusals(role: str, variables: dict[str, Any]) -> list[str]:
    """Return Ansible's error messages about these variables, with the specs that Ansible uses for the role."""
    said: list[str] = ArgumentSpecValidator(options_of(role)).validate(variables).error_messages
    for name, value in variables.items():
        if name == VARIABLES.get(role):
            for entry in value:
                said += ArgumentSpecValidator(entries_of(role)).validate(entry).error_messages
    return said


@pytest.mark.parametrize("role", ROLES)
class TestRole:
    def test_the_readme_has_an_example_and_the_spec_takes_it(self, role: str) -> None:
        examples = examples_of(role)
        assert examples
        assert [refusals(role, example) for example in examples] == [[] for _example in examples]

    def test_a_role_has_a_valid_version_added(self, role: str) -> None:
        specs = loaded(ROOT / role / "meta" / "argument_specs.yml")["argument_specs"]
        ours, since = loaded(ROOT.parent / "galaxy.yml")["version"], specs["main"]["version_added"]
        assert [int(part) for part in since.split(".")] <= [int(part) for part in ours.split(".")]

    def test_readme_and_argument_spec_have_the_same_variables(self, role: str) -> None:
        taken = {name: shown(option) for name, option in options_of(role).items()}
        assert_agreement(table_of(role, "variable"), taken, f"the table of variables in roles/{role}/README.md", SPECS)

    def test_argument_spec_and_defaults_agree(self, role: str) -> None:
        defaults = loaded(ROOT / role / "defaults" / "main.yml")
        given = {name: without_play(value) for name, value in defaults.items() if name not in required_of(role)}
        wanted = {
            name: option.get("default")
            for name, option in options_of(role).items()
            if not option.get("required") and name not in SHARED
        }
        assert_agreement(given, wanted, f"roles/{role}/defaults/main.yml", SPECS)

    def test_the_play_gives_the_defaults_for_the_way_to_registries(self, role: str) -> None:
        defaults = loaded(ROOT / role / "defaults" / "main.yml")
        found = {name: defaults[f"{role}_{name}"] for name in REGISTRY_OPTIONS if f"{role}_{name}" in defaults}
        assert len(found) in (0, len(REGISTRY_OPTIONS))
        for name, default in found.items():
            assert default.startswith(f"{{{{ image_pull_{name} | default(")

    def test_a_required_variable_has_an_undef_hint(self, role: str) -> None:
        defaults = loaded(ROOT / role / "defaults" / "main.yml")
        for name in required_of(role):
            assert re.fullmatch(rf"{{{{ undef\(hint=(['\"]){name} is not set: .*\) }}}}", defaults[name])

    def test_a_boolean_variable_is_converted_in_every_condition(self, role: str) -> None:
        """`-e NAME=false` is text, and non-empty text counts as true. The module converts a variable that is the whole value of an option."""
        switches = [name for name, option in options_of(role).items() if option["type"] == "bool"]
        files = [path for part in ("tasks", "vars") for path in (ROOT / role / part).glob("*.yml")]
        code = "\n".join(re.sub(r"^ *#.*", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE) for path in files)
        for name in switches:
            found = re.findall(rf"^.*(?<!\"{{{{ )\b{name}\b(?! \| bool\b|: | is false: ).*$", code, re.MULTILINE)
            found += re.findall(rf"^.*\"{{{{ {name} (?!}}}}|\| bool\b).*$", code, re.MULTILINE)
            assert found == []


#: Variables of several roles. They have no default, because a role must not set variables of other roles.
SHARED = {"image_pull_only_namespaces"}


def test_roles_that_set_up_namespaces_share_the_limiting_variables() -> None:
    assert {role for role in ROLES if SHARED & {*options_of(role)}} == {*VARIABLES}


@pytest.mark.parametrize("role", VARIABLES)
class TestRoleWithEntries:
    def test_readme_and_argument_spec_have_the_same_keys_of_an_entry(self, role: str) -> None:
        taken = {name: shown(option) for name, option in entries_of(role).items()}
        assert_agreement(
            table_of(role, "key of an entry"), taken, f"the table of keys in roles/{role}/README.md", SPECS
        )

    def test_the_documented_keys_of_an_entry_are_the_ones_that_are_read(self, role: str) -> None:
        read, written = dict.fromkeys(declarations._MEMBERS[role]), dict.fromkeys(entries_of(role))
        assert_agreement(written, read, f"entry in roles/{role}/meta/argument_specs.yml", READER)
        required = {name for name, option in entries_of(role).items() if option.get("required")}
        assert {*declarations._REQUIRED[role]} == required

    def test_the_documented_variable_is_the_one_that_is_read(self, role: str) -> None:
        (name,) = (name for name, option in options_of(role).items() if option["type"] == "list" and name not in SHARED)
        assert VARIABLES[role] == name


def test_no_role_or_playbook_has_a_loop_in_a_template() -> None:
    """A decision belongs into Python, where types and tests reach it."""
    folders = (ROOT, ROOT.parent / "playbooks", ROOT.parent / "extensions")
    files = [path for folder in folders for ending in ("yml", "j2") for path in folder.rglob(f"*.{ending}")]
    assert len(files) > len(ROLES)
    assert [path for path in files if re.search(r"\{%-? *for |namespace\(", path.read_text(encoding="utf-8"))] == []
