# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects and messages of nodes determine the verdict, its reason and its fix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    POD,
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.chain import explain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import (
    ContainerPull,
    pulls_of_pod,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    CLUSTER_POLICIES,
    IMAGE_POLICY,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import CLUSTER_VERSION
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import SUBJECT_ACCESS_REVIEW
from support.pull_evidence import (
    AUTH,
    DIGEST,
    DIGEST_SETS,
    GENERATED,
    GOOD,
    IMAGE,
    REFUSED,
    TAG_SETS,
    account,
    failed,
    known,
    mirrored,
    pod,
    secret,
    steps,
    stream,
    summary,
    template,
    told,
)


class TestName:
    @pytest.mark.parametrize("image", ["", "UPPER", "https://q.io/a", f"q.io/a@{DIGEST[:-1]}"])
    def test_an_invalid_image_name_will_not_pull(self, image: str) -> None:
        found = explain(pod(image=image), Lookup())
        assert summary(found) == ("will_not_pull", f"{image!r} is not a valid image name")
        assert [(step.name, step.ok) for step in found.steps] == [("image", False)]

    def test_a_login_in_a_name_is_not_shown(self) -> None:
        """The node repeats the name in its message."""
        image = "robot:Canary-1@q.io/team/app:v1"
        message = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": invalid reference format'
        state = {"waiting": {"reason": "InvalidImageName", "message": message}}
        made = {
            "metadata": {"name": "p", "namespace": "ns"},
            "spec": {"containers": [{"name": "app", "image": image}]},
            "status": {"containerStatuses": [{"name": "app", "image": image, "state": state}]},
        }
        (subject,) = pulls_of_pod(made, "ns")
        found = told(subject, known())
        assert found.verdict == "will_not_pull"
        assert "********@q.io/team/app:v1" in found.reason
        assert "Canary" not in repr(found)

    def test_a_name_without_a_registry_leaves_a_doubt_after_all_other_steps(self) -> None:
        hub = secret({"docker.io": AUTH})
        found = told(pod("hub", image="team/app:v1"), known(hub=hub))
        assert found.verdict == "unknown"
        assert found.reason.startswith(
            "team/app:v1 names no registry: containerd takes Docker Hub, CRI-O its search registries"
        )
        assert told(pod(image="team/app:v1"), known()).reason.startswith(
            "no pull secret of pod ns/p is for docker.io/team/app"
        )
        assert told(pod("hub", image="docker.io/team/app:v1"), known(hub=hub)).verdict == "pulls"


class TestWhatIsRead:
    def test_all_objects_that_the_steps_need_are_wanted_at_once(self) -> None:
        evidence = Lookup()
        with pytest.raises(ReadRequired):
            explain(pod("a", "b"), evidence)
        wanted = evidence.take_wanted()
        assert wanted[:4] == [ObjectRef(SECRET, "ns", "a"), ObjectRef(SECRET, "ns", "b"), NODE_SECRET, IMAGE_CONFIG]
        assert wanted[4:7] == [ObjectRef(kind, "", "") for kind in MIRROR_KINDS]
        assert wanted[7:] == [CLUSTER_POLICIES, ObjectRef(IMAGE_POLICY, "ns", "")]

    def test_a_template_asks_for_its_account_first(self) -> None:
        evidence = Lookup()
        with pytest.raises(ReadRequired):
            explain(template(), evidence)
        assert evidence.take_wanted() == [ObjectRef(SERVICE_ACCOUNT, "ns", "default")]


class TestList:
    def test_the_list_of_a_pod_is_final(self) -> None:
        assert summary(told(pod("good"), known(good=GOOD)))[0] == "pulls"
        found = told(pod(), known(account("good"), good=GOOD))
        assert summary(found)[0] == "unknown"
        assert found.reason.startswith(
            "pod ns/p was created before good was linked to service account ns/default, and never gets it: the pull works"
        )
        assert found.fix == fixes.link("ns", "default", "good")

    def test_a_template_gets_the_list_of_the_account_unless_it_has_its_own(self) -> None:
        cluster = known(account("good"), good=GOOD, own=secret({"other.io": AUTH}))
        assert told(template(), cluster).verdict == "pulls"
        assert told(template("own"), cluster).verdict == "unknown"

    def test_a_template_without_an_account_creates_no_pod(self) -> None:
        found = told(template(), {**known(), ObjectRef(SERVICE_ACCOUNT, "ns", "default"): None})
        assert summary(found) == (
            "will_not_pull",
            "service account ns/default does not exist, so no pod can be created. Correct its name, or create it",
        )

    def test_an_unreadable_account_leaves_a_doubt(self) -> None:
        found = told(template(), {**known(), ObjectRef(SERVICE_ACCOUNT, "ns", "default"): REFUSED})
        assert summary(found) == (
            "unknown",
            "the list of service account ns/default is not known: the caller may not read it",
        )

    def test_an_unreadable_account_does_not_matter_for_a_pod(self) -> None:
        found = told(pod(), {**known(), ObjectRef(SERVICE_ACCOUNT, "ns", "default"): REFUSED})
        assert found.reason.startswith("no pull secret of pod ns/p is for q.io/team/app: the pull works only if")


class TestSecrets:
    def test_the_login_is_named(self) -> None:
        found = told(pod("a", "b"), known(a=secret({"q.io/team": AUTH}), b=GOOD))
        assert (
            found.reason
            == "secret a has the key q.io/team, but the registry was not asked whether it accepts the login"
        )
        assert ("keys", "secret a has the key q.io/team, then secret b has the key q.io", True) in [
            (step.name, step.seen, step.ok) for step in found.steps
        ]

    def test_an_unparsable_secret_stops_every_pull(self) -> None:
        found = told(pod("good", "bad"), known(good=GOOD, bad=secret({"x": {"auth": "?"}})))
        assert found.verdict == "will_not_pull"
        assert found.reason.startswith(
            "secret ns/bad stops every pull of a pod that lists it, because the entry for 'x'"
        )
        assert found.fix == fixes.remove_registry("ns", "bad", "x")

    def test_only_the_bad_entries_of_an_unparsable_secret_change(self) -> None:
        bad = secret({"x.io": {"auth": "?"}, "q.io": {"auth": "?"}, "good.io": AUTH})
        found = told(pod("bad"), known(bad=bad))
        assert found.fix == [*fixes.remove_registry("ns", "bad", "x.io"), *fixes.add_registry("ns", "bad", "q.io")]

    def test_content_that_cannot_be_edited_is_replaced(self) -> None:
        found = told(pod("bad"), known(bad=secret({}) | {"data": {".dockerconfigjson": "?"}}))
        assert found.fix == fixes.rewrite_secret("ns", "bad", "q.io")

    def test_an_unreadable_secret_leaves_a_doubt(self) -> None:
        found = told(pod("good", "hidden"), known(good=GOOD, hidden=REFUSED))
        assert summary(found) == ("unknown", "the content of secret ns/hidden is not known: the caller may not read it")

    @pytest.mark.parametrize(
        ("stored", "reason", "fix"),
        [
            (None, "secret ns/a does not exist, so the node ignores it", fixes.create_listed_secret),
            (secret({}, "Opaque"), "secret ns/a has type Opaque, which no node reads", fixes.convert_secret),
        ],
    )
    def test_an_unusable_secret_is_reported_with_its_fix(self, stored: Any, reason: str, fix: Any) -> None:
        found = told(pod("a"), known(a=stored))
        assert found.verdict == "unknown"
        assert found.reason == (
            f"{reason}: the pull works only if the image is public or the nodes have credentials for it"
        )
        assert found.fix == fix("ns", "a", "q.io")
        assert told(pod("a", "good"), known(a=stored, good=GOOD)).verdict == "pulls"

    def test_the_deciding_step_is_named_even_after_a_missing_secret(self) -> None:
        """A missing secret is a failed step, but the node goes on without it."""
        blocked = {"spec": {"registrySources": {"blockedRegistries": ["q.io"]}}}
        found = told(pod("a", "good"), known(a=None, good=GOOD, more={IMAGE_CONFIG: blocked}))
        assert [step.name for step in found.steps if step.ok is False] == ["secret", "registries"]
        assert (found.verdict, found.step) == ("will_not_pull", "registries")
        assert told(pod("good"), known(good=GOOD)).step == ""
        assert told(pod("a", says="authentication required"), known(account("a"), a=GOOD)).step == "login"

    def test_a_missing_key_is_reported_with_the_nearest_key(self) -> None:
        found = told(pod("a", says="authentication required"), known(account("a"), a=secret({"q.io:5000": AUTH})))
        assert summary(found) == (
            "will_not_pull",
            "no pull secret of pod ns/p is for q.io/team/app; the nearest is q.io:5000, and the node says: authentication required",
        )
        assert found.fix == fixes.create_secret("ns", "default", "q.io")
        assert found.cause == "unauthorized"

    def test_a_list_of_the_pod_is_fixed_in_its_secret(self) -> None:
        other, generated = secret({"x.io": AUTH}), secret({"x.io": AUTH}, **GENERATED)
        assert told(pod("own"), known(own=other)).fix == fixes.add_registry("ns", "own", "q.io")
        assert told(template("own"), known(own=other)).fix == fixes.add_registry("ns", "own", "q.io")
        assert told(pod("own"), known(own=generated)).fix == []
        assert told(pod("a"), known(account("a"), a=other)).fix == fixes.create_secret("ns", "default", "q.io")

    @pytest.mark.parametrize("subject", [pod("own"), template("own")])
    def test_a_list_of_the_pod_hides_the_linked_secrets(self, subject: ContainerPull) -> None:
        found = told(subject, known(account("linked"), own=secret({"x.io": AUTH}), linked=GOOD))
        assert found.reason.startswith(
            f"{subject.ref} has its own imagePullSecrets list, so it does not use linked of service account ns/default: the"
        )
        assert found.fix == fixes.add_registry("ns", "own", "q.io")

    def test_the_secret_of_the_nodes_is_used_if_no_other_fits(self) -> None:
        found = told(pod(), known(more={NODE_SECRET: GOOD}))
        assert summary(found) == (
            "pulls",
            "the nodes' own pull secret has the key q.io, but the registry was not asked whether it accepts the login",
        )


class TestNode:
    @pytest.mark.parametrize(
        ("text", "cause"),
        [
            ("dial tcp: lookup q.io: no such host", "dns"),
            ("toomanyrequests: x", "rate_limited"),
            ("dial tcp 192.0.2.9:443: connect: permission denied", "connection_refused"),
            ("storing blob to file: open /var/tmp/x: permission denied", "node_permission"),
        ],
    )
    def test_a_cause_other_than_a_login_is_the_reason(self, text: str, cause: str) -> None:
        found = told(pod("good", says=text), known(good=GOOD))
        assert (found.verdict, found.cause) == ("will_not_pull", cause)
        assert f"({text}). " in found.reason
        assert found.reason[0].islower()

    def test_an_unknown_error_of_the_node_leaves_a_doubt(self) -> None:
        found = told(pod("good", says="something new"), known(good=GOOD))
        assert (*summary(found), found.cause) == ("unknown", "the node says: something new", "unknown")

    def test_a_refused_login_is_renewed_in_its_secret(self) -> None:
        found = told(pod("good", says="invalid username/password: x"), known(good=GOOD))
        assert summary(found) == ("will_not_pull", "the registry refuses the login: secret good has the key q.io")
        assert found.fix == fixes.add_registry("ns", "good", "q.io")

    def test_a_secret_that_was_linked_after_the_pod_was_created_is_named(self) -> None:
        """Its login would work, but the pod keeps the list with the refused one."""
        later = "pod ns/p was created before later was linked to service account ns/default, and never gets it"
        refused, accepted = pod("good", says="invalid username/password: x"), pod("good")
        for subject, account_lists, names in (
            (refused, ["good", "later"], True),
            (refused, ["good"], False),
            (refused, ["later"], False),  # the list of the pod is its own
            (accepted, ["good", "later"], False),
        ):
            found = told(subject, known(account(*account_lists), good=GOOD, later=GOOD))
            hints = [step.seen for step in found.steps if step.name == "pull_secrets"][1:]
            assert [hint.startswith(later) for hint in hints] == [True] * names
            assert found.verdict == ("pulls" if subject is accepted else "will_not_pull")

    @pytest.mark.parametrize("text", ["no basic auth credentials", "Unable to retrieve some image pull secrets (good)"])
    def test_an_error_that_is_older_than_the_secret_is_ignored(self, text: str) -> None:
        found = told(pod("good", says=text), known(good=GOOD))
        assert found.verdict == "pulls"
        assert found.reason == (
            "secret good has the key q.io, so the node's error is older than it: the next attempt, at most five minutes from now, "
            "will pull; delete the pod to have it at once"
        )

    @pytest.mark.parametrize(
        ("text", "means"),
        [
            ("denied", "the login has no right"),
            ("authentication required", "the registry does not accept the login"),
            ("manifest unknown", "there is no such image"),
        ],
    )
    def test_an_error_with_two_possible_causes_leaves_a_doubt(self, text: str, means: str) -> None:
        found = told(pod("good", says=text), known(good=GOOD))
        assert found.verdict == "unknown"
        assert found.reason.startswith(f"secret good has the key q.io, and the node says: {text}. Either {means}")

    def test_an_unreadable_secret_may_have_been_tried(self) -> None:
        found = told(pod("hidden", says="denied"), known(hidden=REFUSED))
        assert summary(found) == (
            "will_not_pull",
            "the node says: denied. The content of secret ns/hidden is not known: the caller may not read it",
        )
        assert found.fix == ()

    def test_an_empty_login_counts_as_no_login(self) -> None:
        found = told(pod("a", says="denied"), known(a=secret({"q.io": {}})))
        assert found.verdict == "will_not_pull"
        assert ("keys", "secret a has the key q.io without a login", False) in [
            (step.name, step.seen, step.ok) for step in found.steps
        ]

    def test_a_pulled_image_needs_no_secret(self) -> None:
        assert summary(told(pod("a", pulled=True), known(a=None))) == ("pulls", "the container has its image")

    def test_a_back_off_alone_gives_no_cause(self) -> None:
        subject = ContainerPull(
            ObjectRef(POD, "ns", "p"),
            "default",
            ("good",),
            "app",
            IMAGE,
            True,
            "ImagePullBackOff",
            'Back-off pulling image "x"',
        )
        assert (told(subject, known(good=GOOD)).verdict, told(subject, known(good=GOOD)).cause) == ("pulls", "")


class TestSources:
    CONFIG: dict[str, Any] = {"spec": {"registrySources": {"blockedRegistries": ["q.io"]}}}

    def test_a_blocked_registry_will_not_pull(self) -> None:
        found = told(pod("good"), known(more={IMAGE_CONFIG: self.CONFIG}, good=GOOD))
        assert summary(found) == (
            "will_not_pull",
            "the nodes are not allowed to pull q.io/team/app:v1: registrySources.blockedRegistries of image config cluster has q.io",
        )

    def test_the_steps_show_the_failed_and_the_unknown_ones(self) -> None:
        more = {IMAGE_CONFIG: self.CONFIG, ObjectRef(TAG_SETS, "", ""): REFUSED}
        found = told(pod("good"), known(more=more, good=GOOD))
        assert [(step.name, step.ok) for step in found.steps] == [
            ("image", True),
            ("pull_secrets", True),
            ("secret", True),
            ("registries", False),
            ("configuration", None),
            ("keys", True),
        ]

    @pytest.mark.parametrize(("image", "way"), [(IMAGE, "tag"), (f"q.io/a@sha256:{'0' * 64}", "digest")])
    def test_a_blocked_source_without_a_mirror_will_not_pull(self, image: str, way: str) -> None:
        """The set has a mirror for the other type of pulls."""
        kind, field = (TAG_SETS, "imageTagMirrors") if way == "digest" else (DIGEST_SETS, "imageDigestMirrors")
        item = {"source": "q.io", "mirrors": ["m.io"], "mirrorSourcePolicy": "NeverContactSource"}
        sets = {ObjectRef(kind, "", ""): {"items": [{"metadata": {"name": "m"}, "spec": {field: [item]}}]}}
        found = told(pod("good", image=image), known(more=sets, good=GOOD))
        assert summary(found) == (
            "will_not_pull",
            f"registry q.io is blocked: no mirror is for a pull by {way}, and the source is never contacted (source q.io in {kind.title} m)",
        )

    def test_a_mirror_that_makes_no_name_of_an_image_stops_every_pull(self) -> None:
        found = told(pod("good"), known(more=mirrored("m.io", source="q.io/team/app"), good=GOOD))
        text = (
            "nodes look for it at m.io:v1, which is not the name of an image with a registry and a repository, so each pull fails before a "
            "registry is asked (source q.io/team/app in image tag mirror set m): give the mirror a repository"
        )
        assert summary(found) == ("will_not_pull", text)

    RELEASE: ClassVar[Any] = {"status": {"desired": {"image": f"q.io/release@sha256:{'0' * 64}"}}}

    def test_the_registry_of_the_release_is_not_blocked_without_a_mirror(self) -> None:
        more: dict[ObjectRef, Any] = {IMAGE_CONFIG: self.CONFIG, CLUSTER_VERSION: self.RELEASE}
        assert told(pod("good"), known(more=more, good=GOOD)).verdict == "pulls"
        item = {"source": "q.io/release", "mirrors": ["m.io/release"]}
        sets = {"items": [{"metadata": {"name": "m"}, "spec": {"imageDigestMirrors": [item]}}]}
        more[ObjectRef(DIGEST_SETS, "", "")] = sets
        assert told(pod("good"), known(more=more, good=GOOD)).verdict == "will_not_pull"

    @pytest.mark.parametrize("version", [REFUSED, {"status": {"desired": {"image": "?"}}}])
    def test_an_unknown_release_leaves_a_doubt_about_a_blocked_registry(self, version: Any) -> None:
        found = told(pod("good"), known(more={IMAGE_CONFIG: self.CONFIG, CLUSTER_VERSION: version}, good=GOOD))
        assert found.verdict == "unknown"
        assert found.reason.startswith(
            "the nodes are not allowed to pull q.io/team/app:v1: registrySources.blockedRegistries of image config cluster has q.io. An entry "
            "around the repository of the release has no effect without a mirror of it, and this repository is not known: "
        )

    def test_a_policy_with_an_invalid_name_at_a_mirror_leaves_the_nodes_with_their_previous_files(self) -> None:
        policy = {"metadata": {"name": "p"}, "spec": {"scopes": ["q.io/team/app"]}}
        more = {CLUSTER_POLICIES: {"items": [policy]}, **mirrored("m.io", source="q.io/team/app")}
        found = told(pod("good"), known(more=more, good=GOOD))
        assert found.verdict == "unknown"
        assert (
            "because cluster image policy p has scope q.io/team/app, and the mirror m.io makes the invalid image name m.io:latest of it"
            in found.reason
        )


class TestProject:
    HOST = "image-registry.openshift-image-registry.svc:5000"
    REVIEW = ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default")
    STREAM = ObjectRef(IMAGE_STREAM, "b", "app")
    FULL: dict[str, Any] = {"status": {"tags": [{"tag": "v1", "items": [{"image": "x"}]}]}}
    CREDENTIAL = secret({HOST: AUTH}, **GENERATED)

    def told(self, answer: Any, **stream: Any) -> PullVerdict:
        more = {self.REVIEW: answer, self.STREAM: stream.get("stream", self.FULL)}
        return told(pod("own", image=f"{self.HOST}/b/app:v1"), known(more=more, own=secret({self.HOST: AUTH})))

    def test_a_missing_tag_or_stream_will_not_pull(self) -> None:
        found = self.told({"allowed": True}, stream={})
        assert found.verdict == "pulls"
        text = "whether image stream b/app has the image is not known: the cluster has no image streams"
        assert ("stream", text, None) in [(step.name, step.seen, step.ok) for step in found.steps]
        assert summary(self.told({"allowed": True}, stream={"status": {}})) == (
            "will_not_pull",
            "image stream b/app has no tag v1: build or import it, or correct the tag",
        )
        assert self.told({"allowed": True}, stream=None).reason.startswith("image stream b/app does not exist")

    def test_a_failed_import_will_not_pull_and_has_a_fix(self) -> None:
        more = {ObjectRef(SECRET, "b", ""): {"items": []}, self.REVIEW: {"allowed": True}}
        more[self.STREAM] = stream(failed("incorrect username or password"), has_image=False)
        found = told(pod("own", image=f"{self.HOST}/b/app:v1"), known(more=more, own=self.CREDENTIAL))
        assert found.verdict == "will_not_pull"
        assert found.reason.startswith(
            "tag v1 of image stream b/app was never imported: incorrect username or password. The import"
        )
        assert found.fix == [*fixes.import_secret("b", "quay.io"), *fixes.import_again("b", "app")]

    @pytest.mark.parametrize("image", ["app:v1", f"app@{DIGEST}"])
    def test_a_later_failed_import_leaves_the_image(self, image: str) -> None:
        more = {self.REVIEW: {"allowed": True}, self.STREAM: stream(failed("incorrect username or password"))}
        found = told(pod("own", image=f"{self.HOST}/b/{image}"), known(more=more, own=self.CREDENTIAL))
        assert found.verdict == "pulls"
        assert ("stream", "image stream b/app has the image", True) in steps(found)

    def test_an_unreadable_stream_leaves_a_doubt(self) -> None:
        text = "whether image stream b/app has the image is not known: the caller may not read it"
        assert summary(self.told({"allowed": True}, stream=REFUSED)) == ("unknown", text)

    def test_a_missing_right_is_reported_before_a_missing_image(self) -> None:
        assert "may not pull" in self.told({"allowed": False}, stream=None).reason

    def test_an_allowed_account_pulls_from_the_project(self) -> None:
        found = self.told({"allowed": True})
        assert found.verdict == "pulls"
        seen = [(step.name, step.seen, step.ok) for step in found.steps]
        assert ("project", "service account ns/default may pull from project b", True) in seen
        assert ("stream", "image stream b/app has the image", True) in seen

    @pytest.mark.parametrize("answer", [{"allowed": False}, {}, {"allowed": "true"}], ids=str)
    def test_a_denied_account_gets_a_grant_as_its_fix(self, answer: Any) -> None:
        found = self.told(answer)
        assert summary(found) == ("will_not_pull", "service account ns/default may not pull from project b")
        assert found.fix == fixes.grant("b", "ns", "default")

    def test_an_unreadable_right_leaves_a_doubt(self) -> None:
        assert summary(self.told(REFUSED)) == (
            "unknown",
            "whether service account ns/default may pull from b is not known: the caller may not read it",
        )

    @pytest.mark.parametrize(
        "names", [{"internalRegistryHostname": "r.example.com"}, {"externalRegistryHostnames": ["x", "r.example.com"]}]
    )
    def test_the_integrated_registry_is_recognised_by_its_other_names(self, names: Any) -> None:
        config = {"status": names}
        own = secret({"r.example.com": AUTH})
        cluster = known(more={IMAGE_CONFIG: config, self.REVIEW: {"allowed": False}, self.STREAM: None}, own=own)
        assert told(pod("own", image="r.example.com/b/app:v1"), cluster).verdict == "will_not_pull"

    def test_a_generated_secret_reveals_the_name_of_the_integrated_registry(self) -> None:
        own = secret({"r.example.com:5000": AUTH}, **GENERATED)
        cluster = known(more={IMAGE_CONFIG: REFUSED, self.REVIEW: {"allowed": False}, self.STREAM: None}, own=own)
        assert told(pod("own", image="r.example.com:5000/b/app:v1"), cluster).verdict == "will_not_pull"

    @pytest.mark.parametrize("image", ["q.io/b/app:v1", f"{HOST}/app:v1"])
    def test_images_without_a_project_need_no_right(self, image: str) -> None:
        found = told(pod("good", image=image), known(good=secret({"q.io": AUTH, self.HOST: AUTH})))
        assert "project" not in [step.name for step in found.steps]


@pytest.mark.parametrize("asks", [True, False])
def test_an_artifact_that_is_no_image_is_reported_with_the_words_of_the_node(asks: bool) -> None:
    """The pull works, and every start of the container fails."""
    text = 'reading image "1": locating image with ID "1": image not known'
    subject = pod("good", reason="CreateContainerError", message=text)
    found = explain(subject, Lookup(known(good=GOOD)), asks=asks)
    assert (found.verdict, found.cause, found.fix) == ("will_not_pull", "not_an_image", ())
    assert text in found.reason
    assert "such as a Helm chart" in found.reason


def test_a_task_that_an_inventory_may_undo_says_so() -> None:
    labels = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}
    ours = {**GOOD, "metadata": {**GOOD.get("metadata", {}), "labels": labels}}
    refused, others = (
        told(pod("good", says="invalid username/password: x"), known(good=each)) for each in (ours, GOOD)
    )
    assert refused == replace(others, steps=refused.steps)
    assert [*refused.steps[:-1]] == [*others.steps]
    assert refused.text()[-1] == (
        "  ?  inventory: this collection wrote the secret. If an inventory declares it, correct the login there and run site, which "
        "otherwise writes the old one back"
    )
    assert told(pod("good"), known(good=ours)) == told(pod("good"), known(good=GOOD)), "no task"
    unlinked = told(pod(), known(account("good"), good=ours))
    assert (bool(unlinked.fix), "inventory" in [step.name for step in unlinked.steps]) == (True, False)


def test_a_task_that_a_controller_may_undo_says_so() -> None:
    owner = {"apiVersion": "x/v1", "kind": "ExternalSecret", "name": "quay", "uid": "1", "controller": True}
    fetched = {**GOOD, "metadata": {**GOOD.get("metadata", {}), "ownerReferences": [owner]}}
    refused = told(pod("good", says="invalid username/password: x"), known(good=fetched))
    assert refused.fix
    assert refused.text()[-1].startswith("  ?  secret: ExternalSecret quay overwrites changes of this secret: ")


def test_a_link_does_not_help_a_pod_that_nothing_recreates() -> None:
    subject = pod("a", says="denied")
    evidence = known(account("a"), a=secret({"other.io": AUTH}), b=GOOD)
    recreated, bare = (told(replace(subject, is_bare=each), evidence) for each in (False, True))
    assert recreated.fix == fixes.link("ns", "default", "b")
    assert bare == replace(recreated, subject=bare.subject, steps=bare.steps)
    assert [*bare.steps[:-1]] == [*recreated.steps]
    assert bare.text()[-1] == (
        f"  ?  pull_secrets: after the tasks, {subject.ref} keeps its list (no controller recreates it: delete it and create it again)"
    )


def test_the_report_holds_verdict_steps_fix_and_text() -> None:
    found = told(pod("good", says="invalid username/password: x"), known(good=GOOD)).report()
    assert {
        key: found[key] for key in ("kind", "name", "container", "service_account", "image", "verdict", "cause")
    } == {
        "kind": "Pod",
        "name": "p",
        "container": "app",
        "service_account": "default",
        "image": IMAGE,
        "verdict": "will_not_pull",
        "cause": "bad_credentials",
    }
    assert found["steps"][0] == {"step": "image", "message": f"{IMAGE} is {IMAGE}", "ok": True}
    assert [step["step"] for step in found["steps"]] == ["image", "pull_secrets", "secret", "keys", "node"]
    assert found["fix"] == fixes.add_registry("ns", "good", "q.io")
    assert found["text"][:2] == [
        "cannot pull: the registry refuses the login: secret good has the key q.io",
        f"  ok image: {IMAGE} is {IMAGE}",
    ]
    assert found["text"][-1] == "  NO node: the node says: invalid username/password: x"


@pytest.mark.parametrize(
    ("subject", "objects"),
    [
        (pod("hidden"), known(hidden=REFUSED)),
        (template(), {**known(), ObjectRef(SERVICE_ACCOUNT, "ns", "default"): REFUSED}),
    ],
)
def test_no_step_denies_a_key_that_could_not_be_read(subject: Any, objects: Any) -> None:
    assert "  NO keys" not in "\n".join(told(subject, objects).report()["text"])
