//! The report of a month on one sheet of paper, the list of months, and the same figures as a file. Every figure opens to
//! its rows. How the figures come about is in `report`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::clock::Timestamp;
use base::i18n::Lang;
use kernel::cx::Scope;
use kernel::{Kernel, Result};
use web::export::{As, Batch, Export, Value};
use web::ui::{
    Action, Address, Badge, Cell, Column, Empty, Head, Help, Html, Icon, Notice, Row, Table, Tone,
};
use web::{Cx, Page, Path, Query, fmt};

use super::statement::screen_only;
use super::{calls, parts};
use crate::permissions::OPERATE;
use crate::report::{self, Closed, Figures, Incident, Month, ServiceLine, Totals};
use crate::store::lists::Reach;
use crate::t;
use crate::traffic::{self as figures_of, Of, Side, Span};
use crate::viewer::Viewer;

/// Months in the list.
const MONTHS: usize = 24;

/// The months, newest first.
pub(super) async fn list(State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let now = Month::of(k.clock.now().date());
    let mut months = vec![now];
    while months.len() < MONTHS {
        let last = months.last().map_or(now, |m| m.before());
        months.push(last);
    }
    let oldest = months.last().map_or(now, |m| *m);
    let of = Of::all(viewer.paths(&k).await?);
    let span = if of.is_one() { Span::Month } else { Span::Day };
    let found = figures_of::points(&k.db, &of, span, oldest.from(), now.until()).await?;
    let closed = report::closed_months(&k).await?;
    let rows = months.iter().filter_map(|month| {
        let of_month = || found.range(month.from()..month.until()).map(|(_, c)| c);
        let calls: i64 = of_month().map(|c| c.calls).sum();
        let failed: i64 = of_month().map(|c| c.provider + c.ours).sum();
        if calls == 0 && *month != now {
            return None;
        }
        let closed = closed.iter().find(|(m, _)| m == month).map(|(_, at)| *at);
        let state = match closed {
            Some(at) => Badge::new(Tone::Good, t::report_closed_at(l, at.vn())),
            None if *month == now => Badge::new(Tone::Info, t::report_running(l)),
            None => Badge::new(Tone::Neutral, t::report_open(l)),
        };
        Some(Row::new([
            Cell::link(format!("/exchange/reports/{month}"), t::report_month(l, month.vn())),
            Cell::number(l, calls),
            Cell::number(l, failed),
            Cell::badge(state),
        ]))
    });
    let table = Table::new(l, t::reports_title(l))
        .column(Column::text(t::column_month(l)))
        .column(Column::number(t::traffic_calls(l)))
        .column(Column::number(t::chart_failed(l)))
        .column(Column::text(t::column_state(l)))
        .rows(rows)
        .empty(Empty::new(Icon::FileText, t::traffic_empty(l), t::traffic_empty_text(l)));
    let mut body = Html::of(Head::new(l, t::reports_title(l)).sub(t::reports_sub(l)));
    body.push(table);
    Ok(web::page(&cx.frame(t::reports_title(l)), body))
}

/// What a page shows: the closed figures where there are some, and what is known now.
struct Shown {
    month: Month,
    figures: Figures,
    closed: Option<Closed>,
    /// Figures as of now, where they differ from the closed ones.
    later: Option<Figures>,
}

impl Shown {
    async fn read(k: &Kernel, viewer: &Viewer, month: Month) -> Result<Self> {
        let now = report::compute(k, viewer, month).await?;
        let closed = if *viewer == Viewer::All { report::closed(k, month).await? } else { None };
        Ok(match closed {
            None => Self { month, figures: now, closed: None, later: None },
            Some(closed) => {
                let later = (closed.figures != now).then_some(now);
                Self { month, figures: closed.figures.clone(), closed: Some(closed), later }
            }
        })
    }
}

/// The report.
pub(super) async fn one(State(k): State<Kernel>, cx: Cx, Path(month): Path<Month>) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let shown = Shown::read(&k, &viewer, month).await?;
    let now = k.clock.now();
    let title = t::month_title(l, month.vn());
    let at = format!("/exchange/reports/{month}");
    let mut head = Head::new(l, &title).badge(badge(l, &shown, now));
    if shown.closed.is_none() && now >= month.until() && cx.holds(OPERATE, &Scope::province()) {
        head = head.primary(Action::post(&cx, t::report_close(l), format!("{at}/close")).icon(Icon::Lock));
    }
    head = head
        .action(Action::link("CSV", format!("{at}/export?as=csv")).icon(Icon::Download))
        .action(Action::link("XLSX", format!("{at}/export?as=xlsx")).icon(Icon::Download));
    // Before the first calls there is nothing to go back to.
    if shown.figures.totals.calls > 0 {
        let before = format!("/exchange/reports/{}", month.before());
        head = head.action(Action::link(t::report_before(l), before).icon(Icon::ArrowLeft));
    }
    let mut above = Html::of(head);
    above.push(Notice::new(Tone::Info, t::report_print(l)));
    let mut body = screen_only(&above);
    body.push(Sheet::new(&cx, &shown, viewer == Viewer::All));
    body.push(screen_only(&Html::of(Help::new(t::report_help_title(l), t::month_help(l)))));
    let frame = cx.frame(&title).crumb(t::reports_title(l), "/exchange/reports");
    Ok(web::page(&frame, body))
}

fn badge(l: Lang, shown: &Shown, now: Timestamp) -> Badge {
    match &shown.closed {
        Some(closed) => Badge::new(Tone::Good, t::report_closed_at(l, closed.at.vn())),
        None if now < shown.month.until() => Badge::new(Tone::Info, t::report_running(l)),
        None => Badge::new(Tone::Neutral, t::report_open(l)),
    }
}

/// Closes a month.
pub(super) async fn close(
    State(k): State<Kernel>,
    cx: Cx,
    Path(month): Path<Month>,
) -> web::Result<Response> {
    report::close(&k, &cx, month).await?;
    let said = t::report_closed_now(cx.lang, month.vn());
    Ok(web::Redirect::to(format!("/exchange/reports/{month}")).saying(said).into_response())
}

/// A figure: what it is, its value, the page with its rows, and how many rows it says there are.
struct Item {
    label: String,
    value: String,
    href: String,
    whole: Option<i64>,
}

/// The rows behind the calls of a month.
fn calls_of(month: Month, until: Timestamp) -> Address {
    Address::path("/exchange/calls")
        .with("ended", 1)
        .with("from", month.from().rfc3339_vn())
        .with("until", month.until().min(next_second(until)).rfc3339_vn())
}

/// Addresses hold whole seconds.
fn next_second(at: Timestamp) -> Timestamp {
    Timestamp::from_micros((at.micros() + 999_999).div_euclid(1_000_000) * 1_000_000)
}

fn items(l: Lang, month: Month, f: &Figures) -> Vec<Item> {
    let count = |label: &str, n: i64, href: Address| Item {
        label: label.to_owned(),
        value: fmt::number(l, n),
        href: href.to_string(),
        whole: Some(n),
    };
    let services = |reach: Reach| {
        Address::path("/exchange/services").with("reach", reach.as_str()).with("at", f.until.rfc3339())
    };
    let calls = || calls_of(month, f.until);
    let side = |side: Side| calls().with("side", side.as_str());
    let reach = |reach: Reach| calls().with("reach", reach.as_str());
    vec![
        count(t::report_internal_services(l), f.internal_services, services(Reach::Internal)),
        count(t::report_national_services(l), f.national_services, services(Reach::National)),
        count(t::report_calls(l), f.totals.calls, calls()),
        count(t::report_internal_calls(l), f.totals.calls - f.national_calls, reach(Reach::Internal)),
        count(t::report_national_calls(l), f.national_calls, reach(Reach::National)),
        count(t::side_ok(l), f.totals.ok, side(Side::Ok)),
        count(t::side_consumer(l), f.totals.consumer, side(Side::Consumer)),
        count(t::side_of_provider(l), f.totals.provider, side(Side::Provider)),
        count(t::side_ours(l), f.totals.ours, side(Side::Ours)),
        count(t::ending_refused(l), f.totals.refused, calls().with("ending", "refused")),
    ]
}

/// The sentence that answers whoever asks: how many services, how many transactions, any outage.
fn answer(l: Lang, month: Month, f: &Figures) -> String {
    let first = t::report_answer(
        l,
        t::ReportAnswer {
            calls: fmt::number(l, f.totals.calls),
            internal: fmt::number(l, f.internal_services),
            month: month.vn(),
            national: fmt::number(l, f.national_services),
            percent: f.totals.ok_percent().map_or_else(|| "–".to_owned(), |p| fmt::percent(l, p)),
        },
    );
    let outage = match f.incident_count {
        0 => t::report_no_outage(l).to_owned(),
        n => t::report_outages(l, t::ReportOutages { count: n, time: duration(l, f.outage_seconds) }),
    };
    format!("{first} {outage}")
}

/// A stretch of time in words.
pub(super) fn duration(l: Lang, seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    if seconds < 60 {
        return t::duration_seconds(l, seconds);
    }
    if days > 0 {
        return t::duration_days(l, t::DurationDays { days, hours });
    }
    if hours > 0 {
        t::duration_hours(l, t::DurationHours { hours, minutes })
    } else {
        t::duration_minutes(l, minutes)
    }
}

/// The report as it lies on paper.
#[derive(askama::Template)]
#[template(path = "report.html")]
struct Sheet<'a> {
    lang: Lang,
    office: String,
    whole: bool,
    shown: &'a Shown,
    items: Vec<Item>,
}

impl<'a> Sheet<'a> {
    fn new(cx: &Cx, shown: &'a Shown, whole: bool) -> Self {
        let items = items(cx.lang, shown.month, &shown.figures);
        Self { lang: cx.lang, office: cx.site().name().to_owned(), whole, shown, items }
    }

    fn f(&self) -> &Figures {
        &self.shown.figures
    }

    fn answer(&self) -> String {
        answer(self.lang, self.shown.month, self.f())
    }

    fn calls(&self) -> Address {
        calls_of(self.shown.month, self.f().until)
    }

    fn number(&self, n: &i64) -> String {
        fmt::number(self.lang, *n)
    }

    fn percent(&self, p: &f64) -> String {
        // 99.96 is not 100.
        fmt::decimal(self.lang, (p * 100.0).floor() / 100.0, 2)
    }

    fn opt_percent(&self, p: &Option<f64>) -> String {
        p.as_ref().map_or_else(|| "–".to_owned(), |p| self.percent(p))
    }

    fn millis(&self, totals: &Totals) -> String {
        totals.p95.map_or_else(|| "–".to_owned(), |ms| fmt::millis(self.lang, ms))
    }

    fn of_service(&self, s: &ServiceLine) -> Address {
        self.calls().with("service", &s.path)
    }

    fn side(&self, side: &Side) -> &'static str {
        parts::side(self.lang, *side)
    }

    fn lasted(&self, i: &Incident) -> String {
        duration(self.lang, i.seconds)
    }

    fn down(&self, s: &ServiceLine) -> String {
        if s.down_seconds == 0 { "–".to_owned() } else { duration(self.lang, s.down_seconds) }
    }

    fn reason(&self, fault: &str) -> String {
        calls::reason(fault, self.lang)
    }

    fn more(&self) -> i64 {
        self.f().incident_count - i64::try_from(self.f().incidents.len()).unwrap_or(0)
    }

    fn signature(&self) -> Option<String> {
        let closed = self.shown.closed.as_ref()?;
        let name = closed.name.clone().unwrap_or_else(|| closed.by.clone());
        Some(t::report_closed_by(self.lang, t::ReportClosedBy { name, time: closed.at.vn() }))
    }

    /// What later evidence changed: label, closed figure, figure now.
    fn adjustments(&self) -> Vec<(String, String, String, String)> {
        let Some(later) = &self.shown.later else { return Vec::new() };
        let now = items(self.lang, self.shown.month, later);
        let pairs = self.items.iter().zip(now).filter(|(then, now)| then.whole != now.whole);
        pairs.map(|(then, now)| (then.label.clone(), then.value.clone(), now.value, now.href)).collect()
    }
}

/// The same figures as a file, a line for each.
pub(super) async fn export(
    State(k): State<Kernel>,
    cx: Cx,
    Path(month): Path<Month>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let shown = Shown::read(&k, &viewer, month).await?;
    let f = &shown.figures;
    let export =
        Export::new(&cx, "bao-cao-thang", t::month_title(l, month.vn()).replace('/', "-")).columns([
            t::report_column_part(l),
            t::report_column_figure(l),
            t::report_column_value(l),
            t::report_column_rows(l),
        ]);
    let calls = calls_of(month, f.until);
    let line = |part: &str, label: &str, value: Value, href: String| {
        vec![part.into(), label.into(), value, href.into()]
    };
    let general = t::report_part_general(l);
    let mut rows: Vec<Vec<Value>> =
        items(l, month, f).into_iter().map(|i| line(general, &i.label, i.whole.into(), i.href)).collect();
    let tenths = |ms: Option<f64>| ms.map(|ms| fmt::decimal(l, ms, 1));
    for (label, value) in
        [(t::traffic_p50(l), tenths(f.totals.p50)), (t::traffic_p95(l), tenths(f.totals.p95))]
    {
        rows.push(line(general, &format!("{label} (ms)"), value.into(), calls.to_string()));
    }
    for s in &f.services {
        let href = calls.with("service", &s.path).to_string();
        let part = format!("{}: {}", t::column_service(l), s.name);
        rows.push(line(&part, t::report_calls(l), s.totals.calls.into(), href.clone()));
        rows.push(line(
            &part,
            t::side_of_provider(l),
            s.totals.provider.into(),
            format!("{href}&side=provider"),
        ));
        rows.push(line(&part, t::report_down_seconds(l), s.down_seconds.into(), String::new()));
        rows.push(line(&part, t::report_available(l), fmt::decimal(l, s.available, 4).into(), String::new()));
        let answered = s.answered.map(|p| fmt::decimal(l, p, 4));
        rows.push(line(&part, t::traffic_answered(l), answered.into(), href));
    }
    for c in &f.consumers {
        rows.push(line(
            t::report_consumers(l),
            &c.name,
            c.calls.into(),
            calls.with("client", &c.key).to_string(),
        ));
    }
    for r in &f.refusals {
        let href = calls.with("fault", &r.key).to_string();
        rows.push(line(t::report_refusals(l), &calls::reason(&r.key, l), r.calls.into(), href));
    }
    for i in &f.incidents {
        let what = format!("{} ({})", i.title(l), i.since.vn());
        rows.push(line(t::report_incidents(l), &what, i.seconds.into(), format!("/upkeep/alerts/{}", i.id)));
    }
    export
        .answer::<(), _, _>(file.kind, move |_| {
            let rows = rows.clone();
            async move { Ok(Batch::whole(rows)) }
        })
        .await
}
