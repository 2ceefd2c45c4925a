# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet's settings are read from the object that contains its file, and a file that cannot be read is never an empty one."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.lookup_reader import read_kubelet_file
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import UnreadableObject
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    KUBEADM_SETTINGS,
    KUBELET_FILE,
    KUBELET_FILE_PATH,
    VerificationPolicy,
    parse_config,
)
from support.fake_api import FakeApi
from support.provider_configs import config
from support.scripted_pool import status_object

RENDERED = ObjectRef(KUBELET_FILE, "", "rendered-worker")
TEXT = "kind: KubeletConfiguration\nstaticPodPath: /canary\nimagePullCredentialsVerificationPolicy: NeverVerify\n"
SETTINGS = {"imagePullCredentialsVerificationPolicy": "NeverVerify"}
#: The settings of a kubelet without a credential provider.
NO_PROVIDERS = {**SETTINGS, "credentialProviders": []}


DIRECTORY = "/etc/openshift/kubelet.conf.d"
UNIT = {"name": "kubelet.service", "contents": f"ExecStart=kubelet --config-dir={DIRECTORY}"}


def rendered(api: FakeApi, text: str, path: str = KUBELET_FILE_PATH, unit: Any = ..., **drop_ins: str) -> None:
    texts = {path: text, **{f"{DIRECTORY}/{name}": text for name, text in drop_ins.items()}}
    files = [{"path": path, "contents": {"source": f"data:,{quote(text)}"}} for path, text in texts.items()]
    config = {
        "storage": {"files": files},
        "systemd": {"units": [{"name": "crio.service"}, UNIT if unit is ... else unit]},
    }
    api.put("machineconfigs", "", RENDERED.name, spec={"config": config})


def test_the_file_of_a_rendered_configuration_is_read() -> None:
    api = FakeApi()
    rendered(api, TEXT)
    assert read_kubelet_file(api.cluster(), RENDERED) == NO_PROVIDERS


def test_the_file_of_kubeadm_is_read() -> None:
    api = FakeApi()
    api.put("configmaps", "kube-system", "kubelet-config", data={"kubelet": TEXT})
    assert read_kubelet_file(api.cluster(), KUBEADM_SETTINGS) == SETTINGS


@pytest.mark.parametrize("ref", [RENDERED, KUBEADM_SETTINGS])
def test_a_missing_object_is_an_absence(ref: ObjectRef) -> None:
    api = FakeApi()
    assert read_kubelet_file(api.cluster(), ref) is None


def test_a_kind_that_the_cluster_does_not_have_is_an_absence() -> None:
    api = FakeApi()
    api.fail("GET", status_object(404, "NotFound", "404 page not found"), times=10)
    assert read_kubelet_file(api.cluster(), RENDERED) is None


@pytest.mark.parametrize(
    ("ref", "what"),
    [(RENDERED, "machine config rendered-worker"), (KUBEADM_SETTINGS, "config map kube-system/kubelet-config")],
)
def test_a_forbidden_object_is_unreadable(ref: ObjectRef, what: str) -> None:
    api = FakeApi()
    api.fail("GET", status_object(403, "Forbidden", "no right"), times=10)
    found = read_kubelet_file(api.cluster(), ref)
    assert isinstance(found, UnreadableObject)
    assert str(found) == f"the caller may not read {what}"


def test_another_error_stays_an_error() -> None:
    api = FakeApi()
    api.fail("GET", status_object(401, "Unauthorized", "no"), times=10)
    assert isinstance(read_kubelet_file(api.cluster(), RENDERED), ImagePullError)


@pytest.mark.parametrize(
    ("text", "path", "why"), [("canary", KUBELET_FILE_PATH, "it is not a mapping"), (TEXT, "/other", "it is missing")]
)
def test_a_file_that_cannot_be_parsed_is_unreadable(text: str, path: str, why: str) -> None:
    api = FakeApi()
    rendered(api, text, path)
    found = read_kubelet_file(api.cluster(), RENDERED)
    assert isinstance(found, UnreadableObject)
    assert str(found) == f"the kubelet's file in machine config rendered-worker cannot be read: {why}"


@pytest.mark.parametrize("data", [{}, {"kubelet": 3}, {"other": TEXT}])
def test_a_config_map_without_a_file_is_unreadable(data: Any) -> None:
    api = FakeApi()
    api.put("configmaps", "kube-system", "kubelet-config", data=data)
    assert isinstance(read_kubelet_file(api.cluster(), KUBEADM_SETTINGS), UnreadableObject)


class TestDropIns:
    """The kubelet of a worker merges the files of a directory into its own, in the order of their names."""

    ALWAYS, LISTED = (f"imagePullCredentialsVerificationPolicy: {name}\n" for name in ("AlwaysVerify", "Listed"))
    GATE = "featureGates: {KubeletEnsureSecretPulledImages: false, Other: true}\n"

    def read(self, text: str = TEXT, **given: Any) -> Any:
        api = FakeApi()
        rendered(api, text, **given)
        return read_kubelet_file(api.cluster(), RENDERED)

    def test_the_last_file_wins(self) -> None:
        found = self.read(**{"20-b.conf": self.LISTED, "10-a.conf": self.ALWAYS, "05/99.conf": self.GATE})
        gates = {"featureGates": {"KubeletEnsureSecretPulledImages": False}}
        policy = {"imagePullCredentialsVerificationPolicy": "Listed"}
        assert found == {**NO_PROVIDERS, **policy, **gates, "dropIns": True}

    def test_feature_gates_are_merged_by_name(self) -> None:
        found = self.read(self.GATE, **{"a.conf": "featureGates: {Other: false}\npodsPerCore: 3\n"})
        assert found == {"featureGates": {"KubeletEnsureSecretPulledImages": False}, "credentialProviders": []}

    @pytest.mark.parametrize("patch", ["featureGates:\n", "featureGates: {KubeletEnsureSecretPulledImages: null}\n"])
    def test_null_takes_a_setting_away(self, patch: str) -> None:
        policy = parse_config(self.read(TEXT + self.GATE, **{"a.conf": patch}))
        assert policy == VerificationPolicy("NeverVerify")

    @pytest.mark.parametrize("name", ["README", "a.conf.bak", "a.yaml"])
    def test_only_files_with_the_suffix_count(self, name: str) -> None:
        assert self.read(**{name: self.ALWAYS}) == NO_PROVIDERS

    @pytest.mark.parametrize(
        ("unit", "settings"),
        [
            ({"name": "kubelet.service", "contents": "ExecStart=kubelet"}, NO_PROVIDERS),
            ({}, SETTINGS),
            ("odd", SETTINGS),
        ],
    )
    def test_a_kubelet_without_the_directory_does_not_read_them(self, unit: Any, settings: Any) -> None:
        assert self.read(unit=unit, **{"a.conf": self.ALWAYS}) == settings

    def test_a_comment_names_no_directory(self) -> None:
        unit = {"name": "kubelet.service", "contents": f"  # --config-dir={DIRECTORY}\nExecStart=kubelet"}
        assert self.read(unit=unit, **{"a.conf": self.ALWAYS}) == NO_PROVIDERS

    def test_a_drop_in_of_the_unit_can_name_the_directory(self) -> None:
        unit = {"name": "kubelet.service", "dropins": [{"name": "x", "contents": f"--config-dir={DIRECTORY}"}]}
        assert self.read(unit=unit, **{"a.conf": self.ALWAYS})["dropIns"] is True

    def test_a_file_that_cannot_be_parsed_makes_the_settings_invalid(self) -> None:
        found = self.read(**{"a.conf": "canary"})
        assert parse_config(found) is None
        assert "canary" not in str(found)


class TestProviders:
    """The option of the kubelet's unit names the file, which is in the same rendered configuration."""

    PATH = "/etc/kubernetes/credential-providers/ecr-credential-provider.yaml"
    OPTION = f"--image-credential-provider-config={PATH}"
    FILE = """
kind: CredentialProviderConfig
providers:
- name: ecr-credential-provider
  matchImages: ["*.dkr.ecr.*.amazonaws.com"]
  args: [canary]
  env: [{name: KEY, value: canary}]
- name: token-provider
  matchImages: [registry.example.com]
  tokenAttributes:
    serviceAccountTokenAudience: registry
    cacheType: Token
    requiredServiceAccountAnnotationKeys: [example.com/role]
"""
    FOUND: ClassVar = [
        {
            "name": "ecr-credential-provider",
            "matchImages": ["*.dkr.ecr.*.amazonaws.com"],
            "args": ["VALUE"],
            "env": [{"name": "KEY", "value": "VALUE"}],
        },
        {
            "name": "token-provider",
            "matchImages": ["registry.example.com"],
            "tokenAttributes": {
                "serviceAccountTokenAudience": "registry",
                "cacheType": "Token",
                "requiredServiceAccountAnnotationKeys": ["example.com/role"],
            },
        },
    ]

    problems: Any = None

    def read(self, *texts: str, files: Any = None, encoded: str = "") -> Any:
        """Return the providers. `texts` are those of the unit and its drop-ins, `files` further files by path."""
        api = FakeApi()
        first, *others = texts
        unit = {"name": "kubelet.service", "contents": first, "dropins": [{"contents": each} for each in others]}
        written = {KUBELET_FILE_PATH: TEXT, **({self.PATH: self.FILE} if files is None else files)}
        listed = [{"path": path, "contents": {"source": f"data:,{quote(text)}"}} for path, text in written.items()]
        if encoded:
            listed.append({"path": encoded, "contents": {"source": "data:;base64,?"}})
        config = {"storage": {"files": listed}, "systemd": {"units": [unit]}}
        api.put("machineconfigs", "", RENDERED.name, spec={"config": config})
        found = read_kubelet_file(api.cluster(), RENDERED)
        assert isinstance(found, dict)
        self.problems = found.get("credentialProviderProblems")
        return found["credentialProviders"]

    @pytest.mark.parametrize(
        "option",
        [
            OPTION,
            OPTION.replace("=", "  "),
            OPTION.replace("=", " \\\n  "),
            OPTION.replace("=", "='") + "'",
            f"{OPTION} \\\n  --v=2",
            f'"{OPTION}"',
        ],
    )
    def test_the_file_of_the_option_is_read(self, option: str) -> None:
        assert self.read(f"ExecStart=kubelet {option}") == self.FOUND

    def test_the_reasons_why_no_kubelet_starts_with_the_file_are_kept(self) -> None:
        self.read(f"ExecStart=kubelet {self.OPTION}")
        assert self.problems == ["it is not a CredentialProviderConfig of kubelet.config.k8s.io/v1"]
        valid = yaml.safe_dump(config())
        self.read(f"ExecStart=kubelet {self.OPTION}", files={self.PATH: valid})
        assert self.problems is None

    def test_a_drop_in_can_have_the_option(self) -> None:
        assert self.read("ExecStart=kubelet $FLAGS", f'Environment="FLAGS={self.OPTION}"') == self.FOUND

    def test_a_drop_in_that_is_a_file_can_have_the_option(self) -> None:
        path = "/etc/systemd/system/kubelet.service.d/40-kubelet-crio-image-credential-provider.conf"
        files = {self.PATH: self.FILE, path: f'[Service]\n# Flags\nEnvironment="FLAGS={self.OPTION}"\n'}
        assert self.read("ExecStart=kubelet $FLAGS", files=files) == self.FOUND

    def test_no_option_means_no_provider(self) -> None:
        assert self.read("ExecStart=kubelet") == []
        assert self.read(f"; {self.OPTION}\nExecStart=kubelet") == []

    @pytest.mark.parametrize(
        "files",
        [
            {},
            {f"{PATH}/a.yaml": FILE},
            {PATH: "canary"},
            {PATH: "providers: {}"},
            {PATH: "providers: [canary]"},
            {PATH: "kind: CredentialProviderConfig"},
        ],
    )
    def test_a_file_that_cannot_be_read_leaves_them_unknown(self, files: Any) -> None:
        assert self.read(f"ExecStart=kubelet {self.OPTION}", files=files) is None

    @pytest.mark.parametrize("value", ["=", "=\\", ""])
    def test_an_option_without_a_path_leaves_them_unknown(self, value: str) -> None:
        assert self.read(f"ExecStart=kubelet {self.OPTION} --image-credential-provider-config{value}") is None

    def test_a_configuration_without_the_unit_shows_nothing(self) -> None:
        api = FakeApi()
        rendered(api, TEXT, unit={"name": "other.service", "contents": self.OPTION})
        assert read_kubelet_file(api.cluster(), RENDERED) == SETTINGS

    def test_a_file_that_is_named_twice_is_read_once(self) -> None:
        assert self.read(f"ExecStart=kubelet {self.OPTION}", f'Environment="{self.OPTION}"') == self.FOUND

    def test_several_files_leave_them_unknown(self) -> None:
        other = self.OPTION.replace("ecr", "other")
        assert self.read(f"ExecStart=kubelet {self.OPTION} {other}") is None

    def test_content_that_cannot_be_decoded_leaves_them_unknown(self) -> None:
        assert self.read(f"ExecStart=kubelet {self.OPTION}", files={}, encoded=self.PATH) is None
