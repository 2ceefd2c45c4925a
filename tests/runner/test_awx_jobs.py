# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates of extensions/awx, as jobs that AWX sends to execution nodes.

Each job runs as in AWX's mesh, by `ansible-runner transmit | worker | process`. A node has ansible-core, ansible-runner and the
requirements of meta/execution-environment.yml, and no files of this machine except its own folder. Promises: every template does its
job on the lab, with answers as AWX passes them on. No credential comes back to the controller. A cancelled job leaves whole objects.
"""

from __future__ import annotations

import base64
import functools
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.awx_jobs import Controller, Credential, Job, Node
from support.awx_rules import configuration, named, run_workflow, slices_of
from support.certificates import write_certificate
from support.lab import Lab
from support.ocm import CLIENT_ID, CLIENT_SECRET, OFFLINE_TOKEN, ocm_service
from support.ocm import entry as account_entry
from support.ocm import secrets as account_secrets
from support.proxy import Exchange, Proxy
from tools.tarball import build, install

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def node_bin() -> Path:
    command = [sys.executable, ROOT / "tests" / "tools" / "prepare.py", "node", "printenv", "VIRTUAL_ENV"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Path(done.stdout.strip()) / "bin"


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collections that the project's update installs: the collection as published."""
    return install(build(tmp_path_factory.mktemp("built")), tmp_path_factory.mktemp("installed"))


@pytest.fixture
def controller(tmp_path: Path, collections: Path) -> Controller:
    return Controller(tmp_path / "controller", BIN, collections)


@pytest.fixture
def nodes(tmp_path: Path, node_bin: Path) -> tuple[Node, Node]:
    first, second = (Node(name, node_bin, tmp_path / name) for name in ("node-1", "node-2"))
    for node in (first, second):
        node.directory.mkdir()
    return first, second


@pytest.fixture
def node(nodes: tuple[Node, Node]) -> Node:
    return nodes[0]


def bearer(lab: Any, **changes: Any) -> Credential:
    """The built-in credential for a service account with all rights on the lab."""
    path = "/api/v1/namespaces/kube-system/serviceaccounts"
    if lab.api("GET", f"{path}/awx", expect=(200, 404))["kind"] != "ServiceAccount":
        lab.api("POST", path, {"metadata": {"name": "awx"}})
        subject = {"kind": "ServiceAccount", "namespace": "kube-system", "name": "awx"}
        role = {"kind": "ClusterRole", "name": "cluster-admin", "apiGroup": "rbac.authorization.k8s.io"}
        body = {"metadata": {"name": "awx"}, "subjects": [subject], "roleRef": role}
        lab.api("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", body)
    token = lab.api("POST", f"{path}/awx/token", {"spec": {}})["status"]["token"]
    cluster = yaml.safe_load(Path(lab.kubeconfig).read_text())["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    inputs = {"host": cluster["server"], "bearer_token": token, "verify_ssl": True, "ssl_ca_cert": authority}
    return Credential("OpenShift or Kubernetes API Bearer Token", {**inputs, **changes})


def login(lab: Any, account: int = 0, **changes: str) -> Credential:
    registry = lab.registry("private")
    found = registry["accounts"][account]
    inputs = {"registry": registry["host"], "username": found["username"], "password": found["password"]}
    return Credential("Image pull: registry login", {**inputs, **changes})


def secrets_of(*credentials: Credential) -> list[str]:
    return [one.inputs[key] for one in credentials for key in ("bearer_token", "password") if key in one.inputs]


def declared(lab: Any, *namespaces: str) -> dict[str, Any]:
    """Inventory variables: a login from a file of the job, and a grant."""
    secret = {
        "name": "team-registry",
        "namespaces": list(namespaces),
        "auth_file": "{{ lookup('ansible.builtin.env', 'IMAGE_PULL_AUTH_FILE') }}",
    }
    return {
        "image_pull_owner": "platform",
        "image_pull_registry_ca_cert": lab.data["ca_cert"],
        "private_registry_secrets": [secret],
        "cross_project_pull_grants": [{"namespaces": [namespaces[0]], "projects": [namespaces[1]]}],
    }


def password_in(lab: Any, namespace: str) -> str:
    (entry,) = lab.entries(namespace, "team-registry").values()
    return base64.b64decode(entry["auth"]).decode().partition(":")[2]


def passed(job: Job) -> Job:
    assert job.status == "successful", job.output[-3000:]
    return job


@pytest.mark.slow
def test_the_workflow_sets_up_the_planned_changes(
    lab: Any, namespaces: Any, controller: Controller, node: Node
) -> None:
    names = namespaces(2)
    credentials = [bearer(lab), login(lab)]
    given = {"group": declared(lab, *names)}
    jobs: dict[str, Job] = {}
    handed_on: dict[str, Any] = {}
    writes: dict[str, int] = {}
    workflow = configuration()["controller_workflows"][0]
    templates = {one["identifier"]: one for one in workflow["workflow_nodes"]}

    def run(name: str) -> bool:
        if name == "approve":
            return True
        audit = lab.audit()
        template = templates[name]["unified_job_template"]["name"].removeprefix("Image pull: ")
        answers = {"pull_access_audit_fail_on": "never"} if name == "audit" else {}
        jobs[name] = controller.launch(template, node, credentials, answers=answers, handed_on=handed_on, **given)
        handed_on.update(jobs[name].handed_on)
        writes[name] = len(audit.writes())
        return passed(jobs[name]).status == "successful"

    assert run_workflow(workflow, run) == (["verify", "plan", "approve", "set-up", "audit"], True)
    assert writes == {"verify": 0, "plan": 0, "set-up": 5, "audit": 0}
    assert jobs["plan"].handed_on == {
        "image_pull_plan": {"cluster": {"pull_secrets": 2, "links": 2, "grants": 1, "removals": 0}},
        "image_pull_planned_revision": controller.revision,
    }
    assert jobs["plan"].changed == jobs["set-up"].changed == {"cluster": 1}
    assert set(handed_on["image_pull_audit"]) == {"error", "warning", "info"}
    assert password_in(lab, names[1]) == credentials[1].inputs["password"]
    assert passed(controller.launch("set up", node, credentials, **given)).changed == {}
    fewer = {"group": {**given["group"], "private_registry_secrets": [], "image_pull_max_prune": "100%"}}
    answers = {"remove_undeclared": "yes"}
    again = passed(controller.launch("check and diff", node, credentials, answers=answers, **fewer))
    assert again.handed_on["image_pull_plan"] == {
        "cluster": {"pull_secrets": 0, "links": 0, "grants": 0, "removals": 2}
    }
    assert [name for name, job in jobs.items() if job.holding(secrets_of(*credentials))] == []

    # A commit is pushed between the plan and its approval.
    controller.revision = "0" * 39 + "b"
    audit = lab.audit()
    planned = jobs["plan"].handed_on
    other = controller.launch("set up", node, credentials, answers=answers, handed_on=planned, **fewer)
    assert other.status == "failed" and "Launch the workflow again" in other.output and audit.writes() == []

    refused = controller.launch("take down", node, credentials, **given)
    assert refused.status == "failed" and "is not REMOVE" in refused.output
    taken = controller.launch("take down", node, credentials, answers={"teardown_confirmation": "REMOVE"}, **given)
    assert passed(taken).changed == {"cluster": 1} and lab.get(names[0], "secrets", "team-registry") is None


@pytest.mark.slow
def test_a_refused_login_ends_the_workflow(lab: Any, namespaces: Any, controller: Controller, node: Node) -> None:
    names = namespaces(2)
    credentials = [bearer(lab), login(lab, password="canary {{ nothing }} \"'\\ é")]
    job = controller.launch("verify logins", node, credentials, group=declared(lab, *names))
    assert job.status == "failed"
    (result,) = job.results("Log in to the registries")
    assert lab.registry("private")["host"] in result["msg"] and "refuses the login" in result["msg"]
    assert [line["msg"] for line in job.results("Result")] == [
        "failed in 2 namespaces: the line above that begins with fatal: or failed: says why"
    ]
    assert not job.holding([*secrets_of(*credentials), "canary"])
    silent = passed(controller.launch("verify logins", node, credentials))
    assert "no login was verified, and the connection to the cluster was not tested" in silent.output
    # A play without hosts would be successful.
    ended = controller.launch("failed", node, [], hosts={})
    assert ended.status == "failed" and "a node of this workflow failed" in ended.output


@pytest.mark.slow
def test_a_job_without_a_pasted_authority_works_and_warns_once(
    lab: Any, namespaces: Any, controller: Controller, node: Node
) -> None:
    names = namespaces(2)
    credentials = [bearer(lab, ssl_ca_cert=""), login(lab)]
    job = passed(controller.launch("set up", node, credentials, group=declared(lab, *names)))
    flat = re.sub(r"\s+", " ", re.sub(r"\x1b\[[\d;]*m", "", job.output))
    assert (
        flat.count("is not verified, because the environment variable K8S_AUTH_VERIFY_SSL disables the verification")
        == 1
    )
    (result,) = job.results("Apply the declarations")
    (said,) = result["warnings"]
    assert "paste the authority into the credential" in str(said)
    assert not job.holding(secrets_of(*credentials))


def rotating(lab: Any, old: Credential, new: Credential) -> dict[str, str]:
    """Answers to the survey of a rotation."""
    return {
        "rotate_registries": f"{lab.registry('private')['host']}\n",
        "rotate_old_username": old.inputs["username"],
        "rotate_old_password": old.inputs["password"],
        "rotate_new_username": new.inputs["username"],
        "rotate_new_password": new.inputs["password"],
        "rotate_nodes": "no",
    }


def test_new_namespaces_come_only_from_the_launch(
    lab: Any, namespaces: Any, controller: Controller, node: Node
) -> None:
    names = namespaces(2)
    credentials = [bearer(lab), login(lab)]
    given = {"group": declared(lab, *names)}
    launch = functools.partial(controller.launch, "new namespaces", node, credentials, **given)
    assert launch(answers={"new_namespaces": "*"}).status == "failed"
    # In the format of the guide's rule. Variables that the survey does not ask for are ignored.
    others = {"image_pull_host": "https://127.0.0.1:1", "private_registry_secrets": []}
    passed(launch(answers={"new_namespaces": f"namespace/{names[1]} namespace/0123", **others}))
    assert lab.get(names[0], "secrets", "team-registry") is None
    assert password_in(lab, names[1]) == credentials[1].inputs["password"]


@pytest.mark.slow
@pytest.mark.parametrize("nothing", [" \n", "0123", "team-a/x"])
def test_an_answer_without_a_namespace_is_refused(
    lab: Any, namespaces: Any, controller: Controller, node: Node, nothing: str
) -> None:
    group = declared(lab, *namespaces(2))
    launched = controller.launch(
        "new namespaces", node, [bearer(lab), login(lab)], answers={"new_namespaces": nothing}, group=group
    )
    assert launched.status == "failed"


def test_each_job_template_is_launched_in_this_file() -> None:
    launched = Path(__file__).read_text()
    names = [one["name"].removeprefix("Image pull: ") for one in configuration()["controller_templates"]]
    # The templates of the other zone have another inventory, but are the same otherwise.
    names = [name for name in names if not name.endswith(" in the west")]
    assert [name for name in names if f'"{name}"' not in launched] == []


@pytest.mark.slow
def test_a_survey_rotates_a_login_there_and_back(lab: Any, namespaces: Any, controller: Controller, node: Node) -> None:
    names = namespaces(2)
    cluster, old, new = bearer(lab), login(lab, 0), login(lab, 1)
    given = {
        "group": {
            **declared(lab, *names),
            "credential_rotation_secrets": [{"name": "team-registry", "namespaces": names}],
            "credential_rotation_registry_ca_cert": lab.data["ca_cert"],
            "credential_rotation_probe": False,
        }
    }
    passed(controller.launch("set up", node, [cluster, old], **given))
    answers = rotating(lab, old, new)
    there = passed(controller.launch("rotate a login", node, [cluster, old], answers=answers, **given))
    assert password_in(lab, names[0]) == new.inputs["password"]
    flat = " ".join(there.output.split())
    assert f"private_registry_secrets[0].auth_file ({lab.registry('private')['host']})" in flat
    assert "edit that credential" in flat and "ansible-vault" not in flat
    # Without the credential, the old login in its file cannot be found.
    back = passed(
        controller.launch("rotate a login", node, [cluster], answers={**answers, "rotate_how": "back"}, **given)
    )
    assert password_in(lab, names[0]) == old.inputs["password"]
    assert "private_registry_secrets[0].auth_file, its content cannot be read here" in " ".join(back.output.split())
    assert not there.holding(secrets_of(cluster, old, new)) and not back.holding(secrets_of(cluster, old, new))


@pytest.mark.slow
def test_a_planned_rotation_changes_only_the_approved_secrets(
    lab: Any, namespaces: Any, controller: Controller, node: Node
) -> None:
    names = namespaces(3)
    cluster, old, new = bearer(lab), login(lab, 0), login(lab, 1)
    declares = {**declared(lab, *names[:2]), "credential_rotation_registry_ca_cert": lab.data["ca_cert"]}
    passed(controller.launch("set up", node, [cluster, old], group=declares))
    nothing = {
        "credential_rotation_registry_ca_cert": lab.data["ca_cert"],
        "credential_rotation_probe": False,
        "credential_rotation_namespace_selector": {"include": names},
    }
    answers = rotating(lab, old, new)
    alone = controller.launch("rotate a login", node, [cluster], answers=answers, group=nothing)
    flat = " ".join(alone.output.split())
    assert (alone.status, "None of them is declared" in flat) == ("failed", True)
    assert "Launch the workflow 'Image pull: plan, approve, rotate a login'. Or add" in flat and "--check" not in flat
    seal = Credential("Image pull: seal", {"key": "canary-of-the-seal"})
    planned = passed(controller.launch("plan a rotation", node, [cluster, seal], answers=answers, group=nothing))
    (rows,) = (plan["secrets"] for plan in planned.handed_on["image_pull_rotation_plans"].values())
    assert [(row["namespace"], row["declared"]) for row in rows] == [(name, False) for name in names[:2]]
    assert "no confirmed secret would change, 2 unconfirmed secrets would change if you confirm them" in " ".join(
        planned.output.split()
    )
    # The entry of the inventory has an auth file, which is in the credential.
    lab.create(names[2], "secrets", secret_like(lab, names[0], "planted"))
    marked = passed(
        controller.launch("plan a rotation", node, [cluster, old, seal], answers=answers, group={**declares, **nothing})
    )
    (marks,) = (plan["secrets"] for plan in marked.handed_on["image_pull_rotation_plans"].values())
    assert [(row["namespace"], row["name"], row["declared"]) for row in marks] == [
        *((name, "team-registry", True) for name in names[:2]),
        (names[2], "planted", False),
    ]
    line = "would update 2 secrets in 2 namespaces, 1 unconfirmed secret would change if you confirm it"
    assert line in " ".join(marked.output.split())
    # After the plan, one secret is added, and another one is recreated with another UID.
    again = secret_like(lab, names[1], "team-registry")
    lab.api("DELETE", f"/api/v1/namespaces/{names[1]}/secrets/team-registry")
    for name in names[1:]:
        lab.create(name, "secrets", again)
    done = passed(
        controller.launch(
            "rotate a login", node, [cluster, seal], answers=answers, handed_on=planned.handed_on, group=nothing
        )
    )
    after = [password_in(lab, name) for name in names]
    assert after == [new.inputs["password"], old.inputs["password"], old.inputs["password"]]
    secrets = [*secrets_of(cluster, old, new), seal.inputs["key"]]
    assert not any(job.holding(secrets) for job in (planned, marked, done))


def secret_like(lab: Any, namespace: str, name: str) -> dict[str, Any]:
    """Return a new secret with this name and the content of the declared one."""
    found = lab.get(namespace, "secrets", "team-registry")
    return {"metadata": {"name": name}, "type": found["type"], "data": found["data"]}


@pytest.mark.slow
def test_existing_pull_access_is_exported_and_explained(
    lab: Any, namespaces: Any, controller: Controller, node: Node
) -> None:
    """Most questions stay blank, as users leave them."""
    names = namespaces(2)
    credentials = [bearer(lab), login(lab)]
    passed(controller.launch("set up", node, credentials, group=declared(lab, *names)))
    # An answer overrides the inventory, and a blank answer keeps the inventory's value.
    for answers, given in (
        ({"export_namespaces": "\n".join(names)}, {"image_pull_export_namespaces": ["there-is-none"]}),
        ({}, {"image_pull_export_namespaces": names}),
        ({}, {"image_pull_export_namespace_selector": {"include": names}}),
    ):
        exported = passed(controller.launch("export", node, credentials[:1], answers=answers, group=given))
        (shown,) = exported.results("Show the variables for the inventory")
        assert [one["name"] for one in shown["msg"]["private_registry_secrets"]] == ["team-registry"]
        assert not exported.holding(secrets_of(*credentials))

    image = f"{lab.registry('private')['host']}/team/app:v1"
    lab.pod(names[0], "app", image)
    explained = passed(controller.launch("explain", node, credentials[:1], answers={"pod": f"{names[0]}/app"}))
    assert f"{names[0]}/app" in explained.output and not explained.holding(secrets_of(*credentials))
    answers = {"remove_secret": "team-registry", "what_if_namespaces": "\n".join(names)}
    supposed = passed(controller.launch("what if", node, credentials[:1], answers=answers))
    assert "secret team-registry is deleted" in supposed.output and not supposed.holding(secrets_of(*credentials))
    listed = passed(
        controller.launch("images in use", node, credentials[:1], answers={"of": image.partition(":v1")[0]})
    )
    assert image in listed.output and not listed.holding(secrets_of(*credentials))
    nothing = controller.launch("explain", node, credentials[:1])
    assert nothing.status == "failed" and "answer 'Pod' with NAMESPACE/NAME" in nothing.output
    assert "would_break" in supposed.handed_on["image_pull_what_if"]["cluster"]
    unchanged = controller.launch("what if", node, credentials[:1])
    flat = " ".join(unchanged.output.split())
    assert "'Secret to remove' with [NAMESPACE/]NAME" in flat and "-e remove_secret" not in flat


@pytest.mark.slow
def test_an_account_with_the_rights_of_its_jobs_can_set_up_its_namespaces(
    lab: Any, namespaces: Any, controller: Controller, node: Node
) -> None:
    """An answer overrides the inventory, and a blank answer keeps the inventory's value."""
    home, *places = namespaces(3)
    answers = {"account_jobs": ["secrets", "links", "wait"]}
    inventory = {"automation_account_namespace": home, "automation_account_namespaces": places}
    administrator = bearer(lab)
    template = "account for the automation"
    passed(controller.launch(template, node, [administrator], answers=answers, group=inventory))
    account = f"/api/v1/namespaces/{home}/serviceaccounts/image-pull"
    token = lab.api("POST", f"{account}/token", {"spec": {}})["status"]["token"]
    credentials = [bearer(lab, bearer_token=token), login(lab)]
    secrets = {name: value for name, value in declared(lab, *places).items() if name != "cross_project_pull_grants"}
    job = passed(controller.launch("set up", node, credentials, group=secrets))
    assert {password_in(lab, place) for place in places} == {credentials[1].inputs["password"]}
    assert not job.holding(secrets_of(administrator, *credentials))

    answers = {"automation_account_state": "absent"}
    passed(controller.launch("account for the automation", node, [administrator], answers=answers, group=inventory))
    assert lab.get(home, "serviceaccounts", "image-pull") is None


@pytest.mark.slow
def test_two_nodes_share_the_clusters_of_an_inventory(
    lab: Any, lab_factory: Callable[..., Any], namespaces: Any, controller: Controller, nodes: tuple[Node, Node]
) -> None:
    """A sliced job: each slice has every second host, a node of its own, and both run at the same time."""
    other = lab_factory()
    names = namespaces(2)
    for name in names:
        other.namespace(name)
    kubeconfig = many_clusters(east=lab, west=other)
    credentials = [Credential("Image pull: kubeconfig of many clusters", {"kubeconfig": kubeconfig}), login(lab)]
    hosts = {name: {"image_pull_context": name} for name in ("west", "east")}
    count = named(configuration(), "controller_templates")["Image pull: set up many clusters"]["job_slice_count"]
    slices = slices_of(hosts, count)
    assert [list(part) for part in slices] == [["east"], ["west"]]
    given = {"group": declared(lab, *names)}
    plan = passed(controller.launch("check many clusters", nodes[0], credentials, hosts=hosts, **given))
    expected = {"pull_secrets": 2, "links": 2, "grants": 1, "removals": 0}
    assert plan.handed_on == {
        "image_pull_plan": {"east": expected, "west": expected},
        "image_pull_planned_revision": controller.revision,
    }
    started = [
        controller.start("set up many clusters", node, credentials, hosts=part, **given)
        for node, part in zip(nodes, slices, strict=True)
    ]
    assert all(one.process.poll() is None for one in started)
    jobs = [passed(one.finish()) for one in started]
    assert [job.changed for job in jobs] == [{"east": 1}, {"west": 1}]
    tokens = [user["user"]["token"] for user in yaml.safe_load(kubeconfig)["users"]]
    for cluster in (lab, other):
        assert password_in(cluster, names[0]) == credentials[1].inputs["password"]
    assert not [job for job in jobs if job.holding([*tokens, *secrets_of(*credentials)])]

    old, new = credentials[1], login(lab, 1)
    rotation = {
        "group": {
            **given["group"],
            "credential_rotation_secrets": [{"name": "team-registry", "namespaces": names}],
            "credential_rotation_registry_ca_cert": lab.data["ca_cert"],
            "credential_rotation_probe": False,
        }
    }
    answers = rotating(lab, old, new)
    template = "rotate a login on many clusters"
    rotated = passed(controller.launch(template, nodes[0], credentials[:1], answers=answers, hosts=hosts, **rotation))
    assert {password_in(cluster, names[1]) for cluster in (lab, other)} == {new.inputs["password"]}
    assert not rotated.holding([*tokens, *secrets_of(old, new)])

    # The credential has no context for a third cluster. The job fails, and reports its findings on the others.
    more = {**hosts, "gone": {"image_pull_context": "gone"}}
    audited = controller.launch("audit many clusters", nodes[0], credentials, hosts=more)
    assert audited.status == "failed" and "2 clusters: " in audited.output
    assert set(audited.handed_on["image_pull_audit"]) == {"error", "warning", "info"}
    assert not audited.holding([*tokens, *secrets_of(*credentials)])


@pytest.mark.slow
def test_an_audit_that_fails_on_findings_hands_its_counts_on(
    lab: Any, namespaces: Any, controller: Controller, node: Node, tmp_path: Path
) -> None:
    (name,) = namespaces(1)
    lab.set_account(name, imagePullSecrets=["there-is-none"])
    lab.pod(name, "app", f"{lab.registry('private')['host']}/team/app:v1")
    # The answer overrides the inventory, and the blank answers keep the inventory's values.
    inventory = {
        "pull_access_audit_namespaces": ["there-is-none"],
        "pull_access_audit_directory": str(tmp_path / "report"),
        "pull_access_audit_target_version": "4.22.0",
    }
    answers = {"pull_access_audit_fail_on": "info", "audit_namespaces": name}
    job = controller.launch("audit", node, [bearer(lab)], answers=answers, group=inventory)
    assert job.status == "failed"
    assert sum(job.handed_on["image_pull_audit"].values()) > 0
    report = json.loads((tmp_path / "report" / "pull-access.json").read_text())
    (cluster,) = report["clusters"]
    assert (cluster["counts"]["namespaces"], cluster["target_version"]) == (1, "4.22.0")


@pytest.mark.slow
def test_the_nodes_get_the_logins_of_credentials_and_lose_them(
    lab_factory: Callable[..., Lab], controller: Controller, node: Node, tmp_path: Path
) -> None:
    lab = lab_factory("--platform", "standalone")
    registry = lab.registry("private")["host"]
    credentials = [bearer(lab), login(lab)]

    def of_the_nodes() -> dict[str, Any]:
        return lab.entries("openshift-config", "pull-secret")

    with ocm_service(write_certificate(tmp_path / "ocm.pem")) as ocm:
        variables = {f"image_pull_ocm_{name}": value for name, value in ocm.options.items()}
        group = {**variables, "image_pull_ocm_ca_cert": str(tmp_path / "ocm.pem")}

        def change(red_hat: dict[str, str], **answers: str) -> Job:
            account = Credential("Image pull: OpenShift Cluster Manager", red_hat)
            given = [*credentials, account]
            job = controller.launch("pull secret of the nodes", node, given, answers=answers, group=group)
            assert not job.holding([*secrets_of(*given), *account_secrets()])
            return job

        token, service_account = (
            {"offline_token": OFFLINE_TOKEN},
            {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        )
        assert passed(change(token)).changed == {"cluster": 1} and not ocm.asked
        assert registry in of_the_nodes() and "cloud.openshift.com" in of_the_nodes()
        fetched = {"nodes_action": "merge the Red Hat account"}
        assert passed(change(token, **fetched)).changed == {"cluster": 1}
        assert of_the_nodes()["quay.io"] == account_entry("quay.io") and registry in of_the_nodes()
        assert passed(change(service_account, **fetched)).changed == {}
        refused = change({"offline_token": OFFLINE_TOKEN[:-1]}, **fetched)
        assert refused.status == "failed" and "The offline token is invalid" in refused.output

        none = change(token, nodes_action="remove", nodes_remove=" \n")
        assert none.status == "failed" and "enter the registries to remove" in none.output
        assert passed(change(token, nodes_action="remove", nodes_remove=f"{registry}\n")).changed == {"cluster": 1}
        assert registry not in of_the_nodes() and "quay.io" in of_the_nodes()


def many_clusters(**labs: Any) -> str:
    found = {name: bearer(lab).inputs for name, lab in labs.items()}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": one["host"],
                    "certificate-authority-data": base64.b64encode(one["ssl_ca_cert"].encode()).decode(),
                },
            }
            for name, one in found.items()
        ],
        "users": [{"name": name, "user": {"token": one["bearer_token"]}} for name, one in found.items()],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in found],
    }
    return yaml.safe_dump(config)


@pytest.mark.slow
def test_a_job_that_is_cancelled_leaves_whole_objects_and_is_finished_by_the_next(
    lab: Any, namespaces: Any, controller: Controller, node: Node
) -> None:
    names = namespaces(2)
    credentials = [bearer(lab), login(lab)]
    given = declared(lab, *names)
    account = {"namespace": names[0], "name": "not-yet"}
    waits = {**given, "cross_project_pull_grants": [{"namespaces": [names[1]], "service_accounts": [account]}]}
    waits["cross_project_pull_wait_timeout"] = 500
    started = controller.start("set up", node, credentials, group=waits)
    lab.until(lambda: lab.get(names[0], "secrets", "team-registry"), "the login is written", 120)
    started.process.send_signal(signal.SIGTERM)
    job = started.finish()
    assert job.status == "canceled"
    # The runner reports the end before its last process is gone.
    lab.until(lambda: not list(processes_below(node.directory)), "no process of the cancelled job is left", 60)
    assert password_in(lab, names[0]) == credentials[1].inputs["password"]
    assert not job.holding(secrets_of(*credentials))
    lab.create(names[0], "serviceaccounts", {"metadata": {"name": "not-yet"}})
    assert passed(controller.launch("set up", node, credentials, group=waits)).changed == {"cluster": 1}


class Holding(Proxy):
    """Lets `count` writes through. Further writes are carried out, but get no answer."""

    def __init__(self, lab: Lab, count: int) -> None:
        super().__init__(lab)
        self.left, self.held = count, threading.Event()

    def handle(self, exchange: Exchange) -> None:
        if exchange.command == "GET" or self.take():
            return exchange.answer(exchange.ask())
        exchange.ask()
        self.held.set()
        self.ended.wait(120)
        return exchange.cut(by_reset=True)

    def take(self) -> bool:
        with self.lock:
            self.left -= 1
            return self.left >= 0


@pytest.mark.slow
def test_a_job_that_is_cancelled_during_its_writes_is_completed_by_the_next(
    lab: Any, namespaces: Any, controller: Controller, node: Node
) -> None:
    names = namespaces(20)
    secret = login(lab)
    given = {"group": declared(lab, *names)}
    with Holding(lab, 15).running() as proxy:
        credentials = [bearer(lab, host=proxy.url), secret]
        started = controller.start("set up", node, credentials, **given)
        assert proxy.held.wait(120), "the job writes"
        started.process.send_signal(signal.SIGTERM)
        cancelled = started.finish()
    assert cancelled.status == "canceled" and not cancelled.holding(secrets_of(*credentials))
    lab.until(lambda: not list(processes_below(node.directory)), "no process of the cancelled job is left", 60)
    written = [name for name in names if lab.get(name, "secrets", "team-registry")]
    assert 15 < len(written) <= len(names)
    assert {password_in(lab, name) for name in written} == {secret.inputs["password"]}
    audit = lab.audit()
    assert passed(controller.launch("set up", node, [bearer(lab), secret], **given)).changed == {"cluster": 1}
    # One write for each missing secret and link, and one for the grant.
    assert len(audit.writes()) == 2 * len(names) + 1 - len(written)


def processes_below(directory: Path) -> Iterator[str]:
    """The command lines of processes that contain the folder."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has ended in the meantime
        if str(directory) in text:
            yield text


def test_a_node_has_only_ansible_and_the_requirements_of_the_collection() -> None:
    definition = yaml.safe_load((ROOT / "meta" / "execution-environment.yml").read_text())
    python = definition["dependencies"]["python"]
    path = next(path for path in (ROOT / python, ROOT / "meta" / python) if path.exists())
    asked = {re.split(r"[=<>~! ]", line)[0] for line in lines_of(path)}
    node = {line.partition("==")[0] for line in lines_of(ROOT / "tests" / "requirements" / "node.txt")}
    assert node == {"ansible-core", "ansible-runner", *asked}


def lines_of(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def test_an_answer_that_ansible_reads_as_a_number_is_refused(lab: Any, controller: Controller, node: Node) -> None:
    """AWX marks answers as unsafe, and since ansible-core 2.19 a marked text is parsed like YAML."""
    answers = dict.fromkeys(("rotate_registries", "rotate_old_username", "rotate_new_username"), "x")
    job = controller.launch(
        "rotate a login", node, [bearer(lab)], answers={**answers, "rotate_new_password": "12345678"}
    )
    assert job.status == "failed" and "its text is lost" in job.output
    assert not job.holding(["12345678"])
    job = controller.launch("audit", node, [bearer(lab)], answers={"audit_target_version": "4.20"})
    assert job.status == "failed" and "its text is lost. Set it in the inventory" in " ".join(job.output.split())
