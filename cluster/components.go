package main

import (
	"context"
	"fmt"
)

// auditPolicy logs the writes of clients and nothing else, so that a test can count them: at rest the log stands still.
// A write is logged when it comes and when it has been answered, which may be later than its effect can be seen.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: None
    users: ["system:apiserver"] # renews a lease every ten seconds
  - level: Metadata
    verbs: [create, update, patch, delete, deletecollection]
  - level: None
`

// controllers are those that a chart or an operator can notice without nodes. The others cost memory and idle traffic.
const controllers = "clusterrole-aggregation-controller,deployment-controller,garbage-collector-controller," +
	"namespace-controller,replicaset-controller,resourcequota-controller,root-ca-certificate-publisher-controller," +
	"serviceaccount-controller,serviceaccount-token-controller,validatingadmissionpolicy-status-controller"

func (c *controlPlane) process(name string, check func(context.Context) error, arguments ...string) *process {
	return &process{name: name, path: c.tools[name], arguments: arguments, log: c.path("logs/" + name + ".log"), check: check}
}

// etcd demands client certificates: no other user of the machine reads Secrets, and an API server that found another
// control plane's etcd on its port does not write into it.
func (c *controlPlane) etcd() *process {
	client, peer := "https://"+loopback(c.ports.etcd), "https://"+loopback(c.ports.etcdPeer)
	check := func(ctx context.Context) error { return c.answers(ctx, client+"/health") }
	return c.process("etcd", check,
		"--name=only",
		"--data-dir="+c.path("etcd"),
		"--unsafe-no-fsync",                // nothing here outlives the machine
		"--quota-backend-bytes=8589934592", // 100,000 clients with their Secrets and history are more than the default of 2 GB
		"--listen-client-urls="+client,
		"--advertise-client-urls="+client,
		"--listen-peer-urls="+peer,
		"--initial-advertise-peer-urls="+peer,
		"--initial-cluster=only="+peer,
		"--log-level=warn",
		"--client-cert-auth", "--trusted-ca-file="+c.pki.certificate("ca"),
		"--cert-file="+c.pki.certificate("server"), "--key-file="+c.pki.key("server"),
		"--peer-client-cert-auth", "--peer-trusted-ca-file="+c.pki.certificate("ca"),
		"--peer-cert-file="+c.pki.certificate("server"), "--peer-key-file="+c.pki.key("server"),
	)
}

func (c *controlPlane) apiServer() *process {
	check := func(ctx context.Context) error { return c.answers(ctx, c.server()+"/readyz") }
	process := c.process("kube-apiserver", check,
		"--etcd-servers=https://"+loopback(c.ports.etcd),
		"--etcd-cafile="+c.pki.certificate("ca"),
		"--etcd-certfile="+c.pki.certificate("server"), "--etcd-keyfile="+c.pki.key("server"),
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.ports.apiServer),
		"--endpoint-reconciler-type=none", // loopback is no address for an endpoint, and no pod looks for it
		"--service-cluster-ip-range=10.0.0.0/24",
		"--tls-cert-file="+c.pki.certificate("server"), "--tls-private-key-file="+c.pki.key("server"),
		"--client-ca-file="+c.pki.certificate("ca"),
		"--authorization-mode=RBAC",
		// As OpenShift does: who makes an owner wait for what it owns needs a right on the owner's finalizers.
		"--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.path("pki/service-account.pub"),
		"--service-account-signing-key-file="+c.pki.key("service-account"),
		"--audit-policy-file="+c.path("audit-policy.yaml"),
		"--audit-log-path="+c.path("audit.log"),
		"--profiling=false",
	)
	if c.authentication != "" {
		process.arguments = append(process.arguments, "--authentication-config="+c.authentication)
	}
	return process
}

func (c *controlPlane) controllerManager() *process {
	health := "https://" + loopback(c.ports.controllerManager) + "/healthz"
	check := func(ctx context.Context) error {
		if err := c.answers(ctx, health); err != nil {
			return err
		}
		// The first thing a pod or a token request needs, and the sign that controllers work, not only run.
		return c.answers(ctx, c.server()+"/api/v1/namespaces/default/serviceaccounts/default")
	}
	return c.process("kube-controller-manager", check,
		"--kubeconfig="+c.path("pki/controller-manager.kubeconfig"),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.ports.controllerManager),
		"--tls-cert-file="+c.pki.certificate("server"), "--tls-private-key-file="+c.pki.key("server"),
		"--root-ca-file="+c.pki.certificate("ca"),
		"--service-account-private-key-file="+c.pki.key("service-account"),
		"--use-service-account-credentials",
		"--leader-elect=false",
		"--controllers="+controllers,
		"--kube-api-qps=500", "--kube-api-burst=1000", // a namespace of 100 objects goes at once
		"--profiling=false",
	)
}
