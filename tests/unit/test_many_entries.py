# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One task with a list of entries has the same effect as one task for each entry, with one write for each object."""

from __future__ import annotations

import copy
import importlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import MANAGED_BY, Change
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import (
    batch_of,
    read_declarations,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine import namespaces
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.reconciliation import reconcile
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import NamespaceResult, Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.fake_api import FakeApi
from support.objects import b64
from support.scripted_pool import Clock

COLLECTION = "ansible_collections.openshift_ops.image_pull.plugins"
NAMESPACES = {"a": "red", "b": "red", "c": "blue"}
RBAC = "rbac.authorization.k8s.io"
#: Number of entries with different names that makes a module list objects instead of reading each one.
FILLERS = 33

Entry = dict[str, Any]
#: resource, namespace, name and content
Stored = list[tuple[str, str, str, dict[str, Any]]]


# --- namespaces of the entries

TARGETS = st.one_of(
    st.lists(st.sampled_from([*NAMESPACES]), min_size=1, max_size=3, unique=True).map(lambda it: {"namespaces": it}),
    st.sampled_from(
        [{"labels": "team=red"}, {"labels": "team=blue"}, {"include": ["*"]}, {"include": ["b", "c"], "exclude": ["c"]}]
    ).map(lambda it: {"namespace_selector": it}),
)


def entry(targets_: Entry, **options: Any) -> Entry:
    return {**targets_, **{name: value for name, value in options.items() if value is not None}}


def flag(*more: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([None, None, True, *more])


# --- secrets

DOCKERCONFIGJSON, DOCKERCFG = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"
KEYS = {DOCKERCONFIGJSON: ".dockerconfigjson", DOCKERCFG: ".dockercfg", "Opaque": "key"}
SECRETS = st.sampled_from(["one", "two", "three"])
HOSTS = st.sampled_from(["quay.io", "example.com", "example.com/team"])


def registries(hosts: Sequence[str], password: str | None = "password") -> list[Entry]:
    login = {"username": "robot", "password": password} if password else {}
    return [{"registry": host, **login} for host in hosts]


def content(hosts: Sequence[str], password: str, *, legacy: bool = False) -> str:
    auths = {host: {"auth": b64(f"robot:{password}")} for host in hosts}
    return json.dumps(auths if legacy else {"auths": auths})


_HOSTS = st.lists(HOSTS, min_size=1, max_size=2, unique=True)
PULL_SECRETS = st.one_of(
    st.builds(
        lambda where, name, hosts, password, mode, **more: entry(
            where, name=name, registries=registries(hosts, password), mode=mode, **more
        ),
        TARGETS,
        SECRETS,
        _HOSTS,
        st.sampled_from(["password", "another"]),
        st.sampled_from([None, "replace", "merge"]),
        recreate=flag(),
        type=st.sampled_from([None, None, DOCKERCFG]),
        labels=st.sampled_from([None, None, {"team": "red"}]),
        immutable=st.sampled_from([None, None, None, True]),
    ),
    st.builds(
        lambda where, name, hosts: entry(where, name=name, registries=registries(hosts), update_existing=False),
        TARGETS,
        SECRETS,
        _HOSTS,
    ),
    st.builds(
        lambda where, name, hosts, **more: entry(
            where, name=name, registries=registries(hosts, None), mode="remove", **more
        ),
        TARGETS,
        SECRETS,
        _HOSTS,
        delete_empty=flag(),
    ),
    st.builds(
        lambda where, name, **more: entry(where, name=name, state="absent", **more),
        TARGETS,
        SECRETS,
        only_managed=flag(),
    ),
)


def _secret(
    kind: str,
    hosts: Sequence[str],
    password: str = "password",
    *,
    ours: bool = True,
    immutable: bool = False,
    broken: bool = False,
) -> Entry:
    text = "{no JSON" if broken else content(hosts, password, legacy=kind == DOCKERCFG)
    labels = {"metadata": {"labels": MANAGED_BY}} if ours else {}
    return {**labels, "type": kind, "data": {KEYS[kind]: b64(text)}, **({"immutable": True} if immutable else {})}


_RARELY = st.sampled_from([False, False, False, True])
SECRET = st.builds(
    _secret,
    st.sampled_from([DOCKERCONFIGJSON, DOCKERCONFIGJSON, DOCKERCFG, "Opaque"]),
    _HOSTS,
    st.sampled_from(["password", "another"]),
    ours=st.booleans(),
    immutable=_RARELY,
    broken=_RARELY,
)

# --- links

LINKED = st.sampled_from(["one", "two", "three"])
ACCOUNTS = st.sampled_from(["default", "builder", "robot", "d*", "*"])
_LINKS = {
    "secrets": st.lists(LINKED, min_size=1, max_size=2, unique=True),
    "service_accounts": st.lists(ACCOUNTS, min_size=1, max_size=2, unique=True),
    "link_for": st.sampled_from([None, None, ["mount"], ["pull", "mount"]]),
}
LINKS = st.one_of(
    st.builds(
        entry,
        TARGETS,
        exclusive=st.sampled_from([None, None, None, True]),
        create=flag(),
        require=st.sampled_from(["none", "none", "existing", "usable"]),
        **_LINKS,
    ),
    st.builds(
        entry,
        TARGETS,
        restart_pods=st.sampled_from(["report", "stuck"]),
        require=st.just("none"),
        secrets=_LINKS["secrets"],
    ),
    st.builds(entry, TARGETS, state=st.just("absent"), only_managed=flag(), **_LINKS),
)
PLATFORM = "default-dockercfg-x2x4x"
_LISTS = st.lists(st.sampled_from(["one", "two", "theirs", PLATFORM]), max_size=4).map(
    lambda names: [{"name": name} for name in names]
)
ACCOUNT = st.fixed_dictionaries({}, optional={"imagePullSecrets": _LISTS, "secrets": _LISTS})


def _pod(account: str, listed: Sequence[str], stuck: bool) -> Entry:
    owner = {"kind": "ReplicaSet", "name": "app", "controller": True}
    state = {"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]} if stuck else {}
    spec = {"serviceAccountName": account, "imagePullSecrets": [{"name": name} for name in listed]}
    return {"metadata": {"ownerReferences": [owner]}, "spec": spec, "status": {"phase": "Pending", **state}}


PODS = st.builds(
    _pod,
    st.sampled_from(["default", "builder"]),
    st.lists(st.sampled_from(["one", PLATFORM]), max_size=2, unique=True),
    st.booleans(),
)

# --- grants

BINDINGS = st.sampled_from([None, "team", "more"])
ROLES = st.sampled_from([None, None, None, "view"])
_SUBJECTS = {
    "users": st.sampled_from([None, ["jane"], ["jane", "bob"]]),
    "groups": st.sampled_from([None, None, ["devs"]]),
    "projects": st.sampled_from([None, None, ["a"], ["missing"]]),
    "service_accounts": st.sampled_from([None, None, [{"namespace": "a", "name": "default"}]]),
    "binding_name": BINDINGS,
    "role": ROLES,
}
GRANTS = st.one_of(
    st.builds(
        entry,
        TARGETS,
        exclusive=st.sampled_from([None, None, None, True]),
        prune=st.sampled_from([None, None, True]),
        **_SUBJECTS,
    ),
    st.builds(
        entry,
        TARGETS,
        state=st.just("absent"),
        revoke_from=st.sampled_from([None, "every_binding"]),
        prune=flag(),
        **_SUBJECTS,
    ),
).filter(lambda it: any(it.get(who) for who in ("users", "groups", "projects", "service_accounts")))


def _binding(role: str, who: Sequence[str], ours: bool, update: str | None) -> Entry:
    subjects = [
        {"kind": "Group", "name": f"system:serviceaccounts:{name.removeprefix('all of ')}", "apiGroup": RBAC}
        if name.startswith("all of ")
        else {"kind": "User", "name": name, "apiGroup": RBAC}
        for name in who
    ]
    notes = {"annotations": {f"{RBAC.replace('.k8s', '.kubernetes')}/autoupdate": update}} if update else {}
    meta = {"labels": MANAGED_BY if ours else {}, **notes}
    return {"metadata": meta, "roleRef": {"kind": "ClusterRole", "name": role, "apiGroup": RBAC}, "subjects": subjects}


BINDING = st.builds(
    _binding,
    st.sampled_from(["system:image-puller", "system:image-puller", "view"]),
    st.lists(st.sampled_from(["jane", "bob", "somebody", "all of a", "all of missing"]), max_size=3),
    st.booleans(),
    st.sampled_from([None, None, "true", "false"]),
)


def states(*parts: tuple[str, Sequence[str], st.SearchStrategy[Entry]]) -> st.SearchStrategy[Stored]:
    """Generate clusters that have some of these objects in some of the namespaces."""
    places = [
        (resource, namespace, name) for resource, names, _one in parts for namespace in NAMESPACES for name in names
    ]
    made = {resource: one for resource, _names, one in parts}
    return st.lists(st.sampled_from(places), unique=True, max_size=8).flatmap(
        lambda chosen: st.tuples(*(st.builds(lambda body, at=at: (*at, body), made[at[0]]) for at in chosen)).map(list)
    )


#: The module, its entries, and the content of the cluster.
CASES: dict[str, tuple[str, st.SearchStrategy[Entry], st.SearchStrategy[Stored]]] = {
    "pull_secret": ("secrets", PULL_SECRETS, states(("secrets", ["one", "two", "three"], SECRET))),
    "sa_link": ("links", LINKS,
                states(("serviceaccounts", ["default", "builder"], ACCOUNT), ("secrets", ["one", "two", PLATFORM], SECRET),
                       ("pods", ["p", "q"], PODS))),
    "image_puller_grant": ("grants", GRANTS,
                           states(("rolebindings", ["image-puller-grant", "team", "theirs"], BINDING))),
}  # fmt: skip
#: Additional entries, each with its own object that already matches.
FILLERS_OF = {
    "pull_secret": lambda number: {"name": f"filler-{number:02}", "namespaces": ["a"], "registries": registries(["quay.io"])},
    "sa_link": lambda number: {
        "secrets": [f"filler-{number:02}"], "namespaces": ["a"], "service_accounts": ["filler"], "require": "existing",
    },
    "image_puller_grant": lambda number: {"users": [f"filler-{number:02}"], "namespaces": ["a"], "binding_name": "filler"},
}  # fmt: skip


def cluster(stored: Stored, *, filled: bool) -> FakeApi:
    api = FakeApi()
    for name, team in NAMESPACES.items():
        api.put("namespaces", "", name, metadata={"labels": {"team": team}})
    for role in ("system:image-puller", "view"):
        api.put("clusterroles", "", role)
    api.put("serviceaccounts", "a", "default")
    for resource, namespace, name, body in stored:
        api.put(resource, namespace, name, **copy.deepcopy(body))
    names = [f"filler-{number:02}" for number in range(FILLERS if filled else 0)]
    for name in names:
        api.put("secrets", "a", name, **_secret(DOCKERCONFIGJSON, ["quay.io"]))
    if names:
        api.put("serviceaccounts", "a", "filler", imagePullSecrets=[{"name": name} for name in names])
        api.put("rolebindings", "a", "filler", **_binding("system:image-puller", names, True, None))
    api.requests.clear()
    return api


class Sequential:
    """The results of running the entries one after the other, each in its own task, by their positions from `first` on."""

    def __init__(self, module: str, entries: Sequence[Entry], api: FakeApi, first: int) -> None:
        self.results: dict[int, dict[str, NamespaceResult]] = {
            position: {result.name: result for result in run(module, [one], api, alone=True).namespaces}
            for position, one in enumerate(entries, first)
        }

    @property
    def namespaces(self) -> set[str]:
        return {name for results in self.results.values() for name in results}

    @property
    def changed_in(self) -> set[str]:
        return {name for name in self.namespaces if self.changes(name)}

    def has(self, namespace: str) -> bool:
        return namespace in self.namespaces

    def changes(self, namespace: str) -> list[tuple[int, Change]]:
        return [
            (position, change)
            for position, results in self.results.items()
            if namespace in results
            for change in results[namespace].changes
        ]


def run(module: str, entries: Sequence[Entry], api: FakeApi, *, alone: bool = False, check: bool = False) -> Outcome:
    """Run the module from its validated options on."""
    loaded = importlib.import_module(f"{COLLECTION}.modules.{module}")
    defaults = {option: spec.get("default") for option, spec in loaded.ARGUMENTS.items()} | {"wait_timeout": 0}
    given_ = entries[0] if alone else {loaded.FORM.option: list(entries)}
    wanted = read_declarations(loaded.FORM, {**defaults, **given_}, lambda path: pytest.fail(f"reads {path}"))
    clock = Clock()
    reached = api.cluster(clock)
    batch = batch_of(loaded.FORM, wanted, namespaces.resolve_targets(reached, [one.targets for one in wanted]))
    settings_ = RunSettings(check_mode=check, concurrency=1, clock=clock)  # type: ignore[arg-type]
    return reconcile(reached, batch, settings_)


def state_of(api: FakeApi) -> dict[Any, Any]:
    """Return the content of the cluster without the values that the server numbers."""
    return {
        key: {**found, "metadata": {k: v for k, v in found["metadata"].items() if k not in ("uid", "resourceVersion")}}
        for key, found in api.objects.items()
    }


def diffs(changes: Sequence[Change]) -> dict[str, tuple[Any, Any]]:
    """Return each object's state before its first change and after its last change."""
    found: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    for change in changes:
        ref = str(change.ref)
        if ref not in found:
            found[ref] = (dict(change.before), dict(change.after))
            continue
        before, after = found[ref]
        # Each change shows only its own part of the object, so earlier parts are added.
        earlier = {**change.before, **before} if before else before
        found[ref] = (earlier, {} if change.action == "delete" else {**after, **change.after})
    return found


def told_by_entry(results: Sequence[NamespaceResult]) -> dict[str, set[tuple[int, str]]]:
    """Return the changed objects of each entry, for each namespace."""
    return {
        result.name: {(one.position, str(change.ref)) for change in result.changes for one in change.entries}
        for result in results
    }


def written(api: FakeApi) -> Counter[tuple[str, str]]:
    """Count the writes of each object: its path, and for a create the name."""
    found: Counter[tuple[str, str]] = Counter()
    for line, request in zip(api.asked, api.requests, strict=True):
        if line in api.writes:
            path = request.path.split("?")[0]
            path = f"{path}/{request.body['metadata']['name']}" if request.method == "POST" else path
            found[request.method, path] += 1
    return found


_ODD = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@pytest.mark.parametrize("module", CASES)
@settings(suppress_health_check=_ODD, max_examples=30)
@given(data=st.data())
def test_one_task_has_the_same_effect_as_its_entries_in_sequence(module: str, data: st.DataObject) -> None:
    check_effect(module, data, filled=False)


@pytest.mark.parametrize("module", CASES)
@settings(suppress_health_check=_ODD, max_examples=10)
@given(data=st.data())
def test_entries_whose_objects_are_listed_have_the_same_effect(module: str, data: st.DataObject) -> None:
    """The entries of the other objects take most of the time."""
    check_effect(module, data, filled=True)


def check_effect(module: str, data: st.DataObject, *, filled: bool) -> None:
    _option, one, stored_ = CASES[module]
    own = data.draw(st.lists(one, min_size=2, max_size=5))
    fillers = [FILLERS_OF[module](number) for number in range(FILLERS)] if filled else []
    entries = [*fillers, *own]
    stored = data.draw(stored_)
    together, apart, predicted = (cluster(stored, filled=filled) for _one in range(3))
    held = dict(together.objects)
    try:
        outcome = run(module, entries, together)
    except OptionError as error:
        assert "contradict each other" in str(error), error
        assert together.writes == []
        assume(False)
    foreseen = run(module, entries, predicted, check=True)
    sequence = Sequential(module, own, apart, len(fillers))

    assert state_of(together) == state_of(apart)
    for result in outcome.namespaces:
        if not sequence.has(result.name):
            assert result.changes == (), "a filler"
            continue
        alone = sequence.changes(result.name)
        assert bool(result.changes) is bool(alone)
        assert diffs(result.changes) == diffs([change for _position, change in alone])
        assert told_by_entry([result])[result.name] == {(position, str(change.ref)) for position, change in alone}
        errors = {
            position: results[result.name].error
            for position, results in sequence.results.items()
            if result.name in results and results[result.name].error
        }
        assert (result.error, {failure.entry.position: failure.error for failure in result.failures}) == ("", errors)
        assert extras(result) == {
            position: results[result.name].extra
            for position, results in sequence.results.items()
            if result.name in results and results[result.name].extra
        }
    assert {*sequence.namespaces} <= {result.name for result in outcome.namespaces}

    assert predicted.writes == []
    assert reported(foreseen) == reported(outcome)
    check_writes(together, held)
    # The next run restores the parts that one entry takes from another, in either way. After that, nothing is left to do.
    assert changed_in(run(module, entries, together)) == Sequential(module, own, apart, 0).changed_in
    assert changed_in(run(module, entries, together)) == set(), "two entries undo each other in every run"


def changed_in(outcome: Outcome) -> set[str]:
    return {result.name for result in outcome.namespaces if result.changes}


def reported(outcome: Outcome) -> dict[str, Any]:
    """Return the result without the retries after a create that found an unlisted object."""
    report = outcome.report()
    return {**report, "summary": {**report["summary"], "retries": 0}}


def extras(result: NamespaceResult) -> dict[int, Mapping[str, Any]]:
    every = result.extra.get("entries", [])
    return {one["entry"]: {key: value for key, value in one.items() if key != "entry"} for one in every}


def check_writes(api: FakeApi, held: Mapping[Any, Any]) -> None:
    """Assert at most one write of each object. A delete may precede a create, and a create may find an unlisted object.

    The copy of a secret that is replaced is created and deleted.
    """
    verbs: dict[str, list[str]] = {}
    for (method, path), count in written(api).items():
        verbs.setdefault(path, []).extend([method] * count)
    for path, methods in verbs.items():
        *_rest, namespace, resource, name = path.split("/")
        found = [method for method in methods if method != "POST" or (resource, namespace, name) not in held]
        is_copy = name.endswith(".replaced") and methods == ["POST", "DELETE"]
        assert len(found) <= 1 or methods == ["DELETE", "POST"] or is_copy, (path, methods)
