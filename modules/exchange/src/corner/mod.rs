//! The integrator's corner: what the engineer who connects a member's system does alone — credentials, the system's
//! own calls with the reason of each refusal, code samples, try-out calls, conformance. Pages are in `pages::corner`.

pub mod advice;
pub mod certificates;
pub mod credentials;
pub mod ending;
pub mod example;
pub mod reach;
pub mod report;
pub mod samples;
pub mod tryout;
