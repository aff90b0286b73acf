//! Recognizes password hashes of other systems, so that a hash is never taken for the plaintext: a reader of the
//! hash could sign in with it.

/// What a text looks like that is no plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A password hash.
    Hash,
    /// A line of an htpasswd or shadow file: a name, a colon, a hash.
    Line,
}

/// Names of algorithms that begin a hash in the formats of Django, Werkzeug, LDAP exports and PostgreSQL.
const ALGORITHMS: [&str; 12] = [
    "pbkdf2",
    "bcrypt",
    "argon2",
    "scrypt",
    "yescrypt",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "scram-sha",
    "crypt",
    "unsalted",
];

/// The form of a text that looks like a hash; `None` if it can be a plaintext. The hashes that
/// [`crate::user::password`] verifies have the form of a hash, too.
pub fn recognize(text: &str) -> Option<Form> {
    if is_marked(text) || is_named(text) || is_mysql(text) {
        return Some(Form::Hash);
    }
    let (_, value) = text.split_once(':')?;
    is_marked(value).then_some(Form::Line)
}

/// `$id$…` (modular crypt and PHC), and `{SCHEME}…` (RFC 2307, Dovecot, Spring).
fn is_marked(text: &str) -> bool {
    let name = |name: &str, more: &[u8]| {
        let inside = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b) || more.contains(&b);
        (1..=32).contains(&name.len()) && name.bytes().all(inside)
    };
    let between = |open: char, close: char| text.strip_prefix(open)?.split_once(close);
    let crypt = between('$', '$').is_some_and(|(id, rest)| name(id, b",=") && !rest.is_empty());
    let phpass = ["$P$", "$H$", "$S$"].iter().any(|id| text.starts_with(id));
    let scheme = between('{', '}');
    crypt || phpass || scheme.is_some_and(|(id, rest)| name(id, b", ") && !rest.is_empty())
}

/// `pbkdf2_sha256$260000$salt$hash`, `scrypt:32768:8:1$salt$hash`, `SCRAM-SHA-256$4096:…`.
fn is_named(text: &str) -> bool {
    let Some((name, rest)) = text.split_once('$') else {
        return false;
    };
    let name = name.to_ascii_lowercase();
    let known = ALGORITHMS
        .iter()
        .any(|algorithm| name.starts_with(algorithm));
    let inside = |b: u8| b.is_ascii_alphanumeric() || b"-_:".contains(&b);
    known && name.bytes().all(inside) && !rest.is_empty()
}

/// `*` and 40 hexadecimal digits.
fn is_mysql(text: &str) -> bool {
    let digits = text.strip_prefix('*').unwrap_or_default();
    digits.len() == 40 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n01_hashes_of_other_systems_are_recognized() {
        for hash in [
            "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
            "$5$rounds=5000$saltstring$Bq0U",
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1",
            "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
            "$apr1$salt$xxxxxxxxxxxxxxxxxxxxxx",
            "$2b$12$short",
            "$2x$05$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
            "$argon2i$v=19$m=19456,t=2,p=1$AQEB$xh3c",
            "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD",
            "$pbkdf2-sha512$25000$salt$hash",
            "$pbkdf2$12000$salt$hash",
            "$P$B12345678abcdefghijklmnopqrstuv",
            "{SSHA}Jfkj0Kn9HQyFAI4vK8SqSg==",
            "{PBKDF2-SHA256}10000$salt$hash",
            "{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG",
            "{x-issha, 1024}abcd",
            "{noop}password",
            "pbkdf2_sha256$260000$salt$6Qp+dPjXFm4hW2kzY9vO3nB1Y0c=",
            "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$aGFzaA",
            "bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuu",
            "sha1$salt$hash",
            "pbkdf2:sha256:600000$salt$0123abcd",
            "scrypt:32768:8:1$salt$0123abcd",
            "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy",
            "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19",
        ] {
            assert_eq!(recognize(hash), Some(Form::Hash), "{hash}");
        }
        for line in [
            "alice:$2y$05$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
            "alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
            "alice:$apr1$salt$hash",
            "root:$6$salt$hash:19000:0:99999:7:::",
        ] {
            assert_eq!(recognize(line), Some(Form::Line), "{line}");
        }
    }

    #[test]
    fn n01_passwords_that_people_choose_are_not() {
        for password in [
            "correct horse battery staple",
            "$ecret-words-of-alice",
            "pa$$word with dollars",
            "costs $5 or $6",
            "$$$ money $$$",
            "{braces} at the start?",
            "a:b:c",
            "mailto:alice@example.com",
            "sha1 is broken",
            "0123456789abcdef0123456789abcdef",
            "*starred*",
            "",
            "$",
            "{}",
        ] {
            let braces = password.starts_with("{braces}");
            assert_eq!(recognize(password).is_some(), braces, "{password}");
        }
    }
}
