# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image stream has an image, or the reason why it has none is reported."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef, trim_object
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import (
    CAUSES,
    IMAGE_STREAM,
    MENDED_BY_A_LOGIN,
    StreamTag,
    cause_of,
    failed_imports,
    fix_for,
    is_looked_up,
    tag_of,
    why_image_missing,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_rules import RULES, UNKNOWN
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from hypothesis import given
from support.anything import CHANGES, Changed
from support.pull_evidence import DIGEST, failed, stream

REF = ObjectRef(IMAGE_STREAM, "b", "app")


def failed_import(message: Any, status: str = "False", kind: str = "ImportSuccess") -> dict[str, Any]:
    return {"type": kind, "status": status, "message": message}


def why(image: str, *tags: dict[str, Any]) -> str:
    reference = reference_of(f"r.example.com/b/{image}")
    assert reference is not None
    return why_image_missing(REF, {"status": {"tags": [*tags]}}, reference)


def tag(name: str, *images: str, conditions: Any = ()) -> dict[str, Any]:
    return {"tag": name, "items": [{"image": image} for image in images], "conditions": list(conditions)}


@pytest.mark.parametrize("image", ["app:v1", f"app@{DIGEST}", f"app:other@{DIGEST}"])
def test_an_existing_image_is_found_by_tag_or_digest(image: str) -> None:
    assert why(image, tag("v0"), tag("v1", "sha256:1", DIGEST)) == ""


def test_an_image_without_a_tag_means_latest() -> None:
    assert why("app", tag("latest", DIGEST)) == ""
    assert (
        why("app", tag("v1", DIGEST)) == "image stream b/app has no tag latest: build or import it, or correct the tag"
    )


def test_an_image_from_before_a_failed_import_is_still_there() -> None:
    assert why("app:v1", tag("v1", DIGEST, conditions=[failed_import("x")])) == ""


def test_a_missing_image_stream_is_reported() -> None:
    reference = reference_of("r.example.com/b/app:v1")
    assert reference is not None
    assert (
        why_image_missing(REF, None, reference)
        == "image stream b/app does not exist: build or import the image, or correct the name"
    )


def test_a_missing_digest_is_reported() -> None:
    text = f"image stream b/app has no image {DIGEST}: build or import it, or correct the digest"
    assert why(f"app:v1@{DIGEST}", tag("v1", "sha256:1")) == text


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        (failed_import("you may not have access\nto it"), "you may not have access to it"),
        (failed_import("Get https://u:secret@r.example.com/?x=secret"), "Get https://********@r.example.com/?********"),
        (failed_import(None), "no reason is given"),
    ],
)
def test_a_failed_import_is_reported_with_its_reason(condition: dict[str, Any], shown: str) -> None:
    assert why(
        "app:v1", tag("v1", conditions=[failed_import("x", "True"), failed_import("y", kind="Other"), condition])
    ) == (
        f"tag v1 of image stream b/app was never imported: {shown}. Fix that in the stream's project, then import it again"
    )


@pytest.mark.parametrize(
    "status", [None, [], {"tags": 1}, {"tags": [None, {"tag": "v1", "items": 1, "conditions": [1]}]}]
)
def test_malformed_streams_have_no_tags(status: Any) -> None:
    reference = reference_of("r.example.com/b/app:v1")
    assert reference is not None
    assert why_image_missing(REF, {"status": status}, reference).startswith("image stream b/app has no tag v1")


class TestFailedImports:
    def spec(self, kind: str = "DockerImage") -> dict[str, Any]:
        return {"tags": [{"name": "v1", "from": {"kind": kind, "name": "q.io/a:1"}}]}

    def test_a_failed_import_is_listed_with_tag_source_and_reason(self) -> None:
        status = {"tags": [tag("v1", conditions=[failed_import("no: https://u:canary@q.io/")]), tag("v2", "x")]}
        ((name, source, said),) = failed_imports({"spec": self.spec(), "status": status})
        assert (name, source) == ("v1", "q.io/a:1")
        assert "canary" not in said

    @pytest.mark.parametrize("spec", [None, {}, "x", {"tags": [None]}], ids=str)
    def test_a_failed_import_without_a_known_source_has_an_empty_source(self, spec: Any) -> None:
        status = {"tags": [tag("v1", conditions=[failed_import("no")])]}
        assert list(failed_imports({"spec": spec, "status": status})) == [("v1", "", "no")]
        assert list(failed_imports({"spec": self.spec("ImageStreamTag"), "status": status})) == [("v1", "", "no")]

    @pytest.mark.parametrize("condition", [failed_import("no", status="True"), failed_import("no", kind="Other"), None])
    def test_successful_imports_are_not_listed_as_failed(self, condition: Any) -> None:
        assert list(failed_imports({"status": {"tags": [tag("v1", conditions=[condition])]}})) == []


# --- The cause of a failed import is found in its message, including the wording of registries and networks

IMAGE = "registry.example.com:5000/team/denied:v1"

INTERNAL = f"Internal error occurred: {IMAGE}:"


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (f'you may not have access to the container image "{IMAGE}"', "unauthorized"),
        (f'you may not have access to the container image "{IMAGE}" and did not have credentials to the repository',
         "no_credentials"),
        (f'incorrect username or password for image "{IMAGE}"', "bad_credentials"),
        (f'dockerimage.image.openshift.io "{IMAGE}" not found', "not_found"),
        ("forbidden: registry registry.example.com:5000 blocked", "blocked_by_config"),
        ("the repository team/denied is HTTP only and requires the insecure flag to import", "tls_http"),
        (' "" is invalid: from.name: Invalid value: "A": invalid name: bad', "invalid_name"),
        (f"{INTERNAL} denied: requested access to the resource is denied", "denied"),
        (f"{INTERNAL} error parsing HTTP 403 response body: invalid character", "denied"),
        (f"{INTERNAL} error parsing HTTP 401 response body: invalid character", "unauthorized"),
        (f"{INTERNAL} unauthorized: Please login to the Red Hat Registry using your Customer Portal credentials.",
         "unauthorized"),
        (f'{INTERNAL} Get "https://denied/v2/": x509: certificate signed by unknown authority', "tls_untrusted"),
        (f'{INTERNAL} Get "https://denied/v2/": unexpected EOF', "registry_error"),
        (f"{INTERNAL} toomanyrequests: You have reached your pull rate limit", "rate_limited"),
        (f"{INTERNAL} received unexpected HTTP status: 503 Service Unavailable", "registry_error"),
        (f'{INTERNAL} Get "https://x/": dial tcp: lookup x on 192.0.2.53:53: no such host', "dns"),
        (f"{INTERNAL} dial tcp 192.0.2.9:443: connect: connection refused", "connection_refused"),
        (f"{INTERNAL} error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: \"<html>\"",
         "proxy"),
        (f'{INTERNAL} Get "https://denied/v2/": Proxy Authentication Required', "proxy"),
        (f'{INTERNAL} Get "https://denied/v2/": Forbidden', "proxy"),
        (f"{INTERNAL} unknown: payment required", "billing"),
        (f"{INTERNAL} Digest did not match, expected sha256:1, got sha256:2", "damaged_content"),
        (f"{INTERNAL} something new", "unknown"),
        ("no space left on device", "unknown"),
        ("", "unknown"),
    ],
)  # fmt: skip
def test_the_cause_is_found_in_the_message(message: str, cause: str) -> None:
    assert cause_of(message, "InternalError", IMAGE) == cause


def test_a_message_of_a_registry_or_of_the_network_has_the_cause_that_a_pull_has() -> None:
    """All programs write these messages, except those about the storage of a node."""
    rules = [rule for rule in RULES if len(rule.runtimes) == 3 and rule.id not in ("disk", "node_permission")]
    assert {rule.id: cause_of(f"{INTERNAL} {rule.sample}", image=IMAGE) for rule in rules} == {
        rule.id: rule.id for rule in rules
    }


@pytest.mark.parametrize(
    ("reason", "cause"),
    [("Unauthorized", "unauthorized"), ("NotFound", "not_found"), ("Invalid", "invalid_name"), ("Other", "unknown")],
)
def test_the_reason_decides_if_the_message_is_unknown(reason: str, cause: str) -> None:
    assert cause_of("something new", reason) == cause
    assert cause_of("toomanyrequests", reason) == "rate_limited", "words say more than a reason"


def test_all_causes_are_ids_of_the_rules() -> None:
    assert {*CAUSES} <= {rule.id for rule in (*RULES, UNKNOWN)}
    assert {*MENDED_BY_A_LOGIN} < {*CAUSES}
    assert [*CAUSES] == sorted(CAUSES)


def test_a_cause_has_a_fix_and_an_unknown_one_the_general_fix() -> None:
    assert fix_for("rate_limited") == "pull with a credential, which has a higher limit, pull through a mirror, or wait"
    assert fix_for("no-such") == fix_for("unknown")


# --- The tag of an image stream is resolved, and the message of its last import is read


def tag_named(obj: dict[str, Any], name: str = "v1") -> StreamTag:
    return tag_of(REF, obj, name)


class TestImage:
    def test_the_image_has_the_name_of_its_source_repository(self) -> None:
        assert tag_named(stream()).image == f"quay.io/team/app@{DIGEST}"

    def test_a_local_tag_uses_the_integrated_registry(self) -> None:
        assert tag_named(stream(policy="Local")).image == f"r.svc:5000/b/app@{DIGEST}"
        without = stream(policy="Local")
        del without["status"]["dockerImageRepository"]
        assert tag_named(without).image == f"quay.io/team/app@{DIGEST}"

    def test_a_tag_without_an_image_has_an_empty_image(self) -> None:
        assert tag_named(stream(), "v2").image == ""
        assert tag_named(stream(has_image=False)).image == ""
        assert tag_named({}).image == ""


class TestImport:
    @pytest.mark.parametrize(
        ("condition", "meaning"),
        [
            (failed('you may not have access to the container image "q.io/a:1"', "Unauthorized"), "credentials"),
            (
                failed(
                    'you may not have access to the container image "q.io/a:1" and did not have credentials to the repository'
                ),
                "no_credentials",
            ),
            (failed('incorrect username or password for image "q.io/a:1"'), "bad_credentials"),
            (failed('you may not have access to the container image "q.io/a:1"'), "credentials"),
            (failed("x", "Unauthorized"), "credentials"),
            (failed('dockerimage.image.openshift.io "q.io/a:1" not found', "NotFound"), "not_found"),
            (failed("registry q.io blocked", "Forbidden"), ""),
        ],
    )
    def test_an_import_message_has_a_meaning(self, condition: dict[str, Any], meaning: str) -> None:
        found = tag_named(stream(condition, has_image=False))
        assert (found.problem, found.meaning) == (condition["message"], meaning)

    @pytest.mark.parametrize("condition", [{**failed("x"), "status": "True"}, {**failed("x"), "type": "Other"}])
    def test_another_condition_is_not_a_failure(self, condition: dict[str, Any]) -> None:
        assert (tag_named(stream(condition)).problem, tag_named(stream(condition)).meaning) == ("", "")

    def test_a_credential_in_a_message_is_hidden(self) -> None:
        assert "geheim" not in tag_named(stream(failed("https://u:geheim@q.io/ failed"))).problem
        assert tag_named(stream(failed(5))).problem == "no reason is given"

    def test_the_source_of_an_import_is_found(self) -> None:
        assert str(tag_named(stream()).source) == "quay.io/team/app:v1"
        without = stream(failed('no access to "q.io/a/b:1"'))
        without["spec"]["tags"][0]["from"] = {"kind": "ImageStreamTag", "name": "x:y"}
        assert str(tag_named(without).source) == "q.io/a/b:1"
        assert tag_named({}).source is None

    def test_a_scheduled_import_is_recognized(self) -> None:
        assert not tag_named(stream()).is_scheduled
        assert tag_named(stream(scheduled=True)).is_scheduled


def test_local_lookup_decides_whether_short_names_mean_the_stream() -> None:
    assert is_looked_up(stream(local=True))
    assert not is_looked_up(stream())
    assert not is_looked_up({"spec": {"lookupPolicy": {"local": "true"}}})


def test_a_trimmed_list_keeps_the_fields_of_a_tag() -> None:
    full = stream(failed("x"), policy="Local")
    full["metadata"] |= {"labels": {"a": "b"}, "managedFields": []}
    kept = trim_object(IMAGE_STREAM, full)
    assert kept["metadata"] == {"name": "app", "namespace": "b"}
    assert tag_named(dict(kept)) == tag_named(full)


@given(CHANGES)
def test_a_malformed_stream_raises_no_error(change: Changed) -> None:
    found = change(stream(failed("x")))
    if isinstance(found, dict):
        is_looked_up(found)
        str(tag_named(dict(trim_object(IMAGE_STREAM, found))))
