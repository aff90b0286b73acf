//! What the parts can do at best: HTTP/1.1 by hyper, one signature, the headers RFC 6749 §5.1 demands.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
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

struct Signer {
    header: String,
    key: Option<EcdsaKeyPair>,
    random: SystemRandom,
}

impl Signer {
    fn new(signs: bool) -> io::Result<Self> {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::generate(algorithm).map_err(io::Error::other)?;
        Ok(Self {
            header: URL_SAFE_NO_PAD.encode(HEADER),
            key: signs.then_some(key),
            random: SystemRandom::new(),
        })
    }

    fn token(&self) -> String {
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
        let mut token = String::with_capacity(800);
        token.push_str(&self.header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self
            .key
            .as_ref()
            .and_then(|key| key.sign(&self.random, token.as_bytes()).ok());
        token.push('.');
        match signature {
            Some(signature) => URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token),
            None => token.push_str(&"A".repeat(86)),
        }
        token
    }
}

async fn answer(
    signer: Arc<Signer>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let _ = request.into_body().collect().await;
    let body = format!(
        r#"{{"access_token":"{}","token_type":"Bearer","expires_in":600,"scope":"orders.read common"}}"#,
        signer.token()
    );
    let mut response = Response::new(Full::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(response)
}

pub async fn serve(listener: TcpListener, signs: bool) -> io::Result<()> {
    let signer = Arc::new(Signer::new(signs)?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let signer = signer.clone();
        let service = service_fn(move |request| answer(signer.clone(), request));
        let http = hyper::server::conn::http1::Builder::new();
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
    }
}
