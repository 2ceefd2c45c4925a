# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the ways to do the job, in the order in which they are shown."""

OURS, ALONE, FLOOR = "this collection", "our modules alone", "plain floor"
KUBECTL, OC, CORE = "kubectl in a shell loop", "oc in a shell loop", "kubernetes.core in a loop"

SHELL_LOOPS = (KUBECTL, OC)
LOOPS = (*SHELL_LOOPS, CORE)
#: One Python without Ansible, which says itself how long it worked.
WITHOUT_ANSIBLE = (ALONE, FLOOR)
ALL = (OURS, *WITHOUT_ANSIBLE, *LOOPS)

#: The jobs: one secret, link and grant for all namespaces, or one of its own for each.
SAME, TEAMS = "one for all", "one for each"
JOBS = (SAME, TEAMS)
