//! `user`: people, and their passwords, which are hashed here.

pub mod hash;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{IsTerminal, Read};
use std::time::{Duration, Instant};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::{Map, Value, json};

use crate::args::{User, UserAction, UserNew, UserPassword};
use crate::connect::Session;
use crate::failure::{Answer, Failure, Outcome};
use crate::objects::{Kind, MANAGER, is_ready, message, name, reason, text};
use crate::output::Output;
use crate::remedies::{Actor, remedy};

use clientele_api::user::PASSWORD_TYPE;

/// The operator judges a person in less, if it runs.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// The entry of a password Secret, where the person names no other.
const ENTRY: &str = "password";

/// Does it.
pub async fn run(session: &Session, args: &User, output: &mut Output<'_>) -> Answer {
    match &args.action {
        UserAction::Create(new) => create(session, new, output).await,
        UserAction::Passwd(password) => set_password(session, password, output).await,
        UserAction::Disable(user) => disable(session, &user.name, true, output).await,
        UserAction::Enable(user) => disable(session, &user.name, false, output).await,
    }
}

async fn create(session: &Session, new: &UserNew, output: &mut Output<'_>) -> Answer {
    let with_password = new.generate || new.password_stdin;
    let password = with_password.then(|| password(new.generate)).transpose()?;
    let secret = format!("{}-password", new.name);
    let mut spec = Map::new();
    let mut put = |name: &str, value: Option<&String>| {
        if let Some(value) = value {
            spec.insert(name.to_owned(), value.as_str().into());
        }
    };
    put("username", Some(new.username.as_ref().unwrap_or(&new.name)));
    put("email", new.email.as_ref());
    put("name", new.full_name.as_ref());
    put("tenant", new.tenant.as_ref());
    if !new.group.is_empty() {
        spec.insert("groups".to_owned(), json!(new.group));
    }
    if password.is_some() {
        spec.insert("passwordSecretRef".to_owned(), json!({ "name": secret }));
    }
    let object = json!({
        "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthUser",
        "metadata": { "name": new.name, "namespace": session.namespace }, "spec": spec,
    });
    // Before the password, which would be that of another person if the name is taken.
    let created = session.create(Kind::User, &object).await?;
    if let Some(password) = &password {
        write_password(session, (&secret, ENTRY), password).await?;
    }
    let mut shown = format!("oauthuser/{} created\n", new.name);
    if password.is_none() {
        let _ = writeln!(
            shown,
            "This person cannot sign in by password yet: `kubectl clientele user passwd {}`",
            new.name
        );
    }
    output.value(&created, &[format!("oauthuser/{}", new.name)], &shown)?;
    tell(new.generate, password.as_deref(), output);
    Ok(served(session, &new.name, output).await)
}

async fn set_password(session: &Session, args: &UserPassword, output: &mut Output<'_>) -> Answer {
    let user = session.get(Kind::User, &args.name).await?;
    let password = password(args.generate)?;
    let (secret, is_new) = secret_name_of(&user);
    let entry = entry_of(&user);
    write_password(session, (&secret, entry), &password).await?;
    if is_new {
        let patch = json!({ "spec": { "passwordSecretRef": { "name": secret } } });
        session.patch(Kind::User, &args.name, &patch).await?;
    }
    let shown = format!(
        "oauthuser/{}: the password is changed, and every session of the person has ended\n",
        args.name
    );
    let value = json!({ "name": args.name, "secretName": secret, "secretKey": entry });
    output.value(&value, &[format!("oauthuser/{}", args.name)], &shown)?;
    tell(args.generate, Some(&password), output);
    Ok(served(session, &args.name, output).await)
}

/// The Secret with the password of a person, and whether the person does not refer to it yet.
pub fn secret_name_of(user: &Value) -> (String, bool) {
    match text(user, "/spec/passwordSecretRef/name") {
        "" => (format!("{}-password", text(user, "/metadata/name")), true),
        named => (named.to_owned(), false),
    }
}

/// The entry of that Secret which holds the password.
pub fn entry_of(user: &Value) -> &str {
    match text(user, "/spec/passwordSecretRef/key") {
        "" => ENTRY,
        key => key,
    }
}

/// A generated password is told once, beside the answer, so that it lands in no file by accident.
fn tell(generated: bool, password: Option<&str>, output: &mut Output<'_>) {
    if let Some(password) = password.filter(|_| generated) {
        output.warn("The password, which is shown only now:");
        output.warn(password);
    }
}

async fn disable(session: &Session, name: &str, off: bool, output: &mut Output<'_>) -> Answer {
    let patch = json!({ "spec": { "disabled": off } });
    session.patch(Kind::User, name, &patch).await?;
    let shown = if off {
        format!("oauthuser/{name} disabled; sessions and grants of the person end now\n")
    } else {
        format!("oauthuser/{name} enabled; the person signs in again\n")
    };
    let value = json!({ "name": name, "disabled": off });
    output.value(&value, &[format!("oauthuser/{name}")], &shown)?;
    if off {
        return Ok(Outcome::Yes);
    }
    Ok(served(session, name, output).await)
}

/// Whether the person can sign in now. What was asked for is done, so that it cannot be looked at is no failure.
async fn served(session: &Session, name: &str, output: &mut Output<'_>) -> Outcome {
    match judged(session, name).await {
        Ok(user) => Outcome::of(warn_unless_served(&user, output)),
        Err(failure) => {
            output.warn(&format!(
                "whether {name} can sign in is not known: {failure}"
            ));
            Outcome::Yes
        }
    }
}

/// The person once the operator says whether sign-in works, or as far as it came in [`PATIENCE`].
async fn judged(session: &Session, name: &str) -> Result<Value, Failure> {
    let began = Instant::now();
    loop {
        let user = session.get(Kind::User, name).await?;
        let waits = match reason(&user) {
            // What was written a moment ago may not have been read yet.
            "PasswordSecretNotFound" | "PasswordInvalid" => true,
            reason => remedy(reason).is_some_and(|found| found.act == Actor::Wait),
        };
        if !waits || began.elapsed() >= PATIENCE {
            return Ok(user);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether the person can sign in, as far as the operator knows; says why not. A person who was disabled is so on purpose.
fn warn_unless_served(user: &Value, output: &mut Output<'_>) -> bool {
    if is_ready(user) {
        return true;
    }
    let (name, reason) = (name(user), reason(user));
    if remedy(reason).is_some_and(|found| found.act == Actor::Wait) {
        output.warn(&format!(
            "{name} cannot sign in yet: the operator has not served this version within {} s ({reason}); `kubectl clientele why user/{name}` says more",
            PATIENCE.as_secs()
        ));
        return true;
    }
    let said = match message(user) {
        "" => String::new(),
        message => format!(": {message}"),
    };
    output.warn(&format!(
        "{name} cannot sign in ({reason}){said}\nWhat to do: {}",
        remedy(reason).map_or_else(
            || format!("`kubectl clientele why user/{name}` says more."),
            |found| found.todo.replace("NAME", name)
        )
    ));
    reason == "Disabled"
}

fn password(generate: bool) -> Result<String, Failure> {
    if generate {
        return hash::generated();
    }
    let mut input = std::io::stdin();
    if input.is_terminal() {
        return Err(Failure::new(
            "the password is read from standard input, so that no shell remembers it: pipe it in, such as `pass show alice | kubectl clientele user passwd alice`, or take --generate",
        ));
    }
    let mut text = String::new();
    input.read_to_string(&mut text)?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Failure::new("standard input holds no password"));
    }
    Ok(text.to_owned())
}

/// Writes the password into an entry of a Secret. Entries that others manage stay.
async fn write_password(
    session: &Session,
    (name, entry): (&str, &str),
    password: &str,
) -> Result<(), Failure> {
    let secrets: Api<Secret> = Api::namespaced(session.client.clone(), &session.namespace);
    let data = BTreeMap::from([(
        entry.to_owned(),
        ByteString(hash::phc(password)?.into_bytes()),
    )]);
    let secret = Secret {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        type_: Some(PASSWORD_TYPE.to_owned()),
        data: Some(data),
        ..Secret::default()
    };
    let failed = |verb: &str, error: &kube::Error| {
        let what = format!("{verb} secret {name} in namespace {}", session.namespace);
        session.explain(error, &what)
    };
    // A Secret of another type is refused by the API server, because a type cannot change. Not an apply, which would
    // remove the entries that this program wrote for other people.
    let params = PatchParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PatchParams::default()
    };
    match secrets.patch(name, &params, &Patch::Merge(&secret)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => {
            let params = PostParams {
                field_manager: Some(MANAGER.to_owned()),
                ..PostParams::default()
            };
            let created = secrets.create(&params, &secret).await;
            created.map(drop).map_err(|error| failed("create", &error))
        }
        Err(error) => Err(failed("patch", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_goes_into_the_entry_that_the_person_refers_to() {
        let user = |spec: Value| json!({ "metadata": { "name": "ada" }, "spec": spec });
        for (spec, secret, entry) in [
            (json!({}), ("ada-password", true), "password"),
            (
                json!({ "passwordSecretRef": { "name": "people" } }),
                ("people", false),
                "password",
            ),
            (
                json!({ "passwordSecretRef": { "name": "people", "key": "ada" } }),
                ("people", false),
                "ada",
            ),
        ] {
            let user = user(spec);
            let (name, is_new) = secret_name_of(&user);
            assert_eq!((&*name, is_new), secret, "{user}");
            assert_eq!(entry_of(&user), entry, "{user}");
        }
    }

    #[test]
    fn a_person_who_cannot_sign_in_is_told_with_the_reason() {
        let user = |status: &str, reason: &str| {
            json!({
                "metadata": { "name": "ada", "generation": 1 },
                "status": { "observedGeneration": 1, "conditions": [
                    { "type": "Ready", "status": status, "reason": reason, "message": "as it is" },
                ] },
            })
        };
        for (user, served, told) in [
            (user("True", "Registered"), true, ""),
            (
                user("False", "UsernameConflict"),
                false,
                "(UsernameConflict): as it is\nWhat to do: Choose",
            ),
            (
                user("False", "Disabled"),
                true,
                "kubectl clientele user enable ada",
            ),
            (
                json!({ "metadata": { "name": "ada", "generation": 1 } }),
                true,
                "(Pending)",
            ),
        ] {
            let mut err = Vec::new();
            let format = crate::output::Format::Text;
            let mut output = Output::new(std::io::sink(), &mut err, format, false);
            assert_eq!(warn_unless_served(&user, &mut output), served, "{user}");
            drop(output);
            let said = String::from_utf8(err).unwrap();
            assert!(said.contains(told), "{said}");
        }
    }

    #[test]
    fn a_generated_password_is_told_beside_the_answer_only() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut output = Output::new(&mut out, &mut err, crate::output::Format::Text, true);
        tell(true, Some("canary"), &mut output);
        tell(false, Some("other"), &mut output);
        drop(output);
        assert!(out.is_empty());
        let told = String::from_utf8(err).unwrap();
        assert!(told.contains("canary") && !told.contains("other"));
    }
}
