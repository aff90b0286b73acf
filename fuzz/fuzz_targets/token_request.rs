//! A token request: form, `Authorization` header, and all rules in front of the store.
#![no_main]

use clientele_fuzz::{Issued, clock, filled};
use clientele_oauth::client_auth::Authentication;
use clientele_oauth::client_auth::basic;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::endpoints::token::{Context, TokenRequest, authenticate, grant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let issued = Issued::get();
    let input = filled(issued, bytes);
    // The first line is the header, if there are two.
    let (header, form) = match input.iter().position(|&b| b == b'\n') {
        Some(at) => (Some(&input[..at]), &input[at + 1..]),
        None => (None, input.as_slice()),
    };
    let _ = basic::decode(header.unwrap_or(form));
    let registry = issued.world.app.registry.load();
    let (tenant, _) = registry.route("/token").expect("the tenant is there");
    let context = Context {
        tenant,
        keyring: &issued.world.keyring,
        now: clock::now(),
        random: Default::default(),
    };
    let Ok(request) = TokenRequest::parse(form, header) else {
        return;
    };
    let client = match authenticate(context, &request) {
        Ok(Authentication::Authenticated(client)) => client,
        Ok(Authentication::NeedsProof(proof)) => panic!("{} has no keys", proof.client.id),
        Err(_) => return,
    };
    // A client is authenticated only by what was issued to it, or as a public client by its name.
    let is_public = client.allows_method(clientele_oauth::AuthMethod::None);
    let basic = header.and_then(basic::decode);
    let in_form = Parameters::read(form).ok();
    let in_form = in_form
        .as_ref()
        .and_then(|form| form.one("client_secret").ok()?);
    let secret = basic
        .as_ref()
        .map(|credentials| credentials.secret.as_str())
        .or(in_form);
    let issued = issued.world.secret(&client.id);
    assert!(is_public || secret.is_some_and(|sent| sent == issued));
    let _ = grant(context, client, &request);
});
