//! The icons: one sprite, one enum made from the files in `assets/icons`. Always beside a word or hidden from
//! assistive technology.

use std::fmt;

use super::html::{Html, markup};

include!(concat!(env!("OUT_DIR"), "/icons.rs"));
markup!(Icon);

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.draw(f, "")
    }
}

impl Icon {
    /// The icon at text size.
    pub fn small(self) -> Html {
        self.sized(" lt-i-s")
    }

    /// The icon for empty states.
    pub fn large(self) -> Html {
        self.sized(" lt-i-l")
    }

    fn sized(self, class: &str) -> Html {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.draw(&mut text, class);
        Html::trusted(text)
    }

    fn draw(self, f: &mut dyn fmt::Write, class: &str) -> fmt::Result {
        let sprite = crate::assets::ICONS_SVG;
        write!(
            f,
            "<svg class=\"lt-i{class}\" aria-hidden=\"true\"><use href=\"{sprite}#{}\"/></svg>",
            self.id()
        )
    }
}
