//! A certificate signing request (PKCS #10, RFC 2986) from a stranger: bounded, its signature checked, its key strong
//! enough. Only the public key is taken from it; names and extensions it asks for are left aside.

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::oid_registry::{
    OID_EC_P256, OID_NIST_EC_P384, OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA, OID_SIG_ED25519,
};
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Largest request read, in bytes; one with an RSA key of 8192 bits takes about 4 KiB.
pub const MAX_BYTES: usize = 16 * 1024;
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// What is taken from a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// The public key (SubjectPublicKeyInfo, DER).
    pub spki: Vec<u8>,
    /// Its kind, for people.
    pub kind: String,
}

/// Why a request is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Longer than any sound request.
    TooLarge,
    /// Not a request, or something follows it.
    NotOne,
    /// Its key is too weak.
    WeakKey,
    /// Its key is of a kind that is not accepted.
    OtherKey,
    /// It is signed with SHA-1 or MD5.
    OldDigest,
    /// Its signature does not match its key.
    Signature,
}

/// Reads a request as PEM or DER.
///
/// # Errors
/// The first fault.
pub fn read(bytes: &[u8]) -> Result<Requested, Fault> {
    if bytes.len() > MAX_BYTES {
        return Err(Fault::TooLarge);
    }
    if bytes.first() == Some(&0x30) {
        return read_der(bytes);
    }
    let (rest, pem) = parse_x509_pem(bytes).map_err(|_| Fault::NotOne)?;
    let requests = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];
    if !requests.contains(&pem.label.as_str()) || !rest.trim_ascii().is_empty() {
        return Err(Fault::NotOne);
    }
    read_der(&pem.contents)
}

fn read_der(der: &[u8]) -> Result<Requested, Fault> {
    let (rest, request) = X509CertificationRequest::from_der(der).map_err(|_| Fault::NotOne)?;
    if !rest.is_empty() {
        return Err(Fault::NotOne);
    }
    let key = &request.certification_request_info.subject_pki;
    // The key first: libraries refuse signatures by weak keys without saying why.
    let kind = kind(key)?;
    let by = &request.signature_algorithm.algorithm;
    // 1.2.840.113549.1.1.4 is md5WithRSAEncryption.
    if *by == OID_PKCS1_SHA1WITHRSA || *by == OID_SHA1_WITH_RSA || by.to_id_string() == "1.2.840.113549.1.1.4"
    {
        return Err(Fault::OldDigest);
    }
    request.verify_signature().map_err(|_| Fault::Signature)?;
    Ok(Requested { spki: key.raw.to_vec(), kind })
}

fn kind(key: &SubjectPublicKeyInfo<'_>) -> Result<String, Fault> {
    if key.algorithm.algorithm == OID_SIG_ED25519 {
        return Ok("Ed25519".into());
    }
    let curve = || key.algorithm.parameters.as_ref().and_then(|p| p.as_oid().ok());
    match key.parsed().map_err(|_| Fault::OtherKey)? {
        PublicKey::RSA(rsa) if rsa.key_size() < *RSA_BITS.start() => Err(Fault::WeakKey),
        PublicKey::RSA(rsa) if RSA_BITS.contains(&rsa.key_size()) => Ok(format!("RSA {}", rsa.key_size())),
        PublicKey::EC(_) => match curve() {
            Some(curve) if curve == OID_EC_P256 => Ok("EC P-256".into()),
            Some(curve) if curve == OID_NIST_EC_P384 => Ok("EC P-384".into()),
            _ => Err(Fault::OtherKey),
        },
        _ => Err(Fault::OtherKey),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CustomExtension, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
        PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
    };

    use super::*;

    pub(in crate::identity::certificates) fn request(
        key: &KeyPair,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Vec<u8> {
        let mut params = CertificateParams::default();
        change(&mut params);
        params.serialize_request(key).unwrap().der().to_vec()
    }

    #[test]
    fn sound_requests_give_their_key_and_nothing_else() {
        for (algorithm, kind) in [
            (&PKCS_ECDSA_P256_SHA256, "EC P-256"),
            (&PKCS_ECDSA_P384_SHA384, "EC P-384"),
            (&PKCS_ED25519, "Ed25519"),
        ] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let greedy = request(&key, |p| {
                p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                p.subject_alt_names = vec![rcgen::SanType::DnsName("chinhphu.vn".try_into().unwrap())];
                p.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0])];
            });
            let read = read(&greedy).unwrap();
            assert_eq!(
                (read.kind.as_str(), read.spki),
                (kind, rcgen::PublicKeyData::subject_public_key_info(&key))
            );
        }
        let key = KeyPair::generate().unwrap();
        let pem = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
        assert!(read(pem.as_bytes()).is_ok());
        assert_eq!(read(format!("{pem}{pem}").as_bytes()), Err(Fault::NotOne), "one at a time");
        assert_eq!(read(pem.replace("REQUEST", "").as_bytes()), Err(Fault::NotOne));
    }

    #[test]
    fn whatever_is_bent_cut_or_too_long_is_refused_and_never_a_panic() {
        let key = KeyPair::generate().unwrap();
        let sound = request(&key, |_| {});
        for cut in 0..sound.len() {
            assert!(read(&sound[..cut]).is_err(), "{cut}");
        }
        let meant = read(&sound).unwrap();
        let mut accepted = 0;
        for at in 0..sound.len() {
            for bit in [1, 0x80, 0xff] {
                let mut bent = sound.clone();
                bent[at] ^= bit;
                // Beside the signed part stands the name of the algorithm, which another spelling may survive. The key,
                // which is all that is taken, never changes.
                if let Ok(read) = read(&bent) {
                    assert_eq!(read, meant, "{at}");
                    accepted += 1;
                }
            }
        }
        assert!(accepted < 8, "{accepted} of {} bent requests are accepted", 3 * sound.len());
        let mut signature = sound.clone();
        *signature.last_mut().unwrap() ^= 1;
        assert_eq!(read(&signature), Err(Fault::Signature));
        assert_eq!(read(&vec![b'x'; MAX_BYTES + 1]), Err(Fault::TooLarge));
        assert_eq!(read(&[&sound[..], b"x"].concat()), Err(Fault::NotOne));
        assert_eq!(read(b""), Err(Fault::NotOne));
    }

    /// Made with OpenSSL: `openssl req -new -newkey rsa:1024 -nodes -subj /CN=x`, and P-521.
    #[test]
    fn weak_and_unknown_keys_are_named() {
        assert_eq!(read(include_bytes!("testdata/rsa1024.csr")), Err(Fault::WeakKey));
        assert_eq!(read(include_bytes!("testdata/p521.csr")), Err(Fault::OtherKey));
        assert_eq!(read(include_bytes!("testdata/sha1.csr")), Err(Fault::OldDigest));
        assert_eq!(read(include_bytes!("testdata/rsa2048.csr")).unwrap().kind, "RSA 2048");
    }
}
