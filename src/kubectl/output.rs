//! What is printed: text for people, JSON, YAML or names for programs.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde_json::Value;

/// How the answer is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
    /// One YAML document
    Yaml,
    /// One name a line
    Name,
}

/// Where the answer goes.
pub struct Output<'a> {
    out: Box<dyn Write + 'a>,
    err: Box<dyn Write + 'a>,
    /// How it is printed.
    pub format: Format,
    /// Whether a person looks at it: then there is colour, and secrets are masked.
    pub terminal: bool,
}

impl Output<'static> {
    /// Standard output and standard error.
    pub fn of_process(format: Format) -> Self {
        Self {
            terminal: io::stdout().is_terminal(),
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            format,
        }
    }
}

/// The colours of a terminal.
#[derive(Clone, Copy)]
pub enum Color {
    /// It works.
    Green,
    /// A person must act.
    Red,
    /// It passes by itself, or needs a look.
    Yellow,
}

impl<'a> Output<'a> {
    /// Writers of the caller's choice.
    pub fn new(out: impl Write + 'a, err: impl Write + 'a, format: Format, terminal: bool) -> Self {
        Self {
            out: Box::new(out),
            err: Box::new(err),
            format,
            terminal,
        }
    }

    /// Prints a line.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Prints a text as it is.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Says something beside the answer, such as progress; never a failure.
    pub fn warn(&mut self, text: &str) {
        let _ = writeln!(self.err, "{text}");
    }

    /// Prints a value as JSON or YAML, or what `text` makes of it, or the names.
    pub fn value(&mut self, value: &Value, names: &[String], text: &str) -> io::Result<()> {
        match self.format {
            Format::Text => self.text(text),
            Format::Json => {
                let json = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
                self.line(&json)
            }
            Format::Yaml => {
                let yaml = serde_yaml::to_string(value).map_err(io::Error::other)?;
                self.text(&yaml)
            }
            Format::Name => names.iter().try_for_each(|name| self.line(name)),
        }
    }

    /// A text in a colour, where a person sees it.
    pub fn paint(&self, color: Color, text: &str) -> String {
        if !self.terminal {
            return text.to_owned();
        }
        let code = match color {
            Color::Green => 32,
            Color::Red => 31,
            Color::Yellow => 33,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Columns with headers, as kubectl prints them. Control characters are shown, never obeyed.
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let clean = |cell: &String| -> String {
        let shown = cell
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c });
        shown.collect()
    };
    let mut lines: Vec<Vec<String>> = vec![headers.iter().map(ToString::to_string).collect()];
    lines.extend(rows.iter().map(|row| row.iter().map(clean).collect()));
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headers.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths);
        let padded: Vec<String> = cells
            .map(|(cell, &width)| format!("{cell:width$}"))
            .collect();
        text += padded.join("   ").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up_and_obeys_no_control_characters() {
        let rows = [
            vec!["a\u{1b}[31m".to_owned(), "b".to_owned()],
            vec!["longer-than-that".to_owned(), String::new()],
        ];
        let text = table(&["NAME", "READY"], &rows);
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert_eq!(text.lines().next(), Some("NAME               READY"));
        assert!(text.lines().all(|line| line == line.trim_end()));
    }

    #[test]
    fn colour_is_for_people_only() {
        let paint = |terminal| {
            let output = Output::new(io::sink(), io::sink(), Format::Text, terminal);
            output.paint(Color::Red, "False")
        };
        assert_eq!(paint(false), "False");
        assert_ne!(paint(true), "False");
    }
}
