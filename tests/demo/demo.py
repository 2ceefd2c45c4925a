# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Demonstrates the main job: an inventory gives pull access to projects that cannot pull.

Every command is printed as it can be typed in a shell of `make shell`. The demo checks all its claims, and ends with status 1
if one of them is wrong.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes.client import CoreV1Api
from kubernetes.config import new_client_from_config

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = "openshift_ops.image_pull"


@dataclass
class Scenario:
    """A pod that cannot pull until the inventory is applied. `seen` holds the node's messages, step by step."""

    title: str
    project: str
    image: str
    seen: list[bool] = field(default_factory=list)


class Unexpected(Exception):
    """A claim of the demo is wrong."""


@dataclass
class Demo:
    lab_dir: Path
    own_cluster: str | None
    prefix: str
    scenarios: list[Scenario] = field(default_factory=list)

    @property
    def inventory(self) -> Path:
        return self.lab_dir / "inventory"

    def run(self) -> None:
        self.start()
        before = self.platform_entries()
        say(
            "1. Pods that cannot pull",
            "A node takes the pull secrets that the pod got from its service account, and tries.",
        )
        self.judge(expected=False)
        say("2. What would change", "Check mode writes nothing, and the diff names registries but no credential.")
        self.play("site", "--check", "--diff", show_diff=True)
        say("3. Apply the inventory", "Secrets, links and grants, each written once.")
        self.play("site")
        print("\n   Admission gives a pod its pull secrets once, when it is created, so the pods are created again.")
        self.judge(expected=True)
        say("4. Apply it again", "Everything is as declared: nothing is written.")
        self.play("site", unchanged=True)
        say("5. Take it back", "Only what site.yml gave. The platform's own entries stay.")
        self.play("teardown")
        self.judge(expected=False)
        self.compare(before, self.platform_entries())

    def start(self) -> None:
        own = ["--kubeconfig", self.own_cluster] if self.own_cluster else []
        where = (
            "registries only, your cluster is used"
            if own
            else "a control plane, OpenShift's provisioner, three registries"
        )
        say("The lab", f"Real parts on loopback: {where}.")
        self.lab("up", "--dir", str(self.lab_dir), *own)
        data = json.loads((self.lab_dir / "lab.json").read_text())
        registries, prefix = data["registries"], self.prefix
        self.scenarios = [
            Scenario("private registry", f"{prefix}project-a", registries["private"]["image"]),
            Scenario("registry that delegates its login", f"{prefix}project-c", registries["delegated"]["image"]),
        ]
        if not own:
            shared = Scenario(
                "image stream of another project", f"{prefix}project-d", registries["integrated"]["image"]
            )
            self.scenarios.append(shared)
            self.lab(
                "run", "--dir", str(self.lab_dir), f"{prefix}project-b", "owner", registries["integrated"]["image"]
            )
        else:
            print("   A pull from another project needs your cluster's own registry, so that scenario is left out.")
        self.secrets = [account["password"] for one in registries.values() for account in one.get("accounts", [])]
        generate = ["--lab-dir", self.lab_dir, "--output-dir", self.inventory, "--projects-prefix", prefix]
        generate += ["--without-grants"] if own else []
        show(["python", "extensions/molecule/shared/lab_inventory.py", *generate])

    def judge(self, *, expected: bool) -> None:
        for scenario in self.scenarios:
            self.lab("run", "--dir", str(self.lab_dir), scenario.project, "app", scenario.image)
            done = self.lab("pull", "--dir", str(self.lab_dir), scenario.project, "app", accept=(0, 1))
            scenario.seen.append(done.returncode == 0)
            if scenario.seen[-1] is not expected:
                raise Unexpected(f"{scenario.title}: the pod {'can' if scenario.seen[-1] else 'cannot'} pull")

    def play(self, playbook: str, *options: str, show_diff: bool = False, unchanged: bool = False) -> None:
        command = ["ansible-playbook", "-i", self.inventory, f"{PLAYBOOK}.{playbook}", *options]
        done = show(command, quiet=True)
        print(indent(interesting(done.stdout, show_diff)))
        for secret in self.secrets:
            if any(form in done.stdout + done.stderr for form in (secret, base64.b64encode(secret.encode()).decode())):
                raise Unexpected("a credential is in the output")
        if unchanged and re.search(r"changed=[^0]", done.stdout):
            raise Unexpected("the second run changed something")

    def platform_entries(self) -> dict[str, Any]:
        """The pull list of each project's default account, read once the pods' projects exist."""
        for scenario in self.scenarios:
            self.lab("run", "--dir", str(self.lab_dir), scenario.project, "app", scenario.image, quiet=True)
        time.sleep(1)
        api = CoreV1Api(new_client_from_config(json.loads((self.lab_dir / "lab.json").read_text())["kubeconfig"]))
        accounts = {one.project: api.read_namespaced_service_account("default", one.project) for one in self.scenarios}
        return {name: [entry.name for entry in account.image_pull_secrets or []] for name, account in accounts.items()}

    def compare(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        print("\n   The pull lists of the accounts, before and after:")
        for project, names in before.items():
            print(f"     {project}: {names} -> {after[project]}")
        if before != after:
            raise Unexpected("an account does not hold what it held before")

    def table(self) -> None:
        print(f"\n{'scenario':<36}{'before':<14}{'with site.yml':<16}{'after teardown.yml'}")
        for scenario in self.scenarios:
            words = ["pulls" if pulled else "cannot pull" for pulled in scenario.seen] + ["-"] * 3
            print(f"{scenario.title:<36}{words[0]:<14}{words[1]:<16}{words[2]}")

    def lab(
        self, *arguments: str, accept: tuple[int, ...] = (0,), quiet: bool = False
    ) -> subprocess.CompletedProcess[str]:
        return show(["lab", *arguments], accept=accept, silent=quiet)


def show(
    command: list[Any], accept: tuple[int, ...] = (0,), *, quiet: bool = False, silent: bool = False
) -> subprocess.CompletedProcess[str]:
    """Print a command and its output. `quiet`: only the command. `silent`: neither."""
    words = [str(word) for word in command]
    if not silent:
        print(f"\n   $ {shlex.join(words)}", flush=True)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode not in accept:
        raise Unexpected(f"{shlex.join(words)} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
    if not quiet and not silent and done.stdout.strip():
        print(indent(done.stdout))
    return done


def interesting(output: str, diff: bool) -> str:
    """The interesting lines of a playbook run: changes, the diff if it is requested, and the recap."""
    lines = output.splitlines()
    if not diff:
        titles = [(index, line) for index, line in enumerate(lines) if line.startswith("TASK ")]
        kept = []
        for number, (index, title) in enumerate(titles):
            end = titles[number + 1][0] if number + 1 < len(titles) else len(lines)
            states = [line for line in lines[index:end] if line.startswith("changed:")]
            kept += [re.sub(r" \*+$", "", title), *states] if states else []
        lines = [*kept, *[line for line in lines if re.match(r"\S+\s+: ok=", line)]]
    return "\n".join(line for line in lines if line.strip() and not line.startswith(("skipping", "included")))


def indent(text: str) -> str:
    return "\n".join(f"     {line}" for line in text.strip().splitlines())


def say(title: str, words: str) -> None:
    print(f"\n\n{title}\n{'-' * len(title)}\n   {words}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lab-dir", type=Path, required=True)
    parser.add_argument(
        "--kubeconfig",
        help="a cluster of your own instead of the lab's. The demo creates the projects image-pull-demo-* in it",
    )
    parser.add_argument("--keep", action="store_true", help="leave the lab running")
    options = parser.parse_args()
    demo = Demo(options.lab_dir, options.kubeconfig, "image-pull-demo-" if options.kubeconfig else "")
    status = 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        demo.run()
    except Unexpected as error:
        print(f"\nThe demo stops here: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        status = 130
    finally:
        if not options.keep:
            subprocess.run(["lab", "down", "--dir", str(options.lab_dir)], check=False, stdout=subprocess.DEVNULL)
    if demo.scenarios:
        demo.table()
    print_next_steps(options, began=bool(demo.scenarios))
    return status


def print_next_steps(options: argparse.Namespace, *, began: bool) -> None:
    """Print the next steps for the user. `began`: whether projects may exist."""
    shell = f"'make shell LAB_DIR={options.lab_dir}'"
    if options.keep:
        ends = f"'make lab-down LAB_DIR={options.lab_dir}'"
        print(f"\nThe lab is still there. {shell} gives a shell for the commands above. {ends} ends it.")
    else:
        print(
            f"\nThe lab is gone. 'make demo KEEP=1' leaves it running, and {shell} then gives a shell for the commands above."
        )
    if options.kubeconfig and began:
        print("The projects image-pull-demo-* are left in your cluster, with a pod each. Delete them when you like.")


if __name__ == "__main__":
    sys.exit(main())
