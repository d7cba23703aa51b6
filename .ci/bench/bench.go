package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// bench is what all experiments share.
type bench struct {
	settings
	self  string // this program
	disk  string // where servers keep their files
	certs string // cert.pem and key.pem, the same for every server
	fresh int    // directories handed out
}

// token is the app's token while it is measured. It guards nothing.
const token = "bench"

func newBench(s settings) (*bench, error) {
	tools := []string{"wrk", "curl", "fio", "nginx"}
	if s.Ceph {
		tools = []string{"wrk", "curl", "ceph", "ceph-osd", "rados", "radosgw"}
	}
	if err := installed(tools...); err != nil {
		return nil, err
	}
	app, err := filepath.Abs(s.App)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(app); err != nil {
		return nil, fmt.Errorf("--app: %w; want the program that `make build` makes", err)
	}
	s.App = app
	if s.Out, err = filepath.Abs(s.Out); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.Out, 0o755); err != nil {
		return nil, err
	}
	if s.Disk == "" {
		s.Disk = s.Out
	}
	disk, err := os.MkdirTemp(s.Disk, "disk-")
	if err != nil {
		return nil, err
	}
	b := &bench{settings: s, disk: disk, certs: filepath.Join(disk, "certs")}
	if b.self, err = os.Executable(); err != nil {
		return nil, errors.Join(err, b.close())
	}
	// nginx drops root for a user who must be able to pass through here.
	if err := errors.Join(os.Chmod(disk, 0o755), certify(b.certs)); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// close removes what was written to the disk.
func (b *bench) close() error { return os.RemoveAll(b.disk) }

// directory makes a directory that nobody has written to yet.
func (b *bench) directory(name string) (string, error) {
	b.fresh++
	dir := filepath.Join(b.disk, fmt.Sprintf("%03d-%s", b.fresh, name))
	if err := os.Mkdir(dir, 0o777); err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o777)
}

// certify writes a self-signed certificate with a key on P-256, which is what
// public authorities give most sites.
func certify(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o644),
		os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
	)
}
