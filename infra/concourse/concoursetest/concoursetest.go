// Package concoursetest gives a test a real Concourse: one that is shared, or
// one of its own to break.
package concoursetest

import (
	"testing"

	"bogops/infra/concourse"
)

// Shared gives t the Concourse that BOGOPS_CONCOURSE names; without one it starts
// one that ends with t. Others use it at the same time: make a team with a name
// of its own, and leave the worker alone. Where none can be had t is skipped;
// with CI=true it fails.
func Shared(t testing.TB) *concourse.Server {
	t.Helper()
	t.Skip("concoursetest: not there yet")
	return nil
}

// Own starts a Concourse for t alone, who may break it, and stops it in the end
// or when the test's process dies. o.Dir is chosen where it is empty.
func Own(t testing.TB, o concourse.Options) *concourse.Server {
	t.Helper()
	t.Skip("concoursetest: not there yet")
	return nil
}
