//! A token request: form, `Authorization` header, and all rules in front of the store.
#![no_main]

use clientele_fuzz::{Issued, clock, filled};
use clientele_oauth::client_auth::credentials;
use clientele_oauth::client_auth::credentials::decode_basic;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::endpoints::token;
use clientele_oauth::endpoints::token::{Answer, Context, TokenRequest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let issued = Issued::get();
    let input = filled(issued, bytes);
    // The first line is the header, if there are two.
    let (header, form) = match input.iter().position(|&b| b == b'\n') {
        Some(at) => (Some(&input[..at]), &input[at + 1..]),
        None => (None, input.as_slice()),
    };
    let _ = decode_basic(header.unwrap_or(form));
    let request = TokenRequest::parse(form);
    let registry = issued.world.app.registry.load();
    let (tenant, _) = registry.route("/token").expect("the tenant is there");
    let named = token::named(tenant, header, form);
    let context = Context {
        tenant,
        keyring: &issued.world.keyring,
        now: clock::now(),
        random: Default::default(),
    };
    let answer = token::answer(context, header, form, None);
    if let Ok(answer) = &answer {
        assert!(request.is_ok());
        let client = named.client.expect("who is answered was named");
        let proven = match answer {
            Answer::Done(_) => None,
            Answer::Prove(client, _) => panic!("{} has no keys", client.id),
            Answer::Exchange(client, _) | Answer::Refresh(client, _) => Some(&client.id),
        };
        assert!(proven.is_none_or(|id| *id == client.id));
        // Nobody is authenticated but by what was issued to him, or as a public client by its name.
        let secret_of = |id: &str| issued.world.secret(id);
        let is_public = client.allows_method(clientele_oauth::AuthMethod::None);
        let basic = header.and_then(decode_basic);
        let in_form = Parameters::read(form).ok();
        let in_form = in_form
            .as_ref()
            .and_then(|form| form.one("client_secret").ok()?);
        let secret = basic
            .as_ref()
            .map(|(_, secret)| secret.as_str())
            .or(in_form);
        assert!(is_public || secret.is_some_and(|sent| sent == secret_of(&client.id)));
    }
    let _ = credentials::named(tenant, header, None);
});
