# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each stream is imported once and each tag's result is reported, even if the server refuses, loses or changes something."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_stream_import.plan import (
    ImportOptions,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_stream_import.run import (
    import_streams,
)
from support.fake_api import LOST, FakeApi
from support.pull_evidence import failed
from support.scripted_pool import Answer, Clock, Request, status_object

ALWAYS = 10**9
POST = "POST .*imagestreamimports"
UNAUTHORIZED = failed('you may not have access to the container image "quay.io/team/app:v1"', "Unauthorized")
QUOTA = status_object(403, "Forbidden", "exceeded quota: images, requested: openshift.io/imagestreams=1")
CONFLICT = status_object(409, "Conflict", "the image stream was updated")


class OpenShift(FakeApi):
    """Import as OpenShift does. `refused` contains the tags whose import fails again, with the message."""

    def __init__(self, *groups: str) -> None:
        super().__init__()
        self.refused: dict[str, str] = {}
        names = groups or ("apps", "image.openshift.io")
        self.fail("GET /apis$", Answer(200, {"groups": [{"name": name} for name in names]}), times=ALWAYS)

    def _answer(self, request: Request) -> Answer:
        if request.method != "POST" or "imagestreamimports" not in request.path:
            return super()._answer(request)
        meta = request.body["metadata"]
        stream = self.get("imagestreams", meta["namespace"], meta["name"])
        if stream is None:
            name = meta["name"]
            return status_object(404, "NotFound", f'imagestreams "{name}" not found', kind="imagestreams", name=name)
        if stream["metadata"]["resourceVersion"] != meta["resourceVersion"]:
            return CONFLICT
        images = [self._imported(stream, image["to"]["name"]) for image in request.body["spec"]["images"]]
        now = self.put("imagestreams", meta["namespace"], meta["name"], spec=stream["spec"], status=stream["status"])
        return Answer(201, {**request.body, "status": {"images": images, "import": now}})

    def _imported(self, stream: dict[str, Any], name: str) -> dict[str, Any]:
        (tag,) = (tag for tag in stream["status"]["tags"] if tag["tag"] == name)
        if name in self.refused:
            tag["conditions"] = [failed(self.refused[name], "Unauthorized")]
            return {"status": {"status": "Failure", "reason": "Unauthorized", "message": self.refused[name]}}
        tag.pop("conditions", None)
        tag["items"] = [{"image": "sha256:new"}]
        return {"status": {"status": "Success"}, "image": {"metadata": {"name": "sha256:new"}}}

    def stream(self, namespace: str = "a", name: str = "app", *tags: str, digest: str = "", **conditions: Any) -> None:
        names = tags or ("v1",)
        origin = {"kind": "DockerImage", "name": "quay.io/team/app:v1"}
        had = [
            {
                "tag": tag,
                "conditions": conditions.get("conditions", [UNAUTHORIZED]),
                "items": [{"image": digest}] if digest else None,
            }
            for tag in names
        ]
        spec = {"tags": [{"name": tag, "from": origin} for tag in names]}
        self.put("imagestreams", namespace, name, spec=spec, status={"tags": had})

    @property
    def sent(self) -> list[list[str]]:
        """Return the tags of each import that was sent."""
        return [
            [image["to"]["name"] for image in request.body["spec"]["images"]]
            for request in self.requests
            if request.method == "POST"
        ]


@pytest.fixture
def api() -> OpenShift:
    return OpenShift()


def run(api: FakeApi, *namespaces: str, asked: ImportOptions | None = None, **options: Any) -> Outcome:
    clock = Clock()
    named, more = options.pop("named", False), {"check_mode": False, "concurrency": 1, **options}
    settings = RunSettings(**more, clock=EngineClock(clock.now, clock.sleep))
    return import_streams(api.cluster(clock), asked or ImportOptions(), namespaces or ("a",), settings, named=named)


def rows(outcome: Outcome) -> dict[str, str]:
    return {
        f"{row['stream']}:{row['tag']}": row["status"]
        for result in outcome.namespaces
        for row in result.extra.get("tags", ())
    }


def reasons(outcome: Outcome) -> list[str]:
    return [row["reason"] for result in outcome.namespaces for row in result.extra["tags"]]


class TestOnce:
    def test_check_mode_sends_nothing(self, api: OpenShift) -> None:
        api.stream()
        outcome = run(api, check_mode=True)
        assert api.sent == []
        assert rows(outcome) == {"app:v1": "planned"}
        assert reasons(outcome) == [UNAUTHORIZED["message"]]
        assert outcome.report()["diff"] == [
            {
                "before_header": "ImageStreamImport a/app",
                "after_header": "ImageStreamImport a/app",
                "before": {"tags": {"v1": "import failed: unauthorized"}},
                "after": {"tags": {"v1": "imported again"}},
            }
        ]

    def test_the_same_image_again_is_not_a_change(self, api: OpenShift) -> None:
        api.stream(digest="sha256:new", conditions=[])
        api.stream("a", "web", digest="sha256:old", conditions=[])
        outcome = run(api, asked=ImportOptions(only_failed=False))
        assert rows(outcome) == {"app:v1": "imported", "web:v1": "imported"}
        assert [change.ref.name for change in outcome.namespaces[0].changes] == ["web"]

    def test_many_tags_are_sent_in_pieces_without_another_read_of_the_stream(self, api: OpenShift) -> None:
        api.stream("a", "app", *(f"v{number:02}" for number in range(60)))
        outcome = run(api)
        assert [len(tags) for tags in api.sent] == [25, 25, 10]
        assert {*rows(outcome).values()} == {"imported"}
        assert not any("GET" in text and "imagestreams/" in text for text in api.asked)

    def test_the_streams_of_one_namespace_are_imported_concurrently(self, api: OpenShift) -> None:
        names = [f"s{number}" for number in range(6)]
        for name in names:
            api.stream("a", name)
        together = threading.Barrier(3, timeout=20)

        def before(request: Request) -> None:
            if request.method == "POST":
                together.wait()

        api.before = before
        said: list[str] = []
        outcome = run(api, concurrency=3, say=said.append)
        assert list(rows(outcome)) == [f"{name}:v1" for name in names]
        assert {*rows(outcome).values()} == {"imported"}
        assert [change.ref.name for change in outcome.namespaces[0].changes] == names

    def test_many_namespaces_are_read_by_one_list(self, api: OpenShift) -> None:
        places = [f"n{number}" for number in range(40)]
        api.stream("n7")
        outcome = run(api, *places)
        assert [text.partition("?")[0] for text in api.asked if "GET" in text] == [
            "GET /apis",
            "GET /apis/image.openshift.io/v1/imagestreams",
        ]
        assert rows(outcome) == {"app:v1": "imported"}
        assert len(outcome.namespaces) == 40


class TestFailed:
    def test_a_tag_that_fails_again_fails_the_namespace_and_no_other(self, api: OpenShift) -> None:
        api.stream("a", "app", "v1", "v2")
        api.stream("b", "app", "v3")
        api.refused["v1"] = 'incorrect username or password for image "quay.io/team/app:v1"'
        outcome = run(api, "a", "b")
        assert rows(outcome) == {"app:v1": "failed", "app:v2": "imported", "app:v3": "imported"}
        assert outcome.namespaces[0].error == (
            'tag v1 of image stream a/app was not imported: incorrect username or password for image "quay.io/team/app:v1"; an import '
            "reads all pull secrets of namespace a, linked or not, and uses the first login for the image: run pull_access_info to find that "
            "login, and correct it with pull_secret"
        )
        assert [result.status for result in outcome.namespaces] == ["failed", "changed"]
        assert outcome.namespaces[0].changes[0].details == {"tags": ["v2"]}
        causes = [row["cause"] for row in outcome.namespaces[0].extra["tags"]]
        assert causes == ["bad_credentials", "unauthorized"]

    def test_the_first_failed_tags_are_named_and_the_rest_are_counted(self, api: OpenShift) -> None:
        tags = [f"v{number}" for number in range(8)]
        api.stream("a", "app", *tags)
        api.refused = dict.fromkeys(tags, "you may not have access")
        error = run(api).namespaces[0].error
        assert "tag v4 of" in error
        assert "tag v5 of" not in error
        assert "; and 3 more, listed under 'tags'; an import reads" in error
        assert error.count("an import reads") == 1

    def test_a_quota_error_fails_one_stream_only(self, api: OpenShift) -> None:
        api.stream("a", "app", "v1", "v2")
        api.stream("a", "web")
        api.fail(POST, QUOTA)
        outcome = run(api)
        assert rows(outcome) == {"app:v1": "failed", "app:v2": "failed", "web:v1": "imported"}
        assert outcome.namespaces[0].error.startswith("tags v1, v2 of image stream a/app: creating import")

    def test_a_namespace_that_is_being_deleted_is_skipped(self, api: OpenShift) -> None:
        api.stream()
        cause = {"reason": "NamespaceTerminating"}
        api.fail(POST, status_object(403, "Forbidden", "being terminated", causes=[cause]))
        (result,) = run(api).namespaces
        assert result.status == "skipped"
        assert result.error == "the namespace is being deleted on https://api.example.com:6443"

    def test_a_missing_namespace_is_a_failure_if_it_was_named(self, api: OpenShift) -> None:
        api.put("namespaces", "", "a")
        assert [result.status for result in run(api, "a", "gone", named=True).namespaces] == ["unchanged", "failed"]
        assert [result.status for result in run(api, "a", "gone").namespaces] == ["unchanged", "unchanged"]

    def test_streams_that_may_not_be_read_fail_their_namespace(self, api: OpenShift) -> None:
        api.fail("GET .*imagestreams", status_object(403, "Forbidden", 'User "u" cannot list'), times=ALWAYS)
        (result,) = run(api).namespaces
        assert result.status == "failed"
        assert "listing imagestreams in namespace a" in result.error

    def test_the_login_that_is_refused_ends_the_run(self, api: OpenShift) -> None:
        api.stream("a")
        api.stream("b")
        api.fail(POST, status_object(401, "Unauthorized"), times=ALWAYS)
        outcome = run(api, "a", "b")
        assert "The login is invalid" in outcome.stopped
        assert [result.status for result in outcome.namespaces] == ["skipped", "skipped"]
        assert outcome.has_failed

    def test_a_list_over_all_namespaces_that_fails_ends_the_run(self, api: OpenShift) -> None:
        api.fail("GET .*imagestreams", status_object(400, "BadRequest", "no"), times=ALWAYS)
        outcome = run(api, *(f"n{number}" for number in range(40)), asked=ImportOptions(streams=("app",)))
        assert "listing imagestreams in all namespaces" in outcome.stopped
        assert {result.status for result in outcome.namespaces} == {"skipped"}
        assert outcome.notes == [], "whether the stream is somewhere is not known"

    def test_imports_before_the_end_of_the_run_are_reported(self, api: OpenShift) -> None:
        api.stream("a", "app")
        api.stream("a", "web")
        api.fail(POST, status_object(401, "Unauthorized"), times=ALWAYS, after=1)
        (result,) = run(api).namespaces
        assert result.status == "failed"
        assert [change.ref.name for change in result.changes] == ["app"]
        assert rows(Outcome([result])) == {"app:v1": "imported"}

    def test_max_failures_skips_the_remaining_namespaces(self, api: OpenShift) -> None:
        for name in "ab":
            api.stream(name)
        api.fail("GET .*/namespaces/a/", status_object(500, "InternalError", "broken"), times=ALWAYS)
        outcome = run(api, "a", "b", max_failures=0)
        assert [result.status for result in outcome.namespaces] == ["failed", "skipped"]
        assert api.sent == []

    def test_a_failure_of_an_import_ends_nothing_in_other_namespaces(self, api: OpenShift) -> None:
        """The owner of a stream chooses its registry, and therefore the answer."""
        for name, tag in (("a", "v1"), ("b", "v2")):
            api.stream(name, "app", tag)
        api.refused["v1"] = "you may not have access"
        outcome = run(api, "a", "b", max_failures=0)
        assert [result.status for result in outcome.namespaces] == ["failed", "changed"]

    def test_the_progress_counts_each_namespace_once(self, api: OpenShift) -> None:
        for name in ("app", "web"):
            api.stream("a", name)
        api.stream("c")
        api.refused["v1"] = "you may not have access"
        said: list[str] = []
        ticks = iter(range(0, 10**6, 10))
        clock = EngineClock(lambda: next(ticks), lambda _seconds: None)
        settings = RunSettings(check_mode=False, concurrency=1, task="t", say=said.append, clock=clock)
        import_streams(api.cluster(), ImportOptions(), ["a", "b", "c"], settings)
        assert [line.partition(", about")[0] for line in said] == [
            "t 1/3 namespaces, 0 changed, 0 failed",
            "t 2/3 namespaces, 0 changed, 1 failed",
            "t 3/3 namespaces, 0 changed, 2 failed",
        ]

    def test_an_answer_without_a_status_is_a_failure(self, api: OpenShift) -> None:
        api.stream()
        meta = {"name": "app", "namespace": "a"}
        api.fail(POST, Answer(201, {"kind": "ImageStreamImport", "metadata": meta, "status": None}))
        outcome = run(api)
        assert rows(outcome) == {"app:v1": "failed"}
        assert "does not say whether it was imported" in outcome.namespaces[0].error


class TestMeanwhile:
    def changing(self, api: OpenShift, change: Callable[[], None], times: int = 1) -> None:
        """Let another client make this change just before an import arrives."""
        left = [times]

        def before(request: Request) -> None:
            if request.method == "POST" and left[0]:
                left[0] -= 1
                change()

        api.before = before

    def test_a_stream_that_was_changed_is_planned_again(self, api: OpenShift) -> None:
        api.stream("a", "app", "v1", "v2")
        self.changing(api, lambda: api.stream("a", "app", "v2"))
        outcome = run(api)
        assert rows(outcome) == {"app:v1": "left", "app:v2": "imported"}
        assert reasons(outcome)[0] == "another client imported or changed it in the meantime"
        assert not outcome.has_failed

    def test_a_conflict_resends_only_the_tags_of_its_piece(self, api: OpenShift) -> None:
        tags = [f"v{number:02}" for number in range(30)]
        api.stream("a", "app", *tags)
        self.changing(api, lambda: api.stream("a", "app", *tags))
        assert {*rows(run(api)).values()} == {"imported"}
        assert [len(sent) for sent in api.sent] == [25, 25, 5]

    def test_a_piece_after_one_that_was_refused_names_a_version(self, api: OpenShift) -> None:
        """Without a version, the server would recreate a stream that was deleted in the meantime."""
        api.stream("a", "app", *(f"v{number:02}" for number in range(30)))
        api.fail(POST, QUOTA)
        run(api)
        versions = [request.body["metadata"]["resourceVersion"] for request in api.requests if request.method == "POST"]
        assert versions == ["1", "1"]

    def test_a_concurrent_import_of_the_same_name_is_retried(self, api: OpenShift) -> None:
        api.stream()
        api.fail(POST, status_object(409, "AlreadyExists", "it exists"))
        assert rows(run(api)) == {"app:v1": "imported"}

    def test_a_tag_that_another_client_fixed_is_left(self, api: OpenShift) -> None:
        api.stream()
        self.changing(api, lambda: api.stream(conditions=[]))
        outcome = run(api)
        assert (rows(outcome), len(api.sent)) == ({"app:v1": "left"}, 1)

    def test_a_deleted_stream_is_not_created_again(self, api: OpenShift) -> None:
        api.stream()
        self.changing(api, lambda: api.remove("imagestreams", "a", "app"))
        outcome = run(api)
        assert reasons(outcome) == ["the image stream was deleted in the meantime"]
        assert not outcome.has_failed
        assert api.get("imagestreams", "a", "app") is None

    def test_a_stream_that_keeps_changing_fails_after_several_attempts(self, api: OpenShift) -> None:
        api.stream()
        self.changing(api, api.stream, times=ALWAYS)
        outcome = run(api)
        assert rows(outcome) == {"app:v1": "failed"}
        assert len(api.sent) == 7
        assert "It was changed in the meantime: run again" in outcome.namespaces[0].error

    @pytest.mark.parametrize("carried_out", [True, False])
    def test_a_request_with_a_lost_answer_is_not_repeated(self, api: OpenShift, carried_out: bool) -> None:
        api.stream()
        api.fail(POST, LOST, carried_out=carried_out)
        outcome = run(api)
        assert len(api.sent) == 1, "it is not sent blindly again"
        assert rows(outcome) == {"app:v1": "imported" if carried_out else "failed"}
        assert outcome.report()["changed"] is carried_out
        if carried_out:
            assert outcome.namespaces[0].extra["tags"][0]["digest"] == ""
        else:
            assert "It may have been carried out: run again" in outcome.namespaces[0].error

    def test_an_import_that_failed_otherwise_is_a_failure_after_a_lost_answer(self, api: OpenShift) -> None:
        api.stream()
        api.refused["v1"] = "toomanyrequests"
        api.fail(POST, LOST, carried_out=True)
        assert rows(run(api)) == {"app:v1": "failed"}

    @pytest.mark.parametrize(("digest", "status"), [("sha256:old", "imported"), ("sha256:new", "failed")])
    def test_a_lost_answer_is_a_success_only_if_the_image_of_the_tag_changed(
        self, api: OpenShift, digest: str, status: str
    ) -> None:
        api.stream(digest=digest, conditions=[])
        api.fail(POST, LOST, carried_out=True)
        assert rows(run(api, asked=ImportOptions(only_failed=False))) == {"app:v1": status}

    def test_a_lost_answer_is_a_failure_if_the_stream_cannot_be_read(self, api: OpenShift) -> None:
        api.stream()
        api.fail(POST, LOST, carried_out=True)
        api.fail("GET .*/imagestreams/app", status_object(403, "Forbidden", "no"), times=9)
        outcome = run(api)
        assert rows(outcome) == {"app:v1": "failed"}
        error = outcome.namespaces[0].error
        assert "It may have been carried out" in error
        assert "the outcome is not known: reading image stream a/app" in error

    def test_a_lost_answer_for_a_deleted_stream_leaves_its_tags(self, api: OpenShift) -> None:
        api.stream()
        api.fail(POST, LOST)
        self.changing(api, lambda: api.remove("imagestreams", "a", "app"))
        assert rows(run(api)) == {"app:v1": "left"}


class TestWhere:
    @pytest.mark.parametrize("check_mode", [True, False])
    def test_a_cluster_without_image_streams_is_unsupported(self, check_mode: bool) -> None:
        api = OpenShift("apps")
        outcome = run(api, "a", "b", check_mode=check_mode)
        assert api.asked == ["GET /apis"]
        assert not outcome.has_failed
        assert [result.status for result in outcome.namespaces] == ["unchanged", "unchanged"]
        assert outcome.extra["supported"] is False
        assert outcome.notes == [outcome.extra["reason"]]
        assert outcome.notes[0].startswith("this cluster has no image streams")

    def test_missing_api_groups_are_not_taken_for_missing_support(self) -> None:
        api = OpenShift()
        api.faults.clear()
        with pytest.raises(ImagePullError):
            run(api)
        api.fail("GET /apis$", Answer(200, {"groups": None}))
        with pytest.raises(Refusal, match="lists no API group under /apis"):
            run(api)

    def test_a_stream_that_is_in_no_namespace_is_a_note(self, api: OpenShift) -> None:
        api.stream()
        outcome = run(api, "a", "b", asked=ImportOptions(streams=("app", "web")))
        assert outcome.notes == [
            "image stream web does not exist in namespaces a, b on https://api.example.com:6443: correct option 'streams' "
            "('oc get imagestreams -n a' lists the names)"
        ]
        assert rows(outcome) == {"app:v1": "imported"}


def test_an_unreadable_stream_fails_its_namespace_only(api: OpenShift) -> None:
    api.stream("a")
    api.stream("b")
    api.before = lambda _request: api.objects["imagestreams", "a", "app"]["metadata"].update(resourceVersion=7)
    outcome = run(api, "a", "b")
    assert [result.status for result in outcome.namespaces] == ["failed", "changed"]
    assert "has no resourceVersion" in outcome.namespaces[0].error
