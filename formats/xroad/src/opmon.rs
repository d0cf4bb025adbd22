//! The operational-monitoring record of one exchange and the answer that carries many, with the names of PR-OPMON.
//! `restPath`, `messageUserId` and `messageIssue` are left out on purpose: what may be personal never enters
//! monitoring. Which records there are and who may have them is decided elsewhere.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::RepresentedParty;

/// Longest `faultString`, in characters.
pub const MAX_FAULT_STRING: usize = 2048;
/// Longest other text, in characters.
pub const MAX_STRING: usize = 255;

/// Every field a collector may ask for (`outputField`), in the order of PR-OPMON. Some are never filled in here:
/// asking for them is no mistake, they are absent from the answer. The last two are not of PR-OPMON.
pub const FIELDS: [&str; 42] = [
    "monitoringDataTs",
    "securityServerInternalIp",
    "securityServerType",
    "requestInTs",
    "requestOutTs",
    "responseInTs",
    "responseOutTs",
    "clientXRoadInstance",
    "clientMemberClass",
    "clientMemberCode",
    "clientSubsystemCode",
    "serviceXRoadInstance",
    "serviceMemberClass",
    "serviceMemberCode",
    "serviceSubsystemCode",
    "serviceCode",
    "restMethod",
    "restPath",
    "serviceVersion",
    "representedPartyClass",
    "representedPartyCode",
    "messageId",
    "messageUserId",
    "messageIssue",
    "messageProtocolVersion",
    "clientSecurityServerAddress",
    "serviceSecurityServerAddress",
    "requestSize",
    "requestMimeSize",
    "requestAttachmentCount",
    "responseSize",
    "responseMimeSize",
    "responseAttachmentCount",
    "succeeded",
    "serviceType",
    "faultCode",
    "faultString",
    "statusCode",
    "xRequestId",
    "xRoadVersion",
    "environment",
    "removedFieldCount",
];

/// On which side a record was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerType {
    /// The consumer's.
    Client,
    /// The provider's.
    Producer,
}

/// One record. Times ending in `Ts` are milliseconds since 1970 (except `monitoringDataTs`: seconds), sizes bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names are those of PR-OPMON, which says what they mean")]
pub struct Record {
    pub monitoring_data_ts: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_server_internal_ip: Option<String>,
    pub security_server_type: ServerType,
    pub request_in_ts: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_out_ts: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_in_ts: Option<i64>,
    pub response_out_ts: i64,
    #[serde(rename = "clientXRoadInstance", skip_serializing_if = "Option::is_none")]
    pub client_x_road_instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_member_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_member_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_subsystem_code: Option<String>,
    #[serde(rename = "serviceXRoadInstance", skip_serializing_if = "Option::is_none")]
    pub service_x_road_instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_member_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_member_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_subsystem_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub represented_party_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub represented_party_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_protocol_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_security_server_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_security_server_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_attachment_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_attachment_count: Option<u32>,
    pub succeeded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_string: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    #[serde(rename = "xRequestId", skip_serializing_if = "Option::is_none")]
    pub x_request_id: Option<String>,
    #[serde(rename = "xRoadVersion", skip_serializing_if = "Option::is_none")]
    pub x_road_version: Option<String>,
    /// Where the call went when not to production; no field of PR-OPMON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// How many fields were taken out of the answer because the agreement does not name them; no field of PR-OPMON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_field_count: Option<u64>,
}

impl Record {
    /// A record with nothing but its times (milliseconds since 1970), not succeeded.
    pub fn new(server: ServerType, request_in_ts: i64, response_out_ts: i64) -> Self {
        Self {
            monitoring_data_ts: response_out_ts.div_euclid(1000),
            security_server_internal_ip: None,
            security_server_type: server,
            request_in_ts,
            request_out_ts: None,
            response_in_ts: None,
            response_out_ts,
            client_x_road_instance: None,
            client_member_class: None,
            client_member_code: None,
            client_subsystem_code: None,
            service_x_road_instance: None,
            service_member_class: None,
            service_member_code: None,
            service_subsystem_code: None,
            service_code: None,
            rest_method: None,
            represented_party_class: None,
            represented_party_code: None,
            message_id: None,
            message_protocol_version: None,
            client_security_server_address: None,
            service_security_server_address: None,
            request_size: None,
            request_attachment_count: None,
            response_size: None,
            response_attachment_count: None,
            succeeded: false,
            service_type: None,
            fault_code: None,
            fault_string: None,
            status_code: None,
            x_request_id: None,
            x_road_version: None,
            environment: None,
            removed_field_count: None,
        }
    }

    /// Fills in who called what: the decoded parts of the client (three or four) and of the service (five), each
    /// joined by `/`, as [`crate::id::ClientId::path`] and [`crate::id::ServiceId::path`] give them.
    pub fn parties(&mut self, client: &str, service: &str) {
        let mut parts = client.split('/').map(|part| clip(part, MAX_STRING));
        self.client_x_road_instance = parts.next();
        self.client_member_class = parts.next();
        self.client_member_code = parts.next();
        self.client_subsystem_code = parts.next();
        let mut parts = service.split('/').map(|part| clip(part, MAX_STRING));
        self.service_x_road_instance = parts.next();
        self.service_member_class = parts.next();
        self.service_member_code = parts.next();
        self.service_subsystem_code = parts.next();
        self.service_code = parts.next();
    }

    /// Fills in the represented party.
    pub fn represented_party(&mut self, party: &RepresentedParty) {
        self.represented_party_class = party.class.as_deref().map(|c| clip(c, MAX_STRING));
        self.represented_party_code = Some(clip(&party.code, MAX_STRING));
    }

    /// Fills in the error that was answered.
    pub fn fault(&mut self, code: &str, message: &str) {
        self.succeeded = false;
        self.fault_code = Some(clip(code, MAX_STRING));
        self.fault_string = Some(clip(message, MAX_FAULT_STRING));
    }
}

impl Record {
    /// The record as it is sent, with the named fields only; with all that are filled in when none are named.
    pub fn only(&self, fields: &[&str]) -> Map<String, Value> {
        let mut all = match serde_json::to_value(self) {
            Ok(Value::Object(all)) => all,
            // Numbers, texts and flags: there is nothing in a record that has no form in JSON.
            _ => Map::new(),
        };
        if !fields.is_empty() {
            all.retain(|name, _| fields.contains(&name.as_str()));
        }
        all
    }
}

/// The answer to a question for records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationalData {
    /// How many records follow.
    pub records_count: usize,
    /// The records, each as [`Record::only`] gives it.
    pub records: Vec<Map<String, Value>>,
    /// Where the next question begins (seconds since 1970), when there is or will be more within the time asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_records_from: Option<i64>,
}

/// At most `max` characters of a text.
pub fn clip(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_protocol_and_nothing_personal_is_among_them() {
        let mut record = Record::new(ServerType::Client, 1_000, 2_500);
        record.parties("VN/GOV/H38/mot-cua", "VN/GOV/H38/dan-cu/tra-cuu");
        record.represented_party(&"COM/01".parse().unwrap());
        record.fault("client.bad_request", &"x".repeat(5000));
        record.status_code = Some(400);
        record.x_road_version = Some("7".into());
        let json = serde_json::to_value(&record).unwrap();
        for (name, value) in [
            ("clientXRoadInstance", "VN"),
            ("clientSubsystemCode", "mot-cua"),
            ("serviceXRoadInstance", "VN"),
            ("serviceCode", "tra-cuu"),
            ("representedPartyClass", "COM"),
            ("faultCode", "client.bad_request"),
            ("xRoadVersion", "7"),
            ("securityServerType", "Client"),
        ] {
            assert_eq!(json[name], value, "{name}");
        }
        assert_eq!(
            (json["monitoringDataTs"].as_i64(), json["responseOutTs"].as_i64()),
            (Some(2), Some(2500))
        );
        assert_eq!(record.fault_string.as_ref().map(String::len), Some(2048));
        assert!(json.get("restPath").is_none() && json.get("messageUserId").is_none());
        assert_eq!(serde_json::from_value::<Record>(json).unwrap(), record);
    }

    #[test]
    fn long_texts_are_cut_to_what_collectors_keep() {
        let mut record = Record::new(ServerType::Client, 0, 0);
        let long = "ộ".repeat(300);
        record.parties(&format!("VN/GOV/H38/{long}"), &format!("VN/GOV/H38/x/{long}"));
        record.fault(&long, &"ộ".repeat(3000));
        let length = |text: &Option<String>| text.as_ref().map(|t| t.chars().count());
        assert_eq!(length(&record.client_subsystem_code), Some(MAX_STRING));
        assert_eq!(length(&record.service_code), Some(MAX_STRING));
        assert_eq!(length(&record.fault_code), Some(MAX_STRING));
        assert_eq!(length(&record.fault_string), Some(MAX_FAULT_STRING));
    }

    #[test]
    fn every_field_that_is_sent_can_be_asked_for_by_its_name() {
        let mut record = Record::new(ServerType::Client, 1_000, 2_500);
        record.parties("VN/GOV/H38/mot-cua", "VN/GOV/H38/dan-cu/tra-cuu");
        record.fault("client.bad_request", "x");
        let text = || Some("x".to_owned());
        (record.rest_method, record.message_id, record.x_request_id) = (text(), text(), text());
        (record.x_road_version, record.service_type) = (text(), text());
        (record.request_size, record.response_size, record.status_code) = (Some(1), Some(2), Some(400));
        let all = record.only(&[]);
        assert!(all.keys().all(|name| FIELDS.contains(&name.as_str())), "{:?}", all.keys());
        for name in all.keys() {
            assert_eq!(record.only(&[name]).keys().collect::<Vec<_>>(), [name]);
        }
        assert_eq!(record.only(&["requestInTs", "restPath"]).len(), 1, "paths are never there");
    }

    #[test]
    fn the_answer_has_the_names_of_the_protocol() {
        let mut data = OperationalData { records_count: 0, records: Vec::new(), next_records_from: Some(7) };
        let json = serde_json::to_string(&data).unwrap();
        assert_eq!(json, r#"{"recordsCount":0,"records":[],"nextRecordsFrom":7}"#);
        data.next_records_from = None;
        assert!(!serde_json::to_string(&data).unwrap().contains("next"));
    }
}
