//! The columns that codes and families have in common.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;

use crate::backend::operation::{FromRow, column, millis, time};
use clientele_oauth::grant::Authorization;

/// Their names, in the order in which [`bind`] binds their values after the tenant.
macro_rules! authorization_columns {
    () => {
        "client_id, registration_id, subject, person, credential, sid, auth_time, scope, resources, claims"
    };
}
pub(crate) use authorization_columns;

/// A statement that waits for its values.
pub type Statement<'q> = Query<'q, sqlx::Any, AnyArguments>;

/// Binds the columns, and `offline` after them.
pub fn bind<'q>(statement: Statement<'q>, authorization: &'q Authorization) -> Statement<'q> {
    statement
        .bind(&*authorization.client_id)
        .bind(&*authorization.client_uid)
        .bind(&*authorization.subject)
        .bind(&*authorization.user_uid)
        .bind(&*authorization.credential)
        .bind(&*authorization.sid)
        .bind(millis(authorization.auth_time))
        .bind(&*authorization.scope)
        .bind(&*authorization.resources)
        .bind(&*authorization.claims)
        .bind(i64::from(authorization.is_offline()))
}

impl FromRow for Authorization {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            tenant: column(row, "tenant")?,
            client_id: column(row, "client_id")?,
            client_uid: column(row, "registration_id")?,
            subject: column(row, "subject")?,
            user_uid: column(row, "person")?,
            credential: column(row, "credential")?,
            sid: column(row, "sid")?,
            auth_time: time(row, "auth_time")?,
            scope: column(row, "scope")?,
            resources: column(row, "resources")?,
            claims: column(row, "claims")?,
        })
    }
}
