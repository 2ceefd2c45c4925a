# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on image streams of other projects grants pull access, and revokes it again."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow


def test_the_cross_project_guide_works_as_written(installed, own_lab, pulls):
    image = own_lab.registry("integrated")["image"]
    own_lab.run("run", "--dir", str(own_lab.dir), "project-b", "owner", image)
    own_lab.run("push", "--dir", str(own_lab.dir), "project-b/app:v1")
    for name in ("project-a", "project-c"):
        own_lab.namespace(name)
    seen = []

    def look():
        seen.append((pulls("project-a", image), pulls("project-c", image, name="second")))

    look()
    installed.follow("cross_project", before={"-e account=project-a/default": look})
    look()
    assert seen == [(False, False), (True, True), (False, True)]
