//! A DNS server on loopback that says what is true in a world, but for what a test makes of it.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

use kliento_fixtures::{Name, Response, World};

/// Octets of a DNS header (RFC 1035 §4.1.1).
const HEADER: usize = 12;

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Udp,
    Tcp,
}

/// A query that the server got.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) name: Name,
    pub(crate) record_type: u16,
    pub(crate) over: Over,
    /// How many queries the server had had before, whatever they asked.
    pub(crate) before: usize,
    /// How many of them were this question, over whatever.
    pub(crate) repeats: usize,
    pub(crate) client: SocketAddr,
    pub(crate) octets: Vec<u8>,
}

impl Query {
    pub(crate) fn is_for(&self, name: &str, record_type: u16) -> bool {
        self.name == Name::from(name) && self.record_type == record_type
    }
}

/// What the server does about a query.
pub(crate) enum Say {
    This(Response),
    Octets(Vec<u8>),
    /// Over UDP, from another port of the same address.
    FromElsewhere(Response),
    /// Ends the TCP connection.
    Close,
}

/// Says one thing, once.
pub(crate) fn say(response: Response) -> Vec<Say> {
    vec![Say::This(response)]
}

/// What to make of each query, given the true response to it.
type Script = dyn Fn(&Query, Response) -> Vec<Say> + Send + Sync;

struct Shared {
    world: World,
    script: Box<Script>,
    seen: Mutex<Vec<Query>>,
}

/// A server that runs as long as the tests do.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Says the truth over UDP and TCP.
    pub(crate) fn honest(world: &World) -> Self {
        Self::start(world, |_, response| say(response))
    }

    /// Says over UDP and TCP what the script makes of the truth.
    pub(crate) fn start(
        world: &World,
        script: impl Fn(&Query, Response) -> Vec<Say> + Send + Sync + 'static,
    ) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), world, script)
    }

    /// The same at another address of this machine.
    pub(crate) fn start_at(
        address: IpAddr,
        world: &World,
        script: impl Fn(&Query, Response) -> Vec<Say> + Send + Sync + 'static,
    ) -> Self {
        loop {
            let tcp = TcpListener::bind((address, 0)).unwrap();
            // The port may be taken over UDP.
            let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()) else {
                continue;
            };
            let shared = Shared::new(world, script);
            serve_tcp(tcp, Arc::clone(&shared), answer_over_tcp);
            return Self::over_udp(udp, shared);
        }
    }

    /// The same, but nothing listens on TCP.
    pub(crate) fn without_tcp(
        world: &World,
        script: impl Fn(&Query, Response) -> Vec<Say> + Send + Sync + 'static,
    ) -> Self {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self::over_udp(udp, Shared::new(world, script))
    }

    /// The same over TCP alone, each connection being wrapped by `wrap`.
    pub(crate) fn over_wrapped_tcp<S: Read + Write>(
        world: &World,
        wrap: impl Fn(TcpStream) -> S + Send + Sync + Copy + 'static,
        script: impl Fn(&Query, Response) -> Vec<Say> + Send + Sync + 'static,
    ) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        let shared = Shared::new(world, script);
        serve_tcp(tcp, Arc::clone(&shared), move |shared, stream, client| {
            answer_over_tcp(shared, wrap(stream), client);
        });
        Self { address, shared }
    }

    fn over_udp(socket: UdpSocket, shared: Arc<Shared>) -> Self {
        let address = socket.local_addr().unwrap();
        let server = Self {
            address,
            shared: Arc::clone(&shared),
        };
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((length, client)) = socket.recv_from(&mut buffer) {
                let query = shared.take(&buffer[..length], Over::Udp, client);
                let (socket, shared) = (socket.try_clone().unwrap(), Arc::clone(&shared));
                // Scripts may wait for other queries.
                thread::spawn(move || {
                    for say in shared.answer(&query) {
                        let _ = match say {
                            Say::This(response) => socket.send_to(&response.to_message(), client),
                            Say::Octets(octets) => socket.send_to(&octets, client),
                            Say::FromElsewhere(response) => {
                                let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
                                elsewhere.send_to(&response.to_message(), client)
                            }
                            Say::Close => Ok(0),
                        };
                    }
                });
            }
        });
        server
    }

    /// What is true.
    pub(crate) fn world(&self) -> &World {
        &self.shared.world
    }

    /// All queries so far.
    pub(crate) fn seen(&self) -> Vec<Query> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// How often a question was asked.
    pub(crate) fn count(&self, name: &str, record_type: u16) -> usize {
        let seen = self.seen();
        seen.iter()
            .filter(|query| query.is_for(name, record_type))
            .count()
    }

    /// How often a question was asked in one way.
    pub(crate) fn count_over(&self, over: Over, name: &str, record_type: u16) -> usize {
        let seen = self.seen();
        seen.iter()
            .filter(|query| query.over == over && query.is_for(name, record_type))
            .count()
    }
}

impl Shared {
    fn new(
        world: &World,
        script: impl Fn(&Query, Response) -> Vec<Say> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            world: world.clone(),
            script: Box::new(script),
            seen: Mutex::default(),
        })
    }

    /// Reads a query (RFC 1035 §4.1.2), and counts it.
    fn take(&self, octets: &[u8], over: Over, client: SocketAddr) -> Query {
        let mut labels = Vec::new();
        let mut position = HEADER;
        while octets[position] != 0 {
            let length = usize::from(octets[position]);
            labels.push(octets[position + 1..=position + length].to_vec());
            position += 1 + length;
        }
        let name = Name::from_labels(labels);
        let record_type = u16::from_be_bytes([octets[position + 1], octets[position + 2]]);
        let mut seen = self.seen.lock().unwrap();
        let same = |query: &&Query| query.name == name && query.record_type == record_type;
        let query = Query {
            before: seen.len(),
            repeats: seen.iter().filter(same).count(),
            name,
            record_type,
            over,
            client,
            octets: octets.to_vec(),
        };
        seen.push(query.clone());
        query
    }

    fn answer(&self, query: &Query) -> Vec<Say> {
        let mut truth = self.world.answer(query.name.clone(), query.record_type);
        truth.id = u16::from_be_bytes([query.octets[0], query.octets[1]]);
        (self.script)(query, truth)
    }
}

fn serve_tcp(
    listener: TcpListener,
    shared: Arc<Shared>,
    answer: impl Fn(&Shared, TcpStream, SocketAddr) + Send + Sync + Copy + 'static,
) {
    thread::spawn(move || {
        while let Ok((stream, client)) = listener.accept() {
            let shared = Arc::clone(&shared);
            thread::spawn(move || answer(&shared, stream, client));
        }
    });
}

/// Answers the queries of one connection, one after the other (RFC 1035 §4.2.2).
fn answer_over_tcp(shared: &Shared, mut stream: impl Read + Write, client: SocketAddr) {
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut octets).is_err() {
            return;
        }
        let query = shared.take(&octets, Over::Tcp, client);
        for say in shared.answer(&query) {
            let octets = match say {
                Say::This(response) | Say::FromElsewhere(response) => response.to_message(),
                Say::Octets(octets) => octets,
                Say::Close => return,
            };
            let length = u16::try_from(octets.len()).unwrap().to_be_bytes();
            if stream.write_all(&[&length[..], &octets].concat()).is_err() {
                return;
            }
            let _ = stream.flush();
        }
    }
}
