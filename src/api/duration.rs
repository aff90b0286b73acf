//! Durations as manifests write them: `90s`, `10m`, `1h30m`, `720h`.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The most digits of a number.
const MAX_DIGITS: usize = 6;

/// A duration in hours, minutes and seconds. There is no unit above the hour, because a day has not
/// always 24 of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DurationString(pub String);

impl DurationString {
    /// The duration; `None` for what the API server would have refused.
    pub fn parse(&self) -> Option<Duration> {
        self.parse_from_zero()
            .filter(|duration| !duration.is_zero())
    }

    /// The same for a field in which `0s` has a meaning.
    pub fn parse_from_zero(&self) -> Option<Duration> {
        let mut rest = (!self.0.is_empty()).then_some(&*self.0)?;
        let mut seconds: u64 = 0;
        // Each unit once, the greatest first.
        for (unit, length) in [('h', 3600), ('m', 60), ('s', 1)] {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let Some(after) = rest[digits..].strip_prefix(unit) else {
                continue;
            };
            let count = Some(&rest[..digits]).filter(|number| number.len() <= MAX_DIGITS)?;
            seconds += count.parse::<u64>().ok()? * length;
            rest = after;
        }
        rest.is_empty().then(|| Duration::from_secs(seconds))
    }
}

impl JsonSchema for DurationString {
    fn schema_name() -> Cow<'static, str> {
        "DurationString".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 16 })
    }
}

/// The schema of a duration of a whole number of seconds between `min` and `max`.
pub fn between(min: &str, max: &str) -> Schema {
    const FORM: &str = "^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$";
    let formed = format!("size(self) > 0 && self.matches('{FORM}')");
    json_schema!({
        "type": "string",
        "maxLength": 16,
        "x-kubernetes-validations": [
            {
                "rule": formed,
                "message": "must be a duration in h, m and s, such as 10m or 1h30m; use h, m, s; 30 days is 720h",
            },
            {
                // The guard keeps duration() from failing on what the first rule has refused.
                "rule": format!("!({formed}) || (duration(self) >= duration('{min}') && duration(self) <= duration('{max}'))"),
                "message": format!("must be at least {min} and at most {max}"),
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_add_up() {
        let parsed = |text: &str| DurationString(text.into()).parse().map(|d| d.as_secs());
        assert_eq!(parsed("10m"), Some(600));
        assert_eq!(parsed("1h30m5s"), Some(5405));
        assert_eq!(parsed("720h"), Some(2_592_000));
        for bad in [
            "",
            "0s",
            "30d",
            "-1s",
            "10",
            "m",
            "1.5h",
            "99999999999999999999h",
            "0000001h",
            "1m1h",
            "1s1m",
            "1h1h",
            "h1m",
            "1h 1m",
        ] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
        let zero = DurationString("0s".into()).parse_from_zero();
        assert_eq!(zero, Some(Duration::ZERO));
        assert_eq!(DurationString(String::new()).parse_from_zero(), None);
    }
}
