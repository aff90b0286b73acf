//! The memory in which argon2 works, which is used again: a piece of 19 MiB that is taken and given back for each password
//! leaves the heap of every processor as large as the most that was taken there.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::OWN_MEMORY_KIB;

/// The memory that a hash may ask for, in KiB; what is brought is refused above it.
pub(super) const MAX_MEMORY_KIB: u32 = 64 * 1024;

/// The memory of one thread that hashes. It takes none before the first hash, and never more than our own hashes need.
#[derive(Default)]
pub struct HashingMemory(Vec<Block>);

impl fmt::Debug for HashingMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashingMemory({} KiB)", self.0.len())
    }
}

impl HashingMemory {
    /// Hashes a password. `None` if the parameters are out of bounds.
    pub(super) fn argon2id(
        &mut self,
        params: &Params,
        version: Version,
        password: &str,
        salt: &[u8],
        output: &mut [u8],
    ) -> Option<()> {
        if params.m_cost() > MAX_MEMORY_KIB {
            return None;
        }
        let argon2 = Argon2::new(Algorithm::Argon2id, version, params.clone());
        let blocks = params.block_count();
        let password = password.as_bytes();
        let done = if params.m_cost() > OWN_MEMORY_KIB {
            // Rare: the first success replaces a brought hash by one of ours.
            let mut more = vec![Block::new(); blocks];
            argon2.hash_password_into_with_memory(password, salt, output, &mut more)
        } else {
            if self.0.len() < blocks {
                self.0.reserve_exact(OWN_MEMORY_KIB as usize - self.0.len());
                self.0.resize(OWN_MEMORY_KIB as usize, Block::new());
            }
            let memory = &mut self.0[..blocks];
            argon2.hash_password_into_with_memory(password, salt, output, memory)
        };
        done.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{hash_with, verify_with};
    use super::*;
    use crate::user::PasswordHash;

    fn of_cost(memory_kib: u32) -> PasswordHash {
        let bytes = "AAECAwQFBgcICQoLDA0ODw";
        let hash = format!("$argon2id$v=19$m={memory_kib},t=1,p=1${bytes}${bytes}");
        PasswordHash(hash.into())
    }

    #[test]
    fn q01_a_thread_keeps_one_piece_of_memory_whatever_it_hashes() {
        let memory = &mut HashingMemory::default();
        assert_eq!(memory.0.capacity(), 0);
        assert!(hash_with(memory, "password", &[1; 16]).is_some());
        let place = memory.0.as_ptr();
        for kib in [64, 19 * 1024, 20 * 1024, 1024, 8] {
            assert!(!verify_with(memory, Some(&of_cost(kib)), "password"));
            assert!(!verify_with(memory, None, "password"));
            assert_eq!(memory.0.as_ptr(), place);
            assert_eq!(memory.0.capacity(), OWN_MEMORY_KIB as usize);
        }
    }

    #[test]
    fn q01_no_stored_hash_asks_for_more_than_the_cap() {
        let memory = &mut HashingMemory::default();
        let params = |kib| Params::new(kib, 1, 1, None).unwrap();
        let mut hashed = |kib| {
            let mut output = [0; 32];
            memory.argon2id(&params(kib), Version::V0x13, "x", &[0; 16], &mut output)
        };
        assert_eq!(hashed(64 * 1024), Some(()));
        assert_eq!(hashed(64 * 1024 + 1), None);
        let costly = of_cost(4_000_000);
        assert!(!verify_with(memory, Some(&costly), "x"), "nothing is taken");
    }
}
