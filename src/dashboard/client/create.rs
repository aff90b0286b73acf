//! The form to create a client: cards of kinds of application, the fields, and the YAML that they make.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use clientele_kubectl::shared::{name, namespace};

use super::fields::{FormView, Proposals, while_typing};
use super::form::{ClientForm, Field};
use super::preset::{CARDS, Card, chosen, example, manifest, start, taken, yaml};
use super::refusal::{self, Messages};
use crate::cluster::{Kind, Mode};
use crate::form::{Fields, Form, Query};
use crate::page::{Chrome, Section, client_path, html, see_other};
use crate::person::Caller;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "form_create.html")]
struct CreatePage {
    chrome: Chrome,
    view: FormView,
    cards: &'static [Card],
    card: &'static Card,
    proposals: Proposals,
}

impl CreatePage {
    /// The address of the form for another kind of application, in the same namespace.
    fn link(&self, preset: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("preset", preset);
        if !self.view.form.namespace.is_empty() {
            query.append_pair("namespace", &self.view.form.namespace);
        }
        format!("/clients/new?{}", query.finish())
    }
}

/// What changes on the page while a person types.
#[derive(Template)]
#[template(path = "form_check.html")]
pub struct CheckFragment {
    /// The form.
    pub view: FormView,
}

/// The empty form of a card.
pub async fn show(person: Caller, Query(query): Query) -> Result<Response, Problem> {
    let card = chosen(query.get("preset"));
    let mut form = start(card);
    form.namespace = query
        .filled("namespace")
        .unwrap_or(&person.namespace)
        .to_owned();
    let view = FormView {
        yaml: yaml(&manifest(&form)),
        form,
        ..FormView::default()
    };
    page(&person, StatusCode::OK, view).await
}

/// Creates the client, or checks the form without creating.
pub async fn submit(person: Caller, Form(fields): Form) -> Result<Response, Problem> {
    if fields.has("take") {
        return take(&person, &fields).await;
    }
    let form = ClientForm::sent(&fields);
    let object = manifest(&form);
    let check = fields.has("check");
    let mode = if check { Mode::DryRun } else { Mode::Store };
    if !check {
        person.must_write()?;
    }
    let mut view = FormView {
        messages: missing(&form),
        yaml: yaml(&object),
        form,
        ..FormView::default()
    };
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if view.messages.is_empty() && !person.read_only {
        let (namespace, name) = (namespace(&object), name(&object));
        match person
            .cluster
            .create(Kind::Client, namespace, &object, mode)
            .await
        {
            Ok(_) if !check => {
                person.rows.forget();
                return Ok(see_other(&person, &client_path(namespace, name, "")));
            }
            Ok(_) => {}
            Err(problem) => {
                status = refusal::status(&problem);
                view.messages = Messages::of_problem(&problem);
            }
        }
    }
    checked(&person, &fields, view, status).await
}

/// Fills the form with what a manifest says.
async fn take(person: &Caller, fields: &Fields) -> Result<Response, Problem> {
    let mut view = FormView::default();
    let mut status = StatusCode::OK;
    match taken(fields.get("yaml"), &person.namespace) {
        Ok(form) => view.form = form,
        Err(wrong) => {
            status = StatusCode::BAD_REQUEST;
            view.form = start(chosen(""));
            person.namespace.clone_into(&mut view.form.namespace);
            view.messages.add(None, wrong);
        }
    }
    view.yaml = yaml(&manifest(&view.form));
    page(person, status, view).await
}

/// The response to a form that stays: a fragment while typing, else the page with the values as they were sent.
async fn checked(
    person: &Caller,
    fields: &Fields,
    mut view: FormView,
    status: StatusCode,
) -> Result<Response, Problem> {
    if !fields.has("check") {
        return page(person, status, view).await;
    }
    view.messages = while_typing(&view);
    if person.fragment {
        html(StatusCode::OK, &CheckFragment { view })
    } else {
        page(person, StatusCode::OK, view).await
    }
}

/// What is missing before the API server is asked.
fn missing(form: &ClientForm) -> Messages {
    let mut messages = Messages::default();
    if form.object_name().is_empty() {
        let field = if form.display_name.is_empty() {
            Field::DisplayName
        } else {
            Field::Name
        };
        messages.add(
            Some(field),
            "Enter a name; the resource name needs letters a to z, digits or '-', such as orders.",
        );
    }
    if form.namespace.is_empty() {
        messages.add(
            Some(Field::Namespace),
            "Enter the namespace of the application.",
        );
    }
    messages
}

async fn page(
    person: &Caller,
    status: StatusCode,
    mut view: FormView,
) -> Result<Response, Problem> {
    let card = chosen(&view.form.preset);
    if view.form.base.is_empty() {
        view.example = example(card, "/spec/redirectUris");
        view.example_api = example(card, "/spec/audiences");
    }
    let page = CreatePage {
        chrome: Chrome::new(person, Section::Create),
        proposals: Proposals::read(person).await,
        cards: &CARDS,
        card,
        view,
    };
    html(status, &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_namespace_are_asked_for() {
        let messages = missing(&ClientForm::default());
        assert_eq!(messages.of(Field::DisplayName).len(), 1);
        assert_eq!(messages.of(Field::Namespace).len(), 1);
        let unnamable = ClientForm {
            display_name: "日本".to_owned(),
            namespace: "apps".to_owned(),
            ..ClientForm::default()
        };
        assert_eq!(missing(&unnamable).of(Field::Name).len(), 1);
    }
}
