//! What each endpoint answers to whom. Messages, rota and templates belong to the whole province, so the same rights over
//! one agency open nothing; how one is reached is everybody's own.

use kernel::orgs::{AgencyKind, NewAgency};
use kernel::{Cx, Reach, params};
use notices::permissions;
use testkit::Expect::{Acts, Denied, Empty, Hidden, Shown, SignIn};
use testkit::{Cast, Expect, Ground, Line};
use web::Endpoint;

use crate::{Desk, FIRST};

const SEEN: [Expect; 4] = [SignIn, Denied, Denied, Shown];
const ACTION: [Expect; 4] = [SignIn, Denied, Denied, Acts];
/// Rota and templates name nothing of the message by which answers are recognised.
const DESK: [Expect; 4] = [SignIn, Denied, Denied, Empty];
const OWN: [Expect; 4] = [SignIn, Empty, Empty, Empty];
const OWN_ACTION: [Expect; 4] = [SignIn, Acts, Acts, Acts];
/// Somebody else's.
const OTHERS: [Expect; 4] = [SignIn, Hidden, Hidden, Hidden];

const ENDPOINTS: &[Line] = &[
    ("GET /notices", SEEN),
    ("POST /notices/retry-dead", ACTION),
    ("GET /notices/messages/{message}", SEEN),
    ("POST /notices/messages/{message}/retry", ACTION),
    ("GET /notices/duty", DESK),
    ("POST /notices/duty", ACTION),
    ("POST /notices/duty/copy", ACTION),
    ("POST /notices/duty/{shift}/remove", ACTION),
    ("GET /notices/templates", DESK),
    ("GET /notices/templates/{template}", DESK),
    ("POST /notices/templates/{template}", ACTION),
    ("POST /notices/templates/{template}/reset", ACTION),
    ("GET /notices/mine", OWN),
    ("POST /notices/mine", OWN_ACTION),
    ("POST /notices/mine/quiet", OWN_ACTION),
    ("POST /notices/mine/{way}/code", OTHERS),
    ("POST /notices/mine/{way}/confirm", OTHERS),
    ("POST /notices/mine/{way}/remove", OTHERS),
    ("GET /api/notices/v1/messages", SEEN),
    ("POST /api/notices/v1/messages", ACTION),
    ("GET /api/notices/v1/messages/{message}", SEEN),
    ("POST /api/notices/v1/messages/{message}/retry", ACTION),
    // Proved by the gateway's secret; nobody signs in for it.
    ("POST /api/notices/v1/reports/{channel}", [Denied, Denied, Denied, Denied]),
];

const MARKS: &[&str] = &["Hệ thống mẫu a không trả lời"];

async fn id(d: &Desk, table: &str) -> String {
    let sql = format!("SELECT id FROM {table} ORDER BY id DESC LIMIT 1");
    d.k().db.query_one(&sql, params![]).await.unwrap().text("id").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_answers_each_as_it_says() {
    for backend in testkit::backends() {
        let d = Desk::new(backend).await;
        d.raise("a", kernel::alerts::Severity::Critical).await;
        d.mails(FIRST, 1).await;
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'sent'", 1).await;
        let k = d.k();
        let new = NewAgency {
            kind: AgencyKind::Department,
            full_name: "Sở Thử nghiệm".into(),
            code: Some("H99.01".into()),
            parent: None,
            act: None,
        };
        let today = k.clock.now().date();
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        let agency = tx.create_agency(&new, today.plus_days(-60).unwrap()).await.unwrap();
        tx.commit().await.unwrap();
        let ended = (today.plus_days(-30).unwrap(), today.plus_days(-1));
        let cast = Cast {
            stranger: d.app.stranger(),
            neighbour: d.app.log_in_as(permissions::ALL, &Reach::Agencies([agency].into())),
            former: d.app.appointed("operator", agency, ended.0, ended.1).await,
            successor: d.app.appointed("operator", agency, ended.0, None).await,
        };
        let (message, shift) = (id(&d, "notices_message").await, id(&d, "notices_shift").await);
        let way = id(&d, "notices_way").await;
        let path = |e: &Endpoint| {
            let path =
                e.path.replace("{message}", &message).replace("{shift}", &shift).replace("{way}", &way);
            path.replace("{template}", "plain").replace("{channel}", "sms")
        };
        let body = |e: &Endpoint| match e.path {
            "/api/notices/v1/messages" => r#"{"role": "nobody", "subject": "x", "text": "x"}"#.to_owned(),
            path if path.starts_with("/api/") => "{}".to_owned(),
            _ => "x=1".to_owned(),
        };
        let ground = Ground { path: &path, body: &body, marks: MARKS };
        let faults = d.app.unlike("notices", &cast, ENDPOINTS, &ground).await;
        assert!(faults.is_empty(), "{faults:#?}");
        let open = d.app.wrongly_open().await;
        assert!(open.is_empty(), "{open:#?}");
        let reader = d.app.log_in_as(&[permissions::READ], &Reach::Province);
        let page = reader.get("/notices/duty").await.text();
        assert!(
            !page.contains("/remove") && !page.contains("Thêm ca trực"),
            "nothing is offered that is refused"
        );
        d.app.t.close().await;
    }
}
