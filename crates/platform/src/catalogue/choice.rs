//! Which provider a model id means.

use std::cmp::Ordering;

use super::listing::Provider;

/// The provider behind a suffix. A name picks that provider, live or not. `cheapest` is the lowest
/// output price, `fastest` (and no suffix) the highest throughput, as the router defines them.
/// `preferred` follows the user's own order, which nobody else can see: the dearest is taken, so
/// that a budget holds.
pub(super) fn choose<'a>(providers: &'a [Provider], suffix: Option<&str>) -> Option<&'a Provider> {
    let live = || providers.iter().filter(|provider| provider.live);
    match suffix {
        Some("cheapest") => live().min_by_key(|provider| provider.output.unwrap_or(u64::MAX)),
        None | Some("fastest") => fastest(live()),
        Some("preferred") => dearest(live()),
        Some(name) => providers.iter().find(|provider| provider.name == name),
    }
}

/// Without any measured speed nobody knows which one the router takes: then the dearest.
fn fastest<'a>(live: impl Iterator<Item = &'a Provider> + Clone) -> Option<&'a Provider> {
    let measured = live
        .clone()
        .filter_map(|provider| Some((provider.throughput?, provider)));
    let quicker = |a: &(f64, _), b: &(f64, _)| a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal);
    measured
        .max_by(quicker)
        .map(|(_, provider)| provider)
        .or_else(|| dearest(live))
}

fn dearest<'a>(live: impl Iterator<Item = &'a Provider>) -> Option<&'a Provider> {
    live.max_by_key(|provider| (provider.output, provider.input))
}

#[cfg(test)]
mod tests {
    use super::choose;
    use crate::catalogue::listing::Provider;

    fn provider(name: &str, output: Option<u64>, throughput: Option<f64>, live: bool) -> Provider {
        Provider {
            name: name.into(),
            live,
            output,
            throughput,
            ..Provider::default()
        }
    }

    fn name<'a>(providers: &'a [Provider], suffix: Option<&str>) -> Option<&'a str> {
        choose(providers, suffix).map(|provider| provider.name.as_str())
    }

    #[test]
    fn suffixes_pick_what_the_router_picks() {
        let providers = [
            provider("slow", Some(2), Some(10.0), true),
            provider("quick", Some(9), Some(90.0), true),
            provider("cheap", Some(1), None, true),
            provider("down", Some(0), Some(999.0), false),
            provider("silent", None, Some(1.0), true),
        ];
        assert_eq!(name(&providers, None), Some("quick"));
        assert_eq!(name(&providers, Some("fastest")), Some("quick"));
        assert_eq!(name(&providers, Some("cheapest")), Some("cheap"));
        assert_eq!(name(&providers, Some("preferred")), Some("quick"));
        assert_eq!(name(&providers, Some("down")), Some("down"));
        assert_eq!(name(&providers, Some("nobody")), None);
    }

    #[test]
    fn without_speeds_the_dearest_is_assumed() {
        let providers = [
            provider("a", Some(1), None, true),
            provider("b", Some(5), None, true),
        ];
        assert_eq!(name(&providers, None), Some("b"));
        assert_eq!(name(&[], None), None);
    }
}
