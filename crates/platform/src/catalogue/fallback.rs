//! Prices of the default models, for when the catalogue is out of reach or silent about them.
//!
//! From the providers' price lists as of 2026-11-23. The live catalogue always wins.

use super::Offer;

struct Known {
    model: &'static str,
    input_microusd_per_mtok: u64,
    output_microusd_per_mtok: u64,
    context_length: u64,
    sees_images: bool,
}

const fn known(
    model: &'static str,
    input_microusd_per_mtok: u64,
    output_microusd_per_mtok: u64,
    context_length: u64,
    sees_images: bool,
) -> Known {
    Known {
        model,
        input_microusd_per_mtok,
        output_microusd_per_mtok,
        context_length,
        sees_images,
    }
}

const KNOWN: [Known; 6] = [
    known(
        "moonshotai/Kimi-K2.6:novita",
        600_000,
        2_500_000,
        262_144,
        true,
    ),
    known(
        "anthropic/claude-opus-4.8:fal-ai",
        5_000_000,
        25_000_000,
        200_000,
        true,
    ),
    known(
        "openai/gpt-5.5:fal-ai",
        1_250_000,
        10_000_000,
        400_000,
        true,
    ),
    known(
        "MiniMaxAI/MiniMax-M2.7:novita",
        300_000,
        1_200_000,
        204_800,
        false,
    ),
    known("zai-org/GLM-5.1:novita", 600_000, 2_200_000, 202_752, false),
    known(
        "deepseek-ai/DeepSeek-V4-Pro:novita",
        500_000,
        1_700_000,
        163_840,
        false,
    ),
];

pub(super) fn offer(model: &str) -> Option<Offer> {
    KNOWN
        .iter()
        .find(|known| known.model == model)
        .map(|known| Offer {
            context_length: Some(known.context_length),
            input_microusd_per_mtok: Some(known.input_microusd_per_mtok),
            output_microusd_per_mtok: Some(known.output_microusd_per_mtok),
            sees_images: known.sees_images,
            supports_tools: true,
        })
}
