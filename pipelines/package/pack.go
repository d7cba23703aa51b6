package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"maps"
	"slices"

	"bogops/pipelines/package/artefact"
	"bogops/pipelines/package/image"
	"bogops/pipelines/package/sbom"
)

// startScript is what a machine runs: it checks the package and becomes the app.
//
//go:embed start.sh
var startScript []byte

// product is one file that is made.
type product struct {
	name    string
	content []byte
}

// pack makes the package of an app, and the image of the same program.
func (r revision) pack(app []byte) ([]product, error) {
	sum := sha256.Sum256(app)
	list, err := sbom.Make(sbom.Subject{Name: "bogops/app", Version: r.version(), Built: r.at, SHA256: sum[:]}, app)
	if err != nil {
		return nil, err
	}
	var archive, container bytes.Buffer
	err = artefact.WriteGzip(&archive, r.at, artefact.WithSums([]artefact.File{
		{Name: "app", Mode: 0o755, Content: app},
		{Name: "start.sh", Mode: 0o755, Content: startScript},
		{Name: "sbom.cdx.json", Mode: 0o644, Content: list},
		{Name: "VERSION", Mode: 0o644, Content: []byte(r.described() + "\n")},
	}))
	if err != nil {
		return nil, fmt.Errorf("pack the app: %w", err)
	}
	err = image.Write(&container, image.Settings{
		Name: "bogops/app", Program: "app", Version: r.version(), Built: r.at, Ports: []string{"8443/tcp"}, Data: "/data",
		Env: []string{"BOGOPS_STORE=file:/data", "BOGOPS_LISTEN=0.0.0.0:8443", "BOGOPS_ADMIN_LISTEN=127.0.0.1:9090"},
	}, app)
	if err != nil {
		return nil, err
	}
	return []product{
		{"bogops-app-" + r.version() + ".tar.gz", archive.Bytes()},
		{"bogops-image-" + r.version() + ".tar", container.Bytes()},
	}, nil
}

// packJudge makes the image of the judge, which is deployed by nothing here.
func (r revision) packJudge(judge []byte) ([]product, error) {
	var container bytes.Buffer
	err := image.Write(&container, image.Settings{
		Name: "bogops/judge", Program: "validator", Version: r.version(), Built: r.at, Data: "/data",
	}, judge)
	return []product{{"bogops-judge-" + r.version() + ".tar", container.Bytes()}}, err
}

// packTools makes the archive of the tools that were asked for, if any was. They
// come with the app, so that no job which touches the platform has to compile.
func (r revision) packTools(ctx context.Context, o options) ([]product, error) {
	if len(o.Tool) == 0 {
		return nil, nil
	}
	var files []artefact.File
	for _, name := range slices.Sorted(maps.Keys(o.Tool)) {
		program, err := build(ctx, o.Repo, o.Tool[name], "", r)
		if err != nil {
			return nil, fmt.Errorf("tool %s: %w", name, err)
		}
		files = append(files, artefact.File{Name: name, Mode: 0o755, Content: program})
	}
	var archive bytes.Buffer
	if err := artefact.WriteGzip(&archive, r.at, artefact.WithSums(files)); err != nil {
		return nil, fmt.Errorf("pack the tools: %w", err)
	}
	return []product{{"bogops-tools-" + r.version() + ".tar.gz", archive.Bytes()}}, nil
}
