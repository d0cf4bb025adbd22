//! Faults (SOAP 1.1 section 4.4, as the protocol words them): the dotted type as an unqualified `faultcode`, the words, and
//! the identifier by which the operator finds the call. They are answered with status 200.

use super::ENVELOPE;
use crate::error::ErrorBody;
use crate::xml;

/// The content type of a fault and of every message without attachments.
pub const CONTENT_TYPE: &str = "text/xml; charset=UTF-8";

/// The bytes of a fault.
pub fn render(error: &ErrorBody) -> Vec<u8> {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <SOAP-ENV:Envelope xmlns:SOAP-ENV=\"{ENVELOPE}\"><SOAP-ENV:Body><SOAP-ENV:Fault>"
    );
    xml::element(&mut out, "faultcode", &error.kind);
    xml::element(&mut out, "faultstring", &error.message);
    out.push_str("<faultactor></faultactor><detail><faultDetail xmlns=\"\">");
    xml::text(&mut out, &error.detail);
    out.push_str("</faultDetail></detail></SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>");
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::opening::OpeningReader;
    use super::*;

    #[test]
    fn a_fault_is_a_message_with_its_text_escaped() {
        let error = ErrorBody {
            kind: "server.serverproxy.access_denied".into(),
            message: "a < b & </faultstring>".into(),
            detail: "01a2".into(),
        };
        let bytes = render(&error);
        let opening = OpeningReader::new().push(&bytes).unwrap().unwrap();
        assert!(opening.is_fault() && opening.header.is_none());
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("<faultcode>server.serverproxy.access_denied</faultcode>"));
        assert!(text.contains("<faultstring>a &lt; b &amp; &lt;/faultstring&gt;</faultstring>"));
        assert!(text.contains("<detail><faultDetail xmlns=\"\">01a2</faultDetail></detail>"));
    }
}
