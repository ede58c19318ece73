//! The fuzz targets of bodies, on their seeds: whole, cut short at every byte, and with bytes from dice in them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says so by ending"
)]
#![allow(
    unreachable_pub,
    reason = "the readers are shared with the fuzz targets"
)]

#[path = "../fuzz/src/bodies.rs"]
mod bodies;

use std::path::Path;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let files = std::fs::read_dir(folder.join(target)).unwrap();
    let mut paths: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 5, "there are seeds of {target}");
    paths
        .into_iter()
        .map(|p| std::fs::read(p).unwrap())
        .collect()
}

fn every_way(target: &str, read: fn(&[u8])) {
    // The same dice every time.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut dice = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for seed in seeds(target) {
        read(&seed);
        for end in 0..seed.len() {
            read(&seed[..end]);
        }
        for _ in 0..300 {
            let mut body = seed.clone();
            for _ in 0..1 + dice() % 4 {
                let at = dice() as usize % body.len();
                let piece = [
                    "null",
                    "-1",
                    "\"x\"",
                    "[]",
                    "{}",
                    "99999999999999999999",
                    "\\u0000",
                ];
                match dice() % 3 {
                    0 => body[at] = dice() as u8,
                    1 => {
                        body.remove(at);
                    }
                    _ => {
                        let piece = piece[dice() as usize % piece.len()];
                        body.splice(at..at, piece.bytes());
                    }
                }
            }
            read(&body);
        }
    }
}

#[test]
fn no_body_of_openstack_does_harm() {
    every_way("cinder_body", bodies::cinder);
}

#[test]
fn no_body_of_evs_does_harm_and_what_is_read_goes_out_again() {
    every_way("evs_body", bodies::evs);
}

#[test]
fn no_body_of_powervc_does_harm_and_what_is_read_goes_out_again() {
    every_way("powervc_body", bodies::powervc);
}
