# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Display lines of a task from the worker process in which Ansible runs it."""

from __future__ import annotations

from ansible.utils.display import Display

__all__ = ["display"]


def display(line: str, color: str | None = None) -> None:
    """Display a line at once, in Ansible's main process.

    `Display.display` does that as well. But some callbacks, such as that of older versions of ansible-runner, wrap this method and write to
    the output of the calling process. From ansible-core 2.19 on, Ansible warns about each task whose worker writes there.
    """
    queue = getattr(Display(), "_final_q", None)
    if queue is None:
        Display().display(line, color=color)
    else:
        queue.send_display("display", line, color=color)
