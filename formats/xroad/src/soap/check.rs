//! What follows the opening of a message, checked while it streams by: tags that close in order, one element in the body and
//! nothing beside it, no document type and no processing instruction. So the message whose header was judged is the one the
//! provider's parser will see: no second header, no second body, no element hidden behind the end.

use super::node::is_space;
use super::{MAX_DEPTH, Problem};
use crate::error::Code;

/// Longest name of an element, in bytes.
const MAX_NAME: usize = 1024;
/// Longest tag, in bytes; a longer one is no business message.
const MAX_TAG: usize = 256 * 1024;

/// See the module.
#[derive(Debug, Default)]
pub struct Check {
    scan: Scan,
    /// Names of the open elements one after the other, and where each begins.
    names: Vec<u8>,
    starts: Vec<usize>,
    /// The name being read, and how long the tag is already.
    name: Vec<u8>,
    length: usize,
    /// What stands at the level of the envelope, of its children, of the body's children.
    rooted: bool,
    embodied: bool,
    filled: bool,
    in_body: bool,
    begun: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Scan {
    #[default]
    Text,
    /// After `<`.
    Begin,
    /// After `<!`, as long as it is open what it begins.
    Bang,
    /// `<!--`; how many `-` came last.
    Comment(u8),
    /// `<![CDATA[`; how many `]` came last.
    Cdata(u8),
    /// In the name of a tag that begins or (`true`) ends an element.
    Name(bool),
    /// After the name; the quotation mark of the value being read, and whether `/` came last.
    Tag { quote: Option<u8>, slash: bool },
    /// After the name in a tag that ends an element.
    Close,
    /// `<?xml`, at the very beginning; whether `?` came last.
    Declaration(bool),
}

const COMMENT: &[u8] = b"--";
const CDATA: &[u8] = b"[CDATA[";

fn wrong(what: &'static str) -> Problem {
    Problem::new(Code::InvalidSoap, what)
}

fn ill_formed() -> Problem {
    super::node::ill_formed()
}

impl Check {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a piece.
    ///
    /// # Errors
    /// [`Problem`] when the message is not one. It stays refused only if the caller stops.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Problem> {
        let mut rest = piece;
        if !self.begun {
            rest = rest.strip_prefix(b"\xef\xbb\xbf".as_slice()).unwrap_or(rest);
        }
        while let Some(first) = rest.first() {
            let used = if self.scan == Scan::Text { self.text(rest)? } else { self.markup(*first)? };
            self.begun = true;
            rest = rest.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    /// The message ended.
    ///
    /// # Errors
    /// When it is not whole.
    pub fn finish(&self) -> Result<(), Problem> {
        if self.rooted && self.starts.is_empty() && self.scan == Scan::Text {
            return Ok(());
        }
        Err(ill_formed())
    }

    fn text(&mut self, rest: &[u8]) -> Result<usize, Problem> {
        let run = rest.iter().position(|b| *b == b'<').unwrap_or(rest.len());
        let text = rest.get(..run).unwrap_or_default();
        if !self.may_hold_text() && !text.iter().all(|b| is_space(char::from(*b))) {
            return Err(wrong("the envelope holds text beside its elements"));
        }
        if run == rest.len() {
            return Ok(run);
        }
        self.scan = Scan::Begin;
        self.length = 0;
        Ok(run + 1)
    }

    /// Whether text may stand here: within the header's fields, or within the element in the body.
    fn may_hold_text(&self) -> bool {
        self.starts.len() > 2
    }

    fn markup(&mut self, b: u8) -> Result<usize, Problem> {
        self.length += 1;
        if self.length > MAX_TAG && !matches!(self.scan, Scan::Comment(_) | Scan::Cdata(_)) {
            return Err(wrong("a tag of the message is longer than 256 KiB"));
        }
        self.scan = match self.scan {
            Scan::Text => Scan::Text,
            Scan::Begin => self.begin(b)?,
            Scan::Bang => self.bang(b)?,
            Scan::Comment(dashes) => match b {
                b'>' if dashes >= 2 => Scan::Text,
                b'-' => Scan::Comment(dashes.saturating_add(1)),
                _ if dashes >= 2 => return Err(ill_formed()),
                _ => Scan::Comment(0),
            },
            Scan::Cdata(brackets) => match b {
                b'>' if brackets >= 2 => Scan::Text,
                b']' => Scan::Cdata(brackets.saturating_add(1)),
                _ => Scan::Cdata(0),
            },
            Scan::Name(closes) => self.in_name(closes, b)?,
            Scan::Tag { quote, slash } => self.in_tag(quote, slash, b)?,
            Scan::Close => match b {
                b'>' => self.close()?,
                b if is_space(char::from(b)) => Scan::Close,
                _ => return Err(ill_formed()),
            },
            Scan::Declaration(asked) => match b {
                b'>' if asked => Scan::Text,
                b'<' => return Err(ill_formed()),
                b => Scan::Declaration(b == b'?'),
            },
        };
        Ok(1)
    }

    fn begin(&mut self, b: u8) -> Result<Scan, Problem> {
        self.name.clear();
        match b {
            b'/' => Ok(Scan::Name(true)),
            b'!' => Ok(Scan::Bang),
            // The declaration was read with the opening; here it is only told from an instruction by its place.
            b'?' if !self.rooted && self.starts.is_empty() => Ok(Scan::Declaration(false)),
            b'?' => Err(wrong("a message may hold no processing instruction (SOAP 1.1, section 3)")),
            b if is_space(char::from(b)) || matches!(b, b'>' | b'<' | b'=' | b'"' | b'\'') => {
                Err(ill_formed())
            }
            b => {
                self.name.push(b);
                Ok(Scan::Name(false))
            }
        }
    }

    fn bang(&mut self, b: u8) -> Result<Scan, Problem> {
        self.name.push(b);
        if self.name == COMMENT {
            return Ok(Scan::Comment(0));
        }
        if self.name == CDATA {
            if !self.may_hold_text() {
                return Err(wrong("the envelope holds text beside its elements"));
            }
            return Ok(Scan::Cdata(0));
        }
        if COMMENT.starts_with(&self.name) || CDATA.starts_with(&self.name) {
            return Ok(Scan::Bang);
        }
        Err(wrong("a message may hold no document type (SOAP 1.1, section 3)"))
    }

    fn in_name(&mut self, closes: bool, b: u8) -> Result<Scan, Problem> {
        match (closes, b) {
            (true, b'>') => self.close(),
            (true, b) if is_space(char::from(b)) => Ok(Scan::Close),
            (false, b'>') => self.open(false),
            (false, b'/') => Ok(Scan::Tag { quote: None, slash: true }),
            (false, b) if is_space(char::from(b)) => Ok(Scan::Tag { quote: None, slash: false }),
            (_, b'<' | b'=' | b'"' | b'\'') => Err(ill_formed()),
            _ if self.name.len() == MAX_NAME => Err(wrong("the name of an element is longer than 1 KiB")),
            (_, b) => {
                self.name.push(b);
                Ok(Scan::Name(closes))
            }
        }
    }

    fn in_tag(&mut self, quote: Option<u8>, slash: bool, b: u8) -> Result<Scan, Problem> {
        match (quote, b) {
            (Some(_), b'<') | (None, b'<') => Err(ill_formed()),
            (Some(mark), b) if b == mark => Ok(Scan::Tag { quote: None, slash: false }),
            (Some(_), _) => Ok(Scan::Tag { quote, slash: false }),
            (None, b'>') => self.open(slash),
            (None, _) if slash => Err(ill_formed()),
            (None, b'"' | b'\'') => Ok(Scan::Tag { quote: Some(b), slash: false }),
            (None, b) => Ok(Scan::Tag { quote: None, slash: b == b'/' }),
        }
    }

    /// An element begins, and ends at once when it is `empty`.
    fn open(&mut self, empty: bool) -> Result<Scan, Problem> {
        match self.starts.len() {
            0 if self.rooted => return Err(wrong("something follows the envelope")),
            0 => self.rooted = true,
            1 if self.embodied => return Err(wrong("something follows the body of the message")),
            1 if self.local() == b"Body" => (self.embodied, self.in_body) = (true, true),
            2 if self.in_body && self.filled => {
                return Err(Problem::new(
                    Code::InvalidBody,
                    "the body of the message holds several elements",
                ));
            }
            2 if self.in_body => self.filled = true,
            MAX_DEPTH.. => return Err(wrong("the message is nested deeper than 256 levels")),
            _ => {}
        }
        if !empty {
            self.starts.push(self.names.len());
            self.names.extend_from_slice(&self.name);
        }
        Ok(Scan::Text)
    }

    fn local(&self) -> &[u8] {
        self.name.rsplit(|b| *b == b':').next().unwrap_or_default()
    }

    fn close(&mut self) -> Result<Scan, Problem> {
        let Some(start) = self.starts.pop() else { return Err(ill_formed()) };
        if self.names.get(start..) != Some(self.name.as_slice()) {
            return Err(ill_formed());
        }
        self.names.truncate(start);
        if self.starts.len() == 1 {
            self.in_body = false;
        }
        Ok(Scan::Text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::request;
    use super::*;

    fn whole(text: &str, size: usize) -> Result<(), Problem> {
        let mut check = Check::new();
        for piece in text.as_bytes().chunks(size) {
            check.push(piece)?;
        }
        check.finish()
    }

    #[test]
    fn a_message_passes_in_whatever_pieces() {
        let text = format!(
            "<?xml version=\"1.0\"?><!-- - -- -->{}<!-- after -->\n",
            request().replace("<max>", "<max a='>' b=\"/>'\" />\n<max><![CDATA[<x>]]]><!-- </max> -->")
        )
        .replace("<!-- - -- -->", "<!-- - - -->");
        for size in [1, 3, 64, 10_000] {
            assert_eq!(whole(&text, size), Ok(()), "pieces of {size}");
        }
    }

    #[test]
    fn nothing_hides_beside_the_judged_header() {
        let behind = |from: &str, to: &str| {
            assert!(request().contains(from), "{from}");
            whole(&request().replacen(from, to, 1), 5).unwrap_err().code
        };
        assert_eq!(behind("</soap:Body>", "</soap:Body><soap:Header/>"), Code::InvalidSoap);
        assert_eq!(behind("</soap:Body>", "</soap:Body><soap:Body><x/></soap:Body>"), Code::InvalidSoap);
        assert_eq!(behind("</soap:Body>", "<p:more xmlns:p='u'/></soap:Body>"), Code::InvalidBody);
        assert_eq!(behind("</soap:Body>", "text</soap:Body>"), Code::InvalidSoap);
        assert_eq!(behind("</soap:Envelope>", "</soap:Envelope><soap:Envelope/>"), Code::InvalidSoap);
        assert_eq!(behind("</soap:Envelope>", "</soap:Envelope>x"), Code::InvalidSoap);
        assert_eq!(behind("<max>", "<!DOCTYPE a><max>"), Code::InvalidSoap);
        assert_eq!(behind("<max>", "<?x ?><max>"), Code::InvalidSoap);
        assert_eq!(behind("</max>", "</min>"), Code::InvalidXml);
        assert_eq!(behind("</max>", ""), Code::InvalidXml);
        assert_eq!(behind("<max>", "<max <"), Code::InvalidXml);
        assert_eq!(behind("<max>", "<max / >"), Code::InvalidXml);
        assert_eq!(behind("<max>", &"<a>".repeat(300)), Code::InvalidSoap);
        assert_eq!(behind("<max>", &format!("<{}>", "a".repeat(2000))), Code::InvalidSoap);
        assert_eq!(whole(&request()[..300], 7).unwrap_err().code, Code::InvalidXml);
    }

    proptest! {
        #[test]
        fn what_it_lets_pass_is_well_formed_enough_for_a_tree(
            at in 0usize..900, noise in "[<>/!?\\[\\]a-z \"'=-]{1,8}"
        ) {
            let text = request();
            let at = at.min(text.len());
            let text = format!("{}{noise}{}", &text[..at], &text[at..]);
            let whole_at_once = whole(&text, 10_000);
            prop_assert_eq!(&whole(&text, 1), &whole_at_once);
            if let Ok(tree) = roxmltree::Document::parse(&text)
                && whole_at_once.is_ok()
            {
                let envelope = tree.root_element();
                let names: Vec<_> = envelope.children().filter(|n| n.is_element()).map(|n| n.tag_name().name()).collect();
                prop_assert_eq!(names.iter().filter(|n| **n == "Body").count(), 1);
                prop_assert_eq!(names.last(), Some(&"Body"));
                let body = envelope.last_element_child().unwrap();
                prop_assert_eq!(body.children().filter(|n| n.is_element()).count(), 1);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut check = Check::new();
            let _ = check.push(&bytes).and_then(|()| check.finish());
        }
    }
}
