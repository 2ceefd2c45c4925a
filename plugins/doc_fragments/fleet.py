# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  namespaces:
    description:
      - The namespaces to work in. All of them in one task is faster than a loop over tasks.
      - One of O(namespaces) and O(namespace_selector) is required.
    type: list
    elements: str
  namespace_selector:
    description:
      - Finds the namespaces to work in. Those that are being deleted are skipped and reported.
      - A caller who may not list namespaces gets the choice among his projects, on OpenShift.
      - At least one of O(namespace_selector.labels) and O(namespace_selector.include) must be given.
    type: dict
    suboptions:
      labels:
        description: A label selector, such as V(team=a,stage in (dev,test)).
        type: str
      include:
        description: Globs of names; V(*) means all.
        type: list
        elements: str
      exclude:
        description: Globs of names that are left out.
        type: list
        elements: str
      phases:
        description: Phases that a namespace may be in.
        type: list
        elements: str
        default: [Active]
      system_namespaces:
        description:
          - Whether the platform's own namespaces are meant too (V(default), V(kube-*), V(openshift), V(openshift-*),
            V(redhat-*)).
        type: bool
        default: false
  concurrency:
    description: How many requests are under way at once, at most. The default suits a production API server.
    type: int
    default: 8
  max_failures:
    description:
      - A number or a percentage such as V(5%). Once more namespaces than that have failed, those that are left are not
        attempted and reported as skipped. Without it the task goes on to the end. It fails in both cases.
    type: str
  report_unchanged:
    description:
      - Whether the result lists the namespaces in which nothing had to be done, or only counts them. By default they are
        listed when the task is for 100 namespaces or fewer.
    type: bool
  progress:
    description: Whether a task that takes long says every few seconds how far it has come, where it runs on the controller.
    type: bool
    default: true
"""
