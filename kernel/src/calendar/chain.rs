//! A calendar and what it stands upon: which files, the newest of each code, and their text.

use base::error::{Error, Result};
use workcalendar::{Document, shipped};

use super::{COMMON, refused};
use crate::db::Row;
use crate::orgs::Ask;
use crate::params;

/// More calendars upon one another than anybody needs.
const DEPTH: usize = 8;

/// One file of a chain.
pub(super) struct Link {
    pub code: String,
    /// 0: the file of the release.
    pub number: i64,
    extends: Option<String>,
}

fn link(row: &Row) -> Result<Link> {
    Ok(Link { code: row.text("code")?, number: row.int("number")?, extends: row.opt_text("extends")? })
}

/// The newest recorded file of a code.
pub(super) async fn newest(ask: &mut impl Ask, code: &str) -> Result<Option<Link>> {
    let sql = "SELECT code, number, extends FROM calendar_file WHERE code = $1 ORDER BY number DESC LIMIT 1";
    ask.ask(sql, params![code]).await?.first().map(link).transpose()
}

/// The files of a calendar, the lowest first.
pub(super) async fn links(ask: &mut impl Ask, code: &str) -> Result<Vec<Link>> {
    let mut links: Vec<Link> = vec![];
    let mut next = Some(code.to_owned());
    while let Some(code) = next {
        if links.len() >= DEPTH || links.iter().any(|link| link.code == code) {
            return Err(circle(&code));
        }
        let found = match newest(ask, &code).await? {
            None if code == COMMON => Link { code, number: 0, extends: None },
            None => {
                let (vi, en) =
                    (format!("Không có lịch “{code}”."), format!("There is no calendar “{code}”."));
                return Err(refused("no-such-calendar", vi, en));
            }
            Some(found) => found,
        };
        next = found.extends.clone();
        links.push(found);
    }
    links.reverse();
    Ok(links)
}

/// The refusal of a calendar that stands upon itself.
pub(super) fn circle(code: &str) -> Error {
    let vi = format!("Lịch “{code}” dựa vào chính nó, hoặc qua quá {DEPTH} lịch.");
    let en = format!("The calendar “{code}” stands upon itself, or upon more than {DEPTH} others.");
    refused("calendar-circle", vi, en)
}

/// The files themselves.
pub(super) async fn documents(ask: &mut impl Ask, links: &[Link]) -> Result<Vec<Document>> {
    let sql = "SELECT body FROM calendar_file WHERE code = $1 AND number = $2";
    let mut documents = vec![];
    for link in links {
        let body = match link.number {
            0 => shipped::VN.to_owned(),
            number => {
                let rows = ask.ask(sql, params![link.code.as_str(), number]).await?;
                rows.first().ok_or(Error::NotFound { kind: "calendar" })?.text("body")?
            }
        };
        documents.push(Document::read(&body).map_err(Error::internal)?);
    }
    Ok(documents)
}

/// The codes of all calendars that stand upon one, near and far.
pub(super) async fn upon(ask: &mut impl Ask, code: &str) -> Result<Vec<String>> {
    let sql = "SELECT DISTINCT code FROM calendar_file f WHERE f.extends = $1
               AND f.number = (SELECT MAX(n.number) FROM calendar_file n WHERE n.code = f.code) ORDER BY code";
    let mut found = vec![code.to_owned()];
    let mut at = 0;
    while let Some(below) = found.get(at).cloned() {
        for row in ask.ask(sql, params![below]).await? {
            let code = row.text("code")?;
            if !found.contains(&code) {
                found.push(code);
            }
        }
        at += 1;
    }
    found.remove(0);
    Ok(found)
}
