package resource

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type lamp struct {
	Colour string `json:"colour"`
	Key    string `json:"key"`
	Volts  int    `json:"volts"`
}

func (l lamp) Secrets() []string { return []string{l.Key} }

func (l lamp) Check() error {
	if l.Colour == "" {
		return errors.New("source.colour is missing")
	}
	return nil
}

type turn map[string]string

type none struct{}

func lamps(said string, failure error) Type[lamp, turn, none, none] {
	tell := func(log io.Writer, l lamp) {
		for _, piece := range strings.SplitAfter(fmt.Sprintf(said, l.Key), "") { // in the smallest pieces
			_, _ = io.WriteString(log, piece)
		}
	}
	return Type[lamp, turn, none, none]{
		Name: "lamp",
		Check: func(_ context.Context, log io.Writer, l lamp, from *turn) ([]turn, error) {
			tell(log, l)
			if from == nil {
				return nil, failure
			}
			return []turn{*from}, failure
		},
		In: func(_ context.Context, log io.Writer, l lamp, v turn, _ none, dir string) (Result[turn], error) {
			tell(log, l)
			return Result[turn]{Version: v}, failure
		},
	}
}

func run(kind Type[lamp, turn, none, none], stdin string, args ...string) (string, string, error) {
	var stdout, stderr bytes.Buffer
	err := kind.Run(context.Background(), args, strings.NewReader(stdin), &stdout, &stderr)
	return strings.TrimSpace(stdout.String()), stderr.String(), err
}

func TestAnAnswerIsWhatConcourseReads(t *testing.T) {
	const source = `"source":{"colour":"red"}`
	cases := []struct{ args, stdin, want string }{
		{"check", `{` + source + `}`, `[]`},
		{"check", `{` + source + `,"version":null}`, `[]`},
		{"check", `{` + source + `,"version":{"n":"1"}}`, `[{"n":"1"}]`},
		{"in /tmp", `{` + source + `,"version":{"n":"1"},"params":null}`, `{"version":{"n":"1"},"metadata":[]}`},
	}
	for _, c := range cases {
		answer, said, err := run(lamps("%.0s", nil), c.stdin, strings.Fields(c.args)...)
		require.NoError(t, err)
		require.Empty(t, said)
		require.JSONEq(t, c.want, answer)
	}
}

func TestAMistakeIsOneSentence(t *testing.T) {
	cases := []struct{ args, stdin, want string }{
		{"", `{}`, `called as [""], wanted check, in DIR or out DIR`},
		{"in", `{}`, "wanted check"},
		{"check x", `{}`, "wanted check"},
		{"check", `nonsense`, "wanted an object with source"},
		{"check", `{}`, "source.colour is missing"},
		{"check", `{"source":{"color":"red"}}`, `source has the field "color", wanted some of: colour, key, volts`},
		{"check", `{"source":{"volts":"many"}}`, "source.volts is a JSON string, wanted int"},
		{"in /tmp", `{"source":{"colour":"red"},"version":{},"params":{"dim":1}}`, `params has the field "dim"`},
		{"in /tmp", `{"source":{"colour":"red"}}`, "in got no version"},
		{"out /tmp", `{"source":{"colour":"red"}}`, "put is not possible"},
	}
	for _, c := range cases {
		answer, said, err := run(lamps("%.0s", nil), c.stdin, strings.Split(c.args, " ")...)
		require.Error(t, err)
		require.Empty(t, answer)
		require.Contains(t, said, c.want)
		require.Equal(t, 1, strings.Count(said, "\n"))
	}
}

func TestASecretIsHiddenHoweverItIsSaid(t *testing.T) {
	const key = "k3y /+ä"
	forms := map[string]string{
		"plain":    key,
		"in a URL": url.UserPassword("u", key).String(),
		"a query":  url.QueryEscape(key),
		"a path":   url.PathEscape(key),
		"base64":   base64.StdEncoding.EncodeToString([]byte(key)),
	}
	for name, form := range forms {
		for _, end := range []string{"\n", "\r", ""} {
			_, said, err := run(lamps("%.0s<"+strings.ReplaceAll(form, "%", "%%")+">"+end, errors.New("no: "+form)),
				`{"source":{"colour":"red","key":"`+key+`"}}`, "check")
			require.Error(t, err)
			require.NotContains(t, said, form, name)
			require.Contains(t, said, "[hidden]>"+end, name)
			require.Contains(t, said, "no: ", name)
		}
	}
}

func TestNothingIsHiddenWhereThereIsNoSecret(t *testing.T) {
	_, said, err := run(lamps("all of it%.0s\n", nil), `{"source":{"colour":"red","key":""}}`, "check")
	require.NoError(t, err)
	require.Equal(t, "all of it\n", said)
}
