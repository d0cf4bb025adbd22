//! The front door: what this module mounts - tables, rights, listeners, background work, cards, checks.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use base::clock::SystemClock;
use base::i18n::Text;
use kernel::db::Migration;
use kernel::listeners::Listener;
use kernel::module::{Card, Finding, Module};
use kernel::tokens::TokenIssuer;
use kernel::{Cx, Error, Kernel, Permission, Ref, Result, Trial};
use utoipa::OpenApi;
use web::{Nav, Pages, Routes};

use crate::config::Settings;
use crate::corner::ending;
use crate::corner::tryout::Pace;
use crate::evidence::{self, EVIDENCE, FIELDS, MONITORING};
use crate::ids::{AgreementId, AnnouncementId, MemberId, ProposalId, ServiceId, SubsystemId};
use crate::listen::{Keeper, SnapshotListener};
use crate::plane::Plane;
use crate::store::lists;
use crate::traffic::TRAFFIC;
use crate::viewer::Viewer;
use crate::{
    announcement, api, conformance, diagnose, gateway, pages, permissions, plane, proposal, store, t,
};

/// The module.
#[derive(Clone)]
pub struct Exchange {
    keeper: Arc<Keeper>,
    issuer: Option<(TokenIssuer, String)>,
    plane: Arc<OnceLock<Plane>>,
    tries: Arc<Pace>,
    runs: Arc<diagnose::Runs>,
    examining: Arc<OnceLock<diagnose::Parts>>,
}

impl Exchange {
    /// A module with these settings; nothing runs before [`Module::start`].
    pub fn new(settings: Settings) -> Self {
        Self {
            keeper: Arc::new(Keeper::new(settings)),
            issuer: None,
            plane: Arc::default(),
            tries: Arc::default(),
            runs: Arc::default(),
            examining: Arc::default(),
        }
    }

    /// As [`Exchange::new`], with evidence and gateway: consumers prove themselves with tokens of `issuer`, logs are
    /// named after `platform`.
    pub fn connected(settings: Settings, issuer: TokenIssuer, platform: &str) -> Self {
        Self { issuer: Some((issuer, platform.to_owned())), ..Self::new(settings) }
    }

    /// The data plane, once started.
    pub fn plane(&self) -> Option<&Plane> {
        self.plane.get()
    }

    /// The token issuer, where the gateway runs.
    pub(crate) fn issuer(&self) -> Result<&TokenIssuer> {
        let issuer = self.issuer.as_ref().map(|(issuer, _)| issuer);
        issuer.ok_or(kernel::Error::Unavailable { what: "token issuer", source: None })
    }

    /// How often systems try calls.
    pub(crate) fn tries(&self) -> &Pace {
        &self.tries
    }

    /// Examinations of connections in progress.
    pub fn runs(&self) -> &Arc<diagnose::Runs> {
        &self.runs
    }

    /// What examinations need, once started.
    pub(crate) fn examining(&self) -> Result<&diagnose::Parts> {
        self.examining.get().ok_or(Error::Unavailable { what: "exchange", source: None })
    }

    /// The keeper of the snapshot in force.
    pub fn keeper(&self) -> &Arc<Keeper> {
        &self.keeper
    }
}

#[async_trait]
impl Module for Exchange {
    fn name(&self) -> &'static str {
        "exchange"
    }

    fn migrations(&self) -> &'static [Migration] {
        const ALL: &[Migration] = &[
            store::REGISTRY,
            EVIDENCE,
            store::LISTS,
            store::DOCUMENTS,
            MONITORING,
            store::ONCE,
            store::outages::OUTAGES,
            FIELDS,
            conformance::MIGRATION,
            store::ENVIRONMENTS,
            store::CONNECTIONS,
            store::diagnoses::DIAGNOSES,
            TRAFFIC,
            announcement::MIGRATION,
            store::TESTED,
            store::zones::ZONES,
            proposal::MIGRATION,
        ];
        ALL
    }

    fn permissions(&self) -> &'static [Permission] {
        permissions::ALL
    }

    fn listeners(&self) -> Vec<Arc<dyn Listener>> {
        vec![Arc::new(SnapshotListener(Arc::clone(&self.keeper)))]
    }

    async fn start(&self, k: &Kernel) -> Result<()> {
        self.keeper.load(k).await?;
        if let Err(e) = self.keeper.refresh(k).await {
            tracing::error!(error = e.chain(), "the registry cannot be read; serving from the copy on disk");
        } else if let Err(e) = store::documents::adopt(k).await {
            tracing::error!(
                error = e.chain(),
                "documents stay in their table; they are moved at the next start"
            );
        }
        self.keeper.settings().national.systems().map_err(|e| Error::internal(e.en))?;
        let examining = self.parts(k)?;
        let _ = self.examining.set(examining.clone());
        tokio::spawn(Arc::clone(&self.keeper).run(k.clone()));
        tokio::spawn(ending::run(k.clone(), self.keeper.current()));
        if let Some((issuer, platform)) = &self.issuer {
            let plane = Plane::open(k, platform, issuer, &self.keeper, examining).await?;
            let _ = self.plane.set(plane);
        }
        Ok(())
    }

    async fn stop(&self, _k: &Kernel) -> Result<()> {
        if let Some(plane) = self.plane.get() {
            plane.gateway.finish().await;
            plane.evidence.close().await;
        }
        Ok(())
    }

    fn backup_dirs(&self) -> &'static [&'static str] {
        &[evidence::LOGS]
    }

    async fn restored(&self, k: &Kernel) -> Result<()> {
        evidence::restored(&k.data_dir)
    }

    async fn trial(&self, k: &Kernel, most: u32) -> Result<Option<Trial>> {
        let (checked, faults) = evidence::AtRest::new(k).sample(most).await?;
        Ok(Some(Trial { what: Text::both(t::trial_evidence), checked, faults }))
    }

    async fn describe(&self, k: &Kernel, of: &Ref, cx: &Cx) -> Result<Option<Card>> {
        describe(k, of, cx).await
    }

    async fn diagnose(&self, k: &Kernel) -> Vec<Finding> {
        let mut found = vec![self.snapshot_age(k)];
        found.extend(self.evidence_lag());
        found
    }
}

impl Exchange {
    /// How connections are examined: as the gateway connects, on this machine's own clock.
    fn parts(&self, k: &Kernel) -> Result<diagnose::Parts> {
        let policy = plane::policy(&k.config)?;
        let roots = gateway::authorities(policy.provider_ca_file.as_deref()).map_err(Error::internal)?;
        Ok(diagnose::Parts {
            settings: self.keeper.settings().diagnose.clone(),
            roots: Arc::new(roots),
            name_servers: diagnose::machine_name_servers(),
            clock: Arc::new(SystemClock),
            random: k.random.clone(),
            connect: policy.connect_timeout(),
        })
    }

    fn snapshot_age(&self, k: &Kernel) -> Finding {
        let snapshot = self.keeper.current();
        let snapshot = snapshot.load();
        let (now, end) = (k.clock.now(), snapshot.not_after());
        let (serial, compiled) = (snapshot.serial(), snapshot.compiled_at().vn());
        let ok = !snapshot.is_stale(now);
        let text = if ok {
            Text::both(|l| {
                t::check_snapshot_good(l, t::CheckSnapshotGood { compiled: &compiled, end: end.vn(), serial })
            })
        } else {
            Text::both(|l| t::check_snapshot_stale(l, end.vn()))
        };
        Finding { check: "exchange.snapshot", title: Text::both(t::check_snapshot), ok, text }
    }

    /// Whether sealing and indexing keep up with the calls; nothing while the data plane does not run.
    fn evidence_lag(&self) -> Option<Finding> {
        /// About ten seconds of calls on one core.
        const BEHIND: u64 = 100_000;
        let progress = self.plane()?.evidence.progress();
        let stopped = progress.ended.as_ref().or(progress.sealer.as_ref());
        let ok = stopped.is_none() && progress.unsealed < BEHIND && progress.unindexed < BEHIND;
        let text = Text::both(|l| match stopped {
            Some(why) => {
                t::check_evidence_stopped(l, t::CheckEvidenceStopped { unsealed: progress.unsealed, why })
            }
            None => t::check_evidence(
                l,
                t::CheckEvidence {
                    size: progress.size,
                    unindexed: progress.unindexed,
                    unsealed: progress.unsealed,
                },
            ),
        });
        Some(Finding { check: "exchange.evidence", title: Text::both(t::check_evidence_title), ok, text })
    }
}

/// A card for a thing of the exchange, for who may see it.
async fn describe(k: &Kernel, of: &Ref, cx: &Cx) -> Result<Option<Card>> {
    let viewer = match Viewer::of(k, cx).await {
        Ok(viewer) => viewer,
        Err(kernel::Error::Denied { .. } | kernel::Error::SignIn) => return Ok(None),
        Err(e) => return Err(e),
    };
    let card = |title: String, text: String, href: String| Some(Card { title, text, href });
    let found = match of.kind.as_str() {
        MemberId::KIND => lists::member(&k.db, &viewer, of.id.parse()?).await?.and_then(|m| {
            card(m.name, format!("{}/{}", m.class, m.code), format!("/exchange/members/{}", m.id))
        }),
        SubsystemId::KIND => lists::subsystem(&k.db, &viewer, of.id.parse()?)
            .await?
            .and_then(|s| card(s.name, s.key, format!("/exchange/subsystems/{}", s.id))),
        ServiceId::KIND => lists::service(&k.db, &viewer, of.id.parse()?)
            .await?
            .and_then(|s| card(s.name, s.key, format!("/exchange/services/{}", s.id))),
        ProposalId::KIND => match proposal::find(&k.db, &viewer, of.id.parse()?).await {
            Ok(p) => card(
                p.name,
                format!("{}/{}", p.subsystem_key, p.code),
                format!("/exchange/proposals/{}", p.id),
            ),
            Err(Error::NotFound { .. }) => None,
            Err(e) => return Err(e),
        },
        AnnouncementId::KIND => match announcement::actions::find(k, cx, of.id.parse()?).await {
            Ok(part) => {
                let a = part.announcement;
                let text = format!("{} · {}", a.said.kind.label(cx.lang), a.due().vn());
                card(a.service_name, text, format!("/exchange/announcements/{}", a.id))
            }
            Err(Error::NotFound { .. }) => None,
            Err(e) => return Err(e),
        },
        AgreementId::KIND => {
            let today = k.clock.now().date();
            lists::agreement_row(&k.db, &viewer, today, of.id.parse()?).await?.and_then(|a| {
                let text = format!("{} → {} · {}", a.consumer_name, a.service_name, a.state.label(cx.lang));
                card(a.number, text, format!("/exchange/agreements/{}", a.id))
            })
        }
        _ => None,
    };
    Ok(found)
}

impl Pages for Exchange {
    fn routes(&self) -> Routes {
        pages::routes(self).merge(api::routes(self))
    }

    fn nav(&self) -> Vec<Nav> {
        pages::nav()
    }

    fn openapi(&self) -> Option<utoipa::openapi::OpenApi> {
        Some(api::ApiDoc::openapi())
    }
}
