//! Reading and moving the demonstration's clock: `GET` tells it, `POST {"now": "2026-04-30T08:00:00+07:00"}` or
//! `{"advance_seconds": 3600}` moves it. It never moves back: what was recorded would lie in the future.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kernel::clock::{Clock, MovableClock, Timestamp};
use kernel::i18n::Text;
use kernel::{Error, Module};
use serde::Deserialize;
use serde_json::{Value, json};
use web::{Access, Pages, Routes};

use super::state::State;

/// Where it is.
pub const PATH: &str = "/demo/clock";

/// The module that exists in the demonstration only.
pub struct DemoClock {
    clock: Arc<MovableClock>,
    data: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    now: Option<Timestamp>,
    advance_seconds: Option<u64>,
}

impl DemoClock {
    /// Moves `clock` and remembers it in `data`.
    pub fn new(clock: Arc<MovableClock>, data: PathBuf) -> Self {
        Self { clock, data }
    }
}

impl Module for DemoClock {
    fn name(&self) -> &'static str {
        "demo"
    }
}

impl Pages for DemoClock {
    fn routes(&self) -> Routes {
        let (read, moved, data) = (self.clock.clone(), self.clock.clone(), self.data.clone());
        Routes::new().get(PATH, Access::Public, async move || axum::Json(told(&read))).post(
            PATH,
            Access::Public,
            async move |web::Json(to): web::Json<Move>| -> web::Result<axum::Json<Value>> {
                shift(&moved, &data, &to)?;
                Ok(axum::Json(told(&moved)))
            },
        )
    }
}

fn told(clock: &MovableClock) -> Value {
    json!({"now": clock.now(), "vietnam": clock.now().rfc3339_vn(), "offset_seconds": clock.offset_micros() / 1_000_000})
}

fn shift(clock: &MovableClock, data: &std::path::Path, to: &Move) -> kernel::Result<()> {
    let now = clock.now();
    let target = match (to.now, to.advance_seconds) {
        (Some(at), None) => at,
        (None, Some(seconds)) => now.plus(Duration::from_secs(seconds)),
        _ => {
            return Err(refuse(
                "Cần đúng một trong hai giá trị now, advance_seconds",
                "Give either now or advance_seconds",
            ));
        }
    };
    if target < now {
        return Err(refuse("Đồng hồ trình diễn chỉ đi tới", "The demonstration's clock only moves forward"));
    }
    clock.set(target);
    let mut state = State::load(data).map_err(|e| Error::internal(e.to_string()))?;
    state.clock_offset_micros = clock.offset_micros();
    state.save(data).map_err(|e| Error::internal(e.to_string()))
}

fn refuse(vi: &str, en: &str) -> Error {
    Error::field("now", Text { vi: vi.into(), en: en.into() })
}
