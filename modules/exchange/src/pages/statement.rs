//! The statement of use of one agreement over a month, for provider and consumer: figures day by day beside the quota,
//! and where in the evidence log the calls stand, so that a stranger can check.

use axum::extract::State;
use axum::response::Response;
use base::clock::Timestamp;
use base::i18n::Lang;
use kernel::orgs::UnitId;
use kernel::{Error, Kernel, Result, params};
use serde::Deserialize;
use web::export::{As, Batch, Export, Value};
use web::ui::{Action, Address, Head, Html, Icon, Notice, Tone};
use web::{Cx, Page, Path, Query, fmt};

use crate::agreement::Terms;
use crate::ids::AgreementId;
use crate::report::Month;
use crate::store::agreements;
use crate::store::lists::{self, AgreementRow};
use crate::t;
use crate::traffic::{self, Counts, Of, Span, What};
use crate::viewer::Viewer;

/// Which month; the present one unless asked otherwise.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    month: Option<Month>,
}

/// Where calls of the month stand in one log.
struct Stretch {
    log: String,
    dir: String,
    first: i64,
    last: i64,
    count: i64,
    checkpoint: String,
}

/// What a statement says.
struct Found {
    month: Month,
    row: AgreementRow,
    terms: Terms,
    consumer: String,
    provider: String,
    days: Vec<(Timestamp, Counts)>,
    total: Counts,
    stretches: Vec<Stretch>,
}

impl Found {
    async fn read(k: &Kernel, cx: &Cx, id: AgreementId, asked: &Asked) -> Result<Self> {
        let viewer = Viewer::of(k, cx).await?;
        let row = lists::agreement_row(&k.db, &viewer, k.clock.now().date(), id).await?;
        let row = row.ok_or(Error::NotFound { kind: AgreementId::KIND })?;
        let agreement =
            agreements::get(&k.db, id).await?.ok_or(Error::NotFound { kind: AgreementId::KIND })?;
        let month = asked.month.unwrap_or_else(|| Month::of(k.clock.now().date()));
        let of = Of { what: What::Agreement(id.to_string()), parties: viewer.paths(k).await? };
        let found = traffic::points(&k.db, &of, Span::Day, month.from(), month.until()).await?;
        let mut total = Counts::default();
        found.values().for_each(|c| total.add(c));
        let consumer = legal_name(k, row.consumer_agency, &row.consumer_member, month).await?;
        let provider = legal_name(k, row.provider_agency, &row.provider_member, month).await?;
        let stretches = stretches(k, id, month).await?;
        let days = found.into_iter().collect();
        Ok(Self { month, row, terms: agreement.terms, consumer, provider, days, total, stretches })
    }

    fn calls(&self, from: Timestamp, until: Timestamp) -> Address {
        Address::path("/exchange/calls")
            .with("ended", 1)
            .with("from", from.rfc3339_vn())
            .with("until", until.rfc3339_vn())
            .with("agreement", self.row.id)
    }
}

/// The agency's name as the law wrote it at the end of the month; the member's where it has no agency here.
async fn legal_name(k: &Kernel, agency: Option<UnitId>, member: &str, month: Month) -> Result<String> {
    let Some(unit) = agency else { return Ok(member.to_owned()) };
    let last = month.until().date().plus_days(-1).unwrap_or(month.until().date());
    Ok(k.orgs().version_at(unit, last).await?.map_or_else(|| member.to_owned(), |v| v.full_name))
}

async fn stretches(k: &Kernel, id: AgreementId, month: Month) -> Result<Vec<Stretch>> {
    let sql = "SELECT c.closed_origin AS dir, MIN(c.closed_index) AS first, MAX(c.closed_index) AS last, COUNT(*) AS n,
                   o.name, o.checkpoint
               FROM exchange_call c JOIN exchange_origin o ON o.dir = c.closed_origin
               WHERE c.agreement = $1 AND c.request_in >= $2 AND c.request_in < $3 AND c.environment IS NULL
               GROUP BY c.closed_origin, o.name, o.checkpoint ORDER BY c.closed_origin";
    let rows = k.db.query(sql, params![id, month.from(), month.until()]).await?;
    let read = |r: &kernel::db::Row| {
        Ok(Stretch {
            log: r.text("name")?,
            dir: r.text("dir")?,
            first: r.int("first")?,
            last: r.int("last")?,
            count: r.int("n")?,
            checkpoint: r.opt_text("checkpoint")?.unwrap_or_default(),
        })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn page(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let found = Found::read(&k, &cx, id, &asked).await?;
    let title = t::statement_title(l, &found.row.number);
    let at = format!("/exchange/agreements/{id}/statement");
    let file = |kind| format!("{at}/export?as={kind}&month={}", found.month);
    let mut head = Head::new(l, &title).action(Action::link("CSV", file("csv")).icon(Icon::Download)).action(
        Action::link(t::report_before(l), format!("{at}?month={}", found.month.before()))
            .icon(Icon::ArrowLeft),
    );
    if found.month.until() <= k.clock.now() {
        head = head.action(Action::link(t::report_after(l), format!("{at}?month={}", found.month.after())));
    }
    let mut above = Html::of(head);
    above.push(Notice::new(Tone::Info, t::report_print(l)));
    let mut body = screen_only(&above);
    body.push(Sheet { lang: l, f: &found });
    let frame = cx.frame(&title).crumb(&found.row.number, format!("/exchange/agreements/{id}"));
    Ok(web::page(&frame, body))
}

/// What is not for paper.
pub(super) fn screen_only(part: &Html) -> Html {
    Html::trusted(format!("<div class=\"lt-screen\">{}</div>", part.as_str()))
}

/// The statement as it lies on paper.
#[derive(askama::Template)]
#[template(path = "statement.html")]
struct Sheet<'a> {
    lang: Lang,
    f: &'a Found,
}

impl Sheet<'_> {
    fn number(&self, n: &i64) -> String {
        fmt::number(self.lang, *n)
    }

    fn ok(&self, c: &Counts) -> String {
        fmt::number(self.lang, c.ok())
    }

    fn stretch(&self, s: &Stretch) -> String {
        let said =
            t::StatementStretch { calls: self.number(&s.count), first: s.first, last: s.last, log: &s.log };
        t::statement_stretch(self.lang, said)
    }

    fn bytes(&self, n: &i64) -> String {
        fmt::bytes(self.lang, u64::try_from(*n).unwrap_or(0))
    }

    fn day(&self, at: &Timestamp) -> Address {
        self.f.calls(*at, Span::Day.next(*at))
    }

    fn month(&self) -> Address {
        self.f.calls(self.f.month.from(), self.f.month.until())
    }

    fn quota(&self) -> String {
        let calls = |n: Option<u32>| n.map(|n| fmt::number(self.lang, i64::from(n)));
        match (calls(self.f.terms.quota.per_minute), calls(self.f.terms.quota.per_day)) {
            (None, None) => t::quota_none(self.lang).to_owned(),
            (Some(m), None) => t::quota_minute(self.lang, m),
            (None, Some(d)) => t::quota_day(self.lang, d),
            (Some(m), Some(d)) => {
                format!("{} · {}", t::quota_minute(self.lang, m), t::quota_day(self.lang, d))
            }
        }
    }

    /// The part of the daily quota a day used.
    fn used(&self, c: &Counts) -> String {
        #[expect(clippy::cast_precision_loss, reason = "calls of a day stay far below 2^52")]
        let percent =
            self.f.terms.quota.per_day.map(|most| (c.calls - c.refused) as f64 * 100.0 / f64::from(most));
        percent.map_or_else(|| "–".to_owned(), |p| fmt::percent(self.lang, p))
    }
}

pub(super) async fn export(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    Query(asked): Query<Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let l = cx.lang;
    let found = Found::read(&k, &cx, id, &asked).await?;
    let export = Export::new(&cx, "doi-soat", t::statement_title(l, &found.row.number).replace('/', "-"))
        .columns([
            t::column_number(l),
            t::statement_day(l),
            t::traffic_calls(l),
            t::side_ok(l),
            t::side_consumer(l),
            t::side_of_provider(l),
            t::side_ours(l),
            t::ending_refused(l),
            t::fact_request_size(l),
            t::fact_response_size(l),
        ]);
    let row = |(at, c): &(Timestamp, Counts)| -> Vec<Value> {
        let counts =
            [c.calls, c.ok(), c.consumer, c.provider, c.ours, c.refused, c.request_bytes, c.response_bytes];
        let first: [Value; 2] = [(&found.row.number).into(), at.date().into()];
        first.into_iter().chain(counts.map(Value::from)).collect()
    };
    let rows: Vec<Vec<Value>> = found.days.iter().map(row).collect();
    export
        .answer::<(), _, _>(file.kind, move |_| {
            let rows = rows.clone();
            async move { Ok(Batch::whole(rows)) }
        })
        .await
}
