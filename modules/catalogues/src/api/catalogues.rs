//! Catalogues and mappings in the interface, without their rows.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::clock::Date;
use http::{HeaderMap, StatusCode, header};
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Cx, Path, Query};

use super::{Items, answer, day, if_match, limit, parsed, repeatable, required_day, tagged, wrong};
use crate::actions::{self, New, NewEnds};
use crate::catalogue::{Catalogue, Description};
use crate::content::Changes;
use crate::label::Label;
use crate::questions;
use crate::store::catalogues::{self, ListFilter, Listed};
use crate::viewer::Viewer;

/// Which catalogues are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// The day on which the version in force is told (ISO 8601). Needed.
    on: Option<String>,
    /// Words in code, names, act.
    q: Option<String>,
    /// `catalogues` or `mappings`; both when left out.
    only: Option<String>,
    /// Rows per page, at most 200.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// Between which catalogues a mapping stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndsBody {
    /// Code of the catalogue whose codes are translated.
    source: String,
    /// Code of the catalogue into whose codes.
    target: String,
    /// The source is always read as on this day (ISO 8601).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_on: Option<String>,
    /// The target is always read as on this day (ISO 8601).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target_on: Option<String>,
}

/// The agency that answers for a catalogue.
#[derive(Serialize, ToSchema)]
struct OwnerView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    name: String,
}

/// The version that answers on the day asked for.
#[derive(Serialize, ToSchema)]
struct InForce {
    number: i64,
    /// First day (ISO 8601).
    valid_from: String,
    /// Last day, included; absent while without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<String>,
    rows: i64,
}

/// A catalogue or mapping.
#[derive(Serialize, ToSchema)]
pub(super) struct CatalogueView {
    code: String,
    /// `shared`, `local` or `mapping`.
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name_en: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    about: String,
    /// The legal act it rests on.
    #[serde(skip_serializing_if = "String::is_empty")]
    act: String,
    /// The system whose own list it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    system: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerView>,
    public: bool,
    /// What the attributes of its entries are called.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<LabelBody>,
    revision: i64,
    /// When the description changed or a version was published last (RFC 3339).
    changed_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<EndsBody>,
    /// Absent when no version answers on the day, and where no day was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<InForce>,
}

async fn view(k: &Kernel, c: &Catalogue, on: Date) -> Result<CatalogueView, Error> {
    let owner = questions::owner(k, c.owner, on).await?;
    let mapping = match c.ends {
        None => None,
        Some(ends) => Some(EndsBody {
            source: catalogues::by_id(&k.db, ends.source).await?.code,
            target: catalogues::by_id(&k.db, ends.target).await?.code,
            source_on: ends.source_on.map(|d| d.to_string()),
            target_on: ends.target_on.map(|d| d.to_string()),
        }),
    };
    let a = c.about.clone();
    Ok(CatalogueView {
        code: c.code.clone(),
        kind: c.kind.as_str(),
        name: a.name_vi,
        name_en: a.name_en,
        about: a.about,
        act: a.act,
        system: a.system,
        owner: owner.map(|v| OwnerView { id: v.unit.to_string(), code: v.code, name: v.full_name }),
        public: a.public,
        labels: a.labels.into_iter().map(LabelBody::from).collect(),
        revision: c.revision,
        changed_at: c.changed_at.rfc3339(),
        mapping,
        version: None,
    })
}

fn in_force(row: &Listed) -> Option<InForce> {
    row.version.map(|(number, period, rows)| InForce {
        number,
        valid_from: period.from.to_string(),
        valid_to: period.to.map(|d| d.to_string()),
        rows,
    })
}

/// Catalogues and mappings the caller may read, by name, each with the version that answers on the day.
#[utoipa::path(get, path = "/api/catalogues/v1/catalogues", tag = "catalogues", params(Asked),
    responses((status = 200, body = Items<CatalogueView>)))]
pub(super) async fn list(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Json<Items<CatalogueView>>> {
    let on = required_day("on", asked.on.as_deref())?;
    let mappings = match asked.only.as_deref() {
        None | Some("") => None,
        Some("catalogues") => Some(false),
        Some("mappings") => Some(true),
        Some(other) => return Err(wrong("only", other).into()),
    };
    let filter = ListFilter {
        mappings,
        end: None,
        search: asked.q.unwrap_or_default(),
        after: parsed("after", asked.after.as_deref())?,
        limit: limit(asked.limit) + 1,
    };
    let rows = catalogues::list(&k.db, &Viewer::of(&cx), on, &filter).await?;
    let page = Items::of(rows, limit(asked.limit), |r| r.catalogue.id.to_string(), |r| r);
    let mut items = Vec::with_capacity(page.items.len());
    for row in &page.items {
        items.push(CatalogueView { version: in_force(row), ..view(&k, &row.catalogue, on).await? });
    }
    Ok(Json(Items { items, next: page.next }))
}

/// One catalogue or mapping; its `ETag` is its revision.
#[utoipa::path(get, path = "/api/catalogues/v1/catalogues/{code}", tag = "catalogues",
    params(("code" = String, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = CatalogueView), (status = 304, description = "not changed"),
        (status = 404, description = "unknown")))]
pub(super) async fn get(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let c = questions::find(&k, &cx, &code).await?;
    answer(&headers, &c.revision.to_string(), view(&k, &c, k.clock.now().date())).await
}

/// A catalogue or mapping to be made.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBody {
    /// Letters without accents, digits, `-`, `_`, `.`; never changed.
    code: String,
    /// `shared`, `local` or `mapping`.
    kind: String,
    /// Identification code or identifier of the agency that answers for it.
    owner: String,
    /// Names, act, whether public.
    description: AboutBody,
    /// For a mapping.
    #[serde(default)]
    mapping: Option<EndsBody>,
}

/// What may be corrected at any time.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AboutBody {
    /// Vietnamese name.
    name: String,
    #[serde(default)]
    name_en: String,
    #[serde(default)]
    about: String,
    /// The legal act it rests on.
    #[serde(default)]
    act: String,
    /// The system whose own list it is (`VN/GOV/…`).
    #[serde(default)]
    system: String,
    /// Published versions may be read by everybody.
    #[serde(default)]
    public: bool,
    /// What the attributes of its entries are called.
    #[serde(default)]
    labels: Vec<LabelBody>,
}

/// How an attribute of entries is called.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LabelBody {
    /// The attribute's name in files and here.
    key: String,
    /// Vietnamese name.
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name_en: String,
    /// Code of the catalogue in which the values are codes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    values: String,
}

impl From<Label> for LabelBody {
    fn from(l: Label) -> Self {
        Self { key: l.key, name: l.name_vi, name_en: l.name_en, values: l.values }
    }
}

impl From<LabelBody> for Label {
    fn from(b: LabelBody) -> Self {
        Self { key: b.key, name_vi: b.name, name_en: b.name_en, values: b.values }
    }
}

impl From<AboutBody> for Description {
    fn from(b: AboutBody) -> Self {
        Self {
            name_vi: b.name,
            name_en: b.name_en,
            about: b.about,
            act: b.act,
            system: b.system,
            public: b.public,
            labels: b.labels.into_iter().map(Label::from).collect(),
        }
    }
}

/// Makes a catalogue or mapping, without any version yet. Honours `Idempotency-Key`.
#[utoipa::path(post, path = "/api/catalogues/v1/catalogues", tag = "catalogues",
    params(("Idempotency-Key" = Option<String>, Header)), request_body = NewBody,
    responses((status = 201, body = CatalogueView), (status = 200, body = CatalogueView, description = "made before"),
        (status = 409, description = "the code is taken"), (status = 422, description = "some values are not valid")))]
pub(super) async fn create(
    State(k): State<Kernel>,
    cx: Cx,
    headers: HeaderMap,
    web::Json(body): web::Json<NewBody>,
) -> web::Result<Response> {
    let once = repeatable(&headers, "create", &body)?;
    let kind = parsed("kind", Some(&body.kind))?.ok_or_else(|| wrong("kind", &body.kind))?;
    let ends = match body.mapping {
        None => None,
        Some(ends) => Some(NewEnds {
            source_on: day("mapping.source_on", ends.source_on.as_deref())?,
            target_on: day("mapping.target_on", ends.target_on.as_deref())?,
            source: ends.source,
            target: ends.target,
        }),
    };
    let owner = match body.owner.parse() {
        Ok(unit) => unit,
        Err(_) => {
            let found = k.orgs().by_code(body.owner.trim(), k.clock.now().date()).await?;
            found.ok_or_else(|| wrong("owner", &body.owner))?.unit
        }
    };
    let new = New { kind, code: body.code, about: body.description.into(), owner, ends };
    let (made, before) = actions::create(&k, &cx, new, once.as_ref()).await?;
    let status = if before { StatusCode::OK } else { StatusCode::CREATED };
    let place = format!("/api/catalogues/v1/catalogues/{}", made.code);
    let seen = view(&k, &made, k.clock.now().date()).await?;
    let tag = tagged(&made.revision.to_string());
    Ok((status, tag, [(header::LOCATION, place)], Json(seen)).into_response())
}

/// Corrects names, act, explanation or whether it is public. Honours `If-Match`.
#[utoipa::path(put, path = "/api/catalogues/v1/catalogues/{code}", tag = "catalogues",
    params(("code" = String, Path), ("If-Match" = Option<String>, Header)), request_body = AboutBody,
    responses((status = 200, body = CatalogueView), (status = 404, description = "unknown"),
        (status = 409, description = "changed meanwhile"), (status = 422, description = "some values are not valid")))]
pub(super) async fn update(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    headers: HeaderMap,
    web::Json(body): web::Json<AboutBody>,
) -> web::Result<Response> {
    let after = actions::update(&k, &cx, &code, body.into(), if_match(&headers)?).await?;
    let seen = view(&k, &after, k.clock.now().date()).await?;
    Ok((tagged(&after.revision.to_string()), Json(seen)).into_response())
}

/// Between which days.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Days {
    /// The earlier day (ISO 8601). Needed.
    from: Option<String>,
    /// The later day (ISO 8601). Needed.
    to: Option<String>,
}

/// Rows added, changed and removed between two days.
#[utoipa::path(get, path = "/api/catalogues/v1/catalogues/{code}/changes", tag = "catalogues",
    params(("code" = String, Path), Days), responses((status = 200, body = Object), (status = 404, description = "unknown")))]
pub(super) async fn changes(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    Query(days): Query<Days>,
) -> web::Result<Json<Changes>> {
    let (from, to) = (required_day("from", days.from.as_deref())?, required_day("to", days.to.as_deref())?);
    let c = questions::find(&k, &cx, &code).await?;
    Ok(Json(questions::changes(&k, &c, from, to).await?))
}
