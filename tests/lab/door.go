// The doors of the registries: a listener that can be closed, so that connections are refused, and opened again at its address.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

const (
	// closePatience is how long requests that are under way may take when a door is closed.
	closePatience = time.Second
	// openPatience is how long the address may be in use when a door is opened.
	openPatience = 3 * time.Second
)

// door is one listener and who serves behind it.
type door struct {
	address string
	serve   func() *http.Server

	mu       sync.Mutex
	listener net.Listener // nil when closed
	server   *http.Server
}

// listenBelow takes a port that the kernel gives to nobody else, so that it is still free when a closed door is opened.
func listenBelow(ip string) (net.Listener, error) {
	var listener net.Listener
	for range 20 {
		port, err := freePort(ip)
		if err != nil {
			return nil, err
		}
		if listener, err = net.Listen("tcp", fmt.Sprintf("%s:%d", ip, port)); err == nil {
			return listener, nil
		}
	}
	return nil, fmt.Errorf("no port to listen at on %s", ip)
}

// openDoor begins to serve. Each opening has a server of its own: one that was closed does not serve again.
func openDoor(listener net.Listener, serve func() *http.Server) *door {
	d := &door{address: listener.Addr().String(), serve: serve}
	d.begin(listener)
	return d
}

func (d *door) begin(listener net.Listener) {
	d.listener, d.server = listener, d.serve()
	server := d.server
	go func() { _ = server.ServeTLS(listener, "", "") }()
}

// open does nothing to a door that is open.
func (d *door) open() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener != nil {
		return nil
	}
	end := time.Now().Add(openPatience)
	for {
		listener, err := net.Listen("tcp", d.address)
		if err == nil {
			d.begin(listener)
			return nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(end) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// close refuses new connections at once, and ends those that there are. It does nothing to a door that is closed.
func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener == nil {
		return
	}
	d.listener.Close()
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	_ = d.server.Shutdown(ctx)
	_ = d.server.Close()
	d.listener, d.server = nil, nil
}
