//! The token issuer and the clients it serves, on every backend.

use std::collections::BTreeSet;
use std::time::Duration;

use base::i18n::Lang;
use kernel::identity::Secret;
use kernel::identity::clients::{self, ClientId, NewClient, Proof};
use kernel::keys::Keys;
use kernel::tokens::oauth::{self, Code};
use kernel::tokens::{Door, Issued, Revocation, Revoked, Settings, TokenError, TokenIssuer};
use kernel::{Cx, Kernel, Parts};
use serde_json::json;
use testkit::on_both;

fn issuer() -> TokenIssuer {
    TokenIssuer::new(Settings { issuer: "https://lt.example/".into(), ..Settings::default() })
}

fn scopes() -> BTreeSet<String> {
    ["exchange".to_owned()].into()
}

fn issue(issuer: &TokenIssuer, k: &Kernel, client: &str) -> Issued {
    issuer.issue(k, client, "VN/GOV/38-UBND/one-stop", &scopes(), None).unwrap()
}

async fn revoke(issuer: &TokenIssuer, k: &Kernel, what: Revoked) -> Revocation {
    let revocation = Revocation { what, at: k.clock.now() };
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    issuer.revoke(&mut tx, &revocation).await.unwrap();
    tx.commit().await.unwrap();
    revocation
}

fn header(token: &str) -> serde_json::Value {
    use base64::Engine;
    let part = token.split('.').next().unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_is_issued_verified_and_its_key_published() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let issuer = issuer();
        assert!(issuer.issue(k, "c", "a/b/c/d", &scopes(), None).is_err(), "no keys before the start");
        issuer.start(k).await.unwrap();
        let issued = issue(&issuer, k, "one-stop");
        let claims = issuer.verify(&issued.token, k.clock.now()).unwrap();
        assert_eq!((claims.iss.as_str(), claims.client_id.as_str()), ("https://lt.example", "one-stop"));
        assert_eq!(claims.subsystem, "VN/GOV/38-UBND/one-stop");
        assert_eq!(claims.exp - claims.iat, 1_800);
        let jwks = issuer.jwks();
        let kids: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|k| k["kid"].clone()).collect();
        assert_eq!(kids.len(), 2, "the signing key and the next one");
        let head = header(&issued.token);
        assert!(kids.contains(&head["kid"]));
        assert_eq!((&head["alg"], &head["typ"]), (&json!("ES256"), &json!("at+jwt")));
        assert!(jwks.to_string().find("\"d\"").is_none(), "no private number is published");
        t.clock.advance(Duration::from_secs(1_801));
        assert_eq!(issuer.verify(&issued.token, k.clock.now()).unwrap_err(), TokenError::Expired);
    })
    .await;
}

#[tokio::test]
async fn a_client_s_end_bounds_its_tokens() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let issuer = issuer();
        issuer.start(k).await.unwrap();
        let until = k.clock.now().plus(Duration::from_secs(300));
        let issued = issuer.issue(k, "c", "a/b/c/d", &scopes(), Some(until)).unwrap();
        assert_eq!(issued.claims.exp, until.seconds());
    })
    .await;
}

#[tokio::test]
async fn a_revoked_client_is_refused_here_at_once_and_elsewhere_within_a_second() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let (here, elsewhere) = (issuer(), issuer());
        here.start(k).await.unwrap();
        elsewhere.start(k).await.unwrap();
        let issued = issue(&here, k, "one-stop");
        let other = issue(&here, k, "other");
        // Seen before, so that the cache of verified tokens is in play.
        elsewhere.verify(&issued.token, k.clock.now()).unwrap();
        let revocation = revoke(&here, k, Revoked::Client("one-stop".into())).await;
        here.learn([revocation], k.clock.now());
        assert_eq!(here.verify(&issued.token, k.clock.now()).unwrap_err(), TokenError::Revoked);
        tokio::time::sleep(Duration::from_millis(950)).await;
        assert_eq!(elsewhere.verify(&issued.token, k.clock.now()).unwrap_err(), TokenError::Revoked);
        elsewhere.verify(&other.token, k.clock.now()).expect("other clients go on");
        let anew = issue(&here, k, "one-stop");
        here.verify(&anew.token, k.clock.now())
            .expect("a token issued after the rotation of a secret serves");
        elsewhere.verify(&anew.token, k.clock.now()).expect("also elsewhere");
    })
    .await;
}

#[tokio::test]
async fn one_token_can_be_revoked_and_a_restart_does_not_forget_it() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let before = issuer();
        before.start(k).await.unwrap();
        let (bad, good) = (issue(&before, k, "one-stop"), issue(&before, k, "one-stop"));
        revoke(&before, k, Revoked::Token(bad.claims.jti.clone())).await;
        let after = issuer();
        after.start(k).await.unwrap();
        assert_eq!(after.verify(&bad.token, k.clock.now()).unwrap_err(), TokenError::Revoked);
        after.verify(&good.token, k.clock.now()).unwrap();
    })
    .await;
}

#[tokio::test]
async fn keys_rotate_without_breaking_living_tokens() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let issuer = issuer();
        issuer.start(k).await.unwrap();
        let old = issue(&issuer, k, "one-stop");
        issuer.rotate_now(k).await.unwrap();
        let new = issue(&issuer, k, "one-stop");
        assert_ne!(header(&old.token)["kid"], header(&new.token)["kid"]);
        issuer.verify(&old.token, k.clock.now()).expect("the retired key is still published");
        issuer.verify(&new.token, k.clock.now()).unwrap();
        assert_eq!(issuer.jwks()["keys"].as_array().unwrap().len(), 3);
        t.clock.advance(Duration::from_secs(3 * 3_600));
        issuer.rotate_now(k).await.unwrap();
        let kids = issuer.jwks().to_string();
        assert!(
            !kids.contains(header(&old.token)["kid"].as_str().unwrap()),
            "dropped when its tokens have ended"
        );
        let rows = k.db.query("SELECT sealed FROM tokens_key", vec![]).await.unwrap();
        for row in rows {
            let sealed = row.blob("sealed").unwrap();
            assert!(
                !sealed.windows(7).any(|w| w == [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]),
                "sealed at rest"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn two_processes_that_start_together_agree_on_one_signing_key() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let all: Vec<TokenIssuer> = (0..4).map(|_| issuer()).collect();
        let started = futures(all.iter().map(|i| i.start(k))).await;
        assert!(started.iter().all(Result::is_ok), "{started:?}");
        let row = k.db.query_one("SELECT COUNT(*) AS n FROM tokens_key", vec![]).await.unwrap();
        assert_eq!(row.int("n").unwrap(), 2);
        let issued = issue(&all[0], k, "one-stop");
        for other in &all {
            other.verify(&issued.token, k.clock.now()).unwrap();
        }
    })
    .await;
}

async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    futures_util::future::join_all(all).await
}

#[tokio::test]
async fn keys_sealed_under_another_master_key_are_not_silently_replaced() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        issuer().start(k).await.unwrap();
        let stranger = Kernel::new(Parts {
            db: k.db.clone(),
            clock: k.clock.clone(),
            random: k.random.clone(),
            keys: Keys::from_bytes([7; 32]).into(),
            config: k.config.clone(),
            data_dir: k.data_dir.clone(),
        });
        let refused = issuer().start(&stranger).await.unwrap_err();
        assert!(refused.chain().contains("master key"), "{}", refused.chain());
    })
    .await;
}

async fn client(k: &Kernel, wire: &str, until: Option<Duration>) -> (ClientId, Secret) {
    let (id, secret) = (ClientId::new(&*k.clock, &*k.random), clients::new_secret(&*k.random));
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let new = NewClient {
        id,
        client_id: wire,
        name: "Cổng một cửa",
        subsystem: "VN/GOV/38-UBND/one-stop",
        scopes: &scopes(),
        secret: &secret,
        expires_at: until.map(|u| k.clock.now().plus(u)),
    };
    assert!(clients::add(&mut tx, k, &new).await.unwrap());
    assert!(
        !clients::add(&mut tx, k, &NewClient { id: ClientId::new(&*k.clock, &*k.random), ..new })
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    (id, secret)
}

async fn proven(k: &Kernel, wire: &str, secret: &str) -> bool {
    matches!(clients::prove(k, wire, &Secret::new(secret)).await.unwrap(), Proof::Proven(..))
}

#[tokio::test]
async fn a_client_proves_itself_by_its_secret_alone() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let (_, secret) = client(k, "one-stop", None).await;
        let (_, other) = client(k, "other-system", Some(Duration::from_secs(60))).await;
        assert!(proven(k, "one-stop", secret.expose()).await);
        assert!(!proven(k, "one-stop", other.expose()).await, "another client's secret");
        assert!(!proven(k, "one-stop", "").await);
        assert!(!proven(k, "one-stop", &"x".repeat(100_000)).await);
        assert!(!proven(k, "nobody-here", secret.expose()).await);
        assert!(!proven(k, "One-Stop", secret.expose()).await, "one spelling");
        assert!(proven(k, "other-system", other.expose()).await);
        t.clock.advance(Duration::from_secs(61));
        assert!(!proven(k, "other-system", other.expose()).await, "expired");
        let row =
            k.db.query_one("SELECT secret_mac FROM identity_client WHERE client_id = 'one-stop'", vec![]);
        let mac = row.await.unwrap().blob("secret_mac").unwrap();
        assert_eq!(mac.len(), 32, "only a digest is kept");
    })
    .await;
}

#[tokio::test]
async fn a_new_secret_replaces_the_old_one_at_once_or_after_an_overlap() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let (id, first) = client(k, "one-stop", None).await;
        let second = clients::new_secret(&*k.random);
        let until = k.clock.now().plus(Duration::from_secs(3_600));
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        clients::set_secret(&mut tx, k, id, &second, Some(until)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(proven(k, "one-stop", first.expose()).await && proven(k, "one-stop", second.expose()).await);
        t.clock.advance(Duration::from_secs(3_601));
        assert!(!proven(k, "one-stop", first.expose()).await && proven(k, "one-stop", second.expose()).await);
        let third = clients::new_secret(&*k.random);
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        clients::set_secret(&mut tx, k, id, &third, None).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!proven(k, "one-stop", second.expose()).await && proven(k, "one-stop", third.expose()).await);
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        clients::revoke(&mut tx, id, k.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!proven(k, "one-stop", third.expose()).await);
    })
    .await;
}

#[tokio::test]
async fn the_token_endpoint_answers_in_the_rfc_s_terms_and_counts_failures() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let (issuer, door) = (issuer(), Door::default());
        issuer.start(k).await.unwrap();
        let (_, secret) = client(k, "one-stop", None).await;
        let cx = Cx::stranger("r-1", Lang::Vi, k.clock.now());
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        let ask = async |body: String| {
            let request = oauth::parse(&headers, body.as_bytes()).unwrap();
            door.grant(k, &issuer, &cx, &request, "192.0.2.7", None).await.unwrap()
        };
        let form = |secret: &str, more: &str| {
            format!("grant_type=client_credentials&client_id=one-stop&client_secret={secret}{more}")
        };
        let given = ask(form(secret.expose(), "")).await.unwrap();
        assert_eq!((given.token_type, given.scope.as_str(), given.expires_in), ("Bearer", "exchange", 1_800));
        issuer.verify(&given.access_token, k.clock.now()).unwrap();
        ask(form(secret.expose(), "&scope=exchange")).await.unwrap();
        assert_eq!(ask(form(secret.expose(), "&scope=admin")).await.unwrap_err().code, Code::InvalidScope);
        for _ in 0..5 {
            assert_eq!(ask(form("lts_wrong", "")).await.unwrap_err().code, Code::InvalidClient);
        }
        assert_eq!(refusals(k).await, [r#"{"count":1}"#], "one row a minute");
        t.clock.advance(Duration::from_secs(61));
        ask(form("lts_wrong", "")).await.unwrap_err();
        assert_eq!(
            refusals(k).await,
            [r#"{"count":1}"#, r#"{"count":5}"#],
            "the four unwritten ones and this"
        );
    })
    .await;
}

async fn refusals(k: &Kernel) -> Vec<String> {
    let sql = "SELECT detail FROM kernel_audit WHERE action = 'accounts.client.refused' ORDER BY seq";
    k.db.query(sql, vec![]).await.unwrap().iter().map(|r| r.text("detail").unwrap()).collect()
}
