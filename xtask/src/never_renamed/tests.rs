use super::*;
use crate::source::none;
use crate::testing::{here, planted};

#[test]
fn nothing_that_is_stored_or_public_is_renamed() {
    none(
        &compare(&read(LIST), &names(here())),
        "names that others rely on",
    );
}

#[test]
fn every_kind_of_name_is_held() {
    let listed = listed(&read(LIST));
    for (kind, least) in [
        ("SQL table ", 10),
        ("SQL column ", 60),
        ("SQL key ", 8),
        ("SQL index ", 12),
        ("migration ", 4),
        ("resource ", 3),
        ("field OAuthClient v1alpha1 spec.", 20),
        ("field OAuthTenant v1alpha1 spec.", 20),
        ("field OAuthUser v1alpha1 spec.", 5),
        ("field OAuthClient v1alpha1 status.", 10),
        ("condition reason ", 30),
        ("audit event ", 20),
        ("key clientele.dev/", 8),
        ("MAC context ", 9),
        ("cookie ", 3),
        ("Lease ", 1),
        ("field manager ", 1),
        ("ConfigMap of the marks ", 1),
        ("mark ", 4),
    ] {
        let held = listed.iter().filter(|name| name.starts_with(kind)).count();
        assert!(held >= least, "{kind}: {held}");
    }
}

#[test]
fn a_planted_rename_in_code_is_found() {
    let code = |file: &str, text: &str| {
        let folder = file.rsplit_once('/').unwrap().0;
        let root = format!(
            "{}/lib.rs",
            folder.split('/').take(2).collect::<Vec<_>>().join("/")
        );
        let reason = "pub mod reason;";
        if file.contains("/domain/") {
            let domain = "src/operator/domain.rs";
            in_code(&planted(&[
                (&root, "mod domain;"),
                (domain, reason),
                (file, text),
            ]))
        } else {
            in_code(&planted(&[(&root, "mod x;"), (file, text)]))
        }
    };
    for (file, text, renamed) in [
        (
            "src/operator/x.rs",
            "const K: &str = \"clientele.dev/proof\";",
            "proof",
        ),
        (
            "src/oauth/x.rs",
            "const C: &[u8] = b\"clientele secret proof v1\";",
            "proof v1",
        ),
        (
            "src/http/x.rs",
            "fn f() { format!(\"{prefix}clientele-{}\", x) }",
            "}clientele-",
        ),
        (
            "src/telemetry/x.rs",
            "acts! { SignIn, \"sign_in\", \"signed in\"; }",
            "sign_in",
        ),
        (
            "src/operator/domain/reason.rs",
            "fn f() { match x { Self::A => \"A\" } }",
            "\"A\"",
        ),
        (
            "src/operator/x.rs",
            "pub const LEASE: &str = \"clientele\";",
            "clientele",
        ),
        (
            "src/operator/x.rs",
            "const M: &str = \"root-key.\";",
            "root-key.",
        ),
    ] {
        let list: Vec<String> = code(file, text).into_iter().collect();
        assert_eq!(list.len(), 1, "{file}: {list:?}");
        let new = text.replace(renamed, &format!("{}x{}", &renamed[..1], &renamed[1..]));
        let findings = compare(&list.join("\n"), &code(file, &new));
        let message = "was renamed or removed";
        assert!(
            findings.iter().any(|finding| finding.contains(message)),
            "{file}: {new}: {findings:?}"
        );
        assert!(code(file, &format!("/// {renamed}\nstruct S;")).is_empty());
    }
}

#[test]
fn a_planted_rename_in_sql_is_found() {
    let file = |text: &str| {
        [Source {
            path: "src/store/migrations/1.sql".to_owned(),
            text: text.to_owned(),
        }]
    };
    let text = "-- Why.\nCREATE TABLE a (\n    b TEXT NOT NULL,\n    c BIGINT,\n    PRIMARY KEY (b, c)\n);\n\
        CREATE UNIQUE INDEX a_c ON a (c);\nALTER TABLE a ADD COLUMN d BIGINT;\n";
    let names = sql::names(&file(text));
    let expected = [
        "SQL table a",
        "SQL column a.b",
        "SQL column a.c",
        "SQL key a KEY (b, c)",
        "SQL index a_c",
        "SQL column a.d",
    ];
    assert_eq!(names[1..], expected);
    for (old, new) in [
        ("b TEXT", "e TEXT"),
        ("a_c", "a_b"),
        ("Why", "How"),
        ("COLUMN d", "COLUMN f"),
    ] {
        let renamed = sql::names(&file(&text.replace(old, new)))
            .into_iter()
            .collect();
        assert!(compare(&names.join("\n"), &renamed).len() >= 2, "{old}");
    }
}

#[test]
fn a_planted_rename_of_a_field_is_found() {
    let text = "{metadata: {name: as.x}, spec: {names: {kind: A, shortNames: [a]}, scope: Namespaced, versions: [{name: v1, \
        schema: {openAPIV3Schema: {properties: {spec: {properties: {b: {items: {properties: {c: {enum: [D]}}}}}}}}}}]}}";
    let of = |text: &str| crds::names(&serde_yaml::from_str(text).unwrap());
    let names = of(text);
    assert!(names.contains("field A v1 spec.b[].c = D"), "{names:?}");
    for (old, new) in [("b:", "e:"), ("c:", "f:"), ("[D]", "[E]"), ("[a]", "[b]")] {
        let list = Vec::from_iter(names.clone()).join("\n");
        assert!(
            !compare(&list, &of(&text.replace(old, new))).is_empty(),
            "{old}"
        );
    }
}
