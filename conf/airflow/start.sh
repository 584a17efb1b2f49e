#!/usr/bin/env bash
# Airflow on this machine: its own database below var/, loopback only, the DAGs with their connection and pool.
#   conf/airflow/start.sh [PORT]
set -euo pipefail
cd "$(dirname "$0")/../.."

port=${1:-8080}
# Airflow's parts start one another by name.
export PATH="$PWD/.venv-airflow/bin:$PATH"
export AIRFLOW_HOME=${AIRFLOW_HOME:-$PWD/var/airflow}
export AIRFLOW__CORE__DAGS_FOLDER="$PWD/dags"
export AIRFLOW__CORE__LOAD_EXAMPLES=false
export AIRFLOW__API__HOST=127.0.0.1
export AIRFLOW__API__PORT=$port
export AIRFLOW__CORE__EXECUTION_API_SERVER_URL="http://127.0.0.1:$port/execution/"
# By default Airflow notices a change of a DAG only after minutes.
export AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL=10
# Executors on other machines call the driver back: name its address there.
export SPARK_LOCAL_IP=${SPARK_LOCAL_IP:-127.0.0.1}
export AIRFLOW_CONN_SPARK_DEFAULT=${AIRFLOW_CONN_SPARK_DEFAULT:-'{"conn_type": "spark", "host": "local[*]"}'}
unset SPARK_HOME

mkdir -p "$AIRFLOW_HOME"
log=$AIRFLOW_HOME/standalone.log
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  echo "airflow: port $port is taken; make airflow PORT=another" >&2
  exit 2
fi
airflow db migrate >"$log" 2>&1 || { tail -5 "$log" >&2; exit 1; }
# The number of jobs at a time: each has a Spark of its own, which uses all cores.
airflow pools set spark "${SPARK_SLOTS:-1}" 'Spark jobs at a time' >>"$log" 2>&1
# A process group of its own: all processes that Airflow starts end with it.
set -m
airflow standalone >>"$log" 2>&1 &
airflow=$!
trap 'kill -- -$airflow 2>/dev/null; wait $airflow 2>/dev/null || true' EXIT

until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
  [[ $(jobs -rp) ]] || { tail -5 "$log" >&2; echo "airflow: it ended; its output is in $log" >&2; exit 1; }
  sleep 1
done
cat <<TEXT
Airflow       http://127.0.0.1:$port
sign in       $(tr -d '{}"' <"$AIRFLOW_HOME/simple_auth_manager_passwords.json.generated" | sed 's/: / \/ /')
DAGs          ingest, refresh_index, retrain, measure, maintain: paused until you switch them on
what they do  each DAG's own page there
log           $log
command line  AIRFLOW_HOME=$AIRFLOW_HOME .venv-airflow/bin/airflow
stop          Ctrl-C
TEXT
wait $airflow
