# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promises 2, 3 and 5 for one secret: exact changes, views without a credential, refusals before a write."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import MANAGED_BY
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret import (
    options as pull_secret,
)

from unit.canaries import CANARIES, b64, shown

DOCKERCONFIGJSON, DOCKERCFG, PODMANCONFIGJSON = pull_secret.TYPES
KEYS = {DOCKERCONFIGJSON: ".dockerconfigjson", DOCKERCFG: ".dockercfg", PODMANCONFIGJSON: "auth.json"}


def registry(password: str = "canary", key: str = "quay.io") -> dict[str, str]:
    return {"registry": key, "username": "robot", "password": password}


def wish(**given: Any) -> pull_secret.PullSecret:
    options = {"name": "quay", "state": "present", "type": DOCKERCONFIGJSON, "registries": [registry()]}
    return pull_secret.from_options({**options, **given}, lambda path: pytest.fail(f"reads {path}"))


def secret(content: Any = None, kind: str = DOCKERCONFIGJSON, **more: Any) -> dict[str, Any]:
    text = content if isinstance(content, str) else json.dumps(content)
    meta = {"name": "quay", "uid": "u", "resourceVersion": "7"}
    return {"metadata": meta, "type": kind, "data": {KEYS.get(kind, "key"): b64(text)}, **more}


def entry(password: str = "canary") -> dict[str, str]:
    return {"auth": b64(f"robot:{password}")}


def annotated(name: str) -> dict[str, Any]:
    found = secret({}, DOCKERCFG)
    return {**found, "metadata": {**found["metadata"], "annotations": {name: "default"}}}


SAME = secret({"auths": {"quay.io": entry()}})
BROKEN_DATA = {**secret(), "data": {".dockerconfigjson": "%"}}
NO_DATA = {"metadata": {"name": "quay"}, "type": DOCKERCONFIGJSON}
NOT_UTF8 = {**secret(), "data": {".dockerconfigjson": base64.b64encode(b'{"auths": {"\xff": {}}}').decode()}}
FOREIGN = secret("x", "Opaque")
PLATFORM = annotated("openshift.io/internal-registry-auth-token.service-account")
PLATFORM_LEGACY = annotated("openshift.io/token-secret.name")

NO_PULL_SECRET = "secret project-a/quay is no pull secret but of type Opaque; it is left alone: choose another name"
OF_THE_PLATFORM = "secret project-a/quay belongs to the platform, which would write it again; choose another name"
OTHER_TYPE = (
    f"secret project-a/quay exists with type {DOCKERCFG}, and the type of a secret cannot be changed to {DOCKERCONFIGJSON}; "
    "with recreate=true it is deleted and created anew, or put back if that fails; or choose another name"
)
IMMUTABLE = (
    "secret project-a/quay is immutable; "
    "with recreate=true it is deleted and created anew, or put back if that fails; or choose another name"
)


def planned(state: str, observed: dict[str, Any] | None) -> str:
    """The actions that a wish leads to, or the refusal."""
    given = {"state": state, **({} if state == "present" else {"registries": None})}
    try:
        plan = wish(**given).plan("project-a", {} if observed is None else {"quay": observed})
    except Refusal as error:
        return str(error)
    return " ".join(change.action for change in plan.changes)


class TestPlan:
    @pytest.mark.parametrize(
        ("state", "observed", "result"),
        [
            ("present", None, "create"),
            ("present", SAME, ""),
            ("present", {**SAME, "immutable": True}, ""),
            ("present", secret({"auths": {"quay.io": {"username": "robot", "password": "canary"}}}), ""),
            ("present", secret({"auths": {"quay.io": entry("other")}}), "update"),
            ("present", secret({"auths": {"quay.io": entry("other")}}, immutable=True), IMMUTABLE),
            ("present", secret({"auths": {"quay.io": entry(), "more.io": entry()}}), "update"),
            ("present", secret({"quay.io": entry()}), "update"),
            ("present", secret("no JSON"), "update"),
            ("present", secret({"auths": []}), "update"),
            ("present", BROKEN_DATA, "update"),
            ("present", NO_DATA, "update"),
            ("present", NOT_UTF8, "update"),
            ("present", secret({"quay.io": entry()}, DOCKERCFG), OTHER_TYPE),
            ("present", FOREIGN, NO_PULL_SECRET),
            ("present", PLATFORM, OF_THE_PLATFORM),
            ("present", PLATFORM_LEGACY, OF_THE_PLATFORM),
            ("absent", None, ""),
            ("absent", SAME, "delete"),
            ("absent", {**SAME, "immutable": True}, "delete"),
            ("absent", secret({"quay.io": entry()}, DOCKERCFG), "delete"),
            ("absent", secret({}, PODMANCONFIGJSON), "delete"),
            ("absent", BROKEN_DATA, "delete"),
            ("absent", NO_DATA, "delete"),
            ("absent", FOREIGN, NO_PULL_SECRET),
            ("absent", PLATFORM, OF_THE_PLATFORM),
            ("absent", PLATFORM_LEGACY, OF_THE_PLATFORM),
        ],
    )
    def test_truth_table(self, state: str, observed: Any, result: str) -> None:
        assert planned(state, observed) == result

    @pytest.mark.parametrize("kind", pull_secret.TYPES)
    def test_what_was_created_needs_no_change(self, kind: str) -> None:
        """Also with the strings that Python can hold and UTF-8 cannot."""
        desired = wish(type=kind, registries=[{**registry("\udc80ä✓"), "email": "\ud800@x"}])
        (change,) = desired.plan("project-a", {}).changes
        assert change.body["type"] == kind
        assert list(change.body["data"]) == [KEYS[kind]]
        assert desired.plan("project-a", {"quay": change.body}).changes == ()

    def test_a_new_secret_is_labelled_as_ours(self) -> None:
        (change,) = wish().plan("project-a", {}).changes
        assert change.body["metadata"] == {"name": "quay", "namespace": "project-a", "labels": MANAGED_BY}

    def test_an_update_sends_the_data_and_the_version_that_was_read(self) -> None:
        (change,) = wish().plan("project-a", {"quay": secret({})}).changes
        assert set(change.body) == {"data", "metadata"}
        assert change.body["metadata"] == {"resourceVersion": "7"}

    def test_a_delete_is_for_the_secret_that_was_read(self) -> None:
        (change,) = wish(state="absent").plan("project-a", {"quay": SAME}).changes
        assert change.body["preconditions"] == {"uid": "u", "resourceVersion": "7"}

    def test_reports_registries_and_what_changed(self) -> None:
        observed = secret({"auths": {"quay.io": entry("old"), "old.io": entry()}})
        (change,) = wish(registries=[registry(), registry(key="new.io")]).plan("project-a", {"quay": observed}).changes
        assert change.details == {
            "registries": {"added": ["new.io"], "changed": {"quay.io": ["password"]}, "removed": ["old.io"]}
        }
        before = {"old.io": "credential", "quay.io": "credential"}
        after = {"new.io": "credential", "quay.io": "credential with changed password"}
        assert change.before == {"type": DOCKERCONFIGJSON, "registries": before}
        assert change.after == {"type": DOCKERCONFIGJSON, "registries": after}

    @pytest.mark.parametrize("canary", CANARIES)
    @pytest.mark.parametrize(
        "how",
        [
            {"state": "present"},
            {"state": "absent"},
            {"mode": "merge", "recreate": True},
            {"mode": "remove"},
            {"type": DOCKERCFG, "recreate": True},
        ],
        ids=str,
    )
    @pytest.mark.parametrize(
        "observe",
        [
            lambda canary: None,
            lambda canary: secret({"auths": {"quay.io": entry(canary)}}),
            lambda canary: secret({"auths": {"quay.io": {"username": canary, "password": canary}}}),
            lambda canary: secret({"auths": {f"https://robot:{canary}@quay.io": entry(canary)}}),
            lambda canary: secret({"auths": {"quay.io": canary, "a.io": {"auth": canary}}}),
            secret,
        ],
    )
    def test_nothing_that_is_reported_holds_a_credential(self, observe: Any, how: dict[str, Any], canary: str) -> None:
        observed = observe(canary)
        desired = wish(**how, registries=[registry(canary + "-new"), registry(canary, "other.io")])
        objects = {} if observed is None else {"quay": observed}
        try:
            plan = desired.plan("project-a", objects)
        except Refusal as error:
            assert shown(str(error), canary) == []
            return
        assert shown(repr((plan.notes, desired.warnings)), canary) == []
        for change in plan.changes:
            reported = repr((change.report(), change.details, change.before, change.after))
            assert shown(reported, canary) == shown(reported, canary + "-new") == []

    @pytest.mark.parametrize("observed", [PLATFORM, FOREIGN, secret({"quay.io": entry()}, DOCKERCFG)])
    def test_no_refusal_shows_a_credential(self, observed: Any) -> None:
        assert shown(planned("present", observed), "canary") == []

    def test_an_accidental_repr_shows_no_credential(self) -> None:
        assert shown(repr(wish()), "canary") == []


class TestFromOptions:
    def test_reads_the_file_and_names_it(self) -> None:
        options = {"name": "quay", "state": "present", "type": DOCKERCONFIGJSON, "auth_file": "/me/auth.json"}
        with pytest.raises(OptionError, match="^auth file /me/auth.json is not valid JSON"):
            pull_secret.from_options(options, lambda path: f"content of {path}")

    @pytest.mark.parametrize("config", [{"auths": {"quay.io": entry()}}, json.dumps({"auths": {"quay.io": entry()}})])
    def test_takes_auth_config_as_data_and_as_text(self, config: Any) -> None:
        assert wish(registries=None, auth_config=config).plan("project-a", {"quay": SAME}).changes == ()

    @pytest.mark.parametrize("config", ["x", "[]", [], {}])
    def test_names_auth_config_in_refusals(self, config: Any) -> None:
        with pytest.raises(OptionError, match="^option 'auth_config' "):
            wish(registries=None, auth_config=config)

    def test_refuses_an_empty_list_instead_of_emptying_the_secret(self) -> None:
        with pytest.raises(
            OptionError, match="^option 'registries' is empty: give at least one registry, or state=absent"
        ):
            wish(registries=[])

    def test_refuses_a_name_that_cannot_exist(self) -> None:
        with pytest.raises(OptionError, match="^option 'name': 'Quay' cannot be an object's name"):
            wish(name="Quay")

    def test_refuses_more_than_a_secret_holds(self) -> None:
        with pytest.raises(
            OptionError,
            match=r"^the credentials for secret quay are \d+ bytes; a secret holds 1048576 at most: take fewer$",
        ):
            wish(registries=[registry("x" * 500_000)])

    @pytest.mark.parametrize(
        ("kind", "options", "key"),
        [
            (DOCKERCONFIGJSON, {"auth_file": "/me/auth.json"}, ".dockerconfigjson"),
            (DOCKERCFG, {"auth_file": "/me/auth.json"}, ".dockercfg"),
            (PODMANCONFIGJSON, {"auth_file": "/me/my-auth.json"}, "my-auth.json"),
            (PODMANCONFIGJSON, {}, "auth.json"),
        ],
    )
    def test_the_data_key_goes_with_the_type(self, kind: str, options: Any, key: str) -> None:
        """As `oc create secret` names it; facts 1.1 and 1.4."""
        assert wish(state="absent", type=kind, registries=None, **options).target.key == key


class TestWarnings:
    def test_podmans_type_is_written_with_a_warning(self) -> None:
        (warning,) = wish(type=PODMANCONFIGJSON).warnings
        assert "the kubelet, CRI-O, image import and builds do not read it" in warning
        assert DOCKERCONFIGJSON in warning

    @pytest.mark.parametrize("given", [{}, {"type": DOCKERCFG}, {"type": PODMANCONFIGJSON, "state": "absent"}])
    def test_others_without(self, given: Any) -> None:
        assert wish(**given).warnings == []
