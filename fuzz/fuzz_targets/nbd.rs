//! Bytes from a client, to a server of a snapshot and of a volume.
#![no_main]

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::OnceLock;

use snapdeck::engine::nbd::{Export, Listener, Server};
use snapdeck::engine::{Attrs, OpenOptions, Source, Store};

/// The socket of a server that runs as long as the fuzzer.
fn socket() -> &'static PathBuf {
    static SOCKET: OnceLock<PathBuf> = OnceLock::new();
    SOCKET.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap().keep();
        let options = OpenOptions {
            durable_ops: false,
            ..OpenOptions::default()
        };
        let store = Store::create(&dir.join("store"), &options).unwrap();
        let volume = store.create_volume("v", 8 << 20, Attrs::new()).unwrap();
        let export = Export::new(&store, Source::Volume(volume), "v", false).unwrap();
        let path = dir.join("socket");
        let listener = Listener::unix(&path).unwrap();
        let (server, stopper) = Server::new(export, Box::new(|_| {})).unwrap();
        std::thread::spawn(move || {
            let _ = server.run(listener);
            drop(stopper);
        });
        path
    })
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut stream = UnixStream::connect(socket()).unwrap();
    let _ = stream.write_all(data);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
});
