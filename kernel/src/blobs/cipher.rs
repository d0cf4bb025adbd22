//! Keys and hashes of content. Each stored copy is encrypted under a key of its own, derived from the subject's
//! data key and the copy's number: bytes put in another copy's place do not open.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::id::{AccessClass, BlobId, KeyId, ObjectId};

/// A key of 32 bytes, wiped when dropped.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// The key under which one copy is encrypted.
pub(super) fn object_key(data_key: &Key, object: ObjectId) -> Key {
    let key = hmac::Key::new(hmac::HMAC_SHA256, data_key.as_slice());
    let mut out = Zeroizing::new([0; 32]);
    out.copy_from_slice(hmac::sign(&key, object.0.as_bytes()).as_ref());
    out
}

/// Keyed hash of content, computed as it passes.
pub(super) struct Address {
    key: hmac::Key,
    context: hmac::Context,
}

impl Address {
    pub fn new(key: &hmac::Key) -> Self {
        Self { key: key.clone(), context: hmac::Context::with_key(key) }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    pub fn finish(self) -> [u8; 32] {
        bytes(self.context.sign())
    }

    /// The name content gets with this address.
    pub fn name(self, key_id: KeyId, class: AccessClass) -> Name {
        let key = self.key.clone();
        let address = self.finish();
        let mut name = hmac::Context::with_key(&key);
        name.update(b"name/");
        name.update(key_id.0.as_bytes());
        name.update(class.to_string().as_bytes());
        name.update(&address);
        Name { id: BlobId(bytes(name.sign())), key_id, class, address }
    }
}

/// What content is called, and from what that follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    pub id: BlobId,
    pub key_id: KeyId,
    pub class: AccessClass,
    pub address: [u8; 32],
}

fn bytes(tag: hmac::Tag) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(tag.as_ref());
    out
}
