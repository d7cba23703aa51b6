package main

import (
	"context"
	"log/slog"

	"bogops/app/certs"
)

// openCertificates opens where TLS comes from, as the settings say.
func openCertificates(ctx context.Context, cfg Config, log *slog.Logger) (*certs.Source, error) {
	return certs.Open(ctx, certificateConfig(cfg, log))
}

func certificateConfig(cfg Config, log *slog.Logger) certs.Config {
	return certs.Config{
		Mode: cfg.Certs, Names: cfg.Names, CertFile: cfg.CertFile, KeyFile: cfg.KeyFile,
		Directory: cfg.ACMEDirectory, RootFile: cfg.ACMERoot,
		CacheDir: cfg.ACMECache, LocalDir: cfg.ACMELocal, FleetKey: cfg.Secrets.FleetKey,
		Email: cfg.ACMEEmail, Instance: cfg.Instance, Production: cfg.ACMEProduction, Logger: log,
	}
}
