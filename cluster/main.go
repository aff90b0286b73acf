// Command cluster is a real Kubernetes control plane for demos and tests: etcd, kube-apiserver and
// kube-controller-manager as plain processes on loopback. No docker, no root; no nodes either, so pods stay Pending, but
// for `node`, which wants root and is a whole node with a network of its own.
//
// It uses the standard library only, so that `go run` starts at once: the modules that go.mod names are for the tools.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

//go:embed help.txt
var help string

// errUsage is a mistake of the caller: it ends with exit code 2 and a pointer to the help.
var errUsage = errors.New("see --help")

type command func(ctx context.Context, arguments []string) error

var commands = map[string]command{
	"build": buildCommand,
	"tool":  toolCommand,
	"run":   runCommand,
	"up":    upCommand,
	"down":  downCommand,
	"node":  nodeCommand,
	// What `up` leaves behind in the background; not for people.
	"daemon": daemonCommand,
	// The part of `node` inside its namespaces.
	"node-inside": nodeInside,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := dispatch(ctx, os.Args[1:])
	if err == nil {
		return
	}
	say("%v", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

func dispatch(ctx context.Context, arguments []string) error {
	if len(arguments) == 0 {
		return fmt.Errorf("which command? %w", errUsage)
	}
	if before, _, _ := cut(arguments, "--"); askedForHelp(before) {
		fmt.Print(help)
		return nil
	}
	command, known := commands[arguments[0]]
	if !known {
		return fmt.Errorf("no command %q, %w", arguments[0], errUsage)
	}
	return command(ctx, arguments[1:])
}

// cut splits what is for us from what is for a command that we run.
func cut(arguments []string, at string) (before, after []string, found bool) {
	if i := slices.Index(arguments, at); i >= 0 {
		return arguments[:i], arguments[i+1:], true
	}
	return arguments, nil, false
}

func askedForHelp(arguments []string) bool {
	for _, argument := range arguments {
		if argument == "--help" || argument == "-h" || argument == "help" {
			return true
		}
	}
	return false
}

// say tells a person what happens. Always on stderr: stdout belongs to the program that called us.
func say(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "cluster: "+format+"\n", arguments...)
}
