package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"time"
)

const kubeconfig = `apiVersion: v1
kind: Config
clusters:
  - name: clientele
    cluster:
      server: %[1]s
      certificate-authority-data: %[2]s
users:
  - name: %[3]s
    user:
      client-certificate-data: %[4]s
      client-key-data: %[5]s
contexts:
  - name: clientele
    context: {cluster: clientele, user: %[3]s}
current-context: clientele
`

// writeKubeconfig embeds everything, so that the file alone is enough.
func (p *pki) writeKubeconfig(path, server, user string) error {
	var encoded [3]string
	for i, name := range []string{p.certificate("ca"), p.certificate(user), p.key(user)} {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		encoded[i] = base64.StdEncoding.EncodeToString(text)
	}
	text := fmt.Sprintf(kubeconfig, server, encoded[0], user, encoded[1], encoded[2])
	return os.WriteFile(path, []byte(text), 0o600)
}

// client is an administrator. It trusts our authority only: an answer of another process on the port is refused.
func (p *pki) client() (*http.Client, error) {
	authority, err := os.ReadFile(p.certificate("ca"))
	if err != nil {
		return nil, err
	}
	own, err := tls.LoadX509KeyPair(p.certificate("admin"), p.key("admin"))
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	return &http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true, // components restart
			TLSClientConfig:   &tls.Config{RootCAs: trusted, Certificates: []tls.Certificate{own}},
		},
	}, nil
}
