package main

import (
	"cmp"
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// pattern is the source's regexp, which matches whole keys.
type pattern struct {
	whole  *regexp.Regexp
	group  int
	prefix string // with which all that match begin
}

func newPattern(text string) (pattern, error) {
	loose, err := regexp.Compile(text)
	if err != nil {
		return pattern{}, err
	}
	whole, err := regexp.Compile("^(?:" + text + ")$")
	if err != nil {
		return pattern{}, fmt.Errorf("source.regexp is %q: %w", text, err)
	}
	prefix, _ := loose.LiteralPrefix()
	return pattern{whole, max(1, whole.SubexpIndex("version")), prefix}, nil
}

func (p pattern) matches(path string) bool { return p.whole.MatchString(path) }

// parse finds the version in a key.
func (p pattern) parse(path string) (number, bool) {
	match := p.whole.FindStringSubmatch(path)
	if match == nil {
		return number{}, false
	}
	return newNumber(match[p.group])
}

// number is a version as Semantic Versioning orders it (https://semver.org,
// section 11), with as many numbers as there are.
type number struct {
	text   string
	counts []*big.Int
	before []string // of a pre-release: 1.0.0-rc.1
}

func newNumber(text string) (number, bool) {
	n := number{text: text}
	plain, _, _ := strings.Cut(strings.TrimPrefix(text, "v"), "+")
	release, before, early := strings.Cut(plain, "-")
	for part := range strings.SplitSeq(release, ".") {
		count, ok := digits(part)
		if !ok {
			return n, false
		}
		n.counts = append(n.counts, count)
	}
	if early {
		n.before = strings.Split(before, ".")
	}
	return n, true
}

func digits(text string) (*big.Int, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return nil, false
	}
	return new(big.Int).SetString(text, 10)
}

// compare is negative where a is older than b. 1.2 is 1.2.0.
func compare(a, b number) int {
	for i := range max(len(a.counts), len(b.counts)) {
		if order := at(a.counts, i).Cmp(at(b.counts, i)); order != 0 {
			return order
		}
	}
	if (a.before == nil) != (b.before == nil) {
		if a.before != nil {
			return -1
		}
		return 1
	}
	for i := range min(len(a.before), len(b.before)) {
		if order := compareWords(a.before[i], b.before[i]); order != 0 {
			return order
		}
	}
	return cmp.Compare(len(a.before), len(b.before))
}

func at(counts []*big.Int, i int) *big.Int {
	if i < len(counts) {
		return counts[i]
	}
	return new(big.Int)
}

// compareWords: numbers by their size and before words.
func compareWords(a, b string) int {
	left, isLeft := digits(a)
	right, isRight := digits(b)
	switch {
	case isLeft && isRight:
		return left.Cmp(right)
	case isLeft:
		return -1
	case isRight:
		return 1
	}
	return strings.Compare(a, b)
}
