//! Ed25519 keys of signed notes and their text forms (C2SP signed-note). The notes themselves are in `note`;
//! where a secret key is kept is left to the callers.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::hash::sha256;

/// The algorithm byte of plain Ed25519 in key identifiers and key texts.
pub const ALGORITHM_ED25519: u8 = 0x01;

/// Why a key text or key name was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A key name is empty or holds white space, a control character or `+`.
    #[error("the key name is empty or holds white space, a control character or '+'")]
    Name,
    /// Not of the form `name+hash+key` (or, for a secret, `PRIVATE+KEY+name+hash+key`).
    #[error("the text is not a key in the form of a signed note")]
    Form,
    /// The algorithm byte is not Ed25519, or the key has a wrong length.
    #[error("the key is not an Ed25519 key")]
    Algorithm,
    /// The key identifier in the text is not the one of this name and key.
    #[error("the key identifier does not belong to this name and key")]
    Identifier,
}

/// The signing device did not sign.
#[derive(Debug, thiserror::Error)]
#[error("the log could not be signed")]
pub struct SignError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Something that signs notes: a key in memory, or a device that keeps its key to itself.
pub trait Signer: Send + Sync {
    /// The public half, with the name.
    fn verifying_key(&self) -> &VerifyingKey;
    /// The Ed25519 signature over these bytes.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// The public key of a log or witness, with its name.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    public: [u8; 32],
    id: [u8; 4],
}

impl VerifyingKey {
    /// Names a public key.
    pub fn new(name: &str, public: [u8; 32]) -> Result<VerifyingKey, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
        Ok(VerifyingKey { name: name.to_owned(), public, id: key_id(name, &public) })
    }

    /// Reads the form `<name>+<hash>+<key>`, strictly: what it accepts, `Display` gives back byte for byte.
    pub fn parse(text: &str) -> Result<VerifyingKey, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        let key = VerifyingKey::new(name, decode_key(key)?)?;
        if hex_id(&key.id) == id { Ok(key) } else { Err(KeyError::Identifier) }
    }

    /// The name, which for a log is its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The raw public key.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The first four bytes of SHA-256(name ‖ `\n` ‖ algorithm ‖ public key).
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Whether this is the key's signature over these bytes.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public).verify(message, signature).is_ok()
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, hex_id(&self.id), encode_key(&self.public))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({self})")
    }
}

/// A secret key held in memory.
pub struct SigningKey {
    verifying: VerifyingKey,
    pair: Ed25519KeyPair,
    seed: Zeroizing<[u8; 32]>,
}

impl SigningKey {
    /// Names the key that grows from 32 secret bytes (RFC 8032 §5.1.5); the caller draws them at random.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<SigningKey, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Algorithm)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Algorithm)?;
        let verifying = VerifyingKey::new(name, public)?;
        Ok(SigningKey { verifying, pair, seed: Zeroizing::new(*seed) })
    }

    /// Reads the form `PRIVATE+KEY+<name>+<hash>+<key>`.
    pub fn parse(text: &str) -> Result<SigningKey, KeyError> {
        let mut parts = text.strip_prefix("PRIVATE+KEY+").ok_or(KeyError::Form)?.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        let key = SigningKey::from_seed(name, &Zeroizing::new(decode_key(key)?))?;
        if hex_id(&key.verifying.id) == id { Ok(key) } else { Err(KeyError::Identifier) }
    }

    /// The secret text form, for a store that seals it. Never for a log or a message.
    pub fn secret_text(&self) -> Zeroizing<String> {
        let id = hex_id(&self.verifying.id);
        Zeroizing::new(format!("PRIVATE+KEY+{}+{}+{}", self.verifying.name, id, encode_key(&self.seed)))
    }
}

impl Signer for SigningKey {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        self.pair.sign(message).as_ref().try_into().map_err(|e| SignError(Box::new(e)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifying.name)
    }
}

pub(crate) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control())
}

fn key_id(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let hash = sha256(&[name.as_bytes(), b"\n", &[ALGORITHM_ED25519], public]);
    [hash.0[0], hash.0[1], hash.0[2], hash.0[3]]
}

fn hex_id(id: &[u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(*id))
}

fn encode_key(key: &[u8; 32]) -> String {
    let mut bytes = Zeroizing::new([ALGORITHM_ED25519; 33]);
    bytes[1..].copy_from_slice(key);
    STANDARD.encode(bytes.as_slice())
}

fn decode_key(text: &str) -> Result<[u8; 32], KeyError> {
    let bytes = Zeroizing::new(STANDARD.decode(text).map_err(|_| KeyError::Form)?);
    match bytes.split_first() {
        Some((&ALGORITHM_ED25519, key)) => key.try_into().map_err(|_| KeyError::Algorithm),
        _ => Err(KeyError::Algorithm),
    }
}
