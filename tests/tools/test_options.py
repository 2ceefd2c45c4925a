# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules do not have more options than they had. A new option needs a reason that is worth a higher limit."""

from __future__ import annotations

import options

#: Maximum number of options of all modules, and of their own options.
ALL, OWN = 603, 183


def test_the_modules_have_no_more_options_than_before() -> None:
    found = list(options.count_options().values())
    counts = sum(count.all for count in found), sum(count.own for count in found)
    assert counts[0] <= ALL and counts[1] <= OWN, f"raise ALL and OWN to {counts}, with the reason in the commit"


def test_an_option_of_a_fragment_is_not_a_modules_own() -> None:
    counts = options.count_options()
    page = options.page_of(options.ROOT / "plugins/modules/sa_wait.py")
    assert "namespaces" not in page["options"]
    assert counts["sa_wait"].own == len(page["options"])
    shared = {"namespaces", "kubeconfig", "max_failures"}
    assert options.shared_by(page) & shared == shared
    assert counts["sa_wait"].all == len({*page["options"], *options.shared_by(page)})
