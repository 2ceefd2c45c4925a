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
    POD,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Kind,
    ObjectRef,
    trim_object,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform import protected
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import (
    BUILD_NAMESPACE,
    MACHINE_OS_CONFIG,
    BuildSecrets,
    describe_keeper,
    external_manager_of,
    is_refreshed,
)
from hypothesis import given
from support.anything import ANYTHING, CHANGES, Changed
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


# --- The manager that keeps the content of a secret is recognized


def secret(**metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "s", **metadata}}


def managed_by(*managers: str) -> dict[str, Any]:
    return secret(managedFields=[{"manager": name} for name in managers])


@pytest.mark.parametrize(
    ("found", "keeper", "refreshed"),
    [
        (secret(), "", False),
        (managed_by("kubectl-client-side-apply", "openshift_ops.image_pull"), "", False),
        (managed_by("kubectl", "external-secrets"), "external-secrets", True),
        (managed_by("reflector"), "reflector", True),
        (managed_by("argocd-controller"), "argocd-controller", False),
        (managed_by("kustomize-controller"), "kustomize-controller", False),
        (managed_by("secretarial"), "", False),
        (secret(ownerReferences=[{"kind": "ExternalSecret", "name": "quay", "controller": True}]),
         "ExternalSecret quay", True),
        (secret(ownerReferences=[{"kind": "ExternalSecret", "name": "quay"}]), "", False),
        (secret(labels={"reconcile.external-secrets.io/managed": "true"}), "External Secrets", False),
        (secret(annotations={"kubed.appscode.com/origin": "{}"}), "Config Syncer", False),
        (secret(annotations={"reflector.v1.k8s.emberstack.com/reflects": "a/b"}), "Reflector", False),
        (secret(annotations={"openshift.io/token-secret.name": "t"}), "the platform", True),
        ({"metadata": {"namespace": "openshift-machine-config-operator", "name": "global-pull-secret-copy"}},
         "the machine config operator, which copies it from openshift-config/pull-secret,", True),
        ({"metadata": {"namespace": "a", "name": "global-pull-secret-copy"}}, "", False),
    ],
)  # fmt: skip
def test_the_manager_of_a_secret_is_recognized_by_its_metadata(
    found: dict[str, Any], keeper: str, refreshed: bool
) -> None:
    assert (external_manager_of(found), is_refreshed(found)) == (keeper, refreshed)


def wrote(*managers: str, field: str = "f:subjects") -> dict[str, Any]:
    return secret(managedFields=[{"manager": name, "fieldsV1": {field: {}}} for name in managers])


@pytest.mark.parametrize(
    ("kind", "found", "keeper"),
    [
        (ROLE_BINDING, secret(), ""),
        (ROLE_BINDING, wrote("oc", field="f:roleRef"), ""),
        (ROLE_BINDING, wrote("openshift_ops.image_pull", "openshift-controller-manager"), ""),
        (ROLE_BINDING, wrote("openshift_ops.image_pull", "oc"), "oc last wrote its subjects"),
        (SERVICE_ACCOUNT, wrote("oc", field="f:imagePullSecrets"), "oc last wrote its imagePullSecrets"),
        (ROLE_BINDING, wrote("argocd-controller", field="f:roleRef"), "argocd-controller manages it"),
        (POD, wrote("oc"), ""),
    ],
)
def test_the_last_writer_of_a_declared_part_is_named(kind: Kind, found: dict[str, Any], keeper: str) -> None:
    assert describe_keeper(kind, found) == keeper


@given(ANYTHING)
def test_malformed_metadata_raises_no_error(anything: Any) -> None:
    for part in ("labels", "annotations", "managedFields", "ownerReferences"):
        assert isinstance(external_manager_of(secret(**{part: anything})), str)
        assert isinstance(describe_keeper(ROLE_BINDING, secret(**{part: anything})), str)
        assert is_refreshed(secret(**{part: anything})) in (True, False)


# --- The secrets that MachineOSConfigs name are known by their names, and other secrets of the namespace are not named

WRONG = ", and a wrong login shows at the next build"


def config(name: str, base: Any = None, push: Any = None) -> dict[str, Any]:
    spec = {
        "machineConfigPool": {"name": name},
        "renderedImagePushSecret": {"name": push},
        "containerFile": [{"content": "FROM"}],
    }
    return {
        "metadata": {"name": name, "labels": {"a": "b"}},
        "spec": {**spec, **({"baseImagePullSecret": {"name": base}} if base else {})},
    }


def ref(name: str, namespace: str = BUILD_NAMESPACE) -> ObjectRef:
    return ObjectRef(SECRET, namespace, name)


WORKER = config("worker", "base", "push")


def test_a_secret_is_described_with_each_field_that_names_it() -> None:
    found = BuildSecrets.of([WORKER, config("infra", push="push")])
    assert found.describe(ref("base")) == (
        f"secret {BUILD_NAMESPACE}/base is baseImagePullSecret of machine OS config worker{WRONG} of a node image"
    )
    assert found.describe(ref("push")) == (
        f"secret {BUILD_NAMESPACE}/push is renderedImagePushSecret of machine OS config worker and renderedImagePushSecret of machine OS "
        f"config infra{WRONG} of a node image"
    )


@pytest.mark.parametrize("other", [ref("other"), ref("base", "project-a")])
def test_other_secrets_are_not_described(other: ObjectRef) -> None:
    assert BuildSecrets.of([WORKER]).describe(other) == ""


def test_without_objects_no_secret_is_described() -> None:
    assert BuildSecrets.of([]).describe(ref("base")) == ""


def test_unknown_objects_leave_it_open() -> None:
    may = f"A MachineOSConfig may build node images with secret {BUILD_NAMESPACE}/base{WRONG}"
    assert BuildSecrets().describe(ref("base")) == may
    assert (
        BuildSecrets(unread="no right").describe(ref("base"))
        == f"{may}. The MachineOSConfigs could not be read: no right"
    )
    assert BuildSecrets().describe(ref("base", "project-a")) == ""


def test_a_trimmed_object_keeps_the_names_of_the_secrets() -> None:
    kept = trim_object(MACHINE_OS_CONFIG, WORKER)
    assert BuildSecrets.of([kept]) == BuildSecrets.of([WORKER])
    assert set(kept["spec"]) == {"baseImagePullSecret", "renderedImagePushSecret"}


@given(CHANGES)
def test_malformed_objects_raise_no_error(change: Changed) -> None:
    for each in change([WORKER]) or ():
        if isinstance(each, dict):
            BuildSecrets.of([each, trim_object(MACHINE_OS_CONFIG, each)]).describe(ref("base"))
