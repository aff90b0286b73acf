//! A chart, packaged as it is published, and the image that it is installed with.

use std::path::{Path, PathBuf};

use super::machine::{Image, Node};

/// What an operator installs.
pub struct Release {
    chart: PathBuf,
    /// Its image.
    pub image: Image,
    _files: tempfile::TempDir,
}

impl Release {
    /// This tree.
    pub fn present(node: &Node) -> Self {
        Self::packaged(node, Path::new("charts/clientele"), Image::present())
    }

    /// The release before.
    pub fn previous(node: &Node) -> Self {
        let kept = std::env::var_os("CLIENTELE_PREVIOUS").expect("scripts/test says where it is");
        let chart = Path::new(&kept).join("charts/clientele");
        Self::packaged(node, &chart, Image::previous())
    }

    fn packaged(node: &Node, chart: &Path, image: Image) -> Self {
        node.import(&image);
        let files = tempfile::tempdir().unwrap();
        let (chart, folder) = (chart.to_str().unwrap(), files.path().to_str().unwrap());
        node.helm(&["package", chart, "--destination", folder])
            .unwrap();
        let found = std::fs::read_dir(files.path()).unwrap().next();
        Self {
            chart: found.expect("helm package writes a file").unwrap().path(),
            image,
            _files: files,
        }
    }

    /// The packaged chart.
    pub fn chart(&self) -> &str {
        self.chart.to_str().unwrap()
    }
}
