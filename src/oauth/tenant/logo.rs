//! The picture of a tenant, which its pages show by an address of its own: a page that held the picture would be as large
//! as it is, for everyone who opens one and reads nothing.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use crate::digest::digest_of;

/// The kinds of pictures, as in a `data:` URL.
const KINDS: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/svg+xml"];

/// As browsers read it: with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Bytes,
    /// Changes with the bytes; characters of a URL.
    pub version: Box<str>,
}

impl Logo {
    /// Reads a `data:` URL in Base64.
    pub fn of_data_url(url: &str) -> Option<Self> {
        let (media_type, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
        let media_type = KINDS.into_iter().find(|kind| *kind == media_type)?;
        let bytes = BASE64.decode(data).ok()?;
        let version = digest_of(url).chars().take(16).collect::<String>();
        Some(Self {
            media_type,
            bytes: bytes.into(),
            version: version.into(),
        })
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {})", self.media_type, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_read_and_its_version_changes_with_it() {
        let logo = Logo::of_data_url("data:image/png;base64,AAAB").unwrap();
        assert_eq!(
            (logo.media_type, &*logo.bytes),
            ("image/png", &[0, 0, 1][..])
        );
        let other = Logo::of_data_url("data:image/png;base64,AAAC").unwrap();
        assert_ne!(logo.version, other.version);
        for bad in [
            "https://tracker.example/x.png",
            "javascript:alert(1)",
            "data:text/html;base64,AAAA",
            "data:image/png,AAAA",
            "data:image/png;base64,A",
            "data:image/png;base64,\"",
        ] {
            assert_eq!(Logo::of_data_url(bad), None, "{bad}");
        }
    }
}
