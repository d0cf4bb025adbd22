//! The operational-monitoring record of one exchange, with the field names of PR-OPMON. `restPath` is left out on
//! purpose: paths may hold personal data and never enter monitoring.

use serde::{Deserialize, Serialize};

use crate::id::RepresentedParty;

/// Longest `faultString`, in characters.
pub const MAX_FAULT_STRING: usize = 2048;
/// Longest other text, in characters.
pub const MAX_STRING: usize = 255;

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
    #[serde(rename = "xRoadVersion", skip_serializing_if = "Option::is_none")]
    pub x_road_version: Option<String>,
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
            x_road_version: None,
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
}
