//! The site with the real sessions, some people in it, and a browser that keeps its cookie.

use std::sync::Arc;

use accounts::actions::officials::{self, NewAppointment, NewOfficial};
use accounts::{Accounts, OPERATOR};
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use kernel::clock::Date;
use kernel::identity::{Holding, Secret};
use kernel::orgs::{AgencyKind, NewAgency, UnitId};
use kernel::tokens::{Settings, TokenIssuer};
use kernel::{AppointmentId, Cx, Kernel, Module, PersonId};
use testkit::TestKernel;
use tower::ServiceExt;

/// A password that passes the rules; nobody's name is in it.
pub const PASSWORD: &str = "chợ huyện sáng thứ bảy";

pub struct Place {
    pub t: Arc<TestKernel>,
    pub accounts: Accounts,
    router: Router,
}

/// Runs a test on the site, on every backend.
pub async fn on_both(test: impl AsyncFn(&Place)) {
    for backend in testkit::backends() {
        let place = Place::new(backend).await;
        eprintln!("— on {backend}");
        test(&place).await;
        place.t.close().await;
    }
}

impl Place {
    async fn new(backend: &'static str) -> Self {
        let t = Arc::new(TestKernel::new(backend, &[]).await);
        let k = &t.kernel;
        let site = web::Site::from_config(&k.config).unwrap();
        let issuer = TokenIssuer::new(Settings { issuer: site.origin().into(), ..Settings::default() });
        let accounts = Accounts::new(k, issuer).unwrap();
        accounts.start(k).await.unwrap();
        let router = web::router(k.clone(), site, accounts.sessions(), &[Arc::new(accounts.clone())]);
        Self { t, accounts, router }
    }

    pub fn k(&self) -> &Kernel {
        &self.t.kernel
    }

    pub fn cx(&self) -> Cx {
        Cx::kernel("test", self.k().clock.now())
    }

    pub fn browser(&self) -> Browser {
        Browser { router: self.router.clone(), cookie: None }
    }

    /// An agency that exists since 2020.
    pub async fn agency(&self, name: &str) -> UnitId {
        let new = NewAgency {
            kind: AgencyKind::Department,
            full_name: name.into(),
            code: None,
            parent: None,
            act: None,
        };
        let mut tx = self.k().begin(&self.cx()).await.unwrap();
        let unit = tx.create_agency(&new, Date::new(2020, 1, 1).unwrap()).await.unwrap();
        tx.commit().await.unwrap();
        unit
    }

    pub fn appointment(&self, agency: Option<UnitId>, role: &str) -> NewAppointment {
        NewAppointment {
            post: "Chuyên viên".into(),
            agency,
            field: None,
            holding: Holding::Substantive,
            from: self.k().clock.now().date(),
            until: None,
            roles: vec![role.into()],
        }
    }

    /// Somebody with the usual password.
    pub async fn person(
        &self,
        username: &str,
        agency: Option<UnitId>,
        role: &str,
    ) -> (PersonId, AppointmentId) {
        let new = NewOfficial {
            username: username.into(),
            full_name: "Nguyễn Kiểm Thử".into(),
            appointment: self.appointment(agency, role),
            password: Some(Secret::password(PASSWORD)),
        };
        let made = officials::create(&self.accounts, self.k(), &self.cx(), &new).await.unwrap();
        (made.person, made.appointment)
    }

    pub async fn operator(&self) -> (Browser, PersonId) {
        let (id, _) = self.person("operator1", None, OPERATOR).await;
        (self.signed_in("operator1").await, id)
    }

    pub async fn signed_in(&self, username: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(username, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        browser
    }

    /// How many rows of this action the records hold, with their details.
    pub async fn audited(&self, action: &str) -> Vec<serde_json::Value> {
        let sql = "SELECT detail FROM kernel_audit WHERE action = $1 ORDER BY seq";
        let rows = self.k().db.query(sql, kernel::params![action]).await.unwrap();
        rows.iter().map(|r| r.json("detail").unwrap()).collect()
    }
}

#[derive(Clone)]
pub struct Browser {
    router: Router,
    pub cookie: Option<String>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("not JSON ({e}): {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// The value of an input of a form on the page.
    pub fn field(&self, name: &str) -> String {
        let text = self.text();
        let at =
            text.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no field {name} in {text}"));
        let input = &text[text[..at].rfind('<').unwrap()..];
        let input = &input[..input.find('>').unwrap()];
        let value = input.split("value=\"").nth(1).unwrap_or_default();
        value.split('"').next().unwrap_or_default().to_owned()
    }

    /// The first text on the page that begins with `prefix`, up to a quote, blank or tag.
    pub fn find(&self, prefix: &str) -> String {
        let text = self.text();
        let from = text.find(prefix).unwrap_or_else(|| panic!("no {prefix} in {text}"));
        text[from..].split(['"', '<', ' ', '\n', '&']).next().unwrap().to_owned()
    }
}

pub fn encode(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(n, v)| format!("{}={}", web::encoded(n), web::encoded(v)));
    pairs.collect::<Vec<_>>().join("&")
}

const SAME: &[(&str, &str)] = &[("sec-fetch-site", "same-origin")];

impl Browser {
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None, String::new(), &[]).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = Some("application/x-www-form-urlencoded");
        self.send(Method::POST, path, form, encode(fields), SAME).await
    }

    pub async fn post_json(&mut self, path: &str, body: serde_json::Value, more: &[(&str, &str)]) -> Answer {
        let headers: Vec<_> = SAME.iter().chain(more).copied().collect();
        self.send(Method::POST, path, Some("application/json"), body.to_string(), &headers).await
    }

    pub async fn sign_in(&mut self, username: &str, password: &str) -> Answer {
        self.post("/login", &[("username", username), ("password", password)]).await
    }

    /// Whether the account page opens.
    pub async fn is_in(&mut self) -> bool {
        self.get("/account").await.status == StatusCode::OK
    }

    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: String,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("lienthong={cookie}"));
        }
        let request = request.body(Body::from(body)).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        for set in parts.headers.get_all(header::SET_COOKIE) {
            if let Some(rest) = set.to_str().unwrap().strip_prefix("lienthong=") {
                let value = rest.split(';').next().unwrap().to_owned();
                self.cookie = Some(value).filter(|v| !v.is_empty());
            }
        }
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}
