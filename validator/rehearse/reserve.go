package rehearse

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// reservation holds a loopback port that refuses connections until it is
// opened. The socket is bound and does not listen: so the address of a
// platform is known, and nobody else can take it, before the platform exists.
type reservation struct {
	fd      int
	address string
}

func reserve() (*reservation, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	syscall.CloseOnExec(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	port := name.(*syscall.SockaddrInet4).Port
	return &reservation{fd: fd, address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}, nil
}

// port is the number alone.
func (r *reservation) port() int {
	_, port, _ := net.SplitHostPort(r.address)
	n, _ := strconv.Atoi(port)
	return n
}

// open starts to listen. The reservation is used up, also on error.
func (r *reservation) open() (net.Listener, error) {
	file := os.NewFile(uintptr(r.fd), r.address)
	r.fd = -1
	defer file.Close() // the listener has its own copy
	if err := syscall.Listen(int(file.Fd()), syscall.SOMAXCONN); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", r.address, err)
	}
	return net.FileListener(file)
}

// release gives the port back, where it was not opened.
func (r *reservation) release() {
	if r.fd >= 0 {
		syscall.Close(r.fd)
		r.fd = -1
	}
}
