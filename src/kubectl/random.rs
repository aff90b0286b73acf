//! Random bytes of this machine.

use aws_lc_rs::rand;

use crate::failure::Failure;

/// This many random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Failure::new("this machine has no random bytes"))?;
    Ok(bytes)
}
