# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the platform or another controller are not changed, and too large objects are not sent."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform import protected
from support.objects import b64, raised

REF = ObjectRef(SECRET, "project-a", "quay")
GLOBAL = ObjectRef(SECRET, "openshift-config", "pull-secret")
JSON = "kubernetes.io/dockerconfigjson"
FILE = b64(json.dumps({"auths": {"quay.io": {"auth": "YTpi"}}}))
NODES = "secret openshift-config/pull-secret is the pull secret of every node"


def refusal(call: Any, *arguments: Any, **named: Any) -> str:
    return raised((Refusal, OptionError), lambda: call(*arguments, **named))


class TestNames:
    @pytest.mark.parametrize("name", ["default-dockercfg-abcde", "my-sa-dockercfg-x", "a-dockercfg-b-dockercfg-"])
    def test_generated_names_are_refused(self, name: str) -> None:
        assert refusal(protected.refuse_platform_name, name) == (
            f"option 'name': {name!r} belongs to the platform, which names the secrets that it generates for a service account "
            "NAME-dockercfg-SUFFIX. Choose another name"
        )

    @pytest.mark.parametrize(
        "name", ["pull", "my-dockercfg", "dockercfg-x", "-dockercfg-", "a-dockercfg-", "-dockercfg-a"]
    )
    def test_other_names_are_accepted(self, name: str) -> None:
        protected.refuse_platform_name(name)


class TestForeign:
    @pytest.mark.parametrize("kind", [JSON, "kubernetes.io/dockercfg", "kubernetes.io/podmanconfigjson"])
    @pytest.mark.parametrize(
        "meta",
        [{}, {"annotations": None, "ownerReferences": None}, {"annotations": {"a": "b"}}, {"annotations": 5, "ownerReferences": [None, 5]}],
    )  # fmt: skip
    def test_pull_secrets_may_be_changed(self, kind: str, meta: dict[str, Any]) -> None:
        protected.refuse_foreign(REF, {"type": kind, "metadata": meta}, convertible=False)

    @pytest.mark.parametrize(
        "name", ["openshift.io/internal-registry-auth-token.service-account", "openshift.io/token-secret.name"]
    )
    def test_pull_secrets_of_the_platform_are_refused(self, name: str) -> None:
        found = {"type": JSON, "metadata": {"annotations": {name: ""}}}
        assert refusal(protected.refuse_foreign, REF, found, convertible=True) == (
            "secret project-a/quay belongs to the platform, which would restore it. It was not changed: choose another name"
        )

    def test_the_copy_of_the_nodes_secret_for_builds_is_refused(self) -> None:
        assert refusal(protected.refuse_foreign, protected.NODE_SECRET_COPY, {"type": JSON}, convertible=True) == (
            "secret openshift-machine-config-operator/global-pull-secret-copy belongs to the platform, which would restore it. It was not "
            "changed: choose another name"
        )

    def test_pull_secrets_of_a_controller_are_refused(self) -> None:
        owner = {"kind": "ExternalSecret", "name": "x"}
        found = {"type": JSON, "metadata": {"ownerReferences": [{**owner, "name": "y"}, {**owner, "controller": True}]}}
        assert refusal(protected.refuse_foreign, REF, found, convertible=True) == (
            "secret project-a/quay is managed by ExternalSecret x, which would restore it. It was not changed: change it there, or choose "
            "another name"
        )
        found["metadata"]["ownerReferences"][1]["controller"] = False  # type: ignore[index]
        protected.refuse_foreign(REF, found, convertible=False)

    @pytest.mark.parametrize(
        "data", [{}, {"password": "eA=="}, {"config.json": FILE, "x": "eA=="}, {"config.json": b64("{}")}]
    )
    @pytest.mark.parametrize("convertible", [True, False])
    def test_secrets_of_another_type_are_refused(self, data: dict[str, str], convertible: bool) -> None:
        assert refusal(protected.refuse_foreign, REF, {"data": data}, convertible=convertible) == (
            "secret project-a/quay has type Opaque and is not a pull secret. It was not changed: choose another name"
        )

    def test_an_auth_file_with_a_wrong_type_may_be_converted(self) -> None:
        found = {"type": "example.com/own", "data": {"config.json": FILE}}
        protected.refuse_foreign(REF, found, convertible=True)
        assert refusal(protected.refuse_foreign, REF, found, convertible=False) == (
            "secret project-a/quay holds an auth file, but has type example.com/own, from which no node reads one. It was not changed: "
            "convert it with 'recreate: true', or choose another name"
        )


@pytest.mark.parametrize(
    ("annotations", "answer"),
    [
        ({"openshift.io/token-secret.name": "x"}, True),
        ({"openshift.io/internal-registry-auth-token.service-account": "gone"}, True),
        ({"openshift.io/other": "x"}, False),
        (None, False),
        ("odd", False),
    ],
)
def test_an_annotation_marks_a_secret_as_generated(annotations: Any, answer: bool) -> None:
    assert protected.is_marked_generated({"metadata": {"annotations": annotations}}) is answer


class TestGlobal:
    @pytest.mark.parametrize(
        ("ref", "answer"),
        [(GLOBAL, True), (ObjectRef(SECRET, "openshift-config", "x"), False), (ObjectRef(SECRET, "x", "pull-secret"), False)],
    )  # fmt: skip
    def test_the_global_pull_secret_is_recognized(self, ref: ObjectRef, answer: bool) -> None:
        assert protected.is_global(ref) is answer

    def test_another_secret_may_lose_anything(self) -> None:
        other = ObjectRef(SECRET, "project-a", "pull-secret")
        for action in ("create", "update", "delete", "replace"):
            protected.refuse_dropping(other, "x", ["quay.io"], action)
        protected.refuse_unknown_loss(other, "is not base64")

    @pytest.mark.parametrize("action", ["delete", "replace"])
    def test_the_global_pull_secret_is_never_deleted(self, action: str) -> None:
        assert refusal(protected.refuse_dropping, GLOBAL, JSON, (), action) == (
            f"{NODES} and must not be deleted, not even for a moment. It was not changed: use 'mode: merge' or 'mode: remove'"
        )

    @pytest.mark.parametrize("action", ["create", "update"])
    def test_the_global_pull_secret_keeps_its_type(self, action: str) -> None:
        assert refusal(protected.refuse_dropping, GLOBAL, "kubernetes.io/dockercfg", (), action) == (
            f"{NODES} and must have type kubernetes.io/dockerconfigjson. It was not changed: leave out the option 'type'"
        )
        protected.refuse_dropping(GLOBAL, JSON, (), action)

    @pytest.mark.parametrize(
        "key",
        [
            "quay.io", "https://cloud.openshift.com", "registry.redhat.io/team", "registry.connect.redhat.com", "QUAY.IO/", "arosvc.azurecr.io", "***@quay.io",
        ],
    )  # fmt: skip
    def test_the_global_pull_secret_keeps_the_entries_that_the_platform_needs(self, key: str) -> None:
        assert refusal(protected.refuse_dropping, GLOBAL, JSON, ["mine.io", key], "update") == (
            f"{NODES}, and the platform needs its entries for {key}. It was not changed: add registries with 'mode: merge', include these "
            "entries, or list the entries to drop in 'drop_platform_registries'"
        )

    def test_the_global_pull_secret_may_lose_entries_named_in_the_option(self) -> None:
        protected.refuse_dropping(
            GLOBAL, JSON, ["https://quay.io/", "arosvc.azurecr.io"], "update", ["quay.io", "https://arosvc.azurecr.io"]
        )
        message = refusal(protected.refuse_dropping, GLOBAL, JSON, ["quay.io", "quay.io/team"], "update", ["quay.io"])
        assert "needs its entries for quay.io/team." in message
        assert "must not be deleted" in refusal(protected.refuse_dropping, GLOBAL, JSON, (), "delete", ["quay.io"])

    def test_another_secret_is_protected_alike_if_the_option_is_given(self) -> None:
        other = ObjectRef(SECRET, "clusters", "prod-pull")
        assert "needs its entries for quay.io." in refusal(
            protected.refuse_dropping, other, JSON, ["quay.io"], "update", []
        )
        assert "must not be deleted" in refusal(protected.refuse_dropping, other, JSON, (), "delete", [])
        protected.refuse_dropping(other, JSON, ["quay.io"], "update", ["quay.io"])
        protected.refuse_unknown_loss(other, "is not base64")
        with pytest.raises(Refusal, match="it is not known which entries 'mode: replace' would remove"):
            protected.refuse_unknown_loss(other, "is not base64", guarded=True)

    def test_a_refusal_names_all_entries_that_the_platform_needs(self) -> None:
        message = refusal(
            protected.refuse_dropping, GLOBAL, JSON, ["registry.redhat.io", "mine.io", "quay.io"], "update"
        )
        assert "needs its entries for quay.io, registry.redhat.io." in message

    @pytest.mark.parametrize("key", ["mine.io", "quay.io:443", "quay.io.example.com"])
    def test_the_global_pull_secret_may_lose_other_entries(self, key: str) -> None:
        protected.refuse_dropping(GLOBAL, JSON, [key], "update")

    def test_an_unreadable_global_pull_secret_is_not_replaced(self) -> None:
        protected.refuse_unknown_loss(GLOBAL, "")
        assert refusal(protected.refuse_unknown_loss, GLOBAL, "is not base64") == (
            f"{NODES}, and its content is not base64, so it is not known which entries 'mode: replace' would remove. It was not changed: repair the content "
            "first, for example with 'oc set data secret/pull-secret -n openshift-config --from-file=.dockerconfigjson=FILE'"
        )


class TestSize:
    @pytest.mark.parametrize(
        ("sizes", "total"), [([1_048_576], 0), ([1_048_577], 1_048_577), ([1_048_575, 1], 0), ([1_048_575, 2], 1_048_577), ([], 0)]
    )  # fmt: skip
    def test_the_size_is_counted_in_decoded_bytes_as_the_api_server_does(self, sizes: list[int], total: int) -> None:
        values = [base64.b64encode(b"x" * size).decode() for size in sizes]
        if not total:
            protected.check_size("secret a/b", *values)
            return
        assert refusal(protected.check_size, "secret a/b", *values) == (
            f"the data of secret a/b has {total} bytes, but a secret holds at most 1048576: use fewer registries"
        )


class TestIsPlatforms:
    """These objects are never taken over and never pruned, whatever their labels are."""

    @pytest.mark.parametrize(
        ("ref", "meta"),
        [
            (GLOBAL, {}),
            (protected.NODE_SECRET_COPY, {}),
            (ObjectRef(SERVICE_ACCOUNT, "a", "default"), {}),
            (ObjectRef(SERVICE_ACCOUNT, "a", "builder"), {}),
            (ObjectRef(ROLE_BINDING, "a", "system:image-pullers"), {}),
            (ObjectRef(ROLE_BINDING, "a", "x"), {"annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"}}),
            (REF, {"annotations": {"openshift.io/token-secret.name": "x"}}),
            (REF, {"ownerReferences": [{"controller": True}]}),
        ],
    )  # fmt: skip
    def test_objects_of_the_platform_are_recognized(self, ref: ObjectRef, meta: dict[str, Any]) -> None:
        assert protected.is_platform_object(ref, {"metadata": meta})

    @pytest.mark.parametrize(
        ("ref", "meta"),
        [
            (REF, {}),
            (ObjectRef(SERVICE_ACCOUNT, "openshift-config", "pull-secret"), {}),
            (ObjectRef(SECRET, "a", "default"), {"annotations": None}),
            (ObjectRef(ROLE_BINDING, "a", "image-puller-grant"), {"annotations": 5, "ownerReferences": [{}, None]}),
        ],
    )
    def test_objects_of_others_are_not_taken_for_the_platforms(self, ref: ObjectRef, meta: dict[str, Any]) -> None:
        assert not protected.is_platform_object(ref, {"metadata": meta})


@pytest.mark.parametrize(
    ("owners", "who"),
    [
        (None, ""),
        ("text", ""),
        ([None, {}, {"kind": "Job", "name": "j"}], ""),
        ([{"kind": "Job", "name": "j"}, {"kind": "Rollout", "name": "r", "controller": True}], "Rollout r"),
    ],
)
def test_the_controlling_owner_is_named(owners: Any, who: str) -> None:
    assert protected.controller_of({"metadata": {"ownerReferences": owners}}) == who


class TestAutoupdate:
    @pytest.mark.parametrize(("given", "said"), [("false", "false"), ("true", "true"), (None, "")])
    def test_the_autoupdate_annotation_is_returned(self, given: Any, said: str) -> None:
        name = "rbac.authorization.kubernetes.io/autoupdate"
        assert protected.autoupdate({"metadata": {"annotations": {name: given}}}) == said
        assert protected.autoupdate({}) == ""


def test_secrets_for_builds_of_node_images_are_those_of_the_operators_namespace() -> None:
    assert protected.is_for_node_builds(protected.NODE_SECRET_COPY)
    assert protected.is_for_node_builds(ObjectRef(SECRET, "openshift-machine-config-operator", "base"))
    assert not protected.is_for_node_builds(GLOBAL)
    assert not protected.is_for_node_builds(ObjectRef(SERVICE_ACCOUNT, "openshift-machine-config-operator", "base"))
