# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw docs/pictures/session.svg: a terminal session, run on the lab, with the names of the first guide.

usage: prepare.py newest python tests/tools/session.py LAB_DIR

Use a lab that nothing else has changed. The picture shows the printed output. Lines are left out and cut, and the guide's names
replace the lab's addresses.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

import processes
import yaml

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "pictures" / "session.svg"
SITE = "ansible-playbook openshift_ops.image_pull.site -i inventory"
EXPLAIN = "ansible-playbook openshift_ops.image_pull.explain -i inventory -e"
#: Each command, and the part of its output that is shown.
SCENES = (
    (f"{SITE} --check --diff", r"(\+\+\+ after: S.*|\+ .*(registry|team-).*| +\"msg\": .*)"),
    (SITE, r"(changed: .*| +\"msg\": .*)"),
    (SITE, r" +\"msg\": .*"),
    (
        f"{EXPLAIN} pod=project-c/app -e ask_registries=true",
        r"(Pod project-c.*|(cannot pull|not known).*| +(ok|NO|\?) .*|This .*|what fixes it:|- name: .*| +\"msg\": .*)",
    ),
)
WIDTH, LINE, SIZE, COLUMNS = 980, 19, 13.5, 114
COLOURS = (
    (r"\$ ", "command"),
    (r"\+", "good"),
    (r" +ok |ok:", "good"),
    (r" +NO |cannot pull|not known", "bad"),
    (r"changed: ", "changed"),
    (r' +"msg": .*nothing changed', "good"),
    (r' +"msg": .*cannot pull', "bad"),
    (r' +"msg": ', "changed"),
)
STYLE = """
    svg { --ink: #24292f; --page: #f6f8fa; --edge: #d0d7de; --good: #116329; --bad: #b3261e; --changed: #855000; --command: #0b5fa5 }
    @media (prefers-color-scheme: dark) {
      svg { --ink: #e6edf3; --page: #0d1117; --edge: #30363d; --good: #56d364; --bad: #ff7b72; --changed: #e3b341; --command: #79b8ff }
    }
    text { fill: var(--ink); font-family: ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre }
    .good { fill: var(--good) } .bad { fill: var(--bad) } .changed { fill: var(--changed) } .command { fill: var(--command); font-weight: 600 }
"""


def main() -> int:
    lab = Path(sys.argv[1])
    data = json.loads((lab / "lab.json").read_text(encoding="utf-8"))
    registry = data["registries"]["private"]
    names = {
        registry["host"]: "registry.example.com",
        re.sub(r"\W", "-", registry["host"]): "registry-example-com",
        data["registries"]["integrated"]["host"]: "image-registry.openshift-image-registry.svc:5000",
    }
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        declare(folder / "inventory", data, registry)
        for namespace in ("project-a", "project-b", "project-c"):
            run(["lab", "run", "--dir", str(lab), namespace, "app", registry["image"]], folder, data["ca_cert"])
        lines: list[str] = []
        for command, shown in SCENES:
            printed = run(["bash", "-c", command], folder, data["ca_cert"])
            for real, name in names.items():
                printed = printed.replace(real, name)
            lines += [
                f"$ {command}",
                *(line.rstrip() for line in printed.splitlines() if re.fullmatch(shown, line)),
                "",
            ]
    PICTURE.write_text(draw(lines[:-1]), encoding="utf-8")
    return 0


def declare(inventory: Path, data: dict, registry: dict) -> None:
    account = registry["accounts"][0]
    entry = {"registry": registry["host"], "username": account["username"], "password": account["password"]}
    secrets = [{"name": "team-registry", "namespaces": ["project-a", "project-b"], "registries": [entry]}]
    variables = {
        "private_registry_secrets": secrets,
        "image_pull_kubeconfig": data["kubeconfig"],
        "image_pull_realm_hosts": [registry["host"]],
    }
    inventory.mkdir()
    (inventory / "hosts.yml").write_text(
        yaml.safe_dump({"all": {"hosts": {"my-cluster": None}, "vars": variables}}), encoding="utf-8"
    )


def run(command: list[str], folder: Path, authorities: str) -> str:
    variables = {**os.environ, "ANSIBLE_NOCOLOR": "1", "REQUESTS_CA_BUNDLE": authorities}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"session.py: {' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def draw(lines: list[str]) -> str:
    height = LINE * len(lines) + 40
    texts = "\n".join(
        f'  <text x="22" y="{30 + LINE * number}" font-size="{SIZE}"{kind(line)}>{escape(cut(line))}</text>'
        for number, line in enumerate(lines)
        if line
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title">
  <!-- Copyright (c) 2026, the openshift_ops.image_pull authors. GPL-3.0-or-later. Drawn by tests/tools/session.py -->
  <title id="title">A terminal session: a dry run, the first run, the second run, and the explanation of a failed pull</title>
  <style>{STYLE}  </style>
  <rect width="{WIDTH}" height="{height}" rx="10" style="fill: var(--page); stroke: var(--edge)"/>
{texts}
</svg>
"""


def cut(line: str) -> str:
    return line if len(line) <= COLUMNS else f"{line[: COLUMNS - 1]}…"


def kind(line: str) -> str:
    return next((f' class="{name}"' for pattern, name in COLOURS if re.match(pattern, line)), "")


if __name__ == "__main__":
    processes.command_line(main)
