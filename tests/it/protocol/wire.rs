//! Connections, HTTP/1.1, HTTP/2, TLS, CORS, and the admin port.

mod admin;
mod connections;
mod cors;
mod http1;
mod http2;
mod room;
mod tls;
