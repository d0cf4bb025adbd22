//! A site of one module with a route of every kind, and people who may or may not use it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::IntoResponse;
use base::config::Config;
use base::error::Error;
use base::i18n::Lang;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kernel::entrance::{Arrival, Entrance};
use kernel::{Actor, Grant, Grants, Kernel, Permission, PersonId, Reach};
use serde::Deserialize;
use testkit::TestKernel;
use tower::ServiceExt;
use web::ui::{Form, Head, Icon};
use web::{
    Access, Account, Cx, Nav, Page, Pages, Path, Redirect, Routes, Sessions, Site, Visitor, body, page,
};

pub const READ: Permission = Permission { name: "things.read", vi: "xem", en: "read" };
pub const WRITE: Permission = Permission { name: "things.write", vi: "sửa", en: "write" };

pub struct Things;

impl kernel::Module for Things {
    fn name(&self) -> &'static str {
        "things"
    }
}

#[derive(Debug, Deserialize)]
pub struct Named {
    name: String,
}

fn label(lang: Lang) -> &'static str {
    match lang {
        Lang::Vi => "Đồ vật",
        Lang::En => "Things",
    }
}

impl Pages for Things {
    fn routes(&self) -> Routes {
        Routes::new()
            .get("/things", Access::Needs(READ), async |cx: Cx| {
                page(&cx.frame("Things"), Head::new(cx.lang, "Things"))
            })
            .get("/things/{id}", Access::Needs(READ), async |Path(id): Path<u32>| id.to_string())
            .get("/things/new", Access::Needs(WRITE), form)
            .post("/things", Access::Needs(WRITE), async |web::Form(named): web::Form<Named>| {
                Redirect::to("/open").saying(format!("Đã lưu <{}>", named.name))
            })
            .get("/mine", Access::SignedIn, async |cx: Cx| {
                page(&cx.frame("Mine"), Head::new(cx.lang, "Mine"))
            })
            .get("/open", Access::Public, async |cx: Cx| {
                page(&cx.frame("Open").cacheable(), Head::new(cx.lang, "Open"))
            })
            .post("/open", Access::Public, async |body: Bytes| body.len().to_string())
            .limit(64)
            .post("/raw", Access::Public, async |body: Body| Body::new(body))
            .streaming()
            .get("/api/things/v1/system", Access::System, async |cx: Cx| cx.actor.to_string())
            .post(
                "/api/things/v1/things",
                Access::Needs(WRITE),
                async |web::Json(named): web::Json<Named>| named.name,
            )
            .get("/panics", Access::Public, async || -> StatusCode { panic!("on purpose") })
            .get("/broken", Access::Public, async || -> web::Result<Page> {
                Err(Error::internal("the secret cause").into())
            })
            .get("/away", Access::Public, async || -> web::Result<Page> {
                Err(Error::unavailable("database", "gone").into())
            })
            .get("/oauth", Access::Public, async |cx: Cx| {
                page(&cx.frame("x").form_target("https://dvc.example.vn"), Head::new(cx.lang, "x"))
            })
            .get("/signed-in", Access::Public, async |cx: Cx| {
                ([cx.session_cookie("s-new")], "in").into_response()
            })
            .get("/signed-out", Access::Public, async |cx: Cx| {
                ([cx.no_session_cookie()], "out").into_response()
            })
    }

    fn openapi(&self) -> Option<utoipa::openapi::OpenApi> {
        let document = serde_json::json!({
            "openapi": "3.1.0", "info": { "title": "Things", "version": "1" },
            "paths": { "/api/things/v1/things": { "post": { "summary": "Makes a thing", "responses": {} } } }
        });
        serde_json::from_value(document).ok()
    }

    fn nav(&self) -> Vec<Nav> {
        vec![Nav::new("/things", Icon::Tag, label, Access::Needs(READ))]
    }
}

async fn form(cx: Cx) -> Page {
    let form = Form::post(&cx, "/things").submit("x");
    page(&cx.frame("New"), body![Head::new(cx.lang, "New"), form])
}

/// Sessions and tokens are named after who holds them.
struct People;

fn visitor(name: &str) -> Option<Visitor> {
    let grant = |permission: Permission| Grant {
        permission: permission.name.into(),
        reach: Reach::Province,
        field: None,
        valid_from: base::clock::Timestamp::from_micros(0),
        valid_to: None,
        emergency: None,
    };
    let person = PersonId(base::ids::Uuid::from_u128(1));
    let official = Actor::Official { person, appointment: None };
    let (actor, grants, lang) = match name {
        "reader" => (official, vec![grant(READ)], None),
        "writer" => (official, vec![grant(READ), grant(WRITE)], None),
        "english" => (official, vec![grant(READ)], Some(Lang::En)),
        "nobody" => (official, vec![], None),
        "system" => (Actor::System { subsystem: "VN/GOV/H99/MOTCUA".into() }, vec![grant(WRITE)], None),
        _ => return None,
    };
    let account = (name != "system").then(|| Account {
        name: "Trần Thị Hà".into(),
        lang,
        roles: vec![name.to_owned()],
        ..Account::default()
    });
    Some(Visitor { actor, grants: Arc::new(Grants(grants)), account })
}

#[async_trait::async_trait]
impl Sessions for People {
    async fn by_cookie(&self, _: &Kernel, token: &str) -> kernel::Result<Option<Visitor>> {
        match token {
            "s-away" => Err(Error::unavailable("database", "gone")),
            _ => Ok(token.strip_prefix("s-").and_then(visitor)),
        }
    }

    async fn by_bearer(&self, _: &Kernel, token: &str, _: &Arrival) -> kernel::Result<Option<Visitor>> {
        Ok(token.strip_prefix("t-").and_then(visitor))
    }
}

/// A site to ask.
pub struct TestSite {
    router: Router,
    _kernel: TestKernel,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.to_vec()).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }
}

pub async fn site() -> TestSite {
    site_with("").await
}

pub async fn site_with(config: &str) -> TestSite {
    let config = Config::from_text(None, format!("[web]\n{config}"), []).unwrap();
    let kernel = TestKernel::new("sqlite", &[]).await;
    let site = Site::from_config(&config).unwrap().demo(true).report("/report");
    let router = web::router(kernel.kernel.clone(), site, Arc::new(People), &[Arc::new(Things)]);
    TestSite { router, _kernel: kernel }
}

impl TestSite {
    /// Sends `METHOD path` with headers and a body.
    pub async fn send(&self, line: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        self.send_by(Entrance::default(), line, headers, body).await
    }

    /// The same through a listener of this policy.
    pub async fn send_by(
        &self,
        entrance: Entrance,
        line: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.extension(Arrival { entrance: Arc::new(entrance), certificate: None });
        let answer: Response<_> =
            self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &[], Body::empty()).await
    }

    /// As the person named after the cookie.
    pub async fn get_as(&self, who: &str, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &[("cookie", &format!("lienthong=s-{who}"))], Body::empty()).await
    }
}
