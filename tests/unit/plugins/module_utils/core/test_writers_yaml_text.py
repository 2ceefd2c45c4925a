# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Written YAML is read back unchanged, and only text of the collection's own code can be a template."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.text import is_plain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.writers import (
    Sentence,
    TemplateText,
    as_comments,
    as_yaml,
)
from hypothesis import given
from hypothesis import strategies as st
from support.hostile_text import TEXTS


class AnsibleLoader(yaml.SafeLoader):
    """YAML 1.1 with Ansible's tag, whose text is marked."""


class UnsafeText(str):
    """Text that had the tag."""


AnsibleLoader.add_constructor("!unsafe", lambda loader, node: UnsafeText(loader.construct_scalar(node)))


def read(written: str) -> Any:
    return yaml.load(written, AnsibleLoader)


def test_tasks_are_written_in_the_usual_style() -> None:
    login = {"registry": "quay.io:443/team", "username": TemplateText("{{ registry_username }}"), "email": "a b"}
    options = {
        "namespaces": ["project-a"],
        "registries": [login],
        "recreate": True,
        "labels": {},
        "links": [],
        "x": None,
    }
    assert as_yaml([{"name": Sentence("Write a login: once"), "m.pull_secret": options}]) == (
        '- name: "Write a login: once"\n'
        "  m.pull_secret:\n"
        "    namespaces:\n"
        "      - project-a\n"
        "    registries:\n"
        "      - registry: quay.io:443/team\n"
        '        username: "{{ registry_username }}"\n'
        '        email: !unsafe "a b"\n'
        "    recreate: true\n"
        "    labels: {}\n"
        "    links: []\n"
        "    x: null\n"
    )
    assert as_yaml([]) == "[]\n"
    assert as_yaml({}) == "{}\n"


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_cluster_text_that_is_not_plain_has_the_unsafe_tag(text: str) -> None:
    written = as_yaml([{"a": text, text: "a", "list": [text]}])
    assert written.isascii()
    assert len(written.splitlines()) <= 5
    shown = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    ((one, key, item),) = [(found["a"], list(found)[1], found["list"][0]) for found in read(written)]
    assert [one, key, item] == [shown] * 3
    is_known = is_plain(text) or text in ("=", "<<", "~", ".5", "\n", "~\n", "yes\n", "+1", "2026-01-01 01:02:03")
    assert [isinstance(each, UnsafeText) for each in (one, key, item)] == [not is_known] * 3


@pytest.mark.parametrize(
    "text",
    [
        "0123",
        "yes",
        "Off",
        "y",
        "null",
        "NULL",
        "1:20",
        "1e3",
        "0x1f",
        "0b1",
        "2026-01-01",
        "12_000",
        "inf",
        "nan",
        "a:",
        "007",
        "1.5",
    ],
)
def test_plain_text_that_yaml_reads_as_another_type_is_quoted(text: str) -> None:
    assert as_yaml([text]) == f'- "{text}"\n'


@pytest.mark.parametrize("text", ["-", "?", "-a", ".a", "+", "...", "1 2", "2026-01-01 x", "~~", "= "])
def test_text_that_begins_with_a_special_character_has_the_tag(text: str) -> None:
    assert as_yaml([text]) == f'- !unsafe "{text}"\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "=",
        "<<",
        ".5",
        "~",
        "~\n",
        "1\n",
        "yes\n",
        ".inf",
        "-.INF",
        "+1",
        "-0x1f",
        "+1:20",
        "2026-01-01 1:20:30 +1",
        "null\n",
    ],
)
def test_text_that_yaml_reads_as_another_type_despite_the_tag_is_quoted(text: str) -> None:
    (written,) = as_yaml([text]).splitlines()
    assert written.startswith('- "')
    assert read(written) == [text]


@given(st.text("!&*0123456789.:_-+eE~=<> \tTZxbafinNIFyesYo\n", max_size=12))
def test_text_that_yaml_resolves_to_another_type_has_no_tag(text: str) -> None:
    known = yaml.SafeLoader("").resolve(yaml.ScalarNode, text, (True, False))
    if "!unsafe" in as_yaml([text]):
        assert known == "tag:yaml.org,2002:str"


def test_template_text_of_ours_has_no_tag() -> None:
    assert (
        as_yaml(["{{ registry }}", TemplateText("{{ registry }}")])
        == '- !unsafe "{{ registry }}"\n- "{{ registry }}"\n'
    )


def test_yaml_for_another_program_has_no_tag() -> None:
    text = as_yaml({"{{ a }}": "a=b", "c": ["{% d %}"]}, for_ansible=False)
    assert yaml.safe_load(text) == {"{{ a }}": "a=b", "c": ["{% d %}"]}


@pytest.mark.parametrize("length", [900, 1100, 5000])
def test_a_long_key_is_read_back(length: int) -> None:
    data = {"{" * length: {"a": [1]}, "b" * length: "c", "d": [{"=" * length: [], "e": 1}]}
    assert read(as_yaml(data)) == data


@pytest.mark.parametrize("number", [1e20, 1e-7, -2.5e300, 1.5, -0.0, 0.1, math.inf, -math.inf, 10**30, -5])
def test_numbers_are_read_back(number: float) -> None:
    (found,) = read(as_yaml([number]))
    assert (found, type(found)) == (number, type(number))
    assert math.isnan(read(as_yaml([math.nan]))[0])


def test_usual_escapes_are_short() -> None:
    assert as_yaml(['a\n\t\r"\\']) == '- !unsafe "a\\n\\t\\r\\"\\\\"\n'


def test_half_a_character_is_replaced() -> None:
    assert as_yaml(["\ud800"]) == '- !unsafe "\\ufffd"\n'


def test_a_comment_is_one_line() -> None:
    assert as_comments(["a\nb: c\u2028d\x85e", "f"]) == "# a?b: c?d?e\n# f\n"
    assert yaml.safe_load(as_comments(TEXTS)) is None


texts = st.one_of(st.text(max_size=12), st.sampled_from(TEXTS), st.text("yno.:-+eE_0127", max_size=8)).map(
    lambda text: text.encode("utf-16", "replace").decode("utf-16")
)
values = st.recursive(
    st.one_of(texts, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(texts, values, min_size=1, max_size=3), min_size=1, max_size=3))
def test_any_tasks_are_read_back_unchanged(tasks: list[dict[str, Any]]) -> None:
    assert read(as_yaml(tasks)) == tasks
    assert yaml.safe_load(as_yaml(tasks, for_ansible=False)) == tasks
