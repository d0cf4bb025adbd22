//! The one binary, `lienthong`.
fn main() {}
