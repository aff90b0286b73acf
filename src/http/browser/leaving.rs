//! Whether a person goes to an address of a client only by a click: a server that redirects anybody anywhere lends its name
//! to every author of a manifest.

use clientele_oauth::Client;
use clientele_oauth::client::redirect_uri::network_host;

/// For a person without a session: whether the address lies on a host for which no administrator has vouched.
pub(super) fn needs_click(client: &Client, address: &str) -> bool {
    !client.first_party && !client.redirect_hosts_listed && network_host(address).is_some()
}
