//! A body of bounded size.

use super::PublicError;
use reqwest::Response;

/// Reads an answer's body, at most `limit` bytes of it. The request's own deadline holds for the body too.
///
/// # Errors
/// [`PublicError::TooLarge`] as soon as that is known; timeouts and broken connections.
pub async fn read_capped(mut response: Response, limit: usize) -> Result<Vec<u8>, PublicError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |length| length > limit) {
        return Err(PublicError::TooLarge(limit));
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > limit {
            return Err(PublicError::TooLarge(limit));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}
