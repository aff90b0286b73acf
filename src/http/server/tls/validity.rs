//! When a certificate ends (RFC 5280 §4.1.2.5). Nothing else of it is read, so this is no parser of certificates.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

const SEQUENCE: u8 = 0x30;
const EXPLICIT_VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` of a certificate in DER; `None` if it cannot be read.
pub(super) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = expect(certificate, SEQUENCE)?;
    let (mut rest, _) = expect(certificate, SEQUENCE)?;
    // [0] version, serial number, signature algorithm, issuer; then the validity.
    if rest.first() == Some(&EXPLICIT_VERSION) {
        (_, rest) = expect(rest, EXPLICIT_VERSION)?;
    }
    for _ in 0..3 {
        (_, _, rest) = element(rest)?;
    }
    let (validity, _) = expect(rest, SEQUENCE)?;
    let (_, _, rest) = element(validity)?;
    let (tag, time, _) = element(rest)?;
    timestamp(tag, std::str::from_utf8(time).ok()?)
}

/// `YYMMDDHHMMSSZ`, or `YYYYMMDDHHMMSSZ`; two digits mean 1950 to 2049.
fn timestamp(tag: u8, time: &str) -> Option<Timestamp> {
    let digits = time.strip_suffix('Z')?;
    if !digits.is_ascii() {
        return None;
    }
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = digits.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = digits.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let two = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
    let date = DateTime::new(year, two(0)?, two(2)?, two(4)?, two(6)?, two(8)?, 0).ok()?;
    Offset::UTC.to_timestamp(date).ok()
}

fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(bytes)?;
    (found == tag).then_some((content, rest))
}

/// Tag and content of the first element, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, bytes) = bytes.split_first()?;
    let (&first, bytes) = bytes.split_first()?;
    let (length, bytes) = match first {
        0..=0x7f => (usize::from(first), bytes),
        0x81..=0x84 => {
            let (length, bytes) = bytes.split_at_checked(usize::from(first & 0x7f))?;
            let length = length
                .iter()
                .fold(0, |all, byte| all << 8 | usize::from(*byte));
            (length, bytes)
        }
        _ => return None,
    };
    let (content, rest) = bytes.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn o17_times_of_both_forms_are_read() {
        let at = |tag, text| timestamp(tag, text).map(|time| time.to_string());
        assert_eq!(
            at(UTC_TIME, "261130055800Z").as_deref(),
            Some("2026-11-30T05:58:00Z")
        );
        assert_eq!(
            at(UTC_TIME, "991231235959Z").as_deref(),
            Some("1999-12-31T23:59:59Z")
        );
        assert_eq!(
            at(GENERALIZED_TIME, "20991231235959Z").as_deref(),
            Some("2099-12-31T23:59:59Z")
        );
        for bad in [
            "",
            "Z",
            "2611300558Z",
            "261130055800",
            "26é130055800Z",
            "261330055800Z",
        ] {
            assert_eq!(at(UTC_TIME, bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn o17_any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = not_after(&bytes);
        }
    }
}
