//! Each component by itself, in the cases that break pages: none, one, many, longest names, denied, stale.

use std::time::Duration;

use base::error::FieldError;
use base::i18n::Text;

use super::Sample;
use super::data::{LONGEST, MEMBERS, State, now};
use crate::address::Address;
use crate::cx::Cx;
use crate::ui::chart::{Bars, Lines, Spark};
use crate::ui::{
    Action, Badge, Cell, Code, Column, Confirm, Count, Diff, Empty, Entry, Facts, Field, Figure, Filters,
    Form, Fresh, Grid, Head, Help, Html, Icon, Live, Notice, Row, Source, StepState, Steps, Table, Tabs,
    Timeline, Tone,
};
use crate::{body, fmt, t};

macro_rules! sample {
    ($name:literal, $html:expr) => {
        Sample { name: $name, html: Html::of(&$html) }
    };
}

pub(super) fn all(cx: &Cx) -> Vec<Sample> {
    let mut all = words(cx);
    all.extend(lists(cx));
    all.extend(forms(cx));
    all.extend(figures(cx));
    all
}

pub(super) fn state(cx: &Cx, state: State) -> Badge {
    let l = cx.lang;
    match state {
        State::Active => Badge::new(Tone::Good, t::g_active(l)),
        State::Testing => Badge::new(Tone::Info, t::g_testing(l)),
        State::Asked => Badge::new(Tone::Info, t::g_asked(l)).icon(Icon::Hourglass),
        State::Suspended => Badge::new(Tone::Bad, t::g_suspended(l)),
        State::Ended => Badge::new(Tone::Neutral, t::g_ended(l)),
    }
}

pub(super) fn members(cx: &Cx, most: usize) -> Table {
    let l = cx.lang;
    let fresh = |minutes: u64| {
        let at = now().minus(Duration::from_secs(minutes * 60));
        Fresh::new(l, now(), at).limit(Duration::from_secs(1_800))
    };
    let rows = MEMBERS.iter().take(most).map(|m| {
        let last = if m.calls == 0 { Cell::none() } else { Cell::fresh(fresh(m.minutes)) };
        Row::new([
            Cell::titled("/gallery/thing", m.name, m.system),
            Cell::code(m.code),
            Cell::badge(state(cx, m.state)),
            Cell::number(l, m.calls),
            Cell::figure(fmt::percent(l, m.failed)),
            last,
        ])
    });
    Table::new(l, t::g_nav_members(l))
        .column(Column::text(t::g_member(l)).sort("name"))
        .column(Column::text(t::g_code(l)))
        .column(Column::text(t::g_state(l)))
        .column(Column::number(t::g_calls(l)).sort("calls"))
        .column(Column::number(t::g_failed(l)))
        .column(Column::text(t::g_last(l)))
        .rows(rows)
        .sorted(cx.address(), "name", false)
}

pub(super) fn timeline(cx: &Cx) -> Timeline {
    let l = cx.lang;
    let at = |minutes: u64| now().minus(Duration::from_secs(minutes * 60));
    Timeline::new(l)
        .entry(
            Entry::new(at(12), "Hệ thống", t::g_happened_suspended(l)).tone(Tone::Bad).detail(t::g_reason(l)),
        )
        .entry(
            Entry::new(at(1_500), "Lê Quốc Bảo, Sở Nội vụ", t::g_happened_approved(l))
                .tone(Tone::Good)
                .link(t::g_letter(l), "#"),
        )
        .entry(Entry::new(at(4_300), format!("Võ Minh Tuấn, {LONGEST}"), t::g_happened_asked(l)))
}

pub(super) fn facts(cx: &Cx) -> Facts {
    let l = cx.lang;
    Facts::new()
        .row(t::g_member(l), Cell::legal(LONGEST))
        .row(t::g_code(l), Cell::code("VN/GOV/H99.03.115/MOTCUA"))
        .row(t::g_since(l), Cell::time(now()))
        .row(t::g_purpose(l), Cell::text(t::g_purpose_text(l)))
        .row(t::g_ends(l), Cell::none())
}

fn words(cx: &Cx) -> Vec<Sample> {
    let l = cx.lang;
    let tones = Tone::ALL.into_iter().fold(Html::default(), |mut html, tone| {
        html.push(Badge::new(tone, format!("{tone:?}")));
        html.push(Html::trusted(" "));
        html
    });
    let notices = Tone::ALL.into_iter().fold(Html::default(), |mut html, tone| {
        html.push(Notice::new(tone, t::g_notice(l)).title(format!("{tone:?}")));
        html
    });
    vec![
        sample!("Head", head(cx)),
        sample!("Head · folded actions", head(cx).action(Action::link(t::g_export(l), "#")).action(Action::post(cx, t::g_end(l), "#").danger())),
        sample!("Head · longest, denied", Head::new(l, LONGEST).legal_name().primary(Action::post(cx, t::g_approve(l), "#").denied(t::g_denied(l)))),
        sample!("Badge", tones),
        sample!("Notice", notices),
        sample!("Notice · action", Notice::new(Tone::Warn, t::g_notice(l)).action(Action::link(t::g_open(l), "#"))),
        sample!("Action", body![
            Action::link(t::g_open(l), "#"), Html::trusted(" "), Action::post(cx, t::g_approve(l), "#").primary().icon(Icon::Check),
            Html::trusted(" "), Action::post(cx, t::g_end(l), "#").danger(), Html::trusted(" "), Action::link(t::g_export(l), "#").ghost().icon(Icon::Download),
            Html::trusted(" "), Action::link(t::g_open(l), "#").small()
        ]),
        sample!("Empty", Empty::new(Icon::PlugConnected, t::g_empty(l), t::g_empty_text(l)).action(Action::link(t::g_add(l), "#").primary())),
        sample!("Steps", Steps::new()
            .step(t::g_asked(l), StepState::Done, Some("18/11/2026".into()))
            .step(t::g_testing(l), StepState::Now, Some("20/11/2026".into()))
            .step(t::g_active(l), StepState::Later, None)),
        sample!("Help", Help::new(t::g_help(l), "Liên Thông.\n\nLGSP.")),
        sample!("Code", Code::new(l, "curl -H \"Authorization: Bearer $TOKEN\" \\\n  https://lienthong.example.vn/api/exchange/v1/members?state=active&limit=50").title("curl")),
        sample!("Code · key", Code::new(l, "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=").wrapped()),
    ]
}

fn head(cx: &Cx) -> Head {
    let l = cx.lang;
    Head::new(l, t::g_agreement(l))
        .code("TT-2026-0147")
        .badge(state(cx, State::Asked))
        .sub(t::g_agreement_sub(l))
        .primary(Action::post(cx, t::g_approve(l), "#"))
        .action(Action::post(cx, t::g_refuse(l), "#"))
}

fn lists(cx: &Cx) -> Vec<Sample> {
    let l = cx.lang;
    let tabs = Tabs::new(l)
        .tab(t::g_all(l), "#", Some(Count::upto(1_204, 1_000)), true)
        .tab(t::g_active(l), "#", Some(Count::exact(997)), false)
        .tab(t::g_asked(l), "#", Some(Count::exact(0)), false)
        .tab(t::g_suspended(l), "#", None, false);
    let filters = Filters::new(cx)
        .search("q", t::g_find(l))
        .select("state", t::g_state(l), vec![("active".into(), t::g_active(l).into())])
        .chip(t::g_state(l), t::g_active(l), "#");
    let many = members(cx, 99)
        .total(Count::upto(10_000, 1_000))
        .export(&Address::path("/gallery/list"))
        .previous(Some("#"))
        .next(Some("#"));
    vec![
        sample!("Tabs", tabs),
        sample!("Filters", filters),
        sample!("Table · none", members(cx, 0)),
        sample!("Table · one", members(cx, 1).total(Count::exact(1))),
        sample!("Table · many", many),
        sample!("Table · scrolling", members(cx, 2).scrolling()),
        sample!("Facts", facts(cx)),
        sample!("Timeline · none", Timeline::new(l)),
        sample!("Timeline", timeline(cx).more(Some("#"))),
        sample!("Diff · none", Diff::new(l)),
        sample!("Diff", diff(cx)),
    ]
}

fn diff(cx: &Cx) -> Diff {
    let l = cx.lang;
    Diff::new(l)
        .row(t::g_member(l), "Ủy ban nhân dân xã Đất Mũi", LONGEST)
        .row(t::g_ends(l), "", "31/12/2027")
        .row(t::g_purpose(l), t::g_purpose_text(l), t::g_purpose_text(l))
        .row(t::g_code(l), "H99.09", "H99.09")
}

pub(super) fn member_form(cx: &Cx) -> Form {
    let l = cx.lang;
    let kinds =
        || vec![("agency".into(), t::g_kind_agency(l).into()), ("party".into(), t::g_kind_party(l).into())];
    Form::post(cx, "/gallery/form")
        .section(t::g_form_who(l), Some(t::g_form_who_help(l)))
        .field(Field::text("code", t::g_code(l)).help(t::g_code_help(l)).required().mono().half())
        .field(Field::date("since", t::g_since(l)).half())
        .field(
            Field::select(
                "name",
                t::g_member(l),
                MEMBERS.iter().map(|m| (m.code.into(), m.name.into())).collect(),
            )
            .required()
            .value("H99.03.115"),
        )
        .field(Field::radios("kind", t::g_kind(l), kinds()).value("agency"))
        .section(t::g_form_why(l), None)
        .field(Field::textarea("purpose", t::g_purpose(l)).value(t::g_purpose_text(l)))
        .field(Field::checks("fields", t::g_fields(l), kinds()).values(["party"]))
        .field(Field::file("letter", t::g_letter(l), ".pdf").optional())
        .field(Field::checkbox("agree", t::g_agree(l)).required())
        .submit(t::g_send(l))
        .cancel("/gallery/list")
}

pub(super) fn errors() -> Vec<FieldError> {
    vec![
        FieldError { field: "code".into(), text: Text::both(t::g_wrong_code) },
        FieldError { field: "agree".into(), text: Text::both(t::g_wrong_agree) },
    ]
}

fn forms(cx: &Cx) -> Vec<Sample> {
    let l = cx.lang;
    vec![
        sample!("Form", member_form(cx)),
        sample!("Form · errors", member_form(cx).errors(&errors())),
        sample!(
            "Confirm",
            Confirm::post(cx, "#", t::g_consequence(l), t::g_end(l))
                .danger()
                .reason("reason", t::g_reason_label(l))
                .cancel("#")
        ),
    ]
}

pub(super) fn days() -> Vec<String> {
    (9..=22).map(|d| format!("{d:02}/11")).collect()
}

pub(super) fn wave(scale: f64, shift: usize) -> Vec<Option<f64>> {
    const SHAPE: [f64; 14] = [4.1, 9.8, 9.1, 8.7, 8.9, 8.2, 3.9, 3.1, 10.4, 9.6, 9.9, 9.0, 8.8, 4.0];
    (0..14).map(|i| (i + shift != 11).then(|| SHAPE[(i + shift) % 14] * scale)).collect()
}

fn figures(cx: &Cx) -> Vec<Sample> {
    let l = cx.lang;
    let source = || Source::new(l, t::g_source(l), now()).owner("Sở Khoa học và Công nghệ").complete(99.97);
    let trend = Spark::new(&[4.0, 9.0, 7.0, f64::NAN, 3.0, 10.0, 9.0], t::g_trend(l));
    let lines = |n: usize| {
        (0..n).fold(Lines::new(l, t::g_chart(l), t::g_calls_unit(l), days()), |c, i| {
            #[expect(clippy::cast_precision_loss, reason = "a handful")]
            let scale = 1_000.0 / (i + 1) as f64;
            c.series(MEMBERS[i % MEMBERS.len()].name, wave(scale, i))
        })
    };
    let bars = MEMBERS.iter().fold(Bars::new(l, t::g_chart_bars(l), t::g_calls_unit(l)), |b, m| {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let calls = m.calls as f64;
        b.bar(m.name, calls, Some("#".into()))
    });
    let old = now().minus(Duration::from_secs(7_200));
    vec![
        sample!(
            "Figure",
            Grid::new()
                .add(
                    Figure::new(t::g_calls(l), fmt::number(l, 1_712_736), "/gallery/list")
                        .trend(trend)
                        .source(source())
                )
                .add(
                    Figure::new(t::g_failed(l), fmt::percent(l, 3.8), "/gallery/list")
                        .tone(Tone::Bad)
                        .note(t::g_failed_note(l))
                        .source(source())
                )
                .add(
                    Figure::new(t::g_nav_members(l), "0", "/gallery/list")
                        .unit(t::g_member(l).to_lowercase())
                )
        ),
        sample!("Lines · none", lines(0)),
        sample!("Lines · one", lines(1)),
        sample!("Lines · columns", lines(1).columns()),
        sample!("Lines · many", lines(7)),
        sample!(
            "Lines · good and bad",
            lines(0).toned(Tone::Good, t::g_calls(l), wave(1_000.0, 0)).toned(
                Tone::Bad,
                t::g_failed(l),
                wave(90.0, 2)
            )
        ),
        sample!("Bars · none", Bars::new(l, t::g_chart_bars(l), t::g_calls_unit(l))),
        sample!("Bars", bars),
        sample!("Fresh", Fresh::new(l, now(), now())),
        sample!("Fresh · stale", Fresh::new(l, now(), old).limit(Duration::from_secs(60))),
        sample!("Live", Live::new(l, "live-sample", cx.address(), 3_600, Fresh::new(l, now(), old))),
    ]
}
