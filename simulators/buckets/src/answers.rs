//! What each request is answered, after its signature was checked.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use percent_encoding::percent_decode_str;

use crate::fault::{Fault, Op};
use crate::signature::{self, hash, parameters};
use crate::{Kept, PAGE, Shared, Upload};

/// One request.
struct Asked<'a> {
    key: String,
    parameters: Vec<(String, String)>,
    headers: &'a HeaderMap,
    body: Bytes,
    fault: Option<Fault>,
}

impl Asked<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }
}

pub(crate) async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err((status, code)) =
        signature::check(&shared.owner, shared.clock.now(), &method, &uri, &headers, &body)
    {
        return error(status, code);
    }
    let path = percent_decode_str(uri.path()).decode_utf8_lossy().into_owned();
    let (bucket, key) =
        path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    if bucket != shared.name {
        return error(404, "NoSuchBucket");
    }
    let parameters = parameters(uri.query());
    let has = |name: &str| parameters.iter().any(|(k, _)| k == name);
    let op = match (&method, key.is_empty()) {
        (&Method::GET, true) if has("list-type") => Op::List,
        (&Method::GET, false) => Op::Get,
        (&Method::PUT, false) if has("uploadId") => Op::Part,
        (&Method::PUT, false) => Op::Put,
        (&Method::POST, false) if has("uploads") => Op::Create,
        (&Method::POST, false) if has("uploadId") => Op::Complete,
        (&Method::DELETE, false) if has("uploadId") => Op::Abort,
        (&Method::DELETE, false) => Op::Delete,
        _ => return error(501, "NotImplemented"),
    };
    let fault = draw(&shared, op);
    match fault {
        Some(Fault::Broken) => return error(500, "InternalError"),
        Some(Fault::Deny) => return error(403, "AccessDenied"),
        Some(Fault::Slow(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    let asked = Asked { key: key.to_owned(), parameters, headers: &headers, body, fault };
    let mut kept = shared.kept();
    match op {
        Op::List => list(&kept, &asked, &shared.name),
        Op::Get => get(&kept, &asked),
        Op::Put => put(&mut kept, asked),
        Op::Delete => {
            kept.objects.remove(&asked.key);
            StatusCode::NO_CONTENT.into_response()
        }
        Op::Create => create(&mut kept, &asked, &shared.name),
        Op::Part => part(&mut kept, asked),
        Op::Complete => complete(&mut kept, &asked),
        Op::Abort => match kept.uploads.remove(asked.parameter("uploadId").unwrap_or_default()) {
            Some(_) => StatusCode::NO_CONTENT.into_response(),
            None => error(404, "NoSuchUpload"),
        },
    }
}

fn draw(shared: &Shared, op: Op) -> Option<Fault> {
    let mut kept = shared.kept();
    *kept.asked.entry(op).or_default() += 1;
    let index = kept.faults.iter().position(|(o, _)| *o == op)?;
    Some(kept.faults.remove(index).1)
}

fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", &hash(bytes)[..32])
}

fn rotten(bytes: &Bytes) -> Bytes {
    let mut bytes = bytes.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    bytes.into()
}

fn put(kept: &mut Kept, asked: Asked<'_>) -> Response {
    let tag = tag(&asked.body);
    let body = if asked.fault == Some(Fault::Rot) { rotten(&asked.body) } else { asked.body };
    kept.objects.insert(asked.key, body);
    (StatusCode::OK, [("etag", tag)]).into_response()
}

fn get(kept: &Kept, asked: &Asked<'_>) -> Response {
    let Some(all) = kept.objects.get(&asked.key) else { return error(404, "NoSuchKey") };
    let range =
        asked.headers.get("range").and_then(|v| v.to_str().ok()).and_then(|r| r.strip_prefix("bytes="));
    let bounds = range.and_then(|r| r.split_once('-'));
    let bounds = bounds.and_then(|(a, b)| Some((a.parse::<usize>().ok()?, b.parse::<usize>().ok()?)));
    let (status, bytes, said) = match bounds {
        None => (StatusCode::OK, all.clone(), None),
        Some((from, _)) if from >= all.len() => return error(416, "InvalidRange"),
        Some((from, to)) => {
            let to = to.saturating_add(1).min(all.len());
            let said = format!("bytes {from}-{}/{}", to - 1, all.len());
            (StatusCode::PARTIAL_CONTENT, all.slice(from..to), Some(said))
        }
    };
    let length = bytes.len();
    let body = match asked.fault {
        Some(Fault::Cut) => {
            let half: Vec<Result<Bytes, std::io::Error>> =
                vec![Ok(bytes.slice(..length / 2)), Err(std::io::ErrorKind::ConnectionReset.into())];
            Body::from_stream(futures_util::stream::iter(half))
        }
        Some(Fault::Rot) => Body::from(rotten(&bytes)),
        _ => Body::from(bytes),
    };
    let mut answer = Response::builder()
        .status(status)
        .header("content-length", length)
        .header("etag", tag(all))
        .header("last-modified", "Sun, 22 Nov 2026 00:00:00 GMT");
    if let Some(said) = said {
        answer = answer.header("content-range", said);
    }
    answer.body(body).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn list(kept: &Kept, asked: &Asked<'_>, bucket: &str) -> Response {
    let prefix = asked.parameter("prefix").unwrap_or_default();
    let after = asked.parameter("continuation-token").unwrap_or_default();
    let mut matching = kept.objects.iter().filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
    let page: Vec<_> = matching.by_ref().take(PAGE).collect();
    let more = matching.next().is_some();
    let mut xml = format!("<ListBucketResult><Name>{bucket}</Name><KeyCount>{}</KeyCount>", page.len());
    let _ = write!(xml, "<IsTruncated>{more}</IsTruncated>");
    if let Some((last, _)) = page.last().filter(|_| more) {
        let _ = write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>");
    }
    for (key, bytes) in page {
        let (size, tag) = (bytes.len(), tag(bytes).replace('"', "&quot;"));
        let _ = write!(
            xml,
            "<Contents><Key>{key}</Key><LastModified>2026-11-22T00:00:00.000Z</LastModified>\
             <ETag>{tag}</ETag><Size>{size}</Size></Contents>"
        );
    }
    document(200, &format!("{xml}</ListBucketResult>"))
}

fn create(kept: &mut Kept, asked: &Asked<'_>, bucket: &str) -> Response {
    kept.begun += 1;
    let (id, key) = (format!("upload-{}", kept.begun), asked.key.clone());
    let xml = format!(
        "<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
    );
    kept.uploads.insert(id, Upload { key, parts: Default::default() });
    document(200, &xml)
}

fn part(kept: &mut Kept, asked: Asked<'_>) -> Response {
    let id = asked.parameter("uploadId").unwrap_or_default().to_owned();
    let number = asked.parameter("partNumber").and_then(|n| n.parse().ok());
    let Some(number) = number.filter(|n| (1..=10_000).contains(n)) else {
        return error(400, "InvalidArgument");
    };
    if asked.fault == Some(Fault::Forget) {
        kept.uploads.remove(&id);
    }
    let Some(upload) = kept.uploads.get_mut(&id).filter(|u| u.key == asked.key) else {
        return error(404, "NoSuchUpload");
    };
    let said = if asked.fault == Some(Fault::WrongTag) { tag(b"another") } else { tag(&asked.body) };
    let body = if asked.fault == Some(Fault::Rot) { rotten(&asked.body) } else { asked.body };
    upload.parts.insert(number, body);
    (StatusCode::OK, [("etag", said)]).into_response()
}

fn complete(kept: &mut Kept, asked: &Asked<'_>) -> Response {
    const LEAST: usize = 5 << 20;
    let id = asked.parameter("uploadId").unwrap_or_default();
    let Some(upload) = kept.uploads.get(id) else { return error(404, "NoSuchUpload") };
    let text = String::from_utf8_lossy(&asked.body).replace("&quot;", "\"");
    let between = |part: &str, name: &str| {
        let (_, rest) = part.split_once(&format!("<{name}>"))?;
        Some(rest.split_once("</")?.0.to_owned())
    };
    let named: Vec<_> =
        text.split("<Part>").skip(1).map(|p| (between(p, "PartNumber"), between(p, "ETag"))).collect();
    let (mut whole, mut last) = (Vec::new(), 0);
    for (index, (number, said)) in named.iter().enumerate() {
        let number = number.as_deref().and_then(|n| n.parse().ok()).unwrap_or(0);
        let Some(bytes) = upload.parts.get(&number) else { return error(400, "InvalidPart") };
        if number <= last {
            return error(400, "InvalidPartOrder");
        }
        if said.as_deref().map(|s| s.trim_matches('"')) != Some(tag(bytes).trim_matches('"')) {
            return error(400, "InvalidPart");
        }
        if index + 1 < named.len() && bytes.len() < LEAST {
            return error(400, "EntityTooSmall");
        }
        whole.extend_from_slice(bytes);
        last = number;
    }
    let (key, tag) = (upload.key.clone(), tag(&whole).replace('"', "&quot;"));
    kept.uploads.remove(id);
    let xml = format!(
        "<CompleteMultipartUploadResult><Key>{key}</Key><ETag>{tag}</ETag></CompleteMultipartUploadResult>"
    );
    kept.objects.insert(key, whole.into());
    document(200, &xml)
}

fn error(status: u16, code: &str) -> Response {
    document(status, &format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"))
}

fn document(status: u16, xml: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}");
    (status, [("content-type", "application/xml")], text).into_response()
}
