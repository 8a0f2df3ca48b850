#!/usr/bin/env bash
# Everything after "there is a cluster": local AWS, a stream, Redis and the fleet by Helm, `helm test`, a producer Job.
# up.sh runs it on kind, the end-to-end tests on whatever cluster they are given. Running it again upgrades.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<'TEXT'
usage: IMAGE=... LOCAL_IMAGE=... deploy/kind/fleet.sh [--help] [-- HELM-OPTION...]

Installs into the cluster of your KUBECONFIG. What comes after -- goes to `helm upgrade --install`, for instance
`-- --set worker.initialReplicas=4`. By environment:

  IMAGE          required: image of the Dockerfile's target `fleet`, known to the nodes, with its tag
  LOCAL_IMAGE    required: image of the target `local`, likewise
  NAMESPACE      default kinesis-fleet; created, with the restricted Pod Security Standard enforced
  RELEASE        name of the Helm release; default kinesis-fleet
  STREAM         default logins
  SHARDS         shards of the stream when it is made; default 4
  RECORDS        records that the Job produces; default 100000; 0 = no Job
  RATE           records per second; default 1000
  MONITOR        service, pod or none: which monitor for the Prometheus Operator; default none
  TIMEOUT        for each wait; default 180s
TEXT
}

die() {
  echo "fleet.sh: $*" >&2
  exit 1
}

helm_options=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage && exit 0 ;;
    --) shift && helm_options=("$@") && break ;;
    *) die "unknown option $1; --help says what there is" ;;
  esac
done

for program in kubectl helm; do
  command -v $program >/dev/null || die "$program is not on PATH"
done
[ -n "${IMAGE:-}" ] || die "IMAGE is not set: the image to run, from the Dockerfile's target fleet"
[ -n "${LOCAL_IMAGE:-}" ] || die "LOCAL_IMAGE is not set: the image of the local Kinesis, from the Dockerfile's target local"
case ${IMAGE##*/} in *:*) ;; *) die "IMAGE has no tag: $IMAGE" ;; esac
NAMESPACE=${NAMESPACE:-kinesis-fleet}
RELEASE=${RELEASE:-kinesis-fleet}
STREAM=${STREAM:-logins}
SHARDS=${SHARDS:-4}
RECORDS=${RECORDS:-100000}
RATE=${RATE:-1000}
MONITOR=${MONITOR:-none}
TIMEOUT=${TIMEOUT:-180s}
case $MONITOR in
  service | pod) helm_options=(--set "metrics.${MONITOR}Monitor.enabled=true"
    --set "metrics.${MONITOR}Monitor.labels.release=kube-prometheus-stack" ${helm_options[@]+"${helm_options[@]}"}) ;;
  none) ;;
  *) die "MONITOR must be service, pod or none, but is $MONITOR" ;;
esac
kubectl version --request-timeout=10s >/dev/null 2>&1 || die "the cluster of KUBECONFIG does not answer"

# apply FILE: a manifest with the variables filled in. Only these: anything else with a dollar stays as it is.
apply() {
  sed -e "s|\${LOCAL_IMAGE}|$LOCAL_IMAGE|g" -e "s|\${STREAM}|$STREAM|g" -e "s|\${SHARDS}|$SHARDS|g" \
    -e "s|\${RECORDS}|$RECORDS|g" -e "s|\${RATE}|$RATE|g" "$here/manifests/$1" |
    kubectl apply --namespace "$NAMESPACE" --filename -
}

# again FILE NAME: a Job cannot be changed, so an old one makes room.
again() {
  kubectl delete job "$2" --namespace "$NAMESPACE" --ignore-not-found --wait
  apply "$1"
}

# The namespace must be there, and must refuse what the restricted standard refuses.
kubectl create namespace "$NAMESPACE" --dry-run=client --output yaml | kubectl apply --filename -
kubectl label namespace "$NAMESPACE" --overwrite pod-security.kubernetes.io/enforce=restricted

# Its pod has the stream and the fleet table: one that is there stays as it is.
if ! kubectl get deployment local-aws --namespace "$NAMESPACE" >/dev/null 2>&1; then apply local-aws.yaml; fi
kubectl rollout status deployment/local-aws --namespace "$NAMESPACE" --timeout "$TIMEOUT"
again stream.yaml create-stream
kubectl wait job/create-stream --for condition=complete --namespace "$NAMESPACE" --timeout "$TIMEOUT"

helm upgrade --install "$RELEASE" "$here/../helm/kinesis-fleet" --namespace "$NAMESPACE" \
  --values "$here/values.yaml" --set "stream=$STREAM" \
  --set "image.repository=${IMAGE%:*}" --set-string "image.tag=${IMAGE##*:}" \
  ${helm_options[@]+"${helm_options[@]}"} --wait --timeout "$TIMEOUT"
helm test "$RELEASE" --namespace "$NAMESPACE" --timeout "$TIMEOUT"

# deployment COMPONENT: its name, which follows from the release's.
deployment() {
  kubectl get deployment --namespace "$NAMESPACE" --output name \
    --selector "app.kubernetes.io/instance=$RELEASE,app.kubernetes.io/component=$1"
}

if [ "$RECORDS" != 0 ]; then
  again producer.yaml producer
  cat <<TEXT

$RECORDS records are being produced, $RATE per second. Its truth, when it is done, and the fleet's own figures, which are
those of all such Jobs so far:
  kubectl logs --namespace $NAMESPACE job/producer --follow
  kubectl exec --namespace $NAMESPACE $(deployment controller) -- kinesis-fleet counts
Scale it meanwhile:
  kubectl scale --namespace $NAMESPACE $(deployment worker) --replicas=5
TEXT
fi
