//! Writing a message of one's own: its header from the fields, its body as given. For metadata answers and for callers that
//! speak something else than SOAP.

use super::header::Header;
use super::{ENVELOPE, IDENTIFIERS, REPRESENTATION, SECURITY_TOKEN, SHA512, XROAD};
use crate::id::ClientId;
use crate::xml;

/// The bytes of a message with this header; `body` is XML that declares the prefixes it uses, except `xrd` and `id`.
/// An answer names the hash of its request.
pub fn message(header: &Header, request_hash: Option<&str>, body: &str) -> Vec<u8> {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SOAP-ENV:Envelope xmlns:SOAP-ENV=\"{ENVELOPE}\" \
         xmlns:xrd=\"{XROAD}\" xmlns:id=\"{IDENTIFIERS}\"><SOAP-ENV:Header>"
    );
    fields(&mut out, header);
    if let Some(hash) = request_hash {
        out.push_str("<xrd:requestHash algorithmId=\"");
        out.push_str(SHA512);
        out.push_str("\">");
        xml::text(&mut out, hash);
        out.push_str("</xrd:requestHash>");
    }
    out.push_str("</SOAP-ENV:Header><SOAP-ENV:Body>");
    out.push_str(body);
    out.push_str("</SOAP-ENV:Body></SOAP-ENV:Envelope>");
    out.into_bytes()
}

fn fields(out: &mut String, header: &Header) {
    match &header.client {
        ClientId::Member(id) => identifier(out, "client", "MEMBER", id.parts(), &[]),
        ClientId::Subsystem(id) => identifier(out, "client", "SUBSYSTEM", id.parts(), &["subsystemCode"]),
    }
    service(out, header);
    xml::element(out, "xrd:id", &header.id);
    for (name, value) in [("xrd:userId", &header.user_id), ("xrd:issue", &header.issue)] {
        if let Some(value) = value {
            xml::element(out, name, value);
        }
    }
    xml::element(out, "xrd:protocolVersion", &header.protocol_version);
    if let Some(id) = &header.security_server {
        identifier(out, "securityServer", "SERVER", id.parts(), &["serverCode"]);
    }
    if let Some(party) = &header.represented_party {
        out.push_str(&format!("<repr:representedParty xmlns:repr=\"{REPRESENTATION}\">"));
        if let Some(class) = &party.class {
            xml::element(out, "repr:partyClass", class);
        }
        xml::element(out, "repr:partyCode", &party.code);
        out.push_str("</repr:representedParty>");
    }
    if let Some(token) = &header.security_token {
        out.push_str(&format!("<tok:securityToken xmlns:tok=\"{SECURITY_TOKEN}\""));
        if let Some(kind) = &token.kind {
            out.push_str(" tokenType=\"");
            xml::text(out, &kind.replace('"', ""));
            out.push('"');
        }
        out.push('>');
        xml::text(out, &token.token);
        out.push_str("</tok:securityToken>");
    }
}

fn service(out: &mut String, header: &Header) {
    let names = ["subsystemCode", "serviceCode"];
    identifier(out, "service", "SERVICE", header.service.parts(), &names);
    if let Some(version) = &header.version {
        out.truncate(out.len() - "</xrd:service>".len());
        xml::element(out, "id:serviceVersion", version);
        out.push_str("</xrd:service>");
    }
}

/// An identifier as the protocol writes it: the three parts of the member, then those in `more`.
fn identifier<'a>(
    out: &mut String,
    element: &str,
    kind: &str,
    parts: impl Iterator<Item = &'a str>,
    more: &[&str],
) {
    out.push_str(&format!("<xrd:{element} id:objectType=\"{kind}\">"));
    let names = ["xRoadInstance", "memberClass", "memberCode"];
    for (name, value) in names.iter().chain(more).zip(parts) {
        xml::element(out, &format!("id:{name}"), value);
    }
    out.push_str(&format!("</xrd:{element}>"));
}

#[cfg(test)]
mod tests {
    use super::super::opening::OpeningReader;
    use super::super::tests::request;
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let more = "<x:userId>VN &lt;1</x:userId><x:issue>i</x:issue>\
            <x:securityServer id:objectType=\"SERVER\"><id:xRoadInstance>VN</id:xRoadInstance><id:memberClass>GOV</id:memberClass>\
            <id:memberCode>G22</id:memberCode><id:serverCode>ss1</id:serverCode></x:securityServer>\
            <r:representedParty xmlns:r=\"http://x-road.eu/xsd/representation.xsd\"><r:partyClass>COM</r:partyClass>\
            <r:partyCode>0101</r:partyCode></r:representedParty>\
            <t:securityToken xmlns:t=\"http://x-road.eu/xsd/security-token.xsd\" tokenType=\"u:jwt\">s</t:securityToken></soap:Header>";
        for text in [request(), request().replace("</soap:Header>", more)] {
            let opening = OpeningReader::new().push(text.as_bytes()).unwrap().unwrap();
            let header = Header::of_request(&opening).unwrap();
            let written = message(&header, None, "<p:getRandom xmlns:p=\"u\"/>");
            let again = OpeningReader::new().push(&written).unwrap().unwrap();
            assert_eq!(Header::of_request(&again).unwrap(), header);
            let answered = message(&header, Some("aGFzaA=="), "<p:getRandomResponse xmlns:p=\"u\"/>");
            let again = OpeningReader::new().push(&answered).unwrap().unwrap();
            let read = Header::of_answer(&again, &header).unwrap().request_hash.unwrap();
            assert_eq!((read.algorithm.as_str(), read.value.as_str()), (SHA512, "aGFzaA=="));
        }
    }
}
