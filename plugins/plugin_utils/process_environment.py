# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Provide the environment of a separate process to a module that runs in Ansible's process."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

__all__ = ["isolate_process"]


@contextmanager
def isolate_process(environment: Mapping[str, object], directory: str) -> Iterator[None]:
    """Set the task's environment and the playbook's directory, and discard output. Restore everything at the end.

    With an `ExitStack` instead of one `finally`, the other parts are restored even if a task's `timeout` interrupts the restoring of one.
    """
    with ExitStack() as stack:
        stack.callback(_restore_environment, dict(os.environ))
        os.environ.update({name: str(value) for name, value in environment.items()})
        stack.callback(os.chdir, Path.cwd())
        os.chdir(directory)
        # urllib3 logs requests, and headers that it cannot parse, which must not get into Ansible's log.
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.CRITICAL)
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(redirect_stderr(io.StringIO()))
        yield


def _restore_environment(before: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(before)
