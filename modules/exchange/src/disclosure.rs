//! Which values that open commitments a reader may have of a call: those that take part see the digests, the
//! systems themselves everything they sent or received, officers the personal values only with a right of
//! its own, asked for expressly and recorded.

use evidence::Field;
use kernel::{Actor, Cx, Error, Kernel, Ref, Result};

use crate::permissions;
use crate::store::lists::{self, CallRow};
use crate::viewer::Viewer;

/// The kind of calls in pointers and audit rows.
pub const CALL: &str = "exchange.call";

/// What a reader is to a call they may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// A system that is consumer or provider of the call.
    pub system: bool,
    /// Takes part, or an officer of an agency that does; operators and auditors do not.
    pub party: bool,
    /// May see personal values, each look being recorded.
    pub discloses: bool,
}

/// The fields a bundle may disclose to such a reader. `personal` says that they asked for personal values.
///
/// # Errors
/// `Denied` when personal values were asked for without the right.
pub fn fields(standing: Standing, personal: bool) -> Result<Vec<Field>> {
    let all = Field::ALL.into_iter();
    match (standing, personal) {
        (Standing { system: true, .. }, _) => Ok(all.collect()),
        (Standing { discloses: true, .. }, true) => Ok(all.collect()),
        (_, true) => Err(Error::Denied { permission: permissions::DISCLOSE.name }),
        (Standing { party: true, .. }, false) => Ok(all.filter(|f| f.digest_digits().is_some()).collect()),
        (_, false) => Ok(Vec::new()),
    }
}

/// One call as this reader may see it, and what they are to it.
///
/// # Errors
/// `NotFound` also for calls in which the reader has no part.
pub async fn seen(k: &Kernel, cx: &Cx, request_id: &str) -> Result<(CallRow, Standing)> {
    let viewer = Viewer::of(k, cx).await?;
    let paths = viewer.paths(k).await?;
    let found = lists::call(&k.db, paths.as_deref(), request_id).await?;
    let call = found.ok_or(Error::NotFound { kind: CALL })?;
    let system = matches!(cx.actor, Actor::System { .. });
    let discloses = !system && may_disclose(k, cx, &call).await?;
    let standing = Standing { system, party: viewer != Viewer::All || discloses, discloses };
    Ok((call, standing))
}

/// Whether an officer may see the personal values of a call: the right over an agency that takes part.
async fn may_disclose(k: &Kernel, cx: &Cx, call: &CallRow) -> Result<bool> {
    let viewer = match Viewer::under(cx, permissions::DISCLOSE) {
        Ok(viewer) => viewer,
        Err(Error::Denied { .. } | Error::SignIn) => return Ok(false),
        Err(e) => return Err(e),
    };
    let paths = viewer.paths(k).await?;
    let among = |path: &str| paths.as_ref().is_none_or(|own| own.iter().any(|p| p == path));
    Ok(among(&call.client) || among(call.provider()))
}

/// Records that somebody is about to see personal values of a call; to be committed before they are shown.
///
/// # Errors
/// When the record cannot be made: then nothing may be shown.
pub async fn record(k: &Kernel, cx: &Cx, request_id: &str, how: &str) -> Result<()> {
    let mut tx = k.begin(cx).await?;
    let detail = serde_json::json!({ "how": how });
    tx.audit("exchange.call.disclose", &Ref::new(CALL, request_id), detail).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_gets_what_their_part_gives() {
        let reader = |system, party, discloses| Standing { system, party, discloses };
        let personal = |f: &Field| f.digest_digits().is_none();
        assert_eq!(fields(reader(true, true, false), false).unwrap(), Field::ALL);
        let digests = fields(reader(false, true, false), false).unwrap();
        assert!(digests.len() == 4 && !digests.iter().any(personal));
        assert_eq!(
            fields(reader(false, true, true), false).unwrap(),
            digests,
            "personal only when asked for"
        );
        assert_eq!(fields(reader(false, true, true), true).unwrap(), Field::ALL);
        assert!(matches!(fields(reader(false, true, false), true), Err(Error::Denied { .. })));
        assert_eq!(fields(reader(false, false, false), false).unwrap(), [], "operators see metadata only");
    }
}
