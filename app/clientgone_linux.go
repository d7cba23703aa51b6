package main

import (
	"net"

	"golang.org/x/sys/unix"
)

// hasGone says whether the other end of a TCP connection has closed it, be it
// that bytes sent before are unread.
func hasGone(conn net.Conn) bool {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return true // closed by us
	}
	const established = 1 // of enum in linux/tcp_states.h
	gone := false
	err = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		gone = err == nil && info.State != established
	})
	return gone || err != nil
}
