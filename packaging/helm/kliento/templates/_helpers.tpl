{{- /* The names of all objects: the release's, unless it has the chart's already. */ -}}
{{- define "kliento.name" -}}
{{- if contains "kliento" .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-kliento" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "kliento.selector" -}}
app.kubernetes.io/name: kliento
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "kliento.labels" -}}
{{ include "kliento.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "kliento.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /*
The addresses come first, as keys of the file's top, and the table [tls] at its end. `kliento serve` refuses a configuration
that sets them too, since no key of TOML occurs twice.
*/ -}}
{{- define "kliento.configuration" -}}
listen = "0.0.0.0:8443"
operations-listen = "0.0.0.0:9090"
shutdown-delay = "5s"

{{ .Values.configuration | trim }}
{{- if not .Values.tls.plain }}

[tls]
certificate = "/etc/kliento-tls/tls.crt"
key = "/etc/kliento-tls/tls.key"
{{- end }}
{{- end -}}
