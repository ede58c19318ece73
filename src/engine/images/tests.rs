//! Images in memory: written, read, and altered at random.

#![allow(clippy::unwrap_used, reason = "a test says so by ending")]

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

#[derive(Debug)]
/// A disk in memory, of which only some clusters are data.
struct Disk {
    bytes: Vec<u8>,
    /// In bytes; runs are whole numbers of it.
    grain: u64,
}

impl Origin for Disk {
    type Error = Infallible;

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn runs(&self, offset: u64) -> Result<Vec<Run>, Infallible> {
        let mut runs = Vec::new();
        for (n, grain) in self.bytes.chunks(self.grain as usize).enumerate() {
            let run = Run {
                offset: n as u64 * self.grain,
                length: grain.len() as u64,
                data: grain.iter().any(|b| *b != 0),
            };
            if run.offset >= offset {
                push_run(&mut runs, run);
            }
        }
        Ok(runs)
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Infallible> {
        let from = offset as usize;
        buffer.copy_from_slice(&self.bytes[from..from + buffer.len()]);
        Ok(())
    }
}

/// Writes the disk's data from `from` on.
fn write_data(disk: &Disk, writer: &Qcow2Writer, from: u64, file: &mut [u8]) {
    let mut host = writer.data_offset(disk, from).unwrap() as usize;
    let cluster = Qcow2Writer::CLUSTER;
    let all: Result<(), Infallible> = data_runs(disk, cluster, from, &mut |offset, length| {
        let (from, n) = (offset as usize, length as usize);
        file[host..host + n].copy_from_slice(&disk.bytes[from..from + n]);
        host += n.next_multiple_of(cluster as usize);
        Ok(())
    });
    all.unwrap();
}

fn write(disk: &Disk) -> Vec<u8> {
    let writer = Qcow2Writer::new(disk).unwrap();
    let mut file = vec![0; writer.file_length() as usize];
    let mut next = 0;
    writer
        .metadata(disk, &mut |offset, bytes: &[u8]| {
            assert!(offset >= next, "it is written from its first byte on");
            next = offset + bytes.len() as u64;
            file[offset as usize..][..bytes.len()].copy_from_slice(bytes);
            Ok(())
        })
        .unwrap();
    write_data(disk, &writer, 0, &mut file);
    file
}

fn disk() -> impl Strategy<Value = Disk> {
    let piece = (0..64_usize, 1..40_usize, any::<u8>());
    (1..64_usize, prop::collection::vec(piece, 0..6)).prop_map(|(size, pieces)| {
        let mut bytes = vec![0; size * 20 * 1024];
        for (at, length, byte) in pieces {
            let from = (at * 20_000).min(bytes.len());
            let to = (from + length * 3000).min(bytes.len());
            bytes[from..to].fill(byte);
        }
        Disk { bytes, grain: 4096 }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(disk in disk()) {
        let image = Image::from_bytes(write(&disk)).unwrap();
        prop_assert_eq!(image.size(), disk.size());
        let mut held = vec![0; disk.bytes.len()];
        image.read(0, &mut held).unwrap();
        prop_assert!(held == disk.bytes);
        let (mut at, mut data) = (0, 0);
        while at < image.size() {
            for run in image.runs(at).unwrap() {
                prop_assert_eq!(run.offset, at);
                at += run.length;
                let part = &disk.bytes[run.offset as usize..at as usize];
                prop_assert!(run.data || part.iter().all(|b| *b == 0));
                data += if run.data { run.length } else { 0 };
            }
        }
        prop_assert!(data <= disk.size());
    }

    #[test]
    fn gone_on_with_anywhere_it_is_the_same_file(disk in disk(), part in 0..20_u64) {
        let whole = write(&disk);
        let writer = Qcow2Writer::new(&disk).unwrap();
        let from = (part * Qcow2Writer::CLUSTER).min(disk.size() / Qcow2Writer::CLUSTER * Qcow2Writer::CLUSTER);
        let host = writer.data_offset(&disk, from).unwrap() as usize;
        let mut file = whole.clone();
        file[host..].fill(0xee);
        write_data(&disk, &writer, from, &mut file);
        // The end of the last cluster is beyond the disk.
        let tail = disk.size().next_multiple_of(Qcow2Writer::CLUSTER) - disk.size();
        let end = whole.len() - tail as usize;
        prop_assert!(file[..end] == whole[..end]);
    }

    #[test]
    fn whatever_an_image_says_it_is_read_or_refused(
        disk in disk(),
        changes in prop::collection::vec((0..4_usize, any::<u16>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = write(&disk);
        // Most harm is done where numbers are: the header and the tables.
        for (where_to, at, byte) in changes {
            let at = match where_to {
                0 => usize::from(at) % 112,
                1 => usize::from(at) % 72,
                2 => 3 * 65536 + usize::from(at) % 64,
                _ => 4 * 65536 + usize::from(at) % 512,
            };
            if let Some(slot) = bytes.get_mut(at) {
                *slot = byte;
            }
        }
        let cut = bytes.len() - bytes.len() / 7;
        let _ = examine_image(&bytes);
        bytes.truncate(cut);
        let _ = examine_image(&bytes);
        // Made the same again, it is read.
        prop_assert!(examine_image(&write(&disk)));
    }

    #[test]
    fn whatever_bytes_there_are_they_are_read_or_refused(
        mut bytes in prop::collection::vec(any::<u8>(), 0..4096),
    ) {
        let _ = examine_image(&bytes);
        let _ = examine_difference(&bytes);
        bytes.splice(0..0, *b"QFI\xfb\0\0\0\x03");
        let _ = examine_image(&bytes);
        bytes.splice(0..8, *b"rbd diff v2\ns\x08\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0");
        prop_assert!(!examine_difference(&bytes));
    }
}
