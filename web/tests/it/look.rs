//! Language, light and dark, and what the frame shows to whom.

use http::StatusCode;

use crate::support::site;

#[tokio::test]
async fn the_language_is_chosen_negotiated_or_vietnamese() {
    let site = site().await;
    let lang = async |headers: &[(&str, &str)]| {
        let answer = site.send("GET /open", headers, "").await;
        (answer.header("content-language").to_owned(), answer.text().contains("<html lang=\"en\""))
    };
    let (vi, en) = (("vi".to_owned(), false), ("en".to_owned(), true));
    assert_eq!(lang(&[]).await, vi);
    assert_eq!(lang(&[("accept-language", "en-GB,vi;q=0.5")]).await, en);
    assert_eq!(lang(&[("accept-language", "en"), ("cookie", "lt-lang=vi")]).await, vi);
    assert_eq!(lang(&[("cookie", "lienthong=s-english")]).await, en, "the account's choice");
    assert_eq!(lang(&[("cookie", "lienthong=s-english; lt-lang=vi")]).await, vi, "this browser's choice");
    let chosen = site.get("/language/en?back=%2Fthings%3Ftab%3D1").await;
    assert_eq!((chosen.status, chosen.header("location")), (StatusCode::SEE_OTHER, "/things?tab=1"));
    assert!(chosen.header("set-cookie").starts_with("lt-lang=en; "));
    assert_eq!(site.get("/language/en?back=https%3A%2F%2Fevil.vn").await.header("location"), "/");
    assert_eq!(site.get("/language/fr").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn light_and_dark_are_remembered() {
    let site = site().await;
    assert!(!site.get("/open").await.text().contains("data-theme"), "as the system");
    let dark = site.send("GET /open", &[("cookie", "lt-look=dark")], "").await.text();
    assert!(dark.contains("data-theme=\"dark\""));
    assert!(site.get("/appearance/dark?back=/open").await.header("set-cookie").starts_with("lt-look=dark; "));
    assert_eq!(site.get("/appearance/pink").await.status, StatusCode::NOT_FOUND);
    let odd = site.send("GET /open", &[("cookie", "lt-look=\"><script>")], "").await.text();
    assert!(!odd.contains("data-theme"));
}

#[tokio::test]
async fn the_bar_shows_what_one_may_open() {
    let site = site().await;
    let reader = site.get_as("reader", "/things").await.text();
    assert!(reader.contains("href=\"/things\" aria-current=\"page\"") && reader.contains("Đồ vật"));
    assert!(!site.get_as("nobody", "/mine").await.text().contains("href=\"/things\""));
    assert!(reader.contains("name=\"csrf\""), "signing out is a form");
    assert!(!site.get("/open").await.text().contains("/logout"));
}

#[tokio::test]
async fn the_province_is_itself() {
    let site =
        crate::support::site_with("name = \"Ủy ban nhân dân tỉnh An Sơn\"\nprimary = \"#9d1d20\"").await;
    let page = site.get("/open").await.text();
    assert!(page.contains("<b lang=\"vi\">Ủy ban nhân dân tỉnh An Sơn</b>"));
    assert!(page.contains("Bản trình diễn"));
    let start = page.find("/assets/theme-").unwrap();
    let sheet = site.get(&page[start..start + page[start..].find('"').unwrap()]).await;
    assert!(sheet.text().contains("--primary:#9d1d20"), "{}", sheet.text());
    assert_eq!(sheet.header("cache-control"), "public, max-age=31536000, immutable");
}
