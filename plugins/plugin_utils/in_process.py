# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module in Ansible's own process where that is where it would run anyway.

A cluster's API is reached from the controller (`connection: local`). There the start of a further Python, with all that it
imports, takes longer than most of the work, and Ansible would write the options, passwords included, to a file for it. So the
module runs in the worker process that Ansible has forked for the task. With another connection, another Python, `become`,
`async` or `ANSIBLE_KEEP_REMOTE_FILES` it runs in a process of its own, like any module; both give the same result.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, ClassVar

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import credentials, hide
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.ansible_module import PROGRESS_FILE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.runtime.task import Module, Task, execute

__all__ = ["ModuleAction"]

#: Seconds between two looks at the file of a module in a process of its own.
_LOOK = 0.5


class ModuleAction(NormalAction):  # type: ignore[misc]
    """The action plugin of a module; each names its own."""

    module: ClassVar[Module]

    def _execute_module(self, *arguments: Any, **keywords: Any) -> Any:
        variables = keywords.get("task_vars") or {}
        if self._runs_here(variables):
            return self._run_here(variables)
        if self._connection.transport != "local":
            return super()._execute_module(*arguments, **keywords)
        # A module's output reaches the controller only at its end: its progress comes by a file that both can see.
        if self._connection._shell.tmpdir is None:
            self._make_tmp_path()
        with _shown(Path(self._connection._shell.tmpdir) / PROGRESS_FILE, self._say_for(variables)):
            return super()._execute_module(*arguments, **keywords)

    def _runs_here(self, variables: Mapping[str, Any]) -> bool:
        elsewhere = self._connection.transport != "local" or self._connection.become or self._task.async_val
        if elsewhere or C.DEFAULT_KEEP_REMOTE_FILES or self.module.import_error:
            return False
        if self._task.delegate_to:
            variables = variables.get("ansible_delegated_vars", {}).get(self._task.delegate_to, {})
        wanted = C.config.get_config_value("INTERPRETER_PYTHON", variables=variables)
        return _is_this_python(str(self._templar.template(wanted)).strip())

    def _say_for(self, variables: Mapping[str, Any]) -> Any:
        host = variables.get("inventory_hostname", "")
        return lambda line: Display().display(f"[{host}] {line}")

    def _run_here(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        with ExitStack() as stack:
            environment: dict[str, str] = {}
            self._compute_environment_string(environment)
            stack.enter_context(_as_in_a_process(environment, self._loader.get_basedir()))
            directory = stack.enter_context(tempfile.TemporaryDirectory(dir=C.DEFAULT_LOCAL_TMP))
            task, result = self._outcome(directory, self._say_for(variables))
        warnings = {"warnings": task.warnings} if task.warnings else {}
        masked = _masked({"changed": False, **result, **warnings}, task.secrets)
        if _wants_invocation(variables):
            masked["invocation"] = {"module_args": hide(task.params, self.module.arguments)}
        return masked

    def _outcome(self, directory: str, say: Any) -> tuple[Task, dict[str, Any]]:
        """What AnsibleModule would return for the same options."""
        given = json.loads(json.dumps(self._task.args, default=str))
        validation = ArgumentSpecValidator(self.module.arguments, **self.module.all_rules).validate(given)
        task = Task(
            name=self._task.resolved_action or self._task.action,
            params=validation.validated_parameters,
            check_mode=self._task.check_mode,
            diff=self._task.diff,
            temporary_directory=directory,
            secrets=credentials(validation.validated_parameters, validation._no_log_values),
            say=say,
        )
        return task, _refusal(task.name, validation) or execute(self.module, task)


def _refusal(name: str, validation: Any) -> dict[str, Any] | None:
    """The failure of a task whose options do not fit the argument spec, in AnsibleModule's words."""
    if not validation.errors.errors:
        return None
    message = validation.errors.msg
    if isinstance(validation.errors[0], UnsupportedError):
        message = f"Unsupported parameters for ({name}) module: {message}"
    return {"failed": True, "msg": message}


def _masked(result: dict[str, Any], secrets: set[str]) -> dict[str, Any]:
    """As AnsibleModule masks a result. A result of thousands of namespaces is searched as one text first, which is fast."""
    text = json.dumps(result, ensure_ascii=False)
    if not any(json.dumps(secret, ensure_ascii=False)[1:-1] in text for secret in secrets):
        return result
    masked: dict[str, Any] = remove_values(result, secrets)
    return masked


def _wants_invocation(variables: Mapping[str, Any]) -> bool:
    """Whether a result holds the task's options: a setting from ansible-core 2.21 on, before that always."""
    try:
        return bool(C.config.get_config_value("INJECT_INVOCATION", variables=variables))
    except AnsibleError:
        return True


def _is_this_python(name: str) -> bool:
    """Whether an interpreter is the one that runs Ansible. One that is to be found out may be any that serves."""
    if name.startswith("auto"):
        return True
    ours, theirs = Path(sys.executable), Path(name)
    # Not only the file: an environment's interpreter is a link to one that others share.
    return ours.parent == theirs.parent and ours.resolve() == theirs.resolve()


@contextmanager
def _as_in_a_process(environment: Mapping[str, str], directory: str) -> Iterator[None]:
    """What a process of its own would have: the task's environment, the play's directory, an output that nobody sees."""
    before, cwd, logged = dict(os.environ), Path.cwd(), logging.root.manager.disable
    os.environ.update({name: str(value) for name, value in environment.items()})
    os.chdir(directory)
    # The client library logs what a login plugin says; Ansible's log is no place for that.
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(logged)
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _shown(path: Path, say: Any) -> Iterator[None]:
    """Says each line that is added to a file meanwhile."""
    over = threading.Event()

    def look() -> None:
        shown = 0
        while not over.wait(_LOOK):
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            for line in lines[shown:]:
                say(line)
            shown = len(lines)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
