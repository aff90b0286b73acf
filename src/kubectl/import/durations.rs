//! Durations of other programs → those of manifests: h, m and s.

/// `1h30m`, `90s`, `720h`, `500ms` as Go writes them → whole seconds; `None` for what is none, or is less than a second.
pub fn go(text: &str) -> Option<u64> {
    let mut seconds = 0.0_f64;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit_end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let factor = match &rest[..unit_end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            "us" | "µs" => 0.000_001,
            "ns" => 0.000_000_001,
            _ => return None,
        };
        seconds += number * factor;
        rest = &rest[unit_end..];
    }
    whole(seconds)
}

/// `hours=1;minutes=5` as authentik writes them → whole seconds.
pub fn authentik(text: &str) -> Option<u64> {
    let mut seconds = 0.0;
    for part in text
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let (unit, number) = part.split_once('=')?;
        let number: f64 = number.trim().parse().ok()?;
        seconds += number
            * match unit.trim() {
                "weeks" => 604_800.0,
                "days" => 86_400.0,
                "hours" => 3600.0,
                "minutes" => 60.0,
                "seconds" => 1.0,
                "milliseconds" => 0.001,
                "microseconds" => 0.000_001,
                _ => return None,
            };
    }
    whole(seconds)
}

fn whole(seconds: f64) -> Option<u64> {
    let bounds = 1.0..=1e9;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the bounds"
    )]
    bounds.contains(&seconds).then_some(seconds as u64)
}

/// Seconds as manifests write them.
pub fn written(seconds: u64) -> String {
    match seconds {
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_others_are_read() {
        for (text, expected) in [
            ("1h30m", Some(5400)),
            ("90s", Some(90)),
            ("720h", Some(2_592_000)),
            ("1.5h", Some(5400)),
            ("500ms", None),
            ("", None),
            ("10", None),
            ("10d", None),
            ("-1h", None),
        ] {
            assert_eq!(go(text), expected, "{text}");
        }
        assert_eq!(authentik("hours=1;minutes=5"), Some(3900));
        assert_eq!(authentik("days=30"), Some(2_592_000));
        assert_eq!(authentik("fortnights=1"), None);
    }

    #[test]
    fn what_is_written_is_read_by_the_definition() {
        for (seconds, text) in [(300, "5m"), (3600, "1h"), (61, "61s"), (2_592_000, "720h")] {
            assert_eq!(written(seconds), text);
            let parsed = clientele_api::DurationString(text.to_owned()).parse();
            assert_eq!(parsed.map(|parsed| parsed.as_secs()), Some(seconds));
        }
    }
}
