package document

import (
	"fmt"
	"strings"
)

// kind says in words what a value may be. Of is a schema to look up; Pattern
// is kept apart: it is long, and for machines.
type kind struct{ Text, Of, Pattern string }

func kindOf(s *schema) kind {
	if s == nil {
		return kind{Text: "any"}
	}
	k := kind{Of: last(s.Ref), Pattern: s.Pattern}
	if s.Items != nil {
		k.Of = last(s.Items.Ref)
	}
	var words []string
	if len(s.Type) > 0 {
		words = append(words, strings.Join(s.Type, " or "))
	}
	if s.Items != nil {
		words[len(words)-1] += " of " + strings.Join(s.Items.Type, " or ")
	}
	if s.Format != "" {
		words = append(words, s.Format)
	}
	if s.Const != nil {
		words = append(words, "always "+plain(s.Const))
	}
	if len(s.Enum) > 0 {
		var values []string
		for _, v := range s.Enum {
			values = append(values, plain(v))
		}
		words = append(words, "one of "+strings.Join(values, ", "))
	}
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		words = append(words, fmt.Sprintf("%s to %s", *s.Minimum, *s.Maximum))
	case s.Minimum != nil:
		words = append(words, fmt.Sprintf("%s or more", *s.Minimum))
	}
	switch {
	case s.MinLength != nil && s.MaxLength != nil && *s.MinLength == *s.MaxLength:
		words = append(words, fmt.Sprintf("length %d", *s.MinLength))
	case s.MaxLength != nil:
		words = append(words, fmt.Sprintf("length up to %d", *s.MaxLength))
	}
	if s.Default != nil {
		words = append(words, plain(s.Default)+" by default")
	}
	k.Text = strings.TrimSpace(strings.Join(words, ", "))
	return k
}
