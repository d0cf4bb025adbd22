//! Officials and system clients as files: what the lists show, to their end. Secrets and passwords are in neither.

use axum::extract::State;
use axum::response::Response;
use kernel::clock::Timestamp;
use kernel::i18n::Lang;
use kernel::identity::clients::ClientId;
use kernel::{Kernel, PersonId};
use web::export::{As, BATCH, Batch, Export, Value};
use web::{Cx, Query};

use super::{clients, officials};
use crate::actions::clients as client_acts;
use crate::actions::officials::{self as acts, Official};
use crate::{agencies, t};

pub(super) async fn officials(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<officials::ListQuery>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let (l, now) = (cx.lang, k.clock.now());
    let export = Export::new(&cx, "can-bo", t::officials(l)).columns([
        t::full_name(l),
        t::username(l),
        t::post(l),
        t::agency(l),
        t::state(l),
        t::last_sign_in(l),
    ]);
    let mut wanted = asked.people(BATCH);
    let read = move |after: Option<PersonId>| {
        wanted.after = after;
        let (k, cx, wanted) = (k.clone(), cx.clone(), wanted.clone());
        async move {
            let found = acts::list(&k, &cx, &wanted).await?;
            let mut rows = Vec::with_capacity(found.len());
            for o in &found {
                rows.push(official(&k, l, o, now).await?);
            }
            let next = Batch::of(&found, |o| o.person.id, |_| vec![]).next;
            Ok(Batch { rows, next })
        }
    };
    export.answer(file.kind, read).await
}

/// One row; of several posts all are named.
async fn official(k: &Kernel, l: Lang, o: &Official, now: Timestamp) -> kernel::Result<Vec<Value>> {
    let current = officials::current(o, now);
    let shown = if current.is_empty() { o.appointments.iter().take(1).collect() } else { current.clone() };
    let (mut posts, mut places) = (Vec::new(), Vec::new());
    for a in shown {
        posts.push(a.post.clone());
        places.extend(agencies::of(k, a, now.date()).await?);
    }
    places.dedup();
    Ok(vec![
        (&o.person.full_name).into(),
        (&o.person.username).into(),
        posts.join("; ").into(),
        places.join("; ").into(),
        officials::state(l, &o.person, &current).1.into(),
        o.person.last_sign_in_at.into(),
    ])
}

pub(super) async fn clients(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<clients::ListQuery>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let (l, now) = (cx.lang, k.clock.now());
    let export = Export::new(&cx, "tai-khoan-he-thong", t::clients(l)).columns([
        t::client_name(l),
        t::client_id(l),
        t::subsystem(l),
        t::state(l),
        t::secret_set_at(l),
    ]);
    let mut wanted = asked.clients(now, BATCH);
    let read = move |after: Option<ClientId>| {
        wanted.after = after;
        let (k, cx, wanted) = (k.clone(), cx.clone(), wanted.clone());
        async move {
            let found = client_acts::list(&k, &cx, &wanted).await?;
            let row = |c: &kernel::identity::clients::Client| {
                let words = [&c.name, &c.client_id, &c.subsystem].map(Value::from);
                let rest = [clients::state_word(l, c, now).into(), c.secret_set_at.into()];
                words.into_iter().chain(rest).collect()
            };
            Ok(Batch::of(&found, |c| c.id, row))
        }
    };
    export.answer(file.kind, read).await
}
