//! Looking up: nothing asked shows the provinces of the day, a code or name shows the unit or the units found.

use axum::extract::State;
use http::StatusCode;
use kernel::Kernel;
use kernel::clock::Date;
use kernel::i18n::Lang;
use serde::Deserialize;
use web::ui::{Action, Empty, Head, Help, Html, Icon, Notice, Tone};
use web::{Cx, Page, Query};

use super::results::{self, Found};
use super::{provinces, search};
use crate::{t, when};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    pub(super) on: String,
}

impl Asked {
    /// Code or words, cut to what anybody would type.
    pub(super) fn words(&self) -> String {
        self.q.trim().chars().take(200).collect()
    }
}

pub(super) async fn page(State(k): State<Kernel>, cx: Cx, Query(asked): Query<Asked>) -> web::Result<Page> {
    let l = cx.lang;
    let today = k.clock.now().date();
    let q = asked.words();
    let (on, typed, wrong) = match when::typed("on", &asked.on) {
        Ok(day) => (day.unwrap_or(today), day.unwrap_or(today).vn(), None),
        Err(e) => (today, asked.on.clone(), Some(e.text.get(l).to_owned())),
    };
    let states = k.orgs().states().await?;
    let frame = cx.frame(t::units_title(l)).wide();
    if states.is_empty() {
        let empty = Empty::new(Icon::MapPin, t::nothing_imported(l), t::nothing_imported_text(l));
        return Ok(web::page(&frame, web::body![head(l), empty]));
    }
    let asked = web::body![
        search::form("/units", l, &q, &typed, wrong.as_deref()),
        search::states(l, &states, &q, on)
    ];
    let help = Help::new(t::help_title(l), t::help_text(l));
    if wrong.is_some() {
        let page = web::page(&frame, web::body![head(l), asked, help]);
        return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY));
    }
    let body = match answer(&k, &cx, &states, &q, on).await? {
        Found::Unit(unit) => web::body![asked, unit, help],
        Found::List(list) => web::body![head(l), asked, list, help],
    };
    Ok(web::page(&frame, body))
}

fn head(l: Lang) -> Head {
    let data = Action::link(t::data_link(l), "/units/data").icon(Icon::Database);
    Head::new(l, t::units_title(l)).sub(t::units_sub(l)).action(data)
}

async fn answer(k: &Kernel, cx: &Cx, states: &[Date], q: &str, on: Date) -> web::Result<Found> {
    let l = cx.lang;
    match states.first() {
        Some(first) if on < *first => {
            let first = first.vn();
            let notice = Notice::new(Tone::Warn, t::before_data_text(l, &first))
                .title(t::before_data_title(l, &first));
            Ok(Found::List(Html::of(notice)))
        }
        _ if q.is_empty() => provinces::table(k, cx, on).await.map(Found::List),
        _ => results::found(k, cx, q, on).await,
    }
}
