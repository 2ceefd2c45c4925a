# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  namespaces:
    description:
      - The namespaces to work in. One task for all of them is faster than a loop of tasks.
      - One of O(namespaces) and O(namespace_selector) is required.
    type: list
    elements: str
  namespace_selector:
    description:
      - Selects the namespaces to work in. Namespaces that are being deleted are skipped and reported.
      - If the caller cannot list namespaces, its own projects are used (OpenShift).
      - At least one of O(namespace_selector.labels), O(namespace_selector.include) and O(namespace_selector.requesters) is required.
      - Users choose the names of the projects that they request. A selector with only O(namespace_selector.include) also selects a project
        that a stranger requests under a matching name, and so gives that project the same access. If users may request projects, add
        O(namespace_selector.requesters), or a label in O(namespace_selector.labels) that only administrators set.
    type: dict
    suboptions:
      labels:
        description:
          - A label selector, such as V(team=a,stage in (dev,test)).
          - On OpenShift, the administrator of a project cannot change the labels of its namespace. The label C(kubernetes.io/metadata.name)
            contains the name, which the requester chose. A requirement such as V(team!=a) or V(!team) also selects new projects.
        type: str
      include:
        description: Glob patterns of names. V(*) selects all namespaces.
        type: list
        elements: str
      exclude:
        description: Glob patterns of names to exclude.
        type: list
        elements: str
      requesters:
        description:
          - User names, without globs. Only projects that one of these users requested are selected (annotation C(openshift.io/requester)).
          - OpenShift sets the annotation when a user requests a project. The administrator of the project cannot change it. Namespaces that
            were created in another way do not have it. On other clusters, nothing is selected, and the task reports that.
        type: list
        elements: str
      phases:
        description: Only namespaces in these phases are selected.
        type: list
        elements: str
        default: [Active]
      system_namespaces:
        description:
          - Whether the selector includes the platform's namespaces (V(default), V(kube-*), V(openshift), V(openshift-*),
            V(redhat-*)).
        type: bool
        default: false
  concurrency:
    description:
      - The maximum number of requests that are sent at the same time. With V(4), other clients of a small API server wait less, and a first
        run at a distance takes twice as long.
    type: int
    default: 8
  max_failures:
    description:
      - A number or a percentage such as V(5%). When the API server has failed in more namespaces than that, the remaining namespaces are
        not attempted, and are reported as skipped. By default, all namespaces are attempted. The task fails in both cases.
      - A failure counts only if the API server did not respond to a read or create request, or responded with an error of its own (429,
        5xx). A failure that the administrator of a project can cause never stops the work in other namespaces. Examples are an object of
        the wrong type, a deleted role binding, a full quota, a policy or webhook that refuses, or a deleted namespace.
      - When the cluster itself fails, the task always stops, for example when the API server refuses the login or does not respond for 30
        seconds.
    type: str
  report_unchanged:
    description:
      - Whether the result lists the namespaces that needed no change, or only counts them. By default, the result lists them if the task
        works in 100 namespaces or fewer.
    type: bool
  progress:
    description: >-
      Whether a long task displays its progress, and the first object that it waits for, every few seconds. Only on the controller
      (C(connection=local)).
    type: bool
    default: true
"""
