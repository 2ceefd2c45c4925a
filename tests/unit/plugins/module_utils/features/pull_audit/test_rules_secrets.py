# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules report unusable pull secrets, and logins that end, differ, or are in many places. Labels show equal logins, and nothing else."""

from __future__ import annotations

import re

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import snapshot as trim
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.fixes import make_offer
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import (
    AuditedSecret,
    NamespaceSnapshot,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.checks import Audit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import PullAudit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_secrets import (
    find_copies,
    group_logins,
    label_logins,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import (
    CRIO_AUDIENCE,
    CRIO_PROVIDER,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import (
    BUILD_NAMESPACE,
    BuildSecrets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import secrets_review, token_review
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import CredentialSearch
from support.pull_evidence import REFUSED, TAG_SETS, node
from support.surveyed import NOW, account, auth, deployment, found_by, place, pod, secret, stream, survey, token

PODMAN = "kubernetes.io/podmanconfigjson"


def declares(*secrets):
    """The declarations of an inventory, as the role gives them."""
    return [{"namespaces": [], "failures": []}, {"declared": [*secrets]}]


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

    @pytest.mark.parametrize(("bad", "modes"), [("bad.io", ["remove"]), ("robot:word@bad.io", [])])
    def test_a_login_that_nodes_can_read_is_never_replaced(self, bad, modes):
        """A key with a password cannot be shown, so no task names it."""
        (found,) = found_by("secret-unparsable", place(secrets=[secret("s", {"good.io": auth(), bad: {"auth": "?"}})]))
        offered = make_offer(found.fix).tasks
        assert [task["openshift_ops.image_pull.pull_secret"]["mode"] for task in offered] == modes

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

    @pytest.mark.parametrize(
        ("declared", "count"),
        [
            ({"name": "s", "namespaces": ["b", "a"]}, 0),
            ({"name": "s", "namespaces": ["*"]}, 0),
            ({"name": "s", "namespaces": ["b"]}, 1),
            ({"name": "s", "namespaces": []}, 1),
            ({"name": "t", "namespaces": ["a", "*"]}, 1),
        ],
    )
    def test_a_secret_that_the_inventory_declares_is_not_removed(self, declared, count):
        assert len(found_by("secret-unused", place(secrets=[secret("s")]), drift=declares(declared))) == count

    def test_a_project_user_cannot_declare_a_secret(self):
        """Labels, annotations and names of a cluster prove nothing, and neither does another declared secret."""
        labels = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": "us"}
        made = secret("*", labels=labels, annotations={"declared": "true"})
        other = declares({"name": "s", "namespaces": ["*"]}, {"name": "t", "namespaces": ["a"]})
        assert len(found_by("secret-unused", place(secrets=[made]), drift=other)) == 1

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

    def test_the_declared_secret_is_kept(self):
        seen = place(secrets=[secret("one"), secret("two")], accounts=[account("two")])
        (found,) = found_by("secret-duplicate", seen, drift=declares({"name": "one", "namespaces": ["a"]}))
        assert (found.ref.name, [task["name"] for task in found.fix]) == (
            "two",
            [
                "Link a pull secret to a service account",
                "Unlink a pull secret from a service account",
                "Remove a pull secret",
            ],
        )

    def test_of_two_declared_secrets_none_is_removed(self):
        both = declares({"name": "one", "namespaces": ["a"]}, {"name": "two", "namespaces": ["a"]})
        (found,) = found_by("secret-duplicate", place(secrets=[secret("one"), secret("two")]), drift=both)
        assert (found.ref.name, found.fix) == ("two", [])

    def test_another_password_or_registry_is_another_secret(self):
        others = [secret("one"), secret("two", {"q.io": auth("other")}), secret("three", {"r.io": auth()})]
        assert found_by("secret-duplicate", place(secrets=[*others, secret("four", {}), secret("five", {})])) == []

    def test_entries_without_a_password_are_no_logins(self):
        """The module that links the kept secret would refuse it."""
        entries = {"q.io": {"username": "user"}, "r.io": {"password": "password"}}
        assert found_by("secret-duplicate", place(secrets=[secret("one", entries), secret("two", entries)])) == []

    @pytest.mark.parametrize(
        ("one", "two"),
        [
            ({"https://index.docker.io/v1": auth()}, {"docker.io": auth()}),
            ({"Q.io": auth()}, {"q.io": auth()}),
            ({"q.io/team/": auth()}, {"q.io/team": auth()}),
            ({"q.io": auth(), "r.io": {"auth": "?"}}, {"q.io": auth()}),
        ],
        ids=["a key that no node uses", "another case", "another path", "content that stops every pull"],
    )
    def test_a_secret_with_which_a_node_pulls_something_else_is_no_duplicate(self, one, two):
        linked = [account("one", "two")]
        assert (
            found_by("secret-duplicate", place(secrets=[secret("one", one), secret("two", two)], accounts=linked)) == []
        )

    @pytest.mark.parametrize(
        "user",
        [
            {"pods": [pod(volumes=[{"name": "v", "secret": {"secretName": "two"}}])]},
            {"workloads": [deployment(volumes=[{"name": "v", "secret": {"secretName": "two"}}])]},
            {"builds": [{"metadata": {"name": "b"}, "spec": {"output": {"pushSecret": {"name": "two"}}}}]},
            {"accounts": [account("one", "two", secrets=[{"name": "two"}])]},
        ],
        ids=["a pod mounts it", "a template mounts it", "a build uses it", "an account lists it for mounts"],
    )
    def test_a_secret_that_something_needs_for_another_purpose_is_not_removed(self, user):
        seen = place(secrets=[secret("one"), secret("two")], **{"accounts": [account("one", "two")], **user})
        assert [found.fix for found in found_by("secret-duplicate", seen)] == [[]]

    @pytest.mark.parametrize("kind", ["pods", "workloads", "build configs", "service accounts"])
    def test_no_secret_is_removed_if_it_is_not_known_what_uses_it(self, kind):
        seen = place(secrets=[secret("one"), secret("two")], unread={kind: "the caller may not list them"})
        assert [found.fix for found in found_by("secret-duplicate", seen)] == [[]]

    def test_a_secret_that_a_controller_would_write_again_is_not_removed(self):
        written = secret("two", managers={"external-secrets": "2026-01-01T00:00:00Z"})
        assert [found.fix for found in found_by("secret-duplicate", place(secrets=[secret("one"), written]))] == [[]]


DAY = 86400
ECR = "123.dkr.ecr.eu-west-1.amazonaws.com"


def at(seconds, **more):
    return place(secrets=[secret("s", {"q.io": auth(token(exp=seconds))}, **more)])


class TestExpiry:
    @pytest.mark.parametrize(("seconds", "count"), [(NOW - 61, 1), (NOW - 59, 0), (NOW + 1, 0)])
    def test_an_expired_login_is_reported_after_a_minute_of_tolerance(self, seconds, count):
        found = found_by("credential-expired", at(seconds))
        assert len(found) == count
        assert all("expired on 2025-12-31" in each.message for each in found)

    @pytest.mark.parametrize(("days", "count"), [(0, 1), (13.9, 1), (14.1, 0), (-1, 0)])
    def test_a_login_that_expires_within_the_given_days_is_reported(self, days, count):
        found = found_by("credential-expires", at(NOW + days * DAY))
        assert [each.expires for each in found] == [NOW + days * DAY] * count
        assert len(found_by("credential-expires", at(NOW + days * DAY), expires_within=15)) == (days >= 0)

    @pytest.mark.parametrize("exp", ["soon", None, True, 1e300, float("inf"), [], 10**400])
    def test_an_invalid_expiry_time_is_not_reported(self, exp):
        for rule in ("credential-expired", "credential-expires", "credential-short-lived"):
            assert found_by(rule, at(exp)) == []

    def test_a_login_under_a_key_with_a_user_is_reported_without_the_user(self):
        """Nodes use such a key for the registry behind the `@`."""
        ended = auth(token(exp=int(NOW) - 61))
        (found,) = found_by("credential-expired", place(secrets=[secret("s", {"robot:pass@q.io/team": ended})]))
        assert found.location == "q.io/team"
        assert "robot" not in f"{found.message} {found.fix}"
        assert "'registry': 'q.io/team'" in str(found.fix)

    def test_an_expiry_outside_the_calendar_is_reported_as_expired(self):
        (found,) = found_by("credential-expired", at(-(10**14)))
        assert "expired on an invalid date" in found.message

    def test_a_login_that_lives_hours_is_reported_as_short_lived(self):
        young = {"kubectl": "2025-12-31T13:00:00Z"}
        (found,) = found_by(
            "credential-short-lived", place(secrets=[secret("s", {ECR: auth("p", "AWS")}, managers=young)])
        )
        assert "is an Amazon ECR token, which is valid for 12 hours" in found.message
        assert (
            found_by("credential-expired", place(secrets=[secret("s", {ECR: auth("p", "AWS")}, managers=young)])) == []
        )

    def test_the_expiry_of_a_short_lived_login_is_counted_from_its_last_write(self):
        old = {"kubectl": "2025-12-31T11:00:00Z", "other": "2025-12-01T00:00:00Z"}
        seen = place(secrets=[secret("s", {ECR: auth("p", "AWS")}, managers=old)])
        (found,) = found_by("credential-expired", seen)
        assert "which is valid for 12 hours, and was written on 2025-12-31" in found.message
        assert found_by("credential-short-lived", seen) == []

    def test_a_token_of_one_job_has_no_time(self):
        seen = place(secrets=[secret("s", {"registry.gitlab.com": auth("p", "gitlab-ci-token")})])
        (found,) = found_by("credential-short-lived", seen)
        assert found.message.endswith("is a token of one GitLab job, which expires with the job")
        assert found_by("credential-expired", seen) == []

    OWNER = [{"kind": "ExternalSecret", "name": "e", "controller": True}]

    @pytest.mark.parametrize(
        "more",
        [{"generated": True}, {"ownerReferences": OWNER}, {"managers": {"external-secrets": "2025-12-01T00:00:00Z"}}],
        ids=["the platform", "an owner", "a manager"],
    )
    def test_logins_that_a_controller_refreshes_are_not_reported(self, more):
        for rule in ("credential-expired", "credential-expires"):
            assert found_by(rule, at(NOW - DAY, **more)) == found_by(rule, at(NOW + DAY, **more)) == []
        short = place(secrets=[secret("s", {ECR: auth("p", "AWS")}, **more)])
        assert found_by("credential-short-lived", short) == []


def in_namespaces(*passwords, host="q.io", user="user"):
    return survey(
        *(place(f"n{number}", secrets=[secret("s", {host: auth(each, user)})]) for number, each in enumerate(passwords))
    )


class TestCopies:
    def test_a_login_in_many_places_is_reported_once(self):
        (found,) = found_by("credential-in-many-places", in_namespaces("p", "p", "q"))
        assert found.message == "one login for q.io is in 3 secrets of 3 namespaces, 1 of them with another password"
        assert (found.ref.kind, found.ref.namespace) == (SECRET, "n0")

    def test_copies_within_one_namespace_are_not_reported_by_this_rule(self):
        seen = survey(place(secrets=[secret("s"), secret("t")]))
        assert found_by("credential-in-many-places", seen) == []
        assert len(find_copies(seen)) == 1

    def test_copies_that_differ_from_the_majority_are_reported(self):
        (found,) = found_by("credential-copies-differ", in_namespaces("p", "p", "q"))
        assert (found.ref.namespace, found.location) == ("n2", "q.io")
        assert found.message.endswith(" than 2 other entries")
        assert found.fix[0]["openshift_ops.image_pull.pull_secret"]["namespaces"] == ["n2"]

    def test_the_newer_copy_counts_if_both_are_equally_frequent(self):
        times = {"a": "2025-12-02T00:00:00Z", "b": "2025-12-01T00:00:00Z"}
        seen = survey(
            *(
                place(name, secrets=[secret("s", {"q.io": auth(name)}, managers={"m": time})])
                for name, time in times.items()
            )
        )
        (found,) = found_by("credential-copies-differ", seen)
        assert found.ref.namespace == "b"
        assert found.message.endswith(" than 1 other entry")

    def test_another_user_or_host_is_another_login(self):
        seen = survey(
            place("x", secrets=[secret("s", {"q.io": auth("p", "one"), "r.io": auth("p")})]),
            place("y", secrets=[secret("s", {"q.io": auth("p", "two")})]),
            place("z", secrets=[secret("s", {"q.io": auth("p", "one")}, generated=True)]),
        )
        assert find_copies(seen) == {}

    @pytest.mark.parametrize("user", ["<token>", "AWS", "unused"])
    def test_a_generic_token_user_is_not_compared(self, user):
        assert found_by("credential-copies-differ", in_namespaces("p", "p", "q", user=user)) == []
        (found,) = found_by("credential-in-many-places", in_namespaces("p", "p", "q", user=user))
        assert "is in 2 secrets of 2 namespaces" in found.message

    def test_tokens_that_differ_are_not_reported_as_copies(self):
        assert find_copies(in_namespaces(token(sub="a"), token(sub="b"))) == {}

    def test_equal_copies_do_not_differ(self):
        assert found_by("credential-copies-differ", in_namespaces("p", "p")) == []


class TestFound:
    def test_each_place_with_the_credential_is_a_finding(self):
        searched = CredentialSearch("canary-1", username="user")
        obj = trim.trim_secret(
            secret("s", {"q.io": auth("canary-1"), "r.io": auth("canary-1", "other")}), searched.matches
        )
        seen = NamespaceSnapshot("a", {"s": AuditedSecret.of("a", obj)})
        first, second = found_by("credential-found", survey(seen), search=searched)
        assert first.message == "the searched credential is in secret a/s, at q.io"
        assert second.message.endswith("at r.io, but not as the login of that registry and user")

    @pytest.mark.parametrize(
        ("name", "end"),
        [
            (
                "global-pull-secret-copy",
                ". The machine config operator copies secret openshift-machine-config-operator/global-pull-secret-copy from secret "
                "openshift-config/pull-secret: change the login there",
            ),
            (
                "base",
                ". A MachineOSConfig may build node images with secret openshift-machine-config-operator/base, and a wrong login shows at the "
                "next build",
            ),
        ],
    )
    def test_secrets_for_builds_of_node_images_are_named(self, name, end):
        builds = place("openshift-machine-config-operator", secrets=[secret(name)])
        (found,) = found_by("credential-in-many-places", survey(place(secrets=[secret("s")]), builds))
        assert found.message == f"one login for q.io is in 2 secrets of 2 namespaces{end}"

    def test_only_secrets_that_a_machine_os_config_names_are_described(self):
        searched = CredentialSearch("a-password")
        objects = [trim.trim_secret(secret(name), searched.matches) for name in ("base", "other")]
        audited = {
            name: AuditedSecret.of(BUILD_NAMESPACE, obj) for name, obj in zip(("base", "other"), objects, strict=True)
        }
        builds = BuildSecrets({"base": ["baseImagePullSecret of machine OS config worker"]})
        whole = survey(NamespaceSnapshot(BUILD_NAMESPACE, audited), build_secrets=builds)
        base, other = (found.message for found in found_by("credential-found", whole, search=searched))
        assert base.endswith(
            ". secret openshift-machine-config-operator/base is baseImagePullSecret of machine OS config worker, and a wrong login shows at "
            "the next build of a node image"
        )
        assert other == "the searched credential is in secret openshift-machine-config-operator/other, at q.io"

    def test_configs_that_cannot_be_read_are_reported(self):
        whole = survey(place(BUILD_NAMESPACE), build_secrets=BuildSecrets(unread="no right"))
        assert list(Audit(PullAudit(), whole).unread_sentences()) == [
            "the machineosconfigs could not be read: no right. It is not known which secrets they name",
            "it is not known whether this cluster generates pull secrets. Not applied: account-not-provisioned",
        ]

    def test_no_credential_is_reported_without_a_search(self):
        assert found_by("credential-found", place(secrets=[secret("s")])) == []


def test_no_message_holds_a_password():
    jwt = token(exp=NOW - DAY, sub="canary")
    passwords = {"x": jwt, "y": "canary", "z": "canary-2"}
    seen = survey(*(place(name, secrets=[secret("s", {"q.io": auth(each)})]) for name, each in passwords.items()))
    rules = ("credential-expired", "credential-in-many-places", "credential-copies-differ")
    texts = [str(found.report()) for rule in rules for found in found_by(rule, seen)]
    assert len(texts) == 3
    assert not any("canary" in text or jwt in text for text in texts)


def rows(key: bytes = b"k" * 32):
    seen = survey(
        place("a", secrets=[secret("s", {"q.io": auth("p", "u"), "alone.io": auth("x")})]),
        place("b", secrets=[secret("s", {"https://q.io/v1/": auth("p", "u"), "r.io": auth("p", "u")})]),
        place("c", secrets=[secret("s", {"q.io": auth("other", "u"), "r.io": auth("p", "u")})]),
    )
    return label_logins(find_copies(seen), key)


def test_labels_exist_only_for_logins_in_more_than_one_place() -> None:
    assert {row["registry"] for row in rows()} == {"q.io", "https://q.io/v1/", "r.io"}


def test_a_login_in_one_place_can_be_labelled_for_other_clusters() -> None:
    seen = survey(place("a", secrets=[secret("s", {"alone.io": auth("x")})]))
    assert find_copies(seen) == {}
    assert [row["registry"] for row in label_logins(group_logins(seen), b"k")] == ["alone.io"]


def test_equal_logins_and_passwords_have_equal_labels() -> None:
    first, second, other_host, third, last = rows()
    assert first["login"] == second["login"] == third["login"] != other_host["login"] == last["login"]
    assert first["password"] == second["password"] == other_host["password"] != third["password"]
    assert first["login"] != first["password"]


def test_a_password_never_has_the_label_of_a_login() -> None:
    auths = {"q.io": {"username": "u", "password": "q.io\0u"}}
    seen = survey(*(place(name, secrets=[secret("s", auths)]) for name in "ab"))
    (row, _other) = label_logins(find_copies(seen), b"k")
    assert row["login"] != row["password"]


def test_another_key_gives_other_labels() -> None:
    def labels(key: bytes) -> set[str]:
        return {row[part] for row in rows(key) for part in ("login", "password")}

    assert labels(b"k" * 32) == labels(b"k" * 32)
    assert labels(b"k" * 32) & labels(b"l" * 32) == set()
    assert all(re.fullmatch("[0-9a-f]{16}", label) for label in labels(b"k"))


def test_a_user_in_a_key_is_not_shown() -> None:
    seen = survey(*(place(name, secrets=[secret("s", {"canary@q.io": auth()})]) for name in "ab"))
    assert "canary" not in str(label_logins(find_copies(seen), b"k"))
