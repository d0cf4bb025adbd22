//! The province's own words of messages.

use base::error::{Error, Result};
use base::i18n::Lang;
use kernel::{Cx, Kernel, Ref, Scope};
use serde_json::json;

use crate::permissions::OPERATE;
use crate::store::templates;
use crate::template::{self, Words};

/// Keeps the province's own words; an argument that the template does not have is refused.
pub(crate) async fn save(k: &Kernel, cx: &Cx, name: &str, lang: Lang, words: &Words) -> Result<()> {
    cx.may(OPERATE, &Scope::province())?;
    template::check(&template::find(name)?.arguments, words).map_err(Error::Invalid)?;
    let mut tx = k.begin(cx).await?;
    templates::save(&mut tx, name, lang, words).await?;
    let of = Ref::new("notices.template", name);
    tx.audit("notices.template.save", &of, json!({"lang": lang.tag(), "subject": words.subject})).await?;
    tx.commit().await?;
    Ok(())
}

/// Goes back to the shipped words.
pub(crate) async fn reset(k: &Kernel, cx: &Cx, name: &str, lang: Lang) -> Result<()> {
    cx.may(OPERATE, &Scope::province())?;
    template::find(name)?;
    let mut tx = k.begin(cx).await?;
    templates::reset(&mut tx, name, lang).await?;
    tx.audit("notices.template.reset", &Ref::new("notices.template", name), json!({"lang": lang.tag()}))
        .await?;
    tx.commit().await?;
    Ok(())
}
