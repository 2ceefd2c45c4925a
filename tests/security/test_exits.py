# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of a cluster never reaches results, diffs, messages, files or terminals with characters that control or mislead.

A project user chooses the names of objects, subjects and keys. The API server accepts escape sequences, line ends and characters that
reverse the text direction in the name of a role binding, a subject, the list of an account, an annotation and a secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from support.objects import b64, role_binding, user_subject
from support.playbooks import play
from support.project_user import ProjectUser, auth_file

pytestmark = pytest.mark.whole_cluster
#: An escape sequence in two forms, characters that reverse or hide others, line ends, and a line that imitates another task.
ODD = "x\x1b[2J\x9b31m\u202egpj\u2066\u200b\u2028\x7f\r\nTASK [approved] ***"
#: Characters of the text that must never leave the process.
STEERING = set(ODD) - set("\n") - {letter for letter in ODD if letter.isprintable()}
OWNER = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": "platform"}
HOST = "registry.example.com"
PASSWORD = "pw-1234567"
ROTATION = {
    "registries": [HOST],
    "old": {"username": "robot", "password": PASSWORD},
    "new": {"username": "robot", "password": "pw-7654321"},
    "verify": False,
}
NOTHING = {"secrets": [], "links": [], "grants": [], "prune_everything": True}
LOOKS: list[tuple[str, dict[str, Any]]] = [
    ("pull_secret_info", {}),
    ("pull_access_info", {}),
    ("pull_access_audit", {"cluster_name": "lab"}),
    ("pull_access_images", {}),
    ("pull_access_what_if", {"changes": [{"remove_secrets": {"name": "planted"}}, {"unreachable_registries": [HOST]}]}),
    ("pull_access_export", {"credentials": "placeholder"}),
    ("credential_rotation", ROTATION),
    ("sa_link", {"service_accounts": ["*"], "secrets": ["other"], "exclusive": True}),
    ("sa_link", {"service_accounts": ["*"], "secrets": ["planted"], "state": "absent"}),
    ("sa_link", {"service_accounts": ["odd"], "secrets": ["planted"], "restart_pods": "stuck", "require": "none"}),
    ("image_puller_grant", {"users": ["alice"], "exclusive": True}),
    ("image_puller_grant", {"users": ["alice"], "state": "absent", "revoke_from": "every_binding", "prune": True}),
]


@pytest.fixture
def mallory(lab, namespace) -> ProjectUser:
    return ProjectUser.create(lab, "mallory", namespace)


def plant_binding(mallory: ProjectUser, name: str, subject: str, **meta: Any) -> None:
    """Create a binding as she may on OpenShift, where the role `admin` has all rights of `system:image-puller`. In the lab, it lacks them."""
    mallory.lab.create(mallory.namespace, "rolebindings", role_binding(name, user_subject(subject), **meta))


@pytest.fixture
def project(mallory: ProjectUser) -> str:
    """A project in which each text that its user chooses is odd."""
    owner = [{"apiVersion": "v1", "kind": ODD, "name": ODD, "uid": "1", "controller": True}]
    plant_binding(mallory, ODD, ODD, labels=OWNER)
    plant_binding(mallory, "image-puller-grant", ODD, labels=OWNER)
    entries = {ODD: (ODD, PASSWORD), f"{HOST}/{ODD}": ("robot", PASSWORD), HOST: ("robot", PASSWORD)}
    notes = {"argocd.argoproj.io/tracking-id": ODD, "openshift.io/internal-registry-auth-token.service-account": ODD}
    mallory.secret("planted", auth_file(entries), metadata={"labels": OWNER, "annotations": notes})
    mallory.secret("kept", auth_file({HOST: ("robot", PASSWORD)}), metadata={"ownerReferences": owner})
    mallory.secret("opaque", f'{{"auths": {{"a": {{"auth": "{ODD}"}}, "a": 1{"0" * 400}}}}}', key="config.json")
    bytes_of = b64(b'{"auths": {"\xff\xfe\x00": {"auth": "\xed\xa0\x80"}}}')
    raw = {"metadata": {"name": "raw"}, "type": "Opaque", "data": {"config.json": bytes_of}}
    mallory.create_object("secrets", raw)
    listed = [{"name": name} for name in (ODD, "planted", "kept")]
    reference = {"openshift.io/internal-registry-pull-secret-ref": ODD}
    account = {"metadata": {"name": "odd", "annotations": reference}, "imagePullSecrets": listed}
    mallory.create_object("serviceaccounts", {**account, "secrets": [{"name": ODD}]})
    pod = {
        "serviceAccountName": "odd",
        "containers": [{"name": "app", "image": f"{HOST}/a{ODD}"}],
        "imagePullSecrets": [{"name": ODD}],
    }
    mallory.create_object("pods", {"metadata": {"name": "app", "ownerReferences": owner}, "spec": pod})
    return mallory.namespace


def odd_texts(value: Any, place: str = "") -> Iterator[str]:
    """Yield the places of characters from `STEERING` in a JSON-like value."""
    if isinstance(value, str):
        yield from [f"{place}: {value!a}"] if STEERING & {*value} else []
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from odd_texts(name, f"{place} key")
            yield from odd_texts(part, f"{place}.{name}")
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from odd_texts(part, f"{place}[{at}]")


def test_results_of_all_modules_hold_no_steering_letter(lab, run, project):
    found = {}
    for at, (module, options) in enumerate(LOOKS):
        result = run(module, namespaces=[project], check=True, **options)
        assert project in result["_output"], (module, result.get("msg"))
        assert "\n" not in result.get("msg", ""), module
        found[f"{at} {module}"] = [*odd_texts({name: part for name, part in result.items() if name != "_output"})]
    for most in ("0", "100%"):
        result = run("pull_access_prune", check=True, owner="platform", max_prune=most, **NOTHING)
        assert "\n" not in result.get("msg", "")
        found[f"prune {most}"] = [*odd_texts({name: part for name, part in result.items() if name != "_output"})]
    assert {name: places for name, places in found.items() if places} == {}


def test_no_result_of_a_module_has_a_login_from_the_name_of_an_image(lab, run, mallory: ProjectUser):
    """Readers of a report may not read her pods. No image has such a name, and the API server accepts it."""
    images = [f"https://robot:{PASSWORD}@{HOST}/a:v1", f"robot:{PASSWORD}@{HOST}/a:v1", f"{HOST}/a?token={PASSWORD}"]
    spec = {"containers": [{"name": f"c{at}", "image": image} for at, image in enumerate(images)]}
    mallory.secret("planted", auth_file({HOST: ("robot", "another-1")}))
    mallory.create_object(
        "pods", {"metadata": {"name": "app"}, "spec": {**spec, "imagePullSecrets": [{"name": "planted"}]}}
    )
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": spec}
    body = {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": labels}, "template": template}}
    lab.api("POST", f"/apis/apps/v1/namespaces/{mallory.namespace}/deployments", body)
    for module, options in (each for each in LOOKS if each[0].startswith("pull_access")):
        result = run(module, namespaces=[mallory.namespace], check=True, **options)
        assert not result["failed"], (module, result["msg"])
        assert PASSWORD not in result["_output"], module


def test_a_planted_password_masks_no_name_of_another_project(run, mallory: ProjectUser, namespaces):
    """Credentials of the cluster are masked everywhere in the result. She uses the name of another project as a password."""
    (victim,) = namespaces(1)
    mallory.secret("planted", auth_file({HOST: ("robot", victim), "quay.example.com": ("robot", "shared-pull")}))
    login = {"registry": HOST, "username": "team", "password": PASSWORD}
    assert run("pull_secret", namespaces=[victim], name="shared-pull", registries=[login])["changed"]
    result = run("pull_access_export", namespaces=[mallory.namespace, victim], credentials="placeholder")
    declared = {(entry["name"], *entry["namespaces"]) for entry in result["private_registry_secrets"]}
    assert declared == {("planted", mallory.namespace), ("shared-pull", victim)}
    assert PASSWORD not in result["_output"]


def test_diff_on_a_terminal_holds_no_steering_letter(lab, project, tmp_path: Path):
    playbook = tmp_path / "prune.yml"
    task = {"owner": "platform", "max_prune": "100%", "kubeconfig": lab.kubeconfig, **NOTHING}
    tasks = [
        {"openshift_ops.image_pull.pull_access_prune": task, "register": "pruned"},
        {"ansible.builtin.debug": {"var": "pruned"}},
    ]
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    done = play(playbook, "localhost,", "--diff", "-v", "-c", "local").succeeded()
    assert f"before: RoleBinding {project}/x" in done.output
    assert sorted(STEERING & {*done.output}) == []
    assert not any(line.startswith("TASK [approved]") for line in done.output.splitlines())
    assert PASSWORD not in done.output


def test_a_name_of_many_pages_does_not_fill_the_log(run, mallory: ProjectUser):
    plant_binding(mallory, "n" * 200_000, "s" * 600_000, labels=OWNER)
    result = run("pull_access_prune", check=True, owner="platform", max_prune="0", **NOTHING)
    assert result["failed"]
    assert len(result["_output"]) < 400_000
    assert len(result["msg"]) < 70_000
    audit = run("pull_access_audit", namespaces=[mallory.namespace], cluster_name="lab")
    assert not audit["failed"]
    assert len(audit["_output"]) < 400_000


def test_files_of_an_audit_hold_no_steering_letter(lab, project, tmp_path: Path):
    source = tmp_path / "audit.json"
    name = "openshift_ops.image_pull.pull_access"
    audit = {"namespaces": [project], "cluster_name": "lab", "kubeconfig": lab.kubeconfig, "dest": str(source)}
    files = {kind: str(tmp_path / f"report.{kind}") for kind in ("html", "json", "junit")}
    tasks = [{f"{name}_audit": audit}, {f"{name}_report": {"src": [str(source)], "title": ODD, **files}}]
    playbook = tmp_path / "audit.yml"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    play(playbook, "localhost,", "-c", "local").succeeded()
    for path in (source, *map(Path, files.values())):
        assert sorted(STEERING & {*path.read_text(encoding="utf-8")}) == [], path
    # The files contain the same text in another encoding.
    for path in (source, Path(files["json"])):
        (cluster,) = json.loads(path.read_text(encoding="utf-8"))["clusters"]
        assert any(row["subject"] == f"User {ODD}" for row in cluster["pullers"]), path
    ElementTree.parse(files["junit"])


def test_a_what_if_answer_holds_no_steering_letter(lab, mallory: ProjectUser, project, tmp_path: Path):
    """She can put images with plain names into the list of images to copy, but no other text."""
    file, image = tmp_path / "what-if.json", f"{HOST}/team/app:v1"
    owner = [{"apiVersion": "v1", "kind": ODD, "name": ODD, "uid": "1", "controller": True}]
    pod = {
        "containers": [{"name": "app", "image": image}],
        "imagePullSecrets": [{"name": ODD}, {"name": "planted"}],
    }
    mallory.create_object("pods", {"metadata": {"name": "affected", "ownerReferences": owner}, "spec": pod})
    changes = [{"remove_secrets": {"name": "planted"}}, {"unreachable_registries": [HOST]}]
    options = {"namespaces": [project], "changes": changes, "kubeconfig": lab.kubeconfig, "show": True}
    name = "openshift_ops.image_pull.pull_access_what_if"
    tasks = [
        {name: options, "register": "answer"},
        {"ansible.builtin.debug": {"var": "answer"}},
        {name: {**options, "dest": str(file)}},
    ]
    playbook = tmp_path / "what-if.yml"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    done = play(playbook, "localhost,", "-v", "-c", "local").succeeded()
    text = file.read_text(encoding="utf-8")
    assert sorted(STEERING & {*done.output}) == sorted(STEERING & {*text}) == []
    assert not any(line.strip().startswith("TASK [approved]") for line in done.output.splitlines())
    assert PASSWORD not in done.output + text
    document = json.loads(text)
    # No node can pull the image with an odd name, so only the other one is affected.
    assert (document["counts"]["not_affected"], [row["image"] for row in document["containers"]]) == (1, [image])
    assert document["images_to_mirror"]["images"] == [image]
