package health

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

const script = "../../docs/argocd-health.lua"

// reasons are those of the operator: whether each of them passes without a person.
func reasons(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../src/operator/domain/reason.rs")
	if err != nil {
		t.Fatal(err)
	}
	_, function, found := strings.Cut(string(text), "fn passes_by_itself")
	body, _, ended := strings.Cut(function, "\n    }\n")
	if !found || !ended {
		t.Fatal("reason.rs has no function passes_by_itself")
	}
	all := map[string]bool{}
	for _, line := range regexp.MustCompile(`Self::(\w+) => "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
		all[line[2]] = regexp.MustCompile(`Self::` + line[1] + `\b`).MatchString(body)
	}
	if len(all) < 30 || !all["TenantPending"] || all["InvalidSpec"] {
		t.Fatalf("reason.rs is read in the wrong way: %v", all)
	}
	return all
}

// object has the conditions that the operator writes for a reason (verdict_conditions).
func object(spec map[string]any, ready, reconciling, stalled, reason string) map[string]any {
	condition := func(kind, status string) any {
		return map[string]any{"type": kind, "status": status, "reason": reason, "message": "the remedy"}
	}
	return map[string]any{
		"metadata": map[string]any{"generation": 2},
		"spec":     spec,
		"status": map[string]any{
			"observedGeneration": 2,
			"conditions":         []any{condition("Ready", ready), condition("Reconciling", reconciling), condition("Stalled", stalled)},
		},
	}
}

func judged(t *testing.T, object map[string]any) Verdict {
	t.Helper()
	verdict, err := Of(script, object)
	if err != nil {
		t.Fatal(err)
	}
	return verdict
}

func TestEveryReasonHasAHealth(t *testing.T) {
	for reason, passes := range reasons(t) {
		spec, wanted := map[string]any{}, "Degraded"
		ready, reconciling, stalled := "False", "False", "True"
		switch {
		case reason == "Registered" || reason == "Available":
			ready, stalled, wanted = "True", "False", "Healthy"
		case reason == "Suspended":
			spec["suspended"], wanted = true, "Suspended"
		case reason == "Disabled":
			spec["disabled"], wanted = true, "Suspended"
		case passes:
			reconciling, stalled, wanted = "True", "False", "Progressing"
		}
		verdict := judged(t, object(spec, ready, reconciling, stalled, reason))
		if verdict.Status != wanted || verdict.Message != reason+": the remedy" {
			t.Errorf("%s: %+v, and not %s", reason, verdict, wanted)
		}
	}
}

func TestWhatTheOperatorHasNotSeenIsProgressing(t *testing.T) {
	fresh := object(map[string]any{}, "Unknown", "True", "False", "Pending")
	unseen := object(map[string]any{}, "True", "False", "False", "Registered")
	unseen["metadata"] = map[string]any{"generation": 3}
	deleted := object(map[string]any{}, "True", "False", "False", "Registered")
	deleted["metadata"] = map[string]any{"generation": 2, "deletionTimestamp": "2026-01-01T00:00:00Z"}
	silent := map[string]any{"metadata": map[string]any{"generation": 1}}
	for name, object := range map[string]map[string]any{"fresh": fresh, "unseen": unseen, "deleted": deleted, "silent": silent} {
		if verdict := judged(t, object); verdict.Status != "Progressing" || verdict.Message == "" {
			t.Errorf("%s: %+v", name, verdict)
		}
	}
}
