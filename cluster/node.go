package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// What the node takes from Debian, by package. kubelet and kube-proxy are built from the pinned modules.
var nodePrograms = []struct{ path, debian string }{
	{"containerd", "containerd"},
	{"ctr", "containerd"},
	{"runc", "runc"},
	{"iptables", "iptables"},
	{"ip", "iproute2"},
	{"mount", "mount"},
	{cniFolder + "/bridge", "containernetworking-plugins"},
	{cniFolder + "/host-local", "containernetworking-plugins"},
	{cniFolder + "/loopback", "containernetworking-plugins"},
}

const cniFolder = "/usr/lib/cni"

// apart is a network without a way out, mounts that go with us, and processes that end with the first of them: what the
// node leaves on the machine, even after kill -9, is a folder and empty cgroups, which the next run removes.
const apart = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID

// probe does in small what the node needs from the kernel, each line with its own message.
const probe = `
mount --make-rprivate / || { echo 'mounts cannot be made private'; exit 1; }
ip link add probe0 type bridge || { echo 'the kernel makes no bridges'; exit 1; }
ip link add probe1 type veth peer name probe2 || { echo 'the kernel makes no veth pairs'; exit 1; }
iptables -t nat -A OUTPUT -m statistic --mode random --probability 0.5 -j RETURN || { echo 'iptables does not work'; exit 1; }
mount -t tmpfs probe /mnt && cd /mnt && mkdir lower upper work merged || { echo 'tmpfs cannot be mounted'; exit 1; }
mount -t overlay probe -o lowerdir=lower,upperdir=upper,workdir=work merged || { echo 'overlayfs cannot be mounted'; exit 1; }
mount -t proc proc /proc || { echo 'procfs cannot be mounted'; exit 1; }
echo 0 >own && mount --bind own /proc/sys/kernel/panic || { echo 'a setting of the kernel cannot be covered'; exit 1; }
echo 1 >/proc/sys/net/ipv4/ip_forward || { echo 'IP forwarding cannot be enabled'; exit 1; }
echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables || { echo 'the kernel module br_netfilter is missing'; exit 1; }
for group in "$@"; do echo $$ >"$group/cgroup.procs" || { echo "no process can enter $group"; exit 1; }; done
`

// nodeMissing says why this machine runs no node; empty where it does.
func nodeMissing() []string {
	if os.Geteuid() != 0 {
		return []string{"a node needs root: network namespaces, mounts and cgroups"}
	}
	var missing []string
	for _, program := range nodePrograms {
		if _, err := exec.LookPath(program.path); err != nil {
			missing = append(missing, fmt.Sprintf("%s is missing: apt-get install %s", program.path, program.debian))
		}
	}
	if len(missing) > 0 {
		return missing
	}
	if err := tryNode(); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// tryNode runs the probe in a cgroup of its own: root in a container often may do only some of it.
func tryNode() error {
	group := cgroupPrefix + strconv.Itoa(os.Getpid())
	defer removeCgroup(group)
	if err := makeCgroup(group); err != nil {
		return err
	}
	groups, err := cgroupsForProcesses(group)
	if err != nil {
		return err
	}
	command := exec.Command("sh", append([]string{"-c", probe, "sh"}, groups...)...)
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: apart}
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("the kernel refuses a part of the node: %s (%v)", strings.TrimSpace(string(output)), err)
	}
	return nil
}

// nodeCommand runs a command on a node of its own: `node -- COMMAND…`. With --check it only prints what is missing.
func nodeCommand(ctx context.Context, arguments []string) error {
	set := flag.NewFlagSet("node", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	check := set.Bool("check", false, "")
	if err := set.Parse(arguments); err != nil {
		return fmt.Errorf("node: %v, %w", err, errUsage)
	}
	missing := nodeMissing()
	if *check {
		for _, reason := range missing {
			fmt.Println(reason)
		}
		return nil
	}
	if len(missing) > 0 {
		return errors.New(strings.Join(missing, "\n"))
	}
	if set.NArg() == 0 {
		return fmt.Errorf("node: which command shall run on it? %w", errUsage)
	}
	if _, err := ensure(ctx, nodeTools); err != nil { // here, where the network is
		return err
	}
	return runNode(ctx, set.Args())
}

// runNode starts ourselves once more, apart from the machine, and removes afterwards what outlives that.
func runNode(ctx context.Context, command []string) error {
	folder, err := temporaryFolder()
	if err != nil {
		return err
	}
	if err := buildOwn(ctx, folder); err != nil {
		return err
	}
	removeStaleCgroups()
	group := cgroupPrefix + strconv.Itoa(os.Getpid())
	if err := makeCgroup(group); err != nil {
		return err
	}
	defer removeCgroup(group)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	inside := exec.Command(self, append([]string{"node-inside", folder, group, "--"}, command...)...)
	inside.Stdin, inside.Stdout, inside.Stderr = os.Stdin, os.Stdout, os.Stderr
	inside.SysProcAttr = &syscall.SysProcAttr{Cloneflags: apart, Pdeathsig: syscall.SIGKILL}
	if err := startOnLastingThread(inside); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- inside.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		inside.Process.Signal(syscall.SIGTERM)
		err = errors.Join(errors.New("interrupted"), <-ended)
	}
	if err != nil {
		say("the logs of the node are in %s", filepath.Join(folder, "logs"))
		return err
	}
	return os.RemoveAll(folder)
}

// buildOwn builds the small programs of this module: they change with its source, which the cache does not see.
func buildOwn(ctx context.Context, folder string) error {
	source, err := sourceFolder()
	if err != nil {
		return err
	}
	compile := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(folder, "bin")+"/", "./image", "./pause")
	compile.Dir = source
	compile.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if output, err := compile.CombinedOutput(); err != nil {
		return fmt.Errorf("building image and pause: %w\n%s", err, output)
	}
	return nil
}
