package fleet

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAPlanBringsWhatRunsToWhatIsWantedAndTakesNobodyThatIsNeeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := view{size: rapid.IntRange(0, 4).Draw(t, "size")}
		for n := range rapid.IntRange(0, 7).Draw(t, "running") {
			v.have = append(v.have, seen{
				id: fmt.Sprint(n), right: rapid.Bool().Draw(t, "right"), ready: rapid.Bool().Draw(t, "ready"),
			})
		}
		most := max(len(v.have), v.size+1)
		for n := range 100 {
			before := readyIn(v)
			next := plan(v)
			switch {
			case next.launch:
				v.have = append(v.have, seen{id: fmt.Sprint("new", n), right: true})
				require.LessOrEqual(t, len(v.have), most)
			case next.retire != "":
				v.have = slices.DeleteFunc(v.have, func(s seen) bool { return s.id == next.retire })
				require.GreaterOrEqual(t, readyIn(v), min(before, v.size))
			case settled(v):
				return
			default: // it waits: somebody gets ready
				i := slices.IndexFunc(v.have, func(s seen) bool { return !s.ready })
				require.GreaterOrEqual(t, i, 0, "it waits for nobody: %+v", v)
				v.have[i].ready = true
			}
		}
		require.Fail(t, "it does not come to an end", "%+v", v)
	})
}

func readyIn(v view) (ready int) {
	for _, s := range v.have {
		ready += count(s.ready)
	}
	return ready
}

// settled says whether all that is wanted runs, and nothing else.
func settled(v view) bool {
	return len(v.have) == v.size && !slices.ContainsFunc(v.have, func(s seen) bool { return !s.right })
}

func TestWhileOneDrainsNoOtherOneLeaves(t *testing.T) {
	v := view{size: 1, have: []seen{{id: "a", ready: true}, {id: "b", right: true, ready: true}}}
	require.Equal(t, step{retire: "a"}, plan(v))
	v.draining = 1
	require.Equal(t, step{}, plan(v))
}
