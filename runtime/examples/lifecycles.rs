// SPDX-License-Identifier: Apache-2.0
//! Prints the number of whole jobs that fit in a block, by benchmarked weight.

#![allow(clippy::print_stdout, reason = "the example prints its result")]

use assay_runtime::configs::{lifecycle_weight, lifecycles_per_block};

fn main() {
    let weight = lifecycle_weight();
    println!(
        "{{\"lifecycles_per_block\":{},\"lifecycle_ref_time_ps\":{}}}",
        lifecycles_per_block(),
        weight.ref_time()
    );
}
