//! Prepares what the crate carries: typed messages, the icon sprite with its enum, and every asset bundled, compressed
//! and named by its content. Nothing is fetched.

#[path = "build/assets.rs"]
mod assets;
#[path = "build/icons.rs"]
mod icons;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    catalogue::generate("messages.toml");
    let root = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("assets");
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=assets");
    println!("cargo::rerun-if-changed=build");
    let sprite = icons::generate(&root.join("icons"), &out)?;
    assets::generate(&root, &out, &sprite)
}
