// SPDX-License-Identifier: Apache-2.0
//! Downloads over HTTP, from a byte on.
//!
//! Proxies are those of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. Certificates are those that the
//! system trusts, or those in `SSL_CERT_FILE` and `SSL_CERT_DIR`.

use std::{io::Read, sync::Arc, time::Duration};
use ureq::{
    http::{header, HeaderMap, StatusCode},
    tls::{RootCerts, TlsConfig, TlsProvider},
    Agent, Proxy,
};

/// The longest that a server may take to accept a connection, or to send the next bytes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of HTTP servers.
pub struct Client {
    agent: Agent,
}

/// The answer to a request.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The first byte of the file that the body holds.
    pub from: u64,
    /// The length of the file in bytes, if the server says it.
    pub total: Option<u64>,
    /// The version of the file: a strong `ETag`, otherwise `Last-Modified`.
    pub validator: Option<String>,
    /// The bytes.
    pub body: Box<dyn Read>,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(PATIENCE, Proxy::try_from_env())
    }
}

impl Client {
    /// Returns a client that waits that long for bytes, and connects through a proxy if there is one.
    pub fn new(patience: Duration, proxy: Option<Proxy>) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .proxy(proxy)
            .http_status_as_error(false)
            .user_agent(concat!("assay/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .timeout_connect(Some(patience))
            .timeout_recv_response(Some(patience))
            .timeout_per_read(Some(patience))
            .build()
            .new_agent();
        Self { agent }
    }

    /// Asks for a file, or for what follows its first `from` bytes. A server that has another version than
    /// `validator` is asked to send the whole file.
    ///
    /// # Errors
    ///
    /// There is no answer. Another status than 200 is an answer too.
    pub fn get(
        &self,
        url: &str,
        from: u64,
        validator: Option<&str>,
    ) -> Result<Answer, ureq::Error> {
        // A redirect must not lead from an encrypted connection to a plain one.
        let mut request = self.agent.get(url).config().https_only(is_encrypted(url)).build();
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
            if let Some(validator) = validator {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        let (head, body) = request.call()?.into_parts();
        let (from, total) = match head.status {
            // A part whose place is not said is of no use.
            StatusCode::PARTIAL_CONTENT => {
                content_range(&head.headers).map_or((u64::MAX, None), |(at, all)| (at, Some(all)))
            }
            _ => (0, body.content_length()),
        };
        Ok(Answer {
            status: head.status,
            from,
            total,
            validator: validator_of(&head.headers),
            body: Box::new(body.into_reader()),
        })
    }
}

/// Returns the first byte and the length of the file, of `bytes 5-9/10`.
fn content_range(headers: &HeaderMap) -> Option<(u64, u64)> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (places, total) = range.split_once('/')?;
    let (first, _) = places.split_once('-')?;
    Some((first.trim().parse().ok()?, total.trim().parse().ok()?))
}

fn validator_of(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let tag = text(header::ETAG).filter(|tag| !tag.starts_with("W/"));
    tag.or_else(|| text(header::LAST_MODIFIED)).map(String::from)
}

/// Returns whether connections to a URL are encrypted.
fn is_encrypted(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::http::HeaderValue;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        let value = |text| HeaderValue::from_static(text);
        pairs.iter().map(|(name, text)| (name.clone(), value(text))).collect()
    }

    #[test]
    fn place_of_a_part_is_read() {
        let range = |text| content_range(&headers(&[(header::CONTENT_RANGE, text)]));
        assert_eq!(range("bytes 5-9/10"), Some((5, 10)));
        for text in ["bytes */10", "bytes 5-9/*", "5-9/10", "bytes 5", "bytes -1-9/10"] {
            assert_eq!(range(text), None, "{text}");
        }
        assert_eq!(content_range(&HeaderMap::new()), None);
    }

    #[test]
    fn weak_tag_does_not_stand_for_bytes() {
        let date = (header::LAST_MODIFIED, "Fri, 07 Feb 2025 06:00:00 GMT");
        let strong = (header::ETAG, "\"a\"");
        assert_eq!(validator_of(&headers(&[date.clone(), strong])).unwrap(), "\"a\"");
        let weak = (header::ETAG, "W/\"a\"");
        assert_eq!(validator_of(&headers(&[date.clone(), weak.clone()])).unwrap(), date.1);
        assert_eq!(validator_of(&headers(&[weak])), None);
    }
}
