# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plot: a bar for each way and run, on a logarithmic scale. Extrapolated bars are hollow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import ways

WIDTH, LEFT, RIGHT, BAR = 860, 250, 90, 18
COLOURS = {
    ways.OURS: "#2f6fde",
    ways.ALONE: "#7aa5ea",
    ways.FLOOR: "#7a7f87",
    ways.KUBECTL: "#d98a1f",
    ways.OC: "#c98ad9",
    ways.CORE: "#c0392b",
}


def svg(rows: Sequence[dict[str, Any]]) -> str:
    sizes = sorted({row["namespaces"] for row in rows})
    scale = _Scale(min(row["command"] for row in rows), max(row["command"] for row in rows))
    parts, top = [], 30
    for size in sizes:
        parts.append(text(LEFT, top, f"{size:,} namespaces", weight="bold"))
        for way, row in _bars(rows, size):
            top += BAR + 4
            parts += draw(top - BAR + 8, way, row, scale)
        top += 40
    grid = [line for second in scale.marks() for line in mark(scale.x(second), second, top - 18)]
    style = (
        "text{font:12px sans-serif;fill:#333}@media(prefers-color-scheme:dark){text{fill:#ddd}}"
        ".grid{stroke:#999;stroke-opacity:.35}"
    )
    title = "Secret, link and grant: seconds of the whole command (logarithmic; hollow: extrapolated from 20)"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 24}" role="img">'
    body = [f"<title>{title}</title><style>{style}</style>", *grid, *parts, text(8, top + 16, title)]
    return "\n".join([head, *body, "</svg>", ""])


class _Scale:
    def __init__(self, smallest: float, largest: float) -> None:
        self.low, self.high = math.floor(math.log10(smallest)), math.ceil(math.log10(largest))

    def x(self, seconds: float) -> float:
        share = (math.log10(seconds) - self.low) / (self.high - self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def marks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def _bars(rows: Sequence[dict[str, Any]], size: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for way in ways.ALL:
        for row in rows:
            if row["way"] == way and row["namespaces"] == size and not row["failed"]:
                yield way, row


def draw(y: float, way: str, row: dict[str, Any], scale: _Scale) -> list[str]:
    x, colour = scale.x(row["command"]), COLOURS[way]
    hollow = row["measured_at"] != row["namespaces"]
    fill = f'fill="none" stroke="{colour}" stroke-dasharray="4 2"' if hollow else f'fill="{colour}"'
    value = row["command"]
    return [
        text(LEFT - 8, y + 13, f"{way}, {row['run']} run", anchor="end"),
        f'<rect x="{LEFT}" y="{y:.0f}" width="{x - LEFT:.1f}" height="{BAR - 2}" {fill}/>',
        text(x + 6, y + 13, f"{value:,.0f} s" if value >= 100 else f"{value:.2f} s"),
    ]


def mark(x: float, seconds: float, bottom: float) -> list[str]:
    line = f'<line class="grid" x1="{x:.1f}" y1="16" x2="{x:.1f}" y2="{bottom:.0f}"/>'
    return [line, text(x, 12, f"{seconds:g} s", anchor="middle")]


def text(x: float, y: float, content: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.0f}" text-anchor="{anchor}" font-weight="{weight}">{escape(content)}</text>'
