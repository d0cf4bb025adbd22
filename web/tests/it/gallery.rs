//! Every component and whole page renders in both languages, as markup that browsers and assistive technology read.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::config::Config;
use base::i18n::Lang;
use web::{Cx, Site, samples};

use crate::support::site;

const VOID: [&str; 7] = ["input", "link", "meta", "img", "br", "hr", "!doctype"];
const PAGES: [&str; 10] = [
    "list",
    "list?tab=active&state=active&q=x",
    "none",
    "thing",
    "form",
    "form?wrong=1",
    "figures",
    "sign-in",
    "verify",
    "apis",
];

/// Opening tags with their attributes, after checking that all tags nest.
fn tags(html: &str) -> Vec<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut all = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let end = at + rest[at..].find('>').expect("a tag that ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        if let Some(closing) = tag.strip_prefix('/') {
            assert_eq!(
                open.pop(),
                Some(closing),
                "…{}",
                &rest[..rest.len().min(80).min(rest.find('<').unwrap_or(0) + 20).min(rest.len())]
                    .chars()
                    .take(60)
                    .collect::<String>()
            );
        } else {
            all.push(tag.to_owned());
            if !VOID.contains(&name) && !tag.ends_with('/') {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    all
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

/// What the content security policy and WCAG 2.2 ask of any piece of markup.
#[track_caller]
fn sound(name: &str, html: &str) {
    let tags = tags(html);
    let labels: BTreeSet<&str> =
        tags.iter().filter(|t| t.starts_with("label ")).filter_map(|t| attribute(t, "for")).collect();
    for tag in &tags {
        assert!(attribute(tag, "style").is_none(), "{name}: {tag}");
        let handler = tag.split_whitespace().any(|a| a.starts_with("on") && a.contains('='));
        assert!(!handler && !tag.starts_with("style"), "{name}: {tag}");
        assert!(!tag.starts_with("script") || attribute(tag, "src").is_some(), "{name}: {tag}");
        if tag.starts_with("img") {
            assert!(attribute(tag, "alt").is_some() || tag.contains(" alt="), "{name}: {tag}");
        }
        if ["input ", "select ", "textarea "].iter().any(|t| tag.starts_with(t)) {
            let kind = attribute(tag, "type").unwrap_or("text");
            let named = attribute(tag, "id").is_some_and(|id| labels.contains(id))
                || attribute(tag, "aria-label").is_some();
            assert!(named || matches!(kind, "hidden" | "radio" | "checkbox"), "{name}: without label: {tag}");
        }
    }
    assert!(!html.contains("{{") && !html.contains("{%"), "{name}");
}

fn sample(lang: Lang) -> Cx {
    let site = Site::from_config(&Config::from_text(None, String::new(), []).unwrap()).unwrap();
    Cx::sample(Arc::new(site), lang)
}

#[test]
fn every_component_renders_in_both_languages() {
    let (vi, en) = (samples(&sample(Lang::Vi)), samples(&sample(Lang::En)));
    assert!(vi.len() > 35);
    let mut same = Vec::new();
    for (a, b) in vi.iter().zip(&en) {
        for html in [a.html.as_str(), b.html.as_str()] {
            assert!(!html.trim().is_empty(), "{}", a.name);
            sound(a.name, html);
        }
        if a.html == b.html {
            same.push(a.name);
        }
    }
    assert_eq!(same, ["Badge"], "only the names of tones are the same in both languages");
}

#[test]
fn names_are_unique() {
    let all = samples(&sample(Lang::Vi));
    let names: BTreeSet<_> = all.iter().map(|s| s.name).collect();
    assert_eq!(names.len(), all.len());
}

#[tokio::test]
async fn whole_pages_are_sound() {
    let site = site().await;
    for page in PAGES {
        for lang in ["vi", "en"] {
            let answer = site.send(&format!("GET /gallery/{page}"), &[("accept-language", lang)], "").await;
            let html = answer.text();
            sound(page, &html);
            assert!(html.contains(&format!("<html lang=\"{lang}\"")), "{page}");
            let tags = tags(&html);
            let count = |name: &str| tags.iter().filter(|t| t.split(' ').next() == Some(name)).count();
            assert_eq!(
                (count("h1"), count("main"), count("header") > 0, count("title")),
                (1, 1, true, 1),
                "{page}"
            );
            assert!(
                html.contains("href=\"#lt-main\"") && html.contains("id=\"lt-main\""),
                "{page}: skip link"
            );
            let ids: Vec<&str> = tags.iter().filter_map(|t| attribute(t, "id")).collect();
            let unique: BTreeSet<_> = ids.iter().collect();
            assert_eq!(unique.len(), ids.len(), "{page}: {ids:?}");
            for tag in &tags {
                if let Some(target) =
                    attribute(tag, "href").and_then(|h| h.strip_prefix('#')).filter(|t| !t.is_empty())
                {
                    assert!(ids.contains(&target), "{page}: #{target} leads nowhere");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_gallery_is_not_served_outside_the_demonstration() {
    let kernel = testkit::TestKernel::new("sqlite", &[]).await;
    let site = Site::from_config(&Config::from_text(None, String::new(), []).unwrap()).unwrap();
    let app = web::router(kernel.kernel.clone(), site, Arc::new(Nobody), &[]);
    let request = http::Request::get("/gallery").body(axum::body::Body::empty()).unwrap();
    let answer = tower::ServiceExt::oneshot(app, request).await.unwrap();
    assert_eq!(answer.status(), 404);
}

struct Nobody;

#[async_trait::async_trait]
impl web::Sessions for Nobody {
    async fn by_cookie(&self, _: &kernel::Kernel, _: &str) -> kernel::Result<Option<web::Visitor>> {
        Ok(None)
    }

    async fn by_bearer(
        &self,
        _: &kernel::Kernel,
        _: &str,
        _: &kernel::entrance::Arrival,
    ) -> kernel::Result<Option<web::Visitor>> {
        Ok(None)
    }
}
