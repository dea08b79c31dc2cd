// SPDX-License-Identifier: Apache-2.0
//! Prompts of a given number of tokens, in any vocabulary.

use anyhow::{ensure, Result};
use assay_engine::Model;

const TEXT: &str = "And it came to pass in those days, that the king of the land said unto all his \
servants, Go ye out into the cities, and into the villages which are beyond the river, and number the \
people, that I may know what they are; and they went forth, and numbered them, from the least unto the \
greatest, both small and great, the young men and the old. And when they had returned, they told the \
king, saying, Behold, the people are as the sand which is upon the sea shore, and no man can number \
them. And the king rejoiced, and made a great feast for seven days. ";

/// Returns a text of about so many tokens, with these.
pub fn prompt(model: &Model, tokens: usize) -> Result<(Vec<u8>, Vec<u32>)> {
    // No token of this text is longer than sixteen bytes in any vocabulary.
    let text = TEXT.repeat(1 + 16 * tokens / TEXT.len());
    // The begin token counts, and a space may be several tokens, so not every length occurs.
    let (mut fits, mut exceeds) = (0, text.len() + 1);
    while exceeds - fits > 1 {
        let middle = fits.midpoint(exceeds);
        if model.tokenize(&text.as_bytes()[..middle])?.len() <= tokens {
            fits = middle;
        } else {
            exceeds = middle;
        }
    }
    let text = text.as_bytes()[..fits].to_vec();
    let input = model.tokenize(&text)?;
    let near = input.len() <= tokens && input.len() + 4 >= tokens;
    ensure!(near, "the prompt has {} tokens, not {tokens}", input.len());
    Ok((text, input))
}
