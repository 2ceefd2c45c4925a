# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text has the images with the most workloads first, then their owners, and is limited. The document has everything."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_list.outputs import (
    as_csv,
    as_kustomize,
    lines_of,
    render_outputs,
)
from support.fake_api import FakeApi
from support.image_lists import cluster, list_images, run_list


def deploy(api: FakeApi, name: str, image: str, namespace: str = "a", **meta: Any) -> None:
    template = {"spec": {"containers": [{"name": "app", "image": image}]}}
    api.put("deployments", namespace, name, metadata=meta, spec={"template": template})


def helm(release: str) -> dict[str, Any]:
    notes = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": "shop"}
    return {"annotations": notes, "labels": {"helm.sh/chart": "redis-20.1"}}


def test_the_text_is_grouped_by_image_and_owner() -> None:
    api = cluster("a", "b")
    deploy(api, "one", "docker.io/bitnami/a:1")
    deploy(api, "web", "docker.io/bitnami/redis:7", **helm("cache"))
    deploy(api, "web", "docker.io/bitnami/redis:7", "b", **helm("cache"))
    assert run_list(api, of=["docker.io/bitnami"]).extra["text"] == [
        "2 images of docker.io/bitnami in use: 3 objects in 2 namespaces, 0 containers in pods",
        "docker.io/bitnami/redis:7",
        "  Helm release shop/cache, chart redis-20.1: a Deployment web, spec.template.spec.containers[app].image; b Deployment web, "
        "spec.template.spec.containers[app].image",
        "docker.io/bitnami/a:1",
        "  owner not known: a Deployment one, spec.template.spec.containers[app].image",
    ]


def test_long_lists_are_cut_and_the_number_of_the_rest_is_named() -> None:
    api = cluster("a")
    for number in range(42):
        deploy(api, f"w{number}", f"docker.io/bitnami/a{number}:1")
    for number in range(12):
        deploy(api, f"x{number}", "docker.io/bitnami/redis:7", **helm(f"r{number}"))
    lines = [*lines_of(list_images(api))]
    assert "  and 2 more owners" in lines
    assert lines[-1] == "and 3 more images, in the field images of the document"


def test_control_characters_of_a_cluster_are_not_in_the_text() -> None:
    api = cluster("a")
    deploy(api, "web", "docker.io/x:1\x1b[31m\n", annotations={"meta.helm.sh/release-name": "a\x1b[2J\nb"})
    assert all(line.isprintable() for line in lines_of(list_images(api)))


def test_a_file_has_the_document_and_the_result_has_not() -> None:
    api = cluster("a")
    deploy(api, "web", "docker.io/bitnami/redis:7")
    outcome = run_list(api, dest="images.json")
    assert "images_in_use" not in outcome.extra and outcome.extra["dest"] == "images.json"
    assert outcome.extra["counts"]["workloads"] == 1
    document = list_images(api)
    assert json.loads(render_outputs(["dest"], document)["dest"]) == document


def test_csv_has_a_line_for_each_row_and_no_formula() -> None:
    api = cluster("a")
    for number, release in enumerate(("=1+1", "+1", "-1", "@x", "\uff1dx", "plain")):
        deploy(api, f"w{number}", "docker.io/bitnami/redis:7", annotations={"argocd.argoproj.io/tracking-id": ""},
               labels={"argocd.argoproj.io/instance": release})  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(as_csv(list_images(api)))))
    assert [row["owner.name"] for row in rows] == ["'=1+1", "'+1", "'-1", "'@x", "'\uff1dx", "plain"]
    assert {row["image"] for row in rows} == {"docker.io/bitnami/redis:7"} and rows[0]["login.secret"] == ""
    assert as_csv(list_images(cluster("a"))) == "\n"


@pytest.mark.parametrize("separator", [";", "|"])
@pytest.mark.parametrize("begin", ["", " ", '"', ' "'])
@pytest.mark.parametrize("rest", ["=1+1", "+1", "-1", "@x", "\uff1dx", '=HYPERLINK("//x.example.com","a,b")'])
def test_csv_has_no_formula_for_a_spreadsheet_with_another_separator(separator: str, begin: str, rest: str) -> None:
    """In many countries, a spreadsheet splits the lines of the file at semicolons."""
    api = cluster("a")
    deploy(
        api, "web", f"x{separator}{begin}{rest}", labels={"argocd.argoproj.io/instance": f"x{separator}{begin}{rest}"}
    )
    text = as_csv(list_images(api))
    cells = [cell for row in csv.reader(io.StringIO(text), delimiter=separator) for cell in row]
    assert len(cells) > 2
    assert not [cell for cell in cells if cell.lstrip(' "').startswith(("=", "+", "-", "@", "\uff1d"))]


def test_a_kustomization_has_the_names_of_each_owner_as_they_are_written() -> None:
    api = cluster("a")
    deploy(api, "web", "bitnami/redis:7", **helm("cache"))
    deploy(api, "by-digest", f"docker.io/bitnami/redis:7@sha256:{'a' * 64}", **helm("cache"))
    deploy(api, "other", "docker.io/bitnami/nginx", labels={"argocd.argoproj.io/instance": "shop"})
    deploy(api, "kept", "quay.io/team/app", labels={"argocd.argoproj.io/instance": "shop"})
    owner = {"kind": "Redis", "name": "x", "controller": True, "uid": "1"}
    deploy(api, "made", "bitnami/redis:7", ownerReferences=[owner])
    template = {"spec": {"volumes": [{"name": "v", "image": {"reference": "bitnami/data:1"}}]}}
    api.put("deployments", "a", "volume", spec={"template": template})
    document = list_images(api, of=["docker.io/bitnami", "quay.io"], to={"docker.io/bitnami": "quay.io/acme"})
    assert as_kustomize(document) == (
        "# Argo CD application shop\nimages:\n  - name: docker.io/bitnami/nginx\n    newName: quay.io/acme/nginx\n"
        "---\n# Helm release shop/cache, chart redis-20.1\nimages:\n  - name: bitnami/redis\n    newName: quay.io/acme/redis\n"
        "  - name: docker.io/bitnami/redis\n    newName: quay.io/acme/redis\n"
    )
    assert [row["copy"]["image"] for row in document["images"] if row["name"] in ("kept", "by-digest")] == [
        f"quay.io/acme/redis@sha256:{'a' * 64}",
        "",
    ]


@pytest.mark.parametrize(
    "text", [".*", "quay.io/prod/.*", "(docker.io/)?bitnami/nginx", "quay.io/prod/app", "bitnami/nginx:1"]
)
def test_a_trigger_brings_no_text_of_a_user_into_a_kustomization(text: str) -> None:
    """The image of an image stream replaces the text, and kustomize takes a name as a regular expression, for all objects of the owner."""
    api = cluster("a", groups=("apps", "image.openshift.io"))
    item = {"dockerImageReference": "docker.io/bitnami/redis@sha256:" + "a" * 64, "image": "sha256:" + "a" * 64}
    api.put("imagestreams", "a", "redis", status={"tags": [{"tag": "v1", "items": [item]}]})
    trigger = {
        "from": {"kind": "ImageStreamTag", "name": "redis:v1"},
        "fieldPath": "spec.template.spec.containers[0].image",
    }
    notes = {"image.openshift.io/triggers": json.dumps([trigger])}
    deploy(api, "web", text, annotations=notes, labels={"argocd.argoproj.io/instance": "shop"})
    document = list_images(api, of=["docker.io/bitnami/redis"], to="quay.io/acme/redis")
    assert [row["copy"]["image"] for row in document["images"] if row["name"] == "web"], "it is listed"
    assert as_kustomize(document) == ""
