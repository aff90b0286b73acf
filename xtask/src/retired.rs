//! Words that have a successor: names of types, functions and constants, and phrases of comments, messages and documents.

use crate::code::{Code, Part};
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
const PHRASES: [(&str, &str); 5] = [
    ("a pass", "reconcile"),
    ("trouble", "error"),
    ("is gone", "was deleted"),
    ("of before", "previous"),
    ("so many", "how many"),
];

/// Files that quote the retired words.
const QUOTES: [&str; 3] = [
    "xtask/src/retired.rs",
    "xtask/known/retired-names.txt",
    "xtask/known/retired-phrases.txt",
];

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
        let code =
            Code::parse(&text, Part::Everything).unwrap_or_else(|error| panic!("{path}: {error}"));
        count_names(&code, &mut findings);
    }
    findings
}

fn count_names(code: &Code, findings: &mut Findings) {
    let keywords = ["struct", "enum", "trait", "union", "fn", "const"];
    // `Deref` has a type of this name.
    let types = code.declared(&["type"]).filter(|name| *name != "Target");
    for name in code.declared(&keywords).chain(types) {
        if let Some((retired, instead)) = NAMES.iter().find(|(retired, _)| *retired == name) {
            *findings
                .entry(format!("{retired}: say {instead}"))
                .or_default() += 1;
        }
    }
}

/// How often each retired phrase occurs in comments, messages and documents.
pub fn phrases() -> Findings {
    let folders = [
        "src", "xtask", "tests", "benches", "examples", "docs", "charts", "crds", "deploy",
    ];
    let documents = ["README.md", "ARCHITECTURE.md", "cluster/README.md"];
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
    for file in files
        .iter()
        .filter(|file| !QUOTES.contains(&file.path.as_str()))
    {
        let text = words(&file.text);
        for (phrase, instead) in PHRASES {
            let occurrences = text.matches(&format!(" {phrase} ")).count();
            if occurrences > 0 {
                *findings
                    .entry(format!("\"{phrase}\": say {instead}"))
                    .or_default() += occurrences;
            }
        }
    }
    findings
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
        count_names(&Code::parse(text, Part::Everything).unwrap(), &mut found);
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
            file("/// A pass, and the client is\n    /// gone.\n"),
            file("a password; TroubleShooting; say(\"trouble\")"),
        ];
        let found: Vec<String> = count_phrases(&files).into_keys().collect();
        assert_eq!(
            found,
            [
                "\"a pass\": say reconcile",
                "\"is gone\": say was deleted",
                "\"trouble\": say error"
            ]
        );
    }
}
