package main

import (
	"context"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

const (
	pauseImage       = "clientele.test/pause:1"
	containerdSocket = nodeFolder + "/containerd.sock"
	schedulerPort    = 10259
)

// onNode changes what a control plane without nodes does not need. What comes later on a command line wins, and adds to
// lists.
func (c *controlPlane) onNode(part *process) *process {
	switch part.name {
	case "kube-apiserver":
		part.arguments = append(part.arguments,
			"--bind-address=0.0.0.0", "--advertise-address="+nodeAddress,
			"--endpoint-reconciler-type=lease", // pods look for it
			"--authorization-mode=Node",
			"--enable-admission-plugins=NodeRestriction",
			"--kubelet-client-certificate="+c.pki.certificate("admin"), "--kubelet-client-key="+c.pki.key("admin"),
			"--kubelet-preferred-address-types=InternalIP",
		)
	case "kube-controller-manager":
		part.arguments = append(part.arguments, "--controllers=*")
	}
	return part
}

func (c *controlPlane) scheduler() *process {
	health := "https://" + loopback(schedulerPort) + "/healthz"
	check := func(ctx context.Context) error { return c.answers(ctx, health) }
	return c.process("kube-scheduler", check,
		"--kubeconfig="+c.path("pki/kube-scheduler.kubeconfig"),
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", schedulerPort),
		"--tls-cert-file="+c.pki.certificate("server"), "--tls-private-key-file="+c.pki.key("server"),
		"--leader-elect=false",
	)
}

// containerd is Debian's, with files of its own.
func (c *controlPlane) containerd() *process {
	check := func(context.Context) error {
		connection, err := net.Dial("unix", containerdSocket)
		if err != nil {
			return err
		}
		return connection.Close()
	}
	part := c.process("containerd", check, "--config="+c.path("containerd.toml"))
	part.path = "/usr/bin/containerd"
	return part
}

// kubelet is ready when the API server says so of its node.
func (c *controlPlane) kubelet() *process {
	check := func(ctx context.Context) error {
		text, err := c.fetch(ctx, c.server()+"/api/v1/nodes/"+nodeName)
		if err != nil {
			return err
		}
		var node struct {
			Status struct {
				Conditions []struct{ Type, Status, Message string }
			}
		}
		if err := json.Unmarshal(text, &node); err != nil {
			return err
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == "Ready" && condition.Status == "True" {
				return nil
			}
		}
		return fmt.Errorf("the node is not ready: %v", node.Status.Conditions)
	}
	return c.process("kubelet", check,
		"--kubeconfig="+c.path("pki/kubelet.kubeconfig"),
		"--config="+c.path("kubelet.yaml"),
		"--root-dir="+nodeFolder+"/kubelet", "--cert-dir="+nodeFolder+"/kubelet/pki",
		"--hostname-override="+nodeName, "--node-ip="+nodeAddress,
	)
}

// kubeProxy is ready when its rules for the API server's Service are there.
func (c *controlPlane) kubeProxy() *process {
	check := func(ctx context.Context) error { return c.answers(ctx, "https://10.0.0.1/readyz") }
	return c.process("kube-proxy", check, "--config="+c.path("kube-proxy.yaml"))
}

// prepareNode writes what the parts of the node read at their start.
func (c *controlPlane) prepareNode() error {
	users := map[string]pkix.Name{
		"kubelet":        {CommonName: "system:node:" + nodeName, Organization: []string{"system:nodes"}},
		"kube-proxy":     {CommonName: "system:kube-proxy"},
		"kube-scheduler": {CommonName: "system:kube-scheduler"},
	}
	for name, subject := range users {
		if err := c.pki.issue(name, subject); err != nil {
			return err
		}
		if err := c.pki.writeKubeconfig(c.path("pki/"+name+".kubeconfig"), c.server(), name); err != nil {
			return err
		}
	}
	replace := strings.NewReplacer(
		"{node}", nodeFolder, "{socket}", containerdSocket, "{pause}", pauseImage, "{cni}", cniFolder, "{pods}", podNetwork,
		"{ca}", c.pki.certificate("ca"), "{certificate}", c.pki.certificate("server"), "{key}", c.pki.key("server"),
		"{address}", nodeAddress, "{domain}", clusterDomain, "{name}", nodeName, "{cgroup}", c.cgroup, "{resolv}", c.path("resolv.conf"),
		"{kubeconfig}", c.path("pki/kube-proxy.kubeconfig"),
	)
	var failed []error
	for path, text := range map[string]string{
		c.path("containerd.toml"):              containerdConfig,
		c.path("kubelet.yaml"):                 kubeletConfig,
		c.path("kube-proxy.yaml"):              kubeProxyConfig,
		nodeFolder + "/cni/10-bridge.conflist": bridgeConfig,
		c.path("resolv.conf"):                  "nameserver 127.0.0.1\n",
	} {
		failed = append(failed, os.WriteFile(path, []byte(replace.Replace(text)), 0o600))
	}
	return errors.Join(failed...)
}

const containerdConfig = `version = 2
root = "{node}/containerd"
state = "{node}/containerd-state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "{socket}"
[debug]
  level = "warn"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # A machine whose root may not lower the score of a process runs pods all the same.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  # A folder for each registry, with what containerd shall know of it; a test may add one at any time.
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{node}/registries"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni}"
    conf_dir = "{node}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "{node}/runc"
`

const bridgeConfig = `{
  "cniVersion": "1.0.0", "name": "pods",
  "plugins": [{
    "type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
    "ipam": {"type": "host-local", "dataDir": "{node}/addresses", "ranges": [[{"subnet": "{pods}"}]], "routes": [{"dst": "0.0.0.0/0"}]}
  }]
}
`

// Nothing is evicted and no image removed because the disk of the machine is full: the node does not use it.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {address}
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: {ca}}
authorization: {mode: Webhook}
tlsCertFile: {certificate}
tlsPrivateKeyFile: {key}
containerRuntimeEndpoint: unix://{socket}
clusterDNS: [{address}]
clusterDomain: {domain}
cgroupDriver: cgroupfs
cgroupRoot: /{cgroup}
failCgroupV1: false
enforceNodeAllocatable: []
evictionHard: {memory.available: "0%", nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%", imagefs.inodesFree: "0%"}
imageGCHighThresholdPercent: 100
failSwapOn: false
localStorageCapacityIsolation: false
podLogsDir: {node}/pod-logs
resolvConf: {resolv}
volumePluginDir: {node}/volume-plugins
# It may neither change settings of the kernel nor lower the score of a process.
featureGates: {KubeletInUserNamespace: true}
`

const kubeProxyConfig = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
hostnameOverride: {name}
clusterCIDR: {pods}
clientConnection: {kubeconfig: {kubeconfig}}
conntrack: {maxPerCore: 0, min: 0}
`
