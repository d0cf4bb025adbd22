//! Messages and the attempts at them.

use base::clock::Timestamp;
use base::error::{Error, Result};
use base::i18n::Lang;
use kernel::db::{Db, Row, Value};
use kernel::notices::Channel;
use kernel::{PersonId, Ref, Tx, params};

use super::{number, severity};
use crate::message::{Attempt, Message, MessageId, NewMessage, Sealed, State};

const COLUMNS: &str = "id, template, severity, person, recipient, channel, masked, lang, subject,
    body, state, reason, attempts, not_before, created_at, changed_at";

fn from_row(r: &Row) -> Result<Message> {
    let state = r.text("state")?;
    Ok(Message {
        id: r.id("id")?,
        template: r.text("template")?,
        severity: severity(r.int("severity")?),
        person: r.opt_id("person")?,
        recipient: r.text("recipient")?,
        channel: r.opt_text("channel")?.as_deref().and_then(Channel::from_name),
        masked: r.text("masked")?,
        lang: Lang::from_tag(&r.text("lang")?).unwrap_or(Lang::Vi),
        subject: r.text("subject")?,
        body: r.text("body")?,
        state: State::from_name(&state).ok_or_else(|| Error::internal(format!("state `{state}`")))?,
        reason: r.opt_text("reason")?,
        attempts: r.int("attempts")?,
        not_before: r.time("not_before")?,
        created_at: r.time("created_at")?,
        changed_at: r.time("changed_at")?,
    })
}

/// Keeps a message; returns its identifier.
pub(crate) async fn insert(tx: &mut Tx, m: NewMessage<'_>) -> Result<MessageId> {
    let (id, now) = {
        let k = tx.kernel();
        (MessageId::new(&*k.clock, &*k.random), k.clock.now())
    };
    let (kind, about) = m.about.map(|r| (r.kind.clone(), r.id.clone())).unzip();
    let sql = "INSERT INTO notices_message (id, template, case_id, notice_id, about_kind, about_id, severity, person,
                   recipient, channel, address, masked, lang, subject, body, secret, state, attempts, not_before,
                   created_at, changed_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0, $18, $19, $19)";
    let values = params![
        id,
        m.template,
        m.case,
        m.notice,
        kind,
        about,
        number(m.severity),
        m.person,
        m.recipient,
        m.channel.map(Channel::name),
        m.address,
        m.masked,
        m.lang.tag(),
        m.subject,
        m.body,
        m.secret,
        m.state.name(),
        m.not_before,
        now
    ];
    tx.execute(sql, values).await?;
    Ok(id)
}

/// Remembers what a message tells together.
pub(crate) async fn covers(tx: &mut Tx, id: MessageId, all: &[Ref]) -> Result<()> {
    let sql = "INSERT INTO notices_covers (message_id, about_kind, about_id) VALUES ($1, $2, $3)";
    for of in all {
        tx.execute(sql, params![id, &of.kind, &of.id]).await?;
    }
    Ok(())
}

/// The messages that tell of a thing, alone or together with others, the first one first.
pub(crate) async fn about(db: &Db, of: &Ref, limit: u32) -> Result<Vec<Message>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM notices_message WHERE (about_kind = $1 AND about_id = $2)
             OR id IN (SELECT message_id FROM notices_covers WHERE about_kind = $1 AND about_id = $2)
         ORDER BY created_at, id LIMIT $3"
    );
    db.query(&sql, params![&of.kind, &of.id, limit]).await?.iter().map(from_row).collect()
}

/// One message.
pub(crate) async fn one(db: &Db, id: MessageId) -> Result<Option<Message>> {
    let sql = format!("SELECT {COLUMNS} FROM notices_message WHERE id = $1");
    db.query_opt(&sql, params![id]).await?.as_ref().map(from_row).transpose()
}

/// What only the sending job reads.
pub(crate) async fn sealed(db: &Db, id: MessageId) -> Result<Sealed> {
    let sql = "SELECT address, secret FROM notices_message WHERE id = $1";
    let r = db.query_one(sql, params![id]).await?;
    Ok(Sealed { address: r.opt_blob("address")?, secret: r.opt_blob("secret")? })
}

/// Which messages are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub state: Option<State>,
    pub channel: Option<Channel>,
    pub after: Option<MessageId>,
    pub limit: u32,
}

impl Filter {
    fn conditions(&self, p: &mut Vec<Value>) -> String {
        let mut out = vec!["1 = 1".to_owned()];
        let mut add = |column: &str, value: Value| {
            p.push(value);
            out.push(format!("{column} = ${}", p.len()));
        };
        if let Some(state) = self.state {
            add("state", state.name().into());
        }
        if let Some(channel) = self.channel {
            add("channel", channel.name().into());
        }
        out.join(" AND ")
    }
}

/// Messages, the newest first.
pub(crate) async fn list(db: &Db, f: &Filter) -> Result<Vec<Message>> {
    let mut p = Vec::new();
    let mut conditions = f.conditions(&mut p);
    if let Some(after) = f.after {
        let at = "SELECT created_at FROM notices_message WHERE id = $1";
        if let Some(row) = db.query_opt(at, params![after]).await? {
            p.extend(params![row.time("created_at")?, after]);
            let (a, b) = (p.len() - 1, p.len());
            conditions.push_str(&format!(" AND (created_at < ${a} OR (created_at = ${a} AND id < ${b}))"));
        }
    }
    p.extend(params![f.limit]);
    let sql = format!(
        "SELECT {COLUMNS} FROM notices_message WHERE {conditions} ORDER BY created_at DESC, id DESC LIMIT ${}",
        p.len()
    );
    db.query(&sql, p).await?.iter().map(from_row).collect()
}

/// How many messages there are, by state.
pub(crate) async fn counts(db: &Db) -> Result<Vec<(State, i64)>> {
    let sql = "SELECT state, COUNT(*) AS n FROM notices_message GROUP BY state";
    let mut out = Vec::new();
    for r in db.query(sql, vec![]).await? {
        if let Some(state) = State::from_name(&r.text("state")?) {
            out.push((state, r.int("n")?));
        }
    }
    Ok(out)
}

/// How many were refused or given up since a moment.
pub(crate) async fn failed_since(db: &Db, at: Timestamp) -> Result<i64> {
    let sql =
        "SELECT COUNT(*) AS n FROM notices_message WHERE state IN ('dead', 'refused') AND changed_at >= $1";
    db.query_one(sql, params![at]).await?.int("n")
}

/// Messages of a template to a person since a moment.
pub(crate) async fn sent_to(db: &Db, person: PersonId, template: &str, since: Timestamp) -> Result<i64> {
    let sql = "SELECT COUNT(*) AS n FROM notices_message
               WHERE person = $1 AND template = $2 AND created_at >= $3";
    db.query_one(sql, params![person, template, since]).await?.int("n")
}

/// The attempts at a message, the last one first.
pub(crate) async fn attempts(db: &Db, id: MessageId) -> Result<Vec<Attempt>> {
    let sql = "SELECT number, at, outcome, reason FROM notices_attempt WHERE message_id = $1
               ORDER BY number DESC LIMIT 200";
    let read = |r: &Row| {
        Ok(Attempt {
            number: r.int("number")?,
            at: r.time("at")?,
            outcome: r.text("outcome")?,
            reason: r.opt_text("reason")?,
        })
    };
    db.query(sql, params![id]).await?.iter().map(read).collect()
}

/// How an attempt ended, or a later report.
pub(crate) struct Ended<'a> {
    pub state: State,
    pub outcome: &'a str,
    pub reason: Option<&'a str>,
    pub reference: Option<&'a str>,
}

/// Records an attempt and the state after it. `false` when the message does not wait any more.
pub(crate) async fn attempted(tx: &mut Tx, id: MessageId, ended: Ended<'_>) -> Result<bool> {
    let now = tx.kernel().clock.now();
    let sql = "UPDATE notices_message SET state = $2, reason = $3, reference = COALESCE($4, reference),
                   attempts = attempts + 1, changed_at = $5
               WHERE id = $1 AND state = 'waiting'";
    let values = params![id, ended.state.name(), ended.reason, ended.reference, now];
    if tx.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    note(tx, id, ended.outcome, ended.reason).await?;
    Ok(true)
}

async fn note(tx: &mut Tx, id: MessageId, outcome: &str, reason: Option<&str>) -> Result<()> {
    let now = tx.kernel().clock.now();
    let sql = "INSERT INTO notices_attempt (message_id, number, at, outcome, reason)
               SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4 FROM notices_attempt WHERE message_id = $1";
    tx.execute(sql, params![id, now, outcome, reason]).await?;
    Ok(())
}

/// Takes in a delivery report. `false` when it is about nothing we wait for, or was taken in before.
pub(crate) async fn reported(
    tx: &mut Tx,
    channel: Channel,
    reference: &str,
    delivered: bool,
    reason: Option<&str>,
) -> Result<bool> {
    let sql = "SELECT id FROM notices_message WHERE channel = $1 AND reference = $2 AND state = 'sent' {for_update}";
    let Some(row) = tx.query_opt(sql, params![channel.name(), reference]).await? else { return Ok(false) };
    let id: MessageId = row.id("id")?;
    let state = if delivered { State::Delivered } else { State::Refused };
    let now = tx.kernel().clock.now();
    let sql = "UPDATE notices_message SET state = $2, reason = $3, changed_at = $4 WHERE id = $1";
    tx.execute(sql, params![id, state.name(), reason, now]).await?;
    note(tx, id, state.name(), reason).await?;
    Ok(true)
}

/// Lets a refused or dead message wait again. `false` when it is neither.
pub(crate) async fn revive(tx: &mut Tx, id: MessageId) -> Result<bool> {
    let now = tx.kernel().clock.now();
    let sql = "UPDATE notices_message SET state = 'waiting', not_before = $2, changed_at = $2
               WHERE id = $1 AND state IN ('dead', 'refused')";
    Ok(tx.execute(sql, params![id, now]).await? == 1)
}

/// The messages that were given up, at most `limit`.
pub(crate) async fn dead(tx: &mut Tx, limit: u32) -> Result<Vec<MessageId>> {
    let sql = "SELECT id FROM notices_message WHERE state = 'dead' ORDER BY created_at, id LIMIT $1";
    tx.query(sql, params![limit]).await?.iter().map(|r| r.id("id")).collect()
}
