package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Addresses of the node's own network, which ends at its borders.
const (
	nodeName    = "node"
	nodeAddress = "172.31.255.1"
	podNetwork  = "10.244.0.0/24"
	// What the node keeps lies in memory and goes with its mounts.
	nodeFolder = "/run/node"
)

// nodeTools are built from the pinned modules, beside those of every control plane.
var nodeTools = append([]string{"kube-scheduler", "kubelet", "kube-proxy"}, controlPlaneTools...)

// nodeReport is what the command on the node gets to know, as JSON in the file that CLIENTELE_NODE names.
type nodeReport struct {
	report
	Address    string `json:"address"`
	Control    string `json:"control"`    // a Unix socket: a line such as `stop kube-apiserver`, answered by a line of JSON
	Containerd string `json:"containerd"` // a Unix socket, for ctr
}

// nodeInside is the part of `node` that lives apart from the machine; not for people.
func nodeInside(ctx context.Context, arguments []string) error {
	if len(arguments) < 4 || os.Getpid() != 1 {
		return fmt.Errorf("node-inside is started by node, %w", errUsage)
	}
	folder, group, command := arguments[0], arguments[1], arguments[3:]
	begin := time.Now()
	if err := errors.Join(ownMounts(), ownNetwork()); err != nil {
		return err
	}
	paths, err := ensure(ctx, nodeTools)
	if err != nil {
		return err
	}
	plane := &controlPlane{settings: settings{folder: folder, tools: paths, cgroup: group}}
	defer plane.stop()
	if err := plane.startNode(ctx); err != nil {
		return err
	}
	dns, err := plane.serveDNS(ctx)
	if err != nil {
		return err
	}
	defer dns.Close()
	say("the node is ready after %.1f s", time.Since(begin).Seconds())
	control, err := plane.listen(ctx)
	if err != nil {
		return err
	}
	defer control.Close()
	return plane.runOnNode(ctx, command)
}

// ownMounts makes mounts that are not seen outside, and shared among pods as the kubelet wants them.
func ownMounts() error {
	steps := []struct {
		source, target, kind string
		flags                uintptr
	}{
		{"", "/", "", syscall.MS_REC | syscall.MS_PRIVATE},
		{"", "/", "", syscall.MS_REC | syscall.MS_SHARED},
		{"proc", "/proc", "proc", 0},
		{"run", "/run", "tmpfs", 0},
		{"log", "/var/log", "tmpfs", 0}, // the kubelet links to the logs of containers there
	}
	for _, step := range steps {
		if err := syscall.Mount(step.source, step.target, step.kind, step.flags, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", step.target, err)
		}
	}
	for _, name := range []string{"cni", "kubelet", "pod-logs", "kernel"} {
		if err := os.MkdirAll(filepath.Join(nodeFolder, name), 0o755); err != nil {
			return err
		}
	}
	if err := ownSettings(); err != nil {
		return err
	}
	// The library of the CNI plugins keeps what it answered here.
	if err := os.MkdirAll("/var/lib/cni", 0o700); err != nil {
		return err
	}
	return syscall.Mount("cni", "/var/lib/cni", "tmpfs", 0, "")
}

// ownSettings covers what the kubelet would set for the whole machine by files of ours, in which it finds what it wants.
func ownSettings() error {
	for name, value := range map[string]string{
		"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
		"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
	} {
		own := filepath.Join(nodeFolder, "kernel", strings.ReplaceAll(name, "/", "."))
		if err := os.WriteFile(own, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := syscall.Mount(own, "/proc/sys/"+name, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("covering %s: %w", name, err)
		}
	}
	return nil
}

// ownNetwork is the node's interface, with a default route that leads nowhere but lets addresses of Services be tried.
func ownNetwork() error {
	for _, line := range []string{
		"ip link set lo up",
		"ip link add node0 type bridge",
		"ip address add " + nodeAddress + "/24 dev node0",
		"ip link set node0 up",
		"ip route add default dev node0",
	} {
		words := strings.Fields(line)
		if output, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", line, err, output)
		}
	}
	for name, value := range map[string]string{"ipv4/ip_forward": "1", "bridge/bridge-nf-call-iptables": "1"} {
		if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// startNode starts what a node is, in the order in which one part needs another.
func (c *controlPlane) startNode(ctx context.Context) error {
	if err := c.prepare(); err != nil {
		return err
	}
	if err := c.prepareNode(); err != nil {
		return err
	}
	containerd := c.containerd()
	c.parts = append(c.parts, c.etcd(), containerd, c.onNode(c.apiServer()), c.onNode(c.controllerManager()), c.scheduler(), c.kubelet(), c.kubeProxy())
	for _, part := range c.parts {
		if err := part.start(ctx); err != nil {
			return err
		}
		if part == containerd {
			if err := c.importPause(); err != nil {
				return err
			}
		}
	}
	return nil
}

// importPause puts the image into the node that every pod needs.
func (c *controlPlane) importPause() error {
	archive := c.path("pause.tar")
	pack := exec.Command(c.path("bin/image"), "--program", runtime.GOARCH+"="+c.path("bin/pause"), "--name", pauseImage, "--output", archive)
	for _, command := range []*exec.Cmd{pack, exec.Command("ctr", "--address", containerdSocket, "--namespace", "k8s.io", "images", "import", archive)} {
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("the image of pods: %w\n%s", err, output)
		}
	}
	return nil
}

// listen answers commands on a Unix socket, one at a time.
func (c *controlPlane) listen(ctx context.Context) (net.Listener, error) {
	listener, err := net.Listen("unix", c.path("control"))
	if err != nil {
		return nil, err
	}
	var one sync.Mutex
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				for lines := bufio.NewScanner(connection); lines.Scan(); {
					one.Lock()
					answer := c.answer(ctx, lines.Text())
					one.Unlock()
					fmt.Fprintln(connection, oneLine(answer))
				}
			}()
		}
	}()
	return listener, nil
}

// runOnNode runs the command beside the node, in the folder of the project.
func (c *controlPlane) runOnNode(ctx context.Context, words []string) error {
	file := c.path("node.json")
	about := nodeReport{report: c.report(), Address: nodeAddress, Control: c.path("control"), Containerd: containerdSocket}
	if err := os.WriteFile(file, []byte(oneLine(about)+"\n"), 0o600); err != nil {
		return err
	}
	source, err := sourceFolder()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = grace
	command.Dir = filepath.Dir(source)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = append(os.Environ(), "CLIENTELE_NODE="+file, "KUBECONFIG="+c.path("kubeconfig"))
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w", words[0], err)
	}
	return nil
}
