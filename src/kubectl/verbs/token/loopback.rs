//! A listener on loopback that waits for the browser to come back with an authorization code.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::{Host, Url};

use crate::failure::Failure;
use crate::issuer::plain;

/// The longest head of a request that is read.
const LONGEST: usize = 16 * 1024;
/// A browser takes no longer to send one.
const PATIENCE: Duration = Duration::from_secs(10);

/// The first redirect URI on loopback, an IP literal before `localhost`: for those the port does not matter (RFC 8252 section 7.3).
pub fn redirect_uri<'a>(uris: impl Iterator<Item = &'a str>) -> Option<Url> {
    let parsed = uris.filter_map(|uri| Url::parse(uri).ok());
    let usable: Vec<Url> = parsed
        .filter(|uri| uri.scheme() == "http" && address(uri).is_some())
        .collect();
    let literal = usable
        .iter()
        .find(|uri| !matches!(uri.host(), Some(Host::Domain(_))));
    literal.or(usable.first()).cloned()
}

/// Where to listen for a redirect URI. `localhost` is compared with its port.
fn address(uri: &Url) -> Option<SocketAddr> {
    let ip: IpAddr = match uri.host()? {
        Host::Ipv4(ip) if ip.is_loopback() => ip.into(),
        Host::Ipv6(ip) if ip.is_loopback() => ip.into(),
        Host::Domain("localhost") => {
            return Some((Ipv4Addr::LOCALHOST, uri.port_or_known_default()?).into());
        }
        _ => return None,
    };
    Some((ip, 0).into())
}

/// The listener.
pub struct Loopback {
    listener: TcpListener,
    uri: String,
    path: String,
}

impl Loopback {
    /// Listens where the URI leads, on a free port where the port does not matter.
    pub async fn bind(registered: &Url) -> Result<Self, Failure> {
        let wanted = address(registered)
            .ok_or_else(|| Failure::new(format!("{registered} is not on loopback")))?;
        let listener = TcpListener::bind(wanted).await.map_err(|error| {
            Failure::new(format!(
                "{wanted} cannot be listened on: {error}; end the program that uses it"
            ))
        })?;
        let mut uri = registered.clone();
        // Fails only for a URI without a host.
        let _ = uri.set_port(Some(listener.local_addr()?.port()));
        let path = uri.path().to_owned();
        // As it is registered: without a slash where there is no path.
        let bare = path == "/" && uri.query().is_none();
        let mut text = String::from(uri);
        if bare {
            text.truncate(text.trim_end_matches('/').len());
        }
        Ok(Self {
            listener,
            uri: text,
            path,
        })
    }

    /// The redirect URI of the authorization request.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The code that comes with this state. Whatever else comes is answered and does not count.
    pub async fn code(&self, state: &str) -> Result<String, Failure> {
        loop {
            let (mut stream, _) = self.listener.accept().await?;
            let head = tokio::time::timeout(PATIENCE, head(&mut stream)).await;
            let Some(target) = head.ok().flatten() else {
                continue;
            };
            let answer = self.judge(&target, state);
            let (status, said) = match &answer {
                None => ("404 Not Found", "There is nothing here."),
                Some(Ok(_)) => ("200 OK", "You are signed in. Close this window."),
                Some(Err(_)) => ("200 OK", "You are not signed in. The terminal says why."),
            };
            let lines = [
                format!("HTTP/1.1 {status}"),
                "Content-Type: text/plain".to_owned(),
                "Cache-Control: no-store".to_owned(),
                "Connection: close".to_owned(),
                format!("Content-Length: {}", said.len()),
                String::new(),
                said.to_owned(),
            ];
            let response = lines.join("\r\n");
            // The browser may have gone.
            let _ = stream.write_all(response.as_bytes()).await;
            let _ = stream.shutdown().await;
            if let Some(answer) = answer {
                return answer;
            }
        }
    }

    fn judge(&self, target: &str, state: &str) -> Option<Result<String, Failure>> {
        let url = Url::parse(&format!("http://loopback{target}")).ok()?;
        let value = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        if url.path() != self.path || value("state").as_deref() != Some(state) {
            return None;
        }
        Some(value("code").ok_or_else(|| {
            let [error, description] =
                ["error", "error_description"].map(|name| plain(&value(name).unwrap_or_default()));
            Failure::new(format!("the issuer answered {error} {description}"))
        }))
    }
}

/// The target of a GET.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    while !read.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut piece = [0; 1024];
        let count = stream.read(&mut piece).await.ok()?;
        if count == 0 || read.len() > LONGEST {
            return None;
        }
        read.extend_from_slice(&piece[..count]);
    }
    let text = String::from_utf8(read).ok()?;
    let mut words = text.lines().next()?.split(' ');
    (words.next() == Some("GET")).then(|| words.next().map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_uri_is_chosen() {
        let of = |uris: &[&str]| redirect_uri(uris.iter().copied()).map(String::from);
        assert_eq!(
            of(&[
                "https://a.example/cb",
                "http://localhost:8000",
                "http://127.0.0.1/cb"
            ])
            .as_deref(),
            Some("http://127.0.0.1/cb")
        );
        assert_eq!(
            of(&["http://localhost:8000"]).as_deref(),
            Some("http://localhost:8000/")
        );
        assert_eq!(of(&["http://[::1]/"]).as_deref(), Some("http://[::1]/"));
        for none in [
            "https://127.0.0.1/",
            "http://10.0.0.1/",
            "http://localhost.example/",
            "app:/cb",
        ] {
            assert_eq!(of(&[none]), None, "{none}");
        }
    }

    async fn ask(uri: &str, target: &str) -> String {
        let authority = uri
            .strip_prefix("http://")
            .unwrap()
            .split('/')
            .next()
            .unwrap();
        let mut stream = TcpStream::connect(authority).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn only_the_answer_with_the_state_counts() {
        let registered = Url::parse("http://127.0.0.1").unwrap();
        let loopback = Loopback::bind(&registered).await.unwrap();
        let uri = loopback.uri().to_owned();
        assert!(!uri.ends_with('/'), "{uri}");
        let browser = async {
            assert!(ask(&uri, "/favicon.ico").await.starts_with("HTTP/1.1 404"));
            assert!(
                ask(&uri, "/?code=evil&state=x")
                    .await
                    .starts_with("HTTP/1.1 404")
            );
            ask(&uri, "/?code=c%2Fd&state=s").await
        };
        let (code, shown) = tokio::join!(loopback.code("s"), browser);
        assert_eq!(code.unwrap(), "c/d");
        assert!(shown.contains("You are signed in"), "{shown}");
        let registered = Url::parse("http://127.0.0.1/cb").unwrap();
        let loopback = Loopback::bind(&registered).await.unwrap();
        let uri = loopback.uri().to_owned();
        let (code, _) = tokio::join!(
            loopback.code("s"),
            ask(&uri, "/cb?error=access_denied&state=s")
        );
        assert!(code.unwrap_err().to_string().contains("access_denied"));
    }
}
