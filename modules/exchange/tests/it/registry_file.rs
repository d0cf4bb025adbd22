//! The declarative file: what is accepted, and that hostile or careless files are refused whole, with every
//! fault and its line.

use base::i18n::Lang;
use exchange::endpoint::Route;
use exchange::registry::{InitialState, Registry, ScopeSpec};
use exchange::registry_file;
use exchange::sections::MAX_FAULTS;
use exchange::service::{ServiceKind, ServiceState};

/// A small whole registry; tests change a line of it.
pub const GOOD: &str = r#"instance = "VN"

[[member]]
class = "GOV"
code = "H38"
name = "Ủy ban nhân dân tỉnh Thanh Hóa"
agency = "H38"

[[member]]
class = "GOV"
code = "C06"
name = "Cơ quan quản lý dữ liệu dân cư (giả định)"

[[subsystem]]
member = "GOV/H38"
code = "motcua"
name = "Hệ thống thông tin giải quyết thủ tục hành chính"

[[subsystem]]
member = "GOV/C06"
code = "dancu"
name = "Cơ sở dữ liệu dân cư (giả định)"

[[service]]
subsystem = "GOV/C06/dancu"
code = "tra-cuu"
name = "Tra cứu thông tin công dân"
kind = "OPENAPI3"
base_url = "http://127.0.0.1:9101/api"
timeout_seconds = 20
openapi = "dancu.json"

[[service]]
subsystem = "GOV/C06/dancu"
code = "bien-dong"
name = "Biến động dân cư"
base_url = "http://127.0.0.1:9101/bien-dong/"
enabled = false
notice = "Bảo trì đến 18:00"

[[service.endpoint]]
method = "GET"
path = "/ngay/*"
name = "Biến động trong ngày"

[[agreement]]
number = "CT-2026-001"
consumer = "GOV/H38/motcua"
service = "GOV/C06/dancu/tra-cuu"
endpoints = ["GET /cong-dan/*"]
purpose = "Xác minh nơi thường trú khi giải quyết thủ tục hành chính"
legal_basis = ["Nghị định 278/2025/NĐ-CP"]
fields = ["hoTen", "noiThuongTru"]
per_minute = 600
per_day = 100_000
valid_from = 2026-01-01
valid_to = "31/12/2027"
state = "approved"
letter = { number = "123/C06-TT", date = 2025-12-20 }
security = { level = 3, decision = "45/QĐ-UBND" }

[[client]]
client_id = "motcua-demo"
subsystem = "GOV/H38/motcua"
"#;

const DOCUMENT: &str = r#"{"openapi":"3.0.3","info":{"title":"Dân cư","version":"1"},
    "paths":{"/cong-dan/{so}":{"get":{"summary":"Một công dân","responses":{}}}}}"#;

pub fn attachments(name: &str) -> std::io::Result<Vec<u8>> {
    match name {
        "dancu.json" => Ok(DOCUMENT.as_bytes().to_vec()),
        _ => Err(std::io::Error::new(std::io::ErrorKind::NotFound, "no such file")),
    }
}

pub fn good() -> Registry {
    registry_file::read(GOOD.as_bytes(), &attachments).expect("the sample is sound")
}

/// Line of the first occurrence of `needle`.
fn line_of(text: &str, needle: &str) -> usize {
    text[..text.find(needle).unwrap_or_else(|| panic!("{needle:?} is in the text"))].matches('\n').count() + 1
}

/// Replaces `from` in the sample and expects a fault that says `words` on the line where `at` stands.
#[track_caller]
fn refused(from: &str, to: &str, at: &str, words: &str) {
    assert!(GOOD.contains(from), "{from:?} is in the sample");
    let text = GOOD.replacen(from, to, 1);
    let faults = registry_file::read(text.as_bytes(), &attachments).expect_err("must be refused");
    let line = line_of(&text, at);
    let hit = faults.iter().any(|f| f.line == line && f.text.get(Lang::En).contains(words));
    let told: Vec<_> = faults.iter().map(|f| f.sentence().en).collect();
    assert!(hit, "expected {words:?} on line {line} in {told:#?}");
}

#[test]
fn a_sound_file_is_read_whole() {
    let r = good();
    assert_eq!((r.instance.as_str(), r.complete), ("VN", false));
    assert_eq!((r.members.len(), r.subsystems.len(), r.services.len(), r.clients.len()), (2, 2, 2, 1));
    let lookup = &r.services[&"GOV/C06/dancu/tra-cuu".parse().unwrap()];
    assert_eq!((lookup.kind, lookup.timeout.as_secs()), (ServiceKind::OpenApi3, 20));
    let route: Route = "GET /cong-dan/*".parse().unwrap();
    assert_eq!(lookup.endpoints[&route], "Một công dân", "endpoints come from the document");
    assert_eq!(lookup.document.as_ref().unwrap().sha256.len(), 64);
    let changes = &r.services[&"GOV/C06/dancu/bien-dong".parse().unwrap()];
    assert_eq!(changes.base_url.as_str(), "http://127.0.0.1:9101/bien-dong");
    assert_eq!(changes.state, ServiceState::Disabled { notice: "Bảo trì đến 18:00".into() });
    let a = &r.agreements["CT-2026-001"];
    assert_eq!(a.scope, ScopeSpec::Endpoints([route].into()));
    assert_eq!((a.state, a.valid_to.to_string().as_str()), (InitialState::Approved, "2027-12-31"));
    assert_eq!((a.quota.per_minute, a.quota.per_day), (Some(600), Some(100_000)));
}

#[test]
fn faults_are_told_with_their_line() {
    refused("code = \"C06\"", "code = \"C/06\"", "code = \"C/06\"", "not valid");
    refused(
        "name = \"Biến động dân cư\"\n",
        "",
        "[[service]]\nsubsystem = \"GOV/C06/dancu\"\ncode = \"bien-dong\"",
        "“name” is missing",
    );
    refused("base_url = \"http://127.0.0.1:9101/api\"", "base_url = \"ftp://x/\"", "ftp://", "address");
    refused("timeout_seconds = 20", "timeout_seconds = 0", "timeout_seconds", "from 1 to 600");
    refused("timeout_seconds = 20", "timeout_seconds = \"20\"", "timeout_seconds", "whole number");
    refused(
        "timeout_seconds = 20",
        "timeout_seconds = 99999999999999999999",
        "timeout_seconds",
        "whole number",
    );
    refused("timeout_seconds", "timeout", "timeout = 20", "no field “timeout”");
    refused("kind = \"OPENAPI3\"", "kind = \"SOAP\"", "SOAP", "kind");
    refused("dancu.json", "../../etc/passwd", "../../etc/passwd", "cannot be read");
    refused("enabled = false", "enabled = \"no\"", "enabled", "true or false");
    refused("method = \"GET\"", "method = \"get\"", "method = \"get\"", "no method");
    refused("path = \"/ngay/*\"", "path = \"/../*\"", "/../*", "path");
    refused("valid_to = \"31/12/2027\"", "valid_to = \"31/02/2027\"", "31/02/2027", "real date");
    refused("valid_from = 2026-01-01", "valid_from = 2026-01-01T00:00:00Z", "T00:00:00Z", "real date");
    refused("valid_to = \"31/12/2027\"", "valid_to = 2025-12-31", "2025-12-31", "before the first day");
    refused("state = \"approved\"", "state = \"revoked\"", "revoked", "waiting or approved");
    refused("per_minute = 600", "per_minute = -1", "per_minute = -1", "quota");
    refused("level = 3", "level = 6", "level = 6", "1 to 5");
    refused(
        "letter = { number = \"123/C06-TT\", date = 2025-12-20 }\n",
        "",
        "[[agreement]]",
        "must cite the letter",
    );
    refused("purpose = \"Xác", "purpos = \"Xác", "purpos =", "no field “purpos”");
    refused(
        "legal_basis = [\"Nghị định 278/2025/NĐ-CP\"]",
        "legal_basis = [1]",
        "legal_basis = [1]",
        "list of texts",
    );
    refused("instance = \"VN\"", "instance = \"V N\"", "instance", "not valid");
    refused("instance = \"VN\"", "instance = \"VN\"\nsecret = \"x\"", "secret", "no field “secret”");
}

#[test]
fn duplicates_and_dangling_references_are_refused() {
    refused(
        "[[subsystem]]\nmember = \"GOV/H38\"",
        "[[member]]\nclass = \"GOV\"\ncode = \"H38\"\nname = \"Bản sao\"\n\n[[subsystem]]\nmember = \"GOV/H38\"",
        "[[member]]\nclass = \"GOV\"\ncode = \"H38\"\nname = \"Bản sao\"",
        "already given on line 3",
    );
    refused(
        "member = \"GOV/C06\"",
        "member = \"GOV/C07\"",
        "[[subsystem]]\nmember = \"GOV/C07\"",
        "member GOV/C07",
    );
    refused(
        "consumer = \"GOV/H38/motcua\"",
        "consumer = \"GOV/H38/khac\"",
        "[[agreement]]",
        "subsystem GOV/H38/khac",
    );
    refused(
        "service = \"GOV/C06/dancu/tra-cuu\"",
        "service = \"GOV/C06/dancu/khac\"",
        "[[agreement]]",
        "service GOV/C06/dancu/khac",
    );
    refused("[\"GET /cong-dan/*\"]", "[\"GET /ho-khau\"]", "[[agreement]]", "endpoint GET /ho-khau");
    refused("[\"GET /cong-dan/*\"]", "[]", "[[agreement]]", "at least one endpoint");
    refused(
        "subsystem = \"GOV/H38/motcua\"\n",
        "subsystem = \"GOV/H38/x\"\n",
        "[[client]]",
        "subsystem GOV/H38/x",
    );
    refused(
        "consumer = \"GOV/H38/motcua\"",
        "consumer = \"GOV/C06/dancu\"",
        "[[agreement]]",
        "its own service",
    );
}

#[test]
fn every_fault_is_listed_at_once() {
    let text = GOOD
        .replace("code = \"C06\"", "code = \"\"")
        .replace("enabled = false", "enabled = 1")
        .replace("level = 3", "level = 0");
    let faults = registry_file::read(text.as_bytes(), &attachments).unwrap_err();
    assert!(faults.len() >= 3, "{faults:#?}");
    assert!(faults.windows(2).all(|w| w[0].line <= w[1].line), "in the order of the file");
}

#[test]
fn files_that_are_no_registry_are_refused_calmly() {
    let read = |bytes: &[u8]| registry_file::read(bytes, &attachments).expect_err("must be refused");
    assert_eq!(read(b"").len(), 1, "the instance is missing");
    assert_eq!(read(b"\xff\xfe")[0].line, 1);
    assert_eq!(read("instance = \"VN\"\n\u{0}\n".as_bytes())[0].line, 2);
    assert!(!read(b"member = 1").is_empty());
    assert!(!read(b"[[member]]\n[member]\n").is_empty());
    assert!(!read(b"instance = \"VN\"\ninstance = \"VN\"").is_empty());
    let deep = format!("instance = \"VN\"\nx = {}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(!read(deep.as_bytes()).is_empty());
    let many = "[[member]]\nclass = 1\n".repeat(1_000);
    assert_eq!(read(many.as_bytes()).len(), MAX_FAULTS);
    assert!(read(&vec![b'#'; registry_file::MAX_BYTES + 1])[0].text.en.contains("larger"));
}

#[test]
fn no_single_damaged_byte_makes_it_panic() {
    let bytes = GOOD.as_bytes();
    for at in (0..bytes.len()).step_by(13) {
        for replacement in [0u8, b'"', b'\n', b'[', b'=', 0xff] {
            let mut damaged = bytes.to_vec();
            damaged[at] = replacement;
            let _ = registry_file::read(&damaged, &attachments);
        }
    }
}
