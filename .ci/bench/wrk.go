package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// script is what wrk runs: it draws paths and adds the token.
//
//go:embed load.lua
var script []byte

// load is one run of wrk.
type load struct {
	method      string
	path        string // a %d is replaced: PUT counts up, GET draws
	of          int    // GET draws the number from 1 to this; 0: the path has none
	body        int    // bytes of a PUT
	token       string // sent as a bearer token; empty: none
	connections int
	refused     bool // answers other than 2xx are what is measured
}

// outcome is what wrk saw.
type outcome struct {
	Requests     int64   `json:"requests"`
	Microseconds int64   `json:"microseconds"`
	Failed       int64   `json:"failed"` // not 2xx or 3xx, or no answer
	Broken       int64   `json:"broken"` // no answer
	Mean         float64 `json:"mean"`   // microseconds, as the next two
	P50          float64 `json:"p50"`
	P99          float64 `json:"p99"`

	CPU float64 `json:"-"` // microseconds of the server per request
}

func (o outcome) rate() float64 { return float64(o.Requests) / (float64(o.Microseconds) / 1e6) }

// wrk loads a server for the time of the settings.
func (b *bench) wrk(ctx context.Context, s *server, l load) (outcome, error) {
	lua := filepath.Join(b.Out, "load.lua")
	if err := os.WriteFile(lua, script, 0o644); err != nil {
		return outcome{}, err
	}
	threads := min(2, l.connections)
	seconds := max(1, int(b.Time/time.Second))
	command := exec.CommandContext(ctx, "wrk", "-t", strconv.Itoa(threads), "-c", strconv.Itoa(l.connections), "-d", fmt.Sprintf("%ds", seconds),
		"--timeout", "10s", "-s", lua, s.url(), "--", l.method, l.path, strconv.Itoa(l.of), strconv.Itoa(l.body), l.token)
	before, err := s.cpu()
	if err != nil {
		return outcome{}, err
	}
	out, err := command.CombinedOutput()
	after, gone := s.cpu()
	if err = errors.Join(err, gone); err != nil {
		return outcome{}, fmt.Errorf("wrk on %s: %w: %s", s.name, err, out)
	}
	_, text, found := bytes.Cut(out, []byte("RESULT "))
	text, _, _ = bytes.Cut(text, []byte("\n"))
	var o outcome
	if err := json.Unmarshal(text, &o); err != nil || !found {
		return outcome{}, fmt.Errorf("wrk on %s said no result: %s", s.name, out)
	}
	// A figure with failures in it would be one of refusals.
	if bad := o.Failed; !l.refused && bad > 0 || o.Broken > 0 || o.Requests == 0 {
		return outcome{}, fmt.Errorf("wrk on %s: of %d requests %d failed, %d had no answer: %s",
			s.name, o.Requests, o.Failed, o.Broken, strings.TrimSpace(string(out)))
	}
	if l.refused && o.Failed != o.Requests {
		return outcome{}, fmt.Errorf("wrk on %s: %d of %d requests were not refused", s.name, o.Requests-o.Failed, o.Requests)
	}
	o.CPU = float64((after - before).Microseconds()) / float64(o.Requests)
	return o, nil
}
