package contest

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Load reads and checks a contest file. Secrets come from the environment,
// through getenv, and from files; relative paths are taken from the contest
// file's directory. The error is Mistakes where the content is at fault: all
// that could be found at once.
func Load(path string, getenv func(string) string) (*Contest, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("contest file %s does not exist; `validator init %s` writes an example", path, path)
	}
	if err != nil {
		return nil, fmt.Errorf("contest file %s cannot be read (%w): give a file that can", path, cause(err))
	}
	r := &reader{file: path, getenv: getenv, zone: time.UTC, places: map[string]place{}}
	root, err := r.parse(text)
	if err != nil {
		return nil, err
	}
	c := blank()
	contestShape(c).read(r, "", root)
	if len(r.mistakes) == 0 {
		c.settle()
		r.check(c)
	}
	if len(r.mistakes) > 0 {
		slices.SortStableFunc(r.mistakes, func(a, b Mistake) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		return nil, r.mistakes
	}
	return c, nil
}

// Mistake is one thing that is wrong with a contest file.
type Mistake struct {
	File         string
	Line, Column int    // from 1
	Text         string // one sentence; no secret is ever in it
}

func (m Mistake) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.Text)
}

// Mistakes are all that are known of a file, in its order.
type Mistakes []Mistake

func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, mistake := range m {
		lines[i] = mistake.String()
	}
	return strings.Join(lines, "\n")
}

// place is where in the file something stands.
type place struct{ line, column int }

// reader carries what reading needs, and collects what is wrong.
type reader struct {
	file     string
	getenv   func(string) string
	zone     *time.Location // of times without one
	places   map[string]place
	mistakes Mistakes
}

// parse returns the one mapping of the file.
func (r *reader) parse(text []byte) (ast.Node, error) {
	parsed, err := parser.ParseBytes(text, 0)
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		// The library's own text quotes the lines around, and with them secrets.
		at := syntax.GetToken().Position
		return nil, Mistakes{{r.file, at.Line, at.Column, "not YAML: " + syntax.GetMessage()}}
	}
	if err != nil {
		return nil, fmt.Errorf("contest file %s: %w", r.file, err)
	}
	if len(parsed.Docs) != 1 || parsed.Docs[0].Body == nil {
		return nil, Mistakes{{r.file, 1, 1, fmt.Sprintf("the file holds %d documents, want one that begins with contest:", filled(parsed.Docs))}}
	}
	return parsed.Docs[0].Body, nil
}

func filled(docs []*ast.DocumentNode) int {
	count := 0
	for _, d := range docs {
		if d.Body != nil {
			count++
		}
	}
	return count
}

// wrong notes a mistake at node.
func (r *reader) wrong(node ast.Node, format string, args ...any) {
	at := placeOf(node)
	r.mistakes = append(r.mistakes, Mistake{r.file, at.line, at.column, fmt.Sprintf(format, args...)})
}

// wrongAt notes a mistake at a path that was read, or at what it lies in.
func (r *reader) wrongAt(path, format string, args ...any) {
	at, ok := r.places[path]
	for up := path; !ok; at, ok = r.places[up] {
		cut := strings.LastIndexAny(up, ".[")
		if cut < 0 {
			at = place{1, 1}
			break
		}
		up = up[:cut]
	}
	r.mistakes = append(r.mistakes, Mistake{r.file, at.line, at.column, path + " " + fmt.Sprintf(format, args...)})
}

// placeOf is where node begins. A block mapping's own token is its first colon.
func placeOf(node ast.Node) place {
	if m, ok := node.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		node = m.Values[0].Key
	}
	at := node.GetToken().Position
	return place{at.Line, at.Column}
}

// beside is path as seen from the contest file.
func (r *reader) beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(r.file), path)
}

// cause is what the system said, without the path that is told already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
