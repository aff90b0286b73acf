//! The standard claims about a person (OIDC Core section 5.1) that an OAuthUser lists in `claims`: each with its type,
//! as a schema for the API server and as a check for the operator.

use serde_json::{Value, json};

/// The longest text of a claim, in characters.
const MAX_TEXT: usize = 512;
/// The longest name of a time zone, locale or phone number, in characters.
const MAX_NAME: usize = 64;
/// The last second of the year 9999.
const MAX_TIME: f64 = 253_402_300_799.0;
/// The members of the claim `address` (OIDC Core section 5.1.1).
const ADDRESS: [(&str, &str); 6] = [
    ("country", "Country name."),
    (
        "formatted",
        "Full mailing address, formatted for display or a mailing label.",
    ),
    ("locality", "City or locality."),
    ("postal_code", "Zip code or postal code."),
    ("region", "State, province, prefecture or region."),
    (
        "street_address",
        "Full street address, which may include house number, street name and post office box.",
    ),
];

/// The rule for the API server, the longest value, and the same as a function.
type TextRule = (&'static str, usize, fn(&str) -> bool);

/// The type of a standard claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Url,
    Date,
    Zone,
    Locale,
    Phone,
    Boolean,
    Time,
    Address,
}

/// Every standard claim that has no field of its own in an OAuthUser.
const CLAIMS: [(&str, Kind); 15] = [
    ("address", Kind::Address),
    ("birthdate", Kind::Date),
    ("family_name", Kind::Text),
    ("gender", Kind::Text),
    ("given_name", Kind::Text),
    ("locale", Kind::Locale),
    ("middle_name", Kind::Text),
    ("nickname", Kind::Text),
    ("phone_number", Kind::Phone),
    ("phone_number_verified", Kind::Boolean),
    ("picture", Kind::Url),
    ("profile", Kind::Url),
    ("updated_at", Kind::Time),
    ("website", Kind::Url),
    ("zoneinfo", Kind::Zone),
];

impl Kind {
    /// What a value must be; completes "the claim …".
    fn message(self) -> &'static str {
        match self {
            Self::Text => "must be a text of 1 to 512 characters without control characters",
            Self::Url => {
                "must be a URL of at most 512 characters, such as https://example.com/alice"
            }
            Self::Date => {
                "must be a date as YYYY-MM-DD, with the year 0000 if it is unknown, or a year as YYYY"
            }
            Self::Zone => "must be the name of a time zone, such as Europe/Paris",
            Self::Locale => "must be a language tag, such as en-US",
            Self::Phone => "must be a telephone number, such as +1 604 555 1234;ext=5678",
            Self::Boolean => "must be true or false",
            Self::Time => "must be a number: the seconds since 1970-01-01T00:00:00Z",
            Self::Address => {
                "must be an object whose members country, formatted, locality, postal_code, region and street_address are texts of at most 512 characters"
            }
        }
    }

    /// The rule for the API server, the longest value, and the same as a function.
    fn text(self) -> Option<TextRule> {
        Some(match self {
            Self::Text => (r"!self.matches('[\\p{Cc}]')", MAX_TEXT, is_text),
            Self::Url => ("self.matches('^https?://[!-~]+$')", MAX_TEXT, is_url),
            Self::Date => (
                "self.matches('^[0-9]{4}(-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?$')",
                10,
                is_date,
            ),
            Self::Zone => (
                "self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$')",
                MAX_NAME,
                is_zone,
            ),
            Self::Locale => (
                "self.matches('^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$')",
                MAX_NAME,
                is_locale,
            ),
            Self::Phone => (
                "self.matches('^[+0-9(][-0-9 ().;=/A-Za-z]*$')",
                MAX_NAME,
                is_phone,
            ),
            Self::Boolean | Self::Time | Self::Address => return None,
        })
    }

    fn schema(self) -> Value {
        if let Some((rule, longest, _)) = self.text() {
            let rules = [json!({ "rule": rule, "message": self.message() })];
            return json!({
                "type": "string", "minLength": 1, "maxLength": longest, "x-kubernetes-validations": rules,
            });
        }
        match self {
            Self::Boolean => json!({ "type": "boolean" }),
            Self::Time => json!({ "type": "number", "minimum": 0, "maximum": 253_402_300_799_u64 }),
            _ => {
                let members = ADDRESS.map(|(name, description)| {
                    let member = json!({ "type": "string", "maxLength": MAX_TEXT, "description": description });
                    (name.to_owned(), member)
                });
                let members: serde_json::Map<String, Value> = members.into_iter().collect();
                json!({
                    "type": "object", "properties": members, "x-kubernetes-preserve-unknown-fields": true,
                })
            }
        }
    }

    fn admits(self, value: &Value) -> bool {
        if let Some((_, longest, is_formed)) = self.text() {
            let fits = |text: &str| (1..=longest).contains(&text.chars().count());
            return value
                .as_str()
                .is_some_and(|text| fits(text) && is_formed(text));
        }
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Time => value
                .as_f64()
                .is_some_and(|time| (0.0..=MAX_TIME).contains(&time)),
            _ => value.as_object().is_some_and(|address| {
                let members = ADDRESS.iter().filter_map(|(name, _)| address.get(*name));
                let text = |text: &str| text.chars().count() <= MAX_TEXT;
                members
                    .into_iter()
                    .all(|member| member.as_str().is_some_and(text))
            }),
        }
    }
}

/// The schema of each claim by name.
pub fn schemas() -> impl Iterator<Item = (String, Value)> {
    CLAIMS.iter().map(|(name, kind)| {
        let mut schema = kind.schema();
        schema["description"] = format!("OIDC Core section 5.1: {}.", kind.message()).into();
        ((*name).to_owned(), schema)
    })
}

/// Checks a claim; the error completes "the claim …". What is no standard claim may be anything.
pub fn check(name: &str, value: &Value) -> Result<(), &'static str> {
    let standard = CLAIMS.iter().find(|(claim, _)| *claim == name);
    match standard {
        Some((_, kind)) if !kind.admits(value) => Err(kind.message()),
        _ => Ok(()),
    }
}

fn is_text(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn is_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
}

fn is_date(text: &str) -> bool {
    let number = |text: &str, length| {
        let digits = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let mut parts = text.splitn(3, '-');
    let year = parts.next().and_then(|year| number(year, 4));
    match (year, parts.next(), parts.next()) {
        (Some(_), None, None) => true,
        (Some(_), Some(month), Some(day)) => {
            number(month, 2).is_some_and(|month| (1..=12).contains(&month))
                && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
        }
        _ => false,
    }
}

fn is_zone(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || b"_+-".contains(&b);
    let mut parts = text.split('/');
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && parts.all(|part| !part.is_empty() && part.bytes().all(inside))
}

fn is_locale(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    let language = parts.next().unwrap_or_default();
    let formed = |part: &str| (1..=8).contains(&part.len());
    (2..=8).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| formed(part) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn is_phone(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || b" -().;=/+".contains(&b);
    let first = |first: char| first.is_ascii_digit() || "+(".contains(first);
    text.starts_with(first) && text.bytes().skip(1).all(|b| inside(b) && b != b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n02_standard_claims_have_their_types() {
        let long = "x".repeat(MAX_TEXT + 1);
        let table = [
            (
                "given_name",
                json!(["Alice", "Zoë 李", "O'Neill"]),
                json!([7, null, "", "a\u{7}", long, ["Alice"]]),
            ),
            (
                "profile",
                json!(["https://example.com/~a?b#c"]),
                json!(["javascript:alert(1)", "https://", "https://a b", 1]),
            ),
            (
                "birthdate",
                json!(["1990-12-31", "1990", "0000-02-29"]),
                json!([
                    "31.12.1990",
                    "1990-13-01",
                    "1990-1-1",
                    "1990-12",
                    1990,
                    "1990-12-32",
                    "+990"
                ]),
            ),
            (
                "zoneinfo",
                json!([
                    "Europe/Paris",
                    "UTC",
                    "Etc/GMT+1",
                    "America/Argentina/Ushuaia"
                ]),
                json!(["Europe/", "/Paris", "Europe Paris", "", 1]),
            ),
            (
                "locale",
                json!(["en-US", "de", "zh_Hant_TW"]),
                json!(["english language", "e", "en-", 1, {}]),
            ),
            (
                "phone_number",
                json!(["+1 (604) 555-1234;ext=5678", "0441234567"]),
                json!(["call me", 441_234_567, "", "+1+2"]),
            ),
            (
                "phone_number_verified",
                json!([true, false]),
                json!(["true", 1, null]),
            ),
            (
                "updated_at",
                json!([0, 1_700_000_000, 1.5]),
                json!(["2024-01-01", -1, 1e300, true]),
            ),
            (
                "address",
                json!([{}, { "country": "CH", "formatted": "a\r\nb", "x": 1 }]),
                json!(["CH", [], { "country": 7 }, { "formatted": long }]),
            ),
        ];
        for (name, good, bad) in table {
            for value in good.as_array().unwrap() {
                assert_eq!(check(name, value), Ok(()), "{name}: {value}");
            }
            for value in bad.as_array().unwrap() {
                assert!(check(name, value).is_err(), "{name}: {value}");
            }
        }
        assert_eq!(check("department", &json!({ "id": 7 })), Ok(()));
    }
}
