//! One test program for the exchange; a module for each subject.

mod diff;
mod registry_file;
mod snapshot;
