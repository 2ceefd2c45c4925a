# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup imports what it needs for the declarations of a play, and no more. `lookup/test_declared.py` tests the entries."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date, datetime
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.writers import as_yaml
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils import declared_entries
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declared_entries import Templates
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.role_entries import TemplateError
from hypothesis import given
from hypothesis import strategies as st
from support.templates import trusted

_PROGRAM = """
import sys
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, lookup_loader
from ansible.template import Templar
init_plugin_loader([])
for variables in {tasks!r}:
    lookup = lookup_loader.get("openshift_ops.image_pull.declared", templar=Templar(loader=DataLoader(), variables=variables))
    lookup.run(["private_registry", "cross_project_pull"], variables=variables)
ours = [name.partition(".plugins.")[2] for name in sys.modules if "image_pull.plugins." in name]
print(*(name for name in ours if name.startswith("modules.") or name in ("plugin_utils.declarations", "plugin_utils.known_variables")))
"""

_NAME = "private_registry_secrets"


@pytest.mark.parametrize(
    ("tasks", "imported"),
    [
        ([{}, {_NAME: []}], "plugin_utils.known_variables"),
        ([{_NAME: [{"name": "x"}]}], "plugin_utils.known_variables plugin_utils.declarations"),
    ],
)
def test_titles_import_no_module(tasks: list[dict[str, object]], imported: str) -> None:
    program = _PROGRAM.format(tasks=tasks)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.split() == imported.split(), done.stderr


# --- Templates that are evaluated together have the same values as if evaluated one by one

TOGETHER = declared_entries.trust_as_template is not None

VARIABLES = trusted(
    {
        "omit": "__omit_place_holder__1",
        "one": 1,
        "text": "of the vault",
        "list": ["a", "{{ text }}"],
        "vault": {"a": "A", "b": "{{ text }}B", "c": None},
        "creds": {
            "octal": 83,
            "float": 1000.0,
            "on": True,
            "day": date(2030, 1, 2),
            "time": datetime(2030, 1, 2, 3, 4, 5),
            "inf": float("inf"),
            "text": "83",
            "day_text": "2030-01-02",
            "other": "{{ one }}",
        },
    }
)

WRITTEN = [
    "{{ one }}", "{{text}}", " {{ list }} ", "{{ vault.b }}", "{{ vault['a'] | lower }}", "{{ vault.c }}", "{{ 'x' if one else 'y' }}",
    "{{ one, 2 }}", "{{ omit }}", "{{ nothing | default(omit) }}", "{{ {'a': one}['a'] }}", "{{ text }}-{{ one }}", "{{- text -}}",
    "{% if one %}x{% endif %}", "{ no template }", "plain", "{{ 'a\\\\b' }}", "{{ '1' }}", "{{ true }}", "{{\n  text\n}}",
]  # fmt: skip


class Counting:
    """Ansible's templar with a counter of its calls."""

    def __init__(self) -> None:
        self.templar, self.asked = Templar(loader=DataLoader(), variables=VARIABLES), 0
        self.available_variables = VARIABLES

    def template(self, value: Any) -> Any:
        self.asked += 1
        return self.templar.template(value)


def alone(value: Any) -> Any:
    return Templates(Counting()).resolve(value)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_value_does_not_depend_on_how_it_is_evaluated(text: str) -> None:
    value = trusted(text)
    both = Templates(Counting())
    both.prepare([value, trusted("{{ one }}")])
    found = both.resolve(value)
    assert (found, type(found)) == (alone(value), type(alone(value)))


@given(
    st.recursive(
        st.sampled_from([*WRITTEN, 1, None, True]), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_value_does_not_depend_on_its_place(value: Any) -> None:
    value = trusted(value)
    both = Templates(Counting())
    both.prepare([value])
    assert both.resolve(value) == alone(value)


def test_many_templates_are_evaluated_together() -> None:
    templar = Counting()
    values = [trusted(f"{{{{ text ~ '{number}' }}}}") for number in range(1001)]
    both = Templates(templar)
    both.prepare([values])
    assert both.resolve(values) == [f"of the vault{number}" for number in range(1001)]
    assert templar.asked == (3 if TOGETHER else 1001)


@pytest.mark.parametrize(
    ("value", "alone_asked"),
    # Before ansible-core 2.19, the type of a number is asked for as well.
    [({"a": ["{{ one }}", "{{ (one) }}"]}, 3), (["{{ list[(0)] }}", {"b": "{{ [one] }}"}], 2)],
)
def test_nested_templates_are_evaluated_together(value: Any, alone_asked: int) -> None:
    templar = Counting()
    both = Templates(templar)
    both.prepare([trusted(value)])
    both.resolve(trusted(value))
    assert templar.asked == (1 if TOGETHER else alone_asked)


def test_a_value_without_a_template_is_not_evaluated() -> None:
    templar = Counting()
    value = [1, 1.5, True, None, "plain", ("a", 2), {"b": False}]
    assert Templates(templar).resolve(value) == [1, 1.5, True, None, "plain", ["a", 2], {"b": False}]
    assert templar.asked == 0


@pytest.mark.parametrize("member", ["octal", "float", "on", "day", "time", "inf", "text", "day_text"])
@pytest.mark.parametrize("written", ["{{{{ creds.{} }}}}", "{{{{ creds['{}'] | default(omit) }}}}"])
def test_a_number_a_boolean_or_a_date_keeps_its_type(written: str, member: str) -> None:
    """Before ansible-core 2.19, a template of a member is a text, although YAML has changed the password `0123` to 83."""
    found, value = alone(trusted(written.format(member))), VARIABLES["creds"][member]
    assert (found, isinstance(found, str)) == (value, isinstance(value, str))


def test_a_number_behind_two_variables_keeps_its_type() -> None:
    assert alone(trusted("{{ creds.other }}")) == 1
    assert alone(trusted("{{ one }}3")) == "13"


def test_known_templates_are_not_evaluated_again() -> None:
    templar = Counting()
    both = Templates(templar)
    for _time in range(2):
        both.prepare([trusted({"a": "{{ one }}"}), (trusted("{{ one }}"),)])
    assert templar.asked == (1 if TOGETHER else 0)


def test_a_failed_template_raises_its_own_error_and_affects_no_other() -> None:
    both = Templates(Counting())
    fine, broken = trusted("{{ text }}"), trusted("{{ nothing_of_that_name }}")
    both.prepare([fine, broken, trusted("{{ 1 + }}")])
    assert both.resolve(fine) == "of the vault"
    with pytest.raises(TemplateError, match="^variable nothing_of_that_name is undefined: define it"):
        both.resolve(broken)


@pytest.mark.parametrize(
    ("template", "begin"),
    [
        (
            "{{ lookup('file', '/nowhere/password') }}",
            "lookup 'file' failed: '/nowhere/password' cannot be read on the controller: No such file or directory. Correct the path, or create",
        ),
        (
            "{{ lookup('file', 'canary') }}",
            "lookup 'file' in its template failed (CLASS). To see why, run: ansible -i INVENTORY HOST -m ansible.builtin.debug -a 'msg={{ {template} }}'",
        ),
        (
            "{{ lookup('csvfile', '/canary') }}",
            "lookup 'csvfile' in its template failed (CLASS). To see why, run: ansible -i INV",
        ),
        ("{{ lookup('canary', 'x') }}", "a value is not a template that Ansible can evaluate (CLASS)"),
        ("x{{ lookup('file', '/nowhere/canary') }}", "a value is not a template that Ansible can evaluate (CLASS)"),
    ],
)
def test_a_lookup_that_fails_is_named_if_it_exists(template: str, begin: str) -> None:
    with pytest.raises(TemplateError) as error:
        Templates(Counting()).resolve({"a": [{"b": "x"}, {"b": trusted(template)}]})
    assert re.sub(r"\([A-Za-z]+\)", "(CLASS)", str(error.value)).startswith(begin)
    assert "canary" not in str(error.value)
    assert error.value.at("variable v") == f"v.a[1].b: {error.value}".replace("{template}", "v.a[1].b").replace(
        "v", "variable v", 1
    )


def test_a_password_with_braces_shows_no_part_of_it() -> None:
    with pytest.raises(TemplateError, match="^a variable in its template, or a member of one, is undefined") as error:
        Templates(Counting()).resolve(trusted("Canary-1{{canary2}}Canary-3"))
    assert "anary" not in str(error.value)


def test_untrusted_text_is_not_evaluated_next_to_an_equal_template() -> None:
    # Before ansible-core 2.19, every string of an inventory may be a template.
    both = Templates(Counting())
    both.prepare([trusted("{{ text }}"), "{{ text }}", "{{ one }}"])
    assert both.resolve("{{ text }}") == ("{{ text }}" if TOGETHER else "of the vault")
    assert both.resolve("{{ one }}") == ("{{ one }}" if TOGETHER else alone("{{ one }}"))


@pytest.mark.parametrize("text", ["{{ one), 7: (one }}", "{{ one], [one }}", "{{ (one }}", "{{ one) }}"])
def test_an_invalid_template_stays_invalid_among_others(text: str) -> None:
    both = Templates(Counting())
    both.prepare([trusted(text), trusted("{{ one }}")])
    with pytest.raises(TemplateError, match="not a template that Ansible can evaluate"):
        both.resolve(trusted(text))


def test_bytes_and_numbers_are_not_templates() -> None:
    templar = Counting()
    Templates(templar).prepare([b"{{ one }}", 1, None, 1.5])
    assert templar.asked == 0


def test_a_text_that_looks_like_an_omit_placeholder_is_kept() -> None:
    """Otherwise the author of a pull secret could use the placeholder to leave out a part of an entry."""
    text = "__omit_place_holder__2{"
    assert alone({"email": text, "password": trusted("{{ nothing | default(omit) }}")}).get("email") == text


@pytest.mark.parametrize("text", ["{{ lookup('pipe', 'id') }}", "{% raw %}", "a{# b", "{{ registry_password }}"])
def test_no_text_of_a_cluster_is_a_template_in_a_fix(text: str) -> None:
    """Ansible itself reads the output of a report in this test. Tests of module_utils must not import Ansible for this."""
    loader = DataLoader()
    (task,) = loader.load(as_yaml([{"registry": text}]))
    assert Templar(loader=loader, variables={"registry_password": "x"}).template(task["registry"]) == text
