//! What a first visit transfers, counted through the front door: everything a page names, and all fonts.

use std::collections::BTreeSet;

use crate::support::{TestSite, site};

const GZIP: (&str, &str) = ("accept-encoding", "gzip");
const KIB: usize = 1024;

/// Addresses of assets in a text.
fn assets(text: &str) -> BTreeSet<String> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || "/-_.".contains(c));
    text.match_indices("/assets/").map(|(at, _)| text[at..].split(ends).next().unwrap().to_owned()).collect()
}

async fn first_visit(site: &TestSite, path: &str, cookie: &str) -> usize {
    let headers = [GZIP, ("cookie", cookie)];
    let packed = site.send(&format!("GET {path}"), &headers, "").await;
    assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
    let mut named = assets(&site.send(&format!("GET {path}"), &[("cookie", cookie)], "").await.text());
    let mut total = packed.bytes.len();
    while let Some(address) = named.pop_first() {
        let answer = site.send(&format!("GET {address}"), &[GZIP], "").await;
        assert_eq!(answer.status, 200, "{address}");
        if address.ends_with(".css") {
            named.extend(assets(&site.get(&address).await.text()));
        }
        total += answer.bytes.len();
    }
    println!("{path}: {total} bytes on a first visit, {} after", packed.bytes.len());
    total
}

#[tokio::test]
async fn the_desk_fits_its_budget() {
    let site = site().await;
    for path in ["/gallery/list", "/gallery/figures", "/gallery/thing", "/gallery/form"] {
        assert!(first_visit(&site, path, "").await <= 300 * KIB, "{path}");
    }
}

#[tokio::test]
async fn the_plain_shell_fits_its_budget() {
    let site = site().await;
    for path in ["/gallery/sign-in", "/gallery/verify", "/gallery/errors/internal"] {
        assert!(first_visit(&site, path, "").await <= 150 * KIB, "{path}");
        let later = site.send(&format!("GET {path}"), &[GZIP], "").await.bytes.len();
        assert!(later <= 20 * KIB, "{path}");
    }
}

#[tokio::test]
async fn assets_are_served_packed_to_those_who_understand() {
    let site = site().await;
    for asset in web::assets::ASSETS {
        let plain = site.get(asset.address).await;
        assert_eq!((plain.header("content-encoding"), plain.header("content-type")), ("", asset.mime));
        assert_eq!(plain.bytes, asset.body);
        let refused =
            site.send(&format!("GET {}", asset.address), &[("accept-encoding", "gzip;q=0")], "").await;
        assert_eq!(refused.header("content-encoding"), "", "{}", asset.name);
        if let Some(gzip) = asset.gzip {
            let packed = site.send(&format!("GET {}", asset.address), &[GZIP], "").await;
            let mut open = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed.bytes[..]), &mut open)
                .unwrap();
            assert_eq!((packed.bytes.len(), open), (gzip.len(), asset.body.to_vec()), "{}", asset.name);
        }
    }
    assert_eq!(site.get("/assets/desk-0000000000000000.css").await.status, 404);
    assert_eq!(site.get("/assets/..%2fCargo.toml").await.status, 404);
}
