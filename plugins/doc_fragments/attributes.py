# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    description:
      - Has an action plugin. With a local connection and Ansible's own Python it runs in Ansible's process, where its options
        are written to no file.
    support: full
  async:
    description: Can be used with C(async); it then runs in a process of its own.
    support: full
  check_mode:
    description: Reports what a real run would change, and sends nothing but reads.
    support: full
  diff_mode:
    description: Shows what changes, without any credential.
    support: full
  idempotent:
    description: When run twice in a row, the second run changes nothing and sends no write.
    support: full
"""
