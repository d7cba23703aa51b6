package fleet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOfALongLogTheBeginningAndTheEndAreKept(t *testing.T) {
	t.Parallel()
	var log tail
	for n := range 100 {
		log.add(fmt.Appendf(nil, "line %d\n", n))
	}
	kept := log.lines()
	require.Len(t, kept, 41)
	require.Equal(t, "line 0", kept[0])
	require.Equal(t, "(60 more lines)", kept[20])
	require.Equal(t, "line 80", kept[21])
	require.Equal(t, "line 99", kept[40])

	log = tail{}
	log.add([]byte(strings.Repeat("x", 5000) + "\xff"))
	require.Len(t, log.lines()[0], tailWidth)
}
