// The doors of the registries: a listener that can be closed, so that connections are refused, and opened again at its address.
package main

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// closePatience is how long requests that are under way may take when a door is closed.
const closePatience = time.Second

// door is a port and who serves there.
type door struct {
	place *reservation
	serve func() *http.Server

	mu       sync.Mutex
	listener net.Listener // nil when closed
	server   *http.Server
}

// openDoor begins to serve.
func openDoor(place *reservation, serve func() *http.Server) (*door, error) {
	d := &door{place: place, serve: serve}
	return d, d.open()
}

// open does nothing to a door that is open. Each opening has a server of its own: one that was closed does not serve again.
func (d *door) open() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener != nil {
		return nil
	}
	listener, err := d.place.listen()
	if err != nil {
		return err
	}
	d.listener, d.server = listener, d.serve()
	server := d.server
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return nil
}

// close refuses new connections at once, and ends those that there are. It does nothing to a door that is closed.
func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener == nil {
		return
	}
	d.listener.Close() // the server does it only when it has begun
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	_ = d.server.Shutdown(ctx)
	_ = d.server.Close()
	d.listener, d.server = nil, nil
}
