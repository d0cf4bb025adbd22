//! Descriptions of SOAP services (WSDL 1.1): which operations there are, and the text with its address taken out. Nothing
//! outside the document is ever fetched: a description that refers elsewhere is refused, except for the schemas of the
//! protocol itself, which are known.

use std::collections::BTreeMap;

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};

use super::XROAD;
use super::node::{self, Name, Node};
use crate::metadata::ANONYMOUS_URL;

/// Largest description, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Most operations of a description.
pub const MAX_OPERATIONS: usize = 2000;
const MAX_DEPTH: usize = 128;

const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
const SOAP: &str = "http://schemas.xmlsoap.org/wsdl/soap/";
const SOAP_HTTP: &str = "http://schemas.xmlsoap.org/soap/http";
const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";
/// Schemas of the protocol: descriptions name where to find them, and they are not needed to read one.
const KNOWN: &str = "http://x-road.eu/xsd/";

/// Why a description cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Larger than [`MAX_BYTES`].
    #[error("the description is larger than 4 MiB")]
    TooLarge,
    /// Not XML, or with a document type.
    #[error("line {line}: the description is not well-formed XML without a document type")]
    IllFormed {
        /// From 1.
        line: usize,
    },
    /// The outermost element is not `definitions`.
    #[error("the document is not a WSDL 1.1 description")]
    NotWsdl,
    /// Something outside the document is needed.
    #[error("line {line}: the description refers to {location}; put everything into one file")]
    External {
        /// From 1.
        line: usize,
        /// Where to.
        location: String,
    },
    /// Not document/literal over HTTP.
    #[error("line {line}: operation {operation} is not document/literal over SOAP 1.1 and HTTP")]
    Style {
        /// From 1.
        line: usize,
        /// Its name.
        operation: String,
    },
    /// A name that is referred to and not there.
    #[error("{what} {name} is referred to and not defined")]
    Missing {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// No operation in any SOAP 1.1 binding.
    #[error("the description has no operation over SOAP 1.1")]
    Empty,
    /// Twice the same operation and version.
    #[error("operation {operation} is described twice")]
    Twice {
        /// Its name, with its version.
        operation: String,
    },
    /// More than can be read.
    #[error("the description is nested too deeply or has too many operations")]
    TooMuch,
}

/// An operation of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its name: the service code.
    pub name: String,
    /// Its version, by the protocol's element in the binding.
    pub version: Option<String>,
    /// The value of `SOAPAction`.
    pub action: String,
    /// The element in the body of a request.
    pub input: Name,
    /// The element in the body of an answer; none for an operation without an answer.
    pub output: Option<Name>,
    /// What it says of itself.
    pub documentation: String,
    /// The address it is called at, as described.
    pub address: Option<String>,
}

/// A description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its target namespace.
    pub namespace: String,
    /// In the order of the document.
    pub operations: Vec<Operation>,
}

/// Reads a description.
///
/// # Errors
/// [`Fault`] saying what is wrong and where.
pub fn read(bytes: &[u8]) -> Result<Description, Fault> {
    if bytes.len() > MAX_BYTES {
        return Err(Fault::TooLarge);
    }
    let mut reading = Reading::new(bytes);
    reading.run()?;
    reading.description()
}

/// The document with every address replaced by one that leads nowhere, as the protocol demands of published descriptions.
///
/// # Errors
/// [`Fault`] as [`read`].
pub fn anonymous(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut reading = Reading::new(bytes);
    reading.run()?;
    let mut out = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for (begin, end, prefix) in &reading.addresses {
        out.extend_from_slice(bytes.get(from..*begin).unwrap_or_default());
        out.extend_from_slice(format!("<{prefix} location=\"{ANONYMOUS_URL}\"/>").as_bytes());
        from = *end;
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    Ok(out)
}

#[derive(Default)]
struct PortOperation {
    documentation: String,
    input: Option<Name>,
    output: Option<Name>,
}

struct Bound {
    /// Where it stands, in bytes.
    at: usize,
    binding: Name,
    name: String,
    version: Option<String>,
    action: String,
    style: Option<String>,
    literal: bool,
}

struct Reading<'a> {
    bytes: &'a [u8],
    reader: NsReader<&'a [u8]>,
    namespace: String,
    /// The element each message sends.
    messages: BTreeMap<Name, Name>,
    ports: BTreeMap<(Name, String), PortOperation>,
    /// The port type of each binding, and its style when it speaks SOAP 1.1 over HTTP.
    bindings: BTreeMap<Name, (Name, Option<String>)>,
    bound: Vec<Bound>,
    located: BTreeMap<Name, String>,
    addresses: Vec<(usize, usize, String)>,
}

/// Where the walk is.
#[derive(Default)]
struct Place {
    message: Option<Name>,
    port: Option<Name>,
    binding: Option<Name>,
    operation: Option<String>,
    bound_to: Option<Name>,
}

impl<'a> Reading<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut reader = NsReader::from_reader(bytes);
        reader.config_mut().expand_empty_elements = true;
        Self {
            bytes,
            reader,
            namespace: String::new(),
            messages: BTreeMap::new(),
            ports: BTreeMap::new(),
            bindings: BTreeMap::new(),
            bound: Vec::new(),
            located: BTreeMap::new(),
            addresses: Vec::new(),
        }
    }

    fn at(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(self.bytes.len())
    }

    fn line(&self) -> usize {
        self.line_of(self.at())
    }

    fn line_of(&self, at: usize) -> usize {
        1 + self.bytes.iter().take(at).filter(|b| **b == b'\n').count()
    }

    fn ill_formed(&self) -> Fault {
        Fault::IllFormed { line: self.line() }
    }

    fn run(&mut self) -> Result<(), Fault> {
        let mut place = Place::default();
        let mut open: Vec<Name> = Vec::new();
        let mut documented = String::new();
        loop {
            let begin = self.at();
            let event = self.reader.read_event().map_err(|_| self.ill_formed())?;
            match event {
                Event::Start(tag) => {
                    let node = node::node(self.reader.resolver(), &tag).map_err(|_| self.ill_formed())?;
                    if open.is_empty() && !node.name.is(WSDL, "definitions") {
                        return Err(Fault::NotWsdl);
                    }
                    if open.len() == MAX_DEPTH {
                        return Err(Fault::TooMuch);
                    }
                    documented.clear();
                    self.element(&mut place, &open, &node, &tag, begin)?;
                    open.push(node.name);
                }
                Event::End(_) => {
                    if let Some(name) = open.pop() {
                        self.ended(&mut place, &name, &open, &documented);
                    }
                }
                Event::Eof if open.is_empty() => return Ok(()),
                Event::Eof | Event::DocType(_) => return Err(self.ill_formed()),
                other => node::add_text(&mut documented, &other).map_err(|_| self.ill_formed())?,
            }
        }
    }

    fn element(
        &mut self,
        place: &mut Place,
        open: &[Name],
        node: &Node,
        tag: &BytesStart<'_>,
        begin: usize,
    ) -> Result<(), Fault> {
        let own = |reading: &Self| Name { space: reading.namespace.clone(), local: named(node) };
        match (node.name.space.as_str(), node.name.local.as_str()) {
            (WSDL, "definitions") if open.is_empty() => {
                self.namespace = attribute(node, "targetNamespace");
            }
            (WSDL, "import") => return Err(self.external(node, "location")),
            (SCHEMA, "import" | "include" | "redefine" | "override") => self.schema_import(node)?,
            (WSDL, "message") => place.message = Some(own(self)),
            (WSDL, "part") => self.part(place, node)?,
            (WSDL, "portType") => place.port = Some(own(self)),
            (WSDL, "binding") => {
                let port = self.reference(node, "type")?;
                place.binding = Some(own(self));
                self.bindings.insert(own(self), (port, None));
            }
            (SOAP, "binding") => self.soap_binding(place, node),
            (WSDL, "operation") => self.operation(place, node)?,
            (SOAP, "operation") => {
                if let Some(bound) = self.bound.last_mut() {
                    bound.action = attribute(node, "soapAction");
                    bound.style = node.attribute("", "style").map(str::to_owned);
                }
            }
            (SOAP, "body") => {
                if let Some(bound) = self.bound.last_mut() {
                    bound.literal &= attribute(node, "use") == "literal";
                }
            }
            (WSDL, "input" | "output") if place.port.is_some() => self.direction(place, node)?,
            (WSDL, "port") => place.bound_to = Some(self.reference(node, "binding")?),
            (SOAP, "address") => {
                if let Some(binding) = &place.bound_to {
                    self.located.insert(binding.clone(), attribute(node, "location"));
                }
                let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
                self.addresses.push((begin, self.at(), name));
            }
            _ => {}
        }
        Ok(())
    }

    fn ended(&mut self, place: &mut Place, name: &Name, open: &[Name], text: &str) {
        match (name.space.as_str(), name.local.as_str()) {
            (WSDL, "message") => place.message = None,
            (WSDL, "portType") => place.port = None,
            (WSDL, "binding") => place.binding = None,
            (WSDL, "operation") => place.operation = None,
            (WSDL, "port") => place.bound_to = None,
            (WSDL, "documentation") => {
                if let (Some(port), Some(operation)) = (&place.port, &place.operation)
                    && let Some(found) = self.ports.get_mut(&(port.clone(), operation.clone()))
                {
                    found.documentation = text.trim().to_owned();
                }
            }
            (XROAD, "version")
                if place.binding.is_some() && open.last().is_some_and(|o| o.is(WSDL, "operation")) =>
            {
                if let Some(bound) = self.bound.last_mut() {
                    bound.version = Some(text.trim().to_owned()).filter(|v| !v.is_empty());
                }
            }
            // An address may be written with an end tag of its own; it goes with it.
            (SOAP, "address") => {
                let end = self.at();
                if let Some((_, to, _)) = self.addresses.last_mut() {
                    *to = end;
                }
            }
            _ => {}
        }
    }

    fn external(&self, node: &Node, key: &str) -> Fault {
        Fault::External { line: self.line(), location: attribute(node, key) }
    }

    /// Schemas may be named without a place (they are in the document), or be those of the protocol.
    fn schema_import(&self, node: &Node) -> Result<(), Fault> {
        let known = attribute(node, "namespace").starts_with(KNOWN);
        match node.attribute("", "schemaLocation") {
            None => Ok(()),
            Some(_) if known => Ok(()),
            Some(_) => Err(self.external(node, "schemaLocation")),
        }
    }

    /// A qualified name in an attribute.
    fn reference(&self, node: &Node, key: &str) -> Result<Name, Fault> {
        let text = attribute(node, key);
        let (space, local) = self.reader.resolver().resolve_element(quick_xml::name::QName(text.as_bytes()));
        let space = match space {
            quick_xml::name::ResolveResult::Bound(space) => {
                String::from_utf8_lossy(space.as_ref()).into_owned()
            }
            quick_xml::name::ResolveResult::Unbound => String::new(),
            quick_xml::name::ResolveResult::Unknown(_) => return Err(self.ill_formed()),
        };
        Ok(Name { space, local: String::from_utf8_lossy(local.as_ref()).into_owned() })
    }

    fn part(&mut self, place: &Place, node: &Node) -> Result<(), Fault> {
        if let Some(message) = &place.message
            && node.attribute("", "element").is_some()
        {
            let element = self.reference(node, "element")?;
            // Further parts are headers; the body is the first.
            self.messages.entry(message.clone()).or_insert(element);
        }
        Ok(())
    }

    fn soap_binding(&mut self, place: &Place, node: &Node) {
        if attribute(node, "transport") == SOAP_HTTP
            && let Some(found) = place.binding.as_ref().and_then(|b| self.bindings.get_mut(b))
        {
            let style = attribute(node, "style");
            found.1 = Some(if style.is_empty() { "document".to_owned() } else { style });
        }
    }

    fn operation(&mut self, place: &mut Place, node: &Node) -> Result<(), Fault> {
        let name = named(node);
        if self.bound.len() == MAX_OPERATIONS || self.ports.len() == MAX_OPERATIONS {
            return Err(Fault::TooMuch);
        }
        if let Some(binding) = &place.binding {
            self.bound.push(Bound {
                at: self.at(),
                binding: binding.clone(),
                name: name.clone(),
                version: None,
                action: String::new(),
                style: None,
                literal: true,
            });
        } else if let Some(port) = &place.port {
            self.ports.insert((port.clone(), name.clone()), PortOperation::default());
        }
        place.operation = Some(name);
        Ok(())
    }

    fn direction(&mut self, place: &Place, node: &Node) -> Result<(), Fault> {
        let message = self.reference(node, "message")?;
        if let (Some(port), Some(operation)) = (&place.port, &place.operation)
            && let Some(found) = self.ports.get_mut(&(port.clone(), operation.clone()))
        {
            let slot = if node.name.local == "input" { &mut found.input } else { &mut found.output };
            *slot = Some(message);
        }
        Ok(())
    }

    fn description(&self) -> Result<Description, Fault> {
        let mut operations: Vec<Operation> = Vec::new();
        for bound in &self.bound {
            let Some((port, Some(style))) = self.bindings.get(&bound.binding) else { continue };
            if bound.style.as_ref().unwrap_or(style) != "document" || !bound.literal {
                return Err(Fault::Style { line: self.line_of(bound.at), operation: bound.name.clone() });
            }
            let missing = |what, name: &str| Fault::Missing { what, name: name.to_owned() };
            let found = self
                .ports
                .get(&(port.clone(), bound.name.clone()))
                .ok_or_else(|| missing("portType operation", &bound.name))?;
            let element = |message: &Name| {
                self.messages.get(message).cloned().ok_or_else(|| missing("message", &message.local))
            };
            let input = found.input.as_ref().ok_or_else(|| missing("input of", &bound.name))?;
            let operation = Operation {
                name: bound.name.clone(),
                version: bound.version.clone(),
                action: bound.action.clone(),
                input: element(input)?,
                output: found.output.as_ref().map(element).transpose()?,
                documentation: found.documentation.clone(),
                address: self.located.get(&bound.binding).cloned(),
            };
            if operations.iter().any(|o| o.name == operation.name && o.version == operation.version) {
                let version = operation.version.map(|v| format!(" {v}")).unwrap_or_default();
                return Err(Fault::Twice { operation: format!("{}{version}", operation.name) });
            }
            operations.push(operation);
        }
        if operations.is_empty() {
            return Err(Fault::Empty);
        }
        Ok(Description { namespace: self.namespace.clone(), operations })
    }
}

fn attribute(node: &Node, key: &str) -> String {
    node.attribute("", key).unwrap_or_default().to_owned()
}

fn named(node: &Node) -> String {
    attribute(node, "name")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions name="vxp" targetNamespace="http://example.org/vxp" xmlns:tns="http://example.org/vxp"
  xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:xrd="http://x-road.eu/xsd/xroad.xsd" xmlns:xs="http://www.w3.org/2001/XMLSchema">
 <wsdl:types><xs:schema targetNamespace="http://example.org/vxp">
  <xs:import namespace="http://x-road.eu/xsd/xroad.xsd" schemaLocation="http://x-road.eu/xsd/xroad.xsd"/>
  <xs:element name="getRandom" type="xs:string"/><xs:element name="getRandomResponse" type="xs:string"/>
 </xs:schema></wsdl:types>
 <wsdl:message name="ask"><wsdl:part name="body" element="tns:getRandom"/></wsdl:message>
 <wsdl:message name="answer"><wsdl:part name="body" element="tns:getRandomResponse"/></wsdl:message>
 <wsdl:message name="header"><wsdl:part name="client" element="xrd:client"/></wsdl:message>
 <wsdl:portType name="port"><wsdl:operation name="getRandom">
  <wsdl:documentation>Số ngẫu nhiên &amp; hơn</wsdl:documentation>
  <wsdl:input message="tns:ask"/><wsdl:output message="tns:answer"/></wsdl:operation></wsdl:portType>
 <wsdl:binding name="soap11" type="tns:port">
  <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
  <wsdl:operation name="getRandom"><soap:operation soapAction="urn:random" style="document"/><xrd:version>v1</xrd:version>
   <wsdl:input><soap:body use="literal"/><soap:header message="tns:header" part="client" use="literal"/></wsdl:input>
   <wsdl:output><soap:body use="literal"/></wsdl:output></wsdl:operation></wsdl:binding>
 <wsdl:service name="vxp"><wsdl:port name="p" binding="tns:soap11"><soap:address location="http://10.0.0.5:8080/ws"/></wsdl:port></wsdl:service>
</wsdl:definitions>
"#;

    #[test]
    fn operations_are_read_with_version_and_elements() {
        let found = read(SAMPLE.as_bytes()).unwrap();
        assert_eq!(found.namespace, "http://example.org/vxp");
        let name = |local: &str| Name { space: "http://example.org/vxp".into(), local: local.into() };
        assert_eq!(
            found.operations,
            [Operation {
                name: "getRandom".into(),
                version: Some("v1".into()),
                action: "urn:random".into(),
                input: name("getRandom"),
                output: Some(name("getRandomResponse")),
                documentation: "Số ngẫu nhiên & hơn".into(),
                address: Some("http://10.0.0.5:8080/ws".into()),
            }]
        );
    }

    #[test]
    fn addresses_are_taken_out_and_nothing_else() {
        for sample in [SAMPLE.to_owned(), SAMPLE.replace("8080/ws\"/>", "8080/ws\"><a/></soap:address>")] {
            let text = String::from_utf8(anonymous(sample.as_bytes()).unwrap()).unwrap();
            let expected = SAMPLE.replace("http://10.0.0.5:8080/ws", ANONYMOUS_URL);
            assert_eq!(text, expected);
            assert!(read(text.as_bytes()).is_ok());
        }
    }

    #[test]
    fn what_cannot_be_accepted_says_why() {
        let changed = |from: &str, to: &str| {
            assert!(SAMPLE.contains(from), "{from}");
            read(SAMPLE.replacen(from, to, 1).as_bytes()).unwrap_err()
        };
        assert!(matches!(read(b"<a/>"), Err(Fault::NotWsdl)));
        assert!(matches!(read(b"<wsdl"), Err(Fault::IllFormed { line: 1 })));
        assert!(matches!(
            changed("<wsdl:types>", "<wsdl:import location='http://evil/x'/><wsdl:types>"),
            Fault::External { line: 5, .. }
        ));
        let elsewhere =
            changed("<xs:import namespace=\"http://x-road.eu", "<xs:import namespace=\"http://example.org");
        assert!(
            matches!(elsewhere, Fault::External { line: 6, location } if location.starts_with("http://x-road.eu"))
        );
        assert!(matches!(
            changed("<wsdl:types>", "<wsdl:types><xs:include schemaLocation='file:///etc/passwd'/>"),
            Fault::External { .. }
        ));
        assert!(matches!(changed("style=\"document\"/>", "style=\"rpc\"/>"), Fault::Style { .. }));
        assert!(matches!(
            changed("use=\"literal\"/></wsdl:output>", "use=\"encoded\"/></wsdl:output>"),
            Fault::Style { .. }
        ));
        assert!(matches!(changed("http://schemas.xmlsoap.org/soap/http", "urn:jms"), Fault::Empty));
        assert!(matches!(changed("\"tns:ask\"", "\"tns:none\""), Fault::Missing { what: "message", .. }));
        assert!(matches!(changed("\"tns:ask\"", "\"none:ask\""), Fault::IllFormed { .. }));
        assert!(matches!(changed("type=\"tns:port\"", "type=\"tns:other\""), Fault::Missing { .. }));
        let (from, to) = (
            SAMPLE.find("  <wsdl:operation name=\"getRandom\"><soap").unwrap(),
            SAMPLE.find("</wsdl:binding>").unwrap(),
        );
        let operation = &SAMPLE[from..to];
        let twice = SAMPLE.replace(operation, &operation.repeat(2));
        assert_eq!(read(twice.as_bytes()), Err(Fault::Twice { operation: "getRandom v1".into() }));
        let versions =
            SAMPLE.replace(operation, &format!("{operation}{}", operation.replace(">v1<", ">v2<")));
        assert_eq!(read(versions.as_bytes()).unwrap().operations.len(), 2);
        assert!(matches!(changed("<wsdl:types>", "<!DOCTYPE a><wsdl:types>"), Fault::IllFormed { .. }));
        assert!(matches!(changed("<wsdl:types>", &"<a>".repeat(200)), Fault::TooMuch));
        assert_eq!(read(&vec![b' '; MAX_BYTES + 1]), Err(Fault::TooLarge));
    }
}
