//! The listener, and what the terminal shows.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use clientele_kubectl::Failure;
use clientele_kubectl::args::{ClusterFlags, DashboardFlags};
use clientele_kubectl::connect::Session;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::app::App;
use crate::assets;
use crate::cluster::Cluster;
use crate::open;
use crate::peer::is_same_user;
use crate::routes::router;
use crate::rows::Rows;
use crate::session::{NoRandom, Sessions};

/// The head of a request takes no longer.
const HEAD: Duration = Duration::from_secs(10);
/// After the listener fails, such as without file descriptors.
const PAUSE: Duration = Duration::from_secs(1);

/// A dashboard that listens and is not served yet.
pub struct Bound {
    listener: TcpListener,
    app: Arc<App>,
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
        () = serve(bound.listener, router(bound.app.clone())) => {}
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
        if let Ok(token) = app.sessions.issue(Instant::now()) {
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
        let app = App {
            authority: address.to_string(),
            cookie: format!("clientele-dashboard-{}", address.port()),
            sessions: Sessions::default(),
            cluster: Cluster::new(session.client, session.server),
            namespace: session.namespace,
            place,
            read_only,
            version: assets::version(),
            rows: Rows::new(),
        };
        let app = Arc::new(app);
        Ok(Self { listener, app })
    }

    /// The address of the dashboard, without a slash at its end.
    pub fn origin(&self) -> String {
        self.app.origin()
    }

    /// A one-time token, to be sent to `POST /session` within 60 seconds.
    pub fn token(&self) -> Result<String, Failure> {
        let token = self.app.sessions.issue(Instant::now());
        token.map_err(|NoRandom| Failure::new("this machine has no random bytes"))
    }

    /// Serves until the future is dropped.
    pub async fn serve(self) {
        serve(self.listener, router(self.app)).await;
    }
}

async fn serve(listener: TcpListener, router: Router) {
    loop {
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
            let of_this_user = tokio::task::spawn_blocking(move || {
                ours.is_ok_and(|server| is_same_user(peer, server))
            });
            if of_this_user.await.unwrap_or(false) {
                drop(connection.await);
            }
        });
    }
}
