//! Which kind of document a `Content-Type` promises. The promise is then held against every byte.

/// Kinds of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `application/json`, `…+json`.
    Json,
    /// `application/xml`, `text/xml`, `…+xml`.
    Xml,
}

/// The type is none that can be filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFilterable {
    /// Neither JSON nor XML.
    #[error("neither JSON nor XML")]
    Type,
    /// In another encoding than UTF-8.
    #[error("in another encoding than UTF-8")]
    Charset,
}

impl NotFilterable {
    /// Stable, for records and counters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Type => "answer-type",
            Self::Charset => "answer-charset",
        }
    }
}

impl Kind {
    /// Reads a `Content-Type` (RFC 9110 8.3).
    ///
    /// # Errors
    /// When it is neither JSON nor XML, or in another encoding than UTF-8.
    pub fn of(content_type: &str) -> Result<Self, NotFilterable> {
        let mut parts = content_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let kind = match essence.as_str() {
            "application/json" => Self::Json,
            "application/xml" | "text/xml" => Self::Xml,
            other if other.starts_with("multipart/") => return Err(NotFilterable::Type),
            other if other.ends_with("+json") => Self::Json,
            other if other.ends_with("+xml") => Self::Xml,
            _ => return Err(NotFilterable::Type),
        };
        let charset = |part: &str| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
        };
        let foreign =
            |c: String| !["utf-8", "utf8", "us-ascii"].iter().any(|known| c.eq_ignore_ascii_case(known));
        if parts.filter_map(charset).any(foreign) { Err(NotFilterable::Charset) } else { Ok(kind) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_read_is_filterable() {
        assert_eq!(Kind::of("application/json"), Ok(Kind::Json));
        assert_eq!(Kind::of("Application/Problem+JSON ; charset=\"UTF-8\""), Ok(Kind::Json));
        assert_eq!(Kind::of("text/xml;charset=utf-8"), Ok(Kind::Xml));
        assert_eq!(Kind::of("application/soap+xml; action=x"), Ok(Kind::Xml));
        assert_eq!(Kind::of("application/json; charset=utf-16"), Err(NotFilterable::Charset));
        for other in
            ["", "text/html", "application/x-ndjson", "application/json-seq", "multipart/x+json", "json"]
        {
            assert_eq!(Kind::of(other), Err(NotFilterable::Type), "{other:?}");
        }
    }
}
