#!/usr/bin/env bash
# kinesis-fleet on a kind cluster, from nothing, in one command.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

readonly KIND_VERSION=0.30.0
readonly NODE_IMAGE=kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a
readonly MONITORING_CHART=kube-prometheus-stack MONITORING_VERSION=79.7.1
readonly MONITORING_REPOSITORY=https://prometheus-community.github.io/helm-charts

usage() {
  cat <<TEXT
usage: deploy/kind/up.sh [--name NAME] [--no-monitoring] [--help]

Makes a kind cluster of three nodes in three zones, builds and loads the images, installs the Prometheus Operator, then
a local Kinesis and DynamoDB, Redis, the fleet, and a Job that produces (all that by deploy/kind/fleet.sh).
Again on a cluster that is there: builds, loads and upgrades. deploy/kind/down.sh removes it all.

  --name NAME        of the cluster; default kinesis-fleet
  --no-monitoring    without the Prometheus Operator (saves about 1 GiB and a minute)

Needs docker, kind $KIND_VERSION or newer, kubectl and helm 3 or newer, and about 6 GiB of memory.
The variables of deploy/kind/fleet.sh (SHARDS, RECORDS, RATE, ...) work here too.
TEXT
}

die() {
  echo "up.sh: $*" >&2
  exit 1
}

name=kinesis-fleet
monitoring=on
while [ $# -gt 0 ]; do
  case $1 in
    --name)
      [ $# -ge 2 ] || die "--name needs a name"
      name=$2
      shift 2
      ;;
    --no-monitoring) monitoring=off && shift ;;
    -h | --help) usage && exit 0 ;;
    *) die "unknown option $1; --help says what there is" ;;
  esac
done

# All that is missing, in one message.
missing=()
command -v docker >/dev/null || missing+=("docker: https://docs.docker.com/get-docker/")
command -v kind >/dev/null || missing+=("kind: https://kind.sigs.k8s.io/docs/user/quick-start/#installation")
command -v kubectl >/dev/null || missing+=("kubectl: https://kubernetes.io/docs/tasks/tools/")
command -v helm >/dev/null || missing+=("helm: https://helm.sh/docs/intro/install/")
if [ ${#missing[@]} -gt 0 ]; then
  printf 'up.sh: not on PATH: %s\n' "${missing[@]}" >&2
  exit 1
fi
docker info >/dev/null 2>&1 || die "the Docker daemon does not answer: start it, or see to it that you may use it"
kind_version=$(kind version -q)
if [ "$(printf '%s\n' "$KIND_VERSION" "$kind_version" | sort -V | head -n 1)" != "$KIND_VERSION" ]; then
  die "kind is $kind_version, but the node image needs $KIND_VERSION or newer"
fi

if ! kind get clusters 2>/dev/null | grep -qx "$name"; then
  kind create cluster --name "$name" --image "$NODE_IMAGE" --config "$here/cluster.yaml" --wait 120s
fi
KUBECONFIG=$(mktemp)
trap 'rm -f "$KUBECONFIG"' EXIT
export KUBECONFIG
kind get kubeconfig --name "$name" >"$KUBECONFIG"

# A tag of its own for each build: the same tag with other content would leave old pods in place.
tag=kind-$(date +%s)
export IMAGE=kinesis-fleet:$tag LOCAL_IMAGE=kinesis-fleet-local:$tag
docker build --target fleet --tag "$IMAGE" "$root"
docker build --target local --tag "$LOCAL_IMAGE" "$root"
kind load docker-image --name "$name" "$IMAGE" "$LOCAL_IMAGE"

if [ $monitoring = on ]; then
  helm upgrade --install "$MONITORING_CHART" "$MONITORING_CHART" --repo "$MONITORING_REPOSITORY" \
    --version "$MONITORING_VERSION" --namespace monitoring --create-namespace --wait --timeout 10m
  export MONITOR=${MONITOR:-service}
fi

"$here/fleet.sh"

cat <<TEXT

The context for kubectl:  kubectl config use-context kind-$name   (kind export kubeconfig --name $name)
Remove everything:        deploy/kind/down.sh --name $name
TEXT
if [ $monitoring = on ]; then
  echo "Prometheus:               kubectl port-forward -n monitoring svc/$MONITORING_CHART-prometheus 9090"
fi
