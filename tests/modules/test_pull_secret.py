# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_secret writes the declared secret with only the necessary requests, as the API server's audit log shows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.lab import path_of
from support.objects import b64
from support.openshift import allow_in

CANARY = "pä:ss \"w'ord\\ " + "x" * 280
QUAY = {"registry": "quay.io", "username": "reader", "password": CANARY}
TEAM = {"registry": "quay.io/team", "username": "team+robot", "password": "Secret:4"}


def encoded(username: str, password: str) -> str:
    return b64(f"{username}:{password}")


def stored(
    namespace: str, data: dict[str, str], secret_type: str = "kubernetes.io/dockerconfigjson", **more: Any
) -> dict:
    values = {key: b64(value) for key, value in data.items()}
    return {"metadata": {"name": "pull", "namespace": namespace}, "type": secret_type, "data": values, **more}


def docker_json(auths: dict[str, Any]) -> dict[str, str]:
    return {".dockerconfigjson": json.dumps({"auths": auths})}


class TestSources:
    """Single values, files and data create the same secret."""

    def test_registries_are_written_as_oc_writes_them(self, lab, run, namespace):
        run("pull_secret", name="pull", namespaces=[namespace], registries=[{**QUAY, "email": "r@example.com"}])
        assert lab.get(namespace, "secrets", "pull")["type"] == "kubernetes.io/dockerconfigjson"
        assert lab.entries(namespace, "pull") == {
            "quay.io": {
                "auth": encoded("reader", CANARY),
                "username": "reader",
                "password": CANARY,
                "email": "r@example.com",
            }
        }

    @pytest.mark.parametrize("program", ["docker", "podman"])
    def test_real_files_of_both_programs_work_as_dockerconfigjson(self, lab, run, namespace, tmp_path, program):
        file = tmp_path / "auth.json"
        nasty = lab.registry("private")["accounts"][1]
        arguments = ("--registry", "private", "--account", nasty["username"], f"--{program}", str(file))
        lab.run("login", "--dir", str(lab.dir), *arguments)
        run("pull_secret", name="pull", namespaces=[namespace], auth_file=str(file))
        run("sa_link", namespaces=[namespace], secrets=["pull"])
        lab.pod(namespace, "app", lab.registry("private")["image"])
        assert lab.pull(namespace, "app")["pulled"]

    def test_a_path_with_an_environment_variable_is_not_the_file_that_it_names(
        self, lab, run, namespace, tmp_path, monkeypatch
    ):
        """The environment of a job names the files of its credentials."""
        (tmp_path / "auth.json").write_text(json.dumps({"auths": {"quay.io": {"username": "u", "password": CANARY}}}))
        monkeypatch.setenv("IMAGE_PULL_AUTH_FILE", str(tmp_path / "auth.json"))
        result = run("pull_secret", name="pull", namespaces=[namespace], auth_file="$IMAGE_PULL_AUTH_FILE")
        assert result["failed"] and "'$IMAGE_PULL_AUTH_FILE' cannot be read" in result["msg"]
        assert lab.get(namespace, "secrets", "pull") is None


class TestFleet:
    """A fleet needs one list and only the necessary writes, and a failed namespace does not stop the others."""

    def test_fifty_namespaces_need_one_list_and_only_the_necessary_writes(self, lab, run, namespaces):
        names = namespaces(50, wait=False)
        options = {"name": "pull", "namespaces": names, "registries": [QUAY]}
        audit = lab.audit()
        assert run("pull_secret", **options)["summary"]["changed"] == 50
        assert sorted(audit.verbs()) == ["create"] * 50 + ["list"]
        audit = lab.audit()
        assert run("pull_secret", **options)["summary"]["unchanged"] == 50
        assert audit.verbs() == ["list"]
        lab.api("DELETE", path_of(names[7], "secrets", "pull"))
        audit = lab.audit()
        assert run("pull_secret", **options)["summary"] == {
            "total": 50, "changed": 1, "unchanged": 49, "failed": 0, "skipped": 0, "retries": 0,
        }  # fmt: skip
        assert audit.writes() == [("create", "secrets", names[7], "pull")]

    def test_a_missing_namespace_fails_alone_and_check_mode_predicts_it(self, lab, run, namespaces):
        names = [*namespaces(5), "missing"]
        options = {"name": "pull", "namespaces": names, "registries": [QUAY]}
        checked, real = run("pull_secret", check=True, **options), run("pull_secret", **options)
        for result in (checked, real):
            assert result["failed"]
            assert [failure["namespace"] for failure in result["failures"]] == ["missing"]
            assert "does not exist" in result["msg"]
            assert lab.data["server"] in result["msg"]
            assert result["summary"]["changed"] == 5
        assert checked["namespaces"] == real["namespaces"]
        assert checked["failures"] == real["failures"]

    def test_a_terminating_namespace_is_skipped(self, lab, run, namespaces):
        (name,) = namespaces(1)
        options = {"name": "pull", "namespaces": [name], "registries": [QUAY]}
        with lab.terminating(name):
            checked, real = run("pull_secret", check=True, **options), run("pull_secret", **options)
        assert checked["namespaces"] == real["namespaces"]
        assert real["namespaces"][0]["status"] == "skipped"
        assert "being deleted" in real["namespaces"][0]["reason"]
        assert not real["failed"]

    def test_a_caller_who_may_not_list_everywhere_reads_each_namespace(self, lab, run, namespaces):
        names = namespaces(6)
        for name in names[:5]:
            allow_in(lab, name, "limited", {"secrets": ["get", "create", "patch"]})
        result = run("pull_secret", name="pull", namespaces=names, registries=[QUAY], impersonate_user="limited")
        assert result["summary"]["changed"] == 5
        (failure,) = result["failures"]
        assert failure["namespace"] == names[5]
        assert "Give the caller that right" in failure["error"]
