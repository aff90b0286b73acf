package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"time"
)

const (
	clusterDomain = "cluster.local"
	dnsTTL        = 5 // seconds, as CoreDNS has it
)

// Numbers of RFC 1035.
const (
	dnsHeader   = 12
	dnsTypeA    = 1
	dnsNotFound = 3
)

// serveDNS answers for Services of the cluster, and for nothing else: no name outside can be reached.
func (c *controlPlane) serveDNS(ctx context.Context) (net.PacketConn, error) {
	listener, err := net.ListenPacket("udp", nodeAddress+":53")
	if err != nil {
		return nil, err
	}
	go func() {
		query := make([]byte, 512)
		for {
			length, from, err := listener.ReadFrom(query)
			if err != nil {
				return
			}
			question := append([]byte(nil), query[:length]...)
			go func() {
				if answer := answerDNS(question, func(name string) netip.Addr { return c.serviceAddress(ctx, name) }); answer != nil {
					listener.WriteTo(answer, from)
				}
			}()
		}
	}()
	return listener, nil
}

// answerDNS answers the one question of a query; nil where it is none.
func answerDNS(query []byte, address func(name string) netip.Addr) []byte {
	if len(query) < dnsHeader || binary.BigEndian.Uint16(query[4:]) != 1 {
		return nil
	}
	name, end := dnsName(query)
	if name == "" || len(query) < end+4 {
		return nil
	}
	answer := append([]byte(nil), query[:end+4]...)
	found := address(name)
	flags := uint16(0x8580) // an authoritative answer, recursion as it was asked for
	if !found.IsValid() {
		flags |= dnsNotFound
	}
	isA := found.IsValid() && binary.BigEndian.Uint16(query[end:]) == dnsTypeA
	binary.BigEndian.PutUint16(answer[2:], flags)
	for i := 6; i < dnsHeader; i++ {
		answer[i] = 0
	}
	if isA {
		answer[7] = 1
		answer = append(answer, 0xc0, dnsHeader, 0, dnsTypeA, 0, 1, 0, 0, 0, dnsTTL, 0, 4)
		answer = append(answer, found.AsSlice()...)
	}
	return answer
}

// dnsName is the name that a query asks for, and where it ends.
func dnsName(query []byte) (string, int) {
	var labels []string
	for at := dnsHeader; at < len(query); {
		length := int(query[at])
		at++
		if length == 0 {
			return strings.ToLower(strings.Join(labels, ".")), at
		}
		if length > 63 || at+length > len(query) {
			break
		}
		labels = append(labels, string(query[at:at+length]))
		at += length
	}
	return "", 0
}

// serviceAddress is the address of NAME.NAMESPACE.svc.cluster.local.
func (c *controlPlane) serviceAddress(ctx context.Context, name string) netip.Addr {
	labels := strings.Split(strings.TrimSuffix(name, "."+clusterDomain), ".")
	if !strings.HasSuffix(name, ".svc."+clusterDomain) || len(labels) != 3 {
		return netip.Addr{}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	text, err := c.fetch(ctx, c.server()+"/api/v1/namespaces/"+labels[1]+"/services/"+labels[0])
	if err != nil {
		return netip.Addr{}
	}
	var service struct{ Spec struct{ ClusterIP string } }
	if json.Unmarshal(text, &service) != nil {
		return netip.Addr{}
	}
	address, _ := netip.ParseAddr(service.Spec.ClusterIP)
	return address
}
