//! Colours of a province made readable: from any primary colour the shades that keep the contrast of WCAG 2.2 AA.

use std::fmt;

/// Text on its background: WCAG 2.2, 1.4.3.
pub const READABLE: f64 = 4.5;
/// The darkest light and the lightest dark background of `tokens.css`; what is readable on them is readable on all.
const LIGHT_BACKGROUND: Rgb = Rgb(0xef, 0xf2, 0xf5);
const DARK_BACKGROUND: Rgb = Rgb(0x1f, 0x26, 0x30);
const DARK_SURFACE: Rgb = Rgb(0x18, 0x1d, 0x25);
const WHITE: Rgb = Rgb(255, 255, 255);
const BLACK: Rgb = Rgb(0, 0, 0);

/// A colour of the sRGB space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits =
            text.strip_prefix('#').filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        Some(Self(part(0)?, part(2)?, part(4)?))
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// Contrast ratio (WCAG 2.2), 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// This colour with a share of another, in percent.
    fn mixed(self, other: Self, percent: u16) -> Self {
        let mix = |a: u8, b: u8| {
            let sum = u16::from(a) * (100 - percent) + u16::from(b) * percent;
            u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX)
        };
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// Moved towards black or white just far enough to be readable on a background.
    fn readable_on(self, background: Self, towards: Self) -> Self {
        self.reaching(READABLE, background, towards)
    }

    fn reaching(self, ratio: f64, background: Self, towards: Self) -> Self {
        let fits = |c: &Self| c.contrast(background) >= ratio;
        (0..=100).map(|p| self.mixed(towards, p)).find(fits).unwrap_or(towards)
    }

    /// As [`Rgb::reaching`] towards white, but along lightness alone (HSL): the hue stays as vivid as it was.
    fn lightened(self, ratio: f64, background: Self) -> Self {
        let channels = [self.0, self.1, self.2].map(|c| f64::from(c) / 255.0);
        let (high, low) =
            (channels.into_iter().fold(0.0, f64::max), channels.into_iter().fold(1.0, f64::min));
        let lightness = (high + low) / 2.0;
        let spread = 1.0 - (2.0 * lightness - 1.0).abs();
        let saturation = if spread > 0.0 { (high - low) / spread } else { 0.0 };
        let at = |l: f64| {
            let half = saturation * (1.0 - (2.0 * l - 1.0).abs()) / 2.0;
            let channel = |c: f64| {
                let place = if high > low { (c - low) / (high - low) * 2.0 - 1.0 } else { 0.0 };
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "clamped to a byte"
                )]
                let byte = ((l + half * place) * 255.0).round().clamp(0.0, 255.0) as u8;
                byte
            };
            Self(channel(channels[0]), channel(channels[1]), channel(channels[2]))
        };
        let steps = (0..=100).map(|n| lightness + (1.0 - lightness) * f64::from(n) / 100.0);
        steps.map(at).find(|c| c.contrast(background) >= ratio).unwrap_or(WHITE)
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// The sheet with the shades of a primary colour, for light and dark.
pub fn sheet(primary: Rgb) -> String {
    let light = light(primary);
    let dark = dark(primary);
    format!(
        ":root{{{light}}}:root[data-theme=\"dark\"]{{{dark}}}\
         @media (prefers-color-scheme: dark){{:root:not([data-theme]){{{dark}}}}}"
    )
}

fn light(primary: Rgb) -> String {
    let button = primary.readable_on(WHITE, BLACK);
    let link = primary.readable_on(LIGHT_BACKGROUND, BLACK);
    let soft = primary.mixed(WHITE, 90);
    tokens(button, button.mixed(BLACK, 18), link, soft, link.readable_on(soft, BLACK))
}

fn dark(primary: Rgb) -> String {
    // As light as white words on it allow, so that a navy button is seen on a dark page.
    let readable = primary.readable_on(WHITE, BLACK);
    let button =
        (0..=60).rev().map(|p| readable.mixed(WHITE, p)).find(|c| c.contrast(WHITE) >= READABLE + 0.3);
    let button = button.unwrap_or(readable);
    // Thin coloured letters glow less on dark than the ratio promises: a margin.
    let link = primary.lightened(6.5, DARK_BACKGROUND);
    let soft = DARK_SURFACE.mixed(primary, 28);
    tokens(button, button.mixed(BLACK, 14), link, soft, link.readable_on(soft, WHITE))
}

fn tokens(button: Rgb, hover: Rgb, link: Rgb, soft: Rgb, on_soft: Rgb) -> String {
    format!(
        "--primary:{button};--primary-hover:{hover};--on-primary:#ffffff;--link:{link};--soft:{soft};\
         --on-soft:{on_soft};--focus:{link}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_ratios() {
        assert!((WHITE.contrast(BLACK) - 21.0).abs() < 1e-9);
        assert!((Rgb(0x76, 0x76, 0x76).contrast(WHITE) - 4.54).abs() < 0.01, "the grey every guide names");
    }

    #[test]
    fn only_six_digits_are_a_colour() {
        assert_eq!(Rgb::parse("#1d4f91"), Some(Rgb(0x1d, 0x4f, 0x91)));
        for bad in ["", "#fff", "1d4f91", "#1d4f9g", "#1d4f911", "#1d4f9é", "red"] {
            assert_eq!(Rgb::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn backgrounds_are_those_of_the_tokens() {
        let tokens = include_str!("../assets/css/tokens.css");
        for line in [
            format!("--sunken: {LIGHT_BACKGROUND};"),
            format!("--sunken: {DARK_BACKGROUND};"),
            format!("--surface: {DARK_SURFACE};"),
        ] {
            assert!(tokens.contains(&line), "{line}");
        }
    }

    proptest! {
        #[test]
        fn every_primary_colour_gives_readable_shades(r: u8, g: u8, b: u8) {
            let value = |block: &str, name: &str| {
                let start = block.find(&format!("{name}:")).unwrap() + name.len() + 1;
                Rgb::parse(&block[start..start + 7]).unwrap()
            };
            let primary = Rgb(r, g, b);
            for (block, background) in [(light(primary), LIGHT_BACKGROUND), (dark(primary), DARK_BACKGROUND)] {
                let get = |name| value(&block, name);
                prop_assert!(get("--primary").contrast(WHITE) >= READABLE);
                prop_assert!(get("--primary-hover").contrast(WHITE) >= READABLE);
                prop_assert!(get("--link").contrast(background) >= READABLE);
                prop_assert!(get("--on-soft").contrast(get("--soft")) >= READABLE);
            }
        }
    }
}
