# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All declarations of the guide on private registries, applied at once, allow pods to pull."""

from __future__ import annotations


def test_the_private_registries_guide_works_as_written(installed, own_lab, pulls):
    image = own_lab.registry("private")["image"]
    for name in ("a", "b", "c", "d", "e", "f"):
        own_lab.namespace(f"project-{name}")
    own_lab.namespace("team-shared")
    own_lab.api("PATCH", "/api/v1/namespaces/team-shared", {"metadata": {"labels": {"registry": "shared"}}})
    own_lab.namespace("team-sandbox")
    own_lab.api("PATCH", "/api/v1/namespaces/team-sandbox", {"metadata": {"labels": {"registry": "shared"}}})
    login = ["login", "--dir", str(own_lab.dir), "--registry", "private", "--podman"]
    own_lab.run(*login, installed.environment["HOME"] + "/auth.json")

    installed.follow("private_registries")

    served = {
        name: pulls(name, image) for name in (*(f"project-{one}" for one in "abcdef"), "team-shared", "team-sandbox")
    }
    assert served == {name: name != "team-sandbox" for name in served}
    assert set(own_lab.entries("project-e", "team-registry")) == {own_lab.registry("private")["host"] + "/team"}
