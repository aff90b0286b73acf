//! What one subscriber has of the address space.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// The beginning of an address: all of an IPv4 address; 64, 56 or 48 bits of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Prefix {
    bits: u128,
    length: u8,
}

/// How much of a bound the holder of a prefix may have, as a multiple of what one network may have.
const SHARES: [(u8, u32); 3] = [(64, 1), (56, 2), (48, 4)];

impl Prefix {
    fn of(address: Ipv6Addr, length: u8) -> Self {
        let bits = address.to_bits() & !(u128::MAX >> length);
        Self { bits, length }
    }

    /// The prefix as the part of a key.
    pub(crate) fn bytes(self) -> [u8; 17] {
        let mut bytes = [self.length; 17];
        bytes[..16].copy_from_slice(&self.bits.to_be_bytes());
        bytes
    }
}

/// An IPv4 address, or the /64 of an IPv6 address: what one household has at least.
pub(crate) fn network(address: IpAddr) -> Prefix {
    match address.to_canonical() {
        IpAddr::V4(v4) => Prefix {
            bits: v4.to_ipv6_mapped().to_bits(),
            length: 128,
        },
        IpAddr::V6(v6) => Prefix::of(v6, 64),
    }
}

/// Every prefix that one subscriber may hold whole, with its multiple of a bound. Providers give a household a /64, a /56
/// or a /48 (RFC 6177), so a bound of the /64 alone is 65,536 times as large for the holder of a /48.
pub(crate) fn prefixes(address: IpAddr) -> impl Iterator<Item = (Prefix, u32)> {
    let (narrow, wide) = match address.to_canonical() {
        IpAddr::V4(_) => (network(address), None),
        IpAddr::V6(v6) => (network(address), Some(v6)),
    };
    let wider = wide.into_iter().flat_map(|v6| {
        let longer = SHARES.iter().skip(1);
        longer.map(move |(length, share)| (Prefix::of(v6, *length), *share))
    });
    std::iter::once((narrow, 1)).chain(wider)
}

/// How much each holder of a prefix has of something that is bounded.
#[derive(Debug, Default)]
pub(crate) struct PrefixCounts(HashMap<Prefix, usize>);

impl PrefixCounts {
    /// Counts one more for every prefix of an address.
    pub(crate) fn add(&mut self, address: IpAddr) {
        for (prefix, _) in prefixes(address) {
            *self.0.entry(prefix).or_default() += 1;
        }
    }

    /// Takes back what [`Self::add`] counted.
    pub(crate) fn remove(&mut self, address: IpAddr) {
        for (prefix, _) in prefixes(address) {
            if let Some(count) = self.0.get_mut(&prefix) {
                *count -= 1;
                if *count == 0 {
                    self.0.remove(&prefix);
                }
            }
        }
    }

    /// How much the holder of a prefix has.
    pub(crate) fn of(&self, prefix: Prefix) -> usize {
        self.0.get(&prefix).copied().unwrap_or(0)
    }

    /// Whether the holder of a prefix has that many times the share of one network.
    pub(crate) fn is_full(&self, (prefix, times): (Prefix, u32), share: usize) -> bool {
        self.of(prefix) >= share * times as usize
    }

    /// How many prefixes have something.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Prefix {
        network(text.parse().unwrap())
    }

    #[test]
    fn an_ipv6_subscriber_is_one_however_many_addresses_he_has() {
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::9"), of("2001:db8:1:3::9"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.2"), of("192.0.2.1"));
    }

    #[test]
    fn q04_a_subscriber_may_hold_a_64_a_56_or_a_48() {
        let all = |text: &str| prefixes(text.parse().unwrap()).collect::<Vec<_>>();
        let (one, near, far) = (
            all("2001:db8:1:200::1"),
            all("2001:db8:1:2ff::1"),
            all("2001:db8:1:300::1"),
        );
        assert_eq!(
            one.iter().map(|(_, share)| *share).collect::<Vec<_>>(),
            [1, 2, 4]
        );
        assert_ne!(one[0], near[0]);
        assert_eq!((one[1], one[2]), (near[1], near[2]));
        assert_ne!(one[1], far[1]);
        assert_eq!(one[2], far[2]);
        assert_eq!(all("192.0.2.1").len(), 1);
        assert_eq!(all("::ffff:192.0.2.1"), all("192.0.2.1"));
    }
}
