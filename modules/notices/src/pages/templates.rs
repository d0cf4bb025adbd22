//! The words of messages: shown, changed with a preview, and back to the shipped ones.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::error::{Error, FieldError};
use base::i18n::Lang;
use http::StatusCode;
use kernel::{Kernel, Scope};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Code, Column, Facts, Field, Form, Head, Help, Html, Row, Section, Table, Tabs, Tone,
};
use web::{Answers, Cx, Page, Path, Query, Redirect};

use super::{HOME, TEMPLATES, template_name};
use crate::actions::templates as acts;
use crate::permissions::{OPERATE, READ};
use crate::store::templates;
use crate::t;
use crate::template::{self, MAX_BODY, MAX_SHORT, MAX_SUBJECT, Words};

pub(super) async fn list(State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    cx.may(READ, &Scope::province())?;
    let l = cx.lang;
    let mut table = Table::new(l, t::templates_title(l))
        .column(Column::text(t::col_template(l)))
        .column(Column::text(t::col_subject(l)))
        .column(Column::text(t::col_origin(l)));
    for name in template::shipped()?.keys() {
        let (words, own) = templates::words(&k.db, name, l).await?;
        table = table.row(
            Row::new([
                Cell::with_sub(template_name(l, name), name),
                Cell::text(&words.subject),
                Cell::badge(origin(l, own)),
            ])
            .href(format!("{TEMPLATES}/{name}")),
        );
    }
    let head = Head::new(l, t::templates_title(l)).sub(t::templates_sub(l));
    let frame = cx.frame(t::templates_title(l)).crumb(t::messages_title(l), HOME);
    Ok(web::page(
        &frame,
        web::body![head, table, Help::new(t::templates_help_title(l), t::templates_help(l))],
    ))
}

fn origin(l: Lang, own: bool) -> Badge {
    if own {
        Badge::new(Tone::Info, t::origin_own(l))
    } else {
        Badge::new(Tone::Neutral, t::origin_shipped(l))
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    lang: String,
}

/// The language whose words are shown: the one asked for, or the reader's.
fn wanted(cx: &Cx, lang: &str) -> Lang {
    Lang::from_tag(lang).unwrap_or(cx.lang)
}

pub(super) async fn one(
    State(k): State<Kernel>,
    cx: Cx,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let lang = wanted(&cx, &asked.lang);
    template::find(&name)?;
    let (words, own) = templates::words(&k.db, &name, lang).await?;
    Ok(shown(&cx, &name, lang, &Shown { words: &words, own, errors: &[], preview: false })?)
}

struct Shown<'a> {
    words: &'a Words,
    own: bool,
    errors: &'a [FieldError],
    preview: bool,
}

fn shown(cx: &Cx, name: &str, lang: Lang, s: &Shown<'_>) -> kernel::Result<Page> {
    cx.may(READ, &Scope::province())?;
    let l = cx.lang;
    let template = template::find(name)?;
    let path = format!("{TEMPLATES}/{name}");
    let may = cx.holds(OPERATE, &Scope::province());
    let mut head = Head::new(l, template_name(l, name)).code(name).badge(origin(l, s.own));
    if s.own && may {
        let reset =
            Action::post(cx, t::template_reset(l), format!("{path}/reset")).hidden("lang", lang.tag());
        head = head.action(reset);
    }
    let mut body = Html::of(head);
    let mut tabs = Tabs::new(l);
    for (word, of) in [("Tiếng Việt", Lang::Vi), ("English", Lang::En)] {
        tabs = tabs.tab(word, format!("{path}?lang={}", of.tag()), None, of == lang);
    }
    body.push(tabs);
    let arguments: Vec<String> = template.arguments.iter().map(|a| format!("{{{a}}}")).collect();
    body.push(Section::new(
        t::arguments_title(l),
        Facts::new().row(t::arguments_label(l), Cell::code(arguments.join("  "))),
    ));
    if may {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let form = Form::post(cx, &path)
            .errors(s.errors)
            .field(Field::hidden("lang", lang.tag()))
            .field(
                Field::text("subject", t::col_subject(l))
                    .value(&s.words.subject)
                    .max(number(MAX_SUBJECT))
                    .required(),
            )
            .field(
                Field::textarea("body", t::field_body(l))
                    .value(&s.words.body)
                    .rows(12)
                    .max(number(MAX_BODY))
                    .required(),
            )
            .field(
                Field::textarea("short", t::field_short(l))
                    .help(t::field_short_help(l))
                    .value(&s.words.short)
                    .rows(3)
                    .max(number(MAX_SHORT))
                    .required(),
            )
            .field(Field::checkbox("preview", t::field_preview(l)))
            .submit(t::template_save(l));
        body.push(Section::new(t::template_edit(l), form));
    }
    if s.preview || !may {
        body.push(preview(l, lang, template, s.words));
    }
    let frame = cx
        .frame(template_name(l, name))
        .crumb(t::messages_title(l), HOME)
        .crumb(t::templates_title(l), TEMPLATES);
    Ok(web::page(&frame, body))
}

/// The words with a believable value for each argument.
fn preview(l: Lang, lang: Lang, template: &template::Template, words: &Words) -> Section {
    let value = |name: &str| match name {
        "title" => t::sample_title(lang).to_owned(),
        "cause" | "known" | "text" => t::sample_cause(lang).to_owned(),
        "todo" => t::sample_todo(lang).to_owned(),
        "since" | "until" | "expected" => "22/11/2026 08:14".to_owned(),
        "severity" => t::severity_critical(lang).to_owned(),
        "link" => "https://lienthong.example.vn/…".to_owned(),
        "code" => "123456".to_owned(),
        "count" | "times" => "3".to_owned(),
        "minutes" => "15".to_owned(),
        other => format!("⟨{other}⟩"),
    };
    let arguments = template.arguments.iter().map(|a| (a.clone(), value(a))).collect();
    let words = template::render(words, &arguments);
    let mut body = Html::of(Facts::new().row(t::col_subject(l), Cell::text(&words.subject)));
    body.push(Code::new(l, words.body).title(t::field_body(l)).wrapped());
    body.push(Code::new(l, words.short).title(t::field_short(l)).wrapped());
    Section::new(t::preview_title(l), body)
}

pub(super) async fn save(
    State(k): State<Kernel>,
    cx: Cx,
    Path(name): Path<String>,
    a: Answers,
) -> web::Result<Response> {
    let lang = wanted(&cx, a.get("lang"));
    let text = |field: &str| a.get(field).replace("\r\n", "\n");
    let words = Words { subject: text("subject"), body: text("body"), short: text("short") };
    let own = templates::words(&k.db, &name, lang).await?.1;
    let errors = template::check(&template::find(&name)?.arguments, &words).err().unwrap_or_default();
    if !a.get("preview").is_empty() && errors.is_empty() {
        let page = shown(&cx, &name, lang, &Shown { words: &words, own, errors: &[], preview: true })?;
        return Ok(page.into_response());
    }
    match acts::save(&k, &cx, &name, lang, &words).await {
        Ok(()) => {
            let back = format!("{TEMPLATES}/{name}?lang={}", lang.tag());
            Ok(Redirect::to(back).saying(t::template_saved(cx.lang)).into_response())
        }
        Err(Error::Invalid(errors)) => {
            let page =
                shown(&cx, &name, lang, &Shown { words: &words, own, errors: &errors, preview: false })?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

pub(super) async fn reset(
    State(k): State<Kernel>,
    cx: Cx,
    Path(name): Path<String>,
    a: Answers,
) -> web::Result<Redirect> {
    let lang = wanted(&cx, a.get("lang"));
    acts::reset(&k, &cx, &name, lang).await?;
    let back = format!("{TEMPLATES}/{name}?lang={}", lang.tag());
    Ok(Redirect::to(back).saying(t::template_was_reset(cx.lang)))
}
