# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source reads its arguments, opens its connection and writes to its queue."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module import event_source as room
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.event_source import (
    event_source,
    forward_events,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.options import CONNECTION_OPTIONS
from support.certificates import loopback_certificate
from support.fake_api import FakeApi

ARGUMENTS = {**CONNECTION_OPTIONS, "size": {"type": "int", "default": 7}, "kinds": {"type": "list", "elements": "str"}}
Tell = Callable[[dict[str, Any]], None]


def opened(**given: Any) -> dict[str, Any]:
    with event_source("tests", ARGUMENTS, given) as source:
        return dict(source.params)


class TestArguments:
    def test_arguments_are_validated_like_those_of_a_module(self) -> None:
        found = opened(size="8", kinds="a,b", verify_ssl="no")
        assert (found["size"], found["kinds"], found["validate_certs"]) == (8, ["a", "b"], False)
        assert opened()["size"] == 7

    def test_an_empty_text_counts_as_not_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("K8S_AUTH_HOST", "https://of.the.environment")
        assert opened(host="")["host"] == opened(host=None)["host"] == opened()["host"] == "https://of.the.environment"
        assert opened(host="https://given")["host"] == "https://given"

    def test_a_default_is_the_same_for_the_next_source(self) -> None:
        """The validation fills in missing members in a dictionary of the default."""
        options = {"name": {"type": "str"}, "changes": {"type": "list", "elements": "str", "choices": ["a"]}}
        kinds = {"type": "list", "elements": "dict", "options": options, "default": [{"name": "x"}]}
        found = []
        for _time in range(2):
            with event_source("tests", {**ARGUMENTS, "kinds": kinds}, {}) as source:
                found.append(source.params["kinds"])
        assert found[0] == found[1]

    def test_arguments_added_by_the_rulebook_are_left_out(self) -> None:
        assert not {"feedback", "eda_feedback_queue"} & {*opened(eda_feedback_queue=object(), feedback=True)}

    @pytest.mark.parametrize(
        ("given", "words"),
        [({"sizes": 1}, "sizes"), ({"size": "x"}, "size"), ({"kubeconfig": "k", "batch": 1}, "batch")],
    )
    def test_a_mistake_is_refused(self, given: dict[str, Any], words: str) -> None:
        with pytest.raises(OptionError, match=f"tests: .*{words}"):
            opened(**given)

    def test_a_mistake_shows_no_credential(self) -> None:
        with pytest.raises(OptionError) as error:
            opened(api_key="tok-en-of-mine", size="tok-en-of-mine")
        assert "tok-en-of-mine" not in str(error.value)

    def test_a_missing_client_is_reported_with_the_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(room, "IMPORT_ERROR", "traceback")
        with pytest.raises(OptionError, match="install PyYAML, urllib3 and certifi"):
            opened()


class TestConnection:
    def test_each_use_opens_a_new_connection(self) -> None:
        api = FakeApi()
        options = {"api_key": "token", "ca_cert": loopback_certificate()}
        with api.served() as host, event_source("tests", ARGUMENTS, {"host": host, **options}) as source:
            for _time in range(2):
                with source.cluster() as cluster:
                    assert cluster.name == host
                    assert cluster.get_path("/api/v1/namespaces")["items"] == []
        assert {request.headers["User-Agent"].rpartition(" ")[2] for request in api.requests} == {"(tests)"}

    def test_an_unverified_certificate_is_warned_about_once(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """AWX's credential disables verification like this if no certificate authority was pasted."""
        monkeypatch.setenv("K8S_AUTH_HOST", "https://api.example.com:6443")
        monkeypatch.setenv("K8S_AUTH_API_KEY", "tok-en-of-mine")
        monkeypatch.setenv("K8S_AUTH_VERIFY_SSL", "False")
        with event_source("tests", ARGUMENTS, {"host": "", "api_key": ""}) as source:
            for _time in range(2):
                with source.cluster():
                    """Opened again, as after a failure."""
        (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
        assert "paste the authority" in record.getMessage()
        assert "tok-en-of-mine" not in record.getMessage()

    def test_no_event_shows_the_credential(self) -> None:
        with event_source("tests", ARGUMENTS, {"host": "h", "api_key": "tok-en-of-mine"}) as source:
            assert "tok-en" not in str(
                source.mask({"message": "asked with tok-en-of-mine", "labels": {"a": "tok-en-of-mine"}})
            )


def run(work: Callable[[Tell, threading.Event], None], most: int = 0) -> list[dict[str, Any]]:
    """The events that come through a queue with room for one."""

    async def main() -> list[dict[str, Any]]:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)
        task = asyncio.create_task(forward_events(queue, {}, work))
        found = [await queue.get() for _event in range(most)]
        if most:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return found

    return asyncio.run(main())


class TestHandedOn:
    def test_events_keep_their_order_and_wait_for_room_in_the_queue(self) -> None:
        def work(tell: Tell, _stop: threading.Event) -> None:
            for number in range(50):
                tell({"number": number})

        assert [event["number"] for event in run(work, most=50)] == [*range(50)]

    def test_events_that_come_back_as_feedback_are_taken(self) -> None:
        """With the argument `feedback`, ansible-rulebook puts each event into a queue for one, and waits for room."""

        def work(tell: Tell, _stop: threading.Event) -> None:
            for number in range(3):
                tell({"number": number})

        async def main() -> list[int]:
            queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)
            feedback: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)
            task = asyncio.create_task(forward_events(queue, {"eda_feedback_queue": feedback}, work))
            found = []
            for _event in range(3):
                found.append(await queue.get())
                await asyncio.wait_for(feedback.put(found[-1]), 60)
            await task
            return [event["number"] for event in found]

        assert asyncio.run(main()) == [0, 1, 2]

    def test_an_error_of_the_work_is_raised(self) -> None:
        def work(_tell: Tell, _stop: threading.Event) -> None:
            raise OptionError("no")

        with pytest.raises(OptionError, match="no"):
            run(work)

    def test_the_source_ends_when_its_work_ends(self) -> None:
        assert run(lambda _tell, _stop: None) == []

    def test_the_work_is_asked_to_stop_when_the_source_ends(self) -> None:
        ended = threading.Event()

        def work(tell: Tell, stop: threading.Event) -> None:
            tell({})
            if stop.wait(30):
                ended.set()

        assert run(work, most=1) == [{}]
        assert ended.wait(30)
