# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists for tools that copy images have complete, plain names only."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.document import list_images
from support.supposed import rows_about
from support.supposed_changes import mirror_set
from support.supposed_worlds import World, rows_with_answers
from support.surveyed import place, pod, secret, survey

DIGEST = "sha256:" + "0" * 64
LOST = {"unreachable_registries": ["q.io", "docker.io"]}


def listed(*images: str):
    pods = [pod(name=f"p{at}", image=image) for at, image in enumerate(images)]
    return list_images(rows_about(survey(place(pods=pods)), LOST))


def test_images_are_complete_and_listed_once() -> None:
    found = listed("q.io/team/app:v1", "q.io/team/app:v1", f"q.io/team/app:v2@{DIGEST}", "q.io/team/other", "r.io/x:1")
    assert found["images"] == ["q.io/team/app:v1", f"q.io/team/app@{DIGEST}", "q.io/team/other:latest"]
    assert found["skopeo"] == {"q.io": {"images": {"team/app": ["v1", DIGEST], "team/other": ["latest"]}}}
    assert found["oc_mirror"]["mirror"]["additionalImages"][0] == {"name": "q.io/team/app:v1"}
    assert found["refused"] == 0


def test_oc_mirror_gets_no_digest_of_a_registry_with_a_port() -> None:
    """It takes the colon of the port for that of a tag."""
    found = listed(f"q.io:5000/app@{DIGEST}", "q.io:5000/app:v1", f"q.io/app@{DIGEST}")
    assert found["not_in_oc_mirror"] == [f"q.io:5000/app@{DIGEST}"]
    names = [each["name"] for each in found["oc_mirror"]["mirror"]["additionalImages"]]
    assert names == [f"q.io/app@{DIGEST}", "q.io:5000/app:v1"]
    assert found["skopeo"]["q.io:5000"] == {"images": {"app": ["v1", DIGEST]}}


def test_a_missing_pull_secret_does_not_hide_an_image() -> None:
    """The missing secret is an earlier failed step, but the node goes on without it."""
    snapshot = survey(place(pods=[pod("missing", image="q.io/app:v1")]))
    assert list_images(rows_about(snapshot, LOST))["images"] == ["q.io/app:v1"]


def test_an_image_that_no_container_pulls_today_is_not_copied() -> None:
    """A user names an image of others, so that an operator copies it with a login that can read it."""
    denied = 'Failed to pull image "q.io/private:v1": unauthorized: access to the requested resource is not authorized'
    evil = pod(name="evil", image="q.io/private:v1", says=denied)
    found = list_images(rows_about(survey(place(pods=[evil, pod(image="q.io/team/app:v1")])), LOST))
    assert (found["images"], found["not_pulled_today"]) == (["q.io/team/app:v1"], ["q.io/private:v1"])
    assert (found["skopeo"], found["refused"]) == ({"q.io": {"images": {"team/app": ["v1"]}}}, 0)
    # Another container pulls it.
    pods = [evil, pod("pull", name="own", image="q.io/private:v1")]
    found = list_images(rows_about(survey(place(secrets=[secret("pull")], pods=pods)), LOST))
    assert (found["images"], found["not_pulled_today"]) == (["q.io/private:v1"], [])


def test_an_unknown_pull_is_not_enough_if_registries_were_asked() -> None:
    rows = rows_about(survey(place(pods=[pod(image="q.io/team/app:v1")])), LOST)
    assert list_images(rows)["images"] == list_images(rows, asks=True)["not_pulled_today"] == ["q.io/team/app:v1"]
    assert list_images(rows, asks=True)["images"] == list_images(rows)["not_pulled_today"] == []


def test_unusual_names_are_counted_but_not_listed() -> None:
    found = listed("q.io/team/{{ lookup('pipe', 'id') }}:v1", "q.io/team/app:v1")
    assert found["images"] == ["q.io/team/app:v1"]


def test_an_image_that_its_mirror_lacks_is_listed() -> None:
    """The registries answer that they have nothing below `lost`, so it is not known that a container pulls it today."""
    mirrors = [mirror_set("tag", "site", "q.io", "r.io")]
    found = {}
    for image in ("q.io/lost/app:v1", "q.io/team/app:v1"):
        world = World({}, ((), (), ()), (image, image), {"r.io": "right"}, mirrors, (), {}, ())
        rows = rows_with_answers(world.survey(), {"only_registries": ["r.io"]}, asks=True)
        lists = list_images(rows)
        assert lists["images"] == []
        found[image] = lists["not_pulled_today"]
    assert found == {"q.io/lost/app:v1": ["q.io/lost/app:v1"], "q.io/team/app:v1": []}
