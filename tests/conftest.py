# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: a lab that test files share, a fresh namespace for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Without the tests' environment, the first import would fail with an error that does not explain how to start.
_IN_COLLECTION = Path(__file__).parents[3].name == "ansible_collections"
_NEEDED = ("ansible", "hypothesis", "urllib3", *([] if _IN_COLLECTION else ["ansible_collections"]))
if _MISSING := [name for name in _NEEDED if not find_spec(name)]:
    print(
        f"""
The tests need packages that this Python does not find: {", ".join(_MISSING)}.
These commands make the environment and run the tests in it:

  make t T=sa_link   the tests of a module, a room or a file; a test file runs itself
  make check-unit    the unit tests
  make test          all checks that a change must pass
  python3 tests/tools/prepare.py newest python -m pytest {" ".join(sys.argv[1:]) or "tests/unit"}
""",
        file=sys.stderr,
    )
    sys.exit(4)  # pytest's own status for a usage error

import pytest
from hypothesis import HealthCheck, settings

# pyproject.toml sets the same path, but ansible-test uses its own configuration.
sys.path.insert(0, str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parent / "tools"))
# ansible-test imports the collection with its own loader, which the processes started by tests do not have.
if _IN_COLLECTION:
    os.environ["PYTHONPATH"] = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(Path(__file__).parents[4])])

from support.certificates import loopback_certificate
from support.history import History, operations
from support.lab import Lab
from support.modules import run_module

# A background job of a shell ignores some signals, and its child processes would inherit this. Tests of signals need the defaults.
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)

# The machine may be busy, so the duration of an example says nothing about the code. In CI the examples are the same in every run
# of the same code. Elsewhere each run tries other examples.
settings.register_profile(
    "untimed",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("untimed")

#: The number of namespaces with which no further test file gets a lab.
FULL = 150
_numbers = itertools.count()
#: The histories of the running labs, by directory.
_histories: dict[Path, History] = {}


def start_lab(directory: Path, *arguments: str) -> Lab:
    """Start a lab that ends with this process at the latest. The Makefile sets the path of the binary."""
    binary = Path(os.environ["IMAGE_PULL_LAB"])
    command = [binary, "up", "--dir", directory, "--owner-pid", str(os.getpid()), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"the lab does not start: {done.stderr}"
    return Lab(binary, directory)


@pytest.fixture(autouse=True)
def history() -> Iterator[Callable[[Lab], list[str]]]:
    """Check all writes and logins of a test at each point of their history. A test that breaks a rule asks for the problems itself."""
    yield lambda lab: _histories[lab.dir].problems()
    problems = [problem for found in list(_histories.values()) for problem in found.problems()]
    operations.clear()
    assert not problems, "\n".join(problems)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--show", help="append the commands and messages of test_mistakes.py to this file")


@pytest.fixture(scope="module")
def lab_factory() -> Iterator[Callable[..., Lab]]:
    """Start further labs. All end with the test file that requested them, because even an idle lab keeps a processor busy."""
    with ExitStack() as labs:
        yield lambda *arguments: labs.enter_context(running_lab(*arguments))


@pytest.fixture(scope="session")
def certificate() -> str:
    """The path of a certificate with its key, for servers on 127.0.0.1."""
    return loopback_certificate()


@pytest.fixture
def no_outside_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the proxies and the authorities of this machine from HTTP clients."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def usual_lab() -> Iterator[Callable[[], Lab]]:
    """Return the running lab, or a new one once that has many namespaces: a list of more than 1,000 objects has a second page."""
    with ExitStack() as running:
        started: list[Lab] = []

        def get() -> Lab:
            if not started or len(started[-1].api("GET", "/api/v1/namespaces")["items"]) > FULL:
                running.close()
                started.append(running.enter_context(running_lab()))
            return started[-1]

        yield get


@pytest.fixture(scope="module")
def lab(usual_lab: Callable[[], Lab]) -> Lab:
    return usual_lab()


@pytest.fixture(scope="session")
def plain_lab() -> Iterator[Lab]:
    """A cluster that is not OpenShift."""
    with running_lab("--provisioner", "off", "--no-registries") as found:
        yield found


@pytest.fixture(scope="session")
def legacy_lab() -> Iterator[Lab]:
    """OpenShift before 4.16."""
    with running_lab("--provisioner", "legacy", "--no-registries") as found:
        yield found


@contextmanager
def running_lab(*arguments: str) -> Iterator[Lab]:
    """A lab in its own directory, which ends with the block."""
    lab = start_lab(Path(tempfile.mkdtemp(prefix="lab-")) / "lab", *arguments)
    _histories[lab.dir] = History(lab.dir)
    try:
        yield lab
    finally:
        lab.run("down", "--dir", str(lab.dir))
        _histories.pop(lab.dir, None)
        shutil.rmtree(lab.dir.parent, ignore_errors=True)


@pytest.fixture
def namespaces(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Callable[..., list[str]]]:
    """Create provisioned namespaces with unique names.

    A deletion costs the lab several times the processor time of a creation. So they are only deleted after tests of whole clusters.
    """
    made: list[str] = []

    def make(count: int = 1, *, wait: bool = True) -> list[str]:
        new = [f"test-{next(_numbers)}" for _one in range(count)]
        for name in new:
            lab.namespace(name, wait=False)
        if wait:
            for name in new:
                lab.until(lambda name=name: lab.provisioned(name), f"namespace {name} is provisioned")
        made.extend(new)
        return new

    yield make
    for name in made if request.node.get_closest_marker("whole_cluster") else ():
        lab.api("DELETE", f"/api/v1/namespaces/{name}", expect=(200, 202, 404, 409))


@pytest.fixture
def namespace(namespaces: Callable[..., list[str]]) -> str:
    return namespaces(1)[0]


@pytest.fixture
def other_python(tmp_path: Path) -> str:
    """An interpreter with another path than Ansible's own, so that modules run in separate processes."""
    script = tmp_path / "another-python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    return str(script)


@pytest.fixture
def run(lab: Lab) -> Callable[..., dict[str, Any]]:
    """Run a module on the lab."""

    def call(module: str, /, **options: Any) -> dict[str, Any]:
        return run_module(module, kubeconfig=lab.kubeconfig, **options)

    return call
