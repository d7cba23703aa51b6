// Package s3 starts S3 servers for tests: moto's, and Ceph's gateway. Each is
// a process of this machine on a loopback port, and ends with the test.
package s3

import (
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// MotoVersion is the one whose faults the tests know.
const MotoVersion = "5.2.5"

// Server is an S3 server that runs.
type Server struct {
	Name      string
	Endpoint  string // URL; the bucket goes into the path
	AccessKey string
	SecretKey string
}

// variable holds the address of the moto that Main runs.
const variable = "BOGOPS_MOTO_ENDPOINT"

// Main runs the tests of a package that share one moto, and returns what
// TestMain exits with: Python takes seconds to start. Buckets must not be
// shared.
func Main(m *testing.M) int {
	program := findMoto()
	if program == "" || os.Getenv(variable) != "" {
		return m.Run()
	}
	server, end, err := runMoto(program)
	if err != nil {
		fmt.Fprintln(os.Stderr, "moto:", err)
		return 1
	}
	defer end()
	os.Setenv(variable, server.Endpoint)
	return m.Run()
}

// StartMoto starts moto's server (https://github.com/getmoto/moto, pip
// moto[server]), or finds that of Main, and returns the serial way to it. By its
// source, moto looks at a condition, writes, and adds the metadata in three
// steps without a lock, and has a thread for each request: two creators at once
// may both win, and readers see objects without metadata. One request at a time
// it is right. The test is skipped where moto is not installed, and fails there
// on CI.
func StartMoto(t testing.TB) Server {
	t.Helper()
	if endpoint := os.Getenv(variable); endpoint != "" {
		return motoAt(endpoint)
	}
	program := findMoto()
	if program == "" {
		Missing(t, "moto_server "+MotoVersion+" is not installed (BOGOPS_MOTO names it)")
	}
	server, end, err := runMoto(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return server
}

func motoAt(endpoint string) Server {
	return Server{Name: "moto " + MotoVersion, Endpoint: endpoint, AccessKey: "test", SecretKey: "test"}
}

func runMoto(program string) (Server, func(), error) {
	address, stop, err := run(func(address string) (*exec.Cmd, string) {
		host, port, _ := net.SplitHostPort(address) // made by run
		return exec.Command(program, "-H", host, "-p", port), "http://" + address + "/moto-api/"
	})
	if err != nil {
		return Server{}, nil, err
	}
	serial, err := NewSerial("http://" + address)
	if err != nil {
		stop()
		return Server{}, nil, err
	}
	front := httptest.NewServer(serial)
	return motoAt(front.URL), func() {
		front.Close()
		serial.Close()
		stop()
	}, nil
}

// findMoto looks at BOGOPS_MOTO, and where the tests install it.
func findMoto() string {
	if program := os.Getenv("BOGOPS_MOTO"); program != "" {
		return program
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	program := filepath.Join(cache, "bogops", "moto-"+MotoVersion, "bin", "moto_server")
	if _, err := os.Stat(program); err != nil {
		return ""
	}
	return program
}

// Missing skips a test that needs what is not there, and fails it on CI.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}
