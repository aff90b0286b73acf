//! Whose forwarding header is believed (`X-Forwarded-For`, or `Forwarded` of RFC 7239): of no peer, unless the operator of
//! the server named the networks of its proxies, or how many there are (RFC 9700 §4.13).
//!
//! One header is read and never the other: a proxy replaces or extends the one that it knows, and hands the other on as a
//! stranger wrote it.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use axum::http::HeaderMap;

/// A network in CIDR notation (RFC 4632), or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: u128,
    mask: u128,
    is_v4: bool,
}

impl Network {
    /// Whether the address belongs to the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (bits, is_v4) = bits(address);
        is_v4 == self.is_v4 && bits & self.mask == self.address
    }
}

/// An address as a number; an IPv4 address in IPv6 clothes is the IPv4 address.
fn bits(address: IpAddr) -> (u128, bool) {
    match address.to_canonical() {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), true),
        IpAddr::V6(v6) => (Ipv6Addr::to_bits(v6), false),
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let problem =
            || format!("{text:?} is no network; write one such as 10.0.0.0/8 or fd00::/8");
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| problem())?;
        let (bits, is_v4) = bits(address);
        let width: u32 = if is_v4 { 32 } else { 128 };
        let length = match length {
            Some(length) => length.parse().map_err(|_| problem())?,
            None => width,
        };
        let host = width.checked_sub(length).ok_or_else(problem)?;
        let mask = u128::MAX.checked_shl(host).unwrap_or(0);
        if bits & !mask != 0 {
            return Err(format!(
                "{text:?} has bits of a host; write the network itself"
            ));
        }
        Ok(Self {
            address: bits,
            mask,
            is_v4,
        })
    }
}

/// The header in which the proxies say from where a request comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Which proxies are trusted, and what they send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Arc<[Network]>,
    hops: usize,
    header: ForwardingHeader,
}

impl TrustedProxies {
    /// Those of these networks and no others.
    pub fn new(networks: &[Network]) -> Self {
        Self {
            networks: networks.into(),
            ..Self::default()
        }
    }

    /// This many proxies stand in front, whatever their addresses, and the server can be reached through all of them only.
    #[must_use]
    pub fn with_hops(self, hops: usize) -> Self {
        Self { hops, ..self }
    }

    /// They send this header.
    #[must_use]
    pub fn with_header(self, header: ForwardingHeader) -> Self {
        Self { header, ..self }
    }

    /// Whether a peer of this address is a proxy whose header is believed.
    pub fn contains(&self, peer: IpAddr) -> bool {
        self.hops > 0 || self.networks.iter().any(|network| network.contains(peer))
    }

    /// From where a request comes: the last address of the header that is no proxy of ours, as far back as our proxies
    /// lead. Whatever stands before it was written by a stranger.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let mut from = peer;
        for (hop, before) in self.addresses(headers).into_iter().enumerate() {
            let is_ours = if self.hops > 0 {
                hop < self.hops
            } else {
                self.contains(from)
            };
            let (true, Some(before)) = (is_ours, before) else {
                break;
            };
            from = before;
        }
        from
    }

    /// The addresses of the header, the last first; `None` where something else stands.
    fn addresses(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let (name, read): (_, fn(&str) -> Option<IpAddr>) = match self.header {
            ForwardingHeader::XForwardedFor => ("x-forwarded-for", address),
            ForwardingHeader::Forwarded => ("forwarded", forwarded_for),
        };
        let lists = headers.get_all(name).iter().rev();
        let hops = lists.flat_map(|list| {
            // What is not ASCII is no address, and whatever stands before it is not ours.
            let list = list.to_str().unwrap_or("?");
            split(list, ',').into_iter().rev()
        });
        hops.map(read).collect()
    }
}

/// The parts between separators that stand in no quoted string (RFC 9110 §5.6.4).
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let is_separator = |character: char| {
        let here = !quoted && character == separator;
        quoted ^= character == '"' && !escaped;
        escaped = quoted && character == '\\' && !escaped;
        here
    };
    text.split(is_separator).collect()
}

/// `for=` of an element of `Forwarded` (RFC 7239 §4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = split(element, ';');
    let mut nodes = pairs.into_iter().filter_map(|pair| {
        let (name, node) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(node)
    });
    let (Some(node), None) = (nodes.next(), nodes.next()) else {
        return None;
    };
    address(node)
}

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`, each
/// also in quotes (RFC 7239 §6).
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let unquoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let text = unquoted.unwrap_or(text);
    if let Some(rest) = text.strip_prefix('[') {
        let (v6, port) = rest.split_once(']')?;
        let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return is_port.then(|| v6.parse().ok().map(IpAddr::V6)).flatten();
    }
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let (v4, port) = text.split_once(':')?;
    is_port(port)
        .then(|| v4.parse().ok().map(IpAddr::V4))
        .flatten()
}

/// A port, or a name that a proxy made up in its place (RFC 7239 §6.2).
fn is_port(text: &str) -> bool {
    let made_up = text.strip_prefix('_');
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    text.parse::<u16>().is_ok()
        || made_up.is_some_and(|name| !name.is_empty() && name.chars().all(is_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(text: &str) -> TrustedProxies {
        let networks: Vec<Network> = text.split(',').map(|n| n.parse().unwrap()).collect();
        TrustedProxies::new(&networks)
    }

    #[test]
    fn c16_nobody_is_trusted_who_was_not_named() {
        let peer = |text: &str| text.parse().unwrap();
        assert!(!TrustedProxies::default().contains(peer("127.0.0.1")));
        let proxies = proxies("10.1.0.0/16,fd00::/8,192.0.2.7");
        for inside in ["10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "192.0.2.7"] {
            assert!(proxies.contains(peer(inside)), "{inside}");
        }
        for outside in ["10.2.0.1", "fc00::1", "192.0.2.8", "::1", "::a01:203"] {
            assert!(!proxies.contains(peer(outside)), "{outside}");
        }
        assert!(super::tests::proxies("0.0.0.0/0").contains(peer("8.8.8.8")));
        assert!(!super::tests::proxies("0.0.0.0/0").contains(peer("fd00::1")));
    }

    #[test]
    fn c16_a_forwarded_address_is_believed_as_far_as_our_proxies_lead() {
        let proxies = proxies("10.0.0.0/8");
        for (peer, forwarded, expected) in [
            ("192.0.2.1", &["198.51.100.1"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1,10.0.0.2"], "198.51.100.1"),
            (
                "10.0.0.1",
                &["203.0.113.9", "198.51.100.1, 10.0.0.2"],
                "198.51.100.1",
            ),
            ("10.0.0.1", &["203.0.113.9, evil, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["evil"], "10.0.0.1"),
            ("10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
        ] {
            let mut headers = HeaderMap::new();
            for list in forwarded {
                headers.append("x-forwarded-for", list.parse().unwrap());
            }
            let from = proxies.client(peer.parse().unwrap(), &headers);
            assert_eq!(from, expected.parse::<IpAddr>().unwrap(), "{forwarded:?}");
        }
    }

    #[test]
    fn q08_addresses_are_read_in_every_written_form() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            (" 192.0.2.1:4711 ", Some("192.0.2.1")),
            ("\"192.0.2.1:4711\"", Some("192.0.2.1")),
            ("192.0.2.1:_edge-1", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("\"[2001:db8::1]:443\"", Some("2001:db8::1")),
            ("192.0.2.1:", None),
            ("192.0.2.1:99999", None),
            ("192.0.2.1:80:80", None),
            ("[192.0.2.1]", None),
            ("[2001:db8::1", None),
            ("[2001:db8::1]443", None),
            ("unknown", None),
            ("_hidden", None),
            ("\"192.0.2.1", None),
            ("", None),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(address(text), expected, "{text:?}");
        }
    }

    #[test]
    fn q08_forwarded_is_read_as_rfc_7239_writes_it() {
        let proxies = proxies("10.0.0.0/8").with_header(ForwardingHeader::Forwarded);
        for (forwarded, expected) in [
            (
                &["for=192.0.2.60;proto=http;by=203.0.113.43"][..],
                "192.0.2.60",
            ),
            (&["For=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"),
            (&["for=192.0.2.43, for=198.51.100.17"], "198.51.100.17"),
            (
                &[
                    "for=192.0.2.43",
                    "proto=https;for=198.51.100.17, for=10.0.0.2",
                ],
                "198.51.100.17",
            ),
            (&["for=192.0.2.43, for=unknown"], "10.0.0.1"),
            (&["for=192.0.2.43, proto=http"], "10.0.0.1"),
            (&["for=192.0.2.43;for=192.0.2.44"], "10.0.0.1"),
            // A separator within quotes separates nothing, so nothing can be planted there.
            (&["for=192.0.2.1;x=\"a, for=198.51.100.9\""], "192.0.2.1"),
            (
                &["for=192.0.2.1;x=\"a\\\", for=198.51.100.9\""],
                "192.0.2.1",
            ),
        ] {
            let mut headers = HeaderMap::new();
            // The other header is a stranger's.
            headers.append("x-forwarded-for", "203.0.113.66".parse().unwrap());
            for list in forwarded {
                headers.append("forwarded", list.parse().unwrap());
            }
            let from = proxies.client("10.0.0.1".parse().unwrap(), &headers);
            assert_eq!(from, expected.parse::<IpAddr>().unwrap(), "{forwarded:?}");
        }
    }

    #[test]
    fn q08_a_number_of_proxies_may_stand_for_their_networks() {
        for (hops, forwarded, expected) in [
            (0, "203.0.113.9, 198.51.100.1", "192.0.2.1"),
            (1, "203.0.113.9, 198.51.100.1:4711", "198.51.100.1"),
            (2, "203.0.113.9, 198.51.100.1, 192.0.2.7", "198.51.100.1"),
            (3, "198.51.100.1", "198.51.100.1"),
            (1, "203.0.113.9, evil", "192.0.2.1"),
        ] {
            let proxies = TrustedProxies::default().with_hops(hops);
            let mut headers = HeaderMap::new();
            headers.append("x-forwarded-for", forwarded.parse().unwrap());
            headers.append("forwarded", "for=203.0.113.66".parse().unwrap());
            let from = proxies.client("192.0.2.1".parse().unwrap(), &headers);
            assert_eq!(
                from,
                expected.parse::<IpAddr>().unwrap(),
                "{hops} {forwarded}"
            );
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "fd00::/129",
            "proxy",
            "10.0.0.0/8/8",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad:?}");
        }
    }
}
