#!/usr/bin/env bash
# Removes the kind cluster that up.sh made, and the images that up.sh built.
set -euo pipefail

usage() {
  cat <<TEXT
usage: deploy/kind/down.sh [--name NAME] [--help]

Deletes the kind cluster NAME (default kinesis-fleet) with everything in it, and the images that up.sh built.
TEXT
}

die() {
  echo "down.sh: $*" >&2
  exit 1
}

name=kinesis-fleet
while [ $# -gt 0 ]; do
  case $1 in
    --name)
      [ $# -ge 2 ] || die "--name needs a name"
      name=$2
      shift 2
      ;;
    -h | --help) usage && exit 0 ;;
    *) die "unknown option $1; --help says what there is" ;;
  esac
done

command -v kind >/dev/null || die "not on PATH: kind: https://kind.sigs.k8s.io/docs/user/quick-start/#installation"
command -v docker >/dev/null || die "not on PATH: docker: https://docs.docker.com/get-docker/"
kind delete cluster --name "$name"
docker images --format '{{.Repository}}:{{.Tag}}' |
  { grep -E '^kinesis-fleet(-local)?:kind-[0-9]+$' || true; } |
  xargs -r docker rmi >/dev/null
