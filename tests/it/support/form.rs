//! The forms of a page, as a browser finds them: enough HTML for pages of ours.

use std::collections::BTreeMap;

/// A form.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Where it is posted to.
    pub action: String,
    /// Its hidden fields.
    pub hidden: BTreeMap<String, String>,
    /// Its other fields, with what stands in them.
    pub fields: BTreeMap<String, String>,
    /// Its buttons that say something: name and value.
    pub buttons: Vec<(String, String)>,
}

impl Form {
    /// What is sent when these fields are filled in; a button is a field, too.
    pub fn filled(&self, fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mut sent = self.fields.clone();
        sent.extend(self.hidden.clone());
        sent.extend(fields.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())));
        sent
    }
}

/// Every form of a page.
pub fn forms(html: &str) -> Vec<Form> {
    let mut found = Vec::new();
    for (name, attributes) in tags(html) {
        if name == "form" {
            assert_eq!(attributes["method"], "post");
            found.push(Form {
                action: attributes["action"].clone(),
                ..Form::default()
            });
        }
        let Some(form) = found.last_mut() else {
            continue;
        };
        let attribute = |name: &str| attributes.get(name).cloned().unwrap_or_default();
        let field = (attribute("name"), attribute("value"));
        match (name.as_str(), attribute("type").as_str()) {
            ("input", "hidden") => drop(form.hidden.insert(field.0, field.1)),
            ("input", _) => drop(form.fields.insert(field.0, field.1)),
            ("button", _) if !field.0.is_empty() => form.buttons.push(field),
            _ => {}
        }
    }
    found
}

/// The opening tags with their attributes.
fn tags(html: &str) -> impl Iterator<Item = (String, BTreeMap<String, String>)> {
    html.split('<').skip(1).filter_map(|rest| {
        let end = end_of_tag(rest)?;
        let tag = &rest[..end];
        let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        let opening = name.starts_with(|c: char| c.is_ascii_alphabetic());
        opening.then(|| (name.to_owned(), read_attributes(attributes)))
    })
}

/// The `>` that stands in no quotes.
fn end_of_tag(rest: &str) -> Option<usize> {
    let mut quoted = false;
    rest.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == '>' && !quoted).then_some(at)
    })
}

fn read_attributes(mut text: &str) -> BTreeMap<String, String> {
    let mut read = BTreeMap::new();
    loop {
        text = text.trim_start();
        let end = text.find(|c: char| c == '=' || c.is_whitespace());
        let name = &text[..end.unwrap_or(text.len())];
        if name.is_empty() {
            return read;
        }
        text = &text[name.len()..];
        let mut value = "";
        if let Some(rest) = text.strip_prefix("=\"") {
            let end = rest.find('"').unwrap();
            value = &rest[..end];
            text = &rest[end + 1..];
        }
        read.insert(name.to_owned(), unescaped(value));
    }
}

/// The text that escaped text stands for.
pub fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, after) = after.split_once(';').unwrap();
        let number = entity
            .strip_prefix('#')
            .and_then(|number| number.parse().ok());
        plain.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            _ => char::from_u32(number.unwrap()).unwrap(),
        });
        rest = after;
    }
    plain + rest
}

#[test]
fn forms_are_found_with_what_they_send() {
    let html = r#"<p>x > y</p><form method="post" action="/a?b&#38;c"><input type="hidden" name="t" value="&#34;&#62;"><input id="1" name="u" value="" required>
        <button name="d" value="1">x</button></form><form method="post" action="/z"><button>y</button></form>"#;
    let all = forms(html);
    assert_eq!(all.len(), 2);
    assert_eq!(
        (all[0].action.as_str(), all[1].action.as_str()),
        ("/a?b&c", "/z")
    );
    assert_eq!(all[0].hidden["t"], "\">");
    assert_eq!(all[0].fields["u"], "");
    assert_eq!(all[0].buttons, [("d".to_owned(), "1".to_owned())]);
}
