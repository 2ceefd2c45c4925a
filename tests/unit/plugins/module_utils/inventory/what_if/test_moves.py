# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images come from another place: each name in a pod, a workload or an image stream counts as changed, and the next pod has it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.platform_images import OPERATOR_KINDS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.document import list_images
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.moves import Moves
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.outputs import lines_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.rows import subjects_of
from support.supposed import document_about, rows_about
from support.supposed_worlds import World, rows_with_answers
from support.surveyed import account, auth, deployment, place, pod, replica_set, secret, stream, survey

DIGEST = "sha256:" + "0" * 64
BITNAMI = {"docker.io/bitnami": "quay.io/acme/bitnami"}
MOVED = {"moved": BITNAMI}
REDIS = "docker.io/bitnami/redis:7.2"


@pytest.mark.parametrize(
    ("places", "image", "renamed"),
    [
        (BITNAMI, REDIS, "quay.io/acme/bitnami/redis:7.2"),
        (BITNAMI, "bitnami/redis", "quay.io/acme/bitnami/redis"),
        (BITNAMI, f"index.docker.io/bitnami/redis:7@{DIGEST}", f"quay.io/acme/bitnami/redis:7@{DIGEST}"),
        (BITNAMI, "docker.io/bitnamilegacy/redis:7.2", "docker.io/bitnamilegacy/redis:7.2"),
        (BITNAMI, "quay.io/bitnami/redis:7.2", "quay.io/bitnami/redis:7.2"),
        (BITNAMI, "not an image", "not an image"),
        ({"docker.io/library": "quay.io/hub"}, "nginx:1", "quay.io/hub/nginx:1"),
        ({"docker.io/library": "quay.io/hub"}, "docker.io/nginx:1", "quay.io/hub/nginx:1"),
        ({"docker.io": "quay.io/hub"}, "nginx:1", "quay.io/hub/library/nginx:1"),
        ({"k8s.gcr.io": "registry.k8s.io"}, "k8s.gcr.io/pause:3", "registry.k8s.io/pause:3"),
        ({"k8s.gcr.io": "registry.k8s.io"}, "k8s.gcr.io:443/pause:3", "k8s.gcr.io:443/pause:3"),
        ({"q.io/a/b": "r.io/c"}, "q.io/a/b:v1", "r.io/c:v1"),
        # The longest place counts. A registry alone is not the name of an image.
        ({"q.io": "r.io", "q.io/a": "s.io/a", "q.io/a/b": "t.io/b"}, "q.io/a/b/c:v1", "t.io/b/c:v1"),
        ({"q.io/a": "r.io"}, "q.io/a:v1", "q.io/a:v1"),
    ],
)
def test_a_name_gets_a_new_place_and_keeps_the_rest(places, image, renamed) -> None:
    assert Moves(places).rename(image) == renamed


class TestRows:
    def rows(self, *given: Any, **parts: Any) -> list[Any]:
        return rows_about(survey(place(secrets=[secret("s"), secret("new", {"quay.io": auth()})], **parts)), *given)

    def test_without_registries_it_is_not_known_whether_the_image_is_there(self) -> None:
        (row,) = self.rows({"moved": {"q.io/team": "quay.io/acme"}}, workloads=[deployment("s", "new")])
        assert (row.answer, row.deciding.not_asked, row.deciding.touched) == ("unknown", True, (0,))
        said = "the image gets the name quay.io/acme/app:v1, and it is not known whether it is there"
        assert row.deciding.after.reason.startswith(said)
        assert row.image == "q.io/team/app:v1"
        (row,) = self.rows(MOVED, workloads=[deployment(image=REDIS)])
        assert (row.answer, row.deciding.not_asked) == ("unknown", True)
        assert row.deciding.after.reason.startswith(
            "secret a/new has the key quay.io (login not tested), but service account"
        )

    def test_other_images_are_not_affected(self) -> None:
        found = self.rows(
            MOVED, workloads=[deployment(image="docker.io/bitnamilegacy/redis:7")], pods=[pod(image="q.io/x:1")]
        )
        assert [row.answer for row in found] == ["not_affected"] * 2

    def test_a_closed_registry_is_not_needed_after_the_move(self) -> None:
        closed = {"unreachable_registries": ["docker.io/bitnami"]}
        workloads = [deployment(image=REDIS)]
        (row,) = self.rows(closed, workloads=workloads)
        assert row.answer == "would_break"
        assert (
            row.deciding.after.reason
            == f"the nodes do not reach docker.io/bitnami, and no other registry serves {REDIS}"
        )
        (row,) = self.rows(closed, MOVED, workloads=workloads)
        assert (row.answer, row.deciding.causes) == ("unknown", ())
        (row,) = self.rows(MOVED, {"unreachable_registries": ["quay.io/acme"]}, workloads=workloads)
        assert (row.answer, row.deciding.causes) == ("would_break", (0, 1))

    def test_the_template_decides_for_the_next_pods(self) -> None:
        """A pod without the link that its account has today gets it when it is created again."""
        stale = pod(made=True, runs=True, image="q.io/team/app:v1")
        parts = {
            "pods": [stale],
            "workloads": [deployment(image="q.io/team/app:v1"), replica_set()],
            "accounts": [account("s")],
        }
        (row,) = self.rows({"moved": {"q.io/team": "r.io/team"}}, {"unreachable_registries": ["r.io"]}, **parts)
        assert (row.answer, row.pods, row.moment.when) == ("would_break", 1, "at_rollout")
        assert not row.deciding.subject.is_pod

    def test_a_pod_without_a_known_template_is_created_again_with_its_list(self) -> None:
        running = pod("s", runs=True, image=REDIS)
        (row,) = self.rows(MOVED, {"unreachable_registries": ["quay.io"]}, pods=[running])
        assert (row.answer, row.moment.when, row.deciding.after.subject.own) == ("would_break", "at_rollout", ("s",))

    def test_a_pod_that_never_pulls_does_not_have_the_image_under_the_new_name(self) -> None:
        (row,) = self.rows(MOVED, pods=[pod(runs=True, image=REDIS, policy="Never")])
        assert row.answer == "unknown"
        assert "imagePullPolicy is Never" in row.deciding.after.reason


class TestAnswers:
    """The registries give the image to a right login, have nothing below `lost`, and r.io has an authority of its own."""

    def answer(self, places: dict[str, str], image: str, logins: dict[str, str], **more: Any) -> Any:
        world = World({"s0": logins}, ((), ("s0",), ("s0",)), (image, image), {}, (), (), {}, (), **more)
        rows = rows_with_answers(
            world.survey(), {"moved": places}, {"unreachable_registries": ["q.io/team"]}, asks=True
        )
        assert len({row.answer for row in rows}) == 1
        return rows[0]

    def test_an_image_with_a_copy_and_a_login_still_pulls(self) -> None:
        assert (
            self.answer({"q.io/team": "m.io/team"}, "q.io/team/app:v1", {"q.io": "right", "m.io": "right"}).answer
            == "still_pulls"
        )

    def test_a_missing_login_is_one_for_the_new_place(self) -> None:
        """Both changes break the pull, each without the other one as well."""
        row = self.answer({"q.io/team": "m.io/team"}, "q.io/team/app:v1", {"q.io": "right"})
        assert (row.answer, row.deciding.causes) == ("would_break", (0, 1))
        assert "m.io" in json.dumps(row.report()["fix"])
        assert not row.is_copy_needed

    def test_a_missing_copy_is_listed_with_its_target(self) -> None:
        row = self.answer({"q.io/team": "m.io/lost"}, "q.io/team/app:v1", {"q.io": "right", "m.io": "right"})
        found = list_images([row], asks=True)
        assert (row.answer, found["images"]) == ("would_break", ["q.io/team/app:v1"])
        assert found["regsync"] == {
            "version": 1,
            "defaults": {"digestTags": True, "referrers": True},
            "sync": [{"source": "q.io/team/app:v1", "target": "m.io/lost/app:v1", "type": "image"}],
        }

    @pytest.mark.parametrize(("has_authority", "answer"), [(False, "would_break"), (True, "still_pulls")])
    def test_a_registry_that_no_pod_uses_needs_a_known_authority(self, has_authority, answer) -> None:
        row = self.answer(
            {"q.io/team": "r.io/team"},
            "q.io/team/app:v1",
            {"q.io": "right", "r.io": "right"},
            has_authority=has_authority,
        )
        assert row.answer == answer


class TestStreams:
    ITEM = {"image": DIGEST, "dockerImageReference": f"docker.io/bitnami/redis@{DIGEST}"}

    def streams(self, **more: Any) -> Any:
        built = stream("redis", image="bitnami/redis:7.2", lookupPolicy={"local": True})
        built["status"]["tags"][0]["items"] = [self.ITEM]
        built["metadata"] |= more
        return built

    def test_a_name_of_a_stream_gets_the_new_source_and_not_a_new_name(self) -> None:
        snapshot = survey(place(streams=[self.streams()], workloads=[deployment(image="redis:v1")]))
        (row,) = rows_about(
            snapshot,
            {"moved": {**BITNAMI, "docker.io/library": "other.io"}},
            {"unreachable_registries": ["docker.io/bitnami"]},
        )
        assert (row.answer, row.deciding.is_moved) == ("unknown", False)
        assert f"quay.io/acme/bitnami/redis@{DIGEST}" in " ".join(step.seen for step in row.deciding.after.steps)
        (row,) = rows_about(snapshot, {"unreachable_registries": ["docker.io/bitnami"]})
        assert row.answer == "would_break"

    @pytest.mark.parametrize(
        "damage",
        [
            {"spec": None, "status": None},
            {"spec": {"tags": [None, 7, {"from": None}, {"from": {"kind": "DockerImage", "name": None}}]}},
            {"status": {"tags": [None, {"items": None}, {"items": [None, {"dockerImageReference": 7}]}]}},
        ],
    )
    def test_odd_streams_stay_as_they_are(self, damage) -> None:
        broken = {**self.streams(), **damage}
        snapshot = survey(place(streams=[broken], workloads=[deployment(image="redis:v1")]))
        (moved,) = rows_about(snapshot, {"moved": {"other.io": "quay.io"}})
        assert moved.answer == "not_affected"
        rows_about(snapshot, MOVED)

    def test_an_unknown_stream_stays_unknown(self) -> None:
        snapshot = survey(place(workloads=[deployment(image="redis:v1")], unread={"imagestreams": "no right"}))
        (row,) = rows_about(snapshot, {"moved": {"docker.io/library": "quay.io/hub"}})
        assert row.answer == "unknown"
        assert ObjectRef(IMAGE_STREAM, "a", "redis") in row.deciding.read


def test_names_that_only_an_operator_writes_do_not_move() -> None:
    catalog, operator = OPERATOR_KINDS
    meta = {"name": "x", "namespace": "a"}
    (of_catalog,) = subjects_of(catalog, {"metadata": meta, "spec": {"image": REDIS}})
    (of_operator,) = subjects_of(
        operator, {"metadata": meta, "spec": {"relatedImages": [{"name": "r", "image": REDIS}]}}
    )
    evidence = survey(place()).evidence
    assert Moves(BITNAMI).move(of_catalog, evidence).image == "quay.io/acme/bitnami/redis:7.2"
    assert Moves(BITNAMI).move(of_operator, evidence) is of_operator


def test_the_next_pod_has_nothing_of_the_present_one() -> None:
    present = ContainerPull(
        ObjectRef(IMAGE_STREAM, "a", "p"),
        "default",
        ("s",),
        "c",
        REDIS,
        True,
        "ErrImagePull",
        "denied",
        True,
        shares_error=True,
    )
    later = Moves(BITNAMI).move(present, survey(place()).evidence)
    assert later.own == ("s",)
    assert later.reason == ""
    assert later.message == ""
    assert later.is_pulled is False
    assert later.shares_error is False
    assert later.is_copied and not present.is_copied


def test_the_text_and_the_list_name_the_images_to_copy() -> None:
    found = document_about(survey(place(workloads=[deployment(image=REDIS)])), MOVED)
    assert found["images_to_mirror"]["skopeo"] == {"docker.io": {"images": {"bitnami/redis": ["7.2"]}}}
    assert (
        found["changes"][0]["title"]
        == "images come from new places: those of docker.io/bitnami from quay.io/acme/bitnami"
    )
    assert "1 image has no known copy at the new place, and must be copied:" in lines_of(found)
