# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads once what Ansible would load for every task of every host.

Ansible forks a worker for each task of each host, and imports the task's action plugin before that. A worker has what was loaded
by then, and loses what it loads itself. With a hundred clusters, the start of Ansible's filters was a quarter of a run.
"""

from __future__ import annotations

from contextlib import suppress

from ansible.plugins.loader import filter_loader, lookup_loader

__all__ = ["preload"]


def preload() -> None:
    """Loads the plugins that our tasks use. What cannot be loaded is left to the task that needs it, which says so."""
    with suppress(Exception):
        # One filter brings all of them.
        filter_loader.get("default")
        lookup_loader.get("openshift_ops.image_pull.declared", class_only=True)
