//! Metadata services over SOAP (PR-META): what they are asked and the bodies of their answers. Who sees what is decided by
//! the caller.

use quick_xml::NsReader;
use quick_xml::events::Event;

use super::header::ANSWER_SUFFIX;
use super::node::{self, ill_formed};
use super::{Problem, XROAD};
use crate::error::Code;
use crate::id::ServiceId;
use crate::xml;

/// Service codes that name metadata services over SOAP.
pub const METASERVICES: [&str; 3] = ["listMethods", "allowedMethods", "getWsdl"];

/// A service a metadata answer lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// The service.
    pub service: ServiceId,
    /// Its version.
    pub version: Option<String>,
}

/// The body of the answer of `listMethods` or `allowedMethods` (`asked`), for [`super::write::message`].
pub fn methods(asked: &str, methods: &[Method]) -> String {
    let mut out = format!("<xrd:{asked}{ANSWER_SUFFIX}>");
    for method in methods {
        let id = &method.service;
        out.push_str("<xrd:service id:objectType=\"SERVICE\">");
        let parts = [
            ("id:xRoadInstance", id.instance()),
            ("id:memberClass", id.class()),
            ("id:memberCode", id.member()),
            ("id:subsystemCode", id.subsystem()),
            ("id:serviceCode", id.code()),
        ];
        for (name, value) in parts {
            xml::element(&mut out, name, value);
        }
        if let Some(version) = &method.version {
            xml::element(&mut out, "id:serviceVersion", version);
        }
        out.push_str("</xrd:service>");
    }
    out.push_str(&format!("</xrd:{asked}{ANSWER_SUFFIX}>"));
    out
}

/// What `getWsdl` asks for: the code and version of a service, from the text of the message.
///
/// # Errors
/// When the body is not that of `getWsdl`.
pub fn wanted(message: &str) -> Result<(String, Option<String>), Problem> {
    let mut reader = NsReader::from_str(message);
    reader.config_mut().expand_empty_elements = true;
    let (mut code, mut version) = (None, None);
    let mut inside = false;
    loop {
        let event = reader.read_event().map_err(|_| ill_formed())?;
        match &event {
            Event::Start(tag) => {
                let name = node::element(reader.resolver(), tag)?;
                let slot = match name.local.as_str() {
                    "getWsdl" if name.space == XROAD => {
                        inside = true;
                        continue;
                    }
                    "serviceCode" if inside && name.space == XROAD => &mut code,
                    "serviceVersion" if inside && name.space == XROAD => &mut version,
                    _ => continue,
                };
                let tag = tag.to_owned();
                let text = reader.read_text(tag.name()).map_err(|_| ill_formed())?;
                let text = quick_xml::escape::unescape(&text).map_err(|_| ill_formed())?;
                *slot = Some(text.trim().to_owned());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match code {
        Some(code) if !code.is_empty() => Ok((code, version.filter(|v| !v.is_empty()))),
        _ => Err(Problem::new(Code::InvalidBody, "getWsdl lacks serviceCode")),
    }
}

/// The body of the answer of `getWsdl`; the description is its attachment.
pub const WSDL_BODY: &str = "<xrd:getWsdlResponse/>";

#[cfg(test)]
mod tests {
    use super::super::header::Header;
    use super::super::opening::OpeningReader;
    use super::super::tests::request;
    use super::super::write;
    use super::*;

    fn asked(code: &str) -> Header {
        let text = request().replace("getRandom", code);
        Header::of_request(&OpeningReader::new().push(text.as_bytes()).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn services_are_listed_under_their_identifiers() {
        let service = asked("getRandom").service;
        let list = [
            Method { service: service.clone(), version: Some("v1".into()) },
            Method { service, version: None },
        ];
        let asked = asked("allowedMethods");
        let answer = write::message(&asked, Some("h"), &methods("allowedMethods", &list));
        let text = String::from_utf8(answer).unwrap();
        let tree = roxmltree::Document::parse(&text).unwrap();
        let body = tree.descendants().find(|n| n.has_tag_name((XROAD, "allowedMethodsResponse"))).unwrap();
        let found: Vec<String> = body
            .children()
            .map(|s| s.children().map(|p| p.text().unwrap()).collect::<Vec<_>>().join("/"))
            .collect();
        assert_eq!(found, ["VN/GOV/G22/vxp/getRandom/v1", "VN/GOV/G22/vxp/getRandom"]);
        assert!(
            Header::of_answer(&OpeningReader::new().push(text.as_bytes()).unwrap().unwrap(), &asked).is_ok()
        );
    }

    #[test]
    fn a_description_is_asked_for_by_code_and_version() {
        let ask = |inner: &str| wanted(&format!("<a xmlns:x=\"{XROAD}\"><x:getWsdl>{inner}</x:getWsdl></a>"));
        let both = "<x:serviceCode> a&amp;b </x:serviceCode><x:serviceVersion>v1</x:serviceVersion>";
        assert_eq!(ask(both).unwrap(), ("a&b".into(), Some("v1".into())));
        assert_eq!(ask("<x:serviceCode>a</x:serviceCode><x:serviceVersion/>").unwrap(), ("a".into(), None));
        assert!(ask("<serviceCode>a</serviceCode>").is_err() && ask("").is_err() && wanted("<a").is_err());
    }
}
