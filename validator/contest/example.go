package contest

import (
	_ "embed"
	"encoding/json"
	"slices"
)

//go:embed example.yml
var example []byte

// Example is a contest file to begin from: commented, and valid once the
// secrets that it names exist.
func Example() []byte { return slices.Clone(example) }

// Schema is the JSON Schema (draft 2020-12) of contest files, for editors. It
// knows each key by itself; what holds between keys only Load knows.
func Schema() []byte {
	schema := contestShape(blank()).schema()
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "A Bog'Ops contest"
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(err) // the shapes are made of strings, numbers and maps
	}
	return append(text, '\n')
}
