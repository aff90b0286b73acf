//! The fonts that a browser of the tests has: one family, whatever the machine has beside it.

/// A font family, and how it comes to a machine.
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// The package of Debian that has it.
    pub package: &'static str,
    /// The configuration of fontconfig that leaves only this family.
    pub configuration: &'static str,
}

/// Wide letters and wide spaces: the font of a Debian machine without a desktop.
pub const DEJAVU_SANS: Family = Family {
    name: "DejaVu Sans",
    package: "fonts-dejavu-core",
    configuration: concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/journey/fonts/dejavu-sans.conf"
    ),
};

/// Narrow spaces and tall lines; our stylesheet names it.
pub const NOTO_SANS: Family = Family {
    name: "Noto Sans",
    package: "fonts-noto-core",
    configuration: concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/journey/fonts/noto-sans.conf"
    ),
};
