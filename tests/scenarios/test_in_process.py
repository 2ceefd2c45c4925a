# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module runs in Ansible's own process if possible and otherwise in a separate process, with the same result in both."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from support.certificates import loopback_certificate
from support.fake_api import FakeApi
from support.objects import b64
from support.playbooks import forms, leaks, play

PREFIX = "openshift_ops.image_pull"
PASSWORD = "canary-pässword: {x} with 'quotes' and \"more\" of them"


PULL_SECRET = {
    "type": "kubernetes.io/dockerconfigjson",
    "data": {".dockerconfigjson": b64(b'{"auths": {"registry.example.com": {"auth": "dTpwYXNz"}}}')},
}


class Vaulted(str):
    """A value that ansible-vault encrypts inline."""


yaml.add_representer(Vaulted, lambda dumper, text: dumper.represent_scalar("!vault", str(text), style="|"))


class Job:
    """Runs tasks in one play, on a host whose modules run here or elsewhere, and returns their results.

    A task that is a block has its own register, `result_N`.
    """

    def __init__(self, lab: Any, directory: Path, python: str) -> None:
        self.lab, self.directory, self.python = lab, directory, python
        self.scratch = directory / "remote_tmp"
        self.output = ""

    def run(
        self, *tasks: dict[str, Any], options: tuple[str, ...] = (), keywords: Any = None, **variables: Any
    ) -> list[Any]:
        results = self.directory / "results.json"
        names = [f"result_{n}" for n in range(len(tasks))]
        last = {
            "ansible.builtin.copy": {
                "dest": str(results),
                "content": "{{ [" + ", ".join(names) + "] | to_json }}",
                "mode": "0600",
            },
            "check_mode": False,
            # This task has its own interpreter and temporary directory, so it leaves no traces of the tested modules.
            "vars": {
                "ansible_python_interpreter": sys.executable,
                "ansible_remote_tmp": str(self.directory / "other_tmp"),
            },
        }
        given = {**(keywords or {}), "tasks": [*map(self.named, tasks, names), last]}
        self.write([{"hosts": "all", "gather_facts": False, **given}])
        variables = {"K8S_AUTH_KUBECONFIG": self.lab.kubeconfig, **variables}
        given_ = {name: value for name, value in variables.items() if value is not None}
        done = play(self.book, self.inventory, *options, **given_)
        self.output = done.output
        assert done.status == 0, done.output
        return json.loads(results.read_text())

    @staticmethod
    def named(task: dict[str, Any], name: str) -> dict[str, Any]:
        registered = task if "block" in task else {**task, "register": name, "ignore_errors": True}
        return yaml.safe_load(yaml.dump(registered).replace("RESULT", name)) if "RESULT" in str(task) else registered

    def write(self, book: list[dict[str, Any]]) -> None:
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": self.python,
            "ansible_remote_tmp": str(self.scratch),
        }
        self.inventory.write_text(yaml.dump({"all": {"hosts": {"east": host}}}))
        self.book.write_text(yaml.dump(book))

    @property
    def inventory(self) -> Path:
        return self.directory / "hosts.yml"

    @property
    def book(self) -> Path:
        return self.directory / "play.yml"

    @property
    def wrote_options_to_disk(self) -> bool:
        """Ansible creates this directory for files with the options of a module."""
        return self.scratch.exists()


@pytest.fixture
def here(lab, tmp_path) -> Job:
    (tmp_path / "here").mkdir()
    return Job(lab, tmp_path / "here", sys.executable)


@pytest.fixture
def elsewhere(lab, tmp_path, other_python) -> Job:
    (tmp_path / "elsewhere").mkdir()
    return Job(lab, tmp_path / "elsewhere", other_python)


def secret(namespace: str, **options: Any) -> dict[str, Any]:
    login = {"registry": "registry.example.com", "username": "user", "password": PASSWORD}
    return {f"{PREFIX}.pull_secret": {"name": "mine", "namespaces": [namespace], "registries": [login], **options}}


def link(namespace: str, **options: Any) -> dict[str, Any]:
    return {f"{PREFIX}.sa_link": {"secrets": ["mine"], "namespaces": [namespace], "wait_timeout": 0, **options}}


def told(results: list[Any], namespace: str) -> list[str]:
    """Return the results without parts that differ between namespaces and runs: names, and the number of polls of a job."""
    text = json.dumps(results, indent=1, sort_keys=True).replace(namespace, "NAMESPACE")
    text = re.sub(r"-dockercfg-\w{5}", "-dockercfg-XXXXX", text)
    lines = re.sub(r"\bj\d+\.\d+", "JOB", text).splitlines()
    return [line for line in lines if "ASYNC POLL on" not in line]


def as_of_a_module(text: str) -> str:
    """From ansible-core 2.19 on, the text says whether a module or its action plugin failed. Return the text of a module."""
    return text.replace("Action failed: ", "Module failed: ").replace(
        "above action exception", "above target exception"
    )


def missing(namespace: str, **more: Any) -> dict[str, Any]:
    """A task that fails."""
    return {**link(namespace, secrets=["missing"]), **more}


def in_group(module: str) -> str:
    return f"group/{PREFIX}.{module}"


#: Kinds of tasks and keywords. Each is one task of one play, and RESULT is its register. Every change plays these.
OFTEN: dict[str, Callable[[str], dict[str, Any]]] = {
    "check mode": lambda place: {**secret(place), "check_mode": True, "diff": True},
    "changed": secret,
    "failed for some": lambda place: link(place, namespaces=[place, "does-not-exist"]),
    "a value refused": lambda place: secret(
        place, registries=[{"registry": "x y", "username": "u", "password": PASSWORD}]
    ),
    "an option and its alias": lambda place: link(place, ca_cert="{{ ca_cert }}", ssl_ca_cert="{{ ca_cert }}"),
    "failed_when": lambda place: {**link(place), "changed_when": "RESULT.summary.unchanged == 1", "failed_when": "RESULT.summary.total == 1"},
    "a loop": lambda place: {
        **link("{{ item }}"), "loop": [place, place, "does-not-exist"], "loop_control": {"label": "here", "index_var": "n"}
    },
    "environment": lambda place: {
        **link(place, kubeconfig="{{ omit }}"),
        "environment": {"K8S_AUTH_KUBECONFIG": "/none"},
        "module_defaults": {in_group("k8s"): {}},
    },
    "delegated": lambda place: {**link(place), "delegate_to": "localhost"},
    "rescued": lambda place: {
        "block": [missing(place)],
        "rescue": [{"ansible.builtin.set_fact": {"RESULT": "{{ [ansible_failed_result, ansible_failed_task.action] }}"}}],
    },
    "asynchronous": lambda place: {**secret(place), "async": 60, "poll": 1, "vars": {"ansible_python_interpreter": "auto"}},
    "another user": lambda place: {
        **secret(place), "become": True, "vars": {"ansible_become_exe": "{{ playbook_dir }}/sudo", "ansible_python_interpreter": "auto"}
    },
    "any Python": lambda place: {**link(place), "vars": {"ansible_python_interpreter": "auto"}},
}  # fmt: skip
#: All of them, which only `make test-all` plays.
TASKS: dict[str, Callable[[str], dict[str, Any]]] = {
    **OFTEN,
    "linked": link,
    "refused by the engine": lambda place: {
        f"{PREFIX}.image_puller_grant": {"namespaces": [place], "projects": ["does-not-exist"]}
    },
    "waited": lambda place: {f"{PREFIX}.sa_wait": {"namespaces": [place]}},
    "a registry asked": lambda _place: {
        f"{PREFIX}.registry_auth_info": {"registry": "{{ registry }}", "registry_validate_certs": False}
    },
    "an unknown option": lambda place: secret(place, passwrod=PASSWORD),
    "an option left out": lambda _place: {f"{PREFIX}.sa_link": {"secrets": ["mine"]}},
    "no cluster": lambda place: link(place, kubeconfig="/nonexistent"),
    "its alias, and refused": lambda place: link(place, ca_cert="/none", ssl_ca_cert="/none", concurrency="some"),
    "a short name": lambda place: {"sa_link": {"namespaces": [place], "nmae": 1}, "collections": [PREFIX]},
    "until": lambda place: missing(place, until="RESULT is succeeded", retries=1, delay=0),
    "never failed": lambda place: missing(place, failed_when=False),
    "no_log": lambda place: {**secret(place, state="perhaps"), "no_log": True},
    "a file in the playbook's folder": lambda place: secret(place, name="of-a-file", registries="{{ omit }}", auth_file="auth.json"),
    "a condition": lambda place: {**link(place), "when": "ansible_check_mode"},
    "a template in an answer": lambda place: link(place, secrets=["{% raw %}{{ 6 * 7 }}{% endraw %}"]),
    "environment, as for kubectl": lambda place: {**link(place), "environment": {"KUBECONFIG": "{{ kubeconfig }}"}, "module_defaults": {in_group("k8s"): {}}},
    "defaults of one module": lambda place: {
        f"{PREFIX}.sa_link": {"namespaces": [place]}, "module_defaults": {f"{PREFIX}.sa_link": {"secrets": ["missing"], "wait_timeout": 0}},
    },
    "run once": lambda place: {
        **link("{{ target }}"), "vars": {"target": "{{ other | lower }}", "other": place}, "run_once": True, "throttle": 1
    },
}  # fmt: skip
#: The directories in which Ansible finds the system's Python, and no other Python of this machine.
PATH = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
#: A sudo that is called as `sudo -H -S -n -u root command...`.
SUDO = '#!/bin/sh\nwhile [ "$1" != -u ]; do shift; done\nshift 2\nexec "$@"\n'


def wrapped_python(directory: Path) -> str:
    """The Python of the fixture other_python, for more than one test."""
    script = directory / "another-python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    return str(script)


def side_by_side(one: Callable[[], Any], other: Callable[[], Any]) -> tuple[Any, Any]:
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(one), pool.submit(other)
        return running[0].result(), running[1].result()


@dataclass(frozen=True)
class Both:
    """The same play in Ansible's process and in separate processes."""

    here: list[Any]
    elsewhere: list[Any]
    outputs: tuple[str, str]


EITHER = pytest.mark.parametrize("both", ["often", pytest.param("all", marks=pytest.mark.slow)], indirect=True)


@pytest.fixture(scope="module")
def both(lab, tmp_path_factory, request) -> Both:
    tasks = OFTEN if request.param == "often" else TASKS

    def run(name: str, *, is_here: bool) -> tuple[list[Any], str]:
        directory = tmp_path_factory.mktemp(name)
        (directory / "sudo").write_text(SUDO)
        (directory / "sudo").chmod(0o755)
        (directory / "auth.json").write_text('{"auths": {"file.example.com": {"auth": "dTpwYXNz"}}}')
        job = Job(lab, directory, sys.executable if is_here else wrapped_python(directory))
        keywords = {
            "module_defaults": {in_group("k8s"): {"kubeconfig": "{{ kubeconfig }}"}},
            "vars": {
                "kubeconfig": lab.kubeconfig,
                "ca_cert": lab.data["ca_cert"],
                "registry": lab.registry("private")["host"],
            },
        }
        lab.namespace(name)
        results = job.run(
            *(task(name) for task in tasks.values()),
            keywords=keywords,
            K8S_AUTH_KUBECONFIG=None,
            ANSIBLE_PIPELINING="1",
            PATH=PATH,
        )
        printed = told(job.output.replace(str(directory), "DIRECTORY").splitlines(), name)
        return [told(result, name) for result in results], "\n".join(printed)

    (here, printed_here), (elsewhere, printed_elsewhere) = side_by_side(
        lambda: run(f"side-a-{request.param}", is_here=True), lambda: run(f"side-b-{request.param}", is_here=False)
    )
    return Both(here, elsewhere, (printed_here, printed_elsewhere))


@pytest.mark.newest_core
class TestSameResult:
    @pytest.mark.parametrize(
        ("both", "name"),
        [
            *(("often", name) for name in OFTEN),
            *(pytest.param("all", name, marks=pytest.mark.slow) for name in TASKS if name not in OFTEN),
        ],
        indirect=["both"],
        scope="module",
    )
    def test_a_task_has_the_same_result_in_both_processes(self, both, name):
        number = list(TASKS).index(name)
        assert both.here[number] == both.elsewhere[number]

    @EITHER
    def test_both_processes_print_the_same_text(self, both):
        """The text includes warnings and deprecations."""
        here, elsewhere = both.outputs
        assert as_of_a_module(here).splitlines() == as_of_a_module(elsewhere).splitlines()
        assert "Both option ca_cert and its alias ssl_ca_cert are set" in both.outputs[0]

    @EITHER
    def test_no_credential_is_in_the_results_and_outputs(self, both):
        everything = json.dumps([both.here, both.outputs])
        assert leaks(everything, forms(PASSWORD, "user")) == []

    @EITHER
    def test_a_task_for_any_python_runs_in_the_python_of_ansible(self, both):
        """Ansible might find another Python that lacks the client library."""
        for name in ("asynchronous", "another user", "any Python"):
            assert ' "failed": false,' in both.here[list(TASKS).index(name)], name


class TestWhere:
    def test_no_option_touches_the_disk(self, namespace, here, tmp_path):
        """No certificate is left on the disk either."""
        scratch, here.python = tmp_path / "local_tmp", "{{ ansible_playbook_python }}"
        here.run(secret(namespace), link(namespace), ANSIBLE_LOCAL_TEMP=str(scratch), TMPDIR=str(tmp_path))
        assert not here.wrote_options_to_disk
        assert [path for path in scratch.rglob("*") if path.is_file()] == []

    def test_another_python_is_respected(self, namespace, elsewhere):
        elsewhere.run(secret(namespace))
        assert elsewhere.wrote_options_to_disk

    @pytest.mark.slow
    def test_module_files_are_kept_on_request(self, namespace, here):
        here.run(link(namespace, require="none"), ANSIBLE_KEEP_REMOTE_FILES="1")
        assert here.wrote_options_to_disk

    @pytest.mark.slow
    def test_a_missing_client_library_is_reported_with_the_install_command(self, namespace, here):
        """Another Python may have the library, so it is tried. The message names Ansible's own Python for the installation."""
        for name in ("kubernetes", "urllib3"):
            (here.directory / f"{name}.py").write_text("raise ImportError('not here')")
        path = os.pathsep.join([str(here.directory), os.environ["PYTHONPATH"]])
        (result,) = here.run(link(namespace), PYTHONPATH=path)
        python = re.escape(f"{Path(sys.executable).parent}/python")
        assert re.search(rf"install the packages with {python}\S* -m pip install 'PyYAML>=", result["msg"])
        assert here.wrote_options_to_disk

    def test_a_task_delegated_to_localhost_runs_in_the_process_of_ansible(self, lab, namespace, elsewhere):
        elsewhere.run({**secret(namespace), "delegate_to": "localhost"})
        assert not elsewhere.wrote_options_to_disk, "localhost's own Python counts, which is Ansible's"
        assert lab.get(namespace, "secrets", "mine")


class TestRegistered:
    """From ansible-core 2.22 on, Ansible masks the secrets that a task has registered in the output of all later tasks."""

    HAS_REGISTRY = find_spec("ansible.module_utils.secrets") is not None

    @pytest.mark.slow
    @pytest.mark.parametrize("where", ["here", "elsewhere"])
    def test_ansible_masks_the_credentials_of_a_file_where_it_can(self, namespace, where, request):
        job = request.getfixturevalue(where)
        auths = {"registry.example.com": {"username": "developer", "password": "canary-1"}}
        (job.directory / "auth.json").write_text(json.dumps({"auths": auths}))
        config = {"auths": {"registry.example.com": {"username": "operator", "password": "canary-2"}}}
        job.run(
            secret(namespace, name="one", registries="{{ omit }}", auth_file="auth.json"),
            secret(namespace, name="two", registries="{{ omit }}", auth_config=config),
            {"ansible.builtin.debug": {"msg": "of developer: canary-1, of operator: canary-2"}},
        )
        shown = "$REDACTED$, of operator: $REDACTED$" if self.HAS_REGISTRY else "canary-1, of operator: canary-2"
        assert f"of developer: {shown}" in job.output

    @pytest.mark.slow
    def test_a_background_job_leaves_no_credential_behind(self, namespace, here, tmp_path):
        """Ansible keeps the job's result in a file that every user of the host can read."""
        there = tmp_path / "jobs"
        begun = {**secret(namespace), "async": 60, "poll": 0}
        status = {"ansible.builtin.async_status": {"jid": "{{ result_0.ansible_job_id }}"}}
        here.run(
            begun, {**status, "until": "RESULT is finished", "retries": 60, "delay": 1}, ANSIBLE_ASYNC_DIR=str(there)
        )
        (result,) = [path.read_text() for path in there.iterdir() if path.is_file()]
        assert json.loads(result)["changed"] is True
        assert leaks(result, forms(PASSWORD, "user")) == []


class TestSurroundings:
    """A module in Ansible's process has the same environment as in a separate process."""

    def test_an_inline_vaulted_value_is_decrypted(self, lab, namespace, here):
        (here.directory / "vault").write_text("of the vault")
        command = ["ansible-vault", "encrypt_string", "--vault-password-file", here.directory / "vault", PASSWORD]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        login = {
            "registry": "registry.example.com",
            "username": "user",
            "password": Vaulted(dedent(printed.partition("|\n")[2])),
        }
        options = ("--vault-password-file", str(here.directory / "vault"))
        (result,) = here.run(secret(namespace, registries=[login]), options=options)
        assert result["changed"], result["msg"]
        stored = lab.get(namespace, "secrets", "mine")["data"][".dockerconfigjson"]
        auth = json.loads(base64.b64decode(stored))["auths"]["registry.example.com"]["auth"]
        assert base64.b64decode(auth).decode() == f"user:{PASSWORD}"
        assert leaks(here.output + json.dumps(result), forms(PASSWORD, "user")) == []

    def test_the_output_of_a_login_plugin_reaches_no_log(self, lab, namespace, here):
        """The client library logs the output, and Ansible's log records all log messages of its process."""
        plugin = here.directory / "plugin"
        plugin.write_text(f"#!/bin/sh\necho '{PASSWORD.replace(chr(39), '')}' >&2\nexit 3\n")
        plugin.chmod(0o755)
        config = yaml.safe_load(Path(lab.kubeconfig).read_text())
        run = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
        config["users"][0]["user"] = {"exec": run}
        (here.directory / "kubeconfig").write_text(yaml.dump(config))
        log = here.directory / "ansible.log"
        (result,) = here.run(link(namespace, kubeconfig=str(here.directory / "kubeconfig")), ANSIBLE_LOG_PATH=str(log))
        assert result["failed"] is True
        assert "sa_link" in log.read_text()
        assert "canary" not in log.read_text() + here.output


#: A library that fails with an unexpected error whose message contains the password.
BROKEN = f"def where():\n    raise LookupError({PASSWORD!r})\n"


class TestUnexpectedError:
    @pytest.fixture
    def broken(self, tmp_path) -> str:
        """A PYTHONPATH with that library first."""
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "certifi.py").write_text(BROKEN)
        return os.pathsep.join([str(tmp_path / "broken"), os.environ["PYTHONPATH"]])

    def told(self, job: Job, results: list[Any]) -> list[str]:
        # The files of a module in a separate process are in an archive.
        text = re.sub(
            r'File \\"[^"]*/(ansible_collections/|certifi)', r'File \\"\1', json.dumps(results, sort_keys=True)
        )
        assert leaks(text, forms(PASSWORD, "user")) == []
        # ansible-core 2.16 shows no source lines from such an archive.
        return [line for line in as_of_a_module(text).split("\\n") if not line.startswith("    ")]

    @pytest.mark.slow
    def test_an_unexpected_error_fails_the_task_as_in_a_process_of_its_own(self, here, elsewhere, broken):
        """This holds at Ansible's highest verbosity and with a displayed traceback."""
        login = {"registry": "registry.example.com", "username": "user", "password": PASSWORD}
        secret = {"name": "pull", "namespaces": ["x"], "registries": [login], "verify": True}
        task = {f"{PREFIX}.pull_secret": {"host": "https://api.example.com", **secret}}
        tasks = (task, {**task, "failed_when": False})
        variables = {"PYTHONPATH": broken, "ANSIBLE_DEBUG": "1", "ANSIBLE_DISPLAY_TRACEBACK": "error"}
        variables |= {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}
        quiet = {"keywords": {"strategy": "free"}, "options": ("-vvvv",), **variables}
        found, expected = side_by_side(lambda: here.run(*tasks, **quiet), lambda: elsewhere.run(*tasks, **quiet))
        assert self.told(here, found) == self.told(elsewhere, expected)
        assert found[0]["msg"].startswith(f"{PREFIX}.pull_secret stopped at an unexpected error: LookupError in ")
        assert "Traceback (most recent call last)" in found[0]["exception"]
        assert [result["failed"] for result in found] == [True, False]
        # For a module in a separate process, Ansible itself prints the options in debug mode.
        assert leaks(here.output, forms(PASSWORD, "user")) == []


@pytest.mark.slow
class TestDebugger:
    COMMANDS = "p task\ntask.args['kubeconfig'] = {kubeconfig!r}\nredo\n"

    def debugged(self, job: Job, namespace: str) -> list[str]:
        job.write([{"hosts": "all", "gather_facts": False, "tasks": [{**link(namespace), "debugger": "on_failed"}]}])
        done = subprocess.run(
            ["ansible-playbook", "-i", job.inventory, job.book],
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "K8S_AUTH_KUBECONFIG": "/none"},
            input=self.COMMANDS.format(kubeconfig=job.lab.kubeconfig),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        printed = done.stdout.replace(str(job.directory), "DIRECTORY").replace(namespace, "NAMESPACE")
        return as_of_a_module(printed).splitlines()

    def test_a_failed_task_is_corrected_and_run_again(self, namespaces, here, elsewhere):
        one, two = namespaces(2)
        for name in (one, two):
            here.lab.create(name, "secrets", {"metadata": {"name": "mine"}, **PULL_SECRET})
        found, expected = side_by_side(lambda: self.debugged(here, one), lambda: self.debugged(elsewhere, two))
        assert found == expected
        assert [line for line in found if line.endswith("changed: [east]")]


class Slow:
    """An API server that takes a while for each write."""

    def __init__(self) -> None:
        self.api = FakeApi(before=self.delay)
        self.names = [f"slow-{number:03}" for number in range(400)]
        for name in self.names:
            self.api.put("namespaces", "", name)
            self.api.put("serviceaccounts", name, "default")
        self.writes: list[float] = []
        self.begun = threading.Event()

    def delay(self, request: Any) -> None:
        if request.method != "GET":
            self.writes.append(time.monotonic())
            self.begun.set()
            time.sleep(0.3)

    def link(self, url: str, **more: Any) -> dict[str, Any]:
        options = {
            "host": url,
            "api_key": "token",
            "ca_cert": loopback_certificate(),
            "require": "none",
            "concurrency": 4,
            "namespaces": self.names,
        }
        return {f"{PREFIX}.sa_link": {"secrets": ["mine"], "wait_timeout": 0, **options}, **more}

    @property
    def quiet_for(self) -> float:
        """Seconds since the last write began."""
        return time.monotonic() - self.writes[-1]


class TestEnd:
    @pytest.mark.slow
    def test_a_tasks_timeout_is_honoured(self, here, elsewhere):
        """All writes would take 30 s. Nothing is written after the timeout."""

        def run(job: Job) -> tuple[Any, Slow]:
            slow = Slow()
            with slow.api.served() as url:
                result, _later = job.run(slow.link(url, timeout=6), {"ansible.builtin.wait_for": {"timeout": 4}})
                assert slow.quiet_for > 2.5
            return result, slow

        for result, slow in side_by_side(lambda: run(here), lambda: run(elsewhere)):
            assert result["failed"] is True
            assert "time frame" in result["msg"] or "Timed out" in result["msg"]
            assert 4 <= len(slow.writes) < len(slow.names) / 2

    @pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL])
    def test_the_writing_ends_with_ansible(self, here, elsewhere, number):
        """This holds even if Ansible cannot notify its workers. No file of a module or with its options is left."""

        def run(job: Job) -> tuple[list[Path], Slow]:
            # From ansible-core 2.21 on, this directory contains a socket, whose path must be short.
            slow, scratch = Slow(), Path(tempfile.mkdtemp(dir="/tmp"))
            job.scratch = scratch / "remote_tmp"
            variables = {"ANSIBLE_LOCAL_TEMP": str(scratch), "TMPDIR": str(scratch)}
            with slow.api.served() as url:
                job.write([{"hosts": "all", "gather_facts": False, "tasks": [slow.link(url)]}])
                command = ["ansible-playbook", "-i", job.inventory, job.book]
                with subprocess.Popen(command, env={**os.environ, **variables}, stdout=subprocess.DEVNULL) as ansible:
                    job.lab.until(lambda: slow.begun.is_set() or ansible.poll() is not None, "it writes", timeout=300)
                    assert slow.begun.is_set(), "Ansible ended before it wrote"
                    ansible.send_signal(number)
                job.lab.until(lambda: slow.quiet_for > 2.5, "nothing is written any more", timeout=60)
            files = [path for path in scratch.rglob("*") if path.is_file()]
            shutil.rmtree(scratch)
            return files, slow

        for files, slow in side_by_side(lambda: run(here), lambda: run(elsewhere)):
            assert len(slow.writes) < len(slow.names) / 2
            # A killed Ansible leaves a directory with the code of the module.
            assert [path for path in files if path.parent.name != "ansiballz_cache"] == []
