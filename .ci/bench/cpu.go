package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// cpu is the processor time that the server has used so far, its own and that
// of its children: nginx serves from two of them. Unlike a rate it hardly
// depends on what else the machine does.
func (s *server) cpu() (time.Duration, error) {
	all := []int{s.pid}
	for i := 0; i < len(all); i++ {
		// The list is of one thread's children; these servers fork from their first.
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", all[i]))
		if err != nil {
			return 0, err
		}
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				return 0, err
			}
			all = append(all, pid)
		}
	}
	var total time.Duration
	for _, pid := range all {
		used, err := cpuOf(pid)
		if err != nil {
			return 0, err
		}
		total += used
	}
	return total, nil
}

// cpuOf reads the fields 14 and 15 of proc_pid_stat(5): ticks, 100 a second on
// every Linux that Go runs on.
func cpuOf(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(text), ") ") // the name may hold spaces
	const user, system = 11, 12
	fields := strings.Fields(after)
	if len(fields) <= system {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	a, first := strconv.Atoi(fields[user])
	b, second := strconv.Atoi(fields[system])
	return time.Duration(a+b) * 10 * time.Millisecond, errors.Join(first, second)
}
