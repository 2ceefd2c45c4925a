# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules report missing secrets and duplicate names on the lists of service accounts, and accounts without a generated secret."""

from __future__ import annotations

from support.surveyed import account, auth, found_by, place, secret, survey, token

GENERATED_NAME = "default-dockercfg-x2x4x"


class TestDangling:
    def test_a_missing_secret_is_reported_in_either_list(self):
        (mount, pull) = found_by("link-dangling", place(accounts=[account("gone", secrets=[{"name": "lost"}])]))
        assert (pull.location, mount.location) == ("secrets lost", "imagePullSecrets gone")
        purposes = {
            task["openshift_ops.image_pull.sa_link"]["link_for"][0] for found in (pull, mount) for task in found.fix
        }
        assert purposes == {"pull", "mount"}

    def test_an_existing_or_generated_secret_is_not_reported(self):
        generated = account("s", GENERATED_NAME, secrets=[{"name": GENERATED_NAME}])
        assert found_by("link-dangling", place(secrets=[secret("s")], accounts=[generated])) == []

    def test_unreadable_secrets_are_not_reported_as_missing(self):
        seen = place(accounts=[account("gone")], unread={"secrets": "no right"})
        assert found_by("link-dangling", seen) == []


class TestDuplicate:
    def test_a_name_that_is_listed_twice_is_reported(self):
        (found,) = found_by("link-duplicate", place(accounts=[account("s", "t", "s")]))
        assert (found.location, found.message) == ("s", "service account a/default lists secret s more than once")
        assert found.fix[0]["openshift_ops.image_pull.sa_link"]["require"] == "none"

    def test_names_that_are_listed_once_are_not_reported(self):
        assert found_by("link-duplicate", place(accounts=[account("s", "t")])) == []


class TestNotProvisioned:
    NOTES = {"openshift.io/internal-registry-auth-token.binding": "bound"}

    def provisioned(self):
        notes = {**self.NOTES, "openshift.io/internal-registry-auth-token.service-account": "default"}
        return secret(GENERATED_NAME, {"r:5000": auth()}, "kubernetes.io/dockercfg", annotations=notes)

    def test_an_account_without_its_generated_secret_is_reported(self):
        (found,) = found_by("account-not-provisioned", survey(place(), none_will_come=""))
        assert "no generated pull secret in imagePullSecrets" in found.message

    def test_stale_secret_is_deleted_and_not_waited_for(self):
        stale = self.provisioned()
        dead = token(**{"kubernetes.io": {"serviceaccount": {"uid": "deleted"}}})
        stale["data"] = secret("x", {"r:5000": auth(dead, "<token>")}, "kubernetes.io/dockercfg")["data"]
        seen = place(secrets=[stale], accounts=[account(GENERATED_NAME)])
        (found,) = found_by("account-not-provisioned", survey(seen, none_will_come=""))
        assert f"delete it with 'oc delete secret {GENERATED_NAME} -n {seen.namespace}'" in found.message
        assert found.fix == []

    def test_an_account_with_its_generated_secret_is_not_reported(self):
        seen = place(secrets=[self.provisioned()], accounts=[account(GENERATED_NAME)])
        assert found_by("account-not-provisioned", survey(seen, none_will_come="")) == []

    def test_a_cluster_that_may_generate_no_secrets_is_not_reported(self):
        for why in ("this cluster is not OpenShift", None):
            assert found_by("account-not-provisioned", survey(place(), none_will_come=why)) == []
