# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying an exported inventory in the same way as the roles changes nothing."""

from __future__ import annotations

import base64
import copy
import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import FilesWanted, VariableFile
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import Targets
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import (
    batch_of,
    read_declarations,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.reconciliation import reconcile
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.inventory import (
    PLAIN_FILE,
    VAULT_FILE,
    Export,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.run import (
    ExportOutput,
    export_inventory,
)
from hypothesis import example, given
from hypothesis import strategies as st
from support.anything import CHANGES, Changed
from support.fake_api import FakeApi
from support.scripted_pool import Answer, Clock, status_object

ROOT = Path(__file__).parents[6]
MODULES = "ansible_collections.openshift_ops.image_pull.plugins.modules"
ROLE = "system:image-puller"
DOCKERCONFIGJSON = "kubernetes.io/dockerconfigjson"
KEYS = {DOCKERCONFIGJSON: ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}
FILES = FilesWanted("host_vars/lab", (PLAIN_FILE,), (VAULT_FILE,))
ALWAYS = 10**9


def b64(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def content(**logins: str) -> str:
    """Return the content that `oc create secret docker-registry` writes. Each login is `user:password`."""
    return json.dumps({"auths": {name.replace("_", "."): {"auth": b64(login)} for name, login in logins.items()}})


class Cluster:
    """An API server in memory, and the result of exporting it."""

    def __init__(self) -> None:
        self.api = FakeApi()
        self.api.put("clusterroles", "", ROLE)
        self.api.put("clusterroles", "", "custom")
        self.names: list[str] = []
        self.written: list[VariableFile] = []
        self.hidden: list[str] = []

    def namespace(self, name: str, **accounts: Mapping[str, Sequence[str]]) -> None:
        self.names.append(name)
        self.api.put("namespaces", "", name)
        for account, lists in {"default": {}, **accounts}.items():
            both = {key: [{"name": each} for each in names] for key, names in lists.items()}
            self.api.put("serviceaccounts", name, account, **both)

    def secret(self, namespace: str, name: str, text: str | bytes, kind: str = DOCKERCONFIGJSON, **more: Any) -> None:
        data = {KEYS.get(kind, "auth.json"): b64(text), **more.pop("data", {})}
        self.api.put("secrets", namespace, name, type=kind, data=data, **more)

    def binding(
        self, namespace: str, name: str, *subjects: Any, role: str = ROLE, kind: str = "ClusterRole", **more: Any
    ) -> None:
        self.api.put(
            "rolebindings", namespace, name, roleRef={"kind": kind, "name": role}, subjects=list(subjects), **more
        )

    def exported(self, meant: Targets | None = None, roles: Sequence[str] = (ROLE,)) -> Outcome:
        def write(files: Sequence[VariableFile]) -> list[str]:
            self.written = list(files)
            return [file.name for file in files]

        clock = Clock()
        settings = RunSettings(check_mode=False, clock=clock)
        out = ExportOutput(self.hidden.append, write)
        wanted = Export(tuple(roles), FILES)
        return export_inventory(self.api.cluster(clock), wanted, meant or Targets(self.names), settings, out)

    @property
    def variables(self) -> dict[str, Any]:
        """Return the variables with their credentials, as Ansible templates them."""
        vault, plain = self.written
        assert (vault.encrypted, plain.encrypted) == (True, False)
        return filled(plain.variables, vault.variables)

    def changed_by_roles(self) -> list[Any]:
        """Return the changes and failures that applying the variables would cause. There must be none."""
        before, found = copy.deepcopy(self.api.objects), []
        for title, entries in self.variables.items():
            validate(title, entries)
        secrets = self.variables["private_registry_secrets"]
        for module, items in (
            ("pull_secret", [only("pull_secret", entry) for entry in secrets]),
            ("sa_link", [link for entry in secrets for link in linking(entry)]),
            ("image_puller_grant", [dict(entry) for entry in self.variables["cross_project_pull_grants"]]),
        ):
            outcome = self.applied(module, items)
            found += [each for each in outcome.report()["namespaces"] if each["changes"]]
            found += outcome.report()["failures"]
        assert self.api.objects == before
        for grant in self.variables["cross_project_pull_grants"]:
            # The role waits for these accounts: a grant to an account that does not exist must not block a run.
            for account in grant.get("service_accounts", ()):
                assert self.api.get("serviceaccounts", account["namespace"], account["name"])
        return found

    def applied(self, module: str, items: Sequence[Mapping[str, Any]]) -> Outcome:
        """Apply the entries like one task of the role. All of them are valid and do not contradict each other."""
        loaded = importlib.import_module(f"{MODULES}.{module}")
        given = {loaded.FORM.option: list(items), "host": "https://127.0.0.1"}
        if not items:
            return Outcome([])
        checked = ArgumentSpecValidator(loaded.ARGUMENTS, **loaded.MODULE.all_rules).validate(given)
        assert checked.error_messages == []
        wanted = read_declarations(loaded.FORM, checked.validated_parameters, lambda path: path)
        batch = batch_of(loaded.FORM, wanted, [one.targets for one in wanted])
        clock = Clock()
        return reconcile(self.api.cluster(clock), batch, RunSettings(check_mode=True, clock=clock))


def filled(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: filled(part, variables) for key, part in value.items()}
    if isinstance(value, list):
        return [filled(part, variables) for part in value]
    if value.__class__ in str.__subclasses__():  # a reference (all other strings are data)
        return variables[value.strip("{} ").partition(" ")[0]]
    return value


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list)):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from strings(part)


def secrets_of(variable: Any) -> Iterator[str]:
    """Return the passwords and tokens in one of the encrypted variables."""
    if isinstance(variable, str):
        yield variable
        return
    for entry in variable["auths"].values():
        yield base64.b64decode(entry["auth"]).decode("utf-8", "replace").partition(":")[2]
        yield from (entry[name] for name in ("password", "identitytoken") if name in entry)


@cache
def role_options(variable: str) -> Any:
    role = variable.rpartition("_")[0]
    spec = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())
    return {variable: spec["argument_specs"]["main"]["options"][variable]}


def validate(variable: str, entries: Any) -> None:
    """Assert that the role accepts the variable."""
    assert ArgumentSpecValidator(role_options(variable)).validate({variable: entries}).error_messages == []


def only(module: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    taken = importlib.import_module(f"{MODULES}.{module}").DECLARATION
    return {name: value for name, value in entry.items() if name in taken}


def linking(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the links as the role makes them: one for the entry itself, or one for each of its `links`."""
    for part in entry.get("links", [{}]):
        made = {"secrets": [entry["name"]], "require": "usable", **only("sa_link", entry), **part}
        if made["service_accounts"]:
            yield made


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def rows(outcome: Outcome) -> dict[tuple[str, str], str]:
    return {(row["kind"], row["name"]): row["reason"] for row in outcome.extra["not_exported"]}


PASSWORDS = st.sampled_from(["secret-1", "secret-{{ x }}", "[secret]", "True", "a", "päss", "a:b", 'x"y\\'])
USERS = st.sampled_from(["reader", "team+robot", "developer@example.com", "secret-1"])
REGISTRIES = st.sampled_from(
    [
        "quay.io",
        "quay.io/team",
        "https://index.docker.io/v1/",
        "registry.example.com:5000",
        "QUAY.IO",
        "http://quay.io/",
    ]
)
LOGINS = st.builds(lambda user, password: f"{user}:{password}", USERS, PASSWORDS)
FIELDS = st.fixed_dictionaries(
    {"auth": LOGINS.map(b64)},
    optional={
        "email": st.sampled_from(["", "unused", "a@example.com", "{{ mail }}"]),
        "username": USERS,
        "password": PASSWORDS,
        "identitytoken": st.just("token-1"),
        "note": st.sampled_from([1.5, 10**30, None, {"a": [1, "{% x %}"]}, True]),
    },
)
ODD_FIELDS = st.sampled_from(
    [{}, None, {"auth": "!"}, {"auth": b64("nocolon")}, {"username": "u", "password": "p-word"}, {"auth": 1}]
)
AUTHS = st.dictionaries(REGISTRIES, FIELDS, min_size=1, max_size=3) | st.dictionaries(
    REGISTRIES, FIELDS | ODD_FIELDS, max_size=2
)
TEXTS = st.one_of(
    AUTHS.map(lambda auths: json.dumps({"auths": auths})),
    AUTHS.map(lambda auths: json.dumps({"auths": auths, "HttpHeaders": {"a": "b"}, "credsStore": "desktop"}, indent=1)),
    AUTHS.map(json.dumps),
    st.sampled_from(
        [
            "",
            "{}",
            "no json",
            '{"auths": {}, "auths": {}}',
            '{"auths": {"quay.io": {"auth": "dTpw"}, "quay.io": {"auth": "dTpwdw=="}}}',
            '{"auths": {"quay.io": {"auth": "dTpw", "n": 1.50, "m": "\\ud83d"}}}',
        ]
    ),
).map(str.encode) | st.sampled_from(
    [
        b'{"auths": {"quay.io": {"auth": "dTpw", "email": "ren\xe9"}}}',
        b'{"auths": {"quay.io": {"auth": "%s"}}}' % base64.b64encode(b"ren\xe9:secret\xe9"),
    ]
)
TYPES = st.sampled_from([*KEYS, DOCKERCONFIGJSON, "kubernetes.io/podmanconfigjson"])
NAMES = st.sampled_from(["one", "two", "three", "x-dockercfg-abcde"])
#: Stored secrets. Linked secrets need not exist.
SECRETS = st.tuples(NAMES, TYPES, TEXTS, st.booleans(), st.sampled_from([{}, {}, {"notes": b64("x")}]))
LISTS = st.fixed_dictionaries({}, optional=dict.fromkeys(("imagePullSecrets", "secrets"), st.lists(NAMES, max_size=4)))
SUBJECTS = st.sampled_from(
    [
        {"kind": "ServiceAccount", "name": "default", "namespace": "a"},
        {"kind": "ServiceAccount", "name": "default"},
        {"kind": "ServiceAccount", "name": "missing", "namespace": "elsewhere"},
        {"kind": "User", "name": "system:serviceaccount:a:default"},
        {"kind": "User", "name": "system:serviceaccount:a:Wrong"},
        {"kind": "User", "name": "alice"},
        {"kind": "User", "name": "system:anonymous"},
        {"kind": "Group", "name": "system:serviceaccounts:b"},
        {"kind": "Group", "name": "system:serviceaccounts"},
        {"kind": "Group", "name": "system:authenticated"},
        {"kind": "Group", "name": "system:unauthenticated"},
        {"kind": "Group", "name": "ops"},
        {"kind": "Robot", "name": "r2"},
        {"name": "nobody"},
        "odd",
    ]
)
BINDINGS = st.tuples(
    st.sampled_from(["image-puller-grant", ROLE, f"{ROLE}-0", "system:image-pullers", "mine"]),
    st.sampled_from([ROLE, ROLE, "custom", "missing"]),
    st.sampled_from(["ClusterRole", "ClusterRole", "Role"]),
    st.lists(SUBJECTS, max_size=4),
    st.booleans(),
)
STATE = st.fixed_dictionaries(
    {
        name: st.tuples(
            st.lists(SECRETS, max_size=3),
            st.fixed_dictionaries({"default": LISTS}, optional={"builder": LISTS}),
            st.lists(BINDINGS, max_size=3),
        )
        for name in ("a", "b", "c")
    }
)
OURS = {"labels": {"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}}


def made(state: Mapping[str, Any]) -> Cluster:
    cluster = Cluster()
    for namespace, (secrets, accounts, bindings) in state.items():
        cluster.namespace(namespace, **accounts)
        for name, kind, text, immutable, data in secrets:
            cluster.secret(namespace, name, text, kind, data=data, **({"immutable": True} if immutable else {}))
        for name, role, kind, subjects, ours in bindings:
            meta = {"metadata": OURS} if ours else {}
            cluster.binding(namespace, name, *subjects, role=role, kind=kind, **meta)
    return cluster


#: One secret, with a link to mount it in one account and a link to pull in another.
LINKED_IN_TWO_WAYS: dict[str, Any] = {
    "a": (
        [("one", DOCKERCONFIGJSON, content(quay_io="reader:secret-1").encode(), False, {})],
        {"default": {"imagePullSecrets": [], "secrets": ["one"]}, "builder": {"imagePullSecrets": ["one"]}},
        [],
    )
}


class TestRoundTrip:
    @given(state=STATE)
    @example(state=LINKED_IN_TWO_WAYS)
    def test_an_exported_inventory_changes_nothing_when_it_is_applied(self, state: Mapping[str, Any]) -> None:
        cluster = made(state)
        outcome = cluster.exported()
        assert not outcome.has_failed, outcome.message("it")
        assert cluster.api.writes == []
        assert cluster.changed_by_roles() == []

    @given(state=STATE)
    def test_no_secret_is_dropped(self, state: Mapping[str, Any]) -> None:
        """Each secret is in an entry, counted as left out, or listed with the reason."""
        cluster = made(state)
        outcome = cluster.exported()
        in_entries = {
            (ns, entry["name"]) for entry in cluster.variables["private_registry_secrets"] for ns in entry["namespaces"]
        }
        listed = {
            (namespace, row["name"])
            for row in outcome.extra["not_exported"]
            if row["kind"] == "Secret"
            for namespace in row["namespaces"]
        }
        there = {(namespace, name) for kind, namespace, name in cluster.api.objects if kind == "secrets"}
        assert in_entries | listed == there

    @given(state=STATE)
    def test_no_credential_is_shown_in_plain_text(self, state: Mapping[str, Any]) -> None:
        cluster = made(state)
        outcome = cluster.exported()
        shown = list(strings([outcome.report(), cluster.written[1].variables]))
        every = (text for variable in cluster.written[0].variables.values() for text in secrets_of(variable))
        secret = {text for text in every if len(text) > 3}
        assert [text for text in shown if any(each in text for each in secret)] == []

    @given(change=CHANGES, resource=st.sampled_from(["secrets", "serviceaccounts", "rolebindings"]))
    def test_malformed_objects_are_exported_or_reported(self, change: Changed, resource: str) -> None:
        cluster = Cluster()
        cluster.namespace("a", default={"imagePullSecrets": ["one", "other"], "secrets": ["one"]})
        cluster.secret("a", "one", content(quay_io="u:secret-1"))
        cluster.binding("a", "mine", {"kind": "User", "name": "alice"})
        (name,) = [each for kind, _namespace, each in cluster.api.objects if kind == resource]
        found = {"items": [change(copy.deepcopy(cluster.api.get(resource, "a", name)))]}
        cluster.api.fail(f"GET .*/{resource}[?]", Answer(200, found), times=ALWAYS)
        outcome = cluster.exported()
        if outcome.has_failed:
            message = outcome.message("it")
            assert message.isprintable()
            assert "internal error" not in message
        else:
            cluster.api.faults.clear()


class TestEntries:
    def test_grants_are_exported_and_other_bindings_are_counted(self, cluster: Cluster) -> None:
        cluster.namespace("a")
        cluster.namespace("b")
        project = {"kind": "Group", "name": "system:serviceaccounts:a"}
        own = {"kind": "Group", "name": "system:serviceaccounts:b"}
        for name in ("a", "b"):
            cluster.binding(name, f"{ROLE}-0", project, {"kind": "ServiceAccount", "name": "gone", "namespace": "a"})
        cluster.binding("b", "image-puller-grant", {"kind": "ServiceAccount", "name": "default"})
        cluster.binding("b", "system:image-pullers", own, project)
        cluster.binding("b", "theirs", project, role="admin")
        cluster.binding("b", "image-puller-grant-custom", project, role="custom", metadata=OURS)
        outcome = cluster.exported()
        assert outcome.extra["cross_project_pull_grants"] == [
            {
                "namespaces": ["a", "b"],
                "projects": ["a"],
                "users": ["system:serviceaccount:a:gone"],
                "binding_name": f"{ROLE}-0",
            },
            {"namespaces": ["b"], "service_accounts": [{"namespace": "b", "name": "default"}]},
            {"namespaces": ["b"], "projects": ["a"]},
            {"namespaces": ["b"], "projects": ["a"], "role": "custom", "binding_name": "image-puller-grant-custom"},
        ]
        assert outcome.extra["left_out"] == {"platform_bindings": 1}
        assert outcome.extra["not_exported"] == []
        assert cluster.changed_by_roles() == []


class TestProof:
    """Problems that only the features for applying entries can detect are listed too."""

    def test_a_grant_is_not_exported_if_its_binding_has_another_role(self, cluster: Cluster) -> None:
        cluster.namespace("a")
        cluster.binding("a", "system:image-pullers", {"kind": "User", "name": "alice"})
        cluster.binding("a", "image-puller-grant", {"kind": "User", "name": "alice"}, role="admin")
        outcome = cluster.exported()
        assert outcome.extra["cross_project_pull_grants"] == []
        assert "the role of a binding cannot be changed" in rows(outcome)["RoleBinding", "image-puller-grant"]


class TestFailures:
    """A namespace fails alone: the others are exported, and the task fails."""

    def assert_only(self, cluster: Cluster, outcome: Outcome, failed: str, reason: str) -> None:
        """The other namespace is a, with one secret."""
        assert f"failed in 1 of 2 namespaces: {failed}: " in outcome.message("it")
        assert reason in outcome.message("it")
        (entry,) = cluster.variables["private_registry_secrets"]
        assert (entry["name"], entry["namespaces"]) == ("mine", ["a"])
        for file in cluster.written:
            assert f"It is incomplete: the export failed in {failed}." in file.comment

    @pytest.fixture
    def two(self, cluster: Cluster) -> Cluster:
        cluster.namespace("a")
        cluster.secret("a", "mine", content(quay_io="u:secret-1"))
        return cluster

    @pytest.mark.parametrize("resource", ["secrets", "serviceaccounts", "rolebindings"])
    def test_a_forbidden_list_fails_its_namespace(self, two: Cluster, resource: str) -> None:
        two.namespace("b")
        two.api.fail(f"GET .*/namespaces/b/{resource}", status_object(403, "Forbidden", "no"), times=ALWAYS)
        self.assert_only(two, two.exported(), "b", resource)

    def test_without_a_readable_namespace_no_file_is_written(self, cluster: Cluster) -> None:
        cluster.namespace("a")
        cluster.api.fail("GET .*/namespaces/a/secrets", status_object(403, "Forbidden", "no"), times=ALWAYS)
        outcome = cluster.exported()
        assert (outcome.has_failed, outcome.extra, cluster.written) == (True, {}, [])

    def test_a_linked_secret_that_may_not_be_read_is_listed(self, cluster: Cluster) -> None:
        cluster.namespace("a", default={"secrets": ["git"]})
        cluster.api.fail("GET .*/secrets/git", status_object(403, "Forbidden", "no"), times=ALWAYS)
        assert "may not read" in rows(cluster.exported())["ServiceAccount", "default"]

    def test_a_linked_secret_that_cannot_be_read_fails_its_namespace(self, two: Cluster) -> None:
        two.namespace("b", default={"secrets": ["git"]})
        two.secret("b", "theirs", content(quay_io="u:secret-2"))
        two.api.fail("GET .*/secrets/git", status_object(400, "BadRequest", "odd"), times=ALWAYS)
        self.assert_only(two, two.exported(), "b", "odd")

    def test_a_namespace_that_does_not_exist_fails(self, two: Cluster) -> None:
        outcome = two.exported(Targets(["a", "nosuch"]))
        self.assert_only(two, outcome, "nosuch", "nosuch: the namespace does not exist")

    def test_an_export_that_stopped_writes_no_file(self, two: Cluster) -> None:
        two.namespace("b", default={"secrets": ["git"]})
        two.api.fail("GET .*/secrets(?!.*git)", status_object(401, "Unauthorized", "no"), times=ALWAYS)
        outcome = two.exported()
        assert outcome.stopped
        assert two.written == []

    def test_the_content_of_all_secrets_is_masked(self, cluster: Cluster) -> None:
        cluster.namespace("a")
        cluster.secret("a", "one", content(quay_io="u:secret-1"))
        cluster.secret("a", "same", content(quay_io="u:secret-1"))
        cluster.secret("a", "two", b"broken secret-2")
        cluster.exported()
        assert cluster.hidden == [content(quay_io="u:secret-1"), "broken secret-2"]


def test_a_fleet_needs_one_list_for_each_kind_and_type(cluster: Cluster) -> None:
    for number in range(50):
        cluster.namespace(f"ns-{number}", default={"imagePullSecrets": ["one"]})
        cluster.secret(f"ns-{number}", "one", content(quay_io="u:secret-1"))
        cluster.binding(f"ns-{number}", ROLE, {"kind": "Group", "name": "system:serviceaccounts:ns-1"})
    outcome = cluster.exported()
    assert len(cluster.api.asked) == 1 + 3 + 1 + 1, cluster.api.asked  # accounts, secrets by type, bindings, the role
    assert [len(entry["namespaces"]) for entry in outcome.extra["private_registry_secrets"]] == [50]
    assert [len(entry["namespaces"]) for entry in outcome.extra["cross_project_pull_grants"]] == [50]
