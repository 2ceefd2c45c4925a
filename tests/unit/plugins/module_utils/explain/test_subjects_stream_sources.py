# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers with an image from an image stream are found in the workload's own fields."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import (
    StreamSource,
    has_resolve_annotation,
    sources_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from hypothesis import given
from support.anything import ANYTHING, CHANGES, Changed

POD = {"containers": [{"name": "web"}, {"name": "side"}], "initContainers": [{"name": "init"}]}
PATH = 'spec.template.spec.containers[?(@.name=="web")].image'


def trigger(path: Any = PATH, name: Any = "app:v1", **more: Any) -> dict[str, Any]:
    return {"from": {"kind": "ImageStreamTag", "name": name}, "fieldPath": path, **more}


def annotated(*triggers: Any, text: str = "") -> dict[str, StreamSource]:
    given_ = text or json.dumps(triggers)
    return dict(sources_of({"metadata": {"annotations": {"image.openshift.io/triggers": given_}}}, POD, "ns"))


def source(namespace: str = "ns", tag: str = "v1", *, paused: bool = False) -> StreamSource:
    return StreamSource(ObjectRef(IMAGE_STREAM, namespace, "app"), tag, paused)


class TestAnnotation:
    @pytest.mark.parametrize(
        ("path", "container"),
        [
            (PATH, "web"),
            ("spec.template.spec.containers[?(@.name=='web')].image", "web"),
            ("spec.template.spec.containers[1].image", "side"),
            ("spec.template.spec.initContainers[0].image", "init"),
            ("spec.jobTemplate.spec.template.spec.containers[0].image", "web"),
        ],
    )
    def test_the_path_of_a_trigger_names_the_container(self, path: str, container: str) -> None:
        assert annotated(trigger(path)) == {container: source()}

    @pytest.mark.parametrize(
        "path",
        [
            "spec.template.spec.containers[7].image",
            'spec.template.spec.containers[?(@.name=="x")].image',
            "spec.x",
            "",
            None,
            f"{PATH}s",
        ],
    )
    def test_a_path_without_a_container_gives_no_source(self, path: Any) -> None:
        assert annotated(trigger(path)) == {}

    def test_the_trigger_names_the_tag(self) -> None:
        assert annotated(trigger(name="app")) == {"web": source(tag="latest")}
        other = {**trigger(), "from": {"kind": "ImageStreamTag", "name": "app:v1", "namespace": "b"}}
        assert annotated(other) == {"web": source("b")}
        assert annotated({**trigger(), "from": {"kind": "DockerImage", "name": "app:v1"}}) == {}

    @pytest.mark.parametrize(
        ("paused", "found"), [(True, True), ("true", True), (False, False), ("false", False), (None, False)]
    )
    def test_a_paused_trigger_is_recognised(self, paused: Any, found: bool) -> None:
        assert annotated(trigger(paused=paused))["web"].is_paused is found

    def test_a_repeated_field_makes_the_platform_ignore_all_triggers(self) -> None:
        assert annotated(trigger(), trigger(), trigger("spec.template.spec.containers[1].image")) == {}

    @pytest.mark.parametrize("text", ["{", "5", "null", '"x"', "[5, null]", "[" * 100_000, "1" * 5000])
    def test_an_invalid_list_of_triggers_gives_no_source(self, text: str) -> None:
        assert annotated(text=text) == {}


class TestDeploymentConfig:
    def change(self, **more: Any) -> dict[str, Any]:
        params = {
            "automatic": True,
            "containerNames": ["web", 5],
            "from": {"kind": "ImageStreamTag", "name": "app:v1"},
            **more,
        }
        return {"spec": {"triggers": [{"type": "ConfigChange"}, {"type": "ImageChange", "imageChangeParams": params}]}}

    def test_the_triggers_of_a_deployment_config_give_its_sources(self) -> None:
        assert sources_of(self.change(), POD, "ns") == {"web": source()}
        assert sources_of(self.change(automatic=False), POD, "ns") == {"web": source(paused=True)}
        assert sources_of(self.change(**{"from": {"kind": "ImageStreamImage", "name": "app@x"}}), POD, "ns") == {}


def test_resolved_names_are_recognised_by_their_annotation() -> None:
    marked = {"metadata": {"annotations": {"alpha.image.policy.openshift.io/resolve-names": "*"}}}
    assert has_resolve_annotation({}, marked)
    assert not has_resolve_annotation(
        {}, {"metadata": {"annotations": {"alpha.image.policy.openshift.io/resolve-names": "x"}}}
    )


@given(CHANGES, ANYTHING)
def test_sources_of_accepts_any_content(change: Changed, pod: Any) -> None:
    found = change({"metadata": {"annotations": {"image.openshift.io/triggers": json.dumps([trigger()])}}})
    config = change(TestDeploymentConfig().change())
    for each in (found, config):
        if isinstance(each, dict):
            sources_of(each, pod if isinstance(pod, dict) else POD, "ns")
            has_resolve_annotation(each)


@given(ANYTHING)
def test_sources_of_accepts_any_annotation(value: Any) -> None:
    annotated(text=json.dumps(value) if value else "")
    annotated(trigger(value, value))
