//! The browser driver itself, on a page without a server: what the stories and photographs stand on.

use scenarios::browser::{Browser, Window};
use scenarios::tools::tool;

#[tokio::test]
async fn a_page_is_opened_asked_and_photographed() {
    let Some(chromium) = tool("LIENTHONG_TEST_CHROMIUM", "a_page_is_opened_asked_and_photographed") else {
        return;
    };
    let mut browser = Browser::start(&chromium).await.unwrap();
    browser.window(Window { width: 390, height: 844, mobile: true }).await.unwrap();
    browser.open("data:text/html,<meta charset=utf-8><title>Liên thông</title><p>1").await.unwrap();
    assert_eq!(browser.script("document.title").await.unwrap(), "Liên thông");
    assert!(browser.script("throw new Error('nhầm')").await.unwrap_err().to_string().contains("nhầm"));
    let photograph = browser.photograph().await.unwrap();
    assert!(photograph.starts_with("iVBORw0KGgo"), "the signature of PNG in base64");
    assert!(browser.open("http://127.0.0.1:9/").await.is_err(), "nobody listens there");
}
