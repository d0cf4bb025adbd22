//! A real Chromium, driven over its debugging pipe (NUL-terminated JSON on two file descriptors): open a page, run
//! script in it, photograph it. No library and no network between.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base::clock::Stopwatch;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

/// How long the browser may take for one step.
const PATIENCE: Duration = Duration::from_secs(30);

/// More than this in one message is refused; a photograph of a long page is some megabytes.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// A browser with one page. Dropping it ends it.
pub struct Browser {
    child: Child,
    into: pipe::Sender,
    from: pipe::Receiver,
    buffer: Vec<u8>,
    events: Vec<Value>,
    next: u64,
    session: Option<String>,
    _profile: tempfile::TempDir,
}

/// A window to look through.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// CSS pixels.
    pub width: u32,
    /// CSS pixels.
    pub height: u32,
    /// A phone: touch, its own viewport rules.
    pub mobile: bool,
}

/// Keys held while another is pressed, numbered as the DevTools protocol does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifiers {
    /// None.
    None = 0,
    /// Ctrl.
    Control = 2,
    /// Shift.
    Shift = 8,
}

impl Browser {
    /// Starts `chromium` with an empty profile and opens a blank page.
    ///
    /// # Errors
    /// When it does not start or does not speak.
    pub async fn start(chromium: &Path) -> Result<Self> {
        let profile = tempfile::Builder::new().prefix("lienthong-browser").tempdir()?;
        let (orders, reports) = (profile.path().join("orders"), profile.path().join("reports"));
        for path in [&orders, &reports] {
            let mode = rustix::fs::Mode::from_raw_mode(0o600);
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0)?;
        }
        // Opened for both directions, so that neither side waits for the other to open first.
        let into = pipe::OpenOptions::new().read_write(true).open_sender(&orders)?;
        let from = pipe::OpenOptions::new().read_write(true).open_receiver(&reports)?;
        let child = Command::new("sh")
            .args(["-c", "orders=$1 reports=$2; shift 2; exec \"$@\" 3<\"$orders\" 4>\"$reports\"", "sh"])
            .args([&orders, &reports])
            .arg(chromium)
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be run", chromium.display()))?;
        let mut browser = Self {
            child,
            into,
            from,
            buffer: vec![],
            events: vec![],
            next: 1,
            session: None,
            _profile: profile,
        };
        let target = browser.command("Target.createTarget", json!({"url": "about:blank"})).await?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.command("Target.attachToTarget", attach).await?;
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        browser.command("Page.enable", json!({})).await?;
        browser.command("Network.enable", json!({})).await?;
        Ok(browser)
    }

    /// Looks through a window of this size from now on.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn window(&mut self, window: Window) -> Result<()> {
        let metrics = json!({
            "width": window.width, "height": window.height, "deviceScaleFactor": 1, "mobile": window.mobile,
        });
        self.command("Emulation.setDeviceMetricsOverride", metrics).await.map(drop)
    }

    /// Opens a page and waits until it and its fonts have loaded.
    ///
    /// # Errors
    /// When it cannot be reached or does not finish loading.
    pub async fn open(&mut self, url: &str) -> Result<()> {
        self.events.clear();
        let went = self.command("Page.navigate", json!({"url": url})).await?;
        if let Some(error) = went["errorText"].as_str() {
            bail!("{url}: {error}");
        }
        self.loaded().await.with_context(|| format!("{url} did not finish loading"))
    }

    /// Signs in by the form at `login`, as a person would.
    ///
    /// # Errors
    /// When there is no such form, or the sign-in is refused and the form comes back.
    pub async fn sign_in(&mut self, login: &str, name: &str, password: &str) -> Result<()> {
        self.open(login).await?;
        self.forget_events();
        let fill = format!(
            "{{ const f = document.querySelector('input[type=password]').form; \
             f.querySelector('[name=username]').value = {}; \
             f.querySelector('[type=password]').value = {}; f.requestSubmit(); true }}",
            serde_json::to_string(name)?,
            serde_json::to_string(password)?
        );
        self.script(&fill).await?;
        self.loaded().await?;
        let still = self.script("document.querySelector('input[type=password]') !== null").await?;
        anyhow::ensure!(still != true, "the sign-in was refused");
        Ok(())
    }

    /// Waits for the page that a click or a form has asked for.
    ///
    /// # Errors
    /// When none finishes loading.
    pub async fn loaded(&mut self) -> Result<()> {
        self.event("Page.loadEventFired").await?;
        self.script("document.fonts.ready.then(() => true)").await.map(drop)
    }

    /// The value of a script in the page; promises are awaited.
    ///
    /// # Errors
    /// When the script throws.
    pub async fn script(&mut self, expression: &str) -> Result<Value> {
        let ask = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.command("Runtime.evaluate", ask).await?;
        if let Some(thrown) = answer.get("exceptionDetails") {
            let what = thrown["exception"]["description"].as_str().or(thrown["text"].as_str());
            bail!("script: {}", what.unwrap_or("threw"));
        }
        Ok(answer["result"]["value"].clone())
    }

    /// Runs a script in every page opened from now on, before the page's own.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn script_in_every_page(&mut self, source: &str) -> Result<()> {
        self.command("Page.addScriptToEvaluateOnNewDocument", json!({"source": source})).await.map(drop)
    }

    /// Presses and releases a key: a letter as typed, or `Tab`, `Enter`, `Escape` by name.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn press(&mut self, key: &str, modifiers: Modifiers) -> Result<()> {
        let (code, number, text) = match key {
            "Tab" => ("Tab".to_owned(), 9, None),
            "Enter" => ("Enter".to_owned(), 13, Some("\r")),
            "Escape" => ("Escape".to_owned(), 27, None),
            letter => {
                let upper = letter.to_ascii_uppercase();
                let number = upper.bytes().next().unwrap_or_default();
                (format!("Key{upper}"), number, (modifiers == Modifiers::None).then_some(letter))
            }
        };
        let mut event = json!({
            "type": if text.is_some() { "keyDown" } else { "rawKeyDown" }, "key": key, "code": code,
            "windowsVirtualKeyCode": number, "modifiers": modifiers as u8,
        });
        if let Some(text) = text {
            event["text"] = json!(text);
        }
        self.command("Input.dispatchKeyEvent", event.clone()).await?;
        event["type"] = json!("keyUp");
        event.as_object_mut().map(|e| e.remove("text"));
        self.command("Input.dispatchKeyEvent", event).await.map(drop)
    }

    /// Forgets everything that happened before the next action.
    pub fn forget_events(&mut self) {
        self.events.clear();
    }

    /// The whole page, also what is below the window, as PNG in base64.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn photograph(&mut self) -> Result<String> {
        let ask = json!({"format": "png", "captureBeyondViewport": true});
        let answer = self.command("Page.captureScreenshot", ask).await?;
        answer["data"].as_str().map(str::to_owned).context("no photograph in the answer")
    }

    /// Sends one command of the DevTools protocol and waits for its result.
    ///
    /// # Errors
    /// When the browser refuses or is gone.
    pub async fn command(&mut self, method: &str, parameters: Value) -> Result<Value> {
        let id = self.next;
        self.next += 1;
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message)?;
        bytes.push(0);
        tokio::time::timeout(PATIENCE, self.into.write_all(&bytes)).await??;
        let watch = Stopwatch::start();
        loop {
            let mut message = self.message(watch).await.with_context(|| method.to_owned())?;
            if message["id"] == id {
                if let Some(error) = message.get("error") {
                    bail!("{method}: {}", error["message"].as_str().unwrap_or("refused"));
                }
                return Ok(message["result"].take());
            }
            self.events.push(message);
        }
    }

    async fn event(&mut self, name: &str) -> Result<Value> {
        let watch = Stopwatch::start();
        loop {
            if let Some(at) = self.events.iter().position(|e| e["method"] == name) {
                return Ok(self.events.remove(at));
            }
            let message = self.message(watch).await?;
            self.events.push(message);
        }
    }

    async fn message(&mut self, watch: Stopwatch) -> Result<Value> {
        loop {
            if let Some(end) = self.buffer.iter().position(|b| *b == 0) {
                let message = serde_json::from_slice(&self.buffer[..end])?;
                self.buffer.drain(..=end);
                return Ok(message);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the browser ended with {status}");
            }
            let left = PATIENCE.checked_sub(watch.elapsed()).context("the browser did not answer in time")?;
            let mut piece = vec![0; 256 * 1024];
            let read =
                tokio::time::timeout(left.min(Duration::from_secs(1)), self.from.read(&mut piece)).await;
            if let Ok(n) = read {
                self.buffer.extend_from_slice(&piece[..n?]);
                anyhow::ensure!(self.buffer.len() <= MAX_MESSAGE, "the browser says too much at once");
            }
        }
    }
}

const ARGUMENTS: [&str; 14] = [
    "--headless",
    "--remote-debugging-pipe",
    // The pages are our own; as root, which continuous integration often is, Chromium has no sandbox to use.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--lang=vi",
];
