//! What is recorded: an audit row for every act, facts without people's details, no secret anywhere.

use accounts::actions::{clients, officials};
use http::StatusCode;
use kernel::params;

use crate::place::{PASSWORD, on_both};

#[tokio::test]
async fn failed_sign_ins_are_counted_and_what_was_typed_is_not_kept() {
    on_both(async |p| {
        p.person("binh.tt", None, "auditor").await;
        let mut b = p.browser();
        // People do type their password into the name field.
        b.sign_in("mật khẩu thật của tôi", "x").await;
        for _ in 0..8 {
            b.sign_in("binh.tt", "sai mật khẩu rồi").await;
        }
        let failed = p.audited("accounts.sign_in.failed").await;
        assert_eq!(
            failed.len(),
            6,
            "one for the unknown name, five for the account; the rest was turned away"
        );
        b.sign_in("nguoi.khac", "x").await;
        let failed = p.audited("accounts.sign_in.failed").await;
        assert_eq!(failed.last().unwrap()["turned_away_before"], 3);
        let all = dump(p, "kernel_audit").await;
        assert!(!all.contains("mật khẩu thật") && !all.contains("sai mật khẩu"));
    })
    .await;
}

#[tokio::test]
async fn facts_carry_identifiers_and_no_secret_is_stored_in_clear() {
    on_both(async |p| {
        let agency = p.agency("Sở Tư pháp tỉnh Mẫu").await;
        let (mut operator, _) = p.operator().await;
        let (id, post) = p.person("binh.tt", Some(agency), "provider-officer").await;
        let session = p.signed_in("binh.tt").await.cookie.unwrap();
        let link = officials::password_link(&p.accounts, p.k(), &p.cx(), id).await.unwrap();
        let new = clients::NewClient {
            name: "Một cửa".into(),
            subsystem: "VN/GOV/38/mot-cua".into(),
            ..clients::NewClient::default()
        };
        let made = clients::create(p.k(), &p.cx(), &new).await.unwrap();
        clients::revoke(&p.accounts, p.k(), &p.cx(), made.client.id, None).await.unwrap();
        let end = format!("/accounts/appointments/{post}/end");
        assert_eq!(operator.post(&end, &[("until", "")]).await.status, StatusCode::SEE_OTHER);

        let facts = dump(p, "kernel_journal").await;
        for kind in [
            "accounts.official.created",
            "accounts.appointment.made",
            "accounts.appointment.ended",
            "accounts.client.created",
            "accounts.client.revoked",
        ] {
            assert!(facts.contains(kind), "{kind}");
        }
        for detail in ["Nguyễn", "binh.tt", "Chuyên viên", "unknown\""] {
            assert!(!facts.contains(detail), "{detail} in the facts");
        }
        for table in [
            "kernel_journal",
            "kernel_audit",
            "identity_person",
            "identity_session",
            "identity_link",
            "identity_client",
        ] {
            let all = dump(p, table).await;
            for secret in [PASSWORD, &session, link.expose(), made.secret.expose()] {
                assert!(!all.contains(secret), "a secret in {table}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn every_act_leaves_a_row_with_its_actor() {
    on_both(async |p| {
        let (mut operator, id) = p.operator().await;
        let (person, _) = p.person("binh.tt", None, "auditor").await;
        operator
            .post(&format!("/accounts/officials/{person}/rename"), &[("full_name", "Trần Thị Bình")])
            .await;
        operator.post(&format!("/accounts/officials/{person}/lock"), &[]).await;
        operator.post(&format!("/accounts/officials/{person}/unlock"), &[]).await;
        operator.post(&format!("/accounts/officials/{person}/password-link"), &[]).await;
        let sql = "SELECT action, actor FROM kernel_audit WHERE subject_id = $1 ORDER BY seq";
        let rows = p.k().db.query(sql, params![person]).await.unwrap();
        let by_operator: Vec<String> = rows
            .iter()
            .filter(|r| r.text("actor").unwrap().starts_with(&format!("official:{id}/")))
            .map(|r| r.text("action").unwrap())
            .collect();
        assert_eq!(
            by_operator,
            [
                "accounts.official.renamed",
                "accounts.official.locked",
                "accounts.official.unlocked",
                "accounts.password.link_made",
            ]
        );
        let page = operator.get(&format!("/accounts/officials/{person}")).await.text();
        assert!(page.contains("Khóa tài khoản") && page.contains("Trần Thị Bình"), "and people can read it");
    })
    .await;
}

/// Every text of a table.
async fn dump(p: &crate::place::Place, table: &str) -> String {
    let rows = p.k().db.query(&format!("SELECT * FROM {table}"), vec![]).await.unwrap();
    rows.iter().map(|r| format!("{:?}\n", r.values())).collect()
}
