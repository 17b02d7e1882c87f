//! Signals end a run between two steps, never inside one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigSet, Signal};

/// Whether SIGINT or SIGTERM has asked the run to end. SIGHUP is taken and left unanswered: a
/// closed terminal does not stop a repair half-way.
#[derive(Debug, Clone)]
pub(super) struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Takes the signals of this process from here on. Before any thread is started.
    pub(super) fn install() -> Self {
        let cancel = Self(Arc::new(AtomicBool::new(false)));
        let mut signals = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            signals.add(signal);
        }
        // Where signals cannot be blocked they end the process at once, which the journal covers.
        if signals.thread_block().is_ok() {
            let flag = Arc::clone(&cancel.0);
            std::thread::spawn(move || {
                while let Ok(signal) = signals.wait() {
                    if signal != Signal::SIGHUP {
                        flag.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
        cancel
    }

    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
