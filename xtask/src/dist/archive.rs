//! Archives whose octets depend on what is in them and on nothing else: no clock, no user, no order of directories.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use flate2::{Compression, GzBuilder};

/// The files of an archive by their paths, with the folders above them. Everything belongs to root.
#[derive(Clone, Default)]
pub(crate) struct Tree {
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone)]
enum Entry {
    Folder { mode: u32 },
    File { mode: u32, octets: Vec<u8> },
}

/// The mode of files for everybody to read.
pub(crate) const DATA: u32 = 0o644;
/// The mode of programs, scripts and folders.
pub(crate) const PROGRAM: u32 = 0o755;

impl Tree {
    /// Adds a file, and the folders above it. The path is relative and has no `.` in it.
    pub(crate) fn add(&mut self, path: &str, mode: u32, octets: impl Into<Vec<u8>>) {
        self.add_folder_of(path);
        let octets = octets.into();
        self.entries
            .insert(path.to_owned(), Entry::File { mode, octets });
    }

    /// Adds an empty folder, and those above it.
    pub(crate) fn add_folder(&mut self, path: &str, mode: u32) {
        self.add_folder_of(path);
        self.entries.insert(path.to_owned(), Entry::Folder { mode });
    }

    fn add_folder_of(&mut self, path: &str) {
        for (end, _) in path.match_indices('/') {
            if let Some(folder) = path.get(..end) {
                self.entries
                    .entry(folder.to_owned())
                    .or_insert(Entry::Folder { mode: PROGRAM });
            }
        }
    }

    /// The files with their octets, in the order of their paths.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.entries.iter().filter_map(|(path, entry)| match entry {
            Entry::File { octets, .. } => Some((path.as_str(), octets.as_slice())),
            Entry::Folder { .. } => None,
        })
    }

    /// An archive in the format of tar. `prefix` stands before each path. Folders come before what they hold.
    pub(crate) fn tar(&self, prefix: &str, modified: u64) -> io::Result<Vec<u8>> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut add = |path: &str, mode: u32, kind: tar::EntryType, octets: &[u8]| {
            let mut header = tar::Header::new_gnu();
            // Not by `set_path`, which leaves out the `./` that Debian's tools look for. A name of 100 octets has no
            // end.
            let field = &mut header.as_old_mut().name;
            field
                .get_mut(..path.len())
                .ok_or_else(|| io::Error::other(format!("the path {path} is too long")))?
                .copy_from_slice(path.as_bytes());
            header.set_entry_type(kind);
            header.set_mode(mode);
            header.set_mtime(modified);
            header.set_uid(0);
            header.set_gid(0);
            header.set_username("root")?;
            header.set_groupname("root")?;
            header.set_size(octets.len() as u64);
            header.set_cksum();
            builder.append(&header, octets)
        };
        if !prefix.is_empty() {
            add(prefix, PROGRAM, tar::EntryType::Directory, &[])?;
        }
        for (path, entry) in &self.entries {
            match entry {
                Entry::Folder { mode } => {
                    let path = format!("{prefix}{path}/");
                    add(&path, *mode, tar::EntryType::Directory, &[])?;
                }
                Entry::File { mode, octets } => {
                    let path = format!("{prefix}{path}");
                    add(&path, *mode, tar::EntryType::Regular, octets)?;
                }
            }
        }
        builder.into_inner()
    }
}

/// Compresses without a name and a time in the header.
pub(crate) fn gzip(octets: &[u8]) -> io::Result<Vec<u8>> {
    /// RFC 1952 §2.3.1: no statement about the operating system.
    const UNKNOWN_SYSTEM: u8 = 255;
    let mut writer = GzBuilder::new()
        .mtime(0)
        .operating_system(UNKNOWN_SYSTEM)
        .write(Vec::new(), Compression::best());
    writer.write_all(octets)?;
    writer.finish()
}

/// An archive in the format of `ar`, as Debian's packages have it: names of up to 16 octets, all files of root.
pub(crate) fn ar(files: &[(&str, &[u8])], modified: u64) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, octets) in files {
        let size = octets.len();
        let header = format!("{name:<16}{modified:<12}0     0     100644  {size:<10}`\n");
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(octets);
        if size % 2 == 1 {
            archive.push(b'\n');
        }
    }
    archive
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        tree.add("usr/bin/kliento", PROGRAM, "program");
        tree.add("usr-local", DATA, "");
        tree.add_folder("tmp", 0o1777);
        tree
    }

    #[test]
    fn folders_come_first_and_everything_is_of_root_and_of_one_time() {
        let tar = tree().tar("./", 1_700_000_000).unwrap();
        let mut archive = tar::Archive::new(tar.as_slice());
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(header.mtime().unwrap(), 1_700_000_000);
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            assert_eq!(header.username().unwrap(), Some("root"));
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            seen.push((path, header.mode().unwrap()));
        }
        let expected = [
            ("./", 0o755),
            ("./tmp/", 0o1777),
            ("./usr/", 0o755),
            ("./usr-local", 0o644),
            ("./usr/bin/", 0o755),
            ("./usr/bin/kliento", 0o755),
        ];
        assert_eq!(seen, expected.map(|(path, mode)| (path.to_owned(), mode)));
    }

    #[test]
    fn gzip_says_nothing_of_time_and_machine() {
        let compressed = gzip(b"octets").unwrap();
        // RFC 1952 §2.3: no flags (so no name), time zero, best compression, unknown system.
        assert_eq!(compressed[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
        let mut read = String::new();
        flate2::read::GzDecoder::new(compressed.as_slice())
            .read_to_string(&mut read)
            .unwrap();
        assert_eq!(read, "octets");
    }

    #[test]
    fn members_of_ar_begin_at_even_offsets() {
        let archive = ar(
            &[("debian-binary", b"2.0\n"), ("odd", b"abc"), ("last", b"")],
            7,
        );
        let text = String::from_utf8(archive).unwrap();
        let header = |name: &str, size: u32| {
            format!("{name:<16}7           0     0     100644  {size:<10}`\n")
        };
        let expected = [
            "!<arch>\n".to_owned(),
            header("debian-binary", 4),
            "2.0\n".to_owned(),
            header("odd", 3),
            "abc\n".to_owned(),
            header("last", 0),
        ];
        assert_eq!(text, expected.concat());
        assert!(expected[1..].iter().all(|part| part.len() % 2 == 0));
    }
}
