//! Which files are kept in git and which outside of it (large file storage).

/// Extensions that a new repository's `.gitattributes` sends to large file storage.
const LARGE: [&str; 36] = [
    "7z",
    "arrow",
    "avro",
    "bin",
    "bz2",
    "ckpt",
    "db",
    "duckdb",
    "ftz",
    "gguf",
    "gz",
    "h5",
    "joblib",
    "lz4",
    "mlmodel",
    "model",
    "msgpack",
    "npy",
    "npz",
    "onnx",
    "ot",
    "parquet",
    "pb",
    "pickle",
    "pkl",
    "pt",
    "pth",
    "rar",
    "safetensors",
    "tar",
    "tflite",
    "tgz",
    "wasm",
    "xz",
    "zip",
    "zst",
];

/// Bytes; what is larger never goes into git.
pub const LARGEST_REGULAR: u64 = 10 << 20;
/// Bytes; binary content above this never goes into git.
pub const LARGEST_BINARY: usize = 1 << 20;

/// The text of a new repository's `.gitattributes`.
pub fn attributes() -> String {
    let line = |extension: &str| format!("*.{extension} filter=lfs diff=lfs merge=lfs -text\n");
    LARGE.iter().map(|extension| line(extension)).collect()
}

/// Whether a file belongs into large file storage. `sample` is its beginning.
pub fn is_large(path: &str, size: u64, sample: &[u8]) -> bool {
    if size == 0 {
        return false;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    LARGE.contains(&extension.to_ascii_lowercase().as_str())
        || size > LARGEST_REGULAR
        || is_binary(sample)
}

/// Git's own rule of thumb.
pub fn is_binary(content: &[u8]) -> bool {
    content.iter().take(8000).any(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sizes_and_samples_decide() {
        assert!(is_large("a/model.safetensors", 3, b"abc"));
        assert!(!is_large("a/model.safetensors", 0, b""));
        assert!(!is_large("README.md", 3, b"abc"));
        assert!(is_large("picture", 3, b"a\0c"));
        assert!(is_large("train.csv", LARGEST_REGULAR + 1, b"a,b"));
        assert!(attributes().contains("*.parquet filter=lfs"));
    }
}
