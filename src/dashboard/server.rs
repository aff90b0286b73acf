//! The listener, and what the terminal shows.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use clientele_kubectl::Failure;
use clientele_kubectl::args::{ClusterFlags, DashboardFlags, TestFlags};
use clientele_kubectl::connect::Session;
use clientele_kubectl::shared::IssuerClient;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::app::{App, Door, Local};
use crate::assets;
use crate::cluster::Cluster;
use crate::open;
use crate::peer::is_same_user;
use crate::routes::router;
use crate::rows::Rows;
use crate::session::{NoRandom, Sessions};
use crate::sign_in::{self, SignIn};

/// The head of a request takes no longer.
const HEAD: Duration = Duration::from_secs(10);
/// After the listener fails, such as without file descriptors.
const PAUSE: Duration = Duration::from_secs(1);

/// The most connections at once; a further one waits.
const CONNECTIONS: usize = 1_024;

/// How the dashboard is served to people who sign in.
#[derive(Clone, Debug)]
pub struct ForPeople {
    /// Where to listen. TLS ends in front of it.
    pub listen: SocketAddr,
    /// Whether every write is refused.
    pub read_only: bool,
    /// How they sign in.
    pub sign_in: sign_in::Settings,
    /// An authority that the issuer's certificate may have, as PEM.
    pub issuer_ca: Option<PathBuf>,
}

/// A dashboard that listens and is not served yet.
pub struct Bound {
    listener: TcpListener,
    app: Arc<App>,
}

/// Listens, and serves the people who sign in until the process is told to end.
pub async fn run_for_people(settings: &ForPeople) -> Result<(), Failure> {
    let bound = Bound::for_people(settings).await?;
    tell(&format!(
        "The dashboard of {}/ listens on {}",
        bound.origin(),
        settings.listen
    ));
    tokio::select! {
        () = bound.serve() => {}
        () = terminated() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

/// Waits for SIGTERM, by which Kubernetes ends a pod.
#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signals) => drop(signals.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// Connects, listens, shows how to get in, and serves until Ctrl+C.
pub async fn run(flags: &ClusterFlags, args: &DashboardFlags) -> Result<(), Failure> {
    let session = Session::open(flags).await?;
    let place = flags
        .context
        .clone()
        .unwrap_or_else(|| session.server.clone());
    let bound = Bound::new(session, place, args.port, args.read_only).await?;
    let token = bound.token()?;
    tell(&format!("The dashboard is at {}/", bound.origin()));
    if !args.open {
        show(&token);
    } else if let Err(failure) = open::open(bound.app.clone(), &token) {
        tell(&failure.to_string());
        show(&token);
    }
    tell("Ctrl+C ends it.");
    tokio::select! {
        () = further_tokens(bound.app.clone()) => {}
        () = serve(bound.listener, router(bound.app.clone()), true) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

fn show(token: &str) {
    tell(&format!("One-time token (60 seconds): {token}"));
}

/// A closed terminal does not end the process.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A further token for each line of standard input. Never returns.
async fn further_tokens(app: Arc<App>) {
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    // A thread, because nothing can interrupt it: the process ends without waiting for it.
    std::thread::spawn(move || {
        for _ in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(()).is_err() {
                return;
            }
        }
    });
    while lines.recv().await.is_some() {
        if let Door::Token(local) = &app.door
            && let Ok(token) = local.sessions.issue(Instant::now())
        {
            show(&token);
        }
    }
    std::future::pending::<()>().await;
}

impl Bound {
    /// Listens on 127.0.0.1 only. Port 0: the operating system chooses a free one.
    pub async fn new(
        session: Session,
        place: String,
        port: u16,
        read_only: bool,
    ) -> Result<Self, Failure> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(wanted).await;
        let listener = listener.map_err(|error| {
            Failure::new(format!("{wanted} cannot be listened on: {error}; choose another port with --port, or omit the flag"))
        })?;
        let address = listener.local_addr()?;
        let local = Local {
            sessions: Sessions::default(),
            cluster: Cluster::new(session.client, session.server),
            namespace: session.namespace,
            rows: Rows::new(),
        };
        let app = App {
            authority: address.to_string(),
            origin: format!("http://{address}"),
            // Cookies do not know ports (RFC 6265 section 8.5).
            cookie: format!("clientele-dashboard-{}", address.port()),
            place,
            read_only,
            version: assets::version(),
            issuer: IssuerClient::new(&TestFlags::default())?,
            door: Door::Token(Box::new(local)),
        };
        let app = Arc::new(app);
        Ok(Self { listener, app })
    }

    /// Listens where the settings say. Their origin is that of a URL without a path.
    pub async fn for_people(settings: &ForPeople) -> Result<Self, Failure> {
        let origin = settings.sign_in.origin.clone();
        let authority = origin
            .split_once("://")
            .map(|(_, authority)| authority.to_owned());
        let authority = authority.filter(|authority| !authority.contains('/'));
        let authority = authority.ok_or_else(|| {
            Failure::new(format!("--url {origin} must have no path: the dashboard needs a host name of its own, such as https://dashboard.example.com"))
        })?;
        let issuer = IssuerClient::new(&TestFlags {
            ca_file: settings.issuer_ca.clone(),
        })?;
        let sign_in = SignIn::new(settings.sign_in.clone(), issuer.clone())?;
        let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
            Failure::new(format!(
                "{} cannot be listened on: {error}; choose another address with --listen",
                settings.listen
            ))
        })?;
        let prefix = if sign_in.is_https() { "__Host-" } else { "" };
        let app = App {
            place: authority.clone(),
            authority,
            origin,
            cookie: format!("{prefix}clientele-dashboard"),
            read_only: settings.read_only,
            version: assets::version(),
            issuer,
            door: Door::People(Box::new(sign_in)),
        };
        let app = Arc::new(app);
        Ok(Self { listener, app })
    }

    /// The address of the dashboard, without a slash at its end.
    pub fn origin(&self) -> String {
        self.app.origin.clone()
    }

    /// Where it listens.
    pub fn address(&self) -> Result<SocketAddr, Failure> {
        Ok(self.listener.local_addr()?)
    }

    /// A one-time token, to be sent to `POST /session` within 60 seconds.
    pub fn token(&self) -> Result<String, Failure> {
        let Door::Token(local) = &self.app.door else {
            return Err(Failure::new(
                "people sign in at the issuer; there is no one-time token",
            ));
        };
        let token = local.sessions.issue(Instant::now());
        token.map_err(|NoRandom| Failure::new("this machine has no random bytes"))
    }

    /// Serves until the future is dropped.
    pub async fn serve(self) {
        let own_user = matches!(self.app.door, Door::Token(_));
        serve(self.listener, router(self.app), own_user).await;
    }
}

/// Never returns. `own_user`: only processes of the same user are served.
pub async fn serve(listener: TcpListener, router: Router, own_user: bool) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let ours = stream.local_addr();
        let service = TowerToHyperService::new(router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), service);
        // A browser that goes away in the middle of a response is no error.
        tokio::spawn(async move {
            let admitted = !own_user || {
                let same = move || ours.is_ok_and(|server| is_same_user(peer, server));
                tokio::task::spawn_blocking(same).await.unwrap_or(false)
            };
            if admitted {
                drop(connection.await);
            }
            drop(place);
        });
    }
}
