// SPDX-License-Identifier: Apache-2.0
//! Progress on a terminal. Nothing is written where standard error is not one.

use crate::visible;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{sync::LazyLock, time::Duration};

/// All bars that are shown.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Calls `write`, which writes to the terminal, while no bar is on the screen. A bar would be drawn over the
/// line otherwise.
pub fn out_of_the_way<T>(write: impl FnOnce() -> T) -> T {
    if BARS.is_hidden() {
        return write();
    }
    BARS.suspend(write)
}

/// Adds a bar, which has nothing to show yet.
fn bar() -> ProgressBar {
    BARS.add(ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()))
}

/// Removes a bar from the screen.
fn remove(bar: &ProgressBar) {
    bar.finish_and_clear();
    BARS.remove(bar);
}

/// A bar for work that is measured in bytes.
pub struct Bytes(ProgressBar);

impl Bytes {
    /// Shows the bar with a message.
    pub fn new(message: &'static str) -> Self {
        let bar = bar();
        bar.set_style(
            ProgressStyle::with_template("{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.set_message(message);
        Self(bar)
    }

    /// Moves the bar to `done` of `total` bytes.
    pub fn at(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// A line that says which event the command is waiting for.
pub struct Progress(ProgressBar);

impl Progress {
    /// Shows the line with a message.
    pub fn new(message: impl Into<String>) -> Self {
        let bar = bar();
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_message(visible::line(&message.into()).into_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Replaces the message.
    pub fn say(&self, message: impl Into<String>) {
        self.0.set_message(visible::line(&message.into()).into_owned());
    }

    /// Removes the line.
    pub fn clear(&self) {
        remove(&self.0);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
