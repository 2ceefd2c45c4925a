# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of a project user that Jinja, Ansible, YAML or a terminal may take for code."""

from __future__ import annotations

import random
from collections.abc import Iterator

__all__ = ["TEXTS", "attacks", "generated"]

_EXPRESSIONS = (
    "lookup('pipe', '{command}')",
    'lookup("pipe", "{command}")',
    "query('ansible.builtin.pipe', '{command}')",
    "q('pipe', '{command}') | first",
    "cycler.__init__.__globals__.os.system('{command}')",
)
#: Templates that evaluate an expression, with Jinja's own delimiters or with the delimiters of the first line.
_TEMPLATES = (
    "{{{{ {0} }}}}",
    "{{{{- {0} -}}}}",
    "{{{{{0}}}}}",
    "a{{{{ {0} }}}}b",
    "{{% if {0} %}}x{{% endif %}}",
    "{{%- set x = {0} -%}}",
    "{{# a #}}{{{{ {0} }}}}{{# b #}}",
    "{{{{ '{{{{' }}}} {0} {{{{ '}}}}' }}}}",
    "#jinja2:variable_start_string:'[%',variable_end_string:'%]'\n[% {0} %]",
    '#jinja2:variable_start_string:"<<",variable_end_string:">>"\n<< {0} >>',
    "#jinja2: variable_start_string:'a', variable_end_string:'z'\na {0} z",
    "#jinja2:block_start_string:'@',block_end_string:'@'\n@ if {0} @x@ endif @",
    "#jinja2:line_statement_prefix:'%'\n% if {0}\nx\n% endif",
    "#jinja2:trim_blocks:True\n{{{{ {0} }}}}",
    "# set x = {0}",
    "\ufeff{{{{ {0} }}}}",
    "\x00{{{{ {0} }}}}",
    "\u2028{{{{ {0} }}}}\u2029",
    "\x85- {{{{ {0} }}}}",
    "x\n- name: x\n  ansible.builtin.command: {{{{ {0} }}}}",
    "!unsafe {{{{ {0} }}}}",
    '"\n- "{{{{ {0} }}}}',
    "' {{{{ {0} }}}} '",
    "{{{{ {0} }}}}" + "\ud800",
    "x" * 5000 + "{{{{ {0} }}}}",
    "__omit_place_holder__{{{{ {0} }}}}",
)
#: Text with a meaning to YAML, to Ansible's loaders or to a terminal.
_OTHERS = (
    "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162", "$ANSIBLE_VAULT;1.1;AES256\n6162", "!!python/object/apply:os.system [true]",
    "!unsafe", "!unsafe x", "&a x", "*a", "<<: *a", "a: b", "- a", "? a", "[a]", "{a: b}", '{"__ansible_unsafe": "{{ 1 }}"}', "|", ">",
    "| x", "%YAML 1.2", "---", "...", "---\n- a", "#x", "a #b", "a:", "@a", "`a`", "'", '"', "\\", "\\x41", "=", "<<",
    "~", "-", ".5", "~\n", "yes\n", "+1", "2026-01-01 01:02:03",
    "\x00", "\x1b[2Ja", "\r", "\r\n", "\n", "\t", " ", " a", "a ", "\x7f", "\x85", "\xa0", "\u2028", "\u2029", "\ufeff", "\ufeffa",
    "\ufffe", "\ud800", "\udfff", "é", "\u202e", "\U0001f600", "{{", "}}", "{%", "%}", "{#", "#}", "{{ }}", "{{ 1 + 1 }}",
    "{{ registry }}", "{{ registry_username }}", "{{ registry_password }}", "{{ omit }}", "{% raw %}", "a" * 20_000 + "{{ 1 }}",
)  # fmt: skip


def attacks(command: str) -> Iterator[str]:
    """Templates of every kind that run a command. The command must not contain quotes."""
    for expression in _EXPRESSIONS:
        for template in _TEMPLATES:
            yield template.format(expression.format(command=command))


def generated(command: str, count: int, seed: int) -> Iterator[str]:
    """Texts composed of attacks and other texts, always the same for a seed."""
    choose = random.Random(seed)
    known = [*attacks(command), *_OTHERS]
    for _number in range(count):
        parts = [choose.choice(known) for _part in range(choose.choice((1, 1, 1, 2, 3)))]
        joint = choose.choice(("", "", " ", "\n", ":", "/", "{{"))
        text = joint.join(parts)
        if choose.random() < 0.2:
            at = choose.randrange(len(text) + 1)
            text = text[:at] + choose.choice(("\n", "'", '"', "{", "}", "%", "#", "\x00", "\\", "!", "é")) + text[at:]
        yield text


TEXTS = [*attacks("true"), *_OTHERS]
