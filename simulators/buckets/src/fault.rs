//! What may go wrong, switched on for the next requests of a kind.

use std::time::Duration;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// `PutObject`
    Put,
    /// `GetObject`
    Get,
    /// `DeleteObject`
    Delete,
    /// `ListObjectsV2`
    List,
    /// `CreateMultipartUpload`
    Create,
    /// `UploadPart`
    Part,
    /// `CompleteMultipartUpload`
    Complete,
    /// `AbortMultipartUpload`
    Abort,
}

/// One thing that goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 500 `InternalError`.
    Broken,
    /// Answers after so long.
    Slow(Duration),
    /// The answer's body ends half-way, against its length.
    Cut,
    /// The answer names another ETag than the one kept.
    WrongTag,
    /// What is kept differs from what was sent by one byte.
    Rot,
    /// The upload is forgotten: 404 `NoSuchUpload`.
    Forget,
    /// 403 `AccessDenied`.
    Deny,
}
