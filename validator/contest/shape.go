package contest

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// shape is what may stand at a place of the file: how it is read, and how an
// editor is told of it. One table of shapes (keys.go) does both, so that they
// cannot differ.
type shape interface {
	read(r *reader, path string, node ast.Node)
	schema() map[string]any
}

// key is one key of an object.
type key struct {
	name     string
	doc      string // for editors
	required bool
	shape    shape
}

// object is a mapping with known keys, read in the order of the table and not
// of the file: the time zone is known before the times.
type object []key

func (o object) read(r *reader, path string, node ast.Node) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		r.wrong(node, "%s is %s, want keys and values: %s", named(path), kindOf(node), strings.Join(o.names(), ", "))
		return
	}
	values := map[string]ast.Node{}
	for _, v := range mapping.Values {
		name := v.Key.GetToken().Value
		if !o.has(name) {
			r.wrong(v.Key, "%s%s", unknown(path, name), suggest(name, o.names()))
			continue
		}
		values[name] = v.Value
		r.places[join(path, name)] = placeOf(v.Value)
	}
	for _, k := range o {
		value, ok := values[k.name]
		switch {
		case ok:
			k.shape.read(r, join(path, k.name), value)
		case k.required:
			r.wrong(node, "%s is missing: %s", join(path, k.name), k.doc)
		}
	}
}

func unknown(path, name string) string {
	if path == "" {
		return fmt.Sprintf("unknown key %q", name)
	}
	return fmt.Sprintf("unknown key %q in %s", name, path)
}

func (o object) has(name string) bool {
	for _, k := range o {
		if k.name == name {
			return true
		}
	}
	return false
}

func (o object) names() []string {
	names := make([]string, len(o))
	for i, k := range o {
		names[i] = k.name
	}
	return names
}

func (o object) schema() map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, k := range o {
		property := k.shape.schema()
		property["description"] = k.doc
		properties[k.name] = property
		if k.required {
			required = append(required, k.name)
		}
	}
	s := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// list is a sequence; next makes room for one more element and returns its
// shape, which is read before next is called again.
type list struct {
	next func() shape
	min  int
}

func (l list) read(r *reader, path string, node ast.Node) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		r.wrong(node, "%s is %s, want a list", named(path), kindOf(node))
		return
	}
	if len(sequence.Values) < l.min {
		r.wrong(node, "%s has %d entries, want at least %d", path, len(sequence.Values), l.min)
	}
	for i, value := range sequence.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		r.places[at] = placeOf(value)
		l.next().read(r, at, value)
	}
}

func (l list) schema() map[string]any {
	return map[string]any{"type": "array", "minItems": l.min, "items": l.next().schema()}
}

// pairs is a mapping whose keys are the organiser's own; next takes a key and
// returns the shape of its value, or why the key is wrong.
type pairs struct {
	next    func(name string) (shape, error)
	pattern string // of keys
	sample  shape  // of values, for editors
}

func (p pairs) read(r *reader, path string, node ast.Node) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		r.wrong(node, "%s is %s, want keys and values", named(path), kindOf(node))
		return
	}
	for _, v := range mapping.Values {
		name := v.Key.GetToken().Value
		at := join(path, name)
		r.places[at] = placeOf(v.Value)
		value, err := p.next(name)
		if err != nil {
			r.wrong(v.Key, "%s: %v", path, err)
			continue
		}
		value.read(r, at, v.Value)
	}
}

func (p pairs) schema() map[string]any {
	return map[string]any{"type": "object", "additionalProperties": false, "patternProperties": map[string]any{p.pattern: p.sample.schema()}}
}

// scalar is a single value, taken as the text that stands in the file.
type scalar struct {
	set  func(r *reader, text string) error // the error completes "PATH "
	json map[string]any
}

func (s scalar) read(r *reader, path string, node ast.Node) {
	text, ok := textOf(node)
	if !ok {
		r.wrong(node, "%s is %s, want a single value", named(path), kindOf(node))
		return
	}
	if err := s.set(r, text); err != nil {
		r.wrong(node, "%s %v", path, err)
	}
}

func (s scalar) schema() map[string]any {
	copied := map[string]any{}
	for k, v := range s.json {
		copied[k] = v
	}
	return copied
}

func textOf(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func kindOf(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "empty"
	case *ast.AliasNode, *ast.AnchorNode, *ast.TagNode:
		return "an anchor, alias or tag, which contest files do without"
	}
	return "a single value"
}

func named(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// suggest names the key that was probably meant, or all that there are.
func suggest(name string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		if d := edits(name, k); d < distance && d < len(k) {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return "; known here: " + strings.Join(known, ", ")
}

// edits is the Levenshtein distance, with a swap of neighbours as one edit.
func edits(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
