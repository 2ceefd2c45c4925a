# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The notes on a module's page about the rights that it needs, generated from the rights data.

usage: prepare.py newest sh -c 'cd tests && python -m support.rights_on_pages' (rewrites the notes of all pages)
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.rights import CLUSTER, EVERY, JOBS, Right

__all__ = ["JOBS_OF", "SEE", "notes_of"]

MODULES = Path(__file__).resolve().parents[2] / "plugins" / "modules"
SEE = "See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it."
#: The jobs of each module, with the condition for each.
JOBS_OF: Mapping[str, Sequence[tuple[str, str]]] = {
    "pull_access_export": [("", "export"), ("O(namespace_selector)", "namespace_selector")],
    "credential_rotation": [("", "rotation"), ("", "namespace_selector")],
    "image_puller_grant": [
        ("", "grants"),
        ("O(verify_access)", "verify_access"),
        ("O(namespace_selector)", "namespace_selector"),
    ],
    "image_stream_import": [("", "import"), ("O(namespace_selector)", "namespace_selector")],
    "pull_access_prune": [("", "prune")],
    "pull_access_audit": [("", "audit"), ("", "namespace_selector")],
    "pull_access_images": [("", "images"), ("", "namespace_selector")],
    "pull_access_what_if": [("", "what_if"), ("", "namespace_selector")],
    "pull_access_info": [("", "explain"), ("O(namespace_selector)", "namespace_selector")],
    "pull_probe": [("", "probe"), ("O(namespace_selector)", "namespace_selector")],
    "pull_secret": [("", "secrets"), ("O(namespace_selector)", "namespace_selector")],
    "sa_link": [
        ("", "links"),
        ("O(create)", "create_accounts"),
        ("O(restart_pods)", "restart_pods"),
        ("O(namespace_selector)", "namespace_selector"),
    ],
    "sa_wait": [("", "wait"), ("O(namespace_selector)", "namespace_selector")],
}


def notes_of(module: str) -> list[str]:
    """The notes about rights on the module's page, in their order."""
    return [*_notes(JOBS_OF[module]), SEE]


def _notes(jobs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for condition, job in jobs:
        rights = JOBS[job].rights
        with_option = f" with {condition}" if condition else ""
        if needed := _listed(rights, "fails"):
            yield f"Rights needed{with_option} - {needed}."
        if told := _listed(rights, "told"):
            yield f"Optional rights{with_option} - {told}. Without them, the module reports the missing information and the omitted steps."
        if slower := _listed(rights, "slower"):
            yield f"Rights that save requests{with_option} - {slower}."


def _listed(rights: Iterable[Right], without: str) -> str:
    """Such as `get, list on pods, deployments.apps; get on secrets pull-secret in openshift-config`."""
    by_verbs: dict[str, list[str]] = {}
    for right in rights:
        if right.without == without:
            names = f" {' '.join(right.names)}" if right.names else ""
            where = f" in {right.where}" if right.where not in (EVERY, CLUSTER) else ""
            by_verbs.setdefault(", ".join(right.verbs), []).append(f"{right.resource}{names}{where}")
    return "; ".join(f"{verbs} on {', '.join(dict.fromkeys(found))}" for verbs, found in by_verbs.items())


def main() -> None:
    begun = r"Rights needed|Optional rights|Rights that save requests|See R\(rights"
    for module in JOBS_OF:
        path = MODULES / f"{module}.py"
        page = re.sub(rf"^  - (?:{begun})\b.*\n(?:    .*\n)*", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        notes = "".join("  - " + "\n    ".join(_wrapped(note)) + "\n" for note in notes_of(module))
        page, found = re.subn(
            r"^notes:\n(?:  .*\n)*", lambda held, new=notes: held[0] + new, page, count=1, flags=re.MULTILINE
        )
        assert found, f"{module} has no notes"
        path.write_text(page, encoding="utf-8")


def _wrapped(note: str) -> list[str]:
    return textwrap.wrap(note, 134, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    main()
