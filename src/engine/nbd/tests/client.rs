//! A client that sends whatever it is told to.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use super::super::budget::Budget;
use super::super::buffers::Buffers;
use super::super::connection::{Shared, serve};
use super::super::export::Export;
use super::super::stream::Stream;
use crate::engine::{Attrs, OpenOptions, SnapshotRequest, Source, Store, VolumeId};

/// The size of the volume.
pub(super) const SIZE: u64 = 8 << 20;

/// A store with a volume `v` and a snapshot `s` of it.
pub(super) struct Served {
    pub(super) store: Store,
    pub(super) volume: VolumeId,
    pub(super) export: Export,
    pub(super) snapshot: Export,
    _dir: tempfile::TempDir,
}

pub(super) fn served() -> Served {
    let dir = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        background: false,
        durable_ops: false,
        ..OpenOptions::default()
    };
    let store = Store::create(dir.path(), &options).unwrap();
    let volume = store.create_volume("v", SIZE, Attrs::new()).unwrap();
    store.write(volume, 8192, &[7; 4096]).unwrap();
    let request = SnapshotRequest {
        volume,
        name: "s".into(),
        attrs: Attrs::new(),
    };
    let point = store.snapshot(&[request]).unwrap()[0];
    Served {
        export: Export::new(&store, Source::Volume(volume), "v", false).unwrap(),
        snapshot: Export::new(&store, Source::Point(point), "v@s", false).unwrap(),
        store,
        volume,
        _dir: dir,
    }
}

/// One end of a connection whose other end is served.
pub(super) struct Client {
    pub(super) stream: UnixStream,
    server: JoinHandle<std::io::Result<()>>,
}

impl Client {
    pub(super) fn connect(export: &Export) -> Self {
        let (stream, other) = UnixStream::pair().unwrap();
        let shared = Shared {
            export: export.clone(),
            budget: Budget::new(64 << 20),
            buffers: Buffers::default(),
            stopping: AtomicBool::new(false),
            note: Box::new(|_| ()),
        };
        Self {
            stream,
            server: std::thread::spawn(move || serve(&Stream::Unix(other), &shared)),
        }
    }

    /// A connection past the handshake, with structured replies and these contexts.
    pub(super) fn begun(export: &Export, contexts: &[&str]) -> Self {
        let mut client = Self::connect(export);
        client.read(18);
        client.send(&3_u32.to_be_bytes());
        client.send(&option(8, &[]));
        client.read(20);
        if !contexts.is_empty() {
            let mut data = vec![0; 4];
            data.extend((contexts.len() as u32).to_be_bytes());
            for context in contexts {
                data.extend((context.len() as u32).to_be_bytes());
                data.extend(context.as_bytes());
            }
            client.send(&option(10, &data));
            let expected: usize = contexts.iter().map(|c| 24 + c.len()).sum();
            client.read(expected + 20);
        }
        client.send(&option(7, &[0; 6]));
        client.read(20 + 12 + 20 + 14 + 20);
        client
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub(super) fn read(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Sends nothing more; what still comes, and how the server took it.
    pub(super) fn finish(self) -> (Vec<u8>, std::io::Result<()>) {
        // The server may have gone already.
        let _ = self.stream.shutdown(Shutdown::Write);
        self.finish_reading()
    }

    /// The same, where another thread sends.
    pub(super) fn finish_reading(mut self) -> (Vec<u8>, std::io::Result<()>) {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest);
        (rest, self.server.join().unwrap())
    }
}

/// The bytes of an option.
pub(super) fn option(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"IHAVEOPT".to_vec();
    bytes.extend(kind.to_be_bytes());
    bytes.extend((data.len() as u32).to_be_bytes());
    bytes.extend(data);
    bytes
}

/// The bytes of a request without payload.
pub(super) fn request(flags: u16, kind: u16, offset: u64, length: u32) -> Vec<u8> {
    let mut bytes = 0x2560_9513_u32.to_be_bytes().to_vec();
    bytes.extend(flags.to_be_bytes());
    bytes.extend(kind.to_be_bytes());
    bytes.extend(b"a cookie");
    bytes.extend(offset.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes
}
