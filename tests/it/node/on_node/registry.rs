//! A registry of images under the name that the documentation has for it, trusted by the node and by who pushes.

use std::path::Path;
use std::process::Stdio;

use super::authority::Authority;
use super::front::front;
use super::machine::{Killed, Node, run};
use crate::support::machine;
use crate::support::test_namespace::{eventually, when};

/// What a reader replaces by a name of their own; here it is real.
pub const NAME: &str = "registry.example.com";
/// Where containerd looks for what it shall know of registries.
const REGISTRIES: &str = "/run/node/registries";
/// Where it serves, behind its name.
const ADDRESS: &str = "127.0.0.1:5000";

/// Starts it; it ends with the value. `crane` is the program, and the certificate of the authority is in `ca.pem` of the folder.
pub async fn registry(node: &Node, authority: &Authority, crane: &str, folder: &Path) -> Killed {
    let serving = machine::program(crane)
        .args(["registry", "serve", "--address", ADDRESS])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let serving = Killed(serving);
    eventually("the registry listens", || async {
        let connected = tokio::net::TcpStream::connect(ADDRESS).await;
        when(connected.is_ok(), (), || format!("{connected:?}"))
    })
    .await;
    let at = format!("{}:443", node.address).parse().unwrap();
    front(NAME, authority, at, || async { ADDRESS.parse().ok() }).await;

    let known = Path::new(REGISTRIES).join(NAME);
    std::fs::create_dir_all(&known).unwrap();
    let ca = folder.join("ca.pem");
    let hosts = format!("[host.\"https://{NAME}\"]\n  ca = \"{}\"\n", ca.display());
    std::fs::write(known.join("hosts.toml"), hosts).unwrap();
    // The mounts are those of the node, not of the machine.
    let names = folder.join("hosts");
    let text = std::fs::read_to_string("/etc/hosts").unwrap();
    std::fs::write(&names, format!("{text}\n{} {NAME}\n", node.address)).unwrap();
    run("mount", &["--bind", names.to_str().unwrap(), "/etc/hosts"]);
    serving
}
