# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on many teams removes entries from the cluster after their removal from the inventory, within the limit of a prune."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

NAMESPACES = ("team-a-dev", "team-a-prod", "team-b-1")


def test_the_many_teams_guide_works_as_written(installed, own_lab, pulls):
    image = own_lab.registry("private")["image"]
    for name in NAMESPACES:
        own_lab.namespace(name)
    own_lab.api("PATCH", "/api/v1/namespaces/team-b-1", {"metadata": {"labels": {"team": "b"}}})
    seen = []

    def look():
        seen.append([name for name in NAMESPACES if pulls(name, image, name=f"judged-{len(seen)}")])

    installed.follow(
        "many_teams",
        before={"sed -i": look, "Take back all of one owner": look},
        status={"image_pull_max_prune=0": 2},
    )
    look()
    assert seen == [list(NAMESPACES), list(NAMESPACES)[1:], []]
