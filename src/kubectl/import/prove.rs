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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Map, json};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::super::model::BroughtSecret;
    use super::*;

    /// A token endpoint that knows these clients by ID and secret, as Basic sends them.
    async fn issuer(known: BTreeMap<String, String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (known, own) = (Arc::new(known), issuer.clone());
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (known, own) = (known.clone(), own.clone());
                tokio::spawn(async move { answer(connection, &known, &own).await });
            }
        });
        issuer
    }

    async fn answer(
        mut connection: TcpStream,
        known: &BTreeMap<String, String>,
        issuer: &str,
    ) -> Option<()> {
        let (mut head, mut bytes) = (String::new(), [0; 4096]);
        while !head.contains("\r\n\r\n") {
            let count = connection
                .read(&mut bytes)
                .await
                .ok()
                .filter(|count| *count > 0)?;
            head += std::str::from_utf8(&bytes[..count]).ok()?;
        }
        // What is sent and not read would reset the connection.
        let (length, begun) = head.split_once("\r\n\r\n").map_or((0, 0), |(head, body)| {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            (
                length
                    .and_then(|length| length.trim().parse().ok())
                    .unwrap_or(0),
                body.len(),
            )
        });
        let mut rest: usize = length;
        rest = rest.saturating_sub(begun);
        while rest > 0 {
            let count = connection
                .read(&mut bytes)
                .await
                .ok()
                .filter(|count| *count > 0)?;
            rest = rest.saturating_sub(count);
        }
        let basic = head
            .lines()
            .find_map(|line| line.strip_prefix("authorization: Basic "));
        let pair = basic.and_then(|basic| STANDARD.decode(basic.trim()).ok());
        let pair = pair
            .and_then(|pair| String::from_utf8(pair).ok())
            .unwrap_or_default();
        let (id, secret) = pair.split_once(':').unwrap_or_default();
        let (status, body) = if head.starts_with("GET") {
            (
                "200 OK",
                json!({ "issuer": issuer, "token_endpoint": format!("{issuer}/token") }),
            )
        } else if known.get(id).is_some_and(|known| known == secret) {
            (
                "200 OK",
                json!({ "access_token": "a.b.c", "token_type": "Bearer" }),
            )
        } else {
            ("401 Unauthorized", json!({ "error": "invalid_client" }))
        };
        let body = body.to_string();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        connection.write_all(answer.as_bytes()).await.ok()
    }

    fn machine(number: usize, secret: String) -> ImportedClient {
        let mut spec = Map::new();
        spec.insert("clientId".to_owned(), format!("id-{number}").into());
        spec.insert("grantTypes".to_owned(), json!(["client_credentials"]));
        ImportedClient {
            origin: format!("client {number}"),
            namespace: "apps".to_owned(),
            name: format!("client-{number}"),
            spec: Some(spec),
            secret: Some(BroughtSecret {
                name: format!("client-{number}-client-secret"),
                current: secret,
                previous: None,
            }),
            fields: Vec::new(),
        }
    }

    #[tokio::test]
    async fn of_a_thousand_clients_exactly_the_altered_ones_fail() {
        crate::connect::install_crypto_provider();
        let secret = |number: usize| format!("secret-{number:04}-abcdefghijklmnop");
        let known = (0..1000).map(|number| (format!("id-{number}"), secret(number)));
        let issuer = issuer(known.collect()).await;
        let is_altered = |number: usize| number % 100 == 37;
        let mut import = Import::new("test");
        import.clients = (0..1000)
            .map(|number| {
                let end = if is_altered(number) { "x" } else { "" };
                machine(number, secret(number) + end)
            })
            .collect();
        let http = Client::builder().no_proxy().build().unwrap();
        let proved = prove(&http, &issuer, &import, false).await.unwrap();
        assert_eq!(proved.tokens, 990);
        let failed: Vec<&str> = proved
            .failed
            .iter()
            .map(|field| field.field.as_str())
            .collect();
        let expected: Vec<String> = (0..1000)
            .filter(|number| is_altered(*number))
            .map(|number| format!("client {number} (proof)"))
            .collect();
        assert_eq!(failed, expected);
        assert!(
            proved
                .failed
                .iter()
                .all(|field| !field.why.contains("secret-0"))
        );
    }
}
