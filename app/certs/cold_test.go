package certs

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/acme"
)

func TestAFleetThatStartsColdMakesOneOrder(t *testing.T) {
	for _, count := range []int{1, 2, 6} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, acme.Options{})
			all := w.fleet(count, quickly())
			w.allServe(all, 20*time.Second)
			require.Equal(t, 1, w.authority.Orders())
			require.Equal(t, 1, w.authority.Certificates())
		})
	}
}
