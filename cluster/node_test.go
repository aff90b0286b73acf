package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheOptionsOfACommandAreNotOurs(t *testing.T) {
	before, after, found := cut([]string{"node", "--check", "--", "kubectl", "--help", "--", "x"}, "--")
	if !found || !slices.Equal(before, []string{"node", "--check"}) || !slices.Equal(after, []string{"kubectl", "--help", "--", "x"}) {
		t.Fatal(before, after)
	}
	if askedForHelp(before) {
		t.Fatal("the help of kubectl is not ours")
	}
}

func TestAMachineSaysWhatItLacks(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	missing := strings.Join(nodeMissing(), "\n")
	if !strings.Contains(missing, "root") && !strings.Contains(missing, "apt-get install containerd") {
		t.Fatalf("%q", missing)
	}
}

func TestACgroupGoesWithWhatIsBelow(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "group")
	if err := os.MkdirAll(filepath.Join(folder, "pods", "one"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := removeFolders(folder); err != nil || exists(folder) {
		t.Fatal(err)
	}
	if err := removeFolders(folder); err != nil {
		t.Fatal("what was removed before is no mistake:", err)
	}
}
