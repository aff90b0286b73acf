//! Files of Dex as its export writes them.
#![no_main]

use clientele_kubectl::args::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| clientele_fuzz::import(Source::Dex, bytes));
