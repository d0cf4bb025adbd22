//! The corner's first page: the reader's systems, each with what needs attention.

use axum::extract::{Extension, State};
use base::clock::Timestamp;
use kernel::{Kernel, Result};
use web::ui::{Cell, Column, Empty, Head, Help, Icon, Row, Table};
use web::{Cx, Page};

use super::home_path;
use crate::corner::credentials::{self, ends_soon};
use crate::corner::reach::{self, Own};
use crate::store::lists::{self, CallFilter, Ending};
use crate::{Exchange, t};

const DAY: i64 = 86_400_000_000;

pub(super) async fn page(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
) -> web::Result<Page> {
    let l = cx.lang;
    let systems = reach::systems(&k, &cx).await?;
    let mut table = Table::new(l, t::corner_systems(l))
        .column(Column::text(t::thing_subsystem(l)))
        .column(Column::number(t::corner_may_call(l)))
        .column(Column::number(t::corner_calls_day(l)))
        .column(Column::number(t::corner_refused_day(l)))
        .column(Column::number(t::corner_ending(l)))
        .empty(Empty::new(Icon::Tool, t::corner_none(l), t::corner_none_text(l)));
    for own in &systems {
        let figures = Figures::of(&exchange, &k, own).await?;
        let here = home_path(own);
        table = table.row(Row::new([
            Cell::titled(&here, &own.name, &own.path),
            Cell::number(l, figures.services),
            Cell::number(l, figures.calls),
            Cell::number(l, figures.refused),
            Cell::number(l, figures.ending),
        ]));
    }
    let head = Head::new(l, t::nav_corner(l)).sub(t::corner_sub(l));
    let help = Help::new(t::corner_help_title(l), t::corner_help(l));
    Ok(web::page(&cx.frame(t::nav_corner(l)), web::body![head, table, help]))
}

struct Figures {
    services: i64,
    calls: i64,
    refused: i64,
    ending: i64,
}

impl Figures {
    async fn of(exchange: &Exchange, k: &Kernel, own: &Own) -> Result<Self> {
        let now = k.clock.now();
        let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let services = super::system::open(exchange, own, now).len();
        let filter = CallFilter {
            from: Some(Timestamp::from_micros(now.micros() - DAY)),
            client: Some(own.path.clone()),
            ..CallFilter::default()
        };
        let paths = std::slice::from_ref(&own.path);
        let counts = lists::call_counts(&k.db, Some(paths), &filter).await?;
        let of = |wanted| counts.iter().find(|(e, _)| *e == wanted).map_or(0, |(_, n)| *n);
        let clients = credentials::of(k, own).await?;
        Ok(Self {
            services: whole(services),
            calls: counts.iter().map(|(_, n)| n).sum(),
            refused: of(Ending::Refused) + of(Ending::Failed),
            ending: whole(clients.iter().filter(|c| ends_soon(c, now)).count()),
        })
    }
}
