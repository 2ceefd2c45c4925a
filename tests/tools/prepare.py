# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes what the demo and the tests run in, once, in a cache, and runs a command there.

usage: prepare.py newest|oldest|bench|browser|awx|node|lab COMMAND [ARGUMENT ...]

A Python environment from tests/requirements/NAME.txt (`lab`: none, the lab alone), the lab's binary from tests/lab, and the
collection under the path that Ansible wants. The cache is IMAGE_PULL_CACHE, or openshift_ops.image_pull in the user's cache.
`browser` also needs Chromium, which root gets from Debian's package.
Only the standard library is used: this runs before anything is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: The Pythons that may run each environment, the best first.
PYTHONS = {
    "newest": (13, 12),
    "oldest": (10, 11, 12),
    "bench": (13, 12),
    "browser": (13, 12),
    "awx": (13, 12),
    "node": (13, 12),
}
GO = "1.26"


def main() -> int:
    name, *command = sys.argv[1:] or [""]
    if name not in (*PYTHONS, "lab") or not command:
        sys.exit("usage: prepare.py newest|oldest|bench|browser|awx|node|lab COMMAND [ARGUMENT ...]")
    binary, path = lab(), os.environ["PATH"]
    variables = {
        "IMAGE_PULL_LAB": str(binary),
        "PATH": f"{binary.parent}{os.pathsep}{path}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if name == "browser":
        variables["IMAGE_PULL_CHROMIUM"] = chromium()
    if name != "lab":
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
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }
    os.environ.update(variables)
    os.environ.pop("PYENV_VERSION", None)
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execvp(command[0], command)


def cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = Path(os.environ.get("IMAGE_PULL_CACHE") or home / "openshift_ops.image_pull")
    found.mkdir(parents=True, exist_ok=True)
    return found


def environment(name: str) -> Path:
    """A virtual environment with the pinned packages of that name."""
    python, version = find_python(PYTHONS[name])
    requirements = ROOT / "tests" / "requirements" / f"{name}.txt"
    home = cache() / f"{name}-{digest([requirements], version)}"
    with made_once(home) as todo:
        if todo:
            say(f"making the {name} environment (Python {version})")
            call([*python, "-m", "venv", str(home)])
            call(
                [
                    str(home / "bin" / "pip"),
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "-r",
                    str(requirements),
                ]
            )
    return home


def find_python(minors: tuple[int, ...]) -> tuple[list[str], str]:
    """The first of the Pythons that is here, on the path or kept by pyenv."""
    for minor in minors:
        for command in ([f"python3.{minor}"], ["python3"], *pyenv(minor)):
            version = output([*command, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
            if version == f"3.{minor}":
                return command, version
    sys.exit(f"prepare.py: no Python among {', '.join(f'3.{minor}' for minor in minors)} is installed; install one")


def pyenv(minor: int) -> Iterator[list[str]]:
    """The interpreters themselves: pyenv's shims run whichever version is selected."""
    for version in reversed(output(["pyenv", "versions", "--bare"]).split()):
        if version.startswith(f"3.{minor}."):
            yield [str(Path(output(["pyenv", "prefix", version])) / "bin" / "python3")]


def lab() -> Path:
    """The lab's binary; the first build takes minutes, since it holds a whole control plane."""
    return go_program("lab", ROOT / "tests" / "lab", "about five minutes", "-tags", "containers_image_openpgp")


def kubectl() -> Path:
    """The benchmark's kubectl."""
    return go_program("kubectl", ROOT / "tests" / "bench" / "kubectl", "about a minute")


def chromium() -> str:
    """The path of Chromium. Where it is missing, root installs Debian's package; no browser is downloaded from elsewhere."""
    if not find_chromium() and os.geteuid() == 0 and shutil.which("apt-get"):
        say("installing Debian's package chromium")
        call(["apt-get", "update", "-qq"])
        call(
            ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
            DEBIAN_FRONTEND="noninteractive",
        )
    found = find_chromium()
    if not found:
        sys.exit(
            "prepare.py: the report is tested in Chromium, which is not installed: install Debian's package chromium, or put "
            "a program of that name into PATH"
        )
    return found


def find_chromium() -> str:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")


def go_program(name: str, source: Path, duration: str, *flags: str) -> Path:
    files = sorted(path for path in source.rglob("*") if path.name in ("go.mod", "go.sum") or path.suffix == ".go")
    home = cache() / f"{name}-{digest(files, GO)}"
    with made_once(home) as todo:
        if todo:
            if not shutil.which("go"):
                sys.exit(f"prepare.py: {name} is built with Go {GO} or newer, which is not installed; install it")
            say(f"building {name} ({duration} the first time, then cached)")
            command = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-buildvcs=false", *flags]
            home.mkdir()
            call([*command, "-o", str(home / name), "."], cwd=source, CGO_ENABLED="0", GOFLAGS="-mod=readonly")
    return home / name


def checkout() -> Path:
    """A folder in which this checkout stands where Ansible looks for the collection."""
    collections = cache() / f"collections-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"
    link = collections / "ansible_collections" / "openshift_ops" / "image_pull"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(ROOT)
    return collections


@contextmanager
def made_once(home: Path) -> Iterator[bool]:
    """Yields whether `home` has to be made; one process at a time, and from the start when an earlier one was ended."""
    done = home / ".complete"
    with (home.parent / f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists():
            yield False
            return
        shutil.rmtree(home, ignore_errors=True)
        yield True
        done.touch()


def digest(files: list[Path], *more: str) -> str:
    total = hashlib.sha256("\0".join(more).encode())
    for path in files:
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:12]


def call(command: list[str], cwd: Path | None = None, **variables: str) -> None:
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **variables}, stdout=sys.stderr, check=False)
    if done.returncode:
        sys.exit(f"prepare.py: this failed with status {done.returncode}: {' '.join(command)}")


def output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def say(text: str) -> None:
    print(f"prepare.py: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
