// SPDX-License-Identifier: Apache-2.0
//! Prints how many whole jobs fit a block, by benchmarked weight.

#![allow(clippy::print_stdout, reason = "it is what an example is for")]

use assay_runtime::configs::{lifecycle_weight, lifecycles_per_block};

fn main() {
    let weight = lifecycle_weight();
    println!(
        "{{\"lifecycles_per_block\":{},\"lifecycle_ref_time_ps\":{}}}",
        lifecycles_per_block(),
        weight.ref_time()
    );
}
