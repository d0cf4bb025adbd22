//! The provider's decisions: each asks once, states its consequence in one sentence, and waits until the
//! gateway knows before it says that it is done.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::clock::Date;
use base::error::FieldError;
use base::i18n::{Lang, Text};
use http::StatusCode;
use kernel::{Error, Kernel, Result};
use web::ui::{Confirm, Field, Form, Head, Html, Notice, Section, Tone};
use web::{Answers, Cx, Page, Path, Redirect};

use super::agreements::{Found, find, terms};
use super::parts;
use crate::actions::{self, Decision, Request};
use crate::agreement::{Approval, Letter, Reason, Scope, Step};
use crate::ids::{AgreementId, EndpointId};
use crate::quota::{MAX_CALLS, Quota};
use crate::{listen, t};

/// The steps people take, as written in addresses.
fn step(word: &str) -> Result<Step> {
    let known = [
        Step::Approve,
        Step::Refuse,
        Step::Suspend,
        Step::Resume,
        Step::Revoke,
        Step::Return,
        Step::Test,
        Step::Produce,
        Step::Publish,
    ];
    known.into_iter().find(|s| s.as_str() == word).ok_or(Error::NotFound { kind: "page" })
}

pub(super) async fn ask(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, word)): Path<(AgreementId, String)>,
) -> web::Result<Page> {
    let step = step(&word)?;
    let found = find(&k, &cx, id).await?;
    if !found.may_decide {
        return Err(Error::Denied { permission: crate::permissions::DECIDE.name }.into());
    }
    Ok(page(&cx, &found, step, &Given::asked(&found), &[]))
}

/// What stands in the form.
struct Given {
    endpoints: BTreeSet<EndpointId>,
    fields: Vec<String>,
    valid_to: String,
    per_minute: String,
    per_day: String,
    letter_number: String,
    letter_date: String,
    reason: String,
    without_run: bool,
    version: u32,
}

impl Given {
    /// As asked for by the consumer.
    fn asked(found: &Found) -> Self {
        let terms = &found.agreement.terms;
        Self {
            endpoints: match &terms.scope {
                Scope::Whole => BTreeSet::new(),
                Scope::Endpoints(ids) => ids.clone(),
            },
            fields: terms.fields.clone(),
            valid_to: terms.valid_to.vn(),
            per_minute: terms.quota.per_minute.map(|n| n.to_string()).unwrap_or_default(),
            per_day: terms.quota.per_day.map(|n| n.to_string()).unwrap_or_default(),
            // The letter cited so far is the one by which it was asked; the provider's own is another.
            letter_number: String::new(),
            letter_date: String::new(),
            reason: String::new(),
            without_run: false,
            version: found.agreement.version,
        }
    }

    fn sent(answers: &Answers) -> Self {
        Self {
            endpoints: answers.all("endpoints").filter_map(|id| id.parse().ok()).collect(),
            fields: answers.all("fields").map(ToOwned::to_owned).collect(),
            valid_to: answers.get("valid_to").to_owned(),
            per_minute: answers.get("per_minute").trim().to_owned(),
            per_day: answers.get("per_day").trim().to_owned(),
            letter_number: answers.get("letter_number").to_owned(),
            letter_date: answers.get("letter_date").to_owned(),
            reason: answers.get("reason").to_owned(),
            without_run: !answers.get("without_run").is_empty(),
            version: answers.get("version").parse().unwrap_or(0),
        }
    }
}

fn page(cx: &Cx, found: &Found, step: Step, given: &Given, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let row = &found.row;
    let title = t::agreement_title(l, &row.number);
    let back = format!("/exchange/agreements/{}", row.id);
    let action = format!("{back}/{}", step.as_str());
    let mut body =
        Html::of(Head::new(l, act(l, step)).code(&row.number).badge(parts::state(l, row.state)).sub(
            t::agreement_sub(l, t::AgreementSub { consumer: &row.consumer_name, service: &row.service_name }),
        ));
    if step == Step::Approve {
        body.push(Notice::new(
            Tone::Info,
            t::consequence_approve(
                l,
                t::ConsequenceApprove { consumer: &row.consumer_name, member: &row.consumer_member },
            ),
        ));
        body.push(approval_form(cx, found, given, &action, &back).errors(errors));
        body.push(parts::apart(Section::new(t::terms_title(l), terms(l, &found.agreement.terms))));
    } else {
        let consequence = match step {
            Step::Refuse => t::consequence_refuse(l, &row.consumer_member),
            Step::Suspend => t::consequence_suspend(l, &row.consumer_name),
            Step::Resume => t::consequence_resume(l, &row.consumer_name),
            Step::Return => t::consequence_return(l, &row.consumer_member),
            Step::Test => t::consequence_test(l).to_owned(),
            Step::Produce => t::consequence_produce(l, &row.consumer_name),
            Step::Publish => t::consequence_publish(l).to_owned(),
            _ => t::consequence_revoke(l, &row.consumer_name),
        };
        let confirm = Confirm::post(cx, &action, consequence, act(l, step))
            .cancel(&back)
            .hidden("version", given.version);
        let confirm = match step {
            Step::Resume | Step::Test | Step::Publish => confirm,
            _ => confirm.field(
                Field::textarea("reason", reason_label(l, step))
                    .help(reason_help(l, step))
                    .value(&given.reason)
                    .rows(3)
                    .max(1_000)
                    .required(),
            ),
        };
        let confirm = match step {
            Step::Produce => confirm.field(
                Field::checkbox("without_run", t::field_without_run(l))
                    .help(t::field_without_run_help(l))
                    .value(if given.without_run { "on" } else { "" }),
            ),
            _ => confirm,
        };
        let confirm = if matches!(step, Step::Revoke | Step::Refuse) { confirm.danger() } else { confirm };
        body.push(confirm.errors(errors));
    }
    let frame =
        cx.frame(act(l, step)).crumb(t::agreements_title(l), "/exchange/agreements").crumb(title, back);
    web::page(&frame, body)
}

/// Everything is as asked for; what the provider takes away makes the approval narrower.
fn approval_form(cx: &Cx, found: &Found, given: &Given, action: &str, back: &str) -> Form {
    let l = cx.lang;
    let asked = &found.agreement.terms;
    let mut form = Form::post(cx, action).field(Field::hidden("version", given.version));
    if let Scope::Endpoints(ids) = &asked.scope {
        let options = found.endpoints.iter().filter(|e| ids.contains(&e.id)).map(|e| {
            let name = if e.name.is_empty() { String::new() } else { format!(" – {}", e.name) };
            (e.id.to_string(), format!("{}{name}", e.route))
        });
        let field = Field::checks("endpoints", t::field_endpoints(l), options.collect())
            .values(given.endpoints.iter())
            .help(t::field_endpoints_help(l));
        form = form.field(field);
    }
    if !asked.fields.is_empty() {
        let options = asked.fields.iter().map(|f| (f.clone(), f.clone())).collect();
        let field = Field::checks("fields", t::fact_fields(l), options).values(given.fields.iter());
        form = form.field(field.help(t::field_fields_help(l)));
    }
    form.field(
        Field::date("valid_to", t::field_valid_to(l))
            .value(&given.valid_to)
            .help(t::field_valid_to_help(l, asked.valid_to.vn()))
            .required(),
    )
    .field(Field::number("per_minute", t::field_per_minute(l)).value(&given.per_minute).optional().half())
    .field(Field::number("per_day", t::field_per_day(l)).value(&given.per_day).optional().half())
    // Said above both, so that their boxes stand level.
    .section(t::letter_section(l), Some(t::field_letter_help(l)))
    .field(
        Field::text("letter_number", t::field_letter_number(l))
            .value(&given.letter_number)
            .max(200)
            .optional()
            .half(),
    )
    .field(Field::date("letter_date", t::field_letter_date(l)).value(&given.letter_date).optional().half())
    .submit(t::act_approve(l))
    .cancel(back)
}

fn act(l: Lang, step: Step) -> &'static str {
    match step {
        Step::Approve => t::act_approve(l),
        Step::Refuse => t::act_refuse(l),
        Step::Suspend => t::act_suspend(l),
        Step::Resume => t::act_resume(l),
        Step::Return => t::act_return(l),
        Step::Test => t::act_test(l),
        Step::Produce => t::act_produce(l),
        Step::Publish => t::act_publish(l),
        _ => t::act_revoke(l),
    }
}

fn reason_label(l: Lang, step: Step) -> &'static str {
    match step {
        Step::Return => t::field_wanted(l),
        Step::Produce => t::field_test_record(l),
        _ => t::field_reason(l),
    }
}

fn reason_help(l: Lang, step: Step) -> &'static str {
    match step {
        Step::Return => t::field_wanted_help(l),
        Step::Produce => t::field_test_record_help(l),
        _ => t::field_reason_help(l),
    }
}

pub(super) async fn take(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, word)): Path<(AgreementId, String)>,
    answers: Answers,
) -> web::Result<Response> {
    let step = step(&word)?;
    let given = Given::sent(&answers);
    let found = find(&k, &cx, id).await?;
    let decision = match decision(&found, step, &given) {
        Ok(decision) => decision,
        Err(errors) => return Ok(again(&cx, &found, step, &given, &errors)),
    };
    let request = Request { expected: Some(given.version), once: None };
    match actions::decide(&k, &cx, id, &decision, &request).await {
        Ok((agreement, committed)) => {
            // People see the effect of what they did: the gateway decides by it before the page says so.
            k.wait_for(listen::LISTENER, &committed).await;
            let l = cx.lang;
            let said =
                t::decided(l, t::Decided { number: &agreement.number, state: agreement.state.label(l) });
            Ok(Redirect::to(format!("/exchange/agreements/{id}")).saying(said).into_response())
        }
        Err(Error::Invalid(errors)) => Ok(again(&cx, &found, step, &given, &errors)),
        Err(e) => Err(e.into()),
    }
}

fn again(cx: &Cx, found: &Found, step: Step, given: &Given, errors: &[FieldError]) -> Response {
    page(cx, found, step, given, errors).status(StatusCode::UNPROCESSABLE_ENTITY).into_response()
}

fn decision(found: &Found, step: Step, given: &Given) -> std::result::Result<Decision, Vec<FieldError>> {
    let reason = || Reason::new(&given.reason).map_err(|e| vec![e]);
    match step {
        Step::Approve => approval(found, given).map(Decision::Approve),
        Step::Refuse => Ok(Decision::Refuse(reason()?)),
        Step::Suspend => Ok(Decision::Suspend(reason()?)),
        Step::Resume => Ok(Decision::Resume),
        Step::Return => Ok(Decision::Return(reason()?)),
        Step::Test => Ok(Decision::Test),
        Step::Produce => Ok(Decision::Produce { record: reason()?, without_run: given.without_run }),
        Step::Publish => Ok(Decision::Publish),
        _ => Ok(Decision::Revoke(reason()?)),
    }
}

fn approval(found: &Found, given: &Given) -> std::result::Result<Approval, Vec<FieldError>> {
    let asked = &found.agreement.terms;
    let mut wrong = Vec::new();
    let mut say = |field: &str, text: Text| wrong.push(FieldError { field: field.to_owned(), text });
    let valid_to = Date::parse_vn(&given.valid_to);
    match valid_to {
        None => say("valid_to", Text::both(t::field_date_wrong)),
        Some(last) if last > asked.valid_to || last < asked.valid_from => {
            say(
                "valid_to",
                Text::both(|l| {
                    t::field_valid_to_range(
                        l,
                        t::FieldValidToRange { first: asked.valid_from.vn(), last: asked.valid_to.vn() },
                    )
                }),
            );
        }
        Some(_) => {}
    }
    let mut calls = |field: &str, text: &str| match text.parse::<u32>() {
        _ if text.is_empty() => None,
        Ok(n) => Some(n),
        Err(_) => {
            say(field, Text::both(|l| t::quota_range(l, MAX_CALLS)));
            None
        }
    };
    // What is left empty stays as asked.
    let quota = Quota {
        per_minute: calls("per_minute", &given.per_minute).or(asked.quota.per_minute),
        per_day: calls("per_day", &given.per_day).or(asked.quota.per_day),
    };
    if !quota.within(&asked.quota) {
        say("per_minute", Text::both(t::field_quota_wider));
    }
    let quota = Some(quota);
    if matches!(asked.scope, Scope::Endpoints(_)) && given.endpoints.is_empty() {
        say("endpoints", Text::both(t::field_endpoints_empty));
    }
    if !asked.fields.is_empty() && given.fields.is_empty() {
        say("fields", Text::both(t::field_fields_empty));
    }
    let letter_date = if given.letter_date.is_empty() { None } else { Date::parse_vn(&given.letter_date) };
    let letter = match (given.letter_number.is_empty(), letter_date) {
        (true, None) if given.letter_date.is_empty() => None,
        (false, Some(date)) => Some(Letter { number: given.letter_number.clone(), date }),
        (true, Some(_)) => {
            say("letter_number", Text::both(t::field_letter_both));
            None
        }
        (_, None) => {
            say("letter_date", Text::both(t::field_letter_both));
            None
        }
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let scope = match &asked.scope {
        Scope::Whole => None,
        Scope::Endpoints(_) => Some(Scope::Endpoints(given.endpoints.clone())),
    };
    let fields = (!asked.fields.is_empty()).then(|| given.fields.clone());
    Ok(Approval { scope, fields, quota, valid_to, letter })
}
