package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"

	"bogops/app/api"
)

// maxTokens is how many tokens a role may have at once: the old, the new and
// some more. Every request is compared with all of them.
const maxTokens = 16

// tokensEvery is how often the files of tokens are read again.
const tokensEvery = 2 * time.Second

// readTokens takes each role's tokens from its file, one a line, or from the
// environment, which holds one.
func (c *Config) readTokens(getenv func(string) string) (Secrets, error) {
	var s Secrets
	for _, t := range []struct {
		role, file string
		into       *[]string
	}{
		{"judge", c.JudgeTokenFile, &s.Judge},
		{"writer", c.WriterTokenFile, &s.Writer},
		{"reader", c.ReaderTokenFile, &s.Reader},
	} {
		var lines []string
		if t.file == "" {
			if token := getenv(environmentName(t.role + "-token")); token != "" {
				lines = []string{token}
			}
		} else {
			text, err := os.ReadFile(t.file)
			if err != nil {
				return Secrets{}, usagef("--%s-token-file: %w; want a file that holds the token", t.role, err)
			}
			if lines = tokensIn(string(text)); len(lines) == 0 {
				return Secrets{}, usagef("--%s-token-file: %s is empty; want the token in it", t.role, t.file)
			}
		}
		if len(lines) > maxTokens {
			return Secrets{}, usagef("--%s-token-file: %s holds %d tokens; want at most %d", t.role, t.file, len(lines), maxTokens)
		}
		for _, token := range lines {
			if len(token) > api.MaxToken {
				return Secrets{}, usagef("the %s's token has %d bytes; want at most %d", t.role, len(token), api.MaxToken)
			}
			if strings.ContainsFunc(token, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsGraphic(r) || r == ' ' }) {
				return Secrets{}, usagef("the %s's token holds a space or a character that is not visible ASCII", t.role)
			}
		}
		*t.into = lines
	}
	if len(s.Judge) == 0 {
		return Secrets{}, usagef("no token for the judge: want --judge-token-file, or the token in BOGOPS_JUDGE_TOKEN")
	}
	all := slices.Concat(s.Judge, s.Writer, s.Reader)
	slices.Sort(all)
	if len(slices.Compact(all)) < len(s.Judge)+len(s.Writer)+len(s.Reader) {
		return Secrets{}, usagef("two roles have the same token; want a different one for each")
	}
	return s, nil
}

// tokensIn are the lines of text that are not empty, each once.
func tokensIn(text string) []string {
	var tokens []string
	for line := range strings.Lines(text) {
		if token := strings.TrimSpace(line); token != "" && !slices.Contains(tokens, token) {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// roles are the tokens as the API wants them.
func (s Secrets) roles() api.Roles {
	return api.Roles{Judge: s.Judge, Writer: s.Writer, Reader: s.Reader}
}

// rotation keeps the API's tokens as the files say. A change of a file or
// SIGHUP takes effect without a restart; files that do not hold good tokens
// leave the last good ones valid, all of them: half of a rotation must not lock
// anybody out.
type rotation struct {
	cfg    Config
	getenv func(string) string
	tokens *api.Tokens
	log    *slog.Logger

	last    Secrets // valid now
	seen    Secrets // what the last look found
	trouble string  // what was logged last, so that it is logged once
}

// run reads the files at every tick and every hup until ctx ends. It compares
// contents, not times of change: three small files cost nothing, and neither a
// clock nor a symbolic link can hide a change.
func (r *rotation) run(ctx context.Context, tick <-chan time.Time, hup <-chan os.Signal) {
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-tick:
		case <-hup:
			asked = true
		}
		r.look(asked)
	}
}

// look reads the files once. What it finds new it takes over when the next look
// finds it too: a file may be read while it is being written, and half a token
// must not be valid. Asked for by a signal it believes at once, and says what it
// found also where nothing changed: somebody waits for the answer.
func (r *rotation) look(asked bool) {
	next, err := r.cfg.readTokens(r.getenv)
	if err != nil {
		// The error names files and roles, never what is in them.
		if asked || err.Error() != r.trouble {
			r.log.Error("the tokens were not replaced, the last good ones stay valid", "error", err.Error())
		}
		r.trouble = err.Error()
		return
	}
	settled := asked || reflect.DeepEqual(next, r.seen)
	r.seen = next
	changed := settled && !reflect.DeepEqual(next, r.last)
	if changed {
		r.tokens.Replace(next.roles())
		r.last = next
	}
	if changed || asked || r.trouble != "" {
		r.log.Info("tokens read", "changed", changed, "judge", len(next.Judge), "writer", len(next.Writer), "reader", len(next.Reader))
	}
	r.trouble = ""
}

// rotateTokens returns the tokens of cfg and keeps them as the files say until
// the returned function is called.
func rotateTokens(cfg Config, getenv func(string) string, log *slog.Logger) (*api.Tokens, func()) {
	r := &rotation{cfg: cfg, getenv: getenv, tokens: api.NewTokens(cfg.Secrets.roles()), log: log, last: cfg.Secrets}
	r.last.FleetKey = nil // not read again
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	tick := time.NewTicker(tokensEvery)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.run(ctx, tick.C, hup) })
	return r.tokens, func() {
		signal.Stop(hup)
		tick.Stop()
		cancel()
		running.Wait()
	}
}
