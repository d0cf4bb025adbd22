//! Makes typed functions of the messages.

fn main() {
    catalogue::generate("messages.toml");
}
