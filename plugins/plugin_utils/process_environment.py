# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module in a process of its own would have around it, for one that runs in Ansible's."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

__all__ = ["as_in_a_process"]


@contextmanager
def as_in_a_process(environment: Mapping[str, object], directory: str) -> Iterator[None]:
    """The task's environment, the playbook's directory, an output that is not shown; all is as before in the end.

    A stack, not one `finally`: when a task's `timeout` strikes while one part is restored, the others still are.
    """
    with ExitStack() as stack:
        stack.callback(_restore_environment, dict(os.environ))
        os.environ.update({name: str(value) for name, value in environment.items()})
        stack.callback(os.chdir, Path.cwd())
        os.chdir(directory)
        # The client library logs what a login plugin says; Ansible's log is no place for that.
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.CRITICAL)
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(redirect_stderr(io.StringIO()))
        yield


def _restore_environment(before: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(before)
