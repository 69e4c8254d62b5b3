package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/millpond/millpond/internal/rest"
)

const (
	dialTimeout    = 10 * time.Second
	requestTimeout = 30 * time.Second
	lookupTimeout  = 5 * time.Second
)

// errInside says that an address is one that webhooks may not reach.
var errInside = errors.New("the address is loopback, private or reserved: start the server with --webhooks-private to allow it")

// reserved are the networks that netip does not call private, but that are not
// on the open internet either.
var reserved = func() []netip.Prefix {
	var out []netip.Prefix
	for _, p := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "fec0::/10"} {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}()

// isOpen reports whether an address is on the open internet.
func isOpen(ip netip.Addr) bool {
	ip = embedded(ip.Unmap().WithZone(""))
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// embedded is the IPv4 address that a transition address (6to4, NAT64) leads to.
func embedded(ip netip.Addr) netip.Addr {
	if !ip.Is6() {
		return ip
	}
	b := ip.As16()
	switch {
	case b[0] == 0x20 && b[1] == 0x02: // 2002::/16
		return netip.AddrFrom4([4]byte(b[2:6]))
	case netip.MustParsePrefix("64:ff9b::/96").Contains(ip), netip.MustParsePrefix("::/96").Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:16]))
	}
	return ip
}

// client sends to the open internet alone: each address is checked when it is
// dialled, whatever its name meant before, and redirects are not followed.
func client(allowPrivate bool, trust *tls.Config) *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout}
	if !allowPrivate {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if !isOpen(at.Addr()) {
				return errInside
			}
			return nil
		}
	}
	return &http.Client{
		Timeout:       requestTimeout,
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: trust, TLSHandshakeTimeout: dialTimeout, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// checkURL refuses addresses that could not be used, as far as is known now.
func (s *Service) checkURL(ctx context.Context, text string) error {
	if strings.TrimSpace(text) == "" {
		return rest.Invalid("Webhook URL cannot be empty or just whitespace: '%s'", text)
	}
	u, err := url.Parse(text)
	if err != nil || len(text) > 2048 {
		return rest.Invalid("Invalid webhook URL '%s'", text)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !s.open) {
		return rest.Invalid("Invalid webhook URL scheme: '%s'. Allowed schemes are: https.", u.Scheme)
	}
	if u.Hostname() == "" {
		return rest.Invalid("Webhook URL must include a hostname: '%s'", text)
	}
	if s.open {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return rest.Invalid("Cannot resolve the hostname of webhook URL '%s'.", text)
	}
	for _, ip := range ips {
		if !isOpen(ip) {
			return rest.Invalid("Webhook URL '%s' must not lead to a loopback, private or reserved address: %s", text, fmt.Sprint(ip))
		}
	}
	return nil
}
