package document

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// description is the part of an OpenAPI document that the page shows.
type description struct {
	Info struct {
		Title, Summary, Description, Version string
	}
	Tags  []tag
	Paths ordered[pathItem]

	Security   []requirement
	Components components
}

type tag struct{ Name, Description string }

type components struct {
	Parameters ordered[parameter]
	Headers    ordered[header]
	Responses  ordered[response]
	Schemas    ordered[schema]
	Examples   ordered[example]

	SecuritySchemes ordered[scheme]
}

type scheme struct{ Description string }

// requirement maps a security scheme to the roles of which one is wanted.
type requirement map[string][]string

type pathItem struct {
	Parameters             []parameter
	Get, Head, Put, Delete *operation
}

type operation struct {
	OperationID          string
	Tags                 []string
	Summary, Description string
	Parameters           []parameter
	RequestBody          *body
	Responses            ordered[response]
	Security             *[]requirement
	Level                string       `json:"x-level"`
	Brief                bool         `json:"x-brief"`
	Samples              []codeSample `json:"x-codeSamples"`
}

type codeSample struct{ Lang, Source string }

type parameter struct {
	Ref                   string `json:"$ref"`
	Name, In, Description string
	Required              bool
	Schema                *schema
	Example               json.RawMessage
	Examples              ordered[example]
	Level                 string `json:"x-level"`
}

type header struct {
	Ref         string `json:"$ref"`
	Description string
	Required    bool
	Schema      *schema
	Example     json.RawMessage
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Headers     ordered[header]
	Content     ordered[media]
	Level       string `json:"x-level"`
}

type body struct {
	Description string
	Content     ordered[media]
}

type media struct {
	Schema   *schema
	Examples ordered[example]
	Example  json.RawMessage
}

type example struct {
	Ref     string `json:"$ref"`
	Summary string
	Value   json.RawMessage
}

type schema struct {
	Ref              string `json:"$ref"`
	Description      string
	Type             oneOrMore
	Format           string
	Pattern          string
	Const            json.RawMessage
	Enum             []json.RawMessage
	Default          json.RawMessage
	Minimum, Maximum *json.Number
	MinLength        *int
	MaxLength        *int
	Items            *schema
	Properties       ordered[schema]
	Required         []string
}

// oneOrMore is a JSON string or a list of them.
type oneOrMore []string

// UnmarshalJSON reads either form.
func (o *oneOrMore) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '[' {
		return json.Unmarshal(text, (*[]string)(o))
	}
	*o = make([]string, 1)
	return json.Unmarshal(text, &(*o)[0])
}

// ordered is a JSON object whose members keep their order: a document is
// written in the order in which it wants to be read.
type ordered[T any] []member[T]

type member[T any] struct {
	Name  string
	Value T
}

// UnmarshalJSON reads an object.
func (o *ordered[T]) UnmarshalJSON(text []byte) error {
	in := json.NewDecoder(bytes.NewReader(text))
	if open, err := in.Token(); err != nil {
		return err
	} else if open != json.Delim('{') {
		return fmt.Errorf("%v given; want an object", open)
	}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return err
		}
		m := member[T]{Name: name.(string)} // the grammar has nothing else here
		if err := in.Decode(&m.Value); err != nil {
			return err
		}
		*o = append(*o, m)
	}
	return nil
}

func (o ordered[T]) find(name string) (T, bool) {
	for _, m := range o {
		if m.Name == name {
			return m.Value, true
		}
	}
	var none T
	return none, false
}
