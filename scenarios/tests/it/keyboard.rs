//! The desk by keyboard alone: skip link, visible focus, walking a work list, opening a row, the search box.

use anyhow::Result;
use scenarios::browser::{Browser, Modifiers};
use scenarios::tools::tool;
use scenarios::{Options, Platform, pages};
use serde_json::Value;

/// What has the focus, as something short to compare.
const FOCUS: &str = "(() => { const e = document.activeElement; return e === document.body ? 'body' : \
    e.id ? '#' + e.id : e.getAttribute('href') || e.tagName; })()";

/// Whether the element in focus is on the screen and drawn with an outline or a border of its own.
const SEEN: &str = "(() => { const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e); \
    return r.bottom > 0 && r.top < innerHeight && r.width > 0 && \
    (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2); })()";

struct Desk {
    browser: Browser,
}

impl Desk {
    async fn press(&mut self, key: &str) -> Result<()> {
        self.browser.press(key, Modifiers::None).await
    }

    async fn focus(&mut self) -> Result<String> {
        Ok(self.browser.script(FOCUS).await?.as_str().unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn the_desk_is_worked_by_keyboard() {
    let Some(chromium) = tool("LIENTHONG_TEST_CHROMIUM", "the_desk_is_worked_by_keyboard") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let platform = Platform::start(Options::new(&scratch.path().join("data")).unwrap()).await.unwrap();
    let contract = platform.contract().clone();
    let mut desk = Desk { browser: Browser::start(&chromium).await.unwrap() };
    desk.browser.window(pages::WINDOWS[0].1).await.unwrap();
    pages::sign_in(&mut desk.browser, &contract, "operator").await.unwrap();
    let list = contract.absolute("/exchange/members");

    // The first stop is the way past the bar, and it can be seen.
    desk.browser.open(&list).await.unwrap();
    desk.press("Tab").await.unwrap();
    assert_eq!(desk.focus().await.unwrap(), "#lt-main");
    let top = desk.browser.script("document.activeElement.getBoundingClientRect().top").await.unwrap();
    assert!(top.as_f64().is_some_and(|t| t >= 0.0), "the skip link stays hidden at {top}");
    desk.press("Enter").await.unwrap();
    desk.press("Tab").await.unwrap();
    let inside = "document.getElementById('lt-main').contains(document.activeElement)";
    assert_eq!(desk.browser.script(inside).await.unwrap(), Value::Bool(true), "the bar was skipped");

    // Every stop is on the screen and marked.
    desk.browser.open(&list).await.unwrap();
    for stop in 0..25 {
        desk.press("Tab").await.unwrap();
        let at = desk.focus().await.unwrap();
        if at == "body" {
            break;
        }
        let seen = desk.browser.script(SEEN).await.unwrap();
        assert_eq!(seen, Value::Bool(true), "stop {stop}, {at}, cannot be seen to have the focus");
    }

    // j and k walk the rows, Enter opens one.
    desk.browser.open(&list).await.unwrap();
    let rows = "[...document.querySelectorAll('a[data-row]')].map(a => a.getAttribute('href'))";
    let rows = desk.browser.script(rows).await.unwrap();
    let row = |n: usize| rows[n].as_str().unwrap().to_owned();
    desk.press("j").await.unwrap();
    assert_eq!(desk.focus().await.unwrap(), row(0));
    desk.press("j").await.unwrap();
    assert_eq!(desk.focus().await.unwrap(), row(1));
    desk.press("k").await.unwrap();
    assert_eq!(desk.focus().await.unwrap(), row(0));
    desk.browser.forget_events();
    desk.press("Enter").await.unwrap();
    desk.browser.loaded().await.unwrap();
    assert_eq!(desk.browser.script("location.pathname").await.unwrap(), row(0).as_str());

    // Ctrl K goes to the search box; letters typed there do not walk the list.
    desk.browser.open(&list).await.unwrap();
    desk.browser.press("k", Modifiers::Control).await.unwrap();
    assert_eq!(desk.focus().await.unwrap(), "#lt-search");
    desk.press("j").await.unwrap();
    assert_eq!(desk.focus().await.unwrap(), "#lt-search");
    assert_eq!(desk.browser.script("document.activeElement.value").await.unwrap(), "j");
    platform.stop().await.unwrap();
}
