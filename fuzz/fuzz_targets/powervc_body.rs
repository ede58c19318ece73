#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| snapdeck_fuzz::bodies::powervc(data));
