package main

import (
	"bytes"
	"net/netip"
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

func TestServicesHaveNames(t *testing.T) {
	query := append([]byte{7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1}, "\x03Web\x04team\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01"...)
	address := func(name string) netip.Addr {
		if name == "web.team.svc.cluster.local" {
			return netip.MustParseAddr("10.0.0.7")
		}
		return netip.Addr{}
	}
	answer := answerDNS(query, address)
	if answer[3]&15 != 0 || answer[7] != 1 || answer[11] != 0 || !bytes.HasSuffix(answer, []byte{0, 4, 10, 0, 0, 7}) {
		t.Fatalf("%v", answer)
	}
	query[13] = 'x'
	if answer := answerDNS(query, address); answer[3]&15 != dnsNotFound || answer[7] != 0 {
		t.Fatalf("%v", answer)
	}
	for length := range query {
		if answer := answerDNS(query[:length], address); answer != nil && length < len(query) {
			t.Fatalf("%d bytes of a query: %v", length, answer)
		}
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
