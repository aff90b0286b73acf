package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const stateFile = "state.json"

// state says, inside the folder of a control plane, which process it belongs to and, once ready, what it is.
type state struct {
	PID      int     `json:"pid"`
	Identity string  `json:"identity"`
	Ready    *report `json:"ready,omitempty"`
}

// identity tells a process from a later one with the same pid: the boot and the time of its start. A process that is
// gone, or only waits for its parent to notice, has none.
func identity(pid int) string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// proc(5): the name is in parentheses and may contain anything; field 3 is the state, 22 the time of the start.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return strings.TrimSpace(string(boot)) + ":" + fields[19]
}

func (s state) alive() bool { return s.Identity != "" && identity(s.PID) == s.Identity }

// own marks a folder as ours.
func own(folder string, ready *report) error {
	pid := os.Getpid()
	text := oneLine(state{PID: pid, Identity: identity(pid), Ready: ready})
	partial := filepath.Join(folder, stateFile+".partial")
	if err := os.WriteFile(partial, []byte(text+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(partial, filepath.Join(folder, stateFile))
}

func readState(folder string) (state, error) {
	var read state
	text, err := os.ReadFile(filepath.Join(folder, stateFile))
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	return read, err
}

// temporaryFolder also removes what earlier runs left that were killed with -9.
func temporaryFolder() (string, error) {
	const pattern = "clientele-cluster-*"
	old, _ := filepath.Glob(filepath.Join(os.TempDir(), pattern))
	for _, folder := range old {
		if state, err := readState(folder); err == nil && !state.alive() {
			os.RemoveAll(folder)
		}
	}
	folder, err := os.MkdirTemp("", pattern)
	if err != nil {
		return "", err
	}
	return folder, own(folder, nil)
}

// removable refuses to delete what is not ours, in case a user passes `--dir $HOME`.
func removable(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if !exists(filepath.Join(folder, stateFile)) {
		return fmt.Errorf("%s holds other things, choose another --dir", folder)
	}
	return nil
}

func signalTo(state state, signal syscall.Signal) {
	if state.alive() {
		syscall.Kill(state.PID, signal)
	}
}
