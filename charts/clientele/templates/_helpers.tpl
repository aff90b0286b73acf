{{/*
Every template begins with this. `helm upgrade --reuse-values` hands over the values of the chart that was installed before, which lack
what this chart added: that is taken from defaults.yaml, the values of this chart. What is set stays, and so does what was removed from
the maps that belong to Kubernetes.
*/}}
{{- define "clientele.fill" -}}
{{- include "clientele.fillMap" (list .Values (.Files.Get "defaults.yaml" | fromYaml)) }}
{{- end }}

{{- define "clientele.fillMap" -}}
{{- $values := index . 0 }}
{{- $ofKubernetes := list "podSecurityContext" "securityContext" "resources" "startup" "liveness" "readiness" }}
{{- range $key, $default := index . 1 }}
{{- if not (hasKey $values $key) }}
{{- $_ := set $values $key $default }}
{{- else if and (kindIs "map" $default) (kindIs "map" (index $values $key)) (not (has $key $ofKubernetes)) }}
{{- include "clientele.fillMap" (list (index $values $key) $default) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The name of all objects. */}}
{{- define "clientele.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* At most 50 characters: the longest suffix is "-tenants-view" and names are at most 63. */}}
{{- define "clientele.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "clientele.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "clientele.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "clientele.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "clientele.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.create is false: name an existing ServiceAccount in serviceAccount.name" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The operator as the API server knows it. */}}
{{- define "clientele.username" -}}
{{- printf "system:serviceaccount:%s:%s" (include "clientele.namespace" .) (include "clientele.serviceAccountName" .) }}
{{- end }}

{{- define "clientele.selectorLabels" -}}
app.kubernetes.io/name: {{ include "clientele.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* The chart's own labels win over commonLabels: selectors depend on them. */}}
{{- define "clientele.labels" -}}
{{- $own := dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_")
  "app.kubernetes.io/name" (include "clientele.name" .)
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "app.kubernetes.io/part-of" "clientele" }}
{{- toYaml (merge $own .Values.commonLabels) }}
{{- end }}

{{/* What the generated templates/crds.yaml puts below `metadata`. */}}
{{- define "clientele.crdMetadata" -}}
labels:
  {{- include "clientele.labels" . | nindent 2 }}
{{- $annotations := deepCopy .Values.crds.annotations }}
{{- if .Values.crds.keep }}
{{- $_ := set $annotations "helm.sh/resource-policy" "keep" }}
{{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "clientele.image" -}}
{{- $image := .Values.image.repository }}
{{- with .Values.image.registry }}{{ $image = printf "%s/%s" (trimSuffix "/" .) $image }}{{ end }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $image .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $image (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "clientele.publicUrl" -}}
{{- include "clientele.checkUrl" (list "publicUrl" .Values.publicUrl) }}
{{- regexReplaceAll "/+$" (default "http://127.0.0.1:8080" .Values.publicUrl) "" }}
{{- end }}

{{/* The rule of `clientele run --public-url` for what the schema cannot say; a test compares them. */}}
{{- define "clientele.checkUrl" -}}
{{- $field := index . 0 }}
{{- $url := regexReplaceAll "/+$" (index . 1) "" }}
{{- $origin := regexFind "^[^/]*//[^/]*" $url }}
{{- $host := regexReplaceAll "^[a-z]*://|:[0-9]*$" $origin "" }}
{{- $byte := "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])" }}
{{- $problem := "" }}
{{- if regexMatch "[A-Z]" $origin }}
{{- $problem = "write scheme and host in lower case" }}
{{- else if regexMatch "^(https://.*:443|http://.*:80)$" $origin }}
{{- $problem = "leave out the port, which is the default one" }}
{{- else if gt (regexFind ":[0-9]+$" $origin | trimPrefix ":" | int) 65535 }}
{{- $problem = "a port is at most 65535" }}
{{- else if and (regexMatch "(^|[.])([0-9]+|0x[0-9a-f]*)$" $host) (not (regexMatch (printf "^(%s[.]){3}%s$" $byte $byte) $host)) }}
{{- $problem = "write an IPv4 address as four numbers from 0 to 255 without leading zeros" }}
{{- else if regexMatch "/([.]|%2[eE]){1,2}(/|$)" (trimPrefix $origin $url) }}
{{- $problem = "a path has no segments `.` and `..`" }}
{{- end }}
{{- if $problem }}
{{- fail (printf "%s %s: %s" $field (index . 1) $problem) }}
{{- end }}
{{- end }}

{{/* The host names under which the edge publishes the server: those given, or the one of publicUrl. */}}
{{- define "clientele.hosts" -}}
{{- $given := index . 1 }}
{{- with index . 0 }}
{{- if $given }}
{{- toYaml $given }}
{{- else }}
{{- toYaml (list (urlParse (include "clientele.publicUrl" .)).hostname) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The paths: those given, or what lies under publicUrl. The metadata of an issuer with a path lies beside it (RFC 8414 section 3). */}}
{{- define "clientele.paths" -}}
{{- $given := index . 1 }}
{{- with index . 0 }}
{{- $path := (urlParse (include "clientele.publicUrl" .)).path }}
{{- if $given }}
{{- toYaml $given }}
{{- else if $path }}
{{- toYaml (list $path (printf "/.well-known/oauth-authorization-server%s" $path)) }}
{{- else }}
{{- toYaml (list "/") }}
{{- end }}
{{- end }}
{{- end }}

{{/* Behind an edge every visitor would count as the edge itself, unless its networks are named. */}}
{{- define "clientele.checkTrustedProxies" -}}
{{- $field := index . 1 }}
{{- with index . 0 }}
{{- if not (kindIs "slice" .Values.trustedProxies) }}
{{- fail (printf "%s is true: set trustedProxies to the networks from which the edge connects, such as [10.20.30.0/24] for the pods of an ingress controller; without them the throttle of sign-ins counts all visitors as one. If nothing in front of the pods hides the addresses of visitors, set trustedProxies to []" $field) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Where the operator may write Secrets: `namespaces` as soon as some are listed. */}}
{{- define "clientele.secretsScope" -}}
{{- $listed := not (empty .Values.secrets.namespaces) }}
{{- if and $listed (eq .Values.secrets.scope "cluster") }}
{{- fail "secrets.namespaces lists namespaces, but secrets.scope is cluster: leave secrets.scope empty, or empty the list" }}
{{- end }}
{{- default (ternary "namespaces" "cluster" $listed) .Values.secrets.scope }}
{{- end }}

{{- define "clientele.scheme" -}}
{{- ternary "https" "http" (not (empty .Values.tls.secretName)) }}
{{- end }}

{{- define "clientele.servicePort" -}}
{{- if .Values.service.port }}
{{- .Values.service.port }}
{{- else }}
{{- ternary 443 80 (not (empty .Values.tls.secretName)) }}
{{- end }}
{{- end }}

{{/* The port of the collector of traces. */}}
{{- define "clientele.collectorPort" -}}
{{- $url := urlParse .Values.tracing.endpoint }}
{{- $default := eq $url.scheme "https" | ternary "443" "80" }}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default $default }}
{{- end }}

{{/* The claim for the volume of the SQLite database. */}}
{{- define "clientele.claim" -}}
{{- default (include "clientele.fullname" .) .Values.database.sqlite.persistence.existingClaim }}
{{- end }}

{{- define "clientele.checkDatabase" -}}
{{- if eq .Values.database.type "sqlite" }}
{{- if .Values.autoscaling.enabled }}
{{- fail "autoscaling.enabled is true, and SQLite serves one process: set database.type to postgres and database.postgres.existingSecret, or autoscaling.enabled to false" }}
{{- end }}
{{- if gt (int .Values.replicaCount) 1 }}
{{- fail "replicaCount is more than 1, and SQLite serves one process: set database.type to postgres and database.postgres.existingSecret, or replicaCount to 1" }}
{{- end }}
{{- if .Values.database.postgres.existingSecret }}
{{- fail "database.postgres.existingSecret is set, but database.type is sqlite: set database.type to postgres, or leave the Secret away" }}
{{- end }}
{{- else if not .Values.database.postgres.existingSecret }}
{{- fail "database.type is postgres: name the Secret with its URL in database.postgres.existingSecret" }}
{{- end }}
{{- end }}

{{/* Whether there may be several replicas: "true", or nothing. */}}
{{- define "clientele.severalReplicas" -}}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) }}true{{ end }}
{{- end }}

{{/* What the operator does with Secrets, wherever it may. */}}
{{- define "clientele.secretVerbs" -}}
["get", "list", "watch", "create", "update", "delete"]
{{- end }}

{{/* A script of the one origin could act as the other. */}}
{{- define "clientele.checkDashboard" -}}
{{- with .Values.dashboard.url }}
{{- include "clientele.checkUrl" (list "dashboard.url" .) }}
{{- $dashboard := regexFind "^https?://[^/]+" . | lower }}
{{- $issuer := regexFind "^https?://[^/]+" (include "clientele.publicUrl" $) | lower }}
{{- if eq (trimSuffix ":443" $dashboard) (trimSuffix ":443" $issuer) }}
{{- fail (printf "dashboard.url %s has the origin of the issuer (publicUrl): give the dashboard a host name of its own, such as https://dashboard.example.com" .) }}
{{- end }}
{{- if ne (trimSuffix "/" .) (regexFind "^https?://[^/]+" .) }}
{{- fail (printf "dashboard.url %s has a path: the dashboard needs a host name of its own, such as https://dashboard.example.com" .) }}
{{- end }}
{{- else }}
{{- if .Values.dashboard.enabled }}
{{- fail "dashboard.enabled is true: set dashboard.url to the URL at which people reach the dashboard, such as https://dashboard.example.com" }}
{{- end }}
{{- end }}
{{- end }}

{{/* Another name than the operator's: the selectors of the operator must not find the pods of the dashboard. */}}
{{- define "clientele.dashboardSelectorLabels" -}}
app.kubernetes.io/name: {{ printf "%s-dashboard" (include "clientele.name" .) | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "clientele.dashboardLabels" -}}
{{- toYaml (mergeOverwrite (include "clientele.labels" . | fromYaml) (include "clientele.dashboardSelectorLabels" . | fromYaml)) }}
{{- end }}

{{- define "clientele.dashboardName" -}}
{{- printf "%s-dashboard" (include "clientele.fullname" .) }}
{{- end }}
