# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that an explanation needs are read, and unreadable ones are reported."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ClusterError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import NO_SELECTORS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.lookup_reader import (
    read_kubelet_file,
    read_lookups,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Workers
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.secretless import ISSUER
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    ImageQuestion,
    RegistryAccess,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    KUBEADM_SETTINGS,
    KUBELET_FILE,
    KUBELET_FILE_PATH,
    NODES,
    VerificationPolicy,
    parse_config,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_messages import POD_EVENTS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import SUBJECT_ACCESS_REVIEW
from support.fake_api import FakeApi
from support.provider_configs import config
from support.scripted_pool import Answer, status_object

ALWAYS = 10**9

MIRRORS = ObjectRef(next(iter(MIRROR_KINDS)), "", "")

REVIEW = ObjectRef(SUBJECT_ACCESS_REVIEW, "project", "team/default")

NO_KIND = status_object(404, "NotFound", "404 page not found")


def read(api: FakeApi, *refs: ObjectRef):  # type: ignore[no-untyped-def]
    return read_with(api, None, *refs)


def read_with(api: FakeApi, registries: RegistryAccess | None, *refs: ObjectRef):  # type: ignore[no-untyped-def]
    evidence = Lookup()
    for ref in refs:
        with pytest.raises(ReadRequired):
            evidence.look(ref)
    with Workers(1) as workers:
        return read_lookups(api.cluster(), workers, evidence, NO_SELECTORS, registries)


def test_objects_configuration_and_rights_are_read_together() -> None:
    api = FakeApi()
    api.put("secrets", "a", "pull", type="Opaque")
    api.put("images", "", "cluster", spec={})
    asked = []
    api.review = lambda spec: asked.append(spec["user"]) or {"allowed": True}  # type: ignore[func-returns-value]
    there, gone = ObjectRef(SECRET, "a", "pull"), ObjectRef(SECRET, "a", "none")
    found = read(api, there, gone, IMAGE_CONFIG, MIRRORS, REVIEW)
    assert found[there]["type"] == "Opaque"
    assert found[gone] is None
    assert (found[IMAGE_CONFIG]["spec"], found[MIRRORS], found[REVIEW]["allowed"]) == ({}, {"items": []}, True)
    assert asked == ["system:serviceaccount:team:default"]


def test_an_object_of_an_unknown_kind_is_missing() -> None:
    api = FakeApi()
    api.fail("GET", NO_KIND, times=ALWAYS)
    stream = ObjectRef(IMAGE_STREAM, "a", "app")
    assert read(api, stream, IMAGE_CONFIG, MIRRORS) == {stream: {}, IMAGE_CONFIG: None, MIRRORS: None}


def test_a_forbidden_read_is_an_error_and_not_an_absence() -> None:
    api = FakeApi()
    api.fail("", status_object(403, "Forbidden", "no right"), times=ALWAYS)
    found = read(api, ObjectRef(SECRET, "a", "pull"), IMAGE_CONFIG, MIRRORS, REVIEW)
    assert all(isinstance(answer, ImagePullError) for answer in found.values())
    assert isinstance(found[ObjectRef(SECRET, "a", "pull")], UnreadableObject)


def test_a_cluster_that_fails_ends_the_reading() -> None:
    api = FakeApi()
    api.fail("", status_object(401, "Unauthorized", "no"), times=ALWAYS)
    with pytest.raises(ClusterError):
        read(api, IMAGE_CONFIG)


def test_the_events_of_a_pod_are_requested_by_its_name() -> None:
    api = FakeApi()
    api.put("events", "a", "app.1", reason="Pulling", involvedObject={"kind": "Pod", "name": "app"})
    api.put("events", "a", "web.1", reason="Pulled", involvedObject={"kind": "Pod", "name": "web"})
    events = ObjectRef(POD_EVENTS, "a", "app")
    assert [event["reason"] for event in read(api, events)[events]["items"]] == ["Pulling"]
    assert api.asked[0].startswith("GET /api/v1/namespaces/a/events?")
    assert "fieldSelector=involvedObject.kind%3DPod%2CinvolvedObject.name%3Dapp" in api.asked[0]


def test_a_list_of_secrets_keeps_the_time_of_their_content() -> None:
    api = FakeApi()
    owners = [{"time": "t", "fieldsV1": {"f:data": {"f:x": {}}}}, {"time": "u", "fieldsV1": {"f:metadata": {}}}]
    api.put("secrets", "a", "pull", metadata={"managedFields": owners})
    every = ObjectRef(SECRET, "a", "")
    (secret,) = read(api, every)[every]["items"]
    assert secret["metadata"]["managedFields"] == [{"time": "t", "fieldsV1": {"f:data": {}}}]


def test_a_list_of_nodes_keeps_only_the_versions() -> None:
    api = FakeApi()
    api.put("nodes", "", "n", status={"nodeInfo": {"kubeletVersion": "v1.35.0"}, "images": [{}]})
    assert read(api, NODES)[NODES]["items"] == [
        {"metadata": {"name": "n"}, "status": {"nodeInfo": {"kubeletVersion": "v1.35.0"}}}
    ]


def test_each_of_many_nodes_is_read_whole() -> None:
    api, refs = FakeApi(), [ObjectRef(NODES.kind, "", f"n{number}") for number in range(30)]
    for ref in refs:
        api.put("nodes", "", ref.name, status={"images": [{"names": ["q.io/a:1"]}]})
    found = read(api, NODES, *refs)
    assert all(found[ref]["status"]["images"] == [{"names": ["q.io/a:1"]}] for ref in refs)
    assert len(found[NODES]["items"]) == 30


class TestRefused:
    """A server refuses unknown resources as well. Its list of API groups shows whether it knows them."""

    STREAM = ObjectRef(IMAGE_STREAM, "a", "app")

    def told(self, *groups: str, answer: Answer | None = None) -> tuple[FakeApi, Any]:
        api = FakeApi()
        listed = Answer(200, {"groups": [{"name": name} for name in groups]})
        api.fail("GET /apis$", answer or listed, times=ALWAYS)
        api.fail("", status_object(403, "Forbidden", "no right"), times=ALWAYS)
        return api, read(api, self.STREAM, IMAGE_CONFIG, MIRRORS, ObjectRef(SECRET, "a", "pull"), NODES)

    def test_an_object_of_an_api_group_that_the_server_lacks_is_missing(self) -> None:
        api, found = self.told("apps", "batch")
        assert (found[self.STREAM], found[IMAGE_CONFIG], found[MIRRORS]) == ({}, None, None)
        assert isinstance(found[ObjectRef(SECRET, "a", "pull")], UnreadableObject)
        assert isinstance(found[NODES], UnreadableObject)
        assert [request for request in api.asked if request.endswith("/apis")] == ["GET /apis"]

    def test_an_object_of_an_api_group_that_the_server_has_is_unread(self) -> None:
        _api, found = self.told("image.openshift.io", "config.openshift.io")
        assert all(isinstance(found[ref], UnreadableObject) for ref in (self.STREAM, IMAGE_CONFIG, MIRRORS))

    @pytest.mark.parametrize(
        "answer", [status_object(403, "Forbidden", "no"), status_object(500, "Odd", "odd"), Answer(200, {})]
    )
    def test_refused_objects_are_unread_if_the_api_groups_are_unknown(self, answer: Answer) -> None:
        _api, found = self.told(answer=answer)
        assert all(isinstance(found[ref], UnreadableObject) for ref in (self.STREAM, IMAGE_CONFIG, MIRRORS))

    def test_a_cluster_that_fails_while_its_api_groups_are_read_is_reported(self) -> None:
        with pytest.raises(ClusterError):
            self.told(answer=status_object(401, "Unauthorized", "no"))

    def test_api_groups_are_read_only_after_a_refusal(self) -> None:
        api = FakeApi()
        read(api, self.STREAM, ObjectRef(SECRET, "a", "pull"))
        api.fail("", status_object(403, "Forbidden", "no right"), times=ALWAYS)
        read(api, ObjectRef(SECRET, "a", "pull"))
        assert not any(request.endswith("/apis") for request in api.asked)


def test_a_registry_is_asked_only_on_request() -> None:
    question = ImageQuestion("127.0.0.1:1/team/app", "v1").ref
    assert read_with(FakeApi(), None, question) == {}
    (answer,) = read_with(FakeApi(), RegistryAccess(timeout=20.0, named="127.0.0.1:1"), question).values()
    assert answer["outcome"] == "unanswered"


class TestIssuer:
    """The API server reports the issuer of tokens. On OpenShift, an object configures it."""

    PATH = r"GET /\.well-known/openid-configuration"
    REFUSAL = status_object(403, "Forbidden", 'forbidden: User "u" cannot get path "/.well-known/openid-configuration"')

    def test_the_answer_of_the_api_server_counts(self) -> None:
        api = FakeApi()
        api.put("authentications", "", "cluster", spec={"serviceAccountIssuer": "https://other.example.com"})
        api.fail(self.PATH, Answer(200, {"issuer": "https://keys.example.com"}))
        assert read(api, ISSUER)[ISSUER] == {"issuer": "https://keys.example.com"}

    @pytest.mark.parametrize(
        ("spec", "issuer"),
        [
            ({"serviceAccountIssuer": "https://keys.example.com"}, "https://keys.example.com"),
            ({"serviceAccountIssuer": ""}, "https://kubernetes.default.svc"),
            ({}, "https://kubernetes.default.svc"),
            (None, "https://kubernetes.default.svc"),
        ],
    )
    def test_the_object_of_openshift_counts_if_the_caller_may_not_ask(self, spec: Any, issuer: str) -> None:
        api = FakeApi()
        api.put("authentications", "", "cluster", spec=spec)
        api.fail(self.PATH, self.REFUSAL)
        assert read(api, ISSUER)[ISSUER] == {"issuer": issuer}

    def test_without_both_it_is_unreadable(self) -> None:
        api = FakeApi()
        api.fail(self.PATH, self.REFUSAL)
        found = read(api, ISSUER)[ISSUER]
        assert isinstance(found, UnreadableObject)
        assert str(found) == "the caller may not read /.well-known/openid-configuration"
        api.fail(self.PATH, self.REFUSAL)
        api.fail("GET .*authentications", status_object(403, "Forbidden", "forbidden"))
        assert str(read(api, ISSUER)[ISSUER]) == "the caller may not read it"

    def test_a_server_without_discovery_has_no_answer(self) -> None:
        assert isinstance(read(FakeApi(), ISSUER)[ISSUER], ImagePullError)


# --- The kubelet's settings are read from the object that contains its file, and a file that cannot be read is never an empty one

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
