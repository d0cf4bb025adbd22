//! A store of files that speaks S3 (Amazon S3 REST API; also MinIO, Ceph RGW and others): large files in parts that can be
//! gone on with, reads in ranges, every request signed (AWS Signature Version 4). Knows nothing of backups: who copies
//! what, and whether it arrived whole, is the work of the module.

mod s3;
mod settings;

use std::sync::Arc;

use kernel::offsite::Offsite;

pub use s3::S3;
pub use settings::{BadSettings, Secret, Settings, bucket_and_prefix};

/// The store that is configured, if one is.
///
/// # Errors
/// What is wrong with the section, in a sentence.
pub fn store(settings: &Settings) -> Result<Option<Arc<dyn Offsite>>, BadSettings> {
    if settings.bucket.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(S3::new(settings)?)))
}
