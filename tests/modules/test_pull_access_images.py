# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_access_images reads a real cluster: its owners, its field managers and its registries. It writes nothing."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from support.audited import Scene
from support.image_lists import SCHEMA
from support.owner_chains import create_chain
from support.playbooks import forms, leaks

HOSTILE = "=cmd|' /C calc'!A0 {{ lookup('pipe', 'true') }}\u202e"


@pytest.fixture
def scene(lab, namespaces) -> Scene:
    """A namespace with the pull secret `pull`, a deployment down to its pod, a pod of Argo CD, and an image elsewhere."""
    it = Scene(lab, namespaces(1))
    it.secret()
    it.link("pull")
    create_chain(lab, it.name, "Deployment", it.image)
    it.pod("quay.io/team/app", name="elsewhere")
    tracking = {"argocd.argoproj.io/tracking-id": f"{HOSTILE}:/Pod:{it.name}/tracked"}
    lab.create(it.name, "pods", {
        "metadata": {"name": "tracked", "annotations": tracking},
        "spec": {"containers": [{"name": "app", "image": it.image}]},
    })  # fmt: skip
    return it


def listed(run: Any, it: Scene, **options: Any) -> dict[str, Any]:
    result = run("pull_access_images", namespaces=list(it.names), **options)
    assert not result["failed"], result["msg"]
    assert not leaks(result["_output"], forms(it.login["password"]))
    return result


def test_real_objects_have_their_fields_owners_and_logins(lab, run, scene) -> None:
    host = lab.registry("private")["host"]
    audit = lab.audit()
    document = listed(run, scene, of=[host])["images_in_use"]
    jsonschema.validate(document, SCHEMA)
    assert {*audit.verbs()} <= {"get", "list"} and not audit.writes()
    rows = {row["name"]: row for row in document["images"]}
    assert {*rows} == {"web", "tracked"}
    assert (rows["web"]["kind"], rows["web"]["field"]) == ("Deployment", "spec.template.spec.containers[app].image")
    assert rows["web"]["owner"]["kind"] == "manager" and rows["web"]["pods"] == 1
    assert rows["tracked"]["owner"]["kind"] == "argocd" and rows["tracked"]["owner"]["title"].isprintable()
    assert rows["web"]["login"]["secret"] == f"{scene.name}/pull"


def test_the_server_records_who_wrote_the_image_last(lab, run, scene) -> None:
    path = f"/apis/apps/v1/namespaces/{scene.name}/deployments/web?fieldManager=kubectl-edit"
    newer = {"name": "app", "image": f"{scene.host}/elsewhere/app:v2"}
    lab.api("PATCH", path, {"spec": {"template": {"spec": {"containers": [newer]}}}})
    rows = listed(run, scene, of=[f"{scene.host}/elsewhere"])["images_in_use"]["images"]
    assert [(row["name"], row["text_in"], row["owner"]["manager"]) for row in rows] == [
        ("web", "template", "kubectl-edit")
    ]
    earlier = [row for row in listed(run, scene)["images_in_use"]["images"] if row["text_in"] == "earlier_template"]
    assert [(row["kind"], row["name"], row["image"]) for row in earlier] == [("Deployment", "web", scene.image)]


def test_a_copy_at_the_same_place_is_the_same_and_one_at_another_registry_is_not(lab, run, scene) -> None:
    host, repository = lab.registry("private")["host"], scene.image.rpartition("/")[0]

    assert listed(run, scene, of=[host], to=host, **lab.asking)["counts"]["copies"] == {"same": 2}
    moved = listed(run, scene, to={repository: f"{host}/elsewhere"}, **lab.asking)["images_in_use"]["images"]
    assert {row["copy"]["answer"] for row in moved} <= {"missing", "no_login"}


def test_the_files_show_hostile_text_as_text(lab, run, scene, tmp_path: Path) -> None:
    files = {name: str(tmp_path / name) for name in ("dest", "csv", "kustomize")}
    host = lab.registry("private")["host"]
    assert listed(run, scene, of=[host], to="quay.io/acme", **files)["changed"]
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in files} == {0o600}
    jsonschema.validate(json.loads((tmp_path / "dest").read_text()), SCHEMA)
    with (tmp_path / "csv").open() as text:
        assert {row["name"]: row["owner.name"][:2] for row in csv.DictReader(text)}["tracked"] == "'="
    blocks = [*yaml.safe_load_all((tmp_path / "kustomize").read_text())]
    assert blocks and all(
        {image["newName"].partition("/")[0] for image in each["images"]} == {"quay.io"} for each in blocks
    )
