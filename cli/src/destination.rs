//! Files that are written: whole or not at all, and secret ones for nobody else.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser as _, ValueParser, ValueParserFactory};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::fault::{self, Fault};
use crate::output::{self, Output};
use crate::private_key;
use crate::terminal::{Printable, warn};

/// The destination that `--out` names.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// `-`.
    Stdout,
    /// A path.
    File(PathBuf),
}

impl TryFrom<OsString> for Destination {
    type Error = &'static str;

    fn try_from(argument: OsString) -> Result<Self, Self::Error> {
        match argument.to_str() {
            Some("") => Err("give a file, or - for stdout"),
            Some("-") => Ok(Self::Stdout),
            _ => Ok(Self::File(argument.into())),
        }
    }
}

/// File names need not be UTF-8.
impl ValueParserFactory for Destination {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        OsStringValueParser::new().try_map(Self::try_from).into()
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => formatter.write_str("stdout"),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

/// The kind of file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Readable by all, unless what it replaces was not.
    PublicText,
    /// The same, but not fit for a terminal.
    PublicBinary,
    /// A token: anybody who reads it can use it while it is valid. Mode 0600, unless its owner gave the file that it
    /// replaces another one.
    BearerText,
    /// The same, but not fit for a terminal.
    BearerBinary,
    /// Mode 0600; replaces what was there only if told so.
    Secret {
        /// True if `--force` was given.
        replace: bool,
    },
}

impl Content {
    const fn is_binary(self) -> bool {
        matches!(self, Self::PublicBinary | Self::BearerBinary)
    }

    const fn is_public(self) -> bool {
        matches!(self, Self::PublicText | Self::PublicBinary)
    }
}

impl Destination {
    /// Refuses, before any work is done, what [`write`](Self::write) would refuse after it.
    pub(crate) fn check(&self, content: Content, output: &Output) -> Result<(), Fault> {
        match self {
            Self::Stdout if output.is_json() => Err(Fault::failure(
                "`--out -` and `--json` would both write to stdout",
            )
            .hint("give `--out` a file")),
            Self::Stdout if content.is_binary() && io::stdout().is_terminal() => Err(
                Fault::failure("the output is binary, and stdout is a terminal")
                    .hint("give `--out` a file, or redirect stdout"),
            ),
            Self::Stdout => output::check_stdout(),
            Self::File(path) => check_file(path, content),
        }
    }

    /// Writes all of `octets`, or changes nothing.
    pub(crate) fn write(&self, octets: &[u8], content: Content) -> Result<(), Fault> {
        match self {
            Self::Stdout => {
                output::check_stdout()?;
                let mut stdout = io::stdout().lock();
                stdout
                    .write_all(octets)
                    .and_then(|()| stdout.flush())
                    .map_err(|error| fault::error_on_stdout(&error).undelivered())
            }
            Self::File(path) => {
                check_file(path, content)?;
                let is_replaced = replaces_certificate(path, octets);
                write_file(path, octets, content).map_err(|error| {
                    if error.kind() == io::ErrorKind::AlreadyExists {
                        already_there(path)
                    } else {
                        Fault::io("write", path, &error)
                    }
                })?;
                if is_replaced {
                    warn(format_args!(
                        "{} contained another certificate, which was replaced",
                        path.display()
                    ));
                }
                Ok(())
            }
        }
    }

    /// The result of a command that wrote a file, which goes unsaid where the file itself went to stdout. `text` is one
    /// line, and names in it can't make it two.
    pub(crate) fn report(
        &self,
        output: &Output,
        document: &impl Serialize,
        text: &impl fmt::Display,
    ) -> Result<(), Fault> {
        match self {
            Self::Stdout => Ok(()),
            Self::File(_) => {
                let line = text.to_string();
                output.result(document, &format_args!("{}\n", Printable(&line)))
            }
        }
    }
}

/// Refuses what stands in the way at `path` of writing `content` there. Somebody else can be at the other end of a pipe
/// or a device, and can have made it for that; a key does not go through a link either.
fn check_file(path: &Path, content: Content) -> Result<(), Fault> {
    if !matches!(content, Content::Secret { .. })
        && holds_private_key(path).map_err(|error| unknown_content(path, &error))?
    {
        return Err(already_there(path));
    }
    let present = match content {
        Content::PublicText | Content::PublicBinary => return Ok(()),
        Content::BearerText | Content::BearerBinary => path.metadata(),
        Content::Secret { .. } => path.symlink_metadata(),
    };
    match present {
        Ok(present) if !present.is_file() => Err(no_regular_file(path)),
        Ok(_) if content == (Content::Secret { replace: false }) => Err(already_there(path)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unknown_content(path, &error)),
        _ => Ok(()),
    }
}

/// Tells whether what would be replaced is a private key: the wrong file after `--out` must not cost anybody their key.
///
/// An error means that nobody knows: what is there is not replaced.
fn holds_private_key(path: &Path) -> io::Result<bool> {
    /// More than a PKCS #8 file has before its label.
    const START_OCTETS: u64 = 4096;
    let target = follow_links(path)?;
    match target.metadata() {
        Ok(present) if present.is_file() => {}
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    }
    let mut start = Zeroizing::new(Vec::with_capacity(4096));
    File::open(&target)?
        .take(START_OCTETS)
        .read_to_end(&mut start)?;
    Ok(private_key::is_in(&start))
}

/// The refusal to replace a file that can't be looked at, as it may be a key.
fn unknown_content(path: &Path, error: &io::Error) -> Fault {
    Fault::failure(format!(
        "cannot read {}, so it is not replaced: {error}",
        path.display()
    ))
    .hint("choose another file; this one may be a private key, so look at it before you delete it")
}

/// True if `octets` are a certificate (PEM) that takes the place of another one.
fn replaces_certificate(path: &Path, octets: &[u8]) -> bool {
    const LABEL: &[u8] = b"-----BEGIN CERTIFICATE-----";
    if !octets.starts_with(LABEL) || !is_regular_or_missing(path) {
        return false;
    }
    // Up to where it must be another one.
    let length = u64::try_from(octets.len()).unwrap_or(u64::MAX);
    let mut old = Vec::new();
    File::open(path)
        .and_then(|file| file.take(length.saturating_add(1)).read_to_end(&mut old))
        .is_ok_and(|_| old.starts_with(LABEL) && old != octets)
}

fn no_regular_file(path: &Path) -> Fault {
    Fault::failure(format!(
        "{} is not a regular file; secrets are written only to regular files",
        path.display()
    ))
    .hint("choose another file, or write to stdout with `--out -`")
}

fn already_there(path: &Path) -> Fault {
    Fault::failure(format!(
        "{} already exists, and existing keys are not overwritten",
        path.display()
    ))
    .hint("choose another file, or delete this one if its key is no longer needed (`key generate --force` replaces it)")
}

fn write_file(path: &Path, octets: &[u8], content: Content) -> io::Result<()> {
    if let Content::Secret { replace } = content {
        // By its name alone: whatever came to be there since it was checked is replaced or refused, and not written to.
        let file = prepare(path, octets, 0o600)?;
        if replace {
            file.persist(path)?;
        } else {
            file.persist_noclobber(path)?;
        }
        persist_directory(path);
        return Ok(());
    }
    let target = follow_links(path)?;
    if content.is_public() && !is_regular_or_missing(&target) {
        // A device or a pipe: it stays what it is.
        let mut file = File::options().write(true).open(&target)?;
        return file.write_all(octets);
    }
    let mode = if content.is_public() { 0o666 } else { 0o600 };
    let file = prepare(&target, octets, mode)?;
    if let Ok(replaced) = target.metadata() {
        keep_permissions(file.as_file(), &replaced, content)?;
    }
    file.persist(&target)?;
    persist_directory(&target);
    Ok(())
}

/// The path without symbolic links, whether there is anything yet at its end or not, so that links stay links.
///
/// A link that somebody else put there is not followed: in a directory that all can write to, its owner would choose
/// which file is replaced. Linux has the same rule for opening files (`fs.protected_symlinks`, `proc_sys_fs(5)`), which a
/// rename goes past.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows (`path_resolution(7)`).
    const MAX_LINKS: usize = 40;
    let mut links = 0;
    let mut resolved = PathBuf::new();
    let mut rest: Vec<OsString> = reversed_components(path);
    while let Some(component) = rest.pop() {
        let next = resolved.join(&component);
        let target = match next.symlink_metadata() {
            Ok(found) if found.is_symlink() => {
                check_owner(&found, &next)?;
                fs::read_link(&next)?
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {
                resolved = next;
                continue;
            }
        };
        links += 1;
        if links > MAX_LINKS {
            return Err(io::Error::other("too many symbolic links"));
        }
        if target.is_absolute() {
            resolved = PathBuf::new();
        }
        rest.extend(reversed_components(&target));
    }
    Ok(resolved)
}

/// The components of a path, the last one first. `..` is one of them: what it leads to depends on the links before it.
fn reversed_components(path: &Path) -> Vec<OsString> {
    let components = path.components();
    components
        .rev()
        .map(|component| component.as_os_str().to_owned())
        .collect()
}

/// Refuses a link that belongs neither to this process's user nor to root nor to the owner of the directory that it is in.
#[cfg(unix)]
fn check_owner(link: &fs::Metadata, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    const ROOT: u32 = 0;
    let directory = directory_of(path).metadata()?;
    let user = rustix::process::geteuid().as_raw();
    if [user, ROOT, directory.uid()].contains(&link.uid()) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!(
            "{} is a symbolic link of another user, which is not followed",
            path.display()
        ),
    ))
}

#[cfg(not(unix))]
fn check_owner(_: &fs::Metadata, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Gives `file` the permission bits of the file that it replaces, and the group that they speak of.
///
/// A token takes them over only from a file of the same owner: anybody can make a file that all can read where others
/// are going to write.
#[cfg(unix)]
fn keep_permissions(file: &File, replaced: &fs::Metadata, content: Content) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    const GROUP: u32 = 0o070;
    let own = file.metadata()?;
    if !content.is_public() && own.uid() != replaced.uid() {
        return Ok(());
    }
    let mut mode = replaced.permissions().mode() & 0o777;
    let is_same_group =
        own.gid() == replaced.gid() || fchown(file, None, Some(replaced.gid())).is_ok();
    if !is_same_group && !content.is_public() {
        mode &= !GROUP;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_permissions(_: &File, _: &fs::Metadata, _: Content) -> io::Result<()> {
    Ok(())
}

fn is_regular_or_missing(path: &Path) -> bool {
    path.metadata().map_or(true, |metadata| metadata.is_file())
}

/// The whole content in a file with another name in the same directory, on the disk.
fn prepare(path: &Path, octets: &[u8], mode: u32) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kliento-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(directory_of(path))?;
    file.write_all(octets)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes the new name durable where the system has such a thing; the file itself is there in any case.
fn persist_directory(path: &Path) {
    if cfg!(unix) {
        let _ = File::open(directory_of(path)).and_then(|directory| directory.sync_all());
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_the_target_of_a_link_and_not_the_link() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_file(&link, b"new", Content::PublicText).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }

    #[test]
    fn follows_links_through_directories_and_to_what_is_not_there_yet() {
        use std::os::unix::fs::symlink;
        let scratch = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(scratch.path()).unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        symlink("a/b", root.join("relative")).unwrap();
        symlink(root.join("relative"), root.join("absolute")).unwrap();
        symlink("../new", root.join("a/b/up")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        for (path, expected) in [
            ("absolute/up", "a/new"),
            ("relative/../c", "a/c"),
            ("a/b/d", "a/b/d"),
        ] {
            let found = follow_links(&root.join(path)).unwrap();
            let parent = fs::canonicalize(directory_of(&found)).unwrap();
            assert_eq!(parent.join(found.file_name().unwrap()), root.join(expected));
        }
        assert!(follow_links(&root.join("loop")).is_err());
        assert_eq!(follow_links(Path::new("x")).unwrap(), Path::new("x"));
    }

    /// As in /tmp, where anybody can put a link in the way of what root writes.
    #[test]
    fn does_not_follow_a_link_that_somebody_else_made() {
        use std::os::unix::fs::{lchown, symlink};
        const NOBODY: u32 = 65_534;
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("victim"), "old").unwrap();
        fs::create_dir(path("inner")).unwrap();
        symlink(path("victim"), path("link")).unwrap();
        symlink(path("inner"), path("directory")).unwrap();
        symlink(path("new"), path("dangling")).unwrap();
        for name in ["link", "directory", "dangling"] {
            // Only root can give a link away; there is nothing to try as anybody else.
            if lchown(path(name), Some(NOBODY), None).is_err() {
                return;
            }
        }
        for name in ["link", "directory/file", "dangling"] {
            for content in [Content::PublicText, Content::BearerText] {
                let error = write_file(&path(name), b"new", content).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{name}");
                check_file(&path(name), content).unwrap_err();
            }
        }
        assert_eq!(fs::read(path("victim")).unwrap(), b"old");
        assert!(!path("new").exists() && !path("inner/file").exists());
    }

    #[test]
    fn what_can_not_be_looked_at_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        // A file in the place of a directory: looking further is an error, and not the same as finding nothing.
        let file = directory.path().join("file");
        fs::write(&file, "x").unwrap();
        let below = file.join("key");
        for content in [
            Content::PublicText,
            Content::BearerText,
            Content::Secret { replace: true },
        ] {
            check_file(&below, content).unwrap_err();
        }
    }

    // With a socket and not with a device of the system's, which a bug here would do away with.
    #[test]
    fn leaves_what_is_no_regular_file_what_it_is() {
        use std::os::unix::fs::FileTypeExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(write_file(&path, b"x", Content::PublicText).is_err());
        assert!(path.metadata().unwrap().file_type().is_socket());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_token_does_not_take_over_the_mode_that_somebody_else_chose() {
        use std::os::unix::fs::{PermissionsExt as _, chown};
        const NOBODY: u32 = 65_534;
        let directory = tempfile::tempdir().unwrap();
        let foreign = directory.path().join("foreign");
        fs::write(&foreign, "bait").unwrap();
        fs::set_permissions(&foreign, fs::Permissions::from_mode(0o644)).unwrap();
        // Only root can give a file away, and for all others the root directory is somebody else's.
        let replaced = match chown(&foreign, Some(NOBODY), None) {
            Ok(()) => foreign.metadata().unwrap(),
            Err(_) => Path::new("/").metadata().unwrap(),
        };
        for (content, is_taken_over) in [
            (Content::BearerText, false),
            (Content::BearerBinary, false),
            (Content::PublicText, true),
        ] {
            let file = prepare(&directory.path().join("token"), b"x", 0o600).unwrap();
            keep_permissions(file.as_file(), &replaced, content).unwrap();
            let mode = file.as_file().metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode != 0o600, is_taken_over, "{content:?}");
        }
    }

    #[test]
    fn leaves_nothing_behind_when_it_can_not_finish() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, "old").unwrap();
        let secret = Content::Secret { replace: false };
        let error = write_file(&path, b"new", secret).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
