package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// flags reads the options that `run`, `up` and `down` share in part.
func flags(name string, arguments []string) (folder, authentication string, err error) {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	if name != "run" {
		set.StringVar(&folder, "dir", "", "")
	}
	if name != "down" {
		set.StringVar(&authentication, "authentication-config", "", "")
	}
	if err := set.Parse(arguments); err != nil {
		return "", "", fmt.Errorf("%s: %v, %w", name, err, errUsage)
	}
	if set.NArg() > 0 {
		return "", "", fmt.Errorf("%s: what is %q? %w", name, set.Arg(0), errUsage)
	}
	for _, path := range []*string{&folder, &authentication} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return "", "", err
		}
	}
	return folder, authentication, nil
}

func runCommand(ctx context.Context, arguments []string) error {
	_, authentication, err := flags("run", arguments)
	if err != nil {
		return err
	}
	paths, err := ensure(ctx, controlPlaneTools)
	if err != nil {
		return err
	}
	folder, err := temporaryFolder()
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	plane, err := startControlPlane(ctx, settings{folder: folder, tools: paths, authentication: authentication})
	if err != nil {
		return err
	}
	defer plane.stop()
	fmt.Println(oneLine(plane.report()))
	plane.serve(ctx, os.Stdin)
	return nil
}

// serve answers commands until stdin ends, which also is how we learn that our caller died, or until a signal comes.
func (c *controlPlane) serve(ctx context.Context, input io.Reader) {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(input); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case line, open := <-lines:
			if !open {
				return
			}
			fmt.Println(oneLine(c.answer(ctx, line)))
		}
	}
}

type answer struct {
	OK      bool    `json:"ok"`
	Command string  `json:"command"`
	PID     int     `json:"pid,omitempty"` // after start and restart
	Seconds float64 `json:"seconds,omitempty"`
	Error   string  `json:"error,omitempty"`
}

func (c *controlPlane) answer(ctx context.Context, line string) answer {
	begin := time.Now()
	pid, err := c.obey(ctx, strings.Fields(line))
	if err != nil {
		return answer{Command: line, Error: err.Error()}
	}
	return answer{OK: true, Command: line, PID: pid, Seconds: float64(time.Since(begin).Milliseconds()) / 1000}
}

func (c *controlPlane) obey(ctx context.Context, words []string) (pid int, err error) {
	if len(words) != 2 {
		return 0, fmt.Errorf("say: restart|stop|kill|start COMPONENT")
	}
	part, err := c.part(words[1])
	if err != nil {
		return 0, err
	}
	switch words[0] {
	case "restart":
		part.kill()
		err = part.start(ctx)
	case "start":
		err = part.start(ctx)
	case "stop":
		part.stop()
	case "kill":
		part.kill()
	default:
		err = fmt.Errorf("no command %q; say: restart|stop|kill|start COMPONENT", words[0])
	}
	return part.pid(), err
}
