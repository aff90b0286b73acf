//! `--prove`: a token with the original secret for each machine client.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use reqwest::Client;

use super::model::{Field, Import, ImportedClient, Verdict};
use crate::failure::Failure;
use crate::issuer::{Proof, discover, machine_token};
use crate::objects::text;

/// How many requests are on their way at once.
const AT_ONCE: usize = 16;
/// How long a client may take until the server knows it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(250);

/// What the tokens proved.
pub struct Proved {
    /// How many clients got a token.
    pub tokens: usize,
    /// Those that did not, each with the reason.
    pub failed: Vec<Field>,
}

/// Requests a token for each machine client that brought its secret. `patient`: the clients were written a moment ago, so
/// the server may not know them yet.
pub async fn prove(
    http: &Client,
    issuer: &str,
    import: &Import,
    patient: bool,
) -> Result<Proved, Failure> {
    let document = discover(http, issuer).await?;
    let endpoint = text(&document, "/token_endpoint");
    let machines = import
        .clients
        .iter()
        .filter(|client| client.is_machine() && client.secret.is_some());
    let until = Instant::now() + if patient { PATIENCE } else { Duration::ZERO };
    let requests = machines.map(|client| one(http, endpoint, client, until));
    let answers: Vec<Option<Field>> = stream::iter(requests).buffered(AT_ONCE).collect().await;
    let all = answers.len();
    let failed: Vec<Field> = answers.into_iter().flatten().collect();
    Ok(Proved {
        tokens: all - failed.len(),
        failed,
    })
}

/// Tries until the server knows the client, or the time is over.
async fn one(
    http: &Client,
    endpoint: &str,
    client: &ImportedClient,
    until: Instant,
) -> Option<Field> {
    let secret = client.secret.as_ref()?;
    let secrets = [Some(&secret.current), secret.previous.as_ref()];
    for value in secrets.into_iter().flatten() {
        loop {
            let proof = Proof::Secret(value);
            match machine_token(http, endpoint, &client.client_id(), &proof, &[]).await {
                Ok(_) => break,
                Err(_) if Instant::now() < until => tokio::time::sleep(PAUSE).await,
                Err(failure) => {
                    return Some(Field {
                        field: format!("{} (proof)", client.origin),
                        verdict: Verdict::Lost,
                        to: None,
                        why: failure.to_string(),
                        todo: format!(
                            "kubectl clientele -n {} why {}; was tenant-patch.yaml applied?",
                            client.namespace, client.name
                        ),
                    });
                }
            }
        }
    }
    None
}
