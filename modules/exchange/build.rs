//! Turns `messages.toml` into typed functions.

fn main() {
    catalogue::generate("messages.toml");
}
