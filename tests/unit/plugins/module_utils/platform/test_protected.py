# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the platform or another controller owns is left alone; what is too large is not sent."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform import protected as secret_guard
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.metadata import SecretMetadata


class TestNames:
    @pytest.mark.parametrize("name", ["default-dockercfg-abcde", "my-sa-dockercfg-x"])
    def test_generated_names_are_the_platforms(self, name: str) -> None:
        with pytest.raises(OptionError, match="belongs to the platform"):
            secret_guard.refuse_platform_name(name)

    @pytest.mark.parametrize("name", ["pull", "my-dockercfg", "dockercfg-x", "-dockercfg-", "a-dockercfg-"])
    def test_others_are_free(self, name: str) -> None:
        secret_guard.refuse_platform_name(name)


class TestSize:
    @pytest.mark.parametrize(
        ("sizes", "fits"), [([1048576], True), ([1048577], False), ([1048575, 1], True), ([1048576, 1], False)]
    )
    def test_counts_decoded_bytes_as_the_api_server_does(self, sizes: list[int], fits: bool) -> None:
        values = [base64.b64encode(b"x" * size).decode() for size in sizes]
        if fits:
            secret_guard.check_size("secret a/b", *values)
        else:
            with pytest.raises(OptionError, match="are 10485"):
                secret_guard.check_size("secret a/b", *values)


class TestDropping:
    def test_another_secret_may_drop_anything(self) -> None:
        secret_guard.refuse_dropping(ObjectRef(SECRET, "project-a", "pull-secret"), "x", ["quay.io"], "delete")

    @pytest.mark.parametrize("key", ["quay.io", "https://cloud.openshift.com", "registry.redhat.io/team"])
    def test_names_what_the_platform_needs(self, key: str) -> None:
        with pytest.raises(Refusal, match=f"needs its entries for {key}; add registries with mode=merge"):
            secret_guard.refuse_dropping(
                ObjectRef(SECRET, "openshift-config", "pull-secret"),
                "kubernetes.io/dockerconfigjson",
                ["mine.io", key],
                "update",
            )


class TestMarks:
    MARKS = SecretMetadata({"a": "1"}, {"b": "2"}, True)

    def test_only_what_is_missing_is_told(self) -> None:
        held = {"metadata": {"labels": {"a": "1", "z": "9"}, "annotations": {"b": "3"}}, "immutable": True}
        assert self.MARKS.missing(held) == {"annotations": {"b": "2"}}
        assert self.MARKS.missing({}) == {"labels": {"a": "1"}, "annotations": {"b": "2"}, "immutable": True}

    @pytest.mark.parametrize(
        ("flag", "held"), [(None, True), (None, None), (False, None), (False, False), (True, True)]
    )
    def test_immutable_may_not_matter(self, flag: bool | None, held: bool | None) -> None:
        assert SecretMetadata(immutable=flag).missing({"immutable": held}) == {}

    def test_numbers_are_texts(self) -> None:
        assert SecretMetadata.of({"labels": {"a": 1}}).labels == {"a": "1"}

    @pytest.mark.parametrize(
        "given",
        [{"labels": {"a": "x y"}}, {"labels": {"ä": "x"}}, {"annotations": {"a": None}}, {"labels": {"a": "x" * 64}}],
    )
    def test_what_the_api_server_would_refuse_is_not_sent(self, given: dict[str, dict[str, object]]) -> None:
        with pytest.raises(OptionError, match=f"^option '{next(iter(given))}': "):
            SecretMetadata.of(given)
