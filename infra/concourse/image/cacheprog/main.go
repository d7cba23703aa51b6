// Cacheprog stands between the go command and its build cache (go doc
// cmd/go/internal/cacheprog, GOCACHEPROG) and takes down what a build uses:
//
//	GOCACHEPROG="cacheprog FROM TO" go build ./...
//
// What FROM has is linked into TO, what is compiled goes into both. So TO
// becomes a build cache that holds this build and nothing else, in the time
// that the build takes with FROM.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "cacheprog: wanted two directories, FROM and TO")
		os.Exit(2)
	}
	if err := serve(cache(os.Args[1]), cache(os.Args[2]), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cacheprog:", err)
		os.Exit(1)
	}
}

// request and response are those of cmd/go.
type request struct {
	ID       int64
	Command  string
	ActionID []byte
	OutputID []byte
	BodySize int64
}

type response struct {
	ID            int64
	Err           string     `json:",omitempty"`
	KnownCommands []string   `json:",omitempty"`
	Miss          bool       `json:",omitempty"`
	OutputID      []byte     `json:",omitempty"`
	Size          int64      `json:",omitempty"`
	Time          *time.Time `json:",omitempty"`
	DiskPath      string     `json:",omitempty"`
}

func serve(from, to cache, in io.Reader, out io.Writer) error {
	lines, answers := bufio.NewReaderSize(in, 1<<20), json.NewEncoder(out)
	if err := answers.Encode(response{KnownCommands: []string{"get", "put", "close"}}); err != nil {
		return err
	}
	for {
		var asked request
		line, err := line(lines)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal(line, &asked); err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		var answer response
		switch asked.Command {
		case "get":
			answer, err = get(from, to, asked)
		case "put":
			answer, err = put(from, to, asked, lines)
		case "close":
			return answers.Encode(response{ID: asked.ID})
		}
		answer.ID = asked.ID
		if err != nil {
			answer.Err = err.Error()
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
}

// line is the next one that is not empty.
func line(lines *bufio.Reader) ([]byte, error) {
	for {
		text, err := lines.ReadBytes('\n')
		if text = bytes.TrimSpace(text); len(text) > 0 || err != nil {
			return text, err
		}
	}
}

func get(from, to cache, asked request) (response, error) {
	for _, place := range []cache{to, from} {
		e, err := place.entry(asked.ActionID)
		if err != nil {
			continue // torn or not there: the build makes it anew
		}
		if place == from {
			if err := to.link(from, asked.ActionID, e.output); err != nil {
				return response{}, err
			}
		}
		return response{OutputID: e.output, Size: e.size, Time: &e.time, DiskPath: to.path(e.output, "d")}, nil
	}
	return response{Miss: true}, nil
}

func put(from, to cache, asked request, lines *bufio.Reader) (response, error) {
	var body []byte
	if asked.BodySize > 0 {
		text, err := line(lines)
		if err != nil {
			return response{}, err
		}
		if body, err = base64.StdEncoding.AppendDecode(nil, bytes.Trim(text, `"`)); err != nil {
			return response{}, err
		}
	}
	if err := from.keep(asked.ActionID, asked.OutputID, body); err != nil {
		return response{}, err
	}
	if err := to.link(from, asked.ActionID, asked.OutputID); err != nil {
		return response{}, err
	}
	return response{DiskPath: to.path(asked.OutputID, "d")}, nil
}
