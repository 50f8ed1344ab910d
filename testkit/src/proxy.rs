//! A proxy that disturbs connections as networks do: it delays, stalls, cuts them, or leaves them
//! half open. For connections between clients and servers, and between servers and stores.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::directory::directory;
use crate::mariadb::Database;

/// Bytes forwarded at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// An address to listen on or to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A port on loopback.
    Port(u16),
    /// A unix socket.
    Socket(PathBuf),
}

/// What happens to forwarded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkCondition {
    /// They are forwarded at once.
    Clear,
    /// Each chunk is delayed by this long.
    Slow(Duration),
    /// They are held back until the condition changes; nothing is closed.
    Still,
}

/// A running proxy; it ends on drop. Must be started within a tokio runtime.
#[derive(Debug)]
pub struct Proxy {
    endpoint: Endpoint,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
    _directory: Option<TempDir>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    condition: NetworkCondition,
    /// How often all connections were cut.
    cuts: u64,
    /// How often all connections were left half open.
    forgotten: u64,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}
type Wire = Box<dyn Stream>;

/// Why forwarding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Closed,
    Cut,
    Forgotten,
}

impl Proxy {
    /// Listens on a free port and connects to each of `behind` in turn, skipping those that refuse.
    pub async fn on_port(behind: Vec<Endpoint>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("loopback has a free port");
        let port = listener
            .local_addr()
            .expect("a bound socket has an address")
            .port();
        let (state, watched) = watch::channel(State::new());
        let accepting = tokio::spawn(async move {
            let next = Arc::new(AtomicUsize::new(0));
            while let Ok((near, _)) = listener.accept().await {
                let _ = near.set_nodelay(true);
                tokio::spawn(relay(
                    Box::new(near),
                    behind.clone(),
                    Arc::clone(&next),
                    watched.clone(),
                ));
            }
        });
        Self {
            endpoint: Endpoint::Port(port),
            state,
            accepting,
            _directory: None,
        }
    }

    /// Listens on its own unix socket and connects to the one at `behind`.
    #[track_caller]
    pub fn on_socket(behind: PathBuf) -> Self {
        let directory = directory();
        let path = directory.path().join("p.sock");
        let listener = UnixListener::bind(&path).expect("the directory is ours");
        let (state, watched) = watch::channel(State::new());
        let accepting = tokio::spawn(async move {
            let next = Arc::new(AtomicUsize::new(0));
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(relay(
                    Box::new(near),
                    vec![Endpoint::Socket(behind.clone())],
                    Arc::clone(&next),
                    watched.clone(),
                ));
            }
        });
        Self {
            endpoint: Endpoint::Socket(path),
            state,
            accepting,
            _directory: Some(directory),
        }
    }

    /// The address it listens on.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The URL for a server's `--redis`.
    pub fn redis_url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// The URL of this database through the proxy, for a server's `--mysql`.
    pub fn mysql_url(&self, database: &Database) -> String {
        let (name, socket) = (database.name(), self.socket().display());
        format!("mysql://root@localhost/{name}?socket={socket}")
    }

    #[track_caller]
    fn socket(&self) -> &Path {
        match &self.endpoint {
            Endpoint::Socket(path) => path,
            Endpoint::Port(port) => panic!("this proxy is on port {port}"),
        }
    }

    /// Applies to all connections from now on.
    pub fn set(&self, condition: NetworkCondition) {
        self.state.send_modify(|state| state.condition = condition);
    }

    /// Closes all connections.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// Closes the server's side of all connections. The client's side stays open and receives
    /// nothing.
    pub fn forget(&self) {
        self.state.send_modify(|state| state.forgotten += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl State {
    fn new() -> Self {
        Self {
            condition: NetworkCondition::Clear,
            cuts: 0,
            forgotten: 0,
        }
    }
}

async fn relay(
    near: Wire,
    behind: Vec<Endpoint>,
    next: Arc<AtomicUsize>,
    mut state: watch::Receiver<State>,
) {
    let begun = *state.borrow_and_update();
    let first = next.fetch_add(1, Ordering::Relaxed);
    let mut far = None;
    for at in 0..behind.len() {
        if let Ok(wire) = connect(&behind[(first + at) % behind.len()]).await {
            far = Some(wire);
            break;
        }
    }
    let Some(far) = far else { return };
    let (mut near_read, mut near_write) = split(near);
    let (mut far_read, mut far_write) = split(far);
    let end = tokio::select! {
        end = forward(&mut near_read, &mut far_write, begun, state.clone()) => end,
        end = forward(&mut far_read, &mut near_write, begun, state.clone()) => end,
    };
    drop((far_read, far_write));
    if end != End::Forgotten {
        return;
    }
    // The server's side is closed; the client's side stays open until the client gives up.
    let mut bytes = [0; 1_024];
    loop {
        tokio::select! {
            read = near_read.read(&mut bytes) => match read {
                Ok(1..) => {}
                Ok(0) | Err(_) => return,
            },
            changed = state.changed() => {
                if changed.is_err() || state.borrow().cuts > begun.cuts {
                    return;
                }
            }
        }
    }
}

async fn connect(endpoint: &Endpoint) -> io::Result<Wire> {
    Ok(match endpoint {
        Endpoint::Port(port) => {
            let stream = TcpStream::connect(("127.0.0.1", *port)).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
        Endpoint::Socket(path) => Box::new(UnixStream::connect(path).await?),
    })
}

/// Forwards until one side closes or the connection is broken on purpose.
async fn forward(
    from: &mut ReadHalf<Wire>,
    to: &mut WriteHalf<Wire>,
    begun: State,
    mut state: watch::Receiver<State>,
) -> End {
    let mut bytes = vec![0; CHUNK_BYTES];
    loop {
        let count = tokio::select! {
            read = from.read(&mut bytes) => match read {
                Ok(count @ 1..) => count,
                Ok(0) | Err(_) => return End::Closed,
            },
            end = broken(begun, &mut state) => return end,
        };
        if let Some(end) = apply_condition(begun, &mut state).await {
            return end;
        }
        tokio::select! {
            written = to.write_all(&bytes[..count]) => {
                if written.is_err() {
                    return End::Closed;
                }
            }
            end = broken(begun, &mut state) => return end,
        }
    }
}

/// Waits as the current condition demands. Returns why the connection ended meanwhile, if it did.
async fn apply_condition(begun: State, state: &mut watch::Receiver<State>) -> Option<End> {
    loop {
        let condition = state.borrow().condition;
        match condition {
            NetworkCondition::Clear => return None,
            NetworkCondition::Slow(wait) => {
                tokio::select! {
                    () = tokio::time::sleep(wait) => return None,
                    end = broken(begun, state) => return Some(end),
                }
            }
            NetworkCondition::Still => {
                if state.changed().await.is_err() {
                    return Some(End::Cut);
                }
                if let Some(end) = end_of(begun, *state.borrow()) {
                    return Some(end);
                }
            }
        }
    }
}

async fn broken(begun: State, state: &mut watch::Receiver<State>) -> End {
    loop {
        if let Some(end) = end_of(begun, *state.borrow()) {
            return end;
        }
        if state.changed().await.is_err() {
            return End::Cut;
        }
    }
}

fn end_of(begun: State, now: State) -> Option<End> {
    if now.cuts > begun.cuts {
        Some(End::Cut)
    } else if now.forgotten > begun.forgotten {
        Some(End::Forgotten)
    } else {
        None
    }
}
