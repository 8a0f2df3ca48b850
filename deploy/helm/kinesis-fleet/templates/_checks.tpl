{{/* Faults that the schema cannot see, all of them in one message. Included once, by the controller's Deployment. */}}
{{- define "kinesis-fleet.checks" -}}
{{- $faults := list -}}
{{- if not .Values.stream -}}
{{- $faults = append $faults "stream is required: the name or ARN of the Kinesis stream to consume (--set stream=logins)" -}}
{{- end -}}
{{- $redis := list -}}
{{- if .Values.redis.inCluster.enabled }}{{ $redis = append $redis "redis.inCluster.enabled" }}{{ end -}}
{{- if .Values.redis.url }}{{ $redis = append $redis "redis.url" }}{{ end -}}
{{- if .Values.redis.existingSecret }}{{ $redis = append $redis "redis.existingSecret" }}{{ end -}}
{{- if ne (len $redis) 1 -}}
{{- $faults = append $faults (printf "exactly one of redis.inCluster.enabled, redis.url and redis.existingSecret says which Redis to use, but %s" (empty $redis | ternary "none does" (printf "%s do" (join " and " $redis)))) -}}
{{- end -}}
{{- $monitors := .Values.metrics -}}
{{- if and $monitors.serviceMonitor.enabled $monitors.podMonitor.enabled -}}
{{- $faults = append $faults "metrics.serviceMonitor.enabled and metrics.podMonitor.enabled are both true: every pod would be scraped twice, so choose one" -}}
{{- end -}}
{{- range $kind, $enabled := dict "ServiceMonitor" $monitors.serviceMonitor.enabled "PodMonitor" $monitors.podMonitor.enabled -}}
{{- if and $enabled (not (or ($.Capabilities.APIVersions.Has "monitoring.coreos.com/v1") ($.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" $kind)))) -}}
{{- $faults = append $faults (printf "this cluster does not know monitoring.coreos.com/v1 %s: install the Prometheus Operator first, or leave the monitor off (without a cluster: --api-versions monitoring.coreos.com/v1)" $kind) -}}
{{- end -}}
{{- end -}}
{{- range $component := list "controller" "worker" -}}
{{- range $name, $ignored := (index $.Values $component).settings -}}
{{- if hasKey $.Values.settings $name -}}
{{- $faults = append $faults (printf "%s is in settings and in %s.settings: both processes must agree on it, so keep it in settings" $name $component) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $path, $ignored := .Values.pipelineFiles -}}
{{- if contains "__" $path -}}
{{- $faults = append $faults (printf "pipelineFiles has %s: two underscores in a row stand for a slash and cannot be in a path" $path) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.pipelineFiles (not (hasKey .Values.pipelineFiles (printf "pipelines/%s.yaml" .Values.pipeline))) -}}
{{- $faults = append $faults (printf "pipelineFiles has no pipelines/%s.yaml, the pipeline to run" .Values.pipeline) -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n\n%d value(s) are wrong:\n  %s\n" (len $faults) (join "\n  " $faults)) -}}
{{- end -}}
{{- end -}}
