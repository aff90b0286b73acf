//! The credentials of the dashboard's own OAuthClient: a mounted Secret, which the kubelet replaces when the secret rotates.

use std::path::PathBuf;

use clientele_kubectl::Failure;

/// The folder in which each entry of the Secret is a file.
#[derive(Clone, Debug)]
pub struct Place(pub PathBuf);

/// What is in it. Neither printed nor kept.
pub struct Credentials {
    /// `ISSUER`
    pub issuer: String,
    /// `CLIENT_ID`
    pub client_id: String,
    /// `CLIENT_SECRET`; a Public client has none.
    pub secret: Option<String>,
}

impl Place {
    /// Reads the entries of now.
    pub fn read(&self) -> Result<Credentials, Failure> {
        Ok(Credentials {
            issuer: self.entry("ISSUER")?,
            client_id: self.entry("CLIENT_ID")?,
            secret: self.entry("CLIENT_SECRET").ok(),
        })
    }

    fn entry(&self, name: &str) -> Result<String, Failure> {
        let path = self.0.join(name);
        let bad = |why: &str| {
            Failure::new(format!(
                "{} cannot be read ({why}): mount the Secret clientele-dashboard-oauth, which the operator makes with --dashboard-url, and name its folder with --credentials",
                path.display()
            ))
        };
        let text = std::fs::read_to_string(&path).map_err(|error| bad(&error.to_string()))?;
        match text.trim() {
            "" => Err(bad("it is empty")),
            text => Ok(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entries_of_now_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place(folder.path().to_owned());
        let said = place.read().err().unwrap().to_string();
        assert!(
            said.contains("ISSUER") && said.contains("clientele-dashboard-oauth"),
            "{said}"
        );
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("ISSUER", "https://id.example\n");
        write("CLIENT_ID", "");
        assert!(
            place
                .read()
                .err()
                .unwrap()
                .to_string()
                .contains("it is empty")
        );
        write("CLIENT_ID", "a.b");
        assert!(place.read().unwrap().secret.is_none());
        write("CLIENT_SECRET", "one");
        assert_eq!(place.read().unwrap().secret.as_deref(), Some("one"));
        write("CLIENT_SECRET", "two");
        assert_eq!(
            place.read().unwrap().secret.as_deref(),
            Some("two"),
            "rotated"
        );
    }
}
