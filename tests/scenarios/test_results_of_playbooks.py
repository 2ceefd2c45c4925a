# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each playbook ends with one line of result in the terminal, after few headings."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.lab import Lab
from support.playbooks import Play, play, variables_file

#: Hides skipped tasks with their headings. Ansible reads this only from its settings.
QUIET = {"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false"}


def line_of(done: Play) -> str:
    """Return the message of the last task of a run, which is the task Result, or that of the part of a rotation that ended it."""
    _before, found, end = done.output.rpartition("TASK [")
    assert found and re.match(r"Result( of the (plan|wave))?\]", end), done.output
    return re.findall(r'"msg": "(.*)"', end)[0]


def headings(done: Play) -> int:
    return len(re.findall(r"^TASK \[", done.output, re.MULTILINE))


class Cluster:
    """Two teams on the lab, one with two namespaces and one with one."""

    def __init__(self, lab: Lab, namespaces: list[str], directory: Path) -> None:
        self.lab, self.directory, self.namespaces = lab, directory, namespaces
        one, two, three = namespaces
        registry = lab.registry("private")
        account = registry["accounts"][0]
        self.old = {"username": account["username"], "password": account["password"]}
        entry = {"registries": [{"registry": registry["host"], **self.old}], "verify": True}
        entry |= {"registry_ca_cert": lab.data["ca_cert"]}
        self.variables: dict[str, Any] = {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "image_pull_kubeconfig": lab.kubeconfig,
            "private_registry_secrets_team_a": [{"name": f"pull-{one}", "namespaces": [one, two], **entry}],
            "private_registry_secrets_team_b": [{"name": f"pull-{one}", "namespaces": [three], **entry}],
        }

    def play(self, playbook: str, *options: str, environment: dict[str, str] | None = None, **variables: Any) -> Play:
        inventory = self.directory / "hosts.yml"
        hosts = {"all": {"hosts": {"my-cluster": {**self.variables, **variables}}}}
        inventory.write_text(variables_file(hosts))
        return play(playbook, inventory, *options, cwd=self.directory, **(environment or {}))


@pytest.fixture
def cluster(lab: Lab, namespaces: Callable[..., list[str]], tmp_path: Path) -> Cluster:
    return Cluster(lab, namespaces(3), tmp_path)


def test_site_and_teardown_print_one_result_line(cluster: Cluster) -> None:
    checked = cluster.play("site", "--check")
    assert line_of(checked) == "2 of 2 teams, 3 namespaces: would create 3 secrets, add 3 links, verified 1 login"
    done = cluster.play("site", environment=QUIET)
    assert line_of(done) == "2 of 2 teams, 3 namespaces: 3 secrets created, 3 links, verified 1 login"
    assert headings(done) == 2
    # The line never contains a name that a user of the cluster chose. A missing namespace fails alone.
    missing = cluster.variables["private_registry_secrets_team_b"][0] | {"namespaces": ["is-not-there"]}
    failed = cluster.play("site", private_registry_secrets_team_b=[missing])
    assert failed.status
    assert (
        line_of(failed)
        == "2 teams, 3 namespaces: verified 1 login, failed in 1 namespace: the line above that begins with fatal: or failed: says why"
    )
    done = cluster.play("teardown", environment=QUIET)
    assert line_of(done) == "2 of 2 teams, 3 namespaces: 3 secrets removed, 3 links removed"
    assert headings(done) == 2


@pytest.mark.slow
def test_rotate_audit_and_export_print_one_result_line(cluster: Cluster) -> None:
    lab = cluster.lab
    assert cluster.play("site").status == 0
    lab.registry_set("private", "--add", "robot-of-the-result")
    new = next(one for one in lab.registry("private")["accounts"] if one["username"] == "robot-of-the-result")
    rotation = {
        "credential_rotation_registries": [lab.registry("private")["host"]],
        "credential_rotation_old": cluster.old,
        "credential_rotation_new": {"username": new["username"], "password": new["password"]},
        "credential_rotation_registry_ca_cert": lab.data["ca_cert"],
        # Without the namespaces of a test before this one, which may still be in deletion.
        "credential_rotation_namespace_selector": {"include": cluster.namespaces},
    }
    nowhere = {**rotation, "image_pull_kubeconfig": str(cluster.directory / "none")}
    unplanned = cluster.play("rotate", environment=QUIET, **nowhere)
    assert unplanned.status
    assert line_of(unplanned) == (
        "no secret changed, the old login is not retired, stopped: the line above that begins with fatal: or failed: says why"
    )
    old = cluster.old["username"]
    rotated = cluster.play("rotate", environment=QUIET, **rotation).succeeded()
    assert line_of(rotated) == (
        f"3 secrets updated in 3 namespaces, 0 confirmed secrets left with the old login, the old login ({old}) is not retired: "
        "replace it in the inventory, and run again with credential_rotation_retire_tasks. Or wait until no pod needs it, disable it at the "
        "registry, and run again with -e credential_rotation_verify_revoked=true"
    )
    assert rotated.output.count("TASK [Result]") == 1
    # The registry still accepts the old login.
    unretired = cluster.play("rotate", environment=QUIET, **rotation, credential_rotation_verify_revoked=True)
    assert unretired.status
    assert line_of(unretired) == (
        f"no secret changed, 0 confirmed secrets left with the old login, the old login ({old}) is not retired, "
        "stopped: the line above that begins with fatal: or failed: says why"
    )
    audited = cluster.play("audit", environment=QUIET)
    assert re.fullmatch(
        r"1 cluster: found \d+ errors?( of .*)?, \d+ warnings?( of .*)?, \d+ infos?, report: .*/pull-access.html"
        r"(; \d+ containers? not known, see rule pull-not-known)?"
        r"(; \d+ containers? with a login that was not tested: run again with -e ask_registries=true)?",
        line_of(audited),
    )
    assert headings(audited) <= 12
    places = cluster.variables["private_registry_secrets_team_a"][0]["namespaces"]
    options = {"image_pull_export_namespaces": places, "image_pull_export_credentials": "placeholder"}
    exported = cluster.play("export", **options, image_pull_export_dest=str(cluster.directory / "made"))
    written = cluster.directory / "made" / "host_vars" / "my-cluster" / "image_pull.yml"
    assert line_of(exported).startswith(f"1 secret and 0 grants of 2 namespaces written to {written}"), exported.output


def test_a_cluster_that_fails_ends_the_rotation_on_all_clusters(cluster: Cluster, tmp_path: Path) -> None:
    """Also before ansible-core 2.17, where `always` keeps a failure from ending the run on the other clusters."""
    rotation = {
        "credential_rotation_registries": [cluster.lab.registry("private")["host"]],
        "credential_rotation_old": cluster.old,
        "credential_rotation_new": {**cluster.old, "password": "of-no-use"},
        "credential_rotation_verify": False,
        "credential_rotation_namespace_selector": {"include": cluster.namespaces},
    }
    usual = {**cluster.variables, **rotation, "image_pull_kubeconfig": cluster.lab.kubeconfig}
    hosts = {"east": usual, "west": {**usual, "image_pull_kubeconfig": str(tmp_path / "none")}}
    inventory = tmp_path / "clusters.yml"
    inventory.write_text(variables_file({"all": {"hosts": hosts}}))
    with cluster.lab.no_writes():
        done = play("rotate", inventory, "-e", '{"credential_rotation_waves": ["100%"]}', cwd=tmp_path)
    assert done.status
    assert "Rotate in all namespaces" not in done.output
    # The plan of the other cluster, which names the user, may not be there yet.
    found = line_of(done).replace(f" ({cluster.old['username']})", "")
    assert (
        found
        == "no secret changed, the old login is not retired, stopped: the line above that begins with fatal: or failed: says why"
    )


def test_global_pull_secret_prints_a_result_line_if_its_plan_is_refused(cluster: Cluster) -> None:
    done = cluster.play("global_pull_secret")
    assert done.status
    assert (
        line_of(done) == "pull secret of the nodes: stopped: the line above that begins with fatal: or failed: says why"
    )


@pytest.mark.slow
def test_automation_account_prints_one_result_line(cluster: Cluster, namespace: str) -> None:
    kubeconfig = cluster.directory / "account.kubeconfig"
    options = {
        "automation_account_namespace": namespace,
        "automation_account_name": "robot",
        "automation_account_jobs": ["secrets"],
        "automation_account_namespaces": [namespace],
        "automation_account_token_seconds": 3600,
        "automation_account_kubeconfig": str(kubeconfig),
    }
    made = cluster.play("automation_account", environment=QUIET, **options)
    found = re.fullmatch(
        rf"account {namespace}/robot: .*1 service account created, kubeconfig is in {kubeconfig}, its token ends \S+Z",
        line_of(made),
    )
    assert found, made.output
    assert headings(made) == 3


@pytest.mark.parametrize(
    ("playbook", "given", "line"),
    [
        ("explain", "", "stopped: the line above that begins with fatal: or failed: says why"),
        ("what_if", "", "stopped: the line above that begins with fatal: or failed: says why"),
        (
            "automation_account",
            "",
            "account image-pull: stopped: the line above that begins with fatal: or failed: says why",
        ),
    ],
)
def test_a_playbook_that_refuses_its_variables_prints_a_result_line(
    cluster: Cluster, playbook: str, given: str, line: str
) -> None:
    done = cluster.play(playbook, *(["-e", given] if given else []), environment=QUIET).failed()
    assert line_of(done) == line


def test_an_explanation_ends_with_the_number_of_each_verdict(cluster: Cluster) -> None:
    account, image = f"{cluster.namespaces[0]}/default", "quay.example.com/team/app:v1"
    done = cluster.play("explain", "-e", f"account={account}", "-e", f"image={image}", environment=QUIET)
    assert (done.status, line_of(done)) == (
        0,
        "1 container, not known: 1; to ask the registries, add -e ask_registries=true",
    )
