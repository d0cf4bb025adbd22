//! Translation of codes and the completeness of a mapping in the interface.

use axum::Json;
use axum::extract::State;
use base::i18n::Text;
use kernel::{Cx as Context, Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Cx, Path, Query};

use super::{required_day, wrong};
use crate::catalogue::Catalogue;
use crate::ids::CatalogueId;
use crate::questions::{self, MAX_CODES, Translated};
use crate::t;

/// What is to be translated.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// The code.
    #[serde(default)]
    code: String,
    /// The day (ISO 8601). Needed.
    on: Option<String>,
    /// From the target back to the source.
    #[serde(default)]
    back: bool,
}

/// A counterpart.
#[derive(Serialize, ToSchema)]
struct CounterpartView {
    code: String,
    /// `equal`, `narrower` (the code asked for is a part of this one), `broader` or `overlaps`.
    relation: &'static str,
    /// Absent when the list has lost the code since the mapping was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
}

/// The answer for one code.
#[derive(Serialize, ToSchema)]
pub(super) struct TranslatedView {
    code: String,
    /// `translated`, `no-counterpart`, `unmapped`, `unknown-code` or `no-version`.
    outcome: &'static str,
    /// The outcome in a sentence.
    #[schema(value_type = Object)]
    message: Text,
    /// Counterparts; several where the code is broader or overlaps, and then the code alone decides nothing.
    to: Vec<CounterpartView>,
    /// Why there is none, as the mapping states it.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
}

impl From<Translated> for TranslatedView {
    fn from(a: Translated) -> Self {
        let to = a.to.into_iter().map(|c| CounterpartView {
            code: c.code,
            relation: c.relation.as_str(),
            name: c.entry.map(|e| e.name_vi),
            note: c.note,
        });
        Self {
            code: a.code,
            outcome: a.outcome.as_str(),
            message: Text::both(|l| a.outcome.say(l)),
            to: to.collect(),
            reason: a.reason,
        }
    }
}

/// Translations with what they were made by.
#[derive(Serialize, ToSchema)]
pub(super) struct Translations {
    /// Code of the mapping.
    mapping: String,
    /// Number of its version; absent when none answers on the day.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// The day (ISO 8601).
    on: String,
    /// In the order of the codes asked for.
    answers: Vec<TranslatedView>,
}

async fn mapping(k: &Kernel, cx: &Context, code: &str) -> Result<Catalogue, Error> {
    let found = questions::find(k, cx, code).await?;
    if found.is_mapping() { Ok(found) } else { Err(Error::NotFound { kind: CatalogueId::KIND }) }
}

async fn translated(
    k: &Kernel,
    cx: &Context,
    code: &str,
    codes: &[String],
    on: Option<&str>,
    back: bool,
) -> Result<Json<Translations>, Error> {
    let on = required_day("on", on)?;
    let c = mapping(k, cx, code).await?;
    let (version, answers) = questions::translate(k, &c, codes, on, back).await?;
    Ok(Json(Translations {
        mapping: c.code,
        version,
        on: on.to_string(),
        answers: answers.into_iter().map(TranslatedView::from).collect(),
    }))
}

/// Translates one code as on a day.
#[utoipa::path(get, path = "/api/catalogues/v1/mappings/{code}/translate", tag = "mappings",
    params(("code" = String, Path, description = "code of the mapping"), Asked),
    responses((status = 200, body = Translations), (status = 404, description = "no such mapping")))]
pub(super) async fn translate(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
) -> web::Result<Json<Translations>> {
    let given = base::text::nfc(asked.code.trim());
    if given.is_empty() {
        return Err(wrong("code", &given).into());
    }
    Ok(translated(&k, &cx, &code, &[given], asked.on.as_deref(), asked.back).await?)
}

/// Many codes at once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Many {
    /// At most 10,000.
    codes: Vec<String>,
    /// The day (ISO 8601).
    on: String,
    /// From the target back to the source.
    #[serde(default)]
    back: bool,
}

/// Translates many codes as on a day; answers come in their order. Changes nothing.
#[utoipa::path(post, path = "/api/catalogues/v1/mappings/{code}/translate", tag = "mappings",
    params(("code" = String, Path, description = "code of the mapping")), request_body = Many,
    responses((status = 200, body = Translations), (status = 404, description = "no such mapping"),
        (status = 422, description = "too many codes, or no day")))]
pub(super) async fn translate_many(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    web::Json(asked): web::Json<Many>,
) -> web::Result<Json<Translations>> {
    if asked.codes.len() > MAX_CODES {
        return Err(Error::field("codes", Text::both(|l| t::too_many_codes(l, MAX_CODES))).into());
    }
    let codes: Vec<String> = asked.codes.iter().map(|c| base::text::nfc(c.trim())).collect();
    Ok(translated(&k, &cx, &code, &codes, Some(&asked.on), asked.back).await?)
}

/// For which day.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct On {
    /// The day (ISO 8601). Needed.
    on: Option<String>,
}

/// What a mapping covers and leaves open on a day.
#[derive(Serialize, ToSchema)]
pub(super) struct CompletenessView {
    mapping: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    on: String,
    /// Whether every source code is answered for and none leads to a code that is gone.
    whole: bool,
    /// Codes in the source's list.
    source: usize,
    /// Codes in the target's list.
    target: usize,
    /// Source codes with a counterpart.
    mapped: usize,
    /// Source codes for which the mapping states that there is none.
    none: usize,
    /// Source codes the mapping says nothing about.
    unmapped: Vec<String>,
    /// Target codes no source code leads to.
    unreached: Vec<String>,
    /// Codes in the mapping that the source's list does not have.
    lost_source: Vec<String>,
    /// Codes in the mapping that the target's list does not have.
    lost_target: Vec<String>,
}

/// Compares a mapping with its two lists as on a day.
#[utoipa::path(get, path = "/api/catalogues/v1/mappings/{code}/completeness", tag = "mappings",
    params(("code" = String, Path, description = "code of the mapping"), On),
    responses((status = 200, body = CompletenessView), (status = 404, description = "no such mapping"),
        (status = 409, description = "one of its catalogues has no version on that day")))]
pub(super) async fn completeness(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    Query(asked): Query<On>,
) -> web::Result<Json<CompletenessView>> {
    let on = required_day("on", asked.on.as_deref())?;
    let c = mapping(&k, &cx, &code).await?;
    let found = questions::completeness(&k, &c, on).await?;
    Ok(Json(CompletenessView {
        mapping: c.code,
        version: found.version,
        on: on.to_string(),
        whole: found.whole(),
        source: found.source,
        target: found.target,
        mapped: found.mapped,
        none: found.none,
        unmapped: found.unmapped,
        unreached: found.unreached,
        lost_source: found.lost_source,
        lost_target: found.lost_target,
    }))
}
