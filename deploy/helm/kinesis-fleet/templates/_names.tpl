{{/* Names, labels, images. */}}

{{- define "kinesis-fleet.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "kinesis-fleet.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The chart's own labels win over common ones of the same name: a key twice is refused by some, and selectors rely on ours. */}}
{{- define "kinesis-fleet.labels" -}}
{{- $own := include "kinesis-fleet.selectorLabels" . | fromYaml -}}
{{- $chart := printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" -}}
{{- $_ := set $own "helm.sh/chart" $chart -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- merge $own .Values.commonLabels (dict "app.kubernetes.io/part-of" "kinesis-fleet") | toYaml -}}
{{- end -}}

{{/*
takes (root, component, pod): labels of a pod template. No version among them: pods are not replaced for a new chart
that changes nothing in them.
*/}}
{{- define "kinesis-fleet.podLabels" -}}
{{- $own := include "kinesis-fleet.selectorLabels" .root | fromYaml -}}
{{- merge (dict "app.kubernetes.io/component" .component) $own .pod.podLabels .root.Values.commonLabels | toYaml -}}
{{- end -}}

{{/* The worker pods, as the text of a label selector: the controller watches them by it. */}}
{{- define "kinesis-fleet.workerSelector" -}}
{{- $labels := include "kinesis-fleet.selectorLabels" . | fromYaml -}}
{{- range $key, $value := $labels }}{{ $key }}={{ $value }},{{ end }}app.kubernetes.io/component=worker
{{- end -}}

{{/* takes (root, image): the image's full name */}}
{{- define "kinesis-fleet.image" -}}
{{- $registry := default .root.Values.global.imageRegistry .image.registry -}}
{{- if $registry }}{{ trimSuffix "/" $registry }}/{{ end -}}
{{- .image.repository -}}
{{- if .image.digest -}}
@{{ .image.digest }}
{{- else -}}
:{{ default .root.Chart.AppVersion .image.tag }}
{{- end -}}
{{- end -}}

{{/* takes (root, component): the ServiceAccount of "controller" or "worker" */}}
{{- define "kinesis-fleet.serviceAccountName" -}}
{{- $account := (index .root.Values .component).serviceAccount -}}
{{- if $account.create -}}
{{- default (printf "%s-%s" (include "kinesis-fleet.fullname" .root) .component) $account.name -}}
{{- else -}}
{{- default "default" $account.name -}}
{{- end -}}
{{- end -}}

{{- define "kinesis-fleet.fleet" -}}
{{- default (include "kinesis-fleet.fullname" .) .Values.fleet -}}
{{- end -}}

{{- define "kinesis-fleet.redisSecretName" -}}
{{- default (printf "%s-redis" (include "kinesis-fleet.fullname" .)) .Values.redis.existingSecret -}}
{{- end -}}

{{- define "kinesis-fleet.redisSecretKey" -}}
{{- if .Values.redis.existingSecret }}{{ .Values.redis.existingSecretKey }}{{ else }}redis-url{{ end -}}
{{- end -}}
