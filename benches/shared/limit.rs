//! What the parts can do at best: HTTP/1.1 by hyper, signatures by keys parsed once, the headers RFC 6749 §5.1 demands.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::time::SystemTime;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, PRAGMA};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

const HEADER: &str =
    r#"{"typ":"at+jwt","alg":"ES256","kid":"0123456789abcdef0123456789abcdef0123456789a"}"#;
const CLAIMS: &str = r#"{"iss":"https://id.example","sub":"team-a.client-5000","client_id":"team-a.client-5000","aud":"https://orders.example","scope":"orders.read common""#;

/// Signs; what it returns goes into the token.
pub type Sign = Box<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// ECDSA on P-256, as for access tokens.
pub fn es256() -> io::Result<Sign> {
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let key = EcdsaKeyPair::generate(algorithm).map_err(io::Error::other)?;
    let random = SystemRandom::new();
    Ok(Box::new(move |message| {
        let signature = key.sign(&random, message);
        signature.map_or_else(|_| Vec::new(), |signature| signature.as_ref().to_vec())
    }))
}

/// A token like ours.
pub fn token(sign: &Sign) -> String {
    let now = SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| since.as_secs());
    let mut jti = [0; 16];
    let _ = aws_lc_rs::rand::fill(&mut jti);
    let jti = URL_SAFE_NO_PAD.encode(jti);
    let exp = now + 600;
    let claims = format!(
        r#"{CLAIMS},"iat":{now},"exp":{exp},"jti":"0f8fad5b-d9cb-469f-a165-70867728950e.{jti}"}}"#
    );
    let mut token = String::with_capacity(1100);
    URL_SAFE_NO_PAD.encode_string(HEADER, &mut token);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let signature = sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

fn respond(body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// Serves this answer and looks at nothing.
pub async fn serve<A, F>(listener: TcpListener, answer: A) -> io::Result<()>
where
    A: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = String> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = answer();
            async move {
                let _ = request.into_body().collect().await;
                Ok::<_, Infallible>(respond(answer.await))
            }
        });
        let http = hyper::server::conn::http1::Builder::new();
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
    }
}
