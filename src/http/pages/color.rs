//! A tenant's colour, used so that everybody can read what is written in it.

use std::fmt::{self, Display, Formatter};

/// WCAG 2.2, 1.4.3: text.
const TEXT: f64 = 4.5;
/// WCAG 2.2, 1.4.11: the outline of what can be pressed.
const OUTLINE: f64 = 3.0;

/// A colour of sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Color([u8; 3]);

impl Color {
    /// Black.
    pub const BLACK: Self = Self([0; 3]);
    /// White.
    pub const WHITE: Self = Self([255; 3]);
    /// What buttons lie on in the light scheme: `--surface` of the stylesheet.
    pub const LIGHT_SURFACE: Self = Self([0xff, 0xff, 0xff]);
    /// What buttons lie on in the dark scheme: `--surface` of the stylesheet.
    pub const DARK_SURFACE: Self = Self([0x1b, 0x1f, 0x24]);

    /// Reads `#rrggbb` and nothing else: what a manifest says ends up in a style sheet.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        // `from_str_radix` would take a sign, too.
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        Some(Self([channel(0)?, channel(2)?, channel(4)?]))
    }

    /// The contrast ratio of WCAG 2.2, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// The relative luminance of WCAG 2.2.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// What can be read on it: white where white is enough, otherwise black. One of the two always is: the worst
    /// colour has 4.58 with both (the square root of 21), so no colour has to be changed.
    pub fn text(self) -> Self {
        if self.contrast(Self::WHITE) >= TEXT {
            Self::WHITE
        } else {
            Self::BLACK
        }
    }

    /// The colour under the pointer: away from the text on it, so that the contrast only rises.
    pub fn pressed(self) -> Self {
        let away = if self.text() == Self::WHITE {
            Self::BLACK
        } else {
            Self::WHITE
        };
        self.mixed(away, 12)
    }

    /// An outline that shows where the button ends, on a surface of almost the same colour as well.
    pub fn outline_on(self, surface: Self) -> Self {
        let ink = surface.text();
        (0..=100)
            .step_by(5)
            .map(|percent| self.mixed(ink, percent))
            .find(|color| color.contrast(surface) >= OUTLINE)
            .unwrap_or(ink)
    }

    fn mixed(self, other: Self, percent: u16) -> Self {
        let mut mixed = self.0;
        for (mine, theirs) in mixed.iter_mut().zip(other.0) {
            let sum = u16::from(*mine) * (100 - percent) + u16::from(theirs) * percent;
            *mine = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// The style rules that give a page this colour. They consist of digits alone, and go into a `<style>` element
    /// that the policy knows by its hash.
    pub fn rules(self) -> String {
        format!(
            ":root{{--main:{self};--on-main:{};--main-pressed:{};--main-outline:{}}}\
             @media(prefers-color-scheme:dark){{:root{{--main-outline:{}}}}}",
            self.text(),
            self.pressed(),
            self.outline_on(Self::LIGHT_SURFACE),
            self.outline_on(Self::DARK_SURFACE),
        )
    }
}

/// `#rrggbb`.
impl Display for Color {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        let close = |a: &str, b: &str, expected: f64| {
            let contrast = Color::parse(a).unwrap().contrast(Color::parse(b).unwrap());
            assert!((contrast - expected).abs() < 0.01, "{a} {b}: {contrast}");
        };
        close("#000000", "#ffffff", 21.0);
        close("#767676", "#ffffff", 4.54);
        close("#ff0000", "#ffffff", 4.00);
        close("#123456", "#123456", 1.0);
    }

    #[test]
    fn nothing_but_six_hexadecimal_digits_is_a_colour() {
        for bad in [
            "",
            "#",
            "red",
            "#fff",
            "123456",
            "#12345",
            "#1234567",
            "#+12345",
            "#12345g",
            "#12 456",
            "#ffffff;}",
            "#éé12",
            " #123456",
        ] {
            assert_eq!(Color::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Color::parse("#AbCdEf").unwrap().to_string(), "#abcdef");
    }

    #[test]
    fn bright_colours_carry_black_and_dark_ones_white() {
        let text = |color| Color::parse(color).unwrap().text();
        assert_eq!(text("#ffdd00"), Color::BLACK);
        assert_eq!(text("#0b5fff"), Color::WHITE);
        assert_eq!(text("#777777"), Color::BLACK);
    }

    #[test]
    fn the_surfaces_are_those_of_the_stylesheet() {
        let (light, dark) = super::super::STYLE
            .split_once("(prefers-color-scheme")
            .unwrap();
        for (part, surface) in [(light, Color::LIGHT_SURFACE), (dark, Color::DARK_SURFACE)] {
            assert!(
                part.contains(&format!("--surface: {surface};")),
                "{surface}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_the_colour_its_text_can_be_read_and_its_button_be_seen(channels: [u8; 3]) {
            let color = Color(channels);
            let text = color.text();
            prop_assert!(color.contrast(text) >= TEXT);
            prop_assert!(color.pressed().contrast(text) >= color.contrast(text));
            for surface in [Color::LIGHT_SURFACE, Color::DARK_SURFACE] {
                prop_assert!(color.outline_on(surface).contrast(surface) >= OUTLINE);
            }
            prop_assert_eq!(Color::parse(&color.to_string()), Some(color));
        }

        #[test]
        fn rules_are_made_of_colours_and_nothing_else(text in ".{0,12}|#[0-9a-f]{6}|#[0-9a-zA-Z;{}]{6}") {
            if let Some(color) = Color::parse(&text) {
                prop_assert!(!color.rules().contains(['<', '&', '"', '\'', '\\']));
            }
        }
    }
}
