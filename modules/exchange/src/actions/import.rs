//! Applying the declarative file: everything in it, in one transaction, or nothing. What it would change is
//! worked out before the transaction begins; if the registry moved meanwhile, it is worked out again.

use std::collections::{BTreeMap, HashSet};

use base::error::FieldError;
use base::i18n::Text;
use kernel::blobs::Blobs;
use kernel::identity::Secret;
use kernel::identity::clients::{self, ClientId, ClientQuery};
use kernel::orgs::UnitId;
use kernel::{Cx, Error, Kernel, Result, Scope as Over, Tx, params};

use crate::agreement::{Agreement, Scope, State, Step, Terms};
use crate::diff::{self, Change, Diff, Kind, Thing};
use crate::environment::Environment;
use crate::events;
use crate::ids::{AgreementId, EndpointId, MemberId, ServiceId, SubsystemId};
use crate::key::SubsystemKey;
use crate::permissions;
use crate::registry::{AgreementSpec, ClientSpec, InitialState, Registry, ScopeSpec};
use crate::sections::Fault;
use crate::store::agreements;
use crate::store::documents::{self, Kept};
use crate::store::registry::{self, Ids, Loaded, Retired};
use crate::{agencies, t};

/// What a file would change, and on which state of the registry that was worked out.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The difference.
    pub diff: Diff,
    loaded: Loaded,
    agencies: BTreeMap<String, UnitId>,
}

/// A client made by the import. Its secret is shown once and kept nowhere in plain.
#[derive(Debug)]
pub struct NewClient {
    /// The client identifier.
    pub client_id: String,
    /// The subsystem it acts for: `instance/class/member/subsystem`.
    pub subsystem: String,
    /// Its secret.
    pub secret: Secret,
}

/// What an import did.
#[derive(Debug)]
pub struct Imported {
    /// The registry's number afterwards.
    pub serial: i64,
    /// What changed.
    pub diff: Diff,
    /// Clients that are new, with their secrets.
    pub clients: Vec<NewClient>,
}

/// Works out what a file would change (`import --dry-run`).
///
/// # Errors
/// `Denied` without the right to operate; `Invalid` with everything that stands in the way.
pub async fn plan(k: &Kernel, cx: &Cx, file: &Registry) -> Result<Plan> {
    cx.may(permissions::OPERATE, &Over::province())?;
    let today = k.clock.now().date();
    let mut loaded = registry::load(&k.db, today).await?;
    loaded.stored.registry.clients = stored_clients(k, &file.instance).await?;
    let (agencies, mut faults) = resolve_agencies(k, file).await?;
    let (owned, stored) = (file.clone(), loaded.stored.clone());
    // Comparing tens of thousands of agreements is work for a thread of its own.
    let compared = tokio::task::spawn_blocking(move || diff::compare(&owned, &stored, today)).await;
    match compared.map_err(Error::internal)? {
        Ok(diff) if faults.is_empty() => Ok(Plan { diff, loaded, agencies }),
        Ok(_) => Err(invalid(faults)),
        Err(more) => {
            faults.extend(more);
            Err(invalid(faults))
        }
    }
}

/// Faults of a file as the errors of a request: the field is `line N`.
pub(crate) fn invalid(mut faults: Vec<Fault>) -> Error {
    faults.sort_by_key(|f| f.line);
    let field = |f: &Fault| if f.line == 0 { "file".to_owned() } else { format!("line {}", f.line) };
    Error::Invalid(faults.into_iter().map(|f| FieldError { field: field(&f), text: f.sentence() }).collect())
}

/// Clients of this instance as the file would state them.
async fn stored_clients(k: &Kernel, instance: &str) -> Result<BTreeMap<String, ClientSpec>> {
    let mut out = BTreeMap::new();
    let mut query = ClientQuery { limit: 1_000, ..ClientQuery::default() };
    loop {
        let page = clients::list(&k.db, &query).await?;
        query.after = page.last().map(|c| c.id);
        for client in &page {
            let own = client.subsystem.strip_prefix(instance).and_then(|rest| rest.strip_prefix('/'));
            if let Some(subsystem) = own.and_then(|path| path.parse::<SubsystemKey>().ok()) {
                out.insert(client.client_id.clone(), ClientSpec { subsystem, line: 0 });
            }
        }
        if page.len() < query.limit as usize {
            return Ok(out);
        }
    }
}

async fn resolve_agencies(k: &Kernel, file: &Registry) -> Result<(BTreeMap<String, UnitId>, Vec<Fault>)> {
    let today = k.clock.now().date();
    let (mut found, mut faults) = (BTreeMap::new(), Vec::new());
    for spec in file.members.values() {
        let Some(code) = &spec.agency else { continue };
        match agencies::by_code(k, code, today).await? {
            Some(unit) => {
                found.insert(code.clone(), unit);
            }
            None => {
                let day = today.vn();
                faults.push(Fault::new(
                    spec.line,
                    Text::both(|l| t::import_agency(l, t::ImportAgency { code, day: &day })),
                ));
            }
        }
    }
    Ok((found, faults))
}

/// Applies a file.
///
/// # Errors
/// As [`plan`]; nothing is applied then.
pub async fn import_registry(k: &Kernel, cx: &Cx, file: &Registry) -> Result<Imported> {
    const TRIES: usize = 5;
    for _ in 0..TRIES {
        let plan = plan(k, cx, file).await?;
        if plan.diff.is_empty() {
            return Ok(Imported { serial: plan.loaded.serial, diff: plan.diff, clients: Vec::new() });
        }
        if let Some(done) = apply(k, cx, file, plan).await? {
            return Ok(done);
        }
    }
    Err(Error::Conflict)
}

/// Applies a plan; `None` when the registry moved since it was made.
async fn apply(k: &Kernel, cx: &Cx, file: &Registry, plan: Plan) -> Result<Option<Imported>> {
    let Plan { diff, loaded, agencies } = plan;
    let touched = touched(&diff);
    let services = file.services.iter().filter(|(key, _)| is_touched(&touched, Thing::Service, key));
    let kept = documents::keep(k, services.filter_map(|(_, spec)| spec.document.as_ref())).await?;
    let blobs = k.blobs().await?;
    let now = k.clock.now();
    let mut tx = k.begin(cx).await?;
    let serial = registry::bump(&mut tx, Some(&file.instance), now).await?;
    if serial != loaded.serial + 1 {
        return Ok(None);
    }
    let ids = loaded.ids.clone();
    let mut writer = Writer { k, blobs, tx: &mut tx, file, ids, agencies, loaded: &loaded, kept };
    writer.things(&touched).await?;
    writer.agreements(&touched).await?;
    writer.removals(&diff).await?;
    let clients = writer.clients(&touched).await?;
    let (added, changed, removed) =
        (diff.count(Kind::Added), diff.count(Kind::Changed), diff.count(Kind::Removed));
    tx.publish(&events::RegistryImported { serial, added, changed, removed }).await?;
    let detail = serde_json::json!({
        "serial": serial, "added": added, "changed": changed, "removed": removed,
        "keys": diff.changes.iter().take(200).map(|c| &c.key).collect::<Vec<_>>(),
    });
    tx.audit("exchange.registry.import", &kernel::Ref::new("exchange.registry", "1"), detail).await?;
    tx.commit().await?;
    Ok(Some(Imported { serial, diff, clients }))
}

/// Keys of what is added or changed, by kind of thing.
fn touched(diff: &Diff) -> HashSet<(Thing, &str)> {
    let written = |c: &&Change| c.kind != Kind::Removed;
    diff.changes.iter().filter(written).map(|c| (c.thing, c.key.as_str())).collect()
}

type Touched<'d> = HashSet<(Thing, &'d str)>;

fn is_touched(touched: &Touched<'_>, thing: Thing, key: &impl ToString) -> bool {
    touched.contains(&(thing, key.to_string().as_str()))
}

struct Writer<'a> {
    k: &'a Kernel,
    blobs: &'a Blobs,
    tx: &'a mut Tx,
    file: &'a Registry,
    ids: Ids,
    agencies: BTreeMap<String, UnitId>,
    loaded: &'a Loaded,
    kept: Kept,
}

impl Writer<'_> {
    /// Members, subsystems, services with their documents, endpoints.
    async fn things(&mut self, touched: &Touched<'_>) -> Result<()> {
        let (clock, random) = (&*self.k.clock, &*self.k.random);
        let now = clock.now();
        let file = self.file;
        for (key, spec) in &file.members {
            let id = *self.ids.members.entry(key.clone()).or_insert_with(|| MemberId::new(clock, random));
            if is_touched(touched, Thing::Member, key) {
                let agency = spec.agency.as_ref().and_then(|code| self.agencies.get(code)).copied();
                registry::put_member(self.tx, id, key, spec, agency, now).await?;
            }
        }
        for (key, spec) in &file.subsystems {
            let id =
                *self.ids.subsystems.entry(key.clone()).or_insert_with(|| SubsystemId::new(clock, random));
            if is_touched(touched, Thing::Subsystem, key) {
                registry::put_subsystem(self.tx, id, self.ids.members[&key.member], key, spec, now).await?;
            }
        }
        for (key, spec) in &file.services {
            let id = *self.ids.services.entry(key.clone()).or_insert_with(|| ServiceId::new(clock, random));
            if is_touched(touched, Thing::Service, key) {
                let document = spec.document.as_ref().map(|d| (d.sha256.as_str(), self.kept[&d.sha256]));
                documents::assign(self.tx, self.blobs, id, document, now).await?;
                registry::put_service(self.tx, id, self.ids.subsystems[&key.subsystem], key, spec, now)
                    .await?;
            }
            for (route, name) in &spec.endpoints {
                let place = (key.clone(), route.clone());
                let endpoint =
                    *self.ids.endpoints.entry(place).or_insert_with(|| EndpointId::new(clock, random));
                if touched.contains(&(Thing::Endpoint, format!("{key} {route}").as_str())) {
                    registry::put_endpoint(self.tx, endpoint, id, route, name).await?;
                }
            }
        }
        documents::drop_unused(self.tx).await?;
        Ok(())
    }

    async fn agreements(&mut self, touched: &Touched<'_>) -> Result<()> {
        let file = self.file;
        for (number, spec) in &file.agreements {
            if !touched.contains(&(Thing::Agreement, number.as_str())) {
                continue;
            }
            if self.loaded.stored.registry.agreements.contains_key(number) {
                self.amend(number, spec).await?;
            } else {
                self.ask(number, spec).await?;
            }
        }
        Ok(())
    }

    async fn ask(&mut self, number: &str, spec: &AgreementSpec) -> Result<()> {
        let now = self.k.clock.now();
        let waiting = Agreement {
            id: AgreementId::new(&*self.k.clock, &*self.k.random),
            number: number.to_owned(),
            version: 1,
            consumer: self.ids.subsystems[&spec.consumer],
            service: self.ids.services[&spec.service],
            terms: self.terms(spec),
            state: State::Waiting,
            environment: Environment::Production,
            published_at: None,
            asked_at: now,
            changed_at: now,
        };
        waiting.terms.check().map_err(Error::Invalid)?;
        self.write(&waiting, Step::Ask, None).await?;
        if spec.state == InitialState::Approved {
            let approved = waiting.approve(Default::default(), now)?;
            self.write(&approved, Step::Approve, Some(State::Waiting)).await?;
        }
        Ok(())
    }

    async fn amend(&mut self, number: &str, spec: &AgreementSpec) -> Result<()> {
        let sql = "SELECT id FROM exchange_agreement WHERE number = $1";
        let row = self.tx.query_opt(sql, params![number]).await?;
        let id: AgreementId = row.ok_or(Error::NotFound { kind: AgreementId::KIND })?.id("id")?;
        let before = agreements::lock(self.tx, id).await?.agreement;
        let from = before.state;
        let after = before.amend(self.terms(spec), self.k.clock.now())?;
        after.terms.check().map_err(Error::Invalid)?;
        self.write(&after, Step::Amend, Some(from)).await
    }

    async fn write(&mut self, a: &Agreement, step: Step, from: Option<State>) -> Result<()> {
        agreements::save(self.tx, a).await?;
        agreements::record(self.tx, a, step, from, None).await?;
        super::decide::announce(self.tx, a, step).await
    }

    fn terms(&self, spec: &AgreementSpec) -> Terms {
        let scope = match &spec.scope {
            ScopeSpec::Whole => Scope::Whole,
            ScopeSpec::Endpoints(routes) => {
                let id =
                    |route| self.ids.endpoints.get(&(spec.service.clone(), Clone::clone(route))).copied();
                Scope::Endpoints(routes.iter().filter_map(id).collect())
            }
        };
        Terms {
            scope,
            purpose: spec.purpose.clone(),
            legal_basis: spec.legal_basis.clone(),
            fields: spec.fields.clone(),
            quota: spec.quota,
            valid_from: spec.valid_from,
            valid_to: spec.valid_to,
            letter: spec.letter.clone(),
            security: spec.security.clone(),
        }
    }

    async fn removals(&mut self, diff: &Diff) -> Result<()> {
        let now = self.k.clock.now();
        for change in diff.changes.iter().filter(|c| c.kind == Kind::Removed) {
            let key = change.key.as_str();
            let what = match change.thing {
                Thing::Member => {
                    key.parse().ok().and_then(|k| self.ids.members.get(&k)).map(|id| Retired::Member(*id))
                }
                Thing::Subsystem => key
                    .parse()
                    .ok()
                    .and_then(|k| self.ids.subsystems.get(&k))
                    .map(|id| Retired::Subsystem(*id)),
                Thing::Service => {
                    key.parse().ok().and_then(|k| self.ids.services.get(&k)).map(|id| Retired::Service(*id))
                }
                Thing::Endpoint => {
                    let place =
                        key.split_once(' ').and_then(|(s, r)| Some((s.parse().ok()?, r.parse().ok()?)));
                    place.and_then(|p| self.ids.endpoints.get(&p)).map(|id| Retired::Endpoint(*id))
                }
                Thing::Agreement | Thing::Client => None,
            };
            let what = what.ok_or_else(|| Error::internal(format!("{key} cannot be removed")))?;
            registry::retire(self.tx, what, now).await?;
        }
        Ok(())
    }

    async fn clients(&mut self, touched: &Touched<'_>) -> Result<Vec<NewClient>> {
        let mut made = Vec::new();
        let file = self.file;
        for (client_id, spec) in &file.clients {
            if !touched.contains(&(Thing::Client, client_id.as_str())) {
                continue;
            }
            let secret = clients::new_secret(&*self.k.random);
            let subsystem = format!("{}/{}", file.instance, spec.subsystem);
            let name = file.subsystems.get(&spec.subsystem).map_or(client_id.as_str(), |s| s.name.as_str());
            let new = clients::NewClient {
                id: ClientId::new(&*self.k.clock, &*self.k.random),
                client_id,
                name,
                subsystem: &subsystem,
                scopes: &["exchange".to_owned()].into(),
                secret: &secret,
                expires_at: None,
            };
            if !clients::add(self.tx, self.k, &new).await? {
                return Err(invalid(vec![Fault::new(
                    spec.line,
                    Text::both(|l| t::import_client_taken(l, client_id)),
                )]));
            }
            made.push(NewClient { client_id: client_id.clone(), subsystem, secret });
        }
        Ok(made)
    }
}
