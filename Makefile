SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

IMAGES ?=
ARGS ?=
CLOTHING ?= ../shared/data/clothing
PHOTOS ?= $(CLOTHING)/images
CASES ?=
WEIGHTS ?= ../shared/data/weights/mobilenet_v2.safetensors
SIFT ?= var/sift
OPEN_BANDIT ?= ../shared/data/open-bandit
LOCKS := conf/locks
SITE := .venv/lib/python3.11/site-packages
UV := .venv/bin/uv
JOBS_READY := .venv/ready
AIRFLOW_READY := .venv-airflow/ready
WORKERS := var/workers-environment.tar.gz
VERSITYGW := var/bin/versitygw

PORT ?= 8080

# Most of a test's time Spark's driver plans on one core, and another core idles.
IN_TWO_PROCESSES := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: help demo serve airflow test test-dags test-library test-slow test-scheduler test-long test-s3 test-cases workers-environment check docs lock tuning-libraries bench-ingest bench-embed bench-index bench-clicks bench-examples bench-serve clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24
	@echo '  make demo IMAGES=DIR  the same on your own pictures; ARGS="--set key=value" changes a setting'

demo: $(JOBS_READY) ## set up, run the nightly pipeline on a small catalogue, end with pictures and figures
ifeq ($(strip $(IMAGES)),)
	@.venv/bin/vsearch demo-data var/landing --images 2000 --seed 7
	@.venv/bin/vsearch run nightly --env demo $(ARGS)
else
	@.venv/bin/vsearch run nightly --env demo --images '$(IMAGES)' $(ARGS)
endif

serve: $(JOBS_READY) ## after make demo: search in a browser; ARGS="--port 8001 --open" changes the port and opens it
	@.venv/bin/vsearch serve --env demo $(ARGS)

airflow: $(AIRFLOW_READY) ## start Airflow on this machine, with the DAGs, their connection and their pool
	@conf/airflow/start.sh '$(PORT)'

test: check ## everything that must hold
	@$(MAKE) --no-print-directory -j 2 test-dags test-library

# Side by side: for most of its time the test of the DAGs waits for one process after another.
test-dags: $(AIRFLOW_READY)
	@.venv-airflow/bin/python -m pytest -q --confcutdir=tests/dags -m 'not slow' tests/dags

test-library: $(JOBS_READY)
	@.venv/bin/python -m pytest $(IN_TWO_PROCESSES) -m 'not slow' --durations=20 --ignore=tests/dags

test-slow: test-scheduler test-long test-s3 test-cases ## what takes long by nature: an hour and more

test-scheduler: $(AIRFLOW_READY) ## a week through Airflow's scheduler, ten kills, a retraining's DAG; some forty minutes
	@.venv-airflow/bin/python -m pytest -q --confcutdir=tests/dags -m slow tests/dags

test-long: $(JOBS_READY) $(WORKERS) ## nights and a training on a cluster, a retraining, other backbones, hostile clients; half an hour
	@.venv/bin/python -m pytest -m slow --durations=20 --ignore=tests/dags

test-s3: $(JOBS_READY) $(VERSITYGW) ## what must hold of storage and index, with VersityGW in place of moto; needs Go
	@VERSITYGW='$(CURDIR)/$(VERSITYGW)' .venv/bin/python -m pytest tests/test_storage.py tests/artefact tests/index tests/publishing tests/search tests/serving

test-cases: $(JOBS_READY) ## inputs that made other pipelines fail, each run by the commands that users type; CASES="10 22" chooses
	@.venv/bin/python -m tests.cases.run_cases $(CASES)

check: $(JOBS_READY) $(AIRFLOW_READY) ## style and types
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@MYPYPATH=dags .venv/bin/mypy --python-executable .venv-airflow/bin/python dags

docs: $(JOBS_READY) ## write docs/tables.md again from schemas/
	@.venv/bin/python -m vsearch_lib.lake.tables_page >docs/tables.md

lock: $(JOBS_READY) ## resolve conf/locks/*.in again
	@compile='$(UV) pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-header'; \
	$$compile --excludes $(LOCKS)/jobs-excluded.txt $(LOCKS)/jobs.in -o $(LOCKS)/jobs.txt; \
	$$compile $(LOCKS)/airflow.in -o $(LOCKS)/airflow.txt; \
	$$compile --excludes $(LOCKS)/workers-excluded.txt -c $(LOCKS)/jobs.txt $(LOCKS)/workers.in -o $(LOCKS)/workers.txt; \
	$$compile --excludes $(LOCKS)/tuning-excluded.txt -c $(LOCKS)/jobs.txt $(LOCKS)/tuning.in -o $(LOCKS)/tuning.txt

tuning-libraries: $(JOBS_READY) ## install annoy, hnswlib and ScaNN, for `vsearch index tune` to compare with
	@$(UV) pip install -q --python .venv/bin/python --no-deps --require-hashes -r $(LOCKS)/tuning.txt

bench-ingest: $(JOBS_READY) ## time ingestion, compared with simple loops; PHOTOS=DIR is a folder of JPEGs
	@.venv/bin/python benchmarks/ingest_photos.py '$(PHOTOS)'
	@.venv/bin/python benchmarks/ingest_interactions.py
	@.venv/bin/python benchmarks/ingest_jobs.py '$(PHOTOS)'

bench-embed: $(JOBS_READY) ## time embedding, compared with simple torch loops; CLOTHING=DIR and WEIGHTS=FILE choose the input
	@.venv/bin/python benchmarks/embed.py '$(CLOTHING)' '$(WEIGHTS)'
	@.venv/bin/python benchmarks/embed_scale.py '$(CLOTHING)' '$(WEIGHTS)'

bench-index: $(JOBS_READY) $(SIFT)/base.npy ## time building and searching the index, compared with faiss, on two sets of vectors
	@.venv/bin/python benchmarks/index.py measure '$(SIFT)'
	@.venv/bin/python benchmarks/index.py clustered var/clustered
	@.venv/bin/python benchmarks/index.py measure var/clustered

bench-clicks: $(JOBS_READY) ## measure estimates from clicks on generated logs, and on Open Bandit's; OPEN_BANDIT=DIR
	@.venv/bin/python benchmarks/propensity.py
	@.venv/bin/python benchmarks/off_policy.py '$(OPEN_BANDIT)'

bench-examples: $(JOBS_READY) ## time a training snapshot of 100,000 images and a million interactions
	@.venv/bin/python benchmarks/training_examples.py

bench-serve: $(JOBS_READY) ## load the search service on a million vectors, on loopback; some minutes
	@.venv/bin/python benchmarks/serve.py

workers-environment: $(WORKERS) ## pack what Spark's tasks need, for a cluster whose machines have only Spark and Python 3.11
	@du -h $(WORKERS)

clean: ## remove both environments (var/ stays)
	@rm -rf .venv .venv-airflow

# Bytecode is compiled once, with both cores: where Python may not write it, each process would compile for ten seconds.
$(JOBS_READY): $(LOCKS)/jobs.txt $(LOCKS)/jars.ivy.xml $(LOCKS)/jars.sha256 setup.py
	@$(LOCKS)/prerequisites.sh
	@echo 'Setting up the jobs environment in .venv (once; about two minutes)'
	@test -x .venv/bin/python || python3.11 -m venv .venv
	@test -x $(UV) || .venv/bin/python -m pip install -q --disable-pip-version-check \
	  --require-hashes --no-deps -r <(sed -n '/^uv==/,/^    # via/p' $(LOCKS)/jobs.txt)
	@$(UV) pip install -q --python .venv/bin/python --compile-bytecode --no-deps --require-hashes -r $(LOCKS)/jobs.txt
	@$(UV) pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
	@java -jar $(SITE)/pyspark/jars/ivy-2.*.jar -warn -ivy $(LOCKS)/jars.ivy.xml -cache .venv/ivy -confs default \
	  -types jar -retrieve '$(SITE)/pyspark/jars/[artifact]-[revision].[ext]' >.venv/jars.log 2>&1 \
	  || { tail -5 .venv/jars.log; echo 'make: the Spark jars could not be fetched; is Maven Central reachable?'; exit 1; }
	@cd $(SITE)/pyspark/jars && sha256sum --quiet -c $(CURDIR)/$(LOCKS)/jars.sha256
	@.venv/bin/python -m vsearch_lib.run.make_class_archive
	@touch $@

$(VERSITYGW):
	@command -v go >/dev/null || { echo 'make: there is no go on PATH, which builds VersityGW; install Go, or run make test, which uses moto'; exit 1; }
	@GOBIN='$(CURDIR)/var/bin' go install github.com/versity/versitygw/cmd/versitygw@v1.8.0

$(SIFT)/base.npy: | $(JOBS_READY)
	@test -f ../shared/tools/sift_vectors.py \
	  || { echo 'make: there is no ../shared/tools/sift_vectors.py; SIFT=DIR names a folder with base.npy and query.npy'; exit 1; }
	@.venv/bin/python ../shared/tools/sift_vectors.py '$(SIFT)'

$(WORKERS): $(LOCKS)/workers.txt | $(JOBS_READY)
	@echo 'Packing the environment of Spark workers in $@ (once)'
	@folder=$$(mktemp -d) && trap "rm -rf $$folder" EXIT && mkdir -p var \
	&& $(UV) pip install -q --python .venv/bin/python --target $$folder --no-deps --require-hashes -r $(LOCKS)/workers.txt \
	&& tar -C $$folder -I 'gzip -1' -cf $@.part . && mv $@.part $@

$(AIRFLOW_READY): $(JOBS_READY) $(LOCKS)/airflow.txt
	@echo 'Setting up the Airflow environment in .venv-airflow (once)'
	@test -x .venv-airflow/bin/python || python3.11 -m venv .venv-airflow
	@$(UV) pip install -q --python .venv-airflow/bin/python --compile-bytecode --require-hashes -r $(LOCKS)/airflow.txt
	@echo '$(CURDIR)' >.venv-airflow/lib/python3.11/site-packages/vsearch.pth
	@touch $@
