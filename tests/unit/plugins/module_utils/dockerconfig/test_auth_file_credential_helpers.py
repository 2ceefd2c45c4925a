# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A credential that is kept by a helper program is not in the file, and no node can ask for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import Helpers
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.json_text import Object
from support.objects import raised

SOURCE = "the file"


def helpers(**top: Any) -> Helpers:
    return Helpers.of(Object.parse(json.dumps(top)), SOURCE)


def refusal(call: Any, *arguments: Any) -> str:
    return raised(OptionError, lambda: call(*arguments))


def elsewhere(registry: str, helper: str) -> str:
    return (
        f"the file holds no credential for {registry}: the credential helper 'docker-credential-{helper}' keeps it, "
        "and nodes cannot ask the helper. Log in with 'podman login --authfile FILE REGISTRY', or give 'registries' instead"
    )


class TestOf:
    @pytest.mark.parametrize(
        ("top", "store", "by_host"),
        [
            ({}, "", {}),
            ({"credsStore": None, "credHelpers": None}, "", {}),
            ({"credsStore": "", "credHelpers": {}}, "", {}),
            ({"CREDSSTORE": "desktop", "CREDHELPERS": {"https://GCR.io/": "gcloud"}}, "desktop", {"gcr.io": "gcloud"}),
            ({"credHelpers": {"u:p@quay.io": "x", "index.docker.io": "y"}}, "", {"quay.io": "x", "docker.io": "y"}),
        ],
    )
    def test_credential_helpers_are_read_in_any_case(
        self, top: dict[str, Any], store: str, by_host: dict[str, str]
    ) -> None:
        found = helpers(**top)
        assert (found.store, found.by_host) == (store, by_host)

    @pytest.mark.parametrize(
        ("top", "why"),
        [
            ({"credsStore": 1}, "'credsStore' is a number, not a string"),
            ({"credsStore": {"password": "canary"}}, "'credsStore' is an object, not a string"),
            ({"credHelpers": ["canary"]}, "'credHelpers' is a list, not an object"),
            ({"credHelpers": {"a": "b", "c": {"password": "canary"}}}, "'credHelpers' has a value that is an object, not a string"),
            ({"credHelpers": {"a": None}}, "'credHelpers' has a value that is null, not a string"),
        ],
    )  # fmt: skip
    def test_credential_helpers_of_a_wrong_type_are_refused(self, top: dict[str, Any], why: str) -> None:
        def make() -> Helpers:
            return helpers(**top)

        assert refusal(make) == f"the file is not an auth file: {why}"


class TestRefusals:
    BOTH = {"credsStore": "desktop", "credHelpers": {"gcr.io": "gcloud", "eu.gcr.io": "gcloud"}}

    @pytest.mark.parametrize("value", ["{}", "null", "{ }"])
    @pytest.mark.parametrize(("key", "helper"), [("gcr.io/team", "gcloud"), ("https://quay.io/", "desktop")])
    def test_an_empty_entry_means_that_a_helper_keeps_the_credential(self, key: str, helper: str, value: str) -> None:
        assert refusal(helpers(**self.BOTH).refuse_empty, key, value, SOURCE) == elsewhere(key, helper)

    @pytest.mark.parametrize(
        ("top", "value"),
        [(BOTH, '{"auth": "x"}'), (BOTH, '"x"'), (BOTH, "[]"), ({}, "{}"), ({"credHelpers": {"a.io": "x"}}, "{}")],
    )
    def test_an_entry_with_content_or_without_a_helper_is_not_refused(self, top: dict[str, Any], value: str) -> None:
        helpers(**top).refuse_empty("quay.io", value, SOURCE)

    def test_a_login_in_the_key_is_not_shown(self) -> None:
        assert "canary" not in refusal(helpers(**self.BOTH).refuse_empty, "u:canary@quay.io", "{}", SOURCE)

    def test_a_chosen_registry_whose_credential_is_in_a_helper_is_refused(self) -> None:
        assert refusal(helpers(**self.BOTH).refuse_chosen, "eu.*", SOURCE) == elsewhere("eu.gcr.io", "gcloud")
        helpers(**self.BOTH).refuse_chosen("quay.io", SOURCE)

    def test_registries_that_only_a_helper_has_are_refused(self) -> None:
        found = helpers(credHelpers={"b.io": "x", "a.io": "x", "c.io": "x"})
        assert refusal(found.refuse_unreachable, ["https://c.io/v1/"], SOURCE) == elsewhere("a.io, b.io", "x")
        found.refuse_unreachable(["a.io", "b.io/team", "c.io"], SOURCE)

    def test_a_store_keeps_every_credential_if_the_file_is_empty(self) -> None:
        found = helpers(credsStore="desktop")
        assert refusal(found.refuse_unreachable, [], SOURCE) == elsewhere("every registry", "desktop")
        found.refuse_unreachable(["quay.io"], SOURCE)
        helpers().refuse_unreachable([], SOURCE)
