//! Can the providers be reached from here? Each address is really tried when the page is opened; the page
//! names whose side is down and which services that concerns.

use axum::extract::State;
use kernel::Kernel;
use web::ui::{Action, Badge, Cell, Column, Empty, Head, Help, Html, Icon, Notice, Row, Table, Tone};
use web::{Cx, Page};

use super::{connection, parts};
use crate::service::BaseUrl;
use crate::store::lists::{self, CatalogueFilter, MAX_PAGE, ServiceRow};
use crate::t;
use crate::upstream::{self, Reached};
use crate::viewer::Viewer;

/// The services behind one address.
struct Address {
    url: BaseUrl,
    services: Vec<ServiceRow>,
}

pub(super) async fn page(State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    // Only whoever runs or provides a service is concerned with its inner address.
    let own =
        lists::subsystems(&k.db, &viewer, &CatalogueFilter { limit: MAX_PAGE, ..Default::default() }).await?;
    let services =
        lists::services(&k.db, &viewer, &CatalogueFilter { limit: MAX_PAGE, ..Default::default() }).await?;
    let mut addresses: Vec<Address> = Vec::new();
    for s in services {
        if viewer != Viewer::All && !own.iter().any(|o| o.id == s.subsystem) {
            continue;
        }
        match addresses.iter_mut().find(|a| a.url.authority() == s.base_url.authority()) {
            Some(known) => known.services.push(s),
            None => addresses.push(Address { url: s.base_url.clone(), services: vec![s] }),
        }
    }
    let urls: Vec<_> = addresses.iter().map(|a| a.url.clone()).collect();
    let reached = upstream::reach(&urls).await;
    let down = reached.iter().filter(|r| !matches!(r, Reached::Yes(_))).count();
    let mut body = Html::of(Head::new(l, t::checks_title(l)).sub(t::checks_sub(l)));
    if !addresses.is_empty() {
        body.push(match down {
            0 => Notice::new(Tone::Good, t::checks_all_good(l)),
            n => Notice::new(Tone::Bad, t::checks_some_bad(l, i64::try_from(n).unwrap_or(i64::MAX))),
        });
    }
    body.push(
        Table::new(l, t::checks_title(l))
            .column(Column::text(t::column_provider(l)))
            .column(Column::text(t::fact_base_url(l)))
            .column(Column::text(t::nav_services(l)))
            .column(Column::text(t::column_state(l)))
            .column(Column::end(t::diagnose_title(l)))
            .rows(addresses.iter().zip(&reached).map(|(a, r)| {
                let first = a.services.first();
                let names: Vec<_> = a.services.iter().map(|s| s.name.as_str()).collect();
                Row::new([
                    first.map_or_else(Cell::none, |s| Cell::named(&s.subsystem_name, &s.member_name)),
                    Cell::code(a.url.authority()),
                    Cell::text(names.join("; ")),
                    Cell::badge(badge(&cx, r)),
                    first.map_or_else(Cell::none, |s| {
                        Cell::end(Action::link(t::diagnose_link(l), connection::href(s.id)).small())
                    }),
                ])
            }))
            .empty(Empty::new(Icon::PlugConnected, t::services_empty(l), t::services_empty_text(l))),
    );
    body.push(Help::new(t::checks_help_title(l), t::checks_help(l)));
    Ok(web::page(&cx.frame(t::checks_title(l)), body))
}

fn badge(cx: &Cx, reached: &Reached) -> Badge {
    let l = cx.lang;
    match reached {
        Reached::Yes(after) => {
            let micros = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
            Badge::new(Tone::Good, t::reached_yes(l, parts::millis(l, micros)))
        }
        Reached::Refused => Badge::new(Tone::Bad, t::reached_refused(l)),
        Reached::UnknownName => Badge::new(Tone::Bad, t::reached_unknown_name(l)),
        Reached::TimedOut => Badge::new(Tone::Bad, t::reached_timed_out(l)),
    }
}
