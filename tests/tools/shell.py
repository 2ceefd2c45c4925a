# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the user's shell. If the lab in this directory runs and no other cluster is chosen, the shell uses it.

usage: prepare.py newest python tests/tools/shell.py LAB_DIRECTORY
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ROTATION = (
    "The lab has no node, so a rotation needs credential_rotation_probe: false, and no controller that creates the pods of a Deployment. lab.json in "
    "that folder has the logins of the registries. Another login for a rotation:"
)


def lab_variables(directory: Path) -> list[str]:
    """Return the lines of an inventory with which playbooks reach the registries of the lab."""
    data = json.loads((directory / "lab.json").read_text(encoding="utf-8"))
    registries, names = data["registries"].values(), ("host", "realm_host")
    # A registry on loopback is asked only if an option names it.
    hosts = [repr(host) for registry in registries for name in names if (host := registry.get(name))]
    return [
        f"image_pull_registry_ca_cert: {data['ca_cert']}",
        f"image_pull_realm_hosts: [{', '.join(dict.fromkeys(hosts))}]",
    ]


def main() -> None:
    directory, own = Path(sys.argv[1]), os.environ.get("KUBECONFIG")
    where = "~/.kube/config" if own is None else f"KUBECONFIG={own}"
    uses = f"This shell uses your own cluster ({where})"
    if not (directory / "lab.json").is_file():
        print(f"No lab runs in {directory}. {uses}. 'make lab-up' starts one.", flush=True)
    elif own is not None:
        print(f"{uses}. Unset KUBECONFIG to use the lab in {directory}.", flush=True)
    else:
        os.environ["KUBECONFIG"] = str(directory / "kubeconfig")
        told = "\n".join(f"  {line}" for line in lab_variables(directory))
        print(f"This shell uses the lab in {directory}. For its registries, an inventory needs:\n{told}")
        print(
            f"{ROTATION} '$IMAGE_PULL_LAB registry --dir {directory} --add robot-2 private', and '--disable' refuses one.",
            flush=True,
        )
    # The tests need no warning of a command without -i. A user does.
    for name in ("ANSIBLE_INVENTORY_UNPARSED_WARNING", "ANSIBLE_LOCALHOST_WARNING"):
        os.environ.pop(name, None)
    shell = os.environ.get("SHELL", "sh")
    os.execvp(shell, [shell])


if __name__ == "__main__":
    main()
