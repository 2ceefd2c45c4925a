# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write an inventory with variables of the roles for a running lab (tests/lab)."""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import yaml


class Unsafe(str):
    """Text that Ansible must not treat as a template: the lab's passwords contain `{{`."""


class Dumper(yaml.SafeDumper):
    """Write every list and mapping in full, and `Unsafe` with Ansible's tag."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


Dumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lab-dir", type=Path, required=True, help="directory of the running lab")
    parser.add_argument("--output-dir", type=Path, required=True, help="directory of the inventory to write")
    parser.add_argument("--lab-binary", type=Path, help="program of the lab; adds the pull secrets from files")
    parser.add_argument("--projects-prefix", default="", help="prefix for the name of each project")
    parser.add_argument("--without-grants", action="store_true", help="leave out cross-project pulls")
    return parser.parse_args()


def cluster(lab: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of the connection. There is only one cluster."""
    return {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "image_pull_kubeconfig": lab["kubeconfig"],
    }


def login(registry: dict[str, Any], account: int) -> dict[str, Any]:
    found = registry["accounts"][account]
    return {"username": found["username"], "password": Unsafe(found["password"]), "email": "developer@example.com"}


def private_registry(lab: dict[str, Any], prefix: str) -> list[dict[str, Any]]:
    """Project-a pulls from the private registry, with another account for one path."""
    registry = lab["registries"]["private"]
    return [
        {
            "name": "private-registry",
            "namespaces": [f"{prefix}project-a"],
            "registries": [
                {"registry": registry["host"], **login(registry, 0)},
                {"registry": f"{registry['host']}/team", **login(registry, 1)},
            ],
        }
    ]


def from_files(lab: dict[str, Any], binary: Path, output: Path, prefix: str) -> list[dict[str, Any]]:
    """A secret from Docker's file, and one from Podman's."""
    secrets = []
    for tool, name in (("docker", "config.json"), ("podman", "auth.json")):
        path = output / ".auth" / name  # hidden: Ansible reads every other file here as inventory
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.unlink(missing_ok=True)
        command = [binary, "login", "--dir", lab["dir"], "--registry", "private", f"--{tool}", path]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        secrets.append(
            {"name": f"from-{tool}", "namespaces": [f"{prefix}project-a"], "auth_file": str(path), "link_for": ["pull"]}
        )
    return secrets


def delegated_auth(lab: dict[str, Any], prefix: str) -> list[dict[str, Any]]:
    """Project-c pulls from the registry that delegates its login."""
    registry = lab["registries"]["delegated"]
    return [
        {
            "registry": registry["host"],
            "realm_host": registry["realm_host"],
            **login(registry, 1),
            "namespaces": [f"{prefix}project-c"],
        }
    ]


def cross_project_pull(prefix: str) -> list[dict[str, Any]]:
    """Project-a and all of project-d pull the image streams of project-b."""
    return [
        {
            "namespaces": [f"{prefix}project-b"],
            "service_accounts": [{"namespace": f"{prefix}project-a", "name": "default"}],
            "projects": [f"{prefix}project-d"],
        }
    ]


def write(path: Path, data: dict[str, Any]) -> None:
    """Replace the file with one that only its owner can read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8") as file:
        file.write("---\n" + yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000))


def main() -> None:
    options = arguments()
    lab = json.loads((options.lab_dir / "lab.json").read_text(encoding="utf-8"))
    output, prefix = options.output_dir.absolute(), options.projects_prefix
    secrets = private_registry(lab, prefix)
    write(output / "hosts.yml", {"all": {"hosts": {"lab": {}}}})
    if options.lab_binary:
        secrets += from_files(lab, options.lab_binary.absolute(), output, prefix)
    write(output / "host_vars" / "lab" / "cluster.yml", cluster(lab))
    write(output / "group_vars" / "all" / "private_registry.yml", {"private_registry_secrets": secrets})
    registries = delegated_auth(lab, prefix)
    write(output / "group_vars" / "all" / "delegated_auth.yml", {"delegated_auth_registries": registries})
    grants = [] if options.without_grants else cross_project_pull(prefix)
    write(output / "group_vars" / "all" / "cross_project_pull.yml", {"cross_project_pull_grants": grants})


if __name__ == "__main__":
    main()
