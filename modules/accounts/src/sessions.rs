//! The port by which the pages' door asks who came.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::entrance::Arrival;
use kernel::identity::{Appointment, Visitor};
use kernel::{Actor, Grants, Kernel, Result};

use crate::{Accounts, agencies};

/// Answers from the tables of `identity` and the keys of the issuer.
pub(crate) struct BySession(pub(crate) Accounts);

#[async_trait]
impl web::Sessions for BySession {
    async fn by_cookie(&self, k: &Kernel, token: &str) -> Result<Option<web::Visitor>> {
        let Some(visitor) = self.0.identity.recognise(k, token).await? else { return Ok(None) };
        Ok(Some(shown(k, visitor).await?))
    }

    async fn by_bearer(&self, k: &Kernel, token: &str, arrival: &Arrival) -> Result<Option<web::Visitor>> {
        let claims = self.0.issuer.verify(token, k.clock.now()).ok();
        let claims = claims.filter(|c| c.confirmed(arrival.certificate.as_ref()).is_ok());
        Ok(claims.map(|claims| web::Visitor {
            actor: Actor::System { subsystem: claims.subsystem.clone() },
            grants: Arc::new(Grants::default()),
            account: None,
        }))
    }
}

async fn shown(k: &Kernel, v: Visitor) -> Result<web::Visitor> {
    let own = match &v.appointment {
        Some(appointment) => post(k, appointment).await?,
        None => web::Appointment { id: String::new(), post: String::new(), agency: String::new() },
    };
    let roles = v.appointment.as_ref().map(|a| a.roles.clone()).unwrap_or_default();
    let mut others = Vec::with_capacity(v.others.len());
    for appointment in &v.others {
        others.push(post(k, appointment).await?);
    }
    let account = web::Account {
        name: v.person.full_name,
        post: own.post,
        agency: own.agency,
        lang: v.person.lang,
        roles,
        others,
    };
    Ok(web::Visitor {
        actor: Actor::Official { person: v.person.id, appointment: v.appointment.map(|a| a.id) },
        grants: v.grants,
        account: Some(account),
    })
}

async fn post(k: &Kernel, appointment: &Appointment) -> Result<web::Appointment> {
    let (id, post) = (appointment.id.to_string(), appointment.post.clone());
    Ok(match agencies::of(k, appointment, k.clock.now().date()).await? {
        Some(agency) => web::Appointment { id, post, agency },
        // The frame names the agency first, on a phone only that: who operates the platform has just the post.
        None => web::Appointment { id, post: String::new(), agency: post },
    })
}
