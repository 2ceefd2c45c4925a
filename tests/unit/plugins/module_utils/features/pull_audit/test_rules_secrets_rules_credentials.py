# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules report expired and short-lived logins, logins in many places or in differing copies, and a searched credential, without showing one."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import snapshot as trim
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import (
    AuditedSecret,
    NamespaceSnapshot,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.checks import Audit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import PullAudit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_secrets import (
    find_copies,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import (
    BUILD_NAMESPACE,
    BuildSecrets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import CredentialSearch
from support.surveyed import NOW, auth, found_by, place, secret, survey, token

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
