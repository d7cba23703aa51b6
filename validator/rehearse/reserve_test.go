package rehearse

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAReservedPortRefusesUntilItIsOpened(t *testing.T) {
	at, err := reserve()
	require.NoError(t, err)
	_, err = net.DialTimeout("tcp", at.address, time.Second)
	require.ErrorContains(t, err, "refused")
	_, err = net.Listen("tcp", at.address)
	require.Error(t, err, "nobody else can take the port")

	listener, err := at.open()
	require.NoError(t, err)
	defer listener.Close()
	require.True(t, strings.HasSuffix(listener.Addr().String(), at.address))
	conn, err := net.Dial("tcp", at.address)
	require.NoError(t, err)
	conn.Close()
}
