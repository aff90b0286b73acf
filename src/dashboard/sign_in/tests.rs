//! What is wrong before anybody signs in. Sign-ins need an issuer: `tests/it/protocol/dashboard.rs`.

use super::*;
use crate::server::{Bound, ForPeople};

const ORIGIN: &str = "https://dashboard.example.com";

#[tokio::test]
async fn n09_a_dashboard_at_the_issuer_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let start = async |issuer: &str, origin: &str| {
        for (entry, value) in [
            ("ISSUER", issuer),
            ("CLIENT_ID", "system.clientele-dashboard"),
        ] {
            std::fs::write(folder.path().join(entry), value).unwrap();
        }
        let settings = ForPeople {
            listen: ([127, 0, 0, 1], 0).into(),
            read_only: false,
            sign_in: Settings {
                origin: origin.to_owned(),
                credentials: folder.path().to_owned(),
                api_server: "https://k8s.example.com".to_owned(),
                api_server_ca: None,
            },
            issuer_ca: None,
        };
        Bound::for_people(&settings)
            .await
            .err()
            .map(|failure| failure.to_string())
    };
    let at_issuer = start("https://dashboard.example.com/auth", ORIGIN)
        .await
        .unwrap();
    assert!(at_issuer.contains("a host name of its own"), "{at_issuer}");
    let with_path = start("https://id.example", "https://dashboard.example.com/d")
        .await
        .unwrap();
    assert!(with_path.contains("must have no path"), "{with_path}");
    assert_eq!(start("https://id.example", ORIGIN).await, None);
}
