// Ports of the parts that listen, also of those that are processes of their own.
package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// reservation keeps a port for its part while the part does not listen: before it starts, and while it is closed.
// The socket is bound and does not listen, so connections are refused. Nothing else can bind the port, and the kernel gives it to no
// outgoing connection. A part of the same user that sets SO_REUSEPORT can listen at it.
type reservation struct {
	socket int
	port   int
	ip     string
}

func reserve(ip string) (*reservation, error) {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return nil, err
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("port on %s: %w", ip, err)
	}
	r := &reservation{socket: socket, ip: ip}
	if err := r.bind(address.As4()); err != nil {
		r.release()
		return nil, fmt.Errorf("port on %s: %w", ip, err)
	}
	return r, nil
}

// bind lets the kernel choose: it never chooses a port that another socket has, even if that socket shares it.
func (r *reservation) bind(ip [4]byte) error {
	if err := unix.SetsockoptInt(r.socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return err
	}
	if err := unix.Bind(r.socket, &unix.SockaddrInet4{Addr: ip}); err != nil {
		return err
	}
	bound, err := unix.Getsockname(r.socket)
	if err == nil {
		r.port = bound.(*unix.SockaddrInet4).Port
	}
	return err
}

func (r *reservation) address() string { return fmt.Sprintf("%s:%d", r.ip, r.port) }

func (r *reservation) url() string { return "https://" + r.address() }

// listen is for a part of this process.
func (r *reservation) listen() (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		if failed := raw.Control(func(socket uintptr) {
			err = unix.SetsockoptInt(int(socket), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}); failed != nil {
			return failed
		}
		return err
	}}
	return config.Listen(context.Background(), "tcp", r.address())
}

// release gives the port back. It is for the end of the lab.
func (r *reservation) release() {
	if r != nil && r.socket >= 0 {
		_ = unix.Close(r.socket)
		r.socket = -1
	}
}
