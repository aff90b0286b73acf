//! The form to edit a client. It changes what it shows and keeps every other field of the spec; a client that changed
//! meanwhile is not overwritten before the person has seen what changed.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use clientele_kubectl::shared::text;
use serde_json::Value;

use super::create::CheckFragment;
use super::fields::{FormView, while_typing};
use super::form::{Change, ClientForm};
use super::frame::{ClientHeader, Tab, read};
use super::owner::{Owner, owner};
use super::preset::{committed, yaml};
use super::refusal::{self, Messages};
use super::spec;
use crate::cluster::{Kind, Mode};
use crate::form::{Fields, Form};
use crate::page::{Chrome, Section, html, see_other};
use crate::person::Caller;
use crate::problem::Problem;

/// How often a change is tried while something else than the spec is written.
const TRIES: u32 = 5;

#[derive(Template)]
#[template(path = "form_edit.html")]
struct EditPage {
    chrome: Chrome,
    frame: ClientHeader,
    view: FormView,
    /// The values that the form showed first, to say later what changed.
    was: String,
    /// The version of the spec that the form is about.
    version: String,
    /// What changed since the form was shown.
    conflict: Option<Vec<Change>>,
    /// Whether the change must be confirmed because a tool reverts it.
    guarded: bool,
}

/// The form with the values of now.
pub async fn show(person: Caller, Path(of): Path<(String, String)>) -> Result<Response, Problem> {
    let current = read(&person, &of).await?;
    let view = FormView {
        form: ClientForm::of(&current),
        yaml: yaml(&committed(&current)),
        ..FormView::default()
    };
    page(&person, StatusCode::OK, &current, view, None).await
}

/// Saves the form, or checks it without saving.
pub async fn submit(
    person: Caller,
    Path(of): Path<(String, String)>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let check = fields.has("check");
    if !check {
        person.must_write()?;
    }
    let current = read(&person, &of).await?;
    let form = sent(&fields, &current);
    let mut next = current.clone();
    form.apply(&mut next);
    let mut view = FormView {
        yaml: yaml(&committed(&next)),
        form,
        ..FormView::default()
    };
    if !check && fields.get("version") != version(&current) {
        return conflict(&person, &fields, &current, view).await;
    }
    let guard = owner(&current).filter(|owner| guarded(owner, &current, &next));
    if let (Some(owner), false) = (guard, check || fields.has("anyway")) {
        view.messages.add(None, must_confirm(&owner));
        return page(
            &person,
            StatusCode::UNPROCESSABLE_ENTITY,
            &current,
            view,
            None,
        )
        .await;
    }
    match save(&person, &of, &current, &view.form, check).await? {
        Saved::Yes if check => checked(&person, &current, view).await,
        Saved::Yes => {
            person.rows.forget();
            Ok(see_other(&person, &ClientHeader::path_of(&current)))
        }
        Saved::Conflict(current) => conflict(&person, &fields, &current, view).await,
        Saved::Refused(problem) => {
            view.messages = Messages::of_problem(&problem);
            if check {
                return checked(&person, &current, view).await;
            }
            page(&person, refusal::status(&problem), &current, view, None).await
        }
    }
}

/// What became of a save.
enum Saved {
    Yes,
    /// Something else was written first; the object as it is now.
    Conflict(Value),
    Refused(Problem),
}

/// Replaces the object by what the form makes of it, or only asks whether that would be accepted.
///
/// The precondition of the API server is about the whole object. What the operator writes meanwhile, its status, is no other
/// version for a person: the form is applied to the object as it is then.
async fn save(
    person: &Caller,
    of: &(String, String),
    current: &Value,
    form: &ClientForm,
    check: bool,
) -> Result<Saved, Problem> {
    let mode = if check { Mode::DryRun } else { Mode::Store };
    let (begun, mut current) = (version(current), current.clone());
    for _ in 0..TRIES {
        let mut next = current.clone();
        form.apply(&mut next);
        if next == current || person.read_only {
            return Ok(Saved::Yes);
        }
        let replaced = person
            .cluster
            .replace(Kind::Client, &of.0, &of.1, &next, mode);
        match replaced.await {
            Ok(_) => return Ok(Saved::Yes),
            Err(problem) if problem.status == StatusCode::CONFLICT => {}
            Err(problem) => return Ok(Saved::Refused(problem)),
        }
        current = read(person, of).await?;
        if version(&current) != begun {
            break;
        }
    }
    Ok(Saved::Conflict(current))
}

async fn checked(
    person: &Caller,
    current: &Value,
    mut view: FormView,
) -> Result<Response, Problem> {
    view.messages = while_typing(&view);
    if person.fragment {
        return html(StatusCode::OK, &CheckFragment { view });
    }
    page(person, StatusCode::OK, current, view, None).await
}

/// The form as sent; what it cannot change is what the object has.
fn sent(fields: &Fields, current: &Value) -> ClientForm {
    let shown = ClientForm::of(current);
    ClientForm {
        name: shown.name,
        namespace: shown.namespace,
        tenant: shown.tenant,
        ..ClientForm::sent(fields)
    }
}

/// The object and its spec: an object that is deleted and created again is another one. A change of the status is none.
fn version(object: &Value) -> String {
    let generation = spec::number(object, "/metadata/generation").unwrap_or_default();
    format!("{}/{generation}", text(object, "/metadata/uid"))
}

/// Whether the tool owns one of the fields that change.
fn guarded(owner: &Owner, current: &Value, next: &Value) -> bool {
    let changes = ClientForm::of(current).changes(&ClientForm::of(next));
    changes
        .iter()
        .any(|change| owner.owns(change.field.of_spec().split('.').next().unwrap_or_default()))
}

fn must_confirm(owner: &Owner) -> String {
    format!(
        "{} manages this client: {}. Commit the YAML below instead, or confirm that you want to change it here anyway.",
        owner.name(),
        owner.reverts
    )
}

/// Nothing is written; the person sees what they typed, and what is stored now.
async fn conflict(
    person: &Caller,
    fields: &Fields,
    current: &Value,
    mut view: FormView,
) -> Result<Response, Problem> {
    let was = ClientForm::sent(&Fields::parse(fields.get("was").as_bytes()));
    let mut next = current.clone();
    view.form.apply(&mut next);
    view.yaml = yaml(&committed(&next));
    let changes = was.changes(&ClientForm::of(current));
    page(person, StatusCode::CONFLICT, current, view, Some(changes)).await
}

async fn page(
    person: &Caller,
    status: StatusCode,
    current: &Value,
    view: FormView,
    conflict: Option<Vec<Change>>,
) -> Result<Response, Problem> {
    let frame = ClientHeader::new(person, current, Tab::None).await;
    let guarded = frame.owner.is_some();
    let page = EditPage {
        chrome: Chrome::new(person, Section::Clients),
        was: ClientForm::of(current).encode(),
        version: version(current),
        guarded,
        frame,
        view,
        conflict,
    };
    html(status, &page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(spec: &Value) -> Value {
        json!({
            "metadata": {
                "name": "web", "namespace": "apps", "uid": "u", "generation": 3,
                "labels": { "kustomize.toolkit.fluxcd.io/name": "apps" },
                "managedFields": [{ "manager": "kustomize-controller", "fieldsV1": { "f:spec": { "f:redirectUris": {} } } }],
            },
            "spec": spec,
        })
    }

    #[test]
    fn only_fields_of_the_tool_need_a_confirmation() {
        let current =
            object(&json!({ "tenant": "default", "redirectUris": ["https://a.example/"] }));
        let owner = owner(&current).unwrap();
        let mut form = ClientForm::of(&current);
        form.first_party = true;
        let mut next = current.clone();
        form.apply(&mut next);
        assert!(!guarded(&owner, &current, &next));
        form.redirect_uris = "https://b.example/".to_owned();
        form.apply(&mut next);
        assert!(guarded(&owner, &current, &next));
        assert!(must_confirm(&owner).contains("Flux"));
    }

    #[test]
    fn names_and_tenant_are_those_of_the_object() {
        let current = object(&json!({ "tenant": "staff" }));
        let fields = Fields::parse(
            b"name=other&namespace=other&tenant=other&display-name=Orders&type=Confidential",
        );
        let form = sent(&fields, &current);
        assert_eq!((form.name.as_str(), form.tenant.as_str()), ("web", "staff"));
        assert_eq!(version(&current), "u/3");
    }
}
