//! Where the node keeps the file of SQLite.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::machine::Node;

const VOLUME: &str = "
apiVersion: v1
kind: PersistentVolume
metadata: {name: clientele}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: CLASS
  hostPath: {path: FOLDER, type: Directory}
";

/// Makes a volume of this class below a folder; without a class for a claim that names none.
pub fn keep(node: &Node, class: &str, files: &TempDir) {
    let folder = files.path().join("volume");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(files.path(), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    let class = format!("'{class}'");
    let volume = VOLUME.replace("FOLDER", folder.to_str().unwrap());
    let file = files.path().join("volume.yaml");
    std::fs::write(&file, volume.replace("CLASS", &class)).unwrap();
    node.kubectl(&["apply", "-f", file.to_str().unwrap()])
        .unwrap();
}
