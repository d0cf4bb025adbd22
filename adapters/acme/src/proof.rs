//! The proofs an authority fetches over plain HTTP (RFC 8555, 8.3). Everything else asked for there is sent on to HTTPS.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What is shown at the moment.
#[derive(Debug, Clone, Default)]
pub struct Proofs(Arc<Mutex<HashMap<String, String>>>);

#[derive(Clone)]
struct Shown {
    proofs: Proofs,
    origin: String,
}

impl Proofs {
    fn held(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn show(&self, token: &str, text: &str) {
        self.held().insert(token.to_owned(), text.to_owned());
    }

    pub(crate) fn hide(&self) {
        self.held().clear();
    }

    /// Listens for the authority until `stop` becomes true. `origin` (`https://host`) is where others are sent on to.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn serve(
        &self,
        listen: SocketAddr,
        origin: String,
        mut stop: watch::Receiver<bool>,
    ) -> std::io::Result<SocketAddr> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/.well-known/acme-challenge/{token}", get(proof))
            .fallback(elsewhere)
            .with_state(Shown { proofs: self.clone(), origin });
        tokio::spawn(async move {
            tokio::select! {
                _ = axum::serve(listener, router) => {}
                _ = stop.wait_for(|stopping| *stopping) => {}
            }
        });
        Ok(address)
    }
}

async fn proof(State(shown): State<Shown>, Path(token): Path<String>) -> Response {
    match shown.proofs.held().get(&token) {
        Some(text) => ([("content-type", "application/octet-stream")], text.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn elsewhere(State(shown): State<Shown>, uri: Uri) -> Redirect {
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    Redirect::permanent(&format!("{}{path}", shown.origin))
}
