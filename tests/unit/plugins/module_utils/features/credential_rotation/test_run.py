# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation against an in-memory API server reads, writes and reports the expected objects, including after failures."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.editing import (
    LoginReplacement,
    UserPassword,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.confirmation import (
    ConfirmedEntry,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.options import (
    Rotation,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.plan import Copy
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.run import rotate
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.run_proof import (
    ImagesInUse,
    Logins,
    ProofResult,
    SecretLogins,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_probe.pods import (
    PullProbe,
    pod_for,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.probe_pods import PROBE_POD
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import BUILD_NAMESPACE
from hypothesis import given
from support.anything import CHANGES, Changed
from support.fake_api import LOST, FakeApi
from support.in_memory import in_memory
from support.objects import b64
from support.scripted_pool import Answer, Clock, Request, status_object

OLD, NEW = UserPassword("oldrobot", "Canary-old-password"), UserPassword("newrobot", "Canary-new-password")
EXCHANGE = LoginReplacement(("quay.io",), OLD, NEW)
#: A rotation in which any login of the user counts as the old one.
WITHOUT_PASSWORD = LoginReplacement(("quay.io",), UserPassword(OLD.username, ""), NEW)
IMAGE = "quay.io/team/app:v1"
FORBIDDEN = status_object(403, "Forbidden", "no")
PULL = "kubernetes.io/dockerconfigjson"
#: The answer of a cluster that does not have the resource.
ABSENT = status_object(404, "NotFound", "404 page not found")


def auth(login: UserPassword) -> str:
    return b64(f"{login.username}:{login.password}")


def entry(login: UserPassword = OLD, **more: Any) -> dict[str, Any]:
    return {"auth": auth(login), **more}


def put(api: FakeApi, namespace: str, name: str = "quay", auths: Any = None, **parts: Any) -> dict[str, Any]:
    data = {".dockerconfigjson": b64({"auths": {"quay.io": entry()} if auths is None else auths})}
    return api.put("secrets", namespace, name, **{"type": PULL, "data": data, **parts})


def put_pod(
    api: FakeApi, namespace: str, name: str = "app", image: str = IMAGE, *, message: str = "", secret: str = "quay"
) -> None:
    state = {"waiting": {"reason": "ErrImagePull", "message": message}} if message else {}
    status = {"containerStatuses": [{"name": "c", "state": state}]}
    spec = {"containers": [{"name": "c", "image": image}], "imagePullSecrets": [{"name": secret}]}
    api.put("pods", namespace, name, spec=spec, status=status)


def entries(api: FakeApi, namespace: str, name: str = "quay") -> Any:
    found = api.get("secrets", namespace, name)
    assert found is not None
    return json.loads(base64.b64decode(found["data"][".dockerconfigjson"]))["auths"]


class Prover:
    """Replace the registries: record the requested images and check that nothing was written before."""

    def __init__(self, api: FakeApi, answer: ProofResult | ImagePullError | None = None) -> None:
        self._api, self._answer, self._written = api, answer, len(api.writes)
        self.images: list[dict[str, list[str]]] = []
        self.beyond: list[dict[str, list[str]]] = []
        self.known: list[Logins] = []

    def __call__(self, _rotation: Rotation, asked: ImagesInUse, known: Logins) -> ProofResult:
        assert len(self._api.writes) == self._written, "it is asked before the first write"
        self.images.append({name: [str(each) for each in every] for name, every in asked.images.items()})
        self.beyond.append({name: [str(each) for each in every] for name, every in asked.beyond.items()})
        self.known.append(known)
        if isinstance(self._answer, ImagePullError):
            raise self._answer
        return self._answer or ProofResult(
            [
                {"repository": each.repository, "image": str(each), "outcome": "pulls"}
                for every in (*asked.images.values(), *asked.beyond.values())
                for each in every
            ]
        )


class Accepter:
    """Replace the registries for the logins of secrets. Logins of the secrets in `refused` are not accepted, those of `unknown` have no
    answer."""

    def __init__(self, *refused: str, unknown: Sequence[str] = ()) -> None:
        self._refused, self._unknown = refused, unknown
        self.asked: list[list[str]] = []

    def __call__(self, _rotation: Rotation, copies: Iterable[Copy]) -> SecretLogins:
        refs = {f"{copy.ref.namespace}/{copy.ref.name}": copy.ref for copy in copies}
        self.asked.append([*refs])
        return SecretLogins(
            {ref: "refused" for name, ref in refs.items() if name in self._refused},
            {ref: "no answer" for name, ref in refs.items() if name in self._unknown},
            [("quay.io", OLD)],
        )


def every_secret(api: FakeApi) -> tuple[ConfirmedEntry, ...]:
    """Return entries for all existing secrets, including secrets that a test has created later."""
    found = {(namespace, name) for kind, namespace, name in api.objects if kind == "secrets"}
    return tuple(ConfirmedEntry(name, (namespace,)) for namespace, name in sorted(found))


def run(
    api: FakeApi,
    *namespaces: str,
    rotation: Rotation | None = None,
    confirmed: tuple[ConfirmedEntry, ...] | None = None,
    prover: Prover | None = None,
    accepter: Accepter | None = None,
    check: bool = False,
    unlisted: str = "",
    **settings: Any,
) -> Outcome:
    """Rotate the `confirmed` secrets, by default all existing ones."""
    clock = Clock()
    entries = every_secret(api) if confirmed is None else confirmed
    outcome = rotate(
        api.cluster(clock),
        replace(rotation or Rotation(EXCHANGE), entries=entries),
        namespaces or ("a",),
        RunSettings(check_mode=check, clock=clock, **settings),
        unlisted=unlisted,
        accept=accepter or Accepter(),
        prove=prover or Prover(api),
    )
    shown = json.dumps([outcome.report(), outcome.message("rotation") if outcome.has_failed else "", outcome.notes])
    for login in (OLD, NEW):
        for hidden in (login.username, login.password, auth(login)):
            assert hidden not in shown
    return outcome


def told(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = outcome.report()["rotation"]
    return found


def copies(outcome: Outcome) -> tuple[int, int, int, int]:
    found = told(outcome)["copies"]
    return found["old"], found["new"], found["to_change"], found["failed"]


def refused(api: FakeApi, *namespaces: str, **options: Any) -> str:
    with pytest.raises(Refusal) as error:
        run(api, *namespaces, **options)
    assert api.writes == []
    assert "anary" not in str(error.value)
    return str(error.value)


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


class TestWrites:
    def test_check_mode_reports_the_same_as_the_real_run(self, api: FakeApi) -> None:
        put(api, "a")
        put(api, "a", "fixed", immutable=True)
        put(api, "b", "fixed", immutable=True)
        put(api, "b", "fixed-rotated", type="Opaque", data={"x": "eA=="})
        api.put("serviceaccounts", "a", "default", imagePullSecrets=[{"name": "quay"}, {"name": "fixed"}])
        for name in ("a", "b"):
            api.put("namespaces", "", name)
        planned = run(api, "a", "b", check=True)
        assert api.writes == []
        assert planned.report() == run(api, "a", "b").report()
        assert api.get("serviceaccounts", "a", "default") is not None
        assert [failure["namespace"] for failure in planned.report()["failures"]] == ["b"]

    def test_an_immutable_secret_with_its_second_one_counts_as_rotated(self, api: FakeApi) -> None:
        """It still has the old login, and only manual work is left."""
        put(api, "a", "fixed", immutable=True)
        api.put("serviceaccounts", "a", "default", imagePullSecrets=[{"name": "fixed"}])
        assert copies(run(api)) == (1, 0, 1, 0)
        prover, written = Prover(api), len(api.writes)
        again = run(api, prover=prover)
        assert (copies(again), told(again)["remaining_count"]) == ((1, 1, 0, 0), 1)
        assert (len(api.writes), prover.images) == (written, [])
        api.put("serviceaccounts", "a", "later", imagePullSecrets=[{"name": "fixed"}])
        assert (copies(run(api)), len(api.writes)) == ((1, 1, 1, 0), written + 1)

    def test_a_new_password_that_begins_like_the_old_one_is_not_taken_for_it(self, api: FakeApi) -> None:
        put(api, "a")
        longer = Rotation(LoginReplacement(("quay.io",), OLD, UserPassword(NEW.username, f"{OLD.password}-2")))
        assert told(run(api, rotation=longer))["remaining"] == []
        assert (told(run(api, rotation=longer))["remaining"], copies(run(api, rotation=longer))) == ([], (0, 1, 0, 0))

    def test_a_rotation_can_be_reversed(self, api: FakeApi) -> None:
        before = put(api, "a")["data"]
        run(api)
        run(api, rotation=Rotation(LoginReplacement(("quay.io",), NEW, OLD)))
        assert (api.get("secrets", "a", "quay") or {})["data"] == before

    def test_the_secret_of_the_nodes_is_changed_on_request(self, api: FakeApi) -> None:
        put(api, "openshift-config", "pull-secret")
        put(api, "kube-system", "additional-pull-secret", auths={"quay.io": entry(), "quay.io/team": entry()})
        put(api, "a", "pull-secret")
        namespaces = ("openshift-config", "kube-system", "a")
        outcome = run(api, *namespaces)
        assert api.writes == ["PATCH /api/v1/namespaces/a/secrets/pull-secret"]
        assert told(outcome)["nodes"] == [
            {"namespace": "openshift-config", "secret": "pull-secret", "registries": ["quay.io"]},
            {"namespace": "kube-system", "secret": "additional-pull-secret", "registries": ["quay.io", "quay.io/team"]},
        ]
        assert copies(outcome) == (3, 0, 1, 0)
        last = run(api, *namespaces, rotation=Rotation(EXCHANGE, nodes=True))
        assert (len(api.writes), told(last)["nodes"], copies(last)) == (3, [], (2, 1, 2, 0))
        assert told(last)["nodes_changed"] == []
        assert run(api, *namespaces, rotation=Rotation(EXCHANGE, nodes=True)).report()["changed"] is False
        again = told(run(api, *namespaces))
        assert again["nodes"] == []
        assert [row["secret"] for row in again["nodes_changed"]] == ["pull-secret", "additional-pull-secret"]

    def test_a_secret_with_both_logins_counts_as_old(self, api: FakeApi) -> None:
        put(api, "a", auths={"quay.io": entry(), "quay.io/team": entry(NEW)})
        assert copies(run(api)) == (1, 0, 1, 0)


class TestRecordsOfNodes:
    """From 100 secrets on, a node may ask the registry although a secret was changed in place."""

    def notes(self, api: FakeApi, count: int, **given: Any) -> list[str]:
        for number in range(count):
            put(api, "a", f"s{number:03}", auths={"quay.io": entry(OLD if number else NEW)})
        return [note for note in run(api, **given).notes if "recorded" in note]

    def test_a_hundred_confirmed_secrets_are_reported(self, api: FakeApi) -> None:
        assert self.notes(api, 100, check=True) == [
            "100 confirmed secrets have this login. A node that has recorded 100 secrets or more for an image asks the registry when the next pod "
            "starts there with a changed secret, so keep the registry reachable"
        ]

    def test_fewer_secrets_are_not_reported(self, api: FakeApi) -> None:
        assert self.notes(api, 99) == []

    def test_a_run_without_a_change_reports_nothing(self, api: FakeApi) -> None:
        assert self.notes(api, 100, confirmed=()) == []
        assert len(self.notes(api, 100)) == 1
        assert self.notes(api, 0) == []


class TestNodeBuilds:
    """Secrets of the namespace in which the machine config operator builds node images."""

    def note(self, api: FakeApi) -> list[str]:
        put(api, BUILD_NAMESPACE, "base")
        return [note for note in run(api, BUILD_NAMESPACE).notes if "build" in note]

    def test_a_changed_secret_that_a_machine_os_config_names_is_reported(self, api: FakeApi) -> None:
        api.put("machineosconfigs", "", "worker", spec={"baseImagePullSecret": {"name": "base"}})
        assert self.note(api) == [
            "secret openshift-machine-config-operator/base is baseImagePullSecret of machine OS config worker, and a wrong login shows at the "
            "next build of a node image. A changed login starts no build"
        ]

    def test_other_secrets_and_unknown_configs_are_not_reported(self, api: FakeApi) -> None:
        api.put("machineosconfigs", "", "worker", spec={"baseImagePullSecret": {"name": "other"}})
        assert self.note(api) == []

    def test_the_configs_are_read_only_for_their_namespace(self, api: FakeApi) -> None:
        run(api, "a")
        assert not [request for request in api.asked if "machineosconfigs" in request]


class TestNeitherLogin:
    """One of the options contains a typo, or the cluster does not use the login."""

    WRONG_PASSWORD = LoginReplacement(("quay.io",), UserPassword(OLD.username, "Canary-mistyped"), NEW)
    WRONG_USER = LoginReplacement(("quay.io",), UserPassword("oldrobto", OLD.password), NEW)
    WRONG_REGISTRY = LoginReplacement(("quay.oi",), OLD, NEW)

    @pytest.mark.parametrize(
        ("exchange", "similar"),
        [
            (WRONG_PASSWORD, "a/quay has the user of one of the logins with another password, for quay.io."),
            (
                WRONG_USER,
                "a/quay has the password of the login to replace, with another user or for another registry, in quay.io.",
            ),
            (
                WRONG_REGISTRY,
                "a/quay has the password of the login to replace, with another user or for another registry, in quay.io.",
            ),
            (LoginReplacement(("quay.io",), UserPassword("oldrobto", ""), NEW), ""),
        ],
    )
    @pytest.mark.parametrize("check", [True, False])
    def test_a_cluster_with_neither_login_fails_and_names_similar_secrets(
        self, api: FakeApi, exchange: LoginReplacement, similar: str, *, check: bool
    ) -> None:
        put(api, "a")
        outcome = run(api, rotation=Rotation(exchange), check=check)
        assert (outcome.has_failed, api.writes) == (True, [])
        message = outcome.message("rotation")
        assert message.startswith("rotation changed nothing: no secret in 1 namespace has an entry for quay.")
        assert similar in message
        assert message.endswith(
            "Correct 'registries', 'old' or 'new'. If these namespaces do not need the login, set 'allow_absent: true'"
        )

    def test_a_cluster_with_neither_login_succeeds_with_allow_absent(self, api: FakeApi) -> None:
        put(api, "a")
        put(api, "a", "elsewhere", auths={"b.io": entry(OLD)})
        outcome = run(api, rotation=Rotation(self.WRONG_PASSWORD, allows_absent=True))
        assert told(outcome)["searched"] == {"secrets": 2, "for_registries": 1}
        assert not outcome.has_failed
        reason = "the user of one of the logins with another password, for quay.io"
        assert told(outcome)["similar"] == [{"namespace": "a", "secret": "quay", "reason": reason}]
        assert [row["name"] for row in told(outcome)["secrets"]] == ["quay"], "so that a later look finds it as well"

    def test_the_old_or_the_new_login_is_enough(self, api: FakeApi) -> None:
        put(api, "a")
        put(api, "a", "other", auths={"quay.io": entry(UserPassword(OLD.username, "Canary-another"))})
        # The second iteration finds only the new login. It does not show whether the old one is mistyped.
        for similar in ([], ["other"]):
            outcome = run(api)
            assert (outcome.has_failed, [row["secret"] for row in told(outcome)["similar"]]) == (False, similar)

    def test_a_missing_login_is_a_warning_if_a_namespace_cannot_be_searched(self, api: FakeApi) -> None:
        api.fail("GET /api/v1/namespaces/a/secrets", FORBIDDEN)
        outcome = run(api)
        assert not outcome.has_failed
        (note,) = outcome.notes
        assert "The caller may not list secrets in namespace a, so they were not checked." in note

    def test_secrets_of_one_namespace_hide_no_others(self, api: FakeApi) -> None:
        for number in range(20):
            put(api, "a", f"planted-{number}", auths={"quay.io": entry(UserPassword(OLD.username, "x"))})
        put(api, "b", auths={"quay.io": entry(UserPassword(OLD.username, "y"))})
        outcome = run(api, "a", "b")
        assert [row["namespace"] for row in told(outcome)["similar"]] == [*["a"] * 10, "b"]

    def test_many_keys_of_one_secret_are_named_in_part(self, api: FakeApi) -> None:
        put(api, "a", auths={f"quay.io/t{number}": entry(UserPassword(OLD.username, "x")) for number in range(500)})
        (row,) = told(run(api))["similar"]
        assert row["reason"].endswith("for quay.io/t0, quay.io/t1, quay.io/t2, quay.io/t3, quay.io/t4 and 495 more")


class TestOtherPasswords:
    """A secret can have the old login although the password in the option is mistyped, and retiring the login breaks its pods."""

    def rows(self, outcome: Outcome) -> list[tuple[str, str]]:
        return [(f"{row['namespace']}/{row['secret']}", row["reason"]) for row in told(outcome)["other_passwords"]]

    def test_confirmed_secrets_with_another_password_of_the_old_user_are_listed(self, api: FakeApi) -> None:
        """A secret with the new login does not show whether the old password is right."""
        put(api, "a", auths={"quay.io": entry(NEW)})
        for name in ("b", "c"):
            put(api, name, auths={"quay.io": entry(UserPassword(OLD.username, "Canary-another"))})
        put(api, "a", "theirs", auths={"quay.io": entry(UserPassword(NEW.username, "x"))})
        put(api, "a", "elsewhere", auths={"b.io": entry(UserPassword(OLD.username, "x"))})
        named = tuple(ConfirmedEntry(name, ("a", "b")) for name in ("quay", "theirs", "elsewhere"))
        outcome = run(api, "a", "b", "c", confirmed=named)
        assert self.rows(outcome) == [("b/quay", "the user of the login to replace, but another password, for quay.io")]
        assert told(outcome)["other_passwords_count"] == 1
        # The rows of the plan confirm the secret, so that a later look finds it as well.
        rows = [row for row in told(outcome)["secrets"] if row["declared"]]
        assert [row["namespace"] for row in rows] == ["a", "b"]
        given = tuple(ConfirmedEntry(row["name"], (row["namespace"],), row["uid"]) for row in rows)
        assert self.rows(run(api, "a", "b", "c", confirmed=given)) == self.rows(outcome)

    def test_a_secret_with_both_is_one_row_of_a_plan(self, api: FakeApi) -> None:
        put(api, "a", auths={"quay.io": entry(), "quay.io/x": entry(UserPassword(OLD.username, "x"))})
        outcome = run(api)
        assert (len(self.rows(outcome)), len(told(outcome)["secrets"])) == (1, 1)

    def test_the_pull_secret_of_the_nodes_counts_and_is_not_a_row_of_a_plan(self, api: FakeApi) -> None:
        put(api, "openshift-config", "pull-secret", auths={"quay.io": entry(UserPassword(OLD.username, "x"))})
        outcome = run(api, "openshift-config", rotation=Rotation(EXCHANGE, allows_absent=True), confirmed=())
        assert [row[0] for row in self.rows(outcome)] == ["openshift-config/pull-secret"]
        assert told(outcome)["secrets"] == []

    def test_an_unknown_old_password_has_no_other_one(self, api: FakeApi) -> None:
        put(api, "a")
        assert self.rows(run(api, rotation=Rotation(WITHOUT_PASSWORD))) == []


class TestOtherUsers:
    """A secret that an entry names has another user, so the user in the option or the name of the secret can be mistyped."""

    OTHER = UserPassword("oldrob0t", "Canary-other")

    def rows(self, outcome: Outcome) -> list[tuple[str, str]]:
        return [(f"{row['namespace']}/{row['secret']}", row["reason"]) for row in told(outcome)["other_users"]]

    @pytest.mark.parametrize("exchange", [EXCHANGE, WITHOUT_PASSWORD])
    def test_named_secrets_with_another_user_are_listed(self, api: FakeApi, exchange: LoginReplacement) -> None:
        put(api, "a", auths={"quay.io": entry(NEW)})
        for name in ("b", "c"):
            put(api, name, auths={"quay.io": entry(self.OTHER), "b.io": entry(self.OTHER)})
        outcome = run(api, "a", "b", "c", rotation=Rotation(exchange), confirmed=(ConfirmedEntry("quay", ("a", "b")),))
        assert self.rows(outcome) == [("b/quay", "a login of another user, for quay.io")]
        assert told(outcome)["other_users_count"] == 1
        assert list(outcome.notes) == [
            "1 named secret with a login for the registries has neither the old user nor the new one: b/quay (quay.io)",
        ]
        assert not outcome.has_failed
        assert [row["namespace"] for row in told(outcome)["secrets"]] == ["a"], "a plan has only secrets with the login"

    @pytest.mark.parametrize(
        "auths",
        [
            {"quay.io": entry(), "quay.io/x": entry(OTHER)},
            {"quay.io": entry(NEW), "quay.io/x": entry(OTHER)},
            {"quay.io": entry(UserPassword(OLD.username, "x")), "quay.io/x": entry(OTHER)},
            {"b.io": entry(OTHER)},
            {"quay.io": {"auth": "!"}},
            {"quay.io": {"identitytoken": "Canary-token"}},
        ],
    )
    def test_other_secrets_are_not_listed(self, api: FakeApi, auths: Any) -> None:
        put(api, "a", auths=auths)
        assert self.rows(run(api, rotation=Rotation(EXCHANGE, allows_absent=True))) == []

    def test_the_pull_secret_of_the_nodes_is_listed_only_if_it_is_named(self, api: FakeApi) -> None:
        put(api, "openshift-config", "pull-secret", auths={"quay.io": entry(self.OTHER)})
        rotation = Rotation(EXCHANGE, allows_absent=True)
        assert self.rows(run(api, "openshift-config", rotation=rotation, confirmed=())) == []
        assert len(self.rows(run(api, "openshift-config", rotation=rotation))) == 1


class TestRead:
    def test_few_namespaces_are_listed_each_and_many_at_once(self, api: FakeApi) -> None:
        names = [f"n{number}" for number in range(5)]
        run(api, *names[:4])
        listed = [path for path in api.asked if path.partition("?")[0].endswith("/secrets")]
        assert len(listed) == 8
        queries = {path.partition("?")[2].removesuffix("&limit=1000") for path in listed}
        assert queries == {
            "fieldSelector=type%21%3Dhelm.sh%2Frelease.v1%2Ctype%21%3Dkubernetes.io%2Fservice-account-token",
            "fieldSelector=type%3Dhelm.sh%2Frelease.v1&labelSelector=owner%21%3Dhelm",
        }
        api.requests.clear()
        run(api, *names)
        assert [path.partition("?")[0] for path in api.asked if "secrets" in path] == ["GET /api/v1/secrets"] * 2
        assert all("fieldSelector" not in path for path in api.asked if "pods" in path)

    def test_no_list_is_read_twice(self, api: FakeApi) -> None:
        put(api, "a")
        put(api, "a", "fixed", immutable=True)
        api.put("serviceaccounts", "a", "default", imagePullSecrets=[{"name": "fixed"}])
        run(api)
        reads = [path for path in api.asked if path.startswith("GET")]
        assert len(reads) == len({*reads})
        assert len([path for path in reads if "secrets" in path]) == 2
        assert len([path for path in reads if "serviceaccounts" in path]) == 1

    def test_neither_a_type_nor_a_mark_hides_a_copy(self, api: FakeApi) -> None:
        """The audit finds these copies. Only Helm's own releases, whose content is compressed, are not read."""
        put(api, "a")
        put(api, "b", "chart", type="helm.sh/release.v1")
        put(api, "b", "marked", metadata={"annotations": {"openshift.io/token-secret.name": "t"}})
        put(
            api,
            "b",
            "both",
            type="helm.sh/release.v1",
            metadata={"annotations": {"openshift.io/token-secret.name": "t"}},
        )
        labels = {"owner": "helm", "name": "app"}
        api.put(
            "secrets",
            "b",
            "sh.helm.release.v1.app.v1",
            type="helm.sh/release.v1",
            data={"release": "SDRzSQ=="},
            metadata={"labels": labels},
        )
        found = told(run(api, "a", "b", confirmed=(ConfirmedEntry("quay", ("a",)),)))
        assert {(row["namespace"], row["name"]) for row in found["not_declared"]} == {
            ("b", "chart"),
            ("b", "marked"),
            ("b", "both"),
        }
        assert found["not_declared_count"] == 3
        left_out = {kind for path in api.asked for kind in re.findall(r"type!=([^,&]+)", unquote(path))}
        assert left_out
        assert all(any(f"type {kind}" in sentence for sentence in found["not_searched"]) for kind in left_out)
        assert entries(api, "b", "chart") == entries(api, "b", "marked") == {"quay.io": entry()}

    def test_accounts_are_read_only_for_an_immutable_secret(self, api: FakeApi) -> None:
        put(api, "a")
        put(api, "b", "fixed", immutable=True)
        put(api, "c", "theirs", immutable=True, metadata={"managedFields": [{"manager": "external-secrets"}]})
        run(api, "a", "b", "c", check=True)
        assert [path.partition("?")[0] for path in api.asked if "serviceaccounts" in path] == [
            "GET /api/v1/namespaces/b/serviceaccounts"
        ]

    def test_secrets_that_may_not_be_listed_are_not_taken_for_none(self, api: FakeApi) -> None:
        put(api, "a")
        put(api, "b")
        api.fail("GET /api/v1/namespaces/[bc]/secrets", FORBIDDEN, times=9)
        outcome = run(api, "a", "b", "c")
        assert told(outcome)["unreadable_secrets"] == [
            "the caller may not list secrets in namespace b and 1 more, so they were not checked"
        ]
        assert copies(outcome) == (1, 0, 1, 0)
        assert api.writes == ["PATCH /api/v1/namespaces/a/secrets/quay"]

    def test_namespaces_that_the_caller_does_not_see_may_have_the_login(self, api: FakeApi) -> None:
        put(api, "a")
        outcome = run(api, "a", unlisted="listing namespaces: no")
        assert told(outcome)["unreadable_secrets"] == [
            "only the secrets in the caller's own projects were searched: listing namespaces: no"
        ]
        assert copies(outcome) == (1, 0, 1, 0)

    def test_namespaces_are_listed_one_by_one_if_the_cluster_list_is_refused(self, api: FakeApi) -> None:
        names = [f"n{number}" for number in range(6)]
        for name in names:
            put(api, name)
        api.fail(r"GET /api/v1/secrets\?", FORBIDDEN)
        api.fail("GET /api/v1/namespaces/n5/secrets", FORBIDDEN)
        outcome = run(api, *names)
        assert (copies(outcome), len(told(outcome)["unreadable_secrets"])) == ((5, 0, 5, 0), 1)

    @pytest.mark.parametrize(
        "answer",
        [
            status_object(401, "Unauthorized", "no"),
            status_object(400, "BadRequest", "no"),
            Answer(200, {"items": [{"metadata": {"namespace": "a"}}]}),
            Answer(200, {"items": [{"metadata": {"namespace": "a", "name": None}}]}),
            Answer(200, {"items": [None]}),
            Answer(200, {"items": {}}),
            Answer(200, []),
            LOST,
        ],
    )
    def test_a_list_that_breaks_off_stops_all_before_the_first_write(self, api: FakeApi, answer: Any) -> None:
        for number in range(5):
            put(api, "a", f"s{number}")
        api.page = 2
        api.fail("GET /api/v1/namespaces/a/secrets", answer, times=99, after=1)
        said = refused(api)
        assert said.startswith("nothing was written, because not all secrets could be searched: ")
        assert "secrets" in said.partition(": ")[2]

    def test_a_kind_that_the_cluster_does_not_have_is_ignored(self, api: FakeApi) -> None:
        put(api, "a")
        api.fail("GET .*/deploymentconfigs", ABSENT, times=9)
        assert (told(run(api))["unreadable_pods"], entries(api, "a")) == ([], {"quay.io": entry(NEW)})

    def test_a_confirmed_secret_that_cannot_be_read_is_left(self, api: FakeApi) -> None:
        put(api, "a", "broken", data={".dockerconfigjson": "ew=="})
        put(api, "a", "odd", auths={"quay.io": {"auth": 1}})
        put(api, "a")
        outcome = run(api, rotation=Rotation(WITHOUT_PASSWORD))
        found = [(row["secret"], row["location"], row["reason"]) for row in told(outcome)["remaining"]]
        end = "so the login to replace may be in it: correct it or delete it by hand"
        assert found == [
            ("broken", "its content", f"it is not valid JSON at line 1, column 2, {end}"),
            ("odd", "its content", f"it has entries that no node can decode, for quay.io, {end}"),
        ]
        assert (copies(outcome), told(outcome)["not_declared"]) == ((1, 0, 1, 0), [])

    def test_an_unreadable_unconfirmed_secret_is_a_row_without_a_fix(self, api: FakeApi) -> None:
        put(api, "a", "broken", data={".dockerconfigjson": "ew=="})
        put(api, "a")
        outcome = run(api, rotation=Rotation(WITHOUT_PASSWORD), confirmed=(ConfirmedEntry("quay", ("a",)),))
        assert (copies(outcome), told(outcome)["remaining"]) == ((1, 0, 1, 0), [])
        (row,) = told(outcome)["not_declared"]
        assert (row["name"], row["fix"]) == ("broken", "")
        assert (
            row["reason"] == "its content is not valid JSON at line 1, column 2, so the login to replace may be in it"
        )


class TestProof:
    def test_images_in_use_with_the_old_login_are_proven(self, api: FakeApi) -> None:
        put(api, "a")
        put(api, "b", auths={"quay.io/other": entry()})
        for name in ("a", "b", "c"):
            put_pod(api, name)
            put_pod(api, name, "second", "quay.io/team/b:v2")
            put_pod(api, name, "foreign", "b.io/app")
        prover = Prover(api)
        outcome = run(api, "a", "b", "c", prover=prover)
        assert (prover.images, prover.beyond) == ([{"a": [IMAGE, "quay.io/team/b:v2"]}], [{}])
        assert told(outcome)["probes"] == [{"namespace": "a", "image": IMAGE, "secret": "quay"}]

    def test_the_login_of_the_nodes_counts_for_pods_of_all_namespaces(self, api: FakeApi) -> None:
        """Images that pods elsewhere pull with it are checked and kept apart, because nothing is written in those namespaces."""
        put(api, "a", auths={"quay.io/other": entry()})
        put(api, "openshift-config", "pull-secret")
        put_pod(api, "a")
        put_pod(api, "b", image="quay.io/team/b:v1")
        prover = Prover(api)
        outcome = run(api, "a", "b", "openshift-config", prover=prover)
        assert (prover.images, prover.beyond) == ([{"a": [IMAGE]}], [{"b": ["quay.io/team/b:v1"]}])
        assert told(outcome)["probes"] == []

    def test_registries_are_not_asked_if_verify_is_false_or_nothing_changes(self, api: FakeApi) -> None:
        prover = Prover(api)
        run(api, prover=prover)
        put(api, "a")
        run(api, prover=prover, rotation=Rotation(EXCHANGE, verify=False))
        run(api, prover=Prover(FakeApi()))
        assert prover.images == []

    def test_the_answers_of_the_registries_are_reported(self, api: FakeApi) -> None:
        put(api, "a")
        row = {"repository": "r", "image": "r:v1", "outcome": "no_right"}
        outcome = run(api, prover=Prover(api, ProofResult((row,), ("a note",), "works")))
        assert (told(outcome)["repositories"], told(outcome)["old_login"]) == ([row], "works")
        assert outcome.notes == ["a note"]

    def test_pods_that_fail_with_a_confirmed_secret_are_reported(self, api: FakeApi) -> None:
        for namespace in ("a", "b"):
            put(api, namespace)
            put_pod(api, namespace, message="invalid username/password: unauthorized")
            put_pod(api, namespace, "theirs", message="invalid username/password: unauthorized", secret="mine")
        row = {"namespace": "a", "pod": "app", "container": "c", "image": IMAGE, "cause": "bad_credentials"}
        row |= {"place": f"a {IMAGE}", "repository": "quay.io/team/app", "containers": 1}
        named = (ConfirmedEntry("quay", ("a",)),)
        for _run in range(2):
            assert told(run(api, "a", "b", confirmed=named))["failing"] == [row]

    def test_the_number_of_shown_probes_is_limited(self, api: FakeApi) -> None:
        for number in range(101):
            put(api, f"n{number:03}")
            put_pod(api, f"n{number:03}", message="invalid username/password: unauthorized")
        found = told(run(api, *(f"n{number:03}" for number in range(101)), check=True))
        assert (len(found["failing"]), len(found["probes"]), found["probes"][0]["namespace"]) == (101, 100, "n000")


def put_waiting(api: FakeApi, namespace: str, name: str, *, node: str = "node-1", secret: str = "quay") -> None:
    """Create a pod whose pull may have started on a node."""
    spec = {"containers": [{"name": "c", "image": IMAGE}], "imagePullSecrets": [{"name": secret}], "nodeName": node}
    api.put("pods", namespace, name, spec=spec, status={})


def put_running(api: FakeApi, namespace: str, name: str, *, image: str = IMAGE, secret: str = "quay") -> None:
    state = {"name": "c", "imageID": "i", "state": {"running": {}}}
    spec = {"containers": [{"name": "c", "image": image}], "imagePullSecrets": [{"name": secret}], "nodeName": "n"}
    api.put("pods", namespace, name, spec=spec, status={"containerStatuses": [state]})


class TestLeftovers:
    """Pods left over from a killed probe of an earlier rotation."""

    def put(self, api: FakeApi, namespace: str, name: str = "pull-probe-old", **meta: Any) -> None:
        body = pod_for(ObjectRef(PROBE_POD, namespace, name), PullProbe((IMAGE,)), IMAGE, {}).body
        labels = {"labels": body["metadata"]["labels"], "creationTimestamp": "2026-01-01T00:00:00Z", **meta}
        api.put("pods", namespace, name, metadata=labels, spec=body["spec"], status={})

    def test_leftover_pods_are_deleted_in_all_namespaces_of_the_task(self, api: FakeApi) -> None:
        put(api, "a")
        self.put(api, "b")
        self.put(api, "b", "pull-probe-new", creationTimestamp="2126-01-01T00:00:00Z")
        self.put(api, "b", "theirs")
        assert run(api, "a", "b", check=True).notes == []
        outcome = run(api, "a", "b")
        assert outcome.notes == ["deleted 1 pod of probes that ended without cleaning up: b/pull-probe-old"]
        assert [path for path in api.writes if "pods" in path] == ["DELETE /api/v1/namespaces/b/pods/pull-probe-old"]

    @pytest.mark.parametrize("status", [403, 401, 500])
    def test_a_leftover_that_cannot_be_deleted_does_not_fail_the_rotation(self, api: FakeApi, status: int) -> None:
        put(api, "a")
        self.put(api, "b")
        api.fail("DELETE", status_object(status, "Failure", "no"), times=9)
        outcome = run(api, "a", "b")
        assert (outcome.has_failed, entries(api, "a")) == (False, {"quay.io": entry(NEW)})
        assert "could not be deleted" in outcome.notes[0]

    def test_leftover_pods_do_not_count_as_uses(self, api: FakeApi) -> None:
        put(api, "a")
        self.put(api, "a")
        prover = Prover(api)
        run(api, prover=prover)
        assert prover.images == [{}]


class TestPendingPulls:
    WAITS = Rotation(EXCHANGE, pulls_timeout=60)

    @pytest.fixture
    def api(self) -> FakeApi:
        api = FakeApi()
        put(api, "a")
        return api

    def pods_listed(self, api: FakeApi) -> int:
        return len([path for path in api.asked if path.partition("?")[0].endswith("/pods")])

    def test_the_run_waits_for_a_pull_that_began_before_the_last_write(self, api: FakeApi) -> None:
        put_waiting(api, "a", "p")
        put_waiting(api, "a", "later", node="")
        written = []

        def before(request: Request) -> None:
            if "/pods" in request.path and "PATCH" in {line.partition(" ")[0] for line in api.writes}:
                written.append(request)
                if len(written) > 1:
                    put_waiting(api, "a", f"new-{len(written)}")
                if len(written) == 4:
                    put_running(api, "a", "p")

        api.before = before
        outcome = run(api, rotation=self.WAITS)
        assert len(written) == 5, "until it has ended, and once more"
        assert (told(outcome)["pending_pulls"], told(outcome)["pending_pulls_count"], outcome.notes) == ([], 0, [])
        assert told(outcome)["pending_pulls_unknown"] == ""

    def test_a_pull_that_does_not_end_is_reported_without_a_failure(self, api: FakeApi) -> None:
        put_waiting(api, "a", "p")
        put_waiting(api, "a", "theirs", secret="mine")
        outcome = run(api, rotation=self.WAITS)
        assert not outcome.has_failed
        row = {"namespace": "a", "pod": "p", "container": "c", "image": IMAGE}
        assert (told(outcome)["pending_pulls"], told(outcome)["pending_pulls_count"]) == ([row], 1)
        assert outcome.notes[0].startswith(
            f"1 pull in 1 namespace that may use the old login did not end in time: a/p ({IMAGE}). "
        )
        assert 10 <= self.pods_listed(api) <= 30

    def test_an_event_ends_the_wait_for_a_pod_that_never_starts(self, api: FakeApi) -> None:
        put_waiting(api, "a", "p")
        uid = (api.get("pods", "a", "p") or {})["metadata"]["uid"]
        counts = iter(range(1, 99))

        def events(_request: Request) -> Answer:
            event = {"metadata": {"namespace": "a", "name": "e"}, "reason": "FailedMount", "count": next(counts)}
            return Answer(200, {"items": [{**event, "involvedObject": {"uid": uid}}], "metadata": {}})

        api.fail("GET .*/events", events, times=99)
        outcome = run(api, rotation=self.WAITS)
        assert (told(outcome)["pending_pulls_count"], outcome.notes) == (0, [])

    def test_an_event_that_a_user_writes_elsewhere_ends_no_wait(self, api: FakeApi) -> None:
        put(api, "b")
        for place in ("a", "b"):
            put_waiting(api, place, "p")
        uid = (api.get("pods", "a", "p") or {})["metadata"]["uid"]
        counts = iter(range(1, 99))

        def events(request: Request) -> Answer:
            event = {"metadata": {"namespace": "b", "name": "e"}, "reason": "FailedMount", "count": next(counts)}
            items = [{**event, "involvedObject": {"uid": uid}}] if "/namespaces/b/" in request.path else []
            return Answer(200, {"items": items, "metadata": {}})

        api.fail("GET .*/events", events, times=99)
        outcome = run(api, "a", "b", rotation=self.WAITS)
        assert [row["namespace"] for row in told(outcome)["pending_pulls"]] == ["a", "b"]

    def test_a_missing_right_to_list_events_is_reported(self, api: FakeApi) -> None:
        put_waiting(api, "a", "p")
        api.fail("GET .*/events", FORBIDDEN, times=99)
        outcome = run(api, rotation=self.WAITS)
        assert told(outcome)["pending_pulls_count"] == 1
        assert outcome.notes[1].endswith("could not be read: the caller may not list events in namespace a")

    def test_the_pods_are_looked_at_after_the_wait(self, api: FakeApi) -> None:
        put_waiting(api, "a", "p")
        seen = []

        def before(request: Request) -> None:
            seen.append(request.path)
            if len([path for path in seen if "/pods" in path]) == 3:
                put_pod(api, "a", "p", message="invalid username/password: unauthorized")

        api.before = before
        assert [row["pod"] for row in told(run(api, rotation=self.WAITS))["failing"]] == ["p"]

    def test_pods_that_cannot_be_listed_are_not_taken_for_none(self, api: FakeApi) -> None:
        put_waiting(api, "a", "p")
        api.fail("GET .*/pods", status_object(400, "BadRequest", "no"), times=99, after=1)
        outcome = run(api, rotation=self.WAITS)
        assert outcome.notes[0].startswith("it is not known whether nodes still pull with the old login: ")
        assert "pods" in told(outcome)["pending_pulls_unknown"]
        assert entries(api, "a") == {"quay.io": entry(NEW)}

    def test_pods_that_may_not_be_listed_are_not_taken_for_none(self, api: FakeApi) -> None:
        put(api, "b")
        put_waiting(api, "b", "p")
        api.fail("GET .*/a/pods", FORBIDDEN, times=99)
        outcome = run(api, "a", "b", rotation=self.WAITS)
        assert [row["namespace"] for row in told(outcome)["pending_pulls"]] == ["b"]
        assert outcome.notes[0] == (
            "it is not known whether nodes still pull with the old login: the caller may not list pods in namespace a"
        )
        assert told(outcome)["pending_pulls_unknown"] == "the caller may not list pods in namespace a"

    def test_pods_that_may_not_be_listed_are_not_taken_for_none_without_a_wait(self, api: FakeApi) -> None:
        put(api, "b")
        api.put("namespaces", "", "c")
        api.fail("GET .*/(a|c)/pods", FORBIDDEN, times=99)
        api.fail("GET /api/v1/pods", FORBIDDEN, times=99)
        outcome = run(api, "a", "b", "c")
        assert told(outcome)["pending_pulls_unknown"] == "the caller may not list pods in namespace a"

    def test_pods_of_one_namespace_hide_those_of_no_other(self, api: FakeApi) -> None:
        put(api, "b")
        for number in range(101):
            put_waiting(api, "a", f"p{number:03}")
        put_waiting(api, "b", "p")
        outcome = run(api, "a", "b", rotation=self.WAITS)
        assert outcome.notes[0].startswith(
            f"102 pulls in 2 namespaces that may use the old login did not end in time: a/p000 ({IMAGE}), b/p ({IMAGE}), a/p001 ({IMAGE}), "
        )
        assert ("b", "p") in [(row["namespace"], row["pod"]) for row in told(outcome)["pending_pulls"]]

    def test_pods_are_not_listed_again_if_no_wait_is_requested(self, api: FakeApi) -> None:
        put_waiting(api, "a", "p")
        outcome = run(api)
        assert (self.pods_listed(api), told(outcome)["pending_pulls_count"]) == (1, 0)
        assert told(outcome)["undecided"] == [f"a {IMAGE}"]


class TestProbes:
    def test_a_rotated_namespace_is_pulled_in_again(self, api: FakeApi) -> None:
        """A run that stopped at its canary has changed that namespace. The next run does not continue without a pull there."""
        put(api, "a", auths={"quay.io": entry(NEW)})
        put(api, "b")
        put_running(api, "a", "app")
        for verify in (True, False):
            planned = run(api, "a", "b", rotation=Rotation(EXCHANGE, verify=verify), check=True)
            assert self.probes(planned) == [("a", IMAGE)]
        put_pod(api, "b")
        prover = Prover(api)
        assert self.probes(run(api, "a", "b", prover=prover, check=True)) == [("a", IMAGE), ("b", IMAGE)]
        assert (prover.images, prover.beyond) == ([{"b": [IMAGE]}], [{"a": [IMAGE]}]), "it decides nothing"
        planted = run(api, "a", "b", confirmed=(ConfirmedEntry("quay", ("b",)),), check=True)
        assert self.probes(planted) == [("b", IMAGE)]
        run(api, "a", "b")
        assert self.probes(run(api, "a", "b", check=True)) == [], "no image is proven"

    def test_rotated_namespaces_are_pulled_in_again_before_a_retirement(self, api: FakeApi) -> None:
        """Nothing is left to change, so the images of all rotated namespaces are proven, but none of them decides."""
        names = [f"n{number}" for number in range(5)]
        for name in names:
            put(api, name, auths={"quay.io": entry(NEW)})
            put_pod(api, name)
        prover = Prover(api)
        outcome = run(api, *names, rotation=Rotation(EXCHANGE, verifies_unchanged=True), prover=prover, check=True)
        assert (prover.images, prover.beyond) == ([{}], [{name: [IMAGE] for name in names}])
        assert self.probes(outcome) == [(name, IMAGE) for name in names]

    def test_a_cluster_without_the_login_asks_no_registry_before_a_retirement(self, api: FakeApi) -> None:
        put(api, "a", auths={"quay.io": entry(UserPassword("other", "x"))})
        prover = Prover(api)
        run(api, rotation=Rotation(EXCHANGE, allows_absent=True, verifies_unchanged=True), prover=prover)
        assert prover.images == []

    def probes(self, outcome: Outcome) -> list[tuple[str, str]]:
        return [(row["namespace"], row["image"]) for row in told(outcome)["probes"]]

    def created(self, api: FakeApi, namespace: str, time: str, **parts: Any) -> None:
        put(api, namespace, metadata={"creationTimestamp": time}, **parts)

    def test_the_namespace_with_the_oldest_secret_comes_first(self, api: FakeApi) -> None:
        for name, time in (("a", "2026-03-01T00:00:00Z"), ("b", "2026-01-01T00:00:00Z"), ("c", "2026-02-01T00:00:00Z")):
            self.created(api, name, time)
            put_pod(api, name)
        assert self.probes(run(api, "a", "b", "c", check=True)) == [("b", IMAGE), ("c", IMAGE), ("a", IMAGE)]

    def test_a_probe_uses_only_a_proven_image(self, api: FakeApi) -> None:
        put(api, "a")
        put(api, "b")
        put_pod(api, "a", image="quay.io/team/typo:v1")
        put_pod(api, "b", image="quay.io/team/app:a-typo")
        put_pod(api, "b", "second", image="quay.io/team/typo:v1")
        put_pod(api, "b", "third", image=IMAGE)
        rows = [
            {"repository": "quay.io/team/app", "image": IMAGE, "outcome": "pulls"},
            {"repository": "quay.io/team/typo", "image": "quay.io/team/typo:v1", "outcome": "not_found"},
        ]
        outcome = run(api, "a", "b", check=True, prover=Prover(api, ProofResult(rows)))
        assert self.probes(outcome) == [("b", IMAGE)]

    def test_a_namespace_without_a_confirmed_secret_chooses_no_image_of_a_probe(self, api: FakeApi) -> None:
        """Every user can name a manifest that a registry has and no node can run, such as that of a signature."""
        put(api, "openshift-config", "pull-secret", auths={"quay.io": entry(OLD)})
        put(api, "prod", auths={"quay.io": entry(NEW)})
        put(api, "web")
        for name, tag in (("evil", "a.sig"), ("prod", "v1"), ("web", "v1")):
            put_pod(api, name, image=f"quay.io/team/{'web' if name == 'web' else 'app'}:{tag}")
        places, named = ("evil", "openshift-config", "prod", "web"), (ConfirmedEntry("quay", ("prod", "web")),)
        for image, probes in (("app:v1", [("prod", "quay.io/team/app:v1")]), ("app:a.sig", [])):
            rows = [{"repository": "quay.io/team/app", "image": f"quay.io/team/{image}", "outcome": "pulls"}]
            prover = Prover(api, ProofResult(rows))
            assert self.probes(run(api, *places, confirmed=named, check=True, prover=prover)) == probes
            assert [*prover.beyond[0]] == ["prod", "evil"], "its own image is tried first"

    def test_a_probe_uses_only_an_image_that_a_pod_has_if_no_proof_is_wanted(self, api: FakeApi) -> None:
        """The image of a failing pod can have a typo, and the image of a pod with other secrets can need another login."""
        for name in ("a", "b"):
            put(api, name)
            put_pod(api, name, image="quay.io/team/a-typo:v1")
            put_running(api, name, "theirs", image="quay.io/other/app", secret="mine")
        put_running(api, "b", "running")
        planned = run(api, "a", "b", rotation=Rotation(EXCHANGE, verify=False), check=True)
        assert self.probes(planned) == [("b", IMAGE)]

    def test_probes_are_planned_only_in_namespaces_with_confirmed_secrets(self, api: FakeApi) -> None:
        put(api, "a")
        put(api, "b", auths={"quay.io": entry(NEW)})
        put(api, "c", metadata={"managedFields": [{"manager": "external-secrets"}]})
        for name in ("a", "b", "c", "d"):
            put_pod(api, name)
        put(api, "d")
        named = tuple(ConfirmedEntry("quay", (name,)) for name in "abc")
        assert self.probes(run(api, *"abcd", confirmed=named)) == [("b", IMAGE), ("a", IMAGE)]


class TestConfirmed:
    def rows(self, outcome: Outcome) -> list[tuple[str, str, bool]]:
        return [(row["namespace"], row["name"], row["declared"]) for row in told(outcome)["secrets"]]

    def test_an_unconfirmed_secret_is_reported_and_not_written(self, api: FakeApi) -> None:
        for name in ("a", "b"):
            put(api, name)
        put(api, "b", "fixed", immutable=True)
        prover = Prover(api)
        outcome = run(api, "a", "b", confirmed=(), prover=prover)
        assert (api.writes, prover.images, copies(outcome)) == ([], [], (3, 0, 0, 0))
        assert self.rows(outcome) == [("a", "quay", False), ("b", "fixed", False), ("b", "quay", False)]
        found = told(outcome)
        assert (found["not_declared_count"], found["not_declared_namespaces"], found["remaining"]) == (3, 2, [])
        assert found["not_declared"][0] == {
            "namespace": "a",
            "name": "quay",
            "uid": (api.get("secrets", "a", "quay") or {})["metadata"]["uid"],
            "reason": "nothing outside the cluster names it for this rotation",
            "fix": '- {namespace: "a", name: "quay"}',
        }
        (note,) = outcome.notes
        why = "(nothing outside the cluster names it for this rotation)"
        assert note == (
            "3 secrets in 2 namespaces that contain or may contain the old login are not confirmed and were not changed: "
            f"a/quay {why}; b/fixed {why}; b/quay {why}"
        )

    def test_the_rows_of_one_run_are_the_entries_of_the_next(self, api: FakeApi) -> None:
        put(api, "a")
        put(api, "b")
        planned = run(api, "a", "b", confirmed=(ConfirmedEntry("quay", ("a",)),), check=True)
        rows = [row for row in told(planned)["secrets"] if row["declared"]]
        assert self.rows(planned) == [("a", "quay", True), ("b", "quay", False)]
        given = tuple(ConfirmedEntry(row["name"], (row["namespace"],), row["uid"]) for row in rows)
        outcome = run(api, "a", "b", confirmed=given)
        assert api.writes == ["PATCH /api/v1/namespaces/a/secrets/quay"]
        # The secret stays confirmed with the new login, so a later look still recognizes it.
        assert self.rows(run(api, "a", "b", confirmed=given)) == self.rows(outcome) == self.rows(planned)

    @pytest.mark.parametrize("nodes", [True, False])
    def test_cluster_pull_secrets_are_not_among_the_rows(self, api: FakeApi, nodes: bool) -> None:
        places = {"openshift-config": "pull-secret", "kube-system": "global-pull-secret", "a": "quay"}
        for namespace, name in places.items():
            put(api, namespace, name)
        outcome = run(api, *places, rotation=Rotation(EXCHANGE, nodes=nodes))
        assert self.rows(outcome) == [("a", "quay", True)]
        assert told(outcome)["not_declared"] == []

    def test_a_recreated_secret_is_not_written(self, api: FakeApi) -> None:
        uid = put(api, "a")["metadata"]["uid"]
        api.remove("secrets", "a", "quay")
        put(api, "a")
        outcome = run(api, confirmed=(ConfirmedEntry("quay", ("a",), uid),))
        assert api.writes == []
        assert "its UID is different" in told(outcome)["not_declared"][0]["reason"]

    def test_a_secret_recreated_just_before_the_write_is_not_written(self, api: FakeApi) -> None:
        uid = put(api, "a")["metadata"]["uid"]

        def before(request: Request) -> None:
            if request.method == "PATCH":
                api.before = None
                api.remove("secrets", "a", "quay")
                put(api, "a")

        api.before = before
        outcome = run(api, confirmed=(ConfirmedEntry("quay", ("a",), uid),))
        assert entries(api, "a") == {"quay.io": entry()}
        assert (outcome.has_failed, outcome.report()["changed"]) == (False, False)
        assert outcome.notes == [
            "secret a/quay was recreated after it was confirmed, so it was not changed: confirm the new one, and run again"
        ]

    def test_a_selector_confirms_a_name_in_the_namespaces_that_it_selects(self, api: FakeApi) -> None:
        for name in ("team-a", "team-b", "other"):
            api.put("namespaces", "", name)
            put(api, name)
        selected = (ConfirmedEntry("quay", NamespaceSelector(include=("team-*",))),)
        run(api, "team-a", "team-b", "other", confirmed=selected)
        assert sorted(api.writes) == [f"PATCH /api/v1/namespaces/team-{name}/secrets/quay" for name in "ab"]
        assert len([path for path in api.asked if path.partition("?")[0] == "GET /api/v1/namespaces"]) == 1

    def test_no_namespaces_are_read_without_a_selector(self, api: FakeApi) -> None:
        put(api, "a")
        run(api)
        assert not [path for path in api.asked if path.partition("?")[0] == "GET /api/v1/namespaces"]

    def test_a_plan_is_for_one_cluster(self, api: FakeApi) -> None:
        put(api, "a")
        said = refused(api, rotation=Rotation(EXCHANGE, server="https://other:6443"))
        assert "option 'plan' is for the cluster https://other:6443, but this one is " in said
        assert api.requests == []
        assert run(api, rotation=Rotation(EXCHANGE, server=f"{api.cluster(Clock()).name}/")).report()["changed"]

    def test_many_secrets_in_one_namespace_hide_none_of_the_others(self, api: FakeApi) -> None:
        for number in range(101):
            put(api, "a", f"s{number:03}")
        put(api, "b")
        found = told(run(api, "a", "b", confirmed=()))
        assert (found["not_declared_count"], found["not_declared_namespaces"]) == (102, 2)
        assert [row["namespace"] for row in found["not_declared"]] == ["a"] * 10 + ["b"]
        assert [row["namespace"] for row in found["secrets"]] == ["a"] * 100 + ["b"]

    def test_the_first_unconfirmed_secrets_of_many_namespaces_are_shown(self, api: FakeApi) -> None:
        names = [f"n{number:03}" for number in range(101)]
        for name in names:
            put(api, name)
        outcome = run(api, *names, confirmed=())
        assert (len(told(outcome)["not_declared"]), len(told(outcome)["secrets"])) == (100, 101)
        assert outcome.notes[0].endswith("; and 96 more, see 'rotation.not_declared'")

    def test_an_invalid_name_has_no_line(self, api: FakeApi) -> None:
        """The API server of this test does not validate names."""
        put(api, "a", 'x", evil: "y')
        (row,) = told(run(api, confirmed=()))["not_declared"]
        assert row["fix"] == ""

    def test_unconfirmed_secrets_are_not_among_the_remaining_ones(self, api: FakeApi) -> None:
        put(api, "a", metadata={"annotations": {"argocd.argoproj.io/tracking-id": "x"}})
        put(api, "b", metadata={"annotations": {"argocd.argoproj.io/tracking-id": "x"}})
        found = told(run(api, "a", "b", confirmed=(ConfirmedEntry("quay", ("a",)),)))
        reason = "Argo CD writes this secret: change the login at its source"
        assert [(row["namespace"], row["reason"]) for row in found["remaining"]] == [("a", reason)]
        assert [(row["namespace"], row["reason"], row["fix"]) for row in found["not_declared"]] == [("b", reason, "")]

    def test_a_plan_finds_out_whether_a_node_can_test_the_login(self, api: FakeApi) -> None:
        put(api, "a")
        put_pod(api, "a")

        def asked(*, check: bool = True, **rotation: Any) -> Any:
            return told(run(api, rotation=Rotation(EXCHANGE, **rotation), check=check))["has_ready_node"]

        assert asked() is False
        api.put(
            "nodes", "", "n1", status={"conditions": [{"type": "Ready", "status": "False"}, {"type": "Ready"}, None]}
        )
        assert asked() is False
        api.put("nodes", "", "n2", status={"conditions": [{"type": "Ready", "status": "True"}]})
        assert asked() is True
        api.fail("GET .*nodes", status_object(403, "Forbidden", 'User "u" cannot list'), times=9)
        assert asked() is None
        before = len(api.asked)
        assert asked(verify=False) is asked(check=False) is asked() is None, "the last run has nothing to change"
        assert not [each for each in api.asked[before:] if "/nodes" in each]

    def test_named_secrets_without_one_of_the_logins_are_reported(self, api: FakeApi) -> None:
        put(api, "a")
        uid = put(api, "b")["metadata"]["uid"]
        name = api.cluster(Clock()).name

        def noted(*rows: ConfirmedEntry, server: str = "") -> list[str]:
            rotation = Rotation(EXCHANGE, server=server)
            notes = run(api, "a", "b", rotation=rotation, confirmed=rows, check=True).notes
            return [note for note in notes if "cannot get the new login" in note]

        rows = (ConfirmedEntry("quay", ("a",), "another"), ConfirmedEntry("renamed", ("b",), uid))
        (of_plan,) = noted(*rows, server=name)
        assert of_plan == (
            "2 confirmed secrets of option 'plan' cannot get the new login (deleted, created again, changed or renamed since): a/quay, b/renamed"
        )
        (misspelled,) = noted(ConfirmedEntry("quay", ("a", "mine")), ConfirmedEntry("team", ("b",)))
        assert misspelled == (
            "2 confirmed secrets cannot get the new login (missing, or without an entry for these registries with one of the "
            "two users): mine/quay, b/team"
        )
        assert noted(ConfirmedEntry("quay", ("b",), uid), server=name) == []
        assert noted(ConfirmedEntry("quay", ("b",)), ConfirmedEntry("other", ("c",), uid)) == [], (
            "a canary has the rows of all namespaces"
        )
        assert noted(ConfirmedEntry("other", NamespaceSelector(include=("a",)))) == [], "one of many can lack it"


class TestAccepted:
    ROTATION = Rotation(WITHOUT_PASSWORD)

    def test_secrets_are_written_only_if_their_login_is_accepted(self, api: FakeApi) -> None:
        for name in ("a", "b", "c"):
            put(api, name)
            put_pod(api, name)
        put(api, "b", "second")
        accepter, prover = Accepter("a/quay", "b/second"), Prover(api)
        named = tuple(ConfirmedEntry(name, ("a", "b")) for name in ("quay", "second"))
        outcome = run(api, *"abc", rotation=self.ROTATION, accepter=accepter, prover=prover, confirmed=named)
        assert accepter.asked == [["a/quay", "b/quay", "b/second"]]
        assert api.writes == ["PATCH /api/v1/namespaces/b/secrets/quay"]
        assert (prover.images, prover.known) == ([{"b": [IMAGE]}], [{"quay.io": OLD}])
        found = told(outcome)
        assert found["not_accepted"] == [
            {"namespace": "a", "secret": "quay", "reason": "refused", "is_refused": True},
            {"namespace": "b", "secret": "second", "reason": "refused", "is_refused": True},
        ]
        assert (found["not_accepted_count"], copies(outcome)) == (2, (4, 0, 1, 0))
        assert [(row["namespace"], row["name"]) for row in found["secrets"] if row["declared"]] == [("b", "quay")]

    def test_a_secret_whose_login_has_no_answer_stays_confirmed_and_is_not_written(self, api: FakeApi) -> None:
        """It can have a login that works, which the end of the rotation must find."""
        for name in ("a", "b"):
            put(api, name)
        outcome = run(api, "a", "b", rotation=self.ROTATION, accepter=Accepter(unknown=["a/quay"]))
        assert api.writes == ["PATCH /api/v1/namespaces/b/secrets/quay"]
        found = told(outcome)
        assert found["not_accepted"] == [
            {"namespace": "a", "secret": "quay", "reason": "no answer", "is_refused": False}
        ]
        assert [note for note in outcome.notes if "a/quay" in note] == [
            "1 confirmed secret keeps its login, because no registry has accepted or refused it: a/quay (no answer)"
        ]
        rows = [row for row in found["secrets"] if row["declared"]]
        assert [(row["namespace"], row["name"]) for row in rows] == [("a", "quay"), ("b", "quay")]
        assert [row["is_accepted"] for row in rows] == [False, True]

    @pytest.mark.parametrize("rotation", [ROTATION, Rotation(EXCHANGE), Rotation(WITHOUT_PASSWORD, replaces_dead=True)])
    def test_a_row_whose_login_was_not_accepted_is_left_and_reported(self, api: FakeApi, rotation: Rotation) -> None:
        """The end of a rotation searches all confirmed secrets, also in an emergency."""
        for name in ("a", "b"):
            put(api, name)
        rows = tuple(
            ConfirmedEntry("quay", (name,), put(api, name)["metadata"]["uid"], is_accepted=name == "b") for name in "ab"
        )
        accepter = Accepter()
        outcome = run(api, "a", "b", rotation=rotation, confirmed=rows, accepter=accepter)
        assert api.writes == ["PATCH /api/v1/namespaces/b/secrets/quay"]
        assert accepter.asked == ([["b/quay"]] if rotation.asks_copies else [])
        found = told(outcome)
        assert [(row["namespace"], row["reason"]) for row in found["remaining"]] == [
            (
                "a",
                "it is not known whether a registry accepts its own login, so it was not changed: run again when the registry answers, or "
                "remove this secret from the entries or from the plan",
            )
        ]
        assert (found["copies"]["to_change"], found["copies"]["kept"]) == (1, 1)
        assert [(row["namespace"], row["is_accepted"]) for row in found["secrets"]] == [("a", False), ("b", True)]

    def test_rows_of_unconfirmed_secrets_are_not_accepted_because_nobody_asked(self, api: FakeApi) -> None:
        put(api, "a")
        for rotation, is_accepted in ((self.ROTATION, False), (Rotation(EXCHANGE), True)):
            (row,) = told(run(api, rotation=rotation, confirmed=()))["secrets"]
            assert (row["declared"], row["is_accepted"]) == (False, is_accepted)

    def test_the_secrets_to_change_are_named(self, api: FakeApi) -> None:
        """A user can put the old login back, and the message of the role must name her secret."""
        for number in range(11):
            put(api, "a", f"s{number:02}")
        put(api, "b")
        found = told(run(api, "a", "b", check=True))
        assert found["copies"]["to_change"] == 12
        rows = [(row["namespace"], row["secret"]) for row in found["to_change"]]
        assert rows == [*(("a", f"s{number:02}") for number in range(10)), ("b", "quay")]

    @pytest.mark.parametrize("rotation", [Rotation(EXCHANGE), Rotation(WITHOUT_PASSWORD, replaces_dead=True)])
    def test_the_logins_of_secrets_are_not_checked_when_not_needed(self, api: FakeApi, rotation: Rotation) -> None:
        put(api, "a")
        accepter = Accepter("a/quay")
        assert run(api, rotation=rotation, accepter=accepter).report()["changed"]
        assert accepter.asked == []


@pytest.mark.parametrize(
    ("rows", "parts", "exchange"),
    [
        ("remaining", {"metadata": {"managedFields": [{"manager": "external-secrets"}]}}, EXCHANGE),
        ("other_passwords", {"auths": {"quay.io": entry(UserPassword(OLD.username, "x"))}}, EXCHANGE),
        ("other_users", {"auths": {"quay.io": entry(UserPassword("oldrob0t", "x"))}}, EXCHANGE),
        ("not_accepted", {}, WITHOUT_PASSWORD),
    ],
    ids=["remaining", "other passwords", "other users", "not accepted"],
)
def test_the_first_hundred_rows_are_shown_and_all_are_counted(
    api: FakeApi, rows: str, parts: dict[str, Any], exchange: LoginReplacement
) -> None:
    names = [f"s{number:03}" for number in range(101)]
    for name in names:
        put(api, "a", name, **parts)
    rotation, accepter = Rotation(exchange, allows_absent=True), Accepter(*(f"a/{name}" for name in names))
    outcome = run(api, rotation=rotation, accepter=accepter)
    found = told(outcome)
    assert ([row["secret"] for row in found[rows]], found[f"{rows}_count"]) == (names[:100], 101)
    if rows == "other_users":
        assert "; and 96 more, listed under 'rotation.other_users'" in outcome.notes[0]


class TestConflict:
    @pytest.mark.parametrize("is_known", [False, True])
    def test_a_login_that_replaces_an_accepted_one_before_the_write_is_kept(self, api: FakeApi, is_known: bool) -> None:
        """Its UID stays. With the old password, only that login is replaced anyway."""
        uid = put(api, "a")["metadata"]["uid"]
        guess = {"quay.io": entry(UserPassword(OLD.username, "Canary-a-guess"))}
        self.meanwhile(api, lambda: put(api, "a", auths=guess))
        rotation = Rotation(EXCHANGE if is_known else WITHOUT_PASSWORD)
        outcome = run(api, rotation=rotation, confirmed=(ConfirmedEntry("quay", ("a",), uid),))
        assert (entries(api, "a"), outcome.report()["changed"]) == (guess, False)
        said = "secret a/quay was changed after its login was verified, and has another one now, so it was not changed: run again"
        assert [note for note in outcome.notes if "run again" in note] == ([] if is_known else [said])

    def meanwhile(self, api: FakeApi, change: Any) -> None:
        """Let another client write just before the first write arrives."""
        pending = [change]

        def before(request: Request) -> None:
            if request.method == "PATCH" and pending:
                pending.pop()()

        api.before = before

    def test_another_entry_that_was_added_is_kept(self, api: FakeApi) -> None:
        put(api, "a")
        self.meanwhile(api, lambda: put(api, "a", auths={"quay.io": entry(email="x"), "b.io": {"auth": "dTpw"}}))
        outcome = run(api)
        assert entries(api, "a") == {"quay.io": entry(NEW, email="x"), "b.io": {"auth": "dTpw"}}
        assert (outcome.retries, copies(outcome)) == (1, (1, 0, 1, 0))

    def test_a_secret_that_another_client_rotated_is_not_changed_again(self, api: FakeApi) -> None:
        put(api, "a")
        self.meanwhile(api, lambda: put(api, "a", auths={"quay.io": entry(NEW)}))
        outcome = run(api)
        assert (len(api.writes), outcome.report()["changed"], copies(outcome)[3]) == (1, False, 0)

    def test_a_secret_that_is_deleted_before_the_write_is_not_a_failure(self, api: FakeApi) -> None:
        put(api, "a")
        self.meanwhile(api, lambda: api.remove("secrets", "a", "quay"))
        outcome = run(api)
        assert (outcome.has_failed, outcome.report()["changed"]) == (False, False)
        assert api.get("secrets", "a", "quay") is None

    def test_a_secret_that_a_controller_takes_over_is_not_changed(self, api: FakeApi) -> None:
        put(api, "a")
        marks = {"labels": {"reconcile.external-secrets.io/managed": "true"}}
        self.meanwhile(api, lambda: put(api, "a", metadata=marks))
        run(api)
        assert entries(api, "a") == {"quay.io": entry()}

    def test_a_secret_that_became_immutable_fails_until_the_next_run(self, api: FakeApi) -> None:
        """This run has not read the secret's accounts. The next run reads them."""
        put(api, "a")
        self.meanwhile(api, lambda: put(api, "a", immutable=True))
        outcome = run(api)
        assert "the service accounts of namespace a were not read" in outcome.message("rotation")
        assert copies(outcome) == (1, 0, 1, 1)
        assert not run(api).has_failed

    def test_a_lost_answer_is_settled(self, api: FakeApi) -> None:
        put(api, "a")
        api.fail("PATCH", LOST, carried_out=True)
        outcome = run(api)
        assert entries(api, "a") == {"quay.io": entry(NEW)}
        assert outcome.report()["changed"] is True
        assert outcome.has_failed is False

    def test_an_account_that_another_client_changes_keeps_that_change(self, api: FakeApi) -> None:
        put(api, "a", "fixed", immutable=True)
        put(api, "a", "fixed2", immutable=True)
        links = [{"name": "fixed"}, {"name": "fixed2"}]
        api.put("serviceaccounts", "a", "builder", imagePullSecrets=links)
        api.put("serviceaccounts", "a", "default", imagePullSecrets=links)
        pending = [1]

        def before(request: Request) -> None:
            if request.method == "PATCH" and "serviceaccounts/default" in request.path and pending:
                pending.pop()
                api.put("serviceaccounts", "a", "default", imagePullSecrets=[{"name": "theirs"}, *links])

        api.before = before
        outcome = run(api)
        assert not outcome.has_failed, outcome.message("rotation")
        both = ["fixed", "fixed-rotated", "fixed2", "fixed2-rotated"]
        for name, wanted in (("default", ["theirs", *both]), ("builder", both)):
            account = api.get("serviceaccounts", "a", name) or {}
            assert [each["name"] for each in account["imagePullSecrets"]] == wanted
        assert not run(api).report()["changed"]

    def test_a_second_name_that_appears_during_the_run_is_an_error(self, api: FakeApi) -> None:
        put(api, "a", "fixed", immutable=True)

        def before(request: Request) -> None:
            if request.method == "POST":
                put(api, "a", "fixed-rotated", auths={})

        api.before = before
        outcome = run(api)
        assert "fixed-rotated, the name of its replacement, already exists" in outcome.message("rotation")
        assert entries(api, "a", "fixed-rotated") == {}

    def test_a_secret_that_always_conflicts_fails_alone(self, api: FakeApi) -> None:
        put(api, "a")
        put(api, "a", "other")
        api.before = lambda request: put(api, "a") and None if request.method == "PATCH" else None
        outcome = run(api)
        assert outcome.has_failed
        assert entries(api, "a", "other") == {"quay.io": entry(NEW)}
        assert copies(outcome) == (2, 0, 2, 1)


class TestFailures:
    def test_a_failed_secret_of_several_in_a_namespace_is_counted_alone(self, api: FakeApi) -> None:
        for name in ("one", "two", "three"):
            put(api, "a", name)
        put(api, "b")
        api.fail("PATCH .*/two", FORBIDDEN)
        outcome = run(api, "a", "b")
        assert copies(outcome) == (4, 0, 4, 1)
        (failure,) = outcome.report()["failures"]
        assert (failure["namespace"], failure["title"]) == ("a", "secret two")
        again = run(api, "a", "b")
        assert (again.has_failed, copies(again)) == (False, (1, 3, 1, 0))

    def test_the_only_secret_of_a_namespace_fails_alone(self, api: FakeApi) -> None:
        put(api, "a")
        put(api, "b")
        api.fail("PATCH .*/a/secrets", FORBIDDEN)
        outcome = run(api, "a", "b")
        assert (copies(outcome), entries(api, "b")) == ((2, 0, 2, 1), {"quay.io": entry(NEW)})

    def test_a_cluster_that_fails_leaves_the_rest_unattempted(self, api: FakeApi) -> None:
        for name in ("one", "two", "three"):
            put(api, "a", name)
        put(api, "b")
        api.fail("PATCH", status_object(401, "Unauthorized", "no"), times=99, after=1)
        outcome = run(api, "a", "b", concurrency=1)
        assert outcome.stopped
        assert copies(outcome) == (4, 0, 4, 3)
        api.faults.clear()
        assert copies(run(api, "a", "b")) == (3, 1, 3, 0)

    def test_a_refused_plan_is_counted_in_check_mode_too(self, api: FakeApi) -> None:
        put(api, "a", "fixed", immutable=True)
        put(api, "a", "fixed-rotated", auths={})
        put(api, "a")
        assert copies(run(api, check=True)) == (2, 0, 2, 1)

    def test_an_immutable_secret_fails_without_the_right_to_list_accounts(self, api: FakeApi) -> None:
        put(api, "a", "fixed", immutable=True)
        put(api, "b")
        api.fail("GET .*/serviceaccounts", FORBIDDEN)
        outcome = run(api, "a", "b")
        assert api.writes == ["PATCH /api/v1/namespaces/b/secrets/quay"]
        assert "the service accounts of namespace a were not read" in outcome.message("rotation")

    @pytest.mark.parametrize("steps", range(1, 5))
    def test_a_run_that_ends_anywhere_is_finished_by_the_next(self, api: FakeApi, steps: int) -> None:
        """The run makes four writes: the second secret, the link, the annotation of the first secret, and another secret."""
        put(api, "a", "fixed", immutable=True)
        put(api, "b")
        api.put("serviceaccounts", "a", "default", imagePullSecrets=[{"name": "fixed"}])
        api.fail("(PATCH|POST)", status_object(401, "Unauthorized", "no"), times=99, after=steps)
        run(api, "a", "b", concurrency=1)
        api.faults.clear()
        run(api, "a", "b")
        assert entries(api, "b") == {"quay.io": entry(NEW)}
        assert entries(api, "a", "fixed-rotated") == {"quay.io": entry(NEW)}
        assert entries(api, "a", "fixed") == {"quay.io": entry()}
        account = api.get("serviceaccounts", "a", "default") or {}
        assert account["imagePullSecrets"] == [{"name": "fixed"}, {"name": "fixed-rotated"}]
        notes = (api.get("secrets", "a", "fixed") or {})["metadata"]["annotations"]
        assert notes == {"openshift.io/image.excludeSecret": "true"}
        assert not run(api, "a", "b").report()["changed"]


@given(CHANGES)
def test_arbitrary_secret_content_causes_no_internal_error(change: Changed) -> None:
    api = FakeApi()
    put(api, "a")
    put(api, "a", "other")

    def answer(_request: Any) -> Answer:
        items = [copy.deepcopy(api.get("secrets", "a", name)) for name in ("quay", "other")]
        return Answer(200, {"items": [change(items[0]), items[1]]})

    api.fail("GET .*/secrets", answer)
    try:
        outcome = run(api)
    except Refusal as error:
        assert str(error).startswith("nothing was written, because not all secrets could be searched: ")
        assert api.writes == []
        return
    assert "internal error" not in str(outcome.report()["failures"])
    assert entries(api, "a", "other") == {"quay.io": entry(NEW)}


class TestModule:
    """The module receives its options as a playbook gives them, before any masking."""

    def options(self, **more: Any) -> dict[str, Any]:
        old = {"username": OLD.username, "password": OLD.password}
        new = {"username": NEW.username, "password": NEW.password}
        entry = {"name": "quay", "namespaces": ["a", "openshift-x", "kube-public"]}
        return {"registries": ["quay.io"], "old": old, "new": new, "secrets": [entry], "verify": False, **more}

    def test_a_login_that_has_expired_is_refused_before_anything_is_read(self, api: FakeApi) -> None:
        new = {"username": NEW.username, "password": NEW.password, "expires": "2001-01-01T00:00:00Z"}
        with in_memory(api) as cluster:
            result = cluster.run("credential_rotation", **self.options(new=new))
        assert (result["failed"], api.requests) == (True, [])
        assert "has expired" in result["msg"]

    def test_an_unknown_expiry_is_a_warning(self, api: FakeApi) -> None:
        with in_memory(api) as cluster:
            result = cluster.run("credential_rotation", namespaces=["a"], **self.options(next_rotation_seconds=60))
        assert [warning for warning in result["warnings"] if "the expiry time of the new login is unknown" in warning]
