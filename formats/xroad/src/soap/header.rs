//! The header of a message (PR-MESS 2.2): who calls which service, the message's identifier and what else may be said.
//! Read from the elements of an opening; whether the caller may is decided elsewhere.

use std::collections::BTreeSet;

use super::node::Node;
use super::opening::Opening;
use super::{ENVELOPE, IDENTIFIERS, Problem, REPRESENTATION, SECURITY_TOKEN, XROAD};
use crate::error::Code;
use crate::id::{ClientId, IdError, MemberId, RepresentedParty, ServerId, ServiceId, SubsystemId};

/// Longest text of a field, in bytes: what the monitoring record holds, with room for three-byte letters.
const MAX_FIELD: usize = 1024;
/// Longest security token, in bytes.
const MAX_TOKEN: usize = 32 * 1024;

/// The fields of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Who calls.
    pub client: ClientId,
    /// What is called.
    pub service: ServiceId,
    /// The version of the service, which only SOAP services have.
    pub version: Option<String>,
    /// The message's identifier, chosen by the consumer.
    pub id: String,
    /// The person on whose behalf the consumer calls.
    pub user_id: Option<String>,
    /// The case the call belongs to.
    pub issue: Option<String>,
    /// `4.0`, or another of version 4.
    pub protocol_version: String,
    /// The provider's server the call is meant for.
    pub security_server: Option<ServerId>,
    /// The party on whose behalf the consumer calls.
    pub represented_party: Option<RepresentedParty>,
    /// A token for the provider, and its type.
    pub security_token: Option<SecurityToken>,
    /// The hash an answer says its request had.
    pub request_hash: Option<RequestHash>,
}

/// A security token.
#[derive(Clone, PartialEq, Eq)]
pub struct SecurityToken {
    /// Its type, an address.
    pub kind: Option<String>,
    /// The token: a secret.
    pub token: String,
}

impl std::fmt::Debug for SecurityToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecurityToken").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The hash of a request, as an answer names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHash {
    /// The algorithm's address.
    pub algorithm: String,
    /// In Base64.
    pub value: String,
}

/// What the element in the body of an answer is called after the code of its service.
pub const ANSWER_SUFFIX: &str = "Response";

impl Header {
    /// The header of a request.
    ///
    /// # Errors
    /// [`Problem`] naming the field that is missing, doubled or malformed, or a body that belongs to another service.
    pub fn of_request(opening: &Opening) -> Result<Self, Problem> {
        let header = Self::read(opening)?;
        if opening.content.local != header.service.code() {
            return Err(Problem::new(
                Code::InconsistentHeaders,
                "the header and the body of the message name different services",
            ));
        }
        Ok(header)
    }

    /// The header of an answer to `request`, which repeats the request's fields.
    ///
    /// # Errors
    /// [`Problem`] naming the field that differs.
    pub fn of_answer(opening: &Opening, request: &Self) -> Result<Self, Problem> {
        let header = Self::read(opening)?;
        let code = request.service.code();
        if opening.content.local.strip_suffix(ANSWER_SUFFIX) != Some(code) {
            return Err(Problem::new(
                Code::InconsistentHeaders,
                "the body of the answer is not named after the service",
            ));
        }
        let same = [
            ("client", header.client == request.client),
            ("service", header.service == request.service && header.version == request.version),
            ("id", header.id == request.id),
            ("userId", header.user_id == request.user_id),
            ("issue", header.issue == request.issue),
            ("protocolVersion", header.protocol_version == request.protocol_version),
            ("representedParty", header.represented_party == request.represented_party),
        ];
        match same.iter().find(|(_, same)| !same) {
            None => Ok(header),
            Some((field, _)) => Err(Problem::new(
                Code::InconsistentResponse,
                format!("the answer does not repeat the field {field} of the request"),
            )),
        }
    }

    fn read(opening: &Opening) -> Result<Self, Problem> {
        let Some(nodes) = &opening.header else {
            return Err(Problem::new(Code::MissingHeader, "the message has no header"));
        };
        once_each(nodes)?;
        let find = |space: &str, local: &str| nodes.iter().find(|n| n.name.is(space, local));
        let must = |local: &'static str| find(XROAD, local).ok_or_else(|| missing(local));
        let text = |local: &'static str| find(XROAD, local).map(|n| field(n, local)).transpose();
        let protocol_version = field(must("protocolVersion")?, "protocolVersion")?;
        if !protocol_version.strip_prefix("4.").is_some_and(|minor| {
            !minor.is_empty() && minor.len() < 4 && minor.bytes().all(|b| b.is_ascii_digit())
        }) {
            return Err(Problem::new(
                Code::InvalidProtocolVersion,
                "the message is not of protocol version 4",
            ));
        }
        let service = must("service")?;
        Ok(Self {
            client: client(must("client")?)?,
            version: service
                .child(IDENTIFIERS, "serviceVersion")
                .map(|n| field(n, "serviceVersion"))
                .transpose()?,
            service: service_id(service)?,
            id: field(must("id")?, "id")?,
            user_id: text("userId")?,
            issue: text("issue")?,
            protocol_version,
            security_server: find(XROAD, "securityServer").map(server_id).transpose()?,
            represented_party: find(REPRESENTATION, "representedParty").map(party).transpose()?,
            security_token: find(SECURITY_TOKEN, "securityToken").map(token).transpose()?,
            request_hash: find(XROAD, "requestHash").map(|n| RequestHash {
                algorithm: n.attribute("", "algorithmId").unwrap_or_default().to_owned(),
                value: n.value().to_owned(),
            }),
        })
    }
}

fn missing(field: &'static str) -> Problem {
    Problem::new(Code::MissingHeaderField, format!("the header lacks the field {field}"))
}

fn malformed(field: &'static str, why: &IdError) -> Problem {
    let code = if field == "client" { Code::InvalidClientIdentifier } else { Code::InvalidRequest };
    Problem::new(code, format!("the field {field} of the header is malformed: {why}"))
}

/// Every element of a header stands there once, and none demands what this server does not do.
fn once_each(nodes: &[Node]) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    for node in nodes {
        if !seen.insert(&node.name) {
            let what = format!("the header holds the field {} twice", node.name.local);
            return Err(Problem::new(Code::DuplicateHeaderField, what));
        }
        if node.attribute(ENVELOPE, "mustUnderstand") == Some("1") && !known(node) {
            let what = format!("the field {} must be understood and is not", node.name.local);
            return Err(Problem::new(Code::InvalidSoap, what));
        }
    }
    Ok(())
}

fn known(node: &Node) -> bool {
    [XROAD, REPRESENTATION, SECURITY_TOKEN].contains(&node.name.space.as_str())
}

/// A field that is a text.
fn field(node: &Node, name: &'static str) -> Result<String, Problem> {
    let value = node.value();
    if value.is_empty() {
        return Err(missing(name));
    }
    if !node.children.is_empty() || value.len() > MAX_FIELD || value.chars().any(char::is_control) {
        let what = format!("the field {name} of the header is malformed");
        return Err(Problem::new(Code::InvalidRequest, what));
    }
    Ok(value.to_owned())
}

/// The parts of an identifier that carry these names; one that is not there is empty.
fn parts<'a, const N: usize>(node: &'a Node, names: [&str; N]) -> [&'a str; N] {
    names.map(|name| node.child(IDENTIFIERS, name).map_or("", Node::value))
}

fn typed(node: &Node, field: &'static str, kind: &str) -> Result<(), Problem> {
    match node.attribute(IDENTIFIERS, "objectType") {
        Some(found) if found == kind => Ok(()),
        _ => Err(Problem::new(
            if field == "client" { Code::InvalidClientIdentifier } else { Code::InvalidRequest },
            format!("the field {field} of the header has another object type than {kind}"),
        )),
    }
}

fn client(node: &Node) -> Result<ClientId, Problem> {
    let member = ["xRoadInstance", "memberClass", "memberCode"];
    let found = match node.attribute(IDENTIFIERS, "objectType") {
        Some("MEMBER") => MemberId::new(parts(node, member)).map(ClientId::Member),
        _ => {
            typed(node, "client", "SUBSYSTEM")?;
            let [a, b, c] = parts(node, member);
            let [d] = parts(node, ["subsystemCode"]);
            SubsystemId::new([a, b, c, d]).map(ClientId::Subsystem)
        }
    };
    found.map_err(|e| malformed("client", &e))
}

fn service_id(node: &Node) -> Result<ServiceId, Problem> {
    typed(node, "service", "SERVICE")?;
    let names = ["xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode"];
    ServiceId::new(parts(node, names)).map_err(|e| malformed("service", &e))
}

fn server_id(node: &Node) -> Result<ServerId, Problem> {
    typed(node, "securityServer", "SERVER")?;
    let names = ["xRoadInstance", "memberClass", "memberCode", "serverCode"];
    ServerId::new(parts(node, names)).map_err(|e| malformed("securityServer", &e))
}

fn party(node: &Node) -> Result<RepresentedParty, Problem> {
    let part = |name| node.child(REPRESENTATION, name).map(|n| field(n, "representedParty")).transpose();
    let code = part("partyCode")?.ok_or_else(|| missing("representedParty"))?;
    Ok(RepresentedParty { class: part("partyClass")?, code })
}

fn token(node: &Node) -> Result<SecurityToken, Problem> {
    let token = node.value();
    if token.is_empty() || token.len() > MAX_TOKEN || !node.children.is_empty() {
        return Err(Problem::new(Code::InvalidRequest, "the field securityToken of the header is malformed"));
    }
    Ok(SecurityToken { kind: node.attribute("", "tokenType").map(str::to_owned), token: token.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::super::opening::OpeningReader;
    use super::super::tests::{answer, request};
    use super::*;

    fn opening(text: &str) -> Opening {
        let mut reader = OpeningReader::new();
        reader.push(text.as_bytes()).unwrap().unwrap_or_else(|| reader.finish().unwrap())
    }

    fn refused(text: &str) -> Problem {
        Header::of_request(&opening(text)).unwrap_err()
    }

    #[test]
    fn all_fields_are_read() {
        let header = Header::of_request(&opening(&request())).unwrap();
        assert_eq!(header.client.path(), "VN/GOV/H62/qlvb");
        assert_eq!(
            (header.service.path(), header.version.as_deref()),
            ("VN/GOV/G22/vxp/getRandom", Some("v1"))
        );
        assert_eq!(header.protocol_version, "4.0");
        let more = "<x:userId>VN001</x:userId><x:issue>HS &amp; 1</x:issue>\
            <x:securityServer id:objectType=\"SERVER\"><id:xRoadInstance>VN</id:xRoadInstance><id:memberClass>GOV</id:memberClass>\
            <id:memberCode>G22</id:memberCode><id:serverCode>ss1</id:serverCode></x:securityServer>\
            <r:representedParty xmlns:r=\"http://x-road.eu/xsd/representation.xsd\"><r:partyClass>COM</r:partyClass>\
            <r:partyCode>0101</r:partyCode></r:representedParty>\
            <t:securityToken xmlns:t=\"http://x-road.eu/xsd/security-token.xsd\" tokenType=\"urn:ietf:params:oauth:token-type:jwt\">\
            secret</t:securityToken></soap:Header>";
        let header = Header::of_request(&opening(&request().replace("</soap:Header>", more))).unwrap();
        assert_eq!((header.user_id.as_deref(), header.issue.as_deref()), (Some("VN001"), Some("HS & 1")));
        assert_eq!(header.security_server.as_ref().unwrap().path(), "VN/GOV/G22/ss1");
        assert_eq!(header.represented_party.as_ref().unwrap().to_string(), "COM/0101");
        assert_eq!(header.security_token.as_ref().unwrap().token, "secret");
        assert!(!format!("{header:?}").contains("secret"));
    }

    #[test]
    fn what_is_missing_doubled_or_wrong_is_named() {
        let without = |field: &str| {
            let text = request();
            let from = text.find(&format!("<x:{field}")).unwrap();
            let end = format!("</x:{field}>");
            let to = text.find(&end).unwrap() + end.len();
            format!("{}{}", &text[..from], &text[to..])
        };
        for field in ["client", "service", "id", "protocolVersion"] {
            let problem = refused(&without(field));
            assert_eq!(problem.code, Code::MissingHeaderField);
            assert!(problem.what.contains(field), "{problem}");
        }
        let changed = |from: &str, to: &str| {
            assert!(request().contains(from), "{from}");
            refused(&request().replacen(from, to, 1)).code
        };
        assert_eq!(changed("<x:id>", "<x:id>a</x:id><x:id>"), Code::DuplicateHeaderField);
        assert_eq!(changed(">4.0<", ">3.0<"), Code::InvalidProtocolVersion);
        assert_eq!(changed(">4.0<", ">4.<"), Code::InvalidProtocolVersion);
        assert_eq!(changed("<p:getRandom", "<p:getOther"), Code::InconsistentHeaders);
        assert_eq!(changed("\"SUBSYSTEM\"", "\"SERVICE\""), Code::InvalidClientIdentifier);
        assert_eq!(changed("\"SERVICE\"", "\"SUBSYSTEM\""), Code::InvalidRequest);
        assert_eq!(changed(">qlvb<", ">a/b<"), Code::InvalidClientIdentifier);
        assert_eq!(changed(">getRandom<", "><"), Code::InvalidRequest);
        assert_eq!(
            changed("</soap:Header>", "<y:z xmlns:y=\"u\" soap:mustUnderstand=\"1\"/></soap:Header>"),
            Code::InvalidSoap
        );
        let text = request();
        let (from, to) = (text.find("<soap:Header>").unwrap(), text.find("<soap:Body>").unwrap());
        assert_eq!(refused(&format!("{}{}", &text[..from], &text[to..])).code, Code::MissingHeader);
    }

    #[test]
    fn an_answer_repeats_the_request() {
        let asked = Header::of_request(&opening(&request())).unwrap();
        let read = |text: &str| Header::of_answer(&opening(text), &asked);
        assert_eq!(read(&answer()).unwrap().id, asked.id);
        for (from, to) in [(">qlvb<", ">qlvb2<"), (">v1<", ">v2<"), (">b7f9", ">b7fa")] {
            let problem = read(&answer().replacen(from, to, 1)).unwrap_err();
            assert_eq!(problem.code, Code::InconsistentResponse, "{from}");
        }
        let problem = read(&answer().replace("getRandomResponse", "getRandom")).unwrap_err();
        assert_eq!(problem.code, Code::InconsistentHeaders);
    }
}
