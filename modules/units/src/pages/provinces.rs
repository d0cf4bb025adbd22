//! The provinces and cities of a day, with what each is made of.

use std::collections::HashMap;

use adminunits::{Level, UnitType};
use kernel::Kernel;
use kernel::clock::Date;
use kernel::orgs::import;
use kernel::orgs::{Kind, Tree, UnitId, Version};
use web::Cx;
use web::ui::{Cell, Column, Count, Figure, Grid, Html, Row, Section, Source, Table};

use super::unit_path;
use crate::t;

/// Units of each type below one at the top.
type Counts = HashMap<UnitId, HashMap<UnitType, i64>>;

pub(super) async fn table(k: &Kernel, cx: &Cx, on: Date) -> web::Result<Html> {
    let l = cx.lang;
    let provinces = k.orgs().roots(Tree::Territory, on).await?;
    let mut counts = Counts::new();
    for (root, kind, n) in k.orgs().counts_by_root(on).await? {
        if let Kind::Territory(kind) = kind {
            counts.entry(root).or_default().insert(kind, n);
        }
    }
    let all =
        |level| counts.values().flatten().filter(|(t, _)| t.level() == level).map(|(_, n)| n).sum::<i64>();
    let districts = all(Level::District);
    let source = import::last(k).await?.map(|i| Source::new(l, t::data_title(l), i.at));
    let figure = |label: &str, n: i64| {
        let figure = Figure::new(label, web::fmt::number(l, n), "#provinces");
        source.iter().fold(figure, |f, s| f.source(s.clone()))
    };
    let figures = Grid::new()
        .columns(3)
        .add(figure(t::figure_provinces(l), i64::try_from(provinces.len()).unwrap_or(0)))
        .add(figure(t::figure_districts(l), districts))
        .add(figure(t::figure_communes(l), all(Level::Commune)));
    let section =
        Section::new(t::provinces_caption(l, on.vn()), rows(cx, &provinces, &counts, on, districts > 0));
    Ok(web::body![figures, section.flush().id("provinces")])
}

fn rows(cx: &Cx, provinces: &[Version], counts: &Counts, on: Date, old: bool) -> Table {
    let l = cx.lang;
    let total = Count::exact(u64::try_from(provinces.len()).unwrap_or(0));
    let mut table = Table::new(l, t::provinces_caption(l, on.vn()))
        .column(Column::text(t::col_unit(l)))
        .column(Column::text(t::col_code(l)));
    // Before 1 July 2025 there were districts and townships, since then special zones.
    let last = if old {
        table = table.column(Column::number(t::col_districts(l)));
        (UnitType::Township, t::col_townships(l))
    } else {
        (UnitType::SpecialZone, t::col_zones(l))
    };
    let types = [(UnitType::Ward, t::col_wards(l)), (UnitType::Commune, t::col_communes(l)), last];
    for (_, label) in types {
        table = table.column(Column::number(label));
    }
    table = table.column(Column::number(t::col_total(l))).export(cx.address()).total(total);
    for province in provinces {
        let of = counts.get(&province.unit);
        let count = |t: UnitType| of.and_then(|c| c.get(&t)).copied().unwrap_or(0);
        let level =
            |level| of.map_or(0, |c| c.iter().filter(|(t, _)| t.level() == level).map(|(_, n)| n).sum());
        let mut cells =
            vec![Cell::legal(&province.full_name), Cell::code(province.code.as_deref().unwrap_or("–"))];
        if old {
            cells.push(Cell::number(l, level(Level::District)));
        }
        cells.extend(types.iter().map(|(t, _)| Cell::number(l, count(*t))));
        cells.push(Cell::number(l, level(Level::Commune)));
        table = table.row(Row::new(cells).href(unit_path(province.unit, on)));
    }
    table
}
