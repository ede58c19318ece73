//! qcow2 images in and out, held against `qemu-img` and `qemu-io`. It needs qemu-utils and e2fsprogs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod support;
#[path = "support/tools.rs"]
mod tools;

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;

use snapdeck::engine::images::examine_image;
use support::{Deck, same};
use tools::{have, run, try_run};

const MIB: u64 = 1 << 20;
const QEMU: &[&str] = &["qemu-img", "qemu-io"];

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len.div_ceil(8))
            .flat_map(|_| {
                self.next(2);
                self.0.to_le_bytes()
            })
            .take(len as usize)
            .collect()
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A sparse raw image: `pieces` of data at places that are whole sectors, of lengths that seldom
/// are whole clusters; half of them compress well.
fn raw_image(path: &Path, size: u64, pieces: u64, chance: &mut Chance) {
    let mut file = fs::File::create(path).unwrap();
    file.set_len(size).unwrap();
    for n in 0..pieces {
        let length = (chance.next(300) + 1) * 512;
        let at = chance.next((size - length) / 512) * 512;
        file.seek(SeekFrom::Start(at)).unwrap();
        let bytes = match n % 2 {
            0 => chance.bytes(length),
            _ => b"what compresses well, "
                .iter()
                .copied()
                .cycle()
                .take(length as usize)
                .collect(),
        };
        file.write_all(&bytes).unwrap();
    }
}

/// The volume's content is this raw image.
fn holds(deck: &Deck, source: &str, raw: &Path) {
    let out = deck.path("held.raw");
    deck.ok(&["export", source, &text(&out), "--force"]);
    assert!(same(&out, raw), "{source} is not what was taken in");
}

#[test]
fn every_kind_of_qcow2_image_is_taken_in_as_it_is() {
    if !have(QEMU) {
        return;
    }
    let deck = Deck::new();
    let mut chance = Chance(0x5eed);
    let raw = deck.path("r.raw");
    raw_image(&raw, 24 * MIB, 40, &mut chance);
    let mut n = 0;
    let mut take = |args: &[&str]| {
        let image = deck.path("i.qcow2");
        let (raw, image) = (text(&raw), text(&image));
        let head = ["convert", "-f", "raw", "-O", "qcow2"];
        run("qemu-img", &[&head[..], args, &[&raw, &image]].concat());
        n += 1;
        let name = format!("v{n}");
        deck.ok(&["import", &image, "--name", &name]);
        holds(&deck, &name, Path::new(&raw));
    };
    for bits in 9..=21 {
        let cluster = format!("cluster_size={}", 1 << bits);
        take(&["-o", &cluster]);
        take(&["-c", "-o", &cluster]);
        take(&["-c", "-o", &format!("{cluster},compression_type=zstd")]);
        take(&["-o", &format!("{cluster},compat=0.10")]);
        if bits >= 14 {
            take(&["-o", &format!("{cluster},extended_l2=on")]);
            take(&["-c", "-o", &format!("{cluster},extended_l2=on")]);
        }
    }
    take(&["-o", "preallocation=metadata"]);
    take(&["-o", "lazy_refcounts=on"]);
    take(&["-o", "refcount_bits=1"]);
    take(&["-o", "refcount_bits=64"]);
}

#[test]
fn images_that_were_written_at_random_are_taken_in_as_they_are() {
    if !have(QEMU) {
        return;
    }
    let deck = Deck::new();
    let mut chance = Chance(0xabcdef);
    // Not a whole number of clusters, nor of blocks of 4 KiB.
    let size = 9 * MIB + 512 * 3;
    for (n, options) in [
        "cluster_size=512",
        "cluster_size=64k",
        "cluster_size=2M",
        "extended_l2=on,cluster_size=16k",
        "extended_l2=on,cluster_size=128k",
        "extended_l2=on,cluster_size=2M",
    ]
    .iter()
    .enumerate()
    {
        let base = deck.path("base.raw");
        raw_image(&base, size - MIB, 12, &mut chance);
        let image = text(&deck.path("i.qcow2"));
        let below = text(&base);
        let size = size.to_string();
        run(
            "qemu-img",
            &[
                "create", "-q", "-f", "qcow2", "-o", options, "-b", &below, "-F", "raw", &image,
                &size,
            ],
        );
        let mut commands = Vec::new();
        for _ in 0..60 {
            let at = chance.next(8 * 2048) * 512;
            let length = (chance.next(250) + 1) * 512;
            commands.push(match chance.next(5) {
                0 => format!("write -z {at} {length}"),
                1 => format!("write -z -u {at} {length}"),
                2 => format!("discard {at} {length}"),
                _ => format!("write -P {} {at} {length}", chance.next(255) + 1),
            });
        }
        let mut args = vec!["-f", "qcow2"];
        for command in &commands {
            args.extend(["-c", command]);
        }
        args.push(&image);
        let said = run("qemu-io", &args);
        assert!(!said.contains("failed"), "{said}");
        let flat = deck.path("flat.raw");
        run(
            "qemu-img",
            &["convert", "-f", "qcow2", "-O", "raw", &image, &text(&flat)],
        );
        let name = format!("v{n}");
        deck.ok(&["import", &image, "--name", &name, "--backing"]);
        let out = deck.path("out.raw");
        deck.ok(&["export", &name, &text(&out), "--force"]);
        let (mut ours, theirs) = (fs::read(&out).unwrap(), fs::read(&flat).unwrap());
        assert!(ours.split_off(theirs.len()).iter().all(|b| *b == 0));
        assert!(ours == theirs, "{options}");
    }
}

#[test]
fn what_is_written_is_found_whole_and_the_same() {
    if !have(QEMU) {
        return;
    }
    let deck = Deck::new();
    let mut chance = Chance(0x1234);
    for (n, (size, pieces)) in [
        (4096, 0),
        (4096, 1),
        (20 * 1024, 1),
        (64 * 1024, 1),
        (3 * MIB + 4096, 9),
        (70 * MIB, 200),
        // More than one table of the second level, with one of them empty.
        (2048 * MIB, 3),
    ]
    .into_iter()
    .enumerate()
    {
        let raw = deck.path("r.raw");
        if size < MIB {
            let mut bytes = chance.bytes(size);
            if pieces == 0 {
                bytes.fill(0);
            }
            fs::write(&raw, bytes).unwrap();
        } else {
            raw_image(&raw, size, pieces, &mut chance);
        }
        let name = format!("v{n}");
        deck.ok(&["import", &text(&raw), "--name", &name]);
        let out = deck.path("o.qcow2");
        deck.ok(&["export", &name, &text(&out), "--force"]);
        let (raw, out) = (text(&raw), text(&out));
        run("qemu-img", &["check", "-f", "qcow2", &out]);
        run(
            "qemu-img",
            &["compare", "-f", "raw", "-F", "qcow2", &raw, &out],
        );
        let packed = text(&deck.path("packed.qcow2"));
        deck.ok(&["export", &name, &packed, "--compress", "--force"]);
        run("qemu-img", &["check", "-f", "qcow2", &packed]);
        run(
            "qemu-img",
            &["compare", "-f", "raw", "-F", "qcow2", &raw, &packed],
        );
        let length = |path: &str| fs::metadata(path).unwrap().len();
        assert!(
            pieces < 9 || length(&packed) < length(&out),
            "half of it compresses well"
        );
        // And through a pipe it is the same file.
        let piped = deck.path("piped.qcow2");
        let status = deck
            .command(&["export", &name, "-", "--format", "qcow2"])
            .stdout(fs::File::create(&piped).unwrap())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        assert!(same(&piped, Path::new(&out)), "{name}");
        deck.ok(&["import", &out, "--name", &format!("{name}-again")]);
        holds(&deck, &format!("{name}-again"), Path::new(&raw));
    }
}

#[test]
fn a_file_system_comes_through_whole() {
    if !have(&["qemu-img", "mkfs.ext4", "e2fsck", "debugfs"]) {
        return;
    }
    let deck = Deck::new();
    let folder = deck.path("tree");
    fs::create_dir(&folder).unwrap();
    let mut chance = Chance(0x77);
    for n in 0..30 {
        fs::write(folder.join(format!("f{n}")), chance.bytes(n * 7000)).unwrap();
    }
    let raw = deck.path("fs.raw");
    fs::File::create(&raw).unwrap().set_len(64 * MIB).unwrap();
    let args = ["-q", "-F", "-d", &text(&folder), &text(&raw)];
    run("mkfs.ext4", &args);
    let packed = deck.path("fs.qcow2");
    let args = ["convert", "-c", "-O", "qcow2", &text(&raw), &text(&packed)];
    run("qemu-img", &args);
    deck.ok(&["import", &text(&packed), "--name", "fs"]);
    let out = deck.path("out.qcow2");
    deck.ok(&["export", "fs", &text(&out)]);
    let back = deck.path("back.raw");
    let args = ["convert", "-O", "raw", &text(&out), &text(&back)];
    run("qemu-img", &args);
    run("e2fsck", &["-fn", &text(&back)]);
    for n in [1, 13, 29] {
        let copy = deck.path("copy");
        let request = format!("dump f{n} {}", copy.display());
        run("debugfs", &["-R", &request, &text(&back)]);
        assert!(same(&copy, &folder.join(format!("f{n}"))), "f{n}");
    }
}

#[test]
fn a_large_disk_with_little_in_it_stays_little() {
    if !have(QEMU) {
        return;
    }
    let deck = Deck::new();
    let image = text(&deck.path("large.qcow2"));
    run("qemu-img", &["create", "-q", "-f", "qcow2", &image, "8T"]);
    let write = ["-f", "qcow2", "-c", "write -P 7 5T 1M", &image];
    run("qemu-io", &write);
    deck.ok(&["import", &image, "--name", "large"]);
    assert_eq!(deck.one("volumes", "large")["size"], 8_u64 << 40);
    assert_eq!(deck.one("volumes", "large")["used"], MIB);
    for name in ["out.raw", "out.qcow2"] {
        let out = deck.path(name);
        deck.ok(&["export", "large", &text(&out)]);
        let there = fs::metadata(&out).unwrap();
        assert!(there.blocks() * 512 < 8 * MIB, "{name}");
        let format = name.rsplit('.').next().unwrap();
        let read = ["-f", format, "-c", "read -P 7 5T 1M", &text(&out)];
        let said = run("qemu-io", &read);
        assert!(!said.contains("failed"), "{said}");
    }
}

#[test]
fn what_an_image_names_itself_is_read_only_where_that_was_asked_for() {
    if !have(QEMU) {
        return;
    }
    let deck = Deck::new();
    let secret = deck.path("secret");
    let mut chance = Chance(0x99);
    fs::write(&secret, chance.bytes(MIB)).unwrap();
    let image = deck.path("i.qcow2");
    let create = |args: &[&str]| {
        let _ = fs::remove_file(&image);
        let image = text(&image);
        let head = ["create", "-q", "-f", "qcow2"];
        run("qemu-img", &[&head[..], args, &[&image, "1M"]].concat());
    };
    let import = |more: &[&str]| {
        let image = text(&image);
        let args = ["import", &image, "--name", "v"];
        let output = deck.output(&[&args[..], more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), said)
    };
    create(&["-b", "secret", "-F", "raw"]);
    let (code, said) = import(&[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("the backing file \"secret\""), "{said}");
    assert!(said.contains("--backing"), "{said}");
    assert!(!deck.store().join("super").exists() || deck.get("volumes").is_empty());
    let (code, said) = import(&["--backing"]);
    assert_eq!(code, 0, "{said}");
    holds(&deck, "v", &secret);

    // The format of the file below is never guessed.
    create(&["-u", "-b", "secret", "-F", "raw"]);
    let mut bytes = fs::read(&image).unwrap();
    let said = 0xe279_2aca_u32.to_be_bytes();
    let at = bytes.windows(4).position(|four| four == said).unwrap();
    bytes[at..at + 4].fill(0x11);
    fs::write(&image, bytes).unwrap();
    let (code, said) = import(&["--backing"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("does not say the format"), "{said}");

    // Nor is anything read but files.
    create(&["-u", "-b", "nbd://localhost/x", "-F", "raw"]);
    let (code, said) = import(&["--backing"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("only files are read"), "{said}");

    // An image that stands on itself has no bottom.
    create(&["-u", "-b", "i.qcow2", "-F", "qcow2"]);
    let (code, said) = import(&["--backing"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("read through itself"), "{said}");

    let data = format!("data_file={}", deck.path("data").display());
    create(&["-o", &data]);
    let write = ["-f", "qcow2", "-c", "write -P 5 0 64k", &text(&image)];
    run("qemu-io", &write);
    let (code, said) = import(&[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("the external data file"), "{said}");
    let args = ["import", &text(&image), "--name", "d", "--backing"];
    deck.ok(&args);
    let out = deck.path("d.raw");
    deck.ok(&["export", "d", &text(&out)]);
    assert!(fs::read(&out).unwrap()[..64 << 10].iter().all(|b| *b == 5));
}

#[test]
fn chains_are_read_to_their_bottom() {
    if !have(QEMU) {
        return;
    }
    let deck = Deck::new();
    let path = |n: u32| text(&deck.path(&format!("c{n}.qcow2")));
    run("qemu-img", &["create", "-q", "-f", "qcow2", &path(0), "4M"]);
    for n in 1..=40 {
        let below = format!("c{}.qcow2", n - 1);
        let args = [
            "create",
            "-q",
            "-f",
            "qcow2",
            "-b",
            &below,
            "-F",
            "qcow2",
            &path(n),
        ];
        run("qemu-img", &args);
        let write = format!("write -P {n} {}k 64k", n * 70);
        run("qemu-io", &["-f", "qcow2", "-c", &write, &path(n)]);
    }
    let flat = text(&deck.path("flat.raw"));
    run("qemu-img", &["convert", "-O", "raw", &path(40), &flat]);
    deck.ok(&["import", &path(40), "--name", "v", "--backing"]);
    holds(&deck, "v", Path::new(&flat));
}

#[test]
fn what_cannot_be_read_is_refused_by_its_name() {
    if !have(QEMU) {
        return;
    }
    let deck = Deck::new();
    let image = deck.path("i.qcow2");
    let name = text(&image);
    run("qemu-img", &["create", "-q", "-f", "qcow2", &name, "1M"]);
    let good = fs::read(&image).unwrap();
    let refused = |at: usize, bytes: &[u8], expected: &str| {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(&image, bad).unwrap();
        let said = deck.fails(2, &["import", &name, "--name", "v"]);
        assert!(said.contains(expected), "{said}");
    };
    refused(7, &[1], "version 1");
    refused(7, &[9], "version 9");
    refused(20, &[0, 0, 0, 8], "clusters of 2^8");
    refused(20, &[0, 0, 0, 22], "clusters of 2^22");
    refused(24, &[0xff; 8], "table of the first level");
    refused(36, &[0xff; 4], "more than 32 MiB");
    refused(40, &[0x7f; 8], "table of the first level at");
    refused(35, &[1], "encrypted (AES)");
    refused(35, &[2], "encrypted (LUKS)");
    refused(79, &[2], "marked as corrupt");
    refused(78, &[1], "bit 8");
    refused(79, &[8], "compression");
    refused(100, &[0xff; 4], "a header of");
    // A bit that the image has a name for is told by it.
    let (ok, said) = try_run("qemu-img", &["--version"]);
    assert!(ok, "{said}");
    // A raw disk whose first bytes are those of qcow2 is taken only where that was said.
    fs::write(&image, [b"QFI\xfb".as_slice(), &[0; 8188]].concat()).unwrap();
    let said = deck.fails(2, &["import", &name, "--name", "v"]);
    assert!(said.contains("--format raw"), "{said}");
    deck.ok(&["import", &name, "--name", "v", "--format", "raw"]);
    holds(&deck, "v", &image);
    // And a plan says what was found.
    fs::write(&image, &good).unwrap();
    let plan = deck.ok(&["import", &name, "--name", "w", "--plan"]);
    assert!(plan.contains("begins as a qcow2 image"), "{plan}");
    // Other formats are known by name.
    fs::write(&image, [b"KDMV".as_slice(), &[0; 1020]].concat()).unwrap();
    let said = deck.fails(2, &["import", &name, "--name", "w"]);
    assert!(said.contains("is a VMDK image"), "{said}");
}

#[test]
fn whatever_is_altered_in_an_image_it_is_read_or_refused() {
    if !have(QEMU) {
        return;
    }
    let deck = Deck::new();
    let mut chance = Chance(0xf022);
    let raw = deck.path("r.raw");
    raw_image(&raw, MIB, 6, &mut chance);
    for options in [
        &["-o", "cluster_size=512"][..],
        &["-o", "cluster_size=64k"],
        &["-c", "-o", "cluster_size=4k"],
        &["-c", "-o", "cluster_size=64k,compression_type=zstd"],
        &["-c", "-o", "cluster_size=16k,extended_l2=on"],
        &["-o", "cluster_size=16k,extended_l2=on"],
    ] {
        let image = deck.path("i.qcow2");
        let head = ["convert", "-f", "raw", "-O", "qcow2"];
        let (from, to) = (text(&raw), text(&image));
        run("qemu-img", &[&head[..], options, &[&from, &to]].concat());
        let whole = fs::read(&image).unwrap();
        assert!(examine_image(&whole), "{options:?}");
        let mut refused = 0;
        for n in 0..250 {
            let mut bytes = whole.clone();
            for _ in 0..=chance.next(3) {
                let most = if n % 2 == 0 { 128 } else { bytes.len() as u64 };
                let at = chance.next(most) as usize;
                bytes[at] = match chance.next(3) {
                    0 => 0xff,
                    1 => bytes[at] ^ 1 << chance.next(8),
                    _ => chance.next(256) as u8,
                };
            }
            refused += u32::from(!examine_image(&bytes));
        }
        assert!(
            refused > 0,
            "{options:?}: nothing that was altered mattered"
        );
    }
}

#[test]
fn an_image_that_was_cut_short_is_told_and_not_made_up() {
    if !have(QEMU) {
        return;
    }
    let deck = Deck::new();
    let mut chance = Chance(0x4242);
    let (raw, image) = (deck.path("r.raw"), deck.path("i.qcow2"));
    fs::write(&raw, chance.bytes(4 * MIB)).unwrap();
    let args = ["convert", "-O", "qcow2", &text(&raw), &text(&image)];
    run("qemu-img", &args);
    let length = fs::metadata(&image).unwrap().len();
    for cut in [1, 64 << 10, MIB, length - 400 * 1024, length - 80] {
        let file = fs::File::options().write(true).open(&image).unwrap();
        file.set_len(length - cut).unwrap();
        let output = deck.output(&["import", &text(&image), "--name", "v"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{cut} bytes less: {said}");
        assert!(said.contains("is damaged"), "{said}");
        run("qemu-img", &args);
    }
}

#[test]
fn a_raw_image_goes_through_a_pipe() {
    let deck = Deck::new();
    let other = Deck::new();
    let mut chance = Chance(0x31);
    let raw = deck.path("r.raw");
    raw_image(&raw, 200 * MIB + 8192, 30, &mut chance);
    deck.ok(&["import", &text(&raw), "--name", "v"]);
    let mut export = deck
        .command(&["export", "v", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = other
        .command(&["import", "-", "--name", "w"])
        .stdin(export.stdout.take().unwrap())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(export.wait().unwrap().success());
    let mut said = String::new();
    export.stderr.unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("to standard output"), "{said}");
    assert_eq!(
        other.one("volumes", "w")["size"],
        fs::metadata(&raw).unwrap().len()
    );
    // Zeroes of the pipe take no room, as holes do not.
    assert_eq!(
        other.one("volumes", "w")["used"],
        deck.one("volumes", "v")["used"]
    );
    let out = other.path("o.raw");
    other.ok(&["export", "w", &text(&out)]);
    assert!(same(&out, &raw));

    // Over one that is there, of which the rest is cleared, and not into one too small.
    let short = vec![9; 5000];
    let feed = |volume: &str, bytes: &[u8]| {
        let mut child = other
            .command(&["import", "-", "--into", volume, "--yes"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may have had enough before all is written.
        let _ = child.stdin.take().unwrap().write_all(bytes);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    let (code, said) = feed("w", &short);
    assert_eq!(code, Some(0), "{said}");
    other.ok(&["export", "w", &text(&out), "--force"]);
    let held = fs::read(&out).unwrap();
    assert!(held[..5000] == short && held[5000..].iter().all(|b| *b == 0));
    let create = ["run", "create-volume", "--name", "small", "--size", "1M"];
    other.ok(&create);
    let (code, said) = feed("small", &chance.bytes(3 * MIB));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("more comes from standard input"), "{said}");
    let (code, said) = feed("small", b"");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("nothing comes"), "{said}");
    let (code, said) = feed("small", b"QFI\xfb\0\0\0\x03");
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("cannot be read from standard input"),
        "{said}"
    );
}
