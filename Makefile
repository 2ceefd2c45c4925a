# Two commands do all their own set-up: make demo, make test. The rest is for people who work with the lab by hand.
PREPARE := python3 tests/tools/prepare.py
LAB_DIR ?= $(or $(TMPDIR),/tmp)/image-pull-lab
# A reader's own cluster, given on the command line only: a KUBECONFIG in the environment is never written to.
OWN_CLUSTER := $(if $(filter command line,$(origin KUBECONFIG)),$(KUBECONFIG))
BENCH := $(PREPARE) newest python tests/bench/bench.py $(if $(OC),--oc '$(OC)')

.PHONY: help demo test test-all release mutants faults-large verdicts-large simulate bench bench-large t check-% lab-up lab-down shell clean

help: ## List the targets
	@sed -n 's/^\([a-z%-]*\):.*## /\1: /p' Makefile

demo: ## Set up pull access on the lab, from an empty cluster to pods that pull. With KUBECONFIG=..., on your own cluster
	@echo '$(if $(OWN_CLUSTER),Two projects get pull access on your cluster,Three projects get pull access on a lab of real components), and lose it again, in about 40 seconds. The first time, the'
	@echo 'lab is built before, in about 6 minutes.'
	@$(PREPARE) newest python tests/demo/demo.py --lab-dir '$(LAB_DIR)-demo' $(if $(OWN_CLUSTER),--kubeconfig '$(OWN_CLUSTER)') $(if $(KEEP),--keep)

test: ## Run the checks that every change must pass
	@python3 tests/tools/check.py

test-all: ## Run these checks and the slow ones that rarely fail: every supported ansible-core, the large runs. Before a release
	@python3 tests/tools/check.py --all

release: ## Release VERSION=1.2.3: changelog, trial, make test, commit, tag; tarball, provenance and checksums in release/. DRY_RUN=1 shows it and keeps nothing
	@$(PREPARE) docs python tests/tools/release.py '$(VERSION)' $(if $(DRY_RUN),--dry-run)

t: ## Run the unit and lab tests of a module, a room or a file: T=sa_link, T=explain, T=README.md, or T="a b" for several
	@python3 tests/tools/check.py --files $(T)

check-%: ## Run the steps of make test-all with a word in their title, such as check-unit. check-units,oldest for another core, check-next for pre-releases
	@python3 tests/tools/check.py '$*'

mutants: ## Check that the unit tests detect changes of the code. ROOM=secrets for one room, KIND=table for one kind, ALL=1 for every mutant, SEED=2, SECONDS=600, JOBS=1
	@$(PREPARE) newest env PYTHONHASHSEED=0 python tests/tools/mutants.py $(foreach room,$(ROOM),--room '$(room)') $(if $(KIND),--kind '$(KIND)') $(if $(ALL),--all) $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(JOBS),--jobs $(JOBS))

simulate: ## Play clusters with faults and other writers in one process: SECONDS=60 for many seeds, SEED=1 to print the history of one, FIRST=1000
	@$(PREPARE) newest sh -c 'PYTHONPATH="tests:$$PYTHONPATH" exec python -m support.simulation "$$@"' simulate 'SEED=$(SEED)' 'SECONDS=$(SECONDS)' 'FIRST=$(FIRST)'

bench: ## Compare speed, memory and requests with other tools, for 20 and 1,000 namespaces (docs/benchmark.md). With OC=..., also with your oc
	@$(BENCH)

bench-large: ## Measure how time, memory and requests of each work grow from 1,000 to 10,000 namespaces
	@$(BENCH) --growth 1000 10000

faults-large: ## Run the tests with faults and killed runs at full size: 1,000 namespaces, 100 runs
	@python3 tests/tools/check.py '100 killed runs, 1,000 namespaces'

verdicts-large: ## Explain and pull 4,000 generated pods in three ways, under five configurations of the cluster
	@python3 tests/tools/check.py '60,000 verdicts against the node'

lab-up: ## Start a lab and print its KUBECONFIG, registries, logins and CA certificate. LAB_DIR=/tmp/other for a second one, also below
	@$(PREPARE) lab sh -c '"$$IMAGE_PULL_LAB" up --dir "$(LAB_DIR)"' || { echo 'For a second lab: make lab-up LAB_DIR=/tmp/other' >&2; exit 1; }

lab-down: ## Stop the lab and remove its files
	@$(PREPARE) lab sh -c '"$$IMAGE_PULL_LAB" down --dir "$(LAB_DIR)"'

shell: ## Start a shell with ansible, the collection and the lab's binary ($$IMAGE_PULL_LAB). It uses the lab of lab-up, if that runs
	@$(PREPARE) newest python tests/tools/shell.py '$(LAB_DIR)'

clean: ## Delete the cached environments and the lab's binary
	@rm -rf "$${IMAGE_PULL_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/openshift_ops.image_pull}"
