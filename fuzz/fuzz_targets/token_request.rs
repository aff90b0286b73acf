//! The form and the `Authorization` header of a token request.
#![no_main]

use clientele::oauth::credentials::decode_basic;
use clientele::oauth::token::TokenRequest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = TokenRequest::parse(bytes);
    let _ = decode_basic(bytes);
});
