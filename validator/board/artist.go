package board

import (
	"embed"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"bogops/validator/score"
)

//go:embed pages/*.html
var pages embed.FS

// artist draws in one language. It does not change once made, so several
// goroutines may draw at once.
type artist struct {
	speech
	templates *template.Template
}

func newArtist(s speech) (*artist, error) {
	t := template.New("wall").Funcs(template.FuncMap{
		"fine":  func(x float64) string { return s.decimal(x, 3) },
		"lines": score.Lines,
		"t":     s.t,
		"part":  func(l layout, id string) template.HTML { return l.drawn[id] },
		"colon": s.colon,
		"pct":   func(x float64) template.CSS { return template.CSS(strconv.FormatFloat(x, 'f', 2, 64) + "%") },
	})
	t, err := t.ParseFS(pages, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("board: %w", err)
	}
	return &artist{s, t}, nil
}

// draw executes one template.
func (a *artist) draw(name string, data any) (template.HTML, error) {
	var b strings.Builder
	if err := a.templates.ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("board: draw %s: %w", name, err)
	}
	return template.HTML(b.String()), nil
}

// picture is one scene as drawn: its parts, and the whole of it around them.
type picture struct {
	key   string // of its layout
	tick  int
	parts map[string]template.HTML
	frame layout
}

// paint draws all parts of a scene. What is said aloud stays as it was in
// before for the rest of its tick: nobody can listen to four updates a second.
func (a *artist) paint(v *View, scene string, before picture) (picture, error) {
	p := picture{tick: v.tick, parts: map[string]template.HTML{}, frame: a.frame(v, scene)}
	p.key = p.frame.key()
	for _, part := range a.parts(v, scene) {
		if said, found := before.parts["say"]; found && part.id == "say" && before.tick == v.tick {
			p.parts["say"] = said
			continue
		}
		html, err := a.draw(part.template, part.data)
		if err != nil {
			return picture{}, err
		}
		p.parts[part.id] = html
	}
	return p, nil
}

// whole puts a picture's parts into its frame. clock is the time of drawing.
func (a *artist) whole(p picture, clock string) (template.HTML, error) {
	l := p.frame
	l.drawn, l.Clock = p.parts, clock
	return a.draw("scene-"+l.Scene, l)
}
