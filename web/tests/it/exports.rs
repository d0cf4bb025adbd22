//! Lists as files: read to their end in batches, whole or not at all, in forms that spreadsheets open.

use std::io::Read;
use std::sync::{Arc, Mutex};

use axum::response::Response;
use base::config::Config;
use base::error::Error;
use base::i18n::Lang;
use http::{StatusCode, header};
use http_body_util::BodyExt;
use kernel::clock::Date;
use web::export::{BATCH, Batch, Export, Kind, MOST_IN_WORKBOOK, Value};
use web::{Cx, Site};

use crate::support::site;

fn cx() -> Cx {
    let site = Site::from_config(&Config::from_text(None, String::new(), []).unwrap()).unwrap();
    Cx::sample(Arc::new(site), Lang::Vi)
}

/// A list of the numbers up to `last`, and what it was asked to continue after.
async fn numbers(kind: Kind, last: i64) -> (web::Result<Response>, Arc<Mutex<Vec<Option<i64>>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = asked.clone();
    let read = move |after: Option<i64>| {
        noted.lock().unwrap().push(after);
        let from = after.unwrap_or(0);
        let rows: Vec<i64> = (from + 1..=last.min(from + i64::from(BATCH))).collect();
        let row = |n: &i64| vec![Value::Whole(*n), "=Sở Nội vụ".into(), Date::new(2026, 9, 1).into()];
        std::future::ready(Ok(Batch::of(&rows, |n| *n, row)))
    };
    let export = Export::new(&cx(), "danh-sach", "Danh sách").columns(["Số", "Tên", "Ngày"]);
    (export.answer(kind, read).await, asked)
}

async fn bytes(answer: Response) -> Vec<u8> {
    answer.into_body().collect().await.unwrap().to_bytes().to_vec()
}

/// One file out of a ZIP archive, by its central directory (APPNOTE 4.3.12).
fn unzipped(archive: &[u8], name: &str) -> String {
    let short = |at: usize| usize::from(u16::from_le_bytes([archive[at], archive[at + 1]]));
    let long = |at: usize| u32::from_le_bytes(archive[at..at + 4].try_into().unwrap()) as usize;
    let mut at = 0;
    while let Some(next) = archive[at..].windows(4).position(|w| w == b"PK\x01\x02").map(|p| at + p) {
        if &archive[next + 46..next + 46 + short(next + 28)] == name.as_bytes() {
            let (size, start) = (long(next + 20), long(next + 42));
            let data = start + 30 + short(start + 26) + short(start + 28);
            let mut text = String::new();
            let mut packed = flate2::read::DeflateDecoder::new(&archive[data..data + size]);
            packed.read_to_string(&mut text).unwrap();
            return text;
        }
        at = next + 4;
    }
    panic!("no {name} in the archive");
}

#[tokio::test]
async fn csv_is_read_to_its_end_batch_by_batch() {
    let (answer, asked) = numbers(Kind::Csv, 1_234).await;
    let answer = answer.unwrap();
    let told = |name| answer.headers()[&name].to_str().unwrap().to_owned();
    assert!(told(header::CONTENT_TYPE).starts_with("text/csv; charset=utf-8"));
    assert!(told(header::CONTENT_DISPOSITION).starts_with("attachment; filename=\"danh-sach-20"));
    assert_eq!(asked.lock().unwrap().len(), 1, "what follows is read while it is sent");
    let text = String::from_utf8(bytes(answer).await).unwrap();
    assert_eq!(*asked.lock().unwrap(), [None, Some(500), Some(1_000)]);
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!((lines[0], lines.len()), ("\u{feff}Số,Tên,Ngày", 1_236));
    assert_eq!((lines[1], lines[1_234]), ("1,'=Sở Nội vụ,01/09/2026", "1234,'=Sở Nội vụ,01/09/2026"));
}

#[tokio::test]
async fn a_list_of_exactly_one_batch_and_an_empty_one() {
    for (last, lines) in [(i64::from(BATCH), 502), (0, 2)] {
        let text = String::from_utf8(bytes(numbers(Kind::Csv, last).await.0.unwrap()).await).unwrap();
        assert_eq!(text.split("\r\n").count(), lines);
    }
}

#[tokio::test]
async fn a_workbook_holds_every_row_with_its_kind() {
    let (answer, _) = numbers(Kind::Xlsx, 1_234).await;
    let archive = bytes(answer.unwrap()).await;
    let sheet = unzipped(&archive, "xl/worksheets/sheet1.xml");
    assert_eq!(sheet.matches("<row ").count(), 1_235);
    assert!(sheet.contains("=Sở Nội vụ") && !sheet.contains("<f>"), "words stay words");
    assert!(sheet.contains("<v>1234</v>") && sheet.contains("<v>46266</v>"), "numbers and days are numbers");
    assert!(unzipped(&archive, "xl/workbook.xml").contains("name=\"Danh sách\""));
}

#[tokio::test]
async fn a_workbook_does_not_grow_without_bound() {
    let (longest, _) = numbers(Kind::Xlsx, i64::from(MOST_IN_WORKBOOK)).await;
    assert!(longest.is_ok());
    let (longer, asked) = numbers(Kind::Xlsx, i64::MAX / 2).await;
    let refused = format!("{:?}", longer.unwrap_err());
    assert!(refused.contains("export-too-long"), "{refused}");
    assert!(asked.lock().unwrap().len() <= (MOST_IN_WORKBOOK / BATCH + 1) as usize, "reading stopped");
}

#[tokio::test]
async fn what_breaks_off_is_not_taken_for_the_whole() {
    for kind in [Kind::Csv, Kind::Xlsx] {
        let export = || Export::new(&cx(), "x", "X").columns(["A"]);
        let away = || Error::unavailable("database", std::io::Error::other("gone"));
        let first = export().answer(kind, move |_: Option<()>| std::future::ready(Err(away()))).await;
        assert!(first.is_err(), "nothing was sent, so the page can say why");
        let later = export().answer(kind, move |after: Option<i64>| {
            std::future::ready(match after {
                None => Ok(Batch { rows: vec![vec![Value::Whole(1)]], next: Some(1) }),
                Some(_) => Err(away()),
            })
        });
        match later.await {
            Ok(answer) => assert!(answer.into_body().collect().await.is_err(), "the answer ends early"),
            Err(_) => assert_eq!(kind, Kind::Xlsx, "a workbook is sent when it is whole"),
        }
    }
}

#[tokio::test]
async fn lists_lead_to_their_files() {
    let site = site().await;
    let page = site.send("GET /gallery/list?state=active&after=x", &[("accept-language", "vi")], "").await;
    let page = page.text();
    for form in ["csv", "xlsx"] {
        let href = format!("href=\"/gallery/list/export?state=active&#38;as={form}\"");
        assert!(page.contains(&href), "{href}");
    }
    let file = site.send("GET /gallery/list/export?as=csv", &[], "").await;
    assert!(file.text().contains("Sở Y tế"));
    let odd = site.send("GET /gallery/list/export?as=exe", &[], "").await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
}
