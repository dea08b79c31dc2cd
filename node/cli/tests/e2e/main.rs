// SPDX-License-Identifier: Apache-2.0
//! End-to-end tests: the real `assay` against the real `assay-node`, each with a chain of its own in
//! a temporary folder and on free ports of the loopback interface. [`network`] starts the nodes.
//!
//! They need the node's binary beside the command's: `cargo build --release --workspace` builds
//! both, and `./scripts/test.sh e2e` does all of it. When a test fails, the log of each of its nodes
//! is kept, and the test prints where.
//!
//! Each row of the table of ends in `docs/protocol.md` ("Money") has a test with the real engine:
//!
//! | end | tests |
//! | --- | --- |
//! | cancelled | `operators::open_job_is_raised_and_cancelled` |
//! | no operator: none answers | `no_shows::job_of_an_operator_that_does_not_answer_expires` |
//! | no operator: three decline | `no_shows::deposit_for_a_prompt_of_another_length_is_burnt_when_three_decline` |
//! | late, not the last operator | `no_shows::late_operator_is_fined_and_another_one_delivers` |
//! | late, the last operator | `dishonest::silent_operator_is_slashed` |
//! | not audited | `standing::unaudited_job_is_committed_and_not_verified` |
//! | accepted by the committee | `honest::honest_job_is_accepted_and_paid` |
//! | accepted by the committee, a seat of which was drawn again | `verifiers::verifier_that_never_commits_loses_a_twentieth_and_its_seat` |
//! | accepted by a jury, because a verifier rejects | `verifiers::verifier_that_rejects_an_honest_output_loses_its_bond` |
//! | accepted by a jury, because a verifier does not reveal | `verifiers::verifier_that_never_reveals_loses_its_bond` |
//! | accepted by a jury, after publication | `withheld::output_that_nobody_can_fetch_is_published_and_paid` |
//! | rejected by committee and jury | `dishonest::{wrong_token, truncated_output, wrong_model}_is_rejected_and_slashed` |
//! | rejected by a second look | `verifiers::committee_that_colludes_is_contradicted_by_a_second_look` |
//! | withheld | `withheld::output_that_is_not_published_either_is_withheld_and_slashed` |
//! | undecided | `verifiers::too_few_verifiers_leave_an_output_unverified_and_unpaid` |

mod addresses;
mod audit;
mod backup;
mod bad_input;
mod books;
mod challenge;
mod chat;
mod cli;
mod config;
mod connection;
mod delivery;
mod dishonest;
mod examples;
mod honest;
mod http;
mod identity;
mod keys;
mod kills;
mod models;
mod monitoring;
mod network;
mod no_shows;
mod node;
mod npm;
mod operator_page;
mod operators;
mod page;
mod panics;
mod parallel;
mod place;
mod port;
mod prometheus;
mod proxy;
mod restart;
mod restore;
mod root;
mod routing;
mod rpc;
mod sending;
mod separate_nodes;
mod setup;
mod slow;
mod spec;
mod standing;
mod terminal;
mod topologies;
mod verifiers;
mod wait;
mod withheld;
