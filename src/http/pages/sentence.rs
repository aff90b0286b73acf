//! A sentence with names in it.

use askama::Template;
use askama::filters::HtmlSafe;

/// A text of ours with names of others filled in, as HTML: names are escaped, and isolated from the direction of the
/// text around them, so that a name cannot reorder a sentence.
#[derive(Template)]
#[template(
    source = "{% for part in parts %}{% if part.is_name %}<bdi>{{ part.text }}</bdi>{% else %}{{ part.text }}{% endif %}{% endfor %}",
    ext = "html"
)]
pub(super) struct Said<'a> {
    parts: Vec<Part<'a>>,
}

/// Its template escapes.
impl HtmlSafe for Said<'_> {}

struct Part<'a> {
    text: &'a str,
    is_name: bool,
}

impl<'a> Said<'a> {
    /// Fills `{name}` of the text by the value beside that name. A value is not looked into again.
    pub fn new(text: &'static str, names: &[(&str, &'a str)]) -> Self {
        let mut parts = Vec::new();
        let mut rest: &'static str = text;
        while let Some((before, name, after)) = placeholder(rest) {
            let value = names.iter().find(|(known, _)| *known == name);
            parts.push(Part {
                text: before,
                is_name: false,
            });
            parts.push(Part {
                text: value.map_or("", |(_, value)| value),
                is_name: true,
            });
            rest = after;
        }
        parts.push(Part {
            text: rest,
            is_name: false,
        });
        Self { parts }
    }
}

/// The first placeholder, with what stands before and after it.
pub(super) fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_isolated_and_not_read_again() {
        let said = Said::new(
            "{client} asks {person}.",
            &[("person", "<b>{client}"), ("client", "Orders & more")],
        );
        assert_eq!(
            said.to_string(),
            "<bdi>Orders &#38; more</bdi> asks <bdi>&#60;b&#62;{client}</bdi>."
        );
    }
}
