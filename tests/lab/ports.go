// Free ports for the parts that open their own listener.
package main

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// freePort looks below the range the kernel gives to outgoing connections, so that nothing takes the
// port between this check and the listener that wants it; the random start keeps labs apart.
func freePort(ip string) (int, error) {
	for range 200 {
		port := 20000 + rand.IntN(12000)
		listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", ip, port))
		if err != nil {
			continue
		}
		listener.Close()
		return port, nil
	}
	return 0, fmt.Errorf("no free port on %s", ip)
}
