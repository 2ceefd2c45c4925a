# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the ways to do the job, in display order."""

OURS, ALONE, FLOOR = "this collection", "our modules alone", "plain floor"
KUBECTL, OC, CORE = "kubectl in a shell loop", "oc in a shell loop", "kubernetes.core in a loop"

SHELL_LOOPS = (KUBECTL, OC)
LOOPS = (*SHELL_LOOPS, CORE)
#: Programs in one Python without Ansible, which report their own working time.
WITHOUT_ANSIBLE = (ALONE, FLOOR)
ALL = (OURS, *WITHOUT_ANSIBLE, *LOOPS)

#: The jobs: the same secret, link and grant for all namespaces, or different ones for each namespace.
SAME, TEAMS = "one for all", "one for each"
JOBS = (SAME, TEAMS)
