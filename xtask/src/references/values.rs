//! The values of the chart, from the comments `# --` of `values.yaml`.

use serde_yaml::Value;

use super::head;

const HEADER: &str = "| value | meaning | default |\n|---|---|---|\n";

/// The page.
pub fn page(table: &str) -> String {
    let mut page = head("Values of the chart", "`charts/clientele/values.yaml`");
    page.push_str("A misspelled value is an error: `values.schema.json` knows every name.\n\n");
    page + table
}

/// The values without their comments, as a file that templates can read: they fill in what an older chart did not know.
pub fn defaults(yaml: &str) -> String {
    let values: Value = serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{error}"));
    let values = serde_yaml::to_string(&values).unwrap_or_else(|error| panic!("{error}"));
    format!("# Generated from values.yaml by `make generate`. Do not edit.\n{values}")
}

/// The chart's README with this table.
pub fn in_readme(readme: &str, table: &str) -> String {
    let Some((before, rest)) = readme.split_once(HEADER) else {
        panic!("the README of the chart has no table of values");
    };
    let after = rest.split_once("\n\n").map(|(_, after)| after);
    let after = after.map_or(String::new(), |after| format!("\n{after}"));
    format!("{before}{table}{after}")
}

/// The table.
pub fn table(yaml: &str) -> String {
    let values: Value = serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{error}"));
    let mut table = HEADER.to_owned();
    let mut path: Vec<(usize, &str)> = Vec::new();
    let mut meaning: Option<String> = None;
    for line in yaml.lines() {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        if let Some(comment) = text.strip_prefix("# -- ") {
            meaning = Some(comment.to_owned());
        } else if let (Some(comment), Some(meaning)) = (text.strip_prefix("# "), &mut meaning) {
            meaning.push(' ');
            meaning.push_str(comment);
        } else if let Some((key, _)) = text.split_once(':').filter(|(key, _)| is_key(key)) {
            path.retain(|(above, _)| *above < depth);
            path.push((depth, key));
            if let Some(meaning) = meaning.take() {
                let keys: Vec<&str> = path.iter().map(|(_, key)| *key).collect();
                let value = keys.iter().fold(&values, |value, key| &value[*key]);
                let default = match value {
                    Value::Null => "none".to_owned(),
                    value => format!("`{}`", json(value)),
                };
                let name = keys.join(".");
                let meaning = meaning.replace('|', "\\|");
                table.push_str(&format!("| `{name}` | {meaning} | {default} |\n"));
            }
        }
    }
    table
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric())
}

fn json(value: &Value) -> String {
    let list = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("\"{text}\""),
        Value::Sequence(items) => format!("[{}]", list(items.iter().map(json).collect())),
        Value::Mapping(pairs) => {
            let pairs = pairs.iter();
            let pairs = pairs.map(|(key, value)| format!("{}: {}", json(key), json(value)));
            format!("{{{}}}", list(pairs.collect()))
        }
        Value::Tagged(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_becomes_a_row() {
        let yaml = "a:\n  # -- One.\n  # Two.\n  b: x\n# -- Three.\nc:\n  - 1\n# no row\nd: {}\n";
        let rows = "| `a.b` | One. Two. | `\"x\"` |\n| `c` | Three. | `[1]` |\n";
        assert_eq!(table(yaml), format!("{HEADER}{rows}"));
        let readme = format!("A\n\n{HEADER}| old |\n\nB\n");
        assert_eq!(in_readme(&readme, "T\n"), "A\n\nT\n\nB\n");
    }
}
