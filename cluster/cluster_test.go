package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shell is a component whose readiness is a file named "ready" in its folder.
func shell(t *testing.T, script string) *process {
	folder := t.TempDir()
	check := func(context.Context) error {
		_, err := os.Stat(filepath.Join(folder, "ready"))
		return err
	}
	script = "cd " + folder + "; " + script
	p := &process{name: "shell", path: "/bin/sh", arguments: []string{"-c", script}, log: filepath.Join(folder, "log"), check: check}
	t.Cleanup(p.kill)
	return p
}

func TestAFailedStartTellsTheEndOfTheLog(t *testing.T) {
	err := shell(t, "echo no such luck; exit 3").start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no such luck") {
		t.Fatalf("got %v", err)
	}
	if errors.Is(err, errPortTaken) {
		t.Fatal("this had nothing to do with ports")
	}
}

func TestATakenPortIsRecognized(t *testing.T) {
	err := shell(t, "echo 'listen tcp 127.0.0.1:1: bind: address already in use'; exit 1").start(t.Context())
	if !errors.Is(err, errPortTaken) {
		t.Fatalf("got %v", err)
	}
}

func TestAComponentStopsAndStartsAgain(t *testing.T) {
	p := shell(t, "touch ready; exec sleep 60")
	for range 2 {
		if err := p.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		pid := p.pid()
		p.stop()
		if p.running() || identity(pid) != "" {
			t.Fatal("it is still there")
		}
	}
}

func TestWaitingEndsWhenWeAreInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := shell(t, "exec sleep 60").start(ctx); err == nil || time.Since(begin) > 30*time.Second {
		t.Fatalf("got %v after %v", err, time.Since(begin))
	}
}

func TestAStateIsAliveAsLongAsItsProcess(t *testing.T) {
	command := exec.Command("sleep", "60")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	sleeper := state{PID: command.Process.Pid, Identity: identity(command.Process.Pid)}
	if !sleeper.alive() {
		t.Error("it runs")
	}
	if (state{PID: sleeper.PID, Identity: "another boot:1"}).alive() {
		t.Error("the pid alone is no proof")
	}
	command.Process.Kill()
	command.Wait()
	if sleeper.alive() {
		t.Error("it was removed")
	}
}

func TestOnlyOurFoldersAreRemovable(t *testing.T) {
	folder := t.TempDir()
	if err := errors.Join(removable(folder), removable(filepath.Join(folder, "absent"))); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if removable(folder) == nil {
		t.Error("files of another owner are in it")
	}
	if err := errors.Join(own(folder, nil), removable(folder)); err != nil {
		t.Error(err)
	}
}

func TestPortsAreDistinctAndNotForOutgoingConnections(t *testing.T) {
	for range 20 {
		p, err := freePorts()
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{p.etcd: true, p.etcdPeer: true, p.apiServer: true, p.controllerManager: true}
		if len(seen) != 4 || max(p.etcd, p.etcdPeer, p.apiServer, p.controllerManager) >= ephemeralStart() {
			t.Fatalf("%+v", p)
		}
	}
}

func TestTheVersionComesFromGoMod(t *testing.T) {
	flags, err := linkerFlags(".")
	if err != nil || !strings.Contains(flags, "version.gitVersion=v1.") || !strings.Contains(flags, "version.gitMajor=1 ") {
		t.Fatal(flags, err)
	}
}

func TestAnotherVersionOfKubernetesHasAModule(t *testing.T) {
	t.Setenv("CLIENTELE_KUBERNETES", "1.33")
	for name, folder := range map[string]string{"kube-apiserver": "kubernetes/1.33", "kubectl": "kubernetes/1.33", "etcd": ".", "kubelet": "node", "helm": "helm"} {
		tool, err := toolNamed(name)
		if err != nil || tool.folder() != folder {
			t.Errorf("%s: %q, %v", name, tool.folder(), err)
		}
	}
	t.Setenv("CLIENTELE_KUBERNETES", "1.2")
	tool, _ := toolNamed("kube-apiserver")
	if _, _, err := tool.place(); err == nil || !strings.Contains(err.Error(), "one of the folders of cluster/kubernetes") {
		t.Error(err)
	}
}
