package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const daemonLog = "daemon.log"

func upCommand(ctx context.Context, arguments []string) error {
	folder, authentication, unlock, err := lockedFolder(ctx, "up", arguments)
	if err != nil {
		return err
	}
	defer unlock()
	if state, err := readState(folder); err == nil && state.Ready != nil && state.alive() {
		if authentication != "" {
			return errors.New("already up, without asking whether its --authentication-config is this one: `down` first")
		}
		say("already up: %s", state.Ready.Server)
		fmt.Println(state.Ready.Kubeconfig)
		return nil
	}
	if _, err := ensure(ctx, controlPlaneTools); err != nil { // here, where the progress is seen
		return err
	}
	if err := emptied(ctx, folder); err != nil {
		return err
	}
	ready, err := startDaemon(ctx, folder, authentication)
	if err != nil {
		return err
	}
	say("Kubernetes is up: %s (`down` stops it)", ready.Server)
	fmt.Println(ready.Kubeconfig)
	return nil
}

func downCommand(ctx context.Context, arguments []string) error {
	folder, _, unlock, err := lockedFolder(ctx, "down", arguments)
	if err != nil {
		return err
	}
	defer unlock()
	state, err := readState(folder)
	if err != nil { // not ours, or nothing at all
		say("nothing was up in %s", folder)
		return nil
	}
	if !state.alive() {
		say("nothing was up in %s any more, only its files", folder)
	}
	if err := end(ctx, state); err != nil {
		return err
	}
	say("stopped, and removed %s", folder)
	return os.RemoveAll(folder)
}

// lockedFolder reads the options and lets one `up` or `down` work at a time.
func lockedFolder(ctx context.Context, name string, arguments []string) (folder, authentication string, unlock func(), err error) {
	folder, authentication, err = flags(name, arguments)
	if err != nil {
		return "", "", nil, err
	}
	cache, err := cacheFolder()
	if err != nil {
		return "", "", nil, err
	}
	if folder == "" {
		folder = filepath.Join(cache, "up")
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", "", nil, err
	}
	unlock, err = lock(ctx, filepath.Join(cache, "up.lock"), "another up or down is at work, waiting for it")
	return folder, authentication, unlock, err
}

// emptied recreates the folder empty. What is in it is left over from a daemon that died, or that never became ready.
func emptied(ctx context.Context, folder string) error {
	if err := removable(folder); err != nil {
		return err
	}
	if state, err := readState(folder); err == nil {
		if err := end(ctx, state); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	return os.MkdirAll(folder, 0o700)
}

// startDaemon starts ourselves once more, in a session of its own, and waits until that one is ready.
func startDaemon(ctx context.Context, folder, authentication string) (*report, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(folder, daemonLog))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	daemon := exec.Command(self, "daemon", "--dir", folder, "--authentication-config", authentication)
	daemon.Stdout, daemon.Stderr = log, log // not ours: `$(... up)` would wait for it
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := daemon.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	return awaitDaemon(ctx, folder, daemon, ended)
}

func awaitDaemon(ctx context.Context, folder string, daemon *exec.Cmd, ended chan error) (*report, error) {
	for {
		if state, err := readState(folder); err == nil && state.Ready != nil {
			return state.Ready, nil
		}
		select {
		case err := <-ended:
			text, _ := os.ReadFile(filepath.Join(folder, daemonLog))
			return nil, errors.Join(fmt.Errorf("not up: %w\n%s", err, text), os.RemoveAll(folder))
		case <-ctx.Done():
			daemon.Process.Signal(syscall.SIGTERM)
			<-ended
			return nil, errors.Join(errors.New("interrupted"), os.RemoveAll(folder))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// daemonCommand is the background half of `up`.
func daemonCommand(ctx context.Context, arguments []string) error {
	folder, authentication, err := flags("daemon", arguments)
	if err != nil {
		return err
	}
	if err := own(folder, nil); err != nil {
		return err
	}
	paths, err := ensure(ctx, controlPlaneTools)
	if err != nil {
		return err
	}
	plane, err := startControlPlane(ctx, settings{folder: folder, tools: paths, authentication: authentication})
	if err != nil {
		return err
	}
	defer plane.stop()
	ready := plane.report()
	if err := own(folder, &ready); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// end stops a daemon and waits for its end. Its components die with it, whichever way it goes.
func end(ctx context.Context, state state) error {
	signalTo(state, syscall.SIGTERM)
	for begin := time.Now(); state.alive(); {
		if time.Since(begin) > 20*time.Second {
			signalTo(state, syscall.SIGKILL)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
