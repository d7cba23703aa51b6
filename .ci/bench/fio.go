package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
)

// fio returns the physical ceiling of a durable PUT: files of 4 KiB that are
// created, written and fdatasynced per second by 64 writers, each in files of
// its own. Of what the app does it leaves out the name by rename or link and
// the directory's sync.
func (b *bench) fio(ctx context.Context) (float64, error) {
	dir, err := b.directory("fio")
	if err != nil {
		return 0, err
	}
	out, err := exec.CommandContext(ctx, "fio", "--name=create", "--directory="+dir, "--rw=write", "--bs=4k", "--filesize=4k", "--nrfiles=400",
		"--openfiles=1", "--file_service_type=sequential", "--create_on_open=1", "--fdatasync=1", "--numjobs=64", "--thread", "--ioengine=psync",
		"--group_reporting", "--output-format=json").Output()
	if err != nil {
		return 0, fmt.Errorf("fio: %w", err)
	}
	var result struct {
		Jobs []struct {
			Write struct {
				IOPS  float64 `json:"iops"`
				Total int64   `json:"total_ios"`
			} `json:"write"`
		} `json:"jobs"`
	}
	if err := json.Unmarshal(out, &result); err != nil || len(result.Jobs) != 1 || result.Jobs[0].Write.Total != 64*400 {
		return 0, fmt.Errorf("fio did not write 64 × 400 files: %w: %.500s", err, out)
	}
	return result.Jobs[0].Write.IOPS, nil
}
