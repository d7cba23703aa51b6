package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"bogops/app/store"
)

// Some tests need a store in another process, to kill it or to trace it. That
// process is this test binary again, with what to do in its environment.
const childTask = "FILESTORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if task := os.Getenv(childTask); task != "" {
		if err := runChild(strings.Fields(task), os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// command is a child with a task; before it may stand a program that runs it.
func command(ctx context.Context, task string, runner ...string) *exec.Cmd {
	args := append(runner, os.Args[0])
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childTask+"="+task)
	cmd.Stderr = os.Stderr
	return cmd
}

// runChild does one of:
//
//	write <first> named|nameless <dir>  writes until it is killed
//	early <first> named|nameless <dir>  the same, but says done before it is
//	trace <puts> named|nameless <dir>   writes that often, one after the other
//
// and says each step in a line of out.
func runChild(task []string, out io.Writer) error {
	n, err := strconv.Atoi(task[1])
	if err != nil {
		return err
	}
	s, err := Open(task[3])
	if err != nil {
		return err
	}
	s.nameless = s.nameless && task[2] == "nameless"
	if task[0] == "trace" {
		return errors.Join(writeTraced(s, n, out), s.Close())
	}
	var mu sync.Mutex
	say := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		io.WriteString(out, line)
	}
	var all sync.WaitGroup
	for w := range childWriters {
		all.Go(func() {
			for i := n; ; i++ {
				if err := writeVersion(s, w, i, task[0] == "early", say); err != nil {
					fmt.Fprintln(os.Stderr, "child:", err)
					os.Exit(1)
				}
			}
		})
	}
	all.Wait()
	return nil
}

const (
	childWriters = 3
	childKeys    = 4 // of each writer
)

// writeVersion writes version i of one key, or deletes it, and says so before
// and after.
func writeVersion(s *Store, writer, i int, early bool, say func(string)) error {
	key := fmt.Sprintf("w%d/k%d", writer, i%childKeys)
	say(fmt.Sprintf("begin %s %d\n", key, i))
	data, there := versionOf(key, i)
	if early {
		say(fmt.Sprintf("done %s %d\n", key, i))
	}
	var err error
	if there {
		_, err = s.Put(context.Background(), key, bytes.NewReader(data), store.PutOptions{Size: int64(len(data))})
	} else {
		err = s.Delete(context.Background(), key, "")
	}
	if err == nil && !early {
		say(fmt.Sprintf("done %s %d\n", key, i))
	}
	return err
}

// versionOf is what a key holds after its write i: one write in eight deletes.
func versionOf(key string, i int) (data []byte, there bool) {
	if i == 0 || i/childKeys%8 == 7 {
		return nil, false
	}
	size := (i * 7919) % (3 * blockLen)
	return append([]byte(fmt.Sprint(key, " ", i, "\n")), noise(uint64(i), size)...), true
}

// writeTraced creates a key, replaces it, deletes it, creates the next one.
func writeTraced(s *Store, n int, out io.Writer) error {
	for i := range n {
		key, data := fmt.Sprint("k", i/3), noise(uint64(i), i*20_000)
		if _, err := fmt.Fprintf(out, "begin %d\n", i); err != nil {
			return err
		}
		var err error
		if i%3 == 2 {
			err = s.Delete(context.Background(), key, "")
		} else {
			_, err = s.Put(context.Background(), key, bytes.NewReader(data), store.PutOptions{Size: -1})
		}
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "done %d\n", i); err != nil {
			return err
		}
	}
	return nil
}
