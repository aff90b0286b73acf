use super::{Code, Part};

fn production(text: &str) -> Code {
    Code::parse(text, Part::Production).unwrap()
}

/// Production code on both sides of every way to write tests.
const MIXED: &str = r##"//! A file.
#[cfg(test)]
mod tests;

fn before() { one() }

#[cfg(test)]
mod more {
    const BRACES: [&str; 4] = ["}", "\"}", r#"}"}"#, "{"];
    const CHARS: [char; 3] = ['}', '\'', '"'];
    // }
    /* } /* } */ } */
    fn hidden<'a>(x: &'a str) -> &'a str { two(); x }
}

struct S {
    #[cfg(test)]
    three: u8,
    four: u8,
}

impl S {
    #[cfg(all(test, unix))]
    fn five() {}
    #[cfg(not(test))]
    fn six() {}
    /// seven
    #[cfg(any(test, feature = "testing"))]
    fn eight() {}
}

fn after() {
    #[cfg(test)]
    let nine = 1;
    ten!(eleven "twelve");
}
"##;

#[test]
fn production_code_after_tests_is_seen_and_tests_are_not() {
    let code = production(MIXED);
    for seen in ["before", "one", "four", "six", "after", "ten", "eleven"] {
        assert!(code.has(seen), "{seen}");
    }
    for hidden in [
        "tests", "hidden", "two", "three", "five", "seven", "eight", "nine",
    ] {
        assert!(!code.has(hidden), "{hidden}");
    }
    assert_eq!(code.literals().collect::<Vec<_>>(), ["twelve"]);
    assert!(Code::parse(MIXED, Part::Everything).unwrap().has("hidden"));
}

#[test]
fn lines_of_tests_are_not_counted() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {\n    d();\n}\n";
    let code = production(text);
    assert_eq!(code.lines, 4);
    let functions = code
        .functions
        .iter()
        .map(|function| (function.name.as_str(), function.lines));
    assert_eq!(functions.collect::<Vec<_>>(), [("a", 1), ("c", 3)]);
}

#[test]
fn a_test_that_cannot_be_cut_out_is_an_error() {
    let text = "fn a() { let x = [#[cfg(test)] 1, 2]; }";
    assert!(Code::parse(text, Part::Production).is_err());
}

#[test]
fn paths_are_found_however_they_are_written() {
    let text = "use a::{b, c::{self, d as e}, f::*};\nmod m { fn g() { super::http::g(x::y { z }); } }\n\
        fn h() { ::kube::h(); Vec::<u8>::new(); println!(\"{}\", i::j()); }";
    let code = production(text);
    let joined: Vec<String> = code
        .paths()
        .iter()
        .map(|path| path.segments.join("::"))
        .collect();
    assert_eq!(joined, ["super::http::g", "x::y", "kube::h", "i::j"]);
    assert_eq!(code.paths()[0].within, ["m"]);
    let imports = code.imports.iter();
    let imports: Vec<_> = imports
        .map(|import| (import.segments.join("::"), import.name.as_deref()))
        .collect();
    let expected = [
        ("a::b", Some("b")),
        ("a::c", Some("c")),
        ("a::c::d", Some("e")),
        ("a::f", None),
    ];
    assert_eq!(
        imports,
        expected.map(|(path, name)| (path.to_owned(), name))
    );
}
