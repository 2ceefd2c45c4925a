# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registries are asked like a node asks them: the same attempts, order and logins. The answers decide the verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.chain import explain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    IMAGE_QUESTION,
    ImageQuestion,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES, POOLS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    network_ref,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import INFRASTRUCTURE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import SUBJECT_ACCESS_REVIEW
from support.objects import b64
from support.pull_evidence import (
    AUTH,
    GOOD,
    IMAGE,
    known,
    mirrored,
    node,
    openshift,
    pod,
    secret,
    steps,
    summary,
    template,
)

#: The advice for an image that a registry does not give for a login that it accepts.
AT_SOURCE = ". Check the image name and tag, or give the user of the login the right to pull it"
AT_MIRROR = (
    ". Check the image name and tag, copy the image to the mirror, or give the user of the login the right to pull it"
)
HUB = secret({"docker.io": AUTH})
HIDDEN = ImagePullError("the caller may not read it")
#: Gives a registry's answer for an image, and the secret and key of the login.
Answers = Callable[[str, str, str], Any]
Asked = list[tuple[str, str, str]]


def told(subject: ContainerPull, evidence: dict[ObjectRef, Any], answers: Answers) -> tuple[PullVerdict, Asked]:
    """The verdict, and the attempts in order. Without them, the verdict says whether there are any."""
    held, asked = Lookup(evidence), []
    is_unasked = explain(subject, Lookup(evidence)).is_unasked
    while True:
        try:
            found = explain(subject, held, asks=True)
            assert (is_unasked, found.is_unasked) == (bool(asked), False)
            return found, asked
        except ReadRequired:
            for ref in held.take_wanted():
                assert ref.kind == IMAGE_QUESTION, ref
                question = ImageQuestion.of(ref)
                asked.append((question.image, question.secret, question.key))
                outcome = answers(*asked[-1])
                answer = outcome if not isinstance(outcome, str) else {"outcome": outcome, "message": f"said {outcome}"}
                held.add({ref: answer})


def always(outcome: Any) -> Answers:
    return lambda _image, _secret, _key: outcome


def at_mirror(mirror: str = "m.io/mirror", *, only: bool = False) -> dict[ObjectRef, Any]:
    return mirrored(mirror, source="q.io/team", only=only)


class TestAttempts:
    def test_the_logins_of_the_pod_are_tried_before_those_of_the_node(self) -> None:
        evidence = known(a=GOOD, b=secret({"q.io/team": AUTH}), more={NODE_SECRET: secret({"q.io": AUTH})})
        found, asked = told(pod("a", "b"), evidence, always("bad_login"))
        assert asked == [(IMAGE, "b", "q.io/team"), (IMAGE, "a", "q.io"), (IMAGE, "pull-secret", "q.io")]
        assert summary(found)[0] == "will_not_pull"

    @pytest.mark.parametrize(("outcome", "ok"), [("pulls", True), ("bad_login", False), ("unanswered", None)])
    def test_an_answer_decides_its_step(self, outcome: str, ok: bool | None) -> None:
        found, _asked = told(pod("a"), known(a=GOOD), always(outcome))
        assert [step[2] for step in steps(found, "registry")] == [ok]

    @pytest.mark.parametrize(("outcome", "is_tested"), [("pulls", True), ("bad_login", False), ("unanswered", False)])
    def test_only_the_answer_of_a_registry_tests_a_login(self, outcome: str, is_tested: bool) -> None:
        assert told(pod("a"), known(a=GOOD), always(outcome))[0].is_tested is is_tested
        found = explain(pod("a"), Lookup(known(a=GOOD)))
        assert (found.verdict, found.is_tested, found.step) == ("pulls", False, "")
        assert found.text()[0].startswith("has a login (not tested): secret a has the key q.io")
        assert explain(pod(pulled=True), Lookup(known())).text()[0] == "pulls: the container has its image"

    def test_an_image_without_any_login_is_asked_for_once(self) -> None:
        _found, asked = told(pod(), known(), always("no_login"))
        assert asked == [(IMAGE, "", "")]

    def test_an_entry_without_a_login_leaves_the_login_to_the_runtime(self) -> None:
        evidence = known(a=secret({"q.io": {}}), more={NODE_SECRET: secret({"q.io/team": AUTH})})
        _found, asked = told(pod("a"), evidence, always("no_login"))
        assert asked == [(IMAGE, "pull-secret", "q.io/team")]

    def test_mirrors_are_tried_first_and_never_with_the_login_of_the_pod(self) -> None:
        evidence = known(a=GOOD, more={**at_mirror(), NODE_SECRET: secret({"m.io": AUTH})})
        _found, asked = told(pod("a"), evidence, always("bad_login"))
        assert asked == [("m.io/mirror/app:v1", "pull-secret", "m.io"), (IMAGE, "a", "q.io")]

    def test_a_mirror_on_the_host_of_the_source_gets_the_login_of_the_pod(self) -> None:
        _found, asked = told(pod("a"), known(a=GOOD, more=at_mirror("q.io/mirror")), always("bad_login"))
        assert asked == [("q.io/mirror/app:v1", "a", "q.io"), (IMAGE, "a", "q.io")]

    def test_a_source_that_is_never_contacted_is_not_asked(self) -> None:
        _found, asked = told(pod("a"), known(a=GOOD, more=at_mirror(only=True)), always("no_login"))
        assert asked == [("m.io/mirror/app:v1", "", "")]

    def test_no_registry_is_asked_if_the_image_has_no_mirror_and_no_source(self) -> None:
        digest = f"q.io/team/app@sha256:{'0' * 64}"
        found, asked = told(pod("a", image=digest), known(a=GOOD, more=at_mirror(only=True)), always("pulls"))
        assert (asked, summary(found)[0]) == ([], "will_not_pull")

    @pytest.mark.parametrize("image", ["app", "team/app:v1", "UPPER"])
    def test_a_name_whose_registries_are_not_known_is_not_asked_for(self, image: str) -> None:
        streams = {ObjectRef(IMAGE_STREAM, "ns", name): None for name in ("app", "team")}
        _found, asked = told(pod(image=image), known(more=streams), always("pulls"))
        assert asked == []

    def test_an_unparsable_secret_stops_the_questions(self) -> None:
        found, asked = told(pod("a"), known(a=secret({"q.io": {"auth": "?"}})), always("pulls"))
        assert (asked, summary(found)[0]) == ([], "will_not_pull")

    def test_the_number_of_questions_is_limited(self) -> None:
        auths = {f"q.io/{'team/app'[:length]}": AUTH for length in range(1, 9)}
        evidence = known(**{f"s{number}": secret(auths) for number in range(9)})
        _found, asked = told(pod(*(f"s{number}" for number in range(9))), evidence, always("bad_login"))
        assert len(asked) == 32


class TestSearchRegistries:
    """CRI-O tries the name in each search registry, with the login that the kubelet has for Docker Hub."""

    A, R = "a.io/team/app:v1", "r.io/team/app:v1"

    def told(self, answers: Answers, *search: str, more: Any = None, **secrets: Any) -> tuple[PullVerdict, Asked]:
        evidence = known(more={**openshift("4.21.0", *(search or ("a.io", "r.io"))), **(more or {})}, **secrets)
        return told(pod(*secrets, image="team/app:v1"), evidence, answers)

    def test_each_of_them_gets_the_login_for_docker_hub(self) -> None:
        found, asked = self.told(lambda image, *_: "pulls" if image == self.R else "not_found", hub=HUB)
        assert asked == [(self.A, "hub", "docker.io"), (self.R, "hub", "docker.io")]
        assert summary(found) == ("pulls", "said pulls, with the key docker.io of secret hub")

    def test_each_of_them_gets_its_login_of_the_nodes_without_one_for_docker_hub(self) -> None:
        nodes = {NODE_SECRET: secret({"r.io": AUTH})}
        found, asked = self.told(lambda _image, name, _key: "pulls" if name else "no_login", more=nodes, own=GOOD)
        assert asked == [(self.A, "", ""), (self.R, "pull-secret", "r.io")]
        assert found.verdict == "pulls"

    @pytest.mark.parametrize(("login", "is_looked_for"), [("robot:", False), (":password", True)])
    def test_a_login_without_a_user_lets_the_runtime_look_for_one(self, login: str, *, is_looked_for: bool) -> None:
        more = {**openshift("4.21.0", "a.io", "r.io"), NODE_SECRET: secret({"r.io": AUTH})}
        hub = secret({"docker.io": {"auth": b64(login)}})
        _found, asked = self.told(lambda _image, name, _key: "pulls" if name else "no_login", more=more, hub=hub)
        last = ("pull-secret", "r.io") if is_looked_for else ("", "")
        assert asked == [(self.A, "", ""), (self.R, *last)]
        unasked = explain(pod("hub", image="team/app:v1"), Lookup(known(more=more, hub=hub)))
        assert unasked.verdict == ("pulls" if is_looked_for else "unknown")

    def test_the_mirrors_of_each_name_are_asked_before_it(self) -> None:
        more = mirrored("m.io", source="r.io")
        _found, asked = self.told(always("not_found"), more=more, hub=HUB)
        assert [image for image, _secret, _key in asked] == [self.A, "m.io/team/app:v1", self.R]

    def test_the_last_refusal_is_reported(self) -> None:
        found, _asked = self.told(lambda image, *_: "bad_login" if image == self.R else "not_found", hub=HUB)
        assert summary(found) == ("will_not_pull", "the registry refuses the login: secret hub has the key docker.io")

    def test_a_blocked_one_is_not_asked(self) -> None:
        blocked = openshift("4.21.0", "a.io", "r.io")
        blocked[IMAGE_CONFIG]["spec"]["registrySources"]["blockedRegistries"] = ["a.io"]
        _found, asked = self.told(always("pulls"), more=blocked, hub=HUB)
        assert asked == [(self.R, "hub", "docker.io")]

    def test_a_silent_one_leaves_the_verdict_unknown(self) -> None:
        found, _asked = self.told(lambda image, *_: "not_found" if image == self.R else "unreachable", hub=HUB)
        assert found.verdict == "unknown"

    def test_an_image_for_another_architecture_leaves_the_next_one(self) -> None:
        def answer(image: str, *_login: str) -> Any:
            lists = {"is_index": True, "names": ["arm64" if image == self.A else "amd64"]}
            return {"outcome": "pulls", "message": "said it", "architectures": lists}

        amd = node()
        amd["status"]["nodeInfo"]["architecture"] = "amd64"
        found, _asked = self.told(answer, more={NODES: {"items": [amd]}}, hub=HUB)
        assert found.verdict == "pulls"

    def test_without_asking_a_login_of_the_nodes_for_one_of_them_counts(self) -> None:
        more = {**openshift("4.21.0", "a.io", "r.io"), NODE_SECRET: secret({"r.io": AUTH})}
        found = explain(pod("own", image="team/app:v1"), Lookup(known(more=more, own=GOOD)))
        said = f"the nodes' pull secret has the key r.io for {self.R}, but the registry was not asked whether it accepts the login"
        assert summary(found) == ("pulls", said)

    @pytest.mark.parametrize(("refusing", "verdict"), [(["a.io", "r.io"], "will_not_pull"), (["a.io"], "pulls")])
    def test_without_asking_a_login_is_refused_if_each_of_them_refuses_it(
        self, refusing: list[str], verdict: str
    ) -> None:
        hub = {**HUB, "refusedLogins": [["docker.io", host] for host in refusing]}
        more = openshift("4.21.0", "a.io", "r.io")
        assert explain(pod("hub", image="team/app:v1"), Lookup(known(more=more, hub=hub))).verdict == verdict


def by_realm(**realms: str) -> Answers:
    """A registry that serves the image, and gets its tokens from this host."""
    return lambda image, _secret, _key: {
        "outcome": "pulls", "message": f"{image} pulls", "realm_host": realms[image.partition(".")[0]],
    }  # fmt: skip


class TestTokenServices:
    LOST: ClassVar = {network_ref("auth.io"): {"reached": False}}
    MIRRORED: ClassVar = {**mirrored("m.io/mirror", source="q.io/team"), NODE_SECRET: secret({"m.io": AUTH})}

    def test_a_registry_does_not_serve_nodes_that_do_not_reach_its_token_service(self) -> None:
        found, _asked = told(pod("a"), known(a=GOOD, more=self.LOST), by_realm(q="auth.io"))
        text = "the nodes do not reach auth.io, which gives out the tokens for registry q.io"
        assert (summary(found), found.step, found.fix) == (("will_not_pull", text), "network", ())
        assert told(pod("a"), known(a=GOOD, more=self.LOST), by_realm(q="q.io"))[0].verdict == "pulls"
        assert told(pod("a"), known(a=GOOD), by_realm(q="auth.io"))[0].verdict == "pulls"

    def test_another_place_serves_the_image(self) -> None:
        evidence = known(a=GOOD, more={**self.LOST, **self.MIRRORED})
        for realms in ({"m": "auth.io", "q": "q.io"}, {"m": "m.io", "q": "auth.io"}):
            assert told(pod("a"), evidence, by_realm(**realms))[0].verdict == "pulls"
        assert told(pod("a"), evidence, by_realm(m="auth.io", q="auth.io"))[0].verdict == "will_not_pull"

    def test_a_login_of_a_provider_needs_the_token_service_as_well(self) -> None:
        evidence = known(a=GOOD, more={**self.LOST, POOLS: HIDDEN})
        assert told(pod("a"), evidence, by_realm(q="auth.io"))[0].verdict == "will_not_pull"


class TestUnasked:
    """A fact that only the registry knows decides."""

    LIMITED: ClassVar = {network_ref("q.io"): {"reached": True, "limited": True}}
    LOSS: ClassVar = {network_ref("q.io"): {"loss": "an authority is gone"}}

    def test_the_token_service_is_not_known_if_nodes_reach_only_some_registries(self) -> None:
        found = explain(pod("a"), Lookup(known(a=GOOD, more=self.LIMITED)))
        text = "the nodes reach only some registries, and only q.io knows the host that gives out its tokens: it was not asked"
        assert (summary(found), found.step) == (("unknown", text), "network")

    def test_the_need_for_an_authority_is_not_known(self) -> None:
        found = explain(pod("a"), Lookup(known(a=GOOD, more=self.LOSS)))
        text = "an authority is gone, and whether its certificate needs it is not known: it was not asked"
        assert (summary(found), found.step) == (("unknown", text), "certificate")
        insecure = {IMAGE_CONFIG: {"spec": {"registrySources": {"insecureRegistries": ["q.io"]}}}}
        assert explain(pod("a"), Lookup(known(a=GOOD, more={**self.LOSS, **insecure}))).verdict == "pulls"

    def test_a_mirror_counts_as_well(self) -> None:
        more = {network_ref("m.io"): {"loss": "an authority is gone"}, **mirrored("m.io/mirror", source="q.io/team")}
        assert explain(pod("a"), Lookup(known(a=GOOD, more=more))).verdict == "unknown"

    def test_a_service_of_the_cluster_is_always_reached(self) -> None:
        host = "registry.infra.svc:5000"
        more = {network_ref(host): {"reached": True, "limited": True}}
        found = explain(pod("a", image=f"{host}/b/app:v1"), Lookup(known(a=secret({host: AUTH}), more=more)))
        assert found.verdict == "pulls"

    def test_a_pull_that_fails_for_certain_has_that_reason(self) -> None:
        denied = "Failed to pull image: unauthorized: access to the requested resource is not authorized"
        found = explain(pod(reason="ErrImagePull", message=denied), Lookup(known(more=self.LIMITED)))
        assert found.verdict == "will_not_pull"


class TestHiddenLogins:
    """A registry that refuses the known logins proves nothing about those that cannot be read."""

    def test_a_hidden_secret_of_the_pod_leaves_a_doubt(self) -> None:
        found, _asked = told(pod("a", "b"), known(a=GOOD, b=HIDDEN), always("bad_login"))
        assert summary(found) == ("unknown", f"the content of secret ns/b is not known: {HIDDEN}")
        assert told(pod("a", "b"), known(a=GOOD, b=HIDDEN), always("pulls"))[0].verdict == "unknown"

    def test_the_hidden_secret_of_the_nodes_leaves_a_doubt(self) -> None:
        evidence = known(a=GOOD, more={NODE_SECRET: HIDDEN})
        found, _asked = told(pod("a"), evidence, always("bad_login"))
        assert summary(found) == ("unknown", f"the content of {NODE_SECRET} is not known: {HIDDEN}")
        assert told(pod("a"), evidence, always("pulls"))[0].verdict == "pulls"

    def test_the_hidden_list_of_an_account_leaves_a_doubt(self) -> None:
        found, _asked = told(template(), known(HIDDEN), always("no_login"))
        assert summary(found) == ("unknown", f"the list of service account ns/default is not known: {HIDDEN}")

    @pytest.mark.parametrize("hidden", ["secret", "nodes"])
    @pytest.mark.parametrize("outcome", ["bad_login", "no_login", "unanswered"])
    def test_the_refusal_of_the_node_counts_for_hidden_logins_as_well(self, hidden: str, outcome: str) -> None:
        subject = pod("a", "b", says="unable to retrieve auth token: invalid username/password: unauthorized")
        more = {} if hidden == "secret" else {NODE_SECRET: HIDDEN}
        evidence = known(a=GOOD, b=HIDDEN if hidden == "secret" else GOOD, more=more)
        without_asking = explain(subject, Lookup(evidence))
        assert (without_asking.verdict, bool(without_asking.fix)) == ("will_not_pull", True)
        found, _asked = told(subject, evidence, always(outcome))
        assert (found.verdict, found.reason, found.fix) == (
            "will_not_pull",
            without_asking.reason,
            without_asking.fix,
        )

    def test_another_error_of_the_node_leaves_hidden_logins_in_doubt(self) -> None:
        subject = pod("a", "b", says="pull QPS exceeded")
        found, _asked = told(subject, known(a=GOOD, b=HIDDEN), always("bad_login"))
        assert summary(found) == ("unknown", f"the content of secret ns/b is not known: {HIDDEN}")

    def test_a_list_of_the_pod_hides_nothing(self) -> None:
        assert told(pod("a"), known(HIDDEN, a=GOOD), always("bad_login"))[0].verdict == "will_not_pull"


class TestAnswers:
    @pytest.mark.parametrize("outcome", ["bad_login", "not_found", "no_right"])
    def test_the_login_of_the_pod_is_not_named_for_a_mirror_on_another_host(self, outcome: str) -> None:
        evidence = known(
            a=GOOD, more={**mirrored("m.io/mirror", source="q.io/team", only=True), NODE_SECRET: secret({"m.io": AUTH})}
        )
        found, asked = told(pod("a"), evidence, always(outcome))
        assert asked == [("m.io/mirror/app:v1", "pull-secret", "m.io")]
        key = "the nodes' pull secret has the key m.io for m.io/mirror/app:v1"
        seen = f"said {outcome}: {key}"
        assert summary(found) == ("will_not_pull", f"{seen}{'' if outcome == 'bad_login' else AT_MIRROR}")
        named = [step.seen for step in found.steps if step.name == "copy"]
        assert named == ([seen] if outcome == "not_found" else [])

    def test_the_advice_for_a_mirror_comes_before_a_hint_about_its_secret(self) -> None:
        copy = {INFRASTRUCTURE: {"status": {"controlPlaneTopology": "External"}}, NODE_SECRET: secret({"m.io": AUTH})}
        evidence = known(a=GOOD, more={**mirrored("m.io/mirror", source="q.io/team", only=True), **copy})
        found, _asked = told(pod("a"), evidence, always("no_right"))
        assert f"{AT_MIRROR}. secret openshift-config/pull-secret is a copy: " in found.reason

    def test_a_login_that_is_known_to_be_refused_is_named(self) -> None:
        refused = {**GOOD, "refusedLogins": [["q.io", "q.io"]]}
        found, _asked = told(pod("a"), known(a=refused), always("bad_login"))
        assert summary(found) == ("will_not_pull", "the registry refuses the login: secret a has the key q.io")
        assert found.fix == fixes.add_registry("ns", "a", "q.io")

    def test_an_image_that_the_registry_serves_pulls(self) -> None:
        found, _asked = told(pod("a"), known(a=GOOD), always("pulls"))
        assert summary(found) == ("pulls", "said pulls, with the key q.io of secret a")

    def test_the_first_login_that_pulls_is_enough(self) -> None:
        evidence = known(a=GOOD, b=secret({"q.io/team": AUTH}))
        found, asked = told(pod("a", "b"), evidence, lambda _i, name, _k: "pulls" if name == "a" else "bad_login")
        assert (len(asked), summary(found)) == (2, ("pulls", "said pulls, with the key q.io of secret a"))

    def test_a_silent_registry_leaves_the_verdict_unknown(self) -> None:
        found, _asked = told(pod("a"), known(a=GOOD), always("unanswered"))
        assert summary(found) == ("unknown", "a registry could not be asked from here: said unanswered")
        assert steps(found, "registry")[0][2] is None

    def test_facts_of_the_cluster_are_reported_next_to_a_silent_registry(self) -> None:
        found, _asked = told(pod(), known(), always("unanswered"))
        begin = (
            "a registry could not be asked from here: said unanswered; no pull secret of pod ns/p is for q.io/team/app"
        )
        assert (found.verdict, found.reason[: len(begin)]) == ("unknown", begin)
        assert found.fix

    @pytest.mark.parametrize("answer", ["rate_limited", "not_sent", None, ImagePullError("why"), {}, {"outcome": 1}])
    def test_any_other_outcome_leaves_the_verdict_unknown(self, answer: Any) -> None:
        found, _asked = told(pod("a"), known(a=GOOD), always(answer))
        assert summary(found)[0] == "unknown"

    def test_an_unreachable_mirror_does_not_matter_if_the_source_pulls(self) -> None:
        evidence = known(a=GOOD, more=at_mirror())
        found, _asked = told(pod("a"), evidence, lambda image, _n, _k: "pulls" if image == IMAGE else "unanswered")
        assert summary(found)[0] == "pulls"

    def test_a_refused_login_has_a_fix(self) -> None:
        found, _asked = told(pod("a"), known(a=GOOD), always("bad_login"))
        assert summary(found) == ("will_not_pull", "the registry refuses the login: secret a has the key q.io")
        assert found.fix[0]["openshift_ops.image_pull.pull_secret"]["name"] == "a"

    @pytest.mark.parametrize("outcome", ["no_right", "not_found", "expired"])
    def test_a_login_without_the_right_will_not_pull(self, outcome: str) -> None:
        found, _asked = told(pod("a"), known(a=GOOD), always(outcome))
        advice = "" if outcome == "expired" else AT_SOURCE
        assert summary(found) == ("will_not_pull", f"said {outcome}: secret a has the key q.io{advice}")
        assert found.step == ("image" if outcome == "not_found" else "login")

    @pytest.mark.parametrize("names", [["a"], []], ids=str)
    def test_a_missing_image_is_a_step_of_its_own(self, names: list[str]) -> None:
        found, _asked = told(pod(*names), known(a=GOOD), always("not_found"))
        (_first, (name, seen, ok)) = steps(found, "image")
        assert (found.step, name, ok) == ("image", "image", False)
        assert found.reason == f"{seen}{AT_SOURCE if names else ''}"

    @pytest.mark.parametrize("mirror", ["m.io/mirror", "q.io/mirror"])
    def test_a_missing_copy_is_a_step_of_its_own(self, mirror: str) -> None:
        found, _asked = told(pod("a"), known(a=GOOD, more=at_mirror(mirror, only=True)), always("not_found"))
        ((name, seen, ok),) = steps(found, "copy")
        assert (found.step, name, ok) == ("copy", "copy", False)
        assert found.reason == f"{seen}{AT_MIRROR if mirror == 'q.io/mirror' else ''}", "the other one gets no login"

    def test_a_missing_login_has_a_fix(self) -> None:
        found, _asked = told(pod(), known(), always("no_login"))
        assert summary(found)[0] == "will_not_pull"
        assert summary(found)[1].startswith("no pull secret of pod ns/p is for q.io/team/app")
        assert found.fix

    def test_a_mirror_alone_that_needs_a_login_has_a_fix(self) -> None:
        found, _asked = told(pod("a"), known(a=GOOD, more=at_mirror(only=True)), always("no_login"))
        assert "the nodes' pull secret has no key for m.io/mirror/app:v1" in summary(found)[1]
        assert found.fix[0]["openshift_ops.image_pull.pull_secret"]["namespaces"] == ["openshift-config"]

    def test_the_answer_of_the_registry_is_newer_than_the_error_of_the_node(self) -> None:
        subject = pod("a", says="unable to retrieve auth token: invalid username/password: unauthorized")
        found, _asked = told(subject, known(a=GOOD), always("pulls"))
        assert summary(found)[0] == "pulls"
        assert found.cause == "bad_credentials"

    @pytest.mark.parametrize(("outcome", "verdict"), [("bad_login", "will_not_pull"), ("pulls", "pulls")])
    def test_the_registry_decides_if_the_error_of_the_node_proves_nothing(self, outcome: str, verdict: str) -> None:
        assert told(pod("a", says="pull QPS exceeded"), known(a=GOOD), always(outcome))[0].verdict == verdict

    def test_an_error_that_no_registry_decides_is_left_to_the_node(self) -> None:
        found, asked = told(pod("a", says="no such host"), known(a=GOOD), always("pulls"))
        assert (asked, summary(found)[0]) == ([], "will_not_pull")


class TestUnclassifiedError:
    """An answer of a registry does not explain an error that no rule knows, so the node's words stay and no task writes a login on a guess."""

    SAYS = "the moon is in the wrong phase"

    @pytest.mark.parametrize("outcome", ["pulls", "bad_login", "no_login", "no_right", "not_found", "unanswered"])
    @pytest.mark.parametrize("login", [[], ["a"]], ids=str)
    def test_the_words_of_the_node_are_in_the_reason(self, outcome: str, login: list[str]) -> None:
        found, _asked = told(pod(*login, says=self.SAYS), known(a=GOOD), always(outcome))
        refused = outcome not in ("pulls", "unanswered")
        assert found.verdict == ("will_not_pull" if refused else "unknown")
        assert found.reason.count(self.SAYS) == 1
        assert "works only if" not in found.reason
        assert not found.fix or refused

    def test_they_are_in_the_reason_that_another_step_gives(self) -> None:
        evidence = known(a=GOOD, more={IMAGE_CONFIG: HIDDEN})
        found, _asked = told(pod("a", says=self.SAYS), evidence, always("pulls"))
        assert found.reason.startswith("which registries are allowed")
        assert found.reason.endswith(f". The node says: {self.SAYS}")

    def test_an_error_that_may_be_about_another_image_is_not_one_of_this_image(self) -> None:
        found, _asked = told(pod("a", says=self.SAYS, shares_error=True), known(a=GOOD), always("pulls"))
        assert found.reason == (
            f"the node says: {self.SAYS}. This does not name one image of the pod, so it may be about another one"
        )

    @pytest.mark.parametrize(
        ("text", "cause"),
        [
            ("remote error: tls: certificate required", "tls_client"),
            ("remote error: tls: protocol version not supported", "tls_version"),
            ("stopped after 10 redirects", "redirects"),
            ("exceeded maximum allowed size of 4194304 bytes", "too_large"),
            ("reading blob sha256:1111: fetching blob: authentication required", "content_refused"),
        ],
    )
    @pytest.mark.parametrize("outcome", ["pulls", "unanswered"])
    def test_no_login_is_written_for_an_error_that_no_login_changes(self, text: str, cause: str, outcome: str) -> None:
        found, _asked = told(pod(says=f'Get "https://q.io/v2/": {text}'), known(), always(outcome))
        assert (found.verdict, found.cause, found.fix) == ("will_not_pull", cause, ())
        assert text in found.reason


#: An error for a source that no node of the site can reach, because its mirror refuses.
MIRROR_REFUSES = (
    "initializing source docker://q.io/team/app:v1: (Mirrors also failed: [m.io/mirror/app:v1: reading manifest v1 in m.io/mirror/app: "
    'denied]): q.io/team/app:v1: pinging container registry q.io: Get "https://q.io/v2/": dial tcp: lookup q.io: no such host'
)


class TestSilent:
    """A registry that does not answer the task does not weaken the answers of a node or of another registry."""

    @pytest.mark.parametrize("silence", ["unanswered", "not_sent", "rate_limited", None])
    @pytest.mark.parametrize("login", [[], ["a"]], ids=str)
    def test_the_refusal_of_the_node_is_conclusive_with_a_silent_registry(self, silence: Any, login: list[str]) -> None:
        subject = pod(*login, says="unable to retrieve auth token: invalid username/password: x" if login else "denied")
        found, _asked = told(subject, known(a=GOOD), always(silence))
        alone = explain(subject, Lookup(known(a=GOOD)))
        assert summary(found) == summary(alone)
        assert (found.verdict, found.fix) == ("will_not_pull", alone.fix)
        assert found.fix
        assert "registry" in [step.name for step in found.steps]

    def test_the_answer_of_a_mirror_counts_if_the_node_cannot_reach_the_source(self) -> None:
        evidence = known(more={**at_mirror(), NODE_SECRET: None})
        found, _asked = told(
            pod(says=MIRROR_REFUSES), evidence, lambda image, _n, _k: "unanswered" if image == IMAGE else "no_login"
        )
        assert summary(found) == (
            "will_not_pull",
            "said no_login: the nodes' pull secret has no key for m.io/mirror/app:v1",
        )
        assert found.fix[0]["openshift_ops.image_pull.pull_secret"]["namespaces"] == ["openshift-config"]

    def test_the_answer_of_the_source_counts_if_the_node_was_refused_there(self) -> None:
        evidence = known(a=GOOD, more=at_mirror())
        found, _asked = told(
            pod("a", says="denied"), evidence, lambda image, _n, _k: "expired" if image == IMAGE else "unanswered"
        )
        assert summary(found) == ("will_not_pull", "said expired: secret a has the key q.io")
        assert found.fix

    def test_the_answer_to_one_of_several_logins_is_not_enough(self) -> None:
        """The other login may have been changed after the node was refused."""
        evidence = known(a=GOOD, b=secret({"q.io/team": AUTH}))
        subject = pod("a", "b", says="denied")
        found, _asked = told(subject, evidence, lambda _i, name, _k: "no_right" if name == "b" else "rate_limited")
        alone = explain(subject, Lookup(evidence))
        assert summary(found) == summary(alone)
        assert found.verdict == "unknown"

    def test_the_answer_of_one_registry_is_not_enough_without_an_error_of_the_node(self) -> None:
        evidence = known(a=GOOD, more=at_mirror())
        found, _asked = told(pod("a"), evidence, lambda image, _n, _k: "bad_login" if image == IMAGE else "unanswered")
        assert summary(found) == (
            "unknown",
            "a registry could not be asked from here: said unanswered; said bad_login, with the key q.io of secret a",
        )
        assert found.fix


class TestIntegratedRegistry:
    """The integrated registry does not answer a host outside the cluster. The right of the account and the stream are known."""

    HOST = "image-registry.openshift-image-registry.svc:5000"
    MARK = "openshift.io/internal-registry-auth-token.service-account"

    def told(self, answer: Any, account: str = "default", says: str = "", **more: Any) -> tuple[str, str]:
        data = b64(json.dumps({self.HOST: AUTH}))
        own = {
            "metadata": {"annotations": {self.MARK: account}},
            "type": "kubernetes.io/dockercfg",
            "data": {".dockercfg": data},
        }
        facts = {
            ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default"): {"allowed": True},
            ObjectRef(IMAGE_STREAM, "b", "app"): {"status": {"tags": [{"tag": "v1", "items": [{"image": "x"}]}]}},
        }
        subject = pod("own", image=f"{self.HOST}/{more.get('path', 'b/app:v1')}", says=says)
        return summary(told(subject, known(more={**facts, **more.get("facts", {})}, own=own), always(answer))[0])

    @pytest.mark.parametrize("silence", ["unanswered", "not_sent", None, ImagePullError("why")])
    def test_the_generated_login_pulls_if_the_account_may(self, silence: Any) -> None:
        verdict, reason = self.told(silence)
        begin = "secret own, which the platform generates for service account ns/default, has a login, but the registry could not be asked from here"
        assert (verdict, reason[: len(begin)]) == ("pulls", begin)

    def test_the_silence_of_its_route_is_not_explained(self) -> None:
        """Other hosts reach the route, so its silence can be an error of the registry."""
        config = {IMAGE_CONFIG: {"status": {"externalRegistryHostnames": ["registry.apps.example.com"]}}}
        self.HOST = "registry.apps.example.com"
        assert self.told("unanswered", facts=config)[0] == "unknown"

    @pytest.mark.parametrize(("outcome", "verdict"), [("bad_login", "will_not_pull"), ("rate_limited", "unknown")])
    def test_an_answer_counts(self, outcome: str, verdict: str) -> None:
        assert self.told(outcome)[0] == verdict

    def test_the_right_and_the_stream_count(self) -> None:
        right = {ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "ns/default"): {"allowed": False}}
        assert self.told("unanswered", facts=right) == (
            "will_not_pull",
            "service account ns/default may not pull from project b",
        )
        assert self.told("unanswered", facts={ObjectRef(IMAGE_STREAM, "b", "app"): HIDDEN})[0] == "unknown"

    def test_the_right_of_the_account_says_nothing_about_the_login_of_another(self) -> None:
        assert self.told("unanswered", account="builder")[0] == "unknown"

    def test_an_image_outside_a_project_has_no_right(self) -> None:
        assert self.told("unanswered", path="app:v1")[0] == "unknown"

    def test_the_error_of_the_node_counts(self) -> None:
        assert self.told("unanswered", says="denied")[0] != "pulls"
        assert self.told("unanswered", says="something else")[0] == "unknown"


class TestInsecure:
    @pytest.mark.parametrize(
        ("insecure", "asked_insecurely"),
        [
            ([], []),
            (["q.io"], [IMAGE]),
            (["q.io/team"], [IMAGE]),
            (["q.io/other", "q", "io"], []),
            (["*.io"], ["m.io/mirror/app:v1", IMAGE]),
            (["m.io"], ["m.io/mirror/app:v1"]),
        ],
    )
    def test_registries_are_insecure_only_if_the_image_config_lists_them(
        self, insecure: list[str], asked_insecurely: list[str]
    ) -> None:
        config = {"spec": {"registrySources": {"insecureRegistries": insecure}}}
        held = Lookup(known(a=GOOD, more={**at_mirror(), IMAGE_CONFIG: config}))
        with pytest.raises(ReadRequired):
            explain(pod("a"), held, asks=True)
        questions = [ImageQuestion.of(ref) for ref in held.take_wanted()]
        assert [question.image for question in questions if question.is_insecure] == asked_insecurely

    @pytest.mark.parametrize("config", [None, {}, {"spec": {"registrySources": 1}}, ImagePullError("refused")])
    def test_no_registry_is_insecure_without_a_list_in_the_image_config(self, config: Any) -> None:
        held = Lookup(known(a=GOOD, more={IMAGE_CONFIG: config}))
        with pytest.raises(ReadRequired):
            explain(pod("a"), held, asks=True)
        assert not any(ImageQuestion.of(ref).is_insecure for ref in held.take_wanted())


class TestUnlinkedLogins:
    """The login of a secret that no list names is tested before its link is offered."""

    STORED = {"good": GOOD, "planted": secret({"q.io/team": AUTH})}

    def test_the_login_that_pulls_is_linked(self) -> None:
        answers = {"": "no_login", "good": "pulls", "planted": "bad_login"}
        found, asked = told(pod(), known(**self.STORED), lambda _image, name, _key: answers[name])
        assert asked == [(IMAGE, "", ""), (IMAGE, "planted", "q.io/team"), (IMAGE, "good", "q.io")]
        assert summary(found) == (
            "will_not_pull",
            "secret ns/good has the key q.io, with which said pulls, but service account ns/default does not list it: said no_login",
        )
        assert found.fix == fixes.link("ns", "default", "good")

    def test_it_is_linked_even_if_the_registry_hides_the_image_without_it(self) -> None:
        answers = {"": "not_found", "good": "pulls"}
        found, _asked = told(pod(), known(good=GOOD), lambda _image, name, _key: answers[name])
        assert found.fix == fixes.link("ns", "default", "good")

    def test_a_refused_login_is_not_linked(self) -> None:
        answers = {"": "no_login", "planted": "bad_login"}
        found, _asked = told(pod(), known(planted=GOOD), lambda _image, name, _key: answers[name])
        assert found.reason == (
            "secret ns/planted has the key q.io, but service account ns/default does not list it, and no link is offered, because "
            "said bad_login: said no_login"
        )
        assert found.fix == fixes.create_secret("ns", "default", "q.io")

    @pytest.mark.parametrize(
        ("planted", "is_offered"), [("bad_login", False), ("not_found", False), ("unanswered", True)]
    )
    def test_no_login_is_added_for_an_image_that_no_accepted_login_gets(
        self, planted: str, *, is_offered: bool
    ) -> None:
        answers = {"": "no_login", "good": "not_found", "planted": planted}
        found, _asked = told(pod(), known(**self.STORED), lambda _image, name, _key: answers[name])
        if is_offered:
            assert found.fix == fixes.link("ns", "default", "planted")
            return
        assert found.reason == (
            "secrets planted, good of namespace ns have a login for the image, but service account ns/default does not list them, and no "
            "link is offered, because said not_found: said no_login. Check the image name and tag, or give the user of the login the right "
            "to pull it"
        )
        assert not found.fix

    def test_another_login_is_offered_for_an_image_to_which_an_accepted_login_has_no_right(self) -> None:
        answers = {"": "no_login", "good": "no_right"}
        found, _asked = told(pod(), known(good=GOOD), lambda _image, name, _key: answers[name])
        assert found.reason.endswith("Check the image name and tag, or give the user of the login the right to pull it")
        assert found.fix == fixes.create_secret("ns", "default", "q.io")

    @pytest.mark.parametrize(("refused", "linked"), [("bad_login", "good"), ("unanswered", "")])
    def test_an_untested_login_is_linked_only_if_no_other_is_left(self, refused: str, linked: str) -> None:
        answers = {"": "no_login", "good": "unanswered", "planted": refused}
        found, _asked = told(pod(), known(**self.STORED), lambda _image, name, _key: answers[name])
        expected = fixes.link("ns", "default", linked) if linked else fixes.create_secret("ns", "default", "q.io")
        assert found.fix == expected

    def test_a_user_with_many_secrets_causes_few_questions(self) -> None:
        stored = {f"planted-{number}": GOOD for number in range(40)}
        found, asked = told(pod(), known(**stored), always("bad_login"))
        assert len(asked) == 9
        assert "because it is not known which login works" in found.reason
        assert found.fix == fixes.create_secret("ns", "default", "q.io")
