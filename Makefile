# make              set up if need be, run the default study, say where the report lies
# make STUDY=nation run studies/nation.yaml
# make PROFILE=slurm    the same on a cluster: slurm or kubernetes (docs/scale.md), after
# make cluster-setup    install what PROFILE needs, slurm if not said
# make explain-change  rerun to tell how much of what changed is data, code, environment
# make reproduce    clean runs in a temporary copy, compared with tests/expected: PASS or FAIL
# make expected     take the present results as the published ones (tests/expected)
# make package      the zip that a journal asks for: dist/tandem-package.zip
# make provenance   Snakemake's own report: results/<study>/provenance.html
# make test         set up if need be, run the tests
# make test-cluster run on a Slurm of its own on this machine (Debian, as root) and compare
# make survive      kill, starve and disturb runs, and compare their bytes (half an hour)
# make fuzz         feed the readers of tables and study files with spoilt bytes (30 minutes)
# make coverage     the tests, and which branches of src/tandem none of them takes; under 90 % of a room it fails
# make mutation     spoil the code at random places, say what no test notices; SAMPLE=100 a room
# make lint         ruff, ruff format, snakefmt, snakemake --lint
# make bench        time everything, beside other packages, into benchmarks/results.md; one: ONLY=firms
# make bench-pipeline   time a whole study beside its functions called in one process
# make monte-carlo  simulate the estimators' size, power, bias and coverage (hours)
# make audit        check the hashes of all pinned packages and look for known weaknesses
# make lock         resolve requirements.txt anew from pyproject.toml
# make update-downloads  forget the tables fetched from the World Bank; the next run fetches them
# make clean        remove the study's results
STUDY ?= provinces
# what a package holds; one study if STUDY is given
STUDIES ?= $(if $(filter command line,$(origin STUDY)),$(STUDY),provinces nation)
CORES ?= all
# further options of Snakemake, e.g. FLAGS=--dry-run
FLAGS ?=
# how many earlier results to keep in results/<study>/history
KEEP ?= 5
PYTHON ?= python3
BIN := .venv/bin
PROFILE ?=
SNAKEMAKE := $(BIN)/snakemake --workflow-profile workflow/profiles/default
WHERE = $(if $(PROFILE),--profile workflow/profiles/$(PROFILE),--cores $(CORES))
CLUSTERS := slurm kubernetes
# how results were made stands in .snakemake; without it an edit would go unseen, so all is made anew
UNKNOWN = $(if $(wildcard .snakemake/known/$(STUDY)),,--forceall)

# another locale must not change how files and paths are read
export PYTHONUTF8 := 1
# some machines forbid Python to keep compiled modules, which every job would compile anew
export PYTHONDONTWRITEBYTECODE :=
# one thread a job: the same bytes on any number of cores
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.PHONY: run explain-change reproduce expected package provenance test test-cluster cluster-setup survive fuzz coverage mutation audit lint monte-carlo bench bench-pipeline lock clean update-downloads

run: .venv/ready
ifneq ($(PROFILE),)
	@[ -e "workflow/profiles/$(PROFILE)/config.yaml" ] || { echo "Stopped: there is no workflow/profiles/$(PROFILE)/config.yaml; PROFILE is $(CLUSTERS) or a folder of yours there." >&2; exit 1; }
endif
ifneq ($(filter $(PROFILE),$(CLUSTERS)),)
	@$(BIN)/python -c "import snakemake_executor_plugin_$(PROFILE)" 2> /dev/null || { echo "Stopped: the plugin for $(PROFILE) is not installed; run make cluster-setup PROFILE=$(PROFILE) once." >&2; exit 1; }
endif
	@$(SNAKEMAKE) $(WHERE) $(UNKNOWN) --config study=$(STUDY) keep=$(KEEP) $(FLAGS) \
	  || { [ $$? = 3 ] || cat "results/$(STUDY)/logs/stopped.txt" 2> /dev/null || echo "Stopped: Snakemake could not go on; its message is above (often a full disk, or no right to write here)."; exit 1; } >&2
	@cd "results/$(STUDY)" && { ls -d report.html report.pdf 2> /dev/null || ls -d tables; } | sed 's|^|The results: results/$(STUDY)/|'

explain-change: .venv/ready
	@$(BIN)/tandem explain-change $(STUDY) --cores $(CORES)

reproduce: .venv/ready
	@$(BIN)/tandem reproduce $(STUDIES) --cores $(CORES)

expected: .venv/ready
	@$(BIN)/tandem expected $(STUDIES)

package: .venv/ready
	@$(BIN)/tandem package $(STUDIES)

provenance: .venv/ready
	@$(SNAKEMAKE) --quiet all --config study=$(STUDY) --report results/$(STUDY)/provenance.html
	@echo "The provenance: results/$(STUDY)/provenance.html"

test: .venv/ready
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

cluster-setup: .venv/ready
	@$(BIN)/python -m uv pip install --quiet --require-hashes --no-deps --python $(BIN)/python \
	  -r workflow/profiles/$(or $(PROFILE),slurm)/requirements.txt

test-cluster: .venv/ready
	@bash tests/cluster/run.sh
survive: .venv/ready
	@$(BIN)/python -m pytest -q -m "slow or not slow" tests/workflow/test_survival.py

FUZZ_SECONDS ?= 600
fuzz: .venv/tools
	@mkdir -p tests/fuzz/out/table tests/fuzz/out/description tests/fuzz/out/study
	@for what in table description study; do $(BIN)/python tests/fuzz/fuzz.py $$what -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2000 \
	  -max_len=$$( [ $$what = table ] && echo 20000 || echo 100000 ) -seed=20200455 -print_final_stats=1 -artifact_prefix=tests/fuzz/out/ tests/fuzz/out/$$what tests/fuzz/corpus/$$what $$( [ $$what != table ] || echo tests/sources/files ) || exit 1; done

coverage: .venv/tools
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --cov --cov-context=test --cov-report=term:skip-covered --ignore=tests/workflow; \
	tests=$$?; $(BIN)/python tests/mutation/rooms.py && exit $$tests

# which test executes which line, of the two rooms that are mutated
build/coverage/data: .venv/tools $(wildcard $(foreach room,econometrics indices,src/tandem/$(room)/*.py tests/$(room)/*.py))
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --cov --cov-context=test --cov-report= tests/econometrics tests/indices

SAMPLE ?= 100
mutation: build/coverage/data
	@$(BIN)/python tests/mutation/mutation.py --sample $(SAMPLE)

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow benchmarks/Snakefile
	$(SNAKEMAKE) --lint

monte-carlo: .venv/ready
	@cd benchmarks/monte_carlo && ../../$(BIN)/snakemake --cores $(CORES) --quiet --forcerun table

audit: .venv/tools
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && set -e; \
	$(BIN)/python -m uv pip install --quiet --no-cache --require-hashes --target "$$scratch/all" -r requirements.txt; \
	echo "All packages have the hashes that requirements.txt names."; \
	$(BIN)/pip-audit --disable-pip --progress-spinner off --format json -r requirements.txt \
	  > "$$scratch/found.json" 2> "$$scratch/said" || [ -s "$$scratch/found.json" ] || \
	  { tail -n 3 "$$scratch/said" >&2; echo "Known weaknesses were not looked up; the lines above say why (often, no service that lists them answers)." >&2; exit 1; }; \
	$(BIN)/python workflow/audit.py < "$$scratch/found.json"

bench: .venv/ready
	@cd benchmarks && ../$(BIN)/snakemake --cores $(CORES) --quiet rules host reason --nolock \
	  --forcerun beside_peers alone all $(if $(ONLY),--config only=$(ONLY) study=$(STUDY))
	@echo "The timings: benchmarks/results.md"

bench-pipeline:
	@$(MAKE) bench ONLY=pipeline STUDY=$(STUDY)

lock: .venv/ready
	$(BIN)/uv pip compile --quiet --universal --no-header --no-annotate --generate-hashes --extra test pyproject.toml -o requirements.txt
	for cluster in $(CLUSTERS); do \
	  $(BIN)/uv pip compile --quiet --universal --no-header --no-annotate --generate-hashes -c requirements.txt --extra $$cluster pyproject.toml \
	  | awk -F == 'NR == FNR { common[$$1]; next } /^[a-z]/ { ours = !($$1 in common) } ours' requirements.txt - \
	  > workflow/profiles/$$cluster/requirements.txt; done
	$(BIN)/uv pip compile --quiet --universal --no-header --no-annotate --generate-hashes -c requirements.txt --extra tools pyproject.toml \
	| awk -F == 'NR == FNR { common[$$1]; next } /^[a-z]/ { ours = !($$1 in common) } ours' requirements.txt - > requirements-tools.txt
	$(BIN)/uv pip compile --quiet --universal --no-header --no-annotate --generate-hashes benchmarks/peers.in -o benchmarks/peers.txt

clean:
	rm -rf "results/$(STUDY)"

update-downloads:
	rm -rf data/raw/wdi

.venv/ready: requirements.txt pyproject.toml
	@$(PYTHON) workflow/environment.py

# what make fuzz, coverage, mutation and audit need besides
.venv/tools: requirements-tools.txt .venv/ready
	@$(BIN)/python -m uv pip install --quiet --require-hashes --no-deps --python $(BIN)/python -r requirements-tools.txt
	@touch $@

# the environment of a folder that was moved names the old place
ifneq ($(realpath .venv),$(shell cat .venv/ready 2> /dev/null))
.PHONY: .venv/ready
endif
