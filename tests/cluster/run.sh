#!/usr/bin/env bash
# make test-cluster: on a one-node Slurm of its own, the nation study and a curve of 2000
# specifications give the bytes of a local run, also after a running job is killed.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/cluster/slurm.sh
scratch=$(mktemp -d)
copy=$scratch/project
run=
trap 'kill -9 $run 2> /dev/null || true; stop_slurm; rm -rf "$scratch"' EXIT

say() { printf -- '-- %s (%ss)\n' "$*" "$SECONDS"; }
fail() { echo "Stopped: $*" >&2; tail -n 3 results/*/logs/stopped.txt >&2 2> /dev/null || true; exit 1; }

if ! command -v slurmctld > /dev/null; then
  command -v apt-get > /dev/null && [ "$(id -u)" = 0 ] || fail "this test needs Slurm and munge; on Debian run it as root, elsewhere install them."
  say "installing slurm-wlm and munge"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge > /dev/null
fi
[ "$(id -u)" = 0 ] || fail "the daemons of this test are started as root."

say "a copy with the Slurm plugin"
mkdir "$copy"
git ls-files -z | tar --null -T - -c | tar -x -C "$copy"
cd "$copy"
make --no-print-directory cluster-setup

say "the nation, local"
make --no-print-directory STUDY=nation CORES=2 > "$scratch/local.txt" 2>&1 || fail "$(tail -n 5 "$scratch/local.txt")"
mv results/nation "$scratch/nation"

.venv/bin/python tests/cluster/curve.py > studies/curve.yaml
wanted="results/curve/estimates/verdict"
snakemake=(.venv/bin/snakemake $wanted --workflow-profile workflow/profiles/default --config study=curve)

# PROFILE=slurm with what this Slurm lacks (accounts, accounting) and shorter waits
slurm() {
  "$@" --profile workflow/profiles/slurm --slurm-no-account --slurm-status-command squeue \
    --slurm-init-seconds-before-status-checks 3 --seconds-between-status-checks 3 --latency-wait 10
}
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 PYTHONUTF8=1

say "Slurm"
start_slurm "$scratch/slurm"
queued() { squeue --noheader --all --states="$1" --format="%i %k"; }

say "the nation through sbatch"
slurm .venv/bin/snakemake --workflow-profile workflow/profiles/default --config study=nation \
  > "$scratch/nation.txt" 2>&1 || fail "$(tail -n 30 "$scratch/nation.txt")"
diff -r --exclude=logs "$scratch/nation" results/nation || fail "Slurm gave other bytes than the local run."
say "same bytes from $(queued completed | wc -l) jobs"

say "the curve, local"
"${snakemake[@]}" --cores 2 > "$scratch/curve-local.txt" 2>&1 || fail "$(tail -n 30 "$scratch/curve-local.txt")"
mv results/curve "$scratch/curve"

say "the curve through sbatch; the first of its jobs is killed while it runs"
slurm "${snakemake[@]}" > "$scratch/curve.txt" 2>&1 & run=$!
until victim=$(queued running | grep -m 1 rule_curve); do kill -0 $run 2> /dev/null || fail "$(tail -n 30 "$scratch/curve.txt")"; sleep 0.5; done
sleep 2
scancel "${victim%% *}"
wait $run || fail "$(tail -n 30 "$scratch/curve.txt")"
queued cancelled | grep -q rule_curve || fail "no job of the curve was killed: $victim"
[ "$(queued completed | grep -c "${victim#* }")" = 1 ] || fail "the killed job was not run again."
diff -r --exclude=logs "$scratch/curve" results/curve || fail "Slurm gave other bytes than the local run."
specs=$(($(wc -l < $wanted/curve.csv) - 1))
[ "$specs" = 2000 ] || fail "the curve has $specs specifications, not 2000."
say "same bytes of $specs specifications, ${victim#* } killed and run again"
