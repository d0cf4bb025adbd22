//! What a verified bundle proves and what it does not, in plain words, Vietnamese and English.

use std::fmt;

use crate::commitment::Field;
use crate::record::{Call, Closed, Environment, Origin};
use crate::verify::Verified;
use crate::words::{field, outcome, pick, reason, time};

/// Language of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// Vietnamese.
    Vi,
    /// English.
    En,
}

/// A report, ready to be shown; `Display` is the text for a terminal or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Language of all texts.
    pub lang: Lang,
    /// One line.
    pub verdict: String,
    /// What the records say.
    pub facts: Vec<Fact>,
    /// What is proven.
    pub proven: Vec<String>,
    /// What is not, and what the reader can do about it.
    pub not_proven: Vec<String>,
}

/// One thing a record says. Control characters and marks that turn the writing direction are made visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// What it says.
    pub value: String,
}

impl Verified {
    /// Puts into words what has been shown.
    pub fn report(&self, lang: Lang) -> Report {
        Report {
            lang,
            verdict: self.verdict(lang),
            facts: self.facts(lang),
            proven: self.proven(lang),
            not_proven: self.not_proven(lang),
        }
    }

    fn verdict(&self, lang: Lang) -> String {
        let known = if self.trusted {
            pick(lang, "HỢP LỆ", "VALID")
        } else {
            pick(
                lang,
                "HỢP LỆ, nhưng khóa của nhật ký chưa được đối chiếu với nguồn tin cậy",
                "VALID, but the key of the log was not compared with a source you trust",
            )
        };
        if self.origin().is_none() && self.closed().is_none() {
            let unknown = pick(lang, "CHƯA RÕ KẾT QUẢ cuộc gọi", "OUTCOME of the call UNKNOWN");
            return format!("{known}. {unknown}");
        }
        known
    }

    fn facts(&self, lang: Lang) -> Vec<Fact> {
        let mut facts = Facts { lang, list: Vec::new() };
        if let Some(call) = self.call() {
            call_facts(&mut facts, call);
        }
        if let Some(closed) = self.closed() {
            closed_facts(&mut facts, closed);
        }
        if let Some(origin) = self.origin() {
            origin_facts(&mut facts, origin);
        }
        for known in Field::ALL {
            if let Some(value) = self.value(known) {
                facts.push_label(capital(&field(lang, known)), value);
            }
        }
        facts.maybe("Mã băm yêu cầu X-Road", "X-Road request hash", self.request_hash());
        facts.push("Nhật ký", "Log", &self.checkpoint.origin);
        let places: Vec<String> = self.records.iter().map(|p| p.index.to_string()).collect();
        let of = pick(lang, "trong số", "of");
        let place = format!("{} {of} {}", places.join(", "), self.checkpoint.size);
        facts.push("Vị trí bản ghi (từ 0)", "Position of the record (from 0)", &place);
        facts.push("Khóa của nhật ký", "Key of the log", &self.log.to_string());
        facts.list
    }

    fn proven(&self, lang: Lang) -> Vec<String> {
        let key = &self.log;
        let mut all = vec![match lang {
            Lang::Vi => format!(
                "Nhật ký “{}” có chứa đúng bản ghi này: điểm chốt {} bản ghi đã được ký bằng khóa {key}.",
                self.checkpoint.origin, self.checkpoint.size
            ),
            Lang::En => format!(
                "The log “{}” holds exactly this record: its checkpoint over {} records is signed by the key {key}.",
                self.checkpoint.origin, self.checkpoint.size
            ),
        }];
        all.push(pick(
            lang,
            "Nội dung bản ghi không bị thay đổi từ khi điểm chốt được ký: chỉ một bit khác đi là gói bị từ chối.",
            "The record was not altered since the checkpoint was signed: one different bit and the bundle is refused.",
        ));
        if self.opened().is_some() && self.closed().is_some() {
            all.push(pick(
                lang,
                "Bản ghi mở đứng trước bản ghi kết thúc của cùng cuộc gọi này trong nhật ký.",
                "The record of the beginning stands before the record of the end of this call in the log.",
            ));
        }
        if self.closed().is_some_and(|closed| closed.filter.is_some()) {
            all.push(pick(
                lang,
                "Cổng ghi nhận: trả lời đã qua bộ lọc, chỉ các trường thuộc danh sách có mã băm nêu trên được chuyển đi.",
                "The gateway recorded that only fields of the list with the stated SHA-256 left with the answer.",
            ));
        }
        if let Some(previous) = self.origin().and_then(|origin| origin.previous.as_ref()) {
            let line = previous.log.split('+').next().unwrap_or_default();
            all.push(match lang {
                Lang::Vi => {
                    format!(
                        "Nhật ký này cam kết tiếp nối nhật ký “{line}” từ điểm chốt đã ký của nhật ký đó."
                    )
                }
                Lang::En => format!("This log commits to a signed checkpoint of the log “{line}” before it."),
            });
        }
        if !self.disclosed.is_empty() {
            all.push(pick(
                lang,
                "Các giá trị được công bố trong gói đúng là những giá trị đã được cam kết trong bản ghi.",
                "The values disclosed in the bundle are those the record commits to.",
            ));
        }
        all
    }

    fn not_proven(&self, lang: Lang) -> Vec<String> {
        let mut all = Vec::new();
        if !self.trusted {
            all.push(pick(
                lang,
                "Khóa của nhật ký do chính gói này tự nêu, nên chưa chứng minh được cơ quan nào giữ khóa. Hãy lấy khóa \
                 từ cơ quan vận hành qua một kênh khác rồi kiểm tra lại với khóa đó.",
                "The key of the log is only stated by the bundle itself, so who holds it is not proven. Get the key \
                 from the operating agency by another way and check again with it.",
            ));
        }
        if self.origin().is_none() && self.closed().is_none() {
            all.push(pick(
                lang,
                "Gói chỉ có bản ghi mở: chưa rõ kết quả cuộc gọi. Gói không chứng minh cuộc gọi đã thành công hay thất \
                 bại, cũng không chứng minh rằng không có bản ghi kết thúc.",
                "The bundle only has the record of the beginning: the outcome of the call is unknown. It proves neither \
                 success nor failure, nor that no record of the end exists.",
            ));
        }
        let withheld = self.withheld();
        if !withheld.is_empty() {
            let names: Vec<String> = withheld.into_iter().map(|f| field(lang, f)).collect();
            all.push(match lang {
                Lang::Vi => format!(
                    "Không công bố trong gói (chỉ có cam kết, không suy ra được giá trị): {}.",
                    names.join("; ")
                ),
                Lang::En => format!(
                    "Not disclosed in the bundle (only commitments, which do not give the values away): {}.",
                    names.join("; ")
                ),
            });
        }
        all.push(pick(
            lang,
            "Thời gian là theo đồng hồ của chính nút ghi nhật ký, chưa có dấu thời gian của bên thứ ba.",
            "Times are by the node's own clock; no third party has stamped them.",
        ));
        all.push(pick(
            lang,
            "Chưa có bên làm chứng độc lập ký cùng điểm chốt: gói không cho biết nhật ký có trình cùng một nội dung cho \
             mọi người hay không.",
            "No independent witness has signed the checkpoint: the bundle does not show whether the log presents the \
             same content to everybody.",
        ));
        if self.origin().is_none() {
            all.push(pick(
                lang,
                "Bản ghi nói lên điều cổng đã thấy, không nói nội dung trao đổi là đúng sự thật. Gói không chứa nội dung; \
                 muốn đối chiếu nội dung, hãy tính mã băm của nội dung và so với mã băm được công bố.",
                "The record says what the gateway saw, not that what was exchanged is true. The bundle does not hold \
                 the content; to compare content, compute its digest and compare it with the disclosed one.",
            ));
        }
        all
    }
}

fn call_facts(facts: &mut Facts, call: &Call) {
    facts.push("Mã cuộc gọi", "Request number", &call.request_id);
    facts.push("Mã thông điệp (X-Road-Id)", "Message number (X-Road-Id)", &call.message_id);
    facts.push("Bên sử dụng", "Consumer", &call.client);
    facts.push("Cách xác thực bên sử dụng", "How the consumer was authenticated", &call.consumer_auth);
    facts.push("Dịch vụ được gọi", "Service", &call.service);
    let environment = call.environment.map(|e| match e {
        Environment::Sandbox => pick(facts.lang, "thử nghiệm (dữ liệu giả định)", "sandbox (invented data)"),
        Environment::Test => pick(facts.lang, "kiểm thử", "test"),
    });
    facts.maybe("Môi trường", "Environment", environment);
    let endpoint = call.endpoint.as_deref().map(|endpoint| format!("{} {endpoint}", call.method));
    facts.push("Thao tác", "Operation", endpoint.as_deref().unwrap_or(&call.method));
    let version = pick(facts.lang, "phiên bản", "version");
    let agreement = call.agreement.as_ref().map(|a| format!("{} ({version} {})", a.id, a.version));
    let none = pick(facts.lang, "không có", "none");
    let agreement = agreement.unwrap_or(none);
    facts.push("Chấp thuận khai thác dữ liệu", "Agreement", &agreement);
    facts.push("Bản cấu hình số", "Configuration snapshot", &call.snapshot.to_string());
    facts.time("Nhận yêu cầu", "Request received", Some(call.request_in));
}

fn closed_facts(facts: &mut Facts, closed: &Closed) {
    facts.time("Chuyển tới bên cung cấp", "Sent to the provider", closed.request_out);
    facts.time("Bên cung cấp bắt đầu trả lời", "Provider began to answer", closed.response_in);
    facts.time("Ghi bản ghi kết thúc", "End recorded", Some(closed.recorded));
    let lang = facts.lang;
    facts.push("Kết quả", "Outcome", &outcome(lang, closed.outcome));
    facts.maybe("Mã lỗi", "Fault", closed.fault.clone());
    let bytes = |size: u64| format!("{size} byte{}", if lang == Lang::En && size != 1 { "s" } else { "" });
    facts.push("Dung lượng yêu cầu", "Size of the request", &bytes(closed.request.size));
    if let Some(response) = &closed.response {
        facts.push("Mã trạng thái HTTP", "HTTP status", &response.status.to_string());
        facts.push("Dung lượng trả lời", "Size of the answer", &bytes(response.size));
    }
    if let Some(filter) = &closed.filter {
        facts.push("Số trường đã loại bỏ", "Fields taken out", &filter.removed.to_string());
        let name = ("Mã băm danh sách trường được phép", "SHA-256 of the list of agreed fields");
        facts.push(name.0, name.1, &filter.fields.to_string());
    }
}

fn origin_facts(facts: &mut Facts, origin: &Origin) {
    facts.push("Nhật ký bắt đầu", "Log that begins", &origin.origin);
    let why = reason(facts.lang, origin.reason);
    facts.push("Lý do", "Reason", &why);
    facts.time("Thời điểm", "Time", Some(origin.recorded));
    facts.maybe(
        "Khóa của nhật ký trước",
        "Key of the log before",
        origin.previous.as_ref().map(|p| p.log.clone()),
    );
}

struct Facts {
    lang: Lang,
    list: Vec<Fact>,
}

impl Facts {
    fn push_label(&mut self, label: String, value: &str) {
        self.list.push(Fact { label, value: printable(value) });
    }

    fn push(&mut self, vi: &str, en: &str, value: &str) {
        self.push_label(pick(self.lang, vi, en), value);
    }

    fn maybe(&mut self, vi: &str, en: &str, value: Option<String>) {
        if let Some(value) = value {
            self.push(vi, en, &value);
        }
    }

    fn time(&mut self, vi: &str, en: &str, micros: Option<i64>) {
        let zone = pick(self.lang, "giờ Việt Nam", "Việt Nam time");
        self.maybe(vi, en, micros.map(|micros| format!("{} ({zone})", time(micros))));
    }
}

/// A stranger wrote these values; they must not steer a terminal or turn a line around.
fn printable(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let separates = |c: char| matches!(c, '\u{2028}' | '\u{2029}');
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || turns(c) || separates(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = pick(self.lang, "GÓI BẰNG CHỨNG", "EVIDENCE BUNDLE");
        writeln!(f, "{title}: {}\n", self.verdict)?;
        self.facts.iter().try_for_each(|fact| writeln!(f, "  {}: {}", fact.label, fact.value))?;
        let proven = pick(self.lang, "Đã được chứng minh", "What is proven");
        let not_proven = pick(self.lang, "Chưa được chứng minh", "What is not proven");
        for (heading, sentences) in [(proven, &self.proven), (not_proven, &self.not_proven)] {
            writeln!(f, "\n{heading}:")?;
            sentences.iter().try_for_each(|sentence| writeln!(f, "  - {sentence}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{202e}d"), r"a\u{1b}[2Jb\u{a}c\u{202e}d");
        assert_eq!(printable("Nguyễn Văn Ánh"), "Nguyễn Văn Ánh");
    }
}
