# One-node Slurm in $1: its own key, sockets, ports and logs, so that another Slurm here is left alone.
# Sourced by run.sh: `start_slurm folder`, `stop_slurm`.
DAEMONS=()

start_slurm() {
  local where=$1 node cpus memory
  # not nproc, which heeds OMP_NUM_THREADS
  node=$(hostname -s) cpus=$(getconf _NPROCESSORS_ONLN) memory=$(slurmd -C | sed -n 's/.*RealMemory=\([0-9]*\).*/\1/p')
  mkdir -p "$where/state" "$where/spool" "$where/bin"
  chmod 755 "$where"
  export SLURM_CONF=$where/slurm.conf PATH=$where/bin:$PATH
  # the plugin takes every SLURM_ variable from the srun inside a job, also the one that says where
  # slurm.conf is
  printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$SLURM_CONF" "$(command -v srun)" > "$where/bin/srun"
  chmod 755 "$where/bin/srun"
  cat > "$SLURM_CONF" <<CONF
ClusterName=tandem
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$where/munge.socket
StateSaveLocation=$where/state
SlurmdSpoolDir=$where/spool
SlurmctldPidFile=$where/slurmctld.pid
SlurmdPidFile=$where/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MinJobAge=43200
ReturnToService=2
MailProg=/bin/true
NodeName=$node NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
  dd if=/dev/urandom of="$where/munge.key" bs=1024 count=1 status=none
  chmod 400 "$where/munge.key"
  munged --force --foreground --key-file="$where/munge.key" --socket="$where/munge.socket" \
    --pid-file="$where/munged.pid" --seed-file="$where/munged.seed" > "$where/munged.log" 2>&1 &
  DAEMONS+=($!)
  until [ -S "$where/munge.socket" ]; do sleep 0.2; alive munged; done
  slurmctld -D -L "$where/slurmctld.log" > /dev/null 2>&1 &
  DAEMONS+=($!)
  slurmd -D -L "$where/slurmd.log" > /dev/null 2>&1 &
  DAEMONS+=($!)
  until [ "$(sinfo -h -o %T 2> /dev/null)" = idle ]; do sleep 0.5; alive slurm; done
}

alive() {
  local pid
  for pid in "${DAEMONS[@]}"; do
    kill -0 "$pid" 2> /dev/null || { echo "Stopped: a daemon of $1 ended; its log is in $(dirname "$SLURM_CONF")." >&2; exit 1; }
  done
}

stop_slurm() {
  local i
  scancel --quiet --user=root 2> /dev/null || true
  for ((i = ${#DAEMONS[@]} - 1; i >= 0; i--)); do
    kill "${DAEMONS[i]}" 2> /dev/null || true
    wait "${DAEMONS[i]}" 2> /dev/null || true
  done
  DAEMONS=()
}
