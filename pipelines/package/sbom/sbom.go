// Package sbom lists what a Go program is made of, as CycloneDX
// (https://cyclonedx.org/specification/overview/), from what the linker wrote
// into the program itself: not what was meant to be linked, but what was.
package sbom

import (
	"bytes"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

// Subject is the program that is listed.
type Subject struct {
	Name    string
	Version string
	Built   time.Time // that of the revision, so that the list can be made again
	SHA256  []byte    // of the program
}

// Make reads the program and returns its list as JSON. The same program and the
// same subject give the same bytes.
func Make(of Subject, program []byte) ([]byte, error) {
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return nil, fmt.Errorf("sbom: read what %s was built of: %w", of.Name, err)
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{
		Timestamp: of.Built.UTC().Format(time.RFC3339),
		Component: &cyclonedx.Component{
			BOMRef: "program", Type: cyclonedx.ComponentTypeApplication, Name: of.Name, Version: of.Version,
			Hashes:     &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(of.SHA256)}},
			Properties: settings(info),
		},
	}
	components := []cyclonedx.Component{component("std", info.GoVersion)}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		components = append(components, component(module.Path, module.Version))
	}
	bom.Components = &components
	// All that is known is that the program holds them: who asked for whom is
	// not in it.
	refs := make([]string, 0, len(components))
	dependencies := []cyclonedx.Dependency{{Ref: "program", Dependencies: &refs}}
	for _, c := range components {
		refs = append(refs, c.BOMRef)
	}
	bom.Dependencies = &dependencies

	var out bytes.Buffer
	if err := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bom); err != nil {
		return nil, fmt.Errorf("sbom: encode that of %s: %w", of.Name, err)
	}
	return out.Bytes(), nil
}

// component names a module the way that vulnerability databases do
// (https://github.com/package-url/purl-spec).
func component(path, version string) cyclonedx.Component {
	if path == "std" {
		version = strings.TrimPrefix(version, "go")
	}
	url := "pkg:golang/" + path + "@" + version
	return cyclonedx.Component{
		BOMRef: url, Type: cyclonedx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: url,
	}
}

// settings are how the program was built.
func settings(info *debug.BuildInfo) *[]cyclonedx.Property {
	list := []cyclonedx.Property{}
	for _, s := range info.Settings {
		list = append(list, cyclonedx.Property{Name: "go:build:" + s.Key, Value: s.Value})
	}
	return &list
}
