package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func buildCommand(ctx context.Context, names []string) error {
	if len(names) == 0 {
		for _, tool := range tools {
			if !tool.onDemand() {
				names = append(names, tool.name)
			}
		}
	}
	paths, err := ensure(ctx, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		say("%-24s %s", name, paths[name])
	}
	return nil
}

// ensure returns the paths of the tools, building those that neither the machine nor the cache provides.
func ensure(ctx context.Context, names []string) (map[string]string, error) {
	paths := map[string]string{}
	for _, name := range names {
		tool, err := toolNamed(name)
		if err != nil {
			return nil, err
		}
		if paths[name], err = tool.ensure(ctx); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

func (t tool) ensure(ctx context.Context) (string, error) {
	if path := t.ready(); path != "" {
		return path, nil
	}
	module, target, err := t.place()
	if err != nil || exists(target) {
		return target, err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return "", err
	}
	// Two callers shall not compile the same for minutes beside each other: the second waits and finds it built.
	unlock, err := lock(ctx, filepath.Join(filepath.Dir(target), "lock"), "another process is building, waiting for it")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(target) {
		return target, nil
	}
	return target, t.build(ctx, module, target)
}

// place says where the tool is built from and where to.
func (t tool) place() (module, target string, err error) {
	source, err := sourceFolder()
	if err != nil {
		return "", "", err
	}
	cache, err := cacheFolder()
	if err != nil {
		return "", "", err
	}
	module = filepath.Join(source, t.folder())
	key, err := moduleKey(module)
	if errors.Is(err, os.ErrNotExist) {
		return "", "", fmt.Errorf("cluster/%s has no go.mod: CLIENTELE_KUBERNETES is one of the folders of cluster/kubernetes", t.folder())
	}
	return module, filepath.Join(cache, key, t.name), err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// build compiles under another name and renames, so that the name only ever is a whole program.
func (t tool) build(ctx context.Context, module, target string) error {
	flags, err := linkerFlags(module)
	if err != nil {
		return err
	}
	partial := target + ".partial"
	compile := exec.CommandContext(ctx, "go", "build", "-mod=readonly", "-trimpath", "-tags", t.tags, "-ldflags", flags, "-o", partial, t.pkg)
	compile.Dir = module
	compile.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	var output strings.Builder
	compile.Stdout, compile.Stderr = &output, &output
	if err := withProgress(t, compile); err != nil {
		return fmt.Errorf("building %s: %w\n%s", t.name, err, lastLines(output.String(), 20))
	}
	return os.Rename(partial, target)
}

// withProgress shows a sign of life every 15 s, because go build itself is silent for minutes.
func withProgress(t tool, compile *exec.Cmd) error {
	say("building %s, %s the first time", t.name, t.estimate)
	begin := time.Now()
	elapsed := func() int { return int(time.Since(begin).Seconds()) }
	ended := make(chan error, 1)
	go func() { ended <- compile.Run() }()
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err == nil {
				say("built %s in %d s", t.name, elapsed())
			}
			return err
		case <-tick.C:
			say("building %s, %d s so far (%s)", t.name, elapsed(), t.estimate)
		}
	}
}

var kubernetesVersion = regexp.MustCompile(`(?m)^\tk8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)`)

// linkerFlags tells Kubernetes its version, which otherwise is a placeholder that no client can parse.
func linkerFlags(module string) (string, error) {
	text, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return "", err
	}
	flags := "-s -w"
	if version := kubernetesVersion.FindStringSubmatch(string(text)); version != nil {
		for i, name := range []string{"gitVersion", "gitMajor", "gitMinor"} {
			flags += " -X k8s.io/component-base/version." + name + "=" + version[i+1]
		}
	}
	return flags, nil
}

func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
