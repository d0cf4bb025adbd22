//! The interface `/api/units/v1`: the same answers as the pages, for programs. Every question takes a day; there is no
//! "current". Open to everybody: units are public law.

mod types;

use axum::Json;
use axum::extract::State;
use kernel::clock::Date;
use kernel::error::Error;
use kernel::i18n::Text;
use kernel::orgs::{Tree, UnitId, Version};
use kernel::{Kernel, orgs};
use serde::Deserialize;
use utoipa::OpenApi;
use web::{Access, Path, Query};

use crate::{t, when};
use types::{Became, State as StateOf, Step, Unit, UnitList};

/// Most results of one search.
const MOST: u32 = 200;

pub(crate) fn routes() -> web::Routes {
    web::Routes::new()
        .get("/api/units/v1/states", Access::Public, states)
        .get("/api/units/v1/units", Access::Public, search)
        .get("/api/units/v1/units/{unit}", Access::Public, unit)
        .get("/api/units/v1/units/{unit}/children", Access::Public, children)
        .get("/api/units/v1/codes/{code}", Access::Public, by_code)
        .get("/api/units/v1/codes/{code}/became", Access::Public, became)
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Đơn vị hành chính",
        version = "1",
        description = "Đơn vị hành chính theo ngày và đơn vị kế tiếp."
    ),
    paths(states, search, unit, children, by_code, became)
)]
struct Document;

/// The OpenAPI description.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// A day, which every question needs.
#[derive(Deserialize, Default, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct On {
    /// The day, `yyyy-mm-dd`.
    #[param(required = true, example = "2025-06-30")]
    on: Option<String>,
}

/// A search.
#[derive(Deserialize, Default, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct Search {
    /// Beginnings of syllables of the name, with or without accents; names of the units above may be added.
    #[param(required = true, example = "hac thanh")]
    q: String,
    /// The day, `yyyy-mm-dd`.
    #[param(required = true, example = "2026-11-22")]
    on: Option<String>,
    /// How many at most, 1 to 200; 20 unless given.
    limit: Option<u32>,
}

/// A day, and until when the unit is followed.
#[derive(Deserialize, Default, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct OnUntil {
    /// The day on which the unit has the code, `yyyy-mm-dd`.
    #[param(required = true, example = "2025-06-30")]
    on: Option<String>,
    /// Until which day it is followed, `yyyy-mm-dd`; today unless given.
    until: Option<String>,
}

/// The first days of the states: the earliest attested day, then every day on which a unit changed.
#[utoipa::path(get, path = "/api/units/v1/states", tag = "units", responses((status = 200, body = [StateOf])))]
async fn states(State(k): State<Kernel>) -> web::Result<Json<Vec<StateOf>>> {
    let days = k.orgs().states().await?;
    Ok(Json(days.into_iter().enumerate().map(|(at, day)| StateOf::new(at, day)).collect()))
}

/// Finds units by name on a day.
#[utoipa::path(get, path = "/api/units/v1/units", tag = "units", params(Search),
    responses((status = 200, body = UnitList), (status = 422, description = "No day, or a bad one")))]
async fn search(State(k): State<Kernel>, Query(asked): Query<Search>) -> web::Result<Json<UnitList>> {
    let on = when::required("on", asked.on.as_deref())?;
    let limit = asked.limit.unwrap_or(20);
    if !(1..=MOST).contains(&limit) {
        return Err(Error::field("limit", Text::both(|l| t::limit_range(l, MOST))).into());
    }
    let mut hits = k.orgs().search(Tree::Territory, &asked.q, on, limit + 1).await?;
    let more = hits.len() > limit as usize;
    hits.truncate(limit as usize);
    let items = hits.into_iter().map(|h| Unit::named(h.version, h.above)).collect();
    Ok(Json(UnitList { on: on.to_string(), items, more }))
}

/// One unit on a day.
#[utoipa::path(get, path = "/api/units/v1/units/{unit}", tag = "units",
    params(("unit" = String, Path, description = "The unit's identifier"), On),
    responses((status = 200, body = Unit), (status = 404, description = "No such unit on that day")))]
async fn unit(
    State(k): State<Kernel>,
    Path(unit): Path<UnitId>,
    Query(asked): Query<On>,
) -> web::Result<Json<Unit>> {
    let on = when::required("on", asked.on.as_deref())?;
    let version = territory(k.orgs().version_at(unit, on).await?)?;
    Ok(Json(full(&k, version, on).await?))
}

/// The units directly below one on a day.
#[utoipa::path(get, path = "/api/units/v1/units/{unit}/children", tag = "units",
    params(("unit" = String, Path, description = "The unit's identifier"), On),
    responses((status = 200, body = UnitList), (status = 404, description = "No such unit on that day")))]
async fn children(
    State(k): State<Kernel>,
    Path(unit): Path<UnitId>,
    Query(asked): Query<On>,
) -> web::Result<Json<UnitList>> {
    let on = when::required("on", asked.on.as_deref())?;
    let parent = territory(k.orgs().version_at(unit, on).await?)?;
    let mut above = vec![parent.full_name];
    above.extend(k.orgs().ancestors(unit, on).await?.into_iter().map(|v| v.full_name));
    let items = k.orgs().children(unit, on).await?;
    let items = items.into_iter().map(|v| Unit::named(v, above.clone())).collect();
    Ok(Json(UnitList { on: on.to_string(), items, more: false }))
}

/// The unit that has a code on a day: two digits for a province, three for a district, five for a commune.
#[utoipa::path(get, path = "/api/units/v1/codes/{code}", tag = "units",
    params(("code" = String, Path, description = "The statistics office's code", example = "14797"), On),
    responses((status = 200, body = Unit), (status = 404, description = "No unit has the code on that day")))]
async fn by_code(
    State(k): State<Kernel>,
    Path(code): Path<String>,
    Query(asked): Query<On>,
) -> web::Result<Json<Unit>> {
    let on = when::required("on", asked.on.as_deref())?;
    let version = territory(k.orgs().by_code(&code, on).await?)?;
    Ok(Json(full(&k, version, on).await?))
}

/// The unit that has a code on a day, and everything it became.
#[utoipa::path(get, path = "/api/units/v1/codes/{code}/became", tag = "units",
    params(("code" = String, Path, description = "The statistics office's code", example = "14758"), OnUntil),
    responses((status = 200, body = Became), (status = 404, description = "No unit has the code on that day")))]
async fn became(
    State(k): State<Kernel>,
    Path(code): Path<String>,
    Query(asked): Query<OnUntil>,
) -> web::Result<Json<Became>> {
    let on = when::required("on", asked.on.as_deref())?;
    let today = k.clock.now().date().max(on);
    let until = match &asked.until {
        Some(text) => when::required("until", Some(text))?,
        None => today,
    };
    let version = territory(k.orgs().by_code(&code, on).await?)?;
    let found = k.orgs().became(version, on, until).await?;
    Ok(Json(answer(&k, found, until).await?))
}

/// Agencies are not answered here: their tree has rights of its own.
fn territory(version: Option<Version>) -> Result<Version, Error> {
    version.filter(|v| v.tree == Tree::Territory).ok_or(Error::NotFound { kind: "unit" })
}

async fn full(k: &Kernel, version: Version, on: Date) -> web::Result<Unit> {
    let above = k.orgs().ancestors(version.unit, on).await?;
    Ok(Unit::named(version, above.into_iter().map(|v| v.full_name).collect()))
}

async fn answer(k: &Kernel, found: orgs::Became, until: Date) -> web::Result<Became> {
    let ambiguous = found.ambiguous();
    let mut now = Vec::with_capacity(found.now.len());
    for version in found.now {
        now.push(full(k, version, until).await?);
    }
    Ok(Became {
        unit: Unit::named(found.asked, found.above.into_iter().map(|v| v.full_name).collect()),
        until: until.to_string(),
        ambiguous,
        later: found.later.into_iter().map(|v| Unit::named(v, Vec::new())).collect(),
        steps: found.steps.into_iter().map(Step::from).collect(),
        now,
    })
}
