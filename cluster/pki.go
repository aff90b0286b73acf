package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// A pki is a folder of a certificate authority and what it issued, NAME.crt and NAME.key each, for one control plane.
type pki struct {
	folder      string
	authority   *x509.Certificate
	authorityOf *ecdsa.PrivateKey
}

func (p *pki) certificate(name string) string { return filepath.Join(p.folder, name+".crt") }
func (p *pki) key(name string) string         { return filepath.Join(p.folder, name+".key") }

// newPKI makes the authority, the certificate that all three serve with, those of the clients, and the key pair of
// ServiceAccount tokens.
func newPKI(folder string) (*pki, error) {
	p := &pki{folder: folder}
	steps := []func() error{
		func() error { return os.MkdirAll(folder, 0o700) },
		p.makeAuthority,
		func() error { return p.issue("server", pkix.Name{CommonName: "kube-apiserver"}) },
		func() error {
			return p.issue("admin", pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}})
		},
		func() error {
			return p.issue("controller-manager", pkix.Name{CommonName: "system:kube-controller-manager"})
		},
		p.makeServiceAccountKeys,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func template(name pkix.Name) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // crypto/rand does not fail on Linux
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      name,
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
}

func (p *pki) makeAuthority() error {
	authority := template(pkix.Name{CommonName: "clientele cluster"})
	authority.IsCA = true
	authority.BasicConstraintsValid = true
	authority.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	p.authority, p.authorityOf = authority, key
	return p.sign("ca", authority, key)
}

// issue makes a certificate for both ends of a connection: etcd, for one, is server and client of itself.
func (p *pki) issue(name string, subject pkix.Name) error {
	certificate := template(subject)
	certificate.KeyUsage = x509.KeyUsageDigitalSignature
	certificate.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	certificate.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 0, 1), net.ParseIP(nodeAddress)}
	certificate.DNSNames = []string{
		"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	return p.sign(name, certificate, key)
}

func (p *pki) sign(name string, certificate *x509.Certificate, key *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, certificate, p.authority, key.Public(), p.authorityOf)
	if err != nil {
		return err
	}
	if err := writePEM(p.certificate(name), "CERTIFICATE", der); err != nil {
		return err
	}
	return writePrivateKey(p.key(name), key)
}

// makeServiceAccountKeys uses RSA, as clusters in the field do: what verifies tokens here verifies RS256.
func (p *pki) makeServiceAccountKeys() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(p.folder, "service-account.pub"), "PUBLIC KEY", public); err != nil {
		return err
	}
	return writePrivateKey(p.key("service-account"), key)
}

func writePrivateKey(path string, key crypto.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, "PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
