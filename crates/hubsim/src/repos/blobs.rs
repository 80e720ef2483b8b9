//! File contents on disk, by git blob id (regular files) or SHA-256 (large files).

use std::io;
use std::path::{Path, PathBuf};

use axum::body::Body;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

use crate::ids::{hex, random_id};

/// A folder of contents. A content that is there is complete.
#[derive(Debug)]
pub struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(key)
    }

    pub async fn has(&self, key: &str) -> bool {
        is_key(key) && fs::try_exists(self.path(key)).await.unwrap_or(false)
    }

    pub async fn open_file(&self, key: &str) -> io::Result<File> {
        File::open(self.path(key)).await
    }

    pub async fn read(&self, key: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(key)).await
    }

    /// Keeps a content under its key.
    pub async fn put(&self, key: &str, content: &[u8]) -> io::Result<()> {
        if self.has(key).await {
            return Ok(());
        }
        let temporary = self.temporary();
        fs::write(&temporary, content).await?;
        fs::rename(&temporary, self.path(key)).await
    }

    /// Keeps a streamed content if its SHA-256 is `expected`; says whether it was.
    pub async fn receive(&self, expected: &str, body: Body) -> io::Result<bool> {
        let temporary = self.temporary();
        let received = write_stream(&temporary, body).await;
        match received {
            Ok(sha256) if sha256 == expected => {
                fs::rename(&temporary, self.path(expected)).await?;
                Ok(true)
            }
            other => {
                fs::remove_file(&temporary).await?;
                other.map(|_| false)
            }
        }
    }

    fn temporary(&self) -> PathBuf {
        self.folder.join(format!("incoming-{}", random_id()))
    }
}

/// A SHA-1 or SHA-256 in lower-case hexadecimal.
fn is_key(key: &str) -> bool {
    (key.len() == 40 || key.len() == 64)
        && key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

async fn write_stream(path: &Path, body: Body) -> io::Result<String> {
    let mut file = File::create(path).await?;
    let mut hash = Sha256::new();
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(io::Error::other)?;
        hash.update(&chunk);
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    Ok(hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_was_announced_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().to_owned()).unwrap();
        let sha = hex(&Sha256::digest(b"hello"));
        assert!(!blobs.receive(&sha, Body::from("hullo")).await.unwrap());
        assert!(!blobs.has(&sha).await);
        assert!(blobs.receive(&sha, Body::from("hello")).await.unwrap());
        assert!(blobs.has(&sha).await);
        assert!(!blobs.has("../etc").await);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
