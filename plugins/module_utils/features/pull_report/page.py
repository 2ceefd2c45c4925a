# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one self-contained HTML page: no network, no build, and for the summary no JavaScript. Pure.

This module writes the part that is visible before the page's program runs: the totals, the clusters, and each rule with its first
findings. The rest is data, which the program shows as text only. The policy in the page's head allows only this one program and this one
style.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ...core.audit_format import ERROR, SEVERITIES, WARNING
from ...core.phrases import pluralize
from ...core.visible_text import escape_invisible
from ...explain.offers import offer_of
from .browser_data import as_data, embed_json
from .counting import all_findings, count_by_severity, format_counts
from .template import PageTemplate
from .timestamps import mark_time

__all__ = ["as_page"]

#: Maximum number of findings of a rule in the page before its program runs, and of clusters without an audit at its head.
_FIRST = 5
_SLOT = re.compile(r"<!--slot:([a-z]+)-->")
_SEVERITY_NAMES = {ERROR: ("Error", "Errors"), WARNING: ("Warning", "Warnings")}
_INFO_NAMES = ("Info", "Infos")
_VERDICTS = (("pulls", "can pull"), ("unknown", "not known"), ("will_not_pull", "cannot pull"))

Document = Mapping[str, Any]


def as_page(document: Document, title: str, parts: PageTemplate) -> str:
    """Return the text of the page, with its times marked."""
    style, program = f"\n{parts.css}", f"\n{parts.js}"
    slots = {
        "policy": f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(program)}; base-uri 'none'; form-action 'none'",
        "title": _text(title),
        "state": _state(document),
        "style": style,
        "program": program,
        "data": embed_json(as_data(document)),
        "when": _audit_times(document),
        "headline": _headline(document),
        "missing": _missing_note(document),
        "tiles": "\n".join(_tiles(document)),
        "clusters": "\n".join(_clusters(document)),
        "rules": "\n".join(_rules(document)),
        "unreadable": "\n".join(_unreadable_list(document)),
    }
    # In one pass, so that a slot in an inserted text is not replaced.
    return _SLOT.sub(lambda slot: slots[slot[1]], parts.html)


def _state(document: Document) -> str:
    """Return the classes of the body, which hide parts of the page that do not apply."""
    found = {"compared": "compared" in document, "single": len(document["clusters"]) == 1}
    return " ".join(name for name, is_so in found.items() if is_so)


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _text(text: str) -> str:
    """Return a text from outside, escaped for the page."""
    return escape(escape_invisible(text))


def _name(text: str) -> str:
    """Return a name, isolated from the text around it, because it may be written from right to left."""
    return f"<bdi>{_text(text)}</bdi>"


def _time(time: str) -> str:
    return f'<time datetime="{mark_time(time)}">{mark_time(_minute(time))} UTC</time>'


def _minute(time: str) -> str:
    """Return a time in readable form, to the minute."""
    return time.replace("T", " ")[:16]


def _audit_times(document: Document) -> str:
    clusters = document["clusters"]
    oldest = min((cluster["made"] for cluster in clusters), default=document["made"])
    made = f"Audited {_time(document['made'])}"
    if oldest[:13] != document["made"][:13]:
        made = f"Audited between {_time(oldest)} and {_time(document['made'])}"
    number = pluralize(len(clusters), "cluster") + (f", {_name(clusters[0]['name'])}" if len(clusters) == 1 else "")
    targets = sorted({cluster["target_version"] for cluster in clusters if cluster["target_version"]})
    forecast = f"forecast for {_text(', '.join(targets))}" if targets else ""
    compared = document.get("compared")
    before = f"compared with {escape(_minute(compared['made']))} UTC" if compared else ""
    return "".join(f"<span>{part}</span>" for part in (made, number, forecast, before) if part)


def _headline(document: Document) -> str:
    total = count_by_severity(finding for _cluster, finding in all_findings(document))
    verdicts = _verdicts(document["clusters"])
    containers = sum(verdicts.values())
    sentences = [f"{format_counts(total).capitalize()}."]
    if containers and verdicts["will_not_pull"]:
        sentences.append(
            f"{verdicts['will_not_pull']:,} of {pluralize(containers, 'container')} cannot pull their image."
        )
    elif containers:
        sentences.append(
            f"No container is known to fail: {verdicts['pulls']:,} of {containers:,} can pull their image."
        )
    return " ".join(sentences)


def _missing_note(document: Document) -> str:
    """Return the clusters without an audit, for the head of the page, so that no one takes such a cluster for clean."""
    missing = document.get("missing")
    if not missing:
        return ""
    items = [f"<li>{_name(cluster['name'])}: {_name(cluster['error'])}</li>" for cluster in missing]
    few = "1 cluster is missing: its audit failed."
    number = few if len(missing) == 1 else f"{len(missing):,} clusters are missing: their audits failed."
    shown = f"<ul>{''.join(items[:_FIRST])}</ul>"
    if items[_FIRST:]:
        shown += (
            f"<details><summary>and {len(items) - _FIRST:,} more</summary><ul>{''.join(items[_FIRST:])}</ul></details>"
        )
    return f'<div class="note missing"><p><strong>{number}</strong></p>{shown}</div>'


def _verdicts(clusters: Sequence[Document]) -> dict[str, int]:
    return {verdict: sum(cluster["verdicts"][verdict] for cluster in clusters) for verdict, _name in _VERDICTS}


def _names(severity: str, number: int) -> str:
    return _SEVERITY_NAMES.get(severity, _INFO_NAMES)[number != 1]


def _tiles(document: Document) -> Iterator[str]:
    found = [finding for _cluster, finding in all_findings(document)]
    total, new = count_by_severity(found), count_by_severity(finding for finding in found if finding.get("new"))
    gone = (
        count_by_severity(entry["finding"] for entry in document["compared"]["gone"]) if "compared" in document else {}
    )
    for severity in SEVERITIES:
        change = f"{new[severity]:,} new, {gone[severity]:,} gone" if gone else ""
        yield (
            f'<div class="tile {severity}"><dt>{_names(severity, total[severity])}</dt>'
            f'<dd><span class="number" data-tile="{severity}">{total[severity]:,}</span><span class="change">{change}</span></dd></div>'
        )
    yield _verdict_tile(_verdicts(document["clusters"]))


def _verdict_tile(verdicts: Mapping[str, int]) -> str:
    legend = "".join(
        f'<li class="{verdict}"><span class="number" data-verdict="{verdict}">{verdicts[verdict]:,}</span> {name}</li>'
        for verdict, name in _VERDICTS
    )
    return f'<div class="tile wide"><dt>Containers</dt><dd>{_bar(verdicts, "bar big")}<ul class="legend">{legend}</ul></dd></div>'


def _bar(verdicts: Mapping[str, int], name: str) -> str:
    """A bar of verdicts. (A style attribute would need a hole in the page's policy; those of SVG need none.)"""
    total, at, parts = sum(verdicts.values()), 0.0, []
    for verdict, _name in _VERDICTS:
        width = 100 * verdicts[verdict] / total if total else 0
        parts.append(f'<rect class="{verdict}" x="{at:.3f}" y="0" width="{width:.3f}" height="8"/>')
        at += width
    return f'<svg class="{name}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">{"".join(parts)}</svg>'


def _clusters(document: Document) -> Iterator[str]:
    found_in = [
        (at, cluster, count_by_severity(cluster["findings"])) for at, cluster in enumerate(document["clusters"])
    ]
    # The worst first.
    for at, cluster, found in sorted(found_in, key=lambda row: [-row[2][severity] for severity in SEVERITIES]):
        new = sum(bool(finding.get("new")) for finding in cluster["findings"])
        cells = "".join(
            f'<td class="count {severity if found[severity] else "none"}" data-label="{_names(severity, 0)}">{found[severity]:,}</td>'
            for severity in SEVERITIES
        )
        if "compared" in document:
            is_known = cluster["name"] not in document["compared"]["only_now"]
            cells += f'<td class="count" data-label="New">{f"{new:,}" if is_known else "not compared"}</td>'
        verdicts, unread = cluster["verdicts"], len(cluster["unreadable"])
        spoken = ", ".join(f"{verdicts[verdict]:,} {name}" for verdict, name in _VERDICTS)
        yield (
            f'<tr><th scope="row"><a href="#cluster={at}" data-cluster="{at}">{_name(cluster["name"])}</a>'
            f'<span class="sub">{_name(cluster["version"] or "version not known")}</span></th>{cells}'
            f'<td data-label="Containers">{_bar(verdicts, "bar")}<span class="vh">{spoken}</span></td>'
            f'<td class="count" data-label="Namespaces">{cluster["counts"]["namespaces"]:,}</td>'
            f'<td class="count" data-label="Not read">{unread:,}</td></tr>'
        )


def _rules(document: Document) -> Iterator[str]:
    """Yield each rule with findings, grouped by severity."""
    groups: dict[str, dict[str, list[tuple[str, Document]]]] = {severity: defaultdict(list) for severity in SEVERITIES}
    for cluster, finding in all_findings(document):
        groups[finding["severity"]][finding["rule"]].append((cluster, finding))
    numbers = {name: at for at, name in enumerate(document["rules"])}
    for severity, rules in groups.items():
        if rules:
            yield f'<div class="group" data-group="{severity}"><h3>{_names(severity, 0)}</h3>'
            for name, found in sorted(rules.items(), key=lambda item: (-len(item[1]), item[0])):
                yield _rule(severity, numbers[name], document["rules"][name], found, len(document["clusters"]))
            yield "</div>"
    if not any(groups.values()):
        yield '<p class="empty">Nothing was found.</p>'


def _rule(severity: str, number: int, rule: Document, found: Sequence[tuple[str, Document]], clusters: int) -> str:
    places = len({cluster for cluster, _finding in found})
    where = f"in {places:,} of {clusters:,} clusters" if clusters > 1 and found[0][0] else ""
    items = "\n".join(_example(cluster, finding, shows_cluster=clusters > 1) for cluster, finding in found[:_FIRST])
    more = f'<p class="more">and {len(found) - _FIRST:,} more</p>' if len(found) > _FIRST else ""
    return (
        f'<details class="rule {severity}" data-rule="{number}" data-severity="{SEVERITIES.index(severity)}">'
        f'<summary><span class="mark {severity}">{_names(severity, 1)}</span><span class="rule-title">{_text(rule["title"])}</span>'
        f'<span class="where">{where}</span><span class="total">{len(found):,}</span></summary>'
        f'<div class="body"><p>{_text(rule["meaning"])}</p><p class="fix"><strong>What to do:</strong> {_text(rule["fix"])}</p>'
        f'<ul class="examples">{items}</ul>{more}</div></details>'
    )


def _example(cluster: str, finding: Document, *, shows_cluster: bool) -> str:
    place = "/".join(filter(None, (finding["namespace"], finding["name"])))
    where = f'<span class="place">{_name(cluster)}</span> ' if shows_cluster and cluster else ""
    new = '<span class="new">new</span> ' if finding.get("new") else ""
    found = offer_of(finding)
    effect = f'<p class="effect">{_name(found.notes)}</p>' if found.notes else ""
    tasks = f"<pre>{_text(found.text)}</pre>" if found.text else ""
    shown = f'<details class="fix"><summary>Fix</summary>{effect}{tasks}</details>' if effect or tasks else ""
    return f'<li>{new}{where}<span class="place">{_text(finding["kind"])} {_name(place)}</span> {_name(finding["message"])}{shown}</li>'


def _unreadable_list(document: Document) -> Iterator[str]:
    for cluster in document["clusters"]:
        if cluster["unreadable"]:
            items = "".join(f"<li>{_name(text)}</li>" for text in cluster["unreadable"])
            yield f"<h3>{_name(cluster['name'])}</h3><ul>{items}</ul>"
    if not any(cluster["unreadable"] for cluster in document["clusters"]):
        yield '<p class="empty">Everything that the audit needed could be read.</p>'
