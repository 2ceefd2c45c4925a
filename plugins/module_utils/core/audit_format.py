# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Constants that the audit of a cluster shares with the report on several clusters. Pure.

plugins/plugin_utils/pull_report/audit.schema.json describes the audit document, which the audit writes and the report reads.
"""

from __future__ import annotations

__all__ = ["ERROR", "AUDIT_FORMAT", "INFO", "SEVERITIES", "WARNING"]

#: The value of `format` in an audit document. The number increases when a reader of the previous format would misread the new one.
AUDIT_FORMAT = "openshift_ops.image_pull/audit/1"

#: `error`: a pull fails, or a credential is lost. `warning`: a pull will fail, or more is allowed than intended. `info`: worth checking.
ERROR, WARNING, INFO = "error", "warning", "info"
#: In order, most severe first.
SEVERITIES = (ERROR, WARNING, INFO)
