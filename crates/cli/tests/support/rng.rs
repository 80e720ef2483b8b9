//! A small seeded generator, so that a failing run can be repeated.

/// SplitMix64.
#[derive(Clone)]
pub struct Rng(u64);

impl Rng {
    /// Seeded by the variable, or else by the clock; says which on stderr.
    pub fn from_env(variable: &str) -> Self {
        let given = std::env::var(variable)
            .ok()
            .and_then(|seed| seed.parse().ok());
        let clock = || {
            let since = std::time::UNIX_EPOCH.elapsed().unwrap();
            u64::try_from(since.as_nanos() & u128::from(u64::MAX)).unwrap()
        };
        let seed = given.unwrap_or_else(clock);
        eprintln!("seed: {variable}={seed}");
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..bound`; 0 for an empty range.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Another generator, for a task of its own.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }
}
