#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = snapdeck::engine::images::examine_difference(data);
});
