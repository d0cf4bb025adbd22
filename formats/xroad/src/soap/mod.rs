//! The X-Road message protocol for SOAP, version 4.0 (PR-MESS): the opening of a message with its header, the check of what
//! follows while it streams by, faults, answers with the request hash, attachments, metadata answers, and service
//! descriptions. Opens no connection; who may call what is decided elsewhere.

pub mod answer;
pub mod check;
pub mod fault;
pub mod header;
pub mod meta;
pub mod multipart;
pub mod node;
pub mod opening;
pub mod write;
pub mod wsdl;

use std::borrow::Cow;

use crate::error::Code;

/// SOAP 1.1 envelopes.
pub const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// Header elements of the protocol.
pub const XROAD: &str = "http://x-road.eu/xsd/xroad.xsd";
/// Identifiers within them.
pub const IDENTIFIERS: &str = "http://x-road.eu/xsd/identifiers";
/// The extension for represented parties.
pub const REPRESENTATION: &str = "http://x-road.eu/xsd/representation.xsd";
/// The extension for security tokens.
pub const SECURITY_TOKEN: &str = "http://x-road.eu/xsd/security-token.xsd";
/// How the request hash names SHA-512 (RFC 6931 2.1.3 and its forerunner).
pub const SHA512: &str = "http://www.w3.org/2001/04/xmlenc#sha512";

/// Longest opening of a message: everything up to the first tag within the body, in bytes.
pub const MAX_OPENING: usize = 64 * 1024;
/// Deepest nesting in a message.
pub const MAX_DEPTH: usize = 256;

/// Why a message is not one of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Problem {
    /// The code of the protocol.
    pub code: Code,
    /// What is wrong, in English, without contents of the message but names of its fields.
    pub what: Cow<'static, str>,
}

impl Problem {
    pub(crate) fn new(code: Code, what: impl Into<Cow<'static, str>>) -> Self {
        Self { code, what: what.into() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    /// A request with the fields a request must have.
    pub(crate) fn request() -> String {
        format!(
            "<soap:Envelope xmlns:soap=\"{}\" xmlns:x=\"{}\" xmlns:id=\"{}\">\n<soap:Header>\n\
             <x:client id:objectType=\"SUBSYSTEM\"><id:xRoadInstance>VN</id:xRoadInstance><id:memberClass>GOV</id:memberClass>\
             <id:memberCode>H62</id:memberCode><id:subsystemCode>qlvb</id:subsystemCode></x:client>\n\
             <x:service id:objectType=\"SERVICE\"><id:xRoadInstance>VN</id:xRoadInstance><id:memberClass>GOV</id:memberClass>\
             <id:memberCode>G22</id:memberCode><id:subsystemCode>vxp</id:subsystemCode><id:serviceCode>getRandom</id:serviceCode>\
             <id:serviceVersion>v1</id:serviceVersion></x:service>\n\
             <x:id>b7f9a1c0-0000-4000-8000-000000000001</x:id><x:protocolVersion>4.0</x:protocolVersion>\n</soap:Header>\n\
             <soap:Body><p:getRandom xmlns:p=\"http://example.org/p\"><max>6</max></p:getRandom></soap:Body>\n</soap:Envelope>\n",
            super::ENVELOPE,
            super::XROAD,
            super::IDENTIFIERS
        )
    }

    /// The answer to it.
    pub(crate) fn answer() -> String {
        request().replace("p:getRandom", "p:getRandomResponse").replace("<max>6</max>", "<value>4</value>")
    }
}
