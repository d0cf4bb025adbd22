//! Making a catalogue or mapping, and correcting its description.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::error::FieldError;
use http::StatusCode;
use kernel::orgs::Tree;
use kernel::{AgencyFilter, Error, Kernel};
use serde::Deserialize;
use web::ui::{Field, Form as Fields, Head};
use web::{Cx, Form, Page, Path, Redirect};

use super::parts;
use crate::actions::{self, New, NewEnds};
use crate::catalogue::{Catalogue, Description, Kind, MAX_CODE, MAX_NAME, MAX_TEXT};
use crate::label;
use crate::permissions::EDIT;
use crate::store::catalogues::{self, ListFilter};
use crate::viewer::Viewer;
use crate::{questions, t};

/// More catalogues than a choice can show.
const CHOICE: u32 = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    kind: String,
    code: String,
    owner: String,
    name_vi: String,
    name_en: String,
    about: String,
    act: String,
    system: String,
    public: String,
    labels: String,
    source: String,
    target: String,
    source_on: String,
    target_on: String,
    revision: Option<i64>,
}

impl Input {
    fn of(c: &Catalogue) -> Self {
        let a = c.about.clone();
        Self {
            name_vi: a.name_vi,
            name_en: a.name_en,
            about: a.about,
            act: a.act,
            system: a.system,
            public: if a.public { "1".into() } else { String::new() },
            labels: label::to_lines(&a.labels),
            revision: Some(c.revision),
            ..Self::default()
        }
    }

    fn description(&self) -> Result<Description, Error> {
        Ok(Description {
            name_vi: self.name_vi.clone(),
            name_en: self.name_en.clone(),
            about: self.about.clone(),
            act: self.act.clone(),
            system: self.system.clone(),
            public: !self.public.is_empty(),
            labels: label::from_lines(&self.labels).map_err(|e| Error::Invalid(vec![e]))?,
        })
    }

    fn made(&self) -> Result<New, Error> {
        let mut wrong = Vec::new();
        let (source_on, target_on) = (
            parts::typed("source_on", &self.source_on, &mut wrong),
            parts::typed("target_on", &self.target_on, &mut wrong),
        );
        let kind: Option<Kind> = self.kind.parse().ok();
        let owner = self.owner.parse().ok();
        if owner.is_none() {
            wrong.push(crate::catalogue::field("owner", base::i18n::Text::both(t::owner_unknown)));
        }
        if kind.is_none() {
            wrong.push(crate::catalogue::field("kind", base::i18n::Text::both(t::kind_missing)));
        }
        let (Some(kind), Some(owner), true) = (kind, owner, wrong.is_empty()) else {
            return Err(Error::Invalid(wrong));
        };
        let ends = (kind == Kind::Mapping).then(|| NewEnds {
            source: self.source.clone(),
            target: self.target.clone(),
            source_on,
            target_on,
        });
        Ok(New { kind, code: self.code.clone(), about: self.description()?, owner, ends })
    }
}

pub(super) async fn new(State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    form(&k, &cx, &Input { kind: "shared".into(), ..Input::default() }, &[]).await
}

async fn form(k: &Kernel, cx: &Cx, v: &Input, errors: &[FieldError]) -> web::Result<Page> {
    let l = cx.lang;
    let today = k.clock.now().date();
    let owners: Vec<(String, String)> = match cx.agencies(EDIT) {
        AgencyFilter::Only(units) => k.orgs().versions_at(&units, today).await?,
        AgencyFilter::All => {
            let mut all = Vec::new();
            for root in k.orgs().roots(Tree::Agency, today).await? {
                all.extend(k.orgs().children(root.unit, today).await?);
                all.push(root);
            }
            all
        }
    }
    .into_iter()
    .map(|v| (v.unit.to_string(), v.full_name))
    .collect();
    let filter = ListFilter { mappings: Some(false), limit: CHOICE, ..ListFilter::default() };
    let listed = catalogues::list(&k.db, &Viewer::of(cx), today, &filter).await?;
    let ends: Vec<(String, String)> = listed
        .iter()
        .map(|r| (r.catalogue.code.clone(), format!("{} ({})", r.catalogue.about.name(l), r.catalogue.code)))
        .collect();
    let kinds = Kind::ALL.map(|k| (k.as_str().to_owned(), k.label(l).to_owned())).to_vec();
    let form = Fields::post(cx, "/catalogues")
        .errors(errors)
        .field(Field::radios("kind", t::col_kind(l), kinds).value(&v.kind).required())
        .field(
            Field::text("code", t::col_code(l))
                .help(t::code_help(l))
                .value(&v.code)
                .max(u32::try_from(MAX_CODE).unwrap_or(64))
                .mono()
                .required(),
        )
        .field(Field::select("owner", t::col_owner(l), owners).value(&v.owner).required());
    let form = described(cx, form, v)
        .section(t::mapping_section(l), Some(t::mapping_section_help(l)))
        .field(Field::select("source", t::col_source(l), ends.clone()).value(&v.source).half().optional())
        .field(Field::select("target", t::col_target(l), ends).value(&v.target).half().optional())
        .field(Field::date("source_on", t::source_on(l)).value(&v.source_on).half().optional())
        .field(Field::date("target_on", t::target_on(l)).value(&v.target_on).half().optional())
        .submit(t::catalogue_make(l))
        .cancel("/catalogues");
    let head = Head::new(l, t::catalogue_new(l)).sub(t::catalogue_new_sub(l));
    Ok(web::page(&parts::frame(cx, t::catalogue_new(l), None), web::body![head, form]))
}

fn described(cx: &Cx, form: Fields, v: &Input) -> Fields {
    let l = cx.lang;
    let (name, text) = (u32::try_from(MAX_NAME).unwrap_or(300), u32::try_from(MAX_TEXT).unwrap_or(2_000));
    form.field(Field::text("name_vi", t::name_vi(l)).value(&v.name_vi).max(name).half().required())
        .field(Field::text("name_en", t::col_name_en(l)).value(&v.name_en).max(name).half().optional())
        .field(Field::text("act", t::fact_act(l)).help(t::act_help(l)).value(&v.act).max(name).optional())
        .field(Field::textarea("about", t::fact_about(l)).value(&v.about).max(text).optional())
        .field(
            Field::text("system", t::fact_system(l))
                .help(t::system_help(l))
                .value(&v.system)
                .max(name)
                .mono()
                .optional(),
        )
        .field(
            Field::textarea("labels", t::labels(l))
                .help(t::labels_help(l))
                .value(&v.labels)
                .rows(3)
                .mono()
                .optional(),
        )
        .field(Field::checkbox("public", t::public_check(l)).help(t::public_help(l)).value(&v.public))
}

pub(super) async fn create(State(k): State<Kernel>, cx: Cx, Form(v): Form<Input>) -> web::Result<Response> {
    let made = async { actions::create(&k, &cx, v.made()?, None).await };
    match made.await {
        Ok((c, _)) => {
            Ok(Redirect::to(parts::path(&c.code)).saying(t::catalogue_made(cx.lang)).into_response())
        }
        Err(e) => again(e, |errors| async move { form(&k, &cx, &v, &errors).await }).await,
    }
}

/// The form as it was filled, with what was wrong; other errors go on.
pub(super) async fn again<F: Future<Output = web::Result<Page>>>(
    e: Error,
    page: impl FnOnce(Vec<FieldError>) -> F,
) -> web::Result<Response> {
    let (errors, status) = match e {
        Error::Invalid(errors) => (errors, StatusCode::UNPROCESSABLE_ENTITY),
        Error::Refused(r) => (vec![FieldError { field: String::new(), text: r.text }], StatusCode::CONFLICT),
        other => return Err(other.into()),
    };
    Ok(page(errors).await?.status(status).into_response())
}

pub(super) async fn edit(State(k): State<Kernel>, cx: Cx, Path(code): Path<String>) -> web::Result<Page> {
    let c = questions::find(&k, &cx, &code).await?;
    cx.may(EDIT, &kernel::Scope::agency(c.owner))?;
    Ok(edit_page(&cx, &c, &Input::of(&c), &[]))
}

fn edit_page(cx: &Cx, c: &Catalogue, v: &Input, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let here = parts::path(&c.code);
    let form = Fields::post(cx, format!("{here}/edit"))
        .errors(errors)
        .field(Field::hidden("revision", v.revision.unwrap_or(c.revision)));
    let form = described(cx, form, v).submit(t::save(l)).cancel(&here);
    let head = Head::new(l, t::catalogue_edit(l)).code(&c.code).sub(t::catalogue_edit_sub(l));
    web::page(&parts::frame(cx, t::catalogue_edit(l), Some(c)), web::body![head, form])
}

pub(super) async fn update(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    Form(v): Form<Input>,
) -> web::Result<Response> {
    let updated = async { actions::update(&k, &cx, &code, v.description()?, v.revision).await };
    match updated.await {
        Ok(c) => Ok(Redirect::to(parts::path(&c.code)).saying(t::saved(cx.lang)).into_response()),
        Err(e @ Error::Invalid(_)) => {
            let c = questions::find(&k, &cx, &code).await?;
            again(e, |errors| async move { Ok(edit_page(&cx, &c, &v, &errors)) }).await
        }
        Err(e) => Err(e.into()),
    }
}
