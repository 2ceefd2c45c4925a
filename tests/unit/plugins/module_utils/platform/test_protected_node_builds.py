# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets that MachineOSConfigs name are known by their names, and other secrets of the namespace are not named."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    ObjectRef,
    trim_object,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import (
    BUILD_NAMESPACE,
    MACHINE_OS_CONFIG,
    BuildSecrets,
)
from hypothesis import given
from support.anything import CHANGES, Changed

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
