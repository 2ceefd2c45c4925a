# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the gauges of an OpenMetrics text, by the ABNF of the specification 1.0 (github.com/prometheus/OpenMetrics)."""

from __future__ import annotations

import re

_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
_VALUE = r'"((?:[^"\\\n]|\\[\\n"])*)"'
_LABELS = re.compile(rf"({_NAME})={_VALUE}(?:,|$)")
_SAMPLE = re.compile(rf"({_NAME})\{{((?:{_NAME}={_VALUE},?)*)\}} (-?\d+(?:\.\d+)?)")
_HEAD = re.compile(rf"# (TYPE|UNIT|HELP) ({_NAME}) (.+)")
_ESCAPED = {r"\\": "\\", r"\n": "\n", r"\"": '"'}


def read(text: str) -> dict[tuple[str, ...], float]:
    """Return the value of each sample, by the metric's name and the values of its labels. All of it must follow the grammar."""
    assert text.endswith("# EOF\n")
    found: dict[tuple[str, ...], float] = {}
    families: list[str] = []
    for line in text.removesuffix("# EOF\n").removesuffix("\n").split("\n"):
        if head := _HEAD.fullmatch(line):
            kind, name, words = head.groups()
            if kind == "TYPE":
                assert name not in families, "the lines of a metric are together"
                assert words == "gauge"
                families.append(name)
            assert name == families[-1]
            assert kind != "UNIT" or name.endswith(f"_{words}")
            assert re.fullmatch(r'(?:[^\\\n"]|\\[\\n"])*', words)
            continue
        sample = _SAMPLE.fullmatch(line)
        assert sample and sample[1] == families[-1], line
        labels = _LABELS.findall(sample[2])
        assert len({name for name, _text in labels}) == len(labels)
        values = (re.sub(r"\\.", lambda one: _ESCAPED[one[0]], value) for _name, value in labels)
        key = (sample[1], *values)
        assert key not in found, f"twice: {key}"
        found[key] = float(sample[4])
    return found
