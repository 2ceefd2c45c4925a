# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of an account's secrets are the platform's."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform import generated


def account(name: str = "default", **lists: list[str]) -> dict[str, Any]:
    meta = {"name": name, "namespace": "project-a", "resourceVersion": "7"}
    return {"metadata": meta, **{key: [{"name": entry} for entry in entries] for key, entries in lists.items()}}


class TestPlatformsOwn:
    @pytest.mark.parametrize(
        ("name", "theirs"),
        [
            ("default-dockercfg-x7k2p", True),
            ("default-token-x7k2p", True),
            ("by-annotation", True),
            ("builder-dockercfg-x7k2p", False),
            ("default-dockercfg", False),
            ("team", False),
            ("", False),
        ],
    )
    @pytest.mark.parametrize("key", ["imagePullSecrets", "secrets"])
    def test_is_known_by_the_annotation_or_the_form_of_the_name(self, key: str, name: str, theirs: bool) -> None:
        observed = account(**{key: [name, "other"]})
        observed["metadata"]["annotations"] = {generated.REFERENCE: "by-annotation"}
        assert generated.platforms_own(observed) == ({name} if theirs else set())
