//! Money around a model call: what it may cost at most, what it did cost. Pure.

use crate::draft::Draft;
use journal::{Ledger, LedgerOp, Private};
use platform::{Offer, Usage};
use protocol::{Event, MicroUsd};

/// Output tokens asked for where the client set no limit.
const WANTED_OUTPUT: u64 = 16_384;
/// A model call that cannot afford this many output tokens is not worth making.
const LEAST_OUTPUT: u64 = 256;

/// Reservations of model calls begin so; a crash leaves at most one.
const MODEL_CALL: &str = "model:";

/// Micro-dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenPrices {
    pub input: u64,
    pub output: u64,
}

impl TokenPrices {
    /// `None` when a price is not known.
    pub fn of(offer: &Offer) -> Option<Self> {
        Some(Self {
            input: offer.input_microusd_per_mtok?,
            output: offer.output_microusd_per_mtok?,
        })
    }

    /// What these tokens cost, rounded up.
    pub fn cost(&self, input: u64, output: u64) -> MicroUsd {
        let total = u128::from(input) * u128::from(self.input)
            + u128::from(output) * u128::from(self.output);
        MicroUsd(u64::try_from(total.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

/// A model call that fits the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Affordable {
    pub reserve: MicroUsd,
    pub max_output: u64,
}

/// Fits a call into what remains: with less money the answer may be shorter, down to a floor.
///
/// # Errors
/// What the shortest useful call would cost.
pub(crate) fn fit(
    prices: TokenPrices,
    most_input: u64,
    asked_output: Option<u64>,
    remaining: MicroUsd,
) -> Result<Affordable, MicroUsd> {
    let wanted = asked_output.unwrap_or(WANTED_OUTPUT).max(1);
    let least = wanted.min(LEAST_OUTPUT);
    let floor = prices.cost(most_input, least);
    if floor > remaining || remaining == MicroUsd::ZERO {
        return Err(floor);
    }
    let left = remaining.saturating_sub(prices.cost(most_input, 0)).0;
    let affordable = match prices.output {
        0 => wanted,
        price => {
            u64::try_from(u128::from(left) * 1_000_000 / u128::from(price)).unwrap_or(u64::MAX)
        }
    };
    let max_output = wanted.min(affordable).max(least);
    // Rounding up the sum may cost one micro-dollar more than the floor allowed for.
    let reserve = prices.cost(most_input, max_output).min(remaining);
    Ok(Affordable {
        reserve,
        max_output,
    })
}

/// The reservation id of a model call.
pub(crate) fn model_call_id(response: &str, number: u32) -> String {
    format!("{MODEL_CALL}{response}:{number}")
}

/// The cost of a finished call. Without a usage report it is taken to be what was reserved.
pub(crate) fn settled(
    prices: Option<TokenPrices>,
    usage: Option<&Usage>,
    reserved: MicroUsd,
) -> MicroUsd {
    match (prices, usage) {
        (Some(prices), Some(usage)) => prices.cost(usage.input, usage.output),
        (_, None) => reserved,
        (None, Some(_)) => MicroUsd::ZERO,
    }
}

/// A `budget_update` that makes these changes to the ledger.
pub(crate) fn draft(ledger: &Ledger, ops: Vec<LedgerOp>) -> Draft {
    let mut after = ledger.clone();
    ops.iter().for_each(|op| after.apply(op));
    let event = Event::BudgetUpdate {
        budget: after.budget(),
        cost_by_kind: after.cost_by_kind(),
    };
    Draft::with(event, Private::ledger(ops))
}

/// Settles model calls whose outcome will never be known: at what was reserved, since it may have been spent.
pub(crate) fn settle_model_calls(ledger: &Ledger) -> Option<Draft> {
    let open = ledger
        .reservations()
        .filter(|(id, _)| id.starts_with(MODEL_CALL));
    let ops: Vec<LedgerOp> = open
        .map(|(id, reservation)| LedgerOp::Settle {
            id: id.to_owned(),
            amount: reservation.amount,
        })
        .collect();
    (!ops.is_empty()).then(|| draft(ledger, ops))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICES: TokenPrices = TokenPrices {
        input: 600_000,
        output: 2_500_000,
    };

    #[test]
    fn cost_rounds_up() {
        assert_eq!(PRICES.cost(1, 0), MicroUsd(1));
        assert_eq!(PRICES.cost(1_000_000, 1_000_000), MicroUsd(3_100_000));
        assert_eq!(
            TokenPrices {
                input: u64::MAX,
                output: 0
            }
            .cost(u64::MAX, 0),
            MicroUsd(u64::MAX)
        );
    }

    #[test]
    fn a_call_is_shortened_before_it_is_refused() {
        let rich = fit(PRICES, 10_000, None, MicroUsd(5_000_000)).unwrap();
        assert_eq!(rich.max_output, WANTED_OUTPUT);
        let poor = fit(PRICES, 10_000, None, MicroUsd(8_000)).unwrap();
        assert!(
            poor.max_output < WANTED_OUTPUT && poor.reserve <= MicroUsd(8_000),
            "{poor:?}"
        );
        assert_eq!(
            fit(PRICES, 10_000, None, MicroUsd(6_000)),
            Err(MicroUsd(6_640))
        );
        assert!(fit(PRICES, 0, Some(10), MicroUsd::ZERO).is_err());
        assert_eq!(
            fit(PRICES, 100, Some(10), MicroUsd(1_000))
                .unwrap()
                .max_output,
            10
        );
    }

    proptest::proptest! {
        /// What can be spent with the granted limits never exceeds the reservation by more than rounding, and the
        /// reservation never exceeds what remains.
        #[test]
        fn a_fitted_call_cannot_overrun(
            input in 0u64..20_000_000, output in 0u64..100_000_000, tokens in 0u64..500_000, remaining in 0u64..50_000_000,
        ) {
            let prices = TokenPrices { input, output };
            if let Ok(call) = fit(prices, tokens, None, MicroUsd(remaining)) {
                proptest::prop_assert!(call.reserve <= MicroUsd(remaining));
                proptest::prop_assert!(prices.cost(tokens, call.max_output) <= call.reserve + MicroUsd(1));
            }
        }
    }
}
