//! Whose forwarding headers are believed (RFC 7239, `X-Forwarded-For`): of no peer, unless the operator of the
//! server named the networks of its proxies (RFC 9700 §4.13).

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

/// The networks of trusted proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Arc<[Network]>);

impl TrustedProxies {
    /// These and no others.
    pub fn new(networks: &[Network]) -> Self {
        Self(networks.into())
    }

    /// Whether a peer of this address is a proxy whose headers are believed.
    pub fn contains(&self, peer: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(peer))
    }

    /// From where a request comes: the last address of `X-Forwarded-For` that is no proxy of ours, as far back as our
    /// proxies lead. Whatever stands before it was written by a stranger.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut from = peer;
        let lists = headers.get_all("x-forwarded-for").iter().rev();
        let hops = lists.flat_map(|list| list.as_bytes().rsplit(|&b| b == b','));
        for hop in hops {
            if !self.contains(from) {
                break;
            }
            let hop = std::str::from_utf8(hop).ok();
            let Some(hop) = hop.and_then(|hop| hop.trim().parse().ok()) else {
                break;
            };
            from = hop;
        }
        from
    }
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
