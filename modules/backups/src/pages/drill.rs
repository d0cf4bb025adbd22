//! The record of a drill, to be read and printed.

use axum::extract::State;
use kernel::{Error, Kernel};
use web::ui::{Cell, Facts, Head, Html, Notice, Section, Tone};
use web::{Cx, Page, Path};

use super::HOME;
use super::home::result;
use crate::permissions::may_read;
use crate::report::{by, conclusion, lines};
use crate::store::{self, Kind};
use crate::{Drilled, RunId, t};

pub(super) async fn page(State(k): State<Kernel>, cx: Cx, Path(id): Path<RunId>) -> web::Result<Page> {
    may_read(&cx)?;
    let l = cx.lang;
    let run = store::one(&k, id).await?;
    if run.kind != Kind::Drill {
        return Err(Error::NotFound { kind: RunId::KIND }.into());
    }
    let head = Head::new(l, t::report_title(l)).sub(cx.site().name()).badge(result(&cx, &run));
    let mut body = Html::of(head);
    match (run.detail::<Drilled>(), run.error()) {
        (Ok(drilled), _) => {
            let tone = if drilled.is_well() { Tone::Good } else { Tone::Bad };
            body.push(Notice::new(tone, conclusion(l, &drilled)).title(t::report_conclusion(l)));
            let facts = lines(l, &run, &drilled)
                .into_iter()
                .fold(Facts::new(), |facts, (label, value)| facts.row(label, Cell::text(value)));
            body.push(Section::new(t::report_facts(l), facts));
            let faults: Vec<_> = drilled.trials.into_iter().flat_map(|t| t.faults).collect();
            if !faults.is_empty() {
                let list = faults
                    .into_iter()
                    .fold(Facts::new(), |f, fault| f.row(t::report_fault(l), Cell::text(fault)));
                body.push(Section::new(t::report_faults(l), list));
            }
        }
        (Err(_), error) => {
            let text = error.unwrap_or(t::result_running(l));
            body.push(Notice::new(if error.is_some() { Tone::Bad } else { Tone::Info }, text));
            let facts = Facts::new()
                .row(t::report_by(l), Cell::text(by(l, &run)))
                .row(t::report_began(l), Cell::time(run.started_at));
            body.push(Section::new(t::report_facts(l), facts));
        }
    }
    Ok(web::page(&cx.frame(t::report_title(l)).crumb(t::home_title(l), HOME), body))
}
