//! The one binary, `lienthong`: configuration, kernel, modules, server; sub-commands for roles and upkeep.

mod assemble;
mod cli;
mod commands;
mod control;
mod demo;
mod described;
mod hardening;
mod init;
mod lock;
mod measures;
mod notify;
mod operations;
mod renewal;
mod server;
mod settings;
mod tls;

/// Texts of the command line.
mod t {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

use std::process::ExitCode;

use clap::Parser;

/// Gives memory back to the system after a burst (an import, a large page); the C library's allocator keeps it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The allocator asks for huge pages; each thread's few kilobytes then occupy two megabytes of real memory. A machine
    // that has no such pages needs nothing switched off.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    // Two providers may be compiled in; rustls must be told which one, once.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("lienthong: the cryptographic provider is already chosen");
    }
    match cli::Cli::parse().run() {
        Ok(code) => code,
        Err(e) => {
            eprintln!("lienthong: {}", chain(&e));
            ExitCode::FAILURE
        }
    }
}

/// The whole chain of causes, each once.
fn chain(e: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in e.chain() {
        let text = cause.to_string();
        if !parts.iter().any(|p| p.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}
