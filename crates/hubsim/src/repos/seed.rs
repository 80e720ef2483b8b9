//! Repositories that are there from the start.

use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use sha2::{Digest, Sha256};

use super::commit::check_path;
use super::git::{Entry, Files};
use super::kind::RepoKind;
use super::repo::Repo;
use super::store::Repos;
use super::upload_mode;
use crate::ids::hex;

/// Bytes of the beginning of a file that decide how it is kept.
const SAMPLE: usize = 512;

/// Adds a public repository; one that exists is left as it is.
pub async fn add(
    repos: &Repos,
    kind: RepoKind,
    id: &str,
    files: Vec<(String, Vec<u8>)>,
) -> anyhow::Result<()> {
    let parts: Vec<&str> = id.split('/').collect();
    ensure!(
        parts.len() == 2 && parts.iter().all(|part| !part.is_empty()),
        "not namespace/name: {id}"
    );
    if repos.get(kind, id).is_some() {
        return Ok(());
    }
    let mut kept = Files::new();
    for (path, content) in files {
        check_path(&path).map_err(|_| anyhow!("not a path inside a repository: {path}"))?;
        let entry = entry(&path, &content);
        repos.blobs.put(entry.key(), &content).await?;
        kept.insert(path, entry);
    }
    let sdk = (kind == RepoKind::Space).then(|| "static".to_owned());
    let repo = Repo::new(kind, id, false, sdk, kept);
    repos
        .add(repo)
        .await
        .map_err(|error| anyhow!("cannot keep {id}: {error:?}"))?;
    Ok(())
}

fn entry(path: &str, content: &[u8]) -> Entry {
    let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
    let sample = &content[..content.len().min(SAMPLE)];
    if upload_mode::is_large(path, size, sample) {
        Entry::large(&hex(&Sha256::digest(content)), size)
    } else {
        Entry::regular(content)
    }
}

/// Adds what lies in `{folder}/{models,datasets,spaces}/NAMESPACE/NAME/…`; no such folder is fine.
pub async fn from_folder(repos: &Repos, folder: &Path) -> anyhow::Result<()> {
    for kind in RepoKind::ALL {
        for (namespace, path) in folders(&folder.join(kind.plural()))? {
            for (name, path) in folders(&path)? {
                let mut files = Vec::new();
                collect(&path, "", &mut files)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                add(repos, kind, &format!("{namespace}/{name}"), files).await?;
            }
        }
    }
    Ok(())
}

fn folders(path: &Path) -> anyhow::Result<Vec<(String, std::path::PathBuf)>> {
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push((
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            ));
        }
    }
    Ok(found)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.push((path, std::fs::read(entry.path())?));
        }
    }
    Ok(())
}
