package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// cacheFolder is where everything lives that outlasts a run. Outside the source tree, so that no clean-up of the tree
// costs minutes of compiling.
func cacheFolder() (string, error) {
	if folder := os.Getenv("CLIENTELE_CACHE"); folder != "" {
		return filepath.Abs(folder)
	}
	folder, err := os.UserCacheDir() // $XDG_CACHE_HOME, else ~/.cache
	if err != nil {
		return "", fmt.Errorf("no cache folder, set CLIENTELE_CACHE: %w", err)
	}
	return filepath.Join(folder, "clientele"), nil
}

// sourceFolder finds the folder of our go.mod: `go -C cluster run .` starts us in it, a person may start us beside it.
func sourceFolder() (string, error) {
	for _, candidate := range []string{".", "cluster"} {
		text, err := os.ReadFile(filepath.Join(candidate, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module clientele/cluster\n") {
			return filepath.Abs(candidate)
		}
	}
	return "", errors.New("cluster/go.mod is not here: call `go -C cluster run . ...` from the root of the project")
}

// moduleKey names what a module builds: other dependencies, other folder in the cache.
func moduleKey(module string) (string, error) {
	digest := sha256.New()
	for _, name := range []string{"go.sum", "go.mod"} {
		text, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			return "", err
		}
		digest.Write(text)
	}
	return hex.EncodeToString(digest.Sum(nil))[:16], nil
}

// lock takes a file lock and returns what releases it. The kernel releases it too when we die.
func lock(ctx context.Context, path, waiting string) (func(), error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	progress := every(15 * time.Second)
	for begin := time.Now(); ; {
		if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return func() { file.Close() }, nil
		}
		if progress() {
			say("%s, %d s", waiting, int(time.Since(begin).Seconds()))
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			file.Close()
			return nil, err
		}
	}
}

// every returns a question that is true at once and then at most once per interval.
func every(interval time.Duration) func() bool {
	var next time.Time
	return func() bool {
		if time.Now().Before(next) {
			return false
		}
		next = time.Now().Add(interval)
		return true
	}
}

// pause sleeps, unless we are told to stop.
func pause(ctx context.Context, duration time.Duration) error {
	select {
	case <-ctx.Done():
		return errors.New("interrupted")
	case <-time.After(duration):
		return nil
	}
}
