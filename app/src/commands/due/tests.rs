//! Tests of the answer in words; the program itself is tried in `scenarios`.

use clap::Parser;
use kernel::i18n::Lang;

use super::{Options, answer, help};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn options(line: &str) -> Options {
    let words = std::iter::once("due").chain(line.split(' '));
    Line::try_parse_from(words).unwrap().options
}

fn text(line: &str, lang: Lang) -> String {
    match answer(&options(line), lang) {
        Ok(answer) => answer.text(),
        Err(refusal) => format!("{}: {}", refusal.code(), refusal.text(lang)),
    }
}

#[test]
fn the_answer_says_when_and_why() {
    let expected = "\
Hạn giải quyết: thứ Năm, 26/11/2026 16:00
Thời hạn: 3 ngày làm việc
Lịch: Lịch làm việc chung của cơ quan nhà nước (vn)

Cách tính:
  1. Tiếp nhận thứ Sáu, 20/11/2026 16:00.
  2. Đếm 3 ngày làm việc, không kể ngày 20/11/2026: ngày cuối là thứ Năm, 26/11/2026.
  3. Kết thúc vào cùng giờ: thứ Năm, 26/11/2026 16:00.

Những ngày trong khoảng này không theo lịch tuần:
  - thứ Ba, 24/11/2026: nghỉ Ngày Văn hóa Việt Nam (Nghị quyết 28/2026/QH16, Điều 2)
  - 2 ngày nghỉ hằng tuần
";
    assert_eq!(text("--from 2026-11-20T16:00 --term 3wd", Lang::Vi), expected);
    let english = text("--from 2026-11-20T16:00 --term 3wd", Lang::En);
    assert!(english.starts_with("Due: Thursday, 26/11/2026 16:00\nTerm: 3 working days\n"), "{english}");
    assert!(
        english.contains("off, Vietnam Culture Day") && english.contains("2 weekly days off"),
        "{english}"
    );
}

#[test]
fn what_is_left_is_said_in_working_time() {
    let said = text("--from 2026-11-20T16:00 --term 3wd --at 2026-11-25T10:00", Lang::Vi);
    assert!(said.contains("còn 1 ngày 4 giờ làm việc."), "{said}");
    let late = text("--from 2026-11-20T16:00 --term 3wd --at 2026-11-26T17:00", Lang::Vi);
    assert!(
        late.contains("quá hạn 1 giờ làm việc.") && late.contains("trong hạn (báo cáo so theo ngày)"),
        "{late}"
    );
}

#[test]
fn what_is_wrong_is_said_with_a_remedy() {
    #[track_caller]
    fn refused(line: &str, code: &str, words: &str) {
        for lang in Lang::ALL {
            assert!(text(line, lang).starts_with(&format!("{code}: ")), "{}", text(line, lang));
        }
        assert!(text(line, Lang::Vi).contains(words), "{}", text(line, Lang::Vi));
    }
    refused("--from 2026-02-30T16:00 --term 3wd", "bad-moment", "Không có thời điểm “2026-02-30T16:00”");
    refused("--from 2026-11-20 --term 3wd", "bad-moment", "Viết 2026-11-20T16:00");
    refused("--from 2026-11-20T16:00 --term 3", "bad-term", "“3” không phải thời hạn");
    refused("--from 2026-11-20T16:00 --term 0h", "bad-term", "ít nhất một giờ");
    refused("--from 2026-11-20T16:00 --term 3wd --hours 7-11", "bad-hours", "“7”");
    refused("--from 2026-11-20T16:00 --term 3wd --policy x=y", "bad-policy", "after-hours=day-one");
    refused("--from 2026-11-20T16:00 --term 3wd --pause x", "bad-pause", "Viết TỪ/ĐẾN");
    refused("--from 2035-01-02T16:00 --term 3wd", "no-data", "năm 2035 (hiện có từ 2021 đến 2027)");
    refused("--from 2026-12-30T16:00 --term 9wd --policy provisional=refuse", "not-published", "năm 2027");
    refused(
        "--from 2026-11-20T16:00 --term 3wd --calendar /no/such.toml",
        "file-unreadable",
        "/no/such.toml",
    );
}

#[test]
fn the_help_teaches_in_both_languages() {
    assert!(help().contains("Tính hạn giải quyết") && help().contains("Finds when a term ends"));
}
