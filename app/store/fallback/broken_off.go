//go:build !brokenrules

package fallback

// brokenRules are none in every binary that serves anybody.
func brokenRules() (broken, error) { return broken{}, nil }
