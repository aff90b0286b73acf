//! Frames of HTTP/2 (RFC 9113 section 4.1), as they lie on the wire.

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const CONTINUATION: u8 = 9;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
/// `:method GET`, `:scheme http`, `:path /` from the static table (RFC 7541 appendix A).
pub const GET_ROOT: &[u8] = &[0x82, 0x86, 0x84];

/// A frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The head of a GET of a path.
pub fn get(path: &str) -> Vec<u8> {
    let mut head = vec![0x82, 0x86, 0x04];
    // An integer with a prefix of seven bits (RFC 7541 section 5.1).
    let mut length = path.len();
    if length < 127 {
        head.push(length as u8);
    } else {
        head.push(127);
        length -= 127;
        while length >= 128 {
            head.push((length % 128 + 128) as u8);
            length /= 128;
        }
        head.push(length as u8);
    }
    head.extend(path.as_bytes());
    head
}
