//! One call through the X-Road REST front door, and the judgement of what came back.

use http::{HeaderMap, StatusCode};

use crate::onestop::errand::Call;
use crate::onestop::{Outcome, Shared};

/// Officers of the counters; invented, like everybody here.
const OFFICERS: u64 = 40;

/// Makes the call; on 401 once more with a new token.
pub(crate) async fn make(shared: &Shared, call: Call) -> Outcome {
    let id = shared.dice.uuid();
    let officer = format!("VN/CB-{:05}", 100 + shared.dice.below(OFFICERS));
    for last_try in [false, true] {
        let token = match shared.tokens.get(&shared.http).await {
            Ok(token) => token,
            Err(why) => return Outcome::Error(why),
        };
        let answer = match send(shared, &call, &id, &officer, &token).await {
            Ok(answer) => answer,
            Err(e) => return Outcome::Error(format!("no answer: {}", e.without_url())),
        };
        if answer.status() == StatusCode::UNAUTHORIZED && !last_try {
            shared.tokens.refused(&token).await;
            continue;
        }
        return judge(answer, &id).await;
    }
    Outcome::Error("the platform refused a fresh token".to_owned())
}

async fn send(
    shared: &Shared,
    call: &Call,
    id: &str,
    officer: &str,
    token: &str,
) -> Result<reqwest::Response, reqwest::Error> {
    let url = format!("{}/r1/{}{}", shared.config.front_door, call.service, call.path);
    let request = match &call.body {
        Some(body) => shared.http.post(url).json(body),
        None => shared.http.get(url),
    };
    request
        .bearer_auth(token)
        .header("X-Road-Client", &shared.config.client)
        .header("X-Road-Id", id)
        .header("X-Road-UserId", officer)
        .header("Accept", "application/json")
        .send()
        .await
}

async fn judge(mut answer: reqwest::Response, id: &str) -> Outcome {
    let (status, headers) = (answer.status(), answer.headers().clone());
    loop {
        match answer.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(e) => return Outcome::Error(format!("the answer broke off: {}", e.without_url())),
        }
    }
    let text = |name: &str| header(&headers, name);
    if let Some(error) = text("x-road-error") {
        let said = format!("{} {error}", status.as_u16());
        return if is_refusal(&error) { Outcome::Refusal(said) } else { Outcome::Error(said) };
    }
    if text("x-road-request-id").is_none() {
        // Not a relayed answer: the front door itself spoke, outside the message protocol.
        let said = format!("{} without x-road-request-id", status.as_u16());
        return if status.is_client_error() { Outcome::Refusal(said) } else { Outcome::Error(said) };
    }
    match text("x-road-id") {
        Some(echoed) if echoed == id => Outcome::Answer,
        _ => Outcome::Error("the answer carries another x-road-id".to_owned()),
    }
}

/// Whether an X-Road error type says "no" rather than "it broke"; both spellings of the codes are understood.
fn is_refusal(error: &str) -> bool {
    const NO: [&str; 6] = [
        "accessdenied",
        "servicedisabled",
        "unknownservice",
        "unknownmember",
        "invalidclientidentifier",
        "sslauthenticationfailed",
    ];
    let plain = error.to_ascii_lowercase().replace('_', "");
    plain.starts_with("client.") || plain.rsplit('.').next().is_some_and(|last| NO.contains(&last))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_from_a_failure() {
        for no in
            ["server.serverproxy.access_denied", "Server.ServerProxy.AccessDenied", "client.missing_header"]
        {
            assert!(is_refusal(no), "{no}");
        }
        for broke in ["server.serverproxy.service_failed", "server.clientproxy.network_error", ""] {
            assert!(!is_refusal(broke), "{broke}");
        }
    }
}
