# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machine config pools are read: their state, the pull secret and other changes in a configuration, and node drains."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import parse_stored
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.machine_config import (
    NODE_FILE,
    Pool,
    auth_file_of,
    differences,
    drain_effect,
    is_same_pull_secret,
    text_of_file,
)

TEXT = '{"auths":{"quay.io":{"auth":"dTpw"}}}\n'


def pool(**parts: Any) -> Pool:
    usual: dict[str, Any] = {
        "metadata": {"name": "worker"},
        "spec": {"paused": False, "configuration": {"name": "b"}},
        "status": {
            "configuration": {"name": "b"},
            "machineCount": 2,
            "updatedMachineCount": 2,
            "conditions": [{"type": "Updated", "status": "True"}, {"type": "Degraded", "status": "False"}],
        },
    }
    return Pool.of({**usual, **{name: {**usual[name], **part} for name, part in parts.items()}})


def config(*files: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"config": {"storage": {"files": list(files)}}, **spec}}


def file(path: str, source: Any, **more: Any) -> dict[str, Any]:
    return {"path": path, "contents": {"source": source, **more}}


class TestPool:
    def test_an_updated_pool_is_done(self) -> None:
        found = pool()
        assert found == Pool("worker", False, False, "b", "b", 2, 2, True)
        assert found.is_done
        assert found.report() == {
            "name": "worker",
            "machines": 2,
            "updated": 2,
            "paused": False,
            "degraded": False,
            "rendered": "b",
        }

    @pytest.mark.parametrize(
        "parts",
        [
            {"spec": {"configuration": {"name": "c"}}},
            {"status": {"updatedMachineCount": 1}},
            {"status": {"conditions": [{"type": "Updated", "status": "False"}]}},
            {"spec": {"configuration": None}, "status": {"configuration": None}},
        ],
    )
    def test_a_pool_with_a_pending_update_is_not_done(self, parts: dict[str, Any]) -> None:
        assert not pool(**parts).is_done

    def test_a_paused_and_degraded_pool_is_recognized(self) -> None:
        conditions = [{"type": "Degraded", "status": "True", "message": "disk"}]
        found = pool(spec={"paused": True}, status={"conditions": conditions})
        assert (found.paused, found.degraded, found.complaint) == (True, True, "disk")

    def test_the_message_of_a_degraded_pool_is_redacted_and_cut(self) -> None:
        said = 'cannot write {"auth": "canary"} ' + "word " * 1000
        found = pool(status={"conditions": [{"type": "Degraded", "status": "True", "message": said}]})
        assert "canary" not in found.complaint
        assert found.complaint.startswith("cannot write")
        assert found.complaint.endswith("word ...")
        assert len(found.complaint) <= 304

    @pytest.mark.parametrize(
        "odd",
        [
            {},
            {"metadata": None, "spec": None, "status": None},
            {"status": {"conditions": [None, 1, {"type": 1}], "machineCount": "2", "updatedMachineCount": True}},
            {"spec": {"paused": "yes", "configuration": []}},
        ],
    )
    def test_a_malformed_pool_is_not_done(self, odd: dict[str, Any]) -> None:
        found = Pool.of(odd)
        assert not found.is_done
        assert not found.paused
        assert (found.machines, found.updated) == (0, 0)


class TestAuthFile:
    @pytest.mark.parametrize(
        "contents",
        [
            {"source": "data:," + quote(TEXT)},
            {"source": "data:text/plain;charset=utf-8;base64," + base64.b64encode(TEXT.encode()).decode()},
            {
                "source": "data:;base64," + base64.b64encode(gzip.compress(TEXT.encode())).decode(),
                "compression": "gzip",
            },
        ],
    )
    def test_an_auth_file_is_read_in_each_encoding(self, contents: dict[str, Any]) -> None:
        found = auth_file_of(config(file("/etc/other", "data:,x"), {"path": NODE_FILE, "contents": contents}))
        assert found is not None
        assert found.registries == ["quay.io"]

    @pytest.mark.parametrize(
        ("source", "compression"),
        [
            (None, None),
            ("https://example.com/file", None),
            ("data:", None),
            ("data:,no json", None),
            ("data:;base64,***", None),
            ("data:;base64,*" + base64.b64encode(TEXT.encode()).decode(), None),
            ("data:,x", "gzip"),
            ("data:;base64," + base64.b64encode(gzip.compress(b"x" * 17_000_000, mtime=0)).decode(), "gzip"),
            ("data:;base64," + base64.b64encode(gzip.compress(TEXT.encode(), mtime=0)[:-12]).decode(), "gzip"),
        ],
    )
    def test_an_unreadable_auth_file_is_unknown(self, source: Any, compression: Any) -> None:
        assert auth_file_of(config(file(NODE_FILE, source, compression=compression))) is None

    @pytest.mark.parametrize(
        "odd", [None, {}, {"spec": None}, config(), {"spec": {"config": {"storage": {"files": [1]}}}}]
    )
    def test_a_missing_auth_file_is_unknown(self, odd: Any) -> None:
        assert auth_file_of(odd) is None


class TestDifferences:
    def test_a_changed_pull_secret_is_not_listed_as_a_difference(self) -> None:
        same = file("/etc/a", "data:,a")
        assert differences(config(file(NODE_FILE, "data:,1"), same), config(same, file(NODE_FILE, "data:,2"))) == []

    def test_each_difference_is_listed_by_name(self) -> None:
        units = {"ignition": {}, "systemd": {"units": [{"name": "x.service", "enabled": True}]}}
        before = config(file("/etc/a", "data:,a"), file("/etc/b", "data:,b"), osImageURL="one")
        after = config(file("/etc/a", "data:,other"), osImageURL="two", kernelArguments=["debug"], extensions=[])
        after["spec"]["config"] |= units
        assert differences(before, after) == [
            "file /etc/a",
            "file /etc/b",
            "kernelArguments",
            "osImageURL",
            "unit x.service",
        ]

    def test_missing_configurations_have_no_differences(self) -> None:
        assert differences(None, {"spec": None}) == []


def policy(*actions: str, path: str = NODE_FILE) -> dict[str, Any]:
    file = {"path": path, "actions": [{"type": action} for action in actions]}
    return {"status": {"nodeDisruptionPolicyStatus": {"clusterPolicies": {"files": [None, file]}}}}


class TestDrains:
    @pytest.mark.parametrize(
        ("actions", "costs"),
        [(("None",), False), (("Reboot",), True), (("Drain", "Restart"), True), (("Reload",), False), ((), False)],
    )
    def test_the_node_disruption_policy_decides_whether_nodes_drain(
        self, actions: tuple[str, ...], costs: bool
    ) -> None:
        found, how = drain_effect(policy(*actions), "4.20.1")
        assert found is costs
        assert how.endswith(", ".join(actions) or "empty")

    @pytest.mark.parametrize(
        ("version", "costs"),
        [("4.7.3", True), ("4.7.4", False), ("4.7", True), ("4.20.0-rc.1", False), ("v4.6.60", True), ("5.0.0", False)],
    )
    def test_the_version_decides_whether_nodes_drain_without_a_policy(self, version: str, costs: bool) -> None:
        assert drain_effect(policy("Reboot", path="/etc/other"), version)[0] is costs
        assert drain_effect(None, version)[0] is costs

    def test_a_drain_is_unknown_without_policy_and_version(self) -> None:
        assert drain_effect(None, "") == (
            None,
            "neither the node disruption policy nor the version of the cluster is known",
        )


class TestTextOfFile:
    def test_the_text_of_a_file_is_returned(self) -> None:
        assert text_of_file(config(file("/a", "data:,1"), file("/b", "data:,two%20words")), "/b") == "two words"

    @pytest.mark.parametrize(
        ("files", "why"),
        [
            ((), "it is missing"),
            ((file("/b", "http://x"),), "it cannot be decoded"),
            ((file("/b", None),), "it cannot be decoded"),
        ],
    )
    def test_a_missing_or_damaged_file_is_an_error(self, files: Any, why: str) -> None:
        with pytest.raises(ValueError, match=why):
            text_of_file(config(*files), "/b")


class TestIsSamePullSecret:
    OWN = {"localhost:22625": {"auth": "bzpy"}, "api-int.lab.example.com:22625": {"auth": "bzpy"}}

    @staticmethod
    def same(rendered: dict[str, Any], secret: dict[str, Any]) -> bool:
        return is_same_pull_secret(
            *(parse_stored(json.dumps({"auths": auths}), legacy=False) for auths in (rendered, secret))
        )

    def test_the_operators_own_logins_do_not_count_on_either_side(self) -> None:
        mine = {"quay.io": {"auth": "dTpw"}}
        assert self.same({**mine, **self.OWN}, mine)
        assert self.same({**mine, **self.OWN}, {**mine, "localhost:22625": {"auth": "dTpx"}})

    def test_a_removed_login_counts(self) -> None:
        assert not self.same({"old.io": {"auth": "dTpw"}, **self.OWN}, self.OWN)

    @pytest.mark.parametrize(
        "key",
        [
            "localhost:5000",
            "localhost:22625/a",
            "api-int.x:22624",
            "api.x:22625",
            "api-int.:22625",
            "a.localhost:22625",
        ],
    )
    def test_other_registries_count(self, key: str) -> None:
        assert not self.same({key: {"auth": "dTpw"}}, {})
