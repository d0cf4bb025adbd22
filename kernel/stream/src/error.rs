//! What may go wrong in a stream. Cloneable, because one failed flush answers many waiting callers.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Result of a stream operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What may go wrong in a stream.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The options contradict themselves or are out of range.
    #[error("stream options: {0}")]
    Options(&'static str),
    /// The record can never fit; nothing was written.
    #[error("record of {bytes} bytes is larger than the limit of {limit}")]
    TooLarge {
        /// Size of the refused payload.
        bytes: usize,
        /// Largest payload accepted.
        limit: usize,
    },
    /// The stream was closed before the record became durable.
    #[error("stream {0} is closed")]
    Closed(String),
    /// A write or a flush failed. Nothing further is accepted: after a failed flush the operating system may
    /// report success for bytes it has dropped, so only opening anew tells what is on the disk.
    #[error("stream {name} has failed and must be opened anew")]
    Failed {
        /// The stream's name.
        name: String,
        /// The first error.
        #[source]
        source: Arc<io::Error>,
    },
    /// Stored bytes are not what was written, or segments are missing.
    #[error("stream {name}: {what} (segment {segment}, byte {offset}, position {position})")]
    Corrupt {
        /// The stream's name.
        name: String,
        /// Number of the segment.
        segment: u64,
        /// Byte offset inside the segment file.
        offset: u64,
        /// Position of the record expected there.
        position: u64,
        /// What was found.
        what: &'static str,
    },
    /// The position lies before the oldest record kept.
    #[error("position {position} was removed, the oldest kept is {first}")]
    Removed {
        /// The position asked for.
        position: u64,
        /// The oldest position kept.
        first: u64,
    },
    /// Another stream, here or in another process, has this directory open.
    #[error("{0} is in use by another process")]
    Busy(PathBuf),
    /// Reading or preparing files failed; the stream itself is unharmed.
    #[error("{what} {path}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Arc<io::Error>,
    },
}

impl Error {
    pub(crate) fn io(what: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { what, path: path.into(), source: Arc::new(source) }
    }
}
