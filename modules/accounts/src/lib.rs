//! Accounts: signing in, appointments, sessions, passwords, and the clients of information systems. Rules and
//! tables are the kernel's `identity` and `tokens`; here are the acts, the pages, the interface and the facts.

pub mod actions;
mod agencies;
mod api;
mod emergencies;
pub mod events;
mod mount;
mod pages;
pub mod permissions;
mod sessions;
mod wire;

/// The texts of `messages.toml`, one typed function each.
#[allow(missing_docs)]
pub mod t {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::i18n::Text;
use kernel::identity::Identity;
use kernel::identity::clients::ClientId;
use kernel::jobs::JobHandler;
use kernel::tokens::{Door, TokenIssuer};
use kernel::{
    AppointmentId, Card, Cx, EmergencyId, Finding, Kernel, Module, Permission, PersonId, Ref, Result,
};

/// The role that operates the platform.
pub const OPERATOR: &str = "operator";

/// Says nothing of whether the platform serves: readiness leaves it out.
pub const ADVISORY: &[&str] = &[emergencies::CHECK];

/// The module. Cheap to clone; one per process.
#[derive(Clone)]
pub struct Accounts {
    /// People and rights.
    pub identity: Identity,
    /// The token issuer, shared with whoever verifies tokens.
    pub issuer: TokenIssuer,
    door: Arc<Door>,
}

impl Accounts {
    /// From the configuration of `k`. The issuer is started by [`Module::start`].
    pub fn new(k: &Kernel, issuer: TokenIssuer) -> Result<Self> {
        Ok(Self { identity: Identity::new(k)?, issuer, door: Arc::default() })
    }

    /// The answer to "who is behind this cookie or bearer token" for the pages' door.
    pub fn sessions(&self) -> Arc<dyn web::Sessions> {
        Arc::new(sessions::BySession(self.clone()))
    }
}

#[async_trait]
impl Module for Accounts {
    fn name(&self) -> &'static str {
        "accounts"
    }

    fn permissions(&self) -> &'static [Permission] {
        permissions::ALL
    }

    async fn start(&self, k: &Kernel) -> Result<()> {
        self.issuer.start(k).await?;
        kernel::identity::certificates::ensure(k).await?;
        tokio::spawn(tidy(k.clone()));
        Ok(())
    }

    async fn describe(&self, k: &Kernel, of: &Ref, cx: &Cx) -> Result<Option<Card>> {
        describe(k, of, cx).await
    }

    async fn diagnose(&self, k: &Kernel) -> Vec<Finding> {
        vec![self.operators(k).await, self.keys(), emergencies::check(k).await]
    }

    fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        vec![Arc::new(emergencies::Ender(self.clone()))]
    }
}

impl web::Pages for Accounts {
    fn routes(&self) -> web::Routes {
        pages::routes(self).merge(api::routes(self)).merge(wire::routes(self))
    }

    fn nav(&self) -> Vec<web::Nav> {
        pages::nav()
    }

    fn openapi(&self) -> Option<utoipa::openapi::OpenApi> {
        Some(api::document())
    }
}

impl Accounts {
    async fn operators(&self, k: &Kernel) -> Finding {
        let found = async {
            let now = k.clock.now();
            let mut tx = k.begin(&Cx::kernel("diagnostics", now)).await?;
            kernel::identity::people::anybody_holds(&mut tx, OPERATOR, now).await
        };
        let (ok, text) = match found.await {
            Ok(true) => (true, Text::both(t::check_operator_there)),
            Ok(false) => (false, Text::both(t::check_operator_missing)),
            Err(e) => (false, Text::both(|l| t::check_failed(l, e.to_string()))),
        };
        Finding { check: "accounts.operator", title: Text::both(t::check_operator), ok, text }
    }

    fn keys(&self) -> Finding {
        let count = self.issuer.jwks()["keys"].as_array().map_or(0, Vec::len);
        let text = match count {
            0 => Text::both(t::check_keys_missing),
            n => Text::both(|l| t::check_keys_there(l, i64::try_from(n).unwrap_or(i64::MAX))),
        };
        Finding { check: "accounts.signing_keys", title: Text::both(t::check_keys), ok: count > 0, text }
    }
}

/// Cards of people and clients for readers who may see them. A card of a person carries the name and no more.
async fn describe(k: &Kernel, of: &Ref, cx: &Cx) -> Result<Option<Card>> {
    let hidden = |e: kernel::Error| match e {
        kernel::Error::NotFound { .. } | kernel::Error::Denied { .. } | kernel::Error::SignIn => Ok(None),
        e => Err(e),
    };
    let card = match of.kind.as_str() {
        PersonId::KIND => official_card(k, of, cx).await,
        AppointmentId::KIND => appointment_card(k, of, cx).await,
        ClientId::KIND => client_card(k, of, cx).await,
        EmergencyId::KIND => emergency_card(k, of, cx).await,
        _ => return Ok(None),
    };
    card.map(Some).or_else(hidden)
}

async fn official_card(k: &Kernel, of: &Ref, cx: &Cx) -> Result<Card> {
    let id: PersonId = of.id.parse()?;
    let official = actions::officials::get(k, cx, id).await?;
    let posts: Vec<&str> = official.appointments.iter().map(|a| a.post.as_str()).collect();
    Ok(Card { title: official.person.full_name, text: posts.join(", "), href: pages::official_path(id) })
}

async fn appointment_card(k: &Kernel, of: &Ref, cx: &Cx) -> Result<Card> {
    let id: AppointmentId = of.id.parse()?;
    let post = kernel::identity::posts::get(&k.db, id).await?;
    let official = actions::officials::get(k, cx, post.person).await?;
    Ok(Card { title: post.post, text: official.person.full_name, href: pages::official_path(post.person) })
}

async fn client_card(k: &Kernel, of: &Ref, cx: &Cx) -> Result<Card> {
    let id: ClientId = of.id.parse()?;
    let client = actions::clients::get(k, cx, id).await?;
    Ok(Card { title: client.name, text: client.subsystem, href: pages::client_path(id) })
}

async fn emergency_card(k: &Kernel, of: &Ref, cx: &Cx) -> Result<Card> {
    let id: EmergencyId = of.id.parse()?;
    // Who may know of it is asked here as on its page.
    let e = match cx.actor {
        kernel::Actor::Kernel { .. } => kernel::identity::emergencies::get(&k.db, id).await?,
        _ => actions::emergency::get(k, cx, id).await?,
    };
    let who = kernel::identity::people::get(&k.db, e.person).await?;
    Ok(Card { title: e.right, text: who.full_name, href: pages::emergency_path(id) })
}

/// Deletes what ended long ago, once an hour.
async fn tidy(k: Kernel) {
    let mut stop = k.stopping();
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(3_600)) => {}
            _ = stop.changed() => return,
        }
        let tidied = async {
            kernel::identity::sessions::prune(&k).await?;
            kernel::identity::links::prune(&k).await
        };
        if let Err(e) = tidied.await {
            tracing::warn!(error = e.chain(), "ended sessions and links could not be deleted");
        }
    }
}
