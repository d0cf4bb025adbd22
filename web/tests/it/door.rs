//! Who comes in, from where, with how much; and what every answer carries.

use http::StatusCode;
use kernel::entrance::{Entrance, FrontDoor, Zone};

use crate::support::{Things, site, site_with};

const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn each_route_asks_for_its_right() {
    let site = site().await;
    for (who, path, expected) in [
        ("nobody", "/things", StatusCode::FORBIDDEN),
        ("reader", "/things", StatusCode::OK),
        ("reader", "/things/new", StatusCode::FORBIDDEN),
        ("writer", "/things/new", StatusCode::OK),
        ("nobody", "/mine", StatusCode::OK),
        ("over", "/mine", StatusCode::SEE_OTHER),
        ("over", "/open", StatusCode::OK),
        ("reader", "/api/things/v1/system", StatusCode::FORBIDDEN),
        ("away", "/open", StatusCode::SERVICE_UNAVAILABLE),
    ] {
        assert_eq!(site.get_as(who, path).await.status, expected, "{who} {path}");
    }
    let asked = site.get("/things?tab=open&q=a%20b").await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER);
    assert_eq!(asked.header("location"), "/login?next=%2Fthings%3Ftab%3Dopen%26q%3Da%2520b");
}

#[tokio::test]
async fn systems_come_with_tokens() {
    let site = site().await;
    let ask = async |token: &str, path: &str| {
        site.send(&format!("GET {path}"), &[("authorization", &format!("Bearer {token}"))], "").await
    };
    let found = ask("t-system", "/api/things/v1/system").await;
    assert_eq!((found.status, found.text().as_str()), (StatusCode::OK, "system:VN/GOV/H99/MOTCUA"));
    assert_eq!(ask("t-reader", "/api/things/v1/system").await.status, StatusCode::FORBIDDEN);
    let unknown = ask("t-unknown", "/api/things/v1/system").await;
    assert_eq!((unknown.status, unknown.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"));
    assert_eq!(unknown.json()["type"], "urn:lienthong:problem:sign-in");
    assert_eq!(ask("t-unknown", "/open").await.status, StatusCode::OK, "nobody needs a token there");
    assert_eq!(site.get("/api/things/v1/system").await.status, StatusCode::UNAUTHORIZED);
    // A token is not sent by a browser on its own: no other site can misuse it.
    let headers = [("authorization", "Bearer t-system"), JSON, ("origin", "https://evil.vn")];
    let made = site.send("POST /api/things/v1/things", &headers, r#"{"name":"x"}"#).await;
    assert_eq!((made.status, made.text().as_str()), (StatusCode::OK, "x"));
}

#[tokio::test]
async fn other_sites_cannot_act_in_a_persons_name() {
    let site = site().await;
    let cookie = ("cookie", "lienthong=s-writer");
    let post = async |headers: &[(&str, &str)], body: &'static str| {
        let all: Vec<_> = [cookie, FORM].iter().chain(headers).copied().collect();
        site.send("POST /things", &all, body).await.status
    };
    assert_eq!(post(&[OWN], "name=x").await, StatusCode::SEE_OTHER);
    assert_eq!(post(&[("origin", "http://127.0.0.1:8080")], "name=x").await, StatusCode::SEE_OTHER);
    for foreign in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.vn"),
        ("origin", "null"),
    ] {
        assert_eq!(post(&[foreign], "name=x").await, StatusCode::FORBIDDEN, "{foreign:?}");
    }
    assert_eq!(post(&[], "name=x").await, StatusCode::FORBIDDEN, "neither said nor shown");
    assert_eq!(post(&[], "csrf=wrong&name=x").await, StatusCode::FORBIDDEN);
    // Without a session there is nothing to misuse; a browser that names another site is refused all the same.
    assert_eq!(site.send("POST /open", &[], "x").await.status, StatusCode::OK);
    assert_eq!(
        site.send("POST /open", &[("origin", "https://evil.vn")], "x").await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn old_browsers_show_the_token_of_the_form() {
    let site = site().await;
    let form = site.get_as("writer", "/things/new").await.text();
    let start = form.find("name=\"csrf\" value=\"").unwrap() + 19;
    let token = &form[start..start + form[start..].find('"').unwrap()];
    let send = async |who: &str, headers: &[(&str, &str)], body: String| {
        let cookie = format!("lienthong=s-{who}");
        let all: Vec<_> = [("cookie", cookie.as_str()), FORM].iter().chain(headers).copied().collect();
        site.send("POST /things", &all, body).await.status
    };
    assert_eq!(send("writer", &[], format!("csrf={token}&name=x")).await, StatusCode::SEE_OTHER);
    assert_eq!(send("writer", &[("x-csrf-token", token)], "name=x".into()).await, StatusCode::SEE_OTHER);
    assert_eq!(
        send("reader", &[], format!("csrf={token}&name=x")).await,
        StatusCode::FORBIDDEN,
        "another session"
    );
    let again = site.get_as("writer", "/things/new").await.text();
    assert!(!again.contains(token), "masked anew for each page");
    assert!(
        !site.get("/open").await.text().contains("name=\"csrf\""),
        "strangers have no session to protect"
    );
}

#[tokio::test]
async fn bodies_have_limits() {
    let site = site().await;
    let exact = site.send("POST /open", &[], "x".repeat(64)).await;
    assert_eq!((exact.status, exact.text().as_str()), (StatusCode::OK, "64"));
    let said = site.send("POST /open", &[("content-length", "65")], "x".repeat(65)).await;
    assert_eq!(said.status, StatusCode::PAYLOAD_TOO_LARGE);
    let unsaid = axum::body::Body::from_stream(futures_util::stream::iter(
        (0..9).map(|_| Ok::<_, std::io::Error>("12345678")),
    ));
    assert_eq!(site.send("POST /open", &[], unsaid).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(1 << 20));
    let refused =
        site.send("POST /api/things/v1/things", &[("authorization", "Bearer t-system"), JSON], large).await;
    assert_eq!(refused.json()["type"], "urn:lienthong:problem:too-large");
    let raw = site.send("POST /raw", &[("accept-encoding", "gzip")], "x".repeat(3 << 20)).await;
    assert_eq!((raw.bytes.len(), raw.header("content-encoding")), (3 << 20, ""), "streams pass as they are");
}

#[tokio::test]
async fn every_answer_is_protected_and_numbered() {
    let site = site().await;
    for path in
        ["/open", "/mine", "/nowhere", "/broken", "/panics", "/api/openapi.json", web::assets::DESK_CSS]
    {
        let answer = site.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("x-request-id").len(), 36, "{path}");
    }
    assert_eq!(site.get_as("reader", "/things").await.header("cache-control"), "no-store");
    assert_eq!(site.get("/open").await.header("cache-control"), "public, max-age=300");
    assert_eq!(
        site.get_as("reader", "/open").await.header("cache-control"),
        "no-store",
        "shows who is signed in"
    );
    assert_eq!(
        site.get(web::assets::DESK_CSS).await.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert!(
        site.get("/oauth")
            .await
            .header("content-security-policy")
            .ends_with("form-action 'self' https://dvc.example.vn")
    );
    assert_eq!(site.get("/open").await.header("strict-transport-security"), "", "not on plain http");
}

#[tokio::test]
async fn numbers_of_proxies_are_kept_when_they_are_numbers() {
    let site = site().await;
    let given = async |id: &str| {
        site.send("GET /open", &[("x-request-id", id)], "").await.header("x-request-id").to_owned()
    };
    assert_eq!(given("proxy-12345678").await, "proxy-12345678");
    for bad in ["short", "has space 12345", "<script>alert(1)</script>", &"x".repeat(65)] {
        assert_eq!(given(bad).await.len(), 36, "{bad}");
    }
}

#[tokio::test]
async fn cookies_are_bound_to_the_host_where_there_is_https() {
    let secure = site_with("public_url = \"https://lt.example.vn\"").await;
    let cookie = secure.get("/signed-in").await.header("set-cookie").to_owned();
    assert_eq!(cookie, "__Host-lienthong=s-new; Path=/; HttpOnly; SameSite=Lax; Secure");
    assert!(secure.get("/signed-out").await.header("set-cookie").ends_with("; Secure; Max-Age=0"));
    assert!(!secure.get("/open").await.header("strict-transport-security").is_empty());
    assert_eq!(
        secure.get_as("reader", "/things").await.status,
        StatusCode::SEE_OTHER,
        "the plain name counts for nothing"
    );
    let read = secure.send("GET /things", &[("cookie", "__Host-lienthong=s-reader")], "").await;
    assert_eq!(read.status, StatusCode::OK);
    assert_eq!(
        site().await.get("/signed-in").await.header("set-cookie"),
        "lienthong=s-new; Path=/; HttpOnly; SameSite=Lax"
    );
}

#[tokio::test]
async fn what_was_done_is_said_once() {
    let site = site().await;
    let done =
        site.send("POST /things", &[("cookie", "lienthong=s-writer"), FORM, OWN], "name=%3Cb%3E").await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/open"));
    let said = done.header("set-cookie").split(';').next().unwrap().to_owned();
    let next = site.send("GET /open", &[("cookie", &format!("lienthong=s-writer; {said}"))], "").await;
    assert!(next.text().contains("Đã lưu &#60;&#60;b&#62;&#62;"), "shown, escaped");
    assert!(
        next.header("set-cookie").starts_with("lt-said=; ")
            && next.header("set-cookie").contains("Max-Age=0")
    );
    let asset = site.send(&format!("GET {}", web::assets::DESK_JS), &[("cookie", &said)], "").await;
    assert_eq!(asset.header("set-cookie"), "", "only a page has shown it");
}

/// Every endpoint of the site behind a listener that opens one front door: what belongs elsewhere is closed to a person
/// and to a system alike, whatever their rights.
#[tokio::test]
async fn each_route_is_open_only_where_its_front_door_is() {
    let site = site().await;
    let things: std::sync::Arc<dyn web::Pages> = std::sync::Arc::new(Things);
    let endpoints = web::endpoints(&[things]);
    let mut closed_to_all = 0;
    for only in FrontDoor::ALL {
        for e in &endpoints {
            let entrance = Entrance { open: [only].into(), zone: Zone::Internet, ..Entrance::default() };
            let line = format!("{} {}", e.method, e.path.replace("{id}", "1").replace("{file}", "none"));
            let ask = async |who: (&str, &str)| {
                let headers = [who, OWN, FORM, ("accept", "application/json")];
                let answer = site.send_by(entrance.clone(), &line, &headers, "name=x").await;
                let closed = answer.text().contains("urn:lienthong:problem:front-door-closed");
                assert_eq!(closed, closed && answer.status == StatusCode::FORBIDDEN);
                closed
            };
            let person = ask(("cookie", "lienthong=s-writer")).await;
            let system = ask(("authorization", "Bearer t-system")).await;
            let own = e.door.is_none_or(|door| door == only);
            assert_eq!(!person, own, "a person, {line} where {only:?} is open");
            // Where the console is shared with systems, these come in where calls do.
            let shared = e.door == Some(FrontDoor::Console);
            let lets_systems = if shared { only == FrontDoor::Calls } else { own };
            assert_eq!(!system, lets_systems, "a system, {line} where {only:?} is open");
            closed_to_all += usize::from(person && system);
        }
    }
    assert!(closed_to_all > 50, "{closed_to_all}");
}

#[tokio::test]
async fn a_listener_may_let_only_some_roles_into_the_console() {
    let site = site().await;
    let entrance = || Entrance { roles: ["reader".to_owned()].into(), ..Entrance::default() };
    let ask = async |who: &str, line: &str| {
        let cookie = format!("lienthong=s-{who}");
        let headers = [("cookie", cookie.as_str()), ("accept", "text/html")];
        site.send_by(entrance(), line, &headers, "").await
    };
    assert_eq!(ask("reader", "GET /things").await.status, StatusCode::OK);
    let refused = ask("writer", "GET /things").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text().contains("Ở vùng mạng đang truy cập"), "{}", refused.text());
    assert_eq!(ask("writer", "GET /open").await.status, StatusCode::OK, "what is public stays so");
    assert_eq!(ask("stranger", "GET /things").await.status, StatusCode::SEE_OTHER, "to sign in");
}
