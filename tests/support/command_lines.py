# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Extra variables in this process, as `ansible-playbook -e` gives them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ansible import context
from ansible.module_utils.common.collections import ImmutableDict
from ansible.utils.vars import load_extra_vars


@contextmanager
def command_line(*given: str) -> Iterator[None]:
    """Give these options of `-e`. Ansible parses them once, and keeps the result with its function."""
    before, load_extra_vars.extra_vars = context.CLIARGS, None
    context.CLIARGS = ImmutableDict({**before, "extra_vars": given})
    try:
        yield
    finally:
        context.CLIARGS, load_extra_vars.extra_vars = before, None
