#!/usr/bin/python
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_access_what_if
short_description: Find out which pods would no longer get their images after a change
version_added: 1.0.0
description:
  - Supposes changes, such as the removal of a secret or a registry that the nodes no longer reach, and evaluates each pull before and after
    them, as M(openshift_ops.image_pull.pull_access_info) does. Nothing is changed.
  - The answer covers each container and image volume of each workload, including cron jobs, workloads without pods and workloads that a custom
    resource creates, and of each pod without a workload. Pods in service from an earlier template have their own answer. The template of the
    next pod of another controller is not known, so the answer is V(unknown) if the changes take a link away that this pod may need.
  - V(would_break) means that the pull fails after the changes and does not surely fail today. V(would_work) means the opposite, and
    V(still_broken) and V(still_pulls) that the result does not change. Otherwise the answer is V(unknown), with the reason. Containers whose
    pull depends on nothing that the changes affect are only counted, as V(not_affected), and no registry is asked about their images.
  - A container that runs now goes on running. For each pull that breaks, the result has the moment at which it is missed - V(at_once),
    V(at_restart), V(on_another_node) or V(at_rollout) - and an earlier moment if the kubelet's own records decide, which no object shows.
  - Each answer V(would_break) names the changes that cause it, the first step that fails, and a task that keeps the pull working, if a login,
    a link or a grant can do that. Run the task before the changes. It is offered only if the changes do not undo it, so it never writes a
    secret that they delete. It keeps the other logins of a secret that exists.
  - The API client of this module refuses to send a write. To check rights, it creates SubjectAccessReviews, which are queries and store
    nothing.
options:
  changes:
    description:
      - The changes to suppose. They are applied together, in the order given. Each item has exactly one of the options below.
      - The result lists, for each change, the facts about it that no object shows.
      - The module warns about a change that names registries or objects, and affects nothing that was read. A name in it may be mistyped.
    type: list
    elements: dict
    required: true
    suboptions:
      unreachable_registries:
        description:
          - Registries, as C(host[:port]), that the nodes no longer reach. A host without a port stands for all its ports, and
            V(*.example.com) for all hosts below it. Images of a registry without a port come from port 443. Images with a mirror that the
            nodes reach are pulled there. With O(ask_registries), each registry is asked once for the host that gives out its tokens, because
            nodes must reach it as well. For images of V(docker.io), nodes ask V(registry-1.docker.io) and V(auth.docker.io), and V(docker.io)
            stands for both.
          - Since version 1.1.0 also paths, as C(host[:port]/path), from which the nodes get nothing, such as V(docker.io/bitnami). A path
            matches whole components of the name of an image, with V(docker.io) and V(library) added to a name without them, and of its
            mirrors.
        type: list
        elements: str
      only_registries:
        description:
          - The only registries, as C(host[:port]), that the nodes reach, for example in a disconnected site. Services of the cluster, such as
            the integrated registry, are always reached. Name the hosts that give out the tokens for the registries as well. Only the registries
            know them, so a pull from a registry outside of the cluster is V(unknown) without O(ask_registries).
        type: list
        elements: str
      moved:
        description:
          - Images come from other places. The keys are the present places, as C(host[:port][/path]), such as V(docker.io/bitnami), and the
            values the new ones, such as V(quay.io/acme/bitnami). Each name of an image in such a place counts as changed, with the rest of
            its path, its tag and its digest - in pods, workloads, catalogs, and the sources of image streams. The longest place counts, and a
            name without a registry is one of V(docker.io). Images that only a release or an operator names keep their names.
          - The answer is about the next pod, which starts on a node that does not have the image under the new name. For the pods of a
            workload, the template decides. A pod of another controller or without one is created again with the list of secrets that it has.
          - Suppose it together with O(changes[].unreachable_registries) to find out whether everything still pulls when the old place is
            closed. With O(ask_registries), the new place is asked for each image, with the logins of its pods.
        type: dict
        version_added: 1.1.0
      remove_secrets:
        description: A secret is deleted.
        type: dict
        suboptions:
          name:
            description: The name of the secret.
            type: str
            required: true
          namespaces:
            description: The namespaces in which it is deleted. By default, all namespaces that are evaluated.
            type: list
            elements: str
      remove_links:
        description: Service accounts no longer list secrets for pulls.
        type: dict
        suboptions:
          secrets:
            description: The names of the secrets.
            type: list
            elements: str
            required: true
          service_accounts:
            description: The names of the service accounts. By default, all.
            type: list
            elements: str
          namespaces:
            description: The namespaces of the accounts. By default, all namespaces that are evaluated.
            type: list
            elements: str
      remove_grants:
        description:
          - Role bindings to C(system:image-puller) lose subjects. Without any subject, they lose all of them, except those of the binding
            C(system:image-pullers) of each project, which the platform creates again.
          - Other roles that give the right keep it. If a role or a binding that may do so cannot be read, the answer is V(unknown).
        type: dict
        suboptions:
          namespaces:
            description: The projects that others may no longer pull from. By default, all namespaces that are evaluated.
            type: list
            elements: str
          service_accounts:
            description: Service accounts that lose the right.
            type: list
            elements: dict
            suboptions:
              namespace:
                description: The namespace of the account.
                type: str
                required: true
              name:
                description: The name of the account.
                type: str
                required: true
          projects:
            description: Projects whose service accounts lose the right that all of them have together.
            type: list
            elements: str
          groups:
            description: Groups that lose the right.
            type: list
            elements: str
      remove_credential:
        description:
          - A registry no longer accepts a login, for example because its robot account is deleted. The login is looked for in all secrets of
            the evaluated namespaces, and in the nodes' own pull secret.
        type: dict
        suboptions:
          registry:
            description: The registry, as C(host[:port]).
            type: str
            required: true
          username:
            description: The user name of the login.
            type: str
            required: true
          password:
            description: The password that the registry no longer accepts. Without it, the registry accepts no login of the user. Give it if
              another password of the same user still works, as after a rotation.
            type: str
      add_objects:
        description:
          - Objects are created or replaced. The kinds are V(ImageDigestMirrorSet), V(ImageTagMirrorSet), V(ImageContentSourcePolicy),
            V(ClusterImagePolicy), V(ImagePolicy), V(Image) (the image config), V(KubeletConfig), V(CRIOCredentialProviderConfig), and
            V(ConfigMap) for the certificate authorities in C(openshift-config).
          - The module supposes that the API server accepts them, because it would have to send a write to know it. Try them before with
            C(oc apply --dry-run=server).
          - A hosted cluster refuses changes of mirror sets and of the image config. The pulls that depend on them are V(unknown) there. The
            administrator of the HostedCluster makes such changes in C(spec.imageContentSources), for pulls by digest only, and
            C(spec.configuration.image). For ROSA, the mirrors are changed with C(rosa create image-mirror), and for ARO in
            C(imageDigestMirrors).
        type: dict
        suboptions:
          src:
            description:
              - The path of a YAML file on the host that runs the task. O(changes[].add_objects.src) and O(changes[].add_objects.definition)
                are mutually exclusive, and one of them is required.
            type: path
          definition:
            description: The objects.
            type: list
            elements: dict
      delete_objects:
        description: Objects are deleted. The kinds are those of O(changes[].add_objects).
        type: dict
        suboptions:
          kind:
            description: The kind of the objects.
            type: str
            required: true
          names:
            description: The names of the objects.
            type: list
            elements: str
            required: true
          namespace:
            description: The namespace of an V(ImagePolicy) or V(ConfigMap).
            type: str
      target_version:
        description:
          - The target version of an upgrade, such as V(4.22) for OpenShift or V(1.35) for plain Kubernetes. Quote the value. The forecasts
            of M(openshift_ops.image_pull.pull_access_audit) are part of the answer. They concern images that nodes have, for example, and
            the answer for a container is about its next pull, so C(counts) does not include them.
        type: str
      new_nodes:
        description:
          - Set to V(true) if all pods start on new nodes, which have no image, for example after a replacement of all nodes.
          - A container that runs now, and whose next pull already fails today, then breaks. So does one with C(imagePullPolicy) V(Never).
        type: bool
      declared:
        description:
          - An inventory is applied, as the playbook C(openshift_ops.image_pull.site) applies it - secrets, links, grants, and then the prune.
            The plans of the modules that apply it, in check mode, find the objects that would change. They start from the objects of the
            cluster as they are, whatever the other changes are, and from all namespaces that the entries name or select.
          - The result has an access review in C(what_if.access).
        type: dict
        suboptions:
          secrets:
            description:
              - The secrets, with the options of M(openshift_ops.image_pull.pull_secret), as in its option C(secrets). Passwords are
                used as they would be there, and are in no result.
            type: list
            elements: dict
          links:
            description: The links, as in the option C(links) of M(openshift_ops.image_pull.sa_link). Nothing is waited for.
            type: list
            elements: dict
          grants:
            description: The grants, as in the option C(grants) of M(openshift_ops.image_pull.image_puller_grant).
            type: list
            elements: dict
          owner:
            description: The owner of entries without an owner of their own.
            type: str
          adopt:
            description: Existing objects of other owners are taken over.
            type: bool
            default: false
          prune:
            description:
              - Also suppose that objects of O(changes[].declared.owner) that no entry declares are removed, as
                M(openshift_ops.image_pull.pull_access_prune) does. Nothing is removed in a namespace in which an entry would fail.
            type: bool
            default: false
          max_prune:
            description:
              - See O(openshift_ops.image_pull.pull_access_prune#module:max_prune). Objects that the limit keeps are not removed, and
                C(what_if.access.unplanned) has the reason.
            type: str
            default: 10%
          prune_everything:
            description: See O(openshift_ops.image_pull.pull_access_prune#module:prune_everything).
            type: bool
            default: false
          kept_secrets:
            description:
              - Entries that are declared, as in O(openshift_ops.image_pull.pull_access_prune#module:secrets), and not applied, such as those
                of a registry that does not report which host takes its logins. The prune keeps their objects, and
                C(what_if.access.unplanned) lists them.
            type: list
            elements: dict
          kept_links:
            description: The same for links, as in O(openshift_ops.image_pull.pull_access_prune#module:links).
            type: list
            elements: dict
  fail_on:
    description:
      - The answers that fail the task. A part of an inventory that would not be applied fails it as well, unless the value is V(never).
      - With V(would_break), the task also fails for V(unknown) answers that registries may decide, and that were not asked because
        O(ask_registries) is not set. V(certain_break) does not fail the task for these.
      - With V(unknown), both V(would_break) and V(unknown) fail it. The task then also fails if an upgrade has forecasts, if pods or workloads of
        a namespace or images of the platform could not be read, and if access could not be compared.
    type: str
    choices: [never, certain_break, would_break, unknown]
    default: never
  dest:
    description:
      - The path of a file for the document, on the host that runs the task. The file is written atomically, with mode C(0600), and replaces
        an existing one. The result then has only the counts and the text.
    type: path
  ask_registries:
    description:
      - Also check, from the host that runs the task, whether the registries provide the images, before and after the changes. This includes
        mirrors that a change adds. See O(openshift_ops.image_pull.pull_access_info#module:ask_registries).
      - Without it, a pull that loses a login is V(unknown), even if another login is left, because that may have no right to the image. This
        includes the login of the nodes, because nodes try it after those of the pod. Neither is it known whether the source has the image
        if a pull loses a mirror. A pull whose only logins a registry refuses (O(changes[].remove_credential)) is still V(would_break).
    type: bool
    default: false
  namespaces:
    description:
      - The namespaces to evaluate. Without O(namespaces) and O(namespace_selector), all namespaces except the platform's are evaluated, and also
        these if a change concerns the registries or the logins of the nodes (mirror sets and other objects, registries, a login, the nodes'
        own pull secret). A removal that names no namespace concerns only the other namespaces then. On
        OpenShift, if the caller may not list namespaces, only its own projects are evaluated, with a warning.
    type: list
    elements: str
  against:
    description:
      - The inventory to compare with, for the review of a merge request. The only change is then O(changes[].declared).
      - By default, no cluster is read or needed, and the result is only the access review of O(changes[].declared). What O(against) declares
        and the change does not is lost. A C(namespace_selector) counts as a namespace of its own, and a pattern of service accounts as an
        account.
      - With O(against.on_cluster), the cluster with O(against) applied is compared with the same cluster with O(changes[].declared) applied.
        Both start from the present objects of the cluster, and the selectors of both select its namespaces. The result is complete. Where it
        is about today, it means the cluster with O(against) applied.
    type: dict
    suboptions:
      secrets:
        description: The secrets, as in O(changes[].declared.secrets).
        type: list
        elements: dict
      links:
        description: The links, as in O(changes[].declared.links).
        type: list
        elements: dict
      grants:
        description: The grants, as in O(changes[].declared.grants).
        type: list
        elements: dict
      owner:
        description: The owner of entries without an owner of their own.
        type: str
      adopt:
        description: Existing objects of other owners are taken over.
        type: bool
        default: false
      prune:
        description: As O(changes[].declared.prune). Only with O(against.on_cluster).
        type: bool
        default: false
      max_prune:
        description: As O(changes[].declared.max_prune).
        type: str
        default: 10%
      prune_everything:
        description: As O(changes[].declared.prune_everything).
        type: bool
        default: false
      kept_secrets:
        description: As O(changes[].declared.kept_secrets).
        type: list
        elements: dict
      kept_links:
        description: As O(changes[].declared.kept_links).
        type: list
        elements: dict
      on_cluster:
        description: Compare on the cluster of the task, instead of without a cluster.
        type: bool
        default: false
  junit:
    description:
      - The path of a JUnit XML file, on the host that runs the task, with a case for each container that the changes affect. It is written as
        O(dest) is.
      - A case fails for the answers that O(fail_on) selects, and for V(would_break) with O(fail_on=never). Otherwise V(unknown) skips it. A
        forecast of an upgrade is a case like an answer V(unknown). A part of an inventory that would not be applied fails a case.
    type: path
  markdown:
    description:
      - The path of a Markdown file, on the host that runs the task, for a comment in a merge request or a change ticket. It is written as
        O(dest) is.
      - It has the counts, the containers that break with the reason, the time, the cause and the work that keeps them working, and the facts
        that no object shows. It is short enough for a comment, and names the numbers of omitted containers. Texts of the cluster appear as
        code, so none of them becomes a link, an image or a mention.
    type: path
  show:
    description: Show the answer as text. Nothing is shown with C(no_log).
    type: bool
    default: false
extends_documentation_fragment:
  - openshift_ops.image_pull.connection
  - openshift_ops.image_pull.fleet
  - openshift_ops.image_pull.registry
  - openshift_ops.image_pull.attributes
  - openshift_ops.image_pull.attributes.preview
attributes:
  check_mode:
    description: The cluster is read in both cases. The files are not written.
    support: full
  diff_mode:
    description: There is no diff, because the module does not change the cluster.
    support: none
  idempotent:
    description: Each run reads the cluster again, and replaces the files, because they contain the time of the evaluation.
    support: partial
seealso:
  - module: openshift_ops.image_pull.pull_access_info
  - module: openshift_ops.image_pull.pull_access_audit
notes:
  - Optional rights - list on secrets, serviceaccounts, pods, deployments.apps, statefulsets.apps, daemonsets.apps, replicasets.apps,
    jobs.batch, cronjobs.batch, deploymentconfigs.apps.openshift.io, replicationcontrollers, buildconfigs.build.openshift.io,
    imagestreams.image.openshift.io, imagedigestmirrorsets.config.openshift.io, imagetagmirrorsets.config.openshift.io,
    imagecontentsourcepolicies.operator.openshift.io, clusterimagepolicies.config.openshift.io, nodes,
    rolebindings.rbac.authorization.k8s.io, clusterrolebindings.rbac.authorization.k8s.io,
    machineconfigpools.machineconfiguration.openshift.io, kubeletconfigs.machineconfiguration.openshift.io,
    criocredentialproviderconfigs.config.openshift.io, imagepolicies.config.openshift.io, catalogsources.operators.coreos.com,
    clusterserviceversions.operators.coreos.com; create on subjectaccessreviews.authorization.k8s.io; get on
    clusteroperators.config.openshift.io image-registry, images.config.openshift.io cluster, clusterversions.config.openshift.io version,
    infrastructures.config.openshift.io cluster, criocredentialproviderconfigs.config.openshift.io, configmaps kubelet-config in
    kube-system, configs.imageregistry.operator.openshift.io cluster, clusterroles.rbac.authorization.k8s.io,
    roles.rbac.authorization.k8s.io, configmaps user-ca-bundle in openshift-config, proxies.config.openshift.io cluster. Without them, the
    module reports the missing information and the omitted steps.
  - Rights needed - list on namespaces.
  - See R(rights, ansible_collections.openshift_ops.image_pull.docsite.rights) for the purpose of each right, and how to grant it.
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
"""

EXAMPLES = r"""
- name: Find the pods that need a secret before it is removed
  openshift_ops.image_pull.pull_access_what_if:
    changes:
      - remove_secrets: {name: old-pull}
    ask_registries: true
    show: true

- name: Stop if the site would miss an image without its connection to the internet
  openshift_ops.image_pull.pull_access_what_if:
    changes:
      - add_objects: {src: mirrors/site-b.yml}
      - only_registries: [registry.site.example]
      - new_nodes: true
    ask_registries: true
    fail_on: would_break
  register: air_gap

- name: Write the list of images to copy, for skopeo sync
  ansible.builtin.copy:
    content: "{{ air_gap.what_if.images_to_mirror.skopeo | to_nice_yaml }}"
    dest: images.yml
    mode: "0644"

- name: Check that everything still pulls after a move, when the old place is closed
  openshift_ops.image_pull.pull_access_what_if:
    changes:
      - moved: {docker.io/bitnami: quay.io/acme/bitnami}
      - unreachable_registries: [docker.io/bitnami]
    ask_registries: true
    fail_on: unknown

- name: Check a robot account before it is deleted, and an upgrade
  openshift_ops.image_pull.pull_access_what_if:
    changes:
      - remove_credential: {registry: quay.io, username: old+robot}
      - target_version: "4.22"
    ask_registries: true
    dest: what-if-{{ inventory_hostname }}.json
    junit: what-if-{{ inventory_hostname }}.xml
    markdown: what-if-{{ inventory_hostname }}.md

- name: Review which accounts gain or lose access by the inventory
  openshift_ops.image_pull.pull_access_what_if:
    changes:
      - declared:
          secrets:
            - name: team-registry
              namespaces: [project-a]
              registries:
                - registry: registry.example.com
                  username: developer@example.com
                  password: "{{ vaulted_registry_password }}"
          links:
            - secrets: [team-registry]
              namespaces: [project-a]
          grants: []
          owner: team-a
          prune: true
    show: true

- name: Compare the inventory of a merge request with the one of the main branch, without a cluster
  openshift_ops.image_pull.pull_access_what_if:
    changes:
      - declared: "{{ lists_of_merge_request }}"
    against: "{{ lists_of_main_branch }}"
    markdown: review.md
    junit: review.xml

- name: Compare them on a cluster, with the answer for each workload
  openshift_ops.image_pull.pull_access_what_if:
    changes:
      - declared: "{{ lists_of_merge_request }}"
    against: "{{ lists_of_main_branch | combine({'on_cluster': true}) }}"
    ask_registries: true
    fail_on: would_break
"""

RETURN = r"""
server:
  description: The address of the API server.
  type: str
  returned: when the API server was reached
  sample: https://api.cluster.example.com:6443
what_if:
  description: The document, as described in L(what_if.schema.json,
    https://github.com/openshift-ops/image_pull/blob/main/plugins/plugin_utils/pull_report/what_if.schema.json).
  returned: when the evaluation was completed, without O(dest)
  type: dict
  contains:
    format:
      description: The format and its version.
      type: str
      returned: always
    made:
      description: The time of the evaluation, in UTC.
      type: str
      returned: always
    server:
      description: The address of the API server.
      type: str
      returned: always
    against:
      description: The numbers of entries in O(against). Empty without it.
      type: str
      returned: always
    changes:
      description: The changes, in the order given, each with C(kind), C(title), C(no_effect) and C(cannot_know), the facts that no object
        shows. C(no_effect) is empty, or the reason why the change affects nothing that was read.
      type: list
      elements: dict
      returned: always
    counts:
      description: The number of containers for each answer.
      type: dict
      returned: always
    not_asked:
      description: As RV(not_asked).
      type: int
      returned: always
    builds:
      description: The number of build configs that name a secret which the changes touch. The pulls and pushes of builds are not evaluated.
      type: int
      returned: always
    containers:
      description:
        - The answers, the worst first, each with the object, the image, C(before), C(after), C(changes) (the positions of the changes that cause
          it), C(entries) (the entries of an inventory that cause it), C(when), C(possibly), C(when_reason), C(advice), C(fix), a task that keeps
          the pull working, with the variables that M(openshift_ops.image_pull.pull_access_info) names, and
          C(not_asked), whether registries may decide an V(unknown) answer and were not asked. Containers that no change
          affects are only counted.
      type: list
      elements: dict
      returned: always
    summary:
      description: The number of answers by C(namespaces), C(registries), C(images) and C(changes), the worst first.
      type: dict
      returned: always
    access:
      description: The access that accounts and workloads gain and lose by the changes, whatever images they use.
      type: dict
      returned: always
      contains:
        gained:
          description: The access that they have only after the changes.
          type: list
          elements: dict
          returned: always
          contains: &access
            how:
              description: V(login) for a login that a secret has, V(grant) for the right to pull from a project.
              type: str
              returned: always
            namespace:
              description: The namespace of the account or the workload. Empty for a group or a user.
              type: str
              returned: always
            kind:
              description: V(ServiceAccount), the kind of a workload that lists secrets itself, V(Group) or V(User).
              type: str
              returned: always
            name:
              description: The name of the account, the workload, the group or the user.
              type: str
              returned: always
            registry:
              description: The registry of the login, as C(host[:port]).
              type: str
              returned: always
            repository:
              description: The path to which the login is limited. Empty if it is for the whole registry.
              type: str
              returned: always
            username:
              description: The user of the login.
              type: str
              returned: always
            project:
              description: The project whose image streams can be pulled. Empty for a login.
              type: str
              returned: always
            through:
              description: The secrets or role bindings that give the access.
              type: list
              elements: str
              returned: always
            workloads:
              description: The workloads that use the account, with their kinds. Pods without a controller are not among them.
              type: list
              elements: str
              returned: always
            changes:
              description: The positions of the changes that cause it.
              type: list
              elements: int
              returned: always
            entries:
              description: The titles of the entries of an inventory that cause it.
              type: list
              elements: str
              returned: always
        lost:
          description: The access that they have only before the changes.
          type: list
          elements: dict
          returned: always
          contains: *access
        unknown:
          description: Sentences about access that could not be compared.
          type: list
          elements: str
          returned: always
        unplanned:
          description: The entries of an inventory that would not be applied.
          type: list
          elements: dict
          returned: always
          contains:
            namespace:
              description: The namespace.
              type: str
              returned: always
            entry:
              description: The title of the entry. Empty for all entries.
              type: str
              returned: always
            reason:
              description: The reason.
              type: str
              returned: always
    restart_pulls:
      description:
        - The maximum number of pulls if a change of a C(KubeletConfig) restarts its nodes, by the registry that nodes ask first. The machine
          config operator restarts the nodes of a pool one after the other.
        - No object shows which credentials a kubelet has recorded, so the first start of each image with each list of secrets counts.
      type: list
      elements: dict
      returned: always
      contains:
        registry:
          description: The registry.
          type: str
          returned: always
        pulls:
          description: The number of pulls.
          type: int
          returned: always
        of_one_node:
          description: The most pulls of one node.
          type: int
          returned: always
    images_to_mirror:
      description:
        - The images that no registry within reach has. With O(ask_registries), this includes images that their mirror lacks. If a change
          takes a mirror away, it also includes the images that their source lacks. Copy these images from that mirror.
          With O(changes[].moved), it includes the images that their new place lacks, and without O(ask_registries) all that move.
          C(skopeo) is the input of C(skopeo sync --all --preserve-digests --scoped --src yaml). Without C(--preserve-digests), a copy may
          have another digest, and signatures are copied only if C(registries.d) of the host says so. Without C(--all), skopeo copies an
          image of one architecture only, whose digest is another one, and without C(--scoped), repositories with the same last name
          overwrite each other. With C(--scoped), the path of each copy is the whole path of its source with the registry, so the mirrors
          must have these paths.
        - Users name images in their pods, also images that they cannot pull. An image that no container pulls today is therefore only in
          C(not_pulled_today), and must not be copied without a review. Only O(ask_registries) shows whether a registry gives the image to the
          login of a pod, so use it if your login can read more images. Then C(not_pulled_today) also has the images of which that is not known.
        - C(regsync) is a configuration of regsync for images of O(changes[].moved), with the new name of each as its target. It keeps
          digests, and copies the tags and referrers in which cosign stores signatures. Nodes read only the tags. (since version 1.1.0)
        - C(oc_mirror) is an ImageSetConfiguration of version v2alpha1. C(not_in_oc_mirror) are the images by digest of a registry with a
          port, which oc-mirror fails to copy, and C(refused) is the number of images with an unusual name, which are in no list.
      type: dict
      returned: always
    forecasts:
      description: The forecasts of the audit for O(changes[].target_version).
      type: list
      elements: str
      returned: always
    unreadable:
      description: The objects that could not be read.
      type: list
      elements: str
      returned: always
    unread_workloads:
      description: The namespaces whose pods or workloads could not be read, so containers of them can be missing in the answer.
      type: list
      elements: str
      returned: always
    unread_images:
      description: The sentences of C(unreadable) about images of the platform, which are missing in the answer.
      type: list
      elements: str
      returned: always
counts:
  description: The number of containers for each answer. An image volume counts as a container.
  type: dict
  returned: when the evaluation was completed
  contains:
    would_break:
      description: Number of containers that would no longer get their image.
      type: int
      returned: always
    unknown:
      description: Number of containers that are not known.
      type: int
      returned: always
    still_broken:
      description: Number of containers that do not get their image before and after the changes.
      type: int
      returned: always
    would_work:
      description: Number of containers that the changes repair.
      type: int
      returned: always
    still_pulls:
      description: Number of containers that get their image before and after the changes.
      type: int
      returned: always
    not_affected:
      description: Number of containers whose pull depends on nothing that the changes affect.
      type: int
      returned: always
  sample: {would_break: 2, unknown: 1, still_broken: 0, would_work: 0, still_pulls: 3, not_affected: 114}
not_asked:
  description: The number of V(unknown) containers that registries may decide, and that were not asked because O(ask_registries) is not set.
  returned: when the evaluation was completed
  type: int
  sample: 0
not_applied:
  description: The number of parts of an inventory that would not be applied, such as a prune above its limit. No answer includes their effects.
  returned: when the evaluation was completed
  type: int
  sample: 0
without_effect:
  description: The changes that affect nothing that was read. A name in them may be mistyped.
  version_added: 1.1.0
  returned: when the evaluation was completed
  type: list
  elements: dict
  contains:
    number:
      description: The number of the change, from 1 on.
      type: int
      returned: always
    kind:
      description: The kind of the change, such as V(remove_secrets).
      type: str
      returned: always
  sample: []
text:
  description: The answer in lines, for people.
  returned: when the evaluation was completed
  type: list
  elements: str
  sample:
    - 2 of 120 containers would no longer get their image.
    - "On https://api.cluster.example.com:6443, if:"
    - "  1. secret old-pull is deleted"
dest:
  description: The file.
  returned: with O(dest)
  type: str
  sample: what-if-production.json
junit:
  description: The file.
  returned: with O(junit)
  type: str
  sample: what-if-production.xml
markdown:
  description: The file.
  returned: with O(markdown)
  type: str
  sample: what-if-production.md
changed:
  description: Whether a file was written, or would be written in check mode. The cluster is never changed.
  returned: always
  type: bool
namespaces:
  description:
    - The result for each namespace. If there are more than 100 namespaces, unchanged namespaces are only counted, unless
      O(report_unchanged=true).
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: The namespace.
      type: str
      returned: always
      sample: project-a
    changed:
      description: Whether anything in the namespace was changed, or would be changed in check mode.
      type: bool
      returned: always
    status:
      description: One of V(unchanged), V(failed), V(skipped).
      type: str
      returned: always
      sample: unchanged
    reason:
      description: Why the namespace was skipped.
      type: str
      returned: when skipped
    changes:
      description: Always empty. The cluster is never changed.
      type: list
      elements: dict
      returned: always
      sample: []
stopped:
  description: Why the task ended before all namespaces were attempted.
  type: str
  returned: when the task stopped early
failures:
  description: The namespaces that do not exist.
  type: list
  elements: dict
  returned: always
  contains:
    namespace:
      description: The namespace.
      type: str
      returned: always
    error:
      description: The attempted action, the response, and the steps to take.
      type: str
      returned: always
  sample: []
summary:
  description: Counts of the namespaces of the task, and of retries.
  type: dict
  returned: always
  contains:
    total:
      description: Number of namespaces in the task.
      type: int
      returned: always
    changed:
      description: Always 0, because this module writes nothing.
      type: int
      returned: always
    unchanged:
      description: Number of namespaces that needed no change.
      type: int
      returned: always
    failed:
      description: Number of namespaces that failed.
      type: int
      returned: always
    skipped:
      description: Number of namespaces that were not attempted, or are being deleted.
      type: int
      returned: always
    retries:
      description: Number of repeated requests, and of objects that were read again after a conflict or a lost response.
      type: int
      returned: always
  sample: {total: 2, changed: 0, unchanged: 2, failed: 0, skipped: 0, retries: 0}
"""

from dataclasses import replace
from functools import partial
from typing import Any

from ..module_utils.clients.kube.kubeconfig import IMPORT_ERROR
from ..module_utils.engine.result import Outcome
from ..module_utils.features.pull_secret import plan as pull_secret
from ..module_utils.inventory.prune.run import read_owned
from ..module_utils.inventory.what_if import options as what_if
from ..module_utils.inventory.what_if.declared import list_forms
from ..module_utils.inventory.what_if.run import Inventories, answer_comparison, answer_what_if
from ..module_utils.module.ansible_module import run_module
from ..module_utils.module.files import object_reader, options_checker, output_writer
from ..module_utils.module.inventory_lists import lists_reader, with_batches, without_cluster
from ..module_utils.module.options import CLUSTER_OPTIONS, REGISTRY_OPTIONS, TARGET_OPTIONS
from ..module_utils.module.task import ClusterRun, Module, Task

_APPLIED = list_forms(TARGET_OPTIONS, REGISTRY_OPTIONS, pull_secret.from_options)
FORMS = (
    *_APPLIED,
    replace(_APPLIED[0], option="kept_secrets", declare=pull_secret.identity_from_options),
    replace(_APPLIED[1], option="kept_links"),
)
ARGUMENTS = {
    **CLUSTER_OPTIONS,
    **REGISTRY_OPTIONS,
    **what_if.with_inventories({form.option: form.spec for form in FORMS}),
    "show": {"type": "bool", "default": False},
}


def run(task: Task) -> dict[str, object]:
    def answer(run: ClusterRun, batches: Any, names: Any) -> Outcome:
        known = Inventories(batches, names, read_owned)
        return answer_what_if(run.cluster, asked, run.namespaces, run.settings(), write=write, inventories=known)

    asked = what_if.from_options(task.params, object_reader(task), lists_reader(task, FORMS), options_checker(task))
    write = output_writer(task, asked.outputs, asked.render, asked.sources)
    return (
        without_cluster(task, FORMS, asked.compared, partial(answer_comparison, asked, write=write))
        if asked.compared
        else with_batches(task, FORMS, asked.lists, answer, system=asked.concerns_nodes)
    )


MODULE = Module(ARGUMENTS, run, import_error=IMPORT_ERROR, everywhere=True, lists=FORMS)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
