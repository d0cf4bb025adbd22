//! The words of a report: names of fields, outcomes and reasons, times as they are written in Việt Nam.

use crate::commitment::Field;
use crate::record::{Outcome, Reason};
use crate::report::Lang;

/// One of two texts.
pub(crate) fn pick(lang: Lang, vi: &str, en: &str) -> String {
    match lang {
        Lang::Vi => vi.to_owned(),
        Lang::En => en.to_owned(),
    }
}

pub(crate) fn field(lang: Lang, field: Field) -> String {
    match field {
        Field::Issue => pick(lang, "mã vụ việc (X-Road-Issue)", "issue (X-Road-Issue)"),
        Field::Path => pick(lang, "đường dẫn", "path"),
        Field::Query => pick(lang, "tham số truy vấn", "query"),
        Field::RepresentedParty => {
            pick(lang, "bên được đại diện (X-Road-Represented-Party)", "represented party")
        }
        Field::RequestBody => {
            pick(lang, "mã băm SHA-512 của nội dung yêu cầu", "SHA-512 of the request body")
        }
        Field::RequestHead => {
            pick(lang, "mã băm SHA-512 của phần đầu yêu cầu", "SHA-512 of the request head")
        }
        Field::ResponseBody => {
            pick(lang, "mã băm SHA-256 của nội dung trả lời", "SHA-256 of the answer's body")
        }
        Field::ResponseHead => {
            pick(lang, "mã băm SHA-256 của phần đầu trả lời", "SHA-256 of the answer's head")
        }
        Field::UserId => pick(lang, "người yêu cầu (X-Road-UserId)", "user (X-Road-UserId)"),
    }
}

pub(crate) fn outcome(lang: Lang, outcome: Outcome) -> String {
    let (vi, en) = match outcome {
        Outcome::Answered => ("đã trả lời đầy đủ", "answered in full"),
        Outcome::Refused => (
            "bị từ chối tại cổng, bên cung cấp không nhận được gì",
            "refused by the gateway; the provider received nothing",
        ),
        Outcome::UpstreamFailed => (
            "bên cung cấp không kết nối được hoặc không trả lời hợp lệ",
            "the provider could not be reached or gave no valid answer",
        ),
        Outcome::UpstreamIncomplete => {
            ("trả lời của bên cung cấp bị đứt giữa chừng", "the provider's answer broke off")
        }
        Outcome::ConsumerGone => {
            ("bên sử dụng ngắt kết nối trước khi nhận đủ", "the consumer went away before it had the answer")
        }
        Outcome::RequestIncomplete => {
            ("yêu cầu của bên sử dụng bị đứt giữa chừng", "the consumer's request broke off")
        }
        Outcome::Stopped => (
            "cổng dừng giữa chừng theo quy định (dung lượng, thời gian hoặc thu hồi)",
            "stopped midway by a rule of the gateway (size, time or revocation)",
        ),
        Outcome::GatewayFailed => ("cổng gặp lỗi", "the gateway itself failed"),
    };
    pick(lang, vi, en)
}

pub(crate) fn reason(lang: Lang, reason: Reason) -> String {
    let (vi, en) = match reason {
        Reason::First => ("nút mới được cài đặt", "the node is new"),
        Reason::Restored => ("nút được khôi phục từ bản sao lưu", "the node was restored from a backup"),
        Reason::Shorter => (
            "nhật ký trên đĩa ngắn hơn điểm chốt đã công bố",
            "the log on disk was shorter than its published checkpoint",
        ),
        Reason::Inconsistent => (
            "nhật ký trên đĩa không khớp điểm chốt đã công bố",
            "the log on disk did not agree with its published checkpoint",
        ),
        Reason::Unreadable => (
            "không đọc được nhật ký, điểm chốt hoặc khóa",
            "the log, its checkpoint or its key could not be read",
        ),
    };
    pick(lang, vi, en)
}

/// `dd/MM/yyyy HH:mm:ss,mmm` in Việt Nam (UTC+7, no summer time). Milliseconds show the course of a call.
pub(crate) fn time(micros: i64) -> String {
    let milli = micros.div_euclid(1000).rem_euclid(1000);
    let seconds = micros.div_euclid(1_000_000) + 7 * 3600;
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (y, m, d) = civil(day);
    format!("{d:02}/{m:02}/{y:04} {:02}:{:02}:{:02},{milli:03}", second / 3600, second / 60 % 60, second % 60)
}

/// Year, month, day of a day number counted from 1970-01-01: years begin in March, in cycles of 400.
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let (era, in_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_viet_nam() {
        assert_eq!(time(0), "01/01/1970 07:00:00,000");
        assert_eq!(time(1_751_302_799_999_999), "30/06/2025 23:59:59,999");
        assert_eq!(time(1_751_302_800_000_000), "01/07/2025 00:00:00,000");
        assert_eq!(time(1_709_139_600_000_000), "29/02/2024 00:00:00,000");
        assert_eq!(time(4_107_517_200_000_000), "01/03/2100 00:00:00,000");
        assert_eq!(time((1 << 53) - 1), "06/06/2255 06:47:34,740");
    }
}
