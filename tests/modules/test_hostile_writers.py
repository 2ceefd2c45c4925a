# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""If another client overwrites the whole list and the platform restores its own entry, the platform is not blamed for the loss."""

from __future__ import annotations

import pytest
from support.lab import pull_names
from support.overwriter import Overwriter

PLATFORM = "openshift.io/image-registry-pull-secrets_service-account-controller"


def link(run, namespace, **options):
    return run("sa_link", namespaces=[namespace], secrets=["ours"], require="none", verify_after=0.5, **options)


@pytest.mark.parametrize("delay", [0.0, 0.2])
@pytest.mark.parametrize("way", ["put", "patch", "apply"])
def test_the_platform_is_not_blamed_if_it_only_restored_its_entry(lab, run, namespace, way, delay):
    (managed,) = pull_names(lab.account(namespace))
    with Overwriter(lab, namespace, "ours", names=["theirs"], delay=delay, way=way) as other:
        result = link(run, namespace)
    assert len(other.written) == 1
    assert pull_names(lab.account(namespace)) == ["theirs", managed], "the platform was here afterwards"
    assert result["failed"]
    error = result["failures"][0]["error"]
    assert "lost ours from imagePullSecrets" in error
    assert f"{PLATFORM}' wrote that list last" not in error
    assert "'pipeline'" in error or "by whom is not known" in error


@pytest.mark.parametrize("way", ["patch", "apply"])
def test_a_writer_who_keeps_the_platforms_entry_is_named(lab, run, namespace, way):
    (managed,) = pull_names(lab.account(namespace))
    with Overwriter(lab, namespace, "ours", names=["theirs", managed], way=way):
        result = link(run, namespace)
    assert "'pipeline'" in result["failures"][0]["error"]


def test_a_writer_who_removes_only_the_platforms_entry_causes_no_failure(lab, run, namespace):
    (managed,) = pull_names(lab.account(namespace))
    with Overwriter(lab, namespace, "ours", names=["ours"]) as other:
        result = link(run, namespace)
    assert len(other.written) == 1
    assert not result["failed"], result["msg"]
    assert pull_names(lab.account(namespace)) == ["ours", managed]
