//! What is found in a handed-in description: operations, addresses, fields, and faults with their line. References that
//! lead out of the document are refused: nothing is fetched on a document's word.

use base::i18n::Text;
use serde_json::Value;

use crate::description::text;
use crate::openapi::{self, Document, Fault};
use crate::schema::{self, SchemaField};
use crate::service::BaseUrl;
use crate::{code, t};

/// Most addresses offered.
const MOST_SERVERS: usize = 10;

/// What a description says.
#[derive(Debug, Clone)]
pub struct Found {
    /// The description as JSON, as it is kept.
    pub json: Vec<u8>,
    /// What it describes.
    pub document: Document,
    /// The addresses it names that can be called as they stand.
    pub servers: Vec<BaseUrl>,
    /// The fields of its answers.
    pub fields: Vec<SchemaField>,
}

/// A fault with the line on which it stands, where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The line, from 1.
    pub line: Option<usize>,
    /// The fault.
    pub fault: Fault,
}

impl Located {
    /// One sentence with line and place.
    pub fn sentence(&self) -> Text {
        let said = self.fault.sentence();
        match self.line {
            Some(line) => Text::both(|l| t::proposal_fault(l, t::ProposalFault { line, what: said.get(l) })),
            None => said,
        }
    }
}

/// Reads a description, JSON or YAML. Runs for as long as the document is large: not on a thread that serves.
///
/// # Errors
/// The first fault with its line.
pub fn read(given: &[u8]) -> Result<Found, Located> {
    let located = |fault: Fault| Located { line: line_of(given, &fault.place), fault };
    let json = text::as_json(given).map_err(located)?;
    let document = openapi::read(&json).map_err(located)?;
    let value: Value =
        serde_json::from_slice(json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&json)).map_err(|e| {
            located(Fault::new("", Text::both(|l| t::openapi_not_json(l, code::clip(&e.to_string())))))
        })?;
    if let Some(fault) = leads_out(&value, &mut String::new()) {
        return Err(located(fault));
    }
    let servers = servers(&value);
    let fields = schema::fields(&json);
    Ok(Found { json, document, servers, fields })
}

/// The first reference that leads out of the document. Nesting is bounded by the reader before.
fn leads_out(value: &Value, at: &mut String) -> Option<Fault> {
    let here = at.len();
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                at.push('/');
                at.push_str(&key.replace('~', "~0").replace('/', "~1"));
                let reference = inner.as_str().filter(|r| key == "$ref" && !r.starts_with('#'));
                if let Some(target) = reference {
                    let text = Text::both(|l| t::openapi_reference(l, code::clip(target)));
                    return Some(Fault::new(at.clone(), text));
                }
                if let Some(fault) = leads_out(inner, at) {
                    return Some(fault);
                }
                at.truncate(here);
            }
        }
        Value::Array(list) => {
            for (n, inner) in list.iter().enumerate() {
                at.push_str(&format!("/{n}"));
                if let Some(fault) = leads_out(inner, at) {
                    return Some(fault);
                }
                at.truncate(here);
            }
        }
        _ => {}
    }
    None
}

/// The addresses of `servers` with the defaults of their variables filled in.
fn servers(root: &Value) -> Vec<BaseUrl> {
    let mut out: Vec<BaseUrl> = Vec::new();
    for server in root["servers"].as_array().into_iter().flatten() {
        let Some(url) = server["url"].as_str() else { continue };
        let mut url = url.to_owned();
        for (name, variable) in server["variables"].as_object().into_iter().flatten() {
            if let Some(value) = variable["default"].as_str() {
                url = url.replace(&format!("{{{name}}}"), value);
            }
        }
        if let Ok(url) = url.parse::<BaseUrl>()
            && !out.contains(&url)
            && out.len() < MOST_SERVERS
        {
            out.push(url);
        }
    }
    out
}

/// The line of a place: told by the reader as `line:column`, or found by looking for the names of a JSON pointer one
/// after the other, as they stand in JSON and in YAML.
fn line_of(given: &[u8], place: &str) -> Option<usize> {
    if let Some((line, column)) = place.split_once(':')
        && column.parse::<usize>().is_ok()
    {
        return line.parse().ok();
    }
    let text = std::str::from_utf8(given).ok()?;
    let names: Vec<String> =
        place.split('/').skip(1).map(|n| n.replace("~1", "/").replace("~0", "~")).collect();
    let mut lines = text.lines().enumerate();
    let mut last = None;
    for name in names.iter().filter(|n| n.parse::<usize>().is_err()) {
        let key = |line: &str| {
            let rest = line.trim_start().trim_start_matches("- ");
            let bare = rest.trim_start_matches(['"', '\'']);
            bare.strip_prefix(name.as_str())
                .is_some_and(|r| r.trim_start_matches(['"', '\'']).trim_start().starts_with(':'))
        };
        match lines.find(|(_, line)| key(line)) {
            Some((n, _)) => last = Some(n + 1),
            // What is missing stands nowhere; the last name that was found is the nearest place.
            None => break,
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "openapi: 3.0.3\ninfo:\n  title: Dân cư\n  version: '1'\nservers:\n  - url: https://{vung}.example.vn/api/\n    variables:\n      vung:\n        default: dc\n  - url: /tuong-doi\n  - url: https://dc.example.vn/api\npaths:\n  /nguoi/{so}:\n    get:\n      responses:\n        '200':\n          description: Có\n          content:\n            application/json:\n              schema:\n                type: object\n                properties:\n                  ho_ten: {type: string, x-personal-data: true}\n";

    #[test]
    fn operations_addresses_and_fields_are_found() {
        let found = read(GOOD.as_bytes()).unwrap();
        assert_eq!(found.document.operations.len(), 1);
        let servers: Vec<_> = found.servers.iter().map(BaseUrl::as_str).collect();
        assert_eq!(servers, ["https://dc.example.vn/api"], "filled in, once, and nothing relative");
        assert_eq!(
            found.fields.iter().map(|f| (f.path.as_str(), f.personal)).collect::<Vec<_>>(),
            [("ho_ten", true)]
        );
    }

    #[track_caller]
    fn refused(text: &str, line: Option<usize>, word: &str) {
        let fault = read(text.as_bytes()).expect_err("must be refused");
        assert_eq!(fault.line, line, "{:?}", fault.sentence());
        assert!(fault.sentence().en.contains(word), "{:?}", fault.sentence().en);
    }

    #[test]
    fn faults_are_told_with_their_line() {
        refused(&GOOD.replace("openapi: 3.0.3", "openapi: 2.0.0"), Some(1), "2.0.0");
        refused(&GOOD.replace("    get:", "    lay:"), Some(14), "lay");
        refused(&GOOD.replace("  title: Dân cư\n", ""), Some(2), "/info/title");
        let twice =
            GOOD.replace("  /nguoi/{so}:", "  /nguoi/{ma}:\n    get:\n      responses: {}\n  /nguoi/{so}:");
        refused(&twice, Some(17), "GET /nguoi/*");
        refused("{\n  \"openapi\": \"3.0.0\",\n  \"openapi\": \"3.0.1\"\n}", Some(3), "openapi");
        refused("openapi: [", Some(2), "YAML");
    }

    #[test]
    fn references_out_of_the_document_are_refused_and_nothing_is_fetched() {
        for target in ["file:///etc/passwd", "http://169.254.169.254/x", "./khac.yaml#/a", "//evil/x"] {
            let bad = GOOD.replace("type: object\n", &format!("$ref: '{target}'\n"));
            refused(&bad, Some(21), "document");
        }
        let inner = GOOD.replace("type: object\n", "$ref: '#/components/schemas/N'\n");
        assert!(read(inner.as_bytes()).is_ok());
    }

    #[test]
    fn hostile_documents_end_with_a_sentence() {
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n";
        let large = format!("openapi: 3.0.3\nx: '{}'\n", "x".repeat(20 * 1024 * 1024));
        let deep = format!("openapi: 3.0.3\nx: {}{}\n", "[".repeat(5_000), "]".repeat(5_000));
        let deep_json = format!("{{\"openapi\": {}{}}}", "[".repeat(100), "]".repeat(100));
        for bad in [bomb, &large, &deep, &deep_json, "", "\u{0}", "- 1\n- 2\n"] {
            let fault = read(bad.as_bytes()).expect_err("must be refused");
            let said = fault.sentence();
            assert!(!said.vi.is_empty() && said.vi.chars().count() < 400, "{said:?}");
        }
    }
}
