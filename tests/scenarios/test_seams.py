# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of tasks or steps: the result of one is surprising to the next, or the cluster changes between them.

Each case is a host with an API server in memory. All hosts of a playbook are one run.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.between_tasks import play_with_changes
from support.fake_api import FakeApi
from support.objects import b64
from support.playbooks import Play
from support.scripted_pool import Answer, Request, status_object

pytestmark = pytest.mark.newest_core

ALWAYS = 10**9
DENIED = status_object(403, "Forbidden", "no right")
LOGIN = {"username": "robot", "password": "Canary-of-the-seams"}
NEW, OTHER = "new.example.com", "other.example.com"

Change = Callable[[FakeApi], None]


class Step(str):
    """A module of the collection. A step begins with its first request."""

    __slots__ = ()

    def change_before(self, api: FakeApi, change: Change) -> None:
        """Change the cluster before the first request of this step."""
        earlier = api.before

        def before(request: Request) -> None:
            if earlier is not None:
                earlier(request)
            if f"image_pull.{self})" in request.headers.get("User-Agent", "") and not done:
                done.append(True)
                change(api)

        done: list[bool] = []
        api.before = before


@dataclass
class Case:
    """The state of a cluster, and its changes before steps, or before tasks by the end of their names."""

    prepare: Change = lambda api: None
    changes: dict[str, Change] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)

    def begin(self, api: FakeApi) -> None:
        self.prepare(api)
        for step, change in self.changes.items():
            if isinstance(step, Step):
                step.change_before(api, change)


def auth_text(*registries: str) -> str:
    auth = b64(b"robot:Canary-of-the-seams")
    return json.dumps({"auths": {name: {"auth": auth} for name in registries}})


def put_secret(api: FakeApi, namespace: str, name: str, text: str, **metadata: Any) -> None:
    data = {".dockerconfigjson": b64(text)}
    api.put("secrets", namespace, name, type="kubernetes.io/dockerconfigjson", data=data, metadata=metadata)


def registries_of(api: FakeApi, namespace: str, name: str) -> list[str] | str | None:
    """Return the registries of a secret, its text if they cannot be read, or None if it does not exist."""
    if (found := api.get("secrets", namespace, name)) is None:
        return None
    text = base64.b64decode(found["data"][".dockerconfigjson"]).decode()
    return sorted(json.loads(text)["auths"]) if text.startswith("{") else text


@dataclass
class Run:
    """The clusters after a run."""

    apis: dict[str, FakeApi]
    done: Play

    def has_failed(self, name: str) -> bool:
        (line,) = (line for line in self.done.output.splitlines() if line.startswith(f"{name} ") and "failed=" in line)
        return "failed=0" not in line


@pytest.fixture(scope="module")
def run_cases(tmp_path_factory: pytest.TempPathFactory, certificate: str) -> Iterator[Callable[..., Run]]:
    """Run a playbook once for all cases, each with its cluster."""
    with ExitStack() as servers:

        def run(
            playbook: str, cases: dict[str, Case], apis: dict[str, FakeApi], *options: str, **variables: Any
        ) -> Run:
            access = {"image_pull_api_key": "token", "image_pull_ca_cert": certificate}
            hosts = {
                name: {
                    "image_pull_host": servers.enter_context(api.served()),
                    **access,
                    **variables,
                    **cases[name].variables,
                }
                for name, api in apis.items()
            }
            for name, case in cases.items():
                case.begin(apis[name])

            def before(task: str) -> None:
                for name, case in cases.items():
                    for title, change in case.changes.items():
                        if task.endswith(title):
                            change(apis[name])

            directory = tmp_path_factory.mktemp(playbook)
            done = play_with_changes(playbook, hosts, directory, before, *options)
            assert "Canary" not in done.output
            return Run(apis, done)

        yield run


# --- global_pull_secret: locate, plan, change

NODES = ("openshift-config", "pull-secret")
PLATFORM = ("cloud.openshift.com", "quay.io")
PLAN, CHANGE = "Plan the change, and verify the logins", "Change the pull secret of the nodes"


def openshift() -> FakeApi:
    api = FakeApi()
    groups = [{"name": name} for name in ("apps", "config.openshift.io", "machineconfiguration.openshift.io")]
    api.fail("GET /apis$", Answer(200, {"groups": groups}), times=ALWAYS)
    api.put("infrastructures", "", "cluster", status={"controlPlaneTopology": "HighlyAvailable"})
    version = {"spec": {"clusterID": "id"}, "status": {"desired": {"version": "4.20.1"}}}
    api.put("clusterversions", "", "version", **version)
    api.put("namespaces", "", NODES[0])
    put_secret(api, *NODES, auth_text(*PLATFORM))
    return api


def written(*registries: str) -> Change:
    return lambda api: put_secret(api, *NODES, auth_text(*registries))


def removed(api: FakeApi) -> None:
    api.remove("secrets", *NODES)


def damaged(api: FakeApi) -> None:
    put_secret(api, *NODES, "not JSON")


#: Each case, whether the role fails, and the content that the secret has at the end.
NODE_CASES: dict[str, tuple[Case, bool, Any]] = {
    "undisturbed": (Case(), False, [*PLATFORM[:1], NEW, "quay.io"]),
    "deleted before the plan": (Case(changes={PLAN: removed}), True, None),
    "deleted after the plan": (Case(changes={CHANGE: removed}), True, None),
    "changed after the plan": (Case(changes={CHANGE: written(*PLATFORM, OTHER)}), False, sorted([*PLATFORM, NEW, OTHER])),
    "damaged before the plan": (Case(changes={PLAN: damaged}), True, "not JSON"),
    "damaged after the plan": (Case(changes={CHANGE: damaged}), True, "not JSON"),
    # The plan refuses a paused pool and keeps a copy only for a change, so nothing is written without one.
    "changed after a plan without changes": (
        Case(written(*PLATFORM, NEW), {CHANGE: written(*PLATFORM)}), False, [*PLATFORM],
    ),
    "unreadable after the plan": (
        Case(changes={CHANGE: lambda api: api.fail("GET .*/secrets", DENIED, times=ALWAYS)}), True, [*PLATFORM],
    ),
    "refused": (Case(lambda api: api.fail("PATCH", DENIED, times=ALWAYS)), True, [*PLATFORM]),
}  # fmt: skip


@pytest.fixture(scope="module")
def nodes(run_cases: Callable[..., Run]) -> Run:
    cases = {name.replace(" ", "_"): case for name, (case, *_expected) in NODE_CASES.items()}
    how = {"registries": [{"registry": NEW, **LOGIN}], "wait": False, "verify": False}
    variables = {f"global_pull_secret_{name}": value for name, value in how.items()}
    return run_cases("global_pull_secret", cases, {name: openshift() for name in cases}, **variables)


@pytest.mark.parametrize("name", NODE_CASES)
def test_the_nodes_secret_keeps_its_entries(nodes: Run, name: str) -> None:
    _case, fails, content = NODE_CASES[name]
    host = name.replace(" ", "_")
    found = registries_of(nodes.apis[host], *NODES)
    assert (nodes.has_failed(host), found) == (fails, content), nodes.done.output


# --- site: secrets, links, registries, grants, prune

INSTANCE = "app.kubernetes.io/instance"
OWNER = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", INSTANCE: "team"}
SECRETS, LINKS, PRUNE, WAIT = (Step(name) for name in ("pull_secret", "sa_link", "pull_access_prune", "sa_wait"))


def two_projects() -> FakeApi:
    """Two namespaces, each with an old secret of the owner and a link to it."""
    api = FakeApi(namespaces_checked=True)
    for path, answer in (("/apis", {"groups": [{"name": "apps"}]}), ("/version", {"gitVersion": "v1.33.3"})):
        api.fail(f"GET {path}$", Answer(200, answer), times=ALWAYS)
    api.put("clusterroles", "", "system:image-puller")
    for name in "ab":
        api.put("namespaces", "", name)
        put_secret(api, name, "old", auth_text(OTHER), labels=OWNER)
        api.put("serviceaccounts", name, "default", imagePullSecrets=[{"name": "old"}])
    return api


def state(api: FakeApi, namespace: str) -> str:
    """Return the names of the secrets, and after an arrow the names that the account links."""
    secrets = sorted(name for kind, place, name in api.objects if (kind, place) == ("secrets", namespace))
    account = api.get("serviceaccounts", namespace, "default") or {}
    linked = sorted(each["name"] for each in account.get("imagePullSecrets", ()))
    return f"{' '.join(secrets)} > {' '.join(linked)}"


def denied(pattern: str) -> Change:
    return lambda api: api.fail(pattern, DENIED, times=ALWAYS)


def without_b(api: FakeApi) -> None:
    for key in [key for key in api.objects if key[1] == "b" or key == ("namespaces", "", "b")]:
        del api.objects[key]


UNANSWERED = {"registry": "127.0.0.9:1", "namespaces": ["a"], "registry_secret_name": "old", **LOGIN}
DONE, UNTOUCHED = "pull > pull", "old > old"
#: Each case, the states of both namespaces at the end, and whether the grant exists. All of them fail, except those in `GOOD`.
SITE_CASES: dict[str, tuple[Case, str, str, bool]] = {
    "undisturbed": (Case(), DONE, DONE, True),
    "a secret is refused": (Case(denied("POST .*/b/secrets")), DONE, UNTOUCHED, True),
    "a link is refused": (Case(denied("PATCH .*/b/serviceaccounts")), DONE, "old pull > old", True),
    "a grant is refused": (Case(denied("POST .*/rolebindings")), "old pull > old pull", DONE, False),
    "a secret is deleted before it is linked": (
        Case(changes={LINKS: lambda api: api.remove("secrets", "b", "pull")}), DONE, UNTOUCHED, True,
    ),
    "a secret is damaged before it is linked": (
        Case(changes={LINKS: lambda api: put_secret(api, "b", "pull", "{}")}), DONE, "old pull > old", True,
    ),
    "a namespace is deleted before its links": (Case(changes={LINKS: without_b}), DONE, " > ", True),
    "the login is refused before the links": (
        Case(changes={LINKS: lambda api: api.fail(".", status_object(401, "Unauthorized", "no"), times=ALWAYS)}),
        "old pull > old", "old pull > old", False,
    ),
    "an account is deleted before the wait": (
        Case(changes={WAIT: lambda api: api.remove("serviceaccounts", "b", "default")}), DONE, "old pull > ", True,
    ),
    "secrets cannot be listed by the prune": (
        Case(changes={PRUNE: denied("GET .*/secrets")}), "old pull > old pull", "old pull > old pull", True,
    ),
    "a registry does not answer": (Case(variables={"delegated_auth_registries": [UNANSWERED]}), "old pull > old pull", DONE, True),
}  # fmt: skip
#: A caller without the right to list secrets prunes nothing, and a warning names the namespaces.
GOOD = ("undisturbed", "secrets cannot be listed by the prune")
DECLARED: dict[str, Any] = {
    "private_registry_secrets": [{"name": "pull", "namespaces": ["a", "b"], "registries": [{"registry": NEW, **LOGIN}], "wait_timeout": 1}],
    "cross_project_pull_grants": [{"namespaces": ["a"], "service_accounts": [{"namespace": "b"}]}],
    "cross_project_pull_wait_timeout": 1,
    "image_pull_owner": "team",
    "image_pull_prune": True,
    "image_pull_max_prune": "100%",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(run_cases: Callable[..., Run]) -> Run:
    cases = {name.replace(" ", "_"): case for name, (case, *_expected) in SITE_CASES.items()}
    return run_cases("site", cases, {name: two_projects() for name in cases}, **DECLARED)


@pytest.mark.parametrize("name", SITE_CASES)
def test_a_namespace_is_done_or_keeps_its_old_access(site: Run, name: str) -> None:
    _case, *expected = SITE_CASES[name]
    host = name.replace(" ", "_")
    api = site.apis[host]
    has_grant = any(kind == "rolebindings" for kind, *_place in api.objects)
    assert [state(api, "a"), state(api, "b"), has_grant] == expected, site.done.output
    assert site.has_failed(host) is (name not in GOOD), site.done.output


def test_the_next_run_completes_each_of_them(site: Run, run_cases: Callable[..., Run]) -> None:
    first = two_projects()
    for api in site.apis.values():
        api.faults = first.faults
        api.put("namespaces", "", "b")
        if api.get("serviceaccounts", "b", "default") is None:
            api.put("serviceaccounts", "b", "default")
    again = run_cases("site", {name: Case() for name in site.apis}, site.apis, **DECLARED)
    assert {name: (state(api, "a"), state(api, "b")) for name, api in again.apis.items()} == dict.fromkeys(
        site.apis, (DONE, DONE)
    )
    assert again.done.status == 0, again.done.output


def test_a_namespace_that_appears_between_two_steps_waits_for_the_next_run(run_cases: Callable[..., Run]) -> None:
    def appear(api: FakeApi) -> None:
        api.put("namespaces", "", "c", status={"phase": "Active"})
        api.put("serviceaccounts", "c", "default")

    entry = {"name": "pull", "namespace_selector": {"include": ["*"]}, "registries": [{"registry": NEW, **LOGIN}]}
    apis = {"east": two_projects()}
    found = []
    for changes in ({LINKS: appear}, {}):
        done = run_cases("site", {"east": Case(changes=changes)}, apis, private_registry_secrets=[entry]).done
        assert done.status == 0, done.output
        found.append(state(apis["east"], "c"))
    assert found == [" > ", "pull > pull"]
    assert state(apis["east"], "a") == "old pull > old pull"


def test_check_mode_plans_links_to_secrets_that_do_not_exist_yet(run_cases: Callable[..., Run]) -> None:
    found = run_cases("site", {"east": Case()}, {"east": two_projects()}, "--check", **DECLARED)
    assert found.done.status == 0, found.done.output
    assert found.apis["east"].writes == []
    assert "2 links" in found.done.output, found.done.output


# --- teardown: grants, links, secrets, the owner's remaining objects

#: Each case, and the states of both namespaces at the end. All of them fail, except those in `KEPT`. Nothing declares the secret `old`.
TEARDOWN_CASES: dict[str, tuple[Case, str, str]] = {
    "undisturbed": (Case(), " > ", " > "),
    "a secret cannot be deleted": (Case(denied("DELETE .*/b/secrets/pull")), " > ", "pull > "),
    "a link cannot be removed": (Case(denied("PATCH .*/b/serviceaccounts")), " > ", "old > old pull"),
    "a grant cannot be revoked": (Case(denied("(PATCH|PUT|DELETE) .*/rolebindings")), " > ", " > "),
    "a namespace is deleted before its secrets": (Case(changes={SECRETS: without_b}), " > ", " > "),
    "another owner takes the secret": (
        Case(changes={SECRETS: lambda api: put_secret(api, "b", "pull", "{}", labels={**OWNER, INSTANCE: "x"})}), " > ", "pull > pull",
    ),
    "the login is refused before the secrets": (
        Case(changes={SECRETS: lambda api: api.fail(".", status_object(401, "Unauthorized", "no"), times=ALWAYS)}),
        "old pull > old pull", "old pull > old pull",
    ),
}  # fmt: skip
KEPT = ("undisturbed", "a namespace is deleted before its secrets", "another owner takes the secret")


@pytest.fixture(scope="module")
def teardown(run_cases: Callable[..., Run]) -> Run:
    cases = {name.replace(" ", "_"): case for name, (case, *_expected) in TEARDOWN_CASES.items()}
    apis = {name: two_projects() for name in cases}
    before = run_cases("site", dict.fromkeys(cases, Case()), apis, **{**DECLARED, "image_pull_prune": False})
    assert before.done.status == 0, before.done.output
    return run_cases("teardown", cases, apis, **DECLARED)


@pytest.mark.parametrize("name", TEARDOWN_CASES)
def test_a_removal_that_fails_hinders_no_other(teardown: Run, name: str) -> None:
    _case, *expected = TEARDOWN_CASES[name]
    host = name.replace(" ", "_")
    assert [state(teardown.apis[host], "a"), state(teardown.apis[host], "b")] == expected, teardown.done.output
    assert teardown.has_failed(host) is (name not in KEPT), teardown.done.output
