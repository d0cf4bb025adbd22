//! The master key and what hangs on it: sealing of secrets at rest, derived keys, keyed digests. The key comes
//! from a file or a systemd credential (later: PKCS#11) and never enters a backup.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base::error::{Error, Result};
use base::random::Random;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The province's master key.
pub struct Keys {
    master: Zeroizing<[u8; 32]>,
}

/// The sealed bytes were altered, belong elsewhere or were sealed under another key.
#[derive(Debug, thiserror::Error)]
#[error("sealed data cannot be opened: altered, of another purpose, or under another master key")]
pub struct CannotOpen;

impl Keys {
    /// Reads the key file, or makes it (mode 0600, synced) when `create` and it is not there.
    pub fn load(path: &Path, create: Option<&dyn Random>) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => match create {
                Some(random) => Self::create(path, random),
                None => Err(Error::internal(format!("the master key {} is missing", path.display()))),
            },
            Err(e) => Err(Error::internal(e)),
        }
    }

    /// A key given directly: for tests.
    pub fn from_bytes(master: [u8; 32]) -> Self {
        Self { master: Zeroizing::new(master) }
    }

    fn parse(path: &Path, text: &str) -> Result<Self> {
        let mode = std::fs::metadata(path)?.permissions().mode();
        // systemd lends a credential by an access list, whose mask shows as the group's right to read.
        let lent = std::env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|dir| path.starts_with(dir));
        let others = if lent { 0o037 } else { 0o077 };
        if mode & others != 0 {
            return Err(Error::internal(format!(
                "the master key {} can be read by others; run chmod 600 on it",
                path.display()
            )));
        }
        let raw = Zeroizing::new(STANDARD.decode(text.trim()).map_err(Error::internal)?);
        let master: [u8; 32] = raw.as_slice().try_into().map_err(|_| {
            Error::internal(format!("the master key {} does not hold 32 bytes", path.display()))
        })?;
        Ok(Self::from_bytes(master))
    }

    fn create(path: &Path, random: &dyn Random) -> Result<Self> {
        let master = base::random::bytes::<32>(random);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(STANDARD.encode(master).as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        if let Some(dir) = path.parent() {
            std::fs::File::open(dir)?.sync_all()?;
        }
        Ok(Self::from_bytes(master))
    }

    /// A 32-byte key for one purpose (HMAC-SHA-256 of the purpose under the master key).
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.master.as_slice());
        let tag = hmac::sign(&key, format!("lienthong/v1/{purpose}").as_bytes());
        let mut out = Zeroizing::new([0; 32]);
        out.copy_from_slice(tag.as_ref());
        out
    }

    /// Keyed digest (HMAC-SHA-256) of `data` for one purpose.
    pub fn digest(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.derive(purpose).as_slice());
        let mut out = [0; 32];
        out.copy_from_slice(hmac::sign(&key, data).as_ref());
        out
    }

    /// Encrypts and authenticates a small secret (AES-256-GCM; nonce ‖ ciphertext ‖ tag).
    pub fn seal(&self, purpose: &str, plain: &[u8], random: &dyn Random) -> Result<Vec<u8>> {
        let nonce = base::random::bytes::<NONCE_LEN>(random);
        let mut body = plain.to_vec();
        self.cipher(purpose)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut body,
            )
            .map_err(|_| Error::internal("sealing failed"))?;
        let mut out = nonce.to_vec();
        out.append(&mut body);
        Ok(out)
    }

    /// Opens what [`Keys::seal`] made for the same purpose.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or_else(|| Error::internal(CannotOpen))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::internal(CannotOpen))?;
        let mut body = Zeroizing::new(body.to_vec());
        let plain = self
            .cipher(purpose)?
            .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut body)
            .map_err(|_| Error::internal(CannotOpen))?
            .len();
        body.truncate(plain);
        Ok(body)
    }

    fn cipher(&self, purpose: &str) -> Result<LessSafeKey> {
        let key = self.derive(&format!("seal/{purpose}"));
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(Error::internal)?;
        Ok(LessSafeKey::new(key))
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::random::SeededRandom;

    #[test]
    fn what_is_sealed_opens_only_for_its_purpose_and_unaltered() {
        let (keys, random) = (Keys::from_bytes([7; 32]), SeededRandom::new(1));
        let sealed = keys.seal("a", b"secret", &random).unwrap();
        assert_eq!(keys.open("a", &sealed).unwrap().as_slice(), b"secret");
        assert!(keys.open("b", &sealed).is_err());
        assert!(Keys::from_bytes([8; 32]).open("a", &sealed).is_err());
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(keys.open("a", &bad).is_err());
        }
        assert!(keys.open("a", b"short").is_err());
    }

    #[test]
    fn the_key_file_is_made_once_and_refused_when_others_can_read_it() {
        let dir = std::env::temp_dir().join(format!("lt-keys-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("master.key");
        let random = SeededRandom::new(2);
        let a = Keys::load(&path, Some(&random)).unwrap();
        let b = Keys::load(&path, Some(&random)).unwrap();
        assert_eq!(a.derive("x"), b.derive("x"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Keys::load(&path, None).is_err());
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(Keys::load(&path, None).is_err());
    }
}
