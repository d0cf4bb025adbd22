//! How many ends of terms a second one core finds, reasoning included: `cargo run -p workcalendar --release --example
//! speed -- [MILLIONS]`. Prints figures; asserts none.

use workcalendar::{Moment, Pause, Policy, Question, Term, Unit, shipped};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let millions: u32 = std::env::args().nth(1).map_or(Ok(3), |n| n.parse())?;
    let calendar = shipped::vn()?;
    let begin: Moment = "2021-01-04T00:00".parse()?;
    let rounds = u64::from(millions.min(1_000)) * 1_000_000;
    for (name, unit, paused) in [
        ("working hours", Unit::WorkingHours, false),
        ("working days", Unit::WorkingDays, false),
        ("calendar days", Unit::Days, false),
        ("working days with a pause", Unit::WorkingDays, true),
    ] {
        let watch = cpu_clock()?;
        let mut sum = 0_i64;
        for n in 0..rounds {
            // Receipts over six years at any second, terms of 1 to 60.
            let received = begin.plus(i64::try_from(n.wrapping_mul(7_919) % (6 * 365 * 86_400))?);
            let pause = [Pause { from: received.plus(90_000), to: received.plus(500_000) }];
            let due = calendar.due(&Question {
                received,
                term: Term { count: 1 + u32::try_from(n % 60)?, unit },
                pauses: if paused { &pause } else { &[] },
                policy: Policy::default(),
            })?;
            sum = sum.wrapping_add(due.at.unix()).wrapping_add(i64::try_from(due.steps.len())?);
        }
        let seconds = cpu_clock()? - watch;
        println!("{name:<28} {:>12.0} a second   (check {sum})", rounds as f64 / seconds);
    }
    Ok(())
}

/// Processor time of this process in seconds: other work on the machine does not disturb it.
fn cpu_clock() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let ticks = stat.rsplit(')').next().unwrap_or("").split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|n| n.parse::<f64>().ok()).sum();
    Ok(ticks / 100.0)
}
