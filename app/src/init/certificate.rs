//! The platform's own certificate, for installations without one from an authority: a small authority made here signs one
//! certificate for the names of the platform. People who must trust it compare the fingerprint.

use std::net::IpAddr;

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// A chain with its key.
pub struct Made {
    /// Certificate, then authority (PEM).
    pub chain: String,
    /// Key of the certificate (PEM).
    pub key: String,
    /// The authority alone, for those who must trust it (PEM).
    pub authority: String,
    /// SHA-256 of the authority's certificate: `AB:CD:…`.
    pub fingerprint: String,
}

/// Makes a chain for a host name or address, valid for about ten years from the day before `year`-`month`-`day`.
///
/// # Errors
/// When the name cannot stand in a certificate.
pub fn make(host: &str, (year, month, day): (i32, u8, u8)) -> anyhow::Result<Made> {
    let begin = rcgen::date_time_ymd(year, month, day);
    let end = rcgen::date_time_ymd(year + 10, month, day.min(28));
    let mut authority = CertificateParams::new(Vec::<String>::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, format!("Liên Thông {host}"));
    (authority.not_before, authority.not_after) = (begin, end);
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let mut params = CertificateParams::new(vec![host.to_owned()]).context("the name of the platform")?;
    params.distinguished_name.push(DnType::CommonName, host);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (begin, end);
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(Made {
        chain: format!("{}{}", certificate.pem(), issuer.pem()),
        key: key.serialize_pem(),
        fingerprint: kernel::certificate::fingerprint(issuer.der()),
        authority: issuer.pem(),
    })
}

/// Host of `https://host:port`.
pub fn host(public_url: &str) -> Option<String> {
    let uri: http::Uri = public_url.parse().ok()?;
    let host = uri.host()?.trim_matches(|c| c == '[' || c == ']');
    let plain = host.parse::<IpAddr>().is_ok()
        || host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    (plain && !host.is_empty()).then(|| host.to_owned())
}
