# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  guard:
    description:
      - With V(what_if), the module asks before its first write which containers would no longer get their image, in the same way as
        M(openshift_ops.image_pull.pull_access_what_if). It does not make a removal that would break one, and fails with the names of the
        workload, the image and the step. It makes all other changes. A workload stops only the removals that it needs, so users of a
        project cannot stop the work in other projects.
      - The module then reads all namespaces, and asks the registries, from the host that runs the task, with the logins that the nodes would
        use. O(realm_hosts) and the options O(registry_ca_cert), O(registry_validate_certs) and O(registry_timeout) apply. This needs the
        rights of M(openshift_ops.image_pull.pull_access_what_if), with list on namespaces. Nothing is read if nothing would be removed.
      - On OpenShift, if the caller may not list namespaces, the module judges only the caller's own projects and the changed namespaces,
        with a warning. With V(what_if_strict), it then removes nothing.
      - Containers that are not known, for example because an object cannot be read or a registry cannot be reached, stop nothing. A
        warning has their number and the first ones. With V(what_if_strict), they stop the removals that affect them as well. If the workloads
        of a namespace cannot be read, the task then changes nothing. Choose it if a pull that is not known must not break. The host that
        runs the task must then reach the registries of the workloads.
      - If the cluster fails while the module asks, nothing is changed.
      - The answer is about the objects that the task has read. A pod that is created afterwards is not part of it. If another client changes
        one of these objects meanwhile, or a write fails, the module plans the namespace again, and asks again before it writes.
        M(openshift_ops.image_pull.pull_access_prune) then removes nothing more in a namespace in which a removal would break a workload.
      - The default is V(false), because the guard needs more rights and time, and because tasks fail that have removed objects before.
    type: str
    choices: ["false", what_if, what_if_strict]
    default: "false"
"""
