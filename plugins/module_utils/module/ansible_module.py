# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module in its own process: the only place that uses AnsibleModule. A run whose result is no longer awaited ends."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..core.redaction import collect_credentials, hide, mask
from ..core.text import make_visible
from .task import Module, Task, execute, mask_output

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
#: Seconds between two checks whether the result is still awaited.
_INTERVAL = 1.0


class Interrupted(BaseException):
    """A signal requested the end of this process. Not an `Exception`, because only the end of the run must handle it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def allow_interruption(is_abandoned: Callable[[], bool]) -> Iterator[None]:
    """Raise `Interrupted` in the block when the process gets SIGTERM, SIGINT or SIGHUP, or when `is_abandoned` returns true.

    By default, SIGTERM ends a process before it can remove its files. An ignored signal (`nohup`) stays ignored.
    Python handles signals in the main thread only. In other threads, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # None: the handler was not set by Python.
    replaceable = [number for number in _SIGNALS if signal.getsignal(number) not in {signal.SIG_IGN, None}]
    over = threading.Event()
    before = {number: signal.signal(number, _interrupt) for number in replaceable}
    threading.Thread(target=_watch, args=(is_abandoned, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _frame: Any) -> None:
    raise Interrupted(number)


def _watch(is_abandoned: Callable[[], bool], over: threading.Event) -> None:
    while not over.wait(_INTERVAL):
        if is_abandoned():
            os.kill(os.getpid(), signal.SIGTERM)
            return


#: File in the task's temporary directory; plugins/plugin_utils/in_process.py reads it.
PROGRESS_FILE = "progress"

#: Ansible sets it for a task with `async`, whose result is then in a file that every user of the host can read.
_IN_BACKGROUND = "ANSIBLE_ASYNC_DIR"

_STDOUT = 1


class _AnsibleModule(AnsibleModule):  # type: ignore[misc]
    """An AnsibleModule whose results and log lines, including those of a failed start, contain no credential in any form."""

    params: dict[str, Any]
    no_log_values: set[str]

    def __init__(self, module: Module) -> None:
        self._module, self._is_valid = module, False
        super().__init__(argument_spec=module.arguments_of_page, supports_check_mode=True, **module.all_rules)
        self._is_valid = True

    def _load_params(self) -> None:
        """Load the options, which are then validated and hidden with the complete argument spec."""
        super()._load_params()
        self.argument_spec = dict(self._module.arguments)

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        """Fail the task. A failed start reports all invalid entries of a list, not only the first."""
        errors = getattr(getattr(self, "validation_result", None), "errors", ())
        problems = "" if self._is_valid else self._module.problems(self.params, errors)
        super().fail_json(problems or msg, **kwargs)

    @cached_property
    def secrets(self) -> set[str]:
        """Return all strings to mask. Complete once the options are validated, which is before any output."""
        found = collect_credentials(self.params, self.no_log_values)
        mask_output(found)
        return found

    def _log_invocation(self) -> None:
        """Mask the lines for the system log. AnsibleModule masks only options with `no_log`, and a kubeconfig is not one of them."""
        given, self.params = self.params, hide(self.params, self.argument_spec)
        try:
            super()._log_invocation()
        finally:
            self.params = given

    def _return_formatted(self, kwargs: dict[str, Any]) -> None:
        """Mask the result at every exit of AnsibleModule, which would otherwise return the options as they were given."""
        invocation = {"module_args": hide(self.params, self.argument_spec)}
        shown = self._module.mask_result({**kwargs, "invocation": invocation}, self.secrets)
        # Everything is masked. AnsibleModule would blank each letter of a short password, and need minutes for a thousand of them.
        self.no_log_values = set()
        if _IN_BACKGROUND in os.environ:
            self._keep_secrets()
        super()._return_formatted(shown)

    def _keep_secrets(self) -> None:
        """Drop the registered credentials, which AnsibleModule would return to Ansible, in clear text, from ansible-core 2.22 on."""
        if known := getattr(self, "_new_secrets", None):
            known.flush()


def run_module(module: Module) -> None:
    """Run a module with the options that Ansible gives this process, and exit."""
    host = _AnsibleModule(module)
    if module.import_error:
        host.fail_json(msg=module.without_library(sys.executable))
    task = Task(
        name=host._name,
        params=host.params,
        check_mode=host.check_mode,
        diff=host._diff,
        temporary_directory=host.tmpdir,
        secrets=host.secrets,
        say=_progress_writer(Path(host.tmpdir) / PROGRESS_FILE),
    )
    try:
        with allow_interruption(_is_unread):
            result = execute(module, task)
    except Interrupted as error:
        # The exit code that a shell reports. Python exits normally, so that AnsibleModule's files are removed.
        raise SystemExit(128 + error.number) from None
    for message in make_visible(mask(task.warnings, task.secrets)):
        host.warn(message)
    leave = host.fail_json if result.get("failed") else host.exit_json
    leave(**result)


def _is_unread() -> bool:
    """Whether the result of this process can no longer be read: the task has timed out, or its connection is gone."""
    output = select.poll()
    # Without requested events, poll reports only that the other end is closed.
    output.register(_STDOUT, 0)
    return bool(output.poll(0))


def _progress_writer(path: Path) -> Callable[[str], None]:
    """Return the function for progress lines. It appends to a file that the task's action plugin shows on the controller."""

    def say(line: str) -> None:
        # As another user (become) the directory may not be writable. Then no progress is shown.
        with suppress(OSError), path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    return say
