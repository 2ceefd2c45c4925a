# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_secret merges into, removes from, replaces and recreates existing secrets with only the necessary requests."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import sys
import threading
from typing import Any

import pytest
from support.lab import path_of
from support.objects import b64, pull_secret
from support.openshift import allow_in

DOCKERCONFIGJSON, DOCKERCFG = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"
QUAY = {"registry": "quay.io", "username": "reader", "password": "Secret-new"}
OLD = {"auth": b64(b"reader:Secret-old"), "email": "r@example.com"}
NEW = {"auth": b64(b"reader:Secret-new")}
OTHER = {"auth": b64(b"alice:Secret-1"), "x-unknown": {"deep": [1.50, None]}}


def secret(text: str, kind: str = DOCKERCONFIGJSON, key: str = "", **more: Any) -> dict[str, Any]:
    key = key or {DOCKERCFG: ".dockercfg"}.get(kind, ".dockerconfigjson")
    return pull_secret("pull", text, kind, key, **more)


def text_of(found: dict[str, Any], key: str = ".dockerconfigjson") -> str:
    return base64.b64decode(found["data"][key]).decode()


def config(**auths: Any) -> str:
    return json.dumps({"auths": {key.replace("_", "."): value for key, value in auths.items()}})


STATES: dict[str, dict[str, Any] | None] = {
    "missing": None,
    "same": secret(config(quay_io=NEW)),
    "different": secret(config(quay_io=OLD, other_io=OTHER)),
    "foreign content": secret("[1]") | {"type": "example.com/own"},
    "no auth file": secret('{"auths": {"quay.io": "x"}, "auths": 1}'),
    "wrong type": secret(json.dumps({"quay.io": OLD}), DOCKERCFG),
}
DECLARED: dict[str, dict[str, Any]] = {
    "absent": {"state": "absent"},
    "replace": {"registries": [QUAY]},
    "merge": {"registries": [QUAY], "mode": "merge"},
    "remove": {"registries": [{"registry": "quay.io"}], "mode": "remove"},
    "replace, recreate": {"registries": [QUAY], "recreate": True},
    "merge, recreate": {"registries": [QUAY], "mode": "merge", "recreate": True},
}
#: The verbs that each declaration needs for each state, or FAILED if it is refused before the first of them.
FAILED = ["failed"]
REPLACED = [
    "create",
    "create",
    "delete",
    "create",
    "delete",
]  # the first is a dry run, the second and the last are of the copy
TABLE = {
    "absent": [[], ["delete"], ["delete"], FAILED, ["delete"], ["delete"]],
    "replace": [["create"], [], ["patch"], FAILED, ["patch"], FAILED],
    "merge": [["create"], [], ["patch"], FAILED, FAILED, ["patch"]],
    "remove": [[], ["patch"], ["patch"], FAILED, FAILED, ["patch"]],
    "replace, recreate": [["create"], [], ["patch"], FAILED, ["patch"], REPLACED],
    "merge, recreate": [["create"], [], ["patch"], FAILED, FAILED, REPLACED],
}


class TestTruthTable:
    """Check mode sends no write and reports the changes of the real run. A second run changes nothing."""

    @pytest.mark.parametrize(("declared", "number"), list(itertools.product(DECLARED, range(len(STATES)))))
    def test_check_mode_predicts_the_real_run_and_a_second_run_is_unchanged(
        self, lab, run, namespace, declared, number
    ):
        state, expected = list(STATES)[number], TABLE[declared][number]
        if STATES[state]:
            lab.create(namespace, "secrets", STATES[state])
        before = lab.get(namespace, "secrets", "pull")
        options = {"name": "pull", "namespaces": [namespace], **DECLARED[declared]}
        with lab.no_writes():
            checked = run("pull_secret", check=True, **options)
        audit = lab.audit()
        real = run("pull_secret", **options)
        for part in ("failed", "changed", "diff", "namespaces", "failures", "summary"):
            assert checked[part] == real[part], part
        assert [write[0] for write in audit.writes()] == ([] if expected is FAILED else expected)
        assert real["failed"] is (expected is FAILED)
        assert real["changed"] is (bool(expected) and expected is not FAILED)
        if expected is FAILED:
            assert lab.get(namespace, "secrets", "pull") == before
        audit = lab.audit()
        again = run("pull_secret", **options)
        assert (again["changed"], again["failed"], audit.writes()) == (False, expected is FAILED, [])


class TestMerge:
    KEPT = '"other.io": {"x-unknown": 1.50, "auth" :"YWxpY2U6cA==", "x-unknown": "\\u00e4"}'
    TEXT = '{"credHelpers": {"gcr.io": "gcloud"},\n "auths": {%s, "quay.io": {"auth": "cmVhZGVyOm9sZA==", "email": "r@x"}}, "n": 1e2}'

    def test_merge_keeps_other_entries_byte_for_byte(self, lab, run, namespace):
        existing = secret(self.TEXT % self.KEPT)
        existing["data"]["note"] = "bm90ZQ=="
        lab.create(namespace, "secrets", existing)
        team = {**QUAY, "registry": "quay.io/team"}
        result = run("pull_secret", name="pull", namespaces=[namespace], registries=[QUAY, team], mode="merge")
        after = lab.get(namespace, "secrets", "pull")
        text = text_of(after)
        assert self.KEPT in text
        assert '"n": 1e2' in text
        assert '"credHelpers": {"gcr.io": "gcloud"}' in text
        assert after["data"]["note"] == "bm90ZQ=="
        auths = json.loads(text)["auths"]
        assert list(auths) == ["other.io", "quay.io", "quay.io/team"]
        assert auths["quay.io"]["email"] == "r@x"
        assert base64.b64decode(auths["quay.io"]["auth"]) == b"reader:Secret-new"
        (change,) = result["namespaces"][0]["changes"]
        assert change["registries"] == {"added": ["quay.io/team"], "changed": {"quay.io": ["password"]}, "removed": []}

    def test_concurrent_merges_lose_no_entry(self, lab, namespace):
        """Each merge runs in its own process, as in two playbooks."""
        lab.create(namespace, "secrets", secret('{"auths": {}}'))
        script = (
            "import sys, json; sys.path.insert(0, 'tests'); from support.modules import run_module\n"
            "r = run_module('pull_secret', **json.loads(sys.argv[1])); assert not r['failed'], r"
        )

        def merge(number: int) -> None:
            entry = {**QUAY, "registry": f"r{number}.example.com"}
            options = {
                "name": "pull", "namespaces": [namespace], "mode": "merge", "registries": [entry], "kubeconfig": lab.kubeconfig,
            }  # fmt: skip
            done.append(subprocess.run([sys.executable, "-c", script, json.dumps(options)], check=False).returncode)

        done: list[int] = []
        threads = [threading.Thread(target=merge, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert done == [0] * 4
        assert sorted(lab.entries(namespace, "pull")) == [f"r{number}.example.com" for number in range(4)]


class TestPull:
    """A node can use the written secret."""

    @pytest.mark.parametrize("kind", [DOCKERCONFIGJSON, DOCKERCFG])
    def test_a_node_pulls_with_a_merged_and_converted_secret(self, lab, run, namespace, kind):
        registry = lab.registry("private")
        lab.create(namespace, "secrets", secret(config(quay_io=OLD), "kubernetes.io/podmanconfigjson", "auth.json"))
        entry = {"registry": registry["host"], **lab.login(1)}
        options = {"name": "pull", "namespaces": [namespace], "mode": "merge", "type": kind, "recreate": True}
        assert run("pull_secret", registries=[entry], **options)["changed"]
        run("sa_link", namespaces=[namespace], secrets=["pull"])
        lab.pod(namespace, "app", registry["image"])
        assert lab.pull(namespace, "app")["pulled"]
        assert run("pull_secret", **{**options, "mode": "remove"}, registries=[{"registry": registry["host"]}])[
            "changed"
        ]
        assert not lab.pull(namespace, "app")["pulled"]


class TestRecreate:
    CONVERTIBLE = {
        "podman": secret(config(quay_io=OLD), "kubernetes.io/podmanconfigjson", "auth.json"),
        "Opaque": secret(config(quay_io=OLD), "Opaque"),
        "dockercfg": secret(json.dumps({"quay.io": OLD}), DOCKERCFG),
    }

    def test_a_caller_who_may_not_create_deletes_nothing(self, lab, run, namespace):
        before = lab.create(namespace, "secrets", self.CONVERTIBLE["dockercfg"])
        user = allow_in(lab, namespace, "no-create", {"secrets": ["get", "list", "delete", "patch"]})
        options = {"name": "pull", "namespaces": [namespace], "registries": [QUAY], "recreate": True}
        result = run("pull_secret", impersonate_user=user, **options)
        assert result["failed"]
        assert lab.get(namespace, "secrets", "pull") == before

    def test_the_old_secret_is_restored_if_the_create_fails(self, lab, run, namespace):
        """An admission rule accepts the dry run and refuses the create."""
        before = lab.create(
            namespace, "secrets", {**self.CONVERTIBLE["dockercfg"], "metadata": {"name": "pull", "labels": {"a": "b"}}}
        )
        root = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "operations": ["CREATE"]}
        name = f"refuse-{namespace}"
        policy = {
            "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [rule]},
                "validations": [
                    {"expression": f"object.type != '{DOCKERCONFIGJSON}' || (has(request.dryRun) && request.dryRun)"}
                ],
            },
        }
        here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
        binding = {
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": here},
        }
        lab.api("POST", f"{root}ies", policy)
        lab.api("POST", f"{root}ybindings", binding)
        probes = itertools.count()

        def refuses() -> bool:
            probe = {**secret(config(quay_io=OLD)), "metadata": {"name": f"probe-{next(probes)}"}}
            answer = lab.api("POST", path_of(namespace, "secrets"), probe, expect=(201, 422, 403))
            return answer.get("kind") == "Status"

        try:
            lab.until(refuses, "the policy is in force")
            options = {"name": "pull", "namespaces": [namespace], "registries": [QUAY], "recreate": True}
            result = run("pull_secret", **options)
        finally:
            lab.api("DELETE", f"{root}ybindings/{name}")
            lab.api("DELETE", f"{root}ies/{name}")
        assert result["failed"]
        assert "was restored" in result["msg"]
        assert result["changed"] is False
        after = lab.get(namespace, "secrets", "pull")
        for part in ("type", "data"):
            assert after[part] == before[part]
        assert after["metadata"]["labels"] == {"a": "b"}
        assert after["metadata"]["uid"] != before["metadata"]["uid"]

    def test_a_secret_with_a_finalizer_is_not_recreated(self, lab, run, namespace):
        meta = {"metadata": {"name": "pull", "finalizers": ["example.com/hold"]}}
        lab.create(namespace, "secrets", {**self.CONVERTIBLE["dockercfg"], **meta})
        with lab.no_writes():
            result = run("pull_secret", name="pull", namespaces=[namespace], registries=[QUAY], recreate=True)
        assert "finalizer" in result["msg"]
        lab.api("PATCH", path_of(namespace, "secrets", "pull"), {"metadata": {"finalizers": None}})


class TestMetadata:
    def test_immutable_is_set_kept_and_removed_by_recreating(self, lab, run, namespace):
        options = {"name": "pull", "namespaces": [namespace], "registries": [QUAY]}
        run("pull_secret", immutable=True, **options)
        assert lab.get(namespace, "secrets", "pull")["immutable"] is True
        assert not run("pull_secret", **options)["changed"]
        assert run("pull_secret", labels={"a": "b"}, **options)["changed"]
        assert "is immutable" in run("pull_secret", immutable=False, **options)["msg"]
        assert run("pull_secret", immutable=False, recreate=True, **options)["changed"]
        assert not lab.get(namespace, "secrets", "pull").get("immutable")

    def test_absent_deletes_the_secret_in_many_namespaces_with_one_list(self, lab, run, namespaces):
        names = namespaces(6, wait=False)
        for name in names[:4]:
            lab.create(name, "secrets", secret(config(quay_io=OLD)))
        audit = lab.audit()
        result = run("pull_secret", name="pull", namespaces=names, state="absent")
        assert (result["summary"]["changed"], result["summary"]["unchanged"]) == (4, 2)
        assert sorted(audit.verbs()) == ["delete"] * 4 + ["list"]
