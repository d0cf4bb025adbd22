//! Serves the gallery on this machine, to look at: `cargo run -p web --example gallery [port]`.

use std::sync::Arc;

use testkit::TestKernel;
use web::{Sessions, Site, Visitor};

/// Nobody is signed in; the gallery brings its own invented officer.
struct Nobody;

#[async_trait::async_trait]
impl Sessions for Nobody {
    async fn by_cookie(&self, _: &kernel::Kernel, _: &str) -> kernel::Result<Option<Visitor>> {
        Ok(None)
    }

    async fn by_bearer(
        &self,
        _: &kernel::Kernel,
        _: &str,
        _: &kernel::entrance::Arrival,
    ) -> kernel::Result<Option<Visitor>> {
        Ok(None)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).map_or(Ok(8090), |p| p.parse::<u16>())?;
    let text = format!(
        "[web]\nname = \"Ủy ban nhân dân tỉnh An Sơn\"\npublic_url = \"http://127.0.0.1:{port}\"\n{}",
        std::env::var("GALLERY_CONFIG").unwrap_or_default()
    );
    let config = base::config::Config::from_text(None, text, [])?;
    let kernel = TestKernel::new("sqlite", &[]).await;
    let site = Site::from_config(&config)?.demo(true);
    let app = web::router(kernel.kernel.clone(), site, Arc::new(Nobody), &[]);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}/gallery", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
