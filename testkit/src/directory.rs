//! Temporary directories whose paths are short enough for unix sockets.

use std::path::Path;

use tempfile::TempDir;

/// Bytes of a directory's path. The path of a unix socket has at most 107 bytes, and the longest file
/// name in a directory has 6.
const PATH_BYTES_MAX: usize = 100;

/// Creates a temporary directory whose path is short enough for a unix socket in it.
pub(crate) fn directory() -> TempDir {
    let create = |root: &Path| {
        let directory = tempfile::Builder::new().prefix("pl").tempdir_in(root);
        directory.unwrap_or_else(|e| panic!("cannot create a directory in {}: {e}", root.display()))
    };
    let default = create(&std::env::temp_dir());
    if default.path().as_os_str().len() <= PATH_BYTES_MAX {
        return default;
    }
    create(Path::new("/tmp"))
}
