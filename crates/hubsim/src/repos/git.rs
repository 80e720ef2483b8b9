//! Git's object ids (SHA-1), so that clients which compute them find the same.

use std::collections::BTreeMap;

use sha1::{Digest, Sha1};

use crate::ids::hex;

/// A file in a commit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// Blob id; of the pointer text for a large file.
    pub oid: String,
    /// Bytes of the content.
    pub size: u64,
    /// SHA-256 of a large file's content.
    pub lfs: Option<String>,
}

/// All files of a commit by path.
pub type Files = BTreeMap<String, Entry>;

impl Entry {
    /// A file kept in git itself.
    pub fn regular(content: &[u8]) -> Self {
        Self {
            oid: blob(content),
            size: length(content),
            lfs: None,
        }
    }

    /// A large file: git keeps only a pointer to it.
    pub fn large(sha256: &str, size: u64) -> Self {
        Self {
            oid: blob(pointer(sha256, size).as_bytes()),
            size,
            lfs: Some(sha256.to_owned()),
        }
    }

    /// The key of the content in the blob store.
    pub fn key(&self) -> &str {
        self.lfs.as_deref().unwrap_or(&self.oid)
    }

    /// Bytes of the pointer text.
    pub fn pointer_size(&self) -> Option<u64> {
        let text = pointer(self.lfs.as_deref()?, self.size);
        Some(length(text.as_bytes()))
    }
}

fn length(content: &[u8]) -> u64 {
    u64::try_from(content.len()).unwrap_or(u64::MAX)
}

fn pointer(sha256: &str, size: u64) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n")
}

fn object(kind: &str, content: &[u8]) -> [u8; 20] {
    let mut hash = Sha1::new();
    hash.update(format!("{kind} {}\0", content.len()));
    hash.update(content);
    hash.finalize().into()
}

/// Id of a file's content.
pub fn blob(content: &[u8]) -> String {
    hex(&object("blob", content))
}

/// Id of the folder whose files' paths start with `prefix` (empty, or ending in `/`).
pub fn tree(files: &Files, prefix: &str) -> String {
    hex(&tree_bytes(files, prefix))
}

fn tree_bytes(files: &Files, prefix: &str) -> [u8; 20] {
    // Git sorts folders as if their names ended in a slash, which is the order of the full paths.
    let mut content = Vec::new();
    let mut folder = None;
    let below = files
        .range(prefix.to_owned()..)
        .take_while(|(path, _)| path.starts_with(prefix));
    for (path, entry) in below {
        let rest = &path[prefix.len()..];
        let (name, mode, id) = match rest.split_once('/') {
            Some((name, _)) if folder == Some(name) => continue,
            Some((name, _)) => {
                folder = Some(name);
                (
                    name,
                    "40000",
                    tree_bytes(files, &format!("{prefix}{name}/")).to_vec(),
                )
            }
            None => (rest, "100644", unhex(&entry.oid)),
        };
        content.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        content.extend_from_slice(&id);
    }
    object("tree", &content)
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
            .unwrap_or(0)
    };
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

/// Id of a commit.
pub fn commit(
    files: &Files,
    parent: Option<&str>,
    author: &str,
    seconds: i64,
    message: &str,
) -> String {
    let tree = tree(files, "");
    let parent = parent
        .map(|oid| format!("parent {oid}\n"))
        .unwrap_or_default();
    let person = format!("{author} <{author}@users.noreply.huggingface.co> {seconds} +0000");
    let text = format!("tree {tree}\n{parent}author {person}\ncommitter {person}\n\n{message}");
    hex(&object("commit", text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git() {
        assert_eq!(blob(b"hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(
            tree(&Files::new(), ""),
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        );
        // Made with git: a/b.txt and a.txt, both "hello\n".
        let file = Entry::regular(b"hello\n");
        let files: Files = [
            ("a/b.txt".to_owned(), file.clone()),
            ("a.txt".to_owned(), file),
        ]
        .into();
        assert_eq!(
            tree(&files, "a/"),
            "dd5a3627ad3d4a1eaa9b180972bab37891a5e101"
        );
        assert_eq!(tree(&files, ""), "e9d00327ba627626531609529f87f79a0b097ba5");
    }

    #[test]
    fn a_large_file_is_a_pointer_in_git() {
        let entry = Entry::large(&"0".repeat(64), 12);
        assert_eq!(entry.pointer_size(), Some(127));
        assert_eq!(entry.key(), "0".repeat(64));
    }
}
