//! How calls go: of the whole exchange, of a service, a subsystem or an agreement, over an hour, a day, a week, a month
//! or days of one's own, beside the period before. Every figure and every point opens to its calls.

use std::collections::BTreeMap;

use axum::extract::State;
use base::clock::{Date, Timestamp};
use base::i18n::Lang;
use kernel::{Error, Kernel, Result};
use serde::Deserialize;
use web::ui::chart::Lines;
use web::ui::{
    Action, Address, Cell, Column, Empty, Figure, Grid, Head, Help, Html, Icon, Notice, Row, Section, Source,
    Table, Tabs, Tone,
};
use web::{Cx, Page, Path, Query, fmt};

use super::calls;
use crate::ids::{AgreementId, ServiceId, SubsystemId};
use crate::snapshot::Snapshot;
use crate::store::lists;
use crate::traffic::{self, By, Counts, ERROR_PERCENT, HOUR, Of, Period, Side, Span, What};
use crate::viewer::Viewer;
use crate::{Exchange, store, t};

/// Rows of a breakdown.
const PARTS: usize = 20;
/// A change of the response time that is worth a sentence, percent.
const NOTABLE: f64 = 20.0;
/// Fewer calls say nothing about a response time.
const FEW: u64 = 20;

/// What the page is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    period: String,
    #[serde(default)]
    first: String,
    #[serde(default)]
    last: String,
}

impl Asked {
    fn period(&self, now: Timestamp) -> Period {
        Period::asked(&self.period, (Date::parse_vn(&self.first), Date::parse_vn(&self.last)), now)
    }
}

/// What a page is about.
struct Subject {
    title: String,
    of: Of,
    /// How the list of calls is narrowed to it.
    filter: Option<(&'static str, String)>,
    /// What it is told apart by.
    by: Vec<By>,
    /// Where the thing itself is, with the name of its list.
    thing: Option<(String, &'static str, &'static str)>,
}

pub(super) async fn all(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let title = match viewer {
        Viewer::All => t::traffic_title_all(l),
        _ => t::traffic_title_own(l),
    };
    let of = Of::all(viewer.paths(&k).await?);
    let subject =
        Subject { title: title.to_owned(), of, filter: None, by: vec![By::Service, By::Client], thing: None };
    page(&exchange, &k, &cx, &asked, subject).await
}

pub(super) async fn service(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let s = lists::service(&k.db, &viewer, id).await?.ok_or(Error::NotFound { kind: ServiceId::KIND })?;
    let path = full(&k, &s.key).await?;
    let subject = Subject {
        title: t::traffic_title_of(l, &s.name),
        of: Of { what: What::Service(path.clone()), parties: viewer.paths(&k).await? },
        filter: Some(("service", path)),
        by: vec![By::Client, By::Endpoint],
        thing: Some((format!("/exchange/services/{id}"), "/exchange/services", t::services_title(l))),
    };
    page(&exchange, &k, &cx, &asked, subject).await
}

/// A subsystem as a consumer, or with `side=provider` as a provider.
pub(super) async fn subsystem(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<SubsystemId>,
    Query(asked): Query<Asked>,
    Query(role): Query<Role>,
) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let s = lists::subsystem(&k.db, &viewer, id).await?.ok_or(Error::NotFound { kind: SubsystemId::KIND })?;
    let path = full(&k, &s.key).await?;
    let parties = viewer.paths(&k).await?;
    let provides = role.role == "provider";
    let (what, name, title, by) = if provides {
        (What::Provider(path.clone()), "provider", t::traffic_title_provides(l, &s.name), By::Client)
    } else {
        (What::Client(path.clone()), "client", t::traffic_title_uses(l, &s.name), By::Agreement)
    };
    let subject = Subject {
        title,
        of: Of { what, parties },
        filter: Some((name, path)),
        by: vec![By::Service, by],
        thing: Some((format!("/exchange/subsystems/{id}"), "/exchange/subsystems", t::subsystems_title(l))),
    };
    page(&exchange, &k, &cx, &asked, subject).await
}

/// In which role a subsystem is looked at.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Role {
    #[serde(default)]
    role: String,
}

pub(super) async fn agreement(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let row = lists::agreement_row(&k.db, &viewer, k.clock.now().date(), id).await?;
    let row = row.ok_or(Error::NotFound { kind: AgreementId::KIND })?;
    let subject = Subject {
        title: t::traffic_title_agreement(l, &row.number),
        of: Of { what: What::Agreement(id.to_string()), parties: viewer.paths(&k).await? },
        filter: Some(("agreement", id.to_string())),
        by: vec![By::Endpoint],
        thing: Some((format!("/exchange/agreements/{id}"), "/exchange/agreements", t::agreements_title(l))),
    };
    page(&exchange, &k, &cx, &asked, subject).await
}

async fn full(k: &Kernel, key: &str) -> Result<String> {
    Ok(format!("{}/{key}", store::registry::serial(&k.db).await?.1))
}

/// Figures of a period and of the one before.
struct Seen {
    period: Period,
    points: Vec<(Timestamp, Counts)>,
    total: Counts,
    before: Counts,
    /// Only the newest calls were looked at.
    cut: bool,
}

impl Seen {
    async fn read(k: &Kernel, of: &Of, period: Period) -> Result<Self> {
        let (mut found, cut) = read(k, of, period).await?;
        let (earlier, _) = read(k, of, period.before()).await?;
        let add = |all: &BTreeMap<Timestamp, Counts>| {
            let mut sum = Counts::default();
            all.values().for_each(|c| sum.add(c));
            sum
        };
        let (total, before) = (add(&found), add(&earlier));
        let points =
            period.points().into_iter().map(|at| (at, found.remove(&at).unwrap_or_default())).collect();
        Ok(Self { period, points, total, before, cut })
    }
}

async fn read(k: &Kernel, of: &Of, period: Period) -> Result<(BTreeMap<Timestamp, Counts>, bool)> {
    match period.step {
        Some(span) => Ok((traffic::points(&k.db, of, span, period.from, period.until).await?, false)),
        None => traffic::recent(&k.db, of, period.from, period.until, HOUR / 12).await,
    }
}

async fn page(
    exchange: &Exchange,
    k: &Kernel,
    cx: &Cx,
    asked: &Asked,
    subject: Subject,
) -> web::Result<Page> {
    let l = cx.lang;
    let seen = Seen::read(k, &subject.of, asked.period(k.clock.now())).await?;
    let mut head = Head::new(l, &subject.title)
        .sub(t::traffic_sub(l, t::TrafficSub { first: seen.period.from.vn(), last: seen.period.until.vn() }));
    if let Some((at, ..)) = &subject.thing {
        head = head.action(Action::link(t::traffic_thing(l), at));
    }
    head = head.action(
        Action::link(t::nav_calls(l), rows(&subject, seen.period.from, seen.period.until, None))
            .icon(Icon::Activity),
    );
    let mut body = Html::of(head);
    body.push(tabs(cx, seen.period.word));
    body.push(own_days(cx, asked));
    let (tone, finding) = finding(l, &seen);
    body.push(Notice::new(tone, finding));
    if seen.cut {
        body.push(Notice::new(Tone::Info, t::traffic_cut(l)));
    }
    body.push(figures(cx, k, &subject, &seen));
    body.push(Section::new(t::traffic_calls_section(l), counts_chart(l, &subject, &seen)));
    body.push(Section::new(t::traffic_latency_section(l), latency_chart(l, &subject, &seen)));
    if seen.period.step.is_some() {
        let current = exchange.keeper().current();
        let snapshot = current.load_full();
        for by in &subject.by {
            body.push(breakdown(k, cx, &snapshot, &subject, &seen, *by).await?);
        }
    }
    body.push(Help::new(t::traffic_help_title(l), &t::traffic_help(l, fmt::decimal(l, ERROR_PERCENT, 1))));
    let mut frame = cx.frame(&subject.title);
    if let Some((_, list, name)) = subject.thing {
        frame = frame.crumb(name, list);
    }
    Ok(web::page(&frame, body))
}

/// The calls behind a figure.
fn rows(subject: &Subject, from: Timestamp, until: Timestamp, side: Option<Side>) -> Address {
    let mut address = Address::path("/exchange/calls").with("ended", 1).with("from", from.rfc3339_vn());
    address = address.with("until", until.rfc3339_vn());
    if let Some((name, value)) = &subject.filter {
        address = address.with(name, value);
    }
    match side {
        Some(side) => address.with("side", side.as_str()),
        None => address,
    }
}

fn tabs(cx: &Cx, active: &str) -> Tabs {
    let l = cx.lang;
    let address = cx.address().without("first").without("last");
    let label = |word| match word {
        "hour" => t::period_hour(l),
        "week" => t::period_week(l),
        "month" => t::period_month(l),
        _ => t::period_day(l),
    };
    let tabs = Period::WORDS.into_iter().fold(Tabs::new(l), |tabs, word| {
        tabs.tab(label(word), address.with("period", word), None, word == active)
    });
    if active == "own" { tabs.tab(t::period_own(l), cx.address(), None, true) } else { tabs }
}

/// Days of one's own.
#[derive(askama::Template)]
#[template(
    source = "<form method=\"get\" action=\"{{ action }}\" class=\"lt-filters\">{% for (name, value) in kept %}\
        <input type=\"hidden\" name=\"{{ name }}\" value=\"{{ value }}\">{% endfor %}\
        <input type=\"hidden\" name=\"period\" value=\"own\">\
        <label>{{ t::filter_from(*lang) }} <input class=\"form-control\" name=\"first\" value=\"{{ first }}\" \
        placeholder=\"dd/MM/yyyy\" inputmode=\"numeric\" size=\"10\" autocomplete=\"off\"></label> \
        <label>{{ t::filter_until(*lang) }} <input class=\"form-control\" name=\"last\" value=\"{{ last }}\" \
        placeholder=\"dd/MM/yyyy\" inputmode=\"numeric\" size=\"10\" autocomplete=\"off\"></label> \
        <button class=\"btn\">{{ t::traffic_show(*lang) }}</button></form>",
    ext = "html"
)]
struct OwnDays {
    lang: Lang,
    action: String,
    kept: Vec<(String, String)>,
    first: String,
    last: String,
}

fn own_days(cx: &Cx, asked: &Asked) -> OwnDays {
    let address = cx.address().without("period").without("first").without("last");
    OwnDays {
        lang: cx.lang,
        action: address.only_path().to_owned(),
        kept: address.pairs().to_vec(),
        first: asked.first.clone(),
        last: asked.last.clone(),
    }
}

/// The one sentence to read.
fn finding(l: Lang, seen: &Seen) -> (Tone, String) {
    let (now, before) = (&seen.total, &seen.before);
    if now.calls == 0 {
        return (Tone::Neutral, t::finding_none(l).to_owned());
    }
    if let Some(percent) = now.answered_percent().filter(|percent| *percent < 99.0) {
        return (
            Tone::Bad,
            t::finding_failing(
                l,
                t::FindingFailing { failed: fmt::number(l, now.provider), percent: fmt::percent(l, percent) },
            ),
        );
    }
    if now.ours > 0 {
        return (Tone::Warn, t::finding_ours(l, now.ours));
    }
    let enough = now.latency.count() >= FEW && before.latency.count() >= FEW;
    if let (true, Some(p95), Some(old)) = (enough, now.latency.percentile(95), before.latency.percentile(95))
    {
        let change = (p95 - old) / old * 100.0;
        let said = |percent: f64| (fmt::percent(l, percent), fmt::millis(l, old), fmt::millis(l, p95));
        if change >= NOTABLE {
            let (percent, old, p95) = said(change);
            return (Tone::Warn, t::finding_slower(l, t::FindingSlower { old, p95, percent }));
        }
        if change <= -NOTABLE {
            let (percent, old, p95) = said(-change);
            return (Tone::Good, t::finding_faster(l, t::FindingFaster { old, p95, percent }));
        }
    }
    (Tone::Good, t::finding_well(l, fmt::number(l, now.calls)))
}

fn figures(cx: &Cx, k: &Kernel, subject: &Subject, seen: &Seen) -> Grid {
    let l = cx.lang;
    let (now, before) = (&seen.total, &seen.before);
    let source = || Source::new(l, t::source_log(l), k.clock.now());
    let open = |side| rows(subject, seen.period.from, seen.period.until, side);
    let earlier = |n: String| t::traffic_before(l, n);
    let count = |label: &str, side: Side| {
        let (n, old) = (now.of(side), before.of(side));
        let tone = if n > 0 && side != Side::Consumer { Tone::Bad } else { Tone::Neutral };
        Figure::new(label, fmt::number(l, n), open(Some(side)))
            .tone(tone)
            .note(earlier(fmt::number(l, old)))
            .source(source())
    };
    let percent = |c: &Counts| c.answered_percent().map_or_else(|| "–".to_owned(), |p| fmt::percent(l, p));
    let millis =
        |c: &Counts, p| c.latency.percentile(p).map_or_else(|| "–".to_owned(), |ms| fmt::millis(l, ms));
    let spread = t::traffic_spread(
        l,
        t::TrafficSpread { old: millis(before, 95), p50: millis(now, 50), p99: millis(now, 99) },
    );
    Grid::new()
        .columns(3)
        .add(
            Figure::new(t::traffic_calls(l), fmt::number(l, now.calls), open(None))
                .note(earlier(fmt::number(l, before.calls)))
                .source(source()),
        )
        .add(
            Figure::new(t::traffic_answered(l), percent(now), open(Some(Side::Ok)))
                .note(earlier(percent(before)))
                .source(source()),
        )
        .add(Figure::new(t::traffic_p95(l), millis(now, 95), open(None)).note(spread).source(source()))
        .add(count(t::side_of_provider(l), Side::Provider))
        .add(count(t::side_consumer(l), Side::Consumer))
        .add(count(t::side_ours(l), Side::Ours))
}

fn label(period: Period, at: Timestamp) -> String {
    let text = at.vn();
    match period.step {
        Some(Span::Day | Span::Month) => text.chars().take(5).collect(),
        // dd/MM/yyyy HH:mm
        _ => text.chars().skip(11).collect(),
    }
}

fn lines(l: Lang, title: String, unit: &str, subject: &Subject, seen: &Seen) -> Lines {
    let labels = seen.points.iter().map(|(at, _)| label(seen.period, *at)).collect();
    let hrefs = seen.points.iter().map(|(at, _)| rows(subject, *at, seen.period.after(*at), None));
    Lines::new(l, title, unit, labels).opening(hrefs)
}

#[expect(clippy::cast_precision_loss, reason = "calls of a province stay far below 2^52")]
fn counts_chart(l: Lang, subject: &Subject, seen: &Seen) -> Lines {
    let values = |side: Side| seen.points.iter().map(|(_, c)| Some(c.of(side) as f64)).collect();
    let bad = seen.total.calls - seen.total.ok();
    let title = t::traffic_calls_title(
        l,
        t::TrafficCallsTitle { bad: fmt::number(l, bad), calls: fmt::number(l, seen.total.calls) },
    );
    lines(l, title, t::chart_unit(l), subject, seen)
        .toned(Tone::Good, t::side_ok(l), values(Side::Ok))
        .toned(Tone::Warn, t::side_consumer(l), values(Side::Consumer))
        .toned(Tone::Bad, t::side_of_provider(l), values(Side::Provider))
        .series(t::side_ours(l), values(Side::Ours))
}

fn latency_chart(l: Lang, subject: &Subject, seen: &Seen) -> Lines {
    let values = |p| seen.points.iter().map(|(_, c)| c.latency.percentile(p)).collect();
    let title = match seen.total.latency.percentile(95) {
        Some(ms) => t::traffic_latency_title(l, fmt::millis(l, ms)),
        None => t::traffic_latency_none(l).to_owned(),
    };
    lines(l, title, t::traffic_unit_ms(l), subject, seen)
        .series(t::traffic_p50(l), values(50))
        .series(t::traffic_p95(l), values(95))
        .series(t::traffic_p99(l), values(99))
}

async fn breakdown(
    k: &Kernel,
    cx: &Cx,
    snapshot: &Snapshot,
    subject: &Subject,
    seen: &Seen,
    by: By,
) -> Result<Section> {
    let l = cx.lang;
    let (from, until) = (Span::Day.start(seen.period.from), seen.period.until);
    let found = traffic::parts(&k.db, &subject.of, by, from, until, PARTS).await?;
    let names = calls::Names(snapshot);
    let (title, param) = match by {
        By::Service => (t::traffic_by_service(l), "service"),
        By::Client => (t::traffic_by_client(l), "client"),
        By::Agreement => (t::traffic_by_agreement(l), "agreement"),
        By::Endpoint => (t::traffic_by_endpoint(l), "endpoint"),
    };
    let numbers = if by == By::Agreement { agreement_numbers(k, &found).await? } else { BTreeMap::new() };
    let part = |name: &str| match by {
        By::Service => names.service(name),
        By::Client => names.system(name),
        By::Agreement => numbers.get(name).cloned().unwrap_or_else(|| name.to_owned()),
        By::Endpoint => name.to_owned(),
    };
    let table = Table::new(l, title)
        .column(Column::text(title))
        .column(Column::number(t::traffic_calls(l)))
        .column(Column::number(t::side_of_provider(l)))
        .column(Column::number(t::side_consumer(l)))
        .column(Column::number(t::traffic_answered(l)))
        .column(Column::number(t::traffic_p95(l)))
        .rows(found.iter().map(|(name, c)| {
            let open = |side| rows(subject, from, until, side).with(param, name);
            let number = |n: i64, side| Cell::html(figure_link(open(side), &fmt::number(l, n)));
            Row::new([
                Cell::titled(open(None), part(name), if by == By::Endpoint { "" } else { name.as_str() }),
                number(c.calls, None),
                number(c.provider, Some(Side::Provider)),
                number(c.consumer, Some(Side::Consumer)),
                Cell::figure(c.answered_percent().map_or_else(|| "–".to_owned(), |p| fmt::percent(l, p))),
                Cell::figure(
                    c.latency.percentile(95).map_or_else(|| "–".to_owned(), |ms| fmt::millis(l, ms)),
                ),
            ])
        }))
        .empty(Empty::new(Icon::ChartBar, t::traffic_empty(l), t::traffic_empty_text(l)));
    let days = t::traffic_days(l, t::TrafficDays { first: from.date().vn(), most: PARTS });
    Ok(Section::new(title, table).flush().help(days))
}

/// A number that opens to its rows.
pub(super) fn figure_link(href: impl std::fmt::Display, text: &str) -> Html {
    #[derive(askama::Template)]
    #[template(source = "<a class=\"num\" href=\"{{ href }}\">{{ text }}</a>", ext = "html")]
    struct Link<'a> {
        href: String,
        text: &'a str,
    }
    Html::of(Link { href: href.to_string(), text })
}

async fn agreement_numbers(k: &Kernel, found: &[(String, Counts)]) -> Result<BTreeMap<String, String>> {
    let mut out = BTreeMap::new();
    for (id, _) in found {
        let Ok(parsed) = id.parse::<AgreementId>() else { continue };
        if let Some(a) = store::agreements::get(&k.db, parsed).await? {
            out.insert(id.clone(), a.number);
        }
    }
    Ok(out)
}
