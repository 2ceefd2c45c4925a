# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules report failed imports of image streams and the secrets that an import may use."""

from __future__ import annotations

import pytest
from support.surveyed import auth, found_by, place, secret, stream

NO_LOGIN = (
    'you may not have access to the container image "q.io/team/app:v1" and did not have credentials to the repository'
)
REFUSED = 'incorrect username or password for image "q.io/team/app:v1"'


def names(found):
    """Return the secrets that the fix writes. The last task of the fix is the import."""
    *written, imported = found.fix
    assert imported["openshift_ops.image_pull.image_stream_import"] == {"namespaces": ["a"], "streams": ["app"]}
    return [task["openshift_ops.image_pull.pull_secret"]["name"] for task in written]


class TestFails:
    def test_a_failed_import_without_a_login_is_fixed_with_a_new_secret(self):
        (found,) = found_by("stream-import-fails", place(streams=[stream(why=NO_LOGIN)]))
        assert found.message.startswith("tag v1 of image stream a/app cannot be imported: you may not have access")
        assert (found.location, names(found)) == ("v1", ["import-q-io"])

    @pytest.mark.parametrize("why", [NO_LOGIN, "manifest unknown"])
    def test_a_failure_that_no_task_can_fix_has_no_fix(self, why):
        seen = place(secrets=[secret("s")] if why == NO_LOGIN else [], streams=[stream(why=why)])
        assert [found.fix for found in found_by("stream-import-fails", seen)] == [[]]

    def test_a_credential_in_the_message_is_not_shown(self):
        (found,) = found_by(
            "stream-import-fails", place(streams=[stream(why="https://u:canary@q.io/v2/?x=canary: no")])
        )
        assert "canary" not in str(found.report())

    @pytest.mark.parametrize("seen", [stream(), stream(why=REFUSED)], ids=["imported", "a refused login"])
    def test_a_successful_import_or_a_refused_login_is_not_reported(self, seen):
        assert found_by("stream-import-fails", place(streams=[seen])) == []


class TestStaleSecret:
    def test_the_single_login_is_named(self):
        seen = place(secrets=[secret("s"), secret("t", {"other.io": auth()})], streams=[stream(why=REFUSED)])
        (found,) = found_by("stream-import-stale-secret", seen)
        assert found.message.endswith("(the import uses the login of secret s with key q.io)")
        assert names(found) == ["s"]

    def test_several_possible_logins_are_all_named(self):
        seen = place(secrets=[secret("s"), secret("t", {"q.io/team": auth("b")})], streams=[stream(why=REFUSED)])
        (found,) = found_by("stream-import-stale-secret", seen)
        assert (
            "(the import uses only the first of these logins: secret s with key q.io, secret t with key q.io/team)"
            in found.message
        )
        assert names(found) == ["s", "t"]

    @pytest.mark.parametrize("seen", [stream(), stream(why=NO_LOGIN)], ids=["imported", "no login"])
    def test_a_successful_import_or_a_missing_login_is_not_reported(self, seen):
        assert found_by("stream-import-stale-secret", place(streams=[seen])) == []

    def test_an_unknown_image_has_no_fix(self):
        (found,) = found_by("stream-import-stale-secret", place(streams=[{**stream(why=REFUSED), "spec": None}]))
        assert found.fix == []
