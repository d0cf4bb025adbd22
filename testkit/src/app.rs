//! The site of the named modules without a socket: log in as a kind of user in one line, send requests, read answers.
//! Also the walk over all endpoints with people who must not come in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use kernel::entrance::Arrival;
use kernel::{Actor, AppointmentId, Grant, Grants, Kernel, Module, Permission, PersonId, Reach, Result};
use tower::ServiceExt;
use web::{Access, Account, Endpoint, Pages, Sessions, Site, Visitor};

use crate::database::TestKernel;

/// Largest answer a test reads.
const MAX_ANSWER: usize = 64 << 20;

/// The site of some modules on a throw-away database.
pub struct App {
    /// The kernel, its clock and directory.
    pub t: Arc<TestKernel>,
    router: Router,
    desk: Arc<Desk>,
    endpoints: Vec<Endpoint>,
}

/// Who is logged in, by cookie and bearer text.
#[derive(Default)]
struct Desk {
    people: Mutex<HashMap<String, Visitor>>,
}

#[async_trait]
impl Sessions for Desk {
    async fn by_cookie(&self, _: &Kernel, token: &str) -> Result<Option<Visitor>> {
        Ok(self.people.lock().expect("not poisoned").get(token).cloned())
    }

    async fn by_bearer(&self, k: &Kernel, token: &str, _: &Arrival) -> Result<Option<Visitor>> {
        self.by_cookie(k, token).await
    }
}

impl App {
    /// The site of `modules` on `backend`, started as the application would.
    pub async fn new(backend: &'static str, modules: Vec<Arc<dyn Pages>>) -> Self {
        let bare: Vec<Arc<dyn Module>> = modules.iter().map(|m| m.clone() as Arc<dyn Module>).collect();
        let t = Arc::new(TestKernel::new(backend, &bare).await);
        Self::on(t, modules).await
    }

    /// As [`App::new`], on a kernel that is there already and has been migrated for these modules.
    pub async fn on(t: Arc<TestKernel>, modules: Vec<Arc<dyn Pages>>) -> Self {
        Self::with_sessions(t, modules, None).await
    }

    /// As [`App::on`]; people come in by these sessions ([`App::with_cookie`]) instead of `log_in_as`.
    pub async fn with_sessions(
        t: Arc<TestKernel>,
        modules: Vec<Arc<dyn Pages>>,
        sessions: Option<Arc<dyn Sessions>>,
    ) -> Self {
        let k = &t.kernel;
        let bare: Vec<Arc<dyn Module>> = modules.iter().map(|m| m.clone() as Arc<dyn Module>).collect();
        for module in &bare {
            module.start(k).await.expect("the module starts");
        }
        k.run(&bare);
        let site = Site::from_config(&k.config).expect("the site's configuration").demo(true);
        let desk = Arc::new(Desk::default());
        let sessions = sessions.unwrap_or_else(|| desk.clone() as Arc<dyn Sessions>);
        let router = web::router(k.clone(), site, sessions, &modules);
        Self { t, router, desk, endpoints: web::endpoints(&modules) }
    }

    /// Every endpoint with its access.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Somebody unknown.
    pub fn stranger(&self) -> Client {
        Client { router: self.router.clone(), cookie: None, bearer: None, arrival: Arrival::default() }
    }

    /// A browser that keeps this cookie of the session.
    pub fn with_cookie(&self, cookie: &str) -> Client {
        Client {
            router: self.router.clone(),
            cookie: Some(cookie.to_owned()),
            bearer: None,
            arrival: Arrival::default(),
        }
    }

    /// An official who holds these permissions over `reach`, from the beginning of time until told otherwise.
    pub fn log_in_as(&self, permissions: &[Permission], reach: &Reach) -> Client {
        self.log_in_with(permissions.iter().map(|p| always(*p, reach.clone())).collect())
    }

    /// An official with exactly these grants.
    pub fn log_in_with(&self, grants: Vec<Grant>) -> Client {
        let k = &self.t.kernel;
        let person = PersonId::new(&*k.clock, &*k.random);
        self.log_in_through(person, AppointmentId::new(&*k.clock, &*k.random), grants)
    }

    /// An official with these rights who is known to the tables.
    pub fn log_in_through(&self, person: PersonId, appointment: AppointmentId, grants: Vec<Grant>) -> Client {
        let appointment = Some(appointment);
        let account =
            Account {
                name: "Nguyễn Kiểm Thử".into(), post: "Chuyên viên".into(), ..Account::default()
            };
        let visitor = Visitor {
            actor: Actor::Official { person, appointment },
            grants: Arc::new(Grants(grants)),
            account: Some(account),
        };
        Client {
            router: self.router.clone(),
            cookie: Some(self.enter(visitor)),
            bearer: None,
            arrival: Arrival::default(),
        }
    }

    /// An information system with its token.
    pub fn log_in_as_system(&self, subsystem: &str) -> Client {
        let actor = Actor::System { subsystem: subsystem.into() };
        let visitor = Visitor { actor, grants: Arc::default(), account: None };
        Client {
            router: self.router.clone(),
            cookie: None,
            bearer: Some(self.enter(visitor)),
            arrival: Arrival::default(),
        }
    }

    fn enter(&self, visitor: Visitor) -> String {
        let token = kernel::random::token(&*self.t.kernel.random, 16);
        self.desk.people.lock().expect("not poisoned").insert(token.clone(), visitor);
        token
    }

    /// Walks every endpoint: a stranger is sent to sign in (or told 401), an official without any right and a system
    /// where a person is needed are told 403. Returns what did otherwise.
    pub async fn wrongly_open(&self) -> Vec<String> {
        let (stranger, nobody) = (self.stranger(), self.log_in_with(vec![]));
        let mut wrong = Vec::new();
        for e in &self.endpoints {
            let path = fill(e.path);
            let by_stranger = stranger.send(e.method.clone(), &path, None, "").await;
            let by_nobody = nobody.send(e.method.clone(), &path, None, "").await;
            let refused_stranger = matches!(by_stranger.status.as_u16(), 401 | 403)
                || by_stranger.header("location").is_some_and(|l| l.starts_with("/login"));
            let ok = match e.access {
                Access::Public => by_stranger.status != StatusCode::UNAUTHORIZED,
                Access::SignedIn => refused_stranger,
                Access::Needs(_) | Access::System => {
                    refused_stranger && by_nobody.status == StatusCode::FORBIDDEN
                }
            };
            if !ok {
                wrong.push(format!(
                    "{} {} ({}): stranger {}, without right {}",
                    e.method,
                    e.path,
                    e.access.name(),
                    by_stranger.status,
                    by_nobody.status
                ));
            }
        }
        wrong
    }
}

/// A permission over `reach` from the beginning of time.
pub fn always(permission: Permission, reach: Reach) -> Grant {
    Grant {
        permission: permission.name.into(),
        reach,
        field: None,
        valid_from: kernel::clock::Timestamp::from_micros(0),
        valid_to: None,
        emergency: None,
    }
}

/// A path with believable values for its placeholders.
fn fill(path: &str) -> String {
    let part = |p: &str| {
        if p.starts_with('{') { "00000000-0000-7000-8000-000000000000".into() } else { p.to_owned() }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// A browser or program with its credentials.
#[derive(Clone)]
pub struct Client {
    router: Router,
    cookie: Option<String>,
    bearer: Option<String>,
    arrival: Arrival,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("not JSON ({e}): {}", self.text()))
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }
}

impl Client {
    /// The same, coming in as told.
    pub fn coming(&self, arrival: Arrival) -> Self {
        Self { arrival, ..self.clone() }
    }

    /// Reads a page or resource.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, "").await
    }

    /// Sends a form as a browser would from one of our own pages.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let encode = |s: &str| {
            s.bytes().fold(String::new(), |mut out, b| {
                match b {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(char::from(b)),
                    _ => out.push_str(&format!("%{b:02X}")),
                }
                out
            })
        };
        let body =
            fields.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect::<Vec<_>>().join("&");
        self.send(Method::POST, path, Some("application/x-www-form-urlencoded"), &body).await
    }

    /// Sends JSON.
    pub async fn post_json(&self, path: &str, body: &serde_json::Value) -> Answer {
        self.send(Method::POST, path, Some("application/json"), &body.to_string()).await
    }

    /// Sends anything.
    pub async fn send(&self, method: Method, path: &str, kind: Option<&str>, body: &str) -> Answer {
        self.send_with(method, path, kind, body, &[]).await
    }

    /// Sends anything with further headers.
    pub async fn send_with(
        &self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8080");
        if self.cookie.is_some() {
            request = request.header("sec-fetch-site", "same-origin");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("lienthong={cookie}"));
        }
        if let Some(bearer) = &self.bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let request = request.extension(self.arrival.clone());
        let request = request.body(Body::from(body.to_owned())).expect("a sound request");
        let answer = self.router.clone().oneshot(request).await.expect("the site answers");
        let (parts, body) = answer.into_parts();
        let body = http_body_util::Limited::new(body, MAX_ANSWER).collect().await.expect("a whole answer");
        Answer { status: parts.status, headers: parts.headers, body: body.to_bytes().to_vec() }
    }
}
