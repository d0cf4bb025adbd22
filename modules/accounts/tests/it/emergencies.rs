//! Rights for a few hours: asked by one person, granted by another, in force at once, ended by themselves, marked and
//! reviewed. With real people who sign in, on every backend, with the clock moved.

use std::sync::Arc;
use std::time::Duration;

use accounts::actions::officials::{self, NewAppointment};
use http::StatusCode;
use kernel::identity::Holding;
use kernel::{Cx, EmergencyId, Module};

use crate::place::{Browser, Place, on_both};

const REASON: &str = "Người quản trị duy nhất nghỉ ốm, trục đang hỏng";
const ALL: &str = "/api/accounts/v1/emergencies";

/// Asks for the operator's rights for an hour; the path of the request.
async fn asked(by: &mut Browser) -> String {
    let fields = [("right", "operator"), ("agency", ""), ("minutes", "60"), ("reason", REASON)];
    let answer = by.post("/accounts/emergencies", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    answer.header("location").to_owned()
}

/// Whether somebody may see the clients of systems, which only the operator may.
async fn is_operator(who: &mut Browser) -> bool {
    match who.get("/accounts/clients").await.status {
        StatusCode::OK => true,
        StatusCode::FORBIDDEN => false,
        other => panic!("{other}"),
    }
}

async fn count(p: &Place, sql: &str) -> i64 {
    p.k().db.query_one(sql, vec![]).await.unwrap().int("n").unwrap()
}

async fn check(p: &Place) -> (bool, String) {
    let found = p.accounts.diagnose(p.k()).await.into_iter().find(|f| f.check == "accounts.emergency");
    let found = found.unwrap();
    (found.ok, found.text.vi)
}

#[tokio::test]
async fn a_granted_right_is_in_force_at_once_marked_ends_by_itself_and_is_reviewed() {
    on_both(async |p| {
        let unit = p.agency("Sở Tài chính").await;
        p.person("an.nv", Some(unit), "unit-admin").await;
        p.person("duyet.tt", None, "emergency-grantor").await;
        p.person("kiem.tra", None, "auditor").await;
        let mut asker = p.signed_in("an.nv").await;
        let mut grantor = p.signed_in("duyet.tt").await;
        let mut auditor = p.signed_in("kiem.tra").await;
        assert!(!is_operator(&mut asker).await);
        let path = asked(&mut asker).await;
        assert!(!is_operator(&mut asker).await, "asking gives nothing");
        let page = grantor.get(&path).await.text();
        assert!(page.contains(REASON) && page.contains("Duyệt, cho có hiệu lực ngay"), "{page}");
        let granted = grantor.post(&format!("{path}/grant"), &[("words", "Đồng ý")]).await;
        assert_eq!(granted.status, StatusCode::SEE_OTHER, "{}", granted.text());
        assert!(is_operator(&mut asker).await, "in force at once");
        assert_eq!(
            asker.get("/accounts/officials/new").await.status,
            StatusCode::FORBIDDEN,
            "nothing that lasts"
        );
        assert_eq!(count(p, "SELECT COUNT(*) AS n FROM kernel_alert WHERE cleared_at IS NULL").await, 1);

        // Whatever is done meanwhile is marked, in the row and in what is sealed of it.
        let id: EmergencyId = path.rsplit('/').next().unwrap().parse().unwrap();
        let cx = under(p, "an.nv").await;
        assert_eq!(cx.emergency(), Some(id));
        let mut tx = p.k().begin(&cx).await.unwrap();
        tx.set_setting("test", "1").await.unwrap();
        tx.audit("test.done", &id.to_ref(), serde_json::json!({"a": 1})).await.unwrap();
        tx.commit().await.unwrap();
        let done = kernel::audit::under(&p.k().db, id, 10).await.unwrap();
        let [row] = &done[..] else { panic!("{done:?}") };
        assert_eq!(
            (row.action.as_str(), row.detail["emergency"].as_str()),
            ("test.done", Some(&*id.to_string()))
        );
        assert!(auditor.get(&path).await.text().contains("test.done"), "the reviewer sees it");
        let early = [("justified", "yes"), ("words", "Đã xem hết nhật ký")];
        assert_eq!(auditor.post(&format!("{path}/review"), &early).await.status, StatusCode::CONFLICT);

        p.t.clock.advance(Duration::from_secs(1_800));
        assert!(is_operator(&mut asker).await);
        p.t.clock.advance(Duration::from_secs(1_800));
        // An hour without a request ends a session; the post is what counts here.
        let mut asker = p.signed_in("an.nv").await;
        assert!(!is_operator(&mut asker).await, "the end needs nobody");
        assert_eq!(under(p, "an.nv").await.emergency(), None);
        assert_eq!(
            check(p).await,
            (true, "0 quyền đang có hiệu lực, 1 quyền chờ rà soát trong hạn.".to_owned())
        );
        p.t.clock.advance(Duration::from_secs(3 * 86_400));
        let (ok, text) = check(p).await;
        assert!(!ok && text.starts_with("1 quyền khẩn cấp quá hạn rà soát"), "{text}");
        let mut auditor = p.signed_in("kiem.tra").await;
        let mut grantor = p.signed_in("duyet.tt").await;
        let review = format!("{path}/review");
        let short = [("justified", "yes"), ("words", "ok")];
        assert_eq!(auditor.post(&review, &short).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            grantor.post(&review, &early).await.status,
            StatusCode::FORBIDDEN,
            "who granted does not review"
        );
        assert_eq!(auditor.post(&review, &early).await.status, StatusCode::SEE_OTHER);
        assert_eq!(auditor.post(&review, &early).await.status, StatusCode::CONFLICT, "once");
        assert!(check(p).await.0);
        for step in ["asked", "granted", "reviewed"] {
            assert_eq!(p.audited(&format!("accounts.emergency.{step}")).await.len(), 1, "{step}");
        }
        let notices = "SELECT COUNT(*) AS n FROM kernel_notice WHERE template = 'emergency'";
        assert_eq!(count(p, notices).await, 3);
        // The job of the end comes late, as after a stop of the machine: the alert ends and people are told, once.
        p.k().run(&[Arc::new(p.accounts.clone()) as Arc<dyn Module>]);
        let open = "SELECT COUNT(*) AS n FROM kernel_alert WHERE cleared_at IS NULL";
        for _ in 0..1_000 {
            if count(p, open).await == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!((count(p, open).await, count(p, notices).await), (0, 4));
    })
    .await;
}

/// What the person may do now, as the door would find it.
async fn under(p: &Place, username: &str) -> Cx {
    let found = kernel::identity::people::credentials(&p.k().db, username).await.unwrap().unwrap();
    let post = kernel::identity::posts::of_person(&p.k().db, found.person).await.unwrap().remove(0);
    let at = p.k().clock.now();
    let mut cx = Cx::kernel("test", at);
    cx.actor = kernel::Actor::Official { person: found.person, appointment: Some(post.id) };
    cx.grants = p.accounts.identity.grants_now(p.k(), &post).await.unwrap().into();
    cx
}

async fn appoint(p: &Place, by: &Cx, person: kernel::PersonId, post: &str, role: &str, holding: Holding) {
    let until = (holding == Holding::Deputy).then(|| p.k().clock.now().date().plus_days(9).unwrap());
    let new = NewAppointment { post: post.into(), holding, until, ..p.appointment(None, role) };
    officials::appoint(&p.accounts, p.k(), by, person, &new).await.unwrap();
}

/// Chooses the post of a name for the session.
async fn act_as(p: &Place, who: &mut Browser, person: kernel::PersonId, post: &str) {
    let all = kernel::identity::posts::of_person(&p.k().db, person).await.unwrap();
    let post = all.iter().find(|a| a.post == post).unwrap();
    let answer = who.post("/account/appointment", &[("appointment", &post.id.to_string())]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}

#[tokio::test]
async fn one_person_never_asks_and_grants_not_through_two_posts_nor_a_delegation() {
    on_both(async |p| {
        // An operator may ask and may grant: both in one post, and in a second one.
        let (mut asker, person) = p.operator().await;
        appoint(p, &p.cx(), person, "Phó Giám đốc", "emergency-grantor", Holding::Substantive).await;
        let path = asked(&mut asker).await;
        let grant = format!("{path}/grant");
        let refused = asker.post(&grant, &[("words", "")]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "the same post");
        act_as(p, &mut asker, person, "Phó Giám đốc").await;
        let refused = asker.post(&grant, &[("words", "")]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "another post of the same person");
        assert!(refused.text().contains("không được tự duyệt"), "{}", refused.text());

        // Somebody who stands in for the one who asked, in that person's post.
        let (deputy, _) = p.person("thay.mat", None, "auditor").await;
        appoint(p, &p.cx(), deputy, "Chuyên viên", "emergency-grantor", Holding::Deputy).await;
        let mut stands_in = p.signed_in("thay.mat").await;
        let all = kernel::identity::posts::of_person(&p.k().db, deputy).await.unwrap();
        let post = all.iter().find(|a| a.holding == Holding::Deputy).unwrap().id.to_string();
        stands_in.post("/account/appointment", &[("appointment", &post)]).await;
        let refused = stands_in.post(&grant, &[("words", "")]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(refused.text().contains("thay mặt chính người đề nghị"), "{}", refused.text());

        // Somebody whom the one who asked has appointed.
        let (puppet, _) = p.person("quan.roi", None, "auditor").await;
        let operator = under(p, "operator1").await;
        let posts = kernel::identity::posts::of_person(&p.k().db, person).await.unwrap();
        let operator = Cx { grants: own_rights(p, &posts).await, ..operator };
        appoint(p, &operator, puppet, "Người duyệt", "emergency-grantor", Holding::Substantive).await;
        let mut puppeteered = p.signed_in("quan.roi").await;
        act_as(p, &mut puppeteered, puppet, "Người duyệt").await;
        let refused = puppeteered.post(&grant, &[("words", "")]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(refused.text().contains("do chính người đề nghị giao"), "{}", refused.text());

        assert_eq!(p.audited("accounts.emergency.granted").await.len(), 0);
        // A different person, in a post of their own.
        p.person("doc.lap", None, "emergency-grantor").await;
        let mut second = p.signed_in("doc.lap").await;
        assert_eq!(second.post(&grant, &[("words", "")]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(second.post(&grant, &[("words", "")]).await.status, StatusCode::CONFLICT, "once");
    })
    .await;
}

/// What the operator's own post permits.
async fn own_rights(p: &Place, posts: &[kernel::identity::Appointment]) -> std::sync::Arc<kernel::Grants> {
    let operator = posts.iter().find(|a| a.roles.iter().any(|r| r == accounts::OPERATOR)).unwrap();
    p.accounts.identity.grants(p.k(), operator).await.unwrap().into()
}

#[tokio::test]
async fn it_can_be_refused_withdrawn_ended_early_and_lapses_unanswered() {
    on_both(async |p| {
        let unit = p.agency("Sở Tài chính").await;
        let (person, _) = p.person("an.nv", Some(unit), "unit-admin").await;
        p.person("duyet.tt", None, "emergency-grantor").await;
        let mut asker = p.signed_in("an.nv").await;
        let mut grantor = p.signed_in("duyet.tt").await;
        let path = asked(&mut asker).await;
        let twice = [("right", "operator"), ("agency", ""), ("minutes", "60"), ("reason", REASON)];
        assert_eq!(
            asker.post("/accounts/emergencies", &twice).await.status,
            StatusCode::CONFLICT,
            "one at a time"
        );
        for (field, value) in [("minutes", "241"), ("minutes", "x"), ("reason", "gấp"), ("right", "khong-co")]
        {
            let mut bad = twice;
            bad.iter_mut().filter(|(name, _)| *name == field).for_each(|pair| pair.1 = value);
            let answer = asker.post("/accounts/emergencies", &bad).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}={value}");
        }
        assert_eq!(
            grantor.post(&format!("{path}/refuse"), &[("words", "Chưa cần")]).await.status,
            StatusCode::SEE_OTHER
        );
        assert_eq!(
            grantor.post(&format!("{path}/grant"), &[("words", "")]).await.status,
            StatusCode::CONFLICT
        );
        let path = asked(&mut asker).await;
        assert_eq!(grantor.post(&format!("{path}/withdraw"), &[]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(asker.post(&format!("{path}/withdraw"), &[]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(
            grantor.post(&format!("{path}/grant"), &[("words", "")]).await.status,
            StatusCode::CONFLICT
        );

        let path = asked(&mut asker).await;
        assert_eq!(
            grantor.post(&format!("{path}/grant"), &[("words", "")]).await.status,
            StatusCode::SEE_OTHER
        );
        assert!(is_operator(&mut asker).await);
        assert_eq!(grantor.post(&format!("{path}/end"), &[]).await.status, StatusCode::SEE_OTHER);
        assert!(!is_operator(&mut asker).await, "ended at once");
        assert_eq!(asker.post(&format!("{path}/end"), &[]).await.status, StatusCode::CONFLICT);
        let open = count(p, "SELECT COUNT(*) AS n FROM kernel_alert WHERE cleared_at IS NULL").await;
        assert_eq!(open, 0, "the alert ends with it");
        let told = asker.get(ALL).await.json();
        assert_eq!(told["items"][0]["state"], "over", "{told}");

        let path = asked(&mut asker).await;
        p.t.clock.advance(Duration::from_secs(86_400));
        let mut grantor = p.signed_in("duyet.tt").await;
        assert_eq!(
            grantor.post(&format!("{path}/grant"), &[("words", "")]).await.status,
            StatusCode::CONFLICT
        );
        let mut asker = p.signed_in("an.nv").await;
        let path = asked(&mut asker).await;
        // Locked meanwhile: nobody is there to act under it.
        officials::lock(&p.accounts, p.k(), &p.cx(), person).await.unwrap();
        assert_eq!(
            grantor.post(&format!("{path}/grant"), &[("words", "")]).await.status,
            StatusCode::CONFLICT
        );
    })
    .await;
}
