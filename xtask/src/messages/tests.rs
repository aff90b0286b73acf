use super::*;
use crate::source::none;
use crate::testing::{here, planted};

#[test]
fn every_message_is_in_its_list() {
    none(&judge(here()), "messages and their lists differ");
}

#[test]
fn every_kind_of_message_is_found() {
    let messages = all(here());
    for (kind, least) in [
        (Kind::Errors, 50),
        (Kind::Log, 30),
        (Kind::Conditions, 200),
        (Kind::Answers, 200),
        (Kind::CommandLine, 200),
        (Kind::Definitions, 200),
    ] {
        let found = messages.get(&kind).map_or(0, BTreeSet::len);
        println!("{}: {found}", kind.name());
        assert!(found >= least, "{}: {found}", kind.name());
    }
}

#[test]
fn a_planted_message_is_found_and_its_kind_is_told() {
    let source = r#"
        #[error("no key: {0}")]
        #[serde(rename = "not a message")]
        struct A;
        /// Not printed
        fn f() {
            tracing::warn!(name, "the lease was lost");
            info!("the lease was won");
            tracing::debug!("not a message");
            x.expect("not a message");
            assert!(y, "not a message");
            refuse(format!("spec.scopes[{at}]: must not be empty"));
            query("SELECT not FROM messages");
            header("no-message");
            mac("clientele client secret v1");
        }
        #[cfg(test)]
        fn g() { refuse("not a message") }
        #[derive(Debug, clap::Args)]
        struct Flags {
            /// The namespace
            /// of the operator
            #[arg(long, help_heading = "Where it is")]
            namespace: String,
        }
    "#;
    let found = of_code(&planted(&[("src/operator/lib.rs", source)]));
    let lines = |kind| -> Vec<String> {
        let list = found.get(&kind).into_iter().flatten();
        list.map(|line| line.replace("src/operator/lib.rs: ", ""))
            .collect()
    };
    assert_eq!(lines(Kind::Errors), ["no key: {0}"]);
    assert_eq!(
        lines(Kind::Log),
        ["info: the lease was won", "warn: the lease was lost"]
    );
    assert_eq!(
        lines(Kind::Conditions),
        ["spec.scopes[{at}]: must not be empty"]
    );
    assert_eq!(
        lines(Kind::CommandLine),
        ["The namespace of the operator", "Where it is"]
    );
}

#[test]
fn a_message_that_no_list_has_and_a_stale_one_are_refused() {
    let source = r#"fn f() { refuse("must not be empty") }"#;
    let messages = of_code(&planted(&[("src/oauth/lib.rs", source)]));
    let fresh = "src/oauth/lib.rs: must not be empty\n";
    assert!(compare(Kind::Answers, fresh, &messages).is_empty());
    for (list, finding) in [
        ("", "missing in"),
        ("a: b\nsrc/oauth/lib.rs: must not be empty\n", "stale in"),
    ] {
        let found = compare(Kind::Answers, list, &messages);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(finding), "{found:?}");
        assert!(found[0].ends_with(REFRESH), "{found:?}");
    }
}
