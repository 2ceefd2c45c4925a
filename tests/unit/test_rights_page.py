# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page about permissions matches the data, and is at the address that messages refer to."""

from __future__ import annotations

import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import RIGHTS_PAGE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.rights import JOBS
from support.rights_page import PAGE, written

ROOT = PAGE.parents[3]


def test_the_tables_of_the_page_match_the_data() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page), "run tests/support/rights_page.py"


def test_messages_contain_the_address_of_the_page() -> None:
    repository = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
    assert f"{repository}/blob/main/{PAGE.relative_to(ROOT).as_posix()}" == RIGHTS_PAGE


def test_the_modules_page_has_all_jobs() -> None:
    text = (ROOT / "plugins/modules/automation_account.py").read_text(encoding="utf-8")
    documentation = yaml.safe_load(text.partition('DOCUMENTATION = r"""')[2].partition('"""')[0])
    assert documentation["options"]["jobs"]["choices"] == [*JOBS]
