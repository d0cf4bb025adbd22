//! How a record says by what a caller proved who it is, and from which zone it came: one text of the form `METHOD` or
//! `METHOD@ZONE`, in a field that records have had from the first day. Without a zone it was the dedicated network.

use base::i18n::Lang;
use kernel::entrance::Zone;

use crate::plane::TRY_OUT;
use crate::t;

/// An access token.
pub const TOKEN: &str = "oauth2";
/// An access token and the certificate it is bound to (RFC 8705).
pub const BOUND: &str = "oauth2+mtls";

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof<'a> {
    /// By what the caller proved who it is; `none` when it did not.
    pub method: &'a str,
    /// Where the call came in.
    pub zone: Zone,
}

impl<'a> Proof<'a> {
    /// Reads what [`recorded`] wrote.
    pub fn read(text: &'a str) -> Self {
        let other = text.rsplit_once('@').filter(|(_, zone)| *zone == Zone::Internet.as_str());
        match other {
            Some((method, _)) => Self { method, zone: Zone::Internet },
            None => Self { method: text, zone: Zone::Dedicated },
        }
    }

    /// Whether it proved itself with a credential of its own.
    pub fn is_token(self) -> bool {
        [TOKEN, BOUND].contains(&self.method)
    }

    /// The method in words; one of a later version as it is.
    pub fn label(self, lang: Lang) -> &'a str {
        match self.method {
            TOKEN => t::proof_token(lang),
            BOUND => t::proof_bound(lang),
            TRY_OUT => t::proof_try_out(lang),
            "none" => t::proof_none(lang),
            other => other,
        }
    }
}

/// What a record is to say.
pub fn recorded(method: &str, zone: Zone) -> String {
    match zone {
        Zone::Dedicated => method.to_owned(),
        Zone::Internet => format!("{method}@{}", zone.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_read_and_older_records_too() {
        for method in [TOKEN, BOUND, TRY_OUT, "none"] {
            for zone in Zone::ALL {
                assert_eq!(Proof::read(&recorded(method, zone)), Proof { method, zone });
            }
            assert_ne!(Proof::read(method).label(Lang::Vi), method);
        }
        assert_eq!(recorded(TOKEN, Zone::Dedicated), "oauth2", "records of one listener stay what they were");
        assert_eq!(Proof::read("x@elsewhere"), Proof { method: "x@elsewhere", zone: Zone::Dedicated });
    }
}
