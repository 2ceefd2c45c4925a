# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment: ansible-builder accepts the definition, and the packages of its context are enough on a clean Python.

The tests do not build an image, because that needs a registry. Instead they run the context's own scripts, as the build does.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tools.tarball import build, install

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "extensions" / "execution_environment"
BIN = Path(sys.executable).parent
NAME = "openshift_ops.image_pull"


def run(*command: str | Path, **variables: str) -> str:
    # The checkout is on these paths and would count as installed.
    hidden = ("ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(command, capture_output=True, text=True, env={**environment, **variables}, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("context")
    command = [BIN / "ansible-builder", "create", "-f", FOLDER / "execution-environment.yml", "-c", folder]
    run(*command, "--output-filename", "Containerfile")
    return folder


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory, context: Path) -> Path:
    """The collections that the build's galaxy stage installs, from the tarball of this checkout."""
    wanted = yaml.safe_load((context / "_build" / "requirements.yml").read_text())["collections"]
    assert [one["name"] for one in wanted] == [NAME]
    return install(build(tmp_path_factory.mktemp("built")), tmp_path_factory.mktemp("collections"))


def test_the_containerfile_contains_the_base_image_and_the_packages(context: Path) -> None:
    made = (context / "Containerfile").read_text()
    definition = yaml.safe_load((FOLDER / "execution-environment.yml").read_text())
    assert f'EE_BASE_IMAGE="{definition["images"]["base_image"]["name"]}"' in made
    for wanted in ("ansible-core>=2.16", "ansible-runner>=2.4", "python3.12"):
        assert wanted in made


def test_the_installed_requirements_suffice_on_a_clean_python(context: Path, collections: Path, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    introspect = context / "_build" / "scripts" / "introspect.py"
    run(sys.executable, introspect, "introspect", f"--write-pip={requirements}", collections)
    asked = [line.partition("#")[0].strip() for line in requirements.read_text().splitlines()]
    # Automation Hub requires lower bounds, and no ansible.
    assert asked and all(re.fullmatch(r"[\w-]+(>=[\d.]+)?", line) for line in asked)
    assert not any(line.startswith("ansible") for line in asked)

    clean = tmp_path / "python"
    run(sys.executable, "-m", "venv", clean)
    constraints = ROOT / "tests" / "requirements" / "node.txt"
    pip = [clean / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-c", constraints]
    run(*pip, "-r", requirements, "ansible-core>=2.16", "ansible-runner>=2.4")
    variables = {
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "HOME": str(tmp_path),
        "PATH": f"{clean / 'bin'}:/usr/bin:/bin",
    }
    for playbook in sorted((ROOT / "playbooks").glob("*.yml")):
        command = ["-i", "localhost,", "--syntax-check", f"{NAME}.{playbook.stem}"]
        run(clean / "bin" / "ansible-playbook", *command, **variables)
    task = ["-m", f"{NAME}.sa_link", "-a", "host=https://127.0.0.1:1 api_key=x namespaces=a secrets=b", "localhost"]
    done = subprocess.run(
        [clean / "bin" / "ansible", "-i", "localhost,", *task],
        capture_output=True,
        text=True,
        env=variables,
        check=False,
    )
    # The libraries are installed: only the connection fails.
    assert "https://127.0.0.1:1" in done.stdout and "No module named" not in done.stdout, done.stdout
