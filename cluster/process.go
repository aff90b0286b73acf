package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// grace is how long a component may take to end by itself.
const grace = 5 * time.Second

// errPortTaken: another process bound the port first. Worth another attempt with other ports.
var errPortTaken = errors.New("address already in use")

// A process is one component, which may be started several times, always with the same arguments and log.
type process struct {
	name      string
	path      string
	arguments []string
	log       string
	check     func(context.Context) error // nil once it is ready
	now       *life
}

// A life is a process from its start to its end.
type life struct {
	command  *exec.Cmd
	ended    chan struct{} // closed when it has ended
	err      error         // why, after that
	logStart int64
	ready    atomic.Bool // it was, at least once
	wanted   atomic.Bool // we ended it ourselves
}

// forks runs every start on one operating system thread that lives as long as we do: the kernel sends Pdeathsig when
// the *thread* that forked ends, and Go ends threads as it likes.
var forks = make(chan func())

func init() {
	go func() {
		runtime.LockOSThread()
		for fork := range forks {
			fork()
		}
	}()
}

func startOnLastingThread(command *exec.Cmd) error {
	result := make(chan error)
	forks <- func() { result <- command.Start() }
	return <-result
}

func (p *process) running() bool {
	if p.now == nil {
		return false
	}
	select {
	case <-p.now.ended:
		return false
	default:
		return true
	}
}

func (p *process) pid() int {
	if !p.running() {
		return 0
	}
	return p.now.command.Process.Pid
}

// start returns when the component is ready.
func (p *process) start(ctx context.Context) error {
	if p.running() {
		return fmt.Errorf("%s is running already", p.name)
	}
	if err := p.spawn(); err != nil {
		return err
	}
	return p.waitUntilReady(ctx)
}

func (p *process) spawn() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	offset, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	command := exec.Command(p.path, p.arguments...)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL, // even kill -9 of us leaves nothing behind
		Setpgid:   true,            // Ctrl-C reaches us first, and we end them in order
	}
	if err := startOnLastingThread(command); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	p.now = &life{command: command, ended: make(chan struct{}), logStart: offset}
	go p.watch(p.now)
	return nil
}

func (p *process) watch(life *life) {
	life.err = life.command.Wait()
	close(life.ended)
	if life.ready.Load() && !life.wanted.Load() {
		say("%s ended by itself (%v), its log: %s", p.name, life.err, p.log)
	}
}

func (p *process) waitUntilReady(ctx context.Context) error {
	deadline := time.Now().Add(90 * time.Second)
	for {
		err := p.check(ctx)
		if err == nil {
			p.now.ready.Store(true)
			return nil
		}
		if !p.running() {
			return p.failure(fmt.Errorf("%s ended: %v", p.name, p.now.err))
		}
		if time.Now().After(deadline) {
			return p.failure(fmt.Errorf("%s is not ready after 90 s: %w", p.name, err))
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// failure adds what the component itself said last, since its start.
func (p *process) failure(err error) error {
	text, readErr := os.ReadFile(p.log)
	if readErr != nil || int64(len(text)) < p.now.logStart {
		return err
	}
	text = text[p.now.logStart:]
	if bytes.Contains(text, []byte(errPortTaken.Error())) {
		err = fmt.Errorf("%w (%w)", err, errPortTaken)
	}
	return fmt.Errorf("%w; the end of its log:\n%s", err, lastLines(string(text), 15))
}

// stop asks, waits, insists. It returns when the process has ended.
func (p *process) stop() {
	if !p.running() {
		return
	}
	p.now.wanted.Store(true)
	p.now.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.now.ended:
	case <-time.After(grace):
		p.kill()
	}
}

func (p *process) kill() {
	if !p.running() {
		return
	}
	p.now.wanted.Store(true)
	p.now.command.Process.Kill()
	<-p.now.ended
}
