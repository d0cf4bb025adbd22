//! What is said to people.

use evidence::{Field, Lang, Opened, Record, Refusal, verify};

use crate::log::{LOG, Log, call};

#[test]
fn a_report_says_what_is_proven_and_what_is_not() {
    let mut log = Log::new();
    let post = log.post(7);
    let bytes = log.bundle(&post, &[Field::Path]).to_bytes();
    let vi = verify(&bytes, None).unwrap().report(Lang::Vi).to_string();
    for part in [
        "HỢP LỆ, nhưng khóa của nhật ký chưa được đối chiếu",
        "Bên sử dụng: VN/GOV/H56.01/motcua",
        "Thao tác: POST /v1/people/*",
        "Đường dẫn: /v1/people/038099000001",
        "Chấp thuận khai thác dữ liệu: CT-2026-0012 (phiên bản 3)",
        "Nhận yêu cầu: 18/11/2026 18:08:20,000 (giờ Việt Nam)",
        "Kết quả: đã trả lời đầy đủ",
        "Khóa của nhật ký do chính gói này tự nêu",
        "Không công bố trong gói",
        "đồng hồ của chính nút",
    ] {
        assert!(vi.contains(part), "{part} is not in\n{vi}");
    }
    assert!(!vi.contains("038099000002") && !vi.contains("CHƯA RÕ"), "{vi}");

    let en = verify(&bytes, Some(log.verifying_key())).unwrap().report(Lang::En).to_string();
    for part in [
        "EVIDENCE BUNDLE: VALID\n",
        "Outcome: answered in full",
        "Not disclosed in the bundle",
        "node's own clock",
    ] {
        assert!(en.contains(part), "{part} is not in\n{en}");
    }
    assert!(!en.contains("only stated by the bundle"), "{en}");
}

#[test]
fn an_unknown_outcome_is_said_in_the_first_line() {
    let mut log = Log::new();
    let [opened, _] = log.post(7);
    let bytes = log.bundle(&[opened], &[]).to_bytes();
    let report = verify(&bytes, Some(log.verifying_key())).unwrap().report(Lang::Vi);
    assert_eq!(report.verdict, "HỢP LỆ. CHƯA RÕ KẾT QUẢ cuộc gọi");
    assert!(report.not_proven.iter().any(|s| s.contains("chưa rõ kết quả")));
}

#[test]
fn every_fact_and_sentence_is_there_in_both_languages() {
    let mut log = Log::new();
    let post = log.post(1);
    for indices in [&post[..], &post[..1], &[0]] {
        let verified = verify(&log.bundle(indices, &Field::ALL).to_bytes(), None).unwrap();
        let (vi, en) = (verified.report(Lang::Vi), verified.report(Lang::En));
        assert_eq!(vi.facts.len(), en.facts.len());
        assert_eq!(vi.proven.len(), en.proven.len());
        assert_eq!(vi.not_proven.len(), en.not_proven.len());
        let pairs = vi.proven.iter().chain(&vi.not_proven).zip(en.proven.iter().chain(&en.not_proven));
        pairs.for_each(|(vi, en)| assert_ne!(vi, en));
    }
}

#[test]
fn what_a_stranger_wrote_does_not_steer_the_terminal() {
    let mut log = Log::empty(LOG, 1);
    log.fill_to(1);
    let opened = Opened { call: call(1, "POST"), recorded: 1, commitments: [].into() };
    let index = log.append_with(Record::Opened(opened), &[(Field::Path, "/\u{1b}[2J\u{202e}x\nVALID")]);
    let text =
        verify(&log.bundle(&[index], &[Field::Path]).to_bytes(), None).unwrap().report(Lang::En).to_string();
    assert!(text.contains(r"/\u{1b}[2J\u{202e}x\u{a}VALID"), "{text}");
}

#[test]
fn refusals_have_two_texts_and_a_stable_name() {
    let refusal = verify(b"{}\n", None).unwrap_err();
    assert_eq!(refusal.code(), "not_canonical");
    assert!(refusal.text(Lang::Vi).starts_with("Tệp không còn nguyên dạng"));
    assert!(refusal.to_string().contains("no longer in its original form"));
    assert_eq!(verify(b"{}", None), Err(Refusal::Member("format")));
}
