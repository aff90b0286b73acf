//! From where a request comes: the peer of the connection, or the address that a trusted proxy names.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::request::Parts;

use super::Peer;
use crate::App;

/// The address, unspecified when it is unknown.
pub(crate) fn of(app: &App, parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get::<Peer>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    app.trusted_proxies.client(peer, &parts.headers)
}
