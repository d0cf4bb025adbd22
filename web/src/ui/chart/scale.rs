//! Round numbers for an axis that begins at zero, and lines with gaps. Heights count from the top, 0 to 100.

use std::fmt::Write;

/// An axis from zero in four or five equal steps of a round number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    step: f64,
    steps: u8,
}

impl Scale {
    /// An axis that holds `most`.
    pub(super) fn up_to(most: f64) -> Self {
        let most = if most > 0.0 { most } else { 1.0 };
        let rough = most / 4.0;
        let power = 10f64.powf(rough.log10().floor());
        let nice = [1.0, 2.0, 2.5, 5.0, 10.0].map(|f| f * power);
        let step = nice.into_iter().find(|s| *s >= rough * 0.999_999).unwrap_or(power * 10.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and 4 by construction"
        )]
        let steps = (most / step).ceil().clamp(1.0, 5.0) as u8;
        Self { step, steps }
    }

    /// The numbers on the axis, from the top.
    pub(super) fn ticks(self) -> impl Iterator<Item = f64> {
        (0..=self.steps).rev().map(move |n| f64::from(n) * self.step)
    }

    /// How far from the top a value stands.
    pub(super) fn height(self, value: f64) -> f64 {
        (100.0 - value / (self.step * f64::from(self.steps)) * 100.0).clamp(0.0, 100.0)
    }
}

/// A path over the whole width through the heights; `None` interrupts it. A lone point becomes a short stroke.
pub(super) fn path(heights: impl ExactSizeIterator<Item = Option<f64>>) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a chart has far fewer points than 2^52")]
    let step = 100.0 / heights.len().saturating_sub(1).max(1) as f64;
    let mut text = String::new();
    let mut alone = false;
    for (at, height) in heights.enumerate() {
        let Some(y) = height else {
            if alone {
                text.push_str("h0.01");
            }
            alone = false;
            if !text.ends_with(' ') && !text.is_empty() {
                text.push(' ');
            }
            continue;
        };
        let starts = text.is_empty() || text.ends_with(' ');
        #[expect(clippy::cast_precision_loss, reason = "as above")]
        let x = at as f64 * step;
        // Writing to a String cannot fail.
        let _ = write!(text, "{}{x:.2} {y:.2}", if starts { 'M' } else { 'L' });
        alone = starts;
    }
    if alone {
        text.push_str("h0.01");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers_and_hold_the_most() {
        for (most, expected) in [
            (0.0, vec![1.0, 0.75, 0.5, 0.25, 0.0]),
            (3.0, vec![3.0, 2.0, 1.0, 0.0]),
            (100.0, vec![100.0, 75.0, 50.0, 25.0, 0.0]),
            (87.0, vec![100.0, 75.0, 50.0, 25.0, 0.0]),
            (1_234_567.0, vec![1_500_000.0, 1_000_000.0, 500_000.0, 0.0]),
        ] {
            assert_eq!(Scale::up_to(most).ticks().collect::<Vec<_>>(), expected, "{most}");
        }
        for most in [1e-9, 0.7, 9.99, 1e12, 4.0, 5.0, 7.9] {
            let scale = Scale::up_to(most);
            assert!(scale.ticks().next().unwrap() >= most * 0.999_99, "{most}: {scale:?}");
        }
    }

    #[test]
    fn lines_break_where_nothing_is_known() {
        let path = |h: &[Option<f64>]| path(h.iter().copied());
        assert_eq!(path(&[Some(0.0), Some(100.0)]), "M0.00 0.00L100.00 100.00");
        assert_eq!(path(&[Some(1.0), None, Some(2.0)]), "M0.00 1.00h0.01 M100.00 2.00h0.01");
        assert_eq!(path(&[None, Some(1.0), Some(2.0)]), "M50.00 1.00L100.00 2.00");
        assert_eq!(path(&[]), "");
    }
}
