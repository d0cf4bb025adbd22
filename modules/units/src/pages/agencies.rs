//! Agencies: looking one up by code or name on a day, and its page, which says what it was on that day and what
//! became of it. For people who are signed in; the page itself is put together as a territory's is.

use axum::extract::State;
use http::StatusCode;
use kernel::Kernel;
use kernel::clock::Date;
use kernel::orgs::{Tree, UnitId, Version};
use web::ui::{Address, Cell, Column, Count, Empty, Head, Help, Icon, Row, Table};
use web::{Cx, Page, Path, Query};

use super::browse::Asked;
use super::{path, search, unit};
use crate::{t, when, words};

/// Agencies shown at once; each opens to those below it.
const SHOWN: usize = 200;

/// An agency with the names above it.
pub(super) type Placed = (Version, String);

pub(super) async fn list(State(k): State<Kernel>, cx: Cx, Query(asked): Query<Asked>) -> web::Result<Page> {
    let l = cx.lang;
    let today = k.clock.now().date();
    let q = asked.words();
    let frame = cx.frame(t::agencies_title(l)).wide();
    let head = Head::new(l, t::agencies_title(l)).sub(t::agencies_sub(l));
    let help = Help::new(t::agencies_help_title(l), t::agencies_help(l));
    let on = match when::typed("on", &asked.on) {
        Ok(day) => day.unwrap_or(today),
        Err(e) => {
            let form = search::form("/agencies", l, &q, &asked.on, Some(e.text.get(l)));
            let page = web::page(&frame, web::body![head, form, help]);
            return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY));
        }
    };
    let mut found = standing(&k, &q, on, SHOWN + 1).await?;
    let more = found.len() > SHOWN;
    found.truncate(SHOWN);
    let shown = u64::try_from(found.len()).unwrap_or(0);
    let empty = match q.is_empty() {
        true => Empty::new(Icon::BuildingBank, t::agencies_none(l, on.vn()), t::agencies_none_text(l)),
        false => Empty::new(
            Icon::Search,
            t::none_title(l, t::NoneTitle { on: on.vn(), query: &q }),
            t::none_text(l),
        ),
    };
    let mut table = Table::new(l, t::agencies_caption(l, on.vn()))
        .column(Column::text(t::col_agency(l)))
        .column(Column::text(t::col_code(l)))
        .column(Column::text(t::col_type(l)))
        .column(Column::text(t::col_above(l)))
        .column(Column::text(t::col_valid(l)))
        .export(&Address::path("/agencies").with("q", &q).with("on", on))
        .total(if more { Count::upto(shown + 1, shown) } else { Count::exact(shown) })
        .empty(empty);
    for (v, above) in &found {
        let row = Row::new([
            Cell::legal(&v.full_name),
            v.code.as_deref().map_or_else(Cell::none, Cell::code),
            Cell::text(v.kind.label(l)),
            if above.is_empty() { Cell::none() } else { Cell::legal(above) },
            Cell::text(words::period(l, v)),
        ]);
        table = table.row(row.href(path(v, on)));
    }
    let form = search::form("/agencies", l, &q, &on.vn(), None);
    Ok(web::page(&frame, web::body![head, form, table, help]))
}

/// Agencies of a day: those found by code or words, or the upper two levels where nothing is asked for.
pub(super) async fn standing(k: &Kernel, q: &str, on: Date, most: usize) -> kernel::Result<Vec<Placed>> {
    if !q.is_empty() {
        if let Some(v) = k.orgs().by_code(q, on).await?.filter(|v| v.tree == Tree::Agency) {
            let above = words::above(&k.orgs().ancestors(v.unit, on).await?);
            return Ok(vec![(v, above)]);
        }
        let limit = u32::try_from(most).unwrap_or(u32::MAX);
        let hits = k.orgs().search(Tree::Agency, q, on, limit).await?;
        return Ok(hits.into_iter().map(|h| (h.version, h.above.join(", "))).collect());
    }
    let mut out = Vec::new();
    for root in k.orgs().roots(Tree::Agency, on).await? {
        let (unit, name) = (root.unit, root.full_name.clone());
        out.push((root, String::new()));
        out.extend(k.orgs().children(unit, on).await?.into_iter().map(|v| (v, name.clone())));
        if out.len() >= most {
            out.truncate(most);
            break;
        }
    }
    Ok(out)
}

pub(super) async fn page(
    State(k): State<Kernel>,
    cx: Cx,
    Path(agency): Path<UnitId>,
    Query(asked): Query<unit::Asked>,
) -> web::Result<Page> {
    unit::page_in(Tree::Agency, &k, &cx, agency, &asked).await
}
