# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules report pull secrets whose content nodes cannot use."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import (
    CRIO_AUDIENCE,
    CRIO_PROVIDER,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import secrets_review, token_review
from support.pull_evidence import REFUSED, TAG_SETS, node
from support.surveyed import account, auth, deployment, found_by, place, pod, secret, stream, survey

PODMAN = "kubernetes.io/podmanconfigjson"


class TestTypeUnread:
    @pytest.mark.parametrize(
        ("made", "listed"),
        [
            (secret("s", kind=PODMAN), ()),
            (secret("s", kind="Opaque"), ()),
            (secret("s", kind="Opaque", key="auth.json"), ("s",)),
        ],
        ids=["podman", "by its data key", "listed"],
    )
    def test_a_login_that_no_node_reads_is_reported(self, made, listed):
        (found,) = found_by("secret-type-unread", place(secrets=[made], accounts=[account(*listed)]))
        assert "which no node reads" in found.message
        assert ("service account a/default lists it" in found.message) is bool(listed)
        (task,) = found.fix
        assert task["openshift_ops.image_pull.pull_secret"]["recreate"] is True
        assert task["openshift_ops.image_pull.pull_secret"]["mode"] == "merge"

    @pytest.mark.parametrize(
        "made",
        [
            secret("s"),
            secret("s", kind="Opaque", key="auth.json"),
            secret("s", "no auth file", kind="Opaque"),
            secret("s", {"q.io": {}}, kind=PODMAN),
        ],
        ids=["read by nodes", "an auth file that no pod pulls with", "something else", "without a login"],
    )
    def test_a_secret_without_a_misplaced_login_is_not_reported(self, made):
        assert found_by("secret-type-unread", place(secrets=[made])) == []


class TestUnparsable:
    def test_the_invalid_entry_is_named_and_alone_removed(self):
        made = secret("s", {"q.io": auth(), "bad.example.com": {"auth": "?"}})
        (found,) = found_by("secret-unparsable", place(secrets=[made]))
        assert "the entry for 'bad.example.com' has an 'auth' that is not standard base64" in found.message
        options = found.fix[0]["openshift_ops.image_pull.pull_secret"]
        assert (options["mode"], options["registries"]) == ("remove", [{"registry": "bad.example.com"}])

    def test_several_invalid_entries_are_counted(self):
        made = secret("s", {"x.io": {"auth": "?"}, "y.io": {"auth": "?"}})
        (found,) = found_by("secret-unparsable", place(secrets=[made]))
        assert found.message.endswith("(and 1 more)")

    @pytest.mark.parametrize("content", ["no JSON", '{"auths": []}', '{"auths": {}, "HttpHeaders": 1}'])
    def test_content_that_cannot_be_edited_is_replaced(self, content):
        (found,) = found_by("secret-unparsable", place(secrets=[secret("s", content)]))
        assert found.fix[0]["openshift_ops.image_pull.pull_secret"]["mode"] == "replace"

    def test_content_with_more_than_one_problem_is_replaced(self):
        content = '{"auths": {"bad.io": {"auth": "?"}}, "HttpHeaders": 1}'
        (found,) = found_by("secret-unparsable", place(secrets=[secret("s", content)]))
        assert found.fix[0]["openshift_ops.image_pull.pull_secret"]["mode"] == "replace"

    def test_secrets_that_nodes_do_not_read_or_the_platform_writes_are_not_reported(self):
        bad = {"q.io": {"auth": "?"}}
        others = [secret("s", bad, generated=True), secret("t", bad, kind=PODMAN), secret("u")]
        assert found_by("secret-unparsable", place(secrets=others)) == []


class TestKeys:
    @pytest.mark.parametrize(
        "key", ["q.io/team/app:v1", "q.io:443", "quay", "https://q.io:443/v1/", "q.io/Team", "q.io//team", "Q.io"]
    )
    def test_a_key_that_never_matches_is_reported(self, key):
        (found,) = found_by("secret-key-never-matches", place(secrets=[secret("s", {key: auth()})]))
        assert found.location == key
        assert "a key that no node uses" in found.message

    @pytest.mark.parametrize(
        "key", ["q.io", "q.io/team", "https://q.io/v1/", "q.io:5000", "*.q.io", "docker.io", "q.io/"]
    )
    def test_a_key_that_matches_is_not_reported(self, key):
        assert found_by("secret-key-never-matches", place(secrets=[secret("s", {key: auth()})])) == []

    def test_the_right_spelling_is_added_before_the_wrong_one_is_removed(self):
        (found,) = found_by("secret-key-never-matches", place(secrets=[secret("s", {"q.io/team:v1": auth()})]))
        first, second = (task["openshift_ops.image_pull.pull_secret"] for task in found.fix)
        assert (first["mode"], first["registries"][0]["registry"]) == ("merge", "q.io/team")
        assert (second["mode"], second["registries"]) == ("remove", [{"registry": "q.io/team:v1"}])

    def test_a_user_in_a_key_is_not_shown(self):
        made = secret("s", {"canary@quay": auth()})
        for rule in ("secret-key-never-matches", "secret-key-matches-too-much"):
            assert "canary" not in str([found.report() for found in found_by(rule, place(secrets=[made]))])

    @pytest.mark.parametrize("keys", [["q.io/team", "q.io/teammates"], ["*.q.io"]], ids=str)
    def test_a_key_that_readers_interpret_differently_is_reported(self, keys):
        (found,) = found_by("secret-key-matches-too-much", place(secrets=[secret("s", dict.fromkeys(keys, auth()))]))
        assert found.location == keys[0]
        assert found.effective_severity == "info"

    def test_plain_keys_and_unread_secrets_are_not_reported(self):
        plain = [secret("s", {"q.io": auth(), "r.io/team": auth()}), secret("t", {"*.q.io": auth()}, kind=PODMAN)]
        assert found_by("secret-key-matches-too-much", place(secrets=plain)) == []


class TestUnused:
    def test_a_secret_that_no_object_names_is_unused(self):
        (found,) = found_by("secret-unused", place(secrets=[secret("s")]))
        assert found.fix[0]["openshift_ops.image_pull.pull_secret"]["state"] == "absent"

    MOUNT = {"volumes": [{"secret": {"secretName": "s"}}]}
    VARIABLE = {
        "initContainers": [{"name": "i", "image": "q.io/a", "env": [{"valueFrom": {"secretKeyRef": {"name": "s"}}}]}]
    }

    @pytest.mark.parametrize(
        "user",
        [
            {"accounts": [account("s")]},
            {"accounts": [account(secrets=[{"name": "s"}])]},
            {"pods": [pod("s")]},
            {"pods": [pod(**MOUNT)]},
            {"pods": [pod(**VARIABLE)]},
            {"workloads": [deployment("s")]},
            {"workloads": [deployment(**MOUNT)]},
            {"builds": [{"metadata": {"name": "b"}, "spec": {"output": {"pushSecret": {"name": "s"}}}}]},
            {"streams": [stream()]},
        ],
        ids=[
            "account",
            "mounted by account",
            "pod",
            "volume",
            "variable",
            "template",
            "its volume",
            "build",
            "an import",
        ],
    )
    def test_a_secret_that_an_object_may_use_is_not_unused(self, user):
        assert found_by("secret-unused", place(secrets=[secret("s")], **user)) == []

    def test_a_stream_without_an_import_uses_no_secret(self):
        own = {
            "metadata": {"name": "app"},
            "spec": {"tags": [{"name": "v1", "from": {"kind": "ImageStreamTag", "name": "b:1"}}]},
        }
        assert len(found_by("secret-unused", place(secrets=[secret("s")], streams=[own]))) == 1

    def test_secrets_for_builds_of_node_images_are_not_reported_as_unused(self):
        """A MachineOSConfig may name them."""
        assert found_by("secret-unused", place("openshift-machine-config-operator", secrets=[secret("base")])) == []

    def test_secrets_of_other_controllers_are_not_reported_as_unused(self):
        owner = [{"kind": "ExternalSecret", "name": "e", "controller": True}]
        others = [
            secret("s", generated=True),
            secret("t", ownerReferences=owner),
            secret("u", managers={"external-secrets": "2025-12-31T00:00:00Z"}),
            secret("v", kind="Opaque"),
        ]
        assert found_by("secret-unused", place(secrets=others)) == []

    def test_a_manager_with_secret_in_its_name_is_not_a_controller(self):
        made = secret("s", managers={"kubectl-create-secret": "2025-12-31T00:00:00Z"})
        assert len(found_by("secret-unused", place(secrets=[made]))) == 1

    CONFIG = {
        "spec": {"matchImages": ["q.io"]},
        "status": {"conditions": [{"type": "MachineConfigRendered", "status": "True"}]},
    }

    @pytest.mark.parametrize(
        ("key", "config", "lists", "count"),
        [
            ("m.io", CONFIG, {"allowed": True}, 0),
            ("q.io", CONFIG, {"allowed": True}, 0),
            ("x.io", CONFIG, {"allowed": True}, 1),
            ("m.io", CONFIG, {"allowed": False}, 1),
            ("m.io", CONFIG, REFUSED, 0),
            ("m.io", {"spec": CONFIG["spec"]}, {"allowed": True}, 0),
            ("m.io", {**CONFIG, "spec": {"matchImages": ["x.io"]}}, {"allowed": True}, 1),
            ("m.io", None, {"allowed": True}, 1),
        ],
    )
    def test_a_secret_that_nodes_may_use_for_a_mirror_is_not_unused(self, key, config, lists, count):
        assert len(self.unused_of_mirror(key, config, lists)) == count

    def test_a_secret_that_older_nodes_will_use_for_a_mirror_is_not_unused(self):
        assert self.unused_of_mirror("m.io", self.CONFIG, {"allowed": True}, {NODES: {"items": [node()]}}) == []

    @staticmethod
    def unused_of_mirror(key, config, lists, more=None):
        mirrors = {"spec": {"imageTagMirrors": [{"source": "q.io", "mirrors": ["m.io/z"]}]}, "metadata": {"name": "m"}}
        reviews = {
            token_review("a", "default", CRIO_AUDIENCE): {"allowed": True},
            secrets_review("a", "default"): lists,
        }
        objects = {
            ObjectRef(TAG_SETS, "", ""): {"items": [mirrors]},
            CRIO_PROVIDER[0]: config,
            **reviews,
            **(more or {}),
        }
        seen = place(secrets=[secret("s", {key: auth()})], pods=[pod()], accounts=[account()])
        return found_by("secret-unused", survey(seen, objects=objects))

    def test_the_pull_secret_of_the_nodes_needs_no_name(self):
        assert found_by("secret-unused", place("openshift-config", secrets=[secret("pull-secret")])) == []


class TestDuplicate:
    def test_the_secret_that_is_used_is_kept(self):
        seen = place(secrets=[secret("one"), secret("two", {"https://q.io": auth()})], accounts=[account("two")])
        (found,) = found_by("secret-duplicate", seen)
        assert (found.ref.name, found.message) == ("one", "secret a/one holds the same logins as secret two")
        assert [task["name"] for task in found.fix] == ["Remove a pull secret"]

    def test_links_go_to_the_secret_that_is_kept(self):
        seen = place(secrets=[secret("one"), secret("two")], accounts=[account("one"), account("two", name="b")])
        (found,) = found_by("secret-duplicate", seen)
        modules = [next(key for key in task if key != "name").rpartition(".")[2] for task in found.fix]
        assert modules == ["sa_link", "sa_link", "pull_secret"]

    def test_a_pod_that_names_the_secret_is_not_changed(self):
        seen = place(secrets=[secret("one"), secret("two")], pods=[pod("one"), pod("two", name="b")])
        assert [found.fix for found in found_by("secret-duplicate", seen)] == [[]]

    def test_another_password_or_registry_is_another_secret(self):
        others = [secret("one"), secret("two", {"q.io": auth("other")}), secret("three", {"r.io": auth()})]
        assert found_by("secret-duplicate", place(secrets=[*others, secret("four", {}), secret("five", {})])) == []
