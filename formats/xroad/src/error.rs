//! Errors as the protocol words them (PR-REST 4.7): codes in the present and in the older style, the status, and
//! the body as JSON or XML. What happened, and in which language it is told, is the caller's matter.

use serde::{Deserialize, Serialize};

use crate::xml;

/// How error types are spelled. Version 7.8.0 changed from CamelCase to snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// `Server.ClientProxy.UnknownMember`, before 7.8.0.
    Legacy,
    /// `server.clientproxy.unknown_member`.
    #[default]
    Snake,
}

/// Where a fault was found; the first part of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The caller's fault, found by the consumer's side.
    Client,
    /// The consumer's server or something beyond it.
    ClientProxy,
    /// The provider's server.
    ServerProxy,
    /// The provider's information system failed.
    ServiceFailed,
    /// A key or token problem.
    Signer,
}

impl Layer {
    /// The prefix.
    pub const fn as_str(self, style: Style) -> &'static str {
        match (self, style) {
            (Self::Client, Style::Snake) => "client",
            (Self::Client, Style::Legacy) => "Client",
            (Self::ClientProxy, Style::Snake) => "server.clientproxy",
            (Self::ClientProxy, Style::Legacy) => "Server.ClientProxy",
            (Self::ServerProxy, Style::Snake) => "server.serverproxy",
            (Self::ServerProxy, Style::Legacy) => "Server.ServerProxy",
            (Self::ServiceFailed, Style::Snake) => "server.serverproxy.service_failed",
            (Self::ServiceFailed, Style::Legacy) => "Server.ServerProxy.ServiceFailed",
            (Self::Signer, Style::Snake) => "signer",
            (Self::Signer, Style::Legacy) => "Signer",
        }
    }
}

macro_rules! codes {
    ($($name:ident $snake:literal $legacy:literal,)+) => {
        /// An error code of the protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = concat!("`", $snake, "`")] $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code in a style.
            pub const fn as_str(self, style: Style) -> &'static str {
                match (self, style) {
                    $((Self::$name, Style::Snake) => $snake, (Self::$name, Style::Legacy) => $legacy,)+
                }
            }
        }
    };
}

codes! {
    IoError "io_error" "IOError",
    NetworkError "network_error" "NetworkError",
    InternalError "internal_error" "InternalError",
    BadRequest "bad_request" "BadRequest",
    NotFound "not_found" "NotFound",
    HttpError "http_error" "HttpError",
    UnknownHost "unknown_host" "UnknownHost",
    DatabaseError "database_error" "DatabaseError",
    InvalidRequest "invalid_request" "InvalidRequest",
    InvalidContentType "invalid_content_type" "InvalidContentType",
    InvalidSoapAction "invalid_soap_action" "InvalidSoapAction",
    InvalidHttpMethod "invalid_http_method" "InvalidHttpMethod",
    InvalidMessage "invalid_message" "InvalidMessage",
    InvalidSecurityServer "invalid_security_server" "InvalidSecurityServer",
    MimeParsingFailed "mime_parsing_failed" "MimeParsingFailed",
    MissingHeader "missing_header" "MissingHeader",
    MissingHeaderField "missing_header_field" "MissingHeaderField",
    DuplicateHeaderField "duplicate_header_field" "DuplicateHeaderField",
    MissingBody "missing_body" "MissingBody",
    InvalidBody "invalid_body" "InvalidBody",
    InconsistentHeaders "inconsistent_headers" "InconsistentHeaders",
    InconsistentResponse "inconsistent_response" "InconsistentResponse",
    MissingSoap "missing_soap" "MissingSoap",
    InvalidSoap "invalid_soap" "InvalidSoap",
    MissingRest "missing_rest" "MissingRest",
    InvalidXml "invalid_xml" "InvalidXml",
    AccessDenied "access_denied" "AccessDenied",
    ServiceDisabled "service_disabled" "ServiceDisabled",
    ServiceFailed "service_failed" "ServiceFailed",
    MissingSignature "missing_signature" "MissingSignature",
    UnknownService "unknown_service" "UnknownService",
    UnknownMember "unknown_member" "UnknownMember",
    ServiceMissingUrl "service_missing_url" "ServiceMissingUrl",
    ServiceMalformedUrl "service_malformed_url" "ServiceMalformedUrl",
    InvalidProtocolVersion "invalid_protocol_version" "InvalidProtocolVersion",
    InvalidClientIdentifier "invalid_client_identifier" "InvalidClientIdentifier",
    ServiceType "service_type" "ServiceType",
    ClientProxyVersionNotSupported "client_proxy_version_not_supported" "ClientProxyVersionNotSupported",
    MaintenanceMode "maintenance_mode" "MaintenanceMode",
    SslAuthenticationFailed "ssl_authentication_failed" "SslAuthenticationFailed",
    LoggingFailed "logging_failed" "LoggingFailed",
    TimestampingFailed "timestamping_failed" "TimestampingFailed",
    TimestamperFailed "timestamper_failed" "TimestamperFailed",
    GlobalConfOutdated "global_conf_outdated" "OutdatedGlobalConf",
    MalformedGlobalConf "malformed_global_conf" "MalformedGlobalConf",
    MalformedServerConf "malformed_server_conf" "MalformedServerConf",
    MalformedOptionalPartsConf "malformed_optional_parts_conf" "MalformedOptionalPartsConf",
    MalformedAnchor "malformed_anchor" "MalformedAnchor",
    AnchorFileNotFound "anchor_file_not_found" "AnchorFileNotFound",
    CannotCreateSignature "cannot_create_signature" "CannotCreateSignature",
    CertValidation "cert_validation" "CertValidation",
    IncorrectValidationInfo "incorrect_validation_info" "IncorrectValidationInfo",
    CannotCreateCertPath "cannot_create_cert_path" "CannotCreateCertPath",
    IncorrectCertificate "incorrect_certificate" "IncorrectCertificate",
    InvalidSignatureValue "invalid_signature_value" "InvalidSignatureValue",
    MalformedSignature "malformed_signature" "MalformedSignature",
    InvalidReference "invalid_reference" "InvalidReference",
    InvalidCertPath "invalid_cert_path" "InvalidCertPath",
    SignatureVerification "signature_verification" "SignatureVerification",
    InvalidHashChain "invalid_hash_chain" "InvalidHashChain",
    MalformedHashChain "malformed_hash_chain" "MalformedHashChain",
    HashchainUnusedInputs "hashchain_unused_inputs" "HashChainUnusedInputs",
    InvalidHashChainRef "invalid_hash_chain_ref" "InvalidHashChainRef",
    AsicMimeTypeNotFound "asic_mime_type_not_found" "AsicMimeTypeNotFound",
    AsicInvalidMimeType "asic_invalid_mime_type" "AsicInvalidMimeType",
    AsicSignatureNotFound "asic_signature_not_found" "AsicSignatureNotFound",
    AsicMessageNotFound "asic_message_not_found" "AsicMessageNotFound",
    AsicHashChainNotFound "asic_hash_chain_not_found" "AsicHashChainNotFound",
    AsicHashChainResultNotFound "asic_hash_chain_result_not_found" "AsicHashChainResultNotFound",
    AsicTimestampNotFound "asic_timestamp_not_found" "AsicTimestampNotFound",
    AsicManifestNotFound "asic_manifest_not_found" "AsicManifestNotFound",
    KeyNotFound "key_not_found" "KeyNotFound",
    CertNotFound "cert_not_found" "CertNotFound",
    CsrNotFound "csr_not_found" "CsrNotFound",
    CertExists "cert_exists" "CertExists",
    WrongCertUsage "wrong_cert_usage" "WrongCertUsage",
    TokenNotFound "token_not_found" "TokenNotFound",
    TokenNotActive "token_not_active" "TokenNotActive",
    TokenNotInitialized "token_not_initialized" "TokenNotInitialized",
    TokenNotAvailable "token_not_available" "TokenNotAvailable",
    TokenReadonly "token_readonly" "TokenReadOnly",
    CannotSign "cannot_sign" "CannotSign",
    UnsupportedSignAlgorithm "unsupported_sign_algorithm" "UnsupportedSignAlgorithm",
    FailedToGeneratePrivateKey "failed_to_generate_private_key" "FailedToGeneratePrivateKey",
    LoginFailed "login_failed" "LoginFailed",
    LogoutFailed "logout_failed" "LogoutFailed",
    PinIncorrect "pin_incorrect" "PinIncorrect",
    CertImportFailed "cert_import_failed" "CertImportFailed",
    TokenPinPolicyFailure "token_pin_policy_failure" "TokenPinPolicyFailure",
    HsmNonOperational "hsm_non_operational" "HSMNonOperational",
}

/// What went wrong and where: the type of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fault {
    /// Where it was found.
    pub layer: Layer,
    /// What it is.
    pub code: Code,
    /// What it comes from, for example `service_failed` from `missing_body`.
    pub inner: Option<Code>,
}

impl Fault {
    /// A fault without an inner one.
    pub const fn new(layer: Layer, code: Code) -> Self {
        Self { layer, code, inner: None }
    }

    /// The dotted type, as in the header `X-Road-Error`.
    pub fn code(&self, style: Style) -> String {
        let mut out = format!("{}.{}", self.layer.as_str(style), self.code.as_str(style));
        if let Some(inner) = self.inner {
            out.push('.');
            out.push_str(inner.as_str(style));
        }
        out
    }

    /// 500 when the type begins with `server.`, else 400.
    pub const fn status(&self) -> u16 {
        match self.layer {
            Layer::ClientProxy | Layer::ServerProxy | Layer::ServiceFailed => 500,
            Layer::Client | Layer::Signer => 400,
        }
    }
}

/// The form of an error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `application/json`, the default.
    Json,
    /// `text/xml`.
    Xml,
}

impl Format {
    /// What a caller with these `Accept` values gets: XML when one contains `text/xml`, `application/xml` or `text/*`.
    pub fn from_accept<'a>(accept: impl IntoIterator<Item = &'a str>) -> Self {
        let xml = accept.into_iter().any(|value| {
            let value = value.to_ascii_lowercase();
            ["text/xml", "application/xml", "text/*"].iter().any(|wanted| value.contains(wanted))
        });
        if xml { Self::Xml } else { Self::Json }
    }

    /// The value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Xml => "text/xml; charset=utf-8",
        }
    }
}

/// The body of an error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The dotted type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, for people.
    pub message: String,
    /// The correlation identifier, by which the operator finds the call.
    pub detail: String,
}

impl ErrorBody {
    /// The bytes of the body.
    pub fn render(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Json => {
                let field = |text: &str| serde_json::Value::from(text).to_string();
                let (kind, message, detail) = (field(&self.kind), field(&self.message), field(&self.detail));
                format!("{{\"type\":{kind},\"message\":{message},\"detail\":{detail}}}").into_bytes()
            }
            Format::Xml => {
                let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><error>");
                xml::element(&mut out, "type", &self.kind);
                xml::element(&mut out, "message", &self.message);
                xml::element(&mut out, "detail", &self.detail);
                out.push_str("</error>");
                out.into_bytes()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_dotted_in_both_styles() {
        let fault = Fault::new(Layer::ServerProxy, Code::AccessDenied);
        assert_eq!(fault.code(Style::Snake), "server.serverproxy.access_denied");
        assert_eq!(fault.code(Style::Legacy), "Server.ServerProxy.AccessDenied");
        let nested =
            Fault { inner: Some(Code::MissingBody), ..Fault::new(Layer::ClientProxy, Code::ServiceFailed) };
        assert_eq!(nested.code(Style::Snake), "server.clientproxy.service_failed.missing_body");
        let failed = Fault::new(Layer::ServiceFailed, Code::NetworkError);
        assert_eq!(failed.code(Style::Snake), "server.serverproxy.service_failed.network_error");
    }

    #[test]
    fn the_status_follows_the_type() {
        let layers =
            [Layer::Client, Layer::ClientProxy, Layer::ServerProxy, Layer::ServiceFailed, Layer::Signer];
        for layer in layers {
            for code in Code::ALL {
                let fault = Fault::new(layer, *code);
                let expected = if fault.code(Style::Snake).starts_with("server.") { 500 } else { 400 };
                assert_eq!(fault.status(), expected);
                assert_eq!(fault.code(Style::Legacy).starts_with("Server."), expected == 500);
            }
        }
    }

    #[test]
    fn codes_are_distinct_and_in_their_style() {
        for style in [Style::Snake, Style::Legacy] {
            let mut all: Vec<_> = Code::ALL.iter().map(|c| c.as_str(style)).collect();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), Code::ALL.len());
        }
        for code in Code::ALL {
            assert!(code.as_str(Style::Snake).bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert!(code.as_str(Style::Legacy).bytes().all(|b| b.is_ascii_alphabetic()));
        }
    }

    #[test]
    fn the_body_follows_accept() {
        assert_eq!(Format::from_accept([]), Format::Json);
        assert_eq!(Format::from_accept(["application/json"]), Format::Json);
        assert_eq!(Format::from_accept(["*/*"]), Format::Json);
        for accept in ["text/xml", "application/json, APPLICATION/XML;q=0.1", "text/*"] {
            assert_eq!(Format::from_accept([accept]), Format::Xml, "{accept}");
        }
        let body = ErrorBody {
            kind: "client.bad_request".into(),
            message: "a<b & \"c\"\u{1}".into(),
            detail: "7".into(),
        };
        assert_eq!(
            String::from_utf8(body.render(Format::Xml)).unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><error><type>client.bad_request</type>\
             <message>a&lt;b &amp; \"c\"</message><detail>7</detail></error>"
        );
        assert_eq!(serde_json::from_slice::<ErrorBody>(&body.render(Format::Json)).unwrap(), body);
    }
}
