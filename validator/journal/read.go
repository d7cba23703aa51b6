package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Read returns the entries of a journal, which may still be being written, and
// checks their chain as Verify does. A last line without a newline is left
// out: nobody ever relied on it.
func Read(path string) ([]Entry, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("journal %s does not exist: give the file that the judge wrote", path)
	}
	if err != nil {
		return nil, explain(path, "cannot be read", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	entries, _, _, err := read(path, file)
	return entries, err
}

// read returns the entries, how many bytes they take, and how many bytes of an
// unfinished line follow.
func read(path string, file io.Reader) (entries []Entry, whole, torn int64, err error) {
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, 0, 0, explain(path, "cannot be read", err)
	}
	rest := text
	var unreadable *Damage
	for {
		line, after, found := bytes.Cut(rest, []byte{'\n'})
		if !found {
			break
		}
		e, err := parse(line)
		if err != nil && unreadable == nil {
			unreadable = &Damage{Line: len(entries) + 1, What: Altered, Detail: err.Error()}
		}
		entries = append(entries, e)
		rest = after
	}
	if len(entries) == 0 {
		return nil, 0, 0, fmt.Errorf("journal %s holds no whole line: remove it and begin again", path)
	}
	if err := check(entries, unreadable); err != nil {
		return nil, 0, 0, fmt.Errorf("journal %s: %w", path, err)
	}
	return entries, int64(len(text) - len(rest)), int64(len(rest)), nil
}

// check tells of the first damage: a line that cannot be read, unless the
// chain is broken above it.
func check(entries []Entry, unreadable *Damage) error {
	if unreadable == nil {
		return Verify(entries, "")
	}
	above := entries[:unreadable.Line-1]
	if err := Verify(above, ""); len(above) > 0 && err != nil {
		return err
	}
	if below := entries[unreadable.Line:]; len(above) > 0 && len(below) > 0 && below[0].Prev == above[len(above)-1].Hash {
		return &Damage{Line: unreadable.Line, What: Inserted, Detail: "the line after it continues from the line before it"}
	}
	return unreadable
}
