//! The morning page: how much is connected, what waits for a decision, how the calls go, how far the
//! evidence is. Every figure opens to its rows.

use axum::extract::State;
use base::clock::Timestamp;
use kernel::{Kernel, Result};
use web::ui::chart::{Lines, Spark};
use web::ui::{
    Action, Badge, Cell, Facts, Figure, Grid, Head, Help, Html, Icon, Live, Notice, Section, Source, Tone,
};
use web::{Cx, Page, fmt};

use super::outages;
use crate::agreement::State as Stands;
use crate::store::lists::{self, AgreementFilter, COUNTED, CallFilter, Ending};
use crate::traffic::{self, Counts, HOUR, Of, Span};
use crate::viewer::Viewer;
use crate::{Exchange, t};

/// Seconds after which the figures are fetched anew.
const REFRESH: u32 = 10;
const HOURS: i64 = 24;
/// Calls of the last hour are counted so far; with more, “+” is shown.
const LAST_HOUR: u32 = 100_000;

pub(super) async fn page(exchange: Exchange, State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let seen = Seen::read(&k, &viewer).await?;
    let mut live = outages::concerning(&k, &cx, &viewer).await?;
    live.push(seen.agreements_notice(&cx));
    live.push(seen.figures(&exchange, &cx));
    live.push(Section::new(t::overview_chart_section(l), seen.chart(&cx)));
    if viewer == Viewer::All {
        live.push(node(&exchange, &k, &cx));
    }
    let head = Head::new(l, t::overview_title(l)).sub(match viewer {
        Viewer::All => t::overview_sub_all(l),
        _ => t::overview_sub_own(l),
    });
    let mut body = Html::of(head);
    body.push(Live::new(l, "overview", cx.address(), REFRESH, live));
    body.push(Help::new(t::overview_help_title(l), t::overview_help(l)));
    Ok(web::page(&cx.frame(t::overview_title(l)), body))
}

/// What the page shows, read at one moment.
struct Seen {
    now: Timestamp,
    totals: lists::Totals,
    waiting: i64,
    in_force: i64,
    hours: Vec<(Timestamp, Counts)>,
    last_hour: i64,
    today: i64,
    failed_today: i64,
    unknown: i64,
}

impl Seen {
    async fn read(k: &Kernel, viewer: &Viewer) -> Result<Self> {
        let now = k.clock.now();
        let paths = viewer.paths(k).await?;
        let paths = paths.as_deref();
        let counts = lists::agreement_counts(&k.db, viewer, now.date(), &AgreementFilter::default()).await?;
        let of = |state| counts.iter().find(|(s, _)| *s == state).map_or(0, |(_, n)| *n);
        let since = |micros: i64| Timestamp::from_micros(now.micros() - micros);
        let today = Timestamp::start_of(now.date());
        let whose = Of::all(paths.map(<[String]>::to_vec));
        let this_hour = Span::Hour.start(now);
        let first = Timestamp::from_micros(this_hour.micros() - (HOURS - 1) * HOUR);
        let until = Timestamp::from_micros(this_hour.micros() + HOUR);
        let mut hours_of = traffic::points(&k.db, &whose, Span::Hour, first.min(today), until).await?;
        let ended_today: i64 = hours_of.range(today..).map(|(_, c)| c.calls).sum();
        let hours = Span::Hour.starts(first, until).into_iter();
        let hours = hours.map(|at| (at, hours_of.remove(&at).unwrap_or_default())).collect();
        let filter = CallFilter { limit: COUNTED + 1, ..CallFilter::default() };
        let count = async |f: CallFilter| lists::count(&k.db, paths, &f).await;
        let in_today = CallFilter { from: Some(today), ..filter.clone() };
        let running = count(CallFilter { ending: Some(Ending::Running), ..in_today.clone() }).await?;
        let last_hour = CallFilter { from: Some(since(HOUR)), limit: LAST_HOUR + 1, ..filter.clone() };
        Ok(Self {
            now,
            totals: lists::totals(&k.db, viewer).await?,
            waiting: of(Stands::Waiting),
            in_force: of(Stands::Approved),
            hours,
            last_hour: count(last_hour).await?,
            today: ended_today + running,
            failed_today: count(CallFilter { ending: Some(Ending::Failed), ..in_today }).await?,
            unknown: count(CallFilter { ending: Some(Ending::Unknown), ..filter }).await?,
        })
    }

    /// The one thing to do first, when there is one.
    fn agreements_notice(&self, cx: &Cx) -> Html {
        let l = cx.lang;
        if self.waiting == 0 || cx.may_somewhere(crate::permissions::DECIDE).is_err() {
            return Html::default();
        }
        let action = Action::link(t::overview_waiting_open(l), "/exchange/agreements?state=waiting");
        Html::of(Notice::new(Tone::Info, t::overview_waiting(l, self.waiting)).action(action))
    }

    fn figures(&self, exchange: &Exchange, cx: &Cx) -> Grid {
        let l = cx.lang;
        let registry = || Source::new(l, t::source_registry(l), self.now);
        let log = || Source::new(l, t::source_log(l), self.now);
        let upto = |n: i64, most: u32| match n.min(i64::from(most)) {
            shown if shown < n => format!("{}+", fmt::number(l, shown)),
            shown => fmt::number(l, shown),
        };
        let bounded = |n: i64| upto(n, COUNTED);
        let trend: Vec<f64> = self.hours.iter().map(|(_, c)| c.calls as f64).collect();
        let calls = Figure::new(
            t::figure_last_hour(l),
            upto(self.last_hour, LAST_HOUR),
            "/exchange/calls?period=hour",
        )
        .trend(Spark::new(&trend, t::figure_trend(l)))
        .source(log());
        let failed = Figure::new(
            t::figure_failed_today(l),
            bounded(self.failed_today),
            "/exchange/calls?period=today&ending=failed",
        )
        .source(log());
        let failed = match self.failed_today {
            0 => failed.tone(Tone::Good).note(t::figure_failed_none(l)),
            _ => failed.tone(Tone::Bad).note(t::figure_failed_some(l)),
        };
        let unknown =
            Figure::new(t::figure_unknown(l), bounded(self.unknown), "/exchange/calls?ending=unknown")
                .source(log());
        let unknown =
            if self.unknown > 0 { unknown.tone(Tone::Warn).note(t::figure_unknown_note(l)) } else { unknown };
        let waiting =
            Figure::new(t::figure_waiting(l), bounded(self.waiting), "/exchange/agreements?state=waiting");
        let waiting = if self.waiting > 0 { waiting.tone(Tone::Info) } else { waiting };
        Grid::new()
            .columns(3)
            .add(calls)
            .add(
                Figure::new(t::figure_today(l), fmt::number(l, self.today), "/exchange/calls?period=today")
                    .source(log()),
            )
            .add(failed)
            .add(unknown)
            .add(waiting.source(registry()))
            .add(
                Figure::new(
                    t::figure_in_force(l),
                    bounded(self.in_force),
                    "/exchange/agreements?state=approved",
                )
                .source(registry()),
            )
            .add(
                Figure::new(
                    t::figure_services(l),
                    fmt::number(l, self.totals.services),
                    "/exchange/services",
                )
                .source(registry()),
            )
            .add(
                Figure::new(t::figure_members(l), fmt::number(l, self.totals.members), "/exchange/members")
                    .note(t::figure_subsystems(l, self.totals.subsystems))
                    .source(registry()),
            )
            .add(sealed(exchange, cx, self.now))
    }

    fn chart(&self, cx: &Cx) -> Lines {
        let l = cx.lang;
        let labels = self.hours.iter().map(|(at, _)| at.vn().chars().skip(11).collect()).collect();
        let values = |of: fn(&Counts) -> i64| self.hours.iter().map(|(_, c)| Some(of(c) as f64)).collect();
        Lines::new(l, t::chart_title(l), t::chart_unit(l), labels)
            .toned(Tone::Good, t::side_ok(l), values(Counts::ok))
            .toned(Tone::Warn, t::side_consumer(l), values(|c| c.consumer))
            .toned(Tone::Bad, t::chart_failed(l), values(|c| c.provider + c.ours))
    }
}

/// How far the evidence is sealed.
fn sealed(exchange: &Exchange, cx: &Cx, now: Timestamp) -> Figure {
    let l = cx.lang;
    let Some(plane) = exchange.plane() else {
        return Figure::new(t::figure_sealed(l), "–", "/evidence")
            .tone(Tone::Warn)
            .note(t::figure_sealed_off(l));
    };
    let progress = plane.evidence.progress();
    let count = |n: u64| fmt::number(l, i64::try_from(n).unwrap_or(i64::MAX));
    let figure = Figure::new(t::figure_sealed(l), count(progress.size), "/evidence").source(Source::new(
        l,
        t::source_log(l),
        now,
    ));
    if progress.unsealed == 0 {
        figure.tone(Tone::Good).note(t::figure_sealed_all(l))
    } else {
        figure.note(t::figure_sealed_open(l, i64::try_from(progress.unsealed).unwrap_or(i64::MAX)))
    }
}

/// The configuration this node serves by.
fn node(exchange: &Exchange, k: &Kernel, cx: &Cx) -> Section {
    let l = cx.lang;
    let current = exchange.keeper().current();
    let s = current.load();
    let badge = if s.is_stale(k.clock.now()) {
        Badge::new(Tone::Bad, t::node_stale(l))
    } else {
        Badge::new(Tone::Good, t::node_good(l))
    };
    let facts = Facts::new()
        .row(t::node_state(l), Cell::badge(badge))
        .row(t::node_instance(l), Cell::code(s.instance()))
        .row(t::node_serial(l), Cell::text(s.serial()))
        .row(t::node_compiled(l), Cell::time(s.compiled_at()))
        .row(t::node_not_after(l), Cell::time(s.not_after()));
    Section::new(t::node_title(l), facts)
        .help(t::node_help(l))
        .action(Action::link(t::node_api(l), "/api/exchange/v1/snapshot").icon(Icon::Code))
}
