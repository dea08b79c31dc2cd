// SPDX-License-Identifier: Apache-2.0
//! The options that make some tokens more or less likely, and the one that shows how likely they are.

use super::fixed::fixed;
use assay_primitives::request::{LogitBias, RequestV1, MAX_LOGPROBS};
use clap::{value_parser, Args};
use std::str::FromStr;

/// The largest change of a logit. Those of models are below it.
const MOST: f64 = 1000.0;

/// Options that make some tokens more or less likely, and one that shows how likely they are.
#[derive(Args, Debug, Clone)]
pub struct ChoiceArgs {
    /// Leave out tokens that are less likely than this part of the likeliest, from 0 to 1. It has no effect
    /// at temperature 0.
    #[arg(long, default_value = "0", value_name = "P", value_parser = min_p)]
    pub min_p: u32,
    /// Subtract this from the logit of each token that the output already has.
    #[arg(long, default_value = "0", value_name = "LOGIT", value_parser = logit, allow_hyphen_values = true)]
    pub presence_penalty: i32,
    /// Subtract this from the logit of a token for each time that the output already has it.
    #[arg(long, default_value = "0", value_name = "LOGIT", value_parser = logit, allow_hyphen_values = true)]
    pub frequency_penalty: i32,
    /// Make the tokens of prompt and output less likely by this factor; 1 has no effect, below 1 makes them
    /// likelier.
    #[arg(long, default_value = "1", value_name = "FACTOR", value_parser = factor)]
    pub repetition_penalty: u32,
    /// Add a number to the logit of a token, named by its id, such as 13=-2.5. Repeat the option for several.
    #[arg(long = "logit-bias", value_name = "TOKEN=LOGIT")]
    pub biases: Vec<Bias>,
    /// Go on after an end token, up to a stop text or --max-tokens.
    #[arg(long)]
    pub ignore_end: bool,
    /// Show the log probability of each token and of so many of the likeliest at its position, at most 16, as the
    /// model has them before the options above.
    #[arg(
        long,
        default_value_t = 0,
        hide_default_value = true,
        value_name = "COUNT",
        value_parser = value_parser!(u8).range(..=i64::from(MAX_LOGPROBS))
    )]
    pub logprobs: u8,
}

impl ChoiceArgs {
    /// Returns the request with what these options ask for, the biases in the order of the tokens.
    pub fn ask(&self, request: RequestV1) -> RequestV1 {
        let mut logit_bias: Vec<LogitBias> = self.biases.iter().map(|bias| bias.0).collect();
        logit_bias.sort_by_key(|bias| bias.token);
        RequestV1 {
            logit_bias,
            presence: self.presence_penalty,
            frequency: self.frequency_penalty,
            repetition: self.repetition_penalty,
            min_p: self.min_p,
            ignore_end: self.ignore_end,
            logprobs: self.logprobs,
            ..request
        }
    }
}

/// A number that is added to the logit of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bias(pub LogitBias);

impl FromStr for Bias {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (token, number) = text
            .split_once('=')
            .ok_or_else(|| format!("'{text}' has no '='; write TOKEN=LOGIT, such as 13=-2.5"))?;
        let token = token.parse().map_err(|_| format!("'{token}' is not the id of a token"))?;
        Ok(Self(LogitBias { token, bias: logit(number)? }))
    }
}

fn logit(text: &str) -> Result<i32, String> {
    // In range: at most 1000 times 65,536.
    fixed(text, -MOST..=MOST).map(|number| number as i32)
}

fn min_p(text: &str) -> Result<u32, String> {
    // In range: at most 65,536.
    match fixed(text, 0.0..=1.0)? as u32 {
        0 if text.parse() != Ok(0.0) => Err(format!("{text} is too small; use 0 for no effect")),
        min_p => Ok(min_p),
    }
}

fn factor(text: &str) -> Result<u32, String> {
    // In range: at most 1000 times 65,536.
    match fixed(text, 0.0..=MOST)? as u32 {
        0 => Err(format!("{text} is too small; use 1 for no effect")),
        factor => Ok(factor),
    }
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use assay_primitives::request::{LogitBias, Prompt, RequestV1};
    use clap::Parser;

    fn asked(options: &[&str]) -> Result<RequestV1, clap::Error> {
        let cli = Cli::try_parse_from([&["assay", "run", "Hi"], options].concat())?;
        let Command::Run(args) = cli.command else { panic!("it is `assay run`") };
        Ok(args.order.choice.ask(RequestV1::new(Prompt::Text(vec![]))))
    }

    #[test]
    fn nothing_is_asked_for_without_options() {
        assert_eq!(asked(&[]).unwrap(), RequestV1::new(Prompt::Text(vec![])));
    }

    #[test]
    fn numbers_have_16_fractional_bits() {
        let options =
            ["--min-p", "0.05", "--presence-penalty", "-1.5", "--frequency-penalty", "0.25"];
        let more =
            ["--repetition-penalty", "1.1", "--logit-bias", "13=-2.5", "--logit-bias", "7=1"];
        let rest = ["--ignore-end", "--logprobs", "16"];
        let request = asked(&[&options[..], &more, &rest].concat()).unwrap();
        let bias = |token, bias| LogitBias { token, bias };
        let expected = RequestV1 {
            logit_bias: vec![bias(7, 1 << 16), bias(13, -163_840)],
            presence: -98_304,
            frequency: 16_384,
            repetition: 72_090,
            min_p: 3_277,
            ignore_end: true,
            logprobs: 16,
            ..RequestV1::new(Prompt::Text(vec![]))
        };
        assert_eq!(request, expected);
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for (option, value, words) in [
            ("--min-p", "1.1", "1.1 is not between 0 and 1"),
            ("--min-p", "0.000001", "0.000001 is too small"),
            ("--presence-penalty", "2000", "2000 is not between -1000 and 1000"),
            ("--frequency-penalty", "x", "'x' is not a valid number"),
            ("--repetition-penalty", "0", "0 is too small"),
            ("--logit-bias", "13", "'13' has no '='"),
            ("--logit-bias", "a=1", "'a' is not the id of a token"),
            ("--logit-bias", "1=NaN", "NaN is not between"),
            ("--logprobs", "17", "17 is not in 0..=16"),
            ("--logprobs", "-1", "-1"),
        ] {
            let error = asked(&[option, value]).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
