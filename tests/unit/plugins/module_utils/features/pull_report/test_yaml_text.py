# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remedies as YAML: what is read again is what was meant, and nothing that came from a cluster is a template."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.yaml_text import as_yaml
from hypothesis import given
from hypothesis import strategies as st
from support import audits


class Loader(yaml.SafeLoader):
    """As YAML 1.1, with Ansible's tag."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def test_as_people_write_it() -> None:
    assert as_yaml(audits.remedy("project-a", "pull")) == (
        "- name: Write the login for quay.io/team into pull secret pull\n"
        "  openshift_ops.image_pull.pull_secret:\n"
        "    namespaces:\n"
        "      - project-a\n"
        "    name: pull\n"
        "    registries:\n"
        "      - registry: quay.io/team\n"
        '        username: "{{ registry_username }}"\n'
        '        password: "{{ registry_password }}"\n'
        "    mode: replace\n"
        "    recreate: true\n"
    )
    assert as_yaml([]) == ""


@pytest.mark.parametrize("text", ["{{ lookup('pipe', 'id') }}", "{% raw %}", "a{# b", "{{ registry_password }}"])
def test_no_other_text_is_a_template(text: str) -> None:
    written = as_yaml([{"registry": text, "name": text}])
    assert written.count("!unsafe ") == 2
    assert yaml.load(written, Loader) == [{"registry": text, "name": text}]


def test_the_variables_of_a_login_are_templates_in_their_place_only() -> None:
    written = as_yaml([{"username": "{{ registry_username }}", "password": "{{ registry_username }}"}])
    assert as_yaml([{"registry": "{{ registry }}"}]) == '- registry: "{{ registry }}"\n'
    assert written == '- username: "{{ registry_username }}"\n  password: !unsafe "{{ registry_username }}"\n'


texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "yes",
            "No",
            "null",
            "1e3",
            "0x1f",
            "2026-01-01",
            "a: b",
            "- a",
            "#x",
            "~",
            "a #b",
            "é",
            "\u2028",
            "\ufeff",
            "=",
            "y",
            "007",
            "on",
            "a:",
        ]
    ),
)
values = st.recursive(
    st.one_of(texts, st.integers(), st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(texts, values, min_size=1, max_size=3), min_size=1, max_size=3))
def test_what_is_read_is_what_was_meant(tasks: list[dict[str, Any]]) -> None:
    assert yaml.load(as_yaml(tasks), Loader) == tasks
