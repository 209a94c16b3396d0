//! `kliento serve` as a process of its own, and clients that speak to it as plainly as possible.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Run, Scratch};

/// Longer than anything here takes on a machine that has other things to do, too.
const PATIENCE: Duration = Duration::from_secs(120);

/// Until `condition` holds, which it must before long.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A server that runs until this is dropped.
pub(crate) struct Server {
    child: Child,
    addresses: Vec<Value>,
    stderr: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts it in `directory` with a configuration, on a port that the system chooses.
    pub(crate) fn configured(scratch: &Scratch, configuration: &str) -> Self {
        let file = scratch.file("kliento.toml");
        std::fs::write(&file, configuration).unwrap();
        Self::start(
            scratch.path(),
            &["--config", &file, "--listen", "127.0.0.1:0"],
        )
    }

    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kliento"));
        command.arg("serve").args(arguments);
        Self::spawn(directory, command)
    }

    /// Starts what `command` is, which must come to be `kliento serve`.
    pub(crate) fn spawn(directory: &Path, mut command: Command) -> Self {
        let mut child = command
            .arg("--json")
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = Arc::new(Mutex::new(String::new()));
        let reader = {
            let (lines, stderr) = (BufReader::new(child.stderr.take().unwrap()), stderr.clone());
            thread::spawn(move || {
                for line in lines.lines() {
                    let mut stderr = stderr.lock().unwrap();
                    stderr.push_str(&line.unwrap());
                    stderr.push('\n');
                }
            })
        };
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let mut server = Self {
            child,
            addresses: Vec::new(),
            stderr,
            reader: Some(reader),
        };
        let Ok(listening) = serde_json::from_str::<Value>(&line) else {
            panic!("{line:?} {}", server.wait().stderr);
        };
        assert_eq!(listening["status"], "listening");
        let addresses = listening["addresses"].as_array().unwrap();
        server.addresses.clone_from(addresses);
        server
    }

    /// Its addresses, as it told them.
    pub(crate) fn addresses(&self) -> &[Value] {
        &self.addresses
    }

    /// The socket address of the nth.
    pub(crate) fn address(&self, index: usize) -> SocketAddr {
        let address = self.addresses[index]["address"].as_str().unwrap();
        address.parse().unwrap()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address(0))
    }

    /// The answer to a request for `path` with further fields, on a connection of its own.
    pub(crate) fn get(&self, path: &str, fields: &str) -> Answer {
        exchange(
            self.connect(),
            &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n"),
        )
    }

    /// One number of its metrics, 0 if it is not there (yet).
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let index = self.addresses.len() - 1;
        let request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answer = exchange(connect(self.address(index)), request);
        let line = answer.body.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that it has written to stderr so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let arguments = [format!("-{name}"), self.child.id().to_string()];
        assert!(
            Command::new("kill")
                .args(arguments)
                .status()
                .unwrap()
                .success()
        );
    }

    /// Tells it to end, and waits until it has.
    pub(crate) fn stop(self) -> Run {
        self.signal("TERM");
        self.wait()
    }

    /// Waits until it has ended, by itself or on account of a signal sent before.
    pub(crate) fn wait(mut self) -> Run {
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        let stderr = self.stderr();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Run {
            status: status.code().expect("it was not killed"),
            stdout: Vec::new(),
            stderr,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    // A test that hangs says less than one that fails.
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// What came back, of HTTP/1.1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// 0 if there was no answer.
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Sends `request`, and reads until the server closes the connection.
pub(crate) fn exchange(mut stream: TcpStream, request: &str) -> Answer {
    // It may be refused before it is there as a whole.
    let _ = stream.write_all(request.as_bytes());
    rest(stream)
}

/// What comes until the server closes the connection.
pub(crate) fn rest(mut stream: TcpStream) -> Answer {
    let mut octets = Vec::new();
    // What came before a reset has come.
    let _ = stream.read_to_end(&mut octets);
    let text = String::from_utf8(octets).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        status: status.unwrap_or(0),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

/// The same for a command that is expected to end by itself.
pub(crate) fn serve(directory: &Path, arguments: &[&str]) -> Run {
    let all = [&["serve"], arguments].concat();
    let all: Vec<&OsStr> = all.iter().map(OsStr::new).collect();
    crate::support::run_in(directory, &all, b"")
}
