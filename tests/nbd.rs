//! Volumes over NBD, as the tools that people use see them. It needs libnbd-bin, qemu-utils,
//! fio and e2fsprogs.
//!
//! A store is open in one process, so for a snapshot the server is stopped.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

#[path = "support/nbd.rs"]
mod nbd;
mod support;
#[path = "support/tools.rs"]
mod tools;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nbd::{Serving, map, qemu_io};
use rustix::process::Signal;
use support::{Deck, same};
use tools::{command, run, try_run};

const MIB: u64 = 1 << 20;

/// Bytes that do not repeat.
fn noise(len: u64, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(len as usize + 8);
    while (bytes.len() as u64) < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len as usize);
    bytes
}

/// A store with an empty volume `v`.
fn deck(size: &str) -> Deck {
    let deck = Deck::new();
    let create = ["run", "create-volume", "--name", "v", "--size", size];
    deck.ok(&[&create[..], &["--wait"]].concat());
    deck
}

fn snapshot(deck: &Deck, name: &str) {
    let args = ["run", "create-snapshot", "--volume", "v", "--name", name];
    deck.ok(&[&args[..], &["--wait"]].concat());
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// An image of `size` bytes with data at two places and holes around.
fn sparse_image(deck: &Deck, size: u64) -> PathBuf {
    let path = deck.path("image");
    let mut bytes = vec![0; size as usize];
    for (at, len, seed) in [(0, MIB + 4096, 1), (size / 2, 3 * MIB, 2)] {
        bytes[at as usize..(at + len) as usize].copy_from_slice(&noise(len, seed));
    }
    fs::write(&path, bytes).unwrap();
    path
}

/// An ext4 of 32 MiB with files in it.
fn file_system(deck: &Deck, name: &str, seed: u64) -> PathBuf {
    let folder = deck.path(&format!("{name}.tree"));
    fs::create_dir_all(folder.join("deep/er")).unwrap();
    for i in 0..20 {
        fs::write(
            folder.join(format!("deep/er/{i}")),
            noise(50_000 + i, seed + i),
        )
        .unwrap();
    }
    let image = deck.path(name);
    fs::File::create(&image).unwrap().set_len(32 * MIB).unwrap();
    run(
        "mkfs.ext4",
        &["-q", "-F", "-d", &text(&folder), &text(&image)],
    );
    image
}

#[test]
fn nbdinfo_sees_sizes_rights_and_contexts() {
    if !nbd::ready() {
        return;
    }
    let deck = deck("64M");
    snapshot(&deck, "monday");
    let serving = Serving::unix(&deck, "v");
    let about = |uri: &str| -> serde_json::Value {
        let said: serde_json::Value =
            serde_json::from_str(&run("nbdinfo", &["--json", uri])).unwrap();
        assert_eq!(said["protocol"], "newstyle-fixed");
        assert_eq!(said["structured"], true);
        said["exports"][0].clone()
    };
    let export = about(&serving.uri);
    assert_eq!(export["export-size"], 64 * MIB);
    let flags = [
        "can_multi_conn",
        "can_flush",
        "can_fua",
        "can_trim",
        "can_zero",
        "can_fast_zero",
        "can_df",
    ];
    for flag in flags {
        assert_eq!(export[flag], true, "{flag} in {export:#}");
    }
    assert_eq!(export["is_read_only"], false);
    assert_eq!(export["block_size_minimum"], 1);
    assert_eq!(export["block_size_preferred"], 4096);
    assert_eq!(export["block_size_maximum"], 32 * MIB);
    assert_eq!(
        export["contexts"],
        serde_json::json!(["base:allocation", "snapdeck:dirty-since:monday"])
    );
    let list = run("nbdinfo", &["--list", &serving.uri]);
    assert!(list.contains("export=\"v\""), "{list}");
    let wrong = serving.uri.replace("///v", "///w");
    assert!(!try_run("nbdinfo", &[&wrong]).0, "there is no such export");
    serving.stop();

    let serving = Serving::start(&deck, &["nbd", "v@monday", "--listen", "127.0.0.1:0"]);
    assert!(
        serving.uri.starts_with("nbd://127.0.0.1:"),
        "{}",
        serving.uri
    );
    assert_eq!(about(&serving.uri)["is_read_only"], true);
    assert_eq!(about(&serving.uri)["can_trim"], false);
    serving.stop();
    let serving = Serving::start(&deck, &["--read-only", "nbd", "v", "--listen", ":0"]);
    assert_eq!(about(&serving.uri)["is_read_only"], true);
    let (opened, said) = try_run("qemu-io", &["-f", "raw", "-c", "write 0 4k", &serving.uri]);
    assert!(!opened || said.contains("failed"), "{said}");
    serving.stop();
}

#[test]
fn images_go_in_and_out_whole_and_sparse() {
    if !nbd::ready() {
        return;
    }
    let deck = deck("48M");
    let image = sparse_image(&deck, 48 * MIB);
    let serving = Serving::unix(&deck, "v");
    let uri = &serving.uri;
    run(
        "nbdcopy",
        &["--flush", "--destination-is-zero", &text(&image), uri],
    );
    let out = deck.path("out");
    run("nbdcopy", &[uri, &text(&out)]);
    assert!(same(&image, &out));
    run(
        "qemu-img",
        &["compare", "-f", "raw", "-F", "raw", &text(&image), uri],
    );
    // What nobody wrote is no data: what is read is little more than what was written.
    let data: u64 = map(uri, "base:allocation")
        .iter()
        .filter(|(_, _, kind)| *kind == 0)
        .map(|(_, length, _)| length)
        .sum();
    assert!((4 * MIB..5 * MIB).contains(&data), "{data}");
    let map = run("qemu-img", &["map", "-f", "raw", "--output=json", uri]);
    let map: Vec<serde_json::Value> = serde_json::from_str(&map).unwrap();
    assert!(
        map.iter()
            .any(|part| part["data"] == false && part["zero"] == true)
    );
    // Through another format and back, into what holds other bytes.
    let qcow2 = deck.path("image.qcow2");
    run(
        "qemu-img",
        &["convert", "-f", "raw", "-O", "qcow2", uri, &text(&qcow2)],
    );
    qemu_io(uri, &["write -P 0x55 0 48M"]);
    let args = [
        "convert",
        "-n",
        "-f",
        "qcow2",
        "-O",
        "raw",
        &text(&qcow2),
        uri,
    ];
    run("qemu-img", &args);
    run(
        "qemu-img",
        &["compare", "-f", "raw", "-F", "raw", &text(&image), uri],
    );
    serving.stop();
    let exported = deck.path("exported");
    deck.ok(&["export", "v", &text(&exported)]);
    assert!(same(&image, &exported));
}

#[test]
fn patterns_with_fua_discard_and_zeroes() {
    if !nbd::ready() {
        return;
    }
    let deck = deck("16M");
    let serving = Serving::unix(&deck, "v");
    qemu_io(
        &serving.uri,
        &[
            "write -P 0xa1 0 1M",
            "write -f -P 0xa2 1M 64k",
            "write -P 0xa3 1025k 1234",
            "discard 256k 128k",
            "write -z 512k 64k",
            "write -z -u 640k 64k",
            "write -z -f 800000 5000",
            "aio_write -P 0xb1 4M 1M",
            "aio_write -P 0xb2 5M 1M",
            "aio_flush",
            "flush",
            "read -P 0xa1 0 256k",
            "read -P 0 256k 128k",
            "read -P 0xa1 384k 128k",
            "read -P 0 512k 64k",
            "read -P 0 640k 64k",
            "read -P 0 800000 5000",
            "read -P 0xa1 805000 4000",
            "read -P 0xa2 1M 1k",
            "read -P 0xa3 1025k 1234",
            "read -P 0xb1 4M 1M",
            "read -P 0xb2 5M 1M",
            "read -P 0 6M 1M",
        ],
    );
    serving.stop();
    let serving = Serving::unix(&deck, "v");
    qemu_io(&serving.uri, &["read -P 0xb2 5M 1M", "read -P 0xa2 1M 1k"]);
    serving.stop();
}

#[test]
fn fio_verifies_what_several_connections_wrote() {
    if !nbd::ready() {
        return;
    }
    let deck = deck("64M");
    let serving = Serving::unix(&deck, "v");
    let uri = format!("--uri={}", serving.uri);
    let args = [
        "--name=verify",
        "--ioengine=nbd",
        &uri,
        "--rw=randwrite",
        "--bsrange=512-128k",
        "--blockalign=512",
        "--size=8M",
        "--offset_increment=8M",
        "--numjobs=4",
        "--iodepth=16",
        "--verify=crc32c",
        "--verify_state_save=0",
        "--verify_fatal=1",
        "--do_verify=1",
        "--fsync=64",
        "--randseed=4711",
    ];
    let (ended, said) = try_run("fio", &args);
    assert!(ended && !said.contains("verify failed"), "{said}");
    serving.stop();
}

#[test]
fn dirty_ranges_are_what_was_written_since() {
    if !nbd::ready() {
        return;
    }
    let deck = deck("16M");
    let serving = Serving::unix(&deck, "v");
    qemu_io(&serving.uri, &["write -P 1 0 8M"]);
    serving.stop();
    snapshot(&deck, "one");
    let serving = Serving::unix(&deck, "v");
    let clean = map(&serving.uri, "snapdeck:dirty-since:one");
    assert_eq!(clean, [(0, 16 * MIB, 0)]);
    qemu_io(
        &serving.uri,
        &[
            "write -P 2 64k 8k",
            // The same bytes again are no difference.
            "write -P 1 128k 8k",
            "discard 1M 1M",
            "write -P 3 12M 4k",
        ],
    );
    let dirty = [(64 << 10, 8 << 10, 1), (MIB, MIB, 1), (12 * MIB, 4096, 1)];
    let since = |uri: &str, point: &str| {
        let mut map = map(uri, &format!("snapdeck:dirty-since:{point}"));
        map.retain(|(_, _, kind)| *kind == 1);
        map
    };
    assert_eq!(since(&serving.uri, "one"), dirty);
    serving.stop();
    snapshot(&deck, "two");
    let serving = Serving::unix(&deck, "v");
    qemu_io(&serving.uri, &["write -P 4 0 4k"]);
    assert_eq!(since(&serving.uri, "two"), [(0, 4096, 1)]);
    assert_eq!(since(&serving.uri, "one").len(), 4);
    serving.stop();
    // Between two snapshots.
    let serving = Serving::unix(&deck, "v@two");
    assert_eq!(since(&serving.uri, "one"), dirty);
    serving.stop();
}

#[test]
fn a_file_system_is_whole_after_a_kill_under_load() {
    if !nbd::ready() {
        return;
    }
    let deck = deck("96M");
    let first = file_system(&deck, "first", 1);
    let second = file_system(&deck, "second", 100);
    let serving = Serving::unix(&deck, "v");
    run("nbdcopy", &["--flush", &text(&first), &serving.uri]);
    serving.stop();
    snapshot(&deck, "first");

    let serving = Serving::unix(&deck, "v");
    run("nbdcopy", &["--flush", &text(&second), &serving.uri]);
    // Load from several connections, and writes of which each is durable once it is told.
    let uri = format!("--uri={}", serving.uri);
    let mut load = command(
        "fio",
        &[
            "--name=load",
            "--ioengine=nbd",
            &uri,
            "--rw=randwrite",
            "--bs=4k",
            "--offset=64M",
            "--size=32M",
            "--numjobs=2",
            "--iodepth=8",
            "--time_based",
            "--runtime=60",
        ],
    );
    let mut load = load
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut commands = Vec::new();
    for i in 0..512_u64 {
        commands.extend([
            "-c".to_owned(),
            format!("write -f -P {} {}k 64k", i % 255 + 1, 32768 + i * 64),
        ]);
    }
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let mut writer = command(
        "qemu-io",
        &[&["-f", "raw"], &commands[..], &[&serving.uri]].concat(),
    );
    let mut writer = writer
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let told = writer.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        let lines = BufReader::new(told).lines().map_while(Result::ok);
        lines
            .filter(|line| line.starts_with("wrote 65536/65536"))
            .count() as u64
    });
    std::thread::sleep(Duration::from_millis(1500));
    serving.kill();
    for child in [&mut load, &mut writer] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let told = reading.join().unwrap();
    assert!(told > 0, "nothing was written before the kill");

    let serving = Serving::unix(&deck, "v");
    let checks: Vec<String> = (0..told)
        .map(|i| format!("read -P {} {}k 64k", i % 255 + 1, 32768 + i * 64))
        .collect();
    let checks: Vec<&str> = checks.iter().map(String::as_str).collect();
    qemu_io(&serving.uri, &checks);
    let out = deck.path("out");
    run("nbdcopy", &[&serving.uri, &text(&out)]);
    fs::File::options()
        .write(true)
        .open(&out)
        .unwrap()
        .set_len(32 * MIB)
        .unwrap();
    run("e2fsck", &["-fn", &text(&out)]);
    assert!(same(&out, &second));
    serving.stop();
    let serving = Serving::unix(&deck, "v@first");
    let out = deck.path("out.first");
    run("nbdcopy", &[&serving.uri, &text(&out)]);
    fs::File::options()
        .write(true)
        .open(&out)
        .unwrap()
        .set_len(32 * MIB)
        .unwrap();
    run("e2fsck", &["-fn", &text(&out)]);
    assert!(same(&out, &first));
    serving.stop();
}

#[test]
fn it_ends_in_good_order() {
    if !nbd::ready() {
        return;
    }
    let deck = deck("16M");
    let socket = deck.path("nbd.sock");
    let serving = Serving::unix(&deck, "v");
    // Others are let in; who needs the store for itself is not.
    assert_eq!(deck.get("volumes").len(), 1);
    let error = deck.fails(6, &["scrub"]);
    assert!(error.contains("has the store open"), "{error}");
    qemu_io(&serving.uri, &["write -P 0x77 1M 1M"]);
    // A client that stays connected does not keep it.
    let mut idle = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    idle.read_exact(&mut [0; 18]).unwrap();
    let (status, said) = serving.signal(Signal::INT);
    assert_eq!(status.code(), Some(0), "{said}");
    assert_eq!(said, "stopping\n");
    assert!(!socket.exists());

    let serving = Serving::unix(&deck, "v");
    qemu_io(
        &serving.uri,
        &["read -P 0x77 1M 1M", "write -P 0x78 2M 1M", "flush"],
    );
    serving.kill();
    // The socket that it left is no hindrance.
    assert!(socket.exists());
    let serving = Serving::unix(&deck, "v");
    qemu_io(&serving.uri, &["read -P 0x78 2M 1M"]);
    serving.stop();

    deck.fails(5, &["nbd", "w"]);
    deck.fails(2, &["nbd", "v", "--listen", "here:there"]);
    deck.fails(2, &["nbd", "v", "--unix", "x", "--listen", ":0"]);
    let file = deck.path("file");
    fs::write(&file, "mine").unwrap();
    deck.fails(6, &["nbd", "v", "--unix", &text(&file)]);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

#[test]
fn clients_that_talk_nonsense_disturb_nobody() {
    if !nbd::ready() {
        return;
    }
    let deck = deck("16M");
    let serving = Serving::unix(&deck, "v");
    for seed in 0..40 {
        let mut stream = std::os::unix::net::UnixStream::connect(deck.path("nbd.sock")).unwrap();
        let mut bytes = vec![0, 0, 0, 3];
        if seed % 2 == 0 {
            bytes.extend(b"IHAVEOPT\0\0\0\x07\0\0\0\x06\0\0\0\0\0\0");
        }
        bytes.extend(noise(2000, seed));
        // It may be let go before it has said all.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    qemu_io(&serving.uri, &["write -P 5 0 1M", "read -P 5 0 1M"]);
    let said = serving.stop();
    assert!(said.contains("magic number"), "{said}");
}
