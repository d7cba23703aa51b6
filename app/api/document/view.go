package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

// view is what the page's template is filled with: every reference resolved
// and every text split into blocks.
type view struct {
	Title, Version, Summary string
	Style                   template.CSS
	About                   []block
	Token                   []block
	Groups                  []group
	Headers                 []field
	Schemas                 []schemaView
}

type group struct {
	Name  string
	About []block
	Calls []call
}

type call struct {
	ID, Method, Path, Level string
	Summary                 []span
	About                   []block
	Brief                   bool
	Roles                   []string
	Parameters              []field
	Body                    *bodyView
	Answers                 []answer
	Samples                 []string
}

// field is a parameter, a header or a member of an object.
type field struct {
	Name, Place, Level string
	Required           bool
	Kind               kind
	About              []block
	Examples           []string
}

type bodyView struct {
	About []block
	Types []string
}

type answer struct {
	Status, Text, Level string
	About               []block
	Headers             []string
	Types               []string
	Schema              string
	Example             string
}

type schemaView struct {
	Name   string
	About  []block
	Kind   kind
	Fields []field
}

// resolver looks components up; its first failure stays.
type resolver struct {
	api *description
	err error
}

func viewOf(api *description) (*view, error) {
	r := &resolver{api: api}
	v := &view{Title: api.Info.Title, Version: api.Info.Version, Summary: api.Info.Summary, About: blocks(api.Info.Description)}
	for _, s := range api.Components.SecuritySchemes {
		v.Token = append(v.Token, blocks(s.Value.Description)...)
	}
	for _, t := range api.Tags {
		g := group{Name: t.Name, About: blocks(t.Description)}
		for _, path := range api.Paths {
			item := path.Value
			for _, m := range []struct {
				method string
				op     *operation
			}{{"PUT", item.Put}, {"GET", item.Get}, {"HEAD", item.Head}, {"DELETE", item.Delete}} {
				if m.op != nil && len(m.op.Tags) > 0 && m.op.Tags[0] == t.Name {
					g.Calls = append(g.Calls, r.call(m.method, path.Name, item, m.op))
				}
			}
		}
		v.Groups = append(v.Groups, g)
	}
	seen := map[string]bool{}
	for _, h := range api.Components.Headers {
		name := r.headerName(h.Name)
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		v.Headers = append(v.Headers, field{Name: name, Kind: kindOf(h.Value.Schema),
			About: blocks(h.Value.Description), Examples: texts(h.Value.Example, nil)})
	}
	for _, s := range api.Components.Schemas {
		v.Schemas = append(v.Schemas, r.schema(s.Name, s.Value))
	}
	return v, r.err
}

func (r *resolver) call(method, path string, item pathItem, op *operation) call {
	c := call{
		ID: op.OperationID, Method: method, Path: path, Level: op.Level, Brief: op.Brief,
		Summary: spans(op.Summary), About: blocks(op.Description), Roles: rolesOf(op.Security, r.api.Security),
	}
	for _, p := range append(append([]parameter{}, item.Parameters...), op.Parameters...) {
		p = resolve(r, p, p.Ref, r.api.Components.Parameters)
		c.Parameters = append(c.Parameters, field{Name: p.Name, Place: p.In, Level: p.Level, Required: p.Required,
			Kind: kindOf(p.Schema), About: blocks(p.Description), Examples: texts(p.Example, p.Examples)})
	}
	if op.RequestBody != nil {
		c.Body = &bodyView{About: blocks(op.RequestBody.Description)}
		for _, m := range op.RequestBody.Content {
			c.Body.Types = append(c.Body.Types, m.Name)
		}
	}
	for _, a := range op.Responses {
		c.Answers = append(c.Answers, r.answer(a.Name, a.Value))
	}
	for _, s := range op.Samples {
		c.Samples = append(c.Samples, strings.TrimSpace(s.Source))
	}
	return c
}

func (r *resolver) answer(status string, resp response) answer {
	resp = resolve(r, resp, resp.Ref, r.api.Components.Responses)
	code, _ := strconv.Atoi(status)
	a := answer{Status: status, Text: http.StatusText(code), Level: resp.Level, About: blocks(resp.Description)}
	for _, h := range resp.Headers {
		resolve(r, h.Value, h.Value.Ref, r.api.Components.Headers)
		a.Headers = append(a.Headers, h.Name)
	}
	for _, m := range resp.Content {
		a.Types = append(a.Types, m.Name)
		if m.Value.Schema != nil {
			a.Schema = last(m.Value.Schema.Ref)
		}
		for _, e := range m.Value.Examples {
			if code < 400 { // a problem looks alike everywhere: it is shown once, with its schema
				a.Example = indent(resolve(r, e.Value, e.Value.Ref, r.api.Components.Examples).Value)
			}
		}
	}
	return a
}

func (r *resolver) schema(name string, s schema) schemaView {
	v := schemaView{Name: name, About: blocks(s.Description), Kind: kindOf(&s)}
	for _, p := range s.Properties {
		resolve(r, p.Value, p.Value.Ref, r.api.Components.Schemas)
		f := field{Name: p.Name, Kind: kindOf(&p.Value), About: blocks(p.Value.Description)}
		for _, must := range s.Required {
			f.Required = f.Required || must == p.Name
		}
		v.Fields = append(v.Fields, f)
	}
	return v
}

// headerName is the name under which answers carry a component.
func (r *resolver) headerName(component string) string {
	ref := "#/components/headers/" + component
	for _, path := range r.api.Paths {
		for _, op := range []*operation{path.Value.Put, path.Value.Get, path.Value.Head, path.Value.Delete} {
			if op == nil {
				continue
			}
			for _, a := range op.Responses {
				for _, h := range resolve(r, a.Value, a.Value.Ref, r.api.Components.Responses).Headers {
					if h.Value.Ref == ref {
						return h.Name
					}
				}
			}
		}
	}
	return ""
}

// resolve returns what ref names among known, or value where there is no ref.
func resolve[T any](r *resolver, value T, ref string, known ordered[T]) T {
	if ref == "" {
		return value
	}
	found, ok := known.find(last(ref))
	if !ok && r.err == nil {
		r.err = fmt.Errorf("%q refers to nothing", ref)
	}
	return found
}

func last(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// rolesOf is nil where no token is wanted.
func rolesOf(own *[]requirement, general []requirement) []string {
	if own != nil {
		general = *own
	}
	var roles []string
	for _, req := range general {
		for _, of := range req {
			roles = append(roles, of...)
		}
	}
	return roles
}

func texts(one json.RawMessage, more ordered[example]) []string {
	var all []string
	if one != nil {
		all = append(all, plain(one))
	}
	for _, e := range more {
		all = append(all, plain(e.Value.Value))
	}
	return all
}

// plain is a JSON string without its quotes, and any other value as it is.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

func indent(value json.RawMessage) string {
	var out bytes.Buffer
	if json.Indent(&out, value, "", "  ") != nil {
		return string(value)
	}
	return out.String()
}
