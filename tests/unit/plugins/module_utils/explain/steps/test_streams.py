# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers get their image from an image stream tag by a trigger, the stream's own setting, or an annotation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import NAMESPACE, SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import Credentials
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.streams import (
    explain_project,
    why_not_imported,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import (
    ContainerPull,
    StreamSource,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM, tag_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    network_ref,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import SUBJECT_ACCESS_REVIEW
from support.pull_evidence import (
    AUTH,
    DIGEST,
    DIGEST_SETS,
    REFUSED,
    failed,
    known,
    openshift,
    pod,
    secret,
    steps,
    stream,
    summary,
    template,
    told,
)

STREAM = ObjectRef(IMAGE_STREAM, "b", "app")

OWN = ObjectRef(IMAGE_STREAM, "ns", "app")

QUAY = secret({"quay.io": AUTH})

FAILED = failed('you may not have access to the container image "quay.io/team/app:v1"', "Unauthorized")

INTEGRATED = "image-registry.openshift-image-registry.svc:5000"


def asked(subject: ContainerPull, streams: dict[ObjectRef, Any], **more: Any) -> PullVerdict:
    extra = {
        **openshift("4.20.0", "docker.io"),
        ObjectRef(SECRET, "b", ""): {"items": []},
        **streams,
        **more.pop("more", {}),
    }
    return told(subject, known(more=extra, quay=QUAY, **more))


def triggered(image: str = " ", *, paused: bool = False) -> ContainerPull:
    return template("quay", image=image, source=StreamSource(STREAM, "v1", paused))


class TestTrigger:
    @pytest.mark.parametrize("image", [" ", "", "app:v1"])
    def test_the_image_before_the_trigger_fires_is_not_the_pulled_image(self, image: str) -> None:
        found = asked(triggered(image), {STREAM: stream()})
        assert summary(found) == (
            "pulls",
            "secret quay has the key quay.io, but the registry was not asked whether it accepts the login",
        )
        text = f"the image is set from tag v1 of image stream b/app, which is quay.io/team/app@{DIGEST}"
        assert ("stream", text, True) in steps(found)

    def test_an_image_that_differs_from_the_stream_is_followed(self) -> None:
        found = asked(triggered("other.io/x:1"), {STREAM: stream()})
        assert found.verdict == "unknown"
        assert "other.io/x" in found.reason

    def test_the_integrated_registry_needs_a_right_in_the_project_of_the_stream(self) -> None:
        local = stream(policy="Local", repository=f"{INTEGRATED}/b/app")
        review = {ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default"): {"allowed": False}}
        found = asked(triggered(), {STREAM: local}, more=review)
        assert summary(found) == ("will_not_pull", "service account ns/default may not pull from project b")
        assert found.fix == fixes.grant("b", "ns", "default")

    def test_a_failed_import_names_the_project_that_lacks_the_secret(self) -> None:
        found = asked(triggered(), {STREAM: stream(FAILED, has_image=False)})
        assert found.verdict == "will_not_pull"
        assert found.reason.startswith(
            "the image is set from tag v1 of image stream b/app: tag v1 of image stream b/app was never imported: "
        )
        assert "none of them is for quay.io/team/app. Then import it again" in found.reason
        assert found.fix == [*fixes.import_secret("b", "quay.io"), *fixes.import_again("b", "app")]
        assert not any("not a valid image name" in seen for _name, seen, _ok in steps(found))

    def test_a_later_failed_import_leaves_the_image(self) -> None:
        found = asked(triggered(), {STREAM: stream(FAILED)})
        assert found.verdict == "pulls"
        assert [ok for _name, _seen, ok in steps(found, "stream")] == [True, None]

    def test_the_image_of_the_container_is_kept_if_the_stream_has_none(self) -> None:
        found = asked(triggered("quay.io/x:1"), {STREAM: stream(FAILED, has_image=False)})
        assert found.verdict == "pulls"
        assert [ok for _name, _seen, ok in steps(found, "stream")] == [False]

    def test_a_missing_stream_will_not_pull(self) -> None:
        assert summary(asked(triggered(), {STREAM: None})) == (
            "will_not_pull",
            "the image is set from tag v1 of image stream b/app, which does not exist",
        )

    def test_a_paused_trigger_keeps_the_image(self) -> None:
        found = asked(triggered(paused=True), {STREAM: stream()})
        assert found.reason.endswith("but its trigger is paused, so the container keeps ' '")
        assert asked(triggered("quay.io/x:1", paused=True), {STREAM: stream()}).verdict == "pulls"

    @pytest.mark.parametrize(
        ("answer", "why"), [(REFUSED, "the caller may not read it"), ({}, "the cluster has no image streams")]
    )
    def test_an_unreadable_stream_leaves_a_doubt(self, answer: Any, why: str) -> None:
        found = asked(triggered(), {STREAM: answer})
        text = f"the image is set from tag v1 of image stream b/app, but its content is not known: {why}"
        assert summary(found) == ("unknown", text)
        assert asked(triggered("quay.io/x:1"), {STREAM: answer}).verdict == "pulls"


class TestShortName:
    def test_a_short_name_is_resolved_by_a_stream_with_local_lookup(self) -> None:
        found = asked(template("quay", image="app:v1"), {OWN: stream(local=True)})
        assert found.verdict == "pulls"
        assert (
            "stream",
            f"the name refers to tag v1 of image stream ns/app, which is quay.io/team/app@{DIGEST}",
            True,
        ) in steps(found)

    def test_a_short_name_is_resolved_by_a_workload_that_requests_it(self) -> None:
        found = asked(template("quay", image="b/app:v1", resolves_names=True), {STREAM: stream()})
        assert "the name refers to tag v1 of image stream b/app" in steps(found)[0][1]
        assert asked(template("quay", image="app:v1", resolves_names=True), {OWN: stream()}).verdict == "pulls"

    def test_a_short_name_of_a_stream_without_an_import_has_a_fix(self) -> None:
        streams = {OWN: stream(FAILED, has_image=False, local=True), ObjectRef(SECRET, "ns", ""): {"items": []}}
        found = asked(template(image="app:v1"), streams)
        assert found.reason.startswith(
            "the name refers to tag v1 of image stream ns/app: tag v1 of image stream ns/app was never imported"
        )
        assert found.fix == [*fixes.import_secret("ns", "quay.io"), *fixes.import_again("ns", "app")]

    def test_a_short_name_that_is_not_resolved_is_the_cause_of_an_error(self) -> None:
        text = (
            "there is an image stream ns/app, but nothing says that app:v1 refers to it, so nodes ask a registry. Run 'oc set image-lookup app "
            "-n ns', then create the pod again"
        )
        found = asked(pod(image="app:v1", says="denied"), {OWN: stream()})
        assert summary(found) == ("will_not_pull", text)
        assert ("stream", text, None) in steps(asked(template(image="app:v1"), {OWN: stream()}))

    def test_a_short_name_of_an_older_pod_is_not_resolved(self) -> None:
        text = (
            "the name is that of image stream ns/app, but it was not resolved when the pod was created: delete the pod, so that it is "
            "resolved for the next one"
        )
        assert asked(pod(image="app:v1", says="denied"), {OWN: stream(local=True)}).reason == text
        assert ("stream", text, None) in steps(asked(pod(image="app:v1"), {OWN: stream(local=True)}))

    @pytest.mark.parametrize(("answer", "count"), [(None, 0), ({}, 0), (REFUSED, 1)])
    def test_a_short_name_without_a_stream_gives_no_step(self, answer: Any, count: int) -> None:
        assert len(steps(asked(template(image="app:v1"), {OWN: answer}), "stream")) == count

    @pytest.mark.parametrize("image", ["team/app:v1", f"app@{DIGEST}", "q.io/app", "a/b/c"])
    def test_a_name_that_cannot_mean_a_stream_gives_no_step(self, image: str) -> None:
        assert steps(asked(template(image=image, resolves_names="/b/" in image), {}), "stream") == []


# --- A failed import is explained, and the secret of the stream's project that fixes it is named

REF = ObjectRef(IMAGE_STREAM, "b", "app")

SECRETS = ObjectRef(SECRET, "b", "")

BEGIN = "tag v1 of image stream b/app was never imported: incorrect username or password. The import uses all pull secrets of project b, linked or not: "

AGAIN = "Then import it again with image_stream_import, because the cluster does not repeat the import"


def why(message: str, *secrets: dict[str, Any], answer: Any = None, **tag: Any) -> tuple[str, Sequence[Any]]:
    known = {SECRETS: {"items": [*secrets]} if answer is None else answer}
    return why_not_imported(tag_of(REF, stream(failed(message), has_image=False, **tag), "v1"), Lookup(known))


def named(name: str, *keys: str, kind: str = "kubernetes.io/dockerconfigjson") -> dict[str, Any]:
    return secret(dict.fromkeys(keys, AUTH), kind, name=name)


def test_a_project_without_a_secret_for_the_image_gets_a_fix() -> None:
    reason, fix = why("incorrect username or password", named("a", "q.io"), named("b", "quay.io", kind="Opaque"))
    assert reason == f"{BEGIN}none of them is for quay.io/team/app. {AGAIN}"
    assert fix == [*fixes.import_secret("b", "quay.io"), *fixes.import_again("b", "app")]


def test_a_secret_with_a_refused_login_is_fixed_in_its_place() -> None:
    reason, fix = why("incorrect username or password", named("a", "q.io"), named("stale", "quay.io"))
    assert reason == f"{BEGIN}secret stale has the key quay.io, and its login does not give the image. {AGAIN}"
    assert fix == [*fixes.add_registry("b", "stale", "quay.io"), *fixes.import_again("b", "app")]


def test_unreadable_secrets_are_reported_and_still_have_a_fix() -> None:
    reason, fix = why("incorrect username or password", answer=REFUSED)
    assert "whether one of them is for quay.io/team/app is not known: the caller may not read it" in reason
    assert fix == [*fixes.import_secret("b", "quay.io"), *fixes.import_again("b", "app")]


def test_a_scheduled_tag_is_imported_again_automatically() -> None:
    reason, fix = why("incorrect username or password", scheduled=True)
    assert reason.endswith("The cluster repeats the import every 15 minutes")
    assert fix == fixes.import_secret("b", "quay.io")


def test_an_import_error_that_no_login_fixes_needs_no_secrets() -> None:
    tag = tag_of(REF, stream(failed("registry quay.io blocked"), has_image=False), "v1")
    reason = (
        f"tag v1 of image stream b/app was never imported: registry quay.io blocked. Fix that in project b. {AGAIN}"
    )
    assert why_not_imported(tag, Lookup()) == (reason, [])


def test_a_tag_without_an_import_is_reported() -> None:
    reason = "tag v2 of image stream b/app has no image: build or import it, or correct the tag"
    assert why_not_imported(tag_of(REF, stream(), "v2"), Lookup()) == (reason, [])


def test_the_secrets_of_the_project_are_read_first() -> None:
    evidence = Lookup()
    with pytest.raises(ReadRequired):
        why_not_imported(tag_of(REF, stream(failed("x not found"), has_image=False), "v1"), evidence)
    assert evidence.take_wanted() == [SECRETS]


# --- Pulling from another project requires a right to it. `test_chain.py` tests the complete verdict


@pytest.mark.parametrize("domain", ["svc", "svc.cluster.local"])
def test_the_right_and_the_stream_are_wanted_together(domain: str) -> None:
    evidence = Lookup({IMAGE_CONFIG: None})
    reference = reference_of(f"image-registry.openshift-image-registry.{domain}:5000/b/app:v1")
    assert reference is not None
    with pytest.raises(ReadRequired):
        list(explain_project(pod(), reference, Credentials([], []), evidence))
    wanted = [ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default"), ObjectRef(IMAGE_STREAM, "b", "app")]
    assert evidence.take_wanted() == wanted


STORED = {
    "status": {
        "tags": [
            {"tag": "old", "items": [{"image": f"sha256:{'1' * 64}", "dockerImageReference": "old.io/app:1"}]},
            {
                "tag": "v1",
                "items": [
                    {"image": DIGEST, "dockerImageReference": f"q.io/app@{DIGEST}"},
                    {"image": f"sha256:{'2' * 64}", "dockerImageReference": f"{INTEGRATED}/b/app@sha256:{'2' * 64}"},
                ],
            },
        ]
    },
}


def told_about(image: str, **more: Any) -> tuple[str, str]:
    """The verdict and the reason for an image of the stream, with the registries that the nodes do not reach."""
    review, stream = ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default"), ObjectRef(IMAGE_STREAM, "b", "app")
    lost = {network_ref(host): {"reached": False} for host in more.get("unreachable", ())}
    evidence = Lookup(known(more={review: {"allowed": True}, stream: STORED, **lost, **more.get("sets", {})}))
    reference = reference_of(f"{INTEGRATED}/b/app{image}")
    assert reference is not None
    _right, seen = explain_project(pod(), reference, Credentials([], []), evidence)
    return seen.verdict, seen.reason


class TestLayersOfOtherRegistries:
    @pytest.mark.parametrize("image", [":v1", f"@{DIGEST}"])
    def test_an_imported_image_is_unknown_if_its_origin_is_out_of_reach(self, image: str) -> None:
        assert told_about(image) == ("", "")
        assert told_about(image, unreachable=["old.io"]) == ("", "")
        assert told_about(image, unreachable=["q.io"]) == (
            "unknown",
            "image stream b/app has the image, but the nodes do not reach q.io, from where the registry gets the layers that it has not "
            "stored: whether it has stored them is not known",
        )

    def test_a_mirror_that_is_reached_has_the_layers(self) -> None:
        items = [{"source": "q.io", "mirrors": ["m.io"]}]
        sets = {
            ObjectRef(DIGEST_SETS, "", ""): {
                "items": [{"metadata": {"name": "m"}, "spec": {"imageDigestMirrors": items}}]
            }
        }
        assert told_about(":v1", unreachable=["q.io"], sets=sets) == ("", "")
        assert told_about(":v1", unreachable=["q.io", "m.io"], sets=sets)[0] == "unknown"

    def test_an_image_that_was_pushed_has_no_other_origin(self) -> None:
        assert told_about(f"@sha256:{'2' * 64}", unreachable=[INTEGRATED]) == ("", "")


@pytest.mark.parametrize("is_openshift", [True, False])
def test_a_grant_is_offered_only_on_openshift(is_openshift: bool) -> None:
    review, image = ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default"), ObjectRef(IMAGE_STREAM, "b", "app")
    known_objects = {IMAGE_CONFIG: None, review: {"allowed": False}, image: None if is_openshift else {}}
    evidence = Lookup({**known_objects, ObjectRef(NAMESPACE, "", "b"): {}})
    reference = reference_of("image-registry.openshift-image-registry.svc:5000/b/app:v1")
    assert reference is not None
    right, _stream = explain_project(pod(), reference, Credentials([], []), evidence)
    assert right.reason.startswith("service account ns/default may not pull from project b")
    assert bool(right.fix) is is_openshift


@pytest.mark.parametrize(
    ("project", "reason", "is_offered"),
    [
        (None, "project b does not exist", False),
        (REFUSED, "service account ns/default may not pull from project b", True),
    ],
    ids=["missing", "unreadable"],
)
def test_a_grant_is_not_offered_for_a_project_that_does_not_exist(project: Any, reason: str, is_offered: bool) -> None:
    review, image = ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default"), ObjectRef(IMAGE_STREAM, "b", "app")
    evidence = Lookup(
        {IMAGE_CONFIG: None, review: {"allowed": False}, image: None, ObjectRef(NAMESPACE, "", "b"): project}
    )
    reference = reference_of("image-registry.openshift-image-registry.svc:5000/b/app:v1")
    assert reference is not None
    right, _stream = explain_project(pod(), reference, Credentials([], []), evidence)
    assert (right.reason, bool(right.fix)) == (reason, is_offered)
