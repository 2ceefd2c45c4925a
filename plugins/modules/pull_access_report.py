#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_access_report
short_description: Create an audit report as an HTML page, JSON, JUnit XML and OpenMetrics
version_added: 1.0.0
description:
  - Joins the documents that M(openshift_ops.image_pull.pull_access_audit) wrote for one or more clusters. The page also shows the answers
    of M(openshift_ops.image_pull.pull_access_what_if). Writes one self-contained HTML
    page, JSON in the same form (L(audit.schema.json,
    https://github.com/openshift-ops/image_pull/blob/main/plugins/plugin_utils/pull_report/audit.schema.json))
    JUnit XML and OpenMetrics.
  - The page needs no network and no build. It shows the findings with their fixes, a table of all findings that can be searched and sorted,
    the registries for which each service account has a login, who may pull from which project, and the objects that could not be read.
  - Logins that are stored in many secrets are recognized across all clusters. The report contains no credential and nothing derived from
    one. Equal logins have equal sequential numbers.
  - If a file is not such a document, the task fails before anything is written.
options:
  src:
    description:
      - The files that M(openshift_ops.image_pull.pull_access_audit) has written. Each cluster may be in only one of them.
      - One of O(src) and O(what_if) is required.
    type: list
    elements: path
  html:
    description:
      - The path of the HTML page. The directory must exist. This also applies to the other files.
      - Each file gets mode C(0644). To keep other users of the host from reading it, restrict its directory.
    type: path
  json:
    description: The path of the JSON file. It may be the file that O(compare_with) names.
    type: path
  fail_on:
    description:
      - The minimum severity of findings that fail the task. It fails after all files are written.
      - The task also fails if findings can be missing, because a cluster of O(missing) or objects could not be read. See O(allow_unread).
    type: str
    choices: [error, warning, info, never]
    default: never
  compare_with:
    description:
      - The JSON of an older report or audit. Each finding then shows whether it is new, and the report lists the findings that are gone.
      - Findings are identified by their cluster's name and their id. Clusters that only one of the reports has are named, and not compared.
    type: path
  fail_on_new:
    description: Whether only new findings fail the task. Requires O(compare_with) and O(fail_on).
    type: bool
    default: false
  junit:
    description:
      - The path of the JUnit XML file, with a suite for each cluster and a case for each rule and namespace.
      - A case fails for the findings that O(fail_on) and O(fail_on_new) select. With O(fail_on=never), it fails for errors and warnings.
        Objects that could not be read are skipped cases.
    type: path
  openmetrics:
    description:
      - The path of a file in the OpenMetrics text format, for Prometheus. It has the number of findings of each rule, the number of containers
        of each verdict and the time of the audit for each cluster, and for each namespace the earliest expiry of a login that expires soon.
      - It contains no names of objects or logins.
    type: path
  title:
    description: The title of the page and of the JUnit XML.
    type: str
    default: Pull access
  what_if:
    description:
      - The files that M(openshift_ops.image_pull.pull_access_what_if) has written. The page shows each container that a change affects or
        that does not surely pull, and each gain and loss of the access review, before and after the changes. Requires O(html).
      - An answer is named after the audited cluster with the same API server, and otherwise after the server. The other
        files contain only the audits.
    type: list
    elements: path
  allow_unread:
    description: With O(fail_on), do not fail because of clusters and objects that could not be read. The report lists them.
    type: bool
    default: false
  missing:
    description:
      - Clusters that could not be audited. The report lists them. They count neither as findings nor as gone.
      - If O(src) contains no cluster, the task fails.
      - Used by the roles of this collection.
    type: list
    elements: dict
    suboptions:
      name:
        description: The cluster's name.
        type: str
        required: true
      error:
        description: The reason.
        type: str
        required: true
extends_documentation_fragment:
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.stable
attributes:
  async:
    description: Cannot be used with C(async), because the task must run in Ansible's own process.
    support: none
  check_mode:
    description: Names the files that a real run would write, and does not write them. Findings fail the task in both cases.
    support: full
  diff_mode:
    description: There is no diff. The module writes a report again if its content differs.
    support: none
  idempotent:
    description: A file with the same content, apart from its time, is not written again. O(openmetrics) is, because an alert needs the time.
    support: full
notes:
  - The module does not contact a cluster, so no right is needed.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Create a report for all clusters, and fail if there is an error
  openshift_ops.image_pull.pull_access_report:
    src: "{{ query('ansible.builtin.fileglob', playbook_dir ~ '/audit/*.json') }}"
    html: "{{ playbook_dir }}/report.html"
    json: "{{ playbook_dir }}/report.json"
    junit: "{{ playbook_dir }}/report.xml"
    fail_on: error
  delegate_to: localhost
  run_once: true

- name: Show which containers a change would break
  openshift_ops.image_pull.pull_access_report:
    what_if: [what-if-production.json]
    html: what-if.html

- name: Fail only for findings that are new since last week
  openshift_ops.image_pull.pull_access_report:
    src: [audit/production.json]
    compare_with: last-week.json
    html: report.html
    fail_on: warning
    fail_on_new: true
"""

RETURN = r"""
changed:
  description: Whether a file was written, or would be written in check mode.
  returned: success
  type: bool
clusters:
  description: The clusters of the report.
  returned: success
  type: list
  elements: str
  sample: [production, staging]
counts:
  description: The number of findings by severity.
  type: dict
  returned: success
  contains:
    error:
      description: Errors.
      type: int
      returned: always
    warning:
      description: Warnings.
      type: int
      returned: always
    info:
      description: Infos.
      type: int
      returned: always
  sample: {error: 3, warning: 12, info: 40}
not_known:
  description: The number of containers whose pull is not known.
  returned: success
  type: int
  sample: 2
not_tested:
  description: The number of containers that have a login for their image, which was not tested.
  returned: success
  type: int
  sample: 10
incomplete:
  description: The clusters of which something could not be read, so findings can be missing.
  returned: success
  type: list
  elements: str
  sample: [staging]
rules:
  description: The number of findings by severity, V(error) and V(warning), and by rule.
  version_added: 1.1.0
  returned: success
  type: dict
  sample: {error: {pod-older-than-link: 1}, warning: {}}
failing:
  description: The number of findings that O(fail_on) selects, by rule.
  returned: success
  type: dict
  sample: {secret-type-unread: 3}
missing:
  description: The clusters that could not be audited.
  returned: with O(missing)
  type: list
  elements: str
  sample: [edge]
new:
  description: The number of findings that the older report does not have, by severity.
  type: dict
  returned: with O(compare_with)
  contains:
    error:
      description: Errors.
      type: int
      returned: always
    warning:
      description: Warnings.
      type: int
      returned: always
    info:
      description: Infos.
      type: int
      returned: always
  sample: {error: 1, warning: 0, info: 2}
gone:
  description: The number of findings that only the older report has, by severity.
  type: dict
  returned: with O(compare_with)
  contains:
    error:
      description: Errors.
      type: int
      returned: always
    warning:
      description: Warnings.
      type: int
      returned: always
    info:
      description: Infos.
      type: int
      returned: always
  sample: {error: 0, warning: 4, info: 0}
only_before:
  description: The clusters that only the older report has. Their findings do not count as gone.
  returned: with O(compare_with)
  type: list
  elements: str
  sample: []
only_now:
  description: The clusters that the older report does not have. Their findings do not count as new.
  returned: with O(compare_with)
  type: list
  elements: str
  sample: [staging]
what_if:
  description: The number of containers for each answer, over all files of O(what_if).
  returned: with O(what_if)
  type: dict
  contains:
    would_break:
      description: Containers that would no longer get their images.
      type: int
      returned: always
    unknown:
      description: Containers that are not known.
      type: int
      returned: always
    still_broken:
      description: Containers that do not get their images before and after the changes.
      type: int
      returned: always
    would_work:
      description: Containers that the changes repair.
      type: int
      returned: always
    still_pulls:
      description: Containers that get their images before and after the changes.
      type: int
      returned: always
    not_affected:
      description: Containers whose pull depends on nothing that the changes affect.
      type: int
      returned: always
  sample: {would_break: 2, unknown: 0, still_broken: 1, would_work: 0, still_pulls: 3, not_affected: 114}
files:
  description: The files that were written, or would be written in check mode.
  returned: success
  type: list
  elements: str
  sample: [/reports/report.html]
paths:
  description: The path of each file of the report.
  type: dict
  returned: success
  contains:
    html:
      description: See O(html).
      type: str
      returned: with O(html)
    json:
      description: See O(json).
      type: str
      returned: with O(json)
    junit:
      description: See O(junit).
      type: str
      returned: with O(junit)
    openmetrics:
      description: See O(openmetrics).
      type: str
      returned: with O(openmetrics)
  sample: {html: /reports/report.html}
"""

from ..module_utils.features.pull_report.run import FAIL_ON, from_options, write_report
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.task import Module, Task

ARGUMENTS = {
    "src": {"type": "list", "elements": "path"},
    "what_if": {"type": "list", "elements": "path"},
    "missing": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str", "required": True}, "error": {"type": "str", "required": True}},
    },
    "compare_with": {"type": "path"},
    "html": {"type": "path"},
    "json": {"type": "path"},
    "junit": {"type": "path"},
    "openmetrics": {"type": "path"},
    "title": {"type": "str", "default": "Pull access"},
    "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": FAIL_ON[-1]},
    "fail_on_new": {"type": "bool", "default": False},
    "allow_unread": {"type": "bool", "default": False},
}


def run(task: Task) -> dict[str, object]:
    return write_report(from_options(task.params), task.controller, check_mode=task.check_mode)


MODULE = Module(ARGUMENTS, run, import_error=None, rules={"required_one_of": [("src", "what_if")]})


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
