# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client over scripted HTTP: what it sends, when it sends again, when it stops, and what it makes of the answers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.client import Cluster
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    ClusterError,
    Unauthorized,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from support.scripted_pool import Answer, Clock, ScriptedConnection, ScriptedPool, status_object

REF = ObjectRef(SECRET, "a", "pull")
GET = "GET /api/v1/namespaces/a/secrets/pull"
FOUND = Answer(200, {"kind": "Secret", "metadata": {"name": "pull", "namespace": "a"}})
REFUSED = status_object(401, "Unauthorized")


def cluster_of(*script: tuple[str, Any], **connection: Any) -> tuple[Cluster, ScriptedPool, Clock]:
    pool, clock = ScriptedPool(*script), Clock()
    return Cluster(ScriptedConnection(pool, **connection), "tests", clock.sleep, clock.now), pool, clock


class TestLogin:
    def test_a_refused_login_is_renewed_once(self) -> None:
        cluster, pool, _clock = cluster_of((GET, REFUSED), (GET, FOUND), renewals=["token-2"])
        assert cluster.get(REF) == FOUND.body
        assert [request.headers["Authorization"] for request in pool.requests] == ["Bearer token-1", "Bearer token-2"]
        pool.done()

    @pytest.mark.parametrize(("script", "renewals"), [([(GET, REFUSED)], []), ([(GET, REFUSED)] * 2, ["2", "3"])])
    def test_a_login_that_stays_refused_stops_everything(self, script: Any, renewals: list[str]) -> None:
        cluster, pool, _clock = cluster_of(*script, renewals=renewals)
        for _attempt in range(3):
            with pytest.raises(Unauthorized, match="reading secret a/pull on .* 401"):
                cluster.get(REF)
        pool.done()


class TestClose:
    def test_nothing_is_sent_afterwards(self) -> None:
        cluster, pool, _clock = cluster_of()
        cluster.close()
        cluster.close()
        with pytest.raises(ClusterError, match=r"^stopped: the task has ended"):
            cluster.get(REF)
        pool.done()
