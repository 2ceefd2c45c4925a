# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new login that a registry on 127.0.0.1 does not accept for the images in use stops the rotation."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.editing import (
    LoginReplacement,
    UserPassword,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation import run_proof
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.options import (
    Rotation,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.plan import Copy
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.run_proof import (
    ImagesInUse,
    ProofResult,
    SecretLogins,
    check_secret_logins,
    prove_new_login,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import RegistryAccess
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import Reference, reference_of
from support.certificates import server_context
from support.hostile_registry import HostileRegistry, answer, served
from support.objects import b64, raised
from support.surveyed import token

OLD, NEW = UserPassword("oldrobot", "Canary-old-password"), UserPassword("newrobot", "Canary-new-password")
#: Other behaviors of a registry than a complete response.
NOTHING, HALF = 0, 1
NOT_ASKED = "127.0.0.1:1"


@dataclass
class Registry:
    """A registry that answers 200 to both users unless `answers` has a status for the user (`old`, `new`) and a part of the path."""

    certificate: str = ""
    host: str = ""
    answers: dict[tuple[str, str], int] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def script(self, server: HostileRegistry) -> Iterable[bytes]:
        method, path, *_rest = server.requests[-1].decode().split(" ")
        user = self._user(server.requests[-1].decode())
        if not user:
            yield b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="r"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
            return
        self.asked.append((user, method, path))
        status = next((code for (who, part), code in self.answers.items() if who == user and part in path), 200)
        if status == HALF:
            yield b"HTTP/1.1 200 OK\r\nContent-"
        elif status != NOTHING:
            yield b"HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status

    @staticmethod
    def _user(request: str) -> str:
        """Return the user of the login. The result is empty without a login or with an unknown one, which is refused."""
        _before, found, rest = request.partition("Authorization: Basic ")
        login = base64.b64decode(rest.split("\r\n")[0]).decode() if found else ""
        return {f"{OLD.username}:{OLD.password}": "old", f"{NEW.username}:{NEW.password}": "new"}.get(login, "")

    def prove(
        self,
        *images: str,
        must: Sequence[str] = (),
        old: UserPassword = OLD,
        registries: Sequence[str] | None = None,
        uses: Mapping[str, Sequence[str]] | None = None,
        elsewhere: Sequence[str] = (),
        beyond: Mapping[str, Sequence[str]] | None = None,
        known: UserPassword | None = None,
        **access: Any,
    ) -> ProofResult:
        """Prove the login for images of the registry. The images and `must` are written without the host."""
        exchange = LoginReplacement(tuple(registries or [self.host]), old, NEW)
        options = RegistryAccess(**{"ca_cert": self.certificate, "timeout": 60, **access})
        rotation = Rotation(exchange, images=tuple(map(self._named, must)), access=options)
        given = uses or ({"a": images} if images else {})
        in_use = {namespace: [self._named(image) for image in every] for namespace, every in given.items()}
        asked = ImagesInUse(
            {**in_use, "elsewhere": [each for image in elsewhere if (each := reference_of(image))]},
            {namespace: [self._named(image) for image in every] for namespace, every in (beyond or {}).items()},
        )
        found = prove_new_login(rotation, asked, {self.host: known} if known else {})
        assert_hidden(str(found))
        return found

    def _named(self, image: str) -> Reference:
        found = reference_of(f"{self.host}/{image}")
        assert found is not None
        return found


@pytest.fixture
def registry(certificate: str, no_outside_settings: None) -> Iterator[Registry]:
    found = Registry(certificate)
    with served(found.script, server_context(certificate)) as server:
        found.host = server.host
        yield found


def assert_hidden(text: str) -> None:
    for login in (OLD, NEW):
        assert login.username not in text
        assert login.password not in text
        assert b64(f"{login.username}:{login.password}") not in text


def refused(registry: Registry, *images: str, **options: Any) -> str:
    said = raised(Refusal, lambda: registry.prove(*images, **options))
    assert_hidden(said)
    assert said.startswith("nothing was written because the login in option 'new' could not be verified: ")
    return said.removeprefix("nothing was written because the login in option 'new' could not be verified: ")


UNKNOWN = UserPassword(OLD.username, "")


class TestLogin:
    def test_an_accepted_login_is_proven_without_images_in_use(self, registry: Registry) -> None:
        found = registry.prove()
        assert (list(found.rows), found.notes, found.old_login) == ([], (), "works")
        assert registry.asked == [("new", "GET", "/v2/"), ("old", "GET", "/v2/")]

    @pytest.mark.parametrize(
        ("status", "said"),
        [
            (401, "refuses the login"),
            (429, "allows no more requests for now"),
            (500, "was answered 500"),
            (HALF, "asking registry"),
            (NOTHING, "asking registry"),
        ],
    )
    def test_a_login_that_is_not_accepted_is_refused(self, registry: Registry, status: int, said: str) -> None:
        registry.answers["new", "/v2/"] = status
        message = refused(registry, "team/app:v1")
        assert message.startswith(f"registry {registry.host}: ")
        assert said in message
        assert {who for who, _method, _path in registry.asked} == {"new"}
        assert {path for _who, _method, path in registry.asked} == {"/v2/"}, "what it may pull is asked no more"

    def test_each_registry_is_asked_once(self, registry: Registry) -> None:
        names = [registry.host, f"{registry.host}/team", f"https://{registry.host}/v2/"]
        assert registry.prove(registries=names).old_login == "works"
        assert len(registry.asked) == 2

    def test_every_given_registry_must_accept_the_login(self, registry: Registry) -> None:
        message = refused(registry, registries=[registry.host, NOT_ASKED])
        assert message.startswith(f"registry {NOT_ASKED}: ")
        assert f"registry {registry.host}" not in message

    def test_a_certificate_is_verified_unless_that_is_disabled(self, registry: Registry) -> None:
        assert "certificate" in refused(registry, ca_cert=None)
        assert registry.asked == [], "no login is sent"
        assert registry.prove(ca_cert=None, validate_certs=False).old_login == "works"

    def test_a_login_is_not_given_to_another_host(self, certificate: str, registry: Registry) -> None:
        challenge = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="https://%s/token"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'

        def script(_server: HostileRegistry) -> Iterable[bytes]:
            yield challenge % NOT_ASKED.encode()

        with served(script, server_context(certificate)) as delegating:
            assert "another host. Nothing was sent" in refused(registry, registries=[delegating.host])
            named = refused(registry, registries=[delegating.host], realm_hosts=(NOT_ASKED,))
            assert "another host" not in named
            assert "asking 127.0.0.1:1 for a token" in named


class TestRepositories:
    def test_each_repository_is_asked_for_once(self, registry: Registry) -> None:
        digest = f"team/b@sha256:{'a' * 64}"
        found = registry.prove(uses={"a": ["team/c:v1", digest], "b": ["team/c:v1", "team/c:v2"]})
        host = registry.host
        assert [(row["repository"], row["image"]) for row in found.rows] == [
            (f"{host}/team/b", f"{host}/{digest}"),
            (f"{host}/team/c", f"{host}/team/c:v1"),
        ]
        assert [dict(row) for row in found.rows][1] == {
            "repository": f"{host}/team/c",
            "image": f"{host}/team/c:v1",
            "outcome": "pulls",
            "message": f"registry {host} gives {host}/team/c:v1",
        }
        assert found.notes == ()
        asked = [path for _who, _method, path in registry.asked if path != "/v2/"]
        assert sorted(asked) == [f"/v2/team/b/manifests/sha256:{'a' * 64}", "/v2/team/c/manifests/v1"]

    @pytest.mark.parametrize("status", [403, 404])
    def test_an_image_that_only_the_old_login_pulls_is_an_error(self, registry: Registry, status: int) -> None:
        registry.answers["new", "/app/"] = status
        message = refused(registry, "team/app:v1", "team/ok:v1")
        assert message.startswith(
            f"the login in option 'new' cannot pull {registry.host}/team/app:v1, but the login in option 'old' can: "
        )
        assert "team/ok" not in message

    @pytest.mark.parametrize("old", [403, 404, 401])
    @pytest.mark.parametrize("new", [403, 404])
    def test_an_image_that_neither_login_pulls_is_a_note(self, registry: Registry, new: int, old: int) -> None:
        registry.answers = {("new", "/app/"): new, ("old", "/app/"): old}
        found = registry.prove("team/app:v1")
        (note,) = found.notes
        assert note.startswith(f"{registry.host}/team/app:v1 is in use, but neither login can pull it: ")
        assert [row["outcome"] for row in found.rows] == ["no_right" if new == 403 else "not_found"]

    @pytest.mark.parametrize("old", [429, 500, HALF, NOTHING])
    @pytest.mark.parametrize("new", [403, 404])
    def test_an_unknown_result_of_the_old_login_is_an_error(self, registry: Registry, new: int, old: int) -> None:
        registry.answers = {("new", "/app/"): new, ("old", "/app/"): old}
        assert refused(registry, "team/app:v1").startswith(f"{registry.host}/team/app:v1: ")

    @pytest.mark.parametrize("status", [403, 404])
    def test_an_old_login_that_is_not_known_is_not_asked(self, registry: Registry, status: int) -> None:
        """The old login may have been denied the same images, so one pod with such an image stops nothing."""
        registry.answers["new", "/app/"] = status
        found = registry.prove("team/app:v1", old=UNKNOWN)
        (note,) = found.notes
        assert "is in use, but the login in option 'new' cannot pull it: " in note
        assert found.old_login == "unknown"
        assert {who for who, _method, _path in registry.asked} == {"new"}

    @pytest.mark.parametrize("status", [403, 404])
    def test_a_login_of_a_secret_replaces_an_unknown_old_login(self, registry: Registry, status: int) -> None:
        registry.answers["new", "/app/"] = status
        message = refused(registry, "team/app:v1", old=UNKNOWN, known=OLD)
        assert "team/app:v1, but the login in option 'old' can: " in message
        registry.answers["old", "/app/"] = 404
        assert "neither login can pull it" in registry.prove("team/app:v1", old=UNKNOWN, known=OLD).notes[0]

    @pytest.mark.parametrize("status", [401, 500, HALF, NOTHING])
    def test_a_new_login_that_is_refused_or_unanswered_for_an_image_is_an_error(
        self, registry: Registry, status: int
    ) -> None:
        registry.answers["new", "/app/"] = status
        message = refused(registry, "team/app:v1", "team/ok:v1")
        assert message.startswith(
            f"the login in option 'new' cannot pull {registry.host}/team/app:v1, but the login in option 'old' can: "
        )

    def test_a_rate_limit_stops_at_once(self, registry: Registry) -> None:
        registry.answers["new", "/app/"] = 429
        assert refused(registry, "team/app:v1", "team/ok:v1").startswith(f"{registry.host}/team/app:v1: ")
        assert "old" not in {who for who, _method, path in registry.asked if "app" in path}

    @pytest.mark.parametrize("status", [401, 500, HALF, NOTHING])
    def test_an_image_for_which_the_registry_answers_neither_is_a_note(self, registry: Registry, status: int) -> None:
        """The pod's author chose the image. Other images of the registry can be pulled."""
        registry.answers = {(who, "/app/"): status for who in ("old", "new")}
        found = registry.prove("team/app:v1", "team/ok:v1")
        (note,) = found.notes
        assert note.startswith(f"{registry.host}/team/app:v1 is in use, but neither login can pull it: ")
        assert found.images == {f"{registry.host}/team/ok": f"{registry.host}/team/ok:v1"}

    @pytest.mark.parametrize("old", [OLD, UNKNOWN])
    @pytest.mark.parametrize("status", [401, 500, HALF, NOTHING])
    def test_a_registry_that_answers_for_no_image_stops(
        self, registry: Registry, status: int, old: UserPassword
    ) -> None:
        registry.answers = {(who, "/manifests/"): status for who in ("old", "new")}
        message = refused(registry, "team/app:v1", "team/ok:v1", old=old)
        assert message.startswith(f"{registry.host}/team/app:v1: ")
        assert f" (the same for {registry.host}/team/ok:v1)" in message

    def test_a_registry_does_not_answer_for_another_registry(self, certificate: str, registry: Registry) -> None:
        other = Registry(answers={(who, "/manifests/"): 500 for who in ("old", "new")})
        with served(other.script, server_context(certificate)) as server:
            both = [registry.host, server.host]
            message = refused(registry, "team/app:v1", registries=both, elsewhere=[f"{server.host}/team/app:v1"])
            assert message.startswith(f"{server.host}/team/app:v1: ")

    def test_a_login_is_not_given_to_another_host_for_an_image_either(
        self, certificate: str, registry: Registry
    ) -> None:
        basic, bearer = b'Basic realm="r"', b'Bearer realm="https://%s/token"' % NOT_ASKED.encode()

        def script(server: HostileRegistry) -> Iterable[bytes]:
            request = server.requests[-1]
            asks = bearer if b"/team/" in request else b"" if b"Authorization" in request else basic
            head = b"HTTP/1.1 401 No\r\nWWW-Authenticate: %s" % asks if asks else b"HTTP/1.1 200 OK"
            yield head + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

        with served(script, server_context(certificate)) as delegating:
            image = f"{delegating.host}/team/app:v1"
            assert "another host. Nothing was sent" in refused(
                registry, registries=[delegating.host], elsewhere=[image]
            )
            named = refused(registry, registries=[delegating.host], elsewhere=[image], realm_hosts=(NOT_ASKED,))
            assert f"asking {NOT_ASKED} for a token for {image}" in named


class TestBeyond:
    """Namespaces without writes, whose pods pull with the nodes' pull secret."""

    def test_an_image_elsewhere_that_only_the_old_login_pulls_is_a_note(self, registry: Registry) -> None:
        registry.answers["new", "/app/"] = 403
        found = registry.prove("team/ok:v1", beyond={"b": ["team/app:v1", "team/ok:v2"]})
        (note,) = found.notes
        assert f"{registry.host}/team/app:v1 is in use, but only the login in option 'old' can pull it: " in note
        assert [(row["image"].partition("/")[2], row["outcome"]) for row in found.rows] == [
            ("team/ok:v1", "pulls"),
            ("team/app:v1", "no_right"),
        ]

    def test_a_registry_without_answers_for_other_namespaces_stops_nothing(self, registry: Registry) -> None:
        registry.answers = {(who, "/app/"): 500 for who in ("old", "new")}
        assert "neither login can pull it" in registry.prove(beyond={"b": ["team/app:v1"]}).notes[0]

    def test_an_image_used_in_written_and_other_namespaces_is_an_error(self, registry: Registry) -> None:
        registry.answers["new", "/app/"] = 403
        assert "but the login in option 'old' can" in refused(registry, "team/app:v1", beyond={"b": ["team/app:v2"]})


class TestBounds:
    def test_the_number_of_repositories_of_a_namespace_is_limited(
        self, registry: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert run_proof._REPOSITORIES == 200
        monkeypatch.setattr(run_proof, "_REPOSITORIES", 20)
        for more in (0, 1):
            images = [f"team/app{number}:v1" for number in range(20 + more)]
            found = registry.prove(
                uses={"a": images, "b": [images[-1]]}, beyond={"c": [f"team/x{number}:v1" for number in range(21)]}
            )
            assert len(found.rows) == 40 + more
            note = "namespace a uses 21 repositories of the registries: the login in option 'new' was verified for 20 of them"
            assert list(found.notes) == ([note] if more else [])

    def test_invented_tags_of_one_namespace_do_not_hide_those_of_others(self, registry: Registry) -> None:
        """A user who invents tags in one namespace cannot hide the tags of other namespaces."""
        registry.answers = {(who, "/0"): 404 for who in ("old", "new")}
        invented = [f"team/app:0{number}" for number in range(9)]
        found = registry.prove(uses={"a": invented, "b": ["team/app:v1"]})
        assert ([row["image"] for row in found.rows], found.notes) == ([f"{registry.host}/team/app:v1"], ())

    def test_the_number_of_notes_is_limited(self, registry: Registry) -> None:
        registry.answers = {(who, "/x"): 404 for who in ("old", "new")}
        notes = registry.prove(*(f"team/x{number}:v1" for number in range(22))).notes
        assert (len(notes), notes[-1]) == (21, "and 2 images more of that kind")
        assert len(registry.prove(*(f"team/x{number}:v1" for number in range(20))).notes) == 20


class TestAccepted:
    """Logins of secrets, in a rotation where any login of the user counts as the old one."""

    def copy(self, name: str, *passwords: str, keys: Sequence[str] = ("",), host: str = "") -> Copy:
        raw = {password: f"{OLD.username}:{password}".encode() for password in passwords}
        auths = {
            f"{host}{key}/{number}": {"auth": base64.b64encode(raw[password]).decode()}
            for number, password in enumerate(passwords)
            for key in keys
        }
        data = {".dockerconfigjson": b64(json.dumps({"auths": auths}))}
        obj = {"metadata": {"uid": name}, "type": "kubernetes.io/dockerconfigjson", "data": data}
        return Copy(ObjectRef(SECRET, "a", name), obj, self.rotation(host))

    def rotation(self, host: str) -> Rotation:
        return Rotation(LoginReplacement((host,), UNKNOWN, NEW), access=self.access)

    @pytest.fixture(autouse=True)
    def given(self, certificate: str) -> None:
        self.access = RegistryAccess(ca_cert=certificate, timeout=60)

    def accept(self, registry: Registry, *copies: tuple[str, ...]) -> SecretLogins:
        found = [self.copy(name, *passwords, host=registry.host) for name, *passwords in copies]
        answer = check_secret_logins(self.rotation(registry.host), found)
        assert_hidden(str(answer.refused))
        return answer

    def test_each_login_is_asked_for_once(self, registry: Registry) -> None:
        found = self.accept(registry, ("x", OLD.password), ("y", OLD.password, "guess"), ("z", "guess"))
        assert {ref.name: why for ref, why in found.refused.items()} == {
            "z": f"its own login is not accepted: registry {registry.host} refuses the login"
        }
        assert found.logins == {registry.host: OLD}
        assert [who for who, _method, _path in registry.asked] == ["old"]

    @pytest.mark.parametrize(
        ("status", "is_refused"), [(401, True), (429, False), (500, False), (HALF, False), (NOTHING, False)]
    )
    def test_a_login_that_is_refused_or_unanswered_is_not_accepted(
        self, registry: Registry, status: int, is_refused: bool
    ) -> None:
        registry.answers["old", "/v2/"] = status
        found = self.accept(registry, ("x", OLD.password))
        assert ([ref.name for ref in found.not_accepted], found.logins) == (["x"], {})
        assert bool(found.refused) is is_refused, "a login without an answer may work"

    def test_a_login_that_has_expired_is_refused(self, registry: Registry) -> None:
        found = self.accept(registry, ("z", token(exp=60)))
        assert ["which has expired at 1970" in why for why in found.refused.values()] == [True]

    def test_a_login_at_a_registry_that_asks_for_none_is_not_accepted(self, certificate: str) -> None:
        """The registry answers 200 for any password."""
        with served(
            answer("HTTP/1.1 200 OK", "Content-Length: 0", "Connection: close"), server_context(certificate)
        ) as server:
            found = check_secret_logins(self.rotation(server.host), [self.copy("x", "guess", host=server.host)])
        ((ref, why),) = found.refused.items()
        assert (ref.name, found.logins) == ("x", {})
        assert "requires no login" in why

    def test_the_first_logins_of_one_secret_are_asked_for(self, registry: Registry) -> None:
        guesses = [f"guess-{number}" for number in range(3)]
        found = self.accept(registry, ("x", *guesses, OLD.password))
        assert ([*found.refused], [ref.name for ref in found.unknown]) == ([], ["x"]), "its last login was not sent"
        assert [*found.unknown.values()] == ["its login was not verified, because it has more than 3 different ones"]
        found = self.accept(registry, ("x", *guesses, OLD.password), ("y", *guesses[:2], OLD.password))
        assert (found.not_accepted, found.logins) == ({}, {registry.host: OLD})

    def test_the_logins_of_most_secrets_are_asked_for_first(
        self, registry: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert run_proof._LOGINS == 100
        monkeypatch.setattr(run_proof, "_LOGINS", 10)
        copies = [(f"a{number:03}", f"guess-{number}") for number in range(10)]
        found = self.accept(registry, *copies, ("y", OLD.password), ("z", OLD.password))
        last = {ref.name: why for ref, why in found.not_accepted.items()}
        assert [ref.name for ref in found.unknown] == ["a009"]
        assert "y" not in last and "z" not in last
        assert last["a009"] == "its login was not verified, because there are more than 10 different ones"
        assert "refuses the login" in last["a008"]

    def test_an_empty_list_of_secrets_gives_no_logins(self, registry: Registry) -> None:
        assert self.accept(registry) == SecretLogins()


class TestImagesOfARepository:
    def test_a_missing_image_is_replaced_by_another_of_its_repository(self, registry: Registry) -> None:
        for who in ("old", "new"):
            registry.answers[who, "/v1"] = 404
        found = registry.prove("team/app:v1", "team/app:v2")
        assert ([row["image"] for row in found.rows], found.notes) == ([f"{registry.host}/team/app:v2"], ())

    def test_the_number_of_images_tried_in_a_repository_is_limited(self, registry: Registry) -> None:
        for who in ("old", "new"):
            registry.answers[who, "/app/"] = 404
        found = registry.prove(*(f"team/app:v{number}" for number in range(9)))
        assert [row["image"] for row in found.rows] == [f"{registry.host}/team/app:v0"]
        asked = [path for who, _method, path in registry.asked if who == "new" and "/app/" in path]
        assert asked == [f"/v2/team/app/manifests/v{number}" for number in range(3)]

    def test_another_image_does_not_excuse_one_that_only_the_old_login_pulls(self, registry: Registry) -> None:
        """Some registries grant access by tag."""
        registry.answers["new", "/v1"] = 403
        assert f"cannot pull {registry.host}/team/app:v1, but the login in option 'old'" in refused(
            registry, "team/app:v1", "team/app:v2"
        )

    @pytest.mark.parametrize("status", [429, 500])
    def test_a_registry_that_does_not_answer_is_not_asked_for_more(self, registry: Registry, status: int) -> None:
        registry.answers["new", "/app/"] = status
        refused(registry, "team/app:v1", "team/app:v2")
        assert {path for _who, _method, path in registry.asked if "/app/" in path} == {"/v2/team/app/manifests/v1"}

    def test_the_image_that_only_the_old_login_pulls_is_reported(self, registry: Registry) -> None:
        registry.answers = {("new", "/app/"): 404, ("old", "/v1"): 404}
        assert f"cannot pull {registry.host}/team/app:v2, but the login in option 'old' can" in refused(
            registry, "team/app:v1", "team/app:v2"
        )

    @pytest.mark.parametrize(
        ("answers", "said"),
        [
            ({("new", "/v2"): 500}, "the login in option 'new' cannot pull {}, but the login in option 'old' can: "),
            ({("new", "/v2"): 403, ("old", "/v2"): 500}, "{}: "),
        ],
    )
    def test_a_missing_image_does_not_hide_a_failure_of_another(
        self, registry: Registry, answers: dict[tuple[str, str], int], said: str
    ) -> None:
        registry.answers = {("new", "/v1"): 404, ("old", "/v1"): 404}
        registry.answers.update({(who, f"/app/manifests{part}"): code for (who, part), code in answers.items()})
        message = refused(registry, "team/app:v1", "team/app:v2")
        assert message.startswith(said.format(f"{registry.host}/team/app:v2"))


class TestNamed:
    def test_a_repository_without_a_tag_is_asked_for_its_tags(self, registry: Registry) -> None:
        assert len(registry.prove(must=["team/app"]).rows) == 1
        assert ("new", "GET", "/v2/team/app/tags/list?n=1") in registry.asked

    @pytest.mark.parametrize("status", [403, 404])
    def test_a_named_repository_must_be_pulled_whatever_the_old_login_gets(
        self, registry: Registry, status: int
    ) -> None:
        registry.answers = {("new", "/app/"): status, ("old", "/app/"): status}
        assert refused(registry, must=["team/app"]).startswith(f"{registry.host}/team/app:latest: ")

    def test_a_named_image_is_tried_before_those_in_use(self, registry: Registry) -> None:
        found = registry.prove("team/app:v1", must=["team/app:v2"])
        assert [row["image"] for row in found.rows] == [f"{registry.host}/team/app:v2"]


class TestOldLogin:
    @pytest.mark.parametrize(
        ("status", "said"), [(200, "works"), (401, "refused"), (429, "unknown"), (500, "unknown"), (NOTHING, "unknown")]
    )
    def test_the_state_of_the_old_login_is_reported_without_an_error(
        self, registry: Registry, status: int, said: str
    ) -> None:
        registry.answers["old", "/v2/"] = status
        assert registry.prove().old_login == said

    def test_a_single_refusal_marks_the_old_login_as_refused(self, certificate: str, registry: Registry) -> None:
        """Pods cannot pull from that registry at the moment."""
        other = Registry(answers={("old", "/v2/"): 401})
        with served(other.script, server_context(certificate)) as server:
            assert registry.prove(registries=[registry.host, server.host]).old_login == "refused"

    def test_an_old_login_is_not_known_to_work_at_an_open_registry(self, certificate: str, registry: Registry) -> None:
        """The registry answers 200 without a login, so it accepts a mistyped one as well."""
        with served(
            answer("HTTP/1.1 200 OK", "Content-Length: 0", "Connection: close"), server_context(certificate)
        ) as server:
            assert registry.prove(registries=[server.host], old=UNKNOWN).old_login == "unknown"
            assert registry.prove(registries=[server.host], old=UNKNOWN, known=OLD).old_login == "unknown", (
                "of another host"
            )
            assert registry.prove(registries=[server.host]).old_login == "unknown"

    def test_an_accepted_login_of_a_secret_counts_as_working(self, registry: Registry) -> None:
        assert registry.prove(old=UNKNOWN, known=OLD).old_login == "works"
        assert [who for who, _method, _path in registry.asked] == ["new"]

    def test_a_registry_that_does_not_answer_leaves_the_old_login_unknown(
        self, certificate: str, registry: Registry
    ) -> None:
        other = Registry(answers={("old", "/v2/"): 500})
        with served(other.script, server_context(certificate)) as server:
            assert registry.prove(registries=[registry.host, server.host]).old_login == "unknown"


def test_equal_sentences_are_one_with_the_first_images(registry: Registry) -> None:
    registry.answers["new", "/manifests/"] = 500
    message = refused(registry, *(f"team/app{number}:v1" for number in range(23)))
    assert message.count("was answered 500") <= 3
    assert " (the same for " in message
    assert ". Correct 'new', or the account at the registry. If" in message
    assert "set 'verify: false' and test pulls" in message
