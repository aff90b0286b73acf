//! `secret`: the entries of the credentials Secret.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::credentials::{Credentials, MASK};
use crate::args::SecretArgs;
use crate::connect::Session;
use crate::failure::{Answer, Failure, Outcome};
use crate::output::{Output, table};

/// Prints the entries, or one of them.
pub async fn run(session: &Session, args: &SecretArgs, output: &mut Output<'_>) -> Answer {
    let credentials = Credentials::read(session, &args.name).await?;
    print(&credentials, args, output)
}

fn print(credentials: &Credentials, args: &SecretArgs, output: &mut Output<'_>) -> Answer {
    let masked = output.terminal && !args.show;
    if let Some(key) = &args.key {
        let Some(value) = credentials.entries.get(key) else {
            let known: Vec<&str> = credentials.entries.keys().map(String::as_str).collect();
            return Err(Failure::new(format!(
                "Secret {} has no entry {key:?}; it has: {}",
                credentials.secret_name,
                known.join(", ")
            )));
        };
        if masked && !credentials.is_public(value) {
            output.warn("masked on a terminal; add --show, or pipe it to where it is needed");
            output.line(MASK)?;
        } else if output.terminal {
            output.line(value)?;
        } else {
            output.text(value)?;
        }
        return Ok(Outcome::Yes);
    }
    let shown: BTreeMap<&str, &str> = credentials
        .entries
        .iter()
        .map(|(name, value)| {
            let value = if masked && !credentials.is_public(value) {
                MASK
            } else {
                value.as_str()
            };
            (name.as_str(), value)
        })
        .collect();
    let rows: Vec<Vec<String>> = shown
        .iter()
        .map(|(name, value)| vec![(*name).to_owned(), (*value).to_owned()])
        .collect();
    let mut lines = format!("Secret {}\n", credentials.secret_name);
    lines += &table(&["ENTRY", "VALUE"], &rows);
    let names: Vec<String> = shown.keys().map(ToString::to_string).collect();
    let value: Value = json!({ "secretName": credentials.secret_name, "entries": shown });
    output.value(&value, &names, &lines)?;
    if masked {
        output.warn("masked on a terminal; add --show, or --key ENTRY into a pipe");
    }
    Ok(Outcome::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Format;

    fn printed(terminal: bool, show: bool, key: Option<&str>, format: Format) -> String {
        let mut bytes = Vec::new();
        let credentials = Credentials {
            object: json!({ "status": { "clientId": "apps.web" } }),
            secret_name: "web-oauth".to_owned(),
            entries: [("CLIENT_ID", "apps.web"), ("CLIENT_SECRET", "clt_canary")]
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .into(),
        };
        let args = SecretArgs {
            name: "web".to_owned(),
            key: key.map(str::to_owned),
            show,
        };
        let mut output = Output::new(&mut bytes, std::io::sink(), format, terminal);
        print(&credentials, &args, &mut output).unwrap();
        drop(output);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn secrets_are_masked_on_a_terminal_and_nowhere_else() {
        for format in [Format::Text, Format::Json, Format::Yaml] {
            assert!(!printed(true, false, None, format).contains("canary"));
            assert!(printed(true, true, None, format).contains("clt_canary"));
            assert!(printed(false, false, None, format).contains("clt_canary"));
            assert!(printed(true, false, None, format).contains("apps.web"));
        }
        assert_eq!(
            printed(false, false, Some("CLIENT_SECRET"), Format::Text),
            "clt_canary"
        );
        assert!(!printed(true, false, Some("CLIENT_SECRET"), Format::Text).contains("canary"));
        assert_eq!(
            printed(true, false, Some("CLIENT_ID"), Format::Text),
            "apps.web\n"
        );
    }
}
