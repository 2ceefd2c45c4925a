# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The survey of a namespace describes its secrets, and lists the secrets that its objects name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import snapshot as trim
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import images_of, pulls_of_pod
from hypothesis import given
from support.anything import ANYTHING
from support.surveyed import NOW, account, auth, deployment, place, pod, secret, stream, survey


def held(*more, **given):
    return place(secrets=[secret("s", *more, **given)]).secrets["s"]


def test_a_secret_that_nodes_read_has_keys_and_logins() -> None:
    it = held({"q.io": auth("p", "u"), "empty.io": {}})
    assert (it.is_read, it.is_for_pulls, list(it.keys)) == (True, True, ["q.io", "empty.io"])
    assert [(one.key, one.username, one.password) for one in it.logins] == [("q.io", "u", "p")]


def test_an_invalid_entry_leaves_no_keys_and_all_other_logins() -> None:
    it = held({"q.io": auth("p", "u"), "bad.io": {"auth": "?"}})
    assert list(it.keys) == []
    assert [one.key for one in it.logins] == ["q.io"]


@pytest.mark.parametrize("kind", ["kubernetes.io/podmanconfigjson", "Opaque"])
def test_a_type_that_no_node_reads_has_logins_and_no_keys(kind) -> None:
    it = held(kind=kind)
    assert (it.is_read, list(it.keys), len(it.logins)) == (False, [], 1)


@pytest.mark.parametrize(
    ("content", "keys"), [({"r:5000": auth()}, ["r:5000"]), ("no JSON", []), ("[1]", []), ("[" * 100_000, [])]
)
def test_the_keys_of_a_generated_secret_are_read_from_any_content(content, keys) -> None:
    assert list(held(content, kind="kubernetes.io/dockercfg", generated=True).keys) == keys


def test_a_generated_secret_of_another_type_is_read_like_any_other() -> None:
    assert list(held({"q.io": auth()}, generated=True).keys) == ["q.io"]


def test_the_time_of_the_last_write_is_known() -> None:
    times = {"one": "2025-12-30T00:00:00Z", "two": "2026-01-01T00:00:00Z"}
    assert held(managers=times).written == NOW
    assert held(created="2026-01-01T00:00:00Z").written == NOW
    assert held(created="?").written == 0


def test_named_secrets_are_listed_with_their_purpose() -> None:
    seen = place(
        accounts=[account("a", secrets=[{"name": "mounted"}])],
        pods=[pod("p", volumes=[{"secret": {"secretName": "v"}}])],
        workloads=[deployment("w")],
    )
    assert dict(seen.named_for_pulls) == {
        "a": "service account a/default", "p": "pod a/app", "w": "deployment a/web"
    }  # fmt: skip
    assert seen.named - {""} == {"a", "p", "w", "v", "mounted"}


def test_the_containers_of_pods_are_distinguished_from_templates() -> None:
    seen = survey(place(secrets=[secret("s")], pods=[pod("s")], workloads=[deployment("s")]))
    assert [subject.ref.kind.kind for subject, _access in seen.subject_pods("a")] == ["Pod"]
    assert len(seen.accesses["a"]) == 2


# --- A trimmed object keeps exactly the fields that the rules use

KEEPERS = [
    trim.trim_pod, trim.trim_workload, trim.trim_secret, trim.trim_stream, trim.trim_binding, trim.trim_build,
    trim.trim_to_name,
]  # fmt: skip

BULK = "much of this"


def test_a_trimmed_pod_keeps_only_the_fields_in_use() -> None:
    whole = pod(
        "s",
        says="no",
        volumes=[{"secret": {"secretName": "v"}}, {"projected": {"sources": [{"secret": {"name": "p"}}]}}],
    )
    whole["spec"]["containers"][0] |= {
        "command": [BULK],
        "env": [{"name": "x", "value": BULK}, {"valueFrom": {"secretKeyRef": {"name": "e"}}}],
        "envFrom": [{"secretRef": {"name": "f"}}],
    }
    whole["metadata"] |= {"managedFields": [BULK], "annotations": {"image.openshift.io/triggers": "t", "other": BULK}}
    kept = trim.trim_pod(whole)
    assert BULK not in json.dumps(kept)
    assert kept[trim.MOUNTS] == ["", "e", "f", "p", "v"]
    assert kept["spec"]["imagePullSecrets"] == [{"name": "s"}]
    assert kept["status"]["containerStatuses"][0]["state"]["waiting"]["message"] == "no"
    assert kept["metadata"]["annotations"] == {"image.openshift.io/triggers": "t"}


def test_a_trimmed_pod_keeps_the_audiences_of_its_tokens() -> None:
    tokens = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"audience": "sts", "path": "p"}}]}}
    for volume, audiences in ((tokens, ("sts",)), ({"name": "data", "csi": {"driver": "d"}}, None)):
        spec = {"containers": [{"name": "c", "image": "q.io/a"}], "volumes": [volume]}
        whole = {"metadata": {"name": "p", "namespace": "ns"}, "spec": spec}
        for each in (whole, trim.trim_pod(whole)):
            assert [pull.audiences for pull in pulls_of_pod(each, "ns")] == [audiences]


def test_a_trimmed_pod_keeps_image_volumes_and_their_mounts() -> None:
    whole = pod(
        "s", volumes=[{"name": "model", "image": {"reference": "q.io/m:1"}}, {"name": "data", "emptyDir": BULK}]
    )
    whole["spec"]["containers"][0]["volumeMounts"] = [{"name": "model", "mountPath": BULK}, {"name": "data"}, None]
    kept = trim.trim_pod(whole)["spec"]
    assert kept["volumes"] == [{"name": "model", "image": {"reference": "q.io/m:1"}}]
    assert kept["containers"][0]["volumeMounts"] == [{"name": "model"}]
    assert [*images_of(kept)] == [*images_of(whole["spec"])]


def test_a_trimmed_pod_keeps_the_architectures_to_which_it_is_limited() -> None:
    whole = pod("s", nodeSelector={"kubernetes.io/arch": "arm64", "zone": BULK})
    assert trim.trim_pod(whole)["spec"]["nodeSelector"] == {"kubernetes.io/arch": "arm64"}


@pytest.mark.parametrize("wrapped", [False, True], ids=["template", "cron job"])
def test_a_trimmed_workload_keeps_the_template(wrapped) -> None:
    template = {"metadata": {"annotations": {"image": "x", "y": BULK}}, "spec": pod("s")["spec"]}
    spec = {"template": template, "strategy": BULK}
    whole = {"metadata": {"name": "w"}, "spec": {"jobTemplate": {"spec": spec}} if wrapped else spec}
    kept = trim.trim_workload(whole)
    inner = kept["spec"]["jobTemplate"]["spec"] if wrapped else kept["spec"]
    assert inner["template"]["spec"]["containers"][0]["image"] == "q.io/team/app:v1"
    assert inner["template"]["metadata"] == {"annotations": {"image": "x"}}
    assert BULK not in json.dumps(kept)


@pytest.mark.parametrize("kept_of", [trim.trim_pod, trim.trim_workload, trim.trim_secret])
def test_a_trimmed_object_keeps_its_identity_and_its_times(kept_of: Any) -> None:
    meta = {"name": "o", "namespace": "ns", "uid": "u", "creationTimestamp": "t", "deletionTimestamp": "t"}
    assert meta.items() <= kept_of({"metadata": meta})["metadata"].items()


class TestSecret:
    @pytest.mark.parametrize(
        ("whole", "has_data"),
        [
            (secret("s"), True),
            (secret("s", {}, kind="kubernetes.io/podmanconfigjson"), True),
            (secret("s", kind="Opaque"), True),
            (secret("s", kind="Opaque", key="anything"), True),
            (secret("s", BULK, kind="Opaque", key="anything"), False),
            ({"metadata": {"name": "t"}, "type": "kubernetes.io/tls", "data": {"tls.key": "eyJ4Ijoi"}}, False),
        ],
    )
    def test_data_is_kept_where_it_may_be_an_auth_file(self, whole, has_data):
        assert ("data" in trim.trim_secret(whole)) is has_data

    def test_a_trimmed_secret_keeps_the_writer_of_the_data_and_the_time(self):
        whole = secret("s", managers={"m": "2026-01-01T00:00:00Z"})
        whole["metadata"]["managedFields"].append({"manager": "labels", "time": "x", "fieldsV1": {"f:metadata": {}}})
        kept = trim.trim_secret(whole)
        assert kept["metadata"]["managedFields"] == [
            {"manager": "m", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {}}}
        ]

    def test_a_copy_of_the_data_in_an_annotation_is_not_kept(self):
        whole = secret("s", annotations={"kubectl.kubernetes.io/last-applied-configuration": BULK})
        assert BULK not in json.dumps(trim.trim_secret(whole))

    def test_a_secret_is_searched_before_its_data_is_left_out(self):
        seen: list[Any] = []
        whole = secret("s", BULK, kind="Opaque", key="anything")
        kept = trim.trim_secret(whole, lambda obj: seen.append(obj["data"]) or ["found"])
        assert (len(seen), kept[trim.MATCHES]) == (1, ["found"])


def test_the_secrets_of_a_build_are_kept() -> None:
    strategy = {"dockerStrategy": {"pullSecret": {"name": "a"}}}
    source = {
        "sourceSecret": {"name": "b"},
        "secrets": [{"secret": {"name": "c"}}],
        "images": [{"pullSecret": {"name": "d"}}],
    }
    build = {
        "metadata": {"name": "b"},
        "spec": {"strategy": strategy, "source": source, "output": {"pushSecret": {"name": "e"}}},
    }
    assert set(trim.trim_build(build)[trim.MOUNTS]) >= {"a", "b", "c", "d", "e"}


def test_a_trimmed_stream_keeps_its_tags_and_conditions() -> None:
    kept = trim.trim_stream({**stream(why="no"), "more": BULK})
    assert kept["spec"]["tags"][0]["from"]["name"] == "q.io/team/app:v1"
    assert kept["status"]["tags"][0]["conditions"][0]["message"] == "no"
    assert BULK not in json.dumps(kept)


@given(ANYTHING, ANYTHING)
def test_arbitrary_objects_are_trimmed_without_an_error(spec: Any, status: Any) -> None:
    whole = {
        "metadata": {"name": "x", "namespace": "a", "annotations": spec, "managedFields": status},
        "spec": spec,
        "status": status,
    }
    for keep in KEEPERS:
        keep({**whole, "data": spec, "type": "Opaque", "subjects": status})
