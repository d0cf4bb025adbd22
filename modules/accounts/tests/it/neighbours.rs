//! What each endpoint of accounts answers to those who come near to a right: a stranger, an administrator of another
//! agency, one whose appointment has ended, and one at the agency that took over the function. All of them are people
//! with passwords who have signed in; the role is one that a province adds in its configuration.

use std::sync::Arc;

use accounts::Accounts;
use accounts::actions::clients::{self, NewClient};
use accounts::actions::officials::{self, End, NewAppointment, NewOfficial};
use kernel::identity::emergency::Emergency;
use kernel::identity::{Holding, Secret};
use kernel::orgs::{AgencyKind, Merger, NewAgency, UnitId};
use kernel::tokens::{Settings, TokenIssuer};
use kernel::{AppointmentId, Cx, EmergencyId, Kernel, PersonId};
use testkit::Expect::{Acts, Denied, Empty, Hidden, Public, Shown, SignIn};
use testkit::{App, Cast, Client, Ground, Line, TestKernel};
use web::Endpoint;

use crate::place::PASSWORD;

const ROLE: &str = r#"
[identity.roles.agency-admin]
vi = "Quản trị đơn vị"
en = "Administrator of an agency"
reach = "agency"
permissions = [
    "accounts.official.read", "accounts.official.manage", "accounts.client.read", "accounts.client.manage",
    "accounts.emergency.read", "accounts.emergency.ask",
]
"#;

const OPEN: [testkit::Expect; 4] = [Public, Public, Public, Public];
/// One's own account, whoever one is.
const OWN: [testkit::Expect; 4] = [SignIn, Empty, Empty, Empty];
const OWN_ACTION: [testkit::Expect; 4] = [SignIn, Acts, Acts, Acts];
const NOT_OWN: [testkit::Expect; 4] = [SignIn, Hidden, Hidden, Hidden];
const LISTED: [testkit::Expect; 4] = [SignIn, Empty, Denied, Shown];
const SINGLE: [testkit::Expect; 4] = [SignIn, Hidden, Denied, Shown];
const ACTION: [testkit::Expect; 4] = [SignIn, Hidden, Denied, Acts];
/// Making people of one's own is everybody's right who holds the role.
const MAKING: [testkit::Expect; 4] = [SignIn, Acts, Denied, Acts];
/// Clients are things of the whole province: no agency's administrator reaches them.
const PROVINCE: [testkit::Expect; 4] = [SignIn, Denied, Denied, Denied];

/// Somebody else's, whoever asks.
const PERSONAL: [testkit::Expect; 4] = [SignIn, Hidden, Denied, Hidden];

const ENDPOINTS: &[Line] = &[
    ("GET /login", OPEN),
    ("POST /login", OPEN),
    ("POST /logout", OPEN),
    ("GET /welcome/{secret}", OPEN),
    ("POST /welcome/{secret}", OPEN),
    // Asks systems for their secret itself.
    ("POST /oauth2/token", [SignIn, SignIn, SignIn, SignIn]),
    ("GET /.well-known/jwks.json", OPEN),
    ("GET /.well-known/oauth-authorization-server", OPEN),
    ("GET /account", OWN),
    ("GET /account/choose", OWN),
    ("POST /account/appointment", NOT_OWN),
    ("GET /account/password", OWN),
    ("POST /account/password", OWN_ACTION),
    ("POST /account/sessions/{session}/end", NOT_OWN),
    ("GET /accounts/officials", LISTED),
    ("GET /accounts/officials/export", LISTED),
    ("GET /accounts/officials/new", [SignIn, Empty, Denied, Empty]),
    ("POST /accounts/officials", MAKING),
    ("GET /accounts/officials/{person}", SINGLE),
    ("GET /accounts/officials/{person}/appoint", SINGLE),
    ("POST /accounts/officials/{person}/appoint", ACTION),
    ("GET /accounts/officials/{person}/rename", SINGLE),
    ("POST /accounts/officials/{person}/rename", ACTION),
    ("GET /accounts/officials/{person}/lock", SINGLE),
    ("POST /accounts/officials/{person}/lock", ACTION),
    ("POST /accounts/officials/{person}/unlock", ACTION),
    ("GET /accounts/officials/{person}/password-link", SINGLE),
    ("POST /accounts/officials/{person}/password-link", ACTION),
    ("GET /accounts/appointments/{appointment}/end", SINGLE),
    ("POST /accounts/appointments/{appointment}/end", ACTION),
    // One's own only: another's emergency is not told, not even to the successor of the agency.
    ("GET /accounts/emergencies", [SignIn, Empty, Denied, Empty]),
    ("GET /accounts/emergencies/new", [SignIn, Empty, Denied, Empty]),
    ("POST /accounts/emergencies", MAKING),
    ("GET /accounts/emergencies/{emergency}", PERSONAL),
    ("POST /accounts/emergencies/{emergency}/grant", PROVINCE),
    ("POST /accounts/emergencies/{emergency}/refuse", PROVINCE),
    ("POST /accounts/emergencies/{emergency}/withdraw", PERSONAL),
    ("POST /accounts/emergencies/{emergency}/end", PERSONAL),
    ("POST /accounts/emergencies/{emergency}/review", PROVINCE),
    ("GET /api/accounts/v1/emergencies", [SignIn, Empty, Denied, Empty]),
    ("POST /api/accounts/v1/emergencies", MAKING),
    ("GET /api/accounts/v1/emergencies/{emergency}", PERSONAL),
    ("POST /api/accounts/v1/emergencies/{emergency}/grant", PROVINCE),
    ("POST /api/accounts/v1/emergencies/{emergency}/refuse", PROVINCE),
    ("POST /api/accounts/v1/emergencies/{emergency}/withdraw", PERSONAL),
    ("POST /api/accounts/v1/emergencies/{emergency}/end", PERSONAL),
    ("POST /api/accounts/v1/emergencies/{emergency}/review", PROVINCE),
    ("GET /accounts/clients", PROVINCE),
    ("GET /accounts/clients/export", PROVINCE),
    ("GET /accounts/clients/new", PROVINCE),
    ("POST /accounts/clients", PROVINCE),
    ("GET /accounts/clients/{client}", PROVINCE),
    ("GET /accounts/clients/{client}/rotate", PROVINCE),
    ("POST /accounts/clients/{client}/rotate", PROVINCE),
    ("GET /accounts/clients/{client}/revoke", PROVINCE),
    ("POST /accounts/clients/{client}/revoke", PROVINCE),
    ("GET /api/accounts/v1/me", OWN),
    ("GET /api/accounts/v1/roles", [SignIn, Empty, Denied, Empty]),
    ("GET /api/accounts/v1/officials", LISTED),
    ("POST /api/accounts/v1/officials", MAKING),
    ("GET /api/accounts/v1/officials/{person}", SINGLE),
    ("POST /api/accounts/v1/officials/{person}/appointments", ACTION),
    ("POST /api/accounts/v1/officials/{person}/lock", ACTION),
    ("POST /api/accounts/v1/officials/{person}/unlock", ACTION),
    ("POST /api/accounts/v1/officials/{person}/password-link", ACTION),
    ("POST /api/accounts/v1/appointments/{appointment}/end", ACTION),
    ("GET /api/accounts/v1/clients", PROVINCE),
    ("POST /api/accounts/v1/clients", PROVINCE),
    ("GET /api/accounts/v1/clients/{client}", PROVINCE),
    ("POST /api/accounts/v1/clients/{client}/secret", PROVINCE),
    ("POST /api/accounts/v1/clients/{client}/revoke", PROVINCE),
];

const MARKS: &[&str] = &["Trần Thị Riêng", "rieng.tt", "Hệ thống riêng"];

struct World {
    app: App,
    accounts: Accounts,
    neighbour: UnitId,
    successor: UnitId,
    /// Somebody of the agency that is no more, appointed there.
    person: PersonId,
    post: AppointmentId,
}

impl World {
    async fn new(backend: &'static str) -> Self {
        let t = Arc::new(TestKernel::with_config(backend, &[], ROLE).await);
        let k = t.kernel.clone();
        let accounts = Accounts::new(&k, TokenIssuer::new(Settings::default())).unwrap();
        let sessions = accounts.sessions();
        let app = App::with_sessions(t, vec![Arc::new(accounts.clone())], Some(sessions)).await;
        let own = agency(&k, "Sở Tư pháp tỉnh Mẫu").await;
        let neighbour = agency(&k, "Sở Tài chính tỉnh Mẫu").await;
        let role = "consumer-officer";
        let (person, post) = person(&k, &accounts, "rieng.tt", "Trần Thị Riêng", own, role, -30).await;
        let successor = merged(&k, own).await;
        Self { app, accounts, neighbour, successor, person, post }
    }

    fn k(&self) -> &Kernel {
        &self.app.t.kernel
    }

    fn cx(&self) -> Cx {
        Cx::kernel("test", self.k().clock.now())
    }

    async fn signed_in(&self, username: &str) -> Client {
        let body = crate::place::encode(&[("username", username), ("password", PASSWORD)]);
        let form = Some("application/x-www-form-urlencoded");
        let same = [("sec-fetch-site", "same-origin")];
        let answer = self.app.stranger().send_with(http::Method::POST, "/login", form, &body, &same).await;
        let cookie = answer.header("set-cookie").expect("a session").to_owned();
        let token = cookie.strip_prefix("lienthong=").and_then(|rest| rest.split(';').next()).unwrap();
        self.app.with_cookie(token)
    }

    /// Three administrators: of the neighbour, of the successor until just now, of the successor.
    async fn cast(&self) -> Cast {
        let admin = async |username: &str, name: &str, agency, days| {
            person(self.k(), &self.accounts, username, name, agency, "agency-admin", days).await.1
        };
        admin("lan.n", "Nguyễn Thị Lan", self.neighbour, -30).await;
        let ended = admin("dung.l", "Lê Văn Dũng", self.successor, -3).await;
        officials::end_appointment(&self.accounts, self.k(), &self.cx(), ended, End::Now).await.unwrap();
        admin("binh.p", "Phạm Văn Bình", self.successor, -3).await;
        Cast {
            stranger: self.app.stranger(),
            neighbour: self.signed_in("lan.n").await,
            former: self.signed_in("dung.l").await,
            successor: self.signed_in("binh.p").await,
        }
    }
}

async fn agency(k: &Kernel, name: &str) -> UnitId {
    let new = NewAgency {
        kind: AgencyKind::Department,
        full_name: name.into(),
        code: None,
        parent: None,
        act: None,
    };
    let since = k.clock.now().date().plus_days(-400).unwrap();
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let unit = tx.create_agency(&new, since).await.unwrap();
    tx.commit().await.unwrap();
    unit
}

/// Somebody with the usual password, appointed so many days from now.
async fn person(
    k: &Kernel,
    accounts: &Accounts,
    username: &str,
    name: &str,
    agency: UnitId,
    role: &str,
    days: i64,
) -> (PersonId, AppointmentId) {
    let appointment = NewAppointment {
        post: "Chuyên viên".into(),
        agency: Some(agency),
        field: None,
        holding: Holding::Substantive,
        from: k.clock.now().date().plus_days(days).unwrap(),
        until: None,
        roles: vec![role.into()],
    };
    let new = NewOfficial {
        username: username.into(),
        full_name: name.into(),
        appointment,
        password: Some(Secret::password(PASSWORD)),
    };
    let cx = Cx::kernel("test", k.clock.now());
    let made = officials::create(accounts, k, &cx, &new).await.unwrap();
    (made.person, made.appointment)
}

/// The functions of the agency passed to a new one a few days ago.
async fn merged(k: &Kernel, old: UnitId) -> UnitId {
    let into = NewAgency {
        kind: AgencyKind::Department,
        full_name: "Sở hợp nhất tỉnh Mẫu".into(),
        code: None,
        parent: None,
        act: None,
    };
    let merger = Merger { predecessors: vec![old], into, transfers: true };
    let on = k.clock.now().date().plus_days(-5).unwrap();
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let unit = tx.merge_agencies(&merger, on).await.unwrap();
    tx.commit().await.unwrap();
    unit
}

/// What the person of the agency that is no more asked for.
async fn emergency(w: &World) -> EmergencyId {
    let k = w.k();
    let e = Emergency {
        id: EmergencyId::new(&*k.clock, &*k.random),
        person: w.person,
        appointment: w.post,
        right: "operator".into(),
        agency: None,
        reason: "Hệ thống riêng hỏng lúc nửa đêm".into(),
        minutes: 60,
        asked_at: k.clock.now(),
        withdrawn_at: None,
        decided: None,
        ends_at: None,
        ended_at: None,
        reviewed: None,
    };
    let mut tx = k.begin(&w.cx()).await.unwrap();
    kernel::identity::emergencies::add(&mut tx, &e).await.unwrap();
    tx.commit().await.unwrap();
    e.id
}

#[tokio::test]
async fn every_endpoint_answers_each_as_it_says() {
    for backend in testkit::backends() {
        eprintln!("— on {backend}");
        let w = World::new(backend).await;
        let cast = w.cast().await;
        let (person, post) = (w.person, w.post);
        let client = NewClient {
            name: "Hệ thống riêng".into(),
            subsystem: "VN/GOV/38/rieng".into(),
            client_id: None,
            scopes: vec![],
            until: None,
        };
        let client = clients::create(w.k(), &w.cx(), &client).await.unwrap().client.id;
        w.signed_in("rieng.tt").await;
        let sql = "SELECT id FROM identity_session WHERE person = $1";
        let session = w.k().db.query_one(sql, kernel::params![person]).await.unwrap().text("id").unwrap();
        let today = w.k().clock.now().date();
        let emergency = emergency(&w).await;
        let path = |e: &Endpoint| {
            let path = e.path.replace("{person}", &person.to_string());
            let path = path.replace("{appointment}", &post.to_string()).replace("{session}", &session);
            let path = path.replace("{client}", &client.to_string()).replace("{secret}", "khong-co");
            let path = path.replace("{emergency}", &emergency.to_string());
            if path.ends_with("/export") { path + "?as=csv" } else { path }
        };
        let body = |e: &Endpoint| {
            match e.path {
            "/account/appointment" => format!("appointment={post}"),
            "/accounts/clients/{client}/rotate" | "/accounts/clients/{client}/revoke" => "version=1&overlap_hours=24".to_owned(),
            "/accounts/officials/{person}/appoint" => crate::place::encode(&[
                ("post", "Chuyên viên"),
                ("agency", &w.successor.to_string()),
                ("role", "consumer-officer"),
                ("from", &today.vn()),
            ]),
            "/accounts/officials/{person}/rename" => {
                crate::place::encode(&[("username", "rieng.tt"), ("full_name", "Trần Thị Riêng")])
            }
            "/api/accounts/v1/officials/{person}/appointments" => serde_json::json!({
                "post": "Chuyên viên", "agency": w.successor, "valid_from": today, "roles": ["consumer-officer"],
            })
            .to_string(),
            "/api/accounts/v1/clients" => {
                serde_json::json!({"name": "Khác", "subsystem": "VN/GOV/38/khac"}).to_string()
            }
            at if at.starts_with("/api/") => "{}".to_owned(),
            _ => String::new(),
        }
        };
        let ground = Ground { path: &path, body: &body, marks: MARKS };
        let faults = w.app.unlike("accounts", &cast, ENDPOINTS, &ground).await;
        assert!(faults.is_empty(), "{faults:#?}");
        w.app.t.close().await;
    }
}
