package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A tool is a program of the pinned modules.
type tool struct {
	name     string
	module   string // the folder of its go.mod, from ours
	pkg      string
	tags     string // build tags
	estimate string // from a cold compile cache, on two cores
	inPath   func(path string) bool
}

var tools = []tool{
	{name: "etcd", module: ".", pkg: "go.etcd.io/etcd/server/v3", estimate: "about 15 s"},
	{name: "kube-apiserver", module: ".", pkg: "k8s.io/kubernetes/cmd/kube-apiserver", estimate: "about 4 minutes"},
	{name: "kube-controller-manager", module: ".", pkg: "k8s.io/kubernetes/cmd/kube-controller-manager", estimate: "about a minute"},
	{name: "kubectl", module: ".", pkg: "k8s.io/kubernetes/cmd/kubectl", estimate: "about 20 s", inPath: anyVersion},
	{name: "kube-scheduler", module: "node", pkg: "k8s.io/kubernetes/cmd/kube-scheduler", estimate: "about 20 s"},
	{name: "kubelet", module: "node", pkg: "k8s.io/kubernetes/cmd/kubelet", estimate: "about a minute"},
	{name: "kube-proxy", module: "node", pkg: "k8s.io/kubernetes/cmd/kube-proxy", estimate: "about 15 s"},
	{name: "helm", module: "helm", pkg: "helm.sh/helm/v3/cmd/helm", estimate: "about a minute", inPath: helmThreeOrFour},
	{name: "crane", module: "crane", pkg: "github.com/google/go-containerregistry/cmd/crane", estimate: "about a minute"},
	{name: "source-controller", module: "flux", pkg: "github.com/fluxcd/source-controller", estimate: "about 4 minutes"},
	{name: "kustomize-controller", module: "flux", pkg: "github.com/fluxcd/kustomize-controller", estimate: "about 3 minutes"},
	{name: "promtool", module: "promtool", pkg: "github.com/prometheus/prometheus/cmd/promtool", tags: "remove_all_sd", estimate: "about 3 minutes"},
}

// controlPlaneTools are what `run` and `up` need; a cluster does not wait for helm.
var controlPlaneTools = []string{"etcd", "kube-apiserver", "kube-controller-manager"}

func toolNamed(name string) (tool, error) {
	for _, tool := range tools {
		if tool.name == name {
			return tool, nil
		}
	}
	return tool{}, fmt.Errorf("no tool %q, %w", name, errUsage)
}

// folder has the go.mod of the tool: that of another version of Kubernetes where CLIENTELE_KUBERNETES names one.
func (t tool) folder() string {
	version := os.Getenv("CLIENTELE_KUBERNETES")
	if version == "" || t.module != "." || !strings.HasPrefix(t.pkg, "k8s.io/kubernetes/") {
		return t.module
	}
	return filepath.Join("kubernetes", version)
}

// onDemand is what only a node or a drill on it needs: it waits until there is one.
func (t tool) onDemand() bool { return slices.Contains([]string{"node", "crane", "flux"}, t.module) }

// ready is the tool that the machine provides, or "".
func (t tool) ready() string {
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		if path, err := exec.LookPath(filepath.Join(assets, t.name)); err == nil {
			return path
		}
	}
	if t.inPath == nil || t.folder() != t.module {
		return ""
	}
	if path, err := exec.LookPath(t.name); err == nil && t.inPath(path) {
		return path
	}
	return ""
}

func anyVersion(string) bool { return true }

func helmThreeOrFour(path string) bool {
	version, err := exec.Command(path, "version", "--short").Output()
	return err == nil && (strings.HasPrefix(string(version), "v3.") || strings.HasPrefix(string(version), "v4."))
}

func toolCommand(ctx context.Context, arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("tool takes one name, %w", errUsage)
	}
	paths, err := ensure(ctx, arguments)
	if err != nil {
		return err
	}
	fmt.Println(paths[arguments[0]])
	return nil
}
