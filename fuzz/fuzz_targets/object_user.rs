//! The specification of an OAuthUser, judged by its definition and by the program.
#![no_main]

use clientele_fuzz::{admission, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| admission::agrees("OAuthUser", judge::user, bytes));
