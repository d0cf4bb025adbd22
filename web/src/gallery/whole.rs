//! Whole pages as modules would make them.

use std::time::Duration;

use axum::response::Response;

use super::data::{LONGEST, MEMBERS, now};
use super::parts::{self, days, wave};
use crate::cx::Cx;
use crate::export::{Batch, Export, Kind};
use crate::failure::Result;
use crate::frame::{Page, page};
use crate::ui::chart::{Bars, Lines, Spark};
use crate::ui::{
    Action, Badge, Cell, Code, Count, Empty, Facts, Field, Figure, Filters, Form, Fresh, Grid, Head, Help,
    Icon, Notice, Section, Source, StepState, Steps, Table, Tabs, Thing, Tone,
};
use crate::{body, fmt, t};

pub(super) fn list(cx: &Cx) -> Page {
    let l = cx.lang;
    let here = cx.address();
    let head = Head::new(l, t::g_nav_members(l))
        .sub(t::g_members_sub(l))
        .primary(Action::link(t::g_add(l), "/gallery/form").icon(Icon::Plus));
    let tab = here.get("tab").unwrap_or("all").to_owned();
    let to = |name: &str| here.with("tab", name).without("after");
    let tabs = Tabs::new(l)
        .tab(t::g_all(l), to("all"), Some(Count::upto(1_204, 1_000)), tab == "all")
        .tab(t::g_active(l), to("active"), Some(Count::exact(166)), tab == "active")
        .tab(t::g_asked(l), to("asked"), Some(Count::exact(12)), tab == "asked")
        .tab(t::g_suspended(l), to("suspended"), Some(Count::exact(1)), tab == "suspended");
    let filters = Filters::new(cx).search("q", t::g_find(l)).select(
        "state",
        t::g_state(l),
        vec![("active".into(), t::g_active(l).into()), ("ended".into(), t::g_ended(l).into())],
    );
    let table =
        parts::members(cx, 99).total(Count::exact(1_204)).export(here).next(Some(here.with("after", "x")));
    page(&cx.frame(t::g_nav_members(l)), body![head, tabs, filters, table])
}

pub(super) async fn list_as_file(cx: &Cx, kind: Kind) -> Result<Response> {
    let l = cx.lang;
    let columns = [t::g_member(l), t::g_code(l), t::g_calls(l)];
    let rows = MEMBERS.iter().map(|m| vec![m.name.into(), m.code.into(), m.calls.into()]).collect();
    let batch: Batch<()> = Batch::whole(rows);
    let export = Export::new(cx, "thanh-vien-mau", t::g_nav_members(l)).columns(columns);
    export.answer(kind, move |_| std::future::ready(Ok(batch.clone()))).await
}

pub(super) fn none(cx: &Cx) -> Page {
    let l = cx.lang;
    let empty = Empty::new(Icon::PlugConnected, t::g_empty(l), t::g_empty_text(l))
        .action(Action::link(t::g_add(l), "/gallery/form").primary());
    let table = Table::new(l, t::g_nav_services(l)).empty(empty);
    let help = Help::new(t::g_help(l), t::g_empty_text(l));
    page(&cx.frame(t::g_nav_services(l)), body![Head::new(l, t::g_nav_services(l)), help, table])
}

pub(super) fn thing(cx: &Cx) -> Page {
    let l = cx.lang;
    let head = Head::new(l, t::g_agreement(l))
        .code("TT-2026-0147")
        .badge(Badge::new(Tone::Info, t::g_asked(l)).icon(Icon::Hourglass))
        .sub(t::g_agreement_sub(l))
        .primary(Action::post(cx, t::g_approve(l), "#"))
        .action(Action::post(cx, t::g_ask_more(l), "#"))
        .action(Action::post(cx, t::g_refuse(l), "#"));
    let tabs = Tabs::new(l)
        .tab(t::g_content(l), "/gallery/thing", None, true)
        .tab(t::g_calls(l), "#", Some(Count::upto(86_340, 1_000)), false)
        .tab(t::g_nav_evidence(l), "#", Some(Count::exact(214)), false);
    let steps = Steps::new()
        .step(t::g_asked(l), StepState::Done, Some("18/11/2026".into()))
        .step(t::g_testing(l), StepState::Now, Some("20/11/2026".into()))
        .step(t::g_active(l), StepState::Later, None);
    let content = Facts::new()
        .row(t::g_purpose(l), Cell::text(t::g_purpose_text(l)))
        .row(
            t::g_basis(l),
            Cell::legal("Nghị định số 194/2025/NĐ-CP; Quyết định số 512/QĐ-UBND ngày 02/10/2026"),
        )
        .row(
            t::g_fields(l),
            Cell::text("hoTen, ngaySinh, soDinhDanh, noiThuongTru.maTinh, noiThuongTru.maXa"),
        )
        .row(t::g_quota(l), Cell::text(t::g_quota_text(l)))
        .row(t::g_letter(l), Cell::link("#", "1147/SKHCN-CĐS, 18/11/2026"));
    let diff = crate::ui::Diff::new(l)
        .row(t::g_quota(l), "5.000", "20.000")
        .row(t::g_ends(l), "", "31/12/2027")
        .row(t::g_basis(l), "194/2025/NĐ-CP", "194/2025/NĐ-CP");
    let thing = Thing::new(body![
        steps,
        Section::new(t::g_content(l), content),
        Section::new(t::g_change(l), diff).help(t::g_change_help(l))
    ])
    .side(t::g_facts(l), parts::facts(cx))
    .timeline(t::g_history(l), parts::timeline(cx));
    let frame = cx
        .frame(t::g_agreement(l))
        .crumb(t::g_nav_exchange(l), "/gallery/list")
        .crumb(t::g_nav_agreements(l), "/gallery/list");
    page(&frame, body![head, tabs, thing])
}

pub(super) fn form(cx: &Cx) -> Page {
    let l = cx.lang;
    let form = match cx.address().get("wrong") {
        Some(_) => parts::member_form(cx).errors(&parts::errors()),
        None => parts::member_form(cx),
    };
    let frame = cx.frame(t::g_add(l)).crumb(t::g_nav_members(l), "/gallery/list");
    page(&frame, body![Head::new(l, t::g_add(l)).sub(t::g_members_sub(l)), form])
}

pub(super) fn figures(cx: &Cx) -> Page {
    let l = cx.lang;
    let source = |minutes: u64| {
        Source::new(l, t::g_source(l), now().minus(Duration::from_secs(minutes * 60)))
            .owner("Sở Khoa học và Công nghệ")
            .complete(99.97)
    };
    let spark = Spark::new(&[4.1, 9.8, 9.1, 8.7, 8.9, 8.2, 3.9, 3.1, 10.4, 9.6], t::g_trend(l));
    let top = Grid::new()
        .add(
            Figure::new(t::g_calls(l), fmt::number(l, 1_712_736), "/gallery/list")
                .trend(spark)
                .source(source(1)),
        )
        .add(
            Figure::new(t::g_failed(l), fmt::percent(l, 0.31), "/gallery/list")
                .tone(Tone::Good)
                .note(t::g_failed_note(l))
                .source(source(1)),
        )
        .add(
            Figure::new(t::g_waiting(l), "12", "/gallery/list?tab=asked")
                .unit(t::g_nav_agreements(l).to_lowercase())
                .source(source(4)),
        )
        .add(
            Figure::new(t::g_down(l), "1", "/gallery/list?tab=suspended")
                .tone(Tone::Bad)
                .note(LONGEST)
                .source(source(1)),
        );
    let lines = Lines::new(l, t::g_chart(l), t::g_calls_unit(l), days())
        .series(t::g_this_year(l), wave(12_400.0, 0))
        .series(t::g_last_year(l), wave(8_100.0, 3));
    let columns = Lines::new(l, t::g_chart_errors(l), t::g_calls_unit(l), days())
        .toned(Tone::Bad, t::g_failed(l), wave(31.0, 2))
        .columns();
    let bars = Bars::new(l, t::g_chart_bars(l), t::g_calls_unit(l))
        .bar("Sở Nội vụ", 1_204_518.0, Some("#".into()))
        .bar("Sở Nông nghiệp và Môi trường", 412_007.0, Some("#".into()))
        .bar("Sở Tài chính", 86_340.0, Some("#".into()))
        .bar(LONGEST, 9_871.0, Some("#".into()));
    let notice = Notice::new(Tone::Bad, t::g_alarm_text(l))
        .title(t::g_alarm(l))
        .action(Action::link(t::g_open(l), "/gallery/thing"));
    let charts = Grid::new()
        .columns(2)
        .add(Section::new(t::g_calls(l), lines))
        .add(Section::new(t::g_failed(l), columns));
    let head = Head::new(l, t::g_nav_today(l))
        .sub(t::g_today_sub(l, now().date().vn()))
        .action(Action::link(t::g_export(l), "#").icon(Icon::Download));
    page(
        &cx.frame(t::g_nav_today(l)),
        body![head, notice, top, charts, Section::new(t::g_nav_members(l), bars)],
    )
}

pub(super) fn sign_in(cx: &Cx) -> Page {
    let l = cx.lang;
    let form = Form::post(cx, "/login")
        .field(Field::text("name", t::g_account(l)).required().autocomplete("username"))
        .field(Field::password("password", t::g_password(l)).required())
        .submit(t::sign_in(l));
    let form = if cx.address().get("wrong").is_some() { form.error(t::g_wrong_password(l)) } else { form };
    page(
        &cx.frame(t::sign_in(l)),
        body![Head::new(l, t::sign_in(l)).sub(t::g_sign_in_sub(l)), Section::new(t::g_account(l), form)],
    )
}

pub(super) fn verify(cx: &Cx) -> Page {
    let l = cx.lang;
    let facts = Facts::new()
        .row(t::g_member(l), Cell::legal(LONGEST))
        .row(t::g_since(l), Cell::time(now()))
        .row(t::g_last(l), Cell::fresh(Fresh::new(l, now(), now().minus(Duration::from_secs(200)))))
        .row(t::g_code(l), Cell::code("VN/GOV/H99.03.115"));
    let digest = Code::new(l, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
        .title("SHA-256")
        .wrapped();
    let good = Notice::new(Tone::Good, t::g_verified_text(l)).title(t::g_verified(l));
    page(
        &cx.frame(t::g_nav_evidence(l)),
        body![
            Head::new(l, t::g_nav_evidence(l)).sub(t::g_verify_sub(l)),
            good,
            Section::new(t::g_facts(l), facts),
            digest
        ],
    )
}
