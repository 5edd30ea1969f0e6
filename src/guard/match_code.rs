//! Match codes such as `58-KIWI`: what a person compares between the agent's side and their own.
//!
//! A code only tells requests apart; it is no secret and grants nothing.

use ring::rand::{SecureRandom, SystemRandom};

const WORDS: [&str; 64] = [
    "ACORN", "AMBER", "ANVIL", "APPLE", "BASIL", "BEACH", "BIRCH", "BRICK", "CABIN", "CANOE",
    "CEDAR", "CHALK", "CLOUD", "COBRA", "CORAL", "CRANE", "DELTA", "DINGO", "EAGLE", "EMBER",
    "FABLE", "FERRY", "FJORD", "FLINT", "GECKO", "GLOBE", "GRAPE", "HAZEL", "HERON", "HONEY",
    "IGLOO", "IVORY", "JOKER", "KAYAK", "KIOSK", "KIWI", "LEMON", "LILAC", "LLAMA", "MANGO",
    "MAPLE", "MELON", "MOOSE", "NINJA", "OCEAN", "OLIVE", "ONION", "OTTER", "PANDA", "PEARL",
    "PIANO", "PLUM", "QUAIL", "RAVEN", "RIVER", "ROBIN", "SALSA", "TANGO", "TIGER", "TULIP",
    "VIOLA", "WALTZ", "YACHT", "ZEBRA",
];

/// A fresh code: one of 5,760.
pub(super) fn fresh() -> Result<String, ring::error::Unspecified> {
    let mut bytes = [0_u8; 2];
    SystemRandom::new().fill(&mut bytes)?;
    let [number, word] = bytes;
    let word = WORDS.get(usize::from(word) % WORDS.len()).copied().unwrap_or("KIWI");
    Ok(format!("{:02}-{word}", 10 + number % 90))
}
