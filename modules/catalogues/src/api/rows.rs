//! Rows of versions in the interface: entries and pairs as of a day, the whole of a version as one document, and rows
//! into a draft.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::i18n::Text;
use http::HeaderMap;
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use web::{Cx, Path, Query};

use super::{Items, answer, if_match, limit, parsed, required_day, wrong};
use crate::actions;
use crate::catalogue::{Catalogue, clip};
use crate::content::{Content, Given};
use crate::entry::Entry;
use crate::ids::VersionId;
use crate::pair::{Pair, Relation};
use crate::questions;
use crate::store::entries::{self as stored, EntryFilter};
use crate::store::pairs::{self as stored_pairs, PairFilter};
use crate::store::versions;
use crate::t;
use crate::table::{self, Line, MAX_ROWS, Reading, Refused};
use crate::version::Version;

/// Which rows are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// The day (ISO 8601). Needed, unless a version is named.
    on: Option<String>,
    /// Number of a version, to read it whole instead of as of a day.
    version: Option<i64>,
    /// Words in codes and names.
    q: Option<String>,
    /// Entries directly below this code; empty for those at the top.
    parent: Option<String>,
    /// Pairs of this relation.
    relation: Option<String>,
    /// Rows per page, at most 200.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// An entry.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryBody {
    code: String,
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name_en: String,
    /// Code of the entry above.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    parent: String,
    /// Place in the order; entries without one follow by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<i64>,
    /// First day, when it is not that of the version (ISO 8601).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_from: Option<String>,
    /// Last day, included, when it is not that of the version (ISO 8601).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_to: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    attributes: Map<String, Value>,
}

impl From<Entry> for EntryBody {
    fn from(e: Entry) -> Self {
        Self {
            code: e.code,
            name: e.name_vi,
            name_en: e.name_en,
            parent: e.parent,
            order: e.order,
            valid_from: e.from.map(|d| d.to_string()),
            valid_to: e.to.map(|d| d.to_string()),
            attributes: e.attributes,
        }
    }
}

impl EntryBody {
    fn entry(self) -> Result<Entry, Text> {
        Ok(Entry {
            from: table::date(self.valid_from.as_deref().unwrap_or_default())?,
            to: table::date(self.valid_to.as_deref().unwrap_or_default())?,
            code: base::text::nfc(self.code.trim()),
            name_vi: base::text::nfc(self.name.trim()),
            name_en: base::text::nfc(self.name_en.trim()),
            parent: base::text::nfc(self.parent.trim()),
            order: self.order,
            attributes: self.attributes,
        })
    }
}

/// A pair of codes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PairBody {
    source: String,
    /// `equal`, `narrower` (the source is a part of the target), `broader`, `overlaps` or `none`.
    relation: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    target: String,
    /// Why, or a note; needed for `none`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reason: String,
}

impl From<Pair> for PairBody {
    fn from(p: Pair) -> Self {
        let relation = p.relation.as_str().to_owned();
        Self { source: p.source, relation, target: p.target, reason: p.reason }
    }
}

impl PairBody {
    fn pair(self) -> Result<Pair, Text> {
        let relation = self.relation.parse().ok();
        Ok(Pair {
            relation: relation.ok_or_else(|| Text::both(|l| t::relation_unknown(l, clip(&self.relation))))?,
            source: base::text::nfc(self.source.trim()),
            target: base::text::nfc(self.target.trim()),
            reason: base::text::nfc(self.reason.trim()),
        })
    }
}

/// The version asked for: by number, or the one that answers on the day, which is then told.
async fn chosen(
    k: &Kernel,
    cx: &Cx,
    c: &Catalogue,
    asked: &Asked,
) -> Result<(Version, Option<base::clock::Date>), Error> {
    if let Some(number) = asked.version {
        return Ok((questions::version(k, cx, c, number).await?, None));
    }
    let on = required_day("on", asked.on.as_deref())?;
    let found = versions::at(&k.db, c.id, on).await?;
    Ok((found.ok_or(Error::NotFound { kind: VersionId::KIND })?, Some(on)))
}

/// Changes with the rows: a draft's revision, or with a published version nothing at all.
fn tag(v: &Version) -> String {
    format!("{}-{}", v.number, v.revision)
}

/// Entries valid on a day, in their order. Without a version on the day: 404.
#[utoipa::path(get, path = "/api/catalogues/v1/catalogues/{code}/entries", tag = "rows",
    params(("code" = String, Path), Asked, ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = Items<EntryBody>), (status = 304, description = "not changed"),
        (status = 404, description = "unknown, or no version on that day")))]
pub(super) async fn entries(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let c = questions::find(&k, &cx, &code).await?;
    let (v, on) = chosen(&k, &cx, &c, &asked).await?;
    let read = async {
        let filter = EntryFilter {
            on,
            search: asked.q.clone().unwrap_or_default(),
            parent: asked.parent.clone(),
            after: asked.after.clone(),
            limit: limit(asked.limit) + 1,
        };
        let rows = stored::list(&k.db, v.id, &filter).await?;
        Ok(Items::of(rows, limit(asked.limit), |e| e.code.clone(), EntryBody::from))
    };
    answer(&headers, &tag(&v), read).await
}

/// One entry as on a day.
#[utoipa::path(get, path = "/api/catalogues/v1/catalogues/{code}/entries/{entry}", tag = "rows",
    params(("code" = String, Path), ("entry" = String, Path), Asked),
    responses((status = 200, body = EntryBody), (status = 404, description = "unknown on that day")))]
pub(super) async fn entry(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, entry)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> web::Result<Json<EntryBody>> {
    let c = questions::find(&k, &cx, &code).await?;
    let (v, on) = chosen(&k, &cx, &c, &asked).await?;
    let day = on.unwrap_or_else(|| v.from());
    let found = stored::by_codes(&k.db, v.id, day, std::slice::from_ref(&entry)).await?.remove(&entry);
    Ok(Json(found.ok_or(Error::NotFound { kind: "catalogues.entry" })?.into()))
}

/// Pairs of a mapping as on a day, by code. Without a version on the day: 404.
#[utoipa::path(get, path = "/api/catalogues/v1/catalogues/{code}/pairs", tag = "rows",
    params(("code" = String, Path), Asked, ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = Items<PairBody>), (status = 304, description = "not changed"),
        (status = 404, description = "unknown, or no version on that day")))]
pub(super) async fn pairs(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let c = questions::find(&k, &cx, &code).await?;
    let (v, _) = chosen(&k, &cx, &c, &asked).await?;
    let relation: Option<Relation> = parsed("relation", asked.relation.as_deref())?;
    let after = match asked.after.as_deref() {
        None | Some("") => None,
        Some(text) => {
            let (source, target) = text.split_once('\t').ok_or_else(|| wrong("after", text))?;
            Some((source.to_owned(), target.to_owned()))
        }
    };
    let read = async {
        let search = asked.q.clone().unwrap_or_default();
        let filter = PairFilter { search, relation, after, limit: limit(asked.limit) + 1 };
        let rows = stored_pairs::list(&k.db, v.id, &filter).await?;
        let next = |p: &Pair| format!("{}\t{}", p.source, p.target);
        Ok(Items::of(rows, limit(asked.limit), next, PairBody::from))
    };
    answer(&headers, &tag(&v), read).await
}

/// A whole version.
#[derive(Serialize, ToSchema)]
pub(super) struct Document {
    catalogue: String,
    name: String,
    version: i64,
    /// First day (ISO 8601).
    valid_from: String,
    /// Last day on which it answers, included.
    #[serde(skip_serializing_if = "Option::is_none")]
    answers_to: Option<String>,
    /// Of a catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<EntryBody>>,
    /// Of a mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pairs: Option<Vec<PairBody>>,
}

/// The whole of a version as one document: what a system keeps a copy of. Ask with `If-None-Match`.
#[utoipa::path(get, path = "/api/catalogues/v1/catalogues/{code}/document", tag = "rows",
    params(("code" = String, Path), Asked, ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = Document), (status = 304, description = "not changed"),
        (status = 404, description = "unknown, or no version on that day")))]
pub(super) async fn document(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let c = questions::find(&k, &cx, &code).await?;
    let (v, _) = chosen(&k, &cx, &c, &asked).await?;
    let last = v.last_day.map_or_else(|| "open".to_owned(), |d| d.to_string());
    let tag = format!("{}-{last}", tag(&v));
    let read = async {
        let (entries, pairs) = match crate::store::content(&k.db, c.kind, v.id).await? {
            Content::Entries(rows) => (Some(rows.into_iter().map(EntryBody::from).collect()), None),
            Content::Pairs(rows) => (None, Some(rows.into_iter().map(PairBody::from).collect())),
        };
        Ok(Document {
            catalogue: c.code.clone(),
            name: c.about.name_vi.clone(),
            version: v.number,
            valid_from: v.from().to_string(),
            answers_to: v.last_day.map(|d| d.to_string()),
            entries,
            pairs,
        })
    };
    answer(&headers, &tag, read).await
}

/// Rows for a draft, in one of three forms.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RowsBody {
    /// The text of a CSV file.
    csv: Option<String>,
    /// Entries of a catalogue.
    entries: Option<Vec<EntryBody>>,
    /// Pairs of a mapping.
    pairs: Option<Vec<PairBody>>,
}

impl RowsBody {
    fn given(self, c: &Catalogue) -> Result<Given, Error> {
        match (self.csv, self.entries, self.pairs) {
            (Some(csv), None, None) => {
                Given::from_csv(c.kind, csv.as_bytes()).map_err(|text| Error::field("csv", text))
            }
            (None, Some(rows), None) if !c.is_mapping() => {
                Ok(Given::Entries(reading("entries", rows, EntryBody::entry)?))
            }
            (None, None, Some(rows)) if c.is_mapping() => {
                Ok(Given::Pairs(reading("pairs", rows, PairBody::pair)?))
            }
            _ => Err(Error::field("body", Text::both(t::rows_one_form))),
        }
    }
}

fn reading<B: std::fmt::Debug, T>(
    name: &str,
    rows: Vec<B>,
    read: impl Fn(B) -> Result<T, Text>,
) -> Result<Reading<T>, Error> {
    if rows.len() > MAX_ROWS {
        return Err(Error::field(name, Text::both(|l| t::too_many_rows(l, MAX_ROWS))));
    }
    let mut out = Reading::default();
    for (row, line) in rows.into_iter().zip(1..) {
        let given = clip(&format!("{row:?}"));
        match read(row) {
            Ok(row) => out.rows.push(Line { line, row }),
            Err(reason) => out.refused.push(Refused { line, reason, given }),
        }
    }
    Ok(out)
}

/// Whether to write.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Way {
    /// Only compare.
    #[serde(default)]
    dry_run: bool,
}

/// What an import did or would do.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportView {
    /// Whether the rows were written. Never while one is refused.
    applied: bool,
    /// Rows of the draft afterwards.
    rows: i64,
    /// The draft's revision afterwards.
    revision: i64,
    /// Rows added, changed, removed, and how many stayed.
    #[schema(value_type = Object)]
    changes: crate::content::Changes,
    /// Rows that are not taken, with line and reason.
    #[schema(value_type = Vec<Object>)]
    refused: Vec<Refused>,
}

/// Puts rows into a draft, in place of those there: all or none. Honours `If-Match`; `dry_run=true` only compares.
#[utoipa::path(put, path = "/api/catalogues/v1/catalogues/{code}/versions/{number}/rows", tag = "rows",
    params(("code" = String, Path), ("number" = i64, Path), Way, ("If-Match" = Option<String>, Header)),
    request_body = RowsBody,
    responses((status = 200, body = ImportView, description = "written, or nothing to write, or compared only"),
        (status = 422, description = "a row is refused and nothing was written, or the body cannot be read"),
        (status = 404, description = "unknown"), (status = 409, description = "changed meanwhile, or not a draft")))]
pub(super) async fn replace(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, number)): Path<(String, i64)>,
    Query(way): Query<Way>,
    headers: HeaderMap,
    web::Json(body): web::Json<RowsBody>,
) -> web::Result<Response> {
    let c = questions::find(&k, &cx, &code).await?;
    let given = body.given(&c)?;
    let done = actions::import(&k, &cx, &code, number, given, if_match(&headers)?, way.dry_run).await?;
    let refused = !done.refused.is_empty() && !way.dry_run;
    let status = if refused { http::StatusCode::UNPROCESSABLE_ENTITY } else { http::StatusCode::OK };
    let view = ImportView {
        applied: done.applied,
        rows: done.version.rows,
        revision: done.version.revision,
        changes: done.changes,
        refused: done.refused,
    };
    Ok((status, super::tagged(&view.revision.to_string()), Json(view)).into_response())
}
