package certs

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

const (
	stagingDirectory    = "https://acme-staging-v02.api.letsencrypt.org/directory"
	productionDirectory = "https://acme-v02.api.letsencrypt.org/directory"
)

// check refuses what cannot work and puts names and directory in their final
// form.
func (cfg *Config) check() error {
	names, err := hostNames(cfg.Names)
	if err != nil {
		return err
	}
	cfg.Names = names
	switch cfg.Mode {
	case "off":
		return nil
	case "files":
		if cfg.CertFile == "" || cfg.KeyFile == "" {
			return errors.New("mode files needs both a certificate file and a key file")
		}
		return nil
	case "acme":
		return cfg.checkACME()
	default:
		return fmt.Errorf("mode is %q, want off, files or acme", cfg.Mode)
	}
}

func (cfg *Config) checkACME() error {
	switch {
	case len(cfg.Names) == 0:
		return errors.New("mode acme needs at least one name")
	case len(cfg.FleetKey) != 32:
		return fmt.Errorf("the fleet key has %d bytes, want 32", len(cfg.FleetKey))
	case cfg.CacheDir == "" && cfg.Shared == nil:
		return errors.New("mode acme needs a directory for the shared cache")
	case cfg.Instance == "":
		return errors.New("mode acme needs the name of this instance")
	case cfg.Production && cfg.Directory != "":
		return fmt.Errorf("production is set and so is the directory %q, want one of them", cfg.Directory)
	}
	switch {
	case cfg.Production:
		cfg.Directory = productionDirectory
	case cfg.Directory == "":
		cfg.Directory = stagingDirectory
	case cfg.Directory == productionDirectory:
		return errors.New("the directory is Let's Encrypt's production one, want production set explicitly instead")
	}
	if u, err := url.Parse(cfg.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("the directory is %q, want an https URL", cfg.Directory)
	}
	return nil
}

// hostNames returns names in the form of a ClientHello: lower case, ASCII, no
// final dot. One label is not a name that an authority certifies, and the
// challenges used here cannot prove a wildcard.
func hostNames(names []string) ([]string, error) {
	var hosts []string
	for _, name := range names {
		host, err := hostName(name)
		if err != nil || !strings.Contains(host, ".") {
			return nil, fmt.Errorf("name is %q, want a host name such as objects.example.org", name)
		}
		if slices.Contains(hosts, host) {
			return nil, fmt.Errorf("name %q is given twice", name)
		}
		hosts = append(hosts, host)
	}
	return hosts, nil
}

// hostName normalises as browsers do before they send a name.
func hostName(name string) (string, error) {
	return idna.Lookup.ToASCII(strings.TrimSuffix(name, "."))
}
