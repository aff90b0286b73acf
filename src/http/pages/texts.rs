//! Every text of the pages, in one value per language.
//!
//! A name in braces is filled in by [`super::sentence::Said`]: `{client}`, `{tenant}`, `{person}`, `{host}`, `{date}`.

use clientele_oauth::Tenant;

/// The texts of one language.
pub(super) struct Texts {
    /// The language (BCP 47), for `<html lang>`.
    pub lang: &'static str,
    pub sign_in: SignInTexts,
    pub consent: ConsentTexts,
    pub proceed: ProceedTexts,
    pub error: ErrorTexts,
    pub not_allowed: NotAllowedTexts,
    pub leave: LeaveTexts,
    pub sign_out: SignOutTexts,
    pub signed_out: SignedOutTexts,
    pub account: AccountTexts,
    pub form_post: FormPostTexts,
    pub scopes: ScopeTexts,
}

/// The page to sign in.
pub(super) struct SignInTexts {
    pub title: &'static str,
    pub heading: &'static str,
    /// Beside a logo, which may not say the name.
    pub heading_with_name: &'static str,
    pub to_client: &'static str,
    pub to_account: &'static str,
    pub username: &'static str,
    pub username_or_email: &'static str,
    pub stay: &'static str,
    pub password: &'static str,
    pub submit: &'static str,
    pub afterwards: &'static str,
    pub wrong: &'static str,
    /// After too many tries: how many seconds to wait.
    pub wait: fn(u64) -> String,
}

/// The page to consent.
pub(super) struct ConsentTexts {
    pub title: &'static str,
    pub heading: &'static str,
    pub signed_in_as: &'static str,
    pub switch: &'static str,
    pub may: &'static str,
    pub calls: &'static str,
    pub namespace: &'static str,
    pub returns_to: &'static str,
    /// Of an application that runs on the person's own computer.
    pub on_device: &'static str,
    pub allow: &'static str,
    pub deny: &'static str,
    pub revocable: &'static str,
}

/// The page to consent when a click is all that is missing.
pub(super) struct ProceedTexts {
    pub title: &'static str,
    pub heading: &'static str,
    pub why: &'static str,
    pub allow: &'static str,
    pub deny: &'static str,
}

/// The page of an error.
pub(super) struct ErrorTexts {
    pub title: &'static str,
    pub heading: &'static str,
    pub home: &'static str,
    pub account: &'static str,
    pub client: &'static str,
    /// In place of a name that is not known.
    pub some_client: &'static str,
    pub request_id: &'static str,
    pub details: &'static str,
    pub for_developers: &'static str,
    pub code: &'static str,
    pub rule: &'static str,
}

/// The page for a person who may not use an application.
pub(super) struct NotAllowedTexts {
    pub title: &'static str,
    pub heading: &'static str,
    pub why: &'static str,
    pub switch: &'static str,
    pub back: &'static str,
}

/// The page before an address that no administrator has vouched for.
pub(super) struct LeaveTexts {
    pub title: &'static str,
    pub heading: &'static str,
    pub after_refusal: &'static str,
    pub after_sign_out: &'static str,
    pub remedy: &'static str,
    pub submit: &'static str,
}

/// The page that asks whether to sign out.
pub(super) struct SignOutTexts {
    pub title: &'static str,
    pub heading: &'static str,
    pub asked_by: &'static str,
    pub effect: &'static str,
    pub submit: &'static str,
    pub stay: &'static str,
}

/// The page after signing out, or after not doing it.
pub(super) struct SignedOutTexts {
    pub title: &'static str,
    pub heading: &'static str,
    pub text: &'static str,
    pub sign_in: &'static str,
    pub stayed_title: &'static str,
    pub stayed_heading: &'static str,
    pub stayed_text: &'static str,
    pub account: &'static str,
    pub nobody_title: &'static str,
    pub nobody_heading: &'static str,
    pub nobody_text: &'static str,
    pub nobody_sign_in: &'static str,
}

/// The account page.
pub(super) struct AccountTexts {
    pub title: &'static str,
    pub heading: &'static str,
    pub signed_in_as: &'static str,
    pub grants: &'static str,
    pub nothing: &'static str,
    pub namespace: &'static str,
    pub since: &'static str,
    pub withdraw: &'static str,
    /// Read out after [`Self::withdraw`], so that buttons can be told apart.
    pub withdraw_from: &'static str,
    pub sessions: &'static str,
    pub sessions_text: &'static str,
    pub sign_out: &'static str,
    pub sign_out_everywhere: &'static str,
}

/// The page that takes the answer to the application.
pub(super) struct FormPostTexts {
    pub title: &'static str,
    pub heading: &'static str,
    pub text: &'static str,
    /// On the way from the application to a page of ours.
    pub once_more: &'static str,
    pub submit: &'static str,
}

/// What the scopes of OpenID Connect allow, after "it can".
pub(super) struct ScopeTexts {
    pub openid: &'static str,
    pub profile: &'static str,
    pub email: &'static str,
    pub address: &'static str,
    pub phone: &'static str,
    pub groups: &'static str,
    pub offline_access: &'static str,
}

/// English.
pub(super) const ENGLISH: Texts = Texts {
    lang: "en",
    sign_in: SignInTexts {
        title: "Sign in",
        heading: "Sign in",
        heading_with_name: "Sign in to {tenant}",
        to_client: "to continue to {client}",
        to_account: "to see your account",
        username: "Username",
        username_or_email: "Username or email address",
        stay: "Keep me signed in",
        password: "Password",
        submit: "Sign in",
        afterwards: "Afterwards you go back to {host}.",
        wrong: "Username and password do not match. Check both and try again.",
        wait: |seconds| {
            format!(
                "Too many tries. Wait {}, then try again.",
                english_duration(seconds)
            )
        },
    },
    consent: ConsentTexts {
        title: "Allow access",
        heading: "Allow {client} to use your account?",
        signed_in_as: "You are signed in as {person}.",
        switch: "Not you?",
        may: "If you allow it, {client} can:",
        calls: "It can also use these services in your name:",
        namespace: "Namespace",
        returns_to: "You go back to",
        on_device: "{client} runs on this computer. Allow it only if you opened it yourself just now.",
        allow: "Allow",
        deny: "Deny",
        revocable: "You can withdraw this at any time on your account page.",
    },
    proceed: ProceedTexts {
        title: "Continue",
        heading: "Continue to {client}?",
        why: "{client} runs on this computer. Continue only if you opened it yourself just now.",
        allow: "Continue",
        deny: "Cancel",
    },
    error: ErrorTexts {
        title: "This did not work",
        heading: "This did not work",
        home: "Go to {client}",
        account: "Your account",
        client: "Application",
        some_client: "An application",
        request_id: "Request ID",
        details: "Details",
        for_developers: "For the people who run the application. Log and audit of this server have the same request ID.",
        code: "Error code",
        rule: "What is wrong",
    },
    not_allowed: NotAllowedTexts {
        title: "No access",
        heading: "You cannot use {client}",
        why: "{client} is open to certain groups only, and this account is in none of them. An administrator can add it.",
        switch: "Sign in with another account",
        back: "Go back to {client}",
    },
    leave: LeaveTexts {
        title: "Continue",
        heading: "Continue to {host}?",
        after_refusal: "{client} sent you here with a request that this server refuses. The answer goes to {host}.",
        after_sign_out: "{client} asks to send you to {host}.",
        remedy: "You are not signed in here. If you did not come from {client}, close this page.",
        submit: "Continue to {host}",
    },
    sign_out: SignOutTexts {
        title: "Sign out",
        heading: "Sign out of {tenant}?",
        asked_by: "{client} asks to sign you out.",
        effect: "You are signed in as {person}. Applications that you opened with this account may ask you to sign in again.",
        submit: "Sign out",
        stay: "Stay signed in",
    },
    signed_out: SignedOutTexts {
        title: "Signed out",
        heading: "You are signed out",
        text: "You can close this page now.",
        sign_in: "Sign in again",
        stayed_title: "Still signed in",
        stayed_heading: "You are still signed in",
        stayed_text: "Nothing has changed. You can close this page now.",
        account: "Your account",
        nobody_title: "Not signed in",
        nobody_heading: "You are not signed in here",
        nobody_text: "This browser has no session that could end. You can close this page now.",
        nobody_sign_in: "Sign in",
    },
    account: AccountTexts {
        title: "Your account",
        heading: "Your account",
        signed_in_as: "You sign in to {tenant} as {username}.",
        grants: "Applications with access",
        nothing: "You have not given access to any application.",
        namespace: "Namespace {namespace}",
        since: "Since {date}",
        withdraw: "Withdraw",
        withdraw_from: "access of {client}",
        sessions: "Sign out",
        sessions_text: "In this browser only, or in every browser and on every device where you are signed in.",
        sign_out: "Sign out here",
        sign_out_everywhere: "Sign out everywhere",
    },
    form_post: FormPostTexts {
        title: "One moment",
        heading: "One moment",
        text: "You are on your way back to {host}.",
        once_more: "You are on your way to {tenant}.",
        submit: "Continue",
    },
    scopes: ScopeTexts {
        openid: "Know that it is you",
        profile: "See your name and your profile",
        email: "See your email address",
        address: "See your postal address",
        phone: "See your phone number",
        groups: "See the groups that you belong to",
        offline_access: "Stay connected while you are away",
    },
};

/// Rounded up: who waits that long has waited long enough.
fn english_duration(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..=90 => (seconds.max(1), "second"),
        91..=5400 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3600), "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// What a scope allows, as a sentence for people: ours for the scopes of OpenID Connect, the tenant's for its own,
/// otherwise the bare name.
pub fn scope_sentence(tenant: &Tenant, scope: &str) -> String {
    let texts = &ENGLISH.scopes;
    let ours = match scope {
        "openid" => texts.openid,
        "profile" => texts.profile,
        "email" => texts.email,
        "address" => texts.address,
        "phone" => texts.phone,
        "groups" => texts.groups,
        "offline_access" => texts.offline_access,
        _ => {
            let own = tenant.scopes.iter().find(|known| &*known.name == scope);
            own.and_then(|known| known.description.as_deref())
                .unwrap_or(scope)
        }
    };
    ours.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clientele_oauth::tenant::{OPENID_SCOPES, Scope};

    fn tenant() -> Tenant {
        let scope = |name: &str, description: Option<&str>| Scope {
            name: name.into(),
            description: description.map(Into::into),
            claims: [].into(),
        };
        let mut tenant = Tenant::new("acme".into(), "uid".into(), "https://id.example".into());
        tenant.scopes = [
            scope("orders.read", Some("See your orders")),
            scope("bills.read", None),
            // A tenant cannot say something else about a scope that OpenID Connect defines.
            scope("email", Some("Nothing at all")),
        ]
        .into();
        tenant
    }

    #[test]
    fn a_scope_is_a_sentence() {
        let tenant = tenant();
        assert_eq!(scope_sentence(&tenant, "orders.read"), "See your orders");
        assert_eq!(scope_sentence(&tenant, "bills.read"), "bills.read");
        assert_eq!(scope_sentence(&tenant, "unknown"), "unknown");
        assert_eq!(scope_sentence(&tenant, "email"), "See your email address");
        for scope in OPENID_SCOPES {
            assert_ne!(scope_sentence(&tenant, scope), scope);
        }
    }

    #[test]
    fn a_wait_is_said_in_words_and_never_too_short() {
        let said = [0, 1, 90, 91, 3600, 5401, 86400].map(english_duration);
        assert_eq!(
            said,
            [
                "1 second",
                "1 second",
                "90 seconds",
                "2 minutes",
                "60 minutes",
                "2 hours",
                "24 hours"
            ]
        );
    }
}
