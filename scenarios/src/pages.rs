//! The pages of a running demonstration, found as a person finds them: by following links, as a stranger and in each
//! role. Of pages with the same shape one is taken.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context, Result};

use crate::Contract;
use crate::browser::{Browser, Window};

/// Who has not signed in.
pub const STRANGER: &str = "stranger";

/// Where pages are looked at.
pub const WINDOWS: [(&str, Window); 2] = [
    ("desktop", Window { width: 1440, height: 900, mobile: false }),
    ("phone", Window { width: 390, height: 844, mobile: true }),
];

/// Where the search begins; what has no link of its own is named here.
const STARTS: [&str; 6] =
    ["/", "/login", "/gallery", "/gallery/form?wrong=1", "/units?q=Ph%C3%BA", "/no-such-page"];

/// Not a page, or one that changes something for who merely looks.
const NOT_PAGES: [&str; 7] =
    ["/language/", "/appearance/", "/assets/", "/r1/", "/api/", "/oauth2/", "/logout"];

/// Pages of one shape that are searched for links: things in different states lead to different pages.
const SEARCHED: usize = 4;

/// More pages than any role has; a trap for links without end.
const MOST: usize = 400;

/// The roles of the demonstration, the stranger first.
pub fn roles(contract: &Contract) -> Vec<String> {
    let named =
        contract.logins.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    std::iter::once(STRANGER.to_owned()).chain(named).collect()
}

/// Signs in as a role; a stranger stays one.
///
/// # Errors
/// When the contract has no such role or the sign-in is refused.
pub async fn sign_in(browser: &mut Browser, contract: &Contract, role: &str) -> Result<()> {
    if role == STRANGER {
        return Ok(());
    }
    let login = &contract.logins[role];
    let name = login["username"].as_str().context("no such role in the contract")?;
    let password = login["password"].as_str().context("no password in the contract")?;
    browser.sign_in(&contract.absolute("/login"), name, password).await
}

/// Follows links from the front page and shows each page of a new shape to `look`, while it is open. Returns the
/// pages in the order found.
///
/// # Errors
/// When the browser is gone, and what `look` meets.
pub async fn walk(
    browser: &mut Browser,
    contract: &Contract,
    mut look: impl AsyncFnMut(&mut Browser, &str) -> Result<()>,
) -> Result<Vec<String>> {
    let mut waiting: VecDeque<String> = STARTS.iter().map(|s| (*s).to_owned()).collect();
    let (mut shapes, mut seen, mut pages) = (BTreeMap::<String, usize>::new(), BTreeSet::new(), vec![]);
    while let Some(path) = waiting.pop_front() {
        let searched = shapes.entry(shape(&path)).or_default();
        if *searched >= SEARCHED || pages.len() >= MOST || !seen.insert(path.clone()) {
            continue;
        }
        let opened = browser.open(&contract.absolute(&path)).await.is_ok();
        if !opened || browser.script("document.contentType").await? != "text/html" {
            *searched = SEARCHED; // a download, not a page
            continue;
        }
        *searched += 1;
        let links = "[...document.querySelectorAll('a[href]:not([href^=\"#\"])')].map(a => new URL(a.getAttribute('href'), location)) \
            .filter(u => u.origin === location.origin).map(u => u.pathname + u.search)";
        let links = browser.script(links).await?;
        let links = links.as_array().into_iter().flatten().filter_map(|l| l.as_str());
        waiting.extend(links.filter(|l| !NOT_PAGES.iter().any(|not| l.starts_with(not))).map(str::to_owned));
        if *searched == 1 {
            look(browser, &path).await?;
            pages.push(path);
        }
    }
    Ok(pages)
}

/// A path with what tells one thing from another left out: identifiers, and the values of parameters.
pub fn shape(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let part = |part: &str| {
        let identifier = part.len() >= 7 && part.bytes().filter(u8::is_ascii_digit).count() >= 3;
        if identifier || part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty() { "*" } else { part }
            .to_owned()
    };
    let path: Vec<String> = path.split('/').map(part).collect();
    // Tabs, faults of a form and answers to a search are pages of their own; filters, sorting and paging are not.
    let own = query.split('&').find(|p| ["tab=", "wrong=", "q="].iter().any(|own| p.starts_with(own)));
    let own = own.map(|p| if p.starts_with("q=") { "q" } else { p });
    format!("{}{}", path.join("/"), own.map(|t| format!("?{t}")).unwrap_or_default())
}

/// The name of a file for a page of this shape, without ending.
pub fn file_name(page: &str) -> String {
    let shape = shape(page).replace('*', "id");
    let name: String =
        shape.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let name = name.trim_matches('_');
    if name.is_empty() { "front".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_one_shape_are_taken_once() {
        let one = "/exchange/agreements/0199f0aa-1111-7222-8333-444455556666";
        let two = "/exchange/agreements/0199f0aa-9999-7222-8333-000055556666?sort=name";
        assert_eq!(shape(one), shape(two));
        assert_ne!(shape(&format!("{one}?tab=history")), shape(one));
        assert_ne!(shape("/exchange/agreements"), shape("/exchange/members"));
        assert_eq!(shape("/units/14797"), "/units/*");
        assert_eq!(shape("/units?on=2025-07-01&q=x"), "/units?q");
        assert_eq!(file_name("/"), "front");
        assert_eq!(file_name("/units/14797"), "units_id");
        assert_eq!(file_name("/exchange/members?tab=calls"), "exchange_members_tab_calls");
    }
}
