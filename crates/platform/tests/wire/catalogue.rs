//! Prices: of models and of hardware.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use platform::{Endpoints, Offer, Platform};
use serde_json::{Value, json};

use crate::fake::{Count, nowhere, platform, quick, serve};

const KIMI: &str = "moonshotai/Kimi-K2.6:novita";

/// A catalogue with one model; counts its requests.
async fn listing(provider: Value) -> (crate::fake::Fake, Count) {
    let count = Count::default();
    let counted = count.clone();
    let body = json!({"object":"list","data":[{"id":"moonshotai/Kimi-K2.6","providers":[provider],
        "architecture":{"input_modalities":["text"]}}]});
    let handler = move || async move {
        counted.next();
        axum::Json(body)
    };
    (
        serve(Router::new().route("/v1/models", get(handler))).await,
        count,
    )
}

fn prices(offer: Option<Offer>) -> (Option<u64>, Option<u64>) {
    offer.map_or((None, None), |offer| {
        (
            offer.input_microusd_per_mtok,
            offer.output_microusd_per_mtok,
        )
    })
}

async fn unreachable() -> Platform {
    let endpoints = Endpoints {
        hub: nowhere().await,
        router: nowhere().await,
        ..Endpoints::default()
    };
    Platform::with_deadlines(endpoints, quick()).unwrap()
}

#[tokio::test]
async fn live_prices_win_and_are_fetched_once() {
    let provider = json!({"provider":"novita","status":"live","context_length":1000,"pricing":{"input":0.7,"output":2.75}});
    let (fake, count) = listing(provider).await;
    let client = platform(&fake);
    let offers = futures_util::future::join_all((0..20).map(|_| client.model_offer(KIMI))).await;
    for offer in offers {
        assert_eq!(prices(offer), (Some(700_000), Some(2_750_000)));
    }
    assert_eq!(
        client
            .model_offer("moonshotai/Kimi-K2.6")
            .await
            .unwrap()
            .context_length,
        Some(1000)
    );
    assert_eq!(client.model_offer("o/unknown").await, None);
    assert_eq!(count.get(), 1);
}

#[tokio::test]
async fn the_built_in_table_fills_a_missing_price_only() {
    let (fake, _) = listing(json!({"provider":"novita","context_length":1000})).await;
    let offer = platform(&fake).model_offer(KIMI).await.unwrap();
    assert_eq!(
        (offer.context_length, offer.sees_images),
        (Some(1000), false)
    );
    assert_eq!(prices(Some(offer)), (Some(600_000), Some(2_500_000)));
}

#[tokio::test]
async fn the_built_in_table_stands_in_for_an_unreachable_catalogue() {
    let client = unreachable().await;
    let table = [
        (KIMI, 600_000, 2_500_000, 262_144),
        (
            "anthropic/claude-opus-4.8:fal-ai",
            5_000_000,
            25_000_000,
            200_000,
        ),
        ("openai/gpt-5.5:fal-ai", 1_250_000, 10_000_000, 400_000),
        ("MiniMaxAI/MiniMax-M2.7:novita", 300_000, 1_200_000, 204_800),
        ("zai-org/GLM-5.1:novita", 600_000, 2_200_000, 202_752),
        (
            "deepseek-ai/DeepSeek-V4-Pro:novita",
            500_000,
            1_700_000,
            163_840,
        ),
    ];
    for (model, input, output, context) in table {
        let offer = client.model_offer(model).await.unwrap();
        assert_eq!(offer.context_length, Some(context), "{model}");
        assert_eq!(prices(Some(offer)), (Some(input), Some(output)), "{model}");
    }
    assert_eq!(client.model_offer("moonshotai/Kimi-K2.6:other").await, None);
}

#[tokio::test]
async fn a_failing_catalogue_is_left_alone_for_a_while() {
    let count = Count::default();
    let counted = count.clone();
    let handler = move || async move {
        counted.next();
        StatusCode::BAD_REQUEST
    };
    let fake = serve(Router::new().route("/v1/models", get(handler))).await;
    let client = platform(&fake);
    for _ in 0..5 {
        assert!(client.model_offer(KIMI).await.is_some());
    }
    assert_eq!(count.get(), 1);
}

#[tokio::test]
async fn hardware_is_live_or_built_in() {
    let body = json!([{"name":"t4-small","prettyName":"T4","cpu":"4 vCPU","ram":"15 GB","accelerator":null,
        "unitCostMicroUSD":9999,"unitLabel":"minute"}]);
    let fake =
        serve(Router::new().route("/api/jobs/hardware", get(|| async { axum::Json(body) }))).await;
    let live = platform(&fake).hardware().await.unwrap();
    assert_eq!((live.len(), live[0].micro_usd_per_minute), (1, 9999));

    let built_in = unreachable().await.hardware().await.unwrap();
    let small = built_in
        .iter()
        .find(|flavor| flavor.name == "t4-small")
        .unwrap();
    assert_eq!(small.micro_usd_per_minute, 6667);
}
