//! What people do to the exchange: one function per verb, one transaction each, the right checked next to
//! the data. The steps of agreements are in `decide`, the declarative file in `import`.

pub(crate) mod decide;
mod import;
mod zones;

pub use decide::{
    Decision, Request, approve_agreement, decide, expire_due, refuse_agreement, resume_agreement,
    revoke_agreement, suspend_agreement,
};
pub use import::{Imported, NewClient, Plan, import_registry, plan};
pub use zones::{keep_to_dedicated, standing as zones};
