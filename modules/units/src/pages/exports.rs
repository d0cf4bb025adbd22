//! Lists of units as files. Each is short by its nature and read at once; who may read the page may read the file.

use axum::extract::State;
use axum::response::Response;
use kernel::Kernel;
use kernel::clock::Date;
use kernel::error::Error;
use kernel::i18n::Lang;
use kernel::orgs::{Tree, UnitId, Version};
use web::export::{As, Batch, Export, Kind, Value};
use web::{Cx, Path, Query};

use super::agencies::{self, Placed};
use super::{browse, unit};
use crate::{t, when, words};

/// More than there are units of one day.
const MOST: u32 = 20_000;

/// What a search finds, or the provinces of the day.
pub(super) async fn units(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<browse::Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let (q, on) = (asked.words(), day(&k, &asked.on)?);
    let found = match q.is_empty() {
        true => k.orgs().roots(Tree::Territory, on).await?.into_iter().map(|v| (v, String::new())).collect(),
        false => {
            let hits = k.orgs().search(Tree::Territory, &q, on, MOST).await?;
            hits.into_iter().map(|h| (h.version, h.above.join(", "))).collect()
        }
    };
    answer(&cx, "don-vi-hanh-chinh", t::units_title(cx.lang), file.kind, found).await
}

/// The units below one.
pub(super) async fn below(
    State(k): State<Kernel>,
    cx: Cx,
    Path(unit): Path<UnitId>,
    Query(asked): Query<unit::Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let on = day(&k, &asked.on)?;
    let found = children(&k, Tree::Territory, unit, on).await?;
    answer(&cx, "don-vi-truc-thuoc", t::units_title(cx.lang), file.kind, found).await
}

/// Agencies a search finds, or the upper two levels.
pub(super) async fn agencies(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<browse::Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let on = day(&k, &asked.on)?;
    let found = agencies::standing(&k, &asked.words(), on, MOST as usize).await?;
    answer(&cx, "co-quan", t::agencies_title(cx.lang), file.kind, found).await
}

/// The agencies below one.
pub(super) async fn agencies_below(
    State(k): State<Kernel>,
    cx: Cx,
    Path(unit): Path<UnitId>,
    Query(asked): Query<unit::Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let on = day(&k, &asked.on)?;
    let found = children(&k, Tree::Agency, unit, on).await?;
    answer(&cx, "co-quan-truc-thuoc", t::agencies_title(cx.lang), file.kind, found).await
}

async fn children(k: &Kernel, tree: Tree, unit: UnitId, on: Date) -> kernel::Result<Vec<Placed>> {
    let parent = k.orgs().version_at(unit, on).await?.filter(|v| v.tree == tree);
    let parent = parent.ok_or(Error::NotFound { kind: "unit" })?;
    let name = |v| (v, parent.full_name.clone());
    Ok(k.orgs().children(unit, on).await?.into_iter().map(name).collect())
}

fn day(k: &Kernel, typed: &str) -> Result<Date, Error> {
    let day = when::typed("on", typed).map_err(|e| Error::Invalid(vec![e]))?;
    Ok(day.unwrap_or_else(|| k.clock.now().date()))
}

async fn answer(
    cx: &Cx,
    name: &'static str,
    title: &str,
    kind: Kind,
    found: Vec<Placed>,
) -> web::Result<Response> {
    let l = cx.lang;
    let export = Export::new(cx, name, title).columns([
        t::col_unit(l),
        t::col_code(l),
        t::col_type(l),
        t::col_above(l),
        t::col_on(l),
        t::fact_to(l),
    ]);
    let mut rows = Some(found.iter().map(|(v, above)| row(l, v, above)).collect());
    // Asked for once: there is no second batch.
    export
        .answer(kind, move |_: Option<()>| {
            std::future::ready(Ok(Batch::whole(rows.take().unwrap_or_default())))
        })
        .await
}

fn row(l: Lang, v: &Version, above: &str) -> Vec<Value> {
    let since = if v.from_known { Value::Date(v.valid_from) } else { Value::None };
    vec![
        (&v.full_name).into(),
        v.code.as_ref().into(),
        v.kind.label(l).into(),
        above.into(),
        since,
        v.valid_to.and_then(words::last_day).into(),
    ]
}
