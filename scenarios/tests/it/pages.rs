//! Every page of the running demonstration, in every role: no violation found by axe-core (WCAG 2.2 AA and its good
//! practices), and nothing to scroll sideways on a phone. What looks the same in two roles is looked at once.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use scenarios::browser::{Browser, Window};
use scenarios::pages::{self, STRANGER, WINDOWS};
use scenarios::tools::{repository, tool};
use scenarios::{Caller, Contract, Options, Platform};
use serde_json::Value;

const DESKTOP: Window = WINDOWS[0].1;
const PHONE: Window = WINDOWS[1].1;

/// Narrower than any phone in use; WCAG 2.2, 1.4.10.
const NARROWEST: Window = Window { width: 320, height: 640, mobile: true };

/// What axe-core finds, as lines: rule, place, why. Rules about frames are left out: there are none.
const AXE: &str = "axe.run(document, {resultTypes: ['violations'], iframes: false}).then(r => r.violations.flatMap(v => \
    v.nodes.map(n => v.id + ': ' + n.target.join(' ') + ' – ' + \
    [...n.any, ...n.all, ...n.none].map(c => c.message).join('; ') + ' – ' + n.html.slice(0, 200))))";

/// Elements that reach beyond the right edge although nothing around them scrolls.
const TOO_WIDE: &str = "[...document.querySelectorAll('body *')].filter(e => { \
    if (e.getBoundingClientRect().right <= document.documentElement.clientWidth + 1) return false; \
    for (let p = e; p; p = p.parentElement) { const s = getComputedStyle(p); \
    if (s.overflowX !== 'visible' || s.position === 'fixed' || s.visibility === 'hidden') return false; } return true; })\
    .slice(0, 3).map(e => e.outerHTML.slice(0, 120))";

/// The structure of a page's content without its words, repetitions once: two pages of one structure have the same
/// violations, however many rows they show.
const SKELETON: &str = "(() => { const of = e => e.tagName + '.' + [...e.classList].sort().join('.') + \
    [...e.attributes].map(a => a.name).sort().join() + '(' + [...new Set([...e.children].map(of))].sort().join() + ')'; \
    return of(document.querySelector('main') ?? document.body); })()";

/// What has been looked at already, over all roles.
#[derive(Default)]
struct Seen {
    shapes: BTreeSet<String>,
    skeletons: BTreeSet<String>,
}

/// What is wrong with pages, said as it is found.
struct Faults<'c> {
    contract: &'c Contract,
    role: String,
    found: Vec<String>,
}

impl Faults<'_> {
    fn say(&mut self, page: &str, place: &str, what: &str) {
        let line = format!("{page} ({}, {place}): {what}", self.role);
        println!("{line}");
        self.found.push(line);
    }

    async fn axe(&mut self, browser: &mut Browser, page: &str, place: &str) -> Result<()> {
        for line in lines(browser, AXE).await? {
            self.say(page, place, &line);
        }
        Ok(())
    }

    /// Whether the open page would scroll sideways in this window, and because of what.
    async fn width(&mut self, browser: &mut Browser, page: &str, lang: &str, window: Window) -> Result<()> {
        browser.window(window).await?;
        let wide = browser.script("document.scrollingElement.scrollWidth").await?;
        if wide.as_u64().unwrap_or(0) > u64::from(window.width) {
            let because = lines(browser, TOO_WIDE).await?.join(" · ");
            let place = format!("{lang}, {} px", window.width);
            self.say(page, &place, &format!("is {wide} px wide: {because}"));
        }
        Ok(())
    }

    /// The open page on a phone and on the narrowest screen.
    async fn phones(&mut self, browser: &mut Browser, page: &str, lang: &str) -> Result<()> {
        for window in [PHONE, NARROWEST] {
            self.width(browser, page, lang, window).await?;
        }
        Ok(())
    }
}

async fn lines(browser: &mut Browser, script: &str) -> Result<Vec<String>> {
    let lines = browser.script(script).await?;
    Ok(lines.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// Looks at every page of a role; phones and the other language only where no role before has seen the like.
async fn look_at_all(chromium: &Path, faults: &mut Faults<'_>, axe: &str, seen: &mut Seen) -> Result<usize> {
    let (contract, role) = (faults.contract, faults.role.clone());
    let mut browser = Browser::start(chromium).await?;
    browser.script_in_every_page(axe).await?;
    pages::sign_in(&mut browser, contract, &role).await?;
    browser.open(&contract.absolute("/language/vi")).await?;
    browser.window(DESKTOP).await?;
    let (mut new, mut framed) = (vec![], false);
    let found = pages::walk(&mut browser, contract, async |browser: &mut Browser, page: &str| {
        let first = seen.shapes.insert(pages::shape(page));
        let skeleton = browser.script(SKELETON).await?.to_string();
        // A role's own navigation and account stand on each of its pages; one of them is enough.
        if seen.skeletons.insert(skeleton) || !framed {
            faults.axe(browser, page, "desktop").await?;
            framed = true;
        }
        if first {
            new.push(page.to_owned());
            faults.phones(browser, page, "vi").await?;
            browser.window(PHONE).await?;
            faults.axe(browser, page, "phone").await?;
            browser.window(DESKTOP).await?;
        }
        Ok(())
    });
    let found = found.await?;
    // The words of the other language change widths, not structure.
    browser.open(&contract.absolute("/language/en")).await?;
    for page in &new {
        browser.open(&contract.absolute(page)).await?;
        faults.phones(&mut browser, page, "en").await?;
    }
    Ok(found.len())
}

#[tokio::test]
async fn every_page_is_accessible_and_fits_a_phone() {
    let Some(chromium) = tool("LIENTHONG_TEST_CHROMIUM", "every_page_is_accessible_and_fits_a_phone") else {
        return;
    };
    let axe = std::fs::read_to_string(repository().join("web/tests/axe/axe.min.js")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let platform = Platform::start(Options::new(&scratch.path().join("data")).unwrap()).await.unwrap();
    let contract = platform.contract().clone();
    // Lists, charts and the log have something to show.
    let caller = Caller::new(&contract).await.unwrap();
    for n in 0..3 {
        caller.call(&format!("pages-{n}")).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(3)).await;

    let (mut wrong, mut looked, mut seen) = (vec![], 0, Seen::default());
    for role in pages::roles(&contract) {
        let mut faults = Faults { contract: &contract, role: role.clone(), found: vec![] };
        let pages = look_at_all(&chromium, &mut faults, &axe, &mut seen).await.unwrap();
        let least = match role.as_str() {
            STRANGER | "integrator" => 15,
            // Who answers reports or grants emergency rights sees little else.
            "unit-admin" | "leader" => 10,
            _ => 30,
        };
        assert!(pages >= least, "{role} finds only {pages} pages");
        println!("{role}: {pages} pages");
        looked += pages;
        wrong.append(&mut faults.found);
    }
    platform.stop().await.unwrap();
    assert!(wrong.is_empty(), "{looked} pages looked at, {} faults:\n{}", wrong.len(), wrong.join("\n"));
}
