//! Answers of the metadata services (PR-META, PR-MREST): `listClients` as JSON and XML, `listMethods` and
//! `allowedMethods` as JSON. Who is listed is decided by the caller.

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, ServiceId};
use crate::xml;

/// Service codes that name metadata services instead of services of the provider.
pub const METASERVICES: [&str; 3] = ["listMethods", "allowedMethods", "getOpenAPI"];

/// What server addresses in published descriptions are replaced by (RFC 2606 name).
pub const ANONYMOUS_URL: &str = "http://example.org/xroad-endpoint";

/// The answer of `listClients`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientList {
    /// Members and subsystems.
    pub member: Vec<Client>,
}

/// A member or subsystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its identifier.
    pub id: ClientKey,
    /// The member's name.
    pub name: String,
    /// The subsystem's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subsystem_name: Option<String>,
}

/// The identifier of a client, part by part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientKey {
    /// Member class.
    pub member_class: String,
    /// Member code.
    pub member_code: String,
    /// Subsystem code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subsystem_code: Option<String>,
    /// `MEMBER` or `SUBSYSTEM`.
    pub object_type: String,
    /// Instance.
    pub xroad_instance: String,
}

impl From<&ClientId> for ClientKey {
    fn from(id: &ClientId) -> Self {
        let (member, subsystem_code, object_type) = match id {
            ClientId::Member(m) => ([m.instance(), m.class(), m.member()], None, "MEMBER"),
            ClientId::Subsystem(s) => {
                ([s.instance(), s.class(), s.member()], Some(s.subsystem().to_owned()), "SUBSYSTEM")
            }
        };
        Self {
            member_class: member[1].to_owned(),
            member_code: member[2].to_owned(),
            subsystem_code,
            object_type: object_type.to_owned(),
            xroad_instance: member[0].to_owned(),
        }
    }
}

impl ClientList {
    /// Whether a caller with these `Accept` values gets JSON; all others get XML.
    pub fn wants_json<'a>(accept: impl IntoIterator<Item = &'a str>) -> bool {
        accept.into_iter().flat_map(|value| value.split(',')).any(|range| {
            range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
        })
    }

    /// The answer as XML.
    pub fn to_xml(&self) -> String {
        let mut out = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <xroad:clientList xmlns:xroad=\"http://x-road.eu/xsd/xroad.xsd\" xmlns:id=\"http://x-road.eu/xsd/identifiers\">",
        );
        for client in &self.member {
            client.write_xml(&mut out);
        }
        out.push_str("</xroad:clientList>");
        out
    }
}

impl Client {
    fn write_xml(&self, out: &mut String) {
        out.push_str("<xroad:member><xroad:id id:objectType=\"");
        // One of two fixed words, never text from outside.
        out.push_str(if self.id.subsystem_code.is_some() { "SUBSYSTEM" } else { "MEMBER" });
        out.push_str("\">");
        xml::element(out, "id:xRoadInstance", &self.id.xroad_instance);
        xml::element(out, "id:memberClass", &self.id.member_class);
        xml::element(out, "id:memberCode", &self.id.member_code);
        if let Some(code) = &self.id.subsystem_code {
            xml::element(out, "id:subsystemCode", code);
        }
        out.push_str("</xroad:id>");
        xml::element(out, "xroad:name", &self.name);
        if let Some(name) = &self.subsystem_name {
            xml::element(out, "xroad:subsystemName", name);
        }
        out.push_str("</xroad:member>");
    }
}

/// The answer of `listMethods` and `allowedMethods`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodList {
    /// The services; metadata services are not listed.
    pub service: Vec<ServiceMethods>,
}

/// A service and its endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceMethods {
    /// Member class.
    pub member_class: String,
    /// Member code.
    pub member_code: String,
    /// Subsystem code.
    pub subsystem_code: String,
    /// Always `SERVICE`.
    pub object_type: String,
    /// Service code.
    pub service_code: String,
    /// `REST` or `OPENAPI3`.
    pub service_type: String,
    /// Instance.
    pub xroad_instance: String,
    /// Its endpoints.
    pub endpoint_list: Vec<Endpoint>,
}

impl ServiceMethods {
    /// Describes a service.
    pub fn new(id: &ServiceId, service_type: &str, endpoint_list: Vec<Endpoint>) -> Self {
        Self {
            member_class: id.class().to_owned(),
            member_code: id.member().to_owned(),
            subsystem_code: id.subsystem().to_owned(),
            object_type: ServiceId::OBJECT_TYPE.to_owned(),
            service_code: id.code().to_owned(),
            service_type: service_type.to_owned(),
            xroad_instance: id.instance().to_owned(),
            endpoint_list,
        }
    }
}

/// Method and path pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The method, `*` for all.
    pub method: String,
    /// The path pattern.
    pub path: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> ClientList {
        let member: ClientId = "VN/GOV/H38".parse().unwrap();
        let subsystem: ClientId = "VN/GOV/H38/mot-cua".parse().unwrap();
        ClientList {
            member: vec![
                Client { id: (&member).into(), name: "Tỉnh & huyện".into(), subsystem_name: None },
                Client {
                    id: (&subsystem).into(),
                    name: "Tỉnh".into(),
                    subsystem_name: Some("Một cửa".into()),
                },
            ],
        }
    }

    #[test]
    fn clients_as_json() {
        let json = serde_json::to_string(&list()).unwrap();
        assert_eq!(
            json,
            "{\"member\":[{\"id\":{\"member_class\":\"GOV\",\"member_code\":\"H38\",\"object_type\":\"MEMBER\",\
             \"xroad_instance\":\"VN\"},\"name\":\"Tỉnh & huyện\"},{\"id\":{\"member_class\":\"GOV\",\
             \"member_code\":\"H38\",\"subsystem_code\":\"mot-cua\",\"object_type\":\"SUBSYSTEM\",\
             \"xroad_instance\":\"VN\"},\"name\":\"Tỉnh\",\"subsystem_name\":\"Một cửa\"}]}"
        );
    }

    #[test]
    fn clients_as_xml() {
        let xml = list().to_xml();
        assert!(xml.contains("<xroad:name>Tỉnh &amp; huyện</xroad:name></xroad:member>"));
        assert!(
            xml.contains("<id:memberCode>H38</id:memberCode><id:subsystemCode>mot-cua</id:subsystemCode>")
        );
        assert!(xml.ends_with(
            "<xroad:subsystemName>Một cửa</xroad:subsystemName></xroad:member></xroad:clientList>"
        ));
        assert!(ClientList::wants_json(["text/xml;q=1.0, Application/JSON;q=0.9"]));
        assert!(!ClientList::wants_json(["*/*"]) && !ClientList::wants_json([]));
    }

    #[test]
    fn methods_as_json() {
        let id: ServiceId = "VN/GOV/H38/dan-cu/tra-cuu".parse().unwrap();
        let endpoint = Endpoint { method: "GET".into(), path: "/nguoi/*".into() };
        let list = MethodList { service: vec![ServiceMethods::new(&id, "OPENAPI3", vec![endpoint])] };
        assert_eq!(
            serde_json::to_string(&list).unwrap(),
            "{\"service\":[{\"member_class\":\"GOV\",\"member_code\":\"H38\",\"subsystem_code\":\"dan-cu\",\
             \"object_type\":\"SERVICE\",\"service_code\":\"tra-cuu\",\"service_type\":\"OPENAPI3\",\
             \"xroad_instance\":\"VN\",\"endpoint_list\":[{\"method\":\"GET\",\"path\":\"/nguoi/*\"}]}]}"
        );
    }
}
