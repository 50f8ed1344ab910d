//! Secrets: login tokens, password hashes, and the limiter that slows down guessing.

use sha2::{Digest, Sha256};

use crate::store::TokenHash;

mod limiter;
mod password;

pub use limiter::{Attempt, LoginLimiter};
pub use password::{Passwords, new_salt};

/// Bytes of randomness in a token.
const TOKEN_BYTES: usize = 32;

/// A login token: 256 random bits in lower-case hexadecimal. Shown once, stored only as its hash.
pub struct Token(String);

impl Token {
    /// Generates a token.
    pub fn new(randomness: &dyn Fn(&mut [u8])) -> Self {
        let mut bytes = [0; TOKEN_BYTES];
        randomness(&mut bytes);
        Self(TokenHash(bytes).to_hex())
    }

    /// Parses a token. Returns `None` if the text cannot be a token.
    pub fn parse(text: &str) -> Option<Self> {
        let hexadecimal = text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (text.len() == 2 * TOKEN_BYTES && hexadecimal).then(|| Self(text.to_owned()))
    }

    /// Returns the hash, which is what the stores keep.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// Returns the secret, for its owner.
    pub fn into_secret(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn counting(bytes: &mut [u8]) {
        for (at, byte) in (0..).zip(bytes) {
            *byte = at;
        }
    }

    #[test]
    fn token_has_256_bits_and_a_hash() {
        let token = Token::new(&counting);
        let hash = token.hash();
        let secret = token.into_secret();
        assert_eq!(secret.len(), 64);
        assert!(secret.starts_with("000102030405"));
        let read = Token::parse(&secret).expect("a token that was issued");
        assert_eq!(read.hash(), hash);
        assert_ne!(hash.to_hex(), secret);
    }

    #[rstest]
    #[case("")]
    #[case("00")]
    #[case(&"0".repeat(63))]
    #[case(&"0".repeat(65))]
    #[case(&"G".repeat(64))]
    #[case(&"A".repeat(64))]
    #[case(&"é".repeat(32))]
    fn malformed_token_is_rejected(#[case] text: &str) {
        assert!(Token::parse(text).is_none());
    }
}
