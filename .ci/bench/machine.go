package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine describes where the figures come from.
func (b *bench) machine(ctx context.Context) string {
	var text strings.Builder
	line := func(name, value string) { fmt.Fprintf(&text, "- %s: %s\n", name, strings.TrimSpace(value)) }
	line("when", time.Now().UTC().Format("2006-01-02"))
	line("processor", fmt.Sprintf("%d × %s", runtime.NumCPU(), field("/proc/cpuinfo", "model name")))
	line("memory", field("/proc/meminfo", "MemTotal"))
	line("kernel", output(ctx, "uname", "-sr"))
	line("file system", output(ctx, "stat", "-f", "-c", "%T", b.disk))
	line("go", runtime.Version())
	if b.Ceph {
		line("ceph", cephVersion(ctx))
	} else {
		line("nginx", output(ctx, "nginx", "-v"))
		line("fio", output(ctx, "fio", "--version"))
	}
	version, _, _ := strings.Cut(output(ctx, "wrk", "-v"), "Copyright")
	line("load", version)
	if b.Versitygw != "" {
		first, _, _ := strings.Cut(output(ctx, b.Versitygw, "--version"), "\n")
		line("versitygw", first)
	}
	line("rounds", fmt.Sprintf("%d, each server %s in each; median (smallest to largest)", b.Rounds, b.Time))
	return text.String()
}

// output is what a command says, on whichever of the two.
func output(ctx context.Context, program string, arguments ...string) string {
	out, _ := exec.CommandContext(ctx, program, arguments...).CombinedOutput() // wrk -v exits with 1
	return strings.TrimSpace(string(out))
}

// field is the value of the first such line of a file of /proc.
func field(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// sync writes out what the file system under the servers still holds.
func (b *bench) sync() error {
	file, err := os.Open(b.disk)
	if err != nil {
		return err
	}
	defer file.Close()
	return unix.Syncfs(int(file.Fd()))
}

func sha256Of(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(bytes.Clone(text))
	return hex.EncodeToString(sum[:]), nil
}
