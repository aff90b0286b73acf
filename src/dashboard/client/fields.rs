//! The form as a page shows it: values as typed, messages at the fields, proposals for names.

use clientele_kubectl::shared::name;

use super::form::{ClientForm, Field};
use super::refusal::Messages;
use crate::cluster::Kind;
use crate::person::Caller;

/// The most names that an input proposes.
const PROPOSALS: &str = "limit=200";

/// Values and messages.
#[derive(Clone, Debug, Default)]
pub struct FormView {
    /// The values as typed.
    pub form: ClientForm,
    /// What is wrong.
    pub messages: Messages,
    /// The manifest that the values make.
    pub yaml: String,
    /// What a redirect URI of the kind of application looks like; empty if it says nothing.
    pub example: String,
    /// The same of the address of an API.
    pub example_api: String,
}

impl FormView {
    /// The messages at an input.
    pub fn wrong(&self, input: &str) -> &[String] {
        let field = Field::ALL.into_iter().find(|field| field.input() == input);
        field.map_or(&[], |field| self.messages.of(field))
    }

    /// Whether an input has a message.
    pub fn is_wrong(&self, input: &str) -> bool {
        !self.wrong(input).is_empty()
    }

    /// Every input with its messages.
    pub fn inputs(&self) -> Vec<(&'static str, &[String])> {
        let all = Field::ALL.into_iter();
        all.map(|field| (field.input(), self.messages.of(field)))
            .collect()
    }

    /// The inputs that have a message, with their labels.
    pub fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let wrong = Field::ALL
            .into_iter()
            .filter(|field| !self.messages.of(*field).is_empty());
        wrong.map(|field| (field.input(), field.label())).collect()
    }
}

/// Names that exist, for the inputs; empty where the person may not list them.
#[derive(Clone, Debug, Default)]
pub struct Proposals {
    /// Namespaces.
    pub namespaces: Vec<String>,
    /// Tenants.
    pub tenants: Vec<String>,
}

impl Proposals {
    /// Lists both.
    pub async fn read(person: &Caller) -> Self {
        let (namespaces, tenants) =
            futures::join!(names(person, Kind::Namespace), names(person, Kind::Tenant));
        Self {
            namespaces,
            tenants,
        }
    }
}

async fn names(person: &Caller, kind: Kind) -> Vec<String> {
    let listed = person.cluster.list(kind, None, PROPOSALS).await;
    let objects = listed.unwrap_or_default();
    objects
        .iter()
        .map(|object| name(object).to_owned())
        .collect()
}

/// Messages while a form is being filled in: what is still empty is no mistake yet.
pub fn while_typing(view: &FormView) -> Messages {
    let mut messages = Messages::default();
    for said in &view.messages.form {
        messages.add(None, said.clone());
    }
    for field in Field::ALL {
        let empty = match field {
            Field::Name => view.form.object_name().is_empty(),
            Field::Namespace => view.form.namespace.is_empty(),
            Field::RedirectUris => view.form.uris().is_empty(),
            Field::Audiences => view.form.audience_lines().trim().is_empty(),
            _ => false,
        };
        for said in view.messages.of(field).iter().filter(|_| !empty) {
            messages.add(Some(field), said.clone());
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_field_is_no_mistake_while_typing() {
        let mut view = FormView::default();
        view.form.display_name = "Orders".to_owned();
        view.messages.add(Some(Field::RedirectUris), "Needed.");
        view.messages.add(Some(Field::DisplayName), "Too long.");
        view.messages.add(None, "You may not.");
        let shown = while_typing(&view);
        assert!(shown.of(Field::RedirectUris).is_empty());
        assert_eq!(shown.of(Field::DisplayName), ["Too long."]);
        assert_eq!(shown.form, ["You may not."]);
        assert_eq!(view.faults().len(), 2);
        assert!(view.is_wrong("redirect-uris") && !view.is_wrong("tenant"));
    }
}
