// Package document turns the API's description (OpenAPI 3.1, in YAML) into what
// is served of it: the same as JSON, and a page for people. The page is one
// HTML text that loads nothing and runs no script.
package document

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"

	"github.com/goccy/go-yaml"
)

//go:embed page.html
var pageText string

//go:embed page.css
var style string

// Document is a description in the three forms that are served. It does not
// change once it is made.
type Document struct {
	YAML, JSON, Page []byte

	// Policy is the content security policy under which the page works: its
	// own style by its hash, and nothing else.
	Policy string
}

// New reads a description. It fails where the text is no YAML, or refers to a
// component that it does not have.
func New(text []byte) (Document, error) {
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		return Document{}, fmt.Errorf("document: %w", err)
	}
	var api description
	if err := json.Unmarshal(asJSON, &api); err != nil {
		return Document{}, fmt.Errorf("document: %w", err)
	}
	view, err := viewOf(&api)
	if err != nil {
		return Document{}, fmt.Errorf("document: %w", err)
	}
	view.Style = template.CSS(style)
	tmpl, err := template.New("page").Parse(pageText)
	if err != nil {
		return Document{}, fmt.Errorf("document: %w", err)
	}
	var page bytes.Buffer
	if err := tmpl.Execute(&page, view); err != nil {
		return Document{}, fmt.Errorf("document: %w", err)
	}
	hash := sha256.Sum256([]byte(style))
	return Document{
		YAML: text,
		JSON: asJSON,
		Page: page.Bytes(),
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
			"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}, nil
}
