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
      - Has an action plugin. With a local connection and Ansible's own Python, it runs in Ansible's process, and its options are not
        written to any file.
    support: full
  async:
    description: Can be used with C(async). It then runs in a separate process.
    support: full
  check_mode:
    description: Reports the changes that a real run would make, and sends only read requests.
    support: full
  diff_mode:
    description: Shows the changes, without any credential.
    support: full
  idempotent:
    description: When run twice in a row, the second run changes nothing and sends no write.
    support: full
"""

    STABLE = r"""
options: {}
attributes:
  stable:
    description: Names, options, defaults and return values change incompatibly only in a new major version.
    support: full
    details: See L(the policy, https://github.com/openshift-ops/image_pull/blob/main/docs/docsite/rst/stability.rst).
"""

    PREVIEW = r"""
options: {}
attributes:
  stable:
    description: Names, options, defaults and return values change incompatibly only in a new major version.
    support: none
    details: This module is a preview. See L(the reason, https://github.com/openshift-ops/image_pull/blob/main/docs/docsite/rst/stability.rst).
"""
