# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role's README, its argument spec and its defaults say the same, and its documented variables are the ones that it uses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2] / "roles"
ROLES = sorted(path.name for path in ROOT.iterdir())
#: Variables of roles that write secrets, which compare what they declare.
WRITERS = ("private_registry", "delegated_auth")


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def options_of(role: str) -> dict[str, Any]:
    options: dict[str, Any] = loaded(ROOT / role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    return options


def entries_of(role: str) -> dict[str, Any]:
    """The keys of one entry of the role's list."""
    (found,) = [option["options"] for option in options_of(role).values() if option["type"] == "list"]
    return dict(found)


def table_of(role: str, title: str) -> dict[str, str]:
    """The rows of a table of the README: the first column, and the second."""
    text = (ROOT / role / "README.md").read_text(encoding="utf-8")
    rows = re.search(rf"^\| {title} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert rows
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) ?\|", rows.group(1), re.MULTILINE))


def shown(option: dict[str, Any]) -> str:
    """How a README shows the default of an option."""
    if option.get("required"):
        return "required"
    default = option.get("default")
    if default is None:
        return ""
    if isinstance(default, list):
        return f"`[{', '.join(default)}]`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


@pytest.mark.parametrize("role", ROLES)
class TestRole:
    def test_readme_and_argument_spec_have_the_same_variables(self, role: str) -> None:
        assert table_of(role, "variable") == {name: shown(option) for name, option in options_of(role).items()}

    def test_readme_and_argument_spec_have_the_same_keys_of_an_entry(self, role: str) -> None:
        assert table_of(role, "key of an entry") == {name: shown(option) for name, option in entries_of(role).items()}

    def test_argument_spec_and_defaults_agree(self, role: str) -> None:
        assert loaded(ROOT / role / "defaults" / "main.yml") == {
            name: option["default"] for name, option in options_of(role).items()
        }

    def test_every_key_of_an_entry_is_used(self, role: str) -> None:
        text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / role).glob("[tv]a*/*.yml"))
        unused = [key for key in entries_of(role) if not re.search(rf"\w\.{key}\b|'{key}'", text)]
        assert unused == []


class TestTheTwoThatWriteSecrets:
    """Each compares its entries with the other's, from the same lines."""

    def test_declare_alike(self) -> None:
        declared = [loaded(ROOT / role / "vars" / "main.yml")[f"__{role}_declared"] for role in WRITERS]
        assert declared[0] == declared[1]

    def test_know_the_default_names(self) -> None:
        entries = entries_of("delegated_auth")
        declared = loaded(ROOT / "private_registry" / "vars" / "main.yml")["__private_registry_declared"]
        for key in ("registry_secret_name", "realm_secret_name"):
            assert f"entry.{key} | default('{entries[key]['default']}')" in declared
