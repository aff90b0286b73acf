//! Password hashes that people bring in Secrets (PHC strings, bcrypt), and passwords themselves.
#![no_main]

use clientele_oauth::user::password;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Some(Ok(hash)) = password::secret_value::parse_hash(text) else {
        return;
    };
    if is_cheap(text) {
        let _ = password::verify(Some(&hash), "password");
    }
});

/// What was accepted may cost 64 MiB and eight passes; the fuzzer has not that much time.
fn is_cheap(hash: &str) -> bool {
    let of = |name: &str| {
        let value = hash
            .split(['$', ','])
            .find_map(|part| part.strip_prefix(name));
        value
            .and_then(|value| value.parse::<u32>().ok())
            .unwrap_or(u32::MAX)
    };
    hash.starts_with("$2b$08$")
        || of("i=") <= 20_000
        || (of("m=") <= 8192 && of("t=") <= 2 && of("p=") <= 4)
}
