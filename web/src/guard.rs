//! The door of one route: who comes, whether they may, from where, with how much.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base::error::{Error, Refusal};
use base::i18n::Text;
use http::header;
use http_body_util::{BodyExt, Limited};
use kernel::Actor;
use kernel::entrance::{Entrance, FrontDoor};

use crate::access::Access;
use crate::asked::Asked;
use crate::csrf;
use crate::cx::Cx;
use crate::door::{AsItIs, Door};
use crate::extract::BodyLimit;
use crate::failure::Failure;
use crate::routes::Limit;
use crate::session::bearer;
use crate::t;

/// What stands before one route.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) door: Door,
    pub(crate) access: Access,
    pub(crate) limit: Limit,
    pub(crate) front: Option<FrontDoor>,
    /// The route as mounted; empty where there is none.
    pub(crate) screen: &'static str,
}

/// Whether a restored copy to look at takes the request: reading, and what belongs to signing in.
fn on_a_copy(request: &Request) -> bool {
    const TAKEN: &[&str] = &["/login", "/logout", "/account/appointment"];
    request.method().is_safe() || TAKEN.contains(&request.uri().path())
}

/// Why nobody comes in, with the context for the page that says so.
type Refused = (Failure, Option<Box<Cx>>);

/// The layer around one route.
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (request, cx) = match guard.admit(request).await {
        Ok(admitted) => admitted,
        Err((failure, cx)) => {
            let mut answer = failure.into_response();
            if let Some(cx) = cx {
                answer.extensions_mut().insert(*cx);
            }
            return answer;
        }
    };
    let mut answer = next.run(request).await;
    if answer.extensions().get::<Failure>().is_some() {
        answer.extensions_mut().insert(cx);
    }
    if guard.limit == Limit::Streaming {
        answer.extensions_mut().insert(AsItIs);
    }
    answer
}

impl Guard {
    /// Before anybody is asked who they are: whether this can be open to anybody at this listener.
    fn open_at(&self, entrance: &Entrance) -> Result<(), Failure> {
        let shared = matches!(self.access, Access::SignedIn | Access::Needs(_));
        match self.front {
            None => Ok(()),
            Some(front) if entrance.opens(front) => Ok(()),
            Some(FrontDoor::Console) if shared && entrance.opens(FrontDoor::Calls) => Ok(()),
            Some(_) => Err(Failure::closed(entrance)),
        }
    }

    /// Systems come in where calls do, officials where the console is open to one of their roles. Where a post is
    /// changed every role comes in, or nobody could change to the one that may.
    fn open_to(&self, cx: &Cx, roles: Option<&[String]>, path: &str) -> Result<(), Failure> {
        let entrance = &cx.entrance;
        if self.access == Access::Public || self.front != Some(FrontDoor::Console) {
            return Ok(());
        }
        let open = match &cx.actor {
            Actor::System { .. } => entrance.opens(FrontDoor::Calls),
            _ => entrance.opens(FrontDoor::Console),
        };
        if !open {
            return Err(Failure::closed(entrance));
        }
        match roles {
            Some(held) if path != "/account/appointment" && !entrance.takes_roles(held) => {
                Err(Failure::role(entrance))
            }
            _ => Ok(()),
        }
    }

    async fn admit(&self, mut request: Request) -> Result<(Request, Cx), Refused> {
        let Some(asked) = request.extensions().get::<Asked>().cloned() else {
            return Err((Error::internal("a route was mounted without its door").into(), None));
        };
        self.open_at(&asked.arrival.entrance).map_err(|e| (e, None))?;
        let public = self.access == Access::Public;
        let (visitor, session) =
            self.door.visitor(request.headers(), &asked.arrival, public).await.map_err(|e| (e, None))?;
        let roles = visitor.as_ref().and_then(|v| v.account.as_ref()).map(|a| a.roles.clone());
        let cx = self.door.cx(&asked, request.uri(), visitor, session.as_deref()).at_screen(self.screen());
        let refuse = |failure: Failure| (failure, Some(Box::new(cx.clone())));
        self.open_to(&cx, roles.as_deref(), request.uri().path()).map_err(&refuse)?;
        if self.door.site.copy_of.is_some() && !on_a_copy(&request) {
            return Err(refuse(
                Error::from(Refusal::new("restored-copy", Text::both(t::copy_refuses))).into(),
            ));
        }
        request = self.bounded(request).map_err(&refuse)?;
        if !request.method().is_safe() && bearer(request.headers()).is_none() {
            request = self.own_request(request, session.as_deref()).await.map_err(&refuse)?;
        }
        self.access.check(&cx).map_err(|e| refuse(e.into()))?;
        request.extensions_mut().insert(cx.clone());
        Ok((request, cx))
    }

    /// What this screen is called in reports of errors: its route and the right it needs.
    fn screen(&self) -> String {
        match self.access {
            Access::Needs(permission) => format!("{} {}", self.screen, permission.name),
            _ => self.screen.to_owned(),
        }
    }

    /// Limits the body; one that says it is too large is not begun.
    fn bounded(&self, mut request: Request) -> Result<Request, Failure> {
        let Limit::Bytes(limit) = self.limit else { return Ok(request) };
        let said =
            request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        if said.is_some_and(|n| n > limit) {
            return Err(Error::TooLarge { limit }.into());
        }
        request.extensions_mut().insert(BodyLimit(limit));
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(request.map(|body| Body::new(Limited::new(body, most))))
    }

    /// Lets a request that changes something pass only from our own pages. Without a session there is nothing to
    /// misuse, and programs send neither header.
    async fn own_request(&self, request: Request, session: Option<&str>) -> Result<Request, Failure> {
        match (csrf::origin(&self.door.site, request.headers()), session) {
            (csrf::Origin::Same, _) | (csrf::Origin::Unsaid, None) => Ok(request),
            (csrf::Origin::Other, _) => Err(Failure::foreign()),
            (csrf::Origin::Unsaid, Some(session)) => self.with_token(request, session).await,
        }
    }

    /// A browser that does not say where it comes from must show the token, as header or in the form.
    async fn with_token(&self, request: Request, session: &str) -> Result<Request, Failure> {
        let shown = request.headers().get(csrf::HEADER).and_then(|v| v.to_str().ok());
        if shown.is_some_and(|token| csrf::valid(session, token)) {
            return Ok(request);
        }
        let Limit::Bytes(limit) = self.limit else { return Err(Failure::foreign()) };
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        if !kind.is_some_and(|v| v.starts_with("application/x-www-form-urlencoded")) {
            return Err(Failure::foreign());
        }
        let (parts, body) = request.into_parts();
        let bytes: Bytes = body.collect().await.map_err(|_| Error::TooLarge { limit })?.to_bytes();
        if csrf::form_token(&bytes).is_some_and(|token| csrf::valid(session, &token)) {
            return Ok(Request::from_parts(parts, Body::from(bytes)));
        }
        Err(Failure::foreign())
    }
}
