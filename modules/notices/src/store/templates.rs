//! The province's own words of messages.

use base::error::Result;
use base::i18n::Lang;
use kernel::db::{Db, Row};
use kernel::{Tx, params};

use crate::template::{self, Words};

/// The words used now, and whether they are the province's own.
pub(crate) async fn words(db: &Db, name: &str, lang: Lang) -> Result<(Words, bool)> {
    let sql = "SELECT subject, body, short FROM notices_template WHERE name = $1 AND lang = $2";
    let read = |r: Row| {
        Ok::<_, base::error::Error>(Words {
            subject: r.text("subject")?,
            body: r.text("body")?,
            short: r.text("short")?,
        })
    };
    match db.query_opt(sql, params![name, lang.tag()]).await?.map(read).transpose()? {
        Some(own) => Ok((own, true)),
        None => Ok((template::find(name)?.words(lang).clone(), false)),
    }
}

/// Keeps the province's own words.
pub(crate) async fn save(tx: &mut Tx, name: &str, lang: Lang, words: &Words) -> Result<()> {
    let now = tx.kernel().clock.now();
    let sql = "INSERT INTO notices_template (name, lang, subject, body, short, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (name, lang) DO UPDATE SET subject = EXCLUDED.subject, body = EXCLUDED.body,
                   short = EXCLUDED.short, changed_at = EXCLUDED.changed_at";
    tx.execute(sql, params![name, lang.tag(), &words.subject, &words.body, &words.short, now]).await?;
    Ok(())
}

/// Goes back to the shipped words.
pub(crate) async fn reset(tx: &mut Tx, name: &str, lang: Lang) -> Result<()> {
    tx.execute("DELETE FROM notices_template WHERE name = $1 AND lang = $2", params![name, lang.tag()])
        .await?;
    Ok(())
}
