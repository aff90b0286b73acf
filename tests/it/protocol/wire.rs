//! Connections, HTTP/1.1, HTTP/2, TLS, CORS, the admin port, and what load balancers ask.

mod admin;
mod connections;
mod cors;
mod health;
mod http1;
mod http2;
mod outage;
mod room;
mod tls;
