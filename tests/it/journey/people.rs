//! A person, and how they are handed to a program that plays them.

use serde_json::{Value, json};

use super::node::Node;
use crate::support::test_namespace::TestNamespace;

/// A person who can sign in.
pub struct Someone {
    /// What they type first.
    pub username: String,
    /// What they type then.
    pub password: String,
}

impl Someone {
    /// A person of this tenant in the namespace of the test, in these groups.
    pub async fn new(space: &TestNamespace, tenant: &str, username: &str, groups: &[&str]) -> Self {
        let someone = Self {
            username: username.to_owned(),
            password: format!("correct horse {username} staple"),
        };
        space.write_password(username, &someone.password).await;
        let spec = json!({
            "tenant": tenant,
            "username": username,
            "email": format!("{username}@example.com"),
            "emailVerified": true,
            "name": "Ada Example",
            "groups": groups,
            "passwordSecretRef": { "name": username },
        });
        space.create_user(username, spec).await;
        space.enrolled(username).await;
        someone
    }

    /// Hands the person to a program.
    pub fn at(&self, program: Node) -> Node {
        program
            .with("USERNAME", &self.username)
            .with("PASSWORD", &self.password)
    }
}

/// The spec of a client, with these fields beside or in place of the others.
pub fn with(mut spec: Value, more: &Value) -> Value {
    for (field, value) in more.as_object().unwrap() {
        spec[field] = value.clone();
    }
    spec
}
