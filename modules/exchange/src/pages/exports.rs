//! The lists of the console as files: the same queries with the same rights as the pages, to their end.

use axum::extract::State;
use axum::response::Response;
use base::i18n::Lang;
use kernel::Kernel;
use web::export::{As, BATCH, Batch, Export, Value};
use web::{Cx, Query};

use super::{agreements, calls, catalogue, parts};
use crate::store::lists::{
    self, After, AgreementFilter, AgreementRow, CallAfter, CallFilter, CallRow, CatalogueFilter, MemberRow,
    ServiceRow, SubsystemRow,
};
use crate::viewer::Viewer;
use crate::{Exchange, t};

pub(super) async fn members(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<catalogue::Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let export = Export::new(&cx, "thanh-vien", t::members_title(l)).columns([
        t::column_member(l),
        t::fact_class(l),
        t::fact_code(l),
        t::column_subsystems(l),
        t::column_services(l),
        t::column_changed(l),
    ]);
    let row = |m: &MemberRow| {
        let words = [&m.name, &m.class, &m.code].map(Value::from);
        let rest = [m.subsystems.into(), m.services.into(), m.changed_at.into()];
        words.into_iter().chain(rest).collect()
    };
    let read = move |after: Option<String>| {
        let (k, viewer, filter) = (k.clone(), viewer.clone(), onward(&asked, after));
        async move {
            let rows = lists::members(&k.db, &viewer, &filter).await?;
            Ok(Batch::of(&rows, |r| r.id.to_string(), row))
        }
    };
    export.answer(file.kind, read).await
}

pub(super) async fn subsystems(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<catalogue::Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let export = Export::new(&cx, "he-thong", t::subsystems_title(l)).columns([
        t::column_subsystem(l),
        t::fact_code(l),
        t::column_member(l),
        t::column_services(l),
        t::column_consumes(l),
    ]);
    let row = |s: &SubsystemRow| {
        let names = [&s.name, &s.key, &s.member_name].map(Value::from);
        names.into_iter().chain([s.services.into(), s.consumes.into()]).collect()
    };
    let read = move |after: Option<String>| {
        let (k, viewer, filter) = (k.clone(), viewer.clone(), onward(&asked, after));
        async move {
            let rows = lists::subsystems(&k.db, &viewer, &filter).await?;
            Ok(Batch::of(&rows, |r| r.id.to_string(), row))
        }
    };
    export.answer(file.kind, read).await
}

pub(super) async fn services(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<catalogue::Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let export = Export::new(&cx, "dich-vu", t::services_title(l)).columns([
        t::column_service(l),
        t::fact_code(l),
        t::column_subsystem(l),
        t::column_provider(l),
        t::column_kind(l),
        t::column_endpoints(l),
        t::column_agreements(l),
        t::column_state(l),
    ]);
    let row = move |s: &ServiceRow| {
        let names = [&s.name, &s.key, &s.subsystem_name, &s.member_name].map(Value::from);
        let state = parts::service_label(l, &s.state);
        let rest = [s.kind.as_str().into(), s.endpoints.into(), s.agreements.into(), state.into()];
        names.into_iter().chain(rest).collect()
    };
    let read = move |after: Option<String>| {
        let (k, viewer, filter) = (k.clone(), viewer.clone(), onward(&asked, after));
        async move {
            let rows = lists::services(&k.db, &viewer, &filter).await?;
            Ok(Batch::of(&rows, |r| r.id.to_string(), row))
        }
    };
    export.answer(file.kind, read).await
}

/// The filter of a list, from its beginning or after a row.
fn onward(asked: &catalogue::Asked, after: Option<String>) -> CatalogueFilter {
    CatalogueFilter { after, limit: BATCH, ..asked.filter() }
}

pub(super) async fn agreements(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<agreements::Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let today = k.clock.now().date();
    let export = Export::new(&cx, "chap-thuan", t::agreements_title(l)).columns([
        t::column_number(l),
        t::fact_purpose(l),
        t::column_consumer(l),
        t::export_consumer_member(l),
        t::column_service(l),
        t::column_provider(l),
        t::export_valid_from(l),
        t::export_valid_to(l),
        t::column_state(l),
        t::column_changed(l),
    ]);
    let read = move |after: Option<After>| {
        let filter = AgreementFilter { after, limit: BATCH, ..asked.filter() };
        let (k, viewer) = (k.clone(), viewer.clone());
        async move {
            let rows = lists::agreements(&k.db, &viewer, today, &filter).await?;
            Ok(Batch::of(&rows, |r| After { at: r.changed_at, id: r.id }, |a| agreement(l, a)))
        }
    };
    export.answer(file.kind, read).await
}

fn agreement(l: Lang, a: &AgreementRow) -> Vec<Value> {
    let words =
        [&a.number, &a.purpose, &a.consumer_name, &a.consumer_member, &a.service_name, &a.provider_member];
    let rest = [a.valid_from.into(), a.valid_to.into(), a.state.label(l).into(), a.changed_at.into()];
    words.map(Value::from).into_iter().chain(rest).collect()
}

pub(super) async fn calls(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<calls::Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let l = cx.lang;
    let paths = Viewer::of(&k, &cx).await?.paths(&k).await?;
    let export = Export::new(&cx, "luot-goi", t::calls_title(l)).columns([
        t::column_time(l),
        t::fact_request_id(l),
        t::column_consumer(l),
        t::export_consumer_path(l),
        t::column_service(l),
        t::export_service_path(l),
        t::column_method(l),
        t::column_path(l),
        t::column_status(l),
        t::export_took(l),
        t::column_ending(l),
        t::column_reason(l),
        t::thing_agreement(l),
        t::fact_request_size(l),
        t::fact_response_size(l),
        t::export_forwarded(l),
    ]);
    // A period that ends now stays the same from the first batch to the last.
    let wanted = asked.resolved(&k).await?;
    let read = move |after: Option<CallAfter>| {
        let filter = CallFilter { after, limit: BATCH, ..wanted.clone() };
        let (k, paths, exchange) = (k.clone(), paths.clone(), exchange.clone());
        async move {
            let rows = lists::calls(&k.db, paths.as_deref(), &filter).await?;
            let current = exchange.keeper().current();
            let snapshot = current.load();
            let names = calls::Names(&snapshot);
            let cursor = |r: &CallRow| CallAfter { at: r.request_in, request_id: r.request_id.clone() };
            Ok(Batch::of(&rows, cursor, |c| call(l, &names, c)))
        }
    };
    export.answer(file.kind, read).await
}

fn call(l: Lang, names: &calls::Names<'_>, c: &CallRow) -> Vec<Value> {
    vec![
        c.request_in.into(),
        (&c.request_id).into(),
        names.system(&c.client).into(),
        (&c.client).into(),
        names.service(&c.service).into(),
        (&c.service).into(),
        (&c.method).into(),
        c.endpoint.as_deref().into(),
        c.status.into(),
        c.took_micros().map(|micros| micros / 1_000).into(),
        parts::ending_label(l, c.ending()).into(),
        c.fault.as_deref().into(),
        c.agreement.map(|a| a.to_string()).into(),
        c.request_size.into(),
        c.response_size.into(),
        c.request_out.into(),
    ]
}
