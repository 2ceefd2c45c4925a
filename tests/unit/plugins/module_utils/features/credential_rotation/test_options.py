# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of credential_rotation become a rotation, or an error that names the invalid option."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.options import (
    ARGUMENTS,
    Rotation,
    check_lifetime,
    from_options,
)

NOW = 1_900_000_000.0
OLD = {"username": "robot", "password": "Canary-old-password"}
NEW = {"username": "robot2", "password": "Canary-new-password", "expires": None}


def options(**more: Any) -> dict[str, Any]:
    """Return the options as the module receives them, with all defaults."""
    defaults = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
    return {**defaults, "registries": ["quay.io"], "old": OLD, "new": NEW, **more}


def refused(**more: Any) -> str:
    with pytest.raises(OptionError) as error:
        from_options(options(**more))
    assert "Canary" not in str(error.value)
    return str(error.value)


def new(**more: Any) -> dict[str, Any]:
    return {**NEW, **more}


def token(expires: float) -> str:
    """Return a JSON Web Token that contains its expiry time."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
    return f"e30.{claims}.x"


class TestRotation:
    def test_the_required_options_make_a_rotation_with_defaults(self) -> None:
        found = from_options(options())
        assert (found.exchange.registries, found.nodes, found.verify, found.images) == (("quay.io",), False, True, ())
        assert (found.exchange.old.username, found.exchange.old.password) == (OLD["username"], OLD["password"])
        assert (found.exchange.new.username, found.exchange.new.password) == (NEW["username"], NEW["password"])
        access = found.access
        assert (access.ca_cert, access.validate_certs, access.timeout, access.realm_hosts) == (None, True, 10, ())

    def test_optional_settings_are_taken_from_the_options(self) -> None:
        found = from_options(
            options(
                nodes_pull_secret=True,
                verify=False,
                registry_ca_cert="/ca",
                registry_validate_certs=False,
                registry_timeout=3600,
                realm_hosts=["auth.example.com"],
            )
        )
        assert (found.nodes, found.verify) == (True, False)
        access = found.access
        assert (access.ca_cert, access.validate_certs, access.timeout) == ("/ca", False, 3600)
        assert access.realm_hosts == ("auth.example.com",)

    def test_repositories_that_are_named_are_verified_in_any_case(self) -> None:
        found = from_options(options(verify=False, verify_repositories=["quay.io/team/app:v1"]))
        assert (found.verify, [str(image) for image in found.images]) == (True, ["quay.io/team/app:v1"])

    def test_a_registry_that_is_named_twice_is_one(self) -> None:
        found = from_options(
            options(registries=["quay.io", "quay.io", "quay.io/team", "https://Quay.io/v2/", "r.example.com:5000"])
        )
        assert found.exchange.registries == ("quay.io", "quay.io/team", "https://Quay.io/v2/", "r.example.com:5000")
        assert found.hosts == ["quay.io", "r.example.com:5000"]

    @pytest.mark.parametrize("old", [{"username": "robot"}, {"username": "robot", "password": None}], ids=str)
    def test_an_unknown_old_password_matches_any_password(self, old: dict[str, Any]) -> None:
        found = from_options(options(old=old))
        assert (found.exchange.old.password, found.search) == ("", None)
        assert found.exchange.is_old("robot", "any")

    @pytest.mark.parametrize(("password", "is_searched"), [("1234567", False), ("12345678", True)])
    def test_a_short_password_is_not_searched_for_everywhere(self, password: str, is_searched: bool) -> None:
        found = from_options(options(old={"username": "robot", "password": password}))
        assert (found.search is not None) is is_searched
        assert found.search is found.search, "made once: it is asked for each secret of a cluster"

    def test_an_old_password_that_is_part_of_the_new_one_is_not_searched_for(self) -> None:
        """The search would find it in every copy of the new password."""
        found = from_options(options(new=new(password=f"{OLD['password']}2")))
        assert found.search is None
        back = from_options(options(old={**OLD, "password": f"{OLD['password']}2"}, new=new(password=OLD["password"])))
        assert back.search is not None

    def test_the_differing_parts_of_the_logins_are_known(self) -> None:
        def differing(**old: Any) -> list[str]:
            return from_options(options(old=old)).differing

        assert differing(**OLD) == ["password", "username"]
        assert differing(username="robot2", password="x") == ["password"]
        assert differing(username="robot2") == ["password"]
        assert differing(username="robot", password=NEW["password"]) == ["username"]

    def test_a_rotation_shows_no_login(self) -> None:
        assert "anary" not in repr(from_options(options()))
        assert "robot" not in repr(from_options(options()))
        assert isinstance(from_options(options()), Rotation)


class TestRefused:
    def test_all_problems_are_reported_at_once(self) -> None:
        said = refused(
            registries=["a b", "*.example.com"],
            old={"username": "", "password": "Canary"},
            new=new(username="a:b", password="", expires="tomorrow"),
            next_rotation_seconds=0,
            registry_timeout=0,
            verify_repositories=["app"],
        )
        assert said.split("; ", 1)[0].startswith("option 'registries': registry 'a b' is not host[:port]")
        for part in (
            "option 'registries': '*.example.com' is a glob; name the registries",
            "option 'old' has no user name",
            "option 'new' has a ':' in its user name, which the auth file format cannot express",
            "option 'new' has no password: give it",
            "option 'new': 'expires' is not a time such as 2030-01-31T12:00:00Z",
            "option 'next_rotation_seconds' must be a number of seconds",
            "option 'registry_timeout' is in seconds, from 1 to 3600",
            "option 'verify_repositories': 'app' is not a repository with its registry, such as quay.io/team/app",
        ):
            assert part in said

    @pytest.mark.parametrize("old", [{**OLD, "username": "a:b"}, {"username": "a:b"}])
    def test_a_colon_in_the_old_user_name_is_refused(self, old: dict[str, Any]) -> None:
        assert refused(old=old) == "option 'old' has a ':' in its user name, which the auth file format cannot express"

    def test_an_empty_old_password_is_not_any_password(self) -> None:
        """Otherwise an empty vault variable would replace every login of the user."""
        assert refused(old={**OLD, "password": ""}).startswith(
            "option 'old' has an empty password: give it, or leave it out"
        )

    def test_an_empty_list_of_registries_is_refused(self) -> None:
        assert refused(registries=[]) == "option 'registries' is empty: name at least one registry"

    def test_a_registry_with_the_scheme_http_is_refused(self) -> None:
        assert refused(registries=["http://q.example.com:5000/team"]) == (
            "option 'registries' has 'http://q.example.com:5000/team': a client's own settings decide about TLS, so write "
            "'q.example.com:5000/team'"
        )

    def test_identical_logins_are_refused(self) -> None:
        assert "are the same login" in refused(old={"username": "robot2", "password": NEW["password"]})
        from_options(options(old={"username": "robot2"}))

    @pytest.mark.parametrize(
        ("more", "asks"),
        [({}, True), ({"verify": False}, True), ({"old": OLD}, False), ({"replace_dead_logins": True}, False)],
    )
    def test_the_logins_of_the_secrets_are_checked_only_when_needed(self, more: dict[str, Any], asks: bool) -> None:
        """A task that does not verify the new login again writes, so it must ask about the content that it replaces."""
        assert from_options(options(**{"old": {"username": "robot"}, **more})).asks_copies is asks

    @pytest.mark.parametrize("seconds", [1, 3600])
    def test_the_bounds_of_the_timeout_are_accepted(self, seconds: int) -> None:
        assert from_options(options(registry_timeout=seconds, next_rotation_seconds=1)).access.timeout == seconds

    def test_a_timeout_above_the_bound_is_refused(self) -> None:
        assert refused(registry_timeout=3601) == "option 'registry_timeout' is in seconds, from 1 to 3600"

    @pytest.mark.parametrize("image", ["other.example.com/app", "quay.io/teams/app", "docker.io/team/app"])
    def test_a_login_is_for_its_registries_only(self, image: str) -> None:
        """Otherwise another registry would receive the login."""
        said = refused(registries=["quay.io/team", "r.example.com"], verify_repositories=["quay.io/team/app", image])
        assert said == (
            f"option 'verify_repositories': {image!r} is in none of the 'registries', so the logins are not for it"
        )

    @pytest.mark.parametrize("bad", ["p\udcfcss", "p\ud800ss"])
    def test_a_new_login_that_is_not_valid_unicode_is_refused(self, bad: str) -> None:
        assert refused(new=new(password=bad)) == "option 'new' has a user name or password that is not valid Unicode"
        assert refused(new=new(username=bad)) == "option 'new' has a user name or password that is not valid Unicode"

    def test_non_utf8_bytes_of_an_old_login_are_accepted(self) -> None:
        assert from_options(options(old={"username": "robot", "password": "p\udcfcss"})).exchange.old.password
        assert "option 'old' has" in refused(old={"username": "robot", "password": "p\ud800ss"})


class TestLifetime:
    def test_an_unknown_expiry_is_ignored_without_next_rotation_seconds(self) -> None:
        assert check_lifetime(options(), NOW) == []

    def test_an_unknown_expiry_is_reported_with_next_rotation_seconds(self) -> None:
        (said,) = check_lifetime(options(next_rotation_seconds=60), NOW)
        assert "the expiry time of the new login is unknown" in said

    def refusal(self, **given: Any) -> str:
        """The reason why the new login does not last long enough, or nothing."""
        try:
            assert check_lifetime(options(**given), NOW) == []
        except OptionError as error:
            return str(error)
        return ""

    @pytest.mark.parametrize("given", [{"expires": "2001-09-09T01:46:40Z"}, {"password": token(1_000_000_000)}])
    def test_an_expired_login_is_refused(self, given: dict[str, Any]) -> None:
        said = "'new' has expired on 2001-09-09T01:46:40Z: get a fresh one; nothing was read"
        assert said in self.refusal(new=new(**given))

    def test_clocks_may_differ_by_a_minute(self) -> None:
        assert "has expired" in self.refusal(new=new(password=token(NOW - 60)))
        assert self.refusal(new=new(password=token(NOW - 59))) == ""

    def test_the_new_login_must_last_until_the_next_run(self) -> None:
        login = new(password=token(NOW + 100))
        said = "expires on 2030-03-17T17:48:20Z, before the next run in 101 seconds"
        assert said in self.refusal(new=login, next_rotation_seconds=101)
        assert self.refusal(new=login, next_rotation_seconds=100) == ""

    def test_the_option_expires_counts_before_the_expiry_of_the_token(self) -> None:
        login = new(password=token(1_000_000_000), expires="2126-01-01T00:00:00Z")
        assert self.refusal(new=login, next_rotation_seconds=60) == ""

    def test_short_lived_token_kinds_are_known(self) -> None:
        """If the lifetimes of the registries differ, the shortest one counts."""
        names = ["public.ecr.aws", "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/team", "quay.io"]
        given = {"registries": names, "new": new(username="AWS")}
        assert "before the next run" in self.refusal(**given, next_rotation_seconds=43_201)
        assert self.refusal(**given, next_rotation_seconds=43_200) == ""

    def test_the_shortest_lifetime_of_several_kinds_counts(self) -> None:
        login = new(username="oauth2accesstoken", password="ghs_x")
        said = self.refusal(registries=["gcr.io", "ghcr.io"], new=login, next_rotation_seconds=3601)
        assert "before the next run" in said

    def test_an_expiry_outside_the_calendar_is_refused(self) -> None:
        said = self.refusal(new=new(password=token(9e14)), next_rotation_seconds=10**15)
        assert "expires on an invalid date" in said
