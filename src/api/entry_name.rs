//! Which names the entries of a credentials Secret may have: rules for the API server, and the same for `register`.

/// The longest name of an entry that a manifest chooses.
pub const MAX_LEN: usize = 63;

/// What the names begin with by which a program is made to behave differently.
const DANGEROUS_PREFIXES: [&str; 6] = ["LD_", "DYLD_", "KUBERNETES_", "GIT_", "MALLOC_", "GLIBC_"];

/// Names that change how a program starts when the Secret is used with `envFrom`.
const DANGEROUS: [&str; 28] = [
    "PATH",
    "HOME",
    "SHELL",
    "IFS",
    "ENV",
    "BASH_ENV",
    "NODE_OPTIONS",
    "NODE_PATH",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "PERL5LIB",
    "PERL5OPT",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "RUBYOPT",
    "RUBYLIB",
    "GOTRACEBACK",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CLASSPATH",
    "PROMPT_COMMAND",
    "PS4",
];

/// Names of files that others write.
const TLS_FILES: [&str; 3] = ["tls.key", "tls.crt", "ca.crt"];

const FORM_MESSAGE: &str =
    "must begin with a letter and consist of letters, digits, '_', '-' and '.'";
const DANGEROUS_MESSAGE: &str =
    "would change how a program starts when the Secret is used with envFrom; choose another name";
const TLS_MESSAGE: &str = "is the name of a TLS file; choose another name";

/// The rules in CEL about the name that the expression says, each with its sentence.
pub fn rules(name: &str) -> [(String, &'static str); 3] {
    let list = |names: &[&str]| format!("['{}']", names.join("', '"));
    let prefixes = DANGEROUS_PREFIXES.join("|");
    let (dangerous, files) = (list(&DANGEROUS), list(&TLS_FILES));
    [
        (
            format!("{name}.matches('^[A-Za-z][-_.A-Za-z0-9]*$')"),
            FORM_MESSAGE,
        ),
        (
            format!("!{name}.matches('^({prefixes})') && !({name}.upperAscii() in {dangerous})"),
            DANGEROUS_MESSAGE,
        ),
        (format!("!({name} in {files})"), TLS_MESSAGE),
    ]
}

/// Checks the name of an entry; the error completes the sentence "the entry …".
pub fn check(name: &str) -> Result<(), &'static str> {
    let formed = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !formed || name.len() > MAX_LEN {
        return Err(FORM_MESSAGE);
    }
    let begins = DANGEROUS_PREFIXES
        .iter()
        .any(|prefix| name.starts_with(prefix));
    if begins || DANGEROUS.contains(&name.to_ascii_uppercase().as_str()) {
        return Err(DANGEROUS_MESSAGE);
    }
    if TLS_FILES.contains(&name) {
        return Err(TLS_MESSAGE);
    }
    Ok(())
}
