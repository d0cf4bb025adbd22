//! What counts as markup: templates, components and [`Html`]. Plain text does not, so it cannot slip in unescaped.

use std::fmt::{Display, Write};

use askama::Template;

/// Something that writes finished HTML: every askama template and every component.
pub trait Markup: Display {}

impl<T: Template + ?Sized> Markup for T {}

/// Lets a component stand in any template without being escaped again.
macro_rules! markup {
    ($($name:ty),+ $(,)?) => { $( impl askama::filters::HtmlSafe for $name {} )+ };
}
pub(crate) use markup;

/// A finished piece of HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(source = "{{ self.0|safe }}", ext = "html")]
pub struct Html(String);
markup!(Html);

impl Html {
    /// Text, escaped.
    pub fn escaped(text: impl Display) -> Self {
        let mut html = Self::default();
        // Writing to a String fails only when a Display implementation does; then what was written stays.
        let _ = askama::filters::escape(&text, askama::filters::Html).map(|safe| write!(html.0, "{safe}"));
        html
    }

    /// Markup written by the programmer. Never pass anything that came from outside.
    pub fn trusted(markup: impl Into<String>) -> Self {
        Self(markup.into())
    }

    /// A component or template, rendered.
    pub fn of(markup: impl Markup) -> Self {
        let mut html = Self::default();
        html.push(markup);
        html
    }

    /// Adds a component or template.
    pub fn push(&mut self, markup: impl Markup) {
        if write!(self.0, "{markup}").is_err() {
            tracing::error!("a template could not be rendered");
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text of the markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Puts components and templates one after another: `body![head, tabs, table]`.
#[macro_export]
macro_rules! body {
    ($($part:expr),* $(,)?) => {{
        let mut html = $crate::ui::Html::default();
        $( html.push(&$part); )*
        html
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_markup_is_not() {
        assert_eq!(Html::escaped("<b> & \"x\"").as_str(), "&#60;b&#62; &#38; &#34;x&#34;");
        assert_eq!(Html::of(Html::trusted("<b>x</b>")).as_str(), "<b>x</b>");
        assert_eq!(body![Html::trusted("<i>"), Html::escaped("<")].as_str(), "<i>&#60;");
    }
}
