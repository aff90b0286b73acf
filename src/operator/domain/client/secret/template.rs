//! Templates of Secret entries: text with placeholders, such as `{{ clientSecret | json }}`. Nothing in them can loop
//! or call out, so what they make is bounded by what stands in them.

use std::borrow::Cow;
use std::fmt::Write;

pub use clientele_api::secret_template::Placeholder as Field;

/// How a value is written where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    /// As it is; a list with spaces.
    Raw,
    /// A JSON string with its quotes; a list as an array.
    Json,
    /// A YAML scalar in double quotes; a list as a flow sequence.
    Yaml,
    /// A component of a URL (RFC 3986 §2.1).
    Url,
    /// As it is; a list with commas.
    Csv,
}

impl Escape {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "raw" => Self::Raw,
            "json" => Self::Json,
            "yaml" => Self::Yaml,
            "url" => Self::Url,
            "csv" => Self::Csv,
            _ => return None,
        })
    }
}

/// The value of a field.
pub enum Value<'v> {
    /// One text.
    Text(Cow<'v, str>),
    /// Several.
    List(Vec<&'v str>),
}

enum Piece<'t> {
    Text(&'t str),
    Place(Field, Escape),
}

/// A template that was read.
pub struct Template<'t>(Vec<Piece<'t>>);

impl<'t> Template<'t> {
    /// Reads a template; `None` if a placeholder is unknown or not closed.
    pub fn parse(text: &'t str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, after) = after.split_once("}}")?;
            pieces.push(Piece::Text(before));
            pieces.push(placeholder(inside)?);
            rest = after;
        }
        pieces.push(Piece::Text(rest));
        Some(Self(pieces))
    }

    /// Whether a field stands in it.
    pub fn mentions(&self, field: Field) -> bool {
        let mut pieces = self.0.iter();
        pieces.any(|piece| matches!(piece, Piece::Place(place, _) if *place == field))
    }

    /// The text with the values in it; `None` if it grows beyond `most` bytes.
    pub fn render<'v>(&self, most: usize, value: impl Fn(Field) -> Value<'v>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Place(field, escape) => write_value(&mut text, &value(*field), *escape),
            }
            if text.len() > most {
                return None;
            }
        }
        Some(text)
    }
}

fn placeholder(inside: &str) -> Option<Piece<'static>> {
    let inside = inside.trim_matches(' ');
    if inside == r#""{{""# {
        return Some(Piece::Text("{{"));
    }
    let (name, escape) = inside.split_once('|').unwrap_or((inside, "raw"));
    let field = Field::parse(name.trim_matches(' '))?;
    Some(Piece::Place(
        field,
        Escape::parse(escape.trim_matches(' '))?,
    ))
}

fn write_value(text: &mut String, value: &Value<'_>, escape: Escape) {
    match value {
        Value::Text(value) => write_text(text, value, escape),
        Value::List(values) => {
            let (open, between, close) = match escape {
                Escape::Json | Escape::Yaml => ("[", ", ", "]"),
                Escape::Raw => ("", " ", ""),
                Escape::Url => ("", "%20", ""),
                Escape::Csv => ("", ",", ""),
            };
            text.push_str(open);
            for (place, value) in values.iter().enumerate() {
                text.push_str(if place == 0 { "" } else { between });
                write_text(text, value, escape);
            }
            text.push_str(close);
        }
    }
}

fn write_text(text: &mut String, value: &str, escape: Escape) {
    match escape {
        Escape::Raw | Escape::Csv => text.push_str(value),
        Escape::Json | Escape::Yaml => write_quoted(text, value),
        Escape::Url => write_url(text, value),
    }
}

/// A string in double quotes that is ASCII throughout, so that JSON and YAML read the same: YAML 1.1 takes some
/// characters for line breaks that JSON does not. Beyond the first plane it is two surrogates, as JSON has it, which YAML
/// refuses; such a character stands as it is.
fn write_quoted(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            ' '..='~' | '\u{10000}'.. => text.push(c),
            _ => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
        }
    }
    text.push('"');
}

fn write_url(text: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests;
