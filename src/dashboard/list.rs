//! The list of clients: search, filter, sort and pages on the server, with their state in the query.

pub mod live;
mod query;
pub mod select;
mod view;

use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use jiff::Timestamp;

use crate::form::Query;
use crate::page::html;
use crate::person::Caller;
use crate::problem::Problem;
use query::Asked;
use select::select;
use view::{ClientsPage, RowsFragment};

/// `GET /clients`
pub async fn page(person: Caller, Query(fields): Query) -> Result<Response, Problem> {
    let asked = Asked::read(&fields);
    let typed = asked.namespaces_to_list(&person.namespace);
    let kept = person.rows.read(&person.cluster, &typed).await?;
    let selected = select(&kept.rows(), &asked, Timestamp::now());
    let fragment = RowsFragment::new(&person, &kept, &asked, selected, Timestamp::now());
    if person.fragment {
        let mut response = html(StatusCode::OK, &fragment)?;
        // The address of the page, which is the same as that of the fragment.
        if let Ok(address) = HeaderValue::try_from(asked.address()) {
            response.headers_mut().insert("hx-replace-url", address);
        }
        return Ok(response);
    }
    html(StatusCode::OK, &ClientsPage::new(&person, &asked, fragment))
}
