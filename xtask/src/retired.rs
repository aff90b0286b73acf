//! Words that have a successor: names of types, functions and constants, and phrases of comments, messages and documents.

use std::ffi::OsStr;
use std::path::Path;

use crate::code::{self, Token, declared};
use crate::known::Findings;
use crate::project::Project;
use crate::source::{self, Source};

/// Names that must not be declared, with what to say instead.
const NAMES: [(&str, &str); 63] = [
    ("Shared", "Context and its parts"),
    ("World", "RegistryBuilder"),
    ("Observation", "WatchEvent"),
    ("Listed", "ObjectStore"),
    ("Brake", "RelistGuard"),
    ("Doubt", "RelistCheck"),
    ("Confirmation", "VerificationList"),
    ("Facts", "SecretDigest"),
    ("Digests", "DigestKey"),
    ("Desired", "DesiredSecret"),
    ("Ours", "ManagedFields"),
    ("OURS", "a constant named after ManagedFields"),
    ("PROOF", "PROOF_ANNOTATION"),
    ("Happening", "EventReason"),
    ("Turn", "RotationStep"),
    ("Turns", "FairQueue"),
    ("Share", "WorkerShare"),
    ("Spacing", "WriteThrottle"),
    ("Pace", "RotationThrottle"),
    ("Lead", "Leader"),
    ("while_ours", "while_leader"),
    ("Candidate", "LeaderElector"),
    ("TENURE", "RENEW_DEADLINE"),
    ("Agreement", "Rollout"),
    ("Reached", "RolloutStatus"),
    ("Talk", "RolloutExchange"),
    ("Hear", "Heartbeat"),
    ("Tell", "ReportServed"),
    ("ByAll", "ServedByAll"),
    ("enroll", "validate_user"),
    ("Surroundings", "ClientInputs, UserInputs"),
    ("brought", "external_secret"),
    ("bring", "external_secret"),
    ("secretless", "auth_methods"),
    ("Claim", "NameReservation"),
    ("Person", "User"),
    ("People", "Users"),
    ("Standing", "GrantValidity"),
    ("Fallen", "InvalidGrant"),
    ("Stands", "StillValid"),
    ("Target", "ResourceGrant"),
    ("Named", "AuditSubject"),
    ("Visit", "BrowserRequest"),
    ("Stop", "ErrorPage"),
    ("Progress", "PendingAuthorization"),
    ("Trouble", "ErrorView"),
    ("Frame", "PageChrome"),
    ("said", "error_chain"),
    ("Logins", "PasswordAuthenticator"),
    ("Inactive", "IntrospectionThrottle"),
    ("Reviews", "TokenReviewCache"),
    ("Lasting", "Supervisor"),
    ("Act", "AuditEvent"),
    ("Line", "AuditRecord; in tests FaultProxy"),
    ("slim", "prune_metadata"),
    ("cut", "prune_metadata"),
    ("observe", "watch"),
    ("Space", "TestNamespace"),
    ("Ground", "FaultCluster"),
    ("Scene", "Run"),
    ("Witness", "ObjectHistory"),
    ("Mask", "a normalized snapshot"),
    ("Regime", "exhaustive runs"),
];

/// Phrases that must not occur in texts, with what to say instead.
const PHRASES: [(&str, &str); 15] = [
    ("a pass", "reconcile"),
    ("trouble", "error"),
    ("is gone", "was deleted"),
    ("of before", "previous"),
    ("so many", "how many"),
    ("nobody", "who does not: no client, no person"),
    (
        "somebody",
        "who: a person, another client, an administrator",
    ),
    ("whoever", "who: a user who may write it"),
    ("anew", "again"),
    ("belongs into", "must be in"),
    ("belong into", "must be in"),
    ("is no url", "is not a URL"),
    ("is no uri", "is not a URI"),
    ("for so long", "for this time"),
    ("is looked at", "is read, is validated"),
];

/// Files that quote the retired words, and files of other programs.
const QUOTES: [&str; 5] = [
    "xtask/src/retired.rs",
    "xtask/known/retired-names.txt",
    "xtask/known/retired-phrases.txt",
    "tests/golden/",
    "tests/releases/",
];

/// The style guide, which quotes what it advises against in straight double quotes.
const STYLE_GUIDE: &str = "CONTRIBUTING.md";

/// How often each retired name is declared, in production code and in tests.
pub fn names(project: &Project) -> Findings {
    let tests = source::files("tests", &["rs"])
        .into_iter()
        .chain(source::files("benches", &["rs"]));
    let tests = tests.map(|file| (file.path, file.text));
    let ours = project
        .files
        .iter()
        .map(|(path, text)| (path.clone(), text.clone()));
    let mut findings = Findings::new();
    for (path, text) in ours.chain(tests) {
        let tokens = code::tokens(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        count_names(&tokens, &mut findings);
    }
    findings
}

fn count_names(tokens: &[Token], findings: &mut Findings) {
    let keywords = ["struct", "enum", "trait", "union", "fn", "const"];
    // `Deref` has a type of this name.
    let types = declared(tokens, &["type"]).filter(|name| *name != "Target");
    for name in declared(tokens, &keywords).chain(types) {
        if let Some((retired, instead)) = NAMES.iter().find(|(retired, _)| *retired == name) {
            *findings
                .entry(format!("{retired}: say {instead}"))
                .or_default() += 1;
        }
    }
}

/// How often each retired phrase occurs in comments, messages and documents. Migrations are not read: the text of one
/// that was released does not change.
pub fn phrases() -> Findings {
    let folders = [
        "src", "xtask", "tests", "benches", "examples", "docs", "charts", "crds", "deploy", "fuzz",
    ];
    let documents = [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "cluster/README.md",
    ];
    let endings = ["rs", "md", "yaml", "tpl", "html", "txt", "sh"];
    let paths = folders.into_iter().chain(documents);
    count_phrases(
        &paths
            .flat_map(|path| source::files(path, &endings))
            .collect::<Vec<_>>(),
    )
}

fn count_phrases(files: &[Source]) -> Findings {
    let mut findings = Findings::new();
    let quotes = |path: &str| QUOTES.iter().any(|quote| path.starts_with(quote));
    for file in files.iter().filter(|file| !quotes(&file.path)) {
        let text = words(&text_of(file));
        for (phrase, instead) in PHRASES {
            let occurrences = text.matches(&format!(" {phrase} ")).count();
            if occurrences > 0 {
                let finding = format!("\"{phrase}\" in {}: say {instead}", file.path);
                findings.insert(finding, occurrences);
            }
        }
    }
    findings
}

/// What people read of a file: of Rust the comments and the literals with a space in them.
fn text_of(file: &Source) -> String {
    if file.path == STYLE_GUIDE {
        return file.text.split('"').step_by(2).collect();
    }
    let is_rust = Path::new(&file.path).extension() == Some(OsStr::new("rs"));
    if !is_rust {
        return file.text.clone();
    }
    let comments = file.text.lines().filter_map(|line| {
        let comment = line
            .split_once("//")
            .filter(|(code, _)| !code.contains('"'));
        comment.map(|(_, comment)| comment.to_owned())
    });
    let tokens = code::tokens(&file.text);
    let tokens = tokens.unwrap_or_else(|error| panic!("{}: {error}", file.path));
    let literals = tokens.iter().filter_map(|token| token.literal.as_deref());
    let literals = literals.filter(|text| text.contains(' '));
    // A phrase does not begin in one text and end in the next.
    let literals = literals.map(|text| format!("\n_ {text} _"));
    comments.chain(literals).collect::<Vec<_>>().join("\n")
}

/// The words of a text in lower case, in one line.
fn words(text: &str) -> String {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let words = words.filter(|word| !word.is_empty());
    format!(" {} ", words.collect::<Vec<_>>().join(" ").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::judge;
    use crate::source::none;
    use crate::testing::here;

    #[test]
    fn retired_names_are_not_declared_again() {
        none(
            &judge("retired-names", &names(here())),
            "a retired name is declared",
        );
    }

    #[test]
    fn retired_phrases_are_not_written_again() {
        none(
            &judge("retired-phrases", &phrases()),
            "a retired phrase is written",
        );
    }

    #[test]
    fn a_planted_retired_name_is_found() {
        let text = "#[cfg(test)]\nmod tests;\npub struct World;\nstruct WorldMap(World);\nfn said(x: Visit) {}\n\
            #[cfg(test)]\nmod more { enum Act { Line } }\nmacro_rules! m { () => { type Pace = u8; } }";
        let mut found = Findings::new();
        count_names(&code::tokens(text).unwrap(), &mut found);
        let names: Vec<&str> = found
            .keys()
            .filter_map(|name| name.split(':').next())
            .collect();
        assert_eq!(names, ["Act", "Pace", "World", "said"]);
    }

    #[test]
    fn a_planted_retired_phrase_is_found() {
        let file = |text: &str| Source {
            path: "src/a.rs".to_owned(),
            text: text.to_owned(),
        };
        let files = [
            file("/// A pass, and the client is\n    /// gone.\nstruct A;\n"),
            file("fn nobody() { pass(\"nobody\"); say(\"no trouble\") } // TroubleShooting\n"),
        ];
        let found: Vec<String> = files
            .iter()
            .flat_map(|file| count_phrases(std::slice::from_ref(file)).into_keys())
            .collect();
        assert_eq!(
            found,
            [
                "\"a pass\" in src/a.rs: say reconcile",
                "\"is gone\" in src/a.rs: say was deleted",
                "\"trouble\" in src/a.rs: say error"
            ]
        );
    }

    #[test]
    fn the_style_guide_may_quote_what_it_advises_against() {
        let guide = |text: &str| Source {
            path: STYLE_GUIDE.to_owned(),
            text: text.to_owned(),
        };
        assert!(count_phrases(&[guide("not \"anew\", \"nobody\"")]).is_empty());
        assert_eq!(count_phrases(&[guide("\"not\" anew")]).len(), 1);
    }
}
