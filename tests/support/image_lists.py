# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of images in use, of clusters in memory. Each document must match the schema, and each request must be a read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_list.rows import from_options
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_list.run import list_images_in_use

from support.fake_api import FakeApi
from support.scripted_pool import Answer, Clock

__all__ = ["NO_OPTIONS", "SCHEMA", "cluster", "list_images", "rows_of", "run_list"]

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "plugins/plugin_utils/pull_report/images.schema.json").read_text(encoding="utf-8")
)
#: The options of the module without a value.
NO_OPTIONS: Mapping[str, Any] = {
    "of": None,
    "to": None,
    "ask_registries": False,
    "dest": None,
    "csv": None,
    "kustomize": None,
}
READS = ("GET",)


def cluster(*namespaces: str, groups: tuple[str, ...] = ("apps",)) -> FakeApi:
    """A cluster of plain Kubernetes with these namespaces, whose accounts list the secret `pull`."""
    api = FakeApi()
    served = {"groups": [{"name": name} for name in groups]}
    for path, answer in (("/apis ", served), ("/version ", {"gitVersion": "v1.36.3"})):
        api.fail(f"GET {path.strip()}$", Answer(200, answer), times=10**9)
    for name in namespaces:
        api.put("namespaces", "", name)
        api.put("serviceaccounts", name, "default", imagePullSecrets=[{"name": "pull"}])
    return api


def run_list(api: FakeApi, *namespaces: str, write: Any = None, **options: Any) -> Outcome:
    clock = Clock()
    settings = RunSettings(False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
    asked = from_options({**NO_OPTIONS, **options})
    names = namespaces or sorted({key[2] for key in api.objects if key[0] == "namespaces"})
    outcome = list_images_in_use(api.cluster(clock), asked, names, settings, write=write, now=lambda: 1767225600.0)
    assert {request.method for request in api.requests} <= {*READS}
    return outcome


def list_images(api: FakeApi, *namespaces: str, **options: Any) -> dict[str, Any]:
    """The document."""
    document: dict[str, Any] = run_list(api, *namespaces, **options).extra["images_in_use"]
    jsonschema.validate(document, SCHEMA)
    return document


def rows_of(api: FakeApi, *namespaces: str, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = list_images(api, *namespaces, **options)["images"]
    return found
