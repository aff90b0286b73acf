package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	cgroups      = "/sys/fs/cgroup"
	cgroupPrefix = "clientele-node-"
)

// cgroupHierarchies are the folders in which a cgroup of ours has to exist: one with cgroup v2, one for each controller
// that the kubelet asks for with v1.
func cgroupHierarchies() ([]string, error) {
	if exists(filepath.Join(cgroups, "cgroup.controllers")) {
		return []string{cgroups}, nil
	}
	var found, missing []string
	for _, controller := range []string{"cpu", "cpuacct", "cpuset", "memory", "pids", "devices", "freezer", "blkio", "systemd", "unified"} {
		folder := filepath.Join(cgroups, controller)
		if exists(filepath.Join(folder, "cgroup.procs")) {
			found = append(found, folder)
		} else if controller == "cpu" || controller == "memory" || controller == "pids" || controller == "cpuset" {
			missing = append(missing, controller)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("cgroup v1 without the controllers %s below %s: mount them", strings.Join(missing, ", "), cgroups)
	}
	return found, nil
}

func makeCgroup(name string) error {
	hierarchies, err := cgroupHierarchies()
	if err != nil {
		return err
	}
	for _, hierarchy := range hierarchies {
		group := filepath.Join(hierarchy, name)
		if err := os.MkdirAll(group, 0o755); err != nil {
			return err
		}
		// Empty in a new cgroup of v1; what has none of them runs nothing.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if all, err := os.ReadFile(filepath.Join(hierarchy, file)); err == nil {
				os.WriteFile(filepath.Join(group, file), all, 0o644)
			}
		}
		if hierarchy == cgroups {
			if err := delegate(hierarchy, group); err != nil {
				return err
			}
		}
	}
	return nil
}

// delegate lets the children of a cgroup (v2) have every controller that it has.
func delegate(parent, group string) error {
	for _, folder := range []string{parent, group} {
		available, err := os.ReadFile(filepath.Join(folder, "cgroup.controllers"))
		if err != nil {
			return err
		}
		for _, controller := range strings.Fields(string(available)) {
			// One that cannot be handed down is missed by the kubelet, if at all, with a message of its own.
			os.WriteFile(filepath.Join(folder, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
		}
	}
	return nil
}

// cgroupsForProcesses are the folders, below a cgroup of ours, that processes may enter: with v2 a cgroup whose children have
// controllers holds none itself.
func cgroupsForProcesses(name string) ([]string, error) {
	hierarchies, err := cgroupHierarchies()
	if err != nil {
		return nil, err
	}
	var groups []string
	for _, hierarchy := range hierarchies {
		group := filepath.Join(hierarchy, name)
		if hierarchy == cgroups {
			group = filepath.Join(group, "processes")
			if err := os.Mkdir(group, 0o755); err != nil {
				return nil, err
			}
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// removeCgroup removes a cgroup and all below it; its processes have ended.
func removeCgroup(name string) error {
	hierarchies, err := cgroupHierarchies()
	if err != nil {
		return err
	}
	var failed []error
	for _, hierarchy := range hierarchies {
		failed = append(failed, removeFolders(filepath.Join(hierarchy, name)))
	}
	return errors.Join(failed...)
}

// removeFolders removes folders only, the lowest first: what looks like files in them goes with them.
func removeFolders(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if entry.IsDir() {
			err = errors.Join(err, removeFolders(filepath.Join(folder, entry.Name())))
		}
	}
	return errors.Join(err, os.Remove(folder))
}

// removeStaleCgroups removes those of runs that were killed with -9.
func removeStaleCgroups() {
	hierarchies, err := cgroupHierarchies()
	if err != nil {
		return
	}
	for _, hierarchy := range hierarchies {
		found, _ := filepath.Glob(filepath.Join(hierarchy, cgroupPrefix+"*"))
		for _, group := range found {
			pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(group), cgroupPrefix))
			if err == nil && identity(pid) == "" {
				removeFolders(group)
			}
		}
	}
}
