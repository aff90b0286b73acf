package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A controlPlane is the three components in one folder. It is what `run` and `up` share.
type controlPlane struct {
	settings
	ports  ports
	pki    *pki
	client *http.Client
	parts  []*process // in the order of their start
}

type settings struct {
	folder         string
	tools          map[string]string // paths
	authentication string            // for kube-apiserver, may be ""
	cgroup         string            // for the pods of a node
}

// report is what callers get to know, as JSON.
type report struct {
	Kubeconfig string         `json:"kubeconfig"`
	Server     string         `json:"server"`
	Dir        string         `json:"dir"`
	AuditLog   string         `json:"audit_log"`
	PIDs       map[string]int `json:"pids"`
}

// startControlPlane tries again with other ports when another process bound one after it was found free.
func startControlPlane(ctx context.Context, settings settings) (*controlPlane, error) {
	for attempt := 1; ; attempt++ {
		plane := &controlPlane{settings: settings}
		err := plane.start(ctx)
		if err == nil {
			return plane, nil
		}
		plane.stop()
		if !errors.Is(err, errPortTaken) || attempt == 5 {
			return nil, err
		}
		say("a port was taken meanwhile, trying others")
	}
}

func (c *controlPlane) start(ctx context.Context) error {
	begin := time.Now()
	if err := c.prepare(); err != nil {
		return err
	}
	c.parts = []*process{c.etcd(), c.apiServer(), c.controllerManager()}
	for _, part := range c.parts {
		if err := part.start(ctx); err != nil {
			return err
		}
	}
	say("Kubernetes is ready after %.1f s: %s", time.Since(begin).Seconds(), c.server())
	return nil
}

// prepare writes what the components read at their start. An earlier attempt leaves nothing: its ports were others.
func (c *controlPlane) prepare() error {
	for _, name := range []string{"etcd", "logs", "pki"} {
		if err := os.RemoveAll(c.path(name)); err != nil {
			return err
		}
		if err := os.MkdirAll(c.path(name), 0o700); err != nil {
			return err
		}
	}
	var err error
	if c.ports, err = freePorts(); err != nil {
		return err
	}
	if c.pki, err = newPKI(c.path("pki")); err != nil {
		return err
	}
	if c.client, err = c.pki.client(); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(c.path("audit-policy.yaml"), []byte(auditPolicy), 0o600),
		c.pki.writeKubeconfig(c.path("kubeconfig"), c.server(), "admin"),
		c.pki.writeKubeconfig(c.path("pki/controller-manager.kubeconfig"), c.server(), "controller-manager"),
	)
}

// stop asks those that write first and together, then the store they write to.
func (c *controlPlane) stop() {
	if len(c.parts) == 0 {
		return
	}
	var group sync.WaitGroup
	for _, part := range c.parts[1:] {
		group.Go(part.stop)
	}
	group.Wait()
	c.parts[0].stop()
}

func (c *controlPlane) path(name string) string { return filepath.Join(c.folder, name) }

func (c *controlPlane) server() string { return "https://" + loopback(c.ports.apiServer) }

func (c *controlPlane) part(name string) (*process, error) {
	for _, part := range c.parts {
		if part.name == name {
			return part, nil
		}
	}
	return nil, fmt.Errorf("no component %q", name)
}

func (c *controlPlane) report() report {
	pids := map[string]int{}
	for _, part := range c.parts {
		pids[part.name] = part.pid()
	}
	return report{
		Kubeconfig: c.path("kubeconfig"),
		Server:     c.server(),
		Dir:        c.folder,
		AuditLog:   c.path("audit.log"),
		PIDs:       pids,
	}
}

// answers checks that a URL is answered with 200, by one of ours.
func (c *controlPlane) answers(ctx context.Context, url string) error {
	_, err := c.fetch(ctx, url)
	return err
}

// fetch returns what a URL is answered with, if that is 200 and by one of ours.
func (c *controlPlane) fetch(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, response.Status)
	}
	return text, err
}

func oneLine(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // our own types always marshal
	}
	return string(text)
}
