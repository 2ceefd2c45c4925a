# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the audit of a cluster and the report over several of them have in common. Pure.

The document between them is described by docs/audit.schema.json.
"""

from __future__ import annotations

__all__ = ["ERROR", "FORMAT", "INFO", "SEVERITIES", "WARNING"]

#: What the member `format` of an audit document says. The number grows when readers of the old form would misread a new one.
FORMAT = "openshift_ops.image_pull/audit/1"

#: `error`: a pull fails, or a credential is lost. `warning`: it will, or more is allowed than is meant. `info`: worth a look.
ERROR, WARNING, INFO = "error", "warning", "info"
#: The worst first.
SEVERITIES = (ERROR, WARNING, INFO)
