package certs

import (
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func TestBadSettingsAreRefusedInOneSentence(t *testing.T) {
	good := func() Config {
		return Config{Mode: "acme", Names: []string{"otter.test"}, FleetKey: make([]byte, 32), CacheDir: "x", Instance: "a"}
	}
	for want, spoil := range map[string]func(*Config){
		`mode is "tls", want off, files or acme`:                                        func(c *Config) { c.Mode = "tls" },
		`mode files needs both a certificate file and a key file`:                       func(c *Config) { c.Mode = "files" },
		`mode acme needs at least one name`:                                             func(c *Config) { c.Names = nil },
		`name is "*.otter.test", want a host name such as objects.example.org`:          func(c *Config) { c.Names = []string{"*.otter.test"} },
		`name is "otter", want a host name such as objects.example.org`:                 func(c *Config) { c.Names = []string{"otter"} },
		`name "OTTER.test." is given twice`:                                             func(c *Config) { c.Names = append(c.Names, "OTTER.test.") },
		`the fleet key has 31 bytes, want 32`:                                           func(c *Config) { c.FleetKey = c.FleetKey[1:] },
		`mode acme needs a directory for the shared cache`:                              func(c *Config) { c.CacheDir = "" },
		`mode acme needs the name of this instance`:                                     func(c *Config) { c.Instance = "" },
		`the directory is "http://ca.test/dir", want an https URL`:                      func(c *Config) { c.Directory = "http://ca.test/dir" },
		`production is set and so is the directory "https://ca.test", want one of them`: func(c *Config) { c.Production, c.Directory = true, "https://ca.test" },
		`the directory is Let's Encrypt's production one, want production set explicitly instead`: func(c *Config) {
			c.Directory = productionDirectory
		},
	} {
		cfg := good()
		spoil(&cfg)
		require.EqualError(t, cfg.check(), want)
	}
	cfg := good()
	require.NoError(t, cfg.check())
}

func TestTheRealAuthorityIsOnlyReachedExplicitly(t *testing.T) {
	cfg := Config{Mode: "acme", Names: []string{"otter.test"}, FleetKey: make([]byte, 32), CacheDir: "x", Instance: "a"}
	require.NoError(t, cfg.check())
	require.Equal(t, stagingDirectory, cfg.Directory)

	cfg.Directory, cfg.Production = "", true
	require.NoError(t, cfg.check())
	require.Equal(t, productionDirectory, cfg.Directory)
}
