{{/* What the pods of controller, worker, Redis and the test have in common. All meet the restricted Pod Security Standard. */}}

{{/* takes (user) */}}
{{- define "kinesis-fleet.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "kinesis-fleet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* takes (root, pod): where the pod may run; `pod` is the part of the values that says it */}}
{{- define "kinesis-fleet.scheduling" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .pod.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* takes (root, component): evenly over zones, then over nodes; each generation of pods by itself */}}
{{- define "kinesis-fleet.spread" -}}
{{- $own := (index .root.Values .component).topologySpreadConstraints -}}
{{- if $own }}
{{- toYaml $own }}
{{- else }}
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- topologyKey: {{ $key }}
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  matchLabelKeys: [pod-template-hash]
  labelSelector:
    matchLabels:
      {{- include "kinesis-fleet.selectorLabels" $.root | nindent 6 }}
      app.kubernetes.io/component: {{ $.component }}
{{- end }}
{{- end }}
{{- end -}}

{{/* takes (root, component): annotations that change with the configuration, so that pods follow it */}}
{{- define "kinesis-fleet.podAnnotations" -}}
checksum/config: {{ include "kinesis-fleet.config" . | sha256sum }}
{{- with .root.Values.pipelineFiles }}
checksum/pipelines: {{ toJson . | sha256sum }}
{{- end }}
{{- with coalesce .root.Values.redis.url .root.Values.redis.inCluster.password }}
checksum/redis: {{ sha256sum . }}
{{- end }}
{{- with (index .root.Values .component).podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* takes (root, component): where the settings come from */}}
{{- define "kinesis-fleet.envFrom" -}}
- configMapRef:
    name: {{ include "kinesis-fleet.fullname" .root }}-{{ .component }}
{{- with .root.Values.aws.existingSecret }}
- secretRef:
    name: {{ . }}
{{- end }}
{{- end -}}

{{- define "kinesis-fleet.redisEnv" -}}
- name: REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "kinesis-fleet.redisSecretName" . }}
      key: {{ include "kinesis-fleet.redisSecretKey" . }}
{{- end -}}

{{/* takes (root, component): the pipelines' volume and those of the values */}}
{{- define "kinesis-fleet.volumes" -}}
{{- if .root.Values.pipelineFiles }}
- name: pipelines
  configMap:
    name: {{ include "kinesis-fleet.fullname" .root }}-pipelines
    items:
      {{- range $path, $ignored := .root.Values.pipelineFiles }}
      - key: {{ replace "/" "__" $path }}
        path: {{ $path }}
      {{- end }}
{{- end }}
{{- with (index .root.Values .component).extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "kinesis-fleet.volumeMounts" -}}
{{- if .root.Values.pipelineFiles }}
- name: pipelines
  mountPath: /etc/kinesis-fleet
  readOnly: true
{{- end }}
{{- with (index .root.Values .component).extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
Start: the port is open. Ready: everything was fine once, and not stopping. Live: the event loop and every loop make
progress; an outage of Redis or AWS fails neither of them.
*/}}
{{- define "kinesis-fleet.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: http }
  periodSeconds: 1
  timeoutSeconds: 3
  failureThreshold: 60
readinessProbe:
  httpGet: { path: /readyz, port: http }
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 2
livenessProbe:
  httpGet: { path: /livez, port: http }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- end -}}
