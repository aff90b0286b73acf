package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
)

// Ports of one control plane, all on 127.0.0.1.
type ports struct {
	etcd, etcdPeer, apiServer, controllerManager int
}

func freePorts() (ports, error) {
	var found [4]int
	for i := range found {
		port, err := freePort(found[:i])
		if err != nil {
			return ports{}, err
		}
		found[i] = port
	}
	return ports{etcd: found[0], etcdPeer: found[1], apiServer: found[2], controllerManager: found[3]}, nil
}

// freePort looks below the range that the kernel gives to outgoing connections. A port from that range (what listening
// on port 0 gives) could be taken by any client while a component restarts, even by one that is trying to reach it.
func freePort(taken []int) (int, error) {
	const span = 12000
	low := max(ephemeralStart()-span, 1024)
	for range 200 {
		port := low + rand.IntN(span)
		if !slices.Contains(taken, port) && bindable(port) {
			return port, nil
		}
	}
	return 0, errors.New("no free port on 127.0.0.1")
}

func ephemeralStart() int {
	start := 32768
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		fmt.Sscan(string(text), &start)
	}
	return start
}

func bindable(port int) bool {
	listener, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
