//! What each endpoint of the exchange answers to those who come near to a right: a stranger, an officer of another
//! agency in the same role, one whose appointment has ended, and one at the agency that took over the function.

use evidence::Outcome;
use exchange::announcement;
use exchange::connection::{Kind, actions as connection};
use exchange::permissions;
use kernel::identity::certificates;
use kernel::identity::clients::{self, ClientId};
use kernel::ids::Uuid;
use kernel::orgs::{AgencyKind, Merger, NewAgency, UnitId};
use kernel::{Cx, Kernel, Reach, params};
use testkit::Expect::{Acts, Denied, Empty, Hidden, Public, Shown, SignIn};
use testkit::{Cast, Ground, Line};
use web::Endpoint;

use crate::site::{PROVIDER, Site, on_both};
use crate::world::{NUMBER, agreement, operator, sample};

const LISTED: [testkit::Expect; 4] = [SignIn, Empty, Denied, Shown];
const SINGLE: [testkit::Expect; 4] = [SignIn, Hidden, Denied, Shown];
const ACTION: [testkit::Expect; 4] = [SignIn, Hidden, Denied, Acts];
const OPEN: [testkit::Expect; 4] = [Public, Public, Public, Public];
/// Of the whole province, whatever the agency.
const PROVINCE: [testkit::Expect; 4] = [SignIn, Denied, Denied, Denied];
/// For who asks for connections, which a provider's officer does not; who asks is tried in `connections`.
const ASKS: [testkit::Expect; 4] = [SignIn, Denied, Denied, Denied];

const ENDPOINTS: &[Line] = &[
    // Figures only; what they count is in the lists.
    ("GET /exchange", [SignIn, Empty, Denied, Empty]),
    ("GET /exchange/members", LISTED),
    ("GET /exchange/members/export", LISTED),
    ("GET /exchange/members/{id}", SINGLE),
    ("GET /exchange/subsystems", LISTED),
    ("GET /exchange/subsystems/export", LISTED),
    ("GET /exchange/subsystems/{id}", SINGLE),
    ("GET /exchange/subsystems/{id}/contacts", PROVINCE),
    ("POST /exchange/subsystems/{id}/contacts", PROVINCE),
    ("POST /exchange/subsystems/{id}/contacts/{contact}/remove", PROVINCE),
    ("GET /exchange/services", LISTED),
    ("GET /exchange/services/export", LISTED),
    ("GET /exchange/services/{id}", SINGLE),
    ("GET /exchange/services/{id}/connection", SINGLE),
    ("POST /exchange/services/{id}/connection", ACTION),
    ("GET /exchange/services/{id}/outage", PROVINCE),
    ("POST /exchange/services/{id}/outage", PROVINCE),
    ("POST /exchange/services/{id}/outage/end", PROVINCE),
    ("GET /exchange/services/{id}/zones", SINGLE),
    ("POST /exchange/services/{id}/zones", ACTION),
    ("GET /exchange/agreements/{id}/zones", SINGLE),
    ("POST /exchange/agreements/{id}/zones", ACTION),
    ("GET /exchange/services/{id}/description", SINGLE),
    ("POST /exchange/services/{id}/description", ACTION),
    ("POST /exchange/services/{id}/description/apply", ACTION),
    ("GET /exchange/services/{id}/announcements", SINGLE),
    ("POST /exchange/services/{id}/announcements", ACTION),
    ("GET /exchange/proposals", LISTED),
    // Forms of whoever decides for a provider; they name the reader's own systems.
    ("GET /exchange/proposals/new", LISTED),
    ("POST /exchange/proposals/new", [SignIn, Acts, Denied, Acts]),
    ("POST /exchange/proposals/new/send", [SignIn, Acts, Denied, Acts]),
    ("GET /exchange/proposals/{id}", SINGLE),
    ("POST /exchange/proposals/{id}/approve", PROVINCE),
    ("POST /exchange/proposals/{id}/refuse", PROVINCE),
    ("POST /exchange/proposals/{id}/withdraw", ACTION),
    ("POST /exchange/services/{id}/description/fetch", ACTION),
    ("GET /exchange/announcements", LISTED),
    ("GET /exchange/announcements/{id}", SINGLE),
    // For who speaks for a consumer; tried in `announcements`.
    ("POST /exchange/announcements/{id}/acknowledge", ASKS),
    ("POST /exchange/announcements/{id}/confirm", ACTION),
    ("POST /exchange/announcements/{id}/withdraw", ACTION),
    ("GET /exchange/agreements", LISTED),
    ("GET /exchange/agreements/export", LISTED),
    ("GET /exchange/agreements/{id}", SINGLE),
    ("GET /exchange/agreements/{id}/{step}", SINGLE),
    ("POST /exchange/agreements/{id}/{step}", ACTION),
    ("GET /exchange/connections", LISTED),
    ("GET /exchange/connections/new", ASKS),
    ("POST /exchange/connections/new", ASKS),
    ("GET /exchange/connections/{id}", SINGLE),
    ("POST /exchange/connections/{id}", ASKS),
    ("POST /exchange/connections/{id}/attach", ASKS),
    ("POST /exchange/connections/{id}/detach", ASKS),
    ("POST /exchange/connections/{id}/submit", ASKS),
    ("POST /exchange/connections/{id}/withdraw", ASKS),
    ("POST /exchange/connections/{id}/test", ASKS),
    ("GET /exchange/connections/{id}/files/{file}", ACTION),
    ("GET /exchange/checks", LISTED),
    // National systems are no secret; which of them lead where is in the configuration, here in none.
    ("GET /exchange/national", [SignIn, Empty, Denied, Empty]),
    ("GET /exchange/national/export", [SignIn, Empty, Denied, Empty]),
    ("GET /exchange/national/{code}", [SignIn, Empty, Denied, Empty]),
    ("GET /exchange/traffic", LISTED),
    ("GET /exchange/reports", [SignIn, Empty, Denied, Empty]),
    ("GET /exchange/reports/{month}", LISTED),
    ("GET /exchange/reports/{month}/export", LISTED),
    ("POST /exchange/reports/{month}/close", PROVINCE),
    ("GET /exchange/agreements/{id}/statement", SINGLE),
    // A file of days, and the sample has no call under its agreement.
    ("GET /exchange/agreements/{id}/statement/export", [SignIn, Hidden, Denied, Empty]),
    ("GET /exchange/services/{id}/traffic", SINGLE),
    ("GET /exchange/subsystems/{id}/traffic", SINGLE),
    ("GET /exchange/agreements/{id}/traffic", SINGLE),
    ("GET /exchange/calls", LISTED),
    ("GET /exchange/calls/export", LISTED),
    ("GET /exchange/calls/{request_id}", SINGLE),
    ("POST /exchange/calls/{request_id}/personal", ACTION),
    ("GET /exchange/calls/{request_id}/evidence", ACTION),
    ("GET /evidence", OPEN),
    ("GET /evidence/{origin}/{*file}", OPEN),
    ("GET /api/exchange/v1/members", LISTED),
    ("GET /api/exchange/v1/members/{id}", SINGLE),
    ("GET /api/exchange/v1/subsystems", LISTED),
    ("GET /api/exchange/v1/subsystems/{id}", SINGLE),
    ("GET /api/exchange/v1/services", LISTED),
    ("GET /api/exchange/v1/services/{id}", SINGLE),
    ("GET /api/exchange/v1/services/{id}/endpoints", SINGLE),
    ("GET /api/exchange/v1/services/{id}/openapi", SINGLE),
    ("GET /api/exchange/v1/services/{id}/examinations", ACTION),
    ("POST /api/exchange/v1/services/{id}/examinations", ACTION),
    ("GET /api/exchange/v1/services/{id}/examinations/{examination}", ACTION),
    ("POST /api/exchange/v1/services/{id}/outage", PROVINCE),
    ("POST /api/exchange/v1/services/{id}/outage/end", PROVINCE),
    ("GET /api/exchange/v1/outages", LISTED),
    ("GET /api/exchange/v1/outages/{outage}", SINGLE),
    ("GET /api/exchange/v1/connections", LISTED),
    ("POST /api/exchange/v1/connections", ASKS),
    ("GET /api/exchange/v1/connections/{id}", SINGLE),
    ("PUT /api/exchange/v1/connections/{id}", ASKS),
    ("POST /api/exchange/v1/connections/{id}/files", ASKS),
    ("POST /api/exchange/v1/connections/{id}/submit", ASKS),
    ("POST /api/exchange/v1/connections/{id}/withdraw", ASKS),
    ("POST /api/exchange/v1/services/{id}/announcements", ACTION),
    ("GET /api/exchange/v1/proposals", LISTED),
    ("POST /api/exchange/v1/proposals", [SignIn, Acts, Denied, Acts]),
    ("GET /api/exchange/v1/proposals/{id}", SINGLE),
    ("POST /api/exchange/v1/proposals/{id}/approve", PROVINCE),
    ("POST /api/exchange/v1/proposals/{id}/refuse", PROVINCE),
    ("POST /api/exchange/v1/proposals/{id}/withdraw", ACTION),
    ("GET /api/exchange/v1/announcements", LISTED),
    ("GET /api/exchange/v1/announcements/{id}", SINGLE),
    ("POST /api/exchange/v1/announcements/{id}/acknowledge", ASKS),
    ("POST /api/exchange/v1/announcements/{id}/confirm", ACTION),
    ("POST /api/exchange/v1/announcements/{id}/withdraw", ACTION),
    ("GET /api/exchange/v1/agreements", LISTED),
    ("GET /api/exchange/v1/agreements/{id}", SINGLE),
    ("GET /api/exchange/v1/agreements/{id}/history", ACTION),
    ("POST /api/exchange/v1/agreements/{id}/approve", ACTION),
    ("POST /api/exchange/v1/agreements/{id}/refuse", ACTION),
    ("POST /api/exchange/v1/agreements/{id}/suspend", ACTION),
    ("POST /api/exchange/v1/agreements/{id}/resume", ACTION),
    ("POST /api/exchange/v1/agreements/{id}/revoke", ACTION),
    ("POST /api/exchange/v1/agreements/{id}/return", ACTION),
    ("POST /api/exchange/v1/agreements/{id}/test", ACTION),
    ("POST /api/exchange/v1/agreements/{id}/produce", ACTION),
    ("POST /api/exchange/v1/agreements/{id}/publish", ACTION),
    ("GET /api/exchange/v1/calls", LISTED),
    ("GET /api/exchange/v1/calls/{request_id}", SINGLE),
    ("GET /api/exchange/v1/calls/{request_id}/evidence", ACTION),
    ("GET /api/exchange/v1/operational-data", LISTED),
    ("GET /api/exchange/v1/health-data", LISTED),
    ("GET /api/exchange/v1/snapshot", PROVINCE),
];

/// For whoever holds no right to integrate systems: nothing of the corner.
const CORNER: &[&str] = &[
    "GET /exchange/corner",
    "GET /exchange/corner/catalogue",
    "GET /exchange/corner/catalogue/{service}",
    "GET /exchange/corner/systems/{id}",
    "GET /exchange/corner/systems/{id}/calls",
    "GET /exchange/corner/systems/{id}/calls/{request_id}",
    "GET /exchange/corner/systems/{id}/calls/{request_id}/evidence",
    "GET /exchange/corner/systems/{id}/try/{service}",
    "POST /exchange/corner/systems/{id}/try/{service}",
    "GET /exchange/corner/systems/{id}/credentials",
    "POST /exchange/corner/systems/{id}/credentials",
    "GET /exchange/corner/systems/{id}/credentials/new",
    "GET /exchange/corner/systems/{id}/credentials/{client}/{act}",
    "POST /exchange/corner/systems/{id}/credentials/{client}/{act}",
    "GET /exchange/corner/systems/{id}/certificates",
    "POST /exchange/corner/systems/{id}/certificates",
    "GET /exchange/corner/systems/{id}/certificates/new",
    "GET /exchange/corner/systems/{id}/certificates/{certificate}",
    "GET /exchange/corner/systems/{id}/certificates/{certificate}/download",
    "GET /exchange/corner/systems/{id}/certificates/{certificate}/revoke",
    "POST /exchange/corner/systems/{id}/certificates/{certificate}/revoke",
    "GET /exchange/corner/systems/{id}/certificates/require/{client}",
    "POST /exchange/corner/systems/{id}/certificates/require/{client}",
    "GET /exchange/corner/systems/{id}/conformance",
    "POST /exchange/corner/systems/{id}/conformance",
    "GET /exchange/corner/systems/{id}/conformance/{run}",
    "GET /api/exchange/v1/corner/systems",
    "GET /api/exchange/v1/corner/systems/{id}/calls/{request_id}/reason",
    "GET /api/exchange/v1/corner/systems/{id}/conformance",
    "POST /api/exchange/v1/corner/systems/{id}/conformance",
    "GET /api/exchange/v1/corner/systems/{id}/conformance/{run}",
];

/// Every endpoint as an officer meets it.
fn for_officers() -> Vec<Line> {
    ENDPOINTS.iter().copied().chain(CORNER.iter().map(|name| (*name, PROVINCE))).collect()
}

/// Every endpoint as an integrator meets it: the corner, and what is open to all.
fn for_integrators() -> Vec<Line> {
    let rest =
        ENDPOINTS.iter().map(|(name, expected)| match *expected == OPEN || name.contains("/description") {
            true => (*name, *expected),
            // Announcements are for the engineers of consumers; these look after the provider's system.
            false if name.ends_with("/announcements/{id}") || name.ends_with("/acknowledge") => {
                (*name, [SignIn, Hidden, Denied, Hidden])
            }
            false => (*name, PROVINCE),
        });
    let corner = CORNER.iter().map(|name| {
        let expected = match *name {
            "GET /exchange/corner" | "GET /api/exchange/v1/corner/systems" => LISTED,
            // Figures of checks, without the name of the system.
            name if name.starts_with("GET /api/") && name.contains("/conformance") => ACTION,
            // That a service exists is no secret among those who connect systems.
            name if name.contains("/catalogue") => [SignIn, Shown, Denied, Shown],
            name if name.starts_with("POST")
                || name.ends_with("/evidence")
                || name.ends_with("/download") =>
            {
                ACTION
            }
            _ => SINGLE,
        };
        (*name, expected)
    });
    rest.chain(corner).collect()
}

/// By these the things of the agency are recognised; none of them is in an address, or short enough to come about in a
/// page's random tokens.
const MARKS: &[&str] = &[
    NUMBER,
    "GOV/C06",
    "dancu",
    "dữ liệu dân cư",
    "Tra cứu thông tin công dân",
    "Dân cư",
    "cong-dan",
    "m-0000",
];

const CALL: &str = "00000000-0000-4000-8000-000000000001";

/// Merges the agency into a new one, to which its functions pass, a few days ago.
async fn merged(k: &Kernel, old: UnitId) -> UnitId {
    let on = k.clock.now().date().plus_days(-5).unwrap();
    let merger = Merger {
        predecessors: vec![old],
        into: NewAgency {
            kind: AgencyKind::Department,
            full_name: "Sở hợp nhất (thử nghiệm)".into(),
            code: Some("H38.09".into()),
            parent: None,
            act: None,
        },
        transfers: true,
    };
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let unit = tx.merge_agencies(&merger, on).await.unwrap();
    tx.commit().await.unwrap();
    unit
}

async fn id(k: &Kernel, table: &str, code: &str) -> String {
    let sql = format!("SELECT id FROM {table} WHERE code = $1");
    k.db.query_one(&sql, params![code]).await.unwrap().text("id").unwrap()
}

/// A certificate of that credential.
async fn certificate(k: &Kernel, client: ClientId) -> String {
    certificates::ensure(k).await.unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let request = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
    let requested = certificates::read(request.der()).unwrap();
    let client = clients::get(&k.db, client).await.unwrap();
    let signed = certificates::sign(k, &client, &requested).await.unwrap();
    let mut tx = k.begin(&operator(k)).await.unwrap();
    let (id, _) = certificates::add(&mut tx, client.id, signed).await.unwrap();
    tx.audit("test", &id.to_ref(), serde_json::json!({})).await.unwrap();
    tx.commit().await.unwrap();
    id.to_string()
}

/// A credential of the provider's system.
async fn credential(k: &Kernel) -> ClientId {
    let id = ClientId::new(&*k.clock, &*k.random);
    let (scopes, secret) = (["exchange".to_owned()].into(), clients::new_secret(&*k.random));
    let new = clients::NewClient {
        id,
        client_id: "dancu-1",
        name: "Máy chủ dân cư",
        subsystem: PROVIDER,
        scopes: &scopes,
        secret: &secret,
        expires_at: None,
    };
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    clients::add(&mut tx, k, &new).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Two announcements of the provider's; the one that is given is taken back on the way, the other stays.
async fn announced(s: &Site, service: exchange::ids::ServiceId) -> String {
    let (k, by) = (s.k(), crate::world::officer(s.k(), &[s.w.provider]));
    let mut last = String::new();
    for (kind, ends) in [(announcement::Kind::Change, None), (announcement::Kind::End, Some(200))] {
        let day = |days| k.clock.now().date().plus_days(days).unwrap();
        let said = announcement::Said {
            kind,
            effective: day(100),
            ends: ends.map(day),
            what: "Đổi cấu trúc".into(),
            successor: None,
        };
        last = announcement::actions::announce(k, &by, service, &said).await.unwrap().0.to_string();
    }
    last
}

/// A service of the provider's that waits.
async fn proposed(s: &Site, subsystem: exchange::ids::SubsystemId) -> String {
    let by = crate::world::officer(s.k(), &[s.w.provider]);
    let new = exchange::proposal::New {
        subsystem,
        code: "moi".into(),
        name: "Tra cứu thông tin công dân (mới)".into(),
        base_url: "https://moi.example.vn".parse().unwrap(),
        document: br#"{"openapi":"3.0.3","info":{"title":"x","version":"1"},"paths":{"/a":{"get":{}}}}"#
            .to_vec(),
        source: None,
        personal: Default::default(),
    };
    exchange::proposal::actions::propose(s.k(), &by, new).await.unwrap().to_string()
}

/// The things endpoints are asked for: all of the provider's agency.
struct Things {
    ids: [(&'static str, String); 7],
    file: String,
    origin: String,
    client: String,
    certificate: String,
    run: String,
    month: String,
    outage: String,
    examination: String,
}

/// An interruption of the sample's service, of which another agency's system was told, and an examination of it.
async fn troubled(k: &Kernel, service: &str) -> (String, String) {
    let consumer = id(k, "exchange_subsystem", "motcua").await;
    let (outage, examination) = (Uuid::from_u128(71).to_string(), Uuid::from_u128(72).to_string());
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let sql = "INSERT INTO exchange_outage (id, service_id, since, known, expected, told_at)
               VALUES ($1, $2, 1, 'x', '', 2)";
    tx.execute(sql, params![&outage, service]).await.unwrap();
    let sql = "INSERT INTO exchange_outage_consumer (outage_id, subsystem_id) VALUES ($1, $2)";
    tx.execute(sql, params![&outage, consumer]).await.unwrap();
    let report = serde_json::json!({"address": "http://x", "at": k.clock.now(), "steps": [], "fault": null});
    let sql = "INSERT INTO exchange_diagnosis (id, service_id, address, began_at, took, report)
               VALUES ($1, $2, 'http://x', 1, 1, $3)";
    tx.execute(sql, params![&examination, service, report]).await.unwrap();
    tx.commit().await.unwrap();
    (outage, examination)
}

impl Things {
    /// Those of the sample, with one call in the records.
    async fn of(s: &Site) -> Self {
        let k = s.k();
        s.record(CALL, Outcome::Answered, None).await;
        s.calls(1).await;
        s.app.t.clock.advance(std::time::Duration::from_secs(10));
        let dancu = id(k, "exchange_subsystem", "dancu").await;
        let service = id(k, "exchange_service", "tra-cuu").await;
        let (cx, draft) = (operator(k), exchange::connection::Draft::default());
        let (consumer, service) = (dancu.parse().unwrap(), service.parse().unwrap());
        let asked = connection::begin(k, &cx, consumer, service, draft, None).await.unwrap();
        let pdf = bytes::Bytes::from_static(b"%PDF-1.7");
        let file = connection::attach(k, &cx, asked, Kind::Letter, "x.pdf", pdf).await.unwrap();
        let ids_of_system = dancu.parse().unwrap();
        let ids = [
            ("members", id(k, "exchange_member", "C06").await),
            ("subsystems", id(k, "exchange_subsystem", "dancu").await),
            ("services", id(k, "exchange_service", "tra-cuu").await),
            ("agreements", agreement(k, NUMBER).await.to_string()),
            ("connections", asked.to_string()),
            ("announcements", announced(s, service).await),
            ("proposals", proposed(s, ids_of_system).await),
        ];
        let month = exchange::report::Month::of(k.clock.now().date()).to_string();
        let client = credential(k).await;
        let certificate = certificate(k, client).await;
        let client = client.to_string();
        let vendor = s.app.log_in_as(&[permissions::INTEGRATE], &Reach::Province);
        let at = format!("/api/exchange/v1/corner/systems/{}/conformance", ids[1].1);
        let tested = vendor.post_json(&at, &serde_json::json!({})).await;
        let run = tested.json()["id"].as_str().unwrap().to_owned();
        let file = file.to_string();
        let origin = s.exchange.plane().unwrap().evidence.progress().origin;
        let (outage, examination) = troubled(k, &ids[2].1).await;
        Self { ids, file, origin, client, certificate, run, month, outage, examination }
    }

    fn path(&self, e: &Endpoint) -> String {
        let kind = |kind: &str| match kind {
            "subsystems" if e.path.contains("/corner/") => e.path.contains("/systems/"),
            "services" if e.path.contains("/corner/") => false,
            kind => e.path.split('/').any(|part| part == kind),
        };
        let kind = self.ids.iter().find(|(name, _)| kind(name));
        let id = kind.map_or("", |(_, id)| id.as_str());
        let path = e.path.replace("{id}", id).replace("{request_id}", CALL).replace("{step}", "approve");
        let path = path.replace("{service}", &self.ids[2].1).replace("{client}", &self.client);
        let path = path.replace("{certificate}", &self.certificate);
        let path = path.replace("{act}", "rotate").replace("{run}", &self.run);
        let path = path.replace("{code}", "population");
        let path = path.replace("{month}", &self.month);
        let path = path.replace("{file}", &self.file);
        // Whose turn it is not.
        let path = if path == "/exchange/connections" { path + "?tab=others" } else { path };
        let path = path.replace("{contact}", id);
        let path = path.replace("{outage}", &self.outage).replace("{examination}", &self.examination);
        let path = path.replace("{origin}", &self.origin).replace("{*file}", "checkpoint");
        if path.ends_with("/export") { path + "?as=csv" } else { path }
    }

    fn body(&self, e: &Endpoint) -> String {
        match e.path.rsplit('/').next() {
            Some("refuse" | "suspend" | "revoke" | "return" | "produce") => {
                r#"{"reason": "Kiểm thử"}"#.to_owned()
            }
            _ if e.path.starts_with("/api/") => "{}".to_owned(),
            _ => "version=1".to_owned(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_answers_each_as_it_says() {
    on_both(async |s: &Site| {
        let things = Things::of(s).await;
        let successor = merged(s.k(), s.w.provider).await;
        let cast = s.app.cast("provider-officer", successor, s.w.neighbour).await;
        let (path, body) = (|e: &Endpoint| things.path(e), |e: &Endpoint| things.body(e));
        let ground = Ground { path: &path, body: &body, marks: MARKS };
        let faults = s.app.unlike("exchange", &cast, &for_officers(), &ground).await;
        assert!(faults.is_empty(), "{faults:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn integrators_find_their_own_systems_and_nobody_else_s() {
    on_both(async |s: &Site| {
        let things = Things::of(s).await;
        let successor = merged(s.k(), s.w.provider).await;
        let cast = s.app.cast("integrator", successor, s.w.neighbour).await;
        let (path, body) = (|e: &Endpoint| things.path(e), |e: &Endpoint| things.body(e));
        let ground = Ground { path: &path, body: &body, marks: MARKS };
        let faults = s.app.unlike("exchange", &cast, &for_integrators(), &ground).await;
        assert!(faults.is_empty(), "{faults:#?}");
    })
    .await;
}

/// The same for systems: one that takes part in nothing, one that is no longer registered, the provider's own. Pages and
/// decisions are for people.
fn for_systems() -> Vec<Line> {
    let line = |(name, expected): &Line| match name.starts_with("GET /api/") || *expected == OPEN {
        true => (*name, *expected),
        false => (*name, [SignIn, Denied, Denied, Denied]),
    };
    for_officers().iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn systems_see_what_they_take_part_in_and_decide_nothing() {
    on_both(async |s: &Site| {
        let k = s.k();
        let mut file = sample();
        let other = file.subsystems[&"GOV/H38/motcua".parse().unwrap()].clone();
        file.subsystems.insert("GOV/H38/khac".parse().unwrap(), other);
        exchange::actions::import_registry(k, &operator(k), &file).await.unwrap();
        let things = Things::of(s).await;
        let cast = Cast {
            stranger: s.app.stranger(),
            neighbour: s.app.log_in_as_system("VN/GOV/H38/khac"),
            former: s.app.log_in_as_system("VN/GOV/H38/cu"),
            successor: s.app.log_in_as_system(PROVIDER),
        };
        let (path, body) = (|e: &Endpoint| things.path(e), |e: &Endpoint| things.body(e));
        let ground = Ground { path: &path, body: &body, marks: MARKS };
        let faults = s.app.unlike("exchange", &cast, &for_systems(), &ground).await;
        assert!(faults.is_empty(), "{faults:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_nobody_has_judged_is_a_fault() {
    let s = Site::new("sqlite").await;
    let cast = s.app.cast("provider-officer", s.w.provider, s.w.neighbour).await;
    let (path, body) = (|e: &Endpoint| e.path.to_owned(), |_: &Endpoint| String::new());
    let ground = Ground { path: &path, body: &body, marks: &[] };
    let without: Vec<Line> = for_officers()[1..].to_vec();
    let faults = s.app.unlike("exchange", &cast, &without, &ground).await;
    assert!(faults.iter().any(|f| f.starts_with("GET /exchange: nobody has said")), "{faults:#?}");
    let invented = [("GET /exchange/khong-co", LISTED)];
    let faults = s.app.unlike("exchange", &cast, &invented, &ground).await;
    assert!(faults.iter().any(|f| f.contains("no such endpoint")), "{faults:#?}");
    s.close().await;
}
