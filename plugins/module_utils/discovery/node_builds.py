# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads which secrets the machine config operator builds node images with."""

from __future__ import annotations

from ..clients.kube.client import Cluster
from ..clients.kube.errors import ClusterError, Forbidden, UnknownResource
from ..core.errors import ImagePullError
from ..core.objects import trim_object
from ..platform.protected import MACHINE_OS_CONFIG, BuildSecrets

__all__ = ["read_build_secrets"]


def read_build_secrets(cluster: Cluster) -> BuildSecrets:
    """Return the secrets that MachineOSConfigs name. They are unknown on a cluster that does not serve the kind in this version.

    :raises ClusterError: if the cluster fails.
    """
    try:
        return BuildSecrets.of(cluster.list(MACHINE_OS_CONFIG, keep=lambda obj: trim_object(MACHINE_OS_CONFIG, obj)))
    except UnknownResource:
        return BuildSecrets()
    except ClusterError:
        raise
    except Forbidden:
        return BuildSecrets(unread="the caller may not list them")
    except ImagePullError as error:
        return BuildSecrets(unread=str(error))
