//! The headers that let a receiver know who sent it, when, and whether it has seen it before (Standard Webhooks).

use super::WebhookSecret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// The three headers of one attempt. `id` is the event's, whatever the attempt; `sent_at` (unix seconds) is the attempt's.
pub(super) fn headers(
    secret: &WebhookSecret,
    id: &str,
    sent_at: u64,
    body: &[u8],
) -> [(&'static str, String); 3] {
    let sent_at = sent_at.to_string();
    let mac = secret.mac(&[id.as_bytes(), b".", sent_at.as_bytes(), b".", body]);
    let signature = format!("v1,{}", BASE64_STANDARD.encode(mac));
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", sent_at),
        ("webhook-signature", signature),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn the_known_signature() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let [id, sent_at, signature] = headers(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(id, ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".into()));
        assert_eq!(sent_at, ("webhook-timestamp", "1614265330".into()));
        let known = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signature, ("webhook-signature", known.into()));
    }
}
