# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule is complete and described in the documentation page about audits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.documents import SEVERITIES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import snapshot as survey
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.checks import CHECKS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import DRIFT
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules import RULES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_access import (
    NODE_RULES,
    OPEN_TO_USERS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_verification import (
    VERIFICATION,
)

ROOT = Path(__file__).parents[6]
PAGE = (ROOT / "docs/docsite/rst/audit.rst").read_text(encoding="utf-8")
#: The title of a section of the lowest level, such as the section of a rule.
_SECTION = r"^([a-z-]+)\n\^+\n\n"
NEEDS = {
    survey.SECRETS, survey.ACCOUNTS, survey.PODS, survey.WORKLOADS_READ, survey.BINDINGS, survey.STREAMS, survey.BUILDS
}  # fmt: skip
#: Rules that are applied to more than one namespace, or need an option.
OTHERS = {
    "credential-expires", "pod-cannot-pull", "credential-in-many-places", "credential-copies-differ", "forecast-cached-image", "forecast-credential-provider",
    "forecast-release-signature", "forecast-short-name", "secret-unused", "secret-duplicate", *DRIFT, OPEN_TO_USERS, *VERIFICATION, *NODE_RULES,
}  # fmt: skip


def sections() -> dict[str, str]:
    """Return the text of each rule's section by its title, up to the next section of any level."""
    _before, *parts = re.split(_SECTION, PAGE, flags=re.MULTILINE)
    texts = (re.split(r"^\S.*\n[-=^]{3,}\n", text, flags=re.MULTILINE)[0] for text in parts[1::2])
    return dict(zip(parts[::2], texts, strict=True))


def test_each_rule_is_applied_and_each_check_belongs_to_a_rule() -> None:
    assert {*CHECKS, *OTHERS} == set(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
class TestRule:
    def test_each_rule_is_complete(self, rule):
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.id)
        assert rule.severity in SEVERITIES
        assert set(rule.needs) <= NEEDS
        assert not rule.title.endswith(".")
        assert rule.meaning.endswith(".")
        assert rule.fix.endswith(".")
        assert set(rule.report()) == {"severity", "title", "meaning", "fix"}

    def test_each_rule_has_a_section_with_its_title(self, rule):
        assert rule.id in sections(), f"the guide on the audit has no section {rule.id}"
        text = " ".join(sections()[rule.id].split())
        assert text.startswith(f"{rule.title} ({rule.severity}).")


def test_the_page_has_no_section_without_a_rule() -> None:
    assert set(sections()) - set(RULES) == set()
