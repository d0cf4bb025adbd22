//! The health data of services with the names of PR-OPMON (`getSecurityServerHealthData`). How they are gathered is
//! decided elsewhere.

use serde::{Deserialize, Serialize};

use crate::id::ServiceId;

/// How each service does on one node since it started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthData {
    /// When counting began, milliseconds since 1970.
    pub monitoring_startup_timestamp: i64,
    /// Over how many seconds [`LastPeriod`] reaches back.
    pub statistics_period_seconds: u64,
    /// The services.
    pub services_events: Vec<ServiceEvents>,
}

/// How one service does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceEvents {
    /// Which service.
    pub service: ServiceKey,
    /// When the last call succeeded, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_request_timestamp: Option<i64>,
    /// When the last call failed, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_unsuccessful_request_timestamp: Option<i64>,
    /// `REST` or `OPENAPI3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_type: Option<String>,
    /// The last period.
    pub last_period_statistics: LastPeriod,
}

/// The identifier of a service, part by part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceKey {
    /// Always `SERVICE`.
    pub object_type: String,
    /// Instance.
    pub x_road_instance: String,
    /// Member class.
    pub member_class: String,
    /// Member code.
    pub member_code: String,
    /// Subsystem code.
    pub subsystem_code: String,
    /// Service code.
    pub service_code: String,
}

impl From<&ServiceId> for ServiceKey {
    fn from(id: &ServiceId) -> Self {
        Self {
            object_type: ServiceId::OBJECT_TYPE.to_owned(),
            x_road_instance: id.instance().to_owned(),
            member_class: id.class().to_owned(),
            member_code: id.member().to_owned(),
            subsystem_code: id.subsystem().to_owned(),
            service_code: id.code().to_owned(),
        }
    }
}

/// Calls of the last period. Durations (milliseconds) and sizes (bytes) are those of the successful ones; absent when
/// there was none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names are those of PR-OPMON, which says what they mean")]
pub struct LastPeriod {
    pub successful_request_count: u64,
    pub unsuccessful_request_count: u64,
    #[serde(flatten)]
    pub durations: Durations,
    #[serde(flatten)]
    pub request_sizes: RequestSizes,
    #[serde(flatten)]
    pub response_sizes: ResponseSizes,
}

macro_rules! figures {
    ($(#[$doc:meta])* $name:ident, $min:literal $average:literal $max:literal $deviation:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        pub struct $name {
            /// The smallest.
            #[serde(rename = $min, default, skip_serializing_if = "Option::is_none")]
            pub min: Option<u64>,
            /// The mean.
            #[serde(rename = $average, default, skip_serializing_if = "Option::is_none")]
            pub average: Option<f64>,
            /// The largest.
            #[serde(rename = $max, default, skip_serializing_if = "Option::is_none")]
            pub max: Option<u64>,
            /// The standard deviation of all of them.
            #[serde(rename = $deviation, default, skip_serializing_if = "Option::is_none")]
            pub deviation: Option<f64>,
        }

        impl From<Figures> for $name {
            fn from(f: Figures) -> Self {
                let some = f.count > 0;
                Self {
                    min: some.then_some(f.min),
                    average: some.then(|| f.mean()),
                    max: some.then_some(f.max),
                    deviation: some.then(|| f.deviation()),
                }
            }
        }
    };
}

figures!(
    /// Milliseconds from the arrival of the request to the end of the answer.
    Durations, "requestMinDuration" "requestAverageDuration" "requestMaxDuration" "requestDurationStdDev");
figures!(
    /// Bytes of requests.
    RequestSizes, "requestMinSize" "requestAverageSize" "requestMaxSize" "requestSizeStdDev");
figures!(
    /// Bytes of answers.
    ResponseSizes, "responseMinSize" "responseAverageSize" "responseMaxSize" "responseSizeStdDev");

/// Figures of which only what is needed for minimum, mean, maximum and deviation is kept; two of them can be added.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    count: u64,
    min: u64,
    max: u64,
    sum: u128,
    squares: u128,
}

impl Figures {
    /// Takes in one figure.
    pub fn take(&mut self, figure: u64) {
        let one = u128::from(figure);
        self.add(&Self { count: 1, min: figure, max: figure, sum: one, squares: one.saturating_mul(one) });
    }

    /// Takes in all that the other holds.
    pub fn add(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }

    fn mean(&self) -> f64 {
        self.sum as f64 / self.count as f64
    }

    fn deviation(&self) -> f64 {
        // n·Σx² − (Σx)² in whole numbers: subtracting nearly equal floats would leave little of the deviation.
        let count = u128::from(self.count);
        let spread = count.saturating_mul(self.squares).saturating_sub(self.sum.saturating_mul(self.sum));
        (spread as f64).sqrt() / self.count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(all: &[u64]) -> Figures {
        let mut figures = Figures::default();
        all.iter().for_each(|f| figures.take(*f));
        figures
    }

    #[test]
    fn figures_are_those_of_the_whole_however_they_are_gathered() {
        let mut halves = figures(&[2, 4, 4, 4]);
        halves.add(&figures(&[5, 5, 7, 9]));
        halves.add(&Figures::default());
        assert_eq!(halves, figures(&[2, 4, 4, 4, 5, 5, 7, 9]));
        let all = Durations::from(halves);
        assert_eq!((all.min, all.average, all.max, all.deviation), (Some(2), Some(5.0), Some(9), Some(2.0)));
        let one = Durations::from(figures(&[7]));
        assert_eq!((one.min, one.average, one.deviation), (Some(7), Some(7.0), Some(0.0)));
        let large = Durations::from(figures(&[1_000_000_000_001, 1_000_000_000_003]));
        assert_eq!(large.deviation, Some(1.0), "small spreads of large figures are not lost");
    }

    #[test]
    fn names_are_those_of_the_protocol_and_what_did_not_happen_is_absent() {
        let id = "VN/GOV/H38/dan-cu/tra-cuu".parse::<ServiceId>().unwrap();
        let mut events = ServiceEvents {
            service: ServiceKey::from(&id),
            last_successful_request_timestamp: None,
            last_unsuccessful_request_timestamp: Some(5),
            service_type: Some("OPENAPI3".into()),
            last_period_statistics: LastPeriod { unsuccessful_request_count: 1, ..LastPeriod::default() },
        };
        let json = serde_json::to_value(&events).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "service": {"objectType": "SERVICE", "xRoadInstance": "VN", "memberClass": "GOV",
                            "memberCode": "H38", "subsystemCode": "dan-cu", "serviceCode": "tra-cuu"},
                "lastUnsuccessfulRequestTimestamp": 5,
                "serviceType": "OPENAPI3",
                "lastPeriodStatistics": {"successfulRequestCount": 0, "unsuccessfulRequestCount": 1},
            })
        );
        let period = &mut events.last_period_statistics;
        period.durations = figures(&[40, 44]).into();
        period.request_sizes = figures(&[0]).into();
        period.response_sizes = figures(&[512]).into();
        let data = HealthData {
            monitoring_startup_timestamp: 1,
            statistics_period_seconds: 600,
            services_events: vec![events],
        };
        let json = serde_json::to_value(&data).unwrap();
        let period = &json["servicesEvents"][0]["lastPeriodStatistics"];
        for (name, value) in [
            ("requestMinDuration", 40.0),
            ("requestAverageDuration", 42.0),
            ("requestMaxDuration", 44.0),
            ("requestDurationStdDev", 2.0),
            ("requestMinSize", 0.0),
            ("requestSizeStdDev", 0.0),
            ("responseMaxSize", 512.0),
            ("responseAverageSize", 512.0),
        ] {
            assert_eq!(period[name].as_f64(), Some(value), "{name}");
        }
        assert_eq!(
            (&json["statisticsPeriodSeconds"], &json["monitoringStartupTimestamp"]),
            (&600.into(), &1.into())
        );
        assert_eq!(serde_json::from_value::<HealthData>(json).unwrap(), data);
    }
}
