//! Random operations on a store and on plain bytes come to the same.

use proptest::prelude::*;

use super::check::check;
use super::world::{Op, World, op};

/// Cases; `SNAPDECK_CASES` asks for more or fewer.
fn cases() -> u32 {
    std::env::var("SNAPDECK_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(10_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_what_the_model_says(ops in prop::collection::vec(op(), 1..60)) {
        let mut world = World::new();
        for (i, op) in ops.iter().enumerate() {
            world.run(op).unwrap();
            // In some of the cases, all that is kept is held against a walk after each step.
            if ops.len() % 4 == 0 {
                check(&world.store);
            }
            if matches!(op, Op::Reopen { .. }) || i % 9 == 8 {
                world.compare();
            }
        }
        world.compare();
        check(&world.store);
        world.run(&Op::Settle).unwrap();
        world.run(&Op::Reopen { close: true }).unwrap();
        world.compare();
        check(&world.store);
    }
}
